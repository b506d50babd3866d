#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "core/config.h"
#include "core/config_file.h"
#include "core/config_form.h"
#include "core/config_xml.h"
#include "io/tls.h"

#define CREDENTIAL \
	"SCRAM-SHA-256$10000:QSXCR+Q6sek8bf92QSXCRw==" \
	"$r6lmUJFcBXqyJCO5ZDnKHa2mF8+6DbSpqIgw5P3yAqE=" \
	":D9qL3tWS38BRGlIy2RZxBBbQtW4lMRvLxCJW8GNfMZQ="

#define NODE            "<node name='proxy.example.org'/>"
#define ACCOUNT         "<account jid='a@example.com' passwd='s3cret'/>"
#define USER            "<user name='alice' passwd='s3cret'>" ACCOUNT "</user>"
#define IN_CONFIG(text) "<config>" NODE "\n" text "</config>"
#define IN_USER(text) \
	IN_CONFIG("<user name='alice' passwd='s3cret'>\n" text "</user>")
#define IN_ACCOUNT(text) \
	IN_USER("<account jid='a@example.com' passwd='s3cret'\n" text "/>")

static char folder[] = "/tmp/test_config.XXXXXX";
static char *file; /* proxy.xml in it */

static void
put(const char *name, const char *text, mode_t mode)
{
	char *path = config_file_under(folder, name);
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, mode), 0);
	mem_free_string(&path);
}

static void
drop(const char *name)
{
	char *path = config_file_under(folder, name);

	unlink(path);
	mem_free_string(&path);
}

static void
make_certificate(const char *chain, const char *key)
{
	static const char *const domains[] = { "proxy.example.org" };
	char *chain_path = config_file_under(folder, chain);
	char *key_path = config_file_under(folder, key);
	struct err err;

	assert_int_equal(tls_make_self_signed(chain_path, key_path, domains, 1,
			     &err),
	    0);
	mem_free_string(&chain_path);
	mem_free_string(&key_path);
}

static int
make_files(void **state)
{
	char large[4096 + 2] = ""; /* a byte over the limit */

	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	file = config_file_under(folder, "proxy.xml");
	make_certificate("cert.pem", "key.pem");
	make_certificate("other.pem", "other.key");
	put("text.pem", "chain\n", 0644);
	put("password", "of the file\nsecond line\n", 0600);
	put("public", "of the file", 0644);
	put("empty", "", 0600);
	put("blank", "\nsecond\n", 0600);
	put("binary", "\xff\xfe\n", 0600);
	put("credential", CREDENTIAL "\n", 0600);
	memset(large, 'x', sizeof(large) - 1);
	put("large", large, 0600);
	return 0;
}

static int
remove_files(void **state)
{
	static const char *const names[] = { "cert.pem", "key.pem", "other.pem",
		"other.key", "text.pem", "password", "public", "empty", "blank",
		"binary", "credential", "large", "proxy.xml" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		drop(names[i]);
	mem_free_string(&file);
	return rmdir(folder);
}

static struct config *
parse(const char *xml)
{
	struct err err = { 0 };
	struct config *config;

	config = config_parse(xml, strlen(xml), file, &err);
	if (config == NULL)
		print_error("%s\n", err.text);
	assert_non_null(config);
	return config;
}

/* Where a fault is found: it is told by another message in each place. */
enum place {
	SYNTAX,  /* no well-formed XML */
	FORM,    /* the schema says so too */
	MEANING, /* valid by the schema */
};

static const struct fault {
	enum place place;
	unsigned line;
	const char *words, *expected; /* expected: what follows that word */
	const char *xml;
} faults[] = {
	{ SYNTAX, 1, "no XML", "<config>", "" },
	{ SYNTAX, 1, "no XML", "<config>", "node proxy.example.org\n" },
	{ SYNTAX, 2, "ends inside <config> of line 1", "</config>",
	    "<config>\n" NODE },
	{ SYNTAX, 3, "</config> inside <user> of line 2", "</user>",
	    "<config>" NODE "\n<user name='a' passwd='b'>\n</config>" },
	{ SYNTAX, 2, "a value without quotes", "name=\"value\"",
	    IN_CONFIG("<user name=a/>") },
	{ SYNTAX, 3, "'<' in the value", "the closing quote before it",
	    IN_CONFIG("<user name='a>\n<account jid='x'/></user>") },
	{ SYNTAX, 2, "without a value", "name=\"value\"",
	    IN_CONFIG("<user name/>") },
	{ SYNTAX, 2, "attribute name for the second time", "it once",
	    IN_CONFIG("<user name='a' name='b'/>") },
	{ SYNTAX, 2, "'<' or '&' that begins nothing", "&lt; or &amp;",
	    IN_CONFIG("<user name='a & b'/>") },
	{ SYNTAX, 2, "'&' without ';'", "&amp;",
	    IN_CONFIG("<user name='a' passwd='x&y'/>") },
	{ SYNTAX, 2, "an unknown entity", "one of &lt; &gt;",
	    IN_CONFIG("<user name='&uuml;'/>") },
	{ SYNTAX, 2, "a tag that does not end", "name=\"value\" with space",
	    IN_CONFIG("<user name='a'passwd='b'/>") },
	{ SYNTAX, 2, "a comment that does not end", "-->",
	    IN_CONFIG("<!-- user") },
	{ SYNTAX, 2, "-- inside a comment", "-->",
	    IN_CONFIG("<!-- a -- b -->") },
	{ SYNTAX, 2, "a character that XML does not have",
	    "text without control", IN_CONFIG("<user name='\x01'/>") },
	{ SYNTAX, 2, "more behind the end", "nothing after </config>",
	    IN_CONFIG("") "<config/>" },
	{ SYNTAX, 2, "not UTF-8", "the file to be saved as UTF-8",
	    IN_CONFIG("<user name='J\xf6rg'/>\n") },
	{ SYNTAX, 2, "<?xml ...?> in the middle", "it as the very first",
	    "\n<?xml version='1.0'?>" IN_CONFIG("") },
	{ SYNTAX, 1, "an unknown version of XML", "<?xml version=\"1.0\"?>",
	    "<?xml version='2.0'?>" IN_CONFIG("") },
	{ SYNTAX, 1, "<!DOCTYPE>", "no document type",
	    "<!DOCTYPE config SYSTEM 'file:///etc/passwd'>" IN_CONFIG("") },
	{ SYNTAX, 2, "<!DOCTYPE>", "no document type",
	    "<?xml version='1.0'?>\n<!DOCTYPE config [<!ENTITY a 'aaaaaaaa'>"
	    "<!ENTITY b '&a;&a;&a;&a;'>]>" IN_CONFIG("<user name='&b;'/>") },

	{ FORM, 1, "<proxy> as the root", "<config>", "<proxy/>" },
	{ FORM, 1, "<config> without <node>", "<node name=\"...\"/> in it",
	    "<config>" USER "</config>" },
	{ FORM, 1, "<node> without name", "name=\"...\": a domain",
	    "<config><node/></config>" },
	{ FORM, 1, "unknown attribute xmlns of <config>", "no attributes",
	    "<config xmlns='urn:x'>" NODE "</config>" },
	{ FORM, 2, "<node> for the second time", "only that of line 1",
	    IN_CONFIG(NODE) },
	{ FORM, 3, "<limits> for the second time", "only that of line 2",
	    IN_CONFIG("<limits/>\n<limits/>") },
	{ FORM, 2, "<store> for the second time", "only that of line 2",
	    IN_CONFIG("<store path='a'/><store path='b'/>") },
	{ FORM, 2, "unknown element <usr> in <config>", "<user>",
	    IN_CONFIG("<usr name='a'/>") },
	{ FORM, 2, "unknown element <gateway> in <config>",
	    "<node>, <listen>, <certificate>, <store>, <limits> or <user>",
	    IN_CONFIG("<gateway/>") },
	{ FORM, 2, "unknown element <x:user> in <config>", "<user>",
	    IN_CONFIG("<x:user xmlns:x='urn:x'/>") },
	{ FORM, 3, "unknown element <node> in <user>", "<account>",
	    IN_USER(NODE) },
	{ FORM, 3, "unknown element <b> in <account>", "no elements in it",
	    IN_USER("<account jid='a@b' passwd='c'><b/></account>") },
	{ FORM, 2, "text in <user>", "elements and comments alone",
	    IN_CONFIG("<user name='a' passwd='b'>alice" ACCOUNT "</user>") },
	{ FORM, 1, "text in <node>", "elements and comments alone",
	    "<config><node name='a'><![CDATA[x]]></node></config>" },
	{ FORM, 3, "unknown attribute colour of <user>",
	    "name, passwd, passwd-file, resource, admin, mirror or detached",
	    IN_CONFIG(
		"<user name='a'\n colour='b' passwd='c'>" ACCOUNT "</user>") },
	{ FORM, 2, "unknown attribute password of <user>", "passwd",
	    IN_CONFIG("<user name='a' password='b'>" ACCOUNT "</user>") },
	{ FORM, 4, "unknown attribute jit of <account>", "jid",
	    IN_USER("<account\n jit='a@b' passwd='c'/>") },
	{ FORM, 2, "unknown attribute xml:lang of <user>", "name, ",
	    IN_CONFIG(
		"<user xml:lang='de' name='a' passwd='b'>" ACCOUNT "</user>") },
	{ FORM, 2, "unknown attribute sync of <store>", "synchronous",
	    IN_CONFIG("<store path='a' sync='full'/>") },
	{ FORM, 2, "synchronous=\"yes\" in <store>",
	    "\"full\", \"normal\" or \"off\"",
	    IN_CONFIG("<store path='a' synchronous='yes'/>") },
	{ FORM, 2, "<user> without name", "name=\"...\": a name such as alice",
	    IN_CONFIG("<user passwd='b'>" ACCOUNT "</user>") },
	{ FORM, 2, "name=\"\" in <user>", "a name such as alice",
	    IN_CONFIG("<user name='' passwd='b'>" ACCOUNT "</user>") },
	{ FORM, 2, "no password", "passwd or passwd-file",
	    IN_CONFIG("<user name='a'>" ACCOUNT "</user>") },
	{ FORM, 3, "passwords in two places", "passwd or passwd-file",
	    IN_CONFIG("<user name='a' \npasswd-file='b' passwd='c'>" ACCOUNT
		      "</user>") },
	{ FORM, 2, "<user> without <account>", "<account jid=\"...\"/> in it",
	    IN_USER("") },
	{ FORM, 2, "<user> without <account>", "<account jid=\"...\"/> in it",
	    IN_CONFIG("<user name='a' passwd='b'/>") },
	{ FORM, 3, "<account> without jid", "jid=\"...\": a JID",
	    IN_USER("<account passwd='b'/>") },
	{ FORM, 3, "no password", "passwd or passwd-file",
	    IN_USER("<account jid='a@b'/>") },
	{ FORM, 2, "admin=\"maybe\" in <user>", "\"yes\" or \"no\"",
	    IN_CONFIG(
		"<user name='a' passwd='b' admin='maybe'>" ACCOUNT "</user>") },
	{ FORM, 2, "mirror=\"carbons\" in <user>", "\"note\" or \"off\"",
	    IN_CONFIG("<user name='a' passwd='b' mirror='carbons'>" ACCOUNT
		      "</user>") },
	{ FORM, 2, "detached=\"away\" in <user>", "\"xa\" or \"disconnect\"",
	    IN_CONFIG("<user name='a' passwd='b' detached='away'>" ACCOUNT
		      "</user>") },
	{ FORM, 4, "default=\"1\" in <account>", "\"yes\" or \"no\"",
	    IN_ACCOUNT("default='1'") },
	{ FORM, 4, "tls=\"ssl\" in <account>",
	    "\"starttls\", \"direct\" or \"none\"", IN_ACCOUNT("tls='ssl'") },
	{ FORM, 4, "port=\"0\" in <account>", "a number from 1 to 65535",
	    IN_ACCOUNT("port='0' host='h'") },
	{ FORM, 2, "port=\"65536\" in <listen>", "a number from 1 to 65535",
	    IN_CONFIG("<listen port='65536'/>") },
	{ FORM, 2, "port=\"xmpp\" in <listen>", "a number from 1 to 65535",
	    IN_CONFIG("<listen port='xmpp'/>") },
	{ FORM, 2, "tls=\"STARTTLS\" in <listen>", "\"starttls\", ",
	    IN_CONFIG("<listen tls='STARTTLS'/>") },
	{ FORM, 2, "<certificate> without key", "key=\"...\": the path",
	    IN_CONFIG("<certificate chain='cert.pem'/>") },
	{ FORM, 2, "<store> without path",
	    "path=\"...\": a path, or :memory:", IN_CONFIG("<store/>") },
	{ FORM, 3, "unknown attribute iq-second of <limits>", "iq-seconds",
	    IN_CONFIG("<limits \n iq-second='3'/>") },
	{ FORM, 2, "unknown attribute queue of <limits>",
	    "queue-frames, "
	    "queue-bytes, queue-bytes-max or upstream-queue-bytes",
	    IN_CONFIG("<limits queue='3'/>") },
	{ FORM, 2, "unknown attribute temperature of <limits>",
	    "a limit that proxy.xml(5) lists",
	    IN_CONFIG("<limits temperature='20'/>") },
	{ FORM, 2, "stanza-bytes=\"9999\" in <limits>",
	    "a number from 10000 to 16777216",
	    IN_CONFIG("<limits stanza-bytes='9999'/>") },
	{ FORM, 5, "stanza-depth=\"64k\" in <limits>",
	    "a number from 16 to 1024",
	    IN_CONFIG("<limits\n stanza-bytes='20000'\n dials='3'\n"
		      " stanza-depth='64k'/>") },
	{ FORM, 2, "dials=\"-1\" in <limits>", "a number from 1 to 10000",
	    IN_CONFIG("<limits dials='-1'/>") },
	{ FORM, 2, "log-bytes=\"99999999999999999999\" in <limits>",
	    "a number from",
	    IN_CONFIG("<limits log-bytes='99999999999999999999'/>") },

	{ MEANING, 1, "name=\"a b\" in <node>", "a domain such as",
	    "<config><node name='a b'/></config>" },
	{ MEANING, 1, "name=\"a@b\" in <node>", "a domain such as",
	    "<config><node name='a@b'/></config>" },
	{ MEANING, 2, "address=\"everywhere\" in <listen>",
	    "an IP address such as",
	    IN_CONFIG("<listen port='1' \taddress='everywhere'/>") },
	{ MEANING, 3, "tls=\"none\" in <listen>",
	    "starttls or direct, or a loopback address",
	    IN_CONFIG("<listen address='0.0.0.0'\n tls='none'/>") },
	{ MEANING, 2, "tls=\"none\" in <listen>",
	    "starttls or direct, or a loopback address",
	    IN_CONFIG("<listen tls='none'/>") },
	{ MEANING, 3, "listen address :: port 5222 for the second time",
	    "only that of line 2",
	    IN_CONFIG("<listen/>\n<listen address='::' port='5222'/>") },
	{ MEANING, 2, "chain=\"missing.pem\" in <certificate>: No such file",
	    "a PEM file that can be read",
	    IN_CONFIG("<certificate chain='missing.pem' key='key.pem'/>") },
	{ MEANING, 3, "key=\"missing.pem\" in <certificate>: No such file",
	    "a PEM file that can be read",
	    IN_CONFIG("<certificate chain='cert.pem'\nkey='missing.pem'/>") },
	{ MEANING, 2, "key=\"/\" in <certificate>: not a regular file",
	    "a PEM file that can be read",
	    IN_CONFIG("<certificate chain='cert.pem' key='/'/>") },
	{ MEANING, 2, "<certificate>: ", "a chain and its key, both in PEM",
	    IN_CONFIG("<certificate\nchain='cert.pem' key='other.key'/>") },
	{ MEANING, 2, "<certificate>: ", "a chain and its key, both in PEM",
	    IN_CONFIG("<certificate chain='text.pem' key='key.pem'/>") },
	{ MEANING, 2, "<certificate>: ", "a chain and its key, both in PEM",
	    IN_CONFIG("<certificate chain='cert.pem' key='text.pem'/>") },
	{ MEANING, 4, "ca=\"text.pem\" in <account>",
	    "a PEM file with certificates", IN_ACCOUNT("ca='text.pem'") },
	{ MEANING, 2, "domain=\"a b\" in <certificate>", "a domain such as",
	    IN_CONFIG("<certificate chain='cert.pem' key='key.pem' "
		      "domain='a b'/>") },
	{ MEANING, 3, "certificate for a.example for the second time",
	    "only that of line 2",
	    IN_CONFIG("<certificate chain='cert.pem' key='key.pem' "
		      "domain='a.example'/>\n<certificate chain='cert.pem' "
		      "key='key.pem' domain='A.EXAMPLE'/>") },
	{ MEANING, 3, "certificate for all other domains for the second time",
	    "only that of line 2",
	    IN_CONFIG("<certificate chain='cert.pem' key='key.pem'/>\n"
		      "<certificate chain='cert.pem' key='key.pem'/>") },
	{ MEANING, 2, "queue-bytes is over queue-bytes-max", "65536 at most",
	    IN_CONFIG("<limits queue-bytes-max='65536'/>") },
	{ MEANING, 2, "name=\"a@b\" in <user>", "a name such as alice",
	    IN_CONFIG("<user name='a@b' passwd='c'>" ACCOUNT "</user>") },
	{ MEANING, 2,
	    "name=\"Root\" in <user>: this name is the administration bot's",
	    "any other name",
	    IN_CONFIG("<user name='Root' passwd='c'>" ACCOUNT "</user>") },
	{ MEANING, 3, "user alice for the second time", "only that of line 2",
	    IN_CONFIG(USER "\n<user name='ALICE' passwd='c'>"
			   "<account jid='b@c' passwd='d'/></user>") },
	{ MEANING, 3, "account a@example.com for the second time",
	    "only that of line 2",
	    IN_CONFIG(
		USER "\n<user name='bob' passwd='c'>" ACCOUNT "</user>") },
	{ MEANING, 4, "account a@example.com for the second time",
	    "only that of line 3",
	    IN_USER(ACCOUNT "\n<account jid='A@EXAMPLE.COM' passwd='d'/>") },
	{ MEANING, 3, "jid=\"example.com\" in <account>: it names no user",
	    "a JID such as alice@example.org",
	    IN_USER("<account jid='example.com' passwd='d'/>") },
	{ MEANING, 3, "jid=\"a@b/c\" in <account>: it has a resource",
	    "a JID such as alice@example.org",
	    IN_USER("<account jid='a@b/c' passwd='d'/>") },
	{ MEANING, 3, "jid=\"@b\" in <account>", "a JID such as",
	    IN_USER("<account jid='@b' passwd='d'/>") },
	{ MEANING, 3,
	    "jid=\"a@PROXY.example.org\" in <account>: its domain "
	    "is the node's",
	    "a name for <node>",
	    IN_USER("<account jid='a@PROXY.example.org' passwd='d'/>") },
	{ MEANING, 5, "a second default account of user alice",
	    "only that of line 3",
	    IN_USER("<account jid='a@b' passwd='d' default='yes'/>\n"
		    "<account jid='b@b' passwd='d'\n default='yes'/>") },
	{ MEANING, 4, "tls=\"none\" in <account>",
	    "starttls or direct, or a loopback host",
	    IN_ACCOUNT("tls='none'") },
	{ MEANING, 4, "tls=\"none\" in <account>",
	    "starttls or direct, or a loopback host",
	    IN_ACCOUNT("host='192.0.2.1' tls='none'") },
	{ MEANING, 4, "port=\"5222\" in <account>", "host=\"...\" beside it",
	    IN_ACCOUNT("port='5222'") },
	{ MEANING, 4, "host=\"a b\" in <account>",
	    "a host name or an IP address", IN_ACCOUNT("host='a b'") },
	{ MEANING, 4, "ca=\"missing.pem\" in <account>: No such file",
	    "a PEM file with certificates", IN_ACCOUNT("ca='missing.pem'") },
	{ MEANING, 4, "resource=\"\\x7f\" in <account>", "a resource such as",
	    IN_ACCOUNT("resource='\x7f'") },
	{ MEANING, 3, "passwd of <account>: a stored credential",
	    "the account's password itself",
	    IN_USER("<account jid='a@b' passwd='" CREDENTIAL "'/>") },
	{ MEANING, 3, "passwd-file of <account>: a stored credential",
	    "the account's password itself",
	    IN_USER("<account jid='a@b' passwd-file='credential'/>") },
	{ MEANING, 3, "passwd-file of <account>: No such file",
	    "a file with a password as its first line",
	    IN_USER("<account jid='a@b' passwd-file='missing'/>") },
	{ MEANING, 3, "passwd-file of <account>: empty",
	    "a file with a password as its first line",
	    IN_USER("<account jid='a@b' passwd-file='empty'/>") },
	{ MEANING, 3, "passwd-file of <account>: empty",
	    "a file with a password as its first line",
	    IN_USER("<account jid='a@b' passwd-file='blank'/>") },
	{ MEANING, 3, "passwd-file of <account>: not UTF-8",
	    "a file with a password as its first line",
	    IN_USER("<account jid='a@b' passwd-file='binary'/>") },
	{ MEANING, 3, "passwd-file of <account>: more than 4096 bytes",
	    "a file with a password as its first line",
	    IN_USER("<account jid='a@b' passwd-file='large'/>") },
	{ MEANING, 3, "passwd-file of <account>: not a regular file",
	    "a file with a password as its first line",
	    IN_USER("<account jid='a@b' passwd-file='.'/>") },
	{ MEANING, 3, "passwd of <account>: a control character in it",
	    "a password", IN_USER("<account jid='a@b' passwd='x&#9;'/>") },
	{ MEANING, 2, "passwd of <user>",
	    "a credential as xmpproxy --hash-password prints it",
	    IN_CONFIG("<user name='a' passwd='SCRAM-SHA-256$1:x$y'>" ACCOUNT
		      "</user>") },
};

static void
assert_schema(const struct fault *fault)
{
	struct config_xml *xml;
	struct err err;

	xml = config_xml_parse(fault->xml, strlen(fault->xml), "f", &err);
	assert_true((xml == NULL) == (fault->place == SYNTAX));
	if (xml == NULL)
		return;
	assert_int_equal(config_xml_check(xml, NULL),
	    fault->place == FORM ? -1 : 0);
	config_xml_free(&xml);
}

static bool
is_message(const struct fault *fault, const char *text)
{
	char *start = mem_printf("proxy.xml:%u: ", fault->line);
	char *end = mem_printf("; expected %s", fault->expected);
	bool good = strncmp(text, start, strlen(start)) == 0 &&
	    strstr(text, fault->words) != NULL && strstr(text, end) != NULL &&
	    strchr(text, '\n') == NULL && strstr(text, "s3cret") == NULL;

	if (!good)
		print_error("%s\n  should be %s...%s...%s\n", text, start,
		    fault->words, end);
	mem_free_string(&start);
	mem_free_string(&end);
	return good;
}

static void
a_fault_is_told_with_its_line_and_what_was_expected(void **state)
{
	char here[4096];
	unsigned bad = 0;
	struct err err;
	size_t i;

	(void)state;
	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(chdir(folder), 0);
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		memset(&err, 0, sizeof(err));
		assert_null(config_parse(faults[i].xml, strlen(faults[i].xml),
		    "proxy.xml", &err));
		bad += !is_message(&faults[i], err.text);
		assert_schema(&faults[i]);
	}
	assert_int_equal(chdir(here), 0);
	assert_int_equal(bad, 0);
}

static void
the_form_of_2012_is_valid(void **state)
{
	struct config *config = parse(
	    "<config>\n    <node name=\"fluttershy\"></node>\n"
	    "    <user name=\"test\" passwd=\"bar\" resource=\"access\">\n"
	    "        <account jid=\"test@milk-and-cookies.net\" "
	    "passwd=\"test\" resource=\"xmpproxy\"/>\n"
	    "        <account jid=\"bla@milk-and-cookies.net\" "
	    "passwd=\"bla\" resource=\"xmpproxy\"/>\n    </user>\n</config>\n");
	struct user_config *user = STAILQ_FIRST(&config->users);
	struct account_config *account = STAILQ_FIRST(&user->accounts);

	(void)state;
	assert_string_equal(config->node, "fluttershy");
	assert_string_equal(user->name, "test");
	assert_string_equal(user->password, "bar");
	assert_string_equal(user->resource, "access");
	assert_false(user->admin);
	assert_int_equal(user->mirror, MIRROR_NOTE);
	assert_int_equal(user->detached, DETACHED_XA);
	assert_null(STAILQ_NEXT(user, next));
	assert_string_equal(account->jid, "test@milk-and-cookies.net");
	assert_string_equal(account->password, "test");
	assert_string_equal(account->resource, "xmpproxy");
	assert_ptr_equal(account->user, user);
	assert_true(account->is_default);
	assert_null(account->host);
	assert_int_equal(account->port, 0);
	assert_int_equal(account->tls, CONFIG_TLS_ANY);
	account = STAILQ_NEXT(account, next);
	assert_string_equal(account->jid, "bla@milk-and-cookies.net");
	assert_false(account->is_default);
	assert_null(STAILQ_NEXT(account, next));
	config_free(&config);
	assert_null(config);
}

static void
what_is_not_said_has_a_default(void **state)
{
	struct config *config = parse("<config>" NODE "</config>");
	struct listen_config *listen = STAILQ_FIRST(&config->listens);
	char *store = config_file_under(folder, "xmpproxy.db");

	(void)state;
	assert_string_equal(config->path, file);
	assert_string_equal(config->store, store);
	assert_int_equal(config->synchronous, STORE_SYNC_NORMAL);
	assert_int_equal(config->limits.sessions_per_user, 50);
	assert_true(STAILQ_EMPTY(&config->certificates));
	assert_true(STAILQ_EMPTY(&config->users));
	assert_string_equal(listen->address, "::");
	assert_int_equal(listen->port, 5222);
	assert_int_equal(listen->tls, CONFIG_STARTTLS);
	listen = STAILQ_NEXT(listen, next);
	assert_string_equal(listen->address, "::");
	assert_int_equal(listen->port, 5223);
	assert_int_equal(listen->tls, CONFIG_DIRECT);
	assert_null(STAILQ_NEXT(listen, next));
	mem_free_string(&store);
	config_free(&config);
}

static void
assert_listen(const struct listen_config *listen, const char *address,
    uint16_t port, enum config_tls tls)
{
	assert_string_equal(listen->address, address);
	assert_int_equal(listen->port, port);
	assert_int_equal(listen->tls, tls);
}

static void
listen_elements_replace_the_defaults(void **state)
{
	struct config *config = parse(
	    "<config>" NODE "<listen tls='direct'/>"
	    "<listen address='127.0.0.1' tls='none'/>"
	    "<listen address='::1' port='1' tls='starttls'/></config>");
	struct listen_config *listen = STAILQ_FIRST(&config->listens);

	(void)state;
	assert_listen(listen, "::", 5223, CONFIG_DIRECT);
	listen = STAILQ_NEXT(listen, next);
	assert_listen(listen, "127.0.0.1", 5222, CONFIG_NO_TLS);
	listen = STAILQ_NEXT(listen, next);
	assert_listen(listen, "::1", 1, CONFIG_STARTTLS);
	assert_null(STAILQ_NEXT(listen, next));
	config_free(&config);
}

static void
everything_that_is_said_arrives(void **state)
{
	struct config *config = parse(
	    "<config><user name='Alice' admin='yes'"
	    " mirror='off' detached='disconnect' passwd-file='password'>"
	    "<account jid='a@b.example' passwd='x'/>"
	    "<account jid='A@Example.COM' passwd-file='password' ca='cert.pem'"
	    " host='::1' port='5269' tls='none' default='yes'/></user>"
	    "<limits dials='7' stanza-bytes='0010000'/>"
	    "<store path='sub/log.db' synchronous='full'/>"
	    "<certificate domain='B.Example' chain='cert.pem' key='key.pem'/>"
	    "<node name='Proxy.Example.org'/></config>");
	struct user_config *user = STAILQ_FIRST(&config->users);
	struct account_config *account = STAILQ_FIRST(&user->accounts);
	struct certificate_config *certificate;
	char *store = config_file_under(folder, "sub/log.db");
	char *chain = config_file_under(folder, "cert.pem");
	char *key = config_file_under(folder, "key.pem");

	(void)state;
	assert_string_equal(config->node, "proxy.example.org");
	assert_string_equal(config->store, store);
	assert_int_equal(config->synchronous, STORE_SYNC_FULL);
	assert_int_equal(config->limits.dials, 7);
	assert_int_equal(config->limits.stanza_bytes, 10000);
	assert_int_equal(config->limits.stanza_depth, 64);
	certificate = STAILQ_FIRST(&config->certificates);
	assert_string_equal(certificate->chain, chain);
	assert_string_equal(certificate->key, key);
	assert_string_equal(certificate->domain, "b.example");
	assert_string_equal(user->name, "alice");
	assert_string_equal(user->password, "of the file");
	assert_null(user->resource);
	assert_true(user->admin);
	assert_int_equal(user->mirror, MIRROR_OFF);
	assert_int_equal(user->detached, DETACHED_DISCONNECT);
	assert_false(account->is_default);
	assert_null(account->resource);
	account = STAILQ_NEXT(account, next);
	assert_string_equal(account->jid, "a@example.com");
	assert_string_equal(account->password, "of the file");
	assert_string_equal(account->host, "::1");
	assert_int_equal(account->port, 5269);
	assert_int_equal(account->tls, CONFIG_NO_TLS);
	assert_string_equal(account->ca, chain);
	assert_true(account->is_default);
	mem_free_string(&store);
	mem_free_string(&chain);
	mem_free_string(&key);
	config_free(&config);
}

static void
a_user_may_have_a_stored_credential(void **state)
{
	struct config *config = parse(
	    "<config>" NODE "<user name='a' passwd='" CREDENTIAL
	    "'><account jid='a@b' passwd='x'/></user>"
	    "<user name='b' passwd-file='credential'>"
	    "<account jid='b@b' passwd='x'/></user></config>");
	struct user_config *user;

	(void)state;
	STAILQ_FOREACH(user, &config->users, next) {
		assert_null(user->password);
		assert_true(user->credential.keys[SCRAM_SHA256].known);
		assert_int_equal(user->credential.keys[SCRAM_SHA256].iterations,
		    10000);
	}
	config_free(&config);
}

static void
the_store_can_be_memory(void **state)
{
	struct config *config = parse(
	    "<config>" NODE "<store path=':memory:'/></config>");

	(void)state;
	assert_string_equal(config->store, ":memory:");
	assert_int_equal(config->synchronous, STORE_SYNC_NORMAL);
	config_free(&config);
}

static enum store_sync
synchronous(const char *xml)
{
	struct config *config = parse(xml);
	enum store_sync sync = config->synchronous;

	config_free(&config);
	return sync;
}

static void
the_store_may_wait_for_the_disk(void **state)
{
	(void)state;
	assert_int_equal(synchronous("<config>" NODE "<store path='a'"
				     " synchronous='full'/></config>"),
	    STORE_SYNC_FULL);
	assert_int_equal(synchronous("<config>" NODE "<store path='a'"
				     " synchronous='normal'/></config>"),
	    STORE_SYNC_NORMAL);
	assert_int_equal(synchronous("<config>" NODE "<store path='a'"
				     " synchronous='off'/></config>"),
	    STORE_SYNC_OFF);
}

static void
relative_paths_are_made_absolute(void **state)
{
	char *path;

	(void)state;
	path = config_file_folder("/etc/xmpproxy/proxy.xml");
	assert_string_equal(path, "/etc/xmpproxy");
	mem_free_string(&path);
	path = config_file_folder("/proxy.xml");
	assert_string_equal(path, "/");
	mem_free_string(&path);
	path = config_file_folder("proxy.xml");
	assert_int_equal(path[0], '/');
	mem_free_string(&path);
	path = config_file_under("/", "a.pem");
	assert_string_equal(path, "/a.pem");
	mem_free_string(&path);
	path = config_file_under("/etc", "/b.pem");
	assert_string_equal(path, "/b.pem");
	mem_free_string(&path);
}

static unsigned warnings;
static char warning[512];

static void
on_warning(const char *text)
{
	warnings++;
	snprintf(warning, sizeof(warning), "%s", text);
}

static void
load_with_mode(mode_t mode, const char *xml)
{
	struct config *config;
	struct err err;

	put("proxy.xml", xml, mode);
	warnings = 0;
	config = config_load(file, on_warning, &err);
	assert_non_null(config);
	assert_string_equal(config->path, file);
	config_free(&config);
}

static void
a_file_that_everybody_can_read_draws_a_warning(void **state)
{
	(void)state;
	load_with_mode(0600, "<config>" NODE USER "</config>");
	assert_int_equal(warnings, 0);
	load_with_mode(0640, "<config>" NODE USER "</config>");
	assert_int_equal(warnings, 0);
	load_with_mode(0644, "<config>" NODE USER "</config>");
	assert_int_equal(warnings, 1);
	assert_non_null(strstr(warning, "mode 0644"));
	load_with_mode(0600,
	    "<config>" NODE "<user name='a' "
	    "passwd-file='public'>" ACCOUNT "</user></config>");
	assert_int_equal(warnings, 1);
	assert_non_null(strstr(warning, "/public"));
}

static void
a_file_that_is_not_there_is_named(void **state)
{
	struct err err;

	(void)state;
	assert_null(config_load("/nowhere/proxy.xml", NULL, &err));
	assert_string_equal(err.text,
	    "/nowhere/proxy.xml: No such file or directory; expected a file "
	    "that can be read");
	assert_null(config_load("/dev/zero", NULL, &err));
	assert_non_null(strstr(err.text, "not a regular file"));
}

static void
a_file_is_not_larger_than_its_limit(void **state)
{
	struct buf xml = { 0 };
	struct config *config;
	struct err err;

	(void)state;
	buf_puts(&xml, "<config>" NODE);
	while (xml.len < CONFIG_BYTES_MAX - strlen("</config>"))
		buf_putc(&xml, ' ');
	buf_puts(&xml, "</config>");
	config = config_parse(xml.data, xml.len, file, &err);
	assert_non_null(config);
	config_free(&config);
	buf_putc(&xml, ' ');
	assert_null(config_parse(xml.data, xml.len, file, &err));
	assert_non_null(
	    strstr(err.text, ":1: 16777217 bytes; expected 16777216 at most"));
	buf_free(&xml);
}

static void
nesting_without_end_is_refused(void **state)
{
	struct buf xml = { 0 };
	struct err err;
	int i;

	(void)state;
	for (i = 0; i < 100000; i++)
		buf_puts(&xml, "<config>");
	assert_null(config_parse(xml.data, xml.len, "proxy.xml", &err));
	assert_non_null(strstr(err.text, "proxy.xml:1: "));
	assert_null(strchr(err.text, '\n'));
	buf_free(&xml);
}

static char *
slurp(const char *path)
{
	struct buf text = { 0 };
	struct err err = { 0 };

	if (config_file_read(&text, path, CONFIG_BYTES_MAX, NULL, &err) < 0)
		print_error("%s: %s\n", path, err.text);
	return buf_take(&text);
}

static void
the_example_is_valid(void **state)
{
	struct err err = { 0 };
	struct config *config = config_load("proxy.xml.example", NULL, &err);

	(void)state;
	assert_string_equal(err.text, "");
	assert_non_null(config);
	assert_string_equal(config->node, "proxy.example.org");
	assert_int_equal(config->limits.stanza_bytes, 262144);
	config_free(&config);
}

static void
every_limit_is_in_the_schema(void **state)
{
	const char *schema = config_xml_schema(), *found;
	const struct limit_info *limit;
	struct buf squeezed = { 0 };
	char *row;

	(void)state;
	for (; *schema != '\0'; schema++)
		if (strchr("\t\n", *schema) == NULL)
			buf_putc(&squeezed, *schema);
	for (limit = limit_table; limit->name != NULL; limit++) {
		row = mem_printf("<attribute name=\"%s\">"
				 "<data type=\"unsignedLong\">"
				 "<param name=\"minInclusive\">%llu</param>"
				 "<param name=\"maxInclusive\">%llu</param>",
		    limit->name, (unsigned long long)limit->least,
		    (unsigned long long)limit->most);
		found = strstr(squeezed.data, row);
		if (found == NULL)
			print_error("not in conf/proxy.rng: %s\n", row);
		assert_non_null(found);
		mem_free_string(&row);
	}
	buf_free(&squeezed);
}

/* As the table of limits has it: name, default, least, most. */
static void
every_limit_is_in_the_manual(void **state)
{
	char *manual = slurp("docs/proxy.xml.5"), *row, *found;
	const struct limit_info *limit;

	(void)state;
	for (limit = limit_table; limit->name != NULL; limit++) {
		row = mem_printf("\n.It Cm %s\n(%llu; %llu to %llu)\n",
		    limit->name, (unsigned long long)limit->value,
		    (unsigned long long)limit->least,
		    (unsigned long long)limit->most);
		if ((found = strstr(manual, row)) == NULL)
			print_error("not in docs/proxy.xml.5:%s", row);
		assert_non_null(found);
		mem_free_string(&row);
	}
	mem_free_string(&manual);
}

static void
assert_in_manual(const char *manual, const char *text)
{
	if (strstr(manual, text) == NULL)
		print_error("not in docs/proxy.xml.5: %s\n", text);
	assert_non_null(strstr(manual, text));
}

/* Each element has a section, each attribute an item. */
static void
every_name_of_the_schema_is_in_the_manual(void **state)
{
	char *manual = slurp("docs/proxy.xml.5"), *name, *text;
	const char *p = config_xml_schema();
	const struct limit_info *limit;
	unsigned count = 0;
	bool is_element;

	(void)state;
	for (; (p = strchr(p, '<')) != NULL; p++) {
		is_element = strncmp(p, "<element name=", 14) == 0;
		if (!is_element && strncmp(p, "<attribute name=", 16) != 0)
			continue;
		p = strchr(p, '"') + 1;
		name = mem_strndup(p, strcspn(p, "\""));
		for (limit = limit_table; limit->name != NULL; limit++)
			if (strcmp(limit->name, name) == 0)
				break;
		text = mem_printf(is_element ? "\n.Ss <%s>\n" :
			limit->name != NULL  ? "\n.It Cm %s\n" :
					       "\n.It Cm %s Ns = Ns Ar ",
		    name);
		if (strcmp(name, "config") != 0)
			assert_in_manual(manual, text);
		mem_free_string(&name);
		mem_free_string(&text);
		count++;
	}
	assert_true(count > 50);
	mem_free_string(&manual);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_fault_is_told_with_its_line_and_what_was_expected),
		cmocka_unit_test(the_form_of_2012_is_valid),
		cmocka_unit_test(what_is_not_said_has_a_default),
		cmocka_unit_test(listen_elements_replace_the_defaults),
		cmocka_unit_test(everything_that_is_said_arrives),
		cmocka_unit_test(a_user_may_have_a_stored_credential),
		cmocka_unit_test(the_store_can_be_memory),
		cmocka_unit_test(the_store_may_wait_for_the_disk),
		cmocka_unit_test(relative_paths_are_made_absolute),
		cmocka_unit_test(
		    a_file_that_everybody_can_read_draws_a_warning),
		cmocka_unit_test(a_file_that_is_not_there_is_named),
		cmocka_unit_test(a_file_is_not_larger_than_its_limit),
		cmocka_unit_test(nesting_without_end_is_refused),
		cmocka_unit_test(the_example_is_valid),
		cmocka_unit_test(every_limit_is_in_the_schema),
		cmocka_unit_test(every_limit_is_in_the_manual),
		cmocka_unit_test(every_name_of_the_schema_is_in_the_manual),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}

#include <arpa/inet.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/config_file.h"
#include "core/config_read.h"
#include "core/trusts.h"
#include "io/listen.h"
#include "io/tls.h"
#include "xmpp/jid.h"

#define BOT_NAME "root"
enum { PASSWORD_MAX = 4096 };

/* -1 and err for what can never be part of a password (RFC 4013, 2.3). */
static int
check_password(const char *password, struct err *err)
{
	const char *p;

	if (*password == '\0')
		return err_set(err, "empty");
	if (!text_is_utf8(password, strlen(password)))
		return err_set(err, "not UTF-8");
	for (p = password; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return err_set(err, "a control character in it");
	return 0;
}

/* The first line of passwd-file, without its end. */
static int
read_password_file(const struct config_reading *r,
    const struct config_elem *elem, char **password, struct err *err)
{
	char *path = config_read_path(r, elem, "passwd-file");
	struct buf text = { 0 };
	int rc;

	rc = config_file_read(&text, path, PASSWORD_MAX, r->warn, err);
	if (rc == 0) {
		buf_add(&text, "\n", 1);
		*password = mem_strndup(text.data, strcspn(text.data, "\r\n"));
		rc = check_password(*password, err);
	}
	mem_wipe(text.data, text.len);
	buf_free(&text);
	mem_free_string(&path);
	return rc;
}

/* The attribute that the password stands in. */
static const char *
password_attr(const struct config_elem *elem)
{
	return config_elem_attr(elem, "passwd") != NULL ? "passwd" :
							  "passwd-file";
}

static int
bad_password(const struct config_reading *r, const struct config_elem *elem,
    const char *why, const char *expected)
{
	return config_xml_fault(r->xml, elem, password_attr(elem), r->err,
	    "%s of <%s>: %s; expected %s", password_attr(elem), elem->name, why,
	    expected);
}

static int
read_password(const struct config_reading *r, const struct config_elem *elem,
    char **password)
{
	const char *plain = config_elem_attr(elem, "passwd");
	struct err why;

	if (plain == NULL) {
		if (read_password_file(r, elem, password, &why) < 0)
			return bad_password(r, elem, why.text,
			    "a file with a password as its first line");
		return 0;
	}
	*password = mem_strdup(plain);
	if (check_password(plain, &why) < 0)
		return bad_password(r, elem, why.text, "a password");
	return 0;
}

static int
read_resource(struct config_reading *r, const struct config_elem *elem,
    char **resource)
{
	const char *raw = config_elem_attr(elem, "resource"), *prepared;
	struct err why = { 0 };

	if (raw == NULL)
		return 0;
	if ((prepared = jid_prep_resource(r->arena, raw, &why)) == NULL)
		return config_bad_value(r, elem, "resource", why.text,
		    "a resource such as xmpproxy");
	*resource = mem_strdup(prepared);
	return 0;
}

static int
read_jid(struct config_reading *r, const struct config_elem *elem,
    struct account_config *account)
{
	const char *raw = config_elem_attr(elem, "jid"), *jid, *why;
	struct err err = { 0 };
	size_t len;

	jid = jid_prep(r->arena, raw, &err);
	if (jid == NULL)
		why = err.text;
	else if (!jid_is_bare(jid))
		why = "it has a resource, which has an attribute of its own";
	else if (jid_is_domain(jid))
		why = "it names no user";
	else if (strcmp(jid_domain(jid, &len), r->config->node) == 0)
		return config_bad_value(r, elem, "jid",
		    "its domain is the node's own name",
		    "a name for <node> that no account's server has");
	else {
		account->jid = mem_strdup(jid);
		return config_only_once(r, elem, "jid", "account", jid);
	}
	return config_bad_value(r, elem, "jid", why,
	    "a JID such as alice@example.org");
}

static bool
is_host(struct arena *arena, const char *host)
{
	struct in6_addr six;

	return inet_pton(AF_INET6, host, &six) == 1 ||
	    jid_prep_domain(arena, host, NULL) != NULL;
}

static int
read_host(struct config_reading *r, const struct config_elem *elem,
    struct account_config *account)
{
	const char *host = config_elem_attr(elem, "host");

	account->tls = config_read_tls(elem, CONFIG_TLS_ANY);
	account->port = config_read_port(elem, 0);
	account->host = mem_strdup(host);
	if (host != NULL && !is_host(r->arena, host))
		return config_bad_value(r, elem, "host", "",
		    "a host name or an IP address");
	if (host == NULL && account->port != 0)
		return config_bad_value(r, elem, "port",
		    "no host to which it belongs",
		    "host=\"...\" beside it, or neither");
	if (account->tls == CONFIG_NO_TLS &&
	    (host == NULL || !listen_is_loopback(host)))
		return config_bad_value(r, elem, "tls",
		    "the password would cross the network in the clear",
		    "starttls or direct, or a loopback host: localhost, "
		    "127.0.0.1 or ::1");
	return 0;
}

static int
read_ca(struct config_reading *r, const struct config_elem *elem,
    struct account_config *account)
{
	struct tls_trust *trust;
	struct err why = { 0 };
	int rc;

	if ((account->ca = config_read_path(r, elem, "ca")) == NULL)
		return 0;
	rc = config_file_try(account->ca, &why);
	if (rc == 0) {
		trust = trusts_get(r->trusts, account->ca, &why);
		rc = trust == NULL ? -1 : 0;
		tls_trust_unref(&trust);
	}
	if (rc == 0)
		return 0;
	return config_bad_value(r, elem, "ca", why.text,
	    "a PEM file with certificates that can be read");
}

static int
read_account(struct config_reading *r, const struct config_elem *elem,
    struct user_config *user)
{
	struct account_config *account = mem_alloc(sizeof(*account));

	account->user = user;
	STAILQ_INSERT_TAIL(&user->accounts, account, next);
	if (read_jid(r, elem, account) < 0)
		return -1;
	if (read_password(r, elem, &account->password) < 0)
		return -1;
	if (scram_is_credential(account->password))
		return bad_password(r, elem,
		    "a stored credential, with which "
		    "nobody can log in elsewhere",
		    "the account's password itself");
	if (read_resource(r, elem, &account->resource) < 0)
		return -1;
	if (read_host(r, elem, account) < 0)
		return -1;
	return read_ca(r, elem, account);
}

/* default="yes" of one account at most; without it the first is the one. */
static int
choose_default(struct config_reading *r, const struct config_elem *elem,
    struct user_config *user)
{
	struct account_config *account = STAILQ_FIRST(&user->accounts);
	const struct config_elem *child, *found = NULL;

	for (child = elem->first; child != NULL; child = child->next) {
		if (text_equals(config_elem_attr(child, "default"), "yes")) {
			if (found != NULL)
				return config_xml_fault(r->xml, child,
				    "default", r->err,
				    "a second default "
				    "account of user %s; expected only that "
				    "of line %u",
				    user->name,
				    config_xml_line(r->xml, found, "default"));
			found = child;
			account->is_default = true;
		}
		account = STAILQ_NEXT(account, next);
	}
	if (found == NULL)
		STAILQ_FIRST(&user->accounts)->is_default = true;
	return 0;
}

static int
read_name(struct config_reading *r, const struct config_elem *elem,
    struct user_config *user)
{
	struct err why = { 0 };
	const char *name;

	name = jid_prep_local(r->arena, config_elem_attr(elem, "name"), &why);
	if (name == NULL)
		return config_bad_value(r, elem, "name", why.text,
		    "a name such as alice, without a domain");
	if (strcmp(name, BOT_NAME) == 0)
		return config_bad_value(r, elem, "name",
		    "this name is the administration bot's", "any other name");
	user->name = mem_strdup(name);
	return config_only_once(r, elem, "name", "user", name);
}

static int
read_user_password(struct config_reading *r, const struct config_elem *elem,
    struct user_config *user)
{
	struct err why = { 0 };

	if (read_password(r, elem, &user->password) < 0)
		return -1;
	if (!scram_is_credential(user->password))
		return 0;
	if (scram_parse(&user->credential, user->password, &why) < 0)
		return bad_password(r, elem, why.text,
		    "a credential as xmpproxy --hash-password prints it");
	mem_free_secret(&user->password);
	return 0;
}

int
config_read_user(struct config_reading *r, const struct config_elem *elem)
{
	struct user_config *user = mem_alloc(sizeof(*user));
	const struct config_elem *child;

	STAILQ_INIT(&user->accounts);
	STAILQ_INSERT_TAIL(&r->config->users, user, next);
	user->admin = text_equals(config_elem_attr(elem, "admin"), "yes");
	user->mirror = text_equals(config_elem_attr(elem, "mirror"), "off") ?
	    MIRROR_OFF :
	    MIRROR_NOTE;
	user->detached = text_equals(config_elem_attr(elem, "detached"),
			     "disconnect") ?
	    DETACHED_DISCONNECT :
	    DETACHED_XA;
	if (read_name(r, elem, user) < 0)
		return -1;
	if (read_user_password(r, elem, user) < 0)
		return -1;
	if (read_resource(r, elem, &user->resource) < 0)
		return -1;
	for (child = elem->first; child != NULL; child = child->next)
		if (read_account(r, child, user) < 0)
			return -1;
	return choose_default(r, elem, user);
}

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/table.h"
#include "tls_impl.h"

#define SELF_SIGNED_DAYS   3650
#define SELF_SIGNED_SERIAL 16 /* bytes */
#define COMMON_NAME_MAX    64 /* ub-common-name, RFC 5280 */

/* A stream has an end of its own: a missing close_notify hides nothing. */
#define CONTEXT_OPTIONS \
	(SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET | \
	    SSL_OP_IGNORE_UNEXPECTED_EOF)
#define CONTEXT_MODE \
	(SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | \
	    SSL_MODE_RELEASE_BUFFERS)
#define NAME_FLAGS \
	(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | \
	    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS)

struct cert {
	char *domain; /* lower case */
	SSL_CTX *context;
	UT_hash_handle hh;
};

struct tls_certs {
	unsigned refs;
	SSL_CTX *base;
	SSL_CTX *fallback; /* the default, or the first; counted */
	struct cert *by_domain;
};

bool
tls_is_address(const char *name)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, name, address) == 1 ||
	    inet_pton(AF_INET6, name, address) == 1;
}

int
tls_error(struct err *err, const char *what)
{
	unsigned long code = ERR_get_error();
	const char *reason;

	if (ERR_SYSTEM_ERROR(code))
		reason = strerror(ERR_GET_REASON(code));
	else
		reason = ERR_reason_error_string(code);
	ERR_clear_error();
	return err_set(err, "%s: %s", what, reason ? reason : "unknown error");
}

/* Without it OpenSSL would ask at the terminal. */
static int
no_passphrase(char *out, int size, int writing, void *arg)
{
	(void)out;
	(void)size;
	(void)writing;
	(void)arg;
	return 0;
}

SSL_CTX *
tls_context(const SSL_METHOD *method, struct err *err)
{
	SSL_CTX *context = SSL_CTX_new(method);

	if (context == NULL) {
		tls_error(err, "OpenSSL");
		return NULL;
	}
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_security_level(context, 2);
	SSL_CTX_set_options(context, CONTEXT_OPTIONS);
	SSL_CTX_set_num_tickets(context, 0);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(context, CONTEXT_MODE);
	/* One read for the header and the record, not two. */
	SSL_CTX_set_read_ahead(context, 1);
	SSL_CTX_set_default_passwd_cb(context, no_passphrase);
	return context;
}

static SSL_CTX *
server_context(struct err *err)
{
	SSL_CTX *context = tls_context(TLS_server_method(), err);

	if (context == NULL)
		return NULL;
	SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_tlsext_servername_callback(context, tls_on_name);
	SSL_CTX_set_alpn_select_cb(context, tls_on_alpn, NULL);
	return context;
}

struct tls_certs *
tls_certs_new(struct err *err)
{
	SSL_CTX *base = server_context(err);
	struct tls_certs *certs;

	if (base == NULL)
		return NULL;
	certs = mem_alloc(sizeof(*certs));
	certs->refs = 1;
	certs->base = base;
	return certs;
}

struct tls_certs *
tls_certs_ref(struct tls_certs *certs)
{
	certs->refs++;
	return certs;
}

void
tls_certs_unref(struct tls_certs **holder)
{
	struct tls_certs *certs = *holder;
	struct cert *cert, *next;

	*holder = NULL;
	if (certs == NULL || --certs->refs > 0)
		return;
	HASH_ITER(hh, certs->by_domain, cert, next) {
		HASH_DEL(certs->by_domain, cert);
		SSL_CTX_free(cert->context);
		free(cert->domain);
		free(cert);
	}
	SSL_CTX_free(certs->fallback);
	SSL_CTX_free(certs->base);
	free(certs);
}

static char *
lower(const char *domain)
{
	char *copy = mem_strdup(domain);

	for (char *p = copy; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return copy;
}

static struct cert *
find_cert(struct tls_certs *certs, const char *domain)
{
	char *key = lower(domain);
	struct cert *cert;

	HASH_FIND_STR(certs->by_domain, key, cert);
	free(key);
	return cert;
}

static void
add_cert(struct tls_certs *certs, const char *domain, SSL_CTX *context)
{
	struct cert *cert = find_cert(certs, domain);

	if (cert == NULL) {
		cert = mem_alloc(sizeof(*cert));
		cert->domain = lower(domain);
		HASH_ADD_KEYPTR(hh, certs->by_domain, cert->domain,
		    strlen(cert->domain), cert);
	}
	SSL_CTX_up_ref(context);
	SSL_CTX_free(cert->context);
	cert->context = context;
}

static void
set_fallback(struct tls_certs *certs, SSL_CTX *context, bool is_default)
{
	if (certs->fallback != NULL && !is_default)
		return;
	SSL_CTX_up_ref(context);
	SSL_CTX_free(certs->fallback);
	certs->fallback = context;
}

static int
load(SSL_CTX *context, const char *chain, const char *key, struct err *err)
{
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(context, chain) != 1)
		return tls_error(err, chain);
	if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
		return tls_error(err, key);
	return 0;
}

int
tls_certs_add(struct tls_certs *certs, const char *domain, const char *chain,
    const char *key, struct err *err)
{
	SSL_CTX *context = server_context(err);
	int rc = -1;

	if (context == NULL || load(context, chain, key, err) < 0)
		goto out;
	if (domain != NULL)
		add_cert(certs, domain, context);
	set_fallback(certs, context, domain == NULL);
	rc = 0;
out:
	SSL_CTX_free(context);
	return rc;
}

SSL_CTX *
certs_base(struct tls_certs *certs)
{
	return certs->base;
}

SSL_CTX *
certs_find(struct tls_certs *certs, const char *name, const char *hint)
{
	struct cert *cert = NULL;

	if (name != NULL)
		cert = find_cert(certs, name);
	if (cert == NULL && hint != NULL)
		cert = find_cert(certs, hint);
	return cert != NULL ? cert->context : certs->fallback;
}

bool
certs_cover(X509 *x509, const char *domain)
{
	if (tls_is_address(domain))
		return X509_check_ip_asc(x509, domain, 0) == 1;
	return X509_check_host(x509, domain, 0, NAME_FLAGS, NULL) == 1;
}

static bool
is_current(X509 *x509, const char *const *domains, size_t count)
{
	time_t now = (time_t)(clock_wall() / 1000);

	if (X509_cmp_time(X509_get0_notAfter(x509), &now) <= 0)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!certs_cover(x509, domains[i]))
			return false;
	return true;
}

static bool
is_made(const char *chain, const char *key, const char *const *domains,
    size_t count)
{
	SSL_CTX *context = tls_context(TLS_server_method(), NULL);
	bool made;

	made = context != NULL && load(context, chain, key, NULL) == 0 &&
	    is_current(SSL_CTX_get0_certificate(context), domains, count);
	SSL_CTX_free(context);
	return made;
}

static void
add_name(GENERAL_NAMES *names, int type, void *value)
{
	GENERAL_NAME *name = GENERAL_NAME_new();

	GENERAL_NAME_set0_value(name, type, value);
	sk_GENERAL_NAME_push(names, name);
}

static void
add_dns_name(GENERAL_NAMES *names, const char *domain)
{
	ASN1_IA5STRING *value = ASN1_IA5STRING_new();

	ASN1_STRING_set(value, domain, -1);
	add_name(names, GEN_DNS, value);
}

static void
add_xmpp_address(GENERAL_NAMES *names, const char *domain)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_UTF8STRING *value = ASN1_UTF8STRING_new();
	ASN1_TYPE *any = ASN1_TYPE_new();

	ASN1_STRING_set(value, domain, -1);
	ASN1_TYPE_set(any, V_ASN1_UTF8STRING, value);
	GENERAL_NAME_set0_othername(name, OBJ_nid2obj(NID_XmppAddr), any);
	sk_GENERAL_NAME_push(names, name);
}

static void
add_alt_names(X509 *x509, const char *const *domains, size_t count)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();

	for (size_t i = 0; i < count; i++) {
		if (tls_is_address(domains[i]))
			add_name(names, GEN_IPADD, a2i_IPADDRESS(domains[i]));
		else
			add_dns_name(names, domains[i]);
		add_xmpp_address(names, domains[i]);
	}
	X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0,
	    X509V3_ADD_DEFAULT);
	GENERAL_NAMES_free(names);
}

static void
add_extension(X509 *x509, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	X509_add_ext(x509, extension, -1);
	X509_EXTENSION_free(extension);
}

static void
set_serial(X509 *x509)
{
	unsigned char bytes[SELF_SIGNED_SERIAL];
	BIGNUM *number;

	random_bytes(bytes, sizeof(bytes));
	bytes[0] = (bytes[0] & 0x7f) | 0x40; /* positive, never short */
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509));
	BN_free(number);
}

static void
set_subject(X509 *x509, const char *domain)
{
	X509_NAME *name = X509_get_subject_name(x509);

	if (strlen(domain) > COMMON_NAME_MAX)
		domain = "xmpproxy";
	X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
	    (const unsigned char *)domain, -1, -1, 0);
	X509_set_issuer_name(x509, name);
}

static X509 *
make_certificate(EVP_PKEY *key, const char *const *domains, size_t count)
{
	time_t now = (time_t)(clock_wall() / 1000);
	X509 *x509 = X509_new();

	X509_set_version(x509, X509_VERSION_3);
	set_serial(x509);
	set_subject(x509, domains[0]);
	/* From yesterday on: the clients' clocks are not ours. */
	X509_time_adj_ex(X509_getm_notBefore(x509), -1, 0, &now);
	X509_time_adj_ex(X509_getm_notAfter(x509), SELF_SIGNED_DAYS, 0, &now);
	X509_set_pubkey(x509, key);
	add_extension(x509, NID_basic_constraints, "critical,CA:FALSE");
	add_extension(x509, NID_key_usage, "critical,digitalSignature");
	add_extension(x509, NID_ext_key_usage, "serverAuth");
	add_alt_names(x509, domains, count);
	if (X509_sign(x509, key, EVP_sha256()) > 0)
		return x509;
	X509_free(x509);
	return NULL;
}

static int
sync_folder(const char *path, struct err *err)
{
	char *copy = mem_strdup(path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd >= 0 ? fsync(fd) : -1;

	if (rc < 0)
		err_errno(err, copy);
	if (fd >= 0)
		close(fd);
	free(copy);
	return rc;
}

/* The whole file or none of it: new file, fsync, rename. */
static int
write_file(const char *path, const char *bytes, size_t len, mode_t mode,
    struct err *err)
{
	char *temp = mem_printf("%s.XXXXXX", path);
	int fd = mkstemp(temp), rc = -1;

	if (fd < 0) {
		err_errno(err, temp);
		goto out;
	}
	if (fchmod(fd, mode) == 0 && write(fd, bytes, len) == (ssize_t)len &&
	    fsync(fd) == 0 && rename(temp, path) == 0)
		rc = 0;
	else {
		err_errno(err, path);
		unlink(temp);
	}
	close(fd);
	if (rc == 0)
		rc = sync_folder(path, err);
out:
	free(temp);
	return rc;
}

static int
write_pem(const char *path, BIO *pem, mode_t mode, struct err *err)
{
	char *bytes;
	long len = BIO_get_mem_data(pem, &bytes);

	return write_file(path, bytes, (size_t)len, mode, err);
}

/* The key first: a cut in between leaves a pair that does not match. */
static int
write_pair(const char *chain, const char *key, X509 *x509, EVP_PKEY *pkey,
    struct err *err)
{
	BIO *pem = BIO_new(BIO_s_secmem());
	int rc = -1;

	if (PEM_write_bio_PKCS8PrivateKey(pem, pkey, NULL, NULL, 0, NULL,
		NULL) != 1) {
		tls_error(err, key);
		goto out;
	}
	if (write_pem(key, pem, 0600, err) < 0)
		goto out;
	(void)BIO_reset(pem);
	if (PEM_write_bio_X509(pem, x509) != 1) {
		tls_error(err, chain);
		goto out;
	}
	rc = write_pem(chain, pem, 0644, err);
out:
	BIO_free(pem);
	return rc;
}

int
tls_make_self_signed(const char *chain, const char *key,
    const char *const *domains, size_t count, struct err *err)
{
	EVP_PKEY *pkey = NULL;
	X509 *x509 = NULL;
	int rc = -1;

	if (is_made(chain, key, domains, count))
		return 0;
	ERR_clear_error();
	if ((pkey = EVP_EC_gen("P-256")) == NULL ||
	    (x509 = make_certificate(pkey, domains, count)) == NULL) {
		tls_error(err, "self-signed certificate");
		goto out;
	}
	rc = write_pair(chain, key, x509, pkey, err);
out:
	X509_free(x509);
	EVP_PKEY_free(pkey);
	return rc;
}

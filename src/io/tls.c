#include "io/tls.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "io/transport.h"
#include "tls_impl.h"

#define ALPN_XMPP      "\x0bxmpp-client"
#define SRV_PREFIX     "_xmpp-client."
#define EXPORTER_LABEL "EXPORTER-Channel-Binding"
#define EXPORTER_SIZE  32
#define UNIQUE_MAX     64
#define NAMES_TOLD     8 /* of a certificate that is somebody else's */

struct tls_trust {
	unsigned refs;
	SSL_CTX *context;
};

struct tls {
	SSL *ssl;
	int fd;
	bool drained; /* the last recv() took all */
	bool at_end;  /* recv() said so */
	bool is_server, is_up;
	int error;               /* errno of the last recv() or send() */
	struct tls_certs *certs; /* the server's, with the hint as name */
	char *name;              /* the domain for a client */
	char *fault;             /* what is wrong with the certificate */
};

/*
 * The socket under OpenSSL. Its own one would write without MSG_NOSIGNAL and
 * not tell whether a read emptied the socket.
 */
static int
socket_read(BIO *bio, char *bytes, int size)
{
	struct tls *tls = BIO_get_data(bio);
	ssize_t n = recv(tls->fd, bytes, (size_t)size, 0);

	BIO_clear_retry_flags(bio);
	tls->drained = n > 0 && n < size;
	tls->at_end = n == 0;
	if (n >= 0)
		return (int)n;
	tls->error = errno;
	if (errno == EAGAIN || errno == EINTR)
		BIO_set_retry_read(bio);
	return -1;
}

static int
socket_write(BIO *bio, const char *bytes, int len)
{
	struct tls *tls = BIO_get_data(bio);
	ssize_t n = send(tls->fd, bytes, (size_t)len, MSG_NOSIGNAL);

	BIO_clear_retry_flags(bio);
	if (n >= 0)
		return (int)n;
	tls->error = errno;
	if (errno == EAGAIN || errno == EINTR)
		BIO_set_retry_write(bio);
	return -1;
}

static long
socket_control(BIO *bio, int command, long number, void *pointer)
{
	const struct tls *tls = BIO_get_data(bio);

	(void)number;
	(void)pointer;
	if (command == BIO_CTRL_EOF)
		return tls->at_end;
	return command == BIO_CTRL_FLUSH;
}

/* One for the process; OpenSSL has no table that could be static. */
static BIO_METHOD *
socket_method(void)
{
	static BIO_METHOD *method;

	if (method != NULL)
		return method;
	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK,
	    "xmpproxy socket");
	BIO_meth_set_read(method, socket_read);
	BIO_meth_set_write(method, socket_write);
	BIO_meth_set_ctrl(method, socket_control);
	return method;
}

static struct tls *
tls_new(SSL_CTX *context, int fd, const char *name)
{
	struct tls *tls = mem_alloc(sizeof(*tls));
	BIO *bio = BIO_new(socket_method());

	tls->ssl = SSL_new(context);
	if (bio == NULL || tls->ssl == NULL)
		abort(); /* out of memory, as in base/mem.h */
	tls->fd = fd;
	tls->name = mem_strdup(name);
	BIO_set_data(bio, tls);
	BIO_set_init(bio, 1);
	SSL_set_bio(tls->ssl, bio, bio);
	SSL_set_app_data(tls->ssl, tls);
	return tls;
}

struct tls *
tls_accept(struct tls_certs *certs, int fd, const char *hint)
{
	struct tls *tls = tls_new(certs_base(certs), fd, hint);

	tls->is_server = true;
	tls->certs = tls_certs_ref(certs);
	SSL_set_accept_state(tls->ssl);
	return tls;
}

struct tls *
tls_connect(struct tls_trust *trust, int fd, const char *domain, bool direct)
{
	struct tls *tls = tls_new(trust->context, fd, domain);

	if (!tls_is_address(domain))
		SSL_set_tlsext_host_name(tls->ssl, domain);
	if (direct)
		SSL_set_alpn_protos(tls->ssl, (const unsigned char *)ALPN_XMPP,
		    sizeof(ALPN_XMPP) - 1);
	SSL_set_connect_state(tls->ssl);
	return tls;
}

void
tls_free(struct tls **holder)
{
	struct tls *tls = *holder;

	if (tls == NULL)
		return;
	SSL_free(tls->ssl);
	tls_certs_unref(&tls->certs);
	free(tls->name);
	free(tls->fault);
	free(tls);
	*holder = NULL;
}

/* Called for every hello, with a name in it or without. */
int
tls_on_name(SSL *ssl, int *alert, void *arg)
{
	struct tls *tls = SSL_get_app_data(ssl);
	SSL_CTX *context;

	(void)alert;
	(void)arg;
	context = certs_find(tls->certs,
	    SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name), tls->name);
	if (context != NULL)
		SSL_set_SSL_CTX(ssl, context);
	return SSL_TLSEXT_ERR_OK;
}

/* RFC 7301 3.2: an alert for who speaks other protocols only. */
int
tls_on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
    const unsigned char *in, unsigned in_len, void *arg)
{
	unsigned char *chosen;
	int rc;

	(void)ssl;
	(void)arg;
	rc = SSL_select_next_proto(&chosen, out_len,
	    (const unsigned char *)ALPN_XMPP, sizeof(ALPN_XMPP) - 1, in,
	    in_len);
	if (rc != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static bool
string_is(const ASN1_STRING *string, const char *text)
{
	size_t len = strlen(text);

	return (size_t)ASN1_STRING_length(string) == len &&
	    strncasecmp((const char *)ASN1_STRING_get0_data(string), text,
		len) == 0;
}

/* id-on-xmppAddr and id-on-dnsSRV, RFC 6120 13.7.1.2. */
static bool
other_name_is(const GENERAL_NAME *name, const char *domain)
{
	ASN1_OBJECT *kind;
	ASN1_TYPE *value;
	char *service;
	bool is;

	if (!GENERAL_NAME_get0_otherName(name, &kind, &value))
		return false;
	if (OBJ_obj2nid(kind) == NID_XmppAddr)
		return value->type == V_ASN1_UTF8STRING &&
		    string_is(value->value.utf8string, domain);
	if (OBJ_obj2nid(kind) != NID_SRVName || value->type != V_ASN1_IA5STRING)
		return false;
	service = mem_printf(SRV_PREFIX "%s", domain);
	is = string_is(value->value.ia5string, service);
	free(service);
	return is;
}

static bool
is_for(X509 *x509, const char *domain)
{
	GENERAL_NAMES *names;
	bool found = certs_cover(x509, domain);

	names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++)
		found = other_name_is(sk_GENERAL_NAME_value(names, i), domain);
	GENERAL_NAMES_free(names);
	return found;
}

static void
tell_subject(struct buf *out, X509_NAME *name)
{
	BIO *text = BIO_new(BIO_s_mem());
	char *bytes;
	long len;

	X509_NAME_print_ex(text, name, 0,
	    XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
	len = BIO_get_mem_data(text, &bytes);
	buf_add(out, bytes, len > 0 ? (size_t)len : 0);
	BIO_free(text);
}

static void
tell_dns_names(struct buf *out, X509 *x509)
{
	GENERAL_NAMES *names;
	const GENERAL_NAME *name;
	int told = 0;

	names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		name = sk_GENERAL_NAME_value(names, i);
		if (name->type != GEN_DNS)
			continue;
		if (told == NAMES_TOLD) {
			buf_puts(out, ", ...");
			break;
		}
		buf_printf(out, "%s%.*s", told++ > 0 ? ", " : "",
		    ASN1_STRING_length(name->d.dNSName),
		    (const char *)ASN1_STRING_get0_data(name->d.dNSName));
	}
	if (told == 0)
		tell_subject(out, X509_get_subject_name(x509));
	GENERAL_NAMES_free(names);
}

static void
tell_time(struct buf *out, const ASN1_TIME *when)
{
	struct tm tm = { 0 };

	ASN1_TIME_to_tm(when, &tm);
	buf_printf(out, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1,
	    tm.tm_mday);
}

/* "the certificate of ..." at which the chain broke. */
static void
tell_whose(struct buf *out, X509_STORE_CTX *store)
{
	X509 *x509 = X509_STORE_CTX_get_current_cert(store);

	if (X509_STORE_CTX_get_error_depth(store) == 0 || x509 == NULL) {
		buf_puts(out, "the certificate");
		return;
	}
	buf_puts(out, "the issuer's certificate (");
	tell_subject(out, X509_get_subject_name(x509));
	buf_putc(out, ')');
}

static void
tell_broken_chain(struct buf *out, X509_STORE_CTX *store)
{
	X509 *x509 = X509_STORE_CTX_get_current_cert(store);
	int error = X509_STORE_CTX_get_error(store);

	tell_whose(out, store);
	switch (error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		buf_puts(out, " expired on ");
		tell_time(out, X509_get0_notAfter(x509));
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		buf_puts(out, " is not valid before ");
		tell_time(out, X509_get0_notBefore(x509));
		break;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		buf_puts(out, " is self-signed");
		break;
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		buf_puts(out, " is a root that is not trusted");
		break;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		buf_puts(out, " has an unknown issuer: ");
		tell_subject(out, X509_get_issuer_name(x509));
		break;
	default:
		buf_printf(out, " is not accepted: %s",
		    X509_verify_cert_error_string(error));
	}
}

static int
verify(X509_STORE_CTX *store, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store,
	    SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *tls = SSL_get_app_data(ssl);
	X509 *leaf = X509_STORE_CTX_get0_cert(store);
	struct buf text = { 0 };

	(void)arg;
	if (X509_verify_cert(store) != 1)
		tell_broken_chain(&text, store);
	else if (!is_for(leaf, tls->name)) {
		X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
		buf_printf(&text, "the certificate is not for %s but for ",
		    tls->name);
		tell_dns_names(&text, leaf);
	} else
		return 1;
	tls->fault = buf_take(&text);
	return 0;
}

static int
load_roots(SSL_CTX *context, const char *ca, struct err *err)
{
	ERR_clear_error();
	if (ca == NULL) {
		if (SSL_CTX_set_default_verify_paths(context) == 1)
			return 0;
		return tls_error(err, "the system's certificates");
	}
	if (SSL_CTX_load_verify_file(context, ca) != 1)
		return tls_error(err, ca);
	/* Whatever is in the file is trusted, a root or not. */
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context),
	    X509_V_FLAG_PARTIAL_CHAIN);
	return 0;
}

struct tls_trust *
tls_trust_new(const char *ca, struct err *err)
{
	SSL_CTX *context = tls_context(TLS_client_method(), err);
	struct tls_trust *trust;

	if (context == NULL)
		return NULL;
	if (load_roots(context, ca, err) < 0) {
		SSL_CTX_free(context);
		return NULL;
	}
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(context, verify, NULL);
	trust = mem_alloc(sizeof(*trust));
	trust->refs = 1;
	trust->context = context;
	return trust;
}

struct tls_trust *
tls_trust_ref(struct tls_trust *trust)
{
	trust->refs++;
	return trust;
}

void
tls_trust_unref(struct tls_trust **holder)
{
	struct tls_trust *trust = *holder;

	*holder = NULL;
	if (trust == NULL || --trust->refs > 0)
		return;
	SSL_CTX_free(trust->context);
	free(trust);
}

/* What a call that returned `rc` means, as an IO_ value. */
static int
judge(struct tls *tls, int rc, const char *what, struct err *err)
{
	switch (SSL_get_error(tls->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return IO_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return IO_END;
	case SSL_ERROR_SYSCALL:
		if (tls->at_end)
			return IO_END;
		errno = tls->error;
		err_errno(err, what);
		return IO_ERROR;
	default:
		tls_error(err, what);
		return IO_ERROR;
	}
}

int
tls_handshake(struct tls *tls, struct err *err)
{
	int rc;

	ERR_clear_error();
	rc = SSL_do_handshake(tls->ssl);
	if (rc == 1) {
		tls->is_up = true;
		return 1;
	}
	rc = judge(tls, rc, "handshake", err);
	if (rc == IO_AGAIN)
		return 0;
	if (tls->fault != NULL)
		return err_set(err, "%s", tls->fault);
	if (rc == IO_END)
		return err_set(err, "the peer closed during the handshake");
	return -1;
}

ssize_t
tls_read(struct tls *tls, void *bytes, size_t size, bool *drained,
    struct err *err)
{
	int n;

	ERR_clear_error();
	tls->drained = *drained;
	n = SSL_read(tls->ssl, bytes, (int)size);
	*drained = tls->drained;
	return n > 0 ? n : judge(tls, n, "read", err);
}

/* An end while writing is a fault: there is nobody to write to. */
ssize_t
tls_write(struct tls *tls, const void *bytes, size_t len, struct err *err)
{
	int n;

	ERR_clear_error();
	n = SSL_write(tls->ssl, bytes, (int)len);
	if (n > 0)
		return n;
	n = judge(tls, n, "write", err);
	if (n != IO_END)
		return n;
	err_set(err, "write: the peer closed the connection");
	return IO_ERROR;
}

bool
tls_has_pending(struct tls *tls)
{
	return SSL_has_pending(tls->ssl);
}

void
tls_shut(struct tls *tls)
{
	if (!tls->is_up)
		return;
	SSL_shutdown(tls->ssl);
	ERR_clear_error();
}

bool
tls_is_v13(const struct tls *tls)
{
	return SSL_version(tls->ssl) >= TLS1_3_VERSION;
}

const char *
tls_version(const struct tls *tls)
{
	return SSL_get_version(tls->ssl);
}

/*
 * RFC 5929 3.1: the first Finished of the handshake, which is the client's, for
 * sessions are never resumed here.
 */
bool
tls_unique(struct tls *tls, struct buf *out)
{
	unsigned char finished[UNIQUE_MAX];
	size_t len;

	if (!tls->is_up || tls_is_v13(tls))
		return false;
	if (tls->is_server)
		len = SSL_get_peer_finished(tls->ssl, finished, UNIQUE_MAX);
	else
		len = SSL_get_finished(tls->ssl, finished, UNIQUE_MAX);
	buf_add(out, finished, len);
	return len > 0;
}

/* RFC 9266 2: with a context, and that empty. */
bool
tls_exporter(struct tls *tls, struct buf *out)
{
	static const unsigned char no_context[1];
	unsigned char key[EXPORTER_SIZE];
	int rc;

	if (!tls->is_up ||
	    (!tls_is_v13(tls) && SSL_get_extms_support(tls->ssl) != 1))
		return false;
	rc = SSL_export_keying_material(tls->ssl, key, sizeof(key),
	    EXPORTER_LABEL, sizeof(EXPORTER_LABEL) - 1, no_context, 0, 1);
	if (rc == 1)
		buf_add(out, key, sizeof(key));
	else
		ERR_clear_error();
	return rc == 1;
}

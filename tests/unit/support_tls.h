/*
 * What the tests of TLS share: certificates of any kind, and a peer that is
 * plain OpenSSL, so that not both ends are what is tested.
 */
#ifndef TESTS_UNIT_SUPPORT_TLS_H
#define TESTS_UNIT_SUPPORT_TLS_H

#include "support_io.h"

#include <time.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "io/tls.h"

#define DAY 86400

static char tls_folder[] = "/tmp/xmpproxy-tls-XXXXXX";

static inline int
tls_setup(void **state)
{
	(void)state;
	return mkdtemp(tls_folder) != NULL ? 0 : -1;
}

static inline int
tls_teardown(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", tls_folder);
	return system(command);
}

/* A few at a time can be used in one expression. */
static inline const char *
tls_path(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", tls_folder, name);
	return path;
}

struct tls_issue {
	const char *name; /* name.pem, name.key */
	const char *subject;
	const char *alt_names; /* as OpenSSL's configuration has it */
	const char *issuer;    /* a name; NULL: self-signed */
	bool is_ca;
	long from, to; /* seconds from now; to 0: a day */
};

static inline EVP_PKEY *
tls_load_key(const char *name)
{
	char file[64];
	EVP_PKEY *key;
	FILE *f;

	snprintf(file, sizeof(file), "%s.key", name);
	f = fopen(tls_path(file), "r");
	assert_non_null(f);
	key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	fclose(f);
	return key;
}

static inline X509 *
tls_load_cert(const char *name)
{
	char file[64];
	X509 *x509;
	FILE *f;

	snprintf(file, sizeof(file), "%s.pem", name);
	f = fopen(tls_path(file), "r");
	assert_non_null(f);
	x509 = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	assert_non_null(x509);
	return x509;
}

static inline void
tls_extend(X509 *x509, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	X509_add_ext(x509, extension, -1);
	X509_EXTENSION_free(extension);
}

static inline void
tls_save(const char *name, X509 *x509, EVP_PKEY *key)
{
	char file[64];
	FILE *f;

	snprintf(file, sizeof(file), "%s.pem", name);
	f = fopen(tls_path(file), "w");
	PEM_write_X509(f, x509);
	fclose(f);
	snprintf(file, sizeof(file), "%s.key", name);
	f = fopen(tls_path(file), "w");
	PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
}

static inline void
tls_sign(X509 *x509, EVP_PKEY *key, const char *issuer)
{
	EVP_PKEY *signer;
	X509 *above;

	if (issuer == NULL) {
		X509_set_issuer_name(x509, X509_get_subject_name(x509));
		X509_sign(x509, key, EVP_sha256());
		return;
	}
	above = tls_load_cert(issuer);
	signer = tls_load_key(issuer);
	X509_set_issuer_name(x509, X509_get_subject_name(above));
	X509_sign(x509, signer, EVP_sha256());
	X509_free(above);
	EVP_PKEY_free(signer);
}

static inline void
tls_issue(const struct tls_issue *want)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x509 = X509_new();
	X509_NAME *subject = X509_get_subject_name(x509);
	static long serial;

	X509_set_version(x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial);
	X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
	    (const unsigned char *)want->subject, -1, -1, 0);
	X509_gmtime_adj(X509_getm_notBefore(x509), want->from);
	X509_gmtime_adj(X509_getm_notAfter(x509), want->to ? want->to : DAY);
	X509_set_pubkey(x509, key);
	tls_extend(x509, NID_basic_constraints,
	    want->is_ca ? "critical,CA:TRUE" : "CA:FALSE");
	if (want->alt_names != NULL)
		tls_extend(x509, NID_subject_alt_name, want->alt_names);
	tls_sign(x509, key, want->issuer);
	tls_save(want->name, x509, key);
	X509_free(x509);
	EVP_PKEY_free(key);
}

static inline int
tls_add(struct tls_certs *certs, const char *domain, const char *name)
{
	char chain[64], key[64];
	struct err err = { "" };
	int rc;

	snprintf(chain, sizeof(chain), "%s.pem", name);
	snprintf(key, sizeof(key), "%s.key", name);
	rc = tls_certs_add(certs, domain, tls_path(chain), tls_path(key), &err);
	assert_string_equal(err.text, "");
	return rc;
}

/* A plain peer, of one version (0: any), with more options. */
static inline SSL *
tls_plain(int fd, bool is_server, int version, uint64_t options,
    const char *name)
{
	SSL_CTX *context = SSL_CTX_new(TLS_method());
	char file[64];
	SSL *ssl;

	SSL_CTX_set_options(context, options);
	if (version != 0) {
		SSL_CTX_set_min_proto_version(context, version);
		SSL_CTX_set_max_proto_version(context, version);
	}
	if (is_server) {
		snprintf(file, sizeof(file), "%s.pem", name);
		SSL_CTX_use_certificate_chain_file(context, tls_path(file));
		snprintf(file, sizeof(file), "%s.key", name);
		SSL_CTX_use_PrivateKey_file(context, tls_path(file),
		    SSL_FILETYPE_PEM);
	}
	ssl = SSL_new(context);
	SSL_CTX_free(context);
	SSL_set_fd(ssl, fd);
	if (is_server)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);
	return ssl;
}

/* Both steps by turns; what our end came to: 1 or -1. */
static inline int
tls_meet(struct tls *ours, SSL *plain, struct err *err)
{
	int rc = 0, other = 0;

	for (int i = 0; i < 20 && (rc == 0 || other != 1); i++) {
		if (other != 1)
			other = SSL_do_handshake(plain);
		if (rc == 0)
			rc = tls_handshake(ours, err);
		if (rc < 0)
			break;
	}
	return rc == 1 && other != 1 ? -1 : rc;
}

#endif

/* What tls.c and certs.c share: OpenSSL, which no other file includes. */
#ifndef IO_TLS_IMPL_H
#define IO_TLS_IMPL_H

#include <stdbool.h>

#include <openssl/ssl.h>

#include "base/err.h"
#include "io/tls.h"

/* What both roles want of a context. NULL: err says why. */
SSL_CTX *tls_context(const SSL_METHOD *, struct err *);
/* Takes OpenSSL's oldest error, empties its queue; returns -1. */
int tls_error(struct err *, const char *what);
bool tls_is_address(const char *name);

/* The context without a certificate; the callback of its SNI finds one. */
SSL_CTX *certs_base(struct tls_certs *);
/* By the name, else the hint, else the default; each may be NULL. */
SSL_CTX *certs_find(struct tls_certs *, const char *name, const char *hint);
/* Whether a certificate is for a domain by its dNSNames or addresses. */
bool certs_cover(X509 *, const char *domain);

/* tls.c's callbacks for the contexts of certs.c. */
int tls_on_name(SSL *, int *alert, void *arg);
int tls_on_alpn(SSL *, const unsigned char **out, unsigned char *out_len,
    const unsigned char *in, unsigned in_len, void *arg);

#endif

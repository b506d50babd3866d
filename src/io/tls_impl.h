/* What tls.c and tls_certs.c share; they alone include OpenSSL. */
#ifndef IO_TLS_IMPL_H
#define IO_TLS_IMPL_H

#include <stdbool.h>

#include "base/err.h"
#include "io/tls.h"

/* What OpenSSL's SSL_METHOD, SSL_CTX, SSL and X509 are. */
struct ssl_method_st;
struct ssl_ctx_st;
struct ssl_st;
struct x509_st;

/* What both roles want of a context. NULL: err says why. */
struct ssl_ctx_st *tls_context(const struct ssl_method_st *, struct err *);
/* Takes OpenSSL's oldest error, empties its queue; returns -1. */
int tls_error(struct err *, const char *what);
bool tls_is_address(const char *name);

/* The context without a certificate; the callback of its SNI finds one. */
struct ssl_ctx_st *certs_base(struct tls_certs *);
/* By the name, else the hint, else the default; each may be NULL. */
struct ssl_ctx_st *certs_find(struct tls_certs *, const char *name,
    const char *hint);
/* Whether a certificate is for a domain by its dNSNames or addresses. */
bool certs_cover(struct x509_st *, const char *domain);

/* tls.c's callbacks for the contexts of tls_certs.c. */
int tls_on_name(struct ssl_st *, int *alert, void *arg);
int tls_on_alpn(struct ssl_st *, const unsigned char **out,
    unsigned char *out_len, const unsigned char *in, unsigned in_len,
    void *arg);

#endif

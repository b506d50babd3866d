/*
 * TLS 1.2 and 1.3 (OpenSSL): certificates of the server's side, verification of
 * the client's, channel bindings.
 */
#ifndef IO_TLS_H
#define IO_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

struct tls_certs; /* the server's certificates, by domain; counted */
struct tls_trust; /* what a client role trusts; counted */
struct tls;       /* one connection's TLS */

/*
 * Certificates are chosen by SNI, then by the hint (the stream's `to`), else
 * the default one: an unknown name is never an alert. ALPN: xmpp-client where
 * the client offers ALPN, else none.
 */
struct tls_certs *tls_certs_new(struct err *);
struct tls_certs *tls_certs_ref(struct tls_certs *);
void tls_certs_unref(struct tls_certs **);
/*
 * domain NULL: the default; without one it is the first that was added. The
 * same domain again replaces. The files are PEM; -1 says which and why. Not
 * once connections use them: a reload makes new ones.
 */
int tls_certs_add(struct tls_certs *, const char *domain, const char *chain,
    const char *key, struct err *);
/*
 * Makes a self-signed certificate (P-256, ten years) for all of the domains,
 * with a dNSName and an xmppAddr each, where the file is not there yet or does
 * not cover them, and writes chain and key (mode 0600) atomically. A domain is
 * an A-label name or an address.
 */
int tls_make_self_signed(const char *chain, const char *key,
    const char *const *domains, size_t count, struct err *);

/* ca: PEM file, or NULL for the system's roots. */
struct tls_trust *tls_trust_new(const char *ca, struct err *);
struct tls_trust *tls_trust_ref(struct tls_trust *);
void tls_trust_unref(struct tls_trust **);

/* hint may be NULL. */
struct tls *tls_accept(struct tls_certs *, int fd, const char *hint);
/*
 * Verifies against `domain` (RFC 6120 13.7.2, RFC 7590), which is also the SNI:
 * a dNSName (a wildcard label too), SRVName or xmppAddr; no common name.
 * `domain` is an A-label name or an address. direct: offers ALPN xmpp-client
 * (XEP-0368).
 */
struct tls *tls_connect(struct tls_trust *, int fd, const char *domain,
    bool direct);
void tls_free(struct tls **); /* does not close fd */

/*
 * 1: done, 0: wait for the socket, -1: err says why, the certificate's fault
 * included.
 */
int tls_handshake(struct tls *, struct err *);
/*
 * As in struct transport_ops, after the handshake; `drained` as the
 * transport's.
 */
ssize_t tls_read(struct tls *, void *, size_t, bool *drained, struct err *);
ssize_t tls_write(struct tls *, const void *, size_t, struct err *);
bool tls_has_pending(struct tls *);
void tls_shut(struct tls *); /* close_notify, no FIN */
bool tls_is_v13(const struct tls *);
const char *tls_version(const struct tls *);
/*
 * Channel bindings, raw. false where there is none: tls-unique only below TLS
 * 1.3, tls-exporter (RFC 9266) on 1.2 only with the extended master secret.
 */
bool tls_unique(struct tls *, struct buf *out);
bool tls_exporter(struct tls *, struct buf *out);

#endif

/* How many connections each address has; of IPv6, each network. */
#ifndef CORE_PEERS_H
#define CORE_PEERS_H

struct peers;

#define PEERS_KEY_SIZE 64

/*
 * Whose connections count as one's: an IPv4 address, or the first 64 bits of an
 * IPv6 one (2001:db8::/64), for the others are anybody's to choose.
 */
void peers_key(const char *address, char out[PEERS_KEY_SIZE]);
struct peers *peers_new(void);
void peers_free(struct peers **);
unsigned peers_count(const struct peers *, const char *address);
void peers_add(struct peers *, const char *address);
void peers_remove(struct peers *, const char *address);

#endif

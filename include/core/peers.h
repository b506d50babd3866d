/* How many connections each address has. */
#ifndef CORE_PEERS_H
#define CORE_PEERS_H

struct peers;

struct peers *peers_new(void);
void peers_free(struct peers **);
unsigned peers_count(const struct peers *, const char *address);
void peers_add(struct peers *, const char *address);
void peers_remove(struct peers *, const char *address);

#endif

/* Listening sockets. */
#ifndef IO_LISTEN_H
#define IO_LISTEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "io/loop.h"
#include "io/transport.h"

#define LISTEN_PEER_SIZE 64

struct listener;

/*
 * address: IPv4, IPv6, "localhost" (127.0.0.1); "::" takes both, and is 0.0.0.0
 * on a machine without IPv6. port 0: any free one. accepted() gets a socket
 * transport and owns it, and may free the listener; peer is the address without
 * the port, IPv4-mapped ones as IPv4. At EMFILE and the like accepting pauses
 * for a second, and again until there is room; the log hears of it once.
 */
struct listener *listen_new(struct loop *, const char *address, uint16_t port,
    void (*accepted)(void *arg, struct transport *, const char *peer),
    void *arg, struct err *);
void listen_free(struct listener **);
uint16_t listen_port(const struct listener *);
/* Whether an address is loopback: 127.0.0.0/8, ::1, or localhost. */
bool listen_is_loopback(const char *address);

#endif

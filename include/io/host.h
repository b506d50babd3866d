/* Hosts about which DNS has nothing to say. */
#ifndef IO_HOST_H
#define IO_HOST_H

#include <stddef.h>
#include <sys/socket.h>

#define HOST_ADDRESSES 2

/*
 * The addresses of an address literal (IPv6 in brackets too), which stands for
 * itself, or of "localhost" and names below it, which are ::1 and 127.0.0.1
 * (RFC 6761 6.3). Ports are 0. Returns how many; 0: DNS has to be asked.
 */
size_t host_plain(const char *host,
    struct sockaddr_storage out[HOST_ADDRESSES]);

#endif

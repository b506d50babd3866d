/*
 * proxy.xml (design section 6): read, checked against conf/proxy.rng and by
 * meaning. config*.c alone knows libxml2. What is loaded does not change; a reload
 * makes another one.
 */
#ifndef CORE_CONFIG_H
#define CORE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/err.h"
#include "core/limits.h"
#include "core/store.h"
#include "xmpp/scram.h"

enum config_tls {
	CONFIG_TLS_ANY,
	CONFIG_STARTTLS,
	CONFIG_DIRECT,
	CONFIG_NO_TLS
};
enum mirror { MIRROR_NOTE, MIRROR_OFF };
enum detached { DETACHED_XA, DETACHED_DISCONNECT };

struct listen_config {
	STAILQ_ENTRY(listen_config) next;
	char *address;
	uint16_t port;
	enum config_tls tls; /* NO_TLS on loopback addresses only */
};

struct certificate_config {
	STAILQ_ENTRY(certificate_config) next;
	char *chain, *key; /* paths, absolute */
	char *domain;      /* prepared; NULL: the default */
};

struct account_config {
	STAILQ_ENTRY(account_config) next;
	struct user_config *user;
	char *jid; /* bare, prepared */
	char *password;
	char *resource;      /* prepared, or NULL: the server makes one */
	char *host;          /* NULL: by SRV */
	uint16_t port;       /* 0: the default */
	enum config_tls tls; /* NO_TLS with a loopback host only */
	char *ca;            /* path, or NULL: the system's roots */
	bool is_default; /* exactly one a user: default="yes", else the first */
};

struct user_config {
	STAILQ_ENTRY(user_config) next;
	char *name;     /* prepared local part */
	char *password; /* plain; NULL where a credential stands */
	struct scram_credential credential;
	char *resource; /* for clients that ask for none; may be NULL */
	bool admin;
	enum mirror mirror;
	enum detached detached;
	STAILQ_HEAD(, account_config) accounts; /* one or more */
};

struct config {
	char *path;  /* of the file, absolute */
	char *node;  /* prepared domain */
	char *store; /* path, absolute, or ":memory:" */
	enum store_sync synchronous;
	struct limits limits;
	STAILQ_HEAD(,
	    listen_config) listens; /* the defaults where none are given */
	STAILQ_HEAD(, certificate_config) certificates; /* may be empty */
	STAILQ_HEAD(, user_config) users;               /* may be empty */
};

/*
 * NULL and err ("proxy.xml:7: ...: expected ...") where it is no good. A file that
 * others can read is told to warn() (may be NULL).
 */
struct config *config_load(const char *path, void (*warn)(const char *text),
    struct err *);
/* The same from memory; relative paths are relative to the folder of `path`. */
struct config *config_parse(const char *xml, size_t len, const char *path,
    struct err *);
void config_free(struct config **); /* wipes the passwords */

#endif

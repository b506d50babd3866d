/*
 * What is known of a user's clients and kept on disk: sets of features by their hash
 * (XEP-0115 8.2), and the nodes that each device asks for. The cache is a user's own, so
 * that whoever finds a way to poison it harms nobody else (XEP-0115 9.3).
 */
#ifndef CORE_FEATURES_KEPT_H
#define CORE_FEATURES_KEPT_H

#include "base/table.h"
#include "core/features.h"

struct device;
struct session;
struct user;

/* user->known_features; the table has the one that was used last at its end. */
struct known_features {
	UT_hash_handle hh;
	struct features *features;
	char ver[]; /* of SHA-1 */
};

/* Borrows; NULL where that hash is not known. */
struct features *features_kept_find(struct user *, const char *ver);
/* Keeps a reference of its own; limit caps-hashes: the one unused longest goes. */
void features_kept_put(struct user *, const char *ver, struct features *);

/*
 * What the session can do, as it is known now, NULL: nobody knows; shares the set. Its
 * device asks for those nodes from now on.
 */
void features_kept_set(struct session *, struct features *);
/* Somebody came, went, or can do something else. */
void features_kept_changed(struct user *);

/* Keys of STATE_CAPS begin with one of these. */
#define KEY_HASH   'h' /* the hash: what it is of */
#define KEY_DEVICE 'd' /* a device's id: the events that it asks for */
/* mod/caps.c's: an account's id: what its clients could do lately; a set announced. */
#define KEY_ACCOUNT 'a'
#define KEY_SET     's'

/* Behind the devices, and before the sessions. */
void features_kept_load(struct user *);
/* A session that goes on after a restart: by the hash of its presence. */
void features_kept_restore(struct session *);
/* The device is forgotten. */
void features_kept_drop(struct user *, struct device *);
void features_kept_free(struct user *);

#endif

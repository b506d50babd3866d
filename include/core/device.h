/*
 * A client across its sessions: how far in the user's log it is, and what it does
 * (custody.md, "Devices, cursors, playback"). It is known by the view and the resource
 * that it asks for; one that asks for none is no device.
 */
#ifndef CORE_DEVICE_H
#define CORE_DEVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct features;
struct user;

struct device {
	TAILQ_ENTRY(device) next; /* user->devices, the latest seen last */
	uint64_t id;              /* of the user; never 0, never twice */
	uint64_t view;            /* the account's id; 0: node view */
	char *resource;
	uint64_t cursor; /* the next entry that it has not acknowledged */
	bool
	    has_started; /* it was given messages: the cursor means something */
	bool came_back;  /* it has had more than one session */
	bool uses_carbons, uses_archive;
	uint64_t seen;           /* wall ms: of its last session */
	struct features *notify; /* the events that it asks for; or NULL */
};
TAILQ_HEAD(devices, device);

/*
 * Finds or makes, and counts as seen. Where there are too many, those that never came
 * back go first, then those not seen for longest.
 */
struct device *device_of(struct user *, uint64_t view, const char *resource);
struct device *device_find(const struct user *, uint64_t id); /* or NULL */
/* What changed of it goes into the batch. */
void device_save(struct user *, const struct device *);
void device_load_all(struct user *);
void device_free_all(struct user *);

#endif

/*
 * Accounts on disk: what a restarted proxy needs to go on with the upstream's stream,
 * and what the server has told that it does not repeat (custody.md).
 */
#ifndef CORE_ACCOUNT_SAVE_H
#define CORE_ACCOUNT_SAVE_H

struct account;

enum {
	ACCOUNT_SELF = 1,     /* STATE_ACCOUNT */
	ACCOUNT_COUNTERS = 2, /* STATE_UPSTREAM */
};

/* It is to be saved in the next commit; what: ACCOUNT_*. */
void account_touch(struct account *, unsigned what);
/* What changed goes into the batch. */
void account_save(struct account *);
void account_load(struct account *);

#endif

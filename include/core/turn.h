/*
 * The commit of a turn (custody.md, The turn): what was taken into custody, counted
 * and changed goes to the store at once, before anything that rests on it is written.
 */
#ifndef CORE_TURN_H
#define CORE_TURN_H

#include <stdint.h>

struct proxy;

void turn_init(struct proxy *);
void turn_fini(struct proxy *);
/* loop_hooks.commit; arg is the proxy. */
uint64_t turn_commit(void *proxy, uint64_t turn);
/* Some state has changed: it is committed within 200 ms. */
void turn_touch(struct proxy *);
/* It has to be committed in this turn: custody, or a count that is told to a peer. */
void turn_urge(struct proxy *);

#endif

/* Personal events (XEP-0163): from servers, and asked for. */
#ifndef MOD_EVENTS_H
#define MOD_EVENTS_H

struct user;

/*
 * Somebody asks for events that he did not ask for before: nodes of the own accounts that
 * were not fetched on this stream are, one after another.
 */
void events_fetch(struct user *);

#endif

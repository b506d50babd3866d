/* Personal events (XEP-0163): from servers, and asked for. */
#ifndef MOD_EVENTS_H
#define MOD_EVENTS_H

struct user;

/*
 * Somebody asks for events that he did not ask for before: nodes of the own accounts of
 * which nothing is known are fetched, one after another.
 */
void events_fetch(struct user *);

#endif

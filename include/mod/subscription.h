/* Requests for a subscription that nobody has answered yet. */
#ifndef MOD_SUBSCRIPTION_H
#define MOD_SUBSCRIPTION_H

struct account;
struct session;

/* Tells the session all that are open (RFC 6121 3.1.3). */
void subscription_tell_open(struct session *, struct account *);

#endif

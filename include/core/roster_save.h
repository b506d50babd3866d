/* Rosters on disk: those of accounts, and the one that node view makes of them. */
#ifndef CORE_ROSTER_SAVE_H
#define CORE_ROSTER_SAVE_H

struct account;
struct user;

/*
 * What is there of account->roster and account->requests is loaded; from then on what
 * changes is saved.
 */
void roster_save_account(struct account *);
/* The same of user->roster. */
void roster_save_node(struct user *);

#endif

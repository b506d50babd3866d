/*
 * The table of modules: what the proxy does beyond carrying stanzas, one XEP or
 * family a file (docs/adding-a-xep.md). Its order is that of the calls.
 */
#ifndef MOD_MODULES_H
#define MOD_MODULES_H

#include "core/hooks.h"

extern const struct module *const modules[]; /* NULL-ended */

extern const struct module mod_bind;
extern const struct module mod_session;
extern const struct module mod_sm;
extern const struct module mod_register;
extern const struct module mod_push;
extern const struct module mod_disco;
extern const struct module mod_services;
extern const struct module mod_caps;
extern const struct module mod_client_caps;
extern const struct module mod_events;
extern const struct module mod_ping;
extern const struct module mod_version;
extern const struct module mod_time;
extern const struct module mod_invitations;
extern const struct module mod_last;
extern const struct module mod_roster;
extern const struct module mod_blocking;
extern const struct module mod_block_here;
extern const struct module mod_carbons;
extern const struct module mod_gap;
extern const struct module mod_presence;
extern const struct module mod_contacts;
extern const struct module mod_presence_kept;
extern const struct module mod_directed;
extern const struct module mod_subscription;
extern const struct module mod_archive;
extern const struct module mod_archive_prefs;
extern const struct module mod_archive_server;
extern const struct module mod_pubsub;
extern const struct module mod_s5b;
extern const struct module mod_read_state;
extern const struct module mod_receipts;
extern const struct module mod_chat_states;
extern const struct module mod_csi;

#endif

/*
 * Where a session begins to follow the log, and when (custody.md, "Devices, cursors,
 * playback"): a device that is known where it was, another with what reached nobody.
 */
#ifndef CORE_PLAYBACK_H
#define CORE_PLAYBACK_H

struct session;

/* It became available: it gets messages from now on. */
void playback_available(struct session *);
/* Carbons are on: it may want copies without being available. */
void playback_carbons(struct session *);
/* Its stream goes on after a restart. */
void playback_resumed(struct session *);
/*
 * It asks its archive for all that came since: of what reached nobody it gets what that
 * does not serve, and the device is remembered as one that synchronises by itself.
 */
void playback_archive(struct session *);
/* It gets more than before (its priority): first what reached nobody. */
void playback_more(struct session *);
void playback_due(void *session); /* its timer's */

#endif

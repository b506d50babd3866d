#include "mod/modules.h"

#include <stddef.h>

const struct module *const modules[] = {
	&mod_bind,
	&mod_session,
	&mod_sm,
	&mod_register,
	&mod_push,
	&mod_ping,
	&mod_version,
	&mod_time,
	/* Before presence: it compares what a session was with what it becomes. */
	&mod_last,
	&mod_roster,
	&mod_blocking,
	/* Before all that looks at what contacts send, and at what goes to them. */
	&mod_block_here,
	&mod_carbons,
	/* Before presence: it is told of the own one in a room. */
	&mod_invitations,
	/* Before whoever hands events on. */
	&mod_read_state,
	&mod_subscription,
	/* Before presence: what goes up with that is known. */
	&mod_client_caps,
	&mod_presence,
	&mod_contacts,
	&mod_presence_kept,
	&mod_directed,
	/* Behind presence: it asks once more when that is up. Before archive: results of
	 * its own queries. */
	&mod_gap,
	&mod_archive,
	&mod_archive_prefs,
	&mod_archive_server,
	&mod_events,
	&mod_pubsub,
	&mod_s5b,
	&mod_receipts,
	&mod_chat_states,
	&mod_disco,
	&mod_services,
	&mod_caps,
	/* Behind all that is asked at a login. */
	&mod_csi,
	NULL,
};

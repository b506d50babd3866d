/* Every limit, its name in <limits/>, its default and its bounds: one table. */
#ifndef CORE_LIMITS_H
#define CORE_LIMITS_H

#include <stddef.h>
#include <stdint.h>

/* X(field, "name in the file", default, least, most) */
#define LIMITS(X) \
	X(stanza_bytes, "stanza-bytes", 262144, 10000, 16777216) \
	X(login_bytes, "login-bytes", 16384, 4096, 262144) \
	X(upstream_stanza_bytes, "upstream-stanza-bytes", 4194304, 10000, \
	    67108864) \
	X(stanza_depth, "stanza-depth", 64, 16, 1024) \
	X(stanza_attributes, "stanza-attributes", 64, 16, 1024) \
	X(stanza_elements, "stanza-elements", 8192, 256, 262144) \
	X(connections, "connections", 10000, 16, 1000000) \
	X(connections_per_address, "connections-per-address", 1000, 1, \
	    1000000) \
	X(logins_open, "logins-open", 2000, 8, 100000) \
	X(sessions_per_user, "sessions-per-user", 50, 1, 10000) \
	X(auth_seconds, "auth-seconds", 60, 1, 3600) \
	X(tls_seconds, "tls-seconds", 60, 1, 600) \
	X(login_tries, "login-tries", 6, 1, 100) \
	X(failures_per_address, "login-failures-per-address", 30, 1, 1000000) \
	X(failures_per_user, "login-failures-per-user", 30, 1, 1000000) \
	X(failure_seconds, "login-failure-seconds", 300, 1, 86400) \
	X(queue_frames, "queue-frames", 256, 16, 65536) \
	X(queue_bytes, "queue-bytes", 262144, 16384, 67108864) \
	X(queue_bytes_max, "queue-bytes-max", 4194304, 65536, 1073741824) \
	X(upstream_queue_bytes, "upstream-queue-bytes", 4194304, 65536, \
	    1073741824) \
	X(read_rate, "read-rate", 131072, 1024, 1073741824) \
	X(read_burst, "read-burst", 4194304, 16384, 1073741824) \
	X(log_entries, "log-entries", 1000000, 16, 1000000000) \
	X(log_bytes, "log-bytes", 4294967296, 65536, 1099511627776) \
	X(log_days, "log-days", 3650, 1, 36500) \
	X(room_entries, "room-entries", 100000, 16, 1000000000) \
	X(room_days, "room-days", 90, 1, 36500) \
	X(playback_entries, "playback-entries", 10000, 0, 1000000000) \
	X(playback_days, "playback-days", 90, 1, 36500) \
	X(playback_new, "playback-new", 0, 0, 1000000) \
	X(devices_per_user, "devices-per-user", 100, 1, 10000) \
	X(resume_seconds, "resume-seconds", 600, 0, 604800) \
	X(ack_stanzas, "ack-stanzas", 16, 1, 1000) \
	X(ack_seconds, "ack-seconds", 5, 1, 3600) \
	X(store_reserve, "store-reserve-bytes", 33554432, 0, 1099511627776) \
	X(archive_page, "archive-page", 250, 1, 10000) \
	X(outbox_entries, "outbox-entries", 1000, 1, 1000000) \
	X(outbox_seconds, "outbox-seconds", 604800, 1, 31536000) \
	X(gap_bytes, "gap-bytes", 1048576, 16384, 1073741824) \
	X(gap_pages, "gap-pages", 1000, 1, 1000000) \
	X(iqs_per_session, "iqs-per-session", 200, 1, 100000) \
	X(iqs_per_account, "iqs-per-account", 2000, 1, 1000000) \
	X(iq_seconds, "iq-seconds", 120, 1, 3600) \
	X(roster_items, "roster-items", 10000, 16, 1000000) \
	X(block_items, "block-items", 10000, 16, 1000000) \
	X(roster_removals, "roster-removals", 256, 1, 1000000) \
	X(disco_items, "disco-items", 100, 0, 10000) \
	X(presences, "presences", 20000, 16, 1000000) \
	X(quiet_stanzas, "quiet-stanzas", 200, 1, 100000) \
	X(caps_hashes, "caps-hashes", 100, 1, 100000) \
	X(caps_features, "caps-features", 1000, 16, 10000) \
	X(events, "events", 5000, 16, 1000000) \
	X(event_bytes, "event-bytes", 4194304, 16384, 1073741824) \
	X(directed_presences, "directed-presences", 500, 1, 100000) \
	X(receipts, "receipts", 2000, 16, 1000000) \
	X(exchanges, "exchanges", 2000, 16, 1000000) \
	X(ping_seconds, "ping-seconds", 60, 1, 3600) \
	X(ping_timeout_seconds, "ping-timeout-seconds", 30, 1, 600) \
	X(idle_seconds, "idle-seconds", 300, 5, 86400) \
	X(dials, "dials", 32, 1, 10000) \
	X(connect_seconds, "connect-seconds", 10, 1, 300)

struct limits {
#define LIMITS_FIELD(field, name, value, least, most) uint64_t field;
	LIMITS(LIMITS_FIELD)
#undef LIMITS_FIELD
};

struct limit_info {
	const char *name;
	size_t offset; /* of the field in struct limits */
	uint64_t value, least, most;
};
extern const struct limit_info limit_table[]; /* ends with a NULL name */

void limits_init(struct limits *); /* the defaults */

#endif

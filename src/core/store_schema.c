#include "core/entry.h"
#include "store_impl.h"

/*
 * Of the log: id is user << 40 | seq, body stands last so that looking at the other
 * columns leaves its overflow pages alone, and the index on peer has the id at its end
 * by itself.
 */
const char *const store_schema[] = {
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	"CREATE TABLE user (id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" name TEXT NOT NULL UNIQUE);"
	"CREATE TABLE account (id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" user INTEGER NOT NULL, jid TEXT NOT NULL, UNIQUE (user, jid));"
	"CREATE TABLE peer (id INTEGER PRIMARY KEY, user INTEGER NOT NULL,"
	" bare TEXT NOT NULL, account INTEGER NOT NULL,"
	" UNIQUE (user, bare, account));"
	"CREATE TABLE log (id INTEGER PRIMARY KEY, account INTEGER NOT NULL,"
	" peer INTEGER NOT NULL, flags INTEGER NOT NULL,"
	" time INTEGER NOT NULL, stamp INTEGER NOT NULL,"
	" device INTEGER NOT NULL, origin INTEGER NOT NULL,"
	" only_session INTEGER NOT NULL, resource TEXT, local TEXT, sid TEXT,"
	" stanza_id TEXT, lang TEXT, body BLOB);"
	"CREATE INDEX log_peer ON log (peer);"
	"CREATE TABLE state (kind INTEGER NOT NULL, owner INTEGER NOT NULL,"
	" key BLOB NOT NULL, value BLOB NOT NULL,"
	" PRIMARY KEY (kind, owner, key)) WITHOUT ROWID;"
	"CREATE TABLE turn (id INTEGER PRIMARY KEY, record BLOB NOT NULL);",
};
const size_t store_schema_count = sizeof(store_schema) /
    sizeof(store_schema[0]);

/* In the order of enum log_column (store_log.c). */
#define LOG_COLUMNS \
	"log.id, log.account, log.peer, log.flags, log.time, log.stamp," \
	" log.device, log.origin, log.only_session, log.resource, log.local," \
	" log.sid, log.stanza_id, log.lang, log.body, peer.bare"
#define TEXT(x)    #x
#define TEXT_OF(x) TEXT(x)
/* entry_when() */
#define LOG_WHEN \
	" max(log.time," \
	" log.stamp - " TEXT_OF(ENTRY_LATE_DAYS) " * 86400000)"
/* In the order of enum log_filter (store_log.c). */
#define LOG_FILTERS \
	" log.id >= ?1 AND log.id < ?2 AND (?3 = 0 OR log.account = ?3)" \
	" AND (?4 IS NULL OR log.resource = ?4)" \
	" AND" LOG_WHEN " >= ?5 AND" LOG_WHEN " <= ?6" \
	" AND log.flags & ?7 = ?8 "
#define LOG_READ \
	"SELECT " LOG_COLUMNS " FROM log" \
	" LEFT JOIN peer ON peer.id = log.peer WHERE" LOG_FILTERS
#define LOG_SKIP \
	"SELECT id FROM log INDEXED BY log_peer" \
	" WHERE peer = ?1 AND id >= ?2 AND id < ?3 ORDER BY id "
#define LOG_READ_PEER \
	"SELECT " LOG_COLUMNS " FROM log INDEXED BY log_peer" \
	" LEFT JOIN peer ON peer.id = log.peer" \
	" WHERE log.peer = ?10 AND" LOG_FILTERS

const char *const store_queries[QUERY_COUNT] = {
	[QUERY_META_FIND] = "SELECT value FROM meta WHERE key = ?1",
	[QUERY_META_PUT] = "INSERT OR REPLACE INTO meta (key, value)"
			   " VALUES (?1, ?2)",
	[QUERY_USER_FIND] = "SELECT id FROM user WHERE name = ?1",
	[QUERY_USER_ADD] = "INSERT INTO user (name) VALUES (?1) RETURNING id",
	[QUERY_ACCOUNT_FIND] =
	    "SELECT id FROM account WHERE jid = ?1 AND user = ?2",
	[QUERY_ACCOUNT_ADD] =
	    "INSERT INTO account (jid, user) VALUES (?1, ?2) RETURNING id",
	[QUERY_PEER_FIND] = "SELECT id FROM peer"
			    " WHERE bare = ?1 AND user = ?2 AND account = ?3",
	[QUERY_PEER_ADD] = "INSERT INTO peer (bare, user, account)"
			   " VALUES (?1, ?2, ?3) RETURNING id",
	[QUERY_PEERS_OF] = "SELECT id FROM peer WHERE bare = ?1 AND user = ?2"
			   " AND (?3 = 0 OR account = ?3)",
	[QUERY_PEER_DROP] =
	    "DELETE FROM peer WHERE id = ?1"
	    " AND NOT EXISTS (SELECT 1 FROM log WHERE peer = ?1)"
	    " RETURNING id",
	[QUERY_TURN_ADD] = "INSERT INTO turn (id, record) VALUES (?1, ?2)",
	[QUERY_TURNS] = "SELECT id, record FROM turn ORDER BY id LIMIT ?1",
	[QUERY_TURNS_DROP] = "DELETE FROM turn WHERE id <= ?1",
	[QUERY_TURNS_COUNT] = "SELECT count(*) FROM turn",
	[QUERY_TURN_LAST] = "SELECT max(id) FROM turn",
	[QUERY_STATE_PUT] = "INSERT OR REPLACE INTO state"
			    " (kind, owner, key, value)"
			    " VALUES (?1, ?2, ?3, ?4)",
	[QUERY_STATE_DROP] =
	    "DELETE FROM state WHERE kind = ?1 AND owner = ?2 AND key = ?3",
	[QUERY_STATE_EACH] = "SELECT key, value FROM state"
			     " WHERE kind = ?1 AND owner = ?2 ORDER BY key",
	[QUERY_LOG_ADD] =
	    "INSERT INTO log (id, account, peer, flags, time, stamp, device,"
	    " origin, only_session, resource, local, sid, stanza_id, lang,"
	    " body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
	    " ?12, ?13, ?14, ?15)",
	[QUERY_LOG_UP] = LOG_READ "ORDER BY log.id LIMIT ?9",
	[QUERY_LOG_DOWN] = LOG_READ "ORDER BY log.id DESC LIMIT ?9",
	[QUERY_LOG_PEER_UP] = LOG_READ_PEER "ORDER BY log.id LIMIT ?9",
	[QUERY_LOG_PEER_DOWN] = LOG_READ_PEER "ORDER BY log.id DESC LIMIT ?9",
	[QUERY_LOG_SKIP_UP] = LOG_SKIP "LIMIT 1 OFFSET ?4",
	[QUERY_LOG_SKIP_DOWN] = LOG_SKIP "DESC LIMIT 1 OFFSET ?4",
	[QUERY_LOG_LAST] = "SELECT id FROM log WHERE id >= ?1 AND id < ?2"
			   " ORDER BY id DESC LIMIT 1",
	[QUERY_LOG_STAMP] = "SELECT id, stamp FROM log"
			    " WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT 1",
	[QUERY_LOG_OLDEST] =
	    "SELECT id, flags, stamp, length(body), peer FROM log"
	    " WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3",
	[QUERY_LOG_DROP] = "DELETE FROM log WHERE id = ?1",
};

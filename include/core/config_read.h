/*
 * From the tree of proxy.xml to struct config: what the schema cannot say is
 * checked here.
 */
#ifndef CORE_CONFIG_READ_H
#define CORE_CONFIG_READ_H

#include "base/arena.h"
#include "base/err.h"
#include "core/config.h"
#include "core/config_xml.h"

struct config_seen; /* what may be there only once */

struct trusts;

struct config_reading {
	struct config *config;
	const struct config_xml *xml;
	const char *folder; /* for relative paths */
	void (*warn)(const char *text);
	struct arena *arena;
	struct config_seen *seen;
	struct trusts *trusts; /* each file with authorities is read once */
	struct err *err;
};

/*
 * Fills r->config, which has the defaults and is freed by the caller also on -1.
 * The tree has passed config_form_check().
 */
int config_read(struct config_reading *);
int config_read_user(struct config_reading *, const struct config_elem *);

/*
 * Fills err with "path:line: attr="..." in <elem>: why; expected ..." (why may
 * be ""). Returns -1. Not for passwords.
 */
int config_bad_value(const struct config_reading *, const struct config_elem *,
    const char *attr, const char *why, const char *expected);
/*
 * -1 and err where a thing of this kind and name was there before; else it is
 * remembered. Both are for the message, too.
 */
int config_only_once(struct config_reading *, const struct config_elem *,
    const char *attr, const char *kind, const char *name);
/* A path in an attribute, absolute; NULL where it has none. */
char *config_read_path(const struct config_reading *,
    const struct config_elem *, const char *attr);
/* The attribute's port, else `otherwise`. */
uint16_t config_read_port(const struct config_elem *, uint16_t otherwise);
/* The attribute's kind of TLS, else `otherwise`. */
enum config_tls config_read_tls(const struct config_elem *,
    enum config_tls otherwise);

#endif

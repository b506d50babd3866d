#include "core/config_read.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/table.h"
#include "base/text.h"
#include "core/config_file.h"
#include "io/listen.h"
#include "io/tls.h"
#include "xmpp/jid.h"

#define DEFAULT_ADDRESS "::"
#define DEFAULT_STORE   "xmpproxy.db"
enum { STARTTLS_PORT = 5222, DIRECT_PORT = 5223 };

struct config_seen {
	char *key;
	const struct config_elem *elem;
	UT_hash_handle hh;
};

int
config_bad_value(const struct config_reading *r, const struct config_elem *elem,
    const char *attr, const char *why, const char *expected)
{
	const char *value = config_elem_attr(elem, attr);

	return config_xml_fault(r->xml, elem, attr, r->err,
	    "%s=%s in <%s>%s%s; expected %s", attr, LOG_Q(value), elem->name,
	    *why == '\0' ? "" : ": ", why, expected);
}

int
config_only_once(struct config_reading *r, const struct config_elem *elem,
    const char *attr, const char *kind, const char *name)
{
	struct config_seen *seen;
	char *key = mem_printf("%s %s", kind, name);

	HASH_FIND_STR(r->seen, key, seen);
	if (seen == NULL) {
		seen = mem_alloc(sizeof(*seen));
		seen->key = key;
		seen->elem = elem;
		HASH_ADD_KEYPTR(hh, r->seen, key, strlen(key), seen);
		return 0;
	}
	mem_free_string(&key);
	return config_xml_fault(r->xml, elem, attr, r->err,
	    "%s %s for the second time; expected only that of line %u", kind,
	    name, config_xml_line(r->xml, seen->elem, attr));
}

static void
forget_seen(struct config_reading *r)
{
	struct config_seen *seen, *next;

	HASH_ITER(hh, r->seen, seen, next) {
		HASH_DEL(r->seen, seen);
		mem_free_string(&seen->key);
		free(seen);
	}
}

char *
config_read_path(const struct config_reading *r, const struct config_elem *elem,
    const char *attr)
{
	const char *path = config_elem_attr(elem, attr);

	return path == NULL ? NULL : config_file_under(r->folder, path);
}

uint16_t
config_read_port(const struct config_elem *elem, uint16_t otherwise)
{
	uint64_t port;

	if (!text_to_uint(config_elem_attr(elem, "port"), 1, 65535, &port))
		return otherwise;
	return (uint16_t)port;
}

enum config_tls
config_read_tls(const struct config_elem *elem, enum config_tls otherwise)
{
	const char *tls = config_elem_attr(elem, "tls");

	if (tls == NULL)
		return otherwise;
	if (strcmp(tls, "starttls") == 0)
		return CONFIG_STARTTLS;
	return strcmp(tls, "direct") == 0 ? CONFIG_DIRECT : CONFIG_NO_TLS;
}

static int
read_node(struct config_reading *r, const struct config_elem *elem)
{
	struct err why = { 0 };
	const char *node;

	node = jid_prep_domain(r->arena, config_elem_attr(elem, "name"), &why);
	if (node == NULL)
		return config_bad_value(r, elem, "name", why.text,
		    "a domain such as proxy.example.org");
	r->config->node = mem_strdup(node);
	return 0;
}

static bool
is_address(const char *text)
{
	struct in6_addr six;
	struct in_addr four;

	return listen_is_loopback(text) ||
	    inet_pton(AF_INET, text, &four) == 1 ||
	    inet_pton(AF_INET6, text, &six) == 1;
}

static void
add_listen(struct config *config, const char *address, uint16_t port,
    enum config_tls tls)
{
	struct listen_config *listen = mem_alloc(sizeof(*listen));

	listen->address = mem_strdup(address);
	listen->port = port;
	listen->tls = tls;
	STAILQ_INSERT_TAIL(&config->listens, listen, next);
}

static int
read_listen(struct config_reading *r, const struct config_elem *elem)
{
	enum config_tls tls = config_read_tls(elem, CONFIG_STARTTLS);
	const char *address = config_elem_attr(elem, "address"), *where;
	uint16_t port;

	port = config_read_port(elem,
	    tls == CONFIG_DIRECT ? DIRECT_PORT : STARTTLS_PORT);
	if (address == NULL)
		address = DEFAULT_ADDRESS;
	else if (!is_address(address))
		return config_bad_value(r, elem, "address", "",
		    "an IP address such as 127.0.0.1 or ::");
	if (tls == CONFIG_NO_TLS && !listen_is_loopback(address))
		return config_bad_value(r, elem, "tls",
		    "passwords would cross the network in the clear",
		    "starttls or direct, or a loopback address: 127.0.0.1 or "
		    "::1");
	where = arena_printf(r->arena, "%s port %u", address, port);
	if (config_only_once(r, elem, NULL, "listen address", where) < 0)
		return -1;
	add_listen(r->config, address, port, tls);
	return 0;
}

static int
read_pem(struct config_reading *r, const struct config_elem *elem,
    const char *attr, char **path)
{
	struct err why;

	*path = config_read_path(r, elem, attr);
	if (config_file_try(*path, &why) < 0)
		return config_bad_value(r, elem, attr, why.text,
		    "a PEM file that can be read");
	return 0;
}

/* Whether it is a certificate and the key belongs to it. */
static int
try_certificate(struct config_reading *r, const struct config_elem *elem,
    const struct certificate_config *certificate)
{
	struct tls_certs *certs;
	struct err why = { 0 };
	int rc = -1;

	certs = tls_certs_new(&why);
	if (certs != NULL)
		rc = tls_certs_add(certs, certificate->domain,
		    certificate->chain, certificate->key, &why);
	tls_certs_unref(&certs);
	if (rc == 0)
		return 0;
	return config_xml_fault(r->xml, elem, NULL, r->err,
	    "<certificate>: %s; expected a chain and its key, both in PEM",
	    why.text);
}

static int
read_certificate(struct config_reading *r, const struct config_elem *elem)
{
	const char *domain = config_elem_attr(elem, "domain"), *prepared = NULL;
	struct certificate_config *certificate;
	struct err why = { 0 };

	if (domain != NULL) {
		prepared = jid_prep_domain(r->arena, domain, &why);
		if (prepared == NULL)
			return config_bad_value(r, elem, "domain", why.text,
			    "a domain such as proxy.example.org");
	}
	if (config_only_once(r, elem, domain == NULL ? NULL : "domain",
		"certificate for",
		domain == NULL ? "all other domains" : prepared) < 0)
		return -1;
	certificate = mem_alloc(sizeof(*certificate));
	certificate->domain = mem_strdup(prepared);
	STAILQ_INSERT_TAIL(&r->config->certificates, certificate, next);
	if (read_pem(r, elem, "chain", &certificate->chain) < 0 ||
	    read_pem(r, elem, "key", &certificate->key) < 0)
		return -1;
	return try_certificate(r, elem, certificate);
}

static enum store_sync
read_synchronous(const struct config_elem *elem)
{
	const char *synchronous = config_elem_attr(elem, "synchronous");

	if (text_equals(synchronous, "full"))
		return STORE_SYNC_FULL;
	return text_equals(synchronous, "off") ? STORE_SYNC_OFF :
						 STORE_SYNC_NORMAL;
}

static int
read_store(struct config_reading *r, const struct config_elem *elem)
{
	mem_free_string(&r->config->store);
	if (strcmp(config_elem_attr(elem, "path"), ":memory:") == 0)
		r->config->store = mem_strdup(":memory:");
	else
		r->config->store = config_read_path(r, elem, "path");
	r->config->synchronous = read_synchronous(elem);
	return 0;
}

static int
read_limits(struct config_reading *r, const struct config_elem *elem)
{
	struct limits *limits = &r->config->limits;
	const struct limit_info *limit;
	uint64_t value;

	for (limit = limit_table; limit->name != NULL; limit++)
		if (text_to_uint(config_elem_attr(elem, limit->name),
			limit->least, limit->most, &value))
			memcpy((char *)limits + limit->offset, &value,
			    sizeof(value));
	if (limits->queue_bytes > limits->queue_bytes_max)
		return config_xml_fault(r->xml, elem, "queue-bytes", r->err,
		    "queue-bytes is over queue-bytes-max in <limits>; expected "
		    "%llu at most",
		    (unsigned long long)limits->queue_bytes_max);
	return 0;
}

/* The node first: accounts are compared with it. */
static const struct {
	const char *name;
	int (*read)(struct config_reading *, const struct config_elem *);
} readers[] = {
	{ "node", read_node },
	{ "listen", read_listen },
	{ "certificate", read_certificate },
	{ "store", read_store },
	{ "limits", read_limits },
	{ "user", config_read_user },
};

static void
set_defaults(struct config_reading *r)
{
	struct config *config = r->config;

	if (STAILQ_EMPTY(&config->listens)) {
		add_listen(config, DEFAULT_ADDRESS, STARTTLS_PORT,
		    CONFIG_STARTTLS);
		add_listen(config, DEFAULT_ADDRESS, DIRECT_PORT, CONFIG_DIRECT);
	}
	if (config->store == NULL) {
		config->store = config_file_under(r->folder, DEFAULT_STORE);
		config->synchronous = STORE_SYNC_NORMAL;
	}
}

int
config_read(struct config_reading *r)
{
	const struct config_elem *root = config_xml_root(r->xml), *elem;
	size_t i;
	int rc = 0;

	for (i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		for (elem = root->first; rc == 0 && elem != NULL;
		     elem = elem->next)
			if (strcmp(elem->name, readers[i].name) == 0)
				rc = readers[i].read(r, elem);
	forget_seen(r);
	set_defaults(r);
	return rc;
}

/*
 * A DNS server on 127.0.0.1 in the loop of a test. What it was not told about
 * does not exist: NXDOMAIN, or no data where the name has other records.
 */
#ifndef TESTS_FAKE_DNS_H
#define TESTS_FAKE_DNS_H

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "io/loop.h"

enum { DNS_A = 1, DNS_AAAA = 28, DNS_SRV = 33 };
enum { DNS_SERVFAIL = 2, DNS_NXDOMAIN = 3, DNS_REFUSED = 5 };

enum dns_way { DNS_RECORD, DNS_RCODE, DNS_SILENT, DNS_TRUNCATED, DNS_GARBLED };

struct dns_rule {
	char *name;
	int type;
	enum dns_way way;
	int rcode;
	struct buf data;
};

struct fake_dns {
	struct loop *loop;
	int udp, tcp, peer;
	struct loop_source *udp_source, *tcp_source, *peer_source;
	uint16_t port;
	char address[32]; /* for resolver_new() */
	struct dns_rule rules[256];
	size_t rule_count;
	char *asked[256]; /* "33 _xmpp-client._tcp.example" */
	size_t asked_count, tcp_count;
};

static inline struct dns_rule *
fake_dns_rule(struct fake_dns *dns, const char *name, int type,
    enum dns_way way)
{
	struct dns_rule *rule;

	assert(dns->rule_count < 256);
	rule = &dns->rules[dns->rule_count++];
	rule->name = mem_strdup(name);
	rule->type = type;
	rule->way = way;
	return rule;
}

static inline void
fake_dns_put16(struct buf *out, unsigned value)
{
	buf_putc(out, (char)(value >> 8));
	buf_putc(out, (char)value);
}

static inline void
fake_dns_put_name(struct buf *out, const char *name)
{
	size_t len;

	for (; *name != '\0'; name += len + (name[len] == '.')) {
		len = strcspn(name, ".");
		buf_putc(out, (char)len);
		buf_add(out, name, len);
	}
	buf_putc(out, '\0');
}

static inline void
fake_dns_address(struct fake_dns *dns, const char *name, const char *address)
{
	int type = strchr(address, ':') != NULL ? DNS_AAAA : DNS_A;
	struct dns_rule *rule = fake_dns_rule(dns, name, type, DNS_RECORD);
	unsigned char bytes[16];

	assert(
	    inet_pton(type == DNS_A ? AF_INET : AF_INET6, address, bytes) == 1);
	buf_add(&rule->data, bytes, type == DNS_A ? 4 : 16);
}

/* target "" is the root. */
static inline void
fake_dns_srv(struct fake_dns *dns, const char *name, unsigned priority,
    unsigned weight, unsigned port, const char *target)
{
	struct dns_rule *rule = fake_dns_rule(dns, name, DNS_SRV, DNS_RECORD);

	fake_dns_put16(&rule->data, priority);
	fake_dns_put16(&rule->data, weight);
	fake_dns_put16(&rule->data, port);
	fake_dns_put_name(&rule->data, target);
}

static inline void
fake_dns_rcode(struct fake_dns *dns, const char *name, int type, int rcode)
{
	fake_dns_rule(dns, name, type, DNS_RCODE)->rcode = rcode;
}

static inline size_t
fake_dns_asked(const struct fake_dns *dns, const char *name, int type)
{
	char text[512];
	size_t i, count = 0;

	snprintf(text, sizeof(text), "%d %s", type, name);
	for (i = 0; i < dns->asked_count; i++)
		count += strcasecmp(dns->asked[i], text) == 0;
	return count;
}

/* The name of the first question; the position behind it, 0: broken. */
static inline size_t
fake_dns_question(const unsigned char *in, size_t len, char name[256])
{
	size_t at = 12, out = 0, label;

	for (; at < len && in[at] != 0; at += label + 1) {
		label = in[at];
		if (label > 63 || at + 1 + label >= len || out + label > 250)
			return 0;
		if (out > 0)
			name[out++] = '.';
		memcpy(name + out, in + at + 1, label);
		out += label;
	}
	name[out] = '\0';
	return at + 5 <= len ? at + 5 : 0;
}

static inline void
fake_dns_add_records(struct fake_dns *dns, struct buf *out, const char *name,
    int type, unsigned *count)
{
	struct dns_rule *rule;
	size_t i;

	for (i = 0; i < dns->rule_count; i++) {
		rule = &dns->rules[i];
		if (rule->way != DNS_RECORD || rule->type != type ||
		    strcasecmp(rule->name, name) != 0)
			continue;
		fake_dns_put16(out, 0xc00c); /* the question's name */
		fake_dns_put16(out, (unsigned)type);
		fake_dns_put16(out, 1);
		fake_dns_put16(out, 0);
		fake_dns_put16(out, 60);
		fake_dns_put16(out, (unsigned)rule->data.len);
		buf_add(out, rule->data.data, rule->data.len);
		++*count;
	}
}

static inline void
fake_dns_find(struct fake_dns *dns, const char *name, int type,
    struct dns_rule **special, bool *exists)
{
	size_t i;

	*special = NULL;
	*exists = false;
	for (i = 0; i < dns->rule_count; i++) {
		if (strcasecmp(dns->rules[i].name, name) != 0)
			continue;
		*exists = true;
		if (dns->rules[i].way != DNS_RECORD &&
		    dns->rules[i].type == type)
			*special = &dns->rules[i];
	}
}

/* false: says nothing. */
static inline bool
fake_dns_answer(struct fake_dns *dns, const unsigned char *in, size_t len,
    bool tcp, struct buf *out)
{
	char name[256];
	struct dns_rule *special;
	bool exists, cut;
	unsigned count = 0, rcode;
	size_t end = fake_dns_question(in, len, name);
	int type;

	if (end == 0)
		return false;
	type = in[end - 4] << 8 | in[end - 3];
	assert(dns->asked_count < 256);
	dns->asked[dns->asked_count++] = mem_printf("%d %s", type, name);
	fake_dns_find(dns, name, type, &special, &exists);
	if (special != NULL && special->way == DNS_SILENT)
		return false;
	cut = special != NULL && special->way == DNS_TRUNCATED && !tcp;
	rcode = special != NULL && special->way == DNS_RCODE ?
	    (unsigned)special->rcode :
	    exists ? 0 :
		     DNS_NXDOMAIN;
	buf_add(out, in, 2);
	fake_dns_put16(out, 0x8180u | (cut ? 0x0200u : 0) | rcode);
	fake_dns_put16(out, 1);
	fake_dns_put16(out, 0); /* the number of answers, below */
	fake_dns_put16(out, 0);
	fake_dns_put16(out, 0);
	buf_add(out, in + 12, end - 12);
	if (!cut && rcode == 0)
		fake_dns_add_records(dns, out, name, type, &count);
	if (special != NULL && special->way == DNS_GARBLED)
		count = 3;
	out->data[6] = (char)(count >> 8);
	out->data[7] = (char)count;
	return true;
}

static inline void
fake_dns_on_udp(void *arg, uint32_t events)
{
	struct fake_dns *dns = arg;
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	unsigned char in[1500];
	struct buf out = { 0 };
	ssize_t len = recvfrom(dns->udp, in, sizeof(in), MSG_DONTWAIT,
	    (struct sockaddr *)&from, &from_len);

	(void)events;
	if (len > 12 && fake_dns_answer(dns, in, (size_t)len, false, &out))
		sendto(dns->udp, out.data, out.len, 0, (struct sockaddr *)&from,
		    from_len);
	buf_free(&out);
}

/* One question a connection: what c-ares sends comes in one piece here. */
static inline void
fake_dns_on_peer(void *arg, uint32_t events)
{
	struct fake_dns *dns = arg;
	unsigned char in[1500];
	struct buf out = { 0 }, framed = { 0 };
	ssize_t len = recv(dns->peer, in, sizeof(in), MSG_DONTWAIT);

	(void)events;
	if (len <= 14) {
		loop_unwatch(&dns->peer_source);
		close(dns->peer);
		dns->peer = -1;
		return;
	}
	dns->tcp_count++;
	if (fake_dns_answer(dns, in + 2, (size_t)len - 2, true, &out)) {
		fake_dns_put16(&framed, (unsigned)out.len);
		buf_add(&framed, out.data, out.len);
		assert(send(dns->peer, framed.data, framed.len, MSG_NOSIGNAL) ==
		    (ssize_t)framed.len);
	}
	buf_free(&out);
	buf_free(&framed);
}

static inline void
fake_dns_on_tcp(void *arg, uint32_t events)
{
	struct fake_dns *dns = arg;

	(void)events;
	assert(dns->peer < 0);
	dns->peer = accept(dns->tcp, NULL, NULL);
	assert(dns->peer >= 0);
	dns->peer_source = loop_watch(dns->loop, dns->peer, EPOLLIN,
	    fake_dns_on_peer, dns);
}

/* The UDP port may be taken for TCP: then another one. */
static inline bool
fake_dns_bind(struct fake_dns *dns)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	dns->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	dns->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(dns->udp >= 0 && dns->tcp >= 0);
	assert(bind(dns->udp, (struct sockaddr *)&at, sizeof(at)) == 0);
	assert(getsockname(dns->udp, (struct sockaddr *)&at, &len) == 0);
	dns->port = ntohs(at.sin_port);
	snprintf(dns->address, sizeof(dns->address), "127.0.0.1:%u", dns->port);
	if (bind(dns->tcp, (struct sockaddr *)&at, sizeof(at)) == 0 &&
	    listen(dns->tcp, 4) == 0)
		return true;
	close(dns->udp);
	close(dns->tcp);
	return false;
}

static inline struct fake_dns *
fake_dns_new(struct loop *loop)
{
	struct fake_dns *dns = mem_alloc(sizeof(*dns));

	dns->loop = loop;
	dns->peer = -1;
	while (!fake_dns_bind(dns))
		;
	dns->udp_source = loop_watch(loop, dns->udp, EPOLLIN, fake_dns_on_udp,
	    dns);
	dns->tcp_source = loop_watch(loop, dns->tcp, EPOLLIN, fake_dns_on_tcp,
	    dns);
	return dns;
}

static inline void
fake_dns_free(struct fake_dns **holder)
{
	struct fake_dns *dns = *holder;
	size_t i;

	loop_unwatch(&dns->udp_source);
	loop_unwatch(&dns->tcp_source);
	if (dns->peer >= 0) {
		loop_unwatch(&dns->peer_source);
		close(dns->peer);
	}
	close(dns->udp);
	close(dns->tcp);
	for (i = 0; i < dns->rule_count; i++) {
		free(dns->rules[i].name);
		buf_free(&dns->rules[i].data);
	}
	for (i = 0; i < dns->asked_count; i++)
		free(dns->asked[i]);
	free(dns);
	*holder = NULL;
}

#endif

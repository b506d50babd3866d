#include <string.h>

#include "xmpp/sasl.h"

#define BIT(mech) (1u << (mech))
#define PLUS      (BIT(SASL_SCRAM_SHA256_PLUS) | BIT(SASL_SCRAM_SHA1_PLUS))

static const char *const names[SASL_MECHS] = {
	[SASL_SCRAM_SHA256_PLUS] = "SCRAM-SHA-256-PLUS",
	[SASL_SCRAM_SHA256] = "SCRAM-SHA-256",
	[SASL_SCRAM_SHA1_PLUS] = "SCRAM-SHA-1-PLUS",
	[SASL_SCRAM_SHA1] = "SCRAM-SHA-1",
	[SASL_PLAIN] = "PLAIN",
};

const char *
sasl_mech_name(enum sasl_mech mech)
{
	return names[mech];
}

bool
sasl_mech_parse(const char *name, enum sasl_mech *out)
{
	for (int m = 0; m < SASL_MECHS; m++) {
		if (strcmp(names[m], name) == 0) {
			*out = (enum sasl_mech)m;
			return true;
		}
	}
	return false;
}

bool
sasl_mech_is_plus(enum sasl_mech mech)
{
	return (BIT(mech) & PLUS) != 0;
}

unsigned
sasl_bindings(const struct sasl_channel *channel)
{
	unsigned bindings = 0;

	if (channel->unique != NULL && channel->unique->len > 0)
		bindings |= SASL_BINDING_UNIQUE;
	if (channel->exporter != NULL && channel->exporter->len > 0)
		bindings |= SASL_BINDING_EXPORTER;
	return bindings;
}

/*
 * A server that offers PLUS and does not name its types is older than
 * XEP-0440, and such servers know tls-unique alone.
 */
unsigned
sasl_common_bindings(const struct sasl_channel *channel, unsigned named)
{
	return sasl_bindings(channel) &
	    (named != 0 ? named : SASL_BINDING_UNIQUE);
}

static unsigned
offer(bool secure, unsigned bindings)
{
	unsigned mechs = BIT(SASL_SCRAM_SHA256) | BIT(SASL_SCRAM_SHA1);

	if (bindings != 0)
		mechs |= PLUS;
	if (secure)
		mechs |= BIT(SASL_PLAIN);
	return mechs;
}

unsigned
sasl_offer(const struct sasl_channel *channel)
{
	return offer(channel->secure, sasl_bindings(channel));
}

int
sasl_choose(unsigned offered, unsigned bindings,
    const struct sasl_channel *channel, enum sasl_mech *out, struct err *err)
{
	unsigned ours = offer(channel->secure,
	    sasl_common_bindings(channel, bindings));

	for (int m = 0; m < SASL_MECHS; m++) {
		if ((offered & ours & BIT(m)) != 0) {
			*out = (enum sasl_mech)m;
			return 0;
		}
	}
	if ((offered & BIT(SASL_PLAIN)) != 0)
		return err_set(err,
		    "the server offers PLAIN alone, "
		    "and the connection is not secure");
	return err_set(err, "the server offers no mechanism that we do");
}

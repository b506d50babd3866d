/*
 * Stream management (XEP-0198) towards clients is the core's, session_sm.c: here it is
 * offered.
 */
#include "core/hooks.h"
#include "mod/modules.h"
#include "xmpp/ns.h"

const struct module mod_sm = {
	.name = "stream-management",
	.xep = "XEP-0198",
	.stream_feature = "<sm xmlns='" NS_SM "'/>",
};

/*
 * Which elements and attributes proxy.xml has, and what values they take. The
 * schema, conf/proxy.rng, says the same: what passes here passes there, but here
 * the errors are for people.
 */
#ifndef CORE_CONFIG_FORM_H
#define CORE_CONFIG_FORM_H

#include "base/err.h"
#include "core/config_xml.h"

/* 0, or -1 and err for the first fault in document order. */
int config_form_check(const struct config_xml *, struct err *);

#endif

/*
 * proxy.xml: whatever it holds, it is taken or there is one line that says where
 * it is wrong; and what the tables of config_form.c let pass is valid by the
 * schema.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "core/config_form.h"
#include "core/config_xml.h"

#define PATH "/nonexistent/proxy.xml"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_message(const struct err *err)
{
	const char *text = err->text;

	if (strncmp(text, PATH ":", strlen(PATH ":")) != 0)
		abort();
	if (strchr(text, '\n') != NULL || atoi(text + strlen(PATH ":")) < 1)
		abort();
}

static void
compare_with_schema(const char *bytes, size_t len)
{
	struct config_xml *xml;
	struct err err;

	if ((xml = config_xml_parse(bytes, len, PATH, &err)) == NULL)
		return;
	if (config_form_check(xml, &err) == 0 &&
	    config_xml_check(xml, &err) < 0)
		abort();
	config_xml_free(&xml);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = size > 0 ? (const char *)data : "";
	struct err err = { 0 };
	struct config *config;

	if ((config = config_parse(bytes, size, PATH, &err)) == NULL)
		check_message(&err);
	config_free(&config);
	compare_with_schema(bytes, size);
	return 0;
}

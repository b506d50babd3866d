#include "core/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "core/config_file.h"
#include "core/config_form.h"
#include "core/config_read.h"
#include "core/config_xml.h"
#include "core/trusts.h"

static struct config *
config_new(void)
{
	struct config *config = mem_alloc(sizeof(*config));

	STAILQ_INIT(&config->listens);
	STAILQ_INIT(&config->certificates);
	STAILQ_INIT(&config->users);
	limits_init(&config->limits);
	return config;
}

static int
fill(struct config *config, const char *path, const struct config_xml *xml,
    void (*warn)(const char *), struct err *err)
{
	struct config_reading reading = {
		.config = config,
		.xml = xml,
		.warn = warn,
		.err = err,
	};
	char *folder = config_file_folder(path);
	const char *slash = strrchr(path, '/');
	int rc;

	config->path = config_file_under(folder,
	    slash == NULL ? path : slash + 1);
	reading.folder = folder;
	reading.arena = arena_new();
	reading.trusts = trusts_new();
	rc = config_read(&reading);
	trusts_free(&reading.trusts);
	arena_free(&reading.arena);
	mem_free_string(&folder);
	return rc;
}

static struct config *
parse(const char *bytes, size_t len, const char *path,
    void (*warn)(const char *), struct err *err)
{
	struct config *config = NULL;
	struct config_xml *xml;

	if ((xml = config_xml_parse(bytes, len, path, err)) == NULL)
		return NULL;
	if (config_form_check(xml, err) < 0 || config_xml_check(xml, err) < 0)
		goto out;
	config = config_new();
	if (fill(config, path, xml, warn, err) < 0)
		config_free(&config);
out:
	config_xml_free(&xml);
	return config;
}

struct config *
config_parse(const char *xml, size_t len, const char *path, struct err *err)
{
	return parse(xml, len, path, NULL, err);
}

struct config *
config_load(const char *path, void (*warn)(const char *), struct err *err)
{
	struct config *config = NULL;
	struct buf text = { 0 };
	struct err why;

	if (config_file_read(&text, path, CONFIG_BYTES_MAX, warn, &why) < 0)
		err_set(err, "%s: %s; expected a file that can be read", path,
		    why.text);
	else
		config = parse(text.data == NULL ? "" : text.data, text.len,
		    path, warn, err);
	if (text.data != NULL)
		mem_wipe(text.data, text.len);
	buf_free(&text);
	return config;
}

static void
free_listens(struct config *config)
{
	struct listen_config *listen;

	while ((listen = STAILQ_FIRST(&config->listens)) != NULL) {
		STAILQ_REMOVE_HEAD(&config->listens, next);
		mem_free_string(&listen->address);
		free(listen);
	}
}

static void
free_certificates(struct config *config)
{
	struct certificate_config *certificate;

	while ((certificate = STAILQ_FIRST(&config->certificates)) != NULL) {
		STAILQ_REMOVE_HEAD(&config->certificates, next);
		mem_free_string(&certificate->chain);
		mem_free_string(&certificate->key);
		mem_free_string(&certificate->domain);
		free(certificate);
	}
}

static void
free_accounts(struct user_config *user)
{
	struct account_config *account;

	while ((account = STAILQ_FIRST(&user->accounts)) != NULL) {
		STAILQ_REMOVE_HEAD(&user->accounts, next);
		mem_free_string(&account->jid);
		mem_free_secret(&account->password);
		mem_free_string(&account->resource);
		mem_free_string(&account->host);
		mem_free_string(&account->ca);
		free(account);
	}
}

static void
free_users(struct config *config)
{
	struct user_config *user;

	while ((user = STAILQ_FIRST(&config->users)) != NULL) {
		STAILQ_REMOVE_HEAD(&config->users, next);
		free_accounts(user);
		mem_free_string(&user->name);
		mem_free_secret(&user->password);
		mem_wipe(&user->credential, sizeof(user->credential));
		mem_free_string(&user->resource);
		free(user);
	}
}

void
config_free(struct config **holder)
{
	struct config *config = *holder;

	*holder = NULL;
	if (config == NULL)
		return;
	free_listens(config);
	free_certificates(config);
	free_users(config);
	mem_free_string(&config->path);
	mem_free_string(&config->node);
	mem_free_string(&config->store);
	free(config);
}

/*
 * fill_store FILE DOMAIN USERS ENTRIES: a store of user0, user1, ... with an account of
 * that name at the domain and so many entries of 20 peers each, which all have reached
 * somebody. As the proxy itself writes them, so it goes on with the file.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/pack.h"
#include "core/history.h"
#include "core/reached.h"

enum { PEERS = 20, BODY = 300, GAP_MS = 60000 };

struct filling {
	struct store *store;
	struct batch batch;
	const char *domain;
	unsigned long users, entries;
};

static uint64_t
number(uint64_t id, const struct err *err)
{
	if (id == 0)
		errx(1, "%s", err->text);
	return id;
}

static struct entry *
make_entry(const struct filling *f, unsigned long i, uint64_t account)
{
	struct entry *e = entry_new();
	char body[BODY + 1];
	int len;

	e->account = account;
	e->type = TYPE_CHAT;
	e->direction = i % 2 == 0 ? DIR_IN : DIR_OUT;
	e->time = e->stamp = clock_wall() - (f->entries - i) * GAP_MS;
	e->peer = mem_printf("friend%lu@%s/phone", i % PEERS, f->domain);
	e->id = mem_printf("0123456789abcdef-%lu", i);
	e->stanza_id = mem_printf("fedcba9876543210-%lu", i);
	e->has_body = e->is_eligible = true;
	len = snprintf(body, sizeof(body), "<body>%0*lu</body>", BODY - 13, i);
	e->body = blob_new(body, (size_t)len);
	return e;
}

/* As user_save() has it. */
static void
save_user(struct filling *f, uint64_t user, const struct history *h)
{
	struct reached reached = { 0 };
	struct buf b = { 0 };

	reached_add_before(&reached, history_next(h));
	history_pack(h, &b);
	reached_pack(&reached, &b);
	pack_uint(&b, 0); /* no device */
	batch_put(&f->batch, STATE_USER, user, NULL, 0, b.data, b.len);
	reached_fini(&reached);
	buf_free(&b);
}

static void
fill_user(struct filling *f, unsigned long at)
{
	char *name = mem_printf("user%lu", at);
	char *jid = mem_printf("%s@%s", name, f->domain);
	struct history *h;
	uint64_t user, account;
	struct err err;
	unsigned left;

	user = number(store_user(f->store, name, &err), &err);
	account = number(store_account(f->store, user, jid, &err), &err);
	h = history_new(f->store, &f->batch, user);
	for (unsigned long i = 0; i < f->entries; i++)
		history_append(h, make_entry(f, i, account));
	save_user(f, user, h);
	if (store_commit(f->store, &f->batch, &err) < 0 ||
	    store_fold(f->store, UINT32_MAX, &left, &err) < 0)
		errx(1, "%s", err.text);
	if (store_wants_checkpoint(f->store))
		store_checkpoint(f->store);
	history_free(&h);
	free(name);
	free(jid);
}

int
main(int argc, char **argv)
{
	struct filling f = { 0 };
	struct err err;

	if (argc != 5)
		errx(2, "usage: fill_store FILE DOMAIN USERS ENTRIES");
	f.domain = argv[2];
	f.users = strtoul(argv[3], NULL, 10);
	f.entries = strtoul(argv[4], NULL, 10);
	f.store = store_open(argv[1], STORE_SYNC_OFF, &err);
	if (f.store == NULL)
		errx(1, "%s", err.text);
	batch_init(&f.batch);
	for (unsigned long i = 0; i < f.users; i++)
		fill_user(&f, i);
	batch_fini(&f.batch);
	store_close(&f.store);
	return 0;
}

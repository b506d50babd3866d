#include "support_client.h"

#include "core/device.h"

static struct core *
begin(const char *limits)
{
	char *body = mem_printf("<limits %s/>" CORE_ALICE(""), limits);
	struct core *c = core_new(body);

	free(body);
	return c;
}

/* Another proxy on the same store: what was committed is there. */
static void
restart(struct core *c)
{
	core_wait(c, 1000);
	proxy_abandon(&c->proxy);
	loop_free(&c->loop);
	c->loop = loop_new(NULL);
	store_reopened(c->store);
	c->proxy = proxy_new(c->loop, core_config(CORE_ALICE("")), c->store,
	    &(struct proxy_env){ core_dial_new, core_dial_next, core_dial_free,
		core_work, c },
	    modules);
}

/* The resources, the one that goes first last. */
static void
assert_devices(const struct user *u, const char *expected)
{
	const struct device *d;
	struct buf b = { 0 };
	unsigned count = 0;

	buf_puts(&b, "");
	TAILQ_FOREACH(d, &u->devices, next) {
		buf_printf(&b, "%s ", d->resource);
		count++;
	}
	assert_string_equal(b.data, expected);
	assert_int_equal(u->device_count, count);
	buf_free(&b);
}

static void
it_is_known_by_view_and_resource(void **state)
{
	struct core *c = begin("");
	struct user *u = core_user(c, "alice");
	struct device *d = device_of(u, 0, "phone"), *other;

	(void)state;
	assert_true(d->id != 0);
	assert_false(d->came_back || d->has_started);
	assert_int_equal(d->seen, clock_wall());
	other = device_of(u, 1, "phone");
	assert_ptr_not_equal(d, other);
	assert_true(d->id != other->id);
	assert_ptr_not_equal(device_of(u, 0, "Phone"), d);
	clock_advance(1000);
	assert_ptr_equal(device_of(u, 0, "phone"), d);
	assert_true(d->came_back);
	assert_int_equal(d->seen, clock_wall());
	assert_ptr_equal(device_find(u, d->id), d);
	assert_null(device_find(u, 0));
	assert_null(device_find(u, 1000));
	core_free(c);
}

/* One that asks for no resource is none; with one it is the same each time. */
static void
sessions_have_theirs(void **state)
{
	struct core *c = begin("");
	struct user *u = core_user(c, "alice");
	struct core_client phone, none;
	struct device *d;

	(void)state;
	client_login(&phone, c, "alice", "phone");
	d = LIST_FIRST(&u->sessions)->device;
	assert_string_equal(d->resource, "phone");
	client_login(&none, c, "alice", NULL);
	assert_null(LIST_FIRST(&u->sessions)->device);
	client_end(&phone);
	client_end(&none);
	core_run(c);
	assert_int_equal(u->session_count, 0);
	client_login(&phone, c, "alice", "phone");
	assert_ptr_equal(LIST_FIRST(&u->sessions)->device, d);
	assert_int_equal(u->device_count, 1);
	client_end(&phone);
	core_free(c);
}

/* devices-per-user: those that never came back go first. */
static void
the_least_wanted_is_forgotten(void **state)
{
	struct core *c = begin("devices-per-user='3'");
	struct user *u = core_user(c, "alice");

	(void)state;
	device_of(u, 0, "old");
	device_of(u, 0, "old");
	device_of(u, 0, "once");
	device_of(u, 0, "back");
	device_of(u, 0, "back");
	assert_devices(u, "old once back ");
	device_of(u, 0, "new");
	assert_devices(u, "old back new ");
	device_of(u, 0, "new");
	/* All came back: the one that was not seen for longest. */
	device_of(u, 0, "more");
	assert_devices(u, "back new more ");
	restart(c);
	assert_devices(core_user(c, "alice"), "back new more ");
	core_free(c);
}

/* However many there are. */
static void
one_in_use_stays(void **state)
{
	struct core *c = begin("devices-per-user='1'");
	struct user *u = core_user(c, "alice");
	struct core_client a, b;

	(void)state;
	client_login(&a, c, "alice", "a");
	client_login(&b, c, "alice", "b");
	assert_devices(u, "a b ");
	client_end(&a);
	core_run(c);
	device_of(u, 0, "c");
	assert_devices(u, "b c ");
	client_end(&b);
	core_free(c);
}

static void
all_of_it_is_saved(void **state)
{
	struct core *c = begin("");
	struct user *u = core_user(c, "alice");
	struct device *d = device_of(u, 7, "ph\303\266ne");
	uint64_t id = d->id, seen = d->seen, last;

	(void)state;
	d->cursor = UINT64_C(1) << 35;
	d->has_started = d->came_back = d->uses_carbons = true;
	device_save(u, d);
	d = device_of(u, 0, "other");
	d->uses_archive = true;
	device_save(u, d);
	last = d->id;
	restart(c);
	u = core_user(c, "alice");
	d = device_find(u, id);
	assert_string_equal(d->resource, "ph\303\266ne");
	assert_int_equal(d->view, 7);
	assert_true(d->cursor == UINT64_C(1) << 35);
	assert_true(d->seen == seen);
	assert_true(d->has_started && d->came_back && d->uses_carbons);
	assert_false(d->uses_archive);
	d = device_find(u, last);
	assert_false(d->has_started || d->came_back || d->uses_carbons);
	assert_true(d->uses_archive);
	/* No id is given twice. */
	assert_true(device_of(u, 0, "third")->id > last);
	core_free(c);
}

/* Who was seen last is so after a restart, whatever its number. */
static void
the_order_is_that_of_being_seen(void **state)
{
	struct core *c = begin("");
	struct user *u = core_user(c, "alice");
	char resource[16];

	(void)state;
	for (unsigned i = 0; i < 90; i++) {
		snprintf(resource, sizeof(resource), "d%u", i);
		device_of(u, 0, resource);
		clock_advance(1000);
	}
	device_of(u, 0, "d3");
	restart(c);
	u = core_user(c, "alice");
	assert_string_equal(TAILQ_FIRST(&u->devices)->resource, "d0");
	assert_string_equal(TAILQ_LAST(&u->devices, devices)->resource, "d3");
	assert_int_equal(u->device_count, 90);
	core_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_known_by_view_and_resource),
		cmocka_unit_test(sessions_have_theirs),
		cmocka_unit_test(the_least_wanted_is_forgotten),
		cmocka_unit_test(one_in_use_stays),
		cmocka_unit_test(all_of_it_is_saved),
		cmocka_unit_test(the_order_is_that_of_being_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

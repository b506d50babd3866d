#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/flights.h"

static void
add(struct flights *all, uint64_t number, uint64_t seq, const char *bytes)
{
	flights_add(all,
	    &(struct flight){ .number = number,
		.seq = seq,
		.bytes = bytes != NULL ? blob_new(bytes, strlen(bytes)) : NULL,
		.jid = seq == 0 && bytes == NULL ? mem_strdup("a@b/c") :
						   NULL });
}

static uint64_t
take(struct flights *all)
{
	struct flight f = flights_take(all);
	uint64_t number = f.number;

	flight_fini(&f);
	return number;
}

static void
there_is_nothing_at_first(void **state)
{
	struct flights all = { 0 };

	(void)state;
	assert_null(flights_first(&all));
	assert_null(flights_at(&all, 0));
	assert_int_equal(flights_first_entry(&all), 0);
	flights_fini(&all);
	flights_fini(&all);
}

static void
they_come_in_the_order_of_sending(void **state)
{
	struct flights all = { 0 };

	(void)state;
	for (uint64_t n = 1; n <= 100; n++)
		add(&all, n, n + 1000, NULL);
	assert_int_equal(all.count, 100);
	assert_int_equal(all.entries, 100);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(flights_at(&all, i)->number, i + 1);
	assert_null(flights_at(&all, 100));
	for (uint64_t n = 1; n <= 100; n++) {
		assert_int_equal(flights_first(&all)->number, n);
		assert_int_equal(flights_first_entry(&all), n + 1000);
		assert_int_equal(take(&all), n);
	}
	assert_int_equal(all.count, 0);
	assert_int_equal(all.entries, 0);
	/* Most streams are idle. */
	assert_null(all.ring);
}

/* Its places are used again and again. */
static void
the_ring_wraps_and_grows(void **state)
{
	struct flights all = { 0 };
	uint64_t in = 0, out = 0;

	(void)state;
	for (unsigned round = 0; round < 50; round++) {
		for (unsigned i = 0; i < 7; i++, in++)
			add(&all, in + 1, 1, NULL);
		for (unsigned i = 0; i < 5; i++)
			assert_int_equal(take(&all), ++out);
		for (uint32_t i = 0; i < all.count; i++)
			assert_int_equal(flights_at(&all, i)->number,
			    out + 1 + i);
	}
	assert_int_equal(all.cap, 128);
	for (unsigned round = 0; round < 1000; round++) {
		add(&all, ++in, 1, NULL);
		assert_int_equal(take(&all), ++out);
	}
	assert_int_equal(all.cap, 128);
	flights_fini(&all);
	assert_int_equal(all.count, 0);
}

static void
entries_and_bytes_are_counted(void **state)
{
	struct flights all = { 0 };

	(void)state;
	add(&all, 1, 0, "<iq/>");
	add(&all, 2, 0, NULL);
	add(&all, 3, 7, NULL);
	add(&all, 4, 0, "<message/>");
	add(&all, 5, 5, NULL);
	assert_int_equal(all.entries, 2);
	assert_int_equal(all.bytes, 15);
	/* The oldest, not the lowest: a playback may bring older ones later. */
	assert_int_equal(flights_first_entry(&all), 7);
	assert_int_equal(take(&all), 1);
	assert_int_equal(all.bytes, 10);
	assert_int_equal(take(&all), 2);
	assert_int_equal(take(&all), 3);
	assert_int_equal(all.entries, 1);
	assert_int_equal(flights_first_entry(&all), 5);
	assert_int_equal(take(&all), 4);
	assert_int_equal(all.bytes, 0);
	assert_int_equal(take(&all), 5);
	assert_int_equal(flights_first_entry(&all), 0);
}

/* It owns what a flight holds, until that is taken. */
static void
what_they_hold_goes_with_them(void **state)
{
	struct flights all = { 0 };
	struct blob *bytes = blob_new("<iq/>", 5);
	struct flight f = { .number = 1, .bytes = blob_ref(bytes) };

	(void)state;
	flights_add(&all, &f);
	f = flights_take(&all);
	assert_ptr_equal(f.bytes, bytes);
	flight_fini(&f);
	assert_null(f.bytes);
	flight_fini(&f);
	f.bytes = blob_ref(bytes);
	flights_add(&all, &f);
	flights_fini(&all);
	assert_int_equal(blob_len(bytes), 5);
	blob_unref(&bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_is_nothing_at_first),
		cmocka_unit_test(they_come_in_the_order_of_sending),
		cmocka_unit_test(the_ring_wraps_and_grows),
		cmocka_unit_test(entries_and_bytes_are_counted),
		cmocka_unit_test(what_they_hold_goes_with_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

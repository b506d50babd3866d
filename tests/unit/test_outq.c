#include "support_io.h"

#include "io/outq.h"

static void
add(struct outq *q, uint64_t turn, const char *head, const char *body,
    const char *tail)
{
	struct blob *blob = body ? blob_new(body, strlen(body)) : NULL;

	outq_add(q, turn, head, strlen(head), blob, tail);
	blob_unref(&blob);
}

static const char *
gather(struct outq *q, uint64_t committed, size_t size)
{
	static char out[4096];
	size_t len = outq_gather(q, committed, UINT64_MAX, out, size);

	out[len] = '\0';
	return out;
}

static void
test_parts_and_order(void **state)
{
	struct outq q = { 0 };

	(void)state;
	assert_string_equal(gather(&q, 9, 100), "");
	add(&q, 1, "<a>", "body", "</a>");
	add(&q, 1, "<b/>", NULL, NULL);
	add(&q, 1, "", "c", NULL);
	add(&q, 1, "", NULL, " ");
	assert_int_equal(q.bytes, 17);
	assert_string_equal(gather(&q, 1, 100), "<a>body</a><b/>c ");
	assert_int_equal(q.count, 4);
	outq_advance(&q, 17);
	assert_int_equal(q.count, 0);
	assert_int_equal(q.sent, 4);
	assert_int_equal(q.written, 4);
	assert_null(q.ring);
	assert_null(q.heads);
}

/* However it is cut, what comes out is the same. */
static void
test_cut_everywhere(void **state)
{
	static const char whole[] = "<a>body</a><b/>ctail";
	struct outq q = { 0 };
	size_t len = sizeof(whole) - 1;

	(void)state;
	for (size_t cut = 1; cut < len; cut++) {
		add(&q, 1, "<a>", "body", "</a>");
		add(&q, 1, "<b/>", NULL, NULL);
		add(&q, 1, "", "c", "tail");
		assert_string_equal(gather(&q, 1, 100), whole);
		outq_advance(&q, cut);
		assert_string_equal(gather(&q, 1, 100), whole + cut);
		assert_memory_equal(gather(&q, 1, 3), whole + cut,
		    len - cut < 3 ? len - cut : 3);
		assert_int_equal(q.bytes, len - cut);
		outq_advance(&q, len - cut);
		assert_int_equal(q.count, 0);
	}
}

static void
test_written_whole_only(void **state)
{
	struct outq q = { 0 };

	(void)state;
	add(&q, 1, "abc", NULL, NULL);
	add(&q, 1, "def", NULL, NULL);
	outq_advance(&q, 2);
	assert_int_equal(q.written, 0);
	outq_advance(&q, 3);
	assert_int_equal(q.written, 1);
	assert_int_equal(q.count, 1);
	outq_clear(&q);
	assert_int_equal(q.written, 1);
	assert_int_equal(q.sent, 2);
	assert_int_equal(q.bytes, 0);
}

static void
test_gates(void **state)
{
	struct outq q = { 0 };
	char out[16];

	(void)state;
	add(&q, 1, "a", NULL, NULL);
	add(&q, 2, "b", NULL, NULL);
	add(&q, 3, "c", NULL, NULL);
	assert_string_equal(gather(&q, 0, 100), "");
	assert_string_equal(gather(&q, 2, 100), "ab");
	assert_string_equal(gather(&q, 3, 100), "abc");
	assert_int_equal(outq_gather(&q, 3, 1, out, sizeof(out)), 1);
	assert_int_equal(outq_gather(&q, 3, 0, out, sizeof(out)), 0);
	outq_clear(&q);
}

/* The ring wraps and grows, the heads move: against a plain string. */
static void
test_long_run(void **state)
{
	struct outq q = { 0 };
	struct buf wanted = { 0 };
	unsigned seed = 7;
	char head[64];
	size_t take;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		seed = seed * 1103515245 + 12345;
		snprintf(head, sizeof(head), "<%0*d>", (int)(seed >> 16) % 30,
		    i);
		add(&q, 1, head, i % 3 ? "body" : NULL, i % 2 ? "/" : NULL);
		buf_printf(&wanted, "%s%s%s", head, i % 3 ? "body" : "",
		    i % 2 ? "/" : "");
		assert_int_equal(q.bytes, wanted.len);
		if (seed / 1024 % 4 == 0)
			continue;
		take = strlen(gather(&q, 1, seed / 4096 % 200));
		assert_memory_equal(gather(&q, 1, take), wanted.data, take);
		outq_advance(&q, take);
		buf_consume(&wanted, take);
	}
	outq_clear(&q);
	buf_free(&wanted);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts_and_order),
		cmocka_unit_test(test_cut_everywhere),
		cmocka_unit_test(test_written_whole_only),
		cmocka_unit_test(test_gates),
		cmocka_unit_test(test_long_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* For tests whose state is an arena of their own: TEST(name) in the list of them. */
#ifndef UNIT_SUPPORT_ARENA_H
#define UNIT_SUPPORT_ARENA_H

#include "base/arena.h"

static inline int
arena_set_up(void **state)
{
	*state = arena_new();
	return 0;
}

static inline int
arena_tear_down(void **state)
{
	arena_free((struct arena **)state);
	return 0;
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, arena_set_up, arena_tear_down)

#endif

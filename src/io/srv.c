#include "io/srv.h"

#include <stdlib.h>

#include "base/random.h"

static void
swap(struct srv *a, struct srv *b)
{
	struct srv kept = *a;

	*a = *b;
	*b = kept;
}

static void
shuffle(struct srv *list, size_t count)
{
	size_t i;

	for (i = count; i > 1; i--)
		swap(&list[i - 1], &list[random_below(i)]);
}

/* Weight 0 leads its priority: that is what gives it its small chance. */
static int
compare(const void *left, const void *right)
{
	const struct srv *a = left, *b = right;

	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	return (a->weight != 0) - (b->weight != 0);
}

/* The next one of a priority; the sum is inclusive in RFC 2782. */
static size_t
pick(const struct srv *list, size_t count)
{
	uint64_t sum = 0, drawn;
	size_t i;

	for (i = 0; i < count; i++)
		sum += list[i].weight;
	drawn = random_below(sum + 1);
	for (i = 0, sum = 0; i + 1 < count; i++) {
		sum += list[i].weight;
		if (sum >= drawn)
			break;
	}
	return i;
}

/* Moves one to the front; the others keep their order, weight 0 first. */
static void
to_front(struct srv *list, size_t which)
{
	for (; which > 0; which--)
		swap(&list[which], &list[which - 1]);
}

static void
order_equals(struct srv *list, size_t count)
{
	for (; count > 1; list++, count--)
		to_front(list, pick(list, count));
}

void
srv_order(struct srv *list, size_t count)
{
	size_t start, end;

	if (count < 2)
		return;
	shuffle(list, count);
	qsort(list, count, sizeof(*list), compare);
	for (start = 0; start < count; start = end) {
		end = start + 1;
		while (
		    end < count && list[end].priority == list[start].priority)
			end++;
		order_equals(list + start, end - start);
	}
}

#include "base/clock.h"

#include <stdbool.h>
#include <time.h>

static struct {
	bool on;
	uint64_t now, wall;
} fake;

static uint64_t
read_clock(clockid_t which)
{
	struct timespec ts;

	clock_gettime(which, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t
clock_now(void)
{
	return fake.on ? fake.now : read_clock(CLOCK_MONOTONIC);
}

uint64_t
clock_micros(void)
{
	struct timespec ts;

	if (fake.on)
		return fake.now * 1000;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t
clock_wall(void)
{
	return fake.on ? fake.wall : read_clock(CLOCK_REALTIME);
}

void
clock_fake(uint64_t now, uint64_t wall)
{
	fake.on = true;
	fake.now = now;
	fake.wall = wall;
}

void
clock_advance(uint64_t ms)
{
	fake.now += ms;
	fake.wall += ms;
}

void
clock_real(void)
{
	fake.on = false;
}

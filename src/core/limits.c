#include "core/limits.h"

const struct limit_info limit_table[] = {
#define LIMITS_ROW(field, name, value, least, most) \
	{ name, offsetof(struct limits, field), value, least, most },
	LIMITS(LIMITS_ROW)
#undef LIMITS_ROW
	    { NULL, 0, 0, 0, 0 },
};

void
limits_init(struct limits *limits)
{
#define LIMITS_DEFAULT(field, name, value, least, most) limits->field = value;
	LIMITS(LIMITS_DEFAULT)
#undef LIMITS_DEFAULT
}

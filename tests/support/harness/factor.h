/* How often a fault is tried. */
#ifndef TESTS_SUPPORT_HARNESS_FACTOR_H
#define TESTS_SUPPORT_HARNESS_FACTOR_H

#include <stdlib.h>

/* `count` times what OTLOG_FAULTS_FACTOR says, 1 if it is not set: tests/run.sh --nightly sets it to 10. */
static inline unsigned
faults_count(unsigned count)
{
	const char *factor = getenv("OTLOG_FAULTS_FACTOR");
	unsigned long times = factor ? strtoul(factor, NULL, 10) : 1;
	return count * (unsigned)(times > 0 && times < 1000 ? times : 1);
}

#endif

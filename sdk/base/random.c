#include "sdk/base/random.h"

#include "sdk/base/clock.h"

#include <sys/random.h>

uint64_t
otlog__random_u64(void)
{
	uint64_t bits;
	if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) == (ssize_t)sizeof bits)
		return bits;
	/* Early at boot, or under a filter: unequal is all that is asked. */
	bits = otlog__monotonic_nano() ^ otlog__unix_nano() << 20 ^ (uint64_t)(uintptr_t)&bits;
	bits = (bits ^ bits >> 31) * UINT64_C(0x9e3779b97f4a7c15);
	return bits ^ bits >> 29;
}

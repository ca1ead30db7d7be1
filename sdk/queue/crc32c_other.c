#if !defined(__x86_64__) && !defined(__aarch64__)

#include "sdk/queue/crc32c_hardware.h"

#include "sdk/queue/crc32c.h"

bool
otlog__crc32c_has_hardware(void)
{
	return false;
}

uint32_t
otlog__crc32c_by_hardware(uint32_t crc, const void *data, size_t size)
{
	return otlog__crc32c_portable(crc, data, size);
}

#else
typedef int otlog__not_this_architecture;
#endif

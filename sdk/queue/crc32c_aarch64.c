#if defined(__aarch64__)

#include "sdk/queue/crc32c_hardware.h"

#include <arm_acle.h>
#include <asm/hwcap.h>
#include <string.h>
#include <sys/auxv.h>

bool
otlog__crc32c_has_hardware(void)
{
	return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0; /* a look into the process's own memory */
}

#if defined(__clang__)
__attribute__((target("crc")))
#else
__attribute__((target("+crc")))
#endif
uint32_t
otlog__crc32c_by_hardware(uint32_t crc, const void *data, size_t size)
{
	const uint8_t *byte = data;
	crc = ~crc;
	for (; size >= 8; size -= 8, byte += 8) {
		uint64_t word;
		memcpy(&word, byte, sizeof word);
		crc = __crc32cd(crc, word);
	}
	for (; size; size--)
		crc = __crc32cb(crc, *byte++);
	return ~crc;
}

#else
typedef int otlog__not_this_architecture;
#endif

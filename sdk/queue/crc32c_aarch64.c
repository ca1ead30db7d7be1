#if defined(__aarch64__)

#include "sdk/queue/crc32c_hardware.h"

#include <asm/hwcap.h>
#include <string.h>
#include <sys/auxv.h>

bool
otlog__crc32c_has_hardware(void)
{
	return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0; /* a look into the process's own memory */
}

/* Clang declares the intrinsics only where the whole file may use them. */
#if defined(__clang__)
#define USES_CRC __attribute__((target("crc")))
#define ADD_WORD __builtin_arm_crc32cd
#define ADD_BYTE __builtin_arm_crc32cb
#else
#include <arm_acle.h>
#define USES_CRC __attribute__((target("+crc")))
#define ADD_WORD __crc32cd
#define ADD_BYTE __crc32cb
#endif

USES_CRC uint32_t
otlog__crc32c_by_hardware(uint32_t crc, const void *data, size_t size)
{
	const uint8_t *byte = data;
	crc = ~crc;
	for (; size >= 8; size -= 8, byte += 8) {
		uint64_t word;
		memcpy(&word, byte, sizeof word);
		crc = ADD_WORD(crc, word);
	}
	for (; size; size--)
		crc = ADD_BYTE(crc, *byte++);
	return ~crc;
}

#else
typedef int otlog__not_this_architecture;
#endif

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

/* In assembler: compilers disagree about how a single function is told of the extension. */
static inline uint32_t
add_word(uint32_t crc, uint64_t word)
{
	__asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(crc) : "r"(word));
	return crc;
}

static inline uint32_t
add_byte(uint32_t crc, uint8_t byte)
{
	__asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(crc) : "r"((uint32_t)byte));
	return crc;
}

uint32_t
otlog__crc32c_by_hardware(uint32_t crc, const void *data, size_t size)
{
	const uint8_t *byte = data;
	crc = ~crc;
	for (; size >= 8; size -= 8, byte += 8) {
		uint64_t word;
		memcpy(&word, byte, sizeof word);
		crc = add_word(crc, word);
	}
	for (; size; size--)
		crc = add_byte(crc, *byte++);
	return ~crc;
}

#else
typedef int otlog__not_this_architecture;
#endif

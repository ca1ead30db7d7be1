/* A .meta file made of any bytes. If the first is odd the checksums of its entries are put right first. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sdk/queue/crc32c.h"
#include "sdk/queue/meta.h"

#define SALT UINT64_C(7)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void
check(bool condition)
{
	if (!condition)
		abort();
}

/* Entries as the input has them, each with a checksum that fits. */
static void
write_entries(int fd, const uint8_t *bytes, size_t size)
{
	otlog__meta_entry entry;
	while (size >= sizeof entry) {
		memcpy(&entry, bytes, sizeof entry);
		entry.size %= 64;
		entry.kind %= 5;
		bytes += sizeof entry;
		size -= sizeof entry;
		uint32_t take = entry.size < size ? entry.size : (uint32_t)size;
		entry.size = take;
		check(otlog__meta_append(fd, entry.kind, entry.number, bytes, take, NULL, 0));
		bytes += take;
		size -= take;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static int fd = -1;
	otlog__meta meta;
	otlog__meta_header header = { .magic = OTLOG__META_MAGIC,
		                      .byte_order = OTLOG__BYTE_ORDER,
		                      .version = OTLOG__QUEUE_VERSION,
		                      .salt = SALT };
	if (size == 0)
		return 0;
	if (fd < 0)
		fd = memfd_create("meta", MFD_CLOEXEC);
	check(fd >= 0 && ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	if (bytes[0] & 1) {
		check(write(fd, &header, sizeof header) == (ssize_t)sizeof header);
		write_entries(fd, bytes + 1, size - 1);
	} else {
		check(write(fd, bytes, size) == (ssize_t)size);
	}
	if (otlog__meta_read(&meta, fd, SALT)) {
		check(!(bytes[0] & 1) || meta.whole);
		for (uint32_t number = 0; number <= UINT16_MAX; number += number < 64 ? 1 : 4001) {
			otlog__scope_bytes scope = otlog__scopes_get(meta.scopes, (uint16_t)number);
			check(scope.head_size + scope.tail_size <= size);
		}
	}
	otlog__meta_free(&meta);
	return 0;
}

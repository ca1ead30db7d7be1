#include "sdk/queue/file_header.h"

#include "sdk/queue/crc32c.h"
#include "sdk/queue/queue.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void
otlog__boot_id(char out[40])
{
	memset(out, 0, 40);
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t size = read(fd, out, 36);
	if (size != 36)
		memset(out, 0, 40);
	close(fd);
}

bool
otlog__boot_id_is_ours(const char boot_id[40])
{
	char ours[40];
	otlog__boot_id(ours);
	return ours[0] != '\0' && memcmp(ours, boot_id, sizeof ours) == 0;
}

static bool
sizes_fit(const otlog__queue_header *h)
{
	return h->lanes >= 1 && h->lanes <= OTLOG__QUEUE_MAX_LANES && h->pipelines >= 1 &&
	       h->pipelines <= OTLOG__LAYOUT_PIPELINES && h->lane_bytes >= OTLOG__MIN_LANE_BYTES &&
	       h->lane_bytes <= OTLOG__MAX_LANE_BYTES && (h->lane_bytes & (h->lane_bytes - 1)) == 0 &&
	       h->data_offset == otlog__layout_data_offset(h->lanes);
}

static otlog__header_kind
kind_of(const otlog__queue_header *h)
{
	if (memcmp(h->magic, OTLOG__QUEUE_MAGIC, sizeof h->magic) != 0)
		return OTLOG__HEADER_DAMAGED;
	bool sound = h->crc == otlog__crc32c(0, h, offsetof(otlog__queue_header, crc));
	/* Another version has its checksum elsewhere, another byte order has it turned round. */
	if (h->byte_order == __builtin_bswap32(OTLOG__BYTE_ORDER) ||
	    (h->byte_order == OTLOG__BYTE_ORDER && h->version != OTLOG__QUEUE_VERSION && h->version < 1000) ||
	    (sound && h->word_bytes != sizeof(void *)))
		return OTLOG__HEADER_FOREIGN;
	return sound && sizes_fit(h) ? OTLOG__HEADER_SOUND : OTLOG__HEADER_DAMAGED;
}

static bool
is_zero(const uint8_t *bytes, size_t size)
{
	return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

otlog__header_kind
otlog__header_read(const uint8_t page[OTLOG__CONTROL_PAGE], uint64_t file_bytes, otlog__queue_header *header)
{
	otlog__queue_header copy;
	memcpy(header, page, sizeof *header);
	memcpy(&copy, page + OTLOG__QUEUE_COPY_OFFSET, sizeof copy);
	otlog__header_kind first = kind_of(header);
	if (first == OTLOG__HEADER_SOUND)
		return first;
	if (kind_of(&copy) == OTLOG__HEADER_SOUND) {
		*header = copy;
		return OTLOG__HEADER_SOUND;
	}
	if (file_bytes <= OTLOG__CONTROL_PAGE || is_zero(page, OTLOG__CONTROL_PAGE))
		return OTLOG__HEADER_EMPTY;
	return first;
}

otlog__sealed_words
otlog__sealed_words_of(const uint8_t *control_page)
{
	const otlog__lane_page *page = (const otlog__lane_page *)(const void *)control_page;
	/* Relaxed: nobody writes any more. */
	return (otlog__sealed_words){
		.tail = atomic_load_explicit(&page->producer.tail, memory_order_relaxed),
		.accepted = atomic_load_explicit(&page->producer.accepted, memory_order_relaxed),
		.start = atomic_load_explicit(&page->released.position, memory_order_relaxed),
		.start_seq = atomic_load_explicit(&page->released.seq, memory_order_relaxed),
	};
}

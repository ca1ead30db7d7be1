/*
 * A queue's file made of any bytes. The first byte chooses: the input as the file itself; or as a script that puts good
 * and bad frames into a lane, which random bytes alone would never make, and words into its control page.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sdk/queue/crc32c.h"
#include "sdk/queue/recovery/image.h"

#define LANE_BYTES OTLOG__MIN_LANE_BYTES
#define PIPELINES 3u
#define FILE_BYTES (OTLOG__DATA_ALIGN + LANE_BYTES)
#define SALT UINT64_C(0x0123456789abcdef)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static uint8_t file[FILE_BYTES];

static void
check(bool condition)
{
	if (!condition)
		abort();
}

/* One step of the script: 8 bytes. */
typedef struct step {
	uint8_t kind;
	uint8_t mask;
	uint16_t offset; /* units of 8, modulo the lane */
	uint16_t size;
	uint16_t seq;
} step;

static void
put_frame(const step *s, uint8_t *lane, bool checksums)
{
	uint64_t offset = (uint64_t)s->offset * 8 % LANE_BYTES;
	otlog__frame frame = { .size = s->size % 4096, .pipelines = s->mask, .scope = s->kind & 4, .seq = s->seq };
	if (s->kind & 8)
		frame.scope = OTLOG__SCOPE_SKIP;
	if (offset + otlog__frame_bytes(frame.size) > LANE_BYTES || frame.size < 4)
		return;
	frame.check = otlog__frame_check(&frame, 0, SALT);
	memcpy(lane + offset, &frame, sizeof frame);
	if (checksums && !(s->kind & 16)) {
		uint32_t crc = otlog__crc32c(frame.check, lane + offset + sizeof frame, frame.size - 4);
		memcpy(lane + offset + sizeof frame + frame.size - 4, &crc, sizeof crc);
	}
}

static void
put_word(const step *s, uint8_t *page)
{
	static const size_t words[] = { offsetof(otlog__lane_page, producer.tail),
		                        offsetof(otlog__lane_page, producer.accepted),
		                        offsetof(otlog__lane_page, released.position),
		                        offsetof(otlog__lane_page, released.seq) };
	size_t at = s->size % 8 < 4
	                ? words[s->size % 4]
	                : offsetof(otlog__lane_page, pipeline) +
	                      (s->size / 8 % PIPELINES) * sizeof(otlog__lane_cursor) + (s->size / 64 % 3) * 8;
	uint64_t value =
	    s->kind & 16 ? (uint64_t)s->seq << 48 | s->offset : (uint64_t)s->offset * (s->kind & 4 ? 8 : 1);
	memcpy(page + at, &value, sizeof value);
}

/* The file that the script makes. */
static void
make_file(const uint8_t *bytes, size_t size, uint8_t choice)
{
	otlog__queue_header header = { .magic = OTLOG__QUEUE_MAGIC,
		                       .byte_order = OTLOG__BYTE_ORDER,
		                       .version = OTLOG__QUEUE_VERSION,
		                       .word_bytes = sizeof(void *),
		                       .flags = choice & 2 ? OTLOG__QUEUE_PAYLOAD_CRC : 0,
		                       .lanes = 1,
		                       .pipelines = PIPELINES,
		                       .lane_bytes = LANE_BYTES,
		                       .data_offset = otlog__layout_data_offset(1),
		                       .salt = SALT };
	memset(file, 0, sizeof file);
	if (choice & 4)
		otlog__boot_id(header.boot_id);
	header.crc = otlog__crc32c(0, &header, offsetof(otlog__queue_header, crc));
	memcpy(file, &header, sizeof header);
	for (size_t at = 0; at + sizeof(step) <= size; at += sizeof(step)) {
		step s;
		memcpy(&s, bytes + at, sizeof s);
		if (s.kind % 4 == 0)
			put_word(&s, file + OTLOG__CONTROL_PAGE);
		else if (s.kind % 4 == 1)
			file[header.data_offset + s.offset % LANE_BYTES] ^= (uint8_t)s.size;
		else
			put_frame(&s, file + header.data_offset, choice & 2);
	}
}

static void
check_runs(const otlog__image *image, const otlog__image_lane *lane)
{
	uint64_t end = 0;
	for (uint32_t i = 0; i < lane->run_count; i++) {
		const otlog__run *run = &lane->runs[i];
		check(run->frames && run->start < run->end && (uint64_t)run->end * 8 <= image->header.lane_bytes);
		check((i == 0 || run->seq >= end) && run->seq + run->frames <= lane->end_seq);
		end = run->seq + run->frames;
	}
}

/* What reading gives is what was counted. */
static void
check_reading(const otlog__image *image, uint32_t number, const otlog__image_lane *lane)
{
	otlog__buffer bytes = { 0 };
	otlog__image_refs refs = { 0 };
	for (uint32_t p = 0; p < image->header.pipelines; p++) {
		const otlog__image_reader *reader = &lane->readers[p];
		otlog__image_at at = { .seq = reader->consumed };
		uint64_t records = 0;
		uint32_t taken;
		while ((taken = otlog__image_read(image, number, lane, UINT32_C(1) << p, &at, 7, 300, &bytes, &refs))) {
			for (uint32_t i = 0; i < taken; i++)
				check(refs.refs[i].bytes >= bytes.data &&
				      refs.refs[i].bytes + refs.refs[i].size <= bytes.data + bytes.size);
			records += taken;
		}
		check(records == reader->waiting);
		check(at.lost + otlog__image_lost_from(lane, at.seq) == reader->lost);
		check(reader->consumed + reader->waiting + reader->lost <= lane->end_seq || reader->waiting == 0);
	}
	otlog__buffer_free(&bytes);
	free(refs.refs);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static int fd = -1;
	otlog__image image;
	if (size == 0)
		return 0;
	if (fd < 0)
		fd = memfd_create("queue", MFD_CLOEXEC);
	check(fd >= 0 && ftruncate(fd, 0) == 0);
	if (bytes[0] & 1) {
		make_file(bytes + 1, size - 1, bytes[0]);
		check(pwrite(fd, file, sizeof file, 0) == (ssize_t)sizeof file);
	} else {
		check(pwrite(fd, bytes, size, 0) == (ssize_t)size);
	}
	if (otlog__image_open(&image, fd) != OTLOG__HEADER_SOUND)
		return 0;
	for (uint32_t number = 0; number < image.header.lanes; number++) {
		otlog__image_lane lane;
		if (otlog__image_load(&image, number, &lane)) {
			check_runs(&image, &lane);
			check_reading(&image, number, &lane);
		}
		otlog__image_lane_free(&lane);
	}
	return 0;
}

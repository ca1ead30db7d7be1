/*
 * Segments of a spool that somebody has written over. The input says how many entries there are, and then what is changed
 * where: every entry that was not touched is handed out, in order, and nothing else. What is left of the input is read as
 * a header page.
 */
#include "sdk/queue/spool/spool_segment.h"
#include "tests/support/harness/check.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SALT UINT64_C(0x5151515151515151)
#define FIRST UINT64_C(1000)
#define MOST_ENTRIES 16u
#define MOST_BYTES 8192u

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

typedef struct image {
	uint8_t bytes[OTLOG__SPOOL_PAGE + MOST_BYTES];
	uint64_t end;
	uint64_t position[MOST_ENTRIES + 1];
	uint32_t count;
	uint32_t touched; /* a bit for each entry */
} image;

static uint8_t
next(const uint8_t **bytes, size_t *size)
{
	if (*size == 0)
		return 0;
	(*size)--;
	return *(*bytes)++;
}

static void
write_entries(image *im, const uint8_t **bytes, size_t *size)
{
	im->count = next(bytes, size) % (MOST_ENTRIES + 1);
	im->end = OTLOG__SPOOL_PAGE;
	for (uint32_t i = 0; i < im->count; i++) {
		uint32_t request_size = 1 + next(bytes, size);
		uint8_t *at = im->bytes + im->end;
		memset(at + sizeof(otlog__spool_entry), (int)(i + 1), request_size);
		otlog__spool_entry entry =
		    otlog__spool_entry_make(SALT, FIRST + i, i + 1, at + sizeof entry, request_size);
		memcpy(at, &entry, sizeof entry);
		im->position[i] = im->end;
		im->end += otlog__spool_entry_bytes(request_size);
	}
	im->position[im->count] = im->end;
}

/* Flips bits. */
static void
write_over(image *im, const uint8_t **bytes, size_t *size)
{
	for (uint32_t changes = next(bytes, size) % 32; changes && im->count; changes--) {
		uint64_t at = (uint64_t)next(bytes, size) << 8 | next(bytes, size);
		uint8_t by = next(bytes, size);
		at = OTLOG__SPOOL_PAGE + at % (im->end - OTLOG__SPOOL_PAGE);
		im->bytes[at] ^= by;
		for (uint32_t i = 0; i < im->count; i++)
			if (by && at >= im->position[i] && at < im->position[i + 1])
				im->touched |= UINT32_C(1) << i;
	}
}

static void
read_back(const image *im, const uint8_t **bytes, size_t *size)
{
	static int fd = -1;
	static otlog__buffer out;
	if (fd < 0)
		fd = memfd_create("segment", MFD_CLOEXEC);
	uint64_t cut = next(bytes, size);
	uint64_t end = im->end - OTLOG__SPOOL_PAGE > cut ? im->end - cut : OTLOG__SPOOL_PAGE;
	CHECK(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, im->bytes, end, 0) == (ssize_t)end);
	otlog__spool_range range = { .fd = fd, .salt = SALT, .first = FIRST, .limit = UINT64_MAX, .end = end };
	otlog__spool_cursor cursor = { .position = OTLOG__SPOOL_PAGE, .number = FIRST };
	otlog__spool_entry entry;
	uint64_t damaged = 0, expected = FIRST;
	uint32_t seen = 0;
	while (otlog__spool_next_entry(&range, &cursor, &out, &entry, &damaged) == OTLOG__SPOOL_ENTRY) {
		CHECK(entry.number >= expected && entry.number < FIRST + im->count && out.size == entry.size);
		expected = entry.number + 1;
		uint32_t index = (uint32_t)(entry.number - FIRST);
		CHECK(entry.records == index + 1);
		for (size_t i = 0; i < out.size; i++)
			CHECK(out.data[i] == index + 1);
		seen |= UINT32_C(1) << index;
	}
	for (uint32_t i = 0; i < im->count; i++)
		CHECK(im->position[i + 1] > end || (im->touched >> i & 1) || (seen >> i & 1));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static image im;
	memset(&im, 0, sizeof im);
	write_entries(&im, &bytes, &size);
	write_over(&im, &bytes, &size);
	read_back(&im, &bytes, &size);

	uint8_t page[OTLOG__SPOOL_PAGE] = { 0 };
	otlog__spool_header header;
	otlog__spool_cursor cursor;
	uint64_t generation;
	memcpy(page, bytes, size < sizeof page ? size : sizeof page);
	if (otlog__spool_page_header(page, &header) == OTLOG__SPOOL_HEADER_OURS)
		CHECK(memchr(header.pipeline_name, '\0', sizeof header.pipeline_name));
	otlog__spool_page_done(page, SALT, FIRST, &cursor, &generation);
	CHECK(cursor.position >= OTLOG__SPOOL_PAGE && cursor.position % 8 == 0 && cursor.number >= FIRST);
	return 0;
}

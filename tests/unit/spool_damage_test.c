/*
 * Segments with every bit flipped in turn, and cut off after every byte: every intact entry is handed out, nothing else
 * is, and what was lost is counted.
 */
#include "tests/support/harness/cmocka.h"

#include "sdk/queue/crc32c.h"
/* What a segment file looks like: it is written here, and damaged at every bit. */
#include "sdk/queue/spool/spool_segment.h"
#include "tests/support/harness/check.h"
#include "tests/support/queues/spool_folder.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (UINT64_C(1) << 20)
#define ENTRIES 5u
#define SIZE 37u /* with three bytes of padding */
#define ENTRY_BYTES 64u
#define PER_SEGMENT 3u

_Static_assert((sizeof(otlog__spool_entry) + SIZE + 7) / 8 * 8 == ENTRY_BYTES, "as the file has it");

static uint32_t
records_of(uint64_t mark)
{
	return 1 + (uint32_t)mark % 4;
}

static uint64_t
position_of(uint64_t index)
{
	return OTLOG__SPOOL_PAGE + index * ENTRY_BYTES;
}

/* A segment of the chain `salt` with entries of these marks; its numbers are marks + 1. */
static void
write_segment(uint32_t number, uint64_t salt, uint64_t first_mark, uint32_t count)
{
	mkdirat(folder.directory, SPOOL_NAME ".spool", 0700);
	int inside = openat(folder.directory, SPOOL_NAME ".spool", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(inside >= 0);
	otlog__spool_header header;
	otlog__spool_header_fill(&header, salt, SPOOL_PIPELINE, SPOOL_PIPELINE_NAME);
	header.started_unix_nano = salt;
	header.segment = number;
	header.first = first_mark + 1;
	otlog__spool_segment segment;
	assert_true(otlog__spool_segment_create(&segment, inside, &header));
	for (uint64_t mark = first_mark; mark < first_mark + count; mark++) {
		uint8_t request[SIZE];
		spool_request_fill(request, SIZE, mark);
		otlog__spool_entry entry = otlog__spool_entry_make(salt, mark + 1, records_of(mark), request, SIZE);
		assert_true(otlog__spool_segment_write(&segment, &entry, request));
		segment.end += ENTRY_BYTES;
	}
	otlog__spool_segment_close(&segment);
	close(inside);
}

/* What reading the folder gave. */
typedef struct outcome {
	uint64_t marks; /* a bit each, of what was handed out */
	otlog__spool_files_books books;
	otlog__spool_segments totals;
} outcome;

static outcome
read_folder(bool adopt)
{
	outcome result = { 0 };
	otlog__buffer out = { 0 };
	uint64_t number, mark, at_least = 0;
	uint32_t records;
	otlog__spool_files *files = otlog__spool_files_open(folder.directory, SPOOL_NAME, adopt);
	assert_non_null(files);
	otlog__spool_files_count_segments(files, &result.totals);
	assert_in_range(otlog__spool_files_pipeline_count(files), 0, 1);
	while (otlog__spool_files_pipeline_count(files) &&
	       (records = otlog__spool_files_take(files, 0, &out, &number))) {
		assert_int_equal(out.size, SIZE);
		memcpy(&mark, out.data, sizeof mark);
		assert_true(mark >= at_least && mark < 64); /* in order, none twice */
		assert_true(spool_request_is(out.data, SIZE, mark));
		assert_int_equal(records, records_of(mark));
		assert_int_equal(number, mark + 1);
		at_least = mark + 1;
		result.marks |= UINT64_C(1) << mark;
		otlog__spool_files_finish(files, 0, number);
	}
	if (otlog__spool_files_pipeline_count(files))
		otlog__spool_files_take_books(files, 0, &result.books);
	assert_int_equal(result.books.waiting, 0);
	otlog__spool_files_close(files);
	otlog__buffer_free(&out);
	return result;
}

#define ALL(count) ((UINT64_C(1) << (count)) - 1)

/* What a bit flipped at this byte does to the entries of a segment that nothing follows. */
static void
check_flip(uint64_t at, const outcome *got)
{
	if (at < OTLOG__SPOOL_PAGE || (at - OTLOG__SPOOL_PAGE) % ENTRY_BYTES >= sizeof(otlog__spool_entry) + SIZE) {
		assert_int_equal(got->marks, ALL(ENTRIES));
		assert_int_equal(got->books.lost_entries + got->books.damaged, 0);
		return;
	}
	uint64_t hit = (at - OTLOG__SPOOL_PAGE) / ENTRY_BYTES, within = (at - OTLOG__SPOOL_PAGE) % ENTRY_BYTES;
	assert_int_equal(got->marks, ALL(ENTRIES) & ~(UINT64_C(1) << hit));
	bool head_lost = within < offsetof(otlog__spool_entry, check) ||
	                 (within >= offsetof(otlog__spool_entry, head) && within < sizeof(otlog__spool_entry));
	assert_int_equal(got->books.lost_entries, head_lost);
	assert_int_equal(got->books.damaged, head_lost ? 0 : records_of(hit));
}

static void
every_bit_of_a_segment_flipped(void **state)
{
	(void)state;
	write_segment(1, 77, 0, ENTRIES);
	spool_bytes bytes = spool_bytes_load(&folder, 1);
	assert_int_equal(bytes.size, position_of(ENTRIES));
	for (uint64_t at = 0; at < bytes.size; at++) {
		if (at == sizeof(otlog__spool_header))
			at = OTLOG__SPOOL_SECOND_HEADER;
		if (at == OTLOG__SPOOL_SECOND_HEADER + sizeof(otlog__spool_header))
			at = OTLOG__SPOOL_DONE;
		if (at == OTLOG__SPOOL_SECOND_DONE + sizeof(otlog__spool_done))
			at = OTLOG__SPOOL_PAGE;
		for (uint32_t bit = 0; bit < 8; bit++) {
			bytes.data[at] ^= (uint8_t)(1u << bit);
			spool_bytes_store(&folder, 1, bytes.data, bytes.size);
			outcome got = read_folder(false);
			assert_int_equal(got.totals.readable, 1);
			check_flip(at, &got);
			bytes.data[at] ^= (uint8_t)(1u << bit);
		}
	}
	spool_bytes_free(&bytes);
}

static void
every_bit_of_done_slots_flipped(void **state)
{
	(void)state;
	write_segment(1, 77, 0, ENTRIES);
	otlog__spool_files *files = otlog__spool_files_open(folder.directory, SPOOL_NAME, true);
	otlog__buffer out = { 0 };
	uint64_t number;
	for (int i = 0; i < 3; i++) {
		assert_true(otlog__spool_files_take(files, 0, &out, &number) > 0);
		otlog__spool_files_finish(files, 0, number);
	}
	otlog__spool_files_close(files);
	otlog__buffer_free(&out);
	spool_bytes bytes = spool_bytes_load(&folder, 1);
	for (uint64_t at = OTLOG__SPOOL_DONE; at < OTLOG__SPOOL_SECOND_DONE + sizeof(otlog__spool_done); at++) {
		if (at == OTLOG__SPOOL_DONE + sizeof(otlog__spool_done))
			at = OTLOG__SPOOL_SECOND_DONE;
		for (uint32_t bit = 0; bit < 8; bit++) {
			bytes.data[at] ^= (uint8_t)(1u << bit);
			spool_bytes_store(&folder, 1, bytes.data, bytes.size);
			outcome got = read_folder(false);
			/* The third is delivered again at most: the slot before holds then. */
			uint64_t done = at < OTLOG__SPOOL_SECOND_DONE ? 2 : 3;
			assert_int_equal(got.marks, ALL(ENTRIES) & ~ALL(done));
			assert_int_equal(got.books.lost_entries + got.books.damaged, 0);
			bytes.data[at] ^= (uint8_t)(1u << bit);
		}
	}
	spool_bytes_free(&bytes);
}

static void
the_last_segment_cut_off_after_every_byte(void **state)
{
	(void)state;
	write_segment(1, 77, 0, ENTRIES);
	spool_bytes bytes = spool_bytes_load(&folder, 1);
	for (size_t size = 0; size <= bytes.size; size++) {
		spool_bytes_store(&folder, 1, bytes.data, size);
		outcome got = read_folder(false);
		uint64_t whole = 0;
		while (whole < ENTRIES && size >= position_of(whole) + sizeof(otlog__spool_entry) + SIZE)
			whole++;
		bool readable = size >= sizeof(otlog__spool_header);
		assert_int_equal(got.totals.readable, readable);
		assert_int_equal(got.totals.damaged, !readable);
		assert_int_equal(got.marks, ALL(whole));
		assert_int_equal(got.books.lost_entries + got.books.damaged, 0); /* that append never returned */
	}
	spool_bytes_free(&bytes);
}

/* The same after the machine went down: then it may have returned. */
static void
the_last_segment_cut_off_by_a_loss_of_power(void **state)
{
	(void)state;
	write_segment(1, 77, 0, ENTRIES);
	spool_bytes bytes = spool_bytes_load(&folder, 1);
	otlog__spool_header header;
	memcpy(&header, bytes.data, sizeof header);
	memset(header.boot_id, 'x', 36);
	header.crc = otlog__crc32c(0, &header, offsetof(otlog__spool_header, crc));
	memcpy(bytes.data, &header, sizeof header);
	memcpy(bytes.data + OTLOG__SPOOL_SECOND_HEADER, &header, sizeof header);
	for (size_t size = OTLOG__SPOOL_PAGE; size <= bytes.size; size++) {
		spool_bytes_store(&folder, 1, bytes.data, size);
		outcome got = read_folder(false);
		uint64_t hit = (size - OTLOG__SPOOL_PAGE) / ENTRY_BYTES,
			 within = (size - OTLOG__SPOOL_PAGE) % ENTRY_BYTES;
		bool torn = within >= sizeof(otlog__spool_entry) && within < sizeof(otlog__spool_entry) + SIZE;
		bool intact = within >= sizeof(otlog__spool_entry) + SIZE;
		assert_int_equal(got.marks, ALL(hit + intact));
		assert_int_equal(got.books.damaged, torn ? records_of(hit) : 0);
	}
	spool_bytes_free(&bytes);
}

static void
a_segment_in_the_middle_cut_off_after_every_byte(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		write_segment(i + 1, 77, i * PER_SEGMENT, PER_SEGMENT);
	spool_bytes bytes = spool_bytes_load(&folder, 2);
	for (size_t size = 0; size <= bytes.size; size++) {
		spool_bytes_store(&folder, 2, bytes.data, size);
		outcome got = read_folder(false);
		uint64_t whole = 0, known = 0;
		while (whole < PER_SEGMENT && size >= position_of(whole) + sizeof(otlog__spool_entry) + SIZE)
			whole++;
		if (whole < PER_SEGMENT && size >= position_of(whole) + sizeof(otlog__spool_entry))
			known = records_of(PER_SEGMENT + whole);
		uint64_t lost = PER_SEGMENT - whole - (known > 0);
		assert_int_equal(got.marks,
		                 ALL(3 * PER_SEGMENT) & ~(ALL(PER_SEGMENT - whole) << (PER_SEGMENT + whole)));
		assert_int_equal(got.books.lost_entries, lost);
		assert_int_equal(got.books.damaged, known);
	}
	spool_bytes_free(&bytes);
}

static void
bytes_missing_in_the_middle_of_a_segment(void **state)
{
	(void)state;
	write_segment(1, 77, 0, ENTRIES);
	spool_bytes bytes = spool_bytes_load(&folder, 1);
	/* The second to fourth entries overwritten with what looks like nothing, and like headers of another spool. */
	for (int kind = 0; kind < 2; kind++) {
		uint8_t *hole = bytes.data + position_of(1);
		memset(hole, 0, 3 * ENTRY_BYTES);
		for (uint32_t at = 0; kind && at + 24 <= 3 * ENTRY_BYTES; at += 24) {
			otlog__spool_entry entry = otlog__spool_entry_make(78, 3, 1, hole, 24);
			memcpy(hole + at, &entry, sizeof entry);
		}
		spool_bytes_store(&folder, 1, bytes.data, bytes.size);
		outcome got = read_folder(false);
		assert_int_equal(got.marks, 1 | UINT64_C(1) << 4);
		assert_int_equal(got.books.lost_entries, 3);
	}
	spool_bytes_free(&bytes);
}

static void
an_entry_given_up_after_an_error_does_not_count(void **state)
{
	(void)state;
	/* Number 3 could not be cut off again and was written anew: two stand in the way of each other. */
	write_segment(1, 77, 0, 3);
	write_segment(2, 77, 2, 3);
	spool_bytes bytes = spool_bytes_load(&folder, 1);
	for (size_t size = position_of(2); size <= bytes.size; size++) {
		spool_bytes_store(&folder, 1, bytes.data, size);
		outcome got = read_folder(false);
		assert_int_equal(got.marks, ALL(5));
		assert_int_equal(got.books.lost_entries + got.books.damaged, 0);
	}
	spool_bytes_free(&bytes);
}

/* The chain of three, where the header page of the second is gone, and as much behind it. */
static void
write_chain_without_a_header(size_t behind)
{
	for (uint32_t i = 0; i < 3; i++)
		write_segment(i + 1, 77, i * PER_SEGMENT, PER_SEGMENT);
	spool_bytes bytes = spool_bytes_load(&folder, 2);
	memset(bytes.data, 0xff, OTLOG__SPOOL_PAGE + behind);
	spool_bytes_store(&folder, 2, bytes.data, bytes.size);
	spool_bytes_free(&bytes);
}

static void
a_segment_without_a_header_is_told_by_the_others(void **state)
{
	(void)state;
	write_chain_without_a_header(0);
	outcome got = read_folder(true);
	assert_int_equal(got.totals.readable, 3);
	assert_int_equal(got.marks, ALL(3 * PER_SEGMENT));
	assert_int_equal(got.books.lost_entries + got.books.damaged, 0);
	assert_int_equal(spool_folder_files(&folder), 0);
}

static void
damaged_files_are_removed_with_what_is_intact_in_them_delivered(void **state)
{
	(void)state;
	write_chain_without_a_header(1);
	spool_bytes bytes = spool_bytes_load(&folder, 3);
	bytes.data[position_of(1) + 40] ^= 1;
	bytes.data[position_of(2)] ^= 1;
	spool_bytes_store(&folder, 3, bytes.data, bytes.size);
	spool_bytes_free(&bytes);
	outcome got = read_folder(true);
	assert_int_equal(got.totals.damaged, 1);
	assert_int_equal(got.marks, ALL(PER_SEGMENT) | ALL(1) << 6);
	assert_int_equal(got.books.lost_entries, PER_SEGMENT + 1);
	assert_int_equal(got.books.damaged, records_of(7));
	assert_int_equal(spool_folder_files(&folder), 0);
}

/* The same for the process that wrote it and still runs: its books know every record. */
static void
every_bit_of_a_live_segment_flipped(void **state)
{
	(void)state;
	for (uint64_t at = OTLOG__SPOOL_PAGE; at < position_of(ENTRIES); at++) {
		otlog__spool *spool = spool_folder_create(&folder, MIB, false);
		uint64_t total = 0;
		for (uint64_t mark = 0; mark < ENTRIES; mark++) {
			assert_int_equal(spool_put(spool, mark, SIZE, records_of(mark)), OTLOG__SPOOL_TAKEN);
			total += records_of(mark);
		}
		spool_bytes bytes = spool_bytes_load(&folder, 1);
		bytes.data[at] ^= (uint8_t)(1u << at % 8);
		spool_bytes_store(&folder, 1, bytes.data, bytes.size);
		spool_bytes_free(&bytes);

		uint64_t hit = (at - OTLOG__SPOOL_PAGE) / ENTRY_BYTES;
		bool padding = (at - OTLOG__SPOOL_PAGE) % ENTRY_BYTES >= sizeof(otlog__spool_entry) + SIZE;
		for (uint64_t mark = 0; mark < ENTRIES; mark++)
			if (mark != hit || padding)
				assert_int_equal(spool_get(spool, mark, SIZE, true), records_of(mark));
		assert_int_equal(spool_get(spool, 0, 0, true), 0);
		otlog__spool_books books = spool_books_of(spool);
		assert_int_equal(books.dropped[OTLOG_DROP_DAMAGED], padding ? 0 : records_of(hit));
		assert_int_equal(books.delivered + books.dropped[OTLOG_DROP_DAMAGED], total);
		assert_int_equal(books.bytes, 0);
		otlog__spool_close(spool);
		otlog__spool_free(spool);
	}
}

static void
random_flips_in_a_chain(void **state)
{
	(void)state;
	uint64_t random = 4711;
	for (uint32_t i = 0; i < 3; i++)
		write_segment(i + 1, 77, i * PER_SEGMENT, PER_SEGMENT);
	spool_bytes bytes[3];
	for (uint32_t i = 0; i < 3; i++)
		bytes[i] = spool_bytes_load(&folder, i + 1);
	for (uint32_t trial = 0; trial < 3000; trial++) {
		uint64_t hit = 0;
		uint8_t *flipped[4];
		for (uint32_t i = 0; i < 4; i++) {
			random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
			uint32_t segment = (uint32_t)(random >> 33) % 3;
			size_t at = OTLOG__SPOOL_PAGE + (size_t)(random >> 40) % (PER_SEGMENT * ENTRY_BYTES);
			flipped[i] = &bytes[segment].data[at];
			*flipped[i] ^= 0x10;
			hit |= UINT64_C(1) << (segment * PER_SEGMENT + (at - OTLOG__SPOOL_PAGE) / ENTRY_BYTES);
		}
		for (uint32_t i = 0; i < 3; i++)
			spool_bytes_store(&folder, i + 1, bytes[i].data, bytes[i].size);
		outcome got = read_folder(false);
		assert_int_equal((got.marks | hit) & ALL(9), ALL(9)); /* every one that was not hit */
		assert_true(got.books.found == got.books.finished + got.books.damaged);
		for (uint32_t i = 4; i--;)
			*flipped[i] ^= 0x10;
	}
	for (uint32_t i = 0; i < 3; i++)
		spool_bytes_free(&bytes[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(every_bit_of_a_segment_flipped),
		IN_FOLDER(every_bit_of_done_slots_flipped),
		IN_FOLDER(the_last_segment_cut_off_after_every_byte),
		IN_FOLDER(the_last_segment_cut_off_by_a_loss_of_power),
		IN_FOLDER(a_segment_in_the_middle_cut_off_after_every_byte),
		IN_FOLDER(bytes_missing_in_the_middle_of_a_segment),
		IN_FOLDER(an_entry_given_up_after_an_error_does_not_count),
		IN_FOLDER(a_segment_without_a_header_is_told_by_the_others),
		IN_FOLDER(damaged_files_are_removed_with_what_is_intact_in_them_delivered),
		IN_FOLDER(every_bit_of_a_live_segment_flipped),
		IN_FOLDER(random_flips_in_a_chain),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

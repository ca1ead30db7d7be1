/* Tracebacks given as lines: joined, and bounded. */
#include "tests/support/records/emitted.h"
#include "tests/support/harness/cmocka.h"

#include <otlog/mito.h>

#include <stdio.h>

#define MOST 16384

static otlog_slice
stacktrace_of(const char *const *lines, size_t count)
{
	otlog_value_view value;
	assert_int_equal(
	    mito_log(out.logger, &(mito_event){ .error_traceback = lines, .error_traceback_count = count }),
	    OTLOG_EMIT_ACCEPTED);
	assert_true(emitted_find(&out, "exception.stacktrace", &value));
	return value.as.bytes;
}

static char *
filled(char fill, size_t size)
{
	char *text = malloc(size + 1);
	assert_non_null(text);
	memset(text, fill, size);
	text[size] = '\0';
	return text;
}

static void
short_ones_are_joined_whole(void **state)
{
	(void)state;
	assert_slice(stacktrace_of((const char *const[]){ "a", "", NULL, "b" }, 4), "a\n\n\nb");
	assert_slice(stacktrace_of((const char *const[]){ "", "" }, 2), "\n");
	assert_slice(stacktrace_of((const char *const[]){ "" }, 1), "");
	assert_slice(stacktrace_of((const char *const[]){ NULL }, 1), "");
	mito_log(out.logger, &(mito_event){ .error_traceback_count = 2 });
	assert_int_equal(emitted_attribute_count(&out), 0);
	mito_log(out.logger, &(mito_event){ .error_traceback = (const char *const[]){ "a" } });
	assert_int_equal(emitted_attribute_count(&out), 0);
}

static void
a_joined_text_wins_and_is_of_any_length(void **state)
{
	char *text = filled('t', 100000);
	(void)state;
	mito_log(out.logger, &(mito_event){ .error_traceback = (const char *const[]){ "a", "b" },
	                                    .error_traceback_count = 2,
	                                    .error_traceback_text = text });
	emitted_assert_text(&out, "exception.stacktrace", text);
	assert_slice(stacktrace_of((const char *const[]){ text }, 1), text);
	free(text);
}

static void
what_fills_the_room_exactly_is_whole(void **state)
{
	(void)state;
	for (size_t over = 0; over <= 1; over++) {
		char *first = filled('f', MOST - 101 + over);
		char *last = filled('l', 100);
		const otlog_slice text = stacktrace_of((const char *const[]){ first, last }, 2);
		if (over == 0) {
			assert_int_equal(text.size, MOST);
			assert_memory_equal(text.data + MOST - 101, "\nl", 2);
		} else {
			assert_int_equal(text.size, strlen("... 1 lines left out ...\n") + 100);
			assert_memory_equal(text.data, "... 1 lines left out ...\nl", 26);
		}
		free(first);
		free(last);
	}
}

static void
of_ten_thousand_lines_the_first_and_the_last_are_kept(void **state)
{
	enum { MANY = 10000 };
	static char texts[MANY][16];
	static const char *lines[MANY];
	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		snprintf(texts[i], sizeof texts[i], "line %zu", i);
		lines[i] = texts[i];
	}
	const otlog_slice text = stacktrace_of(lines, MANY);
	assert_in_range(text.size, MOST - 100, MOST);

	/* The lines in their order without a gap, the note with the number of the rest, the last one. */
	const char *at = (const char *)text.data, *end = at + text.size;
	size_t kept = 0;
	char expected[64];
	for (;; kept++) {
		const size_t size = (size_t)snprintf(expected, sizeof expected, "line %zu\n", kept);
		if (size > (size_t)(end - at) || memcmp(at, expected, size) != 0)
			break;
		at += size;
	}
	assert_true(kept > 1000);
	snprintf(expected, sizeof expected, "... %zu lines left out ...\nline 9999", MANY - 1 - kept);
	assert_slice((otlog_slice){ (const uint8_t *)at, (size_t)(end - at) }, expected);
}

static void
a_huge_last_line_is_cut_at_a_character(void **state)
{
	char *last = filled('l', 20000);
	(void)state;
	memcpy(last + MOST / 2 - 1, "é", 2);
	const otlog_slice text = stacktrace_of((const char *const[]){ "first", "second", last }, 3);
	const size_t before = strlen("first\nsecond\n");
	assert_int_equal(text.size, before + MOST / 2 - 1);
	assert_memory_equal(text.data, "first\nsecond\nl", before + 1);
	free(last);
}

static void
every_length_fits(void **state)
{
	char *last = filled('l', 9000);
	char *first = filled('f', MOST + 10);
	(void)state;
	for (size_t size = 0; size <= MOST + 10; size += 7) {
		const char *const lines[] = { first + MOST + 10 - size, "between", last };
		assert_in_range(stacktrace_of(lines, 3).size, 1, MOST);
	}
	free(first);
	free(last);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, emitted_setup, emitted_teardown)
	const struct CMUnitTest tests[] = {
		TEST(short_ones_are_joined_whole),
		TEST(a_joined_text_wins_and_is_of_any_length),
		TEST(what_fills_the_room_exactly_is_whole),
		TEST(of_ten_thousand_lines_the_first_and_the_last_are_kept),
		TEST(a_huge_last_line_is_cut_at_a_character),
		TEST(every_length_fits),
	};
	return cmocka_run_group_tests_name("mito_traceback", tests, NULL, NULL);
}

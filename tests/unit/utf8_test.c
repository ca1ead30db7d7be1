#include "sdk/base/utf8.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/harness/cmocka.h"
#include "tests/support/records/utf8_oracle.h"

/* An oracle's answer costs thousands of tries, so the tests ask only where the answers differ. */
static bool
steps_agree(const uint8_t *data, size_t size)
{
	bool valid, expected_valid;
	size_t step = otlog__utf8_step(data, data + size, &valid);
	size_t character = utf8_oracle_character(data, size);
	if (valid || character)
		return valid && step == character;
	return step == utf8_oracle_step(data, size, &expected_valid) && !expected_valid;
}

static void
all_sequences_of_one_and_two_bytes_are_told_right(void **state)
{
	(void)state;
	for (unsigned first = 0; first < 256; first++) {
		uint8_t data[2] = { (uint8_t)first };
		assert_true(steps_agree(data, 1));
		for (unsigned second = 0; second < 256; second++) {
			data[1] = (uint8_t)second;
			assert_true(steps_agree(data, 2));
		}
	}
}

static void
all_sequences_of_three_bytes_are_told_right(void **state)
{
	(void)state;
	uint32_t wrong = 0;
	for (uint32_t number = 0; number < 1u << 24; number++) {
		uint8_t data[3] = { (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number };
		bool valid;
		size_t step = otlog__utf8_step(data, data + 3, &valid);
		size_t character = utf8_oracle_character(data, 3);
		wrong += valid != (character != 0) || (valid && step != character);
		/* Where the fault lies depends on what kind of byte the third is, not on its number. */
		if (!valid && (data[2] == 'x' || data[2] == 0x80))
			wrong += !steps_agree(data, 3);
	}
	assert_int_equal(wrong, 0);
}

static void
sequences_of_four_bytes_are_told_right_at_their_edges(void **state)
{
	(void)state;
	static const uint8_t edges[] = { 0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff };
	for (unsigned first = 0xe0; first < 256; first++)
		for (size_t i = 0; i < sizeof edges * sizeof edges * sizeof edges; i++) {
			uint8_t data[4] = { (uint8_t)first, edges[i / sizeof edges / sizeof edges],
				            edges[i / sizeof edges % sizeof edges], edges[i % sizeof edges] };
			assert_true(steps_agree(data, 4));
		}
}

static void
only_well_formed_characters_have_a_length(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t length;
	} cases[] = {
		{ "a", 1 },
		{ "\xc2\x80", 2 },
		{ "é", 2 },
		{ "…", 3 },
		{ "\xef\xbf\xbf", 3 },
		{ "\U0001f600", 4 },
		{ "\xf4\x8f\xbf\xbf", 4 },
		{ "\x80", 0 },
		{ "\xc1\xbf", 0 },
		{ "\xc3", 0 },
		{ "\xc3(", 0 },
		{ "\xe0\x9f\xbf", 0 },
		{ "\xed\xa0\x80", 0 },
		{ "\xe2\x80", 0 },
		{ "\xf0\x8f\xbf\xbf", 0 },
		{ "\xf4\x90\x80\x80", 0 },
		{ "\xf5\x80\x80\x80", 0 },
		{ "\xff", 0 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const uint8_t *text = (const uint8_t *)cases[i].text;
		bool valid;
		size_t step = otlog__utf8_step(text, text + strlen(cases[i].text), &valid);
		assert_int_equal(valid ? step : 0, cases[i].length);
	}
}

static void
characters_have_their_numbers(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint32_t number;
	} cases[] = {
		{ "a", 'a' },
		{ "\x7f", 0x7f },
		{ "\xc2\x80", 0x80 },
		{ "\xdf\xbf", 0x7ff },
		{ "\xe0\xa0\x80", 0x800 },
		{ OTLOG__UTF8_REPLACEMENT, 0xfffd },
		{ "\xf0\x90\x80\x80", 0x10000 },
		{ "\xf4\x8f\xbf\xbf", 0x10ffff },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(otlog__utf8_code_point((const uint8_t *)cases[i].text, strlen(cases[i].text)),
		                 cases[i].number);
}

static void
the_first_fault_is_found_wherever_it_lies(void **state)
{
	(void)state;
	uint8_t text[80];
	for (size_t size = 0; size <= sizeof text; size++) {
		memset(text, 'x', sizeof text);
		assert_int_equal(otlog__utf8_valid_size(text, size), size);
		for (size_t at = 0; at < size; at++) {
			text[at] = 0xc3; /* begins a character that does not follow */
			assert_int_equal(otlog__utf8_valid_size(text, size), at);
			if (at + 1 < size) {
				text[at + 1] = 0xa9;
				assert_int_equal(otlog__utf8_valid_size(text, size), size);
				text[at + 1] = 'x';
			}
			text[at] = 'x';
		}
	}
}

static void
whole_texts_are_judged_as_the_oracle_judges_them(void **state)
{
	(void)state;
	static const uint8_t letters[] = { 'a', 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x90 };
	uint8_t text[6];
	for (uint32_t number = 0; number < 9 * 9 * 9 * 9 * 9 * 9; number++) {
		uint32_t rest = number;
		for (size_t i = 0; i < sizeof text; i++, rest /= 9)
			text[i] = letters[rest % 9];
		bool valid = otlog__utf8_valid_size(text, sizeof text) == sizeof text;
		assert_true(valid == utf8_oracle_is_valid(text, sizeof text));
	}
}

static void
a_cut_never_splits_a_character(void **state)
{
	(void)state;
	const uint8_t text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x9fz";
	static const size_t expected[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11 };
	for (size_t limit = 0; limit < sizeof expected / sizeof *expected; limit++)
		assert_int_equal(otlog__utf8_cut(text, 11, limit), expected[limit]);
	assert_int_equal(otlog__utf8_cut(text, 11, SIZE_MAX), 11);
	/* No text: nothing is gained by going further back. */
	assert_int_equal(otlog__utf8_cut((const uint8_t *)"a\x80\x80\x80\x80\x80", 6, 5), 5);
	assert_int_equal(otlog__utf8_cut((const uint8_t *)"\x80\x80\x80", 3, 1), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_sequences_of_one_and_two_bytes_are_told_right),
		cmocka_unit_test(all_sequences_of_three_bytes_are_told_right),
		cmocka_unit_test(sequences_of_four_bytes_are_told_right_at_their_edges),
		cmocka_unit_test(only_well_formed_characters_have_a_length),
		cmocka_unit_test(characters_have_their_numbers),
		cmocka_unit_test(the_first_fault_is_found_wherever_it_lies),
		cmocka_unit_test(whole_texts_are_judged_as_the_oracle_judges_them),
		cmocka_unit_test(a_cut_never_splits_a_character),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

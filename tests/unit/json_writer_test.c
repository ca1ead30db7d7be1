#include "exporters/json/json_writer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/harness/cmocka.h"
#include "tests/support/records/json_tree.h"
#include "tests/support/records/random_record.h"
#include "tests/support/records/utf8_oracle.h"

static const otlog__json_text forms[] = { OTLOG__JSON_UTF8, OTLOG__JSON_ASCII };

/* ---- Text -------------------------------------------------------------------------------------------------------- */

/* What is written, behind something that was there before. The text lies in a block of exactly its size. */
static otlog__buffer
string_of(const void *text, size_t size, otlog__json_text form)
{
	otlog__buffer out = { 0 };
	uint8_t *exact = malloc(size ? size : 1);
	assert_non_null(exact);
	memcpy(exact, text, size);
	assert_true(otlog__buffer_append(&out, "[", 1));
	assert_true(otlog__json_string(&out, exact, size, form));
	assert_int_equal(out.data[0], '[');
	free(exact);
	return out;
}

static void
check_golden(const char *text, size_t size, otlog__json_text form, const char *expected)
{
	otlog__buffer out = string_of(text, size, form);
	assert_int_equal(out.size, 1 + strlen(expected));
	assert_memory_equal(out.data + 1, expected, strlen(expected));
	otlog__buffer_free(&out);
}

/* A strict reader gets back the text, with U+FFFD for what is none. */
static void
check_reads_back(const uint8_t *text, size_t size)
{
	uint8_t *expected = malloc(3 * size + 1);
	assert_non_null(expected);
	size_t expected_size = utf8_oracle_replace(text, size, expected);
	for (size_t i = 0; i < 2; i++) {
		otlog__buffer out = string_of(text, size, forms[i]);
		assert_true(otlog__buffer_append(&out, "]", 1));
		json_tree *tree = json_parse(out.data, out.size);
		assert_non_null(tree);
		assert_true(tree->count == 1 && json_is(&tree->items[0], expected, expected_size));
		for (size_t at = 0; forms[i] == OTLOG__JSON_ASCII && at < out.size; at++)
			assert_in_range(out.data[at], 0x20, 0x7e);
		json_free(tree);
		otlog__buffer_free(&out);
	}
	free(expected);
}

static void
characters_that_json_wants_escaped_are_escaped(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		check_golden("", 0, forms[i], "\"\"");
		check_golden("plain", 5, forms[i], "\"plain\"");
		check_golden("\"\\/\b\f\n\r\t", 8, forms[i], "\"\\\"\\\\/\\b\\f\\n\\r\\t\"");
		check_golden("\0\1\x0b\x1f", 4, forms[i], "\"\\u0000\\u0001\\u000b\\u001f\"");
	}
}

static void
the_ascii_form_is_that_of_python(void **state)
{
	(void)state;
	check_golden("\x7f\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x9f", 10, OTLOG__JSON_ASCII,
	             "\"\\u007f\\u00e4\\u20ac\\ud83d\\udc1f\"");
	check_golden("\x7f\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x9f", 10, OTLOG__JSON_UTF8,
	             "\"\x7f\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x9f\"");
	check_golden("a\xff", 2, OTLOG__JSON_ASCII, "\"a\\ufffd\"");
}

static void
what_is_no_utf8_becomes_u_fffd(void **state)
{
	(void)state;
#define LOST "\xef\xbf\xbd"
	check_golden("\xed\xa0\x80", 3, OTLOG__JSON_UTF8, "\"" LOST LOST LOST "\""); /* a surrogate alone */
	check_golden("\xed\xa0\xbd\xed\xb0\x9f", 6, OTLOG__JSON_UTF8, "\"" LOST LOST LOST LOST LOST LOST "\"");
	check_golden("\xc0\x80", 2, OTLOG__JSON_UTF8, "\"" LOST LOST "\"");          /* NUL in two bytes */
	check_golden("\xe0\x80\xaf", 3, OTLOG__JSON_UTF8, "\"" LOST LOST LOST "\""); /* a slash in three */
	check_golden("\xf4\x90\x80\x80", 4, OTLOG__JSON_UTF8, "\"" LOST LOST LOST LOST "\"");
	check_golden("\xf0\x9f\x90", 3, OTLOG__JSON_UTF8, "\"" LOST "\""); /* cut short */
	check_golden("\xf0\x9f\x90z", 4, OTLOG__JSON_UTF8, "\"" LOST "z\"");
	check_golden(LOST, 3, OTLOG__JSON_UTF8, "\"" LOST "\"");
}

static void
every_byte_reads_back_wherever_it_stands(void **state)
{
	(void)state;
	uint8_t text[40];
	for (unsigned byte = 0; byte < 256; byte++)
		for (size_t size = 1; size <= sizeof text; size++) {
			memset(text, 'x', size);
			text[byte % size] = (uint8_t)byte;
			check_reads_back(text, size);
			text[size - 1] = (uint8_t)byte;
			check_reads_back(text, size);
		}
}

static void
every_pair_of_bytes_reads_back(void **state)
{
	(void)state;
	for (unsigned pair = 0; pair < 1u << 16; pair++)
		check_reads_back((uint8_t[]){ (uint8_t)(pair >> 8), (uint8_t)pair }, 2);
}

/* Of pieces that are whole, broken, and wanting escapes. */
static size_t
random_text(uint64_t *random, uint8_t *out, size_t room)
{
	static const char *const pieces[] = { "a",
		                              "bcdefgh",
		                              "\"",
		                              "\\",
		                              "\n",
		                              "\x7f",
		                              "\xc3\xa9",
		                              "\xe6\xbc\xa2",
		                              "\xf0\x9f\x90\x9f",
		                              "\xe2\x82",
		                              "\x80\x80",
		                              "\xf0\x9f",
		                              "\xff",
		                              "0123456789abcdef" };
	size_t size = 0;
	while (size + 16 < room) {
		const char *piece = pieces[random_next(random) % (sizeof pieces / sizeof *pieces)];
		memcpy(out + size, piece, strlen(piece));
		size += strlen(piece);
	}
	return size;
}

static void
long_texts_are_not_torn_where_they_are_written_in_pieces(void **state)
{
	(void)state;
	static uint8_t text[20000];
	uint64_t random = 7;
	for (size_t shift = 0; shift < 60; shift++)
		check_reads_back(text, random_text(&random, text, sizeof text - shift));
	for (size_t shift = 0; shift < 8; shift++) {
		memset(text, 'x', shift);
		for (size_t at = shift; at + 4 <= sizeof text; at += 4)
			memcpy(text + at, "\xf0\x9f\x90\x9f", 4);
		check_reads_back(text, sizeof text - 8 + shift);
		memset(text + shift, 0x80, sizeof text - shift);
		check_reads_back(text, sizeof text - shift);
	}
}

/* ---- Numbers ----------------------------------------------------------------------------------------------------- */

static const char *
double_text(double value)
{
	static char text[64];
	otlog__buffer out = { 0 };
	assert_true(otlog__json_double(&out, value));
	assert_true(out.size < sizeof text);
	memcpy(text, out.data, out.size);
	text[out.size] = '\0';
	otlog__buffer_free(&out);
	return text;
}

/* What people write: some digits and a point in them. */
static double
decimal_of(uint64_t bits)
{
	double value = (double)(int64_t)(bits >> 20);
	for (uint64_t places = bits % 24; places; places--)
		value /= 10;
	return value;
}

static void
integers_are_written_to_their_ends(void **state)
{
	(void)state;
	char expected[32];
	for (unsigned shift = 0; shift < 64; shift++)
		for (int more = -1; more <= 1; more++) {
			uint64_t power = 1;
			for (unsigned i = 0; i < shift % 20; i++)
				power *= 10;
			const uint64_t numbers[] = { (UINT64_C(1) << shift) + (uint64_t)more, power + (uint64_t)more };
			for (size_t i = 0; i < 2; i++) {
				otlog__buffer out = { 0 };
				assert_true(
				    otlog__json_uint64(&out, numbers[i]) && otlog__buffer_append(&out, " ", 1) &&
				    otlog__json_int64(&out, (int64_t)numbers[i]) && otlog__buffer_append(&out, "", 1));
				snprintf(expected, sizeof expected, "%" PRIu64, numbers[i]);
				assert_memory_equal(out.data, expected, strlen(expected));
				snprintf(expected, sizeof expected, " %" PRId64, (int64_t)numbers[i]);
				assert_string_equal(strchr((char *)out.data, ' '), expected);
				otlog__buffer_free(&out);
			}
		}
}

static void
doubles_have_the_fewest_digits_that_read_back(void **state)
{
	(void)state;
	static const struct {
		double value;
		const char *text;
	} golden[] = {
		{ 0, "0.0" },
		{ -0.0, "-0.0" },
		{ 1, "1.0" },
		{ -42.5, "-42.5" },
		{ 0.045, "0.045" },
		{ 2500, "2500.0" },
		{ 0.1 + 0.2, "0.30000000000000004" },
		{ 1.0 / 3, "0.3333333333333333" },
		{ 0.0001, "0.0001" },
		{ 0.00001, "1e-05" },
		{ 123456789012345.6, "123456789012345.6" },
		{ 1e15, "1000000000000000.0" },
		{ 1e16, "1e+16" },
		{ 1.5e300, "1.5e+300" },
		{ 9007199254740993.0, "9007199254740992.0" },
		{ 5e-324, "5e-324" },
		{ 2.2250738585072014e-308, "2.2250738585072014e-308" },
		{ 1.7976931348623157e308, "1.7976931348623157e+308" },
		{ 0x1p-44, "5.684341886080802e-14" }, /* nearer ones have a digit more, or do not read back */
	};
	for (size_t i = 0; i < sizeof golden / sizeof *golden; i++)
		assert_string_equal(double_text(golden[i].value), golden[i].text);
	assert_string_equal(double_text(NAN), "\"NaN\"");
	assert_string_equal(double_text(INFINITY), "\"Infinity\"");
	assert_string_equal(double_text(-INFINITY), "\"-Infinity\"");
}

static void
check_double(uint64_t bits)
{
	double value, read;
	memcpy(&value, &bits, sizeof value);
	if (!isfinite(value))
		return;
	const char *text = double_text(value);
	json_tree *tree = json_parse(text, strlen(text));
	assert_true(tree && tree->kind == JSON_NUMBER);
	json_free(tree);
	read = strtod(text, NULL);
	assert_memory_equal(&read, &value, sizeof read);
}

static void
doubles_of_any_bits_read_back(void **state)
{
	(void)state;
	uint64_t random = 11;
	for (int i = 0; i < 20000; i++) {
		uint64_t bits = random_next(&random);
		check_double(bits);
		check_double(bits & UINT64_C(0x800fffffffffffff));                                  /* subnormal */
		check_double((bits & UINT64_C(0x807fffffffffffff)) | UINT64_C(0x3e80000000000000)); /* about 1 */
		double people = decimal_of(bits);
		memcpy(&bits, &people, sizeof bits);
		check_double(bits);
	}
	for (uint64_t exponent = 0; exponent < 2047; exponent++)
		for (uint64_t more = 0; more < 3; more++)
			check_double((exponent << 52) + more - 1);
}

/* ---- Bytes ------------------------------------------------------------------------------------------------------- */

static void
bytes_are_written_as_base64_and_hex(void **state)
{
	(void)state;
	static const char *const golden[] = {
		"\"\"", "\"Zg==\"", "\"Zm8=\"", "\"Zm9v\"", "\"Zm9vYg==\"", "\"Zm9vYmE=\"", "\"Zm9vYmFy\""
	}; /* RFC 4648 section 10 */
	for (size_t size = 0; size < 7; size++) {
		otlog__buffer out = { 0 };
		assert_true(otlog__json_base64(&out, "foobar", size) && otlog__buffer_append(&out, "", 1));
		assert_string_equal((char *)out.data, golden[size]);
		otlog__buffer_free(&out);
	}
	otlog__buffer out = { 0 };
	assert_true(otlog__json_hex(&out, "\x00\x7f\xab\xff", 4) && otlog__json_hex(&out, NULL, 0) &&
	            otlog__json_base64(&out, "\xfb\xff\xbf", 3) && otlog__buffer_append(&out, "", 1));
	assert_string_equal((char *)out.data, "\"007fabff\"\"\"\"+/+/\"");
	otlog__buffer_free(&out);
}

/* ---- Python ------------------------------------------------------------------------------------------------------ */

/* Reads size, text, our ASCII form, our UTF-8 form; or size -1, a double, our text. */
static const char script[] = "import json, struct, sys\n"
			     "take = sys.stdin.buffer.read\n"
			     "def block():\n"
			     "    size, = struct.unpack(\"=q\", take(8))\n"
			     "    return take(size)\n"
			     "while True:\n"
			     "    kind = take(1)\n"
			     "    if kind == b\"t\":\n"
			     "        text = block().decode(\"utf-8\", \"replace\")\n"
			     "        assert block() == json.dumps(text).encode(), text\n"
			     "        assert block() == json.dumps(text, ensure_ascii=False).encode(), text\n"
			     "    elif kind == b\"d\":\n"
			     "        number, = struct.unpack(\"=d\", block())\n"
			     "        written = block().decode()\n"
			     "        assert written == json.dumps(number), (written, number)\n"
			     "    else:\n"
			     "        sys.exit(0 if kind == b\".\" else 1)\n";

static void
send_block(FILE *python, const void *data, size_t size)
{
	int64_t head = (int64_t)size;
	fwrite(&head, sizeof head, 1, python);
	fwrite(data, 1, size, python);
}

static void
send_text(FILE *python, const uint8_t *text, size_t size)
{
	otlog__buffer ascii = string_of(text, size, OTLOG__JSON_ASCII);
	otlog__buffer utf8 = string_of(text, size, OTLOG__JSON_UTF8);
	fputc('t', python);
	send_block(python, text, size);
	send_block(python, ascii.data + 1, ascii.size - 1);
	send_block(python, utf8.data + 1, utf8.size - 1);
	otlog__buffer_free(&ascii);
	otlog__buffer_free(&utf8);
}

static void
python_writes_the_same(void **state)
{
	(void)state;
	if (system("command -v python3 >/dev/null") != 0)
		skip(); /* no python3 here */
	char command[sizeof script + 32];
	snprintf(command, sizeof command, "python3 -c '%s'", script);
	FILE *python = popen(command, "w");
	assert_non_null(python);
	uint64_t random = 3;
	uint8_t text[600];
	for (int i = 0; i < 2000; i++)
		send_text(python, text, random_text(&random, text, 16 + random_next(&random) % (sizeof text - 16)));
	for (int i = 0; i < 10000; i++) {
		uint64_t bits = random_next(&random);
		double value;
		memcpy(&value, &bits, sizeof value);
		if (i % 2)
			value = decimal_of(bits);
		if (!isfinite(value))
			continue;
		const char *written = double_text(value);
		fputc('d', python);
		send_block(python, &value, sizeof value);
		send_block(python, written, strlen(written));
	}
	fputc('.', python);
	assert_int_equal(pclose(python), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(characters_that_json_wants_escaped_are_escaped),
		cmocka_unit_test(the_ascii_form_is_that_of_python),
		cmocka_unit_test(what_is_no_utf8_becomes_u_fffd),
		cmocka_unit_test(every_byte_reads_back_wherever_it_stands),
		cmocka_unit_test(every_pair_of_bytes_reads_back),
		cmocka_unit_test(long_texts_are_not_torn_where_they_are_written_in_pieces),
		cmocka_unit_test(integers_are_written_to_their_ends),
		cmocka_unit_test(doubles_have_the_fewest_digits_that_read_back),
		cmocka_unit_test(doubles_of_any_bits_read_back),
		cmocka_unit_test(bytes_are_written_as_base64_and_hex),
		cmocka_unit_test(python_writes_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

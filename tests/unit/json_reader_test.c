#include "exporters/json/json_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/harness/cmocka.h"
#include "tests/support/records/random_record.h"

/* Writes "name=value;" for each member, and "!" where reading stopped at what is no JSON. */
static const char *
members_of(const char *text)
{
	static char out[1024];
	size_t used = 0;
	size_t size = strlen(text);
	char *exact = malloc(size ? size : 1); /* the sanitizer sees what goes beyond */
	assert_non_null(exact);
	memcpy(exact, text, size);
	otlog__json_object object = otlog__json_object_of(exact, size);
	otlog_slice name, value;
	while (otlog__json_next_member(&object, &name, &value))
		used += (size_t)snprintf(out + used, sizeof out - used, "%.*s=%.*s;", (int)name.size, (char *)name.data,
		                         (int)value.size, (char *)value.data);
	assert_false(otlog__json_next_member(&object, &name, &value));
	snprintf(out + used, sizeof out - used, "%s", object.malformed ? "!" : "");
	free(exact);
	return out;
}

static void
members_come_one_by_one(void **state)
{
	(void)state;
	assert_string_equal(members_of("{}"), "");
	assert_string_equal(members_of(" \r\n{\t} "), "");
	assert_string_equal(members_of("{\"a\":1}"), "a=1;");
	assert_string_equal(members_of(" { \"a\" : -1.5e+3 , \"b\" : \"x,\\\"}\" , \"c\":null } "),
	                    "a=-1.5e+3;b=\"x,\\\"}\";c=null;");
	assert_string_equal(members_of("{\"a\":{\"b\":[{},[1,\"]\"],true]},\"c\":[]}"),
	                    "a={\"b\":[{},[1,\"]\"],true]};c=[];");
	assert_string_equal(members_of("{\"\":\"\",\"\\\"\":{}}"), "=\"\";\\\"={};");
}

static void
what_is_no_object_is_said_to_be_malformed(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		" ",
		"[]",
		"null",
		"<html>",
		"{",
		"{\"",
		"{\"a",
		"{\"a\"",
		"{\"a\":",
		"{\"a\" 1}",
		"{\"a\":}",
		"{\"a\":[}}",
		"{\"a\":{]}",
		"{\"a\":\"",
		"{\"a\":\"\\",
		"{\"a\":\"\n\"}",
		"{,}",
		"{a:1}",
		"{}x",
		"{}{}",
		"}",
		"{\"a\":?}",
		"{\"a\":,}",
		"{\"a\":\"\\\"}",
		"{\"a\":[",
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_string_equal(members_of(texts[i]), "!");
	assert_string_equal(members_of("{\"a\":1"), "a=1;!");
	assert_string_equal(members_of("{\"a\":1,}"), "a=1;!");
	assert_string_equal(members_of("{\"a\":1}]"), "a=1;!");
	assert_string_equal(members_of("{\"a\":1 \"b\":2}"), "a=1;!");
}

static void
depth_is_bounded(void **state)
{
	(void)state;
	char text[512] = "{\"a\":";
	size_t begin = strlen(text);
	memset(text + begin, '[', 64);
	memset(text + begin + 64, ']', 64);
	strcpy(text + begin + 128, "}");
	text[0] = '{';
	assert_null(strchr(members_of(text), '!'));
	memset(text + begin, '[', 65);
	memset(text + begin + 65, ']', 65);
	strcpy(text + begin + 130, "}");
	assert_string_equal(members_of(text), "!");
}

static otlog_slice
slice_of(const char *text)
{
	return (otlog_slice){ (const uint8_t *)text, strlen(text) };
}

static void
integers_come_as_numbers_and_as_strings(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t number;
	} golden[] = {
		{ "0", 0 },       { "\"3\"", 3 },
		{ "-7", -7 },     { "\"9223372036854775807\"", INT64_MAX },
		{ "\"-1\"", -1 }, { "-9223372036854775808", INT64_MIN },
	};
	for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
		int64_t number = 99;
		assert_true(otlog__json_read_int64(slice_of(golden[i].text), &number));
		assert_true(number == golden[i].number);
	}
	static const char *const none[] = { "",
		                            "\"\"",
		                            "-",
		                            "\"-\"",
		                            "1.5",
		                            "1e3",
		                            "true",
		                            "[1]",
		                            " 1",
		                            "\"x\"",
		                            "9223372036854775808",
		                            "-9223372036854775809",
		                            "99999999999999999999" };
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		int64_t number = 99;
		assert_false(otlog__json_read_int64(slice_of(none[i]), &number));
		assert_int_equal(number, 99);
	}
}

static const char *
string_in(const char *json, size_t room)
{
	static char out[64];
	bool is_string = otlog__json_read_string(slice_of(json), out, room);
	assert_true(is_string == (*json == '"'));
	return out;
}

static void
strings_are_unescaped_for_messages(void **state)
{
	(void)state;
	assert_string_equal(string_in("\"\"", 64), "");
	assert_string_equal(string_in("\"plain\"", 64), "plain");
	assert_string_equal(string_in("\"a\\n\\t\\\"\\\\\\/b\"", 64), "a\n\t\"\\/b");
	assert_string_equal(string_in("\"\\u0041\\u006A\\u00e4\\u0000z\"", 64), "Aj??z");
	assert_string_equal(string_in("\"\\ud83d\\udc1f\\u1\"", 64), "???");
	assert_string_equal(string_in("\"too long\"", 4), "too");
	assert_string_equal(string_in("12", 64), "");
	assert_string_equal(string_in("null", 64), "");
	assert_string_equal(string_in("", 64), "");
}

static void
no_bytes_lead_astray(void **state)
{
	(void)state;
	static const char letters[] = "{}[]:,\"\\ua1-. \n";
	uint64_t random = 5;
	for (int round = 0; round < 200000; round++) {
		char text[24] = "{\"a\":";
		size_t size = random_next(&random) % sizeof text;
		for (size_t i = round % 6; i < size; i++)
			text[i] = letters[random_next(&random) % (sizeof letters - 1)];
		char *exact = malloc(size ? size : 1);
		assert_non_null(exact);
		memcpy(exact, text, size);
		otlog__json_object object = otlog__json_object_of(exact, size);
		otlog_slice name, value;
		for (size_t members = 0; otlog__json_next_member(&object, &name, &value); members++) {
			char out[8];
			int64_t number;
			otlog__json_read_string(value, out, sizeof out);
			otlog__json_read_int64(value, &number);
			assert_in_range(members, 0, sizeof text);
		}
		free(exact);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_come_one_by_one),
		cmocka_unit_test(what_is_no_object_is_said_to_be_malformed),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(integers_come_as_numbers_and_as_strings),
		cmocka_unit_test(strings_are_unescaped_for_messages),
		cmocka_unit_test(no_bytes_lead_astray),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

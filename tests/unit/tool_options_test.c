/* The command line of the otlog tool: every command is read by its table, and its --help says what the table has. */
#include "sdk/tool/common/tool.h"
#include "tests/support/harness/cmocka.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 8

static const otlog__tool_command *const commands[] = {
	&otlog__tool_doctor,
	&otlog__tool_emit,
	&otlog__tool_queue,
	&otlog__tool_drain,
};

#define COMMANDS (sizeof commands / sizeof *commands)

typedef struct wishes {
	bool loud;
	const char *name;
	uint64_t timeout_ms;
	otlog__tool_level level;
} wishes;

static const otlog__tool_option options[] = {
	{ "loud", NULL, otlog__tool_read_switch, offsetof(wishes, loud), "with noise" },
	{ "name", "NAME", otlog__tool_read_text, offsetof(wishes, name), "of it,\nin two lines" },
	{ "timeout", "SECONDS", otlog__tool_read_seconds, offsetof(wishes, timeout_ms), "how long" },
	{ "severity", "S", otlog__tool_read_severity, offsetof(wishes, level), "how bad" },
	{ 0 },
};

static const otlog__tool_operand operands[] = { { "WHAT", "what for" }, { 0 } };

static const otlog__tool_command command = {
	.name = "try",
	.usage = "usage: otlog try [--loud] WHAT\n",
	.about = "Tries.\n",
	.operands = operands,
	.options = options,
	.footnotes = "Enough.\n",
};

/* Reads the words behind the command's name; the first operand goes to *operand, NULL for none. */
static int
read_words(const char *const words[WORDS], wishes *wishes, const char **operand)
{
	static char copies[WORDS][32];
	char *argv[WORDS + 2] = { "try" };
	int argc = 1, first = 0;
	for (; argc <= WORDS && words[argc - 1]; argc++) {
		snprintf(copies[argc - 1], sizeof copies[0], "%s", words[argc - 1]);
		argv[argc] = copies[argc - 1];
	}
	int status = otlog__tool_read_options(&command, argc, argv, wishes, &first);
	*operand = status == OTLOG__TOOL_GO_ON ? argv[first] : NULL;
	return status;
}

static void
options_set_what_their_row_says(void **state)
{
	wishes wishes = { .timeout_ms = 7 };
	const char *operand;
	(void)state;
	assert_int_equal(read_words((const char *const[WORDS]){ "it" }, &wishes, &operand), OTLOG__TOOL_GO_ON);
	assert_string_equal(operand, "it");
	assert_true(!wishes.loud && !wishes.name && wishes.timeout_ms == 7);

	/* Between operands, with = or without, cut short; the last one counts. */
	assert_int_equal(read_words((const char *const[WORDS]){ "it", "--name=a", "--loud", "--time", "1.5", "--name",
	                                                        "b", "--sev=warn" },
	                            &wishes, &operand),
	                 OTLOG__TOOL_GO_ON);
	assert_string_equal(operand, "it");
	assert_true(wishes.loud);
	assert_string_equal(wishes.name, "b");
	assert_int_equal(wishes.timeout_ms, 1500);
	assert_int_equal(wishes.level.severity, OTLOG_SEVERITY_WARN);
	assert_string_equal(wishes.level.text, "warn");

	/* A severity that is given as a number has no text. What stands behind -- is an operand. */
	assert_int_equal(read_words((const char *const[WORDS]){ "--severity", "9", "--", "--loud" }, &wishes, &operand),
	                 OTLOG__TOOL_GO_ON);
	assert_string_equal(operand, "--loud");
	assert_int_equal(wishes.level.severity, OTLOG_SEVERITY_INFO);
	assert_null(wishes.level.text);
}

static void
what_is_no_option_ends_the_command(void **state)
{
	static const char *const wrong[][WORDS] = {
		{ "--quiet" },        { "-l" },
		{ "--loud=1" },       { "--name" },
		{ "--timeout", "0" }, { "--severity=25" },
		{ "--help=1" },       { "it", "--quiet", "--help" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		wishes wishes = { 0 };
		const char *operand;
		assert_int_equal(read_words(wrong[i], &wishes, &operand), OTLOG__TOOL_USAGE);
	}
}

/* To be freed. */
static char *
help_of(const otlog__tool_command *of)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	otlog__tool_write_help(of, out);
	fclose(out);
	return text;
}

static void
help_is_made_of_the_tables(void **state)
{
	char *help = help_of(&command);
	(void)state;
	assert_string_equal(help, "usage: otlog try [--loud] WHAT\n"
	                          "\n"
	                          "Tries.\n"
	                          "\n"
	                          "  WHAT               what for\n"
	                          "  --loud             with noise\n"
	                          "  --name NAME        of it,\n"
	                          "                     in two lines\n"
	                          "  --timeout SECONDS  how long\n"
	                          "  --severity S       how bad\n"
	                          "  -h, --help         this text\n"
	                          "\n"
	                          "Enough.\n");
	free(help);
}

/* "1" is a name, a number of seconds and a severity. */
static void
every_option_of_every_command_is_read(void **state)
{
	static _Alignas(max_align_t) char request[1 << 16]; /* more than any command asks for */
	(void)state;
	for (size_t i = 0; i < COMMANDS; i++) {
		for (const otlog__tool_option *option = commands[i]->options; option->name; option++) {
			char word[64], value[] = "1";
			char *argv[] = { "command", word, option->argument ? value : NULL, NULL };
			int operand;
			snprintf(word, sizeof word, "--%s", option->name);
			assert_int_equal(
			    otlog__tool_read_options(commands[i], option->argument ? 3 : 2, argv, request, &operand),
			    OTLOG__TOOL_GO_ON);
		}
	}
}

/* The lines of usage are written by hand: they name the options of the table, and no others. */
static void
usage_names_every_option_and_no_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < COMMANDS; i++) {
		size_t named = 0, known = 0;
		for (const otlog__tool_option *option = commands[i]->options; option->name; option++) {
			char shown[64];
			snprintf(shown, sizeof shown, "[--%s%s%s]", option->name, option->argument ? " " : "",
			         option->argument ? option->argument : "");
			if (!strstr(commands[i]->usage, shown))
				fail_msg("otlog %s: usage lacks %s", commands[i]->name, shown);
			for (const char *at = commands[i]->usage; (at = strstr(at, shown)); at++)
				known++;
		}
		for (const char *at = commands[i]->usage; (at = strstr(at, "--")); at += 2)
			named++;
		assert_int_equal(named, known);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_set_what_their_row_says),
		cmocka_unit_test(what_is_no_option_ends_the_command),
		cmocka_unit_test(help_is_made_of_the_tables),
		cmocka_unit_test(every_option_of_every_command_is_read),
		cmocka_unit_test(usage_names_every_option_and_no_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "sdk/tool/common/tool.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#define MOST_OPTIONS 16

/* What getopt_long calls the first option of a table; the others follow. No letter is as large. */
#define FIRST_CODE 256

/* ---- Help -------------------------------------------------------------------------------------------------------- */

/* A row of two columns; further lines of the text stand in the second one, too. */
static void
write_row(const char *name, const char *text, FILE *out)
{
	fprintf(out, "  %-17s  ", name);
	for (const char *end; (end = strchr(text, '\n')); text = end + 1)
		fprintf(out, "%.*s\n%21s", (int)(end - text), text, "");
	fprintf(out, "%s\n", text);
}

void
otlog__tool_write_help(const otlog__tool_command *command, FILE *out)
{
	fprintf(out, "%s\n%s\n", command->usage, command->about);
	for (const otlog__tool_operand *operand = command->operands; operand && operand->name; operand++)
		write_row(operand->name, operand->about, out);
	for (const otlog__tool_option *option = command->options; option->name; option++) {
		char name[64];
		snprintf(name, sizeof name, "--%s%s%s", option->name, option->argument ? " " : "",
		         option->argument ? option->argument : "");
		write_row(name, option->about, out);
	}
	write_row("-h, --help", "this text", out);
	fprintf(out, "\n%s", command->footnotes);
}

/* ---- What is wrong ----------------------------------------------------------------------------------------------- */

int
otlog__tool_misuse(const otlog__tool_command *command, const char *format, ...)
{
	va_list arguments;
	fprintf(stderr, "otlog %s: ", command->name);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\n%sotlog %s --help says more\n", command->usage, command->name);
	return OTLOG__TOOL_USAGE;
}

/* `word` is what getopt_long could not make an option of, and `code` what it says of that. */
static int
refuse(const otlog__tool_command *command, int code, const char *word)
{
	if (code == ':')
		return otlog__tool_misuse(command, "%s needs a value", word);
	/* Of an option that is known but takes no value, optopt is the code; of a letter that is none, the letter. */
	if (optopt > 0 && strncmp(word, "--", 2) == 0)
		return otlog__tool_misuse(command, "%s: this option takes no value", word);
	if (optopt > 0)
		return otlog__tool_misuse(command, "there is no option -%c; what begins with - goes behind --", optopt);
	return otlog__tool_misuse(command, "there is no option %s, or it is short for several", word);
}

/* ---- Reading ----------------------------------------------------------------------------------------------------- */

/* The table as getopt_long wants it, with --help before its end. */
static void
list_options(const otlog__tool_command *command, struct option out[MOST_OPTIONS + 2])
{
	int count = 0;
	for (; command->options[count].name && count < MOST_OPTIONS; count++)
		out[count] =
		    (struct option){ .name = command->options[count].name,
			             .has_arg = command->options[count].argument ? required_argument : no_argument,
			             .val = FIRST_CODE + count };
	out[count++] = (struct option){ .name = "help", .has_arg = no_argument, .val = 'h' };
	out[count] = (struct option){ 0 };
}

int
otlog__tool_read_options(const otlog__tool_command *command, int argc, char **argv, void *request, int *operand)
{
	struct option known[MOST_OPTIONS + 2];
	list_options(command, known);
	opterr = 0;
	optind = 0; /* from the beginning of this command line, whatever was read before */
	for (int code; (code = getopt_long(argc, argv, ":h", known, NULL)) != -1;) {
		if (code == 'h') {
			otlog__tool_write_help(command, stdout);
			return OTLOG__TOOL_DONE;
		}
		if (code < FIRST_CODE)
			return refuse(command, code, argv[optind - 1]);
		const otlog__tool_option *option = &command->options[code - FIRST_CODE];
		const char *wrong = option->read(optarg, (char *)request + option->offset);
		if (wrong)
			return otlog__tool_misuse(command, "%s %s", optarg, wrong);
	}
	*operand = optind;
	return OTLOG__TOOL_GO_ON;
}

const char *
otlog__tool_read_switch(const char *value, void *target)
{
	(void)value;
	*(bool *)target = true;
	return NULL;
}

const char *
otlog__tool_read_text(const char *value, void *target)
{
	*(const char **)target = value;
	return NULL;
}

const char *
otlog__tool_read_seconds(const char *value, void *target)
{
	return otlog__tool_seconds(value, target) ? NULL : "is no number of seconds above 0, at most a day";
}

const char *
otlog__tool_read_severity(const char *value, void *target)
{
	otlog__tool_level *level = target;
	level->text = *value >= '0' && *value <= '9' ? NULL : value;
	return otlog__tool_severity(value, &level->severity)
	           ? NULL
	           : "is no severity: give trace, debug, info, warn, error, fatal, or a number from 1 to 24";
}

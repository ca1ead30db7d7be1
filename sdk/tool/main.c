#include "sdk/tool/common/tool.h"

#include <string.h>

static const otlog__tool_command *const commands[] = {
	&otlog__tool_doctor,
	&otlog__tool_emit,
	&otlog__tool_queue,
	&otlog__tool_drain,
};

#define COMMANDS (sizeof commands / sizeof *commands)

static void
write_help(FILE *out)
{
	fputs("usage: otlog COMMAND [option...] [argument...]\n\n", out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\n"
	      "otlog COMMAND --help says more of each; otlog --version which one this is.\n"
	      "Every command reads the settings of the environment (OTEL_*, MITO_*, OTLOG_*) as a program that calls\n"
	      "otlog_start(NULL) does.\n"
	      "\n"
	      "Exit status: 0 all is well, 1 it is not, 2 the command line is wrong, 3 nothing is configured.\n",
	      out);
}

static const otlog__tool_command *
find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

/* Output that did not get out, for example on a full disk, must not look like success. */
static int
end_output(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fputs("otlog: standard output cannot be written. See where it goes, and whether the disk is full\n", stderr);
	return status == OTLOG__TOOL_DONE ? OTLOG__TOOL_FAILED : status;
}

int
main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || (strcmp(name, "help") == 0 && argc == 2)) {
		write_help(stdout);
		return end_output(OTLOG__TOOL_DONE);
	}
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
		puts("otlog " OTLOG_TOOL_VERSION);
		return end_output(OTLOG__TOOL_DONE);
	}
	bool helps = strcmp(name, "help") == 0;
	const otlog__tool_command *command = find_command(helps ? argv[2] : name);
	if (command && helps) {
		otlog__tool_write_help(command, stdout);
		return end_output(OTLOG__TOOL_DONE);
	}
	if (command)
		return end_output(command->run(command, argc - 1, argv + 1));
	if (*name)
		fprintf(stderr, "otlog: there is no command %s\n\n", helps ? argv[2] : name);
	write_help(stderr);
	return OTLOG__TOOL_USAGE;
}

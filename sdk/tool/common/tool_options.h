/*
 * The command line of a command: a table of its options, by which they are read and from which --help is written.
 *
 *   otlog NAME [option...] [operand...]
 *
 * Each command has a struct of its own for what it is asked to do; an option says where in there its value goes.
 */
#ifndef OTLOG_TOOL_COMMON_TOOL_OPTIONS_H
#define OTLOG_TOOL_COMMON_TOOL_OPTIONS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Exit statuses, the same for every command. */
enum { OTLOG__TOOL_DONE, OTLOG__TOOL_FAILED, OTLOG__TOOL_USAGE, OTLOG__TOOL_NOTHING };

/* In place of an exit status: the command line is right, and the command may go on. */
#define OTLOG__TOOL_GO_ON (-1)

/* Sets *target from the option's value, NULL if it takes none. Returns NULL, or what is wrong with it: "is no number". */
typedef const char *otlog__tool_reader(const char *value, void *target);

typedef struct otlog__tool_option {
	const char *name;     /* without the -- */
	const char *argument; /* how --help calls its value; NULL: it takes none */
	otlog__tool_reader *read;
	size_t offset;     /* in bytes, of what it sets in the command's struct */
	const char *about; /* for --help; may have several lines */
} otlog__tool_option;

/* What is named without --, for --help. */
typedef struct otlog__tool_operand {
	const char *name;
	const char *about; /* may have several lines */
} otlog__tool_operand;

typedef struct otlog__tool_command {
	const char *name;
	const char *summary; /* one line of `otlog --help` */
	/* `otlog NAME --help`, in this order. Each text ends in a line end, the two tables in an entry without a name. */
	const char *usage;
	const char *about;
	const otlog__tool_operand *operands; /* NULL: none */
	const otlog__tool_option *options;   /* without --help, which every command has */
	const char *footnotes;
	int (*run)(const struct otlog__tool_command *command, int argc, char **argv);
} otlog__tool_command;

/*
 * Reads all options into *request, the command's struct. Operands may stand between them; they are argv[*operand] and
 * those after it in the end. Returns OTLOG__TOOL_GO_ON, or the exit status of a command that ends here: --help was asked
 * for and written, or the command line is wrong and that was told.
 */
int otlog__tool_read_options(const otlog__tool_command *command, int argc, char **argv, void *request, int *operand);

void otlog__tool_write_help(const otlog__tool_command *command, FILE *out);

/* Says on standard error what is wrong with the command line, and where the help is. Returns OTLOG__TOOL_USAGE. */
int otlog__tool_misuse(const otlog__tool_command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- Readers, by what they set ----------------------------------------------------------------------------------- */

otlog__tool_reader otlog__tool_read_switch;  /* a bool: becomes true */
otlog__tool_reader otlog__tool_read_text;    /* a const char *, into argv */
otlog__tool_reader otlog__tool_read_seconds; /* a uint64_t, in milliseconds; as otlog__tool_seconds */

typedef struct otlog__tool_level {
	int severity;
	const char *text; /* as it was given; NULL: as a number */
} otlog__tool_level;

otlog__tool_reader otlog__tool_read_severity; /* an otlog__tool_level; as otlog__tool_severity */

#endif

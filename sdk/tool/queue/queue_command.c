#include "sdk/tool/queue/queue_command.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

static const char usage[] = "usage: otlog queue ls [--json] DIR\n"
			    "       otlog queue cat [--json] [--pipeline NAME] DIR [QUEUE]\n"
			    "       otlog queue check [--json] DIR\n";

static const char about[] =
    "Looks into a queue directory (OTLOG_QUEUE_DIR). It changes nothing and takes no lock: processes may run there.\n";

static const char footnotes[] =
    "What waits is delivered by the next process that starts there, or at once by otlog drain DIR.\n"
    "\n"
    "Exit status: 0 all is well; 1 the directory cannot be read, or check has found damaged or foreign files; 2 the\n"
    "command line is wrong.\n";

/* Of a column's text. */
#define TEXT_MAX 32

static const char *
bytes_text(uint64_t bytes, char out[TEXT_MAX])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double shown = (double)bytes;
	size_t unit = 0;
	for (; shown >= 1024 && unit + 1 < sizeof units / sizeof *units; unit++)
		shown /= 1024;
	snprintf(out, TEXT_MAX, unit && shown < 10 ? "%.1f %s" : "%.0f %s", shown, units[unit]);
	return out;
}

const char *
otlog__tool_queue_time(uint64_t unix_nano, char out[OTLOG__TOOL_QUEUE_TIME])
{
	struct tm parts;
	const time_t seconds = (time_t)(unix_nano / 1000000000u);
	if (!unix_nano || !gmtime_r(&seconds, &parts) ||
	    !strftime(out, OTLOG__TOOL_QUEUE_TIME, "%Y-%m-%dT%H:%M:%SZ", &parts))
		snprintf(out, OTLOG__TOOL_QUEUE_TIME, "-");
	return out;
}

static void
write_waiting(const otlog_queue_file *file, FILE *out)
{
	for (size_t i = 0; i < file->pipeline_count; i++) {
		fputs(i ? " " : "", out);
		otlog__tool_put(out, file->pipelines[i]);
		fprintf(out, ":%" PRIu64, file->waiting[i]);
	}
	fputs(file->pipeline_count ? "\n" : "-\n", out);
}

static void
write_problems(const otlog__tool_queues *queues, FILE *out)
{
	for (size_t i = 0; i < queues->count; i++) {
		const otlog_queue_file *file = &queues->items[i];
		if (!*file->problem)
			continue;
		fprintf(out, "\n%s: ", file->name);
		otlog__tool_put(out, file->problem);
		putc('\n', out);
	}
}

static int
list(const char *directory)
{
	otlog__tool_queues queues;
	int width = 4;
	bool read = otlog__tool_queues_read("queue ls", directory, &queues);
	for (size_t i = 0; i < queues.count; i++)
		if ((int)strlen(queues.items[i].name) > width)
			width = (int)strlen(queues.items[i].name);
	if (read && queues.count)
		printf("%-*s  %-7s  %7s  %-20s  %9s  %9s  %7s  %9s  %s\n", width, "NAME", "STATE", "PID", "CREATED",
		       "RECORDS", "SPOOLED", "DAMAGED", "BYTES", "WAITING");
	else if (read)
		printf("no queue lies in %s\n", directory);
	for (size_t i = 0; read && i < queues.count; i++) {
		const otlog_queue_file *file = &queues.items[i];
		char bytes[TEXT_MAX], created[OTLOG__TOOL_QUEUE_TIME], pid[TEXT_MAX];
		snprintf(pid, sizeof pid, "%" PRIu64, file->owner_pid);
		printf("%-*s  %-7s  %7s  %-20s  %9" PRIu64 "  %9" PRIu64 "  %7" PRIu64 "  %9s  ", width, file->name,
		       otlog_queue_file_state_text(file->state), file->owner_pid ? pid : "-",
		       otlog__tool_queue_time(file->created_unix_nano, created), file->records, file->spooled,
		       file->damaged, bytes_text(file->bytes, bytes));
		write_waiting(file, stdout);
	}
	write_problems(&queues, stdout);
	otlog__tool_queues_free(&queues);
	return read ? OTLOG__TOOL_DONE : OTLOG__TOOL_FAILED;
}

bool
otlog__tool_queue_is_sound(const otlog_queue_file *file)
{
	bool known = file->state == OTLOG_QUEUE_FILE_LIVE || file->state == OTLOG_QUEUE_FILE_WAITING;
	return known && !file->damaged && !*file->problem;
}

static void
write_verdict(const otlog_queue_file *file)
{
	bool sound = otlog__tool_queue_is_sound(file);
	printf("%s: %s, %s, records: %" PRIu64, file->name, sound ? "sound" : "NOT SOUND",
	       otlog_queue_file_state_text(file->state), file->records + file->spooled);
	if (file->damaged)
		printf(", lost to damage: %" PRIu64, file->damaged);
	putchar('\n');
	if (*file->problem) {
		fputs("  ", stdout);
		otlog__tool_put(stdout, file->problem);
		putchar('\n');
	} else if (file->damaged) {
		puts("  The rest is intact and will be delivered. Look after the disk, and keep other programs from "
		     "writing "
		     "there.");
	}
}

static int
check(const char *directory, bool json)
{
	otlog__tool_queues queues;
	size_t unsound = 0;
	bool read = otlog__tool_queues_read("queue check", directory, &queues);
	for (size_t i = 0; read && i < queues.count; i++) {
		if (json)
			otlog__tool_queue_json(&queues.items[i], stdout);
		else
			write_verdict(&queues.items[i]);
		unsound += !otlog__tool_queue_is_sound(&queues.items[i]);
	}
	if (read && !json)
		printf("queues: %zu, not sound: %zu\n", queues.count, unsound);
	otlog__tool_queues_free(&queues);
	return read && !unsound ? OTLOG__TOOL_DONE : OTLOG__TOOL_FAILED;
}

static int
list_json(const char *directory)
{
	otlog__tool_queues queues;
	bool read = otlog__tool_queues_read("queue ls", directory, &queues);
	for (size_t i = 0; read && i < queues.count; i++)
		otlog__tool_queue_json(&queues.items[i], stdout);
	otlog__tool_queues_free(&queues);
	return read ? OTLOG__TOOL_DONE : OTLOG__TOOL_FAILED;
}

static int
choose(const otlog__tool_command *command, int count, char **words, otlog__tool_cat *cat)
{
	static const char *const names[] = { "ls", "cat", "check" };
	size_t which = 0;
	if (count == 0)
		return otlog__tool_misuse(command, "say what to do: ls, cat or check");
	while (which < 3 && strcmp(words[0], names[which]) != 0)
		which++;
	bool cats = which == 1;
	if (which == 3)
		return otlog__tool_misuse(command, "there is no %s; there are ls, cat and check", words[0]);
	if (count < 2)
		return otlog__tool_misuse(command, "%s needs the directory", words[0]);
	if (count > (cats ? 3 : 2))
		return otlog__tool_misuse(command, "%s is one argument too many", words[cats ? 3 : 2]);
	if (!cats && cat->pipeline)
		return otlog__tool_misuse(command, "--pipeline belongs to cat");
	cat->directory = words[1];
	cat->name = count == 3 ? words[2] : NULL;
	if (cats)
		return otlog__tool_cat_records(cat);
	if (which == 2)
		return check(words[1], cat->json);
	return cat->json ? list_json(words[1]) : list(words[1]);
}

static const otlog__tool_operand operands[] = {
	{ "ls", "a line for each queue: its name; whether a process has it open (live), its owner is dead\n"
	        "(waiting) or it is left alone (foreign, damaged); the owner's process id; since when;\n"
	        "records in the queue and in the spool; records lost to damage; bytes on the disk; records\n"
	        "that wait for each destination" },
	{ "cat", "the records that wait, queue by queue, the oldest of each first, a line each: time, severity,\n"
	         "logger, body, attributes" },
	{ "check", "reads every record, and says what is wrong and what to do" },
	{ 0 },
};

static const otlog__tool_option options[] = {
	{ "json", NULL, otlog__tool_read_switch, offsetof(otlog__tool_cat, json),
	  "ls, check: a JSON object a line for each queue; docs/otlog.md lists its keys\n"
	  "cat: OTLP JSON lines, a line for several records" },
	{ "pipeline", "NAME", otlog__tool_read_text, offsetof(otlog__tool_cat, pipeline),
	  "only what waits for this destination, such as otlp_http" },
	{ 0 },
};

static int
run(const otlog__tool_command *command, int argc, char **argv)
{
	otlog__tool_cat cat = { 0 };
	int operand;
	int status = otlog__tool_read_options(command, argc, argv, &cat, &operand);
	return status == OTLOG__TOOL_GO_ON ? choose(command, argc - operand, argv + operand, &cat) : status;
}

const otlog__tool_command otlog__tool_queue = {
	.name = "queue",
	.summary = "look into a queue directory: ls, cat, check",
	.usage = usage,
	.about = about,
	.operands = operands,
	.options = options,
	.footnotes = footnotes,
	.run = run,
};

#include "sdk/tool/common/tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEFAULT_TIMEOUT_MS 5000
#define MOST_ATTRIBUTES 128
#define MOST_BODY (8u << 20) /* half of the default queue: a record is cut to less than that */
#define SMALL_RECORD (8u << 10)
#define SMALL_QUEUE (512u << 10)

static const char usage[] =
    "usage: otlog emit [--severity S] [--event NAME] [--logger NAME] [--timeout SECONDS] BODY [KEY=VALUE...]\n";

static const char about[] =
    "Sends one log record to where the settings of the environment say, and waits until it is there.\n";

static const char footnotes[] =
    "What begins with - and is no option goes behind --. If TRACEPARENT is set, as W3C Trace Context writes it, the\n"
    "record belongs to that trace. The service is that of OTEL_SERVICE_NAME.\n"
    "\n"
    "Exit status: 0 delivered, or kept in the files of OTLOG_QUEUE_DIR for the next process; 1 not, and why is on\n"
    "standard error; 2 the command line is wrong.\n"
    "\n"
    "  otlog emit --severity warn \"disk 91% full\" disk=sda1 used_percent:=91\n"
    "  make 2>&1 | tail -n 50 | otlog emit --severity error --event build.failed - branch=main\n";

typedef struct request {
	otlog__tool_level level;
	const char *event;
	const char *logger;
	uint64_t timeout_ms;
	char *body; /* owned */
	size_t body_size;
	otlog_attr attributes[MOST_ATTRIBUTES];
	size_t attribute_count;
} request;

static otlog__tool_notes notes = { .lock = PTHREAD_MUTEX_INITIALIZER };

static bool
read_all(FILE *in, request *request)
{
	size_t capacity = 0;
	for (;;) {
		if (request->body_size == capacity) {
			capacity = capacity ? 2 * capacity : 4096;
			char *grown = capacity > 2 * MOST_BODY ? NULL : realloc(request->body, capacity);
			if (!grown)
				return false;
			request->body = grown;
		}
		size_t got = fread(request->body + request->body_size, 1, capacity - request->body_size, in);
		request->body_size += got;
		if (got == 0)
			break;
	}
	if (request->body_size && request->body[request->body_size - 1] == '\n')
		request->body_size--;
	return !ferror(in) && request->body_size <= MOST_BODY;
}

static int
read_body(const char *argument, request *request)
{
	if (strcmp(argument, "-") != 0) {
		request->body = strdup(argument);
		request->body_size = strlen(argument);
		return request->body ? OTLOG__TOOL_GO_ON : OTLOG__TOOL_FAILED;
	}
	errno = 0;
	if (read_all(stdin, request))
		return OTLOG__TOOL_GO_ON;
	fprintf(stderr, "otlog emit: standard input cannot be read as one body: %s. Give at most 8 MiB\n",
	        errno ? strerror(errno) : "it is too long");
	return OTLOG__TOOL_FAILED;
}

static uint64_t
unix_nano(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The traceparent is read after the start: only then does the library tell of a malformed one. */
static otlog_emit_result
emit(const request *request)
{
	otlog_context_token token = otlog_context_attach_traceparent(getenv("TRACEPARENT"));
	otlog_emit_result result =
	    otlog_emit(otlog_get_logger(request->logger, NULL),
	               &(otlog_record){ .time_unix_nano = unix_nano(),
	                                .severity = request->level.severity,
	                                .severity_text = request->level.text,
	                                .body = otlog_string_n(request->body, request->body_size),
	                                .attributes = { request->attributes, request->attribute_count },
	                                .event_name = request->event });
	otlog_context_detach(token);
	return result;
}

/*
 * The smallest queue that takes the record, unless the user asks for another: while the destination is away every run
 * leaves a file in the queue directory, and a script may run every minute.
 */
static uint64_t
queue_bytes(const request *request)
{
	const char *asked = getenv("OTLOG_QUEUE_BYTES");
	size_t size = request->body_size;
	for (size_t i = 0; i < request->attribute_count; i++) {
		const otlog_attr *attr = &request->attributes[i];
		size += attr->key_size + (attr->value.type == OTLOG_VALUE_STRING ? attr->value.as.bytes.size : 8);
	}
	return size <= SMALL_RECORD && !(asked && *asked) ? SMALL_QUEUE : 0;
}

/* Says it in place of the library, which does not know from which variable the traceparent comes. */
static void
tell_of_traceparent(void)
{
	char *malformed = otlog__tool_notes_cut(&notes, "traceparent \"");
	if (malformed)
		fputs("otlog emit: TRACEPARENT is malformed, and the record belongs to no trace. Set it as W3C Trace "
		      "Context has it, 00-<32 hex digits>-<16 hex digits>-<2 hex digits>, or unset it\n",
		      stderr);
	free(malformed);
}

static void
tell_of_keeping(void)
{
	const char *directory = getenv("OTLOG_QUEUE_DIR");
	fprintf(stderr,
	        "otlog emit: not delivered yet, but kept in %s. The next service that runs there delivers it, or otlog "
	        "drain does\n",
	        directory ? directory : "OTLOG_QUEUE_DIR");
}

/* Says on standard error why not, unless the library's own words do. */
static int
deliver(const request *request)
{
	bool started = otlog_start(&(otlog_options){ .queue_bytes = queue_bytes(request),
	                                             .diagnostic = otlog__tool_notes_take,
	                                             .diagnostic_user = &notes,
	                                             .diagnostic_level = OTLOG_DIAGNOSTIC_INFO });
	otlog_emit_result emitted = started ? emit(request) : OTLOG_EMIT_DISABLED;
	otlog_flush_result ended = otlog_shutdown(request->timeout_ms);
	otlog_statistics_snapshot statistics;
	otlog_statistics(&statistics);
	bool done = emitted == OTLOG_EMIT_ACCEPTED && ended <= OTLOG_DURABLE;

	tell_of_traceparent();
	otlog__tool_notes_write(&notes, done ? OTLOG_DIAGNOSTIC_WARN : OTLOG_DIAGNOSTIC_INFO, stderr);
	if (statistics.truncated)
		fputs("otlog emit: the body was cut to fit the queue. Raise OTLOG_QUEUE_BYTES\n", stderr);
	if (emitted != OTLOG_EMIT_ACCEPTED)
		fprintf(stderr, "otlog emit: not sent: %s\n", otlog_emit_result_text(emitted));
	else if (ended == OTLOG_DURABLE)
		tell_of_keeping();
	else if (!done)
		fprintf(stderr, "otlog emit: not delivered: %s. otlog doctor shows where it gets stuck\n",
		        ended == OTLOG_TIMEOUT ? "the time is up (--timeout)" : "the destination refused the record");
	return done ? OTLOG__TOOL_DONE : OTLOG__TOOL_FAILED;
}

/* ---- The command line -------------------------------------------------------------------------------------------- */

static int
read_attributes(const otlog__tool_command *command, int count, char **words, request *request)
{
	if (count > MOST_ATTRIBUTES)
		return otlog__tool_misuse(command, "a record has at most %d attributes", MOST_ATTRIBUTES);
	for (int i = 0; i < count; i++) {
		char shown[64];
		snprintf(shown, sizeof shown, "%s", words[i]); /* before it is cut into key and value */
		const char *wrong = otlog__tool_attribute(words[i], &request->attributes[request->attribute_count++]);
		if (wrong)
			return otlog__tool_misuse(command, "%s: %s", shown, wrong);
	}
	return OTLOG__TOOL_GO_ON;
}

static int
read_operands(const otlog__tool_command *command, int count, char **words, request *request)
{
	if (count == 0)
		return otlog__tool_misuse(command, "there is no BODY");
	int status = read_attributes(command, count - 1, words + 1, request);
	return status == OTLOG__TOOL_GO_ON ? read_body(words[0], request) : status;
}

static const otlog__tool_operand operands[] = {
	{ "BODY", "the text; - reads standard input, less the line end at its end" },
	{ "KEY=VALUE", "an attribute with a text value" },
	{ "KEY:=VALUE", "an attribute with a number (42, 4.2), true, false or null" },
	{ 0 },
};

static const otlog__tool_option options[] = {
	{ "severity", "S", otlog__tool_read_severity, offsetof(request, level),
	  "trace, debug, info, warn, error, fatal, each also as in warn2 … warn4, or 1 … 24; info" },
	{ "event", "NAME", otlog__tool_read_text, offsetof(request, event), "makes it an event of that name" },
	{ "logger", "NAME", otlog__tool_read_text, offsetof(request, logger), "the instrumentation scope; otlog.emit" },
	{ "timeout", "SECONDS", otlog__tool_read_seconds, offsetof(request, timeout_ms), "how long to try; 5" },
	{ 0 },
};

static int
run(const otlog__tool_command *command, int argc, char **argv)
{
	request request = { .level = { .severity = OTLOG_SEVERITY_INFO },
		            .logger = "otlog.emit",
		            .timeout_ms = DEFAULT_TIMEOUT_MS };
	int operand;
	int status = otlog__tool_read_options(command, argc, argv, &request, &operand);
	if (status == OTLOG__TOOL_GO_ON)
		status = read_operands(command, argc - operand, argv + operand, &request);
	if (status == OTLOG__TOOL_GO_ON)
		status = deliver(&request);
	free(request.body);
	return status;
}

const otlog__tool_command otlog__tool_emit = {
	.name = "emit",
	.summary = "send one record, from a shell script",
	.usage = usage,
	.about = about,
	.operands = operands,
	.options = options,
	.footnotes = footnotes,
	.run = run,
};

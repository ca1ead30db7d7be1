/*
 * What the interop tests send to a real Collector, through the public API alone. What must arrive is written down in
 * expected.py, independently of this file.
 *
 *     interop_emit fields           one record for each thing that a record can carry
 *     interop_emit burst N THREADS  N numbered records from each of THREADS threads; answers `accepted N`, a line
 *                                   `refused THREAD SEQUENCE` for each that was not taken, and at its end the books:
 *                                   `emitted N`, `delivered N`, `dropped N`, `queued N`, `retries N`
 *     interop_emit stream           commands on stdin, a line each: `emit N` sends the next N numbered records and
 *                                   answers `accepted N`; `flush MS` answers with the result; the end of stdin ends it
 *
 * The last line of stdout is the result of the shutdown.
 */
#include <otlog/otlog.h>

#include <err.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHUTDOWN_MS 60000

static int refused;

static void
expect_accepted(otlog_emit_result result, const char *what)
{
	if (result != OTLOG_EMIT_ACCEPTED) {
		warnx("%s: %s", what, otlog_emit_result_text(result));
		refused++;
	}
}

/* ---- fields ------------------------------------------------------------------------------------------------------ */

/* The same for all, so that the records' other fields are seen one by one. */
static otlog_record
record_named(const char *event_name)
{
	static const otlog_span_context none;
	return (otlog_record){ .event_name = event_name, .span_context = &none };
}

static void
emit_value(otlog_logger *log, const char *event_name, otlog_value value)
{
	otlog_record record = record_named(event_name);
	record.body = value;
	record.attributes = OTLOG_ATTRS(OTLOG_KV("value", value));
	expect_accepted(otlog_emit(log, &record), event_name);
}

static void
emit_scalars(otlog_logger *log)
{
	emit_value(log, "empty", otlog_empty());
	emit_value(log, "string", OTLOG_VALUE("text"));
	emit_value(log, "string.empty", OTLOG_VALUE(""));
	emit_value(log, "string.unicode", OTLOG_VALUE("h\u00e9llo \u65e5\u672c\u8a9e \U0001f389 e\u0301"));
	emit_value(log, "string.controls", OTLOG_VALUE("tab\t quote\" backslash\\ newline\n bell\a <&>"));
	emit_value(log, "string.nul", otlog_string_n("a\0b", 3));
	emit_value(log, "string.invalid", OTLOG_VALUE("bad \xff\xfe"));
	emit_value(log, "bool.true", otlog_bool(true));
	emit_value(log, "bool.false", otlog_bool(false));
	emit_value(log, "int.zero", otlog_int64(0));
	emit_value(log, "int.minus", otlog_int64(-1));
	emit_value(log, "int.min", otlog_int64(INT64_MIN));
	emit_value(log, "int.max", otlog_int64(INT64_MAX));
	emit_value(log, "uint.small", otlog_uint64(42));
	emit_value(log, "uint.max", otlog_uint64(UINT64_MAX));
	emit_value(log, "uint.first_over", otlog_uint64((uint64_t)INT64_MAX + 1));
	emit_value(log, "double", otlog_double(0.1));
	emit_value(log, "double.zero", otlog_double(0.0));
	emit_value(log, "double.minus_zero", otlog_double(-0.0));
	emit_value(log, "double.nan", otlog_double(NAN));
	emit_value(log, "double.infinity", otlog_double(INFINITY));
	emit_value(log, "double.minus_infinity", otlog_double(-INFINITY));
	emit_value(log, "double.largest", otlog_double(1.7976931348623157e308));
	emit_value(log, "double.smallest", otlog_double(5e-324));
	emit_value(log, "bytes", otlog_bytes("\0\1\xfe\xff", 4));
	emit_value(log, "bytes.empty", otlog_bytes("", 0));
}

static void
emit_containers(otlog_logger *log)
{
	emit_value(log, "array.empty", otlog_array(NULL, 0));
	emit_value(log, "map.empty", otlog_map(OTLOG__NO_ATTRS));
	emit_value(log, "array",
	           OTLOG_ARRAY(OTLOG_VALUE("s"), otlog_bool(true), OTLOG_VALUE(7), OTLOG_VALUE(-0.0), otlog_empty(),
	                       otlog_bytes("\x80", 1), OTLOG_ARRAY(OTLOG_VALUE(1), otlog_array(NULL, 0)),
	                       OTLOG_VALUE(OTLOG_ATTRS(OTLOG_KV("in", "array")))));
	emit_value(log, "map",
	           OTLOG_VALUE(OTLOG_ATTRS(
		       OTLOG_KV("z first", 1),
		       OTLOG_KV("a second", OTLOG_ATTRS(OTLOG_KV("deep", OTLOG_ATTRS(OTLOG_KV("er", "leaf"))))),
		       OTLOG_KV("list", OTLOG_ARRAY(OTLOG_VALUE(OTLOG_ATTRS(OTLOG_KV("k", false ? 1 : 2))))),
		       OTLOG_KV("nothing", otlog_empty()), OTLOG_KV("no text", ""),
		       OTLOG_KV("no items", otlog_map(OTLOG__NO_ATTRS)))));
}

static void
emit_severities(otlog_logger *log)
{
	for (int severity = -1; severity <= 25; severity++) {
		otlog_record record = record_named("severity");
		record.severity = severity;
		record.severity_text = otlog_severity_name(severity);
		record.attributes = OTLOG_ATTRS(OTLOG_KV("given", severity));
		expect_accepted(otlog_emit(log, &record), "severity");
	}
}

static void
emit_times(otlog_logger *log)
{
	static const uint64_t times[][2] = {
		{ 0, 0 },
		{ 1, 2 },
		{ UINT64_C(1772442845123456789), UINT64_C(1772442846987654321) },
		{ UINT64_MAX, UINT64_MAX },
		{ 0, 5 },
		{ 5, 0 },
	};
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		otlog_record record = record_named("time");
		record.time_unix_nano = times[i][0];
		record.observed_time_unix_nano = times[i][1];
		record.attributes = OTLOG_ATTRS(OTLOG_KV("index", i));
		expect_accepted(otlog_emit(log, &record), "time");
	}
}

static void
emit_traces(otlog_logger *log)
{
	static const otlog_span_context given = {
		.trace_id = { 0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x99, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,
		              0x00 },
		.span_id = { 1, 2, 3, 4, 5, 6, 7, 8 },
		.trace_flags = OTLOG_TRACE_FLAG_SAMPLED | OTLOG_TRACE_FLAG_RANDOM,
	};
	otlog_record record = record_named("trace.explicit");
	record.span_context = &given;
	expect_accepted(otlog_emit(log, &record), "trace.explicit");

	otlog_context_token token =
	    otlog_context_attach_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
	record.event_name = "trace.current";
	record.span_context = NULL;
	expect_accepted(otlog_emit(log, &record), "trace.current");
	record = record_named("trace.none");
	expect_accepted(otlog_emit(log, &record), "trace.none");
	otlog_context_detach(token);

	token = otlog_context_attach_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
	record.event_name = "trace.unsampled";
	record.span_context = NULL;
	expect_accepted(otlog_emit(log, &record), "trace.unsampled");
	otlog_context_detach(token);
}

static void
emit_attributes(otlog_logger *log)
{
	otlog_record record = record_named("attributes.names");
	record.attributes = OTLOG_ATTRS(OTLOG_KV("twice", 1), OTLOG_KV("once", 2), OTLOG_KV("twice", 3),
	                                OTLOG_KV("\u30ad\u30fc", "key"), OTLOG_KV("bad\xff", 4));
	expect_accepted(otlog_emit(log, &record), "attributes.names");

	char keys[130][8];
	otlog_attr many[131];
	for (int i = 0; i < 130; i++) {
		snprintf(keys[i], sizeof keys[i], "k%d", i);
		many[i] = otlog_attr_of(keys[i], otlog_int64(i));
	}
	many[130] = OTLOG_KV("", "a key must not be empty");
	record = record_named("attributes.dropped");
	record.attributes = (otlog_attrs){ many, 131 };
	expect_accepted(otlog_emit(log, &record), "attributes.dropped");

	char *large = malloc(100001);
	if (!large)
		err(1, "malloc");
	memset(large, 'x', 100000);
	large[100000] = '\0';
	record = record_named("attributes.large");
	record.attributes = OTLOG_ATTRS(OTLOG_KV("large", large));
	expect_accepted(otlog_emit(log, &record), "attributes.large");
	free(large);
}

static void
emit_names(otlog_logger *log)
{
	otlog_record record = record_named(NULL);
	record.body = OTLOG_VALUE("no event");
	expect_accepted(otlog_emit(log, &record), "no event");
	record = record_named("\u00e9v\u00e9nement");
	expect_accepted(otlog_emit(log, &record), "unicode event name");
	record = (otlog_record){ 0 };
	expect_accepted(otlog_emit(log, &record), "all zero");

	static const otlog_site site = { "src/checkout.c", "place_order", 42 };
	expect_accepted(otlog_log(log, OTLOG_SEVERITY_INFO, &site, "order placed",
	                          OTLOG_ATTRS(OTLOG_KV("order.id", "o-17"), OTLOG_KV("total", 42.5))),
	                "a record with its site");
}

/* Some of each scope, mixed, so that batches change from one to the other and back. */
static void
emit_scopes(void)
{
	otlog_logger *plain = otlog_get_logger("plain", NULL);
	otlog_logger *other = otlog_get_logger("plain", "2.0");
	otlog_logger *unnamed = otlog_get_logger(NULL, NULL);
	otlog_logger *full = otlog_get_logger_with(&(otlog_logger_options){
	    .name = "sc\u00f6pe",
	    .version = "3.1.4",
	    .schema_url = "https://opentelemetry.io/schemas/1.37.0",
	    .attributes = OTLOG_ATTRS(OTLOG_KV("scope.key", "v"), OTLOG_KV("scope.list", OTLOG_ARRAY(OTLOG_VALUE(1)))),
	});
	otlog_logger *order[] = { plain, full, plain, other, unnamed, full, full, other };
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		otlog_record record = record_named("scope");
		record.attributes = OTLOG_ATTRS(OTLOG_KV("index", i));
		expect_accepted(otlog_emit(order[i], &record), "scope");
	}
}

static void
emit_events(void)
{
	static const char *const traceback[] = { "Traceback (most recent call last):", "  File \"a.py\", line 1",
		                                 "KeyError: 'B'" };
	otlog_logger *bonito = otlog_get_logger("bonito", "1.0");
	otlog_logger *mito = otlog_get_logger("mito", "1.0");

	expect_accepted(
	    bonito_emit(bonito, &(bonito_entry){ .org_id = "5f0f4c1e-7b1c-4f0a-9a55-0a4f0f6b8d21",
	                                         .log_type = BONITO_LOG_GATEWAY,
	                                         .event_type = BONITO_EVENT_GATEWAY_REQUEST,
	                                         .severity = BONITO_SEVERITY_ERROR,
	                                         .timestamp_unix_nano = UINT64_C(1772442845000000000),
	                                         .trace_id = "0af76519-16cd-43dd-8448-eb211c80319c",
	                                         .user_id = "u-1",
	                                         .resource_id = "r-1",
	                                         .resource_type = "model",
	                                         .action = "execute",
	                                         .duration_ms = OTLOG_OPT(2500),
	                                         .cost = OTLOG_OPT(0.045),
	                                         .message = "Completed chat completion request",
	                                         .metadata = OTLOG_ATTRS(
						     OTLOG_KV("model", "gpt-4o"), OTLOG_KV("provider", "openai"),
						     OTLOG_KV("input_tokens", 1200), OTLOG_KV("output_tokens", 300),
						     OTLOG_KV("retry", otlog_bool(false))) }),
	    "bonito");
	expect_accepted(mito_log(mito, &(mito_event){ .event = MITO_EVENT_RENAME_COLUMN_EDIT,
	                                              .timestamp_gmt = "2026-03-02T09:14:05Z",
	                                              .params = OTLOG_ATTRS(OTLOG_KV("sheet_index", 0),
	                                                                    OTLOG_KV("new_column_header", "B")),
	                                              .versions = OTLOG_ATTRS(OTLOG_KV("python", "3.11.9")) }),
	                "mito edit");
	expect_accepted(mito_log(mito, &(mito_event){ .event = MITO_EVENT_ERROR,
	                                              .timestamp_gmt = "2026-03-02T09:14:06Z",
	                                              .params = OTLOG_ATTRS(
							  OTLOG_KV("failed_log_event", "rename_column_edit_failed")),
	                                              .error_traceback = traceback,
	                                              .error_traceback_count = 3,
	                                              .error_traceback_last_line = "KeyError: 'B'" }),
	                "mito error");
}

static void
emit_fields(void)
{
	otlog_logger *log = otlog_get_logger("fields", "0.1");
	emit_scalars(log);
	emit_containers(log);
	emit_severities(log);
	emit_times(log);
	emit_traces(log);
	emit_attributes(log);
	emit_names(log);
	emit_scopes();
	emit_events();
}

/* ---- burst and stream -------------------------------------------------------------------------------------------- */

typedef struct part {
	pthread_t thread;
	int number;
	long first;
	long count;
	long accepted;
	bool *refused; /* of each record of a burst; NULL: nobody asks */
} part;

static void *
emit_numbered(void *argument)
{
	part *mine = argument;
	otlog_logger *log = otlog_get_logger("numbered", NULL);
	for (long i = mine->first; i < mine->first + mine->count; i++) {
		if (otlog_log(log, OTLOG_SEVERITY_INFO, NULL, "numbered",
		              OTLOG_ATTRS(OTLOG_KV("thread", mine->number), OTLOG_KV("sequence", i))) ==
		    OTLOG_EMIT_ACCEPTED)
			mine->accepted++;
		else if (mine->refused)
			mine->refused[i] = true;
	}
	return NULL;
}

static void
print_refused(const part *mine)
{
	for (long i = 0; i < mine->count; i++)
		if (mine->refused[i])
			printf("refused %d %ld\n", mine->number, i);
}

static void
print_books(void)
{
	otlog_pipeline_statistics first;
	otlog_statistics_pipeline(0, &first);
	const otlog_pipeline_statistics *books = &first;
	uint64_t dropped = 0;
	for (int reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++)
		dropped += books->dropped[reason];
	printf("emitted %" PRIu64 "\ndelivered %" PRIu64 "\ndropped %" PRIu64 "\nqueued %" PRIu64 "\nretries %" PRIu64
	       "\n",
	       books->emitted, books->delivered, dropped, books->queued, books->retries);
}

static void
emit_burst(long count, int threads)
{
	part parts[64] = { { 0 } };
	long accepted = 0;
	if (count < 1 || threads < 1 || threads > 64)
		errx(2, "1 record at least, 1 to 64 threads");
	for (int i = 0; i < threads; i++) {
		parts[i].number = i;
		parts[i].count = count;
		parts[i].refused = calloc((size_t)count, sizeof *parts[i].refused);
		if (!parts[i].refused)
			err(1, "calloc");
		if (pthread_create(&parts[i].thread, NULL, emit_numbered, &parts[i]) != 0)
			errx(1, "pthread_create failed");
	}
	for (int i = 0; i < threads; i++) {
		pthread_join(parts[i].thread, NULL);
		accepted += parts[i].accepted;
	}
	printf("accepted %ld\n", accepted);
	for (int i = 0; i < threads; i++) {
		print_refused(&parts[i]);
		free(parts[i].refused);
	}
}

static void
obey_stdin(void)
{
	char line[64];
	part all = { 0 };
	while (fgets(line, sizeof line, stdin)) {
		long number = 0;
		if (sscanf(line, "emit %ld", &number) == 1) {
			all.first += all.count;
			all.count = number;
			all.accepted = 0;
			emit_numbered(&all);
			printf("accepted %ld\n", all.accepted);
		} else if (sscanf(line, "flush %ld", &number) == 1) {
			printf("%s\n", otlog_flush_result_text(otlog_flush((uint64_t)number)));
		} else {
			errx(2, "no such command: %s", line);
		}
		fflush(stdout);
	}
}

int
main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	if (!otlog_start(&(otlog_options){
		.resource_attributes =
		    OTLOG_ATTRS(OTLOG_KV("build.number", 7), OTLOG_KV("team", "from code"),
	                        OTLOG_KV("build.flags", OTLOG_ARRAY(OTLOG_VALUE("-O2"), OTLOG_VALUE("-g")))),
		.resource_schema_url = "https://opentelemetry.io/schemas/1.36.0",
	    }))
		errx(1, "otlog_start failed");
	if (strcmp(mode, "fields") == 0)
		emit_fields();
	else if (strcmp(mode, "burst") == 0 && argc == 4)
		emit_burst(atol(argv[2]), atoi(argv[3]));
	else if (strcmp(mode, "stream") == 0)
		obey_stdin();
	else
		errx(2, "usage: interop_emit fields | burst N THREADS | stream");
	otlog_flush_result result = otlog_shutdown(SHUTDOWN_MS);
	if (strcmp(mode, "burst") == 0)
		print_books();
	printf("%s\n", otlog_flush_result_text(result));
	/* What a burst lost is for the test to judge. */
	return refused == 0 && (result == OTLOG_DELIVERED || strcmp(mode, "burst") == 0) ? 0 : 1;
}

#include "exporters/console/console_lines.h"
#include "exporters/console/console_text.h"
#include "exporters/json/otlp_json.h"
#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"
#include "tests/support/records/otlp_request.h"
#include "tests/support/records/utf8_oracle.h"

#include <otlog/otlog.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Monday, 2 March 2026, 09:14:05.123 UTC. */
#define WHEN UINT64_C(1772442845123456789)

/* ---- Requests as the SDK makes them ------------------------------------------------------------------------------ */

typedef struct source {
	otlog_provider *provider;
	otlog_memory *memory;
	otlog_logger *log;
} source;

static source
source_open(const char *service, const char *scope)
{
	source s;
	otlog_pipeline_options pipeline = { .schedule_delay_ms = 60000 };
	s.memory = otlog_memory_exporter_create(NULL, &pipeline.exporter);
	s.provider = otlog_provider_create(
	    &(otlog_options){ .service_name = service, .pipelines = &pipeline, .pipeline_count = 1 });
	assert_non_null(s.provider);
	s.log = otlog_provider_get_logger(s.provider, &(otlog_logger_options){ .name = scope });
	return s;
}

/* All that was emitted, as one request; valid until source_close. */
static otlog_batch
source_batch(source *s)
{
	otlog_batch batch = { 0 };
	assert_int_equal(otlog_provider_flush(s->provider, 10000), OTLOG_DELIVERED);
	batch.request = otlog_memory_request(s->memory, 0, &batch.request_size);
	batch.records = otlog_memory_count(s->memory);
	assert_null(otlog_memory_request(s->memory, 1, NULL));
	return batch;
}

static void
source_close(source *s)
{
	otlog_provider_destroy(s->provider);
	otlog_memory_free(s->memory);
}

static void
emit(source *s, otlog_record record)
{
	static const otlog_span_context none;
	if (!record.span_context)
		record.span_context = &none;
	if (!record.time_unix_nano)
		record.time_unix_nano = WHEN;
	assert_int_equal(otlog_emit(s->log, &record), OTLOG_EMIT_ACCEPTED);
}

/* ---- Descriptors ------------------------------------------------------------------------------------------------- */

static int
memory_file(void)
{
	int fd = memfd_create("console", MFD_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* All that is in the file, with a NUL behind it. Free it. */
static char *
content_of(int fd, size_t *size)
{
	off_t end = lseek(fd, 0, SEEK_END);
	assert_true(end >= 0);
	char *text = calloc(1, (size_t)end + 1);
	assert_non_null(text);
	assert_int_equal(pread(fd, text, (size_t)end, 0), end);
	if (size)
		*size = (size_t)end;
	return text;
}

static otlog_exporter
console_on(int fd, otlog_console_format format, otlog_console_colour colour)
{
	otlog_exporter e;
	assert_true(otlog_console_exporter_create(
	    &(otlog_console_options){ .fd = fd, .format = format, .colour = colour }, &e));
	assert_string_equal(e.name, "console");
	return e;
}

static otlog_export_result
give(const otlog_exporter *e, const otlog_batch *batch, uint64_t timeout_ms)
{
	otlog_export_result result = { 0 };
	e->functions->export_batch(e->self, batch, timeout_ms, &result);
	return result;
}

static char *
shown(source *s, otlog_console_colour colour)
{
	int fd = memory_file();
	otlog_exporter e = console_on(fd, OTLOG_CONSOLE_TEXT, colour);
	otlog_batch batch = source_batch(s);
	assert_int_equal(give(&e, &batch, 1000).verdict, OTLOG_VERDICT_OK);
	e.functions->destroy(e.self);
	char *text = content_of(fd, NULL);
	close(fd);
	return text;
}

/* ---- What it looks like ------------------------------------------------------------------------------------------ */

static void
emit_golden(source *s)
{
	const otlog_span_context span = { .trace_id = { 0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd },
		                          .span_id = { 0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31 } };
	const uint8_t blob[40] = { 0xde, 0xad };
	emit(s, (otlog_record){ .severity = OTLOG_SEVERITY_INFO,
	                        .event_name = "bonito.gateway.request",
	                        .body = otlog_string("Completed chat completion request"),
	                        .attributes = OTLOG_ATTRS(OTLOG_KV("user.id", "u-7"), OTLOG_KV("model", "gpt 4o"),
	                                                  OTLOG_KV("cost", 0.045), OTLOG_KV("tokens", 1500),
	                                                  OTLOG_KV("cached", otlog_bool(false))),
	                        .span_context = &span });
	emit(s, (otlog_record){ .severity = OTLOG_SEVERITY_ERROR2,
	                        .event_name = "mito.error",
	                        .body = otlog_string("rename failed\r\nsecond line\n\n"),
	                        .attributes = OTLOG_ATTRS(
				    OTLOG_KV("exception.type", "KeyError"),
				    OTLOG_KV("exception.stacktrace", "Traceback:\n\tFile \"a.py\"\nKeyError: 'x'"),
				    OTLOG_KV("note", "a\nb"), OTLOG_KV("last", "")) });
	emit(s, (otlog_record){ .time_unix_nano = 1 });
	emit(s, (otlog_record){ .severity_text = "loud", .body = otlog_int64(INT64_MIN) });
	emit(s, (otlog_record){ .severity = OTLOG_SEVERITY_FATAL4,
	                        .time_unix_nano = UINT64_C(951782400000000000), /* 29 February 2000 */
	                        .body = OTLOG_ARRAY(otlog_string("a b"), otlog_empty(), otlog_bool(true)),
	                        .attributes = OTLOG_ATTRS(
				    OTLOG_KV("map", otlog_map(OTLOG_ATTRS(OTLOG_KV("k", "v"), OTLOG_KV("n", 1)))),
				    OTLOG_KV("blob", otlog_bytes(blob, sizeof blob)),
				    OTLOG_KV("few", otlog_bytes(blob, 2)), OTLOG_KV("odd key", "[x]")) });
}

static const char golden[] =
    "2026-03-02T09:14:05.123Z INFO   checkout/orders [bonito.gateway.request] Completed chat completion request"
    " user.id=u-7 model=\"gpt 4o\" cost=0.045 tokens=1500 cached=false trace=0af76519 span=b7ad6b71\n"
    "2026-03-02T09:14:05.123Z ERROR2 checkout/orders [mito.error] rename failed exception.type=KeyError last=\"\"\n"
    "    | second line\n"
    "  exception.stacktrace:\n"
    "    | Traceback:\n"
    "    | \tFile \"a.py\"\n"
    "    | KeyError: 'x'\n"
    "  note:\n"
    "    | a\n"
    "    | b\n"
    "1970-01-01T00:00:00.000Z -      checkout/orders\n"
    "2026-03-02T09:14:05.123Z loud checkout/orders -9223372036854775808\n"
    "2000-02-29T00:00:00.000Z FATAL4 checkout/orders [\"a b\",null,true] map={\"k\":\"v\",\"n\":1}"
    " blob=0xdead000000000000000000000000000000000000000000000000000000000000…(40 bytes) few=0xdead"
    " \"odd key\"=\"[x]\"\n";

static void
records_become_these_lines(void **state)
{
	(void)state;
	source s = source_open("checkout", "orders");
	emit_golden(&s);
	char *text = shown(&s, OTLOG_CONSOLE_COLOUR_AUTO);
	assert_string_equal(text, golden);
	free(text);
	source_close(&s);
}

/* Removes ESC [ … m. */
static void
strip_colours(char *text)
{
	char *to = text;
	for (const char *from = text; *from; from++) {
		if (*from != '\x1b')
			*to++ = *from;
		else
			while (*from != 'm')
				from++;
	}
	*to = '\0';
}

static void
colours_change_nothing_else(void **state)
{
	(void)state;
	source s = source_open("checkout", "orders");
	emit_golden(&s);
	char *text = shown(&s, OTLOG_CONSOLE_COLOUR_ALWAYS);
	assert_non_null(strstr(text, "\x1b[32mINFO"));
	assert_non_null(strstr(text, "\x1b[1;31mFATAL4"));
	strip_colours(text);
	assert_string_equal(text, golden);
	free(text);
	source_close(&s);
}

static void
each_scope_has_its_label(void **state)
{
	(void)state;
	source s = source_open("my shop", "a\nb");
	otlog_logger *other = otlog_provider_get_logger(s.provider, &(otlog_logger_options){ .name = "other" });
	emit(&s, (otlog_record){ .body = otlog_string("one") });
	s.log = other;
	emit(&s, (otlog_record){ .body = otlog_string("two") });
	char *text = shown(&s, OTLOG_CONSOLE_COLOUR_AUTO);
	assert_string_equal(text, "2026-03-02T09:14:05.123Z -      \"my shop\"/\"a\\nb\" one\n"
	                          "2026-03-02T09:14:05.123Z -      \"my shop\"/other two\n");
	free(text);
	source_close(&s);
}

static void
without_time_the_observed_one_is_shown(void **state)
{
	(void)state;
	source s = source_open("s", "t");
	otlog_record record = { .observed_time_unix_nano = WHEN, .body = otlog_string("x") };
	assert_int_equal(otlog_emit(s.log, &record), OTLOG_EMIT_ACCEPTED);
	char *text = shown(&s, OTLOG_CONSOLE_COLOUR_AUTO);
	assert_string_equal(text, "2026-03-02T09:14:05.123Z -      s/t x\n");
	free(text);
	source_close(&s);
}

static void
dates_are_those_of_the_system(void **state)
{
	(void)state;
	source s = source_open("s", "t");
	char expected[64 * 200] = "";
	for (uint64_t i = 0; i < 200; i++) {
		uint64_t second = i == 0 ? UINT64_MAX / 1000000000 : i * 86399 * 271;
		time_t t = (time_t)second;
		struct tm tm;
		emit(&s, (otlog_record){ .time_unix_nano = second * 1000000000 + 1 });
		gmtime_r(&t, &tm);
		strftime(expected + strlen(expected), 64, "%Y-%m-%dT%H:%M:%S.000Z -      s/t\n", &tm);
	}
	char *text = shown(&s, OTLOG_CONSOLE_COLOUR_AUTO);
	assert_string_equal(text, expected);
	free(text);
	source_close(&s);
}

static void
json_is_one_line_a_batch(void **state)
{
	(void)state;
	source s = source_open("checkout", "orders");
	emit_golden(&s);
	int fd = memory_file();
	otlog_exporter e = console_on(fd, OTLOG_CONSOLE_JSON, OTLOG_CONSOLE_COLOUR_ALWAYS);
	otlog_batch batch = source_batch(&s);
	otlog__buffer json = { 0 };
	assert_int_equal(give(&e, &batch, 1000).verdict, OTLOG_VERDICT_OK);
	assert_true(otlog__otlp_json_append(batch.request, batch.request_size, &json));
	assert_true(otlog__buffer_append(&json, "\n", 1));
	size_t size;
	char *text = content_of(fd, &size);
	assert_int_equal(size, json.size);
	assert_memory_equal(text, json.data, size);
	free(text);
	otlog__buffer_free(&json);
	e.functions->destroy(e.self);
	close(fd);
	source_close(&s);
}

/* ---- Hostile text ------------------------------------------------------------------------------------------------ */

static void
assert_text(const char *raw, size_t size, const char *expected)
{
	otlog__buffer buffer = { 0 };
	otlog__console_out out = { .buffer = &buffer };
	otlog__console_put_text(&out, (otlog_slice){ (const uint8_t *)raw, size });
	assert_true(otlog__buffer_append(&buffer, "", 1));
	assert_string_equal((char *)buffer.data, expected);
	otlog__buffer_free(&buffer);
}

static void
what_a_terminal_would_obey_is_shown_instead(void **state)
{
	(void)state;
#define ASSERT_TEXT(raw, expected) assert_text(raw, sizeof(raw) - 1, expected)
	ASSERT_TEXT("plain ~ text \"quoted\" \\", "plain ~ text \"quoted\" \\");
	ASSERT_TEXT("\x1b[31m\a\b\x7f\0z", "\\x1b[31m\\x07\\x08\\x7f\\x00z");
	ASSERT_TEXT("a\nb\rc\td", "a\\nb\\rc\\td");
	ASSERT_TEXT("\xc2\x9b"
	            "31m",
	            "\\u009b31m"); /* CSI in one character */
	ASSERT_TEXT("\x9b"
	            "31m",
	            "\xef\xbf\xbd"
	            "31m"); /* and in one byte */
	ASSERT_TEXT("\xe2\x80\xae"
	            "exe\xe2\x81\xa6",
	            "\\u202eexe\\u2066"); /* written backwards */
	ASSERT_TEXT("\xe2\x80\xa8", "\\u2028");
	ASSERT_TEXT("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
	            "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
	ASSERT_TEXT("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* a lone surrogate */
	ASSERT_TEXT("\xc3", "\xef\xbf\xbd");
#undef ASSERT_TEXT
}

/* Whether nothing but newlines, tabs and printable UTF-8 is in it. */
static bool
is_harmless(const char *text, size_t size)
{
	for (size_t i = 0; i < size;) {
		uint8_t c = (uint8_t)text[i];
		size_t length = utf8_oracle_character((const uint8_t *)text + i, size - i);
		if (length == 0 || (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f ||
		    (c == 0xc2 && (uint8_t)text[i + 1] < 0xa0))
			return false;
		i += length;
	}
	return true;
}

static void
no_field_of_a_record_harms_or_forges_a_line(void **state)
{
	(void)state;
	static const char hostile[] = "x\x1b]0;title\a\r\n2026-03-02T09:14:05.123Z FATAL  forged\xc2\x9b"
				      "2J\x01";
	source s = source_open(hostile, hostile);
	emit(&s, (otlog_record){
		     .severity_text = hostile,
		     .event_name = hostile,
		     .body = otlog_string(hostile),
		     .attributes = OTLOG_ATTRS(OTLOG_KV(hostile, hostile), OTLOG_KV("exception.stacktrace", hostile),
	                                       OTLOG_KV("list", OTLOG_ARRAY(otlog_string(hostile))),
	                                       OTLOG_KV("map", otlog_map(OTLOG_ATTRS(OTLOG_KV(hostile, hostile))))) });
	char *text = shown(&s, OTLOG_CONSOLE_COLOUR_AUTO);
	assert_true(is_harmless(text, strlen(text)));
	assert_null(strstr(text, "\n2026")); /* every further line is indented */
	assert_non_null(strstr(text, "    | 2026-03-02T09:14:05.123Z FATAL  forged\\u009b2J\\x01\n"));
	free(text);
	source_close(&s);
}

static void
deep_nesting_ends_in_dots(void **state)
{
	(void)state;
	enum { DEPTH = 60 };
	otlog_value values[DEPTH];
	source s = source_open("s", "t");
	values[0] = otlog_int64(7);
	for (size_t i = 1; i < DEPTH; i++)
		values[i] = otlog_array(&values[i - 1], 1);
	emit(&s, (otlog_record){ .body = values[DEPTH - 1] });
	char *text = shown(&s, OTLOG_CONSOLE_COLOUR_AUTO);
	assert_string_equal(text, "2026-03-02T09:14:05.123Z -      s/t [[[[[[[[[[[[[[[[…]]]]]]]]]]]]]]]]\n");
	free(text);
	source_close(&s);
}

static void
what_cannot_be_read_is_said(void **state)
{
	(void)state;
	/* One scope with three records: garbage, an attribute whose value is garbage, and a sound one. */
	static const char request[] =
	    "\x0a\x15\x12\x13\x12\x02\x0a\x7f\x12\x08\x32\x06\x0a\x01k\x12\x01\x0a\x12\x03\x1a\x01w";
	otlog__buffer out = { 0 };
	assert_int_equal(
	    otlog__console_lines(&(otlog_batch){ .request = request, .request_size = sizeof request - 1 }, false, &out),
	    OTLOG__CONSOLE_DONE);
	assert_true(otlog__buffer_append(&out, "", 1));
	assert_string_equal((char *)out.data, "(a record that cannot be read)\n"
	                                      "1970-01-01T00:00:00.000Z -      - (an attribute cannot be read)\n"
	                                      "1970-01-01T00:00:00.000Z w -\n");
	out.size = 0;
	assert_int_equal(
	    otlog__console_lines(&(otlog_batch){ .request = request, .request_size = sizeof request - 2 }, false, &out),
	    OTLOG__CONSOLE_MALFORMED);
	otlog__buffer_free(&out);

	int fd = memory_file();
	otlog_exporter e = console_on(fd, OTLOG_CONSOLE_TEXT, OTLOG_CONSOLE_COLOUR_AUTO);
	otlog_batch batch = { .request = request, .request_size = sizeof request - 2, .records = 1 };
	otlog_export_result result = give(&e, &batch, 0);
	assert_int_equal(result.verdict, OTLOG_VERDICT_DROP);
	assert_non_null(strstr(result.message, "no OTLP logs request"));
	e.functions->destroy(e.self);
	e = console_on(fd, OTLOG_CONSOLE_JSON, OTLOG_CONSOLE_COLOUR_AUTO);
	assert_int_equal(give(&e, &batch, 0).verdict, OTLOG_VERDICT_DROP);
	e.functions->destroy(e.self);
	assert_int_equal(lseek(fd, 0, SEEK_END), 0);
	close(fd);
}

static void
any_bytes_come_out_harmless(void **state)
{
	(void)state;
	source s = source_open("checkout", "orders");
	emit_golden(&s);
	otlog_batch batch = source_batch(&s);
	uint8_t *bytes = malloc(batch.request_size); /* of exactly this size: the sanitizer sees reads beyond it */
	otlog__buffer out = { 0 };
	uint64_t random = 88172645463325252u;
	assert_non_null(bytes);
	for (unsigned round = 0; round < 5000; round++) {
		memcpy(bytes, batch.request, batch.request_size);
		for (unsigned flips = 1 + round % 8; flips; flips--) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			bytes[random % batch.request_size] = (uint8_t)(random >> 32);
		}
		out.size = 0;
		otlog__console_lines(&(otlog_batch){ .request = bytes, .request_size = batch.request_size }, false,
		                     &out);
		if (!is_harmless((const char *)out.data, out.size))
			fail_msg("round %u", round);
	}
	otlog__buffer_free(&out);
	free(bytes);
	source_close(&s);
}

/* ---- Terminals --------------------------------------------------------------------------------------------------- */

/* Some containers have no terminals to give out. */
static void
skip_without_terminals(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0) {
		print_message("skipped: this machine has no pseudo-terminals (is /dev/pts mounted?)\n");
		skip();
	}
	close(master);
}

static bool
terminal_gets_colours(const char *term, const char *no_color)
{
	char got[512] = "";
	otlog_batch batch = otlp_request_create(1, 5);
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	int terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(terminal >= 0);
	term ? setenv("TERM", term, 1) : unsetenv("TERM");
	no_color ? setenv("NO_COLOR", no_color, 1) : unsetenv("NO_COLOR");
	otlog_exporter e = console_on(terminal, OTLOG_CONSOLE_TEXT, OTLOG_CONSOLE_COLOUR_AUTO);
	assert_int_equal(give(&e, &batch, 1000).verdict, OTLOG_VERDICT_OK);
	assert_true(read(master, got, sizeof got - 1) > 0);
	assert_non_null(strstr(got, "0 bbb"));
	e.functions->destroy(e.self);
	close(terminal);
	close(master);
	otlp_request_free(&batch);
	return strchr(got, '\x1b') != NULL;
}

static void
a_terminal_gets_colours_unless_it_is_dumb_or_nobody_wants_them(void **state)
{
	(void)state;
	skip_without_terminals();
	assert_true(terminal_gets_colours("xterm-256color", NULL));
	assert_true(terminal_gets_colours("xterm-256color", ""));
	assert_false(terminal_gets_colours("xterm-256color", "1"));
	assert_false(terminal_gets_colours("dumb", NULL));
	assert_false(terminal_gets_colours(NULL, NULL));
}

/* ---- Descriptors that do not take it ----------------------------------------------------------------------------- */

static otlog_export_result
give_to(int fd, uint64_t timeout_ms)
{
	otlog_batch batch = otlp_request_create(3, 20);
	otlog_exporter e = console_on(fd, OTLOG_CONSOLE_TEXT, OTLOG_CONSOLE_COLOUR_AUTO);
	otlog_export_result result = give(&e, &batch, timeout_ms);
	e.functions->destroy(e.self);
	otlp_request_free(&batch);
	return result;
}

static void
assert_result(otlog_export_result result, otlog_verdict verdict, const char *text)
{
	assert_int_equal(result.verdict, verdict);
	if (!strstr(result.message, text))
		fail_msg("\"%s\" does not say \"%s\"", result.message, text);
}

static void
a_pipe_that_nobody_reads_drops_without_a_signal(void **state)
{
	(void)state;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	signal(SIGPIPE, SIG_DFL); /* would end this program */
	assert_result(give_to(ends[1], 1000), OTLOG_VERDICT_DROP, "Broken pipe");
	assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0); /* written to directly then */
	assert_result(give_to(ends[1], 1000), OTLOG_VERDICT_DROP, "Broken pipe");
	close(ends[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	close(ends[0]);
	assert_result(give_to(ends[1], 1000), OTLOG_VERDICT_DROP, "Broken pipe");
	close(ends[1]);
}

static void
a_closed_descriptor_drops_and_says_so(void **state)
{
	(void)state;
	int fd = memory_file();
	close(fd);
	assert_result(give_to(fd, 1000), OTLOG_VERDICT_DROP, "has closed or replaced it");
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_result(give_to(fd, 1000), OTLOG_VERDICT_DROP, "it is for reading");
	close(fd);
}

static void
another_file_under_the_same_number_is_left_alone(void **state)
{
	(void)state;
	otlog_batch batch = otlp_request_create(1, 5);
	int fd = memory_file(), precious = memory_file();
	otlog_exporter e = console_on(fd, OTLOG_CONSOLE_TEXT, OTLOG_CONSOLE_COLOUR_AUTO);
	assert_int_equal(give(&e, &batch, 1000).verdict, OTLOG_VERDICT_OK);
	assert_int_equal(dup2(precious, fd), fd);
	assert_result(give(&e, &batch, 1000), OTLOG_VERDICT_DROP, "closed or replaced");
	e.functions->destroy(e.self);
	close(fd);
	e = console_on(fd, OTLOG_CONSOLE_TEXT, OTLOG_CONSOLE_COLOUR_AUTO); /* closed from the beginning */
	assert_int_equal(dup2(precious, fd), fd);
	assert_result(give(&e, &batch, 1000), OTLOG_VERDICT_DROP, "closed or replaced");
	e.functions->destroy(e.self);
	assert_int_equal(lseek(precious, 0, SEEK_END), 0);
	close(fd);
	close(precious);
	otlp_request_free(&batch);
}

static void
a_full_disk_is_waited_for(void **state)
{
	(void)state;
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_result(give_to(fd, 1000), OTLOG_VERDICT_RETRY, "Make room");
	close(fd);
}

static void
the_limit_of_file_sizes_is_kept_without_a_signal(void **state)
{
	(void)state;
	struct rlimit before, small;
	int fd = memory_file();
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 50;
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	otlog_export_result result = give_to(fd, 1000);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_result(result, OTLOG_VERDICT_RETRY, "ulimit -f");
	assert_int_equal(lseek(fd, 0, SEEK_END), 0);
	assert_int_equal(give_to(fd, 1000).verdict, OTLOG_VERDICT_OK);
	close(fd);
}

/* Reads what is there into *all. */
static void
drain(int fd, otlog__buffer *all)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	while (poll(&p, 1, 0) > 0 && p.revents & POLLIN) {
		CHECK(otlog__buffer_reserve(all, 65536));
		ssize_t n = read(fd, all->data + all->size, 65536);
		CHECK(n > 0);
		all->size += (size_t)n;
	}
}

/* Has a batch larger than the descriptor holds written in as many tries as it takes; each line must come once. */
static void
assert_slow_reader_gets_all(int reader, int writer)
{
	otlog_batch batch = otlp_request_create(1000, 2000);
	otlog__buffer got = { 0 }, expected = { 0 };
	otlog_exporter e = console_on(writer, OTLOG_CONSOLE_TEXT, OTLOG_CONSOLE_COLOUR_AUTO);
	unsigned tries = 0;
	otlog_export_result result;
	int flags = fcntl(writer, F_GETFL);
	while ((result = give(&e, &batch, 5)).verdict == OTLOG_VERDICT_RETRY) {
		if (!strstr(result.message, "keep up"))
			fail_msg("%s", result.message);
		tries++;
		drain(reader, &got);
	}
	assert_int_equal(result.verdict, OTLOG_VERDICT_OK);
	drain(reader, &got);
	assert_true(tries > 3);
	assert_int_equal(fcntl(writer, F_GETFL), flags); /* others share it */
	assert_int_equal(otlog__console_lines(&batch, false, &expected), OTLOG__CONSOLE_DONE);
	assert_int_equal(got.size, expected.size);
	assert_memory_equal(got.data, expected.data, got.size);
	otlog__buffer_free(&got);
	otlog__buffer_free(&expected);
	e.functions->destroy(e.self);
	otlp_request_free(&batch);
}

static void
a_slow_reader_is_waited_for_in_time_and_gets_each_line_once(void **state)
{
	(void)state;
	int ends[2];
	for (int flags = 0; flags <= O_NONBLOCK; flags += O_NONBLOCK) {
		assert_int_equal(pipe2(ends, flags), 0);
		assert_slow_reader_gets_all(ends[0], ends[1]);
		close(ends[0]);
		close(ends[1]);
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_slow_reader_gets_all(ends[0], ends[1]);
	close(ends[0]);
	close(ends[1]);
}

static void
another_batch_begins_on_a_line_of_its_own(void **state)
{
	(void)state;
	int ends[2];
	otlog__buffer got = { 0 };
	otlog_batch large = otlp_request_create(1, 200000), small = otlp_request_create(1, 5);
	assert_int_equal(pipe(ends), 0);
	otlog_exporter e = console_on(ends[1], OTLOG_CONSOLE_TEXT, OTLOG_CONSOLE_COLOUR_AUTO);
	assert_int_equal(give(&e, &large, 5).verdict, OTLOG_VERDICT_RETRY);
	drain(ends[0], &got);
	got.size = 0;
	assert_int_equal(give(&e, &small, 1000).verdict, OTLOG_VERDICT_OK);
	assert_int_equal(give(&e, &small, 1000).verdict, OTLOG_VERDICT_OK);
	drain(ends[0], &got);
	assert_true(otlog__buffer_append(&got, "", 1));
	assert_string_equal((char *)got.data, "\n1970-01-01T00:00:00.000Z INFO   - 0 bbb\n"
	                                      "1970-01-01T00:00:00.000Z INFO   - 0 bbb\n");
	e.functions->destroy(e.self);
	close(ends[0]);
	close(ends[1]);
	otlog__buffer_free(&got);
	otlp_request_free(&large);
	otlp_request_free(&small);
}

typedef struct attempt {
	otlog_exporter e;
	otlog_batch batch;
	otlog_export_result result;
} attempt;

static void *
run_attempt(void *self)
{
	attempt *a = self;
	a->result = give(&a->e, &a->batch, 0);
	return NULL;
}

static void
cancel_ends_a_write_that_would_wait_for_ever(void **state)
{
	(void)state;
	int ends[2];
	pthread_t thread;
	attempt a = { .batch = otlp_request_create(1, 500000) };
	otlog_batch small = otlp_request_create(1, 5);
	assert_int_equal(pipe(ends), 0);
	a.e = console_on(ends[1], OTLOG_CONSOLE_TEXT, OTLOG_CONSOLE_COLOUR_AUTO);
	assert_int_equal(pthread_create(&thread, NULL, run_attempt, &a), 0);
	struct pollfd begun = { .fd = ends[0], .events = POLLIN };
	assert_int_equal(poll(&begun, 1, 30000), 1);
	a.e.functions->cancel(a.e.self);
	pthread_join(thread, NULL);
	assert_result(a.result, OTLOG_VERDICT_RETRY, "shutting down");
	assert_result(give(&a.e, &small, 0), OTLOG_VERDICT_RETRY, "shutting down");
	a.e.functions->destroy(a.e.self);
	close(ends[0]);
	close(ends[1]);
	otlp_request_free(&a.batch);
	otlp_request_free(&small);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_become_these_lines),
		cmocka_unit_test(colours_change_nothing_else),
		cmocka_unit_test(each_scope_has_its_label),
		cmocka_unit_test(without_time_the_observed_one_is_shown),
		cmocka_unit_test(dates_are_those_of_the_system),
		cmocka_unit_test(json_is_one_line_a_batch),
		cmocka_unit_test(what_a_terminal_would_obey_is_shown_instead),
		cmocka_unit_test(no_field_of_a_record_harms_or_forges_a_line),
		cmocka_unit_test(deep_nesting_ends_in_dots),
		cmocka_unit_test(what_cannot_be_read_is_said),
		cmocka_unit_test(any_bytes_come_out_harmless),
		cmocka_unit_test(a_terminal_gets_colours_unless_it_is_dumb_or_nobody_wants_them),
		cmocka_unit_test(a_pipe_that_nobody_reads_drops_without_a_signal),
		cmocka_unit_test(a_closed_descriptor_drops_and_says_so),
		cmocka_unit_test(another_file_under_the_same_number_is_left_alone),
		cmocka_unit_test(a_full_disk_is_waited_for),
		cmocka_unit_test(the_limit_of_file_sizes_is_kept_without_a_signal),
		cmocka_unit_test(a_slow_reader_is_waited_for_in_time_and_gets_each_line_once),
		cmocka_unit_test(another_batch_begins_on_a_line_of_its_own),
		cmocka_unit_test(cancel_ends_a_write_that_would_wait_for_ever),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

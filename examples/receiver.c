/*
 * A small OTLP/HTTP log receiver for trying things out: takes POST /v1/logs (protobuf, gzip allowed) on the loopback
 * interface, prints one line per record, and can keep what it got as OTLP JSON, one request a line. It trusts its
 * senders (protobuf-c unpacks nested values recursively), so it listens on 127.0.0.1 only.
 *
 *   receiver [--port N] [--port-file FILE] [--json FILE]
 */
#include "otlp_json.h"
#include "serve.h"

#include <getopt.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

typedef struct receiver {
	FILE *json; /* NULL: not kept */
	bool colour;
	unsigned long long records; /* written by the server's one thread, read after it has ended */
	unsigned long long requests;
} receiver;

static bool
gunzip(const serve_body *packed, serve_body *out)
{
	z_stream stream = { .next_in = packed->data, .avail_in = (uInt)packed->size };
	uint8_t chunk[16384];
	int status = Z_OK;

	if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK)
		return false;
	while (status == Z_OK) {
		stream.next_out = chunk;
		stream.avail_out = sizeof chunk;
		status = inflate(&stream, Z_NO_FLUSH);
		if ((status == Z_OK || status == Z_STREAM_END) &&
		    !serve_append(out, chunk, sizeof chunk - stream.avail_out))
			status = Z_MEM_ERROR;
	}
	inflateEnd(&stream);
	return status == Z_STREAM_END;
}

/* ---- Lines for people -------------------------------------------------------------------------------------------- */

/* Nothing that a sender wrote may move the cursor or colour the terminal. */
static void
print_text(otlp_text text)
{
	for (size_t i = 0, size; i < text.len; i += size) {
		const uint8_t *at = text.data + i;
		size = otlp_utf8_sequence(at, text.len - i);
		if (*at == '\n')
			fputs("\\n", stdout);
		else if (!size || *at < 0x20 || *at == 0x7f || (*at == 0xc2 && at[1] < 0xa0))
			for (size_t j = 0; j < (size ? size : 1); j++)
				printf("\\x%02x", at[j]);
		else
			fwrite(at, 1, size, stdout);
		size = size ? size : 1;
	}
}

static void
print_value(const otlp_value *value)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out;

	if (value && value->value_case == OTLP_STRING) {
		print_text(value->string_value);
	} else if (value && value->value_case == OTLP_INT) {
		printf("%lld", (long long)value->int_value);
	} else if (value && (out = open_memstream(&text, &size))) {
		otlp_json_value(out, value, false);
		fclose(out);
		print_text((otlp_text){ size, (uint8_t *)text });
		free(text);
	}
}

static const otlp_value *
find(otlp_attribute **attributes, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (otlp_text_is(attributes[i]->key, key))
			return attributes[i]->value;
	return NULL;
}

/* The attributes that say something a reader does not know yet, with the models' prefixes left out. */
static void
print_attribute(const otlp_attribute *attribute)
{
	static const char *const hidden[] = { "bonito.org_id",        "bonito.action",
		                              "bonito.log_type",      "bonito.event_type",
		                              "bonito.resource_",     "mito.version.",
		                              "exception.stacktrace", "code." };
	static const char *const prefixes[] = { "bonito.metadata.", "bonito.",       "mito.params.", "mito.",
		                                "gen_ai.request.",  "gen_ai.usage.", "gen_ai." };
	otlp_text key = attribute->key;

	for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
		if (otlp_text_starts(key, hidden[i]))
			return;
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		if (otlp_text_starts(key, prefixes[i])) {
			key.data += strlen(prefixes[i]);
			key.len -= strlen(prefixes[i]);
			break;
		}
	}
	fputs("  ", stdout);
	print_text(key);
	putchar('=');
	print_value(attribute->value);
}

static void
print_stacktrace(const otlp_value *stacktrace)
{
	if (!stacktrace || stacktrace->value_case != OTLP_STRING)
		return;
	otlp_text rest = stacktrace->string_value;
	while (rest.len) {
		uint8_t *end = memchr(rest.data, '\n', rest.len);
		size_t size = end ? (size_t)(end - rest.data) : rest.len;
		fputs("      | ", stdout);
		print_text((otlp_text){ size, rest.data });
		putchar('\n');
		size += end != NULL;
		rest.data += size;
		rest.len -= size;
	}
}

static void
print_record(const receiver *self, const otlp_record *record, const otlp_value *service)
{
	static const char *const names[] = { "-", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL" };
	unsigned severity = (unsigned)record->severity_number;
	unsigned level = severity >= 1 && severity <= 24 ? (severity + 3) / 4 : 0;
	const char *colour = !self->colour ? "" : level >= 5 ? "\033[31m" : level == 4 ? "\033[33m" : "\033[32m";
	uint64_t nano = record->time_unix_nano ? record->time_unix_nano : record->observed_time_unix_nano;
	time_t seconds = (time_t)(nano / 1000000000u);
	struct tm utc;
	char clock[16] = "--:--:--";

	if (gmtime_r(&seconds, &utc))
		strftime(clock, sizeof clock, "%H:%M:%S", &utc);
	printf("%s.%03u  ", clock, (unsigned)(nano / 1000000u % 1000u));
	for (size_t i = 0; i < 4; i++)
		if (record->trace_id.len == 16)
			printf("%02x", record->trace_id.data[i]);
		else
			fputs("--", stdout);
	printf("  %s%-5s%s  ", colour, names[level], *colour ? "\033[0m" : "");
	print_value(service);
	fputs("  ", stdout);
	print_text(record->event_name.len ? record->event_name : (otlp_text){ 1, (uint8_t *)"-" });
	if (record->body) {
		fputs("  \"", stdout);
		print_value(record->body);
		putchar('"');
	}
	for (size_t i = 0; i < record->n_attributes; i++)
		print_attribute(record->attributes[i]);
	putchar('\n');
	print_stacktrace(find(record->attributes, record->n_attributes, "exception.stacktrace"));
}

/* ---- HTTP -------------------------------------------------------------------------------------------------------- */

/* Returns the HTTP status: 503 makes the sender try again. */
static unsigned
take(receiver *self, const serve_body *body)
{
	otlp_request *request = otlp_request_unpack(NULL, body->size, body->data);

	if (!request)
		return MHD_HTTP_BAD_REQUEST;
	if (self->json) {
		otlp_json_request(self->json, request);
		if (fflush(self->json) || ferror(self->json)) {
			fprintf(stderr, "receiver: cannot write the JSON file: %s\n", strerror(errno));
			otlp_request_free(request, NULL);
			return MHD_HTTP_SERVICE_UNAVAILABLE;
		}
	}
	for (size_t i = 0; i < request->n_resource_logs; i++) {
		const otlp_resource_logs *logs = request->resource_logs[i];
		const otlp_value *service = NULL;
		if (logs->resource)
			service = find(logs->resource->attributes, logs->resource->n_attributes, "service.name");
		for (size_t j = 0; j < logs->n_scope_logs; j++) {
			for (size_t k = 0; k < logs->scope_logs[j]->n_log_records; k++)
				print_record(self, logs->scope_logs[j]->log_records[k], service);
			self->records += logs->scope_logs[j]->n_log_records;
		}
	}
	self->requests++;
	fflush(stdout);
	otlp_request_free(request, NULL);
	return MHD_HTTP_OK;
}

static bool
header_is(const serve_request *request, const char *name, const char *expected)
{
	const char *value = serve_header(request, name);
	return value && !strncasecmp(value, expected, strlen(expected));
}

static unsigned
handle(receiver *self, const serve_request *request)
{
	serve_body plain = { 0 };
	unsigned status = MHD_HTTP_BAD_REQUEST;

	if (strcmp(request->url, "/v1/logs"))
		return MHD_HTTP_NOT_FOUND;
	if (strcmp(request->method, "POST"))
		return MHD_HTTP_METHOD_NOT_ALLOWED;
	if (!header_is(request, "Content-Type", "application/x-protobuf"))
		return MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
	if (request->body.too_large)
		return MHD_HTTP_CONTENT_TOO_LARGE;
	if (!header_is(request, "Content-Encoding", "gzip"))
		return take(self, &request->body);
	if (gunzip(&request->body, &plain))
		status = take(self, &plain);
	free(plain.data);
	return status;
}

static enum MHD_Result
on_request(void *self, const serve_request *request)
{
	/* An empty ExportLogsServiceResponse is no bytes at all. */
	return serve_answer(request, handle(self, request), "application/x-protobuf", "");
}

int
main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "port", required_argument, NULL, 'p' },
		{ "port-file", required_argument, NULL, 'f' },
		{ "json", required_argument, NULL, 'j' },
		{ 0 },
	};
	receiver self = { .colour = isatty(STDOUT_FILENO) };
	serve_options options = {
		.program = "receiver", .port = 4318, .threads = 1, .handler = on_request, .user = &self
	};
	const char *json_file = NULL;

	for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
		if (option == 'p' && serve_set_port(&options, optarg)) {
			continue;
		} else if (option == 'f') {
			options.port_file = optarg;
		} else if (option == 'j') {
			json_file = optarg;
		} else {
			fputs("usage: receiver [--port N] [--port-file FILE] [--json FILE]\n"
			      "  --port N          port on 127.0.0.1, default 4318; 0 takes a free one\n"
			      "  --port-file FILE  write the port there once it is open\n"
			      "  --json FILE       append what comes in as OTLP JSON lines\n",
			      stderr);
			return 2;
		}
	}
	if (json_file && !(self.json = fopen(json_file, "a"))) {
		fprintf(stderr, "receiver: cannot open %s: %s\n", json_file, strerror(errno));
		return 1;
	}
	sigset_t ends = serve_block_signals();
	bool served = serve(&options, &ends);
	if (served)
		printf("received %llu records in %llu requests\n", self.records, self.requests);
	if (self.json && fclose(self.json))
		served = false;
	return served ? 0 : 1;
}

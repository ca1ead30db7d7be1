/*
 * A program as it could have been compiled against another version of otlog: change_headers.py makes the headers, with
 * structs that have a member more or one less, and abi_known.h, which says how far each struct is known to this version.
 *
 * Whatever goes to the library holds garbage from there on: in members that only the program has, and behind the struct's
 * end, where the library of a newer version must not look. What comes from the library must have zeros in the former and
 * leave the latter alone.
 */
#include <otlog/otlog.h>

#include <abi_known.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define GARBAGE 0xff
#define BEYOND 64
#define PLACES 2

#define CHECK(condition)                                                                      \
	do {                                                                                  \
		if (!(condition)) {                                                           \
			fprintf(stderr, "line %d: %s does not hold\n", __LINE__, #condition); \
			exit(1);                                                              \
		}                                                                             \
	} while (0)

/* A pointer `name` to a struct: zero as far as it is known, garbage from there on. */
#define GIVE(type, name)                                   \
	struct {                                           \
		type value;                                \
		unsigned char beyond[BEYOND];              \
	} name##_room;                                     \
	memset(&name##_room, GARBAGE, sizeof name##_room); \
	memset(&name##_room, 0, KNOWN_##type);             \
	type *const name = &name##_room.value

/* The same for a struct that the library fills. */
#define TAKE(type, name)                                   \
	struct {                                           \
		type value;                                \
		unsigned char beyond[BEYOND];              \
	} name##_room;                                     \
	memset(&name##_room, GARBAGE, sizeof name##_room); \
	type *const name = &name##_room.value

/* What has been taken is zero where only the program knows it, and garbage still behind its end. */
#define CHECK_TAKEN(type, name)                                                                               \
	do {                                                                                                  \
		CHECK(all_are(0, (const unsigned char *)(name) + KNOWN_##type, sizeof(type) - KNOWN_##type)); \
		CHECK(all_are(GARBAGE, name##_room.beyond, BEYOND));                                          \
	} while (0)

static bool
all_are(unsigned char byte, const unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] != byte)
			return false;
	return true;
}

/* ---- Two destinations -------------------------------------------------------------------------------------------- */

typedef struct place {
	size_t records;
	size_t with_name; /* of them: events "abi.event" with their attribute */
	int flushed;
	int destroyed;
} place;

static place places[PLACES];

static void
export_batch(void *self, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	place *to = self;
	otlog_batch_reader reader = otlog_batch_records(batch);
	otlog_value_view value;
	TAKE(otlog_record_view, record);
	(void)timeout_ms;
	while (otlog_batch_next(&reader, record)) {
		CHECK_TAKEN(otlog_record_view, record);
		to->records++;
		to->with_name += otlog_slice_is(record->event_name, "abi.event") &&
		                 otlog_find_item(otlog_attributes(record), "key", &value) && value.as.int64 == 7;
		memset(&record_room, GARBAGE, sizeof record_room);
	}
	CHECK(!reader.malformed);
	result->verdict = OTLOG_VERDICT_OK;
}

static bool
flush(void *self, uint64_t timeout_ms)
{
	(void)timeout_ms;
	((place *)self)->flushed++;
	return true;
}

static void
destroy(void *self)
{
	((place *)self)->destroyed++;
}

static bool in_child;

static void
take_diagnostic(void *user, otlog_diagnostic_level level, const char *message)
{
	(void)user, (void)level;
	/* In a child, that the exporters cannot be used there. */
	if (in_child)
		return;
	/* Of a program with a function that this library cannot know. */
	if (KNOWN_otlog_exporter_functions < sizeof(otlog_exporter_functions) &&
	    strstr(message, "has functions that this libotlog does not know"))
		return;
	fprintf(stderr, "the library says: %s\n", message);
	exit(1);
}

/* Options with two pipelines, whose array the caller has. */
static void
fill_options(otlog_options *options, otlog_pipeline_options pipelines[PLACES])
{
	static struct {
		otlog_exporter_functions value;
		unsigned char beyond[BEYOND];
	} table;
	static const char *const names[PLACES] = { "first", "second" };
	memset(&table, GARBAGE, sizeof table);
	memset(&table, 0, KNOWN_otlog_exporter_functions);
	table.value.size = sizeof table.value;
	table.value.export_batch = export_batch;
	table.value.flush = flush;
	table.value.destroy = destroy;
	memset(pipelines, GARBAGE, PLACES * sizeof *pipelines);
	for (int i = 0; i < PLACES; i++) {
		places[i] = (place){ 0 };
		memset(&pipelines[i], 0, KNOWN_otlog_pipeline_options);
		pipelines[i].exporter =
		    (otlog_exporter){ .functions = &table.value, .self = &places[i], .name = "place" };
		pipelines[i].name = names[i];
	}
	options->pipelines = pipelines;
	options->pipeline_count = PLACES;
	options->queue_directory = "";
	options->queue_bytes = 1 << 20;
	options->diagnostic = take_diagnostic;
}

/* ---- Every call that takes a struct ------------------------------------------------------------------------------ */

static int emitted;

#define EMIT(call, type, member, text)                             \
	do {                                                       \
		GIVE(type, given);                                 \
		given->member = text;                              \
		CHECK(call(logger, given) == OTLOG_EMIT_ACCEPTED); \
		emitted++;                                         \
	} while (0)

static void
emit_everything(otlog_logger *logger)
{
	const otlog_attr attribute = OTLOG_KV("key", 7);
	GIVE(otlog_record, record);
	record->event_name = "abi.event";
	record->attributes = (otlog_attrs){ &attribute, 1 };
	CHECK(otlog_emit(logger, record) == OTLOG_EMIT_ACCEPTED);
	emitted = 1;
	EMIT(bonito_emit, bonito_entry, log_type, BONITO_LOG_AUTH);
	EMIT(bonito_log_gateway_request, bonito_gateway_request, org_id, "o");
	EMIT(bonito_log_auth_event, bonito_auth_event, org_id, "o");
	EMIT(bonito_log_admin_action, bonito_admin_action, org_id, "o");
	EMIT(bonito_log_kb_event, bonito_kb_event, org_id, "o");
	EMIT(bonito_log_agent_event, bonito_agent_event, org_id, "o");
	EMIT(bonito_log_deployment_event, bonito_deployment_event, org_id, "o");
	EMIT(bonito_log_billing_event, bonito_billing_event, org_id, "o");
	EMIT(mito_log, mito_event, event, MITO_EVENT_SORT_EDIT);
	EMIT(mito_log_edit_event, mito_edit_event, log_event, MITO_EVENT_SORT_EDIT);
	EMIT(mito_log_error, mito_error_event, failed_log_event, "sort_edit_failed");
	EMIT(mito_log_mitosheet_rendered, mito_rendered_event, user_agent, "u");
	EMIT(mito_log_frontend_render_failed, mito_frontend_failure, error_traceback_last_line, "E: e");
}

static void
check_places(void)
{
	for (int i = 0; i < PLACES; i++) {
		CHECK(places[i].records == (size_t)emitted);
		CHECK(places[i].with_name == 1);
		CHECK(places[i].flushed > 0);
	}
}

/* A child asks the exporters to be opened again, which is the table's last function: they do not have it. */
static void
emit_in_a_child(void)
{
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		GIVE(otlog_record, record);
		in_child = true;
		_exit(otlog_emit(otlog_get_logger("abi", NULL), record) == OTLOG_EMIT_DISABLED ? 0 : 1);
	}
	int status;
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(status == 0);
}

static void
check_statistics(void)
{
	static char text[65536];
	otlog_pipeline_statistics all[PLACES];
	TAKE(otlog_statistics_snapshot, totals);
	otlog_statistics(totals);
	CHECK_TAKEN(otlog_statistics_snapshot, totals);
	CHECK(totals->emitted == (uint64_t)emitted && totals->accepted == (uint64_t)emitted);
	for (size_t i = 0; i < PLACES; i++) {
		TAKE(otlog_pipeline_statistics, one);
		CHECK(otlog_statistics_pipeline(i, one));
		CHECK_TAKEN(otlog_pipeline_statistics, one);
		CHECK(strcmp(one->name, i == 0 ? "first" : "second") == 0);
		CHECK(one->delivered == (uint64_t)emitted);
		all[i] = *one;
		memset((char *)&all[i] + KNOWN_otlog_pipeline_statistics, GARBAGE,
		       sizeof all[i] - KNOWN_otlog_pipeline_statistics);
	}
	TAKE(otlog_pipeline_statistics, none);
	CHECK(!otlog_statistics_pipeline(PLACES, none));
	CHECK(all_are(0, (const unsigned char *)none, sizeof *none));
	CHECK(otlog_statistics_prometheus(totals, all, PLACES, text, sizeof text) < sizeof text);
	CHECK(strstr(text, "otlog_emitted_records_total 14\n"));
	CHECK(strstr(text, "otlog_pipeline_delivered_records_total{otel_component_name=\"second\","
	                   "otel_component_type=\"place_log_exporter\"} 14\n"));
}

static void
use_the_global_sdk(void)
{
	otlog_pipeline_options pipelines[PLACES];
	GIVE(otlog_options, options);
	GIVE(otlog_logger_options, scope);
	fill_options(options, pipelines);
	scope->name = "abi";
	CHECK(otlog_start(options));
	emit_everything(otlog_get_logger_with(scope));
	CHECK(otlog_flush(30000) == OTLOG_DELIVERED);
	check_places();
	check_statistics();
	emit_in_a_child();
	CHECK(otlog_shutdown(30000) == OTLOG_DELIVERED);
	CHECK(places[0].destroyed == 1 && places[1].destroyed == 1);
}

static void
use_a_provider(void)
{
	otlog_pipeline_options pipelines[PLACES];
	GIVE(otlog_options, options);
	GIVE(otlog_logger_options, scope);
	TAKE(otlog_statistics_snapshot, totals);
	TAKE(otlog_pipeline_statistics, second);
	fill_options(options, pipelines);
	scope->name = "abi";
	otlog_provider *provider = otlog_provider_create(options);
	CHECK(provider);
	emit_everything(otlog_provider_get_logger(provider, scope));
	CHECK(otlog_provider_shutdown(provider, 30000) == OTLOG_DELIVERED);
	check_places();
	otlog_provider_statistics(provider, totals);
	CHECK_TAKEN(otlog_statistics_snapshot, totals);
	CHECK(otlog_provider_statistics_pipeline(provider, 1, second));
	CHECK_TAKEN(otlog_pipeline_statistics, second);
	CHECK(totals->emitted == (uint64_t)emitted && second->delivered == (uint64_t)emitted);
	otlog_provider_destroy(provider);
	CHECK(places[0].destroyed == 1 && places[1].destroyed == 1);
}

/* ---- Exporters --------------------------------------------------------------------------------------------------- */

static void
end_exporter(otlog_exporter *exporter, const char *name)
{
	CHECK(strcmp(exporter->name, name) == 0);
	exporter->functions->destroy(exporter->self);
}

static void
create_exporters(void)
{
	otlog_exporter exporter;
	const otlog_header header = { "x-token", "t" };
	GIVE(otlog_otlp_options, otlp);
	otlp->endpoint = "http://127.0.0.1:9/v1/logs";
	otlp->headers = &header;
	otlp->header_count = 1;
	CHECK(otlog_otlp_http_exporter_create(otlp, &exporter));
	end_exporter(&exporter, "otlp_http");
	CHECK(otlog_otlp_http_json_exporter_create(otlp, &exporter));
	end_exporter(&exporter, "otlp_http_json");
#ifdef WITH_GRPC
	GIVE(otlog_grpc_options, grpc);
	grpc->insecure = true;
	otlp->endpoint = "127.0.0.1:9";
	CHECK(otlog_otlp_grpc_exporter_create(otlp, grpc, &exporter));
	end_exporter(&exporter, "otlp_grpc");
#endif
	GIVE(otlog_mito_options, mito);
	mito->url = "http://127.0.0.1:9/";
	CHECK(otlog_mito_exporter_create(mito, &exporter));
	end_exporter(&exporter, "mito");
	GIVE(otlog_console_options, console);
	console->fd = STDERR_FILENO;
	CHECK(otlog_console_exporter_create(console, &exporter));
	end_exporter(&exporter, "console");
}

/* A record through the exporter in memory, and what that kept through the one that writes files. */
static void
export_by_hand(const char *file)
{
	GIVE(otlog_memory_options, remember);
	GIVE(otlog_otlp_file_options, write_lines);
	TAKE(otlog_record_view, view);
	otlog_exporter exporter;
	otlog_pipeline_options pipelines[PLACES];
	otlog_export_result result = { .verdict = OTLOG_VERDICT_DROP };
	otlog_memory *memory = otlog_memory_exporter_create(remember, &exporter);
	CHECK(memory);

	GIVE(otlog_options, options);
	fill_options(options, pipelines);
	pipelines[1].exporter = exporter;
	otlog_provider *provider = otlog_provider_create(options);
	CHECK(provider);
	GIVE(otlog_logger_options, scope);
	scope->name = "abi";
	emit_everything(otlog_provider_get_logger(provider, scope));
	CHECK(otlog_provider_shutdown(provider, 30000) == OTLOG_DELIVERED);
	otlog_provider_destroy(provider);
	CHECK(otlog_memory_count(memory) == (size_t)emitted);
	size_t size;
	const void *record = otlog_memory_record(memory, 0, &size);
	CHECK(otlog_record_view_open(record, size, view));
	CHECK_TAKEN(otlog_record_view, view);
	CHECK(otlog_slice_is(view->event_name, "abi.event"));

	write_lines->path = file;
	CHECK(otlog_otlp_file_exporter_create(write_lines, &exporter));
	otlog_batch batch = { .records = 1 };
	batch.request = otlog_memory_request(memory, 0, &batch.request_size);
	exporter.functions->export_batch(exporter.self, &batch, 10000, &result);
	CHECK(result.verdict == OTLOG_VERDICT_OK);
	end_exporter(&exporter, "otlp_file");
	CHECK(access(file, F_OK) == 0);
	otlog_memory_free(memory);
}

static void
take_the_environments_pipelines(void)
{
	static const char *const names[] = { "otlp_http", "console", "mito" };
	struct {
		otlog_pipeline_options value[4];
		unsigned char beyond[BEYOND];
	} room;
	memset(&room, GARBAGE, sizeof room);
	setenv("OTEL_LOGS_EXPORTER", "otlp,console", 1);
	setenv("MITO_CONFIG_VERSION", "2", 1);
	setenv("MITO_CONFIG_LOG_SERVER_URL", "http://127.0.0.1:9/", 1);
	CHECK(otlog_environment_pipelines(room.value, 4) == 3);
	for (int i = 0; i < 3; i++) {
		const unsigned char *bytes = (const unsigned char *)&room.value[i];
		CHECK(all_are(0, bytes + KNOWN_otlog_pipeline_options,
		              sizeof room.value[i] - KNOWN_otlog_pipeline_options));
		end_exporter(&room.value[i].exporter, names[i]);
	}
	CHECK(all_are(GARBAGE, (const unsigned char *)&room.value[3], sizeof room.value[3]));
	CHECK(all_are(GARBAGE, room.beyond, BEYOND));
}

int
main(int argc, char **argv)
{
	CHECK(argc == 2);
	use_the_global_sdk();
	use_a_provider();
	create_exporters();
	export_by_hand(argv[1]);
	take_the_environments_pipelines();
	return 0;
}

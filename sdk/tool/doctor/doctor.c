#include "sdk/tool/doctor/doctor.h"

#include "sdk/base/exporter_table.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT_MS 10000
#define MOST_LISTEN_MS 1500
#define MOST_OPINION_MS 3000

static const char usage[] = "usage: otlog doctor [--all] [--json] [--timeout SECONDS]\n";

static const char about[] =
    "Shows the settings in force and where each comes from; tries to keep a queue in OTLOG_QUEUE_DIR, if that is set;\n"
    "then, for each destination of the environment, resolves its name, connects, sends one test record, and says what\n"
    "is wrong and how to mend it.\n";

static const char footnotes[] =
    "The test record has the event name otlog.doctor and the environment's resource. User names, passwords, headers\n"
    "and queries of URLs are never shown. The console's test record goes to standard output; with --json, to standard\n"
    "error.\n"
    "\n"
    "Exit status: 0 every destination takes records; 1 at least one does not, or the queue directory cannot be used; "
    "2\n"
    "the command line is wrong; 3 there is no destination, or the SDK is off.\n";

typedef struct request {
	bool all;
	bool json;
	uint64_t timeout_ms;
} request;

static otlog__tool_notes notes = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- Settings ---------------------------------------------------------------------------------------------------- */

const otlog__doctor_setting *
otlog__doctor_setting_find(const otlog__doctor_settings *settings, const char *variable)
{
	static const otlog__doctor_setting none = { "", "", NULL, "" };
	for (size_t i = 0; i < settings->count; i++)
		if (strcmp(settings->items[i].variable, variable) == 0)
			return &settings->items[i];
	return &none;
}

static void
take_setting(void *user, const otlog_setting_view *view)
{
	otlog__doctor_settings *settings = user;
	otlog__doctor_setting *items = realloc(settings->items, (settings->count + 1) * sizeof *items);
	if (!items)
		return;
	settings->items = items;
	otlog__doctor_setting *added = &items[settings->count];
	*added = (otlog__doctor_setting){ .variable = strdup(view->variable),
		                          .value = strdup(view->value),
		                          .source = view->source ? strdup(view->source) : NULL,
		                          .about = strdup(view->about) };
	if (added->variable && added->value && added->about)
		settings->count++;
}

static void
free_settings(otlog__doctor_settings *settings)
{
	for (size_t i = 0; i < settings->count; i++) {
		free(settings->items[i].variable);
		free(settings->items[i].value);
		free(settings->items[i].source);
		free(settings->items[i].about);
	}
	free(settings->items);
}

/* How many destinations the settings ask for. */
static size_t
count_asked_for(const otlog__doctor_settings *settings)
{
	const char *exporters = otlog__doctor_setting_find(settings, "OTEL_LOGS_EXPORTER")->value;
	size_t count = *otlog__doctor_setting_find(settings, "MITO_CONFIG_LOG_SERVER_URL")->value != '\0';
	if (strcmp(otlog__doctor_setting_find(settings, "OTEL_SDK_DISABLED")->value, "true") == 0)
		return 0;
	if (*exporters && strcmp(exporters, "none") != 0)
		for (const char *at = exporters; at; at = strchr(at + 1, ','))
			count++;
	return count;
}

/* ---- The test record --------------------------------------------------------------------------------------------- */

/*
 * A request as a pipeline would send it, made by a provider for this alone. Starting that also has all that the library
 * says go to the notes, from here on. NULL if the SDK is off.
 */
static otlog_memory *
make_test_record(otlog_batch *batch)
{
	otlog_pipeline_options pipeline = { 0 };
	otlog_memory *memory = otlog_memory_exporter_create(NULL, &pipeline.exporter);
	otlog_provider *provider = otlog_provider_create(&(otlog_options){ .pipelines = &pipeline,
	                                                                   .pipeline_count = memory != NULL,
	                                                                   .queue_directory = "",
	                                                                   .flush_at_exit = OTLOG_SWITCH_OFF,
	                                                                   .crash_handler = OTLOG_SWITCH_OFF,
	                                                                   .diagnostic = otlog__tool_notes_take,
	                                                                   .diagnostic_user = &notes,
	                                                                   .diagnostic_level = OTLOG_DIAGNOSTIC_INFO });
	otlog_logger *logger = otlog_provider_get_logger(
	    provider, &(otlog_logger_options){ .name = "otlog.doctor", .version = OTLOG_TOOL_VERSION });
	otlog_emit(logger, &(otlog_record){ .severity = OTLOG_SEVERITY_INFO,
	                                    .body = otlog_string("test record of otlog doctor"),
	                                    .event_name = "otlog.doctor" });
	otlog_provider_shutdown(provider, DEFAULT_TIMEOUT_MS);
	otlog_provider_destroy(provider);
	size_t size = 0;
	const void *bytes = memory ? otlog_memory_request(memory, 0, &size) : NULL;
	*batch = (otlog_batch){ .request = bytes, .request_size = size, .records = 1 };
	if (bytes)
		return memory;
	otlog_memory_free(memory);
	return NULL;
}

/* ---- One destination --------------------------------------------------------------------------------------------- */

/*
 * gRPC says that a certificate is refused, but not why. The exporter for HTTP gets the same certificate before a word of
 * HTTP is spoken, and says why.
 */
static otlog__doctor_problem
ask_second_opinion(const otlog__doctor_target *target, const otlog_batch *batch, uint64_t timeout_ms,
                   otlog__doctor_problem first)
{
	char url[OTLOG__DOCTOR_NAME_MAX + 32];
	const bool six = strchr(target->host.name, ':') != NULL;
	otlog_exporter exporter;
	otlog_export_result result = { .verdict = OTLOG_VERDICT_OK };
	snprintf(url, sizeof url, "https://%s%s%s:%s/", six ? "[" : "", target->host.name, six ? "]" : "",
	         target->host.port);
	if (!otlog_otlp_http_exporter_create(&(otlog_otlp_options){ .endpoint = url, .ca_file = target->ca_file },
	                                     &exporter))
		return first;
	exporter.functions->export_batch(exporter.self, batch, timeout_ms, &result);
	otlog__exporter_destroy(&exporter);
	otlog__doctor_problem second = otlog__doctor_judge(target, &(otlog__doctor_reach){ 0 }, &result);
	bool tells = second == OTLOG__DOCTOR_EXPIRED || second == OTLOG__DOCTOR_NAME_MISMATCH ||
	             second == OTLOG__DOCTOR_UNTRUSTED;
	return tells ? second : first;
}

static otlog__doctor_problem
find_problem(const otlog__doctor_destination *destination, const otlog_batch *batch, uint64_t timeout_ms)
{
	const otlog__doctor_target *target = &destination->target;
	const otlog__doctor_reach *reach = &destination->reach;
	otlog__doctor_problem problem = otlog__doctor_judge(target, reach, &destination->result);
	const bool direct = !target->proxy_variable && reach->connect.state == OTLOG__DOCTOR_FINE;
	if (direct && otlog__doctor_is_vague(problem)) {
		uint64_t listen_ms = timeout_ms < MOST_LISTEN_MS ? timeout_ms : MOST_LISTEN_MS;
		problem = otlog__doctor_judge_speech(target, problem, otlog__doctor_listen(reach, listen_ms));
	}
	const bool of_tls = problem == OTLOG__DOCTOR_UNTRUSTED || otlog__doctor_is_vague(problem);
	if (direct && target->grpc && target->tls && of_tls && *target->host.name)
		problem = ask_second_opinion(target, batch, timeout_ms < MOST_OPINION_MS ? timeout_ms : MOST_OPINION_MS,
		                             problem);
	return problem;
}

static void
examine(const otlog_exporter *exporter, const otlog__doctor_settings *settings, const otlog_batch *batch,
        uint64_t timeout_ms, otlog__doctor_destination *destination)
{
	otlog__doctor_target *target = &destination->target;
	destination->exporter = exporter->name ? exporter->name : "exporter";
	otlog__doctor_target_find(destination->exporter, settings, getenv, target);
	otlog__doctor_try(target, timeout_ms, &destination->reach);
	fflush(stdout);
	double begin = otlog__tool_now_ms();
	exporter->functions->export_batch(exporter->self, batch, timeout_ms, &destination->result);
	destination->send_ms = otlog__tool_now_ms() - begin;
	otlog__doctor_explain(target, &destination->reach, &destination->result,
	                      find_problem(destination, batch, timeout_ms), &destination->finding);
}

/* ---- The command ------------------------------------------------------------------------------------------------- */

/* Where the report goes. With --json the console exporter and all else writes to standard error instead. */
static FILE *
open_report(bool json)
{
	int copy = json ? dup(STDOUT_FILENO) : -1;
	FILE *out = copy >= 0 ? fdopen(copy, "w") : stdout;
	if (copy >= 0 && out)
		dup2(STDERR_FILENO, STDOUT_FILENO);
	return out ? out : stdout;
}

static int
close_report(FILE *out, int exit_status)
{
	if (out == stdout || (fflush(out) == 0 && !ferror(out) && fclose(out) == 0))
		return exit_status;
	fputs("otlog doctor: standard output cannot be written\n", stderr);
	return OTLOG__TOOL_FAILED;
}

/* Takes out the note that there is no directory: it is about the test record's provider, not about the settings. */
static void
try_directory(otlog__doctor_report *report)
{
	const char *path = otlog__doctor_setting_find(report->settings, "OTLOG_QUEUE_DIR")->value;
	if (!*path)
		return;
	free(otlog__tool_notes_cut(&notes, "there is no queue directory"));
	otlog__doctor_directory_try(path, &notes, &report->directory);
}

static void
conclude(otlog__doctor_report *report)
{
	size_t asked = count_asked_for(report->settings);
	report->missing = asked > report->destination_count ? asked - report->destination_count : 0;
	report->failing += report->missing;
	bool broken = report->directory.path && !report->directory.usable;
	report->exit_status = report->failing || broken        ? OTLOG__TOOL_FAILED
	                      : report->destination_count == 0 ? OTLOG__TOOL_NOTHING
	                                                       : OTLOG__TOOL_DONE;
}

static int
diagnose(const request *request)
{
	otlog__doctor_settings settings = { 0 };
	otlog__doctor_destination *destinations = calloc(OTLOG_MAX_PIPELINES, sizeof *destinations);
	otlog_pipeline_options pipelines[OTLOG_MAX_PIPELINES];
	otlog_batch batch;
	FILE *out = open_report(request->json);
	otlog__doctor_report report = {
		.settings = &settings, .all = request->all, .notes = &notes, .destinations = destinations
	};
	otlog_memory *memory = make_test_record(&batch);
	otlog_settings_visit(take_setting, &settings);
	if (!request->json)
		otlog__doctor_text_settings(&report, out);
	fflush(out);
	if (memory)
		try_directory(&report);
	if (!request->json)
		otlog__doctor_text_directory(&report.directory, out);
	fflush(out);
	size_t count = memory && destinations ? otlog_environment_pipelines(pipelines, OTLOG_MAX_PIPELINES) : 0;
	for (size_t i = 0; i < count; i++) {
		examine(&pipelines[i].exporter, &settings, &batch, request->timeout_ms, &destinations[i]);
		otlog__exporter_destroy(&pipelines[i].exporter);
		report.destination_count++;
		report.failing += destinations[i].finding.problem != OTLOG__DOCTOR_NONE;
		if (!request->json)
			otlog__doctor_text_destination(&destinations[i], out);
		fflush(out);
	}
	conclude(&report);
	if (request->json)
		otlog__doctor_json(&report, out);
	else
		otlog__doctor_text_end(&report, out);
	otlog_memory_free(memory);
	free_settings(&settings);
	free(destinations);
	return close_report(out, report.exit_status);
}

static const otlog__tool_option options[] = {
	{ "all", NULL, otlog__tool_read_switch, offsetof(request, all), "settings at their defaults too" },
	{ "json", NULL, otlog__tool_read_switch, offsetof(request, json),
	  "one JSON object on standard output; docs/otlog.md lists its keys" },
	{ "timeout", "SECONDS", otlog__tool_read_seconds, offsetof(request, timeout_ms), "of each step; 10" },
	{ 0 },
};

static int
run(const otlog__tool_command *command, int argc, char **argv)
{
	request request = { .timeout_ms = DEFAULT_TIMEOUT_MS };
	int operand;
	int status = otlog__tool_read_options(command, argc, argv, &request, &operand);
	if (status != OTLOG__TOOL_GO_ON)
		return status;
	if (operand < argc)
		return otlog__tool_misuse(command, "%s: there is nothing to name here", argv[operand]);
	return diagnose(&request);
}

const otlog__tool_command otlog__tool_doctor = {
	.name = "doctor",
	.summary = "try every destination, and say what is wrong",
	.usage = usage,
	.about = about,
	.options = options,
	.footnotes = footnotes,
	.run = run,
};

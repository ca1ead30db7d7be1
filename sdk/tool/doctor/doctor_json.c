#include "sdk/tool/doctor/doctor.h"

#include <inttypes.h>
#include <string.h>

static void
write_key(const char *before, const char *key, FILE *out)
{
	fprintf(out, "%s\"%s\":", before, key);
}

static void
write_text(const char *before, const char *key, const char *text, FILE *out)
{
	write_key(before, key, out);
	otlog__tool_json_string(out, text && *text ? text : NULL);
}

static const char *
truth(bool is_true)
{
	return is_true ? "true" : "false";
}

static void
write_settings(const otlog__doctor_report *report, FILE *out)
{
	const char *before = "";
	for (size_t i = 0; i < report->settings->count; i++) {
		const otlog__doctor_setting *setting = &report->settings->items[i];
		if (!setting->source && !report->all)
			continue;
		fputs(before, out);
		write_text("{", "variable", setting->variable, out);
		write_text(",", "value", setting->value, out);
		write_text(",", "source", setting->source, out);
		putc('}', out);
		before = ",";
	}
}

/* null where the step was not taken. */
static void
write_step(const char *key, const otlog__doctor_step *step, const otlog__doctor_reach *reach, FILE *out)
{
	write_key(",", key, out);
	if (step->state == OTLOG__DOCTOR_SKIPPED) {
		fputs("null", out);
		return;
	}
	bool fine = step->state == OTLOG__DOCTOR_FINE;
	fprintf(out, "{\"ok\":%s,\"ms\":%.3f", truth(fine), step->ms);
	write_text(",", "error", fine ? NULL : step->text, out);
	if (step == &reach->resolve) {
		fputs(",\"addresses\":[", out);
		for (size_t i = 0; i < reach->address_count; i++) {
			fputs(i ? "," : "", out);
			otlog__tool_json_string(out, reach->addresses[i].text);
		}
		putc(']', out);
	} else {
		write_text(",", "address", fine ? reach->addresses[reach->connected].text : NULL, out);
	}
	putc('}', out);
}

static void
write_destination(const otlog__doctor_destination *destination, FILE *out)
{
	const otlog__doctor_target *target = &destination->target;
	const otlog_export_result *result = &destination->result;
	const otlog__doctor_finding *finding = &destination->finding;
	bool fine = finding->problem == OTLOG__DOCTOR_NONE;
	write_text("{", "exporter", destination->exporter, out);
	fprintf(out, ",\"takes_records\":%s", truth(fine));
	write_text(",", "endpoint", target->endpoint, out);
	write_text(",", "endpoint_variable", target->endpoint_variable, out);
	write_text(",", "proxy", target->proxy.name, out);
	write_text(",", "proxy_variable", target->proxy_variable, out);
	write_step("resolve", &destination->reach.resolve, &destination->reach, out);
	write_step("connect", &destination->reach.connect, &destination->reach, out);
	fprintf(out, ",\"send\":{\"ok\":%s,\"ms\":%.3f", truth(fine), destination->send_ms);
	write_text(",", "error_type", result->error_type, out);
	write_text(",", "message", result->message, out);
	fprintf(out, ",\"retry_after_ms\":%" PRIu64 "}", result->retry_after_ms);
	write_text(",", "problem", fine ? NULL : otlog__doctor_problem_word(finding->problem), out);
	write_text(",", "what", fine ? NULL : finding->what, out);
	write_text(",", "remedy", fine ? NULL : finding->remedy, out);
	putc('}', out);
}

static void
write_notes(otlog__tool_notes *notes, FILE *out)
{
	pthread_mutex_lock(&notes->lock);
	for (size_t i = 0; i < notes->count; i++) {
		fputs(i ? "," : "", out);
		write_text("{", "level", otlog__tool_level_text(notes->items[i].level), out);
		write_text(",", "message", notes->items[i].message, out);
		putc('}', out);
	}
	pthread_mutex_unlock(&notes->lock);
}

static void
write_directory(const otlog__doctor_directory *directory, FILE *out)
{
	if (!directory->path) {
		fputs("null", out);
		return;
	}
	write_text("{", "path", directory->path, out);
	fprintf(out, ",\"ok\":%s", truth(directory->usable));
	write_text(",", "what", directory->what, out);
	write_text(",", "remedy", directory->remedy, out);
	fprintf(out, ",\"queues\":%zu,\"live_queues\":%zu,\"records_waiting\":%" PRIu64 "}", directory->queues,
	        directory->live_queues, directory->records_waiting);
}

void
otlog__doctor_json(const otlog__doctor_report *report, FILE *out)
{
	fputs("{\"version\":\"" OTLOG_TOOL_VERSION "\"", out);
	fprintf(out, ",\"exit_status\":%d,\"settings\":[", report->exit_status);
	write_settings(report, out);
	fputs("],\"queue_directory\":", out);
	write_directory(&report->directory, out);
	fputs(",\"destinations\":[", out);
	for (size_t i = 0; i < report->destination_count; i++) {
		fputs(i ? "," : "", out);
		write_destination(&report->destinations[i], out);
	}
	fprintf(out, "],\"missing\":%zu,\"notes\":[", report->missing);
	write_notes(report->notes, out);
	fputs("]}\n", out);
}

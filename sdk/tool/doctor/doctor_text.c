#include "sdk/tool/doctor/doctor.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct colours {
	const char *good, *bad, *strong, *faint, *end;
} colours;

static const colours *
choose(FILE *out)
{
	static const colours none = { "", "", "", "", "" };
	static const colours some = { "\033[32m", "\033[31;1m", "\033[1m", "\033[2m", "\033[0m" };
	return otlog__tool_colours(out) ? &some : &none;
}

void
otlog__doctor_text_settings(const otlog__doctor_report *report, FILE *out)
{
	const colours *colour = choose(out);
	bool any = false;
	fprintf(out, "%sSettings%s%s\n", colour->strong, colour->end, report->all ? "" : " that are not the default");
	for (size_t i = 0; i < report->settings->count; i++) {
		const otlog__doctor_setting *setting = &report->settings->items[i];
		if (!setting->source && !report->all)
			continue;
		any = true;
		fprintf(out, "  %s = ", setting->variable);
		otlog__tool_put(out, *setting->value ? setting->value : "(none)");
		if (!setting->source)
			fprintf(out, "  %sdefault%s", colour->faint, colour->end);
		else if (strcmp(setting->source, setting->variable) != 0)
			fprintf(out, "  %sfrom %s%s", colour->faint, setting->source, colour->end);
		putc('\n', out);
	}
	if (!any)
		fputs("  none; --all shows every setting and its default\n", out);
}

static void
write_step(const char *name, const otlog__doctor_step *step, const char *text, const colours *colour, FILE *out)
{
	if (step->state == OTLOG__DOCTOR_SKIPPED)
		return;
	bool fine = step->state == OTLOG__DOCTOR_FINE;
	fprintf(out, "  %-8s %s%-6s%s ", name, fine ? colour->good : colour->bad, fine ? "ok" : "FAILED", colour->end);
	otlog__tool_put(out, text);
	fprintf(out, "  %s%.1f ms%s\n", colour->faint, step->ms, colour->end);
}

/* Text in the column behind a name, on one line: terminals and pagers wrap, scripts grep. */
static void
write_field(const char *name, const char *text, FILE *out)
{
	if (!*text)
		return;
	fprintf(out, "  %-8s ", name);
	otlog__tool_put(out, text);
	putc('\n', out);
}

void
otlog__doctor_text_directory(const otlog__doctor_directory *directory, FILE *out)
{
	const colours *colour = choose(out);
	if (!directory->path)
		return;
	fprintf(out, "\n%squeue directory%s ", colour->strong, colour->end);
	otlog__tool_put(out, directory->path);
	fprintf(out, "\n  use      %s%s%s\n", directory->usable ? colour->good : colour->bad,
	        directory->usable ? "ok" : "FAILED", colour->end);
	write_field("problem", directory->what, out);
	write_field("remedy", directory->remedy, out);
	fprintf(out, "  waiting  records of dead processes: %" PRIu64 ", queues: %zu, live ones: %zu\n",
	        directory->records_waiting, directory->queues, directory->live_queues);
}

void
otlog__doctor_text_destination(const otlog__doctor_destination *destination, FILE *out)
{
	const otlog__doctor_target *target = &destination->target;
	const otlog__doctor_reach *reach = &destination->reach;
	const otlog__doctor_finding *finding = &destination->finding;
	const colours *colour = choose(out);
	bool fine = finding->problem == OTLOG__DOCTOR_NONE;

	fprintf(out, "\n%s%s%s to ", colour->strong, destination->exporter, colour->end);
	otlog__tool_put(out, *target->endpoint ? target->endpoint : "standard output");
	putc('\n', out);
	if (target->proxy_variable)
		fprintf(out, "  proxy    %s, port %s (%s)\n", target->proxy.name, target->proxy.port,
		        target->proxy_variable);
	write_step("resolve", &reach->resolve, reach->resolve.text, colour, out);
	char text[sizeof reach->connect.text + 32];
	const char *port = *target->socket ? "" : target->proxy_variable ? target->proxy.port : target->host.port;
	snprintf(text, sizeof text, "%s%s%s", *port ? "port " : "", port, *port ? ", " : "");
	snprintf(text + strlen(text), sizeof text - strlen(text), "%s", reach->connect.text);
	write_step("connect", &reach->connect, text, colour, out);
	const otlog__doctor_step send = { .state = fine ? OTLOG__DOCTOR_FINE : OTLOG__DOCTOR_BROKEN,
		                          .ms = destination->send_ms };
	write_step("send", &send, fine ? "one test record was taken" : otlog__doctor_problem_word(finding->problem),
	           colour, out);
	if (fine)
		return;
	write_field("problem", finding->what, out);
	write_field("said", finding->detail, out);
	write_field("remedy", finding->remedy, out);
}

static void
write_notes(otlog__tool_notes *notes, FILE *out)
{
	pthread_mutex_lock(&notes->lock);
	for (size_t i = 0; i < notes->count; i++) {
		if (i == 0)
			fputs("\nThe library says\n", out);
		fprintf(out, "  %s: ", otlog__tool_level_text(notes->items[i].level));
		otlog__tool_put(out, notes->items[i].message);
		putc('\n', out);
	}
	pthread_mutex_unlock(&notes->lock);
}

static const char *
why_nothing(const otlog__doctor_settings *settings)
{
	if (strcmp(otlog__doctor_setting_find(settings, "OTEL_SDK_DISABLED")->value, "true") == 0)
		return ": OTEL_SDK_DISABLED=true. Unset it to send logs.";
	if (strcmp(otlog__doctor_setting_find(settings, "OTEL_LOGS_EXPORTER")->value, "none") == 0)
		return ": OTEL_LOGS_EXPORTER=none. Unset it, and set OTEL_EXPORTER_OTLP_ENDPOINT, to send logs.";
	return ".";
}

void
otlog__doctor_text_end(const otlog__doctor_report *report, FILE *out)
{
	const colours *colour = choose(out);
	if (!report->destination_count && !report->failing)
		free(otlog__tool_notes_cut(report->notes, "the SDK stays off: OTEL_")); /* the last line says so, too */
	write_notes(report->notes, out);
	if (report->directory.path && !report->directory.usable)
		fprintf(out, "\n%sThe queue directory cannot be used.%s\n", colour->bad, colour->end);
	if (!report->destination_count && !report->failing)
		fprintf(out, "\n%sThere is no destination%s%s\n", colour->bad, colour->end,
		        why_nothing(report->settings));
	else if (report->failing && !report->destination_count)
		fprintf(out, "\n%sNo destination can be set up:%s what the library says is why.\n", colour->bad,
		        colour->end);
	else if (report->failing)
		fprintf(out, "\n%sDestinations that take no records: %zu of %zu.%s\n", colour->bad, report->failing,
		        report->destination_count + report->missing, colour->end);
	else
		fprintf(out, "\n%sEvery destination takes records.%s\n", colour->good, colour->end);
}

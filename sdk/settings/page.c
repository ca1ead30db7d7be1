#include "sdk/settings/messages.h"
#include "sdk/settings/table.h"

#include <inttypes.h>
#include <string.h>

static const char opening[] =
    "# Settings\n"
    "\n"
    "<!-- Written by build/<preset>/bin/unit-settings_page_test --write; edit sdk/settings/table.c and\n"
    "     sdk/settings/page.c instead. -->\n"
    "\n"
    "otlog is configured by environment variables, or in code through `otlog_options`; what code sets wins. `OTEL_*`\n"
    "have the meaning and, but for the differences below, the defaults that the OpenTelemetry specification gives "
    "them\n"
    "(configuration/sdk-environment-variables.md, protocol/exporter.md); `MITO_*` are those of Mito's own uploader;\n"
    "`OTLOG_*` are otlog's own.\n"
    "\n"
    "- An empty variable counts as not set.\n"
    "- A bad value never stops the program. It is reported once, as a diagnostic that names the variable, what is "
    "wrong,\n"
    "  what is used instead and what to set; the default holds.\n"
    "- Of two variables in one row the first one counts where both are set.\n"
    "- The values of enums and booleans may be in capitals. Only `true` is true; where `1` and `0` stand below, `true` "
    "and\n"
    "  `false` will do as well.\n"
    "- The environment is read at `otlog_start` and at `otlog_provider_create`. In a setuid program it is not read.\n";

static const char closing[] =
    "\n"
    "## The Mito log server beside OTLP\n"
    "\n"
    "`MITO_CONFIG_VERSION=2` and `MITO_CONFIG_LOG_SERVER_URL` switch it on. If nothing asks for another destination\n"
    "(`OTEL_LOGS_EXPORTER` and the `OTEL_EXPORTER_OTLP_[LOGS_]ENDPOINT` variables are not set), it is the only one; "
    "else\n"
    "records go to both, and neither waits for the other. Where its variables cannot be used, it is left out, and "
    "what\n"
    "else is set holds.\n"
    "\n"
    "Records are uploaded at the interval, off the calling threads, as requests of up to 512 KiB of records, one "
    "after\n"
    "the other. They go earlier only when so many wait that they might fill half of the queue (one for each KiB of\n"
    "`OTLOG_QUEUE_BYTES`, or half of `OTEL_BLRP_MAX_QUEUE_SIZE`), and at a flush or shutdown. After a failure the "
    "next\n"
    "attempt comes within the interval (1 s at least), after each further one within twice the time, up to 5 minutes "
    "or\n"
    "the interval, whichever is longer; how long exactly is left to chance. A success resets it. What could not be "
    "sent\n"
    "waits in the queue. `OTEL_BLRP_EXPORT_TIMEOUT` alone bounds one attempt; `OTEL_BLRP_SCHEDULE_DELAY` and\n"
    "`OTEL_BLRP_MAX_EXPORT_BATCH_SIZE` do not concern it.\n"
    "\n"
    "## Differences from the specification, and why\n"
    "\n"
    "- **The queue is bounded in bytes** (`OTLOG_QUEUE_BYTES`), not at 2,048 records, as long as\n"
    "  `OTEL_BLRP_MAX_QUEUE_SIZE` is not set. Bytes are what memory is made of: 2,048 records are a burst of some\n"
    "  milliseconds if they are small, and any amount of memory if they are large.\n"
    "- **`OTEL_BLRP_MAX_QUEUE_SIZE=N` divides N over the lanes of the queue**, so that emitting threads need not agree "
    "on\n"
    "  one counter. A thread that finds its lane full takes another one.\n"
    "- **Retrying is the batch processor's work**, not each exporter's. An exporter tries once and answers with a "
    "verdict,\n"
    "  so waiting, backing off and giving up happen in one place, the same for every destination.\n"
    "- **`OTEL_BLRP_EXPORT_TIMEOUT` and `OTEL_EXPORTER_OTLP_TIMEOUT` bound one attempt**, and the smaller one holds.\n"
    "  Nothing bounds all attempts together: a batch is kept and tried again while there is room in the queue, "
    "because\n"
    "  dropping it earlier would gain nothing.\n"
    "- **Diagnostics start at `warn`**, not at `info`: a library that has nothing to complain of should be silent on "
    "the\n"
    "  standard error of its host.\n"
    "- **`telemetry.sdk.name` is `otlog` and `telemetry.sdk.language` is `c`.** The name `opentelemetry` is reserved "
    "for\n"
    "  the official SDKs, and the specification's list of languages has no C.\n"
    "- **Empty members of lists are passed over** (`a=1,,b=2,`), so that a trailing comma does not discard them all.\n"
    "\n"
    "## Fixed limits\n"
    "\n"
    "| Limit | Value |\n"
    "|---|---|\n"
    "| Attributes of a record | 128; those beyond are dropped and counted in the record |\n"
    "| Depth of nested values in attributes | 64; containers below become empty |\n"
    "| Length of values | none, but a record larger than half a lane of the queue loses the ends of its longest values "
    "|\n"
    "| Bytes in a batch, before compression | 1 MiB (`otlog_pipeline_options.max_batch_bytes`) |\n"
    "\n"
    "The resource is exempt from these limits.\n"
    "\n"
    "## Not read by this release\n"
    "\n"
    "`OTEL_PROPAGATORS`, `OTEL_CONFIG_FILE`, `OTEL_ENTITIES`, `OTEL_ATTRIBUTE_*_LIMIT` and\n"
    "`OTEL_LOGRECORD_ATTRIBUTE_*_LIMIT`.\n";

static void
write_choices(FILE *out, const otlog__choice *choices)
{
	for (const otlog__choice *choice = choices; choice->name; choice++)
		if (!choice->refused)
			fprintf(out, "%s`%s`", choice == choices ? "" : ", ", choice->name);
}

static void
write_values(FILE *out, const otlog__setting *row)
{
	char range[96];
	switch (row->kind) {
	case OTLOG__KIND_BOOL:
		fputs("`true`, `false`", out);
		break;
	case OTLOG__KIND_SWITCH:
		fputs("`1`, `0`", out);
		break;
	case OTLOG__KIND_ENUM:
		write_choices(out, row->choices);
		break;
	case OTLOG__KIND_SET:
		fputs("one, or a list with commas, of ", out);
		write_choices(out, row->choices);
		break;
	case OTLOG__KIND_DURATION:
	case OTLOG__KIND_SECONDS:
	case OTLOG__KIND_COUNT:
	case OTLOG__KIND_BYTES:
		otlog__setting_range(row, range, sizeof range);
		fprintf(out, "%s%s", range,
		        row->kind == OTLOG__KIND_BYTES ? "; plain, or with `KiB`, `MiB` or `GiB` behind it" : "");
		break;
	case OTLOG__KIND_TEXT:
		fputs("text", out);
		break;
	case OTLOG__KIND_FILE:
		fputs("path of a PEM file", out);
		break;
	case OTLOG__KIND_DIRECTORY:
		fputs("path of a directory", out);
		break;
	case OTLOG__KIND_NAMES:
		fputs("`name,name`", out);
		break;
	case OTLOG__KIND_ADDRESS:
	case OTLOG__KIND_URL:
		fputs("an `http://` or `https://` URL", out);
		break;
	case OTLOG__KIND_LIST:
	case OTLOG__KIND_HEADERS:
		fputs("`key=value,key=value`", out);
		break;
	}
}

static void
write_row(FILE *out, const otlog__setting *row)
{
	char initial[OTLOG__INITIAL_SHOWN];
	fprintf(out, "| `%s`", row->variable);
	if (row->general)
		fprintf(out, "<br>`%s`", row->general);
	fputs(" | ", out);
	write_values(out, row);
	fprintf(out, " | %s | %s | %s |\n", otlog__setting_initial(row, initial), row->about, row->in_code);
}

void
otlog__settings_write_page(FILE *out)
{
	fputs(opening, out);
	const char *group = "";
	for (size_t i = 0; i < otlog__setting_count; i++) {
		const otlog__setting *row = &otlog__setting_table[i];
		if (strcmp(group, row->group) != 0)
			fprintf(out,
			        "\n## %s\n\n| Variable | Values | Default | What it does | In code "
			        "|\n|---|---|---|---|---|\n",
			        row->group);
		group = row->group;
		write_row(out, row);
	}
	fputs(closing, out);
}

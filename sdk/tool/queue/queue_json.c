#include "sdk/tool/queue/queue_command.h"

#include <inttypes.h>

static void
write_text(const char *before, const char *key, const char *text, FILE *out)
{
	fprintf(out, "%s\"%s\":", before, key);
	otlog__tool_json_string(out, text && *text ? text : NULL);
}

static const char *
truth(bool is_true)
{
	return is_true ? "true" : "false";
}

static void
write_number(const char *key, uint64_t number, FILE *out)
{
	fprintf(out, ",\"%s\":%" PRIu64, key, number);
}

void
otlog__tool_queue_json(const otlog_queue_file *file, FILE *out)
{
	char created[OTLOG__TOOL_QUEUE_TIME];
	otlog__tool_queue_time(file->created_unix_nano, created);
	write_text("{", "name", file->name, out);
	write_text(",", "state", otlog_queue_file_state_text(file->state), out);
	fprintf(out, ",\"sound\":%s,\"trusted\":%s", truth(otlog__tool_queue_is_sound(file)), truth(file->trusted));
	write_text(",", "problem", file->problem, out);
	write_number("owner_pid", file->owner_pid, out);
	write_text(",", "created", file->created_unix_nano ? created : NULL, out);
	write_number("records", file->records, out);
	write_number("spooled", file->spooled, out);
	write_number("damaged", file->damaged, out);
	write_number("bytes", file->bytes, out);
	fputs(",\"waiting\":[", out);
	for (size_t i = 0; i < file->pipeline_count; i++) {
		write_text(i ? ",{" : "{", "pipeline", file->pipelines[i], out);
		write_number("records", file->waiting[i], out);
		putc('}', out);
	}
	fputs("]}\n", out);
}

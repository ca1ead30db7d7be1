#include "sdk/tool/queue/queue_command.h"

#include "sdk/base/exporter_table.h"

#include <errno.h>
#include <string.h>

/* No answer of a terminal, a pipe or a disk takes longer. */
#define WRITE_TIMEOUT_MS 60000

typedef struct writing {
	otlog_exporter exporter;
	otlog_export_result result;
	bool stopped;
} writing;

/* Records that make no sense are told and passed over; where the output ends, so does this. */
static bool
take(void *user, const otlog_batch *batch)
{
	writing *writing = user;
	writing->result = (otlog_export_result){ 0 };
	writing->exporter.functions->export_batch(writing->exporter.self, batch, WRITE_TIMEOUT_MS, &writing->result);
	writing->stopped = writing->result.verdict != OTLOG_VERDICT_OK;
	return !writing->stopped;
}

static bool
create_exporter(bool json, otlog_exporter *out)
{
	return json ? otlog_otlp_file_exporter_create(&(otlog_otlp_file_options){ 0 }, out)
	            : otlog_console_exporter_create(&(otlog_console_options){ 0 }, out);
}

static bool
write_queue(const otlog__tool_cat *cat, const char *name, writing *writing)
{
	errno = 0;
	bool read = otlog_queue_file_read(cat->directory, name, cat->pipeline, take, writing);
	if (!read)
		fprintf(stderr, "otlog queue cat: %s in %s cannot be read: %s. otlog queue ls shows which there are\n",
		        name, cat->directory, strerror(errno));
	else if (writing->stopped && !strstr(writing->result.message, strerror(EPIPE)))
		fprintf(stderr, "otlog queue cat: %s\n", writing->result.message);
	return read && !writing->stopped;
}

int
otlog__tool_cat_records(const otlog__tool_cat *cat)
{
	otlog__tool_queues queues;
	writing writing = { 0 };
	bool done = otlog__tool_queues_read("queue cat", cat->directory, &queues);
	fflush(stdout);
	if (done && !create_exporter(cat->json, &writing.exporter)) {
		fputs("otlog queue cat: memory is short\n", stderr);
		done = false;
	}
	if (done && cat->name)
		done = write_queue(cat, cat->name, &writing);
	for (size_t i = 0; done && !cat->name && i < queues.count; i++)
		if (queues.items[i].state <= OTLOG_QUEUE_FILE_WAITING)
			done = write_queue(cat, queues.items[i].name, &writing);
	otlog__exporter_destroy(&writing.exporter);
	otlog__tool_queues_free(&queues);
	return done ? OTLOG__TOOL_DONE : OTLOG__TOOL_FAILED;
}

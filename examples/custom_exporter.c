/*
 * An exporter of one's own: warnings and worse go to the system log, as datagrams like those of syslog(3), while a
 * second pipeline shows everything on the console.
 *
 *   custom_exporter [SOCKET]     SOCKET: where the system log listens; /dev/log
 */
#include <otlog/otlog.h>

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct system_log {
	struct sockaddr_un address;
	int fd;
	size_t sent; /* records of the current batch that have arrived: a retry goes on behind them */
} system_log;

/* Facility "user" and the severity. Source: specification logs/data-model-appendix.md, "Appendix B". */
static int
priority(int severity)
{
	static const char of_severity[] = "6777777776555444432110000"; /* UNSPECIFIED, TRACE, … FATAL4 */
	return 8 + (severity < 0 || severity > 24 ? 6 : of_severity[severity] - '0');
}

static bool
send_record(const system_log *self, const otlog_record_view *record)
{
	char line[2048], text[1024];
	otlog_slice key;
	otlog_value_view value;
	otlog_items attributes = otlog_attributes(record);
	otlog_value_text(&record->body, text, sizeof text);
	size_t size = (size_t)snprintf(line, sizeof line, "<%d>%.*s: %s", priority(record->severity),
	                               OTLOG_SLICE(record->scope.name), text);
	while (size < sizeof line && otlog_next_item(&attributes, &key, &value)) {
		otlog_value_text(&value, text, sizeof text);
		size += (size_t)snprintf(line + size, sizeof line - size, " %.*s=%s", OTLOG_SLICE(key), text);
	}
	return sendto(self->fd, line, size < sizeof line ? size : sizeof line - 1, MSG_NOSIGNAL | MSG_DONTWAIT,
	              (const struct sockaddr *)&self->address, sizeof self->address) >= 0;
}

/* Never blocks, so there is no need for timeout_ms, nor for a function to cancel it. */
static void
export_batch(void *user, const otlog_batch *batch, uint64_t timeout_ms, otlog_export_result *result)
{
	system_log *self = user;
	otlog_batch_reader reader = otlog_batch_records(batch);
	otlog_record_view record;
	(void)timeout_ms;
	for (size_t i = 0; otlog_batch_next(&reader, &record); i++) {
		if (i < self->sent)
			continue;
		if (!send_record(self, &record)) {
			result->verdict = OTLOG_VERDICT_RETRY;
			result->retry_after_ms = errno == EAGAIN ? 10 : 0; /* it is only busy */
			snprintf(result->message, sizeof result->message, "%s: %s; is the system log running?",
			         self->address.sun_path, strerror(errno));
			return;
		}
		self->sent++;
	}
	result->verdict = self->sent == batch->records ? OTLOG_VERDICT_OK : OTLOG_VERDICT_PARTIAL;
	result->rejected = batch->records - self->sent; /* behind bytes that make no sense */
	self->sent = 0;
}

static void
destroy(void *user)
{
	system_log *self = user;
	close(self->fd);
}

static const otlog_exporter_functions functions = { .size = sizeof functions,
	                                            .export_batch = export_batch,
	                                            .destroy = destroy };

int
main(int argc, char **argv)
{
	system_log log = { .address.sun_family = AF_UNIX, .fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) };
	snprintf(log.address.sun_path, sizeof log.address.sun_path, "%s", argc > 1 ? argv[1] : "/dev/log");
	otlog_pipeline_options pipelines[2] = {
		{ .exporter = { .functions = &functions, .self = &log, .name = "system_log" },
		  .minimum_severity = OTLOG_SEVERITY_WARN,
		  .retry_cap_ms = 500 },
	};
	size_t count = 1 + otlog_console_exporter_create(NULL, &pipelines[1].exporter);
	otlog_start(&(otlog_options){ .service_name = "shop", .pipelines = pipelines, .pipeline_count = count });

	otlog_logger *checkout = otlog_get_logger("checkout", "1.4.0");
	OTLOG_INFO(checkout, "order placed", OTLOG_KV("order.id", "A-1042"), OTLOG_KV("total", 42.5));
	OTLOG_WARN(checkout, "stock is low", OTLOG_KV("item", "tea"), OTLOG_KV("left", 3));
	OTLOG_ERROR(otlog_get_logger("payment", NULL), "card refused", OTLOG_KV("order.id", "A-1043"));
	return otlog_shutdown(10000) <= OTLOG_DURABLE ? 0 : 1;
}

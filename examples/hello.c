/* The ten lines of the README. */
#include <otlog/otlog.h>

int
main(void)
{
	const char *order_id = "A-1042";

	otlog_start(NULL); /* everything from OTEL_* and OTLOG_*; never fails the host */
	otlog_logger *log = otlog_get_logger("checkout", "1.4.0");

	OTLOG_INFO(log, "order placed", OTLOG_KV("order.id", order_id), OTLOG_KV("total", 42.5), OTLOG_KV("items", 3));

	return otlog_shutdown(5000) <= OTLOG_DURABLE ? 0 : 1; /* ms; DELIVERED, DURABLE, DROPPED, TIMEOUT */
}

#include "tests/support/sdk/exporter_fixture.h"

#include "tests/support/harness/cmocka.h"
#include "tests/support/records/otlp_request.h"
#include "tests/support/sdk/diagnosed.h"

#include <string.h>

otlog_exporter
create_exporter(exporter_create *create, const otlog_otlp_options *options)
{
	otlog_exporter exporter = { 0 };
	diagnosed_begin();
	assert_true(create(options, sizeof *options, &exporter));
	return exporter;
}

void
close_exporter(otlog_exporter exporter)
{
	exporter.functions->destroy(exporter.self);
}

otlog_export_result
export_batch(otlog_exporter exporter, const otlog_batch *batch, uint64_t timeout_ms)
{
	otlog_export_result result = { 0 };
	exporter.functions->export_batch(exporter.self, batch, timeout_ms, &result);
	return result;
}

otlog_export_result
export_some(otlog_exporter exporter, uint64_t timeout_ms)
{
	otlog_batch batch = otlp_request_create(3, 20);
	otlog_export_result result = export_batch(exporter, &batch, timeout_ms);
	otlp_request_free(&batch);
	return result;
}

otlog_export_result
export_and_close(otlog_exporter exporter, uint64_t timeout_ms)
{
	otlog_export_result result = export_some(exporter, timeout_ms);
	close_exporter(exporter);
	return result;
}

void
assert_kept(otlog_export_result result, const char *error_type, const char *cause, const char *remedy)
{
	assert_int_equal(result.verdict, OTLOG_VERDICT_RETRY);
	if (!strstr(result.message, cause) || !strstr(result.message, remedy))
		fail_msg("\"%s\" should say \"%s\" and \"%s\"", result.message, cause, remedy);
	if (error_type)
		assert_string_equal(result.error_type, error_type);
}

static void *
run(void *self)
{
	attempt *attempt = self;
	attempt->result = export_some(attempt->exporter, attempt->timeout_ms);
	return NULL;
}

void
start_attempts(attempt *attempts, size_t count, otlog_exporter exporter, uint64_t timeout_ms)
{
	for (size_t i = 0; i < count; i++) {
		attempts[i] = (attempt){ .exporter = exporter, .timeout_ms = timeout_ms };
		assert_int_equal(pthread_create(&attempts[i].thread, NULL, run, &attempts[i]), 0);
	}
}

void
join_attempts(attempt *attempts, size_t count, otlog_verdict expected)
{
	for (size_t i = 0; i < count; i++) {
		pthread_join(attempts[i].thread, NULL);
		assert_int_equal(attempts[i].result.verdict, expected);
	}
}

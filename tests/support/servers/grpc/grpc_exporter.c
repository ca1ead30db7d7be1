#include "tests/support/servers/grpc/grpc_exporter.h"

#include "tests/support/harness/cmocka.h"
#include "tests/support/sdk/diagnosed.h"

otlog_exporter
create_grpc_exporter(const otlog_otlp_options *options, const otlog_grpc_options *grpc)
{
	otlog_exporter exporter = { 0 };
	diagnosed_begin();
	assert_true(otlog_otlp_grpc_exporter_create(options, grpc, &exporter));
	return exporter;
}

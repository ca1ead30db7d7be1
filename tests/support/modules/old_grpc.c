/* Takes the place of libotlog-grpc, but is of another version. */
#include <otlog/exporters.h>

OTLOG_API const char *otlog__grpc_version(void);

const char *
otlog__grpc_version(void)
{
	return "0.0.1";
}

bool
otlog_otlp_grpc_exporter_create_sized(const otlog_otlp_options *options, size_t options_size,
                                      const otlog_grpc_options *grpc, size_t grpc_size, otlog_exporter *out)
{
	(void)options, (void)options_size, (void)grpc, (void)grpc_size, (void)out;
	return false;
}

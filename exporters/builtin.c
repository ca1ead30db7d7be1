#include "exporters/builtin.h"

#include "sdk/settings/grpc_loader.h"

#include <string.h>

/* Text on standard output, whatever the options are. */
static bool
create_console(const otlog_otlp_options *options, otlog_exporter *out)
{
	(void)options;
	return otlog_console_exporter_create(NULL, out);
}

/* The endpoint is the path; NULL: standard output. */
static bool
create_otlp_file(const otlog_otlp_options *options, otlog_exporter *out)
{
	return otlog_otlp_file_exporter_create(&(otlog_otlp_file_options){ .path = options ? options->endpoint : NULL },
	                                       out);
}

static bool
create_otlp_grpc(const otlog_otlp_options *options, otlog_exporter *out)
{
	return otlog__grpc_load_and_create(options, NULL, out);
}

/* Without TLS where the endpoint does not say. */
static bool
create_otlp_grpc_insecure(const otlog_otlp_options *options, otlog_exporter *out)
{
	return otlog__grpc_load_and_create(options, &(otlog_grpc_options){ .insecure = true }, out);
}

static const otlog__builtin builtins[] = {
	{ "otlp_http", otlog_otlp_http_exporter_create },
	{ "otlp_http_json", otlog_otlp_http_json_exporter_create },
	{ "otlp_grpc", create_otlp_grpc },
	{ "otlp_grpc_insecure", create_otlp_grpc_insecure },
	{ "console", create_console },
	{ "otlp_file", create_otlp_file },
};

const otlog__builtin *
otlog__builtin_find(const char *name)
{
	if (!name)
		return NULL;
	for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
		if (strcmp(builtins[i].name, name) == 0)
			return &builtins[i];
	return NULL;
}

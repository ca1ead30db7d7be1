#include "sdk/api/backend.h"

#include "sdk/base/sized.h"

/* The options as this library knows them, whatever header the caller was compiled against. */
otlog_logger *
otlog_get_logger_with_sized(const otlog_logger_options *options, size_t options_size)
{
	otlog_logger_options known;
	otlog__sized_copy(&known, sizeof known, options, options_size);
	return otlog__registry_get_logger(otlog__global_registry(), &known);
}

otlog_logger *
otlog_get_logger(const char *name, const char *version)
{
	return otlog__registry_get_logger(otlog__global_registry(),
	                                  &(otlog_logger_options){ .name = name, .version = version });
}

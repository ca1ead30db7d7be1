#include "sdk/settings/known_options.h"

#include "sdk/base/exporter_table.h"

otlog_options
otlog__options_known(const otlog_options *options, size_t options_size)
{
	otlog_options known = { 0 };
	if (options)
		memcpy(&known, options, options_size < sizeof known ? options_size : sizeof known);
	return known;
}

void
otlog__options_give_up(const otlog_options *options)
{
	for (size_t i = 0; options->pipelines && i < options->pipeline_count; i++)
		otlog__exporter_destroy(&options->pipelines[i].exporter);
}

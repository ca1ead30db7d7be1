#include "sdk/settings/given_options.h"

#include "sdk/base/exporter_table.h"
#include "sdk/base/sized.h"

size_t
otlog__given_pipelines(const otlog_options *options)
{
	if (!options->pipelines)
		return 0;
	return options->pipeline_count < OTLOG_MAX_PIPELINES ? options->pipeline_count : OTLOG_MAX_PIPELINES;
}

void
otlog__given_options_take(otlog__given_options *given, const otlog_options *options, size_t options_size,
                          size_t pipeline_size)
{
	otlog__sized_copy(&given->options, sizeof given->options, options, options_size);
	const char *pipelines = (const char *)given->options.pipelines;
	const size_t count = pipelines ? given->options.pipeline_count : 0;
	for (size_t i = 0; i < count; i++) {
		otlog_pipeline_options pipeline;
		otlog__sized_copy(&pipeline, sizeof pipeline, pipelines + i * pipeline_size, pipeline_size);
		if (i < OTLOG_MAX_PIPELINES)
			given->pipelines[i] = pipeline;
		else
			otlog__exporter_destroy(&pipeline.exporter);
	}
	given->options.pipelines = pipelines ? given->pipelines : NULL;
}

void
otlog__options_give_up(const otlog_options *options)
{
	for (size_t i = 0; i < otlog__given_pipelines(options); i++)
		otlog__exporter_destroy(&options->pipelines[i].exporter);
}

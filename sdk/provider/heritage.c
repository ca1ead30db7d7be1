#include "sdk/provider/heritage.h"

#include "sdk/api/rare/clone.h"

#include <stdlib.h>
#include <string.h>

static bool
copy_text(const char *text, const char **out)
{
	*out = text ? strdup(text) : NULL;
	return *out || !text;
}

otlog__heritage *
otlog__heritage_create(const otlog_options *options)
{
	otlog__heritage *heritage = calloc(1, sizeof *heritage);
	if (!heritage)
		return NULL;
	otlog_options *own = &heritage->options;
	*own = *options;
	own->pipelines = NULL;
	own->pipeline_count = 0;
	/* All of them, so that there is something to free behind each pointer. */
	bool copied = copy_text(options->service_name, &own->service_name);
	copied &= copy_text(options->resource_schema_url, &own->resource_schema_url);
	copied &= copy_text(options->queue_directory, &own->queue_directory);
	copied &= otlog__attrs_clone(options->resource_attributes, &own->resource_attributes);
	if (copied)
		return heritage;
	otlog__heritage_free(heritage);
	return NULL;
}

void
otlog__heritage_free(otlog__heritage *heritage)
{
	if (!heritage)
		return;
	otlog__settings_free(&heritage->settings);
	free((void *)heritage->options.service_name);
	free((void *)heritage->options.resource_schema_url);
	free((void *)heritage->options.queue_directory);
	free((void *)heritage->options.resource_attributes.items);
	free(heritage);
}

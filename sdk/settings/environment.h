/* The destinations that the environment describes. */
#ifndef OTLOG_SETTINGS_ENVIRONMENT_H
#define OTLOG_SETTINGS_ENVIRONMENT_H

#include "sdk/settings/settings.h"

/*
 * Creates the exporters that the settings ask for and fills at most `count` pipelines with them; how many is returned.
 * One that cannot be had is left out, with a diagnostic. `queue_records`: 0 if only bytes bound the queue.
 */
size_t otlog__environment_pipelines(const otlog__settings *settings, uint64_t queue_bytes, uint64_t queue_records,
                                    otlog_pipeline_options *pipelines, size_t count);

#endif

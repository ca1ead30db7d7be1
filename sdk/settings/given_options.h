/* The options of a start as a program gives them, brought into the structs of this version: see otlog/otlog.h. */
#ifndef OTLOG_SETTINGS_GIVEN_OPTIONS_H
#define OTLOG_SETTINGS_GIVEN_OPTIONS_H

#include <otlog/sdk.h>

typedef struct otlog__given_options {
	otlog_options options; /* its pipelines, if it has any, are these, or the first of so many */
	otlog_pipeline_options pipelines[OTLOG_MAX_PIPELINES];
} otlog__given_options;

/*
 * Fills *given from the program's structs of these sizes; NULL is {0}. Pipelines beyond the most that there can be are
 * destroyed; pipeline_count still has them.
 */
void otlog__given_options_take(otlog__given_options *given, const otlog_options *options, size_t options_size,
                               size_t pipeline_size);

/* How many of its pipelines can be had. */
size_t otlog__given_pipelines(const otlog_options *options);

/* Destroys the exporters of options that nobody takes. */
void otlog__options_give_up(const otlog_options *options);

#endif

/* All statistics of a provider together: the totals, and those of each pipeline, each of its own moment. */
#ifndef TESTS_SUPPORT_SDK_SDK_BOOKS_H
#define TESTS_SUPPORT_SDK_SDK_BOOKS_H

#include <otlog/sdk.h>

typedef struct sdk_books {
	otlog_statistics_snapshot totals;
	size_t pipeline_count;
	otlog_pipeline_statistics pipelines[OTLOG_MAX_PIPELINES];
} sdk_books;

/* Those of the provider, or of the global one. */
void sdk_take_books(otlog_provider *provider, sdk_books *out);
void sdk_take_global_books(sdk_books *out);

#endif

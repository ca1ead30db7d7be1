#include "tests/support/sdk/sdk_books.h"

#include "tests/support/harness/check.h"

#include <string.h>

void
sdk_take_books(otlog_provider *provider, sdk_books *out)
{
	memset(out, 0, sizeof *out);
	otlog_provider_statistics(provider, &out->totals);
	while (out->pipeline_count < OTLOG_MAX_PIPELINES &&
	       otlog_provider_statistics_pipeline(provider, out->pipeline_count, &out->pipelines[out->pipeline_count]))
		out->pipeline_count++;
	CHECK(out->pipeline_count == out->totals.pipeline_count);
}

void
sdk_take_global_books(sdk_books *out)
{
	memset(out, 0, sizeof *out);
	otlog_statistics(&out->totals);
	while (out->pipeline_count < OTLOG_MAX_PIPELINES &&
	       otlog_statistics_pipeline(out->pipeline_count, &out->pipelines[out->pipeline_count]))
		out->pipeline_count++;
}

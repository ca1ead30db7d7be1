/* Events as a platform and a spreadsheet session log them, one after the other. */
#ifndef TESTS_SUPPORT_RECORDS_SAMPLES_H
#define TESTS_SUPPORT_RECORDS_SAMPLES_H

#include <otlog/bonito.h>
#include <otlog/mito.h>

#define SAMPLE_BONITO_COUNT 6
#define SAMPLE_MITO_COUNT 5

typedef struct samples {
	bonito_entry bonito[SAMPLE_BONITO_COUNT]; /* request, login, invitation, search, agent, failover */
	mito_event mito[SAMPLE_MITO_COUNT];       /* rendered, add column, rename, formula, failed rename */
	otlog_attr attrs[64];                     /* what the lists point to */
	size_t attr_count;
	otlog_value tools[2];
	otlog_attr applied_to;
} samples;

#define SAMPLE_TRACE_ID "0af76519-16cd-43dd-8448-eb211c80319c"

/* Fills *out, which must not be moved afterwards. */
void samples_fill(samples *out);

#endif

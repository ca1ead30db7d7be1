/*
 * Goes through the records of an ExportLogsServiceRequest, for exporters that write another form of them: one pass,
 * without allocating, copying or recursing.
 *
 * Takes any bytes: what is malformed ends the reading, never beyond the bytes given. Slices point into them. Unknown
 * fields are skipped; of a field given twice the last one counts. What lies inside a record is read with
 * sdk/view/record_view.h.
 */
#ifndef OTLOG_VIEW_REQUEST_VIEW_H
#define OTLOG_VIEW_REQUEST_VIEW_H

#include "sdk/view/record_view.h"

/* One LogRecord and where it comes from. */
typedef struct otlog__request_record {
	otlog_slice record;
	otlog_slice resource; /* the Resource message; empty if it has none */
	otlog_slice resource_schema_url;
	otlog_slice scope; /* the InstrumentationScope message; empty if it has none */
	otlog_slice scope_schema_url;
	bool new_resource; /* the first record of its ResourceLogs: what was made of the resource before is stale */
	bool new_scope;    /* the first record of its ScopeLogs */
} otlog__request_record;

otlog_batch_reader otlog__request_open(const void *request, size_t request_size);

/* The next record; false at the end or at malformed bytes. */
bool otlog__request_next(otlog_batch_reader *reader, otlog__request_record *record);

/* The attributes of a Resource message and of an InstrumentationScope message, for otlog__next_item. */
otlog_items otlog__resource_attributes(otlog_slice resource);
otlog_items otlog__scope_attributes(otlog_slice scope);

/* An InstrumentationScope message. */
typedef struct otlog__scope_view {
	otlog_slice name;
	otlog_slice version;
	otlog_items attributes;
} otlog__scope_view;

/* False if the bytes are no InstrumentationScope; the attributes are only looked at by otlog__next_item. */
bool otlog__scope_view_open(otlog_slice scope, otlog__scope_view *view);

#endif

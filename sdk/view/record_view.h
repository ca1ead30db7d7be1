/*
 * The pull decoder: reads the fields of LogRecord bytes without allocating, copying or recursing.
 *
 * Takes any bytes: what is malformed ends the reading with false, never beyond the bytes given. Slices point into them.
 * Unknown fields are skipped. Of a field given twice the last one counts, as protobuf has it.
 */
#ifndef OTLOG_VIEW_RECORD_VIEW_H
#define OTLOG_VIEW_RECORD_VIEW_H

#include <otlog/exporter.h>

/* An otlog_record_view without what only a batch can say: where the record comes from. */
typedef struct otlog__record_view {
	uint64_t time_unix_nano;
	uint64_t observed_time_unix_nano;
	int32_t severity;
	uint32_t dropped_attributes_count;
	uint32_t flags;
	otlog_slice severity_text;
	otlog_slice event_name;
	otlog_slice trace_id; /* size 0 or 16 in a sound record */
	otlog_slice span_id;  /* size 0 or 8 */
	otlog_value_view body;
	otlog_slice attributes; /* from the first to the end of the last one; what else lies between is skipped */
} otlog__record_view;

/* Reads every field but the attributes. False if the bytes are no LogRecord. */
bool otlog__record_view_open(const void *bytes, size_t size, otlog__record_view *view);

otlog_items otlog__attributes_of(const otlog__record_view *view);
otlog_items otlog__items_of(const otlog_value_view *container);

/* The next one; false at the end or at malformed bytes. `key` is empty for array items. */
bool otlog__next_item(otlog_items *items, otlog_slice *key, otlog_value_view *value);

#endif

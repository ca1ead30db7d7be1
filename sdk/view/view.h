/* What the view that otlog/exporter.h declares consists of: values in records, records in batches. */
#ifndef OTLOG_VIEW_VIEW_H
#define OTLOG_VIEW_VIEW_H

#include <otlog/exporter.h>

/* Reads an AnyValue over what *value holds. False if the bytes are none. */
bool otlog__view_value(otlog_slice bytes, otlog_value_view *value);

/*
 * Fills *record from one LogRecord, but for its attributes, of which only the place is told; resource and scope are
 * empty. False if the bytes are none; *record is then filled in part.
 */
bool otlog__view_record(otlog_slice bytes, otlog_record_view *record);

/*
 * The next part of a resource or scope that comes in parts: `more` is what is left of the ResourceLogs or ScopeLogs that
 * they are in, empty if there are none. False, with *part empty, at the end.
 */
bool otlog__view_next_part(otlog_slice *more, otlog_slice *part);

/* Gives a program as much of the record as its own otlog_record_view has; what it has beyond is zero. */
void otlog__view_hand_out(const otlog_record_view *from, otlog_record_view *to, size_t to_size);

#endif

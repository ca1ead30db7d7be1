/* One log record as the flat object that a Mito log server takes; the keys are told in otlog/exporters.h. */
#ifndef OTLOG_EXPORTERS_MITO_MITO_OBJECT_H
#define OTLOG_EXPORTERS_MITO_MITO_OBJECT_H

#include "exporters/mito/flat.h"

/* An attribute of the resource that goes into every object. */
typedef struct otlog__flat_extra {
	const char *name;
	otlog_value_view value; /* EMPTY: the resource has none of that name */
} otlog__flat_extra;

typedef struct otlog__flat_extras {
	const otlog__flat_extra *items;
	size_t count;
} otlog__flat_extras;

/* Each appends; false when memory is short. */
bool otlog__flat_put_extras(otlog__flat *flat, otlog__flat_extras extras);

/* `timestamp_gmt` with its key. */
bool otlog__flat_put_time(otlog__flat *flat, const otlog_record_view *record);

/* Whether the event name is that of a Mito event. */
bool otlog__is_mito_event(const otlog_record_view *record);
bool otlog__flat_put_event(otlog__flat *flat, const otlog_record_view *record, otlog__flat_extras extras);

/* Every other record, Bonito's too. */
bool otlog__flat_put_record(otlog__flat *flat, const otlog_record_view *record, otlog__flat_extras extras);

#endif

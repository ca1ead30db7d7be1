/*
 * Calling an exporter's functions. The table is somebody else's and begins with its size: it may be older than this
 * library, with fewer functions, or newer, with more. So nothing here or elsewhere reads a function of the table but
 * through otlog__exporter_function.
 */
#ifndef OTLOG_BASE_EXPORTER_TABLE_H
#define OTLOG_BASE_EXPORTER_TABLE_H

#include <otlog/exporter.h>

#include <stddef.h>

/* Bytes of a table up to the end of this function. */
#define OTLOG__TABLE_UP_TO(name) (offsetof(otlog_exporter_functions, name) + sizeof(void (*)(void)))

/* More than any table will have: what is larger is no size, but the first pointer of a table without one. */
#define OTLOG__TABLE_MOST 1024

/* The function, or NULL: the exporter does not have it. Of an exporter whose table has a size. */
#define otlog__exporter_function(exporter, name) \
	((exporter)->functions->size >= OTLOG__TABLE_UP_TO(name) ? (exporter)->functions->name : NULL)

/* Whether the table begins with its size, as tables do since there are sizes. False if there is no table. */
static inline bool
otlog__exporter_has_size(const otlog_exporter *exporter)
{
	return exporter->functions && exporter->functions->size >= OTLOG__TABLE_UP_TO(export_batch) &&
	       exporter->functions->size <= OTLOG__TABLE_MOST &&
	       exporter->functions->size % sizeof(void (*)(void)) == 0;
}

/* Whether it has functions that this library does not know. */
static inline bool
otlog__exporter_is_newer(const otlog_exporter *exporter)
{
	const unsigned char *table = (const unsigned char *)exporter->functions;
	for (size_t i = sizeof(otlog_exporter_functions); i < exporter->functions->size; i++)
		if (table[i])
			return true;
	return false;
}

/* Frees what it has. One without a table, or with a table that cannot be read, is left as it is. */
static inline void
otlog__exporter_destroy(const otlog_exporter *exporter)
{
	if (otlog__exporter_has_size(exporter) && otlog__exporter_function(exporter, destroy))
		exporter->functions->destroy(exporter->self);
}

#endif

/* What dead processes have left in a queue directory beside their queues: files half made, or half removed. */
#ifndef OTLOG_QUEUE_LITTER_H
#define OTLOG_QUEUE_LITTER_H

#include "sdk/queue/mapping.h"

/* Whether the file's name ends in the suffix, and what stands before it. */
bool otlog__queue_name_of(const char *file, const char *suffix, char name[OTLOG__QUEUE_NAME_MAX]);

/*
 * Removes the file if it is a .new whose maker is dead, or a .meta of no queue. A .spool of no queue gets an empty one, so
 * that it is adopted like the others. Only what has not changed for a while, so that nothing is taken from under a process
 * that is making or removing it.
 */
void otlog__litter_remove(int directory, const char *file);

#endif

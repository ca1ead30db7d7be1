/*
 * The names of queues that this process has open, its own and those that it has taken over.
 *
 * A process is never kept out by its own locks (F_SETLK), and closing any descriptor of a file gives up the lock: whoever
 * looks through a queue directory asks here before opening anything. Names hold 64 random bits, so the directory does not
 * matter.
 * A forked child has none of its parent's locks and begins with an empty list.
 */
#ifndef OTLOG_QUEUE_FILE_NAMES_H
#define OTLOG_QUEUE_FILE_NAMES_H

#include <stdbool.h>

/* False: the name is in the list already, or somebody looks into it, or there is no room. Any thread. */
bool otlog__names_claim(const char *name);

/* After the last descriptor of the file was closed. */
void otlog__names_give_up(const char *name);

bool otlog__names_has(const char *name);

/*
 * For a thread that opens the file only to look into it. Others may do so at the same time, but nobody can claim the name
 * meanwhile: such a one's lock would be gone with the first descriptor that is closed. False: it is claimed, or there is
 * no room.
 */
bool otlog__names_look(const char *name);

/* After that descriptor was closed. */
void otlog__names_looked(const char *name);

#endif

/* Which program or library an address lies in, looked up without the loader's locks: from a copy of its list. */
#ifndef OTLOG_CRASH_MODULES_H
#define OTLOG_CRASH_MODULES_H

#include <stdbool.h>
#include <stdint.h>

#define OTLOG__MODULE_NAME_MAX 64

/*
 * Copies the loader's list if it has changed since. By one thread at a time, and not in a signal handler. Nothing is
 * allocated; modules beyond the first 256 are left out.
 */
void otlog__modules_refresh(void);

/*
 * The file name without its folders, and the offset that the file's own tables count in. NULL: none of them. The name
 * stays until the list has been copied twice more. Async-signal-safe.
 */
const char *otlog__modules_find(uintptr_t address, uintptr_t *offset);

#endif

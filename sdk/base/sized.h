/* Structs that may grow, between a program and a library that know them in different sizes: see otlog/otlog.h. */
#ifndef OTLOG_BASE_SIZED_H
#define OTLOG_BASE_SIZED_H

#include <stddef.h>

/* Fills *to from *from, which may be NULL. Members that only `to` has become zero, those that only `from` has are left. */
void otlog__sized_copy(void *to, size_t to_size, const void *from, size_t from_size);

#endif

/* Random bits for salts, file names and jitter. Not for secrets. */
#ifndef OTLOG_BASE_RANDOM_H
#define OTLOG_BASE_RANDOM_H

#include <stdint.h>

/* 64 bits from the kernel; where it refuses, from the clock and an address. Thread-safe. */
uint64_t otlog__random_u64(void);

#endif

/* CRC32C (Castagnoli), as iSCSI and ext4 use it. Signal-safe. */
#ifndef OTLOG_QUEUE_CRC32C_H
#define OTLOG_QUEUE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Of `size` bytes, going on from `crc`, which is 0 at the start. With the processor's instruction where it has one. */
uint32_t otlog__crc32c(uint32_t crc, const void *data, size_t size);

/* The same without it. */
uint32_t otlog__crc32c_portable(uint32_t crc, const void *data, size_t size);

#endif

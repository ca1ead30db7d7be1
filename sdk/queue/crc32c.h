/* CRC32C (Castagnoli), as iSCSI and ext4 use it. */
#ifndef OTLOG_QUEUE_CRC32C_H
#define OTLOG_QUEUE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Of `size` bytes, going on from `crc`, which is 0 at the start. */
uint32_t otlog__crc32c(uint32_t crc, const void *data, size_t size);

#endif

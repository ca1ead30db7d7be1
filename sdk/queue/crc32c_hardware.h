/* The processor's own CRC32C; a file for each architecture. Signal-safe. */
#ifndef OTLOG_QUEUE_CRC32C_HARDWARE_H
#define OTLOG_QUEUE_CRC32C_HARDWARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool otlog__crc32c_has_hardware(void);

/* Only where there is some. */
uint32_t otlog__crc32c_by_hardware(uint32_t crc, const void *data, size_t size);

#endif

/* The Retry-After header: how long a server wants to be left alone. Pure. */
#ifndef OTLOG_EXPORTERS_HTTP_RETRY_AFTER_H
#define OTLOG_EXPORTERS_HTTP_RETRY_AFTER_H

#include "sdk/base/limits.h"

#include <stdint.h>

/*
 * Milliseconds from `now_unix_s` that the header's value asks for: seconds, or a date in any of the three forms of
 * RFC 9110 section 5.6.7. NULL, a date that has passed and anything else: 0.
 */
uint64_t otlog__retry_after_ms(const char *value, int64_t now_unix_s);

#endif

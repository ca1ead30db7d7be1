/* The Retry-After header: how long a server wants to be left alone. Pure. */
#ifndef OTLOG_EXPORTERS_HTTP_RETRY_AFTER_H
#define OTLOG_EXPORTERS_HTTP_RETRY_AFTER_H

#include <stdint.h>

/* A server that asks for more is asked again after this time: a typing error there must not silence us for days. */
#define OTLOG__RETRY_AFTER_CAP_MS (UINT64_C(60) * 60 * 1000)

/*
 * Milliseconds from `now_unix_s` that the header's value asks for: seconds, or a date in any of the three forms of
 * RFC 9110 section 5.6.7. NULL, a date that has passed and anything else: 0.
 */
uint64_t otlog__retry_after_ms(const char *value, int64_t now_unix_s);

#endif

/* Values of attributes and bodies as text: words, numbers, and containers in the manner of JSON. */
#ifndef OTLOG_EXPORTERS_CONSOLE_CONSOLE_VALUE_H
#define OTLOG_EXPORTERS_CONSOLE_CONSOLE_VALUE_H

#include "exporters/console/console_text.h"

/* Containers deeper than this show as "…". */
#define OTLOG__CONSOLE_DEPTH 16

/* Bytes of which only the first are shown. */
#define OTLOG__CONSOLE_BYTES 32

/* Writes lower-case hex. */
void otlog__console_put_hex(otlog__console_out *out, otlog_slice bytes);

/* Strings as words. False if the value's inside makes no sense; it is then written as far as it does. */
bool otlog__console_put_value(otlog__console_out *out, const otlog_value_view *value);

#endif

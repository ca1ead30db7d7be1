/* A transport's options, kept: so that another one like it can be made where nothing else of it may be used. */
#ifndef OTLOG_EXPORTERS_HTTP_OPTIONS_H
#define OTLOG_EXPORTERS_HTTP_OPTIONS_H

#include "exporters/http/transport.h"

/*
 * Copies checked options with all that they point to, but for what the transport has warned of and leaves out. False,
 * with what could be copied in *to, when memory is short. Free with otlog__http_options_free in every case.
 */
bool otlog__http_options_copy(const otlog__http_options *from, otlog__http_options *to);
void otlog__http_options_free(otlog__http_options *options);

#endif

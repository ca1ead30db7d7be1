/* The OTLP/HTTP exporters: binary protobuf, or JSON, over the shared transport. The public side is otlog/exporters.h. */
#ifndef OTLOG_EXPORTERS_OTLP_HTTP_OTLP_HTTP_H
#define OTLOG_EXPORTERS_OTLP_HTTP_OTLP_HTTP_H

#include <otlog/exporters.h>

#define OTLOG__OTLP_HTTP_DEFAULT_ENDPOINT "http://localhost:4318/v1/logs"

#endif

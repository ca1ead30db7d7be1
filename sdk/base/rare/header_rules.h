/*
 * What a user may add to requests: fields of HTTP, metadata of gRPC. Checked by the rule of the protocol that sends them
 * wherever they are given. Pure.
 */
#ifndef OTLOG_BASE_RARE_HEADER_RULES_H
#define OTLOG_BASE_RARE_HEADER_RULES_H

#include <otlog/exporters.h>

typedef enum otlog__header_fault {
	OTLOG__HEADER_GOOD,
	OTLOG__HEADER_BAD_NAME,
	OTLOG__HEADER_BAD_VALUE,
	OTLOG__HEADER_OURS /* the exporter sets it itself, or the protocol keeps the name for later: it is left out */
} otlog__header_fault;

/*
 * The name is a token, the value has no control characters but tabs: nothing that could end the line. NULL is neither.
 * Source: RFC 9110, sections 5.1 and 5.5.
 */
otlog__header_fault otlog__http_header_check(const otlog_header *header);

/*
 * The name is of letters (of either case: HTTP/2 gets small ones), digits, `-`, `_` and `.`; the value is printable
 * ASCII, or anything where the name ends in -bin. Source: gRPC over HTTP2, "Custom-Metadata".
 */
otlog__header_fault otlog__grpc_header_check(const otlog_header *header);

#endif

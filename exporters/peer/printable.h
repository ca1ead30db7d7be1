/* Text of others in messages of ours. Pure. */
#ifndef OTLOG_EXPORTERS_PEER_PRINTABLE_H
#define OTLOG_EXPORTERS_PEER_PRINTABLE_H

#include <stddef.h>

/* Copies up to the end of the line, printable ASCII only: a peer's text must not play with the reader's terminal. */
void otlog__http_printable(const void *text, size_t text_size, char *out, size_t out_size);

#endif

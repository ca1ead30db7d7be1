/* Scopes of a queue: number → bytes, in memory and in NAME.meta. */
#ifndef OTLOG_QUEUE_SCOPES_H
#define OTLOG_QUEUE_SCOPES_H

#include "sdk/queue/queue.h"

typedef struct otlog__scopes otlog__scopes;

/* `meta` is the descriptor of NAME.meta, or -1; it is taken over. NULL when memory is short: meta is then closed. */
otlog__scopes *otlog__scopes_create(int meta);

/* As otlog__queue_add_scope. */
uint16_t otlog__scopes_add(otlog__scopes *scopes, const void *head, size_t head_size, const void *tail,
                           size_t tail_size);

/* Keeps a copy under that number, which has none yet; nothing is written to NAME.meta. False when memory is short. */
bool otlog__scopes_put(otlog__scopes *scopes, uint16_t number, const void *head, size_t head_size, const void *tail,
                       size_t tail_size);

/* Says what was wrong in otlog__scopes_add since the last report. To be called with no lock held. */
void otlog__scopes_report(otlog__scopes *scopes);

/* No lock: any thread, also while scopes are added. An unknown number gives empty bytes. */
otlog__scope_bytes otlog__scopes_get(const otlog__scopes *scopes, uint16_t scope);

/* Puts NAME.meta on the disk. False with errno set if that fails. */
bool otlog__scopes_sync(otlog__scopes *scopes);

/* Closes NAME.meta; later scopes are kept in memory only. */
void otlog__scopes_close_file(otlog__scopes *scopes);

/* NULL is allowed. Takes no lock, so that a forked child can call it too. */
void otlog__scopes_free(otlog__scopes *scopes);

#endif

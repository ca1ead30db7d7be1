/* What a queue's header page says, for those who write it and those who read it. */
#ifndef OTLOG_QUEUE_FILE_HEADER_H
#define OTLOG_QUEUE_FILE_HEADER_H

#include "sdk/queue/layout.h"

#include <stdbool.h>

/* Of the running kernel; all zero where it is not known. */
void otlog__boot_id(char out[40]);

/* Whether files of that boot id were written since this machine started. An unknown one never was. */
bool otlog__boot_id_is_ours(const char boot_id[40]);

typedef enum otlog__header_kind {
	OTLOG__HEADER_SOUND,
	OTLOG__HEADER_FOREIGN, /* of another version, byte order or word size */
	OTLOG__HEADER_EMPTY, /* zeros, which is what it was before it came to the disk, or cut off before any record */
	OTLOG__HEADER_DAMAGED
} otlog__header_kind;

/*
 * Reads the header, or its copy, from the header page, zeros behind the end of the file. Its sizes are such as a queue has;
 * the file may be shorter.
 */
otlog__header_kind otlog__header_read(const uint8_t page[OTLOG__CONTROL_PAGE], uint64_t file_bytes,
                                      otlog__queue_header *header);

/* What the seal covers of a control page, in this order. */
typedef struct otlog__sealed_words {
	uint64_t tail;
	uint64_t accepted;
	uint64_t start; /* released.position */
	uint64_t start_seq;
} otlog__sealed_words;

otlog__sealed_words otlog__sealed_words_of(const uint8_t *control_page);

#endif

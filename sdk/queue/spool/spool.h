/*
 * The spool of one pipeline: batches that its destination did not take while the queue's room was needed, as whole
 * requests in segment files; first in, first out. What it says was appended survives the process.
 *
 * Files, in the folder NAME.spool beside NAME.queue:  PP-NNNNNNNN, the pipeline's bit and the segment's number; with
 * ".new" behind it while its header is being written
 *
 *   segment   4096 bytes of header page, then entries end to end; the rest of the file is not there yet
 *     0       otlog__spool_header: magic "otlogS\r\n" | byte order | version | salt | … | pipeline's name | crc
 *     1024    the same again, for where the first is damaged
 *     2048    otlog__spool_done: how far its entries are done with | crc
 *     2560    the same; the two are written in turn, the greater generation counts
 *     entry   size u32 | records u32 | number u64 | check u32 = CRC32C of head and request
 *             | head u32 = CRC32C of salt and the fields before check | request bytes | zeros up to a multiple of 8
 *
 * Numbers of entries grow by one without a gap, over segments, so a missing or exchanged segment is seen. Where a header
 * makes no sense the next entry is looked for in steps of 8; the gap in numbers is what was lost. An entry whose number
 * the next segment begins with was given up after an error of the disk, and does not count.
 *
 * Threads: append, take and finish may be called by different threads at the same time. One append runs at a time, and
 * one take or finish; the books' mutex is never held while a file is read, written or synced, so only the thread that uses
 * a file waits for the disk.
 */
#ifndef OTLOG_QUEUE_SPOOL_H
#define OTLOG_QUEUE_SPOOL_H

#include "sdk/base/buffer.h"
#include "sdk/queue/queue.h"

typedef struct otlog__spool otlog__spool;

typedef struct otlog__spool_options {
	int directory;    /* descriptor of the queue's directory; borrowed while the spool is open */
	const char *name; /* NAME */
	uint32_t pipeline;
	const char *pipeline_name;
	uint64_t max_bytes; /* of all segments; at least 1 MiB */
	bool drop_oldest;   /* where there is no room: the oldest segment goes. Else append says FULL */
	bool sync;          /* fdatasync before append returns */
} otlog__spool_options;

/*
 * A spool without files: the first append creates the folder. NULL when memory is short. Pointers in the options are
 * copied.
 */
otlog__spool *otlog__spool_create(const otlog__spool_options *options);

typedef enum otlog__spool_result {
	OTLOG__SPOOL_TAKEN,
	OTLOG__SPOOL_FULL,  /* no room within max_bytes, or larger than a segment can be */
	OTLOG__SPOOL_FAILED /* the disk does not take it: errno says why. Nothing was appended */
} otlog__spool_result;

/*
 * Appends a request. `in_flight`: the caller is delivering it already, so no take will hand it out; it must be the next
 * that take would hand out, so nothing may be waiting (else FAILED with EINVAL). *number is what finish wants. Blocks
 * for the disk.
 */
otlog__spool_result otlog__spool_append(otlog__spool *spool, const void *request, size_t size, uint32_t records,
                                        bool in_flight, uint64_t *number);

/*
 * Reads the oldest entry that has not been taken into *out, from its beginning, and says how many records it holds. 0:
 * there is none that can be read; if records are waiting still, memory or descriptors are short: try later. Damaged
 * ones are counted as dropped[damaged] and passed over.
 */
uint32_t otlog__spool_take(otlog__spool *spool, otlog__buffer *out, uint64_t *number);

/*
 * The entry is done with: what the end does not say was dropped was delivered. In the order of taking. Segments that
 * are done with are removed. An entry that was dropped meanwhile, as the oldest, is counted here too, not there.
 */
void otlog__spool_finish(otlog__spool *spool, uint64_t number, const otlog__batch_end *end);

typedef struct otlog__spool_books {
	uint64_t spooled;   /* records appended */
	uint64_t delivered; /* of them */
	uint64_t queued;    /* of them: waiting or in flight */
	uint64_t waiting;   /* of those: not taken */
	uint64_t dropped[OTLOG_DROP_REASON_COUNT];
	uint64_t bytes; /* of files */
} otlog__spool_books;

void otlog__spool_take_books(otlog__spool *spool, otlog__spool_books *books);

/* Brings everything to the disk. True if there is nothing. False with errno set. */
bool otlog__spool_sync(otlog__spool *spool);

/*
 * Closes the files; those with entries that are not done with stay for the next process, the others are removed. Entries in
 * flight whose segment was dropped as the oldest are then counted as dropped[spool_full]. The books stay readable.
 */
void otlog__spool_close(otlog__spool *spool);

/* In a forked child: frees the memory, touches no file and no lock. NULL is allowed. After close: frees it. */
void otlog__spool_free(otlog__spool *spool);

#endif

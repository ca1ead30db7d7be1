/*
 * A queue's file, read from its bytes alone: the queue of a dead process, or, for tools, of a live one.
 *
 * Vocabulary
 *   trusted   written since this machine started, or sealed: what the control pages say is so. Else only frames with a
 *             right checksum count
 *   run       frames that lie end to end and whose numbers follow each other; the gaps between runs are what is lost
 *   reader     how far a pipeline is in a lane
 *
 * A lane is first walked from the least cursor to the tail, as a worker would. Where anything there makes no sense, or
 * nothing is to be trusted, the whole lane is looked through in steps of 8 bytes, and what is found is put in order by its
 * numbers.
 *
 * pread and pwrite only: a disk that fails is an errno, not a signal. What cannot be read counts as zeros, so frames there
 * are lost. Any bytes are taken: nothing is believed that was not checked, and memory is bounded by the file's size.
 */
#ifndef OTLOG_QUEUE_IMAGE_H
#define OTLOG_QUEUE_IMAGE_H

#include "sdk/base/buffer.h"
#include "sdk/queue/file_header.h"
#include "sdk/queue/queue.h"

typedef struct otlog__image {
	int file; /* borrowed */
	uint64_t file_bytes;
	otlog__queue_header header;
	bool same_boot;
	bool sealed;
	uint32_t trailer; /* bytes behind each record */
} otlog__image;

/* OTLOG__HEADER_DAMAGED with errno set if the file cannot be read; errno is 0 if its bytes make no sense. */
otlog__header_kind otlog__image_open(otlog__image *image, int file);

static inline bool
otlog__image_is_trusted(const otlog__image *image)
{
	return image->same_boot || image->sealed;
}

/* Offsets in the lane, in units of 8 bytes. */
typedef struct otlog__run {
	uint64_t seq;      /* of its first frame */
	uint64_t position; /* of its first frame */
	uint32_t start;
	uint32_t end;
	uint32_t frames;
} otlog__run;

typedef struct otlog__image_reader {
	uint64_t cursor;
	uint64_t consumed; /* frames before the cursor */
	uint64_t waiting;  /* intact records behind it */
	uint64_t lost;     /* records behind it that are not there */
	uint64_t counts[(sizeof(otlog__lane_cursor) - 16) / sizeof(uint64_t)]; /* as in the file, behind `consumed` */
} otlog__image_reader;

/* Where they stand in otlog__image_reader.counts. */
enum { OTLOG__COUNT_DELIVERED, OTLOG__COUNT_FILTERED, OTLOG__COUNT_SPOOLED, OTLOG__COUNT_DROPPED };

typedef struct otlog__image_lane {
	otlog__run *runs; /* by number */
	uint32_t run_count;
	uint64_t end_seq; /* frames that were accepted, as far as can be told */
	uint64_t end_position;
	uint64_t waiting; /* intact records that wait for one of the pipelines */
	bool walked;      /* all is as the owner left it: nothing but the runs matters */
	otlog__image_reader readers[OTLOG__LAYOUT_PIPELINES];
} otlog__image_lane;

/* Reads all there is to say about the lane. False when memory is short. Free it in either case. */
bool otlog__image_load(const otlog__image *image, uint32_t lane, otlog__image_lane *out);

/* The words of the lane's control page at this moment: of a live queue they go on. */
otlog__sealed_words otlog__image_words(const otlog__image *image, uint32_t lane);

void otlog__image_lane_free(otlog__image_lane *lane);

/* Frames from that number on that are not there. */
uint64_t otlog__image_lost_from(const otlog__image_lane *lane, uint64_t seq);

/* Where reading stands in a lane; {0} with `seq` = the reader's consumed is the beginning. */
typedef struct otlog__image_at {
	uint64_t seq;      /* of the next frame */
	uint64_t position; /* where it was last */
	uint64_t lost;     /* frames that were passed and are not there */
	uint32_t run;
	uint32_t offset; /* in the lane, units of 8 */
	bool inside;     /* `offset` is that of the frame `seq` */
} otlog__image_at;

/* A growing array of frames; {0} is empty. */
typedef struct otlog__image_refs {
	otlog__frame_ref *refs;
	size_t capacity;
} otlog__image_refs;

/*
 * Reads the next records that wait for a pipeline of the mask, and moves *at behind them. Their bytes are put into *bytes
 * from its beginning, and the refs point there. Returns how many; 0: the end, with *at behind the last frame, or memory is
 * short (errno ENOMEM, else 0).
 */
uint32_t otlog__image_read(const otlog__image *image, uint32_t lane, const otlog__image_lane *loaded, uint32_t mask,
                           otlog__image_at *at, uint32_t max_records, size_t max_bytes, otlog__buffer *bytes,
                           otlog__image_refs *refs);

/*
 * Gives the disk space of what the owner had no more use for back to the file system, in a lane that was walked. The file
 * keeps its size, what is read of it stays the same, and its seal holds.
 */
void otlog__image_trim(const otlog__image *image, uint32_t lane, const otlog__image_lane *loaded);

/* Writes the reader into the file, counts before the cursor. False with errno set. */
bool otlog__image_write_reader(const otlog__image *image, uint32_t lane, uint32_t pipeline,
                               const otlog__image_reader *reader);

/* ---- image_bytes.c: private to image*.c -------------------------------------------------------------------------- */

/* Reads up to `size` bytes of the file; what is behind its end or cannot be read is zeros. False: some cannot be read. */
bool otlog__image_bytes(const otlog__image *image, uint64_t at, void *out, size_t size);

#define OTLOG__WINDOW_BYTES (UINT32_C(256) << 10)

/* A part of a lane in memory. */
typedef struct otlog__window {
	const otlog__image *image;
	uint32_t lane;
	uint64_t start; /* offsets in the lane */
	uint64_t end;
	uint8_t *bytes; /* OTLOG__WINDOW_BYTES */
} otlog__window;

bool otlog__window_make(otlog__window *window, const otlog__image *image, uint32_t lane);
void otlog__window_free(otlog__window *window);

/* `size` bytes, at most OTLOG__WINDOW_BYTES, at an offset in the lane, all inside it. Valid until the next call. */
const uint8_t *otlog__window_at(otlog__window *window, uint64_t offset, size_t size);

typedef enum otlog__found { OTLOG__FOUND_NONE, OTLOG__FOUND_FRAME, OTLOG__FOUND_SKIP } otlog__found;

/* What lies at the offset. `whole`: the record's checksum is looked at too, if there is one. */
otlog__found otlog__window_frame(otlog__window *window, uint64_t offset, bool whole, otlog__frame *frame);

#endif

/* Opening, sealing, closing and freeing a queue. */
#include "sdk/queue/queue.h"

#include "sdk/base/process/diagnostics.h"
#include "sdk/base/random.h"
#include "sdk/queue/meta.h"
#include "sdk/queue/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

#define DEFAULT_LANES 8u
#define SEAL_NANO (20 * OTLOG__NANOS_PER_MS)

static uint64_t
power_of_two(uint64_t at_least, uint64_t from, uint64_t most)
{
	uint64_t power = from;
	while (power < at_least && power < most)
		power *= 2;
	return power;
}

static size_t
page_bytes(void)
{
	long size = sysconf(_SC_PAGESIZE);
	return size > 0 ? (size_t)size : 4096;
}

/* The gate on its own page. *detects_fork: the kernel wipes it in a child. */
static _Atomic uint32_t *
make_gate(bool *detects_fork)
{
	void *page = mmap(NULL, page_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return NULL;
	*detects_fork = madvise(page, page_bytes(), MADV_WIPEONFORK) == 0;
	_Atomic uint32_t *gate = page;
	atomic_init(gate, OTLOG__GATE_OPEN);
	return gate;
}

static void *
make_zeroed(size_t count, size_t size)
{
	void *memory = aligned_alloc(64, count * size); /* sizes are multiples of 64, their structs being aligned so */
	if (memory)
		memset(memory, 0, count * size);
	return memory;
}

static void
set_trailer(otlog__queue *queue, uint32_t bytes)
{
	queue->trailer = bytes;
	/* Half a lane: then an empty lane has room in one piece, wherever its tail stands. */
	queue->max_record = queue->lane_bytes / 2 - sizeof(otlog__frame) - bytes;
}

/* Lanes, their bytes and their records, from what was asked for. */
static void
choose_sizes(otlog__queue *queue, const otlog__queue_options *options)
{
	uint32_t lanes = options->lanes ? options->lanes : DEFAULT_LANES;
	lanes = (uint32_t)power_of_two(lanes, 1, OTLOG__QUEUE_MAX_LANES);
	while (options->max_records && lanes > options->max_records)
		lanes /= 2;
	queue->lanes = lanes;
	queue->lane_mask = lanes - 1;
	queue->lane_bytes = power_of_two(options->bytes / lanes + (options->bytes % lanes != 0), OTLOG__MIN_LANE_BYTES,
	                                 OTLOG__MAX_LANE_BYTES);
	queue->lane_records = options->max_records ? options->max_records / lanes : OTLOG__NEVER;
	if (queue->lane_records > queue->lane_bytes / sizeof(otlog__frame))
		queue->lane_records = OTLOG__NEVER; /* the bytes are the bound */
	set_trailer(queue, options->checksums && options->directory ? OTLOG__TRAILER_BYTES : 0);
	queue->pipeline_count = options->pipeline_count;
}

static bool
make_parts(otlog__queue *queue)
{
	queue->alarms = make_zeroed(queue->lanes, sizeof *queue->alarms);
	queue->pipelines = make_zeroed(queue->pipeline_count, sizeof *queue->pipelines);
	queue->readers = make_zeroed((size_t)queue->pipeline_count * queue->lanes, sizeof *queue->readers);
	if (!queue->alarms || !queue->pipelines || !queue->readers)
		return false;
	for (uint32_t lane = 0; lane < queue->lanes; lane++) {
		atomic_init(&queue->alarms[lane].seq, OTLOG__NEVER);
		atomic_init(&queue->alarms[lane].position, OTLOG__NEVER);
	}
	for (uint32_t p = 0; p < queue->pipeline_count; p++) {
		otlog__pipeline *pipeline = &queue->pipelines[p];
		pthread_mutex_init(&pipeline->mutex, NULL); /* without attributes it cannot fail */
		pipeline->readers = queue->readers + (size_t)p * queue->lanes;
		pipeline->told_bytes = OTLOG__NEVER;
		atomic_init(&pipeline->wanted, OTLOG__NEVER);
	}
	return true;
}

/* NAME.meta with all that is known so far. Its descriptor, or -1 with errno set. */
static int
write_meta(const otlog__queue *queue, const otlog__queue_options *options)
{
	int meta = otlog__meta_create(&queue->mapping, queue->salt);
	if (meta < 0)
		return -1;
	bool done =
	    otlog__meta_append(meta, OTLOG__META_RESOURCE, 0, options->resource, options->resource_size, NULL, 0);
	for (uint32_t p = 0; p < options->pipeline_count && done; p++) {
		const char *name = options->pipelines && options->pipelines[p] ? options->pipelines[p] : "";
		done = otlog__meta_append(meta, OTLOG__META_PIPELINE, (uint16_t)p, name, strlen(name), NULL, 0);
	}
	if (done)
		return meta;
	int error = errno;
	close(meta);
	errno = error;
	return -1;
}

static void
say_in_memory(const char *directory, const otlog__directory_trouble *trouble)
{
	otlog__diagnose_always(
	    OTLOG__WARN,
	    "queue directory %s: %s%s%s%s; the queue stays in memory, and records in it do not survive "
	    "the process. To change that, %s",
	    directory, trouble->cause, trouble->error ? " (" : "", trouble->error ? strerror(trouble->error) : "",
	    trouble->error ? ")" : "", trouble->remedy);
}

static bool
open_file(otlog__queue *queue, const otlog__queue_options *options, bool detects_fork, int *meta)
{
	otlog__directory_trouble trouble = { .cause = "this kernel cannot keep a forked child out of it",
		                             .remedy = "use Linux 4.14 or later" };
	if (detects_fork && otlog__mapping_create_file(&queue->mapping, options->directory, options->service_name,
	                                               queue->lanes, queue->lane_bytes, &trouble)) {
		otlog__mapping_write_header(&queue->mapping, queue->lanes, queue->lane_bytes, queue->pipeline_count,
		                            queue->salt, queue->trailer ? OTLOG__QUEUE_PAYLOAD_CRC : 0);
		*meta = write_meta(queue, options);
		if (*meta >= 0 && otlog__mapping_publish(&queue->mapping))
			return true;
		trouble = (otlog__directory_trouble){ .cause = "the file beside the queue's cannot be written",
			                              .remedy = "free disk space or raise the limit of file sizes",
			                              .error = errno };
		if (*meta >= 0)
			close(*meta);
		*meta = -1;
		otlog__mapping_remove_files(&queue->mapping);
		otlog__mapping_free(&queue->mapping, false);
	}
	say_in_memory(options->directory, &trouble);
	return false;
}

static bool
map(otlog__queue *queue, const otlog__queue_options *options)
{
	bool detects_fork = false;
	int meta = -1;
	queue->gate = make_gate(&detects_fork);
	if (!queue->gate)
		return false;
	queue->salt = otlog__random_u64();
	queue->in_file = options->directory && open_file(queue, options, detects_fork, &meta);
	if (!queue->in_file) {
		set_trailer(queue, 0);
		if (!otlog__mapping_create_memory(&queue->mapping, queue->lanes, queue->lane_bytes, detects_fork))
			return false;
		otlog__mapping_write_header(&queue->mapping, queue->lanes, queue->lane_bytes, queue->pipeline_count,
		                            queue->salt, 0);
	}
	queue->control = queue->mapping.base + OTLOG__CONTROL_PAGE;
	queue->data = queue->mapping.base + queue->mapping.control_size;
	queue->scopes = otlog__scopes_create(meta);
	return queue->scopes != NULL;
}

/* Frees a queue, half-built or closed. */
static void
destroy(otlog__queue *queue, bool in_child)
{
	otlog__scopes_free(queue->scopes);
	otlog__mapping_free(&queue->mapping, in_child);
	for (uint32_t p = 0; queue->pipelines && p < queue->pipeline_count && !in_child; p++)
		pthread_mutex_destroy(&queue->pipelines[p].mutex);
	if (queue->gate)
		munmap((void *)queue->gate, page_bytes());
	free(queue->readers);
	free(queue->pipelines);
	free(queue->alarms);
	free(queue);
}

otlog__queue *
otlog__queue_open(const otlog__queue_options *options)
{
	if (!options || options->pipeline_count == 0 || options->pipeline_count > OTLOG_MAX_PIPELINES)
		return NULL;
	otlog__queue *queue = make_zeroed(1, sizeof *queue);
	if (!queue)
		return NULL;
	queue->mapping = (otlog__mapping)OTLOG__NO_MAPPING;
	choose_sizes(queue, options);
	if (make_parts(queue) && map(queue, options))
		return queue;
	if (queue->in_file)
		otlog__mapping_remove_files(&queue->mapping);
	destroy(queue, false);
	return NULL;
}

/* Whether no emitter is inside, nor can come in. */
static bool
is_empty_of_emitters(const otlog__queue *queue)
{
	for (uint32_t lane = 0; lane < queue->lanes; lane++)
		/* Acquire: what the last holder wrote. */
		if (atomic_load_explicit(&otlog__lane(queue, lane)->producer.owner, memory_order_acquire) !=
		    OTLOG__LANE_CLOSED)
			return false;
	return true;
}

bool
otlog__queue_seal(otlog__queue *queue, uint64_t deadline_nano)
{
	uint32_t open = OTLOG__GATE_OPEN;
	/* Relaxed: emits are kept out by the lanes, which are taken next, and in order. */
	atomic_compare_exchange_strong_explicit(queue->gate, &open, OTLOG__GATE_SEALED, memory_order_relaxed,
	                                        memory_order_relaxed);
	if (open == OTLOG__GATE_CHILD || is_empty_of_emitters(queue))
		return true;
	uint64_t now = otlog__monotonic_nano();
	if (deadline_nano < now + SEAL_NANO)
		deadline_nano = now + SEAL_NANO;
	if (deadline_nano > now + OTLOG__EMIT_NANO)
		deadline_nano = now + OTLOG__EMIT_NANO;
	for (uint32_t lane = 0; lane < queue->lanes; lane++)
		otlog__lane_take(queue, lane, OTLOG__LANE_CLOSED, deadline_nano);
	otlog__rouse(&queue->room);
	if (is_empty_of_emitters(queue))
		return true;
	otlog__diagnose(OTLOG__WARN,
	                "an emit was begun and never ended: its thread was stopped inside; the memory of the "
	                "queue is not given back. Do not cancel or kill threads that log");
	return false;
}

/* Frames of the lane that this pipeline has not counted as delivered, spooled, dropped or filtered yet. */
static uint64_t
queued_in(const otlog__queue *queue, uint32_t pipeline, uint32_t lane)
{
	const otlog__lane_page *page = otlog__lane(queue, lane);
	const otlog__lane_cursor *kept = &page->pipeline[pipeline];
	/* Relaxed: the mutex and the closed lane order them. */
	uint64_t done = atomic_load_explicit(&kept->delivered, memory_order_relaxed) +
	                atomic_load_explicit(&kept->filtered, memory_order_relaxed) +
	                atomic_load_explicit(&kept->spooled, memory_order_relaxed);
	for (uint32_t reason = 0; reason < OTLOG__LAYOUT_REASONS; reason++)
		done += atomic_load_explicit(&kept->dropped[reason], memory_order_relaxed);
	uint64_t accepted = atomic_load_explicit(&page->producer.accepted, memory_order_relaxed);
	return accepted > done ? accepted - done : 0;
}

/* Passes over the frames that are not for this pipeline: all of them, or those up to the first that is. */
static void
pass_over_rest(otlog__queue *queue, uint32_t pipeline, uint32_t lane, bool all)
{
	otlog__lane_reader *reader = &queue->pipelines[pipeline].readers[lane];
	/* Relaxed: the mutex and the closed lane order them. */
	uint64_t position = atomic_load_explicit(&reader->read, memory_order_relaxed);
	uint64_t seq = atomic_load_explicit(&reader->read_seq, memory_order_relaxed);
	uint64_t tail = atomic_load_explicit(&otlog__lane(queue, lane)->producer.tail, memory_order_acquire);
	otlog__frame frame;
	otlog__next next;
	while ((next = otlog__next_frame(queue, lane, &position, tail, seq, &frame)) == OTLOG__NEXT_FRAME) {
		bool ours = frame.pipelines >> pipeline & 1;
		if (ours && !all)
			break;
		reader->passed_over += !ours;
		position += otlog__frame_bytes(frame.size);
		seq++;
		atomic_store_explicit(&reader->read, position, memory_order_relaxed);
		atomic_store_explicit(&reader->read_seq, seq, memory_order_relaxed);
	}
	if (next == OTLOG__NEXT_DAMAGED)
		otlog__skip_damage(queue, pipeline, lane);
}

/* Ends the pipeline's books in the lane. Returns how many records stay for another process to send. */
static uint64_t
close_lane(otlog__queue *queue, uint32_t pipeline, uint32_t lane)
{
	otlog__lane_reader *reader = &queue->pipelines[pipeline].readers[lane];
	otlog__lane_cursor *kept = &otlog__lane(queue, lane)->pipeline[pipeline];
	bool in_flight = reader->finished < reader->handed;
	if (queue->pipelines[pipeline].dead_lanes >> lane & 1 || (queue->in_file && in_flight))
		return queued_in(queue, pipeline, lane);
	pass_over_rest(queue, pipeline, lane, !queue->in_file);
	otlog__bump(&kept->filtered, reader->passed_over);
	reader->passed_over = 0;
	if (!queue->in_file) {
		otlog__bump(&kept->filtered, reader->filtered_in_flight);
		otlog__bump(&kept->dropped[OTLOG_DROP_AFTER_SHUTDOWN], queued_in(queue, pipeline, lane));
		reader->filtered_in_flight = 0;
		reader->finished = reader->handed;
	}
	otlog__set_cursor(queue, pipeline, lane, atomic_load_explicit(&reader->read, memory_order_relaxed),
	                  atomic_load_explicit(&reader->read_seq, memory_order_relaxed));
	return queued_in(queue, pipeline, lane);
}

static uint64_t
close_pipelines(otlog__queue *queue)
{
	uint64_t left = 0;
	for (uint32_t p = 0; p < queue->pipeline_count; p++) {
		pthread_mutex_lock(&queue->pipelines[p].mutex);
		for (uint32_t lane = 0; lane < queue->lanes && !queue->pipelines[p].closed; lane++)
			left += close_lane(queue, p, lane);
		queue->pipelines[p].closed = true;
		pthread_mutex_unlock(&queue->pipelines[p].mutex);
	}
	for (uint32_t lane = 0; lane < queue->lanes; lane++)
		otlog__release_lane(queue, lane);
	return left;
}

/* Brings everything to the disk, and writes the seal if nobody can write to the lanes any more. */
static bool
sync_and_seal(otlog__queue *queue)
{
	if (!otlog__scopes_sync(queue->scopes) || !otlog__mapping_sync(&queue->mapping))
		return false;
	if (!is_empty_of_emitters(queue))
		return true;
	otlog__mapping_write_seal(&queue->mapping);
	return otlog__mapping_sync(&queue->mapping);
}

/* Keeps the file for another process if records are left in it or in a spool. False: a loss of power may take them. */
static bool
close_file(otlog__queue *queue, bool is_empty)
{
	bool synced = true;
	if (is_empty && !otlog__mapping_has_spool(&queue->mapping))
		otlog__mapping_remove_files(&queue->mapping);
	else
		synced = sync_and_seal(queue);
	if (!synced)
		otlog__diagnose_always(OTLOG__ERROR,
		                       "the queue's file cannot be brought to the disk (%s): its records survive "
		                       "this process, but not a loss of power; look after the disk",
		                       strerror(errno));
	otlog__scopes_close_file(queue->scopes);
	otlog__mapping_close_files(&queue->mapping);
	return synced;
}

bool
otlog__queue_sync(otlog__queue *queue)
{
	if (otlog__gate(queue) == OTLOG__GATE_CHILD || !queue->in_file || queue->closed)
		return true;
	if (!otlog__scopes_sync(queue->scopes))
		return false;
	/* The files' names have to be brought to the disk once, their bytes every time. */
	return queue->name_synced ? otlog__mapping_sync_bytes(&queue->mapping)
	                          : (queue->name_synced = otlog__mapping_sync(&queue->mapping));
}

bool
otlog__queue_close(otlog__queue *queue)
{
	if (otlog__gate(queue) == OTLOG__GATE_CHILD)
		return true;
	if (queue->closed)
		return !queue->unsynced && is_empty_of_emitters(queue);
	queue->closed = true;
	otlog__queue_seal(queue, 0);
	uint64_t left = close_pipelines(queue);
	otlog__report_troubles(queue);
	queue->unsynced = queue->in_file && !close_file(queue, left == 0 && !queue->keep_file);
	bool empty = is_empty_of_emitters(queue);
	if (empty)
		otlog__mapping_drop_data(&queue->mapping);
	otlog__tell_progress(queue);
	otlog__rouse(&queue->keeper.wake);
	for (uint32_t p = 0; p < queue->pipeline_count; p++)
		otlog__rouse(&queue->pipelines[p].wake);
	return empty && !queue->unsynced;
}

void
otlog__queue_free(otlog__queue *queue)
{
	if (!queue)
		return;
	bool in_child = otlog__gate(queue) == OTLOG__GATE_CHILD;
	otlog__queue_close(queue);
	destroy(queue, in_child);
}

bool
otlog__queue_in_child(const otlog__queue *queue)
{
	return otlog__gate(queue) == OTLOG__GATE_CHILD;
}

void
otlog__queue_mark_child(otlog__queue *queue)
{
	/* Relaxed: the child has no other thread yet. */
	atomic_store_explicit(queue->gate, OTLOG__GATE_CHILD, memory_order_relaxed);
}

bool
otlog__queue_in_file(const otlog__queue *queue)
{
	return queue->in_file;
}

int
otlog__queue_directory(const otlog__queue *queue)
{
	return queue->mapping.directory;
}

const char *
otlog__queue_name(const otlog__queue *queue)
{
	return queue->mapping.name;
}

void
otlog__queue_keep_file(otlog__queue *queue)
{
	queue->keep_file = true;
}

size_t
otlog__queue_max_record(const otlog__queue *queue)
{
	return queue->max_record;
}

uint16_t
otlog__queue_add_scope(otlog__queue *queue, const void *head, size_t head_size, const void *tail, size_t tail_size)
{
	if (otlog__gate(queue) == OTLOG__GATE_CHILD)
		return 0; /* the file is the parent's, and its mutex may be held for ever */
	return otlog__scopes_add(queue->scopes, head, head_size, tail, tail_size);
}

const otlog__scopes *
otlog__queue_scopes(const otlog__queue *queue)
{
	return queue->scopes;
}

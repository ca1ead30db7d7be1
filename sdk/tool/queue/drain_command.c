#include "sdk/tool/queue/queue_command.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 100
#define LINE_MS 5000             /* from one plain line of progress to the next */
#define PATIENCE_MS 30000        /* may pass without another record, where no time is given */
#define LOOK_MS 1000             /* from one look into the directory to the next: it reads every record */
#define SETTLE_MS 3000           /* nothing is left to take over for so long: it is over, whatever was expected */
#define SHUTDOWN_MS 1000         /* for what is on its way */
#define QUEUE_BYTES (512u << 10) /* of the drain's own, which stays empty: the least there is */

static const char usage[] = "usage: otlog drain [--timeout SECONDS] DIR\n";

static const char about[] =
    "Delivers what dead processes have left in a queue directory (OTLOG_QUEUE_DIR), to where the settings of the\n"
    "environment say, and ends when nothing waits any more. Processes that run there keep theirs: nothing is sent\n"
    "twice for want of a lock.\n";

static const char footnotes[] =
    "Progress goes to standard error, the result to standard output. An interrupt (Ctrl-C) ends it in good order: "
    "what\n"
    "is not delivered stays in the directory.\n"
    "\n"
    "Exit status: 0 everything that waited was delivered; 1 it was not, and why; 2 the command line is wrong; 3 the\n"
    "environment describes no destination.\n";

static otlog__tool_notes notes = { .lock = PTHREAD_MUTEX_INITIALIZER };

typedef struct drain {
	const char *directory;
	uint64_t timeout_ms; /* 0: PATIENCE_MS without a record */
	otlog_provider *provider;
	sigset_t signals;
	uint64_t expected; /* deliveries: a record counts once for each destination */
	double begin_ms;
	double moved_ms; /* when a record was last delivered */
	double line_ms;
	double look_ms;
	double settled_ms; /* since when nothing waits in the directory; 0: something does */
	bool interrupted;
	bool on_terminal;
} drain;

/* What became of the records of each destination. */
typedef struct books {
	size_t count;
	otlog_pipeline_statistics pipelines[OTLOG_MAX_PIPELINES];
} books;

typedef struct sums {
	uint64_t delivered;
	uint64_t dropped;
	uint64_t queued;
} sums;

static void
take_books(otlog_provider *provider, books *books)
{
	for (books->count = 0; books->count < OTLOG_MAX_PIPELINES; books->count++)
		if (!otlog_provider_statistics_pipeline(provider, books->count, &books->pipelines[books->count]))
			break;
}

static sums
sum_up(const books *books)
{
	sums sums = { 0 };
	for (size_t i = 0; i < books->count; i++) {
		const otlog_pipeline_statistics *pipeline = &books->pipelines[i];
		sums.delivered += pipeline->delivered;
		sums.queued += pipeline->queued;
		for (size_t reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++)
			sums.dropped += pipeline->dropped[reason];
	}
	return sums;
}

/* ---- Progress ---------------------------------------------------------------------------------------------------- */

static uint64_t
total_of(const drain *self, const sums *sums)
{
	uint64_t seen = sums->delivered + sums->dropped + sums->queued;
	return seen > self->expected ? seen : self->expected;
}

static void
write_bar(const drain *self, const sums *sums, double elapsed_ms)
{
	enum { WIDTH = 30 };
	uint64_t done = sums->delivered + sums->dropped;
	uint64_t total = total_of(self, sums);
	int filled = total ? (int)((double)done / (double)total * WIDTH) : WIDTH;
	fprintf(stderr, "\r[%.*s%.*s] records: %" PRIu64 " of %" PRIu64 ", %.0f/s\033[K", filled,
	        "##############################", WIDTH - filled, "..............................", done, total,
	        elapsed_ms > 0 ? (double)done * 1000 / elapsed_ms : 0.0);
}

static void
show_progress(drain *self, const sums *sums, double now_ms)
{
	if (self->on_terminal) {
		write_bar(self, sums, now_ms - self->begin_ms);
		return;
	}
	if (now_ms - self->line_ms < LINE_MS)
		return;
	self->line_ms = now_ms;
	fprintf(stderr, "otlog drain: records: %" PRIu64 " of %" PRIu64 "\n", sums->delivered + sums->dropped,
	        total_of(self, sums));
}

/* ---- Waiting ----------------------------------------------------------------------------------------------------- */

/*
 * Whether a pipeline of a file is our k-th one, by the library's rule: they have the same name. A file whose names are gone
 * is taken for one of our pipelines, in their order, if it has as many.
 */
static bool
is_ours(const otlog_queue_file *file, size_t p, const books *books, size_t k)
{
	for (size_t i = 0; i < file->pipeline_count; i++)
		if (*file->pipelines[i])
			return strcmp(file->pipelines[p], books->pipelines[k].name) == 0;
	return p == k && file->pipeline_count == books->count;
}

static uint64_t
count_for(const otlog__tool_queues *queues, const books *books, size_t k)
{
	uint64_t waiting = 0;
	for (size_t i = 0; i < queues->count; i++) {
		const otlog_queue_file *file = &queues->items[i];
		for (size_t p = 0; file->state == OTLOG_QUEUE_FILE_WAITING && p < file->pipeline_count; p++)
			waiting += is_ours(file, p, books, k) ? file->waiting[p] : 0;
	}
	return waiting;
}

static uint64_t
count_ours(const otlog__tool_queues *queues, const books *books)
{
	uint64_t waiting = 0;
	for (size_t k = 0; k < books->count; k++)
		waiting += count_for(queues, books, k);
	return waiting;
}

/*
 * Whether for some time no file has been left to be taken over. There may have been fewer records than were counted, or
 * another process was quicker. For some time: a file that is just being taken over is neither in the directory's count nor
 * in the statistics.
 */
static bool
nothing_waits_for_us(drain *self, const books *books)
{
	otlog__tool_queues queues;
	double now_ms = otlog__tool_now_ms();
	if (now_ms - self->look_ms < LOOK_MS)
		return false;
	bool nothing = otlog__tool_queues_read("drain", self->directory, &queues) && count_ours(&queues, books) == 0;
	otlog__tool_queues_free(&queues);
	self->look_ms = otlog__tool_now_ms();
	if (!nothing)
		self->settled_ms = 0;
	else if (self->settled_ms == 0)
		self->settled_ms = now_ms;
	return nothing && now_ms - self->settled_ms >= SETTLE_MS;
}

static bool
is_over(const drain *self, double now_ms)
{
	if (self->timeout_ms)
		return now_ms - self->begin_ms >= (double)self->timeout_ms;
	return now_ms - self->moved_ms >= PATIENCE_MS;
}

static void
wait_until_drained(drain *self)
{
	const struct timespec tick = { .tv_nsec = TICK_MS * 1000000L };
	books books;
	uint64_t moved = 0;
	for (;;) {
		double now_ms = otlog__tool_now_ms();
		take_books(self->provider, &books);
		sums sums = sum_up(&books);
		if (sums.delivered + sums.dropped != moved)
			self->moved_ms = now_ms;
		moved = sums.delivered + sums.dropped;
		show_progress(self, &sums, now_ms);
		if (sums.queued)
			self->settled_ms = 0;
		else if (sums.delivered >= self->expected || nothing_waits_for_us(self, &books))
			break;
		if (is_over(self, now_ms))
			break;
		self->interrupted = sigtimedwait(&self->signals, NULL, &tick) > 0;
		if (self->interrupted)
			break;
	}
	if (self->on_terminal)
		fputs("\r\033[K", stderr);
}

/* ---- The result -------------------------------------------------------------------------------------------------- */

/* What waits for destinations that this environment does not describe. */
static void
tell_of_strangers(const otlog__tool_queues *queues, const books *books)
{
	for (size_t i = 0; i < queues->count; i++) {
		const otlog_queue_file *file = &queues->items[i];
		for (size_t p = 0; file->state == OTLOG_QUEUE_FILE_WAITING && p < file->pipeline_count; p++) {
			bool ours = false;
			for (size_t k = 0; k < books->count; k++)
				ours |= is_ours(file, p, books, k);
			if (!ours && file->waiting[p])
				printf("%s: records that wait for %s, which the environment does not set up: %" PRIu64
				       ". Give its settings, too\n",
				       file->name, *file->pipelines[p] ? file->pipelines[p] : "?", file->waiting[p]);
		}
		if (file->state > OTLOG_QUEUE_FILE_WAITING)
			printf("%s: left alone, because it is %s. otlog queue check %s\n", file->name,
			       otlog_queue_file_state_text(file->state), file->problem);
	}
}

static void
tell_of_pipeline(const otlog_pipeline_statistics *pipeline, uint64_t left)
{
	if (left)
		printf("%s: records left: %" PRIu64 "%s%s. otlog doctor shows where it gets stuck\n", pipeline->name,
		       left, *pipeline->last_error ? "; the last error is " : "", pipeline->last_error);
	for (int reason = 0; reason < OTLOG_DROP_REASON_COUNT; reason++)
		if (pipeline->dropped[reason])
			printf("%s: records dropped as %s: %" PRIu64 "\n", pipeline->name,
			       otlog_drop_reason_text((otlog_drop_reason)reason), pipeline->dropped[reason]);
}

/* Takes out the notes on files of which tell_of_strangers tells. */
static void
forget_strangers(void)
{
	static const char *const words[] = { " kept for a pipeline ", ".queue cannot be made out ",
		                             ".queue is of another version " };
	char *message;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		while ((message = otlog__tool_notes_cut(&notes, words[i])))
			free(message);
}

/* After the shutdown the directory tells what is left. */
static int
tell_result(const drain *self, const books *books)
{
	otlog__tool_queues queues;
	const sums sums = sum_up(books);
	bool read = otlog__tool_queues_read("drain", self->directory, &queues);
	if (read)
		forget_strangers();
	otlog__tool_notes_write(&notes, OTLOG_DIAGNOSTIC_WARN, stderr);
	for (size_t i = 0; read && i < books->count; i++)
		tell_of_pipeline(&books->pipelines[i], count_for(&queues, books, i));
	if (read)
		tell_of_strangers(&queues, books);
	uint64_t left = otlog__tool_queues_waiting(&queues, NULL);
	printf("%s: records delivered: %" PRIu64 ", dropped: %" PRIu64 ", left: %" PRIu64 "%s\n", self->directory,
	       sums.delivered, sums.dropped, left, self->interrupted ? " (interrupted)" : "");
	otlog__tool_queues_free(&queues);
	return read && left == 0 && sums.dropped == 0 ? OTLOG__TOOL_DONE : OTLOG__TOOL_FAILED;
}

/* ---- The command ------------------------------------------------------------------------------------------------- */

static otlog_provider *
start_provider(const drain *self)
{
	return otlog_provider_create(&(otlog_options){ .queue_directory = self->directory,
	                                               .queue_bytes = QUEUE_BYTES,
	                                               .flush_at_exit = OTLOG_SWITCH_OFF,
	                                               .crash_handler = OTLOG_SWITCH_OFF,
	                                               .diagnostic = otlog__tool_notes_take,
	                                               .diagnostic_user = &notes,
	                                               .diagnostic_level = OTLOG_DIAGNOSTIC_INFO });
}

/* Blocked before there are threads, the signals wait for this one. */
static void
hold_signals(drain *self)
{
	sigemptyset(&self->signals);
	sigaddset(&self->signals, SIGINT);
	sigaddset(&self->signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &self->signals, NULL);
}

static int
drain_directory(drain *self)
{
	otlog__tool_queues before;
	books books;
	int status = OTLOG__TOOL_FAILED;
	if (!otlog__tool_queues_read("drain", self->directory, &before))
		goto done;
	hold_signals(self);
	self->provider = start_provider(self);
	if (!self->provider) {
		otlog__tool_notes_write(&notes, OTLOG_DIAGNOSTIC_INFO, stderr);
		status = OTLOG__TOOL_NOTHING;
		goto done;
	}
	take_books(self->provider, &books);
	self->expected = count_ours(&before, &books);
	/* The first look comes later: a file cannot be taken over while it is looked into. */
	self->begin_ms = self->moved_ms = self->line_ms = self->look_ms = otlog__tool_now_ms();
	self->on_terminal = isatty(STDERR_FILENO);
	if (!self->on_terminal)
		fprintf(stderr,
		        "otlog drain: records that wait in %s for the destinations of the environment: %" PRIu64 "\n",
		        self->directory, self->expected);
	wait_until_drained(self);
	otlog_provider_shutdown(self->provider, SHUTDOWN_MS);
	take_books(self->provider, &books);
	status = tell_result(self, &books);
	otlog_provider_destroy(self->provider);
done:
	otlog__tool_queues_free(&before);
	return status;
}

static const otlog__tool_option options[] = {
	{ "timeout", "SECONDS", otlog__tool_read_seconds, offsetof(drain, timeout_ms),
	  "gives up after so long; without it, when no record has been taken for 30 s" },
	{ 0 },
};

static int
run(const otlog__tool_command *command, int argc, char **argv)
{
	drain self = { 0 };
	int operand;
	int status = otlog__tool_read_options(command, argc, argv, &self, &operand);
	if (status != OTLOG__TOOL_GO_ON)
		return status;
	if (operand + 1 != argc)
		return otlog__tool_misuse(command, "give one directory");
	self.directory = argv[operand];
	return drain_directory(&self);
}

const otlog__tool_command otlog__tool_drain = {
	.name = "drain",
	.summary = "deliver what dead processes have left in a directory",
	.usage = usage,
	.about = about,
	.options = options,
	.footnotes = footnotes,
	.run = run,
};

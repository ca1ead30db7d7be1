#include "sdk/queue/mapping.h"

#include "sdk/base/clock.h"
#include "sdk/base/random.h"
#include "sdk/queue/crc32c.h"
#include "sdk/queue/file_header.h"
#include "sdk/queue/file_names.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define SERVICE_NAME_MAX 64
#define MODE_OWNER_ONLY 0600

bool
otlog__file_may_grow_to(uint64_t bytes)
{
	struct rlimit limit;
	return getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || bytes <= limit.rlim_cur;
}

/* Letters, digits and a few signs; everything else, a leading dot included, becomes an underscore. */
static void
safe_name(char out[SERVICE_NAME_MAX + 1], const char *service_name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
	size_t size = 0;
	for (const char *s = service_name ? service_name : ""; *s && size < SERVICE_NAME_MAX; s++)
		out[size++] = (char)(strchr(allowed, *s) ? *s : '_');
	out[size] = '\0';
	if (size == 0)
		strcpy(out, "unknown_service");
	if (out[0] == '.' || out[0] == '-')
		out[0] = '_';
}

/* Takes the page faults now. Returns 0 or an errno. */
static int
populate(uint8_t *base, size_t size)
{
	for (int attempt = 0; attempt < 8; attempt++) {
		if (madvise(base, size, MADV_POPULATE_WRITE) == 0)
			return 0;
		if (errno != EAGAIN && errno != EINTR)
			break;
	}
	if (errno != EINVAL)
		return errno;
	/* A kernel before 5.14. The pages are fresh, so zero is what they hold. */
	for (size_t at = 0; at < size; at += 4096)
		*(volatile uint8_t *)(base + at) = 0;
	return 0;
}

static bool
trouble_is(otlog__directory_trouble *trouble, int error, const char *cause, const char *remedy)
{
	*trouble = (otlog__directory_trouble){ .cause = cause, .remedy = remedy, .error = error };
	return false;
}

static void
close_file(otlog__mapping *mapping)
{
	if (mapping->file >= 0)
		close(mapping->file);
	mapping->file = -1;
	if (mapping->name[0])
		otlog__names_give_up(mapping->name);
	mapping->name[0] = '\0';
}

/* The suffix comes with its dot. */
static void
file_name(char out[OTLOG__QUEUE_NAME_MAX + 8], const otlog__mapping *mapping, const char *suffix)
{
	snprintf(out, OTLOG__QUEUE_NAME_MAX + 8, "%s%s", mapping->name, suffix);
}

/* Returns 1: done; 0: *trouble says why not; -1: a process that cleans up held or removed the file: try another name. */
static int
create_locked_once(otlog__mapping *mapping, const char *service, otlog__directory_trouble *trouble)
{
	char file[OTLOG__QUEUE_NAME_MAX + 8];
	snprintf(mapping->name, sizeof mapping->name, "%s-%ld-%016" PRIx64, service, (long)getpid(),
	         otlog__random_u64());
	if (!otlog__names_claim(mapping->name)) {
		mapping->name[0] = '\0';
		return trouble_is(trouble, 0, "this process has too many queues open", "shut some of them down");
	}
	file_name(file, mapping, ".new");
	mapping->file =
	    openat(mapping->directory, file, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, MODE_OWNER_ONLY);
	if (mapping->file < 0)
		return trouble_is(trouble, errno, "no file can be created in it", "make it writable for this user");
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	if (fcntl(mapping->file, F_SETLK, &lock) == 0)
		return otlog__directory_still_has(mapping->directory, file, mapping->file) ? 1 : -1;
	if (errno == EAGAIN || errno == EACCES)
		return -1;
	return trouble_is(trouble, errno, "a file in it cannot be locked", "choose a local file system");
}

static bool
create_locked(otlog__mapping *mapping, const char *service_name, otlog__directory_trouble *trouble)
{
	char service[SERVICE_NAME_MAX + 1];
	safe_name(service, service_name);
	trouble_is(trouble, EAGAIN, "another process holds what is created in it",
	           "keep other programs out of the directory");
	for (int attempt = 0; attempt < 4; attempt++) {
		int created = create_locked_once(mapping, service, trouble);
		if (created >= 0)
			return created;
		otlog__mapping_remove_files(mapping);
		close_file(mapping);
	}
	return false;
}

static bool
allocate(otlog__mapping *mapping, uint64_t size, otlog__directory_trouble *trouble)
{
	if (!otlog__file_may_grow_to(size))
		return trouble_is(trouble, EFBIG, "the process's limit of file sizes is below the queue's size",
		                  "raise it (ulimit -f) or make the queue smaller (OTLOG_QUEUE_BYTES)");
	int error;
	do
		error = posix_fallocate(mapping->file, 0, (off_t)size);
	while (error == EINTR);
	if (error)
		return trouble_is(trouble, error, "there is no room for the queue's file",
		                  "free disk space or make the queue smaller (OTLOG_QUEUE_BYTES)");
	return true;
}

static bool
map_file(otlog__mapping *mapping, uint32_t lanes, uint64_t lane_bytes, otlog__directory_trouble *trouble)
{
	uint64_t control = otlog__layout_data_offset(lanes);
	uint64_t size = control + lanes * lane_bytes;
	if (!allocate(mapping, size, trouble))
		return false;
	void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, mapping->file, 0);
	if (base == MAP_FAILED)
		return trouble_is(trouble, errno, "the queue's file cannot be mapped",
		                  "raise the limit of address space (ulimit -v) or make the queue smaller");
	mapping->base = base;
	mapping->control_size = control;
	mapping->data_size = lanes * lane_bytes;
	/* A forked child that wrote here would tear up the parent's lanes. */
	if (madvise(base, size, MADV_DONTFORK) != 0)
		return trouble_is(trouble, errno, "the queue's file cannot be kept from forked children",
		                  "use a kernel that knows MADV_DONTFORK");
	int error = populate(base, size);
	if (error)
		return trouble_is(trouble, error, "the pages of the queue's file cannot be had",
		                  "free memory or make the queue smaller (OTLOG_QUEUE_BYTES)");
	return true;
}

bool
otlog__mapping_create_file(otlog__mapping *mapping, const char *directory, const char *service_name, uint32_t lanes,
                           uint64_t lane_bytes, otlog__directory_trouble *trouble)
{
	mapping->directory = otlog__directory_open(directory, true, trouble);
	if (mapping->directory >= 0 && create_locked(mapping, service_name, trouble) &&
	    map_file(mapping, lanes, lane_bytes, trouble))
		return true;
	if (mapping->file >= 0)
		otlog__mapping_remove_files(mapping);
	otlog__mapping_free(mapping, false);
	return false;
}

bool
otlog__mapping_create_memory(otlog__mapping *mapping, uint32_t lanes, uint64_t lane_bytes, bool fork_detected)
{
	uint64_t control = otlog__layout_data_offset(lanes);
	uint64_t size = control + lanes * lane_bytes;
	void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED)
		return false;
	mapping->base = base;
	mapping->control_size = control;
	mapping->data_size = lanes * lane_bytes;
	if (fork_detected)
		madvise(base, size, MADV_DONTFORK); /* if it fails a child has a copy that it does not use */
	if (populate(base, size) == 0)
		return true;
	otlog__mapping_free(mapping, false);
	return false;
}

void
otlog__mapping_write_header(otlog__mapping *mapping, uint32_t lanes, uint64_t lane_bytes, uint32_t pipelines,
                            uint64_t salt, uint32_t flags)
{
	otlog__queue_header header = { .magic = OTLOG__QUEUE_MAGIC,
		                       .byte_order = OTLOG__BYTE_ORDER,
		                       .version = OTLOG__QUEUE_VERSION,
		                       .word_bytes = sizeof(void *),
		                       .flags = flags,
		                       .lanes = lanes,
		                       .pipelines = pipelines,
		                       .lane_bytes = lane_bytes,
		                       .data_offset = mapping->control_size,
		                       .salt = salt,
		                       .created_unix_nano = otlog__unix_nano(),
		                       .pid = (uint64_t)getpid() };
	otlog__boot_id(header.boot_id);
	header.crc = otlog__crc32c(0, &header, offsetof(otlog__queue_header, crc));
	memcpy(mapping->base, &header, sizeof header);
	memcpy(mapping->base + OTLOG__QUEUE_COPY_OFFSET, &header, sizeof header);
}

bool
otlog__mapping_publish(otlog__mapping *mapping)
{
	char from[OTLOG__QUEUE_NAME_MAX + 8], to[OTLOG__QUEUE_NAME_MAX + 8];
	file_name(from, mapping, ".new");
	file_name(to, mapping, ".queue");
	return renameat(mapping->directory, from, mapping->directory, to) == 0;
}

/* What the seal covers of one lane. */
static uint32_t
lane_crc(const otlog__mapping *mapping, const otlog__queue_header *header, uint32_t lane, uint32_t crc)
{
	const uint8_t *control = mapping->base + (size_t)OTLOG__CONTROL_PAGE * (1 + (size_t)lane);
	const uint8_t *data = mapping->base + header->data_offset + lane * header->lane_bytes;
	otlog__sealed_words words = otlog__sealed_words_of(control);
	crc = otlog__crc32c(crc, &words, sizeof words);
	for (uint64_t at = words.start; at != words.tail;) {
		uint64_t offset = at & (header->lane_bytes - 1), size = header->lane_bytes - offset;
		size = size < words.tail - at ? size : words.tail - at;
		crc = otlog__crc32c(crc, data + offset, size);
		at += size;
	}
	return crc;
}

void
otlog__mapping_write_seal(otlog__mapping *mapping)
{
	const otlog__queue_header *header = (const otlog__queue_header *)(const void *)mapping->base;
	otlog__queue_seal_mark seal = { .magic = OTLOG__QUEUE_SEAL_MAGIC };
	for (uint32_t lane = 0; lane < header->lanes; lane++) {
		otlog__sealed_words words =
		    otlog__sealed_words_of(mapping->base + (size_t)OTLOG__CONTROL_PAGE * (1 + (size_t)lane));
		if (words.tail - words.start > header->lane_bytes)
			return; /* another program has changed it: no seal */
		seal.live_crc = lane_crc(mapping, header, lane, seal.live_crc);
	}
	seal.crc = otlog__crc32c(header->crc, &seal, offsetof(otlog__queue_seal_mark, crc));
	memcpy(mapping->base + OTLOG__QUEUE_SEAL_OFFSET, &seal, sizeof seal);
}

bool
otlog__mapping_has_spool(otlog__mapping *mapping)
{
	char folder[OTLOG__QUEUE_NAME_MAX + 8];
	file_name(folder, mapping, ".spool");
	return unlinkat(mapping->directory, folder, AT_REMOVEDIR) != 0 && errno != ENOENT;
}

bool
otlog__mapping_sync_bytes(otlog__mapping *mapping)
{
	return fdatasync(mapping->file) == 0;
}

bool
otlog__mapping_sync(otlog__mapping *mapping)
{
	return otlog__mapping_sync_bytes(mapping) && fsync(mapping->directory) == 0;
}

void
otlog__mapping_remove_files(otlog__mapping *mapping)
{
	/* In this order: a .meta alone is litter, a .queue alone would be records without their resource. */
	static const char *const suffixes[] = { ".new", ".queue", ".meta" };
	char file[OTLOG__QUEUE_NAME_MAX + 8];
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		file_name(file, mapping, suffixes[i]);
		unlinkat(mapping->directory, file, 0);
	}
}

void
otlog__mapping_drop_data(otlog__mapping *mapping)
{
	if (mapping->data_size)
		munmap(mapping->base + mapping->control_size, mapping->data_size);
	mapping->data_size = 0;
}

void
otlog__mapping_close_files(otlog__mapping *mapping)
{
	close_file(mapping);
	if (mapping->directory >= 0)
		close(mapping->directory);
	mapping->directory = -1;
}

void
otlog__mapping_free(otlog__mapping *mapping, bool in_child)
{
	otlog__mapping_close_files(mapping);
	if (mapping->base && !in_child)
		munmap(mapping->base, mapping->control_size + mapping->data_size);
	mapping->base = NULL;
	mapping->control_size = mapping->data_size = 0;
}

#include "sdk/queue/mapping.h"

#include "sdk/base/clock.h"
#include "sdk/base/random.h"
#include "sdk/queue/crc32c.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
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

/* Only where fallocate keeps its promise that a mapped write will find room: anything else could raise SIGBUS. */
static bool
file_system_is_trusted(int directory)
{
	struct statfs info;
	if (fstatfs(directory, &info) != 0)
		return false;
	switch ((unsigned long)info.f_type) {
	case EXT4_SUPER_MAGIC:
	case XFS_SUPER_MAGIC:
	case BTRFS_SUPER_MAGIC:
	case TMPFS_MAGIC:
		return true;
	default:
		return false;
	}
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
trouble_is(otlog__mapping_trouble *trouble, int error, const char *cause, const char *remedy)
{
	*trouble = (otlog__mapping_trouble){ .cause = cause, .remedy = remedy, .error = error };
	return false;
}

static bool
open_directory(otlog__mapping *mapping, const char *directory, otlog__mapping_trouble *trouble)
{
	mapping->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mapping->directory < 0)
		return trouble_is(trouble, errno, "it cannot be opened as a directory",
		                  "create it, readable and writable for this user");
	if (!file_system_is_trusted(mapping->directory))
		return trouble_is(trouble, 0, "its file system may break its promise of room",
		                  "choose a directory on ext4, xfs, btrfs or tmpfs");
	return true;
}

static bool
create_locked(otlog__mapping *mapping, const char *service_name, otlog__mapping_trouble *trouble)
{
	char service[SERVICE_NAME_MAX + 1];
	safe_name(service, service_name);
	snprintf(mapping->name, sizeof mapping->name, "%s-%ld-%016" PRIx64, service, (long)getpid(),
	         otlog__random_u64());
	char file[OTLOG__QUEUE_NAME_MAX + 8];
	snprintf(file, sizeof file, "%s.queue", mapping->name);
	mapping->file =
	    openat(mapping->directory, file, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, MODE_OWNER_ONLY);
	if (mapping->file < 0)
		return trouble_is(trouble, errno, "no file can be created in it", "make it writable for this user");
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	if (fcntl(mapping->file, F_SETLK, &lock) != 0)
		return trouble_is(trouble, errno, "a file in it cannot be locked", "choose a local file system");
	return true;
}

static bool
allocate(otlog__mapping *mapping, uint64_t size, otlog__mapping_trouble *trouble)
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
map_file(otlog__mapping *mapping, uint32_t lanes, uint64_t lane_bytes, otlog__mapping_trouble *trouble)
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
                           uint64_t lane_bytes, otlog__mapping_trouble *trouble)
{
	if (open_directory(mapping, directory, trouble) && create_locked(mapping, service_name, trouble) &&
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
		madvise(base, size, MADV_DONTFORK); /* if it fails the child holds an unused copy, that is all */
	if (populate(base, size) == 0)
		return true;
	otlog__mapping_free(mapping, false);
	return false;
}

static void
read_boot_id(char out[40])
{
	memset(out, 0, 40);
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t size = read(fd, out, 36);
	if (size != 36)
		memset(out, 0, 40);
	close(fd);
}

void
otlog__mapping_write_header(otlog__mapping *mapping, uint32_t lanes, uint64_t lane_bytes, uint32_t pipelines,
                            uint64_t salt)
{
	otlog__queue_header header = { .magic = OTLOG__QUEUE_MAGIC,
		                       .byte_order = OTLOG__BYTE_ORDER,
		                       .version = OTLOG__QUEUE_VERSION,
		                       .word_bytes = sizeof(void *),
		                       .lanes = lanes,
		                       .pipelines = pipelines,
		                       .lane_bytes = lane_bytes,
		                       .data_offset = mapping->control_size,
		                       .salt = salt,
		                       .created_unix_nano = otlog__unix_nano(),
		                       .pid = (uint64_t)getpid() };
	read_boot_id(header.boot_id);
	header.crc = otlog__crc32c(0, &header, offsetof(otlog__queue_header, crc));
	memcpy(mapping->base, &header, sizeof header);
}

bool
otlog__mapping_sync(otlog__mapping *mapping)
{
	return fdatasync(mapping->file) == 0 && fsync(mapping->directory) == 0;
}

void
otlog__mapping_remove_files(otlog__mapping *mapping)
{
	char file[OTLOG__QUEUE_NAME_MAX + 8];
	snprintf(file, sizeof file, "%s.queue", mapping->name);
	unlinkat(mapping->directory, file, 0);
	/* In this order: a .meta alone is litter, a .queue alone would be records without their resource. */
	snprintf(file, sizeof file, "%s.meta", mapping->name);
	unlinkat(mapping->directory, file, 0);
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
	if (mapping->file >= 0)
		close(mapping->file);
	if (mapping->directory >= 0)
		close(mapping->directory);
	mapping->file = mapping->directory = -1;
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

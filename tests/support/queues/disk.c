#include "tests/support/queues/disk.h"

#include "sdk/queue/crc32c.h"
/* What the files look like: a machine that is started anew has another boot id, which is in their headers. */
#include "sdk/queue/layout.h"
#include "sdk/queue/spool/spool_segment.h"
#include "tests/support/harness/check.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096u
#define SECTOR 512u

static disk_file *
add(disk *d, const char *path, const uint8_t *bytes, size_t size)
{
	disk_file *files = realloc(d->files, (d->count + 1) * sizeof *files);
	CHECK(files);
	d->files = files;
	disk_file *file = &files[d->count++];
	*file = (disk_file){ .bytes = calloc(1, size + 1), .size = size };
	CHECK(file->bytes);
	snprintf(file->path, sizeof file->path, "%s", path);
	if (bytes)
		memcpy(file->bytes, bytes, size);
	return file;
}

static const disk_file *
find(const disk *d, const char *path)
{
	for (size_t i = 0; i < d->count; i++)
		if (strcmp(d->files[i].path, path) == 0)
			return &d->files[i];
	return NULL;
}

static bool
ends_in(const char *text, const char *end)
{
	size_t size = strlen(text), end_size = strlen(end);
	return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

/* ---- Another boot ------------------------------------------------------------------------------------------------ */

static void
reboot_queue(disk_file *file)
{
	otlog__queue_header header;
	otlog__queue_seal_mark seal;
	if (file->size < PAGE)
		return;
	memcpy(&header, file->bytes, sizeof header);
	if (memcmp(header.magic, OTLOG__QUEUE_MAGIC, sizeof header.magic) != 0)
		return;
	memset(header.boot_id, 'x', 36);
	header.crc = otlog__crc32c(0, &header, offsetof(otlog__queue_header, crc));
	memcpy(file->bytes, &header, sizeof header);
	memcpy(file->bytes + OTLOG__QUEUE_COPY_OFFSET, &header, sizeof header);
	/* The seal is bound to the header. */
	memcpy(&seal, file->bytes + OTLOG__QUEUE_SEAL_OFFSET, sizeof seal);
	if (memcmp(seal.magic, OTLOG__QUEUE_SEAL_MAGIC, sizeof seal.magic) != 0)
		return;
	seal.crc = otlog__crc32c(header.crc, &seal, offsetof(otlog__queue_seal_mark, crc));
	memcpy(file->bytes + OTLOG__QUEUE_SEAL_OFFSET, &seal, sizeof seal);
}

static void
reboot_segment(disk_file *file)
{
	otlog__spool_header header;
	if (file->size < OTLOG__SPOOL_PAGE)
		return;
	memcpy(&header, file->bytes, sizeof header);
	CHECK(memcmp(header.magic, OTLOG__SPOOL_MAGIC, sizeof header.magic) == 0);
	memset(header.boot_id, 'x', 36);
	header.crc = otlog__crc32c(0, &header, offsetof(otlog__spool_header, crc));
	memcpy(file->bytes, &header, sizeof header);
	memcpy(file->bytes + OTLOG__SPOOL_SECOND_HEADER, &header, sizeof header);
}

/* ---- Files ------------------------------------------------------------------------------------------------------- */

static void
load_file(disk *d, int directory, const char *file, const char *path)
{
	struct stat info;
	int fd = openat(directory, file, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && fstat(fd, &info) == 0);
	disk_file *out = add(d, path, NULL, (size_t)info.st_size);
	CHECK(read(fd, out->bytes, out->size) == info.st_size);
	close(fd);
	if (ends_in(path, ".queue"))
		reboot_queue(out);
	else if (strchr(path, '/'))
		reboot_segment(out);
}

static void
load_spool(disk *d, const char *directory, const char *folder)
{
	char path[512];
	struct dirent *entry;
	snprintf(path, sizeof path, "%s/%s", directory, folder);
	DIR *inside = opendir(path);
	CHECK(inside);
	while ((entry = readdir(inside))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s.spool/%s", DISK_NAME, entry->d_name);
		load_file(d, dirfd(inside), entry->d_name, path);
	}
	closedir(inside);
}

void
disk_load(disk *d, const char *directory, const char *name)
{
	struct dirent *entry;
	char path[512];
	DIR *all = opendir(directory);
	CHECK(all);
	*d = (disk){ 0 };
	while ((entry = readdir(all))) {
		if (strncmp(entry->d_name, name, strlen(name)) != 0)
			continue;
		snprintf(path, sizeof path, "%s%s", DISK_NAME, entry->d_name + strlen(name));
		if (ends_in(path, ".spool"))
			load_spool(d, directory, entry->d_name);
		else
			load_file(d, dirfd(all), entry->d_name, path);
	}
	closedir(all);
}

void
disk_put(const disk *d, const char *directory)
{
	int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(folder >= 0);
	for (size_t i = 0; i < d->count; i++) {
		const disk_file *file = &d->files[i];
		if (strchr(file->path, '/'))
			mkdirat(folder, DISK_NAME ".spool", 0700);
		int fd = openat(folder, file->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		CHECK(fd >= 0 && write(fd, file->bytes, file->size) == (ssize_t)file->size);
		close(fd);
	}
	close(folder);
}

void
disk_free(disk *d)
{
	for (size_t i = 0; i < d->count; i++)
		free(d->files[i].bytes);
	free(d->files);
	*d = (disk){ 0 };
}

/* Whether the file lies in the folder itself: "" is the directory. */
static bool
is_in(const char *path, const char *folder)
{
	return *folder ? strncmp(path, folder, strlen(folder)) == 0 && strchr(path, '/') : !strchr(path, '/');
}

static void
remove_file(disk *d, size_t i)
{
	free(d->files[i].bytes);
	d->files[i] = d->files[--d->count];
}

/* The names in a folder are as they are now. A file of which nothing was synced yet is empty. */
static void
sync_names(disk *d, const disk *now, const char *folder)
{
	for (size_t i = d->count; i-- > 0;)
		if (is_in(d->files[i].path, folder) && !find(now, d->files[i].path))
			remove_file(d, i);
	for (size_t i = 0; i < now->count; i++)
		if (is_in(now->files[i].path, folder) && !find(d, now->files[i].path))
			add(d, now->files[i].path, NULL, 0);
	d->spool_named |= !*folder;
	for (size_t i = 0; i < d->count; i++)
		if (is_in(d->files[i].path, folder))
			d->files[i].named = true;
}

void
disk_sync(disk *synced, const disk *now, const char *path)
{
	const disk_file *file = find(now, path);
	disk_file *old = (disk_file *)(uintptr_t)find(synced, path);
	if (!file) {
		sync_names(synced, now, path);
		return;
	}
	if (!old)
		old = add(synced, path, NULL, 0);
	free(old->bytes);
	old->bytes = malloc(file->size + 1);
	CHECK(old->bytes);
	memcpy(old->bytes, file->bytes, file->size);
	old->size = file->size;
}

/* ---- Losing power ------------------------------------------------------------------------------------------------ */

static uint64_t
next_random(uint64_t *state)
{
	uint64_t x = (*state += UINT64_C(0x9e3779b97f4a7c15));
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

void
disk_cut_bytes(uint8_t *out, size_t size, const uint8_t *after, size_t after_size, uint64_t *random)
{
	for (size_t page = 0; page < size; page += PAGE) {
		uint64_t fate = next_random(random) % 4;
		uint64_t sectors = fate == 2 ? UINT64_MAX : fate == 3 ? next_random(random) : 0;
		for (size_t at = page; at < page + PAGE && at < size && at < after_size; at += SECTOR) {
			size_t end = at + SECTOR < size ? at + SECTOR : size;
			end = end < after_size ? end : after_size;
			if (sectors >> (at - page) / SECTOR & 1)
				memcpy(out + at, after + at, end - at);
		}
	}
}

/* One of the two sizes, or one in between. */
static size_t
cut_size(size_t before, size_t after, uint64_t *random)
{
	size_t least = before < after ? before : after, most = before < after ? after : before;
	switch (next_random(random) % 3) {
	case 0:
		return before;
	case 1:
		return after;
	default:
		return least + (size_t)(next_random(random) % (most - least + 1)) / SECTOR * SECTOR;
	}
}

/* Whether the removal of the file has come to the disk. Names go in the order in which they were removed: first .queue. */
static bool
is_gone(const disk_file *file, bool queue_is_gone, uint64_t *random)
{
	if (ends_in(file->path, ".queue"))
		return queue_is_gone;
	return next_random(random) % 2 && (queue_is_gone || !ends_in(file->path, ".meta"));
}

/* Whether the name is there: for certain, or because it happened to be written. */
static bool
has_name(const disk *d, const disk_file *file, bool spool_has, uint64_t *random)
{
	bool folder = d->spool_named || spool_has || !strchr(file->path, '/');
	return folder && (file->named || next_random(random) % 2);
}

void
disk_cut(disk *out, const disk *before, const disk *after, uint64_t *random)
{
	bool queue_is_gone = next_random(random) % 2, spool_has_name = next_random(random) % 2;
	*out = (disk){ .spool_named = before->spool_named || spool_has_name };
	for (size_t i = 0; i < before->count; i++) {
		const disk_file *old = &before->files[i], *later = find(after, old->path);
		if (!has_name(before, old, spool_has_name, random) || (!later && is_gone(old, queue_is_gone, random)))
			continue;
		size_t size = later ? cut_size(old->size, later->size, random) : old->size;
		disk_file *file = add(out, old->path, NULL, size);
		memcpy(file->bytes, old->bytes, old->size < size ? old->size : size);
		file->named = true;
		if (later)
			disk_cut_bytes(file->bytes, file->size, later->bytes, later->size, random);
	}
	for (size_t i = 0; i < after->count; i++) {
		const disk_file *later = &after->files[i];
		if (find(before, later->path) || !has_name(out, later, spool_has_name, random))
			continue;
		disk_file *file = add(out, later->path, NULL, cut_size(0, later->size, random));
		file->named = true;
		disk_cut_bytes(file->bytes, file->size, later->bytes, later->size, random);
	}
}

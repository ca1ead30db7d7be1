#include "tests/support/queues/spool_folder.h"

#include "sdk/queue/spool/spool_segment.h"
#include "tests/support/harness/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER SPOOL_NAME ".spool"

void
spool_folder_make(spool_folder *folder)
{
	snprintf(folder->path, sizeof folder->path, "/tmp/otlog-spool-XXXXXX");
	CHECK(mkdtemp(folder->path));
	folder->directory = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(folder->directory >= 0);
}

static DIR *
open_folder(const spool_folder *folder)
{
	int fd = openat(folder->directory, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? NULL : fdopendir(fd);
}

static bool
is_file(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

void
spool_folder_remove(spool_folder *folder)
{
	DIR *inside = open_folder(folder);
	struct dirent *entry;
	while (inside && (entry = readdir(inside)))
		if (is_file(entry))
			unlinkat(dirfd(inside), entry->d_name, 0);
	if (inside)
		closedir(inside);
	unlinkat(folder->directory, FOLDER, AT_REMOVEDIR);
	close(folder->directory);
	CHECK(rmdir(folder->path) == 0);
}

spool_folder folder;

int
spool_folder_setup(void **state)
{
	(void)state;
	spool_folder_make(&folder);
	return 0;
}

int
spool_folder_teardown(void **state)
{
	(void)state;
	spool_folder_remove(&folder);
	return 0;
}

uint32_t
spool_folder_files(const spool_folder *folder)
{
	DIR *inside = open_folder(folder);
	struct dirent *entry;
	uint32_t count = 0;
	while (inside && (entry = readdir(inside)))
		count += is_file(entry);
	if (inside)
		closedir(inside);
	return count;
}

otlog__spool *
spool_folder_create(const spool_folder *folder, uint64_t max_bytes, bool drop_oldest)
{
	otlog__spool *spool = otlog__spool_create(&(otlog__spool_options){ .directory = folder->directory,
	                                                                   .name = SPOOL_NAME,
	                                                                   .pipeline = SPOOL_PIPELINE,
	                                                                   .pipeline_name = SPOOL_PIPELINE_NAME,
	                                                                   .max_bytes = max_bytes,
	                                                                   .drop_oldest = drop_oldest });
	CHECK(spool);
	return spool;
}

static uint64_t
mixed(uint64_t x)
{
	x = (x + UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 31) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 29;
}

void
spool_request_fill(void *request, size_t size, uint64_t mark)
{
	uint8_t *bytes = request;
	memcpy(bytes, &mark, sizeof mark);
	for (size_t at = sizeof mark; at < size; at += 8) {
		uint64_t word = mixed(mark << 24 ^ at);
		memcpy(bytes + at, &word, size - at < 8 ? size - at : 8);
	}
}

bool
spool_request_is(const void *request, size_t size, uint64_t mark)
{
	uint8_t *expected = malloc(size + 1);
	CHECK(expected);
	spool_request_fill(expected, size, mark);
	bool same = memcmp(request, expected, size) == 0;
	free(expected);
	return same;
}

otlog__spool_result
spool_put(otlog__spool *spool, uint64_t mark, size_t size, uint32_t records)
{
	uint64_t number;
	uint8_t *request = malloc(size);
	CHECK(request);
	spool_request_fill(request, size, mark);
	otlog__spool_result result = otlog__spool_append(spool, request, size, records, false, &number);
	int error = errno;
	free(request);
	errno = error;
	return result;
}

uint32_t
spool_get(otlog__spool *spool, uint64_t mark, size_t size, bool finish)
{
	otlog__buffer out = { 0 };
	uint64_t number = 0;
	uint32_t records = otlog__spool_take(spool, &out, &number);
	CHECK(!records || (out.size == size && spool_request_is(out.data, size, mark)));
	if (records && finish)
		otlog__spool_finish(spool, number, &(otlog__batch_end){ 0 });
	otlog__buffer_free(&out);
	return records;
}

otlog__spool_books
spool_books_of(otlog__spool *spool)
{
	otlog__spool_books books;
	otlog__spool_take_books(spool, &books);
	uint64_t sum = books.delivered + books.queued;
	for (size_t i = 0; i < OTLOG_DROP_REASON_COUNT; i++)
		sum += books.dropped[i];
	CHECK(sum == books.spooled);
	CHECK(books.waiting <= books.queued);
	return books;
}

static void
file_name(char out[96], uint32_t number)
{
	char file[OTLOG__SPOOL_FILE_MAX];
	otlog__spool_file_name(file, SPOOL_PIPELINE, number);
	snprintf(out, 96, "%s/%s", FOLDER, file);
}

spool_bytes
spool_bytes_load(const spool_folder *folder, uint32_t number)
{
	char name[96];
	struct stat info;
	file_name(name, number);
	int fd = openat(folder->directory, name, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && fstat(fd, &info) == 0);
	spool_bytes bytes = { .data = malloc((size_t)info.st_size + 1), .size = (size_t)info.st_size };
	CHECK(bytes.data && read(fd, bytes.data, bytes.size) == info.st_size);
	close(fd);
	return bytes;
}

void
spool_bytes_store(const spool_folder *folder, uint32_t number, const void *data, size_t size)
{
	char name[96];
	file_name(name, number);
	mkdirat(folder->directory, FOLDER, 0700);
	/* Not truncated first: some file systems then bring it to the disk at close, which takes time. */
	int fd = openat(folder->directory, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size && ftruncate(fd, (off_t)size) == 0);
	close(fd);
}

void
spool_bytes_free(spool_bytes *bytes)
{
	free(bytes->data);
	*bytes = (spool_bytes){ 0 };
}

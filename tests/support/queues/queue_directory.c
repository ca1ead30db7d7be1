#include "tests/support/queues/queue_directory.h"

#include "sdk/queue/queue.h"
#include "tests/support/harness/files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
queue_directory_make(char path[64])
{
	static const char *const parents[] = { "/tmp", "/dev/shm" };
	const char *const pipelines[] = { "probe" };
	for (size_t i = 0; i < sizeof parents / sizeof parents[0]; i++) {
		snprintf(path, 64, "%s/otlog-queue-XXXXXX", parents[i]);
		if (!mkdtemp(path))
			continue;
		otlog__queue *queue = otlog__queue_open(&(otlog__queue_options){
		    .directory = path, .lanes = 1, .pipelines = pipelines, .pipeline_count = 1 });
		bool trusted = queue && otlog__queue_in_file(queue);
		otlog__queue_free(queue);
		if (trusted)
			return;
		rmdir(path);
	}
	fprintf(stderr, "neither /tmp nor /dev/shm can hold a queue file\n");
	exit(1);
}

void
queue_directory_remove(const char *path)
{
	file_remove_all(path);
}

int
queue_directory_find(const char *path, const char *suffix, char found[512])
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	int count = 0;
	while (directory && (entry = readdir(directory))) {
		size_t name = strlen(entry->d_name), end = strlen(suffix);
		if (name < end || strcmp(entry->d_name + name - end, suffix) != 0)
			continue;
		snprintf(found, 512, "%s/%s", path, entry->d_name);
		count++;
	}
	if (directory)
		closedir(directory);
	return count;
}

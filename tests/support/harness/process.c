#include "tests/support/harness/process.h"

#include "tests/support/harness/check.h"

#include <dirent.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

uint64_t
process_resident_bytes(void)
{
	unsigned long all, resident;
	FILE *file = fopen("/proc/self/statm", "r");
	CHECK(file && fscanf(file, "%lu %lu", &all, &resident) == 2);
	fclose(file);
	return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t
process_private_bytes(void)
{
	char line[128];
	unsigned long kib = 0;
	FILE *file = fopen("/proc/self/status", "r");
	CHECK(file);
	while (fgets(line, sizeof line, file) && sscanf(line, "RssAnon: %lu kB", &kib) != 1) {
	}
	fclose(file);
	CHECK(kib > 0);
	return (uint64_t)kib * 1024;
}

unsigned
process_count_files(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	unsigned count = 0;
	CHECK(directory);
	while ((entry = readdir(directory)))
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count;
}

unsigned
process_descriptors(void)
{
	return process_count_files("/proc/self/fd") - 1; /* the one that counts */
}

unsigned
process_threads(void)
{
	return process_count_files("/proc/self/task");
}

int
process_run(int (*act)(void *user), void *user)
{
	int status;
	fflush(NULL);
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		alarm(60);
		_exit(act(user));
	}
	while (waitpid(child, &status, 0) < 0)
		CHECK(errno == EINTR);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

void *
process_share(size_t size)
{
	void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(pages != MAP_FAILED);
	return pages;
}

void
process_unshare(void *shared, size_t size)
{
	CHECK(munmap(shared, size) == 0);
}

#include "exporters/otlp_file/rotation.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

bool
otlog__rotation_due(const otlog__rotation *rotation, uint64_t size, uint64_t more, uint64_t born_s, uint64_t now_s)
{
	if (size == 0)
		return false;
	if (rotation->max_bytes && (size >= rotation->max_bytes || more > rotation->max_bytes - size))
		return true;
	return rotation->max_age_s && now_s > born_s && now_s - born_s >= rotation->max_age_s;
}

/* Number 0 is the file itself. False if the name is longer than any may be. */
static bool
name_of(const char *path, uint32_t number, char out[PATH_MAX])
{
	int size =
	    number ? snprintf(out, PATH_MAX, "%s.%u", path, (unsigned)number) : snprintf(out, PATH_MAX, "%s", path);
	return size > 0 && size < PATH_MAX;
}

int
otlog__rotate(const char *path, uint32_t max_files)
{
	char from[PATH_MAX], to[PATH_MAX];
	struct stat st;
	uint32_t last = 1;
	while (last < max_files && name_of(path, last, to) && lstat(to, &st) == 0)
		last++;
	for (; last; last--) {
		if (!name_of(path, last, to) || !name_of(path, last - 1, from))
			return ENAMETOOLONG;
		if (rename(from, to))
			return errno;
	}
	return 0;
}

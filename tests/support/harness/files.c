#include "tests/support/harness/files.h"

#include "tests/support/harness/check.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

void
file_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	CHECK(file);
	CHECK(fputs(text, file) >= 0);
	CHECK(fclose(file) == 0);
}

void
file_replace(const char *path, const char *text)
{
	char other[256];
	int size = snprintf(other, sizeof other, "%s.new", path);
	CHECK(size > 0 && (size_t)size < sizeof other);
	file_write(other, text);
	CHECK(rename(other, path) == 0);
}

void
file_copy(const char *from, const char *to)
{
	char *text = file_read(from);
	file_write(to, text);
	free(text);
}

char *
file_read(const char *path)
{
	FILE *file = fopen(path, "r");
	CHECK(file && fseek(file, 0, SEEK_END) == 0);
	long size = ftell(file);
	CHECK(size >= 0 && fseek(file, 0, SEEK_SET) == 0);
	char *text = calloc(1, (size_t)size + 1);
	CHECK(text && fread(text, 1, (size_t)size, file) == (size_t)size);
	fclose(file);
	return text;
}

static int
remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	(void)info, (void)kind, (void)where;
	return remove(path);
}

void
file_remove_all(const char *path)
{
	CHECK(nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

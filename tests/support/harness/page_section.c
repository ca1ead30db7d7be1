#include "tests/support/harness/page_section.h"

#include "tests/support/harness/check.h"
#include "tests/support/harness/cmocka.h"

#include <string.h>

typedef struct section {
	char *page; /* owned */
	size_t start;
	size_t end;
} section;

static char *
read_page(const char *path)
{
	FILE *in = fopen(path, "r");
	char *page = NULL;
	size_t size = 0;
	if (!in)
		return NULL;
	FILE *out = open_memstream(&page, &size);
	CHECK(out);
	for (int c; (c = getc(in)) != EOF;)
		putc(c, out);
	fclose(in);
	CHECK(fclose(out) == 0);
	return page;
}

static bool
find(const char *path, const char *name, section *section)
{
	char begin[64], end[64];
	snprintf(begin, sizeof begin, "<!-- %s: begin", name);
	snprintf(end, sizeof end, "<!-- %s: end", name);
	section->page = read_page(path);
	char *first = section->page ? strstr(section->page, begin) : NULL;
	char *line = first ? strchr(first, '\n') : NULL;
	char *last = line ? strstr(line, end) : NULL;
	if (!last) {
		free(section->page);
		return false;
	}
	section->start = (size_t)(line + 1 - section->page);
	section->end = (size_t)(last - section->page);
	return true;
}

char *
page_section_read(const char *path, const char *name)
{
	section section;
	if (!find(path, name, &section))
		return NULL;
	char *text = strndup(section.page + section.start, section.end - section.start);
	CHECK(text);
	free(section.page);
	return text;
}

bool
page_section_write(const char *path, const char *name, const char *text)
{
	section section;
	if (!find(path, name, &section))
		return false;
	FILE *out = fopen(path, "w");
	bool written = out && fwrite(section.page, 1, section.start, out) == section.start && fputs(text, out) >= 0 &&
	               fputs(section.page + section.end, out) >= 0;
	free(section.page);
	return out && fclose(out) == 0 && written;
}

void
page_section_check(const char *path, const char *name, char *(*make)(void), const char *program)
{
	char *wanted = make();
	char *found = page_section_read(path, name);
	bool same = found && strcmp(wanted, found) == 0;
	free(wanted);
	free(found);
	if (!same)
		fail_msg("%s is not what the tables say; write it with: %s --write", path, program);
}

bool
page_section_main(int argc, char **argv, const char *path, const char *name, char *(*make)(void), int *status)
{
	if (argc != 2 || strcmp(argv[1], "--write") != 0)
		return false;
	char *text = make();
	bool written = page_section_write(path, name, text);
	free(text);
	if (!written)
		fprintf(stderr, "%s has no section \"%s\", or cannot be written\n", path, name);
	*status = written ? 0 : 1;
	return true;
}

/*
 * Parts of a page that are generated: from a line that holds `<!-- NAME: begin` to one that holds `<!-- NAME: end`. What
 * stands around them is written by hand.
 */
#ifndef TESTS_SUPPORT_HARNESS_PAGE_SECTION_H
#define TESTS_SUPPORT_HARNESS_PAGE_SECTION_H

#include <stdbool.h>

/* What stands between the two lines; free it. NULL if there is no such file or section. */
char *page_section_read(const char *path, const char *name);

/* Puts `text` between the two lines. False, with the file as it was, if there is no such section or no writing. */
bool page_section_write(const char *path, const char *name, const char *text);

/* For a test: fails unless that section is what `make` makes. `program` writes it with --write. */
void page_section_check(const char *path, const char *name, char *(*make)(void), const char *program);

/* For its main(): writes the section if that was asked for, and returns true with the exit status. */
bool page_section_main(int argc, char **argv, const char *path, const char *name, char *(*make)(void), int *status);

#endif

/* Small text files, written as people and programs write them, and directories. What goes wrong ends the test program. */
#ifndef TESTS_SUPPORT_HARNESS_FILES_H
#define TESTS_SUPPORT_HARNESS_FILES_H

/* In place: who reads meanwhile may find a part of it. */
void file_write(const char *path, const char *text);

/* In one step: who reads meanwhile finds what was there before, or this. */
void file_replace(const char *path, const char *text);

/* All of it, in place. */
void file_copy(const char *from, const char *to);

/* All of it, as a string; free it. */
char *file_read(const char *path);

/* A directory with all that is in it; links are not followed. */
void file_remove_all(const char *path);

#endif

/* Directories for queue files. */
#ifndef TESTS_SUPPORT_QUEUES_QUEUE_DIRECTORY_H
#define TESTS_SUPPORT_QUEUES_QUEUE_DIRECTORY_H

/* A fresh directory on a file system that queues trust; removed with all that is in it. */
void queue_directory_make(char path[64]);
void queue_directory_remove(const char *path);
/* How many files end in `suffix`; the last one's path is put into `found`. */
int queue_directory_find(const char *path, const char *suffix, char found[512]);

#endif

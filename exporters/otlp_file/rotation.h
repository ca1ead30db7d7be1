/* When a file is full, and what becomes of it then. */
#ifndef OTLOG_EXPORTERS_OTLP_FILE_ROTATION_H
#define OTLOG_EXPORTERS_OTLP_FILE_ROTATION_H

#include <stdbool.h>
#include <stdint.h>

#define OTLOG__ROTATION_FILES_MAX 9999

/* Zero: no limit. */
typedef struct otlog__rotation {
	uint64_t max_bytes;
	uint64_t max_age_s;
	uint32_t max_files; /* kept beside the current one; 1…OTLOG__ROTATION_FILES_MAX */
} otlog__rotation;

/*
 * Whether a file of `size` bytes that began at born_s should make way before `more` bytes are added at now_s. An empty
 * one never does: there would be no end of it. Pure.
 */
bool otlog__rotation_due(const otlog__rotation *rotation, uint64_t size, uint64_t more, uint64_t born_s,
                         uint64_t now_s);

/*
 * Renames path to path.1, path.1 to path.2 and so on up to the first number that is free; without one, the last file
 * gives way. 0 or an errno; path may then still be there. The caller keeps others from doing the same meanwhile.
 */
int otlog__rotate(const char *path, uint32_t max_files);

#endif

/* Folders for tests of spools, requests that say who they are, and the bytes of segment files. */
#ifndef TESTS_SUPPORT_QUEUES_SPOOL_FOLDER_H
#define TESTS_SUPPORT_QUEUES_SPOOL_FOLDER_H

#include "sdk/queue/spool/spool.h"
#include "sdk/queue/spool/spool_files.h"

#define SPOOL_NAME "service-1-feed"
#define SPOOL_PIPELINE 2u
#define SPOOL_PIPELINE_NAME "near"

typedef struct spool_folder {
	char path[64];
	int directory;
} spool_folder;

/* A fresh directory, and its removal with all that is in it. */
void spool_folder_make(spool_folder *folder);
void spool_folder_remove(spool_folder *folder);

/* The folder of the test that runs, from set-up to tear-down. */
extern spool_folder folder;
int spool_folder_setup(void **state);
int spool_folder_teardown(void **state);

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, spool_folder_setup, spool_folder_teardown)

/* Names in NAME.spool; 0 if there is no such folder. */
uint32_t spool_folder_files(const spool_folder *folder);

/* A spool that drops or refuses, for SPOOL_PIPELINE. */
otlog__spool *spool_folder_create(const spool_folder *folder, uint64_t max_bytes, bool drop_oldest);

/* A request of that size, at least 8 bytes, that can be told from all others. */
void spool_request_fill(void *request, size_t size, uint64_t mark);
bool spool_request_is(const void *request, size_t size, uint64_t mark);

/* Appends such a request; the result, and errno, are otlog__spool_append's. */
otlog__spool_result spool_put(otlog__spool *spool, uint64_t mark, size_t size, uint32_t records);

/* Takes an entry, which must be that request, and finishes it if `finish`. Returns its records, 0 if there is none. */
uint32_t spool_get(otlog__spool *spool, uint64_t mark, size_t size, bool finish);

/* The books balance. */
otlog__spool_books spool_books_of(otlog__spool *spool);

/* The bytes of segment `number` of SPOOL_PIPELINE. */
typedef struct spool_bytes {
	uint8_t *data;
	size_t size;
} spool_bytes;

spool_bytes spool_bytes_load(const spool_folder *folder, uint32_t number);
/* Writes them as that segment; the folder is made if it is not there. */
void spool_bytes_store(const spool_folder *folder, uint32_t number, const void *data, size_t size);
void spool_bytes_free(spool_bytes *bytes);

#endif

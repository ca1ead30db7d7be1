/* A strict reader of Prometheus text, version 0.0.4. What does not follow the format ends the test. */
#ifndef TESTS_SUPPORT_RECORDS_PROMETHEUS_H
#define TESTS_SUPPORT_RECORDS_PROMETHEUS_H

#include <stddef.h>

typedef struct prometheus_sample {
	const char *family; /* of its HELP and TYPE; not NUL-terminated */
	const char *series; /* name and labels as they stand there, NUL-terminated */
	double value;
} prometheus_sample;

typedef struct prometheus_page {
	char *text;
	prometheus_sample *samples;
	size_t count;
} prometheus_page;

/*
 * Reads the text: a HELP and a TYPE before the samples of each family, all of which stand together; names, labels,
 * escapes and UTF-8; counters that end in _total; no series twice; buckets that only grow up to +Inf, which is the
 * count.
 */
prometheus_page prometheus_read(const char *text);

/* The value of the series, such as `up{job="a"}`; -1 if there is none. */
double prometheus_value(const prometheus_page *page, const char *series);

void prometheus_free(prometheus_page *page);

#endif

#include "tests/support/records/prometheus.h"

#include "tests/support/harness/check.h"
#include "tests/support/records/utf8_oracle.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#define SERIES_SIZE 512

typedef struct family {
	const char *name;
	size_t size;
	char type[16];
	size_t first; /* sample */
} family;

static size_t
name_size(const char *text, bool colons)
{
	size_t size = 0;
	while (isalpha((unsigned char)text[size]) || text[size] == '_' || (colons && text[size] == ':') ||
	       (size && isdigit((unsigned char)text[size])))
		size++;
	return size;
}

static bool
starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The end of a quoted label value. */
static const char *
skip_value(const char *at)
{
	CHECK(*at++ == '"');
	while (*at != '"') {
		size_t length = utf8_oracle_character((const uint8_t *)at, strlen(at) + 1);
		CHECK(*at && *at != '\n' && length);
		if (*at == '\\')
			CHECK(strchr("\\\"n", *++at));
		at += length;
	}
	return at + 1;
}

/* The end of name and labels. */
static const char *
skip_series(const char *at)
{
	at += name_size(at, true);
	if (*at != '{')
		return at;
	do {
		size_t size = name_size(++at, false);
		CHECK(size && !starts_with(at, "__"));
		at += size;
		CHECK(*at == '=');
		at = skip_value(at + 1);
	} while (*at == ',');
	CHECK(*at == '}');
	return at + 1;
}

static void
check_name(const family *of, const char *series)
{
	size_t size = name_size(series, true);
	CHECK(size >= of->size && memcmp(series, of->name, of->size) == 0);
	size_t more = size - of->size;
	const char *suffix = series + of->size;
	if (strcmp(of->type, "histogram") == 0)
		CHECK((more == 7 && starts_with(suffix, "_bucket")) || (more == 4 && starts_with(suffix, "_sum")) ||
		      (more == 6 && starts_with(suffix, "_count")));
	else
		CHECK(more == 0);
	if (strcmp(of->type, "counter") == 0)
		CHECK(size > 6 && starts_with(series + size - 6, "_total"));
}

/* One line of a sample; its end is cut off. */
static void
read_sample(prometheus_page *page, const family *of, char *line)
{
	char *end = (char *)skip_series(line);
	check_name(of, line);
	CHECK(*end == ' ');
	*end++ = '\0';
	char *number_end;
	CHECK(isdigit((unsigned char)*end));
	double value = strtod(end, &number_end);
	CHECK(*number_end == '\0' && isfinite(value) && value >= 0);
	for (size_t i = 0; i < page->count; i++)
		CHECK(strcmp(page->samples[i].series, line) != 0);
	page->samples = realloc(page->samples, (page->count + 1) * sizeof *page->samples);
	CHECK(page->samples);
	page->samples[page->count++] = (prometheus_sample){ of->name, line, value };
}

/* The series beside a bucket: _bucket{…,le="…"} becomes the suffix with the other labels. */
static double
beside(const prometheus_page *page, const char *bucket, const char *suffix)
{
	char series[SERIES_SIZE];
	const char *labels = strstr(bucket, "_bucket{"), *le = strstr(bucket, ",le=\"");
	CHECK(labels && le && strlen(bucket) + 8 < sizeof series);
	snprintf(series, sizeof series, "%.*s%s%.*s}", (int)(labels - bucket), bucket, suffix, (int)(le - labels - 7),
	         labels + 7);
	return prometheus_value(page, series);
}

/* The buckets of a series stand together, in the order of their bounds. */
static void
check_histogram(const prometheus_page *page, const family *of)
{
	double before = 0, bound_before = -1;
	size_t ends = 0;
	for (size_t i = of->first; i < page->count; i++) {
		const char *series = page->samples[i].series;
		if (!starts_with(series + of->size, "_bucket"))
			continue;
		double bound = strtod(strstr(series, ",le=\"") + 5, NULL); /* reads +Inf too */
		CHECK(bound > bound_before && page->samples[i].value >= before);
		before = page->samples[i].value;
		bound_before = bound;
		if (isinf(bound)) {
			CHECK(beside(page, series, "_count") == before && beside(page, series, "_sum") >= 0);
			before = 0;
			bound_before = -1;
			ends++;
		}
	}
	CHECK(bound_before < 0 && ends);
}

static void
end_family(const prometheus_page *page, const family *of)
{
	if (!of->name)
		return;
	CHECK(page->count > of->first);
	if (strcmp(of->type, "histogram") == 0)
		check_histogram(page, of);
}

/* HELP and TYPE, of which the latter's line is *line. */
static family
begin_family(const prometheus_page *page, char *help, const char *type)
{
	family new = { .name = help + 7, .first = page->count };
	new.size = name_size(new.name, true);
	CHECK(starts_with(help, "# HELP ") && new.size &&new.name[new.size] == ' ' && new.name[new.size + 1]);
	for (const char *at = new.name + new.size; *at; at++)
		CHECK(*at != '\\' || strchr("\\n", *++at));
	CHECK(starts_with(type, "# TYPE ") && strncmp(type + 7, new.name, new.size) == 0 && type[7 + new.size] == ' ' &&
	      strlen(type + 8 + new.size) < sizeof new.type);
	strcpy(new.type, type + 8 + new.size);
	CHECK(strcmp(new.type, "counter") == 0 || strcmp(new.type, "gauge") == 0 || strcmp(new.type, "histogram") == 0);
	for (size_t i = 0; i < page->count; i++)
		CHECK(strncmp(page->samples[i].family, new.name, new.size + 1) != 0);
	return new;
}

prometheus_page
prometheus_read(const char *text)
{
	prometheus_page page = { .text = strdup(text) };
	CHECK(page.text && (!*text || text[strlen(text) - 1] == '\n'));
	family of = { 0 };
	char *help = NULL;
	for (char *line = page.text, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		*end = '\0';
		if (help) {
			end_family(&page, &of);
			of = begin_family(&page, help, line);
			help = NULL;
		} else if (*line == '#') {
			help = line;
		} else {
			CHECK(of.name);
			read_sample(&page, &of, line);
		}
	}
	CHECK(!help);
	end_family(&page, &of);
	return page;
}

double
prometheus_value(const prometheus_page *page, const char *series)
{
	for (size_t i = 0; i < page->count; i++)
		if (strcmp(page->samples[i].series, series) == 0)
			return page->samples[i].value;
	return -1;
}

void
prometheus_free(prometheus_page *page)
{
	free(page->samples);
	free(page->text);
	*page = (prometheus_page){ 0 };
}

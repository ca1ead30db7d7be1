/*
 * otlog_bench CASE… [--json] [--queue-dir DIR] [--threads N] [--records N] [--rounds N] [--seconds N] [--rate N]
 *                   [--quick]
 */
#include "tests/bench/bench.h"

#include <err.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_CASES 32

void
bench_say_nothing(void *user, otlog_diagnostic_level level, const char *message)
{
	(void)user, (void)level, (void)message;
}

uint64_t
bench_now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void
bench_fail(const char *why)
{
	errx(1, "%s", why);
}

void
bench_add(bench_samples *samples, double value)
{
	if (samples->count == samples->capacity) {
		samples->capacity = samples->capacity ? samples->capacity * 2 : 1024;
		samples->values = realloc(samples->values, samples->capacity * sizeof *samples->values);
		if (!samples->values)
			bench_fail("out of memory for samples");
	}
	samples->values[samples->count++] = value;
}

void
bench_add_figure(bench_result *result, const char *name, double value)
{
	if (result->figure_count == sizeof result->figures / sizeof *result->figures)
		bench_fail("too many figures for one case");
	result->figures[result->figure_count++] = (struct bench_figure){ name, value };
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

double
bench_quantile(bench_samples *samples, double share)
{
	if (samples->count == 0)
		return NAN;
	qsort(samples->values, samples->count, sizeof *samples->values, compare);
	size_t rank = (size_t)ceil(share * (double)samples->count);
	return samples->values[rank ? rank - 1 : 0];
}

static const bench_case *const tables[] = { bench_emit_cases, bench_json_cases, bench_delivery_cases,
	                                    bench_outage_cases, bench_recovery_cases };

static const bench_case *
find_case(const char *name)
{
	for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
		for (const bench_case *c = tables[t]; c->name; c++)
			if (strcmp(c->name, name) == 0)
				return c;
	return NULL;
}

static void
usage(FILE *out)
{
	fprintf(out, "usage: otlog_bench CASE... [--json] [--queue-dir DIR] [--threads N] [--records N] [--rounds N] "
	             "[--seconds N] [--rate N] [--quick]\n\n"
	             "Rounds of the cases alternate, so that their figures can be compared.\n\n");
	for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
		for (const bench_case *c = tables[t]; c->name; c++)
			fprintf(out, "  %-18s %s\n", c->name, c->what);
}

static void
print_field(bool json, const char *name, double value, int digits)
{
	if (isnan(value))
		return;
	printf(json ? ",\"%s\":%.*f" : "  %s %.*f", name, digits, value);
}

static void
print_result(bench_result *r, bool json)
{
	printf(json ? "{\"case\":\"%s\"" : "%-18s", r->name);
	print_field(json, "ns_per_op", bench_quantile(&r->ns_per_op, 0.5), 2);
	print_field(json, "min", bench_quantile(&r->ns_per_op, 0), 2);
	print_field(json, "p99", bench_quantile(&r->latency_ns, 0.99), 0);
	print_field(json, "p999", bench_quantile(&r->latency_ns, 0.999), 0);
	print_field(json, "records_per_s", bench_quantile(&r->records_per_s, 0.5), 0);
	print_field(json, "cpu_s_per_million", bench_quantile(&r->cpu_s_per_million, 0.5), 3);
	if (r->drops_apply)
		print_field(json, "dropped", (double)r->dropped, 0);
	for (size_t i = 0; i < r->figure_count; i++)
		print_field(json, r->figures[i].name, r->figures[i].value, 1);
	printf(json ? "}\n" : "\n");
	free(r->ns_per_op.values);
	free(r->latency_ns.values);
	free(r->records_per_s.values);
	free(r->cpu_s_per_million.values);
}

/* Runs the cases in turn, round by round. */
static void
run(const bench_case *const *cases, size_t count, unsigned rounds, const bench_options *options, bench_sink *sink,
    bench_result *results)
{
	void *selves[MAX_CASES];
	for (size_t i = 0; i < count; i++) {
		results[i] = (bench_result){ .name = cases[i]->name };
		selves[i] = cases[i]->start(options, sink, cases[i]->name);
	}
	for (unsigned round = 0; round < rounds; round++)
		for (size_t i = 0; i < count; i++)
			cases[i]->round(selves[i], &results[i]);
	for (size_t i = 0; i < count; i++)
		cases[i]->end(selves[i], &results[i]);
}

static uint64_t
number(const char *text)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 10);
	if (*end || end == text || value == 0)
		errx(2, "\"%s\" is no number above 0", text);
	return value;
}

int
main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "json", no_argument, 0, 'j' },          { "queue-dir", required_argument, 0, 'd' },
		{ "threads", required_argument, 0, 't' }, { "records", required_argument, 0, 'n' },
		{ "rounds", required_argument, 0, 'r' },  { "quick", no_argument, 0, 'q' },
		{ "seconds", required_argument, 0, 's' }, { "rate", required_argument, 0, 'R' },
		{ "help", no_argument, 0, 'h' },          { 0 }
	};
	bench_options options = { .threads = 1, .records = 3000000, .seconds = 60, .rate = 5000 };
	unsigned rounds = 5;
	bool json = false;
	for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 'd':
			options.queue_dir = optarg;
			break;
		case 't':
			options.threads = (unsigned)number(optarg);
			break;
		case 'n':
			options.records = number(optarg);
			break;
		case 'r':
			rounds = (unsigned)number(optarg);
			break;
		case 's':
			options.seconds = (unsigned)number(optarg);
			break;
		case 'R':
			options.rate = number(optarg);
			break;
		case 'q':
			options.quick = true;
			options.records = 50000;
			options.seconds = 1;
			rounds = 1;
			break;
		default:
			usage(c == 'h' ? stdout : stderr);
			return c == 'h' ? 0 : 2;
		}
	}
	const bench_case *cases[MAX_CASES];
	bench_result results[MAX_CASES];
	size_t count = 0;
	for (; optind < argc && count < MAX_CASES; optind++)
		if (!(cases[count++] = find_case(argv[optind])))
			errx(2, "there is no case \"%s\"; otlog_bench --help lists them", argv[optind]);
	if (count == 0) {
		usage(stderr);
		return 2;
	}
	bench_sink sink = bench_sink_start();
	run(cases, count, rounds, &options, &sink, results);
	bench_sink_stop(&sink);
	for (size_t i = 0; i < count; i++)
		print_result(&results[i], json);
	return 0;
}

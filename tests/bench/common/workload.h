/* The two records that everything is measured with. */
#ifndef TESTS_BENCH_COMMON_WORKLOAD_H
#define TESTS_BENCH_COMMON_WORKLOAD_H

#include <otlog/otlog.h>

/* R1: a Bonito entry that becomes 13 attributes, with trace context. */
otlog_emit_result bench_emit_r1(otlog_logger *logger);

/* R2: a Mito event with four params, three versions and a sheet name: 8 attributes. */
otlog_emit_result bench_emit_r2(otlog_logger *logger);

#endif

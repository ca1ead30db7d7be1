/* cmocka wants these headers before its own, in this order. */
#ifndef OTLOG_TESTS_CMOCKA_H
#define OTLOG_TESTS_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#endif

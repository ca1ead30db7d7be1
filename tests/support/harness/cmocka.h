/* cmocka wants these headers before its own, in this order. */
#ifndef TESTS_SUPPORT_HARNESS_CMOCKA_H
#define TESTS_SUPPORT_HARNESS_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#endif

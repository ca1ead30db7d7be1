/* A steady load: threads that emit at a given pace, whatever the scheduler does, until they are stopped. */
#ifndef TESTS_SUPPORT_SDK_LOAD_H
#define TESTS_SUPPORT_SDK_LOAD_H

#include "tests/support/sdk/tally.h"

typedef struct load load;

/* As many threads as the tally has sources, with `per_second` records of all together. Ends the program if it cannot. */
load *load_start(tally *tally, otlog_logger *logger, uint32_t per_second);

/* Returns once every emit has returned. */
void load_stop(load *load);

#endif

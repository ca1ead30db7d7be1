/* A network of the test's own, so that it may use ports that everybody knows. */
#ifndef TESTS_SUPPORT_HARNESS_OWN_NETWORK_H
#define TESTS_SUPPORT_HARNESS_OWN_NETWORK_H

#include <stdbool.h>

/* Before the first thread: from here on there is nothing but an empty loopback. False if this machine does not allow it. */
bool own_network_enter(void);

#endif

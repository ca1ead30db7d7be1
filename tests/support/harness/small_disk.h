/* A file system of a few KiB in the place of a directory, for a child that fills it. */
#ifndef TESTS_SUPPORT_HARNESS_SMALL_DISK_H
#define TESTS_SUPPORT_HARNESS_SMALL_DISK_H

#include <stdbool.h>

/*
 * Mounts a tmpfs there with these options and flags of mount(2), for this process and its children alone: as root, or as
 * the root of a name space of its own. It goes away with them. False if this machine does not let us.
 */
bool small_disk_mount(const char *directory, const char *options, unsigned long flags);

#endif

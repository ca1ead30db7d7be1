/* The version of otlog, the same as PROJECT_VERSION in CMakeLists.txt; a test compares them. */
#ifndef OTLOG_BASE_VERSION_H
#define OTLOG_BASE_VERSION_H

#define OTLOG__VERSION "0.1.0"

#endif

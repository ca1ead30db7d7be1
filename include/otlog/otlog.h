/*
 * Everything of otlog, for an application's own files. Libraries include otlog/logs.h alone.
 *
 * How structs are passed, here and in every header: a struct that may get more members in a later version goes to a
 * function `x_sized` together with its size, and the inline function `x`, which stands right below that and is the one to
 * call, passes the size that the program was compiled with; of an array, that of its elements. So a program and a library
 * of different versions work together: a member that one of them does not know is not given, or comes out as zero. A
 * function without such a struct has no `_sized`. Which structs stay as they are is in docs/abi.md.
 */
#ifndef OTLOG_OTLOG_H
#define OTLOG_OTLOG_H

#include <otlog/bonito.h>
#include <otlog/context.h>
#include <otlog/exporter.h>
#include <otlog/exporters.h>
#include <otlog/logs.h>
#include <otlog/mito.h>
#include <otlog/sdk.h>

#endif

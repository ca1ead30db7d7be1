/* Everything of otlog, for an application's own files. Libraries include otlog/logs.h alone. */
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

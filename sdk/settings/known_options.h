/* The options that a program passes, as this library knows them. */
#ifndef OTLOG_SETTINGS_KNOWN_OPTIONS_H
#define OTLOG_SETTINGS_KNOWN_OPTIONS_H

#include <otlog/sdk.h>

/* A copy without what this library does not know, and with zeros for what the caller does not know. NULL is {0}. */
otlog_options otlog__options_known(const otlog_options *options, size_t options_size);

/* Destroys the exporters of options that nobody takes. */
void otlog__options_give_up(const otlog_options *options);

#endif

/* What a provider was made of, kept for those that forked children make in its place. */
#ifndef OTLOG_PROVIDER_HERITAGE_H
#define OTLOG_PROVIDER_HERITAGE_H

#include "sdk/settings/settings.h"

typedef struct otlog__heritage {
	otlog__settings settings;
	otlog_options options; /* a copy of its own, without the pipelines */
} otlog__heritage;

/* Empty settings, and the options copied. NULL when memory is short. */
otlog__heritage *otlog__heritage_create(const otlog_options *options);
void otlog__heritage_free(otlog__heritage *heritage);

#endif

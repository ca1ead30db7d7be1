#include "sdk/settings/grpc_loader.h"

#include "sdk/base/process/diagnostics.h"
#include "sdk/base/version.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* The version's first number is the library's: see SOVERSION in cmake/Grpc.cmake. */
#define LIBRARY "libotlog-grpc.so.0"

/* Writers: programs that register, before they start the SDK. A function has nothing behind it to be published. */
static _Atomic(otlog_otlp_grpc_create_function) registered;

void
otlog_register_otlp_grpc(otlog_otlp_grpc_create_function create)
{
	atomic_store_explicit(&registered, create, memory_order_relaxed);
}

otlog_otlp_grpc_create_function
otlog__grpc_load(const char *file, char *why, size_t why_size)
{
	/* Its threads run on, so it must never be unmapped. */
	void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!library) {
		const char *error = dlerror();
		snprintf(why, why_size, "%s", error ? error : "unknown error");
		return NULL;
	}
	const char *(*version)(void) = NULL;
	otlog_otlp_grpc_create_function create = NULL;
	/* ISO C has no cast from an object's pointer to a function's; POSIX promises that the bytes are the same. */
	void *symbol = dlsym(library, "otlog__grpc_version");
	memcpy(&version, &symbol, sizeof version);
	symbol = dlsym(library, "otlog_otlp_grpc_exporter_create_sized");
	memcpy(&create, &symbol, sizeof create);
	if (!version || !create)
		snprintf(why, why_size, "%s is not otlog's", file);
	else if (strcmp(version(), OTLOG__VERSION) != 0)
		snprintf(why, why_size, "%s is of otlog %.16s, but libotlog is " OTLOG__VERSION, file, version());
	else
		return create;
	dlclose(library);
	return NULL;
}

/* The library's name in the folder that this code was mapped from; false if that is unknown. */
static bool
name_beside_us(char *out, size_t out_size)
{
	Dl_info us;
	if (!dladdr(&registered, &us) || !us.dli_fname)
		return false;
	const char *slash = strrchr(us.dli_fname, '/');
	if (!slash)
		return false;
	int size = snprintf(out, out_size, "%.*s" LIBRARY, (int)(slash + 1 - us.dli_fname), us.dli_fname);
	return size > 0 && (size_t)size < out_size;
}

static otlog_otlp_grpc_create_function
find(void)
{
	otlog_otlp_grpc_create_function create = atomic_load_explicit(&registered, memory_order_relaxed);
	if (create)
		return create;
	char beside[PATH_MAX];
	char why[2][512] = { "", "" };
	bool known = name_beside_us(beside, sizeof beside);
	if (known)
		create = otlog__grpc_load(beside, why[0], sizeof why[0]);
	if (!create)
		create = otlog__grpc_load(LIBRARY, why[1], sizeof why[1]);
	if (!create)
		otlog__diagnose_always(
		    OTLOG__ERROR,
		    "OTLP over gRPC needs the library otlog-grpc, which cannot be used: %s%s%s. Nothing is "
		    "exported. Install it (with gRPC's C core: package libgrpc29) beside libotlog, "
		    "register it (otlog_register_otlp_grpc), or set OTEL_EXPORTER_OTLP_PROTOCOL to "
		    "http/protobuf",
		    why[0], known ? "; " : "", why[1]);
	return create;
}

bool
otlog__grpc_load_and_create(const otlog_otlp_options *options, const otlog_grpc_options *grpc, otlog_exporter *out)
{
	otlog_otlp_grpc_create_function create = find();
	return create && create(options, sizeof *options, grpc, grpc ? sizeof *grpc : 0, out);
}

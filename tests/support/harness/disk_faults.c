#include "tests/support/harness/disk_faults.h"

#include "tests/support/harness/check.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static disk_faults_plan *
plan(void)
{
	return dlsym(RTLD_DEFAULT, "otlog_test_disk_faults");
}

bool
disk_faults_preload(const char *library, char **argv)
{
	if (plan() || !library)
		return plan() != NULL;
	CHECK(!getenv("LD_PRELOAD") || strcmp(getenv("LD_PRELOAD"), library) != 0);
	setenv("LD_PRELOAD", library, 1);
	execv("/proc/self/exe", argv);
	CHECK(!"the program cannot start itself again");
	return false;
}

void
disk_faults_arm(disk_call call, uint32_t at, uint32_t times, int error, const char *path)
{
	disk_faults_plan *p = plan();
	p->call = call;
	p->at = at;
	p->times = times;
	p->error = error;
	snprintf(p->path, sizeof p->path, "%s", path);
	atomic_store(&p->calls, 0);
	atomic_store(&p->failed, 0);
	atomic_store(&p->armed, 1);
}

void
disk_faults_disarm(void)
{
	atomic_store(&plan()->armed, 0);
}

uint32_t
disk_faults_calls(void)
{
	return atomic_load(&plan()->calls);
}

uint32_t
disk_faults_failed(void)
{
	return atomic_load(&plan()->failed);
}

const char *
disk_call_name(disk_call call)
{
	static const char *const names[DISK_CALLS] = { "create", "mkdir", "allocate",
		                                       "write",  "sync",  "write and truncate",
		                                       "rename" };
	return names[call];
}

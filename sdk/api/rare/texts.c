#include <otlog/logs.h>

const char *
otlog_severity_name(int severity)
{
	static const char *const names[] = { "UNSPECIFIED", "TRACE",  "TRACE2", "TRACE3", "TRACE4", "DEBUG",  "DEBUG2",
		                             "DEBUG3",      "DEBUG4", "INFO",   "INFO2",  "INFO3",  "INFO4",  "WARN",
		                             "WARN2",       "WARN3",  "WARN4",  "ERROR",  "ERROR2", "ERROR3", "ERROR4",
		                             "FATAL",       "FATAL2", "FATAL3", "FATAL4" };
	return severity > 0 && severity <= OTLOG_SEVERITY_FATAL4 ? names[severity] : names[0];
}

const char *
otlog_emit_result_text(otlog_emit_result result)
{
	switch (result) {
#define OTLOG__X(name, text) \
	case name:           \
		return text;
		OTLOG__EMIT_RESULTS(OTLOG__X)
#undef OTLOG__X
	}
	return "unknown verdict";
}

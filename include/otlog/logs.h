/*
 * Instrumenting code: loggers, records, attributes, emit.
 *
 * This header and libotlog-api are all a library needs. Until the application starts the SDK (otlog/sdk.h) every call
 * here does nothing and costs next to nothing; loggers taken before come alive with it.
 *
 * Thread safety: every function may be called from any thread at any time.
 * Signal safety: otlog_emit, otlog_log, otlog_enabled and the macros are async-signal-safe once the SDK has started and
 * while OTLOG_QUEUE_FULL is "drop"; otlog_get_logger and otlog_get_logger_with are not.
 * Blocking: emitting never blocks, unless OTLOG_QUEUE_FULL=block asks for a bounded wait. It never allocates.
 *
 * The shapes follow opentelemetry-specification logs/api.md and logs/data-model.md.
 */
#ifndef OTLOG_LOGS_H
#define OTLOG_LOGS_H

#include <limits.h>
#include <string.h>

#include <otlog/context.h>

#ifdef __cplusplus
extern "C++" { /* templates need C++ linkage even if somebody wraps this header in extern "C" */
#include <initializer_list>
#include <string_view>
}
extern "C" {
#endif

/* ---- Values ------------------------------------------------------------------------------------------------------ */

typedef enum otlog_value_type {
	OTLOG_VALUE_EMPTY, /* {0} is the empty value; it is kept, not left out */
	OTLOG_VALUE_STRING,
	OTLOG_VALUE_BOOL,
	OTLOG_VALUE_INT64,
	OTLOG_VALUE_UINT64, /* goes out as int64 if it fits, else as a decimal string (attribute-type-mapping.md) */
	OTLOG_VALUE_DOUBLE,
	OTLOG_VALUE_BYTES,
	OTLOG_VALUE_ARRAY,
	OTLOG_VALUE_MAP
} otlog_value_type;

typedef struct otlog_value otlog_value;
typedef struct otlog_attr otlog_attr;

/* A list of attributes. It borrows the items: they must live until the call that takes the list returns. */
typedef struct otlog_attrs {
	const otlog_attr *items;
	size_t count;
} otlog_attrs;

/* Bits of otlog_value.flags. */
enum otlog_value_flag {
	/*
	 * Reserved; this version ignores it. Of an attribute's value: the bytes of the attribute's key never change and are
	 * never freed, as those of a literal, so that what was made of the key once may be used again.
	 */
	OTLOG_VALUE_KEY_IS_CONSTANT = 1
};

/*
 * An AnyValue of OTLP. Make one with the functions and macros below. It borrows what it points to until the call that
 * takes it returns. A value whose type is none of otlog_value_type counts as empty, and so does one that points to NULL
 * with a size other than 0.
 */
struct otlog_value {
	otlog_value_type type;
	uint32_t flags; /* OTLOG_VALUE_KEY_IS_CONSTANT; 0 in what the functions below make. Others are ignored */
	union {
		bool boolean;
		int64_t int64;
		uint64_t uint64;
		double float64;
		struct {
			const void *data;
			size_t size;
		} bytes; /* of a STRING too: UTF-8, NUL bytes allowed, size in bytes */
		struct {
			const otlog_value *items;
			size_t count;
		} array;
		otlog_attrs map;
	} as;
};

/* A key and its value. Keys are case-sensitive; an attribute with an empty key is dropped and counted. */
struct otlog_attr {
	const char *key;
	size_t key_size; /* bytes, without a NUL */
	otlog_value value;
};

/* C++ before 20 has no designated initialisers: plain assignments work everywhere. */
#define OTLOG__VALUE_FUNCTION(name, parameter, tag, member) \
	static inline otlog_value name(parameter v)         \
	{                                                   \
		otlog_value value;                          \
		value.type = (tag);                         \
		value.flags = 0;                            \
		value.as.member = v;                        \
		return value;                               \
	}
OTLOG__VALUE_FUNCTION(otlog_bool, bool, OTLOG_VALUE_BOOL, boolean)
OTLOG__VALUE_FUNCTION(otlog_int64, int64_t, OTLOG_VALUE_INT64, int64)
OTLOG__VALUE_FUNCTION(otlog_uint64, uint64_t, OTLOG_VALUE_UINT64, uint64)
OTLOG__VALUE_FUNCTION(otlog_double, double, OTLOG_VALUE_DOUBLE, float64)
OTLOG__VALUE_FUNCTION(otlog_map, otlog_attrs, OTLOG_VALUE_MAP, map)
#undef OTLOG__VALUE_FUNCTION

/* Text of `size` bytes. It should be UTF-8; what is not becomes a bytes value. */
static inline otlog_value
otlog_string_n(const char *data, size_t size)
{
	otlog_value value;
	value.type = OTLOG_VALUE_STRING;
	value.flags = 0;
	value.as.bytes.data = data;
	value.as.bytes.size = size;
	return value;
}

static inline otlog_value
otlog_empty(void)
{
	otlog_value value;
	memset(&value, 0, sizeof value);
	return value;
}

/* A C string. NULL is the empty value. */
static inline otlog_value
otlog_string(const char *text)
{
	return text ? otlog_string_n(text, strlen(text)) : otlog_empty();
}

static inline otlog_value
otlog_bytes(const void *data, size_t size)
{
	otlog_value value = otlog_string_n((const char *)data, size);
	value.type = OTLOG_VALUE_BYTES;
	return value;
}

static inline otlog_value
otlog_array(const otlog_value *items, size_t count)
{
	otlog_value value;
	value.type = OTLOG_VALUE_ARRAY;
	value.flags = 0;
	value.as.array.items = items;
	value.as.array.count = count;
	return value;
}

static inline otlog_value
otlog__same(otlog_value value)
{
	return value;
}

/* An attribute with a C string as its key. The length of a literal key is a constant once optimised. */
static inline otlog_attr
otlog_attr_of(const char *key, otlog_value value)
{
	otlog_attr attr;
	attr.key = key;
	attr.key_size = key ? strlen(key) : 0;
	attr.value = value;
	return attr;
}

/*
 * Optional numbers in structs where absent is not 0: `.duration_ms = OTLOG_OPT(2500)`. {0} is "not given".
 */
typedef struct otlog_optional_int64 {
	bool is_set OTLOG__INIT;
	int64_t value OTLOG__INIT;
} otlog_optional_int64;

typedef struct otlog_optional_double {
	bool is_set OTLOG__INIT;
	double value OTLOG__INIT;
} otlog_optional_double;

/* ---- Severity ---------------------------------------------------------------------------------------------------- */

/* Source: opentelemetry-specification logs/data-model.md, "Field: SeverityNumber". */
enum otlog_severity {
	OTLOG_SEVERITY_UNSPECIFIED = 0, /* passes every minimum */
	OTLOG_SEVERITY_TRACE = 1,
	OTLOG_SEVERITY_TRACE2,
	OTLOG_SEVERITY_TRACE3,
	OTLOG_SEVERITY_TRACE4,
	OTLOG_SEVERITY_DEBUG,
	OTLOG_SEVERITY_DEBUG2,
	OTLOG_SEVERITY_DEBUG3,
	OTLOG_SEVERITY_DEBUG4,
	OTLOG_SEVERITY_INFO,
	OTLOG_SEVERITY_INFO2,
	OTLOG_SEVERITY_INFO3,
	OTLOG_SEVERITY_INFO4,
	OTLOG_SEVERITY_WARN,
	OTLOG_SEVERITY_WARN2,
	OTLOG_SEVERITY_WARN3,
	OTLOG_SEVERITY_WARN4,
	OTLOG_SEVERITY_ERROR,
	OTLOG_SEVERITY_ERROR2,
	OTLOG_SEVERITY_ERROR3,
	OTLOG_SEVERITY_ERROR4,
	OTLOG_SEVERITY_FATAL,
	OTLOG_SEVERITY_FATAL2,
	OTLOG_SEVERITY_FATAL3,
	OTLOG_SEVERITY_FATAL4
};

/* "TRACE" … "FATAL4"; "UNSPECIFIED" for 0 and for every other number. A static string. */
OTLOG_API const char *otlog_severity_name(int severity);

/* ---- Verdicts ---------------------------------------------------------------------------------------------------- */

/* What became of one emit. Only the first means that the record is on its way. */
#define OTLOG__EMIT_RESULTS(X)                                                                             \
	X(OTLOG_EMIT_ACCEPTED, "accepted")                                                                 \
	X(OTLOG_EMIT_DISABLED, "no SDK is running")                                                        \
	X(OTLOG_EMIT_FILTERED, "filtered: below the minimum severity, or no pipeline wants it")            \
	X(OTLOG_EMIT_QUEUE_FULL, "dropped: the queue is full")                                             \
	X(OTLOG_EMIT_BUSY, "dropped: every lane was busy, or a forked child has no queue yet")             \
	X(OTLOG_EMIT_TOO_LARGE, "dropped: the record is too large, even with its longest value truncated") \
	X(OTLOG_EMIT_INVALID, "dropped: the record is NULL or malformed")                                  \
	X(OTLOG_EMIT_AFTER_SHUTDOWN, "dropped: the SDK has been shut down")

typedef enum otlog_emit_result {
#define OTLOG__X(name, text) name,
	OTLOG__EMIT_RESULTS(OTLOG__X)
#undef OTLOG__X
} otlog_emit_result;

/* The text of a verdict, a static string. */
OTLOG_API const char *otlog_emit_result_text(otlog_emit_result result);

/* ---- Loggers ----------------------------------------------------------------------------------------------------- */

/*
 * A logger names the instrumentation scope of its records. It shows one word, so that a call whose severity is off is
 * decided inline; everything else is private. Loggers live as long as the process: never free one.
 */
typedef struct otlog_logger {
	/*
	 * Private: written by the SDK, atomically. Records below it are filtered; INT_MAX: nothing is emitted at all;
	 * OTLOG__ASK: what is filtered cannot be told by the severity alone, so otlog_enabled is asked.
	 */
	int minimum_severity;
} otlog_logger;

/* The instrumentation scope, as OTLP has it. Everything is copied; {0} is valid. */
typedef struct otlog_logger_options {
	const char *name OTLOG__INIT;    /* the library or module, e.g. "checkout"; NULL or "" works, with a warning */
	const char *version OTLOG__INIT; /* NULL: none */
	const char *schema_url OTLOG__INIT; /* NULL: none */
	otlog_attrs attributes OTLOG__INIT; /* of the scope */
} otlog_logger_options;

/*
 * Private: the call without a size of a function `name_sized` that emits (see otlog/otlog.h). In C++ also by reference, for
 * &(T){…} is no C++.
 */
#define OTLOG__EMIT_CALL(name, type)                                                  \
	static inline otlog_emit_result name(otlog_logger *logger, const type *given) \
	{                                                                             \
		return name##_sized(logger, given, sizeof *given);                    \
	}                                                                             \
	OTLOG__EMIT_CALL_BY_REFERENCE(name, type)
#ifdef __cplusplus
#define OTLOG__EMIT_CALL_BY_REFERENCE(name, type)                  \
	extern "C++" {                                             \
	inline otlog_emit_result                                   \
	name(otlog_logger *logger, const type &given)              \
	{                                                          \
		return name##_sized(logger, &given, sizeof given); \
	}                                                          \
	}
#else
#define OTLOG__EMIT_CALL_BY_REFERENCE(name, type)
#endif

/*
 * The global provider's logger of this name and version (either may be NULL). The same arguments give the same logger.
 * Never returns NULL: out of memory, it returns a logger that does nothing. Takes a lock and allocates on first use of
 * a name: call it once per scope and keep the result.
 */
OTLOG_API otlog_logger *otlog_get_logger(const char *name, const char *version);

/* The same with schema URL and scope attributes. */
OTLOG_API otlog_logger *otlog_get_logger_with_sized(const otlog_logger_options *options, size_t options_size);

static inline otlog_logger *
otlog_get_logger_with(const otlog_logger_options *options)
{
	return otlog_get_logger_with_sized(options, sizeof *options);
}

#ifdef __cplusplus
extern "C++" {
inline otlog_logger *
otlog_get_logger_with(const otlog_logger_options &options)
{
	return otlog_get_logger_with_sized(&options, sizeof options);
}
}
#endif

/*
 * Whether a record of this severity would be taken at this moment. Optional: use it to skip costly preparations. The
 * answer may change at any time, so do not keep it. `event_name` may be NULL: whether any record of this severity would.
 */
OTLOG_API bool otlog_enabled(const otlog_logger *logger, int severity, const char *event_name);

/* Private: as a logger's minimum, otlog_enabled decides. Below every severity, so that one comparison rules it out. */
#define OTLOG__ASK INT_MIN

/* Private: the inline half of otlog_enabled. NULL is never enabled; no severity passes every minimum of a live SDK. */
static inline bool
otlog__enabled_at(const otlog_logger *logger, int severity)
{
	if (!logger)
		return false;
	int minimum = __atomic_load_n(&logger->minimum_severity, __ATOMIC_RELAXED);
	if (severity >= minimum)
		return __builtin_expect(minimum != OTLOG__ASK, 1) || otlog_enabled(logger, severity, NULL);
	return severity <= 0 && minimum != INT_MAX;
}

/* ---- Records ----------------------------------------------------------------------------------------------------- */

/* Inside one otlog_attr_group: the attribute `key` is sent under `name` instead of prefix + key. */
typedef struct otlog_key_alias {
	const char *key OTLOG__INIT;
	size_t key_size OTLOG__INIT;
	const char *name OTLOG__INIT;
	size_t name_size OTLOG__INIT;
} otlog_key_alias;

/*
 * Attributes that share a prefix of their keys: an event model maps the caller's list to its own namespace without
 * copying it. Each key is sent as prefix + key, unless an alias names it.
 */
typedef struct otlog_attr_group {
	const char *prefix OTLOG__INIT; /* may be NULL */
	size_t prefix_size OTLOG__INIT;
	const otlog_key_alias *aliases OTLOG__INIT;
	size_t alias_count OTLOG__INIT;
	otlog_attrs attributes OTLOG__INIT;
} otlog_attr_group;

/*
 * A log record. {0} is a valid one: every zero means "not given". Everything is borrowed until the emit returns.
 * At most 128 attributes are sent, nested 64 deep at most; what is over is dropped and counted in the record
 * (opentelemetry-specification common/README.md, "Attribute Limits"). A key given twice is sent once, in the place of
 * the first with the value of the last. Names and keys that are not UTF-8 get U+FFFD in place of what is not. A span
 * context may name its trace alone.
 */
typedef struct otlog_record {
	uint64_t time_unix_nano OTLOG__INIT;          /* when it happened */
	uint64_t observed_time_unix_nano OTLOG__INIT; /* 0: now */
	int severity OTLOG__INIT;                     /* enum otlog_severity; any number out of 1…24 counts as 0 */
	const char *severity_text OTLOG__INIT;        /* as the source spells it */
	otlog_value body OTLOG__INIT;                 /* of any type */
	otlog_attrs attributes OTLOG__INIT;
	const otlog_attr_group *groups OTLOG__INIT; /* more attributes, after the ones above */
	size_t group_count OTLOG__INIT;
	const char *event_name OTLOG__INIT;                 /* non-empty makes the record an event */
	const otlog_span_context *span_context OTLOG__INIT; /* NULL: the thread's current one; all zero: none */
} otlog_record;

/*
 * Emits one record. Returns what became of it. A NULL logger gives OTLOG_EMIT_DISABLED, a NULL record
 * OTLOG_EMIT_INVALID.
 */
OTLOG_API otlog_emit_result otlog_emit_sized(otlog_logger *logger, const otlog_record *record, size_t record_size);
OTLOG__EMIT_CALL(otlog_emit, otlog_record)

/* Where in the source a record comes from: sent as code.file.path, code.function.name and code.line.number. */
typedef struct otlog_site {
	const char *file OTLOG__INIT;
	const char *function OTLOG__INIT;
	int line OTLOG__INIT;
} otlog_site;

/*
 * What the macros call: a record with a text body, time = now. `site` may be NULL. An attribute that the caller gives
 * under one of the site's keys wins.
 */
OTLOG_API otlog_emit_result otlog_log(otlog_logger *logger, int severity, const otlog_site *site, const char *message,
                                      otlog_attrs attributes);

#ifdef __cplusplus
} /* extern "C" */
#endif

/* ---- Macros ------------------------------------------------------------------------------------------------------ */

/* Counts 1 to 48 arguments without __VA_OPT__ (C23, C++20) and without ## (GNU). */
#define OTLOG__PICK(a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, c0, c1, c2, c3,    \
                    c4, c5, c6, c7, c8, c9, d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, e0, e1, e2, e3, e4, e5, e6, e7, n, \
                    ...)                                                                                               \
	n
#define OTLOG__COUNT(...)                                                                                              \
	OTLOG__PICK(__VA_ARGS__, 48, 47, 46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28,   \
	            27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, \
	            ~)
#define OTLOG__ONE_OR_MORE(...)                                                                                      \
	OTLOG__PICK(__VA_ARGS__, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, \
	            MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE,  \
	            MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE,  \
	            MORE, ONE, ~)
#define OTLOG__CAT_(a, b) a##b
#define OTLOG__CAT(a, b) OTLOG__CAT_(a, b)
#define OTLOG__FIRST(...) OTLOG__FIRST_(__VA_ARGS__, ~)
#define OTLOG__FIRST_(first, ...) first
#define OTLOG__REST_ONE(first) OTLOG__NO_ATTRS
#define OTLOG__REST_MORE(first, ...) OTLOG_ATTRS(__VA_ARGS__)
#define OTLOG__REST(...) OTLOG__CAT(OTLOG__REST_, OTLOG__ONE_OR_MORE(__VA_ARGS__))(__VA_ARGS__)

/*
 * OTLOG_VALUE(v)          a value whose type follows from v: integers, floating point, bool, C strings, otlog_attrs,
 *                         otlog_value; in C++ also std::string_view and nullptr
 * OTLOG_KV(key, v)        an attribute
 * OTLOG_ATTRS(kv, …)      a list of 1 to 48 attributes
 * OTLOG_ARRAY(value, …)   an array value of 1 to 48 values
 * OTLOG_OPT(v)            an optional number that is set
 *
 * Lifetime: lists and arrays made so live in C until the end of the enclosing block, in C++ until the end of the full
 * expression; use them in the call that takes them. In C11 `true` and `a > b` are int: write otlog_bool(a > b).
 */
#ifndef __cplusplus

/* clang-format off */
#define OTLOG_VALUE(v) \
	_Generic((v), \
		bool: otlog_bool, \
		char: otlog_int64, \
		signed char: otlog_int64, \
		short: otlog_int64, \
		int: otlog_int64, \
		long: otlog_int64, \
		long long: otlog_int64, \
		unsigned char: otlog_uint64, \
		unsigned short: otlog_uint64, \
		unsigned: otlog_uint64, \
		unsigned long: otlog_uint64, \
		unsigned long long: otlog_uint64, \
		float: otlog_double, \
		double: otlog_double, \
		char *: otlog_string, \
		const char *: otlog_string, \
		otlog_attrs: otlog_map, \
		otlog_value: otlog__same)(v)
/* clang-format on */
#define OTLOG_KV(key, v) otlog_attr_of((key), OTLOG_VALUE(v))
#define OTLOG__NO_ATTRS ((otlog_attrs){ NULL, 0 })
#define OTLOG_ATTRS(...) ((otlog_attrs){ (const otlog_attr[]){ __VA_ARGS__ }, OTLOG__COUNT(__VA_ARGS__) })
#define OTLOG_ARRAY(...) otlog_array((const otlog_value[]){ __VA_ARGS__ }, OTLOG__COUNT(__VA_ARGS__))
#define OTLOG_OPT(v)      \
	{                 \
		true, (v) \
	}

#else
extern "C++" {

#if defined(__clang__)
#define OTLOG__LIFETIMEBOUND [[clang::lifetimebound]]
#else
#define OTLOG__LIFETIMEBOUND
#endif

namespace otlog
{
#define OTLOG__VALUE_OF(type, function)  \
	inline otlog_value value(type v) \
	{                                \
		return function(v);      \
	}
OTLOG__VALUE_OF(bool, otlog_bool)
OTLOG__VALUE_OF(char, otlog_int64)
OTLOG__VALUE_OF(signed char, otlog_int64)
OTLOG__VALUE_OF(short, otlog_int64)
OTLOG__VALUE_OF(int, otlog_int64)
OTLOG__VALUE_OF(long, otlog_int64)
OTLOG__VALUE_OF(long long, otlog_int64)
OTLOG__VALUE_OF(unsigned char, otlog_uint64)
OTLOG__VALUE_OF(unsigned short, otlog_uint64)
OTLOG__VALUE_OF(unsigned, otlog_uint64)
OTLOG__VALUE_OF(unsigned long, otlog_uint64)
OTLOG__VALUE_OF(unsigned long long, otlog_uint64)
OTLOG__VALUE_OF(double, otlog_double)
OTLOG__VALUE_OF(const char *, otlog_string)
OTLOG__VALUE_OF(otlog_value, otlog__same)
#undef OTLOG__VALUE_OF
inline otlog_value
value(float v)
{
	return otlog_double(static_cast<double>(v));
}
inline otlog_value
value(std::string_view v)
{
	return otlog_string_n(v.data(), v.size());
}
inline otlog_value
value(std::nullptr_t)
{
	return otlog_empty();
}
inline otlog_value
value(otlog_attrs v OTLOG__LIFETIMEBOUND)
{
	return otlog_map(v);
}
template <class T> otlog_value value(const T *) = delete; /* or any pointer would become a bool */

inline otlog_attrs
attrs(std::initializer_list<otlog_attr> list OTLOG__LIFETIMEBOUND)
{
	return { list.begin(), list.size() };
}
inline otlog_value
array(std::initializer_list<otlog_value> list OTLOG__LIFETIMEBOUND)
{
	return otlog_array(list.begin(), list.size());
}

/* The field decides what the number becomes, so size_t → int64 and int → double are no narrowing errors. */
template <class T> struct optional_argument {
	T v;
	operator otlog_optional_int64() const
	{
		return { true, static_cast<int64_t>(v) };
	}
	operator otlog_optional_double() const
	{
		return { true, static_cast<double>(v) };
	}
};
template <class T>
optional_argument<T>
opt(T v)
{
	return { v };
}
} /* namespace otlog */

#define OTLOG_VALUE(v) ::otlog::value(v)
#define OTLOG_KV(key, v) otlog_attr_of((key), ::otlog::value(v))
#define OTLOG__NO_ATTRS (otlog_attrs())
#define OTLOG_ATTRS(...) ::otlog::attrs({ __VA_ARGS__ })
#define OTLOG_ARRAY(...) ::otlog::array({ __VA_ARGS__ })
#define OTLOG_OPT(v) ::otlog::opt(v)
} /* extern "C++" */
#endif

/*
 * OTLOG_INFO(logger, "message") or OTLOG_INFO(logger, "message", OTLOG_KV("key", value), …), 47 attributes at most.
 * The arguments are not evaluated when the severity is off; logger and severity are evaluated once. The verdict is
 * given up: call otlog_log to have it.
 */
#define OTLOG_LOG(logger, severity, ...)                                                                   \
	do {                                                                                               \
		otlog_logger *otlog_logger_ = (logger);                                                    \
		const int otlog_severity_ = (severity);                                                    \
		if (otlog__enabled_at(otlog_logger_, otlog_severity_)) {                                   \
			static const otlog_site otlog_site_ = { __FILE__, __func__, __LINE__ };            \
			otlog_log(otlog_logger_, otlog_severity_, &otlog_site_, OTLOG__FIRST(__VA_ARGS__), \
			          OTLOG__REST(__VA_ARGS__));                                               \
		}                                                                                          \
	} while (0)
#define OTLOG_TRACE(logger, ...) OTLOG_LOG(logger, OTLOG_SEVERITY_TRACE, __VA_ARGS__)
#define OTLOG_DEBUG(logger, ...) OTLOG_LOG(logger, OTLOG_SEVERITY_DEBUG, __VA_ARGS__)
#define OTLOG_INFO(logger, ...) OTLOG_LOG(logger, OTLOG_SEVERITY_INFO, __VA_ARGS__)
#define OTLOG_WARN(logger, ...) OTLOG_LOG(logger, OTLOG_SEVERITY_WARN, __VA_ARGS__)
#define OTLOG_ERROR(logger, ...) OTLOG_LOG(logger, OTLOG_SEVERITY_ERROR, __VA_ARGS__)
#define OTLOG_FATAL(logger, ...) OTLOG_LOG(logger, OTLOG_SEVERITY_FATAL, __VA_ARGS__)

#endif

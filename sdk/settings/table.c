#include "sdk/settings/table.h"

#include "sdk/base/strings.h"

#include <inttypes.h>
#include <stddef.h>

#define MOST_MS INT32_MAX /* libcurl counts milliseconds in an int; about 24 days */
#define KIB UINT64_C(1024)

static const otlog__choice log_levels[] = {
	{ .name = "none", .value = OTLOG_DIAGNOSTIC_NONE },   { .name = "error", .value = OTLOG_DIAGNOSTIC_ERROR },
	{ .name = "warn", .value = OTLOG_DIAGNOSTIC_WARN },   { .name = "info", .value = OTLOG_DIAGNOSTIC_INFO },
	{ .name = "debug", .value = OTLOG_DIAGNOSTIC_DEBUG }, { .name = NULL },
};

static const otlog__choice protocols[] = {
	{ .name = "http/protobuf", .value = OTLOG__HTTP_PROTOBUF },
	{ .name = "http/json", .value = OTLOG__HTTP_JSON },
	{ .name = "grpc", .value = OTLOG__GRPC },
	{ .name = NULL },
};

static const otlog__choice exporters[] = {
	{ .name = "otlp", .value = OTLOG__TO_OTLP },
	{ .name = "console", .value = OTLOG__TO_CONSOLE },
	{ .name = "otlp/stdout", .value = OTLOG__TO_OTLP_STDOUT },
	{ .name = "none", .value = OTLOG__TO_NONE },
	{ .name = NULL },
};

static const otlog__choice mito_versions[] = {
	{ .name = "2", .value = OTLOG__MITO_VERSION },
	{ .name = "1", .refused = "the version of Mito's configuration that has no log server" },
	{ .name = NULL },
};

static bool
has_mito_version(const otlog__settings *so_far)
{
	return so_far->mito_version == OTLOG__MITO_VERSION;
}

static bool
has_mito_url(const otlog__settings *so_far)
{
	return so_far->mito_url;
}

static const otlog__choice compressions[] = {
	{ .name = "none", .value = OTLOG_COMPRESSION_NONE },
	{ .name = "gzip", .value = OTLOG_COMPRESSION_GZIP },
	{ .name = NULL },
};

static const otlog__choice queue_policies[] = {
	{ .name = "drop", .value = OTLOG_QUEUE_FULL_DROP },
	{ .name = "block", .value = OTLOG_QUEUE_FULL_BLOCK },
	{ .name = NULL },
};

static const otlog__choice durabilities[] = {
	{ .name = "none", .value = OTLOG_DURABILITY_NONE },
	{ .name = "interval", .value = OTLOG_DURABILITY_INTERVAL },
	{ .name = "batch", .value = OTLOG_DURABILITY_BATCH },
	{ .name = NULL },
};

static const otlog__choice spool_policies[] = {
	{ .name = "drop_oldest", .value = OTLOG_SPOOL_FULL_DROP_OLDEST },
	{ .name = "drop_newest", .value = OTLOG_SPOOL_FULL_DROP_NEWEST },
	{ .name = "block", .value = OTLOG_SPOOL_FULL_BLOCK },
	{ .name = NULL },
};

#define MEMBER(name) .offset = offsetof(otlog__settings, name)
#define OTLP(name) .variable = "OTEL_EXPORTER_OTLP_LOGS_" name, .general = "OTEL_EXPORTER_OTLP_" name

const otlog__setting otlog__setting_table[] = {
	{ .group = "The SDK",
	  .variable = "OTEL_SDK_DISABLED",
	  .kind = OTLOG__KIND_BOOL,
	  MEMBER(sdk_disabled),
	  .in_code = "not calling `otlog_start`",
	  .about = "`true` turns the SDK off: every emit does nothing." },
	{ .group = "The SDK",
	  .variable = "OTEL_LOG_LEVEL",
	  .kind = OTLOG__KIND_ENUM,
	  MEMBER(log_level),
	  .choices = log_levels,
	  .initial = OTLOG_DIAGNOSTIC_WARN,
	  .in_code = "`otlog_options.diagnostic_level`",
	  .about = "How much the SDK says about itself. It does not touch your records." },

	{ .group = "The resource",
	  .variable = "OTEL_SERVICE_NAME",
	  .kind = OTLOG__KIND_TEXT,
	  MEMBER(service_name),
	  .initial_text = "`unknown_service:<executable>`",
	  .in_code = "`otlog_options.service_name`",
	  .about = "`service.name`; wins over `OTEL_RESOURCE_ATTRIBUTES`." },
	{ .group = "The resource",
	  .variable = "OTEL_RESOURCE_ATTRIBUTES",
	  .kind = OTLOG__KIND_LIST,
	  MEMBER(resource_attributes),
	  .initial_text = "none",
	  .in_code = "`otlog_options.resource_attributes`",
	  .about =
	      "More attributes of the resource. `,`, `=` and `%` in keys and values are percent-encoded. One malformed "
	      "member discards the whole list." },

	{ .group = "Destinations",
	  .variable = "OTEL_LOGS_EXPORTER",
	  .kind = OTLOG__KIND_SET,
	  MEMBER(exporters),
	  .choices = exporters,
	  .initial = OTLOG__TO_OTLP,
	  .in_code = "`otlog_options.pipelines`",
	  .about =
	      "Where records go: over OTLP, to the standard output as lines for people (`console`) or as OTLP JSON "
	      "lines (`otlp/stdout`), or nowhere. All of a list at the same time. A Mito log server is beside these." },

	{ .group = "Export over OTLP",
	  OTLP("PROTOCOL"),
	  .kind = OTLOG__KIND_ENUM,
	  MEMBER(protocol),
	  .choices = protocols,
	  .initial = OTLOG__HTTP_PROTOBUF,
	  .in_code = "the exporter that is created",
	  .about = "How records are sent." },
	{ .group = "Export over OTLP",
	  OTLP("ENDPOINT"),
	  .kind = OTLOG__KIND_URL,
	  MEMBER(endpoint),
	  .initial_text = "http://localhost:4318/v1/logs",
	  .initial_grpc = "http://localhost:4317",
	  .in_code = "`otlog_otlp_options.endpoint`",
	  .about =
	      "Where they are sent. The variable for logs is the whole URL (without a path: `/`); to the general one "
	      "`v1/logs` is appended. With gRPC either is the whole target, which need not be a URL, and the default "
	      "is "
	      "`http://localhost:4317`." },
	{ .group = "Export over OTLP",
	  OTLP("INSECURE"),
	  .kind = OTLOG__KIND_BOOL,
	  MEMBER(insecure),
	  .in_code = "`otlog_grpc_options.insecure`",
	  .about =
	      "`true`: gRPC without TLS, for targets that are no URL. `http://` and `https://` decide by themselves." },
	{ .group = "Export over OTLP",
	  OTLP("HEADERS"),
	  .kind = OTLOG__KIND_HEADERS,
	  MEMBER(headers),
	  .initial_text = "none",
	  .in_code = "`otlog_otlp_options.headers`",
	  .about = "Headers of every request, percent-encoded as above. The value stands in no diagnostic." },
	{ .group = "Export over OTLP",
	  OTLP("TIMEOUT"),
	  .kind = OTLOG__KIND_DURATION,
	  MEMBER(otlp_timeout_ms),
	  .most = MOST_MS,
	  .initial = 10000,
	  .in_code = "`otlog_pipeline_options.export_timeout_ms`",
	  .about = "Bounds one attempt to send a batch; 0: no bound." },
	{ .group = "Export over OTLP",
	  OTLP("COMPRESSION"),
	  .kind = OTLOG__KIND_ENUM,
	  MEMBER(compression),
	  .choices = compressions,
	  .initial = OTLOG_COMPRESSION_NONE,
	  .in_code = "`otlog_otlp_options.compression`",
	  .about = "Of request bodies." },
	{ .group = "Export over OTLP",
	  OTLP("CERTIFICATE"),
	  .kind = OTLOG__KIND_FILE,
	  MEMBER(ca_file),
	  .initial_text = "the system's trust roots",
	  .in_code = "`otlog_otlp_options.ca_file`",
	  .about = "Certificates that the server's one is checked with. Over HTTP these three files are read again "
	           "when they change." },
	{ .group = "Export over OTLP",
	  OTLP("CLIENT_CERTIFICATE"),
	  .kind = OTLOG__KIND_FILE,
	  MEMBER(client_certificate_file),
	  .initial_text = "none",
	  .in_code = "`otlog_otlp_options.client_certificate_file`",
	  .about = "The client's certificate, for mutual TLS." },
	{ .group = "Export over OTLP",
	  OTLP("CLIENT_KEY"),
	  .kind = OTLOG__KIND_FILE,
	  MEMBER(client_key_file),
	  .initial_text = "none",
	  .in_code = "`otlog_otlp_options.client_key_file`",
	  .about = "Its private key." },

	{ .group = "The Mito log server",
	  .variable = "MITO_CONFIG_VERSION",
	  .kind = OTLOG__KIND_ENUM,
	  MEMBER(mito_version),
	  .choices = mito_versions,
	  .initial_text = "none, which sends nothing to a Mito log server",
	  .in_code = "`otlog_mito_exporter_create`",
	  .about = "Needed for what follows." },
	{ .group = "The Mito log server",
	  .variable = "MITO_CONFIG_LOG_SERVER_URL",
	  .kind = OTLOG__KIND_ADDRESS,
	  MEMBER(mito_url),
	  .initial_text = "none, which sends nothing to a Mito log server",
	  .wanted = has_mito_version,
	  .in_code = "`otlog_mito_options.url`",
	  .about =
	      "Where records are posted as flat JSON objects (see otlog/exporters.h); may hold user and password." },
	{ .group = "The Mito log server",
	  .variable = "MITO_CONFIG_LOG_SERVER_BATCH_INTERVAL",
	  .kind = OTLOG__KIND_SECONDS,
	  MEMBER(mito_interval_ms),
	  .most = MOST_MS / 1000,
	  .initial = 10,
	  .wanted = has_mito_url,
	  .in_code = "`otlog_pipeline_options.schedule_delay_ms`",
	  .about = "From one upload to the next; 0: as soon as there is something." },
	{ .group = "The Mito log server",
	  .variable = "OTLOG_MITO_RESOURCE_ATTRIBUTES",
	  .kind = OTLOG__KIND_NAMES,
	  MEMBER(mito_resource_attributes),
	  .initial_text = "none",
	  .wanted = has_mito_url,
	  .in_code = "`otlog_mito_options.resource_attributes`",
	  .about = "Attributes of the resource that go into every object, such as `user.name,os.type`; their keys have "
	           "`_` for each `.`." },
	{ .group = "The Mito log server",
	  .variable = "OTLOG_MITO_CERTIFICATE",
	  .kind = OTLOG__KIND_FILE,
	  MEMBER(mito_ca_file),
	  .initial_text = "the system's trust roots",
	  .wanted = has_mito_url,
	  .in_code = "`otlog_mito_options.ca_file`",
	  .about = "Certificates that the log server's one is checked with." },
	{ .group = "The Mito log server",
	  .variable = "OTLOG_MITO_CLIENT_CERTIFICATE",
	  .kind = OTLOG__KIND_FILE,
	  MEMBER(mito_client_certificate_file),
	  .initial_text = "none",
	  .wanted = has_mito_url,
	  .in_code = "`otlog_mito_options.client_certificate_file`",
	  .about = "The client's certificate, for mutual TLS." },
	{ .group = "The Mito log server",
	  .variable = "OTLOG_MITO_CLIENT_KEY",
	  .kind = OTLOG__KIND_FILE,
	  MEMBER(mito_client_key_file),
	  .initial_text = "none",
	  .wanted = has_mito_url,
	  .in_code = "`otlog_mito_options.client_key_file`",
	  .about = "Its private key." },

	{ .group = "Batches",
	  .variable = "OTEL_BLRP_SCHEDULE_DELAY",
	  .kind = OTLOG__KIND_DURATION,
	  MEMBER(schedule_delay_ms),
	  .most = MOST_MS,
	  .initial = 1000,
	  .in_code = "`otlog_pipeline_options.schedule_delay_ms`",
	  .about = "How long a record waits at most for a batch to fill; 0 counts as 1." },
	{ .group = "Batches",
	  .variable = "OTEL_BLRP_EXPORT_TIMEOUT",
	  .kind = OTLOG__KIND_DURATION,
	  MEMBER(export_timeout_ms),
	  .most = MOST_MS,
	  .initial = 30000,
	  .in_code = "`otlog_pipeline_options.export_timeout_ms`",
	  .about = "Bounds one attempt too: the smaller of this and `OTEL_EXPORTER_OTLP_TIMEOUT` holds; 0: no bound." },
	{ .group = "Batches",
	  .variable = "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE",
	  .kind = OTLOG__KIND_COUNT,
	  MEMBER(max_batch_records),
	  .least = 1,
	  .most = 65536,
	  .initial = 512,
	  .in_code = "`otlog_pipeline_options.max_batch_records`",
	  .about = "Records in a batch; a batch closes at 1 MiB too. At most `OTEL_BLRP_MAX_QUEUE_SIZE`." },

	{ .group = "The queue",
	  .variable = "OTEL_BLRP_MAX_QUEUE_SIZE",
	  .kind = OTLOG__KIND_COUNT,
	  MEMBER(max_queue_records),
	  .least = 1,
	  .most = INT32_MAX,
	  .initial_text = "no limit of records",
	  .in_code = "`otlog_options.max_queue_records`",
	  .about = "Records in the queue, beside the limit of bytes; divided over the queue's lanes." },
	{ .group = "The queue",
	  .variable = "OTLOG_QUEUE_BYTES",
	  .kind = OTLOG__KIND_BYTES,
	  MEMBER(queue_bytes),
	  .least = 512 * KIB,
	  .most = 1024 * 1024 * KIB,
	  .initial = 16 * 1024 * KIB,
	  .in_code = "`otlog_options.queue_bytes`",
	  .about = "Memory of the queue, or the size of its file." },
	{ .group = "The queue",
	  .variable = "OTLOG_QUEUE_FULL",
	  .kind = OTLOG__KIND_ENUM,
	  MEMBER(queue_full),
	  .choices = queue_policies,
	  .initial = OTLOG_QUEUE_FULL_DROP,
	  .in_code = "`otlog_options.queue_full`",
	  .about = "What an emit does when the queue is full: drop and count the record, or wait for room." },
	{ .group = "The queue",
	  .variable = "OTLOG_QUEUE_BLOCK_TIMEOUT",
	  .kind = OTLOG__KIND_DURATION,
	  MEMBER(queue_block_timeout_ms),
	  .least = 1,
	  .most = MOST_MS,
	  .initial = 5000,
	  .in_code = "`otlog_options.queue_block_timeout_ms`",
	  .about =
	      "How long an emit waits for room at most, with `OTLOG_QUEUE_FULL=block`; then it drops the record." },

	{ .group = "Records that outlive the process",
	  .variable = "OTLOG_QUEUE_DIR",
	  .kind = OTLOG__KIND_DIRECTORY,
	  MEMBER(queue_directory),
	  .initial_text = "none: the queue is in memory",
	  .in_code = "`otlog_options.queue_directory`",
	  .about = "The queue is a file in this directory: records in it survive the process, however it ends, and the "
	           "next one that uses the directory delivers them. On ext4, xfs, btrfs or tmpfs; in a container, on a "
	           "volume. It is created, for this user alone, if no more than its last part is missing." },
	{ .group = "Records that outlive the process",
	  .variable = "OTLOG_DURABILITY",
	  .kind = OTLOG__KIND_ENUM,
	  MEMBER(durability),
	  .choices = durabilities,
	  .initial = OTLOG_DURABILITY_NONE,
	  .in_code = "`otlog_options.durability`",
	  .about = "When the queue's file is brought to the disk, so that it survives the machine too: never, at an "
	           "interval, or with every batch that is sent and at its schedule. Needs `OTLOG_QUEUE_DIR`." },
	{ .group = "Records that outlive the process",
	  .variable = "OTLOG_SYNC_INTERVAL",
	  .kind = OTLOG__KIND_DURATION,
	  MEMBER(sync_interval_ms),
	  .least = 1,
	  .most = MOST_MS,
	  .initial = OTLOG__SYNC_INTERVAL_MS,
	  .in_code = "`otlog_options.sync_interval_ms`",
	  .about = "From one sync to the next, with `OTLOG_DURABILITY=interval`." },
	{ .group = "Records that outlive the process",
	  .variable = "OTLOG_SPOOL_BYTES",
	  .kind = OTLOG__KIND_BYTES,
	  MEMBER(spool_bytes),
	  .most = 1024 * 1024 * 1024 * KIB,
	  .initial_text = "0: no spool",
	  .in_code = "`otlog_options.spool_bytes`",
	  .about =
	      "Files, for each destination, that take what it does not take while the queue fills. Less than 1 MiB "
	      "counts as 1 MiB. Needs `OTLOG_QUEUE_DIR`." },
	{ .group = "Records that outlive the process",
	  .variable = "OTLOG_SPOOL_FULL",
	  .kind = OTLOG__KIND_ENUM,
	  MEMBER(spool_full),
	  .choices = spool_policies,
	  .initial = OTLOG_SPOOL_FULL_DROP_OLDEST,
	  .in_code = "`otlog_options.spool_full`",
	  .about = "What happens when a spool is full: its oldest records are dropped and counted, or the newest ones, "
	           "or nothing more is put there: the queue fills, and `OTLOG_QUEUE_FULL` says what emits do." },

	{ .group = "The end of the program",
	  .variable = "OTLOG_FLUSH_AT_EXIT",
	  .kind = OTLOG__KIND_SWITCH,
	  MEMBER(flush_at_exit),
	  .in_code = "`otlog_options.flush_at_exit`",
	  .about =
	      "Calls `otlog_shutdown(5000)` when the program returns from `main` or calls `exit`, for programs that "
	      "cannot do it themselves." },
	{ .group = "The end of the program",
	  .variable = "OTLOG_CRASH_HANDLER",
	  .kind = OTLOG__KIND_SWITCH,
	  MEMBER(crash_handler),
	  .in_code = "`otlog_options.crash_handler`",
	  .about = "Writes an event `otlog.crash` when the program dies of SIGSEGV, SIGABRT, SIGBUS, SIGFPE or SIGILL. "
	           "It is delivered only from a queue directory, by the next process." },
};

const size_t otlog__setting_count = sizeof otlog__setting_table / sizeof otlog__setting_table[0];

static const char *
choice_name(const otlog__choice *choices, uint64_t value)
{
	while (choices->name && choices->value != value)
		choices++;
	return choices->name;
}

const char *
otlog__setting_initial(const otlog__setting *row, char out[OTLOG__INITIAL_SHOWN])
{
	if (row->initial_text)
		return row->initial_text;
	switch (row->kind) {
	case OTLOG__KIND_BOOL:
		return row->initial ? "true" : "false";
	case OTLOG__KIND_SWITCH:
		return row->initial ? "1" : "0";
	case OTLOG__KIND_ENUM:
	case OTLOG__KIND_SET:
		return choice_name(row->choices, row->initial);
	case OTLOG__KIND_SECONDS:
		snprintf(out, OTLOG__INITIAL_SHOWN, "%" PRIu64 " s", row->initial);
		return out;
	case OTLOG__KIND_DURATION:
		snprintf(out, OTLOG__INITIAL_SHOWN, "%" PRIu64 " ms", row->initial);
		return out;
	case OTLOG__KIND_BYTES:
		return otlog__bytes_show(row->initial, out);
	default:
		snprintf(out, OTLOG__INITIAL_SHOWN, "%" PRIu64, row->initial);
		return out;
	}
}

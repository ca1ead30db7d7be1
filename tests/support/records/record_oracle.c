#include "tests/support/records/record_oracle.h"

#include "tests/support/harness/check.h"
#include "tests/support/records/utf8_oracle.h"

#define CASE(name) OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_##name

/* What the encoder should have noted. */
typedef struct expectation {
	const otlog__limits *limits;
	otlog__encode_notes notes;
} expectation;

static bool
same_bytes(ProtobufCBinaryData got, const void *data, size_t size)
{
	return got.len == size && (!size || memcmp(got.data, data, size) == 0);
}

/* ---- Keys -------------------------------------------------------------------------------------------------------- */

typedef struct wire_key {
	uint8_t *data;
	size_t size; /* 0: there is no key */
	bool replaced;
	const otlog_value *value;
} wire_key;

static wire_key
key_of(const otlog_attr_group *group, const otlog_attr *attr)
{
	wire_key key = { .value = &attr->value };
	if (!attr->key || !attr->key_size)
		return key;
	const char *prefix = group && group->prefix ? group->prefix : "";
	size_t prefix_size = group && group->prefix ? group->prefix_size : 0;
	const char *name = attr->key;
	size_t name_size = attr->key_size;
	for (size_t i = 0; group && group->aliases && i < group->alias_count; i++) {
		const otlog_key_alias *alias = &group->aliases[i];
		if (!alias->key || !alias->name || !alias->name_size || alias->key_size != attr->key_size ||
		    memcmp(alias->key, attr->key, attr->key_size) != 0)
			continue;
		prefix_size = 0;
		name = alias->name;
		name_size = alias->name_size;
		break;
	}
	key.data = malloc(3 * (prefix_size + name_size));
	CHECK(key.data);
	key.size = utf8_oracle_replace((const uint8_t *)prefix, prefix_size, key.data);
	key.size += utf8_oracle_replace((const uint8_t *)name, name_size, key.data + key.size);
	key.replaced = !utf8_oracle_is_valid((const uint8_t *)prefix, prefix_size) ||
	               !utf8_oracle_is_valid((const uint8_t *)name, name_size);
	return key;
}

/* ---- Values ------------------------------------------------------------------------------------------------------ */

static void check_value(expectation *e, const otlog_value *given, const oracle_value *got, uint32_t above);

static void
check_text(expectation *e, const otlog_value *given, const oracle_value *got)
{
	const uint8_t *data = given->as.bytes.data;
	size_t size = given->as.bytes.size;
	size_t limit = e->limits->value_size;
	size_t cut = size < limit ? size : limit;
	while (cut < size && cut + 3 > limit && cut > 0 && data[cut] >> 6 == 2)
		cut--;
	if (cut < size && data[cut] >> 6 == 2)
		cut = limit;
	e->notes.truncated |= cut < size;
	if (utf8_oracle_is_valid(data, cut)) {
		CHECK(got->value_case == CASE(STRING_VALUE) && same_bytes(got->string_value, data, cut));
		return;
	}
	e->notes.not_utf8 = true;
	cut = size < limit ? size : limit;
	CHECK(got->value_case == CASE(BYTES_VALUE) && same_bytes(got->bytes_value, data, cut));
}

static void
check_unsigned(uint64_t given, const oracle_value *got)
{
	char digits[24];
	if (given <= INT64_MAX) {
		CHECK(got->value_case == CASE(INT_VALUE) && got->int_value == (int64_t)given);
		return;
	}
	int size = snprintf(digits, sizeof digits, "%llu", (unsigned long long)given);
	CHECK(got->value_case == CASE(STRING_VALUE) && same_bytes(got->string_value, digits, (size_t)size));
}

/* Builds the list of keys that should be there, in order, each with its value. */
static wire_key *
keys_to_send(expectation *e, const otlog_attrs *lists, const otlog_attr_group *const *groups, size_t list_count,
             size_t limit, size_t *count)
{
	size_t all = 0;
	for (size_t l = 0; l < list_count; l++)
		all += lists[l].items ? lists[l].count : 0;
	wire_key *sent = calloc(all + 1, sizeof *sent);
	CHECK(sent);
	*count = 0;
	for (size_t l = 0; l < list_count; l++) {
		for (size_t i = 0; lists[l].items && i < lists[l].count; i++) {
			wire_key key = key_of(groups[l], &lists[l].items[i]);
			size_t same = 0;
			while (key.size && same < *count &&
			       (sent[same].size != key.size || memcmp(sent[same].data, key.data, key.size) != 0))
				same++;
			if (key.size && same < *count) {
				sent[same].value = key.value;
				free(key.data);
			} else if (key.size && *count < limit) {
				e->notes.not_utf8 |= key.replaced;
				sent[(*count)++] = key;
			} else {
				e->notes.dropped_attributes++;
				free(key.data);
			}
		}
	}
	return sent;
}

static void
check_attributes(expectation *e, wire_key *expected, size_t expected_count, oracle_attr *const *got, size_t got_count,
                 uint32_t above)
{
	CHECK(got_count == expected_count);
	for (size_t i = 0; i < expected_count; i++) {
		CHECK(same_bytes(got[i]->key, expected[i].data, expected[i].size));
		CHECK(got[i]->value);
		check_value(e, expected[i].value, got[i]->value, above);
		free(expected[i].data);
	}
	free(expected);
}

static void
check_container(expectation *e, const otlog_value *given, const oracle_value *got, uint32_t above)
{
	bool is_map = given->type == OTLOG_VALUE_MAP;
	size_t count = is_map ? given->as.map.count : given->as.array.count;
	uint32_t deepest = e->limits->depth < 64 ? e->limits->depth : 64;
	if (above >= deepest) {
		e->notes.too_deep |= count != 0;
		count = 0;
	}
	if (is_map) {
		CHECK(got->value_case == CASE(KVLIST_VALUE));
		otlog_attrs list = { count ? given->as.map.items : NULL, count };
		const otlog_attr_group *none = NULL;
		size_t sent_count;
		wire_key *sent = keys_to_send(e, &list, &none, 1, SIZE_MAX, &sent_count);
		check_attributes(e, sent, sent_count, got->kvlist_value->values, got->kvlist_value->n_values,
		                 above + 1);
		return;
	}
	CHECK(got->value_case == CASE(ARRAY_VALUE) && got->array_value->n_values == count);
	for (size_t i = 0; i < count; i++)
		check_value(e, &given->as.array.items[i], got->array_value->values[i], above + 1);
}

static void
check_value(expectation *e, const otlog_value *given, const oracle_value *got, uint32_t above)
{
	bool no_data = (given->type == OTLOG_VALUE_STRING || given->type == OTLOG_VALUE_BYTES) &&
	               !given->as.bytes.data && given->as.bytes.size;
	bool no_items = given->type == OTLOG_VALUE_ARRAY && !given->as.array.items && given->as.array.count;
	no_items |= given->type == OTLOG_VALUE_MAP && !given->as.map.items && given->as.map.count;
	size_t size = given->as.bytes.size < e->limits->value_size ? given->as.bytes.size : e->limits->value_size;
	switch (no_data || no_items ? OTLOG_VALUE_EMPTY : given->type) {
	case OTLOG_VALUE_STRING:
		check_text(e, given, got);
		break;
	case OTLOG_VALUE_BYTES:
		e->notes.truncated |= size < given->as.bytes.size;
		CHECK(got->value_case == CASE(BYTES_VALUE) && same_bytes(got->bytes_value, given->as.bytes.data, size));
		break;
	case OTLOG_VALUE_BOOL:
		CHECK(got->value_case == CASE(BOOL_VALUE) && !got->bool_value == !given->as.boolean);
		break;
	case OTLOG_VALUE_INT64:
		CHECK(got->value_case == CASE(INT_VALUE) && got->int_value == given->as.int64);
		break;
	case OTLOG_VALUE_UINT64:
		check_unsigned(given->as.uint64, got);
		break;
	case OTLOG_VALUE_DOUBLE:
		CHECK(got->value_case == CASE(DOUBLE_VALUE) &&
		      memcmp(&got->double_value, &given->as.float64, sizeof(double)) == 0);
		break;
	case OTLOG_VALUE_ARRAY:
	case OTLOG_VALUE_MAP:
		check_container(e, given, got, above);
		break;
	default:
		CHECK(got->value_case == CASE(_NOT_SET));
	}
}

/* ---- Records ----------------------------------------------------------------------------------------------------- */

static void
check_name(expectation *e, const char *given, ProtobufCBinaryData got)
{
	size_t size = given ? strlen(given) : 0;
	uint8_t *clean = malloc(3 * size + 1);
	CHECK(clean);
	size_t clean_size = utf8_oracle_replace((const uint8_t *)given, size, clean);
	e->notes.not_utf8 |= !utf8_oracle_is_valid((const uint8_t *)given, size);
	CHECK(same_bytes(got, clean, clean_size));
	free(clean);
}

static bool
is_zero(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

static void
check_trace(const otlog_span_context *given, const oracle_record *got)
{
	bool trace = given && !is_zero(given->trace_id, 16);
	bool span = trace && !is_zero(given->span_id, 8);
	CHECK(same_bytes(got->trace_id, trace ? given->trace_id : NULL, trace ? 16 : 0));
	CHECK(same_bytes(got->span_id, span ? given->span_id : NULL, span ? 8 : 0));
	CHECK(got->flags == (trace ? given->trace_flags : 0u));
}

static void
check_with(expectation *e, const random_record *given, const oracle_record *got)
{
	const otlog_record *record = &given->record;
	uint64_t now = given->now_unix_nano ? given->now_unix_nano : 1;
	CHECK(got->time_unix_nano == record->time_unix_nano);
	CHECK(got->observed_time_unix_nano ==
	      (record->observed_time_unix_nano ? record->observed_time_unix_nano : now));
	CHECK(got->severity_number == (record->severity >= 1 && record->severity <= 24 ? record->severity : 0));
	check_name(e, record->severity_text, got->severity_text);
	check_name(e, record->event_name, got->event_name);
	check_trace(given->context, got);
	static const oracle_value empty = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__INIT;
	CHECK(!got->body || got->body->value_case != CASE(_NOT_SET));
	check_value(e, &record->body, got->body ? got->body : &empty, 0);

	size_t group_count = record->groups ? record->group_count : 0;
	otlog_attrs *lists = calloc(group_count + 1, sizeof *lists);
	const otlog_attr_group **groups = calloc(group_count + 1, sizeof *groups);
	CHECK(lists && groups);
	lists[0] = record->attributes;
	for (size_t i = 0; i < group_count; i++) {
		groups[i + 1] = &record->groups[i];
		lists[i + 1] = record->groups[i].attributes;
	}
	size_t sent_count;
	wire_key *sent = keys_to_send(e, lists, groups, group_count + 1, given->limits.attribute_count, &sent_count);
	free(lists);
	free(groups);
	check_attributes(e, sent, sent_count, got->attributes, got->n_attributes, 0);
	CHECK(got->dropped_attributes_count == e->notes.dropped_attributes);
}

void
oracle_check_fields(const random_record *given, const oracle_record *got)
{
	expectation e = { .limits = &given->limits };
	check_with(&e, given, got);
}

static size_t
encode_into(const random_record *given, uint8_t *out, size_t capacity, otlog__encode_notes *notes)
{
	*notes = (otlog__encode_notes){ 0 };
	return otlog__record_encode(&given->record, given->context, given->now_unix_nano, &given->limits, out, capacity,
	                            notes);
}

/* Encodes into a block of exactly the room given, so that the address sanitizer sees what goes beyond. */
static uint8_t *
encode_exactly(const random_record *given, size_t room, size_t *size, otlog__encode_notes *notes)
{
	uint8_t *out = malloc(room ? room : 1);
	CHECK(out);
	*size = encode_into(given, out, room, notes);
	CHECK(*size <= room);
	return out;
}

static void
check_notes(const expectation *e, const otlog__encode_notes *notes)
{
	CHECK(notes->dropped_attributes == e->notes.dropped_attributes);
	CHECK(notes->not_utf8 == e->notes.not_utf8);
	CHECK(notes->too_deep == e->notes.too_deep);
	CHECK(notes->truncated == e->notes.truncated);
}

void
oracle_check_record(const random_record *given)
{
	size_t bound = otlog__record_bound(&given->record, &given->limits);
	CHECK(bound < SIZE_MAX);
	size_t size;
	otlog__encode_notes notes;
	uint8_t *out = encode_exactly(given, 3 * bound, &size, &notes);
	CHECK(size > 0);

	oracle_record *got = opentelemetry__proto__logs__v1__log_record__unpack(NULL, size, out);
	CHECK(got);
	expectation e = { .limits = &given->limits };
	check_with(&e, given, got);
	check_notes(&e, &notes);
	CHECK(size <= bound || notes.not_utf8);

	size_t packed_size = opentelemetry__proto__logs__v1__log_record__get_packed_size(got);
	CHECK(packed_size == size);
	uint8_t *packed = malloc(packed_size);
	CHECK(packed);
	opentelemetry__proto__logs__v1__log_record__pack(got, packed);
	CHECK(memcmp(packed, out, size) == 0);
	oracle_check_view(out, size, got);
	opentelemetry__proto__logs__v1__log_record__free_unpacked(got, NULL);

	size_t again;
	uint8_t *fitting = encode_exactly(given, size, &again, &notes);
	CHECK(again == size && memcmp(fitting, packed, size) == 0);
	check_notes(&e, &notes);
	free(fitting);
	fitting = encode_exactly(given, size - 1, &again, &notes);
	CHECK(again == 0);
	free(fitting);
	free(packed);
	free(out);
}

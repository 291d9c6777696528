/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: the descriptions are sound, every parameter takes what it should and nothing else, and a
 * change is made whole, undone whole, or refused with nothing changed.  Method: tables made from
 * the descriptions themselves, then random transactions beside a plain copy. */
#include "meeting/test_world.h"

#include <stdio.h>

static struct objects *
make_objects(struct prng *prng, const struct object_limits *limits)
{
	struct objects *objects = NULL;
	prng_init(prng, 7);
	const struct objects_settings settings = { .limits = *limits, .random = test_random,
		                                   .context = prng };
	EXPECT_EQ(objects_create(&objects, &settings), 0);
	return objects;
}

static const struct object_limits small = { 200, 50, 64 * 1024 };

TEST(every_description_is_sound)
{
	for (unsigned type = OBJECT_NONE + 1; type < OBJECT_TYPES; type++) {
		const struct object_desc *desc = object_describe((enum object_type)type);
		EXPECT(desc->collection != NULL && desc->singular != NULL);
		EXPECT((desc->table != NULL) == (type < OBJECT_KEPT_END));
		size_t row = 64;
		for (unsigned i = 0; i < object_field_count((enum object_type)type); i++) {
			const struct field *field = object_field((enum object_type)type, i);
			EXPECT(field->name != NULL && field->help != NULL);
			EXPECT((field->kind == FIELD_ENUM || field->kind == FIELD_URL) ==
			       (field->words != NULL));
			EXPECT(field->max <= OBJECT_TEXT_MAX || field->kind == FIELD_UINT ||
			       field->kind == FIELD_SECONDS);
			if ((field->flags & FIELD_WRITE) != 0) {
				/* An enumeration may have one word, the others being refused. */
				EXPECT(field->max != 0 || field->kind == FIELD_GUID ||
				       (field->kind == FIELD_ENUM && field->words[1] == NULL));
				EXPECT(field->kind != FIELD_GUID || field->ref != OBJECT_NONE);
				EXPECT_EQ(object_field_find((enum object_type)type,
				                            str_of(field->name)),
				          (int)i);
			}
			if ((field->flags & FIELD_KEPT) != 0)
				EXPECT(type < OBJECT_KEPT_END || field->flags == FIELD_USUAL ||
				       i >= desc->field_count);
			const bool number =
				field->max > OBJECT_TEXT_MAX || field->kind == FIELD_UINT;
			if ((field->flags & FIELD_KEPT) != 0)
				row += number ? 16 : field->max + 16;
		}
		EXPECT(type >= OBJECT_KEPT_END || row <= OBJECT_ROW_BYTES_MAX);
	}
}

/* A text a field of this kind takes, of the given length. */
static struct str
good_text(const struct field *field, char *out, size_t len)
{
	char scheme[16];
	switch ((enum field_kind)field->kind) {
	case FIELD_URL:
		/* The shortest: a scheme and one letter of a host. */
		memset(out, 'h', len);
		snprintf(scheme, sizeof scheme, "%s://", field->words[0]);
		memcpy(out, scheme, strlen(scheme));
		break;
	case FIELD_DIAL_MATCH:
		memset(out, 'x', len);
		memcpy(out, "($1/", 4);
		memcpy(out + len - 2, "/)", 2);
		break;
	case FIELD_TEXT:
	case FIELD_URI_USER:
	case FIELD_PARTY:
	case FIELD_DOMAIN:
	case FIELD_DOMAIN_NAME:
	case FIELD_HOST_PORT:
	case FIELD_DIAL_TRANSFORM:
		memset(out, 'x', len);
		break;
	case FIELD_JID:
		memset(out, 'x', len);
		out[len > 1] = '@';
		break;
	case FIELD_GENERATOR:
		memset(out, 'x', len);
		out[0] = '$';
		break;
	case FIELD_DIGITS:
	case FIELD_PASSCODE:
	case FIELD_DTMF:
	case FIELD_CODE:
	case FIELD_SECONDS:
	case FIELD_BOOL:
	case FIELD_UINT:
	case FIELD_ENUM:
	case FIELD_GUID:
	case FIELD_TIME:
	case FIELD_KINDS:
	case FIELD_TENTHS:
		memset(out, '7', len);
		break;
	}
	return (struct str){ out, len };
}

static enum object_reject
try_text(enum object_type type, const struct field *field, struct str text)
{
	struct object_edit edit = { .type = type };
	const unsigned how = (field->flags & FIELD_POST) != 0 ? FIELD_POST : FIELD_PUT;
	return object_edit_text(&edit, how, str_of(field->name), text);
}

static void
check_text_field(enum object_type type, const struct field *field)
{
	char text[OBJECT_TEXT_MAX + 2];
	const size_t least = field->kind == FIELD_URL ? strlen(field->words[0]) + 4
	                     : field->kind == FIELD_JID ? 3
	                     : field->min != 0          ? field->min
	                                                : 1;
	EXPECT_EQ(try_text(type, field, good_text(field, text, least)), OBJECT_OK);
	EXPECT_EQ(try_text(type, field, good_text(field, text, field->max)), OBJECT_OK);
	EXPECT_EQ(try_text(type, field, good_text(field, text, field->max + 1)),
	          OBJECT_TOO_LONG);
	if (least > 1 && field->kind != FIELD_URL)
		EXPECT_EQ(try_text(type, field, good_text(field, text, least - 1)),
		          OBJECT_BAD_VALUE);
	static const char *const bad[] = { "a\nb cdefgh", "a\x01zzzzzzzz", "\xc3zzzzzzzz",
		                           "\xed\xa0\x80zzzzzz", "\xef\xbf\xbfzzzzzz" };
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		EXPECT_EQ(try_text(type, field, str_of(bad[i])), OBJECT_BAD_VALUE);
	if (field->kind != FIELD_TEXT)
		EXPECT_EQ(try_text(type, field, STR("a b\"<c>")), OBJECT_BAD_VALUE);
}

static void
check_number_field(enum object_type type, const struct field *field)
{
	char text[16];
	snprintf(text, sizeof text, "%u", field->min);
	EXPECT_EQ(try_text(type, field, str_of(text)), OBJECT_OK);
	snprintf(text, sizeof text, "%u", field->max);
	EXPECT_EQ(try_text(type, field, str_of(text)), OBJECT_OK);
	snprintf(text, sizeof text, "%llu", field->max + 1ull);
	EXPECT_EQ(try_text(type, field, str_of(text)), OBJECT_BAD_VALUE);
	if (field->min != 0) {
		snprintf(text, sizeof text, "%u", field->min - 1);
		EXPECT_EQ(try_text(type, field, str_of(text)), OBJECT_BAD_VALUE);
	}
	EXPECT_EQ(try_text(type, field, STR("-1")), OBJECT_BAD_VALUE);
	EXPECT_EQ(try_text(type, field, STR("1x")), OBJECT_BAD_VALUE);
}

/* What there is not can be said, and nothing else. */
static void
check_lacking_field(enum object_type type, const struct field *field)
{
	static const char *const truth[] = { "false", "true", NULL };
	static const char *const numbers[] = { "0", "1", NULL };
	const char *const *words = field->kind == FIELD_BOOL   ? truth
	                           : field->kind == FIELD_UINT ? numbers
	                                                       : field->words;
	for (unsigned w = 0; words[w] != NULL; w++)
		EXPECT_EQ(try_text(type, field, str_of(words[w])),
		          w == field->fallback ? OBJECT_OK : OBJECT_UNKNOWN_PARAMETER);
	EXPECT_EQ(try_text(type, field, STR("")), OBJECT_OK);
	EXPECT_EQ(try_text(type, field, STR("nonsense")), OBJECT_BAD_VALUE);
}

TEST(every_parameter_takes_good_and_boundary_values_and_refuses_bad_ones)
{
	for (unsigned t = OBJECT_NONE + 1; t < OBJECT_TYPES; t++) {
		const enum object_type type = (enum object_type)t;
		for (unsigned i = 0; i < object_field_count(type); i++) {
			const struct field *field = object_field(type, i);
			if ((field->flags & FIELD_WRITE) == 0) {
				EXPECT_EQ(try_text(type, field, STR("1")),
				          OBJECT_UNKNOWN_PARAMETER);
				continue;
			}
			if ((field->flags & FIELD_LACKING) != 0) {
				check_lacking_field(type, field);
			} else if (field->kind == FIELD_BOOL) {
				EXPECT_EQ(try_text(type, field, STR("true")), OBJECT_OK);
				EXPECT_EQ(try_text(type, field, STR("False")), OBJECT_OK);
				EXPECT_EQ(try_text(type, field, STR("1")), OBJECT_BAD_VALUE);
			} else if (field->kind == FIELD_UINT || field->kind == FIELD_SECONDS) {
				check_number_field(type, field);
			} else if (field->kind == FIELD_ENUM) {
				for (unsigned w = 0; field->words[w] != NULL; w++)
					EXPECT_EQ(try_text(type, field, str_of(field->words[w])),
					          OBJECT_OK);
				EXPECT_EQ(try_text(type, field, STR("nothing")),
				          OBJECT_BAD_VALUE);
			} else if (field->kind == FIELD_GUID) {
				EXPECT_EQ(try_text(type, field,
				                   STR("0E50c3Ab-0000-4000-8000-000000000001")),
				          OBJECT_OK);
				EXPECT_EQ(try_text(type, field, STR("1")), OBJECT_BAD_VALUE);
			} else {
				check_text_field(type, field);
			}
		}
	}
}

TEST(what_is_put_in_comes_out_and_empty_unsets_it)
{
	struct prng prng;
	struct objects *objects = make_objects(&prng, &small);
	uint32_t space = 0;
	EXPECT_EQ(test_add(objects, OBJECT_SPACE, 0, &space,
	                   PAIRS("NAME", "Caf\xc3\xa9", "uri", "Team", "callid", "123",
	                         "nonMemberAccess", "False", "tenant", "")),
	          OBJECT_OK);
	EXPECT_STR(objects_text(objects, OBJECT_SPACE, space, SPACE_NAME), "Caf\xc3\xa9");
	EXPECT_EQ(objects_number(objects, OBJECT_SPACE, space, SPACE_NON_MEMBER_ACCESS), 0);
	EXPECT_EQ(objects_text(objects, OBJECT_SPACE, space, SPACE_SECRET).len, 22);
	struct address_cursor cursor = { 0 };
	EXPECT_EQ(objects_next_address(objects, OBJECT_SPACE, STR("tEAM"), &cursor), space);
	EXPECT_EQ(objects_next_address(objects, OBJECT_SPACE, STR("tEAM"), &cursor), 0);

	EXPECT_EQ(test_edit(objects, OBJECT_SPACE, space,
	                    PAIRS("uri", "", "nonMemberAccess", "")),
	          OBJECT_OK);
	EXPECT(!objects_value(objects, OBJECT_SPACE, space, SPACE_URI).set);
	EXPECT_EQ(objects_number(objects, OBJECT_SPACE, space, SPACE_NON_MEMBER_ACCESS), 1);
	cursor = (struct address_cursor){ 0 };
	EXPECT_EQ(objects_next_address(objects, OBJECT_SPACE, STR("team"), &cursor), 0);
	EXPECT_EQ(test_edit(objects, OBJECT_SPACE, space, PAIRS("streamUrl", "rtmp://x")),
	          OBJECT_OK);
	EXPECT_EQ(test_edit(objects, OBJECT_SPACE, space, PAIRS("panPlacement", "1")),
	          OBJECT_UNKNOWN_PARAMETER);
	objects_destroy(objects);
}

TEST(a_filter_finds_a_part_of_one_text_in_any_case)
{
	struct prng prng;
	struct objects *objects = make_objects(&prng, &small);
	struct object_part part;
	uint32_t space = 0;
	uint32_t other = 0;
	EXPECT_EQ(test_add(objects, OBJECT_SPACE, 0, &other, PAIRS("name", "Other")), OBJECT_OK);
	EXPECT_EQ(test_add(objects, OBJECT_SPACE, 0, &space,
	                   PAIRS("name", "Caf\xc3\xa9 Room", "uri", "Team", "passcode", "4711")),
	          OBJECT_OK);
	static const char *const found[] = { "TEAM", "\xc3\xa9 r", "m", "cAF" };
	static const char *const missed[] = { "4711", "roomteam", "room\nteam", "\xc3\x89" };
	for (unsigned i = 0; i < COUNT_OF(found); i++) {
		uint32_t at = 0;
		EXPECT(object_part_of(&part, str_of(found[i])));
		EXPECT_EQ(objects_next_holding(objects, OBJECT_SPACE, &part, &at), space);
		EXPECT_EQ(objects_next_holding(objects, OBJECT_SPACE, &part, &at), 0);
	}
	for (unsigned i = 0; i < COUNT_OF(missed); i++)
		EXPECT(!object_part_of(&part, str_of(missed[i])) ||
		       !objects_hold(objects, OBJECT_SPACE, space, &part));
	EXPECT_EQ(test_edit(objects, OBJECT_SPACE, space, PAIRS("name", "", "uri", "")), OBJECT_OK);
	EXPECT(object_part_of(&part, STR("team")));
	EXPECT(!objects_hold(objects, OBJECT_SPACE, space, &part));
	EXPECT(!objects_hold(objects, OBJECT_SPACE, 0, &part));
	objects_destroy(objects);
}

TEST(an_address_belongs_to_one_space_and_inside_it_to_one_passcode)
{
	struct prng prng;
	struct objects *objects = make_objects(&prng, &small);
	uint32_t a = 0, b = 0, m = 0, n = 0;
	EXPECT_EQ(test_add(objects, OBJECT_SPACE, 0, &a, PAIRS("uri", "a", "callId", "1")), 0);
	EXPECT_EQ(test_add(objects, OBJECT_SPACE, 0, &b, PAIRS("secondaryUri", "A")),
	          OBJECT_DUPLICATE_URI);
	EXPECT_EQ(test_add(objects, OBJECT_SPACE, 0, &b, PAIRS("callId", "1")),
	          OBJECT_DUPLICATE_ID);
	EXPECT_EQ(test_add(objects, OBJECT_SPACE, 0, &b, PAIRS("uri", "1")), OBJECT_OK);
	EXPECT_EQ(test_edit(objects, OBJECT_SPACE, b, PAIRS("secondaryUri", "1")),
	          OBJECT_DUPLICATE_URI);

	EXPECT_EQ(test_add(objects, OBJECT_METHOD, a, &m, PAIRS("uri", "a", "passcode", "5")), 0);
	EXPECT_EQ(test_add(objects, OBJECT_METHOD, a, &n, PAIRS("uri", "a", "passcode", "5")),
	          OBJECT_DUPLICATE_URI_PASSCODE);
	EXPECT_EQ(test_add(objects, OBJECT_METHOD, a, &n, PAIRS("callId", "1")),
	          OBJECT_DUPLICATE_ID_PASSCODE);
	EXPECT_EQ(test_add(objects, OBJECT_METHOD, b, &n, PAIRS("uri", "A", "passcode", "9")),
	          OBJECT_DUPLICATE_URI);
	EXPECT_EQ(test_edit(objects, OBJECT_SPACE, a, PAIRS("passcode", "5")),
	          OBJECT_DUPLICATE_URI_PASSCODE);
	EXPECT_EQ(objects_count(objects, OBJECT_METHOD), 1);
	EXPECT_EQ(objects_value(objects, OBJECT_SPACE, a, SPACE_METHOD_COUNT).number, 1);

	objects_begin(objects);
	EXPECT_EQ(objects_remove(objects, OBJECT_SPACE, a), OBJECT_OK);
	objects_abort(objects);
	EXPECT_EQ(objects_count(objects, OBJECT_METHOD), 1);
	objects_destroy(objects);
}

TEST(a_required_call_id_is_made_once)
{
	struct prng prng;
	struct objects *objects = make_objects(&prng, &small);
	uint32_t space = 0;
	EXPECT_EQ(test_add(objects, OBJECT_SPACE, 0, &space, PAIRS("requireCallId", "true")), 0);
	char id[16];
	EXPECT(str_copy(id, sizeof id, objects_text(objects, OBJECT_SPACE, space,
	                                            SPACE_CALL_ID)));
	EXPECT_EQ(strlen(id), 9);
	EXPECT_EQ(test_edit(objects, OBJECT_SPACE, space, PAIRS("requireCallId", "true")), 0);
	EXPECT_STR(objects_text(objects, OBJECT_SPACE, space, SPACE_CALL_ID), id);

	char secret[32];
	EXPECT(str_copy(secret, sizeof secret,
	                objects_text(objects, OBJECT_SPACE, space, SPACE_SECRET)));
	EXPECT_EQ(test_edit(objects, OBJECT_SPACE, space, PAIRS("regenerateSecret", "true")), 0);
	const struct str again = objects_text(objects, OBJECT_SPACE, space, SPACE_SECRET);
	EXPECT_EQ(again.len, 22);
	EXPECT(!str_eq(again, str_of(secret)));
	objects_destroy(objects);
}

TEST(a_reference_that_is_gone_is_as_good_as_none)
{
	struct prng prng;
	struct objects *objects = make_objects(&prng, &small);
	uint32_t profile = 0, space = 0;
	char id[GUID_TEXT_LEN + 1];
	EXPECT_EQ(test_add(objects, OBJECT_LEG_PROFILE, 0, &profile, PAIRS("name", "p")), 0);
	const struct guid guid = objects_id(objects, OBJECT_LEG_PROFILE, profile);
	guid_write(id, &guid);
	EXPECT_EQ(test_add(objects, OBJECT_SPACE, 0, &space, PAIRS("callLegProfile", id)), 0);
	EXPECT_EQ(objects_ref(objects, OBJECT_SPACE, space, SPACE_LEG_PROFILE), profile);
	EXPECT_EQ(test_edit(objects, OBJECT_SPACE, space, PAIRS("callProfile", id)),
	          OBJECT_NO_REFERENCE);

	objects_begin(objects);
	EXPECT_EQ(objects_remove(objects, OBJECT_LEG_PROFILE, profile), OBJECT_OK);
	const struct object_tx tx = objects_end(objects);
	EXPECT_EQ(objects_ref(objects, OBJECT_SPACE, space, SPACE_LEG_PROFILE), 0);
	objects_settled(objects, tx.ticket, false);
	EXPECT(objects_ref(objects, OBJECT_SPACE, space, SPACE_LEG_PROFILE) != 0);
	objects_destroy(objects);
}

/* ------------------------------------------------------------------ transactions */

/* All kept objects as text, in an order that does not depend on their slots. */
static size_t
describe_all(const struct objects *objects, char *out, size_t cap)
{
	uint64_t sum = 0;
	uint32_t count = 0;
	const struct hash_key key = { 1, 2 };
	for (unsigned type = OBJECT_NONE + 1; type < OBJECT_KEPT_END; type++) {
		uint32_t at = 0;
		uint32_t handle;
		while ((handle = objects_next(objects, (enum object_type)type, &at)) != 0) {
			char text[OBJECT_ROW_BYTES_MAX];
			struct writer w = writer_of(text, sizeof text);
			const struct guid id = objects_id(objects, (enum object_type)type, handle);
			writer_bytes(&w, id.bytes, GUID_BYTES);
			for (unsigned i = 0; i < object_field_count((enum object_type)type); i++) {
				const struct value value =
					objects_value(objects, (enum object_type)type, handle, i);
				const struct field *field =
					object_field((enum object_type)type, i);
				writer_u8(&w, value.set);
				value_write(&w, field, &value);
			}
			EXPECT(!w.failed);
			sum += hash_str(&key, writer_view(&w));
			count++;
		}
	}
	return (size_t)snprintf(out, cap, "%u objects, %llx", count, (unsigned long long)sum);
}

static void
random_change(struct objects *objects, struct prng *prng)
{
	const enum object_type type = prng_below(prng, 3) == 0 ? OBJECT_METHOD : OBJECT_SPACE;
	struct object_edit edit = { .type = type };
	char number[16];
	int culprit = -1;
	uint32_t at = prng_below(prng, 20);
	uint32_t handle = objects_next(objects, type, &at);
	snprintf(number, sizeof number, "%u", prng_below(prng, 40));
	static const char *const names[] = { "name", "uri", "callId", "passcode", "secondaryUri" };
	for (unsigned i = 0; i < 3; i++) {
		const struct str name = str_of(names[prng_below(prng, COUNT_OF(names))]);
		const struct str text = prng_below(prng, 4) == 0 ? STR("") : str_of(number);
		const enum object_reject reject = object_edit_text(&edit, FIELD_POST, name, text);
		EXPECT(reject == OBJECT_OK || reject == OBJECT_UNKNOWN_PARAMETER);
	}
	enum object_reject reject = OBJECT_OK;
	switch (prng_below(prng, 3)) {
	case 0:
		at = prng_below(prng, 10);
		const uint32_t space = objects_next(objects, OBJECT_SPACE, &at);
		if (type == OBJECT_SPACE || space != 0)
			reject = objects_add(objects, &edit, space, &handle, &culprit);
		break;
	case 1:
		if (handle != 0)
			reject = objects_edit(objects, handle, &edit, &culprit);
		break;
	default:
		if (handle != 0)
			reject = objects_remove(objects, type, handle);
		break;
	}
	EXPECT(reject != OBJECT_NO_REFERENCE && reject != OBJECT_MISSING_PARAMETER);
}

/* Looked up field by field; `part` is what the filter has. */
static bool
holds_by_field(const struct objects *objects, enum object_type type, uint32_t handle,
               struct str part)
{
	bool held = false;
	for (unsigned i = 0; i < object_field_count(type); i++) {
		const struct str text = objects_value(objects, type, handle, i).text;
		held = held || ((object_field(type, i)->flags & FIELD_FILTER) != 0 &&
		                text.len != 0 && str_contains_nocase(text, part));
	}
	return held;
}

static void
expect_filters_agree(const struct objects *objects, struct str text)
{
	static const enum object_type types[] = { OBJECT_SPACE, OBJECT_METHOD, OBJECT_TENANT };
	struct object_part part;
	EXPECT(object_part_of(&part, text));
	for (unsigned i = 0; i < COUNT_OF(types); i++) {
		uint32_t at = 0;
		for (uint32_t handle; (handle = objects_next(objects, types[i], &at)) != 0;)
			EXPECT_EQ(objects_hold(objects, types[i], handle, &part),
			          holds_by_field(objects, types[i], handle, text));
	}
}

TEST(a_failed_transaction_leaves_everything_as_it_was)
{
	/* Little room, so that tables and texts run full in the middle of changes too. */
	static const struct object_limits tight = { 30, 10, 3000 };
	struct prng prng;
	struct prng dice;
	struct objects *objects = make_objects(&prng, &tight);
	prng_init(&dice, 11);
	char before[64];
	char after[64];
	uint64_t tickets[TX_PENDING_MAX];
	for (unsigned round = 0; round < 3000; round++) {
		const bool fail = prng_below(&dice, 2) == 0;
		const unsigned several = 1 + prng_below(&dice, 4);
		unsigned count = 0;
		describe_all(objects, before, sizeof before);
		for (unsigned i = 0; i < several; i++) {
			objects_begin(objects);
			for (unsigned c = prng_below(&dice, 3) + 1; c > 0; c--)
				random_change(objects, &dice);
			if (prng_below(&dice, 4) == 0) {
				objects_abort(objects);
				continue;
			}
			const struct object_tx tx = objects_end(objects);
			if (tx.ticket != 0)
				tickets[count++] = tx.ticket;
		}
		for (unsigned i = 0; i < count; i++)
			objects_settled(objects, tickets[i], !fail);
		describe_all(objects, after, sizeof after);
		if (fail && count != 0)
			EXPECT_STR(str_of(after), before);
		expect_filters_agree(objects, STR("1"));
		expect_filters_agree(objects, STR("M"));
	}
	objects_destroy(objects);
}

static uint64_t
add_named(struct objects *objects, const char *uri)
{
	struct object_edit edit = { .type = OBJECT_SPACE };
	uint32_t handle = 0;
	int culprit = -1;
	edit_set_text(&edit, SPACE_URI, str_of(uri));
	objects_begin(objects);
	EXPECT_EQ(objects_add(objects, &edit, 0, &handle, &culprit), OBJECT_OK);
	return objects_end(objects).ticket;
}

TEST(a_transaction_the_store_has_no_room_for_fails_alone)
{
	struct prng prng;
	struct objects *objects = make_objects(&prng, &small);
	const uint64_t first = add_named(objects, "a");
	const uint64_t second = add_named(objects, "b");
	objects_settled(objects, second, false);
	EXPECT_EQ(objects_count(objects, OBJECT_SPACE), 1);
	const uint64_t third = add_named(objects, "b");
	objects_settled(objects, first, true);
	objects_settled(objects, second, false); /* told twice: nothing more happens */
	objects_settled(objects, third, false);
	EXPECT_EQ(objects_count(objects, OBJECT_SPACE), 1);
	objects_destroy(objects);
}

TEST(as_many_transactions_as_fit_are_under_way)
{
	struct prng prng;
	struct objects *objects = make_objects(&prng, &small);
	uint64_t tickets[TX_PENDING_MAX];
	char uri[16];
	for (unsigned i = 0; i < TX_PENDING_MAX; i++) {
		snprintf(uri, sizeof uri, "u%u", i);
		tickets[i] = add_named(objects, uri);
	}
	uint32_t handle = 0;
	EXPECT_EQ(test_add(objects, OBJECT_SPACE, 0, &handle, PAIRS("uri", "x")), OBJECT_FULL);
	EXPECT_EQ(objects_count(objects, OBJECT_SPACE), TX_PENDING_MAX);
	for (unsigned i = 0; i < TX_PENDING_MAX; i++)
		objects_settled(objects, tickets[i], true);
	EXPECT_EQ(test_add(objects, OBJECT_SPACE, 0, &handle, PAIRS("uri", "x")), OBJECT_OK);
	objects_destroy(objects);
}

TEST(rows_written_for_the_store_make_the_same_objects_again)
{
	struct prng prng;
	struct prng dice;
	struct objects *objects = make_objects(&prng, &small);
	struct objects *copy = make_objects(&prng, &small);
	prng_init(&dice, 5);
	uint32_t handle = 0;
	EXPECT_EQ(test_add(objects, OBJECT_SPACE, 0, &handle, PAIRS("uri", "old")), 0);
	objects_begin(objects);
	struct object_edit edit = { .type = OBJECT_SPACE };
	int culprit = -1;
	for (unsigned i = 0; i < 20; i++) {
		char uri[16];
		snprintf(uri, sizeof uri, "u%u", i);
		edit.given = (struct field_set){ 0 };
		edit_set_text(&edit, SPACE_URI, str_of(uri));
		EXPECT_EQ(objects_add(objects, &edit, 0, &handle, &culprit), OBJECT_OK);
	}
	const struct object_tx tx = objects_end(objects);
	struct reader r = reader_of(tx.bytes, tx.len);
	static struct object_row row;
	unsigned rows = 0;
	for (; object_row_read(&r, &row); rows++)
		EXPECT_EQ(objects_load_row(copy, &row), OBJECT_OK);
	EXPECT_EQ(rows, 20);
	EXPECT_EQ(objects_count(copy, OBJECT_SPACE), 20);
	/* The same rows a second time break the rule that an id is there once. */
	r = reader_of(tx.bytes, tx.len);
	EXPECT(object_row_read(&r, &row));
	EXPECT_EQ(objects_load_row(copy, &row), OBJECT_BAD_VALUE);
	for (size_t len = 0; len < tx.len; len++) {
		r = reader_of(tx.bytes, len);
		while (object_row_read(&r, &row)) {
		}
	}
	objects_destroy(objects);
	objects_destroy(copy);
}

TEST(text_from_the_world_is_made_fit_for_a_log_line)
{
	char out[12];
	text_copy_clean(out, sizeof out, STR("a\r\nb\xff\xc3\xa9"));
	EXPECT_STR(str_of(out), "a??b?\xc3\xa9");
	text_copy_clean(out, 4, STR("ab\xc3\xa9"));
	EXPECT_STR(str_of(out), "ab");
}

TEST(times_are_written_as_rfc_3339)
{
	char text[40];
	const struct field field = { "t", .kind = FIELD_TIME };
	static const struct {
		int64_t seconds;
		const char *want;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ 951782400, "2000-02-29T00:00:00Z" },
		{ 1558032122, "2019-05-16T18:42:02Z" },
		{ 4107542399, "2100-02-28T23:59:59Z" },
		{ 4107542400, "2100-03-01T00:00:00Z" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct writer w = writer_of(text, sizeof text);
		const struct value value = { .set = true, .time_us = cases[i].seconds * 1000000 };
		value_write(&w, &field, &value);
		EXPECT_STR(writer_view(&w), cases[i].want);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* GET: objects, collections with filter and paging, and who uses a profile. */
#include "api/api_internal.h"
#include "api/openapi.h"
#include "base/check.h"

enum {
	ITEM_BYTES_MAX = 64 * 1024, /* an item of a list, each of its letters escaped */
};

/* ------------------------------------------------------------------ values */

/* What only the API knows about the host; everything else is the model's. */
static struct value
work_value(const struct work *work, enum object_type type, uint32_t handle, unsigned field)
{
	const struct api *api = work->api;
	const int64_t uptime_s = (work->now_us - api->started_us) / 1000000;
	/* First: a filter asks a hundred thousand of them. */
	if (type < OBJECT_KEPT_END)
		return objects_value(work->objects, type, handle, field);
	if (type == OBJECT_STATUS && field == STATUS_HOST_ID)
		return (struct value){ .set = true, .guid = api->settings.host_id };
	if (type == OBJECT_STATUS && field == STATUS_VERSION)
		return value_text(api->version);
	if (type == OBJECT_STATUS && field == STATUS_UPTIME)
		return value_number((uint64_t)uptime_s);
	if (type == OBJECT_STATUS && field == STATUS_TIME)
		return (struct value){ .set = true, .time_us = work->slot->wall_us };
	if (type == OBJECT_MULTIPARTY)
		return multiparty_value(work, (enum multiparty_field)field);
	if (type == OBJECT_CDR_STATUS)
		return cdr_status_value(work, handle, field);
	if (type == OBJECT_LICENSE_RAW)
		return licence_file_value(work);
	if (type == OBJECT_DIAGNOSTICS)
		return diagnostics_value(api, handle, field);
	if (type == OBJECT_TIMED_LOGGING)
		return timed_logging_value(work, (enum timed_logging_field)field);
	if (type == OBJECT_PERSONAL_LICENSE)
		return (struct value){ .set = true,
			               .guid = objects_id(work->objects, OBJECT_USER, handle) };
	if (type == OBJECT_USER_SPACE)
		return (struct value){
			.set = true,
			.guid = objects_id(work->objects, OBJECT_SPACE,
			                   objects_parent(work->objects, OBJECT_MEMBER, handle)),
		};
	return meeting_value(work->meeting, type, handle, field, work->now_us);
}

static void
write_fields(struct work *work, enum object_type type, uint32_t handle, unsigned flag)
{
	struct document *doc = &work->doc;
	const unsigned depth = doc->depth;
	for (unsigned i = 0; i < object_field_count(type); i++) {
		const struct field *field = object_field(type, i);
		if ((field->flags & flag) == 0)
			continue;
		const struct value value = work_value(work, type, handle, i);
		if (!value.set && (field->flags & FIELD_ALWAYS) == 0)
			continue;
		if ((field->flags & FIELD_PRESENT_ONLY) != 0 && value.number == 0)
			continue;
		/* A profile's parameters, set on the object itself. */
		const bool extended = i >= object_describe(type)->field_count;
		document_group(doc, depth,
		               extended ? "configuration" : field->group != NULL ? field->group
		                                                                 : "");
		document_value(doc, field, &value);
	}
	document_group(doc, depth, "");
}

static void
write_object(struct work *work, enum object_type type, uint32_t handle, const struct guid *id)
{
	work->has_body = true;
	document_open(&work->doc, str_of(object_describe(type)->singular));
	if (id != NULL)
		document_id(&work->doc, id);
	write_fields(work, type, handle, FIELD_GET);
	document_close(&work->doc);
}

/* One that is not there has nothing set. */
static void
write_first(struct work *work, enum object_type type)
{
	uint32_t at = 0;
	const uint32_t first = objects_next(work->objects, type, &at);
	if (first != 0) {
		write_object(work, type, first, NULL);
		return;
	}
	work->has_body = true;
	document_open(&work->doc, str_of(object_describe(type)->singular));
	document_close(&work->doc);
}

/* ------------------------------------------------------------------ walking a collection */

struct walk {
	enum object_type type;
	enum object_type inside;
	uint32_t container;
	uint32_t at;
	uint32_t last;      /* of a list inside a call or space */
	struct guid alarm;
	struct address_cursor addresses; /* of a user's memberships */
	const struct object_part *part; /* NULL, or kept objects that hold it only */
};

static bool
is_going(const struct meeting *meeting, uint32_t leg)
{
	return meeting_leg(meeting, leg)->state == LEG_ENDING;
}

static uint32_t
next_leg(const struct work *work, struct walk *walk)
{
	do {
		if (walk->inside == OBJECT_CALL)
			walk->last = meeting_call_leg_next(work->meeting, walk->container,
			                                   walk->last);
		else
			walk->last = meeting_leg_next(work->meeting, &walk->at);
	} while (walk->last != 0 &&
	         (is_going(work->meeting, walk->last) ||
	          (walk->type == OBJECT_PARTICIPANT &&
	           meeting_leg_at_door(work->meeting, walk->last))));
	return walk->last;
}

static uint32_t
walk_next(const struct work *work, struct walk *walk)
{
	uint32_t leg = 0;
	if (walk->type < OBJECT_KEPT_END && walk->inside != OBJECT_NONE) {
		walk->last = objects_next_inside(work->objects, walk->type, walk->container,
		                                 walk->last);
		return walk->last;
	}
	if (walk->type < OBJECT_KEPT_END && walk->part != NULL)
		return objects_next_holding(work->objects, walk->type, walk->part, &walk->at);
	if (walk->type < OBJECT_KEPT_END)
		return objects_next(work->objects, walk->type, &walk->at);
	if (walk->type == OBJECT_PERSONAL_LICENSE)
		return personal_license_next(work, &walk->at);
	if (walk->type == OBJECT_USER_SPACE)
		return objects_next_address(
			work->objects, OBJECT_MEMBER,
			objects_text(work->objects, OBJECT_USER, walk->container, USER_JID),
			&walk->addresses);
	if (walk->type == OBJECT_CALL)
		return meeting_call_next(work->meeting, &walk->at);
	if (walk->type == OBJECT_DIAGNOSTICS)
		return diagnostics_next(work->api, &walk->at);
	if (walk->type == OBJECT_ALARM)
		return meeting_alarm_next(work->meeting, &walk->at, &walk->alarm);
	if (walk->inside == OBJECT_PARTICIPANT) {
		leg = walk->at++ == 0
		              ? meeting_participant(work->meeting, walk->container)->leg
		              : 0;
		return leg;
	}
	leg = next_leg(work, walk);
	if (walk->type == OBJECT_PARTICIPANT && leg != 0)
		return meeting_leg(work->meeting, leg)->participant;
	CHECK(walk->type == OBJECT_LEG || walk->type == OBJECT_PARTICIPANT);
	return leg;
}

/* ------------------------------------------------------------------ filters and pages */

enum { REF_FILTERS_MAX = 4, RANGES_MAX = 4, TEXT_FILTERS_MAX = 4, PART_FIELDS_MAX = 8 };

/* A number that must lie between. */
struct range {
	unsigned field;
	uint32_t least;
	uint32_t most;
};

static const char *const alarm_words[] = { "packetLoss", "excessiveJitter",
	                                   "highRoundTripTime" };

struct filter {
	struct str text;      /* a part of any of these fields */
	struct object_part part; /* the same, for kept objects */
	bool impossible;      /* no text can hold it */
	unsigned part_count;
	unsigned parts[PART_FIELDS_MAX];
	unsigned ref_count;
	unsigned refs[REF_FILTERS_MAX]; /* fields that must hold */
	struct guid ids[REF_FILTERS_MAX];
	unsigned range_count;
	struct range ranges[RANGES_MAX];
	bool owner_known;     /* legs with an ownerId only, or without one */
	bool owner_set;
	unsigned alarms;      /* bits: legs with one of them only; 0: all legs */
	bool usage_known;     /* profiles that something refers to only, or that nothing does */
	bool used;
	unsigned text_count;
	unsigned text_fields[TEXT_FILTERS_MAX]; /* fields that must hold a part */
	struct str texts[TEXT_FILTERS_MAX];
	uint32_t offset;
	uint32_t limit;
};

/* "callLegProfileFilter" speaks of the field callLegProfile. */
static bool
read_ref_filter(struct filter *filter, enum object_type type, const struct parameter *parameter)
{
	static const char suffix[] = "Filter";
	const size_t len = sizeof suffix - 1;
	const struct str name = parameter->name;
	if (name.len <= len || filter->ref_count == REF_FILTERS_MAX ||
	    !str_eq_nocase(str_sub(name, name.len - len, len), STR("Filter")))
		return false;
	const int field = object_field_find(type, str_sub(name, 0, name.len - len));
	if (field < 0 || object_field(type, (unsigned)field)->kind != FIELD_GUID)
		return false;
	filter->refs[filter->ref_count] = (unsigned)field;
	return guid_parse(&filter->ids[filter->ref_count++], parameter->value);
}

/* "emailFilter" of users looks for a part of it. */
static bool
read_user_filter(struct filter *filter, const struct parameter *parameter)
{
	const bool email = str_eq_nocase(parameter->name, STR("emailFilter"));
	if ((!email && !str_eq_nocase(parameter->name, STR("cdrTagFilter"))) ||
	    filter->text_count == TEXT_FILTERS_MAX)
		return false;
	filter->text_fields[filter->text_count] = email ? USER_EMAIL : USER_CDR_TAG;
	filter->texts[filter->text_count++] = parameter->value;
	return true;
}

static bool
read_usage_filter(struct filter *filter, enum object_type type, const struct parameter *parameter)
{
	if (!usage_possible(type) || !str_eq_nocase(parameter->name, STR("usageFilter")))
		return false;
	filter->usage_known = true;
	filter->used = str_eq_nocase(parameter->value, STR("referenced"));
	return filter->used || str_eq_nocase(parameter->value, STR("unreferenced"));
}

/* "alarms=packetLoss|excessiveJitter": legs with any of them; "all": with any at all. */
static bool
read_alarms(struct filter *filter, struct str wanted)
{
	while (wanted.len != 0) {
		const struct str word = str_cut(&wanted, '|');
		const bool all = str_eq_nocase(word, STR("all"));
		bool known = all;
		for (unsigned i = 0; i < COUNT_OF(alarm_words); i++) {
			const bool meant = all || str_eq_nocase(word, str_of(alarm_words[i]));
			filter->alarms |= (unsigned)meant << i;
			known = known || meant;
		}
		if (!known)
			return false;
	}
	return filter->alarms != 0;
}

static bool
read_leg_filter(struct filter *filter, const struct parameter *parameter)
{
	struct value value;
	struct range range = { .field = LEG_VIDEO_STREAMS, .most = UINT32_MAX };
	if (str_eq_nocase(parameter->name, STR("ownerIdSet"))) {
		filter->owner_known = true;
		filter->owner_set = str_eq_nocase(parameter->value, STR("true"));
		return filter->owner_set || str_eq_nocase(parameter->value, STR("false"));
	}
	if (str_eq_nocase(parameter->name, STR("alarms")))
		return read_alarms(filter, parameter->value);
	if (filter->range_count == RANGES_MAX)
		return false;
	if (str_eq_nocase(parameter->name, STR("activeLayoutFilter"))) {
		range.field = LEG_ACTIVE_LAYOUT;
		if (value_read(&value, object_field(OBJECT_LEG, LEG_ACTIVE_LAYOUT),
		               parameter->value) != OBJECT_OK)
			return false;
		range.least = range.most = value.number;
	} else if (str_eq_nocase(parameter->name, STR("availableVideoStreamsLowerBound"))) {
		if (!str_u32(parameter->value, &range.least))
			return false;
	} else if (!str_eq_nocase(parameter->name, STR("availableVideoStreamsUpperBound")) ||
	           !str_u32(parameter->value, &range.most)) {
		return false;
	}
	filter->ranges[filter->range_count++] = range;
	return true;
}

static bool
read_filter(struct work *work, enum object_type type, struct filter *filter)
{
	*filter = (struct filter){ .limit = API_PAGE_USUAL };
	for (unsigned i = 0; i < work->query.count; i++) {
		const struct parameter *parameter = &work->query.at[i];
		bool ok = true;
		if (parameter->value.len == 0)
			continue;
		if (str_eq_nocase(parameter->name, STR("offset")))
			ok = str_u32(parameter->value, &filter->offset);
		else if (str_eq_nocase(parameter->name, STR("limit")))
			ok = str_u32(parameter->value, &filter->limit);
		else if (str_eq_nocase(parameter->name, STR("filter")))
			filter->text = parameter->value;
		else
			ok = read_ref_filter(filter, type, parameter) ||
			     read_usage_filter(filter, type, parameter) ||
			     (type == OBJECT_USER && read_user_filter(filter, parameter)) ||
			     (type == OBJECT_LEG && read_leg_filter(filter, parameter));
		if (!ok) {
			work_fail_parameter(work, parameter->name, "invalidValue");
			return false;
		}
	}
	if (filter->limit > API_PAGE_MAX)
		filter->limit = API_PAGE_MAX;
	for (unsigned i = 0; i < object_field_count(type); i++) {
		if ((object_field(type, i)->flags & FIELD_FILTER) == 0)
			continue;
		CHECK(filter->part_count < PART_FIELDS_MAX);
		filter->parts[filter->part_count++] = i;
	}
	filter->impossible = !object_part_of(&filter->part, filter->text);
	if (filter->usage_known)
		usage_mark(work, type, work->api->usage);
	return true;
}

static bool
has_text(const struct work *work, enum object_type type, uint32_t handle,
         const struct filter *filter)
{
	if (type < OBJECT_KEPT_END)
		return objects_hold(work->objects, type, handle, &filter->part);
	for (unsigned i = 0; i < filter->part_count; i++) {
		const struct value value = work_value(work, type, handle, filter->parts[i]);
		if (str_contains_nocase(value.text, filter->text))
			return true;
	}
	return false;
}

static bool
is_marked(const uint64_t *marks, uint32_t index)
{
	return (marks[index / 64] >> index % 64 & 1) != 0;
}

static bool
has_alarm(const struct work *work, uint32_t leg, unsigned wanted)
{
	const struct str alarms = work_value(work, OBJECT_LEG, leg, LEG_ALARMS).text;
	for (unsigned i = 0; i < COUNT_OF(alarm_words); i++) {
		if ((wanted >> i & 1) != 0 && str_contains_nocase(alarms, str_of(alarm_words[i])))
			return true;
	}
	return false;
}

static bool
passes(const struct work *work, enum object_type type, uint32_t handle,
       const struct filter *filter)
{
	for (unsigned i = 0; i < filter->ref_count; i++) {
		const struct value value = work_value(work, type, handle, filter->refs[i]);
		if (!value.set || !guid_eq(&value.guid, &filter->ids[i]))
			return false;
	}
	for (unsigned i = 0; i < filter->range_count; i++) {
		const struct range *range = &filter->ranges[i];
		const struct value value = work_value(work, type, handle, range->field);
		if (value.number < range->least || value.number > range->most)
			return false;
	}
	if (filter->owner_known &&
	    work_value(work, type, handle, LEG_OWNER_ID).set != filter->owner_set)
		return false;
	for (unsigned i = 0; i < filter->text_count; i++) {
		const struct value value = work_value(work, type, handle, filter->text_fields[i]);
		if (!str_contains_nocase(value.text, filter->texts[i]))
			return false;
	}
	if (filter->usage_known &&
	    is_marked(work->api->usage, slab_index(handle)) != filter->used)
		return false;
	return filter->alarms == 0 || has_alarm(work, handle, filter->alarms);
}

static void
write_item(struct work *work, const struct walk *walk, uint32_t handle)
{
	const struct str singular = str_of(object_describe(walk->type)->singular);
	const struct guid id =
		walk->type == OBJECT_ALARM ? walk->alarm : live_id(work, walk->type, handle);
	document_item_open(&work->doc, singular);
	document_id(&work->doc, &id);
	write_fields(work, walk->type, handle, FIELD_LIST);
	document_item_close(&work->doc);
}

/* A page, as handles: the total stands in front of the items, and one walk finds both. */
struct page {
	uint32_t total;
	uint32_t count;
	uint32_t handles[API_PAGE_MAX];
	struct guid alarms[API_PAGE_MAX]; /* alarms have ids of their own */
};

static void
find_page(const struct work *work, struct walk *walk, const struct filter *filter,
          struct page *page)
{
	const bool table = walk->type < OBJECT_KEPT_END && walk->inside == OBJECT_NONE;
	const bool by_text = filter->text.len != 0 && !table;
	const bool all = filter->ref_count == 0 && filter->range_count == 0 &&
	                 !filter->owner_known && !filter->usage_known &&
	                 filter->text_count == 0 && filter->alarms == 0;
	const bool counted = table && all && filter->text.len == 0;
	if (filter->impossible)
		return;
	walk->part = table && filter->text.len != 0 ? &filter->part : NULL;
	for (uint32_t handle; (handle = walk_next(work, walk)) != 0;) {
		if ((!all && !passes(work, walk->type, handle, filter)) ||
		    (by_text && !has_text(work, walk->type, handle, filter)))
			continue;
		if (page->total++ < filter->offset || page->count == filter->limit) {
			if (counted && page->count == filter->limit)
				break;
			continue;
		}
		page->alarms[page->count] = walk->alarm;
		page->handles[page->count++] = handle;
	}
	if (counted)
		page->total = objects_count(work->objects, walk->type);
}

static void
write_collection(struct work *work, struct walk *walk)
{
	const struct object_desc *desc = object_describe(walk->type);
	struct filter filter;
	struct page page = { .total = 0 };
	if (!read_filter(work, walk->type, &filter))
		return;
	find_page(work, walk, &filter, &page);
	work->has_body = true;
	document_list_open(&work->doc, str_of(desc->collection), str_of(desc->singular),
	                   page.total, desc->too_many != NULL ? desc->most : 0);
	for (uint32_t i = 0; i < page.count; i++) {
		if (work->doc.w.cap - work->doc.w.at < ITEM_BYTES_MAX)
			break; /* a shorter page: the total says that there is more */
		walk->alarm = page.alarms[i];
		write_item(work, walk, page.handles[i]);
	}
	document_list_close(&work->doc);
}

/* ------------------------------------------------------------------ GET */

void
work_get(struct work *work)
{
	const struct path_row *row = work->path.row;
	uint32_t container = 0;
	uint32_t handle = 0;
	if (!work_target(work, &container, &handle))
		return;
	switch (row->kind) {
	case PATH_COLLECTION:
		if (row->type == OBJECT_LICENSE_USAGE) {
			licence_usage_get(work);
			break;
		}
		if (row->type == OBJECT_USAGE_HOST) {
			licence_usage_hosts_get(work);
			break;
		}
		write_collection(work, &(struct walk){ .type = row->type, .inside = row->inside,
		                                       .container = container });
		break;
	case PATH_OBJECT:
		write_object(work, row->type, handle, &work->path.ids[work->path.id_count - 1]);
		break;
	case PATH_SINGLE:
		if (row->type == OBJECT_DATABASE) {
			database_show(work);
			break;
		}
		write_object(work, row->type,
		             row->type < OBJECT_KEPT_END
		                     ? objects_single(work->objects, row->type)
		                     : 0,
		             NULL);
		break;
	case PATH_FIRST:
		write_first(work, row->type);
		break;
	case PATH_READING:
		if (row->type == OBJECT_ENTRY_DETAIL)
			entry_detail_get(work, container);
		else
			write_object(work, row->type, container, &work->path.ids[0]);
		break;
	case PATH_EFFECTIVE:
		effective_get(work, container);
		break;
	case PATH_TRACE:
		trace_get(work, container);
		break;
	case PATH_INVITATION:
		invitation_get(work, container);
		break;
	case PATH_METADATA:
		metadata_get(work, container);
		break;
	case PATH_CONTENTS:
		diagnostics_contents(work, container);
		break;
	case PATH_METRICS:
		metrics_read(work);
		break;
	case PATH_LOG:
		event_log_read(work);
		break;
	case PATH_DESCRIPTION:
		work->has_body = work->as_it_is = true;
		work->doc.w.at = 0;
		openapi_write(&work->doc.w, str_of(work->api->version));
		break;
	case PATH_USAGE:
		usage_get(work);
		break;
	case PATH_CERTIFICATES:
		certificates_read(work);
		break;
	case PATH_TEMPLATE:
		template_read(work, container);
		break;
	case PATH_ALL_OF:
	case PATH_TOKEN:
	case PATH_QUERY:
	case PATH_CAMERA:
	case PATH_KEYFRAME:
	case PATH_DIAGNOSE:
	case PATH_UPDATE:
	case PATH_CDR_TEST:
		CHECK(row->methods == 0); /* their rows do not allow GET */
		break;
	}
}

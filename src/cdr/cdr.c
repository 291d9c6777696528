/* SPDX-License-Identifier: Apache-2.0 */
#include "cdr/cdr.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/slab.h"
#include "cdr/cdr_record.h"

enum {
	URL_MAX = 256,
	LINE_MAX = 512,
	ERROR_MAX = 256,
	UNREADABLE_US = 1000 * 1000, /* the spool is asked again */
};

/* One POST holds at least one record, whatever its size. */
static_assert(CDR_RECORD_BYTES_MAX + 1024 <= CDR_POST_BYTES_MAX, "a record fits");

enum receiver_state {
	RECEIVER_IDLE,
	RECEIVER_READING,
	RECEIVER_POSTING,
	RECEIVER_WAITING, /* until `retry_us` */
};

struct receiver {
	bool used;
	bool connected;   /* the last POST was taken */
	bool complained;  /* the event log knows that it does not take them */
	enum receiver_state state;
	unsigned number;  /* as the event log calls it, from 1 */
	char url[URL_MAX];
	struct cdr_mark mark;
	struct cdr_mark sent; /* what the mark becomes when the POST is taken */
	uint32_t sent_records;
	uint64_t sent_missing;
	int64_t retry_us;
	int64_t pause_us;
	int64_t posted_us;
	struct cdr_standing standing;
	char error[ERROR_MAX];
};

struct call_count {
	uint32_t handle;
	uint32_t legs_completed;
};

struct cdr {
	struct cdr_settings settings;
	struct cdr_mark marks[CDR_RECEIVERS_MAX]; /* as loaded */
	unsigned mark_count;
	uint64_t receivers_version;
	bool configured;
	struct receiver receivers[CDR_RECEIVERS_MAX];
	bool reading[CDR_RECEIVERS_MAX]; /* the spool owes the slot a batch, wanted or not */
	uint64_t sequence_next;
	uint64_t stored_first;
	uint64_t stored_next;
	uint32_t correlator_next;
	struct cdr_counts counts;
	struct hash_key hash_key;
	struct cdr_leg *legs;     /* by the index of the model's handle */
	struct call_count *calls;
	char record[CDR_RECORD_BYTES_MAX];
	char post[CDR_POST_BYTES_MAX];
};

/* ------------------------------------------------------------------ life */

int
cdr_create(struct cdr **out, const struct cdr_settings *settings, int64_t now_us)
{
	CHECK(settings->sequence_next != 0 && settings->mark_count <= CDR_RECEIVERS_MAX);
	struct cdr *cdr = calloc(1, sizeof *cdr);
	if (cdr == NULL)
		return -ENOMEM;
	cdr->settings = *settings;
	cdr->mark_count = settings->mark_count;
	for (unsigned i = 0; i < settings->mark_count; i++)
		cdr->marks[i] = settings->marks[i];
	cdr->settings.marks = NULL;
	cdr->sequence_next = cdr->stored_next = settings->sequence_next;
	cdr->legs = calloc(settings->legs_max, sizeof *cdr->legs);
	cdr->calls = calloc(settings->legs_max, sizeof *cdr->calls);
	if (cdr->legs == NULL || cdr->calls == NULL) {
		cdr_destroy(cdr);
		return -ENOMEM;
	}
	meeting_cdr_index(settings->meeting, 0);
	cdr_configured(cdr, now_us);
	*out = cdr;
	return 0;
}

void
cdr_destroy(struct cdr *cdr)
{
	if (cdr == NULL)
		return;
	free(cdr->calls);
	free(cdr->legs);
	free(cdr);
}

/* ------------------------------------------------------------------ making records */

static unsigned
receiver_count(const struct cdr *cdr)
{
	unsigned count = 0;
	for (unsigned i = 0; i < CDR_RECEIVERS_MAX; i++)
		count += cdr->receivers[i].used;
	return count;
}

/* A record nobody is there for still has its number. */
static void
append(struct cdr *cdr, enum cdr_type type, const struct writer *w)
{
	/* Bounds of names and figures add up to less: see the header. */
	CHECK(!w->failed);
	const struct cdr_sink *sink = &cdr->settings.sink;
	const struct cdr_entry entry = {
		.sequence = cdr->sequence_next,
		.session = cdr->settings.session,
		.correlator = cdr->correlator_next++,
		.type = (uint8_t)type,
		.wall_us = sink->wall_us(sink->context),
		.body = writer_view(w),
	};
	meeting_cdr_index(cdr->settings.meeting, cdr->correlator_next);
	cdr->counts.records++;
	if (receiver_count(cdr) == 0)
		return;
	cdr->sequence_next++;
	sink->append(sink->context, &entry);
}

static struct cdr_leg *
leg_of(struct cdr *cdr, uint32_t handle)
{
	struct cdr_leg *leg = &cdr->legs[slab_index(handle)];
	CHECK(slab_index(handle) < cdr->settings.legs_max);
	return leg->handle == handle ? leg : NULL;
}

static uint64_t
identity(const struct cdr *cdr, const struct meeting_leg *leg)
{
	return hash_str(&cdr->hash_key, str_of(leg->name)) ^
	       hash_str(&cdr->hash_key, str_of(leg->sip_call_id)) * 3;
}

static void
leg_started(struct cdr *cdr, uint32_t handle)
{
	const struct meeting_leg *now = meeting_leg(cdr->settings.meeting, handle);
	CHECK(slab_index(handle) < cdr->settings.legs_max);
	struct cdr_leg *leg = &cdr->legs[slab_index(handle)];
	struct writer w = writer_of(cdr->record, sizeof cdr->record);
	*leg = (struct cdr_leg){ .handle = handle, .told_name = identity(cdr, now),
		                 .told_call = now->call };
	cdr_write_leg_start(&w, cdr->settings.meeting, handle);
	append(cdr, CDR_LEG_START, &w);
}

static void
leg_changed(struct cdr *cdr, uint32_t handle, int64_t now_us)
{
	struct cdr_leg *leg = leg_of(cdr, handle);
	const struct meeting_leg *now = meeting_leg(cdr->settings.meeting, handle);
	if (leg == NULL)
		return;
	cdr_leg_follow(leg, now, now_us);
	const uint64_t name = identity(cdr, now);
	if (now->state == LEG_ENDING ||
	    (leg->connected == leg->told_connected && leg->lobby == leg->told_lobby &&
	     name == leg->told_name && now->call == leg->told_call))
		return;
	leg->told_connected = leg->connected;
	leg->told_lobby = leg->lobby;
	leg->told_name = name;
	leg->told_call = now->call;
	struct writer w = writer_of(cdr->record, sizeof cdr->record);
	cdr_write_leg_update(&w, cdr->settings.meeting, handle);
	append(cdr, CDR_LEG_UPDATE, &w);
}

static void
leg_ended(struct cdr *cdr, const struct meeting_news *news)
{
	struct cdr_leg *leg = leg_of(cdr, news->leg);
	if (leg == NULL)
		return;
	struct writer w = writer_of(cdr->record, sizeof cdr->record);
	cdr_leg_follow(leg, meeting_leg(cdr->settings.meeting, news->leg), news->now_us);
	cdr_write_leg_end(&w, cdr->settings.meeting, leg, news->reason, news->remote,
	                  news->now_us);
	append(cdr, CDR_LEG_END, &w);
	leg->handle = 0;
	cdr->calls[slab_index(news->call)].legs_completed++;
}

static void
call_started(struct cdr *cdr, uint32_t handle)
{
	CHECK(slab_index(handle) < cdr->settings.legs_max);
	struct writer w = writer_of(cdr->record, sizeof cdr->record);
	cdr->calls[slab_index(handle)] = (struct call_count){ .handle = handle };
	cdr_write_call_start(&w, cdr->settings.meeting, handle);
	append(cdr, CDR_CALL_START, &w);
}

static void
call_ended(struct cdr *cdr, uint32_t handle, int64_t now_us)
{
	const struct call_count *count = &cdr->calls[slab_index(handle)];
	struct writer w = writer_of(cdr->record, sizeof cdr->record);
	if (count->handle != handle)
		return;
	cdr_write_call_end(&w, cdr->settings.meeting, handle, count->legs_completed, now_us);
	append(cdr, CDR_CALL_END, &w);
}

void
cdr_news(struct cdr *cdr, const struct meeting_news *news)
{
	switch (news->kind) {
	case MEETING_NEWS_CALL_STARTED:
		call_started(cdr, news->call);
		break;
	case MEETING_NEWS_CALL_ENDED:
		call_ended(cdr, news->call, news->now_us);
		break;
	case MEETING_NEWS_LEG_STARTED:
		leg_started(cdr, news->leg);
		break;
	case MEETING_NEWS_LEG_CHANGED:
		leg_changed(cdr, news->leg, news->now_us);
		break;
	case MEETING_NEWS_LEG_MEDIA: {
		struct cdr_leg *leg = leg_of(cdr, news->leg);
		if (leg != NULL)
			cdr_leg_sample(leg, &meeting_leg(cdr->settings.meeting, news->leg)->media,
			               news->now_us);
		break;
	}
	case MEETING_NEWS_LEG_ENDED:
		leg_ended(cdr, news);
		break;
	case MEETING_NEWS_CALL_CHANGED:
		break;
	}
}

/* ------------------------------------------------------------------ receivers */

static void
pump(struct cdr *cdr, unsigned slot)
{
	struct receiver *receiver = &cdr->receivers[slot];
	const struct cdr_sink *sink = &cdr->settings.sink;
	if (!receiver->used || receiver->url[0] == '\0' || receiver->state != RECEIVER_IDLE ||
	    cdr->reading[slot] || receiver->mark.next >= cdr->stored_next)
		return;
	const uint64_t from = receiver->mark.next > cdr->stored_first ? receiver->mark.next
	                                                              : cdr->stored_first;
	receiver->state = RECEIVER_READING;
	cdr->reading[slot] = true;
	sink->read(sink->context, slot, from);
}

static void
receiver_stop(struct cdr *cdr, unsigned slot)
{
	const struct cdr_sink *sink = &cdr->settings.sink;
	struct receiver *receiver = &cdr->receivers[slot];
	if (receiver->state == RECEIVER_POSTING)
		sink->cancel(sink->context, slot);
	receiver->state = RECEIVER_IDLE;
	receiver->pause_us = CDR_RETRY_US_MIN;
}

static int
slot_of(const struct cdr *cdr, const struct guid *id)
{
	for (unsigned i = 0; i < CDR_RECEIVERS_MAX; i++) {
		if (cdr->receivers[i].used && guid_eq(&cdr->receivers[i].mark.receiver, id))
			return (int)i;
	}
	return -1;
}

/* One that the spool knows goes on where it was; a new one begins now. */
static unsigned
receiver_add(struct cdr *cdr, const struct guid *id)
{
	const struct cdr_sink *sink = &cdr->settings.sink;
	unsigned slot = 0;
	while (slot < CDR_RECEIVERS_MAX && cdr->receivers[slot].used)
		slot++;
	CHECK(slot < CDR_RECEIVERS_MAX); /* those that are gone were removed first */
	struct receiver *receiver = &cdr->receivers[slot];
	*receiver = (struct receiver){ .used = true, .pause_us = CDR_RETRY_US_MIN,
		                       .mark = { .receiver = *id, .next = cdr->sequence_next,
		                                 .session = cdr->settings.session, .index = 1 } };
	for (unsigned i = 0; i < cdr->mark_count; i++) {
		if (guid_eq(&cdr->marks[i].receiver, id)) {
			receiver->mark = cdr->marks[i];
			cdr->marks[i] = cdr->marks[--cdr->mark_count];
			return slot;
		}
	}
	sink->mark(sink->context, &receiver->mark);
	return slot;
}

static void
receivers_remove_gone(struct cdr *cdr)
{
	const struct cdr_sink *sink = &cdr->settings.sink;
	const struct objects *objects = meeting_objects(cdr->settings.meeting);
	for (unsigned i = 0; i < CDR_RECEIVERS_MAX; i++) {
		struct receiver *receiver = &cdr->receivers[i];
		if (!receiver->used || objects_find(objects, OBJECT_CDR_RECEIVER,
		                                    &receiver->mark.receiver) != 0)
			continue;
		receiver_stop(cdr, i);
		receiver->used = false;
		receiver->mark.next = 0;
		sink->mark(sink->context, &receiver->mark);
	}
	/* Deleted while the bridge was down. */
	for (unsigned i = 0; i < cdr->mark_count && !cdr->configured; i++) {
		if (objects_find(objects, OBJECT_CDR_RECEIVER, &cdr->marks[i].receiver) != 0)
			continue;
		cdr->marks[i].next = 0;
		sink->mark(sink->context, &cdr->marks[i]);
	}
}

void
cdr_configured(struct cdr *cdr, int64_t now_us)
{
	const struct objects *objects = meeting_objects(cdr->settings.meeting);
	const uint64_t version = objects_version(objects, OBJECT_CDR_RECEIVER);
	(void)now_us;
	if (cdr->configured && version == cdr->receivers_version)
		return;
	cdr->receivers_version = version;
	receivers_remove_gone(cdr);
	uint32_t at = 0;
	unsigned number = 0;
	for (uint32_t handle;
	     (handle = objects_next(objects, OBJECT_CDR_RECEIVER, &at)) != 0;) {
		char url[URL_MAX];
		const struct guid id = objects_id(objects, OBJECT_CDR_RECEIVER, handle);
		const int known = slot_of(cdr, &id);
		const unsigned slot = known >= 0 ? (unsigned)known : receiver_add(cdr, &id);
		struct receiver *receiver = &cdr->receivers[slot];
		receiver->number = ++number;
		(void)str_copy(url, sizeof url,
		               objects_text(objects, OBJECT_CDR_RECEIVER, handle,
		                            CDR_RECEIVER_URI));
		if (strcmp(url, receiver->url) != 0) {
			receiver_stop(cdr, slot);
			receiver->complained = receiver->connected = false;
			receiver->standing = (struct cdr_standing){ 0 };
			receiver->error[0] = '\0';
			memcpy(receiver->url, url, sizeof url);
		}
		pump(cdr, slot);
	}
	cdr->configured = true;
}

void
cdr_stored(struct cdr *cdr, uint64_t first, uint64_t next, int64_t now_us)
{
	(void)now_us;
	cdr->stored_first = first;
	cdr->stored_next = next;
	for (unsigned i = 0; i < CDR_RECEIVERS_MAX; i++)
		pump(cdr, i);
}

/* ------------------------------------------------------------------ posting */

static void
write_time(struct writer *w, int64_t wall_us)
{
	const struct field field = { .kind = FIELD_TIME };
	const struct value value = { .set = true, .time_us = wall_us };
	value_write(w, &field, &value);
}

/* False: there is no room for it. */
static bool
write_record(struct cdr *cdr, struct writer *w, const struct cdr_entry *entry,
             struct cdr_mark *mark, uint64_t *missing_all)
{
	const size_t before = w->at;
	const bool same = guid_eq(&mark->session, &entry->session);
	CHECK(entry->sequence >= mark->next && entry->type < CDR_TYPES);
	const uint64_t missing = entry->sequence - mark->next;
	const uint32_t index = same ? mark->index + (uint32_t)missing : entry->correlator + 1;
	writer_format(w, "<record type=\"%s\" time=\"",
	              cdr_type_name((enum cdr_type)entry->type));
	write_time(w, entry->wall_us);
	writer_format(w, "\" recordIndex=\"%u\" correlatorIndex=\"%u\"", index,
	              entry->correlator);
	if (missing != 0)
		writer_format(w, " numPreceedingRecordsMissing=\"%llu\"",
		              (unsigned long long)missing);
	writer_text(w, ">");
	writer_str(w, entry->body);
	writer_text(w, "</record>");
	if (w->failed || w->cap - w->at < sizeof "</records>") {
		*w = (struct writer){ .bytes = w->bytes, .cap = w->cap, .at = before };
		return false;
	}
	(void)cdr;
	*missing_all += missing;
	mark->next = entry->sequence + 1;
	mark->session = entry->session;
	mark->index = index + 1;
	return true;
}

static struct writer
post_begin(struct cdr *cdr, struct receiver *receiver, const struct guid *session)
{
	char session_text[GUID_TEXT_LEN + 1];
	char bridge[GUID_TEXT_LEN + 1];
	struct writer w = writer_of(cdr->post, sizeof cdr->post);
	guid_write(session_text, session);
	guid_write(bridge, &cdr->settings.call_bridge);
	writer_format(&w, "<?xml version=\"1.0\"?><records session=\"%s\" callBridge=\"%s\">",
	              session_text, bridge);
	receiver->sent = receiver->mark;
	receiver->sent_records = 0;
	receiver->sent_missing = 0;
	return w;
}

static void
post(struct cdr *cdr, unsigned slot, struct writer *w, int64_t now_us)
{
	struct receiver *receiver = &cdr->receivers[slot];
	const struct cdr_sink *sink = &cdr->settings.sink;
	writer_text(w, "</records>");
	CHECK(!w->failed);
	receiver->state = RECEIVER_POSTING;
	receiver->posted_us = now_us;
	cdr->counts.posts++;
	sink->post(sink->context, slot, str_of(receiver->url), writer_view(w));
}

void
cdr_batch(struct cdr *cdr, unsigned slot, const struct cdr_entry *entries, unsigned count,
          int64_t now_us)
{
	CHECK(slot < CDR_RECEIVERS_MAX);
	struct receiver *receiver = &cdr->receivers[slot];
	CHECK(cdr->reading[slot]);
	cdr->reading[slot] = false;
	if (!receiver->used || receiver->state != RECEIVER_READING) {
		pump(cdr, slot);
		return;
	}
	if (count == 0) {
		receiver->state = RECEIVER_WAITING;
		receiver->retry_us = now_us + UNREADABLE_US;
		return;
	}
	struct writer w = post_begin(cdr, receiver, &entries[0].session);
	for (unsigned i = 0; i < count && i < CDR_POST_RECORDS_MAX; i++) {
		if (!guid_eq(&entries[i].session, &entries[0].session) ||
		    !write_record(cdr, &w, &entries[i], &receiver->sent, &receiver->sent_missing))
			break;
		receiver->sent_records++;
	}
	CHECK(receiver->sent_records != 0);
	post(cdr, slot, &w, now_us);
}

/* "host:port" of the URL, as the event log tells it. */
static struct str
authority_of(const struct receiver *receiver)
{
	struct str rest = str_of(receiver->url);
	(void)str_cut(&rest, '/');
	(void)str_cut(&rest, '/');
	return str_cut(&rest, '/');
}

__attribute__((format(printf, 3, 4))) static void
log_line(struct cdr *cdr, bool warning, const char *format, ...)
{
	char line[LINE_MAX];
	const struct cdr_sink *sink = &cdr->settings.sink;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	sink->log(sink->context, warning, str_of(line));
}

static void
taken(struct cdr *cdr, unsigned slot)
{
	struct receiver *receiver = &cdr->receivers[slot];
	const struct cdr_sink *sink = &cdr->settings.sink;
	if (receiver->sent_records != 0) {
		receiver->mark = receiver->sent;
		sink->mark(sink->context, &receiver->mark);
	}
	cdr->counts.taken += receiver->sent_records;
	cdr->counts.missing += receiver->sent_missing;
	if (receiver->sent_missing != 0)
		log_line(cdr, true, "CDR receiver %u lacks %llu records that could not be kept",
		         receiver->number, (unsigned long long)receiver->sent_missing);
	if (!receiver->connected) {
		log_line(cdr, false, "successfully connected to CDR receiver %u",
		         receiver->number);
		meeting_alarm_clear(cdr->settings.meeting, ALARM_CDR_CONNECTION_FAILURE,
		                    &receiver->mark.receiver);
	}
	receiver->connected = true;
	receiver->complained = false;
	receiver->pause_us = CDR_RETRY_US_MIN;
	receiver->state = RECEIVER_IDLE;
	pump(cdr, slot);
}

static void
note(struct cdr *cdr, struct receiver *receiver, enum cdr_answer answer, struct str text,
     int64_t now_us)
{
	const struct cdr_sink *sink = &cdr->settings.sink;
	struct cdr_standing *standing = &receiver->standing;
	const int64_t wall_us = sink->wall_us(sink->context);
	standing->asked = true;
	standing->last = answer;
	standing->answers++;
	standing->answer_us = now_us - receiver->posted_us;
	if (answer == CDR_TAKEN) {
		standing->taken_wall_us = wall_us;
		return;
	}
	standing->failed_wall_us = wall_us;
	text_copy_clean(receiver->error, sizeof receiver->error, text);
}

void
cdr_answered(struct cdr *cdr, unsigned slot, enum cdr_answer answer, struct str text,
             int64_t now_us)
{
	static const enum alarm_reason reasons[] = {
		[CDR_REFUSED] = ALARM_INTERNAL_SERVER_ERROR,
		[CDR_NO_NAME] = ALARM_DNS_FAILURE,
		[CDR_NO_ANSWER] = ALARM_CONNECT_FAILURE,
		[CDR_NO_TRUST] = ALARM_AUTHENTICATION_FAILURE,
	};
	CHECK(slot < CDR_RECEIVERS_MAX);
	struct receiver *receiver = &cdr->receivers[slot];
	if (!receiver->used || receiver->state != RECEIVER_POSTING)
		return;
	note(cdr, receiver, answer, text, now_us);
	if (answer == CDR_TAKEN) {
		taken(cdr, slot);
		return;
	}
	cdr->counts.posts_failed++;
	if (receiver->sent_records == 0) {
		/* A test: whoever asked for it reads what came of it. */
		receiver->state = RECEIVER_IDLE;
		pump(cdr, slot);
		return;
	}
	if (!receiver->complained)
		log_line(cdr, true, "unable to connect to CDR receiver %u (%.*s)%s%.*s",
		         receiver->number, STR_ARGS(authority_of(receiver)),
		         text.len != 0 ? ": " : "", STR_ARGS(text));
	receiver->connected = false;
	receiver->complained = true;
	receiver->state = RECEIVER_WAITING;
	receiver->retry_us = now_us + receiver->pause_us;
	receiver->pause_us = receiver->pause_us < CDR_RETRY_US_MAX / 2 ? receiver->pause_us * 2
	                                                               : CDR_RETRY_US_MAX;
	meeting_alarm_raise(cdr->settings.meeting, ALARM_CDR_CONNECTION_FAILURE, reasons[answer],
	                    &receiver->mark.receiver, now_us);
}

/* ------------------------------------------------------------------ time, and figures */

void
cdr_tick(struct cdr *cdr, int64_t now_us)
{
	for (unsigned i = 0; i < CDR_RECEIVERS_MAX; i++) {
		struct receiver *receiver = &cdr->receivers[i];
		if (!receiver->used || receiver->state != RECEIVER_WAITING ||
		    now_us < receiver->retry_us)
			continue;
		receiver->state = RECEIVER_IDLE;
		pump(cdr, i);
	}
}

int64_t
cdr_deadline(const struct cdr *cdr)
{
	int64_t deadline_us = INT64_MAX;
	for (unsigned i = 0; i < CDR_RECEIVERS_MAX; i++) {
		const struct receiver *receiver = &cdr->receivers[i];
		if (receiver->used && receiver->state == RECEIVER_WAITING &&
		    receiver->retry_us < deadline_us)
			deadline_us = receiver->retry_us;
	}
	return deadline_us;
}

bool
cdr_standing(const struct cdr *cdr, const struct guid *receiver, struct cdr_standing *out)
{
	const int slot = slot_of(cdr, receiver);
	if (slot < 0)
		return false;
	const struct receiver *found = &cdr->receivers[slot];
	*out = found->standing;
	out->error = str_of(found->error);
	out->retry_us = found->state == RECEIVER_WAITING ? found->retry_us : INT64_MAX;
	out->waiting = cdr->sequence_next - found->mark.next;
	return true;
}

void
cdr_test(struct cdr *cdr, const struct guid *receiver, int64_t now_us)
{
	const int slot = slot_of(cdr, receiver);
	if (slot < 0 || cdr->receivers[slot].url[0] == '\0')
		return;
	struct receiver *found = &cdr->receivers[slot];
	/* Whoever asks may have mended it: patience begins anew. */
	found->pause_us = CDR_RETRY_US_MIN;
	if (found->state == RECEIVER_WAITING)
		found->state = RECEIVER_IDLE;
	pump(cdr, (unsigned)slot);
	/* Something is under way, and its answer will tell. */
	if (found->state != RECEIVER_IDLE)
		return;
	struct writer w = post_begin(cdr, found, &cdr->settings.session);
	post(cdr, (unsigned)slot, &w, now_us);
}

struct cdr_counts
cdr_count(const struct cdr *cdr)
{
	struct cdr_counts counts = cdr->counts;
	counts.receivers = receiver_count(cdr);
	for (unsigned i = 0; i < CDR_RECEIVERS_MAX; i++) {
		const struct receiver *receiver = &cdr->receivers[i];
		if (!receiver->used)
			continue;
		const uint64_t waiting = cdr->sequence_next - receiver->mark.next;
		counts.failing += receiver->complained;
		counts.waiting = waiting > counts.waiting ? waiting : counts.waiting;
	}
	return counts;
}

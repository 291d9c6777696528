/* SPDX-License-Identifier: Apache-2.0 */
/* Messages, written when a client may get one: what is newer than it was told. */
#include "c2w/json_write.h"
#include "events/events_internal.h"

enum {
	/* Of one call or participant: a name and an address, all escaped, and short words. */
	ITEM_BYTES_MAX = 6 * (MEETING_NAME_MAX + MEETING_PARTY_MAX) + 1024,
	TAIL_BYTES = 8,
};

static_assert(4 * ITEM_BYTES_MAX < EVENTS_FRAME_MAX, "a frame holds several");

static void
write_guid(struct writer *w, const char *name, const struct guid *id)
{
	char text[GUID_TEXT_LEN + 1];
	guid_write(text, id);
	json_key(w, str_of(name));
	json_text(w, str_of(text), false);
}

static void
write_word(struct writer *w, const char *name, const char *word)
{
	json_key(w, str_of(name));
	json_text(w, str_of(word), false);
}

static void
write_value(struct writer *w, const char *name, const struct events_value *value)
{
	if (value->kind == VALUE_NONE)
		return;
	json_key(w, str_of(name));
	if (value->kind == VALUE_TEXT)
		json_text(w, str_of(value->text), false);
	else if (value->kind == VALUE_BOOL)
		writer_text(w, value->number != 0 ? "true" : "false");
	else
		writer_decimal(w, value->number);
}

/* Those of the wished elements that are newer than `told`. */
static void
write_elements(struct writer *w, const struct events *events, const struct events_row *row,
               const struct events_subscription *subscription)
{
	const bool roster = subscription->wish.type == EVENTS_CALL_ROSTER;
	for (unsigned e = 0; e < (roster ? LEG_ELEMENTS : CALL_ELEMENTS); e++) {
		struct events_value value;
		if ((subscription->wish.elements >> e & 1) == 0 ||
		    row->versions[e] <= subscription->told)
			continue;
		if (roster)
			leg_element_read(events, row->handle, (enum leg_element)e, &value);
		else
			call_element_read(events, row->handle, (enum call_element)e, &value);
		write_value(w, roster ? events_leg_elements[e] : events_call_elements[e], &value);
	}
}

static bool
has_news(const struct events_row *row, const struct events_subscription *subscription)
{
	for (unsigned e = 0; e < EVENTS_ELEMENTS_MAX; e++) {
		if ((subscription->wish.elements >> e & 1) != 0 &&
		    row->versions[e] > subscription->told)
			return true;
	}
	return row->born > subscription->told;
}

static void
begin_message(struct writer *w, struct events *events, struct events_client *client,
              const char *type)
{
	*w = writer_of(events->text, sizeof events->text - TAIL_BYTES);
	writer_format(w, "{\"type\":\"message\",\"message\":{\"messageId\":%llu,\"type\":\"%s\"",
	              (unsigned long long)client->message_last + 1, type);
}

static struct str
end_message(struct writer *w)
{
	w->cap += TAIL_BYTES;
	writer_text(w, "}}");
	CHECK(!w->failed);
	return writer_view(w);
}

/* ------------------------------------------------------------------ whether it stands */

static void
settle_state(struct events *events, struct events_subscription *subscription)
{
	const struct events_request_subscription *wish = &subscription->wish;
	if (wish->type == EVENTS_CALLS) {
		subscription->active = true;
		return;
	}
	if (!subscription->told_state)
		subscription->call = meeting_call_find(events->settings.meeting, &wish->call);
	const struct events_row *row = &events->calls[slab_index(subscription->call)];
	subscription->active = subscription->call != 0 && row->handle == subscription->call;
}

/* One message about all whose state is news. */
static bool
message_states(struct events *events, struct events_client *client, struct str *out)
{
	struct writer w;
	unsigned written = 0;
	begin_message(&w, events, client, "subscriptionUpdate");
	writer_text(&w, ",\"subscriptions\":[");
	for (unsigned i = 0; i < client->count; i++) {
		struct events_subscription *subscription = &client->subscriptions[i];
		settle_state(events, subscription);
		if (subscription->told_state && subscription->told_active == subscription->active)
			continue;
		subscription->told_state = true;
		subscription->told_active = subscription->active;
		writer_format(&w, "%s{\"index\":%lld,\"state\":\"%s\"}", written++ != 0 ? "," : "",
		              (long long)subscription->wish.index,
		              subscription->active ? "active" : "deactivated");
	}
	writer_text(&w, "]");
	*out = end_message(&w);
	return written != 0;
}

/* ------------------------------------------------------------------ lists */

static void
begin_item(struct writer *w, const struct events_subscription *subscription,
           const struct guid *id, const char *update, unsigned number)
{
	writer_text(w, number != 0 ? ",{" : "{");
	write_guid(w, subscription->wish.type == EVENTS_CALLS ? "call" : "participant", id);
	write_word(w, "updateType", update);
}

static bool
has_room(const struct writer *w)
{
	return w->cap - w->at > ITEM_BYTES_MAX;
}

/* Those that went since it was told; false: there was no room for all. */
static bool
write_gone(struct writer *w, const struct events *events,
           struct events_subscription *subscription, unsigned *count)
{
	const uint32_t inside = subscription->wish.type == EVENTS_CALLS ? 0 : subscription->call;
	for (; subscription->gone_at < events->gone_count; subscription->gone_at++) {
		const struct events_gone *gone =
			&events->gone[subscription->gone_at % EVENTS_GONE_MAX];
		if (gone->version > subscription->target)
			break;
		if (gone->call != inside || gone->born > subscription->told)
			continue;
		if (!has_room(w))
			return false;
		begin_item(w, subscription, &gone->id, "remove", (*count)++);
		writer_text(w, "}");
	}
	return true;
}

static bool
write_rows(struct writer *w, const struct events *events,
           struct events_subscription *subscription, unsigned *count)
{
	const bool roster = subscription->wish.type == EVENTS_CALL_ROSTER;
	const struct events_row *rows = roster ? events->legs : events->calls;
	const uint32_t most = roster ? events->settings.legs_max : events->settings.calls_max;
	for (; subscription->cursor < most; subscription->cursor++) {
		const struct events_row *row = &rows[subscription->cursor];
		if (row->handle == 0 || row->born > subscription->target ||
		    row->version <= subscription->told ||
		    (roster && row->call != subscription->call) || !has_news(row, subscription))
			continue;
		if (!has_room(w))
			return false;
		begin_item(w, subscription, &row->id,
		           row->born > subscription->told ? "add" : "update", (*count)++);
		write_elements(w, events, row, subscription);
		writer_text(w, "}");
	}
	return true;
}

/* The next part of a pass over all there is; when it is through, all up to its target is told. */
static bool
message_list(struct events *events, struct events_client *client,
             struct events_subscription *subscription, struct str *out)
{
	struct writer w;
	unsigned count = 0;
	if (subscription->target == 0) {
		subscription->target = events->version;
		subscription->cursor = 0;
	}
	begin_message(&w, events, client,
	              subscription->wish.type == EVENTS_CALLS ? "callListUpdate" : "rosterUpdate");
	writer_format(&w, ",\"subscriptionIndex\":%lld,\"updates\":[",
	              (long long)subscription->wish.index);
	if (write_gone(&w, events, subscription, &count) &&
	    write_rows(&w, events, subscription, &count)) {
		subscription->told = subscription->target;
		subscription->target = 0;
	}
	writer_text(&w, "]");
	*out = end_message(&w);
	return count != 0;
}

static bool
message_info(struct events *events, struct events_client *client,
             struct events_subscription *subscription, struct str *out)
{
	struct writer w;
	const struct events_row *row = &events->calls[slab_index(subscription->call)];
	const bool news = has_news(row, subscription);
	if (news) {
		begin_message(&w, events, client, "callInfoUpdate");
		writer_format(&w, ",\"subscriptionIndex\":%lld,\"callInfo\":{",
		              (long long)subscription->wish.index);
		write_guid(&w, "call", &row->id);
		write_elements(&w, events, row, subscription);
		writer_text(&w, "}");
		*out = end_message(&w);
	}
	subscription->told = events->version;
	return news;
}

/* ------------------------------------------------------------------ what is next */

static bool
is_due(const struct events *events, const struct events_subscription *subscription)
{
	if (!subscription->active)
		return false;
	if (subscription->target != 0)
		return true;
	if (subscription->wish.type == EVENTS_CALLS)
		return events->calls_version > subscription->told;
	const struct events_row *row = &events->calls[slab_index(subscription->call)];
	const uint64_t newest = subscription->wish.type == EVENTS_CALL_INFO ? row->version
	                                                                    : row->roster_version;
	return newest > subscription->told;
}

bool
message_next(struct events *events, struct events_client *client, struct str *out)
{
	if (message_states(events, client, out))
		return true;
	for (unsigned i = 0; i < client->count; i++) {
		struct events_subscription *subscription = &client->subscriptions[i];
		if (!is_due(events, subscription)) {
			/* Whoever went meanwhile is none of its business. */
			subscription->told = events->version;
			subscription->gone_at = events->gone_count;
			continue;
		}
		if (subscription->wish.type == EVENTS_CALL_INFO
		            ? message_info(events, client, subscription, out)
		            : message_list(events, client, subscription, out))
			return true;
	}
	return false;
}

bool
client_is_behind(const struct events *events, const struct events_client *client)
{
	for (unsigned i = 0; i < client->count; i++) {
		const struct events_subscription *subscription = &client->subscriptions[i];
		if (is_due(events, subscription) && subscription->wish.type != EVENTS_CALL_INFO &&
		    events->gone_count - subscription->gone_at > EVENTS_GONE_MAX)
			return true;
	}
	return false;
}

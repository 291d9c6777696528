/* SPDX-License-Identifier: Apache-2.0 */
/* Clients: who they are, what they acknowledge, and when they get the next message. */
#include "events/events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events/events_internal.h"

/* ------------------------------------------------------------------ life */

int
events_create(struct events **out, const struct events_settings *settings)
{
	struct events *events = calloc(1, sizeof *events);
	if (events == NULL)
		return -ENOMEM;
	events->settings = *settings;
	events->flush_us = INT64_MAX;
	events->calls = calloc(settings->calls_max, sizeof *events->calls);
	events->legs = calloc(settings->legs_max, sizeof *events->legs);
	events->gone = calloc(EVENTS_GONE_MAX, sizeof *events->gone);
	if (events->calls == NULL || events->legs == NULL || events->gone == NULL ||
	    slab_create(&events->clients, sizeof(struct events_client), EVENTS_CLIENTS_MAX) != 0) {
		events_destroy(events);
		return -ENOMEM;
	}
	*out = events;
	return 0;
}

void
events_destroy(struct events *events)
{
	if (events == NULL)
		return;
	uint32_t at = 0;
	for (uint32_t client; (client = slab_next(&events->clients, &at)) != 0;)
		events_closed(events, client);
	slab_destroy(&events->clients);
	free(events->gone);
	free(events->legs);
	free(events->calls);
	free(events);
}

uint32_t
events_open(struct events *events, uint64_t owner, int64_t now_us)
{
	uint32_t handle = 0;
	struct events_client *client = slab_take(&events->clients, &handle);
	if (client == NULL)
		return 0;
	client->subscriptions = calloc(EVENTS_SUBSCRIPTIONS_MAX, sizeof *client->subscriptions);
	if (client->subscriptions == NULL) {
		slab_free(&events->clients, handle);
		return 0;
	}
	client->owner = owner;
	client->ack_first = 1;
	if (events->clients.count == 1)
		rows_reset(events);
	(void)now_us;
	return handle;
}

void
events_closed(struct events *events, uint32_t handle)
{
	struct events_client *client = slab_get(&events->clients, handle);
	if (client == NULL)
		return;
	free(client->subscriptions);
	slab_free(&events->clients, handle);
}

static void
let_go(struct events *events, struct events_client *client, enum events_close code,
       const char *reason)
{
	if (client->closing)
		return;
	client->closing = true;
	events->counts.dropped++;
	events->settings.sink.close(events->settings.sink.context, client->owner, code, reason);
}

/* ------------------------------------------------------------------ acknowledgements */

static unsigned
unacked(const struct events_client *client)
{
	return (unsigned)(client->message_last + 1 - client->ack_first);
}

static void
acknowledged(struct events_client *client, uint64_t message)
{
	if (message < client->ack_first || message > client->message_last)
		return;
	client->acked |= UINT32_C(1) << (message - client->ack_first);
	while ((client->acked & 1) != 0) {
		client->acked >>= 1;
		client->ack_first++;
	}
}

static void
send_ack(struct events *events, const struct events_client *client, uint64_t message,
         const char *status)
{
	char text[128];
	const int len = snprintf(text, sizeof text,
	                         "{\"type\":\"messageAck\",\"messageAck\":{\"messageId\":%llu,"
	                         "\"status\":\"%s\"}}",
	                         (unsigned long long)message, status);
	CHECK(len > 0 && (size_t)len < sizeof text);
	events->settings.sink.send(events->settings.sink.context, client->owner,
	                           (struct str){ text, (size_t)len });
}

/* ------------------------------------------------------------------ messages out */

static void
pump(struct events *events, struct events_client *client, int64_t now_us)
{
	struct str text;
	if (client_is_behind(events, client)) {
		let_go(events, client, EVENTS_CLOSE_TRY_LATER, "too slow");
		return;
	}
	while (!client->closing && unacked(client) < EVENTS_UNACKED_MAX &&
	       message_next(events, client, &text)) {
		client->message_last++;
		client->sent_us[client->message_last % EVENTS_UNACKED_MAX] = now_us;
		events->counts.messages_out++;
		events->settings.sink.send(events->settings.sink.context, client->owner, text);
	}
}

static void
flush(struct events *events, int64_t now_us)
{
	uint32_t at = 0;
	events->flush_us = INT64_MAX;
	rows_refresh(events);
	for (uint32_t handle; (handle = slab_next(&events->clients, &at)) != 0;)
		pump(events, slab_get(&events->clients, handle), now_us);
}

/* ------------------------------------------------------------------ input */

static void
subscribe(struct events *events, struct events_client *client, const struct events_request *request)
{
	client->count = request->count;
	for (unsigned i = 0; i < request->count; i++)
		client->subscriptions[i] = (struct events_subscription){
			.wish = request->at[i], .gone_at = events->gone_count };
}

void
events_input(struct events *events, uint32_t handle, struct str text, int64_t now_us)
{
	struct events_client *client = slab_get(&events->clients, handle);
	struct events_request *request = &events->request;
	if (client == NULL || client->closing)
		return;
	events->counts.messages_in++;
	if (text.len > EVENTS_FRAME_MAX) {
		let_go(events, client, EVENTS_CLOSE_TOO_BIG, "message too big");
		return;
	}
	events_parse(request, text);
	switch (request->kind) {
	case REQUEST_BAD:
		events->counts.rejected++;
		let_go(events, client, EVENTS_CLOSE_BAD_DATA, "not a message of this protocol");
		return;
	case REQUEST_ACK:
		acknowledged(client, request->message_id);
		break;
	case REQUEST_SUBSCRIBE:
		send_ack(events, client, request->message_id, "success");
		subscribe(events, client, request);
		break;
	case REQUEST_TOO_MANY:
		events->counts.rejected++;
		send_ack(events, client, request->message_id, "tooManySubscriptions");
		return;
	case REQUEST_WRONG:
		events->counts.rejected++;
		send_ack(events, client, request->message_id, "failure");
		return;
	}
	rows_refresh(events);
	pump(events, client, now_us);
}

void
events_news(struct events *events, const struct meeting_news *news)
{
	const struct meeting_call *call = meeting_call(events->settings.meeting, news->call);
	/* Who is still asked for a meeting is in none that anybody could have subscribed to. */
	if (events->clients.count == 0 || news->kind == MEETING_NEWS_LEG_MEDIA ||
	    (call != NULL && call->door))
		return;
	if (news->kind == MEETING_NEWS_LEG_ENDED)
		rows_leg_gone(events, news->leg);
	if (news->kind == MEETING_NEWS_CALL_ENDED)
		rows_call_gone(events, news->call);
	else
		rows_dirty(events, news->call);
	if (events->flush_us == INT64_MAX)
		events->flush_us = news->now_us + EVENTS_GATHER_US;
}

/* ------------------------------------------------------------------ time, and figures */

/* When the oldest message that is not acknowledged must be. */
static int64_t
patience(const struct events_client *client)
{
	if (client->closing || unacked(client) == 0)
		return INT64_MAX;
	return client->sent_us[client->ack_first % EVENTS_UNACKED_MAX] + EVENTS_ACK_US;
}

void
events_tick(struct events *events, int64_t now_us)
{
	uint32_t at = 0;
	for (uint32_t handle; (handle = slab_next(&events->clients, &at)) != 0;) {
		struct events_client *client = slab_get(&events->clients, handle);
		if (now_us >= patience(client))
			let_go(events, client, EVENTS_CLOSE_POLICY, "a message is not acknowledged");
	}
	if (now_us >= events->flush_us)
		flush(events, now_us);
}

int64_t
events_deadline(const struct events *events)
{
	int64_t deadline_us = events->flush_us;
	uint32_t at = 0;
	for (uint32_t handle; (handle = slab_next(&events->clients, &at)) != 0;) {
		const int64_t until_us = patience(slab_get(&events->clients, handle));
		deadline_us = until_us < deadline_us ? until_us : deadline_us;
	}
	return deadline_us;
}

struct events_counts
events_count(const struct events *events)
{
	struct events_counts counts = events->counts;
	uint32_t at = 0;
	counts.clients = events->clients.count;
	for (uint32_t handle; (handle = slab_next(&events->clients, &at)) != 0;)
		counts.subscriptions +=
			((struct events_client *)slab_get(&events->clients, handle))->count;
	return counts;
}

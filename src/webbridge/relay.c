/* SPDX-License-Identifier: Apache-2.0 */
/* The relay's life, its Call Bridges, and time. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "webbridge/relay_internal.h"

enum { LOG_TEXT_MAX = 512 };

/* ---- Small things -------------------------------------------------------------------------- */

void
relay_log(struct relay *relay, enum relay_log level, const char *format, ...)
{
	char text[LOG_TEXT_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	relay->sink.log(relay->sink.context, level, str_of(text));
}

void
relay_timer_start(struct relay *relay, struct relay_timer *timer, int64_t deadline_us)
{
	timer_start(&relay->timers, &timer->timer, deadline_us);
}

struct str
relay_write(struct relay *relay, const struct c2w_message *message, bool for_browser)
{
	struct writer w = writer_of(relay->text, RELAY_TEXT_MAX);
	c2w_write(&w, message, for_browser);
	return w.failed ? (struct str){ 0 } : writer_view(&w);
}

void
relay_to_bridge(struct relay *relay, unsigned link, const struct c2w_message *message)
{
	CHECK(link < RELAY_LINKS_MAX && relay->links[link].used);
	const struct str text = relay_write(relay, message, false);
	if (text.len != 0)
		relay->sink.to_bridge(relay->sink.context, relay->links[link].ws, text);
}

/* ---- Life ---------------------------------------------------------------------------------- */

int
relay_create(struct relay **out, const struct relay_settings *settings, int64_t now_us)
{
	CHECK(settings->sessions_max != 0 && settings->questions_max != 0);
	struct relay *relay = calloc(1, sizeof *relay);
	if (relay == NULL)
		return -ENOMEM;
	relay->sink = settings->sink;
	relay->hash_key = settings->hash_key;
	str_copy(relay->product, sizeof relay->product, settings->product);
	timer_wheel_init(&relay->timers, now_us);
	relay->sources = calloc(RELAY_SOURCES, sizeof *relay->sources);
	relay->text = malloc(RELAY_TEXT_MAX);
	for (unsigned i = 0; i < RELAY_LINKS_MAX; i++)
		relay->links[i].timer = (struct relay_timer){ .kind = RELAY_TIMER_LINK, .of = i };
	int rc = relay->sources != NULL && relay->text != NULL ? 0 : -ENOMEM;
	if (rc == 0)
		rc = slab_create(&relay->sessions, sizeof(struct session), settings->sessions_max);
	if (rc == 0)
		rc = slab_create(&relay->questions, sizeof(struct question),
		                 settings->questions_max);
	if (rc == 0)
		rc = map_create(&relay->by_browser, settings->sessions_max);
	if (rc != 0) {
		relay_destroy(relay);
		return rc;
	}
	*out = relay;
	return 0;
}

void
relay_destroy(struct relay *relay)
{
	if (relay == NULL)
		return;
	for (uint32_t at = 0, handle; (handle = slab_next(&relay->sessions, &at)) != 0;)
		explicit_bzero(slab_get(&relay->sessions, handle), sizeof(struct session));
	for (uint32_t at = 0, handle; (handle = slab_next(&relay->questions, &at)) != 0;)
		explicit_bzero(slab_get(&relay->questions, handle), sizeof(struct question));
	slab_destroy(&relay->sessions);
	slab_destroy(&relay->questions);
	map_destroy(&relay->by_browser);
	free(relay->sources);
	free(relay->text);
	free(relay);
}

/* ---- Call Bridges -------------------------------------------------------------------------- */

static unsigned
link_of(const struct relay *relay, uint32_t ws)
{
	for (unsigned i = 0; i < RELAY_LINKS_MAX; i++)
		if (relay->links[i].used && relay->links[i].ws == ws)
			return i;
	return RELAY_NO_LINK;
}

unsigned
relay_any_link(struct relay *relay, uint32_t tried)
{
	for (unsigned n = 0; n < RELAY_LINKS_MAX; n++) {
		const unsigned i = (relay->next_link + n) % RELAY_LINKS_MAX;
		if (!relay->links[i].ready || relay->links[i].retiring || (tried & 1u << i) != 0)
			continue;
		relay->next_link = (i + 1) % RELAY_LINKS_MAX;
		return i;
	}
	return RELAY_NO_LINK;
}

unsigned
relay_link_by_id(const struct relay *relay, const char *id)
{
	for (unsigned i = 0; i < RELAY_LINKS_MAX; i++)
		if (relay->links[i].ready && !relay->links[i].retiring &&
		    strcmp(relay->links[i].id, id) == 0)
			return i;
	return RELAY_NO_LINK;
}

void
relay_bridge_up(struct relay *relay, uint32_t bridge, int64_t now_us)
{
	unsigned index = 0;
	CHECK(link_of(relay, bridge) == RELAY_NO_LINK);
	while (index < RELAY_LINKS_MAX && relay->links[index].used)
		index++;
	if (index == RELAY_LINKS_MAX) {
		relay->counters.full++;
		relay_log(relay, RELAY_LOG_WARNING, "more than %d Call Bridges; one is refused",
		          RELAY_LINKS_MAX);
		relay->sink.drop_bridge(relay->sink.context, bridge, 1013, "too many bridges");
		return;
	}
	struct link *link = &relay->links[index];
	link->used = true;
	link->ready = false;
	link->retiring = false;
	link->ws = bridge;
	link->id[0] = '\0';
	relay_timer_start(relay, &link->timer, now_us + RELAY_HELLO_US);
	struct c2w_message hello = { .kind = C2W_HELLO };
	hello.hello = (struct c2w_hello){ .version = C2W_VERSION,
		                          .role = STR("webbridge"),
		                          .product = str_of(relay->product) };
	relay_to_bridge(relay, index, &hello);
}

static void
forget_link(struct relay *relay, unsigned index, int64_t now_us)
{
	struct link *link = &relay->links[index];
	timer_stop(&relay->timers, &link->timer.timer);
	relay->counters.bridges -= link->ready;
	link->used = false;
	link->ready = false;
	sessions_link_down(relay, index, now_us);
	questions_link_down(relay, index, now_us);
}

static void
drop_link(struct relay *relay, unsigned index, uint16_t code, const char *why, int64_t now_us)
{
	const uint32_t ws = relay->links[index].ws;
	relay_log(relay, RELAY_LOG_WARNING, "connection of a Call Bridge is closed: %s", why);
	relay->sink.drop_bridge(relay->sink.context, ws, code, why);
	forget_link(relay, index, now_us);
}

void
relay_bridge_down(struct relay *relay, uint32_t bridge, int64_t now_us)
{
	const unsigned index = link_of(relay, bridge);
	if (index == RELAY_NO_LINK)
		return;
	if (relay->links[index].ready)
		relay_log(relay, RELAY_LOG_WARNING, "Call Bridge %s is gone",
		          relay->links[index].id);
	forget_link(relay, index, now_us);
}

/* A bridge that was restarted may be here before we know that its old connection is dead. */
static void
drop_former_self(struct relay *relay, unsigned index, int64_t now_us)
{
	const struct link *link = &relay->links[index];
	for (unsigned i = 0; i < RELAY_LINKS_MAX; i++)
		if (i != index && relay->links[i].ready && link->id[0] != '\0' &&
		    strcmp(relay->links[i].id, link->id) == 0)
			drop_link(relay, i, 1000, "the same bridge has connected anew", now_us);
}

static void
greeted(struct relay *relay, unsigned index, const struct c2w_hello *hello, int64_t now_us)
{
	struct link *link = &relay->links[index];
	if (link->ready)
		return;
	if (hello->version != C2W_VERSION) {
		drop_link(relay, index, 1008, "it speaks another version of C2W", now_us);
		return;
	}
	if (!str_eq(hello->role, STR("callbridge"))) {
		drop_link(relay, index, 1008, "it is no Call Bridge", now_us);
		return;
	}
	timer_stop(&relay->timers, &link->timer.timer);
	str_copy(link->id, sizeof link->id, hello->id);
	drop_former_self(relay, index, now_us);
	link->ready = true;
	relay->counters.bridges++;
	relay_log(relay, RELAY_LOG_INFO, "Call Bridge %s is connected", link->id);
	sessions_link_ready(relay, index, now_us);
	questions_link_ready(relay, now_us);
}

static void
take(struct relay *relay, unsigned index, struct c2w_message *message, int64_t now_us)
{
	const struct c2w_message pong = { .kind = C2W_PONG };
	switch (message->kind) {
	case C2W_HELLO:
		greeted(relay, index, &message->hello, now_us);
		break;
	case C2W_PING:
		relay_to_bridge(relay, index, &pong);
		break;
	case C2W_FOUND:
	case C2W_JOINED:
	case C2W_SIGNED_IN:
	case C2W_ELSEWHERE:
	case C2W_TOLD:
		question_message(relay, index, message, now_us);
		break;
	case C2W_REFUSED:
		if (message->request != 0)
			question_message(relay, index, message, now_us);
		else
			sessions_message(relay, index, message, now_us);
		break;
	case C2W_OPENED:
	case C2W_ANSWER:
	case C2W_ROSTER:
	case C2W_MEETING:
	case C2W_MUTED:
	case C2W_VIDEO_MUTED:
	case C2W_TILES:
	case C2W_SHARING:
	case C2W_CHAT:
	case C2W_NOTICE:
	case C2W_QUALITY:
	case C2W_ENDED:
		sessions_message(relay, index, message, now_us);
		break;
	case C2W_PONG:
	case C2W_NONE:
	case C2W_LOOKUP:
	case C2W_JOIN:
	case C2W_SIGN_IN:
	case C2W_SIGN_IN_ELSEWHERE:
	case C2W_ASK:
	case C2W_OPEN:
	case C2W_OFFER:
	case C2W_CANDIDATE:
	case C2W_MUTE:
	case C2W_ACT:
	case C2W_LEAVE:
	case C2W_VIEW:
	case C2W_CAMERA:
	case C2W_SHARE:
	case C2W_SAY:
	case C2W_HAND:
	case C2W_LAYOUT:
	case C2W_REMOTE_CAMERA:
	case C2W_CLOSED:
	case C2W_KINDS:
		break;
	}
}

void
relay_bridge_input(struct relay *relay, uint32_t bridge, struct str text, int64_t now_us)
{
	const unsigned index = link_of(relay, bridge);
	if (index == RELAY_NO_LINK)
		return;
	struct c2w_message message;
	const enum c2w_reject reject = c2w_parse(&message, text, C2W_FROM_CALL_BRIDGE);
	if (reject != C2W_OK) {
		relay->counters.bridge_rejects[reject]++;
		drop_link(relay, index, 1008, c2w_reject_name(reject), now_us);
		return;
	}
	if (relay->links[index].ready || message.kind == C2W_HELLO || message.kind == C2W_PING)
		take(relay, index, &message, now_us);
	else
		drop_link(relay, index, 1008, "it did not say hello first", now_us);
	c2w_message_fini(&message);
}

/* ---- Time ---------------------------------------------------------------------------------- */

void
relay_tick(struct relay *relay, int64_t now_us)
{
	for (struct timer *timer; (timer = timer_take(&relay->timers, now_us)) != NULL;) {
		const struct relay_timer *due = CONTAINER_OF(timer, struct relay_timer, timer);
		switch (due->kind) {
		case RELAY_TIMER_LINK:
			drop_link(relay, due->of, 1008, "it did not say hello", now_us);
			break;
		case RELAY_TIMER_SESSION:
			session_timer(relay, due->of, now_us);
			break;
		case RELAY_TIMER_QUESTION:
			question_timer(relay, due->of, now_us);
			break;
		}
	}
}

int64_t
relay_deadline(const struct relay *relay)
{
	return timer_wheel_deadline(&relay->timers);
}

/* ---- For administrators -------------------------------------------------------------------- */

const struct relay_counters *
relay_counters(const struct relay *relay)
{
	return &relay->counters;
}

void
relay_dump(const struct relay *relay, struct writer *w)
{
	uint32_t by_link[RELAY_LINKS_MAX + 1] = { 0 };
	for (uint32_t at = 0, handle; (handle = slab_next(&relay->sessions, &at)) != 0;)
		by_link[((const struct session *)slab_get(&relay->sessions, handle))->link]++;
	for (unsigned i = 0; i < RELAY_LINKS_MAX; i++)
		if (relay->links[i].used)
			writer_format(w, "bridge %s %s sessions=%u\n",
			              relay->links[i].ready ? "ready" : "greeting",
			              relay->links[i].id, by_link[i]);
	writer_format(w, "waiting sessions=%u questions=%u timers=%u\n", by_link[RELAY_NO_LINK],
	              relay->questions.count, relay->timers.count);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Browsers' sessions: opened at the bridge that made their token, and again when it is back. */
#include "base/check.h"
#include "base/encode.h"
#include "webbridge/relay_internal.h"

enum {
	SECOND_US = 1000 * 1000,
	CLOSE_NORMAL = 1000, /* RFC 6455 s7.4.1 */
	CLOSE_POLICY = 1008,
	TOKEN_CLAIMS_MAX = C2W_TOKEN_MAX,
};

/* ---- Who is who ---------------------------------------------------------------------------- */

static struct session *
session_get(const struct relay *relay, uint32_t handle)
{
	return slab_get(&relay->sessions, handle);
}

static uint64_t
browser_hash(const struct relay *relay, uint32_t browser)
{
	return hash_bytes(&relay->hash_key, &browser, sizeof browser);
}

static struct session *
session_of(const struct relay *relay, uint32_t browser)
{
	struct map_cursor cursor = map_find(&relay->by_browser, browser_hash(relay, browser));
	for (uint32_t handle; (handle = map_next(&relay->by_browser, &cursor)) != 0;) {
		struct session *session = session_get(relay, handle);
		CHECK(session != NULL);
		if (session->browser == browser)
			return session;
	}
	return NULL;
}

/* Where a token comes from, as its claims say in plain sight: the value of "callBridge".  Ours
 * write no white space and no escapes into an identifier. */
void
relay_token_home(char out[C2W_ID_MAX + 1], struct str token)
{
	char claims[TOKEN_CLAIMS_MAX];
	(void)str_cut(&token, '.');
	const int len = decode_base64(claims, TOKEN_CLAIMS_MAX, str_cut(&token, '.'));
	const struct str key = STR("\"callBridge\":\"");
	struct str rest = { .at = claims, .len = len > 0 ? (size_t)len : 0 };
	while (rest.len != 0 && !str_starts(rest, key))
		rest = str_sub(rest, 1, rest.len - 1);
	if (rest.len != 0)
		rest = str_sub(rest, key.len, rest.len - key.len);
	str_copy(out, C2W_ID_MAX + 1, str_cut(&rest, '"'));
}

static bool
is_token(struct str token)
{
	bool good = token.len != 0 && token.len <= C2W_TOKEN_MAX;
	for (size_t i = 0; good && i < token.len; i++) {
		const char c = token.at[i];
		good = str_is_alnum(c) || c == '-' || c == '_' || c == '.';
	}
	return good;
}

static void
keep_token(struct session *session, struct str token)
{
	CHECK(str_copy(session->token, sizeof session->token, token));
	relay_token_home(session->home, token);
}

/* ---- Talking to browsers ------------------------------------------------------------------- */

static void
to_browser(struct relay *relay, uint32_t browser, const struct c2w_message *message)
{
	const struct str text = relay_write(relay, message, true);
	if (text.len != 0)
		relay->sink.to_browser(relay->sink.context, browser, text);
}

static void
to_bridge(struct relay *relay, const struct session *session, struct c2w_message *message)
{
	message->session = session->handle;
	relay_to_bridge(relay, session->link, message);
}

static void
forget(struct relay *relay, struct session *session)
{
	const uint32_t handle = session->handle;
	timer_stop(&relay->timers, &session->timer.timer);
	map_remove(&relay->by_browser, browser_hash(relay, session->browser), handle);
	explicit_bzero(session, sizeof *session);
	slab_free(&relay->sessions, handle);
	relay->counters.sessions--;
}

/* The last words to a browser: one message, then its WebSocket is closed. */
static void
dismiss(struct relay *relay, struct session *session, const struct c2w_message *message)
{
	const uint32_t browser = session->browser;
	to_browser(relay, browser, message);
	forget(relay, session);
	relay->sink.drop_browser(relay->sink.context, browser, CLOSE_NORMAL,
	                         c2w_kind_name(message->kind));
}

static void
refuse(struct relay *relay, struct session *session, enum c2w_refusal refusal)
{
	const struct c2w_message message = { .kind = C2W_REFUSED, .refusal = refusal };
	dismiss(relay, session, &message);
}

static void
end(struct relay *relay, struct session *session, enum c2w_end reason)
{
	const struct c2w_message message = { .kind = C2W_ENDED, .end = reason };
	dismiss(relay, session, &message);
}

/* The bridge hears that the browser is not there any more, if it knew of it. */
static void
tell_closed(struct relay *relay, const struct session *session)
{
	struct c2w_message closed = { .kind = C2W_CLOSED };
	if (session->state != SESSION_WAITING)
		to_bridge(relay, session, &closed);
}

/* ---- Opening ------------------------------------------------------------------------------- */

static void
open_at(struct relay *relay, struct session *session, unsigned link, int64_t now_us)
{
	session->state = SESSION_OPENING;
	session->link = link;
	struct c2w_message message = { .kind = C2W_OPEN };
	message.open = (struct c2w_open){ .token = str_of(session->token),
		                          .product = str_of(session->product),
		                          .address = str_of(session->address) };
	to_bridge(relay, session, &message);
	relay_timer_start(relay, &session->timer, now_us + RELAY_ANSWER_US);
}

static void
wait_for_link(struct relay *relay, struct session *session, int64_t now_us)
{
	session->state = SESSION_WAITING;
	session->link = RELAY_NO_LINK;
	relay_timer_start(relay, &session->timer,
	                  now_us + (session->was_open ? RELAY_GRACE_US : RELAY_WAIT_US));
	const unsigned link = session->home[0] != '\0' ? relay_link_by_id(relay, session->home)
	                                               : relay_any_link(relay, 0);
	if (link != RELAY_NO_LINK)
		open_at(relay, session, link, now_us);
}

static void
turn_away(struct relay *relay, uint32_t browser, enum c2w_refusal refusal)
{
	const struct c2w_message message = { .kind = C2W_REFUSED, .refusal = refusal };
	to_browser(relay, browser, &message);
	relay->sink.drop_browser(relay->sink.context, browser, CLOSE_NORMAL, "refused");
}

void
relay_browser_up(struct relay *relay, const struct relay_browser *browser, int64_t now_us)
{
	uint32_t handle = 0;
	if (!is_token(browser->token)) {
		turn_away(relay, browser->id, C2W_REFUSAL_BAD_TOKEN);
		return;
	}
	CHECK(session_of(relay, browser->id) == NULL);
	struct session *session = slab_take(&relay->sessions, &handle);
	if (session == NULL) {
		relay->counters.full++;
		turn_away(relay, browser->id, C2W_REFUSAL_BUSY);
		return;
	}
	relay->counters.sessions++;
	session->browser = browser->id;
	session->handle = handle;
	session->allowance = RELAY_BURST;
	session->allowance_us = now_us;
	session->timer = (struct relay_timer){ .kind = RELAY_TIMER_SESSION, .of = handle };
	struct writer w = writer_of(session->address, sizeof session->address - 1);
	addr_write_ip(&w, browser->source);
	str_copy(session->product, sizeof session->product, browser->product);
	keep_token(session, browser->token);
	CHECK(map_put(&relay->by_browser, browser_hash(relay, browser->id), handle));
	wait_for_link(relay, session, now_us);
}

void
sessions_link_ready(struct relay *relay, unsigned link, int64_t now_us)
{
	for (uint32_t at = 0, handle; (handle = slab_next(&relay->sessions, &at)) != 0;) {
		struct session *session = session_get(relay, handle);
		if (session->state == SESSION_WAITING &&
		    (session->home[0] == '\0' ||
		     strcmp(session->home, relay->links[link].id) == 0))
			open_at(relay, session, link, now_us);
	}
}

void
sessions_link_down(struct relay *relay, unsigned link, int64_t now_us)
{
	for (uint32_t at = 0, handle; (handle = slab_next(&relay->sessions, &at)) != 0;) {
		struct session *session = session_get(relay, handle);
		if (session->link != link)
			continue;
		if (session->state == SESSION_LEAVING)
			end(relay, session, C2W_END_LEFT);
		else
			wait_for_link(relay, session, now_us);
	}
}

/* No bridge says that it is this one's home.  One that shares its key may still take the token, and
 * one that does not will say so. */
static void
waited_too_long(struct relay *relay, struct session *session, int64_t now_us)
{
	const unsigned link = relay_any_link(relay, 0);
	if (link != RELAY_NO_LINK)
		open_at(relay, session, link, now_us);
	else if (session->was_open)
		end(relay, session, C2W_END_RESTART);
	else
		refuse(relay, session, C2W_REFUSAL_NO_BRIDGE);
}

void
session_timer(struct relay *relay, uint32_t handle, int64_t now_us)
{
	struct session *session = session_get(relay, handle);
	CHECK(session != NULL);
	switch (session->state) {
	case SESSION_WAITING:
		waited_too_long(relay, session, now_us);
		break;
	case SESSION_OPENING:
		tell_closed(relay, session);
		refuse(relay, session, C2W_REFUSAL_BUSY);
		break;
	case SESSION_LEAVING:
		tell_closed(relay, session);
		end(relay, session, C2W_END_LEFT);
		break;
	case SESSION_OPEN:
		CHECK(false);
		break;
	}
}

/* ---- From a bridge ------------------------------------------------------------------------- */

static void
opened(struct relay *relay, struct session *session, const struct c2w_message *message)
{
	if (session->state != SESSION_OPENING)
		return;
	timer_stop(&relay->timers, &session->timer.timer);
	relay->counters.reopened += session->was_open;
	session->state = SESSION_OPEN;
	session->was_open = true;
	if (is_token(message->opened.token))
		keep_token(session, message->opened.token);
	to_browser(relay, session->browser, message);
}

/* The text was written once, for all that it is addressed to. */
static void
pass_on(struct relay *relay, const struct session *session, struct str text)
{
	if (session->state == SESSION_OPEN || session->state == SESSION_LEAVING)
		relay->sink.to_browser(relay->sink.context, session->browser, text);
}

/* A bridge that shuts down lets its people go; they are opened again where they can be. */
static void
let_go(struct relay *relay, struct session *session, int64_t now_us)
{
	relay->links[session->link].retiring = true;
	wait_for_link(relay, session, now_us);
}

static void
session_message(struct relay *relay, struct session *session, const struct c2w_message *message,
                struct str text, int64_t now_us)
{
	if (message->kind == C2W_OPENED)
		opened(relay, session, message);
	else if (message->kind == C2W_ENDED && message->end == C2W_END_RESTART &&
	         session->state != SESSION_LEAVING)
		let_go(relay, session, now_us);
	else if (message->kind == C2W_ENDED)
		dismiss(relay, session, message);
	else if (message->kind != C2W_REFUSED)
		pass_on(relay, session, text);
	else if (session->state == SESSION_OPENING)
		dismiss(relay, session, message);
}

void
sessions_message(struct relay *relay, unsigned link, struct c2w_message *message, int64_t now_us)
{
	const uint32_t one = message->session;
	const uint32_t *handles = message->session_count != 0 ? message->sessions : &one;
	const uint32_t count = message->session_count != 0 ? message->session_count : 1;
	const bool shared = message->kind != C2W_OPENED && message->kind != C2W_ENDED &&
	                    message->kind != C2W_REFUSED;
	const struct str text = shared ? relay_write(relay, message, true) : (struct str){ 0 };
	for (uint32_t i = 0; i < count; i++) {
		struct session *session = session_get(relay, handles[i]);
		/* One that has gone meanwhile: its `closed` is on the way. */
		if (session != NULL && session->link == link)
			session_message(relay, session, message, text, now_us);
	}
}

/* ---- From a browser ------------------------------------------------------------------------ */

static void
expel(struct relay *relay, struct session *session, const char *why)
{
	const uint32_t browser = session->browser;
	tell_closed(relay, session);
	forget(relay, session);
	relay->sink.drop_browser(relay->sink.context, browser, CLOSE_POLICY, why);
}

/* A bucket of messages that fills again with time. */
static bool
may_speak(struct session *session, int64_t now_us)
{
	const int64_t more = (now_us - session->allowance_us) * RELAY_PER_SECOND / SECOND_US;
	if (more > 0) {
		/* Only what was counted: the rest of a message's time counts the next time. */
		session->allowance_us += more * SECOND_US / RELAY_PER_SECOND;
		session->allowance = more < RELAY_BURST - (int64_t)session->allowance
		                             ? session->allowance + (uint32_t)more
		                             : RELAY_BURST;
	}
	if (session->allowance == 0)
		return false;
	session->allowance--;
	return true;
}

static void
leave(struct relay *relay, struct session *session, struct c2w_message *message, int64_t now_us)
{
	if (session->state != SESSION_OPEN) {
		tell_closed(relay, session);
		end(relay, session, C2W_END_LEFT);
		return;
	}
	session->state = SESSION_LEAVING;
	to_bridge(relay, session, message);
	relay_timer_start(relay, &session->timer, now_us + RELAY_ANSWER_US);
}

static void
take(struct relay *relay, struct session *session, struct c2w_message *message, int64_t now_us)
{
	const struct c2w_message pong = { .kind = C2W_PONG };
	switch (message->kind) {
	case C2W_PING:
		to_browser(relay, session->browser, &pong);
		break;
	case C2W_LEAVE:
		leave(relay, session, message, now_us);
		break;
	case C2W_OFFER:
	case C2W_CANDIDATE:
	case C2W_MUTE:
	case C2W_ACT:
	case C2W_VIEW:
	case C2W_CAMERA:
	case C2W_SHARE:
	case C2W_SAY:
	case C2W_HAND:
	case C2W_LAYOUT:
	case C2W_REMOTE_CAMERA:
		/* While a bridge is away there is nobody to tell; the next `opened` begins anew. */
		if (session->state == SESSION_OPEN)
			to_bridge(relay, session, message);
		break;
	case C2W_LOOKUP:
	case C2W_JOIN:
		relay->counters.browser_rejects[C2W_REJECT_TYPE]++;
		expel(relay, session, "questions go by HTTP");
		break;
	case C2W_PONG:
	case C2W_NONE:
	case C2W_HELLO:
	case C2W_SIGN_IN:
	case C2W_SIGN_IN_ELSEWHERE:
	case C2W_ASK:
	case C2W_FOUND:
	case C2W_JOINED:
	case C2W_SIGNED_IN:
	case C2W_ELSEWHERE:
	case C2W_TOLD:
	case C2W_REFUSED:
	case C2W_OPEN:
	case C2W_CLOSED:
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
	case C2W_KINDS:
		break;
	}
}

void
relay_browser_input(struct relay *relay, uint32_t browser, struct str text, int64_t now_us)
{
	struct session *session = session_of(relay, browser);
	if (session == NULL)
		return;
	if (!may_speak(session, now_us)) {
		relay->counters.floods++;
		expel(relay, session, "too many messages");
		return;
	}
	struct c2w_message message;
	const enum c2w_reject reject = c2w_parse(&message, text, C2W_FROM_BROWSER);
	if (reject != C2W_OK) {
		relay->counters.browser_rejects[reject]++;
		expel(relay, session, c2w_reject_name(reject));
		return;
	}
	take(relay, session, &message, now_us);
	c2w_message_fini(&message);
}

void
relay_browser_down(struct relay *relay, uint32_t browser, int64_t now_us)
{
	(void)now_us;
	struct session *session = session_of(relay, browser);
	if (session == NULL)
		return;
	tell_closed(relay, session);
	forget(relay, session);
}

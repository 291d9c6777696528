/* SPDX-License-Identifier: Apache-2.0 */
/* Joins and lookups: asked of one Call Bridge after the other until one knows the meeting.  Sign-ins
 * and what signed-in users ask: of one. */
#include "base/check.h"
#include "webbridge/relay_internal.h"

enum {
	STATUS_OK = 200,
	STATUS_BAD_REQUEST = 400,
	STATUS_UNAUTHORIZED = 401,
	STATUS_FORBIDDEN = 403,
	STATUS_NOT_FOUND = 404,
	STATUS_CONFLICT = 409,
	STATUS_UNAVAILABLE = 503,
	STATUS_LAST = 599,
	IP6_NETWORK_BYTES = 8, /* a subscriber has a whole /64 */
};

/* ---- Answers ------------------------------------------------------------------------------- */

static unsigned
status_of(enum c2w_refusal refusal)
{
	switch (refusal) {
	case C2W_REFUSAL_UNKNOWN_MEETING:
		return STATUS_NOT_FOUND;
	case C2W_REFUSAL_PASSCODE_REQUIRED:
	case C2W_REFUSAL_PASSCODE_INCORRECT:
	case C2W_REFUSAL_NOT_ALLOWED:
	case C2W_REFUSAL_EXPIRED:
	case C2W_REFUSAL_BAD_TOKEN:
	case C2W_REFUSAL_PASSWORD_EXPIRED:
	case C2W_REFUSAL_NO_SIGN_IN:
	case C2W_REFUSAL_UNKNOWN_SIGN_IN:
	case C2W_REFUSAL_NOT_PROVEN:
		return STATUS_FORBIDDEN;
	case C2W_REFUSAL_LOCKED:
	case C2W_REFUSAL_FULL:
		return STATUS_CONFLICT;
	case C2W_REFUSAL_BUSY:
	case C2W_REFUSAL_NO_BRIDGE:
	case C2W_REFUSAL_NO_DIRECTORY:
		return STATUS_UNAVAILABLE;
	case C2W_REFUSAL_WRONG_LOGIN:
		return STATUS_UNAUTHORIZED;
	case C2W_REFUSAL_LOCKED_OUT:
		return RELAY_STATUS_SLOW_DOWN;
	case C2W_REFUSAL_BAD_REQUEST:
	case C2W_REFUSALS:
		break;
	}
	return STATUS_BAD_REQUEST;
}

static void
answer_refused(struct relay *relay, uint32_t id, unsigned status, enum c2w_refusal refusal)
{
	struct writer w = writer_of(relay->text, RELAY_TEXT_MAX);
	writer_format(&w, "{\"error\":\"%s\"}", c2w_refusal_name(refusal));
	relay->sink.answer(relay->sink.context, id, status, writer_view(&w));
}

static void
answer_told(struct relay *relay, uint32_t id, const struct c2w_told *told)
{
	if (told->status >= STATUS_OK && told->status <= STATUS_LAST && told->body.len != 0)
		relay->sink.answer(relay->sink.context, id, told->status, told->body);
	else
		answer_refused(relay, id, STATUS_UNAVAILABLE, C2W_REFUSAL_BUSY);
}

static void
forget(struct relay *relay, struct question *question)
{
	const uint32_t handle = question->handle;
	timer_stop(&relay->timers, &question->timer.timer);
	explicit_bzero(question, sizeof *question);
	slab_free(&relay->questions, handle);
	relay->counters.questions--;
}

/* ---- Those who guess ----------------------------------------------------------------------- */

static uint64_t
source_hash(const struct relay *relay, const struct net_addr *addr)
{
	const size_t len = addr->family == ADDR_IP6 ? IP6_NETWORK_BYTES : sizeof addr->ip;
	return hash_bytes(&relay->hash_key, addr->ip, len);
}

/* The source's place in the table; one that was somebody else's begins anew. */
static struct source *
source_get(struct relay *relay, uint64_t hash, int64_t now_us)
{
	struct source *source = &relay->sources[hash % RELAY_SOURCES];
	if (source->hash != hash)
		*source = (struct source){ .hash = hash, .forgiven_us = now_us };
	const int64_t forgiven = (now_us - source->forgiven_us) / RELAY_FAILURE_US;
	if (forgiven > 0) {
		source->forgiven_us += forgiven * RELAY_FAILURE_US;
		source->failures = forgiven < source->failures
		                           ? source->failures - (uint32_t)forgiven
		                           : 0;
	}
	return source;
}

static void
note_failure(struct relay *relay, uint64_t hash, enum c2w_refusal refusal, int64_t now_us)
{
	if (refusal != C2W_REFUSAL_PASSCODE_INCORRECT && refusal != C2W_REFUSAL_UNKNOWN_MEETING &&
	    refusal != C2W_REFUSAL_WRONG_LOGIN && refusal != C2W_REFUSAL_UNKNOWN_SIGN_IN &&
	    refusal != C2W_REFUSAL_NOT_PROVEN)
		return;
	struct source *source = source_get(relay, hash, now_us);
	if (source->failures == 0)
		source->forgiven_us = now_us;
	if (source->failures < RELAY_FAILURES_MAX)
		source->failures++;
}

/* ---- Asking -------------------------------------------------------------------------------- */

static void
give_up(struct relay *relay, struct question *question, enum c2w_refusal refusal, int64_t now_us)
{
	const uint32_t id = question->id;
	note_failure(relay, question->source, refusal, now_us);
	forget(relay, question);
	answer_refused(relay, id, status_of(refusal), refusal);
}

static void
ask(struct relay *relay, struct question *question, unsigned link, int64_t now_us)
{
	question->link = link;
	question->tried |= 1u << link;
	relay->sink.to_bridge(relay->sink.context, relay->links[link].ws,
	                      (struct str){ question->text, question->len });
	relay_timer_start(relay, &question->timer, now_us + RELAY_ANSWER_US);
}

/* What was asked may have happened already, or is only for one bridge: nobody else is asked. */
static bool
is_for_one(const struct question *question)
{
	return question->kind == C2W_SIGN_IN || question->home[0] != '\0';
}

/* The next bridge, or the end: what the bridges said, if any did. */
static void
ask_next(struct relay *relay, struct question *question, int64_t now_us)
{
	const bool over = is_for_one(question) && question->tried != 0;
	const unsigned link = over ? RELAY_NO_LINK : relay_any_link(relay, question->tried);
	if (link != RELAY_NO_LINK)
		ask(relay, question, link, now_us);
	else
		give_up(relay, question, question->refusal, now_us);
}

/* The link to ask first: that of who made its token, or any. */
static unsigned
first_link(struct relay *relay, const struct question *question)
{
	return question->home[0] != '\0' ? relay_link_by_id(relay, question->home)
	                                 : relay_any_link(relay, 0);
}

/* As a bridge will read it; false: it would not. */
static bool
write_question(struct question *question, const struct relay_question *wish)
{
	char address[ADDR_TEXT_MAX];
	struct c2w_message message = { .kind = wish->kind, .request = question->handle };
	struct str token = { 0 };
	struct writer w = writer_of(address, sizeof address);
	addr_write_ip(&w, wish->source);
	if (wish->kind == C2W_SIGN_IN) {
		message.sign_in = wish->sign_in;
		message.sign_in.address = writer_view(&w);
	} else if (wish->kind == C2W_SIGN_IN_ELSEWHERE) {
		message.sign_in_elsewhere = wish->elsewhere;
		message.sign_in_elsewhere.address = writer_view(&w);
	} else if (wish->kind == C2W_ASK) {
		message.ask = wish->ask;
		message.ask.address = writer_view(&w);
		token = wish->ask.token;
	} else {
		CHECK(wish->kind == C2W_LOOKUP || wish->kind == C2W_JOIN);
		message.join = wish->join;
		token = wish->join.auth;
		if (wish->join.address.len == 0 && wish->join.space.len == 0)
			return false;
	}
	relay_token_home(question->home, token);
	w = writer_of(question->text, sizeof question->text);
	c2w_write(&w, &message, false);
	question->len = w.at;
	return !w.failed;
}

void
relay_ask(struct relay *relay, const struct relay_question *wish, int64_t now_us)
{
	const uint64_t source = source_hash(relay, wish->source);
	uint32_t handle = 0;
	if (source_get(relay, source, now_us)->failures >= RELAY_FAILURES_MAX &&
	    wish->kind != C2W_ASK) {
		relay->counters.slowed_down++;
		answer_refused(relay, wish->id, RELAY_STATUS_SLOW_DOWN,
		               wish->kind == C2W_SIGN_IN || wish->kind == C2W_SIGN_IN_ELSEWHERE
		                       ? C2W_REFUSAL_LOCKED_OUT
		                       : C2W_REFUSAL_BUSY);
		return;
	}
	struct question *question = slab_take(&relay->questions, &handle);
	if (question == NULL) {
		relay->counters.full++;
		answer_refused(relay, wish->id, STATUS_UNAVAILABLE, C2W_REFUSAL_BUSY);
		return;
	}
	relay->counters.questions++;
	question->id = wish->id;
	question->handle = handle;
	question->kind = wish->kind;
	question->link = RELAY_NO_LINK;
	question->refusal = C2W_REFUSAL_NO_BRIDGE;
	question->source = source;
	question->timer = (struct relay_timer){ .kind = RELAY_TIMER_QUESTION, .of = handle };
	if (!write_question(question, wish)) {
		give_up(relay, question, C2W_REFUSAL_BAD_REQUEST, now_us);
		return;
	}
	const unsigned link = first_link(relay, question);
	if (link != RELAY_NO_LINK)
		ask(relay, question, link, now_us);
	else
		relay_timer_start(relay, &question->timer, now_us + RELAY_WAIT_US);
}

/* ---- What bridges say ---------------------------------------------------------------------- */

void
question_message(struct relay *relay, unsigned link, const struct c2w_message *message,
                 int64_t now_us)
{
	struct question *question = slab_get(&relay->questions, message->request);
	if (question == NULL || question->link != link)
		return;
	if (message->kind == C2W_REFUSED) {
		question->refusal = message->refusal;
		if (message->refusal == C2W_REFUSAL_UNKNOWN_MEETING ||
		    message->refusal == C2W_REFUSAL_UNKNOWN_SIGN_IN ||
		    message->refusal == C2W_REFUSAL_BUSY)
			ask_next(relay, question, now_us);
		else
			give_up(relay, question, message->refusal, now_us);
		return;
	}
	static const enum c2w_kind answers[C2W_KINDS] = {
		[C2W_LOOKUP] = C2W_FOUND,
		[C2W_JOIN] = C2W_JOINED,
		[C2W_SIGN_IN] = C2W_SIGNED_IN,
		[C2W_SIGN_IN_ELSEWHERE] = C2W_SIGNED_IN,
		[C2W_ASK] = C2W_TOLD,
	};
	const bool sent_off =
		question->kind == C2W_SIGN_IN_ELSEWHERE && message->kind == C2W_ELSEWHERE;
	if (message->kind != answers[question->kind] && !sent_off) {
		give_up(relay, question, C2W_REFUSAL_BUSY, now_us);
		return;
	}
	const uint32_t id = question->id;
	forget(relay, question);
	if (message->kind == C2W_TOLD) {
		answer_told(relay, id, &message->told);
		return;
	}
	const struct str text = relay_write(relay, message, true);
	if (text.len != 0)
		relay->sink.answer(relay->sink.context, id, STATUS_OK, text);
	else
		answer_refused(relay, id, STATUS_UNAVAILABLE, C2W_REFUSAL_BUSY);
}

void
questions_link_ready(struct relay *relay, int64_t now_us)
{
	for (uint32_t at = 0, handle; (handle = slab_next(&relay->questions, &at)) != 0;) {
		struct question *question = slab_get(&relay->questions, handle);
		const unsigned link = question->link == RELAY_NO_LINK
		                              ? first_link(relay, question)
		                              : RELAY_NO_LINK;
		if (link != RELAY_NO_LINK)
			ask(relay, question, link, now_us);
	}
}

/* Its bridge went before it answered: asked of another, or of the same one when it is back. */
static void
ask_again(struct relay *relay, struct question *question, int64_t now_us)
{
	question->link = RELAY_NO_LINK;
	const unsigned other = relay_any_link(relay, question->tried);
	if (other != RELAY_NO_LINK)
		ask(relay, question, other, now_us);
	else
		relay_timer_start(relay, &question->timer, now_us + RELAY_WAIT_US);
}

void
questions_link_down(struct relay *relay, unsigned link, int64_t now_us)
{
	for (uint32_t at = 0, handle; (handle = slab_next(&relay->questions, &at)) != 0;) {
		struct question *question = slab_get(&relay->questions, handle);
		if (question->link == link && is_for_one(question)) {
			give_up(relay, question, C2W_REFUSAL_NO_BRIDGE, now_us);
			continue;
		}
		question->tried &= ~(1u << link);
		if (question->link == link)
			ask_again(relay, question, now_us);
	}
}

void
question_timer(struct relay *relay, uint32_t handle, int64_t now_us)
{
	struct question *question = slab_get(&relay->questions, handle);
	CHECK(question != NULL);
	ask_next(relay, question, now_us);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Signing in, tokens, what is under way, and time. */
#include "callbridge/portal_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "c2w/json_write.h"

enum {
	HOUR_S = 3600,
	SECOND_US = 1000 * 1000,
	STATUS_OK = 200,
	STATUS_CREATED = 201,
	STATUS_BAD_REQUEST = 400,
	STATUS_FORBIDDEN = 403,
	STATUS_NOT_FOUND = 404,
	STATUS_CONFLICT = 409,
	STATUS_FAILED = 500,
	STATUS_UNAVAILABLE = 503,
};

/* ---- Life ---------------------------------------------------------------------------------- */

int
portal_create(struct portal **out, const struct portal_settings *settings, int64_t now_us)
{
	struct portal *portal = calloc(1, sizeof *portal);
	if (portal == NULL)
		return -ENOMEM;
	portal->settings = *settings;
	CHECK(str_copy(portal->id, sizeof portal->id, str_of(settings->id)));
	str_copy(portal->web_address, sizeof portal->web_address, settings->web_address);
	str_copy(portal->sip_domain, sizeof portal->sip_domain, settings->sip_domain);
	timer_wheel_init(&portal->timers, now_us);
	portal->names = calloc(1, sizeof *portal->names);
	portal->places = calloc(1, sizeof *portal->places);
	portal->text = malloc(C2W_TOLD_MAX);
	int rc = portal->names != NULL && portal->places != NULL && portal->text != NULL ? 0
	                                                                                : -ENOMEM;
	if (rc == 0)
		rc = slab_create(&portal->pending, sizeof(struct pending), PORTAL_PENDING_MAX);
	if (rc != 0) {
		portal_destroy(portal);
		return rc;
	}
	guesses_init(portal->names, &settings->hash_key);
	guesses_limit(portal->names, PORTAL_GUESSES_ALL_MAX, PORTAL_GUESS_US);
	guesses_init(portal->places, &settings->hash_key);
	guesses_limit(portal->places, PORTAL_GUESSES_MAX, PORTAL_GUESS_US);
	*out = portal;
	return 0;
}

void
portal_destroy(struct portal *portal)
{
	if (portal == NULL)
		return;
	explicit_bzero(portal->settings.jwt_key, sizeof portal->settings.jwt_key);
	slab_destroy(&portal->pending);
	free(portal->names);
	free(portal->places);
	free(portal->text);
	free(portal);
}

void
portal_log(struct portal *portal, const char *format, ...)
{
	char text[PORTAL_LINE_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	portal->settings.sink.log(portal->settings.sink.context, str_of(text));
}

/* ---- Small things -------------------------------------------------------------------------- */

static struct objects *
objects_of(const struct portal *portal)
{
	return meeting_objects(portal->settings.meeting);
}

void
portal_send(struct portal *portal, unsigned link, uint32_t request, struct c2w_message *message)
{
	message->request = request;
	portal->settings.sink.web(portal->settings.sink.context, link, message);
}

void
portal_refuse(struct portal *portal, unsigned link, uint32_t request, enum c2w_refusal refusal)
{
	struct c2w_message message = { .kind = C2W_REFUSED, .refusal = refusal };
	portal_send(portal, link, request, &message);
}

struct pending *
pending_new(struct portal *portal, enum pending_kind kind, unsigned link, uint32_t web_bridge,
            uint32_t request)
{
	uint32_t handle = 0;
	const bool room = kind == PENDING_COMMIT || portal->sign_ins < PORTAL_SIGN_INS_MAX;
	struct pending *pending = room ? slab_take(&portal->pending, &handle) : NULL;
	if (pending == NULL)
		return NULL;
	pending->kind = kind;
	portal->sign_ins += kind != PENDING_COMMIT;
	pending->handle = handle;
	pending->link = link;
	pending->web_bridge = web_bridge;
	pending->request = request;
	return pending;
}

void
pending_over(struct portal *portal, struct pending *pending)
{
	timer_stop(&portal->timers, &pending->timer);
	portal->sign_ins -= pending->kind != PENDING_COMMIT;
	slab_free(&portal->pending, pending->handle);
}

/* ---- Who may sign in where ----------------------------------------------------------------- */

/* A web bridge that is a tenant's, or a group's, is for their users. */
bool
portal_has_tenant(const struct objects *objects, uint32_t web_bridge, const struct guid *tenant)
{
	const struct guid group = objects_tenant_group(objects, tenant);
	const struct value of = objects_value(objects, OBJECT_WEB_BRIDGE, web_bridge, WEB_BRIDGE_TENANT);
	const struct value of_group =
		objects_value(objects, OBJECT_WEB_BRIDGE, web_bridge, WEB_BRIDGE_TENANT_GROUP);
	return (!of.set || guid_eq(&of.guid, tenant)) &&
	       (!of_group.set || guid_eq(&of_group.guid, &group));
}

bool
portal_is_open(struct meeting *meeting, uint32_t web_bridge, uint32_t user)
{
	const struct objects *objects = meeting_objects(meeting);
	if (meeting_web_setting(meeting, web_bridge, 0, WEB_PROFILE_USER_PORTAL).number == 0)
		return false;
	if (user == 0)
		return true;
	const struct guid tenant = objects_value(objects, OBJECT_USER, user, USER_TENANT).guid;
	return objects_alive(objects, OBJECT_USER, user) &&
	       portal_has_tenant(objects, web_bridge, &tenant);
}

static struct str
name_of(const struct objects *objects, uint32_t user)
{
	const struct str name = objects_text(objects, OBJECT_USER, user, USER_NAME);
	return name.len != 0 ? name : objects_text(objects, OBJECT_USER, user, USER_JID);
}

void
portal_admit(struct portal *portal, unsigned link, uint32_t web_bridge, uint32_t request,
             uint32_t user)
{
	const struct objects *objects = objects_of(portal);
	const int64_t now_s = portal->settings.sink.wall_s(portal->settings.sink.context);
	char token[C2W_TOKEN_MAX];
	char id_text[GUID_TEXT_LEN + 1];
	struct writer w = writer_of(token, sizeof token);
	if (user == 0 || !portal_is_open(portal->settings.meeting, web_bridge, user)) {
		portal_refuse(portal, link, request, C2W_REFUSAL_NO_SIGN_IN);
		return;
	}
	const struct guid id = objects_id(objects, OBJECT_USER, user);
	guid_write(id_text, &id);
	const struct jwt_claims claims = {
		.name = name_of(objects, user),
		.call_bridge = str_of(portal->id),
		.user = str_of(id_text),
		.issued_s = now_s,
		.expires_s = now_s + (int64_t)portal->settings.jwt_hours * HOUR_S,
	};
	jwt_write(&w, &claims, portal->settings.jwt_key);
	struct c2w_message message = { .kind = C2W_SIGNED_IN };
	message.signed_in = (struct c2w_signed_in){
		.token = writer_view(&w),
		.name = name_of(objects, user),
		.jid = objects_text(objects, OBJECT_USER, user, USER_JID),
	};
	portal_log(portal, "user \"%.*s\" has signed in to the web app",
	           STR_ARGS(message.signed_in.jid));
	if (w.failed)
		portal_refuse(portal, link, request, C2W_REFUSAL_BAD_REQUEST);
	else
		portal_send(portal, link, request, &message);
	explicit_bzero(token, sizeof token);
}

uint32_t
portal_user(struct meeting *meeting, uint32_t web_bridge, struct str token,
            const uint8_t jwt_key[JWT_KEY_BYTES], int64_t now_s)
{
	struct jwt_claims claims;
	struct jwt_storage storage;
	struct guid id;
	if (jwt_read(&claims, &storage, token, jwt_key, now_s) != JWT_OK || claims.guest.len != 0 ||
	    !guid_parse(&id, claims.user))
		return 0;
	const uint32_t user = objects_find(meeting_objects(meeting), OBJECT_USER, &id);
	return user != 0 && portal_is_open(meeting, web_bridge, user) ? user : 0;
}

/* ---- Signing in by a password -------------------------------------------------------------- */

/* Never before its time, so that nobody learns how far it got; of a directory that takes longer,
 * nobody whom it was not asked about hears earlier than the last it was asked about. */
static void
tell_later(struct portal *portal, struct pending *pending, enum c2w_refusal refusal)
{
	const int64_t wait_us = portal->check_us > PORTAL_WRONG_US ? portal->check_us
	                                                           : PORTAL_WRONG_US;
	pending->kind = PENDING_WRONG;
	pending->refusal = refusal;
	timer_start(&portal->timers, &pending->timer, pending->begun_us + wait_us);
}

/* "ann@example.com 192.0.2.1": no address has a blank in it. */
static struct str
place_of(char out[PORTAL_PLACE_MAX], const struct c2w_sign_in *wish)
{
	struct writer w = writer_of(out, PORTAL_PLACE_MAX - 1);
	writer_str(&w, wish->username);
	writer_u8(&w, ' ');
	writer_str(&w, wish->address);
	CHECK(!w.failed);
	out[w.at] = '\0';
	return writer_view(&w);
}

/* The guess that was counted when it was made; at its own address a right one forgives all. */
static void
forgive(struct portal *portal, const struct pending *pending, bool right, int64_t now_us)
{
	guesses_forgive_name(portal->names, str_of(pending->name), false, now_us);
	guesses_forgive_name(portal->places, str_of(pending->place), right, now_us);
}

static void
sign_in(struct portal *portal, unsigned link, uint32_t web_bridge,
        const struct c2w_message *message, int64_t now_us)
{
	const struct c2w_sign_in *wish = &message->sign_in;
	struct meeting *meeting = portal->settings.meeting;
	if (!portal_is_open(meeting, web_bridge, 0)) {
		portal_refuse(portal, link, message->request, C2W_REFUSAL_NO_SIGN_IN);
		return;
	}
	char place_text[PORTAL_PLACE_MAX];
	const struct str place = place_of(place_text, wish);
	if (!guesses_allow_name(portal->places, place, now_us) ||
	    !guesses_allow_name(portal->names, wish->username, now_us)) {
		portal_refuse(portal, link, message->request, C2W_REFUSAL_LOCKED_OUT);
		return;
	}
	struct pending *pending =
		pending_new(portal, PENDING_CHECK, link, web_bridge, message->request);
	if (pending == NULL) {
		portal_refuse(portal, link, message->request, C2W_REFUSAL_BUSY);
		return;
	}
	/* Counted before it is known, or many at once would all be allowed; forgiven when it is right. */
	guesses_failed_name(portal->names, wish->username, now_us);
	guesses_failed_name(portal->places, place, now_us);
	CHECK(str_copy(pending->place, sizeof pending->place, place));
	pending->begun_us = now_us;
	text_copy_clean(pending->name, sizeof pending->name, wish->username);
	pending->user = objects_find_address(objects_of(portal), OBJECT_USER, wish->username);
	if (pending->user == 0 || !portal_is_open(meeting, web_bridge, pending->user)) {
		portal_log(portal, "sign-in of \"%s\" from %.*s failed: nobody here has that name",
		           pending->name, STR_ARGS(wish->address));
		tell_later(portal, pending,
		           portal->no_directory ? C2W_REFUSAL_NO_DIRECTORY
		                                : C2W_REFUSAL_WRONG_LOGIN);
		return;
	}
	portal->settings.sink.check(portal->settings.sink.context, pending->handle, pending->user,
	                            wish->password);
}

void
portal_checked(struct portal *portal, uint32_t ticket, enum portal_check result, int64_t now_us)
{
	static const enum c2w_refusal refusals[] = {
		[PORTAL_WRONG] = C2W_REFUSAL_WRONG_LOGIN,
		[PORTAL_EXPIRED] = C2W_REFUSAL_PASSWORD_EXPIRED,
		[PORTAL_UNREACHABLE] = C2W_REFUSAL_NO_DIRECTORY,
	};
	static const char *const words[] = {
		[PORTAL_WRONG] = "wrong password",
		[PORTAL_EXPIRED] = "the password or the account has expired",
		[PORTAL_UNREACHABLE] = "the directory cannot be asked",
	};
	struct pending *pending = slab_get(&portal->pending, ticket);
	portal->no_directory = result == PORTAL_UNREACHABLE;
	if (pending == NULL || pending->kind != PENDING_CHECK)
		return;
	portal->check_us = now_us - pending->begun_us;
	if (result == PORTAL_RIGHT || result == PORTAL_UNREACHABLE)
		forgive(portal, pending, result == PORTAL_RIGHT, now_us);
	if (result != PORTAL_RIGHT) {
		portal_log(portal, "sign-in of \"%s\" failed: %s", pending->name, words[result]);
		tell_later(portal, pending, refusals[result]);
		return;
	}
	portal_admit(portal, pending->link, pending->web_bridge, pending->request, pending->user);
	pending_over(portal, pending);
}

/* ---- Questions ----------------------------------------------------------------------------- */

/* A bucket that fills again with time. */
static bool
may_ask(struct portal *portal, uint32_t user, int64_t now_us)
{
	const struct guid id = objects_id(objects_of(portal), OBJECT_USER, user);
	const uint64_t hash =
		hash_bytes(&portal->settings.hash_key, id.bytes, sizeof id.bytes);
	struct rate *rate = &portal->rates[hash % PORTAL_RATES];
	if (rate->hash != hash)
		*rate = (struct rate){ .hash = hash, .allowance = PORTAL_BURST, .since_us = now_us };
	const int64_t more = (now_us - rate->since_us) * PORTAL_PER_SECOND / SECOND_US;
	if (more > 0) {
		rate->since_us += more * SECOND_US / PORTAL_PER_SECOND;
		rate->allowance = more < PORTAL_BURST - (int64_t)rate->allowance
		                          ? rate->allowance + (uint32_t)more
		                          : PORTAL_BURST;
	}
	if (rate->allowance == 0)
		return false;
	rate->allowance--;
	return true;
}

void
ask_tell(struct ask *ask, uint32_t status)
{
	struct c2w_message message = { .kind = C2W_TOLD };
	CHECK(ask->w.at != 0);
	if (ask->w.failed) {
		ask_fail(ask, STATUS_FAILED, "tooLong", NULL, NULL);
		return;
	}
	message.told = (struct c2w_told){ .status = status, .body = writer_view(&ask->w) };
	portal_send(ask->portal, ask->link, ask->message->request, &message);
	explicit_bzero(ask->w.bytes, ask->w.at);
}

void
ask_fail(struct ask *ask, uint32_t status, const char *error, const char *name, const char *value)
{
	ask->w = writer_of(ask->portal->text, C2W_TOLD_MAX);
	writer_format(&ask->w, "{\"error\":\"%s\"", error);
	if (name != NULL)
		writer_format(&ask->w, ",\"%s\":\"%s\"", name, value);
	writer_u8(&ask->w, '}');
	ask_tell(ask, status);
}

struct str
ask_jid(const struct ask *ask)
{
	return objects_text(ask->objects, OBJECT_USER, ask->user, USER_JID);
}

static void
ask_message(struct portal *portal, unsigned link, uint32_t web_bridge,
            const struct c2w_message *message, int64_t now_us)
{
	struct ask ask = { .portal = portal,
		           .meeting = portal->settings.meeting,
		           .objects = objects_of(portal),
		           .link = link,
		           .web_bridge = web_bridge,
		           .message = message,
		           .now_us = now_us };
	const struct c2w_ask *wish = &message->ask;
	ask.w = writer_of(portal->text, C2W_TOLD_MAX);
	if (wish->token.len != 0) {
		const int64_t now_s = portal->settings.sink.wall_s(portal->settings.sink.context);
		ask.user = portal_user(ask.meeting, web_bridge, wish->token,
		                       portal->settings.jwt_key, now_s);
	}
	if (ask.user != 0 && !may_ask(portal, ask.user, now_us)) {
		ask_fail(&ask, 429, "slowDown", NULL, NULL);
		return;
	}
	portal_ask(&ask);
	json_decref(ask.body);
}

void
portal_message(struct portal *portal, unsigned link, uint32_t web_bridge,
               const struct c2w_message *message, int64_t now_us)
{
	if (message->kind == C2W_SIGN_IN) {
		sign_in(portal, link, web_bridge, message, now_us);
	} else if (message->kind == C2W_SIGN_IN_ELSEWHERE) {
		elsewhere_message(portal, link, web_bridge, message);
	} else {
		CHECK(message->kind == C2W_ASK);
		ask_message(portal, link, web_bridge, message, now_us);
	}
}

/* ---- Changes ------------------------------------------------------------------------------- */

bool
ask_begin(struct ask *ask)
{
	if (ask->portal->pending.count < PORTAL_PENDING_MAX) {
		objects_begin(ask->objects);
		return true;
	}
	ask_fail(ask, STATUS_UNAVAILABLE, "busy", NULL, NULL);
	return false;
}

static void
fail_field(struct ask *ask, uint32_t status, const char *error, const struct member_answer *answer)
{
	if (answer->culprit < 0)
		ask_fail(ask, status, error, NULL, NULL);
	else
		ask_fail(ask, status, error, "field",
		         object_field(answer->type, (unsigned)answer->culprit)->name);
}

static void
fail_reject(struct ask *ask, const struct member_answer *answer)
{
	const bool of_member = answer->type == OBJECT_MEMBER && answer->culprit == MEMBER_JID;
	switch (answer->reject) {
	case OBJECT_NO_REFERENCE:
		fail_field(ask, STATUS_BAD_REQUEST, of_member ? "unknownUser" : "invalidValue",
		           answer);
		return;
	case OBJECT_BAD_VALUE:
		if (of_member)
			fail_field(ask, STATUS_CONFLICT, "alreadyMember", answer);
		else
			fail_field(ask, STATUS_BAD_REQUEST, "invalidValue", answer);
		return;
	case OBJECT_MISSING_PARAMETER:
		fail_field(ask, STATUS_BAD_REQUEST, "missing", answer);
		return;
	case OBJECT_DUPLICATE_URI:
	case OBJECT_DUPLICATE_ID:
	case OBJECT_DUPLICATE_URI_PASSCODE:
	case OBJECT_DUPLICATE_ID_PASSCODE:
	case OBJECT_DUPLICATE_NAME:
		fail_field(ask, STATUS_CONFLICT, "taken", answer);
		return;
	case OBJECT_PASSCODE_TOO_SHORT:
		fail_field(ask, STATUS_BAD_REQUEST, "passcodeTooShort", answer);
		return;
	case OBJECT_TOO_MANY:
		fail_field(ask, STATUS_CONFLICT, "tooMany", answer);
		return;
	case OBJECT_FULL:
		fail_field(ask, STATUS_UNAVAILABLE, "busy", answer);
		return;
	case OBJECT_UNKNOWN_PARAMETER:
	case OBJECT_TOO_LONG:
	case OBJECT_DUPLICATE_IVR:
	case OBJECT_DUPLICATE_TEMPLATE:
	case OBJECT_DUPLICATE_CODE:
	case OBJECT_GROUP_CONFLICT:
	case OBJECT_OK:
	case OBJECT_REJECTS:
		break;
	}
	fail_field(ask, STATUS_BAD_REQUEST, "invalidValue", answer);
}

static void
fail_answer(struct ask *ask, const struct member_answer *answer)
{
	switch (answer->verdict) {
	case MEMBER_UNSEEN:
		ask_fail(ask, STATUS_NOT_FOUND, "notFound", NULL, NULL);
		break;
	case MEMBER_NOT_ALLOWED:
		if ((unsigned)answer->right == 0)
			ask_fail(ask, STATUS_FORBIDDEN, "notAllowed", NULL, NULL);
		else
			ask_fail(ask, STATUS_FORBIDDEN, "notAllowed", "right",
			         object_field(OBJECT_MEMBER, answer->right)->name);
		break;
	case MEMBER_TOO_MANY:
		ask_fail(ask, STATUS_CONFLICT, "tooMany", NULL, NULL);
		break;
	case MEMBER_REJECTED:
		fail_reject(ask, answer);
		break;
	case MEMBER_DONE:
		CHECK(false);
		break;
	}
}

static void
tell_done(struct ask *ask, bool made, const struct guid *id)
{
	char text[GUID_TEXT_LEN + 1];
	guid_write(text, id);
	ask->w = writer_of(ask->portal->text, C2W_TOLD_MAX);
	if (made)
		writer_format(&ask->w, "{\"id\":\"%s\"}", text);
	else
		writer_text(&ask->w, "{}");
	ask_tell(ask, made ? STATUS_CREATED : STATUS_OK);
}

void
ask_finish(struct ask *ask, const struct member_answer *answer, const char *done,
           enum object_type type, const struct guid *id)
{
	struct portal *portal = ask->portal;
	char text[GUID_TEXT_LEN + 1];
	if (answer->verdict != MEMBER_DONE) {
		objects_abort(ask->objects);
		fail_answer(ask, answer);
		return;
	}
	const bool made = answer->made != 0;
	const struct guid which = made ? objects_id(ask->objects, type, answer->made) : *id;
	const struct object_tx tx = objects_end(ask->objects);
	meeting_configured(ask->meeting, ask->now_us);
	if (tx.ticket == 0) {
		tell_done(ask, made, &which);
		return;
	}
	struct pending *pending = pending_new(portal, PENDING_COMMIT, ask->link, ask->web_bridge,
	                                      ask->message->request);
	CHECK(pending != NULL); /* ask_begin() has seen to it */
	pending->ticket = tx.ticket;
	pending->made = made;
	pending->id = which;
	guid_write(text, &which);
	snprintf(pending->line, sizeof pending->line, "user \"%.*s\" %s %s", STR_ARGS(ask_jid(ask)),
	         done, text);
	const uint32_t handle = pending->handle;
	if (portal->settings.sink.commit(portal->settings.sink.context, &tx) == 0)
		return;
	pending = slab_get(&portal->pending, handle);
	CHECK(pending != NULL);
	pending_over(portal, pending);
	meeting_configured(ask->meeting, ask->now_us);
	ask_fail(ask, STATUS_UNAVAILABLE, "notKept", NULL, NULL);
}

/* The answer to a question of which only this is left. */
static void
tell_settled(struct portal *portal, const struct pending *pending, bool ok)
{
	const struct c2w_message message = { .kind = C2W_ASK, .request = pending->request };
	struct ask ask = { .portal = portal, .link = pending->link, .message = &message };
	if (ok)
		tell_done(&ask, pending->made, &pending->id);
	else
		ask_fail(&ask, STATUS_UNAVAILABLE, "notKept", NULL, NULL);
}

void
portal_settled(struct portal *portal, uint64_t ticket, bool ok, int64_t now_us)
{
	for (uint32_t at = 0, handle; (handle = slab_next(&portal->pending, &at)) != 0;) {
		struct pending *pending = slab_get(&portal->pending, handle);
		if (pending->kind != PENDING_COMMIT || pending->ticket != ticket)
			continue;
		if (ok)
			portal_log(portal, "%s", pending->line);
		else
			meeting_configured(portal->settings.meeting, now_us);
		tell_settled(portal, pending, ok);
		pending_over(portal, pending);
		return;
	}
}

/* ---- Time and connections ------------------------------------------------------------------ */

void
portal_link_down(struct portal *portal, unsigned link)
{
	for (uint32_t at = 0, handle; (handle = slab_next(&portal->pending, &at)) != 0;) {
		struct pending *pending = slab_get(&portal->pending, handle);
		if (pending->link == link)
			pending_over(portal, pending);
	}
}

void
portal_tick(struct portal *portal, int64_t now_us)
{
	for (struct timer *timer; (timer = timer_take(&portal->timers, now_us)) != NULL;) {
		struct pending *pending = CONTAINER_OF(timer, struct pending, timer);
		CHECK(pending->kind == PENDING_WRONG);
		portal_refuse(portal, pending->link, pending->request, pending->refusal);
		pending_over(portal, pending);
	}
}

int64_t
portal_deadline(const struct portal *portal)
{
	return timer_wheel_deadline(&portal->timers);
}

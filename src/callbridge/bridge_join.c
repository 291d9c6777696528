/* SPDX-License-Identifier: Apache-2.0 */
/* Joining from a browser: who may, as a guest or signed in, and the token that says so. */
#include <stdio.h>

#include "callbridge/bridge_internal.h"
#include "callbridge/portal.h"
#include "meeting/member.h"

enum { HOUR_S = 3600 };

/* ---- Who may ------------------------------------------------------------------------------- */

static enum c2w_refusal
refusal_of_route(enum meeting_route route)
{
	switch (route) {
	case ROUTE_PASSCODE:
		return C2W_REFUSAL_PASSCODE_REQUIRED;
	case ROUTE_WRONG_PASSCODE:
		return C2W_REFUSAL_PASSCODE_INCORRECT;
	case ROUTE_MEMBERS_ONLY:
	case ROUTE_ELSEWHERE: /* no domain was given */
	case ROUTE_IVR:       /* nor are these found without */
		return C2W_REFUSAL_NOT_ALLOWED;
	case ROUTE_UNKNOWN:
	case ROUTE_OPEN:
		break;
	}
	return C2W_REFUSAL_UNKNOWN_MEETING;
}

/* The user whose token it is; 0: a guest, or nobody any more. */
static uint32_t
user_of_token(struct bridge *bridge, unsigned link, struct str token)
{
	const int64_t now_s = bridge->settings.sink.wall_s(bridge->settings.sink.context);
	return token.len != 0 ? portal_user(bridge->settings.meeting,
	                                    bridge->links[link].web_bridge, token,
	                                    bridge->settings.jwt_key, now_s)
	                      : 0;
}

static struct str
user_text(const struct bridge *bridge, uint32_t user, enum user_field field)
{
	return objects_text(meeting_objects(bridge->settings.meeting), OBJECT_USER, user, field);
}

/* A space that the user sees, by its id: a way in of his own, without a passcode. */
static enum meeting_route
route_member(struct bridge *bridge, uint32_t user, const struct c2w_join *join,
             struct meeting_entry *entry)
{
	const struct objects *objects = meeting_objects(bridge->settings.meeting);
	struct guid id;
	*entry = (struct meeting_entry){ 0 };
	if (guid_parse(&id, join->space))
		entry->space = objects_find(objects, OBJECT_SPACE, &id);
	if (!member_sees(objects, user, entry->space))
		return ROUTE_UNKNOWN;
	if (join->method.len == 0)
		return ROUTE_OPEN;
	if (guid_parse(&id, join->method))
		entry->method = objects_find(objects, OBJECT_METHOD, &id);
	return objects_parent(objects, OBJECT_METHOD, entry->method) == entry->space &&
	                       member_sees_method(objects, user, entry->method)
	               ? ROUTE_OPEN
	               : ROUTE_UNKNOWN;
}

/* First in the user's own tenant, where it is known who they are; then as anybody. */
static enum meeting_route
route_user(struct bridge *bridge, uint32_t user, struct meeting_knock *knock,
           struct meeting_entry *entry)
{
	struct meeting *meeting = bridge->settings.meeting;
	const struct objects *objects = meeting_objects(meeting);
	knock->user_jid = user_text(bridge, user, USER_JID);
	knock->world = WORLD_TENANT;
	knock->world_id = objects_value(objects, OBJECT_USER, user, USER_TENANT).guid;
	enum meeting_route found = meeting_route(meeting, knock, entry);
	if (found == ROUTE_UNKNOWN) {
		knock->world = WORLD_ANY;
		found = meeting_route(meeting, knock, entry);
	}
	/* Who is a member does not need the word that opens it to others. */
	const bool asks = found == ROUTE_PASSCODE || found == ROUTE_WRONG_PASSCODE;
	return asks && member_sees(objects, user, entry->space) ? ROUTE_OPEN : found;
}

static enum meeting_route
route(struct bridge *bridge, unsigned link, uint32_t user, const struct c2w_join *join,
      struct meeting_entry *entry)
{
	struct str address = join->address;
	/* A whole address is as good as its user part: this bridge has one domain. */
	address.len = str_find(address, '@');
	if (str_starts(address, STR("sip:")))
		address = str_sub(address, 4, address.len - 4);
	if (join->space.len != 0)
		return route_member(bridge, user, join, entry);
	struct meeting_knock knock = {
		.web_bridge = bridge->links[link].web_bridge,
		.address = address,
		.passcode = join->has_passcode || join->passcode.len != 0 ? join->passcode
		                                                          : (struct str){ 0 },
		.secret = join->secret.len != 0 ? join->secret : (struct str){ 0 },
	};
	return user != 0 ? route_user(bridge, user, &knock, entry)
	                 : meeting_route(bridge->settings.meeting, &knock, entry);
}

static struct str
space_name(struct bridge *bridge, const struct meeting_entry *entry)
{
	return objects_text(meeting_objects(bridge->settings.meeting), OBJECT_SPACE, entry->space,
	                    SPACE_NAME);
}

void
join_look_up(struct bridge *bridge, unsigned link, const struct c2w_message *message)
{
	struct meeting_entry entry = { 0 };
	const enum meeting_route found = route(bridge, link, 0, &message->join, &entry);
	if (found == ROUTE_UNKNOWN || found == ROUTE_MEMBERS_ONLY) {
		web_refuse(bridge, link, message, refusal_of_route(found));
		return;
	}
	struct c2w_message reply = { .kind = C2W_FOUND };
	reply.found.passcode_required = found != ROUTE_OPEN;
	if (entry.space != 0)
		reply.found.name = space_name(bridge, &entry);
	web_answer(bridge, link, message, &reply);
}

bool
join_write_token(struct bridge *bridge, struct writer *w, const struct bridge_newcomer *who,
                 const struct meeting_entry *entry)
{
	struct objects *objects = meeting_objects(bridge->settings.meeting);
	char space[GUID_TEXT_LEN + 1] = "";
	char method[GUID_TEXT_LEN + 1] = "";
	const struct guid space_id = objects_id(objects, OBJECT_SPACE, entry->space);
	guid_write(space, &space_id);
	if (entry->method != 0) {
		const struct guid method_id = objects_id(objects, OBJECT_METHOD, entry->method);
		guid_write(method, &method_id);
	}
	const int64_t now_s = bridge->settings.sink.wall_s(bridge->settings.sink.context);
	const struct jwt_claims claims = {
		.guest = who->guest,
		.name = who->name,
		.user = who->user,
		.call_bridge = str_of(bridge->id),
		.space = str_of(space),
		.method = str_of(method),
		.issued_s = now_s,
		.expires_s = now_s + (int64_t)bridge->settings.jwt_hours * HOUR_S,
	};
	jwt_write(w, &claims, bridge->settings.jwt_key);
	return !w->failed;
}

/* Two guests of one name would take each other's place: 64 bits keep a million apart. */
static void
name_guest(struct bridge *bridge, char guest[GUEST_MAX])
{
	uint64_t random = 0;
	bridge->settings.sink.random(bridge->settings.sink.context, &random, sizeof random);
	snprintf(guest, GUEST_MAX, "guest%llu", (unsigned long long)random);
}

static void
let_in(struct bridge *bridge, unsigned link, const struct c2w_message *message, uint32_t user,
       const struct meeting_entry *entry)
{
	char guest[GUEST_MAX];
	char token[C2W_TOKEN_MAX];
	char user_id[GUID_TEXT_LEN + 1] = "";
	struct bridge_newcomer who = { .name = message->join.name };
	struct writer w = writer_of(token, sizeof token);
	name_guest(bridge, guest);
	who.guest = str_of(guest);
	if (user != 0) {
		const struct guid id = objects_id(meeting_objects(bridge->settings.meeting),
		                                  OBJECT_USER, user);
		const struct str name = user_text(bridge, user, USER_NAME);
		guid_write(user_id, &id);
		who.user = str_of(user_id);
		/* Nobody who is signed in goes by another name. */
		who.name = name.len != 0 ? name : user_text(bridge, user, USER_JID);
	}
	if (!join_write_token(bridge, &w, &who, entry)) {
		web_refuse(bridge, link, message, C2W_REFUSAL_BAD_REQUEST);
		return;
	}
	if (user != 0)
		bridge_log(bridge, "user \"%.*s\" joins as \"%s\"",
		           STR_ARGS(user_text(bridge, user, USER_JID)), guest);
	else
		bridge_log(bridge, "created guest account with user ID \"%s\"", guest);
	struct c2w_message reply = { .kind = C2W_JOINED };
	reply.joined.token = writer_view(&w);
	reply.joined.name = space_name(bridge, entry);
	web_answer(bridge, link, message, &reply);
	explicit_bzero(token, sizeof token);
}

void
join_ask(struct bridge *bridge, unsigned link, const struct c2w_message *message)
{
	struct meeting_entry entry = { 0 };
	const uint32_t user = user_of_token(bridge, link, message->join.auth);
	if (message->join.auth.len != 0 && user == 0) {
		web_refuse(bridge, link, message, C2W_REFUSAL_EXPIRED);
		return;
	}
	const enum meeting_route found = route(bridge, link, user, &message->join, &entry);
	if (found != ROUTE_OPEN)
		web_refuse(bridge, link, message, refusal_of_route(found));
	else if (bridge->shutting_down)
		web_refuse(bridge, link, message, C2W_REFUSAL_BUSY);
	else
		let_in(bridge, link, message, user, &entry);
}

/* ---- Coming with a token ------------------------------------------------------------------- */

/* The token's words turned back into a place to go. */
bool
join_entry(const struct bridge *bridge, const struct jwt_claims *claims,
           struct meeting_entry *entry)
{
	struct objects *objects = meeting_objects(bridge->settings.meeting);
	struct guid id;
	*entry = (struct meeting_entry){ 0 };
	if (!guid_parse(&id, claims->space))
		return false;
	entry->space = objects_find(objects, OBJECT_SPACE, &id);
	if (claims->method.len == 0)
		return entry->space != 0;
	if (!guid_parse(&id, claims->method))
		return false;
	entry->method = objects_find(objects, OBJECT_METHOD, &id);
	return entry->space != 0 && entry->method != 0;
}

uint32_t
join_user(const struct bridge *bridge, const struct jwt_claims *claims)
{
	struct guid id;
	return guid_parse(&id, claims->user)
	               ? objects_find(meeting_objects(bridge->settings.meeting), OBJECT_USER, &id)
	               : 0;
}

bool
join_stands(const struct bridge *bridge, const struct meeting_entry *entry, uint32_t user)
{
	const struct objects *objects = meeting_objects(bridge->settings.meeting);
	return entry->method != 0 ||
	       objects_number(objects, OBJECT_SPACE, entry->space, SPACE_NON_MEMBER_ACCESS) != 0 ||
	       member_sees(objects, user, entry->space);
}

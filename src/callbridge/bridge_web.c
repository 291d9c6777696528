/* SPDX-License-Identifier: Apache-2.0 */
/* Browsers' sessions, as the Web Bridges bring them: media, muting, coming back. */
#include "callbridge/bridge_video.h"

enum {
	FIRST_REVISION = 1, /* of a new RTCPeerConnection in the browser */
};

/* ---- Who is who ---------------------------------------------------------------------------- */

static uint64_t
web_key(const struct bridge *bridge, unsigned link, uint32_t session)
{
	const uint32_t pair[] = { link, session };
	return hash_bytes(&bridge->hash_key, pair, sizeof pair);
}

static struct bridge_leg *
leg_by_web(const struct bridge *bridge, unsigned link, uint32_t session)
{
	struct map_cursor cursor = map_find(&bridge->by_web, web_key(bridge, link, session));
	for (uint32_t handle; (handle = map_next(&bridge->by_web, &cursor)) != 0;) {
		struct bridge_leg *leg = bridge_leg_get(bridge, handle);
		if (leg != NULL && leg->linked && leg->link == link && leg->web_session == session)
			return leg;
	}
	return NULL;
}

static struct bridge_leg *
leg_by_guest(const struct bridge *bridge, struct str guest)
{
	struct map_cursor cursor = map_find(&bridge->by_guest, hash_str(&bridge->hash_key, guest));
	for (uint32_t handle; (handle = map_next(&bridge->by_guest, &cursor)) != 0;) {
		struct bridge_leg *leg = bridge_leg_get(bridge, handle);
		if (leg != NULL && str_eq(str_of(leg->guest), guest))
			return leg;
	}
	return NULL;
}

/* A place in the meeting is not kept for somebody who never sends nor hears anything. */
static void
await_offer(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	if (leg->has_media)
		timer_stop(&bridge->timers, &leg->timer);
	else
		timer_start(&bridge->timers, &leg->timer, now_us + BRIDGE_OFFER_US);
}

static void
link_leg(struct bridge *bridge, struct bridge_leg *leg, unsigned link, uint32_t session,
         int64_t now_us)
{
	leg->linked = true;
	leg->link = link;
	leg->web_session = session;
	await_offer(bridge, leg, now_us);
	CHECK(map_put(&bridge->by_web, web_key(bridge, link, session), leg->handle));
}

static void
unlink_leg(struct bridge *bridge, struct bridge_leg *leg)
{
	if (leg->linked)
		map_remove(&bridge->by_web, web_key(bridge, leg->link, leg->web_session),
		           leg->handle);
	leg->linked = false;
}

/* ---- Talking to browsers ------------------------------------------------------------------- */

void
web_send(struct bridge *bridge, const struct bridge_leg *leg, struct c2w_message *message)
{
	if (!leg->linked)
		return;
	message->session = leg->web_session;
	bridge->settings.sink.web(bridge->settings.sink.context, leg->link, message);
}

void
web_answer(struct bridge *bridge, unsigned link, const struct c2w_message *to,
       struct c2w_message *message)
{
	message->request = to->request;
	message->session = to->session;
	bridge->settings.sink.web(bridge->settings.sink.context, link, message);
}

void
web_refuse(struct bridge *bridge, unsigned link, const struct c2w_message *to,
       enum c2w_refusal refusal)
{
	struct c2w_message message = { .kind = C2W_REFUSED, .refusal = refusal };
	web_answer(bridge, link, to, &message);
}

static void
send_ended(struct bridge *bridge, const struct bridge_leg *leg, enum c2w_end end)
{
	struct c2w_message message = { .kind = C2W_ENDED, .end = end };
	web_send(bridge, leg, &message);
}

static bool
allowed(const struct bridge *bridge, const struct bridge_leg *leg, enum leg_profile_field field)
{
	return meeting_leg_setting(bridge->settings.meeting, leg->meeting_leg, field) != 0;
}

static bool
is_inside(const struct meeting_leg *model)
{
	return (model->state == LEG_CONNECTED || model->state == LEG_ON_HOLD) && !model->lobby;
}

/* Any setting of the leg may have changed; whose wish the mute is, is noted when it changes.  Who is
 * not inside is heard by nobody, and nobody has wished that. */
static void
send_muted(struct bridge *bridge, struct bridge_leg *leg)
{
	const struct meeting_leg *model = meeting_leg_of(bridge, leg->meeting_leg);
	if (model == NULL)
		return;
	const struct meeting_call *call = meeting_call(bridge->settings.meeting, model->call);
	if (leg->muted == model->heard) {
		leg->muted = !model->heard;
		leg->mute_is_own = leg->muting_self;
	}
	struct c2w_message message = { .kind = C2W_MUTED };
	message.muted = (struct c2w_muted){
		.muted = leg->muted,
		.deaf = !model->hears,
		.by_other = is_inside(model) && !leg->mute_is_own,
		.may_unmute = call->allow_all_mute_self ||
		              allowed(bridge, leg, LEG_PROFILE_MUTE_SELF_ALLOWED),
	};
	web_send(bridge, leg, &message);
}

void
web_settings(struct bridge *bridge, struct bridge_leg *leg)
{
	const struct meeting_leg *model = meeting_leg_of(bridge, leg->meeting_leg);
	send_muted(bridge, leg);
	web_send_video_muted(bridge, leg);
	if (model != NULL && model->lobby != leg->in_lobby)
		roster_send_whole(bridge, leg);
	leg->in_lobby = model != NULL && model->lobby;
}

/* ---- Opening and coming back --------------------------------------------------------------- */

static void
send_opened(struct bridge *bridge, struct bridge_leg *leg, bool resumed, struct str token)
{
	char participant[GUID_TEXT_LEN + 1] = "";
	char call_id[GUID_TEXT_LEN + 1] = "";
	struct meeting *meeting = bridge->settings.meeting;
	const struct meeting_leg *model = meeting_leg_of(bridge, leg->meeting_leg);
	const struct meeting_call *call = meeting_call(meeting, model->call);
	const struct meeting_participant *self = meeting_participant(meeting, model->participant);
	guid_write(participant, &self->id);
	guid_write(call_id, &call->id);
	struct c2w_message message = { .kind = C2W_OPENED };
	message.opened = (struct c2w_opened){
		.participant = str_of(participant),
		.call = str_of(call_id),
		.meeting = str_of(call->name),
		.token = token,
		.resumed = resumed,
		.may_mute_others = allowed(bridge, leg, LEG_PROFILE_MUTE_OTHERS_ALLOWED),
		.may_drop_others = allowed(bridge, leg, LEG_PROFILE_DISCONNECT_OTHERS_ALLOWED),
		.may_lock = allowed(bridge, leg, LEG_PROFILE_CALL_LOCK_ALLOWED),
		.may_end = allowed(bridge, leg, LEG_PROFILE_END_CALL_ALLOWED),
		.may_share = call->allow_all_presentation ||
		             allowed(bridge, leg, LEG_PROFILE_PRESENTATION_CONTRIBUTION_ALLOWED),
		.may_set_layout = allowed(bridge, leg, LEG_PROFILE_VIDEO_MUTE_OTHERS_ALLOWED),
		.may_mute_video_others =
			allowed(bridge, leg, LEG_PROFILE_VIDEO_MUTE_OTHERS_ALLOWED),
		.may_chat = allowed(bridge, leg, LEG_PROFILE_CHAT_ALLOWED),
		.may_raise_hand = allowed(bridge, leg, LEG_PROFILE_RAISE_HAND_ALLOWED),
		.may_control_camera = allowed(bridge, leg, LEG_PROFILE_CAMERA),
		.tiles_max = meeting_leg_setting(meeting, leg->meeting_leg,
		                                 LEG_PROFILE_VIDEO_MODE) == VIDEO_MODE_AUTO
		                     ? BRIDGE_TILES_MAX
		                     : 0,
	};
	web_send(bridge, leg, &message);
	send_muted(bridge, leg);
	roster_send_whole(bridge, leg);
	web_send_picture_state(bridge, leg);
}

static enum c2w_refusal
refusal_of_join(enum meeting_refusal refusal)
{
	switch (refusal) {
	case MEETING_BRIDGE_FULL:
	case MEETING_NO_LICENSE:
		return C2W_REFUSAL_BUSY;
	case MEETING_CALL_FULL:
	case MEETING_TENANT_FULL:
		return C2W_REFUSAL_FULL;
	case MEETING_GONE:
	case MEETING_ADMITTED:
		break;
	}
	return C2W_REFUSAL_UNKNOWN_MEETING;
}

/* A new participant; NULL: it was refused. */
static struct bridge_leg *
open_fresh(struct bridge *bridge, unsigned link, const struct c2w_message *message,
           const struct jwt_claims *claims, int64_t now_us)
{
	struct meeting_entry entry;
	uint32_t user = 0;
	if (!join_entry(bridge, claims, &entry)) {
		web_refuse(bridge, link, message, C2W_REFUSAL_UNKNOWN_MEETING);
		return NULL;
	}
	/* Who is no user any more does not become a guest of the same rights. */
	if (claims->user.len != 0 && (user = join_user(bridge, claims)) == 0) {
		web_refuse(bridge, link, message, C2W_REFUSAL_EXPIRED);
		return NULL;
	}
	if (!join_stands(bridge, &entry, user)) {
		web_refuse(bridge, link, message, C2W_REFUSAL_EXPIRED);
		return NULL;
	}
	struct bridge_leg *leg = bridge_leg_new(bridge, LEG_WEB, now_us);
	if (leg == NULL) {
		web_refuse(bridge, link, message, C2W_REFUSAL_BUSY);
		return NULL;
	}
	const struct str jid = objects_text(meeting_objects(bridge->settings.meeting), OBJECT_USER,
	                                    user, USER_JID);
	const struct meeting_join request = {
		.entry = entry,
		.kind = LEG_WEB,
		.owner = leg->handle,
		.name = claims->name,
		.remote_party = jid.len != 0 ? jid : claims->guest,
		.remote_address = message->open.address,
		.user = jid.len != 0 ? jid : claims->guest,
		.user_jid = jid,
	};
	const enum meeting_refusal refused =
		meeting_join(bridge->settings.meeting, &request, now_us, &leg->meeting_leg);
	if (refused != MEETING_ADMITTED) {
		slab_free(&bridge->legs, leg->handle);
		web_refuse(bridge, link, message, refusal_of_join(refused));
		return NULL;
	}
	leg->entry = entry;
	leg->stage = STAGE_ACTIVE;
	leg->local = bridge->web_addresses[0];
	str_copy(leg->guest, sizeof leg->guest, claims->guest);
	CHECK(map_put(&bridge->by_guest, hash_str(&bridge->hash_key, claims->guest), leg->handle));
	link_leg(bridge, leg, link, message->session, now_us);
	return leg;
}

static void
open_again(struct bridge *bridge, struct bridge_leg *leg, unsigned link,
           const struct c2w_message *message, int64_t now_us)
{
	if (leg->linked) {
		send_ended(bridge, leg, C2W_END_REPLACED);
		unlink_leg(bridge, leg);
	}
	link_leg(bridge, leg, link, message->session, now_us);
	/* The page may be a new one, which has not told its wish yet. */
	if (!leg->muted)
		leg->mute_is_own = false;
	bridge_log(bridge, "call %u: %s is back", bridge_leg_number(bridge, leg), leg->guest);
}

/* Who stays for long gets a fresh token when the old one has used half its time. */
static struct str
renewed_token(struct bridge *bridge, char out[C2W_TOKEN_MAX], const struct bridge_leg *leg,
              const struct jwt_claims *claims, int64_t now_s)
{
	const struct bridge_newcomer who = { .guest = claims->guest, .name = claims->name,
		                      .user = claims->user };
	struct writer w = writer_of(out, C2W_TOKEN_MAX);
	if (now_s - claims->issued_s < (claims->expires_s - claims->issued_s) / 2 ||
	    !join_write_token(bridge, &w, &who, &leg->entry))
		return (struct str){ 0 };
	return writer_view(&w);
}

static void
open(struct bridge *bridge, unsigned link, const struct c2w_message *message, int64_t now_us)
{
	struct jwt_claims claims;
	struct jwt_storage storage;
	const int64_t now_s = bridge->settings.sink.wall_s(bridge->settings.sink.context);
	const enum jwt_reject rejected = jwt_read(&claims, &storage, message->open.token,
	                                          bridge->settings.jwt_key, now_s);
	/* A sign-in's token has no guest: it opens no meeting by itself. */
	if (rejected != JWT_OK || claims.guest.len == 0 || claims.guest.len >= GUEST_MAX) {
		web_refuse(bridge, link, message,
		       rejected == JWT_REJECT_EXPIRED ? C2W_REFUSAL_EXPIRED
		                                      : C2W_REFUSAL_BAD_TOKEN);
		return;
	}
	if (leg_by_web(bridge, link, message->session) != NULL) {
		web_refuse(bridge, link, message, C2W_REFUSAL_BAD_REQUEST);
		return;
	}
	struct bridge_leg *leg = leg_by_guest(bridge, claims.guest);
	const bool resumed = leg != NULL;
	if (resumed)
		open_again(bridge, leg, link, message, now_us);
	else
		leg = open_fresh(bridge, link, message, &claims, now_us);
	if (leg == NULL)
		return;
	char token[C2W_TOKEN_MAX];
	send_opened(bridge, leg, resumed, renewed_token(bridge, token, leg, &claims, now_s));
	explicit_bzero(token, sizeof token);
}

/* ---- Media --------------------------------------------------------------------------------- */

static void
fail(struct bridge *bridge, struct bridge_leg *leg, enum leg_end reason, int64_t now_us)
{
	send_ended(bridge, leg, C2W_END_ERROR);
	bridge_leg_over(bridge, leg, reason, false, now_us);
}

static void
send_answer(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	const bool first = !leg->described && !leg->has_been_connected;
	struct c2w_message message = { .kind = C2W_ANSWER };
	message.sdp = (struct c2w_sdp){ .revision = leg->revision,
		                        .sdp = description_answer(bridge, leg) };
	if (message.sdp.sdp.len == 0) {
		fail(bridge, leg, LEG_END_ERROR, now_us);
		return;
	}
	web_send(bridge, leg, &message);
	if (!description_apply(bridge, leg, now_us)) {
		fail(bridge, leg, LEG_END_ERROR, now_us);
		return;
	}
	if (first) {
		bridge_log(bridge,
		           "call %u: setting up combined RTP session for DTLS (combined media and "
		           "control)",
		           bridge_leg_number(bridge, leg));
		leg->has_been_connected = true;
		bridge_connected(bridge, leg, now_us);
		return;
	}
	bridge_enter(bridge, leg, now_us);
}

void
web_media_opened(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	if (leg->sdp != NULL && leg->sdp->state == SDP_HAVE_REMOTE_OFFER)
		send_answer(bridge, leg, now_us);
}

/* The browser notices as well, and comes with a new offer; if it is gone, so is the participant. */
void
web_media_lost(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	bridge_media_close(bridge, leg);
	if (!leg->linked)
		bridge_leg_over(bridge, leg, LEG_END_TIMEOUT, true, now_us);
	else
		await_offer(bridge, leg, now_us);
}

static void
offered(struct bridge *bridge, struct bridge_leg *leg, const struct c2w_message *message,
        int64_t now_us)
{
	const bool fresh = !leg->has_media || message->sdp.revision == FIRST_REVISION;
	leg->revision = message->sdp.revision;
	if (fresh) {
		const struct meeting_leg *model = meeting_leg_of(bridge, leg->meeting_leg);
		bridge_media_close(bridge, leg);
		if (description_begin(bridge, leg, 0) != 0 ||
		    !bridge_media_open(bridge, leg, model->call)) {
			fail(bridge, leg, LEG_END_TOO_MANY_CALLS, now_us);
			return;
		}
	}
	const enum sdp_reject rejected = sdp_session_offer_take(leg->sdp, message->sdp.sdp);
	if (rejected != SDP_OK || sdp_session_line(leg->sdp, 0) == NULL) {
		bridge_log(bridge, "call %u: the browser's offer cannot be used",
		           bridge_leg_number(bridge, leg));
		fail(bridge, leg, LEG_END_ERROR, now_us);
		return;
	}
	await_offer(bridge, leg, now_us); /* it has come: the timer stops */
	if (leg->opened)
		send_answer(bridge, leg, now_us);
}

/* ---- What a participant does --------------------------------------------------------------- */

static void
mute(struct bridge *bridge, struct bridge_leg *leg, bool muted, int64_t now_us)
{
	const uint32_t handle = leg->handle;
	leg->muting_self = true;
	if (!meeting_act(bridge->settings.meeting, leg->meeting_leg,
	                 muted ? ACTION_MUTE_SELF : ACTION_UNMUTE_SELF, 0, now_us))
		send_muted(bridge, leg);
	bridge_drain(bridge, now_us);
	/* Whatever else was due may have ended it. */
	leg = bridge_leg_get(bridge, handle);
	if (leg != NULL)
		leg->muting_self = false;
}

static void
act(struct bridge *bridge, const struct bridge_leg *leg, const struct c2w_act *wish,
    int64_t now_us)
{
	static const enum meeting_action actions[C2W_ACTIONS] = {
		[C2W_ACTION_MUTE] = ACTION_MUTE_OTHER,   [C2W_ACTION_UNMUTE] = ACTION_UNMUTE_OTHER,
		[C2W_ACTION_DROP] = ACTION_DROP_OTHER,   [C2W_ACTION_ADMIT] = ACTION_ADMIT_OTHER,
		[C2W_ACTION_LOCK] = ACTION_LOCK,         [C2W_ACTION_UNLOCK] = ACTION_UNLOCK,
		[C2W_ACTION_END] = ACTION_END_CALL,
		[C2W_ACTION_MUTE_VIDEO] = ACTION_MUTE_OTHER_VIDEO,
		[C2W_ACTION_UNMUTE_VIDEO] = ACTION_UNMUTE_OTHER_VIDEO,
		[C2W_ACTION_LOWER_HAND] = ACTION_LOWER_OTHER_HAND,
	};
	const uint32_t other = web_participant_leg(bridge, wish->participant);
	/* What is not allowed changes nothing; the page never showed it. */
	(void)meeting_act(bridge->settings.meeting, leg->meeting_leg, actions[wish->action], other,
	                  now_us);
}

static void
left(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	send_ended(bridge, leg, C2W_END_LEFT);
	bridge_leg_over(bridge, leg, LEG_END_CLIENT_INITIATED_TEARDOWN, true, now_us);
}

/* The WebSocket is gone: maybe the person reloads the page, or the train is in a tunnel. */
static void
lost_sight(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	unlink_leg(bridge, leg);
	if (!leg->has_media && leg->has_been_connected)
		bridge_leg_over(bridge, leg, LEG_END_TIMEOUT, true, now_us);
	else
		timer_start(&bridge->timers, &leg->timer, now_us + BRIDGE_REJOIN_US);
}

void
web_timer(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	if (leg->linked && leg->has_media)
		return;
	send_ended(bridge, leg, C2W_END_TIMEOUT);
	bridge_log(bridge, "user \"%s\": deactivating due to time out", leg->guest);
	bridge_leg_over(bridge, leg, LEG_END_TIMEOUT, true, now_us);
}

/* ---- The end ------------------------------------------------------------------------------- */

static enum c2w_end
end_of(const struct bridge *bridge, enum leg_end reason)
{
	switch (reason) {
	case LEG_END_CALL_ENDED:
	case LEG_END_CALL_DEACTIVATED:
		return C2W_END_MEETING;
	case LEG_END_TIMEOUT:
	case LEG_END_CONFIRMATION_TIMEOUT:
		return C2W_END_TIMEOUT;
	case LEG_END_ERROR:
	case LEG_END_TOO_MANY_CALLS:
		return C2W_END_ERROR;
	case LEG_END_LOCAL_TEARDOWN:
		return bridge->shutting_down ? C2W_END_RESTART : C2W_END_DROPPED;
	case LEG_END_API_INITIATED_TEARDOWN:
	case LEG_END_CALL_MOVED:
	case LEG_END_CLIENT_INITIATED_TEARDOWN:
	case LEG_END_DNS_FAILURE:
	case LEG_END_ENCRYPTION_REQUIRED:
	case LEG_END_INCORRECT_PASSCODE:
	case LEG_END_IVR_TIMEOUT:
	case LEG_END_IVR_UNKNOWN_CALL:
	case LEG_END_PARTICIPANT_LIMIT_REACHED:
	case LEG_END_REMOTE_BUSY:
	case LEG_END_REMOTE_REJECTED:
	case LEG_END_REMOTE_TEARDOWN:
	case LEG_END_RINGING_TIMEOUT:
	case LEG_END_UNKNOWN_DESTINATION:
	case LEG_END_COUNT:
		break;
	}
	return C2W_END_DROPPED;
}

void
web_drop(struct bridge *bridge, struct bridge_leg *leg, enum leg_end reason, int64_t now_us)
{
	send_ended(bridge, leg, end_of(bridge, reason));
	bridge_leg_over(bridge, leg, reason, false, now_us);
}

void
web_leg_over(struct bridge *bridge, struct bridge_leg *leg)
{
	unlink_leg(bridge, leg);
	map_remove(&bridge->by_guest, hash_str(&bridge->hash_key, str_of(leg->guest)), leg->handle);
	bridge_log(bridge, "destroying guest account with user ID \"%s\"", leg->guest);
}

/* ---- Links --------------------------------------------------------------------------------- */

void
bridge_link_up(struct bridge *bridge, unsigned link, uint32_t web_bridge, int64_t now_us)
{
	CHECK(link < BRIDGE_LINKS_MAX && !bridge->links[link].up);
	bridge->links[link] = (struct bridge_link){ .up = true, .web_bridge = web_bridge };
	struct c2w_message hello = { .kind = C2W_HELLO };
	hello.hello = (struct c2w_hello){ .version = C2W_VERSION,
		                          .role = STR("callbridge"),
		                          .id = str_of(bridge->id),
		                          .product = STR("Convoke") };
	bridge->settings.sink.web(bridge->settings.sink.context, link, &hello);
	meeting_web_bridge(bridge->settings.meeting, web_bridge, WEB_BRIDGE_SUCCESS, now_us);
	bridge_drain(bridge, now_us);
}

void
bridge_link_down(struct bridge *bridge, unsigned link, int64_t now_us)
{
	CHECK(link < BRIDGE_LINKS_MAX);
	if (!bridge->links[link].up)
		return;
	bridge->links[link].up = false;
	for (uint32_t at = 0, handle; (handle = slab_next(&bridge->legs, &at)) != 0;) {
		struct bridge_leg *leg = bridge_leg_get(bridge, handle);
		if (leg->kind == LEG_WEB && leg->linked && leg->link == link)
			lost_sight(bridge, leg, now_us);
	}
	meeting_web_bridge(bridge->settings.meeting, bridge->links[link].web_bridge,
	                   WEB_BRIDGE_CONNECTION_FAILURE, now_us);
	bridge_drain(bridge, now_us);
}

static void
session_message(struct bridge *bridge, unsigned link, const struct c2w_message *message,
                int64_t now_us)
{
	struct bridge_leg *leg = leg_by_web(bridge, link, message->session);
	/* Its `ended` is on the way. */
	if (leg == NULL)
		return;
	check_context("bridge leg", leg->handle);
	switch (message->kind) {
	case C2W_OFFER:
		offered(bridge, leg, message, now_us);
		break;
	case C2W_MUTE:
		mute(bridge, leg, message->mute, now_us);
		break;
	case C2W_ACT:
		act(bridge, leg, &message->act, now_us);
		break;
	case C2W_LEAVE:
		left(bridge, leg, now_us);
		break;
	case C2W_CLOSED:
		lost_sight(bridge, leg, now_us);
		break;
	case C2W_VIEW:
	case C2W_CAMERA:
	case C2W_SHARE:
	case C2W_SAY:
	case C2W_HAND:
	case C2W_LAYOUT:
	case C2W_REMOTE_CAMERA:
		web_video_message(bridge, leg, message, now_us);
		break;
	case C2W_CANDIDATE: /* a lite agent learns addresses from the checks */
	case C2W_NONE:
	case C2W_HELLO:
	case C2W_PING:
	case C2W_PONG:
	case C2W_LOOKUP:
	case C2W_JOIN:
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
bridge_web(struct bridge *bridge, unsigned link, const struct c2w_message *message, int64_t now_us)
{
	CHECK(link < BRIDGE_LINKS_MAX && bridge->links[link].up);
	if (message->kind == C2W_PING) {
		struct c2w_message pong = { .kind = C2W_PONG };
		web_answer(bridge, link, message, &pong);
	} else if (message->kind == C2W_LOOKUP) {
		join_look_up(bridge, link, message);
	} else if (message->kind == C2W_JOIN) {
		join_ask(bridge, link, message);
	} else if (message->kind == C2W_OPEN) {
		open(bridge, link, message, now_us);
	} else {
		session_message(bridge, link, message, now_us);
	}
	bridge_drain(bridge, now_us);
}

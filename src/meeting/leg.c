/* SPDX-License-Identifier: Apache-2.0 */
/* A leg's life: it comes, facts about it, wishes about it, it goes. */
#include "meeting/meeting_internal.h"

static_assert(LEG_PROFILE_FIELDS <= 64, "one override bit each");

static const char *const leg_end_names[LEG_END_COUNT] = {
	[LEG_END_API_INITIATED_TEARDOWN] = "apiInitiatedTeardown",
	[LEG_END_CALL_DEACTIVATED] = "callDeactivated",
	[LEG_END_CALL_ENDED] = "callEnded",
	[LEG_END_CALL_MOVED] = "callMoved",
	[LEG_END_CLIENT_INITIATED_TEARDOWN] = "clientInitiatedTeardown",
	[LEG_END_CONFIRMATION_TIMEOUT] = "confirmationTimeOut",
	[LEG_END_DNS_FAILURE] = "dnsFailure",
	[LEG_END_ENCRYPTION_REQUIRED] = "encryptionRequired",
	[LEG_END_ERROR] = "error",
	[LEG_END_INCORRECT_PASSCODE] = "incorrectPasscode",
	[LEG_END_IVR_TIMEOUT] = "ivrTimeout",
	[LEG_END_IVR_UNKNOWN_CALL] = "ivrUnknownCall",
	[LEG_END_LOCAL_TEARDOWN] = "localTeardown",
	[LEG_END_PARTICIPANT_LIMIT_REACHED] = "participantLimitReached",
	[LEG_END_REMOTE_BUSY] = "remoteBusy",
	[LEG_END_REMOTE_REJECTED] = "remoteRejected",
	[LEG_END_REMOTE_TEARDOWN] = "remoteTeardown",
	[LEG_END_RINGING_TIMEOUT] = "ringingTimeout",
	[LEG_END_TIMEOUT] = "timeout",
	[LEG_END_TOO_MANY_CALLS] = "tooManyCalls",
	[LEG_END_UNKNOWN_DESTINATION] = "unknownDestination",
};

const char *
leg_end_name(enum leg_end reason)
{
	CHECK((unsigned)reason < LEG_END_COUNT);
	return leg_end_names[reason];
}

/* ------------------------------------------------------------------ a leg comes */

static uint32_t
bridge_limit(const struct meeting *meeting)
{
	const uint32_t cluster = objects_single(meeting->objects, OBJECT_CLUSTER);
	return objects_number(meeting->objects, OBJECT_CLUSTER, cluster,
	                      CLUSTER_PARTICIPANT_LIMIT);
}

/* Counted over all calls of the tenant's spaces, for those tenants that have a limit. */
static bool
is_tenant_full(const struct meeting *meeting, const struct guid *tenant)
{
	const uint32_t handle = objects_find(meeting->objects, OBJECT_TENANT, tenant);
	const uint32_t most = objects_number(meeting->objects, OBJECT_TENANT, handle,
	                                     TENANT_PARTICIPANT_LIMIT);
	uint32_t legs = 0;
	uint32_t at = 0;
	if (handle == 0 || most == UINT32_MAX)
		return false;
	for (uint32_t call; (call = meeting_call_next(meeting, &at)) != 0;) {
		const struct meeting_call *pub = &call_get(meeting, call)->pub;
		const struct guid whose = objects_space_tenant(meeting->objects, pub->space);
		legs += guid_eq(&whose, tenant) ? pub->legs : 0;
	}
	return legs >= most;
}

enum meeting_refusal
bridge_room(const struct meeting *meeting)
{
	return meeting->legs.count == meeting->legs.cap ||
	                       meeting->totals.legs_active >= bridge_limit(meeting)
	               ? MEETING_BRIDGE_FULL
	               : MEETING_ADMITTED;
}

enum meeting_refusal
call_room(const struct meeting *meeting, uint32_t space, uint32_t call)
{
	const struct guid tenant = objects_space_tenant(meeting->objects, space);
	if (is_tenant_full(meeting, &tenant))
		return MEETING_TENANT_FULL;
	const uint32_t legs = call != 0 ? call_get(meeting, call)->pub.legs : 0;
	return legs >= call_setting(meeting, space, CALL_PROFILE_PARTICIPANT_LIMIT)
	               ? MEETING_CALL_FULL
	               : MEETING_ADMITTED;
}

static enum meeting_refusal
check_room(const struct meeting *meeting, uint32_t space, uint32_t call)
{
	const enum meeting_refusal refusal = bridge_room(meeting);
	return refusal != MEETING_ADMITTED ? refusal : call_room(meeting, space, call);
}

void
leg_link(struct meeting *meeting, struct call *call, struct leg *leg)
{
	leg->prev = call->last;
	if (call->last != 0)
		leg_get(meeting, call->last)->next = leg->pub.handle;
	else
		call->first = leg->pub.handle;
	call->last = leg->pub.handle;
	call->pub.legs++;
	if (call->pub.legs > call->pub.legs_max)
		call->pub.legs_max = call->pub.legs;
	timer_stop(&meeting->timers, &call->empty.timer);
}

void
leg_unlink(struct meeting *meeting, struct call *call, const struct leg *leg)
{
	if (leg->prev != 0)
		leg_get(meeting, leg->prev)->next = leg->next;
	else
		call->first = leg->next;
	if (leg->next != 0)
		leg_get(meeting, leg->next)->prev = leg->prev;
	else
		call->last = leg->prev;
}

static struct leg *
leg_new(struct meeting *meeting, struct call *call)
{
	uint32_t handle = 0;
	uint32_t who_handle = 0;
	struct leg *leg = slab_take(&meeting->legs, &handle);
	struct meeting_participant *who = slab_take(&meeting->participants, &who_handle);
	CHECK(leg != NULL && who != NULL); /* check_room() found room, and both are as many */
	*who = (struct meeting_participant){ .handle = who_handle, .call = call->pub.handle,
		                             .leg = handle, .id = meeting_new_id(meeting) };
	leg->pub.handle = handle;
	leg->pub.number = ++meeting->leg_number_last;
	leg->pub.call = call->pub.handle;
	leg->pub.participant = who_handle;
	leg->pub.id = meeting_new_id(meeting);
	leg->pub.created_us = meeting->now_us;
	leg->chosen_layout = LAYOUT_COUNT;
	leg->duration = (struct model_timer){ .kind = TIMER_LEG_DURATION, .handle = handle };
	leg->deactivation =
		(struct model_timer){ .kind = TIMER_LEG_DEACTIVATION, .handle = handle };
	leg->notice_over = (struct model_timer){ .kind = TIMER_LEG_NOTICE, .handle = handle };
	leg->code = (struct model_timer){ .kind = TIMER_LEG_CODE, .handle = handle };
	names_put(meeting, &meeting->leg_ids, &leg->pub.id, handle);
	names_put(meeting, &meeting->participant_ids, &who->id, who_handle);
	leg_link(meeting, call, leg);
	meeting->totals.legs_active++;
	if (meeting->totals.legs_active > meeting->totals.legs_active_max)
		meeting->totals.legs_active_max = meeting->totals.legs_active;
	call_work(meeting, call, WORK_ROSTER);
	return leg;
}

static void
leg_name(struct leg *leg, struct str name, struct str remote_party, struct str user)
{
	struct meeting_leg *pub = &leg->pub;
	text_copy_clean(pub->name, sizeof pub->name, name);
	text_copy_clean(pub->remote_party, sizeof pub->remote_party, remote_party);
	text_copy_clean(pub->user, sizeof pub->user, user.len != 0 ? user : remote_party);
}

static void
leg_log_start(struct meeting *meeting, const struct leg *leg, const struct call *call)
{
	const struct meeting_leg *pub = &leg->pub;
	if (pub->kind == LEG_WEB)
		log_line(meeting, "call %u: allocated for %s / \"%s\" conference participation",
		         pub->number, pub->user, pub->name);
	log_line(meeting, "API call leg %s in call %s (API call %s)", guid_text(&pub->id).text,
	         guid_text(&call->pub.id).text, guid_text(&call->pub.id).text);
	if (pub->sip_call_id[0] != '\0')
		log_line(meeting, "call %u: configured - API call leg %s with SIP call ID \"%s\"",
		         pub->number, guid_text(&pub->id).text, pub->sip_call_id);
	else
		log_line(meeting, "call %u: configured - API call leg %s", pub->number,
		         guid_text(&pub->id).text);
}

void
leg_override(struct leg *leg, enum leg_profile_field field, const struct value *value)
{
	leg->overrides[field] = value->number;
	leg->override_set = value->set ? leg->override_set | UINT64_C(1) << field
	                               : leg->override_set & ~(UINT64_C(1) << field);
}

/* A guest who replaces his own leg stays a guest, and who was sent to the lobby stays there. */
static void
take_place(struct meeting *meeting, struct leg *leg, const struct leg *old)
{
	struct meeting_participant *who = participant_get(meeting, leg->pub.participant);
	const struct meeting_participant *was = participant_get(meeting, old->pub.participant);
	who->method = was->method;
	who->leg_profile = was->leg_profile;
	who->member = was->member;
	memcpy(who->user_jid, was->user_jid, sizeof who->user_jid);
	who->importance = was->importance;
	memcpy(who->name_label, was->name_label, sizeof who->name_label);
	leg->pub.importance = was->importance;
	leg->person.importance = was->importance;
	leg->chosen_layout = old->chosen_layout;
	leg->invited = old->invited;
	leg->admitted = old->admitted;
	leg->sent_back = old->sent_back;
	leg->override_set = old->override_set;
	memcpy(leg->overrides, old->overrides, sizeof leg->overrides);
	memcpy(leg->profile_ids, old->profile_ids, sizeof leg->profile_ids);
}

void
leg_come_new(struct meeting *meeting, struct leg *leg, const struct call *call, uint32_t method,
             struct str user_jid)
{
	struct meeting_participant *who = participant_get(meeting, leg->pub.participant);
	who->method = method;
	text_copy_clean(who->user_jid, sizeof who->user_jid, user_jid);
	who->member = meeting_member(meeting, call->pub.space, user_jid);
	who->importance = objects_number(meeting->objects, OBJECT_METHOD, method,
	                                 METHOD_IMPORTANCE);
	leg->pub.importance = who->importance;
	leg->person.importance = who->importance;
	if (call->pub.join_mute_set)
		leg_override(leg, LEG_PROFILE_RX_AUDIO_MUTE,
		             &(struct value){ .set = true, .number = call->pub.join_mute });
}

struct leg *
leg_begin(struct meeting *meeting, struct call *call, const struct meeting_join *join)
{
	struct leg *leg = leg_new(meeting, call);
	struct meeting_leg *pub = &leg->pub;
	struct meeting_participant *who = participant_get(meeting, pub->participant);
	pub->kind = join->kind;
	pub->owner = join->owner;
	leg_name(leg, join->name, join->remote_party, join->user);
	text_copy_clean(pub->local_address, sizeof pub->local_address, join->local_address);
	text_copy_clean(pub->remote_address, sizeof pub->remote_address, join->remote_address);
	text_copy_clean(pub->sip_call_id, sizeof pub->sip_call_id, join->sip_call_id);
	text_copy_clean(who->uri, sizeof who->uri, join->remote_party);
	return leg;
}

enum meeting_refusal
meeting_join(struct meeting *meeting, const struct meeting_join *join, int64_t now_us,
             uint32_t *out)
{
	meeting_now(meeting, now_us);
	const struct leg *old = leg_get(meeting, join->replaces);
	uint32_t space = join->entry.space;
	uint32_t running = meeting_call_of_space(meeting, space);
	if (join->replaces != 0) {
		CHECK(space == 0 && join->entry.method == 0);
		if (old == NULL || old->pub.state == LEG_ENDING)
			return MEETING_GONE;
		running = old->pub.call;
		space = call_get(meeting, running)->pub.space;
	} else if ((space != 0 && !objects_alive(meeting->objects, OBJECT_SPACE, space)) ||
	           (join->entry.method != 0 &&
	            !objects_alive(meeting->objects, OBJECT_METHOD, join->entry.method))) {
		return MEETING_GONE;
	}
	enum meeting_refusal refusal = check_room(meeting, space, running);
	if (refusal == MEETING_ADMITTED && join->replaces == 0 &&
	    !licensing_admits(meeting, join->kind, space, running != 0))
		refusal = MEETING_NO_LICENSE;
	struct call *call = running != 0 ? call_get(meeting, running) : NULL;
	if (refusal == MEETING_ADMITTED && call == NULL) {
		refusal = call_open(meeting, space, join->adhoc_name, &call);
		if (refusal == MEETING_ADMITTED)
			call->pub.forwarding = join->forwarding;
	}
	if (refusal != MEETING_ADMITTED)
		return refusal;

	struct leg *leg = leg_begin(meeting, call, join);
	if (old != NULL)
		take_place(meeting, leg, old);
	else
		leg_come_new(meeting, leg, call, join->entry.method, join->user_jid);
	leg_settings_refresh(meeting, leg);
	leg_log_start(meeting, leg, call);
	leg_news(meeting, leg, MEETING_NEWS_LEG_STARTED);
	*out = leg->pub.handle;
	return MEETING_ADMITTED;
}

enum meeting_refusal
meeting_dial(struct meeting *meeting, const struct meeting_dial *dial, int64_t now_us,
             uint32_t *out)
{
	struct call *call = call_get(meeting, dial->call);
	meeting_now(meeting, now_us);
	if (call == NULL || call->pub.ending)
		return MEETING_GONE;
	const enum meeting_refusal refusal = check_room(meeting, call->pub.space, dial->call);
	if (refusal != MEETING_ADMITTED)
		return refusal;
	if (!licensing_admits(meeting, LEG_SIP, call->pub.space, true))
		return MEETING_NO_LICENSE;

	struct leg *leg = leg_new(meeting, call);
	struct meeting_participant *who = participant_get(meeting, leg->pub.participant);
	leg->pub.kind = LEG_SIP;
	leg->pub.outgoing = true;
	leg->invited = true;
	leg_name(leg, STR(""), dial->remote_party, STR(""));
	text_copy_clean(who->uri, sizeof who->uri, dial->remote_party);
	leg_settings_refresh(meeting, leg);
	leg_log_start(meeting, leg, call);
	leg_work(meeting, leg, WORK_DIAL);
	*out = leg->pub.handle;
	if (dial->edit != NULL)
		meeting_leg_edit(meeting, leg->pub.handle, dial->edit, now_us);
	leg_news(meeting, leg, MEETING_NEWS_LEG_STARTED);
	return MEETING_ADMITTED;
}

/* ------------------------------------------------------------------ facts about a leg */

void
leg_watch_duration(struct meeting *meeting, struct leg *leg)
{
	const int64_t seconds = leg->settings[LEG_PROFILE_MAX_DURATION];
	if (seconds == 0 || leg->pub.connected_us == 0 || leg->pub.state == LEG_ENDING)
		timer_stop(&meeting->timers, &leg->duration.timer);
	else
		timer_start(&meeting->timers, &leg->duration.timer,
		            leg->pub.connected_us + seconds * 1000000);
}

void
meeting_leg_ringing(struct meeting *meeting, uint32_t handle, int64_t now_us)
{
	struct leg *leg = leg_get(meeting, handle);
	meeting_now(meeting, now_us);
	if (leg == NULL || leg->pub.state != LEG_INITIAL)
		return;
	leg->pub.state = LEG_RINGING;
	call_work(meeting, call_get(meeting, leg->pub.call), WORK_ROSTER);
}

void
leg_log_joined(struct meeting *meeting, const struct leg *leg)
{
	const struct call *call = call_get(meeting, leg->pub.call);
	if (!guid_is_zero(&call->space_id))
		log_line(meeting, "participant \"%s\" joined space %s (%s)", leg->pub.user,
		         guid_text(&call->space_id).text, call->pub.name);
	log_line(meeting, "participant \"%s\" (%s) joined conference %s via %s", leg->pub.user,
	         guid_text(&leg->pub.id).text, guid_text(&call->pub.id).text,
	         leg->pub.kind == LEG_WEB ? "WB3" : "SIP");
}

void
meeting_leg_connected(struct meeting *meeting, uint32_t handle, int64_t now_us)
{
	struct leg *leg = leg_get(meeting, handle);
	meeting_now(meeting, now_us);
	if (leg == NULL || leg->pub.state > LEG_RINGING)
		return;
	leg->pub.state = LEG_CONNECTED;
	/* Zero means never: a clock that starts at zero is moved by a microsecond. */
	leg->pub.connected_us = now_us != 0 ? now_us : 1;
	leg_watch_duration(meeting, leg);
	if (call_get(meeting, leg->pub.call)->pub.door) {
		leg_media_refresh(meeting, leg);
		leg_news(meeting, leg, MEETING_NEWS_LEG_CHANGED);
		return;
	}
	leg_log_joined(meeting, leg);
	if (leg->pub.dtmf[0] != '\0')
		leg_work(meeting, leg, WORK_DTMF);
	call_work(meeting, call_get(meeting, leg->pub.call), WORK_ROSTER);
	leg_arrive(meeting, leg);
	leg_news(meeting, leg, MEETING_NEWS_LEG_CHANGED);
}

void
meeting_leg_held(struct meeting *meeting, uint32_t handle, bool held, int64_t now_us)
{
	struct leg *leg = leg_get(meeting, handle);
	meeting_now(meeting, now_us);
	if (leg == NULL || (leg->pub.state != LEG_CONNECTED && leg->pub.state != LEG_ON_HOLD))
		return;
	leg->pub.state = held ? LEG_ON_HOLD : LEG_CONNECTED;
	call_work(meeting, call_get(meeting, leg->pub.call), WORK_ROSTER);
}

void
meeting_leg_owner(struct meeting *meeting, uint32_t handle, uint64_t owner)
{
	struct leg *leg = leg_get(meeting, handle);
	if (leg != NULL)
		leg->pub.owner = owner;
}

void
meeting_leg_dialled(struct meeting *meeting, uint32_t handle, struct str party, bool phone)
{
	struct leg *leg = leg_get(meeting, handle);
	if (leg == NULL)
		return;
	text_copy_clean(leg->pub.remote_party, sizeof leg->pub.remote_party, party);
	if (!phone)
		return;
	leg_override(leg, LEG_PROFILE_VIDEO_MODE,
	             &(struct value){ .set = true, .number = VIDEO_MODE_DISABLED });
	leg_reconsider(meeting, leg);
}

void
meeting_leg_identity(struct meeting *meeting, uint32_t handle, struct str name,
                     struct str remote_address, struct str sip_call_id, int64_t now_us)
{
	struct leg *leg = leg_get(meeting, handle);
	meeting_now(meeting, now_us);
	if (leg == NULL)
		return;
	struct meeting_leg *pub = &leg->pub;
	if (name.len != 0) {
		text_copy_clean(pub->name, sizeof pub->name, name);
		call_work(meeting, call_get(meeting, pub->call), WORK_ROSTER | WORK_VIDEO);
	}
	if (remote_address.len != 0)
		text_copy_clean(pub->remote_address, sizeof pub->remote_address, remote_address);
	if (sip_call_id.len != 0) {
		text_copy_clean(pub->sip_call_id, sizeof pub->sip_call_id, sip_call_id);
		log_line(meeting, "call %u: configured - API call leg %s with SIP call ID \"%s\"",
		         pub->number, guid_text(&pub->id).text, pub->sip_call_id);
	}
	leg_news(meeting, leg, MEETING_NEWS_LEG_CHANGED);
}

void
meeting_leg_media(struct meeting *meeting, uint32_t handle, const struct leg_media *media)
{
	struct leg *leg = leg_get(meeting, handle);
	if (leg == NULL)
		return;
	meeting->totals.audio_in_bps += media->rx_audio.bit_rate_bps;
	meeting->totals.audio_in_bps -= leg->pub.media.rx_audio.bit_rate_bps;
	meeting->totals.audio_out_bps += media->tx_audio.bit_rate_bps;
	meeting->totals.audio_out_bps -= leg->pub.media.tx_audio.bit_rate_bps;
	for (unsigned track = 0; track < LEG_TRACKS; track++) {
		const struct leg_media *was = &leg->pub.media;
		meeting->totals.video_in_bps += media->rx_video[track].bit_rate_bps;
		meeting->totals.video_in_bps -= was->rx_video[track].bit_rate_bps;
		meeting->totals.video_out_bps += media->tx_video[track].bit_rate_bps;
		meeting->totals.video_out_bps -= was->tx_video[track].bit_rate_bps;
	}
	leg->pub.media = *media;
	leg_news(meeting, leg, MEETING_NEWS_LEG_MEDIA);
}

void
meeting_leg_talking(struct meeting *meeting, uint32_t handle, bool talking)
{
	struct leg *leg = leg_get(meeting, handle);
	if (leg == NULL || leg->pub.talking == talking || (talking && !leg->pub.heard))
		return;
	struct call *call = call_get(meeting, leg->pub.call);
	leg->pub.talking = talking;
	stage_talking(&call->stage, &leg->person, talking, meeting->now_us);
	call_pictures_changed(meeting, call);
	call_work(meeting, call, WORK_ROSTER | WORK_VIDEO);
}

/* ------------------------------------------------------------------ a leg goes */

static void
leg_end_count(struct meeting *meeting, struct leg *leg, enum leg_end reason)
{
	struct call *call = call_get(meeting, leg->pub.call);
	CHECK(leg->pub.state != LEG_ENDING && call->pub.legs != 0);
	leg->pub.state = LEG_ENDING; /* first: who ends is not let in again */
	leg_depart(meeting, leg);
	leg->pub.lobby = false;
	leg->reason = reason;
	call->pub.legs--;
	meeting->totals.legs_active--;
	meeting->totals.legs_completed++;
	timer_stop(&meeting->timers, &leg->duration.timer);
	timer_stop(&meeting->timers, &leg->deactivation.timer);
	timer_stop(&meeting->timers, &leg->notice_over.timer);
	timer_stop(&meeting->timers, &leg->code.timer);
	call_work(meeting, call, WORK_ROSTER);
}

void
meeting_leg_drop(struct meeting *meeting, uint32_t handle, enum leg_end reason, int64_t now_us)
{
	struct leg *leg = leg_get(meeting, handle);
	meeting_now(meeting, now_us);
	if (leg == NULL || leg->pub.state == LEG_ENDING)
		return;
	leg_end_count(meeting, leg, reason);
	leg_work(meeting, leg, WORK_DROP);
}

static void
leg_log_end(struct meeting *meeting, const struct leg *leg, bool remote)
{
	const struct call *call = call_get(meeting, leg->pub.call);
	const struct meeting_leg *pub = &leg->pub;
	/* Of a SIP leg the shell knows more and has said it. */
	if (pub->kind == LEG_WEB)
		log_line(meeting, "call %u: ending; %s teardown (%s)%s", pub->number,
		         remote ? "remote" : "local", leg_end_name(leg->reason),
		         pub->connected_us == 0 ? " - not connected" : "");
	if (pub->connected_us != 0 && !guid_is_zero(&call->space_id))
		log_line(meeting, "participant \"%s\" left space %s (%s)", pub->user,
		         guid_text(&call->space_id).text, call->pub.name);
	log_line(meeting, "call %u: destroying API call leg %s", pub->number,
	         guid_text(&pub->id).text);
}

static void
leg_ended_news(struct meeting *meeting, const struct leg *leg, bool remote)
{
	const struct meeting_news news = { .kind = MEETING_NEWS_LEG_ENDED, .call = leg->pub.call,
		                           .leg = leg->pub.handle, .reason = leg->reason,
		                           .remote = remote, .now_us = meeting->now_us };
	if (meeting->watcher != NULL)
		meeting->watcher(meeting->watcher_context, &news);
}

void
meeting_leg_ended(struct meeting *meeting, uint32_t handle, enum leg_end reason, bool remote,
                  int64_t now_us)
{
	struct leg *leg = leg_get(meeting, handle);
	meeting_now(meeting, now_us);
	if (leg == NULL)
		return;
	struct call *call = call_get(meeting, leg->pub.call);
	if (leg->pub.state != LEG_ENDING)
		leg_end_count(meeting, leg, reason);
	leg_log_end(meeting, leg, remote);
	leg_ended_news(meeting, leg, remote);
	meeting_leg_media(meeting, handle, &(struct leg_media){ 0 });

	struct meeting_participant *who = participant_get(meeting, leg->pub.participant);
	names_remove(meeting, &meeting->leg_ids, &leg->pub.id, handle);
	names_remove(meeting, &meeting->participant_ids, &who->id, who->handle);
	leg_unlink(meeting, call, leg);
	leg_work_forget(meeting, leg);
	slab_free(&meeting->participants, leg->pub.participant);
	slab_free(&meeting->legs, handle);
	if (call->pub.door)
		door_close(meeting, call);
	else if (call->first == 0)
		call_finish(meeting, call);
	else if (call->pub.forwarding && call->pub.legs < 2)
		meeting_call_end(meeting, call->pub.handle, LEG_END_CALL_ENDED, now_us);
}

/* ------------------------------------------------------------------ wishes about a leg */

/* Where the same thing stands in the two types that speak of a leg. */
struct leg_edit_fields {
	unsigned importance;
	unsigned leg_profile;
	unsigned deactivated;
	unsigned dtmf;
	unsigned owner_id;
	unsigned bandwidth;
	unsigned name_label;
	unsigned layout;
	unsigned chosen_layout;
	unsigned hand;
};

static const struct leg_edit_fields fields_of_participant = {
	PARTICIPANT_IMPORTANCE, PARTICIPANT_LEG_PROFILE, PARTICIPANT_DEACTIVATED, PARTICIPANT_DTMF,
	PARTICIPANT_OWNER_ID, PARTICIPANT_BANDWIDTH, PARTICIPANT_NAME_LABEL, PARTICIPANT_LAYOUT,
	PARTICIPANT_CHOSEN_LAYOUT, PARTICIPANT_HAND,
};
static const struct leg_edit_fields fields_of_leg = {
	LEG_IMPORTANCE, LEG_PROFILE, LEG_DEACTIVATED, LEG_DTMF, LEG_OWNER_ID, LEG_BANDWIDTH,
	LEG_NAME_LABEL, LEG_LAYOUT, LEG_CHOSEN_LAYOUT, LEG_HAND,
};

void
leg_let_in(struct meeting *meeting, struct leg *leg, bool deactivated)
{
	if (deactivated) {
		lobby_send_back(meeting, leg);
		return;
	}
	leg->sent_back = false;
	leg->admitted = true;
	if (!leg->inside && leg->pub.lobby)
		leg_arrive(meeting, leg);
}

static void
edit_overrides(const struct meeting *meeting, struct leg *leg, const struct object_edit *edit)
{
	const unsigned own = object_describe(edit->type)->field_count;
	for (unsigned field = LEG_PROFILE_NAME + 1; field < LEG_PROFILE_FIELDS; field++) {
		const unsigned at = own + field - 1;
		if (!edit_has(edit, at))
			continue;
		struct value value = edit->values[at];
		if (field == LEG_PROFILE_LAYOUT_TEMPLATE)
			value.number = objects_find(meeting->objects, OBJECT_LAYOUT_TEMPLATE,
			                            &value.guid);
		leg_override(leg, (enum leg_profile_field)field, &value);
	}
}

/* After anything about its profile changed. */
void
leg_reconsider(struct meeting *meeting, struct leg *leg)
{
	leg_settings_refresh(meeting, leg);
	leg_watch_duration(meeting, leg);
	leg_media_refresh(meeting, leg);
	presenter_review(meeting, call_get(meeting, leg->pub.call));
}

void
leg_importance(struct meeting *meeting, struct leg *leg, uint32_t importance)
{
	participant_get(meeting, leg->pub.participant)->importance = importance;
	leg->pub.importance = importance;
	struct call *call = call_get(meeting, leg->pub.call);
	stage_importance(&call->stage, &leg->person, importance);
	call_pictures_changed(meeting, call);
	leg_work(meeting, leg, WORK_SETTINGS);
}

void
leg_choose_layout(struct meeting *meeting, struct leg *leg, unsigned layout)
{
	leg->chosen_layout = (uint8_t)(layout < LAYOUT_COUNT ? layout : LAYOUT_COUNT);
	leg_work(meeting, leg, WORK_SETTINGS);
	call_work(meeting, call_get(meeting, leg->pub.call), WORK_VIDEO);
}

/* What people see of it: label, layout, hand. */
static void
edit_looks(struct meeting *meeting, struct leg *leg, const struct leg_edit_fields *fields,
           const struct object_edit *edit)
{
	struct meeting_participant *who = participant_get(meeting, leg->pub.participant);
	const unsigned layouts[] = { fields->layout, fields->chosen_layout };
	for (unsigned i = 0; i < COUNT_OF(layouts); i++) {
		const struct value *value = &edit->values[layouts[i]];
		if (edit_has(edit, layouts[i]))
			leg_choose_layout(meeting, leg, value->set ? value->number : LAYOUT_COUNT);
	}
	if (edit_has(edit, fields->name_label))
		text_copy_clean(who->name_label, sizeof who->name_label,
		                edit->values[fields->name_label].text);
	if (edit_has(edit, fields->hand))
		hand_set(meeting, leg, edit->values[fields->hand].number != 0);
}

void
meeting_leg_edit(struct meeting *meeting, uint32_t handle, const struct object_edit *edit,
                 int64_t now_us)
{
	struct leg *leg = leg_get(meeting, handle);
	CHECK(edit->type == OBJECT_PARTICIPANT || edit->type == OBJECT_LEG);
	const struct leg_edit_fields *fields =
		edit->type == OBJECT_LEG ? &fields_of_leg : &fields_of_participant;
	meeting_now(meeting, now_us);
	if (leg == NULL || leg->pub.state == LEG_ENDING)
		return;
	struct meeting_participant *who = participant_get(meeting, leg->pub.participant);
	struct call *call = call_get(meeting, leg->pub.call);
	const uint32_t needed = leg->settings[LEG_PROFILE_NEEDS_ACTIVATION];

	if (edit_has(edit, fields->leg_profile))
		who->leg_profile = edit->values[fields->leg_profile].guid;
	edit_overrides(meeting, leg, edit);
	leg_reconsider(meeting, leg);
	if (edit_has(edit, fields->importance))
		leg_importance(meeting, leg, edit->values[fields->importance].number);
	edit_looks(meeting, leg, fields, edit);
	if (edit_has(edit, fields->owner_id))
		text_copy_clean(who->owner_id, sizeof who->owner_id,
		                edit->values[fields->owner_id].text);
	if (edit_has(edit, fields->bandwidth))
		leg->pub.bandwidth_bps = edit->values[fields->bandwidth].number;
	if (edit_has(edit, fields->dtmf)) {
		text_copy_clean(leg->pub.dtmf, sizeof leg->pub.dtmf,
		                edit->values[fields->dtmf].text);
		if (leg->pub.connected_us != 0 && leg->pub.dtmf[0] != '\0')
			leg_work(meeting, leg, WORK_DTMF);
	}
	if (edit_has(edit, fields->deactivated))
		leg_let_in(meeting, leg, edit->values[fields->deactivated].number != 0);
	call_work(meeting, call, WORK_ROSTER | WORK_VIDEO);
	/* Looking at everyone is for edits that can matter to everyone: all legs of a large call
	 * are often edited in one request. */
	if (edit_has(edit, fields->deactivated) ||
	    needed != leg->settings[LEG_PROFILE_NEEDS_ACTIVATION])
		lobby_review(meeting, call);
}

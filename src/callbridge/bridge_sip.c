/* SPDX-License-Identifier: Apache-2.0 */
/* SIP sessions of the bridge: calls in, calls out, re-offers, transfers, ends. */
#include <stdlib.h>

#include "callbridge/bridge_video.h"

enum {
	WHY_MAX = 448, /* of a call that is not taken: names a rule */
};

static struct bridge_leg *
leg_of_session(const struct bridge *bridge, const struct sip_event *event)
{
	struct bridge_leg *leg = bridge_leg_get(bridge, (uint32_t)event->user);
	return leg != NULL && leg->kind == LEG_SIP && leg->session.v == event->session.v ? leg
	                                                                                 : NULL;
}

static int
reject(struct bridge *bridge, sip_session_id session, uint16_t status, int64_t now_us)
{
	const struct str headers =
		status == 503 ? STR("Retry-After: 10\r\n") : (struct str){ 0 };
	return sip_session_reject(bridge->settings.ua, session, status, (struct str){ 0 }, headers,
	                          now_us);
}

/* A leg whose far end is being told; what SIP says last frees it. */
static void
end_session(struct bridge *bridge, struct bridge_leg *leg, enum leg_end reason, uint16_t cause,
            struct str text, int64_t now_us)
{
	leg->stage = STAGE_ENDING;
	leg->end = reason;
	timer_stop(&bridge->timers, &leg->timer);
	bridge_media_close(bridge, leg);
	if (sip_session_end(bridge->settings.ua, leg->session, cause, text, now_us) != 0)
		bridge_leg_over(bridge, leg, reason, false, now_us);
}

/* Their call is not taken; what SIP says last frees the leg. */
static void
refuse_call(struct bridge *bridge, struct bridge_leg *leg, enum leg_end reason, uint16_t status,
            int64_t now_us)
{
	leg->stage = STAGE_ENDING;
	leg->end = reason;
	bridge_media_close(bridge, leg);
	if (reject(bridge, leg->session, status, now_us) != 0)
		bridge_leg_over(bridge, leg, leg->end, false, now_us);
}

static enum leg_end
end_of_refusal(uint16_t status)
{
	return status == 503 ? LEG_END_TOO_MANY_CALLS : LEG_END_ERROR;
}

void
sip_drop(struct bridge *bridge, struct bridge_leg *leg, enum leg_end reason, int64_t now_us)
{
	if (leg->stage == STAGE_ENDING)
		return;
	/* Our own call whose INVITE is not out yet: there is nobody to tell. */
	if (leg->session.v == 0) {
		bridge_leg_over(bridge, leg, reason, false, now_us);
		return;
	}
	end_session(bridge, leg, reason, 0, (struct str){ 0 }, now_us);
}

/* ---- Calls in ------------------------------------------------------------------------------ */

static uint16_t
status_of_reject(enum sdp_reject reason)
{
	return reason == SDP_REJECT_NO_MEDIA || reason == SDP_REJECT_ENCRYPTION ||
	                       reason == SDP_REJECT_UNENCRYPTED
	               ? 488
	               : 400;
}

/* Where a caller goes. */
struct way_in {
	struct meeting_entry entry;
	bool ask;                       /* for a passcode, or for the meeting */
	uint32_t replaces;              /* the model's leg whose place it takes */
	struct bridge_forward *forward; /* it is called on; given to the leg */
	struct writer why;              /* it is not taken */
	char why_text[WHY_MAX];
};

/* Why a caller finds no space in a domain that is ours. */
static void
say_unknown(const struct bridge *bridge, const struct sip_event *event, struct writer *why)
{
	const struct objects *objects = meeting_objects(bridge->settings.meeting);
	const struct dial_inbound inbound = dial_inbound(objects, event->incoming.uri_host);
	writer_text(why, inbound.spaces ? "no space has this address" : "no spaces are called here");
	if (inbound.rule == 0)
		return;
	writer_text(why, ", ");
	dial_rule_name(why, objects, OBJECT_INBOUND_RULE, inbound.rule);
}

/* Finds where the caller wants to go; 0 when there, else the status to refuse with. */
static uint16_t
route(struct bridge *bridge, const struct sip_event *event, struct way_in *way)
{
	const struct meeting_knock knock = { .address = event->incoming.uri_user,
		                             .domain = event->incoming.uri_host };
	switch (meeting_route(bridge->settings.meeting, &knock, &way->entry)) {
	case ROUTE_OPEN:
		return 0;
	case ROUTE_PASSCODE:
	case ROUTE_WRONG_PASSCODE:
	case ROUTE_IVR:
		way->ask = true;
		return 0;
	case ROUTE_MEMBERS_ONLY:
		writer_text(&way->why, "the space is for its members");
		return 403;
	case ROUTE_ELSEWHERE:
		return forward_route(bridge, event, &way->forward, &way->why);
	case ROUTE_UNKNOWN:
		break;
	}
	say_unknown(bridge, event, &way->why);
	return 404;
}

/* The model's leg that a Replaces header names; 0: it is in no call (yet). */
static uint32_t
replaced_leg(const struct bridge *bridge, sip_session_id session)
{
	for (uint32_t at = 0, handle; (handle = slab_next(&bridge->legs, &at)) != 0;) {
		const struct bridge_leg *leg = bridge_leg_get(bridge, handle);
		if (leg->kind != LEG_SIP || leg->session.v != session.v)
			continue;
		const struct meeting_leg *model = meeting_leg_of(bridge, leg->meeting_leg);
		return model != NULL && model->state != LEG_ENDING ? leg->meeting_leg : 0;
	}
	return 0;
}

static void
note_caller(struct caller *caller, const struct sip_event *event)
{
	const struct sip_event_incoming *incoming = &event->incoming;
	struct writer w = writer_of(caller->dialled, sizeof caller->dialled - 1);
	writer_format(&w, "%.*s@%.*s", STR_ARGS(incoming->uri_user), STR_ARGS(incoming->uri_host));
	caller->dialled[w.at] = '\0';
	str_copy(caller->name, sizeof caller->name,
	         incoming->from_display.len != 0 ? incoming->from_display : incoming->from_user);
	str_copy(caller->party, sizeof caller->party, incoming->from_uri);
	str_copy(caller->call_id, sizeof caller->call_id, event->call_id);
	(void)addr_text(caller->source, &incoming->source);
}

/* Into the meeting of leg->entry, or into the place of the leg `replaces`, or to the door; 0, or the
 * status to refuse with. */
static uint16_t
join(struct bridge *bridge, struct bridge_leg *leg, const struct caller *caller, uint32_t replaces,
     int64_t now_us)
{
	struct meeting *meeting = bridge->settings.meeting;
	const struct meeting_join request = {
		.entry = leg->entry,
		.replaces = replaces,
		.adhoc_name = leg->forward != NULL ? str_of(caller->dialled) : (struct str){ 0 },
		.forwarding = leg->forward != NULL,
		.kind = LEG_SIP,
		.owner = leg->handle,
		.name = str_of(caller->name),
		.remote_party = str_of(caller->party),
		.local_address = str_of(caller->dialled),
		.remote_address = str_of(caller->source),
		.sip_call_id = str_of(caller->call_id),
	};
	switch (leg->ivr != NULL ? meeting_door(meeting, &request, now_us, &leg->meeting_leg)
	                         : meeting_join(meeting, &request, now_us, &leg->meeting_leg)) {
	case MEETING_ADMITTED:
		return 0;
	case MEETING_CALL_FULL:
	case MEETING_TENANT_FULL:
		return 486;
	case MEETING_BRIDGE_FULL:
	case MEETING_NO_LICENSE:
		return 503;
	case MEETING_GONE:
		break;
	}
	return 404;
}

/* In now, or later when what is asked was typed. */
static uint16_t
let_in_or_ask(struct bridge *bridge, struct bridge_leg *leg, const struct sip_event *event,
              const struct way_in *way, int64_t now_us)
{
	struct caller caller = { 0 };
	note_caller(&caller, event);
	if (way->ask && !ivr_open(bridge, leg, event->incoming.uri_user, event->incoming.uri_host))
		return 503;
	return join(bridge, leg, &caller, way->replaces, now_us);
}

/* Takes the offer, if there is one, before anything is promised. */
static uint16_t
take_offer(struct bridge *bridge, struct bridge_leg *leg, uint32_t replaces, struct str offer)
{
	if (description_begin(bridge, leg, replaces) != 0)
		return 503;
	leg->late_offer = offer.len == 0;
	if (leg->late_offer)
		return 0;
	const enum sdp_reject rejected = sdp_session_offer_take(leg->sdp, offer);
	if (rejected != SDP_OK)
		return status_of_reject(rejected);
	return sdp_session_line(leg->sdp, 0) != NULL ? 0 : 488;
}

/* Whoever asks "why could I not get in" is answered by the log. */
static void
log_refusal(struct bridge *bridge, const struct sip_event *event, uint16_t status,
            const struct writer *why)
{
	struct caller caller = { 0 };
	note_caller(&caller, event);
	bridge_log(bridge, "call from \"%s\" (%s) to \"%s\" refused with %u%s%.*s", caller.party,
	           caller.source, caller.dialled, (unsigned)status, why->at != 0 ? ": " : "",
	           (int)why->at, (const char *)why->bytes);
}

/* Into its meeting, or after whom it is called on to. */
static uint16_t
go_in(struct bridge *bridge, struct bridge_leg *leg, const struct sip_event *event,
      const struct way_in *way, int64_t now_us)
{
	uint16_t refused = take_offer(bridge, leg, way->replaces, event->body);
	if (refused == 0)
		refused = let_in_or_ask(bridge, leg, event, way, now_us);
	if (refused != 0)
		return refused;
	const struct meeting_leg *model = meeting_leg_of(bridge, leg->meeting_leg);
	if (!bridge_media_open(bridge, leg, leg->ivr == NULL ? model->call : 0) ||
	    (leg->forward != NULL && !forward_dial(bridge, leg, now_us)))
		return 503;
	return 0;
}

static void
incoming(struct bridge *bridge, const struct sip_event *event, int64_t now_us)
{
	struct way_in way = { .ask = false };
	uint16_t refused = 0;
	way.why = writer_of(way.why_text, sizeof way.why_text);
	if (event->incoming.replaces.v != 0)
		way.replaces = replaced_leg(bridge, event->incoming.replaces);
	if (way.replaces == 0)
		refused = route(bridge, event, &way);
	struct bridge_leg *leg = NULL;
	if (refused == 0)
		leg = bridge_leg_new(bridge, LEG_SIP, now_us);
	if (leg == NULL) {
		free(way.forward);
		refused = refused != 0 ? refused : 503;
		log_refusal(bridge, event, refused, &way.why);
		(void)reject(bridge, event->session, refused, now_us);
		return;
	}
	leg->session = event->session;
	leg->entry = way.entry;
	leg->forward = way.forward;
	leg->stage = STAGE_OPENING;
	leg->signalling = event->incoming.source;
	leg->local = bridge->settings.listeners[event->incoming.listener].addr;
	sip_session_set_user(bridge->settings.ua, event->session, leg->handle);
	refused = go_in(bridge, leg, event, &way, now_us);
	if (refused != 0) {
		/* Where it would have gone is not why it does not. */
		way.why.at = 0;
		log_refusal(bridge, event, refused, &way.why);
		refuse_call(bridge, leg, end_of_refusal(refused), refused, now_us);
	}
}

static void
answer_incoming(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	const struct str sdp = leg->late_offer ? description_offer(bridge, leg)
	                                       : description_answer(bridge, leg);
	if (sdp.len == 0 || (!leg->late_offer && !description_apply(bridge, leg, now_us))) {
		refuse_call(bridge, leg, LEG_END_ERROR, 488, now_us);
		return;
	}
	leg->stage = STAGE_ANSWERED;
	if (sip_session_accept(bridge->settings.ua, leg->session, sdp, now_us) != 0)
		end_session(bridge, leg, LEG_END_ERROR, 500, STR("Server Internal Error"), now_us);
}

void
sip_answer_waiting(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	CHECK(leg->forward != NULL && leg->stage == STAGE_OPENING);
	answer_incoming(bridge, leg, now_us);
}

/* The ACK: from now on the two sides are connected. */
static void
confirmed(struct bridge *bridge, struct bridge_leg *leg, const struct sip_event *event,
          int64_t now_us)
{
	if (leg->stage != STAGE_ANSWERED)
		return;
	leg->stage = leg->ivr != NULL ? STAGE_ASKING : STAGE_ACTIVE;
	if ((leg->late_offer && (event->body.len == 0 ||
	                         sdp_session_answer_take(leg->sdp, event->body) != SDP_OK)) ||
	    !description_apply(bridge, leg, now_us)) {
		end_session(bridge, leg, LEG_END_ERROR, 488, STR("Not Acceptable Here"), now_us);
		return;
	}
	if (leg->ivr != NULL) {
		ivr_begin(bridge, leg, now_us);
		return;
	}
	bridge_connected(bridge, leg, now_us);
}

/* ---- Calls out (what they are, and which way they go, is bridge_dial.c's) ------------------- */

/* Whom we called has not said a name: the part before the @ is the best there is. */
static struct str
party_name(struct str party)
{
	if (str_starts(party, STR("sip:")))
		party = str_sub(party, 4, party.len - 4);
	party.len = str_find(party, '@');
	return party;
}

/* Each fork answers the same offer: go back to it before taking another's answer. */
static bool
take_answer(struct bridge *bridge, struct bridge_leg *leg, const struct sip_event *event,
            int64_t now_us)
{
	*leg->sdp = *leg->sdp_offered;
	leg->fork = event->fork;
	return sdp_session_answer_take(leg->sdp, event->body) == SDP_OK &&
	       description_apply(bridge, leg, now_us);
}

static void
progress(struct bridge *bridge, struct bridge_leg *leg, const struct sip_event *event,
         int64_t now_us)
{
	meeting_leg_ringing(bridge->settings.meeting, leg->meeting_leg, now_us);
	dial_rang(bridge, leg, now_us);
	/* Its transport may be set up already. */
	if (event->body.len != 0 && leg->stage == STAGE_OFFERING)
		(void)take_answer(bridge, leg, event, now_us);
}

static void
answered(struct bridge *bridge, struct bridge_leg *leg, const struct sip_event *event,
         int64_t now_us)
{
	if (leg->stage != STAGE_OFFERING)
		return;
	leg->stage = STAGE_ACTIVE;
	const bool agreed = event->body.len != 0
	                            ? take_answer(bridge, leg, event, now_us)
	                            : leg->sdp->state == SDP_STABLE && leg->fork == event->fork &&
	                                      description_apply(bridge, leg, now_us);
	if (!agreed) {
		end_session(bridge, leg, LEG_END_ERROR, 488, STR("Not Acceptable Here"), now_us);
		return;
	}
	description_settled(bridge, leg);
	const struct meeting_leg *model = meeting_leg_of(bridge, leg->meeting_leg);
	meeting_leg_identity(bridge->settings.meeting, leg->meeting_leg,
	                     model->name[0] == '\0' ? party_name(str_of(model->remote_party))
	                                            : (struct str){ 0 },
	                     (struct str){ 0 }, event->call_id, now_us);
	bridge_connected(bridge, leg, now_us);
	dial_answered(bridge, leg, now_us);
}

/* ---- Within a call ------------------------------------------------------------------------- */

static void
refuse_offer(struct bridge *bridge, struct bridge_leg *leg, enum sdp_reject rejected,
             int64_t now_us)
{
	const uint16_t status = rejected == SDP_REJECT_STATE ? 491 : status_of_reject(rejected);
	(void)sip_session_refuse(bridge->settings.ua, leg->session, status, now_us);
}

/* The re-offer never was. */
static void
take_back(struct bridge_leg *leg)
{
	*leg->sdp = *leg->sdp_before;
	sdp_session_fini(leg->sdp_before);
	free(leg->sdp_before);
	leg->sdp_before = NULL;
}

/* Whatever ports it needed are there, or are not to be had. */
static void
answer_reoffer(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	const struct str answer = description_answer(bridge, leg);
	if (answer.len == 0) {
		take_back(leg);
		refuse_offer(bridge, leg, SDP_REJECT_NO_MEDIA, now_us);
		return;
	}
	sdp_session_fini(leg->sdp_before);
	free(leg->sdp_before);
	leg->sdp_before = NULL;
	(void)description_apply(bridge, leg, now_us);
	(void)sip_session_answer(bridge->settings.ua, leg->session, answer, now_us);
	ivr_moved(bridge, leg, now_us);
}

static void
reoffered(struct bridge *bridge, struct bridge_leg *leg, const struct sip_event *event,
          int64_t now_us)
{
	if (!leg->opened || leg->stage == STAGE_ENDING) {
		(void)sip_session_refuse(bridge->settings.ua, leg->session, 488, now_us);
		return;
	}
	if (leg->sdp->state != SDP_STABLE) {
		refuse_offer(bridge, leg, SDP_REJECT_STATE, now_us);
		return;
	}
	if (event->body.len == 0) {
		const struct str offer = description_offer(bridge, leg);
		if (offer.len != 0) {
			(void)sip_session_answer(bridge->settings.ua, leg->session, offer, now_us);
			return;
		}
		sdp_session_offer_drop(leg->sdp);
		(void)sip_session_refuse(bridge->settings.ua, leg->session, 500, now_us);
		return;
	}
	leg->sdp_before = malloc(sizeof *leg->sdp_before);
	if (leg->sdp_before == NULL) {
		(void)sip_session_refuse(bridge->settings.ua, leg->session, 500, now_us);
		return;
	}
	*leg->sdp_before = *leg->sdp;
	enum sdp_reject rejected = sdp_session_offer_take(leg->sdp, event->body);
	if (rejected == SDP_OK && sdp_session_line(leg->sdp, BRIDGE_MEDIUM_AUDIO) == NULL)
		rejected = SDP_REJECT_NO_MEDIA;
	if (rejected != SDP_OK) {
		take_back(leg);
		refuse_offer(bridge, leg, rejected, now_us);
		return;
	}
	bridge_media_add(bridge, leg);
	if (leg->opened)
		answer_reoffer(bridge, leg, now_us);
}

static void
reanswered(struct bridge *bridge, struct bridge_leg *leg, const struct sip_event *event,
           int64_t now_us)
{
	if (leg->sdp == NULL || leg->sdp->state != SDP_HAVE_LOCAL_OFFER)
		return;
	if (sdp_session_answer_take(leg->sdp, event->body) != SDP_OK ||
	    !description_apply(bridge, leg, now_us)) {
		sdp_session_offer_drop(leg->sdp);
		ivr_move_failed(bridge, leg, 488, now_us);
		return;
	}
	ivr_moved(bridge, leg, now_us);
}

static bool
is_key(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'D') || c == '*' || c == '#';
}

/* Key presses sent as INFO: "Signal=5" or the bare digit. */
static void
info(struct bridge *bridge, struct bridge_leg *leg, const struct sip_event *event, int64_t now_us)
{
	struct str digit = { 0 };
	uint16_t status = 415;
	if (str_eq_nocase(event->content_type, STR("application/dtmf"))) {
		digit = str_trim(event->body);
	} else if (str_eq_nocase(event->content_type, STR("application/dtmf-relay"))) {
		struct str rest = event->body;
		while (rest.len != 0 && digit.len == 0) {
			const struct str line = str_trim(str_cut(&rest, '\n'));
			if (str_starts(line, STR("Signal")) && str_find(line, '=') < line.len)
				digit = str_trim(str_sub(line, str_find(line, '=') + 1,
				                         line.len - str_find(line, '=') - 1));
		}
	} else if (str_eq_nocase(event->content_type, STR("application/media_control+xml"))) {
		/* RFC 5168; other wishes than whole pictures are unknown there too. */
		if (video_info(bridge, leg, event->body))
			status = 200;
	} else if (event->body.len == 0) {
		status = 200; /* RFC 6086 s4.2.2: a keep-alive of older phones */
	}
	if (digit.len == 1 && is_key(digit.at[0])) {
		status = 200;
		bridge_digit(bridge, leg, digit.at[0], now_us);
	}
	(void)sip_request_answer(bridge->settings.ua, event->request, status, now_us);
}

/* A transfer out of the meeting is the phone's own business; we tell it that we do not call others
 * on a caller's word. */
static void
refer(struct bridge *bridge, const struct sip_event *event, int64_t now_us)
{
	(void)sip_request_answer(bridge->settings.ua, event->request, 603, now_us);
}

/* ---- The end ------------------------------------------------------------------------------- */

static enum leg_end
end_of_status(uint16_t status)
{
	switch (status) {
	case 404:
	case 410:
	case 484:
	case 604:
		return LEG_END_UNKNOWN_DESTINATION;
	case 486:
	case 600:
		return LEG_END_REMOTE_BUSY;
	case 408:
	case 480:
	case 487:
		return LEG_END_RINGING_TIMEOUT;
	default:
		return LEG_END_REMOTE_REJECTED;
	}
}

static enum leg_end
end_of(const struct bridge_leg *leg, const struct sip_event *event)
{
	switch (event->cause) {
	case SIP_END_LOCAL:
		return leg->stage == STAGE_ENDING ? leg->end : LEG_END_LOCAL_TEARDOWN;
	case SIP_END_REMOTE:
	case SIP_END_CANCELLED:
		return LEG_END_REMOTE_TEARDOWN;
	case SIP_END_REFUSED:
		return end_of_status(event->status);
	case SIP_END_TIMEOUT:
		return event->was_connected ? LEG_END_TIMEOUT : LEG_END_RINGING_TIMEOUT;
	case SIP_END_TRANSPORT:
		return LEG_END_DNS_FAILURE;
	case SIP_END_REPLACED:
		return LEG_END_CALL_MOVED;
	case SIP_END_PROTOCOL:
		break;
	}
	return LEG_END_ERROR;
}

/* As administrators of CMS know it: "call 44: ending; local SIP teardown with reason 7 (transaction
 * timeout - no provisional responses sending INVITE) - not connected after 0:52". */
static void
log_end(struct bridge *bridge, const struct bridge_leg *leg, const struct sip_event *event,
        bool remote, int64_t now_us)
{
	const struct meeting_leg *model = meeting_leg_of(bridge, leg->meeting_leg);
	if (model == NULL)
		return;
	const bool connected = model->connected_us != 0;
	const int64_t since_us = connected ? model->connected_us : model->created_us;
	const int64_t seconds = (now_us - since_us) / 1000000;
	const char *timeout = event->cause == SIP_END_TIMEOUT ? " with reason 7" : "";
	bridge_log(bridge, "call %u: ending; %s SIP teardown%s%s%.*s%s - %s %lld:%02lld",
	           model->number, remote ? "remote" : "local", timeout,
	           event->reason.len != 0 ? " (" : "", STR_ARGS(event->reason),
	           event->reason.len != 0 ? ")" : "",
	           connected ? "connected for" : "not connected after", (long long)(seconds / 60),
	           (long long)(seconds % 60));
}

void
sip_refuse_waiting(struct bridge *bridge, struct bridge_leg *leg, uint16_t status,
                   int64_t now_us)
{
	refuse_call(bridge, leg, end_of_status(status), status, now_us);
}

static void
ended(struct bridge *bridge, struct bridge_leg *leg, const struct sip_event *event, int64_t now_us)
{
	if (leg->outgoing && dial_failed(bridge, leg, event, now_us))
		return;
	const bool remote = event->cause == SIP_END_REMOTE || event->cause == SIP_END_CANCELLED ||
	                    event->cause == SIP_END_REFUSED;
	log_end(bridge, leg, event, remote, now_us);
	bridge_leg_over(bridge, leg, end_of(leg, event), remote, now_us);
}

void
sip_event(struct bridge *bridge, const struct sip_event *event, int64_t now_us)
{
	if (event->kind == SIP_EVENT_INCOMING) {
		incoming(bridge, event, now_us);
		return;
	}
	struct bridge_leg *leg = leg_of_session(bridge, event);
	if (leg == NULL)
		return;
	check_context("bridge leg", leg->handle);
	switch (event->kind) {
	case SIP_EVENT_PROGRESS:
		progress(bridge, leg, event, now_us);
		break;
	case SIP_EVENT_ANSWERED:
		answered(bridge, leg, event, now_us);
		break;
	case SIP_EVENT_CONFIRMED:
		confirmed(bridge, leg, event, now_us);
		break;
	case SIP_EVENT_OFFER:
		reoffered(bridge, leg, event, now_us);
		break;
	case SIP_EVENT_ANSWER:
		reanswered(bridge, leg, event, now_us);
		break;
	case SIP_EVENT_OFFER_FAILED:
		if (leg->sdp != NULL && leg->sdp->state == SDP_HAVE_LOCAL_OFFER)
			sdp_session_offer_drop(leg->sdp);
		ivr_move_failed(bridge, leg, event->status, now_us);
		break;
	case SIP_EVENT_INFO:
		info(bridge, leg, event, now_us);
		break;
	case SIP_EVENT_REFER:
		refer(bridge, event, now_us);
		break;
	case SIP_EVENT_ENDED:
		ended(bridge, leg, event, now_us);
		break;
	case SIP_EVENT_REFRESHED:
	case SIP_EVENT_INCOMING:
		break;
	}
}

void
sip_media_opened(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	if (leg->sdp_before != NULL && leg->stage != STAGE_ENDING) {
		answer_reoffer(bridge, leg, now_us);
		return;
	}
	if (leg->stage == STAGE_MOVING)
		ivr_move_offer(bridge, leg, now_us);
	if (leg->stage != STAGE_OPENING)
		return;
	if (leg->outgoing)
		dial_invite(bridge, leg, now_us);
	else if (leg->forward == NULL || leg->forward->answered)
		answer_incoming(bridge, leg, now_us);
}

void
sip_media_refused(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	if (leg->stage == STAGE_MOVING) {
		sip_drop(bridge, leg, LEG_END_TOO_MANY_CALLS, now_us);
		return;
	}
	if (leg->outgoing) {
		dial_give_up(bridge, leg, LEG_END_TOO_MANY_CALLS, 503, now_us);
		return;
	}
	refuse_call(bridge, leg, LEG_END_TOO_MANY_CALLS, 503, now_us);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Calls out as the dial plan has them: what is dialled, the rules and their ways one after another
 * until somebody is reached; and callers who are called on (gateway calls). */
#include <stdlib.h>

#include "callbridge/bridge_internal.h"

enum {
	URI_MAX = 300,
	NAME_MAX = 384, /* of a rule in the log */
	PARAMS_MAX = 512,
};

static struct objects *
objects_of(const struct bridge *bridge)
{
	return meeting_objects(bridge->settings.meeting);
}

struct rule_text {
	char text[NAME_MAX];
};

static struct rule_text
rule_text(const struct bridge *bridge, enum object_type type, uint32_t rule)
{
	struct rule_text out;
	struct writer w = writer_of(out.text, sizeof out.text - 1);
	dial_rule_name(&w, objects_of(bridge), type, rule);
	out.text[w.at] = '\0';
	return out;
}

/* ---- Whom a forwarded call is for ---------------------------------------------------------- */

/* The caller who waits for this call of ours; NULL: there is none. */
static struct bridge_leg *
waiting_caller(const struct bridge *bridge, const struct bridge_leg *leg)
{
	const struct meeting *meeting = bridge->settings.meeting;
	const struct meeting_leg *model = meeting_leg_of(bridge, leg->meeting_leg);
	if (model == NULL || !meeting_call(meeting, model->call)->forwarding)
		return NULL;
	uint32_t at = 0;
	while ((at = meeting_call_leg_next(meeting, model->call, at)) != 0) {
		struct bridge_leg *other = bridge_leg_of_meeting(bridge, at);
		if (other != NULL && other->forward != NULL && other != leg)
			return other;
	}
	return NULL;
}

static void
tell_caller(struct bridge *bridge, const struct bridge_leg *leg, uint16_t status, int64_t now_us)
{
	struct bridge_leg *caller = waiting_caller(bridge, leg);
	if (caller != NULL && caller->stage == STAGE_OPENING && !caller->forward->answered)
		sip_refuse_waiting(bridge, caller, status, now_us);
}

void
dial_give_up(struct bridge *bridge, struct bridge_leg *leg, enum leg_end reason, uint16_t status,
             int64_t now_us)
{
	tell_caller(bridge, leg, status, now_us);
	bridge_leg_over(bridge, leg, reason, false, now_us);
}

/* ---- What is dialled, and by which rule ---------------------------------------------------- */

/* False: a transform refuses it. */
static bool
transform(struct bridge *bridge, const struct bridge_leg *leg, const struct meeting_leg *model)
{
	struct dial_outcome outcome;
	dial_transform(objects_of(bridge), str_of(model->remote_party), &outcome);
	if (outcome.transform == 0)
		return true;
	const struct rule_text rule =
		rule_text(bridge, OBJECT_DIAL_TRANSFORM, outcome.transform);
	if (outcome.denied) {
		bridge_log(bridge, "call %u: \"%s\" is not dialled: %s denies it", model->number,
		           model->remote_party, rule.text);
		return false;
	}
	bridge_log(bridge, "call %u: \"%s\" becomes \"%s\" by %s", model->number,
	           model->remote_party, outcome.party, rule.text);
	meeting_leg_dialled(bridge->settings.meeting, leg->meeting_leg, str_of(outcome.party),
	                    outcome.phone);
	return true;
}

/* Whose call it is. */
static struct guid
tenant_of(const struct bridge *bridge, const struct bridge_leg *leg,
          const struct meeting_leg *model)
{
	const struct bridge_leg *caller = waiting_caller(bridge, leg);
	if (caller != NULL)
		return caller->forward->tenant;
	return objects_space_tenant(objects_of(bridge),
	                            meeting_call(bridge->settings.meeting, model->call)->space);
}

static bool
next_rule(const struct bridge *bridge, const struct bridge_leg *leg)
{
	struct bridge_dialing *dialing = leg->dialing;
	const struct meeting_leg *model = meeting_leg_of(bridge, leg->meeting_leg);
	struct dial_route route;
	if (model == NULL)
		return false;
	const struct guid tenant = tenant_of(bridge, leg, model);
	if (!dial_route_next(objects_of(bridge), str_of(model->remote_party), &tenant,
	                     &dialing->cursor, &route))
		return false;
	dialing->rule = route.rule;
	dialing->stop = route.stop;
	dialing->rang = false;
	dialing->way_at = 0;
	dialing->way_count = route.way_count;
	memcpy(dialing->ways, route.ways, sizeof dialing->ways);
	return str_copy(dialing->contact_domain, sizeof dialing->contact_domain,
	                route.contact_domain) &&
	       str_copy(dialing->from_domain, sizeof dialing->from_domain, route.from_domain) &&
	       str_copy(dialing->proxy, sizeof dialing->proxy, route.proxy);
}

/* False: the dial plan has no way there, which is said. */
static bool
plan(struct bridge *bridge, struct bridge_leg *leg, const struct meeting_leg *model)
{
	const struct meeting_call *call = meeting_call(bridge->settings.meeting, model->call);
	if (!call->forwarding && !transform(bridge, leg, model))
		return false;
	if (next_rule(bridge, leg))
		return true;
	bridge_log(bridge, "call %u: no outbound dial plan rule for \"%s\"", model->number,
	           model->remote_party);
	return false;
}

/* The address our SDP names: the one nearest to an IP literal that is called. */
static struct net_addr
local_for(const struct bridge *bridge, struct str party)
{
	struct net_addr peer = { 0 };
	if (!addr_parse_ip(&peer, dial_address_of(party).host))
		peer = bridge->settings.listeners[0].addr;
	return *sip_ua_local_address(bridge->settings.ua, &peer);
}

void
sip_dial(struct bridge *bridge, uint32_t meeting_leg, int64_t now_us)
{
	const struct meeting_leg *model = meeting_leg_of(bridge, meeting_leg);
	if (model == NULL)
		return;
	struct bridge_leg *leg = bridge_leg_new(bridge, LEG_SIP, now_us);
	if (leg == NULL) {
		meeting_leg_ended(bridge->settings.meeting, meeting_leg, LEG_END_TOO_MANY_CALLS,
		                  false, now_us);
		return;
	}
	leg->outgoing = true;
	leg->meeting_leg = meeting_leg;
	leg->stage = STAGE_OPENING;
	meeting_leg_owner(bridge->settings.meeting, meeting_leg, leg->handle);
	leg->dialing = calloc(1, sizeof *leg->dialing);
	if (leg->dialing == NULL) {
		dial_give_up(bridge, leg, LEG_END_TOO_MANY_CALLS, 503, now_us);
		return;
	}
	if (!plan(bridge, leg, model)) {
		dial_give_up(bridge, leg, LEG_END_UNKNOWN_DESTINATION, 404, now_us);
		return;
	}
	leg->local = local_for(bridge, str_of(leg->dialing->proxy[0] != '\0'
	                                              ? leg->dialing->proxy
	                                              : model->remote_party));
	if (description_begin(bridge, leg, 0) != 0 ||
	    !bridge_media_open(bridge, leg, model->call))
		dial_give_up(bridge, leg, LEG_END_TOO_MANY_CALLS, 503, now_us);
}

/* ---- The INVITE ---------------------------------------------------------------------------- */

/* "user@host", "host" and URIs alike become a URI. */
static struct str
uri_of_party(struct writer *w, struct str party)
{
	const bool has_scheme = str_starts(party, STR("sip:")) || str_starts(party, STR("sips:"));
	if (!has_scheme)
		writer_text(w, "sip:");
	writer_str(w, party);
	return writer_view(w);
}

static unsigned
transports_of(enum dial_way way)
{
	switch (way) {
	case DIAL_BY_DNS:
		break;
	case DIAL_TLS:
		return SIP_TRANSPORT_BIT(SIP_TRANSPORT_TLS);
	case DIAL_PLAIN:
		return SIP_TRANSPORT_BIT(SIP_TRANSPORT_TCP) | SIP_TRANSPORT_BIT(SIP_TRANSPORT_UDP);
	case DIAL_TCP:
		return SIP_TRANSPORT_BIT(SIP_TRANSPORT_TCP);
	case DIAL_UDP:
		return SIP_TRANSPORT_BIT(SIP_TRANSPORT_UDP);
	}
	return 0;
}

/* Once more, it is the offer that nobody has answered. */
static struct str
write_offer(struct bridge *bridge, struct bridge_leg *leg)
{
	if (leg->sdp_offered != NULL) {
		*leg->sdp = *leg->sdp_offered;
		sdp_session_offer_drop(leg->sdp);
	} else {
		leg->sdp_offered = malloc(sizeof *leg->sdp_offered);
		if (leg->sdp_offered == NULL)
			return (struct str){ 0 };
	}
	const struct str sdp = description_offer(bridge, leg);
	*leg->sdp_offered = *leg->sdp;
	return sdp;
}

/* Who calls: the space, or who is called on. */
struct caller_id {
	struct str user;
	struct str display;
	uint16_t hops; /* left for it; 0: as always */
	struct writer uri;
	char uri_text[URI_MAX];
};

static void
write_caller_id(const struct bridge *bridge, const struct bridge_leg *leg,
                const struct meeting_call *call, struct caller_id *out)
{
	const struct bridge_leg *caller = waiting_caller(bridge, leg);
	const struct str domain = leg->dialing->from_domain[0] != '\0'
	                                  ? str_of(leg->dialing->from_domain)
	                                  : str_of(bridge->sip_domain);
	out->uri = writer_of(out->uri_text, sizeof out->uri_text);
	out->user = (struct str){ 0 };
	out->display = str_of(call->name);
	out->hops = 0;
	if (caller != NULL) {
		const struct meeting_leg *model = meeting_leg_of(bridge, caller->meeting_leg);
		out->user = str_of(caller->forward->from_user);
		out->display = model != NULL ? str_of(model->name) : (struct str){ 0 };
		out->hops = (uint16_t)(caller->forward->hops - 1);
	} else if (call->space != 0) {
		out->user = objects_text(objects_of(bridge), OBJECT_SPACE, call->space, SPACE_URI);
	}
	if (out->user.len == 0)
		out->user = STR("convoke");
	if (caller != NULL && caller->forward->preserve) {
		writer_text(&out->uri, caller->forward->from_uri);
		return;
	}
	writer_text(&out->uri, "sip:");
	sip_uri_escape_user(&out->uri, out->user);
	writer_u8(&out->uri, '@');
	writer_str(&out->uri, domain);
}

static void
log_call(struct bridge *bridge, const struct bridge_leg *leg, const struct meeting_leg *model,
         const struct meeting_call *call)
{
	const struct bridge_leg *caller = waiting_caller(bridge, leg);
	if (caller != NULL)
		bridge_log(bridge, "call %u: outgoing SIP call to \"%s\" for call %u",
		           model->number, model->remote_party, bridge_leg_number(bridge, caller));
	else
		bridge_log(bridge, "call %u: outgoing SIP call to \"%s\" from space \"%s\"",
		           model->number, model->remote_party, call->name);
}

void
dial_invite(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	char target[URI_MAX];
	char next_hop[URI_MAX];
	const struct bridge_dialing *dialing = leg->dialing;
	const struct meeting_leg *model = meeting_leg_of(bridge, leg->meeting_leg);
	const struct meeting_call *call = meeting_call(bridge->settings.meeting, model->call);
	struct caller_id from;
	struct writer target_w = writer_of(target, sizeof target);
	struct writer next_w = writer_of(next_hop, sizeof next_hop);
	if (leg->stage == STAGE_OPENING)
		log_call(bridge, leg, model, call);
	leg->stage = STAGE_OFFERING;
	write_caller_id(bridge, leg, call, &from);
	const struct str sdp = write_offer(bridge, leg);
	const struct sip_call request = {
		.target = uri_of_party(&target_w, str_of(model->remote_party)),
		.from_uri = writer_view(&from.uri),
		.from_display = from.display,
		.contact_user = from.user,
		.contact_host = str_of(dialing->contact_domain),
		.next_hop = dialing->proxy[0] != '\0'
		                    ? uri_of_party(&next_w, str_of(dialing->proxy))
		                    : (struct str){ 0 },
		.transports = transports_of(dialing->ways[dialing->way_at]),
		.max_forwards = from.hops,
		.sdp = sdp,
		.user = leg->handle,
	};
	if (target_w.failed || next_w.failed || from.uri.failed || sdp.len == 0 ||
	    sip_ua_call(bridge->settings.ua, &leg->session, &request, now_us) != 0)
		dial_give_up(bridge, leg, LEG_END_ERROR, 500, now_us);
}

/* ---- What becomes of it -------------------------------------------------------------------- */

void
dial_rang(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	struct bridge_leg *caller = waiting_caller(bridge, leg);
	if (leg->dialing != NULL)
		leg->dialing->rang = true;
	if (caller != NULL && caller->stage == STAGE_OPENING)
		(void)sip_session_progress(bridge->settings.ua, caller->session, 180,
		                           (struct str){ 0 }, now_us);
}

void
dial_answered(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	struct bridge_leg *caller = waiting_caller(bridge, leg);
	free(leg->dialing);
	leg->dialing = NULL;
	if (caller == NULL || caller->stage != STAGE_OPENING)
		return;
	caller->forward->answered = true;
	if (caller->opened)
		sip_answer_waiting(bridge, caller, now_us);
}

/* Nobody was reached, but there may be another way there by the same rule. */
static bool
next_way(struct bridge *bridge, const struct bridge_leg *leg, const struct sip_event *event)
{
	struct bridge_dialing *dialing = leg->dialing;
	if (event->cause != SIP_END_TRANSPORT || dialing->way_at + 1 >= dialing->way_count)
		return false;
	if (dialing->ways[dialing->way_at++] == DIAL_TLS)
		bridge_log(bridge, "call %u: falling back to unencrypted control connection...",
		           bridge_leg_number(bridge, leg));
	return true;
}

/* Whoever was reached and does not want, or does not answer, is not called by other means. */
static bool
is_final(const struct bridge_dialing *dialing, const struct sip_event *event)
{
	const uint16_t status = event->status;
	if (event->cause == SIP_END_REFUSED)
		return status == 486 || status >= 600 || (dialing->rang && status < 500);
	return event->cause == SIP_END_TIMEOUT ? dialing->rang
	                                       : event->cause != SIP_END_TRANSPORT;
}

static bool
rule_after(struct bridge *bridge, const struct bridge_leg *leg, const struct sip_event *event)
{
	const struct bridge_dialing *dialing = leg->dialing;
	const uint32_t failed = dialing->rule;
	if (dialing->stop || is_final(dialing, event) || !next_rule(bridge, leg))
		return false;
	bridge_log(bridge, "call %u: %s: %.*s; trying %s", bridge_leg_number(bridge, leg),
	           rule_text(bridge, OBJECT_OUTBOUND_RULE, failed).text,
	           STR_ARGS(event->reason),
	           rule_text(bridge, OBJECT_OUTBOUND_RULE, dialing->rule).text);
	return true;
}

static uint16_t
status_for_caller(const struct sip_event *event)
{
	switch (event->cause) {
	case SIP_END_REFUSED:
		/* RFC 3261 s16.7: a 503 speaks of the server it came from. */
		return event->status < 400 || event->status == 401 || event->status == 407 ||
		                       event->status == 503
		               ? 500
		               : event->status;
	case SIP_END_TIMEOUT:
		return 504;
	case SIP_END_TRANSPORT:
		return 502;
	case SIP_END_LOCAL:
	case SIP_END_REMOTE:
	case SIP_END_CANCELLED:
	case SIP_END_REPLACED:
	case SIP_END_PROTOCOL:
		break;
	}
	return 480;
}

bool
dial_failed(struct bridge *bridge, struct bridge_leg *leg, const struct sip_event *event,
            int64_t now_us)
{
	if (leg->dialing != NULL && leg->stage == STAGE_OFFERING && !event->was_connected &&
	    !bridge->shutting_down &&
	    (next_way(bridge, leg, event) || rule_after(bridge, leg, event))) {
		dial_invite(bridge, leg, now_us);
		return true;
	}
	tell_caller(bridge, leg, status_for_caller(event), now_us);
	return false;
}

/* ---- Callers who are called on ------------------------------------------------------------- */

/* What the forwarding rules say; false: they have nothing for it, and why is written. */
static bool
ask_rules(const struct bridge *bridge, const struct sip_event_incoming *in,
          struct dial_forward *forward, uint16_t *status, struct writer *why)
{
	char user[DIAL_PARTY_MAX];
	char params[PARAMS_MAX];
	struct writer user_w = writer_of(user, sizeof user);
	struct writer params_w = writer_of(params, sizeof params);
	sip_uri_escape_user(&user_w, in->uri_user);
	writer_u8(&params_w, ';');
	writer_str(&params_w, in->uri_params);
	dial_forward(objects_of(bridge), writer_view(&user_w), in->uri_host,
	             writer_view(&params_w), forward);
	if (forward->rule == 0) {
		writer_text(why, "no space, and no forwarding dial plan rule for its domain");
		*status = 404;
		return false;
	}
	dial_rule_name(why, objects_of(bridge), OBJECT_FORWARDING_RULE, forward->rule);
	if (forward->reject) {
		writer_text(why, " rejects it");
		*status = 403;
	} else if (forward->party[0] == '\0' || user_w.failed || params_w.failed) {
		writer_text(why, " makes too long an address of it");
		*status = 414;
	} else if (in->max_forwards <= 1) {
		writer_text(why, ", but it was called on too often");
		*status = 483;
	} else {
		return true;
	}
	return false;
}

uint16_t
forward_route(struct bridge *bridge, const struct sip_event *event, struct bridge_forward **out,
              struct writer *why)
{
	const struct sip_event_incoming *in = &event->incoming;
	struct dial_forward forward;
	uint16_t status = 503;
	if (!ask_rules(bridge, in, &forward, &status, why))
		return status;
	struct bridge_forward *made = calloc(1, sizeof *made);
	if (made == NULL)
		return 503;
	made->preserve = forward.preserve;
	made->tenant = dial_rule_tenant(objects_of(bridge), OBJECT_FORWARDING_RULE, forward.rule);
	made->hops = in->max_forwards;
	str_copy(made->party, sizeof made->party, str_of(forward.party));
	str_copy(made->from_user, sizeof made->from_user, in->from_user);
	/* What does not fit cannot be kept as it is. */
	if (!str_copy(made->from_uri, sizeof made->from_uri, in->from_uri))
		made->preserve = false;
	*out = made;
	return 0;
}

bool
forward_dial(struct bridge *bridge, const struct bridge_leg *leg, int64_t now_us)
{
	const struct meeting_leg *model = meeting_leg_of(bridge, leg->meeting_leg);
	const struct meeting_dial dial = { .call = model->call,
		                           .remote_party = str_of(leg->forward->party) };
	uint32_t other = 0;
	bridge_log(bridge, "call %u: forwarding call to \"%s\"", model->number,
	           leg->forward->party);
	return meeting_dial(bridge->settings.meeting, &dial, now_us, &other) == MEETING_ADMITTED;
}

bool
forward_digit(struct bridge *bridge, const struct bridge_leg *leg, char digit)
{
	const struct meeting *meeting = bridge->settings.meeting;
	const struct meeting_leg *model = meeting_leg_of(bridge, leg->meeting_leg);
	if (model == NULL || !meeting_call(meeting, model->call)->forwarding)
		return false;
	uint32_t at = 0;
	while ((at = meeting_call_leg_next(meeting, model->call, at)) != 0) {
		const struct bridge_leg *other = bridge_leg_of_meeting(bridge, at);
		if (other != NULL && other != leg && other->stage == STAGE_ACTIVE)
			bridge_send_dtmf(bridge, other, (struct str){ &digit, 1 });
	}
	return true;
}

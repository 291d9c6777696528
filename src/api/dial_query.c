/* SPDX-License-Identifier: Apache-2.0 */
/* dialPlanQuery: what the dial plan makes of an address, rule by rule, without calling anybody. */
#include "api/api_internal.h"
#include "meeting/dial_plan.h"

enum { ROUTES_MAX = 64 }; /* told of one address */

static void
write_value(struct work *work, unsigned field, const struct value *value)
{
	document_value(&work->doc, object_field(OBJECT_DIAL_QUERY, field), value);
}

static void
write_text(struct work *work, unsigned field, struct str text)
{
	write_value(work, field, &(struct value){ .set = true, .text = text });
}

/* Nothing for 0: there is none. */
static void
write_object(struct work *work, unsigned field, uint32_t handle)
{
	const enum object_type type = object_field(OBJECT_DIAL_QUERY, field)->ref;
	if (handle != 0)
		write_value(work, field,
		            &(struct value){ .set = true,
		                             .guid = objects_id(work->objects, type, handle) });
}

static void
write_outcome(struct work *work, enum dial_query_outcome outcome)
{
	write_value(work, DIAL_QUERY_OUTCOME, &(struct value){ .set = true, .number = outcome });
}

static void
refuse(struct work *work, const char *reason)
{
	write_outcome(work, DIAL_QUERY_REFUSED);
	write_text(work, DIAL_QUERY_REASON, str_of(reason));
}

static void
write_rule(struct work *work, uint32_t rule)
{
	static const enum outbound_rule_field told[] = {
		OUTBOUND_DOMAIN, OUTBOUND_PRIORITY, OUTBOUND_PROXY, OUTBOUND_ENCRYPTION,
		OUTBOUND_FAILURE,
	};
	const enum object_type type = OBJECT_OUTBOUND_RULE;
	const struct guid id = objects_id(work->objects, type, rule);
	document_item_open(&work->doc, STR("outboundDialPlanRule"));
	document_id(&work->doc, &id);
	for (unsigned i = 0; i < COUNT_OF(told); i++) {
		const struct value value = {
			.set = true,
			.number = objects_number(work->objects, type, rule, told[i]),
			.text = objects_text(work->objects, type, rule, told[i]),
		};
		document_value(&work->doc, object_field(type, told[i]), &value);
	}
	document_item_close(&work->doc);
}

/* The rules a call is tried by, one after another. */
static void
write_routes(struct work *work, struct str party, const struct guid *tenant)
{
	struct dial_cursor cursor = { 0 };
	struct dial_route route = { .stop = false };
	document_array_open(&work->doc, STR("outboundDialPlanRule"));
	for (unsigned count = 0; count < ROUTES_MAX && !route.stop; count++) {
		/* Rule 0: there are none, and DNS says where it goes. */
		if (!dial_route_next(work->objects, party, tenant, &cursor, &route) ||
		    route.rule == 0)
			break;
		write_rule(work, route.rule);
	}
	document_array_close(&work->doc);
}

static bool
can_be_called(const struct work *work, struct str party, const struct guid *tenant)
{
	struct dial_cursor cursor = { 0 };
	struct dial_route route;
	return dial_route_next(work->objects, party, tenant, &cursor, &route);
}

static void
write_call(struct work *work, enum dial_query_outcome outcome, struct str party,
           const struct guid *tenant)
{
	if (!can_be_called(work, party, tenant)) {
		refuse(work, "no outbound dial plan rule is for it");
		write_text(work, DIAL_QUERY_DIALLED, party);
		return;
	}
	write_outcome(work, outcome);
	write_text(work, DIAL_QUERY_DIALLED, party);
	write_routes(work, party, tenant);
}

/* ------------------------------------------------------------------ from here */

static void
answer_outgoing(struct work *work, struct str address, const struct guid *tenant)
{
	struct dial_outcome outcome;
	dial_transform(work->objects, address, &outcome);
	write_object(work, DIAL_QUERY_TRANSFORM, outcome.transform);
	if (outcome.denied)
		refuse(work, "the transform denies it, or makes what cannot be dialled");
	else
		write_call(work, DIAL_QUERY_CALLED, str_of(outcome.party), tenant);
}

/* ------------------------------------------------------------------ from outside */

static void
answer_forwarding(struct work *work, const struct dial_address *dialled)
{
	struct dial_forward forward;
	dial_forward(work->objects, dialled->user, dialled->host, dialled->params, &forward);
	write_object(work, DIAL_QUERY_FORWARDING, forward.rule);
	if (forward.rule == 0) {
		refuse(work, "no space has it, and no forwarding dial plan rule is for its domain");
	} else if (forward.reject) {
		refuse(work, "the forwarding dial plan rule rejects it");
	} else if (forward.party[0] == '\0') {
		refuse(work, "the forwarding dial plan rule makes too long an address of it");
	} else {
		const struct guid tenant =
			dial_rule_tenant(work->objects, OBJECT_FORWARDING_RULE, forward.rule);
		write_call(work, DIAL_QUERY_FORWARDED, str_of(forward.party), &tenant);
	}
}

static void
write_space(struct work *work, const struct meeting_entry *entry)
{
	write_outcome(work, DIAL_QUERY_TO_SPACE);
	write_object(work, DIAL_QUERY_SPACE, entry->space);
	write_object(work, DIAL_QUERY_METHOD, entry->method);
}

static void
answer_incoming(struct work *work, struct str address)
{
	const struct dial_address dialled = dial_address_of(address);
	const struct dial_inbound inbound = dial_inbound(work->objects, dialled.host);
	const struct meeting_knock knock = {
		.address = dialled.has_user ? dialled.user : dialled.host,
		.domain = dialled.has_user ? dialled.host : (struct str){ 0 },
	};
	struct meeting_entry entry = { 0 };
	const enum meeting_route route = meeting_route(work->meeting, &knock, &entry);
	write_object(work, DIAL_QUERY_INBOUND, inbound.rule);
	if (route == ROUTE_OPEN || route == ROUTE_PASSCODE) {
		write_space(work, &entry);
	} else if (route == ROUTE_IVR) {
		write_outcome(work, DIAL_QUERY_TO_IVR);
		write_object(work, DIAL_QUERY_IVR, entry.ivr);
	} else if (route == ROUTE_MEMBERS_ONLY) {
		refuse(work, "the space is for its members");
		write_object(work, DIAL_QUERY_SPACE, entry.space);
	} else if (route == ROUTE_ELSEWHERE) {
		answer_forwarding(work, &dialled);
	} else {
		refuse(work, inbound.spaces ? "no space has this address"
		                            : "no spaces are called in this domain");
	}
}

void
answer_dial_query(struct work *work, const struct object_edit *asked)
{
	const struct str address = asked->values[DIAL_QUERY_ADDRESS].text;
	const struct value *direction = &asked->values[DIAL_QUERY_DIRECTION];
	document_open(&work->doc, STR("dialPlanQuery"));
	write_text(work, DIAL_QUERY_ADDRESS, address);
	write_value(work, DIAL_QUERY_DIRECTION,
	            &(struct value){ .set = true, .number = direction->number });
	if (direction->number == DIAL_QUERY_OUTGOING)
		answer_outgoing(work, address, &asked->values[DIAL_QUERY_TENANT].guid);
	else
		answer_incoming(work, address);
	document_close(&work->doc);
}

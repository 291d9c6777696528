/* SPDX-License-Identifier: Apache-2.0 */
/* Signing in at an identity provider: off there, and back. */
#include "callbridge/portal_internal.h"

bool
elsewhere_is_open(struct meeting *meeting, uint32_t web_bridge, uint32_t provider)
{
	const struct objects *objects = meeting_objects(meeting);
	if (!objects_alive(objects, OBJECT_OIDC_PROVIDER, provider) ||
	    !portal_is_open(meeting, web_bridge, 0))
		return false;
	const struct guid tenant =
		objects_value(objects, OBJECT_OIDC_PROVIDER, provider, OIDC_PROVIDER_TENANT).guid;
	return portal_has_tenant(objects, web_bridge, &tenant);
}

void
elsewhere_message(struct portal *portal, unsigned link, uint32_t web_bridge,
                  const struct c2w_message *message)
{
	const struct c2w_sign_in_elsewhere *wish = &message->sign_in_elsewhere;
	const struct portal_sink *sink = &portal->settings.sink;
	struct meeting *meeting = portal->settings.meeting;
	struct guid id;
	const bool is_back = wish->state.len != 0;
	const uint32_t provider = !is_back && guid_parse(&id, wish->provider)
	                                  ? objects_find(meeting_objects(meeting),
	                                                 OBJECT_OIDC_PROVIDER, &id)
	                                  : 0;
	if (is_back ? !portal_is_open(meeting, web_bridge, 0)
	            : !elsewhere_is_open(meeting, web_bridge, provider)) {
		portal_refuse(portal, link, message->request, C2W_REFUSAL_NO_SIGN_IN);
		return;
	}
	struct pending *pending =
		pending_new(portal, PENDING_ELSEWHERE, link, web_bridge, message->request);
	if (pending == NULL)
		portal_refuse(portal, link, message->request, C2W_REFUSAL_BUSY);
	else if (is_back)
		sink->take_back(sink->context, pending->handle, wish);
	else
		sink->send_off(sink->context, pending->handle, provider, wish->back);
}

static struct pending *
pending_elsewhere(struct portal *portal, uint32_t ticket)
{
	struct pending *pending = slab_get(&portal->pending, ticket);
	return pending != NULL && pending->kind == PENDING_ELSEWHERE ? pending : NULL;
}

void
portal_sent_off(struct portal *portal, uint32_t ticket, struct str url, struct str state)
{
	struct pending *pending = pending_elsewhere(portal, ticket);
	struct c2w_message message = { .kind = C2W_ELSEWHERE,
		                       .elsewhere = { .url = url, .state = state } };
	if (pending == NULL)
		return;
	portal_send(portal, pending->link, pending->request, &message);
	pending_over(portal, pending);
}

void
portal_proved(struct portal *portal, uint32_t ticket, uint32_t user, enum c2w_refusal refusal)
{
	struct pending *pending = pending_elsewhere(portal, ticket);
	if (pending == NULL)
		return;
	if (user != 0)
		portal_admit(portal, pending->link, pending->web_bridge, pending->request, user);
	else
		portal_refuse(portal, pending->link, pending->request, refusal);
	pending_over(portal, pending);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Rooms that present, and rooms that are presented to: floor control (BFCP) and the model's one
 * presenter brought together.
 *
 * Where we keep the floor of a leg, its room asks and the model decides.  Where the room keeps it, we
 * ask it when somebody else presents, and send content once it has let us. */
#include "callbridge/bridge_video.h"

static void
order(struct bridge *bridge, const struct bridge_leg *leg, enum bridge_floor_order_kind kind,
      struct str text)
{
	const struct bridge_floor_order order = { .kind = kind, .leg = leg->handle, .text = text };
	bridge->settings.sink.floor(bridge->settings.sink.context, &order);
}

static struct str
name_of(const struct bridge *bridge, uint32_t meeting_leg)
{
	return meeting_leg != 0 ? str_of(meeting_leg_label(bridge->settings.meeting, meeting_leg))
	                        : (struct str){ 0 };
}

/* Tells a room who presents; a room that has presented itself has been told otherwise. */
static void
tell(struct bridge *bridge, struct bridge_leg *leg, uint32_t presenter)
{
	struct bridge_video *video = leg->video;
	const bool other = presenter != 0 && presenter != leg->meeting_leg;
	if (video == NULL || !video->floor)
		return;
	if (!video->floor_client) {
		order(bridge, leg, BRIDGE_FLOOR_HOLDER,
		      other ? name_of(bridge, presenter) : (struct str){ 0 });
		return;
	}
	order(bridge, leg, other ? BRIDGE_FLOOR_REQUEST : BRIDGE_FLOOR_RELEASE, (struct str){ 0 });
	if (!other)
		video->floor_ours = false;
}

bool
floor_lets_send(const struct bridge_leg *leg)
{
	return !leg->video->floor_client || leg->video->floor_ours;
}

/* A room that has no floor control says that it presents by sending content. */
void
floor_unasked(struct bridge *bridge, struct bridge_leg *leg, bool flows, int64_t now_us)
{
	if (leg->kind != LEG_SIP || leg->video->floor || leg->video->presents_unasked == flows)
		return;
	const enum meeting_presenting refused =
		meeting_present(bridge->settings.meeting, leg->meeting_leg, flows, now_us);
	leg->video->presents_unasked = flows && refused == PRESENTING;
	if (flows && refused != PRESENTING)
		bridge_log(bridge, "call %u: its content is not shown; it may not present now",
		           bridge_leg_number(bridge, leg));
}

/* Nobody presents any more: the first room whose content had to wait for that. */
static void
offer_floor(struct bridge *bridge, uint32_t call, const struct bridge_leg *before, int64_t now_us)
{
	struct meeting *meeting = bridge->settings.meeting;
	for (uint32_t at = 0; (at = meeting_call_leg_next(meeting, call, at)) != 0;) {
		struct bridge_leg *leg = bridge_leg_of_meeting(bridge, at);
		if (leg == NULL || leg == before || leg->video == NULL ||
		    !meeting_leg_of(bridge, at)->flows[LEG_TRACK_CONTENT])
			continue;
		floor_unasked(bridge, leg, true, now_us);
		if (leg->video->presents_unasked)
			return;
	}
}

void
floor_presenter(struct bridge *bridge, const struct meeting_event *event, int64_t now_us)
{
	struct meeting *meeting = bridge->settings.meeting;
	struct bridge_leg *before = bridge_leg_of_meeting(bridge, event->other);
	if (before != NULL && before->video != NULL && before->video->floor &&
	    !before->video->floor_client)
		order(bridge, before, BRIDGE_FLOOR_REVOKE,
		      event->leg != 0 ? name_of(bridge, event->leg) : STR("The presentation was ended"));
	if (before != NULL && before->video != NULL)
		before->video->presents_unasked = false;
	for (uint32_t at = 0; (at = meeting_call_leg_next(meeting, event->call, at)) != 0;) {
		struct bridge_leg *leg = bridge_leg_of_meeting(bridge, at);
		if (leg != NULL && leg != before)
			tell(bridge, leg, event->leg);
	}
	if (before != NULL)
		tell(bridge, before, event->leg);
	if (event->leg == 0)
		offer_floor(bridge, event->call, before, now_us);
	video_changed(bridge, event->call, now_us);
}

/* ---- A room's association -------------------------------------------------------------------- */

static bool
is_same(const struct bridge_floor_order *a, const struct bridge_floor_order *b)
{
	return a->proto == b->proto && a->client == b->client && a->active == b->active &&
	       addr_eq(&a->remote, &b->remote) && a->conference_id == b->conference_id &&
	       a->user_id == b->user_id && a->floor_id == b->floor_id &&
	       a->fingerprint.len == b->fingerprint.len &&
	       memcmp(a->fingerprint.bytes, b->fingerprint.bytes, a->fingerprint.len) == 0;
}

/* A description that changes nothing must not take the floor away; with another association the room
 * has let us do nothing yet. */
static void
open_floor(struct bridge *bridge, struct bridge_leg *leg, struct bridge_floor_order *open)
{
	struct bridge_video *video = leg->video;
	open->anew = !video->floor || !is_same(open, &video->floor_open);
	if (open->anew)
		video->floor_ours = false;
	video->floor = true;
	video->floor_client = open->client;
	video->floor_open = *open;
	bridge->settings.sink.floor(bridge->settings.sink.context, open);
}

void
video_floor_agreed(struct bridge *bridge, struct bridge_leg *leg, const struct sdp_line *line)
{
	if (line == NULL || leg->video == NULL) {
		floor_close(bridge, leg);
		return;
	}
	struct bridge_floor_order open = {
		.kind = BRIDGE_FLOOR_OPEN,
		.leg = leg->handle,
		.proto = line->proto,
		.client = !line->bfcp.server,
		.active = line->bfcp.active,
		.remote = line->remote_rtp,
		.conference_id = line->bfcp.conference_id,
		.user_id = line->bfcp.user_id,
		.floor_id = line->bfcp.floor_id,
	};
	if (line->proto == SDP_PROTO_BFCP_TLS)
		open.fingerprint = sdp_session_path(leg->sdp, line)->remote_fingerprint;
	open_floor(bridge, leg, &open);
	const struct meeting_leg *model = meeting_leg_of(bridge, leg->meeting_leg);
	if (model != NULL)
		tell(bridge, leg, meeting_call(bridge->settings.meeting, model->call)->presenter);
}

void
floor_close(struct bridge *bridge, struct bridge_leg *leg)
{
	if (leg->video == NULL || !leg->video->floor)
		return;
	order(bridge, leg, BRIDGE_FLOOR_CLOSE, (struct str){ 0 });
	leg->video->floor = false;
	leg->video->floor_client = false;
	leg->video->floor_ours = false;
}

static struct str
refusal_text(enum meeting_presenting refused)
{
	switch (refused) {
	case PRESENTING_BUSY:
		return STR("Somebody else is presenting");
	case PRESENTING_NOT_ALLOWED:
		return STR("You may not present in this meeting");
	case PRESENTING_NOT_INSIDE:
		return STR("You are not in the meeting yet");
	case PRESENTING:
		break;
	}
	return (struct str){ 0 };
}

static void
asked(struct bridge *bridge, struct bridge_leg *leg, int64_t now_us)
{
	const enum meeting_presenting refused =
		meeting_present(bridge->settings.meeting, leg->meeting_leg, true, now_us);
	order(bridge, leg, refused == PRESENTING ? BRIDGE_FLOOR_GRANT : BRIDGE_FLOOR_DENY,
	      refusal_text(refused));
}

void
bridge_floor(struct bridge *bridge, uint32_t handle, enum bridge_floor_event event, int64_t now_us)
{
	struct bridge_leg *leg = bridge_leg_get(bridge, handle);
	if (leg == NULL || leg->video == NULL || !leg->video->floor)
		return;
	check_context("bridge leg", handle);
	const struct meeting_leg *model = meeting_leg_of(bridge, leg->meeting_leg);
	switch (event) {
	case BRIDGE_FLOOR_ASKED:
		asked(bridge, leg, now_us);
		break;
	case BRIDGE_FLOOR_RELEASED:
		/* Giving back is always allowed. */
		(void)meeting_present(bridge->settings.meeting, leg->meeting_leg, false, now_us);
		break;
	case BRIDGE_FLOOR_GRANTED:
	case BRIDGE_FLOOR_REFUSED:
		leg->video->floor_ours = event == BRIDGE_FLOOR_GRANTED;
		if (model != NULL)
			video_changed(bridge, model->call, now_us);
		break;
	}
	bridge_drain(bridge, now_us);
}

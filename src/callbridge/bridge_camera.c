/* SPDX-License-Identifier: Apache-2.0 */
/* Cameras of rooms that are steered from here (H.281), by browsers' buttons and the API. */
#include <stdlib.h>

#include "callbridge/bridge_video.h"

enum {
	MOVE_US = 1000 * 1000, /* of one order: a button that is held says it again */
};

static void
send_payload(struct bridge *bridge, const struct bridge_leg *leg, const struct fecc_out *out)
{
	struct media_order order = { .kind = MEDIA_ORDER_LEG_DATA_SEND };
	CHECK(out->len <= MEDIA_DATA_MAX);
	order.packet.len = (uint8_t)out->len;
	memcpy(order.packet.bytes, out->bytes, out->len);
	bridge_order_medium(bridge, leg, BRIDGE_MEDIUM_CAMERA, &order);
}

/* What a room wants of us (to move our camera, to see another source) finds nothing to do: what it is
 * shown is composed. */
static void
drain(struct bridge *bridge, struct bridge_leg *leg)
{
	for (struct fecc_out out; (out = fecc_poll(leg->camera)).kind != FECC_OUT_NONE;) {
		if (out.kind == FECC_OUT_PAYLOAD)
			send_payload(bridge, leg, &out);
		else if (out.kind == FECC_OUT_AVAILABLE)
			meeting_leg_camera(bridge->settings.meeting, leg->meeting_leg,
			                   out.can != 0);
	}
}

static void
arm(struct bridge *bridge, const struct bridge_leg *leg)
{
	const int64_t deadline_us = fecc_deadline(leg->camera);
	if (deadline_us == INT64_MAX || (timer_running(&bridge->camera_timer) &&
	                                 bridge->camera_timer.deadline_us <= deadline_us))
		return;
	timer_start(&bridge->timers, &bridge->camera_timer, deadline_us);
}

void
camera_agreed(struct bridge *bridge, struct bridge_leg *leg, bool agreed, int64_t now_us)
{
	static const struct fecc_settings ours = { 0 };
	if (!agreed && leg->camera != NULL) {
		camera_free(leg);
		meeting_leg_camera(bridge->settings.meeting, leg->meeting_leg, false);
	}
	if (!agreed || leg->camera != NULL)
		return;
	leg->camera = calloc(1, sizeof *leg->camera);
	if (leg->camera == NULL)
		return;
	fecc_init(leg->camera, &ours, now_us);
	drain(bridge, leg);
	arm(bridge, leg);
}

void
camera_free(struct bridge_leg *leg)
{
	free(leg->camera);
	leg->camera = NULL;
}

void
camera_input(struct bridge *bridge, struct bridge_leg *leg, const struct media_data *packet,
             int64_t now_us)
{
	if (leg->camera == NULL)
		return;
	fecc_input(leg->camera, packet->bytes, packet->len, now_us);
	drain(bridge, leg);
	arm(bridge, leg);
}

static uint8_t
bits_of(uint8_t move, uint8_t less, uint8_t more)
{
	return move == CAMERA_LESS ? less : move == CAMERA_MORE ? more : 0;
}

void
camera_move(struct bridge *bridge, struct bridge_leg *leg, const struct meeting_camera *camera,
            int64_t now_us)
{
	if (leg->camera == NULL)
		return;
	const uint8_t action = bits_of(camera->pan, H281_PAN_LEFT, H281_PAN_RIGHT) |
	                       bits_of(camera->tilt, H281_TILT_DOWN, H281_TILT_UP) |
	                       bits_of(camera->zoom, H281_ZOOM_OUT, H281_ZOOM_IN) |
	                       bits_of(camera->focus, H281_FOCUS_OUT, H281_FOCUS_IN);
	/* What it cannot move stays where it is. */
	if (action == 0 || !fecc_move(leg->camera, action, MOVE_US, now_us))
		fecc_stop(leg->camera, now_us);
	drain(bridge, leg);
	arm(bridge, leg);
}

/* Few rooms are being steered at a time: all of them are looked at. */
void
camera_tick(struct bridge *bridge, int64_t now_us)
{
	for (uint32_t at = 0, handle; (handle = slab_next(&bridge->legs, &at)) != 0;) {
		struct bridge_leg *leg = bridge_leg_get(bridge, handle);
		if (leg->camera == NULL)
			continue;
		fecc_tick(leg->camera, now_us);
		drain(bridge, leg);
		arm(bridge, leg);
	}
}

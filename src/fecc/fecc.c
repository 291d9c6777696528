/* SPDX-License-Identifier: Apache-2.0 */
#include "fecc/fecc.h"

#include "base/check.h"

enum {
	TIMEOUT_MS = 800, /* the longest that H.281 knows, twice FECC_CONTINUE_US */
	MODE_MOTION = 0,
};

/* ---- Meeting ------------------------------------------------------------------------------- */

static void
tell(struct fecc *fecc)
{
	fecc->out_list = fecc->out_capabilities = true;
	fecc->out_list_command = !fecc->heard_list;
	fecc->out_capabilities_command = fecc->heard_list && !fecc->heard_capabilities;
	fecc->tell_us = fecc->now_us + ((int64_t)FECC_TELL_US << fecc->told);
	fecc->told++;
	if (fecc->told == FECC_TELL_TRIES)
		fecc->tell_us = INT64_MAX;
}

void
fecc_init(struct fecc *fecc, const struct fecc_settings *settings, int64_t now_us)
{
	memset(fecc, 0, sizeof *fecc);
	fecc->settings = *settings;
	fecc->now_us = now_us;
	tell(fecc);
}

static void
advance(struct fecc *fecc, int64_t now_us)
{
	CHECK(now_us >= fecc->now_us);
	fecc->now_us = now_us;
}

static void
set_available(struct fecc *fecc, uint8_t can, uint8_t presets)
{
	fecc->heard_capabilities = true;
	fecc->tell_us = INT64_MAX;
	fecc->out_available |= can != fecc->can;
	fecc->can = can;
	fecc->presets = presets;
}

static void
on_client_list(struct fecc *fecc, const struct h224_frame *frame)
{
	/* A device that has just begun to listen may have missed what we told. */
	if (!fecc->heard_list)
		fecc->out_list = fecc->out_capabilities = true;
	fecc->heard_list = true;
	if (!frame->camera || !frame->capabilities_follow)
		set_available(fecc, 0, 0);
}

static void
on_capabilities(struct fecc *fecc, const struct h224_frame *frame)
{
	uint8_t can = 0;
	for (unsigned i = 0; i < frame->source_count; i++)
		can |= frame->sources[i].can;
	fecc->heard_list = true;
	set_available(fecc, can, frame->presets);
}

/* ---- Its actions on our camera ------------------------------------------------------------- */

/* The axes of an action that a camera has. */
static uint8_t
possible(uint8_t action, uint8_t can)
{
	static const struct {
		enum h281_axis axis;
		uint8_t can;
	} axes[] = {
		{ H281_PAN, H281_CAN_PAN },
		{ H281_TILT, H281_CAN_TILT },
		{ H281_ZOOM, H281_CAN_ZOOM },
		{ H281_FOCUS, H281_CAN_FOCUS },
	};
	unsigned left = 0;
	static_assert(COUNT_OF(axes) == H281_AXES, "each axis has its ability");
	for (unsigned i = 0; i < COUNT_OF(axes); i++)
		if ((can & axes[i].can) != 0 && h281_direction(action, axes[i].axis) != 0)
			left |= action & 3u << 2 * (unsigned)axes[i].axis;
	return (uint8_t)left;
}

static void
end_its_action(struct fecc *fecc)
{
	fecc->out_its_stop |= fecc->its_action != 0;
	fecc->its_action = 0;
}

static void
on_start(struct fecc *fecc, const struct h224_frame *frame)
{
	const uint8_t action = possible(frame->action, fecc->settings.can);
	if (action != fecc->its_action) {
		end_its_action(fecc);
		fecc->out_its_move = action != 0;
	}
	fecc->its_action = action;
	fecc->its_patience_us = (int64_t)frame->timeout_ms * 1000;
	fecc->its_end_us = fecc->now_us + fecc->its_patience_us;
}

static void
on_continue(struct fecc *fecc, const struct h224_frame *frame)
{
	if (fecc->its_action != 0 &&
	    possible(frame->action, fecc->settings.can) == fecc->its_action)
		fecc->its_end_us = fecc->now_us + fecc->its_patience_us;
}

static void
on_select(struct fecc *fecc, const struct h224_frame *frame)
{
	fecc->out_source = true;
	fecc->source = frame->source;
	/* We show one camera; who asks for it has it. */
	fecc->out_switched = frame->source == H281_SOURCE_MAIN && frame->mode == MODE_MOTION;
}

static void
on_preset(struct fecc *fecc, const struct h224_frame *frame, enum fecc_out_kind kind)
{
	if (frame->preset >= fecc->settings.presets)
		return;
	fecc->out_preset = true;
	fecc->preset_kind = kind;
	fecc->preset = frame->preset;
}

/* ---- In ------------------------------------------------------------------------------------ */

void
fecc_input(struct fecc *fecc, const uint8_t *bytes, size_t len, int64_t now_us)
{
	struct h224_frame frame;
	advance(fecc, now_us);
	const enum h224_reject reject = h224_parse(&frame, bytes, len);
	if (reject != H224_OK) {
		fecc->rejects[reject]++;
		return;
	}
	switch (frame.kind) {
	case H224_CLIENT_LIST:
		on_client_list(fecc, &frame);
		break;
	case H224_CLIENT_LIST_COMMAND:
		fecc->out_list = true;
		break;
	case H224_CAPABILITIES:
		on_capabilities(fecc, &frame);
		break;
	case H224_CAPABILITIES_COMMAND:
		fecc->out_capabilities = true;
		break;
	case H281_START:
		on_start(fecc, &frame);
		break;
	case H281_CONTINUE:
		on_continue(fecc, &frame);
		break;
	case H281_STOP:
		end_its_action(fecc);
		break;
	case H281_SELECT_SOURCE:
		on_select(fecc, &frame);
		break;
	case H281_STORE_PRESET:
		on_preset(fecc, &frame, FECC_OUT_STORE_PRESET);
		break;
	case H281_ACTIVATE_PRESET:
		on_preset(fecc, &frame, FECC_OUT_ACTIVATE_PRESET);
		break;
	case H281_SOURCE_SWITCHED: /* we select none */
	case H224_OTHER:
		break;
	}
}

void
fecc_tick(struct fecc *fecc, int64_t now_us)
{
	advance(fecc, now_us);
	if (now_us >= fecc->tell_us)
		tell(fecc);
	if (fecc->action != 0 && now_us >= fecc->end_us) {
		fecc_stop(fecc, now_us);
	} else if (fecc->action != 0 && now_us >= fecc->continue_us) {
		fecc->out_continue = true;
		fecc->continue_us = now_us + FECC_CONTINUE_US;
	}
	if (fecc->its_action != 0 && now_us >= fecc->its_end_us)
		end_its_action(fecc);
}

/* ---- Out ----------------------------------------------------------------------------------- */

static bool
take(bool *flag)
{
	const bool was = *flag;
	*flag = false;
	return was;
}

static void
describe_camera(const struct fecc *fecc, struct h224_frame *frame)
{
	frame->presets = fecc->settings.presets;
	frame->source_count = 1;
	frame->sources[0].source = H281_SOURCE_MAIN;
	frame->sources[0].motion = true;
	frame->sources[0].can = fecc->settings.can;
}

/* The next frame that is due; false: none. */
static bool
next_frame(struct fecc *fecc, struct h224_frame *frame)
{
	*frame = (struct h224_frame){ .kind = H224_OTHER };
	if (take(&fecc->out_list)) {
		frame->kind = H224_CLIENT_LIST;
		frame->camera = frame->capabilities_follow = true;
	} else if (take(&fecc->out_capabilities)) {
		frame->kind = H224_CAPABILITIES;
		describe_camera(fecc, frame);
	} else if (take(&fecc->out_list_command)) {
		frame->kind = H224_CLIENT_LIST_COMMAND;
	} else if (take(&fecc->out_capabilities_command)) {
		frame->kind = H224_CAPABILITIES_COMMAND;
	} else if (fecc->out_stop != 0) {
		frame->kind = H281_STOP;
		frame->action = fecc->out_stop;
		fecc->out_stop = 0;
	} else if (take(&fecc->out_start)) {
		frame->kind = H281_START;
		frame->action = fecc->action;
		frame->timeout_ms = TIMEOUT_MS;
	} else if (take(&fecc->out_continue)) {
		frame->kind = H281_CONTINUE;
		frame->action = fecc->action;
	} else if (take(&fecc->out_activate)) {
		frame->kind = H281_ACTIVATE_PRESET;
		frame->preset = fecc->activate;
	} else if (take(&fecc->out_switched)) {
		frame->kind = H281_SOURCE_SWITCHED;
		frame->source = H281_SOURCE_MAIN;
		frame->mode = MODE_MOTION;
	}
	return frame->kind != H224_OTHER;
}

static struct fecc_out
next_event(struct fecc *fecc)
{
	struct fecc_out out = { .kind = FECC_OUT_NONE };
	if (take(&fecc->out_available)) {
		out.kind = FECC_OUT_AVAILABLE;
		out.can = fecc->can;
	} else if (take(&fecc->out_its_stop)) {
		out.kind = FECC_OUT_STOP;
	} else if (take(&fecc->out_its_move)) {
		out.kind = FECC_OUT_MOVE;
		out.action = fecc->its_action;
	} else if (take(&fecc->out_source)) {
		out.kind = FECC_OUT_SOURCE;
		out.source = fecc->source;
	} else if (take(&fecc->out_preset)) {
		out.kind = fecc->preset_kind;
		out.preset = fecc->preset;
	}
	return out;
}

struct fecc_out
fecc_poll(struct fecc *fecc)
{
	struct h224_frame frame;
	if (!next_frame(fecc, &frame))
		return next_event(fecc);
	struct writer w = writer_of(fecc->out_bytes, sizeof fecc->out_bytes);
	h224_write(&w, &frame);
	CHECK(!w.failed);
	return (struct fecc_out){ .kind = FECC_OUT_PAYLOAD, .bytes = fecc->out_bytes, .len = w.at };
}

int64_t
fecc_deadline(const struct fecc *fecc)
{
	int64_t first_us = fecc->tell_us;
	if (fecc->action != 0 && fecc->continue_us < first_us)
		first_us = fecc->continue_us;
	if (fecc->action != 0 && fecc->end_us < first_us)
		first_us = fecc->end_us;
	if (fecc->its_action != 0 && fecc->its_end_us < first_us)
		first_us = fecc->its_end_us;
	return first_us;
}

/* ---- Orders -------------------------------------------------------------------------------- */

bool
fecc_move(struct fecc *fecc, uint8_t action, int64_t for_us, int64_t now_us)
{
	advance(fecc, now_us);
	const uint8_t left = possible(action, fecc->can);
	if (left == 0)
		return false;
	if (left != fecc->action) {
		fecc_stop(fecc, now_us);
		fecc->action = left;
		fecc->out_start = true;
		fecc->continue_us = now_us + FECC_CONTINUE_US;
	}
	fecc->end_us = now_us + (for_us < FECC_MOVE_US_MAX ? for_us : (int64_t)FECC_MOVE_US_MAX);
	return true;
}

void
fecc_stop(struct fecc *fecc, int64_t now_us)
{
	advance(fecc, now_us);
	if (fecc->action == 0)
		return;
	fecc->out_stop = fecc->action;
	fecc->action = 0;
	fecc->out_start = fecc->out_continue = false;
}

bool
fecc_preset(struct fecc *fecc, uint8_t preset, int64_t now_us)
{
	if (preset >= fecc->presets)
		return false;
	fecc_stop(fecc, now_us);
	fecc->out_activate = true;
	fecc->activate = preset;
	return true;
}

void
fecc_offer(struct fecc *fecc, const struct fecc_settings *settings, int64_t now_us)
{
	advance(fecc, now_us);
	fecc->settings = *settings;
	fecc->out_capabilities = true;
	if (possible(fecc->its_action, settings->can) != fecc->its_action)
		end_its_action(fecc);
}

void
fecc_dump(const struct fecc *fecc, struct writer *w)
{
	writer_format(w, "fecc ours=%02x its=%02x presets=%u told=%u action=%02x its_action=%02x",
	              (unsigned)fecc->settings.can, (unsigned)fecc->can, (unsigned)fecc->presets,
	              (unsigned)fecc->told, (unsigned)fecc->action, (unsigned)fecc->its_action);
	writer_text(w, fecc->heard_capabilities ? "\n" : " silent\n");
}

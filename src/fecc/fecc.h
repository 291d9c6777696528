/* SPDX-License-Identifier: Apache-2.0 */
/* fecc -- far-end camera control with one device: we move its camera, it may ask to move ours
 * (H.281 over H.224, RFC 4573).
 *
 * Sans-IO over RTP payloads: the leg's RTP around them (clock 4,800 Hz) is the media worker's.  One
 * input (payload, order or tick), then drain fecc_poll() until NONE.
 *
 * Ownership  The caller's memory, a plain value.  Outputs are borrowed until the next call.
 * Threads    One owner.
 * Units      Microseconds.  An action is an octet of h224.h: H281_PAN_LEFT | H281_ZOOM_IN.
 * Errors     A peer's faults are counted per `enum h224_reject`.
 * Limits     Below.
 *
 * Meeting    Each side tells that it knows camera control and what its cameras can do.  RTP loses
 *            packets and devices begin to listen late, so we tell again, FECC_TELL_TRIES times in
 *            all, and ask, until the device has told.  A device that asks is always answered.
 * Moving     START, then CONTINUE every FECC_CONTINUE_US, then STOP; a device that hears nothing
 *            for 800 ms stops by itself (H.281 s4.1).  The same holds for its actions on us: MOVE,
 *            and STOP when it says so, begins another action, or falls silent.
 */
#ifndef FECC_FECC_H
#define FECC_FECC_H

#include "fecc/h224.h"

enum {
	FECC_CONTINUE_US = 400 * 1000,
	FECC_MOVE_US_MAX = 15 * 1000 * 1000, /* nobody holds a button for longer */
	FECC_TELL_US = 1000 * 1000,          /* doubles */
	FECC_TELL_TRIES = 5,
	FECC_OUT_BYTES_MAX = 32,
};

struct fecc_settings {
	uint8_t can;     /* H281_CAN_ of the camera that we show: 0 when it cannot be moved */
	uint8_t presets; /* 0 to 15 that it keeps */
};

enum fecc_out_kind {
	FECC_OUT_NONE,
	FECC_OUT_PAYLOAD,      /* send in an RTP packet of its own, marker set */
	FECC_OUT_AVAILABLE,    /* its camera can be moved, or not any more: `can` */
	FECC_OUT_MOVE,         /* it moves ours: `action` */
	FECC_OUT_STOP,
	FECC_OUT_SOURCE,       /* it wants to see our `source` */
	FECC_OUT_STORE_PRESET, /* `preset` */
	FECC_OUT_ACTIVATE_PRESET,
};

struct fecc_out {
	enum fecc_out_kind kind;
	const uint8_t *bytes; /* PAYLOAD */
	size_t len;
	uint8_t can;
	uint8_t action;
	uint8_t source;
	uint8_t preset;
};

struct fecc {
	struct fecc_settings settings;
	int64_t now_us;
	/* Meeting. */
	bool heard_list, heard_capabilities;
	uint8_t told; /* how often */
	int64_t tell_us;
	uint8_t can;     /* the device's cameras */
	uint8_t presets; /* that they keep */
	/* Our action on it; 0: none. */
	uint8_t action;
	int64_t continue_us, end_us;
	/* Its action on us; 0: none. */
	uint8_t its_action;
	int64_t its_patience_us, its_end_us;
	/* What poll has to give: frames, */
	bool out_list, out_list_command, out_capabilities, out_capabilities_command;
	bool out_start, out_continue, out_switched;
	uint8_t out_stop; /* the action that stops; 0: none */
	bool out_activate;
	uint8_t activate; /* the preset of that */
	/* and events. */
	bool out_available, out_its_stop, out_its_move, out_source, out_preset;
	uint8_t source;
	uint8_t preset;
	enum fecc_out_kind preset_kind;
	uint8_t out_bytes[FECC_OUT_BYTES_MAX];
	uint64_t rejects[H224_REJECT_COUNT];
};

/* Begins to tell: drain at once. */
void fecc_init(struct fecc *fecc, const struct fecc_settings *settings, int64_t now_us);

/* The payload of one RTP packet. */
void fecc_input(struct fecc *fecc, const uint8_t *bytes, size_t len, int64_t now_us);
void fecc_tick(struct fecc *fecc, int64_t now_us);
[[nodiscard]] struct fecc_out fecc_poll(struct fecc *fecc);
[[nodiscard]] int64_t fecc_deadline(const struct fecc *fecc);

/* Moves the device's camera for `for_us`, at most FECC_MOVE_US_MAX, or until fecc_stop(); axes it
 * did not offer are left out.  False when nothing is left: no order was given. */
[[nodiscard]] bool fecc_move(struct fecc *fecc, uint8_t action, int64_t for_us, int64_t now_us);
void fecc_stop(struct fecc *fecc, int64_t now_us);
/* Its camera goes to a preset it keeps, 0 to 14.  False when it keeps none. */
[[nodiscard]] bool fecc_preset(struct fecc *fecc, uint8_t preset, int64_t now_us);
/* What can be moved here has changed (another camera is shown): tells the device. */
void fecc_offer(struct fecc *fecc, const struct fecc_settings *settings, int64_t now_us);

/* One line of text for admin, tests and crash reports. */
void fecc_dump(const struct fecc *fecc, struct writer *w);

#endif

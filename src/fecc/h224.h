/* SPDX-License-Identifier: Apache-2.0 */
/* h224 -- read and write H.224 frames as RTP carries them, and the messages in them: client
 * management (H.224 section 8) and camera control (H.281).
 *
 * In RTP (RFC 4573, H.323 Annex Q) a payload is one frame without flags, bit stuffing and check
 * sequence: the Q.922 address (0x0061 low priority, 0x0071 high), control 0x03, destination and
 * source terminal (0: everybody), client, segment octet, and the client's message.
 *
 * Ownership  Values; nothing is borrowed.
 * Threads    Pure functions; any thread.
 * Units      Lengths are bytes.
 * Errors     Parsing returns an `enum h224_reject` naming the rule the peer broke.
 * Limits     Below.  Messages in several segments are refused: the ones we know fit into one.
 */
#ifndef FECC_H224_H
#define FECC_H224_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
	H224_HEADER_BYTES = 9,
	H224_PAYLOAD_BYTES_MAX = 260, /* Q.922 frames hold no more */
	H224_SOURCES_MAX = 15,        /* video sources have four bits, 0 is "the current one" */
};

/* What a camera can do, and what it is told to do. */
enum h281_axis {
	H281_FOCUS,
	H281_ZOOM,
	H281_TILT,
	H281_PAN,
	H281_AXES,
};

/* An action of one octet: for each axis whether it moves and which way. */
enum {
	H281_FOCUS_OUT = 0x02,
	H281_FOCUS_IN = 0x03,
	H281_ZOOM_OUT = 0x08,
	H281_ZOOM_IN = 0x0C,
	H281_TILT_DOWN = 0x20,
	H281_TILT_UP = 0x30,
	H281_PAN_LEFT = 0x80,
	H281_PAN_RIGHT = 0xC0,
};

/* What a source can do (extra capabilities). */
enum {
	H281_CAN_PAN = 0x80,
	H281_CAN_TILT = 0x40,
	H281_CAN_ZOOM = 0x20,
	H281_CAN_FOCUS = 0x10,
};

/* Standard video sources (H.281 table 1); 6 to 15 have names of their own. */
enum {
	H281_SOURCE_CURRENT = 0,
	H281_SOURCE_MAIN = 1,
	H281_SOURCE_AUXILIARY = 2,
	H281_SOURCE_DOCUMENT = 3,
	H281_SOURCE_AUXILIARY_DOCUMENT = 4,
	H281_SOURCE_PLAYBACK = 5,
};

enum h224_kind {
	H224_OTHER, /* another client, or a message we do not know: nothing to do */
	H224_CLIENT_LIST,
	H224_CLIENT_LIST_COMMAND,  /* "tell me" */
	H224_CAPABILITIES,         /* of camera control */
	H224_CAPABILITIES_COMMAND, /* "tell me" */
	H281_START,
	H281_CONTINUE,
	H281_STOP,
	H281_SELECT_SOURCE,
	H281_SOURCE_SWITCHED,
	H281_STORE_PRESET,
	H281_ACTIVATE_PRESET,
};

enum h224_reject {
	H224_OK = 0,
	H224_REJECT_SHORT,   /* no room for the header or the message's fields */
	H224_REJECT_LONG,    /* more than H224_PAYLOAD_BYTES_MAX */
	H224_REJECT_ADDRESS, /* not 0x0061 or 0x0071 */
	H224_REJECT_CONTROL, /* not an unnumbered information frame */
	H224_REJECT_SEGMENT, /* begins or ends elsewhere */
	H224_REJECT_LIST,    /* the client list overruns the frame */
	H224_REJECT_SOURCES, /* a source's name or capabilities overrun the frame */
	H224_REJECT_COUNT,
};

struct h224_frame {
	enum h224_kind kind;
	bool camera;              /* CLIENT_LIST: camera control is in it */
	bool capabilities_follow; /* and it has capabilities to tell */
	uint8_t presets;          /* CAPABILITIES: how many */
	uint8_t source_count;
	struct {
		uint8_t source;
		uint8_t can; /* H281_CAN_ */
		bool motion; /* moving pictures; else stills only */
	} sources[H224_SOURCES_MAX];
	uint8_t action;     /* START, CONTINUE, STOP: H281_PAN_LEFT and so on */
	uint16_t timeout_ms; /* START: 50 to 800 */
	uint8_t source;     /* SELECT_SOURCE, SOURCE_SWITCHED */
	uint8_t mode;       /* the same: 0 motion, 1 normal still, 2 double still, as on the wire */
	uint8_t preset;     /* STORE_PRESET, ACTIVATE_PRESET: 0 to 15 */
};

/* On a reject `*out` is left untouched. */
[[nodiscard]] enum h224_reject h224_parse(struct h224_frame *out, const uint8_t *bytes, size_t len);
/* One RTP payload; any kind but OTHER.  Sources 6 to 15 are written without a name. */
void h224_write(struct writer *w, const struct h224_frame *frame);

/* An axis of an action: -1 left, down, out; 1 right, up, in; 0 does not move. */
[[nodiscard]] int h281_direction(uint8_t action, enum h281_axis axis);

const char *h224_reject_name(enum h224_reject reject);

#endif

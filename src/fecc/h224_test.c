/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: frames as devices send them are read, ours are byte for byte what H.224 and H.281 ask, and
 * nothing else is accepted.  The same property is what h224_fuzz.c asks of random bytes. */
#include "fecc/h224.h"

#include "base/test.h"
#include "fecc/h224_property.h"

/* Address 7, UI, everybody to everybody, client, one segment. */
#define TO_CME 0x00, 0x71, 0x03, 0, 0, 0, 0, 0x00, 0xC0
#define TO_CAMERA 0x00, 0x71, 0x03, 0, 0, 0, 0, 0x01, 0xC0

static const struct {
	const char *what;
	struct h224_frame frame;
	uint8_t len;
	uint8_t bytes[32];
} vectors[] = {
	{ "client list", { .kind = H224_CLIENT_LIST, .camera = true, .capabilities_follow = true },
	  13, { TO_CME, 0x01, 0x00, 0x01, 0x81 } },
	{ "client list without camera control", { .kind = H224_CLIENT_LIST },
	  12, { TO_CME, 0x01, 0x00, 0x00 } },
	{ "client list command", { .kind = H224_CLIENT_LIST_COMMAND },
	  11, { TO_CME, 0x01, 0xFF } },
	{ "capabilities command", { .kind = H224_CAPABILITIES_COMMAND },
	  12, { TO_CME, 0x02, 0xFF, 0x01 } },
	{ "capabilities of two cameras",
	  { .kind = H224_CAPABILITIES, .presets = 15, .source_count = 2,
	    .sources = { { .source = H281_SOURCE_MAIN, .motion = true,
	                   .can = H281_CAN_PAN | H281_CAN_TILT | H281_CAN_ZOOM },
	                 { .source = H281_SOURCE_DOCUMENT, .can = 0 } } },
	  17, { TO_CME, 0x02, 0x00, 0x81, 0x0F, 0x14, 0xE0, 0x30, 0x00 } },
	{ "start", { .kind = H281_START, .action = H281_PAN_RIGHT, .timeout_ms = 800 },
	  12, { TO_CAMERA, 0x01, 0xC0, 0x00 } },
	{ "start in two axes",
	  { .kind = H281_START, .action = H281_TILT_UP | H281_ZOOM_OUT, .timeout_ms = 500 },
	  12, { TO_CAMERA, 0x01, 0x38, 0x0A } },
	{ "continue", { .kind = H281_CONTINUE, .action = H281_PAN_LEFT },
	  11, { TO_CAMERA, 0x02, 0x80 } },
	{ "stop", { .kind = H281_STOP, .action = H281_FOCUS_IN }, 11, { TO_CAMERA, 0x03, 0x03 } },
	{ "select source", { .kind = H281_SELECT_SOURCE, .source = 2, .mode = 1 },
	  11, { TO_CAMERA, 0x04, 0x21 } },
	{ "source switched", { .kind = H281_SOURCE_SWITCHED, .source = 1 },
	  11, { TO_CAMERA, 0x05, 0x10 } },
	{ "store preset", { .kind = H281_STORE_PRESET, .preset = 3 },
	  11, { TO_CAMERA, 0x06, 0x30 } },
	{ "activate preset", { .kind = H281_ACTIVATE_PRESET, .preset = 14 },
	  11, { TO_CAMERA, 0x07, 0xE0 } },
};

TEST(frames_are_read_and_written_as_they_stand_in_the_recommendations)
{
	for (unsigned i = 0; i < COUNT_OF(vectors); i++) {
		struct h224_frame frame;
		uint8_t bytes[H224_PAYLOAD_BYTES_MAX];
		struct writer w = writer_of(bytes, sizeof bytes);
		h224_write(&w, &vectors[i].frame);
		EXPECT_EQ(w.at, vectors[i].len);
		EXPECT(memcmp(bytes, vectors[i].bytes, w.at) == 0);
		EXPECT_EQ(h224_parse(&frame, vectors[i].bytes, vectors[i].len), H224_OK);
		EXPECT_EQ(frame.kind, vectors[i].frame.kind);
		EXPECT_EQ(frame.action, vectors[i].frame.action);
		EXPECT_EQ(frame.timeout_ms, vectors[i].frame.timeout_ms);
		EXPECT_EQ(frame.source_count, vectors[i].frame.source_count);
		EXPECT_EQ(frame.sources[0].can, vectors[i].frame.sources[0].can);
		EXPECT_EQ(frame.sources[0].motion, vectors[i].frame.sources[0].motion);
		h224_property(bytes, w.at);
	}
}

TEST(what_devices_send_otherwise_is_understood)
{
	static const struct {
		uint8_t len;
		uint8_t bytes[40];
		enum h224_kind kind;
	} cases[] = {
		/* Low priority, terminals with numbers. */
		{ 12, { 0x00, 0x61, 0x03, 0x12, 0x34, 0x56, 0x78, 1, 0xC0, 1, 0x80, 0 },
		  H281_START },
		/* Extended and non-standard clients stand in a list beside camera control. */
		{ 21, { TO_CME, 1, 0, 3, 0x7E, 9, 0x7F, 1, 2, 3, 4, 5, 0x81 }, H224_CLIENT_LIST },
		/* Somebody else's capabilities, and a client of its own. */
		{ 13, { TO_CME, 2, 0, 0x82, 7 }, H224_OTHER },
		{ 12, { 0x00, 0x71, 0x03, 0, 0, 0, 0, 0x7E, 9, 0xC0, 1, 2 }, H224_OTHER },
		/* A command for everybody's capabilities. */
		{ 11, { TO_CME, 2, 0xFF }, H224_CAPABILITIES_COMMAND },
		{ 12, { TO_CME, 2, 0xFF, 2 }, H224_OTHER },
		/* Unknown messages. */
		{ 11, { TO_CME, 9, 0 }, H224_OTHER },
		{ 11, { TO_CAMERA, 9, 0 }, H224_OTHER },
		/* A camera with a name. */
		{ 21, { TO_CME, 2, 0, 0x81, 0, 0x64, 'S', 't', 'a', 'g', 'e', 0, 0xC0 },
		  H224_CAPABILITIES },
	};
	for (unsigned i = 0; i < COUNT_OF(cases); i++) {
		struct h224_frame frame;
		EXPECT_EQ(h224_parse(&frame, cases[i].bytes, cases[i].len), H224_OK);
		EXPECT_EQ(frame.kind, cases[i].kind);
		if (frame.kind == H224_CLIENT_LIST)
			EXPECT(frame.camera && frame.capabilities_follow);
		if (frame.kind == H224_CAPABILITIES) {
			EXPECT_EQ(frame.sources[0].source, 6);
			EXPECT_EQ(frame.sources[0].can, H281_CAN_PAN | H281_CAN_TILT);
		}
		h224_property(cases[i].bytes, cases[i].len);
	}
}

TEST(each_rule_has_its_reject)
{
	static const struct {
		enum h224_reject want;
		uint16_t len;
		uint8_t bytes[24];
	} cases[] = {
		{ H224_REJECT_SHORT, 8, { TO_CME } },
		{ H224_REJECT_SHORT, 10, { TO_CME, 1 } },
		{ H224_REJECT_SHORT, 10, { TO_CAMERA, 1 } },
		{ H224_REJECT_SHORT, 11, { TO_CAMERA, 1, 0x80 } },
		{ H224_REJECT_SHORT, 12, { TO_CME, 2, 0, 0x81 } },
		{ H224_REJECT_SHORT, 11, { TO_CME, 2, 0 } },
		{ H224_REJECT_ADDRESS, 11, { 0x00, 0x51, 0x03, 0, 0, 0, 0, 1, 0xC0, 2, 0x80 } },
		{ H224_REJECT_CONTROL, 11, { 0x00, 0x71, 0x00, 0, 0, 0, 0, 1, 0xC0, 2, 0x80 } },
		{ H224_REJECT_SEGMENT, 11, { 0x00, 0x71, 0x03, 0, 0, 0, 0, 1, 0x40, 2, 0x80 } },
		{ H224_REJECT_SEGMENT, 11, { 0x00, 0x71, 0x03, 0, 0, 0, 0, 0, 0xC1, 1, 0xFF } },
		{ H224_REJECT_LIST, 13, { TO_CME, 1, 0, 2, 0x81 } },
		{ H224_REJECT_SOURCES, 14, { TO_CME, 2, 0, 0x81, 0, 0x10 } },
		{ H224_REJECT_SOURCES, 15, { TO_CME, 2, 0, 0x81, 0, 0x60, 'x' } },
	};
	struct h224_frame frame;
	for (unsigned i = 0; i < COUNT_OF(cases); i++)
		EXPECT_EQ(h224_parse(&frame, cases[i].bytes, cases[i].len), cases[i].want);
	static const uint8_t longest[H224_PAYLOAD_BYTES_MAX + 1] = { TO_CAMERA, 2, 0x80 };
	EXPECT_EQ(h224_parse(&frame, longest, sizeof longest), H224_REJECT_LONG);
	EXPECT_EQ(h224_parse(&frame, longest, sizeof longest - 1), H224_OK);
	for (unsigned i = 0; i < H224_REJECT_COUNT; i++)
		EXPECT(h224_reject_name((enum h224_reject)i)[0] != '\0');
}

TEST(every_prefix_is_refused_and_every_flip_survived)
{
	for (unsigned i = 0; i < COUNT_OF(vectors); i++) {
		struct h224_frame frame;
		const uint8_t header_and_code = H224_HEADER_BYTES + 2;
		for (uint8_t len = 0; len < vectors[i].len; len++) {
			h224_property(vectors[i].bytes, len);
			if (len < header_and_code)
				EXPECT(h224_parse(&frame, vectors[i].bytes, len) != H224_OK);
		}
		for (unsigned at = 0; at < vectors[i].len; at++) {
			for (unsigned value = 0; value < 256; value++) {
				uint8_t bytes[sizeof vectors[0].bytes];
				memcpy(bytes, vectors[i].bytes, sizeof bytes);
				bytes[at] = (uint8_t)value;
				h224_property(bytes, vectors[i].len);
			}
		}
	}
}

TEST(an_action_says_where_each_axis_goes)
{
	const uint8_t action = H281_PAN_LEFT | H281_TILT_UP | H281_FOCUS_OUT;
	EXPECT_EQ(h281_direction(action, H281_PAN), -1);
	EXPECT_EQ(h281_direction(action, H281_TILT), 1);
	EXPECT_EQ(h281_direction(action, H281_ZOOM), 0);
	EXPECT_EQ(h281_direction(action, H281_FOCUS), -1);
	EXPECT_EQ(h281_direction(H281_PAN_RIGHT | H281_ZOOM_IN, H281_PAN), 1);
	EXPECT_EQ(h281_direction(H281_PAN_RIGHT | H281_ZOOM_IN, H281_ZOOM), 1);
	EXPECT_EQ(h281_direction(0x40, H281_PAN), 0); /* a direction, but no movement */
}

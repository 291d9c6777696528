/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: two sides learn of each other's cameras whatever is lost, and a camera moves exactly as
 * long as somebody wants it to.  Method: dialogues as tables, bytes in hex without the header. */
#include "fecc/fecc.h"

#include <stdio.h>

#include "base/test.h"

enum { LINES_MAX = 16, LINE_BYTES_MAX = 80 };

struct play {
	struct fecc fecc;
	int64_t now_us;
	unsigned line_number;
	unsigned count, next;
	char given[LINES_MAX][LINE_BYTES_MAX];
};

static void
describe(struct writer *w, const struct fecc_out *out)
{
	switch (out->kind) {
	case FECC_OUT_PAYLOAD:
		EXPECT(out->len > H224_HEADER_BYTES);
		writer_text(w, out->bytes[7] == 0 ? "< cme" : "< camera");
		for (size_t i = H224_HEADER_BYTES; i < out->len; i++)
			writer_format(w, " %02x", (unsigned)out->bytes[i]);
		break;
	case FECC_OUT_AVAILABLE:
		writer_format(w, "! available %02x", (unsigned)out->can);
		break;
	case FECC_OUT_MOVE:
		writer_format(w, "! move %02x", (unsigned)out->action);
		break;
	case FECC_OUT_STOP:
		writer_text(w, "! stop");
		break;
	case FECC_OUT_SOURCE:
		writer_format(w, "! source %u", (unsigned)out->source);
		break;
	case FECC_OUT_STORE_PRESET:
		writer_format(w, "! store %u", (unsigned)out->preset);
		break;
	case FECC_OUT_ACTIVATE_PRESET:
		writer_format(w, "! activate %u", (unsigned)out->preset);
		break;
	case FECC_OUT_NONE:
		break;
	}
}

static void
drain(struct play *play)
{
	for (;;) {
		const struct fecc_out out = fecc_poll(&play->fecc);
		if (out.kind == FECC_OUT_NONE)
			return;
		EXPECT(play->count < LINES_MAX);
		char *line = play->given[play->count++];
		struct writer w = writer_of(line, LINE_BYTES_MAX - 1);
		describe(&w, &out);
		line[w.at] = '\0';
	}
}

static void
expect_line(struct play *play, struct str line)
{
	const char *given = play->next < play->count ? play->given[play->next] : "(nothing)";
	if (!str_eq(str_of(given), line)) {
		fprintf(stderr, "line %u of the dialogue: wanted \"%.*s\", got \"%s\"\n",
		        play->line_number, STR_ARGS(line), given);
		test_failed("the dialogue goes as written", __FILE__, __LINE__);
	}
	play->next++;
}

static unsigned
hex(struct str digits)
{
	unsigned value = 0;
	for (size_t i = 0; i < digits.len; i++) {
		const char c = digits.at[i];
		value = value << 4 | (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return value;
}

/* "cme 01 00": the frame around it is always the same. */
static void
send(struct play *play, struct str words)
{
	uint8_t bytes[64] = { 0x00, 0x71, 0x03 };
	const bool cme = str_eq(str_cut(&words, ' '), STR("cme"));
	size_t len = H224_HEADER_BYTES;
	bytes[7] = cme ? 0 : 1;
	bytes[8] = 0xC0;
	while (words.len != 0)
		bytes[len++] = (uint8_t)hex(str_cut(&words, ' '));
	fecc_input(&play->fecc, bytes, len, play->now_us);
}

static void
order(struct play *play, struct str words)
{
	const struct str verb = str_cut(&words, ' ');
	const unsigned value = hex(str_cut(&words, ' '));
	uint32_t ms = 1000;
	const bool refused = str_eq(words, STR("refused"));
	if (str_eq(verb, STR("move"))) {
		EXPECT(refused || words.len == 0 || str_u32(words, &ms));
		EXPECT_EQ(fecc_move(&play->fecc, (uint8_t)value, ms * INT64_C(1000), play->now_us),
		          !refused);
	} else if (str_eq(verb, STR("preset"))) {
		EXPECT_EQ(fecc_preset(&play->fecc, (uint8_t)value, play->now_us), !refused);
	} else if (str_eq(verb, STR("offer"))) {
		const struct fecc_settings settings = { .can = (uint8_t)value };
		fecc_offer(&play->fecc, &settings, play->now_us);
	} else {
		EXPECT(str_eq(verb, STR("stop")));
		fecc_stop(&play->fecc, play->now_us);
	}
}

static void
pass(struct play *play, struct str ms)
{
	uint32_t value = 0;
	EXPECT(str_u32(ms, &value));
	const int64_t until_us = play->now_us + value * INT64_C(1000);
	while (fecc_deadline(&play->fecc) <= until_us) {
		play->now_us = fecc_deadline(&play->fecc);
		fecc_tick(&play->fecc, play->now_us);
		drain(play);
		EXPECT(fecc_deadline(&play->fecc) > play->now_us);
	}
	play->now_us = until_us;
	fecc_tick(&play->fecc, until_us);
}

static void
play_script(uint8_t can, uint8_t presets, const char *script)
{
	static struct play play;
	const struct fecc_settings settings = { .can = can, .presets = presets };
	struct str rest = str_of(script);
	play = (struct play){ 0 };
	fecc_init(&play.fecc, &settings, 0);
	drain(&play);
	while (rest.len != 0) {
		const struct str line = str_trim(str_cut(&rest, '\n'));
		play.line_number++;
		if (line.len == 0)
			continue;
		if (line.at[0] == '<' || line.at[0] == '!') {
			expect_line(&play, line);
			continue;
		}
		if (play.next != play.count)
			expect_line(&play, STR("(nothing more)"));
		play.next = play.count = 0;
		const struct str words = str_trim(str_sub(line, 1, line.len - 1));
		if (line.at[0] == '>')
			send(&play, words);
		else if (line.at[0] == '=')
			order(&play, words);
		else
			pass(&play, words);
		drain(&play);
	}
	if (play.next != play.count)
		expect_line(&play, STR("(nothing more)"));
}

/* The camera of most scenes can do all but focus, and keeps two presets. */
#define MEETING                        \
	"< cme 01 00 01 81\n"          \
	"< cme 02 00 81 00 14 00\n"    \
	"< cme 01 ff\n"                \
	"> cme 01 00 01 81\n"          \
	"< cme 01 00 01 81\n"          \
	"< cme 02 00 81 00 14 00\n"    \
	"> cme 02 00 81 02 14 e0\n"    \
	"! available e0\n"             \
	"+60000\n"

TEST(two_sides_meet_and_are_quiet_then)
{
	play_script(0, 0,
	            MEETING
	            "> cme 02 00 81 02 14 e0\n"
	            "> cme 01 ff\n"
	            "< cme 01 00 01 81\n"
	            "> cme 02 ff 01\n"
	            "< cme 02 00 81 00 14 00\n"
	            "> cme 02 00 81 02 14 00\n" /* the camera was unplugged */
	            "! available 00\n");
}

TEST(a_silent_device_is_told_five_times)
{
	play_script(H281_CAN_PAN | H281_CAN_ZOOM, 3,
	            "< cme 01 00 01 81\n"
	            "< cme 02 00 81 03 14 a0\n"
	            "< cme 01 ff\n"
	            "+1000\n"
	            "< cme 01 00 01 81\n"
	            "< cme 02 00 81 03 14 a0\n"
	            "< cme 01 ff\n"
	            "+2000\n"
	            "< cme 01 00 01 81\n"
	            "< cme 02 00 81 03 14 a0\n"
	            "< cme 01 ff\n"
	            "> cme 01 00 01 81\n" /* it is there, but its capabilities were lost */
	            "< cme 01 00 01 81\n"
	            "< cme 02 00 81 03 14 a0\n"
	            "+4000\n"
	            "< cme 01 00 01 81\n"
	            "< cme 02 00 81 03 14 a0\n"
	            "< cme 02 ff 01\n"
	            "+8000\n"
	            "< cme 01 00 01 81\n"
	            "< cme 02 00 81 03 14 a0\n"
	            "< cme 02 ff 01\n"
	            "+60000\n");
}

TEST(a_device_without_camera_control_is_left_alone)
{
	play_script(0, 0,
	            "< cme 01 00 01 81\n"
	            "< cme 02 00 81 00 14 00\n"
	            "< cme 01 ff\n"
	            "> cme 01 00 00\n"
	            "< cme 01 00 01 81\n"
	            "< cme 02 00 81 00 14 00\n"
	            "= move c0 refused\n"
	            "= preset 00 refused\n"
	            "+60000\n");
}

TEST(its_camera_moves_until_we_stop_it)
{
	play_script(0, 0,
	            MEETING
	            "= move 80 3000\n"
	            "< camera 01 80 00\n"
	            "+399\n"
	            "+1\n"
	            "< camera 02 80\n"
	            "+400\n"
	            "< camera 02 80\n"
	            "= stop\n"
	            "< camera 03 80\n"
	            "= stop\n"
	            "+60000\n");
}

TEST(its_camera_stops_after_the_time_asked_for_and_never_runs_for_ever)
{
	play_script(0, 0,
	            MEETING
	            "= move c0 500\n"
	            "< camera 01 c0 00\n"
	            "+500\n"
	            "< camera 02 c0\n"
	            "< camera 03 c0\n"
	            "= move c0 300\n"
	            "< camera 01 c0 00\n"
	            "+200\n"
	            "= move c0 300\n" /* the button is held: no new start */
	            "+300\n"
	            "< camera 02 c0\n"
	            "< camera 03 c0\n");
	struct fecc fecc;
	const struct fecc_settings settings = { 0 };
	static const uint8_t capabilities[] = { 0x00, 0x71, 0x03, 0, 0, 0, 0, 0,
		                                0xC0, 2,    0,    0x81, 0, 0x14, 0xF0 };
	fecc_init(&fecc, &settings, 0);
	fecc_input(&fecc, capabilities, sizeof capabilities, 0);
	EXPECT(fecc_move(&fecc, H281_FOCUS_IN, INT64_MAX, 0));
	EXPECT_EQ(fecc.end_us, FECC_MOVE_US_MAX);
}

TEST(another_direction_begins_when_the_first_has_ended)
{
	play_script(0, 0,
	            MEETING
	            "= move 80\n"
	            "< camera 01 80 00\n"
	            "= move 30\n"
	            "< camera 03 80\n"
	            "< camera 01 30 00\n"
	            "= move b3\n" /* it has no focus: the rest is done */
	            "< camera 03 30\n"
	            "< camera 01 b0 00\n"
	            "= move 02 refused\n"
	            "= preset 01\n"
	            "< camera 03 b0\n"
	            "< camera 07 10\n"
	            "= preset 02 refused\n");
}

TEST(it_moves_our_camera_until_it_stops_or_falls_silent)
{
	play_script(H281_CAN_PAN | H281_CAN_TILT, 2,
	            "< cme 01 00 01 81\n"
	            "< cme 02 00 81 02 14 c0\n"
	            "< cme 01 ff\n"
	            "> cme 02 00 81 00 14 00\n"
	            "> camera 01 8c 00\n" /* zoom we have not: pan left it is */
	            "! move 80\n"
	            "+700\n"
	            "> camera 02 8c\n"
	            "+700\n"
	            "> camera 02 8c\n"
	            "+799\n"
	            "+1\n"
	            "! stop\n"
	            "> camera 02 8c\n"
	            "> camera 01 30 02\n"
	            "! move 30\n"
	            "> camera 01 30 02\n"
	            "+50\n"
	            "> camera 01 20 02\n"
	            "! stop\n"
	            "! move 20\n"
	            "> camera 03 00\n"
	            "! stop\n"
	            "> camera 03 20\n"
	            "> camera 01 0c 00\n"
	            "> camera 01 c0 00\n"
	            "! move c0\n"
	            "= offer 40\n"
	            "< cme 02 00 81 00 14 40\n"
	            "! stop\n");
}

TEST(it_selects_sources_and_presets)
{
	play_script(H281_CAN_PAN, 2,
	            "< cme 01 00 01 81\n"
	            "< cme 02 00 81 02 14 80\n"
	            "< cme 01 ff\n"
	            "> cme 02 00 81 00 14 00\n"
	            "> camera 04 10\n"
	            "< camera 05 10\n"
	            "! source 1\n"
	            "> camera 04 20\n"
	            "! source 2\n"
	            "> camera 06 10\n"
	            "! store 1\n"
	            "> camera 07 00\n"
	            "! activate 0\n"
	            "> camera 07 20\n" /* which we do not keep */
	            "> camera 05 10\n");
}

TEST(junk_is_counted)
{
	struct fecc fecc;
	const struct fecc_settings settings = { 0 };
	char text[128];
	fecc_init(&fecc, &settings, 0);
	fecc_input(&fecc, (const uint8_t *)"BFCP", 4, 0);
	EXPECT_EQ(fecc.rejects[H224_REJECT_SHORT], 1);
	struct writer w = writer_of(text, sizeof text);
	fecc_dump(&fecc, &w);
	EXPECT_STR(writer_view(&w),
	           "fecc ours=00 its=00 presets=0 told=1 action=00 its_action=00 silent\n");
}

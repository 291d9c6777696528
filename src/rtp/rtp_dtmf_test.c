/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: every press is told once and released once, whatever the network did to its packets; what
 * we send is what we read.
 * Method: dialogues in a table, one line a packet (RFC 4733 s5.1's call as the first); then sent
 * digits through a lossy, repeating link into the receiver. */
#include "rtp/rtp_dtmf.h"

#include <string.h>

#include "base/check.h"
#include "base/prng.h"
#include "base/test.h"

enum {
	MS = 1000,
	HZ = 8000,
};

struct step {
	int at_ms;
	uint32_t timestamp_rtp; /* 0: only time passes */
	bool marker;
	uint8_t event;
	bool end;
	uint16_t duration_rtp;
	const char *want; /* "+5" pressed, "-5@100" released after 100 ms; blanks between */
};

static void
take_events(struct dtmf_receive *receive, char *text, size_t cap)
{
	struct writer w = writer_of(text, cap);
	for (struct dtmf_event event; (event = dtmf_receive_poll(receive)).kind != DTMF_NONE;) {
		if (w.at != 0)
			writer_text(&w, " ");
		if (event.kind == DTMF_PRESSED)
			writer_format(&w, "+%c", event.digit);
		else
			writer_format(&w, "-%c@%u", event.digit, event.duration_us / MS);
	}
	writer_u8(&w, 0);
	EXPECT(!w.failed);
}

static void
play(const struct step *steps, size_t count)
{
	struct dtmf_receive receive;
	dtmf_receive_init(&receive, HZ);
	for (size_t i = 0; i < count; i++) {
		const struct step *step = &steps[i];
		const int64_t now_us = (int64_t)step->at_ms * MS;
		const uint8_t payload[DTMF_PAYLOAD_BYTES] = { step->event,
			                                      (uint8_t)(step->end ? 0x8a : 0x0a),
			                                      (uint8_t)(step->duration_rtp >> 8),
			                                      (uint8_t)step->duration_rtp };
		char got[64];
		if (step->timestamp_rtp != 0)
			dtmf_receive_input(&receive, step->timestamp_rtp, step->marker, payload,
			                   sizeof payload, now_us);
		else
			dtmf_receive_tick(&receive, now_us);
		take_events(&receive, got, sizeof got);
		EXPECT_STR(str_of(got), step->want);
	}
}

TEST(a_call_of_rfc_4733_is_two_presses)
{
	static const struct step steps[] = {
		{ 0, 11200, true, 9, false, 400, "+9" },
		{ 50, 11200, false, 9, false, 800, "" },
		{ 100, 11200, false, 9, false, 1200, "" },
		{ 150, 11200, false, 9, true, 1600, "-9@200" },
		{ 160, 11200, false, 9, true, 1600, "" },
		{ 170, 11200, false, 9, true, 1600, "" },
		{ 400, 14000, true, 1, false, 400, "+1" },
		{ 450, 14000, false, 1, true, 800, "-1@100" },
		{ 460, 14000, false, 1, true, 800, "" },
	};
	play(steps, COUNT_OF(steps));
}

TEST(a_lost_start_is_a_press_all_the_same)
{
	static const struct step steps[] = {
		{ 0, 800, false, 10, false, 800, "+*" },
		{ 50, 800, false, 10, true, 1200, "-*@150" },
		{ 500, 8000, false, 11, true, 800, "+# -#@100" }, /* one end arrived */
		{ 510, 8000, false, 11, true, 800, "" },
	};
	play(steps, COUNT_OF(steps));
}

TEST(a_lost_end_is_released_by_time_or_by_the_next_press)
{
	static const struct step steps[] = {
		{ 0, 800, true, 1, false, 160, "+1" },
		{ 50, 800, false, 1, false, 560, "" },
		{ 249, 0, false, 0, false, 0, "" },
		{ 250, 0, false, 0, false, 0, "-1@70" },
		{ 260, 800, false, 1, true, 960, "" }, /* the end came too late */
		{ 300, 4000, true, 2, false, 160, "+2" },
		{ 350, 8000, true, 2, false, 160, "-2@20 +2" },
		{ 400, 9600, true, 3, true, 800, "-2@20 +3 -3@100" },
	};
	play(steps, COUNT_OF(steps));
}

TEST(late_packets_of_an_earlier_press_are_stale)
{
	static const struct step steps[] = {
		{ 0, 8000, true, 4, true, 800, "+4 -4@100" },
		{ 200, 9600, true, 5, false, 160, "+5" },
		{ 210, 8000, false, 4, true, 800, "" },
		{ 220, 9600, false, 5, false, 560, "" },
		{ 230, 9600, false, 5, false, 400, "" }, /* reordered: durations do not shrink */
		{ 430, 0, false, 0, false, 0, "-5@70" },
	};
	play(steps, COUNT_OF(steps));
}

TEST(a_long_press_goes_on_in_segments)
{
	static const struct step steps[] = {
		{ 0, 1000, true, 6, false, 400, "+6" },
		{ 100, 1000, false, 6, false, 0xffff, "" },
		{ 200, 1000 + 0xffff, false, 6, false, 400, "" },
		{ 300, 1000 + 2 * 0xffff, false, 6, false, 400, "" }, /* a whole report was lost */
		{ 400, 1000 + 2 * 0xffff, false, 6, true, 800, "-6@16483" },
	};
	play(steps, COUNT_OF(steps));
}

TEST(what_is_no_key_is_counted)
{
	struct dtmf_receive receive;
	static const uint8_t flash[4] = { 16, 0x8a, 0, 80 };
	dtmf_receive_init(&receive, HZ);
	for (size_t len = 0; len < DTMF_PAYLOAD_BYTES; len++)
		dtmf_receive_input(&receive, 1, true, flash + 1, len, 0);
	dtmf_receive_input(&receive, 1, true, flash, sizeof flash, 0);
	EXPECT_EQ(receive.malformed, 5);
	EXPECT_EQ(dtmf_receive_poll(&receive).kind, DTMF_NONE);
	EXPECT_EQ(dtmf_receive_deadline(&receive), INT64_MAX);
}

TEST(keys_have_names)
{
	for (uint8_t event = 0; event < DTMF_EVENTS; event++)
		EXPECT_EQ(dtmf_event_of(dtmf_char(event)), event);
	EXPECT_EQ(dtmf_event_of('d'), 15);
	EXPECT_EQ(dtmf_event_of('\0'), -1);
	EXPECT_EQ(dtmf_event_of('x'), -1);
}

/* ---- Sending ---- */

TEST(a_digit_is_started_updated_and_ended_three_times)
{
	static const struct {
		int at_ms;
		bool marker;
		uint8_t flags;
		uint16_t duration_rtp;
	} want[] = {
		{ 1000, true, 0x0a, 160 },  { 1050, false, 0x0a, 400 }, { 1100, false, 0x8a, 800 },
		{ 1120, false, 0x8a, 800 }, { 1140, false, 0x8a, 800 }, { 1160, true, 0x0a, 160 },
	};
	struct dtmf_send send;
	dtmf_send_init(&send, HZ);
	EXPECT_EQ(dtmf_send_deadline(&send), INT64_MAX);
	EXPECT(dtmf_send_digits(&send, "57", 2, 1000 * MS));
	for (size_t i = 0; i < COUNT_OF(want); i++) {
		struct dtmf_packet packet;
		const int64_t now_us = dtmf_send_deadline(&send);
		EXPECT_EQ(now_us, (int64_t)want[i].at_ms * MS);
		EXPECT(!dtmf_send_poll(&send, 1, now_us - 1, &packet));
		EXPECT(dtmf_send_poll(&send, (uint32_t)want[i].at_ms * 8, now_us, &packet));
		EXPECT_EQ(packet.timestamp_rtp, i < 5 ? 8000 : 1160 * 8);
		EXPECT_EQ(packet.marker, want[i].marker);
		EXPECT_EQ(packet.payload[0], i < 5 ? 5 : 7);
		EXPECT_EQ(packet.payload[1], want[i].flags);
		EXPECT_EQ(packet.payload[2] << 8 | packet.payload[3], want[i].duration_rtp);
		EXPECT_EQ(dtmf_send_active(&send), i != 4);
	}
}

TEST(digits_are_taken_whole_or_not_at_all)
{
	struct dtmf_send send;
	static const char many[DTMF_QUEUE_MAX + 1] = { '1' };
	dtmf_send_init(&send, HZ);
	EXPECT(!dtmf_send_digits(&send, "12x", 3, 0));
	EXPECT(!dtmf_send_digits(&send, many, sizeof many, 0));
	EXPECT_EQ(dtmf_send_deadline(&send), INT64_MAX);
	char full[DTMF_QUEUE_MAX];
	memset(full, '7', sizeof full);
	EXPECT(dtmf_send_digits(&send, full, sizeof full, 0));
	EXPECT(!dtmf_send_digits(&send, "1", 1, 0));
}

TEST(what_we_send_is_heard_over_a_bad_link)
{
	static const char digits[] = "0123456789*#ABCD,,5566";
	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct dtmf_send send;
		struct dtmf_receive receive;
		struct prng prng;
		char pressed[32] = "";
		size_t pressed_count = 0;
		size_t released_count = 0;
		prng_init(&prng, seed);
		dtmf_send_init(&send, HZ);
		dtmf_receive_init(&receive, HZ);
		EXPECT(dtmf_send_digits(&send, digits, sizeof digits - 1, 0));
		for (int64_t now_us = 0; now_us < 10000 * MS; now_us += 5 * MS) {
			struct dtmf_packet packet;
			dtmf_receive_tick(&receive, now_us);
			bool polled = false;
			do {
				for (struct dtmf_event event;
				     (event = dtmf_receive_poll(&receive)).kind != DTMF_NONE;) {
					if (event.kind == DTMF_PRESSED)
						pressed[pressed_count++ % 31] = event.digit;
					else
						released_count++;
				}
				polled = dtmf_send_poll(&send, (uint32_t)(now_us / 125), now_us,
				                        &packet);
				/* One in five is lost, but never all five of a press: the marker
				 * packet is spared. */
				if (polled && (packet.marker || prng_below(&prng, 5) != 0))
					dtmf_receive_input(&receive, packet.timestamp_rtp,
					                   packet.marker, packet.payload,
					                   sizeof packet.payload, now_us);
			} while (polled);
		}
		EXPECT_STR(str_of(pressed), "0123456789*#ABCD5566");
		EXPECT_EQ(released_count, pressed_count);
	}
}

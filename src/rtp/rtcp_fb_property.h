/* SPDX-License-Identifier: Apache-2.0 */
/* rtcp_fb_property -- what holds for any bytes, for the unit tests and the fuzz target alike. */
#ifndef RTP_RTCP_FB_PROPERTY_H
#define RTP_RTCP_FB_PROPERTY_H

#include "base/check.h"
#include "rtp/rtcp_fb.h"

/* A transport-wide message that was taken gives as many statuses as it claims, and what we write of
 * them is read back the same. */
static inline void
rtcp_twcc_property(const struct rtcp_fb *fb)
{
	static int64_t at_us[RTCP_FB_STATUSES_MAX];
	static uint8_t bytes[1 << 16];
	const int64_t epoch_us = INT64_C(1) << 39; /* no arrival is before zero, none wraps */
	struct rtcp_twcc_walk walk;
	struct rtcp_twcc_status status;
	unsigned count = 0;
	bool any = false;
	rtcp_twcc_walk_init(&walk, fb);
	while (rtcp_twcc_walk_next(&walk, &status)) {
		at_us[count++] = status.received ? epoch_us + status.at_us : -1;
		any |= status.received;
	}
	CHECK(count == fb->count);

	struct writer w = writer_of(bytes, sizeof bytes);
	const struct rtcp_twcc_report report = { .base_seq = rtcp_fb_twcc(fb).base_seq,
		                                 .at_us = at_us,
		                                 .count = count };
	const unsigned told = rtcp_fb_write_twcc(&w, &report);
	CHECK((told != 0) == any);
	if (told == 0)
		return;
	struct rtcp_packet packet;
	struct rtcp_fb again;
	size_t at = 0;
	CHECK(rtcp_parse(bytes, w.at, true) == RTCP_OK);
	CHECK(rtcp_next(bytes, w.at, &at, &packet));
	CHECK(rtcp_fb_parse(&again, &packet) == RTCP_FB_OK);
	CHECK(again.kind == RTCP_FB_TWCC && again.count == told);
	const int64_t reference_us = (int64_t)rtcp_fb_twcc(&again).reference * RTCP_TWCC_REFERENCE;
	rtcp_twcc_walk_init(&walk, &again);
	for (unsigned i = 0; rtcp_twcc_walk_next(&walk, &status); i++) {
		CHECK(status.received == (at_us[i] >= 0));
		const int64_t off_us = reference_us + status.at_us - at_us[i];
		CHECK(!status.received || (off_us <= 0 && off_us > -RTCP_TWCC_TICK));
	}
}

static inline void
rtcp_fb_packet_property(const struct rtcp_packet *packet)
{
	struct rtcp_fb fb;
	if (rtcp_fb_parse(&fb, packet) != RTCP_FB_OK)
		return;
	CHECK(fb.fci + fb.fci_len <= packet->body + packet->body_len);
	uint32_t at = 0;
	uint16_t seq;
	unsigned seqs = 0;
	while (fb.kind == RTCP_FB_NACK && rtcp_fb_nack_next(&fb, &at, &seq))
		CHECK(++seqs <= 17u * fb.count);
	CHECK(fb.kind != RTCP_FB_NACK || seqs >= fb.count);
	for (unsigned i = 0; i < fb.count; i++) {
		if (fb.kind == RTCP_FB_FIR)
			(void)rtcp_fb_fir(&fb, i);
		if (fb.kind == RTCP_FB_TMMBR || fb.kind == RTCP_FB_TMMBN)
			CHECK(rtcp_fb_tmmb(&fb, i).bitrate_bps >> 63 == 0);
		if (fb.kind == RTCP_FB_REMB)
			(void)rtcp_fb_remb_ssrc(&fb, i);
	}
	if (fb.kind == RTCP_FB_REMB)
		CHECK(rtcp_fb_remb_bps(&fb) >> 63 == 0);
	if (fb.kind == RTCP_FB_TWCC)
		rtcp_twcc_property(&fb);
}

/* Every packet of a datagram that rtcp_parse() takes. */
static inline void
rtcp_fb_property(const uint8_t *bytes, size_t len)
{
	struct rtcp_packet packet;
	size_t at = 0;
	if (rtcp_parse(bytes, len, true) != RTCP_OK)
		return;
	while (rtcp_next(bytes, len, &at, &packet))
		rtcp_fb_packet_property(&packet);
}

#endif

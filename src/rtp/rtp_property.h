/* SPDX-License-Identifier: Apache-2.0 */
/* rtp_property -- what holds for any bytes, for the unit tests and the fuzz targets alike. */
#ifndef RTP_RTP_PROPERTY_H
#define RTP_RTP_PROPERTY_H

#include "base/check.h"
#include "rtp/rtcp.h"
#include "rtp/rtp.h"

/* Whatever was accepted lies inside the bytes that were given, in order, and adds up. */
static inline void
rtp_property(const uint8_t *bytes, size_t len)
{
	struct rtp_packet packet;
	if (rtp_parse(&packet, bytes, len) != RTP_OK)
		return;
	CHECK(packet.len == len);
	CHECK(packet.payload_at >= RTP_HEADER_BYTES + 4u * packet.csrc_count);
	CHECK((size_t)packet.payload_at + packet.payload_len <= len);
	CHECK(packet.ext_at + packet.ext_len <= packet.payload_at);
	for (unsigned i = 0; i < packet.csrc_count; i++)
		(void)rtp_csrc(&packet, i);

	struct rtp_ext ext;
	uint16_t at = 0;
	unsigned count = 0;
	while (rtp_ext_next(&packet, &at, &ext)) {
		CHECK(ext.id != 0);
		CHECK(ext.value >= bytes + packet.ext_at);
		CHECK(ext.value + ext.len <= bytes + packet.ext_at + packet.ext_len);
		CHECK(++count <= packet.ext_len);
	}
}

/* The same for RTCP: every accessor works on every packet of an accepted datagram. */
static inline void
rtcp_property(const uint8_t *bytes, size_t len, bool reduced)
{
	if (rtcp_parse(bytes, len, reduced) != RTCP_OK)
		return;
	struct rtcp_packet packet;
	size_t at = 0;
	unsigned count = 0;
	while (rtcp_next(bytes, len, &at, &packet)) {
		CHECK(packet.body + packet.body_len <= bytes + at && at <= len);
		CHECK(++count <= RTCP_PACKETS_MAX);
		if (packet.type == RTCP_SR)
			(void)rtcp_sender_info(&packet);
		for (unsigned i = 0; i < packet.count; i++) {
			if (packet.type == RTCP_SR || packet.type == RTCP_RR)
				(void)rtcp_block(&packet, i);
		}
		if (packet.type == RTCP_BYE) {
			const struct str reason = rtcp_bye_reason(&packet);
			CHECK(reason.len == 0 ||
			      (const uint8_t *)reason.at + reason.len <= bytes + at);
			(void)rtcp_bye_names(&packet, 1);
		}
		if (packet.type == RTCP_SDES) {
			const struct str cname = rtcp_cname(&packet, packet.ssrc);
			CHECK(cname.len == 0 ||
			      (const uint8_t *)cname.at + cname.len <= bytes + at);
		}
	}
	CHECK(at == len);
}

#endif

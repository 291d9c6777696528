/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by rtcp_fb.c and rtcp_twcc.c only. */
#ifndef RTP_RTCP_FB_INTERNAL_H
#define RTP_RTCP_FB_INTERNAL_H

#include "rtp/rtcp_fb.h"

enum {
	RTCP_FB_FMT_TWCC = 15, /* of RTPFB */
};

struct rtcp_fb_header {
	enum rtcp_type type;
	unsigned fmt;
	uint32_t sender_ssrc, media_ssrc;
	size_t fci_len;
};

/* The header of a message for which there is room as a whole; else fails the writer. */
bool rtcp_fb_write_header(struct writer *w, const struct rtcp_fb_header *header);

/* Checks a transport-wide FCI; fills count and deltas_at. */
[[nodiscard]] enum rtcp_fb_reject rtcp_twcc_check(struct rtcp_fb *fb);

#endif

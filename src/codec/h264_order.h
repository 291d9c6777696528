/* SPDX-License-Identifier: Apache-2.0 */
/* h264_order -- does an H.264 frame follow the one before it?
 *
 * Reference frames are numbered (ITU-T H.264 7.4.3, frame_num).  A decoder that misses one goes on
 * with the wrong reference and shows smears; libavcodec does so without a word.  This looks at
 * parameter sets and slice headers only.
 *
 * Ownership  A value; zeroed it knows no stream yet.
 * Threads    One owner.
 * Units      Annex B: one access unit.
 * Errors     What it cannot read it lets through: the decoder will judge it.
 */
#ifndef CODEC_H264_ORDER_H
#define CODEC_H264_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	H264_ORDER_SPS_MAX = 32, /* ids that may be used */
	H264_ORDER_PPS_MAX = 256,
};

struct h264_order {
	struct {
		uint8_t frame_num_bits; /* 0: not seen */
		bool separate_planes;
		bool gaps_allowed; /* frames may be left out: temporal layers */
	} sps[H264_ORDER_SPS_MAX];
	uint8_t pps_sps[H264_ORDER_PPS_MAX]; /* its SPS and 1; 0: not seen */
	bool started;
	uint32_t reference; /* frame_num of the last frame that is one */
};

/* False: a frame before it is missing. */
[[nodiscard]] bool h264_order_follows(struct h264_order *order, const uint8_t *bytes, size_t len);

#endif

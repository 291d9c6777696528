/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/h264_order.h"

#include <string.h>

enum {
	NAL_SLICE = 1,
	NAL_IDR = 5,
	NAL_SPS = 7,
	NAL_PPS = 8,
	HEADER_BYTES_MAX = 512, /* of a NAL unit, as much as is looked at */
	FRAME_NUM_BITS_MAX = 16,
};

/* Bits of a NAL unit; a read beyond its end gives zeros and is remembered. */
struct bits {
	uint8_t bytes[HEADER_BYTES_MAX]; /* without emulation prevention (7.4.1) */
	size_t len;
	size_t at; /* bits */
	bool short_read;
};

static void
bits_init(struct bits *bits, const uint8_t *nal, size_t len)
{
	unsigned zeros = 0;
	bits->len = bits->at = 0;
	bits->short_read = false;
	for (size_t i = 0; i < len && bits->len < HEADER_BYTES_MAX; i++) {
		if (zeros >= 2 && nal[i] == 3) {
			zeros = 0;
			continue;
		}
		zeros = nal[i] == 0 ? zeros + 1 : 0;
		bits->bytes[bits->len++] = nal[i];
	}
}

static uint32_t
read_bits(struct bits *bits, unsigned count)
{
	uint32_t value = 0;
	for (; count != 0; count--, bits->at++) {
		const size_t byte = bits->at / 8;
		bits->short_read |= byte >= bits->len;
		const unsigned bit =
		        byte < bits->len ? bits->bytes[byte] >> (7 - bits->at % 8) & 1u : 0;
		value = value << 1 | bit;
	}
	return value;
}

/* ue(v), 9.1. */
static uint32_t
read_ue(struct bits *bits)
{
	unsigned zeros = 0;
	while (zeros < 31 && !bits->short_read && read_bits(bits, 1) == 0)
		zeros++;
	return (1u << zeros) - 1 + read_bits(bits, zeros);
}

static int32_t
read_se(struct bits *bits)
{
	const uint32_t value = read_ue(bits);
	return value % 2 != 0 ? (int32_t)(value / 2 + 1) : -(int32_t)(value / 2);
}

static void
skip_scaling_list(struct bits *bits, unsigned size)
{
	int32_t last = 8, next = 8;
	for (unsigned i = 0; i < size && !bits->short_read; i++) {
		if (next != 0)
			next = (last + read_se(bits) + 256) % 256;
		last = next == 0 ? last : next;
	}
}

static bool
has_chroma_format(uint32_t profile)
{
	static const uint8_t profiles[] = { 100, 110, 122, 244, 44,  83, 86,
		                            118, 128, 138, 139, 134, 135 };
	return memchr(profiles, (int)profile, sizeof profiles) != NULL;
}

/* 7.3.2.1.1, as far as gaps_in_frame_num_value_allowed_flag. */
static void
read_sps(struct h264_order *order, struct bits *bits)
{
	const uint32_t profile = read_bits(bits, 8);
	read_bits(bits, 16);
	const uint32_t id = read_ue(bits);
	bool separate_planes = false;
	if (has_chroma_format(profile)) {
		const uint32_t format = read_ue(bits);
		if (format == 3)
			separate_planes = read_bits(bits, 1) != 0;
		read_ue(bits);
		read_ue(bits);
		read_bits(bits, 1);
		const bool matrix = read_bits(bits, 1) != 0;
		for (unsigned i = 0; matrix && i < (format == 3 ? 12 : 8); i++)
			if (read_bits(bits, 1) != 0)
				skip_scaling_list(bits, i < 6 ? 16 : 64);
	}
	const uint32_t frame_num_bits = read_ue(bits) + 4;
	const uint32_t order_type = read_ue(bits);
	if (order_type == 0) {
		read_ue(bits);
	} else if (order_type == 1) {
		read_bits(bits, 1);
		read_se(bits);
		read_se(bits);
		const uint32_t cycle = read_ue(bits);
		for (uint32_t i = 0; i < cycle && i < 256; i++)
			read_se(bits);
	}
	read_ue(bits); /* max_num_ref_frames */
	const bool gaps_allowed = read_bits(bits, 1) != 0;
	if (bits->short_read || id >= H264_ORDER_SPS_MAX || frame_num_bits > FRAME_NUM_BITS_MAX)
		return;
	order->sps[id].frame_num_bits = (uint8_t)frame_num_bits;
	order->sps[id].separate_planes = separate_planes;
	order->sps[id].gaps_allowed = gaps_allowed;
}

static void
read_pps(struct h264_order *order, struct bits *bits)
{
	const uint32_t id = read_ue(bits);
	const uint32_t sps = read_ue(bits);
	if (!bits->short_read && id < H264_ORDER_PPS_MAX && sps < H264_ORDER_SPS_MAX)
		order->pps_sps[id] = (uint8_t)(sps + 1);
}

/* The first slice of a picture, 7.3.3. */
static bool
slice_follows(struct h264_order *order, struct bits *bits, bool idr, bool is_reference)
{
	read_ue(bits); /* first_mb_in_slice */
	read_ue(bits); /* slice_type */
	const uint32_t pps = read_ue(bits);
	if (bits->short_read || pps >= H264_ORDER_PPS_MAX || order->pps_sps[pps] == 0)
		return true;
	const unsigned sps = order->pps_sps[pps] - 1u;
	if (order->sps[sps].frame_num_bits == 0)
		return true;
	if (order->sps[sps].separate_planes)
		read_bits(bits, 2);
	const unsigned frame_num_bits = order->sps[sps].frame_num_bits;
	const uint32_t frame_num = read_bits(bits, frame_num_bits);
	if (bits->short_read)
		return true;
	/* The second field of a frame has its number again. */
	const uint32_t next = (order->reference + 1) & ((1u << frame_num_bits) - 1);
	const bool follows = idr || !order->started || order->sps[sps].gaps_allowed ||
	                     frame_num == next || frame_num == order->reference;
	order->started = true;
	if (is_reference)
		order->reference = frame_num;
	return follows;
}

/* Where the next start code ends, or `len`. */
static size_t
next_nal(const uint8_t *bytes, size_t len, size_t at)
{
	for (; at + 3 <= len; at++)
		if (bytes[at] == 0 && bytes[at + 1] == 0 && bytes[at + 2] == 1)
			return at + 3;
	return len;
}

bool
h264_order_follows(struct h264_order *order, const uint8_t *bytes, size_t len)
{
	for (size_t at = next_nal(bytes, len, 0); at < len; at = next_nal(bytes, len, at)) {
		const unsigned type = bytes[at] & 0x1f;
		const bool is_reference = (bytes[at] & 0x60) != 0;
		struct bits bits;
		if (type != NAL_SPS && type != NAL_PPS && type != NAL_IDR && type != NAL_SLICE)
			continue;
		bits_init(&bits, bytes + at + 1, len - at - 1);
		if (type == NAL_SPS)
			read_sps(order, &bits);
		else if (type == NAL_PPS)
			read_pps(order, &bits);
		else
			return slice_follows(order, &bits, type == NAL_IDR, is_reference);
	}
	return true;
}

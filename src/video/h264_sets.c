/* SPDX-License-Identifier: Apache-2.0 */
/* Parameter sets of H.264 (s7.3.2.1, s7.3.2.2): read as far as the size, kept, and written. */
#include <string.h>

#include "base/check.h"
#include "video/bits.h"
#include "video/h264.h"

enum {
	TYPE = 0x1f,
	REFERENCE = 0x60,
	SPS_ID_MAX = 31,
	PPS_ID_MAX = 255,
	SIDE_MACROBLOCKS_MAX = 4095, /* fits 16 bits of pixels */
	REFERENCE_FRAMES_MAX = 16,
	CYCLE_FRAMES_MAX = 255, /* num_ref_frames_in_pic_order_cnt_cycle */
	CHROMA_444 = 3,
};

/* The content of a NAL unit without emulation prevention (s7.3.1); what does not fit is cut off. */
static size_t
unescape(uint8_t *out, size_t cap, const uint8_t *nal, size_t len)
{
	size_t count = 0;
	unsigned zeros = 0;
	for (size_t i = 1; i < len && count < cap; i++) {
		if (zeros >= 2 && nal[i] == 3) {
			zeros = 0;
			continue;
		}
		zeros = nal[i] == 0 ? zeros + 1 : 0;
		out[count++] = nal[i];
	}
	return count;
}

static bool
has_chroma_format(uint8_t profile_idc)
{
	static const uint8_t profiles[] = { 100, 110, 122, 244, 44,  83, 86,
		                            118, 128, 138, 139, 134, 135 };
	return memchr(profiles, profile_idc, sizeof profiles) != NULL;
}

/* s7.3.2.1.1.1; the deltas decide how many there are. */
static void
skip_scaling_list(struct bits *bits, unsigned count)
{
	int32_t last = 8;
	int32_t next = 8;
	for (unsigned i = 0; i < count && !bits->failed; i++) {
		if (next != 0) {
			const uint32_t code = bits_ue(bits);
			const int32_t magnitude = (int32_t)((code & 0xffff) + 1) / 2;
			next = (last + ((code & 1) != 0 ? magnitude : -magnitude)) & 0xff;
		}
		last = next == 0 ? last : next;
	}
}

/* What only the high profiles have; returns chroma_format_idc. */
static uint32_t
read_high(struct bits *bits, bool *planes)
{
	const uint32_t chroma = bits_ue(bits);
	if (chroma == CHROMA_444)
		*planes = bits_u(bits, 1) != 0;
	if (chroma > CHROMA_444 || bits_ue(bits) > 6 || bits_ue(bits) > 6) /* bit depths */
		bits->failed = true;
	bits_skip(bits, 1);
	if (bits_u(bits, 1) == 0)
		return chroma;
	const unsigned lists = chroma == CHROMA_444 ? 12 : 8;
	for (unsigned i = 0; i < lists; i++) {
		if (bits_u(bits, 1) != 0)
			skip_scaling_list(bits, i < 6 ? 16 : 64);
	}
	return chroma;
}

static void
skip_picture_order(struct bits *bits)
{
	const uint32_t type = bits_ue(bits);
	if (type == 0) {
		(void)bits_ue(bits);
	} else if (type == 1) {
		bits_skip(bits, 1);
		bits_skip_se(bits);
		bits_skip_se(bits);
		const uint32_t frames = bits_ue(bits);
		if (frames > CYCLE_FRAMES_MAX)
			bits->failed = true;
		for (uint32_t i = 0; i < frames && !bits->failed; i++)
			bits_skip_se(bits);
	} else if (type != 2) {
		bits->failed = true;
	}
}

/* Frame cropping in units of chroma samples (s7.4.2.1.1); false when nothing is left. */
static bool
crop(struct bits *bits, struct h264_sps *sps, uint32_t chroma, uint32_t width, uint32_t height)
{
	const uint32_t unit_x = chroma == 1 || chroma == 2 ? 2 : 1;
	const uint32_t unit_y = (chroma == 1 ? 2u : 1u) * (sps->interlaced ? 2 : 1);
	if (bits_u(bits, 1) != 0) {
		const uint64_t left = bits_ue(bits);
		const uint64_t right = bits_ue(bits);
		const uint64_t top = bits_ue(bits);
		const uint64_t bottom = bits_ue(bits);
		if ((left + right) * unit_x >= width || (top + bottom) * unit_y >= height)
			return false;
		width -= (uint32_t)(left + right) * unit_x;
		height -= (uint32_t)(top + bottom) * unit_y;
	}
	sps->width = (uint16_t)width;
	sps->height = (uint16_t)height;
	return true;
}

bool
h264_sps_parse(struct h264_sps *out, const uint8_t *nal, size_t len)
{
	uint8_t content[H264_SET_BYTES_MAX];
	if (len < 4 || (nal[0] & TYPE) != H264_NAL_SPS)
		return false;
	struct bits bits = bits_of(content, unescape(content, sizeof content, nal, len));
	struct h264_sps sps = { .profile_idc = (uint8_t)bits_u(&bits, 8) };
	sps.constraints = (uint8_t)bits_u(&bits, 8);
	sps.level_idc = (uint8_t)bits_u(&bits, 8);
	const uint32_t id = bits_ue(&bits);
	uint32_t chroma = 1;
	bool planes = false;
	if (has_chroma_format(sps.profile_idc))
		chroma = read_high(&bits, &planes);
	(void)bits_ue(&bits); /* log2_max_frame_num_minus4 */
	skip_picture_order(&bits);
	const uint32_t references = bits_ue(&bits);
	bits_skip(&bits, 1);
	const uint32_t across = bits_ue(&bits) + 1;
	const uint32_t units = bits_ue(&bits) + 1;
	sps.interlaced = bits_u(&bits, 1) == 0;
	if (sps.interlaced)
		bits_skip(&bits, 1);
	bits_skip(&bits, 1);
	if (id > SPS_ID_MAX || references > REFERENCE_FRAMES_MAX || across > SIDE_MACROBLOCKS_MAX ||
	    units > SIDE_MACROBLOCKS_MAX / 2 || across == 0 || units == 0)
		return false;
	sps.id = (uint8_t)id;
	sps.reference_frames = (uint8_t)references;
	const uint32_t down = units * (sps.interlaced ? 2 : 1);
	if (!crop(&bits, &sps, planes ? 0 : chroma, across * 16, down * 16) || bits.failed)
		return false;
	*out = sps;
	return true;
}

/* Baseline counts as constrained: what it has beyond that nobody sends.  The constraint flags of the
 * other profiles say which simpler decoders take a stream, too (H.264 sA.2). */
enum video_demand
h264_demand(const struct h264_sps *sps)
{
	switch (sps->profile_idc) {
	case H264_PROFILE_BASELINE:
		return VIDEO_DEMAND_BASE;
	case H264_PROFILE_MAIN:
	case H264_PROFILE_EXTENDED:
		if ((sps->constraints & H264_CONSTRAINT_SET0) != 0)
			return VIDEO_DEMAND_BASE;
		if (sps->profile_idc == H264_PROFILE_MAIN ||
		    (sps->constraints & H264_CONSTRAINT_SET1) != 0)
			return VIDEO_DEMAND_MAIN;
		return VIDEO_DEMAND_MORE;
	case H264_PROFILE_HIGH:
		return (sps->constraints & H264_CONSTRAINT_SET1) != 0 ? VIDEO_DEMAND_MAIN
		                                                      : VIDEO_DEMAND_HIGH;
	default:
		return VIDEO_DEMAND_MORE;
	}
}

/* ---- Kept ---- */

static unsigned
type_of(const uint8_t *nal)
{
	return nal[0] & TYPE;
}

static bool
read_id(const uint8_t *nal, size_t len, uint8_t *id)
{
	uint8_t content[8];
	struct bits bits = bits_of(content, unescape(content, sizeof content, nal, len));
	const bool sps = type_of(nal) == H264_NAL_SPS;
	if (sps)
		bits_skip(&bits, 24);
	const uint32_t value = bits_ue(&bits);
	*id = (uint8_t)value;
	return !bits.failed && value <= (sps ? SPS_ID_MAX : PPS_ID_MAX);
}

static void
remove_set(struct h264_sets *sets, unsigned at)
{
	sets->count--;
	memmove(&sets->sets[at], &sets->sets[at + 1], (sets->count - at) * sizeof sets->sets[0]);
}

static unsigned
count_of(const struct h264_sets *sets, unsigned type)
{
	unsigned count = 0;
	for (unsigned i = 0; i < sets->count; i++)
		count += type_of(sets->sets[i].bytes) == type;
	return count;
}

bool
h264_sets_keep(struct h264_sets *sets, const uint8_t *nal, size_t len)
{
	uint8_t id;
	if (len < 2 || len > H264_SET_BYTES_MAX ||
	    (type_of(nal) != H264_NAL_SPS && type_of(nal) != H264_NAL_PPS) ||
	    !read_id(nal, len, &id))
		return false;
	const bool sps = type_of(nal) == H264_NAL_SPS;
	for (unsigned i = 0; i < sets->count; i++) {
		const struct h264_set *set = &sets->sets[i];
		if (type_of(set->bytes) != type_of(nal) || set->id != id)
			continue;
		if (set->len == len && memcmp(set->bytes, nal, len) == 0)
			return false;
		remove_set(sets, i);
		break;
	}
	const unsigned sps_count = count_of(sets, H264_NAL_SPS);
	if (sps && sps_count == H264_SPS_MAX)
		remove_set(sets, 0);
	else if (!sps && sets->count - sps_count == H264_PPS_MAX)
		remove_set(sets, sps_count);
	const unsigned at = sps ? count_of(sets, H264_NAL_SPS) : sets->count;
	memmove(&sets->sets[at + 1], &sets->sets[at], (sets->count - at) * sizeof sets->sets[0]);
	sets->count++;
	sets->sets[at].id = id;
	sets->sets[at].len = (uint16_t)len;
	memcpy(sets->sets[at].bytes, nal, len);
	return true;
}

bool
h264_sets_complete(const struct h264_sets *sets)
{
	const unsigned sps_count = count_of(sets, H264_NAL_SPS);
	return sps_count != 0 && sps_count != sets->count;
}

void
h264_sets_write_annexb(const struct h264_sets *sets, struct writer *w)
{
	for (unsigned i = 0; i < sets->count; i++) {
		writer_u32(w, 1);
		writer_bytes(w, sets->sets[i].bytes, sets->sets[i].len);
	}
}

void
h264_sets_write_stap(const struct h264_sets *sets, struct writer *w)
{
	uint8_t reference = 0;
	for (unsigned i = 0; i < sets->count; i++) {
		const uint8_t bits = sets->sets[i].bytes[0] & REFERENCE;
		reference = bits > reference ? bits : reference;
	}
	writer_u8(w, (uint8_t)(reference | H264_NAL_STAP_A));
	for (unsigned i = 0; i < sets->count; i++) {
		writer_u16(w, sets->sets[i].len);
		writer_bytes(w, sets->sets[i].bytes, sets->sets[i].len);
	}
}

bool
h264_sets_sps(const struct h264_sets *sets, struct h264_sps *out)
{
	for (unsigned i = count_of(sets, H264_NAL_SPS); i-- != 0;) {
		if (h264_sps_parse(out, sets->sets[i].bytes, sets->sets[i].len))
			return true;
	}
	return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a=fmtp says of H.264 (RFC 6184 s8), and what that lets us send. */
#include <string.h>

#include "base/check.h"
#include "base/encode.h"
#include "video/h264.h"

enum {
	LEVEL_1B = 9,       /* of the high profiles; others say 11 and constraint_set3 */
	LEVEL_1_1 = 11,
	MODE_MAX = 2,
};

/* ---- Text ---- */

const char *
h264_fmtp_reject_name(enum h264_fmtp_reject reject)
{
	static const char *const names[] = { "ok", "profileLevel", "mode", "number" };
	static_assert(COUNT_OF(names) == H264_FMTP_REJECTS, "each has a name");
	CHECK(reject < H264_FMTP_REJECTS);
	return names[reject];
}

static enum h264_fmtp_reject
read_profile_level(struct h264_fmtp *fmtp, struct str value)
{
	uint8_t bytes[3];
	if (value.len != 6 || decode_hex(bytes, sizeof bytes, value) != 3 || bytes[2] < LEVEL_1B)
		return H264_FMTP_REJECT_PROFILE_LEVEL;
	fmtp->profile_idc = bytes[0];
	fmtp->constraints = bytes[1];
	fmtp->level_idc = bytes[2];
	return H264_FMTP_OK;
}

/* Sets that cannot be read are no reason to refuse a call: they come in band, too. */
static void
read_sets(struct h264_fmtp *fmtp, struct str value)
{
	while (value.len != 0) {
		const struct str text = str_cut(&value, ',');
		uint8_t nal[H264_SET_BYTES_MAX];
		const int len = decode_base64(nal, sizeof nal, str_trim(text));
		const uint8_t count = fmtp->sets.count;
		if (len <= 0 || (!h264_sets_keep(&fmtp->sets, nal, (size_t)len) &&
		                 fmtp->sets.count == count))
			fmtp->sprop_bad = true;
	}
}

static enum h264_fmtp_reject
read_parameter(struct h264_fmtp *fmtp, struct str name, struct str value)
{
	const struct {
		struct str name;
		uint32_t *number;
	} numbers[] = {
		{ STR("max-mbps"), &fmtp->max_mbps },
		{ STR("max-smbps"), &fmtp->max_smbps },
		{ STR("max-fs"), &fmtp->max_fs },
		{ STR("max-br"), &fmtp->max_br },
	};
	uint32_t number = 0;
	if (str_eq_nocase(name, STR("profile-level-id")))
		return read_profile_level(fmtp, value);
	if (str_eq_nocase(name, STR("packetization-mode"))) {
		if (!str_u32(value, &number) || number > MODE_MAX)
			return H264_FMTP_REJECT_MODE;
		fmtp->packetization_mode = (uint8_t)number;
		return H264_FMTP_OK;
	}
	if (str_eq_nocase(name, STR("level-asymmetry-allowed"))) {
		if (!str_u32(value, &number) || number > 1)
			return H264_FMTP_REJECT_NUMBER;
		fmtp->level_asymmetry_allowed = number == 1;
		return H264_FMTP_OK;
	}
	if (str_eq_nocase(name, STR("sprop-parameter-sets"))) {
		read_sets(fmtp, value);
		return H264_FMTP_OK;
	}
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		if (str_eq_nocase(name, numbers[i].name))
			return str_u32(value, numbers[i].number) ? H264_FMTP_OK
			                                         : H264_FMTP_REJECT_NUMBER;
	}
	return H264_FMTP_OK;
}

enum h264_fmtp_reject
h264_fmtp_parse(struct h264_fmtp *out, struct str parameters)
{
	/* s8.1: without profile-level-id it is Baseline, level 1. */
	struct h264_fmtp fmtp = { .profile_idc = H264_PROFILE_BASELINE, .level_idc = 10 };
	while (parameters.len != 0) {
		struct str value = str_trim(str_cut(&parameters, ';'));
		const struct str name = str_trim(str_cut(&value, '='));
		const enum h264_fmtp_reject reject = read_parameter(&fmtp, name, str_trim(value));
		if (reject != H264_FMTP_OK)
			return reject;
	}
	*out = fmtp;
	return H264_FMTP_OK;
}

/* ---- Levels ---- */

struct h264_limits
h264_limits_of(const struct h264_fmtp *fmtp)
{
	/* H.264 table A-1: level_idc, MaxMBPS, MaxFS, MaxBR in 1,000 bit/s. */
	static const struct {
		uint32_t level_idc, mbps, fs, br;
	} levels[] = {
		{ LEVEL_1B, 1485, 99, 128 },         { 10, 1485, 99, 64 },
		{ LEVEL_1_1, 3000, 396, 192 },       { 12, 6000, 396, 384 },
		{ 13, 11880, 396, 768 },             { 20, 11880, 396, 2000 },
		{ 21, 19800, 792, 4000 },            { 22, 20250, 1620, 4000 },
		{ 30, 40500, 1620, 10000 },          { 31, 108000, 3600, 14000 },
		{ 32, 216000, 5120, 20000 },         { 40, 245760, 8192, 20000 },
		{ 41, 245760, 8192, 50000 },         { 42, 522240, 8704, 50000 },
		{ 50, 589824, 22080, 135000 },       { 51, 983040, 36864, 240000 },
		{ 52, 2073600, 36864, 240000 },      { 60, 4177920, 139264, 240000 },
		{ 61, 8355840, 139264, 480000 },     { 62, 16711680, 139264, 800000 },
	};
	const bool high = fmtp->profile_idc == H264_PROFILE_HIGH;
	uint32_t level_idc = fmtp->level_idc;
	if (level_idc == LEVEL_1_1 && !high && (fmtp->constraints & H264_CONSTRAINT_SET3) != 0)
		level_idc = LEVEL_1B;
	/* A level that does not exist counts as the one below. */
	size_t at = 0;
	while (at + 1 < COUNT_OF(levels) && levels[at + 1].level_idc <= level_idc)
		at++;
	/* s8.1: what is said beyond the level may only be more. */
	const uint32_t br = fmtp->max_br > levels[at].br ? fmtp->max_br : levels[at].br;
	const uint64_t bps = (uint64_t)br * (high ? 1250 : 1000); /* cpbBrVclFactor */
	return (struct h264_limits){
		.macroblocks_per_s =
		        fmtp->max_mbps > levels[at].mbps ? fmtp->max_mbps : levels[at].mbps,
		.frame_macroblocks = fmtp->max_fs > levels[at].fs ? fmtp->max_fs : levels[at].fs,
		.bps = bps < UINT32_MAX ? (uint32_t)bps : UINT32_MAX,
	};
}

enum video_demand
h264_can(uint8_t profile_idc, uint8_t constraints)
{
	if (profile_idc >= H264_PROFILE_HIGH) /* and those made of it: 10 bits, 4:2:2, 4:4:4 */
		return VIDEO_DEMAND_HIGH;
	if (profile_idc == H264_PROFILE_MAIN && (constraints & H264_CONSTRAINT_SET0) == 0)
		return VIDEO_DEMAND_MAIN;
	return VIDEO_DEMAND_BASE;
}

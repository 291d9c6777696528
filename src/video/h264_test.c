/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: payloads, parameter sets and SDP of H.264 are read as the RFC and the standard say, or
 * refused by the rule they break; what we cut into packets comes together again.  Method: SPSs of
 * real encoders, RFC 6184's structures by hand, every prefix and every flipped byte, seeded access
 * units. */
#include "base/prng.h"
#include "base/test.h"
#include "video/stream_fixture.h"
#include "video/video_property.h"

/* ---- Payloads ---- */

static const uint8_t stap[] = {
	0x78, 0x00, 0x04, 0x67, 0x42, 0xc0, 0x1f, /* SPS, cut short */
	0x00, 0x02, 0x68, 0xce,                   /* PPS */
	0x00, 0x03, 0x65, 0x88, 0x80,             /* IDR slice with the first macroblock */
};
static const uint8_t fu_start[] = { 0x7c, 0x85, 0x88, 0x80 };
static const uint8_t fu_middle[] = { 0x7c, 0x05, 0x11, 0x22 };
static const uint8_t fu_end[] = { 0x7c, 0x45, 0x33 };

TEST(pieces_of_each_structure_are_found)
{
	struct h264_walk walk;
	struct h264_piece piece;
	EXPECT_EQ(h264_walk_init(&walk, stap, sizeof stap), VIDEO_OK);
	const uint8_t types[] = { H264_NAL_SPS, H264_NAL_PPS, H264_NAL_IDR };
	const size_t lens[] = { 4, 2, 3 };
	for (unsigned i = 0; i < 3; i++) {
		EXPECT(h264_walk_next(&walk, &piece));
		EXPECT_EQ(piece.header & 0x1f, types[i]);
		EXPECT_EQ(piece.len, lens[i]);
		EXPECT(piece.first && piece.last && !piece.fragment);
	}
	EXPECT(!h264_walk_next(&walk, &piece));

	EXPECT_EQ(h264_walk_init(&walk, fu_start, sizeof fu_start), VIDEO_OK);
	EXPECT(h264_walk_next(&walk, &piece));
	EXPECT_EQ(piece.header, 0x65);
	EXPECT(piece.fragment && piece.first && !piece.last);
	EXPECT(piece.len == 2 && piece.bytes[0] == 0x88);
	EXPECT(!h264_walk_next(&walk, &piece));
	EXPECT_EQ(h264_walk_init(&walk, fu_end, sizeof fu_end), VIDEO_OK);
	EXPECT(h264_walk_next(&walk, &piece));
	EXPECT(piece.fragment && !piece.first && piece.last && piece.len == 1);
}

TEST(a_payload_is_refused_by_the_rule_it_breaks)
{
	static const struct {
		uint8_t bytes[8];
		size_t len;
		enum video_reject want;
	} cases[] = {
		{ { 0 }, 0, VIDEO_REJECT_SHORT },
		{ { 0xe5, 0x88 }, 2, VIDEO_REJECT_BIT },              /* F */
		{ { 0x60, 0x88 }, 2, VIDEO_REJECT_TYPE },             /* 0 */
		{ { 0x79, 0, 1, 0, 1, 0x65 }, 6, VIDEO_REJECT_TYPE }, /* STAP-B */
		{ { 0x7a, 0, 1 }, 3, VIDEO_REJECT_TYPE },             /* MTAP16 */
		{ { 0x7b, 0, 1 }, 3, VIDEO_REJECT_TYPE },             /* MTAP24 */
		{ { 0x7d, 0x85, 0, 1 }, 4, VIDEO_REJECT_TYPE },       /* FU-B */
		{ { 0x7e, 0x85, 0, 1 }, 4, VIDEO_REJECT_TYPE },       /* 30 */
		{ { 0x78 }, 1, VIDEO_REJECT_SHORT },
		{ { 0x78, 0 }, 2, VIDEO_REJECT_LENGTH },
		{ { 0x78, 0, 3, 0x65, 0 }, 5, VIDEO_REJECT_LENGTH },
		{ { 0x78, 0, 0, 0, 1, 0x65 }, 6, VIDEO_REJECT_LENGTH },
		{ { 0x78, 0, 1, 0x78 }, 4, VIDEO_REJECT_TYPE }, /* STAP-A in STAP-A */
		{ { 0x78, 0, 1, 0xe5 }, 4, VIDEO_REJECT_BIT },
		{ { 0x7c, 0x85 }, 2, VIDEO_REJECT_SHORT },
		{ { 0x7c, 0xc5, 1 }, 3, VIDEO_REJECT_FRAGMENT }, /* first and last */
		{ { 0x7c, 0x9c, 1 }, 3, VIDEO_REJECT_TYPE },     /* FU-A in FU-A */
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct video_facts facts = { .width = 7 };
		EXPECT_EQ(h264_facts_parse(&facts, cases[i].bytes, cases[i].len), cases[i].want);
		EXPECT_EQ(facts.width, 7); /* untouched */
	}
	EXPECT_STR(str_of(video_reject_name(VIDEO_REJECT_FRAGMENT)), "fragment");
}

TEST(packets_tell_where_decoding_can_begin)
{
	static const struct {
		uint8_t bytes[4];
		size_t len;
		bool start, key, sets, discardable;
	} cases[] = {
		{ { 0x67, 0x42 }, 2, true, true, true, false },
		{ { 0x68, 0xce }, 2, false, false, false, false },
		{ { 0x09, 0x10 }, 2, true, false, false, false },
		{ { 0x06, 0x05 }, 2, false, false, false, false },
		{ { 0x65, 0x88 }, 2, true, true, false, false },
		{ { 0x65, 0x48 }, 2, false, false, false, false }, /* not the first slice */
		{ { 0x41, 0x9a }, 2, true, false, false, false },
		{ { 0x41, 0x5a }, 2, false, false, false, false },
		{ { 0x01, 0x9a }, 2, true, false, false, true }, /* nal_ref_idc 0 */
		{ { 0x7c, 0x85, 0x88 }, 3, true, true, false, false },
		{ { 0x7c, 0x05, 0x88 }, 3, false, false, false, false },
		{ { 0x1c, 0x41, 0x88 }, 3, false, false, false, true },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct video_facts facts;
		EXPECT_EQ(h264_facts_parse(&facts, cases[i].bytes, cases[i].len), VIDEO_OK);
		EXPECT_EQ(facts.frame_start, cases[i].start);
		EXPECT_EQ(facts.key_start, cases[i].key);
		EXPECT_EQ(facts.parameter_sets, cases[i].sets);
		EXPECT_EQ(facts.discardable, cases[i].discardable);
		EXPECT_EQ(facts.descriptor_len, 0);
	}
}

static const struct {
	const uint8_t *bytes;
	size_t len;
} payloads[] = { { stap, sizeof stap },
	         { fu_start, sizeof fu_start },
	         { fu_middle, sizeof fu_middle },
	         { fu_end, sizeof fu_end } };

TEST(every_prefix_and_every_flip_of_a_payload_is_harmless)
{
	for (size_t i = 0; i < COUNT_OF(payloads); i++) {
		for (size_t len = 0; len <= payloads[i].len; len++) {
			h264_walk_property(payloads[i].bytes, len);
			facts_property(VIDEO_CODEC_H264, payloads[i].bytes, len);
		}
		for (size_t at = 0; at < payloads[i].len; at++) {
			for (unsigned value = 0; value < 256; value++) {
				uint8_t bytes[32];
				memcpy(bytes, payloads[i].bytes, payloads[i].len);
				bytes[at] = (uint8_t)value;
				h264_walk_property(bytes, payloads[i].len);
				facts_property(VIDEO_CODEC_H264, bytes, payloads[i].len);
			}
		}
	}
}

/* ---- Parameter sets ---- */

/* By x264 through ffmpeg. */
static const struct {
	uint8_t bytes[28];
	size_t len;
	struct h264_sps want;
} spss[] = {
	{ { 0x67, 0x64, 0x00, 0x28, 0xac, 0xd9, 0x40, 0x78, 0x02, 0x27, 0xe5, 0xc0, 0x44, 0x00,
	    0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xf0, 0x3c, 0x60, 0xc6, 0x58 },
	  27,
	  { 100, 0, 40, 0, 4, 1920, 1080, false } },
	{ { 0x67, 0x4d, 0x40, 0x1f, 0xec, 0xa0, 0x28, 0x02, 0xdd, 0x80, 0x88, 0x00, 0x00,
	    0x03, 0x00, 0x08, 0x00, 0x00, 0x03, 0x01, 0xe0, 0x78, 0xc1, 0x8c, 0xb0 },
	  25,
	  { 77, 0x40, 31, 0, 4, 1280, 720, false } },
	{ { 0x67, 0x42, 0xc0, 0x0d, 0xd9, 0x01, 0x41, 0x9f, 0x9f, 0x01, 0x10, 0x00, 0x00,
	    0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x42, 0xa4, 0x80 },
	  25,
	  { 66, 0xc0, 13, 0, 3, 320, 180, false } },
	{ { 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0xb4, 0x24, 0xd8, 0x08, 0x80,
	    0x00, 0x00, 0x03, 0x00, 0x80, 0x00, 0x00, 0x1e, 0x0f, 0x8b, 0x16, 0xcb },
	  24,
	  { 100, 0, 31, 0, 4, 720, 576, true } },
	{ { 0x67, 0xf4, 0x00, 0x1f, 0x91, 0x9b, 0x28, 0x0a, 0x00, 0xb7, 0x60, 0x22, 0x00,
	    0x00, 0x03, 0x00, 0x02, 0x00, 0x00, 0x03, 0x00, 0x78, 0x1e, 0x30, 0x63, 0x2c },
	  26,
	  { 244, 0, 31, 0, 4, 1280, 720, false } },
};

TEST(sequence_parameter_sets_of_encoders_are_read)
{
	for (size_t i = 0; i < COUNT_OF(spss); i++) {
		struct h264_sps sps;
		const struct h264_sps *want = &spss[i].want;
		EXPECT(h264_sps_parse(&sps, spss[i].bytes, spss[i].len));
		EXPECT_EQ(sps.profile_idc, want->profile_idc);
		EXPECT_EQ(sps.constraints, want->constraints);
		EXPECT_EQ(sps.level_idc, want->level_idc);
		EXPECT_EQ(sps.width, want->width);
		EXPECT_EQ(sps.height, want->height);
		EXPECT_EQ(sps.reference_frames, want->reference_frames);
		EXPECT_EQ(sps.interlaced, want->interlaced);
		struct video_facts facts;
		EXPECT_EQ(h264_facts_parse(&facts, spss[i].bytes, spss[i].len), VIDEO_OK);
		EXPECT(facts.width == want->width && facts.height == want->height);
	}
}

/* Bits for sets made by hand. */
struct pen {
	uint8_t bytes[96];
	size_t bits;
};

static void
pen_u(struct pen *pen, unsigned count, uint32_t value)
{
	for (unsigned i = count; i-- != 0; pen->bits++)
		pen->bytes[pen->bits / 8] |=
		        (uint8_t)((value >> i & 1) << (7 - pen->bits % 8));
}

static void
pen_ue(struct pen *pen, uint32_t value)
{
	unsigned len = 0;
	while ((uint64_t)value + 1 >= (uint64_t)2 << len)
		len++;
	pen_u(pen, len, 0);
	pen_u(pen, len + 1, value + 1);
}

struct sps_numbers {
	uint32_t id, order_type, cycle, references, across, units, right;
	bool matrix;
};

static struct pen
draw_sps(const struct sps_numbers *n)
{
	struct pen pen = { 0 };
	pen_u(&pen, 8, 0x67);
	pen_u(&pen, 24, n->matrix ? 0x640028 : 0x42c028);
	pen_ue(&pen, n->id);
	if (n->matrix) {
		pen_ue(&pen, 1); /* 4:2:0, 8 bits */
		pen_ue(&pen, 0);
		pen_ue(&pen, 0);
		pen_u(&pen, 2, 1);
		for (unsigned i = 0; i < 8; i++) {
			pen_u(&pen, 1, i == 0 || i == 7);
			if (i == 0) { /* each entry is one more than the last */
				for (unsigned entry = 0; entry < 16; entry++)
					pen_ue(&pen, 1);
			} else if (i == 7) { /* delta -8: the list ends at once */
				pen_ue(&pen, 16);
			}
		}
	}
	pen_ue(&pen, 0);
	pen_ue(&pen, n->order_type);
	if (n->order_type == 0) {
		pen_ue(&pen, 0);
	} else if (n->order_type == 1) {
		pen_u(&pen, 1, 0);
		pen_ue(&pen, 3);
		pen_ue(&pen, 4);
		pen_ue(&pen, n->cycle);
		for (uint32_t i = 0; i < n->cycle && i < 20; i++)
			pen_ue(&pen, 2);
	}
	pen_ue(&pen, n->references);
	pen_u(&pen, 1, 0);
	pen_ue(&pen, n->across - 1);
	pen_ue(&pen, n->units - 1);
	pen_u(&pen, 2, 3);
	pen_u(&pen, 1, n->right != 0);
	if (n->right != 0) {
		pen_ue(&pen, 0);
		pen_ue(&pen, n->right);
		pen_ue(&pen, 0);
		pen_ue(&pen, 0);
	}
	pen_u(&pen, 2, 1); /* no VUI, stop bit */
	return pen;
}

TEST(a_sequence_parameter_set_with_absurd_numbers_is_not_read)
{
	static const struct {
		struct sps_numbers numbers;
		bool reads;
	} cases[] = {
		{ { 0, 0, 0, 1, 20, 15, 0, false }, true },
		{ { 31, 1, 3, 16, 20, 15, 0, false }, true },
		{ { 0, 2, 0, 1, 20, 15, 0, true }, true },
		{ { 32, 0, 0, 1, 20, 15, 0, false }, false },
		{ { 0, 3, 0, 1, 20, 15, 0, false }, false },
		{ { 0, 1, 256, 1, 20, 15, 0, false }, false },
		{ { 0, 0, 0, 17, 20, 15, 0, false }, false },
		{ { 0, 0, 0, 1, 4096, 15, 0, false }, false },
		{ { 0, 0, 0, 1, 20, 2048, 0, false }, false },
		{ { 0, 0, 0, 1, 4095, 2047, 0, false }, true },
		{ { 0, 0, 0, 1, 20, 15, 159, false }, true },
		{ { 0, 0, 0, 1, 20, 15, 160, false }, false }, /* nothing left */
		{ { 0, 0, 0, 1, 20, 15, 0xfffffff0, false }, false },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct pen pen = draw_sps(&cases[i].numbers);
		struct h264_sps sps;
		EXPECT_EQ(h264_sps_parse(&sps, pen.bytes, pen.bits / 8 + 1), cases[i].reads);
		if (cases[i].reads)
			EXPECT_EQ(sps.width, cases[i].numbers.across * 16 -
			                             2 * cases[i].numbers.right);
	}
}

TEST(every_prefix_and_every_flip_of_a_set_is_harmless)
{
	for (size_t i = 0; i < COUNT_OF(spss); i++) {
		for (size_t len = 0; len <= spss[i].len; len++)
			h264_sets_property(spss[i].bytes, len);
		struct h264_sps sps;
		EXPECT(!h264_sps_parse(&sps, spss[i].bytes, 6));
		EXPECT(!h264_sps_parse(&sps, (const uint8_t[]){ 0x68, 0x42, 0, 0, 0 }, 5));
		for (size_t at = 0; at < spss[i].len; at++) {
			for (unsigned value = 0; value < 256; value++) {
				uint8_t bytes[28];
				memcpy(bytes, spss[i].bytes, spss[i].len);
				bytes[at] = (uint8_t)value;
				h264_sets_property(bytes, spss[i].len);
			}
		}
	}
}

TEST(the_newest_sets_of_a_stream_are_kept)
{
	struct h264_sets sets = { 0 };
	struct h264_sps sps;
	const uint8_t pps[] = { 0x68, 0xce, 0x3c, 0x80 };     /* id 0 */
	const uint8_t pps_new[] = { 0x68, 0xce, 0x3c, 0x81 }; /* id 0 */
	EXPECT(!h264_sets_complete(&sets) && !h264_sets_sps(&sets, &sps));
	EXPECT(h264_sets_keep(&sets, pps, sizeof pps));
	EXPECT(!h264_sets_complete(&sets));
	EXPECT(h264_sets_keep(&sets, spss[0].bytes, spss[0].len));
	EXPECT(h264_sets_complete(&sets));
	EXPECT_EQ(sets.sets[0].bytes[0], 0x67); /* in front */
	EXPECT(h264_sets_keep(&sets, spss[1].bytes, spss[1].len)); /* id 0, too */
	EXPECT(h264_sets_keep(&sets, pps_new, sizeof pps_new));
	EXPECT_EQ(sets.count, 2);
	EXPECT(h264_sets_sps(&sets, &sps) && sps.width == 1280);
	EXPECT(!h264_sets_keep(&sets, stap, sizeof stap));
	uint8_t large[H264_SET_BYTES_MAX + 1] = { 0x68, 0xce };
	EXPECT(!h264_sets_keep(&sets, large, sizeof large));

	/* Other ids: the oldest of a kind makes room. */
	for (uint32_t id = 0; id < 10; id++) {
		struct pen pen = { 0 };
		pen_u(&pen, 8, 0x68);
		pen_ue(&pen, 20 + id);
		pen_u(&pen, 8, 0x80);
		EXPECT(h264_sets_keep(&sets, pen.bytes, pen.bits / 8 + 1));
		const struct pen other = draw_sps(
		        &(struct sps_numbers){ 10 + id, 0, 0, 1, 20, 15 + id, 0, false });
		EXPECT(h264_sets_keep(&sets, other.bytes, other.bits / 8 + 1));
	}
	EXPECT_EQ(sets.count, H264_SETS_MAX);
	EXPECT_EQ(sets.sets[0].id, 16);
	EXPECT_EQ(sets.sets[H264_SPS_MAX].id, 22);
	EXPECT(h264_sets_sps(&sets, &sps) && sps.id == 19 && sps.height == 24 * 16);
}

/* ---- SDP ---- */

TEST(what_the_sdp_says_is_read)
{
	struct h264_fmtp fmtp;
	EXPECT_EQ(h264_fmtp_parse(&fmtp, STR("")), H264_FMTP_OK);
	EXPECT(fmtp.profile_idc == 66 && fmtp.level_idc == 10 && fmtp.packetization_mode == 0);

	EXPECT_EQ(h264_fmtp_parse(&fmtp, STR("profile-level-id=42e01f; packetization-mode=1 ;"
	                                     "LEVEL-ASYMMETRY-ALLOWED=1;max-mbps=245760;"
	                                     "max-fs=8192;max-smbps=1;max-br=5000;max-rcmd-nalu-"
	                                     "size=3;sar-supported=13;x")),
	          H264_FMTP_OK);
	EXPECT(fmtp.profile_idc == 0x42 && fmtp.constraints == 0xe0 && fmtp.level_idc == 0x1f);
	EXPECT(fmtp.packetization_mode == 1 && fmtp.level_asymmetry_allowed);
	EXPECT(fmtp.max_mbps == 245760 && fmtp.max_fs == 8192 && fmtp.max_br == 5000);
	EXPECT_EQ(fmtp.max_smbps, 1);

	/* The example of RFC 6184 s8.2.1 has such sets. */
	EXPECT_EQ(h264_fmtp_parse(&fmtp, STR("sprop-parameter-sets=Z0LADdkBQZ+fARAAAAMAEAAAAwPA8"
	                                     "UKkgA==, aM48gA==")),
	          H264_FMTP_OK);
	EXPECT(h264_sets_complete(&fmtp.sets) && !fmtp.sprop_bad);
	struct h264_sps sps;
	EXPECT(h264_sets_sps(&fmtp.sets, &sps) && sps.width == 320 && sps.height == 180);
}

TEST(sets_in_the_sdp_that_cannot_be_read_refuse_nothing)
{
	struct h264_fmtp fmtp;
	EXPECT_EQ(h264_fmtp_parse(&fmtp, STR("sprop-parameter-sets=***,aM48gA==,QQ==")),
	          H264_FMTP_OK);
	EXPECT(fmtp.sprop_bad);
	EXPECT_EQ(fmtp.sets.count, 1);
}

TEST(an_sdp_is_refused_by_the_rule_it_breaks)
{
	static const struct {
		const char *text;
		enum h264_fmtp_reject want;
	} cases[] = {
		{ "profile-level-id=42e01", H264_FMTP_REJECT_PROFILE_LEVEL },
		{ "profile-level-id=42e01g", H264_FMTP_REJECT_PROFILE_LEVEL },
		{ "profile-level-id=42e01f00", H264_FMTP_REJECT_PROFILE_LEVEL },
		{ "profile-level-id=42e008", H264_FMTP_REJECT_PROFILE_LEVEL },
		{ "profile-level-id", H264_FMTP_REJECT_PROFILE_LEVEL },
		{ "packetization-mode=3", H264_FMTP_REJECT_MODE },
		{ "packetization-mode=", H264_FMTP_REJECT_MODE },
		{ "max-fs=-1", H264_FMTP_REJECT_NUMBER },
		{ "max-br=99999999999", H264_FMTP_REJECT_NUMBER },
		{ "level-asymmetry-allowed=2", H264_FMTP_REJECT_NUMBER },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct h264_fmtp fmtp;
		EXPECT_EQ(h264_fmtp_parse(&fmtp, str_of(cases[i].text)), cases[i].want);
	}
	EXPECT_STR(str_of(h264_fmtp_reject_name(H264_FMTP_REJECT_MODE)), "mode");
}

TEST(a_receivers_level_tells_what_it_takes)
{
	static const struct {
		const char *text;
		struct h264_limits want;
	} cases[] = {
		{ "profile-level-id=42e01f", { 108000, 3600, 14000000 } },
		{ "profile-level-id=640028", { 245760, 8192, 25000000 } },
		{ "profile-level-id=42801e", { 40500, 1620, 10000000 } },
		{ "profile-level-id=42800d", { 11880, 396, 768000 } },
		{ "profile-level-id=42e00b", { 3000, 396, 192000 } },
		{ "profile-level-id=42f00b", { 1485, 99, 128000 } }, /* 1b */
		{ "profile-level-id=640009", { 1485, 99, 160000 } }, /* 1b */
		{ "", { 1485, 99, 64000 } },
		{ "profile-level-id=42e01e;max-fs=3600;max-mbps=108000;max-br=20000",
		  { 108000, 3600, 20000000 } },
		{ "profile-level-id=42e01f;max-fs=8192;max-mbps=10", { 108000, 8192, 14000000 } },
		{ "profile-level-id=42e0ff", { 16711680, 139264, 800000000 } },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct h264_fmtp fmtp;
		EXPECT_EQ(h264_fmtp_parse(&fmtp, str_of(cases[i].text)), H264_FMTP_OK);
		const struct h264_limits limits = h264_limits_of(&fmtp);
		EXPECT_EQ(limits.macroblocks_per_s, cases[i].want.macroblocks_per_s);
		EXPECT_EQ(limits.frame_macroblocks, cases[i].want.frame_macroblocks);
		EXPECT_EQ(limits.bps, cases[i].want.bps);
	}
}

TEST(a_stream_asks_for_no_more_than_its_flags_say)
{
	static const struct {
		uint8_t profile_idc, constraints;
		enum video_demand demand, can;
	} cases[] = {
		{ 66, 0x00, VIDEO_DEMAND_BASE, VIDEO_DEMAND_BASE },
		{ 66, 0xe0, VIDEO_DEMAND_BASE, VIDEO_DEMAND_BASE },
		{ 77, 0x80, VIDEO_DEMAND_BASE, VIDEO_DEMAND_BASE },
		{ 77, 0x40, VIDEO_DEMAND_MAIN, VIDEO_DEMAND_MAIN },
		{ 88, 0xc0, VIDEO_DEMAND_BASE, VIDEO_DEMAND_BASE },
		{ 88, 0x40, VIDEO_DEMAND_MAIN, VIDEO_DEMAND_BASE },
		{ 88, 0x00, VIDEO_DEMAND_MORE, VIDEO_DEMAND_BASE },
		{ 100, 0x40, VIDEO_DEMAND_MAIN, VIDEO_DEMAND_HIGH },
		{ 100, 0x0c, VIDEO_DEMAND_HIGH, VIDEO_DEMAND_HIGH },
		{ 100, 0x00, VIDEO_DEMAND_HIGH, VIDEO_DEMAND_HIGH },
		{ 244, 0x00, VIDEO_DEMAND_MORE, VIDEO_DEMAND_HIGH },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct h264_sps sps = { .profile_idc = cases[i].profile_idc,
			                      .constraints = cases[i].constraints };
		EXPECT_EQ(h264_demand(&sps), cases[i].demand);
		EXPECT_EQ(h264_can(cases[i].profile_idc, cases[i].constraints), cases[i].can);
	}
}

TEST(any_text_of_an_sdp_is_harmless)
{
	static const char text[] = "profile-level-id=42e01f;packetization-mode=1;"
	                           "sprop-parameter-sets=Z0LADdkBQZ,aM48gA==;max-fs=3600";
	for (size_t len = 0; len < sizeof text; len++)
		h264_fmtp_property(text, len);
	for (size_t at = 0; at < sizeof text - 1; at++) {
		for (unsigned value = 0; value < 256; value++) {
			char bytes[sizeof text];
			memcpy(bytes, text, sizeof text);
			bytes[at] = (char)value;
			h264_fmtp_property(bytes, sizeof text - 1);
		}
	}
}

/* ---- Annex B and sending ---- */

TEST(nal_units_are_found_between_start_codes)
{
	static const uint8_t bytes[] = { 9, 9, 0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0, 0, 1,
		                         0x68, 2, 0, 0, 0, 0, 0, 1, 0x65, 0, 0, 3, 1, 0, 0 };
	size_t at = 0;
	const uint8_t *nal;
	size_t len;
	EXPECT(h264_annexb_next(bytes, sizeof bytes, &at, &nal, &len));
	EXPECT(len == 2 && nal[0] == 0x67);
	EXPECT(h264_annexb_next(bytes, sizeof bytes, &at, &nal, &len));
	EXPECT(len == 2 && nal[0] == 0x68);
	EXPECT(h264_annexb_next(bytes, sizeof bytes, &at, &nal, &len));
	EXPECT(len == 5 && nal[0] == 0x65);
	EXPECT(!h264_annexb_next(bytes, sizeof bytes, &at, &nal, &len));
	at = 0;
	EXPECT(!h264_annexb_next(bytes, 6, &at, &nal, &len));
	at = 0;
	EXPECT(!h264_annexb_next(NULL, 0, &at, &nal, &len));
}

TEST(small_nal_units_travel_together)
{
	static const uint8_t unit[] = { 0, 0, 0, 1, 0x67, 1, 2, 0, 0, 0, 1, 0x28, 3,
		                        0, 0, 1, 0x65, 0x88, 5, 6, 7, 8, 9, 10, 11, 12 };
	struct h264_packetizer packetizer;
	uint8_t bytes[32];
	bool last;
	h264_packetizer_init(&packetizer, unit, sizeof unit, 1, 20);
	struct writer w = writer_of(bytes, sizeof bytes);
	EXPECT(h264_packetizer_next(&packetizer, &w, &last));
	const uint8_t first[] = { 0x78, 0, 3, 0x67, 1, 2, 0, 2, 0x28, 3 };
	EXPECT(!last && w.at == sizeof first && memcmp(bytes, first, w.at) == 0);
	w = writer_of(bytes, sizeof bytes);
	EXPECT(h264_packetizer_next(&packetizer, &w, &last));
	EXPECT(last && w.at == 10 && bytes[0] == 0x65);
	EXPECT(!h264_packetizer_next(&packetizer, &w, &last));

	/* Mode 0: each alone, and what does not fit is told. */
	h264_packetizer_init(&packetizer, unit, sizeof unit, 0, 16);
	for (unsigned i = 0; i < 3; i++) {
		w = writer_of(bytes, sizeof bytes);
		EXPECT(h264_packetizer_next(&packetizer, &w, &last));
		EXPECT_EQ(last, i == 2);
	}
	EXPECT_EQ(packetizer.left_out, 0);
	uint8_t large[64] = { 0, 0, 1, 0x65 };
	memset(large + 4, 0x77, sizeof large - 4);
	h264_packetizer_init(&packetizer, large, sizeof large, 0, 16);
	EXPECT(!h264_packetizer_next(&packetizer, &w, &last));
	EXPECT_EQ(packetizer.left_out, 1);
}

TEST(a_large_nal_unit_travels_in_equal_pieces)
{
	uint8_t unit[1004] = { 0, 0, 1, 0x65 };
	struct h264_packetizer packetizer;
	uint8_t bytes[400];
	bool last;
	memset(unit + 4, 0x77, sizeof unit - 4);
	h264_packetizer_init(&packetizer, unit, sizeof unit, 1, 400);
	for (unsigned i = 0; i < 3; i++) {
		struct writer w = writer_of(bytes, sizeof bytes);
		EXPECT(h264_packetizer_next(&packetizer, &w, &last));
		EXPECT_EQ(w.at, i < 2 ? 336 : 334);
		EXPECT_EQ(bytes[0], 0x7c);
		EXPECT_EQ(bytes[1], i == 0 ? 0x85 : i == 1 ? 0x05 : 0x45);
		EXPECT_EQ(last, i == 2);
	}
}

TEST(what_is_cut_into_packets_comes_together_again)
{
	static struct stream stream;
	static uint8_t bytes[6000];
	struct prng prng;
	stream_load(&stream, VIDEO_CODEC_H264);
	for (uint16_t max = 16; max < PACKET_PAYLOAD_BYTES_MAX; max = (uint16_t)(max * 5 / 4)) {
		h264_packetizer_property(stream.bytes, stream.len, 1, max);
		h264_packetizer_property(stream.bytes, stream.len, 0, max);
	}
	prng_init(&prng, 3);
	for (unsigned i = 0; i < 3000; i++) {
		/* Bytes that are often zero and one, so that there are start codes. */
		const size_t len = prng_below(&prng, sizeof bytes / 4);
		for (size_t at = 0; at < len; at++) {
			const uint32_t kind = prng_below(&prng, 8);
			bytes[at] = kind < 2 ? 0 : kind < 3 ? 1 : (uint8_t)prng_below(&prng, 24);
		}
		h264_packetizer_property(bytes, len, (uint8_t)prng_below(&prng, 2),
		                         (uint16_t)(16 + prng_below(&prng, 100)));
	}
}

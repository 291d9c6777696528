/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: headers are read as RFC 3550 and 8285 lay them out, written ones come back, and whatever is
 * accepted lies inside the bytes that were given; counters count as RFC 3550 A.1, A.3 and A.8 do.
 * Method: hand-made packets, one per reject, every prefix and byte value; sequences of packets. */
#include "rtp/rtp.h"

#include "base/check.h"
#include "base/test.h"
#include "rtp/rtp_property.h"

static const uint8_t good[] = {
	0xb2, 0xe0, 0x12, 0x34, 0x00, 0x00, 0x01, 0x40, /* P, X, two CSRCs; marker, type 96 */
	0xde, 0xad, 0xbe, 0xef, 0,    0,    0,    1,    0, 0, 0, 2, /* SSRC and CSRCs */
	0xbe, 0xde, 0x00, 0x03,                         /* one-byte extension, three words */
	0x10, 0x85, 0x00, 0x22, 'a',  'b',  'c',  0x00, /* 1: level 5 with voice; 2: "abc" */
	0x30, 0x7f, 0xf0, 0x99,                         /* 3: level 127; 15 ends it */
	'v',  'o',  'i',  'c',  'e',  0,    0,    3,
};

TEST(reads_every_field_of_a_packet)
{
	struct rtp_packet packet;
	EXPECT_EQ(rtp_parse(&packet, good, sizeof good), RTP_OK);
	EXPECT(packet.marker);
	EXPECT_EQ(packet.payload_type, 96);
	EXPECT_EQ(packet.seq, 0x1234);
	EXPECT_EQ(packet.timestamp_rtp, 320);
	EXPECT_EQ(packet.ssrc, 0xdeadbeef);
	EXPECT_EQ(packet.csrc_count, 2);
	EXPECT_EQ(rtp_csrc(&packet, 1), 2);
	EXPECT_EQ(packet.payload_len, 5);
	EXPECT(memcmp(rtp_payload(&packet), "voice", 5) == 0);
	EXPECT_STR(rtp_mid(&packet, 2), "abc");
	EXPECT_EQ(rtp_mid(&packet, 0).len, 0);
	EXPECT_EQ(rtp_mid(&packet, 4).len, 0);
	struct rtp_audio_level level;
	EXPECT(rtp_audio_level(&packet, 1, &level));
	EXPECT_EQ(level.below_full_db, 5);
	EXPECT(level.voice);
	EXPECT_EQ(rtp_audio_level_byte(level), 0x85);
	EXPECT(rtp_audio_level(&packet, 3, &level));
	EXPECT_EQ(level.below_full_db, RTP_LEVEL_SILENT);
	EXPECT(!level.voice);
	EXPECT(!rtp_audio_level(&packet, 9, &level));
}

TEST(names_the_rule_that_was_broken)
{
	static const struct {
		size_t at;
		uint8_t value;
		enum rtp_reject want;
	} cases[] = {
		{ 0, 0x72, RTP_REJECT_VERSION },
		{ 0, 0x8f, RTP_REJECT_SHORT },
		{ 23, 0x06, RTP_REJECT_EXTENSION },
		{ 22, 0xff, RTP_REJECT_EXTENSION },
		{ sizeof good - 1, 0, RTP_REJECT_PADDING },
		{ sizeof good - 1, 9, RTP_REJECT_PADDING },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint8_t bad[sizeof good];
		struct rtp_packet packet = { .seq = 7 };
		memcpy(bad, good, sizeof good);
		bad[cases[i].at] = cases[i].value;
		EXPECT_EQ(rtp_parse(&packet, bad, sizeof bad), cases[i].want);
		EXPECT_EQ(packet.seq, 7);
	}
	static const uint8_t large[RTP_PACKET_BYTES_MAX + 1] = { 0x80 };
	struct rtp_packet packet;
	EXPECT_EQ(rtp_parse(&packet, large, sizeof large), RTP_REJECT_LONG);
	EXPECT_EQ(rtp_parse(&packet, large, sizeof large - 1), RTP_OK);
	EXPECT_EQ(rtp_parse(&packet, good, 11), RTP_REJECT_SHORT);
	for (int reject = 0; reject < RTP_REJECT_COUNT; reject++)
		EXPECT(rtp_reject_name((enum rtp_reject)reject)[0] != '\0');
}

TEST(every_prefix_and_every_byte_value_stays_inside)
{
	for (size_t len = 0; len < sizeof good; len++) {
		uint8_t bytes[sizeof good];
		memcpy(bytes, good, len);
		rtp_property(bytes, len);
		struct rtp_packet packet;
		if (len < 36)
			EXPECT(rtp_parse(&packet, bytes, len) != RTP_OK);
	}
	for (size_t at = 0; at < sizeof good; at++) {
		for (unsigned value = 0; value < 256; value++) {
			uint8_t bytes[sizeof good];
			memcpy(bytes, good, sizeof good);
			bytes[at] = (uint8_t)value;
			rtp_property(bytes, sizeof bytes);
		}
	}
}

TEST(what_is_written_is_read_back_in_both_extension_forms)
{
	static const uint8_t value[20] = "0123456789abcdefghi";
	static const uint32_t csrcs[] = { 11, 22, 33 };
	for (uint8_t len = 0; len <= sizeof value; len++) {
		for (unsigned id = 1; id < 256; id += 7) {
			const struct rtp_ext exts[] = { { value, 1, 1 },
				                        { value, (uint8_t)id, len } };
			const struct rtp_header header = {
				.payload_type = 111,
				.marker = true,
				.seq = 65535,
				.timestamp_rtp = 0xfffffff0,
				.ssrc = 9,
				.csrcs = csrcs,
				.csrc_count = 3,
				.exts = exts + (id == 1),
				.ext_count = id == 1 ? 1 : 2,
			};
			uint8_t bytes[128];
			struct writer w = writer_of(bytes, sizeof bytes);
			rtp_write_header(&w, &header);
			writer_text(&w, "opus");
			rtp_write_padding(&w, 6);
			EXPECT(!w.failed);

			struct rtp_packet packet;
			EXPECT_EQ(rtp_parse(&packet, bytes, w.at), RTP_OK);
			EXPECT_EQ(packet.payload_len, 4);
			EXPECT_EQ(packet.timestamp_rtp, 0xfffffff0);
			EXPECT_EQ(rtp_csrc(&packet, 2), 33);
			const bool one_byte = id <= 14 && len >= 1 && len <= 16;
			EXPECT_EQ(packet.ext_profile,
			          one_byte ? RTP_EXT_ONE_BYTE : RTP_EXT_TWO_BYTE);
			struct rtp_ext ext;
			EXPECT(rtp_ext_find(&packet, (uint8_t)id, &ext));
			EXPECT_EQ(ext.len, len);
			EXPECT(memcmp(ext.value, value, len) == 0);
		}
	}
}

TEST(a_header_that_does_not_fit_fails_its_writer)
{
	static const uint8_t level = 0x85;
	const struct rtp_ext ext = { &level, 1, 1 };
	const struct rtp_header header = { .ssrc = 1, .exts = &ext, .ext_count = 1 };
	for (size_t cap = 0; cap <= 20; cap++) {
		uint8_t bytes[20];
		struct writer w = writer_of(bytes, cap);
		rtp_write_header(&w, &header);
		EXPECT_EQ(w.failed, cap < 20);
	}
}

TEST(one_port_carries_everything)
{
	static const struct {
		uint8_t bytes[2];
		enum rtp_kind want;
	} cases[] = {
		{ { 0x00, 0x01 }, RTP_KIND_STUN },    { { 0x03, 0x01 }, RTP_KIND_STUN },
		{ { 0x04, 0x00 }, RTP_KIND_UNKNOWN }, { { 16, 1 }, RTP_KIND_UNKNOWN }, /* ZRTP */
		{ { 19, 254 }, RTP_KIND_UNKNOWN },    { { 20, 254 }, RTP_KIND_DTLS },
		{ { 63, 254 }, RTP_KIND_DTLS },       { { 64, 0 }, RTP_KIND_CHANNEL },
		{ { 79, 255 }, RTP_KIND_CHANNEL },    { { 80, 0 }, RTP_KIND_UNKNOWN },
		{ { 0x80, 111 }, RTP_KIND_RTP },      { { 0x90, 0x80 | 63 }, RTP_KIND_RTP },
		{ { 0x80, 192 }, RTP_KIND_RTCP },     { { 0x81, 200 }, RTP_KIND_RTCP },
		{ { 0xbf, 223 }, RTP_KIND_RTCP },     { { 0x80, 224 }, RTP_KIND_RTP },
		{ { 0xc0, 200 }, RTP_KIND_UNKNOWN },  { { 0x7f, 200 }, RTP_KIND_UNKNOWN },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		EXPECT_EQ(rtp_kind_of(cases[i].bytes, 2), cases[i].want);
	EXPECT_EQ(rtp_kind_of(cases[0].bytes, 1), RTP_KIND_UNKNOWN);
}

TEST(numbers_go_on_beyond_their_bits)
{
	struct rtp_seq seq = { 0 };
	EXPECT_EQ(rtp_seq_input(&seq, 65530), 65530);
	EXPECT_EQ(rtp_seq_input(&seq, 4), 65540);
	EXPECT_EQ(rtp_seq_input(&seq, 65535), 65535);
	EXPECT_EQ(seq.highest, 65540);
	EXPECT_EQ(rtp_seq_extend(&seq, 5), 65541);
	for (int64_t i = 65541; i < 400000; i += 777)
		EXPECT_EQ(rtp_seq_input(&seq, (uint16_t)i), i);
	EXPECT_EQ(rtp_timestamp_extend(0xffffffff, 1), INT64_C(0x100000001));
	EXPECT_EQ(rtp_timestamp_extend(INT64_C(0x100000001), 0xfffffffe), 0xfffffffe);
}

/* ---- Statistics ---- */

static enum rtp_verdict
receive(struct rtp_receive *receive, uint16_t seq, int64_t now_us)
{
	/* 8 kHz, 20 ms a packet: a peer without jitter when now_us is seq * 20 ms. */
	const struct rtp_packet packet = { .seq = seq,
		                           .timestamp_rtp = seq * 160u,
		                           .payload_len = 160 };
	return rtp_receive_input(receive, &packet, now_us);
}

static enum rtp_verdict
receive_in_time(struct rtp_receive *stats, uint16_t seq)
{
	return receive(stats, seq, (int64_t)seq * 20000);
}

static struct rtp_receive
receive_started_at(uint16_t seq)
{
	struct rtp_receive stats;
	rtp_receive_init(&stats, 8000);
	EXPECT_EQ(receive_in_time(&stats, seq), RTP_VERDICT_PROBATION);
	EXPECT(!rtp_receive_valid(&stats));
	EXPECT_EQ(receive_in_time(&stats, (uint16_t)(seq + 1)), RTP_VERDICT_NEW);
	EXPECT(rtp_receive_valid(&stats));
	return stats;
}

TEST(a_source_is_valid_after_two_in_sequence)
{
	struct rtp_receive stats;
	rtp_receive_init(&stats, 8000);
	EXPECT_EQ(receive_in_time(&stats, 10), RTP_VERDICT_PROBATION);
	EXPECT_EQ(receive_in_time(&stats, 20), RTP_VERDICT_PROBATION);
	EXPECT_EQ(receive_in_time(&stats, 20), RTP_VERDICT_PROBATION);
	EXPECT_EQ(receive_in_time(&stats, 21), RTP_VERDICT_NEW);
	EXPECT_EQ(rtp_receive_lost(&stats), 0);
}

TEST(loss_reordering_and_duplicates_are_told_apart)
{
	struct rtp_receive stats = receive_started_at(100);
	EXPECT_EQ(rtp_receive_take_fraction(&stats), 0);
	EXPECT_EQ(receive_in_time(&stats, 104), RTP_VERDICT_NEW);
	EXPECT_EQ(rtp_receive_lost(&stats), 2);
	EXPECT_EQ(receive_in_time(&stats, 103), RTP_VERDICT_LATE);
	EXPECT_EQ(receive_in_time(&stats, 103), RTP_VERDICT_DUPLICATE);
	EXPECT_EQ(receive_in_time(&stats, 104), RTP_VERDICT_DUPLICATE);
	EXPECT_EQ(receive_in_time(&stats, 100), RTP_VERDICT_DUPLICATE);
	EXPECT_EQ(rtp_receive_lost(&stats), 1);
	EXPECT_EQ(rtp_receive_take_fraction(&stats), 256 / 3);
	EXPECT_EQ(rtp_receive_take_fraction(&stats), 0);
	EXPECT_EQ(receive_in_time(&stats, 99), RTP_VERDICT_LATE); /* before the first */
	EXPECT_EQ(rtp_receive_lost(&stats), 1);
	EXPECT_EQ(stats.packets, 5);
	EXPECT_EQ(stats.bytes, 5 * 160);
	EXPECT_EQ(stats.duplicates, 3);
	EXPECT_EQ(stats.reordered, 2);
}

TEST(history_reaches_over_words_and_wraps)
{
	for (uint16_t gap = 1; gap < RTP_MISORDER_MAX; gap++) {
		struct rtp_receive stats = receive_started_at(65500);
		EXPECT_EQ(receive_in_time(&stats, (uint16_t)(65501 + gap)), RTP_VERDICT_NEW);
		EXPECT_EQ(receive_in_time(&stats, 65501), RTP_VERDICT_DUPLICATE);
		if (gap > 1)
			EXPECT_EQ(receive_in_time(&stats, 65502), RTP_VERDICT_LATE);
		EXPECT_EQ(rtp_receive_lost(&stats), gap > 1 ? gap - 2 : 0);
	}
}

TEST(one_stray_changes_nothing_and_two_in_sequence_are_a_restart)
{
	struct rtp_receive stats = receive_started_at(100);
	EXPECT_EQ(receive_in_time(&stats, 20000), RTP_VERDICT_JUMP);
	EXPECT_EQ(receive_in_time(&stats, 102), RTP_VERDICT_NEW);
	EXPECT_EQ(receive_in_time(&stats, 20001), RTP_VERDICT_JUMP); /* the first was forgotten */
	EXPECT_EQ(receive_in_time(&stats, 20002), RTP_VERDICT_RESTART);
	EXPECT_EQ(receive_in_time(&stats, 20003), RTP_VERDICT_NEW);
	EXPECT_EQ(receive_in_time(&stats, 19000), RTP_VERDICT_OLD);
	EXPECT_EQ(rtp_receive_lost(&stats), 0);
	EXPECT_EQ(stats.restarts, 1);
	EXPECT_EQ(stats.jumps, 3);
	EXPECT_EQ(stats.packets, 5);
}

TEST(jitter_grows_and_fades_as_in_rfc_3550_a8)
{
	struct rtp_receive stats = receive_started_at(0);
	for (uint16_t seq = 2; seq < 200; seq++)
		EXPECT_EQ(receive_in_time(&stats, seq), RTP_VERDICT_NEW);
	EXPECT_EQ(rtp_receive_jitter_us(&stats), 0);
	/* Every other packet 10 ms late: the differences are all 10 ms, and so is the estimate. */
	for (uint16_t seq = 200; seq < 400; seq++)
		(void)receive(&stats, seq, (int64_t)seq * 20000 + (seq % 2) * 10000);
	EXPECT(rtp_receive_jitter_us(&stats) > 9000 && rtp_receive_jitter_us(&stats) <= 10000);
	/* A clock that jumps by an hour is no jitter. */
	(void)receive(&stats, 400, (int64_t)3600 * 1000 * 1000);
	EXPECT(rtp_receive_jitter_us(&stats) <= 10000);
}

TEST(what_is_sent_is_numbered_and_timed)
{
	struct rtp_send send;
	rtp_send_init(&send, 77, 48000, 0xffff);
	struct rtp_header header = { .timestamp_rtp = 1000 };
	rtp_send_next(&send, &header, 80, 5000000);
	EXPECT_EQ(header.ssrc, 77);
	EXPECT_EQ(header.seq, 0x7fff);
	header.timestamp_rtp = 1960;
	rtp_send_next(&send, &header, 80, 5020000);
	EXPECT_EQ(header.seq, 0x8000);
	EXPECT_EQ(send.packets, 2);
	EXPECT_EQ(send.bytes, 160);
	EXPECT_EQ(rtp_send_timestamp_at(&send, 5030000), 1960 + 480);
	EXPECT_EQ(rtp_send_timestamp_at(&send, 5010000), 1960 - 480);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: descriptions of the programs people use are read completely, written and read back the
 * same; every reject has a text that provokes it; no prefix and no flipped byte can hurt.
 * Method: descriptions recorded from Chromium, Firefox and baresip and written in the manner of
 * Cisco rooms and Linphone (testdata/), and small texts with one fault each. */
#include "sdp/sdp_rules.h"

#include "base/check.h"
#include "base/test.h"

#include <stdio.h>

static struct sdp sdp;
static char golden_text[SDP_BYTES_MAX];

static struct str
golden(const char *name)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s.sdp", SDP_TESTDATA, name);
	FILE *file = fopen(path, "rb");
	EXPECT(file != NULL);
	const size_t len = fread(golden_text, 1, sizeof golden_text, file);
	fclose(file);
	return (struct str){ .at = golden_text, .len = len };
}

static const char *const golden_names[] = {
	"baresip-best-effort", "baresip-clear",  "baresip-dtls-ice", "baresip-sdes",
	"chromium-audio",      "chromium-video", "cisco-room",       "firefox-audio",
	"firefox-video",       "linphone",       "phone-ip6",        "script-lf",
};

static const struct sdp_codec *
codec_named(const struct sdp_media *media, const char *name)
{
	for (unsigned i = 0; i < media->codecs.count; i++)
		if (str_eq_nocase(sdp.codecs[media->codecs.first + i].name, str_of(name)))
			return &sdp.codecs[media->codecs.first + i];
	return NULL;
}

TEST(what_programs_send_is_read_and_written_back_the_same)
{
	for (size_t i = 0; i < COUNT_OF(golden_names); i++) {
		EXPECT_EQ(sdp_parse(&sdp, golden(golden_names[i])), SDP_OK);
		const char *broken = sdp_rules_round_trip(&sdp);
		EXPECT_STR(str_of(broken), "");
	}
}

TEST(chromium_is_read_completely)
{
	EXPECT_EQ(sdp_parse(&sdp, golden("chromium-audio")), SDP_OK);
	EXPECT_EQ(sdp.media_count, 1);
	EXPECT_EQ(sdp.group_count, 1);
	EXPECT_STR(sdp.bundles[0], "0");
	EXPECT_STR(sdp.origin.version, "2");
	const struct sdp_media *audio = &sdp.medias[0];
	EXPECT_EQ(audio->kind, SDP_AUDIO);
	EXPECT_EQ(audio->proto, SDP_PROTO_DTLS_SAVPF);
	EXPECT_EQ(audio->port, 9);
	EXPECT_EQ(audio->codecs.count, 8);
	EXPECT_EQ(audio->candidates.count, 2);
	EXPECT_EQ(audio->extmaps.count, 4);
	EXPECT_EQ(audio->direction, SDP_SENDRECV);
	EXPECT_EQ(audio->setup, SDP_SETUP_ACTPASS);
	EXPECT(audio->rtcp_mux && audio->rtcp_rsize && audio->ice_trickle);
	EXPECT(audio->extmap_allow_mixed);
	EXPECT_STR(audio->mid, "0");
	EXPECT_STR(audio->ice_ufrag, "QC2W");
	EXPECT_STR(audio->ice_pwd, "87ex3IPvJ930QCJnZhL9iHY9");
	const struct sdp_candidate *candidate = &sdp.candidates[audio->candidates.first];
	EXPECT(candidate->is_udp && candidate->type == SDP_CANDIDATE_HOST);
	EXPECT_EQ(candidate->addr.family, ADDR_NONE);
	EXPECT_EQ(candidate->addr.port, 54487);
	EXPECT_STR(candidate->host, "92ff6764-ca8e-4647-84aa-9ca7bbf9dd89.local");
	const struct sdp_codec *opus = codec_named(audio, "opus");
	EXPECT(opus != NULL && opus->payload == 111 && opus->channels == 2);
	EXPECT_EQ(sdp_fmtp_u32(opus->fmtp, STR("useinbandfec"), 0), 1);
	EXPECT_EQ(sdp_fmtp_u32(opus->fmtp, STR("stereo"), 0), 0);
	const struct sdp_fingerprint *print = &sdp.fingerprint_table[audio->fingerprints.first];
	EXPECT_EQ(print->hash, SDP_HASH_SHA256);
	EXPECT_EQ(print->bytes[0], 0x8f);
	EXPECT_EQ(print->bytes[31], 0x0a);
}

TEST(firefox_says_things_on_the_session_level_that_hold_for_every_line)
{
	EXPECT_EQ(sdp_parse(&sdp, golden("firefox-video")), SDP_OK);
	EXPECT_EQ(sdp.media_count, 2);
	for (unsigned i = 0; i < 2; i++) {
		EXPECT_EQ(sdp.medias[i].fingerprints.count, 1);
		EXPECT(sdp.medias[i].ice_trickle);
		EXPECT(sdp.medias[i].rtcp_mux);
	}
	EXPECT_EQ(sdp.extmaps[sdp.medias[0].extmaps.first + 1].direction, SDP_RECVONLY);
	EXPECT_EQ(codec_named(&sdp.medias[0], "G722")->channels, 1);
}

TEST(a_cisco_room_offers_six_lines)
{
	EXPECT_EQ(sdp_parse(&sdp, golden("cisco-room")), SDP_OK);
	EXPECT_EQ(sdp.media_count, 6);
	EXPECT_EQ(sdp.bandwidth_bps, 6000000);
	EXPECT_EQ(sdp.medias[0].bandwidth_bps, 128000);
	EXPECT_EQ(sdp.medias[0].cryptos.count, 3);
	const struct sdp_crypto *crypto = &sdp.cryptos[sdp.medias[0].cryptos.first];
	EXPECT_EQ(crypto[0].fault, SDP_CRYPTO_OK);
	EXPECT_EQ(crypto[0].tag, 0);
	EXPECT_EQ(crypto[0].suite, SDP_SUITE_AES_CM_128_HMAC_SHA1_80);
	EXPECT_EQ(crypto[0].key_len, 30);
	EXPECT_EQ(crypto[0].lifetime_packets, INT64_C(1) << 48);
	EXPECT_EQ(crypto[1].fault, SDP_CRYPTO_MKI);
	EXPECT_EQ(crypto[2].fault, SDP_CRYPTO_PARAM);
	EXPECT_STR(sdp.medias[1].content, "main");
	EXPECT_STR(sdp.medias[1].label, "11");
	EXPECT_EQ(sdp.medias[2].proto, SDP_PROTO_BFCP_UDP);
	EXPECT_STR(sdp.medias[2].proto_text, "UDP/BFCP");
	EXPECT_EQ(sdp.medias[2].codecs.count, 0);
	EXPECT_STR(sdp.medias[3].content, "slides");
	EXPECT_EQ(sdp.medias[5].kind, SDP_APPLICATION);
}

TEST(ip6_and_separate_rtcp_are_read)
{
	EXPECT_EQ(sdp_parse(&sdp, golden("phone-ip6")), SDP_OK);
	const struct sdp_media *audio = &sdp.medias[0];
	char text[ADDR_TEXT_MAX];
	EXPECT_EQ(audio->direction, SDP_INACTIVE);
	EXPECT_STR(str_of(addr_text(text, &audio->connection.addr)), "[2001:db8::10]:0");
	EXPECT_STR(str_of(addr_text(text, &audio->rtcp_addr)), "[2001:db8::11]:0");
	EXPECT_EQ(audio->rtcp_port, 30005);
	EXPECT_EQ(audio->ptime_ms, 30);
	EXPECT_EQ(sdp.cryptos[0].fault, SDP_CRYPTO_OK);
	EXPECT_EQ(sdp.cryptos[0].suite, SDP_SUITE_AEAD_AES_256_GCM);
	EXPECT_EQ(sdp.cryptos[0].key_len, 44);
	EXPECT_EQ(sdp.cryptos[1].fault, SDP_CRYPTO_OK);
	EXPECT_EQ(codec_named(audio, "PCMU")->payload, 0);
	EXPECT_EQ(codec_named(audio, "PCMA")->rate_hz, 8000);
}

TEST(bare_line_feeds_and_missing_lines_are_taken)
{
	EXPECT_EQ(sdp_parse(&sdp, golden("script-lf")), SDP_OK);
	EXPECT_EQ(sdp.media_count, 1);
	EXPECT_EQ(sdp.origin.user.len, 0);
	EXPECT_EQ(sdp.medias[0].port, 6000);
}

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define AUDIO "m=audio 4000 RTP/AVP 0 96\r\n"

TEST(every_reject_names_the_rule_that_was_broken)
{
	static const struct {
		const char *text;
		enum sdp_reject want;
	} cases[] = {
		{ "", SDP_REJECT_VERSION },
		{ "\r\n\r\n", SDP_REJECT_VERSION },
		{ "v=1\r\n", SDP_REJECT_VERSION },
		{ "o=- 1 1 IN IP4 1.2.3.4\r\nv=0\r\n", SDP_REJECT_VERSION },
		{ "v=0\r\nhello\r\n", SDP_REJECT_LINE },
		{ "v=0\r\na\r\n", SDP_REJECT_LINE },
		{ "v=0\r\nA=x\r\n", SDP_REJECT_LINE },
		{ "v=0\r\ns=a\x01\r\n", SDP_REJECT_LINE },
		{ "v=0\r\no=- 1 1 IN IP4\r\n", SDP_REJECT_ORIGIN },
		{ "v=0\r\no=- 1 1 IN IP4 h x\r\n", SDP_REJECT_ORIGIN },
		{ HEAD "o=- 1 1 IN IP4 h\r\n", SDP_REJECT_ORIGIN },
		{ "v=0\r\nc=IN IP5 1.2.3.4\r\n", SDP_REJECT_CONNECTION },
		{ "v=0\r\nc=ATM IP4 1.2.3.4\r\n", SDP_REJECT_CONNECTION },
		{ "v=0\r\nc=IN IP4\r\n", SDP_REJECT_CONNECTION },
		{ "v=0\r\n" AUDIO, SDP_REJECT_CONNECTION },
		{ HEAD "m=audio\r\n", SDP_REJECT_MEDIA },
		{ HEAD "m=audio x RTP/AVP 0\r\n", SDP_REJECT_MEDIA },
		{ HEAD "m=audio 65536 RTP/AVP 0\r\n", SDP_REJECT_MEDIA },
		{ HEAD "m=audio 4000\r\n", SDP_REJECT_MEDIA },
		{ HEAD "m=audio 4000 RTP/AVP\r\n", SDP_REJECT_MEDIA },
		{ HEAD "m=audio 4000 RTP/AVP 128\r\n", SDP_REJECT_MEDIA },
		{ HEAD "m=audio 4000 RTP/AVP x\r\n", SDP_REJECT_MEDIA },
		{ HEAD "a=:x\r\n", SDP_REJECT_ATTR },
		{ HEAD AUDIO "a=rtpmap:x opus/48000\r\n", SDP_REJECT_ATTR },
		{ HEAD AUDIO "a=rtpmap:96 opus\r\n", SDP_REJECT_ATTR },
		{ HEAD AUDIO "a=rtpmap:96 opus/0\r\n", SDP_REJECT_ATTR },
		{ HEAD AUDIO "a=rtpmap:96 /48000\r\n", SDP_REJECT_ATTR },
		{ HEAD AUDIO "a=rtcp:x\r\n", SDP_REJECT_ATTR },
		{ HEAD AUDIO "a=rtcp:5 IN IPX 1\r\n", SDP_REJECT_ATTR },
		{ HEAD AUDIO "a=mid:\r\n", SDP_REJECT_ATTR },
		{ HEAD AUDIO "a=mid:a b\r\n", SDP_REJECT_ATTR },
		{ HEAD AUDIO "a=ice-ufrag:abc\r\n", SDP_REJECT_ATTR },
		{ HEAD AUDIO "a=ice-pwd:tooshort\r\n", SDP_REJECT_ATTR },
		{ HEAD AUDIO "a=setup:maybe\r\n", SDP_REJECT_ATTR },
		{ HEAD AUDIO "a=fingerprint:sha-1 AB:CD\r\n", SDP_REJECT_ATTR },
		{ HEAD AUDIO "a=fingerprint:sha-1\r\n", SDP_REJECT_ATTR },
		{ HEAD AUDIO "a=fingerprint:md2 AB-CD\r\n", SDP_REJECT_ATTR },
		{ HEAD AUDIO "a=fingerprint:md2 AG\r\n", SDP_REJECT_ATTR },
		{ HEAD AUDIO "a=extmap:0 urn:x\r\n", SDP_REJECT_ATTR },
		{ HEAD AUDIO "a=extmap:9999 urn:x\r\n", SDP_REJECT_ATTR },
		{ HEAD AUDIO "a=extmap:1\r\n", SDP_REJECT_ATTR },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const enum sdp_reject got = sdp_parse(&sdp, str_of(cases[i].text));
		if (got != cases[i].want)
			print_error("case %zu: %s\n", i, cases[i].text);
		EXPECT_EQ(got, cases[i].want);
		EXPECT_EQ(sdp.media_count, 0);
	}
}

#define SHA1_PRINT \
	"a=fingerprint:SHA-1 00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10:11:12:13\r\n"

TEST(a_fingerprint_of_an_unknown_hash_does_not_hide_the_sessions)
{
	EXPECT_EQ(sdp_parse(&sdp, STR(HEAD SHA1_PRINT AUDIO "a=fingerprint:md5 AB\r\n")), SDP_OK);
	EXPECT_EQ(sdp.medias[0].fingerprints.count, 1);
	EXPECT_EQ(sdp.fingerprint_table[sdp.medias[0].fingerprints.first].hash, SDP_HASH_SHA1);
	EXPECT(sdp_rules_round_trip(&sdp) == NULL);
}

TEST(each_table_has_an_end)
{
	static const struct {
		const char *line;
		unsigned max;
	} cases[] = {
		{ "m=audio 0 RTP/AVP 0\r\n", SDP_MEDIAS_MAX },
		{ "a=candidate:1 1 udp 1 192.0.2.1 5 typ host\r\n", SDP_CANDIDATES_MAX },
		{ "a=extmap:1 urn:x\r\n", SDP_EXTMAPS_MAX },
		{ "a=crypto:1 x inline:y\r\n", SDP_CRYPTOS_MAX },
		{ SHA1_PRINT, SDP_FINGERPRINTS_MAX },
		{ "a=ssrc:1 cname:x\r\n", SDP_SSRCS_MAX },
		{ "a=rid:1 send\r\n", SDP_RIDS_MAX },
		{ "a=rtcp-fb:* nack\r\n", SDP_FEEDBACKS_MAX },
		{ "a=unknown:1\r\n", SDP_OTHERS_MAX },
		{ "a=group:BUNDLE 1\r\n", SDP_GROUPS_MAX },
	};
	static char text[SDP_BYTES_MAX + 1];
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const bool is_media = cases[i].line[0] == 'm';
		struct writer w = writer_of(text, sizeof text);
		writer_text(&w, is_media ? HEAD : HEAD AUDIO);
		for (unsigned n = 0; n < cases[i].max; n++)
			writer_text(&w, cases[i].line);
		EXPECT_EQ(sdp_parse(&sdp, writer_view(&w)), SDP_OK);
		writer_text(&w, cases[i].line);
		EXPECT_EQ(sdp_parse(&sdp, writer_view(&w)), SDP_REJECT_TOO_MANY);
	}
	memset(text, ' ', sizeof text);
	EXPECT_EQ(sdp_parse(&sdp, (struct str){ text, sizeof text }), SDP_REJECT_LONG);
}

TEST(what_nobody_depends_on_is_ignored_when_malformed)
{
	EXPECT_EQ(sdp_parse(&sdp, STR(HEAD AUDIO "a=candidate:nonsense\r\n"
	                                         "a=candidate:1 1 sctp 1 192.0.2.1 5 typ host\r\n"
	                                         "a=candidate:1 1 udp 1 192.0.2.1 5 typ moon\r\n"
	                                         "a=crypto:x y z\r\n"
	                                         "a=ssrc:-1 cname:x\r\n"
	                                         "a=rid:1 sideways\r\n"
	                                         "a=rtcp-fb:200 nack\r\n"
	                                         "a=ptime:often\r\n"
	                                         "a=fmtp:* x\r\n"
	                                         "a=rtpmap:77 ghost/8000\r\n"
	                                         "k=clear:x\r\nz=1 2\r\n")),
	          SDP_OK);
	EXPECT_EQ(sdp.candidate_count, 0);
	EXPECT_EQ(sdp.crypto_count, 0);
	EXPECT_EQ(sdp.ssrc_count, 0);
	EXPECT_EQ(sdp.rid_count, 0);
	EXPECT_EQ(sdp.feedback_count, 0);
	EXPECT_EQ(sdp.medias[0].ptime_ms, 0);
	EXPECT_EQ(sdp.codec_count, 2);
}

TEST(a_crypto_line_that_cannot_be_used_says_why)
{
#define KEY30 "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
	static const struct {
		const char *line;
		enum sdp_crypto_fault want;
	} cases[] = {
		{ "AES_CM_128_HMAC_SHA1_80 " KEY30, SDP_CRYPTO_OK },
		{ "AES_CM_128_HMAC_SHA1_80 " KEY30 "|2^31", SDP_CRYPTO_OK },
		{ "AES_CM_128_HMAC_SHA1_80 " KEY30 "|1048576 WSH=128 -X=1", SDP_CRYPTO_OK },
		{ "AES_CM_128_HMAC_SHA1_80 " KEY30 "|2^49", SDP_CRYPTO_KEY },
		{ "AES_CM_128_HMAC_SHA1_80 " KEY30 "|soon", SDP_CRYPTO_KEY },
		{ "AES_CM_128_HMAC_SHA1_80 " KEY30 "|1:4", SDP_CRYPTO_MKI },
		{ "AES_CM_128_HMAC_SHA1_80 " KEY30 "|2^20|1:4", SDP_CRYPTO_MKI },
		{ "AES_CM_128_HMAC_SHA1_80 " KEY30 "|2^20|1:4;" KEY30 "|2^20|2:4", SDP_CRYPTO_MKI },
		{ "AES_CM_128_HMAC_SHA1_80 inline:c2hvcnQ=", SDP_CRYPTO_KEY },
		{ "AES_CM_128_HMAC_SHA1_80 uri:x", SDP_CRYPTO_KEY },
		{ "AES_CM_128_HMAC_SHA1_80", SDP_CRYPTO_KEY },
		{ "AES_256_CM_HMAC_SHA1_80 " KEY30, SDP_CRYPTO_KEY },
		{ "F8_128_HMAC_SHA1_80 " KEY30, SDP_CRYPTO_SUITE },
		{ "AES_CM_128_HMAC_SHA1_80 " KEY30 " KDR=4", SDP_CRYPTO_PARAM },
		{ "AES_CM_128_HMAC_SHA1_80 " KEY30 " UNENCRYPTED_SRTP", SDP_CRYPTO_PARAM },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char text[512];
		snprintf(text, sizeof text, HEAD AUDIO "a=crypto:1 %s\r\n", cases[i].line);
		EXPECT_EQ(sdp_parse(&sdp, str_of(text)), SDP_OK);
		EXPECT_EQ(sdp.crypto_count, 1);
		EXPECT_EQ(sdp.cryptos[0].fault, cases[i].want);
		EXPECT(sdp.cryptos[0].fault == SDP_CRYPTO_OK || sdp.cryptos[0].key_len == 0);
	}
}

TEST(candidates_read_and_write_back)
{
	static const char *const texts[] = {
		"candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host",
		("candidate:2 1 udp 1694498815 198.51.100.3 6000 typ srflx raddr 10.0.0.1 rport "
		 "5000"),
		"candidate:3 2 udp 1 2001:db8::1 6001 typ relay raddr 192.0.2.9 rport 1 ufrag aBc4",
		"candidate:4 1 tcp 2105458943 192.0.2.1 9 typ host tcptype active",
		"candidate:5 1 udp 99 8f0e.local 9 typ prflx",
	};
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct sdp_candidate candidate;
		char text[256];
		struct writer w = writer_of(text, sizeof text);
		EXPECT(sdp_candidate_parse(&candidate, str_of(texts[i])));
		sdp_candidate_write(&w, &candidate);
		EXPECT_STR(writer_view(&w), texts[i]);
	}
	struct sdp_candidate candidate;
	EXPECT(sdp_candidate_parse(&candidate, STR("a=candidate:1 1 UDP 1 ::1 5 typ host")));
	EXPECT(!sdp_candidate_parse(&candidate, STR("candidate:1 0 udp 1 ::1 5 typ host")));
	EXPECT(!sdp_candidate_parse(&candidate, STR("candidate:1 1 udp x ::1 5 typ host")));
	EXPECT(!sdp_candidate_parse(&candidate, STR("candidate:1 1 udp 1 ::1 65536 typ host")));
	EXPECT(!sdp_candidate_parse(&candidate, STR("candidate:1 1 udp 1 ::1 5 host")));
	EXPECT(!sdp_candidate_parse(&candidate, STR("")));
}

TEST(parameters_are_found_whatever_the_blanks)
{
	struct str value;
	const struct str fmtp = STR("Stereo=1 ; useinbandfec = 0;maxaveragebitrate=x;cbr");
	EXPECT_EQ(sdp_fmtp_u32(fmtp, STR("stereo"), 7), 1);
	EXPECT_EQ(sdp_fmtp_u32(fmtp, STR("useinbandfec"), 7), 0);
	EXPECT_EQ(sdp_fmtp_u32(fmtp, STR("maxaveragebitrate"), 7), 7);
	EXPECT(sdp_fmtp_get(fmtp, STR("cbr"), &value) && value.len == 0);
	EXPECT(!sdp_fmtp_get(fmtp, STR("ste"), &value));
}

TEST(a_full_writer_fails_and_writes_no_half_numbers)
{
	static char text[SDP_BYTES_MAX];
	EXPECT_EQ(sdp_parse(&sdp, golden("chromium-video")), SDP_OK);
	struct writer whole = writer_of(text, sizeof text);
	sdp_write(&whole, &sdp);
	EXPECT(!whole.failed);
	for (size_t cap = 0; cap < whole.at; cap += 17) {
		struct writer w = writer_of(text, cap);
		sdp_write(&w, &sdp);
		EXPECT(w.failed && w.at <= cap);
	}
}

TEST(every_prefix_and_every_flip_is_read_or_refused)
{
	static char text[8192];
	static const char *const names[] = { "cisco-room", "firefox-audio", "phone-ip6" };
	for (size_t n = 0; n < COUNT_OF(names); n++) {
		const struct str whole = golden(names[n]);
		EXPECT(whole.len <= sizeof text);
		for (size_t len = 0; len < whole.len; len++)
			if (sdp_parse(&sdp, str_sub(whole, 0, len)) == SDP_OK)
				EXPECT(sdp_rules_round_trip(&sdp) == NULL);
		for (size_t at = 0; at < whole.len; at++) {
			static const char flips[] = { 0x01, 0x10, 0x20, 0x7f };
			for (size_t f = 0; f < sizeof flips; f++) {
				memcpy(text, whole.at, whole.len);
				text[at] = (char)(text[at] ^ flips[f]);
				if (sdp_parse(&sdp, (struct str){ text, whole.len }) == SDP_OK)
					EXPECT(sdp_rules_round_trip(&sdp) == NULL);
			}
		}
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: pictures, content, floor and camera control are agreed with browsers and rooms.
 * Method: recorded offers of Chromium, Firefox and baresip and offers as rooms write them are
 * answered; one small text per rule; two of our own machines talk to each other. */
#include "sdp/sdp_dialogue.h"
#include "sdp/sdp_session_internal.h"

#include "base/check.h"

#define AVP HEAD "m=video 5000 RTP/AVP "
#define H264(payload, fmtp) "a=rtpmap:" payload " H264/90000\r\na=fmtp:" payload " " fmtp "\r\n"

static const struct sdp_line_codec *
codec_of(const struct sdp_session *session, unsigned line, unsigned index)
{
	EXPECT(index < session->lines[line].codec_count);
	return &session->codecs[session->lines[line].codec_first + index];
}

static struct str
answered_fmtp(unsigned line, uint8_t payload)
{
	const struct sdp_range *range = &parsed_answer.medias[line].codecs;
	for (unsigned i = 0; i < range->count; i++)
		if (parsed_answer.codecs[range->first + i].payload == payload)
			return parsed_answer.codecs[range->first + i].fmtp;
	return (struct str){ 0 };
}

static struct str
answered_other(unsigned line, struct str name)
{
	const struct sdp_range *range = &parsed_answer.medias[line].others;
	for (unsigned i = 0; i < range->count; i++)
		if (str_eq(parsed_answer.other_table[range->first + i].name, name))
			return parsed_answer.other_table[range->first + i].value;
	return (struct str){ 0 };
}

/* ---- Browsers ------------------------------------------------------------------------------ */

TEST(chromiums_camera_screen_and_tiles_find_their_purposes)
{
	const struct sdp_settings settings = fixture_browser();
	sdp_session_init(&us, &settings);
	(void)answer_to(&us, golden("chromium-simulcast"));
	EXPECT_EQ(us.line_count, 7);
	for (unsigned i = 0; i < 7; i++)
		EXPECT(us.lines[i].accepted && us.lines[i].transport_line == 0);
	EXPECT_EQ(us.lines[1].media, FIXTURE_SELF);
	EXPECT_EQ(us.lines[2].media, FIXTURE_SCREEN);
	EXPECT_EQ(us.lines[1].direction, SDP_RECVONLY);
	for (unsigned i = 3; i < 7; i++) {
		EXPECT_EQ(us.lines[i].media, FIXTURE_TILE);
		EXPECT_EQ(us.lines[i].direction, SDP_SENDONLY);
		EXPECT_EQ(parsed_answer.medias[i].direction, SDP_SENDONLY);
		EXPECT_EQ(us.lines[i].path, us.lines[0].path);
	}
	EXPECT_STR(parsed_answer.bundles[0], "0 1 2 3 4 5 6");
}

TEST(chromiums_simulcast_is_answered_layer_by_layer)
{
	const struct sdp_settings settings = fixture_browser();
	sdp_session_init(&us, &settings);
	(void)answer_to(&us, golden("chromium-simulcast"));
	EXPECT_EQ(us.lines[1].rid_count, 3);
	EXPECT_STR(str_of(us.lines[1].rids[0]), "f");
	EXPECT_STR(str_of(us.lines[1].rids[2]), "q");
	EXPECT_EQ(us.lines[2].rid_count, 0);
	EXPECT_STR(parsed_answer.medias[1].simulcast, "recv f;h;q");
	EXPECT_EQ(parsed_answer.medias[1].rids.count, 3);
	EXPECT(!parsed_answer.rids[parsed_answer.medias[1].rids.first].is_send);
	EXPECT_EQ(parsed_answer.medias[2].simulcast.len, 0);
	/* audio-level only with sound, the ids of layers only with pictures */
	EXPECT(us.lines[0].extension_ids[0] != 0 && us.lines[0].extension_ids[2] == 0);
	EXPECT(us.lines[1].extension_ids[0] == 0 && us.lines[1].extension_ids[2] != 0);
	EXPECT(us.lines[1].extension_ids[3] != 0 && us.lines[1].extension_ids[4] != 0);
}

TEST(chromiums_codecs_come_with_retransmission_and_feedback)
{
	const struct sdp_settings settings = fixture_browser();
	sdp_session_init(&us, &settings);
	(void)answer_to(&us, golden("chromium-simulcast"));
	for (unsigned i = 1; i < 7; i++) {
		EXPECT(us.lines[i].codec_count >= 4);
		for (unsigned k = 0; k < us.lines[i].codec_count; k++) {
			const struct sdp_line_codec *codec = codec_of(&us, i, k);
			EXPECT(codec->receive_rtx_payload != SDP_PAYLOAD_NONE);
			EXPECT_EQ(codec->send_rtx_payload, codec->receive_rtx_payload);
			EXPECT_EQ(codec->feedbacks, 0x3b); /* all but tmmbr */
		}
	}
	/* The browser's exact profile is found though others would do. */
	const struct sdp_line_codec *constrained = codec_of(&us, 3, 1);
	const struct sdp_line_codec *baseline = codec_of(&us, 3, 2);
	EXPECT(str_contains_nocase(sdp_session_fmtp(&us, constrained), STR("42e01f")));
	EXPECT(str_contains_nocase(sdp_session_fmtp(&us, baseline), STR("42001f")));
	EXPECT(str_contains_nocase(answered_fmtp(3, constrained->receive_payload), STR("=42e034")));
	EXPECT(str_contains_nocase(answered_fmtp(3, baseline->receive_payload), STR("=420034")));
}

TEST(firefox_gets_what_it_has)
{
	const struct sdp_settings settings = fixture_browser();
	sdp_session_init(&us, &settings);
	(void)answer_to(&us, golden("firefox-simulcast"));
	EXPECT_EQ(us.line_count, 7);
	EXPECT_EQ(us.lines[1].rid_count, 3);
	EXPECT_EQ(us.lines[2].media, FIXTURE_SCREEN);
	EXPECT_EQ(us.lines[6].media, FIXTURE_TILE);
	EXPECT_EQ(codec_of(&us, 3, 0)->cap, 0);
	EXPECT(codec_of(&us, 3, 0)->receive_rtx_payload != SDP_PAYLOAD_NONE);
	/* Each of its payload types is taken once, however many of ours it would fit. */
	for (unsigned i = 0; i < us.lines[3].codec_count; i++)
		for (unsigned k = 0; k < i; k++)
			EXPECT(codec_of(&us, 3, i)->send_payload != codec_of(&us, 3, k)->send_payload);
}

TEST(a_browser_may_fill_all_lines_and_no_more)
{
	const struct sdp_settings settings = fixture_browser();
	static char text[SDP_BYTES_MAX];
	struct writer w = writer_of(text, sizeof text);
	const struct str head = golden("chromium-audio");
	writer_str(&w, head);
	for (unsigned i = 1; i < SDP_LINES_MAX + 1; i++) {
		const size_t end = w.at;
		writer_format(&w, "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\n"
		                  "a=mid:v%u\r\na=recvonly\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n"
		                  "a=setup:actpass\r\na=ice-ufrag:QC2W\r\n"
		                  "a=ice-pwd:87ex3IPvJ930QCJnZhL9iHY9\r\n"
		                  "a=fingerprint:sha-1 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:"
		                  "0E:0F:10:11:12:13\r\n"
		                  "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n", i);
		sdp_session_init(&us, &settings);
		const enum sdp_reject got = sdp_session_offer_take(&us, writer_view(&w));
		EXPECT_EQ(got, i < SDP_LINES_MAX ? SDP_OK : SDP_REJECT_TOO_MANY);
		if (got != SDP_OK)
			break;
		(void)answer_of(&us, writer_view(&w));
		/* Not bundled: each has a path of its own, as long as there are some. */
		EXPECT_EQ(us.lines[i].accepted, i < SDP_PATHS_MAX);
		EXPECT(w.at > end);
	}
}

TEST(our_sources_are_told_on_the_lines_we_send_on)
{
	const struct sdp_settings settings = fixture_browser();
	sdp_session_init(&us, &settings);
	const struct str offer = golden("chromium-simulcast");
	EXPECT_EQ(sdp_session_offer_take(&us, offer), SDP_OK);
	sdp_session_sources_set(&us, 3, 1001, 1002);
	sdp_session_sources_set(&us, 4, 1003, 0);
	(void)answer_of(&us, offer);
	const struct sdp_media *line = &parsed_answer.medias[3];
	EXPECT_EQ(line->ssrcs.count, 2);
	EXPECT_EQ(parsed_answer.ssrcs[line->ssrcs.first].ssrc, 1001);
	EXPECT_STR(parsed_answer.ssrcs[line->ssrcs.first].value, "bridge");
	EXPECT_STR(answered_other(3, STR("ssrc-group")), "FID 1001 1002");
	EXPECT_STR(line->msid, "- 3");
	EXPECT_EQ(parsed_answer.medias[4].ssrcs.count, 1);
	EXPECT_EQ(answered_other(4, STR("ssrc-group")).len, 0);
	EXPECT_EQ(parsed_answer.medias[1].ssrcs.count, 0);
	/* They stay when the browser offers again. */
	(void)answer_to(&us, offer);
	EXPECT_EQ(parsed_answer.medias[3].ssrcs.count, 2);
}

TEST(a_line_keeps_its_purpose_when_it_stops_and_goes_on)
{
#define BROWSER_LINE(mid, direction)                                                          \
	"m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:" mid "\r\na=" direction \
	"\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\na=setup:actpass\r\na=ice-ufrag:QC2W\r\n"  \
	"a=ice-pwd:87ex3IPvJ930QCJnZhL9iHY9\r\n" PRINT
#define BUNDLE "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2\r\n"
	const struct sdp_settings settings = fixture_browser();
	sdp_session_init(&us, &settings);
	(void)answer_to(&us, STR(BUNDLE BROWSER_LINE("0", "sendonly") BROWSER_LINE("1", "sendonly")
	                                 BROWSER_LINE("2", "recvonly")));
	EXPECT_EQ(us.lines[0].media, FIXTURE_SELF);
	EXPECT_EQ(us.lines[1].media, FIXTURE_SCREEN);
	EXPECT_EQ(us.lines[2].media, FIXTURE_TILE);
	(void)answer_to(&us, STR(BUNDLE BROWSER_LINE("0", "inactive") BROWSER_LINE("1", "sendonly")
	                                 BROWSER_LINE("2", "inactive")));
	EXPECT_EQ(us.lines[0].media, FIXTURE_SELF);
	EXPECT_EQ(us.lines[0].direction, SDP_INACTIVE);
	EXPECT_EQ(us.lines[1].direction, SDP_RECVONLY);
	EXPECT_EQ(us.lines[2].media, FIXTURE_TILE);
	EXPECT(!us.lines[0].dtls_restart && !us.lines[1].ice_restart);
}

TEST(a_screen_is_known_by_its_mark_or_by_being_the_second)
{
#define MARKED(mid) BROWSER_LINE(mid, "sendonly") "a=content:slides\r\n"
	static const struct {
		const char *offer;
		int media[3];
	} cases[] = {
		{ BUNDLE BROWSER_LINE("0", "sendonly") BROWSER_LINE("1", "recvonly") MARKED("2"),
		  { FIXTURE_SELF, FIXTURE_TILE, FIXTURE_SCREEN } },
		{ BUNDLE MARKED("0") BROWSER_LINE("1", "sendonly") BROWSER_LINE("2", "recvonly"),
		  { FIXTURE_SCREEN, FIXTURE_SELF, FIXTURE_TILE } },
		{ BUNDLE BROWSER_LINE("0", "sendonly") BROWSER_LINE("1", "recvonly")
		          BROWSER_LINE("2", "sendonly"),
		  { FIXTURE_SELF, FIXTURE_TILE, FIXTURE_SCREEN } },
		{ BUNDLE BROWSER_LINE("0", "sendonly") BROWSER_LINE("1", "sendonly")
		          BROWSER_LINE("2", "sendonly"),
		  { FIXTURE_SELF, FIXTURE_SCREEN, -1 } },
	};
	const struct sdp_settings settings = fixture_browser();
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		sdp_session_init(&us, &settings);
		for (int round = 0; round < 2; round++) {
			(void)answer_to(&us, str_of(cases[i].offer));
			for (unsigned k = 0; k < 3; k++) {
				EXPECT_EQ(us.lines[k].media, cases[i].media[k]);
				EXPECT_EQ(us.lines[k].accepted, cases[i].media[k] >= 0);
			}
		}
	}
}

TEST(a_bundle_goes_on_when_the_line_that_carried_it_goes)
{
	const struct sdp_settings settings = fixture_browser();
	sdp_session_init(&us, &settings);
	(void)answer_to(&us, STR(BUNDLE BROWSER_LINE("0", "sendonly") BROWSER_LINE("1", "sendonly")
	                                 BROWSER_LINE("2", "recvonly")));
	const uint8_t path = us.lines[0].path;
	(void)answer_to(&us, STR("v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"
	                         "a=group:BUNDLE 1 2\r\n"
	                         "m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\n" BROWSER_LINE(
	                                 "1", "sendonly") BROWSER_LINE("2", "recvonly")));
	EXPECT(!us.lines[0].accepted && us.lines[1].accepted && us.lines[2].accepted);
	EXPECT_EQ(us.lines[1].path, path);
	EXPECT_EQ(us.lines[2].transport_line, 1);
	EXPECT(!us.lines[1].dtls_restart && !us.lines[1].ice_restart);
	EXPECT_STR(str_of(sdp_session_path(&us, &us.lines[2])->remote_ufrag), "QC2W");
}

TEST(simulcast_is_taken_only_as_it_can_be_told_apart)
{
#define LAYERS(extension, attributes)                                                             \
	BUNDLE "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendonly\r\n"  \
	       "a=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\na=setup:actpass\r\na=ice-ufrag:QC2W\r\n"   \
	       "a=ice-pwd:87ex3IPvJ930QCJnZhL9iHY9\r\n" PRINT "a=extmap:4 " extension "\r\n" attributes
#define RID_URI "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
	static const struct {
		const char *offer;
		const char *answer;
	} cases[] = {
		{ LAYERS(RID_URI, "a=rid:1 send\r\na=rid:2 send\r\na=simulcast:send 1;2\r\n"),
		  "recv 1;2" },
		{ LAYERS(RID_URI, "a=rid:1 send\r\na=rid:2 send\r\na=rid:3 send\r\n"
		                  "a=simulcast:recv 9 send 1,3;~2\r\n"),
		  "recv 1;2" },
		{ LAYERS(RID_URI, "a=rid:1 send\r\na=rid:2 recv\r\na=simulcast:send 1;2;1;x\r\n"),
		  "recv 1" },
		{ LAYERS(RID_URI, "a=rid:a send\r\na=rid:b send\r\na=rid:c send\r\na=rid:d send\r\n"
		                  "a=simulcast:send a;b;c;d\r\n"),
		  "recv a;b;c" },
		{ LAYERS(RID_URI, "a=rid:0123456789abcdef send\r\na=simulcast:send "
		                  "0123456789abcdef\r\n"),
		  "" },
		{ LAYERS(RID_URI, "a=rid:1 send\r\na=simulcast:send\r\n"), "" },
		{ LAYERS("urn:x", "a=rid:1 send\r\na=rid:2 send\r\na=simulcast:send 1;2\r\n"), "" },
	};
	const struct sdp_settings settings = fixture_browser();
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		sdp_session_init(&us, &settings);
		(void)answer_to(&us, str_of(cases[i].offer));
		EXPECT_STR(parsed_answer.medias[0].simulcast, cases[i].answer);
	}
}

/* ---- H.264 --------------------------------------------------------------------------------- */

TEST(profile_and_packetization_mode_decide_what_h264_it_is)
{
	static const struct {
		const char *ours;
		const char *theirs;
		unsigned fit; /* 0: none, 1: close enough, 2: the same */
	} cases[] = {
		{ "profile-level-id=42e01f", "profile-level-id=42c00d", 2 },
		{ "profile-level-id=42e01f", "profile-level-id=42801f", 1 },
		{ "profile-level-id=42e01f", "profile-level-id=420016", 1 },
		{ "profile-level-id=42e01f", "profile-level-id=4d801f", 2 }, /* table 5 */
		{ "profile-level-id=42e01f", "profile-level-id=58c01f", 2 },
		{ "profile-level-id=42e01f", "profile-level-id=4d001f", 0 },
		{ "profile-level-id=42e01f", "profile-level-id=58001f", 0 },
		{ "profile-level-id=42e01f", "profile-level-id=64001f", 0 },
		{ "profile-level-id=640028", "profile-level-id=64001f", 2 },
		{ "profile-level-id=640028", "profile-level-id=640c1f", 1 },
		{ "profile-level-id=640028", "profile-level-id=f4001f", 0 },
		{ "profile-level-id=f40028", "profile-level-id=f4001f", 2 },
		{ "profile-level-id=42e01f;packetization-mode=1", "profile-level-id=42e01f", 0 },
		{ "profile-level-id=42e01f;packetization-mode=0", "profile-level-id=42e01f", 2 },
		{ "profile-level-id=42e01f", "", 2 },
		{ "profile-level-id=42e01f", "profile-level-id=42e0", 0 },
		{ "profile-level-id=42e01f", "profile-level-id=42e01g", 0 },
	};
	const struct sdp_settings settings = fixture_room();
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct sdp_codec_cap cap = {
			STR("H264"), 90000, 1, 97, str_of(cases[i].ours),
		};
		const struct sdp_codec codec = {
			.name = STR("h264"), .rate_hz = 90000, .channels = 1,
			.fmtp = str_of(cases[i].theirs),
		};
		EXPECT_EQ(sdp_codec_fit(&cap, &codec), cases[i].fit);
	}
	sdp_session_init(&us, &settings);
	EXPECT_EQ(sdp_session_offer_take(&us, STR(AVP "97\r\n" H264("97", "packetization-mode=2"))),
	          SDP_REJECT_NO_MEDIA);
}

TEST(an_answer_keeps_the_profile_and_may_lower_the_level)
{
	const struct sdp_settings settings = fixture_room();
	sdp_session_init(&us, &settings);
	(void)answer_to(&us, STR(AVP "120 121 122\r\n"
	                         H264("120", "packetization-mode=1;profile-level-id=42e00d")
	                         H264("121", "packetization-mode=1;profile-level-id=640c20;"
	                                     "level-asymmetry-allowed=1")
	                         H264("122", "profile-level-id=420034")));
	/* Both directions have one level, unless both sides say that they need not. */
	EXPECT_STR(answered_fmtp(0, 120), "profile-level-id=42e00d;packetization-mode=1;max-fs=8160");
	EXPECT_STR(answered_fmtp(0, 121), "profile-level-id=640c28;packetization-mode=1;"
	                                  "level-asymmetry-allowed=1");
	EXPECT_STR(answered_fmtp(0, 122), "profile-level-id=42001f");
}

TEST(profiles_of_vp9_and_av1_are_codecs_of_their_own)
{
	static const struct {
		const char *name;
		const char *ours;
		const char *theirs;
		bool fits;
	} cases[] = {
		{ "VP9", "profile-id=0", "profile-id=0", true },
		{ "VP9", "profile-id=0", "", true },
		{ "VP9", "profile-id=0", "profile-id=2", false },
		{ "AV1", "", "level-idx=5;profile=0;tier=0", true },
		{ "AV1", "", "profile=1", false },
		{ "VP8", "", "max-fs=3600", true },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct sdp_codec_cap cap = {
			str_of(cases[i].name), 90000, 1, 97, str_of(cases[i].ours),
		};
		const struct sdp_codec codec = {
			.name = str_of(cases[i].name), .rate_hz = 90000, .channels = 1,
			.fmtp = str_of(cases[i].theirs),
		};
		EXPECT_EQ(sdp_codec_fit(&cap, &codec) != 0, cases[i].fits);
	}
}

/* ---- Rooms --------------------------------------------------------------------------------- */

TEST(baresips_picture_is_answered_with_its_feedback)
{
	const struct sdp_settings settings = fixture_room();
	sdp_session_init(&us, &settings);
	(void)answer_to(&us, golden("baresip-video"));
	EXPECT(us.lines[0].accepted && us.lines[1].accepted);
	EXPECT_EQ(us.lines[1].media, FIXTURE_VIDEO);
	EXPECT_EQ(us.lines[1].codec_count, 3);
	EXPECT_EQ(codec_of(&us, 1, 0)->send_payload, 97); /* mode 1 first, as we like it */
	EXPECT_EQ(codec_of(&us, 1, 0)->feedbacks, 1);     /* nack pli, over RTP/AVP */
	EXPECT_EQ(codec_of(&us, 1, 0)->send_rtx_payload, SDP_PAYLOAD_NONE);
	EXPECT_STR(parsed_answer.medias[1].proto_text, "RTP/AVP");
	EXPECT_EQ(parsed_answer.medias[1].feedbacks.count, 3); /* of each codec */
}

TEST(a_cisco_room_gets_pictures_content_floor_and_camera_control)
{
	const struct sdp_settings settings = fixture_room();
	sdp_session_init(&us, &settings);
	(void)answer_to(&us, golden("cisco-room"));
	expect_dump(&us,
	            "0 audio sendrecv sdes AES_CM_128_HMAC_SHA1_80 G722 9/9 PCMU 0/0 PCMA 8/8 "
	            "event/8000 101/101 to 192.0.2.30:16620 192.0.2.30:16621\n"
	            "1 video sendrecv clear H264 126/126 H264 97/97 "
	            "to 192.0.2.30:16622 192.0.2.30:16623\n"
	            "2 application UDP/BFCP server conference 77 user 3 floor 2 to 192.0.2.30:5070\n"
	            "3 video sendrecv clear H264 126/126 H264 97/97 "
	            "to 192.0.2.30:16624 192.0.2.30:16625\n"
	            "4 application sendrecv clear H224 100/100 to 192.0.2.30:16626 192.0.2.30:16627\n"
	            "5 application refused: media not wanted\n");
	EXPECT_EQ(codec_of(&us, 1, 0)->feedbacks, 7);
	EXPECT_STR(answered_other(2, STR("floorctrl")), "s-only");
	EXPECT_STR(answered_other(2, STR("confid")), "77");
	EXPECT_STR(answered_other(2, STR("userid")), "3");
	EXPECT_STR(answered_other(2, STR("floorid")), "2 mstrm:12");
	EXPECT_STR(answered_other(2, STR("connection")), "new");
	EXPECT_EQ(parsed_answer.medias[2].setup, SDP_SETUP_PASSIVE);
	EXPECT_EQ(parsed_answer.medias[2].port, transports[FIXTURE_BFCP].rtp.port);
	EXPECT_STR(parsed_answer.medias[3].label, "12");
	EXPECT_EQ(parsed_answer.medias[5].port, 0);
}

TEST(a_poly_rooms_two_feedbacks_in_one_line_are_read)
{
	const struct sdp_settings settings = fixture_room();
	sdp_session_init(&us, &settings);
	(void)answer_to(&us, golden("poly-room"));
	EXPECT_EQ(us.lines[1].codec_count, 3);
	EXPECT_EQ(codec_of(&us, 1, 0)->feedbacks, 7);
	EXPECT_EQ(us.lines[2].proto, SDP_PROTO_BFCP_TCP);
	EXPECT(us.lines[2].bfcp.server && !us.lines[2].bfcp.active);
	EXPECT_EQ(us.lines[3].media, FIXTURE_CONTENT);
	EXPECT_EQ(us.lines[3].bandwidth_bps, 4096000);
	EXPECT_EQ(us.lines[4].media, FIXTURE_CAMERA);
}

TEST(a_room_that_keeps_the_floor_itself_has_a_client_in_us)
{
	struct sdp_settings settings = fixture_room();
	sdp_session_init(&us, &settings);
	(void)answer_to(&us, golden("room-floor-server"));
	expect_dump(&us,
	            "0 audio sendrecv sdes AES_CM_128_HMAC_SHA1_80 PCMU 0/0 "
	            "to 192.0.2.60:20000 192.0.2.60:20001\n"
	            "1 video sendrecv sdes AES_CM_128_HMAC_SHA1_80 H264 97/97 "
	            "to 192.0.2.60:20002 192.0.2.60:20003\n"
	            "2 video sendrecv sdes AES_CM_128_HMAC_SHA1_80 H264 97/97 "
	            "to 192.0.2.60:20004 192.0.2.60:20005\n"
	            "3 application TCP/TLS/BFCP client active conference 4321 user 1234 floor 5 "
	            "to 192.0.2.60:20006\n"
	            "4 application sendrecv sdes AES_CM_128_HMAC_SHA1_80 H224 100/100 "
	            "to 192.0.2.60:20008 192.0.2.60:20009\n");
	EXPECT_STR(answered_other(3, STR("floorctrl")), "c-only");
	EXPECT_EQ(answered_other(3, STR("confid")).len, 0);
	EXPECT_EQ(parsed_answer.medias[3].setup, SDP_SETUP_ACTIVE);
	EXPECT_EQ(parsed_answer.medias[3].fingerprints.count, 1);
	EXPECT_EQ(sdp_session_path(&us, &us.lines[3])->remote_fingerprint.bytes[0], 0x8F);
	/* Each line has keys of its own. */
	for (unsigned i = 1; i < 5; i++)
		EXPECT(us.lines[i].path != us.lines[i - 1].path);
	struct sdp_media_cap medias[FIXTURE_MEDIAS];
	memcpy(medias, fixture_medias, sizeof medias);
	medias[FIXTURE_BFCP].bfcp.client = false;
	settings.medias = medias;
	sdp_session_init(&us, &settings);
	(void)answer_to(&us, golden("room-floor-server"));
	EXPECT_EQ(us.lines[3].refusal, SDP_REFUSAL_PROTO);
	EXPECT(us.lines[2].accepted && us.lines[4].accepted);
}

TEST(floor_control_that_cannot_be_had_is_refused)
{
#define FLOOR(port, proto, attributes) \
	HEAD "m=audio 4000 RTP/AVP 0\r\nm=application " port " " proto " *\r\n" attributes
	static const struct {
		const char *offer;
		enum sdp_refusal refusal;
	} cases[] = {
		{ FLOOR("5070", "UDP/BFCP", ""), SDP_REFUSAL_NONE },
		{ FLOOR("5070", "UDP/BFCP", "a=floorctrl:c-only s-only\r\n"), SDP_REFUSAL_NONE },
		{ FLOOR("5070", "UDP/BFCP", "a=floorctrl:x\r\n"), SDP_REFUSAL_PROTO },
		{ FLOOR("5070", "TCP/BFCP", "a=setup:holdconn\r\n"), SDP_REFUSAL_PROTO },
		{ FLOOR("5070", "UDP/TLS/BFCP", "a=setup:actpass\r\n" PRINT), SDP_REFUSAL_PROTO },
		{ FLOOR("5070", "TCP/TLS/BFCP", "a=setup:actpass\r\n"), SDP_REFUSAL_TRANSPORT },
		{ FLOOR("9", "TCP/BFCP", "a=setup:active\r\n"), SDP_REFUSAL_NONE },
		{ FLOOR("0", "UDP/BFCP", ""), SDP_REFUSAL_PEER },
		{ FLOOR("5070", "UDP/BFCP", "c=IN IP4 room.example\r\n"), SDP_REFUSAL_TRANSPORT },
	};
	const struct sdp_settings settings = fixture_room();
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		sdp_session_init(&us, &settings);
		(void)answer_to(&us, str_of(cases[i].offer));
		EXPECT(us.lines[0].accepted);
		EXPECT_EQ(us.lines[1].refusal, cases[i].refusal);
		EXPECT_EQ(us.lines[1].accepted, cases[i].refusal == SDP_REFUSAL_NONE);
	}
}

TEST(two_of_us_agree_on_everything_a_room_has)
{
	const struct sdp_settings settings = fixture_room();
	struct sdp_media_cap medias[FIXTURE_MEDIAS];
	struct sdp_settings other = settings;
	memcpy(medias, fixture_medias, sizeof medias);
	other.medias = medias;
	sdp_session_init(&us, &settings);
	sdp_session_init(&them, &other);
	for (int round = 0; round < 2; round++) {
		EXPECT_EQ(sdp_session_answer_take(&us, answer_to(&them, offer_of(&us))), SDP_OK);
		EXPECT_EQ(us.line_count, FIXTURE_MEDIAS);
		for (unsigned i = 0; i < FIXTURE_MEDIAS; i++)
			EXPECT(us.lines[i].accepted && them.lines[i].accepted);
		EXPECT_EQ(us.lines[FIXTURE_VIDEO].codec_count, 4);
		EXPECT_EQ(codec_of(&us, FIXTURE_VIDEO, 0)->feedbacks, 7);
		/* Offered "c-s": the answerer took the server's part, we are its client. */
		EXPECT(them.lines[FIXTURE_BFCP].bfcp.server);
		EXPECT(!us.lines[FIXTURE_BFCP].bfcp.server);
		EXPECT_EQ(us.lines[FIXTURE_BFCP].bfcp.conference_id, 77);
		EXPECT_EQ(us.lines[FIXTURE_CAMERA].security, SDP_SECURITY_SDES);
	}
	EXPECT_EQ(parsed_offer.medias[FIXTURE_VIDEO].feedbacks.count, 3);
	EXPECT_EQ(parsed_offer.feedbacks[0].payload, -1);
}

TEST(each_line_is_held_by_itself)
{
	const struct sdp_settings settings = fixture_room();
	sdp_session_init(&us, &settings);
	(void)answer_to(&us, STR(HEAD "m=audio 4000 RTP/AVP 0\r\nm=video 5000 RTP/AVP 98\r\n"
	                              "a=rtpmap:98 VP8/90000\r\na=sendonly\r\n"));
	EXPECT(!us.lines[0].held && us.lines[1].held);
	EXPECT_EQ(us.lines[0].direction, SDP_SENDRECV);
	EXPECT_EQ(us.lines[1].direction, SDP_RECVONLY);
}

TEST(video_comes_and_goes_within_a_call)
{
	const struct sdp_settings settings = fixture_room();
	sdp_session_init(&us, &settings);
	(void)answer_to(&us, STR(HEAD "m=audio 4000 RTP/AVP 0\r\n"));
	EXPECT_EQ(us.line_count, 1);
	(void)answer_to(&us, STR(HEAD "m=audio 4000 RTP/AVP 0\r\nm=video 5000 RTP/AVP 98\r\n"
	                              "a=rtpmap:98 VP8/90000\r\n"));
	EXPECT(us.lines[1].accepted);
	(void)answer_to(&us, STR(HEAD "m=audio 4000 RTP/AVP 0\r\nm=video 0 RTP/AVP 98\r\n"));
	EXPECT(!us.lines[1].accepted && us.lines[0].accepted);
	/* Ours to add: the slot that has gone is not used again, content and the rest follow. */
	const struct str offer = offer_of(&us);
	EXPECT_EQ(sdp_parse(&parsed_offer, offer), SDP_OK);
	EXPECT_EQ(parsed_offer.medias[1].port, 0);
	EXPECT_EQ(parsed_offer.media_count, 5);
}

TEST(retransmission_is_offered_where_feedback_is_known)
{
	const struct sdp_settings settings = fixture_browser();
	sdp_session_init(&us, &settings);
	sdp_session_init(&them, &settings);
	const struct str offer = offer_of(&us);
	const struct str answer = answer_to(&them, offer);
	const struct sdp_range *range = &parsed_offer.medias[FIXTURE_TILE].codecs;
	EXPECT_EQ(range->count, 2 * FIXTURE_BROWSER_CODECS);
	EXPECT_STR(parsed_offer.codecs[range->first + 1].name, "rtx");
	EXPECT_STR(parsed_offer.codecs[range->first + 1].fmtp, "apt=96");
	EXPECT_EQ(sdp_session_answer_take(&us, answer), SDP_OK);
	/* What we offered to send is their camera, what we offered to receive their tile. */
	EXPECT_EQ(them.lines[FIXTURE_TILE].media, FIXTURE_SELF);
	EXPECT_EQ(them.lines[FIXTURE_SELF].media, FIXTURE_TILE);
	const struct sdp_line_codec *codec = codec_of(&us, FIXTURE_TILE, 0);
	EXPECT_EQ(codec->send_payload, 96);
	EXPECT(codec->send_rtx_payload >= 101 && codec->send_rtx_payload <= 127);
	EXPECT_EQ(codec->send_rtx_payload, codec->receive_rtx_payload);
}

TEST(every_flipped_byte_of_a_rooms_offer_gets_a_lawful_answer_or_none)
{
	const struct sdp_settings settings = fixture_room();
	const struct str whole = golden("poly-room");
	static char text[SDP_BYTES_MAX];
	for (size_t at = 0; at < whole.len; at += 2) {
		memcpy(text, whole.at, whole.len);
		text[at] = (char)(text[at] ^ 0x11);
		const struct str offer = { .at = text, .len = whole.len };
		sdp_session_init(&us, &settings);
		if (sdp_session_offer_take(&us, offer) == SDP_OK)
			(void)answer_of(&us, offer);
	}
}

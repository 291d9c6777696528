/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: offers and answers agree on what both can do, keep every rule of an answer, and survive
 * hold, refusal, glare, ICE restart and a peer that breaks the rules.
 * Method: recorded offers are answered and the outcome compared as text; two of our own machines
 * talk to each other; one small text per rule. */
#include "sdp/sdp_dialogue.h"

#include "base/check.h"

TEST(chromium_is_answered_as_an_ice_lite_dtls_server)
{
	sdp_session_init(&us, &fixture_web);
	const struct str answer = answer_to(&us, golden("chromium-audio"));
	expect_dump(&us, "0 audio sendrecv dtls mux server ice QC2W opus 111/111 G722 9/9 PCMU 0/0 "
	                 "PCMA 8/8 event/48000 110/110 event/8000 126/126 to 0.0.0.0:9\n");
	EXPECT_EQ(us.lines[0].extension_ids[0], 1);
	EXPECT_EQ(us.lines[0].extension_ids[1], 4);
	EXPECT(us.lines[0].dtls_restart && !us.lines[0].ice_restart && !us.lines[0].remote_learn);
	EXPECT(parsed_answer.ice_lite);
	EXPECT_EQ(parsed_answer.medias[0].setup, SDP_SETUP_PASSIVE);
	EXPECT_EQ(parsed_answer.medias[0].candidates.count, 2);
	EXPECT(parsed_answer.medias[0].end_of_candidates);
	EXPECT_STR(str_sub(answer, 0, 33), "v=0\r\no=- 4712 1 IN IP4 198.51.100");
	EXPECT_EQ(parsed_answer.group_count, 1);
}

TEST(a_browsers_video_is_refused_where_only_sound_is_wanted)
{
	sdp_session_init(&us, &fixture_web);
	(void)answer_to(&us, golden("chromium-video"));
	EXPECT_EQ(us.line_count, 2);
	EXPECT(us.lines[0].accepted && !us.lines[1].accepted);
	EXPECT_EQ(us.lines[1].refusal, SDP_REFUSAL_MEDIA);
	EXPECT_EQ(parsed_answer.medias[1].port, 0);
	EXPECT_STR(parsed_answer.medias[1].mid, "1");
	EXPECT_STR(parsed_answer.bundles[0], "0");
}

TEST(a_browsers_video_is_bundled_where_it_is_wanted)
{
	const struct sdp_settings settings = fixture_with_video(&fixture_web);
	sdp_session_init(&us, &settings);
	(void)answer_to(&us, golden("chromium-video"));
	EXPECT_STR(parsed_answer.bundles[0], "0 1");
	EXPECT_EQ(us.lines[1].transport_line, 0);
	EXPECT_EQ(us.lines[1].direction, SDP_SENDONLY);
	EXPECT_EQ(parsed_answer.medias[0].port, parsed_answer.medias[1].port);
	EXPECT_EQ(parsed_answer.medias[1].fingerprints.count, 1);
	EXPECT_STR(parsed_answer.medias[1].ice_ufrag, "ourU");
	EXPECT_EQ(parsed_answer.medias[1].candidates.count, 0);
	EXPECT(parsed_answer.medias[1].rtcp_mux);
	EXPECT_EQ(us.codecs[us.lines[1].codec_first].feedbacks, 3);
}

TEST(firefox_is_answered)
{
	sdp_session_init(&us, &fixture_web);
	(void)answer_to(&us, golden("firefox-audio"));
	expect_dump(&us, "0 audio sendrecv dtls mux server ice 7b7d6f03 opus 109/109 G722 9/9 "
	                 "PCMU 0/0 PCMA 8/8 event/8000 101/101 to 0.0.0.0:9\n");
	EXPECT(sdp_opus_of(sdp_session_fmtp(&us, &us.codecs[0])).stereo);
	EXPECT(sdp_opus_of(sdp_session_fmtp(&us, &us.codecs[0])).useinbandfec);
}

TEST(baresip_is_answered_in_all_its_ways_to_encrypt)
{
	sdp_session_init(&us, &fixture_sip);
	(void)answer_to(&us, golden("baresip-clear"));
	expect_dump(&us, "0 audio sendrecv clear opus 96/96 G722 9/9 PCMU 0/0 PCMA 8/8 "
	                 "event/8000 101/101 to 127.0.0.1:39380 127.0.0.1:39381\n");
	sdp_session_init(&us, &fixture_sip);
	(void)answer_to(&us, golden("baresip-sdes"));
	EXPECT_EQ(sdes_of(&us)->suite, SDP_SUITE_AES_CM_128_HMAC_SHA1_80);
	EXPECT_EQ(sdes_of(&us)->remote_key[0], 0x73);
	EXPECT_EQ(memcmp(sdes_of(&us)->local_key, parsed_answer.cryptos[0].key,
	                 parsed_answer.cryptos[0].key_len),
	          0);
	sdp_session_init(&us, &fixture_sip);
	(void)answer_to(&us, golden("baresip-best-effort"));
	EXPECT_EQ(us.lines[0].security, SDP_SECURITY_SDES);
	EXPECT_EQ(parsed_answer.medias[0].proto, SDP_PROTO_AVP);
	sdp_session_init(&us, &fixture_sip);
	(void)answer_to(&us, golden("baresip-dtls-ice"));
	expect_dump(&us, "0 audio sendrecv dtls server ice ay8Olea opus 96/96 G722 9/9 PCMU 0/0 "
	                 "PCMA 8/8 event/8000 101/101 to 192.0.2.2:31006 192.0.2.2:31007\n");
}

TEST(a_cisco_room_gets_sound_and_the_rest_refused_in_its_place)
{
	sdp_session_init(&us, &fixture_sip);
	(void)answer_to(&us, golden("cisco-room"));
	expect_dump(&us, "0 audio sendrecv sdes AES_CM_128_HMAC_SHA1_80 G722 9/9 PCMU 0/0 PCMA 8/8 "
	                 "event/8000 101/101 to 192.0.2.30:16620 192.0.2.30:16621\n"
	                 "1 video refused: media not wanted\n"
	                 "2 application refused: media not wanted\n"
	                 "3 video refused: media not wanted\n"
	                 "4 application refused: media not wanted\n"
	                 "5 application refused: media not wanted\n");
	EXPECT_STR(parsed_answer.medias[2].proto_text, "UDP/BFCP");
	EXPECT_STR(parsed_answer.medias[2].formats, "*");
	EXPECT_EQ(parsed_answer.cryptos[0].tag, 0);
	EXPECT_EQ(us.lines[0].bandwidth_bps, 128000);
}

TEST(a_cisco_rooms_content_finds_the_content_line)
{
	const struct sdp_settings settings = fixture_with_video(&fixture_sip);
	sdp_session_init(&us, &settings);
	(void)answer_to(&us, golden("cisco-room"));
	EXPECT_EQ(us.lines[1].media, FIXTURE_VIDEO);
	EXPECT_EQ(us.lines[3].media, FIXTURE_CONTENT);
	EXPECT_EQ(us.codecs[us.lines[1].codec_first].send_payload, 126);
	EXPECT_STR(parsed_answer.medias[3].content, "slides");
	EXPECT(sdp_session_line(&us, FIXTURE_CONTENT) == &us.lines[3]);
}

TEST(linphone_and_ip6_telephones_are_answered)
{
	sdp_session_init(&us, &fixture_sip);
	(void)answer_to(&us, golden("linphone"));
	expect_dump(&us, "0 audio sendrecv clear opus 96/96 PCMU 0/0 PCMA 8/8 event/48000 101/101 "
	                 "event/8000 100/100 to 192.0.2.40:7078 192.0.2.40:7079\n"
	                 "1 video refused: media not wanted\n");
	EXPECT_EQ(parsed_answer.medias[0].proto, SDP_PROTO_AVPF);
	sdp_session_init(&us, &fixture_sip);
	(void)answer_to(&us, golden("phone-ip6"));
	expect_dump(&us, "0 audio inactive sdes held AEAD_AES_256_GCM PCMU 0/0 PCMA 8/8 "
	                 "event/8000 101/101 to [2001:db8::10]:30000 [2001:db8::11]:30005\n");
	EXPECT_EQ(us.lines[0].ptime_ms, 30);
}

TEST(an_offer_nothing_can_be_made_of_is_refused_and_changes_nothing)
{
	struct sdp_settings required = fixture_sip;
	required.encryption = SDP_ENCRYPTION_REQUIRED;
	required.profile = SDP_PROFILE_SDES;
	struct sdp_settings prohibited = fixture_sip;
	prohibited.encryption = SDP_ENCRYPTION_PROHIBITED;
	prohibited.profile = SDP_PROFILE_CLEAR;
	const struct {
		const struct sdp_settings *settings;
		const char *offer;
		enum sdp_reject want;
	} cases[] = {
		{ &fixture_sip, HEAD "m=audio 4000 RTP/AVP 18\r\n", SDP_REJECT_NO_MEDIA },
		{ &fixture_sip,
		  HEAD "m=audio 4000 RTP/AVP 101\r\na=rtpmap:101 telephone-event/8000\r\n",
		  SDP_REJECT_NO_MEDIA },
		{ &fixture_sip, HEAD "m=image 4000 udptl t38\r\n", SDP_REJECT_NO_MEDIA },
		{ &fixture_sip, HEAD "m=audio 4000 TCP/RTP/AVP 0\r\n", SDP_REJECT_NO_MEDIA },
		{ &fixture_sip, HEAD "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 224.2.1.1/127\r\n",
		  SDP_REJECT_NO_MEDIA },
		{ &fixture_sip, HEAD "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 phone.example\r\n",
		  SDP_REJECT_NO_MEDIA },
		{ &fixture_sip, HEAD "m=audio 0 RTP/AVP 0\r\na=bundle-only\r\n", SDP_OK },
		{ &fixture_sip, HEAD "m=audio 4000 RTP/SAVP 0\r\n", SDP_REJECT_ENCRYPTION },
		{ &fixture_sip,
		  HEAD "m=audio 4000 RTP/SAVP 0\r\n"
		       "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY "|2^31|1:1\r\n",
		  SDP_REJECT_ENCRYPTION },
		{ &fixture_sip,
		  HEAD "m=audio 4000 UDP/TLS/RTP/SAVP 0\r\na=setup:holdconn\r\n" PRINT,
		  SDP_REJECT_ENCRYPTION },
		{ &fixture_sip,
		  HEAD "m=audio 4000 UDP/TLS/RTP/SAVP 0\r\n"
		       "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY "\r\n",
		  SDP_REJECT_ENCRYPTION },
		{ &required, HEAD "m=audio 4000 RTP/AVP 0\r\n", SDP_REJECT_ENCRYPTION },
		{ &required,
		  HEAD "m=audio 4000 RTP/AVP 0\r\n"
		       "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY "\r\n",
		  SDP_OK },
		{ &prohibited,
		  HEAD "m=audio 4000 RTP/SAVP 0\r\n"
		       "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY "\r\n",
		  SDP_REJECT_UNENCRYPTED },
		{ &prohibited,
		  HEAD "m=audio 4000 RTP/AVP 0\r\n"
		       "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY "\r\n",
		  SDP_OK },
		{ &fixture_web,
		  HEAD "m=audio 4000 RTP/SAVP 0\r\n"
		       "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY "\r\n",
		  SDP_REJECT_ENCRYPTION },
		{ &fixture_sip,
		  HEAD "m=audio 4 RTP/AVP 0\r\na=mid:1\r\nm=audio 4 RTP/AVP 0\r\na=mid:1\r\n",
		  SDP_REJECT_ATTR },
		{ &fixture_sip, HEAD, SDP_OK },
		{ &fixture_sip, "v=0\r\nx", SDP_REJECT_LINE },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		sdp_session_init(&us, cases[i].settings);
		them = us;
		const enum sdp_reject got = sdp_session_offer_take(&us, str_of(cases[i].offer));
		if (got != cases[i].want)
			print_error("case %zu: %s\n", i, sdp_reject_name(got));
		EXPECT_EQ(got, cases[i].want);
		if (got == SDP_OK)
			(void)answer_of(&us, str_of(cases[i].offer));
		else
			EXPECT_EQ(memcmp(&us, &them, sizeof us), 0);
	}
}

/* Every profile of ours against every policy of another of us. */
TEST(two_of_us_agree)
{
	static const struct {
		enum sdp_profile profile;
		enum sdp_encryption encryption;
		enum sdp_encryption other;
		enum sdp_reject want;
		enum sdp_security security;
	} cases[] = {
		{ SDP_PROFILE_CLEAR, SDP_ENCRYPTION_OPTIONAL, SDP_ENCRYPTION_OPTIONAL, SDP_OK,
		  SDP_SECURITY_NONE },
		{ SDP_PROFILE_CLEAR, SDP_ENCRYPTION_OPTIONAL, SDP_ENCRYPTION_REQUIRED,
		  SDP_REJECT_ENCRYPTION, SDP_SECURITY_NONE },
		{ SDP_PROFILE_BEST_EFFORT, SDP_ENCRYPTION_OPTIONAL, SDP_ENCRYPTION_OPTIONAL, SDP_OK,
		  SDP_SECURITY_SDES },
		{ SDP_PROFILE_BEST_EFFORT, SDP_ENCRYPTION_OPTIONAL, SDP_ENCRYPTION_PROHIBITED,
		  SDP_OK, SDP_SECURITY_NONE },
		{ SDP_PROFILE_SDES, SDP_ENCRYPTION_REQUIRED, SDP_ENCRYPTION_REQUIRED, SDP_OK,
		  SDP_SECURITY_SDES },
		{ SDP_PROFILE_SDES, SDP_ENCRYPTION_REQUIRED, SDP_ENCRYPTION_PROHIBITED,
		  SDP_REJECT_UNENCRYPTED, SDP_SECURITY_NONE },
		{ SDP_PROFILE_DTLS, SDP_ENCRYPTION_REQUIRED, SDP_ENCRYPTION_OPTIONAL, SDP_OK,
		  SDP_SECURITY_DTLS },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct sdp_settings ours = fixture_sip;
		struct sdp_settings theirs = fixture_sip;
		ours.profile = cases[i].profile;
		ours.encryption = cases[i].encryption;
		theirs.profile = cases[i].other == SDP_ENCRYPTION_REQUIRED ? SDP_PROFILE_SDES
		                                                           : SDP_PROFILE_CLEAR;
		theirs.encryption = cases[i].other;
		sdp_session_init(&us, &ours);
		sdp_session_init(&them, &theirs);
		const struct str offer = offer_of(&us);
		EXPECT_EQ(sdp_session_offer_take(&them, offer), cases[i].want);
		if (cases[i].want != SDP_OK) {
			sdp_session_offer_drop(&us);
			EXPECT_EQ(us.line_count, 0);
			continue;
		}
		EXPECT_EQ(sdp_session_answer_take(&us, answer_of(&them, offer)), SDP_OK);
		EXPECT_EQ(us.lines[0].security, cases[i].security);
		EXPECT_EQ(them.lines[0].security, cases[i].security);
		EXPECT(us.lines[0].ice && us.lines[0].remote_ice_lite && us.lines[0].rtcp_mux);
		EXPECT_EQ(us.lines[0].codec_count, 4);
		EXPECT_EQ(us.lines[0].event_count, 2);
		if (cases[i].security == SDP_SECURITY_SDES) {
			EXPECT_EQ(sdes_of(&us)->suite, SDP_SUITE_AEAD_AES_128_GCM);
			EXPECT_EQ(sdes_of(&them)->suite, SDP_SUITE_AEAD_AES_128_GCM);
			EXPECT_EQ(memcmp(sdes_of(&us)->local_key, sdes_of(&them)->remote_key, 28),
			          0);
			EXPECT_EQ(memcmp(sdes_of(&us)->remote_key, sdes_of(&them)->local_key, 28),
			          0);
		}
		if (cases[i].security == SDP_SECURITY_DTLS)
			EXPECT(!us.lines[0].dtls_server && them.lines[0].dtls_server);
	}
}

TEST(a_bundle_is_agreed_and_offered_again_without_change)
{
	const struct sdp_settings settings = fixture_with_video(&fixture_web);
	sdp_session_init(&us, &settings);
	sdp_session_init(&them, &settings);
	struct str offer = offer_of(&us);
	EXPECT_EQ(sdp_session_answer_take(&us, answer_to(&them, offer)), SDP_OK);
	EXPECT(parsed_offer.medias[1].bundle_only && parsed_offer.medias[1].port == 0);
	for (unsigned i = 0; i < settings.media_count; i++) {
		EXPECT(us.lines[i].accepted && them.lines[i].accepted);
		EXPECT_EQ(us.lines[i].transport_line, 0);
		EXPECT_EQ(us.lines[i].security, SDP_SECURITY_DTLS);
		EXPECT_EQ(us.lines[i].remote_rtp.port, 50000);
	}
	const uint64_t version = them.version;
	for (int round = 0; round < 2; round++) {
		offer = offer_of(&us);
		EXPECT_EQ(sdp_session_answer_take(&us, answer_to(&them, offer)), SDP_OK);
		EXPECT(!us.lines[0].ice_restart && !us.lines[0].dtls_restart);
		EXPECT(!them.lines[0].ice_restart && !them.lines[0].dtls_restart);
		EXPECT_EQ(them.version, version);
	}
}

TEST(a_peer_without_bundle_gets_the_first_line_only)
{
	const struct sdp_settings settings = fixture_with_video(&fixture_web);
	struct sdp_settings plain = settings;
	plain.bundle = false;
	sdp_session_init(&us, &settings);
	sdp_session_init(&them, &plain);
	EXPECT_EQ(sdp_session_answer_take(&us, answer_to(&them, offer_of(&us))), SDP_OK);
	EXPECT(us.lines[0].accepted && !us.lines[1].accepted && !us.lines[2].accepted);
	EXPECT_EQ(us.lines[1].refusal, SDP_REFUSAL_PEER);
	/* The refused ones stay in their place. */
	EXPECT_EQ(sdp_session_answer_take(&us, answer_to(&them, offer_of(&us))), SDP_OK);
	EXPECT_EQ(us.line_count, settings.media_count);
	EXPECT_EQ(parsed_offer.medias[1].port, 0);
}

TEST(hold_and_resume_go_both_ways)
{
	sdp_session_init(&us, &fixture_sip);
	sdp_session_init(&them, &fixture_sip);
	EXPECT_EQ(sdp_session_answer_take(&us, answer_to(&them, offer_of(&us))), SDP_OK);
	const uint64_t version = us.version;
	static const struct {
		enum sdp_direction wish;
		enum sdp_direction theirs;
		bool held;
	} cases[] = {
		{ SDP_SENDONLY, SDP_RECVONLY, true },
		{ SDP_INACTIVE, SDP_INACTIVE, true },
		{ SDP_RECVONLY, SDP_SENDONLY, false },
		{ SDP_SENDRECV, SDP_SENDRECV, false },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		sdp_session_direction_set(&us, 0, cases[i].wish);
		EXPECT_EQ(sdp_session_answer_take(&us, answer_to(&them, offer_of(&us))), SDP_OK);
		EXPECT_EQ(us.lines[0].direction, cases[i].wish);
		EXPECT_EQ(them.lines[0].direction, cases[i].theirs);
		EXPECT_EQ(them.lines[0].held, cases[i].held);
		EXPECT_EQ(us.lines[0].held, (cases[i].theirs & SDP_RECVONLY) == 0);
	}
	EXPECT_EQ(us.version, version + COUNT_OF(cases));
	EXPECT_EQ(sdes_of(&us)->suite, SDP_SUITE_AEAD_AES_128_GCM);
}

TEST(the_hold_of_old_telephones_is_understood)
{
	sdp_session_init(&us, &fixture_sip);
	(void)answer_to(&us, STR(HEAD "m=audio 4000 RTP/AVP 0\r\n"));
	EXPECT_EQ(us.lines[0].direction, SDP_SENDRECV);
	(void)answer_to(&us, STR("v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 4000 RTP/AVP 0\r\n"));
	EXPECT_EQ(us.lines[0].direction, SDP_RECVONLY);
	EXPECT(us.lines[0].held && us.lines[0].remote_learn);
	(void)answer_to(&us, STR(HEAD "m=audio 4002 RTP/AVP 0\r\n"));
	EXPECT_EQ(us.lines[0].direction, SDP_SENDRECV);
	EXPECT_EQ(us.lines[0].remote_rtp.port, 4002);
	EXPECT(!us.lines[0].held && !us.lines[0].remote_learn);
}

TEST(lines_keep_their_places_for_life)
{
	sdp_session_init(&us, &fixture_sip);
	(void)answer_to(&us, STR(HEAD "m=video 5000 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 0\r\n"));
	EXPECT_EQ(us.line_count, 2);
	EXPECT_EQ(sdp_session_offer_take(&us, STR(HEAD "m=audio 4000 RTP/AVP 0\r\n")),
	          SDP_REJECT_ORDER);
	EXPECT_EQ(sdp_session_offer_take(
	                  &us, STR(HEAD "m=video 0 RTP/AVP 31\r\nm=video 4000 RTP/AVP 0\r\n")),
	          SDP_REJECT_ORDER);
	EXPECT(us.lines[1].accepted);
	/* RFC 3264 s8: a slot at port 0 may come back as something else. */
	(void)answer_to(&us, STR(HEAD "m=audio 4004 RTP/AVP 8\r\nm=audio 0 RTP/AVP 0\r\n"));
	EXPECT(us.lines[0].accepted && !us.lines[1].accepted);
	EXPECT_EQ(us.lines[1].refusal, SDP_REFUSAL_PEER);
	const struct str offer = offer_of(&us);
	EXPECT_EQ(sdp_parse(&parsed_offer, offer), SDP_OK);
	EXPECT_EQ(parsed_offer.media_count, 2);
	EXPECT(parsed_offer.medias[0].port != 0 && parsed_offer.medias[1].port == 0);
	sdp_session_offer_drop(&us);
	/* All lines off is a wish, not a fault. */
	(void)answer_to(&us, STR(HEAD "m=audio 0 RTP/AVP 8\r\nm=audio 0 RTP/AVP 0\r\n"));
	EXPECT(sdp_session_line(&us, 0) == NULL);
}

TEST(an_answer_that_is_none_is_refused_and_leaves_what_was_agreed)
{
	static const struct {
		const char *answer;
		enum sdp_reject want;
	} cases[] = {
		{ HEAD, SDP_REJECT_ORDER },
		{ HEAD "m=video 4000 RTP/AVP 0\r\n", SDP_REJECT_ORDER },
		{ HEAD "m=audio 4000 RTP/AVP 0\r\nm=audio 4000 RTP/AVP 0\r\n", SDP_REJECT_ORDER },
		{ HEAD "m=audio 0 RTP/AVP 0\r\n", SDP_REJECT_NO_MEDIA },
		{ HEAD "m=audio 4000 RTP/AVP 18\r\n", SDP_REJECT_NO_MEDIA },
		{ HEAD "m=audio 4000 RTP/SAVP 0\r\n"
		       "a=crypto:9 AES_CM_128_HMAC_SHA1_80 " KEY "\r\n",
		  SDP_REJECT_ENCRYPTION },
		{ HEAD "m=audio 4000 UDP/TLS/RTP/SAVP 0\r\na=setup:active\r\n" PRINT,
		  SDP_REJECT_ENCRYPTION },
		{ "nothing", SDP_REJECT_VERSION },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		sdp_session_init(&us, &fixture_sip);
		(void)offer_of(&us);
		EXPECT_EQ(sdp_session_answer_take(&us, str_of(cases[i].answer)), cases[i].want);
		EXPECT_EQ(us.state, SDP_STABLE);
		EXPECT_EQ(us.line_count, 0);
		EXPECT_EQ(sdp_session_answer_take(&us, str_of(cases[i].answer)), SDP_REJECT_STATE);
		sdp_session_offer_drop(&us); /* Harmless without an offer. */
		EXPECT_EQ(us.state, SDP_STABLE);
	}
}

TEST(an_answer_may_number_codecs_its_own_way)
{
	sdp_session_init(&us, &fixture_sip);
	(void)offer_of(&us);
	EXPECT_EQ(sdp_session_answer_take(
	                  &us, STR(HEAD "m=audio 4000 RTP/AVP 8 120 99\r\n"
	                                "a=rtpmap:120 opus/48000/2\r\n"
	                                "a=rtpmap:99 telephone-event/8000\r\na=maxptime:40\r\n")),
	          SDP_OK);
	expect_dump(&us, "0 audio sendrecv clear PCMA 8/8 opus 120/111 event/8000 99/101 "
	                 "to 192.0.2.1:4000 192.0.2.1:4001\n");
	EXPECT_EQ(us.lines[0].maxptime_ms, 40);
}

TEST(glare_is_seen)
{
	sdp_session_init(&us, &fixture_sip);
	const struct str offer = offer_of(&us);
	EXPECT_EQ(sdp_session_offer_take(&us, offer), SDP_REJECT_STATE);
	sdp_session_offer_drop(&us);
	EXPECT_EQ(sdp_session_offer_take(&us, offer), SDP_OK);
}

TEST(a_change_of_credentials_is_an_ice_restart)
{
#define ICE_OFFER(ufrag, print)                                                     \
	HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:111 " \
	     "opus/48000/2\r\n"                                                     \
	     "a=rtcp-mux\r\na=mid:0\r\na=setup:actpass\r\na=ice-ufrag:" ufrag       \
	     "\r\na=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-1 " print   \
	     ":01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13\r\n"
	sdp_session_init(&us, &fixture_web);
	(void)answer_to(&us, STR(ICE_OFFER("aaaa", "00")));
	EXPECT(!us.lines[0].ice_restart && us.lines[0].dtls_restart && us.lines[0].dtls_server);
	(void)answer_to(&us, STR(ICE_OFFER("aaaa", "00")));
	EXPECT(!us.lines[0].ice_restart && !us.lines[0].dtls_restart);
	(void)answer_to(&us, STR(ICE_OFFER("bbbb", "00")));
	EXPECT(us.lines[0].ice_restart && !us.lines[0].dtls_restart);
	(void)answer_to(&us, STR(ICE_OFFER("bbbb", "99")));
	EXPECT(!us.lines[0].ice_restart && us.lines[0].dtls_restart);
}

TEST(an_address_that_is_no_candidate_turns_ice_off)
{
	sdp_session_init(&us, &fixture_sip);
	(void)answer_to(&us, STR(HEAD "m=audio 4000 RTP/AVP 0\r\na=ice-ufrag:aaaa\r\n"
	                              "a=ice-pwd:0123456789012345678901\r\n"
	                              "a=candidate:1 1 udp 1 10.0.0.1 4000 typ host\r\n"));
	EXPECT(us.lines[0].ice_mismatch && !us.lines[0].ice);
	EXPECT(parsed_answer.medias[0].ice_mismatch);
	EXPECT_EQ(us.lines[0].remote_rtp.port, 4000);
}

TEST(a_media_without_a_port_is_refused_at_the_last_moment)
{
	const struct sdp_settings settings = fixture_with_video(&fixture_web);
	sdp_session_init(&us, &settings);
	const struct str offer = golden("chromium-video");
	EXPECT_EQ(sdp_session_offer_take(&us, offer), SDP_OK);
	EXPECT(us.lines[0].accepted && us.lines[1].accepted);
	struct writer w = writer_of(wire, sizeof wire);
	fixture_transports(transports, true);
	transports[FIXTURE_AUDIO].rtp.port = 0;
	sdp_session_answer_write(&us, transports, &w);
	EXPECT_EQ(sdp_parse(&parsed_offer, offer), SDP_OK);
	EXPECT_EQ(sdp_parse(&parsed_answer, writer_view(&w)), SDP_OK);
	EXPECT_STR(str_of(sdp_rules_answer(&parsed_offer, &parsed_answer)), "");
	EXPECT_EQ(parsed_answer.medias[0].port, 0);
	EXPECT_STR(parsed_answer.bundles[0], "1");
	EXPECT_EQ(parsed_answer.medias[1].fingerprints.count, 1);
}

TEST(keys_are_wiped_with_the_session)
{
	static const struct sdp_session zero;
	sdp_session_init(&us, &fixture_sip);
	(void)offer_of(&us);
	sdp_session_fini(&us);
	EXPECT_EQ(memcmp(&us, &zero, sizeof us), 0);
}

TEST(every_prefix_of_an_offer_gets_a_lawful_answer_or_none)
{
	const struct sdp_settings settings = fixture_with_video(&fixture_sip);
	const struct str whole = golden("cisco-room");
	for (size_t len = 0; len < whole.len; len += 3) {
		const struct str offer = str_sub(whole, 0, len);
		sdp_session_init(&us, &settings);
		if (sdp_session_offer_take(&us, offer) == SDP_OK)
			(void)answer_of(&us, offer);
	}
}

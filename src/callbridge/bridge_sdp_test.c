/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: each line of a room's SDP has a media leg, a browser's lines share one; ports come and go
 * with the lines; whatever happens to pictures, the call goes on.
 * Method: the world of bridge_fixture.h. */
#include "callbridge/bridge_fixture.h"
#include "meeting/words.h"

TEST(a_room_has_a_media_leg_for_each_of_its_lines)
{
	struct world *world = world_create();
	call_in(world, recorded("cisco-room"));
	EXPECT_EQ(count_of(world, MEDIA_ORDER_LEG_OPEN), 4);
	EXPECT_EQ(media_legs(world), 4);
	const struct sdp *answer = described(world);
	EXPECT_EQ(answer->media_count, 6);
	for (unsigned i = 0; i < 5; i++)
		EXPECT(answer->medias[i].port != 0);
	EXPECT(answer->medias[0].port != answer->medias[1].port);
	EXPECT(answer->medias[1].port != answer->medias[3].port);
	EXPECT_EQ(answer->medias[2].port, 5070);
	EXPECT_EQ(answer->medias[5].port, 0);
	const struct media_order *main_line = last_order(world, MEDIA_ORDER_LEG_VIDEO, 1);
	const struct media_order *content = last_order(world, MEDIA_ORDER_LEG_VIDEO, 3);
	const struct bridge_leg *leg = only_leg(world);
	EXPECT_EQ(main_line->leg, leg->media[BRIDGE_MEDIUM_MAIN].id);
	EXPECT_EQ(content->leg, leg->media[BRIDGE_MEDIUM_CONTENT].id);
	/* RFC 5576 s6.1: a source that is told of has a name. */
	for (unsigned i = 0; i < answer->ssrc_count; i++)
		EXPECT_STR(answer->ssrcs[i].value, leg->cname);
	EXPECT(answer->ssrc_count != 0);
	EXPECT(main_line->video.send && main_line->video.receive && content->video.send);
	EXPECT_EQ(main_line->video.track, VIDEO_TRACK_MAIN);
	EXPECT_EQ(content->video.track, VIDEO_TRACK_CONTENT);
	EXPECT(main_line->video.pli && main_line->video.fir && main_line->video.tmmbr);
	EXPECT(!main_line->video.nack && main_line->video.tx_rtx_ssrc == 0);
	EXPECT(main_line->video.tx_ssrc != 0 && main_line->video.tx_ssrc != content->video.tx_ssrc);
	EXPECT_EQ(main_line->video.payload_count, 2);
	EXPECT_EQ(main_line->video.payloads[0].codec, VIDEO_CODEC_H264);
	EXPECT_EQ(main_line->video.payloads[0].tx_payload_type, 126);
	EXPECT_EQ(main_line->video.payloads[0].packetization_mode, 1);
	EXPECT_EQ(main_line->video.payloads[0].frame_macroblocks_max, 9000); /* its max-fs */
	EXPECT_EQ(main_line->video.tx_bps_max, 6000000);
	const struct media_order *camera = last_order(world, MEDIA_ORDER_LEG_DATA, 0);
	EXPECT_EQ(camera->leg, leg->media[BRIDGE_MEDIUM_CAMERA].id);
	EXPECT(camera->data.send && camera->data.receive && camera->data.tx_payload_type == 100);
	EXPECT(leg->has_floor && leg->has_camera && world->floors != 0);
	struct bridge_video_line lines[SDP_LINES_MAX];
	EXPECT_EQ(video_lines(leg, lines), 2);
	EXPECT_EQ(lines[0].kind, BRIDGE_LINE_MAIN);
	EXPECT_EQ(lines[1].kind, BRIDGE_LINE_CONTENT);
	EXPECT_EQ(lines[1].line, 3);
	EXPECT(lines[1].sends && lines[1].receives);
	room_says(world, "BYE", (struct str){ 0 });
	EXPECT_EQ(media_legs(world), 0);
	world_destroy(world);
}

TEST(who_is_alone_reads_it_in_the_language_of_the_bridge)
{
	static const char *const languages[] = { "en", "fr", "ko", NULL };
	for (size_t i = 0; i < COUNT_OF(languages); i++) {
		struct world *world = world_create();
		world->bridge->settings.language = languages[i];
		call_in(world, recorded("cisco-room"));
		pass(world, 200 * MS);
		EXPECT_STR(str_of(world->message), words_in(languages[i], WORDS_ALONE));
		EXPECT_EQ(i % 3 == 0, strcmp(world->message, "You are the only participant") == 0);
		world_destroy(world);
	}
}

TEST(a_telephone_takes_one_pair_of_ports)
{
	struct world *world = world_create();
	call_in(world, STR(HEAD SOUND));
	EXPECT_EQ(count_of(world, MEDIA_ORDER_LEG_OPEN), 1);
	EXPECT_EQ(count_of(world, MEDIA_ORDER_LEG_VIDEO), 0);
	EXPECT_EQ(described(world)->media_count, 1);
	world_destroy(world);
}

TEST(a_line_without_ports_is_left_out_and_the_call_goes_on)
{
	struct world *world = world_create();
	world->refused_open = 2;
	call_in(world, recorded("cisco-room"));
	const struct sdp *answer = described(world);
	EXPECT(answer->medias[0].port != 0);
	EXPECT_EQ(answer->medias[1].port, 0);
	EXPECT(answer->medias[3].port != 0);
	EXPECT_EQ(media_legs(world), 3);
	struct bridge_video_line lines[SDP_LINES_MAX];
	EXPECT_EQ(video_lines(only_leg(world), lines), 1);
	world_destroy(world);
}

TEST(without_ports_for_sound_there_is_no_call)
{
	struct world *world = world_create();
	world->refused_open = 1;
	room_says(world, "INVITE", recorded("cisco-room"));
	EXPECT_EQ(status(world), 503);
	note_tag(world);
	room_says(world, "ACK", (struct str){ 0 });
	EXPECT_EQ(media_legs(world), 0);
	world_destroy(world);
}

TEST(pictures_without_sound_are_no_call)
{
	struct world *world = world_create();
	room_says(world, "INVITE", STR(HEAD PICTURE));
	EXPECT_EQ(status(world), 488);
	EXPECT_EQ(count_of(world, MEDIA_ORDER_LEG_OPEN), 0);
	world_destroy(world);
}

TEST(a_room_that_loses_its_picture_keeps_its_sound)
{
	struct world *world = world_create();
	call_in(world, recorded("cisco-room"));
	const struct bridge_leg *leg = only_leg(world);
	struct media_event lost = { .kind = MEDIA_EVENT_LEG_LOST,
		                    .reason = MEDIA_LOST_SILENCE,
		                    .leg = leg->media[BRIDGE_MEDIUM_MAIN].id };
	bridge_media(world->bridge, 0, &lost, world->now_us);
	settle(world);
	EXPECT_EQ(media_legs(world), 3);
	struct bridge_video_line lines[SDP_LINES_MAX];
	EXPECT_EQ(video_lines(leg, lines), 1);
	EXPECT_EQ(lines[0].kind, BRIDGE_LINE_CONTENT);
	/* Its next offer brings the picture back. */
	room_says(world, "INVITE", recorded("cisco-room"));
	EXPECT_EQ(status(world), 200);
	EXPECT_EQ(media_legs(world), 4);
	EXPECT_EQ(video_lines(leg, lines), 2);
	room_says(world, "ACK", (struct str){ 0 });
	lost.leg = leg->media[BRIDGE_MEDIUM_AUDIO].id;
	bridge_media(world->bridge, 0, &lost, world->now_us);
	settle(world);
	EXPECT_EQ(media_legs(world), 0);
	world_destroy(world);
}

TEST(a_new_offer_brings_pictures_and_takes_them_away)
{
	struct world *world = world_create();
	call_in(world, STR(HEAD SOUND));
	room_says(world, "INVITE", STR(HEAD SOUND PICTURE));
	EXPECT_EQ(status(world), 200);
	EXPECT(described(world)->medias[1].port != 0);
	room_says(world, "ACK", (struct str){ 0 });
	EXPECT_EQ(media_legs(world), 2);
	EXPECT(last_order(world, MEDIA_ORDER_LEG_VIDEO, 1)->video.send);
	const uint32_t ssrc = last_order(world, MEDIA_ORDER_LEG_VIDEO, 1)->video.tx_ssrc;
	/* On hold: it stays, and stops. */
	room_says(world, "INVITE", STR(HEAD SOUND PICTURE "a=inactive\r\n"));
	room_says(world, "ACK", (struct str){ 0 });
	EXPECT(!last_order(world, MEDIA_ORDER_LEG_VIDEO, 1)->video.send);
	EXPECT_EQ(last_order(world, MEDIA_ORDER_LEG_VIDEO, 1)->video.tx_ssrc, ssrc);
	EXPECT(!only_leg(world)->held);
	room_says(world, "INVITE", STR(HEAD SOUND "m=video 0 RTP/AVP 98\r\n"));
	EXPECT_EQ(status(world), 200);
	room_says(world, "ACK", (struct str){ 0 });
	EXPECT_EQ(media_legs(world), 1);
	struct bridge_video_line lines[SDP_LINES_MAX];
	EXPECT_EQ(video_lines(only_leg(world), lines), 0);
	world_destroy(world);
}

TEST(a_new_offer_whose_pictures_find_no_ports_is_answered_without)
{
	struct world *world = world_create();
	call_in(world, STR(HEAD SOUND));
	world->refused_open = 2;
	room_says(world, "INVITE", STR(HEAD SOUND PICTURE));
	EXPECT_EQ(status(world), 200);
	EXPECT_EQ(described(world)->medias[1].port, 0);
	EXPECT(described(world)->medias[0].port != 0);
	EXPECT_EQ(media_legs(world), 1);
	world_destroy(world);
}

TEST(profiles_decide_what_a_room_may_have)
{
	static const struct {
		enum leg_profile_field field;
		uint32_t value;
		bool main_line, floor, content, camera;
	} cases[] = {
		{ LEG_PROFILE_VIDEO_MODE, VIDEO_MODE_DISABLED, false, false, false, false },
		{ LEG_PROFILE_VIDEO_MODE, VIDEO_MODE_AUTO, true, true, true, true },
		{ LEG_PROFILE_PRESENTATION_CHANNEL, false, true, false, false, true },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct world *world = world_with(cases[i].field, cases[i].value);
		call_in(world, recorded("cisco-room"));
		const struct sdp *answer = described(world);
		EXPECT(answer->medias[0].port != 0);
		EXPECT_EQ(answer->medias[1].port != 0, cases[i].main_line);
		EXPECT_EQ(answer->medias[2].port != 0, cases[i].floor);
		EXPECT_EQ(answer->medias[3].port != 0, cases[i].content);
		EXPECT_EQ(answer->medias[4].port != 0, cases[i].camera);
		EXPECT_EQ(media_legs(world), 1u + cases[i].main_line + cases[i].content +
		                                     cases[i].camera);
		world_destroy(world);
	}
}

TEST(quality_limits_what_is_sent_and_asked_for)
{
	struct world *world = world_with(LEG_PROFILE_QUALITY_MAIN, QUALITY_720P30);
	call_in(world, recorded("cisco-room"));
	const struct media_video_settings *video =
		&last_order(world, MEDIA_ORDER_LEG_VIDEO, 1)->video;
	EXPECT_EQ(video->tx_height_max, 720);
	EXPECT_EQ(video->tx_fps_max, 30);
	EXPECT_EQ(video->tx_bps_max, 2000000);
	EXPECT_EQ(described(world)->medias[1].bandwidth_bps, 2000000);
	world_destroy(world);
}

/* What the room types comes to us decoded. */
static void
room_types(struct world *world, const char *digits)
{
	for (const char *digit = digits; *digit != '\0'; digit++) {
		const struct media_event event = {
			.kind = MEDIA_EVENT_LEG_DTMF,
			.leg = only_leg(world)->media[BRIDGE_MEDIUM_AUDIO].id,
			.value = (uint32_t)(unsigned char)*digit,
		};
		bridge_media(world->bridge, 0, &event, world->now_us);
		settle(world);
	}
}

TEST(who_is_asked_for_a_passcode_is_shown_that_and_shows_nobody_anything_yet)
{
	struct world *world = world_create();
	struct objects *objects = meeting_objects(world->meeting);
	struct object_edit edit = { .type = OBJECT_SPACE };
	uint32_t at = 0;
	int culprit = -1;
	edit_set_text(&edit, SPACE_PASSCODE, STR("12"));
	objects_begin(objects);
	CHECK(objects_edit(objects, objects_next(objects, OBJECT_SPACE, &at), &edit, &culprit) ==
	      OBJECT_OK);
	const struct object_tx tx = objects_end(objects);
	objects_settled(objects, tx.ticket, true);
	call_in(world, recorded("cisco-room"));
	EXPECT(last_order(world, MEDIA_ORDER_LEG_VIDEO, 1)->video.send);
	EXPECT(!last_order(world, MEDIA_ORDER_LEG_VIDEO, 1)->video.receive);
	EXPECT_EQ(last_order(world, MEDIA_ORDER_LEG_SHOW, 1)->show.kind, MEDIA_SHOW_CANVAS);
	EXPECT(last_order(world, MEDIA_ORDER_LEG_AUDIO, 0)->audio.send);
	EXPECT(!only_leg(world)->has_camera && world->floors == 0);
	room_types(world, "12#");
	EXPECT(last_order(world, MEDIA_ORDER_LEG_VIDEO, 1)->video.send);
	EXPECT(last_order(world, MEDIA_ORDER_LEG_VIDEO, 1)->video.receive);
	EXPECT(only_leg(world)->has_camera && world->floors == 1);
	world_destroy(world);
}

/* ---- Calls out ----------------------------------------------------------------------------- */

static void
call_out_with(struct world *world, const struct object_edit *edit)
{
	uint32_t at = 0;
	uint32_t call = 0;
	uint32_t leg = 0;
	struct objects *objects = meeting_objects(world->meeting);
	const uint32_t space = objects_next(objects, OBJECT_SPACE, &at);
	EXPECT_EQ(meeting_call_start(world->meeting, space, STR(""), world->now_us, &call),
	          MEETING_ADMITTED);
	const struct meeting_dial dial = { .call = call,
		                           .remote_party = STR("room@192.0.2.30"),
		                           .edit = edit };
	EXPECT_EQ(meeting_dial(world->meeting, &dial, world->now_us, &leg), MEETING_ADMITTED);
	settle(world);
}

static void
call_out(struct world *world)
{
	call_out_with(world, NULL);
}

/* The value of a header of our last message. */
static struct str
header(const struct world *world, const char *name)
{
	char line[64];
	snprintf(line, sizeof line, "\r\n%s: ", name);
	const char *found = strstr(world->sent, line);
	EXPECT(found != NULL);
	return (struct str){ .at = found + strlen(line), .len = strcspn(found + strlen(line), "\r") };
}

static void
room_answers(struct world *world, struct str sdp)
{
	static char text[SDP_BYTES_MAX];
	struct writer w = writer_of(text, sizeof text);
	writer_format(&w,
	              "SIP/2.0 200 OK\r\nVia: %.*s\r\nFrom: %.*s\r\nTo: %.*s;tag=r\r\n"
	              "Call-ID: %.*s\r\nCSeq: %.*s\r\nContact: <sip:room@192.0.2.30:5060>\r\n"
	              "Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%.*s",
	              STR_ARGS(header(world, "Via")), STR_ARGS(header(world, "From")),
	              STR_ARGS(header(world, "To")), STR_ARGS(header(world, "Call-ID")),
	              STR_ARGS(header(world, "CSeq")), sdp.len, STR_ARGS(sdp));
	CHECK(!w.failed);
	sip_ua_datagram(world->ua, 0, &world->room, w.bytes, w.at, world->now_us);
	settle(world);
}

TEST(a_call_of_ours_offers_all_and_gives_back_what_is_refused)
{
	struct world *world = world_create();
	call_out(world);
	EXPECT_EQ(media_legs(world), 4);
	const struct sdp *offer = described(world);
	EXPECT_EQ(offer->media_count, 5);
	EXPECT_EQ(offer->medias[1].kind, SDP_VIDEO);
	EXPECT_STR(offer->medias[1].content, "main");
	EXPECT_STR(offer->medias[2].content, "slides");
	EXPECT_EQ(offer->medias[4].proto, SDP_PROTO_BFCP_UDP);
	EXPECT_EQ(offer->medias[4].port, 5070);
	EXPECT(offer->medias[1].feedbacks.count != 0);
	const struct sdp_codec *codec = &offer->codecs[offer->medias[1].codecs.first];
	EXPECT_STR(codec->fmtp, "profile-level-id=42e028;packetization-mode=1;"
	                        "level-asymmetry-allowed=1");
	room_answers(world, STR(HEAD SOUND "m=video 4002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n"
	                             "a=fmtp:97 profile-level-id=42e01f;packetization-mode=1\r\n"
	                             "m=video 0 RTP/AVP 97\r\nm=application 0 RTP/AVP 103\r\n"
	                             "m=application 0 UDP/BFCP *\r\n"));
	EXPECT_EQ(media_legs(world), 2);
	const struct media_video_settings *video =
		&last_order(world, MEDIA_ORDER_LEG_VIDEO, 1)->video;
	EXPECT(video->send && video->receive && video->tx_ssrc != 0);
	EXPECT_EQ(video->payload_count, 1);
	EXPECT_EQ(video->payloads[0].frame_macroblocks_max, 3600);
	EXPECT(!only_leg(world)->has_floor);
	world_destroy(world);
}

TEST(a_call_of_ours_goes_out_without_the_lines_that_found_no_ports)
{
	struct world *world = world_create();
	world->refused_open = 3;
	call_out(world);
	const struct sdp *offer = described(world);
	EXPECT_EQ(offer->media_count, 3); /* no content, and so no floor */
	EXPECT_EQ(offer->medias[2].kind, SDP_APPLICATION);
	EXPECT_EQ(media_legs(world), 3);
	world_destroy(world);
}

/* ---- Browsers ------------------------------------------------------------------------------ */

TEST(a_browsers_lines_share_one_media_leg)
{
	struct world *world = world_create();
	browser_comes(world, recorded("chromium-simulcast"));
	EXPECT_EQ(count_of(world, MEDIA_ORDER_LEG_OPEN), 1);
	EXPECT_EQ(count_of(world, MEDIA_ORDER_LEG_TRANSPORT), 1);
	EXPECT_EQ(count_of(world, MEDIA_ORDER_LEG_VIDEO), 6);
	struct bridge_video_line lines[SDP_LINES_MAX];
	const struct bridge_leg *leg = only_leg(world);
	EXPECT_EQ(video_lines(leg, lines), 6);
	EXPECT_EQ(lines[0].kind, BRIDGE_LINE_MAIN);
	EXPECT_EQ(lines[1].kind, BRIDGE_LINE_CONTENT);
	EXPECT_EQ(lines[2].kind, BRIDGE_LINE_TILE);
	EXPECT(lines[0].receives && !lines[0].sends && lines[5].sends && !lines[5].receives);
	EXPECT_STR(str_of(lines[5].mid), "6");
	for (unsigned i = 0; i < 6; i++)
		EXPECT_EQ(lines[i].media, leg->media[BRIDGE_MEDIUM_AUDIO].id);
	const struct media_video_settings *camera =
		&last_order(world, MEDIA_ORDER_LEG_VIDEO, 1)->video;
	EXPECT_EQ(camera->rid_count, 3);
	EXPECT_STR(str_of(camera->rids[0]), "q"); /* listed last: the best */
	EXPECT_STR(str_of(camera->mid), "1");
	EXPECT(camera->nack && camera->twcc && camera->remb);
	EXPECT(camera->mid_ext_id != 0 && camera->rid_ext_id != 0 && camera->twcc_ext_id != 0);
	EXPECT_EQ(camera->payloads[0].codec, VIDEO_CODEC_VP8);
	EXPECT(camera->payloads[0].rx_rtx_payload_type != 255);
	EXPECT_EQ(camera->tx_ssrc, 0);
	world_destroy(world);
}

TEST(a_browser_is_told_what_its_tiles_are_sent_with)
{
	static struct sdp answer;
	struct world *world = world_create();
	browser_comes(world, recorded("chromium-simulcast"));
	EXPECT_EQ(sdp_parse(&answer, str_of(world->web_answer)), SDP_OK);
	for (unsigned i = 3; i < 7; i++) {
		const struct media_video_settings *tile =
			&last_order(world, MEDIA_ORDER_LEG_VIDEO, (int)i)->video;
		const struct sdp_ssrc *ssrcs = &answer.ssrcs[answer.medias[i].ssrcs.first];
		EXPECT_EQ(answer.medias[i].ssrcs.count, 2);
		EXPECT(tile->tx_ssrc != 0 && tile->tx_rtx_ssrc != 0);
		EXPECT_EQ(ssrcs[0].ssrc, tile->tx_ssrc);
		EXPECT_EQ(ssrcs[1].ssrc, tile->tx_rtx_ssrc);
		EXPECT_STR(ssrcs[0].value, only_leg(world)->cname);
	}
	EXPECT_EQ(answer.medias[0].ssrcs.count, 1);
	EXPECT_EQ(answer.ssrcs[answer.medias[0].ssrcs.first].ssrc, 4711);
	/* Sound comes without mids: none may be agreed on for it. */
	for (unsigned i = 0; i < answer.medias[0].extmaps.count; i++)
		EXPECT(!str_ends(answer.extmaps[answer.medias[0].extmaps.first + i].uri,
		                 STR("sdes:mid")));
	world_destroy(world);
}

TEST(a_browsers_line_that_goes_is_taken_from_the_worker)
{
	struct world *world = world_create();
	static char text[SDP_BYTES_MAX];
	const struct str offer = recorded("chromium-simulcast");
	browser_comes(world, offer);
	str_copy(text, sizeof text, offer);
	/* The last tile's port becomes 0. */
	char *last = NULL;
	for (char *at = text; (at = strstr(at, "\r\nm=video 9 ")) != NULL; at++)
		last = at;
	EXPECT(last != NULL);
	last[sizeof "\r\nm=video " - 1] = '0';
	struct c2w_message message = { .kind = C2W_OFFER };
	message.sdp = (struct c2w_sdp){ .revision = 2, .sdp = str_of(text) };
	say(world, &message, 1);
	const struct media_video_settings *gone =
		&last_order(world, MEDIA_ORDER_LEG_VIDEO, 6)->video;
	EXPECT(!gone->send && !gone->receive && gone->payload_count == 0);
	struct bridge_video_line lines[SDP_LINES_MAX];
	EXPECT_EQ(video_lines(only_leg(world), lines), 5);
	EXPECT_EQ(media_legs(world), 1);
	world_destroy(world);
}

TEST(a_browser_gets_no_pictures_where_there_are_none)
{
	struct world *world = world_with(LEG_PROFILE_VIDEO_MODE, VIDEO_MODE_DISABLED);
	browser_comes(world, recorded("chromium-simulcast"));
	EXPECT_EQ(count_of(world, MEDIA_ORDER_LEG_VIDEO), 0);
	struct bridge_video_line lines[SDP_LINES_MAX];
	EXPECT_EQ(video_lines(only_leg(world), lines), 0);
	EXPECT(strstr(world->web_answer, "m=video 0 ") != NULL);
	world_destroy(world);
}

TEST(a_call_out_takes_no_more_than_its_bandwidth)
{
	struct world *world = world_create();
	struct object_edit edit = { .type = OBJECT_LEG };
	edit_set_number(&edit, LEG_BANDWIDTH, 512000);
	call_out_with(world, &edit);
	EXPECT_EQ(described(world)->medias[1].bandwidth_bps, 448000);
	room_answers(world, STR(HEAD SOUND "m=video 4002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n"
	                             "a=fmtp:97 profile-level-id=42e01f;packetization-mode=1\r\n"
	                             "m=video 0 RTP/AVP 97\r\nm=application 0 RTP/AVP 103\r\n"
	                             "m=application 0 UDP/BFCP *\r\n"));
	EXPECT_EQ(last_order(world, MEDIA_ORDER_LEG_VIDEO, 1)->video.tx_bps_max, 448000);
	world_destroy(world);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: what an administrator asks about pictures is kept, shown and acted on, byte for byte as
 * clients read it, and what cannot be is refused with a reason. */
#include "api/api_world.h"
#include "meeting/view.h"

static uint32_t
join(struct bridge *b, uint32_t space, const char *name)
{
	const struct meeting_join settings = { .entry = { .space = space },
		                               .name = str_of(name),
		                               .remote_party = str_of(name) };
	uint32_t leg = 0;
	EXPECT_EQ(meeting_join(b->meeting, &settings, b->now_us, &leg), MEETING_ADMITTED);
	meeting_leg_connected(b->meeting, leg, b->now_us);
	meeting_leg_pictures(b->meeting, leg, LEG_TRACK_MAIN, true, 1280, 720, b->now_us);
	drain(b);
	return leg;
}

/* A space with two people in it: G1 the space, G2 its call, G4 and G6 the legs. */
static struct bridge *
bridge_with_people(uint32_t legs[2])
{
	struct bridge *b = bridge_make();
	expect(b, API_POST, "/coSpaces", "name=Room&defaultLayout=allEqual", 200, "");
	const uint32_t space =
	        objects_find(meeting_objects(b->meeting), OBJECT_SPACE, &b->guids[0]);
	legs[0] = join(b, space, "ann");
	legs[1] = join(b, space, "bob");
	send(b, API_GET, "/calls", "");
	send(b, API_GET, "/callLegs", "");
	return b;
}

TEST(templates_are_written_as_json_and_given_back)
{
	struct bridge *b = bridge_make();
	expect(b, API_POST, "/layoutTemplates", "name=mine", 200, "");
	EXPECT_STR(str_of(b->location), "/api/v1/layoutTemplates/G1");
	send(b, API_GET, "/layoutTemplates/G1/template", "");
	EXPECT_STR(str_of(b->body), "{\"templates\":[]}");
	expect(b, API_GET, "/layoutTemplates/G1", "", 200,
	       "<layoutTemplate id=\"G1\"><name>mine</name><templateSize>0</templateSize>"
	       "</layoutTemplate>");
	expect(b, API_PUT, "/layoutTemplates/G1/template",
	       "{ \"templates\": [ { \"panes\": [\n"
	       "  {\"x\": 0, \"y\": 0, \"width\": 50, \"height\": 50} ] } ] }",
	       200, "");
	static const char kept[] = "{\"templates\":[{\"panes\":["
	                           "{\"x\":0,\"y\":0,\"width\":50,\"height\":50}]}]}";
	send(b, API_GET, "/layoutTemplates/G1/template", "");
	EXPECT_STR(str_of(b->body), kept);
	EXPECT_STR(str_of(b->type), "application/json");
	expect(b, API_PUT, "/layoutTemplates/G1/template",
	       "{\"templates\":[{\"panes\":[{\"x\":0,\"y\":0,\"width\":50}]}]}", 400,
	       "<failureDetails><parameterError parameter=\"template\" error=\"templates[0]."
	       "panes[0]: &quot;height&quot; is missing\" /></failureDetails>");
	send(b, API_GET, "/layoutTemplates/G1/template", "");
	EXPECT_STR(str_of(b->body), kept);
	expect(b, API_PUT, "/layoutTemplates/G1", "templateSize=7", 400,
	       "<failureDetails><parameterError parameter=\"templateSize\" error=\"unsupported\" />"
	       "</failureDetails>");
	expect(b, API_PUT, "/layoutTemplates/G1/template", " ", 200, "");
	send(b, API_GET, "/layoutTemplates/G1/template", "");
	EXPECT_STR(str_of(b->body), "{\"templates\":[]}");
	expect(b, API_DELETE, "/layoutTemplates/G1/template", "", 405, "");
	EXPECT_STR(str_of(b->allow), "GET, PUT");
	bridge_end(b);
}

TEST(a_template_that_is_too_long_is_refused)
{
	static char body[8192];
	struct bridge *b = bridge_make();
	struct writer w = writer_of(body, sizeof body - 1);
	send(b, API_POST, "/layoutTemplates", "");
	writer_text(&w, "{\"templates\":[");
	for (unsigned t = 0; t < 8; t++) {
		writer_format(&w, "%s{\"panes\":[", t != 0 ? "," : "");
		for (unsigned i = 0; i < 10; i++)
			writer_format(&w,
			              "%s{\"x\":%u.0000,\"y\":0.0000,\"width\":10.0000,\"height\":"
			              "10.0000,\"over\":true}",
			              i != 0 ? "," : "", i * 10);
		writer_text(&w, "]}");
	}
	writer_text(&w, "]}");
	EXPECT(!w.failed && w.at > LAYOUT_TEXT_MAX);
	EXPECT_FAILURE(b, API_PUT, "/layoutTemplates/G1/template", body, 400,
	               "layoutTemplateDescriptionTooLong");
	bridge_end(b);
}

TEST(profiles_keep_what_concerns_pictures_and_refer_to_what_there_is)
{
	struct bridge *b = bridge_make();
	send(b, API_POST, "/layoutTemplates", "name=t");
	expect(b, API_POST, "/callLegProfiles",
	       "defaultLayout=onePlusN&layoutTemplate=G1&participantCounter=always&"
	       "meetingTitlePosition=top&qualityMain=max720p30&qualityPresentation=max720p5&"
	       "presentationDisplayMode=singleStream&bfcpMode=serverAndClient&videoMode=disabled&"
	       "participantLabels=true&rxVideoMute=true&controlRemoteCameraAllowed=true",
	       200, "");
	expect(b, API_GET, "/callLegProfiles/G2", "", 200,
	       "<callLegProfile id=\"G2\"><defaultLayout>onePlusN</defaultLayout>"
	       "<layoutTemplate>G1</layoutTemplate><participantLabels>true</participantLabels>"
	       "<participantCounter>always</participantCounter>"
	       "<meetingTitlePosition>top</meetingTitlePosition><rxVideoMute>true</rxVideoMute>"
	       "<videoMode>disabled</videoMode><qualityMain>max720p30</qualityMain>"
	       "<qualityPresentation>max720p5</qualityPresentation>"
	       "<presentationDisplayMode>singleStream</presentationDisplayMode>"
	       "<bfcpMode>serverAndClient</bfcpMode>"
	       "<controlRemoteCameraAllowed>true</controlRemoteCameraAllowed></callLegProfile>");
	expect(b, API_PUT, "/callLegProfiles/G2", "defaultLayout=onePlusSix", 400,
	       "<failureDetails><parameterError parameter=\"defaultLayout\" "
	       "error=\"invalidValue\" /></failureDetails>");
	EXPECT_FAILURE(b, API_PUT, "/callLegProfiles/G2",
	               "layoutTemplate=00000000-0000-4000-8000-000000000001", 400,
	               "layoutTemplateDoesNotExist");
	/* No telepresence endpoints with several screens, no recorder. */
	expect(b, API_PUT, "/callLegProfiles/G2", "telepresenceCallsAllowed=true", 400,
	       "<failureDetails><parameterError parameter=\"telepresenceCallsAllowed\" "
	       "error=\"unsupported\" /></failureDetails>");
	bridge_end(b);
}

TEST(dtmf_profiles_have_codes_that_differ)
{
	struct bridge *b = bridge_make();
	expect(b, API_POST, "/dtmfProfiles", "lockCall=*5&nextLayout=*1", 200, "");
	expect(b, API_GET, "/dtmfProfiles/G1", "", 200,
	       "<dtmfProfile id=\"G1\"><lockCall>*5</lockCall><nextLayout>*1</nextLayout>"
	       "</dtmfProfile>");
	expect(b, API_PUT, "/dtmfProfiles/G1", "unlockCall=*5", 400,
	       "<failureDetails><parameterError parameter=\"unlockCall\" "
	       "error=\"sameAs:lockCall\" />"
	       "</failureDetails>");
	expect(b, API_PUT, "/dtmfProfiles/G1", "lockCall=%2C5", 400,
	       "<failureDetails><parameterError parameter=\"lockCall\" error=\"invalidValue\" />"
	       "</failureDetails>");
	expect(b, API_PUT, "/system/profiles", "dtmfProfile=G1", 200, "");
	expect(b, API_GET, "/system/profiles", "", 200,
	       "<profiles><dtmfProfile>G1</dtmfProfile></profiles>");
	expect(b, API_POST, "/callProfiles", "dtmfProfile=G1&chatAllowed=false", 200, "");
	bridge_end(b);
}

TEST(a_call_shows_a_text_for_a_while)
{
	uint32_t legs[2];
	struct bridge *b = bridge_with_people(legs);
	expect(b, API_PUT, "/calls/G2", "messageText=Hello&messagePosition=top&messageDuration=60",
	       200, "");
	b->now_us += 20 * 1000 * 1000;
	meeting_tick(b->meeting, b->now_us);
	send(b, API_GET, "/calls/G2", "");
	EXPECT(strstr(b->body, "<messageText>Hello</messageText>"
	                       "<messagePosition>top</messagePosition>"
	                       "<messageDuration>60</messageDuration>"
	                       "<messageTimeRemaining>40</messageTimeRemaining>") != NULL);
	expect(b, API_PUT, "/calls/G2", "messageDuration=permanent", 200, "");
	send(b, API_GET, "/calls/G2", "");
	EXPECT(strstr(b->body, "<messageTimeRemaining>permanent</messageTimeRemaining>") != NULL);
	send_as(b, API_GET, "/calls/G2", "", login, "application/json");
	EXPECT(strstr(b->body, "\"messageDuration\":\"permanent\"") != NULL);
	expect(b, API_PUT, "/calls/G2", "messageText=", 200, "");
	send(b, API_GET, "/calls/G2", "");
	EXPECT(strstr(b->body, "message") == NULL);
	EXPECT_EQ(meeting_present(b->meeting, legs[0], true, b->now_us), PRESENTING);
	send(b, API_GET, "/calls/G2", "");
	EXPECT(strstr(b->body, "<presenterCallLeg>G4</presenterCallLeg>") != NULL);
	bridge_end(b);
}

TEST(layouts_and_mutes_are_set_for_one_or_all)
{
	uint32_t legs[2];
	struct bridge *b = bridge_with_people(legs);
	expect(b, API_PUT, "/callLegs/G4", "layout=stacked", 200, "");
	EXPECT_STR(str_of(meeting_leg_layout(b->meeting, legs[0])), "stacked");
	send(b, API_GET, "/callLegs/G4", "");
	EXPECT(strstr(b->body, "<layout>stacked</layout><activeLayout>stacked</activeLayout>"
	                       "<availableVideoStreams>1</availableVideoStreams>") != NULL);
	EXPECT(strstr(b->body, "<chosenLayout>stacked</chosenLayout>") != NULL);
	expect(b, API_PUT, "/calls/G2/participants/*",
	       "layout=onePlusN&rxVideoMute=true&importance=3", 200, "");
	for (unsigned i = 0; i < 2; i++) {
		EXPECT_STR(str_of(meeting_leg_layout(b->meeting, legs[i])), "onePlusN");
		EXPECT(!meeting_leg(b->meeting, legs[i])->seen);
		EXPECT_EQ(meeting_leg(b->meeting, legs[i])->importance, 3);
	}
	send(b, API_GET, "/callLegs/G5", "");
	EXPECT(strstr(b->body, "<layout>onePlusN</layout>"
	                       "<activeLayout>speakerOnly</activeLayout>") != NULL);
	bridge_end(b);
}

TEST(legs_are_found_by_what_they_see)
{
	uint32_t legs[2];
	struct bridge *b = bridge_with_people(legs);
	send(b, API_PUT, "/callLegs/G4", "layout=stacked");
	static const struct {
		const char *query;
		unsigned total;
	} cases[] = {
		{ "activeLayoutFilter=stacked", 1 },
		{ "activeLayoutFilter=allEqual", 1 },
		{ "activeLayoutFilter=telepresence", 0 },
		{ "availableVideoStreamsLowerBound=1", 2 },
		{ "availableVideoStreamsLowerBound=2", 0 },
		{ "availableVideoStreamsUpperBound=0", 0 },
		{ "availableVideoStreamsLowerBound=1&availableVideoStreamsUpperBound=1", 2 },
		{ "ownerIdSet=true", 0 },
		{ "ownerIdSet=false&activeLayoutFilter=stacked", 1 },
	};
	for (unsigned i = 0; i < COUNT_OF(cases); i++) {
		char path[160];
		char total[32];
		snprintf(path, sizeof path, "/callLegs?%s", cases[i].query);
		snprintf(total, sizeof total, "total=\"%u\"", cases[i].total);
		send(b, API_GET, path, "");
		EXPECT(strstr(b->body, total) != NULL);
	}
	expect(b, API_GET, "/callLegs?activeLayoutFilter=none", "", 400,
	       "<failureDetails><parameterError parameter=\"activeLayoutFilter\" "
	       "error=\"invalidValue\" /></failureDetails>");
	bridge_end(b);
}

TEST(the_status_of_pictures_stands_by_role)
{
	uint32_t legs[2];
	struct bridge *b = bridge_with_people(legs);
	struct leg_media media = { 0 };
	media.rx_video[LEG_TRACK_MAIN] = (struct leg_pictures){
		.codec = "h264",
		.width = 1280,
		.height = 720,
		.rate_tenths = 299,
		.bit_rate_bps = 1000,
		.loss_tenths = 1,
		.jitter_ms = 2,
	};
	media.rx_video[LEG_TRACK_CONTENT] = (struct leg_pictures){ .codec = "vp8", .width = 10 };
	media.tx_video[LEG_TRACK_MAIN] = (struct leg_pictures){ .codec = "h264", .rtt_ms = 9 };
	meeting_leg_media(b->meeting, legs[0], &media);
	send(b, API_GET, "/callLegs/G4", "");
	EXPECT(strstr(b->body,
	              "<rxVideo role=\"main\"><codec>h264</codec><width>1280</width>"
	              "<height>720</height><frameRate>29.9</frameRate><bitRate>1000</bitRate>"
	              "<packetLossPercentage>0.1</packetLossPercentage><jitter>2</jitter></rxVideo>"
	              "<rxVideo role=\"presentation\"><codec>vp8</codec>"
	              "<width>10</width>") != NULL);
	EXPECT(strstr(b->body, "<txVideo role=\"main\"><codec>h264</codec>") != NULL);
	EXPECT(strstr(b->body, "<roundTripTime>9</roundTripTime></txVideo>") != NULL);
	EXPECT(strstr(b->body, "txVideo role=\"presentation\"") == NULL);
	send_as(b, API_GET, "/callLegs/G4", "", login, "application/json");
	EXPECT(strstr(b->body, "\"rxVideo\":[{\"role\":\"main\",\"codec\":\"h264\"") != NULL);
	EXPECT(strstr(b->body, "\"jitter\":2},{\"role\":\"presentation\",\"codec\":\"vp8\"") !=
	       NULL);
	EXPECT(strstr(b->body, "\"jitter\":0}],\"txVideo\":[{\"role\":\"main\"") != NULL);
	EXPECT(strstr(b->body, "\"roundTripTime\":9}],\"layout\":") != NULL);
	bridge_end(b);
}

TEST(cameras_move_and_key_frames_are_made)
{
	uint32_t legs[2];
	struct bridge *b = bridge_with_people(legs);
	EXPECT_FAILURE(b, API_PUT, "/callLegs/G4/cameraControl", "pan=left", 400,
	               "invalidOperation");
	meeting_leg_camera(b->meeting, legs[0], true);
	expect(b, API_PUT, "/callLegs/G4/cameraControl", "pan=left&tilt=up&zoom=in&focus=out", 200,
	       "");
	expect(b, API_PUT, "/calllegs/G4/cameracontrol", "pan=up", 400,
	       "<failureDetails><parameterError parameter=\"pan\" error=\"invalidValue\" />"
	       "</failureDetails>");
	expect(b, API_PUT, "/callLegs/G4/cameraControl", "roll=left", 400,
	       "<failureDetails><parameterError parameter=\"roll\" error=\"unsupported\" />"
	       "</failureDetails>");
	expect(b, API_POST, "/callLegs/G4/generateKeyframe", "", 200, "");
	send(b, API_GET, "/callLegs/G4", "");
	EXPECT(strstr(b->body, "<cameraControlAvailable>true</cameraControlAvailable>") != NULL);
	EXPECT_FAILURE(b, API_POST, "/callLegs/G1/generateKeyframe", "", 404,
	               "callLegDoesNotExist");
	bridge_end(b);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: the exchanges that real clients depend on, byte for byte; every object of the descriptions
 * can be made, read, changed, listed and deleted; logins and commits are waited for, and what the
 * store cannot keep is answered 503 and has not happened.  Method: a bridge without network; GUIDs
 * are replaced by G1, G2, ... in the order in which they were first seen. */
#include "api/api.h"

#include <argon2.h>
#include <stdio.h>

#include "api/guesses.h"
#include "api/password.h"
#include "api/path.h"
#include "meeting/test_world.h"

enum { GUIDS_MAX = 256 };

struct bridge {
	struct prng prng;
	struct meeting *meeting;
	struct api *api;
	int64_t now_us;
	bool disk_full;
	bool hold_store;
	bool hold_verifier;
	unsigned verified;
	uint64_t tickets[TX_PENDING_MAX];
	unsigned ticket_count;
	struct guid guids[GUIDS_MAX];
	unsigned guid_count;
	/* The last answer, with GUIDs replaced. */
	unsigned answers;
	unsigned status;
	uint64_t owner;
	bool challenge;
	char location[128];
	char body[65536];
	char type[32];
	char allow[64];
	char log[8192];
};

/* ------------------------------------------------------------------ a bridge for tests */

static unsigned
guid_number(struct bridge *bridge, const struct guid *guid)
{
	for (unsigned i = 0; i < bridge->guid_count; i++) {
		if (guid_eq(&bridge->guids[i], guid))
			return i + 1;
	}
	CHECK(bridge->guid_count < GUIDS_MAX);
	bridge->guids[bridge->guid_count++] = *guid;
	return bridge->guid_count;
}

static void
copy_named(struct bridge *bridge, char *out, size_t cap, struct str text)
{
	struct writer w = writer_of(out, cap - 1);
	for (size_t at = 0; at < text.len; at++) {
		struct guid guid;
		if (text.len - at >= GUID_TEXT_LEN &&
		    guid_parse(&guid, str_sub(text, at, GUID_TEXT_LEN))) {
			writer_format(&w, "G%u", guid_number(bridge, &guid));
			at += GUID_TEXT_LEN - 1;
		} else {
			writer_u8(&w, (uint8_t)text.at[at]);
		}
	}
	CHECK(!w.failed);
	out[w.at] = '\0';
}

static void
take_answer(struct bridge *bridge, const struct api_out *out)
{
	bridge->answers++;
	bridge->status = out->status;
	bridge->owner = out->owner;
	bridge->challenge = out->challenge;
	copy_named(bridge, bridge->location, sizeof bridge->location, out->location);
	copy_named(bridge, bridge->body, sizeof bridge->body, out->body);
	str_copy(bridge->type, sizeof bridge->type, out->content_type);
	str_copy(bridge->allow, sizeof bridge->allow, out->allow);
}

static void
settle(struct bridge *bridge)
{
	for (unsigned i = 0; i < bridge->ticket_count; i++) {
		objects_settled(meeting_objects(bridge->meeting), bridge->tickets[i],
		                !bridge->disk_full);
		api_settled(bridge->api, bridge->tickets[i], !bridge->disk_full, bridge->now_us);
	}
	bridge->ticket_count = 0;
}

static void
drain(struct bridge *bridge)
{
	struct api_out out;
	while ((out = api_poll(bridge->api, bridge->now_us)).kind != API_NONE) {
		switch (out.kind) {
		case API_VERIFY:
			bridge->verified++;
			if (bridge->hold_verifier)
				break;
			api_verified(bridge->api, out.slot, str_eq(out.password, STR("secret")),
			             bridge->now_us);
			break;
		case API_COMMIT:
			bridge->tickets[bridge->ticket_count++] = out.tx.ticket;
			if (!bridge->hold_store)
				settle(bridge);
			break;
		case API_ANSWER:
			take_answer(bridge, &out);
			break;
		case API_LOG: {
			char line[1024];
			copy_named(bridge, line, sizeof line, out.text);
			const size_t at = strlen(bridge->log);
			snprintf(bridge->log + at, sizeof bridge->log - at, "%s\n", line);
			break;
		}
		case API_NONE:
			break;
		}
	}
	while (meeting_poll(bridge->meeting).kind != MEETING_NONE) {
	}
}

static struct bridge *
bridge_make(void)
{
	static struct bridge bridge;
	bridge = (struct bridge){ .now_us = 1000 };
	prng_init(&bridge.prng, 4);
	const struct meeting_settings meeting = { .objects = { 500, 300, 1 << 20 },
		                                  .limits = { 50, 50 },
		                                  .random = test_random,
		                                  .context = &bridge.prng };
	EXPECT_EQ(meeting_create(&bridge.meeting, &meeting, bridge.now_us), 0);
	const struct api_settings api = { .meeting = bridge.meeting, .version = STR("3.9"),
		                          .web_address = STR("https://web.example.org"),
		                          .sip_domain = STR("example.org"), .trace = true };
	EXPECT_EQ(api_create(&bridge.api, &api, bridge.now_us), 0);
	static const char *const roles[][2] = { { "admin", "api" }, { "watcher", "audit" } };
	for (size_t i = 0; i < COUNT_OF(roles); i++) {
		uint32_t account = 0;
		struct objects *objects = meeting_objects(bridge.meeting);
		struct object_edit edit = { .type = OBJECT_ACCOUNT };
		int culprit = -1;
		edit_set_text(&edit, ACCOUNT_NAME, str_of(roles[i][0]));
		edit_set_number(&edit, ACCOUNT_ROLE, i == 0 ? ROLE_API : ROLE_AUDIT);
		edit_set_text(&edit, ACCOUNT_PASSWORD_HASH,
		              STR("$argon2id$not-used-by-this-test-bridge"));
		objects_begin(objects);
		EXPECT_EQ(objects_add(objects, &edit, 0, &account, &culprit), OBJECT_OK);
		objects_settled(objects, objects_end(objects).ticket, true);
	}
	return &bridge;
}

static void
bridge_end(struct bridge *bridge)
{
	api_destroy(bridge->api);
	meeting_destroy(bridge->meeting);
}

/* "GET /calls?limit=1" with "G3" standing for a GUID seen before. */
static void
send_as(struct bridge *bridge, enum api_method method, const char *path, const char *body,
        const char *authorization, const char *accept)
{
	char text[1024];
	char content[4096];
	char *const outs[] = { text, content };
	const char *const ins[] = { path, body };
	for (size_t i = 0; i < 2; i++) {
		struct writer w = writer_of(outs[i], (i == 0 ? sizeof text : sizeof content) - 1);
		writer_text(&w, i == 0 ? "/api/v1" : "");
		for (const char *at = ins[i]; *at != '\0'; at++) {
			char guid[GUID_TEXT_LEN + 1];
			const bool after = at != ins[i] && (at[-1] == '/' || at[-1] == '=');
			if (!after || at[0] != 'G' || at[1] < '1' || at[1] > '9') {
				writer_u8(&w, (uint8_t)*at);
				continue;
			}
			unsigned number = 0;
			for (at++; *at >= '0' && *at <= '9'; at++)
				number = number * 10 + (unsigned)(*at - '0');
			at--;
			CHECK(number <= bridge->guid_count);
			guid_write(guid, &bridge->guids[number - 1]);
			writer_text(&w, guid);
		}
		CHECK(!w.failed);
		outs[i][w.at] = '\0';
	}
	struct str query = str_of(text);
	const struct str before = str_cut(&query, '?');
	const struct api_request request = {
		.method = method, .path = before, .query = query, .body = str_of(content),
		.content_type = STR("application/x-www-form-urlencoded"),
		.accept = str_of(accept), .authorization = str_of(authorization),
		.peer = addr_ip4(192, 0, 2, 7, 40000), .owner = 77,
		.wall_us = INT64_C(1558032122000000),
	};
	bridge->body[0] = bridge->location[0] = '\0';
	api_request(bridge->api, &request, bridge->now_us);
	drain(bridge);
}

static const char login[] = "Basic YWRtaW46c2VjcmV0"; /* admin:secret */

static void
send(struct bridge *bridge, enum api_method method, const char *path, const char *body)
{
	send_as(bridge, method, path, body, login, "");
	EXPECT_EQ(bridge->owner, 77);
}

static void
expect(struct bridge *bridge, enum api_method method, const char *path, const char *body,
       unsigned status, const char *answer)
{
	send(bridge, method, path, body);
	EXPECT_EQ(bridge->status, status);
	struct str got = str_of(bridge->body);
	if (answer[0] != '\0') {
		static const char prolog[] = "<?xml version=\"1.0\"?>";
		EXPECT(str_starts(got, str_of(prolog)));
		got = str_sub(got, sizeof prolog - 1, got.len - (sizeof prolog - 1));
	}
	EXPECT_STR(got, answer);
}

#define EXPECT_FAILURE(bridge, method, path, body, status, code) \
	expect(bridge, method, path, body, status, \
	       "<failureDetails><" code " /></failureDetails>")

/* ------------------------------------------------------------------ golden exchanges */

TEST(the_golden_exchanges_are_as_clients_know_them)
{
	struct bridge *b = bridge_make();
	expect(b, API_GET, "/calls", "", 200, "<calls total=\"0\"/>");
	EXPECT_STR(str_of(b->type), "text/xml");
	expect(b, API_POST, "/coSpaces", "name=N&uri=u&callId=123", 200, "");
	EXPECT_STR(str_of(b->location), "/api/v1/coSpaces/G1");
	send(b, API_GET, "/coSpaces/G1", "");
	char *secret = strstr(b->body, "<secret>");
	EXPECT(secret != NULL && strstr(secret, "</secret>") - secret == 8 + 22);
	memcpy(secret + 8, "1234567890123456789022", 22);
	EXPECT_STR(str_of(b->body),
	           "<?xml version=\"1.0\"?><coSpace id=\"G1\"><name>N</name>"
	           "<autoGenerated>false</autoGenerated><uri>u</uri><callId>123</callId>"
	           "<nonMemberAccess>true</nonMemberAccess>"
	           "<secret>1234567890123456789022</secret></coSpace>");
	EXPECT_FAILURE(b, API_POST, "/coSpaces", "uri=u", 400, "duplicateCoSpaceUri");

	expect(b, API_POST, "/calls", "coSpace=G1", 200, "");
	EXPECT_STR(str_of(b->location), "/api/v1/calls/G2");
	expect(b, API_GET, "/calls", "", 200,
	       "<calls total=\"1\"><call id=\"G2\"><name>N</name><coSpace>G1</coSpace>"
	       "<callCorrelator>G3</callCorrelator></call></calls>");
	for (unsigned i = 0; i < 3; i++) {
		expect(b, API_POST, "/calls/G2/participants", "remoteParty=a@b", 200, "");
		EXPECT(strcmp(b->location, "/api/v1/participants/G4") == 0 || i != 0);
	}
	expect(b, API_PUT, "/participants/G4", "deactivated=false", 200, "");
	expect(b, API_GET, "/callLegs?limit=1&offset=1", "", 200,
	       "<callLegs total=\"3\"><callLeg id=\"G7\"><name></name>"
	       "<remoteParty>a@b</remoteParty><call>G2</call></callLeg></callLegs>");
	meeting_load(b->meeting, 25);
	expect(b, API_GET, "/system/load", "", 200,
	       "<load><mediaProcessingLoad>25</mediaProcessingLoad></load>");
	expect(b, API_GET, "/system/database", "", 200, "<database clustered=\"disabled\"/>");
	expect(b, API_POST, "/callLegProfiles", "", 200, "");
	EXPECT_STR(str_of(b->location), "/api/v1/callLegProfiles/G8");
	expect(b, API_GET, "/callLegProfiles/G8/usage", "", 200,
	       "<callLegProfileUsage id=\"G8\" total=\"0\"/>");
	expect(b, API_PUT, "/system/profiles", "callLegProfile=G8", 200, "");
	expect(b, API_GET, "/callLegProfiles/G8/usage", "", 200,
	       "<callLegProfileUsage id=\"G8\" total=\"1\"><global/></callLegProfileUsage>");
	send(b, API_POST, "/coSpaces", "callLegProfile=G8");
	send(b, API_POST, "/coSpaces/G9/accessMethods", "callLegProfile=G8");
	expect(b, API_GET, "/callLegProfiles/G8/usage", "", 200,
	       "<callLegProfileUsage id=\"G8\" total=\"3\"><global/><coSpaces><coSpace id=\"G9\"/>"
	       "</coSpaces><accessMethods><accessMethod id=\"G10\"/></accessMethods>"
	       "</callLegProfileUsage>");
	expect(b, API_GET, "/system/alarms", "", 200, "<alarms total=\"0\"/>");
	bridge_end(b);
}

TEST(a_running_meeting_is_shown_whole)
{
	struct bridge *b = bridge_make();
	expect(b, API_POST, "/coSpaces", "name=Dev+Space&uri=dev&meetingScheduler=Kim", 200, "");
	uint32_t at = 0;
	const uint32_t space = objects_next(meeting_objects(b->meeting), OBJECT_SPACE, &at);
	const struct meeting_join join = { .entry = { space, 0 }, .kind = LEG_SIP,
		                           .name = STR("<Kim & co>"),
		                           .remote_party = STR("kim@example.org"),
		                           .local_address = STR("dev@example.org"),
		                           .sip_call_id = STR("abc@1") };
	uint32_t leg = 0;
	EXPECT_EQ(meeting_join(b->meeting, &join, b->now_us, &leg), MEETING_ADMITTED);
	meeting_leg_connected(b->meeting, leg, b->now_us);
	meeting_leg_media(b->meeting, leg,
	                  &(struct leg_media){
				  .rx_audio = { "opus", 40000, 12, 3, 0, -25 },
				  .tx_audio = { "opus", 64000, 0, 1, 20, 0 },
				  .encrypted = true,
				  .cipher = "AEAD_AES_128_GCM",
			  });
	b->now_us += 170000000;
	drain(b);
	send(b, API_GET, "/calls", "");
	expect(b, API_GET, "/calls/G2", "", 200,
	       "<call id=\"G2\"><name>Dev Space</name><callType>coSpace</callType>"
	       "<coSpace>G1</coSpace><ownerName>Kim</ownerName><callCorrelator>G3</callCorrelator>"
	       "<durationSeconds>170</durationSeconds><numCallLegs>1</numCallLegs>"
	       "<maxCallLegs>1</maxCallLegs><numParticipantsLocal>1</numParticipantsLocal>"
	       "<numParticipantsRemote>0</numParticipantsRemote>"
	       "<numDistributedInstances>0</numDistributedInstances><locked>false</locked>"
	       "<recording>false</recording><streaming>false</streaming>"
	       "<allowAllMuteSelf>false</allowAllMuteSelf>"
	       "<allowAllPresentationContribution>false</allowAllPresentationContribution>"
	       "<endpointRecording>false</endpointRecording></call>");
	send(b, API_GET, "/calls/G2/participants", "");
	expect(b, API_GET, "/participants/G4", "", 200,
	       "<participant id=\"G4\"><name>&lt;Kim &amp; co&gt;</name><call>G2</call>"
	       "<uri>kim@example.org</uri><originalUri>kim@example.org</originalUri>"
	       "<numCallLegs>1</numCallLegs><isActivator>true</isActivator>"
	       "<canMove>false</canMove><status><state>connected</state>"
	       "<cameraControlAvailable>false</cameraControlAvailable>"
	       "<handStatus>lowered</handStatus></status></participant>");
	expect(b, API_GET, "/participants/G4/callLegs", "", 200,
	       "<callLegs total=\"1\"><callLeg id=\"G5\"><name>&lt;Kim &amp; co&gt;</name>"
	       "<remoteParty>kim@example.org</remoteParty><call>G2</call></callLeg></callLegs>");
	expect(b, API_PUT, "/callLegs/G5", "rxAudioMute=true&importance=5", 200, "");
	EXPECT(!meeting_leg(b->meeting, leg)->heard);
	expect(b, API_GET, "/calls/G2/callLegs/G5", "", 200,
	       "<callLeg id=\"G5\"><name>&lt;Kim &amp; co&gt;</name>"
	       "<remoteParty>kim@example.org</remoteParty>"
	       "<originalRemoteParty>kim@example.org</originalRemoteParty>"
	       "<localAddress>dev@example.org</localAddress><call>G2</call><type>sip</type>"
	       "<direction>incoming</direction><canMove>false</canMove>"
	       "<status><state>connected</state><durationSeconds>170</durationSeconds>"
	       "<direction>incoming</direction><sipCallId>abc@1</sipCallId>"
	       "<encryptedMedia>true</encryptedMedia><unencryptedMedia>false</unencryptedMedia>"
	       "<cipherSuite>AEAD_AES_128_GCM</cipherSuite>"
	       "<rxAudio><codec>opus</codec><packetLossPercentage>1.2</packetLossPercentage>"
	       "<jitter>3</jitter><bitRate>40000</bitRate><gainApplied>-2.5</gainApplied></rxAudio>"
	       "<txAudio><codec>opus</codec><packetLossPercentage>0.0</packetLossPercentage>"
	       "<jitter>1</jitter><bitRate>64000</bitRate><roundTripTime>20</roundTripTime>"
	       "</txAudio><layout>automatic</layout><activeLayout>speakerOnly</activeLayout>"
	       "<availableVideoStreams>0</availableVideoStreams>"
	       "<cameraControlAvailable>false</cameraControlAvailable>"
	       "<handStatus>lowered</handStatus></status><configuration><importance>5</importance>"
	       "<rxAudioMute>true</rxAudioMute></configuration></callLeg>");
	expect(b, API_DELETE, "/callLegs/G5", "", 200, "");
	EXPECT_EQ(meeting_leg(b->meeting, leg)->state, LEG_ENDING);
	EXPECT_FAILURE(b, API_GET, "/callLegs/G5", "", 404, "callLegDoesNotExist");
	EXPECT_FAILURE(b, API_DELETE, "/participants/G4", "", 404, "participantDoesNotExist");
	expect(b, API_GET, "/calls/G2/participants", "", 200, "<participants total=\"0\"/>");
	meeting_leg_ended(b->meeting, leg, LEG_END_LOCAL_TEARDOWN, false, b->now_us);
	drain(b);
	expect(b, API_GET, "/calls", "", 200, "<calls total=\"0\"/>");
	send(b, API_GET, "/system/status", "");
	EXPECT(strstr(b->body, "<softwareVersion>3.9</softwareVersion>"
	                       "<uptimeSeconds>170</uptimeSeconds>"
	                       "<cdrTime>2019-05-16T18:42:02Z</cdrTime><activated>true</activated>"
	                       "<clusterEnabled>false</clusterEnabled>") != NULL);
	EXPECT(strstr(b->body, "<callLegsActive>0</callLegsActive>"
	                       "<callLegsMaxActive>1</callLegsMaxActive>"
	                       "<callLegsCompleted>1</callLegsCompleted>") != NULL);
	bridge_end(b);
}

TEST(all_participants_are_muted_at_once_or_all_but_some)
{
	struct bridge *b = bridge_make();
	expect(b, API_POST, "/calls", "name=adhoc", 200, "");
	for (unsigned i = 0; i < 3; i++)
		send(b, API_POST, "/calls/G1/participants",
		     "remoteParty=sip:a@b&rxAudioMute=false");
	uint32_t at = 0;
	uint32_t legs[3];
	for (unsigned i = 0; i < 3; i++) {
		legs[i] = meeting_leg_next(b->meeting, &at);
		meeting_leg_connected(b->meeting, legs[i], b->now_us);
	}
	drain(b);
	expect(b, API_PUT, "/calls/G1/participants/*", "rxAudioMute=true", 200, "");
	for (unsigned i = 0; i < 3; i++)
		EXPECT(!meeting_leg(b->meeting, legs[i])->heard);
	expect(b, API_PUT, "/calls/G1/participants/",
	       "rxAudioMute=false&mode=exclude&filterIds=G2", 200, "");
	EXPECT(!meeting_leg(b->meeting, legs[0])->heard);
	EXPECT(meeting_leg(b->meeting, legs[1])->heard && meeting_leg(b->meeting, legs[2])->heard);
	expect(b, API_PUT, "/calls/G1/participants/*",
	       "txAudioMute=true&mode=selected&filterIds=G2", 200, "");
	EXPECT(!meeting_leg(b->meeting, legs[0])->hears && meeting_leg(b->meeting, legs[1])->hears);
	expect(b, API_PUT, "/calls/G1/participants/*", "mode=some", 400,
	       "<failureDetails><parameterError parameter=\"mode\" error=\"invalidValue\" />"
	       "</failureDetails>");
	expect(b, API_DELETE, "/calls/G1", "", 200, "");
	bridge_end(b);
}

TEST(refusals_name_what_is_wrong)
{
	struct bridge *b = bridge_make();
	EXPECT_FAILURE(b, API_GET, "/nothing", "", 404, "unrecognizedObject");
	EXPECT_FAILURE(b, API_GET, "/coSpaces/12", "", 404, "coSpaceDoesNotExist");
	EXPECT_FAILURE(b, API_GET, "/calls/00000000-0000-0000-0000-000000000000/callLegs", "", 404,
	               "callDoesNotExist");
	EXPECT_FAILURE(b, API_POST, "/coSpaces",
	               "callLegProfile=0e50c3ab-0000-4000-8000-000000000001", 400,
	               "callLegProfileDoesNotExist");
	EXPECT_FAILURE(b, API_POST, "/calls", "coSpace=0e50c3ab-0000-4000-8000-000000000001", 400,
	               "coSpaceDoesNotExist");
	expect(b, API_POST, "/calls", "", 400,
	       "<failureDetails><parameterError parameter=\"coSpace\" error=\"missing\" />"
	       "</failureDetails>");
	expect(b, API_POST, "/coSpaces", "streamUrl=rtmp://x", 400,
	       "<failureDetails><parameterError parameter=\"streamUrl\" error=\"unsupported\" />"
	       "</failureDetails>");
	expect(b, API_POST, "/coSpaces", "<%22>=1", 400,
	       "<failureDetails><parameterError parameter=\"&lt;&quot;&gt;\" "
	       "error=\"unsupported\" /></failureDetails>");
	expect(b, API_POST, "/coSpaces", "nonMemberAccess=perhaps", 400,
	       "<failureDetails><parameterError parameter=\"nonMemberAccess\" "
	       "error=\"invalidValue\" /></failureDetails>");
	EXPECT_FAILURE(b, API_POST, "/coSpaces", "name=%", 400, "parameterError");
	expect(b, API_GET, "/coSpaces?limit=x", "", 400,
	       "<failureDetails><parameterError parameter=\"limit\" error=\"invalidValue\" />"
	       "</failureDetails>");
	expect(b, API_PUT, "/coSpaces", "", 405, "");
	EXPECT_STR(str_of(b->allow), "GET, POST");
	send(b, API_OTHER, "/coSpaces", "");
	EXPECT_EQ(b->status, 405);
	bridge_end(b);
}

/* ------------------------------------------------------------------ spaces and pages */

TEST(access_methods_live_inside_their_space)
{
	struct bridge *b = bridge_make();
	expect(b, API_POST, "/cospaces/", "", 200, "");
	expect(b, API_POST, "/cospaces/G1/accessmethods/", "uri=host&passcode=12", 200, "");
	EXPECT_STR(str_of(b->location), "/api/v1/coSpaces/G1/accessMethods/G2");
	EXPECT_FAILURE(b, API_POST, "/coSpaces/G1/accessMethods", "uri=host&passcode=12", 400,
	               "duplicateCoSpaceUriPasscode");
	expect(b, API_GET, "/coSpaces/G1/accessMethods?", "", 200,
	       "<accessMethods total=\"1\"><accessMethod id=\"G2\"><uri>host</uri>"
	       "</accessMethod></accessMethods>");
	expect(b, API_GET, "/coSpaces/G1", "", 200,
	       "<coSpace id=\"G1\"><autoGenerated>false</autoGenerated>"
	       "<nonMemberAccess>true</nonMemberAccess><numAccessMethods>1</numAccessMethods>"
	       "</coSpace>");
	expect(b, API_POST, "/coSpaces", "", 200, "");
	EXPECT_FAILURE(b, API_GET, "/coSpaces/G3/accessMethods/G2", "", 404,
	               "accessMethodDoesNotExist");
	expect(b, API_POST, "/uriUsageQuery", "uri=HOST", 200,
	       "<uriUsageQuery><coSpace>G1</coSpace></uriUsageQuery>");
	/* Taken is taken, also where guests may not go. */
	expect(b, API_PUT, "/coSpaces/G1", "uri=mine&nonMemberAccess=false", 200, "");
	expect(b, API_POST, "/uriUsageQuery", "uri=mine", 200,
	       "<uriUsageQuery><coSpace>G1</coSpace></uriUsageQuery>");
	expect(b, API_DELETE, "/coSpaces/G1", "", 200, "");
	EXPECT_FAILURE(b, API_GET, "/coSpaces/G1/accessMethods", "", 404, "coSpaceDoesNotExist");
	expect(b, API_POST, "/uriUsageQuery", "uri=host", 200, "<uriUsageQuery/>");
	expect(b, API_POST, "/accessQuery", "uri=u&callId=12", 200,
	       "<accessQuery><uri>u@example.org</uri>"
	       "<webAddress>https://web.example.org/meeting/12</webAddress></accessQuery>");
	bridge_end(b);
}

TEST(collections_are_paged_and_filtered)
{
	struct bridge *b = bridge_make();
	for (unsigned i = 0; i < 130; i++) {
		char body[64];
		snprintf(body, sizeof body, "name=Room %u&uri=r%u", i, i);
		send(b, API_POST, "/coSpaces", body);
		EXPECT_EQ(b->status, 200);
		b->guid_count = 0;
	}
	static const struct {
		const char *query;
		unsigned total;
		unsigned items;
	} cases[] = {
		{ "", 130, API_PAGE_USUAL },         { "?limit=5", 130, 5 },
		{ "?offset=128", 130, 2 },           { "?limit=1000", 130, API_PAGE_MAX },
		{ "?limit=0", 130, 0 },              { "?offset=500&limit=3", 130, 0 },
		{ "?filter=ROOM+12", 11, 11 },       { "?filter=r129", 1, 1 },
		{ "?FILTER=room&offset=120", 130, 10 }, { "?filter=nobody", 0, 0 },
		{ "?callLegProfileFilter=00000000-0000-4000-8000-000000000001", 0, 0 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char path[128];
		char total[32];
		snprintf(path, sizeof path, "/coSpaces%s", cases[i].query);
		snprintf(total, sizeof total, "<coSpaces total=\"%u\"", cases[i].total);
		send(b, API_GET, path, "");
		EXPECT(strstr(b->body, total) != NULL);
		unsigned items = 0;
		for (const char *at = b->body; (at = strstr(at, "<coSpace id=")) != NULL; at++)
			items++;
		EXPECT_EQ(items, cases[i].items);
		b->guid_count = 0;
	}
	bridge_end(b);
}

TEST(json_is_given_to_those_who_ask_for_it)
{
	struct bridge *b = bridge_make();
	send(b, API_POST, "/coSpaces", "name=a%22b&uri=u");
	send_as(b, API_GET, "/coSpaces/G1", "", login, "application/json");
	EXPECT_STR(str_of(b->type), "application/json");
	EXPECT_STR(str_of(b->body), "{\"coSpace\":{\"id\":\"G1\",\"name\":\"a\\\"b\","
	                            "\"autoGenerated\":false,\"uri\":\"u\","
	                            "\"nonMemberAccess\":true}}");
	send_as(b, API_GET, "/coSpaces", "", login, "text/html, application/json;q=0.9");
	EXPECT_STR(str_of(b->body), "{\"coSpaces\":{\"total\":1,\"coSpace\":[{\"id\":\"G1\","
	                            "\"name\":\"a\\\"b\",\"autoGenerated\":false,"
	                            "\"uri\":\"u\"}]}}");
	send_as(b, API_GET, "/coSpaces", "", login, "text/xml, application/json");
	EXPECT_STR(str_of(b->type), "text/xml");
	bridge_end(b);
}

TEST(every_kept_object_is_made_read_changed_listed_and_deleted)
{
	for (unsigned n = 0; path_row(n) != NULL; n++) {
		const struct path_row *row = path_row(n);
		if (row->kind != PATH_COLLECTION || row->type >= OBJECT_KEPT_END)
			continue;
		struct bridge *b = bridge_make();
		char path[128];
		char one[128];
		char field[512];
		if (row->inside != OBJECT_NONE)
			send(b, API_POST, "/coSpaces", "");
		snprintf(path, sizeof path, "/%s%s",
		         row->inside != OBJECT_NONE ? "coSpaces/G1/" : "",
		         object_describe(row->type)->collection);
		send(b, API_POST, path, "");
		EXPECT_EQ(b->status, 200);
		snprintf(one, sizeof one, "%s", b->location + strlen("/api/v1"));
		for (unsigned i = 0; i < object_field_count(row->type); i++) {
			const struct field *f = object_field(row->type, i);
			static const char *const good[] = {
				[FIELD_TEXT] = "some%20text", [FIELD_BOOL] = "true",
				[FIELD_DIGITS] = "4711", [FIELD_PASSCODE] = "99",
				[FIELD_URI_USER] = "somebody",
				[FIELD_URL] = "c2w://host.example.org:9999", [FIELD_GUID] = "",
			};
			if ((f->flags & FIELD_PUT) == 0 || f->kind == FIELD_GUID)
				continue;
			const char *text = f->kind == FIELD_ENUM ? f->words[1] : good[f->kind];
			char number[16];
			if (f->kind == FIELD_UINT) {
				snprintf(number, sizeof number, "%u", f->max);
				text = number;
			}
			/* Two addresses of one space must differ. */
			snprintf(field, sizeof field, "%s=%s%s", f->name, text,
			         f->kind == FIELD_URI_USER ? f->name : "");
			send(b, API_PUT, one, field);
			EXPECT_EQ(b->status, 200);
			if ((f->flags & FIELD_GET) == 0 || f->kind == FIELD_TEXT)
				continue;
			snprintf(field, sizeof field, "<%s>%s%s</%s>", f->name, text,
			         f->kind == FIELD_URI_USER ? f->name : "", f->name);
			send(b, API_GET, one, "");
			EXPECT(strstr(b->body, field) != NULL);
		}
		send(b, API_GET, path, "");
		EXPECT(strstr(b->body, " total=\"1\"") != NULL);
		send(b, API_DELETE, one, "");
		EXPECT_EQ(b->status, 200);
		send(b, API_GET, one, "");
		EXPECT_EQ(b->status, 404);
		bridge_end(b);
	}
}

/* ------------------------------------------------------------------ who may, and what is kept */

TEST(only_the_right_login_gets_in_and_is_believed_for_a_while)
{
	struct bridge *b = bridge_make();
	static const char *const bad[] = {
		"", "Basic", "Basic !!!", "Bearer YWRtaW46c2VjcmV0",
		"Basic YWRtaW4=",             /* admin */
		"Basic OnNlY3JldA==",         /* :secret */
		"Basic YWRtaW46d3Jvbmc=",     /* admin:wrong */
		"Basic bm9ib2R5OnNlY3JldA==", /* nobody:secret */
		"Basic QURNSU46c2VjcmV0",     /* ADMIN:secret */
		"Basic d2F0Y2hlcjpzZWNyZXQ=", /* watcher:secret, role audit */
		"Basic YWRtaW4AeDpzZWNyZXQ=", /* admin NUL x:secret */
		"Basic YWRtaW46c2VjcmV0AHg=", /* admin:secret NUL x */
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		send_as(b, API_GET, "/calls", "", bad[i], "");
		EXPECT_EQ(b->status, 401);
		EXPECT(b->challenge);
		EXPECT_EQ(b->body[0], 0);
	}
	b->verified = 0;
	send(b, API_GET, "/calls", "");
	send(b, API_GET, "/calls", "");
	EXPECT_EQ(b->status, 200);
	EXPECT_EQ(b->verified, 1);
	b->now_us += API_LOGIN_US + 1;
	send(b, API_GET, "/calls", "");
	EXPECT_EQ(b->verified, 2);

	/* A changed password is asked for at once. */
	struct objects *objects = meeting_objects(b->meeting);
	struct address_cursor cursor = { 0 };
	const uint32_t account =
		objects_next_address(objects, OBJECT_ACCOUNT, STR("admin"), &cursor);
	struct object_edit edit = { .type = OBJECT_ACCOUNT };
	int culprit = -1;
	edit_set_text(&edit, ACCOUNT_PASSWORD_HASH, STR("$argon2id$another-one-of-these-hashes"));
	objects_begin(objects);
	EXPECT_EQ(objects_edit(objects, account, &edit, &culprit), OBJECT_OK);
	objects_settled(objects, objects_end(objects).ticket, true);
	send(b, API_GET, "/calls", "");
	EXPECT_EQ(b->verified, 3);
	bridge_end(b);
}

static unsigned
status_of_guess(struct bridge *b, uint8_t source, unsigned number)
{
	char plain[32];
	char header[64];
	struct writer w = writer_of(header, sizeof header - 1);
	snprintf(plain, sizeof plain, "admin:guess%u", number);
	writer_text(&w, "Basic ");
	encode_base64(&w, plain, strlen(plain));
	header[w.at] = '\0';
	const struct api_request request = { .path = STR("/api/v1/calls"),
		                             .authorization = str_of(header),
		                             .peer = addr_ip4(198, 51, 100, source, 1) };
	b->status = 0;
	api_request(b->api, &request, b->now_us);
	drain(b);
	return b->status;
}

TEST(who_guesses_passwords_is_slowed_down_and_keeps_nobody_out)
{
	struct bridge *b = bridge_make();
	for (unsigned i = 0; i < GUESSES_MAX; i++)
		EXPECT_EQ(status_of_guess(b, 1, i), 401);
	b->verified = 0;
	EXPECT_EQ(status_of_guess(b, 1, 1000), 429);
	EXPECT_EQ(b->verified, 0);
	EXPECT_EQ(status_of_guess(b, 2, 1000), 401);
	send(b, API_GET, "/calls", "");
	EXPECT_EQ(b->status, 200);
	b->now_us += GUESS_US;
	EXPECT_EQ(status_of_guess(b, 1, 1001), 401);
	EXPECT_EQ(status_of_guess(b, 1, 1002), 429);
	b->now_us += (int64_t)GUESS_US * GUESSES_MAX;
	for (unsigned i = 0; i < GUESSES_MAX; i++)
		EXPECT_EQ(status_of_guess(b, 1, 2000 + i), 401);
	EXPECT_EQ(status_of_guess(b, 1, 3000), 429);
	bridge_end(b);
}

TEST(one_source_has_a_part_of_the_places_where_passwords_are_verified)
{
	struct bridge *b = bridge_make();
	b->hold_verifier = true;
	for (unsigned i = 0; i < API_VERIFY_SOURCE_MAX; i++)
		EXPECT_EQ(status_of_guess(b, 1, i), 0);
	EXPECT_EQ(status_of_guess(b, 1, 100), 503);
	EXPECT_EQ(status_of_guess(b, 2, 100), 0);
	bridge_end(b);
}

TEST(an_unknown_login_takes_as_long_as_a_wrong_password)
{
	struct bridge *b = bridge_make();
	const struct api_request request = { .path = STR("/api/v1/calls"),
		                             .authorization = STR("Basic bm9ib2R5OnNlY3JldA==") };
	api_request(b->api, &request, b->now_us);
	const struct api_out out = api_poll(b->api, b->now_us);
	EXPECT_EQ(out.kind, API_VERIFY);
	/* A hash that argon2 computes to its end, not one it refuses to read. */
	EXPECT_EQ(argon2id_verify(out.password_hash.at, "secret", 6), ARGON2_VERIFY_MISMATCH);
	api_verified(b->api, out.slot, true, b->now_us);
	drain(b);
	EXPECT_EQ(b->status, 401);
	bridge_end(b);
}

TEST(a_write_is_answered_when_it_is_kept_and_undone_when_it_is_not)
{
	struct bridge *b = bridge_make();
	b->hold_store = true;
	send(b, API_GET, "/calls", "");
	b->answers = 0;
	send(b, API_POST, "/coSpaces", "uri=a");
	EXPECT_EQ(b->answers, 0);
	EXPECT(strstr(b->log, "created new") == NULL);
	settle(b);
	drain(b);
	EXPECT_EQ(b->answers, 1);
	EXPECT_EQ(b->status, 200);
	EXPECT(strstr(b->log, "192.0.2.7: API user \"admin\" created new space G1\n") != NULL);

	send(b, API_POST, "/coSpaces", "uri=b");
	send(b, API_DELETE, "/coSpaces/G1", "");
	EXPECT_EQ(b->answers, 1);
	EXPECT_EQ(objects_count(meeting_objects(b->meeting), OBJECT_SPACE), 1);
	b->disk_full = true;
	settle(b);
	drain(b);
	EXPECT_EQ(b->answers, 3);
	EXPECT_EQ(b->status, 503);
	EXPECT_STR(str_of(b->body), "<?xml version=\"1.0\"?><failureDetails><databaseNotReady />"
	                            "</failureDetails>");
	EXPECT_STR(str_of(b->location), "");
	b->disk_full = b->hold_store = false;
	expect(b, API_GET, "/coSpaces", "", 200,
	       "<coSpaces total=\"1\"><coSpace id=\"G1\"><autoGenerated>false</autoGenerated>"
	       "<uri>a</uri></coSpace></coSpaces>");
	bridge_end(b);
}

TEST(the_trace_tells_the_exchange_without_secrets)
{
	struct bridge *b = bridge_make();
	send(b, API_POST, "/coSpaces", "uri=a&passcode=4711&name=x%0Ay&\n");
	send(b, API_POST, "/coSpaces", "uri=a&passcode=4711&");
	EXPECT_STR(str_of(b->log),
	           "API trace 1: POST for \"/api/v1/coSpaces\" (from 192.0.2.7)\n"
	           "API trace 1: content data size 32, "
	           "type \"application/x-www-form-urlencoded\":\n"
	           "API trace 1: uri=a&\nAPI trace 1: passcode=***&\nAPI trace 1: name=x%0Ay&\n"
	           "API trace 1: sending 400 response, size 110\n"
	           "API trace 2: POST for \"/api/v1/coSpaces\" (from 192.0.2.7)\n"
	           "API trace 2: content data size 20, "
	           "type \"application/x-www-form-urlencoded\":\n"
	           "API trace 2: uri=a&\nAPI trace 2: passcode=***&\n"
	           "192.0.2.7: API user \"admin\" created new space G1\n"
	           "API trace 2: sending 200 response, size 0\n"
	           "API trace 2: Location: /api/v1/coSpaces/G1\n");
	bridge_end(b);
}

TEST(too_much_is_refused_and_nobody_is_left_waiting)
{
	struct bridge *b = bridge_make();
	static char big[API_BODY_MAX + 1];
	memset(big, 'a', sizeof big);
	struct api_request request = { .path = STR("/api/v1/calls"), .owner = 1,
		                       .authorization = str_of(login),
		                       .body = { big, sizeof big } };
	api_request(b->api, &request, b->now_us);
	drain(b);
	EXPECT_EQ(b->status, 413);
	request.body = STR("");
	request.path = (struct str){ big, API_PATH_MAX + 1 };
	api_request(b->api, &request, b->now_us);
	drain(b);
	EXPECT_EQ(b->status, 414);

	/* Different wrong logins are verified a few at a time; the same one only once. */
	request.path = STR("/api/v1/calls");
	unsigned verify = 0;
	uint32_t slots[API_VERIFY_MAX];
	for (unsigned i = 0; i < API_VERIFY_MAX + 2; i++) {
		char text[64];
		char header[128];
		const int len = snprintf(text, sizeof text, "user%u:x", i);
		struct writer w = writer_of(header, sizeof header);
		writer_text(&w, "Basic ");
		encode_base64(&w, text, (size_t)len);
		request.authorization = writer_view(&w);
		request.owner = 100 + i;
		request.peer = addr_ip4(198, 51, 100, (uint8_t)i, 1);
		for (unsigned twice = 0; twice < 2; twice++) {
			api_request(b->api, &request, b->now_us);
			struct api_out out;
			while ((out = api_poll(b->api, b->now_us)).kind != API_NONE) {
				if (out.kind == API_VERIFY)
					slots[verify++] = out.slot;
				else
					EXPECT_EQ(out.status, 503);
			}
		}
	}
	EXPECT_EQ(verify, API_VERIFY_MAX);
	b->answers = 0;
	api_forget(b->api, 100);
	for (unsigned i = 0; i < verify; i++)
		api_verified(b->api, slots[i], true, b->now_us);
	drain(b);
	EXPECT_EQ(b->answers, 2 * API_VERIFY_MAX - 2); /* owner 100 is gone */
	EXPECT_EQ(b->status, 401);
	bridge_end(b);
}

TEST(web_bridges_that_fail_raise_an_alarm)
{
	struct bridge *b = bridge_make();
	expect(b, API_POST, "/webBridges", "url=c2w://127.0.0.1:9999", 200, "");
	expect(b, API_GET, "/webBridges/G1/status", "", 200,
	       "<webBridge id=\"G1\"><status>unused</status></webBridge>");
	uint32_t at = 0;
	const uint32_t handle = objects_next(meeting_objects(b->meeting), OBJECT_WEB_BRIDGE, &at);
	meeting_web_bridge(b->meeting, handle, WEB_BRIDGE_CONNECTION_FAILURE, b->now_us);
	b->now_us += 5000000;
	expect(b, API_GET, "/system/alarms", "", 200,
	       "<alarms total=\"1\"><alarm id=\"G2\"><type>c2wConnectionFailure</type>"
	       "<activeTimeSeconds>5</activeTimeSeconds>"
	       "<failureReason>connectFailure</failureReason><webBridge>G1</webBridge></alarm>"
	       "</alarms>");
	meeting_web_bridge(b->meeting, handle, WEB_BRIDGE_SUCCESS, b->now_us);
	expect(b, API_GET, "/system/alarms", "", 200, "<alarms total=\"0\"/>");
	expect(b, API_GET, "/webBridges/G1/status", "", 200,
	       "<webBridge id=\"G1\"><status>success</status></webBridge>");
	expect(b, API_PUT, "/webBridges/G1", "url=https://x", 400,
	       "<failureDetails><parameterError parameter=\"url\" error=\"invalidValue\" />"
	       "</failureDetails>");
	bridge_end(b);
}

/* ------------------------------------------------------------------ passwords */

TEST(a_password_matches_its_own_hash_only)
{
	char hash[PASSWORD_HASH_MAX];
	static const uint8_t salt[PASSWORD_SALT_BYTES] = { 1, 2, 3 };
	EXPECT_EQ(password_hash(hash, STR("correct horse"), salt), 0);
	EXPECT(strncmp(hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31) == 0);
	EXPECT(password_matches(STR("correct horse"), str_of(hash)));
	EXPECT(!password_matches(STR("correct horsf"), str_of(hash)));
	EXPECT(!password_matches(STR("correct horse"), STR("$argon2id$broken")));

	struct verifier *verifier = NULL;
	EXPECT_EQ(verifier_create(&verifier, NULL, NULL), 0);
	EXPECT_EQ(verifier_post(verifier, 1, STR("correct horse"), str_of(hash)), 0);
	EXPECT_EQ(verifier_post(verifier, 2, STR("wrong"), str_of(hash)), 0);
	struct verifier_result result;
	for (uint32_t slot = 1; slot <= 2;) {
		if (!verifier_take(verifier, &result))
			continue;
		EXPECT_EQ(result.slot, slot);
		EXPECT_EQ(result.right, slot == 1);
		slot++;
	}
	EXPECT_EQ(verifier_post(verifier, 3, STR("dropped"), str_of(hash)), 0);
	verifier_destroy(verifier);
}

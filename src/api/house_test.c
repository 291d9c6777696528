/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: what administrators' scripts do beside plain reading and writing gets the answers they
 * know: readings, questions, usage, bulk spaces, diagnostics, refusals of what is not there.
 * Method: dialogues with the API alone, over a store that keeps everything. */
#include <jansson.h>

#include "api/api_world.h"
#include "api/openapi.h"
#include "api/path.h"

static uint32_t
add_user(struct bridge *b, const char *jid)
{
	struct objects *objects = meeting_objects(b->meeting);
	struct object_edit edit = { .type = OBJECT_USER };
	uint32_t user = 0;
	int culprit = -1;
	edit_set_text(&edit, USER_JID, str_of(jid));
	edit_set_text(&edit, USER_EMAIL, STR("mail@example.org"));
	objects_begin(objects);
	EXPECT_EQ(objects_add(objects, &edit, 0, &user, &culprit), OBJECT_OK);
	objects_settled(objects, objects_end(objects).ticket, true);
	return user;
}

static uint32_t
join_space(struct bridge *b, struct str jid)
{
	uint32_t at = 0;
	uint32_t leg = 0;
	const uint32_t space = objects_next(meeting_objects(b->meeting), OBJECT_SPACE, &at);
	const struct meeting_join join = { .entry = { .space = space }, .kind = LEG_SIP,
		                           .name = STR("Ann"), .user_jid = jid,
		                           .remote_party = STR("ann@example.org") };
	EXPECT_EQ(meeting_join(b->meeting, &join, b->now_us, &leg), MEETING_ADMITTED);
	meeting_leg_connected(b->meeting, leg, b->now_us);
	drain(b);
	return leg;
}

TEST(a_trace_tells_which_profile_says_what)
{
	struct bridge *b = bridge_make();
	expect(b, API_POST, "/callLegProfiles", "needsActivation=true", 200, "");
	expect(b, API_POST, "/callLegProfiles", "muteSelfAllowed=false", 200, "");
	expect(b, API_PUT, "/system/profiles", "callLegProfile=G1", 200, "");
	expect(b, API_POST, "/coSpaces", "uri=s&callLegProfile=G2", 200, "");
	(void)join_space(b, STR(""));
	send(b, API_GET, "/callLegs", "");
	expect(b, API_PUT, "/callLegs/G4", "rxAudioMute=true", 200, "");
	expect(b, API_GET, "/callLegs/G4/callLegProfileTrace", "", 200,
	       "<callLegProfileTrace><sections><section><scope>global</scope>"
	       "<callLegProfile>G1</callLegProfile><needsActivation>true</needsActivation>"
	       "</section><section><scope>coSpace</scope><callLegProfile>G2</callLegProfile>"
	       "<muteSelfAllowed>false</muteSelfAllowed></section><section>"
	       "<scope>callLeg</scope><rxAudioMute>true</rxAudioMute></section></sections>"
	       "</callLegProfileTrace>");
	bridge_end(b);
}

TEST(profiles_are_found_by_whether_anything_uses_them)
{
	struct bridge *b = bridge_make();
	expect(b, API_POST, "/callBrandingProfiles", "", 200, "");
	expect(b, API_POST, "/callBrandingProfiles", "", 200, "");
	expect(b, API_POST, "/tenants", "name=t&callBrandingProfile=G2", 200, "");
	expect(b, API_GET, "/callBrandingProfiles?usageFilter=referenced", "", 200,
	       "<callBrandingProfiles total=\"1\"><callBrandingProfile id=\"G2\"/>"
	       "</callBrandingProfiles>");
	expect(b, API_GET, "/callBrandingProfiles?usageFilter=unreferenced", "", 200,
	       "<callBrandingProfiles total=\"1\"><callBrandingProfile id=\"G1\"/>"
	       "</callBrandingProfiles>");
	expect(b, API_GET, "/callBrandingProfiles/G2/usage", "", 200,
	       "<callBrandingProfileUsage id=\"G2\" total=\"1\"><tenants><tenant id=\"G3\"/>"
	       "</tenants></callBrandingProfileUsage>");
	send(b, API_GET, "/callBrandingProfiles?usageFilter=some", "");
	EXPECT_EQ(b->status, 400);
	send(b, API_GET, "/coSpaces?usageFilter=referenced", "");
	EXPECT_EQ(b->status, 400);
	bridge_end(b);
}

TEST(people_are_told_how_to_get_in)
{
	struct bridge *b = bridge_make();
	expect(b, API_POST, "/coSpaces", "name=Team&uri=team&callId=12&secret=12345678", 200, "");
	expect(b, API_GET, "/coSpaces/G1/meetingEntryDetail", "", 200,
	       "<meetingEntryDetail><coSpace>G1</coSpace><uri>team@example.org</uri>"
	       "<callId>12</callId></meetingEntryDetail>");
	expect(b, API_GET, "/coSpaces/G1/emailInvitation", "", 200,
	       "<emailInvitation><language>en_US</language><text>You are invited to Team.\n"
	       "In a browser: https://web.example.org/meeting/12?secret=12345678\n"
	       "From a video room: team@example.org\nMeeting ID: 12\n</text>"
	       "</emailInvitation>");
	expect(b, API_POST, "/coSpaces/G1/accessMethods", "uri=host&callId=13&passcode=7", 200,
	       "");
	expect(b, API_POST, "/webBridgeProfiles", "", 200, "");
	expect(b, API_POST, "/webBridgeProfiles/G3/webBridgeAddresses",
	       "address=https://join.example.org/", 200, "");
	expect(b, API_POST, "/webBridgeProfiles/G3/ivrNumbers", "number=%2B49+30+1&label=Berlin",
	       200, "");
	expect(b, API_PUT, "/system/profiles", "webBridgeProfile=G3", 200, "");
	send(b, API_GET, "/coSpaces/G1/accessMethods/G2/emailInvitation?language=fr_FR", "");
	EXPECT(strstr(b->body, "https://join.example.org/meeting/13?secret=") != NULL);
	EXPECT(strstr(b->body, "+49 30 1 (Berlin)") != NULL);
	EXPECT(strstr(b->body, "Code d&apos;acc") != NULL || strstr(b->body, "Code d'acc") != NULL);
	/* A default method is what people are told of the space itself. */
	expect(b, API_PUT, "/coSpaces/G1", "defaultAccessMethod=G2", 200, "");
	expect(b, API_GET, "/coSpaces/G1/meetingEntryDetail", "", 200,
	       "<meetingEntryDetail><coSpace>G1</coSpace><uri>host@example.org</uri>"
	       "<callId>13</callId></meetingEntryDetail>");
	expect(b, API_POST, "/coSpaces", "", 200, "");
	EXPECT_FAILURE(b, API_GET, "/coSpaces/G6/accessMethods/G2/emailInvitation", "", 404,
	               "accessMethodDoesNotExist");
	EXPECT_FAILURE(b, API_PUT, "/coSpaces/G6", "defaultAccessMethod=G2", 400,
	               "accessMethodDoesNotExist");
	bridge_end(b);
}

TEST(a_long_invitation_is_told_whole)
{
	struct bridge *b = bridge_make();
	char form[256], last[64];
	expect(b, API_POST, "/coSpaces", "uri=team&callId=12", 200, "");
	expect(b, API_POST, "/webBridgeProfiles", "", 200, "");
	expect(b, API_PUT, "/system/profiles", "webBridgeProfile=G2", 200, "");
	for (unsigned i = 0; i < 60; i++) {
		snprintf(form, sizeof form, "number=%u&label=%0120u", 1000 + i, i);
		expect(b, API_POST, "/webBridgeProfiles/G2/ivrNumbers", form, 200, "");
	}
	snprintf(last, sizeof last, "%060u)", 59);
	send(b, API_GET, "/coSpaces/G1/emailInvitation", "");
	EXPECT_EQ(b->status, 200);
	EXPECT(strstr(b->body, last) != NULL);
	bridge_end(b);
}

TEST(a_page_ends_where_its_objects_no_longer_fit)
{
	struct bridge *b = bridge_make();
	char quotes[1000 * 3 + 1], form[8192];
	for (unsigned i = 0; i < 1000; i++)
		memcpy(&quotes[i * 3], "%22", 4);
	expect(b, API_POST, "/ldapServers", "address=h&portNumber=389&secure=false", 200, "");
	expect(b, API_POST, "/ldapMappings", "jidMapping=$mail$", 200, "");
	for (unsigned i = 0; i < 70; i++) {
		snprintf(form, sizeof form, "server=G1&mapping=G2&baseDn=%.1500s&filter=%s",
		         quotes, quotes);
		send(b, API_POST, "/ldapSources", form);
		EXPECT_EQ(b->status, 200);
	}
	send(b, API_GET, "/ldapSources?limit=100", "");
	EXPECT_EQ(b->status, 200);
	EXPECT(strstr(b->body, "<ldapSources total=\"70\">") != NULL);
	EXPECT(strstr(b->body, "</ldapSources>") != NULL);
	bridge_end(b);
}

TEST(scripts_keep_what_they_like_with_a_space)
{
	struct bridge *b = bridge_make();
	expect(b, API_POST, "/coSpaces", "", 200, "");
	expect(b, API_GET, "/coSpaces/G1/metadata", "", 200,
	       "<metadata><metadata></metadata></metadata>");
	expect(b, API_PUT, "/coSpaces/G1/metadata", "metadata=%7B%22a%22%3A1%7D", 200, "");
	expect(b, API_GET, "/coSpaces/G1/metadata", "", 200,
	       "<metadata><metadata>{&quot;a&quot;:1}</metadata></metadata>");
	send(b, API_PUT, "/coSpaces/G1/metadata", "other=1");
	EXPECT_EQ(b->status, 400);
	bridge_end(b);
}

TEST(the_web_bridge_profile_in_force_is_shown_for_each)
{
	struct bridge *b = bridge_make();
	expect(b, API_POST, "/webBridgeProfiles", "allowPasscodes=false", 200, "");
	expect(b, API_POST, "/tenants", "name=t&webBridgeProfile=G1", 200, "");
	expect(b, API_POST, "/webBridges", "url=c2w://h:1&tenant=G2", 200, "");
	send(b, API_GET, "/system/profiles/effectiveWebBridgeProfile", "");
	EXPECT(strstr(b->body, "<allowPasscodes>true<") != NULL);
	EXPECT(strstr(b->body, "<resolveCoSpaceUris>domainSuggestionEnabled<") != NULL);
	send(b, API_GET, "/tenants/G2/effectiveWebBridgeProfile", "");
	EXPECT(strstr(b->body, "<allowPasscodes>false<") != NULL);
	send(b, API_GET, "/webBridges/G3/effectiveWebBridgeProfile", "");
	EXPECT(strstr(b->body, "<allowPasscodes>false<") != NULL);
	expect(b, API_POST, "/webBridges/G3/updateCustomization", "", 200, "");
	bridge_end(b);
}

TEST(what_is_not_there_is_refused_as_without_it)
{
	struct bridge *b = bridge_make();
	expect(b, API_POST, "/coSpaces", "uri=s&streamUrl=rtmp://x/y", 200, "");
	expect(b, API_POST, "/calls", "coSpace=G1", 200, "");
	EXPECT_FAILURE(b, API_PUT, "/calls/G2", "recording=true", 400,
	               "callRecordingCannotBeModified");
	EXPECT_FAILURE(b, API_PUT, "/calls/G2", "streaming=true", 400,
	               "callStreamingCannotBeModified");
	expect(b, API_PUT, "/calls/G2", "recording=false&streaming=false", 200, "");
	expect(b, API_PUT, "/calls/G2", "lockMode=needsActivation&activeWhenEmpty=false", 200, "");
	send(b, API_GET, "/calls/G2", "");
	EXPECT(strstr(b->body, "<lockMode>needsActivation</lockMode>"
	                       "<activeWhenEmpty>false</activeWhenEmpty>") != NULL);
	expect(b, API_POST, "/callBridges", "name=other", 200, "");
	EXPECT_FAILURE(b, API_POST, "/callBridges", "name=OTHER", 400, "duplicateCallBridgeName");
	EXPECT_FAILURE(b, API_POST, "/calls/G2/participants", "remoteParty=a@b&callBridge=G4", 400,
	               "callBridgeUnavailable");
	expect(b, API_POST, "/callBridgeGroups", "name=g", 200, "");
	EXPECT_FAILURE(b, API_POST, "/calls/G2/participants", "remoteParty=a@b&callBridgeGroup=G5",
	               400, "callBridgeGroupUnavailable");
	(void)join_space(b, STR(""));
	send(b, API_GET, "/participants", "");
	EXPECT_FAILURE(b, API_POST, "/calls/G2/participants", "movedParticipant=G6", 400,
	               "participantCannotBeModified");
	EXPECT_FAILURE(b, API_POST, "/calls/G2/participants", "movedParticipant=G1", 400,
	               "participantDoesNotExist");
	send(b, API_POST, "/callLegProfiles", "telepresenceCallsAllowed=true");
	EXPECT(strstr(b->body, "parameter=\"telepresenceCallsAllowed\" error=\"unsupported\"") !=
	       NULL);
	expect(b, API_POST, "/callLegProfiles", "telepresenceCallsAllowed=False", 200, "");
	bridge_end(b);
}

static void
set_sync_state(struct bridge *b, const struct guid *id, enum ldap_sync_state state)
{
	struct objects *objects = meeting_objects(b->meeting);
	struct object_edit edit = { .type = OBJECT_LDAP_SYNC };
	int culprit = -1;
	edit_set_number(&edit, LDAP_SYNC_STATE, state);
	objects_begin(objects);
	EXPECT_EQ(objects_edit(objects, objects_find(objects, OBJECT_LDAP_SYNC, id), &edit,
	                       &culprit),
	          OBJECT_OK);
	objects_settled(objects, objects_end(objects).ticket, true);
}

TEST(ldap_syncs_wait_for_their_turn_and_only_then_can_be_cancelled)
{
	struct bridge *b = bridge_make();
	expect(b, API_POST, "/ldapSyncs", "removeWhenFinished=false", 200, "");
	expect(b, API_GET, "/ldapSyncs/G1", "", 200,
	       "<ldapSync id=\"G1\"><removeWhenFinished>false</removeWhenFinished>"
	       "<state>pending</state><numUsersImported>0</numUsersImported>"
	       "<numLdapSourcesComplete>0</numLdapSourcesComplete></ldapSync>");
	set_sync_state(b, &b->guids[0], LDAP_SYNC_IN_PROGRESS);
	EXPECT_FAILURE(b, API_DELETE, "/ldapSyncs/G1", "", 400, "ldapSyncCannotBeCancelled");
	for (unsigned i = 0; i < API_LDAP_SYNCS_MAX; i++)
		send(b, API_POST, "/ldapSyncs", "");
	EXPECT_EQ(b->status, 200);
	EXPECT_FAILURE(b, API_POST, "/ldapSyncs", "", 400, "tooManyLdapSyncs");
	expect(b, API_DELETE, "/ldapSyncs/G2", "", 200, "");
	expect(b, API_POST, "/ldapSyncs", "", 200, "");
	set_sync_state(b, &b->guids[0], LDAP_SYNC_FAILED);
	expect(b, API_DELETE, "/ldapSyncs/G1", "", 200, "");
	bridge_end(b);
}

TEST(spaces_are_made_and_removed_by_the_hundred)
{
	struct bridge *b = bridge_make();
	expect(b, API_POST, "/cospaceBulkParameterSets",
	       "startIndex=100&endIndex=219&coSpaceUriMapping=room$index$&"
	       "coSpaceNameMapping=Room+$index$&coSpaceCallIdMapping=9$index$",
	       200, "");
	expect(b, API_POST, "/cospaceBulkSyncs", "coSpaceBulkParameterSet=G1", 200, "");
	expect(b, API_GET, "/cospaceBulkSyncs/G2", "", 200,
	       "<cospaceBulkSync id=\"G2\"><coSpaceBulkParameterSet>G1</coSpaceBulkParameterSet>"
	       "<removeAll>false</removeAll><status>complete</status></cospaceBulkSync>");
	send(b, API_GET, "/coSpaces?limit=1", "");
	EXPECT(strstr(b->body, "total=\"120\"") != NULL);
	send(b, API_GET, "/coSpaces?filter=room219", "");
	EXPECT(strstr(b->body, "<name>Room 219</name><autoGenerated>true</autoGenerated>"
	                       "<uri>room219</uri><callId>9219</callId>") != NULL);
	/* Once more changes what is there. */
	expect(b, API_PUT, "/cospaceBulkParameterSets/G1",
	       "endIndex=149&coSpaceNameMapping=Raum+$index$", 200, "");
	expect(b, API_POST, "/cospaceBulkSyncs", "coSpaceBulkParameterSet=G1", 200, "");
	send(b, API_GET, "/coSpaces?filter=Raum&limit=1", "");
	EXPECT(strstr(b->body, "total=\"50\"") != NULL);
	send(b, API_GET, "/coSpaces?limit=1", "");
	EXPECT(strstr(b->body, "total=\"120\"") != NULL);
	expect(b, API_PUT, "/cospaceBulkParameterSets/G1", "endIndex=219", 200, "");
	expect(b, API_POST, "/cospaceBulkSyncs", "coSpaceBulkParameterSet=G1&removeAll=true", 200,
	       "");
	expect(b, API_GET, "/coSpaces", "", 200, "<coSpaces total=\"0\"/>");
	bridge_end(b);
}

static void
expect_run(struct bridge *b, const char *set, const char *status)
{
	char want[64];
	char path[160];
	send(b, API_POST, "/cospaceBulkParameterSets", set);
	EXPECT_EQ(b->status, 200);
	snprintf(path, sizeof path, "coSpaceBulkParameterSet=%s", strrchr(b->location, '/') + 1);
	send(b, API_POST, "/cospaceBulkSyncs", path);
	EXPECT_EQ(b->status, 200);
	snprintf(path, sizeof path, "%s", b->location + strlen("/api/v1"));
	send(b, API_GET, path, "");
	snprintf(want, sizeof want, "<status>%s</status>", status);
	EXPECT(strstr(b->body, want) != NULL);
}

TEST(a_run_that_cannot_go_on_says_why)
{
	struct bridge *b = bridge_make();
	expect(b, API_POST, "/coSpaces", "uri=x3&callId=3", 200, "");
	expect_run(b, "startIndex=5&endIndex=4", "failedIndexRangeInvalid");
	expect_run(b, "startIndex=0&endIndex=20000", "failedIndexRangeTooGreat");
	expect_run(b, "startIndex=1&endIndex=5&coSpaceUriMapping=x$index$",
	           "failedCoSpaceUriConflict");
	expect_run(b, "startIndex=1&endIndex=5&coSpaceCallIdMapping=$index$",
	           "failedCallIdConflict");
	expect_run(b, "startIndex=1&endIndex=5&coSpaceCallIdMapping=a$index$", "failed");
	send(b, API_GET, "/coSpaces", "");
	EXPECT(strstr(b->body, "total=\"1\"") != NULL);
	bridge_end(b);
}

TEST(users_are_found_and_their_spaces)
{
	struct bridge *b = bridge_make();
	(void)add_user(b, "ann@example.org");
	(void)add_user(b, "bob@example.org");
	expect(b, API_POST, "/coSpaces", "uri=s", 200, "");
	expect(b, API_POST, "/coSpaces/G1/coSpaceUsers", "userJid=ann@example.org&canDestroy=True",
	       200, "");
	EXPECT_FAILURE(b, API_POST, "/coSpaces/G1/coSpaceUsers", "userJid=nobody@example.org", 400,
	               "userDoesNotExist");
	expect(b, API_GET, "/users?filter=ann", "", 200,
	       "<users total=\"1\"><user id=\"G3\"><userJid>ann@example.org</userJid></user>"
	       "</users>");
	expect(b, API_GET, "/users/G3/usercoSpaces", "", 200,
	       "<userCoSpaces total=\"1\"><userCoSpace id=\"G2\"><coSpaceId>G1</coSpaceId>"
	       "</userCoSpace></userCoSpaces>");
	send(b, API_GET, "/users?emailFilter=mail%40", "");
	EXPECT(strstr(b->body, "total=\"2\"") != NULL);
	expect(b, API_GET, "/users?cdrTagFilter=x", "", 200, "<users total=\"0\"/>");
	expect(b, API_GET, "/coSpaces/G1/coSpaceUsers/G2", "", 200,
	       "<coSpaceUser id=\"G2\"><userJid>ann@example.org</userJid><userId>G3</userId>"
	       "<autoGenerated>false</autoGenerated><canDestroy>true</canDestroy></coSpaceUser>");
	send(b, API_POST, "/users", "userJid=x@y");
	EXPECT_EQ(b->status, 405);
	EXPECT_FAILURE(b, API_DELETE, "/users/G3", "", 400, "invalidOperation");
	expect(b, API_POST, "/uriUsageQuery", "uri=ANN", 200,
	       "<uriUsageQuery><user>G3</user></uriUsageQuery>");
	expect(b, API_POST, "/ivrs", "uri=ivr", 200, "");
	EXPECT_FAILURE(b, API_POST, "/ivrs", "uri=IVR", 400, "ivrUriConflict");
	send(b, API_POST, "/uriUsageQuery", "uri=ivr");
	EXPECT(strstr(b->body, "<uriUsageQuery><ivr>") != NULL);
	send(b, API_POST, "/accessQuery", "callId=12");
	EXPECT(strstr(b->body, "<ivr>ivr@example.org</ivr>") != NULL);
	expect(b, API_POST, "/conversationIdQuery", "conversationId=x", 200,
	       "<conversationIdQuery><conversationId>x</conversationId><found>false</found>"
	       "</conversationIdQuery>");
	bridge_end(b);
}

TEST(a_telephone_is_told_of_the_nearest_ivr)
{
	struct bridge *b = bridge_make();
	expect(b, API_POST, "/tenantGroups", "", 200, "");
	expect(b, API_POST, "/tenants", "name=A&tenantGroup=G1", 200, "");
	send(b, API_POST, "/accessQuery", "callId=12&tenant=G2");
	EXPECT(strstr(b->body, "<ivr>") == NULL);
	expect(b, API_POST, "/ivrs", "uri=all", 200, "");
	send(b, API_POST, "/accessQuery", "callId=12&tenant=G2");
	EXPECT(strstr(b->body, "<ivr>all@example.org</ivr>") != NULL);
	expect(b, API_POST, "/ivrs", "uri=group&tenantGroup=G1", 200, "");
	send(b, API_POST, "/accessQuery", "callId=12&tenant=G2");
	EXPECT(strstr(b->body, "<ivr>group@example.org</ivr>") != NULL);
	expect(b, API_POST, "/ivrs", "uri=own&tenant=G2", 200, "");
	send(b, API_POST, "/accessQuery", "callId=12&tenant=G2");
	EXPECT(strstr(b->body, "<ivr>own@example.org</ivr>") != NULL);
	expect(b, API_PUT, "/ivrs/G5", "resolveCoSpaceCallIds=false", 200, "");
	send(b, API_POST, "/accessQuery", "callId=12&tenant=G2");
	EXPECT(strstr(b->body, "<ivr>group@example.org</ivr>") != NULL);
	send(b, API_POST, "/accessQuery", "callId=12");
	EXPECT(strstr(b->body, "<ivr>all@example.org</ivr>") != NULL);
	bridge_end(b);
}

TEST(licences_are_all_activated_and_counted)
{
	struct bridge *b = bridge_make();
	(void)add_user(b, "ann@example.org");
	expect(b, API_POST, "/coSpaces", "uri=s", 200, "");
	expect(b, API_POST, "/userProfiles", "hasLicense=true", 200, "");
	expect(b, API_PUT, "/system/profiles", "userProfile=G2", 200, "");
	(void)join_space(b, STR("ann@example.org"));
	send(b, API_GET, "/system/licensing", "");
	EXPECT(strstr(b->body, "<licensing><features><callBridge><status>activated</status>"
	                       "</callBridge>") != NULL);
	send(b, API_GET, "/clusterLicensing", "");
	EXPECT(strstr(b->body, "<recording><status>activated</status></recording>") != NULL);
	send(b, API_GET, "/system/multipartyLicensing", "");
	EXPECT(strstr(b->body, "<personalLicenses>1</personalLicenses>") != NULL);
	EXPECT(strstr(b->body, "<weightedCallsActive>1.000</weightedCallsActive>") != NULL);
	send(b, API_GET, "/system/multipartyLicensing/activePersonalLicenses", "");
	EXPECT(strstr(b->body, "<activePersonalLicenses total=\"1\">") != NULL);
	bridge_end(b);
}

TEST(the_api_describes_itself_in_json_that_others_read)
{
	static char text[OPENAPI_BYTES_MAX];
	json_error_t error;
	struct writer w = writer_of(text, sizeof text);
	openapi_write(&w, STR("1"));
	EXPECT(!w.failed);
	json_t *root = json_loadb(text, w.at, JSON_REJECT_DUPLICATES, &error);
	EXPECT(root != NULL);
	unsigned rows = 0;
	while (path_row(rows) != NULL)
		rows++;
	EXPECT_EQ(json_object_size(json_object_get(root, "paths")), rows);
	const json_t *space = json_object_get(
		json_object_get(json_object_get(root, "components"), "schemas"), "coSpace");
	EXPECT(json_object_get(json_object_get(space, "properties"), "callId") != NULL);
	json_decref(root);
}

TEST(a_part_is_told_in_detail_for_so_many_seconds)
{
	struct bridge *b = bridge_make();
	expect(b, API_GET, "/system/timedLogging", "", 200,
	       "<timedLogging><activeControl>0</activeControl><api>0</api><dns>0</dns>"
	       "<events>0</events><sip>0</sip><webBridge>0</webBridge></timedLogging>");
	EXPECT(!api_logs(b->api, TIMED_LOGGING_SIP, b->now_us));
	expect(b, API_PUT, "/system/timedLogging", "sip=60&dns=30", 200, "");
	EXPECT(strstr(b->log, "API user \"admin\" modified timed logging") != NULL);
	EXPECT(api_logs(b->api, TIMED_LOGGING_SIP, b->now_us));
	EXPECT(!api_logs(b->api, TIMED_LOGGING_API, b->now_us));
	b->now_us += 29500 * 1000;
	expect(b, API_PUT, "/system/timedLogging", "webBridge=1", 200, "");
	expect(b, API_GET, "/system/timedLogging", "", 200,
	       "<timedLogging><activeControl>0</activeControl><api>0</api><dns>1</dns>"
	       "<events>0</events><sip>31</sip><webBridge>1</webBridge></timedLogging>");
	b->now_us += 1000 * 1000;
	EXPECT(!api_logs(b->api, TIMED_LOGGING_DNS, b->now_us));
	expect(b, API_POST, "/system/timedLogging", "sip=0", 200, "");
	EXPECT(!api_logs(b->api, TIMED_LOGGING_SIP, b->now_us));
	static const char *const bad[] = { "sip=86401", "sip=-1", "sip=x", "activeControl=1" };
	for (unsigned i = 0; i < COUNT_OF(bad); i++) {
		send(b, API_PUT, "/system/timedLogging", bad[i]);
		EXPECT_EQ(b->status, 400);
	}
	expect(b, API_PUT, "/system/timedLogging", "activeControl=0", 200, "");
	bridge_end(b);
}

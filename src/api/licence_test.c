/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: what is licensed and what is used are read as CMS shows them; samples are kept in the
 * database, once each, in order, and no more than are asked for. */
#include "api/api_internal.h"
#include "api/api_world.h"

static const int64_t NOON_S = 1682683200; /* 2023-04-28T12:00:00Z */

static struct licence_rights
granted(void)
{
	struct licence_rights rights = licence_rights_free();
	rights.free = false;
	str_copy(rights.id, sizeof rights.id, STR("2023-7"));
	str_copy(rights.holder, sizeof rights.holder, STR("Example Ltd"));
	str_copy(rights.issuer, sizeof rights.issuer, STR("acme"));
	rights.of[LICENCE_CALLBRIDGE].expires_s = NOON_S + (int64_t)200 * 86400;
	rights.of[LICENCE_PERSONAL].limited = true;
	rights.of[LICENCE_PERSONAL].limit = 100;
	rights.of[LICENCE_RECORDING].state = LICENCE_EXPIRED;
	rights.of[LICENCE_RECORDING].expires_s = NOON_S - 86400;
	rights.of[LICENCE_STREAMING].state = LICENCE_NONE;
	return rights;
}

static bool
says(const struct bridge *b, const char *text)
{
	return strstr(b->body, text) != NULL;
}

TEST(a_licence_is_read_with_its_ends_and_limits)
{
	struct bridge *b = bridge_make();
	const struct licence_rights rights = granted();
	send(b, API_GET, "/system/licensing", "");
	EXPECT(!says(b, "<expiry>") && !says(b, "<limit>") && !says(b, "<license>"));
	meeting_licence(b->meeting, &rights, NOON_S, b->now_us);
	send(b, API_GET, "/system/licensing", "");
	EXPECT(says(b, "<licensing><features><callBridge><status>activated</status>"
	               "<expiry>2023-Nov-14</expiry></callBridge>"));
	EXPECT(says(b, "<branding><status>activated</status><level>full</level></branding>"));
	EXPECT(says(b, "<recording><status>expired</status><expiry>2023-Apr-27</expiry>"));
	EXPECT(says(b, "<streaming><status>noLicense</status></streaming>"));
	EXPECT(says(b, "<personal><status>activated</status><limit>100</limit></personal>"));
	EXPECT(says(b, "</features><license><id>2023-7</id><holder>Example Ltd</holder>"
	               "<issuer>acme</issuer></license></licensing>"));
	send(b, API_GET, "/clusterLicensing", "");
	EXPECT(says(b, "<clusterLicensing><features><callBridge><status>activated</status>"
	               "<expiry>2023-Jul-27</expiry></callBridge>"));
	send(b, API_GET, "/system/multipartyLicensing", "");
	EXPECT(says(b, "<personalLicenseLimit>100</personalLicenseLimit>"
	               "<sharedLicenseLimit>0</sharedLicenseLimit>"));
	const struct licence_rights none = licence_rights_none(LICENCE_REJECT_HOST);
	meeting_licence(b->meeting, &none, NOON_S, b->now_us);
	send(b, API_GET, "/system/licensing", "");
	EXPECT(says(b, "<license><failureReason>otherHost</failureReason></license>"));
	send(b, API_GET, "/system/status", "");
	EXPECT(says(b, "<activated>false</activated>"));
	bridge_end(b);
}

TEST(the_file_in_force_is_read_as_it_was_signed)
{
	struct bridge *b = bridge_make();
	expect(b, API_GET, "/clusterLicensing/raw", "", 200, "<raw/>");
	api_licence_file(b->api, STR("aaa.bbb.ccc\n"));
	expect(b, API_GET, "/clusterLicensing/raw", "", 200, "<raw><license>aaa.bbb.ccc</license></raw>");
	api_licence_file(b->api, STR(""));
	expect(b, API_GET, "/clusterLicensing/raw", "", 200, "<raw/>");
	bridge_end(b);
}

TEST(what_is_not_licensed_is_refused_by_its_own_word)
{
	struct bridge *b = bridge_make();
	const struct licence_rights rights = granted();
	expect(b, API_POST, "/coSpaces", "uri=tac&name=TAC2", 200, "");
	EXPECT_FAILURE(b, API_POST, "/calls", "coSpace=G1&recording=true", 400,
	               "callRecordingCannotBeModified");
	meeting_licence(b->meeting, &rights, NOON_S, b->now_us);
	b->log[0] = '\0';
	EXPECT_FAILURE(b, API_POST, "/calls", "coSpace=G1&recording=true", 400,
	               "recordingNotAllowedByLicensing");
	expect(b, API_POST, "/calls", "coSpace=G1", 200, "");
	EXPECT_FAILURE(b, API_PUT, "/calls/G2", "streaming=true", 400,
	               "streamingNotAllowedByLicensing");
	expect(b, API_PUT, "/calls/G2", "recording=false", 200, "");
	const struct licence_rights none = licence_rights_none(LICENCE_OK);
	meeting_licence(b->meeting, &none, NOON_S, b->now_us);
	EXPECT_FAILURE(b, API_POST, "/calls", "name=x", 503, "participantLimitReached");
	bridge_end(b);
}

static void
note(struct bridge *b, int64_t time_s)
{
	api_usage_note(b->api, time_s * 1000000);
	drain(b);
}

#define ENTRY(time) \
	"<entry time=\"" time "\"><pmp>0</pmp><pmpAssigned>0</pmpAssigned><smpAud>0</smpAud>" \
	"<smpPtP>0</smpPtP><smpFull>0</smpFull><rec>0</rec><str>0</str></entry>"

TEST(samples_are_kept_and_read_in_order)
{
	struct bridge *b = bridge_make();
	expect(b, API_GET, "/system/MPLicenseUsage", "", 200, "<MPLicenseUsage total=\"0\"/>");
	for (int i = 0; i < 14; i++)
		note(b, NOON_S - 1800 + i * 300);
	note(b, NOON_S); /* the clock was put back: nothing is there twice */
	EXPECT_EQ(objects_count(meeting_objects(b->meeting), OBJECT_USAGE_HOUR), 2);
	send(b, API_GET, "/system/MPLicenseUsage", "");
	EXPECT(says(b, "<MPLicenseUsage total=\"14\">" ENTRY("2023-04-28T11:30:00Z")
	                       ENTRY("2023-04-28T11:35:00Z")));
	expect(b, API_GET, "/system/MPLicenseUsage?offset=6&limit=2", "", 200,
	       "<MPLicenseUsage total=\"14\">" ENTRY("2023-04-28T12:00:00Z")
	               ENTRY("2023-04-28T12:05:00Z") "</MPLicenseUsage>");
	expect(b, API_GET,
	       "/system/MPLicenseUsage?startTime=2023-04-28T12:31:00Z&endTime=2023-04-28T12:35:00Z",
	       "", 200,
	       "<MPLicenseUsage total=\"1\">" ENTRY("2023-04-28T12:35:00Z") "</MPLicenseUsage>");
	expect(b, API_GET,
	       "/system/MPLicenseUsage?hostId=11111111-2222-4333-8444-555555555555", "", 200,
	       "<MPLicenseUsage total=\"0\"/>");
	send(b, API_GET, "/system/MPLicenseUsage?startTime=yesterday", "");
	EXPECT_EQ(b->status, 400);
	EXPECT(says(b, "parameter=\"startTime\" error=\"invalidValue\""));
	send(b, API_GET, "/system/MPLicenseUsage?colour=red", "");
	EXPECT_EQ(b->status, 400);
	send_as(b, API_GET, "/system/MPLicenseUsage?limit=1", "", login, "application/json");
	EXPECT(says(b, "{\"MPLicenseUsage\":{\"total\":14,\"entry\":[{\"time\":"
	               "\"2023-04-28T11:30:00Z\",\"pmp\":0,"));
	send(b, API_GET, "/system/MPLicenseUsage/knownHosts", "");
	EXPECT(says(b, "<knownHosts total=\"1\"><host id=\"G"));
	bridge_end(b);
}

TEST(a_sample_counts_calls_and_users)
{
	struct bridge *b = bridge_make();
	uint32_t leg = 0;
	uint32_t at = 0;
	expect(b, API_POST, "/coSpaces", "uri=s", 200, "");
	const struct meeting_join join = {
		.entry = { .space = objects_next(meeting_objects(b->meeting), OBJECT_SPACE, &at) },
		.name = STR("Ann"),
		.remote_party = STR("ann@example.org"),
	};
	EXPECT_EQ(meeting_join(b->meeting, &join, b->now_us, &leg), MEETING_ADMITTED);
	note(b, NOON_S);
	send(b, API_GET, "/system/MPLicenseUsage", "");
	EXPECT(says(b, "<smpAud>1</smpAud><smpPtP>0</smpPtP>"));
	send(b, API_GET, "/system/multipartyLicensing", "");
	EXPECT(says(b, "<sharedLicenses>1</sharedLicenses>")); /* a sixth of one, and no less */
	bridge_end(b);
}

TEST(samples_wait_for_a_database_that_is_gone)
{
	struct bridge *b = bridge_make();
	struct store_status status = { .state = STORE_LOST };
	api_database(b->api, &status);
	for (int i = 0; i < USAGE_WAITING_MAX + 2; i++)
		note(b, NOON_S + i * 300);
	EXPECT_EQ(objects_count(meeting_objects(b->meeting), OBJECT_USAGE_HOUR), 0);
	status.state = STORE_READY;
	api_database(b->api, &status);
	/* A disk that is full undoes them; they are tried again with the next sample. */
	b->disk_full = true;
	drain(b);
	EXPECT_EQ(objects_count(meeting_objects(b->meeting), OBJECT_USAGE_HOUR), 0);
	b->disk_full = false;
	drain(b);
	EXPECT_EQ(objects_count(meeting_objects(b->meeting), OBJECT_USAGE_HOUR), 0);
	note(b, NOON_S + (USAGE_WAITING_MAX + 2) * 300);
	send(b, API_GET, "/system/MPLicenseUsage?limit=1", "");
	EXPECT(says(b, "<MPLicenseUsage total=\"288\">" ENTRY("2023-04-28T12:15:00Z")));
	bridge_end(b);
}

TEST(the_oldest_hour_goes_when_all_are_full)
{
	struct bridge *b = bridge_make();
	/* The table of this world holds 300. */
	for (int i = 0; i < 310; i++)
		note(b, NOON_S + i * 3600);
	EXPECT_EQ(objects_count(meeting_objects(b->meeting), OBJECT_USAGE_HOUR), 300);
	send(b, API_GET, "/system/MPLicenseUsage?limit=1", "");
	EXPECT(says(b, "<MPLicenseUsage total=\"300\">" ENTRY("2023-04-28T22:00:00Z")));
	bridge_end(b);
}

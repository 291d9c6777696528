/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: what the store says of itself is told as CMS tells it, and while it takes no changes, none is
 * begun.  Method: a bridge without network, told of databases that are not there. */
#include "api/api_world.h"

static const struct store_status two_nodes = {
	.engine = STORE_POSTGRES,
	.node_in_use = 0,
	.node_count = 2,
	.nodes = { { .name = "db1", .up = true, .primary = true },
	           { .name = "db2:5433", .up = true, .behind_bytes = 77 } },
};

TEST(the_nodes_of_a_database_are_told)
{
	struct bridge *b = bridge_make();
	struct store_status status = two_nodes;
	api_database(b->api, &status);
	expect(b, API_GET, "/system/database", "", 200,
	       "<database clustered=\"enabled\"><cluster><totalNodes>2</totalNodes>"
	       "<nodeInUse>db1</nodeInUse>"
	       "<node hostname=\"db1\" up=\"true\" syncBehind=\"0\" master=\"true\"/>"
	       "<node hostname=\"db2:5433\" up=\"true\" syncBehind=\"77\" master=\"false\"/>"
	       "</cluster></database>");
	send_as(b, API_GET, "/system/database", "", login, "application/json");
	EXPECT_STR(str_of(b->body),
	           "{\"database\":{\"clustered\":\"enabled\",\"cluster\":{\"totalNodes\":2,"
	           "\"nodeInUse\":\"db1\",\"node\":[{\"hostname\":\"db1\",\"up\":true,"
	           "\"syncBehind\":0,\"master\":true},{\"hostname\":\"db2:5433\",\"up\":true,"
	           "\"syncBehind\":77,\"master\":false}]}}}");
	status.state = STORE_LOST;
	status.node_in_use = -1;
	status.nodes[0] = status.nodes[1] = (struct store_node_status){ .name = "a & b" };
	snprintf(status.error, sizeof status.error, "no answer");
	api_database(b->api, &status);
	expect(b, API_GET, "/system/database", "", 200,
	       "<database clustered=\"enabled\"><cluster><error>no answer</error>"
	       "<totalNodes>2</totalNodes>"
	       "<node hostname=\"a &amp; b\" up=\"false\" syncBehind=\"0\" master=\"false\"/>"
	       "<node hostname=\"a &amp; b\" up=\"false\" syncBehind=\"0\" master=\"false\"/>"
	       "</cluster></database>");
	bridge_end(b);
}

TEST(without_a_database_nothing_is_changed_and_everything_is_read)
{
	struct bridge *b = bridge_make();
	struct store_status status = two_nodes;
	expect(b, API_POST, "/coSpaces", "name=N&uri=u", 200, "");
	EXPECT_STR(str_of(b->location), "/api/v1/coSpaces/G1");
	send(b, API_POST, "/calls", "coSpace=G1");
	status.state = STORE_LOST;
	api_database(b->api, &status);
	EXPECT_FAILURE(b, API_POST, "/coSpaces", "name=M", 503, "databaseNotReady");
	EXPECT_FAILURE(b, API_PUT, "/coSpaces/G1", "name=M", 503, "databaseNotReady");
	EXPECT_FAILURE(b, API_DELETE, "/coSpaces/G1", "", 503, "databaseNotReady");
	EXPECT_FAILURE(b, API_PUT, "/system/profiles", "callLegProfile=", 503, "databaseNotReady");
	EXPECT_FAILURE(b, API_PUT, "/coSpaces/G1/metadata", "metadata=x", 503, "databaseNotReady");
	/* The call of that space has not noticed, and can be worked with. */
	expect(b, API_PUT, "/calls/G2", "locked=true", 200, "");
	send(b, API_GET, "/coSpaces/G1", "");
	EXPECT(strstr(b->body, "<name>N</name>") != NULL);
	send(b, API_GET, "/calls", "");
	EXPECT(strstr(b->body, "<calls total=\"1\">") != NULL);
	status.state = STORE_READY;
	api_database(b->api, &status);
	expect(b, API_PUT, "/coSpaces/G1", "name=M", 200, "");
	bridge_end(b);
}

TEST(a_bulk_run_waits_for_the_database_and_goes_on)
{
	struct bridge *b = bridge_make();
	struct store_status status = { .engine = STORE_POSTGRES };
	expect(b, API_POST, "/cospaceBulkParameterSets",
	       "startIndex=1&endIndex=120&coSpaceUriMapping=room$index$", 200, "");
	b->hold_store = true;
	send_as(b, API_POST, "/cospaceBulkSyncs", "coSpaceBulkParameterSet=G1", login, "");
	settle(b);
	drain(b);
	EXPECT_EQ(b->ticket_count, 1); /* the second batch, which the database loses */
	status.state = STORE_LOST;
	api_database(b->api, &status);
	b->disk_full = true;
	settle(b);
	drain(b);
	EXPECT_EQ(b->ticket_count, 0);
	send(b, API_GET, "/coSpaces?limit=1", "");
	EXPECT(strstr(b->body, "total=\"50\"") != NULL);

	b->disk_full = b->hold_store = false;
	status.state = STORE_READY;
	api_database(b->api, &status);
	drain(b);
	send(b, API_GET, "/coSpaces?limit=1", "");
	EXPECT(strstr(b->body, "total=\"120\"") != NULL);
	bridge_end(b);
}

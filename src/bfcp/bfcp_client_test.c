/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: we get the floor of a device, give it back and learn when it is taken, whatever the network
 * does and however old the device is.  Method: dialogues as tables (bfcp_test_dialogue.h), and at
 * the end client and server against each other over a network that loses. */
#include "bfcp/bfcp_client.h"

#include "base/prng.h"
#include "base/test.h"
#include "bfcp/bfcp_server.h"
#include "bfcp/bfcp_test_dialogue.h"

static size_t
input(void *machine, const uint8_t *bytes, size_t len, int64_t now_us)
{
	return bfcp_client_input(machine, bytes, len, now_us);
}

static void
tick(void *machine, int64_t now_us)
{
	bfcp_client_tick(machine, now_us);
}

static int64_t
deadline(const void *machine)
{
	return bfcp_client_deadline(machine);
}

static bool
poll(void *machine, struct writer *line, const uint8_t **bytes, size_t *len)
{
	static const char *const events[] = { [BFCP_CLIENT_OUT_UP] = "! up",
		                              [BFCP_CLIENT_OUT_GRANTED] = "! granted",
		                              [BFCP_CLIENT_OUT_DENIED] = "! denied",
		                              [BFCP_CLIENT_OUT_REVOKED] = "! revoked",
		                              [BFCP_CLIENT_OUT_HOLDER] = "! holder",
		                              [BFCP_CLIENT_OUT_LOST] = "! lost" };
	const struct bfcp_client_out out = bfcp_client_poll(machine);
	if (out.kind == BFCP_CLIENT_OUT_NONE)
		return false;
	if (out.kind == BFCP_CLIENT_OUT_BYTES) {
		*bytes = out.bytes;
		*len = out.len;
		return true;
	}
	writer_text(line, events[out.kind]);
	if (out.kind == BFCP_CLIENT_OUT_HOLDER)
		writer_format(line, " %u", (unsigned)out.holder);
	return true;
}

static bool
order(void *machine, struct str words, int64_t now_us)
{
	if (str_eq(words, STR("request")))
		bfcp_client_request(machine, now_us);
	else if (str_eq(words, STR("release")))
		bfcp_client_release(machine, now_us);
	else if (str_eq(words, STR("goodbye")))
		bfcp_client_goodbye(machine, now_us);
	else if (str_eq(words, STR("lost")))
		bfcp_client_lost(machine, now_us);
	else if (str_eq(words, STR("start")))
		bfcp_client_start(machine, now_us);
	else
		return false;
	return true;
}

static const struct bfcp_client_settings settings_usual = {
	.conference_id = DIALOGUE_CONFERENCE,
	.user_id = DIALOGUE_USER,
	.floor_id = DIALOGUE_FLOOR,
	.transaction_id = DIALOGUE_TRANSACTION,
};

static void
play_over(enum bfcp_transport transport, const char *script)
{
	static struct bfcp_client client;
	struct bfcp_client_settings settings = settings_usual;
	settings.transport = transport;
	bfcp_client_init(&client, &settings, 0);
	bfcp_client_start(&client, 0);
	const struct dialogue dialogue = { .machine = &client,
		                           .transport = transport,
		                           .input = input,
		                           .tick = tick,
		                           .deadline = deadline,
		                           .poll = poll,
		                           .order = order };
	dialogue_play(&dialogue, script);
}

/* How every dialogue over UDP begins. */
#define GREETING                    \
	"< Hello t=100\n"           \
	"> HelloAck R t=100\n"      \
	"< FloorQuery t=101 floor=2\n" \
	"! up\n"                    \
	"> FloorStatus R t=101 floor=2\n"

TEST(we_get_the_floor_and_give_it_back)
{
	play_over(BFCP_TRANSPORT_UDP,
	          GREETING
	          "= request\n"
	          "< FloorRequest t=102 floor=2\n"
	          "> FloorRequestStatus R t=102 status=5:Pending\n"
	          "> FloorRequestStatus t=9 status=5:Granted\n"
	          "< FloorRequestStatusAck R t=9\n"
	          "! granted\n"
	          "> FloorRequestStatus t=9 status=5:Granted\n"
	          "< FloorRequestStatusAck R t=9\n"
	          "> FloorStatus t=10 floor=2 status=5:Granted:7\n"
	          "< FloorStatusAck R t=10\n"
	          "= request\n"
	          "= release\n"
	          "< FloorRelease t=103 request=5\n"
	          "> FloorRequestStatus R t=103 status=5:Released\n");
}

TEST(a_floor_granted_at_once_is_granted)
{
	play_over(BFCP_TRANSPORT_UDP,
	          GREETING
	          "= request\n"
	          "< FloorRequest t=102 floor=2\n"
	          "> FloorRequestStatus R t=102 status=5:Granted\n"
	          "! granted\n"
	          "> FloorRequestStatus t=9 status=4:Revoked\n" /* of another request */
	          "< FloorRequestStatusAck R t=9\n"
	          "> FloorRequestStatus t=10 status=5:Revoked\n"
	          "< FloorRequestStatusAck R t=10\n"
	          "! revoked\n"
	          "= release\n"
	          "= request\n"
	          "< FloorRequest t=103 floor=2\n");
}

TEST(we_are_refused)
{
	play_over(BFCP_TRANSPORT_UDP,
	          GREETING
	          "= request\n"
	          "< FloorRequest t=102 floor=2\n"
	          "> FloorRequestStatus R t=102 status=5:Denied\n"
	          "! denied\n"
	          "= request\n"
	          "< FloorRequest t=103 floor=2\n"
	          "> Error R t=103 error=5\n"
	          "! denied\n"
	          "= request\n"
	          "< FloorRequest t=104 floor=2\n"
	          "> FloorRequestStatus R t=104 status=5:Accepted\n" /* the number is used again */
	          "> FloorRequestStatus t=9 status=5:Denied\n"
	          "< FloorRequestStatusAck R t=9\n"
	          "! denied\n");
}

TEST(a_request_that_nobody_decides_is_withdrawn)
{
	play_over(BFCP_TRANSPORT_STREAM,
	          "< Hello t=100\n"
	          "> HelloAck t=100\n"
	          "< FloorQuery t=101 floor=2\n"
	          "! up\n"
	          "> FloorStatus t=101 floor=2\n"
	          "= request\n"
	          "< FloorRequest t=102 floor=2\n"
	          "> FloorRequestStatus t=102 status=5:Pending\n"
	          "+20000\n"
	          "< FloorRelease t=103 request=5\n"
	          "! denied\n"
	          "> FloorRequestStatus t=103 status=5:Cancelled\n");
}

TEST(a_wish_that_changes_while_it_is_under_way_is_followed)
{
	play_over(BFCP_TRANSPORT_UDP,
	          GREETING
	          "= request\n"
	          "< FloorRequest t=102 floor=2\n"
	          "= release\n"
	          "> FloorRequestStatus R t=102 status=5:Granted\n"
	          "< FloorRelease t=103 request=5\n"
	          "= request\n"
	          "> FloorRequestStatus R t=103 status=5:Released\n"
	          "< FloorRequest t=104 floor=2\n"
	          "> FloorRequestStatus R t=104 status=6:Granted\n"
	          "! granted\n");
}

TEST(a_notification_with_the_number_of_our_request_does_not_answer_it)
{
	play_over(BFCP_TRANSPORT_UDP,
	          GREETING
	          "= request\n"
	          "< FloorRequest t=102 floor=2\n"
	          "> FloorRequestStatus t=102 status=5:Granted\n"
	          "< FloorRequestStatusAck R t=102\n"
	          "! granted\n"
	          "+500\n"
	          "< FloorRequest t=102 floor=2\n"
	          "> FloorRequestStatus R t=102 status=5:Pending\n" /* late */
	          "+10000\n");
}

TEST(a_request_that_ended_before_its_answer_came_is_over)
{
	play_over(BFCP_TRANSPORT_UDP,
	          GREETING
	          "= request\n"
	          "< FloorRequest t=102 floor=2\n"
	          "> FloorRequestStatus t=9 status=5:Revoked\n"
	          "< FloorRequestStatusAck R t=9\n"
	          "> FloorRequestStatus R t=102 status=5:Granted\n"
	          "! denied\n");
}

TEST(an_answer_to_what_was_given_up_grants_nothing)
{
	play_over(BFCP_TRANSPORT_UDP,
	          GREETING
	          "= request\n"
	          "< FloorRequest t=102 floor=2\n"
	          "> FloorRequestStatus t=9 status=5:Granted\n"
	          "< FloorRequestStatusAck R t=9\n"
	          "! granted\n"
	          "> FloorRequestStatus t=10 status=5:Revoked\n"
	          "< FloorRequestStatusAck R t=10\n"
	          "! revoked\n"
	          "= request\n" /* waits its turn behind the first */
	          "> FloorRequestStatus R t=102 status=5:Granted\n"
	          "< FloorRequest t=103 floor=2\n"
	          "> FloorRequestStatus R t=103 status=6:Granted\n"
	          "! granted\n");
}

TEST(the_holder_is_followed)
{
	play_over(BFCP_TRANSPORT_UDP,
	          GREETING
	          "> FloorStatus t=9 floor=2 status=5:Granted:3\n"
	          "< FloorStatusAck R t=9\n"
	          "! holder 3\n"
	          "> FloorStatus t=10 floor=2 status=6:Granted\n" /* by nobody named */
	          "< FloorStatusAck R t=10\n"
	          "! holder 65535\n"
	          "> FloorStatus t=11 floor=2 status=7:Pending:3\n"
	          "< FloorStatusAck R t=11\n"
	          "! holder 0\n");
}

TEST(a_grant_that_only_floor_status_tells_counts)
{
	play_over(BFCP_TRANSPORT_UDP,
	          GREETING
	          "= request\n"
	          "< FloorRequest t=102 floor=2\n"
	          "> FloorRequestStatus R t=102 status=5:Pending\n"
	          "> FloorStatus t=9 floor=2 status=5:Granted:7\n"
	          "< FloorStatusAck R t=9\n"
	          "! granted\n");
}

TEST(a_silent_server_is_tried_with_version_1_and_is_lost_then)
{
	play_over(BFCP_TRANSPORT_UDP,
	          "< Hello t=100\n"
	          "= request\n"
	          "+7499\n"
	          "< Hello t=100\n"
	          "< Hello t=100\n"
	          "< Hello t=100\n"
	          "+1\n"
	          "< Hello v=1 t=103\n"
	          "+7500\n"
	          "< Hello v=1 t=103\n"
	          "< Hello v=1 t=103\n"
	          "< Hello v=1 t=103\n"
	          "! lost\n"
	          "+17499\n"
	          "+1\n"
	          "< Hello v=1 t=105\n"
	          "> HelloAck v=1 R t=105\n"
	          "< FloorQuery v=1 t=106 floor=2\n"
	          "! up\n"
	          "> FloorStatus v=1 R t=106 floor=2\n"
	          "< UserQuery v=1 t=107\n"
	          "> UserStatus v=1 R t=107 status=9:Granted\n" /* had it heard us? */
	          "< FloorRelease v=1 t=108 request=9\n"
	          "> FloorRequestStatus v=1 R t=108 status=9:Released\n"
	          "> FloorStatus v=1 t=3 floor=2\n"
	          "< Goodbye v=1 R t=3\n" /* 16 was FloorStatusAck then */
	          "> 17 v=1 t=4\n"
	          "< 18 v=1 R t=4\n"
	          "! lost\n");
}

TEST(a_server_that_refuses_version_2_is_spoken_to_in_1)
{
	play_over(BFCP_TRANSPORT_UDP,
	          "< Hello t=100\n"
	          "> Error v=1 R t=100 error=12\n"
	          "< Hello v=1 t=102\n"
	          "> HelloAck v=1 R t=102\n"
	          "< FloorQuery v=1 t=103 floor=2\n"
	          "! up\n");
}

TEST(a_server_that_goes_takes_the_floor_with_it)
{
	play_over(BFCP_TRANSPORT_UDP,
	          GREETING
	          "= request\n"
	          "< FloorRequest t=102 floor=2\n"
	          "> FloorRequestStatus R t=102 status=5:Granted\n"
	          "! granted\n"
	          "+25000\n"
	          "< Hello t=103\n"
	          "+7500\n"
	          "< Hello t=103\n"
	          "< Hello t=103\n"
	          "< Hello t=103\n"
	          "! revoked\n"
	          "! lost\n");
}

TEST(over_a_stream_a_silent_server_is_lost_once)
{
	play_over(BFCP_TRANSPORT_STREAM,
	          "< Hello t=100\n"
	          "+10000\n"
	          "! lost\n"
	          "+60000\n"
	          "= lost\n"
	          "+60000\n");
}

TEST(a_new_connection_begins_anew_and_clears_up)
{
	play_over(BFCP_TRANSPORT_STREAM,
	          "< Hello t=100\n"
	          "> HelloAck t=100\n"
	          "< FloorQuery t=101 floor=2\n"
	          "! up\n"
	          "> FloorStatus t=101 floor=2\n"
	          "= request\n"
	          "< FloorRequest t=102 floor=2\n"
	          "= lost\n"
	          "! denied\n"
	          "! lost\n"
	          "+1000\n"
	          "= start\n"
	          "< Hello t=103\n"
	          "> HelloAck t=103\n"
	          "< FloorQuery t=104 floor=2\n"
	          "! up\n"
	          "> FloorStatus t=104 floor=2 status=5:Granted:7\n"
	          "< UserQuery t=105\n"
	          "> UserStatus t=105 status=5:Granted:7\n"
	          "< FloorRelease t=106 request=5\n"
	          "> FloorRequestStatus t=106 status=5:Released\n");
}

TEST(we_are_nobodys_server)
{
	play_over(BFCP_TRANSPORT_UDP,
	          GREETING
	          "> FloorRequest t=9 floor=2\n"
	          "< Error R t=9 error=5\n"
	          "> 99 t=10\n"
	          "< Error R t=10 error=3\n"
	          "> Hello t=11\n"
	          "< HelloAck R t=11\n"
	          "> UserStatus t=12\n"
	          "= goodbye\n"
	          "< Goodbye t=102\n"
	          "> GoodbyeAck R t=102\n"
	          "> FloorStatus t=13 floor=2 user=8\n"); /* somebody else's */
}

/* ---- Against our own server ---------------------------------------------------------------- */

enum { FLIGHTS_MAX = 64 };

struct flight {
	int64_t at_us; /* 0: free */
	bool to_server;
	size_t len;
	uint8_t bytes[BFCP_LINK_OUT_BYTES_MAX];
};

struct world {
	struct prng prng;
	struct bfcp_server server;
	struct bfcp_client client;
	struct flight flights[FLIGHTS_MAX];
	bool storm;
	bool server_has_granted;
	bool client_may_send;
	unsigned grants;
};

/* In the storm one of five messages is lost and one of ten comes twice.  None comes at once. */
static void
fly(struct world *world, bool to_server, const uint8_t *bytes, size_t len, int64_t now_us)
{
	unsigned copies = world->storm && prng_below(&world->prng, 5) == 0 ? 0 : 1;
	copies += world->storm && prng_below(&world->prng, 10) == 0;
	for (unsigned i = 0; i < FLIGHTS_MAX && copies != 0; i++) {
		struct flight *flight = &world->flights[i];
		if (flight->at_us != 0)
			continue;
		*flight = (struct flight){
			.at_us = now_us + 1 + prng_below(&world->prng, 120000),
			.to_server = to_server,
			.len = len,
		};
		memcpy(flight->bytes, bytes, len);
		copies--;
	}
	EXPECT_EQ(copies, 0);
}

static void
drain_server(struct world *world, int64_t now_us)
{
	for (;;) {
		const struct bfcp_server_out out = bfcp_server_poll(&world->server);
		if (out.kind == BFCP_SERVER_OUT_NONE)
			return;
		if (out.kind == BFCP_SERVER_OUT_BYTES)
			fly(world, false, out.bytes, out.len, now_us);
		if (out.kind == BFCP_SERVER_OUT_ASK && prng_below(&world->prng, 2) == 0) {
			bfcp_server_grant(&world->server, now_us);
			world->server_has_granted = true;
		}
		if (out.kind == BFCP_SERVER_OUT_RELEASED)
			world->server_has_granted = false;
	}
}

static void
drain_client(struct world *world, int64_t now_us)
{
	for (;;) {
		const struct bfcp_client_out out = bfcp_client_poll(&world->client);
		if (out.kind == BFCP_CLIENT_OUT_NONE)
			return;
		if (out.kind == BFCP_CLIENT_OUT_BYTES)
			fly(world, true, out.bytes, out.len, now_us);
		if (out.kind == BFCP_CLIENT_OUT_GRANTED) {
			EXPECT(!world->client_may_send);
			world->client_may_send = true;
			world->grants++;
		}
		if (out.kind == BFCP_CLIENT_OUT_REVOKED) {
			EXPECT(world->client_may_send);
			world->client_may_send = false;
		}
	}
}

static void
arrive(struct world *world, int64_t now_us)
{
	for (unsigned i = 0; i < FLIGHTS_MAX; i++) {
		struct flight *flight = &world->flights[i];
		if (flight->at_us == 0 || flight->at_us > now_us)
			continue;
		flight->at_us = 0;
		if (flight->to_server) {
			(void)bfcp_server_input(&world->server, flight->bytes, flight->len, now_us);
			drain_server(world, now_us);
		} else {
			(void)bfcp_client_input(&world->client, flight->bytes, flight->len, now_us);
			drain_client(world, now_us);
		}
	}
}

/* A wish of either side, now and then. */
static void
whim(struct world *world, int64_t now_us)
{
	switch (prng_below(&world->prng, 4)) {
	case 0:
		bfcp_client_request(&world->client, now_us);
		break;
	case 1:
		bfcp_client_release(&world->client, now_us);
		world->client_may_send = false;
		break;
	case 2:
		bfcp_server_revoke(&world->server, "taken over", now_us);
		world->server_has_granted = false;
		break;
	default:
		bfcp_server_holder(&world->server, (uint16_t)prng_below(&world->prng, 3),
		                   STR("Somebody"), now_us);
		break;
	}
}

TEST(client_and_server_agree_after_any_storm)
{
	enum { STEP_US = 5000, WHIM_STEPS = 40, STORM_STEPS = 8000, CALM_STEPS = 12000 };
	unsigned grants = 0;
	for (unsigned seed = 1; seed <= 40; seed++) {
		static struct world world;
		memset(&world, 0, sizeof world);
		prng_init(&world.prng, seed);
		const struct bfcp_server_settings server = { .conference_id = DIALOGUE_CONFERENCE,
			                                     .user_id = DIALOGUE_USER,
			                                     .floor_id = DIALOGUE_FLOOR,
			                                     .transaction_id = 500 };
		bfcp_server_init(&world.server, &server, 0);
		bfcp_client_init(&world.client, &settings_usual, 0);
		bfcp_client_start(&world.client, 0);
		for (unsigned step = 1; step <= STORM_STEPS + CALM_STEPS; step++) {
			const int64_t now_us = (int64_t)step * STEP_US;
			world.storm = step < STORM_STEPS;
			arrive(&world, now_us);
			bfcp_server_tick(&world.server, now_us);
			drain_server(&world, now_us);
			bfcp_client_tick(&world.client, now_us);
			drain_client(&world, now_us);
			if (step % WHIM_STEPS == 0 && step < STORM_STEPS)
				whim(&world, now_us);
			drain_server(&world, now_us);
			drain_client(&world, now_us);
			EXPECT_EQ(world.client_may_send,
			          world.client.state == BFCP_CLIENT_GRANTED);
		}
		EXPECT_EQ(world.client_may_send, world.server_has_granted);
		EXPECT_EQ(world.server_has_granted, world.server.state == BFCP_FLOOR_GRANTED);
		grants += world.grants;
	}
	EXPECT(grants > 200);
}

TEST(a_client_says_how_it_stands)
{
	struct bfcp_client client;
	char text[256];
	bfcp_client_init(&client, &settings_usual, 0);
	struct writer w = writer_of(text, sizeof text);
	bfcp_client_dump(&client, &w);
	EXPECT_STR(writer_view(&w),
	           "bfcp client conference=4711 user=7 floor=2 request=0 idle version=2 down\n");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a device gets the floor, keeps it, loses it and is told of others, whatever the network
 * does to messages.  Method: dialogues as tables (bfcp_test_dialogue.h). */
#include "bfcp/bfcp_server.h"

#include "base/test.h"
#include "bfcp/bfcp_test_dialogue.h"

static size_t
input(void *machine, const uint8_t *bytes, size_t len, int64_t now_us)
{
	return bfcp_server_input(machine, bytes, len, now_us);
}

static void
tick(void *machine, int64_t now_us)
{
	bfcp_server_tick(machine, now_us);
}

static int64_t
deadline(const void *machine)
{
	return bfcp_server_deadline(machine);
}

static bool
poll(void *machine, struct writer *line, const uint8_t **bytes, size_t *len)
{
	static const char *const events[] = { [BFCP_SERVER_OUT_UP] = "! up",
		                              [BFCP_SERVER_OUT_ASK] = "! ask",
		                              [BFCP_SERVER_OUT_RELEASED] = "! released",
		                              [BFCP_SERVER_OUT_GONE] = "! gone" };
	const struct bfcp_server_out out = bfcp_server_poll(machine);
	if (out.kind == BFCP_SERVER_OUT_NONE)
		return false;
	if (out.kind == BFCP_SERVER_OUT_BYTES) {
		*bytes = out.bytes;
		*len = out.len;
		return true;
	}
	writer_text(line, events[out.kind]);
	if (out.kind == BFCP_SERVER_OUT_ASK && out.priority != 2)
		writer_format(line, " priority=%u", (unsigned)out.priority);
	return true;
}

static bool
order(void *machine, struct str words, int64_t now_us)
{
	const struct str verb = str_cut(&words, ' ');
	uint32_t user = 0;
	if (str_eq(verb, STR("grant")))
		bfcp_server_grant(machine, now_us);
	else if (str_eq(verb, STR("deny")))
		bfcp_server_deny(machine, words.len != 0 ? "not now" : NULL, now_us);
	else if (str_eq(verb, STR("revoke")))
		bfcp_server_revoke(machine, "taken over", now_us);
	else if (str_eq(verb, STR("goodbye")))
		bfcp_server_goodbye(machine, now_us);
	else if (str_eq(verb, STR("lost")))
		bfcp_server_lost(machine, now_us);
	else if (str_eq(verb, STR("holder")) && str_u32(str_cut(&words, ' '), &user))
		bfcp_server_holder(machine, (uint16_t)user, words, now_us);
	else
		return false;
	return true;
}

static void
play_over(enum bfcp_transport transport, const char *script)
{
	static struct bfcp_server server;
	const struct bfcp_server_settings settings = { .transport = transport,
		                                       .conference_id = DIALOGUE_CONFERENCE,
		                                       .user_id = DIALOGUE_USER,
		                                       .floor_id = DIALOGUE_FLOOR,
		                                       .transaction_id = DIALOGUE_TRANSACTION };
	bfcp_server_init(&server, &settings, 0);
	const struct dialogue dialogue = { .machine = &server,
		                           .transport = transport,
		                           .input = input,
		                           .tick = tick,
		                           .deadline = deadline,
		                           .poll = poll,
		                           .order = order };
	dialogue_play(&dialogue, script);
}

static void
play(const char *script)
{
	play_over(BFCP_TRANSPORT_UDP, script);
}

TEST(a_device_presents_and_stops)
{
	play("> Hello t=1\n"
	     "< HelloAck R t=1\n"
	     "! up\n"
	     "> FloorQuery t=2 floor=2\n"
	     "< FloorStatus R t=2 floor=2\n"
	     "> FloorRequest t=3 floor=2 for=7\n"
	     "! ask\n"
	     "= grant\n"
	     "< FloorRequestStatus R t=3 status=1:Granted\n"
	     "< FloorStatus t=100 floor=2 status=1:Granted\n"
	     "> FloorStatusAck R t=100\n"
	     "+5000\n"
	     "> FloorRelease t=4 request=1\n"
	     "< FloorRequestStatus R t=4 status=1:Released\n"
	     "< FloorStatus t=101 floor=2\n"
	     "! released\n"
	     "> FloorStatusAck R t=101\n"
	     "+60000\n");
}

TEST(a_decision_that_takes_time_follows_pending)
{
	play("> FloorRequest t=3 floor=2 priority=4\n"
	     "! up\n"
	     "! ask priority=4\n"
	     "+99\n"
	     "+1\n"
	     "< FloorRequestStatus R t=3 status=1:Pending\n"
	     "+2000\n"
	     "= grant\n"
	     "< FloorRequestStatus t=100 status=1:Granted\n"
	     "> FloorRequestStatusAck R t=100\n"
	     "+60000\n");
}

TEST(a_device_is_refused_and_may_ask_again)
{
	play("> FloorRequest t=3 floor=2\n"
	     "! up\n"
	     "! ask\n"
	     "= deny why\n"
	     "< FloorRequestStatus R t=3 status=1:Denied \"not now\"\n"
	     "> FloorRelease t=4 request=1\n"
	     "< Error R t=4 error=7\n"
	     "> FloorRequest t=5 floor=2\n"
	     "! ask\n"
	     "= deny\n"
	     "< FloorRequestStatus R t=5 status=2:Denied\n"
	     "= grant\n"
	     "= revoke\n"
	     "+60000\n");
}

TEST(nobody_decides_and_the_request_is_denied)
{
	play("> FloorRequest t=3 floor=2\n"
	     "! up\n"
	     "! ask\n"
	     "+19999\n"
	     "< FloorRequestStatus R t=3 status=1:Pending\n"
	     "+1\n"
	     "< FloorRequestStatus t=100 status=1:Denied \"no decision\"\n"
	     "! released\n"
	     "> FloorRequestStatusAck R t=100\n");
}

TEST(somebody_takes_over)
{
	play("> FloorQuery t=2 floor=2\n"
	     "< FloorStatus R t=2 floor=2\n"
	     "! up\n"
	     "> FloorRequest t=3 floor=2\n"
	     "! ask\n"
	     "= grant\n"
	     "< FloorRequestStatus R t=3 status=1:Granted\n"
	     "< FloorStatus t=100 floor=2 status=1:Granted\n"
	     "> FloorStatusAck R t=100\n"
	     "= revoke\n"
	     "< FloorRequestStatus t=101 status=1:Revoked \"taken over\"\n"
	     "= holder 9 Room 9\n"
	     "> FloorRequestStatusAck R t=101\n"
	     "< FloorStatus t=103 floor=2 status=32768:Granted:9 (Room 9)\n"
	     "> FloorStatusAck R t=103\n"
	     "= holder 9 Room 9\n"
	     "> FloorRelease t=4 request=1\n"
	     "< Error R t=4 error=7\n"
	     "= holder 0\n"
	     "< FloorStatus t=104 floor=2\n"
	     "> FloorStatusAck R t=104\n");
}

TEST(a_withdrawn_request_is_cancelled)
{
	play("> FloorRequest t=3 floor=2\n"
	     "! up\n"
	     "! ask\n"
	     "> FloorRelease t=4 request=1\n"
	     "< FloorRequestStatus R t=3 status=1:Pending\n"
	     "< FloorRequestStatus R t=4 status=1:Cancelled\n"
	     "! released\n"
	     "= grant\n"
	     "+60000\n");
}

TEST(who_presents_and_asks_again_goes_on_presenting)
{
	play("> FloorRequest t=3 floor=2\n"
	     "! up\n"
	     "! ask\n"
	     "= grant\n"
	     "< FloorRequestStatus R t=3 status=1:Granted\n"
	     "> FloorRequest t=4 floor=2\n"
	     "< FloorRequestStatus R t=4 status=2:Granted\n"
	     "> FloorRelease t=5 request=1\n"
	     "< Error R t=5 error=7\n"
	     "> FloorRelease t=6 request=2\n"
	     "< FloorRequestStatus R t=6 status=2:Released\n"
	     "! released\n");
}

TEST(requests_that_are_not_allowed_get_their_error)
{
	play("> FloorRequest t=1 floor=3\n"
	     "< Error R t=1 error=6\n"
	     "! up\n"
	     "> FloorRequest t=2 floor=2 floor=3\n"
	     "< Error R t=2 error=6\n"
	     "> FloorRequest t=3 floor=2 for=8\n"
	     "< Error R t=3 error=5\n"
	     "> FloorRequest t=4 floor=2 conf=1\n"
	     "< Error R t=4 conf=1 error=1\n"
	     "> FloorRequest t=5 floor=2 user=8\n"
	     "< Error R t=5 user=8 error=2\n"
	     "> FloorRequestQuery t=6 request=1\n"
	     "< Error R t=6 error=7\n"
	     "> FloorQuery t=7 floor=3\n"
	     "< Error R t=7 error=6\n"
	     "> UserQuery t=8 for=9\n"
	     "< Error R t=8 error=2\n"
	     "> ChairAction t=9 status=1:Granted\n"
	     "< Error R t=9 error=5\n"
	     "> 77 t=10\n"
	     "< Error R t=10 error=3\n"
	     "> FloorRequest t=11 floor=2\n"
	     "! ask\n"
	     "> FloorRequest t=12 floor=2\n"
	     "< Error R t=12 error=8\n");
}

TEST(queries_tell_how_things_stand)
{
	play("> UserQuery t=1\n"
	     "< UserStatus R t=1\n"
	     "! up\n"
	     "> FloorRequest t=2 floor=2\n"
	     "! ask\n"
	     "> UserQuery t=3\n"
	     "< UserStatus R t=3 status=1:Pending\n"
	     "= grant\n"
	     "< FloorRequestStatus R t=2 status=1:Granted\n"
	     "> FloorRequestQuery t=4 request=1\n"
	     "< FloorRequestStatus R t=4 status=1:Granted\n"
	     "= holder 9\n"
	     "> FloorQuery t=5 floor=2\n"
	     "< FloorStatus R t=5 floor=2 status=1:Granted status=32768:Granted:9\n"
	     "> FloorQuery t=6\n"
	     "< FloorStatus R t=6\n"
	     "= holder 0\n");
}

TEST(a_repeated_request_gets_the_same_answer)
{
	play("> FloorRequest t=3 floor=2\n"
	     "! up\n"
	     "! ask\n"
	     "> FloorRequest t=3 floor=2\n" /* while its answer is held back */
	     "= grant\n"
	     "< FloorRequestStatus R t=3 status=1:Granted\n"
	     "> FloorRequest t=3 floor=2\n"
	     "< FloorRequestStatus R t=3 status=1:Granted\n"
	     "+9000\n"
	     "> FloorRequest t=3 floor=2\n"
	     "< FloorRequestStatus R t=3 status=1:Granted\n"
	     "> FloorRelease t=4 request=1\n"
	     "< FloorRequestStatus R t=4 status=1:Released\n"
	     "! released\n"
	     "> FloorRelease t=4 request=1\n"
	     "< FloorRequestStatus R t=4 status=1:Released\n"
	     "+10000\n" /* T2 is over: the number may be used again */
	     "> FloorRelease t=4 request=1\n"
	     "< Error R t=4 error=7\n");
}

TEST(a_lost_notification_is_sent_again_and_a_vanished_device_releases)
{
	play("> FloorRequest t=3 floor=2\n"
	     "! up\n"
	     "! ask\n"
	     "+100\n"
	     "< FloorRequestStatus R t=3 status=1:Pending\n"
	     "= grant\n"
	     "< FloorRequestStatus t=100 status=1:Granted\n"
	     "+500\n"
	     "< FloorRequestStatus t=100 status=1:Granted\n"
	     "+1000\n"
	     "< FloorRequestStatus t=100 status=1:Granted\n"
	     "+1999\n"
	     "> FloorRequestStatusAck R t=100\n"
	     "> FloorRequestStatusAck R t=100\n" /* twice, as networks do */
	     "> FloorQuery t=4 floor=2\n"
	     "< FloorStatus R t=4 floor=2 status=1:Granted\n"
	     "= holder 9\n"
	     "< FloorStatus t=101 floor=2 status=1:Granted status=32768:Granted:9\n"
	     "+500\n"
	     "< FloorStatus t=101 floor=2 status=1:Granted status=32768:Granted:9\n"
	     "+1000\n"
	     "< FloorStatus t=101 floor=2 status=1:Granted status=32768:Granted:9\n"
	     "+2000\n"
	     "< FloorStatus t=101 floor=2 status=1:Granted status=32768:Granted:9\n"
	     "+3999\n"
	     "+1\n"
	     "! released\n"
	     "! gone\n"
	     "+60000\n"
	     "> Hello t=9\n"
	     "< HelloAck R t=9\n"
	     "< FloorRequestStatus t=102 status=1:Revoked\n"
	     "! up\n"
	     "> FloorRequestStatusAck R t=102\n");
}

TEST(only_one_notification_is_on_its_way_and_the_last_status_wins)
{
	play("> FloorQuery t=2 floor=2\n"
	     "< FloorStatus R t=2 floor=2\n"
	     "! up\n"
	     "= holder 9\n"
	     "< FloorStatus t=100 floor=2 status=32768:Granted:9\n"
	     "= holder 10\n"
	     "= holder 11\n"
	     "> FloorStatusAck R t=100\n"
	     "< FloorStatus t=102 floor=2 status=32768:Granted:11\n"
	     "> FloorStatusAck R t=102\n");
}

TEST(goodbye_ends_it_and_is_answered_every_time)
{
	play("> FloorRequest t=3 floor=2\n"
	     "! up\n"
	     "! ask\n"
	     "= grant\n"
	     "< FloorRequestStatus R t=3 status=1:Granted\n"
	     "> Goodbye t=4\n"
	     "< GoodbyeAck R t=4\n"
	     "! released\n"
	     "! gone\n"
	     "> Goodbye t=4\n"
	     "< GoodbyeAck R t=4\n"
	     "> Hello t=5\n"
	     "< HelloAck R t=5\n"
	     "! up\n");
}

TEST(who_comes_back_asks_anew_to_be_told)
{
	play("> FloorQuery t=2 floor=2\n"
	     "< FloorStatus R t=2 floor=2\n"
	     "! up\n"
	     "> Goodbye t=3\n"
	     "< GoodbyeAck R t=3\n"
	     "! gone\n"
	     "= lost\n" /* nobody was there */
	     "> Hello t=4\n"
	     "< HelloAck R t=4\n"
	     "! up\n"
	     "= holder 9\n"
	     "+60000\n");
}

TEST(we_say_goodbye_when_the_leg_ends)
{
	play("= goodbye\n" /* to nobody */
	     "> Hello t=1\n"
	     "< HelloAck R t=1\n"
	     "! up\n"
	     "= goodbye\n"
	     "< Goodbye t=100\n"
	     "+500\n"
	     "< Goodbye t=100\n"
	     "> GoodbyeAck R t=100\n"
	     "+60000\n");
}

TEST(over_a_stream_notifications_have_no_number_and_no_answer)
{
	play_over(BFCP_TRANSPORT_STREAM,
	          "> Hello t=1\n"
	          "< HelloAck t=1\n"
	          "! up\n"
	          "> FloorQuery t=2 floor=2\n"
	          "< FloorStatus t=2 floor=2\n"
	          "> FloorRequest t=3 floor=2\n"
	          "! ask\n"
	          "+100\n"
	          "< FloorRequestStatus t=3 status=1:Pending\n"
	          "= grant\n"
	          "< FloorRequestStatus t=0 status=1:Granted\n"
	          "< FloorStatus t=0 floor=2 status=1:Granted\n"
	          "> Hello t=3\n"
	          "< HelloAck t=3\n"
	          "> Hello t=3\n"
	          "< HelloAck t=3\n"
	          "= lost\n"
	          "! released\n"
	          "! gone\n"
	          "+60000\n");
}

TEST(devices_of_the_drafts_are_spoken_to_in_their_numbers)
{
	play("> Hello v=1 t=1\n"
	     "< HelloAck v=1 R t=1\n"
	     "! up\n"
	     "> FloorQuery v=1 t=2 floor=2\n"
	     "< FloorStatus v=1 R t=2 floor=2\n"
	     "= holder 9\n"
	     "< FloorStatus v=1 t=100 floor=2 status=32768:Granted:9\n"
	     "> 16 v=1 R t=100\n" /* FloorStatusAck, which is a Goodbye today */
	     "= holder 10\n"
	     "< FloorStatus v=1 t=101 floor=2 status=32768:Granted:10\n"
	     "> 93 v=1 t=101\n" /* the same of some TANDBERG devices */
	     "> 17 v=1 t=3\n"   /* Goodbye */
	     "< 18 v=1 R t=3\n"
	     "! gone\n"
	     "> Hello v=1 t=4\n"
	     "< HelloAck v=1 R t=4\n"
	     "! up\n"
	     "> Goodbye v=1 t=5\n" /* by the RFC's number */
	     "< GoodbyeAck v=1 R t=5\n"
	     "! gone\n");
}

TEST(answers_to_nothing_are_heard_in_silence)
{
	play("> HelloAck R t=1\n"
	     "> FloorStatusAck R t=100\n"
	     "> FloorRequestStatus R t=4 status=1:Granted\n"
	     "> Error R t=4 error=3\n"
	     "> FloorRequestStatus t=4 status=1:Granted\n" /* of one who thinks he is the server */
	     "! up\n"
	     "> Error t=4 error=3\n"
	     "+60000\n");
}

TEST(a_server_says_how_it_stands)
{
	struct bfcp_server server;
	char text[256];
	const struct bfcp_server_settings settings = { .conference_id = 1, .user_id = 2,
		                                       .floor_id = 3 };
	bfcp_server_init(&server, &settings, 0);
	struct writer w = writer_of(text, sizeof text);
	bfcp_server_dump(&server, &w);
	EXPECT_STR(writer_view(&w),
	           "bfcp server conference=1 user=2 floor=3 request=0 none version=2 down\n");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a client of somebody else's gets the floor of us, loses it and is told of others.  Method:
 * our hub on loopback, and bfcp_peer, which is libre's BFCP stack, as a process of its own. */
#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "callbridge/shell_bfcp.h"
#include "net/tls.h"

enum {
	CONFERENCE = 4711,
	USER = 7,
	FLOOR = 2,
	PATIENCE_US = 15 * 1000 * 1000,
	TEXT_MAX = 4096,
	STEPS_MAX = 24,
};

struct scene {
	struct loop *loop;
	struct bfcp_hub *hub;
	struct loop_child *child;
	struct loop_timer *timer;
	bfcp_leg_id leg;
	bool denies;
	bool takes_over; /* a while after the grant */
	unsigned ups, asks, releases, downs;
	char text[TEXT_MAX];
	size_t len;
	int exit_status;
};

static struct scene scene;

static void
on_event(void *context, const struct bfcp_hub_event *event)
{
	(void)context;
	scene.ups += event->kind == BFCP_HUB_UP;
	scene.asks += event->kind == BFCP_HUB_ASK;
	scene.releases += event->kind == BFCP_HUB_RELEASED;
	scene.downs += event->kind == BFCP_HUB_DOWN;
	if (event->kind != BFCP_HUB_ASK)
		return;
	if (scene.denies)
		bfcp_hub_deny(scene.hub, scene.leg, "not you");
	else
		bfcp_hub_grant(scene.hub, scene.leg);
	if (scene.takes_over)
		loop_timer_arm(scene.timer, loop_now_us() + 300000);
}

static void
on_timer(void *context, int64_t now_us)
{
	(void)context, (void)now_us;
	bfcp_hub_revoke(scene.hub, scene.leg, "taken over");
	bfcp_hub_holder(scene.hub, scene.leg, 9, STR("Room 9"));
}

static void
on_output(void *context, struct loop_child *child, const char *bytes, size_t len)
{
	(void)context, (void)child;
	if (bytes == NULL)
		return;
	EXPECT(scene.len + len < TEXT_MAX);
	memcpy(scene.text + scene.len, bytes, len);
	scene.len += len;
	scene.text[scene.len] = '\0';
}

static void
on_ended(void *context, struct loop_child *child, int exit_status, int signal_number)
{
	(void)context, (void)child;
	scene.exit_status = signal_number != 0 ? -signal_number : exit_status;
	loop_stop(scene.loop);
}

static void
begin(enum bfcp_hub_proto proto)
{
	char error[TLS_ERROR_MAX];
	const struct bfcp_hub_settings settings = { .udp = addr_ip4(127, 0, 0, 1, 0),
		                                    .tcp = addr_ip4(127, 0, 0, 1, 0),
		                                    .legs_max = 2,
		                                    .event = on_event };
	scene = (struct scene){ .exit_status = -1000 };
	EXPECT_EQ(loop_create(&scene.loop), 0);
	EXPECT_EQ(loop_timer_create(&scene.timer, scene.loop, on_timer, NULL), 0);
	EXPECT_EQ(bfcp_hub_create(&scene.hub, scene.loop, &settings, error), 0);
	const struct bfcp_leg_settings leg = { .proto = proto,
		                               .conference_id = CONFERENCE,
		                               .user_id = USER,
		                               .floor_id = FLOOR };
	EXPECT_EQ(bfcp_hub_add(scene.hub, &scene.leg, &leg), 0);
}

/* Runs the peer through its steps, blanks between them, and expects that it said `want`. */
static void
run(enum bfcp_hub_proto proto, const char *version, const char *steps, const char *want)
{
	char words[512];
	char address[64];
	char conference[16];
	const char *arguments[STEPS_MAX + 8] = { PEER_PROGRAM };
	unsigned count = 1;
	if (version != NULL)
		arguments[count++] = version;
	snprintf(address, sizeof address, "127.0.0.1:%u",
	         (unsigned)bfcp_hub_port(scene.hub, proto));
	snprintf(conference, sizeof conference, "%u", (unsigned)CONFERENCE);
	arguments[count++] = proto == BFCP_HUB_UDP ? "udp" : "tcp";
	arguments[count++] = address;
	arguments[count++] = conference;
	arguments[count++] = "7";
	arguments[count++] = "2";
	EXPECT(str_copy(words, sizeof words, str_of(steps)));
	for (char *rest = words, *step; (step = strsep(&rest, " ")) != NULL;)
		arguments[count++] = step;
	const struct loop_child_settings child = { .file = PEER_PROGRAM,
		                                   .arguments = arguments,
		                                   .output_pipe = true,
		                                   .ended = on_ended,
		                                   .output = on_output };
	EXPECT_EQ(loop_child_create(&scene.child, scene.loop, &child), 0);
	loop_run_until(scene.loop, loop_now_us() + PATIENCE_US);
	loop_run_until(scene.loop, loop_now_us() + 20000); /* its last words */
	if (scene.exit_status != 0 || strcmp(scene.text, want) != 0)
		fprintf(stderr, "status %d, it said:\n%s", scene.exit_status, scene.text);
	EXPECT_EQ(scene.exit_status, 0);
	EXPECT_STR(str_of(scene.text), want);
}

static void
end(void)
{
	loop_child_destroy(scene.child);
	EXPECT_EQ(bfcp_hub_counters(scene.hub).rejects, 0);
	EXPECT_EQ(bfcp_hub_counters(scene.hub).strangers, 0);
	bfcp_hub_destroy(scene.hub);
	loop_timer_destroy(scene.timer);
	loop_destroy(scene.loop);
}

static void
present(enum bfcp_hub_proto proto, const char *version)
{
	begin(proto);
	run(proto, version, "hello query request Granted sleep:200 release Released goodbye",
	    "HelloAck\n"
	    "FloorStatus\n"
	    "FloorRequestStatus request=1 Granted\n"
	    "FloorStatus request=1 Granted\n"
	    "FloorRequestStatus request=1 Released\n"
	    "FloorStatus\n"
	    "GoodbyeAck\n");
	EXPECT_EQ(scene.ups, 1);
	EXPECT_EQ(scene.asks, 1);
	EXPECT_EQ(scene.releases, 1);
	EXPECT_EQ(scene.downs, 1);
	end();
}

TEST(libre_presents_over_udp)
{
	present(BFCP_HUB_UDP, NULL);
}

TEST(libre_presents_over_udp_in_version_1)
{
	present(BFCP_HUB_UDP, "-1");
}

TEST(libre_presents_over_tcp)
{
	present(BFCP_HUB_TCP, NULL);
}

TEST(libre_is_refused)
{
	begin(BFCP_HUB_UDP);
	scene.denies = true;
	run(BFCP_HUB_UDP, NULL, "request Denied release",
	    "FloorRequestStatus request=1 Denied\n"
	    "Error 7\n");
	end();
}

static void
lose(enum bfcp_hub_proto proto, const char *want)
{
	begin(proto);
	scene.takes_over = true;
	run(proto, NULL, "query request Granted Revoked holder:9", want);
	end();
}

TEST(libre_loses_the_floor_to_somebody)
{
	/* That nobody has the floor is overtaken by who does, where one notification waits for
	 * the answer to another. */
	lose(BFCP_HUB_UDP, "FloorStatus\n"
	                   "FloorRequestStatus request=1 Granted\n"
	                   "FloorStatus request=1 Granted\n"
	                   "FloorRequestStatus request=1 Revoked\n"
	                   "FloorStatus request=32768 Granted user=9 (Room 9)\n");
	lose(BFCP_HUB_TCP, "FloorStatus\n"
	                   "FloorRequestStatus request=1 Granted\n"
	                   "FloorStatus request=1 Granted\n"
	                   "FloorRequestStatus request=1 Revoked\n"
	                   "FloorStatus\n"
	                   "FloorStatus request=32768 Granted user=9 (Room 9)\n");
}

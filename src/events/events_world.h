/* SPDX-License-Identifier: Apache-2.0 */
/* A meeting and the events of it, for the test and the fuzz target. */
#ifndef EVENTS_EVENTS_WORLD_H
#define EVENTS_EVENTS_WORLD_H

#include <stdio.h>
#include <string.h>

#include "events/events.h"
#include "meeting/test_world.h"

enum { WORLD_CLIENTS = 3, WORLD_HEARD_MAX = 512 * 1024 };

struct world_client {
	uint32_t handle;
	unsigned code; /* why it was let go; 0: it was not */
	unsigned frames;
	uint64_t last; /* message id */
	size_t len;
	char heard[WORLD_HEARD_MAX]; /* frames, each with a line's end */
};

struct world {
	struct prng prng;
	struct meeting *meeting;
	struct events *events;
	int64_t now_us;
	struct world_client clients[WORLD_CLIENTS];
};

static inline void
world_send(void *context, uint64_t owner, struct str text)
{
	struct world *world = context;
	struct world_client *client = &world->clients[owner];
	CHECK(client->code == 0 && text.len <= EVENTS_FRAME_MAX);
	client->frames++;
	if (client->len + text.len + 2 < sizeof client->heard) {
		memcpy(client->heard + client->len, text.at, text.len);
		client->len += text.len;
		client->heard[client->len++] = '\n';
		client->heard[client->len] = '\0';
	}
	static const char head[] = "{\"type\":\"message\",\"message\":{\"messageId\":";
	if (strncmp(text.at, head, strlen(head)) == 0)
		client->last = strtoull(text.at + strlen(head), NULL, 10);
}

static inline void
world_close(void *context, uint64_t owner, enum events_close code, const char *reason)
{
	struct world *world = context;
	(void)reason;
	CHECK(world->clients[owner].code == 0);
	world->clients[owner].code = code;
}

static inline void
world_news(void *context, const struct meeting_news *news)
{
	events_news(context, news);
}

static inline void
world_begin(struct world *world)
{
	memset(world, 0, sizeof *world);
	world->now_us = 1000;
	prng_init(&world->prng, 7);
	const struct meeting_settings settings = { .objects = { 100, 50, 64 * 1024 },
		                                   .limits = { 1200, 1200 },
		                                   .random = test_random,
		                                   .context = &world->prng };
	const int rc = meeting_create(&world->meeting, &settings, world->now_us);
	CHECK(rc == 0);
	const struct events_settings events = {
		.meeting = world->meeting,
		.calls_max = 1200,
		.legs_max = 1200,
		.sink = { .context = world, .send = world_send, .close = world_close },
	};
	const int made = events_create(&world->events, &events);
	CHECK(made == 0);
	meeting_watch(world->meeting, world_news, world->events);
}

static inline void
world_end(struct world *world)
{
	meeting_watch(world->meeting, NULL, NULL);
	events_destroy(world->events);
	meeting_destroy(world->meeting);
}

static inline void
world_settle(struct world *world)
{
	while (meeting_poll(world->meeting).kind != MEETING_NONE)
		;
	world->now_us += EVENTS_GATHER_US;
	events_tick(world->events, world->now_us);
}

static inline uint32_t
world_join(struct world *world, uint32_t space, const char *name)
{
	const struct meeting_join who = { .entry = { .space = space }, .kind = LEG_SIP,
		                          .adhoc_name = STR("Ad hoc"), .name = str_of(name),
		                          .remote_party = STR("ann@a.org") };
	uint32_t leg = 0;
	const enum meeting_refusal refusal =
		meeting_join(world->meeting, &who, world->now_us, &leg);
	CHECK(refusal == MEETING_ADMITTED);
	meeting_leg_connected(world->meeting, leg, world->now_us);
	return leg;
}

#endif

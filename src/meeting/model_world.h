/* SPDX-License-Identifier: Apache-2.0 */
/* A meeting model for dialogues: short hands for what happens, events as text. */
#ifndef MEETING_MODEL_WORLD_H
#define MEETING_MODEL_WORLD_H

#include <stdio.h>

#include "meeting/test_world.h"
#include "meeting/view.h"

struct world {
	struct prng prng;
	struct meeting *meeting;
	struct objects *objects;
	int64_t now_us;
	bool video; /* tests that are about pictures look at MEETING_VIDEO */
};

static inline struct world
world_make(void)
{
	static struct prng prng;
	prng_init(&prng, 3);
	struct world world = { .now_us = 1000 };
	const struct meeting_settings settings = { .objects = { 100, 50, 64 * 1024 },
		                                   .limits = { 20, 20 },
		                                   .random = test_random,
		                                   .context = &prng };
	EXPECT_EQ(meeting_create(&world.meeting, &settings, world.now_us), 0);
	world.objects = meeting_objects(world.meeting);
	return world;
}

static inline uint32_t
add(struct world *world, enum object_type type, uint32_t parent, const char *const *pairs)
{
	uint32_t handle = 0;
	EXPECT_EQ(test_add(world->objects, type, parent, &handle, pairs), OBJECT_OK);
	meeting_configured(world->meeting, world->now_us);
	return handle;
}

static inline void
change(struct world *world, enum object_type type, uint32_t handle, const char *const *pairs)
{
	EXPECT_EQ(test_edit(world->objects, type, handle, pairs), OBJECT_OK);
	meeting_configured(world->meeting, world->now_us);
}

static inline const char *
id_of(struct world *world, enum object_type type, uint32_t handle)
{
	static char text[GUID_TEXT_LEN + 1];
	const struct guid id = objects_id(world->objects, type, handle);
	guid_write(text, &id);
	return text;
}

/* All that waits, without log lines: "dial 1, settings 2" with leg numbers.  MEETING_VIDEO, which
 * comes with most, is left out unless asked for. */
static inline const char *
events(struct world *world)
{
	static const char *const names[] = {
		[MEETING_CALL_STARTED] = "started", [MEETING_CALL_ENDED] = "ended",
		[MEETING_DIAL] = "dial",            [MEETING_DROP] = "drop",
		[MEETING_LEG_SETTINGS] = "settings", [MEETING_SEND_DTMF] = "dtmf",
		[MEETING_ROSTER] = "roster",        [MEETING_VIDEO] = "video",
		[MEETING_MESSAGE] = "message",      [MEETING_PRESENTER] = "presenter",
		[MEETING_CHAT] = "chat",            [MEETING_CAMERA] = "camera",
		[MEETING_KEYFRAME] = "keyframe",
	};
	static const char *const prompts[] = { "only", "waiting", "locked", "join tone",
		                               "leave tone" };
	static char text[2048];
	struct writer w = writer_of(text, sizeof text - 1);
	struct meeting_event event;
	while ((event = meeting_poll(world->meeting)).kind != MEETING_NONE) {
		if (event.kind == MEETING_LOG || (event.kind == MEETING_VIDEO && !world->video))
			continue;
		writer_text(&w, w.at != 0 ? ", " : "");
		const bool prompt = event.kind == MEETING_PROMPT || event.kind == MEETING_TONE;
		writer_text(&w, prompt ? prompts[event.prompt] : names[event.kind]);
		const struct meeting_leg *leg = meeting_leg(world->meeting, event.leg);
		if (leg != NULL)
			writer_format(&w, " %u", leg->number);
		if (event.kind == MEETING_DROP)
			writer_format(&w, " %s", leg_end_name(event.reason));
		if (event.kind == MEETING_CHAT)
			writer_format(&w, " '%.*s'", STR_ARGS(event.text));
		const struct meeting_leg *other = meeting_leg(world->meeting, event.other);
		if (other != NULL)
			writer_format(&w, " after %u", other->number);
	}
	text[w.at] = '\0';
	return text;
}

#define EXPECT_EVENTS(world, want) EXPECT_STR(str_of(events(world)), want)

static inline enum meeting_route
route(struct world *world, const char *address, const char *passcode, const char *secret,
      struct meeting_entry *entry)
{
	const struct meeting_knock knock = { .address = str_of(address),
		                             .passcode = str_of(passcode),
		                             .secret = str_of(secret) };
	return meeting_route(world->meeting, &knock, entry);
}

static inline uint32_t
join(struct world *world, uint32_t space, uint32_t method)
{
	const struct meeting_join settings = { .entry = { .space = space, .method = method },
		                               .name = STR("Alice"),
		                               .remote_party = STR("alice@example.org") };
	uint32_t leg = 0;
	EXPECT_EQ(meeting_join(world->meeting, &settings, world->now_us, &leg), MEETING_ADMITTED);
	return leg;
}

static inline uint32_t
join_connected(struct world *world, uint32_t space, uint32_t method)
{
	const uint32_t leg = join(world, space, method);
	meeting_leg_connected(world->meeting, leg, world->now_us);
	return leg;
}

static inline void
end(struct world *world, uint32_t leg)
{
	meeting_leg_ended(world->meeting, leg, LEG_END_REMOTE_TEARDOWN, true, world->now_us);
}

#endif

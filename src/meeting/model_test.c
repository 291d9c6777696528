/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: whatever people and administrators do in whatever order, no leg is left over, counts are
 * right and nobody is heard who must not be.  Method: random operations beside a plain model that
 * only remembers, per leg, what was asked for. */
#include "meeting/test_world.h"
#include "meeting/view.h"

enum {
	SPACES = 4,
	LEGS = 40,
	STEPS = 6000,
};

struct plain_leg {
	uint32_t handle; /* 0: none */
	bool dropping;   /* MEETING_DROP came out */
	bool muted;
	unsigned drops;
};

struct plain {
	struct meeting *meeting;
	struct prng dice;
	int64_t now_us;
	uint32_t spaces[SPACES];
	struct plain_leg legs[LEGS];
	unsigned calls_started;
	unsigned calls_ended;
};

static void
drain(struct plain *plain)
{
	struct meeting_event event;
	while ((event = meeting_poll(plain->meeting)).kind != MEETING_NONE) {
		if (event.kind == MEETING_CALL_STARTED)
			plain->calls_started++;
		if (event.kind == MEETING_CALL_ENDED)
			plain->calls_ended++;
		if (event.kind != MEETING_DROP)
			continue;
		for (unsigned i = 0; i < LEGS; i++) {
			if (plain->legs[i].handle == event.leg) {
				plain->legs[i].dropping = true;
				plain->legs[i].drops++;
			}
		}
	}
}

static void
plain_join(struct plain *plain, struct plain_leg *leg)
{
	const struct meeting_join join = {
		.entry.space = plain->spaces[prng_below(&plain->dice, SPACES)],
		.name = STR("x"),
	};
	*leg = (struct plain_leg){ 0 };
	if (meeting_join(plain->meeting, &join, plain->now_us, &leg->handle) != MEETING_ADMITTED)
		leg->handle = 0;
}

static void
plain_edit(struct plain *plain, struct plain_leg *leg)
{
	struct object_edit edit = { .type = OBJECT_LEG };
	const bool muted = prng_below(&plain->dice, 2) != 0;
	EXPECT_EQ(object_edit_text(&edit, FIELD_PUT, STR("rxAudioMute"),
	                           muted ? STR("true") : STR("false")),
	          OBJECT_OK);
	if (prng_below(&plain->dice, 4) == 0)
		EXPECT_EQ(object_edit_text(&edit, FIELD_PUT, STR("needsActivation"),
		                           muted ? STR("true") : STR("")),
		          OBJECT_OK);
	if (prng_below(&plain->dice, 4) == 0)
		EXPECT_EQ(object_edit_text(&edit, FIELD_PUT, STR("deactivated"),
		                           muted ? STR("true") : STR("false")),
		          OBJECT_OK);
	if (meeting_leg(plain->meeting, leg->handle)->state != LEG_ENDING)
		leg->muted = muted;
	meeting_leg_edit(plain->meeting, leg->handle, &edit, plain->now_us);
}

static void
plain_lock(struct plain *plain, uint32_t call)
{
	struct object_edit edit = { .type = OBJECT_CALL };
	EXPECT_EQ(object_edit_text(&edit, FIELD_PUT, STR("locked"),
	                           prng_below(&plain->dice, 2) != 0 ? STR("true") : STR("false")),
	          OBJECT_OK);
	meeting_call_edit(plain->meeting, call, &edit, plain->now_us);
}

/* What people do with pictures. */
static void
plain_pictures(struct plain *plain, const struct plain_leg *leg)
{
	struct meeting *meeting = plain->meeting;
	const bool on = prng_below(&plain->dice, 3) != 0;
	const enum leg_track track = (enum leg_track)prng_below(&plain->dice, LEG_TRACKS);
	switch (prng_below(&plain->dice, 6)) {
	case 0:
		meeting_leg_pictures(meeting, leg->handle, track, on, 640, 360, plain->now_us);
		break;
	case 1:
		(void)meeting_present(meeting, leg->handle, on, plain->now_us);
		break;
	case 2:
		meeting_leg_digit(meeting, leg->handle,
		                  "0123456789*#"[prng_below(&plain->dice, 12)], plain->now_us);
		break;
	case 3:
		(void)meeting_act_layout(meeting, leg->handle, 0,
		                         prng_below(&plain->dice, LAYOUT_COUNT + 1), plain->now_us);
		break;
	case 4:
		(void)meeting_chat(meeting, leg->handle, STR("x"), plain->now_us);
		break;
	default:
		meeting_leg_talking(meeting, leg->handle, on);
		break;
	}
}

static void
plain_step(struct plain *plain)
{
	struct plain_leg *leg = &plain->legs[prng_below(&plain->dice, LEGS)];
	plain->now_us += prng_below(&plain->dice, 400000);
	if (leg->handle == 0) {
		plain_join(plain, leg);
		return;
	}
	const uint32_t call = meeting_leg(plain->meeting, leg->handle)->call;
	switch (leg->dropping ? 0 : prng_below(&plain->dice, 18)) {
	case 0:
		meeting_leg_ended(plain->meeting, leg->handle, LEG_END_REMOTE_TEARDOWN, true,
		                  plain->now_us);
		*leg = (struct plain_leg){ 0 };
		break;
	case 1:
	case 2:
		meeting_leg_connected(plain->meeting, leg->handle, plain->now_us);
		break;
	case 3:
	case 4:
		plain_edit(plain, leg);
		break;
	case 5:
		plain_lock(plain, call);
		break;
	case 6:
		meeting_leg_drop(plain->meeting, leg->handle, LEG_END_LOCAL_TEARDOWN,
		                 plain->now_us);
		break;
	case 7:
		if (prng_below(&plain->dice, 20) == 0)
			meeting_call_end(plain->meeting, call, LEG_END_CALL_ENDED, plain->now_us);
		break;
	case 8:
		meeting_tick(plain->meeting, plain->now_us);
		break;
	default:
		plain_pictures(plain, leg);
		break;
	}
}

/* Nobody is shown who is not inside, none twice, and nobody to himself. */
static void
check_view(const struct plain *plain)
{
	struct meeting_view view;
	const struct plain_leg *plain_leg = &plain->legs[plain->now_us % LEGS];
	const struct meeting_leg *leg = meeting_leg(plain->meeting, plain_leg->handle);
	if (leg == NULL)
		return;
	const struct meeting_call *call = meeting_call(plain->meeting, leg->call);
	meeting_view(plain->meeting, leg->call, leg->handle, &view);
	EXPECT_EQ(view.screen == VIEW_LOBBY, !leg->hears);
	EXPECT_EQ(view.screen == VIEW_ONLY_PARTICIPANT, leg->hears && call->connected == 1);
	EXPECT_EQ(view.layout.count != 0, leg->hears && call->connected > 1);
	EXPECT(call->presenter == 0 || meeting_leg(plain->meeting, call->presenter)->hears);
	for (unsigned i = 0; i < view.layout.count; i++) {
		const struct meeting_leg *shown = meeting_leg(plain->meeting, view.legs[i]);
		EXPECT(shown != NULL && shown->hears && shown->call == leg->call && shown != leg);
		for (unsigned j = view.content; j < i; j++)
			EXPECT(view.legs[i] != view.legs[j]);
	}
	EXPECT(view.counter == 0 || view.counter < call->connected);
}

static void
check_model(const struct plain *plain)
{
	unsigned active = 0;
	for (unsigned i = 0; i < LEGS; i++) {
		if (plain->legs[i].handle == 0)
			continue;
		const struct meeting_leg *leg = meeting_leg(plain->meeting, plain->legs[i].handle);
		EXPECT(leg != NULL);
		active += leg->state != LEG_ENDING;
		EXPECT_EQ(leg->state == LEG_ENDING, plain->legs[i].dropping);
		EXPECT(plain->legs[i].drops <= 1);
		EXPECT(!leg->heard || (leg->state == LEG_CONNECTED && !plain->legs[i].muted &&
		                       !leg->lobby));
		EXPECT(leg->state != LEG_CONNECTED || leg->lobby != leg->hears);
	}
	EXPECT_EQ(meeting_totals(plain->meeting).legs_active, active);
	uint32_t at = 0;
	unsigned in_calls = 0;
	unsigned calls = 0;
	for (uint32_t call; (call = meeting_call_next(plain->meeting, &at)) != 0; calls++) {
		const struct meeting_call *seen = meeting_call(plain->meeting, call);
		unsigned inside = 0;
		for (uint32_t l = 0; (l = meeting_call_leg_next(plain->meeting, call, l)) != 0;)
			inside += meeting_leg(plain->meeting, l)->hears;
		EXPECT_EQ(seen->connected, inside);
		in_calls += seen->legs;
	}
	EXPECT_EQ(in_calls, active);
	EXPECT_EQ(plain->calls_started - plain->calls_ended, calls);
}

static void
run(uint64_t seed)
{
	static struct prng prng;
	prng_init(&prng, seed);
	struct plain plain = { .now_us = 0 };
	prng_init(&plain.dice, seed + 1);
	const struct meeting_settings settings = { .objects = { 10, 10, 16 * 1024 },
		                                   .limits = { 10, 30 },
		                                   .random = test_random,
		                                   .context = &prng };
	EXPECT_EQ(meeting_create(&plain.meeting, &settings, 0), 0);
	struct objects *objects = meeting_objects(plain.meeting);
	uint32_t codes = 0;
	EXPECT_EQ(test_add(objects, OBJECT_DTMF_PROFILE, 0, &codes,
	                   PAIRS("previousLayout", "1", "nextLayout", "22", "lockCall", "3",
	                         "allowAllMuteSelf", "2", "getTotalParticipantCount", "33")),
	          OBJECT_OK);
	char id[GUID_TEXT_LEN + 1];
	const struct guid guid = objects_id(objects, OBJECT_DTMF_PROFILE, codes);
	guid_write(id, &guid);
	EXPECT_EQ(test_edit(objects, OBJECT_SYSTEM_PROFILES,
	                    objects_single(objects, OBJECT_SYSTEM_PROFILES),
	                    PAIRS("dtmfProfile", id)),
	          OBJECT_OK);
	for (unsigned i = 0; i < SPACES; i++)
		EXPECT_EQ(test_add(objects, OBJECT_SPACE, 0,
		                   &plain.spaces[i], NO_PAIRS),
		          OBJECT_OK);
	for (unsigned step = 0; step < STEPS; step++) {
		plain_step(&plain);
		drain(&plain);
		check_model(&plain);
		check_view(&plain);
	}
	for (unsigned i = 0; i < LEGS; i++)
		meeting_leg_ended(plain.meeting, plain.legs[i].handle, LEG_END_REMOTE_TEARDOWN,
		                  true, plain.now_us);
	drain(&plain);
	EXPECT_EQ(plain.calls_started, plain.calls_ended);
	EXPECT_EQ(meeting_totals(plain.meeting).legs_active, 0);
	EXPECT_EQ(meeting_deadline(plain.meeting), INT64_MAX);
	meeting_destroy(plain.meeting);
}

TEST(no_leg_is_left_over_whatever_happens)
{
	for (uint64_t seed = 1; seed <= 4; seed++)
		run(seed);
}

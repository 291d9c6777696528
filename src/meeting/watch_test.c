/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: the watcher hears every start and end once and in order, with what it speaks of still there,
 * and changes of one moment once; alarms stand while what is wrong is wrong, with one id. */
#include "meeting/model_world.h"

#include <stdio.h>
#include <string.h>

struct heard {
	struct meeting *meeting;
	char text[512];
};

static void
hear(void *context, const struct meeting_news *news)
{
	static const char *const words[] = {
		[MEETING_NEWS_CALL_STARTED] = "call ", [MEETING_NEWS_CALL_CHANGED] = "",
		[MEETING_NEWS_CALL_ENDED] = "over ",   [MEETING_NEWS_LEG_STARTED] = "leg ",
		[MEETING_NEWS_LEG_CHANGED] = "changed ", [MEETING_NEWS_LEG_MEDIA] = "",
		[MEETING_NEWS_LEG_ENDED] = "end ",
	};
	struct heard *heard = context;
	EXPECT(meeting_call(heard->meeting, news->call) != NULL);
	if (news->kind >= MEETING_NEWS_LEG_STARTED)
		EXPECT(meeting_leg(heard->meeting, news->leg) != NULL);
	if (news->kind == MEETING_NEWS_LEG_ENDED)
		EXPECT_EQ(news->reason, LEG_END_REMOTE_TEARDOWN);
	const size_t len = strlen(heard->text);
	snprintf(heard->text + len, sizeof heard->text - len, "%s", words[news->kind]);
}

TEST(the_watcher_hears_of_starts_changes_and_ends)
{
	struct world world = world_make();
	struct heard heard = { .meeting = world.meeting };
	meeting_watch(world.meeting, hear, &heard);
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "s", "name", "S"));
	const uint32_t a = join(&world, space, 0);
	EXPECT_STR(str_of(heard.text), "call leg ");
	heard.text[0] = '\0';
	/* Once because it may be heard from now on, once because it is connected. */
	meeting_leg_connected(world.meeting, a, world.now_us);
	EXPECT_STR(str_of(heard.text), "changed changed ");
	const uint32_t b = join(&world, space, 0);
	heard.text[0] = '\0';
	end(&world, b);
	end(&world, a);
	end(&world, a);
	EXPECT(strstr(heard.text, "end ") != NULL);
	EXPECT(strstr(heard.text, "end over ") != NULL);
	meeting_watch(world.meeting, NULL, NULL);
	(void)join(&world, space, 0);
	meeting_destroy(world.meeting);
}

static void
count_changes(void *context, const struct meeting_news *news)
{
	unsigned *count = context;
	*count += news->kind == MEETING_NEWS_CALL_CHANGED;
}

TEST(what_changes_twice_before_anybody_looks_is_one_change)
{
	struct world world = world_make();
	unsigned count = 0;
	const uint32_t space = add(&world, OBJECT_SPACE, 0, PAIRS("uri", "s"));
	const uint32_t a = join_connected(&world, space, 0);
	(void)events(&world);
	meeting_watch(world.meeting, count_changes, &count);
	meeting_leg_talking(world.meeting, a, true);
	const unsigned once = count;
	EXPECT(once != 0);
	meeting_leg_talking(world.meeting, a, false);
	EXPECT_EQ(count, once);
	(void)events(&world);
	meeting_leg_talking(world.meeting, a, true);
	EXPECT(count > once);
	meeting_destroy(world.meeting);
}

static const char *
alarms(struct world *world)
{
	static char text[512];
	struct writer w = writer_of(text, sizeof text - 1);
	uint32_t at = 0;
	struct guid id;
	for (uint32_t alarm; (alarm = meeting_alarm_next(world->meeting, &at, &id)) != 0;) {
		EXPECT(!guid_is_zero(&id));
		for (unsigned f = 0; f <= ALARM_REASON; f++) {
			const struct value value = meeting_value(world->meeting, OBJECT_ALARM, alarm,
			                                         f, world->now_us);
			value_write(&w, object_field(OBJECT_ALARM, f), &value);
			writer_text(&w, " ");
		}
	}
	text[w.at] = '\0';
	return text;
}

TEST(an_alarm_stands_while_what_is_wrong_is_wrong)
{
	struct world world = world_make();
	const uint32_t web = add(&world, OBJECT_WEB_BRIDGE, 0, PAIRS("url", "c2w://h:1"));
	const uint32_t cdr = add(&world, OBJECT_CDR_RECEIVER, 0, PAIRS("uri", "http://h:1"));
	const struct guid id = objects_id(world.objects, OBJECT_CDR_RECEIVER, cdr);
	EXPECT_STR(str_of(alarms(&world)), "");
	meeting_web_bridge(world.meeting, web, WEB_BRIDGE_CONNECTION_FAILURE, world.now_us);
	meeting_alarm_raise(world.meeting, ALARM_CDR_CONNECTION_FAILURE, ALARM_DNS_FAILURE, &id,
	                    world.now_us);
	world.now_us += 5 * 1000 * 1000;
	meeting_alarm_raise(world.meeting, ALARM_CDR_CONNECTION_FAILURE,
	                    ALARM_INTERNAL_SERVER_ERROR, &id, world.now_us);
	meeting_alarm_raise(world.meeting, ALARM_DATABASE_ERROR, ALARM_ERROR, NULL, world.now_us);
	EXPECT_STR(str_of(alarms(&world)), "c2wConnectionFailure 5 connectFailure "
	                                   "cdrConnectionFailure 5 internalServerError "
	                                   "databaseConnectionError 0 error ");
	meeting_web_bridge(world.meeting, web, WEB_BRIDGE_SUCCESS, world.now_us);
	meeting_alarm_clear(world.meeting, ALARM_DATABASE_ERROR, NULL);
	EXPECT_STR(str_of(alarms(&world)), "cdrConnectionFailure 5 internalServerError ");
	/* What is not there any more is not wrong. */
	objects_begin(world.objects);
	EXPECT_EQ(objects_remove(world.objects, OBJECT_CDR_RECEIVER, cdr), OBJECT_OK);
	objects_settled(world.objects, objects_end(world.objects).ticket, true);
	EXPECT_STR(str_of(alarms(&world)), "");
	meeting_destroy(world.meeting);
}

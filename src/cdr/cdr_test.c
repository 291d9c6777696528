/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: every record reaches every receiver once and in order, whatever receivers do and however
 * often the bridge starts; what cannot is told.  Method: the core between a real meeting model and a
 * spool that is an array; receivers answer as the test says, and check numbers as they come. */
#include "cdr/cdr.h"

#include <stdio.h>
#include <stdlib.h>

#include "meeting/test_world.h"

enum { RECORDS_MAX = 512, HEARD_MAX = 64 * 1024 };

struct kept {
	struct cdr_entry entry;
	char body[2048];
};

/* What one receiver was sent and took. */
struct receiver {
	bool reading;
	bool posting;
	uint64_t sequence;
	char body[CDR_POST_BYTES_MAX];
	char url[256];
	char heard[HEARD_MAX];
};

struct world {
	struct prng prng;
	struct meeting *meeting;
	struct cdr *cdr;
	int64_t now_us;
	uint64_t first;
	uint64_t next;
	struct kept kept[RECORDS_MAX];
	unsigned mark_count;
	struct cdr_mark marks[CDR_RECEIVERS_MAX];
	struct receiver receivers[CDR_RECEIVERS_MAX];
	unsigned cancelled;
	char log[4096];
};

static struct world world;

static void
on_append(void *context, const struct cdr_entry *entry)
{
	(void)context;
	EXPECT(entry->sequence >= world.next && entry->sequence < RECORDS_MAX);
	struct kept *kept = &world.kept[entry->sequence];
	kept->entry = *entry;
	EXPECT(entry->body.len < sizeof kept->body);
	memcpy(kept->body, entry->body.at, entry->body.len);
	kept->entry.body.at = kept->body;
	world.next = entry->sequence + 1;
}

static void
on_mark(void *context, const struct cdr_mark *mark)
{
	unsigned at = 0;
	(void)context;
	while (at < world.mark_count && !guid_eq(&world.marks[at].receiver, &mark->receiver))
		at++;
	if (mark->next == 0) {
		if (at < world.mark_count)
			world.marks[at] = world.marks[--world.mark_count];
		return;
	}
	EXPECT(at < CDR_RECEIVERS_MAX);
	world.marks[at] = *mark;
	world.mark_count += at == world.mark_count;
}

static void
on_read(void *context, unsigned slot, uint64_t sequence)
{
	(void)context;
	EXPECT(!world.receivers[slot].reading);
	world.receivers[slot].reading = true;
	world.receivers[slot].sequence = sequence;
}

static void
on_post(void *context, unsigned slot, struct str url, struct str body)
{
	(void)context;
	struct receiver *receiver = &world.receivers[slot];
	EXPECT(!receiver->posting && body.len < sizeof receiver->body);
	receiver->posting = true;
	(void)str_copy(receiver->url, sizeof receiver->url, url);
	(void)str_copy(receiver->body, sizeof receiver->body, body);
}

static void
on_cancel(void *context, unsigned slot)
{
	(void)context;
	world.receivers[slot].posting = false;
	world.cancelled++;
}

static void
on_log(void *context, bool warning, struct str text)
{
	(void)context;
	const size_t len = strlen(world.log);
	snprintf(world.log + len, sizeof world.log - len, "%s%.*s\n", warning ? "! " : "",
	         STR_ARGS(text));
}

static int64_t
on_wall(void *context)
{
	(void)context;
	return INT64_C(1437636775) * 1000000 + world.now_us;
}

static void
on_news(void *context, const struct meeting_news *news)
{
	cdr_news(context, news);
}

/* A start of the bridge, with what the spool has. */
static void
start(uint8_t session)
{
	const struct cdr_settings settings = {
		.meeting = world.meeting,
		.session = { { session } },
		.call_bridge = { { 0xcb } },
		.sequence_next = world.next,
		.marks = world.marks,
		.mark_count = world.mark_count,
		.legs_max = 40,
		.sink = { .append = on_append, .mark = on_mark, .read = on_read, .post = on_post,
		          .cancel = on_cancel, .log = on_log, .wall_us = on_wall },
	};
	for (unsigned i = 0; i < CDR_RECEIVERS_MAX; i++)
		world.receivers[i].reading = world.receivers[i].posting = false;
	EXPECT_EQ(cdr_create(&world.cdr, &settings, world.now_us), 0);
	meeting_watch(world.meeting, on_news, world.cdr);
	cdr_stored(world.cdr, world.first, world.next, world.now_us);
}

static void
stop(void)
{
	meeting_watch(world.meeting, NULL, NULL);
	cdr_destroy(world.cdr);
}

static void
begin(void)
{
	memset(&world, 0, sizeof world);
	world.next = world.first = 1;
	world.now_us = 1000;
	prng_init(&world.prng, 5);
	const struct meeting_settings settings = { .objects = { 100, 50, 64 * 1024 },
		                                   .limits = { 20, 20 },
		                                   .random = test_random,
		                                   .context = &world.prng };
	EXPECT_EQ(meeting_create(&world.meeting, &settings, world.now_us), 0);
	start(1);
}

static void
finish(void)
{
	stop();
	meeting_destroy(world.meeting);
}

static uint32_t
receiver_add(const char *uri)
{
	uint32_t handle = 0;
	EXPECT_EQ(test_add(meeting_objects(world.meeting), OBJECT_CDR_RECEIVER, 0, &handle,
	                   PAIRS("uri", uri)),
	          OBJECT_OK);
	cdr_configured(world.cdr, world.now_us);
	return handle;
}

static uint32_t
space_add(void)
{
	uint32_t handle = 0;
	EXPECT_EQ(test_add(meeting_objects(world.meeting), OBJECT_SPACE, 0, &handle,
	                   PAIRS("uri", "s", "name", "A & B", "cdrTag", "<tag>")),
	          OBJECT_OK);
	return handle;
}

static void
settle(void)
{
	while (meeting_poll(world.meeting).kind != MEETING_NONE)
		;
	cdr_stored(world.cdr, world.first, world.next, world.now_us);
}

/* The spool answers what it was asked. */
static void
answer_reads(void)
{
	for (unsigned slot = 0; slot < CDR_RECEIVERS_MAX; slot++) {
		struct receiver *receiver = &world.receivers[slot];
		static struct cdr_entry entries[CDR_POST_RECORDS_MAX];
		unsigned count = 0;
		if (!receiver->reading)
			continue;
		receiver->reading = false;
		for (uint64_t s = receiver->sequence;
		     s < world.next && count < CDR_POST_RECORDS_MAX; s++)
			if (world.kept[s].entry.sequence == s)
				entries[count++] = world.kept[s].entry;
		cdr_batch(world.cdr, slot, entries, count, world.now_us);
	}
}

/* Appends "type recordIndex/correlatorIndex[-missing]" of each record to what was heard. */
static void
hear(struct receiver *receiver)
{
	const char *at = strstr(receiver->body, "<records session=\"");
	EXPECT(at != NULL);
	size_t len = strlen(receiver->heard);
	len += (size_t)snprintf(receiver->heard + len, HEARD_MAX - len, "%.2s:", at + 18);
	while ((at = strstr(at, "<record type=\"")) != NULL) {
		char type[32];
		unsigned index = 0;
		unsigned correlator = 0;
		unsigned missing = 0;
		at += strlen("<record type=\"");
		EXPECT_EQ(sscanf(at, "%31[^\"]\" time=\"%*[^\"]\" recordIndex=\"%u\" "
		                     "correlatorIndex=\"%u\" numPreceedingRecordsMissing=\"%u",
		                 type, &index, &correlator, &missing) >= 3,
		          1);
		len += (size_t)snprintf(receiver->heard + len, HEARD_MAX - len, " %s %u/%u", type,
		                        index, correlator);
		if (missing != 0)
			len += (size_t)snprintf(receiver->heard + len, HEARD_MAX - len, "-%u",
			                        missing);
	}
	snprintf(receiver->heard + len, HEARD_MAX - len, "\n");
}

/* Everything that waits is read and posted, and taken or not. */
static void
deliver(unsigned slot, enum cdr_answer answer)
{
	answer_reads();
	struct receiver *receiver = &world.receivers[slot];
	EXPECT(receiver->posting);
	receiver->posting = false;
	if (answer == CDR_TAKEN)
		hear(receiver);
	cdr_answered(world.cdr, slot, answer, answer == CDR_REFUSED ? STR("answered 500") : STR(""),
	             world.now_us);
}

static uint32_t
join(uint32_t space, const char *name)
{
	const struct meeting_join who = { .entry = { .space = space }, .kind = LEG_SIP,
		                          .name = str_of(name), .remote_party = STR("ann@a.org"),
		                          .local_address = STR("s@b.org"),
		                          .remote_address = STR("192.0.2.1:5060"),
		                          .sip_call_id = STR("abc@192.0.2.1") };
	uint32_t leg = 0;
	EXPECT_EQ(meeting_join(world.meeting, &who, world.now_us, &leg), MEETING_ADMITTED);
	return leg;
}

static void
one_call(uint32_t space)
{
	const uint32_t leg = join(space, "Ann");
	meeting_leg_connected(world.meeting, leg, world.now_us);
	world.now_us += 10 * 1000 * 1000;
	meeting_leg_ended(world.meeting, leg, LEG_END_REMOTE_TEARDOWN, true, world.now_us);
	settle();
}

TEST(a_call_makes_five_records_in_order)
{
	begin();
	receiver_add("http://a.example.org:8080/cdr");
	one_call(space_add());
	deliver(0, CDR_TAKEN);
	EXPECT_STR(str_of(world.receivers[0].url), "http://a.example.org:8080/cdr");
	EXPECT_STR(str_of(world.receivers[0].heard),
	           "01: callStart 1/0 callLegStart 2/1 callLegUpdate 3/2 callLegEnd 4/3 "
	           "callEnd 5/4\n");
	EXPECT_STR(str_of(world.log), "successfully connected to CDR receiver 1\n");
	EXPECT_EQ(meeting_totals(world.meeting).cdr_index, 5);
	EXPECT_EQ(cdr_count(world.cdr).waiting, 0);
	const char *body = world.receivers[0].body;
	EXPECT(strstr(body, "<?xml version=\"1.0\"?><records session=\"01000000-") == body);
	EXPECT(strstr(body, " callBridge=\"cb000000-") != NULL);
	EXPECT(strstr(body, "time=\"2015-07-23T07:32:55Z\"") != NULL);
	EXPECT(strstr(body, "<name>A &amp; B</name>") != NULL);
	EXPECT(strstr(body, "<cdrTag>&lt;tag&gt;</cdrTag>") != NULL);
	EXPECT(strstr(body, "<callType>coSpace</callType>") != NULL);
	EXPECT(strstr(body, "<remoteParty>ann@a.org</remoteParty>") != NULL);
	EXPECT(strstr(body, "<sipCallId>abc@192.0.2.1</sipCallId>") != NULL);
	EXPECT(strstr(body, "<state>connected</state><deactivated>false</deactivated>") != NULL);
	EXPECT(strstr(body, "<reason>remoteTeardown</reason><remoteTeardown>true</remoteTeardown>") !=
	       NULL);
	EXPECT(strstr(body, "<durationSeconds>10</durationSeconds>") != NULL);
	EXPECT(strstr(body, "<callLegsCompleted>1</callLegsCompleted>"
	                    "<callLegsMaxActive>1</callLegsMaxActive>") != NULL);
	finish();
}

TEST(nobody_is_sent_what_was_before_he_came)
{
	begin();
	const uint32_t space = space_add();
	one_call(space);
	EXPECT_EQ(world.next, 1); /* nobody is there: nothing is kept */
	EXPECT_EQ(meeting_totals(world.meeting).cdr_index, 5);
	receiver_add("http://a/");
	const uint32_t leg = join(space, "Ben");
	settle();
	deliver(0, CDR_TAKEN);
	receiver_add("http://b/");
	meeting_leg_ended(world.meeting, leg, LEG_END_REMOTE_BUSY, true, world.now_us);
	settle();
	answer_reads();
	deliver(0, CDR_TAKEN);
	deliver(1, CDR_TAKEN);
	EXPECT_STR(str_of(world.receivers[0].heard),
	           "01: callStart 1/5 callLegStart 2/6\n01: callLegEnd 3/7 callEnd 4/8\n");
	EXPECT_STR(str_of(world.receivers[1].heard), "01: callLegEnd 1/7 callEnd 2/8\n");
	finish();
}

TEST(what_is_refused_is_sent_again_later_and_later_in_order)
{
	begin();
	receiver_add("http://192.0.2.9:8444/x");
	one_call(space_add());
	int64_t pause_us = CDR_RETRY_US_MIN;
	for (unsigned i = 0; i < 9; i++) {
		deliver(0, i % 2 == 0 ? CDR_REFUSED : CDR_NO_ANSWER);
		EXPECT_EQ(cdr_deadline(world.cdr), world.now_us + pause_us);
		cdr_tick(world.cdr, world.now_us + pause_us - 1);
		EXPECT(!world.receivers[0].reading);
		world.now_us += pause_us;
		cdr_tick(world.cdr, world.now_us);
		EXPECT(world.receivers[0].reading);
		pause_us = pause_us * 2 < CDR_RETRY_US_MAX ? pause_us * 2 : CDR_RETRY_US_MAX;
	}
	uint32_t at = 0;
	struct guid id;
	EXPECT(meeting_alarm_next(world.meeting, &at, &id) != 0);
	EXPECT_EQ(cdr_count(world.cdr).failing, 1);
	deliver(0, CDR_TAKEN);
	EXPECT_STR(str_of(world.receivers[0].heard),
	           "01: callStart 1/0 callLegStart 2/1 callLegUpdate 3/2 callLegEnd 4/3 "
	           "callEnd 5/4\n");
	EXPECT_STR(str_of(world.log),
	           "! unable to connect to CDR receiver 1 (192.0.2.9:8444): answered 500\n"
	           "successfully connected to CDR receiver 1\n");
	at = 0;
	EXPECT_EQ(meeting_alarm_next(world.meeting, &at, &id), 0);
	EXPECT_EQ(cdr_deadline(world.cdr), INT64_MAX);
	finish();
}

TEST(a_slow_receiver_holds_nobody_up)
{
	begin();
	receiver_add("http://slow/");
	receiver_add("http://quick/");
	const uint32_t space = space_add();
	for (unsigned i = 0; i < 3; i++) {
		one_call(space);
		answer_reads();
		deliver(1, CDR_TAKEN);
	}
	EXPECT(strstr(world.receivers[1].heard, "callEnd 15/14\n") != NULL);
	EXPECT_EQ(world.receivers[0].heard[0], '\0');
	deliver(0, CDR_TAKEN);
	deliver(0, CDR_TAKEN);
	EXPECT(strstr(world.receivers[0].heard, "callEnd 5/4\n01: callStart 6/5") != NULL);
	EXPECT(strstr(world.receivers[0].heard, "callEnd 15/14\n") != NULL);
	finish();
}

TEST(after_a_restart_what_is_left_comes_first_under_its_own_session)
{
	begin();
	receiver_add("http://a/");
	const uint32_t space = space_add();
	one_call(space);
	deliver(0, CDR_TAKEN);
	one_call(space);
	answer_reads();
	stop(); /* its POST is under way: nobody knows whether it was taken */
	start(2);
	EXPECT(world.receivers[0].reading);
	one_call(space);
	deliver(0, CDR_TAKEN);
	deliver(0, CDR_TAKEN);
	EXPECT_STR(str_of(world.receivers[0].heard),
	           "01: callStart 1/0 callLegStart 2/1 callLegUpdate 3/2 callLegEnd 4/3 "
	           "callEnd 5/4\n"
	           "01: callStart 6/5 callLegStart 7/6 callLegUpdate 8/7 callLegEnd 9/8 "
	           "callEnd 10/9\n"
	           "02: callStart 1/0 callLegStart 2/1 callLegUpdate 3/2 callLegEnd 4/3 "
	           "callEnd 5/4\n");
	finish();
}

TEST(what_could_not_be_kept_is_told_as_missing)
{
	begin();
	receiver_add("http://a/");
	const uint32_t space = space_add();
	world.first = 4; /* the oldest three are gone by then */
	one_call(space);
	one_call(space);
	world.kept[6].entry.sequence = world.kept[7].entry.sequence = 0; /* and two were torn */
	deliver(0, CDR_TAKEN);
	EXPECT_STR(str_of(world.receivers[0].heard),
	           "01: callLegEnd 4/3-3 callEnd 5/4 callLegUpdate 8/7-2 callLegEnd 9/8 "
	           "callEnd 10/9\n");
	EXPECT(strstr(world.log, "! CDR receiver 1 lacks 5 records") != NULL);
	EXPECT_EQ(cdr_count(world.cdr).missing, 5);
	finish();
}

TEST(a_receiver_may_be_moved_and_removed_in_the_middle)
{
	begin();
	const uint32_t a = receiver_add("http://a/");
	const uint32_t space = space_add();
	one_call(space);
	answer_reads();
	EXPECT(world.receivers[0].posting);
	struct objects *objects = meeting_objects(world.meeting);
	EXPECT_EQ(test_edit(objects, OBJECT_CDR_RECEIVER, a, PAIRS("uri", "https://b/")),
	          OBJECT_OK);
	cdr_configured(world.cdr, world.now_us);
	EXPECT_EQ(world.cancelled, 1);
	deliver(0, CDR_TAKEN);
	EXPECT_STR(str_of(world.receivers[0].url), "https://b/");
	one_call(space);
	EXPECT(world.receivers[0].reading); /* the spool is just reading */
	objects_begin(objects);
	EXPECT_EQ(objects_remove(objects, OBJECT_CDR_RECEIVER, a), OBJECT_OK);
	objects_settled(objects, objects_end(objects).ticket, true);
	cdr_configured(world.cdr, world.now_us);
	EXPECT_EQ(world.mark_count, 0);
	receiver_add("http://c/");
	one_call(space);
	answer_reads(); /* of the one that is gone: dropped, then its own is asked for */
	deliver(0, CDR_TAKEN);
	EXPECT_STR(str_of(world.receivers[0].heard),
	           "01: callStart 1/0 callLegStart 2/1 callLegUpdate 3/2 callLegEnd 4/3 "
	           "callEnd 5/4\n"
	           "01: callStart 1/10 callLegStart 2/11 callLegUpdate 3/12 callLegEnd 4/13 "
	           "callEnd 5/14\n");
	finish();
}

static struct cdr_standing
standing_of(uint32_t receiver)
{
	const struct guid id =
		objects_id(meeting_objects(world.meeting), OBJECT_CDR_RECEIVER, receiver);
	struct cdr_standing standing;
	EXPECT(cdr_standing(world.cdr, &id, &standing));
	return standing;
}

static void
test_delivery(uint32_t receiver)
{
	const struct guid id =
		objects_id(meeting_objects(world.meeting), OBJECT_CDR_RECEIVER, receiver);
	cdr_test(world.cdr, &id, world.now_us);
}

TEST(a_test_shows_how_a_receiver_answers_and_takes_no_number)
{
	begin();
	const uint32_t receiver = receiver_add("http://a/");
	const uint32_t space = space_add();
	EXPECT(!standing_of(receiver).asked);
	test_delivery(receiver);
	EXPECT(strstr(world.receivers[0].body, "></records>") != NULL);
	world.now_us += 7000;
	deliver(0, CDR_REFUSED);
	struct cdr_standing standing = standing_of(receiver);
	EXPECT(standing.asked && standing.last == CDR_REFUSED);
	EXPECT_STR(standing.error, "answered 500");
	EXPECT_EQ(standing.answer_us, 7000);
	EXPECT_EQ(standing.retry_us, INT64_MAX);
	EXPECT_EQ(cdr_count(world.cdr).failing, 0);
	EXPECT_STR(str_of(world.log), "");
	test_delivery(receiver);
	deliver(0, CDR_TAKEN);
	EXPECT_STR(str_of(world.log), "successfully connected to CDR receiver 1\n");
	/* Records that come while one is under way wait for its answer. */
	test_delivery(receiver);
	test_delivery(receiver);
	one_call(space);
	EXPECT_EQ(standing_of(receiver).waiting, 5);
	deliver(0, CDR_TAKEN);
	deliver(0, CDR_TAKEN);
	EXPECT_STR(str_of(world.receivers[0].heard),
	           "01:\n01:\n01: callStart 1/0 callLegStart 2/1 callLegUpdate 3/2 "
	           "callLegEnd 4/3 callEnd 5/4\n");
	standing = standing_of(receiver);
	EXPECT(standing.last == CDR_TAKEN && standing.answers == 4 && standing.waiting == 0);
	finish();
}

TEST(a_test_of_a_receiver_that_is_behind_sends_what_waits)
{
	begin();
	const uint32_t receiver = receiver_add("http://a/");
	one_call(space_add());
	deliver(0, CDR_NO_ANSWER);
	EXPECT_EQ(standing_of(receiver).retry_us, world.now_us + CDR_RETRY_US_MIN);
	for (unsigned i = 0; i < 3; i++) {
		test_delivery(receiver);
		deliver(0, CDR_NO_ANSWER);
		EXPECT_EQ(standing_of(receiver).retry_us, world.now_us + CDR_RETRY_US_MIN);
	}
	test_delivery(receiver);
	deliver(0, CDR_TAKEN);
	EXPECT_STR(str_of(world.receivers[0].heard),
	           "01: callStart 1/0 callLegStart 2/1 callLegUpdate 3/2 callLegEnd 4/3 "
	           "callEnd 5/4\n");
	EXPECT_EQ(standing_of(receiver).waiting, 0);
	const struct guid nobody = { { 9 } };
	struct cdr_standing standing;
	EXPECT(!cdr_standing(world.cdr, &nobody, &standing));
	cdr_test(world.cdr, &nobody, world.now_us);
	finish();
}

TEST(many_records_go_in_several_posts)
{
	begin();
	receiver_add("http://a/");
	const uint32_t space = space_add();
	for (unsigned i = 0; i < 50; i++)
		one_call(space);
	unsigned posts = 0;
	while (cdr_count(world.cdr).waiting != 0 && posts < 10) {
		deliver(0, CDR_TAKEN);
		posts++;
	}
	/* The first POST was asked for when there was one record to read. */
	EXPECT_EQ(posts, 3);
	EXPECT(strstr(world.receivers[0].heard, "callEnd 250/249\n") != NULL);
	finish();
}

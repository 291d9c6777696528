/* SPDX-License-Identifier: Apache-2.0 */
/* Call detail records and events: how many a second, and how late.
 *
 *	records_bench [--json] [--records N] [--legs N] [--dir DIR]
 *
 * The spool alone: records of usual size are handed to its thread as fast as it takes them, until all
 * are told as stored, then read back in batches with a mark after each; in DIR (/tmp/records-bench).
 *
 * Whole: the core, the spool, libcurl and a receiver in this process that answers 200, over loopback
 * HTTP; the calls are made by a meeting model, five records each.
 *
 * Events: a call of N legs, 20 subscribers of its roster; what a change of one leg costs until the
 * last frame is written, in thread CPU time. */
#include <dirent.h>
#include <unistd.h>

#include "base/check.h"
#include "base/prng.h"
#include "bench.h"
#include "cdr/cdr.h"
#include "cdr/spool.h"
#include "events/events.h"
#include "net/http.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "net/wall.h"

enum {
	BODY_BYTES = 700, /* of a usual callLegEnd */
	SUBSCRIBERS = 20,
	CHANGES = 2000,
	SPOOL_AHEAD_MAX = SPOOL_WAITING_MAX / 2,
};

static unsigned records_wanted = 50000;
static unsigned legs_wanted = 500;
static const char *dir = "/tmp/records-bench";

static void
empty_dir(void)
{
	DIR *all = opendir(dir);
	for (const struct dirent *entry; all != NULL && (entry = readdir(all)) != NULL;)
		if (entry->d_name[0] != '.')
			(void)unlinkat(dirfd(all), entry->d_name, 0);
	if (all != NULL)
		closedir(all);
}

static void
on_random(void *context, void *out, size_t len)
{
	prng_bytes(context, out, len);
}

static struct meeting *
make_meeting(struct prng *prng)
{
	struct meeting *meeting = NULL;
	prng_init(prng, 1);
	const struct meeting_settings settings = { .limits = { 5000, 5000 },
		                                   .random = on_random, .context = prng };
	const int rc = meeting_create(&meeting, &settings, 1000);
	CHECK(rc == 0);
	return meeting;
}

static void
drain(struct meeting *meeting)
{
	while (meeting_poll(meeting).kind != MEETING_NONE)
		;
}

static uint32_t
join(struct meeting *meeting, uint32_t replaces, int64_t now_us)
{
	const struct meeting_join who = { .kind = LEG_SIP, .name = STR("Ann Example"),
		                          .adhoc_name = replaces == 0 ? STR("Bench") : STR(""),
		                          .replaces = replaces,
		                          .remote_party = STR("ann@example.org"),
		                          .local_address = STR("bench@example.org"),
		                          .remote_address = STR("192.0.2.1:5060"),
		                          .sip_call_id = STR("a84b4c76e66710@192.0.2.1") };
	uint32_t leg = 0;
	const enum meeting_refusal refusal = meeting_join(meeting, &who, now_us, &leg);
	CHECK(refusal == MEETING_ADMITTED);
	meeting_leg_connected(meeting, leg, now_us);
	return leg;
}

/* ---- The spool alone ----------------------------------------------------------------------- */

static void
on_wake(void *context)
{
	(void)context;
}

static uint64_t
wait_stored(struct spool *spool, uint64_t next, uint64_t wanted)
{
	struct spool_result result;
	while (next < wanted) {
		while (spool_take(spool, &result)) {
			CHECK(result.kind != SPOOL_FAILED);
			next = result.kind == SPOOL_STORED ? result.next : next;
		}
		if (next < wanted)
			usleep(100);
	}
	return next;
}

static void
write_all(struct spool *spool)
{
	static char body[BODY_BYTES];
	memset(body, 'x', sizeof body);
	uint64_t stored = 1;
	for (uint64_t s = 1; s <= records_wanted; s++) {
		const struct cdr_entry entry = { .sequence = s, .session = { { 1 } },
			                         .body = { body, sizeof body } };
		if (s - stored >= SPOOL_AHEAD_MAX)
			stored = wait_stored(spool, stored, s - SPOOL_AHEAD_MAX / 2);
		spool_append(spool, &entry);
	}
	(void)wait_stored(spool, stored, records_wanted + 1u);
}

static void
read_all(struct spool *spool)
{
	struct spool_result result;
	struct cdr_mark mark = { .receiver = { { 1 } }, .session = { { 1 } }, .next = 1 };
	while (mark.next <= records_wanted) {
		spool_read(spool, 0, mark.next);
		while (!spool_take(spool, &result) || result.kind != SPOOL_BATCH)
			usleep(10);
		CHECK(result.count != 0 && result.entries[0].sequence == mark.next);
		mark.next += result.count;
		spool_mark(spool, &mark);
	}
}

static void
bench_spool(void)
{
	struct spool *spool = NULL;
	struct spool_loaded loaded;
	const struct spool_settings settings = { .dir = dir, .wake = on_wake };
	empty_dir();
	int rc = spool_open(&spool, &settings, &loaded);
	CHECK(rc == 0);
	const struct cdr_mark mark = { .receiver = { { 1 } }, .session = { { 1 } }, .next = 1 };
	spool_mark(spool, &mark);
	double began_s = bench_now_s();
	write_all(spool);
	bench_tell("records", "records written and synced", records_wanted /
	                                                            (bench_now_s() - began_s),
	           "a second");
	began_s = bench_now_s();
	read_all(spool);
	bench_tell("records", "records read back, a mark a batch",
	           records_wanted / (bench_now_s() - began_s), "a second");
	spool_close(spool);
	empty_dir();
}

/* ---- Whole --------------------------------------------------------------------------------- */

struct whole {
	struct prng prng;
	struct meeting *meeting;
	struct loop *loop;
	struct loop_waker *waker;
	struct http *http;
	struct http_listener *listener;
	struct http_client *client;
	struct spool *spool;
	struct cdr *cdr;
	unsigned posts;
};

static void
on_append(void *context, const struct cdr_entry *entry)
{
	spool_append(((struct whole *)context)->spool, entry);
}

static void
on_mark(void *context, const struct cdr_mark *mark)
{
	spool_mark(((struct whole *)context)->spool, mark);
}

static void
on_read(void *context, unsigned slot, uint64_t sequence)
{
	spool_read(((struct whole *)context)->spool, slot, sequence);
}

static void
on_done(void *context, uint32_t request, const struct http_client_answer *answer)
{
	struct whole *whole = context;
	(void)request;
	CHECK(answer->status == 200);
	cdr_answered(whole->cdr, 0, CDR_TAKEN, STR(""), loop_now_us());
	const struct cdr_counts counts = cdr_count(whole->cdr);
	if (counts.waiting == 0 && counts.records >= records_wanted)
		loop_stop(whole->loop);
}

static void
on_post(void *context, unsigned slot, struct str url, struct str body)
{
	static const char *const headers[] = { "Content-Type: text/xml", NULL };
	struct whole *whole = context;
	char text[256];
	uint32_t request = 0;
	(void)slot;
	(void)str_copy(text, sizeof text, url);
	const struct http_client_request post = { .method = "POST", .url = text, .body = body,
		                                  .headers = headers, .done = on_done,
		                                  .context = whole };
	const int rc = http_client_send(whole->client, &post, &request);
	CHECK(rc == 0);
	whole->posts++;
}

static void
on_cancel(void *context, unsigned slot)
{
	(void)context;
	(void)slot;
}

static void
on_log(void *context, bool warning, struct str text)
{
	(void)context;
	(void)text;
	CHECK(!warning);
}

static int64_t
on_wall(void *context)
{
	(void)context;
	return wall_now().us;
}

static void
on_news(void *context, const struct meeting_news *news)
{
	cdr_news(((struct whole *)context)->cdr, news);
}

static void
make_call(struct whole *whole)
{
	const int64_t now_us = loop_now_us();
	const uint32_t leg = join(whole->meeting, 0, now_us);
	meeting_leg_ended(whole->meeting, leg, LEG_END_REMOTE_TEARDOWN, true, now_us);
	drain(whole->meeting);
}

/* Keeps records coming, some thousand ahead of the disk. */
static void
on_whole_wake(void *context)
{
	struct whole *whole = context;
	struct spool_result result;
	while (spool_take(whole->spool, &result)) {
		CHECK(result.kind != SPOOL_FAILED);
		if (result.kind == SPOOL_BATCH)
			cdr_batch(whole->cdr, result.slot, result.entries, result.count,
			          loop_now_us());
		else
			cdr_stored(whole->cdr, result.first, result.next, loop_now_us());
	}
	for (unsigned i = 0; i < 100 && cdr_count(whole->cdr).waiting < SPOOL_AHEAD_MAX &&
	                     cdr_count(whole->cdr).records < records_wanted; i++)
		make_call(whole);
}

static void
wake_whole(void *context)
{
	loop_wake(((struct whole *)context)->waker);
}

static void
on_request(void *context, const struct http_request *request)
{
	http_respond(((struct whole *)context)->http, request->id,
	             &(struct http_response){ .status = 200 });
}

static void
add_receiver(struct whole *whole)
{
	char url[64];
	uint32_t handle = 0;
	int culprit = -1;
	struct objects *objects = meeting_objects(whole->meeting);
	struct object_edit edit = { .type = OBJECT_CDR_RECEIVER };
	snprintf(url, sizeof url, "http://127.0.0.1:%u/cdr",
	         http_listener_local(whole->listener)->port);
	edit_set_text(&edit, CDR_RECEIVER_URI, str_of(url));
	objects_begin(objects);
	const enum object_reject reject = objects_add(objects, &edit, 0, &handle, &culprit);
	CHECK(reject == OBJECT_OK);
	objects_settled(objects, objects_end(objects).ticket, true);
	cdr_configured(whole->cdr, loop_now_us());
}

static void
whole_open(struct whole *whole)
{
	struct spool_loaded loaded;
	const struct spool_settings spool = { .dir = dir, .wake = wake_whole, .context = whole };
	const struct http_listen_settings listen = { .bind = addr_ip4(127, 0, 0, 1, 0),
		                                     .request = on_request, .context = whole };
	empty_dir();
	whole->meeting = make_meeting(&whole->prng);
	int rc = loop_create(&whole->loop);
	rc = rc != 0 ? rc : loop_waker_create(&whole->waker, whole->loop, on_whole_wake, whole);
	rc = rc != 0 ? rc : http_create(&whole->http, whole->loop, 8);
	rc = rc != 0 ? rc : http_listen(&whole->listener, whole->http, &listen);
	rc = rc != 0 ? rc : http_client_create(&whole->client, whole->loop);
	rc = rc != 0 ? rc : spool_open(&whole->spool, &spool, &loaded);
	CHECK(rc == 0);
	const struct cdr_settings settings = {
		.meeting = whole->meeting, .session = { { 1 } }, .call_bridge = { { 2 } },
		.sequence_next = loaded.next, .legs_max = 5000,
		.sink = { .context = whole, .append = on_append, .mark = on_mark, .read = on_read,
		          .post = on_post, .cancel = on_cancel, .log = on_log, .wall_us = on_wall },
	};
	rc = cdr_create(&whole->cdr, &settings, loop_now_us());
	CHECK(rc == 0);
	meeting_watch(whole->meeting, on_news, whole);
}

static void
bench_whole(void)
{
	static struct whole whole;
	whole_open(&whole);
	add_receiver(&whole);
	const double began_s = bench_now_s();
	loop_wake(whole.waker);
	loop_run_until(whole.loop, loop_now_us() + 120 * INT64_C(1000000));
	const double took_s = bench_now_s() - began_s;
	const struct cdr_counts counts = cdr_count(whole.cdr);
	CHECK(counts.waiting == 0 && counts.missing == 0);
	bench_tell("records", "records from the call to the receiver's 200",
	           (double)counts.taken / took_s, "a second");
	bench_tell("records", "records a POST", (double)counts.taken / whole.posts, "");
	meeting_watch(whole.meeting, NULL, NULL);
	spool_close(whole.spool);
	http_client_destroy(whole.client);
	http_destroy(whole.http);
	cdr_destroy(whole.cdr);
	loop_waker_destroy(whole.waker);
	loop_destroy(whole.loop);
	meeting_destroy(whole.meeting);
	empty_dir();
}

/* ---- Events -------------------------------------------------------------------------------- */

struct subscribers {
	struct events *events;
	uint32_t clients[SUBSCRIBERS];
	uint64_t last[SUBSCRIBERS];
	uint64_t acked[SUBSCRIBERS];
	uint64_t bytes;
};

static void
on_frame(void *context, uint64_t owner, struct str text)
{
	struct subscribers *all = context;
	all->bytes += text.len;
	if (str_starts(text, STR("{\"type\":\"message\",")))
		all->last[owner]++;
}

static void
on_let_go(void *context, uint64_t owner, enum events_close code, const char *reason)
{
	(void)context;
	(void)owner;
	(void)code;
	fprintf(stderr, "a subscriber was let go: %s\n", reason);
	abort();
}

static void
on_event_news(void *context, const struct meeting_news *news)
{
	events_news(((struct subscribers *)context)->events, news);
}

static void
acknowledge(struct subscribers *all, int64_t now_us)
{
	char text[128];
	for (unsigned i = 0; i < SUBSCRIBERS; i++) {
		while (all->acked[i] < all->last[i]) {
			snprintf(text, sizeof text,
			         "{\"type\":\"messageAck\",\"messageAck\":{\"messageId\":%" PRIu64
			         ",\"status\":\"success\"}}",
			         ++all->acked[i]);
			events_input(all->events, all->clients[i], str_of(text), now_us);
		}
	}
}

static void
subscribe(struct subscribers *all, const char *call, int64_t now_us)
{
	char text[512];
	snprintf(text, sizeof text,
	         "{\"type\":\"message\",\"message\":{\"messageId\":1,\"type\":\"subscribeRequest\","
	         "\"subscriptions\":[{\"index\":1,\"type\":\"callRoster\",\"call\":\"%s\","
	         "\"elements\":[\"name\",\"uri\",\"state\",\"audioMuted\",\"activeSpeaker\"]}]}}",
	         call);
	for (unsigned i = 0; i < SUBSCRIBERS; i++) {
		all->clients[i] = events_open(all->events, i, now_us);
		events_input(all->events, all->clients[i], str_of(text), now_us);
	}
}

static double
thread_cpu_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec * 1e-3;
}

static void
bench_events(void)
{
	static double took_us[CHANGES];
	static struct subscribers all;
	struct prng prng;
	struct meeting *meeting = make_meeting(&prng);
	const struct events_settings settings = {
		.meeting = meeting, .calls_max = 5000, .legs_max = 5000,
		.sink = { .context = &all, .send = on_frame, .close = on_let_go },
	};
	int64_t now_us = 2000;
	const int rc = events_create(&all.events, &settings);
	CHECK(rc == 0);
	meeting_watch(meeting, on_event_news, &all);
	const uint32_t first = join(meeting, 0, now_us);
	uint32_t leg = first;
	for (unsigned i = 1; i < legs_wanted; i++)
		leg = join(meeting, first, now_us);
	drain(meeting);
	char call[GUID_TEXT_LEN + 1];
	guid_write(call, &meeting_call(meeting, meeting_leg(meeting, first)->call)->id);
	subscribe(&all, call, now_us);
	acknowledge(&all, now_us);
	for (unsigned i = 0; i < CHANGES; i++) {
		now_us += EVENTS_GATHER_US;
		meeting_leg_talking(meeting, leg, i % 2 == 0);
		drain(meeting);
		const uint64_t before = all.last[SUBSCRIBERS - 1];
		const double began_us = thread_cpu_us();
		events_tick(all.events, now_us + EVENTS_GATHER_US);
		took_us[i] = thread_cpu_us() - began_us;
		CHECK(all.last[SUBSCRIBERS - 1] == before + 1);
		acknowledge(&all, now_us);
		now_us += EVENTS_GATHER_US;
	}
	char what[96];
	snprintf(what, sizeof what, "CPU of a change told to %d, of %u legs: median", SUBSCRIBERS,
	         legs_wanted);
	bench_tell("events", what, bench_quantile(took_us, CHANGES, 0.5), "us");
	snprintf(what, sizeof what, "CPU of a change told to %d, of %u legs: p99", SUBSCRIBERS,
	         legs_wanted);
	bench_tell("events", what, bench_quantile(took_us, CHANGES, 0.99), "us");
	meeting_watch(meeting, NULL, NULL);
	events_destroy(all.events);
	meeting_destroy(meeting);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			bench_json = true;
		else if (strcmp(argv[i], "--records") == 0 && i + 1 < argc)
			records_wanted = (unsigned)strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--legs") == 0 && i + 1 < argc)
			legs_wanted = (unsigned)strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--dir") == 0 && i + 1 < argc)
			dir = argv[++i];
		else
			return fprintf(stderr, "usage: records_bench [--json] [--records N] "
			                       "[--legs N] [--dir DIR]\n") > 0;
	}
	bench_spool();
	bench_whole();
	bench_events();
	return 0;
}

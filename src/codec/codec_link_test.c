/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: orders cross whole, in order and without loss, frames are dropped rather than kept and then
 * only key frames open the stream again; whatever the other side writes, what is taken is in range
 * or the link is broken; worker, control and the other process may use it at once.  Method: both ends
 * in one process; a peer that puts records of its own; a thread for each that uses a link. */
#include "codec/codec_link.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/prng.h"
#include "base/shm_ring.h"
#include "base/test.h"

enum {
	FIRST_FD = 200,
	/* How a message lies in a record. */
	WIRE_BYTES = 128,
	WIRE_ID = 72,
	WIRE_KIND = 110,
};

struct pair {
	struct codec_link *worker;
	struct codec_link *child;
};

static struct pair
pair_open(void)
{
	struct pair pair = { 0 };
	EXPECT_EQ(codec_link_create(&pair.worker), 0);
	const int *fds = codec_link_child_fds(pair.worker);
	for (int i = 0; i < CODEC_LINK_FDS; i++)
		EXPECT_EQ(dup2(fds[i], FIRST_FD + i), FIRST_FD + i);
	EXPECT_EQ(codec_link_adopt(&pair.child, FIRST_FD), 0);
	return pair;
}

static void
pair_close(struct pair *pair)
{
	codec_link_put(pair->worker);
	codec_link_put(pair->child);
}

static bool
readable(int fd)
{
	struct pollfd watch = { .fd = fd, .events = POLLIN };
	return poll(&watch, 1, 0) == 1;
}

static struct codec_message
source_frame(video_source_id source, bool key, const uint8_t *bytes, size_t len)
{
	return (struct codec_message){ .kind = CODEC_SOURCE_FRAME,
		                       .source = source,
		                       .frame = { .captured_us = 77,
		                                  .codec = VIDEO_CODEC_VP8,
		                                  .key = key,
		                                  .rotation = 270 },
		                       .bytes = bytes,
		                       .len = len };
}

TEST(every_kind_of_message_crosses_whole)
{
	struct pair pair = pair_open();
	struct codec_message got;
	static struct canvas canvas;
	canvas.pane_count = 1;
	canvas.panes[0] = (struct canvas_pane){
		.width = 1920, .height = 1080, .source = 9, .talking = true, .label = "Zoé 수진"
	};
	EXPECT(codec_link_post(
	        pair.worker,
	        &(struct codec_message){ .kind = CODEC_CANVAS_SET, .id = 5, .canvas = &canvas }));
	const struct codec_encode encode = { .canvas = 5,
		                             .source = 0x700,
		                             .codec = VIDEO_CODEC_H264,
		                             .fps = 30,
		                             .single_nals = true,
		                             .width = 1280,
		                             .height = 720,
		                             .bps = 1500000 };
	EXPECT(codec_link_post(
	        pair.worker,
	        &(struct codec_message){ .kind = CODEC_ENCODE_OPEN, .id = 6, .encode = encode }));
	const struct codec_message frame = source_frame(0x101, true, (const uint8_t *)"frame", 5);
	EXPECT(codec_link_post(pair.worker, &frame));
	EXPECT(readable(codec_link_fd(pair.child)));

	EXPECT_EQ(codec_link_take(pair.child, &got), CODEC_LINK_MESSAGE);
	EXPECT_EQ(got.kind, CODEC_CANVAS_SET);
	EXPECT_EQ(got.id, 5);
	EXPECT(canvas_eq(got.canvas, &canvas));
	EXPECT_EQ(codec_link_take(pair.child, &got), CODEC_LINK_MESSAGE);
	EXPECT_EQ(got.kind, CODEC_ENCODE_OPEN);
	EXPECT_EQ(got.encode.canvas, 5);
	EXPECT_EQ(got.encode.source, 0x700);
	EXPECT(got.encode.single_nals && !got.encode.detail);
	EXPECT_EQ(got.encode.width, 1280);
	EXPECT_EQ(got.encode.bps, 1500000);
	EXPECT_EQ(codec_link_take(pair.child, &got), CODEC_LINK_MESSAGE);
	EXPECT_EQ(got.source, 0x101);
	EXPECT_EQ(got.frame.captured_us, 77);
	EXPECT_EQ(got.frame.rotation, 270);
	EXPECT(got.frame.key);
	EXPECT_EQ(got.len, 5);
	EXPECT(memcmp(got.bytes, "frame", 5) == 0);
	EXPECT_EQ(codec_link_take(pair.child, &got), CODEC_LINK_EMPTY);
	EXPECT(!readable(codec_link_fd(pair.child)));

	const struct codec_load load = { .cpu_pct = 50, .encodes = 3, .frames_broken = 1ull << 40 };
	EXPECT(codec_link_post(pair.child,
	                       &(struct codec_message){ .kind = CODEC_LOAD, .load = load }));
	EXPECT(readable(codec_link_fd(pair.worker)));
	EXPECT_EQ(codec_link_take(pair.worker, &got), CODEC_LINK_MESSAGE);
	EXPECT_EQ(got.load.encodes, 3);
	EXPECT_EQ(got.load.frames_broken, 1ull << 40);

	const uint32_t before = codec_link_pulse(pair.worker);
	codec_link_beat(pair.child);
	EXPECT(codec_link_pulse(pair.worker) != before);
	pair_close(&pair);
}

TEST(orders_wait_for_room_and_frames_do_not)
{
	struct pair pair = pair_open();
	uint8_t *bytes = calloc(1, VIDEO_FRAME_BYTES_MAX);
	struct codec_message got;
	unsigned frames = 0;
	/* Nobody reads: the ring fills, and from the first dropped frame on none gets in. */
	struct codec_message frame = source_frame(3, false, bytes, VIDEO_FRAME_BYTES_MAX);
	while (codec_link_post(pair.worker, &frame))
		frames++;
	EXPECT_EQ(frames, 3);
	frame.len = 10;
	EXPECT(!codec_link_post(pair.worker, &frame));
	frame.len = 500 << 10;
	for (frame.source = 4; codec_link_post(pair.worker, &frame);)
		frames++;
	for (frame.len = 10, frame.source = 5; codec_link_post(pair.worker, &frame);)
		frames++;
	for (uint32_t id = 1; id <= 1000; id++)
		EXPECT(codec_link_post(pair.worker, &(struct codec_message){
		                                            .kind = CODEC_ENCODE_KEY, .id = id }));
	for (unsigned i = 0; i < frames; i++) {
		EXPECT_EQ(codec_link_take(pair.child, &got), CODEC_LINK_MESSAGE);
		EXPECT_EQ(got.kind, CODEC_SOURCE_FRAME);
	}

	/* There is room again: the orders go first, then key frames, then what follows them. */
	frame = source_frame(3, false, bytes, 10);
	EXPECT(!codec_link_post(pair.worker, &frame));
	frame.frame.key = true;
	EXPECT(codec_link_post(pair.worker, &frame));
	frame.frame.key = false;
	EXPECT(codec_link_post(pair.worker, &frame));
	frame.source = 6;
	EXPECT(codec_link_post(pair.worker, &frame));
	for (uint32_t id = 1; id <= 1000; id++) {
		EXPECT_EQ(codec_link_take(pair.child, &got), CODEC_LINK_MESSAGE);
		EXPECT_EQ(got.kind, CODEC_ENCODE_KEY);
		EXPECT_EQ(got.id, id);
	}
	for (unsigned i = 0; i < 3; i++) {
		EXPECT_EQ(codec_link_take(pair.child, &got), CODEC_LINK_MESSAGE);
		EXPECT_EQ(got.kind, CODEC_SOURCE_FRAME);
	}
	EXPECT_EQ(codec_link_take(pair.child, &got), CODEC_LINK_EMPTY);
	free(bytes);
	pair_close(&pair);
}

TEST(a_side_that_never_reads_breaks_the_link_instead_of_filling_memory)
{
	struct pair pair = pair_open();
	static const struct canvas canvas;
	const struct codec_message order = { .kind = CODEC_CANVAS_SET, .id = 1, .canvas = &canvas };
	unsigned count = 0;
	for (; !codec_link_broken(pair.worker); count++)
		EXPECT(codec_link_post(pair.worker, &order) && count < 10000);
	EXPECT(count > CODEC_LINK_HELD_MAX);
	struct codec_message got;
	EXPECT_EQ(codec_link_take(pair.worker, &got), CODEC_LINK_BROKEN);
	pair_close(&pair);
}

TEST(the_child_sees_when_the_worker_is_gone)
{
	struct pair pair = pair_open();
	EXPECT(!readable(codec_link_lifeline(pair.child)));
	codec_link_get(pair.worker);
	codec_link_put(pair.worker);
	EXPECT(!readable(codec_link_lifeline(pair.child)));
	codec_link_put(pair.worker);
	EXPECT(readable(codec_link_lifeline(pair.child)));
	codec_link_put(pair.child);
}

/* A message of the codec process that breaks a rule: each must break the link and nothing else. */
TEST(what_the_codec_process_may_not_say_breaks_the_link)
{
	const uint8_t *x = (const uint8_t *)"x";
	const struct codec_message lies[] = {
		{ .kind = CODEC_FRAME,
		  .id = 1,
		  .frame.codec = VIDEO_CODEC_COUNT,
		  .bytes = x,
		  .len = 1 },
		{ .kind = CODEC_FRAME,
		  .id = 1,
		  .frame.codec = VIDEO_CODEC_NONE,
		  .bytes = x,
		  .len = 1 },
		{ .kind = CODEC_FRAME,
		  .id = 1,
		  .frame.codec = VIDEO_CODEC_VP8,
		  .bytes = x,
		  .len = 0 },
		{ .kind = CODEC_FRAME,
		  .id = 1,
		  .frame = { .codec = VIDEO_CODEC_VP8, .rotation = 45 },
		  .bytes = x,
		  .len = 1 },
		{ .kind = CODEC_FRAME,
		  .id = 1,
		  .frame = { .codec = VIDEO_CODEC_VP8, .rotation = 360 },
		  .bytes = x,
		  .len = 1 },
		{ .kind = CODEC_FRAME,
		  .id = 1,
		  .frame = { .codec = VIDEO_CODEC_VP8, .width = VIDEO_SIDE_MAX + 1 },
		  .bytes = x,
		  .len = 1 },
		{ .kind = CODEC_SOURCE_KEY, .source = 0 },
		{ .kind = CODEC_MESSAGE_KINDS },
	};
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		struct pair pair = pair_open();
		struct codec_message got;
		(void)codec_link_post(pair.child, &lies[i]);
		EXPECT_EQ(codec_link_take(pair.worker, &got), CODEC_LINK_BROKEN);
		EXPECT(codec_link_broken(pair.worker));
		EXPECT_EQ(codec_link_take(pair.worker, &got), CODEC_LINK_BROKEN);
		pair_close(&pair);
	}
}

/* The peer writes anywhere in the shared memory, as a child that was taken over could. */
TEST(a_hostile_child_is_found_out_and_reads_nothing_into_us)
{
	struct prng prng;
	prng_init(&prng, 7);
	unsigned broken = 0, messages = 0;
	for (unsigned round = 0; round < 60; round++) {
		struct codec_link *worker = NULL;
		EXPECT_EQ(codec_link_create(&worker), 0);
		const int fd = codec_link_child_fds(worker)[0];
		const size_t bytes = 64 + 2 * shm_ring_bytes(CODEC_LINK_RING_BYTES_MAX);
		/* The memory's size is sealed. */
		EXPECT(ftruncate(fd, 4096) != 0);
		uint8_t *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		EXPECT(memory != MAP_FAILED);
		uint8_t *ring = memory + 64 + shm_ring_bytes(CODEC_LINK_RING_BYTES_MAX);
		struct shm_ring out;
		shm_ring_init(&out, ring, CODEC_LINK_RING_BYTES_MAX);
		for (unsigned step = 0; step < 100; step++) {
			uint8_t record[400];
			const size_t len =
			        prng_below(&prng, 2) != 0 ? WIRE_BYTES : prng_below(&prng, 400);
			memset(record, 0, sizeof record);
			record[0] = record[WIRE_ID] = 1;
			record[WIRE_KIND] = (uint8_t)(CODEC_FRAME + prng_below(&prng, 3));
			record[WIRE_KIND + 1] = VIDEO_CODEC_VP8;
			for (unsigned flips = prng_below(&prng, 3); flips != 0; flips--)
				record[prng_below(&prng, WIRE_BYTES)] = (uint8_t)prng_u32(&prng);
			(void)shm_ring_put(&out, &(struct shm_ring_piece){ record, len }, 1);
			if (prng_below(&prng, 20) == 0)
				prng_bytes(&prng, ring + prng_below(&prng, 200), 8);
			struct codec_message got;
			const enum codec_link_take take = codec_link_take(worker, &got);
			broken += take == CODEC_LINK_BROKEN;
			if (take != CODEC_LINK_MESSAGE)
				continue;
			messages++;
			EXPECT(got.kind >= CODEC_FRAME && got.kind < CODEC_MESSAGE_KINDS);
			EXPECT(got.len <= VIDEO_FRAME_BYTES_MAX);
			for (size_t i = 0; i < got.len; i++)
				EXPECT(got.bytes[i] <= 255);
		}
		munmap(memory, bytes);
		codec_link_put(worker);
	}
	EXPECT(broken > 0 && messages > 0);
}

TEST(memory_of_another_size_is_not_adopted)
{
	const int fd = memfd_create("short", 0);
	EXPECT_EQ(ftruncate(fd, 4096), 0);
	EXPECT_EQ(dup2(fd, FIRST_FD), FIRST_FD);
	close(fd);
	for (int i = 1; i < CODEC_LINK_FDS; i++)
		EXPECT_EQ(dup2(FIRST_FD, FIRST_FD + i), FIRST_FD + i);
	struct codec_link *link = NULL;
	EXPECT(codec_link_adopt(&link, FIRST_FD) != 0);
	EXPECT(fcntl(FIRST_FD, F_GETFD) < 0);
}

/* ---- At once ------------------------------------------------------------------------------- */

enum {
	RACE_ORDERS = 20000,
	RACE_AHEAD = 300,
	RACE_FRAME_BYTES = 3000,
};

struct race {
	struct pair pair;
	_Atomic unsigned wrong;
	_Atomic bool over;
};

/* The process: each order in turn, each frame whole; tells how far it has come. */
static void *
race_child(void *context)
{
	struct race *race = context;
	struct codec_link *link = race->pair.child;
	for (uint32_t done = 0; done < RACE_ORDERS && !codec_link_broken(link);) {
		struct codec_message message;
		codec_link_beat(link);
		if (codec_link_take(link, &message) != CODEC_LINK_MESSAGE)
			sched_yield();
		else if (message.kind == CODEC_SOURCE_FRAME)
			race->wrong += message.len != RACE_FRAME_BYTES ||
			               message.bytes[0] != message.bytes[RACE_FRAME_BYTES - 1];
		else if (message.id != ++done)
			race->wrong++;
		else if (done % 100 == 0)
			codec_link_post(link, &(struct codec_message){
			                              .kind = CODEC_LOAD,
			                              .load = { .frames_decoded = done } });
	}
	return NULL;
}

static void *
race_worker(void *context)
{
	struct race *race = context;
	struct codec_link *link = race->pair.worker;
	static uint8_t bytes[RACE_FRAME_BYTES];
	uint64_t done = 0;
	for (uint32_t i = 1; (i <= RACE_ORDERS || done < RACE_ORDERS) && !codec_link_broken(link);) {
		struct codec_message message;
		if (i <= RACE_ORDERS && i <= done + RACE_AHEAD) {
			memset(bytes, (int)i, sizeof bytes);
			message = source_frame(1, true, bytes, sizeof bytes);
			codec_link_post(link, &message);
			codec_link_post(link, &(struct codec_message){ .kind = CODEC_ENCODE_KEY,
			                                               .id = i++ });
		}
		if (codec_link_take(link, &message) == CODEC_LINK_MESSAGE)
			done = message.load.frames_decoded;
		else
			sched_yield();
	}
	race->over = true;
	return NULL;
}

/* Control looks whether the process lives, and holds the link for the worker. */
TEST(a_link_serves_its_worker_its_process_and_who_watches_it)
{
	struct race race = { .pair = pair_open() };
	pthread_t worker, child;
	EXPECT_EQ(pthread_create(&child, NULL, race_child, &race), 0);
	EXPECT_EQ(pthread_create(&worker, NULL, race_worker, &race), 0);
	uint32_t pulse = 0;
	unsigned beats = 0;
	while (!race.over) {
		struct codec_link *link = codec_link_get(race.pair.worker);
		beats += codec_link_pulse(link) != pulse;
		pulse = codec_link_pulse(link);
		codec_link_put(link);
		sched_yield();
	}
	pthread_join(worker, NULL);
	pthread_join(child, NULL);
	EXPECT(beats > 0);
	EXPECT_EQ(race.wrong, 0);
	EXPECT(!codec_link_broken(race.pair.worker) && !codec_link_broken(race.pair.child));
	pair_close(&race.pair);
}

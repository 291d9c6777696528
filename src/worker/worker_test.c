/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: orders and events cross between two threads without loss or race, also when far more come at
 * once than a ring holds; ports are bound and given back.
 * Method: a real worker thread on a real loop; a burst of opens and closes; the thread sanitizer
 * watches in ./test. */
#include "worker/worker.h"

#include "base/check.h"
#include "base/slab.h"
#include "base/test.h"

enum {
	LEGS = 3000,
	FIRST_PORT = 33000,
	PATIENCE_US = 60 * 1000 * 1000,
};

struct tally {
	struct loop *loop;
	unsigned opened;
	unsigned refused;
	unsigned closed;
	unsigned wanted;
};

static void
on_event(void *context, unsigned worker, const struct media_event *event)
{
	struct tally *tally = context;
	EXPECT_EQ(worker, 5);
	tally->opened += event->kind == MEDIA_EVENT_LEG_OPENED;
	tally->refused += event->kind == MEDIA_EVENT_LEG_REFUSED;
	tally->closed += event->kind == MEDIA_EVENT_LEG_CLOSED;
	if (event->kind == MEDIA_EVENT_LEG_OPENED) {
		EXPECT(event->opened.local_rtp.port >= FIRST_PORT);
		EXPECT_EQ(event->opened.local_rtp.port % 2, 0);
	}
	if (tally->closed + tally->refused == tally->wanted)
		loop_stop(tally->loop);
}

static void
run(uint16_t last_port, unsigned legs, struct tally *tally)
{
	struct worker *worker = NULL;
	*tally = (struct tally){ .wanted = legs };
	EXPECT_EQ(loop_create(&tally->loop), 0);
	const struct worker_settings settings = {
		.media = { .legs_max = LEGS, .rooms_max = 4, .seed = 3 },
		.index = 5,
		.addresses = { addr_ip4(127, 0, 0, 1, 0) },
		.address_count = 1,
		.shared_port = 0,
		.first_port = FIRST_PORT,
		.last_port = last_port,
		.event = on_event,
		.context = tally,
	};
	EXPECT_EQ(worker_create(&worker, tally->loop, &settings), 0);
	for (unsigned i = 0; i < legs; i++) {
		struct media_order order = { .kind = MEDIA_ORDER_LEG_OPEN,
			                     .leg = 1u << SLAB_INDEX_BITS | i };
		order.open.local = addr_ip4(127, 0, 0, 1, 0);
		worker_post(worker, &order);
	}
	for (unsigned i = 0; i < legs; i++) {
		const struct media_order order = { .kind = MEDIA_ORDER_LEG_CLOSE,
			                           .leg = 1u << SLAB_INDEX_BITS | i };
		worker_post(worker, &order);
	}
	loop_run_until(tally->loop, loop_now_us() + PATIENCE_US);
	worker_destroy(worker);
	loop_destroy(tally->loop);
}

TEST(a_burst_of_orders_is_carried_out_whole_and_in_order)
{
	struct tally tally;
	run(FIRST_PORT + 399, 200, &tally);
	EXPECT_EQ(tally.opened, 200);
	EXPECT_EQ(tally.closed, 200);
	EXPECT_EQ(tally.refused, 0);
}

TEST(more_orders_than_a_ring_holds_wait_their_turn)
{
	struct tally tally;
	run(FIRST_PORT + 19, LEGS, &tally);
	EXPECT_EQ(tally.opened + tally.refused, LEGS);
	EXPECT_EQ(tally.closed, tally.opened);
	EXPECT(tally.opened >= 10);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "audio/brand.h"
#include "base/check.h"
#include "base/log.h"
#include "base/ring.h"
#include "base/slab.h"
#include "net/random.h"
#include "net/udp.h"

enum {
	ORDERS_CAP = 1024,
	EVENTS_CAP = 1024,
	SECOND_US = 1000000,
	SPILL_RETRY_US = 1000,
	MEDIA_NICE = -10,
};

/* A ring with a place for what does not fit.  The spill belongs to the producer. */
struct channel {
	struct ring ring;
	uint8_t *spill;
	size_t message_bytes;
	uint32_t spill_first;
	uint32_t spill_count;
	uint32_t spill_cap;
};

/* The two sockets of one SIP leg. */
struct port_pair {
	struct worker *worker;
	media_leg_id leg;
	struct udp_socket *rtp;
	struct udp_socket *rtcp;
};

struct worker_event {
	struct media_event event;
	struct media_counters counters; /* with MEDIA_EVENT_COUNT: the second's counters */
};

struct worker {
	struct worker_settings settings;
	struct media *media;

	/* Of the worker's thread. */
	struct loop *loop;
	struct loop_timer *timer;        /* the machine's deadline */
	struct loop_timer *second;       /* counters, while there are legs */
	struct loop_timer *spill_timer;
	struct loop_waker *orders_waker; /* the control thread wakes us */
	struct loop_hook *hook;          /* sends what a round of inputs left to be sent */
	struct codec_link *codec;        /* NULL: none */
	struct loop_watch *codec_watch;
	struct shared_socket {
		struct worker *worker;
		unsigned number; /* MEDIA_SOCKET_SHARED and up */
		struct udp_socket *udp;
	} shared[WORKER_ADDRESSES_MAX];
	struct port_pair *pairs; /* legs_max, by the leg handle's index */
	uint16_t next_port;
	int64_t cpu_us;
	int64_t cpu_at_us;
	pthread_t thread;
	_Atomic bool stopping;
	_Atomic(struct codec_link *) codec_new; /* from the control thread; NO_LINK: no news */

	struct channel orders;
	struct channel events;

	/* Of the control thread. */
	struct loop_waker *events_waker; /* the worker wakes the control thread */
	struct loop_timer *control_spill_timer;
	struct media_counters counters;
	bool thread_started;
};

/* "Nothing new", which NULL is not. */
static char no_link_place;
#define NO_LINK ((struct codec_link *)(void *)&no_link_place)

/* ---- Channels ------------------------------------------------------------------------------ */

static int
channel_create(struct channel *channel, size_t message_bytes, uint32_t cap)
{
	channel->message_bytes = message_bytes;
	return ring_create(&channel->ring, message_bytes, cap);
}

static void
channel_destroy(struct channel *channel)
{
	ring_destroy(&channel->ring);
	free(channel->spill);
}

static void
spill_append(struct channel *channel, const void *message)
{
	if (channel->spill_first > channel->spill_cap / 2) {
		/* As much has gone as is left at the most: moving it costs each message one copy. */
		memmove(channel->spill,
		        channel->spill + channel->spill_first * channel->message_bytes,
		        channel->spill_count * channel->message_bytes);
		channel->spill_first = 0;
	}
	if (channel->spill_first + channel->spill_count == channel->spill_cap) {
		const uint32_t cap = channel->spill_cap == 0 ? 64 : channel->spill_cap * 2;
		uint8_t *spill = realloc(channel->spill, cap * channel->message_bytes);
		CHECK(spill != NULL);
		channel->spill = spill;
		channel->spill_cap = cap;
	}
	const size_t at = channel->spill_first + channel->spill_count;
	memcpy(channel->spill + at * channel->message_bytes, message, channel->message_bytes);
	channel->spill_count++;
}

/* Moves what was spilt into the ring; true when nothing is left behind. */
static bool
channel_settle(struct channel *channel)
{
	while (channel->spill_count != 0) {
		const uint8_t *first = channel->spill + channel->spill_first * channel->message_bytes;
		if (!ring_post(&channel->ring, first))
			return false;
		channel->spill_first++;
		channel->spill_count--;
	}
	channel->spill_first = 0;
	return true;
}

/* True when the message is in the ring, false when it had to be spilt. */
static bool
channel_post(struct channel *channel, const void *message)
{
	if (channel_settle(channel) && ring_post(&channel->ring, message))
		return true;
	spill_append(channel, message);
	return false;
}

/* ---- The worker's side --------------------------------------------------------------------- */

static void
rearm(struct worker *worker)
{
	loop_timer_arm(worker->timer, media_deadline(worker->media));
}

static void
post_event(struct worker *worker, const struct worker_event *event)
{
	if (!channel_post(&worker->events, event))
		loop_timer_arm(worker->spill_timer, loop_now_us() + SPILL_RETRY_US);
	loop_wake(worker->events_waker);
}

static void
on_spill_timer(void *context, int64_t now_us)
{
	struct worker *worker = context;
	if (!channel_settle(&worker->events))
		loop_timer_arm(worker->spill_timer, now_us + SPILL_RETRY_US);
	loop_wake(worker->events_waker);
}

static void
on_media_event(void *context, const struct media_event *event)
{
	post_event(context, &(struct worker_event){ .event = *event });
}

static void
on_timer(void *context, int64_t now_us)
{
	struct worker *worker = context;
	media_tick(worker->media, now_us);
	rearm(worker);
}

static int64_t
thread_cpu_us(void)
{
	struct timespec spent;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
	return (int64_t)spent.tv_sec * SECOND_US + spent.tv_nsec / 1000;
}

/* Tells the control thread what was done in the last second; sleeps when there is nothing. */
static void
on_second(void *context, int64_t now_us)
{
	struct worker *worker = context;
	struct worker_event event = { .event.kind = MEDIA_EVENT_COUNT,
		                      .counters = *media_counters(worker->media) };
	const int64_t cpu_us = thread_cpu_us();
	const int64_t span_us = now_us - worker->cpu_at_us;
	if (span_us > 0)
		event.counters.load_pct = (uint32_t)((cpu_us - worker->cpu_us) * 100 / span_us);
	worker->cpu_us = cpu_us;
	worker->cpu_at_us = now_us;
	if (event.counters.legs == 0)
		event.counters.load_pct = 0;
	post_event(worker, &event);
	loop_timer_arm(worker->second, event.counters.legs != 0 ? now_us + SECOND_US : INT64_MAX);
}

static void
on_shared_datagram(void *context, struct udp_socket *socket, const struct udp_datagram *datagram)
{
	const struct shared_socket *shared = context;
	struct worker *worker = shared->worker;
	(void)socket;
	media_input(worker->media, shared->number, 0, datagram->from, datagram->bytes,
	            datagram->len, datagram->now_us);
	rearm(worker);
}

static void
on_pair_datagram(void *context, struct udp_socket *socket, const struct udp_datagram *datagram)
{
	const struct port_pair *pair = context;
	const unsigned which = socket == pair->rtp ? MEDIA_SOCKET_RTP : MEDIA_SOCKET_RTCP;
	struct worker *worker = pair->worker;
	media_input(worker->media, which, pair->leg, datagram->from, datagram->bytes, datagram->len,
	            datagram->now_us);
	rearm(worker);
}

static struct port_pair *
pair_of(struct worker *worker, media_leg_id leg)
{
	const uint32_t index = slab_index(leg);
	CHECK(index < worker->settings.media.legs_max);
	return &worker->pairs[index];
}

static void
pair_close(struct port_pair *pair)
{
	if (pair->rtp != NULL)
		udp_close(pair->rtp);
	if (pair->rtcp != NULL)
		udp_close(pair->rtcp);
	*pair = (struct port_pair){ 0 };
}

static bool
pair_open_at(struct worker *worker, struct port_pair *pair, const struct net_addr *local,
             uint16_t port)
{
	struct udp_settings settings = { .bind = *local,
		                         .receive = on_pair_datagram,
		                         .context = pair,
		                         .dscp = worker->settings.dscp };
	settings.bind.port = port;
	if (udp_open(&pair->rtp, worker->loop, &settings) != 0) {
		pair->rtp = NULL;
		return false;
	}
	settings.bind.port = (uint16_t)(port + 1);
	if (udp_open(&pair->rtcp, worker->loop, &settings) != 0) {
		pair->rtcp = NULL;
		udp_close(pair->rtp);
		pair->rtp = NULL;
		return false;
	}
	return true;
}

/* Round and round through the slice, so that a port rests as long as can be before it is used
 * again: late packets of an old call then find nobody. */
static bool
on_ports_open(void *context, media_leg_id leg, struct net_addr *rtp)
{
	struct worker *worker = context;
	struct port_pair *pair = pair_of(worker, leg);
	const uint16_t first = worker->settings.first_port;
	const uint32_t pairs = (uint32_t)(worker->settings.last_port - first + 1) / 2;
	for (uint32_t attempt = 0; attempt < pairs; attempt++) {
		const uint16_t port = worker->next_port;
		const uint32_t next = port + 2u;
		worker->next_port = (uint16_t)(next < first + 2 * pairs ? next : first);
		if (!pair_open_at(worker, pair, rtp, port))
			continue;
		pair->worker = worker;
		pair->leg = leg;
		rtp->port = port;
		return true;
	}
	return false;
}

static void
on_ports_close(void *context, media_leg_id leg)
{
	pair_close(pair_of(context, leg));
}

static struct udp_socket *
socket_of(struct worker *worker, unsigned socket, media_leg_id leg)
{
	if (socket == MEDIA_SOCKET_RTP)
		return pair_of(worker, leg)->rtp;
	if (socket == MEDIA_SOCKET_RTCP)
		return pair_of(worker, leg)->rtcp;
	const unsigned number = socket - MEDIA_SOCKET_SHARED;
	CHECK(number < worker->settings.address_count);
	return worker->shared[number].udp;
}

static void
on_send(void *context, unsigned socket, media_leg_id leg, const struct net_addr *to,
        const uint8_t *bytes, size_t len)
{
	struct udp_socket *udp = socket_of(context, socket, leg);
	if (udp != NULL)
		udp_send(udp, to, bytes, len);
}

/* ---- The codec process --------------------------------------------------------------------- */

static void
codec_detach(struct worker *worker)
{
	if (worker->codec == NULL)
		return;
	loop_watch_destroy(worker->codec_watch);
	codec_link_put(worker->codec);
	worker->codec_watch = NULL;
	worker->codec = NULL;
	media_codec_attached(worker->media, false, loop_now_us());
}

/* A bounded number at a time: sound must not wait for pictures. */
static void
on_codec(void *context)
{
	struct worker *worker = context;
	struct codec_message message;
	const int64_t now_us = loop_now_us();
	for (unsigned i = 0; i < CODEC_LINK_BATCH; i++) {
		if (codec_link_take(worker->codec, &message) != CODEC_LINK_MESSAGE)
			break;
		media_codec_input(worker->media, &message, now_us);
	}
}

static bool
on_codec_message(void *context, const struct codec_message *message)
{
	struct worker *worker = context;
	return worker->codec != NULL && codec_link_post(worker->codec, message);
}

static void
codec_attach(struct worker *worker, struct codec_link *link)
{
	codec_detach(worker);
	if (link == NULL)
		return;
	if (loop_watch_create(&worker->codec_watch, worker->loop, codec_link_fd(link), on_codec,
	                      worker) != 0) {
		log_error("media worker %u: the codec process cannot be watched",
		          worker->settings.index);
		codec_link_put(link);
		return;
	}
	worker->codec = link;
	media_codec_attached(worker->media, true, loop_now_us());
}

/* At the end of each round of the loop: what the round's packets left is sent, destination by
 * destination, and leaves at once. */
static void
on_round(void *context)
{
	struct worker *worker = context;
	if (worker->codec != NULL && codec_link_broken(worker->codec))
		codec_detach(worker);
	media_flush(worker->media, loop_now_us());
	udp_flush(worker->loop);
	rearm(worker);
}

static void
on_random(void *context, void *out, size_t len)
{
	(void)context;
	random_bytes(out, len);
}

static void
on_orders(void *context)
{
	struct worker *worker = context;
	struct media_order order;
	bool any = false;
	struct codec_link *link = atomic_exchange(&worker->codec_new, NO_LINK);
	if (link != NO_LINK)
		codec_attach(worker, link);
	while (ring_take(&worker->orders.ring, &order)) {
		media_order(worker->media, &order, loop_now_us());
		any = true;
	}
	explicit_bzero(&order, sizeof order);
	if (any) {
		rearm(worker);
		loop_timer_arm(worker->second, worker->cpu_at_us + SECOND_US);
	}
	if (atomic_load(&worker->stopping))
		loop_stop(worker->loop);
}

static void *
worker_main(void *context)
{
	struct worker *worker = context;
	char name[16];
	snprintf(name, sizeof name, "media %u", worker->settings.index);
	pthread_setname_np(pthread_self(), name);
	/* Late sound is no sound.  Where this is not allowed, all threads are equal. */
	(void)setpriority(PRIO_PROCESS, 0, MEDIA_NICE);
	worker->cpu_us = thread_cpu_us();
	worker->cpu_at_us = loop_now_us();
	loop_run(worker->loop);
	return NULL;
}

/* ---- The control thread's side ------------------------------------------------------------- */

static void
on_events(void *context)
{
	struct worker *worker = context;
	struct worker_event event;
	while (ring_take(&worker->events.ring, &event)) {
		if (event.event.kind == MEDIA_EVENT_COUNT)
			worker->counters = event.counters;
		else
			worker->settings.event(worker->settings.context, worker->settings.index,
			                       &event.event);
	}
}

static void
on_control_spill_timer(void *context, int64_t now_us)
{
	struct worker *worker = context;
	if (!channel_settle(&worker->orders))
		loop_timer_arm(worker->control_spill_timer, now_us + SPILL_RETRY_US);
	loop_wake(worker->orders_waker);
}

void
worker_post(struct worker *worker, const struct media_order *order)
{
	if (!channel_post(&worker->orders, order))
		loop_timer_arm(worker->control_spill_timer, loop_now_us() + SPILL_RETRY_US);
	loop_wake(worker->orders_waker);
}

void
worker_codec(struct worker *worker, struct codec_link *link)
{
	struct codec_link *before = atomic_exchange(&worker->codec_new, link);
	if (before != NO_LINK)
		codec_link_put(before);
	loop_wake(worker->orders_waker);
}

struct media_counters
worker_counters(const struct worker *worker)
{
	return worker->counters;
}

static int
open_shared_ports(struct worker *worker)
{
	for (unsigned i = 0; i < worker->settings.address_count; i++) {
		struct shared_socket *shared = &worker->shared[i];
		struct udp_settings settings = {
			.bind = worker->settings.addresses[i],
			.receive = on_shared_datagram,
			.context = shared,
			.dscp = worker->settings.dscp,
			/* Every browser of this worker comes in here: room for some 50 ms of a full
			 * house. */
			.receive_bytes = 4 << 20,
			.send_bytes = 4 << 20,
		};
		settings.bind.port = worker->settings.shared_port;
		shared->worker = worker;
		shared->number = MEDIA_SOCKET_SHARED + i;
		const int rc = udp_open(&shared->udp, worker->loop, &settings);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
create_loop_objects(struct worker *worker, struct loop *control)
{
	int rc = loop_create(&worker->loop);
	if (rc == 0)
		rc = loop_timer_create(&worker->timer, worker->loop, on_timer, worker);
	if (rc == 0)
		rc = loop_timer_create(&worker->second, worker->loop, on_second, worker);
	if (rc == 0)
		rc = loop_timer_create(&worker->spill_timer, worker->loop, on_spill_timer, worker);
	if (rc == 0)
		rc = loop_waker_create(&worker->orders_waker, worker->loop, on_orders, worker);
	if (rc == 0)
		rc = loop_hook_create(&worker->hook, worker->loop, on_round, worker);
	if (rc == 0)
		rc = loop_waker_create(&worker->events_waker, control, on_events, worker);
	if (rc == 0)
		rc = loop_timer_create(&worker->control_spill_timer, control,
		                       on_control_spill_timer, worker);
	return rc;
}

static int
create_media(struct worker *worker)
{
	struct media_settings media = worker->settings.media;
	media.sink = (struct media_sink){ .context = worker,
		                          .ports_open = on_ports_open,
		                          .ports_close = on_ports_close,
		                          .send = on_send,
		                          .event = on_media_event,
		                          .codec = on_codec_message };
	media.random = on_random;
	media.random_context = NULL;
	return media_create(&worker->media, &media, loop_now_us());
}

int
worker_create(struct worker **out, struct loop *control, const struct worker_settings *settings)
{
	CHECK(settings->first_port % 2 == 0 && settings->first_port < settings->last_port);
	CHECK(settings->address_count <= WORKER_ADDRESSES_MAX);
	/* The rings keep their ends on cache lines of their own. */
	struct worker *worker = aligned_alloc(RING_CACHE_LINE_BYTES,
	                                      (sizeof *worker + RING_CACHE_LINE_BYTES - 1) /
	                                              RING_CACHE_LINE_BYTES *
	                                              RING_CACHE_LINE_BYTES);
	if (worker == NULL)
		return -ENOMEM;
	memset(worker, 0, sizeof *worker);
	worker->settings = *settings;
	worker->next_port = settings->first_port;
	atomic_init(&worker->codec_new, NO_LINK);
	int rc = -ENOMEM;
	worker->pairs = calloc(settings->media.legs_max, sizeof *worker->pairs);
	if (worker->pairs == NULL)
		goto fail;
	rc = channel_create(&worker->orders, sizeof(struct media_order), ORDERS_CAP);
	if (rc != 0)
		goto fail;
	rc = channel_create(&worker->events, sizeof(struct worker_event), EVENTS_CAP);
	if (rc != 0)
		goto fail;
	rc = create_loop_objects(worker, control);
	if (rc != 0)
		goto fail;
	rc = open_shared_ports(worker);
	if (rc != 0)
		goto fail;
	rc = create_media(worker);
	if (rc != 0)
		goto fail;
	rc = -pthread_create(&worker->thread, NULL, worker_main, worker);
	if (rc != 0)
		goto fail;
	worker->thread_started = true;
	*out = worker;
	return 0;
fail:
	worker_destroy(worker);
	return rc;
}

/* Orders that came too late own their canvases, and references to brands. */
static void
drop_waiting(struct worker *worker)
{
	struct media_order order;
	while (ring_take(&worker->orders.ring, &order)) {
		if (order.kind == MEDIA_ORDER_CANVAS)
			free(order.canvas.canvas);
		else if (order.kind == MEDIA_ORDER_LEG_PLAY)
			brand_put(order.play.brand);
	}
	explicit_bzero(&order, sizeof order);
}

static void
drop_orders(struct worker *worker)
{
	if (worker->orders.ring.messages == NULL)
		return;
	do
		drop_waiting(worker);
	while (!channel_settle(&worker->orders));
	drop_waiting(worker);
}

void
worker_destroy(struct worker *worker)
{
	if (worker == NULL)
		return;
	if (worker->thread_started) {
		atomic_store(&worker->stopping, true);
		loop_wake(worker->orders_waker);
		pthread_join(worker->thread, NULL);
	}
	/* The thread is gone: its objects are ours now. */
	if (worker->media != NULL)
		codec_detach(worker);
	struct codec_link *link = atomic_exchange(&worker->codec_new, NO_LINK);
	if (link != NO_LINK)
		codec_link_put(link);
	drop_orders(worker);
	media_destroy(worker->media);
	for (unsigned i = 0; i < WORKER_ADDRESSES_MAX; i++)
		if (worker->shared[i].udp != NULL)
			udp_close(worker->shared[i].udp);
	for (uint32_t i = 0; worker->pairs != NULL && i < worker->settings.media.legs_max; i++)
		pair_close(&worker->pairs[i]);
	loop_timer_destroy(worker->timer);
	loop_timer_destroy(worker->second);
	loop_timer_destroy(worker->spill_timer);
	loop_hook_destroy(worker->hook);
	loop_timer_destroy(worker->control_spill_timer);
	loop_waker_destroy(worker->orders_waker);
	loop_waker_destroy(worker->events_waker);
	if (worker->loop != NULL)
		loop_destroy(worker->loop);
	channel_destroy(&worker->orders);
	channel_destroy(&worker->events);
	free(worker->pairs);
	free(worker);
}

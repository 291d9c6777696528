/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/prng.h"
#include "base/slab.h"
#include "bench.h"

enum {
	FIRST_PORT = 2048,
	LAST_PORT = 65533,
	SHARED_PORT = 2000,
};

media_leg_id
bridge_leg(unsigned leg)
{
	return 1u << SLAB_INDEX_BITS | leg;
}

media_room_id
bridge_room(unsigned room)
{
	return 1u << SLAB_INDEX_BITS | room;
}

static void
on_event(void *context, unsigned worker, const struct media_event *event)
{
	struct bridge *bridge = context;
	const uint32_t leg = slab_index(event->leg);
	(void)worker;
	switch ((enum media_event_kind)event->kind) {
	case MEDIA_EVENT_LEG_OPENED:
		bridge->opened[leg] = event->opened;
		/* The worker tells the port; the address is what it was told to bind to. */
		memcpy(bridge->opened[leg].local_rtp.ip, bridge->settings.bind.ip,
		       sizeof bridge->settings.bind.ip);
		bridge->opened_count++;
		break;
	case MEDIA_EVENT_LEG_CONNECTED:
		bridge->connected_count++;
		break;
	case MEDIA_EVENT_LEG_LOST:
	case MEDIA_EVENT_LEG_REFUSED:
		bridge->lost_count++;
		break;
	case MEDIA_EVENT_LEG_CLOSED:
		bridge->closed_count++;
		break;
	case MEDIA_EVENT_LEG_STATS:
		bridge->stats[leg] = event->stats;
		bridge->stats_count++;
		break;
	case MEDIA_EVENT_LEG_DTMF:
	case MEDIA_EVENT_LEG_PLAYED:
	case MEDIA_EVENT_LEG_TALKING:
	case MEDIA_EVENT_LEG_PICTURE:
	case MEDIA_EVENT_LEG_VIDEO_STATS:
	case MEDIA_EVENT_LEG_QUALITY:
	case MEDIA_EVENT_LEG_KEY_WANTED:
	case MEDIA_EVENT_LEG_DATA:
	case MEDIA_EVENT_ROOM_CLOSED:
	case MEDIA_EVENT_COUNT:
		break;
	}
	loop_stop(bridge->loop);
}

static void
pin(pid_t thread, int core)
{
	cpu_set_t cores;
	if (core < 0)
		return;
	CPU_ZERO(&cores);
	CPU_SET((size_t)core, &cores);
	(void)sched_setaffinity(thread, sizeof cores, &cores);
}

int
bridge_create(struct bridge *bridge, const struct bridge_settings *settings)
{
	static pid_t threads[BENCH_THREADS_MAX];
	*bridge = (struct bridge){ .settings = *settings };
	bridge->opened = calloc(settings->legs_max, sizeof *bridge->opened);
	bridge->stats = calloc(settings->legs_max, sizeof *bridge->stats);
	CHECK(bridge->opened != NULL && bridge->stats != NULL);
	struct net_addr shared = settings->bind;
	shared.port = SHARED_PORT;
	const struct worker_settings worker = {
		.media = {
			.legs_max = settings->legs_max,
			.rooms_max = settings->rooms_max,
			.talkers_max = settings->talkers_max,
			.seed = 7,
			.shared_addr = shared,
			.dtls = settings->dtls,
			.consent_us_max = 60 * 1000 * 1000,
		},
		.addresses = { settings->bind },
		.address_count = 1,
		.shared_port = SHARED_PORT,
		.first_port = FIRST_PORT,
		.last_port = LAST_PORT,
		.event = on_event,
		.context = bridge,
	};
	int rc = loop_create(&bridge->loop);
	if (rc == 0)
		rc = worker_create(&bridge->worker, bridge->loop, &worker);
	if (rc != 0) {
		bridge_destroy(bridge);
		return rc;
	}
	for (unsigned attempt = 0; bridge->thread == 0 && attempt < 1000; attempt++) {
		usleep(1000);
		if (bench_threads(getpid(), "media 0", threads) == 1)
			bridge->thread = threads[0];
	}
	CHECK(bridge->thread != 0);
	pin(bridge->thread, settings->core);
	return 0;
}

void
bridge_destroy(struct bridge *bridge)
{
	worker_destroy(bridge->worker);
	if (bridge->loop != NULL)
		loop_destroy(bridge->loop);
	free(bridge->opened);
	free(bridge->stats);
	*bridge = (struct bridge){ 0 };
}

void
bridge_post(struct bridge *bridge, const struct media_order *order)
{
	worker_post(bridge->worker, order);
}

bool
bridge_wait(struct bridge *bridge, const unsigned *count, unsigned wanted, double seconds)
{
	const int64_t end_us = loop_now_us() + (int64_t)(seconds * 1e6);
	while (*count < wanted && loop_now_us() < end_us)
		loop_run_until(bridge->loop, end_us);
	return *count >= wanted;
}

void
bridge_run(struct bridge *bridge, double seconds)
{
	const unsigned none = 0;
	(void)bridge_wait(bridge, &none, 1, seconds);
}

bool
bridge_open_from(struct bridge *bridge, unsigned first, unsigned count)
{
	const unsigned before = bridge->opened_count;
	for (unsigned i = first; i < first + count; i++) {
		struct media_order order = { .kind = MEDIA_ORDER_LEG_OPEN, .leg = bridge_leg(i) };
		order.open.transport = MEDIA_TRANSPORT_PORTS;
		order.open.local = bridge->settings.bind;
		memcpy(order.open.cname, "bench", 6);
		bridge_post(bridge, &order);
	}
	return bridge_wait(bridge, &bridge->opened_count, before + count, 30);
}

struct media_audio_settings
bridge_opus(void)
{
	return (struct media_audio_settings){
		.receive = true,
		.send = true,
		.tx_payload_type = LOAD_PAYLOAD_TYPE,
		.tx_codec = MEDIA_CODEC_OPUS,
		.level_ext_id = LOAD_LEVEL_EXT_ID,
		.frame_ms = 20,
		.opus_fec = true,
		.rx_count = 1,
		.rx = { { LOAD_PAYLOAD_TYPE, MEDIA_CODEC_OPUS, 48 } },
	};
}

/* Made from the leg's number, so that both sides know them. */
struct keys {
	uint8_t to_bridge[MEDIA_SDES_KEY_MAX];
	uint8_t from_bridge[MEDIA_SDES_KEY_MAX];
};

static struct keys
keys_of(unsigned leg)
{
	struct keys keys;
	struct prng prng;
	prng_init(&prng, leg);
	prng_bytes(&prng, &keys, sizeof keys);
	return keys;
}

void
bridge_phone(const struct bridge *bridge, struct load *load, const struct bridge_call *call)
{
	const struct keys keys = keys_of(call->leg);
	load_set(load, call->leg,
	         &(struct load_leg_settings){
	                 .bridge = bridge->opened[call->leg].local_rtp,
	                 .suite = call->suite,
	                 .key_tx = keys.to_bridge,
	                 .key_rx = keys.from_bridge,
	                 .talks = call->talks,
	                 .kept = call->kept,
	         });
}

void
bridge_join(struct bridge *bridge, const struct load *load, const struct bridge_call *call)
{
	const struct keys keys = keys_of(call->leg);
	const media_leg_id leg = bridge_leg(call->leg);
	struct media_order transport = { .kind = MEDIA_ORDER_LEG_TRANSPORT, .leg = leg };
	transport.transport.remote_rtp = load_addr(load, call->leg);
	transport.transport.rtcp_mux = true;
	if (call->suite != SRTP_SUITE_NONE) {
		transport.transport.security = MEDIA_SECURITY_SDES;
		transport.transport.sdes_suite_tx = (uint8_t)call->suite;
		transport.transport.sdes_suite_rx = (uint8_t)call->suite;
		memcpy(transport.transport.sdes_key_tx, keys.from_bridge, MEDIA_SDES_KEY_MAX);
		memcpy(transport.transport.sdes_key_rx, keys.to_bridge, MEDIA_SDES_KEY_MAX);
	}
	bridge_post(bridge, &transport);
	bridge_enter(bridge, call->leg, call->room);
}

void
bridge_enter(struct bridge *bridge, unsigned leg, unsigned room)
{
	bridge_post(bridge, &(struct media_order){ .kind = MEDIA_ORDER_LEG_AUDIO,
	                                           .leg = bridge_leg(leg),
	                                           .audio = bridge_opus() });
	bridge_post(bridge, &(struct media_order){ .kind = MEDIA_ORDER_LEG_SET,
	                                           .leg = bridge_leg(leg),
	                                           .flags = { .gain_control = true } });
	bridge_post(bridge, &(struct media_order){ .kind = MEDIA_ORDER_LEG_JOIN,
	                                           .leg = bridge_leg(leg),
	                                           .room = bridge_room(room) });
}

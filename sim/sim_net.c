/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "sim/sim.h"

void
sim_net_init(struct sim_net *net, uint64_t seed, const struct sim_path *path)
{
	*net = (struct sim_net){ .path = *path };
	prng_init(&net->prng, seed);
}

void
sim_net_fini(struct sim_net *net)
{
	for (size_t i = 0; i < net->count; i++)
		free(net->heap[i]);
	free(net->heap);
}

static bool
sooner(const struct sim_packet *a, const struct sim_packet *b)
{
	return a->at_us < b->at_us || (a->at_us == b->at_us && a->order < b->order);
}

static void
push(struct sim_net *net, struct sim_packet *packet)
{
	if (net->count == net->cap) {
		net->cap = net->cap == 0 ? 256 : net->cap * 2;
		net->heap = realloc(net->heap, net->cap * sizeof(struct sim_packet *));
		CHECK(net->heap != NULL);
	}
	size_t at = net->count++;
	while (at != 0 && sooner(packet, net->heap[(at - 1) / 2])) {
		net->heap[at] = net->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	net->heap[at] = packet;
}

static struct sim_packet *
pop(struct sim_net *net)
{
	struct sim_packet *first = net->heap[0];
	struct sim_packet *last = net->heap[--net->count];
	size_t at = 0;
	for (;;) {
		size_t child = 2 * at + 1;
		if (child >= net->count)
			break;
		if (child + 1 < net->count && sooner(net->heap[child + 1], net->heap[child]))
			child++;
		if (!sooner(net->heap[child], last))
			break;
		net->heap[at] = net->heap[child];
		at = child;
	}
	if (net->count != 0)
		net->heap[at] = last;
	return first;
}

static void
deliver(struct sim_net *net, const struct net_addr *from, const struct net_addr *to,
        const void *bytes, size_t len, int64_t now_us)
{
	struct sim_packet *packet = malloc(sizeof *packet + len);
	CHECK(packet != NULL && len <= SIM_DATAGRAM_MAX);
	const int64_t jitter_us =
		net->path.jitter_us != 0
			? prng_below(&net->prng, (uint32_t)net->path.jitter_us)
			: 0;
	packet->at_us = now_us + net->path.delay_us + jitter_us;
	packet->order = net->sent;
	packet->from = *from;
	packet->to = *to;
	packet->len = len;
	memcpy(packet->bytes, bytes, len);
	push(net, packet);
}

void
sim_net_send(struct sim_net *net, const struct net_addr *from, const struct net_addr *to,
             const void *bytes, size_t len, int64_t now_us)
{
	net->sent++;
	if (prng_below(&net->prng, 1000) < net->path.loss_pm) {
		net->lost++;
		return;
	}
	deliver(net, from, to, bytes, len, now_us);
	if (prng_below(&net->prng, 1000) < net->path.double_pm)
		deliver(net, from, to, bytes, len, now_us);
}

struct sim_packet *
sim_net_take(struct sim_net *net, int64_t now_us)
{
	return net->count != 0 && net->heap[0]->at_us <= now_us ? pop(net) : NULL;
}

void
sim_ear_hear(struct sim_ear *ear, const int16_t *pcm, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		ear->samples[ear->at] = pcm[i];
		ear->at = (ear->at + 1) % SIM_HEARD;
	}
	ear->count += (unsigned)count;
}

/* Goertzel's filter. */
double
sim_ear_loudness(const struct sim_ear *ear, double pitch_hz, unsigned samples)
{
	const double coefficient = 2 * cos(2 * M_PI * pitch_hz / SIM_HEARD);
	double s1 = 0;
	double s2 = 0;
	for (unsigned i = 0; i < samples; i++) {
		const double s = ear->samples[(ear->at + SIM_HEARD - samples + i) % SIM_HEARD] +
		                 coefficient * s1 - s2;
		s2 = s1;
		s1 = s;
	}
	return 2 * sqrt(fabs(s1 * s1 + s2 * s2 - coefficient * s1 * s2)) / samples;
}

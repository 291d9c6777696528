/* SPDX-License-Identifier: Apache-2.0 */
#include "video/packet_pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

struct packet_pool {
	struct packet *packets;
	struct packet *free_first;
	uint32_t fresh; /* from here on never used: the system has not backed them yet */
	uint32_t used;
	uint32_t max;
};

int
packet_pool_create(struct packet_pool **pool, uint32_t packets_max)
{
	CHECK(packets_max != 0 && packets_max <= PACKET_POOL_PACKETS_MAX);
	struct packet_pool *made = calloc(1, sizeof *made);
	if (made == NULL)
		return -ENOMEM;
	made->packets = calloc(packets_max, sizeof *made->packets);
	if (made->packets == NULL) {
		free(made);
		return -ENOMEM;
	}
	made->max = packets_max;
	*pool = made;
	return 0;
}

void
packet_pool_destroy(struct packet_pool *pool)
{
	if (pool == NULL)
		return;
	CHECK(pool->used == 0);
	free(pool->packets);
	free(pool);
}

uint32_t
packet_pool_used(const struct packet_pool *pool)
{
	return pool->used;
}

uint32_t
packet_pool_cap(const struct packet_pool *pool)
{
	return pool->max;
}

struct packet *
packet_take(struct packet_pool *pool, const uint8_t *payload, size_t len)
{
	CHECK(len <= PACKET_PAYLOAD_BYTES_MAX);
	struct packet *packet = pool->free_first;
	if (packet != NULL)
		pool->free_first = packet->next;
	else if (pool->fresh < pool->max)
		packet = &pool->packets[pool->fresh++];
	else
		return NULL;
	pool->used++;

	memset(packet, 0, offsetof(struct packet, payload));
	packet->pool = pool;
	packet->references = 1;
	packet->len = (uint16_t)len;
	packet->orientation = PACKET_NO_ORIENTATION;
	if (payload != NULL && len != 0)
		memcpy(packet->payload, payload, len);
	return packet;
}

struct packet *
packet_hold(struct packet *packet)
{
	CHECK(packet->references != 0);
	packet->references++;
	return packet;
}

void
packet_put(struct packet *packet)
{
	if (packet == NULL)
		return;
	CHECK(packet->references != 0);
	if (--packet->references != 0)
		return;
	struct packet_pool *pool = packet->pool;
	CHECK(pool->used != 0);
	pool->used--;
	packet->next = pool->free_first;
	pool->free_first = packet;
}

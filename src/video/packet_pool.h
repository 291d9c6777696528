/* SPDX-License-Identifier: Apache-2.0 */
/* packet_pool -- the video packets a worker holds: plain RTP payloads with what is known of them.
 *
 * A packet is taken from the pool once, when it arrived or was made, and then shared by everyone
 * who needs it for a while: the frame builder of its source, the send queues and the retransmission
 * histories of its receivers.  Each of them holds a reference.
 *
 *	struct packet *packet = packet_take(pool, payload, len);   NULL: the pool is empty
 *	packet->... = ...;                                          fill in, then share
 *	packet_put(packet);                                         when done
 *
 * Ownership  The pool owns the memory and outlives every packet.  After packet_take() there is one
 *            reference, the caller's.  What is shared is not changed any more.
 * Threads    One: the worker's.  The counts are plain.
 * Units      Bytes, microseconds.
 * Errors     packet_pool_create: -ENOMEM.  An empty pool loses the packet: the caller counts it.
 * Limits     Fixed at creation.  The system backs a packet's memory when it is first used.
 */
#ifndef VIDEO_PACKET_POOL_H
#define VIDEO_PACKET_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "video/facts.h"
#include "video/video.h"

enum {
	PACKET_PAYLOAD_BYTES_MAX = 1500,
	PACKET_POOL_PACKETS_MAX = 1 << 20,
};

enum {
	PACKET_NO_ORIENTATION = 0xff, /* the packet did not tell */
};

struct packet_pool;

struct packet {
	struct packet_pool *pool;  /* private */
	struct packet *next;       /* private: in the free list */
	uint32_t references;       /* private */

	uint32_t timestamp_rtp;    /* as its sender wrote it */
	int64_t seq;               /* its sender's sequence number, extended (rtp_seq_extend) */
	int64_t arrived_us;
	int64_t heard_us;          /* when the sound of the same moment is heard */
	uint64_t source;           /* whose: the caller's number for this layer of this track */
	uint16_t len;              /* of the payload; 0: only padding */
	uint8_t codec;             /* enum video_codec */
	uint8_t demand;            /* enum video_demand: of the stream it belongs to */
	uint8_t orientation;       /* byte of the CVO extension (3GPP TS 26.114) */
	bool marker;
	struct video_facts facts;  /* zeroed when len is 0 */
	uint8_t payload[PACKET_PAYLOAD_BYTES_MAX];
};

[[nodiscard]] int packet_pool_create(struct packet_pool **pool, uint32_t packets_max);
/* Every packet must be back. */
void packet_pool_destroy(struct packet_pool *pool);
/* Packets in use. */
[[nodiscard]] uint32_t packet_pool_used(const struct packet_pool *pool);
[[nodiscard]] uint32_t packet_pool_cap(const struct packet_pool *pool);

/* A packet with a copy of `payload` (NULL: to be filled in by the caller), orientation unknown and
 * all else zero; NULL when the pool is empty.  `len` is at most PACKET_PAYLOAD_BYTES_MAX. */
[[nodiscard]] struct packet *packet_take(struct packet_pool *pool, const uint8_t *payload,
                                         size_t len);
/* One more reference; returns the packet. */
struct packet *packet_hold(struct packet *packet);
/* One less; NULL is fine. */
void packet_put(struct packet *packet);

#endif

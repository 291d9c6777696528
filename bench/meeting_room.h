/* SPDX-License-Identifier: Apache-2.0 */
/* meeting_room -- a fake video room of meeting_load: calls by SIP over UDP with our own user agent, talks
 * Opus and sends H.264 (packetization mode 1), each over a socket of its own, with keys of the SDP or
 * in the clear; and receives one picture.
 *
 * Ownership  create/destroy.  Everything in the settings outlives it.
 * Threads    The loop's.
 * Errors     room_failed() says in words what went wrong.
 */
#ifndef BENCH_MEETING_ROOM_H
#define BENCH_MEETING_ROOM_H

#include <stdbool.h>
#include <stdint.h>

#include "meeting_stream.h"

struct room_settings {
	struct loop *loop;
	struct net_addr sip;  /* of the Call Bridge */
	struct net_addr bind; /* an address, not the wildcard */
	const char *address;  /* of the meeting: a user name, or a whole URI */
	unsigned number;
	bool clear;           /* no SRTP */
	const struct clip *clip;
	const struct voice *voice;
	struct packet_pool *pool;
	struct prng *prng;
	unsigned drop_permille;
};

struct room;

/* NULL: no socket or memory. */
[[nodiscard]] struct room *room_create(const struct room_settings *settings);
void room_destroy(struct room *room);

void room_call(struct room *room);
void room_hang_up(struct room *room);
void room_tick(struct room *room, int64_t now_us);

[[nodiscard]] bool room_ready(const struct room *room);
[[nodiscard]] const char *room_failed(const struct room *room);
void room_talk(struct room *room, bool talks);
[[nodiscard]] struct streams *room_sound(struct room *room);
[[nodiscard]] struct streams *room_picture(struct room *room);

#endif

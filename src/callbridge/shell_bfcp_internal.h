/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the BFCP hub share: shell_bfcp.c (legs, datagrams, time) and
 * shell_bfcp_stream.c (connections). */
#ifndef CALLBRIDGE_SHELL_BFCP_INTERNAL_H
#define CALLBRIDGE_SHELL_BFCP_INTERNAL_H

#include "base/hash.h"
#include "base/slab.h"
#include "base/timer.h"
#include "bfcp/bfcp_client.h"
#include "bfcp/bfcp_server.h"
#include "callbridge/shell_bfcp.h"
#include "net/tcp.h"
#include "net/tls.h"
#include "net/udp.h"

enum {
	BFCP_HUB_DSCP = 24, /* CS3, as SIP */
};

/* A TCP or TLS connection.  Whose it is, is known when it was asked for or has spoken. */
struct hub_connection {
	struct bfcp_hub *hub;
	uint32_t handle;
	uint32_t leg; /* 0: not known */
	enum bfcp_hub_proto proto;
	struct tcp_connection *tcp;
	size_t first_len;
	uint8_t first[BFCP_HEADER_BYTES]; /* of its first message */
};

struct hub_leg {
	struct bfcp_hub *hub;
	uint32_t handle;
	struct bfcp_leg_settings settings;
	uint64_t key; /* in hub->by_key */
	union {
		struct bfcp_server server;
		struct bfcp_client client;
	};
	struct timer timer;
	uint32_t connection;   /* 0: none */
	int64_t retry_us;      /* when to connect again; INT64_MAX: not */
	struct net_addr from;  /* UDP: where its messages come from, and go to */
	struct net_addr local; /* UDP: where they went to */
	bool draining;
};

struct bfcp_hub {
	struct bfcp_hub_settings settings;
	struct loop *loop;
	struct loop_timer *timer;
	struct timer_wheel wheel;
	struct udp_socket *udp;
	struct tcp_listener *tcp;
	struct tcp_listener *tls;
	struct tls_context *tls_server;
	struct tls_context *tls_client;
	uint8_t fingerprint[TLS_FINGERPRINT_BYTES];
	struct slab legs;
	struct slab connections;
	struct map by_key;
	struct hash_key hash_key;
	struct bfcp_hub_counters counters;
};

/* shell_bfcp.c */
/* The leg that a message is for.  `remote` is NULL for legs that we are server of: their ids are
 * enough. */
struct hub_leg *bfcp_hub_find(const struct bfcp_hub *hub, const struct net_addr *remote,
                              enum bfcp_hub_proto proto, uint32_t conference_id,
                              uint16_t user_id);
/* Sends and tells all that there is.  The leg may be gone afterwards. */
void bfcp_hub_drain(struct hub_leg *leg);
/* Gives bytes to the machine; how many it took. */
size_t bfcp_hub_input(struct hub_leg *leg, const uint8_t *bytes, size_t len);
/* The leg's connection has gone. */
void bfcp_hub_machine_lost(struct hub_leg *leg);

/* shell_bfcp_stream.c */
extern const struct tcp_handler bfcp_hub_accept_handler;
extern const struct tcp_limits bfcp_hub_limits;
void bfcp_hub_connect(struct hub_leg *leg);
/* Closes the leg's connection, if it has one: at once, or when everything was sent. */
void bfcp_hub_drop_connection(struct hub_leg *leg, bool orderly);
/* The same when it is of no use any more; the side that opened it opens another. */
void bfcp_hub_lose_connection(struct hub_leg *leg);
void bfcp_hub_abandon(struct hub_connection *connection);

#endif

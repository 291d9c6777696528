/* SPDX-License-Identifier: Apache-2.0 */
/* shell_bfcp -- the sockets of BFCP: a UDP, a TCP and a TLS port for the whole Call Bridge.
 *
 * A hub carries bytes between per-leg machines (bfcp/bfcp_server.h, bfcp/bfcp_client.h) and the
 * network; it holds the machine of each leg, so that whoever wires it sees only events and orders.
 *
 * Which leg   Where we are server, the conference id is ours and different for each leg: a message
 *             that names it and the leg's user id belongs to the leg, wherever it comes from; over
 *             UDP the first such source is kept.  Where the device is server, ids are its own, so
 *             only its address from SDP counts.  Whatever belongs to nobody is counted and dropped
 *             without an answer.
 * Who calls   `setup` of SDP: with `active` the hub connects to the remote address; with `passive`
 *             a connection is the leg's by its first message, or, where we have to speak first, by
 *             the address it comes from.  A connection that says nothing for 10 s is closed; one
 *             that breaks is opened again by the side that opened it, here after
 *             BFCP_HUB_RETRY_US.
 * TLS         Both sides show a certificate; that of the device must have the fingerprint of its
 *             SDP (RFC 8856 section 9), no authority is asked.  DTLS is not spoken.
 *
 * Ownership  create/destroy.  Associations are named by handle; an event's texts are borrowed until
 *            the callback returns.  A leg may be removed inside a callback, its own too.
 * Threads    The loop's.
 * Errors     -errno; -EADDRINUSE when another has the port.
 * Limits     BFCP_HUB_CONNECTIONS_MAX, and `legs_max` associations.
 */
#ifndef CALLBRIDGE_SHELL_BFCP_H
#define CALLBRIDGE_SHELL_BFCP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/str.h"
#include "net/loop.h"

enum {
	BFCP_HUB_CONNECTIONS_MAX = 4096,
	BFCP_HUB_PER_SOURCE_MAX = 64,
	BFCP_HUB_RETRY_US = 2 * 1000 * 1000,
	BFCP_HUB_FINGERPRINT_MAX = 64, /* SHA-512 */
};

struct bfcp_hub;
typedef struct { uint32_t v; } bfcp_leg_id; /* 0: none */

enum bfcp_hub_event_kind {
	BFCP_HUB_UP,       /* messages go to and fro */
	BFCP_HUB_ASK,      /* server: the device wants to present; bfcp_hub_grant() or _deny() */
	BFCP_HUB_RELEASED, /* server: it presents no more, or wants to no more */
	BFCP_HUB_GRANTED,  /* client: we may send content */
	BFCP_HUB_DENIED,   /* client: we may not */
	BFCP_HUB_REVOKED,  /* client: no more; also when the device is out of reach */
	BFCP_HUB_HOLDER,   /* client: who has the floor: `holder`, 0 nobody */
	BFCP_HUB_DOWN,     /* out of reach, or Goodbye; UP comes again if it comes back */
};

struct bfcp_hub_event {
	bfcp_leg_id leg;
	void *context; /* of the leg */
	enum bfcp_hub_event_kind kind;
	uint8_t priority; /* ASK */
	uint16_t holder;  /* HOLDER */
};

struct bfcp_hub_settings {
	struct net_addr udp; /* port 0: any; ADDR_NONE: no UDP */
	struct net_addr tcp; /* the same for TCP */
	struct net_addr tls; /* the same for TLS */
	/* PEM files of our certificate, for TLS; the SDP carries its fingerprint. */
	const char *cert_file;
	const char *key_file;
	uint16_t tls_version_min; /* as in struct tls_settings; ciphers too */
	const char *ciphers;
	uint32_t legs_max;
	void (*event)(void *context, const struct bfcp_hub_event *event);
	void *context;
};

/* On failure `error` has a sentence (TLS_ERROR_MAX bytes). */
[[nodiscard]] int bfcp_hub_create(struct bfcp_hub **out, struct loop *loop,
                                  const struct bfcp_hub_settings *settings, char *error);
void bfcp_hub_destroy(struct bfcp_hub *hub);

enum bfcp_hub_proto {
	BFCP_HUB_UDP, /* UDP/BFCP */
	BFCP_HUB_TCP, /* TCP/BFCP */
	BFCP_HUB_TLS, /* TCP/TLS/BFCP */
};

/* For the m= line: the port, 0 when it is not offered; and the SHA-256 fingerprint of our
 * certificate, 32 bytes, NULL without TLS. */
[[nodiscard]] uint16_t bfcp_hub_port(const struct bfcp_hub *hub, enum bfcp_hub_proto proto);
[[nodiscard]] const uint8_t *bfcp_hub_fingerprint(const struct bfcp_hub *hub);

struct bfcp_leg_settings {
	enum bfcp_hub_proto proto;
	bool client;            /* the device is server (floorctrl:s-only), we ask it */
	bool active;            /* TCP, TLS: we connect */
	struct net_addr remote; /* c= and port of the m= line; port 9 or 0: not known */
	uint32_t conference_id; /* server: ours, of this leg alone; client: of its SDP */
	uint16_t user_id;
	uint16_t floor_id;
	/* TLS: of its SDP; the length tells the hash (20: SHA-1, 32: SHA-256, 48, 64). */
	uint8_t fingerprint_len;
	uint8_t fingerprint[BFCP_HUB_FINGERPRINT_MAX];
	void *context;
};

/* -ENOSPC: the table is full; -EEXIST: another leg has these ids (server) or address and ids
 * (client); -EAFNOSUPPORT: no port of that kind; -EDESTADDRREQ: we would have to speak first, and
 * `remote` says nothing. */
[[nodiscard]] int bfcp_hub_add(struct bfcp_hub *hub, bfcp_leg_id *out,
                               const struct bfcp_leg_settings *settings);
/* Says Goodbye; no event comes any more.  An unknown id is fine. */
void bfcp_hub_remove(struct bfcp_hub *hub, bfcp_leg_id leg);

/* Server: orders as in bfcp_server.h. */
void bfcp_hub_grant(struct bfcp_hub *hub, bfcp_leg_id leg);
void bfcp_hub_deny(struct bfcp_hub *hub, bfcp_leg_id leg, const char *why);
void bfcp_hub_revoke(struct bfcp_hub *hub, bfcp_leg_id leg, const char *why);
void bfcp_hub_holder(struct bfcp_hub *hub, bfcp_leg_id leg, uint16_t user_id, struct str name);
/* Client. */
void bfcp_hub_request(struct bfcp_hub *hub, bfcp_leg_id leg);
void bfcp_hub_release(struct bfcp_hub *hub, bfcp_leg_id leg);

/* Sums, for metrics. */
struct bfcp_hub_counters {
	uint64_t messages_in;  /* pieces of a stream count as one */
	uint64_t messages_out;
	uint64_t strangers;    /* belonged to no leg */
	uint64_t refused_certificates;
	uint64_t rejects;      /* faults of devices, all kinds */
};

[[nodiscard]] struct bfcp_hub_counters bfcp_hub_counters(const struct bfcp_hub *hub);

#endif

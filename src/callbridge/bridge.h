/* SPDX-License-Identifier: Apache-2.0 */
/* bridge -- a Call Bridge's control: SIP sessions, browsers' sessions, the meeting model and the
 * media workers brought together, sans-IO.
 *
 * Everything that happens to a Call Bridge passes through here: SIP by the sip_ua it is given,
 * browsers as C2W messages, media as orders and events, the API by the shared meeting model.  The
 * shell (shell.h) owns sockets, threads and time; the simulator (sim/) owns virtual ones.
 *
 *	sip_ua_datagram(ua, ...);  bridge_drain(bridge, now);
 *	api_request(api, ...);     bridge_drain(bridge, now);
 *	bridge_media(bridge, worker, &event, now);    drains by itself, as all bridge_* inputs do
 *
 * Ownership  bridge_create() allocates tables; a leg's SDP session is on the heap while it lives.
 *            Meeting and user agent are the caller's and outlive the bridge.
 * Threads    The control thread.
 * Units      Microseconds.
 * Errors     Peers' faults become SIP responses, C2W refusals and log lines.
 * Limits     `legs_max` legs; more are refused with 503 and "busy".  A room's pictures that find no
 *            media leg any more are left out, its sound goes on.
 */
#ifndef CALLBRIDGE_BRIDGE_H
#define CALLBRIDGE_BRIDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/str.h"
#include "c2w/c2w.h"
#include "c2w/jwt.h"
#include "meeting/meeting.h"
#include "sdp/sdp.h"
#include "sip/sip_ua.h"
#include "worker/media.h"

enum {
	BRIDGE_WORKERS_MAX = 64,
	BRIDGE_MEDIA_LEGS_MAX = 4, /* of one leg: a room's sound, two pictures and its camera */
	BRIDGE_LINKS_MAX = 16,      /* Web Bridges connected at the same time */
	BRIDGE_ADDRESSES_MAX = 8,   /* of ours that browsers may reach */
	BRIDGE_REJOIN_US = 20 * 1000 * 1000, /* a browser without its WebSocket is waited for */
	BRIDGE_OFFER_US = 60 * 1000 * 1000, /* a browser that is in must offer media by then */
	BRIDGE_MOVE_US = 500 * 1000, /* a move to another worker that has to wait is tried again */
	BRIDGE_MOVES_MAX = 20,
	BRIDGE_ROSTER_US = 100 * 1000, /* roster changes are gathered for so long */
	BRIDGE_STATS_US = 5 * 1000 * 1000,
};

enum bridge_log {
	BRIDGE_LOG_INFO,
	BRIDGE_LOG_WARNING,
};

/* Floor control of a room's leg, as the hub with the sockets (shell_bfcp.h) is told. */
enum bridge_floor_order_kind {
	BRIDGE_FLOOR_OPEN,    /* the settings below; again with each description */
	BRIDGE_FLOOR_CLOSE,
	BRIDGE_FLOOR_GRANT,   /* we are server: the room may present */
	BRIDGE_FLOOR_DENY,    /* `text`: why */
	BRIDGE_FLOOR_REVOKE,  /* `text`: why */
	BRIDGE_FLOOR_HOLDER,  /* `text` is the name of who else presents; empty: nobody does */
	BRIDGE_FLOOR_REQUEST, /* we are client: somebody presents, the room is asked to let us send it */
	BRIDGE_FLOOR_RELEASE,
};

struct bridge_floor_order {
	enum bridge_floor_order_kind kind;
	uint32_t leg; /* comes back in bridge_floor() */
	struct str text;
	bool anew; /* OPEN: other settings than before; what was agreed with the room is over */
	enum sdp_proto proto;
	bool client;
	bool active;  /* we connect */
	struct net_addr remote;
	uint32_t conference_id;
	uint16_t user_id;
	uint16_t floor_id;
	struct sdp_fingerprint fingerprint;
};

enum bridge_floor_event {
	BRIDGE_FLOOR_ASKED,
	BRIDGE_FLOOR_RELEASED,
	BRIDGE_FLOOR_GRANTED, /* client */
	BRIDGE_FLOOR_REFUSED, /* client: denied, or taken back */
};

/* What the shell does for the bridge. */
struct bridge_sink {
	void *context;
	void (*order)(void *context, unsigned worker, const struct media_order *order);
	/* Everything of sip_ua_poll() but events. */
	void (*sip)(void *context, const struct sip_out *out);
	void (*web)(void *context, unsigned link, const struct c2w_message *message);
	void (*floor)(void *context, const struct bridge_floor_order *order);
	void (*log)(void *context, enum bridge_log level, struct str text);
	/* Unguessable bytes. */
	void (*random)(void *context, void *out, size_t len);
	/* A reference to the recordings of a branding profile (OBJECT_CALL_BRANDING or
	 * OBJECT_IVR_BRANDING), or NULL: the bridge's own are played.  May be NULL itself. */
	struct brand *(*brand)(void *context, enum object_type type, uint32_t profile);
	/* Seconds since 1970, for tokens. */
	int64_t (*wall_s)(void *context);
};

/* Where rooms find floor control (shell_bfcp.h); ports 0: not had. */
struct bridge_floors {
	uint16_t udp_port;
	uint16_t tcp_port;
	uint16_t tls_port;
	struct sdp_fingerprint fingerprint; /* of the TLS certificate */
};

struct bridge_settings {
	struct meeting *meeting;
	struct sip_ua *ua;
	unsigned workers;
	uint32_t legs_max;          /* in all */
	uint32_t media_legs_max;    /* what any one worker can take: up to BRIDGE_MEDIA_LEGS_MAX a leg */
	uint32_t rooms_max;         /* not fewer than the model's calls */
	struct sdp_fingerprint fingerprint; /* of the DTLS certificate */
	const struct sip_ua_listener *listeners; /* as given to the ua; borrowed */
	const struct net_addr *web_addresses;    /* ICE candidates: address only; copied */
	unsigned web_address_count;
	struct bridge_floors floors;
	const char *sip_domain;     /* of outgoing calls' From; copied */
	const char *id;             /* GUID of this Call Bridge as text; copied */
	uint8_t jwt_key[JWT_KEY_BYTES];
	uint32_t jwt_hours;
	const char *language;       /* of what is written into pictures (meeting/words.h); borrowed */
	uint8_t prompts_language;   /* of what is said: index among the worker's prompts */
	uint64_t seed;
	struct bridge_sink sink;
};

struct bridge;

[[nodiscard]] int bridge_create(struct bridge **out, const struct bridge_settings *settings,
                                int64_t now_us);
void bridge_destroy(struct bridge *bridge);

/* After every input to the user agent or the model that did not come through a bridge_* call. */
void bridge_drain(struct bridge *bridge, int64_t now_us);

void bridge_media(struct bridge *bridge, unsigned worker, const struct media_event *event,
                  int64_t now_us);

/* What a room says about the floor. */
void bridge_floor(struct bridge *bridge, uint32_t leg, enum bridge_floor_event event,
                  int64_t now_us);

/* A Web Bridge's connection: `web_bridge` is its object's handle. */
void bridge_link_up(struct bridge *bridge, unsigned link, uint32_t web_bridge, int64_t now_us);
void bridge_link_down(struct bridge *bridge, unsigned link, int64_t now_us);
void bridge_web(struct bridge *bridge, unsigned link, const struct c2w_message *message,
                int64_t now_us);

void bridge_tick(struct bridge *bridge, int64_t now_us);
[[nodiscard]] int64_t bridge_deadline(const struct bridge *bridge);

/* Ends every call properly; true once nothing is left.  New calls are refused meanwhile. */
bool bridge_shutdown(struct bridge *bridge, int64_t now_us);

struct bridge_counts {
	uint32_t legs;       /* SIP and web */
	uint32_t rooms;
	uint32_t media_legs; /* slots the workers have not given back yet */
	uint32_t waiting_browsers; /* without WebSocket */
};
struct bridge_counts bridge_count(const struct bridge *bridge);

#endif

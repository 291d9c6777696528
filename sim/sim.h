/* SPDX-License-Identifier: Apache-2.0 */
/* sim -- a Call Bridge's real cores, fake telephones and fake browsers on a virtual network.
 *
 * Everything runs in one thread on virtual time and from one seed: the network loses, delays,
 * reorders and doubles datagrams, people join, mute, hold, vanish and come back.  The same seed
 * gives the same story, but for the few bytes OpenSSL draws for itself in handshakes.
 *
 *	sim_world_create(seed) -> sim_phone_call(), sim_browser_join(), ... -> sim_world_run()
 *	-> sim_world_end()
 *
 * sim_world_end() lets everybody leave, waits until all timers of the protocols have passed, and
 * checks that no leg, port, dialog, transaction or room is left.  A rule that is broken prints the
 * seed and stops the program.
 *
 * Ownership  The world owns everything.
 * Threads    One.
 * Units      Microseconds; losses per mille.
 * Errors     A broken rule is a broken CHECK or sim_fail(): the program stops.
 * Limits     SIM_PEOPLE_MAX people, SIM_WORKERS workers.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/prng.h"
#include "callbridge/bridge.h"
#include "sdp/sdp_session.h"

enum {
	SIM_PEOPLE_MAX = 24,
	SIM_WORKERS = 2,
	SIM_DATAGRAM_MAX = 8192, /* a room's SDP is longer than a packet of the real network */
	SIM_MS = 1000,
	SIM_S = 1000 * SIM_MS,
};

/* ---- The network --------------------------------------------------------------------------- */

struct sim_path {
	unsigned loss_pm;
	unsigned double_pm;
	int64_t delay_us;
	int64_t jitter_us; /* makes reordering */
};

struct sim_packet {
	int64_t at_us;
	uint64_t order; /* of equal times: as sent */
	struct net_addr from;
	struct net_addr to;
	size_t len;
	uint8_t bytes[]; /* at most SIM_DATAGRAM_MAX */
};

struct sim_net {
	struct prng prng;
	struct sim_path path;
	struct sim_packet **heap;
	size_t count;
	size_t cap;
	uint64_t sent;
	uint64_t lost;
};

void sim_net_init(struct sim_net *net, uint64_t seed, const struct sim_path *path);
void sim_net_fini(struct sim_net *net);
void sim_net_send(struct sim_net *net, const struct net_addr *from, const struct net_addr *to,
                  const void *bytes, size_t len, int64_t now_us);
/* The next datagram that has arrived by now, to be freed; NULL when none has. */
struct sim_packet *sim_net_take(struct sim_net *net, int64_t now_us);

/* ---- A pitch in what was heard --------------------------------------------------------------- */

enum { SIM_HEARD = 8000 };

struct sim_ear {
	int16_t samples[SIM_HEARD]; /* the last second, at 8 kHz */
	unsigned at;
	unsigned count;
};

void sim_ear_hear(struct sim_ear *ear, const int16_t *pcm, size_t count);
/* Amplitude of a pitch in the last `samples`. */
double sim_ear_loudness(const struct sim_ear *ear, double pitch_hz, unsigned samples);

/* ---- People --------------------------------------------------------------------------------- */

struct sim_phone;
struct sim_browser;
struct sim_world;

enum sim_security { SIM_CLEAR, SIM_SDES, SIM_DTLS };

struct sim_phone_settings {
	const char *target;   /* "demo", "1001" */
	const char *passcode; /* typed once connected; NULL: none */
	enum sim_security security;
	bool late_offer;
	bool stubborn;        /* takes no offer within a call */
	double pitch_hz;
};

struct sim_world *sim_world_create(uint64_t seed, const struct sim_path *path);
/* Everybody leaves, time passes, everything must be gone; frees the world. */
void sim_world_end(struct sim_world *world);
/* Only frees. */
void sim_world_destroy(struct sim_world *world);
void sim_world_run(struct sim_world *world, int64_t span_us);
/* The Web Bridge's connection breaks, or comes back. */
void sim_world_link(struct sim_world *world, bool up);
/* The space's call, started if need be, dials an address; false when it is refused. */
bool sim_world_dial(struct sim_world *world, const char *space_uri, const char *address,
                    uint32_t *leg);
int64_t sim_world_now(const struct sim_world *world);
struct bridge *sim_world_bridge(struct sim_world *world);
struct meeting *sim_world_meeting(struct sim_world *world);
struct sim_net *sim_world_net(struct sim_world *world);
struct prng *sim_world_prng(struct sim_world *world);
/* Prints what is wrong with the seed, and stops. */
__attribute__((format(printf, 2, 3))) _Noreturn void sim_fail(const struct sim_world *world,
                                                              const char *format, ...);

struct sim_phone *sim_phone_call(struct sim_world *world, const struct sim_phone_settings *settings);
/* Waits to be called at its address; gives "user@host". */
struct sim_phone *sim_phone_wait(struct sim_world *world, double pitch_hz, char *address, size_t cap);
/* Rings for so long before it answers, with a description that nothing is sent by. */
void sim_phone_ring(struct sim_phone *phone, int64_t span_us);
bool sim_phone_talking(const struct sim_phone *phone); /* answered and media agreed */
void sim_phone_mute(struct sim_phone *phone, bool muted);
void sim_phone_hold(struct sim_phone *phone, bool held);
/* Offers this instead of what it can do; the old agreement stands when it is refused. */
void sim_phone_offer(struct sim_phone *phone, struct str sdp);
unsigned sim_phone_offer_status(const struct sim_phone *phone); /* of the last refused offer */
void sim_phone_hang_up(struct sim_phone *phone);
void sim_phone_vanish(struct sim_phone *phone); /* no word, no packet any more */
struct sim_ear *sim_phone_ear(struct sim_phone *phone);
double sim_phone_pitch(const struct sim_phone *phone);
unsigned sim_phone_ended_status(const struct sim_phone *phone); /* final status of a refused call */

struct sim_browser *sim_browser_join(struct sim_world *world, const char *address,
                                     const char *passcode, double pitch_hz);
bool sim_browser_talking(const struct sim_browser *browser);
void sim_browser_mute(struct sim_browser *browser, bool muted); /* asks the bridge */
void sim_browser_drop_socket(struct sim_browser *browser);      /* its WebSocket breaks */
void sim_browser_reopen(struct sim_browser *browser);           /* and comes back by the token */
void sim_browser_new_media(struct sim_browser *browser);        /* a new RTCPeerConnection */
void sim_browser_leave(struct sim_browser *browser);
void sim_browser_vanish(struct sim_browser *browser);
struct sim_ear *sim_browser_ear(struct sim_browser *browser);
double sim_browser_pitch(const struct sim_browser *browser);
unsigned sim_browser_people(const struct sim_browser *browser); /* in its roster */
const char *sim_browser_refused(const struct sim_browser *browser);

#endif

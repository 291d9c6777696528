/* SPDX-License-Identifier: Apache-2.0 */
/* meeting_link -- one socket of a fake person of meeting_load, and what secures it: ICE and DTLS as a
 * browser's, or keys of the SDP (SDES) as a room's.  What is sent goes in plain and comes out plain.
 *
 *	link_open(); link_start_browser() or link_start_room(); -> handler->connected
 *	link_rtp(), link_rtcp() to send; link_tick() every few milliseconds
 *
 * A part of what is received can be lost on purpose.  Packets with the transport-wide number are told
 * of to the sender (bwe/twcc_receive.h), and video is sent with it when it was agreed.
 *
 * Ownership  link_open/link_close.  Packets are borrowed to the callbacks until they return.
 * Threads    The loop's.
 * Units      Microseconds.
 * Errors     0 or -errno; `failed` says in words why a link will never work.
 */
#ifndef BENCH_MEETING_LINK_H
#define BENCH_MEETING_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "bwe/twcc_receive.h"
#include "dtls/dtls.h"
#include "ice/ice_check.h"
#include "net/udp.h"
#include "rtp/rtp.h"
#include "srtp/srtp.h"

enum {
	LINK_PACKET_BYTES_MAX = 1500,
	LINK_EXTS_MAX = 4, /* given by the caller; the transport-wide number comes on top */
};

struct link_handler {
	void (*connected)(void *context, int64_t now_us);
	void (*rtp)(void *context, const struct rtp_packet *packet, int64_t now_us);
	void (*rtcp)(void *context, const uint8_t *bytes, size_t len, int64_t now_us);
};

struct link_settings {
	struct loop *loop;
	struct net_addr bind; /* port 0: any */
	unsigned drop_permille; /* of received RTP and RTCP */
	struct prng *prng;
	const struct link_handler *handler;
	void *context;
};

struct link {
	struct link_settings settings;
	struct udp_socket *socket;
	struct net_addr remote;
	bool checking; /* `ice` and `dtls` are in use */
	bool connected;
	const char *failed; /* NULL: not */
	struct ice_check ice;
	struct dtls dtls;
	struct srtp_session *tx;
	struct srtp_session *rx;
	uint8_t twcc_ext; /* 0: not agreed */
	uint16_t twcc_seq;
	struct twcc_receive twcc;
	uint64_t packets_in;
	uint64_t packets_out;
	uint64_t forged;
};

[[nodiscard]] int link_open(struct link *link, const struct link_settings *settings);
/* A zeroed link is fine. */
void link_close(struct link *link);

struct link_browser {
	struct ice_check_settings ice;
	const struct dtls_context *dtls;
	struct dtls_fingerprint fingerprint; /* of the bridge */
	const struct net_addr *candidates;
	const uint32_t *priorities;
	unsigned candidate_count;
	uint8_t twcc_ext;
	uint32_t ssrc; /* that our feedback comes from */
};

void link_start_browser(struct link *link, const struct link_browser *browser, int64_t now_us);

struct link_room {
	struct net_addr remote;
	enum srtp_suite suite; /* SRTP_SUITE_NONE: clear */
	const uint8_t *key_tx; /* salt behind it */
	const uint8_t *key_rx;
};

void link_start_room(struct link *link, const struct link_room *room, int64_t now_us);

/* `header` with its sequence number; `wide`: with the transport-wide one, where agreed. */
void link_rtp(struct link *link, const struct rtp_header *header, const uint8_t *payload,
              size_t payload_len, bool wide);
/* A compound packet, in the clear and in a buffer of ours with LINK_PACKET_BYTES_MAX. */
void link_rtcp(struct link *link, uint8_t *bytes, size_t len);

void link_tick(struct link *link, int64_t now_us);

#endif

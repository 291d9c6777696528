/* SPDX-License-Identifier: Apache-2.0 */
/* rtp_source -- whose packets are taken, and where ours go: no RTP bleed, no injection.
 *
 * What the leg's security allows decides (enum rtp_source_policy):
 *  PLAIN  Nothing authenticates the sender.  The address that was signalled is taken.  A phone
 *         behind NAT shows another one; it is learned once, in a short window after the SDP, when
 *         several packets in sequence come from a plausible place while the signalled address is
 *         silent.  Plausible is: the signalled IP with another port, the IP its signalling comes
 *         from, or anything when the signalled address cannot be reached from here (private,
 *         unspecified).  After that, or after the first packet from the signalled address, the
 *         source is locked until signalling names another address.
 *  SRTP   A packet that authenticated proves its sender, wherever it comes from, and may move the
 *         address, if it is newer than the last.  One that did not changes nothing.
 *  ICE    Only the selected pair's address is taken; only ICE moves it.
 * A new SSRC from the locked address is taken on PLAIN when the old one is quiet and the new one
 * persists (RTP_SOURCE_CONFIRM packets in sequence): phones change it on hold and transfer.
 *
 * Ownership  A value; addresses are copied.
 * Threads    One owner.
 * Units      Microseconds.
 * Errors     None: every packet gets a verdict, and strangers are counted.
 * Limits     One candidate at a time; strangers cost two counters and no memory.
 */
#ifndef RTP_RTP_SOURCE_H
#define RTP_RTP_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

enum {
	RTP_SOURCE_LEARN_US = 5 * 1000 * 1000, /* the window after an SDP in which NAT is learned */
	RTP_SOURCE_HOLD_US = 300 * 1000, /* a candidate silent for so long gives way to another */
	RTP_SOURCE_QUIET_US = 100 * 1000, /* an SSRC heard since then gives way to no other */
	RTP_SOURCE_CONFIRM = 4,          /* packets in sequence make a candidate the source */
	RTP_SOURCE_GAP_MAX = 5,          /* numbers a candidate may skip from packet to packet */
};

enum rtp_source_policy {
	RTP_SOURCE_PLAIN,
	RTP_SOURCE_SRTP,
	RTP_SOURCE_ICE,
};

enum rtp_source_verdict {
	RTP_SOURCE_TAKE,     /* from the source */
	RTP_SOURCE_MOVED,    /* taken, and the source's address or SSRC is now this packet's */
	RTP_SOURCE_WAIT,     /* plausible, not yet confirmed: drop */
	RTP_SOURCE_STRANGER, /* drop */
};

struct rtp_source_packet {
	const struct net_addr *from;
	uint32_t ssrc;
	uint16_t seq;
	bool authentic; /* SRTP accepted it */
};

struct rtp_source {
	enum rtp_source_policy policy;
	bool locked;   /* PLAIN: nothing is learned any more */
	bool ssrc_set;
	bool candidate_set;
	uint8_t candidate_count;
	uint16_t candidate_seq;
	uint16_t seq; /* SRTP: highest */
	uint32_t ssrc;
	uint32_t candidate_ssrc;
	struct net_addr signalled;
	struct net_addr signalling; /* where the peer's SIP comes from, if known */
	struct net_addr remote;    /* where we send, and on PLAIN and ICE whom we hear */
	struct net_addr candidate; /* who may become it */
	int64_t learn_until_us;
	int64_t candidate_us; /* its last packet */
	int64_t heard_us;     /* PLAIN: the source's last packet */
	uint64_t strangers;
	uint64_t moves;
};

/* `remote` is the address of the SDP or of the selected pair, possibly unspecified (family NONE,
 * 0.0.0.0 or port 0): then nothing is sent until something is learned. */
void rtp_source_init(struct rtp_source *source, enum rtp_source_policy policy,
                     const struct net_addr *remote, int64_t now_us);
/* Where the peer's signalling comes from: a phone behind NAT shows the same IP there. */
void rtp_source_hint(struct rtp_source *source, const struct net_addr *signalling);
/* Whether an address can be that of the signalled phone, seen through a NAT, as far as addresses
 * tell: for what comes before RTP and authenticates itself, such as a DTLS handshake. */
[[nodiscard]] bool rtp_source_plausible(const struct rtp_source *source,
                                        const struct net_addr *from);
/* Another SDP came, or another pair was selected.  The same address again changes nothing that was
 * learned or locked; another one starts anew. */
void rtp_source_signal(struct rtp_source *source, const struct net_addr *remote, int64_t now_us);

/* Judges one RTP packet.  On SRTP call it after unprotecting; one that failed is a stranger. */
[[nodiscard]] enum rtp_source_verdict rtp_source_input(struct rtp_source *source,
                                                       const struct rtp_source_packet *packet,
                                                       int64_t now_us);
/* Judges an RTCP packet, which moves nothing.  PLAIN: from the remote's IP, as NAT gives RTCP a
 * port of its own.  SRTP: authentic.  ICE: from the selected pair. */
[[nodiscard]] bool rtp_source_rtcp(struct rtp_source *source, const struct net_addr *from,
                                   bool authentic);

/* Where to send, or NULL while nobody knows. */
[[nodiscard]] const struct net_addr *rtp_source_remote(const struct rtp_source *source);

#endif

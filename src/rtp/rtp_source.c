/* SPDX-License-Identifier: Apache-2.0 */
#include "rtp/rtp_source.h"

#include "base/check.h"

static bool
usable(const struct net_addr *addr)
{
	return addr->family != ADDR_NONE && addr->port != 0 && !addr_is_unspecified(addr) &&
	       !addr_is_multicast(addr);
}

void
rtp_source_init(struct rtp_source *source, enum rtp_source_policy policy,
                const struct net_addr *remote, int64_t now_us)
{
	*source = (struct rtp_source){
		.policy = policy,
		.signalled = *remote,
		.remote = *remote,
		.learn_until_us = now_us + RTP_SOURCE_LEARN_US,
	};
}

void
rtp_source_hint(struct rtp_source *source, const struct net_addr *signalling)
{
	source->signalling = *signalling;
}

void
rtp_source_signal(struct rtp_source *source, const struct net_addr *remote, int64_t now_us)
{
	const bool changed = !addr_eq(remote, &source->signalled);
	if (changed) {
		source->signalled = *remote;
		source->remote = *remote;
		source->locked = false;
		source->ssrc_set = false;
		source->candidate_set = false;
	}
	if (!source->locked)
		source->learn_until_us = now_us + RTP_SOURCE_LEARN_US;
}

/* Nobody outside its own network or machine can send from there. */
static bool
is_inner(const struct net_addr *addr)
{
	return addr_is_private(addr) || addr_is_loopback(addr) || addr_is_link_local(addr);
}

bool
rtp_source_plausible(const struct rtp_source *source, const struct net_addr *from)
{
	if (!usable(from))
		return false;
	return addr_eq_ip(from, &source->signalled) || addr_eq_ip(from, &source->signalling) ||
	       !usable(&source->signalled) || is_inner(&source->signalled);
}

static bool
may_learn(const struct rtp_source *source, const struct net_addr *from, int64_t now_us)
{
	return !source->locked && now_us < source->learn_until_us &&
	       rtp_source_plausible(source, from);
}

/* Counts packets in sequence from one address and SSRC; true when there are enough. */
static bool
confirm(struct rtp_source *source, const struct rtp_source_packet *packet, int64_t now_us)
{
	const uint16_t step = (uint16_t)(packet->seq - source->candidate_seq);
	const bool same = source->candidate_set && addr_eq(packet->from, &source->candidate) &&
	                  packet->ssrc == source->candidate_ssrc;
	if (same && step == 0)
		return false; /* the same packet again proves nothing */
	const bool follows = same && step <= RTP_SOURCE_GAP_MAX;
	source->candidate_count = follows ? (uint8_t)(source->candidate_count + 1) : 1;
	source->candidate_set = true;
	source->candidate = *packet->from;
	source->candidate_ssrc = packet->ssrc;
	source->candidate_seq = packet->seq;
	source->candidate_us = now_us;
	return source->candidate_count >= RTP_SOURCE_CONFIRM;
}

/* Another candidate was here a moment ago: the second one waits its turn. */
static bool
is_held(const struct rtp_source *source, const struct rtp_source_packet *packet, int64_t now_us)
{
	return source->candidate_set && now_us - source->candidate_us < RTP_SOURCE_HOLD_US &&
	       (!addr_eq(packet->from, &source->candidate) ||
	        packet->ssrc != source->candidate_ssrc);
}

static enum rtp_source_verdict
adopt(struct rtp_source *source, const struct rtp_source_packet *packet, int64_t now_us)
{
	source->heard_us = now_us;
	source->remote = *packet->from;
	source->ssrc = packet->ssrc;
	source->ssrc_set = true;
	source->seq = packet->seq;
	source->locked = true;
	source->candidate_set = false;
	source->moves++;
	return RTP_SOURCE_MOVED;
}

static enum rtp_source_verdict
stranger(struct rtp_source *source)
{
	source->strangers++;
	return RTP_SOURCE_STRANGER;
}

static enum rtp_source_verdict
input_plain(struct rtp_source *source, const struct rtp_source_packet *packet, int64_t now_us)
{
	if (addr_eq(packet->from, &source->remote)) {
		if (!source->ssrc_set) {
			source->ssrc = packet->ssrc;
			source->ssrc_set = true;
			source->locked = true;
			source->candidate_set = false;
		}
		if (packet->ssrc == source->ssrc) {
			source->heard_us = now_us;
			return RTP_SOURCE_TAKE;
		}
		if (now_us - source->heard_us < RTP_SOURCE_QUIET_US)
			return RTP_SOURCE_WAIT;
	} else if (!may_learn(source, packet->from, now_us)) {
		return stranger(source);
	}
	if (is_held(source, packet, now_us))
		return stranger(source);
	return confirm(source, packet, now_us) ? adopt(source, packet, now_us) : RTP_SOURCE_WAIT;
}

static enum rtp_source_verdict
input_srtp(struct rtp_source *source, const struct rtp_source_packet *packet, int64_t now_us)
{
	if (!packet->authentic)
		return stranger(source);
	const bool same_ssrc = source->ssrc_set && packet->ssrc == source->ssrc;
	const bool newer = !same_ssrc || (int16_t)(uint16_t)(packet->seq - source->seq) > 0;
	if (!newer)
		return RTP_SOURCE_TAKE; /* a straggler, perhaps by the old path */
	if (!addr_eq(packet->from, &source->remote) && usable(packet->from))
		return adopt(source, packet, now_us);
	source->ssrc = packet->ssrc;
	source->ssrc_set = true;
	source->seq = packet->seq;
	return RTP_SOURCE_TAKE;
}

enum rtp_source_verdict
rtp_source_input(struct rtp_source *source, const struct rtp_source_packet *packet, int64_t now_us)
{
	switch (source->policy) {
	case RTP_SOURCE_PLAIN:
		return input_plain(source, packet, now_us);
	case RTP_SOURCE_SRTP:
		return input_srtp(source, packet, now_us);
	case RTP_SOURCE_ICE:
		return addr_eq(packet->from, &source->remote) ? RTP_SOURCE_TAKE : stranger(source);
	}
	check_fail(__FILE__, __LINE__, "a policy");
}

bool
rtp_source_rtcp(struct rtp_source *source, const struct net_addr *from, bool authentic)
{
	bool taken = false;
	switch (source->policy) {
	case RTP_SOURCE_PLAIN:
		taken = usable(&source->remote) && addr_eq_ip(from, &source->remote);
		break;
	case RTP_SOURCE_SRTP:
		taken = authentic;
		break;
	case RTP_SOURCE_ICE:
		taken = addr_eq(from, &source->remote);
		break;
	}
	source->strangers += !taken;
	return taken;
}

const struct net_addr *
rtp_source_remote(const struct rtp_source *source)
{
	return usable(&source->remote) ? &source->remote : NULL;
}

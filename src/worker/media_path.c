/* SPDX-License-Identifier: Apache-2.0 */
/* The way between a leg and its peer: ICE finds it, DTLS and SRTP secure it. */
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "stun/stun_msg.h"
#include "worker/media_internal.h"

enum {
	UFRAG_HANDLE_LEN = 8, /* our ufrag starts with the leg's handle in hex: no table is needed */
	UFRAG_RANDOM_BYTES = 6,
	PWD_RANDOM_BYTES = 24, /* RFC 8445 s5.3: at least 128 bits */
	SRTP_STREAMS_TX = 2,         /* one line and its retransmissions */
	SRTP_STREAMS_TX_SHARED = 2 * MEDIA_LINES_MAX + 1,
	SRTP_STREAMS_RX = 4,
	SRTP_STREAMS_RX_SHARED = 24, /* sound, and two tracks with layers and retransmissions */
	SRTP_SSRCS_SHARED = 128,
};

static_assert(UFRAG_HANDLE_LEN + UFRAG_RANDOM_BYTES / 3 * 4 <= ICE_UFRAG_MAX, "our ufrag fits");
static_assert(sizeof((struct media_opened *)0)->ice_ufrag > UFRAG_HANDLE_LEN + 8, "and is told");

/* ---- ICE ----------------------------------------------------------------------------------- */

static uint64_t
addr_key(const struct media *media, const struct net_addr *addr)
{
	return hash_bytes(&media->hash_key, addr, sizeof *addr);
}

static void
forget_source(struct media *media, struct media_leg *leg, unsigned index)
{
	map_remove(&media->by_addr, addr_key(media, &leg->mapped[index]), leg->id);
	leg->mapped_count--;
	memmove(&leg->mapped[index], &leg->mapped[index + 1],
	        (leg->mapped_count - index) * sizeof leg->mapped[0]);
}

/* The leg's entry for this source, or `mapped_count`. */
static unsigned
find_source(const struct media_leg *leg, const struct net_addr *from)
{
	unsigned index = 0;
	while (index < leg->mapped_count && !addr_eq(&leg->mapped[index], from))
		index++;
	return index;
}

struct media_leg *
path_leg_by_source(const struct media *media, const struct net_addr *from)
{
	struct map_cursor cursor = map_find(&media->by_addr, addr_key(media, from));
	for (uint32_t id; (id = map_next(&media->by_addr, &cursor)) != 0;) {
		struct media_leg *leg = media_leg_get(media, id);
		if (leg != NULL && ice_lite_verified(&leg->ice, from))
			return leg;
	}
	return NULL;
}

/* Remembers a verified source of the shared port; the oldest entry makes room.  Of two legs that
 * were checked from one address the one checked last has it: a browser that was closed and comes
 * back from the same port, before the old leg has missed it. */
static void
map_source(struct media *media, struct media_leg *leg, const struct net_addr *from)
{
	if (find_source(leg, from) != leg->mapped_count)
		return;
	struct media_leg *before = path_leg_by_source(media, from);
	if (before != NULL && find_source(before, from) != before->mapped_count)
		forget_source(media, before, find_source(before, from));
	if (leg->mapped_count == ICE_LITE_PAIRS_MAX)
		forget_source(media, leg, 0);
	if (map_put(&media->by_addr, addr_key(media, from), leg->id))
		leg->mapped[leg->mapped_count++] = *from;
}

struct media_leg *
path_leg_by_username(const struct media *media, struct str username)
{
	uint8_t bytes[UFRAG_HANDLE_LEN / 2];
	if (username.len < UFRAG_HANDLE_LEN ||
	    decode_hex(bytes, sizeof bytes, str_sub(username, 0, UFRAG_HANDLE_LEN)) < 0)
		return NULL;
	struct reader r = reader_of(bytes, sizeof bytes);
	return media_leg_get(media, reader_u32(&r));
}

void
path_make_credentials(struct media *media, struct media_leg *leg, struct media_opened *opened)
{
	uint8_t random[UFRAG_RANDOM_BYTES + PWD_RANDOM_BYTES];
	struct writer ufrag = writer_of(opened->ice_ufrag, sizeof opened->ice_ufrag - 1);
	struct writer pwd = writer_of(opened->ice_pwd, sizeof opened->ice_pwd - 1);
	media->settings.random(media->settings.random_context, random, sizeof random);
	writer_format(&ufrag, "%08x", leg->id);
	/* ice-char is the base64 alphabet with + and /; base64url's - and _ are not in it. */
	encode_base64(&ufrag, random, UFRAG_RANDOM_BYTES);
	encode_base64(&pwd, random + UFRAG_RANDOM_BYTES, PWD_RANDOM_BYTES);
	CHECK(!ufrag.failed && !pwd.failed);
	opened->ice_ufrag[ufrag.at] = '\0';
	opened->ice_pwd[pwd.at] = '\0';
	explicit_bzero(random, sizeof random);
}


void
path_connected(struct media *media, struct media_leg *leg)
{
	if (leg->connected)
		return;
	leg->connected = true;
	if (leg->video != NULL)
		video_connected(media, leg);
	media_event(media, leg, MEDIA_EVENT_LEG_CONNECTED, 0, leg->suite);
}

/* With ICE the first way to the peer opens DTLS; without security it is all there is to wait for. */
static void
ice_selected(struct media *media, struct media_leg *leg, const struct net_addr *to, int64_t now_us)
{
	rtp_source_signal(&leg->source, to, now_us);
	if (leg->dtls != NULL && leg->dtls->role == DTLS_CLIENT && leg->dtls->state == DTLS_IDLE) {
		if (dtls_start(leg->dtls, now_us) != 0)
			media_leg_lost(media, leg, MEDIA_LOST_DTLS);
		path_drain_dtls(media, leg, now_us);
	}
	if (leg->has_transport && leg->security != MEDIA_SECURITY_DTLS)
		path_connected(media, leg);
}

static struct ice_lite *
agent_of(struct media_leg *leg, unsigned socket)
{
	return socket == MEDIA_SOCKET_RTCP ? leg->ice_rtcp : &leg->ice;
}

/* The RTP component decides about the leg; the RTCP one only says where reports go. */
void
path_drain_ice(struct media *media, struct media_leg *leg, unsigned socket, int64_t now_us)
{
	struct net_addr selected = { 0 };
	struct ice_lite *ice = agent_of(leg, socket);
	for (struct ice_lite_out out; (out = ice_lite_poll(ice)).kind != ICE_LITE_OUT_NONE;) {
		switch (out.kind) {
		case ICE_LITE_OUT_DATAGRAM:
			transport_emit(media, leg, socket, out.to, out.bytes, out.len);
			break;
		case ICE_LITE_OUT_SELECTED:
			selected = *out.to;
			break;
		case ICE_LITE_OUT_EXPIRED:
			if (ice == &leg->ice)
				media_leg_lost(media, leg, MEDIA_LOST_CONSENT);
			break;
		case ICE_LITE_OUT_RESTARTED:
		case ICE_LITE_OUT_NONE:
			break;
		}
	}
	if (selected.family == ADDR_NONE)
		return;
	if (ice != &leg->ice) {
		leg->remote_rtcp = selected;
		return;
	}
	if (socket >= MEDIA_SOCKET_SHARED)
		leg->shared_socket = (uint8_t)socket;
	ice_selected(media, leg, &selected, now_us);
}

void
path_input_stun(struct media *media, struct media_leg *leg, unsigned socket,
           const struct net_addr *from, const uint8_t *bytes, size_t len, int64_t now_us)
{
	struct ice_lite *ice = agent_of(leg, socket);
	if (ice == NULL || (!leg->open.ice && leg->open.transport != MEDIA_TRANSPORT_SHARED)) {
		leg->rejected++;
		return;
	}
	const enum ice_lite_reject reject = ice_lite_input(ice, from, bytes, len, now_us);
	if (reject != ICE_LITE_OK) {
		leg->rejected++;
	} else if (leg->open.transport == MEDIA_TRANSPORT_SHARED &&
	           ice_lite_verified(&leg->ice, from)) {
		map_source(media, leg, from);
		/* Until a pair is selected the last verified one carries the handshake. */
		if (!leg->connected)
			leg->shared_socket = (uint8_t)socket;
	}
	path_drain_ice(media, leg, socket, now_us);
	media_leg_arm(media, leg, now_us);
}

/* ---- DTLS ---------------------------------------------------------------------------------- */

void
path_drop_srtp(struct media_leg *leg)
{
	srtp_session_destroy(leg->srtp_tx);
	srtp_session_destroy(leg->srtp_rx);
	leg->srtp_tx = NULL;
	leg->srtp_rx = NULL;
	leg->suite = SRTP_SUITE_NONE;
}

bool
path_make_srtp(struct media_leg *leg, enum srtp_suite suite_tx, const uint8_t *key_tx,
          const uint8_t *salt_tx, enum srtp_suite suite_rx, const uint8_t *key_rx,
          const uint8_t *salt_rx)
{
	const bool shared = leg->open.transport == MEDIA_TRANSPORT_SHARED;
	const struct srtp_settings tx = {
		.suite = suite_tx, .direction = SRTP_OUTBOUND, .key = key_tx, .salt = salt_tx,
		.streams_max = shared ? SRTP_STREAMS_TX_SHARED : SRTP_STREAMS_TX,
		.ssrcs_max = shared ? SRTP_SSRCS_SHARED : 0,
	};
	const struct srtp_settings rx = {
		.suite = suite_rx, .direction = SRTP_INBOUND, .key = key_rx, .salt = salt_rx,
		.streams_max = shared ? SRTP_STREAMS_RX_SHARED : SRTP_STREAMS_RX,
		.ssrcs_max = shared ? SRTP_SSRCS_SHARED : 0,
	};
	path_drop_srtp(leg);
	if (srtp_session_create(&leg->srtp_tx, &tx) != 0)
		leg->srtp_tx = NULL;
	else if (srtp_session_create(&leg->srtp_rx, &rx) != 0)
		leg->srtp_rx = NULL;
	else
		leg->suite = (uint8_t)suite_tx;
	return leg->suite != SRTP_SUITE_NONE;
}

static void
dtls_connected(struct media *media, struct media_leg *leg, const struct dtls_keys *keys)
{
	const enum srtp_suite suite = srtp_suite_by_dtls_profile((uint16_t)keys->profile);
	if (suite == SRTP_SUITE_NONE ||
	    !path_make_srtp(leg, suite, keys->local.key, keys->local.salt, suite, keys->remote.key,
	               keys->remote.salt)) {
		media_leg_lost(media, leg, MEDIA_LOST_DTLS);
		return;
	}
	path_connected(media, leg);
}

void
path_drain_dtls(struct media *media, struct media_leg *leg, int64_t now_us)
{
	const struct net_addr *to = transport_remote(leg);
	for (struct dtls_out out; (out = dtls_poll(leg->dtls)).kind != DTLS_OUT_NONE;) {
		switch (out.kind) {
		case DTLS_OUT_DATAGRAM:
			if (to != NULL)
				transport_emit(media, leg, transport_socket(leg), to, out.bytes, out.len);
			break;
		case DTLS_OUT_CONNECTED:
			dtls_connected(media, leg, out.keys);
			break;
		case DTLS_OUT_FAILED:
			media_leg_lost(media, leg,
			               out.failure == DTLS_FAILURE_FINGERPRINT
			                       ? MEDIA_LOST_FINGERPRINT
			                       : MEDIA_LOST_DTLS);
			break;
		case DTLS_OUT_CLOSED:
			media_leg_lost(media, leg, MEDIA_LOST_CLOSED);
			break;
		case DTLS_OUT_NONE:
			break;
		}
	}
	media_leg_arm(media, leg, now_us);
}

/* From an address that ICE verified, or that may be the one the SDP told, seen through a NAT. */
static bool
dtls_source_allowed(const struct media_leg *leg, const struct net_addr *from)
{
	if (leg->ice_used || leg->open.transport == MEDIA_TRANSPORT_SHARED)
		return ice_lite_verified(&leg->ice, from);
	return rtp_source_plausible(&leg->source, from);
}

void
path_input_dtls(struct media *media, struct media_leg *leg, const struct net_addr *from,
           const uint8_t *bytes, size_t len, int64_t now_us)
{
	if (leg->dtls == NULL || !dtls_source_allowed(leg, from)) {
		leg->rejected++;
		return;
	}
	/* A peer behind NAT without ICE: the handshake must go back where it comes from. */
	if (!leg->ice_used && !leg->connected)
		rtp_source_signal(&leg->source, from, now_us);
	dtls_input(leg->dtls, bytes, len, now_us);
	path_drain_dtls(media, leg, now_us);
}

static int
hash_of_length(uint8_t len)
{
	switch (len) {
	case 20:
		return DTLS_SHA1;
	case 32:
		return DTLS_SHA256;
	case 48:
		return DTLS_SHA384;
	case 64:
		return DTLS_SHA512;
	default:
		return -1;
	}
}

void
path_drop_dtls(struct media_leg *leg)
{
	if (leg->dtls == NULL)
		return;
	dtls_fini(leg->dtls);
	free(leg->dtls);
	leg->dtls = NULL;
}

void
path_start_dtls(struct media *media, struct media_leg *leg,
           const struct media_transport_settings *settings, int64_t now_us)
{
	const int hash = hash_of_length(settings->fingerprint_len);
	if (hash < 0 || media->settings.dtls == NULL) {
		media_leg_lost(media, leg, MEDIA_LOST_FINGERPRINT);
		return;
	}
	struct dtls_fingerprint fingerprint = { .hash = (enum dtls_hash)hash };
	memcpy(fingerprint.digest, settings->fingerprint, settings->fingerprint_len);
	const struct dtls_settings dtls = {
		.context = media->settings.dtls,
		.role = settings->dtls_server ? DTLS_SERVER : DTLS_CLIENT,
		.fingerprints = &fingerprint,
		.fingerprint_count = 1,
	};
	path_drop_dtls(leg);
	path_drop_srtp(leg);
	leg->connected = false;
	leg->dtls = calloc(1, sizeof *leg->dtls);
	if (leg->dtls == NULL) {
		media_leg_lost(media, leg, MEDIA_LOST_DTLS);
		return;
	}
	memcpy(leg->fingerprint, settings->fingerprint, sizeof leg->fingerprint);
	dtls_init(leg->dtls, &dtls, now_us);
	/* A client with ICE waits until there is a way to the server. */
	if (settings->dtls_server || !leg->ice_used || transport_remote(leg) != NULL) {
		if (dtls_start(leg->dtls, now_us) != 0)
			media_leg_lost(media, leg, MEDIA_LOST_DTLS);
		path_drain_dtls(media, leg, now_us);
	}
}

/* A sign of life.  SIP devices of RFC 5245 check once and never again: their media counts for them;
 * browsers are judged by their checks alone (RFC 7675). */

/* Says goodbye by DTLS, and forgets all that was agreed. */
void
path_close(struct media *media, struct media_leg *leg, int64_t now_us)
{
	if (leg->dtls != NULL && leg->connected) {
		dtls_close(leg->dtls, now_us);
		leg->lost = true; /* nothing that comes out now is news */
		path_drain_dtls(media, leg, now_us);
	}
	path_drop_dtls(leg);
	path_drop_srtp(leg);
	while (leg->mapped_count != 0)
		forget_source(media, leg, leg->mapped_count - 1u);
	ice_lite_fini(&leg->ice);
	if (leg->ice_rtcp != NULL)
		ice_lite_fini(leg->ice_rtcp);
	free(leg->ice_rtcp);
	leg->ice_rtcp = NULL;
}

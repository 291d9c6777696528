/* SPDX-License-Identifier: Apache-2.0 */
/* What a silent listener weighs: resident bytes of a media worker per leg that is connected, in a
 * room, and never talked.
 *
 *	memory_bench [--json] [--legs N]
 *
 * Method: resident memory of this process before and after N legs, which is pages the worker really
 * touched, rounded up as the system does.  What the telephones on this side take is left out by
 * reading before and after they are made.  A few legs first, so that libraries, rings and pools are
 * there already.  SIP legs have two sockets and SDES keys and send a DTX packet every 400 ms;
 * browser legs have been through ICE and a DTLS handshake. */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/slab.h"
#include "bench.h"
#include "bridge.h"
#include "dtls/dtls.h"
#include "ice/ice_check.h"
#include "net/sockaddr.h"

enum {
	LEGS_DEFAULT = 2000,
	LEGS_MAX = 8000,
	FIRST_LEGS = 100,
	DATAGRAM = 2048,
	HANDSHAKE_S = 10,
	FIRST_PORT = 10000,
};

static void
make_bridge(struct bridge *bridge, unsigned legs, const struct dtls_context *dtls)
{
	const struct bridge_settings settings = {
		.legs_max = legs,
		.rooms_max = 1,
		.bind = addr_ip4(127, 0, 77, 1, 0),
		.dtls = dtls,
		.core = -1,
	};
	CHECK(bridge_create(bridge, &settings) == 0);
	bridge_post(bridge, &(struct media_order){ .kind = MEDIA_ORDER_ROOM_OPEN,
	                                           .room = bridge_room(0) });
}

/* ---- SIP ----------------------------------------------------------------------------------- */

static double
sip_legs(enum srtp_suite suite, unsigned legs)
{
	const struct net_addr load_bind = addr_ip4(127, 0, 77, 2, 0);
	struct load *load = NULL;
	double bytes = 0;
	CHECK(load_create(&load, legs + FIRST_LEGS, &load_bind, -1) == 0);
	struct bridge bridge;
	make_bridge(&bridge, legs + FIRST_LEGS, NULL);
	for (unsigned first = 0, count = FIRST_LEGS; count != 0;
	     first += count, count = first == FIRST_LEGS ? legs : 0) {
		const double start = bench_resident_bytes(getpid());
		CHECK(bridge_open_from(&bridge, first, count));
		const double opened = bench_resident_bytes(getpid());
		for (unsigned i = first; i < first + count; i++)
			bridge_phone(&bridge, load, &(struct bridge_call){ .leg = i, .suite = suite });
		const double phones = bench_resident_bytes(getpid());
		for (unsigned i = first; i < first + count; i++)
			bridge_join(&bridge, load, &(struct bridge_call){ .leg = i, .suite = suite });
		CHECK(bridge_wait(&bridge, &bridge.connected_count, first + count, HANDSHAKE_S));
		load_start(load);
		bridge_run(&bridge, 3);
		load_stop(load);
		bytes = opened - start + bench_resident_bytes(getpid()) - phones;
	}
	CHECK(load_counts(load).received != 0);
	bridge_destroy(&bridge);
	load_destroy(load);
	return bytes / legs;
}

/* ---- Browsers ------------------------------------------------------------------------------ */

/* One browser while it joins. */
struct browser {
	int fd;
	struct net_addr addr;
	struct net_addr bridge;
	struct ice_check ice;
	struct dtls dtls;
	bool started;
	bool connected;
};

static void
send_to(const struct browser *browser, const uint8_t *bytes, size_t len)
{
	struct sockaddr_storage name;
	const socklen_t name_len = sockaddr_of(&name, &browser->bridge);
	(void)sendto(browser->fd, bytes, len, 0, (const struct sockaddr *)&name, name_len);
}

static void
drain_ice(struct browser *browser, int64_t now_us)
{
	for (struct ice_check_out out; (out = ice_check_poll(&browser->ice)).kind !=
	                               ICE_CHECK_OUT_NONE;) {
		if (out.kind == ICE_CHECK_OUT_DATAGRAM)
			send_to(browser, out.bytes, out.len);
		else if (out.kind == ICE_CHECK_OUT_SELECTED && !browser->started)
			browser->started = dtls_start(&browser->dtls, now_us) == 0;
	}
}

static void
drain_dtls(struct browser *browser)
{
	for (struct dtls_out out; (out = dtls_poll(&browser->dtls)).kind != DTLS_OUT_NONE;) {
		if (out.kind == DTLS_OUT_DATAGRAM)
			send_to(browser, out.bytes, out.len);
		browser->connected |= out.kind == DTLS_OUT_CONNECTED;
	}
}

static void
browser_turn(struct browser *browser, int64_t now_us)
{
	uint8_t bytes[DATAGRAM];
	const ssize_t len = recv(browser->fd, bytes, sizeof bytes, MSG_DONTWAIT);
	if (len > 0 && bytes[0] < 4) {
		ice_check_input(&browser->ice, &browser->bridge, bytes, (size_t)len, now_us);
	} else if (len > 0 && bytes[0] >= 20 && bytes[0] < 64 && browser->started) {
		dtls_input(&browser->dtls, bytes, (size_t)len, now_us);
		drain_dtls(browser);
	}
	drain_ice(browser, now_us);
	if (ice_check_deadline(&browser->ice) <= now_us) {
		ice_check_tick(&browser->ice, now_us);
		drain_ice(browser, now_us);
	}
	if (browser->started) {
		drain_dtls(browser);
		if (dtls_deadline(&browser->dtls) <= now_us) {
			dtls_tick(&browser->dtls, now_us);
			drain_dtls(browser);
		}
	}
}

/* Joins leg `index` over a socket of its own, which is closed when the handshake is done: the leg
 * stays, as a browser's does that says nothing. */
static void
browser_joins(struct bridge *bridge, const struct dtls_context *context, unsigned index)
{
	const struct media_opened *opened = &bridge->opened[index];
	const struct dtls_fingerprint *fingerprint = dtls_context_fingerprint(context);
	struct sockaddr_storage name;
	const struct net_addr own = addr_ip4(127, 0, 77, 3, (uint16_t)(FIRST_PORT + index));
	const socklen_t name_len = sockaddr_of(&name, &own);
	struct browser browser = { .fd = socket(AF_INET, SOCK_DGRAM, 0), .bridge = opened->local_rtp };
	CHECK(browser.fd >= 0 && bind(browser.fd, (struct sockaddr *)&name, name_len) == 0);

	struct media_order transport = { .kind = MEDIA_ORDER_LEG_TRANSPORT,
		                         .leg = bridge_leg(index) };
	transport.transport.security = MEDIA_SECURITY_DTLS;
	transport.transport.ice = true;
	transport.transport.rtcp_mux = true;
	transport.transport.dtls_server = true;
	transport.transport.fingerprint_len = 32;
	memcpy(transport.transport.fingerprint, fingerprint->digest, 32);
	str_copy(transport.transport.ice_ufrag, sizeof transport.transport.ice_ufrag, STR("abcd"));
	str_copy(transport.transport.ice_pwd, sizeof transport.transport.ice_pwd,
	         STR("abcdefghijklmnopqrstuvwx"));
	bridge_post(bridge, &transport);
	bridge_enter(bridge, index, 0);

	const struct ice_check_settings ice = {
		.local_ufrag = str_of("abcd"),
		.local_pwd = str_of("abcdefghijklmnopqrstuvwx"),
		.remote_ufrag = str_of(opened->ice_ufrag),
		.remote_pwd = str_of(opened->ice_pwd),
		.tie_breaker = index + 1,
		.priority = ice_priority(110, 1),
		.aggressive = true,
		.seed = index + 1,
	};
	const struct dtls_settings dtls = {
		.context = context, .role = DTLS_CLIENT, .fingerprints = fingerprint,
		.fingerprint_count = 1,
	};
	const int64_t start_us = loop_now_us();
	const unsigned wanted = bridge->connected_count + 1;
	ice_check_init(&browser.ice, &ice, start_us);
	CHECK(ice_check_add_remote(&browser.ice, &browser.bridge, 1));
	dtls_init(&browser.dtls, &dtls, start_us);
	while (!browser.connected || bridge->connected_count < wanted) {
		CHECK(loop_now_us() - start_us < (int64_t)HANDSHAKE_S * 1000000);
		browser_turn(&browser, loop_now_us());
		bridge_run(bridge, 0.0002);
	}
	dtls_fini(&browser.dtls);
	ice_check_fini(&browser.ice);
	close(browser.fd);
}

static double
browser_legs(unsigned legs)
{
	struct dtls_context *context = NULL;
	const struct dtls_context_settings settings = {
		.common_name = "bench", .serial = 1, .not_before_s = 0,
		.not_after_s = INT64_C(4000000000),
	};
	CHECK(dtls_context_create(&context, &settings) == 0);
	struct bridge bridge;
	make_bridge(&bridge, legs + FIRST_LEGS, context);
	double bytes = 0;
	for (unsigned first = 0, count = FIRST_LEGS; count != 0;
	     first += count, count = first == FIRST_LEGS ? legs : 0) {
		const double start = bench_resident_bytes(getpid());
		for (unsigned i = first; i < first + count; i++) {
			struct media_order open = { .kind = MEDIA_ORDER_LEG_OPEN,
				                    .leg = bridge_leg(i) };
			open.open.transport = MEDIA_TRANSPORT_SHARED;
			open.open.ice = true;
			open.open.dtls = true;
			bridge_post(&bridge, &open);
		}
		CHECK(bridge_wait(&bridge, &bridge.opened_count, first + count, HANDSHAKE_S));
		for (unsigned i = first; i < first + count; i++)
			browser_joins(&bridge, context, i);
		bridge_run(&bridge, 1);
		bytes = bench_resident_bytes(getpid()) - start;
	}
	CHECK(bridge.lost_count == 0);
	bridge_destroy(&bridge);
	dtls_context_destroy(context);
	return bytes / legs;
}

enum kind { SIP_CM, SIP_GCM, BROWSER, KINDS };

static double
weigh(enum kind kind, unsigned legs)
{
	switch (kind) {
	case SIP_CM:
		return sip_legs(SRTP_SUITE_AES_CM_128_HMAC_SHA1_80, legs);
	case SIP_GCM:
		return sip_legs(SRTP_SUITE_AEAD_AES_128_GCM, legs);
	case BROWSER:
	case KINDS:
		break;
	}
	return browser_legs(legs);
}

int
main(int argc, char **argv)
{
	unsigned legs = LEGS_DEFAULT;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			bench_json = true;
		else if (strcmp(argv[i], "--legs") == 0 && i + 1 < argc)
			legs = (unsigned)strtoul(argv[++i], NULL, 10);
	}
	if (legs == 0 || legs > LEGS_MAX) {
		fprintf(stderr, "memory_bench: 1 to %d legs\n", LEGS_MAX);
		return 2;
	}
	const struct rlimit files = { 20000, 20000 };
	(void)setrlimit(RLIMIT_NOFILE, &files);
	static const char *const names[KINDS] = {
		[SIP_CM] = "silent SIP leg, AES_CM_128_HMAC_SHA1_80",
		[SIP_GCM] = "silent SIP leg, AEAD_AES_128_GCM",
		[BROWSER] = "silent browser leg, DTLS-SRTP",
	};
	int status = 0;
	for (unsigned kind = 0; kind < KINDS && status == 0; kind++) {
		/* In a process of its own: what one leaves on the heap would hide the next. */
		const pid_t child = fork();
		if (child == 0) {
			bench_tell("memory", names[kind], weigh((enum kind)kind, legs) / 1000, "kB");
			_exit(0);
		}
		CHECK(child > 0 && waitpid(child, &status, 0) == child);
	}
	return status != 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: the controlling agent and the lite agent find each other over a network that loses and
 * delays, nominate, keep consent, notice when the other is gone, and survive role conflicts.
 * Method: both cores on a seeded virtual wire with virtual time; hosts that answer and hosts that do
 * not. */
#include "ice/ice_check.h"

#include "base/check.h"
#include "base/test.h"
#include "ice/ice_lite.h"

enum {
	SECOND = 1000 * 1000,
	WIRE_MAX = 64,
};

struct flight {
	int64_t at_us;
	struct net_addr from;
	bool to_lite;
	uint8_t bytes[ICE_CHECK_OUT_BYTES_MAX];
	size_t len;
};

static struct {
	struct ice_check check;
	struct ice_lite lite;
	struct net_addr browser; /* where its datagrams come from */
	struct net_addr good[2]; /* addresses of the lite agent that can be reached */
	struct flight wire[WIRE_MAX];
	unsigned waiting;
	struct prng prng;
	unsigned loss_pct;
	int64_t now_us;
	unsigned sent, check_selected, check_failed, lite_selected, lite_expired;
	struct net_addr to_last, selected_by_check, selected_by_lite, mapped;
} net;

static void
fly(const struct net_addr *from, bool to_lite, const uint8_t *bytes, size_t len)
{
	net.sent++;
	if (prng_below(&net.prng, 100) < net.loss_pct)
		return;
	EXPECT(net.waiting < WIRE_MAX);
	struct flight *flight = &net.wire[net.waiting++];
	*flight = (struct flight){ .at_us = net.now_us + 1000 + prng_below(&net.prng, 40000),
		                   .from = *from, .to_lite = to_lite, .len = len };
	memcpy(flight->bytes, bytes, len);
}

static void
drain_check(void)
{
	for (struct ice_check_out out;
	     (out = ice_check_poll(&net.check)).kind != ICE_CHECK_OUT_NONE;) {
		switch (out.kind) {
		case ICE_CHECK_OUT_DATAGRAM:
			net.to_last = *out.to;
			if (addr_eq(out.to, &net.good[0]) || addr_eq(out.to, &net.good[1]))
				fly(&net.browser, true, out.bytes, out.len);
			break;
		case ICE_CHECK_OUT_SELECTED:
			net.check_selected++;
			net.selected_by_check = *out.to;
			net.mapped = out.mapped;
			break;
		case ICE_CHECK_OUT_FAILED:
			net.check_failed++;
			break;
		case ICE_CHECK_OUT_NONE:
			break;
		}
	}
}

static void
drain_lite(void)
{
	for (struct ice_lite_out out; (out = ice_lite_poll(&net.lite)).kind != ICE_LITE_OUT_NONE;) {
		switch (out.kind) {
		case ICE_LITE_OUT_DATAGRAM:
			if (addr_eq(out.to, &net.browser))
				fly(&net.to_last, false, out.bytes, out.len);
			break;
		case ICE_LITE_OUT_SELECTED:
			net.lite_selected++;
			net.selected_by_lite = *out.to;
			break;
		case ICE_LITE_OUT_EXPIRED:
			net.lite_expired++;
			break;
		case ICE_LITE_OUT_RESTARTED:
		case ICE_LITE_OUT_NONE:
			break;
		}
	}
}

static void
begin(unsigned seed, unsigned loss_pct, bool aggressive)
{
	memset(&net, 0, sizeof net);
	net.now_us = 5 * SECOND;
	net.loss_pct = loss_pct;
	net.browser = addr_ip4(198, 51, 100, 7, 40000);
	prng_init(&net.prng, seed);
	ice_lite_init(&net.lite,
	              &(struct ice_lite_settings){ .local_ufrag = STR("lite"),
	                                           .local_pwd = STR("litelitelitelitelite12") },
	              net.now_us);
	ice_check_init(&net.check,
	               &(struct ice_check_settings){
			       .local_ufrag = STR("brow"), .local_pwd = STR("browbrowbrowbrowbrow12"),
			       .remote_ufrag = STR("lite"), .remote_pwd = STR("litelitelitelitelite12"),
			       .tie_breaker = 99, .priority = ice_priority(110, 65535),
			       .aggressive = aggressive, .seed = seed },
	               net.now_us);
}

static struct net_addr
lite_host(uint8_t number)
{
	return addr_ip4(203, 0, 113, number, 50000);
}

/* Runs both sides and the wire until `end_us`, always to the next thing that happens. */
static void
run(int64_t for_us)
{
	const int64_t end_us = net.now_us + for_us;
	for (;;) {
		int64_t next_us = ice_check_deadline(&net.check);
		if (ice_lite_deadline(&net.lite) < next_us)
			next_us = ice_lite_deadline(&net.lite);
		for (unsigned i = 0; i < net.waiting; i++)
			if (net.wire[i].at_us < next_us)
				next_us = net.wire[i].at_us;
		if (next_us > end_us)
			break;
		if (next_us > net.now_us)
			net.now_us = next_us;

		for (unsigned i = 0; i < net.waiting;) {
			if (net.wire[i].at_us > net.now_us) {
				i++;
				continue;
			}
			const struct flight flight = net.wire[i];
			net.wire[i] = net.wire[--net.waiting];
			if (flight.to_lite) {
				(void)ice_lite_input(&net.lite, &flight.from, flight.bytes,
				                     flight.len, net.now_us);
				drain_lite();
			} else {
				ice_check_input(&net.check, &flight.from, flight.bytes, flight.len,
				                net.now_us);
				drain_check();
			}
		}
		if (ice_check_deadline(&net.check) <= net.now_us) {
			ice_check_tick(&net.check, net.now_us);
			drain_check();
		}
		if (ice_lite_deadline(&net.lite) <= net.now_us) {
			ice_lite_tick(&net.lite, net.now_us);
			drain_lite();
		}
	}
	net.now_us = end_us;
}

TEST(a_browser_and_the_lite_agent_agree_on_the_best_address)
{
	for (int aggressive = 0; aggressive < 2; aggressive++) {
		begin(1, 0, aggressive);
		net.good[0] = lite_host(1);
		net.good[1] = lite_host(1);
		EXPECT(ice_check_add_remote(&net.check, &net.good[0], 100));
		EXPECT(!ice_check_add_remote(&net.check, &net.good[0], 100));
		run(SECOND);
		EXPECT_EQ(net.check_selected, 1);
		EXPECT_EQ(net.lite_selected, 1);
		EXPECT(addr_eq(&net.selected_by_check, &net.good[0]));
		EXPECT(addr_eq(&net.selected_by_lite, &net.browser));
		EXPECT(addr_eq(&net.mapped, &net.browser));
		EXPECT_EQ(net.check_failed, 0);

		/* Ten minutes of consent: a check every five seconds or so, nobody expires. */
		net.sent = 0;
		run(600 * SECOND);
		EXPECT(net.sent / 2 >= 95 && net.sent / 2 <= 150);
		EXPECT_EQ(net.check_failed, 0);
		EXPECT_EQ(net.lite_expired, 0);
	}
}

TEST(a_dead_candidate_is_passed_over_for_a_live_one)
{
	begin(2, 0, false);
	const struct net_addr dead = lite_host(200);
	net.good[0] = lite_host(1);
	net.good[1] = lite_host(1);
	EXPECT(ice_check_add_remote(&net.check, &dead, 200));
	EXPECT(ice_check_add_remote(&net.check, &net.good[0], 100));
	run(5 * SECOND);
	EXPECT_EQ(net.check_selected, 1);
	EXPECT(addr_eq(&net.selected_by_check, &net.good[0]));
}

TEST(loss_delays_but_does_not_prevent)
{
	unsigned selected = 0;
	for (unsigned seed = 1; seed <= 200; seed++) {
		begin(seed, 30, seed % 2 == 0);
		net.good[0] = lite_host(1);
		net.good[1] = lite_host(1);
		EXPECT(ice_check_add_remote(&net.check, &net.good[0], 100));
		run(60 * SECOND);
		EXPECT(net.lite_selected <= net.check_selected + 1);
		if (net.check_selected != 0)
			selected++;
		else
			EXPECT_EQ(net.check_failed, 1);
	}
	/* Seven requests at 51 % both ways fail one in 150; nomination asks twice. */
	EXPECT(selected >= 190);
}

TEST(without_any_answer_the_agent_fails_when_the_rfc_says)
{
	begin(3, 0, false);
	const struct net_addr dead = lite_host(200);
	EXPECT(ice_check_add_remote(&net.check, &dead, 200));
	run(39 * SECOND + 499 * 1000); /* 500 ms * (1+2+4+8+16+32) + 16 * 500 ms */
	EXPECT_EQ(net.check_failed, 0);
	run(2000);
	EXPECT_EQ(net.check_failed, 1);
	EXPECT_EQ(ice_check_deadline(&net.check), INT64_MAX);

	/* A late candidate revives it. */
	net.good[0] = lite_host(1);
	net.good[1] = lite_host(1);
	EXPECT(ice_check_add_remote(&net.check, &net.good[0], 100));
	run(SECOND);
	EXPECT_EQ(net.check_selected, 1);
}

TEST(both_sides_notice_a_broken_path)
{
	begin(4, 0, false);
	net.good[0] = lite_host(1);
	net.good[1] = lite_host(1);
	EXPECT(ice_check_add_remote(&net.check, &net.good[0], 100));
	run(10 * SECOND);
	EXPECT_EQ(net.check_selected, 1);
	net.loss_pct = 100;
	run(23 * SECOND); /* the last answer was at most six seconds old */
	EXPECT_EQ(net.check_failed, 0);
	run(8 * SECOND);
	EXPECT_EQ(net.check_failed, 1);
	EXPECT_EQ(net.lite_expired, 1);
}

TEST(when_consent_ends_the_other_candidate_is_taken)
{
	begin(5, 0, false);
	net.good[0] = lite_host(1);
	net.good[1] = lite_host(2);
	EXPECT(ice_check_add_remote(&net.check, &net.good[0], 200));
	EXPECT(ice_check_add_remote(&net.check, &net.good[1], 100));
	run(10 * SECOND);
	EXPECT(addr_eq(&net.selected_by_check, &net.good[0]));
	net.good[0] = lite_host(2);
	run(40 * SECOND);
	EXPECT_EQ(net.check_selected, 2);
	EXPECT(addr_eq(&net.selected_by_check, &net.good[1]));
	EXPECT_EQ(net.check_failed, 0);
}

TEST(a_browser_that_changes_its_network_is_followed)
{
	begin(6, 10, false);
	net.good[0] = lite_host(1);
	net.good[1] = lite_host(1);
	EXPECT(ice_check_add_remote(&net.check, &net.good[0], 100));
	run(10 * SECOND);
	EXPECT(addr_eq(&net.selected_by_lite, &net.browser));
	net.browser = addr_ip4(198, 51, 100, 77, 41000);
	ice_check_recheck(&net.check, net.now_us);
	drain_check();
	run(10 * SECOND);
	EXPECT_EQ(net.check_selected, 2);
	EXPECT_EQ(net.lite_selected, 2);
	EXPECT(addr_eq(&net.selected_by_lite, &net.browser));
	EXPECT(addr_eq(&net.mapped, &net.browser));
}

/* Two full agents, both of which begin as controlling, exchange datagrams without a wire. */
TEST(of_two_controlling_agents_the_smaller_tie_breaker_yields)
{
	for (uint64_t tie = 1; tie <= 3; tie += 2) {
		struct ice_check agents[2];
		const struct net_addr addrs[2] = { lite_host(1), lite_host(2) };
		unsigned selected[2] = { 0 };
		for (int i = 0; i < 2; i++) {
			ice_check_init(&agents[i],
			               &(struct ice_check_settings){
					       .local_ufrag = i ? STR("bbbb") : STR("aaaa"),
					       .local_pwd = i ? STR("bpassword") : STR("apassword"),
					       .remote_ufrag = i ? STR("aaaa") : STR("bbbb"),
					       .remote_pwd = i ? STR("apassword") : STR("bpassword"),
					       .tie_breaker = i ? 2 : tie, .priority = 1,
					       .seed = (uint64_t)i },
			               0);
			EXPECT(ice_check_add_remote(&agents[i], &addrs[!i], 1));
		}
		for (int64_t t = 0; t < 5 * SECOND; t += 10000) {
			for (int i = 0; i < 2; i++) {
				if (ice_check_deadline(&agents[i]) > t)
					continue;
				ice_check_tick(&agents[i], t);
				int turn = i; /* whose outputs are drained */
				for (int hops = 0; hops < 8; hops++, turn = !turn) {
					struct ice_check_out out;
					bool gave = false;
					while ((out = ice_check_poll(&agents[turn])).kind !=
					       ICE_CHECK_OUT_NONE) {
						selected[turn] += out.kind == ICE_CHECK_OUT_SELECTED;
						if (out.kind != ICE_CHECK_OUT_DATAGRAM)
							continue;
						ice_check_input(&agents[!turn], &addrs[turn],
						                out.bytes, out.len, t);
						gave = true;
					}
					if (!gave)
						break;
				}
			}
		}
		EXPECT_EQ(agents[0].controlled, tie < 2);
		EXPECT_EQ(agents[1].controlled, tie > 2);
		EXPECT_EQ(selected[0], 1);
		EXPECT_EQ(selected[1], 1);
	}
}

TEST(forged_answers_are_ignored)
{
	begin(7, 0, false);
	const struct net_addr remote = lite_host(1);
	EXPECT(ice_check_add_remote(&net.check, &remote, 1));
	ice_check_tick(&net.check, net.now_us);
	const struct ice_check_out out = ice_check_poll(&net.check);
	EXPECT_EQ(out.kind, ICE_CHECK_OUT_DATAGRAM);
	uint8_t tid[STUN_TID_BYTES];
	memcpy(tid, out.bytes + 8, sizeof tid);

	for (int fault = 0; fault < 5; fault++) {
		struct stun_key key;
		uint8_t bytes[200];
		struct writer w = writer_of(bytes, sizeof bytes);
		if (fault == 0)
			tid[0] ^= 1;
		stun_key_init(&key, fault == 1 ? "guess" : "litelitelitelitelite12", fault == 1 ? 5 : 22);
		stun_write_begin(&w, fault == 4 ? STUN_BINDING_ERROR : STUN_BINDING_SUCCESS, tid);
		if (fault == 4)
			stun_write_error(&w, 487, (struct str){ 0 });
		else
			stun_write_xor_addr(&w, STUN_XOR_MAPPED_ADDRESS, &net.browser);
		if (fault < 4)
			stun_write_integrity(&w, &key, STUN_INTEGRITY_SHA1);
		if (fault != 2)
			stun_write_fingerprint(&w);
		const struct net_addr from = lite_host(fault == 3 ? 2 : 1);
		ice_check_input(&net.check, &from, bytes, stun_write_end(&w), net.now_us);
		EXPECT_EQ(ice_check_poll(&net.check).kind, ICE_CHECK_OUT_NONE);
		EXPECT_EQ(net.check.ignored, (uint64_t)fault + 1);
		if (fault == 0)
			tid[0] ^= 1;
	}
	EXPECT_EQ(net.check.remotes[0].state, ICE_CHECK_IN_PROGRESS);
	ice_check_fini(&net.check);
}

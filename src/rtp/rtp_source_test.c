/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: nobody takes over or listens in to a leg's media who is not its peer (CVE-2017-14099 and
 * CVE-2025-53399 are what it costs), and a phone behind NAT is heard all the same.
 * Method: a table per story: who sends what when, the verdict, and where we would send after it. */
#include "rtp/rtp_source.h"

#include "base/check.h"
#include "base/test.h"

enum {
	MS = 1000,
};

struct step {
	int at_ms;
	const char *from;
	uint32_t ssrc;
	uint16_t seq;
	enum rtp_source_verdict want;
	const char *remote; /* "-": nowhere */
	bool authentic;
};

struct story {
	enum rtp_source_policy policy;
	const char *signalled;
	const char *signalling; /* NULL: unknown */
	const struct step *steps;
	size_t count;
};

static struct net_addr
addr_of(const char *text)
{
	struct net_addr addr = { 0 };
	if (text != NULL)
		EXPECT(addr_parse(&addr, str_of(text)));
	return addr;
}

static void
expect_remote(const struct rtp_source *source, const char *want)
{
	const struct net_addr *remote = rtp_source_remote(source);
	char text[ADDR_TEXT_MAX] = "-";
	if (remote != NULL)
		addr_text(text, remote);
	EXPECT_STR(str_of(text), want);
}

static struct rtp_source
play(const struct story *story)
{
	const struct net_addr signalled = addr_of(story->signalled);
	const struct net_addr signalling = addr_of(story->signalling);
	struct rtp_source source;
	rtp_source_init(&source, story->policy, &signalled, 0);
	rtp_source_hint(&source, &signalling);
	for (size_t i = 0; i < story->count; i++) {
		const struct step *step = &story->steps[i];
		const struct net_addr from = addr_of(step->from);
		const struct rtp_source_packet packet = { &from, step->ssrc, step->seq,
			                                  step->authentic };
		const enum rtp_source_verdict got =
		        rtp_source_input(&source, &packet, (int64_t)step->at_ms * MS);
		if (got != step->want)
			print_error("step %zu\n", i);
		EXPECT_EQ(got, step->want);
		expect_remote(&source, step->remote);
	}
	return source;
}

#define STORY(policy_, signalled_, signalling_, steps_) \
	(&(const struct story){ policy_, signalled_, signalling_, steps_, COUNT_OF(steps_) })

#define TAKE RTP_SOURCE_TAKE
#define MOVED RTP_SOURCE_MOVED
#define WAIT RTP_SOURCE_WAIT
#define STRANGER RTP_SOURCE_STRANGER

#define PHONE "198.51.100.7:4000"
#define NAT "203.0.113.9:31000"
#define EVIL "192.0.2.66:6666"

TEST(the_signalled_address_is_heard_at_once_and_locks)
{
	static const struct step steps[] = {
		{ 0, PHONE, 1, 10, TAKE, PHONE, false },
		{ 5, EVIL, 1, 11, STRANGER, PHONE, false },
		{ 6, EVIL, 1, 12, STRANGER, PHONE, false },
		{ 20, PHONE, 1, 11, TAKE, PHONE, false },
		{ 21, "198.51.100.7:4002", 1, 12, STRANGER, PHONE, false }, /* no new port */
	};
	const struct rtp_source source = play(STORY(RTP_SOURCE_PLAIN, PHONE, NULL, steps));
	EXPECT_EQ(source.strangers, 3);
	EXPECT_EQ(source.moves, 0);
}

TEST(a_phone_behind_nat_is_learned_once)
{
	static const struct step steps[] = {
		{ 0, NAT, 1, 10, WAIT, "192.168.1.5:4000", false },
		{ 20, NAT, 1, 11, WAIT, "192.168.1.5:4000", false },
		{ 25, EVIL, 9, 1, STRANGER, "192.168.1.5:4000", false }, /* one at a time */
		{ 40, NAT, 1, 12, WAIT, "192.168.1.5:4000", false },
		{ 40, NAT, 1, 12, WAIT, "192.168.1.5:4000", false }, /* again: no proof */
		{ 80, NAT, 1, 14, MOVED, NAT, false },
		{ 81, EVIL, 1, 15, STRANGER, NAT, false },
		{ 82, EVIL, 1, 16, STRANGER, NAT, false },
		{ 83, EVIL, 1, 17, STRANGER, NAT, false },
		{ 84, EVIL, 1, 18, STRANGER, NAT, false },
		{ 100, NAT, 1, 15, TAKE, NAT, false },
	};
	const struct rtp_source source =
	        play(STORY(RTP_SOURCE_PLAIN, "192.168.1.5:4000", NULL, steps));
	EXPECT_EQ(source.moves, 1);
	EXPECT_EQ(source.strangers, 5);
}

TEST(a_public_address_is_left_only_for_a_plausible_one)
{
	static const struct step evil[] = {
		{ 0, EVIL, 1, 1, STRANGER, PHONE, false },
		{ 20, EVIL, 1, 2, STRANGER, PHONE, false },
		{ 40, EVIL, 1, 3, STRANGER, PHONE, false },
		{ 60, EVIL, 1, 4, STRANGER, PHONE, false },
	};
	(void)play(STORY(RTP_SOURCE_PLAIN, PHONE, NULL, evil));
	static const struct step other_port[] = {
		{ 0, "198.51.100.7:9", 1, 1, WAIT, PHONE, false },
		{ 20, "198.51.100.7:9", 1, 2, WAIT, PHONE, false },
		{ 40, "198.51.100.7:9", 1, 3, WAIT, PHONE, false },
		{ 60, "198.51.100.7:9", 1, 4, MOVED, "198.51.100.7:9", false },
	};
	(void)play(STORY(RTP_SOURCE_PLAIN, PHONE, NULL, other_port));
	static const struct step where_sip_comes_from[] = {
		{ 0, NAT, 1, 1, WAIT, PHONE, false },
		{ 20, NAT, 1, 2, WAIT, PHONE, false },
		{ 40, NAT, 1, 3, WAIT, PHONE, false },
		{ 60, NAT, 1, 4, MOVED, NAT, false },
	};
	(void)play(STORY(RTP_SOURCE_PLAIN, PHONE, "203.0.113.9:5060", where_sip_comes_from));
}

TEST(learning_ends_with_its_window_and_with_gaps)
{
	static const struct step steps[] = {
		{ 0, NAT, 1, 1, WAIT, "-", false },
		{ 20, NAT, 1, 2, WAIT, "-", false },
		{ 40, NAT, 1, 3, WAIT, "-", false },
		{ 60, NAT, 1, 300, WAIT, "-", false }, /* not in sequence: from the start */
		{ 400, EVIL, 2, 5, WAIT, "-", false }, /* the first has gone silent */
		{ 420, EVIL, 2, 6, WAIT, "-", false },
		{ 5000, EVIL, 2, 7, STRANGER, "-", false },
		{ 5020, NAT, 1, 301, STRANGER, "-", false },
	};
	(void)play(STORY(RTP_SOURCE_PLAIN, "0.0.0.0:0", NULL, steps));
}

TEST(a_new_ssrc_must_persist_and_find_the_old_one_quiet)
{
	static const struct step steps[] = {
		{ 0, PHONE, 1, 1, TAKE, PHONE, false },
		{ 10, PHONE, 2, 1, WAIT, PHONE, false }, /* injected beside the real one */
		{ 15, PHONE, 2, 2, WAIT, PHONE, false },
		{ 16, PHONE, 2, 3, WAIT, PHONE, false },
		{ 17, PHONE, 2, 4, WAIT, PHONE, false },
		{ 18, PHONE, 2, 5, WAIT, PHONE, false },
		{ 20, PHONE, 1, 2, TAKE, PHONE, false },
		{ 200, PHONE, 3, 50, WAIT, PHONE, false }, /* a transfer */
		{ 220, PHONE, 3, 51, WAIT, PHONE, false },
		{ 240, PHONE, 3, 52, WAIT, PHONE, false },
		{ 260, PHONE, 3, 53, MOVED, PHONE, false },
		{ 280, PHONE, 3, 54, TAKE, PHONE, false },
		{ 281, PHONE, 1, 3, WAIT, PHONE, false },
	};
	(void)play(STORY(RTP_SOURCE_PLAIN, PHONE, NULL, steps));
}

TEST(with_srtp_only_proof_moves_the_address)
{
	static const struct step steps[] = {
		{ 0, PHONE, 1, 10, TAKE, PHONE, true },
		{ 10, EVIL, 1, 11, STRANGER, PHONE, false },
		{ 20, NAT, 1, 11, MOVED, NAT, true },    /* Wi-Fi to mobile */
		{ 30, PHONE, 1, 9, TAKE, NAT, true },    /* a straggler by the old path */
		{ 40, NAT, 1, 12, TAKE, NAT, true },
		{ 50, NAT, 2, 65000, TAKE, NAT, true },  /* another SSRC needs no more proof */
		{ 9000, PHONE, 2, 3, MOVED, PHONE, true }, /* at any time */
	};
	const struct rtp_source source = play(STORY(RTP_SOURCE_SRTP, PHONE, NULL, steps));
	EXPECT_EQ(source.moves, 2);
	EXPECT_EQ(source.strangers, 1);
}

TEST(with_ice_only_the_selected_pair_counts)
{
	static const struct step steps[] = {
		{ 0, PHONE, 1, 10, TAKE, PHONE, true },
		{ 10, NAT, 1, 11, STRANGER, PHONE, true },
		{ 20, PHONE, 2, 12, TAKE, PHONE, true },
	};
	struct rtp_source source = play(STORY(RTP_SOURCE_ICE, PHONE, NULL, steps));
	const struct net_addr nat = addr_of(NAT);
	const struct net_addr phone = addr_of(PHONE);
	rtp_source_signal(&source, &nat, 100 * MS);
	expect_remote(&source, NAT);
	EXPECT(rtp_source_rtcp(&source, &nat, true));
	EXPECT(!rtp_source_rtcp(&source, &phone, true));
}

TEST(another_sdp_starts_anew_and_the_same_one_changes_nothing)
{
	static const struct step steps[] = {
		{ 0, NAT, 1, 1, WAIT, "10.0.0.1:4000", false },
		{ 20, NAT, 1, 2, WAIT, "10.0.0.1:4000", false },
		{ 40, NAT, 1, 3, WAIT, "10.0.0.1:4000", false },
		{ 60, NAT, 1, 4, MOVED, NAT, false },
	};
	struct rtp_source source = play(STORY(RTP_SOURCE_PLAIN, "10.0.0.1:4000", NULL, steps));
	const struct net_addr same = addr_of("10.0.0.1:4000");
	rtp_source_signal(&source, &same, 1000 * MS);
	expect_remote(&source, NAT);
	EXPECT(source.locked);

	const struct net_addr phone = addr_of(PHONE);
	const struct net_addr nat = addr_of(NAT);
	rtp_source_signal(&source, &phone, 2000 * MS);
	expect_remote(&source, PHONE);
	const struct rtp_source_packet packet = { &nat, 1, 5, false };
	EXPECT_EQ(rtp_source_input(&source, &packet, 2010 * MS), STRANGER);
}

TEST(rtcp_is_judged_without_learning_from_it)
{
	const struct net_addr phone = addr_of(PHONE);
	const struct net_addr next_port = addr_of("198.51.100.7:4001");
	const struct net_addr evil = addr_of(EVIL);
	struct rtp_source source;
	rtp_source_init(&source, RTP_SOURCE_PLAIN, &phone, 0);
	EXPECT(rtp_source_rtcp(&source, &next_port, false));
	EXPECT(!rtp_source_rtcp(&source, &evil, false));
	rtp_source_init(&source, RTP_SOURCE_SRTP, &phone, 0);
	EXPECT(rtp_source_rtcp(&source, &evil, true));
	EXPECT(!rtp_source_rtcp(&source, &phone, false));
	expect_remote(&source, PHONE);
	EXPECT_EQ(source.strangers, 1);
}

TEST(multicast_and_unspecified_senders_are_never_learned)
{
	static const struct step steps[] = {
		{ 0, "224.0.0.1:5004", 1, 1, STRANGER, "-", false },
		{ 20, "0.0.0.0:5004", 1, 2, STRANGER, "-", false },
		{ 40, "[ff02::1]:5004", 1, 3, STRANGER, "-", false },
		{ 60, "192.0.2.1:0", 1, 4, STRANGER, "-", false },
	};
	(void)play(STORY(RTP_SOURCE_PLAIN, "0.0.0.0:0", NULL, steps));
}

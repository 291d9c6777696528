/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: the lite agent answers what RFC 8445 asks it to answer and nothing more, follows the peer's
 * nomination, and believes in no address that has not passed a check.
 * Method: single checks, right or wrong in one way, with virtual time; then tables of dialogues. */
#include "ice/ice_lite.h"

#include "base/check.h"
#include "base/test.h"
#include "ice/ice_test_check.h"

enum {
	SECOND = 1000 * 1000,
	PRIORITY = 0x6e0001ff,
};

static struct ice_lite ice;
static int64_t now_us;

static struct net_addr
host(uint8_t number)
{
	return addr_ip4(192, 0, 2, number, 5000);
}

static void
begin(void)
{
	now_us = 1000 * SECOND;
	ice_lite_init(&ice,
	              &(struct ice_lite_settings){ .local_ufrag = STR(TEST_UFRAG),
	                                           .local_pwd = STR(TEST_PWD),
	                                           .tid_seed = 7 },
	              now_us);
}

/* What came out of one input. */
struct outcome {
	enum ice_lite_reject reject;
	uint16_t type; /* of the answer; 0: none */
	unsigned code; /* of an error */
	size_t len;
	int selected;  /* last byte of the newly selected address; 0: no event */
	bool restarted, expired;
	struct net_addr mapped;
	enum stun_integrity integrity;
};

static struct outcome
drain(const struct net_addr *from, const char *pwd)
{
	struct outcome outcome = { 0 };
	for (struct ice_lite_out out; (out = ice_lite_poll(&ice)).kind != ICE_LITE_OUT_NONE;) {
		struct stun_msg msg;
		struct stun_key key;
		switch (out.kind) {
		case ICE_LITE_OUT_DATAGRAM:
			EXPECT_EQ(stun_msg_parse(&msg, out.bytes, out.len), STUN_OK);
			EXPECT(stun_msg_fingerprint_ok(&msg));
			EXPECT(from == NULL || addr_eq(out.to, from));
			stun_key_init(&key, pwd, strlen(pwd));
			outcome.type = msg.type;
			outcome.len = out.len;
			outcome.integrity = stun_msg_integrity(&msg, &key);
			(void)stun_msg_error(&msg, &outcome.code, NULL);
			(void)stun_msg_xor_addr(&msg, STUN_XOR_MAPPED_ADDRESS, &outcome.mapped);
			break;
		case ICE_LITE_OUT_SELECTED:
			outcome.selected = out.to->ip[3];
			break;
		case ICE_LITE_OUT_RESTARTED:
			outcome.restarted = true;
			break;
		case ICE_LITE_OUT_EXPIRED:
			outcome.expired = true;
			break;
		case ICE_LITE_OUT_NONE:
			break;
		}
	}
	return outcome;
}

static struct outcome
give(uint8_t from, struct test_check check)
{
	uint8_t bytes[256];
	const struct net_addr addr = host(from);
	const size_t len = test_check_write(bytes, &check, from);
	const enum ice_lite_reject reject = ice_lite_input(&ice, &addr, bytes, len, now_us);
	struct outcome outcome = drain(&addr, check.pwd != NULL ? check.pwd : TEST_PWD);
	outcome.reject = reject;
	return outcome;
}

static struct outcome
tick(int64_t after_us)
{
	now_us += after_us;
	ice_lite_tick(&ice, now_us);
	return drain(NULL, TEST_PWD);
}

TEST(a_good_check_is_answered_with_the_address_it_came_from)
{
	for (int sha256 = 0; sha256 < 2; sha256++) {
		begin();
		const struct outcome got =
			give(9, (struct test_check){ .priority = PRIORITY, .sha256 = sha256 });
		const struct net_addr addr = host(9);
		EXPECT_EQ(got.reject, ICE_LITE_OK);
		EXPECT_EQ(got.type, STUN_BINDING_SUCCESS);
		EXPECT(addr_eq(&got.mapped, &addr));
		EXPECT_EQ(got.integrity, sha256 ? STUN_INTEGRITY_SHA256 : STUN_INTEGRITY_SHA1);
		EXPECT_EQ(got.selected, 0);
		EXPECT(ice_lite_verified(&ice, &addr));
		EXPECT(addr_eq(ice_lite_remote(&ice), &addr));
	}
}

TEST(an_ipv6_source_is_answered_too)
{
	begin();
	struct net_addr addr;
	EXPECT(addr_parse(&addr, STR("[2001:db8::9]:7000")));
	uint8_t bytes[256];
	const size_t len = test_check_write(
		bytes, &(struct test_check){ .priority = PRIORITY, .nominate = true }, 1);
	EXPECT_EQ(ice_lite_input(&ice, &addr, bytes, len, now_us), ICE_LITE_OK);
	const struct outcome got = drain(&addr, TEST_PWD);
	EXPECT(addr_eq(&got.mapped, &addr));
	EXPECT(addr_eq(ice_lite_remote(&ice), &addr));
}

TEST(each_fault_gets_its_answer_and_no_trust)
{
	static const struct {
		struct test_check check;
		enum ice_lite_reject reject;
		unsigned code; /* 0: silence */
		bool signed_answer;
	} cases[] = {
		{ { .priority = 1, .username = "" }, ICE_LITE_REJECT_MALFORMED, 400, false },
		{ { .priority = 1, .pwd = "" }, ICE_LITE_REJECT_MALFORMED, 400, false },
		{ { .priority = 1, .username = "else:peer" }, ICE_LITE_REJECT_USERNAME, 401, false },
		{ { .priority = 1, .username = "lite" }, ICE_LITE_REJECT_USERNAME, 401, false },
		{ { .priority = 1, .username = ":lite" }, ICE_LITE_REJECT_USERNAME, 401, false },
		{ { .priority = 1, .username = "litee:p" }, ICE_LITE_REJECT_USERNAME, 401, false },
		{ { .priority = 1, .pwd = "wrong" }, ICE_LITE_REJECT_INTEGRITY, 401, false },
		{ { .priority = 0 }, ICE_LITE_REJECT_MALFORMED, 400, true },
		{ { .priority = 1, .extra = 0x7777 }, ICE_LITE_REJECT_UNKNOWN, 420, true },
		{ { .priority = 1, .role = STUN_ICE_CONTROLLED }, ICE_LITE_REJECT_ROLE, 487, true },
		{ { .priority = 1, .no_fingerprint = true }, ICE_LITE_REJECT_FINGERPRINT, 0, false },
		{ { .priority = 1, .type = STUN_BINDING_SUCCESS }, ICE_LITE_REJECT_TYPE, 0, false },
		{ { .priority = 1, .type = STUN_BINDING_ERROR }, ICE_LITE_REJECT_TYPE, 0, false },
		{ { .priority = 1, .type = 0x0003 }, ICE_LITE_REJECT_TYPE, 0, false },
		{ { .priority = 1, .type = STUN_BINDING_INDICATION }, ICE_LITE_OK, 0, false },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		begin();
		const struct net_addr addr = host(9);
		const struct outcome got = give(9, cases[i].check);
		EXPECT_EQ(got.reject, cases[i].reject);
		EXPECT_EQ(got.code, cases[i].code);
		EXPECT_EQ(got.type, cases[i].code != 0 ? STUN_BINDING_ERROR : 0);
		EXPECT_EQ(got.integrity == STUN_INTEGRITY_SHA1, cases[i].signed_answer);
		EXPECT_EQ(ice.stats.rejects[cases[i].reject], 1);
		EXPECT_EQ(ice.stats.checks, 0);
		EXPECT(!ice_lite_verified(&ice, &addr));
		EXPECT(ice_lite_remote(&ice) == NULL);
	}
}

TEST(strangers_get_few_answers_and_never_longer_ones_than_they_sent)
{
	begin();
	unsigned answered = 0;
	for (int i = 0; i < 1000; i++) {
		const struct outcome got =
			give(9, (struct test_check){ .priority = 1, .pwd = "wrong" });
		answered += got.type != 0;
	}
	EXPECT_EQ(answered, ICE_LITE_ERRORS_PER_S);
	EXPECT_EQ(ice.stats.errors_withheld, 1000 - ICE_LITE_ERRORS_PER_S);

	/* The flood leaves the peer's own check untouched. */
	EXPECT_EQ(give(8, (struct test_check){ .priority = 1 }).type, STUN_BINDING_SUCCESS);

	for (int64_t end_us = now_us + 10 * SECOND; now_us < end_us; now_us += 10000)
		answered += give(9, (struct test_check){ .priority = 1, .pwd = "wrong" }).type != 0;
	EXPECT(answered >= 11 * ICE_LITE_ERRORS_PER_S - 1);
	EXPECT(answered <= 11 * ICE_LITE_ERRORS_PER_S + 1);

	/* A bare header with FINGERPRINT is shorter than any 400. */
	now_us += 10 * SECOND;
	static const uint8_t tid[STUN_TID_BYTES] = { 0 };
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof bytes);
	stun_write_begin(&w, STUN_BINDING_REQUEST, tid);
	stun_write_fingerprint(&w);
	const struct net_addr addr = host(9);
	EXPECT_EQ(ice_lite_input(&ice, &addr, bytes, stun_write_end(&w), now_us),
	          ICE_LITE_REJECT_MALFORMED);
	EXPECT_EQ(drain(&addr, TEST_PWD).type, 0);
}

/* A check of the dialogue: when, from where, how important, nominating?  And which address must be
 * selected by it (0: no event). */
struct step {
	int after_ms;
	uint8_t from;
	uint8_t priority;
	bool nominate;
	int selected;
};

static void
play(const struct step *steps, size_t count)
{
	begin();
	for (size_t i = 0; i < count; i++) {
		now_us += steps[i].after_ms * 1000;
		const struct outcome got =
			give(steps[i].from, (struct test_check){ .priority = steps[i].priority,
		                                                 .nominate = steps[i].nominate });
		EXPECT_EQ(got.type, STUN_BINDING_SUCCESS);
		EXPECT_EQ(got.selected, steps[i].selected);
	}
}

TEST(the_last_nominated_pair_of_a_regular_peer_wins)
{
	static const struct step steps[] = {
		{ 0, 1, 50, false, 0 },   { 50, 2, 40, false, 0 }, { 50, 1, 50, true, 1 },
		{ 50, 1, 50, true, 0 }, /* a retransmission */
		{ 2500, 2, 40, false, 0 },
		{ 50, 2, 40, true, 2 },   /* the browser moves to a worse network */
		{ 2500, 1, 50, false, 0 }, { 50, 2, 40, true, 0 }, { 50, 1, 50, true, 1 },
	};
	play(steps, COUNT_OF(steps));
}

TEST(an_aggressive_peer_gets_the_pair_of_highest_priority)
{
	static const struct step steps[] = {
		{ 0, 1, 50, true, 1 },  { 50, 2, 40, true, 0 }, { 50, 3, 60, true, 3 },
		{ 50, 1, 50, true, 0 }, { 50, 2, 40, true, 0 },
		/* The best goes silent: the next that nominates takes over. */
		{ 7850, 2, 40, true, 0 }, { 100, 2, 40, true, 2 }, { 100, 1, 50, true, 0 },
	};
	play(steps, COUNT_OF(steps));
}

TEST(only_verified_sources_are_known_and_the_table_keeps_the_selected_one)
{
	begin();
	(void)give(1, (struct test_check){ .priority = 1, .nominate = true });
	for (uint8_t i = 2; i < 100; i++) {
		now_us += 1000;
		EXPECT_EQ(give(i, (struct test_check){ .priority = 1 }).type, STUN_BINDING_SUCCESS);
		EXPECT(ice.pair_count <= ICE_LITE_PAIRS_MAX);
	}
	struct net_addr addr = host(1);
	EXPECT(ice_lite_verified(&ice, &addr));
	EXPECT(addr_eq(ice_lite_remote(&ice), &addr));
	addr = host(99);
	EXPECT(ice_lite_verified(&ice, &addr));
	addr = host(2);
	EXPECT(!ice_lite_verified(&ice, &addr));
	addr = host(99);
	addr.port++;
	EXPECT(!ice_lite_verified(&ice, &addr));

	/* Sources that fell silent are forgotten in time. */
	(void)tick(ICE_LITE_SILENCE_US - 2 * SECOND);
	(void)give(1, (struct test_check){ .priority = 1 });
	(void)tick(3 * SECOND);
	EXPECT_EQ(ice.pair_count, 1);
}

TEST(a_silent_peer_expires_once_and_may_come_back)
{
	begin();
	EXPECT_EQ(ice_lite_deadline(&ice), now_us + ICE_LITE_SILENCE_US);
	(void)give(1, (struct test_check){ .priority = 1, .nominate = true });
	for (int i = 0; i < 10; i++) {
		EXPECT(!tick(5 * SECOND).expired);
		(void)give(1, (struct test_check){ .priority = 1 });
	}
	/* A stranger's noise is no sign of life. */
	for (int i = 0; i < 29; i++) {
		EXPECT(!tick(SECOND).expired);
		(void)give(1, (struct test_check){ .priority = 1, .pwd = "wrong" });
	}
	EXPECT(!tick(SECOND - 1).expired);
	EXPECT(tick(1).expired);
	EXPECT_EQ(ice_lite_deadline(&ice), INT64_MAX);
	EXPECT(!tick(SECOND).expired);

	(void)give(1, (struct test_check){ .priority = 1 });
	EXPECT_EQ(ice_lite_deadline(&ice), ice.sent_us + ICE_LITE_KEEPALIVE_US);
	now_us += 20 * SECOND;
	ice_lite_heard(&ice, now_us);
	EXPECT(!tick(20 * SECOND).expired);
	EXPECT(tick(10 * SECOND).expired);
}

TEST(nothing_sent_for_a_while_brings_a_keep_alive)
{
	begin();
	EXPECT_EQ(tick(16 * SECOND).type, 0);
	(void)give(1, (struct test_check){ .priority = 1, .nominate = true });
	ice_lite_sent(&ice, now_us);
	EXPECT_EQ(ice_lite_deadline(&ice), now_us + ICE_LITE_KEEPALIVE_US);
	EXPECT_EQ(tick(ICE_LITE_KEEPALIVE_US - 1).type, 0);
	const struct outcome got = tick(1);
	EXPECT_EQ(got.type, STUN_BINDING_INDICATION);
	EXPECT_EQ(got.integrity, STUN_INTEGRITY_ABSENT);
	uint8_t first[STUN_TID_BYTES];
	memcpy(first, ice.out_bytes + 8, sizeof first);
	(void)give(1, (struct test_check){ .priority = 1 });
	EXPECT_EQ(tick(ICE_LITE_KEEPALIVE_US).type, STUN_BINDING_INDICATION);
	EXPECT(memcmp(first, ice.out_bytes + 8, sizeof first) != 0);
}

TEST(a_restart_serves_old_credentials_until_the_first_new_check)
{
	static const struct test_check with_new = {
		.username = "newu:peer2", .pwd = "anewpasswordanewpassword", .priority = 9,
	};
	begin();
	(void)give(1, (struct test_check){ .priority = 5, .nominate = true });
	ice_lite_restart(&ice, STR("newu"), STR("anewpasswordanewpassword"), now_us);
	EXPECT(!drain(NULL, TEST_PWD).restarted);

	struct outcome got = give(1, (struct test_check){ .priority = 5 });
	EXPECT_EQ(got.type, STUN_BINDING_SUCCESS);
	EXPECT(!got.restarted);

	/* The new name with the old password is a stranger. */
	struct test_check mixed = with_new;
	mixed.pwd = TEST_PWD;
	EXPECT_EQ(give(1, mixed).code, 401);

	got = give(2, with_new);
	EXPECT_EQ(got.type, STUN_BINDING_SUCCESS);
	EXPECT_EQ(got.integrity, STUN_INTEGRITY_SHA1);
	EXPECT(got.restarted);
	EXPECT_EQ(got.selected, 0);
	const struct net_addr old = host(1);
	EXPECT(addr_eq(ice_lite_remote(&ice), &old));

	EXPECT_EQ(give(1, (struct test_check){ .priority = 5 }).code, 401);
	struct test_check nominating = with_new;
	nominating.nominate = true;
	got = give(2, nominating);
	EXPECT(!got.restarted);
	EXPECT_EQ(got.selected, 2);
}

TEST(every_prefix_and_every_flip_of_a_check_is_refused)
{
	begin();
	uint8_t good[256];
	const size_t len = test_check_write(
		good, &(struct test_check){ .priority = PRIORITY, .nominate = true }, 1);
	const struct net_addr addr = host(1);
	for (size_t cut = 0; cut < len; cut++) {
		EXPECT(ice_lite_input(&ice, &addr, good, cut, now_us) != ICE_LITE_OK);
		EXPECT_EQ(drain(&addr, TEST_PWD).type, 0);
	}
	for (size_t at = 0; at < len; at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			uint8_t bytes[256];
			memcpy(bytes, good, len);
			bytes[at] ^= (uint8_t)(1u << bit);
			EXPECT(ice_lite_input(&ice, &addr, bytes, len, now_us) != ICE_LITE_OK);
			(void)drain(&addr, TEST_PWD);
		}
	}
	EXPECT(ice_lite_remote(&ice) == NULL);
}

TEST(trickled_candidates_are_checked_for_form_only)
{
	static const struct {
		const char *line;
		bool good;
	} cases[] = {
		{ "candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host", true },
		{ "a=candidate:1 1 UDP 2130706431 192.0.2.1 5000 typ host generation 0", true },
		{ "candidate:842163049 1 udp 1677729535 ab-12.local 46154 typ srflx raddr 0.0.0.0 rport 0",
		  true },
		{ "", true },
		{ "candidate:", true },
		{ "candidate:1 1 udp 2130706431 192.0.2.1 5000 typ", false },
		{ "candidate:1 1 udp 2130706431 192.0.2.1 65536 typ host", false },
		{ "candidate:1 0 udp 2130706431 192.0.2.1 5000 typ host", false },
		{ "candidate:1 1 udp 99999999999 192.0.2.1 5000 typ host", false },
		{ "candidate:1 1 udp 1 192.0.2.1 5000 type host", false },
		{ "candidate:123456789012345678901234567890123 1 udp 1 h 5000 typ host", false },
		{ "hello", false },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		EXPECT_EQ(ice_lite_candidate(str_of(cases[i].line)), cases[i].good);
}

TEST(the_dump_tells_pairs_and_no_secrets)
{
	begin();
	(void)give(1, (struct test_check){ .priority = 50, .nominate = true });
	now_us += 2 * SECOND;
	(void)give(2, (struct test_check){ .priority = 40 });
	char text[400];
	struct writer w = writer_of(text, sizeof text);
	ice_lite_dump(&ice, &w);
	EXPECT_STR(writer_view(&w),
	           "ice-lite lite silent_ms=0 checks=2 errors=0 withheld=0\n"
	           "  192.0.2.1:5000 priority=50 silent_ms=2000 nominating selected\n"
	           "  192.0.2.2:5000 priority=40 silent_ms=0\n");
}

TEST(the_keys_are_wiped_at_the_end)
{
	begin();
	ice_lite_fini(&ice);
	static const struct ice_lite_credentials none;
	EXPECT(memcmp(&ice.local, &none, sizeof none) == 0);
	for (unsigned i = 0; i < ICE_LITE_REJECT_COUNT; i++)
		EXPECT(ice_lite_reject_name((enum ice_lite_reject)i) != NULL);
}

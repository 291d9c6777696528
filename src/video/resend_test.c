/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: what is lost is asked for and sent again, neither too late nor too often, and key frames
 * are asked for once for all; no packet is ever kept too long.  Method: small scenes with a clock
 * of their own; at last a lossy path on which both ends repair a stream together. */
#include "base/check.h"
#include "base/fail_at.h"
#include "base/prng.h"
#include "base/test.h"
#include "video/history.h"
#include "video/key_requests.h"
#include "video/nack.h"
#include "video/packet_pool.h"

enum { MS = 1000 };

/* ---- packet_pool ---- */

TEST(a_packet_lives_as_long_as_somebody_holds_it)
{
	struct packet_pool *pool;
	EXPECT_EQ(packet_pool_create(&pool, 2), 0);
	EXPECT_EQ(packet_pool_cap(pool), 2);
	struct packet *a = packet_take(pool, (const uint8_t *)"abc", 3);
	EXPECT(a != NULL && a->len == 3 && memcmp(a->payload, "abc", 3) == 0);
	EXPECT_EQ(a->orientation, PACKET_NO_ORIENTATION);
	struct packet *b = packet_take(pool, NULL, 0);
	EXPECT(b != NULL && b != a);
	EXPECT(packet_take(pool, NULL, 0) == NULL);
	EXPECT(packet_hold(a) == a);
	packet_put(a);
	EXPECT_EQ(packet_pool_used(pool), 2);
	EXPECT(packet_take(pool, NULL, 0) == NULL);
	a->marker = true;
	packet_put(a);
	EXPECT_EQ(packet_pool_used(pool), 1);
	struct packet *again = packet_take(pool, NULL, 0);
	EXPECT(again == a && !again->marker);
	packet_put(again);
	packet_put(b);
	packet_put(NULL);
	packet_pool_destroy(pool);
	packet_pool_destroy(NULL);
}

static bool
make_pool(void *context)
{
	(void)context;
	struct packet_pool *pool = NULL;
	const int rc = packet_pool_create(&pool, 64);
	EXPECT_EQ(rc == 0, pool != NULL);
	packet_pool_destroy(pool);
	return rc == 0;
}

TEST(a_pool_is_made_whole_or_not_at_all)
{
	EXPECT_EQ(fail_at_each(make_pool, NULL), 2);
}

/* ---- nack ---- */

static struct nack nack;
static uint16_t seqs[NACK_MISSING_MAX];

static void
nack_open(void)
{
	nack_init(&nack, &(struct nack_settings){ 0 });
	nack_set_rtt(&nack, 40 * MS);
}

TEST(a_missing_number_is_asked_for_after_a_while_and_again)
{
	nack_open();
	nack_input(&nack, 65534, 0);
	EXPECT_EQ(nack_deadline(&nack), INT64_MAX);
	nack_input(&nack, 65538, 0);
	for (int64_t seq = 65533; seq <= 65539; seq++)
		EXPECT_EQ(nack_is_missing(&nack, seq), seq > 65534 && seq < 65538);
	EXPECT_EQ(nack_take(&nack, seqs, 10, 4 * MS), 0);
	EXPECT_EQ(nack_deadline(&nack), 5 * MS);
	EXPECT_EQ(nack_take(&nack, seqs, 10, 5 * MS), 3);
	EXPECT(seqs[0] == 65535 && seqs[1] == 0 && seqs[2] == 1);
	EXPECT_EQ(nack_take(&nack, seqs, 10, 60 * MS), 0);
	nack_input(&nack, 65536, 61 * MS);
	EXPECT_EQ(nack.recovered, 1);
	EXPECT_EQ(nack_deadline(&nack), 65 * MS); /* a round trip and a half */
	EXPECT_EQ(nack_take(&nack, seqs, 10, 65 * MS), 2);
	EXPECT(seqs[0] == 65535 && seqs[1] == 1);
	EXPECT_EQ(nack.asked, 5);
	EXPECT(!nack_take_given_up(&nack));
}

TEST(what_was_only_reordered_is_not_asked_for)
{
	nack_open();
	nack_input(&nack, 10, 0);
	nack_input(&nack, 12, 0);
	nack_input(&nack, 11, 3 * MS);
	nack_input(&nack, 11, 3 * MS); /* twice */
	EXPECT_EQ(nack_deadline(&nack), INT64_MAX);
	EXPECT_EQ(nack_take(&nack, seqs, 10, 10 * MS), 0);
	EXPECT_EQ(nack.recovered, 0);
}

TEST(a_number_is_given_up_when_it_is_too_old)
{
	nack_open();
	nack_set_rtt(&nack, 400 * MS);
	nack_input(&nack, 1, 0);
	nack_input(&nack, 3, 0);
	EXPECT_EQ(nack_take(&nack, seqs, 10, 5 * MS), 1);
	EXPECT_EQ(nack_deadline(&nack), NACK_AGE_US_MAX_DEFAULT);
	EXPECT(!nack_take_given_up(&nack));
	EXPECT_EQ(nack_take(&nack, seqs, 10, NACK_AGE_US_MAX_DEFAULT), 0);
	EXPECT(nack_take_given_up(&nack));
	EXPECT(!nack_take_given_up(&nack)); /* told once */
	EXPECT_EQ(nack.given_up_count, 1);
	EXPECT_EQ(nack_deadline(&nack), INT64_MAX);
}

TEST(a_number_is_given_up_when_it_was_asked_for_too_often)
{
	nack_init(&nack, &(struct nack_settings){ .age_us_max = 10000 * MS, .tries_max = 3 });
	nack_set_rtt(&nack, 0);
	nack_input(&nack, 1, 0);
	nack_input(&nack, 3, 0);
	int64_t now_us = 0;
	for (unsigned i = 0; i < 3; i++) {
		now_us = nack_deadline(&nack);
		EXPECT_EQ(now_us, 5 * MS + i * NACK_AGAIN_US_MIN);
		EXPECT_EQ(nack_take(&nack, seqs, 10, now_us), 1);
	}
	EXPECT_EQ(nack_take(&nack, seqs, 10, nack_deadline(&nack)), 0);
	EXPECT(nack_take_given_up(&nack));
}

TEST(too_many_missing_are_given_up_together)
{
	nack_open();
	nack_input(&nack, 1, 0);
	nack_input(&nack, 2 + NACK_MISSING_MAX, 0);
	EXPECT_EQ(nack_take(&nack, seqs, NACK_MISSING_MAX, 5 * MS), NACK_MISSING_MAX);
	nack_input(&nack, 4 + NACK_MISSING_MAX, 6 * MS);
	EXPECT(nack_take_given_up(&nack));
	EXPECT_EQ(nack.given_up_count, NACK_MISSING_MAX + 1);
	EXPECT_EQ(nack_deadline(&nack), INT64_MAX);
	nack_input(&nack, 6 + NACK_MISSING_MAX, 6 * MS);
	EXPECT_EQ(nack_take(&nack, seqs, 10, 20 * MS), 1);
}

TEST(what_is_far_behind_is_given_up_however_young)
{
	nack_open();
	nack_input(&nack, 1, 0);
	nack_input(&nack, 3, 0); /* 2 is missing */
	for (int64_t seq = 4; seq < 40000; seq++)
		nack_input(&nack, seq, 0);
	nack_input(&nack, 40001, 0);
	EXPECT_EQ(nack_take(&nack, seqs, 10, 10 * MS), 1);
	EXPECT_EQ(seqs[0], 40000);
	EXPECT(nack_take_given_up(&nack));
	EXPECT_EQ(nack.given_up_count, 1);
}

TEST(what_does_not_fit_is_asked_for_next)
{
	nack_open();
	nack_input(&nack, 1, 0);
	nack_input(&nack, 7, 0);
	EXPECT_EQ(nack_take(&nack, seqs, 3, 5 * MS), 3);
	EXPECT(seqs[0] == 2 && seqs[2] == 4);
	EXPECT_EQ(nack_take(&nack, seqs, 3, 5 * MS), 2);
	EXPECT(seqs[0] == 5 && seqs[1] == 6);
}

TEST(numbers_nobody_needs_are_forgotten)
{
	nack_open();
	nack_input(&nack, 1, 0);
	nack_input(&nack, 7, 0);
	nack_forget(&nack, 6);
	EXPECT_EQ(nack_take(&nack, seqs, 10, 5 * MS), 1);
	EXPECT_EQ(seqs[0], 6);
	EXPECT(!nack_take_given_up(&nack));
	nack_forget(&nack, 100);
	EXPECT_EQ(nack_deadline(&nack), INT64_MAX);
}

TEST(a_jump_is_a_new_beginning_not_a_loss)
{
	nack_open();
	nack_input(&nack, 100000, 0);
	nack_input(&nack, 100002, 0);
	nack_input(&nack, 5, 0);
	EXPECT_EQ(nack_deadline(&nack), INT64_MAX);
	nack_input(&nack, 90000, 0);
	EXPECT_EQ(nack_deadline(&nack), INT64_MAX);
	EXPECT(!nack_take_given_up(&nack));
}

/* ---- history ---- */

enum { ENTRIES = 8 };

static struct history_entry entries[ENTRIES];
static struct history history;
static struct packet_pool *pool;

static void
history_open(void)
{
	EXPECT_EQ(packet_pool_create(&pool, 64), 0);
	history_init(&history, &(struct history_settings){ .entries = entries,
	                                                   .entry_count = ENTRIES,
	                                                   .age_us_max = 500 * MS });
}

static void
history_close(void)
{
	history_clear(&history);
	EXPECT_EQ(packet_pool_used(pool), 0);
	packet_pool_destroy(pool);
}

static void
send(uint16_t seq, int64_t now_us)
{
	const uint8_t payload[] = { 'p', (uint8_t)seq };
	struct packet *packet = packet_take(pool, payload, sizeof payload);
	const struct forward_header header = { .seq = seq, .timestamp_rtp = seq * 10u };
	history_put(&history, packet, &header, now_us);
	packet_put(packet);
}

TEST(what_was_sent_is_sent_again_as_it_was)
{
	history_open();
	for (unsigned i = 0; i < 5; i++)
		send((uint16_t)(65533 + i), 0);
	const struct history_entry *entry = history_answer(&history, 65535, 0, 0);
	EXPECT(entry != NULL);
	EXPECT_EQ(entry->header.timestamp_rtp, 655350);
	uint8_t bytes[16];
	struct writer w = writer_of(bytes, sizeof bytes);
	rtx_write(&w, entry);
	EXPECT_EQ(w.at, 4);
	EXPECT(bytes[0] == 0xff && bytes[1] == 0xff && bytes[2] == 'p' && bytes[3] == 0xff);
	uint16_t seq;
	EXPECT(rtx_read(bytes, w.at, &seq) && seq == 65535);
	EXPECT(!rtx_read(bytes, 1, &seq));
	EXPECT(history_answer(&history, 1, 0, 0) != NULL);
	EXPECT(history_answer(&history, 2, 0, 0) == NULL);
	EXPECT(history_answer(&history, 65532, 0, 0) == NULL);
	EXPECT(history.answered == 2 && history.missed == 2);
	history_close();
}

TEST(an_answer_is_not_given_too_often)
{
	history_open();
	send(5, 0);
	int64_t now_us = 0;
	for (unsigned i = 0; i < HISTORY_TRIES; i++) {
		EXPECT(history_answer(&history, 5, 30 * MS, now_us) != NULL);
		EXPECT(history_answer(&history, 5, 30 * MS, now_us + 29 * MS) == NULL);
		now_us += 30 * MS;
	}
	EXPECT(history_answer(&history, 5, 30 * MS, now_us) == NULL);
	EXPECT_EQ(history.too_often, HISTORY_TRIES + 1);
	send(6, now_us);
	EXPECT(history_answer(&history, 6, 0, now_us) != NULL);
	EXPECT(history_answer(&history, 6, 0, now_us + 9 * MS) == NULL);
	EXPECT(history_answer(&history, 6, 0, now_us + 10 * MS) != NULL);
	history_close();
}

TEST(old_packets_go_by_number_and_by_age)
{
	history_open();
	for (unsigned i = 0; i < 20; i++)
		send((uint16_t)i, (int64_t)i * 10 * MS);
	EXPECT_EQ(packet_pool_used(pool), ENTRIES);
	EXPECT(history_answer(&history, 11, 0, 190 * MS) == NULL);
	EXPECT(history_answer(&history, 12, 0, 190 * MS) != NULL);
	EXPECT(history_answer(&history, 12, 0, 620 * MS) == NULL); /* not yet given back */
	history_expire(&history, 660 * MS);
	EXPECT_EQ(packet_pool_used(pool), 3);
	EXPECT(history_answer(&history, 17, 0, 660 * MS) != NULL);
	history_expire(&history, 690 * MS);
	EXPECT_EQ(packet_pool_used(pool), 0);
	send(20, 700 * MS);
	EXPECT(history_answer(&history, 20, 0, 700 * MS) != NULL);
	history_close();
}

TEST(numbers_with_gaps_and_late_ones_find_their_places)
{
	history_open();
	send(100, 0);
	send(104, 0);
	EXPECT(history_answer(&history, 102, 0, 0) == NULL);
	send(102, 0);
	EXPECT(history_answer(&history, 102, 0, 0) != NULL);
	send(98, 0); /* older than the first, but there is room */
	EXPECT(history_answer(&history, 98, 0, 0) != NULL);
	send(96, 0); /* no room */
	EXPECT(history_answer(&history, 96, 0, 0) == NULL);
	EXPECT_EQ(packet_pool_used(pool), 4);
	send(500, 0); /* far ahead: none of the others can be asked for */
	EXPECT_EQ(packet_pool_used(pool), 1);
	EXPECT(history_answer(&history, 500, 0, 0) != NULL);
	EXPECT(history_answer(&history, 104, 0, 0) == NULL);
	send(501, 0);
	send(501, 0); /* the same number again, as after a wrap */
	EXPECT_EQ(packet_pool_used(pool), 2);
	history_close();
}

TEST(any_numbers_leave_the_table_whole)
{
	struct prng prng;
	history_open();
	prng_init(&prng, 5);
	int64_t now_us = 0;
	for (unsigned i = 0; i < 20000; i++) {
		const uint32_t what = prng_below(&prng, 10);
		const uint32_t near = history.next + 4u - prng_below(&prng, 9);
		const uint16_t seq = (uint16_t)(what == 0 ? prng_u32(&prng) : near);
		now_us += prng_below(&prng, 60 * MS);
		send(seq, now_us);
		const struct history_entry *entry = history_answer(&history, seq, 0, now_us);
		EXPECT(entry == NULL || entry->packet->payload[1] == (uint8_t)seq);
		EXPECT(packet_pool_used(pool) <= ENTRIES);
		if (prng_below(&prng, 100) == 0) {
			now_us += 500 * MS;
			history_expire(&history, now_us);
			EXPECT_EQ(packet_pool_used(pool), 0);
		}
	}
	history_close();
}

/* ---- key_requests ---- */

TEST(many_who_want_a_key_frame_make_one_request)
{
	struct key_requests requests = { 0 };
	EXPECT(!key_requests_due(&requests, 0, 0));
	EXPECT_EQ(key_requests_deadline(&requests, 0), INT64_MAX);
	for (unsigned i = 0; i < 100; i++)
		key_requests_want(&requests, 7);
	EXPECT_EQ(key_requests_deadline(&requests, 0), 7);
	EXPECT(key_requests_due(&requests, 0, 7));
	EXPECT(!key_requests_due(&requests, 0, 7));
	key_requests_want(&requests, 100 * MS);
	EXPECT(!key_requests_due(&requests, 0, 100 * MS));
	EXPECT_EQ(key_requests_deadline(&requests, 0), KEY_REQUEST_US_MIN + 7);
	EXPECT(key_requests_due(&requests, 0, KEY_REQUEST_US_MIN + 7));
	EXPECT(requests.wants == 101 && requests.requests == 2);
}

TEST(a_long_round_trip_is_waited_for_twice)
{
	struct key_requests requests = { 0 };
	key_requests_want(&requests, 0);
	EXPECT(key_requests_due(&requests, 400 * MS, 0));
	EXPECT_EQ(key_requests_deadline(&requests, 400 * MS), 800 * MS);
	EXPECT(!key_requests_due(&requests, 400 * MS, 799 * MS));
	EXPECT(key_requests_due(&requests, 400 * MS, 800 * MS));
}

TEST(a_key_frame_that_came_ends_the_asking_but_not_the_pause)
{
	struct key_requests requests = { 0 };
	key_requests_want(&requests, 0);
	EXPECT(key_requests_due(&requests, 0, 0));
	key_requests_came(&requests);
	EXPECT(!key_requests_due(&requests, 0, 1000 * MS));
	EXPECT_EQ(key_requests_deadline(&requests, 0), INT64_MAX);
	key_requests_want(&requests, 1000 * MS);
	EXPECT(key_requests_due(&requests, 0, 1000 * MS));
	key_requests_came(&requests);
	key_requests_want(&requests, 1001 * MS);
	EXPECT(!key_requests_due(&requests, 0, 1001 * MS)); /* a flood of requests */
	EXPECT(key_requests_due(&requests, 0, 1300 * MS));
}

TEST(a_key_frame_nobody_wants_any_more_is_not_asked_for)
{
	struct key_requests requests = { 0 };
	unsigned asked = 0;
	key_requests_want(&requests, 0);
	for (int64_t now_us = 0; now_us < 5000 * MS; now_us += 10 * MS)
		asked += key_requests_due(&requests, 0, now_us);
	EXPECT_EQ(asked, 4); /* at 0, 300, 600 and 900 ms */
	for (int64_t now_us = 5000 * MS; now_us < 8000 * MS; now_us += 10 * MS) {
		key_requests_want(&requests, now_us); /* somebody does all the time */
		asked += key_requests_due(&requests, 0, now_us);
	}
	EXPECT_EQ(asked, 14);
}

/* ---- Both ends ---- */

/* A stream over a path of 20 ms that loses `loss_pct` both ways; returns how many packets never
 * came. */
static unsigned
run_path(uint64_t seed, unsigned loss_pct)
{
	enum { PACKETS = 3000, TABLE = 512, SPACING_US = 2 * MS, ONE_WAY_US = 20 * MS };
	static struct history_entry table[TABLE];
	static bool came[PACKETS];
	static uint16_t asked[PACKETS * 8];
	static int64_t arrival_us[PACKETS * 8];
	unsigned flights = 0;
	struct prng prng;
	struct history sent;
	EXPECT_EQ(packet_pool_create(&pool, 1024), 0);
	history_init(&sent, &(struct history_settings){ .entries = table, .entry_count = TABLE });
	nack_open();
	prng_init(&prng, seed);
	memset(came, 0, sizeof came);
	unsigned served = 0;
	for (unsigned i = 0; i < PACKETS; i++) {
		const int64_t now_us = (int64_t)i * SPACING_US;
		struct packet *packet = packet_take(pool, NULL, 0);
		EXPECT(packet != NULL);
		history_put(&sent, packet, &(struct forward_header){ .seq = (uint16_t)i }, now_us);
		packet_put(packet);
		/* The receiver lives ONE_WAY_US later; what it asks for takes two ways. */
		if (i == 0 || prng_below(&prng, 100) >= loss_pct) {
			nack_input(&nack, i, now_us + ONE_WAY_US);
			came[i] = true;
		}
		while (served < flights && arrival_us[served] <= now_us + ONE_WAY_US) {
			nack_input(&nack, asked[served], arrival_us[served]);
			came[asked[served++]] = true;
		}
		const size_t count = nack_take(&nack, seqs, COUNT_OF(seqs), now_us + ONE_WAY_US);
		for (size_t s = 0; s < count; s++) {
			const int64_t at_us = now_us + 2 * ONE_WAY_US;
			if (prng_below(&prng, 100) >= loss_pct &&
			    history_answer(&sent, seqs[s], 2 * ONE_WAY_US, at_us) != NULL &&
			    prng_below(&prng, 100) >= loss_pct) {
				asked[flights] = seqs[s];
				arrival_us[flights++] = at_us + ONE_WAY_US;
			}
		}
	}
	history_clear(&sent);
	EXPECT_EQ(packet_pool_used(pool), 0);
	packet_pool_destroy(pool);
	unsigned missing = 0;
	for (unsigned i = 0; i < PACKETS - 200; i++) /* the last may still be on their way */
		missing += !came[i];
	return missing;
}

TEST(a_lossy_path_is_repaired)
{
	for (uint64_t seed = 1; seed <= 10; seed++) {
		EXPECT_EQ(run_path(seed, 0), 0);
		EXPECT_EQ(run_path(seed, 2), 0);
		EXPECT(run_path(seed, 10) <= 20); /* of 300, by four tries each */
	}
}

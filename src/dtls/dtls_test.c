/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: client and server agree on keys over any network that lets something through, give none out
 * to a wrong certificate, and are ended by nothing that is not authenticated.
 * Method: both ends on a seeded virtual wire with virtual time; strangers that inject; a check of the
 * record layer that stays afterwards.  dtls_openssl_test.c meets the `openssl` program. */
#include "dtls/dtls.h"

#include "base/check.h"
#include "base/prng.h"
#include "base/test.h"
#include "dtls/dtls_internal.h"

enum {
	SECOND = 1000 * 1000,
	WIRE_MAX = 128,
	CLIENT = 0,
	SERVER = 1,
};

struct flight {
	int64_t at_us;
	int to;
	size_t len;
	uint8_t bytes[DTLS_MTU];
};

struct end {
	struct dtls dtls;
	struct dtls_keys keys;
	unsigned connected, failed, closed;
	enum dtls_failure failure;
	int alert;
	unsigned sent;
};

static struct {
	struct end ends[2];
	struct flight wire[WIRE_MAX];
	unsigned waiting;
	struct prng prng;
	unsigned loss_pct;
	int64_t now_us;
	bool inject; /* junk before each datagram */
	int drop_nth; /* of what the server sends; 0: none */
} net;

static struct dtls_context *contexts[2];

static struct dtls_context *
context_of(const enum dtls_srtp_profile *profiles, unsigned count)
{
	struct dtls_context *context = NULL;
	struct dtls_context_settings settings = {
		.common_name = "convoke", .serial = 42,
		.not_before_s = 1700000000, .not_after_s = 1900000000,
		.profile_count = count,
	};
	for (unsigned i = 0; i < count; i++)
		settings.profiles[i] = profiles[i];
	EXPECT_EQ(dtls_context_create(&context, &settings), 0);
	return context;
}

static void
begin_with(unsigned seed, unsigned loss_pct, const struct dtls_fingerprint *client_expects,
           const struct dtls_fingerprint *server_expects)
{
	if (contexts[CLIENT] == NULL)
		for (int i = 0; i < 2; i++)
			contexts[i] = context_of(NULL, 0);
	for (int i = 0; i < 2; i++)
		dtls_fini(&net.ends[i].dtls);
	memset(&net, 0, sizeof net);
	net.now_us = 7 * SECOND;
	net.loss_pct = loss_pct;
	prng_init(&net.prng, seed);
	const struct dtls_fingerprint *expects[2] = { client_expects, server_expects };
	for (int i = 0; i < 2; i++)
		dtls_init(&net.ends[i].dtls,
		          &(struct dtls_settings){ .context = contexts[i],
		                                   .role = i == CLIENT ? DTLS_CLIENT : DTLS_SERVER,
		                                   .fingerprints = expects[i],
		                                   .fingerprint_count = expects[i] != NULL },
		          net.now_us);
}

static void drain(int which);

static void
begin(unsigned seed, unsigned loss_pct)
{
	begin_with(seed, loss_pct, NULL, NULL);
	for (int i = 0; i < 2; i++) {
		dtls_set_fingerprints(&net.ends[i].dtls, dtls_context_fingerprint(contexts[!i]), 1,
		                      net.now_us);
		drain(i);
	}
}

static void
fly(int to, const uint8_t *bytes, size_t len)
{
	EXPECT(net.waiting < WIRE_MAX);
	EXPECT(len <= DTLS_MTU);
	struct flight *flight = &net.wire[net.waiting++];
	*flight = (struct flight){ .at_us = net.now_us + 1000 + prng_below(&net.prng, 20000),
		                   .to = to, .len = len };
	memcpy(flight->bytes, bytes, len);
}

static void
drain(int which)
{
	struct end *end = &net.ends[which];
	for (struct dtls_out out; (out = dtls_poll(&end->dtls)).kind != DTLS_OUT_NONE;) {
		switch (out.kind) {
		case DTLS_OUT_DATAGRAM:
			end->sent++;
			if (which == SERVER && (int)end->sent == net.drop_nth)
				break;
			if (prng_below(&net.prng, 100) >= net.loss_pct)
				fly(!which, out.bytes, out.len);
			break;
		case DTLS_OUT_CONNECTED:
			end->connected++;
			end->keys = *out.keys;
			break;
		case DTLS_OUT_FAILED:
			end->failed++;
			end->failure = out.failure;
			end->alert = out.alert;
			break;
		case DTLS_OUT_CLOSED:
			end->closed++;
			end->alert = out.alert;
			break;
		case DTLS_OUT_NONE:
			break;
		}
	}
}

static void
give(int to, const uint8_t *bytes, size_t len)
{
	dtls_input(&net.ends[to].dtls, bytes, len, net.now_us);
	drain(to);
}

/* A stranger's best guesses at this moment, made from the true datagram. */
static void
inject(int to, const struct flight *flight)
{
	static const uint8_t fatal[] = { 21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40 };
	static const uint8_t closing[] = { 21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 1, 0 };
	static const uint8_t sealed[] = { 21, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 26,
		                          1, 2, 3, 4, 5, 6, 7, 8, 9 };
	uint8_t bytes[DTLS_MTU];
	give(to, fatal, sizeof fatal);
	give(to, closing, sizeof closing);
	memset(bytes, 7, sizeof bytes);
	memcpy(bytes, sealed, sizeof sealed);
	give(to, bytes, 13 + 26);
	prng_bytes(&net.prng, bytes, sizeof bytes);
	bytes[0] = (uint8_t)(20 + prng_below(&net.prng, 44));
	give(to, bytes, 1 + prng_below(&net.prng, sizeof bytes));
	give(to, flight->bytes, prng_below(&net.prng, (uint32_t)flight->len));
}

static void
run(int64_t for_us)
{
	const int64_t end_us = net.now_us + for_us;
	for (;;) {
		int64_t next_us = INT64_MAX;
		for (int i = 0; i < 2; i++)
			if (dtls_deadline(&net.ends[i].dtls) < next_us)
				next_us = dtls_deadline(&net.ends[i].dtls);
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
			if (net.inject)
				inject(flight.to, &flight);
			give(flight.to, flight.bytes, flight.len);
		}
		for (int i = 0; i < 2; i++) {
			if (dtls_deadline(&net.ends[i].dtls) <= net.now_us) {
				dtls_tick(&net.ends[i].dtls, net.now_us);
				drain(i);
			}
		}
	}
	net.now_us = end_us;
}

static void
start(void)
{
	EXPECT_EQ(dtls_start(&net.ends[SERVER].dtls, net.now_us), 0);
	drain(SERVER);
	EXPECT_EQ(dtls_start(&net.ends[CLIENT].dtls, net.now_us), 0);
	drain(CLIENT);
}

static void
expect_agreed(void)
{
	const struct end *client = &net.ends[CLIENT];
	const struct end *server = &net.ends[SERVER];
	EXPECT_EQ(client->connected, 1);
	EXPECT_EQ(server->connected, 1);
	EXPECT_EQ(client->failed + client->closed + server->failed + server->closed, 0);
	EXPECT_EQ(client->keys.profile, server->keys.profile);
	EXPECT_EQ(client->keys.key_len, server->keys.key_len);
	EXPECT(memcmp(&client->keys.local, &server->keys.remote, sizeof client->keys.local) == 0);
	EXPECT(memcmp(&client->keys.remote, &server->keys.local, sizeof client->keys.local) == 0);
	EXPECT(memcmp(&client->keys.local, &client->keys.remote, sizeof client->keys.local) != 0);
	EXPECT(client->dtls.handshake == NULL && server->dtls.handshake == NULL);
}

TEST(client_and_server_agree_on_keys)
{
	begin(1, 0);
	start();
	run(SECOND / 5);
	expect_agreed();
	EXPECT_EQ(net.ends[CLIENT].keys.profile, DTLS_SRTP_AEAD_AES_128_GCM);
	EXPECT_EQ(net.ends[CLIENT].dtls.stats.retransmits, 0);
	EXPECT_EQ(net.ends[SERVER].dtls.stats.retransmits, 0);
	EXPECT(net.ends[SERVER].sent <= 3);
	EXPECT_EQ(dtls_deadline(&net.ends[SERVER].dtls), INT64_MAX);
	char text[200];
	struct writer w = writer_of(text, sizeof text);
	dtls_dump(&net.ends[SERVER].dtls, &w);
	EXPECT_STR(writer_view(&w), "dtls server connected failure=none alert=-1 ignored=0 "
	                            "restarts=0 retransmits=0\n");
}

TEST(every_seed_connects_over_a_wire_that_loses_a_third)
{
	unsigned last_flight_again = 0;
	for (unsigned seed = 1; seed <= 60; seed++) {
		begin(seed, 33);
		start();
		run(29 * SECOND);
		expect_agreed();
		last_flight_again += net.ends[SERVER].dtls.stats.retransmits != 0;
	}
	EXPECT(last_flight_again > 10);
}

TEST(a_lost_last_flight_is_sent_again_after_openssl_is_gone)
{
	begin(1, 0);
	start();
	run(SECOND / 5);
	const int last = (int)net.ends[SERVER].sent;

	begin(1, 0);
	net.drop_nth = last;
	start();
	run(80 * 1000);
	EXPECT_EQ(net.ends[SERVER].connected, 1);
	EXPECT_EQ(net.ends[CLIENT].connected, 0);
	EXPECT(net.ends[SERVER].dtls.handshake == NULL);
	run(SECOND);
	expect_agreed();
	EXPECT(net.ends[SERVER].dtls.stats.retransmits >= 1);
}

TEST(strangers_do_not_disturb_a_handshake)
{
	for (unsigned seed = 1; seed <= 40; seed++) {
		begin(seed, seed % 2 ? 0 : 20);
		net.inject = true;
		start();
		run(29 * SECOND);
		expect_agreed();
		EXPECT(net.ends[SERVER].dtls.stats.ignored > 5);
	}
}

/* CVE-2023-49786 and its kind: a ClientHello that cannot be served. */
TEST(a_faulty_client_hello_is_forgotten)
{
	begin(1, 0);
	start();
	uint8_t hello[DTLS_MTU];
	const size_t len = net.wire[0].len;
	memcpy(hello, net.wire[0].bytes, len);
	EXPECT_EQ(hello[13], 1);
	hello[13 + 12 + 2] ^= 1; /* another random */
	const size_t suites_at = 13 + 12 + 2 + 32 + 1 + 1;
	const size_t suites_len = (size_t)hello[suites_at] << 8 | hello[suites_at + 1];
	for (size_t i = 0; i < suites_len; i++)
		hello[suites_at + 2 + i] = 0; /* TLS_NULL_WITH_NULL_NULL */
	give(SERVER, hello, len);
	EXPECT_EQ(net.ends[SERVER].dtls.stats.restarts, 1);
	EXPECT_EQ(net.ends[SERVER].sent, 0);
	run(SECOND);
	expect_agreed();
}

TEST(a_stolen_first_place_is_given_up_when_nobody_goes_on)
{
	begin(1, 0);
	start();
	const struct flight real = net.wire[0];
	struct flight forged = real;
	forged.bytes[13 + 12 + 2] ^= 1;
	net.waiting = 0;

	/* The forged one is first; the true one is not taken at once... */
	give(SERVER, forged.bytes, forged.len);
	EXPECT_EQ(net.ends[SERVER].dtls.state, DTLS_HANDSHAKING);
	give(SERVER, real.bytes, real.len);
	EXPECT_EQ(net.ends[SERVER].dtls.stats.restarts, 0);
	net.waiting = 0;

	/* ... but when the server's flight has gone unanswered. */
	run(150 * 1000);
	EXPECT(net.ends[SERVER].dtls.stats.restarts >= 1);
	run(20 * SECOND);
	expect_agreed();
}

TEST(another_hello_in_the_middle_changes_nothing)
{
	begin(1, 0);
	start();
	const struct flight hello = net.wire[0];
	struct flight forged = hello;
	forged.bytes[13 + 12 + 2] ^= 1;
	net.waiting = 0;
	give(SERVER, hello.bytes, hello.len);
	for (int i = 0; i < 10; i++)
		give(SERVER, forged.bytes, forged.len);
	EXPECT_EQ(net.ends[SERVER].dtls.stats.restarts, 0);
	EXPECT(net.ends[SERVER].dtls.stats.ignored >= 10);
	run(SECOND / 5);
	expect_agreed();
}

TEST(a_wrong_certificate_gets_no_keys)
{
	for (int wrong = 0; wrong < 2; wrong++) {
		begin_with(1, 0, NULL, NULL);
		for (int i = 0; i < 2; i++) {
			struct dtls_fingerprint fingerprint =
				*dtls_context_fingerprint(contexts[!i]);
			if (i == wrong)
				fingerprint.digest[31] ^= 1;
			dtls_set_fingerprints(&net.ends[i].dtls, &fingerprint, 1, net.now_us);
		}
		start();
		run(SECOND);
		EXPECT_EQ(net.ends[wrong].connected, 0);
		EXPECT_EQ(net.ends[wrong].failed, 1);
		EXPECT_EQ(net.ends[wrong].failure, DTLS_FAILURE_FINGERPRINT);
		EXPECT(net.ends[wrong].dtls.handshake == NULL);
		/* The other end, which had no complaint, is told. */
		EXPECT_EQ(net.ends[!wrong].closed, 1);
		EXPECT_EQ(net.ends[!wrong].alert, 42);
	}
}

TEST(keys_wait_for_the_fingerprint)
{
	begin_with(1, 0, NULL, NULL);
	start();
	run(SECOND);
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(net.ends[i].dtls.state, DTLS_VERIFYING);
		EXPECT_EQ(net.ends[i].connected, 0);
		dtls_set_fingerprints(&net.ends[i].dtls, dtls_context_fingerprint(contexts[!i]), 1,
		                      net.now_us);
		drain(i);
	}
	run(1000);
	expect_agreed();

	begin_with(1, 0, NULL, NULL);
	start();
	run(31 * SECOND);
	EXPECT_EQ(net.ends[CLIENT].failure, DTLS_FAILURE_TIMEOUT);
	EXPECT_EQ(net.ends[SERVER].failure, DTLS_FAILURE_TIMEOUT);
}

TEST(the_strongest_hash_of_the_sdp_decides)
{
	struct dtls_fingerprint list[3];
	begin_with(1, 0, NULL, NULL);
	X509 *cert = SSL_CTX_get0_certificate(contexts[SERVER]->ssl_ctx);
	EXPECT(dtls_fingerprint_of(&list[0], cert, DTLS_SHA1));
	EXPECT(dtls_fingerprint_of(&list[1], cert, DTLS_SHA256));
	EXPECT(dtls_fingerprint_of(&list[2], cert, DTLS_SHA512));
	EXPECT(dtls_fingerprints_match(list, 3, cert));
	EXPECT(dtls_fingerprints_match(list, 1, cert));
	list[2].digest[0] ^= 1;
	EXPECT(!dtls_fingerprints_match(list, 3, cert));
	EXPECT(dtls_fingerprints_match(list, 2, cert));
	EXPECT(!dtls_fingerprints_match(list, 0, cert));
}

TEST(close_notify_ends_the_session_and_nothing_plain_does)
{
	begin(1, 0);
	start();
	run(SECOND);
	expect_agreed();
	const struct flight any = { .len = 13 };
	for (int i = 0; i < 20; i++) {
		inject(SERVER, &any);
		inject(CLIENT, &any);
	}
	expect_agreed();

	dtls_close(&net.ends[CLIENT].dtls, net.now_us);
	drain(CLIENT);
	EXPECT_EQ(net.waiting, 1);
	struct flight closing = net.wire[0];
	closing.bytes[closing.len - 1] ^= 1;
	give(SERVER, closing.bytes, closing.len);
	EXPECT_EQ(net.ends[SERVER].closed, 0);
	closing.bytes[closing.len - 1] ^= 1;
	give(SERVER, closing.bytes, closing.len);
	EXPECT_EQ(net.ends[SERVER].closed, 1);
	EXPECT_EQ(net.ends[SERVER].alert, 0);
	give(SERVER, closing.bytes, closing.len);
	EXPECT_EQ(net.ends[SERVER].closed, 1);
	EXPECT_EQ(net.ends[CLIENT].closed, 0);
}

TEST(the_server_of_any_order_picks_by_its_own)
{
	static const enum dtls_srtp_profile reversed[] = {
		DTLS_SRTP_AES128_CM_SHA1_32, DTLS_SRTP_AES128_CM_SHA1_80,
		DTLS_SRTP_AEAD_AES_256_GCM, DTLS_SRTP_AEAD_AES_128_GCM,
	};
	begin(1, 0);
	struct dtls_context *const usual[2] = { contexts[0], contexts[1] };
	for (unsigned first = 0; first < 4; first++) {
		for (int who = 0; who < 2; who++) {
			contexts[CLIENT] = usual[CLIENT];
			contexts[SERVER] = usual[SERVER];
			struct dtls_context *odd = context_of(reversed + first, 4 - first);
			contexts[who] = odd;
			begin(1, 0);
			start();
			run(SECOND);
			expect_agreed();
			const enum dtls_srtp_profile want =
				who == SERVER ? reversed[first] : DTLS_SRTP_AEAD_AES_128_GCM;
			EXPECT_EQ(net.ends[CLIENT].keys.profile, want);
			EXPECT_EQ(net.ends[CLIENT].keys.salt_len, want <= 2 ? 14 : 12);
			EXPECT_EQ(net.ends[CLIENT].keys.key_len, want == 8 ? 32 : 16);
			dtls_context_destroy(odd);
		}
	}

	struct dtls_context *left = context_of(reversed, 1);
	struct dtls_context *right = context_of(reversed + 1, 1);
	contexts[CLIENT] = left;
	contexts[SERVER] = right;
	begin(1, 0);
	start();
	run(31 * SECOND);
	EXPECT_EQ(net.ends[SERVER].failure, DTLS_FAILURE_NO_SRTP);
	EXPECT_EQ(net.ends[CLIENT].connected + net.ends[SERVER].connected, 0);
	contexts[CLIENT] = usual[CLIENT];
	contexts[SERVER] = usual[SERVER];
	begin(1, 0);
	dtls_context_destroy(left);
	dtls_context_destroy(right);
}

TEST(an_unanswered_hello_is_repeated_with_growing_pauses_and_then_fails)
{
	begin(1, 100);
	start();
	const struct end *client = &net.ends[CLIENT];
	int64_t pause_us = DTLS_RTO_US;
	for (unsigned sent = 1; sent <= 6; sent++) {
		EXPECT_EQ(client->sent, sent);
		EXPECT_EQ(dtls_deadline(&client->dtls), net.now_us + pause_us);
		run(pause_us);
		pause_us = pause_us < DTLS_RTO_US_MAX / 2 ? 2 * pause_us : DTLS_RTO_US_MAX;
	}
	run(31 * SECOND);
	EXPECT_EQ(client->failed, 1);
	EXPECT_EQ(client->failure, DTLS_FAILURE_TIMEOUT);
	EXPECT_EQ(net.ends[SERVER].failure, DTLS_FAILURE_TIMEOUT);
	EXPECT(net.ends[SERVER].dtls.handshake == NULL);
	EXPECT_EQ(dtls_deadline(&client->dtls), INT64_MAX);
}

/* A browser's ClientHello with a post-quantum key share is longer than a datagram. */
TEST(a_client_hello_in_fragments_is_put_together_in_any_order)
{
	for (int swapped = 0; swapped < 2; swapped++) {
		begin(1, 0);
		start();
		const struct flight hello = net.wire[0];
		const size_t body_len = hello.len - 13 - 12;
		const size_t cut = body_len / 2;
		struct flight parts[2];
		for (size_t i = 0; i < 2; i++) {
			const size_t offset = i == 0 ? 0 : cut;
			const size_t len = i == 0 ? cut : body_len - cut;
			uint8_t *bytes = parts[i].bytes;
			memcpy(bytes, hello.bytes, 13 + 12);
			memcpy(bytes + 25, hello.bytes + 25 + offset, len);
			bytes[10] = (uint8_t)i; /* record sequence */
			bytes[11] = (uint8_t)((len + 12) >> 8);
			bytes[12] = (uint8_t)(len + 12);
			bytes[13 + 7] = (uint8_t)(offset >> 8);
			bytes[13 + 8] = (uint8_t)offset;
			bytes[13 + 10] = (uint8_t)(len >> 8);
			bytes[13 + 11] = (uint8_t)len;
			parts[i].len = 25 + len;
		}
		net.waiting = 0;
		give(SERVER, parts[swapped].bytes, parts[swapped].len);
		EXPECT_EQ(net.ends[SERVER].sent, 0);
		give(SERVER, parts[!swapped].bytes, parts[!swapped].len);
		EXPECT(net.ends[SERVER].sent >= 1);
		run(SECOND / 20);
		EXPECT_EQ(net.ends[SERVER].dtls.stats.restarts, 0);
		/* The record numbers of the client were used up by us: it needs one repetition. */
		run(SECOND);
		expect_agreed();
	}
}

TEST(the_last_plain_alert_is_told_when_time_is_up)
{
	static const uint8_t alert[] = { 21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 2, 40 };
	begin(1, 100);
	start();
	give(CLIENT, alert, sizeof alert);
	run(31 * SECOND);
	EXPECT_EQ(net.ends[CLIENT].failure, DTLS_FAILURE_TIMEOUT);
	EXPECT_EQ(net.ends[CLIENT].alert, 40);
	EXPECT_EQ(net.ends[SERVER].alert, -1);
}

/* As with a libssl that does not let us set its timer: its clock is the real one. */
TEST(with_the_librarys_clock_the_handshake_still_works)
{
	begin(1, 0);
	contexts[CLIENT]->library_clock = true;
	contexts[SERVER]->library_clock = true;
	begin(1, 0);
	start();
	EXPECT(dtls_deadline(&net.ends[CLIENT].dtls) <= net.now_us + DTLS_RTO_US);
	EXPECT(dtls_deadline(&net.ends[CLIENT].dtls) > net.now_us + DTLS_RTO_US / 2);
	net.waiting = 0; /* the ClientHello is lost */
	nanosleep(&(struct timespec){ .tv_nsec = DTLS_RTO_US * 1000L }, NULL);
	net.now_us += DTLS_RTO_US;
	dtls_tick(&net.ends[CLIENT].dtls, net.now_us);
	drain(CLIENT);
	EXPECT_EQ(net.ends[CLIENT].sent, 2);
	run(90 * 1000);
	contexts[CLIENT]->library_clock = false;
	contexts[SERVER]->library_clock = false;
	expect_agreed();
}

TEST(fingerprints_are_read_and_written_as_sdp_has_them)
{
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
		{ "sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB", true },
		{ "SHA-1 4a:ad:b9:b1:3f:82:18:3b:54:02:12:df:3e:5d:49:6b:19:e5:7c:ab", true },
		{ "sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C", false },
		{ "sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:", false },
		{ "sha-1 4A-AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB", false },
		{ "sha-1 4G:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB", false },
		{ "sha-256 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB", false },
		{ "md5 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B", false },
		{ "sha-1", false },
		{ "", false },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct dtls_fingerprint got;
		EXPECT_EQ(dtls_fingerprint_parse(&got, str_of(cases[i].text)), cases[i].good);
		if (!cases[i].good)
			continue;
		char text[DTLS_FINGERPRINT_TEXT_MAX];
		struct writer w = writer_of(text, sizeof text);
		dtls_fingerprint_write(&w, &got);
		EXPECT_STR(writer_view(&w), cases[0].text);
	}
	begin(1, 0);
	struct dtls_fingerprint own;
	EXPECT(dtls_fingerprint_parse(&own, str_of(dtls_context_fingerprint_text(contexts[0]))));
	EXPECT(memcmp(&own, dtls_context_fingerprint(contexts[0]), sizeof own) == 0);
	for (unsigned i = 0; i < DTLS_FAILURE_COUNT; i++)
		EXPECT(dtls_failure_name((enum dtls_failure)i) != NULL);
}

TEST(records_open_once_and_only_whole)
{
	struct dtls_record alice = { .key_len = 16, .write.key = { 1 }, .nonce = 77 };
	struct dtls_record bob = { .key_len = 16, .read.key = { 1 } };
	uint8_t bytes[DTLS_RECORD_OUT_MAX];
	uint8_t plain[DTLS_RECORD_PLAIN_MAX];
	static const uint8_t alert[2] = { 1, 0 };
	for (int i = 0; i < 100; i++) {
		struct writer w = writer_of(bytes, sizeof bytes);
		dtls_record_seal(&alice, &w, DTLS_CONTENT_ALERT, alert, sizeof alert);
		EXPECT(!w.failed);
		if (i == 0)
			continue; /* sequence 0 is below Bob's window: the Finished had it */
		for (size_t at = 3; at < w.at; at++) {
			bytes[at] ^= 1;
			struct reader r = reader_of(bytes, w.at);
			struct dtls_record_view view;
			if (dtls_record_next(&r, &view))
				EXPECT_EQ(dtls_record_open(&bob, &view, plain), -1);
			bytes[at] ^= 1;
		}
		struct reader r = reader_of(bytes, w.at);
		struct dtls_record_view view;
		EXPECT(dtls_record_next(&r, &view));
		EXPECT_EQ(dtls_record_open(&bob, &view, plain), 2);
		EXPECT_EQ(dtls_record_open(&bob, &view, plain), -1);
	}
	for (size_t cap = 0; cap < 13 + 8 + 2 + 16; cap++) {
		struct writer w = writer_of(bytes, cap);
		dtls_record_seal(&alice, &w, DTLS_CONTENT_ALERT, alert, sizeof alert);
		EXPECT(w.failed);
	}
	dtls_record_wipe(&bob);
	EXPECT_EQ(bob.key_len, 0);
}

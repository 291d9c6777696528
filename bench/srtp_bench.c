/* SPDX-License-Identifier: Apache-2.0 */
/* What SRTP costs: nanoseconds a packet to protect and to unprotect, beside libsrtp2 in the same
 * run, and bytes of heap a session.
 *
 *	srtp_bench [--json] [--rounds N]
 *
 * Method: for each suite and payload size, rounds alternate between the two libraries, so that a
 * busy machine is busy for both; a round protects a batch of packets, then unprotects it.  The
 * median round counts, in thread CPU time. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "srtp/libsrtp2_peer.h"
#include "srtp/srtp.h"

enum {
	BATCH = 512,
	ROUNDS_DEFAULT = 41,
	ROUNDS_MAX = 1001,
	PACKET_ROOM = 1280,
	HEADER_BYTES = 12,
	SESSIONS = 1000,
};

static const size_t payload_bytes[] = { 160, 1200 };

struct packet {
	uint8_t bytes[PACKET_ROOM];
	size_t len;
};

/* One library's side: both directions, and the packet number it has come to. */
struct side {
	struct srtp_session *ours[2];
	struct libsrtp2_peer *peer[2];
	uint16_t seq;
	double protect_ns[ROUNDS_MAX];
	double unprotect_ns[ROUNDS_MAX];
};

static struct srtp_settings
settings_of(enum srtp_suite suite, enum srtp_direction direction)
{
	static const uint8_t key[SRTP_KEY_BYTES_MAX] = "thirty-two bytes of a known key.";
	static const uint8_t salt[SRTP_SALT_BYTES_MAX] = "fourteen salts";
	return (struct srtp_settings){
		.suite = suite, .direction = direction, .key = key, .salt = salt
	};
}

static void
side_init(struct side *side, enum srtp_suite suite, bool is_peer)
{
	memset(side, 0, sizeof *side);
	for (int i = 0; i < 2; i++) {
		const struct srtp_settings settings = settings_of(suite, (enum srtp_direction)i);
		if (is_peer)
			CHECK((side->peer[i] = libsrtp2_peer_create(&settings)) != NULL);
		else
			CHECK(srtp_session_create(&side->ours[i], &settings) == 0);
	}
}

static void
side_fini(struct side *side)
{
	for (int i = 0; i < 2; i++) {
		srtp_session_destroy(side->ours[i]);
		libsrtp2_peer_destroy(side->peer[i]);
	}
}

static double
now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void
fill(struct packet *packets, struct side *side, size_t len)
{
	for (int i = 0; i < BATCH; i++) {
		const uint16_t seq = side->seq++;
		const uint8_t header[HEADER_BYTES] = {
			0x80, 111, (uint8_t)(seq >> 8), (uint8_t)seq, 0, 0, 0, 0, 1, 2, 3, 4
		};
		memcpy(packets[i].bytes, header, sizeof header);
		memset(packets[i].bytes + sizeof header, i, len);
		packets[i].len = sizeof header + len;
	}
}

static void
run_round(struct side *side, size_t len, int round)
{
	static struct packet packets[BATCH];
	bool all = true;
	fill(packets, side, len);
	const double start = now_ns();
	if (side->ours[0] != NULL)
		for (int i = 0; i < BATCH; i++)
			all &= srtp_rtp_protect(side->ours[0], packets[i].bytes, &packets[i].len,
			                        PACKET_ROOM) == SRTP_OK;
	else
		for (int i = 0; i < BATCH; i++)
			all &= libsrtp2_rtp_protect(side->peer[0], packets[i].bytes,
			                            &packets[i].len);
	const double middle = now_ns();
	if (side->ours[1] != NULL)
		for (int i = 0; i < BATCH; i++)
			all &= srtp_rtp_unprotect(side->ours[1], packets[i].bytes,
			                          &packets[i].len) == SRTP_OK;
	else
		for (int i = 0; i < BATCH; i++)
			all &= libsrtp2_rtp_unprotect(side->peer[1], packets[i].bytes,
			                              &packets[i].len);
	const double end = now_ns();
	CHECK(all);
	side->protect_ns[round] = (middle - start) / BATCH;
	side->unprotect_ns[round] = (end - middle) / BATCH;
}

static int
compare(const void *a, const void *b)
{
	const double x = *(const double *)a;
	const double y = *(const double *)b;
	return (x > y) - (x < y);
}

static double
median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof *values, compare);
	return values[count / 2];
}

/* Medians, nanoseconds a packet. */
struct figures {
	double protect;
	double unprotect;
	double peer_protect;
	double peer_unprotect;
};

static struct figures
measure(enum srtp_suite suite, size_t len, int rounds)
{
	static struct side ours;
	static struct side peer;
	side_init(&ours, suite, false);
	side_init(&peer, suite, true);
	run_round(&ours, len, 0); /* warms caches; written over */
	run_round(&peer, len, 0);
	for (int round = 0; round < rounds; round++) {
		run_round(&ours, len, round);
		run_round(&peer, len, round);
	}
	side_fini(&ours);
	side_fini(&peer);
	return (struct figures){
		.protect = median(ours.protect_ns, rounds),
		.unprotect = median(ours.unprotect_ns, rounds),
		.peer_protect = median(peer.protect_ns, rounds),
		.peer_unprotect = median(peer.unprotect_ns, rounds),
	};
}

static void
print_figures(enum srtp_suite suite, size_t len, const struct figures *f, bool json)
{
	const char *name = srtp_suite_info(suite)->name;
	const double times_protect = f->peer_protect / f->protect;
	const double times_unprotect = f->peer_unprotect / f->unprotect;
	if (json)
		printf("{\"bench\":\"srtp\",\"suite\":\"%s\",\"bytes\":%zu,\"protect_ns\":%.0f,"
		       "\"unprotect_ns\":%.0f,\"libsrtp2_protect_ns\":%.0f,"
		       "\"libsrtp2_unprotect_ns\":%.0f,\"times_protect\":%.2f,"
		       "\"times_unprotect\":%.2f}\n",
		       name, len, f->protect, f->unprotect, f->peer_protect, f->peer_unprotect,
		       times_protect, times_unprotect);
	else
		printf("%-24s %5zu %9.0f %9.0f %12.0f %9.0f %9.2f %7.2f\n", name, len, f->protect,
		       f->unprotect, f->peer_protect, f->peer_unprotect, times_protect,
		       times_unprotect);
}

/* A leg has two sessions; what OpenSSL keeps for their ciphers is part of it. */
static void
measure_memory(enum srtp_suite suite, bool json)
{
	static struct srtp_session *sessions[SESSIONS];
	const double start = now_ns();
	const size_t before = mallinfo2().uordblks;
	for (int i = 0; i < SESSIONS; i++) {
		const struct srtp_settings settings =
		        settings_of(suite, (enum srtp_direction)(i % 2));
		CHECK(srtp_session_create(&sessions[i], &settings) == 0);
	}
	const size_t bytes = (mallinfo2().uordblks - before) / SESSIONS * 2;
	const double us = (now_ns() - start) / SESSIONS / 1000 * 2;
	for (int i = 0; i < SESSIONS; i++)
		srtp_session_destroy(sessions[i]);
	const char *name = srtp_suite_info(suite)->name;
	if (json)
		printf("{\"bench\":\"srtp_leg\",\"suite\":\"%s\",\"bytes\":%zu,"
		       "\"create_us\":%.1f}\n",
		       name, bytes, us);
	else
		printf("%-24s %7zu %12.1f\n", name, bytes, us);
}

int
main(int argc, char **argv)
{
	bool json = false;
	int rounds = ROUNDS_DEFAULT;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			json = true;
		} else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc) {
			rounds = (int)strtol(argv[++i], NULL, 10);
		} else {
			fprintf(stderr, "usage: srtp_bench [--json] [--rounds N]\n");
			return 2;
		}
	}
	if (rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "srtp_bench: rounds: 1 to %d\n", ROUNDS_MAX);
		return 2;
	}
	if (!json)
		printf("%-24s %5s %9s %9s %12s %9s %9s %7s\n", "suite", "bytes", "protect",
		       "unprot.", "libsrtp2 p.", "u.", "times p.", "u.");
	for (enum srtp_suite suite = 1; suite < SRTP_SUITE_COUNT; suite++) {
		for (size_t i = 0; i < COUNT_OF(payload_bytes); i++) {
			const struct figures figures = measure(suite, payload_bytes[i], rounds);
			print_figures(suite, payload_bytes[i], &figures, json);
		}
	}
	if (!json)
		printf("\n%-24s %7s %12s\n", "a leg's two sessions", "bytes", "set-up us");
	for (enum srtp_suite suite = 1; suite < SRTP_SUITE_COUNT; suite++)
		measure_memory(suite, json);
	return 0;
}

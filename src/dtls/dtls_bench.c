/* SPDX-License-Identifier: Apache-2.0 */
/* Handshakes a core does, both ends and the server's share, and the memory of a session in work and
 * of one that is connected. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/check.h"
#include "dtls/dtls_internal.h"

enum {
	HANDSHAKES = 1500,
	SESSIONS = 300,
};

static double
seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct dtls_context *context;
static double server_s; /* time spent on the server's side */

/* Gives all that `from` has to say to `to`; true when there was anything. */
static bool
carry(struct dtls *from, struct dtls *to)
{
	uint8_t bytes[DTLS_FLIGHT_MAX][DTLS_MTU];
	size_t lens[DTLS_FLIGHT_MAX];
	unsigned count = 0;
	for (struct dtls_out out; (out = dtls_poll(from)).kind != DTLS_OUT_NONE;) {
		CHECK(out.kind == DTLS_OUT_DATAGRAM || out.kind == DTLS_OUT_CONNECTED);
		if (out.kind == DTLS_OUT_DATAGRAM) {
			memcpy(bytes[count], out.bytes, out.len);
			lens[count++] = out.len;
		}
	}
	const double begin = seconds();
	for (unsigned i = 0; i < count; i++) {
		dtls_input(to, bytes[i], lens[i], 0);
		if (i + 1 < count && to->handshake != NULL)
			CHECK(to->handshake->flight_count == 0 && !to->out_connected);
	}
	if (to->role == DTLS_SERVER)
		server_s += seconds() - begin;
	return count != 0;
}

static void
start(struct dtls pair[2])
{
	const struct dtls_fingerprint *fingerprint = dtls_context_fingerprint(context);
	for (int i = 0; i < 2; i++) {
		dtls_init(&pair[i],
		          &(struct dtls_settings){ .context = context,
		                                   .role = i ? DTLS_SERVER : DTLS_CLIENT,
		                                   .fingerprints = fingerprint,
		                                   .fingerprint_count = 1 },
		          0);
		CHECK(dtls_start(&pair[i], 0) == 0);
	}
}

static void
connect_pair(struct dtls pair[2])
{
	start(pair);
	for (int turn = 0; carry(&pair[turn], &pair[!turn]); turn = !turn)
		continue;
	(void)carry(&pair[0], &pair[1]);
	CHECK(pair[0].state == DTLS_CONNECTED && pair[1].state == DTLS_CONNECTED);
}

int
main(void)
{
	CHECK(dtls_context_create(&context, &(struct dtls_context_settings){
						    .common_name = "bench",
						    .serial = 1,
						    .not_before_s = 1700000000,
						    .not_after_s = 1900000000 }) == 0);
	struct dtls pair[2];
	connect_pair(pair);

	server_s = 0;
	const double begin = seconds();
	for (int i = 0; i < HANDSHAKES; i++) {
		connect_pair(pair);
		dtls_fini(&pair[0]);
		dtls_fini(&pair[1]);
	}
	const double took = seconds() - begin;
	printf("both ends      %6.0f handshakes per second, %.0f us each\n", HANDSHAKES / took,
	       took / HANDSHAKES * 1e6);
	printf("server's share %6.0f handshakes per second, %.0f us each\n", HANDSHAKES / server_s,
	       server_s / HANDSHAKES * 1e6);

	struct dtls(*sessions)[2] = calloc(SESSIONS, sizeof *sessions);
	CHECK(sessions != NULL);
	size_t before = mallinfo2().uordblks;
	for (int i = 0; i < SESSIONS; i++) {
		start(sessions[i]);
		(void)carry(&sessions[i][0], &sessions[i][1]); /* both ends are now in the middle */
		while (dtls_poll(&sessions[i][1]).kind != DTLS_OUT_NONE)
			continue;
	}
	printf("in work        %6zu bytes on the heap for each end (a mean of both)\n",
	       (mallinfo2().uordblks - before) / SESSIONS / 2);
	for (int i = 0; i < SESSIONS; i++)
		for (int k = 0; k < 2; k++)
			dtls_fini(&sessions[i][k]);

	before = mallinfo2().uordblks;
	for (int i = 0; i < SESSIONS; i++)
		connect_pair(sessions[i]);
	const size_t after = mallinfo2().uordblks;
	printf("connected      %6zu bytes in struct dtls, %zu on the heap\n", sizeof(struct dtls),
	       after > before ? (after - before) / SESSIONS / 2 : 0);
	free(sessions);
	dtls_context_destroy(context);
	return 0;
}

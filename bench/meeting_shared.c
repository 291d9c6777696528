/* SPDX-License-Identifier: Apache-2.0 */
#include "meeting_shared.h"

#include "base/check.h"
#include "net/random.h"
#include "net/wall.h"

enum { DAY_S = 24 * 3600 };

void
meeting_shared_open(struct meeting_shared *shared, unsigned connections_max, unsigned packets_max)
{
	const int64_t now_s = wall_now().us / 1000000;
	const struct dtls_context_settings dtls = { .common_name = "browser",
		                                    .serial = random_u64() >> 1,
		                                    .not_before_s = now_s - DAY_S,
		                                    .not_after_s = now_s + DAY_S };
	const struct tls_settings tls = { .no_verify = true };
	char error[TLS_ERROR_MAX];
	prng_init(&shared->prng, random_u64());
	CHECK(loop_create(&shared->loop) == 0);
	CHECK(http_create(&shared->http, shared->loop, connections_max) == 0);
	CHECK(tls_context_create(&shared->tls, &tls, error) == 0);
	CHECK(dtls_context_create(&shared->dtls, &dtls) == 0);
	CHECK(packet_pool_create(&shared->pool, packets_max) == 0);
}

void
meeting_shared_close(struct meeting_shared *shared)
{
	http_destroy(shared->http);
	tls_context_destroy(shared->tls);
	dtls_context_destroy(shared->dtls);
	packet_pool_destroy(shared->pool);
	loop_destroy(shared->loop);
}

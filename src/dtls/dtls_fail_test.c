/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: want of memory ends a handshake or is survived; nothing is lost and nothing crashes.
 * Method: a whole handshake between two ends that hear each other at once, each allocation failing
 * once, OpenSSL's too. */
#include "base/check.h"
#include "base/fail_openssl.h"
#include "base/test.h"
#include "dtls/dtls.h"

enum { WIRE_MAX = 32, SECOND = 1000 * 1000, PATIENCE_US = 10 * SECOND };

static struct {
	struct dtls_context *contexts[2];
	struct dtls ends[2];
	struct {
		unsigned to;
		size_t len;
		uint8_t bytes[DTLS_MTU];
	} wire[WIRE_MAX];
	unsigned waiting;
	unsigned connected;
	unsigned failed;
} scene;

static void
drain(unsigned which)
{
	for (struct dtls_out out; (out = dtls_poll(&scene.ends[which])).kind != DTLS_OUT_NONE;) {
		scene.connected += out.kind == DTLS_OUT_CONNECTED;
		scene.failed += out.kind == DTLS_OUT_FAILED;
		if (out.kind != DTLS_OUT_DATAGRAM || scene.waiting == WIRE_MAX)
			continue;
		scene.wire[scene.waiting].to = !which;
		scene.wire[scene.waiting].len = out.len;
		memcpy(scene.wire[scene.waiting].bytes, out.bytes, out.len);
		scene.waiting++;
	}
}

static void
talk(void)
{
	for (int64_t now_us = 0; now_us < PATIENCE_US && scene.failed == 0; now_us += SECOND / 2) {
		for (unsigned at = 0; at < scene.waiting; at++) {
			dtls_input(&scene.ends[scene.wire[at].to], scene.wire[at].bytes,
			           scene.wire[at].len, now_us);
			drain(scene.wire[at].to);
		}
		scene.waiting = 0;
		if (scene.connected == 2)
			return;
		for (unsigned i = 0; i < 2; i++) {
			dtls_tick(&scene.ends[i], now_us);
			drain(i);
		}
	}
}

static bool
shake_hands(void *context)
{
	(void)context;
	scene.waiting = scene.connected = scene.failed = 0;
	for (unsigned i = 0; i < 2; i++) {
		dtls_init(&scene.ends[i],
		          &(struct dtls_settings){
		                  .context = scene.contexts[i],
		                  .role = i == 0 ? DTLS_CLIENT : DTLS_SERVER,
		                  .fingerprints = dtls_context_fingerprint(scene.contexts[!i]),
		                  .fingerprint_count = 1,
		          },
		          0);
	}
	int rc = dtls_start(&scene.ends[1], 0);
	drain(1);
	if (rc == 0) {
		rc = dtls_start(&scene.ends[0], 0);
		drain(0);
	}
	if (rc == 0)
		talk();
	for (unsigned i = 0; i < 2; i++)
		dtls_fini(&scene.ends[i]);
	return rc == 0 && scene.connected == 2;
}

static int
make_context(struct dtls_context **out)
{
	*out = NULL;
	return dtls_context_create(out, &(struct dtls_context_settings){
	                                        .common_name = "convoke",
	                                        .serial = 42,
	                                        .not_before_s = 1700000000,
	                                        .not_after_s = 1900000000,
	                                });
}

static bool
make(void *context)
{
	(void)context;
	struct dtls_context *made;
	const int rc = make_context(&made);
	EXPECT_EQ(rc == 0, made != NULL);
	dtls_context_destroy(made);
	return rc == 0;
}

TEST(a_context_is_made_whole_or_not_at_all)
{
	EXPECT(fail_at_each(make, NULL) > 10);
}

TEST(a_handshake_survives_want_of_memory_or_fails)
{
	for (unsigned i = 0; i < 2; i++)
		EXPECT_EQ(make_context(&scene.contexts[i]), 0);
	EXPECT(fail_at_every(5, shake_hands, NULL) > 10);
	for (unsigned i = 0; i < 2; i++)
		dtls_context_destroy(scene.contexts[i]);
}

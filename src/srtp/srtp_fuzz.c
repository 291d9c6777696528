/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes to unprotect, first as they are (they do not authenticate and leave no trace), then
 * protected as if they were ours, which must come back the same. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "srtp/srtp.h"

enum {
	LEN_MAX = 2048,
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

typedef enum srtp_reject protect_fn(struct srtp_session *session, uint8_t *bytes, size_t *len,
                                    size_t cap);
typedef enum srtp_reject unprotect_fn(struct srtp_session *session, uint8_t *bytes, size_t *len);

static struct srtp_session *
session_of(enum srtp_suite suite, enum srtp_direction direction)
{
	static const uint8_t key[SRTP_KEY_BYTES_MAX] = { 1 };
	static const uint8_t salt[SRTP_SALT_BYTES_MAX] = { 2 };
	struct srtp_session *session = NULL;
	const struct srtp_settings settings = { suite, direction, key, salt, 1, 1 };
	CHECK(srtp_session_create(&session, &settings) == 0);
	return session;
}

static void
check(enum srtp_suite suite, protect_fn *protect, unprotect_fn *unprotect, const uint8_t *bytes,
      size_t len)
{
	struct srtp_session *out = session_of(suite, SRTP_OUTBOUND);
	struct srtp_session *in = session_of(suite, SRTP_INBOUND);
	uint8_t *exact = malloc(len + 1);
	CHECK(exact != NULL);
	memcpy(exact, bytes, len);
	size_t changed = len;
	CHECK(unprotect(in, exact, &changed) != SRTP_OK && changed == len);
	free(exact);

	uint8_t room[LEN_MAX + SRTP_RTCP_OVERHEAD_MAX];
	memcpy(room, bytes, len);
	if (protect(out, room, &changed, sizeof room) == SRTP_OK) {
		CHECK(changed > len && changed <= sizeof room);
		CHECK(unprotect(in, room, &changed) == SRTP_OK);
		CHECK(changed == len && memcmp(room, bytes, len) == 0);
	}
	srtp_session_destroy(out);
	srtp_session_destroy(in);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len == 0 || len > LEN_MAX)
		return 0;
	const enum srtp_suite suite = (enum srtp_suite)(1 + bytes[0] % (SRTP_SUITE_COUNT - 1));
	check(suite, srtp_rtp_protect, srtp_rtp_unprotect, bytes + 1, len - 1);
	check(suite, srtp_rtcp_protect, srtp_rtcp_unprotect, bytes + 1, len - 1);
	return 0;
}

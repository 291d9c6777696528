/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a session is made whole or not at all; packets never need memory.  Method: each allocation
 * fails once, OpenSSL's too. */
#include "base/bytes.h"
#include "base/check.h"
#include "base/fail_openssl.h"
#include "base/test.h"
#include "srtp/srtp.h"

static bool
make(void *context)
{
	const enum srtp_suite *suite = context;
	static const uint8_t key[32], salt[14];
	struct srtp_session *ends[2] = { NULL };
	int rc = 0;
	for (unsigned i = 0; rc == 0 && i < COUNT_OF(ends); i++)
		rc = srtp_session_create(&ends[i],
		                         &(struct srtp_settings){
		                                 .suite = *suite,
		                                 .direction = i == 0 ? SRTP_OUTBOUND : SRTP_INBOUND,
		                                 .key = key,
		                                 .salt = salt,
		                         });
	if (rc == 0) {
		uint8_t packet[64] = { 0x80 };
		size_t len = 32;
		rc = (int)srtp_rtp_protect(ends[0], packet, &len, sizeof packet);
		if (rc == 0)
			rc = (int)srtp_rtp_unprotect(ends[1], packet, &len);
	}
	srtp_session_destroy(ends[0]);
	srtp_session_destroy(ends[1]);
	return rc == 0;
}

TEST(a_session_is_made_whole_or_not_at_all)
{
	static enum srtp_suite suites[] = { SRTP_SUITE_AES_CM_128_HMAC_SHA1_80, SRTP_SUITE_AEAD_AES_128_GCM };
	for (size_t i = 0; i < COUNT_OF(suites); i++)
		EXPECT(fail_at_each(make, &suites[i]) > 2);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* sip_digest_property -- what must hold for any text given as a challenge or as credentials. */
#ifndef SIP_SIP_DIGEST_PROPERTY_H
#define SIP_SIP_DIGEST_PROPERTY_H

#include "base/check.h"
#include "sip/sip_digest.h"
#include "sip/sip_write.h"

/* An answer to any challenge is one line that is read back, for the same realm. */
static void
check_challenge(const struct sip_auth *challenge)
{
	static char text[1 << 18];
	struct sip_auth back;
	struct writer w = writer_of(text, sizeof text);
	const struct sip_digest_credentials credentials = {
		.realm = challenge->realm,
		.username = STR("a\"\\\r\nb"),
		.password = STR("p"),
	};
	if (!sip_digest_write_answer(&w, &(struct sip_digest_answer){ .challenge = challenge,
	                                                              .credentials = &credentials,
	                                                              .method = STR("INVITE"),
	                                                              .uri = STR("sip:a@b"),
	                                                              .nc = 1 })) {
		CHECK(w.at == 0);
		return;
	}
	CHECK(!w.failed);
	CHECK(str_find(writer_view(&w), '\n') == w.at && str_find(writer_view(&w), '\r') == w.at);
	CHECK(sip_auth_parse(&back, writer_view(&w)));
	CHECK(back.response.len != 0 && back.username.len != 0);
	CHECK(challenge->qop.len == 0 || str_eq(back.qop, STR("auth")));
}

/* Nobody without the password is let in. */
static void
check_credentials(struct str value)
{
	static char text[SIP_MSG_BYTES_MAX];
	static struct sip_msg msg;
	const struct sip_digest_server server = { .realm = STR("r"), .nonce_life_us = 1 };
	struct writer w = writer_of(text, sizeof text);
	struct sip_auth auth;
	sip_write_request_line(&w, SIP_OPTIONS, STR("sip:a@b"));
	writer_text(&w, "Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
	                "To: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n");
	sip_write_header_str(&w, SIP_HEADER_AUTHORIZATION, value);
	sip_write_body(&w, (struct str){ 0 }, (struct str){ 0 });
	if (w.failed)
		return;
	CHECK(sip_msg_parse(&msg, text, w.at, SIP_STREAM) == SIP_OK);
	if (sip_digest_find(&auth, &server, &msg, SIP_HEADER_AUTHORIZATION) != SIP_DIGEST_OK)
		return;
	CHECK(sip_digest_check(&server,
	                       &(struct sip_digest_check){ .auth = &auth,
	                                                   .request = &msg,
	                                                   .username = auth.username,
	                                                   .password = STR("p"),
	                                                   .known = true },
	                       5) != SIP_DIGEST_OK);
}

static void
check_digest(const void *bytes, size_t len)
{
	const struct str value = { .at = bytes, .len = len };
	struct sip_auth auth;
	if (sip_auth_parse(&auth, value))
		check_challenge(&auth);
	check_credentials(value);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* stun_msg_property -- what must hold for any bytes at all; the unit test and the fuzz target ask
 * the same. */
#ifndef STUN_STUN_MSG_PROPERTY_H
#define STUN_STUN_MSG_PROPERTY_H

#include "base/check.h"
#include "stun/stun_msg.h"

/* A message that is accepted lies inside its bytes, every reader stays there too, and what can be
 * read out of it is read again after it has been written. */
static inline enum stun_reject
stun_msg_property(const uint8_t *bytes, size_t len)
{
	const struct str early = stun_peek_username(bytes, len);
	CHECK(early.len == 0 || ((const uint8_t *)early.at >= bytes + STUN_HEADER_BYTES &&
	                         (const uint8_t *)early.at + early.len <= bytes + len));

	struct stun_msg msg;
	const enum stun_reject reject = stun_msg_parse(&msg, bytes, len);
	if (reject != STUN_OK)
		return reject;
	CHECK(stun_peek(bytes, len));
	CHECK(msg.len == len);
	CHECK(msg.covered <= msg.attr_count);
	for (unsigned i = 0; i < msg.attr_count; i++)
		CHECK((size_t)msg.attrs[i].at + msg.attrs[i].len <= len);

	struct str text;
	if (stun_msg_text(&msg, STUN_USERNAME, &text))
		CHECK(text.at == early.at && text.len == early.len);
	unsigned code = 0;
	if (stun_msg_error(&msg, &code, &text))
		CHECK(code >= 300 && code <= 699);
	uint16_t unknown[STUN_UNKNOWN_MAX];
	CHECK(stun_msg_unknown(&msg, unknown) <= STUN_UNKNOWN_MAX);

	struct stun_key key;
	stun_key_init(&key, "VOkJxbRl1RmTxUk/WvJxBt", 22);
	(void)stun_msg_integrity(&msg, &key);
	(void)stun_msg_fingerprint_ok(&msg);

	struct net_addr addr;
	if (stun_msg_xor_addr(&msg, STUN_XOR_MAPPED_ADDRESS, &addr)) {
		uint8_t again[STUN_MSG_BYTES_MAX];
		struct writer w = writer_of(again, sizeof again);
		stun_write_begin(&w, msg.type, stun_msg_tid(&msg));
		stun_write_xor_addr(&w, STUN_XOR_MAPPED_ADDRESS, &addr);
		stun_write_integrity(&w, &key, STUN_INTEGRITY_SHA1);
		stun_write_fingerprint(&w);
		struct stun_msg second;
		struct net_addr addr_again;
		CHECK(stun_msg_parse(&second, again, stun_write_end(&w)) == STUN_OK);
		CHECK(stun_msg_xor_addr(&second, STUN_XOR_MAPPED_ADDRESS, &addr_again));
		CHECK(addr_eq(&addr, &addr_again));
		CHECK(stun_msg_integrity(&second, &key) == STUN_INTEGRITY_SHA1);
		CHECK(stun_msg_fingerprint_ok(&second));
	}
	return STUN_OK;
}

#endif

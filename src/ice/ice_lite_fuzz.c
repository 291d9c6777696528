/* SPDX-License-Identifier: Apache-2.0 */
/* The whole lite agent under a script of random bytes: each step is (pause, source, length, bytes).
 * A datagram may ask to be signed properly, so that the fuzzer also gets past the integrity check.
 * Whatever comes, outputs are bounded, go to the asker, and only signed checks make a source known. */
#include "base/check.h"
#include "ice/ice_lite.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum {
	STEP_SIGN = 1,
	STEP_TICK = 2,
	STEP_RESTART = 4,
};

/* The fuzzer's bytes as the attributes of a request, then our own integrity and fingerprint. */
static size_t
sign(uint8_t out[STUN_MSG_BYTES_MAX], const uint8_t *bytes, size_t len, const struct stun_key *key)
{
	static const uint8_t tid[STUN_TID_BYTES] = { 0 };
	struct writer w = writer_of(out, STUN_MSG_BYTES_MAX);
	stun_write_begin(&w, STUN_BINDING_REQUEST, tid);
	struct reader r = reader_of(bytes, len);
	while (reader_left(&r) >= 3) {
		const uint16_t type = reader_u16(&r);
		size_t value_len = reader_u8(&r);
		if (value_len > reader_left(&r))
			value_len = reader_left(&r);
		stun_write_attr(&w, type, reader_take(&r, value_len), value_len);
	}
	stun_write_integrity(&w, key, STUN_INTEGRITY_SHA1);
	stun_write_fingerprint(&w);
	return stun_write_end(&w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct ice_lite ice;
	struct stun_key key;
	int64_t now_us = 0;
	stun_key_init(&key, "password", 8);
	ice_lite_init(&ice,
	              &(struct ice_lite_settings){ .local_ufrag = STR("a"),
	                                           .local_pwd = STR("password") },
	              now_us);
	(void)ice_lite_candidate((struct str){ .at = (const char *)bytes, .len = len });

	struct reader r = reader_of(bytes, len);
	while (reader_left(&r) >= 4) {
		const uint8_t flags = reader_u8(&r);
		const struct net_addr from = addr_ip4(192, 0, 2, reader_u8(&r), 1);
		now_us += (int64_t)reader_u8(&r) << 16;
		size_t piece = reader_u8(&r);
		if (piece > reader_left(&r))
			piece = reader_left(&r);
		const uint8_t *datagram = reader_take(&r, piece);
		uint8_t made[STUN_MSG_BYTES_MAX];
		if (flags & STEP_SIGN) {
			piece = sign(made, datagram, piece, &key);
			datagram = made;
		}

		const bool knew = ice_lite_verified(&ice, &from);
		if (flags & STEP_TICK)
			ice_lite_tick(&ice, now_us);
		else if (flags & STEP_RESTART)
			ice_lite_restart(&ice, STR("a"), STR("password"), now_us);
		else if (ice_lite_input(&ice, &from, datagram, piece, now_us) != ICE_LITE_OK ||
		         !(flags & STEP_SIGN))
			CHECK(knew == ice_lite_verified(&ice, &from));

		unsigned outputs = 0;
		for (struct ice_lite_out out;
		     (out = ice_lite_poll(&ice)).kind != ICE_LITE_OUT_NONE; outputs++) {
			if (out.kind == ICE_LITE_OUT_DATAGRAM && !(flags & STEP_TICK)) {
				CHECK(addr_eq(out.to, &from));
				CHECK(out.len <= ICE_LITE_OUT_BYTES_MAX);
				CHECK(out.len <= piece || (flags & STEP_SIGN));
			}
		}
		CHECK(outputs <= 3);
		CHECK(ice.pair_count <= ICE_LITE_PAIRS_MAX);
		CHECK(ice_lite_deadline(&ice) >= now_us || !(flags & STEP_TICK));
	}
	ice_lite_fini(&ice);
	return 0;
}

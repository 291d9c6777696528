/* SPDX-License-Identifier: Apache-2.0 */
/* ice_test_check -- one connectivity check, right or wrong in a chosen way; for tests, the fuzz
 * target's seeds and the bench. */
#ifndef ICE_ICE_TEST_CHECK_H
#define ICE_ICE_TEST_CHECK_H

#include <string.h>

#include "ice/ice_lite.h"

#define TEST_UFRAG "lite"
#define TEST_PWD "litelitelitelitelitelite"

struct test_check {
	const char *username; /* NULL: "lite:peer"; empty: none */
	const char *pwd;      /* NULL: TEST_PWD; empty: no integrity */
	uint32_t priority;    /* 0: none */
	uint16_t role;        /* 0: ICE-CONTROLLING */
	uint16_t type;        /* 0: Binding request */
	uint16_t extra;       /* an attribute without value; 0: none */
	bool nominate;
	bool sha256;
	bool no_fingerprint;
};

static inline size_t
test_check_write(uint8_t out[256], const struct test_check *check, uint8_t id)
{
	static const uint8_t tid_rest[STUN_TID_BYTES - 1] = "transaction";
	const char *username = check->username != NULL ? check->username : TEST_UFRAG ":peer";
	const char *pwd = check->pwd != NULL ? check->pwd : TEST_PWD;
	uint8_t tid[STUN_TID_BYTES] = { id };
	memcpy(tid + 1, tid_rest, sizeof tid_rest);

	struct writer w = writer_of(out, 256);
	stun_write_begin(&w, check->type != 0 ? check->type : STUN_BINDING_REQUEST, tid);
	if (username[0] != '\0')
		stun_write_attr(&w, STUN_USERNAME, username, strlen(username));
	stun_write_u64(&w, check->role != 0 ? check->role : STUN_ICE_CONTROLLING, 1);
	if (check->priority != 0)
		stun_write_u32(&w, STUN_PRIORITY, check->priority);
	if (check->nominate)
		stun_write_attr(&w, STUN_USE_CANDIDATE, NULL, 0);
	if (check->extra != 0)
		stun_write_attr(&w, check->extra, NULL, 0);
	if (pwd[0] != '\0') {
		struct stun_key key;
		stun_key_init(&key, pwd, strlen(pwd));
		stun_write_integrity(&w, &key,
		                     check->sha256 ? STUN_INTEGRITY_SHA256 : STUN_INTEGRITY_SHA1);
	}
	if (!check->no_fingerprint)
		stun_write_fingerprint(&w);
	return stun_write_end(&w);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* How many connectivity checks a core answers, and how fast it throws a stranger's away. */
#include <stdio.h>
#include <time.h>

#include "base/check.h"
#include "ice/ice_test_check.h"

enum {
	ROUNDS = 500 * 1000,
};

static double
seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
measure(const char *what, const struct test_check *check, size_t damage_at)
{
	struct ice_lite ice;
	uint8_t bytes[256];
	const struct net_addr from = addr_ip4(192, 0, 2, 1, 9);
	ice_lite_init(&ice,
	              &(struct ice_lite_settings){ .local_ufrag = STR(TEST_UFRAG),
	                                           .local_pwd = STR(TEST_PWD) },
	              0);
	const size_t len = test_check_write(bytes, check, 1);
	if (damage_at != 0)
		bytes[damage_at] ^= 1;

	size_t sent = 0;
	const double begin = seconds();
	for (int64_t i = 0; i < ROUNDS; i++) {
		(void)ice_lite_input(&ice, &from, bytes, len, i);
		for (struct ice_lite_out out;
		     (out = ice_lite_poll(&ice)).kind != ICE_LITE_OUT_NONE;)
			sent += out.len;
	}
	const double took = seconds() - begin;
	printf("%-28s %8.0f per second, %.2f us each (%zu bytes in, %zu out)\n", what,
	       ROUNDS / took, took / ROUNDS * 1e6, len, sent / ROUNDS);
	ice_lite_fini(&ice);
}

int
main(void)
{
	printf("sizeof(struct ice_lite) %zu bytes\n", sizeof(struct ice_lite));
	measure("checks answered", &(struct test_check){ .priority = 1, .nominate = true }, 0);
	measure("checks with SHA-256", &(struct test_check){ .priority = 1, .sha256 = true }, 0);
	measure("wrong password", &(struct test_check){ .priority = 1, .pwd = "wrong" }, 0);
	measure("wrong fingerprint", &(struct test_check){ .priority = 1 }, 30);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: however many guess, the audit log grows by few lines, and nothing that happened is left out
 * of them.  Method: a clock by hand. */
#include "api/refusals.h"

#include "base/test.h"

static struct net_addr
from_host(unsigned number)
{
	return addr_ip4(10, 0, (uint8_t)(number >> 8), (uint8_t)number, 0);
}

TEST(the_first_is_told_and_the_rest_of_its_minute_together)
{
	struct refusals refusals = { 0 };
	struct refusal out;
	const struct net_addr one = from_host(1), two = from_host(2);
	EXPECT(refusals_note(&refusals, STR("anna"), &one, 1000));
	EXPECT_EQ(refusals_deadline(&refusals), INT64_MAX); /* there is nothing more to tell */
	for (unsigned i = 0; i < 47; i++)
		EXPECT(!refusals_note(&refusals, STR("anna"), &one, 2000));
	EXPECT(refusals_note(&refusals, STR("anna"), &two, 3000));
	EXPECT(refusals_note(&refusals, STR("carl"), &one, 3000));
	EXPECT_EQ(refusals_deadline(&refusals), 1000 + REFUSALS_US);
	EXPECT(!refusals_take(&refusals, &out, 1000 + REFUSALS_US - 1));
	EXPECT(refusals_take(&refusals, &out, 1000 + REFUSALS_US));
	EXPECT_STR(str_of(out.name), "anna");
	EXPECT(addr_eq_ip(&out.from, &one));
	EXPECT_EQ(out.more, 47);
	EXPECT(!refusals_take(&refusals, &out, 3000 + REFUSALS_US));
	EXPECT(refusals_note(&refusals, STR("anna"), &one, 4000 + REFUSALS_US));
}

TEST(a_crowd_is_counted_together)
{
	struct refusals refusals = { 0 };
	struct refusal out;
	unsigned told = 0, counted = 0;
	for (unsigned i = 0; i < 1000; i++) {
		const struct net_addr from = from_host(i);
		told += refusals_note(&refusals, STR("anna"), &from, 1000);
	}
	EXPECT_EQ(told, REFUSALS_MAX);
	for (unsigned lines = 0; refusals_take(&refusals, &out, 1000 + REFUSALS_US); lines++) {
		EXPECT(lines <= REFUSALS_MAX);
		EXPECT_STR(str_of(out.name), "");
		counted += out.more;
	}
	EXPECT_EQ(told + counted, 1000);
	EXPECT_EQ(refusals_deadline(&refusals), INT64_MAX);
	/* A minute later there is room again. */
	const struct net_addr from = from_host(2000);
	EXPECT(refusals_note(&refusals, STR("anna"), &from, 1000 + REFUSALS_US));
}

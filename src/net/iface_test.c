/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: the first address is one that others can reach, if there is any.  Method: the machine's own
 * interfaces, whatever they are. */
#include "net/iface.h"

#include <errno.h>

#include "base/test.h"

enum {
	CAP = 64,
};

TEST(addresses_come_by_family_and_loopback_last)
{
	struct net_addr addrs[CAP];
	const int count = iface_addresses("any", addrs, CAP);
	EXPECT(count > 0);
	for (int i = 1; i < count; i++) {
		const struct net_addr *before = &addrs[i - 1];
		EXPECT(before->family == addrs[i].family ||
		       (before->family == ADDR_IP4 && addrs[i].family == ADDR_IP6));
		if (before->family == addrs[i].family && addr_is_loopback(before))
			EXPECT(addr_is_loopback(&addrs[i]));
	}
}

TEST(lo_has_only_loopback_and_an_unknown_name_nothing)
{
	struct net_addr addrs[CAP];
	const int count = iface_addresses("lo", addrs, CAP);
	EXPECT(count > 0);
	for (int i = 0; i < count; i++)
		EXPECT(addr_is_loopback(&addrs[i]));
	EXPECT_EQ(iface_addresses("no-such-iface", addrs, CAP), -ENODEV);
}

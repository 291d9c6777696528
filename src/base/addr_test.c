/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: every address has one text and comes back from it; what is no address is refused.
 * Method: RFC 5952's examples both ways, and a table of wrong texts. */
#include "base/addr.h"

#include "base/check.h"
#include "base/test.h"

TEST(addresses_are_written_as_rfc_5952_asks)
{
	static const struct {
		const char *in;
		const char *out;
	} cases[] = {
		{ "192.0.2.1:5060", "192.0.2.1:5060" },
		{ "[2001:db8:0:0:1:0:0:1]:1", "[2001:db8::1:0:0:1]:1" },
		{ "[2001:db8::0:1]:80", "[2001:db8::1]:80" },
		{ "[2001:DB8:0:1:1:1:1:1]:9", "[2001:db8:0:1:1:1:1:1]:9" },
		{ "[::]:0", "[::]:0" },
		{ "[::1]:65535", "[::1]:65535" },
		{ "[1::]:5", "[1::]:5" },
		{ "[::ffff:192.0.2.7]:5", "192.0.2.7:5" },
		{ "[fe80::1%3]:5", "[fe80::1%3]:5" },
		{ "[1:2:3:4:5:6:7:8]:7", "[1:2:3:4:5:6:7:8]:7" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct net_addr addr;
		char text[ADDR_TEXT_MAX];
		EXPECT(addr_parse(&addr, str_of(cases[i].in)));
		EXPECT_STR(str_of(addr_text(text, &addr)), cases[i].out);
	}
}

TEST(what_is_no_address_is_refused)
{
	static const char *const bad[] = {
		"", ":", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3:5", "1.2.3.4.5:5",
		"1.2.3.256:5", "01.2.3.4:5", "1.2.3.4.:5", "1..3.4:5", "a.b.c.d:5", "::1:5",
		"[::1]", "[1:2:3:4:5:6:7]:5", "[1:2:3:4:5:6:7:8:9]:5", "[1::2::3]:5", "[:1]:5",
		"[12345::]:5", "[1:2:3:4:5:6:7:8::]:5", "[g::]:5", "[::1%x]:5", "[]:5", "-1:5",
		"1.2.3.4%0:5", "1.2.3.4%1:5", "[fe80::1%]:5",
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct net_addr addr = { .port = 42 };
		EXPECT(!addr_parse(&addr, str_of(bad[i])));
		EXPECT_EQ(addr.port, 42);
	}
}

TEST(kinds_of_addresses_are_told_apart)
{
	struct net_addr addr;
	EXPECT(addr_parse_ip(&addr, STR("127.9.9.9")) && addr_is_loopback(&addr));
	EXPECT(addr_parse_ip(&addr, STR("::1")) && addr_is_loopback(&addr));
	EXPECT(addr_parse_ip(&addr, STR("[::]")) && addr_is_unspecified(&addr));
	EXPECT(addr_parse_ip(&addr, STR("0.0.0.0")) && addr_is_unspecified(&addr));
	EXPECT(addr_parse_ip(&addr, STR("169.254.1.1")) && addr_is_link_local(&addr));
	EXPECT(addr_parse_ip(&addr, STR("fe80::9")) && addr_is_link_local(&addr));
	EXPECT(addr_parse_ip(&addr, STR("224.0.0.1")) && addr_is_multicast(&addr));
	static const char *const inner[] = { "10.0.0.1",        "172.16.0.1",  "172.31.255.255",
		                             "192.168.1.1",     "100.64.0.1",  "100.127.255.255",
		                             "fc00::1",         "fdff::1" };
	static const char *const outer[] = { "11.0.0.1",    "172.15.0.1", "172.32.0.1", "192.169.1.1",
		                             "100.63.0.1",  "100.128.0.1", "fe00::1",   "2001:db8::1" };
	for (unsigned i = 0; i < COUNT_OF(inner); i++)
		EXPECT(addr_parse_ip(&addr, str_of(inner[i])) && addr_is_private(&addr));
	for (unsigned i = 0; i < COUNT_OF(outer); i++)
		EXPECT(addr_parse_ip(&addr, str_of(outer[i])) && !addr_is_private(&addr));
	EXPECT(!addr_is_private(&(struct net_addr){ .ip = { 10 } }));
	EXPECT(addr_parse_ip(&addr, STR("ff02::1")) && addr_is_multicast(&addr));
	EXPECT(addr_parse_ip(&addr, STR("192.0.2.1")) && !addr_is_loopback(&addr));
}

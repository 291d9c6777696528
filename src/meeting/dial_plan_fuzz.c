/* SPDX-License-Identifier: Apache-2.0 */
/* Property: whatever is given as an address, a domain or an expression, parts of an address lie in it,
 * a domain fits itself, and an expression is one exactly when it still is with a good one in front.
 * Lines: address, domain, match, transform. */
#include "base/check.h"
#include "meeting/dial_plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void
check_inside(struct str all, struct str part)
{
	CHECK(part.len == 0 || (part.at >= all.at && part.at + part.len <= all.at + all.len));
}

static void
check_behind(const char *good, struct str text, bool (*valid)(struct str text))
{
	char joined[1100];
	struct writer w = writer_of(joined, sizeof joined);
	writer_text(&w, good);
	writer_str(&w, text);
	CHECK(valid(str_of(good)) && !w.failed && valid(writer_view(&w)) == valid(text));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str rest = { (const char *)bytes, len < 1024 ? len : 1024 };
	const struct str party = str_cut(&rest, '\n');
	const struct str domain = str_cut(&rest, '\n');
	const struct str match = str_cut(&rest, '\n');
	const struct dial_address to = dial_address_of(party);
	check_inside(party, to.user);
	check_inside(party, to.host);
	check_inside(party, to.port);
	check_inside(party, to.params);
	CHECK(str_find(to.host, '@') == to.host.len || to.has_user);
	CHECK(str_find(to.host, ';') == to.host.len);
	CHECK(dial_domain_fits(domain, domain));
	CHECK(dial_domain_fits(STR("*"), to.host));
	check_behind("($1/x/)", match, dial_match_valid);
	check_behind("$2{/x/y/}z", rest, dial_transform_valid);
	return 0;
}

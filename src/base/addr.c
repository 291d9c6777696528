/* SPDX-License-Identifier: Apache-2.0 */
#include "base/addr.h"

#include "base/encode.h"

enum {
	IP6_GROUPS = 8,
};

struct net_addr
addr_ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port)
{
	return (struct net_addr){ .family = ADDR_IP4, .port = port, .ip = { a, b, c, d } };
}

static bool
parse_ip4(uint8_t out[4], struct str text)
{
	struct str rest = text;
	for (unsigned i = 0; i < 4; i++) {
		uint32_t value = 0;
		const struct str part = str_cut(&rest, '.');
		if (part.len > 3 || !str_u32(part, &value) || value > 255)
			return false;
		/* 010 is octal to some and ten to others: refuse it. */
		if (part.len > 1 && part.at[0] == '0')
			return false;
		out[i] = (uint8_t)value;
		if (i < 3 && rest.len == 0)
			return false;
	}
	/* str_cut() swallows one trailing dot; "1.2.3.4." is no address. */
	return rest.len == 0 && text.at[text.len - 1] != '.';
}

static bool
parse_group(struct str text, uint16_t *out)
{
	uint32_t value = 0;
	if (text.len == 0 || text.len > 4)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		const int digit = hex_value(text.at[i]);
		if (digit < 0)
			return false;
		value = value << 4 | (uint32_t)digit;
	}
	*out = (uint16_t)value;
	return true;
}

/* Groups of one side of "::", the last of which may be a dotted IPv4 address. */
static bool
parse_groups(struct str text, uint16_t groups[IP6_GROUPS], unsigned *count)
{
	*count = 0;
	while (text.len != 0) {
		const size_t len = str_find(text, ':');
		const struct str part = str_sub(text, 0, len);
		const bool last = len == text.len;
		if (last && str_find(part, '.') < part.len) {
			uint8_t ip4[4];
			if (*count + 2 > IP6_GROUPS || !parse_ip4(ip4, part))
				return false;
			groups[(*count)++] = (uint16_t)(ip4[0] << 8 | ip4[1]);
			groups[(*count)++] = (uint16_t)(ip4[2] << 8 | ip4[3]);
			return true;
		}
		if (*count == IP6_GROUPS || !parse_group(part, &groups[*count]))
			return false;
		(*count)++;
		if (last)
			return true;
		text = str_sub(text, len + 1, text.len - len - 1);
		if (text.len == 0)
			return false;
	}
	return true;
}

static size_t
find_gap(struct str text)
{
	for (size_t i = 0; i + 1 < text.len; i++)
		if (text.at[i] == ':' && text.at[i + 1] == ':')
			return i;
	return text.len;
}

static bool
parse_ip6(uint8_t out[16], struct str text)
{
	uint16_t head[IP6_GROUPS] = { 0 };
	uint16_t tail[IP6_GROUPS] = { 0 };
	unsigned head_count = 0;
	unsigned tail_count = 0;
	const size_t gap = find_gap(text);

	if (!parse_groups(str_sub(text, 0, gap), head, &head_count))
		return false;
	if (gap < text.len) {
		const struct str after = str_sub(text, gap + 2, text.len - gap - 2);
		if (!parse_groups(after, tail, &tail_count) || head_count + tail_count >= IP6_GROUPS)
			return false;
	} else if (head_count != IP6_GROUPS) {
		return false;
	}
	uint16_t all[IP6_GROUPS] = { 0 };
	for (unsigned i = 0; i < head_count; i++)
		all[i] = head[i];
	for (unsigned i = 0; i < tail_count; i++)
		all[IP6_GROUPS - tail_count + i] = tail[i];
	for (unsigned i = 0; i < IP6_GROUPS; i++) {
		out[2 * i] = (uint8_t)(all[i] >> 8);
		out[2 * i + 1] = (uint8_t)all[i];
	}
	return true;
}

static bool
is_mapped_ip4(const uint8_t ip[16])
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };
	return memcmp(ip, prefix, sizeof prefix) == 0;
}

bool
addr_parse_ip(struct net_addr *out, struct str text)
{
	struct net_addr addr = { 0 };
	if (text.len >= 2 && text.at[0] == '[' && text.at[text.len - 1] == ']')
		text = str_sub(text, 1, text.len - 2);
	if (text.len == 0 || text.len >= ADDR_TEXT_MAX)
		return false;

	const size_t percent = str_find(text, '%');
	const bool scoped = percent < text.len;
	if (scoped) {
		const struct str scope = str_sub(text, percent + 1, text.len - percent - 1);
		if (!str_u32(scope, &addr.scope))
			return false;
		text.len = percent;
	}
	if (str_find(text, ':') == text.len) {
		if (scoped || !parse_ip4(addr.ip, text))
			return false;
		addr.family = ADDR_IP4;
	} else {
		if (!parse_ip6(addr.ip, text))
			return false;
		addr.family = ADDR_IP6;
		if (is_mapped_ip4(addr.ip)) {
			uint8_t ip4[4];
			memcpy(ip4, addr.ip + 12, sizeof ip4);
			memset(addr.ip, 0, sizeof addr.ip);
			memcpy(addr.ip, ip4, sizeof ip4);
			addr.family = ADDR_IP4;
		}
	}
	*out = addr;
	return true;
}

bool
addr_parse(struct net_addr *out, struct str text)
{
	struct net_addr addr;
	uint32_t port = 0;
	size_t colon = text.len;
	while (colon != 0 && text.at[colon - 1] != ':')
		colon--;
	if (colon < 2 || !str_u32(str_sub(text, colon, text.len - colon), &port) || port > UINT16_MAX)
		return false;
	const struct str host = str_sub(text, 0, colon - 1);
	const bool bracketed = host.at[0] == '[';
	if (!addr_parse_ip(&addr, host) || (addr.family == ADDR_IP6 && !bracketed))
		return false;
	addr.port = (uint16_t)port;
	*out = addr;
	return true;
}

static uint16_t
group_at(const struct net_addr *addr, unsigned i)
{
	return (uint16_t)(addr->ip[2 * i] << 8 | addr->ip[2 * i + 1]);
}

/* RFC 5952 s4.2: the longest run of two or more zero groups, the first of equals. */
static unsigned
longest_zeros(const struct net_addr *addr, unsigned *count)
{
	unsigned best_at = IP6_GROUPS;
	*count = 1;
	for (unsigned at = 0; at < IP6_GROUPS; at++) {
		unsigned run = 0;
		while (at + run < IP6_GROUPS && group_at(addr, at + run) == 0)
			run++;
		if (run > *count) {
			*count = run;
			best_at = at;
		}
	}
	return best_at;
}

static void
write_ip6(struct writer *w, const struct net_addr *addr)
{
	unsigned zeros = 0;
	const unsigned gap = longest_zeros(addr, &zeros);
	for (unsigned i = 0; i < IP6_GROUPS; i++) {
		if (i == gap) {
			writer_text(w, "::");
			i += zeros - 1;
			continue;
		}
		if (i != 0 && i != gap + zeros)
			writer_u8(w, ':');
		writer_format(w, "%x", group_at(addr, i));
	}
	if (addr->scope != 0)
		writer_format(w, "%%%u", addr->scope);
}

void
addr_write_ip(struct writer *w, const struct net_addr *addr)
{
	if (addr->family == ADDR_IP4)
		writer_format(w, "%u.%u.%u.%u", addr->ip[0], addr->ip[1], addr->ip[2], addr->ip[3]);
	else if (addr->family == ADDR_IP6)
		write_ip6(w, addr);
	else
		writer_text(w, "none");
}

void
addr_write_host(struct writer *w, const struct net_addr *addr)
{
	const bool brackets = addr->family == ADDR_IP6;
	if (brackets)
		writer_u8(w, '[');
	addr_write_ip(w, addr);
	if (brackets)
		writer_u8(w, ']');
}

void
addr_write(struct writer *w, const struct net_addr *addr)
{
	addr_write_host(w, addr);
	writer_u8(w, ':');
	writer_decimal(w, addr->port);
}

const char *
addr_text(char out[ADDR_TEXT_MAX], const struct net_addr *addr)
{
	struct writer w = writer_of(out, ADDR_TEXT_MAX - 1);
	addr_write(&w, addr);
	out[w.at] = '\0';
	return out;
}

bool
addr_eq_ip(const struct net_addr *a, const struct net_addr *b)
{
	return a->family == b->family && a->scope == b->scope &&
	       memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

bool
addr_eq(const struct net_addr *a, const struct net_addr *b)
{
	return a->port == b->port && addr_eq_ip(a, b);
}

bool
addr_is_unspecified(const struct net_addr *addr)
{
	static const uint8_t zero[16];
	return memcmp(addr->ip, zero, sizeof zero) == 0;
}

bool
addr_is_loopback(const struct net_addr *addr)
{
	static const uint8_t one[16] = { [15] = 1 };
	if (addr->family == ADDR_IP4)
		return addr->ip[0] == 127;
	return addr->family == ADDR_IP6 && memcmp(addr->ip, one, sizeof one) == 0;
}

bool
addr_is_link_local(const struct net_addr *addr)
{
	if (addr->family == ADDR_IP4)
		return addr->ip[0] == 169 && addr->ip[1] == 254;
	return addr->family == ADDR_IP6 && addr->ip[0] == 0xfe && (addr->ip[1] & 0xc0) == 0x80;
}

bool
addr_is_private(const struct net_addr *addr)
{
	const uint8_t *ip = addr->ip;
	if (addr->family == ADDR_IP6)
		return (ip[0] & 0xfe) == 0xfc;
	return addr->family == ADDR_IP4 &&
	       (ip[0] == 10 || (ip[0] == 172 && (ip[1] & 0xf0) == 16) ||
	        (ip[0] == 192 && ip[1] == 168) || (ip[0] == 100 && (ip[1] & 0xc0) == 64));
}

bool
addr_is_multicast(const struct net_addr *addr)
{
	if (addr->family == ADDR_IP4)
		return (addr->ip[0] & 0xf0) == 0xe0;
	return addr->family == ADDR_IP6 && addr->ip[0] == 0xff;
}

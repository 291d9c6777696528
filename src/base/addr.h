/* SPDX-License-Identifier: Apache-2.0 */
/* addr -- an IP address and port as a plain value, without any socket header.
 *
 * The cores speak of addresses in this form; net/ turns them into `struct sockaddr` and back.
 * An IPv4 address is kept in `ip[0..3]`, the rest zero; v4-mapped IPv6 is turned into IPv4 on the
 * way in, so that one address has one form.
 *
 * Ownership  Values.
 * Threads    Pure functions.
 * Units      Ports are host order.
 * Errors     Parsing gives false and leaves the output untouched; writers fail with their writer.
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/str.h"

enum {
	ADDR_TEXT_MAX = 64, /* "[" + 45 + "%" scope + "]:65535" and a NUL fit */
};

enum addr_family {
	ADDR_NONE = 0,
	ADDR_IP4 = 4,
	ADDR_IP6 = 6,
};

struct net_addr {
	uint8_t family; /* enum addr_family */
	uint8_t reserved;
	uint16_t port;
	uint32_t scope; /* interface index of a link-local IPv6 address, else 0 */
	uint8_t ip[16];
};

[[nodiscard]] struct net_addr addr_ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port);

/* An IP literal, IPv6 with or without brackets; no name, no port. */
[[nodiscard]] bool addr_parse_ip(struct net_addr *out, struct str text);
/* "1.2.3.4:5060", "[::1]:5060". */
[[nodiscard]] bool addr_parse(struct net_addr *out, struct str text);

/* Without port: "192.0.2.1", "2001:db8::1" (RFC 5952). */
void addr_write_ip(struct writer *w, const struct net_addr *addr);
/* As it stands in a URI or SIP Via: IPv6 in brackets, no port. */
void addr_write_host(struct writer *w, const struct net_addr *addr);
/* With port. */
void addr_write(struct writer *w, const struct net_addr *addr);

/* For a log line: `out` holds ADDR_TEXT_MAX bytes and is returned. */
const char *addr_text(char out[ADDR_TEXT_MAX], const struct net_addr *addr);

[[nodiscard]] bool addr_eq(const struct net_addr *a, const struct net_addr *b);
[[nodiscard]] bool addr_eq_ip(const struct net_addr *a, const struct net_addr *b);
[[nodiscard]] bool addr_is_unspecified(const struct net_addr *addr);
[[nodiscard]] bool addr_is_loopback(const struct net_addr *addr);
[[nodiscard]] bool addr_is_link_local(const struct net_addr *addr);
/* Means something only inside the network it is used in: RFC 1918, 6598 (carriers), 4193. */
[[nodiscard]] bool addr_is_private(const struct net_addr *addr);
[[nodiscard]] bool addr_is_multicast(const struct net_addr *addr);

#endif

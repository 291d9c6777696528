/* SPDX-License-Identifier: Apache-2.0 */
/* iface -- which addresses this machine has, by the names of its interfaces.
 *
 * Names are the system's ("eth0", "lo"), "any" for every address that is up, and the letters a to d
 * of CMS' command line: the first to fourth interface that is up and not loopback, in the system's
 * order.  Link-local IPv6 addresses are left out: nobody can be told to call them.
 *
 * Threads    Any.
 * Errors     -ENODEV when no interface of that name is up or it has no address; -errno.
 */
#ifndef NET_IFACE_H
#define NET_IFACE_H

#include <stddef.h>

#include "base/addr.h"

/* The system's name of one interface, be it up or not: "a" is "eth0".  "any" is none. */
[[nodiscard]] int iface_name(char *out, size_t cap, const char *name);

/* Fills `out` with at most `cap` addresses (port 0), IPv4 first and in each family loopback last;
 * returns how many. */
[[nodiscard]] int iface_addresses(const char *name, struct net_addr *out, size_t cap);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* sockaddr -- between our addresses and the kernel's; private to net/.
 *
 * Threads    Pure functions.
 */
#ifndef NET_SOCKADDR_H
#define NET_SOCKADDR_H

#include <sys/socket.h>

#include "base/addr.h"

/* The length of what was written; 0 for ADDR_NONE. */
[[nodiscard]] socklen_t sockaddr_of(struct sockaddr_storage *out, const struct net_addr *addr);

/* v4-mapped IPv6 becomes IPv4, as everywhere; ADDR_NONE for other families. */
[[nodiscard]] struct net_addr addr_of_sockaddr(const struct sockaddr *from);

/* The local (or peer's) address of a socket; ADDR_NONE when there is none. */
[[nodiscard]] struct net_addr addr_of_socket(int fd);
[[nodiscard]] struct net_addr addr_of_peer(int fd);

#endif

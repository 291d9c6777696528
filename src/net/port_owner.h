/* SPDX-License-Identifier: Apache-2.0 */
/* port_owner -- who has that port?  For the one line an administrator needs when we cannot have it.
 *
 * Reads /proc/net/{udp,tcp}{,6} for the socket and /proc/PID/fd for its holder; blocking, some
 * milliseconds, at start only.  Other users' processes are visible to root only.
 *
 * Threads    Any.
 * Limits     PORT_OWNER_NAME_MAX characters of a name.
 */
#ifndef NET_PORT_OWNER_H
#define NET_PORT_OWNER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/addr.h"

enum {
	PORT_OWNER_NAME_MAX = 64,
	PORT_OWNER_TEXT_MAX = 256,
};

enum port_protocol { PORT_UDP, PORT_TCP };

struct port_owner {
	bool bound; /* somebody has a socket there */
	pid_t pid;  /* 0: we may not see who */
	char name[PORT_OWNER_NAME_MAX];
};

[[nodiscard]] struct port_owner port_owner_find(enum port_protocol protocol,
                                                const struct net_addr *addr);

/* "UDP port 5060 on 0.0.0.0 is in use by kamailio (process 4711)"; returns `out`. */
const char *port_owner_text(char out[PORT_OWNER_TEXT_MAX], enum port_protocol protocol,
                            const struct net_addr *addr);

#endif

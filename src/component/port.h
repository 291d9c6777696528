/* SPDX-License-Identifier: Apache-2.0 */
/* port -- a port for HTTP, as the settings name it: on one interface, with each of its addresses, or on
 * "any": the IPv4 wildcard, and every IPv6 address that there is when it is opened.
 *
 * Ownership  open/close in the caller's memory; http_destroy() closes what was not closed before.
 * Threads    The loop's.
 * Errors     component_fail() has said why, with the command that changes it.  An IPv6 address that
 *            cannot be had (it may just be going) costs a line in the log.
 * Limits     COMPONENT_ADDRESSES_MAX addresses.
 */
#ifndef COMPONENT_PORT_H
#define COMPONENT_PORT_H

#include "component/component.h"
#include "net/http.h"

enum { COMPONENT_ADDRESSES_MAX = 16 };

struct component_port {
	struct http_listener *listeners[COMPONENT_ADDRESSES_MAX];
	unsigned count;
};

/* `command` is that of the settings: "webadmin listen".  `settings->bind` is not looked at. */
[[nodiscard]] bool component_port_open(struct component_port *port, struct component *component,
                                       struct http *http,
                                       const struct http_listen_settings *settings,
                                       const struct config_listen *listen, const char *command);
void component_port_close(struct component_port *port);
/* Of all its addresses together. */
[[nodiscard]] struct http_listener_counters
component_port_counters(const struct component_port *port);

#endif

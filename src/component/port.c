/* SPDX-License-Identifier: Apache-2.0 */
#include "component/port.h"

#include <errno.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "net/iface.h"
#include "net/port_owner.h"

static int
listen_at(struct component_port *port, struct http *http, struct http_listen_settings settings,
          const struct net_addr *bind)
{
	CHECK(port->count < COMPONENT_ADDRESSES_MAX);
	settings.bind = *bind;
	const int rc = http_listen(&port->listeners[port->count], http, &settings);
	if (rc == 0)
		port->count++;
	return rc;
}

/* The IPv4 wildcard stands for the rest. */
static void
listen_on_ip6(struct component_port *port, struct http *http,
              const struct http_listen_settings *settings, uint16_t number)
{
	struct net_addr addresses[COMPONENT_ADDRESSES_MAX];
	const int count = iface_addresses("any", addresses, COMPONENT_ADDRESSES_MAX);
	for (int i = 0; i < count && port->count < COMPONENT_ADDRESSES_MAX; i++) {
		char text[ADDR_TEXT_MAX];
		if (addresses[i].family != ADDR_IP6)
			continue;
		addresses[i].port = number;
		const int rc = listen_at(port, http, *settings, &addresses[i]);
		if (rc != 0)
			log_warning("cannot listen on %s: %s", addr_text(text, &addresses[i]),
			            strerror(-rc));
	}
}

bool
component_port_open(struct component_port *port, struct component *component, struct http *http,
                    const struct http_listen_settings *settings,
                    const struct config_listen *listen, const char *command)
{
	struct net_addr addresses[COMPONENT_ADDRESSES_MAX];
	char owner[PORT_OWNER_TEXT_MAX];
	const bool any = strcmp(listen->iface, "any") == 0;
	int count = 1;
	*port = (struct component_port){ 0 };
	addresses[0] = addr_ip4(0, 0, 0, 0, 0);
	if (!any)
		count = iface_addresses(listen->iface, addresses, COMPONENT_ADDRESSES_MAX);
	if (count < 1)
		return component_fail(component,
		                      "there is no interface \"%s\" with an address (change it with "
		                      "\"%s\")",
		                      listen->iface, command);
	for (int i = 0; i < count; i++) {
		addresses[i].port = listen->port;
		const int rc = listen_at(port, http, *settings, &addresses[i]);
		if (rc != 0)
			return component_fail(
			        component, "%s (change it with \"%s\")",
			        rc == -EADDRINUSE ? port_owner_text(owner, PORT_TCP, &addresses[i])
			                          : strerror(-rc),
			        command);
	}
	if (any)
		listen_on_ip6(port, http, settings, listen->port);
	return true;
}

void
component_port_close(struct component_port *port)
{
	while (port->count != 0)
		http_unlisten(port->listeners[--port->count]);
}

struct http_listener_counters
component_port_counters(const struct component_port *port)
{
	struct http_listener_counters sum = { 0 };
	for (unsigned i = 0; i < port->count; i++) {
		const struct http_listener_counters one =
			http_listener_counters(port->listeners[i]);
		sum.requests += one.requests;
		sum.bad_requests += one.bad_requests;
		sum.slow_requests += one.slow_requests;
		sum.refused += one.refused;
		sum.ws_accepted += one.ws_accepted;
		sum.connections += one.connections;
	}
	return sum;
}

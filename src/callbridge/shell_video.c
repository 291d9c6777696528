/* SPDX-License-Identifier: Apache-2.0 */
/* What pictures need of the world: codec processes, and the ports on which rooms ask to present. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "callbridge/shell.h"
#include "net/random.h"

enum {
	HOLDER_USER = UINT16_MAX, /* "somebody else", in the floor's numbers of users */
	WHY_MAX = 96,
};

/* ---- Codec processes ----------------------------------------------------------------------- */

static void
on_linked(void *context, unsigned index, struct codec_link *link)
{
	struct shell *shell = context;
	worker_codec(shell->workers[index], link);
}

bool
codecs_open(struct shell *shell)
{
	for (unsigned i = 0; i < shell->worker_count; i++) {
		const struct codec_child_settings settings = { .index = i,
			                                       .linked = on_linked,
			                                       .context = shell };
		const int rc = codec_child_create(&shell->codecs[i], shell->component.loop,
		                                  &settings);
		if (rc != 0)
			return component_fail(&shell->component,
			                      "a codec process cannot be started: %s",
			                      strerror(-rc));
	}
	return true;
}

void
codecs_close(struct shell *shell)
{
	for (unsigned i = 0; i < shell->worker_count; i++)
		codec_child_destroy(shell->codecs[i]);
}

/* ---- Floors -------------------------------------------------------------------------------- */

/* The hub's name of a leg's floor, found by the index of its handle in the bridge. */
static struct shell_floor *
floor_of(struct shell *shell, uint32_t leg)
{
	return &shell->floors[slab_index(leg) % shell->floor_count];
}

static void
on_floor(void *context, const struct bfcp_hub_event *event)
{
	struct shell *shell = context;
	const struct shell_floor *floor = event->context;
	const int64_t now_us = loop_now_us();
	switch (event->kind) {
	case BFCP_HUB_ASK:
		bridge_floor(shell->bridge, floor->leg, BRIDGE_FLOOR_ASKED, now_us);
		break;
	case BFCP_HUB_RELEASED:
		bridge_floor(shell->bridge, floor->leg, BRIDGE_FLOOR_RELEASED, now_us);
		break;
	case BFCP_HUB_GRANTED:
		bridge_floor(shell->bridge, floor->leg, BRIDGE_FLOOR_GRANTED, now_us);
		break;
	case BFCP_HUB_DENIED:
	case BFCP_HUB_REVOKED:
		bridge_floor(shell->bridge, floor->leg, BRIDGE_FLOOR_REFUSED, now_us);
		break;
	case BFCP_HUB_UP:
	case BFCP_HUB_HOLDER:
	case BFCP_HUB_DOWN:
		break;
	}
	shell_settle(shell);
}

static enum bfcp_hub_proto
proto_of(enum sdp_proto proto)
{
	return proto == SDP_PROTO_BFCP_TLS   ? BFCP_HUB_TLS
	       : proto == SDP_PROTO_BFCP_TCP ? BFCP_HUB_TCP
	                                     : BFCP_HUB_UDP;
}

static void
open_floor(struct shell *shell, const struct bridge_floor_order *order)
{
	struct shell_floor *floor = floor_of(shell, order->leg);
	struct bfcp_leg_settings settings = {
		.proto = proto_of(order->proto),
		.client = order->client,
		.active = order->active,
		.remote = order->remote,
		.conference_id = order->conference_id,
		.user_id = order->user_id,
		.floor_id = order->floor_id,
		.fingerprint_len = order->fingerprint.len,
		.context = floor,
	};
	memcpy(settings.fingerprint, order->fingerprint.bytes, order->fingerprint.len);
	if (floor->leg == order->leg && floor->hub.v != 0 && !order->anew)
		return;
	bfcp_hub_remove(shell->hub, floor->hub);
	*floor = (struct shell_floor){ .leg = order->leg };
	const int rc = bfcp_hub_add(shell->hub, &floor->hub, &settings);
	if (rc != 0) {
		*floor = (struct shell_floor){ 0 };
		log_warning("a room's floor control cannot be had: %s", strerror(-rc));
	}
}

void
floors_order(void *context, const struct bridge_floor_order *order)
{
	struct shell *shell = context;
	struct shell_floor *floor = floor_of(shell, order->leg);
	char why[WHY_MAX];
	if (shell->hub == NULL)
		return;
	if (order->kind == BRIDGE_FLOOR_OPEN) {
		open_floor(shell, order);
		return;
	}
	if (floor->leg != order->leg)
		return;
	str_copy(why, sizeof why, order->text);
	switch (order->kind) {
	case BRIDGE_FLOOR_CLOSE:
		bfcp_hub_remove(shell->hub, floor->hub);
		*floor = (struct shell_floor){ 0 };
		break;
	case BRIDGE_FLOOR_GRANT:
		bfcp_hub_grant(shell->hub, floor->hub);
		break;
	case BRIDGE_FLOOR_DENY:
		bfcp_hub_deny(shell->hub, floor->hub, why);
		break;
	case BRIDGE_FLOOR_REVOKE:
		bfcp_hub_revoke(shell->hub, floor->hub, why);
		break;
	case BRIDGE_FLOOR_HOLDER:
		bfcp_hub_holder(shell->hub, floor->hub, order->text.len != 0 ? HOLDER_USER : 0,
		                order->text);
		break;
	case BRIDGE_FLOOR_REQUEST:
		bfcp_hub_request(shell->hub, floor->hub);
		break;
	case BRIDGE_FLOOR_RELEASE:
		bfcp_hub_release(shell->hub, floor->hub);
		break;
	case BRIDGE_FLOOR_OPEN:
		break;
	}
}

bool
floors_open(struct shell *shell)
{
	struct component_tls files;
	char error[TLS_ERROR_MAX];
	const struct config *config = shell->config;
	component_certs(&shell->component, &files, &config->callbridge.certs, "");
	shell->floors = calloc(shell->floor_count, sizeof *shell->floors);
	if (shell->floors == NULL)
		return component_fail(&shell->component, "not enough memory");
	struct bfcp_hub_settings settings = {
		.legs_max = shell->floor_count,
		.event = on_floor,
		.context = shell,
	};
	const struct net_addr any = addr_ip4(0, 0, 0, 0, 0);
	if (config->callbridge.bfcp_port != 0) {
		settings.udp = any;
		settings.udp.port = config->callbridge.bfcp_port;
		settings.tcp = settings.udp;
	}
	if (config->callbridge.bfcp_tls_port != 0 && files.tls.cert_file != NULL) {
		settings.tls = any;
		settings.tls.port = config->callbridge.bfcp_tls_port;
		component_demands(&files.tls, &config->tls.sip);
		settings.tls_version_min = files.tls.version_min;
		settings.ciphers = files.tls.ciphers;
		settings.cert_file = files.tls.cert_file;
		settings.key_file = files.tls.key_file;
	}
	const int rc = bfcp_hub_create(&shell->hub, shell->component.loop, &settings, error);
	return rc == 0 || component_fail(&shell->component,
	                                 "%s (change it with \"callbridge bfcp listen\")", error);
}

struct bridge_floors
floors_told(const struct shell *shell)
{
	struct bridge_floors told = {
		.udp_port = bfcp_hub_port(shell->hub, BFCP_HUB_UDP),
		.tcp_port = bfcp_hub_port(shell->hub, BFCP_HUB_TCP),
		.tls_port = bfcp_hub_port(shell->hub, BFCP_HUB_TLS),
		.fingerprint = { .hash = SDP_HASH_SHA256, .len = 32 },
	};
	const uint8_t *fingerprint = bfcp_hub_fingerprint(shell->hub);
	if (fingerprint != NULL)
		memcpy(told.fingerprint.bytes, fingerprint, told.fingerprint.len);
	return told;
}

void
floors_close(struct shell *shell)
{
	bfcp_hub_destroy(shell->hub);
	shell->hub = NULL;
	free(shell->floors);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Server and client among bytes of strangers: the first byte says which and over what, then come
 * pieces, each behind its pause, what is ordered after it, and its length. */
#include "bfcp/bfcp_client.h"
#include "bfcp/bfcp_property.h"
#include "bfcp/bfcp_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { OUTS_MAX = 400 }; /* a piece of 255 bytes holds 21 messages */

static void
drain_server(struct bfcp_server *server, bool grants)
{
	for (unsigned outs = 0;; outs++) {
		const struct bfcp_server_out out = bfcp_server_poll(server);
		CHECK(outs < OUTS_MAX);
		if (out.kind == BFCP_SERVER_OUT_NONE)
			return;
		if (out.kind == BFCP_SERVER_OUT_BYTES)
			bfcp_property(out.bytes, out.len);
		if (out.kind == BFCP_SERVER_OUT_ASK && grants)
			bfcp_server_grant(server, server->link.now_us);
	}
}

static void
order_server(struct bfcp_server *server, uint8_t order, int64_t now_us)
{
	if ((order & 0x10) != 0)
		bfcp_server_grant(server, now_us);
	if ((order & 0x20) != 0)
		bfcp_server_revoke(server, "taken over", now_us);
	if ((order & 0x40) != 0)
		bfcp_server_holder(server, order & 3, STR("Somebody"), now_us);
	if ((order & 0x80) != 0)
		bfcp_server_lost(server, now_us);
}

static void
fuzz_server(enum bfcp_transport transport, struct reader *r)
{
	const struct bfcp_server_settings settings = { .transport = transport, .conference_id = 1,
		                                       .user_id = 7, .floor_id = 2 };
	static struct bfcp_server server;
	int64_t now_us = 0;
	bfcp_server_init(&server, &settings, 0);
	while (reader_left(r) >= 3) {
		now_us += reader_u8(r) * INT64_C(20000);
		const uint8_t order = reader_u8(r);
		size_t len = reader_u8(r);
		if (len > reader_left(r))
			len = reader_left(r);
		const uint8_t *bytes = reader_take(r, len);
		bfcp_server_tick(&server, now_us);
		drain_server(&server, false);
		while (len != 0) {
			const size_t taken = bfcp_server_input(&server, bytes, len, now_us);
			CHECK(taken != 0 && taken <= len);
			bytes += taken;
			len -= taken;
			drain_server(&server, (order & 1) != 0);
		}
		order_server(&server, order, now_us);
		drain_server(&server, false);
		CHECK(bfcp_server_deadline(&server) > now_us);
	}
}

static void
drain_client(struct bfcp_client *client)
{
	for (unsigned outs = 0;; outs++) {
		const struct bfcp_client_out out = bfcp_client_poll(client);
		CHECK(outs < OUTS_MAX);
		if (out.kind == BFCP_CLIENT_OUT_NONE)
			return;
		if (out.kind == BFCP_CLIENT_OUT_BYTES)
			bfcp_property(out.bytes, out.len);
	}
}

static void
order_client(struct bfcp_client *client, uint8_t order, int64_t now_us)
{
	if ((order & 0x10) != 0)
		bfcp_client_request(client, now_us);
	if ((order & 0x20) != 0)
		bfcp_client_release(client, now_us);
	if ((order & 0x80) != 0) {
		bfcp_client_lost(client, now_us);
		drain_client(client);
		bfcp_client_start(client, now_us);
	}
}

static void
fuzz_client(enum bfcp_transport transport, struct reader *r)
{
	const struct bfcp_client_settings settings = { .transport = transport, .conference_id = 1,
		                                       .user_id = 7, .floor_id = 2,
		                                       .transaction_id = 1 };
	static struct bfcp_client client;
	int64_t now_us = 0;
	bfcp_client_init(&client, &settings, 0);
	bfcp_client_start(&client, 0);
	drain_client(&client);
	while (reader_left(r) >= 3) {
		now_us += reader_u8(r) * INT64_C(20000);
		const uint8_t order = reader_u8(r);
		size_t len = reader_u8(r);
		if (len > reader_left(r))
			len = reader_left(r);
		const uint8_t *bytes = reader_take(r, len);
		bfcp_client_tick(&client, now_us);
		drain_client(&client);
		while (len != 0) {
			const size_t taken = bfcp_client_input(&client, bytes, len, now_us);
			CHECK(taken != 0 && taken <= len);
			bytes += taken;
			len -= taken;
			drain_client(&client);
		}
		order_client(&client, order, now_us);
		drain_client(&client);
		CHECK(bfcp_client_deadline(&client) > now_us);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_of(bytes, len);
	const uint8_t which = reader_u8(&r);
	const enum bfcp_transport transport =
		(which & 1) != 0 ? BFCP_TRANSPORT_STREAM : BFCP_TRANSPORT_UDP;
	if ((which & 2) != 0)
		fuzz_client(transport, &r);
	else
		fuzz_server(transport, &r);
	return 0;
}

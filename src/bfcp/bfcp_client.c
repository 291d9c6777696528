/* SPDX-License-Identifier: Apache-2.0 */
#include "bfcp/bfcp_client.h"

#include "base/check.h"

/* ---- What we say --------------------------------------------------------------------------- */

static void
say(struct bfcp_client *client, enum bfcp_primitive primitive)
{
	struct bfcp_msg msg = { .header.primitive = (uint8_t)primitive };
	bfcp_link_request(&client->link, &msg);
}

static void
say_hello(struct bfcp_client *client)
{
	say(client, BFCP_HELLO);
	client->hello_us = client->link.now_us + BFCP_CLIENT_HELLO_US;
}

/* Asks to be told about the floor. */
static void
subscribe(struct bfcp_client *client)
{
	struct bfcp_msg msg = { .header.primitive = BFCP_FLOOR_QUERY,
		                .floor_count = 1,
		                .floors[0] = client->settings.floor_id };
	bfcp_link_request(&client->link, &msg);
}

void
bfcp_client_init(struct bfcp_client *client, const struct bfcp_client_settings *settings,
                 int64_t now_us)
{
	const struct bfcp_link_settings link = { .transport = settings->transport,
		                                 .conference_id = settings->conference_id,
		                                 .user_id = settings->user_id,
		                                 .transaction_id = settings->transaction_id };
	memset(client, 0, sizeof *client);
	client->settings = *settings;
	client->decision_us = INT64_MAX;
	client->hello_us = INT64_MAX;
	client->lost = true;
	bfcp_link_init(&client->link, &link, now_us);
}

void
bfcp_client_start(struct bfcp_client *client, int64_t now_us)
{
	CHECK(now_us >= client->link.now_us);
	client->link.now_us = now_us;
	bfcp_link_reset(&client->link);
	client->lost = false;
	say_hello(client);
	if (!client->again)
		subscribe(client);
}

/* Brings what is wished and what is nearer together; after every change of either. */
static void
pursue(struct bfcp_client *client)
{
	switch (client->state) {
	case BFCP_CLIENT_IDLE:
		if (client->wanted) {
			struct bfcp_msg msg = { .header.primitive = BFCP_FLOOR_REQUEST,
				                .floor_count = 1,
				                .floors[0] = client->settings.floor_id };
			bfcp_link_request(&client->link, &msg);
			client->transaction_id = msg.header.transaction_id;
			client->over_id = 0;
			client->state = BFCP_CLIENT_ASKING;
		}
		break;
	case BFCP_CLIENT_WAITING:
	case BFCP_CLIENT_GRANTED:
		if (!client->wanted) {
			struct bfcp_msg msg = { .header.primitive = BFCP_FLOOR_RELEASE,
				                .has_request_id = true,
				                .request_id = client->request_id };
			bfcp_link_request(&client->link, &msg);
			client->transaction_id = msg.header.transaction_id;
			client->state = BFCP_CLIENT_RELEASING;
			client->decision_us = INT64_MAX;
		}
		break;
	case BFCP_CLIENT_ASKING: /* until the request has an id it cannot be released */
	case BFCP_CLIENT_RELEASING:
		break;
	}
}

/* ---- What the server says ------------------------------------------------------------------ */

/* The request is over without the floor, or with it taken back. */
static void
end_request(struct bfcp_client *client)
{
	client->out_revoked |= client->state == BFCP_CLIENT_GRANTED;
	client->out_denied |= client->wanted && (client->state == BFCP_CLIENT_ASKING ||
	                                         client->state == BFCP_CLIENT_WAITING);
	if (client->state != BFCP_CLIENT_RELEASING)
		client->wanted = false;
	client->state = BFCP_CLIENT_IDLE;
	client->decision_us = INT64_MAX;
}

/* `answer`: to our FloorRequest; else a notification, which may overtake that or come late. */
static void
on_request_status(struct bfcp_client *client, const struct bfcp_request *request, bool answer)
{
	const bool asking = client->state == BFCP_CLIENT_ASKING;
	/* Until the answer has come, what has the former request's id is about that one. */
	const bool about_it = request->id == client->request_id;
	if (client->state == BFCP_CLIENT_IDLE || (asking ? !answer && about_it : !about_it))
		return;
	if (asking && answer && request->id == client->over_id) {
		end_request(client);
		return;
	}
	switch (bfcp_request_status_of(request)) {
	case BFCP_PENDING:
	case BFCP_ACCEPTED:
		if (!asking)
			break;
		client->request_id = request->id;
		client->state = BFCP_CLIENT_WAITING;
		client->decision_us = client->link.now_us + BFCP_CLIENT_DECISION_US;
		break;
	case BFCP_GRANTED:
		if (!asking && client->state != BFCP_CLIENT_WAITING)
			break;
		client->request_id = request->id;
		client->state = BFCP_CLIENT_GRANTED;
		client->decision_us = INT64_MAX;
		client->out_granted = client->wanted;
		break;
	case BFCP_DENIED:
	case BFCP_CANCELLED:
	case BFCP_RELEASED:
	case BFCP_REVOKED:
		if (asking && !answer)
			client->over_id = request->id;
		else
			end_request(client);
		break;
	default:
		break;
	}
}

/* Some servers tell of a grant by FloorStatus alone. */
static void
on_floor_status(struct bfcp_client *client, const struct bfcp_msg *msg)
{
	uint16_t holder = 0;
	for (unsigned i = 0; i < msg->request_count; i++) {
		const struct bfcp_request *request = &msg->requests[i];
		const struct bfcp_user *user = &request->beneficiary;
		const bool ours = user->present ? user->id == client->settings.user_id
		                                : request->id == client->request_id;
		if (ours && client->state == BFCP_CLIENT_WAITING)
			on_request_status(client, request, false);
		else if (!ours && bfcp_request_status_of(request) == BFCP_GRANTED)
			holder = user->present ? user->id : (uint16_t)BFCP_HOLDER_UNKNOWN;
	}
	client->out_holder |= holder != client->holder;
	client->holder = holder;
}

/* A request of before we lost the server, which it still knows of: to be released. */
static void
on_user_status(struct bfcp_client *client, const struct bfcp_msg *msg)
{
	if (client->state != BFCP_CLIENT_IDLE || msg->request_count == 0)
		return;
	client->request_id = msg->requests[0].id;
	client->state = BFCP_CLIENT_WAITING;
}

/* Says version 1 from now on and begins anew. */
static void
fall_back(struct bfcp_client *client)
{
	client->fell_back = true;
	bfcp_link_reset(&client->link);
	client->link.version = 1;
	client->link.drafts = true;
	if (client->state == BFCP_CLIENT_ASKING)
		client->state = BFCP_CLIENT_IDLE;
	say_hello(client);
	subscribe(client);
}

static bool
may_fall_back(const struct bfcp_client *client)
{
	return client->settings.transport == BFCP_TRANSPORT_UDP && !client->fell_back &&
	       !client->up;
}

static void
leave(struct bfcp_client *client)
{
	end_request(client);
	client->wanted = false;
	client->out_holder |= client->holder != 0;
	client->holder = 0;
	client->out_lost |= !client->lost;
	client->lost = client->again = true;
	client->up = false;
}

static void
on_answer(struct bfcp_client *client, const struct bfcp_msg *msg, uint8_t request)
{
	if (msg->error == BFCP_ERROR_VERSION && may_fall_back(client)) {
		fall_back(client);
		return;
	}
	if (!client->up) {
		client->up = client->out_up = true;
		if (client->again) { /* what it knew of us may be gone, or still there */
			subscribe(client);
			say(client, BFCP_USER_QUERY);
		}
		client->lost = client->again = false;
	}
	client->errors += msg->header.primitive == BFCP_ERROR;
	if ((request == BFCP_FLOOR_REQUEST || request == BFCP_FLOOR_RELEASE) &&
	    msg->header.transaction_id != client->transaction_id)
		return; /* that wish was given up meanwhile */
	if (msg->header.primitive == BFCP_FLOOR_STATUS) {
		on_floor_status(client, msg);
	} else if (msg->header.primitive == BFCP_FLOOR_REQUEST_STATUS) {
		on_request_status(client, &msg->requests[0], true);
	} else if (msg->header.primitive == BFCP_USER_STATUS) {
		on_user_status(client, msg);
	} else if (msg->header.primitive == BFCP_ERROR &&
	           (request == BFCP_FLOOR_REQUEST || request == BFCP_FLOOR_RELEASE)) {
		end_request(client);
	}
	/* A released request is over, whatever its last status says. */
	if (request == BFCP_FLOOR_RELEASE && client->state == BFCP_CLIENT_RELEASING)
		end_request(client);
}

static void
acknowledge(struct bfcp_client *client, const struct bfcp_msg *msg, enum bfcp_primitive ack)
{
	struct bfcp_msg answer = { .header.primitive = (uint8_t)ack };
	if (msg->header.transaction_id != 0) /* over a stream nobody waits for it */
		bfcp_link_answer(&client->link, &msg->header, &answer);
}

static void
on_request(struct bfcp_client *client, const struct bfcp_msg *msg)
{
	switch (msg->header.primitive) {
	case BFCP_FLOOR_REQUEST_STATUS:
		acknowledge(client, msg, BFCP_FLOOR_REQUEST_STATUS_ACK);
		on_request_status(client, &msg->requests[0], false);
		break;
	case BFCP_FLOOR_STATUS:
		acknowledge(client, msg, BFCP_FLOOR_STATUS_ACK);
		on_floor_status(client, msg);
		break;
	case BFCP_HELLO:
		acknowledge(client, msg, BFCP_HELLO_ACK);
		break;
	case BFCP_GOODBYE:
		bfcp_link_reset(&client->link);
		acknowledge(client, msg, BFCP_GOODBYE_ACK);
		leave(client);
		break;
	case BFCP_USER_STATUS:
	case BFCP_ERROR:
		break;
	case BFCP_FLOOR_REQUEST:
	case BFCP_FLOOR_RELEASE:
	case BFCP_FLOOR_REQUEST_QUERY:
	case BFCP_USER_QUERY:
	case BFCP_FLOOR_QUERY:
	case BFCP_CHAIR_ACTION: /* we are nobody's server here */
		bfcp_link_error(&client->link, &msg->header, BFCP_ERROR_UNAUTHORIZED);
		break;
	default:
		bfcp_link_error(&client->link, &msg->header, BFCP_ERROR_UNKNOWN_PRIMITIVE);
		break;
	}
}

/* ---- In and out ---------------------------------------------------------------------------- */

size_t
bfcp_client_input(struct bfcp_client *client, const uint8_t *bytes, size_t len, int64_t now_us)
{
	return bfcp_link_input(&client->link, bytes, len, now_us);
}

void
bfcp_client_tick(struct bfcp_client *client, int64_t now_us)
{
	bfcp_link_tick(&client->link, now_us);
	if (now_us >= client->decision_us) {
		client->out_denied = true;
		client->wanted = false;
		pursue(client);
	}
	if (now_us >= client->hello_us)
		say_hello(client);
}

static bool
take_flag(bool *flag)
{
	const bool was = *flag;
	*flag = false;
	return was;
}

static struct bfcp_client_out
next_event(struct bfcp_client *client)
{
	struct bfcp_client_out out = { .kind = BFCP_CLIENT_OUT_NONE, .holder = client->holder };
	if (take_flag(&client->out_up))
		out.kind = BFCP_CLIENT_OUT_UP;
	else if (take_flag(&client->out_granted))
		out.kind = BFCP_CLIENT_OUT_GRANTED;
	else if (take_flag(&client->out_denied))
		out.kind = BFCP_CLIENT_OUT_DENIED;
	else if (take_flag(&client->out_revoked))
		out.kind = BFCP_CLIENT_OUT_REVOKED;
	else if (take_flag(&client->out_holder))
		out.kind = BFCP_CLIENT_OUT_HOLDER;
	else if (take_flag(&client->out_lost))
		out.kind = BFCP_CLIENT_OUT_LOST;
	return out;
}

/* A request was never answered, or the stream makes no sense: of a stream said once. */
static bool
has_failed(const struct bfcp_client *client)
{
	return bfcp_link_failed(&client->link) &&
	       (client->settings.transport == BFCP_TRANSPORT_UDP || !client->lost);
}

static void
on_failure(struct bfcp_client *client)
{
	if (may_fall_back(client)) {
		fall_back(client);
		return;
	}
	leave(client);
	if (client->settings.transport == BFCP_TRANSPORT_UDP)
		bfcp_link_reset(&client->link);
	else
		client->hello_us = INT64_MAX;
}

struct bfcp_client_out
bfcp_client_poll(struct bfcp_client *client)
{
	struct bfcp_msg msg;
	uint8_t answers = 0;
	for (;;) {
		struct bfcp_client_out out = { .kind = BFCP_CLIENT_OUT_BYTES };
		out.len = bfcp_link_poll(&client->link, &out.bytes);
		if (out.len != 0)
			return out;
		out = next_event(client);
		if (out.kind != BFCP_CLIENT_OUT_NONE)
			return out;
		if (has_failed(client)) {
			on_failure(client);
			continue;
		}
		if (bfcp_link_take(&client->link, &msg, &answers)) {
			if (answers != 0)
				on_answer(client, &msg, answers);
			else
				on_request(client, &msg);
			pursue(client);
			continue;
		}
		out.kind = BFCP_CLIENT_OUT_BYTES;
		out.len = bfcp_link_poll(&client->link, &out.bytes);
		if (out.len == 0)
			out.kind = BFCP_CLIENT_OUT_NONE;
		return out;
	}
}

int64_t
bfcp_client_deadline(const struct bfcp_client *client)
{
	int64_t first_us = bfcp_link_deadline(&client->link);
	if (client->decision_us < first_us)
		first_us = client->decision_us;
	return client->hello_us < first_us ? client->hello_us : first_us;
}

/* ---- Orders -------------------------------------------------------------------------------- */

static void
wish(struct bfcp_client *client, bool wanted, int64_t now_us)
{
	CHECK(now_us >= client->link.now_us);
	client->link.now_us = now_us;
	client->wanted = wanted;
	pursue(client);
}

void
bfcp_client_request(struct bfcp_client *client, int64_t now_us)
{
	wish(client, true, now_us);
}

void
bfcp_client_release(struct bfcp_client *client, int64_t now_us)
{
	wish(client, false, now_us);
}

void
bfcp_client_goodbye(struct bfcp_client *client, int64_t now_us)
{
	CHECK(now_us >= client->link.now_us);
	client->link.now_us = now_us;
	if (client->up)
		say(client, BFCP_GOODBYE);
}

void
bfcp_client_lost(struct bfcp_client *client, int64_t now_us)
{
	CHECK(now_us >= client->link.now_us);
	client->link.now_us = now_us;
	leave(client);
	bfcp_link_reset(&client->link);
	client->hello_us = INT64_MAX;
}

void
bfcp_client_dump(const struct bfcp_client *client, struct writer *w)
{
	static const char *const states[] = {
		[BFCP_CLIENT_IDLE] = "idle",         [BFCP_CLIENT_ASKING] = "asking",
		[BFCP_CLIENT_WAITING] = "waiting",   [BFCP_CLIENT_GRANTED] = "granted",
		[BFCP_CLIENT_RELEASING] = "releasing",
	};
	const struct bfcp_client_settings *its = &client->settings;
	writer_format(w, "bfcp client conference=%u user=%u floor=%u request=%u %s version=%u %s",
	              (unsigned)its->conference_id, (unsigned)its->user_id, (unsigned)its->floor_id,
	              (unsigned)client->request_id, states[client->state],
	              (unsigned)client->link.version, client->up ? "up" : "down");
	if (client->holder != 0)
		writer_format(w, " holder=%u", (unsigned)client->holder);
	writer_text(w, "\n");
}

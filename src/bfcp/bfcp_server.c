/* SPDX-License-Identifier: Apache-2.0 */
#include "bfcp/bfcp_server.h"

#include "base/check.h"

enum {
	PRIORITY_NORMAL = 2, /* RFC 8855 s5.2.4, also when there is none */
	WHY_BYTES_MAX = 64,
	REQUEST_ID_MAX = 0x7FFF,
	OTHERS_REQUEST = 0x8000, /* the id that another's request has in FloorStatus */
};

void
bfcp_server_init(struct bfcp_server *server, const struct bfcp_server_settings *settings,
                 int64_t now_us)
{
	const struct bfcp_link_settings link = { .transport = settings->transport,
		                                 .conference_id = settings->conference_id,
		                                 .user_id = settings->user_id,
		                                 .transaction_id = settings->transaction_id };
	memset(server, 0, sizeof *server);
	bfcp_link_init(&server->link, &link, now_us);
	server->floor_id = settings->floor_id;
	server->answer_us = INT64_MAX;
	server->decision_us = INT64_MAX;
}

static uint16_t
user_id(const struct bfcp_server *server)
{
	return server->link.settings.user_id;
}

static struct str
cut(const char *text)
{
	struct str s = str_of(text);
	if (s.len > WHY_BYTES_MAX)
		s.len = WHY_BYTES_MAX;
	return s;
}

/* ---- What we say --------------------------------------------------------------------------- */

/* FLOOR-REQUEST-INFORMATION about the user's own request.  The status stands in both places, as
 * devices look into one or the other. */
static struct bfcp_request
own_request(const struct bfcp_server *server, enum bfcp_status status, struct str why)
{
	return (struct bfcp_request){
		.id = server->request_id,
		.overall = { .present = true,
		             .id = server->request_id,
		             .status = (uint8_t)status,
		             .info = why },
		.floor_count = 1,
		.floors[0] = { .present = true,
		               .id = server->floor_id,
		               .status = (uint8_t)status },
		.beneficiary = { .present = true, .id = user_id(server) },
	};
}

static enum bfcp_status
status_of(const struct bfcp_server *server)
{
	return server->state == BFCP_FLOOR_GRANTED ? BFCP_GRANTED : BFCP_PENDING;
}

/* FloorStatus: who has the floor, if anybody (s13.5). */
static void
fill_floor(const struct bfcp_server *server, struct bfcp_msg *msg)
{
	msg->header.primitive = BFCP_FLOOR_STATUS;
	msg->floor_count = 1;
	msg->floors[0] = server->floor_id;
	if (server->state != BFCP_FLOOR_NONE)
		msg->requests[msg->request_count++] =
			own_request(server, status_of(server), (struct str){ 0 });
	if (server->holder == 0)
		return;
	struct bfcp_request *other = &msg->requests[msg->request_count++];
	*other = own_request(server, BFCP_GRANTED, (struct str){ 0 });
	other->id = other->overall.id = OTHERS_REQUEST;
	other->beneficiary.id = server->holder;
	other->beneficiary.name = str_of(server->holder_name);
}

static void
notify_floor(struct bfcp_server *server)
{
	struct bfcp_msg msg = { 0 };
	if (!server->subscribed || !server->up)
		return;
	fill_floor(server, &msg);
	bfcp_link_notify(&server->link, &msg);
}

/* The state of the request: as the answer that was held back, or as a notification. */
static void
tell_request(struct bfcp_server *server, enum bfcp_status status, struct str why)
{
	struct bfcp_msg msg = { .header.primitive = BFCP_FLOOR_REQUEST_STATUS, .request_count = 1 };
	msg.requests[0] = own_request(server, status, why);
	if (server->asked.version != 0) {
		bfcp_link_answer(&server->link, &server->asked, &msg);
		server->asked.version = 0;
		server->answer_us = INT64_MAX;
	} else {
		bfcp_link_notify(&server->link, &msg);
	}
}

static void
refuse(struct bfcp_server *server, const struct bfcp_header *request, enum bfcp_error error)
{
	server->errors++;
	bfcp_link_error(&server->link, request, error);
}

/* ---- The request's life -------------------------------------------------------------------- */

/* The wish is over; the owner is told unless it was his order. */
static void
end_request(struct bfcp_server *server, bool ordered)
{
	if (server->state == BFCP_FLOOR_NONE)
		return;
	if (!ordered) {
		/* Asked and withdrawn at once: the owner never heard of it. */
		if (server->out_ask)
			server->out_ask = false;
		else
			server->out_released = true;
	}
	server->state = BFCP_FLOOR_NONE;
	server->decision_us = INT64_MAX;
}

/* The device is not there any more. */
static void
leave(struct bfcp_server *server)
{
	end_request(server, false);
	server->asked.version = 0;
	server->answer_us = INT64_MAX;
	server->subscribed = false;
	server->out_gone |= server->up;
	server->up = false;
}

static void
on_floor_request(struct bfcp_server *server, const struct bfcp_msg *msg)
{
	const struct bfcp_header *header = &msg->header;
	if (msg->floor_count != 1 || msg->floors[0] != server->floor_id) {
		refuse(server, header, BFCP_ERROR_NO_FLOOR);
		return;
	}
	if (msg->has_beneficiary_id && msg->beneficiary_id != user_id(server)) {
		/* Asking for others is a chair's right (s13.1). */
		refuse(server, header, BFCP_ERROR_UNAUTHORIZED);
		return;
	}
	if (server->state == BFCP_FLOOR_ASKED) {
		/* The same request again, while its answer is held back, needs nothing. */
		if (server->asked.version == 0 ||
		    server->asked.transaction_id != header->transaction_id)
			refuse(server, header, BFCP_ERROR_TOO_MANY_REQUESTS);
		return;
	}
	server->request_id = (uint16_t)(server->request_id % REQUEST_ID_MAX + 1);
	server->priority = msg->has_priority ? msg->priority : PRIORITY_NORMAL;
	server->asked = *header;
	if (server->state == BFCP_FLOOR_GRANTED) {
		tell_request(server, BFCP_GRANTED, (struct str){ 0 });
		return;
	}
	server->state = BFCP_FLOOR_ASKED;
	server->answer_us = server->link.now_us + BFCP_SERVER_ANSWER_US;
	server->decision_us = server->link.now_us + BFCP_SERVER_DECISION_US;
	server->out_ask = true;
}

/* Is this the user's request that goes on? */
static bool
is_current(const struct bfcp_server *server, const struct bfcp_msg *msg)
{
	return server->state != BFCP_FLOOR_NONE && msg->request_id == server->request_id;
}

static void
on_floor_release(struct bfcp_server *server, const struct bfcp_msg *msg)
{
	if (!is_current(server, msg)) {
		refuse(server, &msg->header, BFCP_ERROR_NO_REQUEST);
		return;
	}
	/* What was granted is released, what was not is cancelled (s13.3). */
	const enum bfcp_status status =
		server->state == BFCP_FLOOR_GRANTED ? BFCP_RELEASED : BFCP_CANCELLED;
	if (server->asked.version != 0) /* the request itself still wants its answer */
		tell_request(server, BFCP_PENDING, (struct str){ 0 });
	end_request(server, false);
	server->asked = msg->header;
	tell_request(server, status, (struct str){ 0 });
	notify_floor(server);
}

static void
on_floor_request_query(struct bfcp_server *server, const struct bfcp_msg *msg)
{
	if (!is_current(server, msg)) {
		refuse(server, &msg->header, BFCP_ERROR_NO_REQUEST);
		return;
	}
	struct bfcp_msg answer = { .header.primitive = BFCP_FLOOR_REQUEST_STATUS,
		                   .request_count = 1 };
	answer.requests[0] = own_request(server, status_of(server), (struct str){ 0 });
	bfcp_link_answer(&server->link, &msg->header, &answer);
}

static void
on_user_query(struct bfcp_server *server, const struct bfcp_msg *msg)
{
	struct bfcp_msg answer = { .header.primitive = BFCP_USER_STATUS };
	if (msg->has_beneficiary_id && msg->beneficiary_id != user_id(server)) {
		refuse(server, &msg->header, BFCP_ERROR_NO_USER);
		return;
	}
	answer.beneficiary = (struct bfcp_user){ .present = true, .id = user_id(server) };
	if (server->state != BFCP_FLOOR_NONE)
		answer.requests[answer.request_count++] =
			own_request(server, status_of(server), (struct str){ 0 });
	bfcp_link_answer(&server->link, &msg->header, &answer);
}

/* Names the floors of interest from now on, perhaps none (s13.5). */
static void
on_floor_query(struct bfcp_server *server, const struct bfcp_msg *msg)
{
	bool ours = false;
	for (unsigned i = 0; i < msg->floor_count; i++)
		ours |= msg->floors[i] == server->floor_id;
	if (msg->floor_count != 0 && !ours) {
		refuse(server, &msg->header, BFCP_ERROR_NO_FLOOR);
		return;
	}
	struct bfcp_msg answer = { 0 };
	server->subscribed = ours;
	if (ours)
		fill_floor(server, &answer);
	answer.header.primitive = BFCP_FLOOR_STATUS;
	bfcp_link_answer(&server->link, &msg->header, &answer);
}

static void
on_hello(struct bfcp_server *server, const struct bfcp_msg *msg)
{
	static const char primitives[] = {
		BFCP_FLOOR_REQUEST, BFCP_FLOOR_RELEASE, BFCP_FLOOR_REQUEST_QUERY,
		BFCP_FLOOR_REQUEST_STATUS, BFCP_USER_QUERY, BFCP_USER_STATUS, BFCP_FLOOR_QUERY,
		BFCP_FLOOR_STATUS, BFCP_HELLO, BFCP_HELLO_ACK, BFCP_ERROR,
		BFCP_FLOOR_REQUEST_STATUS_ACK, BFCP_FLOOR_STATUS_ACK, BFCP_GOODBYE,
		BFCP_GOODBYE_ACK,
	};
	char attributes[BFCP_ATTRIBUTE_COUNT - 1];
	for (unsigned type = 1; type < BFCP_ATTRIBUTE_COUNT; type++)
		attributes[type - 1] = (char)(type << 1);
	struct bfcp_msg answer = { .header.primitive = BFCP_HELLO_ACK,
		                   .primitives = { primitives, sizeof primitives },
		                   .attributes = { attributes, sizeof attributes } };
	bfcp_link_answer(&server->link, &msg->header, &answer);
}

/* The device is there, again perhaps. */
static void
arrive(struct bfcp_server *server, uint8_t primitive)
{
	const bool owes_revoke = server->owes_revoke;
	if (server->up)
		return;
	server->up = server->out_up = true;
	server->owes_revoke = false;
	if (owes_revoke && primitive != BFCP_FLOOR_REQUEST && primitive != BFCP_GOODBYE)
		tell_request(server, BFCP_REVOKED, (struct str){ 0 });
}

static void
handle(struct bfcp_server *server, const struct bfcp_msg *msg)
{
	arrive(server, msg->header.primitive);
	switch (msg->header.primitive) {
	case BFCP_FLOOR_REQUEST:
		on_floor_request(server, msg);
		break;
	case BFCP_FLOOR_RELEASE:
		on_floor_release(server, msg);
		break;
	case BFCP_FLOOR_REQUEST_QUERY:
		on_floor_request_query(server, msg);
		break;
	case BFCP_USER_QUERY:
		on_user_query(server, msg);
		break;
	case BFCP_FLOOR_QUERY:
		on_floor_query(server, msg);
		break;
	case BFCP_CHAIR_ACTION: /* we appoint no chairs */
		refuse(server, &msg->header, BFCP_ERROR_UNAUTHORIZED);
		break;
	case BFCP_HELLO:
		on_hello(server, msg);
		break;
	case BFCP_GOODBYE: {
		struct bfcp_msg answer = { .header.primitive = BFCP_GOODBYE_ACK };
		bfcp_link_reset(&server->link);
		bfcp_link_answer(&server->link, &msg->header, &answer);
		leave(server);
		break;
	}
	case BFCP_FLOOR_REQUEST_STATUS: /* a server's words; nothing to say to them */
	case BFCP_USER_STATUS:
	case BFCP_FLOOR_STATUS:
	case BFCP_ERROR:
		break;
	default:
		refuse(server, &msg->header, BFCP_ERROR_UNKNOWN_PRIMITIVE);
		break;
	}
}

/* ---- In and out ---------------------------------------------------------------------------- */

size_t
bfcp_server_input(struct bfcp_server *server, const uint8_t *bytes, size_t len, int64_t now_us)
{
	return bfcp_link_input(&server->link, bytes, len, now_us);
}

void
bfcp_server_tick(struct bfcp_server *server, int64_t now_us)
{
	bfcp_link_tick(&server->link, now_us);
	if (now_us >= server->answer_us)
		tell_request(server, BFCP_PENDING, (struct str){ 0 });
	if (now_us >= server->decision_us) {
		tell_request(server, BFCP_DENIED, STR("no decision"));
		end_request(server, false);
		notify_floor(server);
	}
}

static bool
take_flag(bool *flag)
{
	const bool was = *flag;
	*flag = false;
	return was;
}

static struct bfcp_server_out
event(enum bfcp_server_out_kind kind)
{
	return (struct bfcp_server_out){ .kind = kind };
}

struct bfcp_server_out
bfcp_server_poll(struct bfcp_server *server)
{
	struct bfcp_msg msg;
	uint8_t answers = 0;
	for (;;) {
		struct bfcp_server_out out = { .kind = BFCP_SERVER_OUT_BYTES };
		out.len = bfcp_link_poll(&server->link, &out.bytes);
		if (out.len != 0)
			return out;
		if (take_flag(&server->out_up))
			return event(BFCP_SERVER_OUT_UP);
		if (take_flag(&server->out_released))
			return event(BFCP_SERVER_OUT_RELEASED);
		if (take_flag(&server->out_ask))
			return (struct bfcp_server_out){ .kind = BFCP_SERVER_OUT_ASK,
				                         .priority = server->priority };
		if (take_flag(&server->out_gone))
			return event(BFCP_SERVER_OUT_GONE);
		if (bfcp_link_failed(&server->link) && server->up) {
			/* Whether it knows that its last request is over cannot be told. */
			server->owes_revoke = server->request_id != 0;
			leave(server);
			if (server->link.settings.transport == BFCP_TRANSPORT_UDP)
				bfcp_link_reset(&server->link);
			continue;
		}
		if (bfcp_link_take(&server->link, &msg, &answers)) {
			if (answers == 0)
				handle(server, &msg);
			continue;
		}
		out.len = bfcp_link_poll(&server->link, &out.bytes);
		return out.len != 0 ? out : event(BFCP_SERVER_OUT_NONE);
	}
}

int64_t
bfcp_server_deadline(const struct bfcp_server *server)
{
	int64_t first_us = bfcp_link_deadline(&server->link);
	if (server->answer_us < first_us)
		first_us = server->answer_us;
	return server->decision_us < first_us ? server->decision_us : first_us;
}

/* ---- Orders -------------------------------------------------------------------------------- */

static void
at(struct bfcp_server *server, int64_t now_us)
{
	CHECK(now_us >= server->link.now_us);
	server->link.now_us = now_us;
}

void
bfcp_server_grant(struct bfcp_server *server, int64_t now_us)
{
	at(server, now_us);
	if (server->state != BFCP_FLOOR_ASKED)
		return;
	server->state = BFCP_FLOOR_GRANTED;
	server->decision_us = INT64_MAX;
	tell_request(server, BFCP_GRANTED, (struct str){ 0 });
	notify_floor(server);
}

void
bfcp_server_deny(struct bfcp_server *server, const char *why, int64_t now_us)
{
	at(server, now_us);
	if (server->state != BFCP_FLOOR_ASKED)
		return;
	tell_request(server, BFCP_DENIED, cut(why));
	end_request(server, true);
	notify_floor(server);
}

void
bfcp_server_revoke(struct bfcp_server *server, const char *why, int64_t now_us)
{
	at(server, now_us);
	if (server->state != BFCP_FLOOR_GRANTED)
		return;
	tell_request(server, BFCP_REVOKED, cut(why));
	end_request(server, true);
	notify_floor(server);
}

void
bfcp_server_holder(struct bfcp_server *server, uint16_t holder, struct str name, int64_t now_us)
{
	at(server, now_us);
	CHECK(holder != user_id(server));
	if (name.len >= sizeof server->holder_name)
		name.len = sizeof server->holder_name - 1;
	if (holder == server->holder && str_eq(name, str_of(server->holder_name)))
		return;
	server->holder = holder;
	CHECK(str_copy(server->holder_name, sizeof server->holder_name, name));
	notify_floor(server);
}

void
bfcp_server_goodbye(struct bfcp_server *server, int64_t now_us)
{
	struct bfcp_msg msg = { .header.primitive = BFCP_GOODBYE };
	at(server, now_us);
	if (server->up)
		bfcp_link_notify(&server->link, &msg);
}

void
bfcp_server_lost(struct bfcp_server *server, int64_t now_us)
{
	at(server, now_us);
	leave(server);
	bfcp_link_reset(&server->link);
}

void
bfcp_server_dump(const struct bfcp_server *server, struct writer *w)
{
	static const char *const states[] = { [BFCP_FLOOR_NONE] = "none",
		                              [BFCP_FLOOR_ASKED] = "asked",
		                              [BFCP_FLOOR_GRANTED] = "granted" };
	const struct bfcp_link_settings *ours = &server->link.settings;
	writer_format(w, "bfcp server conference=%u user=%u floor=%u request=%u %s version=%u",
	              (unsigned)ours->conference_id, (unsigned)ours->user_id,
	              (unsigned)server->floor_id, (unsigned)server->request_id,
	              states[server->state], (unsigned)server->link.version);
	writer_text(w, server->up ? " up" : " down");
	if (server->subscribed)
		writer_text(w, " subscribed");
	if (server->holder != 0)
		writer_format(w, " holder=%u", (unsigned)server->holder);
	writer_text(w, "\n");
}

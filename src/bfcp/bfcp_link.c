/* SPDX-License-Identifier: Apache-2.0 */
#include "bfcp/bfcp_link.h"

#include "base/check.h"

static_assert(BFCP_MSG_BYTES_MAX / 4 % 32 == 0, "whole words of units");

/* What is numbered differently before RFC 8855 (draft-sandbakken-dispatch-bfcp-udp). */
enum {
	DRAFT_ERROR_ACK = 15,
	DRAFT_FLOOR_STATUS_ACK = 16,
	DRAFT_GOODBYE = 17,
	DRAFT_GOODBYE_ACK = 18,
	TANDBERG_FLOOR_REQUEST_STATUS_ACK = 0x5B,
	TANDBERG_FLOOR_STATUS_ACK = 0x5D,
};

void
bfcp_link_init(struct bfcp_link *link, const struct bfcp_link_settings *settings, int64_t now_us)
{
	memset(link, 0, sizeof *link);
	link->settings = *settings;
	link->transaction_id = settings->transaction_id;
	link->version = settings->transport == BFCP_TRANSPORT_UDP ? 2 : 1;
	link->now_us = now_us;
}

void
bfcp_link_reset(struct bfcp_link *link)
{
	link->failed = false;
	link->in_len = 0;
	link->taken = 0;
	link->gathering = false;
	link->request_count = 0;
	for (unsigned i = 0; i < BFCP_LINK_ANSWERS_MAX; i++)
		link->answers[i].len = 0;
}

static bool
is_udp(const struct bfcp_link *link)
{
	return link->settings.transport == BFCP_TRANSPORT_UDP;
}

static void
advance(struct bfcp_link *link, int64_t now_us)
{
	CHECK(now_us >= link->now_us);
	link->now_us = now_us;
}

/* ---- Numbers of the drafts ----------------------------------------------------------------- */

/* The RFC's number for what came. */
static uint8_t
primitive_in(struct bfcp_link *link, const struct bfcp_header *header)
{
	if (!is_udp(link) || header->version != 1)
		return header->primitive;
	switch (header->primitive) {
	case DRAFT_FLOOR_STATUS_ACK: /* or the RFC's Goodbye, a request */
		link->drafts = header->responder;
		return header->responder ? BFCP_FLOOR_STATUS_ACK : BFCP_GOODBYE;
	case DRAFT_GOODBYE: /* or the RFC's GoodbyeAck, an answer */
		link->drafts = !header->responder;
		return header->responder ? BFCP_GOODBYE_ACK : BFCP_GOODBYE;
	case DRAFT_GOODBYE_ACK:
		return BFCP_GOODBYE_ACK;
	case TANDBERG_FLOOR_REQUEST_STATUS_ACK:
		return BFCP_FLOOR_REQUEST_STATUS_ACK;
	case TANDBERG_FLOOR_STATUS_ACK:
		return BFCP_FLOOR_STATUS_ACK;
	default:
		return header->primitive;
	}
}

static uint8_t
primitive_out(const struct bfcp_link *link, uint8_t primitive)
{
	if (!link->drafts)
		return primitive;
	switch (primitive) {
	case BFCP_FLOOR_STATUS_ACK:
		return DRAFT_FLOOR_STATUS_ACK;
	case BFCP_GOODBYE:
		return DRAFT_GOODBYE;
	case BFCP_GOODBYE_ACK:
		return DRAFT_GOODBYE_ACK;
	default:
		return primitive;
	}
}

/* The peer's version is ours from now on. */
static void
follow_version(struct bfcp_link *link, uint8_t version)
{
	if (!is_udp(link) || version == link->version)
		return;
	link->version = version;
	link->drafts = version == 1;
}

/* ---- Bytes in ------------------------------------------------------------------------------ */

static void
reject(struct bfcp_link *link, enum bfcp_reject why)
{
	link->rejects[why]++;
}

static bool
same_message(const struct bfcp_header *a, const struct bfcp_header *b)
{
	return a->version == b->version && a->responder == b->responder &&
	       a->primitive == b->primitive && a->payload_len == b->payload_len &&
	       a->conference_id == b->conference_id && a->transaction_id == b->transaction_id &&
	       a->user_id == b->user_id;
}

/* Fragments come in any order and any number of times (s6.2.3); the payload is whole when each of
 * its units has come.  A fragment of another message begins anew. */
static void
gather(struct bfcp_link *link, const struct bfcp_header *header, const uint8_t *bytes, size_t len)
{
	const size_t skip = BFCP_HEADER_BYTES + BFCP_FRAGMENT_BYTES;
	if (len != skip + header->fragment_len) {
		reject(link, BFCP_REJECT_LENGTH);
		return;
	}
	if (!link->gathering || !same_message(&link->gathered, header)) {
		memset(link->units, 0, sizeof link->units);
		memcpy(link->in, bytes, BFCP_HEADER_BYTES);
		link->in[0] &= 0xF0; /* not a fragment any more */
		link->gathered = *header;
		link->gathering = true;
	}
	memcpy(link->in + BFCP_HEADER_BYTES + header->fragment_at, bytes + skip,
	       header->fragment_len);
	const unsigned end = (header->fragment_at + header->fragment_len) / 4u;
	for (unsigned unit = header->fragment_at / 4u; unit < end; unit++)
		link->units[unit / 32] |= UINT32_C(1) << unit % 32;
	for (unsigned unit = 0; unit < header->payload_len / 4u; unit++)
		if ((link->units[unit / 32] & UINT32_C(1) << unit % 32) == 0)
			return;
	link->gathering = false;
	link->in_len = (uint16_t)(BFCP_HEADER_BYTES + header->payload_len);
}

static void
input_datagram(struct bfcp_link *link, const uint8_t *bytes, size_t len)
{
	struct bfcp_header header;
	const enum bfcp_reject why = bfcp_header_parse(&header, bytes, len);
	link->in_len = 0;
	link->taken = 0;
	if (why == BFCP_OK && header.fragment) {
		gather(link, &header, bytes, len);
		return;
	}
	link->gathering = false;
	if (len > BFCP_MSG_BYTES_MAX) {
		reject(link, BFCP_REJECT_LONG);
		return;
	}
	memcpy(link->in, bytes, len);
	link->in_len = (uint16_t)len;
}

/* What was taken makes room. */
static void
discard(struct bfcp_link *link)
{
	CHECK(link->taken <= link->in_len);
	link->in_len = (uint16_t)(link->in_len - link->taken);
	memmove(link->in, link->in + link->taken, link->in_len);
	link->taken = 0;
}

size_t
bfcp_link_input(struct bfcp_link *link, const uint8_t *bytes, size_t len, int64_t now_us)
{
	advance(link, now_us);
	if (link->failed || len == 0)
		return len;
	if (is_udp(link)) {
		input_datagram(link, bytes, len);
		return len;
	}
	discard(link);
	const size_t room = sizeof link->in - link->in_len;
	const size_t count = len < room ? len : room;
	memcpy(link->in + link->in_len, bytes, count);
	link->in_len = (uint16_t)(link->in_len + count);
	return count;
}

/* The length of the message at the front of `in`; 0: none, or not all of it. */
static size_t
next_message(struct bfcp_link *link)
{
	if (link->gathering || link->failed)
		return 0;
	if (is_udp(link))
		return link->in_len;
	struct bfcp_header header;
	const enum bfcp_reject why = bfcp_header_parse(&header, link->in, link->in_len);
	if (why == BFCP_REJECT_SHORT)
		return 0;
	if (why != BFCP_OK || header.fragment) {
		/* Where the next message begins cannot be known (s6.1). */
		reject(link, why != BFCP_OK ? why : BFCP_REJECT_FRAGMENT);
		link->failed = true;
		return 0;
	}
	const size_t len = (size_t)BFCP_HEADER_BYTES + header.payload_len;
	return len <= link->in_len ? len : 0;
}

/* ---- Bytes out ----------------------------------------------------------------------------- */

static void
fill(struct bfcp_link *link, struct bfcp_link_slot *slot, struct bfcp_msg *msg)
{
	struct writer w = writer_of(slot->bytes, sizeof slot->bytes);
	msg->header.version = link->version;
	msg->header.primitive = primitive_out(link, msg->header.primitive);
	bfcp_msg_write(&w, msg);
	CHECK(!w.failed);
	slot->len = (uint16_t)w.at;
	slot->transaction_id = msg->header.transaction_id;
	slot->sent = 0;
	slot->due = true;
}

void
bfcp_link_answer(struct bfcp_link *link, const struct bfcp_header *request, struct bfcp_msg *msg)
{
	if (link->failed)
		return;
	/* There is one answer to a message, and before the next is taken it is sent. */
	unsigned at = link->next_answer;
	while (link->answers[at].len != 0 && link->answers[at].due) {
		at = (at + 1) % BFCP_LINK_ANSWERS_MAX;
		CHECK(at != link->next_answer);
	}
	struct bfcp_link_slot *slot = &link->answers[at];
	link->next_answer = (uint8_t)((at + 1) % BFCP_LINK_ANSWERS_MAX);
	msg->header.responder = is_udp(link);
	msg->header.conference_id = request->conference_id;
	msg->header.transaction_id = request->transaction_id;
	msg->header.user_id = request->user_id;
	fill(link, slot, msg);
	slot->primitive = request->primitive;
	slot->at_us = link->now_us + BFCP_LINK_T2_US;
}

static void
answer_error(struct bfcp_link *link, const struct bfcp_header *request, enum bfcp_error error,
             struct str details)
{
	struct bfcp_msg msg = { .header.primitive = BFCP_ERROR,
		                .error = (uint8_t)error,
		                .error_details = details };
	bfcp_link_answer(link, request, &msg);
}

void
bfcp_link_error(struct bfcp_link *link, const struct bfcp_header *request, enum bfcp_error error)
{
	answer_error(link, request, error, (struct str){ 0 });
}

static uint16_t
next_transaction(struct bfcp_link *link)
{
	if (link->transaction_id == 0) /* would say that no answer is wanted */
		link->transaction_id = 1;
	return link->transaction_id++;
}

/* `answered`: the peer has to answer, and we to wait. */
static void
queue(struct bfcp_link *link, struct bfcp_msg *msg, bool answered)
{
	const uint8_t primitive = msg->header.primitive;
	if (link->failed)
		return;
	if (primitive == BFCP_GOODBYE)
		link->request_count = 0;
	unsigned at = 0;
	while (at < link->request_count &&
	       (link->requests[at].sent != 0 || link->requests[at].primitive != primitive))
		at++;
	CHECK(at < BFCP_LINK_REQUESTS_MAX); /* one of each kind, and the one that is sent */
	if (at == link->request_count)
		link->request_count++;
	msg->header.responder = false;
	msg->header.conference_id = link->settings.conference_id;
	msg->header.user_id = link->settings.user_id;
	msg->header.transaction_id = answered ? next_transaction(link) : 0;
	fill(link, &link->requests[at], msg);
	link->requests[at].primitive = primitive;
	link->requests[at].at_us = link->now_us;
}

void
bfcp_link_request(struct bfcp_link *link, struct bfcp_msg *msg)
{
	queue(link, msg, true);
}

void
bfcp_link_notify(struct bfcp_link *link, struct bfcp_msg *msg)
{
	queue(link, msg, is_udp(link));
}

static void
drop_first_request(struct bfcp_link *link)
{
	CHECK(link->request_count != 0);
	link->request_count--;
	memmove(link->requests, link->requests + 1,
	        link->request_count * sizeof link->requests[0]);
}

size_t
bfcp_link_poll(struct bfcp_link *link, const uint8_t **bytes)
{
	if (link->failed)
		return 0;
	for (unsigned i = 0; i < BFCP_LINK_ANSWERS_MAX; i++) {
		struct bfcp_link_slot *slot = &link->answers[i];
		if (slot->len == 0 || !slot->due)
			continue;
		slot->due = false;
		*bytes = slot->bytes;
		return slot->len;
	}
	/* A notification that nobody answers has been sent: the next may follow. */
	while (link->request_count != 0 && link->requests[0].sent != 0 &&
	       link->requests[0].transaction_id == 0)
		drop_first_request(link);
	struct bfcp_link_slot *slot = &link->requests[0];
	if (link->request_count == 0 || !slot->due)
		return 0;
	slot->due = false;
	slot->at_us = link->now_us + (is_udp(link) ? (int64_t)BFCP_LINK_T1_US << slot->sent
	                                           : (int64_t)BFCP_LINK_T2_US);
	slot->sent++;
	*bytes = slot->bytes;
	return slot->len;
}

/* ---- Messages ------------------------------------------------------------------------------ */

static bool
is_ack(uint8_t primitive)
{
	switch (primitive) {
	case BFCP_CHAIR_ACTION_ACK:
	case BFCP_HELLO_ACK:
	case BFCP_FLOOR_REQUEST_STATUS_ACK:
	case BFCP_FLOOR_STATUS_ACK: /* which is the drafts' ErrorAck, too */
	case BFCP_GOODBYE_ACK:
		return true;
	default:
		return false;
	}
}

/* What a server says of its own accord, and in answer to a request. */
static bool
is_status(uint8_t primitive)
{
	return primitive == BFCP_FLOOR_REQUEST_STATUS || primitive == BFCP_USER_STATUS ||
	       primitive == BFCP_FLOOR_STATUS || primitive == BFCP_ERROR;
}

/* The request of ours that this answers, or NULL. */
static struct bfcp_link_slot *
answered(struct bfcp_link *link, const struct bfcp_header *header)
{
	struct bfcp_link_slot *slot = &link->requests[0];
	if (link->request_count == 0 || slot->sent == 0 || header->transaction_id == 0 ||
	    slot->transaction_id != header->transaction_id)
		return NULL;
	/* Over UDP a notification of the peer may have the very number of our request. */
	if (is_status(header->primitive))
		return header->responder || !is_udp(link) ? slot : NULL;
	return is_ack(header->primitive) ? slot : NULL;
}

/* A request that was answered already is answered again as it was (s8.3.2). */
static bool
is_repeated(struct bfcp_link *link, const struct bfcp_header *header)
{
	for (unsigned i = 0; i < BFCP_LINK_ANSWERS_MAX && is_udp(link); i++) {
		struct bfcp_link_slot *slot = &link->answers[i];
		if (slot->len == 0 || slot->at_us <= link->now_us ||
		    slot->transaction_id != header->transaction_id ||
		    slot->primitive != header->primitive)
			continue;
		slot->due = true;
		return true;
	}
	return false;
}

/* A request that could not be read gets its Error (s13.8), when there is somebody to tell. */
static void
answer_fault(struct bfcp_link *link, const struct bfcp_msg *msg, enum bfcp_reject why)
{
	const struct bfcp_header *header = &msg->header;
	if (header->version == 0 || header->responder || header->transaction_id == 0 ||
	    is_ack(header->primitive) || is_status(header->primitive))
		return;
	switch (why) {
	case BFCP_REJECT_VERSION:
		bfcp_link_error(link, header, BFCP_ERROR_VERSION);
		break;
	case BFCP_REJECT_MANDATORY:
		answer_error(link, header, BFCP_ERROR_UNKNOWN_MANDATORY,
		             (struct str){ (const char *)msg->unknown, msg->unknown_count });
		break;
	case BFCP_REJECT_LENGTH:
		bfcp_link_error(link, header, BFCP_ERROR_LENGTH);
		break;
	case BFCP_REJECT_LONG:
	case BFCP_REJECT_ATTRIBUTE:
	case BFCP_REJECT_MISSING:
	case BFCP_REJECT_TOO_MANY:
		bfcp_link_error(link, header, BFCP_ERROR_PARSE);
		break;
	case BFCP_OK:
	case BFCP_REJECT_SHORT:
	case BFCP_REJECT_FRAGMENT:
	case BFCP_REJECT_COUNT:
		break;
	}
}

/* Is this message for the caller? */
static bool
consider(struct bfcp_link *link, struct bfcp_msg *msg, uint8_t *answers)
{
	struct bfcp_header *header = &msg->header;
	const struct bfcp_link_settings *ours = &link->settings;
	header->primitive = primitive_in(link, header);
	struct bfcp_link_slot *slot = answered(link, header);
	*answers = 0;
	if (slot != NULL) {
		*answers = slot->primitive;
		drop_first_request(link);
		return true;
	}
	if (header->responder || is_ack(header->primitive))
		return false; /* late, or of nobody's asking */
	if (is_repeated(link, header))
		return false;
	if (header->conference_id != ours->conference_id || header->user_id != ours->user_id) {
		if (!is_status(header->primitive))
			bfcp_link_error(link, header,
			                header->conference_id != ours->conference_id
			                        ? BFCP_ERROR_NO_CONFERENCE
			                        : BFCP_ERROR_NO_USER);
		return false;
	}
	return true;
}

static bool
answer_due(const struct bfcp_link *link)
{
	for (unsigned i = 0; i < BFCP_LINK_ANSWERS_MAX; i++)
		if (link->answers[i].len != 0 && link->answers[i].due)
			return true;
	return false;
}

bool
bfcp_link_take(struct bfcp_link *link, struct bfcp_msg *out, uint8_t *answers)
{
	for (;;) {
		discard(link);
		const size_t len = next_message(link);
		if (len == 0 || answer_due(link))
			return false;
		link->taken = (uint16_t)len;
		const enum bfcp_reject why = bfcp_msg_parse(out, link->in, len);
		if (why != BFCP_OK) {
			reject(link, why);
			answer_fault(link, out, why);
			continue;
		}
		follow_version(link, out->header.version);
		if (consider(link, out, answers))
			return true;
	}
}

/* ---- Time ---------------------------------------------------------------------------------- */

void
bfcp_link_tick(struct bfcp_link *link, int64_t now_us)
{
	advance(link, now_us);
	if (link->failed || link->request_count == 0)
		return;
	struct bfcp_link_slot *slot = &link->requests[0];
	if (slot->sent == 0 || slot->due || slot->transaction_id == 0 || now_us < slot->at_us)
		return;
	if (is_udp(link) && slot->sent < BFCP_LINK_TRIES_MAX)
		slot->due = true;
	else
		link->failed = true;
}

int64_t
bfcp_link_deadline(const struct bfcp_link *link)
{
	const struct bfcp_link_slot *slot = &link->requests[0];
	const bool waits = !link->failed && link->request_count != 0 && slot->sent != 0 &&
	                   slot->transaction_id != 0;
	return waits ? slot->at_us : INT64_MAX;
}

bool
bfcp_link_failed(const struct bfcp_link *link)
{
	return link->failed;
}

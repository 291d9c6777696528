/* SPDX-License-Identifier: Apache-2.0 */
#include "bfcp/bfcp_msg.h"

#include "base/check.h"

static_assert((BFCP_MSG_BYTES_MAX - BFCP_HEADER_BYTES) % 4 == 0, "messages are whole units");

enum {
	VERSION_SHIFT = 5,
	BIT_RESPONDER = 0x10,
	BIT_FRAGMENT = 0x08,
	BIT_MANDATORY = 0x01,
	TYPE_BYTES = 2, /* type, M bit and length of an attribute */
	PRIORITY_SHIFT = 5,
	GROUP_BYTES_MAX = 255,
};

/* ---- Reading ------------------------------------------------------------------------------- */

enum bfcp_reject
bfcp_header_parse(struct bfcp_header *out, const uint8_t *bytes, size_t len)
{
	struct reader r = reader_of(bytes, len);
	struct bfcp_header header = { 0 };
	const uint8_t first = reader_u8(&r);
	header.version = (uint8_t)(first >> VERSION_SHIFT);
	header.responder = (first & BIT_RESPONDER) != 0;
	header.fragment = (first & BIT_FRAGMENT) != 0;
	header.primitive = reader_u8(&r);
	header.payload_len = reader_u16(&r);
	header.conference_id = reader_u32(&r);
	header.transaction_id = reader_u16(&r);
	header.user_id = reader_u16(&r);
	if (r.failed) {
		*out = (struct bfcp_header){ 0 };
		return BFCP_REJECT_SHORT;
	}
	/* On the wire these count units of four bytes (s5.1). */
	if (header.payload_len > (BFCP_MSG_BYTES_MAX - BFCP_HEADER_BYTES) / 4) {
		header.payload_len = 0;
		*out = header;
		return BFCP_REJECT_LONG;
	}
	header.payload_len = (uint16_t)(header.payload_len * 4);
	*out = header;
	if (header.version != 1 && header.version != 2)
		return BFCP_REJECT_VERSION;
	if (!header.fragment)
		return BFCP_OK;

	const unsigned at = reader_u16(&r) * 4u;
	const unsigned count = reader_u16(&r) * 4u;
	if (r.failed)
		return BFCP_REJECT_SHORT;
	if (count == 0 || at + count > header.payload_len)
		return BFCP_REJECT_FRAGMENT;
	out->fragment_at = (uint16_t)at;
	out->fragment_len = (uint16_t)count;
	return BFCP_OK;
}

/* One attribute with its value. */
struct attribute {
	uint8_t type;
	bool mandatory;
	struct reader value;
};

/* The next attribute of `r`; false at the end, and when it does not fit: then `r` has failed.  The
 * last one of a group may come without its padding: some products leave it out of the length. */
static bool
next_attribute(struct reader *r, struct attribute *out)
{
	if (r->failed || reader_left(r) == 0)
		return false;
	const uint8_t type = reader_u8(r);
	const uint8_t len = reader_u8(r);
	if (len < TYPE_BYTES)
		r->failed = true;
	const size_t value_len = len - (size_t)TYPE_BYTES;
	const uint8_t *value = reader_take(r, value_len);
	if (r->failed)
		return false;
	const size_t padding = -(size_t)len & 3;
	reader_skip(r, padding <= reader_left(r) ? padding : reader_left(r));
	*out = (struct attribute){ .type = (uint8_t)(type >> 1),
		                   .mandatory = (type & BIT_MANDATORY) != 0,
		                   .value = reader_of(value, value_len) };
	return true;
}

static struct str
text_of(const struct attribute *attribute)
{
	return (struct str){ .at = (const char *)attribute->value.bytes,
		             .len = attribute->value.len };
}

/* Whoever does not know a mandatory attribute must not act on the message (s5.2). */
static void
note_unknown(struct bfcp_msg *msg, const struct attribute *attribute)
{
	const bool known = attribute->type != 0 && attribute->type < BFCP_ATTRIBUTE_COUNT;
	if (!known && attribute->mandatory && msg->unknown_count < BFCP_UNKNOWN_MAX)
		msg->unknown[msg->unknown_count++] = (uint8_t)(attribute->type << 1);
}

static bool
read_user(struct bfcp_msg *msg, struct reader *r, struct bfcp_user *out)
{
	struct attribute attribute;
	*out = (struct bfcp_user){ .present = true, .id = reader_u16(r) };
	while (next_attribute(r, &attribute)) {
		note_unknown(msg, &attribute);
		if (attribute.type == BFCP_USER_DISPLAY_NAME)
			out->name = text_of(&attribute);
		else if (attribute.type == BFCP_USER_URI)
			out->uri = text_of(&attribute);
	}
	return !r->failed;
}

static bool
read_status(struct bfcp_msg *msg, struct reader *r, struct bfcp_request_status *out)
{
	struct attribute attribute;
	*out = (struct bfcp_request_status){ .present = true, .id = reader_u16(r) };
	while (next_attribute(r, &attribute)) {
		note_unknown(msg, &attribute);
		if (attribute.type == BFCP_REQUEST_STATUS) {
			out->status = reader_u8(&attribute.value);
			out->queue_position = reader_u8(&attribute.value);
			r->failed |= attribute.value.failed;
		} else if (attribute.type == BFCP_STATUS_INFO) {
			out->info = text_of(&attribute);
		}
	}
	return !r->failed;
}

static uint8_t
read_priority(struct reader *value)
{
	return (uint8_t)(reader_u16(value) >> (PRIORITY_SHIFT + 8));
}

static enum bfcp_reject
read_request(struct bfcp_msg *msg, struct reader *r, struct bfcp_request *out)
{
	struct attribute attribute;
	*out = (struct bfcp_request){ .id = reader_u16(r) };
	while (next_attribute(r, &attribute)) {
		struct reader *value = &attribute.value;
		note_unknown(msg, &attribute);
		switch (attribute.type) {
		case BFCP_OVERALL_REQUEST_STATUS:
			r->failed |= !read_status(msg, value, &out->overall);
			break;
		case BFCP_FLOOR_REQUEST_STATUS_GROUP:
			if (out->floor_count == BFCP_FLOORS_MAX)
				return BFCP_REJECT_TOO_MANY;
			r->failed |= !read_status(msg, value, &out->floors[out->floor_count++]);
			break;
		case BFCP_BENEFICIARY_INFORMATION:
			r->failed |= !read_user(msg, value, &out->beneficiary);
			break;
		case BFCP_REQUESTED_BY_INFORMATION:
			r->failed |= !read_user(msg, value, &out->requested_by);
			break;
		case BFCP_PRIORITY:
			out->has_priority = true;
			out->priority = read_priority(value);
			r->failed |= value->failed;
			break;
		case BFCP_PARTICIPANT_PROVIDED_INFO:
			out->info = text_of(&attribute);
			break;
		default:
			break;
		}
	}
	return r->failed ? BFCP_REJECT_ATTRIBUTE : BFCP_OK;
}

/* An attribute of the message itself, not of a group. */
static enum bfcp_reject
read_attribute(struct bfcp_msg *msg, struct attribute *attribute)
{
	struct reader *value = &attribute->value;
	switch (attribute->type) {
	case BFCP_FLOOR_ID:
		if (msg->floor_count == BFCP_FLOORS_MAX)
			return BFCP_REJECT_TOO_MANY;
		msg->floors[msg->floor_count++] = reader_u16(value);
		break;
	case BFCP_BENEFICIARY_ID:
		msg->has_beneficiary_id = true;
		msg->beneficiary_id = reader_u16(value);
		break;
	case BFCP_FLOOR_REQUEST_ID:
		msg->has_request_id = true;
		msg->request_id = reader_u16(value);
		break;
	case BFCP_PRIORITY:
		msg->has_priority = true;
		msg->priority = read_priority(value);
		break;
	case BFCP_PARTICIPANT_PROVIDED_INFO:
		msg->info = text_of(attribute);
		break;
	case BFCP_BENEFICIARY_INFORMATION:
		(void)read_user(msg, value, &msg->beneficiary);
		break;
	case BFCP_FLOOR_REQUEST_INFORMATION:
		if (msg->request_count == BFCP_REQUESTS_MAX)
			return BFCP_REJECT_TOO_MANY;
		return read_request(msg, value, &msg->requests[msg->request_count++]);
	case BFCP_ERROR_CODE:
		msg->error = reader_u8(value);
		if (!value->failed)
			msg->error_details = str_sub(text_of(attribute), 1, value->len - 1);
		break;
	case BFCP_ERROR_INFO:
		msg->error_info = text_of(attribute);
		break;
	case BFCP_SUPPORTED_PRIMITIVES:
		msg->primitives = text_of(attribute);
		break;
	case BFCP_SUPPORTED_ATTRIBUTES:
		msg->attributes = text_of(attribute);
		break;
	default:
		break;
	}
	return value->failed ? BFCP_REJECT_ATTRIBUTE : BFCP_OK;
}

/* What the grammar of section 5.3 demands and nobody could do without. */
static bool
is_complete(const struct bfcp_msg *msg)
{
	switch (msg->header.primitive) {
	case BFCP_FLOOR_REQUEST:
		return msg->floor_count != 0;
	case BFCP_FLOOR_RELEASE:
	case BFCP_FLOOR_REQUEST_QUERY:
		return msg->has_request_id;
	case BFCP_FLOOR_REQUEST_STATUS:
	case BFCP_CHAIR_ACTION:
		return msg->request_count != 0;
	case BFCP_ERROR:
		return msg->error != 0;
	default:
		return true;
	}
}

enum bfcp_reject
bfcp_msg_parse(struct bfcp_msg *out, const uint8_t *bytes, size_t len)
{
	CHECK(bytes != NULL || len == 0);
	memset(out, 0, sizeof *out);
	if (len > BFCP_MSG_BYTES_MAX) {
		(void)bfcp_header_parse(&out->header, bytes, len);
		return BFCP_REJECT_LONG;
	}
	const enum bfcp_reject reject = bfcp_header_parse(&out->header, bytes, len);
	if (out->header.version != 0 && out->header.fragment)
		return reject == BFCP_REJECT_VERSION ? reject : BFCP_REJECT_FRAGMENT;
	if (reject != BFCP_OK)
		return reject;
	if (out->header.payload_len != len - BFCP_HEADER_BYTES)
		return BFCP_REJECT_LENGTH;

	struct reader r = reader_of(bytes + BFCP_HEADER_BYTES, len - BFCP_HEADER_BYTES);
	struct attribute attribute;
	while (next_attribute(&r, &attribute)) {
		note_unknown(out, &attribute);
		const enum bfcp_reject fault = read_attribute(out, &attribute);
		if (fault != BFCP_OK)
			return fault;
	}
	if (r.failed)
		return BFCP_REJECT_ATTRIBUTE;
	if (out->unknown_count != 0)
		return BFCP_REJECT_MANDATORY;
	return is_complete(out) ? BFCP_OK : BFCP_REJECT_MISSING;
}

uint8_t
bfcp_request_status_of(const struct bfcp_request *request)
{
	if (request->overall.present && request->overall.status != 0)
		return request->overall.status;
	return request->floor_count != 0 ? request->floors[0].status : 0;
}

/* ---- Writing ------------------------------------------------------------------------------- */

static void
write_type(struct writer *w, enum bfcp_attribute type, size_t len)
{
	/* Texts and lists help people and are no part of what is agreed: they may be ignored. */
	const bool mandatory =
		type != BFCP_PRIORITY && type != BFCP_ERROR_INFO &&
		type != BFCP_PARTICIPANT_PROVIDED_INFO && type != BFCP_STATUS_INFO &&
		type != BFCP_USER_DISPLAY_NAME && type != BFCP_USER_URI &&
		type != BFCP_SUPPORTED_ATTRIBUTES && type != BFCP_SUPPORTED_PRIMITIVES;
	if (len > GROUP_BYTES_MAX)
		w->failed = true;
	writer_u8(w, (uint8_t)((unsigned)type << 1 | (mandatory ? BIT_MANDATORY : 0)));
	writer_u8(w, (uint8_t)len);
}

static void
write_number(struct writer *w, enum bfcp_attribute type, uint16_t value)
{
	write_type(w, type, TYPE_BYTES + sizeof value);
	writer_u16(w, value);
}

static void
write_padding(struct writer *w, size_t len)
{
	static const uint8_t zeros[4];
	writer_bytes(w, zeros, -len & 3);
}

static void
write_text(struct writer *w, enum bfcp_attribute type, struct str text)
{
	if (text.len == 0)
		return;
	write_type(w, type, TYPE_BYTES + text.len);
	writer_str(w, text);
	write_padding(w, TYPE_BYTES + text.len);
}

/* A group's length is known at its end; returns where it began. */
static size_t
begin_group(struct writer *w, enum bfcp_attribute type, uint16_t id)
{
	const size_t at = w->at;
	write_number(w, type, id);
	return at;
}

static void
end_group(struct writer *w, size_t at)
{
	const size_t len = w->at - at;
	if (len > GROUP_BYTES_MAX)
		w->failed = true;
	if (!w->failed)
		w->bytes[at + 1] = (uint8_t)len;
}

static void
write_user(struct writer *w, enum bfcp_attribute type, const struct bfcp_user *user)
{
	if (!user->present)
		return;
	const size_t at = begin_group(w, type, user->id);
	write_text(w, BFCP_USER_DISPLAY_NAME, user->name);
	write_text(w, BFCP_USER_URI, user->uri);
	end_group(w, at);
}

static void
write_status(struct writer *w, enum bfcp_attribute type, const struct bfcp_request_status *status)
{
	if (!status->present)
		return;
	const size_t at = begin_group(w, type, status->id);
	if (status->status != 0)
		write_number(w, BFCP_REQUEST_STATUS,
		             (uint16_t)(status->status << 8 | status->queue_position));
	write_text(w, BFCP_STATUS_INFO, status->info);
	end_group(w, at);
}

static void
write_priority(struct writer *w, bool present, uint8_t priority)
{
	if (present)
		write_number(w, BFCP_PRIORITY, (uint16_t)(priority << (PRIORITY_SHIFT + 8)));
}

static void
write_request(struct writer *w, const struct bfcp_request *request)
{
	const size_t at = begin_group(w, BFCP_FLOOR_REQUEST_INFORMATION, request->id);
	CHECK(request->floor_count <= BFCP_FLOORS_MAX);
	write_status(w, BFCP_OVERALL_REQUEST_STATUS, &request->overall);
	for (unsigned i = 0; i < request->floor_count; i++)
		write_status(w, BFCP_FLOOR_REQUEST_STATUS_GROUP, &request->floors[i]);
	write_user(w, BFCP_BENEFICIARY_INFORMATION, &request->beneficiary);
	write_user(w, BFCP_REQUESTED_BY_INFORMATION, &request->requested_by);
	write_priority(w, request->has_priority, request->priority);
	write_text(w, BFCP_PARTICIPANT_PROVIDED_INFO, request->info);
	end_group(w, at);
}

static void
write_error(struct writer *w, const struct bfcp_msg *msg)
{
	const size_t len = TYPE_BYTES + 1 + msg->error_details.len;
	write_type(w, BFCP_ERROR_CODE, len);
	writer_u8(w, msg->error);
	writer_str(w, msg->error_details);
	write_padding(w, len);
}

void
bfcp_msg_write(struct writer *w, const struct bfcp_msg *msg)
{
	const struct bfcp_header *header = &msg->header;
	const size_t start = w->at;
	CHECK(header->version == 1 || header->version == 2);
	CHECK(msg->floor_count <= BFCP_FLOORS_MAX && msg->request_count <= BFCP_REQUESTS_MAX);

	writer_u8(w, (uint8_t)(header->version << VERSION_SHIFT |
	                       (header->responder ? BIT_RESPONDER : 0)));
	writer_u8(w, header->primitive);
	writer_u16(w, 0); /* the length, below */
	writer_u32(w, header->conference_id);
	writer_u16(w, header->transaction_id);
	writer_u16(w, header->user_id);

	for (unsigned i = 0; i < msg->floor_count; i++)
		write_number(w, BFCP_FLOOR_ID, msg->floors[i]);
	if (msg->has_request_id)
		write_number(w, BFCP_FLOOR_REQUEST_ID, msg->request_id);
	if (msg->has_beneficiary_id)
		write_number(w, BFCP_BENEFICIARY_ID, msg->beneficiary_id);
	write_text(w, BFCP_PARTICIPANT_PROVIDED_INFO, msg->info);
	write_priority(w, msg->has_priority, msg->priority);
	write_user(w, BFCP_BENEFICIARY_INFORMATION, &msg->beneficiary);
	for (unsigned i = 0; i < msg->request_count; i++)
		write_request(w, &msg->requests[i]);
	if (msg->error != 0)
		write_error(w, msg);
	write_text(w, BFCP_ERROR_INFO, msg->error_info);
	write_text(w, BFCP_SUPPORTED_PRIMITIVES, msg->primitives);
	write_text(w, BFCP_SUPPORTED_ATTRIBUTES, msg->attributes);
	if (w->failed)
		return;

	const size_t units = (w->at - start - BFCP_HEADER_BYTES) / 4;
	CHECK((w->at - start) % 4 == 0);
	if (units > UINT16_MAX) {
		w->failed = true;
		return;
	}
	w->bytes[start + 2] = (uint8_t)(units >> 8);
	w->bytes[start + 3] = (uint8_t)units;
}

/* ---- Names --------------------------------------------------------------------------------- */

const char *
bfcp_reject_name(enum bfcp_reject reject)
{
	static const char *const names[BFCP_REJECT_COUNT] = {
		[BFCP_OK] = "ok",
		[BFCP_REJECT_SHORT] = "short",
		[BFCP_REJECT_LONG] = "long",
		[BFCP_REJECT_VERSION] = "version",
		[BFCP_REJECT_FRAGMENT] = "fragment",
		[BFCP_REJECT_LENGTH] = "length",
		[BFCP_REJECT_ATTRIBUTE] = "attribute",
		[BFCP_REJECT_MANDATORY] = "mandatory",
		[BFCP_REJECT_MISSING] = "missing",
		[BFCP_REJECT_TOO_MANY] = "too_many",
	};
	CHECK(reject < BFCP_REJECT_COUNT);
	return names[reject];
}

const char *
bfcp_primitive_name(unsigned primitive)
{
	static const char *const names[BFCP_PRIMITIVE_COUNT] = {
		[BFCP_FLOOR_REQUEST] = "FloorRequest",
		[BFCP_FLOOR_RELEASE] = "FloorRelease",
		[BFCP_FLOOR_REQUEST_QUERY] = "FloorRequestQuery",
		[BFCP_FLOOR_REQUEST_STATUS] = "FloorRequestStatus",
		[BFCP_USER_QUERY] = "UserQuery",
		[BFCP_USER_STATUS] = "UserStatus",
		[BFCP_FLOOR_QUERY] = "FloorQuery",
		[BFCP_FLOOR_STATUS] = "FloorStatus",
		[BFCP_CHAIR_ACTION] = "ChairAction",
		[BFCP_CHAIR_ACTION_ACK] = "ChairActionAck",
		[BFCP_HELLO] = "Hello",
		[BFCP_HELLO_ACK] = "HelloAck",
		[BFCP_ERROR] = "Error",
		[BFCP_FLOOR_REQUEST_STATUS_ACK] = "FloorRequestStatusAck",
		[BFCP_FLOOR_STATUS_ACK] = "FloorStatusAck",
		[BFCP_GOODBYE] = "Goodbye",
		[BFCP_GOODBYE_ACK] = "GoodbyeAck",
	};
	const char *name = primitive < BFCP_PRIMITIVE_COUNT ? names[primitive] : NULL;
	return name != NULL ? name : "unknown";
}

const char *
bfcp_status_name(unsigned status)
{
	static const char *const names[BFCP_STATUS_COUNT] = {
		[0] = "none",
		[BFCP_PENDING] = "Pending",
		[BFCP_ACCEPTED] = "Accepted",
		[BFCP_GRANTED] = "Granted",
		[BFCP_DENIED] = "Denied",
		[BFCP_CANCELLED] = "Cancelled",
		[BFCP_RELEASED] = "Released",
		[BFCP_REVOKED] = "Revoked",
	};
	return status < BFCP_STATUS_COUNT ? names[status] : "unknown";
}

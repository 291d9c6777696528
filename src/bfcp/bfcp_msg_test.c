/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: messages are read and written byte for byte as RFC 8855 section 5 has them, and every rule
 * broken has its name.  The same property is what bfcp_msg_fuzz.c asks of random bytes. */
#include "bfcp/bfcp_msg.h"

#include "base/test.h"
#include "bfcp/bfcp_property.h"

/* Conference 0x01020304, transaction 5, user 7. */
#define HEADER(first, primitive, units) \
	(first), (primitive), 0x00, (units), 1, 2, 3, 4, 0, 5, 0, 7

static const uint8_t floor_request[] = {
	HEADER(0x40, BFCP_FLOOR_REQUEST, 6),
	0x05, 4,  0, 2,                   /* FLOOR-ID 2 */
	0x03, 4,  0, 7,                   /* BENEFICIARY-ID 7 */
	0x10, 9,  's', 'l', 'i', 'd', 'e', 's', '!', 0, 0, 0, /* PARTICIPANT-PROVIDED-INFO */
	0x08, 4,  0x40, 0,                /* PRIORITY 2 */
};

/* As our server answers, with everything in it. */
static const uint8_t floor_status[] = {
	HEADER(0x50, BFCP_FLOOR_STATUS, 18),
	0x05, 4,  0, 2,                   /* FLOOR-ID 2 */
	0x1F, 68, 0, 9,                   /* FLOOR-REQUEST-INFORMATION of request 9 */
	0x25, 12, 0, 9,                   /* OVERALL-REQUEST-STATUS */
	0x0B, 4,  3, 0,                   /* Granted */
	0x12, 4,  'o', 'k',               /* STATUS-INFO */
	0x23, 8,  0, 2,                   /* FLOOR-REQUEST-STATUS of floor 2 */
	0x0B, 4,  1, 3,                   /* Pending, third */
	0x1D, 20, 0, 7,                   /* BENEFICIARY-INFORMATION */
	0x18, 5,  'A', 'n', 'n', 0, 0, 0, /* USER-DISPLAY-NAME */
	0x1A, 8,  's', 'i', 'p', ':', 'a', '@', /* USER-URI */
	0x21, 16, 0, 8,                   /* REQUESTED-BY-INFORMATION */
	0x18, 11, 'B', 'e', 'n', ' ', 'C', 'h', 'o', '.', '.', 0, /* and a name */
	0x08, 4,  0x80, 0,                /* PRIORITY 4 */
	0x10, 3,  'x', 0,                 /* PARTICIPANT-PROVIDED-INFO */
};

static const uint8_t error[] = {
	HEADER(0x50, BFCP_ERROR, 3),
	0x0D, 5,  4, 0x7E, 0x80, 0, 0, 0, /* ERROR-CODE 4: types 63 and 64 are unknown */
	0x0E, 3,  '?', 0,                 /* ERROR-INFO */
};

static const uint8_t hello_ack[] = {
	HEADER(0x20, BFCP_HELLO_ACK, 4),
	0x16, 5,  1, 2, 11, 0, 0, 0,      /* SUPPORTED-PRIMITIVES */
	0x14, 5,  2, 4, 6, 0, 0, 0,       /* SUPPORTED-ATTRIBUTES */
};

static const uint8_t floor_release[] = {
	HEADER(0x20, BFCP_FLOOR_RELEASE, 1),
	0x07, 4,  0, 9,                   /* FLOOR-REQUEST-ID 9 */
};

static const uint8_t user_status[] = {
	HEADER(0x50, BFCP_USER_STATUS, 1),
	0x1D, 4,  0, 7,                   /* BENEFICIARY-INFORMATION */
};

static const uint8_t hello[] = { HEADER(0x40, BFCP_HELLO, 0) };

static const struct {
	const uint8_t *bytes;
	size_t len;
} vectors[] = {
	{ floor_request, sizeof floor_request }, { floor_status, sizeof floor_status },
	{ error, sizeof error },                 { hello_ack, sizeof hello_ack },
	{ floor_release, sizeof floor_release }, { user_status, sizeof user_status },
	{ hello, sizeof hello },
};

static struct bfcp_msg
parsed(const uint8_t *bytes, size_t len)
{
	struct bfcp_msg msg;
	EXPECT_EQ(bfcp_msg_parse(&msg, bytes, len), BFCP_OK);
	EXPECT_EQ(msg.header.conference_id, 0x01020304);
	EXPECT_EQ(msg.header.transaction_id, 5);
	EXPECT_EQ(msg.header.user_id, 7);
	return msg;
}

TEST(a_floor_request_is_read)
{
	const struct bfcp_msg msg = parsed(floor_request, sizeof floor_request);
	EXPECT_EQ(msg.header.version, 2);
	EXPECT(!msg.header.responder);
	EXPECT_EQ(msg.header.primitive, BFCP_FLOOR_REQUEST);
	EXPECT_EQ(msg.floor_count, 1);
	EXPECT_EQ(msg.floors[0], 2);
	EXPECT(msg.has_beneficiary_id);
	EXPECT_EQ(msg.beneficiary_id, 7);
	EXPECT_STR(msg.info, "slides!");
	EXPECT(msg.has_priority);
	EXPECT_EQ(msg.priority, 2);
}

TEST(a_floor_status_is_read_with_all_its_groups)
{
	const struct bfcp_msg msg = parsed(floor_status, sizeof floor_status);
	EXPECT(msg.header.responder);
	EXPECT_EQ(msg.request_count, 1);
	const struct bfcp_request *request = &msg.requests[0];
	EXPECT_EQ(request->id, 9);
	EXPECT_EQ(bfcp_request_status_of(request), BFCP_GRANTED);
	EXPECT_STR(request->overall.info, "ok");
	EXPECT_EQ(request->floor_count, 1);
	EXPECT_EQ(request->floors[0].id, 2);
	EXPECT_EQ(request->floors[0].status, BFCP_PENDING);
	EXPECT_EQ(request->floors[0].queue_position, 3);
	EXPECT_EQ(request->beneficiary.id, 7);
	EXPECT_STR(request->beneficiary.name, "Ann");
	EXPECT_STR(request->beneficiary.uri, "sip:a@");
	EXPECT_EQ(request->requested_by.id, 8);
	EXPECT_STR(request->requested_by.name, "Ben Cho..");
	EXPECT_EQ(request->priority, 4);
	EXPECT_STR(request->info, "x");
}

TEST(errors_and_lists_are_read)
{
	struct bfcp_msg msg = parsed(error, sizeof error);
	EXPECT_EQ(msg.error, BFCP_ERROR_UNKNOWN_MANDATORY);
	EXPECT_EQ(msg.error_details.len, 2);
	EXPECT_STR(msg.error_info, "?");
	msg = parsed(hello_ack, sizeof hello_ack);
	EXPECT_EQ(msg.header.version, 1);
	EXPECT_STR(msg.primitives, "\1\2\13");
	EXPECT_STR(msg.attributes, "\2\4\6");
	msg = parsed(floor_release, sizeof floor_release);
	EXPECT_EQ(msg.request_id, 9);
	msg = parsed(user_status, sizeof user_status);
	EXPECT(msg.beneficiary.present);
}

TEST(what_was_read_is_written_as_it_stood)
{
	for (unsigned i = 0; i < COUNT_OF(vectors); i++) {
		uint8_t bytes[BFCP_MSG_BYTES_MAX];
		const struct bfcp_msg msg = parsed(vectors[i].bytes, vectors[i].len);
		struct writer w = writer_of(bytes, sizeof bytes);
		bfcp_msg_write(&w, &msg);
		EXPECT(!w.failed);
		EXPECT_EQ(w.at, vectors[i].len);
		EXPECT(memcmp(bytes, vectors[i].bytes, w.at) == 0);
	}
}

TEST(a_text_or_a_group_that_does_not_fit_its_length_is_not_written)
{
	static char text[300];
	uint8_t bytes[BFCP_MSG_BYTES_MAX];
	struct bfcp_msg msg = { .header = { .version = 2, .primitive = BFCP_FLOOR_REQUEST } };
	memset(text, 'a', sizeof text);
	msg.info = (struct str){ text, BFCP_TEXT_BYTES_MAX };
	struct writer w = writer_of(bytes, sizeof bytes);
	bfcp_msg_write(&w, &msg);
	EXPECT(!w.failed);
	msg.info.len++;
	w = writer_of(bytes, sizeof bytes);
	bfcp_msg_write(&w, &msg);
	EXPECT(w.failed);
	msg = (struct bfcp_msg){ .header = { .version = 2 }, .request_count = 1 };
	msg.requests[0].info = (struct str){ text, BFCP_TEXT_BYTES_MAX };
	w = writer_of(bytes, sizeof bytes);
	bfcp_msg_write(&w, &msg);
	EXPECT(w.failed);
	w = writer_of(bytes, 11);
	msg.request_count = 0;
	bfcp_msg_write(&w, &msg);
	EXPECT(w.failed);
}

TEST(each_rule_has_its_reject)
{
	static const struct {
		enum bfcp_reject want;
		size_t len;
		uint8_t bytes[32];
	} cases[] = {
		{ BFCP_REJECT_SHORT, 0, { 0 } },
		{ BFCP_REJECT_SHORT, 11, { HEADER(0x40, BFCP_HELLO, 0) } },
		{ BFCP_REJECT_LONG, 12, { 0x40, BFCP_HELLO, 0x02, 0x00 } },
		{ BFCP_REJECT_VERSION, 12, { HEADER(0x60, BFCP_HELLO, 0) } },
		{ BFCP_REJECT_VERSION, 16, { HEADER(0x08, BFCP_HELLO, 0) } },
		{ BFCP_REJECT_FRAGMENT, 20, { HEADER(0x48, BFCP_HELLO, 1), 0, 0, 0, 1 } },
		{ BFCP_REJECT_LENGTH, 12, { HEADER(0x40, BFCP_HELLO, 1) } },
		{ BFCP_REJECT_LENGTH, 16, { HEADER(0x40, BFCP_HELLO, 0) } },
		{ BFCP_REJECT_ATTRIBUTE, 16, { HEADER(0x40, BFCP_HELLO, 1), 0x05, 5, 0, 2 } },
		{ BFCP_REJECT_ATTRIBUTE, 16, { HEADER(0x40, BFCP_HELLO, 1), 0x05, 1, 0, 2 } },
		{ BFCP_REJECT_ATTRIBUTE, 16, { HEADER(0x40, BFCP_HELLO, 1), 0x05, 3, 0, 2 } },
		{ BFCP_REJECT_ATTRIBUTE, 16, { HEADER(0x40, BFCP_HELLO, 1), 0x0D, 2, 0, 0 } },
		{ BFCP_REJECT_ATTRIBUTE, 16, { HEADER(0x40, BFCP_HELLO, 1), 0x1D, 3, 0, 0 } },
		{ BFCP_REJECT_ATTRIBUTE, 20,
		  { HEADER(0x40, BFCP_FLOOR_STATUS, 2), 0x1F, 8, 0, 9, 0x25, 5, 0, 9 } },
		{ BFCP_REJECT_ATTRIBUTE, 24,
		  { HEADER(0x40, BFCP_FLOOR_STATUS, 3), 0x1F, 12, 0, 9, 0x25, 8, 0, 9, 0x0B, 3,
		    1 } },
		{ BFCP_REJECT_MANDATORY, 16, { HEADER(0x40, BFCP_HELLO, 1), 0x7F, 4, 0, 2 } },
		{ BFCP_OK, 16, { HEADER(0x40, BFCP_HELLO, 1), 0x7E, 4, 0, 2 } },
		{ BFCP_REJECT_MISSING, 12, { HEADER(0x40, BFCP_FLOOR_REQUEST, 0) } },
		{ BFCP_REJECT_MISSING, 12, { HEADER(0x40, BFCP_FLOOR_RELEASE, 0) } },
		{ BFCP_REJECT_MISSING, 12, { HEADER(0x40, BFCP_FLOOR_REQUEST_QUERY, 0) } },
		{ BFCP_REJECT_MISSING, 12, { HEADER(0x40, BFCP_FLOOR_REQUEST_STATUS, 0) } },
		{ BFCP_REJECT_MISSING, 12, { HEADER(0x40, BFCP_CHAIR_ACTION, 0) } },
		{ BFCP_REJECT_MISSING, 12, { HEADER(0x40, BFCP_ERROR, 0) } },
	};
	struct bfcp_msg msg;
	for (unsigned i = 0; i < COUNT_OF(cases); i++) {
		EXPECT_EQ(bfcp_msg_parse(&msg, cases[i].bytes, cases[i].len), cases[i].want);
		bfcp_property(cases[i].bytes, cases[i].len);
		if (cases[i].want == BFCP_REJECT_MANDATORY) {
			EXPECT_EQ(msg.unknown_count, 1);
			EXPECT_EQ(msg.unknown[0], 0x7E);
		}
	}
	for (unsigned i = 0; i < BFCP_REJECT_COUNT; i++)
		EXPECT(bfcp_reject_name((enum bfcp_reject)i)[0] != '\0');
}

TEST(more_than_we_hold_is_refused_whole)
{
	static uint8_t bytes[BFCP_MSG_BYTES_MAX + 4];
	struct bfcp_msg msg;
	static const struct {
		uint8_t attribute[4];
		unsigned count_max;
	} cases[] = {
		{ { 0x05, 4, 0, 2 }, BFCP_FLOORS_MAX },
		{ { 0x1F, 4, 0, 9 }, BFCP_REQUESTS_MAX },
	};
	for (unsigned i = 0; i < COUNT_OF(cases); i++) {
		for (unsigned more = 0; more < 2; more++) {
			const unsigned count = cases[i].count_max + more;
			const uint8_t header[] = { HEADER(0x40, BFCP_FLOOR_STATUS,
			                                  (uint8_t)count) };
			memcpy(bytes, header, sizeof header);
			for (unsigned at = 0; at < count; at++)
				memcpy(bytes + sizeof header + at * 4, cases[i].attribute, 4);
			EXPECT_EQ(bfcp_msg_parse(&msg, bytes, sizeof header + count * 4),
			          more == 0 ? BFCP_OK : BFCP_REJECT_TOO_MANY);
		}
	}
	/* Floors of one request. */
	enum { MORE = BFCP_FLOORS_MAX + 1 };
	const uint8_t header[] = { HEADER(0x40, BFCP_FLOOR_STATUS, 1 + MORE), 0x1F, 4 + 4 * MORE,
		                   0, 9 };
	memcpy(bytes, header, sizeof header);
	for (unsigned at = 0; at < MORE; at++)
		memcpy(bytes + sizeof header + at * 4, "\x23\4\0\2", 4);
	EXPECT_EQ(bfcp_msg_parse(&msg, bytes, sizeof header + 4 * MORE), BFCP_REJECT_TOO_MANY);

	memset(bytes, 0, sizeof bytes);
	bytes[0] = 0x40;
	EXPECT_EQ(bfcp_msg_parse(&msg, bytes, sizeof bytes), BFCP_REJECT_LONG);
}

TEST(every_prefix_is_refused_and_every_flip_survived)
{
	for (unsigned i = 0; i < COUNT_OF(vectors); i++) {
		struct bfcp_msg msg;
		uint8_t bytes[128];
		for (size_t len = 0; len < vectors[i].len; len++)
			EXPECT(bfcp_msg_parse(&msg, vectors[i].bytes, len) != BFCP_OK);
		EXPECT(vectors[i].len <= sizeof bytes);
		for (size_t at = 0; at < vectors[i].len; at++) {
			for (unsigned value = 0; value < 256; value++) {
				memcpy(bytes, vectors[i].bytes, vectors[i].len);
				bytes[at] = (uint8_t)value;
				bfcp_property(bytes, vectors[i].len);
			}
		}
	}
}

TEST(names_are_those_of_the_rfc)
{
	EXPECT_STR(str_of(bfcp_primitive_name(BFCP_FLOOR_REQUEST_STATUS_ACK)),
	           "FloorRequestStatusAck");
	EXPECT_STR(str_of(bfcp_primitive_name(0)), "unknown");
	EXPECT_STR(str_of(bfcp_primitive_name(200)), "unknown");
	EXPECT_STR(str_of(bfcp_status_name(BFCP_REVOKED)), "Revoked");
	EXPECT_STR(str_of(bfcp_status_name(200)), "unknown");
}

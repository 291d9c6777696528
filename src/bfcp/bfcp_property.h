/* SPDX-License-Identifier: Apache-2.0 */
/* bfcp_property -- what holds for any bytes, for the unit tests and the fuzz targets alike. */
#ifndef BFCP_BFCP_PROPERTY_H
#define BFCP_BFCP_PROPERTY_H

#include "base/check.h"
#include "bfcp/bfcp_msg.h"

static inline void
bfcp_property_within(struct str text, const uint8_t *bytes, size_t len)
{
	CHECK(text.len == 0 || ((const uint8_t *)text.at >= bytes + BFCP_HEADER_BYTES &&
	                        (const uint8_t *)text.at + text.len <= bytes + len));
}

/* What was accepted lies inside the bytes that were given, and is the same again when it was
 * written and read. */
static inline void
bfcp_property(const uint8_t *bytes, size_t len)
{
	static struct bfcp_msg msg;
	static uint8_t once[2 * BFCP_MSG_BYTES_MAX];
	static uint8_t twice[2 * BFCP_MSG_BYTES_MAX];
	const enum bfcp_reject reject = bfcp_msg_parse(&msg, bytes, len);
	CHECK((reject == BFCP_REJECT_SHORT) == (len < BFCP_HEADER_BYTES));
	if (reject == BFCP_REJECT_MANDATORY)
		CHECK(msg.unknown_count != 0 && msg.unknown_count <= BFCP_UNKNOWN_MAX);
	if (reject != BFCP_OK)
		return;
	CHECK(msg.header.payload_len + (size_t)BFCP_HEADER_BYTES == len);
	CHECK(msg.floor_count <= BFCP_FLOORS_MAX && msg.request_count <= BFCP_REQUESTS_MAX);
	bfcp_property_within(msg.info, bytes, len);
	bfcp_property_within(msg.error_details, bytes, len);
	bfcp_property_within(msg.primitives, bytes, len);
	for (unsigned i = 0; i < msg.request_count; i++) {
		CHECK(msg.requests[i].floor_count <= BFCP_FLOORS_MAX);
		bfcp_property_within(msg.requests[i].info, bytes, len);
		bfcp_property_within(msg.requests[i].beneficiary.name, bytes, len);
		(void)bfcp_status_name(bfcp_request_status_of(&msg.requests[i]));
	}
	(void)bfcp_primitive_name(msg.header.primitive);

	/* A group that came without its last padding can be too long with it: then there is
	 * nothing to compare. */
	struct writer w = writer_of(once, sizeof once);
	bfcp_msg_write(&w, &msg);
	if (w.failed || w.at > BFCP_MSG_BYTES_MAX)
		return;
	struct writer again = writer_of(twice, sizeof twice);
	CHECK(bfcp_msg_parse(&msg, once, w.at) == BFCP_OK);
	bfcp_msg_write(&again, &msg);
	CHECK(!again.failed && again.at == w.at && memcmp(once, twice, w.at) == 0);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "fecc/h224.h"

#include "base/check.h"

/* Q.922 and H.224 section 7. */
enum {
	ADDRESS_LOW = 0x0061,  /* DLCI 6 */
	ADDRESS_HIGH = 0x0071, /* DLCI 7, for what people wait for */
	CONTROL_UI = 0x03,
	CLIENT_CME = 0,
	CLIENT_FECC = 1,
	CLIENT_EXTENDED = 0x7E,     /* one octet more */
	CLIENT_NON_STANDARD = 0x7F, /* country, manufacturer and number: five more */
	CLIENT_MASK = 0x7F,
	SEGMENT_ONLY = 0xC0, /* ends and begins here */
	SEGMENT_MASK = 0xCF, /* without C1 and C0 */
};

/* H.224 section 8. */
enum {
	CME_CLIENT_LIST = 1,
	CME_EXTRA_CAPABILITIES = 2,
	CME_MESSAGE = 0x00,
	CME_COMMAND = 0xFF,
	EX_CAPS = 0x80,
};

/* H.281. */
enum {
	FECC_START = 1,
	FECC_CONTINUE = 2,
	FECC_STOP = 3,
	FECC_SELECT_SOURCE = 4,
	FECC_SOURCE_SWITCHED = 5,
	FECC_STORE_PRESET = 6,
	FECC_ACTIVATE_PRESET = 7,
	SOURCE_NAMED = 6, /* from here on sources have names in the capabilities */
	SOURCE_MOTION = 0x04,
	NIBBLE = 0x0F,
	TIMEOUT_UNIT_MS = 50,
	TIMEOUT_LONGEST_MS = 800, /* told as 0 */
};

/* ---- Reading ------------------------------------------------------------------------------- */

/* A client's id, which may be longer than an octet; only the first says which client. */
static uint8_t
read_client(struct reader *r)
{
	const uint8_t client = reader_u8(r);
	if ((client & CLIENT_MASK) == CLIENT_EXTENDED)
		reader_skip(r, 1);
	else if ((client & CLIENT_MASK) == CLIENT_NON_STANDARD)
		reader_skip(r, 5);
	return client;
}

static enum h224_reject
read_client_list(struct h224_frame *frame, struct reader *r)
{
	frame->kind = H224_CLIENT_LIST;
	for (unsigned count = reader_u8(r); count != 0 && !r->failed; count--) {
		const uint8_t client = read_client(r);
		if ((client & CLIENT_MASK) != CLIENT_FECC || r->failed)
			continue;
		frame->camera = true;
		frame->capabilities_follow = (client & EX_CAPS) != 0;
	}
	return r->failed ? H224_REJECT_LIST : H224_OK;
}

static enum h224_reject
read_capabilities(struct h224_frame *frame, struct reader *r)
{
	if ((read_client(r) & CLIENT_MASK) != CLIENT_FECC)
		return r->failed ? H224_REJECT_SHORT : H224_OK;
	frame->presets = reader_u8(r) & NIBBLE;
	if (r->failed)
		return H224_REJECT_SHORT;
	frame->kind = H224_CAPABILITIES;
	while (reader_left(r) != 0 && frame->source_count < H224_SOURCES_MAX) {
		const uint8_t first = reader_u8(r);
		const uint8_t source = (uint8_t)(first >> 4);
		if (source >= SOURCE_NAMED)
			while (reader_u8(r) != '\0' && !r->failed) {
				/* The name ends with a zero. */
			}
		const uint8_t can = reader_u8(r);
		if (r->failed)
			return H224_REJECT_SOURCES;
		frame->sources[frame->source_count].source = source;
		frame->sources[frame->source_count].can = can & (uint8_t)~NIBBLE;
		frame->sources[frame->source_count].motion = (first & SOURCE_MOTION) != 0;
		frame->source_count++;
	}
	return H224_OK;
}

static enum h224_reject
read_cme(struct h224_frame *frame, struct reader *r)
{
	const uint8_t code = reader_u8(r);
	const uint8_t response = reader_u8(r);
	if (r->failed)
		return H224_REJECT_SHORT;
	if (code == CME_CLIENT_LIST && response == CME_MESSAGE)
		return read_client_list(frame, r);
	if (code == CME_CLIENT_LIST && response == CME_COMMAND)
		frame->kind = H224_CLIENT_LIST_COMMAND;
	if (code == CME_EXTRA_CAPABILITIES && response == CME_MESSAGE)
		return read_capabilities(frame, r);
	/* Some devices leave out whose capabilities they want. */
	if (code == CME_EXTRA_CAPABILITIES && response == CME_COMMAND &&
	    (reader_left(r) == 0 || (read_client(r) & CLIENT_MASK) == CLIENT_FECC))
		frame->kind = H224_CAPABILITIES_COMMAND;
	return H224_OK;
}

static enum h224_reject
read_fecc(struct h224_frame *frame, struct reader *r)
{
	static const enum h224_kind kinds[] = {
		[FECC_START] = H281_START,
		[FECC_CONTINUE] = H281_CONTINUE,
		[FECC_STOP] = H281_STOP,
		[FECC_SELECT_SOURCE] = H281_SELECT_SOURCE,
		[FECC_SOURCE_SWITCHED] = H281_SOURCE_SWITCHED,
		[FECC_STORE_PRESET] = H281_STORE_PRESET,
		[FECC_ACTIVATE_PRESET] = H281_ACTIVATE_PRESET,
	};
	const uint8_t code = reader_u8(r);
	const uint8_t value = reader_u8(r);
	if (r->failed)
		return H224_REJECT_SHORT;
	if (code < COUNT_OF(kinds))
		frame->kind = kinds[code];
	switch (code) {
	case FECC_START: {
		const unsigned units = reader_u8(r) & NIBBLE;
		if (r->failed)
			return H224_REJECT_SHORT;
		frame->action = value;
		frame->timeout_ms = (uint16_t)(units != 0 ? units * TIMEOUT_UNIT_MS
		                                          : TIMEOUT_LONGEST_MS);
		break;
	}
	case FECC_CONTINUE:
	case FECC_STOP:
		frame->action = value;
		break;
	case FECC_SELECT_SOURCE:
	case FECC_SOURCE_SWITCHED:
		frame->source = (uint8_t)(value >> 4);
		frame->mode = value & 3;
		break;
	case FECC_STORE_PRESET:
	case FECC_ACTIVATE_PRESET:
		frame->preset = (uint8_t)(value >> 4);
		break;
	default:
		break;
	}
	return H224_OK;
}

enum h224_reject
h224_parse(struct h224_frame *out, const uint8_t *bytes, size_t len)
{
	struct reader r = reader_of(bytes, len);
	struct h224_frame frame = { .kind = H224_OTHER };
	CHECK(bytes != NULL || len == 0);
	const uint16_t address = reader_u16(&r);
	const uint8_t control = reader_u8(&r);
	reader_skip(&r, 4); /* terminals: on a leg there are two, whatever they call themselves */
	const uint8_t client = read_client(&r);
	const uint8_t segment = reader_u8(&r);
	if (r.failed)
		return H224_REJECT_SHORT;
	if (len > H224_PAYLOAD_BYTES_MAX)
		return H224_REJECT_LONG;
	if (address != ADDRESS_LOW && address != ADDRESS_HIGH)
		return H224_REJECT_ADDRESS;
	if (control != CONTROL_UI)
		return H224_REJECT_CONTROL;

	enum h224_reject reject = H224_OK;
	const uint8_t which = client & CLIENT_MASK;
	if (which == CLIENT_CME || which == CLIENT_FECC) {
		if ((segment & SEGMENT_MASK) != SEGMENT_ONLY)
			return H224_REJECT_SEGMENT;
		reject = which == CLIENT_CME ? read_cme(&frame, &r) : read_fecc(&frame, &r);
	}
	if (reject == H224_OK)
		*out = frame;
	return reject;
}

int
h281_direction(uint8_t action, enum h281_axis axis)
{
	/* Two bits for each axis: moves, and towards right, up or in. */
	CHECK(axis < H281_AXES);
	const unsigned bits = (unsigned)action >> 2 * (unsigned)axis & 3;
	if ((bits & 2) == 0)
		return 0;
	return (bits & 1) != 0 ? 1 : -1;
}

/* ---- Writing ------------------------------------------------------------------------------- */

static void
write_header(struct writer *w, uint8_t client)
{
	writer_u16(w, ADDRESS_HIGH);
	writer_u8(w, CONTROL_UI);
	writer_u32(w, 0); /* from anybody to everybody */
	writer_u8(w, client);
	writer_u8(w, SEGMENT_ONLY);
}

static void
write_cme(struct writer *w, uint8_t code, uint8_t response)
{
	write_header(w, CLIENT_CME);
	writer_u8(w, code);
	writer_u8(w, response);
}

static void
write_fecc(struct writer *w, uint8_t code, uint8_t value)
{
	write_header(w, CLIENT_FECC);
	writer_u8(w, code);
	writer_u8(w, value);
}

static void
write_capabilities(struct writer *w, const struct h224_frame *frame)
{
	write_cme(w, CME_EXTRA_CAPABILITIES, CME_MESSAGE);
	writer_u8(w, EX_CAPS | CLIENT_FECC);
	writer_u8(w, frame->presets & NIBBLE);
	CHECK(frame->source_count <= H224_SOURCES_MAX);
	for (unsigned i = 0; i < frame->source_count; i++) {
		const unsigned source = frame->sources[i].source;
		const unsigned motion = frame->sources[i].motion ? SOURCE_MOTION : 0;
		writer_u8(w, (uint8_t)(source << 4 | motion));
		if (source >= SOURCE_NAMED)
			writer_u8(w, '\0');
		writer_u8(w, frame->sources[i].can & (uint8_t)~NIBBLE);
	}
}

static uint8_t
timeout_units(unsigned timeout_ms)
{
	if (timeout_ms >= TIMEOUT_LONGEST_MS)
		return 0;
	return timeout_ms < TIMEOUT_UNIT_MS ? 1 : (uint8_t)(timeout_ms / TIMEOUT_UNIT_MS);
}

void
h224_write(struct writer *w, const struct h224_frame *frame)
{
	switch (frame->kind) {
	case H224_CLIENT_LIST:
		write_cme(w, CME_CLIENT_LIST, CME_MESSAGE);
		writer_u8(w, frame->camera ? 1 : 0);
		if (frame->camera)
			writer_u8(w, (uint8_t)(CLIENT_FECC |
			                       (frame->capabilities_follow ? EX_CAPS : 0)));
		break;
	case H224_CLIENT_LIST_COMMAND:
		write_cme(w, CME_CLIENT_LIST, CME_COMMAND);
		break;
	case H224_CAPABILITIES:
		write_capabilities(w, frame);
		break;
	case H224_CAPABILITIES_COMMAND:
		write_cme(w, CME_EXTRA_CAPABILITIES, CME_COMMAND);
		writer_u8(w, CLIENT_FECC);
		break;
	case H281_START:
		write_fecc(w, FECC_START, frame->action);
		writer_u8(w, timeout_units(frame->timeout_ms));
		break;
	case H281_CONTINUE:
		write_fecc(w, FECC_CONTINUE, frame->action);
		break;
	case H281_STOP:
		write_fecc(w, FECC_STOP, frame->action);
		break;
	case H281_SELECT_SOURCE:
		write_fecc(w, FECC_SELECT_SOURCE, (uint8_t)(frame->source << 4 | frame->mode));
		break;
	case H281_SOURCE_SWITCHED:
		write_fecc(w, FECC_SOURCE_SWITCHED, (uint8_t)(frame->source << 4 | frame->mode));
		break;
	case H281_STORE_PRESET:
		write_fecc(w, FECC_STORE_PRESET, (uint8_t)(frame->preset << 4));
		break;
	case H281_ACTIVATE_PRESET:
		write_fecc(w, FECC_ACTIVATE_PRESET, (uint8_t)(frame->preset << 4));
		break;
	case H224_OTHER:
		CHECK(frame->kind != H224_OTHER);
		break;
	}
}

const char *
h224_reject_name(enum h224_reject reject)
{
	static const char *const names[H224_REJECT_COUNT] = {
		[H224_OK] = "ok",
		[H224_REJECT_SHORT] = "short",
		[H224_REJECT_LONG] = "long",
		[H224_REJECT_ADDRESS] = "address",
		[H224_REJECT_CONTROL] = "control",
		[H224_REJECT_SEGMENT] = "segment",
		[H224_REJECT_LIST] = "list",
		[H224_REJECT_SOURCES] = "sources",
	};
	CHECK(reject < H224_REJECT_COUNT);
	return names[reject];
}

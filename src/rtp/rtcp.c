/* SPDX-License-Identifier: Apache-2.0 */
#include "rtp/rtcp.h"

#include "base/check.h"

enum {
	VERSION = 2,
	SENDER_INFO_BYTES = 20,
	SDES_CNAME = 1,
};

/* ---- Reading ---- */

/* One SDES chunk: an SSRC, items, and zeros up to the next word (RFC 3550 s6.5).  Reads the CNAME
 * into `*cname` if it meets one. */
static uint32_t
read_chunk(struct reader *r, struct str *cname)
{
	const uint32_t ssrc = reader_u32(r);
	for (uint8_t type = reader_u8(r); type != 0; type = reader_u8(r)) {
		const uint8_t len = reader_u8(r);
		const uint8_t *text = reader_take(r, len);
		if (text != NULL && type == SDES_CNAME)
			*cname = (struct str){ .at = (const char *)text, .len = len };
	}
	while (!r->failed && r->at % 4 != 0)
		reader_skip(r, 1);
	return ssrc;
}

/* What the count field promises is there. */
static bool
counts_fit(const struct rtcp_packet *packet)
{
	struct reader r = reader_of(packet->body, packet->body_len);
	struct str ignored = { 0 };
	switch (packet->type) {
	case RTCP_SR:
		reader_skip(&r, 4 + SENDER_INFO_BYTES + (size_t)packet->count * RTCP_BLOCK_BYTES);
		break;
	case RTCP_RR:
		reader_skip(&r, 4 + (size_t)packet->count * RTCP_BLOCK_BYTES);
		break;
	case RTCP_SDES:
		for (unsigned i = 0; i < packet->count && !r.failed; i++)
			(void)read_chunk(&r, &ignored);
		break;
	case RTCP_BYE:
		reader_skip(&r, 4 * (size_t)packet->count);
		if (!r.failed && reader_left(&r) != 0)
			reader_skip(&r, reader_u8(&r));
		break;
	default:
		break; /* others' to read */
	}
	return !r.failed;
}

/* One packet at the reader's place. */
static enum rtcp_reject
read_packet(struct reader *r, struct rtcp_packet *out)
{
	const uint8_t flags = reader_u8(r);
	const uint8_t type = reader_u8(r);
	const size_t body_len = 4 * (size_t)reader_u16(r);
	const uint8_t *body = reader_take(r, body_len);
	if (body == NULL)
		return RTCP_REJECT_SHORT;
	if (flags >> 6 != VERSION || type < 192 || type > 223)
		return RTCP_REJECT_VERSION;

	size_t padding = 0;
	if ((flags & 0x20) != 0) {
		padding = body_len != 0 ? body[body_len - 1] : 0;
		if (padding == 0 || padding > body_len || reader_left(r) != 0)
			return RTCP_REJECT_PADDING;
	}
	*out = (struct rtcp_packet){
		.type = type,
		.count = flags & 0x1f,
		.body = body,
		.body_len = (uint16_t)(body_len - padding),
	};
	struct reader first = reader_of(out->body, out->body_len);
	out->ssrc = reader_u32(&first);
	return counts_fit(out) ? RTCP_OK : RTCP_REJECT_COUNTS;
}

enum rtcp_reject
rtcp_parse(const uint8_t *bytes, size_t len, bool reduced)
{
	struct reader r = reader_of(bytes, len);
	unsigned count = 0;
	if (len > RTP_PACKET_BYTES_MAX)
		return RTCP_REJECT_SHORT;
	do {
		struct rtcp_packet packet;
		const enum rtcp_reject reject = read_packet(&r, &packet);
		if (reject != RTCP_OK)
			return reject;
		if (count == 0 && !reduced && packet.type != RTCP_SR && packet.type != RTCP_RR)
			return RTCP_REJECT_FIRST;
		if (++count > RTCP_PACKETS_MAX)
			return RTCP_REJECT_TOO_MANY;
	} while (reader_left(&r) != 0);
	return RTCP_OK;
}

const char *
rtcp_reject_name(enum rtcp_reject reject)
{
	static const char *const names[] = {
		[RTCP_OK] = "ok",
		[RTCP_REJECT_SHORT] = "short",
		[RTCP_REJECT_VERSION] = "version",
		[RTCP_REJECT_PADDING] = "padding",
		[RTCP_REJECT_COUNTS] = "counts",
		[RTCP_REJECT_FIRST] = "first",
		[RTCP_REJECT_TOO_MANY] = "too-many",
	};
	static_assert(COUNT_OF(names) == RTCP_REJECT_COUNT, "a name for each");
	CHECK(reject < RTCP_REJECT_COUNT);
	return names[reject];
}

bool
rtcp_next(const uint8_t *bytes, size_t len, size_t *at, struct rtcp_packet *out)
{
	struct reader r = reader_of(bytes, len);
	reader_skip(&r, *at);
	if (r.failed || reader_left(&r) == 0)
		return false;
	const enum rtcp_reject reject = read_packet(&r, out);
	CHECK(reject == RTCP_OK); /* rtcp_parse() took these bytes */
	*at = r.at;
	return true;
}

struct rtcp_sender_info
rtcp_sender_info(const struct rtcp_packet *packet)
{
	CHECK(packet->type == RTCP_SR);
	struct reader r = reader_of(packet->body, packet->body_len);
	reader_skip(&r, 4);
	struct rtcp_sender_info info = { .ntp = reader_u64(&r) };
	info.timestamp_rtp = reader_u32(&r);
	info.packets = reader_u32(&r);
	info.bytes = reader_u32(&r);
	CHECK(!r.failed);
	return info;
}

struct rtcp_block
rtcp_block(const struct rtcp_packet *packet, unsigned at)
{
	CHECK(packet->type == RTCP_SR || packet->type == RTCP_RR);
	CHECK(at < packet->count);
	struct reader r = reader_of(packet->body, packet->body_len);
	reader_skip(&r, 4 + (packet->type == RTCP_SR ? SENDER_INFO_BYTES : 0));
	reader_skip(&r, (size_t)at * RTCP_BLOCK_BYTES);

	struct rtcp_block block = { .ssrc = reader_u32(&r) };
	const uint32_t losses = reader_u32(&r);
	block.fraction_lost = (uint8_t)(losses >> 24);
	block.lost = (int32_t)(losses << 8) >> 8; /* 24 bits, signed */
	block.highest_seq = reader_u32(&r);
	block.jitter_rtp = reader_u32(&r);
	block.last_sr = reader_u32(&r);
	block.since_last_sr = reader_u32(&r);
	CHECK(!r.failed);
	return block;
}

struct str
rtcp_cname(const struct rtcp_packet *packet, uint32_t ssrc)
{
	CHECK(packet->type == RTCP_SDES);
	struct reader r = reader_of(packet->body, packet->body_len);
	for (unsigned i = 0; i < packet->count; i++) {
		struct str cname = { 0 };
		if (read_chunk(&r, &cname) == ssrc)
			return cname;
	}
	return (struct str){ 0 };
}

bool
rtcp_bye_names(const struct rtcp_packet *packet, uint32_t ssrc)
{
	CHECK(packet->type == RTCP_BYE);
	struct reader r = reader_of(packet->body, packet->body_len);
	bool named = false;
	for (unsigned i = 0; i < packet->count; i++)
		named |= reader_u32(&r) == ssrc;
	return named;
}

struct str
rtcp_bye_reason(const struct rtcp_packet *packet)
{
	CHECK(packet->type == RTCP_BYE);
	struct reader r = reader_of(packet->body, packet->body_len);
	reader_skip(&r, 4 * (size_t)packet->count);
	if (reader_left(&r) == 0)
		return (struct str){ 0 };
	const uint8_t len = reader_u8(&r);
	return (struct str){ .at = (const char *)reader_take(&r, len), .len = len };
}

/* ---- Writing ---- */

/* The header of a packet whose body has `body_len` bytes. */
static void
write_header(struct writer *w, enum rtcp_type type, unsigned count, size_t body_len)
{
	CHECK(count <= RTCP_BLOCKS_MAX);
	CHECK(body_len % 4 == 0);
	writer_u8(w, (uint8_t)(VERSION << 6 | count));
	writer_u8(w, (uint8_t)type);
	writer_u16(w, (uint16_t)(body_len / 4));
}

static void
write_blocks(struct writer *w, const struct rtcp_block *blocks, unsigned count)
{
	const int32_t lost_max = (1 << 23) - 1;
	for (unsigned i = 0; i < count; i++) {
		const struct rtcp_block *block = &blocks[i];
		int32_t lost = block->lost < lost_max ? block->lost : lost_max;
		lost = lost > -lost_max ? lost : -lost_max;
		writer_u32(w, block->ssrc);
		writer_u32(w, (uint32_t)block->fraction_lost << 24 | ((uint32_t)lost & 0xffffff));
		writer_u32(w, block->highest_seq);
		writer_u32(w, block->jitter_rtp);
		writer_u32(w, block->last_sr);
		writer_u32(w, block->since_last_sr);
	}
}

void
rtcp_write_sr(struct writer *w, uint32_t ssrc, const struct rtcp_sender_info *info,
              const struct rtcp_block *blocks, unsigned count)
{
	write_header(w, RTCP_SR, count, 4 + SENDER_INFO_BYTES + (size_t)count * RTCP_BLOCK_BYTES);
	writer_u32(w, ssrc);
	writer_u64(w, info->ntp);
	writer_u32(w, info->timestamp_rtp);
	writer_u32(w, info->packets);
	writer_u32(w, info->bytes);
	write_blocks(w, blocks, count);
}

void
rtcp_write_rr(struct writer *w, uint32_t ssrc, const struct rtcp_block *blocks, unsigned count)
{
	write_header(w, RTCP_RR, count, 4 + (size_t)count * RTCP_BLOCK_BYTES);
	writer_u32(w, ssrc);
	write_blocks(w, blocks, count);
}

static void
write_zeros(struct writer *w, size_t count)
{
	for (size_t i = 0; i < count; i++)
		writer_u8(w, 0);
}

void
rtcp_write_sdes(struct writer *w, uint32_t ssrc, struct str cname)
{
	CHECK(cname.len <= RTCP_CNAME_MAX);
	/* One zero at least ends the items. */
	const size_t items = 2 + cname.len;
	const size_t zeros = 4 - items % 4;
	write_header(w, RTCP_SDES, 1, 4 + items + zeros);
	writer_u32(w, ssrc);
	writer_u8(w, SDES_CNAME);
	writer_u8(w, (uint8_t)cname.len);
	writer_str(w, cname);
	write_zeros(w, zeros);
}

void
rtcp_write_bye(struct writer *w, uint32_t ssrc, struct str reason)
{
	const size_t len = reason.len < 255 ? reason.len : 255;
	const size_t text = len != 0 ? 1 + len : 0;
	const size_t zeros = (4 - text % 4) % 4;
	write_header(w, RTCP_BYE, 1, 4 + text + zeros);
	writer_u32(w, ssrc);
	if (len != 0) {
		writer_u8(w, (uint8_t)len);
		writer_str(w, str_sub(reason, 0, len));
	}
	write_zeros(w, zeros);
}

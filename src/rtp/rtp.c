/* SPDX-License-Identifier: Apache-2.0 */
#include "rtp/rtp.h"

#include "base/check.h"

enum {
	VERSION = 2,
	EXT_HEADER_BYTES = 4,
	EXT_ONE_BYTE_STOP = 15, /* RFC 8285 s4.2: ends the extension */
};

enum rtp_kind
rtp_kind_of(const uint8_t *bytes, size_t len)
{
	if (len < 2)
		return RTP_KIND_UNKNOWN;
	if (bytes[0] <= 3)
		return RTP_KIND_STUN;
	if (bytes[0] >= 20 && bytes[0] <= 63)
		return RTP_KIND_DTLS;
	if (bytes[0] >= 64 && bytes[0] <= 79)
		return RTP_KIND_CHANNEL;
	if (bytes[0] < 128 || bytes[0] > 191)
		return RTP_KIND_UNKNOWN;
	return bytes[1] >= 192 && bytes[1] <= 223 ? RTP_KIND_RTCP : RTP_KIND_RTP;
}

/* ---- Packets ---- */

/* The extension behind the CSRCs, if the X bit is set (RFC 3550 s5.3.1). */
static bool
parse_extension(struct rtp_packet *packet, struct reader *r)
{
	packet->ext_profile = reader_u16(r);
	packet->ext_len = reader_u16(r);
	if (packet->ext_len > RTP_PACKET_BYTES_MAX / 4)
		return false;
	packet->ext_len = (uint16_t)(packet->ext_len * 4);
	packet->ext_at = (uint16_t)r->at;
	reader_skip(r, packet->ext_len);
	return !r->failed;
}

enum rtp_reject
rtp_parse(struct rtp_packet *out, const uint8_t *bytes, size_t len)
{
	struct reader r = reader_of(bytes, len);
	struct rtp_packet packet = { .bytes = bytes };

	if (len > RTP_PACKET_BYTES_MAX)
		return RTP_REJECT_LONG;
	packet.len = (uint16_t)len;
	const uint8_t flags = reader_u8(&r);
	const uint8_t type = reader_u8(&r);
	packet.seq = reader_u16(&r);
	packet.timestamp_rtp = reader_u32(&r);
	packet.ssrc = reader_u32(&r);
	packet.marker = type >> 7 != 0;
	packet.payload_type = type & 0x7f;
	packet.csrc_count = flags & 0x0f;
	reader_skip(&r, 4 * (size_t)packet.csrc_count);
	if (r.failed)
		return RTP_REJECT_SHORT;
	if (flags >> 6 != VERSION)
		return RTP_REJECT_VERSION;
	if ((flags & 0x10) != 0 && !parse_extension(&packet, &r))
		return RTP_REJECT_EXTENSION;

	const size_t body = reader_left(&r);
	size_t padding = 0;
	if ((flags & 0x20) != 0) {
		padding = body != 0 ? bytes[len - 1] : 0;
		if (padding == 0 || padding > body)
			return RTP_REJECT_PADDING;
	}
	packet.payload_at = (uint16_t)r.at;
	packet.payload_len = (uint16_t)(body - padding);
	*out = packet;
	return RTP_OK;
}

const char *
rtp_reject_name(enum rtp_reject reject)
{
	static const char *const names[] = {
		[RTP_OK] = "ok",
		[RTP_REJECT_SHORT] = "short",
		[RTP_REJECT_LONG] = "long",
		[RTP_REJECT_VERSION] = "version",
		[RTP_REJECT_EXTENSION] = "extension",
		[RTP_REJECT_PADDING] = "padding",
	};
	static_assert(COUNT_OF(names) == RTP_REJECT_COUNT, "a name for each");
	CHECK(reject < RTP_REJECT_COUNT);
	return names[reject];
}

uint32_t
rtp_csrc(const struct rtp_packet *packet, unsigned at)
{
	CHECK(at < packet->csrc_count);
	struct reader r = reader_of(packet->bytes, packet->len);
	reader_skip(&r, RTP_HEADER_BYTES + 4 * (size_t)at);
	return reader_u32(&r);
}

/* ---- Header extensions ---- */

bool
rtp_ext_next(const struct rtp_packet *packet, uint16_t *at, struct rtp_ext *out)
{
	const bool one_byte = packet->ext_profile == RTP_EXT_ONE_BYTE;
	if (!one_byte && (packet->ext_profile & 0xfff0) != RTP_EXT_TWO_BYTE)
		return false;
	struct reader r = reader_of(packet->bytes + packet->ext_at, packet->ext_len);
	reader_skip(&r, *at);

	uint8_t id = 0;
	uint8_t len = 0;
	while (id == 0) { /* zero bytes are padding, before and between elements */
		if (r.failed || reader_left(&r) == 0)
			return false;
		id = reader_u8(&r);
		if (one_byte) {
			len = (uint8_t)((id & 0x0f) + 1);
			if (id >> 4 == EXT_ONE_BYTE_STOP || (id >> 4 == 0 && id != 0))
				return false;
			id >>= 4;
		} else if (id != 0) {
			len = reader_u8(&r);
		}
	}
	const uint8_t *value = reader_take(&r, len);
	if (value == NULL)
		return false;
	*out = (struct rtp_ext){ .value = value, .id = id, .len = len };
	*at = (uint16_t)r.at;
	return true;
}

bool
rtp_ext_find(const struct rtp_packet *packet, uint8_t id, struct rtp_ext *out)
{
	uint16_t at = 0;
	struct rtp_ext ext;
	while (id != 0 && rtp_ext_next(packet, &at, &ext)) {
		if (ext.id == id) {
			*out = ext;
			return true;
		}
	}
	return false;
}

bool
rtp_audio_level(const struct rtp_packet *packet, uint8_t id, struct rtp_audio_level *out)
{
	struct rtp_ext ext;
	if (!rtp_ext_find(packet, id, &ext) || ext.len < 1)
		return false;
	out->below_full_db = ext.value[0] & 0x7f;
	out->voice = ext.value[0] >> 7 != 0;
	return true;
}

uint8_t
rtp_audio_level_byte(struct rtp_audio_level level)
{
	CHECK(level.below_full_db <= RTP_LEVEL_SILENT);
	return (uint8_t)(level.below_full_db | (level.voice ? 0x80 : 0));
}

struct str
rtp_mid(const struct rtp_packet *packet, uint8_t id)
{
	struct rtp_ext ext;
	if (!rtp_ext_find(packet, id, &ext))
		return (struct str){ 0 };
	return (struct str){ .at = (const char *)ext.value, .len = ext.len };
}

/* ---- Writing ---- */

static bool
fits_one_byte(const struct rtp_header *header)
{
	for (unsigned i = 0; i < header->ext_count; i++) {
		const struct rtp_ext *ext = &header->exts[i];
		if (ext->id > RTP_EXT_ONE_BYTE_ID_MAX || ext->len == 0 ||
		    ext->len > RTP_EXT_ONE_BYTE_LEN_MAX)
			return false;
	}
	return true;
}

static void
write_extension(struct writer *w, const struct rtp_header *header)
{
	const bool one_byte = fits_one_byte(header);
	writer_u16(w, one_byte ? RTP_EXT_ONE_BYTE : RTP_EXT_TWO_BYTE);
	uint8_t *words_at = writer_take(w, 2);
	const size_t from = w->at;
	for (unsigned i = 0; i < header->ext_count; i++) {
		const struct rtp_ext *ext = &header->exts[i];
		CHECK(ext->id != 0);
		if (one_byte) {
			writer_u8(w, (uint8_t)(ext->id << 4 | (ext->len - 1)));
		} else {
			writer_u8(w, ext->id);
			writer_u8(w, ext->len);
		}
		writer_bytes(w, ext->value, ext->len);
	}
	while (!w->failed && (w->at - from) % 4 != 0)
		writer_u8(w, 0);
	if (w->failed)
		return;
	struct writer words = writer_of(words_at, 2);
	CHECK((w->at - from) / 4 <= UINT16_MAX);
	writer_u16(&words, (uint16_t)((w->at - from) / 4));
}

void
rtp_write_header(struct writer *w, const struct rtp_header *header)
{
	CHECK(header->payload_type <= 0x7f);
	CHECK(header->csrc_count <= RTP_CSRCS_MAX);
	const unsigned extended = header->ext_count != 0 ? 0x10 : 0;
	writer_u8(w, (uint8_t)(VERSION << 6 | extended | header->csrc_count));
	writer_u8(w, (uint8_t)(header->payload_type | (header->marker ? 0x80 : 0)));
	writer_u16(w, header->seq);
	writer_u32(w, header->timestamp_rtp);
	writer_u32(w, header->ssrc);
	for (unsigned i = 0; i < header->csrc_count; i++)
		writer_u32(w, header->csrcs[i]);
	if (header->ext_count != 0)
		write_extension(w, header);
}

void
rtp_write_padding(struct writer *w, uint8_t count)
{
	CHECK(count != 0);
	uint8_t *padding = writer_take(w, count);
	if (padding == NULL)
		return;
	memset(padding, 0, count);
	padding[count - 1] = count;
	w->bytes[0] |= 0x20;
}

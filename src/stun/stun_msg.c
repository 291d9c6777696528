/* SPDX-License-Identifier: Apache-2.0 */
#include "stun/stun_msg.h"

#include <openssl/crypto.h>

#include "base/check.h"
#include "stun/stun_hmac.h"

static_assert(STUN_MSG_BYTES_MAX <= UINT16_MAX, "offsets are 16 bits");

enum {
	MAGIC_COOKIE = 0x2112A442,
	LENGTH_AT = 2,
	COOKIE_AT = 4,
	TID_AT = 8,
	ATTR_HEADER_BYTES = 4,
	FAMILY_IP4 = 1,
	FAMILY_IP6 = 2,
	SHA1_BYTES = STUN_SHA1_BYTES,
	SHA256_BYTES = STUN_SHA256_BYTES,
	SHA256_BYTES_MIN = 16, /* RFC 8489 s14.6: may be cut, in steps of four */
};

static size_t
padded(size_t len)
{
	return (len + 3) & ~(size_t)3;
}

/* Half a byte at a time: the table is one cache line, and a check has about 100 bytes. */
static uint32_t
crc32_of(const uint8_t *bytes, size_t len)
{
	static const uint32_t table[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158,
		0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4,
		0xa00ae278, 0xbdbdf21c,
	};
	uint32_t crc = 0xFFFFFFFF;
	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

/* RFC 8489 s14.7. */
static uint32_t
fingerprint_of(const uint8_t *bytes, size_t len)
{
	return crc32_of(bytes, len) ^ 0x5354554E;
}

static enum stun_reject
header_reject(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_of(bytes, len);
	const uint16_t type = reader_u16(&r);
	const uint16_t body_len = reader_u16(&r);
	const uint32_t cookie = reader_u32(&r);
	reader_skip(&r, STUN_TID_BYTES);

	if (r.failed)
		return STUN_REJECT_SHORT;
	if (len > STUN_MSG_BYTES_MAX)
		return STUN_REJECT_LONG;
	if ((type & 0xC000) != 0 || cookie != MAGIC_COOKIE)
		return STUN_REJECT_NOT_STUN;
	if (body_len % 4 != 0)
		return STUN_REJECT_ALIGN;
	if (body_len != len - STUN_HEADER_BYTES)
		return STUN_REJECT_SHORT;
	return STUN_OK;
}

bool
stun_peek(const uint8_t *bytes, size_t len)
{
	return header_reject(bytes, len) == STUN_OK;
}

struct str
stun_peek_username(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_of(bytes, len);
	reader_skip(&r, STUN_HEADER_BYTES);
	for (unsigned i = 0; i < STUN_ATTRS_MAX && reader_left(&r) != 0; i++) {
		const uint16_t type = reader_u16(&r);
		const uint16_t value_len = reader_u16(&r);
		const uint8_t *value = reader_take(&r, padded(value_len));
		if (value == NULL)
			break;
		if (type == STUN_USERNAME)
			return (struct str){ .at = (const char *)value, .len = value_len };
	}
	return (struct str){ 0 };
}

static bool
is_integrity(uint16_t type)
{
	return type == STUN_MESSAGE_INTEGRITY || type == STUN_MESSAGE_INTEGRITY_SHA256;
}

enum stun_reject
stun_msg_parse(struct stun_msg *out, const uint8_t *bytes, size_t len)
{
	CHECK(out != NULL);
	CHECK(bytes != NULL || len == 0);

	const enum stun_reject reject = header_reject(bytes, len);
	if (reject != STUN_OK)
		return reject;

	struct reader r = reader_of(bytes, len);
	struct stun_msg msg = { .bytes = bytes, .len = (uint16_t)len, .type = reader_u16(&r) };
	reader_skip(&r, STUN_HEADER_BYTES - 2);

	while (reader_left(&r) != 0) {
		if (msg.attr_count == STUN_ATTRS_MAX)
			return STUN_REJECT_TOO_MANY;
		if (msg.attr_count != 0 && msg.attrs[msg.attr_count - 1].type == STUN_FINGERPRINT)
			return STUN_REJECT_ORDER;

		struct stun_attr *attr = &msg.attrs[msg.attr_count++];
		attr->type = reader_u16(&r);
		attr->len = reader_u16(&r);
		attr->at = (uint16_t)r.at;
		reader_skip(&r, padded(attr->len));
		if (r.failed)
			return STUN_REJECT_ATTR;
		if (msg.covered == 0 && is_integrity(attr->type))
			msg.covered = msg.attr_count;
	}
	if (msg.covered == 0)
		msg.covered = msg.attr_count;

	CHECK(r.at == len);
	*out = msg;
	return STUN_OK;
}

const struct stun_attr *
stun_msg_find(const struct stun_msg *msg, uint16_t type)
{
	for (unsigned i = 0; i < msg->covered; i++)
		if (msg->attrs[i].type == type)
			return &msg->attrs[i];
	return NULL;
}

bool
stun_msg_has(const struct stun_msg *msg, uint16_t type)
{
	return stun_msg_find(msg, type) != NULL;
}

/* The value of an attribute that has exactly `len` bytes; a failed reader otherwise. */
static struct reader
value_of(const struct stun_msg *msg, uint16_t type, size_t len)
{
	const struct stun_attr *attr = stun_msg_find(msg, type);
	if (attr == NULL || attr->len != len)
		return (struct reader){ .failed = true };
	return reader_of(msg->bytes + attr->at, attr->len);
}

bool
stun_msg_u32(const struct stun_msg *msg, uint16_t type, uint32_t *out)
{
	struct reader r = value_of(msg, type, 4);
	if (r.failed)
		return false;
	*out = reader_u32(&r);
	return true;
}

bool
stun_msg_u64(const struct stun_msg *msg, uint16_t type, uint64_t *out)
{
	struct reader r = value_of(msg, type, 8);
	if (r.failed)
		return false;
	*out = reader_u64(&r);
	return true;
}

bool
stun_msg_text(const struct stun_msg *msg, uint16_t type, struct str *out)
{
	const struct stun_attr *attr = stun_msg_find(msg, type);
	if (attr == NULL)
		return false;
	*out = (struct str){ .at = (const char *)msg->bytes + attr->at, .len = attr->len };
	return true;
}

/* XOR with the cookie and the transaction id, which stand together in the header (s14.2). */
static void
xor_with_header(uint8_t *out, const uint8_t *in, const uint8_t *header, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = in[i] ^ header[COOKIE_AT + i];
}

bool
stun_msg_xor_addr(const struct stun_msg *msg, uint16_t type, struct net_addr *out)
{
	const struct stun_attr *attr = stun_msg_find(msg, type);
	if (attr == NULL)
		return false;

	struct reader r = reader_of(msg->bytes + attr->at, attr->len);
	reader_skip(&r, 1);
	const uint8_t family = reader_u8(&r);
	const uint16_t port = reader_u16(&r) ^ (uint16_t)(MAGIC_COOKIE >> 16);
	const size_t ip_len = family == FAMILY_IP4 ? 4 : family == FAMILY_IP6 ? 16 : 0;
	if (r.failed || ip_len == 0 || reader_left(&r) != ip_len)
		return false;

	*out = (struct net_addr){
		.family = family == FAMILY_IP4 ? ADDR_IP4 : ADDR_IP6,
		.port = port,
	};
	xor_with_header(out->ip, reader_take(&r, ip_len), msg->bytes, ip_len);
	return true;
}

bool
stun_msg_error(const struct stun_msg *msg, unsigned *code, struct str *reason)
{
	const struct stun_attr *attr = stun_msg_find(msg, STUN_ERROR_CODE);
	if (attr == NULL || attr->len < 4)
		return false;

	const uint8_t *value = msg->bytes + attr->at;
	const unsigned class = value[2] & 7u;
	const unsigned number = value[3];
	if (class < 3 || class > 6 || number > 99)
		return false;
	*code = class * 100 + number;
	if (reason != NULL)
		*reason = (struct str){ .at = (const char *)value + 4, .len = attr->len - 4u };
	return true;
}

static bool
is_known(uint16_t type)
{
	switch ((enum stun_attr_type)type) {
	case STUN_MAPPED_ADDRESS:
	case STUN_USERNAME:
	case STUN_MESSAGE_INTEGRITY:
	case STUN_ERROR_CODE:
	case STUN_UNKNOWN_ATTRIBUTES:
	case STUN_REALM:
	case STUN_NONCE:
	case STUN_MESSAGE_INTEGRITY_SHA256:
	case STUN_PASSWORD_ALGORITHM:
	case STUN_USERHASH:
	case STUN_XOR_MAPPED_ADDRESS:
	case STUN_PRIORITY:
	case STUN_USE_CANDIDATE:
	case STUN_SOFTWARE:
	case STUN_FINGERPRINT:
	case STUN_ICE_CONTROLLED:
	case STUN_ICE_CONTROLLING:
		return true;
	}
	return false;
}

unsigned
stun_msg_unknown(const struct stun_msg *msg, uint16_t out[STUN_UNKNOWN_MAX])
{
	unsigned count = 0;
	for (unsigned i = 0; i < msg->covered && count < STUN_UNKNOWN_MAX; i++) {
		const uint16_t type = msg->attrs[i].type;
		if (type < 0x8000 && !is_known(type)) /* RFC 8489 s14: 0x8000 up are optional */
			out[count++] = type;
	}
	return count;
}

const uint8_t *
stun_msg_tid(const struct stun_msg *msg)
{
	return msg->bytes + TID_AT;
}

bool
stun_msg_fingerprint_ok(const struct stun_msg *msg)
{
	if (msg->attr_count == 0)
		return false;
	const struct stun_attr *attr = &msg->attrs[msg->attr_count - 1];
	if (attr->type != STUN_FINGERPRINT || attr->len != 4)
		return false;
	struct reader r = reader_of(msg->bytes + attr->at, attr->len);
	return reader_u32(&r) == fingerprint_of(msg->bytes, attr->at - (size_t)ATTR_HEADER_BYTES);
}

/* HMAC over the message before an attribute whose value begins at `at` and takes `value_len`
 * bytes, with the header's length as if the message ended with that attribute (s14.5). */
static void
hmac_before(const struct stun_key *key, enum stun_integrity kind, const uint8_t *bytes, size_t at,
            size_t value_len, uint8_t *out)
{
	const size_t body_len = at + padded(value_len) - STUN_HEADER_BYTES;
	const uint8_t head[4] = { bytes[0], bytes[1], (uint8_t)(body_len >> 8), (uint8_t)body_len };
	const size_t rest_len = at - ATTR_HEADER_BYTES - sizeof head;
	if (kind == STUN_INTEGRITY_SHA1)
		stun_hmac_sha1(key, head, bytes + sizeof head, rest_len, out);
	else
		stun_hmac_sha256(key, head, bytes + sizeof head, rest_len, out);
}

enum stun_integrity
stun_msg_integrity(const struct stun_msg *msg, const struct stun_key *key)
{
	const struct stun_attr *sha1 = NULL;
	const struct stun_attr *sha256 = NULL;
	for (unsigned i = msg->attr_count; i-- > 0;) {
		if (msg->attrs[i].type == STUN_MESSAGE_INTEGRITY)
			sha1 = &msg->attrs[i];
		else if (msg->attrs[i].type == STUN_MESSAGE_INTEGRITY_SHA256)
			sha256 = &msg->attrs[i];
	}
	const struct stun_attr *attr = sha256 != NULL ? sha256 : sha1;
	if (attr == NULL)
		return STUN_INTEGRITY_ABSENT;

	const enum stun_integrity kind =
		attr == sha256 ? STUN_INTEGRITY_SHA256 : STUN_INTEGRITY_SHA1;
	const bool len_ok = attr == sha256 ? attr->len >= SHA256_BYTES_MIN &&
	                                             attr->len <= SHA256_BYTES && attr->len % 4 == 0
	                                   : attr->len == SHA1_BYTES;
	if (!len_ok)
		return STUN_INTEGRITY_WRONG;

	uint8_t want[SHA256_BYTES];
	hmac_before(key, kind, msg->bytes, attr->at, attr->len, want);
	return CRYPTO_memcmp(want, msg->bytes + attr->at, attr->len) == 0 ? kind
	                                                                  : STUN_INTEGRITY_WRONG;
}

/* Writing */

static void
set_length(struct writer *w, size_t body_len)
{
	CHECK(w->at >= STUN_HEADER_BYTES);
	w->bytes[LENGTH_AT] = (uint8_t)(body_len >> 8);
	w->bytes[LENGTH_AT + 1] = (uint8_t)body_len;
}

/* Room for a value of `len` bytes, padding zeroed and the message's length set; NULL when full. */
static uint8_t *
attr_take(struct writer *w, uint16_t type, size_t len)
{
	CHECK(w->failed || w->at >= STUN_HEADER_BYTES);
	CHECK(len <= STUN_MSG_BYTES_MAX);
	uint8_t *p = writer_take(w, ATTR_HEADER_BYTES + padded(len));
	if (p == NULL)
		return NULL;
	p[0] = (uint8_t)(type >> 8);
	p[1] = (uint8_t)type;
	p[2] = (uint8_t)(len >> 8);
	p[3] = (uint8_t)len;
	memset(p + ATTR_HEADER_BYTES + len, 0, padded(len) - len);
	set_length(w, w->at - STUN_HEADER_BYTES);
	return p + ATTR_HEADER_BYTES;
}

void
stun_write_begin(struct writer *w, uint16_t type, const uint8_t tid[STUN_TID_BYTES])
{
	CHECK(w->at == 0);
	CHECK((type & 0xC000) == 0);
	writer_u16(w, type);
	writer_u16(w, 0);
	writer_u32(w, MAGIC_COOKIE);
	writer_bytes(w, tid, STUN_TID_BYTES);
}

void
stun_write_attr(struct writer *w, uint16_t type, const void *value, size_t len)
{
	uint8_t *p = attr_take(w, type, len);
	if (p != NULL && len != 0)
		memcpy(p, value, len);
}

void
stun_write_u32(struct writer *w, uint16_t type, uint32_t value)
{
	uint8_t bytes[4];
	struct writer inner = writer_of(bytes, sizeof bytes);
	writer_u32(&inner, value);
	stun_write_attr(w, type, bytes, sizeof bytes);
}

void
stun_write_u64(struct writer *w, uint16_t type, uint64_t value)
{
	uint8_t bytes[8];
	struct writer inner = writer_of(bytes, sizeof bytes);
	writer_u64(&inner, value);
	stun_write_attr(w, type, bytes, sizeof bytes);
}

void
stun_write_xor_addr(struct writer *w, uint16_t type, const struct net_addr *addr)
{
	CHECK(addr->family == ADDR_IP4 || addr->family == ADDR_IP6);
	const bool ip4 = addr->family == ADDR_IP4;
	const size_t ip_len = ip4 ? 4 : 16;
	uint8_t *p = attr_take(w, type, 4 + ip_len);
	if (p == NULL)
		return;
	const uint16_t port = addr->port ^ (uint16_t)(MAGIC_COOKIE >> 16);
	p[0] = 0;
	p[1] = ip4 ? FAMILY_IP4 : FAMILY_IP6;
	p[2] = (uint8_t)(port >> 8);
	p[3] = (uint8_t)port;
	xor_with_header(p + 4, addr->ip, w->bytes, ip_len);
}

void
stun_write_error(struct writer *w, unsigned code, struct str reason)
{
	CHECK(code >= 300 && code <= 699);
	uint8_t *p = attr_take(w, STUN_ERROR_CODE, 4 + reason.len);
	if (p == NULL)
		return;
	p[0] = 0;
	p[1] = 0;
	p[2] = (uint8_t)(code / 100);
	p[3] = (uint8_t)(code % 100);
	if (reason.len != 0)
		memcpy(p + 4, reason.at, reason.len);
}

void
stun_write_unknown(struct writer *w, const uint16_t *types, unsigned count)
{
	uint8_t *p = attr_take(w, STUN_UNKNOWN_ATTRIBUTES, 2 * (size_t)count);
	for (unsigned i = 0; p != NULL && i < count; i++) {
		p[2 * i] = (uint8_t)(types[i] >> 8);
		p[2 * i + 1] = (uint8_t)types[i];
	}
}

void
stun_write_integrity(struct writer *w, const struct stun_key *key, enum stun_integrity kind)
{
	CHECK(kind == STUN_INTEGRITY_SHA1 || kind == STUN_INTEGRITY_SHA256);
	const bool sha1 = kind == STUN_INTEGRITY_SHA1;
	const size_t len = sha1 ? SHA1_BYTES : SHA256_BYTES;
	uint8_t *p = attr_take(w, sha1 ? STUN_MESSAGE_INTEGRITY : STUN_MESSAGE_INTEGRITY_SHA256, len);
	if (p != NULL)
		hmac_before(key, kind, w->bytes, (size_t)(p - w->bytes), len, p);
}

void
stun_write_fingerprint(struct writer *w)
{
	uint8_t *p = attr_take(w, STUN_FINGERPRINT, 4);
	if (p == NULL)
		return;
	struct writer inner = writer_of(p, 4);
	writer_u32(&inner, fingerprint_of(w->bytes, w->at - ATTR_HEADER_BYTES - 4));
}

size_t
stun_write_end(const struct writer *w)
{
	return w->failed || w->at > STUN_MSG_BYTES_MAX ? 0 : w->at;
}

const char *
stun_reject_name(enum stun_reject reject)
{
	static const char *const names[] = {
		[STUN_OK] = "ok",
		[STUN_REJECT_SHORT] = "short",
		[STUN_REJECT_LONG] = "long",
		[STUN_REJECT_NOT_STUN] = "not stun",
		[STUN_REJECT_ALIGN] = "unaligned",
		[STUN_REJECT_ATTR] = "attribute overruns",
		[STUN_REJECT_TOO_MANY] = "too many attributes",
		[STUN_REJECT_ORDER] = "attribute after fingerprint",
	};
	static_assert(COUNT_OF(names) == STUN_REJECT_COUNT, "a reject without a name");
	CHECK(reject < STUN_REJECT_COUNT);
	return names[reject];
}

/* SPDX-License-Identifier: Apache-2.0 */
/* bytes -- cursors over bytes that cannot overrun: a sticky reader and a sticky writer.
 *
 * A read past the end yields zero and sets `failed`; a write past the end writes nothing and sets
 * `failed`.  A parser or a message writer therefore checks once per structure, not once per field.
 *
 * Ownership  Both borrow the caller's buffer.
 * Threads    Pure; any thread.
 * Units      Bytes; multi-byte numbers are big-endian (network order) unless the name says _le.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"

struct reader {
	const uint8_t *bytes;
	size_t len;
	size_t at;
	bool failed;
};

struct writer {
	uint8_t *bytes;
	size_t cap;
	size_t at;
	bool failed;
};

static inline struct reader
reader_of(const void *bytes, size_t len)
{
	return (struct reader){ .bytes = bytes, .len = len };
}

static inline size_t
reader_left(const struct reader *r)
{
	return r->len - r->at;
}

/* The next `count` bytes, or NULL (and failed) when there are fewer. */
static inline const uint8_t *
reader_take(struct reader *r, size_t count)
{
	if (r->failed || reader_left(r) < count) {
		r->failed = true;
		return NULL;
	}
	const uint8_t *taken = r->bytes + r->at;
	r->at += count;
	return taken;
}

static inline void
reader_skip(struct reader *r, size_t count)
{
	(void)reader_take(r, count);
}

static inline uint8_t
reader_u8(struct reader *r)
{
	const uint8_t *p = reader_take(r, 1);
	return p != NULL ? p[0] : 0;
}

static inline uint16_t
reader_u16(struct reader *r)
{
	const uint8_t *p = reader_take(r, 2);
	return p != NULL ? (uint16_t)((unsigned)p[0] << 8 | p[1]) : (uint16_t)0;
}

static inline uint32_t
reader_u32(struct reader *r)
{
	const uint8_t *p = reader_take(r, 4);
	return p != NULL ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]
	                 : 0;
}

static inline uint64_t
reader_u64(struct reader *r)
{
	const uint64_t high = reader_u32(r);
	return high << 32 | reader_u32(r);
}

static inline struct writer
writer_of(void *bytes, size_t cap)
{
	return (struct writer){ .bytes = bytes, .cap = cap };
}

/* Room for `count` bytes to be filled by the caller, or NULL (and failed). */
static inline uint8_t *
writer_take(struct writer *w, size_t count)
{
	if (w->failed || w->cap - w->at < count) {
		w->failed = true;
		return NULL;
	}
	uint8_t *taken = w->bytes + w->at;
	w->at += count;
	return taken;
}

static inline void
writer_u8(struct writer *w, uint8_t value)
{
	uint8_t *p = writer_take(w, 1);
	if (p != NULL)
		p[0] = value;
}

static inline void
writer_u16(struct writer *w, uint16_t value)
{
	uint8_t *p = writer_take(w, 2);
	if (p != NULL) {
		p[0] = (uint8_t)(value >> 8);
		p[1] = (uint8_t)value;
	}
}

static inline void
writer_u32(struct writer *w, uint32_t value)
{
	uint8_t *p = writer_take(w, 4);
	if (p != NULL) {
		p[0] = (uint8_t)(value >> 24);
		p[1] = (uint8_t)(value >> 16);
		p[2] = (uint8_t)(value >> 8);
		p[3] = (uint8_t)value;
	}
}

static inline void
writer_u64(struct writer *w, uint64_t value)
{
	const size_t before = w->at;
	writer_u32(w, (uint32_t)(value >> 32));
	writer_u32(w, (uint32_t)value);
	if (w->failed)
		w->at = before;
}

static inline void
writer_bytes(struct writer *w, const void *bytes, size_t len)
{
	uint8_t *p = writer_take(w, len);
	if (p != NULL && len != 0)
		memcpy(p, bytes, len);
}

static inline void
writer_str(struct writer *w, struct str s)
{
	writer_bytes(w, s.at, s.len);
}

/* Text from a NUL-terminated string, without the NUL. */
static inline void
writer_text(struct writer *w, const char *text)
{
	writer_bytes(w, text, strlen(text));
}

/* A decimal number. */
void writer_decimal(struct writer *w, uint64_t value);

/* printf into the buffer; all or nothing. */
__attribute__((format(printf, 2, 3))) void writer_format(struct writer *w, const char *format, ...);

static inline struct str
writer_view(const struct writer *w)
{
	return (struct str){ .at = (const char *)w->bytes, .len = w->at };
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* stun_msg -- read and write STUN messages (RFC 8489 sections 5, 9.1, 14), and tell apart what
 * shares a media port (RFC 7983).
 *
 * Sans-IO: bytes in, a view out; a writer out, bytes in.  No allocation.
 *
 * Ownership  A parsed `struct stun_msg` borrows the caller's buffer.  A `struct stun_key` is a value
 *            and a secret: stun_key_wipe() it when it is dropped.
 * Threads    Pure functions; any thread.
 * Units      Lengths are bytes; numbers and ports in views are host order.
 * Errors     Reading a peer's bytes never asserts: `enum stun_reject` names the broken rule.  A
 *            writer that ran out of room says so once, in stun_write_end().
 * Limits     STUN_MSG_BYTES_MAX bytes and STUN_ATTRS_MAX attributes a message.
 */
#ifndef STUN_STUN_MSG_H
#define STUN_STUN_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/str.h"

enum {
	STUN_HEADER_BYTES = 20,
	STUN_TID_BYTES = 12,
	STUN_MSG_BYTES_MAX = 1280, /* RFC 8489 s6.1: stay below the smallest IPv6 MTU */
	STUN_ATTRS_MAX = 32,       /* ours: bounds the work one datagram can cost */
	STUN_UNKNOWN_MAX = 8,      /* ours: attributes named in one UNKNOWN-ATTRIBUTES */
	STUN_USERNAME_MAX = 513,   /* RFC 8489 s14.3: under 509; 513 in RFC 5389 */
};

/* Class and method as they stand together in the first two bytes. */
enum stun_type {
	STUN_BINDING_REQUEST = 0x0001,
	STUN_BINDING_INDICATION = 0x0011,
	STUN_BINDING_SUCCESS = 0x0101,
	STUN_BINDING_ERROR = 0x0111,
};

enum stun_attr_type {
	STUN_MAPPED_ADDRESS = 0x0001,
	STUN_USERNAME = 0x0006,
	STUN_MESSAGE_INTEGRITY = 0x0008,
	STUN_ERROR_CODE = 0x0009,
	STUN_UNKNOWN_ATTRIBUTES = 0x000A,
	STUN_REALM = 0x0014,
	STUN_NONCE = 0x0015,
	STUN_MESSAGE_INTEGRITY_SHA256 = 0x001C,
	STUN_PASSWORD_ALGORITHM = 0x001D,
	STUN_USERHASH = 0x001E,
	STUN_XOR_MAPPED_ADDRESS = 0x0020,
	STUN_PRIORITY = 0x0024,
	STUN_USE_CANDIDATE = 0x0025,
	STUN_SOFTWARE = 0x8022,
	STUN_FINGERPRINT = 0x8028,
	STUN_ICE_CONTROLLED = 0x8029,
	STUN_ICE_CONTROLLING = 0x802A,
};

enum stun_reject {
	STUN_OK = 0,
	STUN_REJECT_SHORT,       /* fewer than 20 bytes, or the length field lies */
	STUN_REJECT_LONG,        /* more than STUN_MSG_BYTES_MAX */
	STUN_REJECT_NOT_STUN,    /* top two bits set, or no magic cookie (s5) */
	STUN_REJECT_ALIGN,       /* length not a multiple of four (s5) */
	STUN_REJECT_ATTR,        /* an attribute overruns the message (s14) */
	STUN_REJECT_TOO_MANY,    /* more than STUN_ATTRS_MAX attributes */
	STUN_REJECT_ORDER,       /* something follows FINGERPRINT (s14.7) */
	STUN_REJECT_COUNT,
};

struct stun_attr {
	uint16_t type;
	uint16_t len; /* of the value, padding excluded */
	uint16_t at;  /* offset of the value from the start of the message */
};

struct stun_msg {
	const uint8_t *bytes; /* borrowed */
	uint16_t len;
	uint16_t type; /* enum stun_type, or another method */
	uint16_t attr_count;
	uint16_t covered; /* attributes up to and including the first integrity attribute */
	struct stun_attr attrs[STUN_ATTRS_MAX];
};

/* A password made ready: the state of HMAC-SHA1 and HMAC-SHA256 after the padded key, so that each
 * message costs only its own blocks. */
struct stun_key {
	uint32_t sha1_inner[5], sha1_outer[5];
	uint32_t sha256_inner[8], sha256_outer[8];
};

enum stun_integrity {
	STUN_INTEGRITY_ABSENT,
	STUN_INTEGRITY_WRONG,
	STUN_INTEGRITY_SHA1,   /* right, by MESSAGE-INTEGRITY */
	STUN_INTEGRITY_SHA256, /* right, by MESSAGE-INTEGRITY-SHA256 */
};

/* Header plausible: cookie there and length true.  Enough to sort by, not to act on. */
[[nodiscard]] bool stun_peek(const uint8_t *bytes, size_t len);
/* The USERNAME of a message that stun_peek() liked, without a full parse; empty when there is none.
 * The part before the colon is the local ufrag: the worker finds the leg by it. */
[[nodiscard]] struct str stun_peek_username(const uint8_t *bytes, size_t len);

/* Exactly one message filling [bytes, bytes+len).  On a reject `*out` is left untouched. */
[[nodiscard]] enum stun_reject stun_msg_parse(struct stun_msg *out, const uint8_t *bytes,
                                              size_t len);

/* First attribute of `type` up to and including the first integrity attribute, or NULL: what follows
 * is not authenticated and is ignored (s14.5), except the second integrity attribute and
 * FINGERPRINT, which the two checks below find for themselves. */
[[nodiscard]] const struct stun_attr *stun_msg_find(const struct stun_msg *msg, uint16_t type);
[[nodiscard]] bool stun_msg_has(const struct stun_msg *msg, uint16_t type);

/* Typed values: false when the attribute is absent or its length is wrong. */
[[nodiscard]] bool stun_msg_u32(const struct stun_msg *msg, uint16_t type, uint32_t *out);
[[nodiscard]] bool stun_msg_u64(const struct stun_msg *msg, uint16_t type, uint64_t *out);
[[nodiscard]] bool stun_msg_text(const struct stun_msg *msg, uint16_t type, struct str *out);
/* XOR-MAPPED-ADDRESS and its kind in TURN (s14.2). */
[[nodiscard]] bool stun_msg_xor_addr(const struct stun_msg *msg, uint16_t type,
                                     struct net_addr *out);
/* 300..699; `reason` may be NULL. */
[[nodiscard]] bool stun_msg_error(const struct stun_msg *msg, unsigned *code, struct str *reason);
/* Types of comprehension-required attributes that this module does not know; returns how many, at
 * most STUN_UNKNOWN_MAX. */
[[nodiscard]] unsigned stun_msg_unknown(const struct stun_msg *msg, uint16_t out[STUN_UNKNOWN_MAX]);
/* The 12 bytes, inside the message. */
[[nodiscard]] const uint8_t *stun_msg_tid(const struct stun_msg *msg);

/* FINGERPRINT is there, last, and right (s14.7). */
[[nodiscard]] bool stun_msg_fingerprint_ok(const struct stun_msg *msg);
/* The strongest integrity attribute present decides (s9.1.3); compared in constant time. */
[[nodiscard]] enum stun_integrity stun_msg_integrity(const struct stun_msg *msg,
                                                     const struct stun_key *key);

/* Short-term credentials: `password` is the SDP's ice-pwd.  Long-term ones: the 16 bytes (MD5) of
 * stun_long_term_key(). */
void stun_key_init(struct stun_key *key, const void *password, size_t len);
void stun_key_wipe(struct stun_key *key);
/* MD5(username ":" realm ":" password), RFC 8489 s9.2.2; the caller has prepared the strings. */
void stun_long_term_key(uint8_t out[16], struct str username, struct str realm,
                        struct str password);

/* Writing: begin, attributes in any order, then integrity, then fingerprint, then end. */
void stun_write_begin(struct writer *w, uint16_t type, const uint8_t tid[STUN_TID_BYTES]);
void stun_write_attr(struct writer *w, uint16_t type, const void *value, size_t len);
void stun_write_u32(struct writer *w, uint16_t type, uint32_t value);
void stun_write_u64(struct writer *w, uint16_t type, uint64_t value);
void stun_write_xor_addr(struct writer *w, uint16_t type, const struct net_addr *addr);
void stun_write_error(struct writer *w, unsigned code, struct str reason);
void stun_write_unknown(struct writer *w, const uint16_t *types, unsigned count);
/* `kind` is STUN_INTEGRITY_SHA1 or STUN_INTEGRITY_SHA256. */
void stun_write_integrity(struct writer *w, const struct stun_key *key, enum stun_integrity kind);
void stun_write_fingerprint(struct writer *w);
/* The message's length, or 0 when it did not fit. */
[[nodiscard]] size_t stun_write_end(const struct writer *w);

/* For metrics: "not stun". */
const char *stun_reject_name(enum stun_reject reject);

#endif

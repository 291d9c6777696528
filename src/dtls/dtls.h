/* SPDX-License-Identifier: Apache-2.0 */
/* dtls -- DTLS 1.2 handshakes for SRTP keys (RFC 6347, 5763, 5764), as server and as client.
 *
 * OpenSSL does the handshake over datagram-preserving BIOs of ours; nothing here touches a socket.
 * When it is done we export the SRTP keys, check the certificate, and let go of OpenSSL: a record
 * layer of our own (dtls_record.h) stays, which is all that is needed to see an authenticated
 * close_notify, to send one, and to repeat our last flight when the peer missed it (s4.2.4).  An
 * idle session costs sizeof(struct dtls) and nothing on the heap.
 *
 * Sans-IO: feed one input (start, input, tick, close, set_fingerprints), then drain dtls_poll()
 * until DTLS_OUT_NONE; feeding again before that asserts.
 *
 * Ownership  `struct dtls` is the caller's memory; dtls_fini() frees what OpenSSL holds.  The
 *            context outlives its sessions.  Outputs are borrowed until the next call.
 * Threads    A session has one owner.  A context is immutable after dtls_context_create() and is
 *            shared by all threads.
 * Memory     A handshake takes about 80 kB on the heap (20 kB ours, the rest OpenSSL's), from the first
 *            ClientHello until CONNECTED has been drained; nothing is allocated before or after.
 * Units      Microseconds on the caller's clock.  Retransmission follows that clock and not
 *            OpenSSL's, as long as the library is 3.0 or 3.1; a later libssl runs its own timers on
 *            real time, which a live server does not notice but a simulator would.
 * Errors     -errno from create and start only (out of memory, or OpenSSL refuses its settings).
 * Limits     Datagrams of at most DTLS_MTU bytes out; DTLS_FLIGHT_MAX of them wait.
 *
 * Strangers  The caller gives us bytes only from addresses that passed an ICE check, or that SDP
 *            signalled when there is no ICE; that is why we ask for no cookie (s4.2.1).  Even so no
 *            forged byte ends a session: plaintext alerts are noted and ignored; a handshake that
 *            OpenSSL finds faulty is thrown away and begun afresh until `handshake_us_max`; another
 *            ClientHello takes the place of an unfinished handshake only when the peer has left our
 *            flight unanswered for one retransmission.  Only an authenticated alert, a finished
 *            handshake with the wrong certificate, or time ends a session.
 * Keys       Given out once, after the handshake is finished and the peer's certificate matches a
 *            fingerprint of the SDP.  Until the fingerprints are known, CONNECTED waits.
 */
#ifndef DTLS_DTLS_H
#define DTLS_DTLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/str.h"
#include "dtls/dtls_record.h"

enum {
	DTLS_MTU = 1200,
	DTLS_FLIGHT_MAX = 16,             /* datagrams waiting to be sent */
	DTLS_FINGERPRINTS_MAX = 4,
	DTLS_FINGERPRINT_TEXT_MAX = 208,  /* "sha-512 " + 64 * 3, and a NUL */
	DTLS_DIGEST_MAX = 64,
	DTLS_SRTP_KEY_MAX = 32,
	DTLS_SRTP_SALT_MAX = 14,
	DTLS_RTO_US = 100 * 1000,         /* doubles; 1 s would be felt in every lossy join */
	DTLS_RTO_US_MAX = 4 * 1000 * 1000,
	DTLS_HANDSHAKE_US_MAX = 30 * 1000 * 1000,
};

/* The numbers of RFC 5764 s4.1.2 and RFC 7714 s14.2, in our order of preference in
 * dtls_srtp_profiles[]: the GCM transforms cost half of AES_CM with HMAC-SHA1. */
enum dtls_srtp_profile {
	DTLS_SRTP_AES128_CM_SHA1_80 = 0x0001,
	DTLS_SRTP_AES128_CM_SHA1_32 = 0x0002,
	DTLS_SRTP_AEAD_AES_128_GCM = 0x0007,
	DTLS_SRTP_AEAD_AES_256_GCM = 0x0008,
};
enum { DTLS_SRTP_PROFILES = 4 };
extern const enum dtls_srtp_profile dtls_srtp_profiles[DTLS_SRTP_PROFILES];

enum dtls_hash { DTLS_SHA1, DTLS_SHA256, DTLS_SHA384, DTLS_SHA512, DTLS_HASHES };

/* An a=fingerprint (RFC 8122). */
struct dtls_fingerprint {
	enum dtls_hash hash;
	uint8_t digest[DTLS_DIGEST_MAX];
};
/* "sha-256 AB:CD:..."; false for an unknown hash or bad text. */
[[nodiscard]] bool dtls_fingerprint_parse(struct dtls_fingerprint *out, struct str text);
void dtls_fingerprint_write(struct writer *w, const struct dtls_fingerprint *fingerprint);

struct dtls_context_settings {
	const char *common_name;  /* of the self-signed certificate */
	uint64_t serial;          /* random */
	int64_t not_before_s;     /* seconds since 1970 */
	int64_t not_after_s;
	/* Our order of SRTP profiles; count 0 means dtls_srtp_profiles[]. */
	enum dtls_srtp_profile profiles[DTLS_SRTP_PROFILES];
	unsigned profile_count;
};

struct dtls_context; /* certificate (ECDSA P-256), ciphers, profiles; one per process */
[[nodiscard]] int dtls_context_create(struct dtls_context **out,
                                      const struct dtls_context_settings *settings);
void dtls_context_destroy(struct dtls_context *context);
/* SHA-256 of our certificate, and as SDP has it: "sha-256 AB:CD:...". */
[[nodiscard]] const struct dtls_fingerprint *
dtls_context_fingerprint(const struct dtls_context *context);
[[nodiscard]] const char *dtls_context_fingerprint_text(const struct dtls_context *context);

enum dtls_role { DTLS_SERVER, DTLS_CLIENT }; /* SDP: passive, active */

struct dtls_settings {
	const struct dtls_context *context; /* kept */
	enum dtls_role role;
	const struct dtls_fingerprint *fingerprints; /* of the peer, copied; NULL: told later */
	unsigned fingerprint_count;
	int64_t handshake_us_max; /* 0: DTLS_HANDSHAKE_US_MAX */
};

enum dtls_failure {
	DTLS_FAILURE_NONE,
	DTLS_FAILURE_TIMEOUT,     /* handshake_us_max passed */
	DTLS_FAILURE_FINGERPRINT, /* finished, but the certificate is not the SDP's */
	DTLS_FAILURE_NO_SRTP,     /* finished, but no common SRTP profile */
	DTLS_FAILURE_MEMORY,      /* OpenSSL could not go on for want of memory */
	DTLS_FAILURE_COUNT,
};

struct dtls_srtp_side {
	uint8_t key[DTLS_SRTP_KEY_MAX];
	uint8_t salt[DTLS_SRTP_SALT_MAX];
};

struct dtls_keys {
	enum dtls_srtp_profile profile;
	uint8_t key_len, salt_len;
	struct dtls_srtp_side local, remote; /* local: what we send with */
};

enum dtls_out_kind {
	DTLS_OUT_NONE,
	DTLS_OUT_DATAGRAM,
	DTLS_OUT_CONNECTED, /* `keys`: copy them now, they are wiped at the next call */
	DTLS_OUT_FAILED,    /* `failure` */
	DTLS_OUT_CLOSED,    /* authenticated close_notify (alert 0) or fatal alert */
};

struct dtls_out {
	enum dtls_out_kind kind;
	const uint8_t *bytes;
	size_t len;
	const struct dtls_keys *keys;
	enum dtls_failure failure;
	int alert; /* CLOSED: the peer's AlertDescription.  FAILED: the last one that either side had to
	            * say, or -1; not authenticated, for the log only */
};

enum dtls_state {
	DTLS_IDLE,        /* server waiting for a ClientHello, client not started */
	DTLS_HANDSHAKING,
	DTLS_VERIFYING,   /* finished; the peer's fingerprints are not known yet */
	DTLS_CONNECTED,
	DTLS_ENDED,       /* failed or closed */
};

struct dtls_stats {
	uint32_t ignored;     /* datagrams or records that were junk, forged, or not ours to act on */
	uint32_t restarts;    /* faulty handshakes thrown away */
	uint32_t retransmits; /* flights sent again */
};

/* Below here: ours; others use the functions. */
struct dtls_handshake; /* OpenSSL's part; heap, gone when CONNECTED has been drained */

struct dtls {
	const struct dtls_context *context;
	struct dtls_handshake *handshake;
	enum dtls_role role;
	enum dtls_state state;
	enum dtls_failure failure;
	int alert;
	bool out_connected, out_failed, out_closed, keys_lent;
	uint8_t fingerprint_count;
	struct dtls_fingerprint fingerprints[DTLS_FINGERPRINTS_MAX];
	int64_t now_us, expires_us, handshake_us_max;
	struct dtls_record record;
	struct dtls_stats stats;
	uint8_t out_len;
	uint8_t out_bytes[DTLS_RECORD_OUT_MAX];
};

void dtls_init(struct dtls *dtls, const struct dtls_settings *settings, int64_t now_us);
void dtls_fini(struct dtls *dtls);

/* Client: sends the ClientHello.  Server: begins to wait; the time limit runs from here. */
[[nodiscard]] int dtls_start(struct dtls *dtls, int64_t now_us);
void dtls_input(struct dtls *dtls, const uint8_t *bytes, size_t len, int64_t now_us);
void dtls_tick(struct dtls *dtls, int64_t now_us);
/* The peer's a=fingerprint lines, when they come after dtls_init(). */
void dtls_set_fingerprints(struct dtls *dtls, const struct dtls_fingerprint *fingerprints,
                           unsigned count, int64_t now_us);
/* Sends close_notify when connected; no CLOSED event follows. */
void dtls_close(struct dtls *dtls, int64_t now_us);

[[nodiscard]] struct dtls_out dtls_poll(struct dtls *dtls);
/* When dtls_tick() is next wanted, or INT64_MAX. */
[[nodiscard]] int64_t dtls_deadline(const struct dtls *dtls);

/* One line for admin, tests and crash reports; no secrets. */
void dtls_dump(const struct dtls *dtls, struct writer *w);

const char *dtls_failure_name(enum dtls_failure failure);
const char *dtls_srtp_profile_name(enum dtls_srtp_profile profile);

#endif

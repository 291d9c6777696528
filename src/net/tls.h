/* SPDX-License-Identifier: Apache-2.0 */
/* tls -- TLS 1.2 and 1.3 as a state machine over bytes (OpenSSL memory BIOs).
 *
 * A context holds certificates, trust and policy of one listener or one kind of client; a session
 * is one connection.  net/tcp.h and net/http.h take a context and do the rest: sessions are of
 * interest to whoever carries TLS over something else.
 *
 * Ownership  Contexts are counted by their sessions and listeners: tls_context_destroy() gives up
 *            the caller's share, the others keep theirs.  Settings are copied.
 * Threads    One owner for a context and its sessions.
 * Errors     -EINVAL and a sentence in `error` when files do not fit or cannot be read.  A peer's
 *            faults end a session; tls_session_error() has the sentence for the log.
 * Limits     TLS_INPUT_BYTES_MAX a tls_session_input() call; output is held until it is taken.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum {
	TLS_ERROR_MAX = 320,
	TLS_INPUT_BYTES_MAX = 65536,
	TLS_NAME_MAX = 256,
	TLS_FINGERPRINT_BYTES = 32,
	TLS_CIPHERS_MAX = 512, /* bytes of a list, with NUL */
};

/* Is every word of such a list known, and nothing in it without encryption or proof of who is
 * there?  0, or -EINVAL and the reason. */
[[nodiscard]] int tls_ciphers_fit(const char *ciphers, char error[TLS_ERROR_MAX]);
/* "1.2" -> 0x0303 and "1.3" -> 0x0304, 0 for all else: `version_min`. */
[[nodiscard]] uint16_t tls_version(const char *text);
/* What does the work: "OpenSSL 3.0.15 3 Sep 2024". */
const char *tls_library(void);

struct tls_context;
struct tls_session;

struct tls_settings {
	bool server;
	const char *cert_file;  /* PEM, own certificate, then its chain; client: may be NULL */
	const char *key_file;   /* PEM */
	const char *chain_file; /* further intermediates, may be NULL */
	/* PEM bundle of trusted authorities, or of the very certificates to accept (C2W's white
	 * list).  NULL: the system's. */
	const char *trust_file;
	/* A client checks chain and name: zeroed settings never leave that off. */
	bool no_verify;          /* client only */
	bool no_name_check;      /* client only: the chain counts, the name does not */
	bool client_certificate; /* server only: demand one that the trust bundle vouches for */
	/* Server only: demand one and take any, as whoever asks for this compares its fingerprint
	 * with what signalling told (RFC 8122).  A client does the same with no_verify. */
	bool client_fingerprint;
	const char *alpn;        /* comma separated, most wanted first; NULL: none */
	/* OpenSSL's words for TLS 1.2, suites of TLS 1.3 by their names (TLS_...), divided by
	 * colons.  NULL, and what a version has no word for: OpenSSL's default; suites of TLS 1.3
	 * alone leave out TLS 1.2. */
	const char *ciphers;
	uint16_t version_min;    /* 0x0303 or 0x0304; 0: TLS 1.2 */
	uint16_t version_max;    /* likewise; 0: any */
};

[[nodiscard]] int tls_context_create(struct tls_context **out, const struct tls_settings *settings,
                                     char error[TLS_ERROR_MAX]);
void tls_context_destroy(struct tls_context *context);
/* One more share, to be given up by tls_context_destroy(); returns `context`. */
struct tls_context *tls_context_share(struct tls_context *context);

/* Reads the files again; new sessions use them, running ones go on.  On error nothing changes. */
[[nodiscard]] int tls_context_reload(struct tls_context *context, char error[TLS_ERROR_MAX]);

/* -- sessions -------------------------------------------------------------------------------- */

enum tls_state {
	TLS_HANDSHAKING,
	TLS_OPEN,
	TLS_CLOSED, /* the peer said close_notify: no more input */
	TLS_FAILED,
};

/* `host` is a client's SNI and the name its peer must prove (a DNS name or an IP literal); NULL on
 * servers. */
[[nodiscard]] int tls_session_create(struct tls_session **out, struct tls_context *context,
                                     const char *host);
void tls_session_destroy(struct tls_session *session);

/* Bytes from the wire.  The first call on a client may have none: it starts the handshake. */
enum tls_state tls_session_input(struct tls_session *session, const void *bytes, size_t len);

/* Plain text that has arrived: up to `cap` bytes, 0 when there is none (now). */
[[nodiscard]] size_t tls_session_read(struct tls_session *session, void *out, size_t cap);

/* Plain text to send; only in TLS_OPEN. */
enum tls_state tls_session_write(struct tls_session *session, const void *bytes, size_t len);
/* Says close_notify. */
void tls_session_close(struct tls_session *session);

/* Bytes for the wire: up to `cap`, 0 when there is nothing.  Take until 0 after each call above. */
[[nodiscard]] size_t tls_session_output(struct tls_session *session, void *out, size_t cap);

[[nodiscard]] enum tls_state tls_session_state(const struct tls_session *session);
/* "certificate verify failed: self-signed certificate"; "" while nothing is wrong. */
[[nodiscard]] const char *tls_session_error(const struct tls_session *session);

/* "TLSv1.3 TLS_AES_256_GCM_SHA384" */
[[nodiscard]] const char *tls_session_describe(struct tls_session *session);
/* The protocol agreed by ALPN, or empty. */
[[nodiscard]] struct str tls_session_alpn(const struct tls_session *session);
/* The peer's certificate: common name or first name into `out`; false without a certificate. */
[[nodiscard]] bool tls_session_peer_name(const struct tls_session *session, char out[TLS_NAME_MAX]);
/* Is this the hash of the peer's certificate?  Its length tells which (20: SHA-1, 32: SHA-256, 48,
 * 64).  False without a certificate, and for any other length. */
[[nodiscard]] bool tls_session_peer_has_fingerprint(const struct tls_session *session,
                                                    const uint8_t *fingerprint, size_t len);
/* The SHA-256 fingerprint of our own. */
[[nodiscard]] bool tls_context_fingerprint(const struct tls_context *context,
                                           uint8_t out[TLS_FINGERPRINT_BYTES]);

#endif

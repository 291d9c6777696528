/* SPDX-License-Identifier: Apache-2.0 */
/* sip_ua -- a SIP user agent: transactions, dialogs, calls and connections (RFC 3261, 3262, 3263,
 * 3311, 3515, 3581, 3891, 4028, 5626 s4.4.1, 6026, 6337, 7118, 8760).
 *
 * Sans-IO: datagrams, stream bytes, DNS answers and time go in; datagrams, stream bytes, connection
 * orders, DNS questions and session events come out.  One input, then sip_ua_poll() until NONE,
 * then the next input (asserted).  Commands (sip_ua_call, sip_session_*) may be given at any time,
 * also while an event is being handled, and are followed by polling.
 *
 * Bodies are opaque here; who owes whom an offer or an answer is kept and enforced (RFC 6337).
 * Session timers, reliable provisional responses, digest, glare, forks, 2xx retransmission and
 * fail-over between targets happen inside and are seen only by their outcome.
 *
 * Ownership  The caller owns the ua; the ua owns sessions, named by handles that go stale after the
 *            session's one SIP_EVENT_ENDED.  Everything polled is borrowed until the next call.
 *            Everything passed in is copied.
 * Threads    One owner.
 * Units      Time is monotonic microseconds; session expiry is seconds, as on the wire.
 * Errors     Peers' faults are answered as the RFCs ask and counted (struct sip_ua_counts).
 *            Commands return 0 or: -ENOENT stale handle, -EPROTO not allowed in this state,
 *            -EAGAIN an offer is in progress, -ENOSPC a table is full, -EINVAL bad argument,
 *            -EMSGSIZE text or body too long.
 * Limits     All tables are allocated by sip_ua_create() from settings; full tables answer 503
 *            with Retry-After.  Memory is about 1 KiB per session, 0.4 KiB per transaction,
 *            0.5 KiB per block and 32 KiB per connection, and only touched when used.
 */
#ifndef SIP_SIP_UA_H
#define SIP_SIP_UA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/str.h"
#include "sip/sip_locate.h"

struct sip_ua;

typedef struct {
	uint32_t v; /* 0: none */
} sip_session_id;

typedef struct {
	uint32_t v; /* a request that waits for sip_request_answer() */
} sip_request_id;

enum {
	SIP_UA_LISTENERS_MAX = 16,
	SIP_UA_TEXT_MAX = 256,          /* URIs, names and credentials passed in */
	SIP_UA_BODY_BYTES_MAX = 32768,  /* an SDP of ours */
	SIP_SESSION_FORKS_MAX = 8,      /* early dialogs of one outgoing call */
	SIP_SESSION_REQUESTS_MAX = 4,   /* INFO, REFER... waiting for the caller's answer */
};

/* ---- settings ------------------------------------------------------------------------------- */

struct sip_ua_listener {
	enum sip_transport transport;
	struct net_addr addr; /* as peers reach it: never unspecified */
	const char *host;     /* for Via and Contact instead of the address, or NULL */
};

/* What the admission hook is asked about every request outside a dialog (INVITE, OPTIONS). */
struct sip_ua_request {
	struct str method;
	struct str uri_user, uri_host; /* of the request URI; the user with its escapes resolved */
	struct str from_user, from_host;
	struct str username; /* of Authorization for `realm`, empty when there is none */
	enum sip_transport transport;
	unsigned listener;
	struct net_addr from;
};

enum sip_ua_verdict {
	SIP_UA_ADMIT,
	SIP_UA_CHALLENGE, /* admit when the digest proves `password`, else 401 */
	SIP_UA_REJECT,    /* with `status` */
};

struct sip_ua_admission {
	enum sip_ua_verdict verdict; /* SIP_UA_ADMIT when the hook writes nothing */
	uint16_t status;
	const char *reason;   /* NULL: the standard phrase */
	const char *realm;    /* CHALLENGE */
	const char *password; /* CHALLENGE: of `username`, NULL when that is unknown */
};

typedef void sip_ua_admit(void *context, const struct sip_ua_request *request,
                          struct sip_ua_admission *out);

struct sip_ua_settings {
	const struct sip_ua_listener *listeners; /* copied, strings too */
	unsigned listener_count;
	uint64_t seed;          /* tags, branches, Call-IDs: from the system's randomness */
	const char *user_agent; /* User-Agent and Server; NULL: none */
	sip_ua_admit *admit;    /* NULL: everything is admitted */
	void *admit_context;

	uint32_t sessions_max;
	uint32_t transactions_max;
	uint32_t flows_max; /* connections */
	uint32_t blocks_max;              /* of 512 bytes, for every stored message */
	/* INVITEs received, not yet confirmed.  When there are so many, one that was answered and
	 * had time to be confirmed makes room: a liar about his address cannot confirm. */
	uint32_t half_open_max;
	uint32_t half_open_per_source_max; /* of them from one IP address (IPv6: one /64) */
	uint32_t flows_per_source_max;

	int64_t t1_us, t2_us, t4_us;  /* RFC 3261 s17.1.1.1 */
	int64_t ring_us_max;          /* an unanswered call is given up, both ways */
	int64_t flow_idle_us_max;     /* a connection without calls is closed */
	int64_t flow_message_us_max;  /* a half-sent message ends its connection */
	uint32_t session_expires_s;   /* RFC 4028; 0: we ask for no session timer */
	uint32_t session_min_se_s;    /* at least 90 */
	bool reliable_if_supported;   /* 100rel also when the peer only supports it */
};

/* A Call Bridge's values; listeners and seed are the caller's to fill in. */
struct sip_ua_settings sip_ua_settings_default(void);

/* ---- life and inputs ------------------------------------------------------------------------ */

[[nodiscard]] int sip_ua_create(struct sip_ua **out, const struct sip_ua_settings *settings,
                                int64_t now_us);
/* Accepts NULL.  Ends nothing on the wire: end the sessions and drain first. */
void sip_ua_destroy(struct sip_ua *ua);

void sip_ua_datagram(struct sip_ua *ua, unsigned listener, const struct net_addr *from,
                     const uint8_t *bytes, size_t len, int64_t now_us);

/* A connection was accepted by `listener`; for TLS and WebSockets after the handshake.  `*flow`
 * names it from now on.  -ENOSPC: too many, close it. */
[[nodiscard]] int sip_ua_flow_accepted(struct sip_ua *ua, unsigned listener,
                                       const struct net_addr *from, uint32_t *flow,
                                       int64_t now_us);
/* The connection that SIP_OUT_CONNECT ordered stands. */
void sip_ua_flow_opened(struct sip_ua *ua, uint32_t flow, int64_t now_us);
/* It failed or was closed by the peer; stale flows are ignored. */
void sip_ua_flow_closed(struct sip_ua *ua, uint32_t flow, int64_t now_us);
/* Bytes of a stream, or exactly one message of a WebSocket. */
void sip_ua_flow_bytes(struct sip_ua *ua, uint32_t flow, const uint8_t *bytes, size_t len,
                       int64_t now_us);
/* The answer to SIP_OUT_DNS `query`; every query gets one, also when nothing was found. */
void sip_ua_dns_answer(struct sip_ua *ua, uint64_t query, const struct dns_answer *answer,
                       int64_t now_us);
void sip_ua_tick(struct sip_ua *ua, int64_t now_us);

/* When sip_ua_tick() is next wanted; INT64_MAX: not at all. */
[[nodiscard]] int64_t sip_ua_deadline(const struct sip_ua *ua);

/* ---- outputs -------------------------------------------------------------------------------- */

enum sip_event_kind {
	SIP_EVENT_INCOMING,  /* a new call; answer with progress, accept or reject */
	SIP_EVENT_PROGRESS,  /* our call: 101-199 received; body may be an answer or an offer */
	SIP_EVENT_ANSWERED,  /* our call: 2xx; body is the answer, or the offer if we sent none */
	SIP_EVENT_CONFIRMED, /* their call: ACK; body is the answer if we gave the offer */
	SIP_EVENT_OFFER,     /* re-INVITE, UPDATE, PRACK; empty body: we are to offer */
	SIP_EVENT_ANSWER,    /* the answer to an offer of ours within the call */
	SIP_EVENT_OFFER_FAILED, /* our offer was refused; the old session stands */
	SIP_EVENT_REFRESHED,    /* the session timer was renewed, by either side */
	SIP_EVENT_INFO,         /* answer with sip_request_answer() */
	SIP_EVENT_REFER, /* answer with sip_request_answer(), then sip_session_refer_progress() */
	SIP_EVENT_ENDED, /* the one and last event of a session */
};

enum sip_end_cause {
	SIP_END_LOCAL,     /* ended, rejected or cancelled by command */
	SIP_END_REMOTE,    /* BYE */
	SIP_END_CANCELLED, /* CANCEL by the caller before we answered */
	SIP_END_REFUSED,   /* our call got a final response >= 300 */
	SIP_END_TIMEOUT,   /* no answer to a request, no ACK, no session refresh */
	SIP_END_TRANSPORT, /* no way to reach the peer */
	SIP_END_REPLACED,  /* by a call with Replaces that was accepted */
	SIP_END_PROTOCOL,  /* the peer broke a rule we cannot go on without */
};

struct sip_event_incoming {
	struct str uri_user, uri_host; /* request URI */
	struct str uri_params; /* "a=b;lr", without the first ';' */
	struct str from_uri, from_user, from_host, from_display;
	struct str to_uri, to_user, to_host, to_display;
	struct str user_agent;
	enum sip_transport transport;
	unsigned listener;
	struct net_addr source;
	sip_session_id replaces; /* accepting ends that session; 0: no Replaces header */
	uint16_t max_forwards;   /* a call that is called on has one less (RFC 7332) */
};

struct sip_event_refer {
	struct str refer_to;    /* the URI, without headers */
	struct str replaces;    /* its Replaces header, escapes resolved, or empty */
	struct str referred_by; /* URI or empty */
	bool wants_notify;      /* not norefersub (RFC 4488) */
};

struct sip_event {
	enum sip_event_kind kind;
	sip_session_id session;
	uint64_t user;           /* as last set by sip_session_set_user() */
	struct str call_id;
	uint16_t status;         /* PROGRESS, ANSWERED, OFFER_FAILED, ENDED (0: none) */
	struct str reason;       /* OFFER_FAILED, ENDED: in words, for the log */
	struct str content_type; /* of `body` */
	struct str body;         /* the application/sdp, or INFO's */
	sip_request_id request;  /* INFO, REFER */
	enum sip_end_cause cause; /* ENDED */
	bool was_connected;       /* ENDED: 2xx had been exchanged */
	uint16_t fork;            /* PROGRESS, ANSWERED: which early dialog, from 0 */
	union {
		struct sip_event_incoming incoming;
		struct sip_event_refer refer;
	};
};

enum sip_out_kind {
	SIP_OUT_NONE,
	SIP_OUT_DATAGRAM, /* listener, to, bytes, len */
	SIP_OUT_STREAM,   /* flow, bytes, len */
	SIP_OUT_CONNECT,  /* flow, listener, transport, to, server_name */
	SIP_OUT_CLOSE,    /* flow; it is forgotten here */
	SIP_OUT_DNS,      /* query, dns_type, dns_name */
	SIP_OUT_EVENT,    /* event */
};

struct sip_out {
	enum sip_out_kind kind;
	unsigned listener;        /* CONNECT: whose address and certificate to use */
	uint32_t flow;
	enum sip_transport transport;
	struct net_addr to;
	struct str server_name;   /* TLS: what the certificate must name */
	const uint8_t *bytes;
	size_t len;
	uint64_t query;
	enum dns_type dns_type;
	const char *dns_name;
	const struct sip_event *event;
};

/* What is to be done next; SIP_OUT_NONE when all is done until the next input. */
[[nodiscard]] struct sip_out sip_ua_poll(struct sip_ua *ua);

/* ---- sessions ------------------------------------------------------------------------------- */

struct sip_call {
	struct str target;       /* sip: or sips: URI */
	struct str from_uri;     /* sip:space@domain */
	struct str from_display;
	struct str to_display;
	struct str contact_user; /* user part of our Contact */
	struct str contact_host; /* its host, or empty: the address it is sent from */
	struct str route;        /* outbound proxy as a URI, or empty */
	struct str next_hop;     /* the URI it is sent to in place of the target, which is told nothing
	                          * of it; not with `route`; or empty */
	unsigned transports;     /* SIP_TRANSPORT_BIT of those it may go by; 0: any */
	uint16_t max_forwards;   /* 0: 70 */
	struct str realm, username, password; /* answered for this realm only; empty: none */
	struct str sdp;          /* the offer; empty: the peer is asked for one (late offer) */
	struct str replaces;     /* value of a Replaces header, or empty */
	struct str referred_by;  /* value of a Referred-By header, or empty */
	uint64_t user;
};

[[nodiscard]] int sip_ua_call(struct sip_ua *ua, sip_session_id *out, const struct sip_call *call,
                              int64_t now_us);

/* A number of the caller's that comes back in every event of the session. */
void sip_session_set_user(struct sip_ua *ua, sip_session_id session, uint64_t user);

/* 101-199 to an incoming call; `sdp` empty, or the answer (or the offer to a late-offer call, if
 * the peer takes reliable responses). */
[[nodiscard]] int sip_session_progress(struct sip_ua *ua, sip_session_id session, uint16_t status,
                                       struct str sdp, int64_t now_us);
/* 200; `sdp` is the answer, or the offer when INCOMING had none. */
[[nodiscard]] int sip_session_accept(struct sip_ua *ua, sip_session_id session, struct str sdp,
                                     int64_t now_us);
/* 300-699; `reason` empty: the standard phrase; `headers`: whole lines with CRLF, or empty. */
[[nodiscard]] int sip_session_reject(struct sip_ua *ua, sip_session_id session, uint16_t status,
                                     struct str reason, struct str headers, int64_t now_us);
/* A new offer within the call: UPDATE before the answer, re-INVITE after it.  Ends in
 * SIP_EVENT_ANSWER or OFFER_FAILED; glare (491) is retried inside. */
[[nodiscard]] int sip_session_offer(struct sip_ua *ua, sip_session_id session, struct str sdp,
                                    int64_t now_us);
/* What we owe: the answer to OFFER (or our offer when its body was empty), or the answer to an
 * offer in PROGRESS or ANSWERED of a call of ours without offer. */
[[nodiscard]] int sip_session_answer(struct sip_ua *ua, sip_session_id session, struct str sdp,
                                     int64_t now_us);
/* Refuses OFFER: 488 and the like. */
[[nodiscard]] int sip_session_refuse(struct sip_ua *ua, sip_session_id session, uint16_t status,
                                     int64_t now_us);
/* Ends the call from any state: CANCEL, BYE or 480.  `cause` and `text` make the Reason header
 * (RFC 3326, protocol SIP) when `cause` is not 0. */
[[nodiscard]] int sip_session_end(struct sip_ua *ua, sip_session_id session, uint16_t cause,
                                  struct str text, int64_t now_us);
/* INFO within the call, for example a picture fast update. */
[[nodiscard]] int sip_session_info(struct sip_ua *ua, sip_session_id session,
                                   struct str content_type, struct str body, int64_t now_us);
[[nodiscard]] int sip_request_answer(struct sip_ua *ua, sip_request_id request, uint16_t status,
                                     int64_t now_us);
/* NOTIFY with a sipfrag of `status` after an accepted REFER; a final one ends the subscription. */
[[nodiscard]] int sip_session_refer_progress(struct sip_ua *ua, sip_session_id session,
                                             uint16_t status, int64_t now_us);

/* The address of ours that a peer there is most likely to reach, for the SDP of a call to it; the
 * first listener's when its address is not known. */
[[nodiscard]] const struct net_addr *sip_ua_local_address(const struct sip_ua *ua,
                                                          const struct net_addr *peer);

/* ---- looking inside ------------------------------------------------------------------------- */

enum sip_ua_counter {
	SIP_UA_MESSAGES_IN,
	SIP_UA_MESSAGES_OUT,
	SIP_UA_RETRANSMITS_IN,
	SIP_UA_RETRANSMITS_OUT,
	SIP_UA_MALFORMED,       /* answered 400 or dropped */
	SIP_UA_STRAY,           /* responses and ACKs that match nothing */
	SIP_UA_REFUSED_FULL,    /* 503: tables */
	SIP_UA_REFUSED_SOURCE,  /* 503: one source's share */
	SIP_UA_CROWDED_OUT,     /* half-open calls given up for newer ones */
	SIP_UA_CHALLENGED,
	SIP_UA_OUT_LOST,        /* a datagram not queued for lack of space */
	SIP_UA_COUNTERS,
};

struct sip_ua_counts {
	uint32_t sessions, dialogs, transactions, flows, half_open, sources, blocks, timers, outs;
	uint32_t unanswered; /* our requests, a BYE among them, that wait for a final response */
	uint64_t counters[SIP_UA_COUNTERS];
};

struct sip_ua_counts sip_ua_count(const struct sip_ua *ua);

/* Every session, transaction and connection as text, one per line. */
void sip_ua_dump(const struct sip_ua *ua, struct writer *out);

const char *sip_end_cause_name(enum sip_end_cause cause);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* sip_ua_internal -- what the files of the user agent share; nobody else includes it.
 *
 * Layers, lowest first; a file calls downwards, and upwards only through the two dispatch points
 * sip_session_outcome() (a request of ours came to something) and sip_ua_message() (a message
 * arrived on a connection):
 *
 *	sip_ua_store    blocks of bytes, the queue of outputs and events
 *	sip_transport   connections: framing, reuse, limits
 *	sip_transaction the four machines of RFC 3261 s17 with RFC 6026
 *	sip_client      requests of ours: location, fail-over, digest, CANCEL and ACK
 *	sip_dialog      dialogs and the requests inside them
 *	sip_session*    calls
 *	sip_ua          inputs, demultiplexing, admission
 */
#ifndef SIP_SIP_UA_INTERNAL_H
#define SIP_SIP_UA_INTERNAL_H

#include "base/check.h"
#include "base/hash.h"
#include "base/prng.h"
#include "base/slab.h"
#include "base/timer.h"
#include "sip/sip_digest.h"
#include "sip/sip_locate.h"
#include "sip/sip_msg.h"
#include "sip/sip_stream.h"
#include "sip/sip_ua.h"
#include "sip/sip_write.h"

enum {
	SIP_BLOCK_BYTES = 512,
	SIP_TAG_LEN = 16,
	SIP_BRANCH_LEN = 7 + 16,         /* z9hG4bK and 64 random bits in hex */
	SIP_UDP_BYTES_MAX = 1300,        /* RFC 3261 s18.1.1: larger requests go over TCP */
	SIP_DIALOG_TEXT_MAX = 8192,      /* names, target and route set of one dialog */
	SIP_LOCATES_MAX = 256,           /* requests waiting for DNS at one time */
	SIP_AUTH_TRIES_MAX = 3,          /* answers to challenges per request: WWW, proxy, stale */
	SIP_DIVERT_MAX = 2,              /* 422 retries */
	SIP_FLOW_BUFFER_BYTES = 32768,   /* largest message on a stream */
	SIP_LISTENER_ANY = SIP_UA_LISTENERS_MAX, /* no preference */
	SIP_ACKS_MAX = 4,                /* 2xx of one INVITE whose ACK is remembered */
	SIP_OUTS_SPARE = 64,             /* outputs one message can cause, and then some */
};

/* Who is told when time has come. */
enum sip_timer_kind {
	SIP_TIMER_TXN_RETRANSMIT,
	SIP_TIMER_TXN_TIMEOUT,
	SIP_TIMER_FLOW,
	SIP_TIMER_SESSION_RING,
	SIP_TIMER_SESSION_RETRANSMIT, /* 2xx or reliable 1xx */
	SIP_TIMER_SESSION_GIVE_UP,    /* no ACK, no PRACK */
	SIP_TIMER_SESSION_REFRESH,
	SIP_TIMER_SESSION_EXPIRY,
	SIP_TIMER_SESSION_GLARE,
	SIP_TIMER_KINDS,
};

struct sip_timer {
	struct timer timer; /* first: the wheel gives it back */
	uint32_t handle;
	enum sip_timer_kind kind;
};

/* ---- blocks --------------------------------------------------------------------------------- */

typedef uint32_t sip_bytes; /* stored bytes, counted; 0: none */

struct sip_block_info {
	uint32_t next; /* block behind this one, or next free; index + 1 */
	uint32_t len;  /* of all, in the first block */
	uint32_t refs; /* in the first block */
};

struct sip_store {
	uint8_t *blocks;
	struct sip_block_info *infos;
	uint32_t cap;
	uint32_t used;
	uint32_t fresh; /* blocks never used begin here: untouched memory */
	uint32_t free_first;
};

/* What a put may use up: calls that stand go on, and end, when new ones are refused. */
enum sip_urgency {
	SIP_FOR_NEW,   /* leaves a quarter free */
	SIP_FOR_CALL,  /* leaves a sixteenth free */
	SIP_FOR_END,   /* takes what there is */
};

[[nodiscard]] int sip_store_create(struct sip_store *store, uint32_t cap);
void sip_store_destroy(struct sip_store *store);
[[nodiscard]] bool sip_store_has_room(const struct sip_store *store, enum sip_urgency urgency,
                                      size_t len);
/* 0 when there is no room, or for no bytes. */
[[nodiscard]] sip_bytes sip_store_put(struct sip_store *store, struct str bytes,
                                      enum sip_urgency urgency);
/* The new bytes in place of `*kept`; when they cannot be kept, false and `*kept` stays. */
[[nodiscard]] bool sip_store_replace(struct sip_store *store, sip_bytes *kept, struct str bytes,
                                     enum sip_urgency urgency);
sip_bytes sip_store_share(struct sip_store *store, sip_bytes bytes);
/* Gives one share back and zeroes `*bytes`; 0 is fine. */
void sip_store_drop(struct sip_store *store, sip_bytes *bytes);
/* The same, and wipes: for credentials. */
void sip_store_wipe(struct sip_store *store, sip_bytes *bytes);
[[nodiscard]] size_t sip_store_len(const struct sip_store *store, sip_bytes bytes);
/* In one piece: where it lies, or copied to `scratch`, which has room. */
[[nodiscard]] struct str sip_store_get(const struct sip_store *store, sip_bytes bytes,
                                       uint8_t *scratch, size_t cap);

/* ---- objects -------------------------------------------------------------------------------- */

struct sip_listener {
	enum sip_transport transport;
	struct net_addr addr;
	char host[SIP_UA_TEXT_MAX]; /* sent-by and Contact, IPv6 in brackets */
};

/* One way to the next hop. */
struct sip_hop {
	enum sip_transport transport;
	unsigned listener;
	uint32_t flow; /* 0: datagrams */
	struct net_addr to;
};

/* How much of our tables one address uses. */
struct sip_source {
	uint64_t key;
	uint32_t half_open;
	uint32_t flows;
};

enum sip_flow_state {
	SIP_FLOW_CONNECTING,
	SIP_FLOW_OPEN,
};

struct sip_flow {
	struct sip_timer timer; /* connect, half a message, idleness */
	struct sip_stream stream;
	uint64_t key; /* transport, address and name; 0 for accepted ones */
	struct net_addr addr;
	int64_t used_us;
	uint32_t id;
	uint32_t source;
	uint32_t first_txn; /* transactions on it */
	uint32_t dialogs;
	enum sip_flow_state state;
	enum sip_transport transport;
	unsigned listener;
	bool accepted;
};

enum sip_txn_kind {
	SIP_TXN_INVITE_CLIENT,
	SIP_TXN_CLIENT,
	SIP_TXN_INVITE_SERVER,
	SIP_TXN_SERVER,
	SIP_TXN_ACK, /* no transaction: the ACK to a 2xx, kept to be sent again */
	SIP_TXN_KINDS,
};

enum sip_txn_state {
	SIP_TXN_LOCATING, /* clients: DNS or a connection is awaited */
	SIP_TXN_TRYING,   /* "calling" in an INVITE client */
	SIP_TXN_PROCEEDING,
	SIP_TXN_COMPLETED,
	SIP_TXN_CONFIRMED,
	SIP_TXN_ACCEPTED, /* RFC 6026 */
	SIP_TXN_STATES,
};

/* What a request of ours is for. */
enum sip_purpose {
	SIP_FOR_NOTHING,
	SIP_FOR_INVITE,
	SIP_FOR_REINVITE,
	SIP_FOR_UPDATE,
	SIP_FOR_PRACK,
	SIP_FOR_BYE,
	SIP_FOR_OTHER, /* INFO, NOTIFY: matters only when the dialog is gone */
	SIP_PURPOSES,
};

enum sip_failure {
	SIP_FAILURE_NONE,
	SIP_FAILURE_TIMEOUT_SILENT, /* not even a provisional response */
	SIP_FAILURE_TIMEOUT,
	SIP_FAILURE_TRANSPORT,
	SIP_FAILURE_NOT_FOUND, /* DNS */
	SIP_FAILURE_FULL,
};

/* Lists of transactions, the oldest first: those that are first to go when there is no room. */
enum sip_txn_list {
	SIP_TXNS_LINGERING, /* only wait for retransmissions */
	SIP_TXNS_HALF_OPEN, /* INVITEs received and not yet confirmed */
	SIP_TXN_LISTS,
};

struct sip_txn_link {
	uint32_t next, prev;
	bool in;
};

struct sip_txn {
	struct sip_timer retransmit; /* A, E, G */
	struct sip_timer timeout;    /* B, D, F, H, I, J, K, L, M */
	uint64_t key;
	uint64_t merge_key; /* servers: RFC 3261 s8.2.2.2; 0: not looked for */
	int64_t interval_us;
	struct sip_hop hop;
	uint32_t id;
	uint32_t flow_next, flow_prev; /* others on the same flow */
	struct sip_txn_link links[SIP_TXN_LISTS];
	uint32_t session;
	uint32_t dialog;
	sip_bytes message; /* client: the request; server: the last response */
	sip_bytes answer;  /* INVITE client: the ACK; server: what every response begins with */
	uint32_t cseq;
	/* Clients. */
	uint64_t ack_tags[SIP_ACKS_MAX]; /* INVITE: peers' tags whose 2xx was acknowledged, */
	uint32_t acks[SIP_ACKS_MAX];     /* and by which transaction of kind ACK */
	uint8_t ack_count;
	uint32_t locate;
	sip_bytes contact;  /* user part of our Contact; with_contact says if one is sent */
	sip_bytes credentials; /* realm, name and password, each ended by NUL */
	sip_bytes tls_name;
	uint16_t start_len; /* request line; behind it Via and Contact, via_len bytes, */
	uint16_t via_len;   /* then what changes with credentials, head_len bytes, then the rest */
	uint16_t head_len;
	uint16_t status; /* last response */
	uint8_t auth_tries;
	bool auth_origin, auth_proxy; /* 401 and 407 were answered once */
	uint8_t diverts;
	bool with_contact;
	bool secure;       /* sips */
	bool udp_fallback; /* went to TCP for its size only */
	bool cancelled;    /* CANCEL wanted or sent */
	bool cancel_sent;
	/* Servers. */
	uint16_t record_route_at; /* in `answer` */
	uint32_t source;          /* counted there as half open */
	int64_t half_open_us;     /* since when */
	bool half_open;
	bool refer_silent;        /* a REFER that wants no NOTIFY (RFC 4488) */
	enum sip_txn_kind kind;
	enum sip_txn_state state;
	enum sip_method method;
	enum sip_purpose purpose;
	enum sip_failure failure;
};

struct sip_locating {
	struct sip_locate locate;
	uint32_t txn;
};

/* RFC 6337: whose turn it is. */
enum sip_offer_state {
	SIP_OFFER_NONE,   /* nothing offered yet */
	SIP_OFFER_LOCAL,  /* ours awaits the answer */
	SIP_OFFER_REMOTE, /* theirs awaits ours */
	SIP_OFFER_STABLE,
};

enum sip_dialog_text {
	SIP_TEXT_CALL_ID,
	SIP_TEXT_LOCAL,      /* From of our requests, tag included */
	SIP_TEXT_REMOTE,     /* To of our requests */
	SIP_TEXT_LOCAL_TAG,
	SIP_TEXT_REMOTE_TAG,
	SIP_TEXT_TARGET,     /* peer's Contact URI */
	SIP_TEXT_ROUTES,     /* name-addrs, each ended by a newline */
	SIP_TEXTS,
};

struct sip_dialog {
	uint64_t key;
	uint32_t id;
	uint32_t session;
	sip_bytes text;
	uint16_t lens[SIP_TEXTS];
	uint32_t local_cseq;
	uint32_t remote_cseq;
	uint32_t remote_rseq;  /* last reliable response received, */
	uint32_t rseq_cseq;    /* to the INVITE with this CSeq */
	uint32_t flow;         /* counted there; 0: none or datagrams */
	enum sip_transport transport;
	enum sip_offer_state offer;
	unsigned listener;
	uint16_t fork;
	bool secure;
	struct net_addr behind_nat; /* where it really is; family NONE: where its Contact says */
};

struct sip_dialog_view { /* borrowed from ua->dialog_text until the next look */
	struct str texts[SIP_TEXTS];
};

enum sip_session_state {
	SIP_SESSION_CALLING,    /* ours: no final response yet */
	SIP_SESSION_INCOMING,   /* theirs: no final response yet */
	SIP_SESSION_ANSWERED,   /* theirs: 2xx sent, ACK awaited */
	SIP_SESSION_ACK_OWED,   /* ours: 2xx with an offer came, the ACK waits for the answer */
	SIP_SESSION_CONFIRMED,
	SIP_SESSION_CLOSING,    /* ended for the caller; CANCEL or ACK are still awaited */
	SIP_SESSION_STATES,
};

enum sip_capability {
	SIP_PEER_TIMER = 1 << 0,
	SIP_PEER_100REL = 1 << 1,
	SIP_PEER_NEEDS_100REL = 1 << 2,
	SIP_PEER_UPDATE = 1 << 3, /* in Allow */
};

struct sip_session {
	struct sip_timer ring;
	struct sip_timer retransmit;
	struct sip_timer give_up;
	struct sip_timer refresh;
	struct sip_timer expiry;
	struct sip_timer glare;
	uint64_t user;
	int64_t interval_us; /* of `retransmit` */
	uint32_t id;
	uint32_t dialog;  /* the one that counts */
	uint32_t forks[SIP_SESSION_FORKS_MAX]; /* early dialogs of a call of ours */
	uint16_t fork_count;
	enum sip_session_state state;
	bool ours;        /* we sent the INVITE that began it, and own the Call-ID */
	bool visible;     /* ENDED is still to come */
	bool connected;
	bool bye_wanted;  /* CLOSING: BYE when the ACK is there */
	unsigned capabilities;
	uint32_t invite;      /* transaction of the INVITE or re-INVITE in progress, either way */
	uint32_t update;      /* UPDATE of ours in progress */
	uint32_t owed;        /* their re-INVITE, UPDATE or PRACK that waits for our answer */
	bool invite_ours;
	uint32_t invite_cseq; /* of ours that was answered last */
	uint32_t requests[SIP_SESSION_REQUESTS_MAX]; /* INFO, REFER that wait for the caller */
	uint32_t ack_cseq;    /* INVITE whose ACK is awaited; 0: none */
	bool ack_answer;      /* that ACK is to bring the answer */
	sip_bytes call_id;
	sip_bytes contact;    /* user part */
	sip_bytes credentials;
	sip_bytes local_sdp;  /* last one sent: for refresh and retries */
	sip_bytes reason;     /* Reason header line of the end */
	uint32_t replaces;
	/* Reliable provisional responses we send (RFC 3262). */
	uint32_t rseq;            /* last sent */
	bool rseq_pending;        /* unacknowledged, `reliable` holds it */
	bool rseq_offer;          /* it held our offer: PRACK brings the answer */
	sip_bytes reliable;
	uint16_t next_status;     /* waits for the PRACK: 1xx or 200; 0: none */
	sip_bytes next_sdp;
	/* One we got and cannot acknowledge before the caller's answer. */
	uint32_t prack_rseq;
	/* Session timer (RFC 4028). */
	uint32_t expires_s; /* 0: none */
	uint32_t min_se_s;
	bool refresher;     /* we are */
	bool refreshing;    /* the re-INVITE or UPDATE in progress is no offer of the caller's */
	bool offer_waits;   /* glare: local_sdp is to be offered again */
	/* REFER we accepted. */
	uint32_t refer_id;
	uint32_t refer_count;
	bool refer_active;
};

struct sip_out_node {
	uint32_t next;
	enum sip_out_kind kind;
	struct sip_hop hop;
	uint64_t query;
	enum dns_type dns_type;
	sip_bytes bytes; /* message, name, or event */
	/* An event for whose text there was no room. */
	uint32_t session;
	uint64_t user;
	uint16_t status;
	enum sip_end_cause cause;
	bool was_connected;
};

struct sip_ua {
	struct sip_ua_settings settings;
	struct sip_listener listeners[SIP_UA_LISTENERS_MAX];
	char user_agent[SIP_UA_TEXT_MAX];
	unsigned transports; /* SIP_TRANSPORT_BIT of the listeners */
	bool ip4, ip6;
	struct prng prng;
	struct hash_key hash_key;
	uint8_t digest_key[SIP_DIGEST_KEY_BYTES];
	int64_t now_us;
	struct timer_wheel wheel;
	struct sip_store store;
	struct slab sessions, dialogs, txns, flows, sources, locates, outs;
	struct map dialog_map, txn_map, flow_map, source_map;
	uint8_t *flow_buffers;
	uint32_t out_first, out_last;
	uint32_t txn_first[SIP_TXN_LISTS], txn_last[SIP_TXN_LISTS];
	uint32_t busy_txn; /* whose step is being taken */
	uint32_t half_open;
	uint64_t counters[SIP_UA_COUNTERS];
	struct sip_event event;
	/* Each has one user at a time: */
	uint8_t write_bytes[SIP_MSG_BYTES_MAX + 1];  /* the message being written */
	uint8_t copy_bytes[SIP_MSG_BYTES_MAX + 1];   /* a stored message being rewritten */
	uint8_t lines_bytes[16384];                  /* extra header lines of that message */
	uint8_t sdp_bytes[SIP_UA_BODY_BYTES_MAX];    /* a stored body on its way into a message */
	uint8_t dialog_text[SIP_DIALOG_TEXT_MAX];
	uint8_t event_bytes[SIP_MSG_BYTES_MAX + 4096]; /* the event being packed */
	uint8_t poll_bytes[SIP_MSG_BYTES_MAX + 4096];  /* what sip_ua_poll() gave out */
	struct sip_msg own; /* a message of ours, parsed again */
	struct sip_msg in;  /* the one that arrived */
};

/* ---- sip_ua_store.c: queue of outputs ------------------------------------------------------- */

void sip_timer_init(struct sip_timer *timer, enum sip_timer_kind kind, uint32_t handle);
void sip_timer_start(struct sip_ua *ua, struct sip_timer *timer, int64_t after_us);
/* In this very round of polling. */
void sip_timer_start_now(struct sip_ua *ua, struct sip_timer *timer);
void sip_timer_stop(struct sip_ua *ua, struct sip_timer *timer);
/* RFC 3261 s17: 64*T1, how long a transaction waits (timers B, F, H, J, L and M). */
int64_t sip_timeout_us(const struct sip_ua *ua);

/* Sends stored bytes; shares them. */
void sip_out_send(struct sip_ua *ua, const struct sip_hop *hop, sip_bytes message);
/* Sends bytes that nobody keeps. */
void sip_out_send_once(struct sip_ua *ua, const struct sip_hop *hop, struct str message);
void sip_out_connect(struct sip_ua *ua, const struct sip_flow *flow, struct str server_name);
void sip_out_close(struct sip_ua *ua, uint32_t flow);
void sip_out_dns(struct sip_ua *ua, uint64_t query, enum dns_type type, const char *name);
/* Copies the event and its texts; false when there is no room (never for ENDED, whose texts may be
 * missing then).  `session` and `user` are filled in here. */
bool sip_out_event(struct sip_ua *ua, const struct sip_session *session, struct sip_event *event);

/* Is there room for one more session's events?  Nothing new is begun without. */
bool sip_out_has_room(const struct sip_ua *ua);
/* The next one in the queue. */
struct sip_out sip_out_take(struct sip_ua *ua);

uint64_t sip_hash(const struct sip_ua *ua, char kind, struct str a, struct str b, uint32_t number);
/* Numbers that strangers may see; the generator's own they must not. */
uint32_t sip_random_below(struct sip_ua *ua, uint32_t bound);
void sip_random_bytes(struct sip_ua *ua, uint8_t *out, size_t len);
void sip_random_hex(struct sip_ua *ua, char out[SIP_TAG_LEN]);
/* Uniform in [0, bound_us). */
int64_t sip_random_us(struct sip_ua *ua, int64_t bound_us);
struct writer sip_lines_writer(struct sip_ua *ua);

/* ---- sip_transport.c ------------------------------------------------------------------------ */

uint32_t sip_source_get(struct sip_ua *ua, const struct net_addr *addr);
struct sip_source *sip_source_of(struct sip_ua *ua, uint32_t id);
void sip_source_put(struct sip_ua *ua, uint32_t id);

struct sip_flow *sip_flow_get(const struct sip_ua *ua, uint32_t id);
/* A connection to there, perhaps still being opened; 0 when there is no room or no way. */
uint32_t sip_flow_to(struct sip_ua *ua, enum sip_transport transport, const struct net_addr *to,
                     struct str server_name);
void sip_flow_add_txn(struct sip_ua *ua, struct sip_txn *txn);
void sip_flow_remove_txn(struct sip_ua *ua, struct sip_txn *txn);
void sip_flow_add_dialog(struct sip_ua *ua, uint32_t flow);
void sip_flow_remove_dialog(struct sip_ua *ua, uint32_t flow);
void sip_flow_timer(struct sip_ua *ua, uint32_t flow);
/* The listener of ours for a transport that speaks `to`'s family, `preferred` if it will do; -1. */
int sip_listener_for(const struct sip_ua *ua, enum sip_transport transport,
                     const struct net_addr *to, unsigned preferred);
void sip_write_contact(struct sip_ua *ua, struct writer *w, unsigned listener, sip_bytes user,
                       bool secure);

/* ---- sip_transaction.c ---------------------------------------------------------------------- */

enum sip_txn_input {
	SIP_IN_1XX, /* received by a client, sent by a server */
	SIP_IN_2XX,
	SIP_IN_FINAL,
	SIP_IN_REQUEST, /* servers: the request again */
	SIP_IN_ACK,
	SIP_IN_RETRANSMIT,
	SIP_IN_TIMEOUT,
	SIP_IN_TRANSPORT,
	SIP_TXN_INPUTS,
};

struct sip_txn *sip_txn_get(const struct sip_ua *ua, uint32_t id);
struct sip_txn *sip_txn_take(struct sip_ua *ua, enum sip_txn_kind kind, enum sip_method method);
/* Ends what lingers, the oldest first, while the pool of blocks runs low. */
void sip_txn_make_room(struct sip_ua *ua);
void sip_txn_put_key(struct sip_ua *ua, struct sip_txn *txn, uint64_t key);
struct sip_txn *sip_txn_find(const struct sip_ua *ua, uint64_t key);
void sip_txn_input(struct sip_ua *ua, struct sip_txn *txn, enum sip_txn_input input,
                   const struct sip_msg *msg);
void sip_txn_end(struct sip_ua *ua, struct sip_txn *txn);
void sip_txn_transmit(struct sip_ua *ua, const struct sip_txn *txn);
/* From now on it may be ended when another needs its place. */
void sip_txn_linger(struct sip_ua *ua, struct sip_txn *txn);
/* The oldest half-open call that could have been confirmed by now is given up; false: all are too
 * young. */
[[nodiscard]] bool sip_session_crowd_out(struct sip_ua *ua);
void sip_txn_set_half_open(struct sip_ua *ua, struct sip_txn *txn, bool half_open);
void sip_txn_retransmit_timer(struct sip_ua *ua, uint32_t txn);
void sip_txn_timeout_timer(struct sip_ua *ua, uint32_t txn);
uint64_t sip_client_key(const struct sip_ua *ua, struct str branch, enum sip_method method);
uint64_t sip_server_key(const struct sip_ua *ua, const struct sip_msg *msg, struct str method);

/* Is another transaction of the same request going on (RFC 3261 s8.2.2.2)? */
bool sip_server_is_merged(const struct sip_ua *ua, const struct sip_msg *msg);

struct sip_response {
	uint16_t status;
	struct str reason;  /* empty: standard */
	struct str headers; /* whole lines */
	struct str content_type;
	struct str body;
	bool record_route;
};

/* A new server transaction; NULL when there is no room. */
struct sip_txn *sip_server_create(struct sip_ua *ua, const struct sip_msg *msg,
                                  const struct sip_hop *hop, struct str to_tag);
/* False when there was no room to keep the response, which then was not sent. */
bool sip_server_respond(struct sip_ua *ua, struct sip_txn *txn,
                        const struct sip_response *response);
void sip_server_status(struct sip_ua *ua, struct sip_txn *txn, uint16_t status, struct str headers);

/* ---- sip_client.c --------------------------------------------------------------------------- */

struct sip_request { /* lies in ua->write_bytes, Via and Contact still missing */
	enum sip_method method;
	enum sip_purpose purpose;
	uint32_t session, dialog;
	uint32_t cseq;
	struct str text;
	uint16_t start_len, head_len;
	struct str next_hop; /* URI */
	unsigned transports; /* SIP_TRANSPORT_BIT of those it may go by; 0: any */
	uint32_t flow;       /* use this connection when it stands */
	enum sip_transport last_transport; /* WS and WSS: nothing but `flow` will do */
	unsigned listener;   /* preferred */
	bool with_contact;
	bool secure;
	sip_bytes contact;
	sip_bytes credentials;
};

/* The transaction, or 0 when there is no room.  Failures come later, by sip_session_outcome(). */
uint32_t sip_client_start(struct sip_ua *ua, const struct sip_request *request);
/* The same request once more, with the next CSeq and other head lines (or the same ones when `head`
 * is NULL) under a new transaction, which takes over the session; 0: no room. */
uint32_t sip_client_again(struct sip_ua *ua, struct sip_txn *txn, const struct str *head);
/* Now, or as soon as RFC 3261 s9.1 allows. */
void sip_client_cancel(struct sip_ua *ua, struct sip_txn *invite);
/* DNS or connection news for a locating transaction. */
void sip_client_continue(struct sip_ua *ua, struct sip_txn *txn);
void sip_client_flow_opened(struct sip_ua *ua, struct sip_txn *txn);
/* It came to nothing: the next target, or the owner is told. */
void sip_client_failed(struct sip_ua *ua, struct sip_txn *txn, enum sip_failure failure);
/* A final or provisional response, after the machine has taken it. */
void sip_client_response(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg);
/* The credentials that an INVITE showed: the ACK to its 2xx shows the same (s13.2.2.4). */
void sip_client_write_credentials(struct sip_ua *ua, struct writer *w, const struct sip_txn *txn);
/* The ACK to a non-2xx. */
void sip_client_ack(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg);

/* ---- sip_dialog.c --------------------------------------------------------------------------- */

struct sip_dialog *sip_dialog_get(const struct sip_ua *ua, uint32_t id);
/* As UAS of a request, as UAC of a response (s12.1); NULL: no room, or the peer gave no Contact. */
struct sip_dialog *sip_dialog_of_request(struct sip_ua *ua, const struct sip_msg *msg,
                                         const struct sip_hop *hop, struct str local_tag);
struct sip_dialog *sip_dialog_of_response(struct sip_ua *ua, const struct sip_msg *msg,
                                          const struct sip_txn *txn);
void sip_dialog_free(struct sip_ua *ua, struct sip_dialog *dialog);
uint32_t sip_dialog_find(const struct sip_ua *ua, struct str call_id, struct str local_tag,
                         struct str remote_tag);
struct sip_dialog_view sip_dialog_look(struct sip_ua *ua, const struct sip_dialog *dialog);
/* s12.2.1.2, s12.2.2: a Contact in a target refresh. */
void sip_dialog_refresh_target(struct sip_ua *ua, struct sip_dialog *dialog,
                               const struct sip_msg *msg);
/* The route set of a confirmed dialog is that of the 2xx (s13.2.2.4). */
void sip_dialog_confirm(struct sip_ua *ua, struct sip_dialog *dialog, const struct sip_msg *msg);

struct sip_dialog_request {
	enum sip_method method;
	enum sip_purpose purpose;
	uint32_t cseq;       /* 0: the next one */
	struct str head;     /* lines that may change with a retry */
	struct str headers;  /* other lines */
	struct str content_type;
	struct str body;
	bool with_contact;
};
/* The transaction, or 0. */
uint32_t sip_dialog_send(struct sip_ua *ua, struct sip_dialog *dialog,
                         const struct sip_dialog_request *request);
/* ACK to a 2xx of the INVITE `cseq`; `invite` (may be NULL) remembers it for retransmissions. */
void sip_dialog_ack(struct sip_ua *ua, struct sip_dialog *dialog, uint32_t cseq,
                    struct sip_txn *invite, struct str sdp);
/* A 2xx that was acknowledged before: the same ACK again; false: it was not. */
bool sip_dialog_ack_again(struct sip_ua *ua, const struct sip_txn *invite,
                          const struct sip_msg *msg);
void sip_dialog_bye(struct sip_ua *ua, struct sip_dialog *dialog, struct str headers);
/* The application/sdp in a message, also within a multipart; empty: none.  False: a body that we
 * cannot take and must (415). */
bool sip_body_sdp(const struct sip_msg *msg, struct str *sdp);

/* ---- sip_session*.c ------------------------------------------------------------------------- */

struct sip_session *sip_session_get(const struct sip_ua *ua, uint32_t id);
/* For commands: NULL when the session has ended for the caller. */
struct sip_session *sip_session_live(const struct sip_ua *ua, sip_session_id id);
struct sip_session *sip_session_take(struct sip_ua *ua);
/* Tells the caller (once). */
void sip_session_finish(struct sip_ua *ua, struct sip_session *session, enum sip_end_cause cause,
                        uint16_t status, struct str reason);
/* Gives up every table entry; after sip_session_finish(). */
void sip_session_free(struct sip_ua *ua, struct sip_session *session);
/* Ends the call on the wire from any state, tells the caller, frees when nothing is awaited. */
void sip_session_close(struct sip_ua *ua, struct sip_session *session, enum sip_end_cause cause,
                       uint16_t status, struct str reason);
struct sip_dialog *sip_session_dialog(const struct sip_ua *ua, const struct sip_session *session);
void sip_session_learn(struct sip_session *session, const struct sip_msg *msg);
bool sip_session_keep_sdp(struct sip_ua *ua, struct sip_session *session, struct str sdp);
struct str sip_session_sdp(struct sip_ua *ua, const struct sip_session *session);

/* A new INVITE, admitted. */
void sip_session_invited(struct sip_ua *ua, const struct sip_msg *msg, const struct sip_hop *hop);
/* A request within a dialog; the ACK included. */
void sip_session_request(struct sip_ua *ua, struct sip_dialog *dialog, const struct sip_msg *msg,
                         const struct sip_hop *hop);
void sip_session_cancelled(struct sip_ua *ua, struct sip_txn *invite, const struct sip_msg *msg);
/* `msg` NULL: the request failed.  Provisional responses too. */
void sip_session_outcome(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg);
/* A server transaction of the session lost its peer. */
void sip_session_server_failed(struct sip_ua *ua, struct sip_txn *txn);
/* 2xx to an INVITE, sent until the ACK comes; false without room. */
bool sip_session_send_2xx(struct sip_ua *ua, struct sip_session *session, struct sip_txn *txn,
                          struct str sdp);
/* Contact, Allow and Supported as our messages within a call have them. */
void sip_session_write_contact(struct sip_ua *ua, const struct sip_session *session,
                               const struct sip_txn *txn, struct writer *w);
/* An event without more than a body and a status; false without room. */
bool sip_session_tell(struct sip_ua *ua, struct sip_session *session, enum sip_event_kind kind,
                      uint16_t status, struct str sdp);
void sip_session_stop_ack(struct sip_ua *ua, struct sip_session *session);

/* sip_session_call.c: the INVITE that begins a call of ours */
void sip_call_outcome(struct sip_ua *ua, struct sip_session *session, struct sip_txn *txn,
                      const struct sip_msg *msg);
/* PRACK for a reliable response of `dialog`. */
void sip_call_prack(struct sip_ua *ua, struct sip_dialog *dialog, uint32_t rseq, uint32_t cseq,
                    struct str sdp);
/* Is it a reliable response, the next in order? */
bool sip_call_reliable(struct sip_dialog *dialog, const struct sip_msg *msg, uint32_t *rseq);
/* A 2xx that nobody wants: ACK and BYE (s13.2.2.4). */
void sip_call_refuse_2xx(struct sip_ua *ua, struct sip_txn *txn, const struct sip_msg *msg);
/* Raises what we ask for to the Min-SE of a 422; false when that makes no sense. */
bool sip_call_divert(struct sip_ua *ua, struct sip_session *session, struct sip_txn *txn,
                     const struct sip_msg *msg);
struct str sip_failure_text(struct sip_ua *ua, const struct sip_txn *txn);

/* sip_session_offer.c: re-INVITE and UPDATE */
void sip_offer_request(struct sip_ua *ua, struct sip_session *session, struct sip_dialog *dialog,
                       const struct sip_msg *msg, const struct sip_hop *hop);
void sip_offer_outcome(struct sip_ua *ua, struct sip_session *session, struct sip_txn *txn,
                       const struct sip_msg *msg);
int sip_offer_send(struct sip_ua *ua, struct sip_session *session, bool refresh);
void sip_session_glare_timer(struct sip_ua *ua, uint32_t session);

/* sip_session_timer.c: RFC 4028 */
/* Their request: false when it is to be refused by sip_session_timer_refuse(). */
bool sip_session_timer_request(struct sip_ua *ua, struct sip_session *session,
                               const struct sip_msg *msg);
void sip_session_timer_refuse(struct sip_ua *ua, const struct sip_msg *msg,
                              const struct sip_hop *hop);
void sip_session_timer_response(struct sip_ua *ua, struct sip_session *session,
                                const struct sip_msg *msg);
void sip_session_timer_arm(struct sip_ua *ua, struct sip_session *session);
/* Lines of a request, and of a 2xx. */
void sip_session_timer_write(const struct sip_session *session, struct writer *w);
void sip_session_timer_write_2xx(const struct sip_session *session, struct writer *w);
void sip_session_refresh_timer(struct sip_ua *ua, uint32_t session);
void sip_session_expiry_timer(struct sip_ua *ua, uint32_t session);

/* sip_session.c: timers */
void sip_session_ring_timer(struct sip_ua *ua, uint32_t session);
void sip_session_retransmit_timer(struct sip_ua *ua, uint32_t session);
void sip_session_give_up_timer(struct sip_ua *ua, uint32_t session);

/* sip_session_request.c: INFO, REFER, NOTIFY */
void sip_request_received(struct sip_ua *ua, struct sip_session *session, struct sip_txn *txn,
                          const struct sip_msg *msg);

/* sip_session_incoming.c: the INVITE that begins a call of theirs, and RFC 3262 as its server */
void sip_incoming_prack(struct sip_ua *ua, struct sip_session *session, struct sip_txn *txn,
                        const struct sip_msg *msg);
/* Sends the response that waited for a PRACK or for the answer to an offer, if one does. */
void sip_incoming_next(struct sip_ua *ua, struct sip_session *session);
void sip_incoming_acked(struct sip_ua *ua, struct sip_session *session, const struct sip_msg *msg);

/* ---- sip_ua.c ------------------------------------------------------------------------------- */

/* Every input: time goes forward, and the outputs of the last input were taken. */
void sip_ua_enter(struct sip_ua *ua, int64_t now_us);
/* Every command: time goes forward. */
void sip_ua_command(struct sip_ua *ua, int64_t now_us);
/* A whole message from a datagram or a connection. */
void sip_ua_message(struct sip_ua *ua, const struct sip_hop *hop, const uint8_t *bytes, size_t len,
                    enum sip_framing framing);
/* A response without a transaction (s8.2.7); `headers` are whole lines. */
void sip_ua_respond_once(struct sip_ua *ua, const struct sip_msg *msg, const struct sip_hop *hop,
                         uint16_t status, struct str headers);
void sip_ua_respond_full(struct sip_ua *ua, const struct sip_msg *msg, const struct sip_hop *hop);
/* Where answers to a request from `hop` go (s18.2.2, RFC 3581). */
struct sip_hop sip_ua_reply_hop(const struct sip_msg *msg, const struct sip_hop *hop);
void sip_write_allow_all(struct writer *w);
void sip_write_supported(struct writer *w);

#endif

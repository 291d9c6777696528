/* SPDX-License-Identifier: Apache-2.0 */
/* sdp -- read and write session descriptions (RFC 8866) with the attributes of RTP media:
 * RFC 3264 directions, 3605 rtcp, 4568 crypto, 4574 label, 4585 rtcp-fb, 4796 content, 5506
 * rtcp-rsize, 5576 ssrc, 5761 rtcp-mux, 5888 mid and group, 8122 fingerprint, 4145 setup, 8285
 * extmap, 8830 msid, 8838 trickle, 8839 ICE, 8842 tls-id, 8851 rid, 8853 simulcast, 9143 BUNDLE.
 *
 * Sans-IO: text in, views out; no allocation.  What is negotiated out of two descriptions is the
 * business of sdp_session.h.
 *
 * Ownership  A parsed `struct sdp` borrows the text it was read from; every `struct str` in it is
 *            a view into that text.  A description to be written borrows whatever its views name.
 * Threads    Pure functions; any thread.
 * Units      Bandwidth is bits a second, packet times are milliseconds, ports host order.
 * Errors     sdp_parse() gives an `enum sdp_reject` naming the rule the peer broke and then leaves
 *            `*out` without lines.  Attributes nobody needs to agree on (candidate, ssrc, rtcp-fb,
 *            ptime) are ignored when malformed; a bad crypto line is kept with its fault; a
 *            fingerprint of a hash we do not have is left out.
 * Limits     Below.  `struct sdp` is about 130 kB: one on the stack of the control thread is fine.
 *
 * Taken although RFC 8866 forbids it, because it is sent: lines ended by LF alone and a last line
 * without an end (hand-made scripts, sipp scenarios); no s= or t= line (embedded door phones); no
 * o= line (some gateways); blanks at line ends; letters we do not know (k=, r=, z= of old
 * products); rtpmap and fmtp lines for formats the m= line lacks; static payload types without
 * rtpmap (every telephone; RFC 3551 allows it); several values per attribute where one is meant,
 * of which the first counts.
 */
#ifndef SDP_SDP_H
#define SDP_SDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/str.h"

enum {
	/* A video line of Chromium has 4.6 kB with all its codecs, 2.6 kB with the six that serve. */
	SDP_BYTES_MAX = 128 * 1024,
	SDP_MEDIAS_MAX = 40,
	SDP_CODECS_MAX = 512, /* these and the following: of a whole description */
	SDP_FEEDBACKS_MAX = 1024,
	SDP_CANDIDATES_MAX = 192,
	SDP_EXTMAPS_MAX = 512,
	SDP_CRYPTOS_MAX = 48,
	SDP_FINGERPRINTS_MAX = 48,
	SDP_SSRCS_MAX = 128,
	SDP_RIDS_MAX = 96,
	SDP_OTHERS_MAX = 256,
	SDP_GROUPS_MAX = 8,
	SDP_FINGERPRINT_BYTES_MAX = 64, /* SHA-512 */
	SDP_CRYPTO_KEY_BYTES_MAX = 46,  /* AES-256: 32 bytes of key, 14 of salt */
	SDP_ICE_UFRAG_MAX = 256,        /* RFC 8839 s5.4 */
	SDP_ICE_PWD_MAX = 256,
	SDP_BANDWIDTH_BPS_MAX = 2000000000,
};

enum sdp_reject {
	SDP_OK = 0,
	/* sdp_parse() */
	SDP_REJECT_LONG,       /* more than SDP_BYTES_MAX */
	SDP_REJECT_LINE,       /* not "letter=value", or a control byte in it */
	SDP_REJECT_VERSION,    /* does not begin with v=0 */
	SDP_REJECT_ORIGIN,     /* o= is not six words */
	SDP_REJECT_CONNECTION, /* c= malformed, or a media line is without */
	SDP_REJECT_MEDIA,      /* m= malformed: port, protocol or formats */
	SDP_REJECT_ATTR,       /* an attribute that must be understood is malformed */
	SDP_REJECT_TOO_MANY,   /* a limit above */
	/* sdp_session.h */
	SDP_REJECT_STATE,       /* an offer while ours is out (glare), or an answer to nothing */
	SDP_REJECT_ORDER,       /* lines are missing, moved or of another kind (RFC 3264 s8, s6) */
	SDP_REJECT_NO_MEDIA,    /* no line has anything in common with us: 488 */
	SDP_REJECT_ENCRYPTION,  /* encryption is required here and not on offer: 488 */
	SDP_REJECT_UNENCRYPTED, /* encryption is prohibited here and demanded there: 488 */
	SDP_REJECT_COUNT,
};

enum sdp_kind {
	SDP_AUDIO,
	SDP_VIDEO,
	SDP_TEXT,
	SDP_APPLICATION,
	SDP_IMAGE,
	SDP_MESSAGE,
	SDP_KIND_OTHER,
};

enum sdp_proto {
	SDP_PROTO_OTHER,      /* T.38, MSRP, SCTP, RTP over TCP */
	SDP_PROTO_BFCP_UDP,   /* UDP/BFCP (RFC 8856) */
	SDP_PROTO_BFCP_TCP,   /* TCP/BFCP */
	SDP_PROTO_BFCP_TLS,   /* TCP/TLS/BFCP */
	SDP_PROTO_BFCP_DTLS,  /* UDP/TLS/BFCP */
	SDP_PROTO_AVP,        /* RTP/AVP */
	SDP_PROTO_AVPF,       /* RTP/AVPF */
	SDP_PROTO_SAVP,       /* RTP/SAVP */
	SDP_PROTO_SAVPF,      /* RTP/SAVPF */
	SDP_PROTO_DTLS_SAVP,  /* UDP/TLS/RTP/SAVP */
	SDP_PROTO_DTLS_SAVPF, /* UDP/TLS/RTP/SAVPF */
};

/* Two bits, so that directions can be masked: SDP_SENDRECV == SDP_SENDONLY | SDP_RECVONLY. */
enum sdp_direction {
	SDP_INACTIVE = 0,
	SDP_SENDONLY = 1,
	SDP_RECVONLY = 2,
	SDP_SENDRECV = 3,
};

enum sdp_setup {
	SDP_SETUP_NONE,
	SDP_SETUP_ACTIVE,
	SDP_SETUP_PASSIVE,
	SDP_SETUP_ACTPASS,
	SDP_SETUP_HOLDCONN,
};

enum sdp_hash {
	SDP_HASH_OTHER, /* one we cannot check, such as md5: never in a parsed description */
	SDP_HASH_SHA1,
	SDP_HASH_SHA224,
	SDP_HASH_SHA256,
	SDP_HASH_SHA384,
	SDP_HASH_SHA512,
};

/* In our order of preference, best last, so that a mask of suites can be walked downwards. */
enum sdp_suite {
	SDP_SUITE_NONE,
	SDP_SUITE_AES_CM_128_HMAC_SHA1_32,
	SDP_SUITE_AES_CM_128_HMAC_SHA1_80,
	SDP_SUITE_AES_256_CM_HMAC_SHA1_32, /* RFC 6188 */
	SDP_SUITE_AES_256_CM_HMAC_SHA1_80,
	SDP_SUITE_AEAD_AES_256_GCM, /* RFC 7714 */
	SDP_SUITE_AEAD_AES_128_GCM, /* as strong as anyone needs and the cheapest by far */
	SDP_SUITES,
};

/* Why a crypto line cannot be used; RFC 4568 has us ignore such a line, not the description. */
enum sdp_crypto_fault {
	SDP_CRYPTO_OK,
	SDP_CRYPTO_SUITE, /* unknown */
	SDP_CRYPTO_KEY,   /* no inline key, or of the wrong length */
	SDP_CRYPTO_MKI,   /* a master key identifier, or several keys */
	SDP_CRYPTO_PARAM, /* a session parameter we do not have, such as KDR or UNENCRYPTED_SRTP */
};

enum sdp_candidate_type {
	SDP_CANDIDATE_HOST,
	SDP_CANDIDATE_SRFLX,
	SDP_CANDIDATE_PRFLX,
	SDP_CANDIDATE_RELAY,
};

/* A slice of one of the tables of `struct sdp`. */
struct sdp_range {
	uint16_t first;
	uint16_t count;
};

struct sdp_codec {
	struct str name; /* empty: a dynamic payload type without rtpmap */
	struct str fmtp; /* parameters without the payload type; see sdp_fmtp_get() */
	uint32_t rate_hz;
	uint8_t channels; /* 1 when not told */
	uint8_t payload;
};

struct sdp_feedback {
	int16_t payload;  /* -1: all ("*") */
	struct str value; /* "nack pli" */
};

struct sdp_extmap {
	uint16_t id;
	enum sdp_direction direction;
	struct str uri;
	struct str params;
};

struct sdp_candidate {
	struct str foundation;
	uint16_t component; /* 1 RTP, 2 RTCP */
	bool is_udp;
	enum sdp_candidate_type type;
	uint32_t priority;
	struct net_addr addr;    /* family ADDR_NONE when `host` is a name (mDNS) */
	struct str host;         /* as it stands; ignored when writing an address */
	struct net_addr related; /* family ADDR_NONE when not told */
	struct str tcp_type;
	struct str ufrag; /* extension of trickled candidates, else empty */
};

struct sdp_fingerprint {
	enum sdp_hash hash;
	uint8_t len;
	uint8_t bytes[SDP_FINGERPRINT_BYTES_MAX];
};

struct sdp_crypto {
	uint32_t tag;
	enum sdp_crypto_fault fault;
	enum sdp_suite suite;
	uint8_t key_len; /* master key and salt */
	uint8_t key[SDP_CRYPTO_KEY_BYTES_MAX];
	uint64_t lifetime_packets; /* 0: the suite's own */
};

struct sdp_ssrc {
	uint32_t ssrc;
	struct str name; /* "cname" */
	struct str value;
};

struct sdp_rid {
	struct str id;
	bool is_send;
	struct str params;
};

/* An attribute that has no member of its own: "a=NAME:VALUE" or "a=NAME". */
struct sdp_attr {
	struct str name;
	struct str value;
};

struct sdp_connection {
	struct net_addr addr; /* port 0; family ADDR_NONE when absent or `host` is a name */
	struct str host;
};

struct sdp_media {
	enum sdp_kind kind;
	enum sdp_proto proto;
	struct str kind_text;
	struct str proto_text;
	struct str formats; /* the rest of the m= line */
	uint16_t port;
	struct sdp_connection connection; /* the session's when the media has none */
	uint32_t bandwidth_bps;           /* TIAS, else AS; 0: not told */
	enum sdp_direction direction;     /* the session's, or sendrecv, when not told */
	uint16_t ptime_ms;
	uint16_t maxptime_ms;
	bool rtcp_mux;
	bool rtcp_mux_only;
	bool rtcp_rsize;
	bool bundle_only;
	bool extmap_allow_mixed;
	bool ice_mismatch;
	bool end_of_candidates;
	bool ice_trickle;          /* ice-options has "trickle" */
	uint16_t rtcp_port;        /* 0: not told */
	struct net_addr rtcp_addr; /* port 0; family ADDR_NONE when only a port is told */
	struct str mid;
	struct str label;
	struct str content;
	struct str msid;
	struct str ice_ufrag; /* these five: the session's when the media has none */
	struct str ice_pwd;
	struct str ice_options;
	enum sdp_setup setup;
	struct str tls_id;
	struct str simulcast;
	struct sdp_range codecs; /* in order of the m= line; none when `proto` is no RTP */
	struct sdp_range feedbacks;
	struct sdp_range extmaps;
	struct sdp_range candidates;
	struct sdp_range fingerprints; /* the session's when the media has none */
	struct sdp_range cryptos;
	struct sdp_range ssrcs;
	struct sdp_range rids;
	struct sdp_range others;
};

struct sdp_origin {
	struct str user; /* empty: no o= line */
	struct str id;   /* 64-bit numbers by the book, kept as text because some are larger */
	struct str version;
	struct str host;
	struct net_addr addr; /* used when writing; family ADDR_NONE: `host` is written */
};

struct sdp {
	struct sdp_origin origin;
	struct str name;
	struct sdp_connection connection;
	uint32_t bandwidth_bps;
	bool ice_lite;
	bool extmap_allow_mixed;
	struct sdp_range fingerprints; /* session level */
	struct sdp_range others;
	uint16_t group_count;
	uint16_t media_count;
	uint16_t codec_count;
	uint16_t feedback_count;
	uint16_t extmap_count;
	uint16_t candidate_count;
	uint16_t fingerprint_count;
	uint16_t crypto_count;
	uint16_t ssrc_count;
	uint16_t rid_count;
	uint16_t other_count;
	struct str bundles[SDP_GROUPS_MAX]; /* the mids of each a=group:BUNDLE */
	struct sdp_media medias[SDP_MEDIAS_MAX];
	struct sdp_codec codecs[SDP_CODECS_MAX];
	struct sdp_feedback feedbacks[SDP_FEEDBACKS_MAX];
	struct sdp_extmap extmaps[SDP_EXTMAPS_MAX];
	struct sdp_candidate candidates[SDP_CANDIDATES_MAX];
	struct sdp_fingerprint fingerprint_table[SDP_FINGERPRINTS_MAX];
	struct sdp_crypto cryptos[SDP_CRYPTOS_MAX];
	struct sdp_ssrc ssrcs[SDP_SSRCS_MAX];
	struct sdp_rid rids[SDP_RIDS_MAX];
	struct sdp_attr other_table[SDP_OTHERS_MAX];
};

[[nodiscard]] enum sdp_reject sdp_parse(struct sdp *out, struct str text);

/* A description without lines, to be filled. */
void sdp_init(struct sdp *sdp);
/* Writes every member that is set; what was inherited from the session level is written with each
 * media line.  CRLF line ends. */
void sdp_write(struct writer *w, const struct sdp *sdp);

/* One candidate as browsers trickle it: "candidate:..." with or without "a=" in front. */
[[nodiscard]] bool sdp_candidate_parse(struct sdp_candidate *out, struct str text);
void sdp_candidate_write(struct writer *w, const struct sdp_candidate *candidate);

/* "useinbandfec=1; usedtx=1": the value of one parameter; false when absent. */
[[nodiscard]] bool sdp_fmtp_get(struct str fmtp, struct str name, struct str *value);
/* A number, or `otherwise` when absent or no number. */
uint32_t sdp_fmtp_u32(struct str fmtp, struct str name, uint32_t otherwise);

/* Does one rtcp-fb value of a peer's allow ours?  "ccm fir tmmbr" (Polycom) and "ccm tmmbr
 * smaxpr=120" hold "ccm tmmbr"; "nack pli" does not hold "nack". */
[[nodiscard]] bool sdp_feedback_has(struct str theirs, struct str ours);

/* Is `mid` one of the words of a group line? */
[[nodiscard]] bool sdp_group_has(struct str mids, struct str mid);

static inline bool
sdp_proto_is_rtp(enum sdp_proto proto)
{
	return proto >= SDP_PROTO_AVP;
}

static inline bool
sdp_proto_is_bfcp(enum sdp_proto proto)
{
	return proto >= SDP_PROTO_BFCP_UDP && proto <= SDP_PROTO_BFCP_DTLS;
}

static inline enum sdp_direction
sdp_direction_reverse(enum sdp_direction d)
{
	return (enum sdp_direction)(((unsigned)d & 1) << 1 | (unsigned)d >> 1);
}

[[nodiscard]] bool sdp_fingerprint_eq(const struct sdp_fingerprint *a,
                                      const struct sdp_fingerprint *b);

struct str sdp_kind_name(enum sdp_kind kind);
struct str sdp_proto_name(enum sdp_proto proto);
struct str sdp_direction_name(enum sdp_direction direction);
struct str sdp_suite_name(enum sdp_suite suite);
/* Bytes of master key and salt; 0 for SDP_SUITE_NONE. */
uint8_t sdp_suite_key_bytes(enum sdp_suite suite);
const char *sdp_reject_name(enum sdp_reject reject);

#endif

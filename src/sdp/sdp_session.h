/* SPDX-License-Identifier: Apache-2.0 */
/* sdp_session -- the offer/answer machine of one call leg: RFC 3264, 6337, 4568 (SDES), 8643
 * (OSRTP), 5763 and 8842 (DTLS-SRTP), 8839 (ICE, seen from an ICE-lite agent), 9143 (BUNDLE), 5761
 * (rtcp-mux); for pictures 6184 s8.2.2 (H.264), 4588 (retransmission), 8853 (simulcast, received),
 * 5576 (our SSRCs); for rooms 4796 and 4574 (content, label), 8856 (BFCP) and H.224 as any RTP.
 *
 * The caller says once what it is able to do (`struct sdp_settings`, one `struct sdp_media_cap` for
 * each purpose a line can have: sound, camera, screen, tile), gives the transport facts
 * with each description it writes, and reads the outcome per media line from `lines`:
 *
 *	we call     offer_write -> SIP -> answer_take             (answer_take fails: end the call)
 *	they call   offer_take -> read lines, get ports -> answer_write
 *	offer refused (488, 491) or cancelled: offer_drop
 *
 * Sans-IO; the state is a value: a copy taken before offer_take() brings the leg back to where it
 * was if the answer cannot be given in the end.  A rejected description changes nothing.
 *
 * Ownership  `settings` is borrowed for the life of the session.  Texts, writers and transports
 *            are borrowed for one call.  Everything the outcome needs is copied into the session.
 * Threads    One owner.
 * Units      Ports host order; `payload` is an RTP payload type; bandwidth bits a second.
 * Errors     Peers' faults are `enum sdp_reject`.  Writers fail by their sticky `failed` only.
 *            Misuse (an answer without an offer) asserts.
 * Limits     Below.  More media lines than SDP_LINES_MAX are SDP_REJECT_TOO_MANY.
 *            Codecs and extensions beyond a limit are left out.  A session takes about 22 kB.
 *
 * Remote candidates are not kept: an ICE-lite agent sends no checks.  A caller that wants them reads
 * them with sdp_parse(); trickled ones with sdp_candidate_parse().
 */
#ifndef SDP_SDP_SESSION_H
#define SDP_SDP_SESSION_H

#include "sdp/sdp.h"

enum {
	SDP_LINES_MAX = 32,
	SDP_PATHS_MAX = 8, /* transports of one call: a room has 5 lines, a browser one bundle */
	SDP_CAP_CODECS_MAX = 24,     /* codecs of one media in the settings */
	SDP_LINE_CODECS_MAX = 16,    /* agreed codecs of one line, events not counted */
	SDP_SESSION_CODECS_MAX = 224, /* and of all lines */
	SDP_LINE_EVENTS_MAX = 2,     /* telephone-event at 48000 and 8000 */
	SDP_EXTENSIONS_MAX = 8,
	SDP_LINE_FEEDBACKS_MAX = 16,
	SDP_MID_MAX = 32,
	SDP_RIDS_OF_LINE_MAX = 3, /* simulcast layers: further ones are not answered */
	SDP_RID_MAX = 15,
	SDP_FMTP_MAX = 128, /* longer ones are cut after the last whole parameter */
	/* All different fmtps of a session; a codec that finds no room for its own is left out. */
	SDP_FMTPS_BYTES_MAX = 3072,
	SDP_LINE_UFRAG_MAX = 64, /* no product known to send more than 32 */
	SDP_LINE_PWD_MAX = 128,
	SDP_TLS_ID_MAX = 64,
	SDP_PAYLOAD_NONE = 255,
	SDP_PATH_NONE = 255,
	/* Random bytes for the SDES keys of one line: one key for each suite, none shared. */
	SDP_SDES_RANDOM_BYTES = (SDP_SUITES - 1) * SDP_CRYPTO_KEY_BYTES_MAX,
};

enum sdp_encryption { /* as sipMediaEncryption of a callLegProfile */
	              SDP_ENCRYPTION_OPTIONAL,
	              SDP_ENCRYPTION_REQUIRED,
	              SDP_ENCRYPTION_PROHIBITED,
};

enum sdp_security {
	SDP_SECURITY_NONE, /* RTP in the clear */
	SDP_SECURITY_SDES,
	SDP_SECURITY_DTLS,
};

/* Why a line of the peer was not taken. */
enum sdp_refusal {
	SDP_REFUSAL_NONE,
	SDP_REFUSAL_PEER,       /* port 0: the peer does not want it, or no longer */
	SDP_REFUSAL_MEDIA,      /* no such media in the settings, or its transport is missing */
	SDP_REFUSAL_PROTO,      /* not RTP over UDP, nor BFCP as we speak it */
	SDP_REFUSAL_CODEC,      /* no codec in common */
	SDP_REFUSAL_ENCRYPTION, /* required here, not on offer, or no suite in common */
	SDP_REFUSAL_CLEAR,      /* prohibited here, demanded there */
	SDP_REFUSAL_TRANSPORT,  /* no address, or no usable ICE or DTLS data */
};

/* How we offer media.  An offer received is taken in any form that the policy allows. */
enum sdp_profile {
	SDP_PROFILE_CLEAR,       /* RTP/AVP */
	SDP_PROFILE_BEST_EFFORT, /* RTP/AVP with crypto lines (RFC 8643): clear if not answered */
	SDP_PROFILE_SDES,        /* RTP/SAVP with crypto lines */
	SDP_PROFILE_DTLS,        /* UDP/TLS/RTP/SAVPF */
};

struct sdp_codec_cap {
	struct str name;
	uint32_t rate_hz;
	uint8_t channels;
	uint8_t payload; /* wished for in our offers; 96 and up may move when taken */
	struct str fmtp; /* what we send about what we want to receive */
};

/* Floor control (RFC 8856).  We are the server, unless the peer only is one itself. */
struct sdp_bfcp_cap {
	uint32_t protos;         /* bit (1u << enum sdp_proto) of each that is taken; 0: no BFCP */
	enum sdp_proto offered;  /* in our offers */
	bool client;             /* we may be the client */
	uint32_t conference_id;  /* these three: of ours, when we are the server */
	uint16_t user_id;
	uint16_t floor_id;
	struct str stream;       /* the label of the line that the floor is for */
};

struct sdp_media_cap {
	enum sdp_kind kind;
	struct str content; /* "" or "main": the main line; "slides": content (RFC 4796) */
	/* Our wish to begin with.  A new line of the peer goes to the first media it fits and that is
	 * free: with SENDONLY only lines on which the peer does not send, with RECVONLY only those on
	 * which it sends; an inactive line fits both.  Where no line is marked by a=content, a second
	 * line that sends fits RECVONLY content too. */
	enum sdp_direction direction;
	bool many; /* is free for any number of lines (a browser's tiles); offered once */
	const struct sdp_codec_cap *codecs; /* preferred first; telephone-event among them */
	size_t codec_count;
	/* RFC 4588: each codec's retransmission is taken when offered, and offered where the line's
	 * protocol knows feedback. */
	bool rtx;
	uint8_t simulcast_max; /* layers the peer may send; at most SDP_RIDS_OF_LINE_MAX */
	/* rtcp-fb values for every codec.  Also offered and taken with RTP/AVP and RTP/SAVP, which by
	 * RFC 4585 have none: Cisco's and Poly's rooms and baresip send them there and mean it. */
	const struct str *feedbacks;
	size_t feedback_count;
	uint32_t extensions; /* bit i: settings.extensions[i] serves here; 0: all do */
	uint16_t ptime_ms; /* 0: not written */
	uint16_t maxptime_ms;
	uint32_t bandwidth_bps; /* what we can take in, written as TIAS and AS; 0: not written */
	struct str label;       /* a=label; empty: not written */
	struct sdp_bfcp_cap bfcp; /* then no codecs, and `kind` is SDP_APPLICATION */
};

struct sdp_settings {
	const struct sdp_media_cap *medias;
	size_t media_count;           /* at most SDP_LINES_MAX */
	const struct str *extensions; /* URIs we know, in the order of sdp_line.extension_ids */
	size_t extension_count;
	enum sdp_encryption encryption;
	enum sdp_profile profile; /* of our offers; must agree with `encryption` */
	bool sdes;                /* allowed */
	bool dtls;
	bool ice; /* offered, and answered when offered */
	bool ice_lite;
	bool bundle; /* offered, and answered when offered */
	bool rtcp_mux;
	uint32_t suites;     /* bit (1u << enum sdp_suite) of each that may be used */
	struct str user;     /* o= user, "-" if empty */
	struct str cname;    /* of a=ssrc lines (RFC 3550 s6.5.1) */
	uint64_t session_id; /* o= session id; random, below 2^63 */
};

/* Facts about the socket of one media, from the worker that owns it. */
struct sdp_transport {
	struct net_addr rtp;  /* as the peer must send to it; port 0: this media cannot be had */
	struct net_addr rtcp; /* port 0: rtp.port + 1 */
	struct str ice_ufrag; /* new ones after lines[].ice_restart */
	struct str ice_pwd;
	const struct net_addr *candidates; /* host candidates for RTP, best first */
	size_t candidate_count;
	const struct net_addr *rtcp_candidates; /* host candidates for RTCP, used without mux */
	size_t rtcp_candidate_count;
	struct sdp_fingerprint fingerprint;
	struct str tls_id;          /* empty: not written */
	const uint8_t *sdes_random; /* SDP_SDES_RANDOM_BYTES, fresh; read when a line needs keys */
};

struct sdp_line_codec {
	uint8_t cap;             /* index in the media's `codecs` */
	uint8_t send_payload;    /* the peer receives it as */
	uint8_t receive_payload; /* the peer sends it as */
	uint8_t send_rtx_payload; /* its retransmissions; SDP_PAYLOAD_NONE: none */
	uint8_t receive_rtx_payload;
	uint16_t feedbacks;      /* bit i: the media's feedbacks[i] is agreed */
	uint16_t fmtp_at;        /* sdp_session_fmtp() */
};

struct sdp_line_event {
	uint32_t rate_hz;
	uint8_t send_payload;
	uint8_t receive_payload;
};

struct sdp_sdes {
	enum sdp_suite suite; /* SDP_SUITE_NONE: not used */
	uint32_t tag;
	uint8_t local_key[SDP_CRYPTO_KEY_BYTES_MAX];  /* we send with it; after answer_write() */
	uint8_t remote_key[SDP_CRYPTO_KEY_BYTES_MAX]; /* the peer sends with it */
};

/* What the far end of one transport says about itself, and our secrets for it.  Bundled lines have
 * one path, that of the line that carries them. */
struct sdp_path {
	char remote_ufrag[SDP_LINE_UFRAG_MAX + 1];
	char remote_pwd[SDP_LINE_PWD_MAX + 1];
	struct sdp_fingerprint remote_fingerprint;
	struct sdp_sdes sdes;
	/* For the machine only. */
	bool has_random;
	uint8_t sdes_random[SDP_SDES_RANDOM_BYTES];
	char remote_tls_id[SDP_TLS_ID_MAX + 1];
};

/* Floor control as agreed. */
struct sdp_bfcp {
	bool server;            /* we are */
	bool active;            /* we connect; without meaning for UDP */
	bool connection_new;    /* a new connection is to be made (RFC 4145 s5) */
	uint32_t conference_id; /* these three: the server's, ours or the peer's */
	uint16_t user_id;       /* of the client */
	uint16_t floor_id;
};

/* The outcome for one m= line, in the order of the descriptions. */
struct sdp_line {
	bool accepted;
	enum sdp_refusal refusal; /* when not accepted */
	int8_t media;             /* index in settings.medias; -1: none */
	enum sdp_kind kind;
	enum sdp_proto proto;

	enum sdp_direction direction; /* ours: what may flow now */
	bool held;                    /* the peer has put us on hold */
	uint8_t transport_line; /* the line whose transport carries this one (BUNDLE), or itself */

	/* Agreed codecs, the one to send first: session.codecs[codec_first ...]. */
	uint16_t codec_first;
	uint8_t codec_count;
	uint8_t event_count;
	struct sdp_line_event events[SDP_LINE_EVENTS_MAX];
	uint16_t ptime_ms; /* as the peer likes to receive; 0: not told */
	uint16_t maxptime_ms;
	uint32_t bandwidth_bps;                    /* the peer's limit; 0: not told */
	uint8_t extension_ids[SDP_EXTENSIONS_MAX]; /* 0: not agreed */
	bool extmap_allow_mixed;                   /* one- and two-byte headers may alternate */
	uint8_t rid_count; /* simulcast the peer sends, in its order; 0: one plain stream */
	char rids[SDP_RIDS_OF_LINE_MAX][SDP_RID_MAX + 1];
	uint32_t send_ssrc; /* sdp_session_sources_set(); 0: not told */
	uint32_t send_rtx_ssrc;
	struct sdp_bfcp bfcp;

	bool rtcp_mux;
	bool rtcp_rsize;
	struct net_addr remote_rtp;  /* with `ice`: only a hint */
	struct net_addr remote_rtcp; /* equal to remote_rtp with rtcp_mux */
	bool remote_learn;           /* no usable address told: learn it from the first packet */

	bool ice;
	bool ice_restart;  /* this description changed the peer's credentials */
	bool ice_mismatch; /* offered, but the address is none of the candidates: not used */
	bool remote_ice_lite;

	enum sdp_security security;
	bool dtls_server;  /* we wait for the ClientHello (a=setup:passive) */
	bool dtls_restart; /* this description asks for a new DTLS association */
	uint8_t path;      /* sdp_session_path() */

	char mid[SDP_MID_MAX + 1];

	/* For the machine only. */
	enum sdp_direction wish;
	bool fresh;       /* in our unanswered offer for the first time */
	bool offered_ice; /* these: as in the last offer of ours */
	bool offered_mux;
	bool offered_securities[SDP_SECURITY_DTLS + 1];
	int8_t bundle_group; /* -1: none */
	uint8_t bundle_rank; /* place in the group's list */
	uint8_t payloads[SDP_CAP_CODECS_MAX]; /* we receive; SDP_PAYLOAD_NONE: not assigned */
	uint8_t rtx_payloads[SDP_CAP_CODECS_MAX];
	char kind_text[16]; /* these three are repeated in answers */
	char proto_text[32];
	char format[32];
};

enum sdp_session_state {
	SDP_STABLE,
	SDP_HAVE_LOCAL_OFFER,
	SDP_HAVE_REMOTE_OFFER,
};

struct sdp_session {
	const struct sdp_settings *settings;
	enum sdp_session_state state;
	uint64_t version; /* o= version of the last description written */
	uint64_t written_hash;
	bool uses_mid;                             /* one side has written a=mid */
	uint8_t extension_ids[SDP_EXTENSIONS_MAX]; /* one number per URI for the whole session */
	uint8_t line_count;
	uint16_t codec_count;
	uint16_t fmtps_len;
	struct sdp_line lines[SDP_LINES_MAX];
	struct sdp_path paths[SDP_PATHS_MAX];
	struct sdp_line_codec codecs[SDP_SESSION_CODECS_MAX];
	char fmtps[SDP_FMTPS_BYTES_MAX]; /* each different one once, with NUL; the first is empty */
};

void sdp_session_init(struct sdp_session *session, const struct sdp_settings *settings);
/* Wipes the keys. */
void sdp_session_fini(struct sdp_session *session);

/* Our wish for a line from the next description on: hold is SDP_SENDONLY or SDP_INACTIVE. */
void sdp_session_direction_set(struct sdp_session *session, unsigned line,
                               enum sdp_direction direction);

/* The SSRCs we send with on a line, told in the next description of ours (RFC 5576, 8830);
 * `rtx_ssrc` 0: no retransmissions. */
void sdp_session_sources_set(struct sdp_session *session, unsigned line, uint32_t ssrc,
                             uint32_t rtx_ssrc);

/* Writes an offer: the lines there are, in their order, then a line for each media that has none.
 * `transports[i]` belongs to settings.medias[i].  State must be SDP_STABLE. */
void sdp_session_offer_write(struct sdp_session *session, const struct sdp_transport *transports,
                             struct writer *out);
[[nodiscard]] enum sdp_reject sdp_session_answer_take(struct sdp_session *session, struct str text);
/* Our offer was refused: back to what was agreed before.  Nothing without an offer, as after a
 * rejected answer. */
void sdp_session_offer_drop(struct sdp_session *session);

/* Takes an offer; `lines` then hold what the answer will say.  A line may still be lost by
 * answer_write() if its transport has no port. */
[[nodiscard]] enum sdp_reject sdp_session_offer_take(struct sdp_session *session, struct str text);
void sdp_session_answer_write(struct sdp_session *session, const struct sdp_transport *transports,
                              struct writer *out);

/* The first line of a media that is accepted, or NULL. */
const struct sdp_line *sdp_session_line(const struct sdp_session *session, unsigned media);
/* Of an accepted line of RTP, or of BFCP over TLS (then only the fingerprint is set). */
const struct sdp_path *sdp_session_path(const struct sdp_session *session,
                                        const struct sdp_line *line);
/* The peer's fmtp of an agreed codec; borrowed until the next description. */
struct str sdp_session_fmtp(const struct sdp_session *session, const struct sdp_line_codec *codec);

/* RFC 7587 s6.1 with its defaults, from a codec's fmtp. */
struct sdp_opus {
	uint32_t maxplaybackrate_hz;
	uint32_t maxaveragebitrate_bps; /* 0: not told */
	bool stereo;
	bool cbr;
	bool useinbandfec;
	bool usedtx;
};
struct sdp_opus sdp_opus_of(struct str fmtp);

const char *sdp_refusal_name(enum sdp_refusal refusal);
/* One line of text per media line, for admin and tests. */
void sdp_session_dump(const struct sdp_session *session, struct writer *w);

#endif

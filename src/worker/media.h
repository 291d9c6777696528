/* SPDX-License-Identifier: Apache-2.0 */
/* media -- everything one media worker does with the sound and pictures of its rooms, sans-IO.
 *
 * One `struct media` holds the legs and rooms of one worker: ICE, DTLS, SRTP, RTP, jitter buffers,
 * decoding, choosing the loudest, mixing, encoding and sending; pictures it forwards, or has them
 * composed by its codec process (media_video.h).  The control thread tells it what
 * to do by orders and learns what happened by events; both are fixed-size values, so a shell may
 * carry them over rings (worker/worker.h), and a simulator may call straight in.
 *
 * Handles    The control thread chooses them: a leg or room handle comes from a base/slab of its
 *            own with `legs_max` or `rooms_max` slots per worker.  The worker uses the handle's
 *            index as its own slot and keeps the whole handle, so that an order for a leg that is
 *            gone, or an event of a leg that was replaced, is known as stale and dropped.  Orders
 *            can therefore be sent one behind the other without waiting for events.
 * Ownership  media_create() allocates every table once; packets of sound and frames allocate
 *            nothing.  Orders that open a leg or a room, or set up its security, do, and so does a
 *            DTLS handshake.  Bytes given to the sink are borrowed until it returns; datagrams
 *            given to media_input() are decrypted in place and not kept.
 * Threads    One: the worker that owns it.
 * Units      Microseconds, bytes; sound inside is 48 kHz mono, 20 ms a frame.
 * Errors     A peer's faults are counted per leg and worker (media_counters); orders that cannot be
 *            carried out come back as MEDIA_EVENT_LEG_REFUSED or MEDIA_EVENT_LEG_LOST.
 * Limits     `legs_max` legs, `rooms_max` rooms; one room may hold all the legs.  A room is mixed
 *            in one of MEDIA_PHASES time slots of a frame, so that a worker's load is spread over
 *            it.
 */
#ifndef WORKER_MEDIA_H
#define WORKER_MEDIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/prng.h"
#include "worker/media_video.h"

enum {
	MEDIA_FRAME_US = 20000,
	MEDIA_PHASES = 4,
	MEDIA_TICK_US = MEDIA_FRAME_US / MEDIA_PHASES,
	MEDIA_CODECS_MAX = 8,      /* payload types one leg may receive */
	MEDIA_FINGERPRINT_MAX = 64, /* SHA-512 */
	MEDIA_ICE_UFRAG_MAX = 64,
	MEDIA_ICE_PWD_MAX = 128,
	MEDIA_SDES_KEY_MAX = 46,   /* 32 bytes of key and 14 of salt */
	MEDIA_DTMF_DIGITS_MAX = 32,
	MEDIA_DATAGRAM_MAX = 2048,
	MEDIA_CNAME_MAX = 32,
};

typedef uint32_t media_leg_id;  /* base/slab handle; 0 is none */
typedef uint32_t media_room_id;

/* ---- Legs ---------------------------------------------------------------------------------- */

enum media_transport {
	MEDIA_TRANSPORT_PORTS, /* a pair of UDP ports of the leg's own: SIP */
	MEDIA_TRANSPORT_SHARED, /* the worker's one port, told apart by ICE: browsers */
};

enum media_security {
	MEDIA_SECURITY_NONE,
	MEDIA_SECURITY_SDES,
	MEDIA_SECURITY_DTLS,
};

enum media_codec {
	MEDIA_CODEC_NONE,
	MEDIA_CODEC_OPUS,
	MEDIA_CODEC_G722,
	MEDIA_CODEC_PCMU,
	MEDIA_CODEC_PCMA,
	MEDIA_CODEC_TELEPHONE_EVENT,
	MEDIA_CODEC_COMFORT_NOISE,
	MEDIA_CODEC_COUNT,
};

struct media_payload {
	uint8_t payload_type;
	uint8_t codec;      /* enum media_codec */
	uint16_t rate_khz;  /* RTP clock: 8 or 48; telephone-event follows its own rtpmap */
};

/* MEDIA_ORDER_LEG_OPEN: makes the leg and its local transport. */
struct media_open {
	uint8_t transport; /* enum media_transport */
	bool ice;          /* MEDIA_TRANSPORT_PORTS: ICE-lite offered on the pair; SHARED always has it */
	bool dtls;         /* a DTLS association may be wanted */
	struct net_addr local; /* of a pair: the address the SDP names; its port is not looked at */
	/* Of pictures with a transport of their own: the leg with the same person's sound; 0: this one. */
	media_leg_id sound;
	char cname[MEDIA_CNAME_MAX];
};

/* MEDIA_ORDER_LEG_TRANSPORT: what the SDP of both sides agreed on.  May come again after a
 * re-offer; what has not changed is left as it is: the same SDES keys go on with their counters,
 * only another fingerprint starts a new DTLS association. */
struct media_transport_settings {
	uint8_t security;         /* enum media_security */
	bool rtcp_mux;
	bool ice;
	bool dtls_server;         /* we are the DTLS server (passive) */
	uint8_t fingerprint_len;  /* of the peer's certificate; its length tells the hash */
	uint8_t sdes_suite_tx;    /* enum srtp_suite */
	uint8_t sdes_suite_rx;
	uint8_t fingerprint[MEDIA_FINGERPRINT_MAX];
	uint8_t sdes_key_tx[MEDIA_SDES_KEY_MAX]; /* secrets: wiped once taken */
	uint8_t sdes_key_rx[MEDIA_SDES_KEY_MAX];
	struct net_addr remote_rtp;  /* family ADDR_NONE: not known yet, or on hold */
	struct net_addr remote_rtcp;
	struct net_addr signalling; /* where the peer's SIP comes from: a hint when it is behind NAT */
	char ice_ufrag[MEDIA_ICE_UFRAG_MAX + 1]; /* the peer's */
	char ice_pwd[MEDIA_ICE_PWD_MAX + 1];
};

/* MEDIA_ORDER_LEG_AUDIO: what the SDP agreed on about sound. */
struct media_audio_settings {
	bool receive;           /* the peer sends to us */
	bool send;              /* we send to the peer */
	uint8_t tx_payload_type;
	uint8_t tx_codec;       /* enum media_codec */
	uint8_t tx_dtmf_payload_type; /* 0: none */
	uint8_t tx_dtmf_khz;
	uint8_t level_ext_id;   /* RFC 6464 header extension the peer sends; 0: none */
	uint8_t frame_ms;       /* 20, 40 or 60 */
	uint8_t rx_count;
	bool opus_fec;          /* the peer wants in-band FEC */
	bool opus_dtx;          /* the peer allows silence to be left out */
	uint32_t opus_bps_max;  /* the peer's maxaveragebitrate, or 0 */
	struct media_payload rx[MEDIA_CODECS_MAX];
};

/* MEDIA_ORDER_LEG_SET: how the leg takes part. */
struct media_leg_flags {
	bool rx_muted;     /* CMS rxAudioMute: nobody hears this leg */
	bool tx_muted;     /* CMS txAudioMute: this leg hears nothing */
	bool rx_video_muted; /* CMS rxVideoMute: its tracks stop as if it sent nothing */
	bool tx_video_muted; /* CMS txVideoMute: it is sent no pictures */
	bool gain_control; /* CMS audioGainMode agc */
	bool dtmf_inband;  /* look for tones in the sound: no telephone-event was agreed */
};

/* MEDIA_ORDER_LEG_RESTART: new ICE credentials of ours (RFC 8445 s9); the ufrag starts as the old one. */
struct media_restart {
	char ice_ufrag[32];
	char ice_pwd[40];
};

/* Sounds the worker can play; the prompts are files, one set a language (audio/prompts.h). */
enum media_sound {
	MEDIA_SOUND_NONE,
	MEDIA_SOUND_JOIN_TONE,
	MEDIA_SOUND_LEAVE_TONE,
	MEDIA_SOUND_PASSCODE_ENTRY,
	MEDIA_SOUND_PASSCODE_OPTIONAL,
	MEDIA_SOUND_PASSCODE_TRY_AGAIN,
	MEDIA_SOUND_PASSCODE_FINAL_ATTEMPT,
	MEDIA_SOUND_PASSCODE_GOODBYE,
	MEDIA_SOUND_PASSCODE_TIMEOUT,
	MEDIA_SOUND_ONLY_PARTICIPANT,
	MEDIA_SOUND_MUTED,
	MEDIA_SOUND_UNMUTED,
	MEDIA_SOUND_WELCOME,
	MEDIA_SOUND_IVR_WELCOME,
	MEDIA_SOUND_MEETING_ID_ENTRY,
	MEDIA_SOUND_ID_TRY_AGAIN,
	MEDIA_SOUND_ID_FINAL_ATTEMPT,
	MEDIA_SOUND_ID_GOODBYE,
	MEDIA_SOUND_ID_TIMEOUT,
	MEDIA_SOUND_MEETING_FULL,
	MEDIA_SOUND_UNAVAILABLE,
	MEDIA_SOUND_MEETING_ENDED,
	MEDIA_SOUND_MEETING_LOCKED,
	MEDIA_SOUND_WAITING_FOR_HOST,
	MEDIA_SOUND_COUNT,
};

struct brand; /* audio/brand.h */

struct media_play {
	uint8_t sound;    /* enum media_sound; NONE stops what is playing */
	uint8_t language; /* index among the loaded languages, 0 is English */
	struct brand *brand; /* in place of them where it has the prompt; NULL: none.  The order has */
	                     /* a reference (audio/brand.h), which goes with it */
};

struct media_dtmf {
	uint8_t count;
	char digits[MEDIA_DTMF_DIGITS_MAX]; /* 0-9 * # A-D, ',' is a pause of two seconds */
};

enum media_order_kind {
	MEDIA_ORDER_LEG_OPEN,      /* open */
	MEDIA_ORDER_LEG_TRANSPORT, /* transport */
	MEDIA_ORDER_LEG_AUDIO,     /* audio */
	MEDIA_ORDER_LEG_SET,       /* flags */
	MEDIA_ORDER_LEG_JOIN,      /* room: hear and be heard there; moves from another room */
	MEDIA_ORDER_LEG_LEAVE,     /* out of its room; the leg stays and hears only prompts */
	MEDIA_ORDER_LEG_PLAY,      /* play: to this leg alone */
	MEDIA_ORDER_LEG_DTMF,      /* dtmf: send digits, as telephone-events or tones */
	MEDIA_ORDER_LEG_RESTART,   /* restart */
	MEDIA_ORDER_LEG_STATS,     /* asks for MEDIA_EVENT_LEG_STATS */
	MEDIA_ORDER_LEG_VIDEO,     /* video: one line as agreed */
	MEDIA_ORDER_LEG_SHOW,      /* show: what to send on a line */
	MEDIA_ORDER_LEG_KEY,       /* key: the peer asks for a key frame by other ways than RTCP */
	MEDIA_ORDER_LEG_DATA,      /* data */
	MEDIA_ORDER_LEG_DATA_SEND, /* packet */
	MEDIA_ORDER_LEG_CLOSE,     /* sends RTCP BYE, frees everything; ends in MEDIA_EVENT_LEG_CLOSED */
	MEDIA_ORDER_ROOM_OPEN,
	MEDIA_ORDER_ROOM_PLAY,     /* play, one of the two tones: to everyone in the room */
	MEDIA_ORDER_ROOM_CLOSE,    /* the room must be empty */
	MEDIA_ORDER_CANVAS,        /* canvas: of the whole worker, not of a room */
	MEDIA_ORDER_COUNT,
};

struct media_order {
	uint8_t kind; /* enum media_order_kind */
	media_leg_id leg;
	media_room_id room;
	union {
		struct media_open open;
		struct media_transport_settings transport;
		struct media_audio_settings audio;
		struct media_leg_flags flags;
		struct media_play play;
		struct media_dtmf dtmf;
		struct media_restart restart;
		struct media_video_settings video;
		struct media_show show;
		struct media_key key;
		struct media_data_settings data;
		struct media_data packet;
		struct media_canvas canvas;
	};
};

/* ---- Events -------------------------------------------------------------------------------- */

/* MEDIA_EVENT_LEG_OPENED: what our SDP must say. */
struct media_opened {
	struct net_addr local_rtp;  /* address as in the worker's settings, port as bound */
	struct net_addr local_rtcp;
	char ice_ufrag[32];
	char ice_pwd[40];
	uint32_t ssrc; /* of the sound we send */
};

enum media_lost_reason {
	MEDIA_LOST_CONSENT,     /* no ICE check for too long */
	MEDIA_LOST_SILENCE,     /* neither RTP nor RTCP for too long */
	MEDIA_LOST_DTLS,        /* handshake failed or timed out, or no SRTP could be made */
	MEDIA_LOST_FINGERPRINT, /* the certificate is not the one of the SDP */
	MEDIA_LOST_CLOSED,      /* DTLS close_notify */
};

enum media_refused_reason {
	MEDIA_REFUSED_FULL,    /* legs_max */
	MEDIA_REFUSED_PORTS,   /* no free port pair */
	MEDIA_REFUSED_MEMORY,
};

struct media_direction_stats {
	uint32_t packets;
	uint32_t lost;
	uint32_t bit_rate_bps;   /* over the last seconds */
	uint32_t jitter_us;
	uint16_t loss_q16;       /* share of the last interval, 65535 is all */
	uint8_t codec;           /* enum media_codec */
};

struct media_stats {
	struct media_direction_stats rx; /* what we receive */
	struct media_direction_stats tx; /* what we send; lost and jitter as the peer reports them */
	uint32_t rtt_us;            /* 0: not known */
	uint32_t concealed_frames;
	uint32_t rejected_packets;  /* junk, strangers, replays */
	uint32_t delay_us;          /* of the jitter buffer now */
	int16_t gain_cb;            /* gain applied, 1/10 dB */
	uint8_t srtp_suite;         /* enum srtp_suite, 0: none */
};

enum media_event_kind {
	MEDIA_EVENT_LEG_OPENED,    /* opened */
	MEDIA_EVENT_LEG_REFUSED,   /* reason: enum media_refused_reason; the leg is gone */
	MEDIA_EVENT_LEG_CONNECTED, /* value: enum srtp_suite; first secured or allowed packet way */
	MEDIA_EVENT_LEG_LOST,      /* reason: enum media_lost_reason; told once, close it */
	MEDIA_EVENT_LEG_DTMF,      /* value: the digit as a character */
	MEDIA_EVENT_LEG_PLAYED,    /* value: enum media_sound that ended by itself */
	MEDIA_EVENT_LEG_TALKING,   /* value: 1 began, 0 ended */
	MEDIA_EVENT_LEG_STATS,     /* stats */
	MEDIA_EVENT_LEG_PICTURE,   /* picture */
	MEDIA_EVENT_LEG_VIDEO_STATS, /* video_stats */
	MEDIA_EVENT_LEG_QUALITY,   /* value: enum media_quality of what is sent to it */
	MEDIA_EVENT_LEG_KEY_WANTED, /* value: line; the peer knows no PLI or FIR: ask by SIP INFO */
	MEDIA_EVENT_LEG_DATA,      /* packet */
	MEDIA_EVENT_LEG_CLOSED,    /* the slot may be used again */
	MEDIA_EVENT_ROOM_CLOSED,   /* `leg` is 0, `room` says which */
	MEDIA_EVENT_COUNT,
};

struct media_event {
	uint8_t kind; /* enum media_event_kind */
	uint8_t reason;
	uint32_t value;
	media_leg_id leg;
	media_room_id room;
	union {
		struct media_opened opened;
		struct media_stats stats;
		struct media_picture picture;
		struct media_video_stats video_stats;
		struct media_data packet;
	};
};

/* ---- The machine --------------------------------------------------------------------------- */

/* Which socket: a leg's own pair, or from MEDIA_SOCKET_SHARED on the worker's shared ones, one for
 * each of the machine's addresses, all on the same port. */
enum media_socket {
	MEDIA_SOCKET_RTP,
	MEDIA_SOCKET_RTCP,
	MEDIA_SOCKET_SHARED,
};

struct codec_message; /* codec/codec.h */

/* What the shell does for the machine. */
struct media_sink {
	void *context;
	/* Binds an even port and the odd one above it for `leg`; `*rtp` comes with the address wanted
	 * and goes back with the port.  False: none free. */
	bool (*ports_open)(void *context, media_leg_id leg, struct net_addr *rtp);
	void (*ports_close)(void *context, media_leg_id leg);
	/* Sends one datagram.  The shell may drop it, as a network may. */
	void (*send)(void *context, unsigned socket, media_leg_id leg,
	             const struct net_addr *to, const uint8_t *bytes, size_t len);
	void (*event)(void *context, const struct media_event *event);
	/* To the codec process; false when its ring is full: what was to be drawn is late anyway.  Orders
	 * (all but CODEC_SOURCE_FRAME) are kept for it by the shell and never lost.  Not called before
	 * media_codec_attached(); NULL in a shell without codec processes. */
	bool (*codec)(void *context, const struct codec_message *message);
};

struct dtls_context; /* dtls/dtls.h */
struct prompts;      /* audio/prompts.h */

struct media_settings {
	uint32_t legs_max;
	uint32_t rooms_max;
	uint64_t seed;                /* for SSRCs, sequence starts and RTCP intervals */
	int64_t wall_offset_us;       /* wall clock minus monotonic clock, for sender reports */
	struct net_addr shared_addr;  /* as browsers reach the worker's port: the ICE candidate */
	const struct dtls_context *dtls;  /* borrowed for the life of the machine */
	const struct prompts *prompts;    /* borrowed; NULL: prompts end at once */
	unsigned talkers_max;         /* the loudest that are mixed; 0: the usual number */
	int64_t consent_us_max;       /* ICE silence that loses a leg */
	int64_t silence_us_max;       /* RTP and RTCP silence that loses a leg without ICE, but on hold */
	struct media_sink sink;
	/* Random bytes for ICE passwords; a secret source outside simulations. */
	void (*random)(void *context, void *out, size_t len);
	void *random_context;
};

struct media_counters {
	uint64_t packets_in;
	uint64_t packets_out;
	uint64_t rejected;        /* datagrams that were no use to any leg */
	uint64_t frames_decoded;
	uint64_t frames_encoded;
	uint64_t frames_concealed;
	uint64_t late_ticks;      /* ticks served more than a frame late */
	uint32_t legs;
	uint32_t rooms;
	uint32_t encodes;         /* of pictures, open in the codec process */
	uint32_t decodes;         /* tracks it is fed with */
	uint32_t codec_load_pct;  /* of one core, as it says itself */
	uint32_t load_pct;        /* filled in by the shell: CPU of the worker thread */
};

struct media;

[[nodiscard]] int media_create(struct media **media, const struct media_settings *settings,
                               int64_t now_us);
void media_destroy(struct media *media);

void media_order(struct media *media, const struct media_order *order, int64_t now_us);

/* One datagram; `leg` is 0 for the shared sockets.  `bytes` are decrypted in place. */
void media_input(struct media *media, unsigned socket, media_leg_id leg,
                 const struct net_addr *from, uint8_t *bytes, size_t len, int64_t now_us);

/* From the codec process; and: a new process is there (everything is sent to it again), or the old
 * one is gone. */
void media_codec_input(struct media *media, const struct codec_message *message, int64_t now_us);
void media_codec_attached(struct media *media, bool attached, int64_t now_us);

/* After a batch of inputs and orders: sends what they left to be sent, destination by destination.
 * media_tick() does it too, and the deadline is now while there is something left. */
void media_flush(struct media *media, int64_t now_us);

/* Serves everything that is due; call when media_deadline() has come. */
void media_tick(struct media *media, int64_t now_us);
[[nodiscard]] int64_t media_deadline(const struct media *media);

[[nodiscard]] const struct media_counters *media_counters(const struct media *media);

#endif

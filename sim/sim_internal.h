/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the simulator share. */
#ifndef SIM_SIM_INTERNAL_H
#define SIM_SIM_INTERNAL_H

#include "audio/audio_codec.h"
#include "base/check.h"
#include "dtls/dtls.h"
#include "ice/ice_check.h"
#include "rtp/rtp.h"
#include "sim/sim.h"
#include "srtp/srtp.h"
#include "worker/media.h"

/* SRTP and RTP of one fake client. */
struct sim_voice {
	struct sim_world *world;
	struct net_addr local;
	struct net_addr remote; /* family NONE: nowhere yet */
	struct srtp_session *tx, *rx;
	bool secured; /* nothing is sent in the clear */
	bool opus;
	uint8_t payload_type;
	uint8_t dtmf_type;
	uint8_t level_ext;
	uint16_t seq;
	uint32_t timestamp;
	uint32_t ssrc;
	double pitch_hz;
	double phase;
	bool muted; /* sends silence */
	bool sending;
	int64_t next_us;
	struct audio_encoder *encoder;
	struct audio_decoder *decoder;
	struct sim_ear ear;
	uint32_t received;
	/* Keys to be pressed, as telephone-events. */
	const char *digits;
	unsigned digits_wait_packets; /* how long it has listened so far */
	unsigned digit_packets;
	uint32_t digit_timestamp;
};

void sim_voice_init(struct sim_voice *voice, struct sim_world *world, const struct net_addr *local,
                    double pitch_hz, bool opus);
void sim_voice_fini(struct sim_voice *voice);
void sim_voice_tick(struct sim_voice *voice, int64_t now_us);
void sim_voice_input(struct sim_voice *voice, uint8_t *bytes, size_t len);
void sim_voice_keys(struct sim_voice *voice, enum srtp_suite suite, const uint8_t *tx_key,
                    const uint8_t *tx_salt, const uint8_t *rx_key, const uint8_t *rx_salt);

struct audio_codec_pool *sim_world_codecs(struct sim_world *world);
const struct dtls_context *sim_world_dtls(struct sim_world *world);
const struct net_addr *sim_world_sip_addr(void);
void sim_world_web_input(struct sim_world *world, const struct c2w_message *message);
uint32_t sim_world_next_session(struct sim_world *world);
bool sim_world_link_up(const struct sim_world *world);
void sim_random(void *context, void *out, size_t len);

struct sim_phone *sim_phone_new(struct sim_world *world, unsigned number, double pitch_hz);
void sim_phone_free(struct sim_phone *phone);
void sim_phone_start(struct sim_phone *phone, const struct sim_phone_settings *settings);
bool sim_phone_input(struct sim_phone *phone, const struct net_addr *to,
                     const struct net_addr *from, uint8_t *bytes, size_t len, int64_t now_us);
void sim_phone_tick(struct sim_phone *phone, int64_t now_us);

struct sim_browser *sim_browser_new(struct sim_world *world, unsigned number, double pitch_hz);
void sim_browser_free(struct sim_browser *browser);
void sim_browser_start(struct sim_browser *browser, const char *address, const char *passcode);
bool sim_browser_input(struct sim_browser *browser, const struct net_addr *to,
                       const struct net_addr *from, uint8_t *bytes, size_t len, int64_t now_us);
void sim_browser_tick(struct sim_browser *browser, int64_t now_us);
/* A message of the bridge, addressed to it or answering its join. */
void sim_browser_message(struct sim_browser *browser, const struct c2w_message *message);
bool sim_browser_owns(const struct sim_browser *browser, const struct c2w_message *message,
                      uint32_t session);
void sim_browser_link_lost(struct sim_browser *browser);

#endif

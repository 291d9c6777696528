/* SPDX-License-Identifier: Apache-2.0 */
/* audio -- the one sample format inside the bridge.
 *
 * Everything between a decoder and an encoder is 48 kHz mono int16 in frames of 20 ms, whatever the
 * far ends speak.  Levels are RFC 6464's: 0 is the loudest (0 dBov), 127 is silence.
 */
#ifndef AUDIO_AUDIO_H
#define AUDIO_AUDIO_H

enum {
	AUDIO_RATE_HZ = 48000,
	AUDIO_FRAME_MS = 20,
	AUDIO_FRAME_US = AUDIO_FRAME_MS * 1000,
	AUDIO_FRAME_SAMPLES = AUDIO_RATE_HZ / 1000 * AUDIO_FRAME_MS, /* 960 */

	AUDIO_LEVEL_LOUDEST = 0,
	AUDIO_LEVEL_SILENCE = 127,

	AUDIO_PACKET_MS_MAX = 120, /* the longest Opus packet (RFC 6716 s3.2.5) */
	AUDIO_PACKET_SAMPLES_MAX = AUDIO_RATE_HZ / 1000 * AUDIO_PACKET_MS_MAX,
	AUDIO_PAYLOAD_BYTES_MAX = 1460, /* one UDP datagram under SRTP */
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* wav -- reads the RIFF/WAVE files that prompts and branding are made of.
 *
 * Ownership  The view borrows the file's bytes.
 * Threads    Pure.
 * Errors     `enum wav_reject`, for the log line that tells an administrator what is wrong with it.
 * Limits     8, 16 or 48 kHz; mono; 16-bit PCM, mu-law or A-law; WAV_SECONDS_MAX long.
 */
#ifndef AUDIO_WAV_H
#define AUDIO_WAV_H

#include <stddef.h>
#include <stdint.h>

enum {
	WAV_SECONDS_MAX = 120,
	WAV_BYTES_MAX = WAV_SECONDS_MAX * 48000 * 2 + 4096,
};

enum wav_format {
	WAV_PCM16 = 1,
	WAV_ALAW = 6,
	WAV_MULAW = 7,
};

enum wav_reject {
	WAV_OK = 0,
	WAV_REJECT_NOT_WAV, /* no RIFF/WAVE at its start */
	WAV_REJECT_SHORT,   /* a chunk overruns the file */
	WAV_REJECT_FORMAT,  /* neither 16-bit PCM nor 8-bit mu-law or A-law */
	WAV_REJECT_RATE,    /* not 8, 16 or 48 kHz */
	WAV_REJECT_STEREO,
	WAV_REJECT_LONG,
	WAV_REJECT_EMPTY,   /* no sound in it */
	WAV_REJECTS,
};

struct wav {
	uint16_t format; /* enum wav_format */
	uint32_t rate_hz;
	const uint8_t *bytes; /* of the samples, little-endian, borrowed */
	size_t samples;
};

[[nodiscard]] enum wav_reject wav_parse(struct wav *out, const uint8_t *bytes, size_t len);
[[nodiscard]] const char *wav_reject_name(enum wav_reject reject);

/* `count` samples from `at` on, converted to int16 at the file's own rate.  Returns how many there
 * were. */
size_t wav_read(const struct wav *wav, size_t at, int16_t *out, size_t count);

#endif

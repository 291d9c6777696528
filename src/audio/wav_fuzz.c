/* SPDX-License-Identifier: Apache-2.0 */
/* What wav_parse() accepts lies inside the file and can be read to its end. */
#include "audio/wav.h"
#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct wav wav;
	const enum wav_reject reject = wav_parse(&wav, bytes, len);
	CHECK(wav_reject_name(reject) != NULL);
	if (reject != WAV_OK)
		return 0;
	const size_t sample_bytes = wav.format == WAV_PCM16 ? 2 : 1;
	CHECK(wav.samples != 0);
	CHECK(wav.bytes >= bytes && wav.bytes + wav.samples * sample_bytes <= bytes + len);
	CHECK(wav.rate_hz == 8000 || wav.rate_hz == 16000 || wav.rate_hz == 48000);
	for (size_t at = 0; at < wav.samples;) {
		int16_t out[256];
		const size_t got = wav_read(&wav, at, out, 256);
		CHECK(got != 0);
		at += got;
	}
	return 0;
}

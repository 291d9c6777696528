/* SPDX-License-Identifier: Apache-2.0 */
/* g711 -- mu-law and A-law (ITU-T G.711), by table.
 *
 * Threads    Pure functions.
 * Units      8 kHz samples; one byte each.
 */
#ifndef AUDIO_G711_H
#define AUDIO_G711_H

#include <stddef.h>
#include <stdint.h>

void g711_decode_mulaw(int16_t *out, const uint8_t *in, size_t count);
void g711_decode_alaw(int16_t *out, const uint8_t *in, size_t count);
void g711_encode_mulaw(uint8_t *out, const int16_t *in, size_t count);
void g711_encode_alaw(uint8_t *out, const int16_t *in, size_t count);

#endif

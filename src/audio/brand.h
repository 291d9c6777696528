/* SPDX-License-Identifier: Apache-2.0 */
/* brand -- a set of somebody's own recordings, under the names of the prompts they stand in for.
 *
 *	brand_create() -> brand_add() for each file -> brand_get() for each who plays of it
 *	-> brand_put() by everybody
 *
 * Ownership  Counted: who holds a reference may look, the last who puts one frees.  brand_add() copies,
 *            and is for the maker alone, before anybody else has a reference.
 * Threads    References may be taken and put on any thread; what they lead to does not change.
 * Errors     `enum wav_reject`, or -ENOMEM and -E2BIG.
 * Limits     BRAND_BYTES_MAX of all files together; see wav.h for one.
 */
#ifndef AUDIO_BRAND_H
#define AUDIO_BRAND_H

#include "audio/prompts.h"

enum { BRAND_BYTES_MAX = 16 << 20 };

struct brand;

/* With one reference. */
[[nodiscard]] int brand_create(struct brand **out);
/* A file takes the place of one added before.  `*reject` says what is wrong with it, WAV_OK: nothing. */
[[nodiscard]] int brand_add(struct brand *brand, enum prompt prompt, const void *bytes, size_t len,
                            enum wav_reject *reject);
/* NULL is nobody's. */
struct brand *brand_get(struct brand *brand);
void brand_put(struct brand *brand);

/* NULL: it has none; ours is played. */
[[nodiscard]] const struct wav *brand_find(const struct brand *brand, enum prompt prompt);

#endif

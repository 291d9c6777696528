/* SPDX-License-Identifier: Apache-2.0 */
/* scale -- makes pictures smaller, larger, and stands them upright.
 *
 * Threads    Pure functions on the planes they are given.
 * Units      Pixels.
 */
#ifndef CODEC_SCALE_H
#define CODEC_SCALE_H

#include "codec/picture.h"

/* To half its size each way, exactly: the mean of four.  `to` is (from + 1) / 2 large. */
void scale_half(const struct picture *from, struct picture *to);
/* To any size; best, and fastest, when `to` has at least half of it each way. */
void scale_to(const struct picture *from, struct picture *to);
/* Turns it clockwise by 90, 180 or 270 degrees. */
void scale_turn(const struct picture *from, struct picture *to, unsigned degrees);

/* Lets libraries look at the processor: before the process is locked in. */
void scale_warm_up(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* sdp_rules -- the rules an answer must keep whatever the offer was; asked by the unit tests, the
 * fuzz target and the simulation, never by the product itself.
 *
 * Threads    Pure functions.
 */
#ifndef SDP_SDP_RULES_H
#define SDP_SDP_RULES_H

#include "sdp/sdp.h"

/* The first rule that `answer` breaks, in words, or NULL. */
const char *sdp_rules_answer(const struct sdp *offer, const struct sdp *answer);

/* Writes what was parsed, parses and writes it again: both texts must be the same.  The rule that
 * is broken, or NULL. */
const char *sdp_rules_round_trip(const struct sdp *sdp);

#endif

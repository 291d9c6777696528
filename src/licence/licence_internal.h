/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of this module only. */
#ifndef LICENCE_LICENCE_INTERNAL_H
#define LICENCE_LICENCE_INTERNAL_H

#include "licence/licence.h"

enum { LICENCE_DAY_S = 86400 };

/* "2027-03-01" gives the day's first second (`*day`), "2027-03-01T12:00:00Z" that instant. */
[[nodiscard]] bool licence_time_parse(int64_t *out, bool *day, struct str text);

/* What a payload says; all but issuer.  CLAIMS or VERSION: `error` says what is wrong. */
[[nodiscard]] enum licence_reject licence_claims_read(struct licence *out, struct str json,
                                                      char error[LICENCE_ERROR_MAX]);

#endif

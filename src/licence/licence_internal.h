/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of this module only. */
#ifndef LICENCE_LICENCE_INTERNAL_H
#define LICENCE_LICENCE_INTERNAL_H

#include "licence/licence.h"

/* What a payload says; all but issuer.  CLAIMS or VERSION: `error` says what is wrong. */
[[nodiscard]] enum licence_reject licence_claims_read(struct licence *out, struct str json,
                                                      char error[LICENCE_ERROR_MAX]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* form -- application/x-www-form-urlencoded, as bodies and query strings carry it.
 *
 * Lenient where real clients are: an "&" or line ends behind the last parameter, a name without
 * "=", no parameters at all.
 *
 * Ownership  Decoded in place: names and values borrow the given bytes, which are changed.
 * Threads    Pure.
 * Errors     A broken %-escape or too many parameters: false.
 */
#ifndef API_FORM_H
#define API_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "api/api.h"
#include "base/str.h"

struct parameter {
	struct str name;
	struct str value;
};

struct form {
	struct parameter at[API_PARAMETERS_MAX];
	unsigned count;
};

[[nodiscard]] bool form_parse(struct form *form, char *bytes, size_t len);

/* By name without case; the last one counts.  An `at` of NULL: not there. */
[[nodiscard]] struct str form_get(const struct form *form, struct str name);

#endif

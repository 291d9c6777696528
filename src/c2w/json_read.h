/* SPDX-License-Identifier: Apache-2.0 */
/* json_read -- JSON text of strangers as the library's tree.
 *
 * The library recurses, so nesting is counted before it is asked.
 *
 * Ownership  The tree is the caller's, for json_decref().
 * Threads    Pure.
 * Errors     NULL: no JSON, a member named twice, nested too deeply, or no memory.
 */
#ifndef C2W_JSON_READ_H
#define C2W_JSON_READ_H

#include <jansson.h>

#include "base/str.h"

/* `depth_max`: of objects and arrays within each other. */
[[nodiscard]] json_t *json_read(struct str text, unsigned depth_max);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* random -- the system's randomness (getrandom(2)): keys, passwords, tokens, seeds.
 *
 * Threads    Any.
 * Errors     None: a system without randomness cannot run this program, so it stops.
 */
#ifndef NET_RANDOM_H
#define NET_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *out, size_t len);
[[nodiscard]] uint64_t random_u64(void);

#endif

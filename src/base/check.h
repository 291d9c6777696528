/* SPDX-License-Identifier: Apache-2.0 */
/* check -- assertions that stay on in release builds.
 *
 * CHECK states a fact about our own code.  When it is false the program is wrong, so it prints
 * file, line and the thread's context, and aborts; the supervisor starts the component again.
 * Never CHECK what a peer sent, what an administrator typed or what the system refused.
 *
 * Threads    The context is thread-local; everything here may be called from any thread.
 */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#include <assert.h>
#include <stdint.h>

#define CHECK(fact) ((fact) ? (void)0 : check_fail(__FILE__, __LINE__, #fact))

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The struct that holds `member` at `pointer`. */
#define CONTAINER_OF(pointer, type, member) \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* What this thread works on, told when a CHECK fails: a room or leg number.  `what` is kept by
 * reference and must be a string literal. */
void check_context(const char *what, uint64_t id);

_Noreturn void check_fail(const char *file, int line, const char *fact);

#endif

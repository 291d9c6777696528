/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

static _Thread_local const char *context_what = "none";
static _Thread_local uint64_t context_id;

void
check_context(const char *what, uint64_t id)
{
	context_what = what;
	context_id = id;
}

void
check_fail(const char *file, int line, const char *fact)
{
	fprintf(stderr, "%s:%d: check failed: %s (context: %s %llu)\n", file, line, fact,
	        context_what, (unsigned long long)context_id);
	abort();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A small world for tests of the meeting model: a seeded random source and short hands. */
#ifndef MEETING_TEST_WORLD_H
#define MEETING_TEST_WORLD_H

#include "base/check.h"
#include "base/prng.h"
#include "base/test.h"
#include "meeting/meeting.h"

static inline void
test_random(void *context, void *out, size_t len)
{
	prng_bytes(context, out, len);
}

/* Adds an object from "name", "value" pairs ended by NULL, as the API would. */
static inline enum object_reject
test_add(struct objects *objects, enum object_type type, uint32_t parent, uint32_t *handle,
         const char *const *pairs)
{
	struct object_edit edit = { .type = type };
	int culprit = -1;
	*handle = 0;
	for (; *pairs != NULL; pairs += 2) {
		const enum object_reject reject =
			object_edit_text(&edit, FIELD_POST, str_of(pairs[0]), str_of(pairs[1]));
		if (reject != OBJECT_OK)
			return reject;
	}
	objects_begin(objects);
	const enum object_reject reject = objects_add(objects, &edit, parent, handle, &culprit);
	if (reject != OBJECT_OK) {
		objects_abort(objects);
		return reject;
	}
	const struct object_tx tx = objects_end(objects);
	objects_settled(objects, tx.ticket, true);
	return OBJECT_OK;
}

static inline enum object_reject
test_edit(struct objects *objects, enum object_type type, uint32_t handle,
          const char *const *pairs)
{
	struct object_edit edit = { .type = type };
	int culprit = -1;
	for (; *pairs != NULL; pairs += 2) {
		const enum object_reject reject =
			object_edit_text(&edit, FIELD_PUT, str_of(pairs[0]), str_of(pairs[1]));
		if (reject != OBJECT_OK)
			return reject;
	}
	objects_begin(objects);
	const enum object_reject reject = objects_edit(objects, handle, &edit, &culprit);
	if (reject != OBJECT_OK) {
		objects_abort(objects);
		return reject;
	}
	const struct object_tx tx = objects_end(objects);
	if (tx.ticket != 0)
		objects_settled(objects, tx.ticket, true);
	return OBJECT_OK;
}

#define PAIRS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NO_PAIRS ((const char *const[]){ NULL })

#endif

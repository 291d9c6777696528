/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the kept objects: one slab per type, numbers in the slot, texts and GUIDs in the text
 * pool.  objects.c reads them, objects_filter.c finds parts of texts among
 * them, objects_rules.c says which may stand beside each other, objects_change.c changes them. */
#ifndef MEETING_OBJECTS_INTERNAL_H
#define MEETING_OBJECTS_INTERNAL_H

#include <assert.h>

#include "base/check.h"
#include "base/slab.h"
#include "meeting/object.h"
#include "meeting/text_pool.h"

enum {
	/* A space with everything in it, and one more. */
	TX_CHANGES_MAX = SPACE_METHODS_MAX + SPACE_MEMBERS_MAX + 2,
	CALL_ID_DIGITS = 9,
	SECRET_LEN = 22, /* 16 bytes as base64url, as CMS makes them */
};

static_assert((int)OBJECT_TEXT_MAX <= (int)TEXT_POOL_LEN_MAX, "every text fits a piece");

/* The objects of one type inside another, oldest first. */
struct inside {
	uint32_t first;
	uint32_t last;
	uint32_t count;
};

struct kept {
	struct guid id;
	uint32_t parent;
	uint32_t next; /* sibling of the same type under the same parent */
	uint32_t prev;
	struct inside lists[OBJECT_LISTS_MAX];
	struct field_set set;
	uint32_t numbers[]; /* per field: the number, or a text pool reference */
};

struct table {
	struct slab slab;
	struct map ids;
	struct map addresses; /* of a type without address fields: zeroed */
	/* Per slot, what `filter=` looks in, in small letters and one line each: a reference of the
	 * pool `lines`, or 0.  NULL: such a filter finds nothing of this type. */
	uint32_t *lines;
};

struct pending {
	uint64_t ticket;
	size_t forward_len;
	size_t back_len;
	uint8_t forward[TX_BYTES_MAX];
	uint8_t back[TX_BYTES_MAX];
};

struct objects {
	struct objects_settings settings;
	struct text_pool texts;
	struct text_pool lines;
	struct table tables[OBJECT_KEPT_END];
	struct pending *pending; /* a ring of TX_PENDING_MAX */
	uint32_t pending_first;
	uint32_t pending_count;
	bool open;               /* between begin and end */
	bool refused;            /* no room for the open transaction */
	struct writer forward;
	struct writer back;
	uint64_t ticket_last;
	uint64_t versions[OBJECT_KEPT_END];
	uint32_t epoch;
	uint32_t changes;        /* in the open transaction */
	struct object_row row;    /* scratch: what an object shall be */
	struct object_row before; /* scratch: what it was */
	struct object_row undo;   /* scratch: a row read back */
};

/* Texts made for a row that has none; they live as long as the row is being put. */
struct made_values {
	char call_id[CALL_ID_DIGITS];
	char secret[SECRET_LEN + 2];
};

/* objects.c */
struct kept *kept_get(const struct objects *objects, enum object_type type, uint32_t handle);
struct value kept_value(const struct objects *objects, enum object_type type,
                        const struct kept *kept, unsigned field);
uint64_t objects_id_hash(const struct objects *objects, const struct guid *id);
bool address_index(struct objects *objects, enum object_type type, uint32_t handle,
                   const struct kept *kept);
void address_unindex(struct objects *objects, enum object_type type, uint32_t handle,
                     const struct kept *kept);

/* objects_filter.c: beside the table, so that looking through a hundred thousand objects reads little
 * more than the letters that are compared. */
[[nodiscard]] int filter_create(struct table *table, enum object_type type, uint32_t cap);
/* False: the pool is full. */
[[nodiscard]] bool filter_index(struct objects *objects, enum object_type type, uint32_t handle,
                                const struct kept *kept);
void filter_unindex(struct objects *objects, enum object_type type, uint32_t handle);

/* objects_rules.c */
void objects_random(const struct objects *objects, void *out, size_t len);
enum object_reject row_check(const struct objects *objects, const struct object_row *row,
                             uint32_t self, int *culprit);
/* Adds the call ID and secret that the edit asks for or the row needs. */
enum object_reject row_complete(const struct objects *objects, struct made_values *made,
                                struct object_row *row, const struct object_edit *edit);

/* objects_worlds.c: whose an address is. */
struct world {
	struct guid tenant; /* zero: nobody's */
	struct guid group;
};
struct world world_of_tenant(const struct objects *objects, const struct guid *tenant);
struct world world_of_space(const struct objects *objects, uint32_t space);
/* May what is asked for stand beside what there is: users of another tenant, passcodes that are
 * too short. */
enum object_reject row_welcome(const struct objects *objects, const struct object_row *row,
                               const struct object_edit *edit, uint32_t self, int *culprit);

/* objects_change.c: makes an object what the row says.  FULL leaves it half made: the caller
 * applies the row it was before, which always fits (text_pool.h). */
enum object_reject row_apply(struct objects *objects, const struct object_row *row);

#endif

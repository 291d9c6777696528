/* SPDX-License-Identifier: Apache-2.0 */
/* object -- what the API's objects are, said once, and the table of those that are kept.
 *
 * Every object type has one description: its names, its place, and its typed fields.  Parsing,
 * validation, storage, XML, JSON, filters and documentation are driven by it; a new parameter is a
 * new row.  A parameter without a row is refused, so what is accepted works.
 *
 * `struct objects` holds the kept objects (spaces, profiles, ...) in memory, where they are
 * authoritative.  Changes are grouped in transactions; each is handed to the store as bytes and
 * undone when the store cannot keep it.
 *
 * Ownership  objects_create() allocates everything once.  Text handed out is borrowed until the
 *            next change of that object.
 * Threads    The control thread; the descriptions are constant and may be read by any.
 * Units      Lengths are bytes of UTF-8.
 * Errors     What an administrator sent wrong is an `enum object_reject`; a table or the text pool
 *            being full is OBJECT_FULL, answered as 503.
 * Limits     `struct object_limits`, TX_PENDING_MAX transactions of TX_BYTES_MAX bytes under way.
 */
#ifndef MEETING_OBJECT_H
#define MEETING_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/encode.h"
#include "base/hash.h"
#include "base/str.h"
#include "meeting/object_dial.h"
#include "meeting/object_live.h"
#include "meeting/object_people.h"
#include "meeting/object_profile.h"
#include "meeting/object_space.h"
#include "meeting/object_system.h"
#include "meeting/object_type.h"

enum {
	OBJECT_FIELDS_MAX = 192,   /* of one type, those it extends included: one bit each */
	OBJECT_TEXT_MAX = 4000,    /* the longest text any field may hold */
	OBJECT_ROW_BYTES_MAX = 8192, /* one object as bytes; checked against the descriptions */
	OBJECT_LISTS_MAX = 2,      /* kinds of objects inside one */
	SPACE_METHODS_MAX = 100,   /* access methods of one space */
	SPACE_MEMBERS_MAX = 500,
	SPACE_METADATA_BYTES = 2000,
	TX_PENDING_MAX = 64,
	TX_BYTES_MAX = 256 * 1024, /* a space with all of them, undone */
};

/* ------------------------------------------------------------------ descriptions */

enum field_kind {
	FIELD_TEXT,
	FIELD_BOOL,     /* number 0 or 1 */
	FIELD_UINT,
	FIELD_ENUM,     /* number: index into `words` */
	FIELD_DIGITS,   /* text of 0-9 */
	FIELD_PASSCODE, /* text of 0-9, what a telephone can type */
	FIELD_URI_USER, /* text before the @; kept as given, compared without case */
	FIELD_PARTY,    /* an address to dial: "user@host", "sip:user@host", "host" */
	FIELD_URL,      /* text with one of the schemes in `words` */
	FIELD_JID,      /* "user@domain", compared without case */
	FIELD_GENERATOR, /* a-z A-Z 0-9 . - _ and one "$", where a number goes */
	FIELD_DTMF,     /* 0-9 A-D * # and , for a pause */
	FIELD_CODE,     /* 0-9 * #, typed on a telephone */
	FIELD_SECONDS,  /* number, or "permanent": DURATION_PERMANENT */
	FIELD_GUID,     /* another object of type `ref` */
	FIELD_TIME,     /* read only: RFC 3339 */
	FIELD_TENTHS,   /* read only: number of tenths, written "12.3" */
	FIELD_DOMAIN,   /* a domain or an IP address, in which * stands for any letters */
	FIELD_DOMAIN_NAME, /* without a * */
	FIELD_HOST_PORT,   /* "host", "host:port", "[2001:db8::1]:5060" */
	FIELD_DIAL_MATCH,     /* dial_match_valid() */
	FIELD_DIAL_TRANSFORM, /* dial_transform_valid() */
	FIELD_KINDS,
};

/* What the values of a kind are made of, whatever they mean. */
enum field_shape {
	SHAPE_TEXT,
	SHAPE_TRUTH,   /* the numbers begin */
	SHAPE_NUMBER,
	SHAPE_WORD,
	SHAPE_SECONDS,
	SHAPE_TENTHS,  /* and end */
	SHAPE_ID,
	SHAPE_TIME,
};

struct field_kind_desc {
	const char *name; /* in the OpenAPI document */
	const char *told; /* what it holds, in the documentation */
	const char *unit; /* of its bounds there; NULL: they go without saying */
	enum field_shape shape;
};

enum field_flags {
	FIELD_POST = 1 << 0,
	FIELD_PUT = 1 << 1,
	FIELD_GET = 1 << 2,      /* in the object */
	FIELD_LIST = 1 << 3,     /* in a collection's items too */
	FIELD_KEPT = 1 << 4,     /* has a column */
	FIELD_ALWAYS = 1 << 5,   /* written even when unset: its default, or an empty element */
	FIELD_REQUIRED = 1 << 6, /* POST without it is refused */
	FIELD_ADDRESS = 1 << 7,  /* indexed: what a caller can dial */
	FIELD_FILTER = 1 << 8,   /* `filter=` looks here */
	FIELD_ATTRIBUTE = 1 << 9,
	FIELD_SECRET = 1 << 10,  /* never in a log or trace */
	FIELD_PRESENT_ONLY = 1 << 11, /* written only when true or not zero */
	FIELD_INHERITED = 1 << 12, /* unset means what something above says, not `fallback` */
	FIELD_LACKING = 1 << 13, /* we do not have it: may be set to its fallback only */
	FIELD_OWNER = 1 << 14,   /* indexed: whose it is */

	FIELD_WRITE = FIELD_POST | FIELD_PUT,
	FIELD_READ = FIELD_GET | FIELD_LIST,
	FIELD_USUAL = FIELD_WRITE | FIELD_GET | FIELD_KEPT,
};

struct field {
	const char *name;         /* the API's spelling; matched without case */
	const char *also;         /* NULL, or another spelling that is taken */
	const char *group;        /* NULL, or the elements it lies in: "status/rxAudio" */
	const char *help;         /* one sentence for documentation */
	const char *const *words; /* ENUM: words up to NULL; URL: its scheme */
	uint32_t min;             /* smallest number, or shortest non-empty text */
	uint32_t max;             /* largest number, or longest text */
	uint32_t fallback;        /* what an unset number means */
	uint16_t flags;
	uint8_t kind;             /* enum field_kind */
	uint8_t ref;              /* GUID: enum object_type */
};

struct object_desc {
	const char *collection;   /* "coSpaces"; for singletons and readings the element's name */
	const char *singular;     /* "coSpace" */
	const char *missing;      /* "coSpaceDoesNotExist" */
	const char *table;        /* in the database; NULL when not kept */
	const struct field *fields;
	uint8_t field_count;      /* own fields; those of `extends` are numbered behind them */
	uint8_t parent;           /* enum object_type of the containing object, or OBJECT_NONE */
	uint8_t extends;          /* the profile whose parameters this object can override */
	uint8_t list;             /* with a parent: which of the lists inside it, from 0 */
	bool single;              /* exactly one exists, it has no id */
	bool many;                /* as many as there can be spaces */
	uint16_t most;            /* so many of them, inside one when they lie in others; 0: as the */
	                          /* limits say */
	const char *too_many;     /* what is answered to one more: "tooManyCdrReceivers" */
};

extern const struct field_kind_desc field_kinds[FIELD_KINDS];
extern const struct object_desc object_descriptions[OBJECT_TYPES];

static inline enum field_shape
field_shape(const struct field *field)
{
	return field_kinds[field->kind].shape;
}

/* Is its value a number, and kept as one? */
static inline bool
field_is_number(const struct field *field)
{
	const enum field_shape shape = field_shape(field);
	return shape >= SHAPE_TRUTH && shape <= SHAPE_TENTHS;
}

/* In line, because every row that is loaded or looked through asks for every field. */
static inline const struct object_desc *
object_describe(enum object_type type)
{
	CHECK((unsigned)type < OBJECT_TYPES);
	return &object_descriptions[type];
}

/* Own fields, then those of `extends` (its name excepted): of a leg, LEG_FIELDS + f - 1 is profile
 * field f. */
[[nodiscard]] static inline unsigned
object_field_count(enum object_type type)
{
	const struct object_desc *desc = object_describe(type);
	return desc->field_count + (desc->extends != OBJECT_NONE
	                                    ? object_descriptions[desc->extends].field_count - 1u
	                                    : 0u);
}

[[nodiscard]] static inline const struct field *
object_field(enum object_type type, unsigned field)
{
	const struct object_desc *desc = object_describe(type);
	CHECK(field < object_field_count(type));
	return field < desc->field_count ? &desc->fields[field]
	                                 : &object_descriptions[desc->extends]
	                                            .fields[field - desc->field_count + 1];
}

/* By name without case; -1 when there is none. */
[[nodiscard]] int object_field_find(enum object_type type, struct str name);

/* ------------------------------------------------------------------ values and edits */

struct value {
	bool set;
	uint32_t number;  /* BOOL, UINT, ENUM, TENTHS */
	int64_t time_us;  /* TIME: wall clock */
	struct str text;  /* every kind of text; borrowed */
	struct guid guid; /* GUID */
};

/* What reads as the largest number is that or more. */
static inline struct value
value_number(uint64_t number)
{
	return (struct value){ .set = true,
		               .number = number < UINT32_MAX ? (uint32_t)number : UINT32_MAX };
}

/* Unset when it is empty. */
static inline struct value
value_text(const char *text)
{
	return (struct value){ .set = text[0] != '\0', .text = str_of(text) };
}

/* Some fields of a type, one bit each. */
struct field_set {
	uint64_t words[OBJECT_FIELDS_MAX / 64];
};

static inline bool
field_set_has(const struct field_set *set, unsigned field)
{
	return (set->words[field / 64] >> (field % 64) & 1) != 0;
}

static inline void
field_set_put(struct field_set *set, unsigned field, bool in)
{
	const uint64_t bit = UINT64_C(1) << (field % 64);
	uint64_t *word = &set->words[field / 64];
	*word = in ? *word | bit : *word & ~bit;
}

static inline bool
field_set_empty(const struct field_set *set)
{
	uint64_t any = 0;
	for (unsigned i = 0; i < OBJECT_FIELDS_MAX / 64; i++)
		any |= set->words[i];
	return any == 0;
}

/* What one request wants changed: the given fields, each set or (set == false) unset. */
struct object_edit {
	enum object_type type;
	struct field_set given;
	struct value values[OBJECT_FIELDS_MAX];
};

enum object_reject {
	OBJECT_OK = 0,
	OBJECT_UNKNOWN_PARAMETER, /* no such field, or not for this method */
	OBJECT_BAD_VALUE,
	OBJECT_TOO_LONG,
	OBJECT_MISSING_PARAMETER,
	OBJECT_NO_REFERENCE,      /* the GUID names nothing: answer the ref's `missing` */
	OBJECT_DUPLICATE_URI,
	OBJECT_DUPLICATE_ID,
	OBJECT_DUPLICATE_URI_PASSCODE,
	OBJECT_DUPLICATE_ID_PASSCODE,
	OBJECT_DUPLICATE_NAME,
	OBJECT_TOO_MANY,          /* the type's `most` are there: answer its `too_many` */
	OBJECT_DUPLICATE_IVR,
	OBJECT_DUPLICATE_TEMPLATE,
	OBJECT_DUPLICATE_CODE,    /* a code that does two things: the culprit is object_both() */
	OBJECT_GROUP_CONFLICT,    /* meeting IDs that clash in the tenant's new group */
	OBJECT_PASSCODE_TOO_SHORT,
	OBJECT_FULL,              /* a table, or the transactions under way */
	OBJECT_REJECTS,
};

/* Two fields that are to blame for each other, in the place of one. */
enum { OBJECT_BOTH_BITS = 16 };

static inline int
object_both(unsigned field, unsigned other)
{
	return (int)(other << OBJECT_BOTH_BITS | field);
}

static inline bool
edit_has(const struct object_edit *edit, unsigned field)
{
	return field_set_has(&edit->given, field);
}

/* Reads one parameter into `edit` under the rules of its field; `how` is FIELD_POST or FIELD_PUT.
 * `text` stays borrowed by the edit; an empty text unsets. */
[[nodiscard]] enum object_reject object_edit_text(struct object_edit *edit, unsigned how,
                                                  struct str name, struct str text);

/* One value under its field's rules; never empty.  value_write() gives the text back. */
[[nodiscard]] enum object_reject value_read(struct value *out, const struct field *field,
                                            struct str text);

/* For callers that build an edit themselves; the field's rules hold all the same. */
void edit_set_text(struct object_edit *edit, unsigned field, struct str text);
void edit_set_number(struct object_edit *edit, unsigned field, uint32_t number);
void edit_set_guid(struct object_edit *edit, unsigned field, const struct guid *guid);

/* Copies text from the world so that any log line and any answer can hold it: control characters
 * and broken UTF-8 become '?', and it is cut between characters. */
void text_copy_clean(char *out, size_t cap, struct str text);

/* A value as the API writes it; TEXT kinds raw, without XML or JSON escapes. */
void value_write(struct writer *w, const struct field *field, const struct value *value);

/* ------------------------------------------------------------------ the kept objects */

struct objects;

struct object_limits {
	uint32_t spaces_max;   /* and as many access methods, members and users */
	uint32_t others_max;   /* of every other type */
	uint32_t text_bytes_max;
};

struct objects_settings {
	struct object_limits limits; /* zeros: the defaults, 100,000 spaces */
	struct hash_key hash_key;
	/* Unguessable bytes: ids, secrets, call IDs. */
	void (*random)(void *context, void *out, size_t len);
	void *context;
};

[[nodiscard]] int objects_create(struct objects **out, const struct objects_settings *settings);
void objects_destroy(struct objects *objects);

/* Handles are those of base/slab.h: 0 is none and a deleted object's handle finds nothing. */
[[nodiscard]] uint32_t objects_find(const struct objects *objects, enum object_type type,
                                    const struct guid *id);
/* The one object of a single type. */
[[nodiscard]] uint32_t objects_single(const struct objects *objects, enum object_type type);
[[nodiscard]] bool objects_alive(const struct objects *objects, enum object_type type,
                                 uint32_t handle);
[[nodiscard]] uint32_t objects_count(const struct objects *objects, enum object_type type);
/* In a stable order; `*at` starts at 0; 0 at the end. */
[[nodiscard]] uint32_t objects_next(const struct objects *objects, enum object_type type,
                                    uint32_t *at);
/* Those of `type` inside `parent`, oldest first: start with 0. */
[[nodiscard]] uint32_t objects_next_inside(const struct objects *objects, enum object_type type,
                                           uint32_t parent, uint32_t previous);

[[nodiscard]] struct guid objects_id(const struct objects *objects, enum object_type type,
                                     uint32_t handle);
[[nodiscard]] uint32_t objects_parent(const struct objects *objects, enum object_type type,
                                      uint32_t handle);
/* As stored: `set` is false when this object says nothing about it. */
[[nodiscard]] struct value objects_value(const struct objects *objects, enum object_type type,
                                         uint32_t handle, unsigned field);
/* The text, empty when unset; the number, the field's default when unset; the object a GUID field
 * points to, 0 when unset or gone. */
[[nodiscard]] struct str objects_text(const struct objects *objects, enum object_type type,
                                      uint32_t handle, unsigned field);
[[nodiscard]] uint32_t objects_number(const struct objects *objects, enum object_type type,
                                      uint32_t handle, unsigned field);
[[nodiscard]] uint32_t objects_ref(const struct objects *objects, enum object_type type,
                                   uint32_t handle, unsigned field);

/* Walks objects of `type` one of whose addresses (uri, secondaryUri, callId; a userJid; a name that
 * only one may have) is `address`, compared without case.  Start with a zeroed cursor. */
struct address_cursor {
	struct map_cursor at;
	bool started;
};
[[nodiscard]] uint32_t objects_next_address(const struct objects *objects, enum object_type type,
                                            struct str address, struct address_cursor *cursor);
/* Likewise objects whose owner (ownerJid) it is. */
[[nodiscard]] uint32_t objects_next_owned(const struct objects *objects, enum object_type type,
                                          struct str owner, struct address_cursor *cursor);
/* The first of those with an address, where there can be one only: a user's JID, a Call Bridge's name. */
[[nodiscard]] uint32_t objects_find_address(const struct objects *objects, enum object_type type,
                                            struct str address);

/* What is looked for in the fields that `filter=` looks in, without regard to case. */
struct object_part {
	size_t len;
	char letters[OBJECT_TEXT_MAX];
};
/* False: nothing can hold it. */
[[nodiscard]] bool object_part_of(struct object_part *out, struct str text);
[[nodiscard]] bool objects_hold(const struct objects *objects, enum object_type type,
                                uint32_t handle, const struct object_part *part);
/* As objects_next(), those that hold it. */
[[nodiscard]] uint32_t objects_next_holding(const struct objects *objects, enum object_type type,
                                            const struct object_part *part, uint32_t *at);

/* Whose a space is, and which group a tenant belongs to; zero: nobody's, none. */
[[nodiscard]] struct guid objects_space_tenant(const struct objects *objects, uint32_t space);
[[nodiscard]] struct guid objects_tenant_group(const struct objects *objects,
                                               const struct guid *tenant);
/* As the nearest dialInSecurityProfile has it: of the method (0: none), space, tenant, system. */
[[nodiscard]] uint32_t objects_dial_in_setting(const struct objects *objects, uint32_t space,
                                               uint32_t method, enum dial_in_profile_field field);

/* ------------------------------------------------------------------ changing them */

/* One transaction: begin, any number of changes, end.  A change that is rejected has changed
 * nothing; `*culprit` then is the field to blame, or -1. */
void objects_begin(struct objects *objects);
[[nodiscard]] enum object_reject objects_add(struct objects *objects,
                                             const struct object_edit *edit, uint32_t parent,
                                             uint32_t *handle, int *culprit);
[[nodiscard]] enum object_reject objects_edit(struct objects *objects, uint32_t handle,
                                              const struct object_edit *edit, int *culprit);
/* A space of `owner`'s, a user and then its first member, made from a coSpaceTemplate.  Where a
 * policy wants passcodes its methods get some, as long as it wants them. */
[[nodiscard]] enum object_reject objects_add_from_template(struct objects *objects,
                                                           uint32_t template, uint32_t owner,
                                                           struct str name, uint32_t *space);
/* With everything inside it. */
[[nodiscard]] enum object_reject objects_remove(struct objects *objects, enum object_type type,
                                                uint32_t handle);

/* Ends it and gives it a ticket, 0 when nothing changed.  `bytes` is for store_commit() and valid
 * until the ticket is settled. */
struct object_tx {
	uint64_t ticket;
	uint32_t epoch;
	const uint8_t *bytes;
	size_t len;
};
struct object_tx objects_end(struct objects *objects);
/* Undoes what was done since objects_begin(). */
void objects_abort(struct objects *objects);

/* Tickets are kept in order.  A failure undoes this and every later transaction, newest first, and
 * starts a new epoch; the store fails the rest of the old one by itself.  Settling what was undone
 * already as failed does nothing. */
void objects_settled(struct objects *objects, uint64_t ticket, bool ok);

/* Counts every change of a type, undone ones too: who keeps something derived compares it. */
[[nodiscard]] uint64_t objects_version(const struct objects *objects, enum object_type type);

/* ------------------------------------------------------------------ rows, for the store */

/* A transaction's bytes are operations; an operation is a row to put, or an id to delete.  The
 * same rows come back at start through objects_load_row(). */
struct object_row {
	enum object_type type;
	bool deleted;
	struct guid id;
	struct guid parent; /* zero: none */
	struct field_set given; /* kept fields that are set */
	struct value values[OBJECT_FIELDS_MAX];
};

/* The next operation, or false at the end. */
[[nodiscard]] bool object_row_read(struct reader *r, struct object_row *row);

/* At start, before anything else.  A row that breaks a rule (an unknown parent, an address twice)
 * is refused: the store counts it and says so. */
[[nodiscard]] enum object_reject objects_load_row(struct objects *objects,
                                                  const struct object_row *row);

#endif

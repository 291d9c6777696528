/* SPDX-License-Identifier: Apache-2.0 */
/* mapping -- what an ldapMapping makes of a directory's entry: "$givenName$.$sn$@example.com".
 *
 *	mapping  = *( text / "$" attribute [ "|" change ] "$" )
 *	change   = [ "'" ] "/" expression "/" replacement "/" [ "g" ] [ "'" ]
 *
 * A change replaces every match of its expression (base/pattern.h) in the attribute's value, with
 * or without the g that sed wants; \1 to \9, or $1 to $9, in the replacement stand for groups, and
 * a slash in either is written "\/".  Where an entry lacks an attribute, or it becomes empty, the
 * mapping gives nothing at all: ".space" is nobody's address.
 *
 * Ownership  A mapping is a value and borrows the text that it was compiled from.
 * Threads    Pure functions; any thread.
 * Errors     What an administrator wrote wrong is an `enum mapping_reject`.
 * Limits     The enum below.
 */
#ifndef LDAP_MAPPING_H
#define LDAP_MAPPING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/pattern.h"
#include "base/str.h"

enum {
	MAPPING_PARTS_MAX = 16,
	MAPPING_PATTERNS_MAX = 4,
	MAPPING_NAMES_MAX = 40,      /* attributes of all mappings that share their names */
	MAPPING_NAME_BYTES_MAX = 64,
	MAPPING_OUT_MAX = 1024,
};

enum mapping_reject {
	MAPPING_OK = 0,
	MAPPING_REJECT_OPEN,    /* a "$" without the other */
	MAPPING_REJECT_NAME,    /* what stands between them is no attribute's name */
	MAPPING_REJECT_CHANGE,  /* behind "|" there is no /expression/replacement/ */
	MAPPING_REJECT_PATTERN, /* its expression is none */
	MAPPING_REJECT_LONG,    /* more parts, changes or attributes than there can be */
	MAPPING_REJECT_COUNT,
};

/* The attributes that mappings ask for, each once, in the order they were met. */
struct mapping_names {
	uint32_t count;
	struct str at[MAPPING_NAMES_MAX]; /* borrowed */
};

struct mapping_part {
	struct str text;        /* literal, or the replacement of a change */
	int16_t name;           /* index of the attribute; -1: literal */
	int16_t pattern;        /* index of the expression; -1: as it is */
};

struct mapping {
	uint32_t part_count;    /* 0: an empty mapping gives nothing */
	uint32_t pattern_count;
	struct mapping_part parts[MAPPING_PARTS_MAX];
	struct pattern patterns[MAPPING_PATTERNS_MAX];
};

/* The index of `name`, put there if it is new; -1: no room. */
[[nodiscard]] int mapping_names_add(struct mapping_names *names, struct str name);

[[nodiscard]] enum mapping_reject mapping_compile(struct mapping *out, struct mapping_names *names,
                                                  struct str text);
const char *mapping_reject_name(enum mapping_reject reject);

/* Writes what it makes of an entry whose values stand in the order of the names; false, and nothing
 * is written, when that is nothing, or more than MAPPING_OUT_MAX bytes, or more than there is room
 * for. */
[[nodiscard]] bool mapping_apply(const struct mapping *mapping, const struct str *values,
                                 struct writer *w);

#endif

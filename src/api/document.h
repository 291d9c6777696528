/* SPDX-License-Identifier: Apache-2.0 */
/* document -- an answer's body, XML or JSON, written in one pass through one set of calls.
 *
 * Ownership  Borrows the buffer it is given.
 * Threads    Pure.
 * Errors     A full buffer sets the writer's `failed`; check once at the end.
 * Limits     DOCUMENT_DEPTH_MAX elements inside each other.
 */
#ifndef API_DOCUMENT_H
#define API_DOCUMENT_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/encode.h"
#include "meeting/object.h"

enum { DOCUMENT_DEPTH_MAX = 8 };

struct document {
	struct writer w;
	bool json;
	bool tag_open;  /* XML: "<name" is written, its ">" is not */
	bool comma;     /* JSON: the next member needs one in front */
	unsigned depth;
	struct str names[DOCUMENT_DEPTH_MAX];
	struct str role_closed; /* JSON: the array of this name was just closed, and can go on */
};

void document_begin(struct document *doc, void *bytes, size_t cap, bool json);
void document_end(struct document *doc);

void document_open(struct document *doc, struct str name);
void document_close(struct document *doc);
/* Of the element just opened; in JSON a member like any other. */
void document_id(struct document *doc, const struct guid *id);
void document_total(struct document *doc, uint64_t total);

/* <plural total="n">, then items, then close; `maximum` is told too unless it is 0. */
void document_list_open(struct document *doc, struct str plural, struct str singular,
                        uint64_t total, uint64_t maximum);
/* The same without a total, for a list inside an object. */
void document_users_open(struct document *doc, struct str plural, struct str singular);
void document_item_open(struct document *doc, struct str singular);
void document_item_close(struct document *doc);
void document_list_close(struct document *doc);

/* Items of one name inside an object, without an element around them. */
void document_array_open(struct document *doc, struct str singular);
void document_array_close(struct document *doc);

void document_value(struct document *doc, const struct field *field, const struct value *value);
/* The elements of "a/b" are opened and others closed, as far as needed, above `depth`.  "b:main" is
 * <b role="main">; in JSON those of one name that follow each other are an array. */
void document_group(struct document *doc, unsigned depth, const char *path);

/* <failureDetails><code /></failureDetails>: with the space, clients match it literally. */
void document_failure(struct document *doc, const char *code, struct str parameter,
                      const char *error);

#endif

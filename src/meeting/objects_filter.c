/* SPDX-License-Identifier: Apache-2.0 */
/* What `filter=` looks in: for each object one line of letters, made when it changes, so that a page
 * of a hundred thousand spaces costs a walk over those lines and nothing else. */
#include <errno.h>
#include <stdlib.h>

#include "meeting/objects_internal.h"

/* Between the fields of a line; no text holds it, so no part is found across two of them. */
enum { FIELD_END = '\n' };

static bool
is_looked_in(enum object_type type, unsigned field)
{
	const unsigned both = FIELD_FILTER | FIELD_KEPT;
	return (object_field(type, field)->flags & both) == both;
}

int
filter_create(struct table *table, enum object_type type, uint32_t cap)
{
	size_t longest = 0;
	for (unsigned i = 0; i < object_field_count(type); i++)
		longest += is_looked_in(type, i) ? object_field(type, i)->max + 1 : 0;
	CHECK(longest <= TEXT_POOL_LEN_MAX);
	if (longest == 0)
		return 0;
	table->lines = calloc(cap, sizeof *table->lines);
	return table->lines != NULL ? 0 : -ENOMEM;
}

static void
put_lower(char *to, struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		to[i] = str_lower(text.at[i]);
}

bool
filter_index(struct objects *objects, enum object_type type, uint32_t handle,
             const struct kept *kept)
{
	struct table *table = &objects->tables[type];
	char line[TEXT_POOL_LEN_MAX];
	size_t len = 0;
	if (table->lines == NULL)
		return true;
	for (unsigned i = 0; i < object_field_count(type); i++) {
		if (!is_looked_in(type, i) || !field_set_has(&kept->set, i))
			continue;
		const struct str text = kept_value(objects, type, kept, i).text;
		CHECK(len + text.len + 1 <= sizeof line);
		put_lower(line + len, text);
		len += text.len;
		line[len++] = FIELD_END;
	}
	if (len == 0)
		return true;
	uint32_t *at = &table->lines[slab_index(handle)];
	CHECK(*at == 0);
	*at = text_pool_put(&objects->lines, (struct str){ line, len - 1 });
	return *at != 0;
}

void
filter_unindex(struct objects *objects, enum object_type type, uint32_t handle)
{
	struct table *table = &objects->tables[type];
	if (table->lines == NULL)
		return;
	uint32_t *at = &table->lines[slab_index(handle)];
	if (*at != 0)
		text_pool_free(&objects->lines, *at);
	*at = 0;
}

bool
object_part_of(struct object_part *out, struct str text)
{
	if (text.len > sizeof out->letters || str_find(text, FIELD_END) != text.len)
		return false;
	out->len = text.len;
	put_lower(out->letters, text);
	return true;
}

static bool
line_holds(const struct objects *objects, uint32_t line, const struct object_part *part)
{
	return line != 0 && str_contains(text_pool_get(&objects->lines, line),
	                                 (struct str){ part->letters, part->len });
}

bool
objects_hold(const struct objects *objects, enum object_type type, uint32_t handle,
             const struct object_part *part)
{
	const uint32_t *lines = objects->tables[type].lines;
	return lines != NULL && objects_alive(objects, type, handle) &&
	       line_holds(objects, lines[slab_index(handle)], part);
}

uint32_t
objects_next_holding(const struct objects *objects, enum object_type type,
                     const struct object_part *part, uint32_t *at)
{
	const struct table *table = &objects->tables[type];
	uint32_t handle = 0;
	do {
		handle = table->lines != NULL ? slab_next(&table->slab, at) : 0;
	} while (handle != 0 && !line_holds(objects, table->lines[slab_index(handle)], part));
	return handle;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Custom layouts: a reader for just the JSON (RFC 8259) a template is made of, that can say what is
 * wrong and where.  It has no recursion and no strings but names. */
#include <stdarg.h>
#include <stdio.h>

#include "base/check.h"
#include "meeting/layout.h"

enum {
	DECIMALS_MAX = 4,
	PERCENT = 10000, /* units of one percent: four decimals */
	WHOLE = 100 * PERCENT,
	SLACK = PERCENT / 20, /* three times 33.34 may be meant to be 100 */
	NAME_MAX = 16,
};

enum pane_member { PANE_X, PANE_Y, PANE_WIDTH, PANE_HEIGHT, PANE_OVER, PANE_MEMBERS };

static const char *const member_names[PANE_MEMBERS] = { "x", "y", "width", "height", "over" };

struct text {
	struct str rest;
	bool failed;
	char *error;
	int layout; /* where we are, -1: not inside */
	int pane;
};

__attribute__((format(printf, 2, 3))) static void
fail(struct text *t, const char *format, ...)
{
	if (t->failed)
		return;
	t->failed = true;
	int at = 0;
	if (t->layout >= 0)
		at = snprintf(t->error, LAYOUT_ERROR_MAX, "templates[%d]", t->layout);
	if (t->pane >= 0)
		at += snprintf(t->error + at, LAYOUT_ERROR_MAX - (size_t)at, ".panes[%d]", t->pane);
	if (at != 0)
		at += snprintf(t->error + at, LAYOUT_ERROR_MAX - (size_t)at, ": ");
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(t->error + at, LAYOUT_ERROR_MAX - (size_t)at, format, arguments);
	va_end(arguments);
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The next character that is no space, 0 at the end. */
static char
peek(struct text *t)
{
	while (t->rest.len != 0 && is_space(t->rest.at[0]))
		t->rest = str_sub(t->rest, 1, t->rest.len - 1);
	return t->rest.len != 0 && !t->failed ? t->rest.at[0] : '\0';
}

static bool
take(struct text *t, char wanted)
{
	if (peek(t) != wanted)
		return false;
	t->rest = str_sub(t->rest, 1, t->rest.len - 1);
	return true;
}

static void
expect(struct text *t, char wanted, const char *where)
{
	if (!take(t, wanted))
		fail(t, "'%c' is missing %s", wanted, where);
}

/* A member's name with the colon behind it. */
static struct str
read_name(struct text *t)
{
	expect(t, '"', "before a member's name");
	const size_t len = str_find(t->rest, '"');
	const struct str name = str_sub(t->rest, 0, len);
	if (!t->failed && (len == t->rest.len || len > NAME_MAX))
		fail(t, "a member's name does not end");
	if (t->failed)
		return STR("");
	t->rest = str_sub(t->rest, len + 1, t->rest.len - len - 1);
	expect(t, ':', "behind a member's name");
	return name;
}

/* Percent, in units of PERCENT. */
static uint32_t
read_percent(struct text *t)
{
	uint32_t value = 0;
	unsigned digits = 0;
	unsigned decimals = 0;
	bool point = false;
	(void)peek(t);
	for (; t->rest.len != 0; t->rest = str_sub(t->rest, 1, t->rest.len - 1)) {
		const char c = t->rest.at[0];
		if (c == '.' && !point && digits != 0) {
			point = true;
			continue;
		}
		if (c < '0' || c > '9')
			break;
		decimals += point;
		if (++digits > 7 || decimals > DECIMALS_MAX)
			break;
		value = value * 10 + (uint32_t)(c - '0');
	}
	for (unsigned d = decimals; d < DECIMALS_MAX && value <= WHOLE; d++)
		value *= 10;
	if (digits == 0 || digits > 7 || decimals > DECIMALS_MAX || (point && decimals == 0) ||
	    value > WHOLE)
		fail(t, "not a number of 0 to 100 with up to four decimals");
	return value;
}

static bool
read_bool(struct text *t)
{
	(void)peek(t);
	const bool yes = str_starts(t->rest, STR("true"));
	if (!yes && !str_starts(t->rest, STR("false")))
		fail(t, "\"over\" is neither true nor false");
	else
		t->rest = str_sub(t->rest, yes ? 4 : 5, t->rest.len - (yes ? 4 : 5));
	return yes;
}

/* The nearest even point. */
static unsigned
point_of(uint32_t percent, unsigned side)
{
	const uint64_t twice = (uint64_t)WHOLE * 2;
	return (unsigned)(((uint64_t)percent * side + WHOLE) / twice) * 2;
}

static uint16_t
side_of(struct text *t, uint32_t from, uint32_t extent, unsigned side, uint16_t *start)
{
	uint32_t end = from + extent;
	if (end > WHOLE + SLACK) {
		fail(t, "reaches beyond 100 percent");
		return 0;
	}
	end = end < WHOLE ? end : WHOLE;
	*start = (uint16_t)point_of(from, side);
	const unsigned len = point_of(end, side) - *start;
	if (len < LAYOUT_SIDE_MIN)
		fail(t, "smaller than %d of %u points", LAYOUT_SIDE_MIN, side);
	return (uint16_t)len;
}

static void
read_member(struct text *t, uint32_t values[PANE_MEMBERS], unsigned *seen)
{
	const struct str name = read_name(t);
	unsigned member = 0;
	while (member < PANE_MEMBERS && !str_eq(name, str_of(member_names[member])))
		member++;
	if (t->failed)
		return;
	if (member == PANE_MEMBERS) {
		fail(t, "no member of a pane is named \"%.*s\"", STR_ARGS(name));
		return;
	}
	if ((*seen >> member & 1) != 0)
		fail(t, "\"%s\" stands twice", member_names[member]);
	*seen |= 1u << member;
	values[member] = member == PANE_OVER ? read_bool(t) : read_percent(t);
}

static void
read_pane(struct text *t, struct layout_pane *pane)
{
	uint32_t values[PANE_MEMBERS] = { 0 };
	unsigned seen = 0;
	expect(t, '{', "before a pane");
	do
		read_member(t, values, &seen);
	while (!t->failed && take(t, ','));
	expect(t, '}', "behind a pane");
	for (unsigned member = 0; member < PANE_OVER; member++) {
		if ((seen >> member & 1) == 0)
			fail(t, "\"%s\" is missing", member_names[member]);
	}
	if (t->failed)
		return;
	pane->over = values[PANE_OVER] != 0;
	pane->width = side_of(t, values[PANE_X], values[PANE_WIDTH], LAYOUT_WIDTH, &pane->x);
	pane->height = side_of(t, values[PANE_Y], values[PANE_HEIGHT], LAYOUT_HEIGHT, &pane->y);
}

static bool
overlap(const struct layout_pane *a, const struct layout_pane *b)
{
	return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height &&
	       b->y < a->y + a->height;
}

static void
check_overlap(struct text *t, const struct layout *layout)
{
	const struct layout_pane *last = &layout->panes[layout->count - 1];
	for (unsigned i = 0; i + 1 < layout->count && !last->over; i++) {
		if (overlap(last, &layout->panes[i]))
			fail(t, "overlaps panes[%u] and is not \"over\"", i);
	}
}

static unsigned
area(const struct layout_pane *pane)
{
	return (unsigned)pane->width * pane->height;
}

static void
read_layout(struct text *t, struct layout *layout)
{
	*layout = (struct layout){ 0 };
	expect(t, '{', "before an arrangement");
	if (!str_eq(read_name(t), STR("panes")))
		fail(t, "\"panes\" is missing");
	expect(t, '[', "before the panes");
	do {
		if (layout->count == LAYOUT_PANES_MAX) {
			fail(t, "more than %d panes", LAYOUT_PANES_MAX);
			return;
		}
		t->pane = layout->count;
		read_pane(t, &layout->panes[layout->count++]);
		if (!t->failed)
			check_overlap(t, layout);
	} while (!t->failed && take(t, ','));
	t->pane = -1;
	expect(t, ']', "behind the panes");
	expect(t, '}', "behind an arrangement");
	/* Who leads has the first pane when it stands out. */
	layout->led = layout->count == 1 || area(&layout->panes[0]) > area(&layout->panes[1]);
}

bool
layout_template_read(struct layout_template *out, struct str json, char error[LAYOUT_ERROR_MAX])
{
	struct layout_template read = { 0 };
	struct text t = { .rest = json, .error = error, .layout = -1, .pane = -1 };
	error[0] = '\0';
	expect(&t, '{', "at the beginning");
	if (!str_eq(read_name(&t), STR("templates")))
		fail(&t, "\"templates\" is missing");
	expect(&t, '[', "before the arrangements");
	do {
		if (read.count == LAYOUT_TEMPLATES_MAX) {
			fail(&t, "more than %d templates", LAYOUT_TEMPLATES_MAX);
			break;
		}
		t.layout = read.count;
		read_layout(&t, &read.layouts[read.count++]);
	} while (!t.failed && take(&t, ','));
	t.layout = -1;
	expect(&t, ']', "behind the arrangements");
	expect(&t, '}', "at the end");
	if (!t.failed && (peek(&t) != '\0' || t.rest.len != 0))
		fail(&t, "something stands behind the end");
	if (t.failed)
		return false;
	*out = read;
	return true;
}

unsigned
layout_template_capacity(const struct layout_template *from)
{
	unsigned most = 0;
	for (unsigned i = 0; i < from->count; i++)
		most = from->layouts[i].count > most ? from->layouts[i].count : most;
	return most;
}

void
layout_of_template(struct layout *out, const struct layout_template *from, unsigned people)
{
	const struct layout *best = NULL;
	CHECK(from->count != 0);
	for (unsigned i = 0; i < from->count; i++) {
		const struct layout *each = &from->layouts[i];
		const bool fits = each->count >= people;
		if (best == NULL || (best->count < people && each->count > best->count) ||
		    (fits && best->count >= people && each->count < best->count))
			best = each;
	}
	*out = *best;
	if (out->count > people)
		out->count = (uint8_t)people;
}

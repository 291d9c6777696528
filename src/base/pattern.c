/* SPDX-License-Identifier: Apache-2.0 */
/* Steps are numbered relative to each other, so that a piece of program can be moved and copied:
 * compiling needs no tree, and repeating is copying. */
#include "base/pattern.h"

#include "base/check.h"

enum step_kind {
	STEP_BYTE,  /* takes `byte` */
	STEP_ANY,   /* takes any */
	STEP_SET,   /* takes one of set `to` */
	STEP_FIRST, /* at the beginning of the text */
	STEP_LAST,  /* at its end */
	STEP_JUMP,  /* goes to `to` */
	STEP_FORK,  /* goes on, or to `to`: the first is tried before */
	STEP_FORK_LATER, /* the other way round */
	STEP_OPEN,  /* group `to` begins */
	STEP_CLOSE, /* and ends */
	STEP_MATCH,
};

static_assert(PATTERN_TEXT_MAX < UINT16_MAX, "offsets are 16 bits, and one means none");

const char *
pattern_reject_name(enum pattern_reject reject)
{
	static const char *const names[PATTERN_REJECT_COUNT] = {
		[PATTERN_OK] = "ok",
		[PATTERN_REJECT_LONG] = "too long",
		[PATTERN_REJECT_DEEP] = "too many groups",
		[PATTERN_REJECT_GROUP] = "a parenthesis without the other",
		[PATTERN_REJECT_REPEAT] = "nothing to repeat",
		[PATTERN_REJECT_SET] = "a bad set",
		[PATTERN_REJECT_ESCAPE] = "a backslash before something unknown",
	};
	CHECK((unsigned)reject < PATTERN_REJECT_COUNT);
	return names[reject];
}

/* ------------------------------------------------------------------ compiling */

struct group {
	uint16_t start;  /* its first step */
	uint16_t branch; /* first step of the branch being read */
	int16_t jump;    /* last jump to its end, -1: none; a jump's `to` holds the one before */
	int8_t number;   /* -1: not counted */
};

struct compiler {
	struct pattern *out;
	struct str text;
	size_t at;
	enum pattern_reject reject;
	int atom; /* first step of what a repetition would repeat, -1: nothing */
	struct pattern_step no_step; /* where what has no room goes */
	uint8_t no_set[32];
	unsigned depth;
	struct group groups[PATTERN_DEPTH_MAX];
};

static void
fail(struct compiler *c, enum pattern_reject reject)
{
	if (c->reject == PATTERN_OK)
		c->reject = reject;
}

/* Makes room for a step at `at`; what stands behind moves. */
static struct pattern_step *
insert(struct compiler *c, unsigned at, enum step_kind what, int to)
{
	struct pattern *out = c->out;
	if (out->step_count == PATTERN_STEPS_MAX) {
		fail(c, PATTERN_REJECT_LONG);
		return &c->no_step;
	}
	memmove(&out->steps[at + 1], &out->steps[at],
	        (out->step_count - at) * sizeof out->steps[0]);
	out->step_count++;
	out->steps[at] = (struct pattern_step){ .what = (uint8_t)what, .to = (int16_t)to };
	return &out->steps[at];
}

static void
append(struct compiler *c, enum step_kind what, int to)
{
	insert(c, c->out->step_count, what, to);
}

static bool
left(const struct compiler *c)
{
	return c->at < c->text.len;
}

static bool
take(struct compiler *c, char wanted)
{
	if (!left(c) || c->text.at[c->at] != wanted)
		return false;
	c->at++;
	return true;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_word(unsigned c)
{
	return str_is_alnum((char)c) || c == '_';
}

/* The set of \d and its like; false: `letter` names none. */
static bool
class_add(uint8_t set[32], char letter)
{
	const char low = letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
	if (low != 'd' && low != 'w' && low != 's')
		return false;
	for (unsigned c = 0; c < 256; c++) {
		const bool in = low == 'd'   ? c >= '0' && c <= '9'
		                : low == 'w' ? is_word(c)
		                             : c == ' ' || (c >= '\t' && c <= '\r');
		if (in == (low == letter))
			set[c / 8] |= (uint8_t)(1u << c % 8);
	}
	return true;
}

/* What stands behind a backslash, when it is one character. */
static bool
escaped(char letter, char *out)
{
	*out = letter == 't' ? '\t' : letter;
	return letter == 't' || !is_word((unsigned char)letter) || letter == '_';
}

static uint8_t *
set_new(struct compiler *c)
{
	if (c->out->set_count == PATTERN_SETS_MAX) {
		fail(c, PATTERN_REJECT_LONG);
		return c->no_set;
	}
	append(c, STEP_SET, c->out->set_count);
	return c->out->sets[c->out->set_count++];
}

/* One end of a range, or a class; false when it was a class, or nothing that can be one. */
static bool
set_member(struct compiler *c, uint8_t set[32], char *out)
{
	*out = c->text.at[c->at++];
	if (*out != '\\')
		return true;
	if (!left(c)) {
		fail(c, PATTERN_REJECT_SET);
		return false;
	}
	const char letter = c->text.at[c->at++];
	if (class_add(set, letter))
		return false;
	if (!escaped(letter, out))
		fail(c, PATTERN_REJECT_ESCAPE);
	return true;
}

static void
read_set(struct compiler *c)
{
	uint8_t *set = set_new(c);
	const bool other = take(c, '^');
	/* A ] that comes first is one of the set. */
	for (bool first = true; c->reject == PATTERN_OK; first = false) {
		char from;
		if (!left(c)) {
			fail(c, PATTERN_REJECT_SET);
			return;
		}
		if (!first && take(c, ']'))
			break;
		if (!set_member(c, set, &from))
			continue;
		char to = from;
		if (c->at + 1 < c->text.len && c->text.at[c->at] == '-' &&
		    c->text.at[c->at + 1] != ']') {
			c->at++;
			if (!set_member(c, set, &to) || (uint8_t)to < (uint8_t)from) {
				fail(c, PATTERN_REJECT_SET);
				return;
			}
		}
		for (unsigned i = (uint8_t)from; i <= (uint8_t)to; i++)
			set[i / 8] |= (uint8_t)(1u << i % 8);
	}
	for (unsigned i = 0; other && i < 32; i++)
		set[i] = (uint8_t)~set[i];
}

static void
read_escape(struct compiler *c)
{
	uint8_t set[32] = { 0 };
	char byte;
	if (!left(c)) {
		fail(c, PATTERN_REJECT_ESCAPE);
		return;
	}
	const char letter = c->text.at[c->at++];
	if (class_add(set, letter))
		memcpy(set_new(c), set, sizeof set);
	else if (escaped(letter, &byte))
		insert(c, c->out->step_count, STEP_BYTE, 0)->byte = (uint8_t)byte;
	else
		fail(c, PATTERN_REJECT_ESCAPE);
}

static void
open_group(struct compiler *c)
{
	struct pattern *out = c->out;
	int8_t number = -1;
	if (take(c, '?')) {
		if (!take(c, ':'))
			fail(c, PATTERN_REJECT_GROUP);
	} else if (out->group_count == PATTERN_GROUPS_MAX) {
		fail(c, PATTERN_REJECT_DEEP);
	} else {
		number = (int8_t)out->group_count++;
	}
	if (c->depth == PATTERN_DEPTH_MAX) {
		fail(c, PATTERN_REJECT_DEEP);
		return;
	}
	struct group *group = &c->groups[c->depth++];
	*group = (struct group){ .start = out->step_count, .jump = -1, .number = number };
	if (number >= 0)
		append(c, STEP_OPEN, number);
	group->branch = out->step_count;
	c->atom = -1;
}

/* The branch read so far is one way, what comes is another. */
static void
next_branch(struct compiler *c)
{
	struct group *group = &c->groups[c->depth - 1];
	const int len = c->out->step_count - group->branch;
	insert(c, group->branch, STEP_FORK, len + 2);
	append(c, STEP_JUMP, group->jump);
	group->jump = (int16_t)(c->out->step_count - 1);
	group->branch = c->out->step_count;
	c->atom = -1;
}

/* All its branches go on behind it. */
static void
close_group(struct compiler *c)
{
	struct pattern *out = c->out;
	const struct group *group = &c->groups[--c->depth];
	for (int at = group->jump; at >= 0;) {
		const int before = out->steps[at].to;
		out->steps[at].to = (int16_t)(out->step_count - at);
		at = before;
	}
	if (group->number >= 0)
		append(c, STEP_CLOSE, group->number);
	c->atom = group->start;
}

/* {m}, {m,}, {m,n}: false when it is not one of them. */
static bool
read_times(struct compiler *c, unsigned *least, unsigned *most)
{
	unsigned numbers[2] = { 0, 0 };
	unsigned at = 0;
	bool any[2] = { false, false };
	while (left(c) && c->text.at[c->at] != '}') {
		const char digit = c->text.at[c->at++];
		if (digit == ',' && at == 0) {
			at = 1;
		} else if (is_digit(digit) && numbers[at] <= PATTERN_REPEAT_MAX) {
			numbers[at] = numbers[at] * 10 + (unsigned)(digit - '0');
			any[at] = true;
		} else {
			return false;
		}
	}
	*least = numbers[0];
	*most = at == 0 ? numbers[0] : any[1] ? numbers[1] : UINT32_MAX;
	return take(c, '}') && any[0] && numbers[0] <= PATTERN_REPEAT_MAX &&
	       numbers[1] <= PATTERN_REPEAT_MAX && *most >= *least;
}

/* A copy of `len` steps behind all others; jumps are relative and stay right. */
static void
append_copy(struct compiler *c, const struct pattern_step *steps, unsigned len)
{
	struct pattern *out = c->out;
	if (len > PATTERN_STEPS_MAX - (unsigned)out->step_count) {
		fail(c, PATTERN_REJECT_LONG);
		return;
	}
	memcpy(&out->steps[out->step_count], steps, len * sizeof *steps);
	out->step_count = (uint16_t)(out->step_count + len);
}

/* The atom becomes `least` copies of itself and then up to `most`. */
static void
repeat(struct compiler *c, unsigned least, unsigned most)
{
	struct pattern *out = c->out;
	struct pattern_step steps[PATTERN_STEPS_MAX];
	const unsigned atom = (unsigned)c->atom;
	const unsigned len = out->step_count - atom;
	const enum step_kind fork = take(c, '?') ? STEP_FORK_LATER : STEP_FORK;
	memcpy(steps, &out->steps[atom], len * sizeof steps[0]);
	out->step_count = (uint16_t)atom;
	for (unsigned i = 0; i < least && c->reject == PATTERN_OK; i++)
		append_copy(c, steps, len);
	if (most == UINT32_MAX) {
		append(c, fork, (int)len + 2);
		append_copy(c, steps, len);
		append(c, STEP_JUMP, -(int)len - 1);
	}
	for (unsigned i = least; most != UINT32_MAX && i < most && c->reject == PATTERN_OK; i++) {
		/* None of the rest, either. */
		append(c, fork, (int)((most - i) * (len + 1)));
		append_copy(c, steps, len);
	}
	c->atom = -1;
}

static void
read_repeat(struct compiler *c, char how)
{
	unsigned least = how == '+';
	unsigned most = how == '?' ? 1 : UINT32_MAX;
	if (c->atom < 0 || (how == '{' && !read_times(c, &least, &most))) {
		fail(c, PATTERN_REJECT_REPEAT);
		return;
	}
	repeat(c, least, most);
}

static void
read_one(struct compiler *c)
{
	const char byte = c->text.at[c->at++];
	const int before = c->out->step_count;
	switch (byte) {
	case '(':
		open_group(c);
		return;
	case '|':
		next_branch(c);
		return;
	case ')':
		if (c->depth == 1)
			fail(c, PATTERN_REJECT_GROUP);
		else
			close_group(c);
		return;
	case '*':
	case '+':
	case '?':
	case '{':
		read_repeat(c, byte);
		return;
	case '^':
	case '$':
		append(c, byte == '^' ? STEP_FIRST : STEP_LAST, 0);
		c->atom = -1;
		return;
	case '.':
		append(c, STEP_ANY, 0);
		break;
	case '[':
		read_set(c);
		break;
	case '\\':
		read_escape(c);
		break;
	default:
		insert(c, c->out->step_count, STEP_BYTE, 0)->byte = (uint8_t)byte;
		break;
	}
	c->atom = before;
}

enum pattern_reject
pattern_compile(struct pattern *out, struct str text)
{
	struct compiler c = { .out = out, .text = text, .atom = -1, .depth = 1 };
	*out = (struct pattern){ .group_count = 1 };
	c.groups[0] = (struct group){ .jump = -1 };
	append(&c, STEP_OPEN, 0);
	c.groups[0].branch = 1;
	while (left(&c) && c.reject == PATTERN_OK)
		read_one(&c);
	if (c.depth != 1)
		fail(&c, PATTERN_REJECT_GROUP);
	if (c.reject == PATTERN_OK) {
		close_group(&c);
		append(&c, STEP_MATCH, 0);
	}
	return c.reject;
}

/* ------------------------------------------------------------------ finding */

/* One way the text may go on to match: where in the program, and what its groups took. */
struct thread {
	uint16_t step;
	struct pattern_match match;
};

/* Threads in order of preference, each step at most once. */
struct threads {
	uint16_t count;
	struct thread at[PATTERN_STEPS_MAX];
};

struct walk {
	const struct pattern *pattern;
	struct str text;
	size_t at;
	uint16_t round;
	uint16_t seen[PATTERN_STEPS_MAX]; /* in which round a step was last added */
	struct threads lists[2];
	/* What is still to be followed: a step, or (step < 0) a group's bound to be put back. */
	struct {
		int16_t step;
		uint8_t group;
		uint8_t end;
		uint16_t was;
	} waiting[3 * PATTERN_STEPS_MAX];
	unsigned waiting_count;
};

static void
follow_later(struct walk *walk, int step)
{
	CHECK(walk->waiting_count < COUNT_OF(walk->waiting));
	walk->waiting[walk->waiting_count].step = (int16_t)step;
	walk->waiting_count++;
}

static void
bound(struct walk *walk, struct pattern_match *match, unsigned group, unsigned end)
{
	CHECK(walk->waiting_count < COUNT_OF(walk->waiting));
	walk->waiting[walk->waiting_count].step = -1;
	walk->waiting[walk->waiting_count].group = (uint8_t)group;
	walk->waiting[walk->waiting_count].end = (uint8_t)end;
	walk->waiting[walk->waiting_count].was = match->at[group][end];
	walk->waiting_count++;
	match->at[group][end] = (uint16_t)walk->at;
}

/* One step that takes nothing, or a new thread. */
static void
follow(struct walk *walk, struct threads *list, unsigned at, struct pattern_match *match)
{
	const struct pattern_step *step = &walk->pattern->steps[at];
	CHECK(at < walk->pattern->step_count);
	if (walk->seen[at] == walk->round)
		return;
	walk->seen[at] = walk->round;
	switch ((enum step_kind)step->what) {
	case STEP_JUMP:
		follow_later(walk, (int)at + step->to);
		break;
	case STEP_FORK:
		follow_later(walk, (int)at + step->to);
		follow_later(walk, (int)at + 1);
		break;
	case STEP_FORK_LATER:
		follow_later(walk, (int)at + 1);
		follow_later(walk, (int)at + step->to);
		break;
	case STEP_FIRST:
		if (walk->at == 0)
			follow_later(walk, (int)at + 1);
		break;
	case STEP_LAST:
		if (walk->at == walk->text.len)
			follow_later(walk, (int)at + 1);
		break;
	case STEP_OPEN:
	case STEP_CLOSE:
		bound(walk, match, (unsigned)step->to, step->what == STEP_CLOSE);
		follow_later(walk, (int)at + 1);
		break;
	case STEP_BYTE:
	case STEP_ANY:
	case STEP_SET:
	case STEP_MATCH:
		list->at[list->count].step = (uint16_t)at;
		list->at[list->count++].match = *match;
		break;
	}
}

static void
add(struct walk *walk, struct threads *list, unsigned at, struct pattern_match match)
{
	CHECK(walk->waiting_count == 0);
	follow_later(walk, (int)at);
	while (walk->waiting_count != 0) {
		walk->waiting_count--;
		const int step = walk->waiting[walk->waiting_count].step;
		if (step >= 0)
			follow(walk, list, (unsigned)step, &match);
		else
			match.at[walk->waiting[walk->waiting_count].group]
			        [walk->waiting[walk->waiting_count].end] =
				walk->waiting[walk->waiting_count].was;
	}
}

static bool
takes(const struct pattern *pattern, const struct pattern_step *step, uint8_t byte)
{
	if (step->what == STEP_BYTE)
		return step->byte == byte;
	return step->what == STEP_ANY ||
	       (step->what == STEP_SET &&
	        (pattern->sets[step->to][byte / 8] >> byte % 8 & 1) != 0);
}

bool
pattern_find(const struct pattern *pattern, struct str text, size_t from,
             struct pattern_match *match)
{
	struct walk walk = { .pattern = pattern, .text = text, .at = from };
	struct threads *now = &walk.lists[0];
	struct threads *next = &walk.lists[1];
	struct pattern_match nothing;
	bool found = false;
	if (text.len > PATTERN_TEXT_MAX || from > text.len)
		return false;
	memset(&nothing, 0xff, sizeof nothing);
	walk.round = 1;
	for (;; walk.at++) {
		if (!found)
			add(&walk, now, 0, nothing);
		walk.round++;
		next->count = 0;
		for (unsigned i = 0; i < now->count; i++) {
			const struct pattern_step *step = &pattern->steps[now->at[i].step];
			if (step->what == STEP_MATCH) {
				/* What is less wanted need not go on. */
				*match = now->at[i].match;
				found = true;
				break;
			}
			if (walk.at < text.len &&
			    takes(pattern, step, (uint8_t)text.at[walk.at])) {
				walk.at++;
				add(&walk, next, now->at[i].step + 1u, now->at[i].match);
				walk.at--;
			}
		}
		struct threads *done = now;
		now = next;
		next = done;
		if (walk.at == text.len || (found && now->count == 0))
			return found;
	}
}

/* ------------------------------------------------------------------ replacing */

static void
write_replacement(struct writer *w, struct str text, struct str replacement,
                  const struct pattern_match *match)
{
	for (size_t i = 0; i < replacement.len; i++) {
		const char c = replacement.at[i];
		const bool mark = (c == '\\' || c == '$') && i + 1 < replacement.len;
		if (mark && is_digit(replacement.at[i + 1])) {
			const uint16_t *at = match->at[replacement.at[++i] - '0'];
			if (at[0] != UINT16_MAX && at[1] != UINT16_MAX)
				writer_str(w, str_sub(text, at[0], (size_t)(at[1] - at[0])));
		} else {
			i += mark && c == '\\';
			writer_u8(w, (uint8_t)replacement.at[i]);
		}
	}
}

void
pattern_replace(struct writer *w, const struct pattern *pattern, struct str text,
                struct str replacement)
{
	struct pattern_match match;
	size_t at = 0;
	while (pattern_find(pattern, text, at, &match)) {
		const size_t begin = match.at[0][0];
		const size_t end = match.at[0][1];
		writer_str(w, str_sub(text, at, begin - at));
		write_replacement(w, text, replacement, &match);
		/* Behind a match of nothing the next begins one further. */
		if (end == begin && end < text.len)
			writer_u8(w, (uint8_t)text.at[end]);
		at = end + (end == begin);
		if (at > text.len)
			return;
	}
	writer_str(w, str_sub(text, at, text.len - at));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* stage -- who is seen in a call: who was heard last, who leads, and who stands in which pane or
 * tile.
 *
 * People stand in one order: the more important before the less, then who talks, then who was heard
 * last, then who came first.  A cough does not count: only STAGE_HEARD_US of talking, with pauses
 * of STAGE_PAUSE_US at most, makes somebody heard.  The one who leads (the large pane) stays for
 * STAGE_LEAD_US at least and while he talks; who talks over him takes over after STAGE_OVER_US,
 * once for each time he begins to talk, so that two who talk at once do not alternate.
 *
 * Panes keep their people.  For each number of panes in use the stage remembers who stands where:
 * who comes in takes the pane of the one silent longest, nobody else moves.  A receiver who is
 * among them sees the next one in his own place, so that all who are not see the same.
 *
 * With pane placement N, people of importance N to 1 have the panes 1 to N, whether they speak or
 * not; a pane whose person is not there is blank.  What a receiver sees in his own pane is the self
 * mode.
 *
 * Who has no picture is shown by name while there are STAGE_NAMES_MAX people or fewer; in larger
 * calls panes are for pictures, and for the one heard last if there are none.
 *
 * Sans-IO: deterministic, time passed in.  After an input compare `version`: it counts what can
 * change who is seen.
 *
 * Ownership  People are members of the caller's legs, linked here between stage_join() and
 *            stage_leave(); nothing is allocated.
 * Threads    The stage's owner.
 * Units      Microseconds, monotonic.
 * Limits     Any number of people; a change costs a walk past those who talk or are more important.
 *            STAGE_VIEWS_MAX numbers of panes are remembered, the least used makes room.
 */
#ifndef MEETING_STAGE_H
#define MEETING_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "meeting/layout.h"

enum {
	STAGE_VIEWS_MAX = 8,
	STAGE_NAMES_MAX = 10,
	STAGE_HEARD_US = 600 * 1000,
	STAGE_PAUSE_US = 800 * 1000,
	STAGE_LEAD_US = 2500 * 1000,
	STAGE_OVER_US = 3000 * 1000,
	STAGE_TILES_MAX = 49, /* of one browser */
};

enum stage_self_mode {
	STAGE_SELF_SKIP,  /* the next one stands there */
	STAGE_SELF_SELF,  /* he sees himself */
	STAGE_SELF_BLANK, /* the pane is blank */
};

struct stage_person {
	uint32_t leg; /* the caller's word for it, never 0 */
	uint32_t importance;
	bool picture; /* its main picture flows and may be shown */
	/* the stage's own: */
	bool talking;        /* this moment */
	bool in_spurt;       /* or a short pause ago */
	bool heard;          /* long enough in this spurt */
	bool led;            /* had the lead in this spurt */
	int64_t from_us;     /* it talks or is silent since */
	int64_t spoke_us;    /* in this spurt, up to from_us */
	int64_t heard_us;    /* when last */
	uint64_t mark;
	struct stage_person *next, *prev;               /* everybody, in order */
	struct stage_person *talker_next, *talker_prev; /* in a spurt */
};

/* Who stands in the panes of all receivers with so many. */
struct stage_view {
	uint8_t capacity; /* 0: unused */
	bool led;
	bool unplaced;    /* those only who have no pane of their own */
	uint8_t count;
	uint64_t version; /* of the stage, when it was filled */
	uint64_t used;
	struct stage_person *people[LAYOUT_PANES_MAX];
};

struct stage {
	struct stage_person *first, *last;
	struct stage_person *talkers;
	struct stage_person *speaker; /* had the lead last; NULL: nobody yet */
	int64_t speaker_us;           /* since */
	int64_t deadline_us;
	int64_t now_us;
	uint32_t people;
	uint32_t pictures;
	uint32_t presenter;           /* leg, 0: nobody */
	uint32_t placement;           /* panePlacementHighestImportance, 0: off */
	uint64_t version;
	uint64_t mark_last;
	uint64_t used_last;
	uint64_t placed_version;      /* of the next one */
	struct stage_person *placed[LAYOUT_PANES_MAX]; /* for panes 1, 2, ...; NULL: not here */
	struct stage_view views[STAGE_VIEWS_MAX];
};

void stage_init(struct stage *stage, int64_t now_us);

void stage_join(struct stage *stage, struct stage_person *person, uint32_t leg, int64_t now_us);
void stage_leave(struct stage *stage, struct stage_person *person, int64_t now_us);
void stage_talking(struct stage *stage, struct stage_person *person, bool talking, int64_t now_us);
void stage_picture(struct stage *stage, struct stage_person *person, bool picture);
void stage_importance(struct stage *stage, struct stage_person *person, uint32_t importance);
void stage_placement(struct stage *stage, uint32_t highest);
void stage_presenter(struct stage *stage, uint32_t leg);

void stage_tick(struct stage *stage, int64_t now_us);
/* When stage_tick() is next wanted, or INT64_MAX. */
[[nodiscard]] int64_t stage_deadline(const struct stage *stage);

/* Who leads: the most important, among equals who speaks or spoke last; 0: nobody is to be seen. */
[[nodiscard]] uint32_t stage_lead(const struct stage *stage);

/* ------------------------------------------------------------------ composed pictures */

/* How many panes there are people for. */
[[nodiscard]] unsigned stage_count(const struct stage *stage, const struct stage_person *self,
                                   enum stage_self_mode mode);

struct stage_request {
	const struct stage_person *self; /* whose picture it is; NULL: nobody's, all are shown */
	uint8_t capacity;                /* most panes of the layout */
	bool led;                        /* its first pane is for who leads */
	enum stage_self_mode self_mode;  /* with pane placement; else he is left out */
};

struct stage_panes {
	uint8_t count;
	uint32_t legs[LAYOUT_PANES_MAX]; /* 0: blank */
	uint32_t rest;                   /* others there are, not shown */
};

void stage_fill(struct stage *stage, const struct stage_request *request,
                struct stage_panes *out);

/* ------------------------------------------------------------------ a browser's tiles */

struct stage_tile {
	uint32_t leg; /* 0: empty */
	bool content; /* what it presents, not its camera */
	bool reserved; /* the browser's word: for content and nobody's camera */
};

struct stage_pin {
	const struct stage_person *person;
	bool content;
};

struct stage_wish {
	const struct stage_person *self;
	bool content;             /* it may see presentations */
	unsigned tile_count;
	unsigned pin_count;
	const struct stage_pin *pins; /* in the order of wishes */
};

/* `tiles` is what each tile shows now, and afterwards shall show: the pinned, content, then those
 * heard last.  Who stays keeps his tile, empty tiles fill from the first.  Where a tile is reserved
 * for content, content goes nowhere else.  True: one changed. */
bool stage_tiles(struct stage *stage, const struct stage_wish *wish, struct stage_tile *tiles);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* life -- when a component is started, asked, ended and started again.
 *
 * Sans-IO: what happened comes in, what to do comes out of life_poll(); poll until LIFE_NOTHING
 * after every input and at life_deadline().
 *
 *	STOPPED --want--> STARTING --"ready"--> READY --pings--> READY
 *	   ^                 |  dies               |  dies, or silent and killed
 *	   |                 v                     v
 *	ENDING <--unwant-- WAITING (back-off) <----+
 *
 * Back-off starts at LIFE_BACK_OFF_US_MIN, so that people are back in their meeting at once, and
 * doubles up to LIFE_BACK_OFF_US_MAX while lives stay shorter than LIFE_GOOD_US.
 *
 * Ownership  A value without pointers.
 * Threads    One owner.
 * Units      Microseconds, monotonic.
 */
#ifndef SUPERVISOR_LIFE_H
#define SUPERVISOR_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum {
	LIFE_WORDS_MAX = 512,
	LIFE_BACK_OFF_US_MIN = 200 * 1000,
	LIFE_BACK_OFF_US_MAX = 10 * 1000000,
	LIFE_GOOD_US = 30 * 1000000,
	LIFE_START_US_MAX = 60 * 1000000, /* until it says "ready" */
	LIFE_PING_US = 2 * 1000000,
	/* Pings without an answer: 10 s.  Counted instead of timed, so that a supervisor which was
	 * itself held up does not take its own absence for its component's. */
	LIFE_PINGS_MAX = 5,
	LIFE_END_US_MAX = 10 * 1000000,   /* from SIGTERM to SIGKILL */
};

enum life_state {
	LIFE_STOPPED,
	LIFE_STARTING,
	LIFE_READY,
	LIFE_ENDING,
	LIFE_WAITING,
};

enum life_do {
	LIFE_NOTHING,
	LIFE_START,     /* start the process, then life_not_started() if that failed */
	LIFE_PING,
	LIFE_TERMINATE, /* SIGTERM */
	LIFE_KILL,      /* SIGKILL */
};

struct life {
	enum life_state state;
	bool wanted;
	bool terminated; /* ENDING: SIGTERM was asked for */
	bool killed;     /* SIGKILL was asked for */
	bool was_ready;  /* this process */
	bool spoke;      /* `words` are of this process */
	bool ever_ready; /* some process of this life */
	int64_t since_us;  /* start of the process */
	int64_t ready_us;
	int64_t ping_us;   /* next one */
	uint32_t unanswered; /* pings */
	int64_t wait_us;   /* WAITING: start then; ENDING: kill then */
	int64_t back_off_us;
	uint32_t restarts; /* that nobody asked for */
	char words[LIFE_WORDS_MAX]; /* why the last process failed or ended; "" */
};

void life_init(struct life *life);

/* To run, or to be ended. */
void life_want(struct life *life, bool wanted, int64_t now_us);
/* End it and start it again, if it is wanted. */
void life_restart(struct life *life, int64_t now_us);
/* End it without waiting for good manners. */
void life_hurry(struct life *life);

void life_not_started(struct life *life, const char *why, int64_t now_us);
/* A line from the component: "ready", "failed TEXT", "pong". */
void life_said(struct life *life, struct str line, int64_t now_us);
/* `signal_name` is "Killed" and the like, borrowed.  Returns whether it was not asked for: then
 * `words` has the reason and life_back_off_us() how long until the next start. */
bool life_ended(struct life *life, int exit_status, int signal_number, const char *signal_name,
                int64_t now_us);

[[nodiscard]] enum life_do life_poll(struct life *life, int64_t now_us);
[[nodiscard]] int64_t life_deadline(const struct life *life);

/* Ready, and at most one ping is still to be answered. */
[[nodiscard]] bool life_answers(const struct life *life);
/* WAITING: from the end of the last process to the start of the next. */
[[nodiscard]] int64_t life_back_off_us(const struct life *life, int64_t now_us);
[[nodiscard]] const char *life_state_name(enum life_state state);

#endif

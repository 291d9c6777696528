/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/life.h"

#include "base/bytes.h"
#include "base/check.h"

const char *
life_state_name(enum life_state state)
{
	static const char *const names[] = {
		[LIFE_STOPPED] = "stopped", [LIFE_STARTING] = "starting", [LIFE_READY] = "ready",
		[LIFE_ENDING] = "ending",   [LIFE_WAITING] = "waiting",
	};
	return names[state];
}

void
life_init(struct life *life)
{
	*life = (struct life){ .state = LIFE_STOPPED, .back_off_us = LIFE_BACK_OFF_US_MIN };
}

static void
end_it(struct life *life, int64_t now_us)
{
	if (life->state == LIFE_STARTING || life->state == LIFE_READY) {
		life->state = LIFE_ENDING;
		life->terminated = false;
		life->wait_us = now_us + LIFE_END_US_MAX;
	}
}

void
life_want(struct life *life, bool wanted, int64_t now_us)
{
	if (life->wanted == wanted)
		return;
	life->wanted = wanted;
	if (!wanted) {
		end_it(life, now_us);
		if (life->state == LIFE_WAITING)
			life->state = LIFE_STOPPED;
	} else if (life->state == LIFE_STOPPED) {
		life->state = LIFE_WAITING;
		life->wait_us = now_us;
		life->back_off_us = LIFE_BACK_OFF_US_MIN;
	}
}

void
life_restart(struct life *life, int64_t now_us)
{
	end_it(life, now_us);
	life->back_off_us = LIFE_BACK_OFF_US_MIN;
	if (life->state == LIFE_WAITING)
		life->wait_us = now_us;
}

void
life_hurry(struct life *life)
{
	if (life->state == LIFE_ENDING)
		life->wait_us = INT64_MIN;
}

/* -- what happened ----------------------------------------------------------------------------- */

static void
write_words(struct life *life, const struct writer *w)
{
	life->words[w->at] = '\0';
	life->spoke = true;
}

static void
wait_for_next(struct life *life, int64_t now_us)
{
	life->state = LIFE_WAITING;
	life->restarts++;
	life->wait_us = now_us + life->back_off_us;
	life->back_off_us = life->back_off_us * 2 < LIFE_BACK_OFF_US_MAX ? life->back_off_us * 2
	                                                                : LIFE_BACK_OFF_US_MAX;
}

void
life_not_started(struct life *life, const char *why, int64_t now_us)
{
	CHECK(life->state == LIFE_STARTING);
	struct writer w = writer_of(life->words, sizeof life->words - 1);
	writer_format(&w, "could not be started: %s", why);
	write_words(life, &w);
	wait_for_next(life, now_us);
}

void
life_said(struct life *life, struct str line, int64_t now_us)
{
	static const struct str failed = STR_INIT("failed ");
	life->unanswered = 0;
	if (str_eq(line, STR("ready")) && life->state == LIFE_STARTING) {
		life->state = LIFE_READY;
		life->was_ready = life->ever_ready = true;
		life->ready_us = now_us;
		life->ping_us = now_us + LIFE_PING_US;
	} else if (str_starts(line, failed)) {
		struct writer w = writer_of(life->words, sizeof life->words - 1);
		writer_str(&w, str_sub(line, failed.len, line.len - failed.len));
		write_words(life, &w);
	}
}

bool
life_ended(struct life *life, int exit_status, int signal_number, const char *signal_name,
           int64_t now_us)
{
	const enum life_state state = life->state;
	CHECK(state == LIFE_STARTING || state == LIFE_READY || state == LIFE_ENDING);
	if (state == LIFE_ENDING) {
		life->state = life->wanted ? LIFE_WAITING : LIFE_STOPPED;
		life->wait_us = now_us;
		return false;
	}
	/* Its own last words, or ours about the kill, say more than the status. */
	if (!life->spoke) {
		struct writer w = writer_of(life->words, sizeof life->words - 1);
		if (signal_number != 0)
			writer_format(&w, "ended by signal %d (%s)", signal_number, signal_name);
		else
			writer_format(&w, "ended with status %d", exit_status);
		write_words(life, &w);
	}
	if (life->was_ready && now_us - life->ready_us >= LIFE_GOOD_US)
		life->back_off_us = LIFE_BACK_OFF_US_MIN;
	wait_for_next(life, now_us);
	return true;
}

/* -- what to do -------------------------------------------------------------------------------- */

static enum life_do
kill_for(struct life *life, const char *why)
{
	if (life->killed)
		return LIFE_NOTHING;
	life->killed = true;
	struct writer w = writer_of(life->words, sizeof life->words - 1);
	writer_text(&w, why);
	write_words(life, &w);
	return LIFE_KILL;
}

static enum life_do
poll_ready(struct life *life, int64_t now_us)
{
	if (now_us < life->ping_us)
		return LIFE_NOTHING;
	if (life->unanswered == LIFE_PINGS_MAX)
		return kill_for(life, "did not answer for 10 s and was killed");
	life->unanswered++;
	life->ping_us = now_us + LIFE_PING_US;
	return LIFE_PING;
}

static enum life_do
poll_ending(struct life *life, int64_t now_us)
{
	if (now_us >= life->wait_us)
		return kill_for(life, life->wait_us == INT64_MIN
		                              ? "was killed"
		                              : "did not end within 10 s and was killed");
	if (life->terminated)
		return LIFE_NOTHING;
	life->terminated = true;
	return LIFE_TERMINATE;
}

enum life_do
life_poll(struct life *life, int64_t now_us)
{
	switch (life->state) {
	case LIFE_STOPPED:
		return LIFE_NOTHING;
	case LIFE_STARTING:
		if (now_us < life->since_us + LIFE_START_US_MAX)
			return LIFE_NOTHING;
		return kill_for(life, "was not ready after 60 s and was killed");
	case LIFE_READY:
		return poll_ready(life, now_us);
	case LIFE_ENDING:
		return poll_ending(life, now_us);
	case LIFE_WAITING:
		break;
	}
	CHECK(life->wanted);
	if (now_us < life->wait_us)
		return LIFE_NOTHING;
	life->state = LIFE_STARTING;
	life->since_us = now_us;
	life->unanswered = 0;
	life->was_ready = life->spoke = life->killed = life->terminated = false;
	return LIFE_START;
}

int64_t
life_deadline(const struct life *life)
{
	if (life->killed && life->state != LIFE_WAITING)
		return INT64_MAX; /* its end is all we wait for */
	switch (life->state) {
	case LIFE_STOPPED:
		break;
	case LIFE_STARTING:
		return life->since_us + LIFE_START_US_MAX;
	case LIFE_READY:
		return life->ping_us;
	case LIFE_ENDING:
	case LIFE_WAITING:
		return life->wait_us;
	}
	return INT64_MAX;
}

bool
life_answers(const struct life *life)
{
	return life->state == LIFE_READY && life->unanswered <= 1;
}

int64_t
life_back_off_us(const struct life *life, int64_t now_us)
{
	return life->state == LIFE_WAITING && life->wait_us > now_us ? life->wait_us - now_us : 0;
}

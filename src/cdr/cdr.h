/* SPDX-License-Identifier: Apache-2.0 */
/* cdr -- call detail records: what happened to calls and legs, told to up to four receivers in CMS'
 * words.
 *
 * Records are made of the model's news and given to a spool (cdr/spool.h) that keeps them on the
 * disk.  Each receiver is sent what the spool has, several records a POST, in order, until it has
 * taken them with a 2xx; then its mark moves on.
 *
 *	cdr_news(cdr, news)        -> sink.append(entry)
 *	cdr_stored(cdr, ...)       -> sink.read(slot, sequence)
 *	cdr_batch(cdr, slot, ...)  -> sink.post(slot, url, body)
 *	cdr_answered(cdr, slot, .) -> sink.mark(mark), and on; or cdr_tick() tries again later
 *
 * `recordIndex` counts a receiver's records within a session, from 1; `correlatorIndex` those of the
 * bridge, from 0.  A record sent twice because its answer was lost has the same two numbers.  Each
 * start of the bridge is a session; what is left of the session before is sent under its own name,
 * first.  numPreceedingRecordsMissing tells how many were lost in front of a record, and recordIndex
 * leaves out as many numbers.
 *
 * Sans-IO: bytes leave by the sink, which must not call back.
 *
 * Ownership  cdr_create() allocates everything; what the sink is given is borrowed.
 * Threads    The control thread.
 * Units      Microseconds, monotonic; `wall_us` since 1970.
 * Errors     None: what a receiver does wrong is tried again, and an alarm.
 * Limits     CDR_RECEIVERS_MAX; CDR_RECORD_BYTES_MAX a record; CDR_POST_RECORDS_MAX a POST.
 */
#ifndef CDR_CDR_H
#define CDR_CDR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/encode.h"
#include "base/str.h"
#include "meeting/meeting.h"

enum {
	CDR_RECEIVERS_MAX = 4,
	CDR_RECORD_BYTES_MAX = 16384, /* five names of 256 bytes that are all escaped, and figures */
	CDR_POST_RECORDS_MAX = 100,
	CDR_POST_BYTES_MAX = 256 * 1024,
	CDR_RETRY_US_MIN = 1000 * 1000, /* doubled at each failure */
	CDR_RETRY_US_MAX = 60 * 1000 * 1000,
};

/* One record as it is kept. */
struct cdr_entry {
	uint64_t sequence;   /* of all sessions: where something is missing, numbers are */
	struct guid session;
	uint32_t correlator;
	uint8_t type;        /* of cdr_record.h */
	int64_t wall_us;
	struct str body;     /* "<call id=...>...</call>" */
};

/* How far one receiver is. */
struct cdr_mark {
	struct guid receiver;
	uint64_t next;       /* sequence; 0: the receiver is no more */
	struct guid session; /* `index` is the next recordIndex in this one */
	uint32_t index;
};

enum cdr_answer {
	CDR_TAKEN,
	CDR_REFUSED,   /* any status but 2xx */
	CDR_NO_NAME,   /* DNS */
	CDR_NO_ANSWER, /* connection refused, broken, too slow */
	CDR_NO_TRUST,  /* its certificate */
};

struct cdr_sink {
	void *context;
	void (*append)(void *context, const struct cdr_entry *entry);
	void (*mark)(void *context, const struct cdr_mark *mark);
	/* Entries from `sequence` on; answered by cdr_batch(). */
	void (*read)(void *context, unsigned slot, uint64_t sequence);
	/* Answered by cdr_answered(). */
	void (*post)(void *context, unsigned slot, struct str url, struct str body);
	/* Drops the POST of the slot: its answer is not wanted. */
	void (*cancel)(void *context, unsigned slot);
	void (*log)(void *context, bool warning, struct str text);
	int64_t (*wall_us)(void *context);
};

struct cdr_settings {
	struct meeting *meeting;
	struct guid session;
	struct guid call_bridge;
	uint64_t sequence_next;         /* as the spool knows it, at least 1 */
	const struct cdr_mark *marks;   /* as the spool knows them */
	unsigned mark_count;
	uint32_t legs_max;
	struct cdr_sink sink;
};

struct cdr;

[[nodiscard]] int cdr_create(struct cdr **out, const struct cdr_settings *settings, int64_t now_us);
void cdr_destroy(struct cdr *cdr);

/* For the model's watcher. */
void cdr_news(struct cdr *cdr, const struct meeting_news *news);
/* After receivers may have changed; cheap when they have not. */
void cdr_configured(struct cdr *cdr, int64_t now_us);
/* The spool has all that is before `next` and nothing before `first`. */
void cdr_stored(struct cdr *cdr, uint64_t first, uint64_t next, int64_t now_us);
/* `count` 0: it could not be read. */
void cdr_batch(struct cdr *cdr, unsigned slot, const struct cdr_entry *entries, unsigned count,
               int64_t now_us);
/* `text` says more about a failure, for the event log. */
void cdr_answered(struct cdr *cdr, unsigned slot, enum cdr_answer answer, struct str text,
                  int64_t now_us);
void cdr_tick(struct cdr *cdr, int64_t now_us);
[[nodiscard]] int64_t cdr_deadline(const struct cdr *cdr);

/* How one receiver takes its records. */
struct cdr_standing {
	bool asked;             /* since the start something was sent to it */
	enum cdr_answer last;   /* what came of it */
	struct str error;       /* what went wrong last, with a NUL; empty: nothing; borrowed */
	int64_t failed_wall_us;
	int64_t taken_wall_us;  /* 0: never */
	int64_t retry_us;       /* INT64_MAX: nothing is tried again */
	int64_t answer_us;      /* how long the last answer took */
	uint32_t answers;       /* since the start, good and bad */
	uint64_t waiting;       /* records */
};
/* False: there is no such receiver. */
[[nodiscard]] bool cdr_standing(const struct cdr *cdr, const struct guid *receiver,
                                struct cdr_standing *out);
/* Sends it something at once: what waits, or when nothing does an envelope of records without any,
 * which no receiver counts and no number stands for.  A refusal of the empty one is no alarm. */
void cdr_test(struct cdr *cdr, const struct guid *receiver, int64_t now_us);

struct cdr_counts {
	uint32_t receivers;
	uint32_t failing;      /* receivers that do not take records now */
	uint64_t records;      /* made */
	uint64_t posts;
	uint64_t posts_failed;
	uint64_t taken;        /* records, by any receiver */
	uint64_t missing;      /* records a receiver will never get */
	uint64_t waiting;      /* records the slowest has not taken yet */
};
struct cdr_counts cdr_count(const struct cdr *cdr);

#endif

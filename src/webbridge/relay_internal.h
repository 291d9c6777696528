/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the relay share: relay.c (bridges and time), relay_session.c (browsers),
 * relay_question.c (joins and lookups). */
#ifndef WEBBRIDGE_RELAY_INTERNAL_H
#define WEBBRIDGE_RELAY_INTERNAL_H

#include <assert.h>

#include "base/slab.h"
#include "base/timer.h"
#include "webbridge/relay.h"

enum {
	/* Reading and writing again may escape what came plain. */
	RELAY_TEXT_MAX = 2 * C2W_MESSAGE_BYTES_MAX,
	RELAY_NO_LINK = RELAY_LINKS_MAX,
};

enum relay_timer_kind { RELAY_TIMER_LINK, RELAY_TIMER_SESSION, RELAY_TIMER_QUESTION };

struct relay_timer {
	struct timer timer;
	enum relay_timer_kind kind;
	uint32_t of; /* link's index, or handle */
};

/* A Call Bridge's connection. */
struct link {
	bool used;
	bool ready;     /* has said hello */
	bool retiring;  /* it is shutting down: nobody new */
	uint32_t ws;
	char id[C2W_ID_MAX + 1];
	struct relay_timer timer; /* for its hello */
};

enum session_state {
	SESSION_WAITING, /* for a link */
	SESSION_OPENING, /* asked its bridge */
	SESSION_OPEN,
	SESSION_LEAVING, /* `leave` was passed on, `ended` is awaited */
};

struct session {
	enum session_state state;
	uint32_t browser;
	uint32_t handle;  /* its number on C2W */
	unsigned link;    /* RELAY_NO_LINK while WAITING */
	bool was_open;
	uint32_t allowance;
	int64_t allowance_us; /* last added to */
	struct relay_timer timer;
	char home[C2W_ID_MAX + 1]; /* id of the bridge that made the token, as it says; or empty */
	char product[C2W_PRODUCT_MAX + 1];
	char address[ADDR_TEXT_MAX];
	char token[C2W_TOKEN_MAX + 1];
};

struct question {
	uint32_t id;
	uint32_t handle; /* its number on C2W */
	enum c2w_kind kind;
	unsigned link;   /* RELAY_NO_LINK: waits for one */
	uint32_t tried;  /* links that said no, one bit each */
	enum c2w_refusal refusal; /* what they said */
	uint64_t source;
	struct relay_timer timer;
	char home[C2W_ID_MAX + 1]; /* id of the bridge that made its token; or empty */
	size_t len;
	char text[RELAY_QUESTION_BYTES_MAX]; /* as a bridge is asked */
};
static_assert(RELAY_LINKS_MAX <= 32, "struct question tells links apart by bits");

/* How often somebody failed lately. */
struct source {
	uint64_t hash;
	uint32_t failures;
	int64_t forgiven_us; /* last time one was forgiven */
};

struct relay {
	struct relay_sink sink;
	struct hash_key hash_key;
	char product[C2W_PRODUCT_MAX + 1];
	struct link links[RELAY_LINKS_MAX];
	unsigned next_link; /* whose turn it is */
	struct slab sessions;
	struct slab questions;
	struct map by_browser;
	struct timer_wheel timers;
	struct source *sources;
	struct relay_counters counters;
	uint8_t *text; /* RELAY_TEXT_MAX, for one message being written */
};

__attribute__((format(printf, 3, 4))) void relay_log(struct relay *relay, enum relay_log level,
                                                     const char *format, ...);
void relay_timer_start(struct relay *relay, struct relay_timer *timer, int64_t deadline_us);

/* The message in relay->text, or an empty view when it cannot be written. */
[[nodiscard]] struct str relay_write(struct relay *relay, const struct c2w_message *message,
                                     bool for_browser);
void relay_to_bridge(struct relay *relay, unsigned link, const struct c2w_message *message);

/* The link of the bridge with this id that takes newcomers; RELAY_NO_LINK. */
[[nodiscard]] unsigned relay_link_by_id(const struct relay *relay, const char *id);
/* The id of the bridge that a token says it comes from, or an empty text. */
void relay_token_home(char out[C2W_ID_MAX + 1], struct str token);
/* A link that takes newcomers, `tried` excepted, in turn; RELAY_NO_LINK. */
[[nodiscard]] unsigned relay_any_link(struct relay *relay, uint32_t tried);

/* A bridge has said hello: whoever waits for it goes on. */
void sessions_link_ready(struct relay *relay, unsigned link, int64_t now_us);
void sessions_link_down(struct relay *relay, unsigned link, int64_t now_us);
void session_timer(struct relay *relay, uint32_t handle, int64_t now_us);
/* From a bridge, for one or many. */
void sessions_message(struct relay *relay, unsigned link, struct c2w_message *message,
                      int64_t now_us);

void questions_link_ready(struct relay *relay, int64_t now_us);
void questions_link_down(struct relay *relay, unsigned link, int64_t now_us);
void question_timer(struct relay *relay, uint32_t handle, int64_t now_us);
void question_message(struct relay *relay, unsigned link, const struct c2w_message *message,
                      int64_t now_us);

#endif

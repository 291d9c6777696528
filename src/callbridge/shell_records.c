/* SPDX-License-Identifier: Apache-2.0 */
/* The world around call detail records: the spool, the posts, and the model's watcher. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "callbridge/shell.h"
#include "net/random.h"
#include "net/wall.h"

enum { POST_US_MAX = 30 * 1000 * 1000 };

/* ---- What the core asks for ---------------------------------------------------------------- */

static void
on_append(void *context, const struct cdr_entry *entry)
{
	struct shell *shell = context;
	spool_append(shell->records.spool, entry);
}

static void
on_mark(void *context, const struct cdr_mark *mark)
{
	struct shell *shell = context;
	spool_mark(shell->records.spool, mark);
}

static void
on_read(void *context, unsigned slot, uint64_t sequence)
{
	struct shell *shell = context;
	spool_read(shell->records.spool, slot, sequence);
}

static enum cdr_answer
answer_of(const struct http_client_answer *answer)
{
	switch (answer->failure) {
	case HTTP_CLIENT_OK:
		return answer->status / 100 == 2 ? CDR_TAKEN : CDR_REFUSED;
	case HTTP_CLIENT_NO_NAME:
		return CDR_NO_NAME;
	case HTTP_CLIENT_NO_TRUST:
		return CDR_NO_TRUST;
	case HTTP_CLIENT_NO_CONNECTION:
	case HTTP_CLIENT_TIMEOUT:
	case HTTP_CLIENT_BROKEN:
		break;
	}
	return CDR_NO_ANSWER;
}

static void
on_posted(void *context, uint32_t request, const struct http_client_answer *answer)
{
	struct shell *shell = context;
	char text[HTTP_CLIENT_TEXT_MAX + 32];
	unsigned slot = 0;
	while (slot < CDR_RECEIVERS_MAX && shell->records.posts[slot] != request)
		slot++;
	CHECK(slot < CDR_RECEIVERS_MAX);
	shell->records.posts[slot] = 0;
	if (answer->failure == HTTP_CLIENT_OK)
		snprintf(text, sizeof text, "it answered with status %u", answer->status);
	else
		snprintf(text, sizeof text, "%s", answer->text);
	cdr_answered(shell->records.cdr, slot, answer_of(answer), str_of(text), loop_now_us());
	shell_settle(shell);
}

static void
on_post(void *context, unsigned slot, struct str url, struct str body)
{
	static const char *const headers[] = { "Content-Type: text/xml", NULL };
	struct shell *shell = context;
	char url_text[HTTP_CLIENT_URL_MAX];
	const struct http_client_request request = { .method = "POST", .url = url_text,
		                                     .headers = headers, .body = body,
		                                     .timeout_us = POST_US_MAX,
		                                     .done = on_posted, .context = shell };
	CHECK(shell->records.posts[slot] == 0);
	(void)str_copy(url_text, sizeof url_text, url);
	if (http_client_send(shell->records.client, &request, &shell->records.posts[slot]) != 0)
		shell->records.unsent[slot] = true;
}

static void
on_cancel(void *context, unsigned slot)
{
	struct shell *shell = context;
	http_client_drop(shell->records.client, shell->records.posts[slot]);
	shell->records.posts[slot] = 0;
	shell->records.unsent[slot] = false;
}

static void
on_log(void *context, bool warning, struct str text)
{
	(void)context;
	if (warning)
		log_warning("%.*s", STR_ARGS(text));
	else
		log_info("%.*s", STR_ARGS(text));
}

static int64_t
on_wall(void *context)
{
	(void)context;
	return wall_now().us;
}

/* ---- What the spool answers ---------------------------------------------------------------- */

static void
wake_spool(void *context)
{
	struct shell *shell = context;
	loop_wake(shell->records.waker);
}

static void
on_spool(void *context)
{
	struct shell *shell = context;
	struct spool_result result;
	while (spool_take(shell->records.spool, &result)) {
		const int64_t now_us = loop_now_us();
		switch (result.kind) {
		case SPOOL_STORED:
			cdr_stored(shell->records.cdr, result.first, result.next, now_us);
			break;
		case SPOOL_BATCH:
			cdr_batch(shell->records.cdr, result.slot, result.entries, result.count,
			          now_us);
			break;
		case SPOOL_FAILED:
			log_error("%s", result.error);
			break;
		}
	}
	shell_settle(shell);
}

static void
on_news(void *context, const struct meeting_news *news)
{
	struct shell *shell = context;
	cdr_news(shell->records.cdr, news);
	events_news(shell->events.core, news);
}

/* ---- Life ---------------------------------------------------------------------------------- */

static bool
open_spool(struct shell *shell, struct spool_loaded *loaded)
{
	char path[COMPONENT_PATH_MAX];
	const struct spool_settings settings = {
		.dir = component_path(&shell->component, path, "cdr"),
		.wake = wake_spool,
		.context = shell,
	};
	if (loop_waker_create(&shell->records.waker, shell->component.loop, on_spool, shell) != 0 ||
	    http_client_create(&shell->records.client, shell->component.loop) != 0)
		return component_fail(&shell->component, "not enough memory for records");
	const int rc = spool_open(&shell->records.spool, &settings, loaded);
	return rc == 0 || component_fail(&shell->component, "call detail records in %s: %s", path,
	                                 strerror(-rc));
}

bool
records_open(struct shell *shell, const struct guid *call_bridge, uint32_t legs_max)
{
	struct spool_loaded loaded;
	uint8_t session[GUID_BYTES];
	if (!open_spool(shell, &loaded))
		return false;
	random_bytes(session, sizeof session);
	const struct cdr_settings settings = {
		.meeting = shell->meeting,
		.session = guid_of_random(session),
		.call_bridge = *call_bridge,
		.sequence_next = loaded.next,
		.marks = loaded.marks,
		.mark_count = loaded.mark_count,
		.legs_max = legs_max,
		.sink = { .context = shell, .append = on_append, .mark = on_mark, .read = on_read,
		          .post = on_post, .cancel = on_cancel, .log = on_log, .wall_us = on_wall },
	};
	if (cdr_create(&shell->records.cdr, &settings, loop_now_us()) != 0)
		return component_fail(&shell->component, "not enough memory for records");
	cdr_stored(shell->records.cdr, loaded.first, loaded.next, loop_now_us());
	meeting_watch(shell->meeting, on_news, shell);
	return true;
}

/* The calls' last records are on the disk when this returns. */
void
records_close(struct shell *shell)
{
	if (shell->meeting != NULL)
		meeting_watch(shell->meeting, NULL, NULL);
	spool_close(shell->records.spool);
	http_client_destroy(shell->records.client);
	cdr_destroy(shell->records.cdr);
	loop_waker_destroy(shell->records.waker);
}

void
records_tick(struct shell *shell, int64_t now_us)
{
	struct shell_records *records = &shell->records;
	cdr_configured(records->cdr, now_us);
	for (unsigned slot = 0; slot < CDR_RECEIVERS_MAX; slot++) {
		if (!records->unsent[slot])
			continue;
		records->unsent[slot] = false;
		cdr_answered(records->cdr, slot, CDR_NO_ANSWER, STR("too much is under way"),
		             now_us);
	}
	cdr_tick(records->cdr, now_us);
}

int64_t
records_deadline(const struct shell *shell)
{
	return cdr_deadline(shell->records.cdr);
}

/* ---- What the API asks --------------------------------------------------------------------- */

static enum cdr_receiver_status
status_of(const struct cdr_standing *standing)
{
	if (!standing->asked)
		return CDR_RECEIVER_UNUSED;
	switch (standing->last) {
	case CDR_TAKEN:
		return CDR_RECEIVER_SUCCESS;
	case CDR_NO_NAME:
		return CDR_RECEIVER_DNS_FAILURE;
	case CDR_NO_ANSWER:
		return CDR_RECEIVER_CONNECTION_FAILURE;
	case CDR_NO_TRUST:
		return CDR_RECEIVER_CERTIFICATE_FAILURE;
	case CDR_REFUSED:
		break;
	}
	return CDR_RECEIVER_REMOTE_FAILURE;
}

void
records_state(void *context, const struct guid *receiver, struct api_cdr_state *out)
{
	const struct shell *shell = context;
	struct cdr_standing standing;
	if (!cdr_standing(shell->records.cdr, receiver, &standing))
		return; /* made this moment: nothing was sent */
	const int64_t wait_us = standing.retry_us - loop_now_us();
	*out = (struct api_cdr_state){
		.status = status_of(&standing),
		.error = standing.error.at,
		.error_wall_us = standing.failed_wall_us,
		.success_wall_us = standing.taken_wall_us,
		.waiting = standing.waiting,
		.deliveries = standing.answers,
		.answer_ms = (uint32_t)(standing.answer_us / 1000),
	};
	if (standing.retry_us != INT64_MAX)
		out->next_attempt_s = wait_us > 0 ? (uint32_t)(wait_us / 1000000) + 1 : 1;
}

void
records_test(void *context, const struct guid *receiver)
{
	struct shell *shell = context;
	cdr_test(shell->records.cdr, receiver, loop_now_us());
}

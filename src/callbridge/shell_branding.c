/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings of branding profiles: fetched from their folders when a profile is new or changed and
 * once an hour, file by file, and kept.  While a folder cannot be had, what was there before is
 * played, or the bridge's own prompts; an alarm and the log say so. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "audio/brand.h"
#include "base/check.h"
#include "base/log.h"
#include "callbridge/shell.h"

static const struct branding_kind {
	enum object_type type;
	unsigned location;
	enum alarm_type alarm;
	bool ivr; /* its files are those whose names begin with "ivr_" */
} kinds[] = {
	{ OBJECT_CALL_BRANDING, CALL_BRANDING_LOCATION, ALARM_CALL_BRANDING_INVALID, false },
	{ OBJECT_IVR_BRANDING, IVR_BRANDING_LOCATION, ALARM_IVR_BRANDING_INVALID, true },
};

static const struct branding_kind *
kind_of(enum object_type type)
{
	return &kinds[type == OBJECT_IVR_BRANDING];
}

static const char *
name_of(const struct shell_brand *slot)
{
	static char name[GUID_TEXT_LEN + 32];
	char id[GUID_TEXT_LEN + 1];
	guid_write(id, &slot->id);
	const struct str type = str_of(object_describe(slot->type)->singular);
	snprintf(name, sizeof name, "%.*s %s", STR_ARGS(type), id);
	return name;
}

/* ---- One round ------------------------------------------------------------------------------ */

static void
give_up(struct shell *shell, struct shell_brand *slot, enum alarm_reason reason, const char *why)
{
	const int64_t now_us = loop_now_us();
	brand_put(slot->next);
	slot->next = NULL;
	slot->due_us = now_us + BRANDING_RETRY_US;
	meeting_alarm_raise(shell->meeting, kind_of(slot->type)->alarm, reason, &slot->id, now_us);
	if (!slot->complained)
		log_warning("%s: the recordings at %s cannot be used: %s", name_of(slot), slot->url,
		            why);
	slot->complained = true;
}

static void
finish(struct shell *shell, struct shell_brand *slot)
{
	const int64_t now_us = loop_now_us();
	if (slot->found == 0) {
		give_up(shell, slot, ALARM_ERROR,
		        slot->bad ? "no file is sound" : "no file is there");
		return;
	}
	brand_put(slot->current);
	slot->current = slot->next;
	slot->next = NULL;
	slot->due_us = now_us + (slot->bad ? BRANDING_RETRY_US : BRANDING_AGAIN_US);
	if (slot->bad)
		meeting_alarm_raise(shell->meeting, kind_of(slot->type)->alarm, ALARM_ERROR,
		                    &slot->id, now_us);
	else
		meeting_alarm_clear(shell->meeting, kind_of(slot->type)->alarm, &slot->id);
	if (!slot->told || slot->found != slot->told_found)
		log_info("%s: %u recordings from %s", name_of(slot), slot->found, slot->url);
	slot->told = true;
	slot->told_found = slot->found;
	slot->complained = slot->bad;
}

static bool
belongs(const struct shell_brand *slot, enum prompt prompt)
{
	return str_starts(str_of(prompt_file_name(prompt)), STR("ivr_")) ==
	       kind_of(slot->type)->ivr;
}

static void on_file(void *context, uint32_t request, const struct http_client_answer *answer);

static void
fetch_next(struct shell *shell, struct shell_brand *slot)
{
	char url[sizeof slot->url + 64];
	do
		slot->at++;
	while (slot->at < PROMPTS && !belongs(slot, (enum prompt)slot->at));
	if (slot->at == PROMPTS) {
		finish(shell, slot);
		return;
	}
	const size_t len = strlen(slot->url);
	snprintf(url, sizeof url, "%s%s%s", slot->url,
	         len != 0 && slot->url[len - 1] == '/' ? "" : "/",
	         prompt_file_name((enum prompt)slot->at));
	const struct http_client_request request = { .url = url, .timeout_us = BRANDING_FILE_US,
		                                     .done = on_file, .context = shell };
	if (http_client_send(shell->branding.client, &request, &slot->request) != 0) {
		slot->request = 0;
		give_up(shell, slot, ALARM_ERROR, "too much is under way");
	}
}

static enum alarm_reason
reason_of(enum http_client_failure failure)
{
	switch (failure) {
	case HTTP_CLIENT_NO_NAME:
		return ALARM_DNS_FAILURE;
	case HTTP_CLIENT_NO_CONNECTION:
	case HTTP_CLIENT_TIMEOUT:
		return ALARM_CONNECT_FAILURE;
	case HTTP_CLIENT_NO_TRUST:
		return ALARM_AUTHENTICATION_FAILURE;
	case HTTP_CLIENT_OK:
	case HTTP_CLIENT_BROKEN:
		break;
	}
	return ALARM_ERROR;
}

/* A file that is there.  False: the round is over. */
static bool
take_file(struct shell *shell, struct shell_brand *slot, struct str bytes)
{
	enum wav_reject reject = WAV_OK;
	const int rc = brand_add(slot->next, (enum prompt)slot->at, bytes.at, bytes.len, &reject);
	if (rc != 0) {
		give_up(shell, slot, ALARM_ERROR,
		        rc == -E2BIG ? "all files together are too large" : strerror(-rc));
		return false;
	}
	slot->found += reject == WAV_OK;
	if (reject == WAV_OK)
		return true;
	slot->bad = true;
	if (!slot->complained)
		log_warning("%s: %s cannot be used: %s", name_of(slot),
		            prompt_file_name((enum prompt)slot->at), wav_reject_name(reject));
	return true;
}

static void
on_file(void *context, uint32_t request, const struct http_client_answer *answer)
{
	enum { HTTP_OK = 200, HTTP_NOT_FOUND = 404 };
	struct shell *shell = context;
	char why[64];
	unsigned i = 0;
	while (i < SHELL_BRANDS_MAX && shell->branding.slots[i].request != request)
		i++;
	CHECK(i < SHELL_BRANDS_MAX);
	struct shell_brand *slot = &shell->branding.slots[i];
	slot->request = 0;
	if (answer->failure != HTTP_CLIENT_OK) {
		give_up(shell, slot, reason_of(answer->failure), answer->text);
	} else if (answer->status != HTTP_OK && answer->status != HTTP_NOT_FOUND) {
		snprintf(why, sizeof why, "the server answered with status %u", answer->status);
		give_up(shell, slot, answer->status >= 500 ? ALARM_INTERNAL_SERVER_ERROR
		                                           : ALARM_ERROR, why);
	} else if (answer->status == HTTP_NOT_FOUND || take_file(shell, slot, answer->body)) {
		fetch_next(shell, slot);
	}
	shell_settle(shell);
}

static void
begin(struct shell *shell, struct shell_brand *slot)
{
	slot->at = PROMPT_NONE;
	slot->found = 0;
	slot->bad = false;
	if (brand_create(&slot->next) != 0)
		give_up(shell, slot, ALARM_ERROR, "there is no memory");
	else
		fetch_next(shell, slot);
}

/* ---- Which there are ------------------------------------------------------------------------ */

static void
let_go(struct shell *shell, struct shell_brand *slot)
{
	if (slot->request != 0)
		http_client_drop(shell->branding.client, slot->request);
	brand_put(slot->next);
	brand_put(slot->current);
	if (shell->meeting != NULL && slot->type != OBJECT_NONE)
		meeting_alarm_clear(shell->meeting, kind_of(slot->type)->alarm, &slot->id);
	*slot = (struct shell_brand){ .type = OBJECT_NONE };
}

static struct shell_brand *
find(struct shell_branding *branding, enum object_type type, const struct guid *id)
{
	for (unsigned i = 0; i < SHELL_BRANDS_MAX; i++) {
		struct shell_brand *slot = &branding->slots[i];
		if (slot->type == type && (type == OBJECT_NONE || guid_eq(&slot->id, id)))
			return slot;
	}
	return NULL;
}

/* What is gone, or lies elsewhere now, is not played any more. */
static void
drop_changed(struct shell *shell, const struct objects *objects)
{
	for (unsigned i = 0; i < SHELL_BRANDS_MAX; i++) {
		struct shell_brand *slot = &shell->branding.slots[i];
		if (slot->type == OBJECT_NONE)
			continue;
		const struct value location =
			objects_value(objects, slot->type,
		                      objects_find(objects, slot->type, &slot->id),
		                      kind_of(slot->type)->location);
		if (!location.set || !str_eq(location.text, str_of(slot->url)))
			let_go(shell, slot);
	}
}

static void
add_new(struct shell *shell, const struct objects *objects, const struct branding_kind *kind)
{
	uint32_t at = 0;
	for (uint32_t handle; (handle = objects_next(objects, kind->type, &at)) != 0;) {
		const struct guid id = objects_id(objects, kind->type, handle);
		const struct value location =
			objects_value(objects, kind->type, handle, kind->location);
		if (!location.set || find(&shell->branding, kind->type, &id) != NULL)
			continue;
		struct shell_brand *slot = find(&shell->branding, OBJECT_NONE, NULL);
		if (slot == NULL) {
			log_warning("there are more than %d branding profiles: the recordings of "
			            "further ones are not played", SHELL_BRANDS_MAX);
			return;
		}
		slot->type = kind->type;
		slot->id = id;
		(void)str_copy(slot->url, sizeof slot->url, location.text);
	}
}

void
branding_tick(struct shell *shell, int64_t now_us)
{
	struct shell_branding *branding = &shell->branding;
	const struct objects *objects = meeting_objects(shell->meeting);
	const uint64_t version = objects_version(objects, OBJECT_CALL_BRANDING) +
	                         objects_version(objects, OBJECT_IVR_BRANDING);
	if (version != branding->version) {
		branding->version = version;
		drop_changed(shell, objects);
		for (unsigned i = 0; i < COUNT_OF(kinds); i++)
			add_new(shell, objects, &kinds[i]);
	}
	for (unsigned i = 0; i < SHELL_BRANDS_MAX; i++) {
		struct shell_brand *slot = &branding->slots[i];
		if (slot->type != OBJECT_NONE && slot->next == NULL && now_us >= slot->due_us)
			begin(shell, slot);
	}
}

int64_t
branding_deadline(const struct shell *shell)
{
	int64_t deadline_us = INT64_MAX;
	for (unsigned i = 0; i < SHELL_BRANDS_MAX; i++) {
		const struct shell_brand *slot = &shell->branding.slots[i];
		if (slot->type != OBJECT_NONE && slot->next == NULL && slot->due_us < deadline_us)
			deadline_us = slot->due_us;
	}
	return deadline_us;
}

struct brand *
branding_of(void *context, enum object_type type, uint32_t profile)
{
	struct shell *shell = context;
	const struct guid id = objects_id(meeting_objects(shell->meeting), type, profile);
	const struct shell_brand *slot = find(&shell->branding, type, &id);
	return slot != NULL ? brand_get(slot->current) : NULL;
}

bool
branding_open(struct shell *shell)
{
	for (unsigned i = 0; i < SHELL_BRANDS_MAX; i++)
		shell->branding.slots[i].type = OBJECT_NONE;
	shell->branding.version = UINT64_MAX;
	return http_client_create(&shell->branding.client, shell->component.loop) == 0 ||
	       component_fail(&shell->component, "not enough memory");
}

void
branding_close(struct shell *shell)
{
	for (unsigned i = 0; i < SHELL_BRANDS_MAX && shell->branding.client != NULL; i++)
		let_go(shell, &shell->branding.slots[i]);
	http_client_destroy(shell->branding.client);
	shell->branding.client = NULL;
}

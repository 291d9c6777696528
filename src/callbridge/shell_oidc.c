/* SPDX-License-Identifier: Apache-2.0 */
#include "callbridge/shell_oidc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "meeting/identity.h"
#include "net/http_client.h"
#include "net/random.h"
#include "net/wall.h"
#include "oidc/oidc_token.h"

enum {
	FETCHES_MAX = OIDC_PROVIDERS_MAX + OIDC_EXCHANGES_MAX,
	FETCH_US_MAX = 3 * 1000 * 1000, /* three of them are less than a Web Bridge waits */
	LOG_US = 10 * 1000 * 1000, /* failures of a kind are told so often; strangers can cause them */
};
static_assert((int)FETCHES_MAX <= (int)HTTP_CLIENT_REQUESTS_MAX, "what a client of our own can take");

/* One HTTP request under way. */
struct fetch {
	struct shell_oidc *oidc;
	uint32_t number; /* the core's; 0: free */
};

struct shell_oidc {
	struct shell_oidc_settings settings;
	struct oidc *core;
	struct http_client *client;
	struct fetch fetches[FETCHES_MAX];
	/* When a failure of each kind was told last, and how many were not since then: a flood of one
	 * hides no other. */
	int64_t log_us[OIDC_FAILURE_COUNT];
	uint32_t untold[OIDC_FAILURE_COUNT];
};

static void drain(struct shell_oidc *oidc);

int
shell_oidc_create(struct shell_oidc **out, const struct shell_oidc_settings *settings,
                  int64_t now_us)
{
	struct shell_oidc *oidc = calloc(1, sizeof *oidc);
	if (oidc == NULL)
		return -ENOMEM;
	oidc->settings = *settings;
	for (size_t i = 0; i < OIDC_FAILURE_COUNT; i++)
		oidc->log_us[i] = now_us - LOG_US;
	int rc = oidc_create(&oidc->core, random_bytes, now_us);
	if (rc == 0)
		rc = http_client_create(&oidc->client, settings->loop);
	if (rc != 0) {
		shell_oidc_destroy(oidc);
		return rc;
	}
	for (size_t i = 0; i < FETCHES_MAX; i++)
		oidc->fetches[i].oidc = oidc;
	*out = oidc;
	return 0;
}

void
shell_oidc_destroy(struct shell_oidc *oidc)
{
	if (oidc == NULL)
		return;
	http_client_destroy(oidc->client);
	oidc_destroy(oidc->core);
	free(oidc);
}

/* ---- Requests ------------------------------------------------------------------------------ */

static void
on_answer(void *context, uint32_t request, const struct http_client_answer *answer)
{
	struct fetch *fetch = context;
	struct shell_oidc *oidc = fetch->oidc;
	const uint32_t number = fetch->number;
	const bool answered = answer->failure == HTTP_CLIENT_OK;
	(void)request;
	fetch->number = 0;
	oidc_answer(oidc->core, number, answered ? answer->status : 0,
	            answered ? answer->body : str_of(answer->text), loop_now_us(), wall_now().us);
	drain(oidc);
}

static struct fetch *
free_fetch(struct shell_oidc *oidc)
{
	for (size_t i = 0; i < FETCHES_MAX; i++)
		if (oidc->fetches[i].number == 0)
			return &oidc->fetches[i];
	return NULL;
}

/* False: it could not be begun. */
static bool
send_request(struct shell_oidc *oidc, struct fetch *fetch, const struct oidc_event *event)
{
	static const char form_type[] = "Content-Type: application/x-www-form-urlencoded";
	char url[HTTP_CLIENT_URL_MAX];
	char user[HTTP_CLIENT_URL_MAX];
	char password[HTTP_CLIENT_URL_MAX];
	char *bearer = NULL;
	const char *headers[] = { "Accept: application/json", NULL, NULL };
	uint32_t id = 0;
	if (!str_copy(url, sizeof url, event->url) || !str_copy(user, sizeof user, event->user) ||
	    !str_copy(password, sizeof password, event->password))
		return false;
	if (event->form.len != 0)
		headers[1] = form_type;
	if (event->bearer.len != 0) {
		if (asprintf(&bearer, "Authorization: Bearer %.*s", STR_ARGS(event->bearer)) < 0)
			return false;
		headers[1] = bearer;
	}
	const struct http_client_request request = {
		.method = event->form.len != 0 ? "POST" : "GET",
		.url = url,
		.headers = headers,
		.body = event->form,
		.user = event->user.len != 0 ? user : NULL,
		.password = event->user.len != 0 ? password : NULL,
		.trust = oidc->settings.trust,
		.timeout_us = FETCH_US_MAX,
		.done = on_answer,
		.context = fetch,
	};
	fetch->number = event->fetch;
	const int rc = http_client_send(oidc->client, &request, &id);
	explicit_bzero(password, sizeof password);
	if (bearer != NULL)
		explicit_bzero(bearer, strlen(bearer));
	free(bearer);
	if (rc != 0)
		fetch->number = 0;
	return rc == 0;
}

/* The core may be told at once: what it showed was copied, or is not looked at again. */
static void
make_request(struct shell_oidc *oidc, const struct oidc_event *event)
{
	struct fetch *fetch = free_fetch(oidc);
	const uint32_t number = event->fetch;
	if (fetch == NULL || !send_request(oidc, fetch, event))
		oidc_answer(oidc->core, number, 0, STR("the request could not be sent"),
		            loop_now_us(), wall_now().us);
}

/* ---- Who that is --------------------------------------------------------------------------- */

/* A tenant that is gone took its provider along; one that was never set is "of no tenant". */
static uint32_t
tenant_of(const struct objects *objects, uint32_t provider)
{
	return objects_ref(objects, OBJECT_OIDC_PROVIDER, provider, OIDC_PROVIDER_TENANT);
}

static const char *
failure_text(enum oidc_failure failure)
{
	static const char *const texts[] = {
		[OIDC_FAILURE_NONE] = "none",
		[OIDC_FAILURE_BUSY] = "too many at once",
		[OIDC_FAILURE_SETTINGS] = "its settings are not good",
		[OIDC_FAILURE_NO_ANSWER] = "it does not answer",
		[OIDC_FAILURE_PROVIDER] = "it does not speak OpenID Connect",
		[OIDC_FAILURE_UNKNOWN] = "nobody here began it, or too long ago",
		[OIDC_FAILURE_REFUSED] = "it refused",
		[OIDC_FAILURE_CODE] = ("it does not take its own code: look at clientId, clientSecret "
				       "and the page it may send people back to"),
		[OIDC_FAILURE_TOKEN] = "its token is not to be trusted",
		[OIDC_FAILURE_NO_CLAIM] = "it does not say who that is, there is no claim",
	};
	static_assert(sizeof texts / sizeof *texts == OIDC_FAILURE_COUNT, "a text for each");
	return texts[failure];
}

/* One line of a kind in LOG_US; the person is told each time. */
static void
log_failure(struct shell_oidc *oidc, const struct guid *provider, enum oidc_failure kind,
            const char *reason, struct str detail)
{
	const struct objects *objects = oidc->settings.objects;
	const uint32_t object = objects_find(objects, OBJECT_OIDC_PROVIDER, provider);
	const int64_t now_us = loop_now_us();
	if (now_us - oidc->log_us[kind] < LOG_US) {
		oidc->untold[kind]++;
		return;
	}
	char plain[OIDC_TEXT_MAX + 1];
	char before[48] = "";
	oidc_plain_copy(plain, sizeof plain, detail);
	if (oidc->untold[kind] != 0)
		snprintf(before, sizeof before, " (and %u more before)", oidc->untold[kind]);
	oidc->log_us[kind] = now_us;
	oidc->untold[kind] = 0;
	log_warning("sign-in at \"%.*s\" failed: %s%s%s%s",
	            STR_ARGS(objects_text(objects, OBJECT_OIDC_PROVIDER, object,
	                                  OIDC_PROVIDER_NAME)),
	            reason, plain[0] != '\0' ? ": " : "", plain, before);
}

static void
admit(struct shell_oidc *oidc, const struct oidc_event *event)
{
	const struct objects *objects = oidc->settings.objects;
	const struct shell_oidc_sink *sink = &oidc->settings.sink;
	const uint32_t provider = objects_find(objects, OBJECT_OIDC_PROVIDER, &event->provider);
	const uint32_t user =
		provider != 0
			? identity_user(objects, tenant_of(objects, provider), event->identity)
			: 0;
	if (user != 0) {
		sink->admitted(sink->context, event->caller, user);
		return;
	}
	log_failure(oidc, &event->provider, OIDC_FAILURE_NONE,
	            "no user here, or more than one, has the authenticationId or userJid",
	            event->identity);
	sink->failed(sink->context, event->caller, OIDC_FAILURE_NO_CLAIM);
}

static void
drain(struct shell_oidc *oidc)
{
	const struct shell_oidc_sink *sink = &oidc->settings.sink;
	struct oidc_event event;
	for (;;) {
		oidc_poll(oidc->core, &event, loop_now_us());
		switch (event.kind) {
		case OIDC_NONE:
			return;
		case OIDC_FETCH:
			make_request(oidc, &event);
			break;
		case OIDC_REDIRECT:
			sink->redirect(sink->context, event.caller, event.url, event.state);
			break;
		case OIDC_SIGNED_IN:
			admit(oidc, &event);
			break;
		case OIDC_FAILED:
			/* Of these a stranger could cause as many as he likes, and they say nothing. */
			if (event.failure != OIDC_FAILURE_UNKNOWN &&
			    event.failure != OIDC_FAILURE_REFUSED)
				log_failure(oidc, &event.provider, event.failure,
				            failure_text(event.failure), event.detail);
			sink->failed(sink->context, event.caller, event.failure);
			break;
		}
	}
}

/* ---- What people do ------------------------------------------------------------------------ */

static struct str
text_or(const struct objects *objects, uint32_t provider, enum oidc_provider_field field,
        struct str otherwise)
{
	const struct str text = objects_text(objects, OBJECT_OIDC_PROVIDER, provider, field);
	return text.len != 0 ? text : otherwise;
}

void
shell_oidc_begin(struct shell_oidc *oidc, uint32_t provider, struct str back, uint64_t caller,
                 int64_t now_us)
{
	const struct objects *objects = oidc->settings.objects;
	const struct str none = { 0 };
	const struct oidc_settings settings = {
		.provider = objects_id(objects, OBJECT_OIDC_PROVIDER, provider),
		.issuer = text_or(objects, provider, OIDC_PROVIDER_ISSUER, none),
		.client_id = text_or(objects, provider, OIDC_PROVIDER_CLIENT_ID, none),
		.client_secret = text_or(objects, provider, OIDC_PROVIDER_CLIENT_SECRET, none),
		.scope = text_or(objects, provider, OIDC_PROVIDER_SCOPE,
		                 STR("openid profile email")),
		.claim = text_or(objects, provider, OIDC_PROVIDER_CLAIM, STR("preferred_username")),
	};
	oidc_begin(oidc->core, &settings, back, caller, now_us);
	drain(oidc);
}

void
shell_oidc_finish(struct shell_oidc *oidc, const struct oidc_return *ret, uint64_t caller,
                  int64_t now_us)
{
	oidc_finish(oidc->core, ret, caller, now_us);
	drain(oidc);
}

void
shell_oidc_tick(struct shell_oidc *oidc, int64_t now_us)
{
	oidc_tick(oidc->core, now_us);
	drain(oidc);
}

int64_t
shell_oidc_deadline(const struct shell_oidc *oidc)
{
	return oidc_deadline(oidc->core);
}

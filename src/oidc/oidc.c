/* SPDX-License-Identifier: Apache-2.0 */
#include "oidc/oidc.h"

#include <errno.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/slab.h"
#include "base/timer.h"
#include "oidc/oidc_token.h"

enum {
	SECRET_BYTES = 32,
	NOTHING_FETCHED = 0,
	/* A byte becomes three at worst. */
	ENCODED_TEXT_MAX = 3 * OIDC_TEXT_MAX + 1,
	REDIRECT_BYTES_MAX = OIDC_URL_MAX + 3 * (OIDC_URL_MAX + 2 * OIDC_TEXT_MAX) + 512,
	FORM_BYTES_MAX = 3 * (OIDC_CODE_MAX + OIDC_URL_MAX + 2 * OIDC_TEXT_MAX) + 512,
};

#define SECOND_US    INT64_C(1000000)
#define OIDC_WAIT_US (60 * SECOND_US) /* longer than any request of the caller's takes */

/* Where a sign-in stands.  Those that want something are in the queue; the others wait. */
enum stage {
	WANTS_ENDPOINTS, /* waits for the provider's description */
	WANTS_REDIRECT,
	AWAY,            /* the browser is at the provider */
	WANTS_TOKEN,
	AT_TOKEN,        /* its code is being exchanged */
	WANTS_KEYS,      /* waits for the provider's keys */
	WANTS_USER_INFO,
	AT_USER_INFO,
	SIGNED_IN,
	FAILED,
};

/* What the provider is being asked for, on behalf of all its sign-ins. */
enum errand { ERRAND_NONE, ERRAND_ENDPOINTS, ERRAND_KEYS };

struct provider {
	bool used;
	struct guid id;
	char issuer[OIDC_URL_MAX + 1];
	char client_id[OIDC_TEXT_MAX + 1];
	char client_secret[OIDC_TEXT_MAX + 1];
	char scope[OIDC_TEXT_MAX + 1];
	char claim[OIDC_TEXT_MAX + 1];
	struct oidc_endpoints endpoints;
	bool endpoints_known;
	int64_t endpoints_us;  /* when they came */
	char keys[OIDC_ANSWER_MAX];
	size_t keys_len;       /* 0: not known yet */
	int64_t keys_us;
	enum errand errand;
	uint32_t fetch;        /* of the errand, once it is under way */
};

/* What a sign-in needs from its code on. */
struct exchange {
	bool used;
	char code[OIDC_CODE_MAX + 1];
	char id_token[OIDC_TOKEN_MAX + 1];
	char access_token[OIDC_TOKEN_MAX + 1];
	struct oidc_identity identity;
	int64_t wall_us;       /* when the tokens came */
};

struct login {
	struct timer timer;    /* runs in every stage that waits */
	uint32_t handle;
	enum stage stage;
	bool queued;
	uint64_t caller;
	struct provider *provider;
	struct exchange *exchange; /* from its code on */
	uint32_t fetch;
	enum oidc_failure failure;
	char back[OIDC_URL_MAX + 1];
	char state[OIDC_STATE_LEN + 1];
	char nonce[OIDC_STATE_LEN + 1];
	char verifier[OIDC_STATE_LEN + 1];
	char detail[128];
};

struct oidc {
	void (*random)(void *bytes, size_t len);
	struct timer_wheel wheel;
	struct slab logins;
	uint32_t queue[OIDC_LOGINS_MAX]; /* handles, each at most once */
	uint32_t queue_at;
	uint32_t queue_count;
	uint32_t last_fetch;
	uint32_t over;                   /* told by the last poll, freed with the next call */
	/* The last input's refusal, when there is no login to tell it of. */
	enum oidc_failure refused;
	uint64_t refused_caller;
	struct provider providers[OIDC_PROVIDERS_MAX];
	struct exchange exchanges[OIDC_EXCHANGES_MAX];
	/* Of the event that was polled last. */
	char url[REDIRECT_BYTES_MAX];
	char form[FORM_BYTES_MAX];
	char user[ENCODED_TEXT_MAX];
	char password[ENCODED_TEXT_MAX];
};

int
oidc_create(struct oidc **out, void (*random)(void *bytes, size_t len), int64_t now_us)
{
	struct oidc *oidc = calloc(1, sizeof *oidc);
	if (oidc == NULL)
		return -ENOMEM;
	const int rc = slab_create(&oidc->logins, sizeof(struct login), OIDC_LOGINS_MAX);
	if (rc != 0) {
		free(oidc);
		return rc;
	}
	oidc->random = random;
	timer_wheel_init(&oidc->wheel, now_us);
	*out = oidc;
	return 0;
}

void
oidc_destroy(struct oidc *oidc)
{
	if (oidc == NULL)
		return;
	slab_destroy(&oidc->logins);
	explicit_bzero(oidc, sizeof *oidc);
	free(oidc);
}

/* Sign-ins. */

static void
tell(struct oidc *oidc, struct login *login, enum stage stage)
{
	login->stage = stage;
	if (login->queued)
		return;
	CHECK(oidc->queue_count < OIDC_LOGINS_MAX);
	oidc->queue[(oidc->queue_at + oidc->queue_count++) % OIDC_LOGINS_MAX] = login->handle;
	login->queued = true;
}

static void
wait_in(struct oidc *oidc, struct login *login, enum stage stage, int64_t until_us)
{
	login->stage = stage;
	timer_start(&oidc->wheel, &login->timer, until_us);
}

static void
fail(struct oidc *oidc, struct login *login, enum oidc_failure failure, struct str detail)
{
	oidc_plain_copy(login->detail, sizeof login->detail, detail);
	login->failure = failure;
	timer_stop(&oidc->wheel, &login->timer);
	tell(oidc, login, FAILED);
}

static void
login_free(struct oidc *oidc, struct login *login)
{
	CHECK(!login->queued);
	timer_stop(&oidc->wheel, &login->timer);
	if (login->exchange != NULL)
		explicit_bzero(login->exchange, sizeof *login->exchange);
	const uint32_t handle = login->handle;
	explicit_bzero(login, sizeof *login);
	slab_free(&oidc->logins, handle);
}

static void
release_told(struct oidc *oidc)
{
	struct login *login = slab_get(&oidc->logins, oidc->over);
	if (login != NULL)
		login_free(oidc, login);
	oidc->over = 0;
}

static void
refuse(struct oidc *oidc, uint64_t caller, enum oidc_failure failure)
{
	oidc->refused = failure;
	oidc->refused_caller = caller;
}

static struct login *
login_by_state(const struct oidc *oidc, struct str state)
{
	uint32_t at = 0;
	for (uint32_t handle; (handle = slab_next(&oidc->logins, &at)) != 0;) {
		struct login *login = slab_get(&oidc->logins, handle);
		if (login->stage == AWAY && str_eq_secret(str_of(login->state), state))
			return login;
	}
	return NULL;
}

static struct login *
login_by_fetch(const struct oidc *oidc, uint32_t fetch)
{
	uint32_t at = 0;
	for (uint32_t handle; (handle = slab_next(&oidc->logins, &at)) != 0;) {
		struct login *login = slab_get(&oidc->logins, handle);
		if (login->fetch == fetch)
			return login;
	}
	return NULL;
}

/* The next of a provider's sign-ins in this stage, after `*at`. */
static struct login *
login_next(const struct oidc *oidc, const struct provider *provider, enum stage stage, uint32_t *at)
{
	for (uint32_t handle; (handle = slab_next(&oidc->logins, at)) != 0;) {
		struct login *login = slab_get(&oidc->logins, handle);
		if (login->provider == provider && login->stage == stage)
			return login;
	}
	return NULL;
}

/* Providers. */

/* One errand at a time: its description first, for nobody waits for keys before that is there. */
static void
next_errand(struct oidc *oidc, struct provider *provider)
{
	uint32_t at = 0;
	if (provider->errand != ERRAND_NONE)
		return;
	if (login_next(oidc, provider, WANTS_ENDPOINTS, &at) != NULL)
		provider->errand = ERRAND_ENDPOINTS;
	else if (at = 0, login_next(oidc, provider, WANTS_KEYS, &at) != NULL)
		provider->errand = ERRAND_KEYS;
}

static void
fail_waiting(struct oidc *oidc, struct provider *provider, enum stage stage,
             enum oidc_failure failure, struct str detail)
{
	uint32_t at = 0;
	for (struct login *login; (login = login_next(oidc, provider, stage, &at)) != NULL;)
		fail(oidc, login, failure, detail);
}

static bool
in_use(const struct oidc *oidc, const struct provider *provider)
{
	uint32_t at = 0;
	for (uint32_t handle; (handle = slab_next(&oidc->logins, &at)) != 0;)
		if (((const struct login *)slab_get(&oidc->logins, handle))->provider == provider)
			return true;
	return false;
}

static bool
settings_good(const struct oidc_settings *settings)
{
	return settings->issuer.len <= OIDC_URL_MAX &&
	       str_starts(settings->issuer, STR("https://")) && settings->client_id.len != 0 &&
	       settings->client_id.len <= OIDC_TEXT_MAX &&
	       settings->client_secret.len <= OIDC_TEXT_MAX && settings->scope.len <= OIDC_TEXT_MAX &&
	       str_contains_nocase(settings->scope, STR("openid")) && settings->claim.len != 0 &&
	       settings->claim.len <= OIDC_TEXT_MAX;
}

static bool
same_settings(const struct provider *provider, const struct oidc_settings *settings)
{
	return str_eq(str_of(provider->issuer), settings->issuer) &&
	       str_eq(str_of(provider->client_id), settings->client_id) &&
	       str_eq_secret(str_of(provider->client_secret), settings->client_secret) &&
	       str_eq(str_of(provider->scope), settings->scope) &&
	       str_eq(str_of(provider->claim), settings->claim);
}

static void
provider_set(struct provider *provider, const struct oidc_settings *settings)
{
	explicit_bzero(provider, sizeof *provider);
	provider->used = true;
	provider->id = settings->provider;
	str_copy(provider->issuer, sizeof provider->issuer, settings->issuer);
	str_copy(provider->client_id, sizeof provider->client_id, settings->client_id);
	str_copy(provider->client_secret, sizeof provider->client_secret, settings->client_secret);
	str_copy(provider->scope, sizeof provider->scope, settings->scope);
	str_copy(provider->claim, sizeof provider->claim, settings->claim);
}

/* What was begun by other settings ends: nobody's code goes to where the new ones point. */
static void
end_all(struct oidc *oidc, const struct provider *provider)
{
	uint32_t at = 0;
	for (uint32_t handle; (handle = slab_next(&oidc->logins, &at)) != 0;) {
		struct login *login = slab_get(&oidc->logins, handle);
		if (login->provider != provider)
			continue;
		login->fetch = NOTHING_FETCHED; /* an answer finds nobody any more */
		if (login->stage == AWAY)
			login_free(oidc, login);
		else
			fail(oidc, login, OIDC_FAILURE_SETTINGS, STR("they were changed"));
	}
}

/* The slot of this provider; else a free one, or that of one that nobody signs in at. */
static struct provider *
provider_of(struct oidc *oidc, const struct oidc_settings *settings)
{
	struct provider *found = NULL;
	for (size_t i = 0; i < OIDC_PROVIDERS_MAX; i++) {
		struct provider *provider = &oidc->providers[i];
		if (provider->used && guid_eq(&provider->id, &settings->provider)) {
			found = provider;
			break;
		}
		if (found == NULL && (!provider->used || !in_use(oidc, provider)))
			found = provider;
	}
	if (found == NULL || (found->used && guid_eq(&found->id, &settings->provider) &&
	                      same_settings(found, settings)))
		return found;
	end_all(oidc, found);
	provider_set(found, settings);
	return found;
}

/* Inputs. */

static void
make_secret(struct oidc *oidc, char out[OIDC_STATE_LEN + 1])
{
	uint8_t bytes[SECRET_BYTES];
	oidc->random(bytes, sizeof bytes);
	struct writer w = writer_of(out, OIDC_STATE_LEN);
	encode_base64url(&w, bytes, sizeof bytes);
	CHECK(!w.failed && w.at == OIDC_STATE_LEN);
	out[OIDC_STATE_LEN] = '\0';
}

/* Full: who has been away longest is likeliest not to come back, so a flood of strangers keeps out
 * those only who take longer than it takes to fill the table anew. */
static void
make_room(struct oidc *oidc)
{
	struct login *oldest = NULL;
	uint32_t at = 0;
	for (uint32_t handle; (handle = slab_next(&oidc->logins, &at)) != 0;) {
		struct login *login = slab_get(&oidc->logins, handle);
		if (login->stage == AWAY &&
		    (oldest == NULL || login->timer.deadline_us < oldest->timer.deadline_us))
			oldest = login;
	}
	if (oldest != NULL)
		login_free(oidc, oldest);
}

void
oidc_begin(struct oidc *oidc, const struct oidc_settings *settings, struct str back,
           uint64_t caller, int64_t now_us)
{
	uint32_t handle = 0;
	release_told(oidc);
	if (!settings_good(settings) || back.len > OIDC_URL_MAX ||
	    !str_starts(back, STR("https://"))) {
		refuse(oidc, caller, OIDC_FAILURE_SETTINGS);
		return;
	}
	struct provider *provider = provider_of(oidc, settings);
	if (provider != NULL && oidc->logins.count == OIDC_LOGINS_MAX)
		make_room(oidc);
	struct login *login = provider != NULL ? slab_take(&oidc->logins, &handle) : NULL;
	if (login == NULL) {
		refuse(oidc, caller, OIDC_FAILURE_BUSY);
		return;
	}
	login->handle = handle;
	login->caller = caller;
	login->provider = provider;
	str_copy(login->back, sizeof login->back, back);
	make_secret(oidc, login->state);
	make_secret(oidc, login->nonce);
	make_secret(oidc, login->verifier);
	if (provider->endpoints_known && now_us - provider->endpoints_us < OIDC_KEEP_S * SECOND_US) {
		tell(oidc, login, WANTS_REDIRECT);
		return;
	}
	wait_in(oidc, login, WANTS_ENDPOINTS, now_us + OIDC_WAIT_US);
	next_errand(oidc, provider);
}

static struct exchange *
exchange_take(struct oidc *oidc)
{
	for (size_t i = 0; i < OIDC_EXCHANGES_MAX; i++) {
		if (oidc->exchanges[i].used)
			continue;
		oidc->exchanges[i].used = true;
		return &oidc->exchanges[i];
	}
	return NULL;
}

void
oidc_finish(struct oidc *oidc, const struct oidc_return *ret, uint64_t caller, int64_t now_us)
{
	release_told(oidc);
	struct login *login = login_by_state(oidc, ret->state);
	if (login == NULL) {
		refuse(oidc, caller, OIDC_FAILURE_UNKNOWN);
		return;
	}
	login->caller = caller;
	if (ret->error.len != 0) {
		fail(oidc, login, OIDC_FAILURE_REFUSED, ret->error);
	} else if (ret->code.len == 0 || ret->code.len > OIDC_CODE_MAX) {
		fail(oidc, login, OIDC_FAILURE_CODE, STR("no code, or too long"));
	} else if ((login->exchange = exchange_take(oidc)) == NULL) {
		fail(oidc, login, OIDC_FAILURE_BUSY, STR("too many at once"));
	} else {
		str_copy(login->exchange->code, sizeof login->exchange->code, ret->code);
		timer_start(&oidc->wheel, &login->timer, now_us + OIDC_WAIT_US);
		tell(oidc, login, WANTS_TOKEN);
	}
}

static void
fail_token(struct oidc *oidc, struct login *login, enum oidc_token_reject reject)
{
	fail(oidc, login, OIDC_FAILURE_TOKEN, str_of(oidc_token_reject_text(reject)));
}

static void
identified(struct oidc *oidc, struct login *login)
{
	struct exchange *exchange = login->exchange;
	if (exchange->identity.claim[0] != '\0') {
		timer_stop(&oidc->wheel, &login->timer);
		tell(oidc, login, SIGNED_IN);
	} else if (login->provider->endpoints.user_info[0] != '\0' &&
	           exchange->access_token[0] != '\0') {
		tell(oidc, login, WANTS_USER_INFO);
	} else {
		fail(oidc, login, OIDC_FAILURE_NO_CLAIM, str_of(login->provider->claim));
	}
}

/* The tokens are here: are they to be trusted?  A key that is not known may be a new one. */
static void
check_tokens(struct oidc *oidc, struct login *login, int64_t now_us)
{
	struct provider *provider = login->provider;
	struct exchange *exchange = login->exchange;
	const struct oidc_expected expected = {
		.issuer = str_of(provider->issuer),
		.client_id = str_of(provider->client_id),
		.nonce = str_of(login->nonce),
		.claim = str_of(provider->claim),
		.now_s = exchange->wall_us / 1000000,
	};
	const int64_t age_us = now_us - provider->keys_us;
	const bool known = provider->keys_len != 0 && age_us < OIDC_KEEP_S * SECOND_US;
	const enum oidc_token_reject reject =
		known ? oidc_read_id_token(&exchange->identity, str_of(exchange->id_token),
	                                   (struct str){ provider->keys, provider->keys_len },
	                                   &expected)
		      : OIDC_TOKEN_NO_KEY;
	const bool other_key = reject == OIDC_TOKEN_NO_KEY || reject == OIDC_TOKEN_SIGNATURE;
	if (reject == OIDC_TOKEN_OK) {
		identified(oidc, login);
	} else if (!known || (other_key && age_us >= OIDC_KEYS_AGAIN_S * SECOND_US)) {
		login->stage = WANTS_KEYS;
		next_errand(oidc, provider);
	} else {
		fail_token(oidc, login, reject);
	}
}

static void
take_endpoints(struct oidc *oidc, struct provider *provider, struct str body, int64_t now_us)
{
	uint32_t at = 0;
	provider->endpoints_known =
		oidc_read_discovery(&provider->endpoints, body, str_of(provider->issuer));
	provider->endpoints_us = now_us;
	if (!provider->endpoints_known) {
		fail_waiting(oidc, provider, WANTS_ENDPOINTS, OIDC_FAILURE_PROVIDER,
		             STR("its description is not OpenID Connect's, or another issuer's"));
		return;
	}
	for (struct login *login;
	     (login = login_next(oidc, provider, WANTS_ENDPOINTS, &at)) != NULL;) {
		timer_stop(&oidc->wheel, &login->timer);
		tell(oidc, login, WANTS_REDIRECT);
	}
}

static void
take_keys(struct oidc *oidc, struct provider *provider, struct str body, int64_t now_us)
{
	uint32_t at = 0;
	if (body.len > sizeof provider->keys || !oidc_keys_good(body)) {
		fail_waiting(oidc, provider, WANTS_KEYS, OIDC_FAILURE_PROVIDER,
		             STR("what it shows as its keys are none"));
		return;
	}
	memcpy(provider->keys, body.at, body.len);
	provider->keys_len = body.len;
	provider->keys_us = now_us;
	for (struct login *login; (login = login_next(oidc, provider, WANTS_KEYS, &at)) != NULL;)
		check_tokens(oidc, login, now_us);
}

static void
errand_done(struct oidc *oidc, struct provider *provider, unsigned status, struct str body,
            int64_t now_us)
{
	const enum errand errand = provider->errand;
	provider->errand = ERRAND_NONE;
	provider->fetch = NOTHING_FETCHED;
	if (status != 200)
		fail_waiting(oidc, provider, errand == ERRAND_KEYS ? WANTS_KEYS : WANTS_ENDPOINTS,
		             OIDC_FAILURE_NO_ANSWER,
		             status == 0 ? body : STR("it answers with an error"));
	else if (errand == ERRAND_KEYS)
		take_keys(oidc, provider, body, now_us);
	else
		take_endpoints(oidc, provider, body, now_us);
	next_errand(oidc, provider);
}

static void
take_tokens(struct oidc *oidc, struct login *login, unsigned status, struct str body,
            int64_t now_us)
{
	char error[sizeof login->detail];
	struct exchange *exchange = login->exchange;
	oidc_read_error(error, sizeof error, body);
	if (status == 0)
		fail(oidc, login, OIDC_FAILURE_NO_ANSWER, body);
	else if (status != 200)
		fail(oidc, login, OIDC_FAILURE_CODE, str_of(error));
	else if (!oidc_read_tokens(exchange->id_token, exchange->access_token, body))
		fail_token(oidc, login, OIDC_TOKEN_FORM);
	else
		check_tokens(oidc, login, now_us);
}

static void
take_user_info(struct oidc *oidc, struct login *login, unsigned status, struct str body)
{
	const struct str claim = str_of(login->provider->claim);
	if (status == 0)
		fail(oidc, login, OIDC_FAILURE_NO_ANSWER, body);
	else if (status != 200 || !oidc_read_user_info(&login->exchange->identity, body, claim))
		fail(oidc, login, OIDC_FAILURE_NO_CLAIM, claim);
	else
		identified(oidc, login);
}

void
oidc_answer(struct oidc *oidc, uint32_t fetch, unsigned status, struct str body, int64_t now_us,
            int64_t wall_us)
{
	release_told(oidc);
	CHECK(fetch != NOTHING_FETCHED);
	for (size_t i = 0; i < OIDC_PROVIDERS_MAX; i++) {
		if (oidc->providers[i].fetch == fetch) {
			errand_done(oidc, &oidc->providers[i], status, body, now_us);
			return;
		}
	}
	struct login *login = login_by_fetch(oidc, fetch);
	if (login == NULL)
		return;
	login->fetch = NOTHING_FETCHED;
	if (login->stage == AT_TOKEN) {
		login->exchange->wall_us = wall_us;
		take_tokens(oidc, login, status, body, now_us);
	} else {
		CHECK(login->stage == AT_USER_INFO);
		take_user_info(oidc, login, status, body);
	}
}

void
oidc_tick(struct oidc *oidc, int64_t now_us)
{
	release_told(oidc);
	for (struct timer *timer; (timer = timer_take(&oidc->wheel, now_us)) != NULL;) {
		struct login *login = (struct login *)timer;
		if (login->stage == AWAY) {
			login_free(oidc, login);
			continue;
		}
		login->fetch = NOTHING_FETCHED;
		fail(oidc, login, OIDC_FAILURE_NO_ANSWER, STR("it took too long"));
	}
}

int64_t
oidc_deadline(const struct oidc *oidc)
{
	return timer_wheel_deadline(&oidc->wheel);
}

/* Outputs. */

/* RFC 3986 s2.3: what need not be encoded; anything else is, so nothing can end a parameter. */
static void
write_encoded(struct writer *w, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.at[i];
		if (str_is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~')
			writer_u8(w, (uint8_t)c);
		else
			writer_format(w, "%%%02X", (unsigned)(uint8_t)c);
	}
}

static void
write_parameter(struct writer *w, const char *before, struct str value)
{
	writer_text(w, before);
	write_encoded(w, value);
}

static uint32_t
fetch_number(struct oidc *oidc)
{
	if (++oidc->last_fetch == NOTHING_FETCHED)
		oidc->last_fetch++;
	return oidc->last_fetch;
}

static void
fetch_for_provider(struct oidc *oidc, struct provider *provider, struct oidc_event *out)
{
	struct writer w = writer_of(oidc->url, sizeof oidc->url);
	if (provider->errand == ERRAND_KEYS) {
		writer_text(&w, provider->endpoints.keys);
	} else {
		/* Discovery s4: an issuer may end with a slash or not. */
		const struct str issuer = str_of(provider->issuer);
		writer_str(&w, str_sub(issuer, 0, issuer.len - str_ends(issuer, STR("/"))));
		writer_text(&w, "/.well-known/openid-configuration");
	}
	CHECK(!w.failed);
	provider->fetch = fetch_number(oidc);
	*out = (struct oidc_event){ .kind = OIDC_FETCH,
		                    .provider = provider->id,
		                    .fetch = provider->fetch,
		                    .url = writer_view(&w) };
}

/* Core s3.1.2.1 and RFC 7636 s4.3. */
static void
redirect(struct oidc *oidc, struct login *login, struct oidc_event *out, int64_t now_us)
{
	const struct provider *provider = login->provider;
	uint8_t hash[SHA256_DIGEST_LENGTH];
	const struct str endpoint = str_of(provider->endpoints.authorization);
	struct writer w = writer_of(oidc->url, sizeof oidc->url);
	writer_str(&w, endpoint);
	writer_text(&w, str_find(endpoint, '?') == endpoint.len ? "?" : "&");
	writer_text(&w, "response_type=code");
	write_parameter(&w, "&client_id=", str_of(provider->client_id));
	write_parameter(&w, "&redirect_uri=", str_of(login->back));
	write_parameter(&w, "&scope=", str_of(provider->scope));
	write_parameter(&w, "&state=", str_of(login->state));
	write_parameter(&w, "&nonce=", str_of(login->nonce));
	(void)SHA256((const uint8_t *)login->verifier, OIDC_STATE_LEN, hash);
	writer_text(&w, "&code_challenge_method=S256&code_challenge=");
	encode_base64url(&w, hash, sizeof hash);
	CHECK(!w.failed);
	out->kind = OIDC_REDIRECT;
	out->url = writer_view(&w);
	out->state = str_of(login->state);
	wait_in(oidc, login, AWAY, now_us + OIDC_AWAY_S * SECOND_US);
}

/* RFC 6749 s4.1.3; s2.3.1: id and secret are encoded before they become a user and a password. */
static void
fetch_token(struct oidc *oidc, struct login *login, struct oidc_event *out)
{
	const struct provider *provider = login->provider;
	const struct str secret = str_of(provider->client_secret);
	struct writer w = writer_of(oidc->form, sizeof oidc->form);
	writer_text(&w, "grant_type=authorization_code");
	write_parameter(&w, "&code=", str_of(login->exchange->code));
	write_parameter(&w, "&redirect_uri=", str_of(login->back));
	write_parameter(&w, "&code_verifier=", str_of(login->verifier));
	if (secret.len == 0 || provider->endpoints.secret_in_form)
		write_parameter(&w, "&client_id=", str_of(provider->client_id));
	if (secret.len != 0 && provider->endpoints.secret_in_form) {
		write_parameter(&w, "&client_secret=", secret);
	} else if (secret.len != 0) {
		struct writer user = writer_of(oidc->user, sizeof oidc->user);
		struct writer password = writer_of(oidc->password, sizeof oidc->password);
		write_encoded(&user, str_of(provider->client_id));
		write_encoded(&password, secret);
		out->user = writer_view(&user);
		out->password = writer_view(&password);
	}
	CHECK(!w.failed);
	out->kind = OIDC_FETCH;
	out->url = str_of(provider->endpoints.token);
	out->form = writer_view(&w);
	out->fetch = login->fetch = fetch_number(oidc);
	login->stage = AT_TOKEN;
}

static void
fetch_user_info(struct oidc *oidc, struct login *login, struct oidc_event *out)
{
	out->kind = OIDC_FETCH;
	out->url = str_of(login->provider->endpoints.user_info);
	out->bearer = str_of(login->exchange->access_token);
	out->fetch = login->fetch = fetch_number(oidc);
	login->stage = AT_USER_INFO;
}

static void
tell_login(struct oidc *oidc, struct login *login, struct oidc_event *out, int64_t now_us)
{
	*out = (struct oidc_event){ .caller = login->caller, .provider = login->provider->id };
	switch (login->stage) {
	case WANTS_REDIRECT:
		redirect(oidc, login, out, now_us);
		break;
	case WANTS_TOKEN:
		fetch_token(oidc, login, out);
		break;
	case WANTS_USER_INFO:
		fetch_user_info(oidc, login, out);
		break;
	case SIGNED_IN:
		out->kind = OIDC_SIGNED_IN;
		out->identity = str_of(login->exchange->identity.claim);
		oidc->over = login->handle;
		break;
	case FAILED:
		out->kind = OIDC_FAILED;
		out->failure = login->failure;
		out->detail = str_of(login->detail);
		oidc->over = login->handle;
		break;
	case WANTS_ENDPOINTS:
	case AWAY:
	case AT_TOKEN:
	case WANTS_KEYS:
	case AT_USER_INFO:
		CHECK(false); /* it wants nothing, so it is in no queue */
	}
}

void
oidc_poll(struct oidc *oidc, struct oidc_event *out, int64_t now_us)
{
	release_told(oidc);
	*out = (struct oidc_event){ .kind = OIDC_NONE };
	if (oidc->refused != OIDC_FAILURE_NONE) {
		out->kind = OIDC_FAILED;
		out->caller = oidc->refused_caller;
		out->failure = oidc->refused;
		oidc->refused = OIDC_FAILURE_NONE;
		return;
	}
	for (size_t i = 0; i < OIDC_PROVIDERS_MAX; i++) {
		struct provider *provider = &oidc->providers[i];
		if (provider->errand != ERRAND_NONE && provider->fetch == NOTHING_FETCHED) {
			fetch_for_provider(oidc, provider, out);
			return;
		}
	}
	if (oidc->queue_count == 0)
		return;
	struct login *login = slab_get(&oidc->logins, oidc->queue[oidc->queue_at]);
	CHECK(login != NULL && login->queued);
	oidc->queue_at = (oidc->queue_at + 1) % OIDC_LOGINS_MAX;
	oidc->queue_count--;
	login->queued = false;
	tell_login(oidc, login, out, now_us);
}

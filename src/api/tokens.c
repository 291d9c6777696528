/* SPDX-License-Identifier: Apache-2.0 */
/* POST authTokens: what opens an Events WebSocket in place of a password. */
#include <string.h>

#include "api/api_internal.h"
#include "base/check.h"

static_assert(TOKEN_TEXT_LEN == (TOKEN_BYTES * 8 + 5) / 6, "base64url");

/* Two keyed hashes of what never comes twice, by keys that nobody knows. */
static void
token_text(struct api *api, char out[TOKEN_TEXT_LEN + 1], int64_t now_us)
{
	uint64_t halves[2];
	const uint64_t seed[] = { ++api->tokens.last, (uint64_t)now_us };
	for (unsigned i = 0; i < COUNT_OF(halves); i++)
		halves[i] = hash_bytes(&api->tokens.keys[i], seed, sizeof seed);
	static_assert(sizeof halves == TOKEN_BYTES, "all of it");
	struct writer w = writer_of(out, TOKEN_TEXT_LEN);
	encode_base64url(&w, halves, sizeof halves);
	CHECK(!w.failed && w.at == TOKEN_TEXT_LEN);
	out[TOKEN_TEXT_LEN] = '\0';
}

/* The oldest makes room: whoever asks so often has used it long ago. */
static struct token *
token_slot(struct tokens *tokens)
{
	struct token *oldest = &tokens->at[0];
	for (unsigned i = 1; i < API_TOKENS_MAX; i++) {
		if (tokens->at[i].until_us < oldest->until_us)
			oldest = &tokens->at[i];
	}
	return oldest;
}

static struct api_login
login_of(const struct api *api, const char *user)
{
	struct api_login login = { 0 };
	const struct account *account = accounts_find(api->settings.accounts, str_of(user));
	str_copy(login.user, sizeof login.user, str_of(user));
	login.stamp = account != NULL ? account_stamp(account) : 0;
	return login;
}

bool
api_login_stands(const struct api *api, const struct api_login *login)
{
	const struct account *account =
		accounts_find(api->settings.accounts, str_of(login->user));
	return account != NULL && account_stamp(account) == login->stamp;
}

void
token_make(struct work *work)
{
	struct token *token = token_slot(&work->api->tokens);
	token_text(work->api, token->text, work->now_us);
	token->until_us = work->now_us + API_TOKEN_US;
	token->login = login_of(work->api, work->slot->user);
	memcpy(work->slot->token, token->text, sizeof work->slot->token);
}

bool
api_token_valid(const struct api *api, struct str text, int64_t now_us,
                struct api_login *login)
{
	bool valid = false;
	for (unsigned i = 0; i < API_TOKENS_MAX; i++) {
		const struct token *token = &api->tokens.at[i];
		if (now_us >= token->until_us || !str_eq_secret(str_of(token->text), text))
			continue;
		*login = token->login;
		valid = true;
	}
	return valid && api_login_stands(api, login);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what a provider answers and a browser brings back: nobody is ever signed in by them, and
 * what is told of a failure is printable. */
#include "oidc/oidc.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void
draw(void *bytes, size_t len)
{
	memset(bytes, 'x', len);
}

static void
must_be_printable(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		CHECK(text.at[i] >= ' ' && text.at[i] != 127);
}

static const struct oidc_settings settings = {
	.issuer = STR_INIT("https://i"), .client_id = STR_INIT("c"), .client_secret = STR_INIT("s"),
	.scope = STR_INIT("openid"),     .claim = STR_INIT("sub"),
};

/* One line of the input each time something is asked for. */
static struct str
next_line(struct str *rest)
{
	return str_cut(rest, '\n');
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct oidc *oidc = NULL;
	struct oidc_event event;
	struct str rest = { .at = (const char *)bytes, .len = len };
	CHECK(oidc_create(&oidc, draw, 0) == 0);
	oidc_begin(oidc, &settings, STR("https://b"), 1, 0);
	for (int step = 0; step < 16; step++) {
		oidc_poll(oidc, &event, step);
		if (event.kind == OIDC_NONE)
			break;
		if (event.kind == OIDC_FETCH) {
			oidc_answer(oidc, event.fetch, 200, next_line(&rest), step,
			            INT64_C(1800000000000000));
		} else if (event.kind == OIDC_REDIRECT) {
			char state[OIDC_STATE_LEN + 1];
			must_be_printable(event.url);
			CHECK(str_copy(state, sizeof state, event.state));
			oidc_finish(oidc,
			            &(struct oidc_return){ .state = str_of(state),
			                                   .code = next_line(&rest) },
			            1, step);
		} else {
			CHECK(event.kind == OIDC_FAILED);
			must_be_printable(event.detail);
		}
	}
	oidc_destroy(oidc);
	return 0;
}

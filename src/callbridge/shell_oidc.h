/* SPDX-License-Identifier: Apache-2.0 */
/* shell_oidc -- OpenID Connect for the Call Bridge: the requests that oidc/oidc.h wants made, and which
 * user somebody is who proved himself at one of the API's oidcProviders.
 *
 * Who that is among the users of the provider's tenant, meeting/identity.h decides.
 *
 * Ownership  create/destroy.  Texts are borrowed, both ways, for the length of the call.
 * Threads    The control thread.
 * Errors     create: 0 or -errno.  Else by the sink: each begin ends in `redirect` or `failed`, each
 *            finish in `admitted` or `failed`, sometimes before the call returns.
 */
#ifndef CALLBRIDGE_SHELL_OIDC_H
#define CALLBRIDGE_SHELL_OIDC_H

#include "meeting/object.h"
#include "net/loop.h"
#include "oidc/oidc.h"

struct shell_oidc;

struct shell_oidc_sink {
	void *context;
	void (*redirect)(void *context, uint64_t caller, struct str url, struct str state);
	void (*admitted)(void *context, uint64_t caller, uint32_t user);
	void (*failed)(void *context, uint64_t caller, enum oidc_failure failure);
};

struct shell_oidc_settings {
	struct loop *loop;
	const struct objects *objects;
	const char *trust; /* PEM file of authorities; NULL: the system's.  Borrowed for its life. */
	struct shell_oidc_sink sink;
};

[[nodiscard]] int shell_oidc_create(struct shell_oidc **out,
                                    const struct shell_oidc_settings *settings, int64_t now_us);
void shell_oidc_destroy(struct shell_oidc *oidc);

/* `provider` is an OBJECT_OIDC_PROVIDER, `back` our page that the browser is to come back to. */
void shell_oidc_begin(struct shell_oidc *oidc, uint32_t provider, struct str back, uint64_t caller,
                      int64_t now_us);
void shell_oidc_finish(struct shell_oidc *oidc, const struct oidc_return *ret, uint64_t caller,
                       int64_t now_us);

void shell_oidc_tick(struct shell_oidc *oidc, int64_t now_us);
[[nodiscard]] int64_t shell_oidc_deadline(const struct shell_oidc *oidc);

#endif

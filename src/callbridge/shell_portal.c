/* SPDX-License-Identifier: Apache-2.0 */
/* Users in the web app: the portal, between the Web Bridges, the directories, the identity providers
 * and the database. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "callbridge/shell.h"
#include "callbridge/shell_ldap.h"
#include "net/random.h"
#include "net/wall.h"

/* ---- Out of the portal --------------------------------------------------------------------- */

static enum portal_check
check_of(enum directory_result result)
{
	switch (result) {
	case DIRECTORY_OK:
		return PORTAL_RIGHT;
	case DIRECTORY_WRONG_PASSWORD:
		return PORTAL_WRONG;
	case DIRECTORY_EXPIRED:
		return PORTAL_EXPIRED;
	case DIRECTORY_UNREACHABLE:
	case DIRECTORY_UNTRUSTED:
	case DIRECTORY_NO_BASE:
	case DIRECTORY_BAD_FILTER:
	case DIRECTORY_SIZE_LIMIT:
	case DIRECTORY_REFUSED:
	case DIRECTORY_CANCELLED:
	case DIRECTORY_RESULTS:
		break;
	}
	return PORTAL_UNREACHABLE;
}

static void
on_checked(void *context, enum directory_result result)
{
	const struct portal_check_slot *slot = context;
	struct shell *shell = slot->shell;
	portal_checked(shell->portal, slot->ticket, check_of(result), loop_now_us());
	shell_settle(shell);
}

/* What can be said without asking is said in the next round: the portal is not called from within. */
static void
check(void *context, uint32_t ticket, uint32_t user, struct str password)
{
	struct shell *shell = context;
	struct portal_check_slot *slot = &shell->portal_checks[slab_index(ticket)];
	/* An answer that was waited for here before must not be taken for this one's. */
	shell_ldap_forget(shell, slot);
	*slot = (struct portal_check_slot){ .shell = shell, .ticket = ticket };
	const int rc = shell_ldap_check(shell, user, password, on_checked, slot);
	slot->failed = rc != 0;
	slot->result = rc == -ENOENT ? PORTAL_WRONG : PORTAL_UNREACHABLE;
	shell->portal_failed |= slot->failed;
}

static void
send_off(void *context, uint32_t ticket, uint32_t provider, struct str back)
{
	const struct shell *shell = context;
	shell_oidc_begin(shell->oidc, provider, back, ticket, loop_now_us());
}

static void
take_back(void *context, uint32_t ticket, const struct c2w_sign_in_elsewhere *wish)
{
	const struct shell *shell = context;
	const struct oidc_return ret = { .state = wish->state,
		                         .code = wish->code,
		                         .error = wish->error };
	shell_oidc_finish(shell->oidc, &ret, ticket, loop_now_us());
}

static void
send_web(void *context, unsigned link, const struct c2w_message *message)
{
	c2w_send(context, link, message);
}

static int
commit(void *context, const struct object_tx *tx)
{
	const struct shell *shell = context;
	const int rc = store_commit(shell->store, tx);
	if (rc != 0)
		objects_settled(meeting_objects(shell->meeting), tx->ticket, false);
	return rc;
}

static void
write_log(void *context, struct str text)
{
	(void)context;
	log_info("%.*s", STR_ARGS(text));
}

static int64_t
wall_s(void *context)
{
	(void)context;
	return wall_now().us / 1000000;
}

/* ---- What identity providers say ----------------------------------------------------------- */

static void
on_redirect(void *context, uint64_t caller, struct str url, struct str state)
{
	const struct shell *shell = context;
	portal_sent_off(shell->portal, (uint32_t)caller, url, state);
}

static void
on_admitted(void *context, uint64_t caller, uint32_t user)
{
	const struct shell *shell = context;
	portal_proved(shell->portal, (uint32_t)caller, user, C2W_REFUSALS);
}

/* Why is for the log; the person hears what to do. */
static void
on_failed(void *context, uint64_t caller, enum oidc_failure failure)
{
	static const enum c2w_refusal refusals[OIDC_FAILURE_COUNT] = {
		[OIDC_FAILURE_BUSY] = C2W_REFUSAL_BUSY,
		[OIDC_FAILURE_SETTINGS] = C2W_REFUSAL_NO_DIRECTORY,
		[OIDC_FAILURE_NO_ANSWER] = C2W_REFUSAL_NO_DIRECTORY,
		[OIDC_FAILURE_PROVIDER] = C2W_REFUSAL_NO_DIRECTORY,
		[OIDC_FAILURE_UNKNOWN] = C2W_REFUSAL_UNKNOWN_SIGN_IN,
		[OIDC_FAILURE_REFUSED] = C2W_REFUSAL_NOT_PROVEN,
		[OIDC_FAILURE_CODE] = C2W_REFUSAL_NOT_PROVEN,
		[OIDC_FAILURE_TOKEN] = C2W_REFUSAL_NOT_PROVEN,
		[OIDC_FAILURE_NO_CLAIM] = C2W_REFUSAL_NOT_PROVEN,
	};
	const struct shell *shell = context;
	portal_proved(shell->portal, (uint32_t)caller, 0, refusals[failure]);
}

static bool
providers_open(struct shell *shell)
{
	const struct shell_oidc_settings settings = {
		.loop = shell->component.loop,
		.objects = meeting_objects(shell->meeting),
		.trust = component_path(&shell->component, shell->oidc_trust,
		                        shell->config->oidc.trust),
		.sink = { .context = shell,
		          .redirect = on_redirect,
		          .admitted = on_admitted,
		          .failed = on_failed },
	};
	return shell_oidc_create(&shell->oidc, &settings, loop_now_us()) == 0;
}

/* ---- Life ---------------------------------------------------------------------------------- */

bool
portal_open(struct shell *shell, const struct portal_settings *from)
{
	struct portal_settings settings = *from;
	settings.meeting = shell->meeting;
	settings.sink = (struct portal_sink){ .context = shell,
		                              .web = send_web,
		                              .check = check,
		                              .send_off = send_off,
		                              .take_back = take_back,
		                              .commit = commit,
		                              .log = write_log,
		                              .wall_s = wall_s };
	random_bytes(&settings.hash_key, sizeof settings.hash_key);
	const int rc = portal_create(&shell->portal, &settings, loop_now_us());
	explicit_bzero(settings.jwt_key, sizeof settings.jwt_key);
	return (rc == 0 && providers_open(shell)) ||
	       component_fail(&shell->component, "not enough memory for users");
}

bool
portal_drain(struct shell *shell, int64_t now_us)
{
	const bool any = shell->portal_failed;
	shell->portal_failed = false;
	for (unsigned i = 0; any && i < PORTAL_PENDING_MAX; i++) {
		struct portal_check_slot *slot = &shell->portal_checks[i];
		if (!slot->failed)
			continue;
		slot->failed = false;
		portal_checked(shell->portal, slot->ticket, slot->result, now_us);
	}
	portal_tick(shell->portal, now_us);
	shell_oidc_tick(shell->oidc, now_us);
	return any;
}

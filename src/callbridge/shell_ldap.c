/* SPDX-License-Identifier: Apache-2.0 */
/* LDAP for the Call Bridge: the threads that ask, and passwords of users.  Synchronisations are in
 * shell_ldap_sync.c. */
#include "callbridge/shell_ldap.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "callbridge/shell_ldap_internal.h"

enum {
	LDAP_PORT = 389,
	GLOBAL_CATALOG_PORT = 3268, /* of Active Directory */
};

/* ------------------------------------------------------------------ servers */

/* CMS has one switch: secure=true.  On the ports where plain LDAP is spoken it means StartTLS,
 * on any other TLS from the first byte on. */
static enum directory_tls
tls_of(bool secure, uint16_t port)
{
	if (!secure)
		return DIRECTORY_PLAIN;
	return port == LDAP_PORT || port == GLOBAL_CATALOG_PORT ? DIRECTORY_STARTTLS
	                                                        : DIRECTORY_LDAPS;
}

bool
ldap_server(const struct shell_ldap *ldap, uint32_t server, struct directory_server *out)
{
	const struct shell *shell = ldap->shell;
	const struct objects *objects = meeting_objects(shell->meeting);
	if (!objects_alive(objects, OBJECT_LDAP_SERVER, server))
		return false;
	const uint16_t port =
		(uint16_t)objects_number(objects, OBJECT_LDAP_SERVER, server, LDAP_SERVER_PORT);
	const bool secure =
		objects_number(objects, OBJECT_LDAP_SERVER, server, LDAP_SERVER_SECURE) != 0;
	*out = (struct directory_server){
		.host = objects_text(objects, OBJECT_LDAP_SERVER, server, LDAP_SERVER_ADDRESS),
		.port = port,
		.tls = tls_of(secure, port),
		.no_verify = !shell->config->ldap.verify,
		.newest_only = strcmp(shell->config->tls.ldap.version_min, "1.3") == 0,
		.trust_file = str_of(ldap->trust),
		.bind_dn = objects_text(objects, OBJECT_LDAP_SERVER, server, LDAP_SERVER_USERNAME),
		.password = objects_text(objects, OBJECT_LDAP_SERVER, server,
		                         LDAP_SERVER_PASSWORD),
	};
	return true;
}

/* ------------------------------------------------------------------ passwords */

static struct ldap_check *
free_check(struct shell_ldap *ldap)
{
	for (uint32_t i = 0; i < LDAP_CHECKS_MAX; i++) {
		if (ldap->waiting[i].done == NULL)
			return &ldap->waiting[i];
	}
	return NULL;
}

static struct directory *
least_busy(const struct shell_ldap *ldap)
{
	struct directory *least = ldap->checks[0];
	for (uint32_t i = 1; i < LDAP_CHECK_THREADS; i++) {
		if (directory_pending(ldap->checks[i]) < directory_pending(least))
			least = ldap->checks[i];
	}
	return least;
}

int
shell_ldap_check(struct shell *shell, uint32_t user, struct str password, shell_ldap_done *done,
                 void *context)
{
	struct shell_ldap *ldap = shell->ldap;
	const struct objects *objects = meeting_objects(shell->meeting);
	const uint32_t source = objects_ref(objects, OBJECT_USER, user, USER_LDAP_SOURCE);
	const struct str dn = objects_text(objects, OBJECT_USER, user, USER_LDAP_DN);
	struct directory_server server;
	if (dn.len == 0 || !ldap_server(ldap, objects_ref(objects, OBJECT_LDAP_SOURCE, source,
	                                                  LDAP_SOURCE_SERVER),
	                                &server))
		return -ENOENT;
	struct ldap_check *check = free_check(ldap);
	if (check == NULL)
		return -EAGAIN;
	const int rc = directory_check(least_busy(ldap), ldap->last_id + 1, &server, dn, password);
	if (rc == 0)
		*check = (struct ldap_check){ .done = done, .context = context,
			                      .id = ++ldap->last_id };
	return rc;
}

void
shell_ldap_forget(struct shell *shell, const void *context)
{
	struct shell_ldap *ldap = shell->ldap;
	for (uint32_t i = 0; i < LDAP_CHECKS_MAX; i++) {
		struct ldap_check *check = &ldap->waiting[i];
		if (check->done == NULL || check->context != context)
			continue;
		for (uint32_t c = 0; c < LDAP_CHECK_THREADS; c++)
			directory_cancel(ldap->checks[c], check->id);
		*check = (struct ldap_check){ 0 };
	}
}

/* What cannot be known is for the administrator to mend. */
static void
tell_trouble(const struct directory_answer *answer)
{
	if (answer->result != DIRECTORY_OK && answer->result != DIRECTORY_WRONG_PASSWORD &&
	    answer->result != DIRECTORY_EXPIRED && answer->result != DIRECTORY_CANCELLED)
		log_warning("LDAP: a password could not be checked: %s: %s",
		            directory_result_name(answer->result), answer->text);
}

static void
take_checks(struct shell_ldap *ldap, struct directory *directory)
{
	const struct directory_answer *answer;
	while ((answer = directory_take(directory)) != NULL) {
		struct ldap_check check = { 0 };
		for (uint32_t i = 0; i < LDAP_CHECKS_MAX; i++) {
			struct ldap_check *waiting = &ldap->waiting[i];
			if (waiting->done == NULL || waiting->id != answer->id)
				continue;
			check = *waiting;
			*waiting = (struct ldap_check){ 0 };
		}
		const enum directory_result result = answer->result;
		tell_trouble(answer);
		ldap->figures.checks[result]++;
		directory_give_back(directory, answer);
		if (check.done != NULL)
			check.done((void *)(uintptr_t)check.context, result);
	}
}

/* ------------------------------------------------------------------ turns */

static void
wake(void *context)
{
	struct shell_ldap *ldap = context;
	loop_wake(ldap->waker);
}

/* One piece a turn: whoever else waits for the loop comes in between. */
static void
on_wake(void *context)
{
	struct shell_ldap *ldap = context;
	struct shell *shell = ldap->shell;
	const int64_t now_us = loop_now_us();
	if (!shell->running)
		return;
	for (uint32_t i = 0; i < LDAP_CHECK_THREADS; i++)
		take_checks(ldap, ldap->checks[i]);
	const struct directory_answer *answer = directory_take(ldap->searches);
	if (answer != NULL) {
		ldap_run_answer(ldap, answer);
		directory_give_back(ldap->searches, answer);
	}
	if (ldap_run_step(ldap, now_us) || answer != NULL)
		loop_wake(ldap->waker);
	shell_settle(shell);
}

static void
on_timer(void *context, int64_t now_us)
{
	struct shell_ldap *ldap = context;
	(void)now_us;
	loop_wake(ldap->waker);
}

void
ldap_look(struct shell *shell)
{
	struct shell_ldap *ldap = shell->ldap;
	const uint64_t version =
		objects_version(meeting_objects(shell->meeting), OBJECT_LDAP_SYNC);
	if (version == ldap->seen)
		return;
	ldap->seen = version;
	loop_wake(ldap->waker);
}

void
ldap_settled(struct shell *shell, uint64_t ticket, bool ok)
{
	if (shell->ldap != NULL)
		ldap_run_settled(shell->ldap, ticket, ok);
}

struct ldap_figures
ldap_figures(const struct shell *shell)
{
	return shell->ldap->figures;
}

/* ------------------------------------------------------------------ life */

bool
ldap_open(struct shell *shell)
{
	struct shell_ldap *ldap = calloc(1, sizeof *ldap);
	if (ldap == NULL)
		return component_fail(&shell->component, "not enough memory for LDAP");
	shell->ldap = ldap;
	ldap->shell = shell;
	ldap->seen = UINT64_MAX; /* what was ordered before the start is taken up */
	if (component_path(&shell->component, ldap->trust, shell->config->ldap.trust) ==
	    NULL)
		ldap->trust[0] = '\0';
	if (shell->config->tls.ldap.ciphers[0] != '\0')
		log_warning("\"tls ldap ciphers\" has no effect: the LDAP library of this machine "
		            "chooses them");
	int rc = loop_waker_create(&ldap->waker, shell->component.loop, on_wake, ldap);
	if (rc == 0)
		rc = loop_timer_create(&ldap->timer, shell->component.loop, on_timer, ldap);
	if (rc == 0)
		rc = directory_create(&ldap->searches, wake, ldap);
	for (uint32_t i = 0; rc == 0 && i < LDAP_CHECK_THREADS; i++)
		rc = directory_create(&ldap->checks[i], wake, ldap);
	return rc == 0 || component_fail(&shell->component, "not enough memory for LDAP");
}

void
ldap_close(struct shell *shell)
{
	struct shell_ldap *ldap = shell->ldap;
	if (ldap == NULL)
		return;
	directory_destroy(ldap->searches);
	for (uint32_t i = 0; i < LDAP_CHECK_THREADS; i++)
		directory_destroy(ldap->checks[i]);
	directory_sync_destroy(ldap->run.core);
	loop_timer_destroy(ldap->timer);
	loop_waker_destroy(ldap->waker);
	free(ldap);
	shell->ldap = NULL;
}

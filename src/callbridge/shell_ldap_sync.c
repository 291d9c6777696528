/* SPDX-License-Identifier: Apache-2.0 */
/* The ldapSyncs, one after the other: directories are asked source by source, then everything is
 * applied, a few people a turn.  One that was cut short by a restart is begun anew. */
#include <stdio.h>

#include "base/log.h"
#include "base/slab.h"
#include "callbridge/shell_ldap_internal.h"
#include "net/random.h"

static const char no_changes[] = "the database takes no changes";

/* ------------------------------------------------------------------ what is written down */

static struct objects *
objects_of(const struct shell_ldap *ldap)
{
	return meeting_objects(ldap->shell->meeting);
}

/* Hands a transaction over and remembers to wait for it. */
static void
send(struct shell_ldap *ldap, const struct object_tx *tx)
{
	struct ldap_run *run = &ldap->run;
	if (tx->ticket == 0)
		return;
	CHECK(run->flight_count < COUNT_OF(run->flight));
	if (store_commit(ldap->shell->store, tx) == 0) {
		run->flight[run->flight_count++] = tx->ticket;
		return;
	}
	objects_settled(objects_of(ldap), tx->ticket, false);
	run->lost = true;
}

/* As it stands now; false: there was no room for it. */
static bool
write_sync(struct shell_ldap *ldap, enum ldap_sync_state state)
{
	struct ldap_run *run = &ldap->run;
	struct objects *objects = objects_of(ldap);
	struct object_edit edit = { .type = OBJECT_LDAP_SYNC };
	struct directory_sync_counts counts = { 0 };
	int culprit = -1;
	if (run->core != NULL)
		counts = directory_sync_counts(run->core);
	edit_set_number(&edit, LDAP_SYNC_STATE, state);
	edit_set_number(&edit, LDAP_SYNC_USERS, counts.imported);
	edit_set_number(&edit, LDAP_SYNC_SOURCES, run->source_at);
	if (state == LDAP_SYNC_FAILED)
		edit_set_number(&edit, LDAP_SYNC_FAILURE, run->failure);
	objects_begin(objects);
	const bool goes = state == LDAP_SYNC_COMPLETE &&
	                  objects_number(objects, OBJECT_LDAP_SYNC, run->sync,
	                                 LDAP_SYNC_REMOVE_WHEN_FINISHED) != 0;
	const enum object_reject reject =
		goes ? objects_remove(objects, OBJECT_LDAP_SYNC, run->sync)
		     : objects_edit(objects, run->sync, &edit, &culprit);
	if (reject != OBJECT_OK) {
		objects_abort(objects);
		return false;
	}
	const struct object_tx tx = objects_end(objects);
	ldap->seen = objects_version(objects, OBJECT_LDAP_SYNC);
	send(ldap, &tx);
	return !run->lost;
}

/* ------------------------------------------------------------------ the end */

void
ldap_run_drop(struct shell_ldap *ldap)
{
	struct ldap_run *run = &ldap->run;
	directory_cancel(ldap->searches, run->order);
	directory_sync_destroy(run->core);
	run->core = NULL;
	run->stage = LDAP_IDLE;
	run->flight_count = 0;
	run->order = 0;
}

/* It cannot be now: later anew. */
static void
postpone(struct shell_ldap *ldap, const char *why, int64_t now_us)
{
	log_warning("LDAP sync operation: %s; it is tried again", why);
	ldap_run_drop(ldap);
	ldap->retry_us = now_us + LDAP_RETRY_US;
	loop_timer_arm(ldap->timer, ldap->retry_us);
}

static void
fail(struct shell_ldap *ldap, enum ldap_sync_failure why)
{
	struct ldap_run *run = &ldap->run;
	run->failed = true;
	run->failure = why;
	run->stage = LDAP_ENDING;
}

static void
tell_end(const struct ldap_run *run, int64_t now_us)
{
	const struct directory_sync_counts counts = directory_sync_counts(run->core);
	const double took_s = (double)(now_us - run->began_us) / 1e6;
	const char *how = !run->failed ? "complete" : "failed";
	log_info("LDAP sync operation: %s: %u users imported (%u created, %u changed, %u removed), "
	         "spaces %u created, %u changed, %u removed, in %.1f s",
	         how, counts.imported, counts.created, counts.changed, counts.removed,
	         counts.spaces_created, counts.spaces_changed, counts.spaces_removed, took_s);
	if (counts.clashes + counts.faults != 0)
		log_warning("LDAP sync operation: %u clashes, %u users or texts left out",
		            counts.clashes, counts.faults);
}

static void
tell_lines(struct shell_ldap *ldap)
{
	const char *line;
	while ((line = directory_sync_line(ldap->run.core)) != NULL)
		log_warning("LDAP sync operation: %s", line);
}

/* Those that are over are kept for who looks; the oldest go.  Changes are few: one at a time. */
static void
tidy(struct shell_ldap *ldap)
{
	struct objects *objects = objects_of(ldap);
	uint32_t at = 0;
	if (objects_count(objects, OBJECT_LDAP_SYNC) <= LDAP_KEPT_MAX)
		return;
	for (uint32_t sync; (sync = objects_next(objects, OBJECT_LDAP_SYNC, &at)) != 0;) {
		const uint32_t state =
			objects_number(objects, OBJECT_LDAP_SYNC, sync, LDAP_SYNC_STATE);
		if (sync == ldap->run.sync || state == LDAP_SYNC_PENDING)
			continue;
		objects_begin(objects);
		if (objects_remove(objects, OBJECT_LDAP_SYNC, sync) != OBJECT_OK) {
			objects_abort(objects);
			return;
		}
		const struct object_tx tx = objects_end(objects);
		send(ldap, &tx);
		return;
	}
}

/* Everything is on the disk, or nothing more will be. */
static void
end(struct shell_ldap *ldap, int64_t now_us)
{
	struct ldap_run *run = &ldap->run;
	if (directory_sync_counts(run->core).clashes != 0 && !run->failed) {
		run->failed = true;
		run->failure = LDAP_CLASH_OCCURRED;
	}
	if (!write_sync(ldap, run->failed ? LDAP_SYNC_FAILED : LDAP_SYNC_COMPLETE)) {
		postpone(ldap, no_changes, now_us);
		return;
	}
	tell_end(run, now_us);
	ldap->figures.syncs_complete += !run->failed;
	ldap->figures.syncs_failed += run->failed;
	ldap->figures.last_us = now_us - run->began_us;
	ldap->figures.last_users = directory_sync_counts(run->core).imported;
	tidy(ldap);
	meeting_configured(ldap->shell->meeting, now_us);
	ldap_run_drop(ldap);
}

/* ------------------------------------------------------------------ the beginning */

/* The first that waits, or that a restart has cut short. */
static uint32_t
find_sync(const struct objects *objects)
{
	uint32_t at = 0;
	for (uint32_t sync; (sync = objects_next(objects, OBJECT_LDAP_SYNC, &at)) != 0;) {
		const uint32_t state =
			objects_number(objects, OBJECT_LDAP_SYNC, sync, LDAP_SYNC_STATE);
		if (state == LDAP_SYNC_PENDING || state == LDAP_SYNC_IN_PROGRESS)
			return sync;
	}
	return 0;
}

/* The sources that it is about; false: what it names is no more. */
static bool
find_sources(struct ldap_run *run, const struct objects *objects)
{
	const struct value tenant =
		objects_value(objects, OBJECT_LDAP_SYNC, run->sync, LDAP_SYNC_TENANT);
	const struct value only =
		objects_value(objects, OBJECT_LDAP_SYNC, run->sync, LDAP_SYNC_SOURCE);
	uint32_t at = 0;
	run->failure = LDAP_TENANT_DOES_NOT_EXIST;
	if (tenant.set && objects_find(objects, OBJECT_TENANT, &tenant.guid) == 0)
		return false;
	run->failure = LDAP_SOURCE_DOES_NOT_EXIST;
	if (only.set && objects_find(objects, OBJECT_LDAP_SOURCE, &only.guid) == 0)
		return false;
	run->failure = LDAP_ERROR;
	for (uint32_t source; (source = objects_next(objects, OBJECT_LDAP_SOURCE, &at)) != 0;) {
		const struct guid id = objects_id(objects, OBJECT_LDAP_SOURCE, source);
		const struct guid whose =
			objects_value(objects, OBJECT_LDAP_SOURCE, source, LDAP_SOURCE_TENANT).guid;
		if ((only.set && !guid_eq(&only.guid, &id)) ||
		    (tenant.set && !guid_eq(&tenant.guid, &whose)))
			continue;
		if (run->source_count == DIRECTORY_SYNC_SOURCES_MAX) {
			log_error("LDAP sync operation: more than %d ldapSources",
			          DIRECTORY_SYNC_SOURCES_MAX);
			return false;
		}
		run->sources[run->source_count++] = source;
	}
	return true;
}

static bool
make_core(struct shell_ldap *ldap)
{
	const struct objects *objects = objects_of(ldap);
	struct ldap_run *run = &ldap->run;
	struct directory_sync_settings settings = {
		.objects = objects_of(ldap),
		.people_max = LDAP_PEOPLE_MAX,
		.tenant =
			objects_value(objects, OBJECT_LDAP_SYNC, run->sync, LDAP_SYNC_TENANT).guid,
		.source =
			objects_value(objects, OBJECT_LDAP_SYNC, run->sync, LDAP_SYNC_SOURCE).guid,
	};
	random_bytes(&settings.hash_key, sizeof settings.hash_key);
	return directory_sync_create(&run->core, &settings) == 0;
}

static bool
begin(struct shell_ldap *ldap, int64_t now_us)
{
	struct ldap_run *run = &ldap->run;
	const struct objects *objects = objects_of(ldap);
	const uint32_t sync = now_us >= ldap->retry_us ? find_sync(objects) : 0;
	if (sync == 0)
		return false;
	memset(run, 0, sizeof *run);
	run->sync = sync;
	run->began_us = run->told_us = now_us;
	if (!make_core(ldap)) {
		postpone(ldap, "not enough memory", now_us);
		return false;
	}
	if (!write_sync(ldap, LDAP_SYNC_IN_PROGRESS)) {
		postpone(ldap, no_changes, now_us);
		return false;
	}
	log_info("LDAP sync operation: starting");
	run->stage = LDAP_ASKING;
	if (!meeting_licensed_for(ldap->shell->meeting, LICENCE_LDAP, "synchronise users",
	                          &(struct guid){ 0 })) {
		fail(ldap, LDAP_ERROR);
	} else if (!find_sources(run, objects)) {
		const enum ldap_sync_failure why = run->failure;
		log_error("LDAP sync operation: %s",
		          why == LDAP_TENANT_DOES_NOT_EXIST   ? "its tenant is no more"
		          : why == LDAP_SOURCE_DOES_NOT_EXIST ? "its ldapSource is no more"
		                                              : "it cannot begin");
		fail(ldap, why);
	}
	return true;
}

/* ------------------------------------------------------------------ asking */

static void
ask_source(struct shell_ldap *ldap)
{
	struct ldap_run *run = &ldap->run;
	const uint32_t source = run->sources[run->source_at];
	run->granting = false;
	run->template_at = 0;
	run->found = run->without = 0;
	if (!objects_alive(objects_of(ldap), OBJECT_LDAP_SOURCE, source)) {
		log_error("LDAP sync operation: an ldapSource was removed meanwhile");
		fail(ldap, LDAP_SOURCE_DOES_NOT_EXIST);
	} else if (!ldap_maps_read(&run->maps, objects_of(ldap), source) ||
	           !directory_sync_source(run->core, source) ||
	           !ldap_source_ask(ldap, source, 0)) {
		fail(ldap, LDAP_ERROR);
	}
}

/* The next of this source's templates; without one, the source is done. */
static void
ask_template(struct shell_ldap *ldap)
{
	struct ldap_run *run = &ldap->run;
	const struct objects *objects = objects_of(ldap);
	const uint32_t source = run->sources[run->source_at];
	uint32_t template;
	run->granting = true;
	while ((template = objects_next(objects, OBJECT_LDAP_TEMPLATE_SOURCE,
	                                &run->template_at)) != 0) {
		if (objects_ref(objects, OBJECT_LDAP_TEMPLATE_SOURCE, template,
		                LDAP_TEMPLATE_SOURCE_SOURCE) != source)
			continue;
		if (!directory_sync_template(run->core, template)) {
			log_error("LDAP sync operation: more than %d "
			          "ldapUserCoSpaceTemplateSources", DIRECTORY_SYNC_TEMPLATES_MAX);
			fail(ldap, LDAP_ERROR);
		} else if (!ldap_source_ask(ldap, source, template)) {
			fail(ldap, LDAP_ERROR);
		}
		return;
	}
	run->source_at++;
	run->order = 0;
}

static void
tell_found(const struct shell_ldap *ldap)
{
	char name[2 * DIRECTORY_DN_MAX];
	const struct ldap_run *run = &ldap->run;
	ldap_source_name(ldap, run->sources[run->source_at], name, sizeof name);
	log_info("LDAP sync operation: %u users found below %s", run->found - run->without, name);
	if (run->without != 0)
		log_info("LDAP sync operation: %u entries below %s lack what jidMapping asks for",
		         run->without, name);
	if (run->found == 0)
		log_warning("LDAP sync operation: nobody was found below %s: are its baseDn and "
		            "filter right?", name);
}

void
ldap_run_answer(struct shell_ldap *ldap, const struct directory_answer *answer)
{
	char name[2 * DIRECTORY_DN_MAX];
	struct ldap_run *run = &ldap->run;
	if (run->stage != LDAP_ASKING || answer->id != run->order)
		return;
	if (!ldap_source_take(ldap, answer)) {
		log_error("LDAP sync operation: more people than there can be users");
		directory_cancel(ldap->searches, run->order);
		fail(ldap, LDAP_ERROR);
		return;
	}
	if (!answer->last)
		return;
	if (answer->result != DIRECTORY_OK) {
		log_error("LDAP sync operation: %s: %s: %s",
		          ldap_source_name(ldap, run->sources[run->source_at], name, sizeof name),
		          directory_result_name(answer->result), answer->text);
		fail(ldap, LDAP_ERROR);
		return;
	}
	if (!run->granting)
		tell_found(ldap);
	ask_template(ldap);
}

/* ------------------------------------------------------------------ applying */

static bool
apply(struct shell_ldap *ldap, int64_t now_us)
{
	struct ldap_run *run = &ldap->run;
	struct object_tx tx;
	if (run->lost) {
		run->stage = LDAP_ENDING;
		return true;
	}
	if (run->flight_count >= LDAP_FLIGHT_MAX)
		return false;
	if (now_us - run->told_us >= LDAP_TELL_US) {
		run->told_us = now_us;
		meeting_configured(ldap->shell->meeting, now_us);
		return write_sync(ldap, LDAP_SYNC_IN_PROGRESS) || run->lost;
	}
	const enum directory_sync_state state = directory_sync_step(run->core, &tx);
	tell_lines(ldap);
	send(ldap, &tx);
	switch (state) {
	case DIRECTORY_SYNC_MORE:
		run->full_tries = 0;
		break;
	case DIRECTORY_SYNC_DONE:
		run->stage = LDAP_ENDING;
		break;
	case DIRECTORY_SYNC_STUCK:
		/* Others may have filled the queue of transactions; or there is no room at all. */
		if (++run->full_tries < LDAP_FULL_TRIES_MAX) {
			loop_timer_arm(ldap->timer, now_us + 20 * 1000);
			return false;
		}
		log_error("LDAP sync operation: no room for more users and spaces");
		fail(ldap, LDAP_ERROR);
		break;
	}
	return true;
}

bool
ldap_run_step(struct shell_ldap *ldap, int64_t now_us)
{
	struct ldap_run *run = &ldap->run;
	if (run->stage != LDAP_IDLE &&
	    !objects_alive(objects_of(ldap), OBJECT_LDAP_SYNC, run->sync)) {
		ldap_run_drop(ldap); /* the order itself was undone */
		return true;
	}
	switch (run->stage) {
	case LDAP_IDLE:
		return begin(ldap, now_us);
	case LDAP_ASKING:
		if (run->order != 0)
			return false;
		if (run->source_at == run->source_count)
			run->stage = LDAP_APPLYING;
		else
			ask_source(ldap);
		return true;
	case LDAP_APPLYING:
		return apply(ldap, now_us);
	case LDAP_ENDING:
		if (run->flight_count != 0)
			return false;
		if (run->lost)
			postpone(ldap, no_changes, now_us);
		else
			end(ldap, now_us);
		return true;
	}
	return false;
}

void
ldap_run_settled(struct shell_ldap *ldap, uint64_t ticket, bool ok)
{
	struct ldap_run *run = &ldap->run;
	for (uint32_t i = 0; i < run->flight_count; i++) {
		if (run->flight[i] != ticket)
			continue;
		run->flight[i] = run->flight[--run->flight_count];
		run->lost = run->lost || !ok;
		loop_wake(ldap->waker);
		return;
	}
}

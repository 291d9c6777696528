/* SPDX-License-Identifier: Apache-2.0 */
/* The database behind the model: opening it, what comes back from it, what happens when it is lost,
 * and going along when it is moved. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "callbridge/shell.h"
#include "callbridge/shell_ldap.h"
#include "component/database.h"
#include "net/files.h"

enum {
	LOOK_US = 1000 * 1000, /* for settings that say another database */
	AGAIN_US = 30 * 1000 * 1000,
};

/* What the store borrows from. */
struct shell_database {
	struct config config;
	struct database_settings settings;
	int64_t again_us; /* until then a move that was cut short is not looked into again */
};

/* ---- First start --------------------------------------------------------------------------- */

static bool
add(struct shell *shell, const struct object_edit *edit)
{
	uint32_t handle = 0;
	int culprit = -1;
	const enum object_reject rejected =
		objects_add(meeting_objects(shell->meeting), edit, 0, &handle, &culprit);
	return rejected == OBJECT_OK ||
	       component_fail(&shell->component,
	                      "the first objects cannot be made (reason %d, field %d)",
	                      (int)rejected, culprit);
}

static bool
add_demo_space(struct shell *shell)
{
	struct object_edit edit = { .type = OBJECT_SPACE };
	edit_set_text(&edit, SPACE_NAME, STR("Demo"));
	edit_set_text(&edit, SPACE_URI, STR("demo"));
	edit_set_text(&edit, SPACE_CALL_ID, STR("1001"));
	return add(shell, &edit);
}

/* The Web Bridge of this very machine, if it has one. */
static bool
add_web_bridge(struct shell *shell)
{
	char url[64];
	const struct config *config = shell->config;
	if (!config->webbridge.enabled || config->webbridge.c2w_count == 0)
		return true;
	snprintf(url, sizeof url, "c2w://127.0.0.1:%u", config->webbridge.c2w[0].port);
	struct object_edit edit = { .type = OBJECT_WEB_BRIDGE };
	edit_set_text(&edit, WEB_BRIDGE_URL, str_of(url));
	return add(shell, &edit);
}

static bool
first_start(struct shell *shell)
{
	struct objects *objects = meeting_objects(shell->meeting);
	objects_begin(objects);
	if (!add_demo_space(shell) || !add_web_bridge(shell)) {
		objects_abort(objects);
		return false;
	}
	const struct object_tx tx = objects_end(objects);
	struct store_result result = { 0 };
	if (store_commit(shell->store, &tx) != 0)
		return component_fail(&shell->component, "the database takes no changes");
	store_wait(shell->store);
	if (!store_take(shell->store, &result) || !result.ok)
		return component_fail(&shell->component, "the database cannot be written: %s",
		                      store_error(shell->store));
	objects_settled(objects, result.ticket, true);
	return true;
}

/* ---- What comes back ----------------------------------------------------------------------- */

static void
wake_store(void *context)
{
	struct shell *shell = context;
	loop_wake(shell->store_waker);
}

/* What the API and the alarms say of it. */
static void
tell_state(struct shell *shell, enum store_state before)
{
	const struct store_status *status = store_status(shell->store);
	api_database(shell->api, status);
	if (status->state == before)
		return;
	if (status->state == STORE_READY) {
		log_info("the database takes changes again");
		meeting_alarm_clear(shell->meeting, ALARM_DATABASE_ERROR, NULL);
		return;
	}
	log_error("the database takes no changes: %s", status->error);
	meeting_alarm_raise(shell->meeting, ALARM_DATABASE_ERROR,
	                    status->state == STORE_LOST ? ALARM_CONNECT_FAILURE : ALARM_ERROR, NULL,
	                    loop_now_us());
}

static void
on_store(void *context)
{
	struct shell *shell = context;
	struct store_result result;
	const enum store_state before = store_status(shell->store)->state;
	while (store_take(shell->store, &result)) {
		if (result.in_doubt)
			log_error("whether a change was kept will be known when the database is "
			          "back: %s", store_error(shell->store));
		else if (!result.ok)
			log_error("a change was not kept by the database: %s",
			          store_error(shell->store));
		if (!result.in_doubt)
			objects_settled(meeting_objects(shell->meeting), result.ticket, result.ok);
		api_settled(shell->api, result.ticket, result.ok, loop_now_us());
		ldap_settled(shell, result.ticket, result.ok);
		portal_settled(shell->portal, result.ticket, result.ok, loop_now_us());
	}
	tell_state(shell, before);
	shell_settle(shell);
}

/* ---- When it was moved --------------------------------------------------------------------- */

static bool
read_settings(const struct shell *shell, struct config *config)
{
	char path[COMPONENT_PATH_MAX];
	char *text = NULL;
	size_t len = 0;
	struct config_error error;
	if (file_read(component_path(&shell->component, path, "convoke.conf"), CONFIG_BYTES_MAX,
	              &text, &len) != 0)
		return false;
	const bool read = config_parse(config, (struct str){ text, len }, &error);
	explicit_bzero(text, len);
	free(text);
	return read;
}

static bool
is_same_database(const struct config *a, const struct config *b)
{
	return (a->database.node_count == 0 && b->database.node_count == 0) ||
	       memcmp(&a->database, &b->database, sizeof a->database) == 0;
}

/* `moved`: to where a move was to begin, too, when it came to no end. */
static void
follow(struct shell *shell, bool moved)
{
	struct shell_database *next = calloc(1, sizeof *next);
	if (next == NULL)
		return;
	const bool read = read_settings(shell, &next->config);
	const bool same = read && is_same_database(&next->config, &shell->database->config);
	if (!read || (same && !moved)) {
		free(next);
		return;
	}
	database_settings(&next->settings, shell->component.data_dir, &next->config);
	next->settings.store.wake = wake_store;
	next->settings.store.context = shell;
	const enum store_state before = store_status(shell->store)->state;
	const int rc = store_follow(shell->store, &next->settings.store);
	if (rc != 0) {
		if (rc != -EBUSY)
			shell->database->again_us = loop_now_us() + AGAIN_US;
		if (rc == -EBUSY)
			shell->settings_seen = (struct timespec){ 0 }; /* soon again */
		else if (rc == -ESTALE && !same)
			log_info("another database is set: it is used from the next start on");
		free(next);
		return;
	}
	free(shell->database);
	shell->database = next;
	if (same)
		log_info("a move of the database was cut short: it stays where it was");
	else
		log_info("the database was moved to %s",
		         next->config.database.node_count != 0 ? "PostgreSQL"
		                                               : "this machine's own");
	tell_state(shell, before);
}

/* Who moves a database holds this until the settings name the new one: when it is free, nobody does.
 * -1: somebody does. */
static int
lock_settings(const struct shell *shell)
{
	char path[COMPONENT_PATH_MAX];
	const int fd = open(component_path(&shell->component, path, "run/convoke.conf.lock"),
	                    O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static void
on_look(void *context, int64_t now_us)
{
	struct shell *shell = context;
	char path[COMPONENT_PATH_MAX];
	struct stat info;
	loop_timer_arm(shell->store_timer, now_us + LOOK_US);
	if (stat(component_path(&shell->component, path, "convoke.conf"), &info) != 0)
		return;
	const bool moved = store_status(shell->store)->state == STORE_MOVED &&
	                   now_us >= shell->database->again_us;
	const bool written = info.st_mtim.tv_sec != shell->settings_seen.tv_sec ||
	                     info.st_mtim.tv_nsec != shell->settings_seen.tv_nsec;
	const int lock = moved ? lock_settings(shell) : -1;
	if (written || lock >= 0) {
		shell->settings_seen = info.st_mtim;
		follow(shell, lock >= 0);
		shell_settle(shell);
	}
	if (lock >= 0)
		close(lock);
}

/* ---- Opening ------------------------------------------------------------------------------- */

static bool
open_store(struct shell *shell)
{
	struct store_loaded loaded = { 0 };
	int rc = store_open(&shell->store, &shell->database->settings.store);
	if (rc == 0)
		rc = store_load(shell->store, meeting_objects(shell->meeting), &loaded);
	if (rc == -ENOMEM)
		return component_fail(&shell->component, "not enough memory for the database");
	if (rc != 0)
		return component_fail(&shell->component, "database: %s%s",
		                      rc == -EBADMSG ? "it is damaged; restore it from a backup: "
		                                     : "",
		                      store_error(shell->store));
	if (loaded.refused != 0)
		log_warning("%u rows of the database break a rule and were left aside",
		            loaded.refused);
	return !loaded.fresh || first_start(shell);
}

bool
store_shell_open(struct shell *shell)
{
	shell->database = calloc(1, sizeof *shell->database);
	if (shell->database == NULL ||
	    loop_waker_create(&shell->store_waker, shell->component.loop, on_store, shell) != 0)
		return component_fail(&shell->component, "not enough memory");
	shell->database->config = *shell->config;
	database_settings(&shell->database->settings, shell->component.data_dir,
	                  &shell->database->config);
	shell->database->settings.store.wake = wake_store;
	shell->database->settings.store.context = shell;
	return open_store(shell);
}

bool
store_shell_watch(struct shell *shell)
{
	if (loop_timer_create(&shell->store_timer, shell->component.loop, on_look, shell) != 0)
		return component_fail(&shell->component, "not enough memory");
	loop_timer_arm(shell->store_timer, loop_now_us());
	tell_state(shell, STORE_READY);
	return true;
}

void
store_shell_close(struct shell *shell)
{
	store_close(shell->store);
	loop_timer_destroy(shell->store_timer);
	loop_waker_destroy(shell->store_waker);
	free(shell->database);
}

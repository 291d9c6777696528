/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/database.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "component/database.h"
#include "supervisor/command.h"

enum {
	LOCK_US = 5 * 1000000,
	NODE_COLUMN = 20,
};

/* Settings, and what store_open() wants of them. */
struct side {
	struct config config;
	struct database_settings settings;
};

static void
side_make(struct side *side, const struct data_dir *dir)
{
	database_settings(&side->settings, dir->path, &side->config);
}

static bool
fail(struct writer *out, const char *text)
{
	writer_text(out, text);
	return false;
}

/* -- status ------------------------------------------------------------------------------------ */

static void
write_line(struct writer *out, const char *key, const char *value)
{
	writer_format(out, "%-*s : %s\n", NODE_COLUMN, key, value[0] != '\0' ? value : "none");
}

static void
write_nodes(struct writer *out, const struct store_status *status)
{
	writer_text(out, "Nodes:\n");
	for (uint32_t i = 0; i < status->node_count; i++) {
		const struct store_node_status *node = &status->nodes[i];
		writer_format(out, "    %-*s : ", NODE_COLUMN - 4, node->name);
		if (!node->up)
			writer_text(out, "Not connected\n");
		else if (node->primary)
			writer_text(out, "Connected Primary\n");
		else if (node->behind_bytes == 0)
			writer_text(out, "Connected Replica ( In Sync )\n");
		else
			writer_format(out, "Connected Replica ( %llu bytes behind )\n",
			              (unsigned long long)node->behind_bytes);
	}
	write_line(out, "Node in use",
	           status->node_in_use >= 0 ? status->nodes[status->node_in_use].name : "");
}

static void
write_schema(struct writer *out, int64_t version)
{
	if (version < 0)
		return;
	writer_format(out, "%-*s : %lld%s\n", NODE_COLUMN, "Schema", (long long)version,
	              version == 0                      ? " (empty; the next start makes it)"
	              : version < STORE_SCHEMA_VERSION ? " (the next start brings it up to date)"
	              : version > STORE_SCHEMA_VERSION ? " (of a newer Convoke: it cannot be used)"
	                                               : "");
}

static bool
show_status(const struct data_dir *dir, struct side *side, struct writer *out)
{
	struct store_status status;
	int64_t version = -1;
	const struct config *config = &side->config;
	side_make(side, dir);
	const bool clustered = config->database.node_count != 0;
	write_line(out, "Status", clustered ? "Enabled" : "Disabled");
	if (!clustered && access(side->settings.path, F_OK) != 0) {
		write_line(out, "Database", "convoke.db, which the first start makes");
		return true;
	}
	(void)store_probe(&status, &version, &side->settings.store);
	if (!clustered) {
		write_line(out, "Database", "convoke.db, this machine's own");
	} else {
		write_nodes(out, &status);
		write_line(out, "User", config->database.user);
		write_line(out, "Database", config->database.name);
		writer_text(out, "Certificates\n");
		write_line(out, "    Client Key", config->database.certs.key);
		write_line(out, "    Client Certificate", config->database.certs.certificate);
		write_line(out, "    CA Certificate", config->database.certs.bundle);
		write_line(out, "SSL mode", config->database.sslmode);
	}
	write_schema(out, version);
	if (status.error[0] != '\0')
		write_line(out, "Error", status.error);
	return true;
}

/* -- schema ------------------------------------------------------------------------------------ */

static bool
upgrade(const struct data_dir *dir, struct side *side, struct writer *out)
{
	int64_t version = -1;
	struct store_status status;
	side_make(side, dir);
	if (store_probe(&status, &version, &side->settings.store) != 0)
		return fail(out, status.error);
	if (version > STORE_SCHEMA_VERSION) {
		writer_format(out, "the database has schema version %lld, this program knows %d: a "
		                   "newer Convoke has used it", (long long)version,
		              STORE_SCHEMA_VERSION);
		return false;
	}
	if (version < STORE_SCHEMA_VERSION && store_upgrade(&side->settings.store, status.error) != 0)
		return fail(out, status.error);
	writer_format(out, "SUCCESS: the schema is version %d\n", STORE_SCHEMA_VERSION);
	return true;
}

/* -- what CMS does with its own PostgreSQL ----------------------------------------------------- */

static bool
elsewhere(const struct mmp_line *line, struct writer *out)
{
	if (str_eq(str_of(line->words), STR("database cluster clear_error"))) {
		writer_text(out, "SUCCESS: there is nothing to clear: errors end with their cause. See "
		                 "\"database cluster status\".\n");
		return true;
	}
	writer_format(out, "%s: PostgreSQL is a service of its own here, with replication of its own. "
	                   "Make a user and a database in it (docs/guide/database.md), then take "
	                   "everything along with \"database move postgres <host>\", or use what is in "
	                   "it with \"database cluster connect <host>\"", line->words);
	return false;
}

/* -- moving ------------------------------------------------------------------------------------ */

struct switching {
	const struct data_dir *dir;
	const struct config *config;
	char error[DATA_ERROR_MAX];
};

static int
switch_over(void *context)
{
	struct switching *switching = context;
	return data_dir_write_config(switching->dir, switching->config, switching->error) ? 0 : -EIO;
}

/* The settings are ours alone from before the first row is read until they are changed. */
static bool
move_locked(const struct data_dir *dir, const struct mmp_terminal *terminal, struct side *from,
            struct side *to, struct writer *out)
{
	struct switching switching = { .dir = dir, .config = &to->config };
	bool ok = true;
	side_make(from, dir);
	side_make(to, dir);
	struct store_move move = { .from = &from->settings.store,
		                   .to = &to->settings.store,
		                   .switch_over = switch_over,
		                   .context = &switching };
	if (store_move(&move) != 0)
		return fail(out, switching.error[0] != '\0' ? switching.error : move.error);
	writer_format(out, "SUCCESS: %u objects were moved", move.rows);
	if (move.refused != 0)
		writer_format(out, "; %u rows that break a rule stay behind", move.refused);
	writer_text(out, "\n");
	const int rc = command_ask(dir, "apply", terminal, &ok);
	if (rc == 0 && ok)
		writer_text(out, "The Call Bridge follows by itself; calls go on.\n");
	return true;
}

/* What the command says, over what convoke.conf says. */
static bool
target(struct config *config, const struct mmp_line *line, struct writer *out)
{
	if (line->call == MMP_DATABASE_MOVE_SQLITE) {
		if (config->database.node_count == 0)
			return fail(out, "this machine's own database is in use already");
		config->database.node_count = 0;
		return true;
	}
	if (config->database.node_count != 0)
		return fail(out, "a PostgreSQL is in use already; go by \"database move sqlite\" first");
	if (line->count > CONFIG_NODES_MAX)
		return fail(out, "at most 5 nodes");
	struct config_error error;
	char text[CONFIG_LINE_MAX];
	struct config named;
	struct writer w = writer_of(text, sizeof text);
	writer_text(&w, "database cluster connect");
	for (size_t i = 0; i < line->count; i++)
		writer_format(&w, " %.*s", STR_ARGS(line->arguments[i]));
	if (w.failed || !config_parse(&named, writer_view(&w), &error))
		return fail(out, w.failed ? "too long" : error.text);
	memcpy(config->database.nodes, named.database.nodes, sizeof named.database.nodes);
	config->database.node_count = named.database.node_count;
	return true;
}

static bool
move(const struct data_dir *dir, const struct mmp_terminal *terminal, const struct mmp_line *line,
     struct side sides[2], struct writer *out)
{
	char error[DATA_ERROR_MAX];
	int holder;
	const int lock = data_dir_lock(dir, "convoke.conf", LOCK_US, &holder);
	if (lock < 0)
		return fail(out, lock == -EWOULDBLOCK ? "another command is changing the settings"
		                                      : strerror(-lock));
	bool ok = data_dir_config(&sides[0].config, dir, error);
	if (!ok)
		writer_text(out, error);
	sides[1].config = sides[0].config;
	ok = ok && target(&sides[1].config, line, out) &&
	     move_locked(dir, terminal, &sides[0], &sides[1], out);
	close(lock);
	return ok;
}

/* -- one of them ------------------------------------------------------------------------------- */

static bool
run(const struct data_dir *dir, const struct mmp_terminal *terminal, const struct mmp_line *line,
    struct side sides[2], struct writer *out)
{
	char error[DATA_ERROR_MAX];
	if (line->call == MMP_DATABASE_ELSEWHERE)
		return elsewhere(line, out);
	if (line->call == MMP_DATABASE_MOVE_POSTGRES || line->call == MMP_DATABASE_MOVE_SQLITE)
		return move(dir, terminal, line, sides, out);
	if (!data_dir_config(&sides[0].config, dir, error))
		return fail(out, error);
	return line->call == MMP_DATABASE_STATUS ? show_status(dir, &sides[0], out)
	                                         : upgrade(dir, &sides[0], out);
}

bool
database_run(const struct data_dir *dir, const struct mmp_terminal *terminal,
             const struct mmp_line *line, struct writer *out)
{
	struct side *sides = calloc(2, sizeof *sides);
	if (sides == NULL)
		return fail(out, "not enough memory");
	const bool ok = run(dir, terminal, line, sides, out);
	explicit_bzero(sides, 2 * sizeof *sides);
	free(sides);
	return ok;
}

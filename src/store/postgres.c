/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL through libpq.  No call waits longer than its deadline: a server that hangs is as lost
 * as one that is gone.  A transaction goes out in one piece (libpq's pipeline), so it costs one
 * round trip, however many rows it has. */
#include <errno.h>
#include <postgresql/libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/check.h"
#include "store/store_internal.h"

enum {
	QUEUED_MAX = 256, /* commands sent whose answers nobody has read: then they are */
	TEXT_OID = 25,
	NUMBER_TEXT_MAX = 16,
	ROWS_MS_MAX = 15000, /* until a query has its first row */
};

struct postgres {
	struct db db;
	PGconn *conn;
	int stop_fd;     /* until something is written: that is brought to its end */
	unsigned answer_ms;
	unsigned queued; /* answers to come in the pipeline */
	int failed;      /* the first that went wrong in this transaction: -errno */
	bool gone;       /* nothing more is to be expected of this connection */
};

static struct postgres *
postgres_of(struct db *db)
{
	return (struct postgres *)db;
}

static int64_t
now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ------------------------------------------------------------------ errors */

/* libpq's sentences have line breaks. */
static int
say(struct postgres *pg, int rc, const char *what, const char *text)
{
	char *out = pg->db.error;
	(void)db_fail(&pg->db, rc, "%s: %s", what, text);
	size_t len = strlen(out);
	while (len != 0 && (out[len - 1] == '\n' || out[len - 1] == ' '))
		out[--len] = '\0';
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)out[i] < ' ')
			out[i] = ' ';
	}
	return rc;
}

static int
lost(struct postgres *pg, const char *why)
{
	if (!pg->gone)
		say(pg, -ENOTCONN, "database", why);
	pg->gone = true;
	return -ENOTCONN;
}

static bool
state_is(const char *state, const char *wanted)
{
	return strncmp(state, wanted, strlen(wanted)) == 0;
}

/* By SQLSTATE (PostgreSQL's appendix A): what the server says about a statement. */
static int
error_number(const char *state)
{
	if (state_is(state, "23502")) /* not_null_violation: rows.c's way to see another writer */
		return -ESTALE;
	if (state_is(state, "25006") || state_is(state, "57P")) /* no primary any more; ending */
		return -ENOTCONN;
	if (state_is(state, "55P03") || state_is(state, "40"))
		return -EBUSY;
	if (state_is(state, "53100"))
		return -ENOSPC;
	if (state_is(state, "53"))
		return -ENOMEM;
	if (state_is(state, "42501"))
		return -EACCES;
	if (state_is(state, "XX001") || state_is(state, "XX002"))
		return -EBADMSG;
	return -EIO;
}

/* 0 for a result that is none of an error. */
static int
judge(struct postgres *pg, const PGresult *result)
{
	switch (PQresultStatus(result)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_SINGLE_TUPLE:
	case PGRES_PIPELINE_SYNC:
		return 0;
	case PGRES_PIPELINE_ABORTED:
		return -ECANCELED; /* because of an earlier one that has said why */
	case PGRES_EMPTY_QUERY:
	case PGRES_COPY_OUT:
	case PGRES_COPY_IN:
	case PGRES_COPY_BOTH:
	case PGRES_BAD_RESPONSE:
	case PGRES_NONFATAL_ERROR:
	case PGRES_FATAL_ERROR:
		break;
	}
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const int rc = state != NULL ? error_number(state) : -ENOTCONN;
	if (rc == -ENOTCONN)
		return lost(pg, PQresultErrorMessage(result));
	return say(pg, rc, "database", PQresultErrorMessage(result));
}

/* ------------------------------------------------------------------ waiting */

static int
wait_for(struct postgres *pg, short events, int64_t deadline_ms)
{
	struct pollfd fds[] = { { .fd = PQsocket(pg->conn), .events = events },
		                { .fd = pg->stop_fd, .events = POLLIN } };
	for (;;) {
		const int64_t left_ms = deadline_ms - now_ms();
		const int ready = poll(fds, COUNT_OF(fds), left_ms > 0 ? (int)left_ms : 0);
		if (ready > 0 && fds[0].revents != 0)
			return 0;
		if (ready > 0)
			return lost(pg, "not waited for: the program ends");
		if (ready == 0)
			return lost(pg, "the server does not answer in time");
		if (errno != EINTR)
			return lost(pg, "poll fails");
	}
}

/* Everything out. */
static int
flush(struct postgres *pg, int64_t deadline_ms)
{
	int left;
	while ((left = PQflush(pg->conn)) == 1) {
		/* A server that cannot send does not read either. */
		const int rc = wait_for(pg, POLLIN | POLLOUT, deadline_ms);
		if (rc != 0)
			return rc;
		if (PQconsumeInput(pg->conn) == 0)
			return lost(pg, PQerrorMessage(pg->conn));
	}
	return left == 0 ? 0 : lost(pg, PQerrorMessage(pg->conn));
}

/* The next result; NULL behind the last of a command. */
static int
next_result(struct postgres *pg, PGresult **out, int64_t deadline_ms)
{
	*out = NULL;
	int rc = pg->gone ? -ENOTCONN : flush(pg, deadline_ms);
	while (rc == 0 && PQisBusy(pg->conn)) {
		rc = wait_for(pg, POLLIN, deadline_ms);
		if (rc == 0 && PQconsumeInput(pg->conn) == 0)
			rc = lost(pg, PQerrorMessage(pg->conn));
	}
	if (rc == 0)
		*out = PQgetResult(pg->conn);
	return rc;
}

/* ------------------------------------------------------------------ statements at once */

static bool
give_row(const PGresult *result, db_row *row, void *context)
{
	struct str columns[DB_COLUMNS_MAX] = { 0 };
	const int count = PQnfields(result);
	CHECK(count <= DB_COLUMNS_MAX);
	for (int i = 0; i < count; i++) {
		if (PQgetisnull(result, 0, i) == 0)
			columns[i] = (struct str){ PQgetvalue(result, 0, i),
				                   (size_t)PQgetlength(result, 0, i) };
	}
	return row(context, columns, (unsigned)count);
}

/* Every result of what was sent; rows are given to `row` until it has enough. */
static int
finish(struct postgres *pg, db_row *row, void *context, int64_t patience_ms)
{
	int first = 0;
	PGresult *result;
	for (;;) {
		const int rc = next_result(pg, &result, now_ms() + patience_ms);
		if (rc != 0)
			return rc;
		if (result == NULL)
			return first;
		const int judged = judge(pg, result);
		if (first == 0)
			first = judged;
		if (row != NULL && PQresultStatus(result) == PGRES_SINGLE_TUPLE &&
		    !give_row(result, row, context))
			row = NULL;
		PQclear(result);
	}
}

static int
postgres_run(struct db *db, const char *sql)
{
	struct postgres *pg = postgres_of(db);
	if (pg->gone || PQsendQuery(pg->conn, sql) == 0)
		return lost(pg, PQerrorMessage(pg->conn));
	return finish(pg, NULL, NULL, pg->answer_ms);
}

static int
postgres_query(struct db *db, const char *sql, db_row *row, void *context)
{
	struct postgres *pg = postgres_of(db);
	if (pg->gone || PQsendQuery(pg->conn, sql) == 0 || PQsetSingleRowMode(pg->conn) == 0)
		return lost(pg, PQerrorMessage(pg->conn));
	return finish(pg, row, context, ROWS_MS_MAX);
}

/* ------------------------------------------------------------------ writing */

/* Answers of everything in the pipeline, its sync excepted. */
static int
read_answers(struct postgres *pg)
{
	const int64_t deadline_ms = now_ms() + pg->answer_ms;
	while (pg->queued != 0) {
		PGresult *result;
		const int rc = next_result(pg, &result, deadline_ms);
		if (rc != 0)
			return rc;
		if (result == NULL) {
			pg->queued--; /* NULL stands behind each command's results */
			continue;
		}
		const int judged = judge(pg, result);
		if (pg->failed == 0)
			pg->failed = judged;
		PQclear(result);
	}
	return 0;
}

static int
queued(struct postgres *pg, int sent)
{
	if (sent == 0)
		return lost(pg, PQerrorMessage(pg->conn));
	pg->queued++;
	if (pg->queued < QUEUED_MAX)
		return 0;
	if (PQsendFlushRequest(pg->conn) == 0)
		return lost(pg, PQerrorMessage(pg->conn));
	return read_answers(pg);
}

static int
postgres_begin_writing(struct db *db)
{
	struct postgres *pg = postgres_of(db);
	CHECK(pg->queued == 0);
	pg->failed = 0;
	pg->stop_fd = -1;
	if (pg->gone || PQenterPipelineMode(pg->conn) == 0)
		return lost(pg, PQerrorMessage(pg->conn));
	return queued(pg, PQsendQueryParams(pg->conn, "BEGIN", 0, NULL, NULL, NULL, NULL, 0));
}

static const char *
statement_name(char out[NUMBER_TEXT_MAX], unsigned statement)
{
	snprintf(out, NUMBER_TEXT_MAX, "s%u", statement);
	return out;
}

static int
postgres_prepare(struct db *db, unsigned statement, const char *sql, unsigned parameters)
{
	struct postgres *pg = postgres_of(db);
	char name[NUMBER_TEXT_MAX];
	Oid types[DB_COLUMNS_MAX];
	CHECK(parameters <= DB_COLUMNS_MAX);
	for (unsigned i = 0; i < parameters; i++)
		types[i] = TEXT_OID;
	return queued(pg, PQsendPrepare(pg->conn, statement_name(name, statement), sql,
	                                (int)parameters, types));
}

static int
postgres_execute(struct db *db, unsigned statement, const struct str *parameters, unsigned count)
{
	struct postgres *pg = postgres_of(db);
	char name[NUMBER_TEXT_MAX];
	const char *values[DB_COLUMNS_MAX];
	int lens[DB_COLUMNS_MAX];
	int formats[DB_COLUMNS_MAX];
	CHECK(count <= DB_COLUMNS_MAX);
	for (unsigned i = 0; i < count; i++) {
		values[i] = parameters[i].at;
		lens[i] = (int)parameters[i].len;
		formats[i] = 1; /* the same bytes as text, without a NUL behind them */
	}
	return queued(pg, PQsendQueryPrepared(pg->conn, statement_name(name, statement), (int)count,
	                                      values, lens, formats, 0));
}

/* Everything that is under way answered, and the connection ready for the next thing. */
static int
end_pipeline(struct postgres *pg)
{
	if (pg->gone || PQpipelineSync(pg->conn) == 0)
		return lost(pg, PQerrorMessage(pg->conn));
	PGresult *result;
	int rc = read_answers(pg);
	if (rc == 0)
		rc = next_result(pg, &result, now_ms() + pg->answer_ms);
	if (rc != 0)
		return rc;
	const bool synced = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
	PQclear(result);
	return synced && PQexitPipelineMode(pg->conn) == 1 ? 0 : lost(pg, "out of step");
}

/* Whether statements were prepared before it failed is not worth knowing. */
static void
clean_up(struct postgres *pg)
{
	char why[STORE_ERROR_MAX];
	memcpy(why, pg->db.error, sizeof why);
	memset(pg->db.prepared, 0, sizeof pg->db.prepared);
	if (postgres_run(&pg->db, "ROLLBACK") == 0)
		(void)postgres_run(&pg->db, "DEALLOCATE ALL");
	memcpy(pg->db.error, why, sizeof why);
}

static int
postgres_commit(struct db *db)
{
	struct postgres *pg = postgres_of(db);
	int rc = queued(pg, PQsendQueryParams(pg->conn, "COMMIT", 0, NULL, NULL, NULL, NULL, 0));
	if (rc == 0)
		rc = end_pipeline(pg);
	pg->queued = 0;
	if (rc != 0 || pg->failed == -ENOTCONN)
		return -ENOTCONN;
	if (pg->failed != 0)
		clean_up(pg);
	return pg->failed;
}

static void
postgres_abort(struct db *db)
{
	struct postgres *pg = postgres_of(db);
	const int rc = end_pipeline(pg);
	pg->queued = 0;
	if (rc == 0)
		clean_up(pg);
}

/* ------------------------------------------------------------------ life */

static int
postgres_fd(struct db *db)
{
	return PQsocket(postgres_of(db)->conn);
}

static bool
postgres_alive(struct db *db)
{
	struct postgres *pg = postgres_of(db);
	if (PQconsumeInput(pg->conn) == 0 || PQstatus(pg->conn) != CONNECTION_OK)
		(void)lost(pg, PQerrorMessage(pg->conn));
	for (PGnotify *told; !pg->gone && (told = PQnotifies(pg->conn)) != NULL;)
		PQfreemem(told);
	return !pg->gone;
}

static void
postgres_close(struct db *db)
{
	struct postgres *pg = postgres_of(db);
	PQfinish(pg->conn);
	free(pg);
}

static void
say_nothing(void *context, const char *message)
{
	(void)context;
	(void)message;
}

static int
connect_within(struct postgres *pg, int64_t deadline_ms)
{
	PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
	while (wanted != PGRES_POLLING_OK) {
		if (wanted == PGRES_POLLING_FAILED || PQstatus(pg->conn) == CONNECTION_BAD)
			return lost(pg, PQerrorMessage(pg->conn));
		const int rc = wait_for(pg, wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT,
		                        deadline_ms);
		if (rc != 0)
			return rc;
		wanted = PQconnectPoll(pg->conn);
	}
	PQsetNoticeProcessor(pg->conn, say_nothing, NULL);
	return PQsetnonblocking(pg->conn, 1) == 0 ? 0 : lost(pg, PQerrorMessage(pg->conn));
}

static const char *
sslmode_word(enum store_sslmode mode)
{
	static const char *const words[STORE_SSLMODES] = {
		[STORE_VERIFY_FULL] = "verify-full",
		[STORE_VERIFY_CA] = "verify-ca",
		[STORE_REQUIRE] = "require",
		[STORE_DISABLE] = "disable",
	};
	return words[mode];
}

/* A missing value is libpq's default, but for files: those of somebody's home are not ours. */
static PGconn *
start_connecting(const struct store_postgres *settings, const struct store_node *node, bool writing)
{
	static const char *const system_authorities = "/etc/ssl/certs/ca-certificates.crt";
	static const char *const none = "/dev/null/none"; /* cannot be */
	const bool verify = settings->sslmode == STORE_VERIFY_FULL ||
	                    settings->sslmode == STORE_VERIFY_CA;
	const char *authorities = settings->authorities;
	char port[NUMBER_TEXT_MAX];
	snprintf(port, sizeof port, "%u", node->port);
	if (authorities == NULL && verify)
		authorities = system_authorities;
	/* RFC 5482 and keepalives: a line that swallows everything is noticed within 25 s. */
	const char *const pairs[][2] = {
		{ "host", node->host },
		{ "port", port },
		{ "user", settings->user },
		{ "dbname", settings->database },
		{ "password", settings->password },
		{ "passfile", none },
		{ "sslmode", sslmode_word(settings->sslmode) },
		{ "sslrootcert", authorities != NULL ? authorities : none },
		{ "sslcert", settings->certificate != NULL ? settings->certificate : none },
		{ "sslkey", settings->key != NULL ? settings->key : none },
		{ "ssl_min_protocol_version", "TLSv1.2" },
		{ "gssencmode", "disable" },
		{ "client_encoding", "UTF8" },
		{ "application_name", "convoke" },
		{ "target_session_attrs", writing ? "read-write" : "any" },
		{ "keepalives_idle", "10" },
		{ "keepalives_interval", "5" },
		{ "keepalives_count", "3" },
		{ "tcp_user_timeout", "25000" },
		{ NULL, NULL },
	};
	const char *keys[COUNT_OF(pairs)];
	const char *values[COUNT_OF(pairs)];
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		keys[i] = pairs[i][0];
		values[i] = pairs[i][1];
	}
	return PQconnectStartParams(keys, values, 0);
}

/* What a session of ours is like.  A commit has to be on the disk; a half transaction of a machine
 * that vanished must not keep the next writer waiting. */
static int
furnish(struct postgres *pg, unsigned busy_ms)
{
	char sql[512];
	const char *encoding = PQparameterStatus(pg->conn, "server_encoding");
	if (encoding == NULL || strcmp(encoding, "UTF8") != 0)
		return say(pg, -EPROTO, "the database's encoding must be UTF8, and it is",
		           encoding != NULL ? encoding : "unknown");
	snprintf(sql, sizeof sql,
	         "SET lock_timeout = %u; SET idle_in_transaction_session_timeout = %u;"
	         "SET tcp_keepalives_idle = 30;"
	         "SELECT set_config('synchronous_commit', 'on', false)"
	         " WHERE current_setting('synchronous_commit') = 'off'",
	         busy_ms, 2 * STORE_ANSWER_MS_MAX);
	return postgres_run(&pg->db, sql);
}

static int
postgres_open(struct db **out, const struct store_settings *settings, unsigned node, int stop_fd)
{
	struct postgres *pg = calloc(1, sizeof *pg);
	*out = pg != NULL ? &pg->db : NULL;
	if (pg == NULL)
		return -ENOMEM;
	CHECK(node < settings->postgres.node_count);
	pg->db.engine = &db_postgres;
	pg->stop_fd = stop_fd;
	pg->answer_ms = settings->answer_ms != 0 ? settings->answer_ms : STORE_ANSWER_MS_MAX;
	pg->conn = start_connecting(&settings->postgres, &settings->postgres.nodes[node], true);
	if (pg->conn == NULL)
		return -ENOMEM;
	const int rc = connect_within(pg, now_ms() + STORE_CONNECT_MS_MAX);
	const unsigned busy_ms = settings->busy_ms != 0 ? settings->busy_ms : STORE_BUSY_MS_MAX;
	return rc == 0 ? furnish(pg, busy_ms) : rc;
}

static bool
take_probe(void *context, const struct str *columns, unsigned count)
{
	struct store_node_status *out = context;
	CHECK(count == 2);
	out->primary = str_eq(columns[0], STR("f"));
	out->up = str_u64(columns[1], &out->behind_bytes);
	return false;
}

static void
postgres_probe(struct store_node_status *out, const struct store_settings *settings, unsigned node,
               int stop_fd)
{
	struct postgres pg = { .db.engine = &db_postgres, .stop_fd = stop_fd,
		               .answer_ms = STORE_ANSWER_MS_MAX };
	out->up = out->primary = false;
	out->behind_bytes = 0;
	pg.conn = start_connecting(&settings->postgres, &settings->postgres.nodes[node], false);
	if (pg.conn == NULL)
		return;
	if (connect_within(&pg, now_ms() + STORE_CONNECT_MS_MAX) == 0)
		(void)postgres_query(&pg.db,
		                     "SELECT pg_is_in_recovery(), trunc(pg_wal_lsn_diff("
		                     "CASE WHEN pg_is_in_recovery()"
		                     " THEN coalesce(pg_last_wal_replay_lsn(), '0/0')"
		                     " ELSE pg_current_wal_lsn() END, '0/0'))::text",
		                     take_probe, out);
	PQfinish(pg.conn);
}

const struct db_engine db_postgres = {
	.begin = "BEGIN",
	.begin_reading = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
	.begin_schema = "BEGIN; SELECT pg_advisory_xact_lock(hashtext('convoke schema'))",
	.row_column = "rowid BIGINT GENERATED ALWAYS AS IDENTITY UNIQUE, ",
	.columns = "SELECT relname, attname FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid"
	           " WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
	           " AND attnum > 0 AND NOT attisdropped",
	.keeps_history = true,
	.open = postgres_open,
	.close = postgres_close,
	.run = postgres_run,
	.query = postgres_query,
	.begin_writing = postgres_begin_writing,
	.prepare = postgres_prepare,
	.execute = postgres_execute,
	.commit = postgres_commit,
	.abort = postgres_abort,
	.fd = postgres_fd,
	.alive = postgres_alive,
	.probe = postgres_probe,
};

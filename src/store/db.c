/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/check.h"
#include "store/store_internal.h"

int
db_fail(struct db *db, int rc, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(db->error, sizeof db->error, format, arguments);
	va_end(arguments);
	return rc;
}

void
db_close(struct db *db)
{
	if (db != NULL)
		db->engine->close(db);
}

void
db_name(char out[DB_NAME_MAX], const char *first_word)
{
	uint8_t random[8];
	char host[64] = "";
	struct writer w = writer_of(out, DB_NAME_MAX - 1);
	(void)gethostname(host, sizeof host - 1);
	writer_format(&w, "%s ", first_word);
	/* It stands in quotes in a statement. */
	for (const char *c = host; *c != '\0'; c++) {
		if (str_is_alnum(*c) || *c == '-' || *c == '.')
			writer_u8(&w, (uint8_t)*c);
	}
	while (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
		CHECK(errno == EINTR);
	writer_format(&w, " %d ", (int)getpid());
	for (size_t i = 0; i < sizeof random; i++)
		writer_format(&w, "%02x", random[i]);
	CHECK(!w.failed);
	out[w.at] = '\0';
}

/* Each node's own reason: which of them matters, the administrator knows. */
static void
add_reason(struct writer *w, const struct db *db)
{
	const size_t before = w->at;
	writer_format(w, "%s%s", before != 0 ? "; " : "", db->error);
	if (w->failed)
		*w = (struct writer){ .bytes = w->bytes, .cap = w->cap, .at = before };
}

int
db_open(struct db **out, const struct store_settings *settings, unsigned *first, int stop_fd)
{
	const struct db_engine *engine = db_engine_of(settings->engine);
	const unsigned count =
		settings->engine == STORE_POSTGRES ? settings->postgres.node_count : 1;
	char reasons[STORE_ERROR_MAX];
	struct writer w = writer_of(reasons, sizeof reasons - 1);
	int rc = -ENOTCONN;
	CHECK(count != 0);
	*out = NULL;
	for (unsigned i = 0; i < count; i++) {
		const unsigned node = (*first + i) % count;
		db_close(*out);
		rc = engine->open(out, settings, node, stop_fd);
		if (rc == 0) {
			*first = node;
			return 0;
		}
		if (*out == NULL)
			return rc;
		add_reason(&w, *out);
	}
	return db_fail(*out, rc, "%.*s", STR_ARGS(writer_view(&w)));
}

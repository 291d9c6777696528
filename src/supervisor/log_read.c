/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/log_read.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "net/files.h"
#include "supervisor/command.h"
#include "supervisor/log_file.h"

enum {
	FOLLOW_LINES = 20, /* that stand there already */
	FOLLOW_BYTES = 64 * 1024,
	FOLLOW_US = 200 * 1000,
	LINE_BYTES = LOG_LINE_MAX + 128,
	KEPT_NAME_MAX = 56, /* what SFTP lists */
};

static bool
is_flat(struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		const char c = name.at[i];
		if (!str_is_alnum(c) && c != '_' && (c != '-' || i == 0))
			return false;
	}
	return name.len != 0;
}

/* A line longer than any of ours comes in pieces. */
static bool
next_line(FILE *file, char out[LINE_BYTES])
{
	return fgets(out, LINE_BYTES, file) != NULL;
}

static void
say(const struct mmp_terminal *terminal, const char *line)
{
	terminal->say(terminal->context, str_of(line));
}

/* Words are looked for as they stand beside each other. */
static struct str
join(char out[MMP_ANSWER_MAX], const struct mmp_line *line)
{
	struct writer w = writer_of(out, MMP_ANSWER_MAX);
	for (size_t i = 0; i < line->count; i++) {
		writer_text(&w, i != 0 ? " " : "");
		writer_str(&w, line->arguments[i]);
	}
	return writer_view(&w);
}

static bool
search_file(const struct mmp_terminal *terminal, const char *path, struct str part)
{
	char text[LINE_BYTES];
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return errno == ENOENT;
	while (next_line(file, text)) {
		if (str_contains_nocase(str_of(text), part))
			say(terminal, text);
	}
	fclose(file);
	return true;
}

/* The oldest file first. */
static bool
search(const struct mmp_terminal *terminal, const char *path, struct str part)
{
	for (int n = LOG_FILES_KEPT; n >= 0; n--) {
		char older[DATA_PATH_MAX + 96];
		snprintf(older, sizeof older, n != 0 ? "%s.%d" : "%s", path, n);
		if (!search_file(terminal, older, part))
			return false;
	}
	return true;
}

/* Goes to the last lines that stand there. */
static void
go_near_end(FILE *file)
{
	char text[LINE_BYTES];
	long starts[FOLLOW_LINES] = { 0 };
	unsigned count = 0;
	if (fseek(file, -(long)FOLLOW_BYTES, SEEK_END) != 0)
		rewind(file);
	else
		(void)next_line(file, text); /* a part of one */
	for (long at = ftell(file); next_line(file, text); at = ftell(file))
		starts[count++ % FOLLOW_LINES] = at;
	if (count != 0)
		(void)fseek(file, starts[count < FOLLOW_LINES ? 0 : count % FOLLOW_LINES], SEEK_SET);
}

static bool
was_turned_over(FILE *file, const char *path)
{
	struct stat open_one;
	struct stat named_one;
	return stat(path, &named_one) == 0 && fstat(fileno(file), &open_one) == 0 &&
	       named_one.st_ino != open_one.st_ino;
}

static bool
follow(const struct mmp_terminal *terminal, const char *path)
{
	char text[LINE_BYTES];
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return false;
	go_near_end(file);
	do {
		while (file != NULL && next_line(file, text))
			say(terminal, text);
		if (file != NULL && was_turned_over(file, path)) {
			fclose(file);
			file = fopen(path, "re");
		}
		if (file != NULL)
			clearerr(file);
	} while (terminal->wait(terminal->context, FOLLOW_US));
	if (file != NULL)
		fclose(file);
	return true;
}

/* The one that holds the file open turns it over; without a supervisor nobody does. */
static bool
rotate(const struct data_dir *dir, const struct mmp_terminal *terminal, const struct mmp_line *line,
       struct writer *out)
{
	char path[DATA_PATH_MAX + 64], older[DATA_PATH_MAX + 64], kept[DATA_PATH_MAX + 64];
	char name[KEPT_NAME_MAX];
	bool ok = true;
	data_dir_file(path, dir, "log/convoke.log");
	data_dir_file(older, dir, "log/convoke.log.1");
	if (line->count != 0) {
		struct writer w = writer_of(name, sizeof name - 1);
		writer_format(&w, "%.*s.log", STR_ARGS(line->arguments[0]));
		name[w.at] = '\0';
		if (w.failed || !is_flat(line->arguments[0])) {
			writer_text(out, "expected a name of letters, digits, '-' and '_'");
			return false;
		}
		if (access(data_dir_file(kept, dir, name), F_OK) == 0) {
			writer_format(out, "%s is there already; remove it first", name);
			return false;
		}
	}
	const int rc = command_ask(dir, "rotate", terminal, &ok);
	if (rc == -ENOENT || rc == -ECONNREFUSED)
		file_turn_over(path, LOG_FILES_KEPT);
	else if (rc != 0 || !ok) {
		writer_text(out, rc != 0 ? strerror(-rc) : "it was not turned over");
		return false;
	}
	if (line->count == 0) {
		writer_text(out, "SUCCESS: a new event log is begun\n");
		return true;
	}
	if (link(older, kept) != 0) {
		writer_format(out, "%s: %s", name, strerror(errno));
		return false;
	}
	writer_format(out, "SUCCESS: a new event log is begun\n%s ready for download via SFTP\n", name);
	return true;
}

bool
log_read_run(const struct data_dir *dir, const struct mmp_terminal *terminal,
             const struct mmp_line *line, struct writer *out)
{
	static char words[MMP_ANSWER_MAX];
	char path[DATA_PATH_MAX + 64];
	if (line->call == MMP_SYSLOG_ROTATE)
		return rotate(dir, terminal, line, out);
	data_dir_file(path, dir, "log/convoke.log");
	const bool ok = line->call == MMP_SYSLOG_SEARCH
	                        ? search(terminal, path, join(words, line))
	                        : follow(terminal, path);
	if (!ok)
		writer_format(out, "%s: %s", path, strerror(errno));
	return ok;
}

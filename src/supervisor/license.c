/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/license.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "component/licence_file.h"
#include "net/files.h"
#include "net/wall.h"

enum {
	LOCK_US = 5 * 1000000,
	ISSUERS_TEXT_MAX = LICENCE_ISSUERS_MAX * (LICENCE_ISSUER_MAX + 64),
};

static bool
fail(struct writer *out, const char *text)
{
	writer_text(out, text);
	return false;
}

/* ---- What counts --------------------------------------------------------------------------- */

static void
write_file(struct writer *out, const struct licence_folder *folder)
{
	if (folder->damaged)
		writer_format(out, "%s; nothing is licensed until it is mended\n", folder->error);
	else if (!folder->there)
		writer_text(out, "License file: none; bring " LICENCE_FILE " by SFTP\n");
	else if (folder->why != LICENCE_OK)
		writer_format(out, "License file: %s\n", folder->error);
	else
		writer_format(out, "License file: %s of %s, signed by %s\n", folder->licence.id,
		              folder->licence.holder, folder->licence.issuer);
}

static bool
show(const struct licence_folder *folder, struct writer *out)
{
	int64_t now_s;
	const struct licence_rights rights =
		licence_folder_rights(folder, wall_now().us / 1000000, &now_s);
	licence_write(out, &rights, now_s);
	if (!licence_folder_free(folder))
		write_file(out, folder);
	return true;
}

static bool
show_host(const struct licence_folder *folder, struct writer *out)
{
	char text[GUID_TEXT_LEN + 1];
	if (!folder->host_known)
		return fail(out, "this host has no id yet: the Call Bridge makes it when it starts "
		                 "for the first time");
	guid_write(text, &folder->host);
	writer_format(out, "%s\n", text);
	return true;
}

/* A file of the folder itself, as SFTP names them. */
static bool
is_flat(struct str name)
{
	return name.len != 0 && name.at[0] != '.' && str_find(name, '/') == name.len;
}

static bool
check_file(const struct data_dir *dir, const struct mmp_line *line, struct licence_folder *folder,
           struct writer *out)
{
	char name[CONFIG_FILE_MAX] = LICENCE_FILE;
	if (line->count != 0 &&
	    (!is_flat(line->arguments[0]) || !str_copy(name, sizeof name, line->arguments[0])))
		return fail(out, "expected the name of a file in the data folder");
	licence_folder_read(folder, dir->path, name);
	if (folder->damaged)
		return fail(out, folder->error);
	if (!folder->there) {
		writer_format(out, "%s: there is no such file", name);
		return false;
	}
	if (licence_folder_free(folder)) {
		writer_text(out, "SUCCESS: nobody's licences count here; everything is activated "
		                 "without one\n");
		return true;
	}
	if (folder->why != LICENCE_OK) {
		writer_format(out, "%s: %s", name, folder->error);
		return false;
	}
	writer_format(out, "SUCCESS: %s is licence %s of %s, signed by %s\n", name,
	              folder->licence.id, folder->licence.holder, folder->licence.issuer);
	return true;
}

/* ---- Who may sign -------------------------------------------------------------------------- */

static bool
list_issuers(const struct licence_folder *folder, struct writer *out)
{
	if (folder->damaged)
		return fail(out, folder->error);
	if (folder->issuers.count == 0)
		writer_text(out, "Nobody: everything is activated.\n");
	licence_issuers_write(out, &folder->issuers);
	return true;
}

static bool
add_issuer(struct licence_folder *folder, const struct mmp_line *line, struct writer *out)
{
	struct licence_issuer issuer = { .name = "" };
	const struct str name = line->arguments[0];
	if (!licence_issuer_name_valid(name))
		return fail(out, "the name may hold letters, digits, '-', '_' and '.', 31 of them");
	if (!licence_key_parse(&issuer.key, line->arguments[1]))
		return fail(out, "the key is no public key of Ed25519: 32 bytes in base64url, as "
		                 "\"convoke license make\" writes them");
	if (licence_issuers_find(&folder->issuers, name) != NULL)
		return fail(out, "there is an issuer of that name; remove it first");
	if (folder->issuers.count == LICENCE_ISSUERS_MAX)
		return fail(out, "there are 8 issuers already");
	str_copy(issuer.name, sizeof issuer.name, name);
	folder->issuers.list[folder->issuers.count++] = issuer;
	writer_format(out, "SUCCESS: licences of %s count here%s\n", issuer.name,
	              folder->issuers.count == 1
	                      ? "; from now on only what a licence grants is activated"
	                      : "");
	return true;
}

static bool
remove_issuer(struct licence_folder *folder, const struct mmp_line *line, struct writer *out)
{
	struct licence_issuers *all = &folder->issuers;
	const struct licence_issuer *found = licence_issuers_find(all, line->arguments[0]);
	if (found == NULL)
		return fail(out, "there is no such issuer");
	const uint32_t index = (uint32_t)(found - all->list);
	if (index < folder->built_in)
		return fail(out, "this program was built to believe that issuer");
	memmove(&all->list[index], &all->list[index + 1],
	        (all->count - index - 1) * sizeof *all->list);
	all->count--;
	writer_format(out, "SUCCESS: licences of %.*s no longer count here%s\n",
	              STR_ARGS(line->arguments[0]),
	              all->count == 0 ? "; everything is activated" : "");
	return true;
}

/* Without those that were built in; an empty list needs no file. */
static int
write_issuers(const struct data_dir *dir, const struct licence_folder *folder)
{
	char path[DATA_PATH_MAX + 64], text[ISSUERS_TEXT_MAX];
	struct licence_issuers rest = { .count = folder->issuers.count - folder->built_in };
	struct writer w = writer_of(text, sizeof text);
	memcpy(rest.list, &folder->issuers.list[folder->built_in],
	       rest.count * sizeof *rest.list);
	licence_issuers_write(&w, &rest);
	CHECK(!w.failed);
	return file_replace(data_dir_file(path, dir, LICENCE_ISSUERS_FILE), text, w.at, 0600);
}

static bool
change_issuers(const struct data_dir *dir, const struct mmp_line *line,
               struct licence_folder *folder, struct writer *out)
{
	int holder;
	const int lock = data_dir_lock(dir, LICENCE_ISSUERS_FILE, LOCK_US, &holder);
	if (lock < 0)
		return fail(out, lock == -EWOULDBLOCK ? "another command is changing the issuers"
		                                      : strerror(-lock));
	licence_folder_read(folder, dir->path, LICENCE_FILE);
	bool ok = folder->damaged ? fail(out, folder->error)
	          : line->call == MMP_LICENSE_TRUST ? add_issuer(folder, line, out)
	                                            : remove_issuer(folder, line, out);
	const int rc = ok ? write_issuers(dir, folder) : 0;
	close(lock);
	if (rc != 0) {
		out->at = 0;
		ok = fail(out, strerror(-rc));
	}
	return ok;
}

/* ---- One of them --------------------------------------------------------------------------- */

static bool
run(const struct data_dir *dir, const struct mmp_line *line, struct licence_folder *folder,
    struct writer *out)
{
	if (line->call == MMP_LICENSE_TRUST || line->call == MMP_LICENSE_DISTRUST)
		return change_issuers(dir, line, folder, out);
	if (line->call == MMP_LICENSE_CHECK)
		return check_file(dir, line, folder, out);
	licence_folder_read(folder, dir->path, LICENCE_FILE);
	if (line->call == MMP_LICENSE_HOST)
		return show_host(folder, out);
	return line->call == MMP_LICENSE_ISSUERS ? list_issuers(folder, out) : show(folder, out);
}

bool
license_run(const struct data_dir *dir, const struct mmp_line *line, struct writer *out)
{
	struct licence_folder *folder = malloc(sizeof *folder);
	if (folder == NULL)
		return fail(out, "not enough memory");
	const bool ok = run(dir, line, folder, out);
	free(folder);
	return ok;
}

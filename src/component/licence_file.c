/* SPDX-License-Identifier: Apache-2.0 */
#include "component/licence_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "net/files.h"

enum {
	PATH_BYTES = 1024,
	ISSUERS_BYTES_MAX = 16 * 1024,
	SEEN_BYTES_MAX = LICENCE_TEXT_MAX + 32,
};

#ifndef CONVOKE_LICENCE_ISSUER
#define CONVOKE_LICENCE_ISSUER ""
#endif

/* The file's bytes, which the caller frees; NULL and -errno. */
static char *
read_file(const char *data_dir, const char *name, size_t max, size_t *len, int *rc)
{
	char path[PATH_BYTES];
	char *bytes = NULL;
	const int written = snprintf(path, sizeof path, "%s/%s", data_dir, name);
	*len = 0;
	*rc = written >= 0 && (size_t)written < sizeof path ? file_read(path, max, &bytes, len)
							    : -ENAMETOOLONG;
	return bytes;
}

/* ------------------------------------------------------------------ issuers and host */

static void
add_issuers(struct licence_folder *folder, const struct licence_issuers *more)
{
	for (uint32_t i = 0; i < more->count; i++) {
		const struct licence_issuer *issuer = &more->list[i];
		if (folder->issuers.count == LICENCE_ISSUERS_MAX ||
		    licence_issuers_find(&folder->issuers, str_of(issuer->name)) != NULL)
			continue;
		folder->issuers.list[folder->issuers.count++] = *issuer;
	}
}

static void
read_issuers(struct licence_folder *folder, const char *data_dir)
{
	struct licence_issuers issuers;
	uint32_t line = 0;
	size_t len;
	int rc;
	if (licence_issuers_parse(&issuers, STR(CONVOKE_LICENCE_ISSUER), &line))
		add_issuers(folder, &issuers);
	folder->built_in = folder->issuers.count;
	char *bytes = read_file(data_dir, LICENCE_ISSUERS_FILE, ISSUERS_BYTES_MAX, &len, &rc);
	if (rc == 0 && licence_issuers_parse(&issuers, (struct str){ bytes, len }, &line)) {
		add_issuers(folder, &issuers);
	} else if (rc != -ENOENT) {
		folder->damaged = true;
		folder->why = LICENCE_REJECT_ISSUER;
		if (rc != 0)
			snprintf(folder->error, sizeof folder->error,
			         LICENCE_ISSUERS_FILE " cannot be read: %s", strerror(-rc));
		else
			snprintf(folder->error, sizeof folder->error,
			         LICENCE_ISSUERS_FILE ", line %u is damaged", line);
	}
	free(bytes);
}

static void
read_host(struct licence_folder *folder, const char *data_dir)
{
	size_t len;
	int rc;
	char *bytes = read_file(data_dir, "bridge.id", GUID_BYTES, &len, &rc);
	folder->host_known = rc == 0 && len == GUID_BYTES;
	if (folder->host_known)
		folder->host = guid_of_random((const uint8_t *)bytes);
	free(bytes);
}

/* "SECONDS ID" */
static void
read_seen(struct licence_folder *folder, const char *data_dir)
{
	uint64_t seconds = 0;
	size_t len;
	int rc;
	char *bytes = read_file(data_dir, "licence-seen", SEEN_BYTES_MAX, &len, &rc);
	struct str rest = str_trim((struct str){ bytes, len });
	if (rc == 0 && str_u64(str_cut(&rest, ' '), &seconds) && seconds < INT64_MAX &&
	    str_copy(folder->seen_id, sizeof folder->seen_id, rest))
		folder->seen_s = (int64_t)seconds;
	free(bytes);
}

/* ------------------------------------------------------------------ the licence */

bool
licence_folder_free(const struct licence_folder *folder)
{
	return folder->issuers.count == 0 && !folder->damaged;
}

void
licence_folder_judge(struct licence_folder *folder, struct str file)
{
	folder->there = true;
	folder->licence = (struct licence){ 0 };
	if (licence_folder_free(folder) || folder->damaged)
		return;
	folder->why = licence_read(&folder->licence, file, &folder->issuers,
	                           folder->host_known ? &folder->host : NULL, folder->error);
}

void
licence_folder_read(struct licence_folder *out, const char *data_dir, const char *name)
{
	size_t len;
	int rc;
	*out = (struct licence_folder){ .why = LICENCE_OK };
	read_issuers(out, data_dir);
	read_host(out, data_dir);
	read_seen(out, data_dir);
	char *bytes = read_file(data_dir, name, LICENCE_FILE_BYTES_MAX, &len, &rc);
	if (rc == 0) {
		memcpy(out->text, bytes, len);
		licence_folder_judge(out, (struct str){ bytes, len });
	} else if (rc != -ENOENT && !licence_folder_free(out) && !out->damaged) {
		out->there = true;
		out->why = rc == -EFBIG ? LICENCE_REJECT_LONG : LICENCE_REJECT_FORM;
		if (rc == -EFBIG)
			snprintf(out->error, sizeof out->error, "it is larger than %d bytes",
			         LICENCE_FILE_BYTES_MAX);
		else
			snprintf(out->error, sizeof out->error, "it cannot be read: %s",
			         strerror(-rc));
	}
	free(bytes);
}

struct licence_rights
licence_folder_rights(const struct licence_folder *folder, int64_t clock_s, int64_t *now_s)
{
	*now_s = clock_s;
	if (licence_folder_free(folder))
		return licence_rights_free();
	if (!folder->there || folder->why != LICENCE_OK)
		return licence_rights_none(folder->why);
	*now_s = licence_now(&folder->licence, clock_s, str_of(folder->seen_id), folder->seen_s);
	return licence_rights_of(&folder->licence, *now_s);
}

int
licence_folder_note(struct licence_folder *folder, const char *data_dir, int64_t now_s)
{
	char path[PATH_BYTES], temporary[PATH_BYTES + 8];
	const int len = snprintf(path, sizeof path, "%s/licence-seen", data_dir);
	if (len < 0 || (size_t)len >= sizeof path)
		return -ENAMETOOLONG;
	snprintf(temporary, sizeof temporary, "%s.new", path);
	FILE *file = fopen(temporary, "we");
	if (file == NULL)
		return -errno;
	const bool written =
		fprintf(file, "%lld %s\n", (long long)now_s, folder->licence.id) > 0;
	if (fclose(file) != 0 || !written || rename(temporary, path) != 0) {
		const int rc = errno != 0 ? -errno : -EIO;
		(void)unlink(temporary);
		return rc;
	}
	folder->seen_s = now_s;
	memcpy(folder->seen_id, folder->licence.id, sizeof folder->seen_id);
	return 0;
}

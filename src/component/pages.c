/* SPDX-License-Identifier: Apache-2.0 */
#include "component/pages.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "net/files.h"

enum { FILE_NAME_MAX = 1024 };

struct pages {
	struct page files[PAGES_FILES_MAX];
	uint32_t count;
};

static const struct {
	struct str end;
	const char *type;
} types[] = {
	{ STR_INIT(".html"), "text/html; charset=utf-8" },
	{ STR_INIT(".js"), "text/javascript; charset=utf-8" },
	{ STR_INIT(".css"), "text/css; charset=utf-8" },
	{ STR_INIT(".svg"), "image/svg+xml" },
	{ STR_INIT(".png"), "image/png" },
	{ STR_INIT(".json"), "application/json" },
	{ STR_INIT(".webmanifest"), "application/manifest+json" },
	{ STR_INIT(".txt"), "text/plain; charset=utf-8" },
};

/* NULL: not a file for browsers. */
static const char *
type_of(struct str path)
{
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (str_ends(path, types[i].end))
			return types[i].type;
	return NULL;
}

/* ---- Reading ------------------------------------------------------------------------------- */

static struct page *
page_for(struct pages *pages, struct str path, const char *type)
{
	for (uint32_t i = 0; i < pages->count; i++)
		if (str_eq(str_of(pages->files[i].path), path))
			return &pages->files[i];
	if (pages->count == PAGES_FILES_MAX)
		return NULL;
	struct page *page = &pages->files[pages->count];
	if (!str_copy(page->path, sizeof page->path, path))
		return NULL;
	pages->count++;
	page->type = type;
	page->lasting = str_starts(path, STR("/assets/"));
	return page;
}

static int
read_page(struct pages *pages, const char *file, struct str path)
{
	enum page_form form = PAGE_PLAIN;
	if (str_ends(path, STR(".br")))
		form = PAGE_BROTLI;
	else if (str_ends(path, STR(".gz")))
		form = PAGE_GZIP;
	path.len -= form != PAGE_PLAIN ? 3 : 0;
	const char *type = type_of(path);
	if (type == NULL)
		return 0;
	struct page *page = page_for(pages, path, type);
	if (page == NULL)
		return -EFBIG;
	char *bytes = NULL;
	size_t len = 0;
	const int rc = file_read(file, PAGES_FILE_BYTES_MAX, &bytes, &len);
	if (rc == 0)
		page->forms[form] = (struct str){ .at = bytes, .len = len };
	return rc;
}

static int
read_folder(struct pages *pages, const char *dir, const char *prefix)
{
	char file[FILE_NAME_MAX];
	char path[PAGES_PATH_MAX + 8];
	DIR *folder = opendir(dir);
	if (folder == NULL)
		return -errno;
	int rc = 0;
	for (const struct dirent *entry; rc == 0 && (entry = readdir(folder)) != NULL;) {
		if (entry->d_name[0] == '.')
			continue;
		const int file_len = snprintf(file, sizeof file, "%s/%s", dir, entry->d_name);
		const int path_len = snprintf(path, sizeof path, "%s/%s", prefix, entry->d_name);
		if (file_len >= (int)sizeof file || path_len >= (int)sizeof path)
			rc = -ENAMETOOLONG;
		else if (strcmp(path, "/assets") == 0)
			rc = read_folder(pages, file, path);
		else if (entry->d_type != DT_DIR)
			rc = read_page(pages, file, str_of(path));
	}
	closedir(folder);
	return rc;
}

int
pages_create(struct pages **out, const char *dir)
{
	struct pages *pages = calloc(1, sizeof *pages);
	if (pages == NULL)
		return -ENOMEM;
	int rc = read_folder(pages, dir, "");
	if (rc == 0 && pages_find(pages, STR("/")) == NULL)
		rc = -ENOENT;
	if (rc != 0) {
		pages_destroy(pages);
		return rc;
	}
	*out = pages;
	return 0;
}

void
pages_destroy(struct pages *pages)
{
	if (pages == NULL)
		return;
	for (uint32_t i = 0; i < pages->count; i++)
		for (unsigned form = 0; form < PAGE_FORMS; form++)
			free((void *)(uintptr_t)pages->files[i].forms[form].at);
	free(pages);
}

int
pages_open(struct pages **out, const char *name, char dir[COMPONENT_PATH_MAX])
{
	static const char *const places[] = { "share", "../share", "../share/convoke", "../web" };
	int rc = -ENOENT;
	for (size_t i = 0; i < COUNT_OF(places) && rc == -ENOENT; i++) {
		rc = component_place(dir, places, i);
		if (rc != 0)
			break;
		const size_t len = strlen(dir);
		const char *built = i + 1 == COUNT_OF(places) ? "/dist" : "";
		if (snprintf(dir + len, COMPONENT_PATH_MAX - len, "/%s%s", name, built) >=
		    (int)(COMPONENT_PATH_MAX - len))
			return -ENAMETOOLONG;
		rc = pages_create(out, dir);
	}
	return rc;
}

/* ---- Serving ------------------------------------------------------------------------------- */

const struct page *
pages_find(const struct pages *pages, struct str path)
{
	if (str_eq(path, STR("/")))
		path = STR("/index.html");
	for (uint32_t i = 0; i < pages->count; i++)
		if (str_eq(str_of(pages->files[i].path), path) &&
		    pages->files[i].forms[PAGE_PLAIN].at != NULL)
			return &pages->files[i];
	return NULL;
}

/* Is a coding among "gzip, br;q=0.5, zstd"?  A weight of zero forbids it. */
static bool
accepts(struct str header, struct str coding)
{
	while (header.len != 0) {
		struct str rest = str_cut(&header, ',');
		if (!str_eq_nocase(str_trim(str_cut(&rest, ';')), coding))
			continue;
		rest = str_trim(rest);
		return !(str_starts(rest, STR("q=0")) &&
		         (rest.len == 3 || str_eq(rest, STR("q=0.0")) ||
		          str_eq(rest, STR("q=0.00")) || str_eq(rest, STR("q=0.000"))));
	}
	return false;
}

enum page_form
page_form_for(const struct page *page, struct str accept_encoding)
{
	if (page->forms[PAGE_BROTLI].at != NULL && accepts(accept_encoding, STR("br")))
		return PAGE_BROTLI;
	if (page->forms[PAGE_GZIP].at != NULL && accepts(accept_encoding, STR("gzip")))
		return PAGE_GZIP;
	return PAGE_PLAIN;
}

uint32_t
page_headers(struct http_header out[PAGE_HEADERS_MAX], const struct page *page,
             enum page_form form)
{
	static const struct str codings[PAGE_FORMS] = {
		[PAGE_GZIP] = STR_INIT("gzip"),
		[PAGE_BROTLI] = STR_INIT("br"),
	};
	uint32_t count = 0;
	out[count++] = (struct http_header){ STR("Content-Type"), str_of(page->type) };
	out[count++] = (struct http_header){
		STR("Cache-Control"),
		page->lasting ? STR("public, max-age=31536000, immutable") : STR("no-cache"),
	};
	out[count++] = (struct http_header){ STR("Vary"), STR("Accept-Encoding") };
	if (form != PAGE_PLAIN)
		out[count++] = (struct http_header){ STR("Content-Encoding"), codings[form] };
	return count;
}

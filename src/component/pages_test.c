/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: the files of a page are found under their paths and in the form that a browser takes, and
 * nothing else of the machine is.  Method: a folder made here. */
#include "component/pages.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/test.h"

enum { PATH_MAX_HERE = 128 };

static char folder[64];

static const char *const names[] = {
	"index.html", "index.html.br", "index.html.gz", "icon.svg", "notes.md", ".secret.txt",
	"assets/app-1.js", "assets/app-1.js.gz",
};

static const char *
path_of(char out[PATH_MAX_HERE], const char *name)
{
	snprintf(out, PATH_MAX_HERE, "%s/%s", folder, name);
	return out;
}

static void
make_folder(bool filled)
{
	char path[PATH_MAX_HERE];
	snprintf(folder, sizeof folder, "/tmp/convoke-pages-XXXXXX");
	EXPECT(mkdtemp(folder) != NULL);
	EXPECT_EQ(mkdir(path_of(path, "assets"), 0700), 0);
	for (size_t i = 0; filled && i < COUNT_OF(names); i++) {
		FILE *file = fopen(path_of(path, names[i]), "w");
		EXPECT(file != NULL);
		fputs(names[i], file);
		fclose(file);
	}
}

static void
remove_folder(void)
{
	char path[PATH_MAX_HERE];
	for (size_t i = 0; i < COUNT_OF(names); i++)
		unlink(path_of(path, names[i]));
	rmdir(path_of(path, "assets"));
	rmdir(folder);
}

TEST(files_are_found_under_their_paths_only)
{
	struct pages *pages = NULL;
	make_folder(true);
	EXPECT_EQ(pages_create(&pages, folder), 0);
	static const char *const index_paths[] = { "/", "/index.html" };
	for (size_t i = 0; i < COUNT_OF(index_paths); i++) {
		const struct page *page = pages_find(pages, str_of(index_paths[i]));
		EXPECT(page != NULL);
		EXPECT_STR(page->forms[PAGE_PLAIN], "index.html");
		EXPECT(!page->lasting);
	}
	const struct page *script = pages_find(pages, STR("/assets/app-1.js"));
	EXPECT(script != NULL);
	EXPECT(script->lasting);
	EXPECT_STR(str_of(script->type), "text/javascript; charset=utf-8");
	static const char *const absent[] = { "", "/assets", "/assets/", "/notes.md", "/.secret.txt",
		                              "/index.html.br", "/../etc/passwd", "/meeting" };
	for (size_t i = 0; i < COUNT_OF(absent); i++)
		EXPECT(pages_find(pages, str_of(absent[i])) == NULL);
	pages_destroy(pages);
	remove_folder();
}

TEST(a_browser_gets_the_smallest_form_it_takes)
{
	static const struct {
		struct str header;
		enum page_form index;
		enum page_form script;
	} cases[] = {
		{ STR_INIT("gzip, deflate, br, zstd"), PAGE_BROTLI, PAGE_GZIP },
		{ STR_INIT("gzip"), PAGE_GZIP, PAGE_GZIP },
		{ STR_INIT("br;q=0, GZIP;q=0.5"), PAGE_GZIP, PAGE_GZIP },
		{ STR_INIT("br;q=0.1,gzip;q=0.000"), PAGE_BROTLI, PAGE_PLAIN },
		{ STR_INIT("brotli"), PAGE_PLAIN, PAGE_PLAIN },
		{ STR_INIT(""), PAGE_PLAIN, PAGE_PLAIN },
	};
	struct pages *pages = NULL;
	make_folder(true);
	EXPECT_EQ(pages_create(&pages, folder), 0);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct page *index = pages_find(pages, STR("/"));
		const struct page *script = pages_find(pages, STR("/assets/app-1.js"));
		EXPECT_EQ(page_form_for(index, cases[i].header), cases[i].index);
		EXPECT_EQ(page_form_for(script, cases[i].header), cases[i].script);
	}
	pages_destroy(pages);
	remove_folder();
}

TEST(a_page_is_kept_by_browsers_only_when_its_name_tells_its_content)
{
	struct pages *pages = NULL;
	struct http_header headers[PAGE_HEADERS_MAX];
	make_folder(true);
	EXPECT_EQ(pages_create(&pages, folder), 0);
	const struct page *index = pages_find(pages, STR("/"));
	EXPECT_EQ(page_headers(headers, index, PAGE_BROTLI), 4);
	EXPECT_STR(headers[0].value, "text/html; charset=utf-8");
	EXPECT_STR(headers[1].value, "no-cache");
	EXPECT_STR(headers[3].name, "Content-Encoding");
	EXPECT_STR(headers[3].value, "br");
	const struct page *script = pages_find(pages, STR("/assets/app-1.js"));
	EXPECT_EQ(page_headers(headers, script, PAGE_PLAIN), 3);
	EXPECT_STR(headers[1].value, "public, max-age=31536000, immutable");
	pages_destroy(pages);
	remove_folder();
}

TEST(a_folder_without_the_app_is_refused)
{
	struct pages *pages = NULL;
	make_folder(false);
	EXPECT_EQ(pages_create(&pages, folder), -ENOENT);
	remove_folder();
	EXPECT_EQ(pages_create(&pages, folder), -ENOENT);
}

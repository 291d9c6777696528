/* SPDX-License-Identifier: Apache-2.0 */
/* pages -- the files of one of our pages for browsers (web/), read once and served from memory.
 *
 * Of a file there may be smaller forms beside it, "x.br" and "x.gz", made when the page was built.
 * Files in assets/ are named by their content and may be kept by browsers for ever.
 *
 * Ownership  create/destroy; everything handed out is valid until then.
 * Threads    Any, once created.
 * Units      Bytes.
 * Errors     -ENOENT without an index.html; -EFBIG; -errno of files that cannot be read.
 * Limits     PAGES_FILES_MAX files of PAGES_FILE_BYTES_MAX, two folders deep.
 */
#ifndef COMPONENT_PAGES_H
#define COMPONENT_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "component/component.h"
#include "net/http.h"

enum {
	PAGES_FILES_MAX = 128,
	PAGES_FILE_BYTES_MAX = 4 << 20,
	PAGES_PATH_MAX = 160,
	PAGE_HEADERS_MAX = 4,
};

enum page_form { PAGE_PLAIN, PAGE_GZIP, PAGE_BROTLI, PAGE_FORMS };

struct page {
	char path[PAGES_PATH_MAX];     /* "/assets/app-1a2b.js" */
	const char *type;              /* Content-Type */
	bool lasting;                  /* named by its content */
	struct str forms[PAGE_FORMS];  /* empty: not there */
};

struct pages;

[[nodiscard]] int pages_create(struct pages **out, const char *dir);
void pages_destroy(struct pages *pages);

/* The same of web/`name`: where it was installed, or built beside the program.  `dir` tells where. */
[[nodiscard]] int pages_open(struct pages **out, const char *name, char dir[COMPONENT_PATH_MAX]);

/* By the path of a request; NULL for what is not there.  "/" is index.html. */
[[nodiscard]] const struct page *pages_find(const struct pages *pages, struct str path);

/* The smallest form that an Accept-Encoding header allows. */
[[nodiscard]] enum page_form page_form_for(const struct page *page, struct str accept_encoding);
/* What is to be said of a page in this form; returns how many headers these are. */
[[nodiscard]] uint32_t page_headers(struct http_header out[PAGE_HEADERS_MAX],
                                    const struct page *page, enum page_form form);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The Web Admin: the files of web/admin, on the port of the API that they work with. */
#include <errno.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "callbridge/shell.h"

/* Scripts and styles are files of ours and nothing else, and they speak with this port alone. */
#define POLICY                                                                                   \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "              \
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

static const struct http_header security_headers[] = {
	{ STR_INIT("Content-Security-Policy"), STR_INIT(POLICY) },
	{ STR_INIT("X-Content-Type-Options"), STR_INIT("nosniff") },
	{ STR_INIT("X-Frame-Options"), STR_INIT("DENY") },
	{ STR_INIT("Referrer-Policy"), STR_INIT("no-referrer") },
	{ STR_INIT("Cross-Origin-Opener-Policy"), STR_INIT("same-origin") },
};

void
admin_pages_open(struct shell *shell)
{
	char dir[COMPONENT_PATH_MAX];
	const int rc = pages_open(&shell->admin_pages, "admin", dir);
	/* The bridge and its API do without. */
	if (rc == -ENOENT)
		log_warning("the pages of the Web Admin are not there; build them with "
		            "tools/build-web --install");
	else if (rc != 0)
		log_warning("the Web Admin's pages in %s: %s", dir, strerror(-rc));
}

bool
admin_pages_respond(struct shell *shell, const struct http_request *request)
{
	struct http_header headers[COUNT_OF(security_headers) + PAGE_HEADERS_MAX];
	const bool is_read = str_eq(request->method, STR("GET")) ||
	                     str_eq(request->method, STR("HEAD"));
	const struct page *page = shell->admin_pages != NULL && is_read
	                                  ? pages_find(shell->admin_pages, request->path)
	                                  : NULL;
	if (page == NULL)
		return false;
	const enum page_form form =
		page_form_for(page, http_request_header(request, "Accept-Encoding"));
	memcpy(headers, security_headers, sizeof security_headers);
	const uint32_t count = COUNT_OF(security_headers) +
	                       page_headers(headers + COUNT_OF(security_headers), page, form);
	const struct http_response response = { .status = 200,
		                                .headers = headers,
		                                .header_count = count,
		                                .body = page->forms[form],
		                                .body_static = true };
	http_respond(shell->http, request->id, &response);
	return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* openapi -- the API described as an OpenAPI 3.0 document, out of the tables the API runs on.
 *
 * It is one file for two readers: tools that know OpenAPI, and our own API browser, which finds
 * what OpenAPI has no word for in members that begin with "x-":
 *
 *	path	x-kind	collection, object, single, reading, usage, query, action
 *		x-object	the schema of what is read or written there
 *	schema	x-collection	the element around a list
 *		x-missing	what an id that names none is answered with
 *		x-extends	the schema whose parameters it takes beside its own
 *	property x-kind	how it is written: text, digits, passcode, uriUser, party, url, ...
 *		x-inside	the elements it lies in when it is read, "status/rxAudio"
 *		x-post, x-put, x-get, x-list	where it can be given, and where it is shown
 *		x-ref	the schema of the object that its id names
 *		x-secret, x-filter, x-inherited	what they say
 *		x-lacking	we do not have it: only its default may be said
 *
 * Threads    Pure.
 */
#ifndef API_OPENAPI_H
#define API_OPENAPI_H

#include "base/bytes.h"

enum { OPENAPI_BYTES_MAX = 400 * 1024 };

/* `version` is that of the program.  A full writer says so itself. */
void openapi_write(struct writer *w, struct str version);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* webbridge -- the component: the pages for browsers, and their way to the Call Bridges.
 *
 * webbridge_main() is the whole life of the process: it reads pages and certificates, binds ports,
 * runs until SIGTERM or SIGINT (or until its supervisor is gone) and returns the exit status.
 *
 * What it serves over HTTPS:
 *
 *	/  /meeting  /meeting/ID[?secret=...]   the page
 *	/assets/...                             its parts, named by their content
 *	GET  /api/meeting?address=...           what is there, and is a passcode needed
 *	POST /api/join                          address, name, passcode -> token
 *	WebSocket /api/session?token=...        a person's session (docs/c2w.md, section 1)
 *	/health                                 200 while it runs
 *
 * On its C2W ports Call Bridges whose certificates are in the trust bundle open a WebSocket to /c2w.
 *
 * Ownership  Nothing outlives the call; `config` and `data_dir` are borrowed until it returns.
 * Threads    One, the caller's.
 * Errors     What keeps it from starting is logged, told to the supervisor and makes it return 1.
 */
#ifndef WEBBRIDGE_WEBBRIDGE_H
#define WEBBRIDGE_WEBBRIDGE_H

#include "mmp/config.h"

int webbridge_main(const char *data_dir, const struct config *config);

#endif

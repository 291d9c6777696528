/* SPDX-License-Identifier: Apache-2.0 */
/* component -- what the life of every component process has in common.
 *
 * A component is started by the supervisor (net/parent.h), reads its settings, opens what it needs,
 * says that it is ready, and ends when it is told to or when the supervisor is gone.  What keeps it
 * from starting is one sentence for the administrator: component_fail() says it in the log, in
 * `convoke status` and on the terminal of `convoke up`.
 *
 *	component_open() -> ... component_fail() or all is well -> component_run() -> component_close()
 *
 * Ownership  open/close in the caller's memory; `data_dir` and names are borrowed for its life.
 * Threads    The main thread.
 * Errors     component_open: -errno.
 * Limits     COMPONENT_PATH_MAX bytes a path, COMPONENT_TEXT_MAX a sentence; longer ones are cut.
 */
#ifndef COMPONENT_COMPONENT_H
#define COMPONENT_COMPONENT_H

#include <stdbool.h>
#include <stddef.h>

#include "mmp/config.h"
#include "net/loop.h"
#include "net/tls.h"

enum {
	COMPONENT_PATH_MAX = 1024,
	COMPONENT_TEXT_MAX = 512,
};

struct parent;

struct component {
	const char *name; /* "call bridge" */
	const char *data_dir;
	struct loop *loop;
	struct parent *parent; /* NULL: started by hand */
	struct loop_signal *sigterm;
	struct loop_signal *sigint;
	void (*stop)(void *context); /* it shall end; may come more than once */
	void *context;
};

/* Fill in the names and `stop` first. */
[[nodiscard]] int component_open(struct component *component);
void component_close(struct component *component);

/* Gives up before it began.  Returns false. */
__attribute__((format(printf, 2, 3))) bool component_fail(struct component *component,
                                                          const char *format, ...);
/* Says it is ready and serves until loop_stop(); one that did not start says its last words.
 * Returns the exit status of the process. */
[[nodiscard]] int component_run(struct component *component, bool started);

/* A file named in the settings, of DATA when it has no path; NULL for an empty name. */
const char *component_path(const struct component *component, char out[COMPONENT_PATH_MAX],
                           const char *name);
/* A folder that came with the program: in `places`, as seen from the program's own, number `index`. */
[[nodiscard]] int component_place(char out[COMPONENT_PATH_MAX], const char *const *places,
                                  size_t index);

/* Where the files of a certificate are; `tls` borrows the paths. */
struct component_tls {
	struct tls_settings tls;
	char key[COMPONENT_PATH_MAX];
	char certificate[COMPONENT_PATH_MAX];
	char bundle[COMPONENT_PATH_MAX];
	char trust[COMPONENT_PATH_MAX];
};

/* Key, certificate, and its bundle of intermediates; `trust` is whom to believe, "" when nobody in
 * particular.  Names that are not set stay NULL in `tls`. */
void component_certs(const struct component *component, struct component_tls *out,
                     const struct config_certs *certs, const char *trust);
/* `tls <service> min-tls-version` and `ciphers`; `tls` borrows them. */
void component_demands(struct tls_settings *tls, const struct config_tls *demands);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* database -- what convoke.conf says about the database, for store_open().
 *
 * Ownership  A value that points into itself and into `config`: neither may move while a store is
 *            open.
 * Threads    Any.
 */
#ifndef COMPONENT_DATABASE_H
#define COMPONENT_DATABASE_H

#include "mmp/config.h"
#include "store/store.h"

enum { DATABASE_PATH_MAX = 1024 };

struct database_settings {
	struct store_settings store;
	char hosts[STORE_NODES_MAX][STORE_NODE_MAX];
	char path[DATABASE_PATH_MAX];
	char key[DATABASE_PATH_MAX];
	char certificate[DATABASE_PATH_MAX];
	char authorities[DATABASE_PATH_MAX];
};

void database_settings(struct database_settings *out, const char *data_dir,
                       const struct config *config);

#endif

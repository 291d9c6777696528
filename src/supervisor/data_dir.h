/* SPDX-License-Identifier: Apache-2.0 */
/* data_dir -- the folder DATA: making it, its settings and certificates, and its locks.
 *
 * Threads    The main thread.
 * Errors     False, and a sentence for the administrator in `error`: what is wrong and what to do.
 */
#ifndef SUPERVISOR_DATA_DIR_H
#define SUPERVISOR_DATA_DIR_H

#include <stdbool.h>

#include "mmp/config.h"

enum {
	DATA_PATH_MAX = 1024,
	DATA_ERROR_MAX = 2048,
};

struct data_dir {
	char path[DATA_PATH_MAX]; /* absolute */
	bool fresh;               /* there was no convoke.conf before */
	char notice[DATA_ERROR_MAX]; /* something the administrator should know; "" */
};

/* Makes it if it is not there, in the right hands, and becomes its owner. */
[[nodiscard]] bool data_dir_prepare(struct data_dir *dir, const char *path,
                                    char error[DATA_ERROR_MAX]);
/* It must be there; becomes its owner.  `low_ports`: see privilege.h. */
[[nodiscard]] bool data_dir_enter(struct data_dir *dir, const char *path, bool low_ports,
                                  char error[DATA_ERROR_MAX]);
/* Absolute path only, without becoming anybody. */
[[nodiscard]] bool data_dir_find(struct data_dir *dir, const char *path,
                                 char error[DATA_ERROR_MAX]);

/* First start: convoke.conf with certificates made for this machine.  Nothing that exists is
 * touched. */
[[nodiscard]] bool data_dir_furnish(struct data_dir *dir, char error[DATA_ERROR_MAX]);

[[nodiscard]] bool data_dir_config(struct config *config, const struct data_dir *dir,
                                   char error[DATA_ERROR_MAX]);
[[nodiscard]] bool data_dir_write_config(const struct data_dir *dir, const struct config *config,
                                         char error[DATA_ERROR_MAX]);

/* A key (0600) and a self-signed certificate with this machine's names and addresses. */
[[nodiscard]] bool data_dir_make_cert(const struct data_dir *dir, const char *base,
                                      char error[DATA_ERROR_MAX]);

/* The lock DATA/run/NAME.lock, held until the process ends: its descriptor; -EWOULDBLOCK when
 * the process `*holder` has it, still after `wait_us`; -errno when the folder cannot be written. */
[[nodiscard]] int data_dir_lock(const struct data_dir *dir, const char *name, int64_t wait_us,
                                int *holder);

/* DATA/NAME; the buffer is large enough for every NAME of ours. */
const char *data_dir_file(char out[DATA_PATH_MAX + 64], const struct data_dir *dir,
                          const char *name);

#endif

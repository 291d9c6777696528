/* SPDX-License-Identifier: Apache-2.0 */
/* front_files -- files for SFTP, asked of the back one by one. */
#ifndef SSH_FRONT_FILES_H
#define SSH_FRONT_FILES_H

#include "ssh/link.h"
#include "ssh/sftp.h"

enum { FRONT_REASON_MAX = 320 };

struct front_file {
	int fd; /* -1: free */
	int upload; /* the back's number; -1: it is read */
	int64_t bytes_max;
};

struct front_files {
	int link;
	struct sftp_files functions;
	struct front_file open[SFTP_HANDLES_MAX];
	char reason[FRONT_REASON_MAX]; /* of the last refusal */
	char buffer[LINK_BYTES_MAX];
};

void front_files_init(struct front_files *files, struct sftp *sftp, int link);
void front_files_fini(struct front_files *files, struct sftp *sftp);

#endif

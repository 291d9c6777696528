/* SPDX-License-Identifier: Apache-2.0 */
/* The back's parts: back.c (logins, commands), back_files.c (files). */
#ifndef SSH_BACK_INTERNAL_H
#define SSH_BACK_INTERNAL_H

#include "mmp/accounts.h"
#include "ssh/back.h"
#include "ssh/files.h"
#include "ssh/link.h"

enum {
	BACK_UPLOAD_NAME_MAX = 32,
	BACK_REASON_MAX = 300,
};

/* A file that is being brought. */
struct back_upload {
	int fd; /* -1: free */
	char name[FILES_NAME_MAX];
	char temporary[BACK_UPLOAD_NAME_MAX]; /* in DATA/run */
	bool exclusive;
};

struct back {
	struct data_dir *dir;
	int data_fd; /* the folder */
	struct net_addr from;
	char from_text[ADDR_TEXT_MAX];
	int front;
	int component;
	unsigned tries;
	unsigned key_tries;
	bool logged_in;
	bool must_change;
	bool gone; /* the front is: what runs comes to its end, and then there is nothing more */
	enum mmp_role role;
	char name[ACCOUNT_NAME_MAX];
	struct back_upload uploads[BACK_UPLOADS_MAX];
	char reason[BACK_REASON_MAX]; /* why a file was refused */
	char buffer[LINK_BYTES_MAX];
};

void back_audit(const struct back *back, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

void back_files_init(struct back *back);
/* What was not finished is gone. */
void back_files_fini(struct back *back);
/* LIST to RENAME: the answer, and the descriptor that goes along (the callee's to close). */
[[nodiscard]] struct link_message back_files(struct back *back, const struct link_message *asked,
                                             int *fd);

#endif

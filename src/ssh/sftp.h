/* SPDX-License-Identifier: Apache-2.0 */
/* sftp -- the server's side of the SSH File Transfer Protocol, version 3 (draft-ietf-secsh-filexfer-02)
 * over one folder of flat names.
 *
 *	while (len != 0) {
 *		if (!sftp_input(&sftp, &bytes, &len))
 *			... the peer breaks the protocol: close ...
 *		... send sftp_output() ...
 *	}
 *
 * What is opened for writing replaces the file whole when it is closed; until then, and when the
 * connection breaks before, the old one stays.  Of OpenSSH's extensions: posix-rename, fsync.
 *
 * Sans-IO; files are asked of a `struct sftp_files`.
 *
 * Ownership  A value; `files` is borrowed.  Output is borrowed until the next call.
 * Threads    Pure, as far as `files` is.
 * Errors     Towards the peer, as SSH_FX_ codes.
 * Limits     SFTP_PACKET_MAX bytes a request, SFTP_READ_MAX a reply's data, SFTP_HANDLES_MAX open at
 *            once.
 */
#ifndef SSH_SFTP_H
#define SSH_SFTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
	SFTP_PACKET_MAX = 256 << 10,
	SFTP_READ_MAX = 32 << 10,
	SFTP_OUT_MAX = SFTP_READ_MAX + 4096,
	SFTP_HANDLES_MAX = 8,
	SFTP_NAME_MAX = 256,
};

struct sftp_entry {
	char name[SFTP_NAME_MAX];
	int64_t size;
	int64_t time_s; /* of the last change, since 1970 */
};

/* All give 0 or more, or -errno. */
struct sftp_files {
	void *context;
	/* A file's number. */
	int (*open)(void *context, struct str name, bool write, bool exclusive);
	/* How many bytes; 0: the end. */
	int (*read)(void *context, int file, uint64_t offset, void *out, size_t len);
	int (*write)(void *context, int file, uint64_t offset, const void *bytes, size_t len);
	/* What was written takes its name, if `keep`. */
	int (*close)(void *context, int file, bool keep);
	int (*file_stat)(void *context, int file, struct sftp_entry *out);
	int (*stat)(void *context, struct str name, struct sftp_entry *out);
	/* The entry of that number, from 0; 1, or 0 behind the last. */
	int (*list)(void *context, uint32_t index, struct sftp_entry *out);
	int (*remove)(void *context, struct str name);
	int (*rename)(void *context, struct str from, struct str to, bool replace);
	/* Why a file was not taken (-EKEYREJECTED), in words; may be NULL. */
	const char *(*reason)(void *context);
};

struct sftp_handle {
	bool used;
	bool folder;
	bool write;
	bool failed;    /* a write went wrong: it is not kept */
	bool begun;     /* something was written, */
	bool whole;     /* and from the start: a half brought later is no file */
	uint32_t index; /* folder: the next entry */
	uint32_t turn;  /* so that a handle that was closed is not taken for the next one */
	int file;
};

struct sftp {
	const struct sftp_files *files;
	bool greeted;
	uint32_t turn_last;
	struct sftp_handle handles[SFTP_HANDLES_MAX];
	size_t in_len;
	uint8_t in[SFTP_PACKET_MAX];
	size_t out_len;
	uint8_t out[SFTP_OUT_MAX];
};

void sftp_init(struct sftp *sftp, const struct sftp_files *files);
/* Drops what was being written. */
void sftp_fini(struct sftp *sftp);

/* Takes bytes, until a request is answered at most; `*bytes` and `*len` go on behind those. */
[[nodiscard]] bool sftp_input(struct sftp *sftp, const uint8_t **bytes, size_t *len);
[[nodiscard]] struct str sftp_output(struct sftp *sftp);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* front -- the half of an SSH session that reads the stranger's bytes (ssh/link.h).  The only file
 * that sees libssh.
 *
 * It has one connection, one channel at a time in it, and the host key.  `ssh HOST` gets the command
 * line with its editor (mmp/editor.h), `ssh HOST COMMAND` one command and its exit status, `sftp` the
 * files (ssh/sftp.h).
 *
 * Ownership  The descriptors are the callee's.
 * Threads    One; blocking.
 * Errors     Every end is the end of the process.
 */
#ifndef SSH_FRONT_H
#define SSH_FRONT_H

enum {
	FRONT_TYPED_MAX = 64 << 10, /* bytes that came and wait */
};

struct front_settings {
	int connection;
	int link;
	const char *host_key;  /* a file; made by front_make_host_key() */
	const char *host_name; /* for the prompt */
};

_Noreturn void front_run(const struct front_settings *settings);

/* An Ed25519 key in OpenSSH's form, mode 0600, unless it is there.  0 or -errno. */
[[nodiscard]] int front_make_host_key(const char *path);

#endif

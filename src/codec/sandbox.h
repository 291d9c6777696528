/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox -- locks this process in: from then on it can compute, ask for plain memory, wait for and
 * write to the descriptors it is allowed, tell the time, and end.  Whatever else it tries - a file,
 * a socket, a program, another process, memory that can be executed - kills it with SIGSYS.
 *
 * Needs no privilege.  There is no way back.
 *
 * A build with sanitizers (SANITIZED) lets them report: a little more is answered, nothing more is
 * opened.
 *
 * Threads    The process has one.
 * Errors     -errno; a process that cannot be locked in must not go on.
 */
#ifndef CODEC_SANDBOX_H
#define CODEC_SANDBOX_H

struct sandbox_settings {
	int read_fd;  /* may be read */
	int write_fd; /* may be written, beside standard error */
};

[[nodiscard]] int sandbox_enter(const struct sandbox_settings *settings);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox -- locks the front in: from then on it can compute, wait, tell the time, read and write the
 * descriptors it has, and take more from the back.  A file, another socket, a program, a process, or
 * memory that can be executed kills it with SIGSYS; a path it asks for is not there.
 *
 * Needs no privilege.  There is no way back.
 *
 * Threads    The process has one.
 * Errors     -errno; a process that cannot be locked in must not go on.
 */
#ifndef SSH_SANDBOX_H
#define SSH_SANDBOX_H

[[nodiscard]] int front_sandbox_enter(void);

#endif

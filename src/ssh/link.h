/* SPDX-License-Identifier: Apache-2.0 */
/* link -- between the two halves of an SSH session.
 *
 * The front reads a stranger's bytes and may do nothing but that; the back has the data folder and
 * decides (docs/decisions/ssh-halves.md).  They speak by whole messages over a SOCK_SEQPACKET pair;
 * an open file crosses as a descriptor.  The back checks what it gets as if the front were the
 * stranger.
 *
 *	front                          back
 *	LOGIN name, password       ->
 *	KEY name, key; number      ->      0: will it do?  1: its owner has signed
 *	                           <-  VERDICT number: 1 or 0; size: the role
 *	RUN command                ->
 *	                           <-  SAY text, many
 *	                           <-  ASK text, number: secret
 *	ANSWER text                ->
 *	STOP                       ->      Ctrl-C, or the answer to ASK is refused
 *	                           <-  DONE number: exit status
 *	LIST number                ->      the entry of that number
 *	STAT name                  ->
 *	OPEN name, number          ->      1: to be written; 2: and must not be there
 *	KEEP number                ->      of an upload: it takes its name
 *	DROP number                ->
 *	REMOVE name, RENAME two    ->
 *	                           <-  RESULT number: 0 or -errno; LIST, STAT: text, size, time;
 *	                               OPEN: a descriptor; to write, number is the
 *	                               upload and size the most there may be;
 *	                               -EKEYREJECTED: text is why
 *
 * Ownership  What was received borrows the buffer it was received into.
 * Threads    One at each end.
 * Errors     link_read() is false for what is no message; sending and receiving: -errno, -EPIPE at
 *            the end.
 * Limits     LINK_BYTES_MAX a message, LINK_TEXT_MAX a text.
 */
#ifndef SSH_LINK_H
#define SSH_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
	LINK_TEXT_MAX = 16 << 10,
	LINK_BYTES_MAX = 2 * LINK_TEXT_MAX + 64,
};

enum link_kind {
	LINK_LOGIN = 1,
	LINK_KEY,
	LINK_RUN,
	LINK_ANSWER,
	LINK_STOP,
	LINK_LIST,
	LINK_STAT,
	LINK_OPEN,
	LINK_KEEP,
	LINK_DROP,
	LINK_REMOVE,
	LINK_RENAME,
	LINK_FROM_BACK, /* behind it: from back to front */
	LINK_VERDICT,
	LINK_SAY,
	LINK_ASK,
	LINK_DONE,
	LINK_RESULT,
	LINK_KINDS,
};

struct link_message {
	enum link_kind kind;
	int64_t number;
	int64_t size; /* bytes of a file */
	int64_t time; /* seconds since 1970 */
	struct str text;
	struct str more;
};

[[nodiscard]] bool link_read(struct link_message *out, const void *bytes, size_t len);
void link_write(struct writer *w, const struct link_message *message);

/* `fd` goes along; -1: none.  It stays the caller's. */
[[nodiscard]] int link_send(int socket, const struct link_message *message, int fd);
/* Blocks.  `*fd` is the caller's, -1: none came.  -EPROTO: what came is no message. */
[[nodiscard]] int link_receive(int socket, char buffer[LINK_BYTES_MAX], struct link_message *out,
                               int *fd);

#endif

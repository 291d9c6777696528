/* SPDX-License-Identifier: Apache-2.0 */
/* codec_process -- what `convoke codec` runs: one engine (codec.h) at the end of one link
 * (codec_link.h), locked in (sandbox.h).
 *
 * It is started by worker/codec_child.h with the link's descriptors as 3, 4, ...; it loads its
 * fonts, lets the codec libraries make what they make once, locks itself in and only then looks at
 * the first message.  It ends when the other end of its link is gone or breaks a rule.
 *
 *	convoke codec                     needs the descriptors of a link
 *	convoke codec --attempt WHAT      for tests: locks itself in and tries what it may not: open,
 *	                                  socket, fork, exec, kill or executable memory ("map")
 *
 * Threads    The process has one.
 */
#ifndef CODEC_CODEC_PROCESS_H
#define CODEC_CODEC_PROCESS_H

enum { CODEC_PROCESS_FIRST_FD = 3 };

/* `arguments`: what follows the word `codec`.  Returns the exit status. */
[[nodiscard]] int codec_process_main(int count, char **arguments);

#endif

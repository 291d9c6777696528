/* SPDX-License-Identifier: Apache-2.0 */
/* sip_msg_lines -- cut a header section into its fields; shared by sip_msg.c and sip_stream.c.
 *
 * One pass: every byte is looked at once, whatever the lines are.
 *
 * Ownership  Views borrow the caller's bytes.
 * Threads    Pure.
 * Errors     SIP_LINE_BAD; how many lines there may be is the caller's limit.
 */
#ifndef SIP_SIP_MSG_LINES_H
#define SIP_SIP_MSG_LINES_H

#include "base/str.h"

enum sip_line_kind {
	SIP_LINE_FIELD,
	SIP_LINE_BAD,        /* no name, no colon, or a CR or LF that stands alone */
	SIP_LINE_END,        /* the empty line; `rest` is the body */
	SIP_LINE_UNFINISHED, /* the bytes end before */
};

struct sip_line {
	struct str name;
	struct str value; /* without blanks around it; folds inside it */
};

[[nodiscard]] enum sip_line_kind sip_line_next(struct str *rest, struct sip_line *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* refusals -- logins that were refused, for the audit log: a line for the first of an account and
 * address, then one for all that followed within a minute.
 *
 *	if (refusals_note(r, "anna", &from, now_us))
 *		... write the line ...
 *	while (refusals_take(r, &summary, now_us))
 *		... write "47 more logins of anna from there were refused" ...
 *
 * However many guess, the log grows by REFUSALS_MAX lines and their summaries a minute.
 *
 * Ownership  The caller's memory.
 * Threads    One owner.
 * Units      Microseconds, monotonic.
 * Limits     REFUSALS_MAX accounts and addresses at once; what is beyond is counted together.
 */
#ifndef API_REFUSALS_H
#define API_REFUSALS_H

#include "base/addr.h"
#include "mmp/accounts.h"

enum {
	REFUSALS_MAX = 32,
	REFUSALS_US = 60 * 1000 * 1000,
};

struct refusal {
	char name[ACCOUNT_NAME_MAX]; /* empty: of many, from many */
	struct net_addr from;
	uint32_t more;               /* behind the one that was told */
	int64_t until_us;            /* 0: free */
};

struct refusals {
	struct refusal at[REFUSALS_MAX];
	struct refusal others;
};

/* True: it is to be told now.  False: a summary will. */
[[nodiscard]] bool refusals_note(struct refusals *refusals, struct str name,
                                 const struct net_addr *from, int64_t now_us);
/* The next summary whose minute is over. */
[[nodiscard]] bool refusals_take(struct refusals *refusals, struct refusal *out, int64_t now_us);
/* When the next one is, INT64_MAX: none waits. */
[[nodiscard]] int64_t refusals_deadline(const struct refusals *refusals);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What unit tests and the fuzz target ask of every text: accounts that were read are written as
 * lines that read back as the same accounts, and nobody is in what was refused. */
#ifndef MMP_ACCOUNTS_PROPERTY_H
#define MMP_ACCOUNTS_PROPERTY_H

#include "base/check.h"
#include "mmp/accounts.h"

static inline bool
accounts_property(struct str text)
{
	static char first[ACCOUNTS_BYTES_MAX], second[ACCOUNTS_BYTES_MAX];
	static struct accounts accounts, again;
	uint32_t line;
	if (!accounts_parse(&accounts, text, &line)) {
		CHECK(accounts.count == 0);
		CHECK(line != 0 || text.len > ACCOUNTS_BYTES_MAX);
		return false;
	}
	struct writer w1 = writer_of(first, sizeof first), w2 = writer_of(second, sizeof second);
	accounts_write(&w1, &accounts);
	CHECK(!w1.failed);
	CHECK(accounts_parse(&again, writer_view(&w1), &line));
	accounts_write(&w2, &again);
	CHECK(str_eq(writer_view(&w1), writer_view(&w2)));
	for (uint32_t i = 0; i < accounts.count; i++) {
		const struct account_moment now = { .now_s = 1 << 30, .shell = true };
		struct account *account = &accounts.list[i];
		CHECK(account_name_fits(str_of(account->name)));
		CHECK(accounts_find(&accounts, str_of(account->name)) == account);
		CHECK(account_judge(&accounts, account, &now) < ACCOUNT_VERDICTS);
	}
	return true;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>

#include "mmp/accounts_property.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* As a file; and as a password, which has to be judged whatever it is. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct accounts accounts;
	const struct str text = { .at = (const char *)bytes, .len = len };
	char why[256];
	struct writer w = writer_of(why, sizeof why);
	(void)accounts_property(text);
	accounts_init(&accounts);
	accounts.rules = (struct account_rules){ 0, 0, 0, 8, 1, 1, 1, 1, 3, 2, 1, 1, 1, 0, 0, 0 };
	CHECK(accounts_password_fits(&accounts, STR("anna"), text, &w) == (w.at == 0));
	return 0;
}

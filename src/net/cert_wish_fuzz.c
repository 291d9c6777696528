/* SPDX-License-Identifier: Apache-2.0 */
/* Lines are words of `pki csr`: what is taken can be asked for, what is not says why. */
#include <stddef.h>
#include <string.h>

#include "base/check.h"
#include "net/cert_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str text = { (const char *)bytes, len };
	char error[CERT_ERROR_MAX];
	struct cert_wish wish;
	bool common = false;
	cert_wish_init(&wish);
	while (text.len != 0) {
		const struct str word = str_cut(&text, '\n');
		error[0] = '\0';
		const bool taken = cert_wish_add(&wish, word, error);
		CHECK(taken || error[0] != '\0');
		common = common || (taken && str_starts(word, STR("CN:")));
	}
	CHECK(wish.key < CERT_KEY_KINDS);
	CHECK(wish.count <= CERT_FIELDS_MAX && wish.name_count <= CERT_NAMES_MAX);
	CHECK(wish.text_len <= CERT_WISH_BYTES_MAX);
	for (size_t i = 0; i < wish.count; i++)
		CHECK(wish.fields[i].value[0] != '\0');
	CHECK(cert_wish_end(&wish, error) == common);
	for (size_t i = 0; i < wish.name_count; i++)
		CHECK(strlen(wish.names[i]) < CERT_WISH_BYTES_MAX);
	CHECK(wish.names[wish.name_count] == NULL);
	return 0;
}

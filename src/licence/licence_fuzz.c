/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a file, as the list of issuers, and as claims signed by a trusted issuer: what is taken
 * keeps its rules, and what licence_make() signs is what licence_read() takes. */
#include <string.h>

#include "base/check.h"
#include "licence/licence_sign.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct licence_secret secret = { "thirty-two bytes that are secre" };

static void
must_be_text(const char *text)
{
	const size_t len = strlen(text);
	CHECK(len != 0 && len < LICENCE_TEXT_MAX);
	for (size_t i = 0; i < len; i++)
		CHECK((unsigned char)text[i] >= ' ');
}

static bool
read_file(struct str file, const struct licence_issuers *issuers)
{
	char error[LICENCE_ERROR_MAX];
	char lines[4096];
	struct licence licence;
	if (licence_read(&licence, file, issuers, NULL, error) != LICENCE_OK) {
		CHECK(error[0] != '\0');
		return false;
	}
	must_be_text(licence.id);
	must_be_text(licence.holder);
	CHECK(!licence.bound && licence.grace_days <= LICENCE_GRACE_DAYS_MAX);
	for (int64_t now_s = 0; now_s < (int64_t)4e9; now_s += (int64_t)1e9) {
		const struct licence_rights rights = licence_rights_of(&licence, now_s);
		struct writer w = writer_of(lines, sizeof lines);
		licence_write(&w, &rights, now_s);
		CHECK(!w.failed);
	}
	return true;
}

static void
read_issuers(struct str text)
{
	char written[LICENCE_ISSUERS_MAX * 80];
	struct licence_issuers issuers, back;
	uint32_t line;
	if (!licence_issuers_parse(&issuers, text, &line))
		return;
	struct writer w = writer_of(written, sizeof written);
	licence_issuers_write(&w, &issuers);
	CHECK(!w.failed && licence_issuers_parse(&back, writer_view(&w), &line));
	CHECK(memcmp(&back, &issuers, sizeof back) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static char file[2 * LICENCE_FILE_BYTES_MAX];
	char error[LICENCE_ERROR_MAX];
	struct licence_issuers issuers = { .count = 1, .list = { { .name = "acme" } } };
	const struct str text = { (const char *)bytes, len };
	CHECK(licence_key_of(&issuers.list[0].key, &secret) == 0);
	(void)read_file(text, &issuers);
	read_issuers(text);
	struct writer w = writer_of(file, sizeof file);
	if (licence_make(&w, text, STR("acme"), &secret, error) &&
	    w.at <= LICENCE_FILE_BYTES_MAX)
		/* Of a host's own licence this one, which has no name, is not sure. */
		CHECK(read_file(writer_view(&w), &issuers) || memmem(bytes, len, "host", 4) != NULL);
	return 0;
}

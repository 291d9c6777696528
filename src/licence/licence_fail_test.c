/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: without memory a licence is refused whole, and nothing is lost; who reads it tries again.
 * Method: each allocation fails once, those of OpenSSL and of the JSON library too. */
#include <jansson.h>
#include <string.h>

#include "base/fail_openssl.h"
#include "base/test.h"
#include "licence/licence_sign.h"

__attribute__((constructor)) static void
json_by_fail_at(void)
{
	json_set_alloc_funcs(fail_at_malloc, fail_at_free);
}

static const struct licence_secret secret = { "thirty-two bytes that are secre" };

static const char claims[] =
	"{\"version\":1,\"id\":\"1\",\"holder\":\"h\",\"issued\":\"2026-03-01\","
	"\"features\":{\"turn\":{\"expires\":\"2027-03-01\",\"limit\":5}}}";

struct scene {
	struct licence_issuers issuers;
	char file[1024];
	size_t len;
};

static bool
make(void *context)
{
	struct scene *scene = context;
	char error[LICENCE_ERROR_MAX] = "";
	struct writer w = writer_of(scene->file, sizeof scene->file);
	if (licence_key_of(&scene->issuers.list[0].key, &secret) != 0 ||
	    !licence_make(&w, str_of(claims), STR("acme"), &secret, error))
		return false;
	scene->len = w.at;
	return true;
}

static bool
read_it(void *context)
{
	const struct scene *scene = context;
	char error[LICENCE_ERROR_MAX];
	struct licence licence;
	licence.id[0] = 'x';
	const bool good = licence_read(&licence, (struct str){ scene->file, scene->len },
	                               &scene->issuers, NULL, error) == LICENCE_OK;
	EXPECT(good || (licence.id[0] == 'x' && error[0] != '\0'));
	return good;
}

TEST(a_licence_without_memory_is_refused_whole)
{
	static struct scene scene = { .issuers = { .count = 1, .list = { { .name = "acme" } } } };
	EXPECT(fail_at_each(make, &scene) > 5);
	EXPECT(make(&scene));
	EXPECT(fail_at_each(read_it, &scene) > 10);
}

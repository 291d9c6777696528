/* SPDX-License-Identifier: Apache-2.0 */
/* fail_openssl -- included by a test file, lets OpenSSL's allocations fail as well (base/fail_at.h). */
#ifndef BASE_FAIL_OPENSSL_H
#define BASE_FAIL_OPENSSL_H

#include <openssl/crypto.h>

#include "base/check.h"
#include "base/fail_at.h"

static void *
fail_openssl_malloc(size_t bytes, const char *file, int line)
{
	(void)file;
	(void)line;
	return fail_at_malloc(bytes);
}

static void *
fail_openssl_realloc(void *piece, size_t bytes, const char *file, int line)
{
	(void)file;
	(void)line;
	return fail_at_realloc(piece, bytes);
}

static void
fail_openssl_free(void *piece, const char *file, int line)
{
	(void)file;
	(void)line;
	fail_at_free(piece);
}

__attribute__((constructor)) static void
fail_openssl(void)
{
	const int rc = CRYPTO_set_mem_functions(fail_openssl_malloc, fail_openssl_realloc,
	                                        fail_openssl_free);
	CHECK(rc == 1);
	CHECK(OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL) == 1);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* test -- a thin layer over cmocka: tests register themselves and read as sentences.
 *
 *	#include "base/test.h"
 *	TEST(nobody_hears_themselves) { EXPECT_EQ(1 + 1, 2); }
 *
 * One test program is one or more files with TEST()s; main() lives in base/test.c.  A name on the
 * command line runs only the tests whose names contain it.
 */
#ifndef BASE_TEST_H
#define BASE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

#include "base/str.h"

struct test_case {
	struct test_case *next;
	const char *name;
	void (*run)(void);
};

void test_register(struct test_case *test);

#define TEST(name_)                                                         \
	static void test_##name_(void);                                     \
	__attribute__((constructor)) static void register_##name_(void)     \
	{                                                                   \
		static struct test_case test = { .name = #name_,            \
			                         .run = test_##name_ };     \
		test_register(&test);                                       \
	}                                                                   \
	static void test_##name_(void)

#define EXPECT(fact) ((fact) ? (void)0 : test_failed(#fact, __FILE__, __LINE__))

#define EXPECT_EQ(got, want) \
	test_expect_eq((intmax_t)(got), (intmax_t)(want), #got, __FILE__, __LINE__)

/* `got` is a struct str, `want` a C string. */
#define EXPECT_STR(got, want) test_expect_str(got, want, #got, __FILE__, __LINE__)

/* Ends the running test; the compiler knows that a fact expected holds afterwards. */
_Noreturn void test_failed(const char *fact, const char *file, int line);
void test_expect_eq(intmax_t got, intmax_t want, const char *what, const char *file, int line);
void test_expect_str(struct str got, const char *want, const char *what, const char *file,
                     int line);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct test_case *first;
static struct test_case **last = &first;
static size_t count;

void
test_register(struct test_case *test)
{
	*last = test;
	last = &test->next;
	count++;
}

void
test_failed(const char *fact, const char *file, int line)
{
	print_error("%s\n", fact);
	_fail(file, line);
	abort(); /* cmocka has jumped out */
}

void
test_expect_eq(intmax_t got, intmax_t want, const char *what, const char *file, int line)
{
	if (got == want)
		return;
	print_error("%s is %jd, wanted %jd\n", what, got, want);
	_fail(file, line);
}

void
test_expect_str(struct str got, const char *want, const char *what, const char *file, int line)
{
	if (str_eq(got, str_of(want)))
		return;
	print_error("%s is \"%.*s\", wanted \"%s\"\n", what, STR_ARGS(got), want);
	_fail(file, line);
}

static void
run_case(void **state)
{
	const struct test_case *test = *state;
	test->run();
}

int
main(int argc, char **argv)
{
	struct CMUnitTest *tests = calloc(count + 1, sizeof *tests);
	size_t chosen = 0;
	if (tests == NULL)
		return 1;
	for (struct test_case *test = first; test != NULL; test = test->next) {
		if (argc > 1 && strstr(test->name, argv[1]) == NULL)
			continue;
		tests[chosen++] = (struct CMUnitTest){ .name = test->name,
			                               .test_func = run_case,
			                               .initial_state = test };
	}
	const int failed = _cmocka_run_group_tests("tests", tests, chosen, NULL, NULL);
	free(tests);
	return failed != 0 || chosen == 0;
}

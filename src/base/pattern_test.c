/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: expressions find what administrators mean by them, in a time that no expression and no text
 * can make long.  Method: tables; the C library's matcher on the same random expressions; the worst
 * expressions there are. */
#include <regex.h>
#include <stdio.h>

#include "base/pattern_check.h"
#include "base/prng.h"
#include "base/test.h"

static const char *
replaced(const char *expression, const char *text, const char *replacement)
{
	static char out[256];
	struct pattern pattern;
	const enum pattern_reject reject = pattern_compile(&pattern, str_of(expression));
	if (reject != PATTERN_OK)
		return pattern_reject_name(reject);
	struct writer w = writer_of(out, sizeof out - 1);
	pattern_replace(&w, &pattern, str_of(text), str_of(replacement));
	out[w.at] = '\0';
	return out;
}

TEST(matches_are_replaced_as_an_administrator_means_it)
{
	static const struct {
		const char *expression;
		const char *text;
		const char *replacement;
		const char *want;
	} rows[] = {
		{ "999", "1999 999", "123", "1123 123" },
		{ "\\D", "+44 (0)20-7", "", "440207" },
		{ "^9", "9901", "", "901" },
		{ "^(\\d{3})(\\d+)$", "2071234", "+44$1-\\2", "+44207-1234" },
		{ "(a|ab)(c|bcd)(d*)", "abcd", "<\\1,\\2,\\3>", "<a,bcd,>" },
		{ "a*?b", "aaab", "x", "x" },
		{ "a+?", "aaa", "x", "xxx" },
		{ "(?:ab)+", "xababy", "-", "x-y" },
		{ "[]x-]+", "a]x-b", "", "ab" },
		{ "[^a-c]", "abcd", "!", "abc!" },
		{ "a{2}", "aaaaa", "x", "xxa" },
		{ "a{2,}", "aaaaa", "x", "x" },
		{ "a{1,3}", "aaaaa", "x", "xx" },
		{ "a{0,1}b", "aab", "x", "ax" },
		{ "(a?){3}b", "aab", "x", "x" },
		{ "", "ab", "-", "-a-b-" },
		{ "x*", "axb", "-", "-a--b-" },
		{ "$", "ab", "!", "ab!" },
		{ "^", "ab", "!", "!ab" },
		{ "a|b|", "ab", "x", "xxx" },
		{ "(a)|b", "b", "[\\1]", "[]" },
		{ "\\.", "a.b", "\\\\", "a\\b" },
		{ "\\w+@\\S+", "me a@b c", "$", "me $ c" },
		{ "\\t", "a\tb", " ", "a b" },
		{ "A", "aA", "x", "ax" },
	};
	for (unsigned i = 0; i < COUNT_OF(rows); i++)
		EXPECT_STR(str_of(replaced(rows[i].expression, rows[i].text,
		                           rows[i].replacement)),
		           rows[i].want);
}

TEST(what_is_no_expression_is_refused_and_said_why)
{
	static const struct {
		const char *expression;
		enum pattern_reject want;
	} rows[] = {
		{ "(a", PATTERN_REJECT_GROUP },       { "a)", PATTERN_REJECT_GROUP },
		{ "(?=a)", PATTERN_REJECT_GROUP },    { "*a", PATTERN_REJECT_REPEAT },
		{ "a**", PATTERN_REJECT_REPEAT },     { "^*", PATTERN_REJECT_REPEAT },
		{ "a{", PATTERN_REJECT_REPEAT },      { "a{2,1}", PATTERN_REJECT_REPEAT },
		{ "a{100}", PATTERN_REJECT_REPEAT },  { "a{,2}", PATTERN_REJECT_REPEAT },
		{ "a{99999999999}", PATTERN_REJECT_REPEAT },
		{ "(|*)", PATTERN_REJECT_REPEAT },    { "[a", PATTERN_REJECT_SET },
		{ "[z-a]", PATTERN_REJECT_SET },      { "[a-\\d]", PATTERN_REJECT_SET },
		{ "[\\", PATTERN_REJECT_SET },        { "a\\", PATTERN_REJECT_ESCAPE },
		{ "(a)\\1", PATTERN_REJECT_ESCAPE },  { "\\b", PATTERN_REJECT_ESCAPE },
		{ "[\\1]", PATTERN_REJECT_ESCAPE },   { "(a{99}){99}", PATTERN_REJECT_LONG },
		{ "((((((((((a))))))))))", PATTERN_REJECT_DEEP },
		{ "(?:(?:(?:(?:(?:(?:(?:(?:(?:(?:(?:(?:(?:(?:(?:(?:a", PATTERN_REJECT_DEEP },
		{ "[a][b][c][d][e][f][g][h][i][j][k][l][m][n][o][p][q]", PATTERN_REJECT_LONG },
	};
	for (unsigned i = 0; i < COUNT_OF(rows); i++) {
		struct pattern pattern;
		EXPECT_EQ(pattern_compile(&pattern, str_of(rows[i].expression)), rows[i].want);
	}
}

TEST(every_prefix_of_an_expression_is_taken_or_refused)
{
	static const char expression[] = "^(\\+|00)(?:44|1)[^a-f]?([0-9]{3,7}?)$|\\.";
	unsigned taken = 0;
	for (size_t len = 0; len < sizeof expression; len++)
		taken += check_pattern((struct str){ expression, len }, STR("+44x123456"));
	EXPECT(taken != 0);
}

/* POSIX prefers the longest match, so that only whether there is one can be compared. */
TEST(random_expressions_match_where_the_c_library_says_they_do)
{
	static const char *const parts[] = { "a", "b", ".", "a*", "b+", "(a|b)", "(ab)?", "[^a]",
		                             "a{2}", "(a|b*)*", "^a", "b$" };
	struct prng prng;
	unsigned matched = 0;
	prng_init(&prng, 7);
	for (unsigned round = 0; round < 4000; round++) {
		char expression[64] = "";
		char text[12];
		struct writer w = writer_of(expression, sizeof expression - 1);
		for (unsigned i = prng_below(&prng, 5); i-- > 0;) {
			writer_text(&w, parts[prng_below(&prng, COUNT_OF(parts))]);
			if (i != 0 && prng_below(&prng, 5) == 0)
				writer_text(&w, "|");
		}
		const size_t len = prng_below(&prng, sizeof text);
		for (size_t i = 0; i < len; i++)
			text[i] = (char)('a' + prng_below(&prng, 3));
		text[len] = '\0';

		struct pattern pattern;
		struct pattern_match match;
		regex_t theirs;
		EXPECT_EQ(pattern_compile(&pattern, str_of(expression)), PATTERN_OK);
		EXPECT_EQ(regcomp(&theirs, expression, REG_EXTENDED | REG_NOSUB), 0);
		const bool ours = pattern_find(&pattern, str_of(text), 0, &match);
		EXPECT_EQ(ours, regexec(&theirs, text, 0, NULL, 0) == 0);
		matched += ours;
		regfree(&theirs);
	}
	EXPECT(matched > 1000 && matched < 3900);
}

TEST(expressions_that_make_others_run_for_ever_end)
{
	static const char *const worst[] = {
		"(a*)*$b", "(a|a)*b", "(a|aa)+$", "(.*)*x", "((a+)+)+c", "(a?){99}a{99}",
		"^(([a-z])+.)+[A-Z]([a-z])+$",
	};
	char text[PATTERN_TEXT_MAX];
	memset(text, 'a', sizeof text);
	for (unsigned i = 0; i < COUNT_OF(worst); i++)
		(void)check_pattern(str_of(worst[i]), (struct str){ text, 400 });
	struct pattern pattern;
	struct pattern_match match;
	EXPECT_EQ(pattern_compile(&pattern, STR("(a*)*b")), PATTERN_OK);
	EXPECT(!pattern_find(&pattern, (struct str){ text, sizeof text }, 0, &match));
	EXPECT_EQ(pattern_compile(&pattern, STR("a")), PATTERN_OK);
	EXPECT(pattern_find(&pattern, (struct str){ text, sizeof text }, 0, &match));
	EXPECT(!pattern_find(&pattern, (struct str){ text, sizeof text + 1 }, 0, &match));
	EXPECT(!pattern_find(&pattern, (struct str){ text, 1 }, 2, &match));
}

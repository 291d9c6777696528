/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: views, cursors and encodings do what their headers say at every edge. */
#include "base/bytes.h"
#include "base/check.h"
#include "base/date.h"
#include "base/encode.h"
#include "base/prng.h"
#include "base/test.h"
#include "base/utf8.h"

TEST(an_empty_view_of_nothing_can_be_cut_and_trimmed)
{
	const struct str nothing = { 0 };
	struct str rest = nothing;
	EXPECT_STR(str_sub(nothing, 0, 0), "");
	EXPECT_STR(str_trim(nothing), "");
	EXPECT_STR(str_cut(&rest, ','), "");
	EXPECT(str_starts(nothing, nothing));
}

TEST(static_tables_of_text_are_views_too)
{
	static const struct str names[] = { STR_INIT("one"), STR_INIT("") };
	EXPECT_STR(names[0], "one");
	EXPECT_EQ(names[1].len, 0);
}

TEST(a_reader_past_its_end_yields_zero_and_stays_failed)
{
	const uint8_t bytes[] = { 1, 2, 3, 4, 5 };
	struct reader r = reader_of(bytes, sizeof bytes);
	EXPECT_EQ(reader_u16(&r), 0x0102);
	EXPECT_EQ(reader_u32(&r), 0);
	EXPECT(r.failed);
	EXPECT_EQ(reader_u8(&r), 0);
	EXPECT_EQ(r.at, 2);
}

TEST(a_writer_past_its_end_writes_nothing_more)
{
	uint8_t bytes[6];
	struct writer w = writer_of(bytes, sizeof bytes);
	writer_decimal(&w, 1234);
	EXPECT(!w.failed);
	writer_u32(&w, 1);
	EXPECT(w.failed);
	writer_u8(&w, 'x');
	EXPECT_STR(writer_view(&w), "1234");
}

TEST(a_formatted_piece_is_written_whole_or_not_at_all)
{
	char bytes[8];
	struct writer w = writer_of(bytes, sizeof bytes);
	writer_format(&w, "%s", "abc");
	writer_format(&w, "%s", "defgh");
	EXPECT(w.failed);
	EXPECT_EQ(w.at, 3);
}

TEST(text_is_cut_at_its_separators)
{
	struct str rest = STR("a,,bc");
	EXPECT_STR(str_cut(&rest, ','), "a");
	EXPECT_STR(str_cut(&rest, ','), "");
	EXPECT_STR(str_cut(&rest, ','), "bc");
	EXPECT_EQ(rest.len, 0);
	EXPECT_STR(str_trim(STR(" \t x y \r\n")), "x y");
	EXPECT(str_eq_nocase(STR("CaLL"), STR("cAll")));
	EXPECT(str_contains_nocase(STR("hello Wor"), STR("O w")));
	EXPECT(!str_contains_nocase(STR("ab"), STR("abc")));
	EXPECT(str_eq_secret(STR("abc"), STR("abc")) && !str_eq_secret(STR("abc"), STR("abd")));
}

TEST(a_part_is_found_wherever_it_stands_in_a_text_of_any_length)
{
	char text[80];
	for (size_t len = 0; len <= sizeof text; len++) {
		for (size_t part = 1; part <= 20 && part <= len; part++) {
			for (size_t at = 0; at + part <= len; at++) {
				/* An "a" in front of each place, so that its first letter alone is
				 * everywhere. */
				memset(text, 'a', sizeof text);
				const struct str wanted = str_sub(STR("abbbbbbbbbbbbbbbbbbb"), 0, part);
				const struct str s = { text, len };
				EXPECT_EQ(str_contains(s, wanted), part == 1);
				memcpy(text + at, wanted.at, part);
				EXPECT(str_contains(s, wanted));
				/* And not where it would reach over the end. */
				if (part > 1 && at + part == len)
					EXPECT(!str_contains((struct str){ text, len - 1 }, wanted));
			}
		}
	}
	EXPECT(str_contains(STR("abc"), STR("")) && str_contains(STR(""), STR("")));
	EXPECT(!str_contains(STR(""), STR("a")));
}

TEST(numbers_end_where_their_type_ends)
{
	uint32_t small = 1;
	uint64_t big = 1;
	EXPECT(str_u32(STR("4294967295"), &small) && small == UINT32_MAX);
	EXPECT(!str_u32(STR("4294967296"), &small));
	EXPECT(str_u64(STR("18446744073709551615"), &big) && big == UINT64_MAX);
	EXPECT(!str_u64(STR("18446744073709551616"), &big));
	EXPECT(!str_u64(STR(""), &big) && !str_u64(STR("-1"), &big) && !str_u64(STR("1 "), &big));
}

TEST(encodings_give_the_vectors_of_rfc_4648)
{
	static const char *const pairs[][2] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
	};
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		char text[16];
		char back[16];
		struct writer w = writer_of(text, sizeof text);
		encode_base64(&w, pairs[i][0], strlen(pairs[i][0]));
		EXPECT_STR(writer_view(&w), pairs[i][1]);
		const int len = decode_base64(back, sizeof back, writer_view(&w));
		EXPECT_STR(((struct str){ back, (size_t)len }), pairs[i][0]);
	}
	char byte = 0;
	EXPECT_EQ(decode_base64(&byte, 1, STR("Zm8=")), -1);
	EXPECT_EQ(decode_base64(&byte, 1, STR("Z")), -1);
	EXPECT_EQ(decode_base64(&byte, 1, STR("Z!")), -1);
	EXPECT_EQ(decode_hex(&byte, 1, STR("fF")), 1);
	EXPECT_EQ((uint8_t)byte, 0xff);
	EXPECT_EQ(decode_hex(&byte, 1, STR("0g")), -1);
}

TEST(hex_digits_are_those_of_both_cases_and_no_others)
{
	for (int c = 0; c < 256; c++) {
		static const char digits[] = "0123456789abcdef0123456789ABCDEF";
		const char *at = c != 0 ? strchr(digits, c) : NULL;
		EXPECT_EQ(hex_value((char)c), at != NULL ? (at - digits) % 16 : -1);
	}
}

TEST(utf8_has_its_bounds)
{
	static const struct {
		const char *text;
		uint32_t code;
	} good[] = {
		{ "a", 'a' },
		{ "\x7f", 0x7f },
		{ "\xc2\x80", 0x80 },
		{ "\xdf\xbf", 0x7ff },
		{ "\xe0\xa0\x80", 0x800 },
		{ "\xed\x9f\xbf", 0xd7ff },
		{ "\xee\x80\x80", 0xe000 },
		{ "\xf0\x90\x80\x80", 0x10000 },
		{ "\xf4\x8f\xbf\xbf", 0x10ffff },
	};
	static const char *const bad[] = { "\x80",             "\xc0\x80",         "\xc1\xbf",
		                           "\xe0\x9f\xbf",     "\xed\xa0\x80",     "\xed\xbf\xbf",
		                           "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
		                           "\xf8\x88\x80\x80", "\xff",             "\xe2\x28\xa1" };
	for (unsigned i = 0; i < COUNT_OF(good); i++) {
		const size_t len = strlen(good[i].text);
		uint32_t code = 0;
		EXPECT_EQ(utf8_char(good[i].text, len, &code), len);
		EXPECT_EQ(code, good[i].code);
		for (size_t prefix = 0; prefix < len; prefix++)
			EXPECT_EQ(utf8_char(good[i].text, prefix, NULL), 0);
	}
	for (unsigned i = 0; i < COUNT_OF(bad); i++)
		EXPECT_EQ(utf8_char(bad[i], strlen(bad[i]), NULL), 0);
	EXPECT(utf8_valid("", 0));
	EXPECT(utf8_valid("K\xc3\xb6ln \xe2\x82\xac", 9));
	EXPECT(!utf8_valid("K\xc3\xb6ln \xe2\x82", 8));
	EXPECT(!utf8_valid("a\xff", 2));
}

TEST(a_guid_comes_back_from_its_text)
{
	struct prng prng;
	prng_init(&prng, 3);
	for (unsigned i = 0; i < 1000; i++) {
		uint8_t random[GUID_BYTES];
		char text[GUID_TEXT_LEN + 1];
		struct guid back;
		prng_bytes(&prng, random, sizeof random);
		const struct guid guid = guid_of_random(random);
		guid_write(text, &guid);
		EXPECT_EQ(text[14], '4');
		EXPECT(guid_parse(&back, str_of(text)) && guid_eq(&guid, &back));
		text[8] = 'x';
		EXPECT(!guid_parse(&back, str_of(text)));
	}
}

TEST(times_are_read_as_rfc_3339_writes_them)
{
	static const struct { const char *text; int64_t want_s; } good[] = {
		{ "1970-01-01", 0 },
		{ "2000-02-29", 951782400 },
		{ "2023-04-28", 1682640000 },
		{ "2026-12-24T12:00:00Z", 1798113600 },
		{ "9999-12-31", 253402214400 },
	};
	static const char *const bad[] = { "", "2023", "2023-4-28", "2023-13-01", "2023-00-01",
		                           "2023-02-29", "2023-04-31", "1969-12-31",
		                           "2023-04-28T", "2023-04-28T12:00:00",
		                           "2023-04-28T24:00:00Z", "2023-04-28T12:60:00Z",
		                           "2023-04-28 12:00:00Z", "2023-04-28T12:00:00Zx",
		                           "-023-04-28", "+023-04-28" };
	char text[32];
	int64_t time_s = 0;
	bool day;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		EXPECT(date_parse(&time_s, &day, str_of(good[i].text)));
		EXPECT_EQ(time_s, good[i].want_s);
		EXPECT_EQ(day, strlen(good[i].text) == 10);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		EXPECT(!date_parse(&time_s, &day, str_of(bad[i])));
	for (int64_t at_s = 0; at_s < 253402300800; at_s += 40 * 86400 + 3661) {
		struct writer w = writer_of(text, sizeof text);
		date_write(&w, at_s);
		EXPECT(date_parse(&time_s, &day, writer_view(&w)));
		EXPECT_EQ(time_s, at_s);
	}
}

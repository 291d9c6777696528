/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: mappings as administrators of CMS write them make what those expect of an entry, and each
 * mistake is named.  Method: one entry, tables of mappings, and the property of the fuzz target for
 * every prefix and every flipped byte of a good one. */
#include "ldap/mapping_property.h"

#include "base/test.h"

static const struct {
	const char *name;
	const char *value;
} entry[] = {
	{ "givenName", "Ada" }, { "sn", "Sommer" }, { "mail", "ada.sommer@example.com" },
	{ "telephoneNumber", "+49 30 1234-567" }, { "distinguishedName", "CN=Ada,OU=A/B,DC=x" },
};

static struct str
value_of(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(entry); i++) {
		if (str_eq_nocase(name, str_of(entry[i].name)))
			return str_of(entry[i].value);
	}
	return STR("");
}

static struct str
made_of(const char *text, char *room, size_t cap)
{
	struct mapping mapping;
	struct mapping_names names = { 0 };
	struct str values[MAPPING_NAMES_MAX] = { 0 };
	struct writer w = writer_of(room, cap);
	EXPECT_EQ(mapping_compile(&mapping, &names, str_of(text)), MAPPING_OK);
	for (uint32_t i = 0; i < names.count; i++)
		values[i] = value_of(names.at[i]);
	const bool made = mapping_apply(&mapping, values, &w);
	EXPECT_EQ(made, w.at != 0);
	return writer_view(&w);
}

TEST(attributes_stand_for_their_values)
{
	static const struct {
		const char *mapping;
		const char *wanted;
	} cases[] = {
		{ "$mail$", "ada.sommer@example.com" },
		{ "$givenName$.$sn$@example.com", "Ada.Sommer@example.com" },
		{ "$GIVENNAME$'s meeting", "Ada's meeting" },
		{ "fixed", "fixed" },
		{ "$mail|'/@.*//'$", "ada.sommer" },
		{ "$mail|/@.*/@video.example.com/$", "ada.sommer@video.example.com" },
		{ "$mail|'/(.*)\\.(.*)@.*/\\2.$1/'$.space", "sommer.ada.space" },
		{ "$telephoneNumber|'/[^0-9]//g'$", "49301234567" },
		{ "$telephoneNumber|/.*([0-9][0-9][0-9])$/8$1/$", "8567" },
		{ "$distinguishedName|'/.*OU=([^,]*),.*/\\1/'$", "A/B" },
		{ "$distinguishedName|'/A\\/B/A-B/'$", "CN=Ada,OU=A-B,DC=x" },
		{ "", "" },
		{ "$nobody$", "" },
		{ "$nobody$.space", "" },
		{ "$sn|'/.*//'$", "" },
	};
	char room[MAPPING_OUT_MAX];
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		EXPECT_STR(made_of(cases[i].mapping, room, sizeof room), cases[i].wanted);
}

TEST(each_mistake_is_named)
{
	static const struct {
		const char *mapping;
		enum mapping_reject wanted;
	} cases[] = {
		{ "$cn", MAPPING_REJECT_OPEN },
		{ "$cn$ costs 5$", MAPPING_REJECT_OPEN },
		{ "$cn|'/a/b/'", MAPPING_REJECT_OPEN },
		{ "$$", MAPPING_REJECT_NAME },
		{ "$common name$", MAPPING_REJECT_NAME },
		{ "$-cn$", MAPPING_REJECT_NAME },
		{ "$cn|$", MAPPING_REJECT_CHANGE },
		{ "$cn|a/b/$", MAPPING_REJECT_CHANGE },
		{ "$cn|'/a/b'$", MAPPING_REJECT_CHANGE },
		{ "$cn|'/a/b/$", MAPPING_REJECT_CHANGE },
		{ "$cn|'/(a/b/'$", MAPPING_REJECT_PATTERN },
		{ "$a$$b$$c$$d$$e$$f$$g$$h$$i$$j$$k$$l$$m$$n$$o$$p$$q$", MAPPING_REJECT_LONG },
		{ "$a|/a/b/$$b|/a/b/$$c|/a/b/$$d|/a/b/$$e|/a/b/$", MAPPING_REJECT_LONG },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct mapping mapping;
		struct mapping_names names = { 0 };
		EXPECT_EQ(mapping_compile(&mapping, &names, str_of(cases[i].mapping)),
		          cases[i].wanted);
	}
}

TEST(mappings_share_their_names)
{
	struct mapping mapping;
	struct mapping_names names = { 0 };
	EXPECT_EQ(mapping_compile(&mapping, &names, STR("$mail$")), MAPPING_OK);
	EXPECT_EQ(mapping_compile(&mapping, &names, STR("$cn$ <$MAIL$>")), MAPPING_OK);
	EXPECT_EQ(names.count, 2);
	EXPECT_STR(names.at[0], "mail");
	EXPECT_STR(names.at[1], "cn");
	while (names.count < MAPPING_NAMES_MAX)
		names.at[names.count++] = STR("filler");
	EXPECT_EQ(mapping_compile(&mapping, &names, STR("$one-more$")), MAPPING_REJECT_LONG);
	EXPECT_EQ(mapping_compile(&mapping, &names, STR("$mail$")), MAPPING_OK);
}

TEST(what_is_too_long_is_nothing)
{
	char room[8];
	EXPECT_STR(made_of("$sn$", room, sizeof room), "Sommer");
	EXPECT_STR(made_of("$sn$ of them", room, sizeof room), "");
	char literal[MAPPING_OUT_MAX + 2];
	char wide[2 * MAPPING_OUT_MAX];
	memset(literal, 'x', sizeof literal - 1);
	literal[sizeof literal - 1] = '\0';
	EXPECT_STR(made_of(literal, wide, sizeof wide), "");
}

TEST(no_text_is_trusted)
{
	static const char good[] = "$mail|'/(.*)\\.(.*)@.*/\\2.$1/g'$.space$sn$";
	for (size_t len = 0; len < sizeof good; len++)
		mapping_property((struct str){ good, len });
	for (size_t at = 0; at + 1 < sizeof good; at++) {
		for (unsigned value = 0; value < 256; value++) {
			char bytes[sizeof good];
			memcpy(bytes, good, sizeof good);
			bytes[at] = (char)value;
			mapping_property((struct str){ bytes, sizeof good - 1 });
		}
	}
}

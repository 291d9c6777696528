/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: after a sync users and their spaces are what the directory says and nothing else has
 * changed; a second one changes nothing; clashes are told and harm nobody else; every step is one
 * transaction that can be undone.  Method: people as tables against the kept objects alone. */
#include "meeting/directory_sync.h"

#include <stdio.h>

#include "meeting/test_world.h"

struct house {
	struct prng prng;
	struct objects *objects;
	uint32_t mapping;
	uint32_t source;
	struct directory_sync *sync;
	struct directory_sync_counts counts;
	unsigned transactions;
	char lines[4096];
};

static uint32_t
add(struct house *h, enum object_type type, uint32_t parent, const char *const *pairs)
{
	uint32_t handle = 0;
	EXPECT_EQ(test_add(h->objects, type, parent, &handle, pairs), OBJECT_OK);
	return handle;
}

static const char *
id_of(const struct house *h, enum object_type type, uint32_t handle)
{
	static char text[4][GUID_TEXT_LEN + 1];
	static unsigned turn;
	const struct guid id = objects_id(h->objects, type, handle);
	char *out = text[turn++ % 4];
	guid_write(out, &id);
	return out;
}

static uint32_t
add_source(struct house *h, const char *tenant)
{
	const uint32_t server = add(h, OBJECT_LDAP_SERVER, 0,
	                            PAIRS("address", "h", "portNumber", "389", "secure", "false"));
	return add(h, OBJECT_LDAP_SOURCE, 0,
	           PAIRS("server", id_of(h, OBJECT_LDAP_SERVER, server), "mapping",
	                 id_of(h, OBJECT_LDAP_MAPPING, h->mapping), "baseDn", "dc=x", "tenant",
	                 tenant));
}

static struct house *
house_make(uint32_t users)
{
	static struct house house;
	house = (struct house){ 0 };
	prng_init(&house.prng, 5);
	const struct objects_settings settings = { .limits = { users, 100, 8 << 20 },
		                                   .random = test_random,
		                                   .context = &house.prng };
	EXPECT_EQ(objects_create(&house.objects, &settings), 0);
	house.mapping = add(&house, OBJECT_LDAP_MAPPING, 0,
	                    PAIRS("jidMapping", "$j$", "nameMapping", "$n$", "coSpaceUriMapping",
	                          "$u$", "coSpaceNameMapping", "$n$"));
	house.source = add_source(&house, "");
	return &house;
}

static void
house_end(struct house *h)
{
	directory_sync_destroy(h->sync);
	objects_destroy(h->objects);
}

static void
begin_for(struct house *h, const struct guid *tenant, const struct guid *source)
{
	const struct directory_sync_settings settings = { .objects = h->objects,
		                                          .people_max = 1000,
		                                          .tenant = *tenant,
		                                          .source = *source };
	directory_sync_destroy(h->sync);
	EXPECT_EQ(directory_sync_create(&h->sync, &settings), 0);
	h->lines[0] = '\0';
}

static void
begin(struct house *h)
{
	begin_for(h, &(struct guid){ 0 }, &(struct guid){ 0 });
	EXPECT(directory_sync_source(h->sync, h->source));
}

static void
person(struct house *h, const char *jid, const char *name, const char *uri)
{
	char dn[64];
	snprintf(dn, sizeof dn, "cn=%s", name);
	const struct directory_person who = { .jid = str_of(jid), .name = str_of(name),
		                              .dn = str_of(dn), .space_name = str_of(name),
		                              .space_uri = str_of(uri) };
	EXPECT(directory_sync_person(h->sync, &who));
}

static enum directory_sync_state
step(struct house *h, bool kept)
{
	struct object_tx tx;
	const enum directory_sync_state state = directory_sync_step(h->sync, &tx);
	if (tx.ticket != 0) {
		objects_settled(h->objects, tx.ticket, kept);
		h->transactions++;
	}
	for (const char *line; (line = directory_sync_line(h->sync)) != NULL;) {
		const size_t at = strlen(h->lines);
		snprintf(h->lines + at, sizeof h->lines - at, "%s\n", line);
	}
	return state;
}

static void
apply(struct house *h)
{
	h->transactions = 0;
	while (step(h, true) == DIRECTORY_SYNC_MORE) {
	}
	h->counts = directory_sync_counts(h->sync);
}

static uint32_t
user(const struct house *h, const char *jid)
{
	return objects_find_address(h->objects, OBJECT_USER, str_of(jid));
}

static uint32_t
space(const struct house *h, const char *uri)
{
	return objects_find_address(h->objects, OBJECT_SPACE, str_of(uri));
}

static struct str
user_text(const struct house *h, const char *jid, unsigned field)
{
	return objects_text(h->objects, OBJECT_USER, user(h, jid), field);
}

/* ------------------------------------------------------------------ what must be */

TEST(people_become_users_with_spaces_of_their_own)
{
	struct house *h = house_make(100);
	begin(h);
	person(h, "ada@x.org", "Ada", "ada.space");
	person(h, "Bob@x.org", "Bob", "");
	apply(h);
	EXPECT_EQ(h->counts.created, 2);
	EXPECT_EQ(h->counts.imported, 2);
	EXPECT_EQ(h->counts.spaces_created, 2);
	EXPECT_STR(user_text(h, "ada@x.org", USER_NAME), "Ada");
	EXPECT_STR(user_text(h, "ada@x.org", USER_LDAP_DN), "cn=Ada");
	EXPECT_EQ(objects_ref(h->objects, OBJECT_USER, user(h, "bob@x.org"), USER_LDAP_SOURCE),
	          h->source);
	const uint32_t own = space(h, "ada.space");
	EXPECT_STR(objects_text(h->objects, OBJECT_SPACE, own, SPACE_NAME), "Ada");
	EXPECT_STR(objects_text(h->objects, OBJECT_SPACE, own, SPACE_OWNER_JID), "ada@x.org");
	EXPECT_EQ(objects_number(h->objects, OBJECT_SPACE, own, SPACE_AUTO_GENERATED), 1);
	const uint32_t member = objects_next_inside(h->objects, OBJECT_MEMBER, own, 0);
	EXPECT_STR(objects_text(h->objects, OBJECT_MEMBER, member, MEMBER_JID), "ada@x.org");
	EXPECT_EQ(objects_number(h->objects, OBJECT_MEMBER, member, MEMBER_CAN_ADD_REMOVE_MEMBER),
	          1);
	EXPECT_EQ(objects_number(h->objects, OBJECT_MEMBER, member, MEMBER_CAN_DESTROY), 0);
	house_end(h);
}

TEST(a_second_sync_of_the_same_changes_nothing)
{
	struct house *h = house_make(100);
	for (unsigned i = 0; i < 2; i++) {
		begin(h);
		person(h, "ada@x.org", "Ada", "ada.space");
		person(h, "bob@x.org", "Bob", "bob.space");
		apply(h);
	}
	EXPECT_EQ(h->transactions, 0);
	EXPECT_EQ(h->counts.imported, 2);
	EXPECT_EQ(h->counts.created + h->counts.changed + h->counts.spaces_changed, 0);
	house_end(h);
}

TEST(what_changed_is_changed_and_what_others_set_stays)
{
	struct house *h = house_make(100);
	begin(h);
	person(h, "ada@x.org", "Ada", "ada.space");
	person(h, "bob@x.org", "Bob", "bob.space");
	apply(h);
	const uint32_t own = space(h, "ada.space");
	EXPECT_EQ(test_edit(h->objects, OBJECT_SPACE, own,
	                    PAIRS("passcode", "1234", "callId", "777", "name", "Mine")),
	          OBJECT_OK);
	begin(h);
	person(h, "ada@x.org", "Ada Sommer", "ada.sommer");
	person(h, "bob@x.org", "Bob", "bob.space");
	apply(h);
	EXPECT_EQ(h->counts.changed, 1);
	EXPECT_EQ(h->counts.spaces_changed, 1);
	EXPECT_EQ(space(h, "ada.sommer"), own);
	EXPECT_STR(user_text(h, "ada@x.org", USER_NAME), "Ada Sommer");
	EXPECT_STR(objects_text(h->objects, OBJECT_SPACE, own, SPACE_NAME), "Ada Sommer");
	EXPECT_STR(objects_text(h->objects, OBJECT_SPACE, own, SPACE_PASSCODE), "1234");
	EXPECT_STR(objects_text(h->objects, OBJECT_SPACE, own, SPACE_CALL_ID), "777");
	house_end(h);
}

TEST(who_is_gone_goes_with_space_and_memberships)
{
	struct house *h = house_make(1000);
	begin(h);
	person(h, "ada@x.org", "Ada", "ada.space");
	person(h, "bob@x.org", "Bob", "bob.space");
	apply(h);
	/* A member of more spaces than one transaction takes. */
	for (unsigned i = 0; i < 300; i++) {
		char uri[16];
		snprintf(uri, sizeof uri, "room%u", i);
		const uint32_t room = add(h, OBJECT_SPACE, 0, PAIRS("uri", uri));
		(void)add(h, OBJECT_MEMBER, room, PAIRS("userJid", "ada@x.org"));
	}
	begin(h);
	person(h, "bob@x.org", "Bob", "bob.space");
	apply(h);
	EXPECT_EQ(h->counts.removed, 1);
	EXPECT_EQ(h->counts.spaces_removed, 1);
	EXPECT_EQ(user(h, "ada@x.org"), 0);
	EXPECT_EQ(space(h, "ada.space"), 0);
	EXPECT_EQ(objects_find_address(h->objects, OBJECT_MEMBER, STR("ada@x.org")), 0);
	EXPECT_EQ(objects_count(h->objects, OBJECT_SPACE), 301);
	EXPECT(user(h, "bob@x.org") != 0);
	house_end(h);
}

TEST(a_space_goes_when_nothing_is_mapped_to_it_any_more)
{
	struct house *h = house_make(100);
	begin(h);
	person(h, "ada@x.org", "Ada", "ada.space");
	apply(h);
	EXPECT_EQ(test_edit(h->objects, OBJECT_LDAP_MAPPING, h->mapping,
	                    PAIRS("coSpaceUriMapping", "", "coSpaceNameMapping", "")),
	          OBJECT_OK);
	begin(h);
	const struct directory_person bare = { .jid = STR("ada@x.org"), .name = STR("Ada"),
		                               .dn = STR("cn=Ada") };
	EXPECT(directory_sync_person(h->sync, &bare));
	apply(h);
	EXPECT_EQ(h->counts.spaces_removed, 1);
	EXPECT_EQ(objects_count(h->objects, OBJECT_SPACE), 0);
	EXPECT(user(h, "ada@x.org") != 0);
	house_end(h);
}

/* ------------------------------------------------------------------ clashes */

TEST(a_clash_is_told_and_the_others_are_done)
{
	struct house *h = house_make(100);
	(void)add(h, OBJECT_SPACE, 0, PAIRS("uri", "taken"));
	begin(h);
	person(h, "ada@x.org", "Ada", "taken");
	person(h, "ADA@x.org", "Ada the second", "ada2");
	person(h, "not a name", "Nobody", "nobody");
	person(h, "bob@x.org", "Bob", "bob@x");
	person(h, "cyd@x.org", "Cyd", "cyd");
	apply(h);
	EXPECT_EQ(h->counts.people, 5);
	EXPECT_EQ(h->counts.imported, 3);
	EXPECT_EQ(h->counts.clashes, 2);
	EXPECT_EQ(h->counts.faults, 2);
	EXPECT_STR(str_of(h->lines),
	           "clash: \"cn=Ada the second\" has the userJid \"ADA@x.org\" of \"cn=Ada\"\n"
	           "left out: \"cn=Nobody\", whose userJid would be \"not a name\"\n"
	           "left out: uri \"bob@x\" of coSpace \"bob@x.org\"\n"
	           "clash: the space address \"taken\" of user \"ada@x.org\" is another space's\n");
	EXPECT(space(h, "cyd") != 0);
	EXPECT(user(h, "ada@x.org") != 0);
	house_end(h);
}

TEST(an_address_that_is_given_up_can_be_had_in_the_same_sync)
{
	struct house *h = house_make(100);
	begin(h);
	person(h, "ada@x.org", "Ada", "first");
	person(h, "bob@x.org", "Bob", "second");
	apply(h);
	const uint32_t adas = space(h, "first");
	begin(h);
	person(h, "ada@x.org", "Ada", "second");
	person(h, "bob@x.org", "Bob", "third");
	apply(h);
	EXPECT_EQ(h->counts.clashes, 0);
	EXPECT_EQ(space(h, "second"), adas);
	/* And whoever goes makes room before all else. */
	begin(h);
	person(h, "cyd@x.org", "Cyd", "second");
	apply(h);
	EXPECT_EQ(h->counts.clashes, 0);
	EXPECT_EQ(h->counts.removed, 2);
	EXPECT(space(h, "second") != 0);
	house_end(h);
}

/* ------------------------------------------------------------------ whose they are */

TEST(users_of_other_sources_are_not_touched)
{
	struct house *h = house_make(100);
	const uint32_t other = add_source(h, "");
	begin(h);
	person(h, "ada@x.org", "Ada", "ada");
	EXPECT(directory_sync_source(h->sync, other));
	person(h, "bob@x.org", "Bob", "bob");
	apply(h);
	/* Of the first source alone: Bob stays, and is nobody else's. */
	const struct guid first = objects_id(h->objects, OBJECT_LDAP_SOURCE, h->source);
	begin_for(h, &(struct guid){ 0 }, &first);
	EXPECT(directory_sync_source(h->sync, h->source));
	person(h, "bob@x.org", "Robert", "bob");
	apply(h);
	EXPECT_EQ(h->counts.removed, 1);
	EXPECT_EQ(h->counts.clashes, 1);
	EXPECT_STR(user_text(h, "bob@x.org", USER_NAME), "Bob");
	/* With both asked he moves, and keeps what is his. */
	const uint32_t bob = user(h, "bob@x.org");
	begin(h);
	person(h, "bob@x.org", "Robert", "bob");
	EXPECT(directory_sync_source(h->sync, other));
	apply(h);
	EXPECT_EQ(h->counts.clashes + h->counts.removed, 0);
	EXPECT_EQ(user(h, "bob@x.org"), bob);
	EXPECT_STR(user_text(h, "bob@x.org", USER_NAME), "Robert");
	house_end(h);
}

TEST(users_of_a_source_that_is_no_more_go_with_a_sync_of_everything)
{
	struct house *h = house_make(100);
	begin(h);
	person(h, "ada@x.org", "Ada", "ada");
	apply(h);
	const uint32_t next = add_source(h, "");
	objects_begin(h->objects);
	EXPECT_EQ(objects_remove(h->objects, OBJECT_LDAP_SOURCE, h->source), OBJECT_OK);
	objects_settled(h->objects, objects_end(h->objects).ticket, true);
	const struct guid id = objects_id(h->objects, OBJECT_LDAP_SOURCE, next);
	begin_for(h, &(struct guid){ 0 }, &id);
	EXPECT(directory_sync_source(h->sync, next));
	apply(h);
	EXPECT_EQ(h->counts.removed, 0);
	h->source = next;
	begin(h);
	apply(h);
	EXPECT_EQ(h->counts.removed, 1);
	EXPECT_EQ(objects_count(h->objects, OBJECT_SPACE), 0);
	house_end(h);
}

TEST(tenants_have_people_of_their_own)
{
	struct house *h = house_make(100);
	const uint32_t tenant = add(h, OBJECT_TENANT, 0, PAIRS("name", "T"));
	const struct guid id = objects_id(h->objects, OBJECT_TENANT, tenant);
	const uint32_t source = add_source(h, id_of(h, OBJECT_TENANT, tenant));
	begin(h);
	person(h, "ada@x.org", "Ada", "same");
	EXPECT(directory_sync_source(h->sync, source));
	person(h, "bob@x.org", "Bob", "same");
	apply(h);
	EXPECT_EQ(h->counts.clashes, 0);
	EXPECT_EQ(objects_ref(h->objects, OBJECT_USER, user(h, "bob@x.org"), USER_TENANT), tenant);
	EXPECT_EQ(objects_ref(h->objects, OBJECT_USER, user(h, "ada@x.org"), USER_TENANT), 0);
	begin_for(h, &id, &(struct guid){ 0 });
	EXPECT(directory_sync_source(h->sync, source));
	apply(h);
	EXPECT_EQ(h->counts.removed, 1);
	EXPECT(user(h, "ada@x.org") != 0);
	EXPECT_EQ(user(h, "bob@x.org"), 0);
	house_end(h);
}

TEST(templates_are_granted_and_taken_away_but_not_those_given_by_hand)
{
	struct house *h = house_make(100);
	const uint32_t gold = add(h, OBJECT_SPACE_TEMPLATE, 0, PAIRS("name", "gold"));
	const uint32_t team = add(h, OBJECT_SPACE_TEMPLATE, 0, PAIRS("name", "team"));
	const uint32_t rule = add(h, OBJECT_LDAP_TEMPLATE_SOURCE, 0,
	                          PAIRS("coSpaceTemplate", id_of(h, OBJECT_SPACE_TEMPLATE, gold),
	                                "ldapSource", id_of(h, OBJECT_LDAP_SOURCE, h->source)));
	for (unsigned granted = 2; granted-- > 0;) {
		begin(h);
		person(h, "ada@x.org", "Ada", "ada");
		EXPECT(directory_sync_template(h->sync, rule));
		if (granted != 0)
			directory_sync_grant(h->sync, STR("ADA@x.org"));
		directory_sync_grant(h->sync, STR("nobody@x.org"));
		apply(h);
		uint32_t has = objects_next_inside(h->objects, OBJECT_USER_TEMPLATE,
		                                   user(h, "ada@x.org"), 0);
		EXPECT_EQ(objects_ref(h->objects, OBJECT_USER_TEMPLATE, has, USER_TEMPLATE_OF),
		          granted != 0 ? gold : team);
		if (granted != 0)
			(void)add(h, OBJECT_USER_TEMPLATE, user(h, "ada@x.org"),
			          PAIRS("coSpaceTemplate",
			                id_of(h, OBJECT_SPACE_TEMPLATE, team)));
		else
			EXPECT_EQ(objects_next_inside(h->objects, OBJECT_USER_TEMPLATE,
			                              user(h, "ada@x.org"), has),
			          0);
	}
	house_end(h);
}

/* ------------------------------------------------------------------ many, and no room */

TEST(many_people_come_in_small_steps)
{
	struct house *h = house_make(1000);
	begin(h);
	for (unsigned i = 0; i < 500; i++) {
		char jid[32];
		char uri[32];
		snprintf(jid, sizeof jid, "user%u@x.org", i);
		snprintf(uri, sizeof uri, "user%u", i);
		person(h, jid, "User", uri);
	}
	apply(h);
	EXPECT_EQ(h->counts.imported, 500);
	EXPECT_EQ(h->transactions, 500 / DIRECTORY_SYNC_BATCH + 1);
	EXPECT_EQ(objects_count(h->objects, OBJECT_MEMBER), 500);
	house_end(h);
}

TEST(a_full_table_stops_it_between_two_people)
{
	struct house *h = house_make(40);
	begin(h);
	for (unsigned i = 0; i < 50; i++) {
		char jid[32];
		char uri[32];
		snprintf(jid, sizeof jid, "user%u@x.org", i);
		snprintf(uri, sizeof uri, "user%u", i);
		person(h, jid, "User", uri);
	}
	enum directory_sync_state state;
	while ((state = step(h, true)) == DIRECTORY_SYNC_MORE) {
	}
	EXPECT_EQ(state, DIRECTORY_SYNC_STUCK);
	EXPECT_EQ(objects_count(h->objects, OBJECT_USER), 40);
	EXPECT_EQ(objects_count(h->objects, OBJECT_SPACE), 40);
	EXPECT_EQ(objects_count(h->objects, OBJECT_MEMBER), 40);
	EXPECT_EQ(directory_sync_counts(h->sync).imported, 40);
	house_end(h);
}

TEST(what_the_database_did_not_keep_is_done_by_the_next_sync)
{
	struct house *h = house_make(100);
	for (unsigned kept = 0; kept < 2; kept++) {
		begin(h);
		person(h, "ada@x.org", "Ada", "ada");
		while (step(h, kept != 0) == DIRECTORY_SYNC_MORE) {
		}
		EXPECT_EQ(objects_count(h->objects, OBJECT_USER), kept);
		EXPECT_EQ(objects_count(h->objects, OBJECT_SPACE), kept);
	}
	house_end(h);
}

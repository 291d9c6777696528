/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a user sees what is theirs and nothing else, and does what their membership lets them and
 * nothing more; each right opens its own fields and no other.
 * Method: the model alone, one user trying everything on a space with a right at a time. */
#include "meeting/member.h"

#include "meeting/model_world.h"

static uint32_t
add_person(struct world *world, const char *jid, uint32_t tenant)
{
	struct object_edit edit = { .type = OBJECT_USER };
	uint32_t user = 0;
	int culprit = -1;
	const struct guid id = objects_id(world->objects, OBJECT_TENANT, tenant);
	edit_set_text(&edit, USER_JID, str_of(jid));
	if (tenant != 0)
		edit_set_guid(&edit, USER_TENANT, &id);
	objects_begin(world->objects);
	EXPECT_EQ(objects_add(world->objects, &edit, 0, &user, &culprit), OBJECT_OK);
	objects_settled(world->objects, objects_end(world->objects).ticket, true);
	return user;
}

/* What a page would send, done or undone. */
static struct member_answer
finish(struct world *world, struct member_answer answer)
{
	if (answer.verdict == MEMBER_DONE) {
		const struct object_tx tx = objects_end(world->objects);
		if (tx.ticket != 0)
			objects_settled(world->objects, tx.ticket, true);
	} else {
		objects_abort(world->objects);
	}
	return answer;
}

static struct object_edit
edit_of(enum object_type type, unsigned how, const char *name, const char *value)
{
	struct object_edit edit = { .type = type };
	EXPECT_EQ(object_edit_text(&edit, how, str_of(name), str_of(value)), OBJECT_OK);
	return edit;
}

static struct member_answer
try_edit(struct world *world, uint32_t user, enum object_type type, uint32_t handle,
         const char *name, const char *value)
{
	const struct object_edit edit = edit_of(type, FIELD_PUT, name, value);
	objects_begin(world->objects);
	return finish(world, member_edit(world->objects, user, handle, &edit));
}

static struct member_answer
try_add(struct world *world, uint32_t user, uint32_t space, enum object_type type,
        const char *name, const char *value)
{
	const struct object_edit edit = edit_of(type, FIELD_POST, name, value);
	objects_begin(world->objects);
	return finish(world, member_add(world->objects, user, space, &edit));
}

static struct member_answer
try_remove(struct world *world, uint32_t user, enum object_type type, uint32_t handle)
{
	objects_begin(world->objects);
	return finish(world, member_remove(world->objects, user, type, handle));
}

static struct member_answer
try_make(struct world *world, uint32_t user, uint32_t template)
{
	objects_begin(world->objects);
	return finish(world, member_add_space(world->objects, user, template, STR("Mine")));
}

/* The names of what he sees, in their order. */
static const char *
seen_by(struct world *world, uint32_t user)
{
	static char text[256];
	struct member_cursor cursor = { 0 };
	struct writer w = writer_of(text, sizeof text - 1);
	for (uint32_t space;
	     (space = member_next_space(world->objects, user, &cursor)) != 0;) {
		EXPECT(member_sees(world->objects, user, space));
		writer_format(&w, "%.*s ", STR_ARGS(objects_text(world->objects, OBJECT_SPACE, space,
		                                                 SPACE_NAME)));
	}
	text[w.at] = '\0';
	return text;
}

TEST(a_user_sees_the_spaces_they_own_or_are_a_member_of)
{
	struct world w = world_make();
	const uint32_t ann = add_person(&w, "ann@example.com", 0);
	const uint32_t ben = add_person(&w, "ben@example.com", 0);
	const uint32_t both = add(&w, OBJECT_SPACE, 0,
	                          PAIRS("name", "both", "ownerJid", "ann@example.com"));
	const uint32_t owned = add(&w, OBJECT_SPACE, 0,
	                           PAIRS("name", "owned", "ownerJid", "ANN@example.com"));
	const uint32_t joined = add(&w, OBJECT_SPACE, 0, PAIRS("name", "joined"));
	(void)add(&w, OBJECT_SPACE, 0, PAIRS("name", "other"));
	(void)add(&w, OBJECT_MEMBER, both, PAIRS("userJid", "ann@example.com"));
	(void)add(&w, OBJECT_MEMBER, joined, PAIRS("userJid", "Ann@Example.com"));
	EXPECT_STR(str_of(seen_by(&w, ann)), "both joined owned ");
	EXPECT_STR(str_of(seen_by(&w, ben)), "");
	EXPECT(member_owns(w.objects, ann, owned) && !member_owns(w.objects, ann, joined));
	EXPECT(member_entry(w.objects, ann, joined) != 0 && member_entry(w.objects, ann, owned) == 0);
	EXPECT(!member_sees(w.objects, ben, both) && !member_sees(w.objects, 0, both));
	/* An owner without a membership sees, and may nothing. */
	EXPECT_EQ(try_edit(&w, ann, OBJECT_SPACE, owned, "name", "x").verdict, MEMBER_NOT_ALLOWED);
	EXPECT_EQ(try_edit(&w, ben, OBJECT_SPACE, owned, "name", "x").verdict, MEMBER_UNSEEN);
	change(&w, OBJECT_SPACE, owned, PAIRS("ownerJid", "ben@example.com"));
	EXPECT_STR(str_of(seen_by(&w, ann)), "both joined ");
	EXPECT_STR(str_of(seen_by(&w, ben)), "owned ");
	meeting_destroy(w.meeting);
}

TEST(a_user_of_another_tenant_sees_nothing_here)
{
	struct world w = world_make();
	const uint32_t a = add(&w, OBJECT_TENANT, 0, PAIRS("name", "a"));
	const uint32_t b = add(&w, OBJECT_TENANT, 0, PAIRS("name", "b"));
	const uint32_t ann = add_person(&w, "ann@example.com", a);
	const uint32_t space = add(&w, OBJECT_SPACE, 0,
	                           PAIRS("name", "s", "tenant", id_of(&w, OBJECT_TENANT, a),
	                                 "ownerJid", "ann@example.com"));
	(void)add(&w, OBJECT_MEMBER, space,
	          PAIRS("userJid", "ann@example.com", "canDestroy", "true"));
	EXPECT_STR(str_of(seen_by(&w, ann)), "s ");
	EXPECT(meeting_member(w.meeting, space, STR("ann@example.com")) != 0);
	/* She changes the company; her memberships are still in the table. */
	struct object_edit edit = { .type = OBJECT_USER };
	const struct guid b_id = objects_id(w.objects, OBJECT_TENANT, b);
	int culprit = -1;
	edit_set_guid(&edit, USER_TENANT, &b_id);
	objects_begin(w.objects);
	EXPECT_EQ(objects_edit(w.objects, ann, &edit, &culprit), OBJECT_OK);
	objects_settled(w.objects, objects_end(w.objects).ticket, true);
	EXPECT_STR(str_of(seen_by(&w, ann)), "");
	EXPECT(!member_sees(w.objects, ann, space));
	EXPECT_EQ(meeting_member(w.meeting, space, STR("ann@example.com")), 0);
	EXPECT_EQ(try_remove(&w, ann, OBJECT_SPACE, space).verdict, MEMBER_UNSEEN);
	meeting_destroy(w.meeting);
}

TEST(each_right_opens_its_own_fields_and_no_other)
{
	static const struct {
		enum object_type type;
		const char *field;
		const char *value;
		const char *right; /* NULL: nobody may */
	} cases[] = {
		{ OBJECT_SPACE, "name", "new", "canChangeName" },
		{ OBJECT_SPACE, "uri", "new.uri", "canChangeUri" },
		{ OBJECT_SPACE, "secondaryUri", "second", "canChangeUri" },
		{ OBJECT_SPACE, "callId", "4711", "canChangeCallId" },
		{ OBJECT_SPACE, "passcode", "1234", "canChangePasscode" },
		{ OBJECT_SPACE, "regenerateSecret", "true", "canChangePasscode" },
		{ OBJECT_SPACE, "nonMemberAccess", "false", "canChangeNonMemberAccessAllowed" },
		{ OBJECT_SPACE, "callLegProfile", "", NULL },
		{ OBJECT_SPACE, "ownerJid", "ben@example.com", NULL },
		{ OBJECT_SPACE, "secret", "0123456789", NULL },
		{ OBJECT_SPACE, "tenant", "", NULL },
		{ OBJECT_SPACE, "streamUrl", "rtmp://x/y", NULL },
		{ OBJECT_METHOD, "name", "new", "canChangeName" },
		{ OBJECT_METHOD, "uri", "method.uri", "canChangeUri" },
		{ OBJECT_METHOD, "callId", "4712", "canChangeCallId" },
		{ OBJECT_METHOD, "passcode", "99", "canChangePasscode" },
		{ OBJECT_METHOD, "scope", "member", "canChangeScope" },
		{ OBJECT_METHOD, "importance", "3", NULL },
		{ OBJECT_METHOD, "callLegProfile", "", NULL },
		{ OBJECT_MEMBER, "canRemoveSelf", "false", "canAddRemoveMember" },
		{ OBJECT_MEMBER, "callLegProfile", "", NULL },
	};
	static const char *const rights[] = {
		"canDestroy", "canAddRemoveMember", "canChangeName", "canChangeUri",
		"canChangeCallId", "canChangePasscode", "canChangeScope", "canRemoveSelf",
		"canChangeNonMemberAccessAllowed",
	};
	struct world w = world_make();
	const uint32_t ann = add_person(&w, "ann@example.com", 0);
	(void)add_person(&w, "ben@example.com", 0);
	const uint32_t space = add(&w, OBJECT_SPACE, 0, PAIRS("callId", "1001"));
	const uint32_t method = add(&w, OBJECT_METHOD, space, PAIRS("uri", "m"));
	const uint32_t self = add(&w, OBJECT_MEMBER, space, PAIRS("userJid", "ann@example.com"));
	const uint32_t ben = add(&w, OBJECT_MEMBER, space, PAIRS("userJid", "ben@example.com"));
	for (size_t r = 0; r < COUNT_OF(rights); r++) {
		for (size_t i = 0; i < COUNT_OF(rights); i++)
			change(&w, OBJECT_MEMBER, self,
			       PAIRS(rights[i], i == r ? "true" : "false"));
		for (size_t i = 0; i < COUNT_OF(cases); i++) {
			const uint32_t handle = cases[i].type == OBJECT_SPACE    ? space
			                        : cases[i].type == OBJECT_METHOD ? method
			                                                         : ben;
			const struct member_answer answer = try_edit(
				&w, ann, cases[i].type, handle, cases[i].field, cases[i].value);
			if (cases[i].right == NULL)
				EXPECT_EQ(answer.reject, OBJECT_UNKNOWN_PARAMETER);
			else if (strcmp(cases[i].right, rights[r]) == 0)
				EXPECT_EQ(answer.verdict, MEMBER_DONE);
			else
				EXPECT_STR(str_of(object_field(OBJECT_MEMBER, answer.right)->name),
				           cases[i].right);
		}
	}
	meeting_destroy(w.meeting);
}

TEST(what_the_objects_refuse_the_user_is_refused_too)
{
	struct world w = world_make();
	const uint32_t ann = add_person(&w, "ann@example.com", 0);
	const uint32_t space = add(&w, OBJECT_SPACE, 0, PAIRS("uri", "mine"));
	(void)add(&w, OBJECT_SPACE, 0, PAIRS("uri", "taken"));
	(void)add(&w, OBJECT_MEMBER, space,
	          PAIRS("userJid", "ann@example.com", "canChangeUri", "true",
	                "canAddRemoveMember", "true"));
	struct member_answer answer = try_edit(&w, ann, OBJECT_SPACE, space, "uri", "TAKEN");
	EXPECT_EQ(answer.verdict, MEMBER_REJECTED);
	EXPECT_EQ(answer.reject, OBJECT_DUPLICATE_URI);
	answer = try_add(&w, ann, space, OBJECT_MEMBER, "userJid", "nobody@example.com");
	EXPECT_EQ(answer.reject, OBJECT_NO_REFERENCE);
	EXPECT_EQ(answer.culprit, MEMBER_JID);
	meeting_destroy(w.meeting);
}

TEST(nobody_gives_what_he_has_not)
{
	struct world w = world_make();
	const uint32_t ann = add_person(&w, "ann@example.com", 0);
	const uint32_t ben = add_person(&w, "ben@example.com", 0);
	(void)add_person(&w, "cem@example.com", 0);
	const uint32_t space = add(&w, OBJECT_SPACE, 0, PAIRS("ownerJid", "ann@example.com"));
	const uint32_t owner =
		add(&w, OBJECT_MEMBER, space,
	            PAIRS("userJid", "ann@example.com", "canAddRemoveMember", "true", "canDestroy",
	                  "true", "canRemoveSelf", "true"));
	const uint32_t of_ben =
		add(&w, OBJECT_MEMBER, space,
	            PAIRS("userJid", "ben@example.com", "canAddRemoveMember", "true",
	                  "canChangeName", "true"));
	/* A new member may have of his what he has. */
	struct object_edit edit = edit_of(OBJECT_MEMBER, FIELD_POST, "userJid", "cem@example.com");
	edit_set_number(&edit, MEMBER_CAN_CHANGE_NAME, 1);
	edit_set_number(&edit, MEMBER_CAN_DESTROY, 1);
	objects_begin(w.objects);
	struct member_answer answer = finish(&w, member_add(w.objects, ben, space, &edit));
	EXPECT_EQ(answer.verdict, MEMBER_NOT_ALLOWED);
	EXPECT_EQ(answer.right, MEMBER_CAN_DESTROY);
	edit_set_number(&edit, MEMBER_CAN_DESTROY, 0);
	objects_begin(w.objects);
	answer = finish(&w, member_add(w.objects, ben, space, &edit));
	EXPECT_EQ(answer.verdict, MEMBER_DONE);
	const uint32_t of_cem = answer.made;
	EXPECT_EQ(try_edit(&w, ben, OBJECT_MEMBER, of_ben, "canDestroy", "true").verdict,
	          MEMBER_NOT_ALLOWED);
	EXPECT_EQ(try_edit(&w, ben, OBJECT_MEMBER, of_cem, "canChangeName", "false").verdict,
	          MEMBER_DONE);
	/* The owner's membership is the owner's alone. */
	EXPECT_EQ(try_edit(&w, ben, OBJECT_MEMBER, owner, "canDestroy", "false").verdict,
	          MEMBER_NOT_ALLOWED);
	EXPECT_EQ(try_remove(&w, ben, OBJECT_MEMBER, owner).verdict, MEMBER_NOT_ALLOWED);
	EXPECT_EQ(try_edit(&w, ann, OBJECT_MEMBER, owner, "canRemoveSelf", "true").verdict,
	          MEMBER_DONE);
	/* Leaving is a right of its own. */
	EXPECT_EQ(try_remove(&w, ben, OBJECT_MEMBER, of_ben).right, MEMBER_CAN_REMOVE_SELF);
	EXPECT_EQ(try_remove(&w, ben, OBJECT_MEMBER, of_cem).verdict, MEMBER_DONE);
	EXPECT_EQ(try_remove(&w, ann, OBJECT_MEMBER, owner).verdict, MEMBER_DONE);
	EXPECT_EQ(try_remove(&w, ben, OBJECT_SPACE, space).right, MEMBER_CAN_DESTROY);
	meeting_destroy(w.meeting);
}

TEST(what_a_new_member_has_by_itself_is_no_way_around_that)
{
	const enum member_field opens = MEMBER_CAN_CHANGE_NON_MEMBER_ACCESS_ALLOWED;
	struct world w = world_make();
	const uint32_t ann = add_person(&w, "ann@example.com", 0);
	const uint32_t ben = add_person(&w, "ben@example.com", 0);
	const uint32_t cem = add_person(&w, "cem@example.com", 0);
	const uint32_t space = add(&w, OBJECT_SPACE, 0, PAIRS("name", "s"));
	const uint32_t of_ann =
		add(&w, OBJECT_MEMBER, space,
	            PAIRS("userJid", "ann@example.com", "canAddRemoveMember", "true",
	                  "canChangeNonMemberAccessAllowed", "false"));
	EXPECT_EQ(try_add(&w, ann, space, OBJECT_MEMBER, "userJid", "ben@example.com").verdict,
	          MEMBER_DONE);
	EXPECT(!member_may(w.objects, ben, space, opens));
	EXPECT_EQ(try_edit(&w, ben, OBJECT_SPACE, space, "nonMemberAccess", "true").right, opens);
	change(&w, OBJECT_MEMBER, of_ann, PAIRS("canChangeNonMemberAccessAllowed", "true"));
	EXPECT_EQ(try_add(&w, ann, space, OBJECT_MEMBER, "userJid", "cem@example.com").verdict,
	          MEMBER_DONE);
	EXPECT(member_may(w.objects, cem, space, opens));
	meeting_destroy(w.meeting);
}

TEST(a_scope_says_who_is_shown_an_access_method)
{
	struct world w = world_make();
	const uint32_t ann = add_person(&w, "ann@example.com", 0);
	const uint32_t ben = add_person(&w, "ben@example.com", 0);
	const uint32_t space = add(&w, OBJECT_SPACE, 0, PAIRS("ownerJid", "ann@example.com"));
	const uint32_t of_ben =
		add(&w, OBJECT_MEMBER, space,
	            PAIRS("userJid", "ben@example.com", "canChangeName", "true", "canChangeUri",
	                  "true", "canChangeCallId", "true"));
	const uint32_t open = add(&w, OBJECT_METHOD, space, PAIRS("uri", "a", "scope", "member"));
	const uint32_t hidden = add(&w, OBJECT_METHOD, space, PAIRS("uri", "b", "scope", "private"));
	EXPECT(member_sees_method(w.objects, ann, open) && member_sees_method(w.objects, ben, open));
	EXPECT(member_sees_method(w.objects, ann, hidden));
	EXPECT(!member_sees_method(w.objects, ben, hidden));
	EXPECT_EQ(try_edit(&w, ben, OBJECT_METHOD, hidden, "name", "x").verdict, MEMBER_UNSEEN);
	EXPECT_EQ(try_remove(&w, ben, OBJECT_METHOD, hidden).verdict, MEMBER_UNSEEN);
	change(&w, OBJECT_MEMBER, of_ben, PAIRS("canChangeScope", "true"));
	EXPECT(member_sees_method(w.objects, ben, hidden));
	EXPECT_EQ(try_remove(&w, ben, OBJECT_METHOD, hidden).verdict, MEMBER_DONE);
	EXPECT_EQ(try_add(&w, ben, space, OBJECT_METHOD, "uri", "c").verdict, MEMBER_DONE);
	change(&w, OBJECT_MEMBER, of_ben, PAIRS("canChangeCallId", "false"));
	EXPECT_EQ(try_add(&w, ben, space, OBJECT_METHOD, "uri", "d").right,
	          MEMBER_CAN_CHANGE_CALL_ID);
	EXPECT_EQ(try_remove(&w, ben, OBJECT_METHOD, open).right, MEMBER_CAN_CHANGE_CALL_ID);
	meeting_destroy(w.meeting);
}

TEST(a_space_is_made_by_who_was_given_the_template)
{
	struct world w = world_make();
	const uint32_t ann = add_person(&w, "ann@example.com", 0);
	const uint32_t ben = add_person(&w, "ben@example.com", 0);
	const uint32_t template = add(&w, OBJECT_SPACE_TEMPLATE, 0, PAIRS("name", "Team"));
	(void)add(&w, OBJECT_METHOD_TEMPLATE, template,
	          PAIRS("name", "Host", "uriGenerator", "h.$", "generateUniqueCallId", "true"));
	(void)add(&w, OBJECT_USER_TEMPLATE, ann,
	          PAIRS("coSpaceTemplate", id_of(&w, OBJECT_SPACE_TEMPLATE, template)));
	EXPECT_EQ(try_make(&w, ben, template).verdict, MEMBER_UNSEEN);
	EXPECT_EQ(try_make(&w, ann, 0).verdict, MEMBER_UNSEEN);
	const struct member_answer made = try_make(&w, ann, template);
	EXPECT_EQ(made.verdict, MEMBER_DONE);
	EXPECT_STR(str_of(seen_by(&w, ann)), "Mine ");
	EXPECT(member_owns(w.objects, ann, made.made));
	EXPECT_EQ(try_remove(&w, ann, OBJECT_SPACE, made.made).verdict, MEMBER_DONE);
	EXPECT_STR(str_of(seen_by(&w, ann)), "");
	meeting_destroy(w.meeting);
}

TEST(a_template_under_a_policy_gives_passcodes_that_are_long_enough)
{
	struct world w = world_make();
	const uint32_t ann = add_person(&w, "ann@example.com", 0);
	const uint32_t policy = add(&w, OBJECT_DIAL_IN_PROFILE, 0, PAIRS("minPasscodeLength", "6"));
	const uint32_t template =
		add(&w, OBJECT_SPACE_TEMPLATE, 0,
	            PAIRS("name", "Team", "dialInSecurityProfile",
	                  id_of(&w, OBJECT_DIAL_IN_PROFILE, policy)));
	(void)add(&w, OBJECT_METHOD_TEMPLATE, template,
	          PAIRS("name", "Host", "uriGenerator", "h.$", "generateUniqueCallId", "true"));
	(void)add(&w, OBJECT_METHOD_TEMPLATE, template,
	          PAIRS("name", "Guest", "uriGenerator", "g.$", "generateUniqueCallId", "true"));
	(void)add(&w, OBJECT_USER_TEMPLATE, ann,
	          PAIRS("coSpaceTemplate", id_of(&w, OBJECT_SPACE_TEMPLATE, template)));
	const struct member_answer made = try_make(&w, ann, template);
	EXPECT_EQ(made.verdict, MEMBER_DONE);
	struct str seen = { 0 };
	for (uint32_t method = 0; (method = objects_next_inside(w.objects, OBJECT_METHOD, made.made,
	                                                        method)) != 0;) {
		const struct str passcode =
			objects_text(w.objects, OBJECT_METHOD, method, METHOD_PASSCODE);
		EXPECT_EQ(passcode.len, 6);
		EXPECT(!str_eq(passcode, seen));
		seen = passcode;
	}
	EXPECT_EQ(seen.len, 6);
	meeting_destroy(w.meeting);
}

TEST(spaces_of_one_user_have_an_end)
{
	static struct prng prng;
	prng_init(&prng, 3);
	struct world w = { .now_us = 1000 };
	const struct meeting_settings settings = { .objects = { 600, 50, 512 * 1024 },
		                                   .limits = { 20, 20 },
		                                   .random = test_random,
		                                   .context = &prng };
	EXPECT_EQ(meeting_create(&w.meeting, &settings, w.now_us), 0);
	w.objects = meeting_objects(w.meeting);
	const uint32_t ann = add_person(&w, "ann@example.com", 0);
	const uint32_t template = add(&w, OBJECT_SPACE_TEMPLATE, 0, PAIRS("name", "Team"));
	(void)add(&w, OBJECT_USER_TEMPLATE, ann,
	          PAIRS("coSpaceTemplate", id_of(&w, OBJECT_SPACE_TEMPLATE, template)));
	for (unsigned i = 0; i < MEMBER_SPACES_MAX; i++)
		EXPECT_EQ(try_make(&w, ann, template).verdict, MEMBER_DONE);
	EXPECT_EQ(try_make(&w, ann, template).verdict, MEMBER_TOO_MANY);
	meeting_destroy(w.meeting);
}

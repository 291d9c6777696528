/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: nobody becomes somebody else by signing in elsewhere.  Method: users with names that clash in
 * every way that a directory allows. */
#include "meeting/identity.h"

#include "meeting/model_world.h"

static uint32_t
add_user(struct world *world, const char *jid, const char *authentication_id, uint32_t tenant)
{
	struct object_edit edit = { .type = OBJECT_USER };
	uint32_t user = 0;
	int culprit = -1;
	const struct guid id = objects_id(world->objects, OBJECT_TENANT, tenant);
	edit_set_text(&edit, USER_JID, str_of(jid));
	if (authentication_id != NULL)
		edit_set_text(&edit, USER_AUTHENTICATION_ID, str_of(authentication_id));
	if (tenant != 0)
		edit_set_guid(&edit, USER_TENANT, &id);
	objects_begin(world->objects);
	EXPECT_EQ(objects_add(world->objects, &edit, 0, &user, &culprit), OBJECT_OK);
	objects_settled(world->objects, objects_end(world->objects).ticket, true);
	return user;
}

TEST(who_signed_in_elsewhere_is_one_user_or_nobody)
{
	struct world world = world_make();
	const struct objects *objects = world.objects;
	const uint32_t tenant = add(&world, OBJECT_TENANT, 0, PAIRS("name", "Other"));
	const uint32_t ann = add_user(&world, "ann@example.com", NULL, 0);
	const uint32_t ben = add_user(&world, "ben@example.com", "b.kim", 0);
	const uint32_t cat = add_user(&world, "cat@example.com", "ann@example.com", tenant);
	(void)add_user(&world, "dan@example.com", "twin", 0);
	(void)add_user(&world, "eve@example.com", "TWIN", 0);

	EXPECT_EQ(identity_user(objects, 0, STR("Ann@Example.com")), ann);
	EXPECT_EQ(identity_user(objects, 0, STR("B.Kim")), ben);
	EXPECT_EQ(identity_user(objects, tenant, STR("ann@example.com")), cat);
	/* Known by something else. */
	EXPECT_EQ(identity_user(objects, 0, STR("ben@example.com")), 0);
	EXPECT_EQ(identity_user(objects, tenant, STR("cat@example.com")), 0);
	/* Of another tenant, or of none. */
	EXPECT_EQ(identity_user(objects, tenant, STR("b.kim")), 0);
	EXPECT_EQ(identity_user(objects, 0, STR("cat@example.com")), 0);
	EXPECT_EQ(identity_user(objects, 0, STR("twin")), 0);
	EXPECT_EQ(identity_user(objects, 0, STR("nobody")), 0);
	EXPECT_EQ(identity_user(objects, 0, STR("")), 0);
	meeting_destroy(world.meeting);
}

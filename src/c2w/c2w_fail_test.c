/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a message that finds no memory is refused, not half read.  Method: each allocation fails
 * once, the JSON library's too. */
#include <jansson.h>

#include "base/fail_at.h"
#include "base/test.h"
#include "c2w/c2w.h"

__attribute__((constructor)) static void
json_by_fail_at(void)
{
	json_set_alloc_funcs(fail_at_malloc, fail_at_free);
}

static bool
read_roster(void *context)
{
	(void)context;
	static const char json[] =
		"{\"type\":\"roster\",\"sessions\":[1,2],\"complete\":true,\"people\":["
		"{\"participant\":\"a\",\"name\":\"Ann\",\"talking\":true},"
		"{\"participant\":\"b\",\"gone\":true}]}";
	struct c2w_message message = { 0 };
	const enum c2w_reject reject = c2w_parse(&message, str_of(json), C2W_FROM_CALL_BRIDGE);
	if (reject == C2W_OK) {
		EXPECT_EQ(message.kind, C2W_ROSTER);
		EXPECT_EQ(message.roster.count, 2);
		c2w_message_fini(&message);
	}
	return reject == C2W_OK;
}

static bool
read_view(void *context)
{
	(void)context;
	static const char json[] = "{\"type\":\"view\",\"tiles\":[{\"mid\":\"2\",\"height\":360},"
				   "{\"mid\":\"3\",\"participant\":\"p\"}]}";
	struct c2w_message message = { 0 };
	const enum c2w_reject reject = c2w_parse(&message, str_of(json), C2W_FROM_BROWSER);
	if (reject == C2W_OK) {
		EXPECT_EQ(message.tiles.count, 2);
		EXPECT_EQ(message.tiles.tiles[0].height, 360);
		c2w_message_fini(&message);
	}
	return reject == C2W_OK;
}

TEST(a_message_without_memory_is_refused_whole)
{
	EXPECT(fail_at_each(read_roster, NULL) > 10);
	EXPECT(fail_at_each(read_view, NULL) > 5);
}

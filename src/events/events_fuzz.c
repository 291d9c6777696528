/* SPDX-License-Identifier: Apache-2.0 */
/* Any lines from a client, while people come, talk and go.  "CALL" in a line stands for the running
 * call.  What is sent is always one JSON object of the protocol, and nothing after a close. */
#include <jansson.h>
#include <stdlib.h>

#include "events/events_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct world world;

static void
check_frames(const struct world_client *client)
{
	const char *line = client->heard;
	for (const char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		json_t *root = json_loadb(line, (size_t)(end - line), JSON_REJECT_DUPLICATES, NULL);
		CHECK(json_is_object(root));
		CHECK(json_is_string(json_object_get(root, "type")));
		json_decref(root);
	}
}

static void
say(struct str line, uint32_t call)
{
	static char text[64 * 1024];
	char id[GUID_TEXT_LEN + 1];
	struct writer w = writer_of(text, sizeof text);
	guid_write(id, &meeting_call(world.meeting, call)->id);
	while (line.len != 0) {
		if (str_starts(line, STR("CALL"))) {
			writer_text(&w, id);
			line = str_sub(line, 4, line.len - 4);
		} else {
			writer_u8(&w, (uint8_t)line.at[0]);
			line = str_sub(line, 1, line.len - 1);
		}
	}
	if (!w.failed)
		events_input(world.events, world.clients[0].handle, writer_view(&w), world.now_us);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str rest = { (const char *)bytes, len };
	world_begin(&world);
	const uint32_t stays = world_join(&world, 0, "Ann");
	const uint32_t call = meeting_leg(world.meeting, stays)->call;
	world.clients[0].handle = events_open(world.events, 0, world.now_us);
	for (unsigned n = 0; rest.len != 0 && n < 64 && world.clients[0].code == 0; n++) {
		say(str_cut(&rest, '\n'), call);
		meeting_leg_talking(world.meeting, stays, (n & 1) == 0);
		const uint32_t other = world_join(&world, 0, "Ben");
		world_settle(&world);
		meeting_leg_ended(world.meeting, other, LEG_END_REMOTE_TEARDOWN, true,
		                  world.now_us);
		world_settle(&world);
	}
	check_frames(&world.clients[0]);
	world_end(&world);
	return 0;
}

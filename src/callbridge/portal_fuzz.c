/* SPDX-License-Identifier: Apache-2.0 */
/* A signed-in user, and a stranger, ask anything: one line a question, of which the first byte says by
 * what method, the rest is the path and, behind a blank, the body.  Each is answered exactly once, at
 * once or when the disk has said how it went; and what is answered is JSON. */
#include "callbridge/portal.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/prng.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const uint8_t jwt_key[JWT_KEY_BYTES] = "thirty-two bytes that are secret";
static struct objects *objects;
static char token[C2W_TOKEN_MAX + 1];
static unsigned answers;
static uint64_t committed;
static uint32_t checked;

static void
draw(void *context, void *out, size_t bytes)
{
	prng_bytes(context, out, bytes);
}

static void
web(void *context, unsigned link, const struct c2w_message *message)
{
	(void)context;
	CHECK(link == 1 && message->request == 7);
	answers++;
	if (message->kind == C2W_SIGNED_IN)
		CHECK(str_copy(token, sizeof token, message->signed_in.token));
	if (message->kind != C2W_TOLD)
		return;
	const struct str body = message->told.body;
	json_t *root = json_loadb(body.at, body.len, JSON_REJECT_DUPLICATES, NULL);
	CHECK(json_is_object(root) && message->told.status >= 200 && message->told.status < 600);
	json_decref(root);
}

static void
check(void *context, uint32_t ticket, uint32_t user, struct str password)
{
	(void)context;
	CHECK(user != 0 && password.len != 0);
	checked = ticket;
}

static int
commit(void *context, const struct object_tx *tx)
{
	(void)context;
	CHECK(tx->ticket != 0 && tx->len != 0);
	committed = tx->ticket;
	return 0;
}

static void
note(void *context, struct str text)
{
	(void)context;
	CHECK(str_find(text, '\n') == text.len);
}

static int64_t
wall(void *context)
{
	(void)context;
	return 1700000000;
}

static uint32_t
add(enum object_type type, uint32_t parent, unsigned field, const char *text, bool rights)
{
	struct object_edit edit = { .type = type };
	uint32_t handle = 0;
	int culprit = -1;
	edit_set_text(&edit, field, str_of(text));
	if (type == OBJECT_SPACE)
		edit_set_text(&edit, SPACE_CALL_ID, STR("1001"));
	for (unsigned i = MEMBER_CAN_DESTROY; rights && i < MEMBER_FIELDS; i++)
		edit_set_number(&edit, i, 1);
	objects_begin(objects);
	CHECK(objects_add(objects, &edit, parent, &handle, &culprit) == OBJECT_OK);
	objects_settled(objects, objects_end(objects).ticket, true);
	return handle;
}

/* The ids are always the same, for the seeds. */
static void
furnish(void)
{
	(void)add(OBJECT_USER, 0, USER_JID, "ann@example.com", false);
	(void)add(OBJECT_USER, 0, USER_JID, "ben@example.com", false);
	const uint32_t space = add(OBJECT_SPACE, 0, SPACE_NAME, "Team", false);
	(void)add(OBJECT_MEMBER, space, MEMBER_JID, "ann@example.com", true);
	(void)add(OBJECT_METHOD, space, METHOD_URI, "guests", false);
}

/* '1' to '9' in a path stand for the ids of the space and what is in it. */
static struct str
with_ids(struct writer *w, struct str path)
{
	static const enum object_type types[] = { OBJECT_SPACE, OBJECT_MEMBER, OBJECT_METHOD };
	for (size_t i = 0; i < path.len; i++) {
		const unsigned which = (unsigned)(path.at[i] - '1');
		uint32_t at = 0;
		char text[GUID_TEXT_LEN + 1];
		if (which >= COUNT_OF(types)) {
			writer_u8(w, (uint8_t)path.at[i]);
			continue;
		}
		const struct guid id = objects_id(objects, types[which],
		                                  objects_next(objects, types[which], &at));
		guid_write(text, &id);
		writer_text(w, text);
	}
	return writer_view(w);
}

static void
ask(struct portal *portal, struct str line, int64_t now_us)
{
	char path[C2W_PATH_MAX];
	struct writer w = writer_of(path, sizeof path);
	const char who = line.len != 0 ? line.at[0] : 0;
	struct str rest = line.len > 1 ? str_sub(line, 1, line.len - 1) : (struct str){ 0 };
	struct c2w_message message = { .kind = C2W_ASK, .request = 7 };
	answers = 0;
	committed = 0;
	checked = 0;
	if (who == 's') {
		message.kind = C2W_SIGN_IN;
		message.sign_in.username = str_cut(&rest, ' ');
		message.sign_in.password = rest.len != 0 ? rest : STR("x");
	} else {
		message.ask.method = (enum c2w_method)((uint8_t)who % C2W_METHODS);
		message.ask.token = who < 'a' ? (struct str){ 0 } : str_of(token);
		message.ask.path = with_ids(&w, str_cut(&rest, ' '));
		message.ask.body = rest;
		if (w.failed || message.ask.path.len == 0 || rest.len > C2W_ASK_MAX)
			return;
	}
	portal_message(portal, 1, 0, &message, now_us);
	if (checked != 0)
		portal_checked(portal, checked, (enum portal_check)(rest.len % 4), now_us);
	if (committed != 0) {
		const bool ok = rest.len % 8 != 7;
		objects_settled(objects, committed, ok);
		portal_settled(portal, committed, ok, now_us);
	}
	portal_tick(portal, now_us + PORTAL_WRONG_US + 2000);
	CHECK(answers == 1);
	CHECK(portal_deadline(portal) == INT64_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct prng prng;
	struct meeting *meeting = NULL;
	struct portal *portal = NULL;
	int64_t now_us = 1000;
	prng_init(&prng, 7);
	const struct meeting_settings model = { .objects = { 40, 20, 32 * 1024 },
		                                .limits = { 4, 4 },
		                                .random = draw,
		                                .context = &prng };
	if (meeting_create(&meeting, &model, now_us) != 0)
		return 0;
	objects = meeting_objects(meeting);
	furnish();
	struct portal_settings settings = {
		.meeting = meeting,
		.hash_key = { 1, 2 },
		.id = "5d6c2b9e-0000-4000-8000-000000000001",
		.jwt_hours = 1,
		.web_address = STR("https://meet.example.com"),
		.sip_domain = STR("example.com"),
		.sink = { .web = web, .check = check, .commit = commit, .log = note, .wall_s = wall },
	};
	memcpy(settings.jwt_key, jwt_key, sizeof jwt_key);
	if (portal_create(&portal, &settings, now_us) == 0) {
		portal_admit(portal, 1, 0, 7, objects_find_address(objects, OBJECT_USER,
		                                                   STR("ann@example.com")));
		for (struct str rest = { .at = (const char *)bytes, .len = len }; rest.len != 0;) {
			now_us += 3 * PORTAL_WRONG_US;
			ask(portal, str_cut(&rest, '\n'), now_us);
		}
	}
	portal_destroy(portal);
	meeting_destroy(meeting);
	return 0;
}

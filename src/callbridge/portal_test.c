/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: who gives the right password is let in, nobody else is, and nobody learns why; what a token's
 * user may see and do is done, kept before it is told, and never more than that.
 * Method: the portal with a directory and a disk made up here; what it says is compared as text. */
#include "callbridge/portal.h"

#include <stdio.h>

#include "base/check.h"
#include "base/fail_at.h"
#include "base/prng.h"
#include "base/test.h"

enum {
	SECOND = 1000 * 1000,
	NOW_S = 1700000000,
};

struct world {
	struct prng prng;
	struct meeting *meeting;
	struct objects *objects;
	struct portal *portal;
	int64_t now_us;
	int64_t now_s;
	uint32_t web_bridge;
	uint32_t checked;      /* tickets that wait for the directory */
	uint32_t check_user;
	uint32_t checks;
	bool disk_full;
	uint32_t sent_off;     /* tickets of who is to go to a provider, and who is back */
	uint32_t taken_back;
	char back[64];         /* what he is to come back to, or has brought back */
	uint64_t committed;    /* ticket that waits for the disk */
	uint32_t request;
	char told[C2W_TOLD_MAX + 256]; /* the newest message, "" when there is none */
	char token[C2W_TOKEN_MAX + 1];
	char logged[512];
	uint32_t ann;
	uint32_t ben;
};

static struct world world;

static const struct hash_key hash_key = { 1, 2 };
static const uint8_t jwt_key[JWT_KEY_BYTES] = "thirty-two bytes that are secret";

static void
draw(void *context, void *out, size_t len)
{
	prng_bytes(context, out, len);
}

static void
web(void *context, unsigned link, const struct c2w_message *message)
{
	struct writer w = writer_of(world.told, sizeof world.told - 1);
	(void)context;
	EXPECT_EQ(link, 3);
	EXPECT_EQ(message->request, world.request);
	if (message->kind == C2W_TOLD) {
		writer_format(&w, "%u %.*s", message->told.status, STR_ARGS(message->told.body));
	} else if (message->kind == C2W_SIGNED_IN) {
		EXPECT(str_copy(world.token, sizeof world.token, message->signed_in.token));
		writer_format(&w, "in %.*s <%.*s>", STR_ARGS(message->signed_in.name),
		              STR_ARGS(message->signed_in.jid));
	} else if (message->kind == C2W_ELSEWHERE) {
		writer_format(&w, "go %.*s %.*s", STR_ARGS(message->elsewhere.url),
		              STR_ARGS(message->elsewhere.state));
	} else {
		EXPECT_EQ(message->kind, C2W_REFUSED);
		writer_text(&w, c2w_refusal_name(message->refusal));
	}
	EXPECT(!w.failed);
	world.told[w.at] = '\0';
}

static void
check(void *context, uint32_t ticket, uint32_t user, struct str password)
{
	(void)context;
	EXPECT(password.len != 0);
	world.checked = ticket;
	world.check_user = user;
	world.checks++;
}

static void
send_off(void *context, uint32_t ticket, uint32_t provider, struct str back)
{
	(void)context;
	EXPECT(objects_alive(world.objects, OBJECT_OIDC_PROVIDER, provider));
	world.sent_off = ticket;
	str_copy(world.back, sizeof world.back, back);
}

static void
take_back(void *context, uint32_t ticket, const struct c2w_sign_in_elsewhere *wish)
{
	(void)context;
	world.taken_back = ticket;
	str_copy(world.back, sizeof world.back, wish->code);
}

static int
commit(void *context, const struct object_tx *tx)
{
	(void)context;
	if (world.disk_full) {
		objects_settled(world.objects, tx->ticket, false);
		return -1;
	}
	world.committed = tx->ticket;
	return 0;
}

static void
note(void *context, struct str text)
{
	(void)context;
	EXPECT(str_find(text, '\n') == text.len);
	str_copy(world.logged, sizeof world.logged, text);
}

static int64_t
wall(void *context)
{
	(void)context;
	return world.now_s;
}

static uint32_t
add(enum object_type type, uint32_t parent, const char *const *pairs)
{
	struct object_edit edit = { .type = type };
	uint32_t handle = 0;
	int culprit = -1;
	for (; *pairs != NULL; pairs += 2) {
		const unsigned how = FIELD_POST;
		EXPECT_EQ(object_edit_text(&edit, how, str_of(pairs[0]), str_of(pairs[1])),
		          OBJECT_OK);
	}
	objects_begin(world.objects);
	EXPECT_EQ(objects_add(world.objects, &edit, parent, &handle, &culprit), OBJECT_OK);
	objects_settled(world.objects, objects_end(world.objects).ticket, true);
	return handle;
}

#define PAIRS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static uint32_t
add_user(const char *jid, const char *name, uint32_t tenant)
{
	struct object_edit edit = { .type = OBJECT_USER };
	uint32_t user = 0;
	int culprit = -1;
	const struct guid id = objects_id(world.objects, OBJECT_TENANT, tenant);
	edit_set_text(&edit, USER_JID, str_of(jid));
	edit_set_text(&edit, USER_NAME, str_of(name));
	if (tenant != 0)
		edit_set_guid(&edit, USER_TENANT, &id);
	objects_begin(world.objects);
	EXPECT_EQ(objects_add(world.objects, &edit, 0, &user, &culprit), OBJECT_OK);
	objects_settled(world.objects, objects_end(world.objects).ticket, true);
	return user;
}

static void
change(enum object_type type, uint32_t handle, const char *name, const char *value)
{
	struct object_edit edit = { .type = type };
	int culprit = -1;
	EXPECT_EQ(object_edit_text(&edit, FIELD_PUT, str_of(name), str_of(value)), OBJECT_OK);
	objects_begin(world.objects);
	EXPECT_EQ(objects_edit(world.objects, handle, &edit, &culprit), OBJECT_OK);
	const struct object_tx tx = objects_end(world.objects);
	if (tx.ticket != 0)
		objects_settled(world.objects, tx.ticket, true);
}

static const char *
id_of(enum object_type type, uint32_t handle)
{
	static char texts[64][GUID_TEXT_LEN + 1]; /* more than any test asks for */
	static unsigned next;
	char *text = texts[next++ % COUNT_OF(texts)];
	const struct guid id = objects_id(world.objects, type, handle);
	guid_write(text, &id);
	return text;
}

static void
begin(void)
{
	world = (struct world){ .now_us = 1000 * (int64_t)SECOND, .now_s = NOW_S, .request = 1 };
	prng_init(&world.prng, 7);
	const struct meeting_settings meeting = { .objects = { 700, 60, 512 * 1024 },
		                                  .limits = { 20, 20 },
		                                  .random = draw,
		                                  .context = &world.prng };
	EXPECT_EQ(meeting_create(&world.meeting, &meeting, world.now_us), 0);
	world.objects = meeting_objects(world.meeting);
	struct portal_settings settings = {
		.meeting = world.meeting,
		.hash_key = hash_key,
		.id = "5d6c2b9e-0000-4000-8000-000000000001",
		.jwt_hours = 24,
		.web_address = STR("https://meet.example.com"),
		.sip_domain = STR("example.com"),
		.sink = { .web = web, .check = check, .send_off = send_off,
		          .take_back = take_back, .commit = commit, .log = note, .wall_s = wall },
	};
	memcpy(settings.jwt_key, jwt_key, sizeof jwt_key);
	EXPECT_EQ(portal_create(&world.portal, &settings, world.now_us), 0);
	world.web_bridge = add(OBJECT_WEB_BRIDGE, 0, PAIRS("url", "c2w://127.0.0.1:9999"));
	world.ann = add_user("ann@example.com", "Ann \"A\" Lee", 0);
	world.ben = add_user("ben@example.com", "Ben", 0);
}

static void
finish(void)
{
	portal_destroy(world.portal);
	meeting_destroy(world.meeting);
}

static void
pass(int64_t us)
{
	world.now_us += us;
	portal_tick(world.portal, world.now_us);
}

static void
sign_in_from(const char *address, const char *name, const char *password)
{
	struct c2w_message message = { .kind = C2W_SIGN_IN, .request = world.request };
	message.sign_in = (struct c2w_sign_in){ .username = str_of(name),
		                                .password = str_of(password),
		                                .address = str_of(address) };
	world.told[0] = '\0';
	world.checked = 0;
	portal_message(world.portal, 3, world.web_bridge, &message, world.now_us);
}

static void
sign_in(const char *name, const char *password)
{
	sign_in_from("192.0.2.1", name, password);
}

static void
signed_in(const char *name)
{
	sign_in(name, "secret");
	EXPECT(world.checked != 0);
	portal_checked(world.portal, world.checked, PORTAL_RIGHT, world.now_us);
	EXPECT(strncmp(world.told, "in ", 3) == 0);
}

#define TOLD(want) EXPECT_STR(str_of(world.told), want)

/* Asks with the newest token; "%s" of the path is filled in. */
static void
ask(enum c2w_method method, const char *path, const char *body)
{
	struct c2w_message message = { .kind = C2W_ASK, .request = world.request };
	message.ask = (struct c2w_ask){ .token = str_of(world.token), .method = method,
		                        .path = str_of(path), .body = str_of(body) };
	world.told[0] = '\0';
	world.committed = 0;
	portal_message(world.portal, 3, world.web_bridge, &message, world.now_us);
	world.now_us += SECOND / 2; /* a person's pace */
}

static void
get(const char *path)
{
	ask(C2W_METHOD_GET, path, "");
}

/* What is asked for is written: first silence, then the answer. */
static void
kept(enum c2w_method method, const char *path, const char *body)
{
	ask(method, path, body);
	TOLD("");
	EXPECT(world.committed != 0);
	objects_settled(world.objects, world.committed, true);
	portal_settled(world.portal, world.committed, true, world.now_us);
}

static const char *
path_of(const char *format, const char *first, const char *second)
{
	static char text[256];
	struct writer w = writer_of(text, sizeof text - 1);
	const char *ids[] = { first, second };
	unsigned at = 0;
	for (; *format != '\0'; format++) {
		if (*format == '#')
			writer_text(&w, ids[at++]);
		else
			writer_u8(&w, (uint8_t)*format);
	}
	text[w.at] = '\0';
	return text;
}

static uint32_t team(void);

/* ---- Signing in ---------------------------------------------------------------------------- */

TEST(the_right_password_opens_and_its_token_is_good_for_a_day)
{
	begin();
	sign_in("ANN@example.com", "secret");
	TOLD("");
	EXPECT_EQ(world.check_user, world.ann);
	portal_checked(world.portal, world.checked, PORTAL_RIGHT, world.now_us);
	TOLD("in Ann \"A\" Lee <ann@example.com>");
	EXPECT_STR(str_of(world.logged), "user \"ann@example.com\" has signed in to the web app");
	get("user");
	TOLD("200 {\"jid\":\"ann@example.com\",\"name\":\"Ann \\\"A\\\" Lee\"}");
	EXPECT_EQ(portal_user(world.meeting, world.web_bridge, str_of(world.token), jwt_key, NOW_S),
	          world.ann);
	world.now_s += 24 * 3600;
	get("user");
	TOLD("401 {\"error\":\"expired\"}");
	finish();
}

static void
sign_in_elsewhere(const char *provider, const char *state)
{
	struct c2w_message message = { .kind = C2W_SIGN_IN_ELSEWHERE, .request = world.request };
	message.sign_in_elsewhere =
		(struct c2w_sign_in_elsewhere){ .provider = str_of(provider),
		                                .back = STR("https://m/signin"),
		                                .state = str_of(state),
		                                .code = STR("c") };
	world.told[0] = '\0';
	portal_message(world.portal, 3, world.web_bridge, &message, world.now_us);
}

static uint32_t
add_provider(const char *name, const char *tenant)
{
	return add(OBJECT_OIDC_PROVIDER, 0,
	           PAIRS("name", name, "issuer", "https://idp.example.com", "clientId", "convoke",
	                 tenant != NULL ? "tenant" : "clientSecret",
	                 tenant != NULL ? tenant : "s"));
}

TEST(who_proved_elsewhere_who_he_is_signs_in)
{
	begin();
	const uint32_t provider = add_provider("Example", NULL);
	const char *const id = id_of(OBJECT_OIDC_PROVIDER, provider);
	sign_in_elsewhere(id, "");
	EXPECT_STR(str_of(world.back), "https://m/signin");
	portal_sent_off(world.portal, world.sent_off, STR("https://idp/?x"), STR("s1"));
	TOLD("go https://idp/?x s1");
	sign_in_elsewhere("", "s1");
	EXPECT_STR(str_of(world.back), "c");
	portal_proved(world.portal, world.taken_back, world.ann, C2W_REFUSALS);
	TOLD("in Ann \"A\" Lee <ann@example.com>");
	/* Each is told once. */
	world.told[0] = '\0';
	portal_proved(world.portal, world.taken_back, world.ann, C2W_REFUSALS);
	TOLD("");
	sign_in_elsewhere("", "s2");
	portal_proved(world.portal, world.taken_back, 0, C2W_REFUSAL_NOT_PROVEN);
	TOLD("notProven");
	sign_in_elsewhere(id, "");
	portal_proved(world.portal, world.sent_off, 0, C2W_REFUSAL_NO_DIRECTORY);
	TOLD("noDirectory");
	finish();
}

TEST(providers_are_those_of_the_web_bridges_tenant)
{
	char want[256];
	begin();
	const uint32_t tenant = add(OBJECT_TENANT, 0, PAIRS("name", "T"));
	const uint32_t ours = add_provider("Ours", NULL);
	const uint32_t theirs = add_provider("Theirs", id_of(OBJECT_TENANT, tenant));
	get("options");
	snprintf(want, sizeof want,
	         "200 {\"signIn\":true,\"guests\":true,\"providers\":[{\"id\":\"%s\",\"name\":\"Ours\"},"
	         "{\"id\":\"%s\",\"name\":\"Theirs\"}]}",
	         id_of(OBJECT_OIDC_PROVIDER, ours), id_of(OBJECT_OIDC_PROVIDER, theirs));
	TOLD(want);
	change(OBJECT_WEB_BRIDGE, world.web_bridge, "tenant", id_of(OBJECT_TENANT, tenant));
	get("options");
	snprintf(want, sizeof want,
	         "200 {\"signIn\":true,\"guests\":true,\"providers\":[{\"id\":\"%s\","
	         "\"name\":\"Theirs\"}]}",
	         id_of(OBJECT_OIDC_PROVIDER, theirs));
	TOLD(want);
	sign_in_elsewhere(id_of(OBJECT_OIDC_PROVIDER, ours), "");
	TOLD("noSignIn");
	sign_in_elsewhere("no guid", "");
	TOLD("noSignIn");
	/* Of another tenant than the web bridge's: nobody's business here. */
	sign_in_elsewhere("", "s");
	portal_proved(world.portal, world.taken_back, world.ann, C2W_REFUSALS);
	TOLD("noSignIn");
	finish();
}

TEST(whatever_is_wrong_is_told_in_the_same_words_and_the_same_time)
{
	static const char *const names[] = { "ann@example.com", "nobody@example.com", "ann", "*",
		                             "ann@example.com )(uid=*", "\x01" };
	begin();
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		sign_in(names[i], "wrong");
		if (world.checked != 0)
			portal_checked(world.portal, world.checked, PORTAL_WRONG, world.now_us + 1000);
		TOLD("");
		pass(PORTAL_WRONG_US - 2000);
		TOLD("");
		pass(4000);
		TOLD("wrongLogin");
	}
	EXPECT_EQ(world.checks, 1);
	/* A directory that takes its time is waited for, and names it was not asked about take as long. */
	sign_in("ann@example.com", "wrong");
	pass(5 * SECOND);
	portal_checked(world.portal, world.checked, PORTAL_WRONG, world.now_us);
	pass(1);
	TOLD("wrongLogin");
	sign_in("nobody2@example.com", "wrong");
	pass(5 * SECOND - 3000);
	TOLD("");
	pass(6000);
	TOLD("wrongLogin");
	EXPECT(portal_deadline(world.portal) == INT64_MAX);
	finish();
}

TEST(a_directory_that_is_away_is_away_for_every_name)
{
	begin();
	sign_in("ann@example.com", "secret");
	portal_checked(world.portal, world.checked, PORTAL_UNREACHABLE, world.now_us);
	pass(2 * SECOND);
	TOLD("noDirectory");
	sign_in("nobody@example.com", "secret");
	pass(2 * SECOND);
	TOLD("noDirectory");
	sign_in("ann@example.com", "secret");
	portal_checked(world.portal, world.checked, PORTAL_EXPIRED, world.now_us);
	pass(2 * SECOND);
	TOLD("passwordExpired");
	sign_in("nobody@example.com", "secret");
	pass(2 * SECOND);
	TOLD("wrongLogin");
	finish();
}

static void
guess_from(const char *address)
{
	sign_in_from(address, "ann@example.com", "guess");
	EXPECT(world.checked != 0);
	portal_checked(world.portal, world.checked, PORTAL_WRONG, world.now_us);
	pass(PORTAL_WRONG_US);
	TOLD("wrongLogin");
}

TEST(who_guesses_at_one_address_locks_nobody_out_at_another)
{
	begin();
	for (unsigned i = 0; i < PORTAL_GUESSES_MAX; i++)
		guess_from("198.51.100.7");
	sign_in_from("198.51.100.7", "ann@example.com", "secret");
	TOLD("lockedOut");
	signed_in("ann@example.com");
	finish();
}

TEST(who_guesses_at_very_many_addresses_is_stopped_all_the_same)
{
	char address[32];
	begin();
	for (unsigned i = 0; i < PORTAL_GUESSES_ALL_MAX; i++) {
		snprintf(address, sizeof address, "198.51.100.%u", i);
		sign_in_from(address, "ann@example.com", "guess");
		EXPECT(world.checked != 0);
		portal_checked(world.portal, world.checked, PORTAL_WRONG, world.now_us);
		if (i % 20 == 19)
			pass(PORTAL_WRONG_US);
	}
	sign_in("ann@example.com", "secret");
	TOLD("lockedOut");
	pass(PORTAL_GUESS_US);
	signed_in("ann@example.com");
	finish();
}

TEST(who_guesses_one_name_is_locked_out_for_a_while)
{
	begin();
	for (unsigned i = 0; i < PORTAL_GUESSES_MAX; i++) {
		sign_in(i % 2 == 0 ? "ann@example.com" : "ANN@EXAMPLE.COM", "guess");
		EXPECT(world.checked != 0);
		portal_checked(world.portal, world.checked, PORTAL_WRONG, world.now_us);
		pass(2 * SECOND);
		TOLD("wrongLogin");
	}
	sign_in("ann@example.com", "secret");
	TOLD("lockedOut");
	EXPECT_EQ(world.checked, 0);
	sign_in("ben@example.com", "secret");
	EXPECT(world.checked != 0);
	pass(PORTAL_GUESS_US);
	signed_in("ann@example.com");
	/* And a right one forgives all. */
	sign_in("ann@example.com", "guess");
	EXPECT(world.checked != 0);
	finish();
}

TEST(names_that_nobody_has_are_locked_out_alike)
{
	begin();
	for (unsigned i = 0; i < PORTAL_GUESSES_MAX; i++)
		sign_in("nobody@example.com", "guess");
	sign_in("nobody@example.com", "guess");
	TOLD("lockedOut");
	finish();
}

TEST(tries_at_once_count_before_they_are_answered)
{
	begin();
	for (unsigned i = 0; i < PORTAL_GUESSES_MAX; i++)
		sign_in("ann@example.com", "guess");
	EXPECT_EQ(world.checks, PORTAL_GUESSES_MAX);
	sign_in("ann@example.com", "guess");
	TOLD("lockedOut");
	finish();
}

TEST(more_sign_ins_than_places_are_told_to_wait)
{
	char name[32];
	begin();
	(void)team();
	signed_in("ann@example.com");
	for (unsigned i = 0; i < PORTAL_SIGN_INS_MAX; i++) {
		snprintf(name, sizeof name, "n%u@example.com", i);
		sign_in(name, "guess");
		TOLD("");
	}
	sign_in("ann@example.com", "secret");
	TOLD("busy");
	/* Who is in already does not feel it. */
	get("cospaces");
	const char *at = strstr(world.told, "\"id\":\"");
	EXPECT(at != NULL);
	char id[GUID_TEXT_LEN + 1];
	str_copy(id, sizeof id, (struct str){ at + 6, GUID_TEXT_LEN });
	kept(C2W_METHOD_PUT, path_of("cospaces/#", id, ""), "{\"name\":\"New\"}");
	TOLD("200 {}");
	portal_link_down(world.portal, 3);
	signed_in("ann@example.com");
	finish();
}

TEST(so_are_those_at_identity_providers)
{
	begin();
	(void)team();
	const uint32_t provider = add_provider("Slow", NULL);
	signed_in("ann@example.com");
	for (unsigned i = 0; i < PORTAL_SIGN_INS_MAX; i++) {
		sign_in_elsewhere(id_of(OBJECT_OIDC_PROVIDER, provider), "");
		TOLD("");
	}
	sign_in_elsewhere(id_of(OBJECT_OIDC_PROVIDER, provider), "");
	TOLD("busy");
	sign_in("ann@example.com", "secret");
	TOLD("busy");
	finish();
}

TEST(a_web_bridge_lets_in_whom_its_profile_and_tenant_say)
{
	begin();
	const uint32_t tenant = add(OBJECT_TENANT, 0, PAIRS("name", "t"));
	(void)add_user("tom@example.com", "Tom", tenant);
	signed_in("ann@example.com");
	change(OBJECT_WEB_BRIDGE, world.web_bridge, "tenant", id_of(OBJECT_TENANT, tenant));
	sign_in("ann@example.com", "secret");
	EXPECT_EQ(world.checked, 0);
	pass(2 * SECOND);
	TOLD("wrongLogin");
	/* Her token is no good here either. */
	get("user");
	TOLD("401 {\"error\":\"expired\"}");
	get("options");
	TOLD("200 {\"signIn\":true,\"guests\":true,\"providers\":[]}");
	signed_in("tom@example.com");
	const uint32_t profile = add(OBJECT_WEB_PROFILE, 0, PAIRS("userPortalEnabled", "false"));
	change(OBJECT_WEB_BRIDGE, world.web_bridge, "webBridgeProfile",
	       id_of(OBJECT_WEB_PROFILE, profile));
	sign_in("tom@example.com", "secret");
	TOLD("noSignIn");
	get("user");
	TOLD("401 {\"error\":\"expired\"}");
	get("options");
	TOLD("200 {\"signIn\":false,\"guests\":true,\"providers\":[]}");
	finish();
}

TEST(an_identity_that_another_way_proved_is_let_in_the_same)
{
	begin();
	portal_admit(world.portal, 3, world.web_bridge, world.request, world.ben);
	TOLD("in Ben <ben@example.com>");
	get("user");
	TOLD("200 {\"jid\":\"ben@example.com\",\"name\":\"Ben\"}");
	portal_admit(world.portal, 3, world.web_bridge, world.request, 0);
	TOLD("noSignIn");
	finish();
}

TEST(only_the_token_of_a_sign_in_of_somebody_who_is_there_is_good)
{
	struct jwt_claims claims = { .guest = STR("guest1"), .name = STR("Ann"),
		                     .space = STR("s"), .issued_s = NOW_S, .expires_s = NOW_S + 60 };
	struct writer w;
	begin();
	claims.user = str_of(id_of(OBJECT_USER, world.ann));
	w = writer_of(world.token, sizeof world.token - 1);
	jwt_write(&w, &claims, jwt_key);
	world.token[w.at] = '\0';
	get("user"); /* that of a participant */
	TOLD("401 {\"error\":\"expired\"}");
	signed_in("ann@example.com");
	objects_begin(world.objects);
	EXPECT_EQ(objects_remove(world.objects, OBJECT_USER, world.ann), OBJECT_OK);
	objects_settled(world.objects, objects_end(world.objects).ticket, true);
	get("user");
	TOLD("401 {\"error\":\"expired\"}");
	str_copy(world.token, sizeof world.token, STR("a.b.c"));
	get("cospaces");
	TOLD("401 {\"error\":\"expired\"}");
	world.token[0] = '\0';
	get("cospaces");
	TOLD("401 {\"error\":\"expired\"}");
	finish();
}

/* ---- Spaces -------------------------------------------------------------------------------- */

static uint32_t
team(void)
{
	const uint32_t space =
		add(OBJECT_SPACE, 0,
	            PAIRS("name", "Team", "uri", "team", "callId", "1001", "secret", "secret-of-it",
	                  "passcode", "77", "ownerJid", "ann@example.com"));
	(void)add(OBJECT_MEMBER, space,
	          PAIRS("userJid", "ann@example.com", "canDestroy", "true", "canAddRemoveMember",
	                "true", "canChangeName", "true", "canChangeUri", "true", "canChangeCallId",
	                "true", "canChangePasscode", "true", "canChangeScope", "true"));
	return space;
}

TEST(a_member_sees_all_of_a_space_and_a_stranger_nothing)
{
	char want[1024];
	begin();
	const uint32_t space = team();
	const uint32_t method = add(OBJECT_METHOD, space,
	                            PAIRS("name", "Guests", "uri", "team.guest", "callId", "2002",
	                                  "secret", "guest-secret", "scope", "private"));
	const char *id = id_of(OBJECT_SPACE, space);
	signed_in("ann@example.com");
	get("cospaces");
	snprintf(want, sizeof want,
	         "200 {\"cospaces\":[{\"id\":\"%s\",\"name\":\"Team\",\"owner\":true,\"callId\":\"1001\","
	         "\"uri\":\"team\"}],\"total\":1}",
	         id);
	TOLD(want);
	get(path_of("cospaces/#", id, ""));
	snprintf(want, sizeof want,
	         "200 {\"id\":\"%s\",\"name\":\"Team\",\"uri\":\"team\",\"callId\":\"1001\","
	         "\"passcode\":\"77\",\"nonMemberAccess\":true,\"ownerJid\":\"ann@example.com\","
	         "\"videoAddress\":\"team@example.com\","
	         "\"link\":\"https://meet.example.com/meeting/1001?secret=secret-of-it\","
	         "\"owner\":true,\"participants\":0,\"members\":1,"
	         "\"rights\":[\"canDestroy\",\"canAddRemoveMember\",\"canChangeName\","
	         "\"canChangeNonMemberAccessAllowed\",\"canChangeUri\",\"canChangeCallId\","
	         "\"canChangePasscode\",\"canChangeScope\"],"
	         "\"accessMethods\":[{\"id\":\"%s\",\"name\":\"Guests\",\"uri\":\"team.guest\","
	         "\"callId\":\"2002\",\"scope\":\"private\",\"videoAddress\":\"team.guest@example.com\","
	         "\"link\":\"https://meet.example.com/meeting/2002?secret=guest-secret\"}]}",
	         id, id_of(OBJECT_METHOD, method));
	TOLD(want);
	signed_in("ben@example.com");
	get("cospaces");
	TOLD("200 {\"cospaces\":[],\"total\":0}");
	static const struct {
		enum c2w_method method;
		const char *path;
	} others[] = {
		{ C2W_METHOD_GET, "cospaces/#" },
		{ C2W_METHOD_PUT, "cospaces/#" },
		{ C2W_METHOD_DELETE, "cospaces/#" },
		{ C2W_METHOD_GET, "cospaces/#/members" },
		{ C2W_METHOD_POST, "cospaces/#/members" },
		{ C2W_METHOD_POST, "cospaces/#/accessMethods" },
		{ C2W_METHOD_POST, "cospaces/#/emailInvitation" },
		{ C2W_METHOD_PUT, "cospaces/#/accessMethods/#" },
		{ C2W_METHOD_DELETE, "cospaces/#/accessMethods/#" },
		{ C2W_METHOD_POST, "cospaces/#/accessMethods/#/emailInvitation" },
		{ C2W_METHOD_GET, "cospaces/00000000-0000-4000-8000-000000000000" },
	};
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		ask(others[i].method, path_of(others[i].path, id, id_of(OBJECT_METHOD, method)), "{}");
		TOLD("404 {\"error\":\"notFound\"}");
	}
	/* As a plain member he sees it, but for what is private. */
	(void)add(OBJECT_MEMBER, space, PAIRS("userJid", "ben@example.com"));
	get(path_of("cospaces/#", id, ""));
	EXPECT(strstr(world.told, "\"accessMethods\":[]}") != NULL);
	EXPECT(strstr(world.told, "\"rights\":[\"canChangeNonMemberAccessAllowed\"]") != NULL);
	ask(C2W_METHOD_POST,
	    path_of("cospaces/#/accessMethods/#/emailInvitation", id, id_of(OBJECT_METHOD, method)),
	    "");
	TOLD("404 {\"error\":\"notFound\"}");
	finish();
}

TEST(a_default_access_method_that_is_private_stands_in_no_list)
{
	begin();
	const uint32_t space = team();
	const uint32_t method = add(OBJECT_METHOD, space,
	                            PAIRS("uri", "hosts", "callId", "2002", "scope", "private"));
	change(OBJECT_SPACE, space, "defaultAccessMethod", id_of(OBJECT_METHOD, method));
	(void)add(OBJECT_MEMBER, space, PAIRS("userJid", "ben@example.com"));
	signed_in("ann@example.com");
	get("cospaces");
	EXPECT(strstr(world.told, "\"callId\":\"2002\",\"uri\":\"hosts\"") != NULL);
	signed_in("ben@example.com");
	get("cospaces");
	EXPECT(strstr(world.told, "\"callId\":\"1001\",\"uri\":\"team\"") != NULL);
	EXPECT(strstr(world.told, "2002") == NULL && strstr(world.told, "hosts") == NULL);
	finish();
}

TEST(a_change_is_told_when_it_is_kept_and_not_before)
{
	begin();
	const uint32_t space = team();
	const char *id = id_of(OBJECT_SPACE, space);
	signed_in("ann@example.com");
	kept(C2W_METHOD_PUT, path_of("cospaces/#", id, ""), "{\"name\":\"New\",\"passcode\":null}");
	TOLD("200 {}");
	EXPECT_STR(objects_text(world.objects, OBJECT_SPACE, space, SPACE_NAME), "New");
	EXPECT_EQ(objects_text(world.objects, OBJECT_SPACE, space, SPACE_PASSCODE).len, 0);
	EXPECT(strstr(world.logged, "user \"ann@example.com\" modified space ") != NULL);
	kept(C2W_METHOD_PUT, path_of("cospaces/#", id, ""), "{}");
	TOLD("200 {}");
	/* The disk says no, at once or later: the user hears so, and it is as it was. */
	world.disk_full = true;
	ask(C2W_METHOD_PUT, path_of("cospaces/#", id, ""), "{\"name\":\"Lost\"}");
	TOLD("503 {\"error\":\"notKept\"}");
	EXPECT_STR(objects_text(world.objects, OBJECT_SPACE, space, SPACE_NAME), "New");
	world.disk_full = false;
	ask(C2W_METHOD_PUT, path_of("cospaces/#", id, ""), "{\"name\":\"Lost\"}");
	objects_settled(world.objects, world.committed, false);
	portal_settled(world.portal, world.committed, false, world.now_us);
	TOLD("503 {\"error\":\"notKept\"}");
	EXPECT_STR(objects_text(world.objects, OBJECT_SPACE, space, SPACE_NAME), "New");
	kept(C2W_METHOD_DELETE, path_of("cospaces/#", id, ""), "");
	TOLD("200 {}");
	EXPECT(!objects_alive(world.objects, OBJECT_SPACE, space));
	finish();
}

TEST(a_space_is_made_from_a_template_of_the_user)
{
	begin();
	const uint32_t template = add(OBJECT_SPACE_TEMPLATE, 0,
	                              PAIRS("name", "Team", "description", "With a host"));
	(void)add(OBJECT_METHOD_TEMPLATE, template,
	          PAIRS("name", "Host", "uriGenerator", "host.$", "generateUniqueCallId", "true"));
	(void)add(OBJECT_USER_TEMPLATE, world.ann,
	          PAIRS("coSpaceTemplate", id_of(OBJECT_SPACE_TEMPLATE, template)));
	char body[256];
	char want[256];
	const char *id = id_of(OBJECT_SPACE_TEMPLATE, template);
	signed_in("ann@example.com");
	get("coSpaceTemplates");
	snprintf(want, sizeof want,
	         "200 {\"coSpaceTemplates\":[{\"id\":\"%s\",\"name\":\"Team\",\"description\":\"With a "
	         "host\"}]}",
	         id);
	TOLD(want);
	snprintf(body, sizeof body, "{\"coSpaceTemplateId\":\"%s\",\"name\":\"Mine\"}", id);
	kept(C2W_METHOD_POST, "cospaces", body);
	EXPECT(strncmp(world.told, "201 {\"id\":\"", 11) == 0);
	get("cospaces");
	EXPECT(strstr(world.told, "\"name\":\"Mine\"") != NULL && strstr(world.told, "\"total\":1") != NULL);
	ask(C2W_METHOD_POST, "cospaces", "{\"name\":\"Mine\"}");
	TOLD("400 {\"error\":\"missing\",\"field\":\"coSpaceTemplateId\"}");
	snprintf(body, sizeof body, "{\"coSpaceTemplateId\":\"%s\",\"name\":\"\"}", id);
	ask(C2W_METHOD_POST, "cospaces", body);
	TOLD("400 {\"error\":\"missing\",\"field\":\"name\"}");
	signed_in("ben@example.com");
	snprintf(body, sizeof body, "{\"coSpaceTemplateId\":\"%s\",\"name\":\"Mine\"}", id);
	ask(C2W_METHOD_POST, "cospaces", body);
	TOLD("404 {\"error\":\"notFound\"}");
	get("coSpaceTemplates");
	TOLD("200 {\"coSpaceTemplates\":[]}");
	finish();
}

TEST(members_come_and_go_by_who_may)
{
	char want[512];
	char id[GUID_TEXT_LEN + 1];
	begin();
	const uint32_t space = team();
	str_copy(id, sizeof id, str_of(id_of(OBJECT_SPACE, space)));
	signed_in("ann@example.com");
	kept(C2W_METHOD_POST, path_of("cospaces/#/members", id, ""),
	     "{\"userJid\":\"ben@example.com\",\"canChangeName\":true}");
	EXPECT(strncmp(world.told, "201 ", 4) == 0);
	get(path_of("cospaces/#/members?offset=1", id, ""));
	const uint32_t ben = objects_next_inside(world.objects, OBJECT_MEMBER, space,
	                                         objects_next_inside(world.objects, OBJECT_MEMBER,
	                                                             space, 0));
	snprintf(want, sizeof want,
	         "200 {\"members\":[{\"id\":\"%s\",\"userJid\":\"ben@example.com\",\"name\":\"Ben\","
	         "\"owner\":false,\"self\":false,\"rights\":[\"canChangeName\","
	         "\"canChangeNonMemberAccessAllowed\"]}],\"total\":2}",
	         id_of(OBJECT_MEMBER, ben));
	TOLD(want);
	ask(C2W_METHOD_POST, path_of("cospaces/#/members", id, ""),
	    "{\"userJid\":\"ben@example.com\"}");
	TOLD("409 {\"error\":\"alreadyMember\",\"field\":\"userJid\"}");
	ask(C2W_METHOD_POST, path_of("cospaces/#/members", id, ""),
	    "{\"userJid\":\"nobody@example.com\"}");
	TOLD("400 {\"error\":\"unknownUser\",\"field\":\"userJid\"}");
	ask(C2W_METHOD_POST, path_of("cospaces/#/members", id, ""), "{}");
	TOLD("400 {\"error\":\"missing\",\"field\":\"userJid\"}");
	char member[GUID_TEXT_LEN + 1];
	str_copy(member, sizeof member, str_of(id_of(OBJECT_MEMBER, ben)));
	kept(C2W_METHOD_PUT, path_of("cospaces/#/members/#", id, member),
	     "{\"canChangeName\":false}");
	TOLD("200 {}");
	signed_in("ben@example.com");
	ask(C2W_METHOD_PUT, path_of("cospaces/#", id, ""), "{\"name\":\"x\"}");
	TOLD("403 {\"error\":\"notAllowed\",\"right\":\"canChangeName\"}");
	ask(C2W_METHOD_DELETE, path_of("cospaces/#/members/#", id, member), "");
	TOLD("403 {\"error\":\"notAllowed\",\"right\":\"canRemoveSelf\"}");
	signed_in("ann@example.com");
	kept(C2W_METHOD_DELETE, path_of("cospaces/#/members/#", id, member), "");
	TOLD("200 {}");
	ask(C2W_METHOD_DELETE, path_of("cospaces/#/members/#", id, member), "");
	TOLD("404 {\"error\":\"notFound\"}");
	finish();
}

TEST(access_methods_and_their_invitations)
{
	char id[GUID_TEXT_LEN + 1];
	char method[GUID_TEXT_LEN + 1];
	begin();
	const uint32_t space = team();
	(void)add(OBJECT_SPACE, 0, PAIRS("callId", "4004"));
	str_copy(id, sizeof id, str_of(id_of(OBJECT_SPACE, space)));
	signed_in("ann@example.com");
	kept(C2W_METHOD_POST, path_of("cospaces/#/accessMethods", id, ""),
	     "{\"name\":\"Guests\",\"callId\":3003,\"passcode\":\"12\",\"scope\":\"member\"}");
	const uint32_t made = objects_next_inside(world.objects, OBJECT_METHOD, space, 0);
	str_copy(method, sizeof method, str_of(id_of(OBJECT_METHOD, made)));
	ask(C2W_METHOD_POST, path_of("cospaces/#/accessMethods/#/emailInvitation", id, method),
	    "{\"language\":\"fr_FR\"}");
	EXPECT(strncmp(world.told, "200 {\"language\":\"fr_FR\",\"text\":\"", 31) == 0);
	EXPECT(strstr(world.told, "/meeting/3003?secret=") != NULL);
	EXPECT(strstr(world.told, ": 12\\n\"}") != NULL);
	ask(C2W_METHOD_POST, path_of("cospaces/#/emailInvitation", id, ""), "{}");
	EXPECT(strstr(world.told, "team@example.com\\n") != NULL);
	kept(C2W_METHOD_PUT, path_of("cospaces/#/accessMethods/#", id, method),
	     "{\"passcode\":\"\",\"scope\":\"public\"}");
	ask(C2W_METHOD_PUT, path_of("cospaces/#/accessMethods/#", id, method),
	    "{\"passcode\":\"no digits\"}");
	TOLD("400 {\"error\":\"invalidValue\",\"field\":\"passcode\"}");
	ask(C2W_METHOD_PUT, path_of("cospaces/#/accessMethods/#", id, method), "{\"callId\":\"4004\"}");
	TOLD("409 {\"error\":\"taken\",\"field\":\"callId\"}");
	ask(C2W_METHOD_PUT, path_of("cospaces/#/accessMethods/#", id, method), "{\"callLegProfile\":\"\"}");
	TOLD("400 {\"error\":\"invalidValue\",\"field\":\"callLegProfile\"}");
	kept(C2W_METHOD_DELETE, path_of("cospaces/#/accessMethods/#", id, method), "");
	TOLD("200 {}");
	finish();
}

TEST(people_and_open_spaces_are_found_within_the_tenant)
{
	begin();
	const uint32_t tenant = add(OBJECT_TENANT, 0, PAIRS("name", "t"));
	(void)add_user("annabel@other.example", "Annabel", tenant);
	const uint32_t space = add(OBJECT_SPACE, 0, PAIRS("name", "Open house"));
	const uint32_t theirs =
		add(OBJECT_SPACE, 0,
	            PAIRS("name", "Open theirs", "tenant", id_of(OBJECT_TENANT, tenant)));
	(void)add(OBJECT_METHOD, space, PAIRS("uri", "open", "scope", "directory"));
	(void)add(OBJECT_METHOD, space, PAIRS("uri", "shut", "scope", "public"));
	(void)add(OBJECT_METHOD, theirs, PAIRS("uri", "open", "scope", "directory"));
	signed_in("ben@example.com");
	get("userLookup?query=ANN");
	TOLD("200 {\"users\":[{\"userJid\":\"ann@example.com\",\"name\":\"Ann \\\"A\\\" Lee\"}]}");
	get("userLookup?query=%41");
	TOLD("200 {\"users\":[]}");
	get("userLookup?query=%ff%ff");
	TOLD("200 {\"users\":[]}");
	get("cospaceLookup?x=1&query=open+");
	TOLD("200 {\"cospaces\":[{\"name\":\"Open house\",\"uri\":\"open\"}]}");
	finish();
}

TEST(lists_come_in_pages)
{
	begin();
	for (unsigned i = 0; i < PORTAL_SPACES_MAX + 2; i++) {
		const uint32_t space = add(OBJECT_SPACE, 0, PAIRS("name", "s"));
		(void)add(OBJECT_MEMBER, space, PAIRS("userJid", "ann@example.com"));
	}
	signed_in("ann@example.com");
	static const struct {
		const char *path;
		unsigned count;
	} cases[] = {
		{ "cospaces", PORTAL_SPACES_MAX },
		{ "cospaces?limit=1000", PORTAL_SPACES_MAX },
		{ "cospaces?limit=3&offset=1", 3 },
		{ "cospaces?offset=50", 2 },
		{ "cospaces?offset=4294967295", 0 },
		{ "cospaces?offset=x&limit=-1", PORTAL_SPACES_MAX },
		{ "coSpaces?limit=0", 0 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		unsigned count = 0;
		get(cases[i].path);
		for (const char *at = world.told; (at = strstr(at, "\"id\"")) != NULL; at++)
			count++;
		EXPECT_EQ(count, cases[i].count);
		EXPECT(strstr(world.told, "\"total\":52}") != NULL);
	}
	finish();
}

/* ---- What is no question ------------------------------------------------------------------- */

TEST(what_is_no_question_is_told_so)
{
	static const struct {
		enum c2w_method method;
		const char *path;
		const char *body;
		const char *want;
	} cases[] = {
		{ C2W_METHOD_GET, "nothing", "", "404 {\"error\":\"notFound\"}" },
		{ C2W_METHOD_GET, "/", "", "404 {\"error\":\"notFound\"}" },
		{ C2W_METHOD_GET, "cospaces/1", "", "404 {\"error\":\"notFound\"}" },
		{ C2W_METHOD_GET, "cospaces/../users", "", "404 {\"error\":\"notFound\"}" },
		{ C2W_METHOD_DELETE, "cospaces", "", "405 {\"error\":\"badRequest\"}" },
		{ C2W_METHOD_POST, "user", "{}", "405 {\"error\":\"badRequest\"}" },
		{ C2W_METHOD_POST, "cospaces", "[]", "400 {\"error\":\"badRequest\"}" },
		{ C2W_METHOD_POST, "cospaces", "{", "400 {\"error\":\"badRequest\"}" },
		{ C2W_METHOD_POST, "cospaces", "[[[[[[[[[[[[[[[[[", "400 {\"error\":\"badRequest\"}" },
		{ C2W_METHOD_POST, "cospaces", "{\"name\":1,\"name\":2}",
		  "400 {\"error\":\"badRequest\"}" },
	};
	begin();
	signed_in("ann@example.com");
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		ask(cases[i].method, cases[i].path, cases[i].body);
		TOLD(cases[i].want);
	}
	const uint32_t space = team();
	static const char *const bodies[] = { "{\"passcode\":[1]}", "{\"passcode\":-1}",
		                              "{\"passcode\":1.5}", "{\"passcode\":{}}" };
	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		ask(C2W_METHOD_PUT, path_of("cospaces/#", id_of(OBJECT_SPACE, space), ""), bodies[i]);
		TOLD("400 {\"error\":\"invalidValue\",\"field\":\"passcode\"}");
	}
	ask(C2W_METHOD_PUT, path_of("cospaces/#", id_of(OBJECT_SPACE, space), ""),
	    "{\"passcode\":\"[[[[[[[[[[[[[[[[[[[[\"}");
	TOLD("400 {\"error\":\"invalidValue\",\"field\":\"passcode\"}");
	ask(C2W_METHOD_PUT, path_of("cospaces/#", id_of(OBJECT_SPACE, space), ""), "{\"evil\\\"\":1}");
	TOLD("400 {\"error\":\"invalidValue\"}");
	finish();
}

TEST(who_asks_without_end_is_slowed_down)
{
	begin();
	signed_in("ann@example.com");
	const int64_t then_us = world.now_us;
	for (unsigned i = 0; i < PORTAL_BURST; i++) {
		get("user");
		world.now_us = then_us;
		EXPECT(strncmp(world.told, "200 ", 4) == 0);
	}
	get("user");
	TOLD("429 {\"error\":\"slowDown\"}");
	world.now_us = then_us + SECOND;
	get("user");
	EXPECT(strncmp(world.told, "200 ", 4) == 0);
	finish();
}

static bool
create(void *context)
{
	const struct portal_settings settings = { .meeting = context, .id = "x" };
	struct portal *portal = NULL;
	if (portal_create(&portal, &settings, 0) != 0)
		return false;
	portal_destroy(portal);
	return true;
}

TEST(a_portal_without_memory_is_none)
{
	begin();
	EXPECT(fail_at_each(create, world.meeting) > 4);
	finish();
}

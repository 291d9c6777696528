/* SPDX-License-Identifier: Apache-2.0 */
/* Requests on their way: who asks, whether they may, and in which order answers go out. */
#include "api/api.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/api_internal.h"
#include "api/password.h"
#include "base/check.h"

static_assert((int)API_VERIFY_MAX <= (int)VERIFIER_PENDING_MAX, "the verifier takes them all");
static_assert((int)API_NAME_MAX <= (int)PASSWORD_MAX, "what fits here fits there");
static_assert((int)API_HASH_MAX <= (int)PASSWORD_HASH_MAX, "what fits here fits there");

static void
slot_free(struct slot *slot)
{
	explicit_bzero(slot->user, sizeof slot->user);
	explicit_bzero(slot->password, sizeof slot->password);
	explicit_bzero(slot->hash, sizeof slot->hash);
	explicit_bzero(slot->query, slot->query_len);
	explicit_bzero(slot->body, slot->body_len);
	slot->state = SLOT_FREE;
	slot->forgotten = slot->verified = false;
	slot->ticket = 0;
	slot->status = 0;
	slot->location[0] = '\0';
	slot->token[0] = '\0';
	slot->plain = false;
}

int
api_create(struct api **out, const struct api_settings *settings, int64_t now_us)
{
	struct api *api = calloc(1, sizeof *api);
	if (api == NULL)
		return -ENOMEM;
	api->settings = *settings;
	api->started_us = now_us;
	api->slots = calloc(API_REQUESTS_MAX, sizeof *api->slots);
	api->answer = malloc(API_ANSWER_MAX);
	if (api->slots == NULL || api->answer == NULL || !diagnostics_create(&api->diagnostics)) {
		api_destroy(api);
		return -ENOMEM;
	}
	str_copy(api->version, sizeof api->version, settings->version);
	str_copy(api->web_address, sizeof api->web_address, settings->web_address);
	str_copy(api->sip_domain, sizeof api->sip_domain, settings->sip_domain);
	api->tag_keys[0] = settings->hash_key;
	guesses_init(&api->guesses, &settings->hash_key);
	api->tokens.keys[0] = (struct hash_key){ settings->hash_key.k0, ~settings->hash_key.k1 };
	api->tokens.keys[1] = (struct hash_key){ ~settings->hash_key.k0, ~settings->hash_key.k1 };
	api->tag_keys[1] = (struct hash_key){ ~settings->hash_key.k0, settings->hash_key.k1 };
	*out = api;
	return 0;
}

void
api_destroy(struct api *api)
{
	if (api == NULL)
		return;
	/* Slots that are free were wiped when they became so. */
	for (unsigned i = 0; api->slots != NULL && i < API_REQUESTS_MAX; i++) {
		if (api->slots[i].state != SLOT_FREE)
			slot_free(&api->slots[i]);
	}
	free(api->slots);
	free(api->answer);
	diagnostics_destroy(&api->diagnostics);
	explicit_bzero(api, sizeof *api);
	free(api);
}

void
api_look(struct api *api, const struct api_look *look)
{
	api->settings.look = *look;
}

/* Room for one more, or NULL. */
static struct log_line *
new_line(struct api *api)
{
	if (api->line_count == LINES_MAX)
		return NULL;
	struct log_line *line = &api->lines[(api->line_first + api->line_count++) % LINES_MAX];
	line->user[0] = '\0';
	return line;
}

void
api_line(struct api *api, const char *format, ...)
{
	struct log_line *line = new_line(api);
	if (line == NULL)
		return;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(line->text, sizeof line->text, format, arguments);
	va_end(arguments);
}

static void
audit(struct api *api, const char *user, const struct net_addr *from, const char *text)
{
	struct log_line *line = new_line(api);
	if (line == NULL)
		return;
	str_copy(line->text, sizeof line->text, str_of(text));
	str_copy(line->user, sizeof line->user, str_of(user));
	line->from = *from;
}

void
api_audit(struct api *api, const struct slot *slot, const char *text)
{
	audit(api, slot->user, &slot->peer, text);
}

/* ------------------------------------------------------------------ logins */

static struct login_tag
login_tag(const struct api *api, const struct slot *slot)
{
	char bytes[sizeof slot->user + sizeof slot->password + sizeof slot->hash];
	struct login_tag tag;
	memcpy(bytes, slot->user, sizeof slot->user);
	memcpy(bytes + sizeof slot->user, slot->password, sizeof slot->password);
	memcpy(bytes + sizeof slot->user + sizeof slot->password, slot->hash, sizeof slot->hash);
	for (unsigned i = 0; i < COUNT_OF(tag.half); i++)
		tag.half[i] = hash_bytes(&api->tag_keys[i], bytes, sizeof bytes);
	explicit_bzero(bytes, sizeof bytes);
	return tag;
}

static bool
same_tag(const struct login_tag *a, const struct login_tag *b)
{
	return ((a->half[0] ^ b->half[0]) | (a->half[1] ^ b->half[1])) == 0;
}

static bool
is_remembered(const struct api *api, const struct login_tag *tag, int64_t now_us)
{
	for (unsigned i = 0; i < API_LOGINS_MAX; i++) {
		if (api->logins[i].until_us > now_us && same_tag(&api->logins[i].tag, tag))
			return true;
	}
	return false;
}

/* The entry that ends first makes room. */
static void
remember(struct api *api, const struct login_tag *tag, int64_t now_us)
{
	struct remembered_login *oldest = &api->logins[0];
	for (unsigned i = 1; i < API_LOGINS_MAX; i++) {
		if (api->logins[i].until_us < oldest->until_us)
			oldest = &api->logins[i];
	}
	*oldest = (struct remembered_login){ *tag, now_us + API_LOGIN_US };
}

/* "Basic base64(user:password)" (RFC 7617). */
static bool
read_login(struct slot *slot, struct str header)
{
	char text[2 * API_NAME_MAX];
	struct str rest = header;
	if (!str_eq_nocase(str_cut(&rest, ' '), STR("Basic")))
		return false;
	const int len = decode_base64(text, sizeof text, str_trim(rest));
	if (len < 0)
		return false;
	struct str password = { text, (size_t)len };
	const struct str user = str_cut(&password, ':');
	/* A NUL would end the text for us and for nobody else. */
	const bool ok = memchr(text, '\0', (size_t)len) == NULL && user.len != (size_t)len &&
	                user.len != 0 &&
	                str_copy(slot->user, sizeof slot->user, user) &&
	                str_copy(slot->password, sizeof slot->password, password);
	explicit_bzero(text, sizeof text);
	return ok;
}

/* Fills in the hash of the account, or nobody's: whoever may not log in waits as long. */
static void
find_account(const struct api *api, struct slot *slot)
{
	const struct account_moment now = { .now_s = slot->wall_us / 1000000, .from = slot->peer };
	struct accounts *accounts = api->settings.accounts;
	const struct account *account =
		accounts != NULL ? accounts_find(accounts, str_of(slot->user)) : NULL;
	slot->verified = account != NULL && account_judge(accounts, account, &now) == ACCOUNT_GOOD;
	str_copy(slot->hash, sizeof slot->hash,
	         str_of(slot->verified ? account->hash : PASSWORD_OF_NOBODY));
}

/* Of a user that there is; strangers' names are counted only. */
static void
note_failure(struct api *api, const struct slot *slot, int64_t now_us)
{
	char address[ADDR_TEXT_MAX], text[LINE_MAX];
	struct account *account = NULL;
	guesses_failed(&api->guesses, &slot->peer, now_us);
	if (api->settings.accounts != NULL)
		account = accounts_find(api->settings.accounts, str_of(slot->user));
	if (account == NULL)
		return;
	struct writer w = writer_of(address, sizeof address - 1);
	addr_write_ip(&w, &slot->peer);
	address[w.at] = '\0';
	const bool locked = slot->verified && account_failed(api->settings.accounts, account,
	                                                     &slot->peer, slot->wall_us / 1000000);
	const bool told = refusals_note(&api->refusals, str_of(account->name), &slot->peer, now_us);
	if (!told && !locked)
		return;
	snprintf(text, sizeof text, "%s: API user \"%s\" was refused%s", address, account->name,
	         locked ? ", and is locked for 15 minutes after too many wrong passwords" : "");
	api_audit(api, slot, text);
}

/* A line for those of a minute that were not told one by one. */
static bool
tell_refusals(struct api *api, int64_t now_us)
{
	char address[ADDR_TEXT_MAX], text[LINE_MAX];
	struct refusal refusal;
	if (!refusals_take(&api->refusals, &refusal, now_us))
		return false;
	struct writer w = writer_of(address, sizeof address - 1);
	addr_write_ip(&w, &refusal.from);
	address[w.at] = '\0';
	if (refusal.name[0] != '\0')
		snprintf(text, sizeof text, "%s: API user \"%s\" was refused %u more time%s", address,
		         refusal.name, (unsigned)refusal.more, refusal.more == 1 ? "" : "s");
	else
		snprintf(text, sizeof text, "logins to the API from many addresses were refused: %u",
		         (unsigned)refusal.more);
	audit(api, refusal.name[0] != '\0' ? refusal.name : "many", &refusal.from, text);
	return true;
}

int64_t
api_deadline(const struct api *api)
{
	return refusals_deadline(&api->refusals);
}

/* A right password: earlier mistakes are forgiven. */
static void
note_success(struct api *api, const struct slot *slot)
{
	struct account *account = accounts_find(api->settings.accounts, str_of(slot->user));
	if (account != NULL)
		account_succeeded(account, &slot->peer, slot->wall_us / 1000000);
}

static enum slot_state
login_state(const struct api *api, const struct slot *slot, int64_t now_us)
{
	if (slot->verified && is_remembered(api, &slot->tag, now_us))
		return SLOT_READY;
	for (unsigned i = 0; i < API_REQUESTS_MAX; i++) {
		const struct slot *other = &api->slots[i];
		if ((other->state == SLOT_VERIFY || other->state == SLOT_VERIFYING) &&
		    same_tag(&other->tag, &slot->tag))
			return SLOT_SAME;
	}
	return SLOT_VERIFY;
}

/* 0 when one more password of `from` may be verified, else the status to refuse it with. */
static unsigned
verify_fault(struct api *api, const struct net_addr *from, int64_t now_us)
{
	unsigned all = 0;
	unsigned same = 0;
	for (unsigned i = 0; i < API_REQUESTS_MAX; i++) {
		const struct slot *slot = &api->slots[i];
		if (slot->state != SLOT_VERIFY && slot->state != SLOT_VERIFYING)
			continue;
		all++;
		same += addr_eq_ip(&slot->peer, from);
	}
	if (!guesses_allow(&api->guesses, from, now_us))
		return 429;
	return all == API_VERIFY_MAX || same == API_VERIFY_SOURCE_MAX ? 503 : 0;
}

/* ------------------------------------------------------------------ taking a request */

static bool
wants_json(struct str accept)
{
	struct str rest = accept;
	while (rest.len != 0) {
		const struct str range = str_cut(&rest, ',');
		if (str_contains_nocase(range, STR("application/json")))
			return true;
		if (str_contains_nocase(range, STR("/xml")))
			return false;
	}
	return false;
}

static void
refuse(struct api *api, uint64_t owner, unsigned status)
{
	/* The shell drains after every request, so there is at most one. */
	CHECK(api->refused_count < REFUSED_MAX);
	api->refused[api->refused_count++] = (struct refused){ owner, status };
}

static struct slot *
free_slot(struct api *api)
{
	for (unsigned i = 0; i < API_REQUESTS_MAX; i++) {
		if (api->slots[i].state == SLOT_FREE)
			return &api->slots[i];
	}
	return NULL;
}

static void
slot_fill(struct slot *slot, const struct api_request *request)
{
	slot->method = request->method;
	slot->owner = request->owner;
	slot->peer = request->peer;
	slot->wall_us = request->wall_us;
	slot->json = wants_json(request->accept);
	slot->path_len = request->path.len;
	slot->query_len = request->query.len;
	slot->body_len = request->body.len;
	memcpy(slot->path, request->path.at, request->path.len);
	if (request->query.len != 0)
		memcpy(slot->query, request->query.at, request->query.len);
	if (request->body.len != 0)
		memcpy(slot->body, request->body.at, request->body.len);
	text_copy_clean(slot->content_type, sizeof slot->content_type, request->content_type);
}

void
api_request(struct api *api, const struct api_request *request, int64_t now_us)
{
	if (request->body.len > API_BODY_MAX) {
		refuse(api, request->owner, 413);
		return;
	}
	if (request->path.len == 0 || request->path.len > API_PATH_MAX ||
	    request->query.len > API_QUERY_MAX) {
		refuse(api, request->owner, 414);
		return;
	}
	struct slot *slot = free_slot(api);
	if (slot == NULL) {
		refuse(api, request->owner, 503);
		return;
	}
	slot_fill(slot, request);
	slot->sequence = ++api->sequence_last;
	if (!read_login(slot, request->authorization)) {
		slot->state = SLOT_DENIED;
		return;
	}
	find_account(api, slot);
	slot->tag = login_tag(api, slot);
	const enum slot_state state = login_state(api, slot, now_us);
	const unsigned fault =
		state == SLOT_VERIFY ? verify_fault(api, &request->peer, now_us) : 0;
	if (fault != 0) {
		refuse(api, request->owner, fault);
		slot_free(slot);
		return;
	}
	slot->state = state;
}

void
api_forget(struct api *api, uint64_t owner)
{
	for (unsigned i = 0; i < API_REQUESTS_MAX; i++) {
		if (api->slots[i].state != SLOT_FREE && api->slots[i].owner == owner)
			api->slots[i].forgotten = true;
	}
}

void
api_verified(struct api *api, uint32_t index, bool right, int64_t now_us)
{
	CHECK(index < API_REQUESTS_MAX);
	struct slot *slot = &api->slots[index];
	CHECK(slot->state == SLOT_VERIFYING);
	const struct login_tag tag = slot->tag;
	const bool granted = right && slot->verified;
	if (granted) {
		remember(api, &tag, now_us);
		note_success(api, slot);
	} else {
		note_failure(api, slot, now_us);
	}
	slot->state = granted ? SLOT_READY : SLOT_DENIED;
	for (unsigned i = 0; i < API_REQUESTS_MAX; i++) {
		if (api->slots[i].state == SLOT_SAME && same_tag(&api->slots[i].tag, &tag))
			api->slots[i].state = slot->state;
	}
}

void
api_settled(struct api *api, uint64_t ticket, bool ok, int64_t now_us)
{
	if (!ok)
		meeting_configured(api->settings.meeting, now_us);
	bulk_settled(api, ticket, ok);
	licence_usage_settled(api, ticket, ok);
	for (unsigned i = 0; i < API_REQUESTS_MAX; i++) {
		struct slot *slot = &api->slots[i];
		if (slot->state == SLOT_COMMITTING && slot->ticket == ticket)
			slot->state = ok ? SLOT_KEPT : SLOT_LOST;
	}
}

/* ------------------------------------------------------------------ trace lines */

static const char *
method_name(enum api_method method)
{
	static const char *const names[] = {
		[API_GET] = "GET", [API_POST] = "POST", [API_PUT] = "PUT",
		[API_DELETE] = "DELETE", [API_OTHER] = "other method",
	};
	return names[method];
}

/* Digits that are to be typed somewhere may be a passcode there; a name that hides behind its encoding
 * may be any. */
static bool
is_secret(struct str parameter)
{
	struct str rest = parameter;
	const struct str name = str_cut(&rest, '=');
	for (unsigned type = OBJECT_NONE + 1; type < OBJECT_TYPES; type++) {
		const int at = object_field_find((enum object_type)type, name);
		const struct field *field =
			at >= 0 ? object_field((enum object_type)type, (unsigned)at) : NULL;
		if (field != NULL &&
		    ((field->flags & FIELD_SECRET) != 0 || field->kind == FIELD_DTMF))
			return true;
	}
	return str_find(name, '%') != name.len;
}

static void
trace_request(struct api *api, struct slot *slot, int64_t now_us)
{
	char text[API_PATH_MAX + 1];
	char address[ADDR_TEXT_MAX];
	enum { TRACE_PARAMETERS_MAX = 32, TRACE_PARAMETER_MAX = 256 };
	if (!api->settings.trace && !api_logs(api, TIMED_LOGGING_API, now_us))
		return;
	slot->trace = ++api->trace_last;
	const unsigned long long number = slot->trace;
	struct writer w = writer_of(address, sizeof address - 1);
	addr_write_ip(&w, &slot->peer);
	address[w.at] = '\0';
	text_copy_clean(text, sizeof text, (struct str){ slot->path, slot->path_len });
	api_line(api, "API trace %llu: %s for \"%s\" (from %s)", number,
	         method_name(slot->method), text, address);
	if (slot->body_len == 0)
		return;
	api_line(api, "API trace %llu: content data size %zu, type \"%s\":", number,
	         slot->body_len, slot->content_type);
	struct str rest = { slot->body, slot->body_len };
	for (unsigned i = 0; i < TRACE_PARAMETERS_MAX && rest.len != 0; i++) {
		const struct str piece = str_cut(&rest, '&');
		const bool more = piece.at + piece.len != slot->body + slot->body_len;
		const struct str parameter = str_trim(piece);
		char line[TRACE_PARAMETER_MAX];
		if (parameter.len == 0)
			continue;
		text_copy_clean(line, sizeof line, parameter);
		if (is_secret(parameter))
			str_copy(line + str_find(str_of(line), '='), sizeof "=***", STR("=***"));
		api_line(api, "API trace %llu: %s%s", number, line, more ? "&" : "");
	}
}

static void
trace_answer(struct api *api, const struct slot *slot, unsigned status, size_t len,
             const char *location)
{
	const unsigned long long number = slot->trace;
	if (number == 0)
		return;
	api_line(api, "API trace %llu: sending %u response, size %zu", number, status, len);
	if (location[0] != '\0')
		api_line(api, "API trace %llu: Location: %s", number, location);
}

/* ------------------------------------------------------------------ what goes out */

/* The answer waits until the lines that belong to it are out; its slot is free already. */
static void
answer(struct api *api, struct slot *slot, unsigned status, struct str body, bool challenge)
{
	str_copy(api->location, sizeof api->location, str_of(slot->location));
	memcpy(api->token, slot->token, sizeof api->token);
	trace_answer(api, slot, status, body.len, api->location);
	api->out = (struct api_out){
		.kind = API_ANSWER,
		.owner = slot->owner,
		.status = status,
		.location = str_of(api->location),
		.token = str_of(api->token),
		.body = body,
		.content_type = body.len == 0 ? STR("")
		                : slot->plain ? STR("text/plain; charset=utf-8")
		                : slot->json  ? STR("application/json")
		                              : STR("text/xml"),
		.challenge = challenge,
	};
	api->out_waits = !slot->forgotten;
	slot->trace = 0;
	slot_free(slot);
}

static const char *
allowed_methods(unsigned methods)
{
	static char text[32];
	struct writer w = writer_of(text, sizeof text - 1);
	for (unsigned m = 0; m < API_OTHER; m++) {
		if ((methods >> m & 1) == 0)
			continue;
		writer_text(&w, w.at != 0 ? ", " : "");
		writer_text(&w, method_name((enum api_method)m));
	}
	text[w.at] = '\0';
	return text;
}

static struct str
failure_body(struct api *api, const struct slot *slot, const char *code)
{
	struct document doc;
	document_begin(&doc, api->answer, API_ANSWER_MAX, slot->json);
	document_failure(&doc, code, STR(""), NULL);
	document_end(&doc);
	return writer_view(&doc.w);
}

static void
run(struct api *api, struct slot *slot, int64_t now_us)
{
	struct work work = {
		.api = api,
		.slot = slot,
		.meeting = api->settings.meeting,
		.objects = meeting_objects(api->settings.meeting),
		.status = 200,
		.now_us = now_us,
	};
	trace_request(api, slot, now_us);
	document_begin(&work.doc, api->answer, API_ANSWER_MAX, slot->json);
	work_run(&work);
	if (work.tx.ticket != 0) {
		slot->ticket = work.tx.ticket;
		slot->status = work.status;
		slot->state = SLOT_COMMITTING;
		api->out = (struct api_out){ .kind = API_COMMIT, .tx = work.tx };
		api->out_waits = true;
		meeting_configured(api->settings.meeting, now_us);
		return;
	}
	slot->plain = work.plain;
	if (work.as_it_is)
		slot->json = true;
	else if (work.has_body && !work.plain)
		document_end(&work.doc);
	CHECK(!work.doc.w.failed); /* ITEM_BYTES_MAX was left for the last of a page's objects */
	const unsigned methods = work.path.row != NULL ? work.path.row->methods : 0;
	answer(api, slot, work.status, work.has_body ? writer_view(&work.doc.w) : STR(""), false);
	if (work.status == 405)
		api->out.allow = str_of(allowed_methods(methods));
}

static bool
slot_waits(const struct slot *slot)
{
	return slot->state != SLOT_FREE && slot->state != SLOT_VERIFYING &&
	       slot->state != SLOT_SAME && slot->state != SLOT_COMMITTING;
}

static struct slot *
next_slot(struct api *api)
{
	struct slot *next = NULL;
	for (unsigned i = 0; i < API_REQUESTS_MAX; i++) {
		struct slot *slot = &api->slots[i];
		if (slot_waits(slot) && (next == NULL || slot->sequence < next->sequence))
			next = slot;
	}
	return next;
}

static void
step(struct api *api, struct slot *slot, int64_t now_us)
{
	switch (slot->state) {
	case SLOT_VERIFY:
		slot->state = SLOT_VERIFYING;
		api->out = (struct api_out){ .kind = API_VERIFY,
			                     .slot = (uint32_t)(slot - api->slots),
			                     .password = str_of(slot->password),
			                     .password_hash = str_of(slot->hash) };
		api->out_waits = true;
		break;
	case SLOT_DENIED:
		answer(api, slot, 401, STR(""), true);
		break;
	case SLOT_READY:
		run(api, slot, now_us);
		break;
	case SLOT_KEPT:
		api_audit(api, slot, slot->log);
		answer(api, slot, slot->status, STR(""), false);
		break;
	case SLOT_LOST:
		slot->location[0] = '\0';
		answer(api, slot, 503, failure_body(api, slot, "databaseNotReady"), false);
		break;
	case SLOT_FREE:
	case SLOT_VERIFYING:
	case SLOT_SAME:
	case SLOT_COMMITTING:
		CHECK(!slot_waits(slot));
		break;
	}
}

static struct api_out
take_line(struct api *api)
{
	const struct log_line *line = &api->line_out;
	api->line_out = api->lines[api->line_first];
	api->line_first = (api->line_first + 1) % LINES_MAX;
	api->line_count--;
	return (struct api_out){ .kind = API_LOG,
		                 .text = str_of(line->text),
		                 .audited = line->user[0] != '\0',
		                 .user = str_of(line->user),
		                 .from = line->from };
}

/* When nobody waits: a batch of spaces, or what was counted. */
static bool
goes_on(struct api *api, int64_t now_us)
{
	struct object_tx tx = { 0 };
	if (!bulk_step(api, &tx) && !licence_usage_step(api, &tx))
		return false;
	api->out = (struct api_out){ .kind = API_COMMIT, .tx = tx };
	api->out_waits = true;
	meeting_configured(api->settings.meeting, now_us);
	return true;
}

struct api_out
api_poll(struct api *api, int64_t now_us)
{
	for (;;) {
		if (api->line_count != 0)
			return take_line(api);
		if (api->out_waits) {
			api->out_waits = false;
			return api->out;
		}
		if (api->refused_count != 0) {
			const struct refused *refused = &api->refused[--api->refused_count];
			return (struct api_out){ .kind = API_ANSWER, .owner = refused->owner,
				                 .status = refused->status };
		}
		struct slot *slot = next_slot(api);
		if (slot == NULL && !tell_refusals(api, now_us) && !goes_on(api, now_us))
			return (struct api_out){ 0 };
		if (slot != NULL)
			step(api, slot, now_us);
	}
}

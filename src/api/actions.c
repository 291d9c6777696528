/* SPDX-License-Identifier: Apache-2.0 */
/* POST, PUT and DELETE.  What a parameter means is the descriptions' and the model's business; here
 * is only what a path does with a parsed edit. */
#include <stdio.h>

#include "api/api_internal.h"
#include "base/check.h"
#include "meeting/dial_plan.h"

/* ------------------------------------------------------------------ failures */

void
work_fail(struct work *work, unsigned status, const char *code)
{
	work->status = status;
	work->has_body = true;
	document_failure(&work->doc, code, STR(""), NULL);
}

void
work_fail_parameter(struct work *work, struct str parameter, const char *error)
{
	char name[64];
	text_copy_clean(name, sizeof name, parameter);
	work->status = 400;
	work->has_body = true;
	document_failure(&work->doc, "parameterError", str_of(name), error);
}

static void
fail_both(struct work *work, enum object_type type, int both)
{
	char error[64];
	const unsigned field = (unsigned)both & ((1u << OBJECT_BOTH_BITS) - 1);
	const unsigned other = (unsigned)both >> OBJECT_BOTH_BITS;
	snprintf(error, sizeof error, "sameAs:%s", object_field(type, other)->name);
	work_fail_parameter(work, str_of(object_field(type, field)->name), error);
}

/* `field` is the one to blame, -1 when it is none. */
static void
fail_reject(struct work *work, enum object_reject reject, enum object_type type, int field,
            struct str parameter)
{
	if (field >= 0 && parameter.len == 0 && reject != OBJECT_DUPLICATE_CODE)
		parameter = str_of(object_field(type, (unsigned)field)->name);
	switch (reject) {
	case OBJECT_UNKNOWN_PARAMETER:
		work_fail_parameter(work, parameter, "unsupported");
		break;
	case OBJECT_BAD_VALUE:
	case OBJECT_TOO_LONG:
		work_fail_parameter(work, parameter, "invalidValue");
		break;
	case OBJECT_MISSING_PARAMETER:
		work_fail_parameter(work, parameter, "missing");
		break;
	case OBJECT_NO_REFERENCE: {
		const enum object_type ref = object_field(type, (unsigned)field)->ref;
		work_fail(work, 400, object_describe(ref)->missing);
		break;
	}
	case OBJECT_DUPLICATE_URI:
		work_fail(work, 400, "duplicateCoSpaceUri");
		break;
	case OBJECT_DUPLICATE_ID:
		work_fail(work, 400, "duplicateCoSpaceId");
		break;
	case OBJECT_DUPLICATE_URI_PASSCODE:
		work_fail(work, 400, "duplicateCoSpaceUriPasscode");
		break;
	case OBJECT_DUPLICATE_ID_PASSCODE:
		work_fail(work, 400, "duplicateCoSpaceIdPasscode");
		break;
	case OBJECT_DUPLICATE_NAME:
		work_fail(work, 400, type == OBJECT_CALL_BRIDGE ? "duplicateCallBridgeName"
		                                                : "invalidOperation");
		break;
	case OBJECT_DUPLICATE_IVR:
		work_fail(work, 400, "ivrUriConflict");
		break;
	case OBJECT_DUPLICATE_CODE:
		fail_both(work, type, field);
		break;
	case OBJECT_DUPLICATE_TEMPLATE:
		work_fail(work, 400, "duplicateUserCoSpaceTemplate");
		break;
	case OBJECT_GROUP_CONFLICT:
		work_fail(work, 400, "tenantGroupCoSpaceIdConflict");
		break;
	case OBJECT_PASSCODE_TOO_SHORT:
		work_fail(work, 400, "passcodeTooShort");
		break;
	case OBJECT_TOO_MANY:
		work_fail(work, 400, object_describe(type)->too_many);
		break;
	case OBJECT_FULL:
		work_fail(work, 503, "databaseNotReady");
		break;
	case OBJECT_OK:
	case OBJECT_REJECTS:
		CHECK(reject != OBJECT_OK && reject != OBJECT_REJECTS);
		break;
	}
}

/* ------------------------------------------------------------------ finding things */

static bool
leg_is_there(const struct work *work, uint32_t leg)
{
	const struct meeting_leg *found = meeting_leg(work->meeting, leg);
	return found != NULL && found->state != LEG_ENDING;
}

uint32_t
live_find(const struct work *work, enum object_type type, const struct guid *id)
{
	if (type < OBJECT_KEPT_END)
		return objects_find(work->objects, type, id);
	if (type == OBJECT_CALL)
		return meeting_call_find(work->meeting, id);
	if (type == OBJECT_LEG) {
		const uint32_t leg = meeting_leg_find(work->meeting, id);
		return leg_is_there(work, leg) ? leg : 0;
	}
	if (type == OBJECT_DIAGNOSTICS)
		return diagnostics_find(work->api, id);
	CHECK(type == OBJECT_PARTICIPANT);
	const uint32_t participant = meeting_participant_find(work->meeting, id);
	const struct meeting_participant *who = meeting_participant(work->meeting, participant);
	return who != NULL && leg_is_there(work, who->leg) ? participant : 0;
}

struct guid
live_id(const struct work *work, enum object_type type, uint32_t handle)
{
	if (type < OBJECT_KEPT_END)
		return objects_id(work->objects, type, handle);
	if (type == OBJECT_PERSONAL_LICENSE)
		return objects_id(work->objects, OBJECT_USER, handle);
	if (type == OBJECT_USER_SPACE)
		return objects_id(work->objects, OBJECT_MEMBER, handle);
	if (type == OBJECT_CALL)
		return meeting_call(work->meeting, handle)->id;
	if (type == OBJECT_LEG)
		return meeting_leg(work->meeting, handle)->id;
	if (type == OBJECT_DIAGNOSTICS)
		return diagnostics_id(work->api, handle);
	CHECK(type == OBJECT_PARTICIPANT);
	return meeting_participant(work->meeting, handle)->id;
}

static bool
lies_in(const struct work *work, enum object_type type, uint32_t handle, uint32_t container)
{
	if (type < OBJECT_KEPT_END)
		return objects_parent(work->objects, type, handle) == container;
	if (type == OBJECT_LEG)
		return meeting_leg(work->meeting, handle)->call == container;
	CHECK(type == OBJECT_PARTICIPANT);
	return meeting_participant(work->meeting, handle)->call == container;
}

bool
work_target(struct work *work, uint32_t *container, uint32_t *handle)
{
	const struct path *path = &work->path;
	const enum object_type type = path->row->type;
	const enum object_type inside = path->row->inside;
	if (inside != OBJECT_NONE) {
		*container = live_find(work, inside, &path->ids[0]);
		if (*container == 0) {
			work_fail(work, 404, object_describe(inside)->missing);
			return false;
		}
	}
	if (path->row->kind != PATH_OBJECT && path->row->kind != PATH_USAGE)
		return true;
	*handle = path->bad_id ? 0 : live_find(work, type, &path->ids[path->id_count - 1]);
	if (*handle != 0 && (inside == OBJECT_NONE || lies_in(work, type, *handle, *container)))
		return true;
	work_fail(work, 404, object_describe(type)->missing);
	return false;
}

/* ------------------------------------------------------------------ the event log */

/* How the event log calls a type of object. */
static const char *
log_word(enum object_type type)
{
	static const char *const words[OBJECT_TYPES] = {
		[OBJECT_SPACE] = "space",
		[OBJECT_METHOD] = "access method",
		[OBJECT_LEG_PROFILE] = "call leg profile",
		[OBJECT_CALL_PROFILE] = "call profile",
		[OBJECT_WEB_BRIDGE] = "web bridge",
		[OBJECT_SYSTEM_PROFILES] = "system profiles",
		[OBJECT_CLUSTER] = "cluster configuration",
		[OBJECT_DTMF_PROFILE] = "DTMF profile",
		[OBJECT_LAYOUT_TEMPLATE] = "layout template",
		[OBJECT_CDR_RECEIVER] = "CDR receiver",
		[OBJECT_TIMED_LOGGING] = "timed logging",
		[OBJECT_INBOUND_RULE] = "inbound dial plan rule",
		[OBJECT_FORWARDING_RULE] = "forwarding dial plan rule",
		[OBJECT_OUTBOUND_RULE] = "outbound dial plan rule",
		[OBJECT_DIAL_TRANSFORM] = "dial transform",
		[OBJECT_CALL] = "call",
		[OBJECT_PARTICIPANT] = "participant",
		[OBJECT_LEG] = "call leg",
	};
	return words[type] != NULL ? words[type] : object_describe(type)->singular;
}

void
work_log(struct work *work, const char *verb, enum object_type type, const struct guid *id,
         const struct guid *call)
{
	char address[ADDR_TEXT_MAX] = "";
	char text[GUID_TEXT_LEN + 2] = "";
	char inside[GUID_TEXT_LEN + 1] = "";
	struct writer w = writer_of(address, sizeof address - 1);
	addr_write_ip(&w, &work->slot->peer);
	if (id != NULL) {
		text[0] = ' ';
		guid_write(text + 1, id);
	}
	if (call != NULL)
		guid_write(inside, call);
	char *line = work->slot->log;
	snprintf(line, LINE_MAX, "%s: API user \"%s\" %s %s%s%s%s", address, work->slot->user,
	         verb, log_word(type), text, call != NULL ? ", call " : "", inside);
	/* What is not on the disk yet has not happened. */
	if (work->tx.ticket == 0)
		api_audit(work->api, work->slot, line);
}

void
work_location(struct work *work, const char *format, const struct guid *first,
              const struct guid *second)
{
	char a[GUID_TEXT_LEN + 1];
	char b[GUID_TEXT_LEN + 1] = "";
	guid_write(a, first);
	if (second != NULL)
		guid_write(b, second);
	struct writer w = writer_of(work->slot->location, sizeof work->slot->location - 1);
	for (const char *at = format; *at != '\0'; at++) {
		if (*at != '#') {
			writer_u8(&w, (uint8_t)*at);
			continue;
		}
		writer_text(&w, a);
		memcpy(a, b, sizeof a);
	}
	CHECK(!w.failed);
	work->slot->location[w.at] = '\0';
}

/* ------------------------------------------------------------------ reading a body */

/* `skip` names parameters that the caller reads itself. */
static bool
read_edit(struct work *work, struct object_edit *edit, unsigned how, const char *const *skip)
{
	for (unsigned i = 0; i < work->form.count; i++) {
		const struct parameter *parameter = &work->form.at[i];
		bool skipped = false;
		for (unsigned s = 0; skip != NULL && skip[s] != NULL; s++)
			skipped = skipped || str_eq_nocase(parameter->name, str_of(skip[s]));
		if (skipped)
			continue;
		const enum object_reject reject =
			object_edit_text(edit, how, parameter->name, parameter->value);
		if (reject != OBJECT_OK) {
			fail_reject(work, reject, edit->type, -1, parameter->name);
			return false;
		}
	}
	return true;
}

/* References of a live edit; the kept table checks its own. */
static bool
check_refs(struct work *work, const struct object_edit *edit)
{
	for (unsigned i = 0; i < object_field_count(edit->type); i++) {
		const struct field *field = object_field(edit->type, i);
		if (field->kind == FIELD_GUID && edit_has(edit, i) && edit->values[i].set &&
		    live_find(work, field->ref, &edit->values[i].guid) == 0) {
			fail_reject(work, OBJECT_NO_REFERENCE, edit->type, (int)i, STR(""));
			return false;
		}
	}
	return true;
}

/* ------------------------------------------------------------------ kept objects */

void
work_finish(struct work *work, enum object_reject reject, enum object_type type, int culprit)
{
	if (reject == OBJECT_OK) {
		work->tx = objects_end(work->objects);
		return;
	}
	objects_abort(work->objects);
	fail_reject(work, reject, type, culprit, STR(""));
}

/* Synchronisations with directories, in that state. */
static uint32_t
syncs_in(const struct work *work, enum ldap_sync_state state)
{
	uint32_t at = 0;
	uint32_t count = 0;
	for (uint32_t sync; (sync = objects_next(work->objects, OBJECT_LDAP_SYNC, &at)) != 0;)
		count += objects_number(work->objects, OBJECT_LDAP_SYNC, sync, LDAP_SYNC_STATE) ==
		         (uint32_t)state;
	return count;
}

static void
create_kept(struct work *work, enum object_type type, uint32_t container)
{
	struct object_edit edit = { .type = type };
	uint32_t handle = 0;
	int culprit = -1;
	if (!read_edit(work, &edit, FIELD_POST, NULL))
		return;
	if (type == OBJECT_LDAP_SYNC && syncs_in(work, LDAP_SYNC_PENDING) == API_LDAP_SYNCS_MAX) {
		work_fail(work, 400, "tooManyLdapSyncs");
		return;
	}
	objects_begin(work->objects);
	const enum object_reject reject =
		objects_add(work->objects, &edit, container, &handle, &culprit);
	work_finish(work, reject, type, culprit);
	if (reject != OBJECT_OK)
		return;
	const struct guid id = objects_id(work->objects, type, handle);
	/* The collection's own path, with the new id behind it. */
	char format[96];
	snprintf(format, sizeof format, "/api/v1/%s/#", work->path.row->path);
	if (container != 0)
		work_location(work, format, &work->path.ids[0], &id);
	else
		work_location(work, format, &id, NULL);
	work_log(work, "created new", type, &id, NULL);
}

static void
edit_kept(struct work *work, enum object_type type, uint32_t handle)
{
	struct object_edit edit = { .type = type };
	int culprit = -1;
	if (!read_edit(work, &edit, FIELD_PUT, NULL) || field_set_empty(&edit.given))
		return;
	objects_begin(work->objects);
	const enum object_reject reject = objects_edit(work->objects, handle, &edit, &culprit);
	work_finish(work, reject, type, culprit);
	if (reject != OBJECT_OK)
		return;
	const struct guid id = objects_id(work->objects, type, handle);
	work_log(work, "modified", type, object_describe(type)->single ? NULL : &id, NULL);
}

static void
remove_kept(struct work *work, enum object_type type, uint32_t handle)
{
	const struct guid id = objects_id(work->objects, type, handle);
	if (type == OBJECT_LDAP_SYNC &&
	    objects_number(work->objects, type, handle, LDAP_SYNC_STATE) == LDAP_SYNC_IN_PROGRESS) {
		work_fail(work, 400, "ldapSyncCannotBeCancelled");
		return;
	}
	objects_begin(work->objects);
	const enum object_reject reject = objects_remove(work->objects, type, handle);
	work_finish(work, reject, type, -1);
	if (reject == OBJECT_OK)
		work_log(work, "deleted", type, &id, NULL);
}

/* PUT on the one there was in older releases: it is made, changed, and with nothing in it
 * removed. */
static void
edit_first(struct work *work, enum object_type type)
{
	uint32_t at = 0;
	const uint32_t first = objects_next(work->objects, type, &at);
	const struct parameter *only = &work->form.at[0];
	if (first == 0)
		create_kept(work, type, 0);
	else if (work->form.count == 1 && only->value.len == 0)
		remove_kept(work, type, first);
	else
		edit_kept(work, type, first);
	work->slot->location[0] = '\0'; /* it has no path of its own */
}

/* ------------------------------------------------------------------ calls */

static void
fail_refusal(struct work *work, enum meeting_refusal refusal, const char *gone)
{
	switch (refusal) {
	case MEETING_GONE:
		work_fail(work, 404, gone);
		break;
	case MEETING_CALL_FULL:
		work_fail(work, 400, "participantLimitReached");
		break;
	case MEETING_TENANT_FULL:
		work_fail(work, 400, "tenantParticipantLimitReached");
		break;
	case MEETING_BRIDGE_FULL:
	case MEETING_NO_LICENSE:
		work_fail(work, 503, "participantLimitReached");
		break;
	case MEETING_ADMITTED:
		break;
	}
}

/* Without a recorder or a streamer nothing begins; what does not go on can be stopped. */
static bool
refuse_recording(struct work *work, const struct object_edit *edit, const struct guid *space)
{
	if (edit_has(edit, CALL_RECORDING) && edit->values[CALL_RECORDING].number != 0)
		work_fail(work, 400,
		          meeting_licensed_for(work->meeting, LICENCE_RECORDING,
		                               "start recording", space)
		                  ? "callRecordingCannotBeModified"
		                  : "recordingNotAllowedByLicensing");
	else if (edit_has(edit, CALL_STREAMING) && edit->values[CALL_STREAMING].number != 0)
		work_fail(work, 400,
		          meeting_licensed_for(work->meeting, LICENCE_STREAMING,
		                               "start streaming", space)
		                  ? "callStreamingCannotBeModified"
		                  : "streamingNotAllowedByLicensing");
	return work->status != 200;
}

/* Another Call Bridge cannot be asked to call, and nobody is moved; the words for it are those of
 * a bridge without peers. */
static bool
refuse_elsewhere(struct work *work, const struct object_edit *edit)
{
	const struct value *bridge = &edit->values[PARTICIPANT_CALL_BRIDGE];
	const struct value *group = &edit->values[PARTICIPANT_CALL_BRIDGE_GROUP];
	const uint32_t here = meeting_call_bridge(work->meeting);
	const struct guid own = objects_id(work->objects, OBJECT_CALL_BRIDGE, here);
	const struct guid own_group =
		objects_value(work->objects, OBJECT_CALL_BRIDGE, here, CALL_BRIDGE_GROUP).guid;
	if (edit->type != OBJECT_PARTICIPANT)
		return false;
	if (edit->values[PARTICIPANT_MOVED].set)
		work_fail(work, 400, "participantCannotBeModified");
	else if (bridge->set && !guid_eq(&bridge->guid, &own))
		work_fail(work, 400, "callBridgeUnavailable");
	else if (group->set && !guid_eq(&group->guid, &own_group))
		work_fail(work, 400, "callBridgeGroupUnavailable");
	return work->status != 200;
}

static void
create_call(struct work *work)
{
	struct object_edit edit = { .type = OBJECT_CALL };
	uint32_t call = 0;
	if (!read_edit(work, &edit, FIELD_POST, NULL) || !check_refs(work, &edit))
		return;
	const struct value *space = &edit.values[CALL_SPACE];
	if (refuse_recording(work, &edit, &space->guid))
		return;
	const struct value *name = &edit.values[CALL_NAME];
	if (!space->set && !name->set) {
		fail_reject(work, OBJECT_MISSING_PARAMETER, OBJECT_CALL, CALL_SPACE, STR(""));
		return;
	}
	const enum meeting_refusal refusal = meeting_call_start(
		work->meeting,
		space->set ? objects_find(work->objects, OBJECT_SPACE, &space->guid) : 0,
		name->text, work->now_us, &call);
	if (refusal != MEETING_ADMITTED) {
		fail_refusal(work, refusal, "coSpaceDoesNotExist");
		return;
	}
	meeting_call_edit(work->meeting, call, &edit, work->now_us);
	const struct guid id = meeting_call(work->meeting, call)->id;
	work_location(work, "/api/v1/calls/#", &id, NULL);
	work_log(work, "created new", OBJECT_CALL, &id, NULL);
}

static void
dial(struct work *work, enum object_type type, uint32_t call)
{
	struct object_edit edit = { .type = type };
	uint32_t leg = 0;
	if (!read_edit(work, &edit, FIELD_POST, NULL) || !check_refs(work, &edit) ||
	    refuse_elsewhere(work, &edit))
		return;
	const unsigned party = type == OBJECT_LEG ? (unsigned)LEG_REMOTE_PARTY
	                                          : (unsigned)PARTICIPANT_REMOTE_PARTY;
	if (!edit.values[party].set) {
		fail_reject(work, OBJECT_MISSING_PARAMETER, type, (int)party, STR(""));
		return;
	}
	const struct meeting_dial settings = { .call = call, .edit = &edit,
		                               .remote_party = edit.values[party].text };
	const enum meeting_refusal refusal =
		meeting_dial(work->meeting, &settings, work->now_us, &leg);
	if (refusal != MEETING_ADMITTED) {
		fail_refusal(work, refusal, "callDoesNotExist");
		return;
	}
	const struct guid id =
		live_id(work, type,
	                type == OBJECT_LEG ? leg : meeting_leg(work->meeting, leg)->participant);
	work_location(work, type == OBJECT_LEG ? "/api/v1/callLegs/#" : "/api/v1/participants/#",
	             &id, NULL);
	work_log(work, "created new", type, &id, &work->path.ids[0]);
}

static void
edit_call(struct work *work, uint32_t call)
{
	struct object_edit edit = { .type = OBJECT_CALL };
	const struct guid space =
		meeting_value(work->meeting, OBJECT_CALL, call, CALL_SPACE, work->now_us).guid;
	if (!read_edit(work, &edit, FIELD_PUT, NULL) || refuse_recording(work, &edit, &space))
		return;
	meeting_call_edit(work->meeting, call, &edit, work->now_us);
	work_log(work, "modified", OBJECT_CALL, &work->path.ids[0], NULL);
}

static uint32_t
leg_of(const struct work *work, enum object_type type, uint32_t handle)
{
	return type == OBJECT_LEG ? handle : meeting_participant(work->meeting, handle)->leg;
}

static void
edit_leg(struct work *work, enum object_type type, uint32_t handle)
{
	struct object_edit edit = { .type = type };
	if (!read_edit(work, &edit, FIELD_PUT, NULL) || !check_refs(work, &edit))
		return;
	const struct guid id = live_id(work, type, handle);
	meeting_leg_edit(work->meeting, leg_of(work, type, handle), &edit, work->now_us);
	work_log(work, "modified", type, &id, NULL);
}

/* "filterIds" names participants, by commas; `mode` says whether they are meant or all others. */
static bool
is_listed(const struct guid *id, struct str list)
{
	while (list.len != 0) {
		struct guid listed;
		if (guid_parse(&listed, str_trim(str_cut(&list, ','))) && guid_eq(&listed, id))
			return true;
	}
	return false;
}

static void
edit_all(struct work *work, uint32_t call)
{
	static const char *const own[] = { "filterIds", "mode", NULL };
	struct object_edit edit = { .type = OBJECT_PARTICIPANT };
	const struct str ids = form_get(&work->form, STR("filterIds"));
	const struct str mode = form_get(&work->form, STR("mode"));
	const bool exclude = str_eq_nocase(mode, STR("exclude"));
	if (mode.len != 0 && !exclude && !str_eq_nocase(mode, STR("selected"))) {
		work_fail_parameter(work, STR("mode"), "invalidValue");
		return;
	}
	if (!read_edit(work, &edit, FIELD_PUT, own) || !check_refs(work, &edit))
		return;
	const bool everyone = ids.len == 0 && mode.len == 0;
	for (uint32_t leg = 0; (leg = meeting_call_leg_next(work->meeting, call, leg)) != 0;) {
		const struct guid id =
			live_id(work, OBJECT_PARTICIPANT,
		                meeting_leg(work->meeting, leg)->participant);
		if (everyone || is_listed(&id, ids) != exclude)
			meeting_leg_edit(work->meeting, leg, &edit, work->now_us);
	}
	work_log(work, "modified", OBJECT_CALL, &work->path.ids[0], NULL);
}

static void
remove_live(struct work *work, enum object_type type, uint32_t handle)
{
	const struct guid id = live_id(work, type, handle);
	if (type == OBJECT_CALL)
		meeting_call_end(work->meeting, handle, LEG_END_API_INITIATED_TEARDOWN,
		                 work->now_us);
	else
		meeting_leg_drop(work->meeting, leg_of(work, type, handle),
		                 LEG_END_API_INITIATED_TEARDOWN, work->now_us);
	work_log(work, "deleted", type, &id, NULL);
}

/* ------------------------------------------------------------------ questions */

static void
write_text(struct work *work, enum object_type type, unsigned field, struct str text)
{
	const struct value value = { .set = true, .text = text };
	document_value(&work->doc, object_field(type, field), &value);
}

struct str
work_domain(const struct work *work, const struct guid *tenant)
{
	const struct str own = dial_own_domain(work->objects, tenant);
	return own.len != 0 ? own : str_of(work->api->sip_domain);
}

/* The world that a question's `tenant` names. */
static void
ask_in(struct meeting_knock *knock, const struct value *tenant)
{
	if (!tenant->set)
		return;
	knock->world = WORLD_TENANT;
	knock->world_id = tenant->guid;
}

/* How well an IVR leads to a tenant's meetings (a zero id: nobody's); 0: not at all. */
static unsigned
ivr_fits(const struct work *work, uint32_t ivr, const struct guid *tenant)
{
	const struct objects *objects = work->objects;
	const struct value whose = objects_value(objects, OBJECT_IVR, ivr, IVR_TENANT);
	const struct value groups = objects_value(objects, OBJECT_IVR, ivr, IVR_TENANT_GROUP);
	const struct guid group = objects_tenant_group(objects, tenant);
	if (objects_number(objects, OBJECT_IVR, ivr, IVR_RESOLVE_CALL_IDS) == 0)
		return 0;
	if (whose.set)
		return guid_eq(&whose.guid, tenant) ? 3 : 0;
	if (groups.set)
		return guid_eq(&groups.guid, &group) ? 2 : 0;
	return 1;
}

/* The tenant's IVR, its group's, or nobody's: where a telephone is asked for the number. */
static struct str
ivr_for(const struct work *work, const struct value *tenant)
{
	uint32_t at = 0;
	uint32_t best = 0;
	for (uint32_t ivr; (ivr = objects_next(work->objects, OBJECT_IVR, &at)) != 0;) {
		const unsigned fit = ivr_fits(work, ivr, &tenant->guid);
		if (fit != 0 && (best == 0 || fit > ivr_fits(work, best, &tenant->guid)))
			best = ivr;
	}
	return best != 0 ? objects_text(work->objects, OBJECT_IVR, best, IVR_URI) : STR("");
}

static void
write_address(struct work *work, unsigned field, struct str user, const struct value *tenant)
{
	char text[OBJECT_TEXT_MAX];
	struct writer w = writer_of(text, sizeof text);
	writer_format(&w, "%.*s@%.*s", STR_ARGS(user),
	              STR_ARGS(work_domain(work, &tenant->guid)));
	write_text(work, OBJECT_ACCESS_QUERY, field, writer_view(&w));
}

static void
answer_access(struct work *work, const struct object_edit *edit)
{
	char text[OBJECT_TEXT_MAX];
	const struct value *uri = &edit->values[ACCESS_QUERY_URI];
	const struct value *id = &edit->values[ACCESS_QUERY_CALL_ID];
	const struct value *tenant = &edit->values[ACCESS_QUERY_TENANT];
	const struct str ivr = ivr_for(work, tenant);
	document_open(&work->doc, STR("accessQuery"));
	if (uri->set)
		write_address(work, ACCESS_QUERY_URI, uri->text, tenant);
	if (id->set) {
		struct writer w = writer_of(text, sizeof text);
		writer_format(&w, "%s/meeting/%.*s", work->api->web_address, STR_ARGS(id->text));
		write_text(work, edit->type, ACCESS_QUERY_WEB, writer_view(&w));
	}
	if (id->set && ivr.len != 0)
		write_address(work, ACCESS_QUERY_IVR, ivr, tenant);
	document_close(&work->doc);
}

static void
write_user(struct work *work, unsigned field, enum object_type type, uint32_t handle)
{
	const struct value id = { .set = true, .guid = objects_id(work->objects, type, handle) };
	if (handle != 0)
		document_value(&work->doc, object_field(OBJECT_URI_QUERY, field), &id);
}

/* A user's URI is what stands before the @ of the JID. */
static uint32_t
user_with(const struct work *work, struct str uri, const struct value *tenant)
{
	uint32_t at = 0;
	for (uint32_t user; (user = objects_next(work->objects, OBJECT_USER, &at)) != 0;) {
		struct str rest = objects_text(work->objects, OBJECT_USER, user, USER_JID);
		const struct guid whose =
			objects_value(work->objects, OBJECT_USER, user, USER_TENANT).guid;
		if (str_eq_nocase(str_cut(&rest, '@'), uri) &&
		    (!tenant->set || guid_eq(&whose, &tenant->guid)))
			return user;
	}
	return 0;
}

static void
answer_uri_usage(struct work *work, const struct object_edit *edit)
{
	const struct value *tenant = &edit->values[URI_QUERY_TENANT];
	const struct str uri = edit->values[URI_QUERY_URI].text;
	struct meeting_knock knock = { .address = uri };
	struct meeting_entry entry = { 0 };
	uint32_t ivr = 0;
	struct address_cursor cursor = { 0 };
	ask_in(&knock, tenant);
	document_open(&work->doc, STR("uriUsageQuery"));
	/* Closed to guests or not, it is taken. */
	if (meeting_route(work->meeting, &knock, &entry) == ROUTE_UNKNOWN)
		entry.space = 0;
	while ((ivr = objects_next_address(work->objects, OBJECT_IVR, uri, &cursor)) != 0) {
		const struct guid whose =
			objects_value(work->objects, OBJECT_IVR, ivr, IVR_TENANT).guid;
		if (!tenant->set || guid_eq(&whose, &tenant->guid))
			break;
	}
	write_user(work, URI_QUERY_SPACE, OBJECT_SPACE, entry.space);
	write_user(work, URI_QUERY_USER, OBJECT_USER, user_with(work, uri, tenant));
	write_user(work, URI_QUERY_IVR, OBJECT_IVR, ivr);
	document_close(&work->doc);
}

/* No conversation of Skype for Business is here. */
static void
answer_conversation(struct work *work, const struct object_edit *edit)
{
	const struct value found = { .set = true, .number = 0 };
	document_open(&work->doc, STR("conversationIdQuery"));
	write_text(work, edit->type, CONVERSATION_ID, edit->values[CONVERSATION_ID].text);
	document_value(&work->doc, object_field(edit->type, CONVERSATION_FOUND), &found);
	document_close(&work->doc);
}

/* What a question must name. */
static bool
lacks_required(struct work *work, const struct object_edit *edit)
{
	for (unsigned i = 0; i < object_field_count(edit->type); i++) {
		if ((object_field(edit->type, i)->flags & FIELD_REQUIRED) == 0 ||
		    edit->values[i].set)
			continue;
		fail_reject(work, OBJECT_MISSING_PARAMETER, edit->type, (int)i, STR(""));
		return true;
	}
	return false;
}

static void
ask(struct work *work, enum object_type type)
{
	struct object_edit edit = { .type = type };
	if (!read_edit(work, &edit, FIELD_POST, NULL) || !check_refs(work, &edit) ||
	    lacks_required(work, &edit))
		return;
	work->has_body = true;
	if (type == OBJECT_ACCESS_QUERY)
		answer_access(work, &edit);
	else if (type == OBJECT_URI_QUERY)
		answer_uri_usage(work, &edit);
	else if (type == OBJECT_DIAL_QUERY)
		answer_dial_query(work, &edit);
	else
		answer_conversation(work, &edit);
}

/* Pages and sounds are nobody's but our own: the web bridge has them already. */
static void
update_customization(struct work *work)
{
	work_log(work, "updated the customization of", OBJECT_WEB_BRIDGE, &work->path.ids[0],
	         NULL);
}

static void
edit_metadata(struct work *work, uint32_t space)
{
	struct object_edit edit = { .type = OBJECT_METADATA };
	if (read_edit(work, &edit, FIELD_PUT, NULL))
		metadata_put(work, space, &edit);
}

static void
edit_single(struct work *work, enum object_type type)
{
	struct object_edit edit = { .type = type };
	if (type < OBJECT_KEPT_END)
		edit_kept(work, type, objects_single(work->objects, type));
	else if (read_edit(work, &edit, FIELD_PUT, NULL))
		timed_logging_edit(work, &edit);
}

/* ------------------------------------------------------------------ which is which */

static void
work_post(struct work *work, uint32_t container)
{
	const enum object_type type = work->path.row->type;
	if (work->path.row->kind == PATH_QUERY)
		ask(work, type);
	else if (work->path.row->kind == PATH_DIAGNOSE)
		diagnostics_make(work, container);
	else if (work->path.row->kind == PATH_TOKEN)
		token_make(work);
	else if (work->path.row->kind == PATH_KEYFRAME)
		keyframe_generate(work, container);
	else if (work->path.row->kind == PATH_UPDATE)
		update_customization(work);
	else if (work->path.row->kind == PATH_CDR_TEST)
		receiver_test(work, container);
	else if (work->path.row->kind == PATH_SINGLE)
		edit_single(work, type);
	else if (work->path.row->kind == PATH_FIRST)
		edit_first(work, type);
	else if (type < OBJECT_KEPT_END)
		create_kept(work, type, container);
	else if (type == OBJECT_CALL)
		create_call(work);
	else
		dial(work, type, container);
}

static void
work_put(struct work *work, uint32_t container, uint32_t handle)
{
	const struct path_row *row = work->path.row;
	if (row->kind == PATH_SINGLE)
		edit_single(work, row->type);
	else if (row->kind == PATH_FIRST)
		edit_first(work, row->type);
	else if (row->kind == PATH_TEMPLATE)
		template_write(work, container);
	else if (row->kind == PATH_CAMERA)
		camera_control(work, container);
	else if (row->kind == PATH_METADATA)
		edit_metadata(work, container);
	else if (row->kind != PATH_OBJECT)
		edit_all(work, container);
	else if (row->type < OBJECT_KEPT_END)
		edit_kept(work, row->type, handle);
	else if (row->type == OBJECT_CALL)
		edit_call(work, handle);
	else
		edit_leg(work, row->type, handle);
}

static void
work_change(struct work *work)
{
	const enum object_type type = work->path.row->type;
	uint32_t container = 0;
	uint32_t handle = 0;
	const bool kept = type < OBJECT_KEPT_END || work->path.row->kind == PATH_METADATA;
	if (kept && !database_is_ready(work)) {
		work_fail(work, 503, "databaseNotReady");
		return;
	}
	if (work->path.row->kind != PATH_TEMPLATE &&
	    !form_parse(&work->form, work->slot->body, work->slot->body_len)) {
		work_fail(work, 400, "parameterError");
		return;
	}
	if (!work_target(work, &container, &handle))
		return;
	if (work->slot->method == API_POST)
		work_post(work, container);
	else if (work->slot->method == API_PUT)
		work_put(work, container, handle);
	else if (type < OBJECT_KEPT_END)
		remove_kept(work, type, handle);
	else
		remove_live(work, type, handle);
}

void
work_run(struct work *work)
{
	struct slot *slot = work->slot;
	if (!path_find(&work->path, (struct str){ slot->path, slot->path_len })) {
		work->path.row = NULL;
		work_fail(work, 404, "unrecognizedObject");
		return;
	}
	if (slot->method == API_DELETE && work->path.row->type == OBJECT_USER &&
	    work->path.row->kind == PATH_OBJECT) {
		work_fail(work, 400, "invalidOperation"); /* the directory says who is there */
		return;
	}
	if (slot->method == API_OTHER || (work->path.row->methods >> slot->method & 1) == 0) {
		work->status = 405;
		return;
	}
	if (!form_parse(&work->query, slot->query, slot->query_len)) {
		work_fail(work, 400, "parameterError");
		return;
	}
	if (slot->method == API_GET)
		work_get(work);
	else
		work_change(work);
}

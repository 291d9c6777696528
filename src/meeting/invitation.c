/* SPDX-License-Identifier: Apache-2.0 */
#include "meeting/invitation.h"

struct phrases {
	const char *language;
	const char *before; /* the name */
	const char *behind;
	const char *browser;
	const char *video;
	const char *telephone;
	const char *number;
	const char *passcode;
};

static const struct phrases all_phrases[] = {
	{ "en_US", "You are invited to ", ".", "In a browser", "From a video room", "By telephone",
	  "Meeting ID", "Passcode" },
	{ "fr_FR", "Vous \xc3\xaates invit\xc3\xa9 \xc3\xa0 ", ".", "Dans un navigateur",
	  "Depuis une salle vid\xc3\xa9o", "Par t\xc3\xa9l\xc3\xa9phone",
	  "Num\xc3\xa9ro de r\xc3\xa9union", "Code d'acc\xc3\xa8s" },
	{ "ko_KR", "",
	  " \xed\x9a\x8c\xec\x9d\x98\xec\x97\x90 \xec\xb4\x88\xeb\x8c\x80\xed\x95\xa9"
	  "\xeb\x8b\x88\xeb\x8b\xa4.",
	  "\xeb\xb8\x8c\xeb\x9d\xbc\xec\x9a\xb0\xec\xa0\x80",
	  "\xec\x98\x81\xec\x83\x81 \xed\x9a\x8c\xec\x9d\x98\xec\x8b\xa4",
	  "\xec\xa0\x84\xed\x99\x94", "\xed\x9a\x8c\xec\x9d\x98 ID",
	  "\xeb\xb9\x84\xeb\xb0\x80\xeb\xb2\x88\xed\x98\xb8" },
};

/* "fr", "fr_FR", "fr-CA" speak French; who asks for nothing we have reads English. */
static const struct phrases *
phrases_for(struct str language)
{
	for (unsigned i = 0; language.len >= 2 && i < COUNT_OF(all_phrases); i++) {
		if (str_eq_nocase(str_sub(language, 0, 2),
		                  str_sub(str_of(all_phrases[i].language), 0, 2)))
			return &all_phrases[i];
	}
	return &all_phrases[0];
}

const char *
invitation_language(struct str language)
{
	return phrases_for(language)->language;
}

struct invitation_way
invitation_way(const struct objects *objects, uint32_t space, uint32_t method)
{
	if (method == 0)
		method = objects_ref(objects, OBJECT_SPACE, space, SPACE_DEFAULT_METHOD);
	return method == 0 ? invitation_way_of_space(objects, space)
	                   : (struct invitation_way){
		.uri = objects_text(objects, OBJECT_METHOD, method, METHOD_URI),
		.call_id = objects_text(objects, OBJECT_METHOD, method, METHOD_CALL_ID),
		.passcode = objects_text(objects, OBJECT_METHOD, method, METHOD_PASSCODE),
		.secret = objects_text(objects, OBJECT_METHOD, method, METHOD_SECRET),
	};
}

struct invitation_way
invitation_way_of_space(const struct objects *objects, uint32_t space)
{
	return (struct invitation_way){
		.uri = objects_text(objects, OBJECT_SPACE, space, SPACE_URI),
		.call_id = objects_text(objects, OBJECT_SPACE, space, SPACE_CALL_ID),
		.passcode = objects_text(objects, OBJECT_SPACE, space, SPACE_PASSCODE),
		.secret = objects_text(objects, OBJECT_SPACE, space, SPACE_SECRET),
	};
}

/* The profile whose addresses and numbers the space's people are told. */
static uint32_t
web_profile_of(const struct objects *objects, uint32_t space)
{
	const struct guid tenant = objects_space_tenant(objects, space);
	const uint32_t system = objects_single(objects, OBJECT_SYSTEM_PROFILES);
	const uint32_t near =
		objects_ref(objects, OBJECT_TENANT, objects_find(objects, OBJECT_TENANT, &tenant),
	                    TENANT_WEB_PROFILE);
	return near != 0 ? near
	                 : objects_ref(objects, OBJECT_SYSTEM_PROFILES, system,
	                               SYSTEM_WEB_PROFILE);
}

static void
write_link(struct writer *w, struct str base, const struct invitation_way *way)
{
	while (str_ends(base, STR("/")))
		base.len--;
	writer_format(w, "%.*s/meeting/%.*s", STR_ARGS(base), STR_ARGS(way->call_id));
	if (way->secret.len != 0)
		writer_format(w, "?secret=%.*s", STR_ARGS(way->secret));
}

void
invitation_write_link(struct writer *w, const struct objects *objects,
                      const struct invitation *invitation, const struct invitation_way *way)
{
	const uint32_t profile = web_profile_of(objects, invitation->space);
	const uint32_t first = objects_next_inside(objects, OBJECT_WEB_ADDRESS, profile, 0);
	if (way->call_id.len != 0)
		write_link(w,
		           first != 0 ? objects_text(objects, OBJECT_WEB_ADDRESS, first,
		                                     WEB_ADDRESS_ADDRESS)
		                      : invitation->web_address,
		           way);
}

void
invitation_write_uri(struct writer *w, const struct objects *objects,
                     const struct invitation *invitation)
{
	const struct invitation_way way =
		invitation_way(objects, invitation->space, invitation->method);
	if (way.uri.len != 0)
		writer_format(w, "%.*s@%.*s", STR_ARGS(way.uri), STR_ARGS(invitation->domain));
}

static void
write_browser(struct writer *w, const struct phrases *say, struct str base,
              const struct invitation_way *way)
{
	if (way->call_id.len == 0)
		return;
	writer_format(w, "%s: ", say->browser);
	write_link(w, base, way);
	writer_u8(w, '\n');
}

static void
write_numbers(struct writer *w, const struct objects *objects, const struct phrases *say,
              uint32_t profile)
{
	for (uint32_t at = 0;
	     (at = objects_next_inside(objects, OBJECT_IVR_NUMBER, profile, at)) != 0;) {
		const struct str label =
			objects_text(objects, OBJECT_IVR_NUMBER, at, IVR_NUMBER_LABEL);
		const struct str number =
			objects_text(objects, OBJECT_IVR_NUMBER, at, IVR_NUMBER_NUMBER);
		writer_format(w, "%s: %.*s%s%.*s%s\n", say->telephone, STR_ARGS(number),
		              label.len != 0 ? " (" : "", STR_ARGS(label),
		              label.len != 0 ? ")" : "");
	}
}

void
invitation_write(struct writer *w, const struct objects *objects,
                 const struct invitation *invitation)
{
	const struct phrases *say = phrases_for(invitation->language);
	const struct invitation_way way =
		invitation_way(objects, invitation->space, invitation->method);
	const struct str name = objects_text(objects, OBJECT_SPACE, invitation->space, SPACE_NAME);
	const uint32_t profile = web_profile_of(objects, invitation->space);
	const uint32_t first = objects_next_inside(objects, OBJECT_WEB_ADDRESS, profile, 0);
	writer_format(w, "%s%.*s%s\n", say->before, STR_ARGS(name.len != 0 ? name : way.uri),
	              say->behind);
	if (first == 0)
		write_browser(w, say, invitation->web_address, &way);
	for (uint32_t at = first; at != 0;
	     at = objects_next_inside(objects, OBJECT_WEB_ADDRESS, profile, at))
		write_browser(w, say,
		              objects_text(objects, OBJECT_WEB_ADDRESS, at, WEB_ADDRESS_ADDRESS),
		              &way);
	if (way.uri.len != 0) {
		writer_format(w, "%s: ", say->video);
		invitation_write_uri(w, objects, invitation);
		writer_u8(w, '\n');
	}
	write_numbers(w, objects, say, profile);
	if (way.call_id.len != 0)
		writer_format(w, "%s: %.*s\n", say->number, STR_ARGS(way.call_id));
	if (way.passcode.len != 0)
		writer_format(w, "%s: %.*s\n", say->passcode, STR_ARGS(way.passcode));
}

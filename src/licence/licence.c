/* SPDX-License-Identifier: Apache-2.0 */
#include "licence/licence.h"

#include <stdio.h>

#include "base/check.h"
#include "base/date.h"

/* ------------------------------------------------------------------ words */

static const char *const feature_names[LICENCE_FEATURES] = {
	[LICENCE_CALLBRIDGE] = "callbridge",
	[LICENCE_NO_ENCRYPTION] = "callbridge_no_encryption",
	[LICENCE_TURN] = "turn",
	[LICENCE_WEBBRIDGE] = "webbridge",
	[LICENCE_LDAP] = "ldap",
	[LICENCE_BRANDING] = "branding",
	[LICENCE_CUSTOMIZATIONS] = "customizations",
	[LICENCE_LOCAL] = "local_license_mode",
	[LICENCE_RECORDING] = "recording",
	[LICENCE_STREAMING] = "streaming",
	[LICENCE_PERSONAL] = "personal",
	[LICENCE_SHARED] = "shared",
	[LICENCE_CAPACITY] = "capacity_units",
};

const char *
licence_feature_name(enum licence_feature feature)
{
	CHECK((unsigned)feature < LICENCE_FEATURES);
	return feature_names[feature];
}

bool
licence_feature_counts(enum licence_feature feature)
{
	return feature == LICENCE_PERSONAL || feature == LICENCE_SHARED ||
	       feature == LICENCE_CAPACITY;
}

static const char *const reject_names[LICENCE_REJECTS] = {
	[LICENCE_OK] = "missing",
	[LICENCE_REJECT_LONG] = "tooLong",
	[LICENCE_REJECT_FORM] = "noLicenceFile",
	[LICENCE_REJECT_ALGORITHM] = "unknownAlgorithm",
	[LICENCE_REJECT_ISSUER] = "unknownIssuer",
	[LICENCE_REJECT_SIGNATURE] = "badSignature",
	[LICENCE_REJECT_VERSION] = "newerVersion",
	[LICENCE_REJECT_CLAIMS] = "badClaims",
	[LICENCE_REJECT_HOST] = "otherHost",
};

const char *
licence_reject_name(enum licence_reject reject)
{
	CHECK((unsigned)reject < LICENCE_REJECTS);
	return reject_names[reject];
}

/* ------------------------------------------------------------------ days */

const char *
licence_date(char out[LICENCE_DATE_MAX], int64_t time_s)
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
		                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	const struct date date = date_of(time_s);
	snprintf(out, LICENCE_DATE_MAX, "%04d-%s-%02d", date.year % 10000,
	         months[date.month - 1], date.day);
	return out;
}

/* ------------------------------------------------------------------ issuers */

bool
licence_issuer_name_valid(struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		const char c = name.at[i];
		if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') &&
		    c != '-' && c != '_' && c != '.')
			return false;
	}
	return name.len != 0 && name.len < LICENCE_ISSUER_MAX;
}

bool
licence_key_parse(struct licence_key *out, struct str text)
{
	struct licence_key key;
	if (decode_base64(key.bytes, sizeof key.bytes, text) != LICENCE_KEY_BYTES)
		return false;
	*out = key;
	return true;
}

const struct licence_issuer *
licence_issuers_find(const struct licence_issuers *all, struct str name)
{
	for (uint32_t i = 0; i < all->count; i++) {
		if (str_eq(name, str_of(all->list[i].name)))
			return &all->list[i];
	}
	return NULL;
}

static bool
parse_issuer(struct licence_issuers *out, struct str line)
{
	const struct str name = str_cut(&line, ' ');
	if (out->count == LICENCE_ISSUERS_MAX || !licence_issuer_name_valid(name) ||
	    licence_issuers_find(out, name) != NULL)
		return false;
	struct licence_issuer *issuer = &out->list[out->count];
	str_copy(issuer->name, sizeof issuer->name, name);
	if (!licence_key_parse(&issuer->key, str_trim(line)))
		return false;
	out->count++;
	return true;
}

bool
licence_issuers_parse(struct licence_issuers *out, struct str text, uint32_t *line)
{
	*out = (struct licence_issuers){ 0 };
	*line = 0;
	while (text.len != 0) {
		const struct str one = str_trim(str_cut(&text, '\n'));
		++*line;
		if (one.len != 0 && one.at[0] != '#' && !parse_issuer(out, one)) {
			*out = (struct licence_issuers){ 0 };
			return false;
		}
	}
	return true;
}

void
licence_issuers_write(struct writer *w, const struct licence_issuers *issuers)
{
	for (uint32_t i = 0; i < issuers->count; i++) {
		writer_format(w, "%s ", issuers->list[i].name);
		encode_base64url(w, issuers->list[i].key.bytes, LICENCE_KEY_BYTES);
		writer_u8(w, '\n');
	}
}

/* ------------------------------------------------------------------ what counts now */

struct licence_rights
licence_rights_free(void)
{
	struct licence_rights rights = { .free = true };
	for (unsigned f = 0; f < LICENCE_FEATURES; f++)
		rights.of[f] = (struct licence_right){ .state = LICENCE_ACTIVATED,
			                               .expires_s = INT64_MAX };
	return rights;
}

struct licence_rights
licence_rights_none(enum licence_reject why)
{
	struct licence_rights rights = { .why = why };
	for (unsigned f = 0; f < LICENCE_FEATURES; f++)
		rights.of[f].expires_s = INT64_MAX;
	return rights;
}

static enum licence_state
state_of(const struct licence_grant *grant, int64_t grace_s, int64_t now_s)
{
	if (!grant->granted)
		return LICENCE_NONE;
	if (now_s < grant->expires_s)
		return LICENCE_ACTIVATED;
	return now_s - grant->expires_s < grace_s ? LICENCE_GRACE : LICENCE_EXPIRED;
}

struct licence_rights
licence_rights_of(const struct licence *licence, int64_t now_s)
{
	struct licence_rights rights = { .why = LICENCE_OK };
	const int64_t grace_s = (int64_t)licence->grace_days * DATE_DAY_S;
	memcpy(rights.issuer, licence->issuer, sizeof rights.issuer);
	memcpy(rights.id, licence->id, sizeof rights.id);
	memcpy(rights.holder, licence->holder, sizeof rights.holder);
	for (unsigned f = 0; f < LICENCE_FEATURES; f++) {
		const struct licence_grant *grant = &licence->grants[f];
		rights.of[f] = (struct licence_right){ .state = state_of(grant, grace_s, now_s),
			                               .limited = grant->limited,
			                               .limit = grant->limit,
			                               .expires_s = grant->expires_s };
	}
	return rights;
}

int64_t
licence_now(const struct licence *licence, int64_t clock_s, struct str seen_id, int64_t seen_s)
{
	int64_t now_s = clock_s > licence->issued_s ? clock_s : licence->issued_s;
	if (str_eq(seen_id, str_of(licence->id)) && seen_s > now_s)
		now_s = seen_s;
	return now_s;
}

/* ------------------------------------------------------------------ the command line's lines */

static void
write_expiry(struct writer *w, int64_t expires_s, int64_t now_s)
{
	char date[LICENCE_DATE_MAX];
	if (expires_s == INT64_MAX) {
		writer_text(w, " expiry: never");
		return;
	}
	/* The last day with it, as people say it. */
	writer_format(w, " expiry: %s", licence_date(date, expires_s > 0 ? expires_s - 1 : 0));
	if (now_s < expires_s)
		writer_format(w, " (%lld days remain)",
		              (long long)((expires_s - now_s) / DATE_DAY_S));
	else
		writer_format(w, " (%lld days ago)",
		              (long long)((now_s - expires_s) / DATE_DAY_S));
}

void
licence_write(struct writer *w, const struct licence_rights *rights, int64_t now_s)
{
	static const char *const words[LICENCE_STATES] = {
		[LICENCE_NONE] = "No license",
		[LICENCE_ACTIVATED] = "Activated",
		[LICENCE_GRACE] = "Grace",
		[LICENCE_EXPIRED] = "Expired",
	};
	for (unsigned f = 0; f < LICENCE_FEATURES; f++) {
		const struct licence_right *right = &rights->of[f];
		/* It stands in the place of callbridge, and is nobody's question else. */
		if (f == LICENCE_NO_ENCRYPTION &&
		    (rights->free || right->state == LICENCE_NONE))
			continue;
		writer_format(w, "Feature: %s status: %s", feature_names[f], words[right->state]);
		if (right->limited && right->state != LICENCE_NONE)
			writer_format(w, " limit: %u", right->limit);
		if (right->state != LICENCE_NONE && !rights->free)
			write_expiry(w, right->expires_s, now_s);
		writer_u8(w, '\n');
	}
}

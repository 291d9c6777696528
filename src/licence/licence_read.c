/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a licence file: the signature first, then what it says. */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/date.h"
#include "licence/licence_internal.h"
#include "licence/licence_sign.h"

enum {
	HEADER_BYTES_MAX = 512,
	VERSION = 1,
};

__attribute__((format(printf, 3, 4))) static enum licence_reject
reject(enum licence_reject kind, char error[LICENCE_ERROR_MAX], const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)vsnprintf(error, LICENCE_ERROR_MAX, format, args);
	va_end(args);
	return kind;
}

/* ------------------------------------------------------------------ claims */

/* Printable, so that it can stand in a log and in XML; UTF-8, as jansson has checked. */
static bool
take_text(char *out, size_t cap, const json_t *value)
{
	const struct str text = { json_string_value(value), json_string_length(value) };
	if (!json_is_string(value) || text.len == 0 || text.len >= cap)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.at[i] < ' ' || text.at[i] == 0x7f)
			return false;
	}
	return str_copy(out, cap, text);
}

static bool
take_number(uint32_t *out, const json_t *value, int64_t max)
{
	const json_int_t number = json_integer_value(value);
	if (!json_is_integer(value) || number < 0 || number > max)
		return false;
	*out = (uint32_t)number;
	return true;
}

/* A date's whole day counts: it ends with the next day's beginning. */
static bool
take_end(int64_t *out, const json_t *value)
{
	bool day = false;
	const struct str text = { json_string_value(value), json_string_length(value) };
	if (!json_is_string(value) || !date_parse(out, &day, text))
		return false;
	*out += day ? DATE_DAY_S : 0;
	return true;
}

static enum licence_reject
read_feature(struct licence_grant *out, const char *name, const json_t *value,
             char error[LICENCE_ERROR_MAX])
{
	const json_t *expires = json_object_get(value, "expires");
	const json_t *limit = json_object_get(value, "limit");
	*out = (struct licence_grant){ .granted = true, .expires_s = INT64_MAX };
	if (!json_is_object(value))
		return reject(LICENCE_REJECT_CLAIMS, error, "features.%s is no object", name);
	if (expires != NULL && !take_end(&out->expires_s, expires))
		return reject(LICENCE_REJECT_CLAIMS, error,
		              "features.%s.expires is no date like 2027-03-01", name);
	if (limit != NULL && !take_number(&out->limit, limit, LICENCE_LIMIT_MAX))
		return reject(LICENCE_REJECT_CLAIMS, error,
		              "features.%s.limit is no number from 0 to %d", name,
		              LICENCE_LIMIT_MAX);
	out->limited = limit != NULL;
	return LICENCE_OK;
}

static enum licence_reject
read_features(struct licence *out, const json_t *features, char error[LICENCE_ERROR_MAX])
{
	if (!json_is_object(features))
		return reject(LICENCE_REJECT_CLAIMS, error, "features is missing");
	for (unsigned f = 0; f < LICENCE_FEATURES; f++) {
		const char *name = licence_feature_name((enum licence_feature)f);
		const json_t *value = json_object_get(features, name);
		if (value == NULL)
			continue;
		const enum licence_reject rejected =
			read_feature(&out->grants[f], name, value, error);
		if (rejected != LICENCE_OK)
			return rejected;
	}
	return LICENCE_OK;
}

static enum licence_reject
read_host(struct licence *out, const json_t *value, char error[LICENCE_ERROR_MAX])
{
	const struct str text = { json_string_value(value), json_string_length(value) };
	if (value == NULL)
		return LICENCE_OK;
	if (!json_is_string(value) || !guid_parse(&out->host, text))
		return reject(LICENCE_REJECT_CLAIMS, error, "host is no host id");
	out->bound = true;
	return LICENCE_OK;
}

static enum licence_reject
read_root(struct licence *out, const json_t *root, char error[LICENCE_ERROR_MAX])
{
	bool day;
	uint32_t version;
	const json_t *issued = json_object_get(root, "issued");
	const json_t *grace = json_object_get(root, "graceDays");
	if (!take_number(&version, json_object_get(root, "version"), INT32_MAX) || version == 0)
		return reject(LICENCE_REJECT_CLAIMS, error, "version is missing");
	if (version != VERSION)
		return reject(LICENCE_REJECT_VERSION, error,
		              "it is of version %u, for a newer Convoke", version);
	if (!take_text(out->id, sizeof out->id, json_object_get(root, "id")))
		return reject(LICENCE_REJECT_CLAIMS, error, "id is no text of 1 to %d bytes",
		              LICENCE_TEXT_MAX - 1);
	if (!take_text(out->holder, sizeof out->holder, json_object_get(root, "holder")))
		return reject(LICENCE_REJECT_CLAIMS, error, "holder is no text of 1 to %d bytes",
		              LICENCE_TEXT_MAX - 1);
	if (!json_is_string(issued) ||
	    !date_parse(&out->issued_s, &day,
	                (struct str){ json_string_value(issued), json_string_length(issued) }))
		return reject(LICENCE_REJECT_CLAIMS, error, "issued is no date like 2026-03-01");
	if (grace != NULL && !take_number(&out->grace_days, grace, LICENCE_GRACE_DAYS_MAX))
		return reject(LICENCE_REJECT_CLAIMS, error, "graceDays is no number from 0 to %d",
		              LICENCE_GRACE_DAYS_MAX);
	const enum licence_reject rejected = read_host(out, json_object_get(root, "host"), error);
	return rejected != LICENCE_OK
	               ? rejected
	               : read_features(out, json_object_get(root, "features"), error);
}

enum licence_reject
licence_claims_read(struct licence *out, struct str json, char error[LICENCE_ERROR_MAX])
{
	struct licence licence = { 0 };
	json_error_t trouble;
	json_t *root = json_loadb(json.at, json.len, JSON_REJECT_DUPLICATES, &trouble);
	const enum licence_reject rejected =
		json_is_object(root) ? read_root(&licence, root, error)
				     : reject(LICENCE_REJECT_CLAIMS, error,
	                                      "what is signed is no JSON object");
	json_decref(root);
	if (rejected == LICENCE_OK)
		*out = licence;
	return rejected;
}

/* ------------------------------------------------------------------ the envelope */

/* Who signed, by a header whose algorithm is ours.  What must be understood to be believed ("crit",
 * RFC 7515 s4.1.11) we do not understand. */
static enum licence_reject
read_header(char issuer[LICENCE_ISSUER_MAX], struct str part, char error[LICENCE_ERROR_MAX])
{
	char bytes[HEADER_BYTES_MAX];
	const int len = decode_base64(bytes, sizeof bytes, part);
	json_t *root = len > 0 ? json_loadb(bytes, (size_t)len, JSON_REJECT_DUPLICATES, NULL)
			       : NULL;
	enum licence_reject rejected = LICENCE_OK;
	const json_t *kid = json_object_get(root, "kid");
	const struct str name = { json_string_value(kid), json_string_length(kid) };
	const char *algorithm = json_string_value(json_object_get(root, "alg"));
	if (!json_is_object(root))
		rejected = reject(LICENCE_REJECT_FORM, error,
		                  "it is no licence file, or was cut short");
	else if (algorithm == NULL || strcmp(algorithm, "EdDSA") != 0 ||
	         json_object_get(root, "crit") != NULL)
		rejected = reject(LICENCE_REJECT_ALGORITHM, error,
		                  "it is not signed by Ed25519 (EdDSA)");
	else if (!json_is_string(kid) || !licence_issuer_name_valid(name))
		rejected = reject(LICENCE_REJECT_ALGORITHM, error,
		                  "it does not say who signed it (kid)");
	else
		str_copy(issuer, LICENCE_ISSUER_MAX, name);
	json_decref(root);
	return rejected;
}

static enum licence_reject
check_host(const struct licence *licence, const struct guid *host, char error[LICENCE_ERROR_MAX])
{
	char theirs[GUID_TEXT_LEN + 1], ours[GUID_TEXT_LEN + 1] = "not known yet";
	if (!licence->bound || (host != NULL && guid_eq(&licence->host, host)))
		return LICENCE_OK;
	guid_write(theirs, &licence->host);
	if (host != NULL)
		guid_write(ours, host);
	return reject(LICENCE_REJECT_HOST, error, "it is for the host %s; this one is %s", theirs,
	              ours);
}

/* The three parts of a JWS. */
struct envelope {
	struct str header;
	struct str payload;
	struct str signature;
	struct str signed_text;
};

static bool
open_envelope(struct envelope *out, struct str file)
{
	struct str rest = file;
	out->header = str_cut(&rest, '.');
	out->payload = str_cut(&rest, '.');
	out->signature = rest;
	out->signed_text = str_sub(file, 0, out->header.len + 1 + out->payload.len);
	return out->header.len != 0 && out->payload.len != 0 && rest.len != 0 &&
	       str_find(rest, '.') == rest.len;
}

enum licence_reject
licence_read(struct licence *out, struct str file, const struct licence_issuers *issuers,
             const struct guid *host, char error[LICENCE_ERROR_MAX])
{
	struct licence licence = { 0 };
	struct envelope envelope;
	char issuer[LICENCE_ISSUER_MAX] = "";
	uint8_t signature[LICENCE_SIGNATURE_BYTES];
	char payload[LICENCE_PAYLOAD_BYTES_MAX];
	error[0] = '\0';
	if (file.len > LICENCE_FILE_BYTES_MAX)
		return reject(LICENCE_REJECT_LONG, error, "it is larger than %d bytes",
		              LICENCE_FILE_BYTES_MAX);
	if (!open_envelope(&envelope, str_trim(file)))
		return reject(LICENCE_REJECT_FORM, error,
		              "it is no licence file, or was cut short");
	enum licence_reject rejected = read_header(issuer, envelope.header, error);
	if (rejected != LICENCE_OK)
		return rejected;
	const struct licence_issuer *signer = licence_issuers_find(issuers, str_of(issuer));
	if (signer == NULL)
		return reject(LICENCE_REJECT_ISSUER, error,
		              "it is signed by \"%s\", who is not trusted here", issuer);
	if (decode_base64(signature, sizeof signature, envelope.signature) !=
	            LICENCE_SIGNATURE_BYTES ||
	    !licence_verify(&signer->key, envelope.signed_text, signature))
		return reject(LICENCE_REJECT_SIGNATURE, error,
		              "the signature is not that of \"%s\": it was changed or cut short",
		              issuer);
	const int len = decode_base64(payload, sizeof payload, envelope.payload);
	if (len < 0)
		return reject(LICENCE_REJECT_CLAIMS, error, "what is signed is no JSON object");
	rejected = licence_claims_read(&licence, (struct str){ payload, (size_t)len }, error);
	if (rejected == LICENCE_OK)
		rejected = check_host(&licence, host, error);
	if (rejected != LICENCE_OK)
		return rejected;
	memcpy(licence.issuer, issuer, sizeof issuer);
	*out = licence;
	return LICENCE_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* licence -- signed licence files of those who resell Convoke (docs/decisions/licences.md).
 *
 * Without an issuer that somebody trusts here nothing is limited: everything is activated, whatever
 * file lies about.  With one, only what a file of that issuer grants is.
 *
 * A licence file is a JWS in compact form (RFC 7515), signed by Ed25519 (RFC 8037), on one line:
 *
 *	header   {"alg":"EdDSA","kid":"acme"}         kid: the issuer's name here
 *	payload  {"version":1,"id":"2026-42","holder":"Example Ltd","issued":"2026-03-01",
 *	          "host":"6a9c...","graceDays":30,
 *	          "features":{"callbridge":{"expires":"2027-03-01","limit":500},"webbridge":{}}}
 *
 * `host` and `graceDays` may be left out: any host, no grace.  A feature that is not named is not
 * granted; one without "expires" is granted for good, one without "limit" without bound.  Times are
 * dates, whose whole day (UTC) counts, or instants ("2027-03-01T12:00:00Z").  Members we do not know
 * are for newer programs and read over.
 *
 *	licence_read(&licence, text, issuers, &host, &error)     once for each file
 *	licence_rights(&rights, &licence, now_s)                 what it grants now
 *
 * Ownership  A licence is a value; nothing borrows from the file.
 * Threads    Pure.
 * Units      Seconds since 1970; time is passed in.
 * Errors     An `enum licence_reject` and a sentence for the administrator.
 * Limits     LICENCE_FILE_BYTES_MAX, LICENCE_ISSUERS_MAX, LICENCE_TEXT_MAX a text.
 */
#ifndef LICENCE_LICENCE_H
#define LICENCE_LICENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/encode.h"
#include "base/str.h"

enum {
	LICENCE_KEY_BYTES = 32,
	LICENCE_SIGNATURE_BYTES = 64,
	LICENCE_FILE_BYTES_MAX = 16 * 1024,
	LICENCE_PAYLOAD_BYTES_MAX = 12 * 1024,
	LICENCE_ISSUERS_MAX = 8,
	LICENCE_ISSUER_MAX = 32,  /* bytes of an issuer's name, with NUL: letters, digits, - _ . */
	LICENCE_TEXT_MAX = 128,   /* bytes of id and holder, with NUL */
	LICENCE_DATE_MAX = 16,    /* bytes of "2027-Mar-01", with NUL */
	LICENCE_ERROR_MAX = 256,
	LICENCE_GRACE_DAYS_MAX = 366,
	LICENCE_LIMIT_MAX = 1000000000,
};

/* In the order in which `license` shows them. */
enum licence_feature {
	LICENCE_CALLBRIDGE,      /* limit: call legs at the same time */
	LICENCE_NO_ENCRYPTION,   /* in the place of callbridge: calls, but none encrypted */
	LICENCE_TURN,
	LICENCE_WEBBRIDGE,
	LICENCE_LDAP,
	LICENCE_BRANDING,
	LICENCE_CUSTOMIZATIONS,  /* layout templates, and logos in them */
	LICENCE_LOCAL,           /* local_license_mode: with us it always is so */
	LICENCE_RECORDING,       /* limit: recordings at the same time */
	LICENCE_STREAMING,       /* limit: streams at the same time */
	LICENCE_PERSONAL,        /* limit: users with hasLicense */
	LICENCE_SHARED,          /* limit: calls of nobody who has one, at the same time */
	LICENCE_CAPACITY,        /* limit: calls at the same time */
	LICENCE_FEATURES,
};

/* "callbridge", ...: as files and the command line write them. */
[[nodiscard]] const char *licence_feature_name(enum licence_feature feature);
/* Of these alone a limit can be exceeded; it is told, and nothing ends. */
[[nodiscard]] bool licence_feature_counts(enum licence_feature feature);

enum licence_reject {
	LICENCE_OK = 0,
	LICENCE_REJECT_LONG,      /* more than LICENCE_FILE_BYTES_MAX */
	LICENCE_REJECT_FORM,      /* not three parts in base64url: cut short, or no licence at all */
	LICENCE_REJECT_ALGORITHM, /* a header that is not EdDSA, or names no issuer */
	LICENCE_REJECT_ISSUER,    /* signed by somebody who is not trusted here */
	LICENCE_REJECT_SIGNATURE, /* not what the issuer signed */
	LICENCE_REJECT_VERSION,   /* of a newer program */
	LICENCE_REJECT_CLAIMS,    /* signed, but not as described above */
	LICENCE_REJECT_HOST,      /* for another host */
	LICENCE_REJECTS,
};

/* "badSignature", ...: for alarms and answers of the API. */
[[nodiscard]] const char *licence_reject_name(enum licence_reject reject);

struct licence_key {
	uint8_t bytes[LICENCE_KEY_BYTES];
};

struct licence_issuer {
	char name[LICENCE_ISSUER_MAX];
	struct licence_key key;
};

/* Whose files are believed; none: nothing is limited. */
struct licence_issuers {
	uint32_t count;
	struct licence_issuer list[LICENCE_ISSUERS_MAX];
};

/* DATA/licence-issuers: lines of a name and the public key in base64url; "#" begins a comment.
 * False: `*line` breaks a rule. */
[[nodiscard]] bool licence_issuers_parse(struct licence_issuers *out, struct str text,
                                         uint32_t *line);
void licence_issuers_write(struct writer *w, const struct licence_issuers *issuers);
/* NULL: nobody of that name. */
[[nodiscard]] const struct licence_issuer *licence_issuers_find(const struct licence_issuers *all,
                                                                struct str name);
[[nodiscard]] bool licence_issuer_name_valid(struct str name);
/* 32 bytes in base64url or base64. */
[[nodiscard]] bool licence_key_parse(struct licence_key *out, struct str text);

struct licence_grant {
	bool granted;
	bool limited;
	uint32_t limit;
	int64_t expires_s; /* the first second without it; INT64_MAX: never */
};

struct licence {
	char issuer[LICENCE_ISSUER_MAX];
	char id[LICENCE_TEXT_MAX];
	char holder[LICENCE_TEXT_MAX];
	int64_t issued_s;
	uint32_t grace_days;
	bool bound;
	struct guid host; /* bound */
	struct licence_grant grants[LICENCE_FEATURES];
};

/* `host` is NULL where it is not known: then a bound file is refused. */
[[nodiscard]] enum licence_reject licence_read(struct licence *out, struct str file,
                                               const struct licence_issuers *issuers,
                                               const struct guid *host,
                                               char error[LICENCE_ERROR_MAX]);

/* As the API orders its words. */
enum licence_state {
	LICENCE_NONE,      /* not granted, or there is no licence that counts */
	LICENCE_ACTIVATED,
	LICENCE_GRACE,     /* past its end, and still let be */
	LICENCE_EXPIRED,
	LICENCE_STATES,
};

struct licence_right {
	enum licence_state state;
	bool limited;
	uint32_t limit;
	int64_t expires_s; /* INT64_MAX: never */
};

/* What counts at one moment. */
struct licence_rights {
	bool free;               /* nobody is trusted to sign: everything is activated */
	enum licence_reject why; /* no file of use: what is wrong; with LICENCE_OK there is none */
	char issuer[LICENCE_ISSUER_MAX];
	char id[LICENCE_TEXT_MAX];
	char holder[LICENCE_TEXT_MAX];
	struct licence_right of[LICENCE_FEATURES];
};

/* Everything activated, nothing limited. */
struct licence_rights licence_rights_free(void);
/* Nothing: there are issuers, and no file (LICENCE_OK), or none that counts. */
struct licence_rights licence_rights_none(enum licence_reject why);
struct licence_rights licence_rights_of(const struct licence *licence, int64_t now_s);

/* May it be used: activated, or in its grace? */
[[nodiscard]] static inline bool
licence_allows(const struct licence_rights *rights, enum licence_feature feature)
{
	const enum licence_state state = rights->of[feature].state;
	return state == LICENCE_ACTIVATED || state == LICENCE_GRACE;
}

/* A clock that was put back brings nothing back: the later of the clock, of the last time that was
 * noted under this very licence, and of the day the licence was made. */
[[nodiscard]] int64_t licence_now(const struct licence *licence, int64_t clock_s,
                                  struct str seen_id, int64_t seen_s);

/* "2027-Mar-01", UTC. */
const char *licence_date(char out[LICENCE_DATE_MAX], int64_t time_s);
/* "Feature: callbridge status: Activated expiry: 2027-Mar-01 (690 days remain)" and so on, a line
 * for each feature that is granted or, without a licence, for each. */
void licence_write(struct writer *w, const struct licence_rights *rights, int64_t now_s);

#endif

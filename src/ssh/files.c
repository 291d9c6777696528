/* SPDX-License-Identifier: Apache-2.0 */
#include "ssh/files.h"

#include "base/check.h"

/* In their own names: what lies in the data folder and is nobody's to have. */
static const char *const hidden[] = { "jwt.key", "admin-password" };

/* Keys can be brought by those who look after them, and are read back by nobody else. */
static const struct files_kind kinds[] = {
	{ "*.key", NULL, MMP_BY_CRYPTO, MMP_BY_CRYPTO, MMP_BY_CRYPTO, FILES_SMALL_BYTES },
	/* may hold a key */
	{ "*.pem", NULL, MMP_BY_CRYPTO, MMP_BY_CRYPTO, MMP_BY_CRYPTO, FILES_SMALL_BYTES },
	{ "*.p12", NULL, MMP_BY_CRYPTO, MMP_BY_CRYPTO, MMP_BY_CRYPTO, FILES_SMALL_BYTES },
	{ "*.crt", NULL, MMP_BY_TLS, MMP_BY_CRYPTO, MMP_BY_CRYPTO, FILES_SMALL_BYTES },
	{ "*.cer", NULL, MMP_BY_TLS, MMP_BY_CRYPTO, MMP_BY_CRYPTO, FILES_SMALL_BYTES },
	{ "*.csr", NULL, MMP_BY_TLS, MMP_BY_CRYPTO, MMP_BY_CRYPTO, FILES_SMALL_BYTES },
	{ "*.pub", NULL, MMP_BY_ADMIN, MMP_BY_ADMIN, MMP_BY_ADMIN, FILES_SMALL_BYTES },
	{ "*.lic", NULL, MMP_BY_APPLICATION, MMP_BY_APPLICATION, MMP_BY_APPLICATION,
	  FILES_SMALL_BYTES },
	/* keys and accounts are in it */
	{ "*.bak", NULL, MMP_BY_ADMIN, MMP_BY_ADMIN, MMP_BY_ADMIN, FILES_BACKUP_BYTES },
	{ "*.pcap", NULL, MMP_BY_ADMIN, 0, MMP_BY_ADMIN, 0 },
	{ FILES_BUNDLE, FILES_BUNDLE, MMP_BY_AUDIT, 0, MMP_BY_AUDIT, 0 },
	{ "*.log", NULL, MMP_BY_AUDIT | MMP_BY_APPLICATION, 0, MMP_BY_AUDIT, 0 }, /* kept by syslog rotate */
	{ "log", "log/convoke.log", MMP_BY_LOGS, 0, 0, 0 },
	{ "audit", "log/audit", MMP_BY_AUDIT, 0, 0, 0 },
};

static bool
is_flat(struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		const char c = name.at[i];
		const bool letter = str_is_alnum(c) || c == '_';
		if (!letter && (i == 0 || (c != '.' && c != '-' && c != '+' && c != ' ')))
			return false;
	}
	return name.len != 0 && name.len < FILES_NAME_MAX;
}

const struct files_kind *
files_find(struct str name)
{
	if (!is_flat(name))
		return NULL;
	for (size_t i = 0; i < COUNT_OF(hidden); i++)
		if (str_eq_nocase(name, str_of(hidden[i])))
			return NULL;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		const char *of = kinds[i].name;
		if (of[0] == '*' ? str_ends(name, str_of(of + 1)) : str_eq(name, str_of(of)))
			return &kinds[i];
	}
	return NULL;
}

bool
files_may(const struct files_kind *kind, enum mmp_role role, enum files_right right)
{
	const unsigned roles = right == FILES_GET   ? kind->get
	                       : right == FILES_PUT ? kind->put
	                                            : kind->remove;
	return (roles & 1u << role) != 0;
}

bool
files_may_see(const struct files_kind *kind, enum mmp_role role)
{
	return files_may(kind, role, FILES_GET) || files_may(kind, role, FILES_PUT);
}

bool
files_is_certificate(struct str name)
{
	const struct files_kind *kind = files_find(name);
	return kind != NULL && files_may(kind, MMP_CRYPTO, FILES_PUT);
}

const struct files_kind *
files_placed(size_t index)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (kinds[i].place != NULL && index-- == 0)
			return &kinds[i];
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Which certificates the settings name, and what is in those files.  They are read when somebody
 * asks: a few small files of this machine. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "callbridge/shell.h"
#include "net/cert.h"

/* One file of the settings, and who uses it for what. */
struct certificate_file {
	const char *service;
	enum certificate_use use;
	const char *name;
};

struct teller {
	struct api_certificate certificate;
	void (*tell)(void *to, const struct api_certificate *certificate);
	void *to;
};

/* Strangers may have signed it: its texts are made such that any answer can hold them. */
static void
clean(char *text, size_t cap)
{
	char copy[CERT_NAMES_TEXT_MAX];
	CHECK(cap <= sizeof copy && str_copy(copy, sizeof copy, str_of(text)));
	text_copy_clean(text, cap, str_of(copy));
}

static void
on_certificate(void *context, const struct cert_info *info)
{
	struct teller *teller = context;
	struct cert_info told = *info;
	clean(told.subject, sizeof told.subject);
	clean(told.names, sizeof told.names);
	clean(told.issuer, sizeof told.issuer);
	struct api_certificate *certificate = &teller->certificate;
	certificate->subject = told.subject;
	certificate->names = told.names;
	certificate->issuer = told.issuer;
	certificate->fingerprint = told.fingerprint;
	certificate->not_before_us = told.not_before.us;
	certificate->not_after_us = told.not_after.us;
	teller->tell(teller->to, certificate);
	/* Behind our own come those that vouch for it. */
	if (certificate->use == CERTIFICATE_OWN)
		certificate->use = CERTIFICATE_CHAIN;
}

static void
tell_file(struct shell *shell, const struct certificate_file *file, struct teller *teller)
{
	char path[COMPONENT_PATH_MAX];
	char error[CERT_ERROR_MAX];
	if (file->name[0] == '\0')
		return;
	teller->certificate = (struct api_certificate){ .service = file->service,
		                                        .use = file->use,
		                                        .file = file->name };
	const char *full = component_path(&shell->component, path, file->name);
	if (cert_inspect_all(full, on_certificate, teller, error) == 0)
		return;
	clean(error, sizeof error);
	teller->certificate.problem = error;
	teller->tell(teller->to, &teller->certificate);
}

void
certificates_tell(void *context,
                  void (*tell)(void *to, const struct api_certificate *certificate), void *to)
{
	struct shell *shell = context;
	const struct config *config = shell->config;
	struct teller teller = { .tell = tell, .to = to };
	const struct certificate_file files[] = {
		{ "webadmin", CERTIFICATE_OWN, config->webadmin.certs.certificate },
		{ "webadmin", CERTIFICATE_CHAIN, config->webadmin.certs.bundle },
		{ "callbridge", CERTIFICATE_OWN, config->callbridge.certs.certificate },
		{ "callbridge", CERTIFICATE_CHAIN, config->callbridge.certs.bundle },
		{ "callbridge c2w", CERTIFICATE_TRUST, config->callbridge.trust_c2w },
		{ "tls sip", CERTIFICATE_TRUST, config->callbridge.sip_trust },
		{ "tls ldap", CERTIFICATE_TRUST, config->ldap.trust },
		{ "webbridge3 https", CERTIFICATE_OWN, config->webbridge.https_certs.certificate },
		{ "webbridge3 https", CERTIFICATE_CHAIN, config->webbridge.https_certs.bundle },
		{ "webbridge3 c2w", CERTIFICATE_OWN, config->webbridge.c2w_certs.certificate },
		{ "webbridge3 c2w", CERTIFICATE_CHAIN, config->webbridge.c2w_certs.bundle },
		{ "webbridge3 c2w", CERTIFICATE_TRUST, config->webbridge.c2w_trust },
		{ "database", CERTIFICATE_OWN, config->database.certs.certificate },
		{ "database", CERTIFICATE_TRUST, config->database.certs.bundle },
		{ "tls syslog", CERTIFICATE_TRUST, config->syslog.trust },
	};
	for (unsigned i = 0; i < COUNT_OF(files); i++)
		tell_file(shell, &files[i], &teller);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Why a certificate was not believed: libldap only says that it was not. */
#include <arpa/inet.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "base/bytes.h"
#include "ldap/directory_internal.h"

static bool
is_for(X509 *cert, const char *host)
{
	return X509_check_host(cert, host, 0, 0, NULL) == 1 ||
	       X509_check_ip_asc(cert, host, 0) == 1;
}

static void
name_of(const X509_NAME *name, char *out, size_t cap)
{
	X509_NAME *from = (X509_NAME *)(uintptr_t)name; /* it is only read */
	out[0] = '\0';
	if (X509_NAME_get_text_by_NID(from, NID_commonName, out, (int)cap) < 0)
		X509_NAME_oneline(name, out, (int)cap);
}

static void
write_alternative(struct writer *w, const GENERAL_NAME *name)
{
	int type;
	char ip[INET6_ADDRSTRLEN];
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
	const char *separator = w->at != 0 ? ", " : "";
	if (type != GEN_DNS && type != GEN_IPADD)
		return;
	const char *text = (const char *)ASN1_STRING_get0_data(value);
	const int len = ASN1_STRING_length(value);
	if (type == GEN_DNS)
		writer_format(w, "%s%.*s", separator, len, text);
	else if ((len == 4 || len == 16) &&
	         inet_ntop(len == 4 ? AF_INET : AF_INET6, text, ip, sizeof ip) != NULL)
		writer_format(w, "%s%s", separator, ip);
}

/* Whom a client takes it to be: its alternative names, as many as there is room for; where it has
 * none, the common name. */
static void
hosts_of(const X509 *cert, char *out, size_t cap)
{
	struct writer w = writer_of(out, cap - 1);
	size_t at = 0;
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; i < sk_GENERAL_NAME_num(names) && !w.failed; i++) {
		at = w.at;
		write_alternative(&w, sk_GENERAL_NAME_value(names, i));
	}
	GENERAL_NAMES_free(names);
	out[w.failed ? at : w.at] = '\0';
	if (out[0] == '\0')
		name_of(X509_get_subject_name(cert), out, cap);
}

void
directory_cert_why(char *out, size_t cap, const uint8_t *der, size_t len, const char *host,
                   bool own_trust)
{
	char name[128];
	X509 *cert = d2i_X509(NULL, &der, (long)len);
	if (cert == NULL) {
		snprintf(out, cap, "its certificate cannot be read");
		return;
	}
	if (X509_cmp_current_time(X509_get0_notAfter(cert)) < 0) {
		snprintf(out, cap, "its certificate has expired");
	} else if (X509_cmp_current_time(X509_get0_notBefore(cert)) > 0) {
		snprintf(out, cap, "its certificate is not valid yet");
	} else if (!is_for(cert, host)) {
		hosts_of(cert, name, sizeof name);
		snprintf(out, cap, "its certificate is for \"%s\", not for \"%s\"", name, host);
	} else {
		name_of(X509_get_issuer_name(cert), name, sizeof name);
		snprintf(out, cap, "its certificate is signed by \"%s\", who is not %s", name,
		         own_trust ? "in the bundle of \"tls ldap trust\""
		                   : "among the system's authorities (see \"tls ldap trust\")");
	}
	X509_free(cert);
}

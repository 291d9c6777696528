/* SPDX-License-Identifier: Apache-2.0 */
/* Why a certificate was not believed: libldap only says that it was not. */
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>

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
		name_of(X509_get_subject_name(cert), name, sizeof name);
		snprintf(out, cap, "its certificate is for \"%s\", not for \"%s\"", name, host);
	} else {
		name_of(X509_get_issuer_name(cert), name, sizeof name);
		snprintf(out, cap, "its certificate is signed by \"%s\", who is not %s", name,
		         own_trust ? "in the bundle of \"tls ldap trust\""
		                   : "among the system's authorities (see \"tls ldap trust\")");
	}
	X509_free(cert);
}

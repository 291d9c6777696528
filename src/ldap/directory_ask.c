/* SPDX-License-Identifier: Apache-2.0 */
/* The thread's work: the one file that knows libldap. */
#include <ldap.h>
#include <lber.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "ldap/directory_internal.h"

enum {
	LOOK_US = 100 * 1000, /* how often somebody may say that it is over */
	URL_MAX = DIRECTORY_HOST_MAX + 32,
};

/* Where systems keep the authorities that they trust. */
static const char *const system_trust[] = { "/etc/ssl/certs/ca-certificates.crt",
	                                    "/etc/pki/tls/certs/ca-bundle.crt",
	                                    "/etc/ssl/cert.pem" };

struct asking {
	const struct directory_order *order;
	const struct directory_door *door;
	LDAP *ld;
	uint32_t told; /* entries */
	char *text;
};

/* ------------------------------------------------------------------ why not */

/* One line that any log takes. */
static void
explain(struct asking *ask, const char *what, const char *more)
{
	size_t at = 0;
	const char *const parts[] = { what, more != NULL && *more != '\0' ? ": " : "", more };
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		for (const char *c = parts[i]; c != NULL && *c != '\0'; c++) {
			if (at + 1 < DIRECTORY_TEXT_MAX)
				ask->text[at++] = *c >= ' ' && *c <= '~' ? *c : '?';
		}
	}
	ask->text[at] = '\0';
}

/* Active Directory says why in the words of a diagnostic message: "..., data 532, v1db1". */
static bool
is_expired(const char *message)
{
	static const char *const codes[] = { "data 530", "data 531", "data 532", "data 533",
		                             "data 701", "data 773", "data 775" };
	for (size_t i = 0; message != NULL && i < COUNT_OF(codes); i++) {
		if (strstr(message, codes[i]) != NULL)
			return true;
	}
	return false;
}

static enum directory_result
result_of(struct asking *ask, int rc, const char *message)
{
	const bool check = ask->order->check;
	enum directory_result result = DIRECTORY_REFUSED;
	switch (rc) {
	case LDAP_SUCCESS:
		return DIRECTORY_OK;
	case LDAP_INVALID_CREDENTIALS:
		result = is_expired(message) ? DIRECTORY_EXPIRED : DIRECTORY_WRONG_PASSWORD;
		break;
	case LDAP_INAPPROPRIATE_AUTH:
	case LDAP_INVALID_DN_SYNTAX:
	case LDAP_NO_SUCH_OBJECT:
		result = check ? DIRECTORY_WRONG_PASSWORD : DIRECTORY_NO_BASE;
		break;
	case LDAP_SIZELIMIT_EXCEEDED:
	case LDAP_ADMINLIMIT_EXCEEDED:
		explain(ask, "the server tells no more entries (its size limit); set "
		             "usePagedResults=true, or raise its limit", message);
		return DIRECTORY_SIZE_LIMIT;
	case LDAP_FILTER_ERROR:
		explain(ask, "the filter is none", ask->order->filter);
		return DIRECTORY_BAD_FILTER;
	case LDAP_SERVER_DOWN:
	case LDAP_CONNECT_ERROR:
	case LDAP_TIMEOUT:
	case LDAP_UNAVAILABLE:
	case LDAP_BUSY:
		result = DIRECTORY_UNREACHABLE;
		break;
	default:
		break;
	}
	explain(ask, ldap_err2string(rc), message);
	return result;
}

/* After a call of libldap that failed by itself. */
static enum directory_result
failed(struct asking *ask, int rc)
{
	char *message = NULL;
	ldap_get_option(ask->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &message);
	const enum directory_result result = result_of(ask, rc, message);
	ldap_memfree(message);
	return result;
}

/* ------------------------------------------------------------------ connecting */

static bool
set_number(LDAP *ld, int option, int value)
{
	return ldap_set_option(ld, option, &value) == LDAP_OPT_SUCCESS;
}

static const char *
trust_of(const struct directory_order *order)
{
	if (order->trust[0] != '\0')
		return order->trust;
	for (size_t i = 0; i < COUNT_OF(system_trust); i++) {
		if (access(system_trust[i], R_OK) == 0)
			return system_trust[i];
	}
	return system_trust[0];
}

/* Everything is said, so that no ldap.conf and no LDAPTLS_ variable says otherwise. */
static bool
set_tls(LDAP *ld, const struct directory_order *order)
{
	if (order->tls == DIRECTORY_PLAIN)
		return true;
	const char *trust = trust_of(order);
	return set_number(ld, LDAP_OPT_X_TLS_REQUIRE_CERT,
	                  order->no_verify ? LDAP_OPT_X_TLS_NEVER : LDAP_OPT_X_TLS_DEMAND) &&
	       set_number(ld, LDAP_OPT_X_TLS_PROTOCOL_MIN,
	                  order->newest_only ? LDAP_OPT_X_TLS_PROTOCOL_TLS1_3
	                                     : LDAP_OPT_X_TLS_PROTOCOL_TLS1_2) &&
	       ldap_set_option(ld, LDAP_OPT_X_TLS_CACERTDIR, NULL) == LDAP_OPT_SUCCESS &&
	       ldap_set_option(ld, LDAP_OPT_X_TLS_CERTFILE, NULL) == LDAP_OPT_SUCCESS &&
	       ldap_set_option(ld, LDAP_OPT_X_TLS_KEYFILE, NULL) == LDAP_OPT_SUCCESS &&
	       (order->no_verify ||
	        ldap_set_option(ld, LDAP_OPT_X_TLS_CACERTFILE, trust) == LDAP_OPT_SUCCESS) &&
	       set_number(ld, LDAP_OPT_X_TLS_NEWCTX, 0);
}

static bool
set_all(LDAP *ld)
{
	const struct timeval connect = { .tv_sec = DIRECTORY_CONNECT_S };
	const struct timeval answer = { .tv_sec = DIRECTORY_CONNECT_S };
	ber_len_t most = DIRECTORY_MESSAGE_MAX;
	Sockbuf *sockbuf = NULL;
	return set_number(ld, LDAP_OPT_PROTOCOL_VERSION, LDAP_VERSION3) &&
	       set_number(ld, LDAP_OPT_SIZELIMIT, LDAP_NO_LIMIT) &&
	       set_number(ld, LDAP_OPT_TIMELIMIT, LDAP_NO_LIMIT) &&
	       set_number(ld, LDAP_OPT_DEREF, LDAP_DEREF_NEVER) &&
	       ldap_set_option(ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) == LDAP_OPT_SUCCESS &&
	       ldap_set_option(ld, LDAP_OPT_RESTART, LDAP_OPT_ON) == LDAP_OPT_SUCCESS &&
	       ldap_set_option(ld, LDAP_OPT_NETWORK_TIMEOUT, &connect) == LDAP_OPT_SUCCESS &&
	       ldap_set_option(ld, LDAP_OPT_TIMEOUT, &answer) == LDAP_OPT_SUCCESS &&
	       ldap_get_option(ld, LDAP_OPT_SOCKBUF, &sockbuf) == LDAP_OPT_SUCCESS &&
	       ber_sockbuf_ctrl(sockbuf, LBER_SB_OPT_SET_MAX_INCOMING, &most) == 1;
}

static LDAP *
open_to(const struct directory_order *order)
{
	LDAP *ld = NULL;
	char url[URL_MAX];
	const bool literal = strchr(order->host, ':') != NULL; /* IPv6 */
	snprintf(url, sizeof url, "%s://%s%s%s:%u",
	         order->tls == DIRECTORY_LDAPS ? "ldaps" : "ldap", literal ? "[" : "", order->host,
	         literal ? "]" : "", order->port);
	return ldap_initialize(&ld, url) == LDAP_SUCCESS ? ld : NULL;
}

static int
greet(LDAP *ld, const struct directory_order *order)
{
	return order->tls == DIRECTORY_STARTTLS ? ldap_start_tls_s(ld, NULL, NULL)
	                                        : ldap_connect(ld);
}

/* Looks at the certificate that was not believed, and asks nothing over that connection. */
static bool
explain_certificate(struct asking *ask)
{
	struct directory_order look = { .port = ask->order->port, .tls = ask->order->tls,
		                        .no_verify = true };
	char why[DIRECTORY_TEXT_MAX] = "";
	struct berval der = { 0 };
	memcpy(look.host, ask->order->host, sizeof look.host);
	LDAP *ld = open_to(&look);
	if (ld == NULL)
		return false;
	if (set_all(ld) && set_tls(ld, &look) && greet(ld, &look) == LDAP_SUCCESS &&
	    ldap_get_option(ld, LDAP_OPT_X_TLS_PEERCERT, &der) == LDAP_OPT_SUCCESS &&
	    der.bv_val != NULL) {
		directory_cert_why(why, sizeof why, (const uint8_t *)der.bv_val, der.bv_len,
		                   look.host, ask->order->trust[0] != '\0');
		explain(ask, why, NULL);
	}
	ber_memfree(der.bv_val);
	ldap_unbind_ext(ld, NULL, NULL);
	return why[0] != '\0';
}

/* Over TLS, a handshake that fails looks to libldap like a server that is gone, but it leaves a
 * message; an address where nobody listens leaves none. */
static enum directory_result
failed_connect(struct asking *ask, int rc)
{
	char *message = NULL;
	const bool tls = ask->order->tls != DIRECTORY_PLAIN;
	ldap_get_option(ask->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &message);
	const bool said = message != NULL && *message != '\0';
	enum directory_result result = DIRECTORY_UNTRUSTED;
	if (!tls || !said || (rc != LDAP_CONNECT_ERROR && rc != LDAP_SERVER_DOWN))
		result = result_of(ask, rc, message);
	else if (!explain_certificate(ask))
		explain(ask, "no TLS on this port", message);
	ldap_memfree(message);
	return result;
}

static enum directory_result
connect_to(struct asking *ask)
{
	const struct directory_order *order = ask->order;
	ask->ld = open_to(order);
	if (ask->ld == NULL) {
		explain(ask, "no address of a server", order->host);
		return DIRECTORY_UNREACHABLE;
	}
	if (!set_all(ask->ld)) {
		explain(ask, "the LDAP library does not take our settings", NULL);
		return DIRECTORY_REFUSED;
	}
	if (!set_tls(ask->ld, order)) {
		explain(ask, "the authorities of \"tls ldap trust\" cannot be used",
		        trust_of(order));
		return DIRECTORY_UNTRUSTED;
	}
	const int rc = greet(ask->ld, order);
	return rc == LDAP_SUCCESS ? DIRECTORY_OK : failed_connect(ask, rc);
}

/* ------------------------------------------------------------------ waiting */

static int64_t
now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The next message of `id`: its type, or 0 with `*result` set. */
static int
next_message(struct asking *ask, int id, LDAPMessage **message, enum directory_result *result)
{
	const int64_t until_us = now_us() + (int64_t)DIRECTORY_ANSWER_S * 1000000;
	for (;;) {
		struct timeval look = { .tv_usec = LOOK_US };
		*message = NULL;
		if (ask->door->over(ask->door->context)) {
			*result = DIRECTORY_CANCELLED;
			return 0;
		}
		const int type = ldap_result(ask->ld, id, LDAP_MSG_ONE, &look, message);
		if (type > 0)
			return type;
		if (type < 0) {
			int rc = LDAP_SERVER_DOWN;
			ldap_get_option(ask->ld, LDAP_OPT_RESULT_CODE, &rc);
			*result = failed(ask, rc);
			return 0;
		}
		if (now_us() > until_us) {
			explain(ask, "the server does not answer any more", NULL);
			*result = DIRECTORY_UNREACHABLE;
			return 0;
		}
	}
}

/* ------------------------------------------------------------------ who asks */

/* What a server with a password policy says beside its answer. */
static bool
policy_says_expired(struct asking *ask, LDAPControl **controls)
{
	ber_int_t expire = -1;
	ber_int_t grace = -1;
	LDAPPasswordPolicyError error = PP_noError;
	LDAPControl *control =
		ldap_control_find(LDAP_CONTROL_PASSWORDPOLICYRESPONSE, controls, NULL);
	return control != NULL &&
	       ldap_parse_passwordpolicy_control(ask->ld, control, &expire, &grace, &error) ==
	               LDAP_SUCCESS &&
	       (error == PP_passwordExpired || error == PP_accountLocked ||
	        error == PP_changeAfterReset);
}

static enum directory_result
bound(struct asking *ask, LDAPMessage *message)
{
	int rc = LDAP_OTHER;
	char *text = NULL;
	LDAPControl **controls = NULL;
	enum directory_result result;
	const int parsed =
		ldap_parse_result(ask->ld, message, &rc, NULL, &text, NULL, &controls, 1);
	if (parsed != LDAP_SUCCESS) {
		result = failed(ask, parsed);
	} else {
		result = result_of(ask, rc, text);
		if (ask->order->check && controls != NULL && policy_says_expired(ask, controls)) {
			explain(ask, "the server's password policy", text);
			result = DIRECTORY_EXPIRED;
		}
	}
	if (controls != NULL)
		ldap_controls_free(controls);
	ldap_memfree(text);
	return result;
}

static enum directory_result
bind_as(struct asking *ask)
{
	const struct directory_order *order = ask->order;
	struct berval password = { .bv_val = (char *)(uintptr_t)order->password,
		                   .bv_len = strlen(order->password) };
	LDAPControl policy = { .ldctl_oid = (char *)(uintptr_t)LDAP_CONTROL_PASSWORDPOLICYREQUEST };
	LDAPControl *controls[] = { &policy, NULL };
	LDAPMessage *message = NULL;
	enum directory_result result = DIRECTORY_OK;
	int id = 0;
	const int rc = ldap_sasl_bind(ask->ld, order->bind_dn, LDAP_SASL_SIMPLE, &password,
	                              order->check ? controls : NULL, NULL, &id);
	if (rc != LDAP_SUCCESS)
		return failed_connect(ask, rc);
	return next_message(ask, id, &message, &result) != 0 ? bound(ask, message) : result;
}

/* ------------------------------------------------------------------ entries */

static void
write_text(struct writer *w, struct str text)
{
	writer_u16(w, (uint16_t)text.len);
	writer_str(w, text);
}

static struct str
first_value(struct berval **values)
{
	return values != NULL && values[0] != NULL && values[0]->bv_len <= DIRECTORY_VALUE_MAX
	               ? (struct str){ values[0]->bv_val, values[0]->bv_len }
	               : STR("");
}

/* False: nobody wants it any more. */
static bool
tell_entry(struct asking *ask, LDAPMessage *message)
{
	const struct directory_order *order = ask->order;
	char *dn = ldap_get_dn(ask->ld, message);
	if (dn == NULL || strlen(dn) > DIRECTORY_DN_MAX) {
		ldap_memfree(dn);
		return true;
	}
	for (bool told = false; !told;) {
		struct directory_answer *batch = ask->door->batch(ask->door->context);
		if (batch == NULL) {
			ldap_memfree(dn);
			return false;
		}
		struct writer w = writer_of(batch->bytes + batch->len, DIRECTORY_BATCH_BYTES -
		                                                               batch->len);
		write_text(&w, str_of(dn));
		for (uint32_t i = 0; i < order->attribute_count; i++) {
			struct berval **values =
				ldap_get_values_len(ask->ld, message, order->attributes[i]);
			write_text(&w, first_value(values));
			ldap_value_free_len(values);
		}
		told = !w.failed;
		if (told) {
			batch->len += w.at;
			batch->entry_count++;
			ask->told++;
		}
		if (!told || batch->entry_count == DIRECTORY_BATCH_ENTRIES_MAX)
			ask->door->flush(ask->door->context);
	}
	ldap_memfree(dn);
	return true;
}

/* The end of a search, or of a page of it; `cookie` then says where the next begins. */
static enum directory_result
page_end(struct asking *ask, LDAPMessage *message, struct berval *cookie)
{
	int rc = LDAP_OTHER;
	char *text = NULL;
	LDAPControl **controls = NULL;
	const int parsed =
		ldap_parse_result(ask->ld, message, &rc, NULL, &text, NULL, &controls, 1);
	enum directory_result result =
		parsed == LDAP_SUCCESS ? result_of(ask, rc, text) : failed(ask, parsed);
	LDAPControl *page =
		controls != NULL ? ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL)
		                 : NULL;
	ber_memfree(cookie->bv_val);
	*cookie = (struct berval){ 0 };
	ber_int_t count = 0;
	if (result == DIRECTORY_OK && page != NULL &&
	    ldap_parse_pageresponse_control(ask->ld, page, &count, cookie) != LDAP_SUCCESS) {
		explain(ask, "the server's pages cannot be read; set usePagedResults=false", NULL);
		result = DIRECTORY_REFUSED;
	}
	if (controls != NULL)
		ldap_controls_free(controls);
	ldap_memfree(text);
	return result;
}

static enum directory_result
search_page(struct asking *ask, char *const *wanted, struct berval *cookie)
{
	const struct directory_order *order = ask->order;
	LDAPControl *page = NULL;
	enum directory_result result = DIRECTORY_OK;
	int id = 0;
	int type;
	if (order->paged && ldap_create_page_control(ask->ld, DIRECTORY_PAGE_ENTRIES, cookie, 0,
	                                             &page) != LDAP_SUCCESS)
		page = NULL;
	LDAPControl *controls[] = { page, NULL };
	const char *filter = order->filter[0] != '\0' ? order->filter : "(objectClass=*)";
	const int rc = ldap_search_ext(ask->ld, order->base, LDAP_SCOPE_SUBTREE, filter,
	                               (char **)(uintptr_t)wanted, 0,
	                               page != NULL ? controls : NULL, NULL, NULL,
	                               (int)order->most, &id);
	if (page != NULL)
		ldap_control_free(page);
	if (rc != LDAP_SUCCESS)
		return failed(ask, rc);
	do {
		LDAPMessage *message = NULL;
		type = next_message(ask, id, &message, &result);
		if (type == LDAP_RES_SEARCH_RESULT) {
			result = page_end(ask, message, cookie); /* frees it */
			break;
		}
		if (type == LDAP_RES_SEARCH_ENTRY && !tell_entry(ask, message)) {
			result = DIRECTORY_CANCELLED;
			type = 0;
		}
		ldap_msgfree(message);
	} while (type != 0);
	return result;
}

static enum directory_result
search_all(struct asking *ask)
{
	const struct directory_order *order = ask->order;
	char *wanted[DIRECTORY_ATTRIBUTES_MAX + 1] = { 0 };
	struct berval cookie = { 0 };
	enum directory_result result;
	for (uint32_t i = 0; i < order->attribute_count; i++)
		wanted[i] = (char *)(uintptr_t)order->attributes[i];
	if (order->attribute_count == 0)
		wanted[0] = (char *)(uintptr_t)LDAP_NO_ATTRS;
	do
		result = search_page(ask, wanted, &cookie);
	while (result == DIRECTORY_OK && cookie.bv_len != 0);
	ber_memfree(cookie.bv_val);
	/* As many as were asked for are enough. */
	if (result == DIRECTORY_SIZE_LIMIT && order->most != 0 && ask->told >= order->most)
		result = DIRECTORY_OK;
	return result;
}

enum directory_result
directory_ask(const struct directory_order *order, const struct directory_door *door,
              char text[DIRECTORY_TEXT_MAX])
{
	struct asking ask = { .order = order, .door = door, .text = text };
	if (order->check && (order->password[0] == '\0' || order->bind_dn[0] == '\0')) {
		explain(&ask, "an empty password is none", NULL);
		return DIRECTORY_WRONG_PASSWORD;
	}
	enum directory_result result = connect_to(&ask);
	if (result == DIRECTORY_OK && (order->check || order->bind_dn[0] != '\0'))
		result = bind_as(&ask);
	if (result == DIRECTORY_OK && !order->check)
		result = search_all(&ask);
	if (ask.ld != NULL)
		ldap_unbind_ext(ask.ld, NULL, NULL);
	if (result == DIRECTORY_OK)
		text[0] = '\0';
	return result;
}

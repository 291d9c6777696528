/* SPDX-License-Identifier: Apache-2.0 */
/* sip_uri_property -- what must hold for any text given as a URI. */
#ifndef SIP_SIP_URI_PROPERTY_H
#define SIP_SIP_URI_PROPERTY_H

#include "base/check.h"
#include "sip/sip_uri.h"

/* A URI that is read can be written, and what is written is the same URI, also for sip_uri_eq(). */
static void
check_uri(const void *bytes, size_t len)
{
	static uint8_t text[SIP_URI_BYTES_MAX + 64];
	static uint8_t plain[SIP_URI_BYTES_MAX];
	struct sip_uri uri;
	struct sip_uri again;
	if (!sip_uri_parse(&uri, (struct str){ .at = bytes, .len = len }))
		return;
	struct writer w = writer_of(text, sizeof text);
	sip_uri_write(&w, &uri);
	CHECK(!w.failed && w.at <= len + sizeof "sips:");
	CHECK(sip_uri_parse(&again, writer_view(&w)));
	CHECK(sip_uri_eq(&uri, &uri));
	CHECK(sip_uri_eq(&uri, &again) && sip_uri_eq(&again, &uri));
	CHECK(again.port == uri.port && again.scheme == uri.scheme);
	CHECK(str_eq(again.user, uri.user) && str_eq(again.headers, uri.headers));

	struct writer p = writer_of(plain, sizeof plain);
	sip_uri_write_user(&p, &uri);
	CHECK(!p.failed && p.at <= len);
	(void)sip_uri_transport(&uri);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* sip_locate_property -- whatever DNS answers, a location ends, in bounded queries, with targets that
 * were allowed. */
#ifndef SIP_SIP_LOCATE_PROPERTY_H
#define SIP_SIP_LOCATE_PROPERTY_H

#include <string.h>

#include "base/check.h"
#include "sip/sip_locate.h"

/* A DNS made of bytes: each record takes what it needs from the reader, zeros at its end. */
static void
invent_record(struct dns_record *record, struct reader *r, enum dns_type asked)
{
	static const enum dns_type types[] = { DNS_A, DNS_AAAA, DNS_SRV, DNS_NAPTR };
	static const char *const names[] = { "", "a.example", "192.0.2.7", "b.example", "::1" };
	static const char *const services[] = { "SIP+D2U", "sip+d2t", "SIPS+D2T", "SIP+D2W", "" };
	const uint8_t kind = reader_u8(r);
	memset(record, 0, sizeof *record);
	record->type = (kind & 0xe0) == 0xe0 ? types[kind % 4] : asked;
	switch (record->type) {
	case DNS_A:
		record->addr = addr_ip4(reader_u8(r), 0, 2, reader_u8(r), 0);
		break;
	case DNS_AAAA:
		record->addr.family = kind == 9 ? ADDR_IP4 : ADDR_IP6;
		record->addr.ip[0] = 0x20;
		record->addr.ip[15] = reader_u8(r);
		break;
	case DNS_SRV:
		record->srv.priority = reader_u8(r) & 3;
		record->srv.weight = reader_u16(r);
		record->srv.port = reader_u8(r);
		str_copy(record->srv.target, sizeof record->srv.target,
		         str_of(names[reader_u8(r) % COUNT_OF(names)]));
		break;
	case DNS_NAPTR:
		record->naptr.order = reader_u8(r);
		record->naptr.preference = reader_u8(r);
		record->naptr.regexp = (kind & 0x10) != 0;
		str_copy(record->naptr.flags, sizeof record->naptr.flags,
		         str_of((kind & 8) != 0 ? "u" : "S"));
		str_copy(record->naptr.service, sizeof record->naptr.service,
		         str_of(services[reader_u8(r) % COUNT_OF(services)]));
		str_copy(record->naptr.replacement, sizeof record->naptr.replacement,
		         str_of(names[reader_u8(r) % COUNT_OF(names)]));
		break;
	}
}

static void
check_targets(struct sip_locate *locate, const struct sip_locate_settings *settings)
{
	const bool secure = settings->uri->scheme == SIP_SCHEME_SIPS;
	struct sip_target target;
	unsigned count = 0;
	while (sip_locate_next(locate, &target)) {
		CHECK(++count <= SIP_LOCATE_TARGETS_MAX);
		CHECK((settings->transports & SIP_TRANSPORT_BIT(target.transport)) != 0);
		CHECK(!secure || target.transport == SIP_TRANSPORT_TLS);
		CHECK(target.addr.port != 0);
		CHECK(target.addr.family == ADDR_IP6 ? settings->ip6 : settings->ip4);
	}
	CHECK(count != 0);
}

static void
check_locate(const void *bytes, size_t len)
{
	static struct sip_locate locate;
	static struct dns_record records[40];
	struct reader r = reader_of(bytes, len);
	struct prng prng;
	struct sip_uri uri;
	const uint8_t flags = reader_u8(&r);
	const uint8_t prefer = reader_u8(&r);
	const size_t uri_len = reader_u8(&r);
	const uint8_t *text = reader_take(&r, uri_len);
	prng_init(&prng, len);
	if (text == NULL ||
	    !sip_uri_parse(&uri, (struct str){ .at = (const char *)text, .len = uri_len }))
		return;
	const struct sip_locate_settings settings = {
		.uri = &uri,
		.prefer = prefer < SIP_TRANSPORT_OTHER ? (enum sip_transport)prefer :
		                                         SIP_TRANSPORT_NONE,
		.transports = flags & 0x0e,
		.ip4 = (flags & 0x10) != 0,
		.ip6 = (flags & 0x20) != 0,
		.prng = &prng,
	};
	sip_locate_init(&locate, &settings);
	for (unsigned queries = 0;; queries++) {
		const struct sip_locate_out out = sip_locate_poll(&locate);
		CHECK(queries <= SIP_LOCATE_QUERIES_MAX);
		/* We answer at once, so there is nothing to wait for. */
		CHECK(out.kind != SIP_LOCATE_NONE);
		if (out.kind == SIP_LOCATE_FAILED) {
			CHECK(out.failure != SIP_LOCATE_OK);
			return;
		}
		if (out.kind == SIP_LOCATE_DONE) {
			check_targets(&locate, &settings);
			return;
		}
		CHECK(out.name[0] != '\0' && strlen(out.name) <= DNS_NAME_MAX);
		const uint8_t what = reader_u8(&r);
		struct dns_answer answer = {
			.status = (what & 0xc0) == 0xc0 ? DNS_FAILED : DNS_OK,
			.records = records,
			.count = what % COUNT_OF(records),
		};
		for (size_t i = 0; i < answer.count; i++)
			invent_record(&records[i], &r, out.type);
		sip_locate_answer(&locate, out.id, &answer);
		sip_locate_answer(&locate, out.id, &answer);
		sip_locate_answer(&locate, out.id + 1000, &answer);
	}
}

#endif

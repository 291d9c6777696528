/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a URI leads to the targets RFC 3263 wants, in its order, whatever is missing in DNS; and to a
 * failure that says why.
 *
 * Method: a zone written as a table of records, located against; the queries are recorded as text.
 * Then answers at random, with the property of sip_locate_property.h. */
#include "sip/sip_locate.h"

#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "sip/sip_locate_property.h"

struct zone_record {
	const char *name;
	struct dns_record record;
};

#define A_RECORD(name_, d) { name_, { .type = DNS_A, .addr = { ADDR_IP4, 0, 0, 0, { 192, 0, 2, d } } } }
#define AAAA_RECORD(name_, d) \
	{ name_, { .type = DNS_AAAA, .addr = { ADDR_IP6, 0, 0, 0, { 0x20, 1, 0xd, 0xb8, [15] = d } } } }
#define SRV_RECORD(name_, priority_, weight_, port_, target_) \
	{ name_, { .type = DNS_SRV, .srv = { priority_, weight_, port_, target_ } } }
#define NAPTR_RECORD(name_, order_, preference_, flags_, service_, target_)                       \
	{                                                                                         \
		name_,                                                                            \
		{                                                                                 \
			.type = DNS_NAPTR, .naptr = { order_,   preference_, flags_,              \
				                      service_, false,       target_ }            \
		}                                                                                 \
	}

static const struct zone_record zone[] = {
	A_RECORD("plain.example", 1),
	A_RECORD("plain.example", 2),
	AAAA_RECORD("plain.example", 3),
	/* All three, by NAPTR. */
	NAPTR_RECORD("full.example", 20, 10, "s", "SIP+D2U", "_sip._udp.full.example"),
	NAPTR_RECORD("full.example", 10, 20, "S", "sip+d2t", "_sip._tcp.full.example"),
	NAPTR_RECORD("full.example", 10, 10, "s", "SIPS+D2T", "_sips._tcp.full.example"),
	NAPTR_RECORD("full.example", 1, 1, "u", "E2U+sip", ""),
	SRV_RECORD("_sip._udp.full.example", 0, 0, 5060, "one.example"),
	SRV_RECORD("_sip._tcp.full.example", 0, 0, 5062, "one.example"),
	SRV_RECORD("_sips._tcp.full.example", 2, 0, 5061, "two.example"),
	SRV_RECORD("_sips._tcp.full.example", 1, 0, 5063, "one.example"),
	A_RECORD("one.example", 11),
	A_RECORD("two.example", 12),
	/* SRV only. */
	SRV_RECORD("_sip._udp.srv.example", 0, 0, 5070, "one.example"),
	SRV_RECORD("_sip._tcp.srv.example", 0, 0, 5071, "192.0.2.99"),
	/* Not offered. */
	SRV_RECORD("_sip._udp.none.example", 0, 0, 0, ""),
	A_RECORD("none.example", 40),
	/* Weights. */
	SRV_RECORD("_sip._udp.weight.example", 0, 10, 1, "one.example"),
	SRV_RECORD("_sip._udp.weight.example", 0, 30, 3, "one.example"),
	SRV_RECORD("_sip._udp.weight.example", 0, 0, 9, "one.example"),
	SRV_RECORD("_sip._udp.weight.example", 1, 65535, 7, "one.example"),
};

static struct prng prng;
static char queries[1024];
static char targets[1024];

static void
answer_from_zone(struct sip_locate *locate, const struct sip_locate_out *out)
{
	struct dns_record records[8];
	struct dns_answer answer = { .status = DNS_NONE, .records = records };
	for (size_t i = 0; i < COUNT_OF(zone); i++)
		if (strcmp(zone[i].name, out->name) == 0 && zone[i].record.type == out->type)
			records[answer.count++] = zone[i].record;
	if (answer.count != 0)
		answer.status = DNS_OK;
	if (strncmp(out->name, "broken", 6) == 0 || strstr(out->name, ".broken") != NULL)
		answer.status = DNS_FAILED;
	sip_locate_answer(locate, out->id, &answer);
}

static const char *
type_name(enum dns_type type)
{
	switch (type) {
	case DNS_A:
		return "A";
	case DNS_AAAA:
		return "AAAA";
	case DNS_SRV:
		return "SRV";
	case DNS_NAPTR:
		return "NAPTR";
	}
	return "?";
}

static void
write_targets(struct sip_locate *locate)
{
	struct writer w = writer_of(targets, sizeof targets - 1);
	struct sip_target target;
	while (sip_locate_next(locate, &target)) {
		if (w.at != 0)
			writer_u8(&w, ' ');
		writer_text(&w, sip_transport_name(target.transport));
		writer_u8(&w, '/');
		addr_write(&w, &target.addr);
	}
	EXPECT(!w.failed);
	targets[w.at] = '\0';
}

/* Locates and leaves the queries and the targets as text. */
static enum sip_locate_failure
locate_with(const char *text, struct sip_locate_settings settings)
{
	static struct sip_locate locate;
	struct sip_uri uri;
	struct writer w = writer_of(queries, sizeof queries - 1);
	EXPECT(sip_uri_parse(&uri, str_of(text)));
	settings.uri = &uri;
	settings.prng = &prng;
	sip_locate_init(&locate, &settings);
	struct sip_locate_out out;
	while ((out = sip_locate_poll(&locate)).kind == SIP_LOCATE_QUERY) {
		writer_format(&w, "%s%s %s", w.at != 0 ? ", " : "", type_name(out.type), out.name);
		answer_from_zone(&locate, &out);
	}
	EXPECT(!w.failed);
	queries[w.at] = '\0';
	write_targets(&locate);
	EXPECT_EQ(out.kind == SIP_LOCATE_DONE, targets[0] != '\0');
	return out.failure;
}

static const struct sip_locate_settings all = {
	.transports = SIP_TRANSPORT_BIT(SIP_TRANSPORT_UDP) | SIP_TRANSPORT_BIT(SIP_TRANSPORT_TCP) |
	              SIP_TRANSPORT_BIT(SIP_TRANSPORT_TLS),
	.ip4 = true,
	.ip6 = true,
};

static void
expect_located(const char *uri, const char *want_queries, const char *want_targets)
{
	EXPECT_EQ(locate_with(uri, all), SIP_LOCATE_OK);
	assert_string_equal(queries, want_queries);
	assert_string_equal(targets, want_targets);
}

TEST(an_address_needs_no_dns)
{
	expect_located("sip:a@192.0.2.5", "", "UDP/192.0.2.5:5060");
	expect_located("sip:a@192.0.2.5:5080", "", "UDP/192.0.2.5:5080");
	expect_located("sips:a@192.0.2.5", "", "TLS/192.0.2.5:5061");
	expect_located("sip:a@[2001:db8::1];transport=tcp", "", "TCP/[2001:db8::1]:5060");
	expect_located("sip:a@192.0.2.5;transport=tls", "", "TLS/192.0.2.5:5061");
	expect_located("sips:a@192.0.2.5;transport=tcp", "", "TLS/192.0.2.5:5061");
	expect_located("sip:a@plain.example;maddr=192.0.2.6", "", "UDP/192.0.2.6:5060");
}

TEST(a_port_needs_addresses_only)
{
	expect_located("sip:a@plain.example:5080", "AAAA plain.example, A plain.example",
	               "UDP/[2001:db8::3]:5080 UDP/192.0.2.1:5080 UDP/192.0.2.2:5080");
	expect_located("sips:a@one.example.:5080", "AAAA one.example, A one.example",
	               "TLS/192.0.2.11:5080");
}

TEST(a_transport_asks_for_its_service)
{
	expect_located("sip:a@srv.example;transport=udp",
	               "SRV _sip._udp.srv.example, AAAA one.example, A one.example",
	               "UDP/192.0.2.11:5070");
	expect_located("sip:a@one.example;transport=tls",
	               "SRV _sips._tcp.one.example, AAAA one.example, A one.example",
	               "TLS/192.0.2.11:5061");
	struct sip_locate_settings settings = all;
	settings.prefer = SIP_TRANSPORT_TCP;
	EXPECT_EQ(locate_with("sip:a@srv.example", settings), SIP_LOCATE_OK);
	assert_string_equal(queries, "SRV _sip._tcp.srv.example");
	assert_string_equal(targets, "TCP/192.0.2.99:5071");
}

TEST(naptr_orders_the_transports)
{
	expect_located("sip:a@full.example",
	               "NAPTR full.example, SRV _sips._tcp.full.example, "
	               "SRV _sip._tcp.full.example, SRV _sip._udp.full.example, "
	               "AAAA one.example, A one.example, AAAA two.example, A two.example, "
	               "AAAA one.example, A one.example, AAAA one.example, A one.example",
	               "TLS/192.0.2.11:5063 TLS/192.0.2.12:5061 TCP/192.0.2.11:5062 "
	               "UDP/192.0.2.11:5060");
	struct sip_locate_settings udp = all;
	udp.transports = SIP_TRANSPORT_BIT(SIP_TRANSPORT_UDP);
	udp.ip6 = false;
	EXPECT_EQ(locate_with("sip:a@full.example", udp), SIP_LOCATE_OK);
	assert_string_equal(queries, "NAPTR full.example, SRV _sip._udp.full.example, "
	                             "A one.example");
	EXPECT_EQ(locate_with("sips:a@full.example", all), SIP_LOCATE_OK);
	assert_string_equal(targets, "TLS/192.0.2.11:5063 TLS/192.0.2.12:5061");
}

TEST(without_naptr_the_services_are_tried_and_without_those_the_name)
{
	expect_located("sip:a@srv.example",
	               "NAPTR srv.example, SRV _sips._tcp.srv.example, "
	               "SRV _sip._tcp.srv.example, SRV _sip._udp.srv.example, "
	               "AAAA one.example, A one.example",
	               "TCP/192.0.2.99:5071 UDP/192.0.2.11:5070");
	EXPECT_EQ(locate_with("sip:a@plain.example", all), SIP_LOCATE_OK);
	assert_string_equal(targets,
	                    "UDP/[2001:db8::3]:5060 UDP/192.0.2.1:5060 UDP/192.0.2.2:5060");
	EXPECT_EQ(locate_with("sips:a@plain.example", all), SIP_LOCATE_OK);
	assert_string_equal(queries, "NAPTR plain.example, SRV _sips._tcp.plain.example, "
	                             "AAAA plain.example, A plain.example");
	assert_string_equal(targets,
	                    "TLS/[2001:db8::3]:5061 TLS/192.0.2.1:5061 TLS/192.0.2.2:5061");
}

TEST(each_failure_says_why)
{
	struct sip_locate_settings settings = all;
	EXPECT_EQ(locate_with("tel:+1201", all), SIP_LOCATE_BAD_URI);
	EXPECT_EQ(locate_with("sip:a@plain.example;transport=sctp", all), SIP_LOCATE_NO_TRANSPORT);
	EXPECT_EQ(locate_with("sip:a@plain.example;transport=ws", all), SIP_LOCATE_NO_TRANSPORT);
	EXPECT_EQ(locate_with("sips:a@plain.example;transport=udp", all), SIP_LOCATE_NO_TRANSPORT);
	settings.transports = SIP_TRANSPORT_BIT(SIP_TRANSPORT_TCP);
	EXPECT_EQ(locate_with("sips:a@plain.example", settings), SIP_LOCATE_NO_TRANSPORT);
	settings.ip6 = false;
	EXPECT_EQ(locate_with("sip:a@[::1]", settings), SIP_LOCATE_NO_FAMILY);
	settings.ip4 = false;
	EXPECT_EQ(locate_with("sip:a@plain.example", settings), SIP_LOCATE_NO_FAMILY);
	EXPECT_EQ(locate_with("sip:a@nowhere.example", all), SIP_LOCATE_NOT_FOUND);
	EXPECT_EQ(locate_with("sip:a@none.example", all), SIP_LOCATE_NOT_OFFERED);
	EXPECT_EQ(locate_with("sip:a@broken.example", all), SIP_LOCATE_DNS_FAILED);
}

TEST(weights_draw_in_their_proportion)
{
	unsigned first_is_3 = 0;
	unsigned first_is_9 = 0;
	struct sip_locate_settings settings = all;
	settings.ip6 = false;
	prng_init(&prng, 42);
	for (unsigned i = 0; i < 2000; i++) {
		EXPECT_EQ(locate_with("sip:a@weight.example", settings), SIP_LOCATE_OK);
		EXPECT(strstr(targets, ":7") == targets + strlen(targets) - 2);
		first_is_3 += strncmp(targets, "UDP/192.0.2.11:3", 16) == 0;
		first_is_9 += strncmp(targets, "UDP/192.0.2.11:9", 16) == 0;
	}
	/* 30 of 41 and 1 of 41, as the RFC's draw from 0 to the sum gives. */
	EXPECT(first_is_3 > 1350 && first_is_3 < 1580);
	EXPECT(first_is_9 > 20 && first_is_9 < 90);
}

TEST(answers_may_come_in_any_order_and_all_are_awaited)
{
	struct sip_locate locate;
	struct sip_uri uri;
	struct sip_locate_settings settings = all;
	struct sip_locate_out outs[3];
	EXPECT(sip_uri_parse(&uri, STR("sip:a@plain.example:5080")));
	settings.uri = &uri;
	settings.prng = &prng;
	sip_locate_init(&locate, &settings);
	for (unsigned i = 0; i < 3; i++)
		outs[i] = sip_locate_poll(&locate);
	EXPECT_EQ(outs[1].kind, SIP_LOCATE_QUERY);
	EXPECT_EQ(outs[2].kind, SIP_LOCATE_NONE);
	answer_from_zone(&locate, &outs[1]);
	EXPECT_EQ(sip_locate_poll(&locate).kind, SIP_LOCATE_NONE);
	answer_from_zone(&locate, &outs[0]);
	EXPECT_EQ(sip_locate_poll(&locate).kind, SIP_LOCATE_DONE);
	write_targets(&locate);
	assert_string_equal(targets,
	                    "UDP/[2001:db8::3]:5080 UDP/192.0.2.1:5080 UDP/192.0.2.2:5080");
	EXPECT_STR(sip_locate_tls_name(&locate), "plain.example");
}

TEST(the_tls_name_is_the_host_of_the_uri)
{
	struct sip_locate locate;
	struct sip_uri uri;
	struct sip_locate_settings settings = all;
	EXPECT(sip_uri_parse(&uri, STR("sips:a@plain.example.;maddr=192.0.2.4")));
	settings.uri = &uri;
	settings.prng = &prng;
	sip_locate_init(&locate, &settings);
	EXPECT_STR(sip_locate_tls_name(&locate), "plain.example");
}

TEST(random_answers_always_lead_to_an_end)
{
	static const char *const uris[] = { "sip:a@b.example", "sips:a@b.example",
		                            "sip:b.example;transport=tcp", "sip:b.example:9" };
	for (unsigned seed = 0; seed < 3000; seed++) {
		uint8_t bytes[600];
		prng_init(&prng, seed);
		prng_bytes(&prng, bytes, sizeof bytes);
		const char *uri = uris[seed % COUNT_OF(uris)];
		bytes[0] |= 0x3e;
		bytes[1] = 0;
		bytes[2] = (uint8_t)strlen(uri);
		memcpy(bytes + 3, uri, strlen(uri));
		check_locate(bytes, sizeof bytes);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: each kind of record arrives as it was published, and a server that is silent, wrong or
 * unwilling costs an answer and nothing else.  Method: a name server of a few names, written here,
 * on the same loop. */
#include "net/dns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/test.h"
#include "net/udp.h"

enum { PACKET_BYTES = 1500, CODE_SERVFAIL = 2, CODE_NXDOMAIN = 3 };

struct world {
	struct loop *loop;
	struct udp_socket *server;
	struct dns *dns;
	char servers[64];
	unsigned asked;
	unsigned answers;
	unsigned wanted;
	struct dns_answer last;
	struct dns_record records[SIP_LOCATE_RECORDS_MAX];
	char text[128];
	bool destroy_in_answer;
};

static void
write_name(struct writer *w, const char *name)
{
	struct str rest = str_of(name);
	while (rest.len != 0) {
		const struct str label = str_cut(&rest, '.');
		writer_u8(w, (uint8_t)label.len);
		writer_str(w, label);
	}
	writer_u8(w, 0);
}

static void
write_text(struct writer *w, const char *text)
{
	writer_u8(w, (uint8_t)strlen(text));
	writer_text(w, text);
}

/* One record of the question's name; returns the place of its length, to be set by end_record(). */
static size_t
begin_record(struct writer *w, uint16_t type)
{
	writer_u16(w, 0xc00c); /* the name of the question */
	writer_u16(w, type);
	writer_u16(w, 1);
	writer_u32(w, 300);
	writer_u16(w, 0);
	return w->at;
}

static void
end_record(struct writer *w, size_t begin)
{
	const size_t len = w->at - begin;
	w->bytes[begin - 2] = (uint8_t)(len >> 8);
	w->bytes[begin - 1] = (uint8_t)len;
}

static void
write_srv(struct writer *w, uint16_t priority, uint16_t weight, uint16_t port, const char *target)
{
	const size_t begin = begin_record(w, DNS_SRV);
	writer_u16(w, priority);
	writer_u16(w, weight);
	writer_u16(w, port);
	write_name(w, target);
	end_record(w, begin);
}

static void
write_naptr(struct writer *w, uint16_t order, const char *service, const char *regexp,
            const char *replacement)
{
	const size_t begin = begin_record(w, DNS_NAPTR);
	writer_u16(w, order);
	writer_u16(w, 50);
	write_text(w, "s");
	write_text(w, service);
	write_text(w, regexp);
	write_name(w, replacement);
	end_record(w, begin);
}

static uint16_t
write_records(struct writer *w, struct str name, uint16_t type)
{
	if (str_eq(name, STR("two.test")) && type == DNS_A) {
		for (uint8_t i = 1; i <= 2; i++) {
			const size_t begin = begin_record(w, DNS_A);
			writer_bytes(w, (const uint8_t[]){ 192, 0, 2, i }, 4);
			end_record(w, begin);
		}
		return 2;
	}
	if (str_eq(name, STR("two.test")) && type == DNS_AAAA) {
		const size_t begin = begin_record(w, DNS_AAAA);
		writer_bytes(w, (const uint8_t[16]){ 0x20, 0x01, 0x0d, 0xb8, [15] = 7 }, 16);
		end_record(w, begin);
		return 1;
	}
	if (str_eq(name, STR("_sips._tcp.two.test")) && type == DNS_SRV) {
		write_srv(w, 10, 60, 5061, "a.two.test");
		write_srv(w, 20, 0, 5071, "b.two.test");
		return 2;
	}
	if (str_eq(name, STR("_sip._udp.two.test")) && type == DNS_SRV) {
		write_srv(w, 0, 0, 0, "");
		return 1;
	}
	if (str_eq(name, STR("two.test")) && type == DNS_NAPTR) {
		write_naptr(w, 1, "SIPS+D2T", "", "_sips._tcp.two.test");
		write_naptr(w, 2, "E2U+sip", "!^.*$!sip:x@two.test!", "");
		return 2;
	}
	if (str_eq(name, STR("many.test")) && type == DNS_A) {
		for (uint8_t i = 0; i < 60; i++) {
			const size_t begin = begin_record(w, DNS_A);
			writer_bytes(w, (const uint8_t[]){ 198, 51, 100, i }, 4);
			end_record(w, begin);
		}
		return 60;
	}
	return 0;
}

static struct str
read_name(struct reader *r, char out[256])
{
	struct writer w = writer_of(out, 256);
	for (uint8_t len; (len = reader_u8(r)) != 0 && !r->failed;) {
		if (w.at != 0)
			writer_u8(&w, '.');
		const uint8_t *label = reader_take(r, len);
		if (label != NULL)
			writer_bytes(&w, label, len);
	}
	return writer_view(&w);
}

static void
serve(void *context, struct udp_socket *socket, const struct udp_datagram *datagram)
{
	struct world *world = context;
	struct reader r = reader_of(datagram->bytes, datagram->len);
	char text[256];
	uint8_t bytes[PACKET_BYTES];
	struct writer w = writer_of(bytes, sizeof bytes);

	world->asked++;
	const uint16_t id = reader_u16(&r);
	reader_skip(&r, 10);
	const struct str name = read_name(&r, text);
	const uint16_t type = reader_u16(&r);
	const size_t question_len = r.at + 2 - 12;
	if (str_eq(name, STR("silent.test")))
		return;
	uint16_t code = 0;
	if (str_eq(name, STR("servfail.test")))
		code = CODE_SERVFAIL;
	if (str_eq(name, STR("missing.test")))
		code = CODE_NXDOMAIN;

	writer_u16(&w, id);
	writer_u16(&w, (uint16_t)(0x8180 | code));
	writer_u16(&w, 1);
	writer_u16(&w, 0); /* answers, set below */
	writer_u32(&w, 0);
	writer_bytes(&w, datagram->bytes + 12, question_len);
	const uint16_t count = write_records(&w, name, type);
	bytes[6] = (uint8_t)(count >> 8);
	bytes[7] = (uint8_t)count;
	if (str_eq(name, STR("broken.test")))
		w.at -= 3;
	udp_send(socket, datagram->from, bytes, w.at);
}

static void
world_open(struct world *world)
{
	*world = (struct world){ .wanted = 1 };
	EXPECT_EQ(loop_create(&world->loop), 0);
	EXPECT_EQ(udp_open(&world->server, world->loop,
	                   &(struct udp_settings){ .bind = addr_ip4(127, 0, 0, 1, 0),
	                                           .receive = serve,
	                                           .context = world }),
	          0);
	snprintf(world->servers, sizeof world->servers, "127.0.0.1:%u",
	         udp_local(world->server)->port);
	EXPECT_EQ(dns_create(&world->dns, world->loop,
	                     &(struct dns_settings){
	                             .servers = world->servers, .timeout_us = 50000, .tries = 2 }),
	          0);
}

static void
world_close(struct world *world)
{
	dns_destroy(world->dns);
	udp_close(world->server);
	loop_destroy(world->loop);
}

static void
on_answer(void *context, const struct dns_answer *answer, const char *text)
{
	struct world *world = context;
	world->last = *answer;
	EXPECT(answer->count <= SIP_LOCATE_RECORDS_MAX);
	if (answer->count != 0)
		memcpy(world->records, answer->records, answer->count * sizeof *answer->records);
	str_copy(world->text, sizeof world->text, str_of(text));
	if (world->destroy_in_answer) {
		dns_destroy(world->dns);
		world->dns = NULL;
	}
	if (++world->answers == world->wanted)
		loop_stop(world->loop);
}

static void
ask(struct world *world, enum dns_type type, const char *name)
{
	world->answers = 0;
	EXPECT(dns_ask(world->dns, type, name, on_answer, world).v != 0);
	EXPECT_EQ(world->answers, 0); /* never inside the call */
	loop_run_until(world->loop, loop_now_us() + 3000000);
	EXPECT_EQ(world->answers, 1);
}

TEST(every_kind_of_record_arrives_as_published)
{
	struct world world;
	char text[ADDR_TEXT_MAX];
	world_open(&world);

	ask(&world, DNS_A, "two.test");
	EXPECT_EQ(world.last.status, DNS_OK);
	EXPECT_EQ(world.last.count, 2);
	EXPECT_EQ(world.records[0].type, DNS_A);
	EXPECT_EQ(world.records[0].addr.ip[3] + world.records[1].addr.ip[3], 3);

	ask(&world, DNS_AAAA, "two.test");
	EXPECT_EQ(world.last.count, 1);
	EXPECT_STR(str_of(addr_text(text, &world.records[0].addr)), "[2001:db8::7]:0");

	ask(&world, DNS_SRV, "_sips._tcp.two.test");
	EXPECT_EQ(world.last.count, 2);
	EXPECT_EQ(world.records[0].srv.priority, 10);
	EXPECT_EQ(world.records[0].srv.weight, 60);
	EXPECT_EQ(world.records[0].srv.port, 5061);
	EXPECT_STR(str_of(world.records[0].srv.target), "a.two.test");
	EXPECT_STR(str_of(world.records[1].srv.target), "b.two.test");

	ask(&world, DNS_SRV, "_sip._udp.two.test");
	EXPECT_EQ(world.last.count, 1);
	EXPECT_STR(str_of(world.records[0].srv.target), "");

	ask(&world, DNS_NAPTR, "two.test");
	EXPECT_EQ(world.last.count, 2);
	EXPECT_EQ(world.records[0].naptr.order, 1);
	EXPECT_EQ(world.records[0].naptr.preference, 50);
	EXPECT_STR(str_of(world.records[0].naptr.flags), "s");
	EXPECT_STR(str_of(world.records[0].naptr.service), "SIPS+D2T");
	EXPECT_STR(str_of(world.records[0].naptr.replacement), "_sips._tcp.two.test");
	EXPECT(!world.records[0].naptr.regexp && world.records[1].naptr.regexp);

	ask(&world, DNS_A, "many.test");
	EXPECT_EQ(world.last.count, SIP_LOCATE_RECORDS_MAX);
	world_close(&world);
}

TEST(what_does_not_exist_is_told_from_what_failed)
{
	struct world world;
	world_open(&world);
	ask(&world, DNS_A, "missing.test");
	EXPECT_EQ(world.last.status, DNS_NONE);
	ask(&world, DNS_SRV, "missing.test");
	EXPECT_EQ(world.last.status, DNS_NONE);
	ask(&world, DNS_NAPTR, "empty.test");
	EXPECT_EQ(world.last.status, DNS_NONE);
	ask(&world, DNS_SRV, "servfail.test");
	EXPECT_EQ(world.last.status, DNS_FAILED);
	EXPECT(world.text[0] != '\0');
	ask(&world, DNS_SRV, "broken.test");
	EXPECT_EQ(world.last.status, DNS_FAILED);
	EXPECT_EQ(world.last.count, 0);
	world_close(&world);
}

TEST(a_silent_server_is_asked_again_and_then_given_up)
{
	struct world world;
	world_open(&world);
	const int64_t before_us = loop_now_us();
	ask(&world, DNS_SRV, "silent.test");
	EXPECT_EQ(world.last.status, DNS_FAILED);
	EXPECT_EQ(world.asked, 2);
	EXPECT(loop_now_us() - before_us >= 90000);
	EXPECT(str_contains_nocase(str_of(world.text), STR("timeout")));
	world_close(&world);
}

TEST(a_cancelled_question_is_never_answered)
{
	struct world world;
	world_open(&world);
	const dns_query query = dns_ask(world.dns, DNS_A, "two.test", on_answer, &world);
	EXPECT(query.v != 0);
	dns_cancel(world.dns, query);
	dns_cancel(world.dns, query);
	loop_run_until(world.loop, loop_now_us() + 50000);
	EXPECT_EQ(world.answers, 0);
	EXPECT_EQ(world.asked, 1);
	dns_cancel(world.dns, query);
	world_close(&world);
}

TEST(a_resolver_may_go_with_questions_running_or_inside_an_answer)
{
	struct world world;
	world_open(&world);
	EXPECT(dns_ask(world.dns, DNS_A, "silent.test", on_answer, &world).v != 0);
	EXPECT(dns_ask(world.dns, DNS_SRV, "silent.test", on_answer, &world).v != 0);
	loop_run_until(world.loop, loop_now_us() + 5000);
	world_close(&world);
	EXPECT_EQ(world.answers, 0);

	world_open(&world);
	world.destroy_in_answer = true;
	EXPECT(dns_ask(world.dns, DNS_SRV, "silent.test", on_answer, &world).v != 0);
	ask(&world, DNS_SRV, "_sip._udp.two.test");
	world_close(&world);
}

TEST(names_that_cannot_be_are_refused_and_the_hosts_file_counts)
{
	struct world world;
	char name[400];
	world_open(&world);
	memset(name, 'a', sizeof name);
	name[sizeof name - 1] = '\0';
	EXPECT_EQ(dns_ask(world.dns, DNS_A, name, on_answer, &world).v, 0);
	EXPECT_EQ(dns_ask(world.dns, DNS_A, "", on_answer, &world).v, 0);
	name[100] = '\0'; /* a label of more than 63 */
	ask(&world, DNS_SRV, name);
	EXPECT_EQ(world.last.status, DNS_FAILED);
	ask(&world, DNS_A, "localhost");
	EXPECT_EQ(world.last.status, DNS_OK);
	EXPECT(addr_is_loopback(&world.records[0].addr));
	EXPECT_EQ(world.asked, 0);
	world_close(&world);
}

TEST(a_thousand_questions_at_once_are_all_answered)
{
	struct world world;
	world_open(&world);
	world.wanted = DNS_QUERIES_MAX;
	for (unsigned i = 0; i < DNS_QUERIES_MAX; i++)
		EXPECT(dns_ask(world.dns, DNS_SRV, "missing.test", on_answer, &world).v != 0);
	EXPECT_EQ(dns_ask(world.dns, DNS_SRV, "missing.test", on_answer, &world).v, 0);
	loop_run_until(world.loop, loop_now_us() + 5000000);
	EXPECT_EQ(world.answers, DNS_QUERIES_MAX);
	world_close(&world);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* sip_msg_property -- what must hold for any bytes at all; asked by the unit test of its prefixes and
 * flips, and by the fuzz target of whatever it invents. */
#ifndef SIP_SIP_MSG_PROPERTY_H
#define SIP_SIP_MSG_PROPERTY_H

#include "base/check.h"
#include "sip/sip_msg.h"
#include "sip/sip_write.h"

/* A view is empty or lies inside the message. */
static void
check_inside(const struct sip_msg *msg, struct str view)
{
	if (view.len == 0)
		return;
	CHECK(view.at >= msg->text.at);
	CHECK((size_t)(view.at - msg->text.at) + view.len <= msg->text.len);
}

static void
check_views(const struct sip_msg *msg)
{
	check_inside(msg, msg->method_text);
	check_inside(msg, msg->uri.text);
	check_inside(msg, msg->reason);
	check_inside(msg, msg->via.text);
	check_inside(msg, msg->via.branch);
	check_inside(msg, msg->from.text);
	check_inside(msg, msg->from.tag);
	check_inside(msg, msg->to.uri.text);
	check_inside(msg, msg->call_id);
	check_inside(msg, msg->cseq.method_text);
	check_inside(msg, msg->content_type.params);
	check_inside(msg, msg->body);
	CHECK(msg->header_count <= SIP_HEADERS_MAX);
	unsigned linked = 0;
	for (unsigned id = 0; id < SIP_HEADER_COUNT; id++)
		for (uint8_t at = msg->first[id]; at != SIP_HEADER_NONE; at = msg->headers[at].next) {
			CHECK(msg->headers[at].id == id);
			check_inside(msg, sip_msg_header_name(msg, at));
			check_inside(msg, sip_msg_header_value(msg, at));
			linked++;
		}
	CHECK(linked == msg->header_count);
	for (unsigned id = 1; id < SIP_HEADER_COUNT; id++) {
		struct sip_values values = sip_msg_values(msg, (enum sip_header_id)id);
		for (struct str item; sip_values_next(&values, &item);)
			check_inside(msg, item);
	}
}

/* An answer has no line that the request could have smuggled in: every line is one of ours. */
static void
check_lines(struct str text)
{
	while (text.len != 0) {
		const size_t end = str_find(text, '\n');
		CHECK(end < text.len && end != 0 && text.at[end - 1] == '\r');
		const struct str line = str_sub(text, 0, end - 1);
		CHECK(str_find(line, '\r') == line.len);
		CHECK(line.len == 0 || (line.at[0] != ' ' && line.at[0] != '\t'));
		text = str_sub(text, end + 1, text.len - end - 1);
	}
}

static void
check_answer(const struct sip_msg *request, enum sip_reject reject)
{
	static uint8_t bytes[3 * SIP_MSG_BYTES_MAX];
	struct writer w = writer_of(bytes, sizeof bytes);
	struct sip_refusal refusal = sip_msg_refusal(request, reject);
	const struct net_addr source = addr_ip4(192, 0, 2, 200, 5070);
	if (reject == SIP_OK)
		refusal = (struct sip_refusal){ 200, NULL };
	if (refusal.status == 0)
		return;
	sip_write_refusal(&w, request, refusal, STR("ours"), &source);
	CHECK(!w.failed);
	check_lines(writer_view(&w));

	static struct sip_msg answer;
	if (reject != SIP_OK || w.at > SIP_MSG_BYTES_MAX)
		return;
	CHECK(sip_msg_parse(&answer, bytes, w.at, SIP_STREAM) == SIP_OK);
	CHECK(answer.status == 200);
	CHECK(str_eq(answer.call_id, request->call_id));
	CHECK(str_eq(answer.via.branch, request->via.branch));
	CHECK(answer.cseq.number == request->cseq.number);
	CHECK(str_eq(answer.cseq.method_text, request->cseq.method_text));
	CHECK(str_eq(answer.from.tag, request->from.tag));
	CHECK(answer.to.tag.len != 0);
}

static void
check_message(const void *bytes, size_t len)
{
	static struct sip_msg msg;
	for (int framing = SIP_DATAGRAM; framing <= SIP_STREAM; framing++) {
		const enum sip_reject reject =
		        sip_msg_parse(&msg, bytes, len, (enum sip_framing)framing);
		CHECK(sip_reject_name(reject) != NULL);
		check_views(&msg);
		if (reject == SIP_OK) {
			CHECK(msg.request != (msg.status != 0));
			CHECK(msg.via.text.len != 0 && msg.from.text.len != 0);
			CHECK(msg.to.text.len != 0 && msg.call_id.len != 0);
		} else {
			CHECK(msg.request || sip_msg_refusal(&msg, reject).status == 0);
		}
		if (msg.request)
			check_answer(&msg, reject);
	}
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "bfcp/bfcp_test_dialogue.h"

#include <stdio.h>

#include "base/test.h"

enum { LINE_BYTES_MAX = 512, LINES_MAX = 32 };

/* ---- Words to bytes ------------------------------------------------------------------------ */

static unsigned
number(struct str text)
{
	uint32_t value = 0;
	EXPECT(str_u32(text, &value));
	return value;
}

static uint8_t
primitive_named(struct str name)
{
	for (unsigned i = 1; i < BFCP_PRIMITIVE_COUNT; i++)
		if (str_eq(name, str_of(bfcp_primitive_name(i))))
			return (uint8_t)i;
	return (uint8_t)number(name);
}

static uint8_t
status_named(struct str name)
{
	for (unsigned i = 1; i < BFCP_STATUS_COUNT; i++)
		if (str_eq(name, str_of(bfcp_status_name(i))))
			return (uint8_t)i;
	test_failed("a status has a name", __FILE__, __LINE__);
}

/* "ID:STATUS[:USER]" */
static void
add_status(struct bfcp_msg *msg, struct str value)
{
	struct bfcp_request *request = &msg->requests[msg->request_count++];
	request->id = (uint16_t)number(str_cut(&value, ':'));
	request->overall = (struct bfcp_request_status){
		.present = true, .id = request->id, .status = status_named(str_cut(&value, ':'))
	};
	request->floors[request->floor_count++] = (struct bfcp_request_status){
		.present = true, .id = DIALOGUE_FLOOR, .status = request->overall.status
	};
	if (value.len != 0)
		request->beneficiary =
			(struct bfcp_user){ .present = true, .id = (uint16_t)number(value) };
}

static void
add_word(struct bfcp_msg *msg, struct str word)
{
	struct str value = word;
	const struct str key = str_cut(&value, '=');
	if (str_eq(key, STR("R"))) {
		msg->header.responder = true;
	} else if (str_eq(key, STR("v"))) {
		msg->header.version = (uint8_t)number(value);
	} else if (str_eq(key, STR("t"))) {
		msg->header.transaction_id = (uint16_t)number(value);
	} else if (str_eq(key, STR("conf"))) {
		msg->header.conference_id = number(value);
	} else if (str_eq(key, STR("user"))) {
		msg->header.user_id = (uint16_t)number(value);
	} else if (str_eq(key, STR("floor"))) {
		msg->floors[msg->floor_count++] = (uint16_t)number(value);
	} else if (str_eq(key, STR("request"))) {
		msg->has_request_id = true;
		msg->request_id = (uint16_t)number(value);
	} else if (str_eq(key, STR("for"))) {
		msg->has_beneficiary_id = true;
		msg->beneficiary_id = (uint16_t)number(value);
	} else if (str_eq(key, STR("priority"))) {
		msg->has_priority = true;
		msg->priority = (uint8_t)number(value);
	} else if (str_eq(key, STR("error"))) {
		msg->error = (uint8_t)number(value);
	} else {
		EXPECT(str_eq(key, STR("status")));
		add_status(msg, value);
	}
}

size_t
dialogue_write(uint8_t *out, size_t cap, struct str words, enum bfcp_transport transport)
{
	struct bfcp_msg msg = { .header = { .version = transport == BFCP_TRANSPORT_UDP ? 2 : 1,
		                            .conference_id = DIALOGUE_CONFERENCE,
		                            .user_id = DIALOGUE_USER } };
	msg.header.primitive = primitive_named(str_cut(&words, ' '));
	while (words.len != 0)
		add_word(&msg, str_cut(&words, ' '));
	struct writer w = writer_of(out, cap);
	bfcp_msg_write(&w, &msg);
	EXPECT(!w.failed);
	return w.at;
}

/* ---- Bytes to words ------------------------------------------------------------------------ */

static void
describe_header(struct writer *w, const struct bfcp_header *header, enum bfcp_transport transport)
{
	if (header->primitive < BFCP_PRIMITIVE_COUNT)
		writer_text(w, bfcp_primitive_name(header->primitive));
	else
		writer_decimal(w, header->primitive);
	if (header->version != (transport == BFCP_TRANSPORT_UDP ? 2 : 1))
		writer_format(w, " v=%u", (unsigned)header->version);
	if (header->responder)
		writer_text(w, " R");
	writer_format(w, " t=%u", (unsigned)header->transaction_id);
	if (header->conference_id != DIALOGUE_CONFERENCE)
		writer_format(w, " conf=%u", (unsigned)header->conference_id);
	if (header->user_id != DIALOGUE_USER)
		writer_format(w, " user=%u", (unsigned)header->user_id);
}

static void
describe_request(struct writer *w, const struct bfcp_request *request)
{
	writer_format(w, " status=%u:%s", (unsigned)request->id,
	              bfcp_status_name(bfcp_request_status_of(request)));
	EXPECT_EQ(request->overall.id, request->id);
	EXPECT_EQ(request->floor_count, 1);
	EXPECT_EQ(request->floors[0].id, DIALOGUE_FLOOR);
	EXPECT_EQ(request->floors[0].status, request->overall.status);
	if (request->beneficiary.present && request->beneficiary.id != DIALOGUE_USER)
		writer_format(w, ":%u", (unsigned)request->beneficiary.id);
	if (request->beneficiary.name.len != 0)
		writer_format(w, " (%.*s)", STR_ARGS(request->beneficiary.name));
	if (request->overall.info.len != 0)
		writer_format(w, " \"%.*s\"", STR_ARGS(request->overall.info));
}

void
dialogue_describe(struct writer *w, const uint8_t *bytes, size_t len,
                  enum bfcp_transport transport)
{
	struct bfcp_msg msg;
	EXPECT_EQ(bfcp_msg_parse(&msg, bytes, len), BFCP_OK);
	describe_header(w, &msg.header, transport);
	for (unsigned i = 0; i < msg.floor_count; i++)
		writer_format(w, " floor=%u", (unsigned)msg.floors[i]);
	if (msg.has_request_id)
		writer_format(w, " request=%u", (unsigned)msg.request_id);
	for (unsigned i = 0; i < msg.request_count; i++)
		describe_request(w, &msg.requests[i]);
	if (msg.error != 0)
		writer_format(w, " error=%u", (unsigned)msg.error);
	for (size_t i = 0; i < msg.error_details.len; i++)
		writer_format(w, ":%02x", (unsigned)(uint8_t)msg.error_details.at[i]);
	EXPECT(!w->failed);
}

/* ---- Playing ------------------------------------------------------------------------------- */

struct play {
	const struct dialogue *dialogue;
	int64_t now_us;
	unsigned line_number;
	unsigned count, next; /* of what was given */
	char given[LINES_MAX][LINE_BYTES_MAX];
};

static void
drain(struct play *play)
{
	const struct dialogue *dialogue = play->dialogue;
	for (;;) {
		const uint8_t *bytes = NULL;
		size_t len = 0;
		EXPECT(play->count < LINES_MAX);
		char *line = play->given[play->count];
		struct writer w = writer_of(line, LINE_BYTES_MAX - 1);
		if (!dialogue->poll(dialogue->machine, &w, &bytes, &len))
			return;
		if (len != 0) {
			writer_text(&w, "< ");
			dialogue_describe(&w, bytes, len, dialogue->transport);
		}
		EXPECT(!w.failed);
		line[w.at] = '\0';
		play->count++;
	}
}

static void
expect_line(struct play *play, struct str line)
{
	const char *given = play->next < play->count ? play->given[play->next] : "(nothing)";
	if (play->next == play->count || !str_eq(str_of(given), line)) {
		fprintf(stderr, "line %u of the dialogue: wanted \"%.*s\", got \"%s\"\n",
		        play->line_number, STR_ARGS(line), given);
		test_failed("the dialogue goes as written", __FILE__, __LINE__);
	}
	play->next++;
}

static void
expect_silence(struct play *play)
{
	if (play->next != play->count)
		expect_line(play, STR("(nothing more)"));
	play->next = play->count = 0;
}

static void
pass(struct play *play, int64_t until_us)
{
	const struct dialogue *dialogue = play->dialogue;
	for (unsigned ticks = 0;; ticks++) {
		const int64_t due_us = dialogue->deadline(dialogue->machine);
		if (due_us > until_us)
			break;
		EXPECT(ticks < LINES_MAX);
		play->now_us = due_us > play->now_us ? due_us : play->now_us;
		dialogue->tick(dialogue->machine, play->now_us);
		drain(play);
		EXPECT(dialogue->deadline(dialogue->machine) > play->now_us);
	}
	play->now_us = until_us;
	dialogue->tick(dialogue->machine, until_us);
	drain(play);
}

static void
send(struct play *play, struct str words)
{
	const struct dialogue *dialogue = play->dialogue;
	uint8_t bytes[BFCP_MSG_BYTES_MAX];
	const size_t len = dialogue_write(bytes, sizeof bytes, words, dialogue->transport);
	EXPECT_EQ(dialogue->input(dialogue->machine, bytes, len, play->now_us), len);
	drain(play);
}

static void
play_line(struct play *play, struct str line)
{
	const struct dialogue *dialogue = play->dialogue;
	if (line.at[0] == '<' || line.at[0] == '!') {
		expect_line(play, line);
		return;
	}
	expect_silence(play);
	const struct str rest = str_trim(str_sub(line, 1, line.len - 1));
	switch (line.at[0]) {
	case '>':
		send(play, rest);
		break;
	case '=':
		EXPECT(dialogue->order(dialogue->machine, rest, play->now_us));
		drain(play);
		break;
	default:
		EXPECT_EQ(line.at[0], '+');
		pass(play, play->now_us + (int64_t)number(rest) * 1000);
		break;
	}
}

void
dialogue_play(const struct dialogue *dialogue, const char *script)
{
	static struct play play;
	play = (struct play){ .dialogue = dialogue };
	struct str rest = str_of(script);
	drain(&play); /* what a machine says from the start */
	while (rest.len != 0) {
		const struct str line = str_trim(str_cut(&rest, '\n'));
		play.line_number++;
		if (line.len != 0)
			play_line(&play, line);
	}
	expect_silence(&play);
}

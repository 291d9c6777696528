/* SPDX-License-Identifier: Apache-2.0 */
#include "meeting_browser.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "c2w/c2w.h"
#include "meeting_offer.h"
#include "sdp/sdp.h"

enum {
	TEXT_MAX = 128 * 1024,
	ANSWER_MAX = 8192,
	PATH_MAX_BYTES = 64 + C2W_TOKEN_MAX,
	FAILED_MAX = 160,
	PING_US = 15 * 1000 * 1000,
};

struct browser {
	struct browser_settings settings;
	char host[ADDR_TEXT_MAX];
	char failed[FAILED_MAX]; /* empty: all is well */
	struct tcp_connection *join; /* while POST /api/join is on its way */
	char answer[ANSWER_MAX];
	size_t answer_len;
	char token[C2W_TOKEN_MAX + 1];
	ws_id ws;
	bool opened;
	bool ending;
	int64_t ping_us;
	struct offer_lines lines;
	struct link link;
	struct streams streams;
	struct {
		struct in_video *in;
		char mid[STREAM_NAME_MAX];
		char person[C2W_ID_MAX + 1];
	} tiles[BROWSER_TILES_MAX];
	unsigned tile_count;
};

static void
fail(struct browser *browser, const char *what, struct str why)
{
	if (browser->failed[0] == '\0' && !browser->ending)
		snprintf(browser->failed, sizeof browser->failed, "%s: %.*s", what,
		         (int)(why.len < FAILED_MAX / 2 ? why.len : FAILED_MAX / 2), why.at);
}

/* ---- Messages ------------------------------------------------------------------------------- */

static void
say(struct browser *browser, const struct c2w_message *message)
{
	static char text[TEXT_MAX];
	struct writer w = writer_of(text, sizeof text);
	if (browser->ws.v == 0)
		return;
	c2w_write(&w, message, true);
	CHECK(!w.failed);
	(void)ws_send(browser->settings.http, browser->ws, WS_TEXT, text, w.at);
}

static void
say_view(struct browser *browser)
{
	struct c2w_tile tiles[BROWSER_TILES_MAX] = { 0 };
	for (unsigned i = 0; i < browser->tile_count; i++) {
		tiles[i].mid = str_of(browser->tiles[i].mid);
		tiles[i].height = browser->settings.heights[i];
	}
	const struct c2w_message message = {
		.kind = C2W_VIEW,
		.tiles = { .count = browser->tile_count, .tiles = tiles },
	};
	say(browser, &message);
}

static void
take_tiles(struct browser *browser, const struct c2w_tiles *tiles)
{
	const int64_t now_us = loop_now_us();
	for (unsigned i = 0; i < browser->tile_count; i++) {
		struct str person = { 0 };
		for (uint32_t t = 0; t < tiles->count; t++)
			if (str_eq(tiles->tiles[t].mid, str_of(browser->tiles[i].mid)))
				person = tiles->tiles[t].participant;
		const bool is_new = !str_eq(person, str_of(browser->tiles[i].person));
		CHECK(str_copy(browser->tiles[i].person, sizeof browser->tiles[i].person, person));
		in_video_show(browser->tiles[i].in,
		              person.len != 0 && browser->settings.heights[i] != 0, is_new, now_us);
	}
}

/* ---- The peer connection -------------------------------------------------------------------- */

static void
offer(struct browser *browser)
{
	static char text[TEXT_MAX];
	struct writer w = writer_of(text, sizeof text);
	struct offer_lines *lines = &browser->lines;
	const struct browser_settings *settings = &browser->settings;
	snprintf(lines->ufrag, sizeof lines->ufrag, "%08x", prng_u32(settings->prng));
	snprintf(lines->pwd, sizeof lines->pwd, "%08x%08x%08x", prng_u32(settings->prng),
	         prng_u32(settings->prng), prng_u32(settings->prng));
	lines->fingerprint = dtls_context_fingerprint_text(settings->dtls);
	lines->tiles = browser->tile_count;
	lines->h264 = settings->h264;
	lines->local = *udp_local(browser->link.socket);
	lines->session_id = prng_u64(settings->prng) >> 2;
	offer_write(&w, lines);
	CHECK(!w.failed);
	const struct c2w_message message = { .kind = C2W_OFFER,
		                             .sdp = { .revision = 1, .sdp = writer_view(&w) } };
	say(browser, &message);
}

static void
add_streams(struct browser *browser, const struct offer_answer *answer)
{
	const int64_t now_us = loop_now_us();
	struct streams *streams = &browser->streams;
	static const char *const rids[BROWSER_LAYERS] = { "h", "m", "l" };
	struct stream_marks marks = { .mid_ext = answer->mid_ext,
		                      .level_ext = answer->level_ext,
		                      .mid = "0" };
	out_sound_start(streams, browser->settings.voice, OFFER_OPUS, &marks, now_us);
	streams->in_sound.payload_type = OFFER_OPUS;
	marks = (struct stream_marks){ .mid_ext = answer->mid_ext,
		                       .rid_ext = answer->rid_ext,
		                       .repaired_ext = answer->repaired_ext,
		                       .mid = "1" };
	for (unsigned i = 0; browser->settings.camera && i < BROWSER_LAYERS; i++) {
		struct out_video_settings out = { .clip = browser->settings.layers[i],
			                          .payload_type = OFFER_VP8,
			                          .rtx_payload_type = OFFER_VP8_RTX,
			                          .again = true,
			                          .marks = marks };
		snprintf(out.rid, sizeof out.rid, "%s", rids[i]);
		out_video_add(streams, &out, now_us);
	}
}

static void
start(struct browser *browser, const struct offer_answer *answer)
{
	struct prng *prng = browser->settings.prng;
	const struct link_browser how = {
		.ice = { .local_ufrag = str_of(browser->lines.ufrag),
		         .local_pwd = str_of(browser->lines.pwd),
		         .remote_ufrag = answer->ufrag,
		         .remote_pwd = answer->pwd,
		         .tie_breaker = prng_u64(prng),
		         .priority = ice_priority(110, 65535),
		         .seed = prng_u64(prng) },
		.dtls = browser->settings.dtls,
		.fingerprint = answer->fingerprint,
		.candidates = answer->candidates,
		.priorities = answer->priorities,
		.candidate_count = answer->candidate_count,
		.twcc_ext = answer->twcc_ext,
		.ssrc = browser->streams.ssrc,
	};
	link_start_browser(&browser->link, &how, loop_now_us());
}

static void
take_answer(struct browser *browser, struct str text)
{
	struct offer_answer answer;
	const char *wrong = offer_answer_read(&answer, text);
	if (wrong != NULL) {
		fail(browser, "answer", str_of(wrong));
		return;
	}
	for (unsigned i = 0; i < browser->tile_count; i++) {
		struct in_video_settings in = { .mid_ext = answer.mid_ext,
			                        .ssrcs = { answer.tiles[i].ssrcs[0],
			                                   answer.tiles[i].ssrcs[1] },
			                        .again = true,
			                        .vp8 = OFFER_VP8,
			                        .vp8_rtx = OFFER_VP8_RTX };
		if (!answer.tiles[i].accepted) {
			fail(browser, "answer", STR("a tile was refused"));
			return;
		}
		if (browser->settings.h264) {
			in.h264 = OFFER_H264;
			in.h264_rtx = OFFER_H264_RTX;
		}
		snprintf(in.mid, sizeof in.mid, "%s", browser->tiles[i].mid);
		browser->tiles[i].in = in_video_add(&browser->streams, &in);
		CHECK(browser->tiles[i].in != NULL);
	}
	if (!answer.camera)
		fail(browser, "answer", STR("the camera was refused"));
	start(browser, &answer);
	add_streams(browser, &answer);
	say_view(browser);
}

static void
on_connected(void *context, int64_t now_us)
{
	(void)context;
	(void)now_us;
}

static void
on_rtp(void *context, const struct rtp_packet *packet, int64_t now_us)
{
	struct browser *browser = context;
	streams_rtp(&browser->streams, packet, now_us);
}

static void
on_rtcp(void *context, const uint8_t *bytes, size_t len, int64_t now_us)
{
	struct browser *browser = context;
	streams_rtcp(&browser->streams, bytes, len, now_us);
}

static const struct link_handler link_handler = {
	.connected = on_connected, .rtp = on_rtp, .rtcp = on_rtcp,
};

/* ---- The WebSocket -------------------------------------------------------------------------- */

static void
take_opened(struct browser *browser, const struct c2w_opened *opened)
{
	const struct c2w_message camera = { .kind = C2W_CAMERA,
		                             .on = browser->settings.camera };
	if (browser->opened)
		return; /* the bridge was away: nothing that is measured here */
	browser->opened = true;
	browser->tile_count = browser->settings.tiles;
	if (browser->tile_count > opened->tiles_max)
		browser->tile_count = opened->tiles_max;
	for (unsigned i = 0; i < browser->tile_count; i++)
		snprintf(browser->tiles[i].mid, sizeof browser->tiles[i].mid, "%u",
		         OFFER_TILES_MID + i);
	say(browser, &camera);
	offer(browser);
}

static void
take_message(struct browser *browser, const struct c2w_message *message)
{
	if (message->kind == C2W_OPENED)
		take_opened(browser, &message->opened);
	else if (message->kind == C2W_ANSWER && browser->streams.in_count == 0)
		take_answer(browser, message->sdp.sdp);
	else if (message->kind == C2W_TILES && browser->streams.in_count != 0)
		take_tiles(browser, &message->tiles);
	else if (message->kind == C2W_REFUSED)
		fail(browser, "refused", str_of(c2w_refusal_name(message->refusal)));
	else if (message->kind == C2W_ENDED)
		fail(browser, "ended", str_of(c2w_end_name(message->end)));
}

/* A browser's messages are those of a bridge without the key that says whose they are. */
static bool
parse(struct c2w_message *message, struct str text, const char *key)
{
	static char whole[TEXT_MAX];
	struct writer w = writer_of(whole, sizeof whole);
	if (text.len < 2 || text.at[0] != '{')
		return false;
	writer_format(&w, "{\"%s\":1,", key);
	writer_str(&w, str_sub(text, 1, text.len - 1));
	return !w.failed && c2w_parse(message, writer_view(&w), C2W_FROM_CALL_BRIDGE) == C2W_OK;
}

static void
on_ws_opened(void *context, ws_id id)
{
	(void)context;
	(void)id;
}

static void
on_ws_message(void *context, ws_id id, enum ws_kind kind, const uint8_t *bytes, size_t len)
{
	struct browser *browser = context;
	const struct str text = { .at = (const char *)bytes, .len = len };
	struct c2w_message message;
	(void)id;
	/* "pong" and the like carry no key. */
	if (kind != WS_TEXT || !parse(&message, text, "session"))
		return;
	take_message(browser, &message);
	c2w_message_fini(&message);
}

static void
on_ws_closed(void *context, ws_id id, const struct ws_close *close)
{
	struct browser *browser = context;
	(void)id;
	browser->ws = (ws_id){ 0 };
	fail(browser, "WebSocket", str_of(close->text[0] != '\0' ? close->text : "closed"));
}

static const struct ws_handler ws_handler = {
	.opened = on_ws_opened, .message = on_ws_message, .closed = on_ws_closed,
};

static void
open_ws(struct browser *browser)
{
	char path[PATH_MAX_BYTES];
	snprintf(path, sizeof path, "/api/session?token=%s", browser->token);
	const struct ws_connect_settings settings = {
		.to = browser->settings.web,
		.host = browser->host,
		.path = path,
		.protocol = "convoke",
		.tls = browser->settings.tls,
		.limits = { .message_bytes_max = TEXT_MAX },
		.handler = &ws_handler,
		.context = browser,
	};
	browser->ws = ws_connect(browser->settings.http, &settings);
	if (browser->ws.v == 0)
		fail(browser, "WebSocket", STR("no memory"));
}

/* ---- Joining -------------------------------------------------------------------------------- */

static void
on_join_opened(void *context, struct tcp_connection *connection)
{
	struct browser *browser = context;
	char body[256];
	char request[512];
	struct writer w = writer_of(request, sizeof request);
	const int len = snprintf(body, sizeof body,
	                         "{\"address\":\"%s\",\"name\":\"Browser %u\"}",
	                         browser->settings.address, browser->settings.number);
	writer_format(&w,
	              "POST /api/join HTTP/1.1\r\nHost: %s:%u\r\nConnection: close\r\n"
	              "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
	              browser->host, browser->settings.web.port, len, body);
	CHECK(!w.failed);
	(void)tcp_send(connection, request, w.at);
}

static void
on_join_received(void *context, struct tcp_connection *connection, const uint8_t *bytes, size_t len)
{
	struct browser *browser = context;
	(void)connection;
	if (len > sizeof browser->answer - 1 - browser->answer_len)
		len = sizeof browser->answer - 1 - browser->answer_len;
	memcpy(browser->answer + browser->answer_len, bytes, len);
	browser->answer_len += len;
}

static void
on_join_closed(void *context, struct tcp_connection *connection, enum tcp_end end, const char *text)
{
	struct browser *browser = context;
	struct c2w_message message;
	(void)connection;
	browser->join = NULL;
	browser->answer[browser->answer_len] = '\0';
	const char *body = strstr(browser->answer, "\r\n\r\n");
	if (body == NULL) {
		fail(browser, "join", str_of(end == TCP_END_PEER ? "no answer" : text));
		return;
	}
	if (!parse(&message, str_of(body + 4), "request") || message.kind != C2W_JOINED) {
		fail(browser, "join", str_of(body + 4));
		return;
	}
	CHECK(str_copy(browser->token, sizeof browser->token, message.joined.token));
	c2w_message_fini(&message);
	open_ws(browser);
}

static const struct tcp_handler join_handler = {
	.opened = on_join_opened, .received = on_join_received, .closed = on_join_closed,
};

void
browser_join(struct browser *browser)
{
	const struct tcp_connect_settings settings = { .to = browser->settings.web,
		                                       .tls = browser->settings.tls,
		                                       .host = browser->host,
		                                       .handler = &join_handler,
		                                       .context = browser };
	if (tcp_connect(&browser->join, browser->settings.loop, &settings) != 0)
		fail(browser, "join", STR("no socket"));
}

void
browser_leave(struct browser *browser)
{
	const struct c2w_message message = { .kind = C2W_LEAVE };
	browser->ending = true;
	say(browser, &message);
}

/* ---- Life ----------------------------------------------------------------------------------- */

struct browser *
browser_create(const struct browser_settings *settings)
{
	struct browser *browser = calloc(1, sizeof *browser);
	if (browser == NULL)
		return NULL;
	browser->settings = *settings;
	struct writer w = writer_of(browser->host, sizeof browser->host - 1);
	addr_write_ip(&w, &settings->web);
	const struct link_settings link = { .loop = settings->loop,
		                            .bind = settings->bind,
		                            .drop_permille = settings->drop_permille,
		                            .prng = settings->prng,
		                            .handler = &link_handler,
		                            .context = browser };
	if (link_open(&browser->link, &link) != 0) {
		free(browser);
		return NULL;
	}
	streams_init(&browser->streams, &browser->link, settings->pool, settings->prng);
	return browser;
}

void
browser_destroy(struct browser *browser)
{
	if (browser == NULL)
		return;
	browser->ending = true;
	tcp_abort(browser->join);
	streams_fini(&browser->streams);
	link_close(&browser->link);
	free(browser);
}

void
browser_tick(struct browser *browser, int64_t now_us)
{
	link_tick(&browser->link, now_us);
	streams_tick(&browser->streams, now_us);
	if (browser->link.failed != NULL)
		fail(browser, "media", str_of(browser->link.failed));
	if (browser->opened && browser->ping_us <= now_us) {
		const struct c2w_message ping = { .kind = C2W_PING };
		browser->ping_us = now_us + PING_US;
		say(browser, &ping);
	}
}

bool
browser_ready(const struct browser *browser)
{
	return browser->link.connected;
}

const char *
browser_failed(const struct browser *browser)
{
	return browser->failed[0] != '\0' ? browser->failed : NULL;
}

void
browser_talk(struct browser *browser, bool talks)
{
	browser->streams.out_sound.talks = talks;
}

struct streams *
browser_streams(struct browser *browser)
{
	return &browser->streams;
}

unsigned
browser_tiles(const struct browser *browser)
{
	return browser->streams.in_count;
}

const char *
browser_tile_person(const struct browser *browser, unsigned tile)
{
	return browser->tiles[tile].person;
}

unsigned
browser_tile_height(const struct browser *browser, unsigned tile)
{
	return browser->settings.heights[tile];
}

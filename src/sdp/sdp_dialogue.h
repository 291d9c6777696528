/* SPDX-License-Identifier: Apache-2.0 */
/* sdp_dialogue -- two sessions, recorded offers and what a dialogue of them comes to, for the tests
 * of offer and answer.  Included by one file of each program. */
#ifndef SDP_SDP_DIALOGUE_H
#define SDP_SDP_DIALOGUE_H

#include "sdp/sdp_fixture.h"
#include "sdp/sdp_rules.h"

#include "base/test.h"

#include <stdio.h>

#ifndef SDP_TESTDATA
#define SDP_TESTDATA "src/sdp/testdata/sdp" /* seen from the project's folder */
#endif

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define KEY "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
#define PRINT "a=fingerprint:sha-1 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13\r\n"

static struct sdp_session us;
static struct sdp_session them;
static struct sdp_transport transports[FIXTURE_MEDIAS];
static char wire[SDP_BYTES_MAX];
static struct sdp parsed_offer;
static struct sdp parsed_answer;

static inline struct str
golden(const char *name)
{
	static char text[SDP_BYTES_MAX];
	char path[512];
	snprintf(path, sizeof path, "%s/%s.sdp", SDP_TESTDATA, name);
	FILE *file = fopen(path, "rb");
	EXPECT(file != NULL);
	const size_t len = fread(text, 1, sizeof text, file);
	fclose(file);
	return (struct str){ .at = text, .len = len };
}

static inline struct str
offer_of(struct sdp_session *session)
{
	static char text[SDP_BYTES_MAX];
	struct writer w = writer_of(text, sizeof text);
	fixture_transports(transports, session->settings->bundle);
	sdp_session_offer_write(session, transports, &w);
	EXPECT(!w.failed);
	return writer_view(&w);
}

static inline struct str
answer_of(struct sdp_session *session, struct str offer)
{
	struct writer w = writer_of(wire, sizeof wire);
	fixture_transports(transports, session->settings->bundle);
	sdp_session_answer_write(session, transports, &w);
	EXPECT(!w.failed);
	EXPECT_EQ(sdp_parse(&parsed_offer, offer), SDP_OK);
	EXPECT_EQ(sdp_parse(&parsed_answer, writer_view(&w)), SDP_OK);
	EXPECT_STR(str_of(sdp_rules_answer(&parsed_offer, &parsed_answer)), "");
	return writer_view(&w);
}

static inline struct str
answer_to(struct sdp_session *session, struct str offer)
{
	EXPECT_EQ(sdp_session_offer_take(session, offer), SDP_OK);
	return answer_of(session, offer);
}

/* The keys of a session's first line. */
static inline const struct sdp_sdes *
sdes_of(const struct sdp_session *session)
{
	return &sdp_session_path(session, &session->lines[0])->sdes;
}

static inline void
expect_dump(const struct sdp_session *session, const char *want)
{
	char text[8192];
	struct writer w = writer_of(text, sizeof text);
	sdp_session_dump(session, &w);
	EXPECT_STR(writer_view(&w), want);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as description, as offer and as answer.  What is read must write and read back the same;
 * what we answer must keep every rule of sdp_rules.h; what is refused must change nothing. */
#include "sdp/sdp_fixture.h"
#include "sdp/sdp_rules.h"

#include "base/check.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct sdp offer;
static struct sdp answer;
static struct sdp_session session;
static struct sdp_session before;
static char out[SDP_BYTES_MAX];

static void
must_hold(const char *broken)
{
	if (broken == NULL)
		return;
	fprintf(stderr, "rule broken: %s\n", broken);
	CHECK(broken == NULL);
}

static void
as_offer(const struct sdp_settings *settings, const struct sdp_transport *transports,
         struct str text)
{
	sdp_session_init(&session, settings);
	before = session;
	if (sdp_session_offer_take(&session, text) != SDP_OK) {
		CHECK(memcmp(&before, &session, sizeof session) == 0);
		return;
	}
	struct writer w = writer_of(out, sizeof out);
	sdp_session_answer_write(&session, transports, &w);
	CHECK(!w.failed);
	CHECK(sdp_parse(&answer, writer_view(&w)) == SDP_OK);
	must_hold(sdp_rules_answer(&offer, &answer));
	for (unsigned i = 0; i < session.line_count; i++) {
		const struct sdp_line *line = &session.lines[i];
		CHECK(line->accepted == (answer.medias[i].port != 0));
		if (!line->accepted || !sdp_proto_is_rtp(line->proto))
			continue; /* Encryption is about media. */
		CHECK(settings->encryption != SDP_ENCRYPTION_REQUIRED ||
		      line->security != SDP_SECURITY_NONE);
		CHECK(settings->encryption != SDP_ENCRYPTION_PROHIBITED ||
		      line->security == SDP_SECURITY_NONE);
	}

	/* The same leg offers again, and gets the peer's text as an answer to that. */
	w = writer_of(out, sizeof out);
	sdp_session_offer_write(&session, transports, &w);
	CHECK(!w.failed);
	CHECK(sdp_parse(&answer, writer_view(&w)) == SDP_OK);
	const unsigned lines = session.line_count;
	(void)sdp_session_answer_take(&session, text);
	CHECK(session.state == SDP_STABLE);
	CHECK(session.line_count <= lines);
}

static void
as_answer(const struct sdp_settings *settings, const struct sdp_transport *transports,
          struct str text)
{
	sdp_session_init(&session, settings);
	struct writer w = writer_of(out, sizeof out);
	sdp_session_offer_write(&session, transports, &w);
	CHECK(!w.failed);
	if (sdp_session_answer_take(&session, text) == SDP_OK) {
		static char dump[16 * 1024];
		struct writer d = writer_of(dump, sizeof dump);
		sdp_session_dump(&session, &d);
	}
	CHECK(session.state == SDP_STABLE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct str text = { .at = (const char *)bytes, .len = len };
	if (sdp_parse(&offer, text) != SDP_OK)
		return 0;
	must_hold(sdp_rules_round_trip(&offer));

	const struct sdp_settings sip = fixture_with_video(&fixture_sip);
	const struct sdp_settings web = fixture_with_video(&fixture_web);
	const struct sdp_settings room = fixture_room();
	const struct sdp_settings browser = fixture_browser();
	struct sdp_settings clear = fixture_sip;
	clear.encryption = SDP_ENCRYPTION_PROHIBITED;
	clear.profile = SDP_PROFILE_CLEAR;
	struct sdp_settings strict = sip;
	strict.encryption = SDP_ENCRYPTION_REQUIRED;
	strict.profile = SDP_PROFILE_SDES;
	const struct sdp_settings *const all[] = { &sip, &web, &clear, &strict, &room, &browser };
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		struct sdp_transport transports[FIXTURE_MEDIAS];
		fixture_transports(transports, all[i]->bundle);
		as_offer(all[i], transports, text);
		as_answer(all[i], transports, text);
	}
	return 0;
}

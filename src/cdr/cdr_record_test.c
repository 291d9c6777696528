/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: what a leg did is summed up as it was; the largest record fits; no text breaks the XML. */
#include "cdr/cdr_record.h"

#include <stdio.h>
#include <string.h>

#include "cdr/cdr.h"
#include "meeting/test_world.h"

static struct prng prng;

static struct meeting *
meeting_make(uint32_t *leg, const char *name)
{
	struct meeting *meeting = NULL;
	prng_init(&prng, 5);
	const struct meeting_settings settings = { .objects = { 10, 10, 64 * 1024 },
		                                   .limits = { 4, 4 },
		                                   .random = test_random,
		                                   .context = &prng };
	const struct meeting_join who = { .adhoc_name = str_of(name), .kind = LEG_SIP,
		                          .name = str_of(name), .remote_party = str_of(name),
		                          .local_address = str_of(name),
		                          .remote_address = str_of(name),
		                          .sip_call_id = str_of(name) };
	EXPECT_EQ(meeting_create(&meeting, &settings, 1000), 0);
	EXPECT_EQ(meeting_join(meeting, &who, 1000, leg), MEETING_ADMITTED);
	meeting_leg_connected(meeting, *leg, 1000);
	return meeting;
}

static struct str
end_of(struct meeting *meeting, const struct cdr_leg *leg, int64_t now_us)
{
	static char text[CDR_RECORD_BYTES_MAX];
	struct writer w = writer_of(text, sizeof text - 1);
	cdr_write_leg_end(&w, meeting, leg, LEG_END_TIMEOUT, false, now_us);
	EXPECT(!w.failed);
	text[w.at] = '\0';
	return writer_view(&w);
}

#define EXPECT_PART(text, part) EXPECT(strstr((text).at, part) != NULL)

TEST(what_flowed_how_long_and_how_well)
{
	uint32_t handle = 0;
	struct meeting *meeting = meeting_make(&handle, "Ann");
	struct cdr_leg leg = { .handle = handle };
	struct leg_media media = {
		.rx_audio = { .codec = "opus", .loss_tenths = 0 },
		.tx_audio = { .codec = "opus", .rtt_ms = 40 },
	};
	int64_t now_us = 1000;
	cdr_leg_follow(&leg, meeting_leg(meeting, handle), now_us);
	/* Twenty samples of 5 s: video in the second half, losses of 10 % in four of them. */
	for (unsigned i = 0; i < 20; i++) {
		now_us += 5 * 1000 * 1000;
		if (i == 10)
			media.rx_video[LEG_TRACK_MAIN] = (struct leg_pictures){
				.codec = "h264", .width = 1280, .height = 720 };
		media.rx_audio.loss_tenths = i == 3 || i == 4 || i == 8 || i == 9 ? 100 : 0;
		media.tx_audio.rtt_ms = i == 0 ? CDR_RTT_MS : 40;
		media.encrypted = i != 5;
		cdr_leg_sample(&leg, &media, now_us);
	}
	const struct str text = end_of(meeting, &leg, now_us);
	EXPECT_PART(text, "<reason>timeout</reason><remoteTeardown>false</remoteTeardown>"
	                  "<encryptedMedia>true</encryptedMedia>"
	                  "<unencryptedMedia>true</unencryptedMedia>"
	                  "<durationSeconds>100</durationSeconds>"
	                  "<activatedDuration>100</activatedDuration>"
	                  "<mediaUsagePercentages><mainVideoContributor>50.0</mainVideoContributor>"
	                  "</mediaUsagePercentages>"
	                  "<alarm type=\"packetLoss\" durationPercentage=\"20.0\"/>"
	                  "<alarm type=\"highRoundTripTime\" durationPercentage=\"5.0\"/>");
	/* Two bursts of 10 s with a tenth lost; three gaps of 80 s in all. */
	EXPECT_PART(text, "<rxAudio><codec>opus</codec><packetStatistics><packetLossBursts>"
	                  "<duration>10.00</duration><density>0.100</density></packetLossBursts>"
	                  "<packetGap><duration>26.66</duration><density>0.000</density>"
	                  "</packetGap></packetStatistics></rxAudio>");
	EXPECT_PART(text, "<rxVideo><codec>h264</codec><maxSizeWidth>1280</maxSizeWidth>"
	                  "<maxSizeHeight>720</maxSizeHeight><packetStatistics>");
	EXPECT(strstr(text.at, "<txVideo>") == NULL);
	meeting_destroy(meeting);
}

TEST(the_lobby_is_no_activated_time)
{
	uint32_t handle = 0;
	struct meeting *meeting = meeting_make(&handle, "Ann");
	struct cdr_leg leg = { .handle = handle };
	struct meeting_leg now = *meeting_leg(meeting, handle);
	now.lobby = true;
	cdr_leg_follow(&leg, &now, 1000);
	now.lobby = false;
	cdr_leg_follow(&leg, &now, 4 * 1000 * 1000);
	now.lobby = true;
	cdr_leg_follow(&leg, &now, 9 * 1000 * 1000);
	now.lobby = false;
	cdr_leg_follow(&leg, &now, 10 * 1000 * 1000);
	EXPECT_PART(end_of(meeting, &leg, 12 * 1000 * 1000),
	            "<durationSeconds>11</durationSeconds><activatedDuration>7</activatedDuration>");
	meeting_destroy(meeting);
}

TEST(a_leg_that_was_never_connected_lasted_no_time)
{
	uint32_t handle = 0;
	struct meeting *meeting = meeting_make(&handle, "Ann");
	const struct cdr_leg leg = { .handle = handle };
	EXPECT_PART(end_of(meeting, &leg, 5 * 1000 * 1000),
	            "<durationSeconds>0</durationSeconds><activatedDuration>0</activatedDuration>"
	            "<mediaUsagePercentages></mediaUsagePercentages>");
	meeting_destroy(meeting);
}

TEST(the_longest_names_with_the_longest_escapes_fit)
{
	char name[MEETING_PARTY_MAX + 64];
	char text[CDR_RECORD_BYTES_MAX];
	uint32_t handle = 0;
	memset(name, '"', sizeof name);
	name[sizeof name - 1] = '\0';
	struct meeting *meeting = meeting_make(&handle, name);
	struct cdr_leg leg = { .handle = handle, .encrypted = true, .unencrypted = true };
	for (unsigned i = 0; i < CDR_FLOWS; i++)
		leg.flows[i] = (struct cdr_flow){ .codec = "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"",
			                          .width_max = UINT32_MAX,
			                          .height_max = UINT32_MAX,
			                          .flowed_us = 1, .bursts = 1,
			                          .burst_us = INT64_MAX };
	struct writer w = writer_of(text, sizeof text);
	cdr_write_leg_start(&w, meeting, handle);
	EXPECT(!w.failed);
	w = writer_of(text, sizeof text);
	cdr_write_leg_update(&w, meeting, handle);
	EXPECT(!w.failed);
	(void)end_of(meeting, &leg, 2000);
	w = writer_of(text, sizeof text);
	cdr_write_call_start(&w, meeting, meeting_leg(meeting, handle)->call);
	EXPECT(!w.failed);
	meeting_destroy(meeting);
}

TEST(text_cannot_leave_its_element)
{
	char text[128];
	struct writer w = writer_of(text, sizeof text);
	cdr_escape(&w, STR("a<b>&\"'\n\x01\x7f\xc3\xa9"));
	EXPECT_STR(writer_view(&w), "a&lt;b&gt;&amp;&quot;&apos;???\xc3\xa9");
}

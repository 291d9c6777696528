/* SPDX-License-Identifier: Apache-2.0 */
#include "bwe/twcc_receive.h"

#include "base/check.h"
#include "rtp/rtcp_fb.h"

enum {
	SHARE = 20,          /* messages are a twentieth of what is received, at most */
	OVERHEAD_BYTES = 60, /* of a message: IP, UDP, SRTCP, the RR in front of it */
	RESTART = TWCC_RECEIVE_WINDOW / 2,
	PENDING_MAX = TWCC_RECEIVE_WINDOW / 4,
	FORGET_US = 1000 * 1000, /* after a silence the old rate says nothing */
};

static_assert((int)TWCC_RECEIVE_WINDOW <= (int)RTCP_FB_STATUSES_MAX, "one message may tell of all");

void
twcc_receive_init(struct twcc_receive *receive, uint32_t sender_ssrc)
{
	*receive = (struct twcc_receive){
		.due_us = INT64_MAX,
		.interval_us = TWCC_RECEIVE_US_MIN,
		.written_us = -1,
		.sender_ssrc = sender_ssrc,
	};
}

static int64_t *
slot(struct twcc_receive *receive, int64_t seq)
{
	return &receive->at_us[(uint64_t)seq % TWCC_RECEIVE_WINDOW];
}

static void
restart(struct twcc_receive *receive, uint16_t seq)
{
	for (unsigned i = 0; i < TWCC_RECEIVE_WINDOW; i++)
		receive->at_us[i] = -1;
	receive->seq = (struct rtp_seq){ 0 };
	receive->next = rtp_seq_input(&receive->seq, seq);
}

void
twcc_receive_input(struct twcc_receive *receive, uint16_t wire, uint32_t ssrc, size_t bytes,
                   int64_t now_us)
{
	CHECK(now_us >= receive->input_us && now_us >= receive->written_us);
	receive->input_us = now_us;
	receive->packets++;
	receive->media_ssrc = ssrc;
	receive->received_bytes += (uint32_t)bytes;

	int64_t seq = rtp_seq_extend(&receive->seq, wire);
	const int64_t ahead = seq - receive->seq.highest;
	if (!receive->seq.started || ahead >= RESTART || ahead <= -RESTART) {
		receive->restarts += receive->seq.started;
		restart(receive, wire);
		seq = receive->seq.highest;
	}
	while (receive->seq.highest < seq)
		*slot(receive, ++receive->seq.highest) = -1;
	if (*slot(receive, seq) >= 0) {
		receive->duplicates++;
		return;
	}
	*slot(receive, seq) = now_us;
	if (seq < receive->next)
		receive->next = seq; /* was told to be lost: tell again from here */
	const int64_t oldest = receive->seq.highest - TWCC_RECEIVE_WINDOW + 1;
	if (receive->next < oldest) {
		receive->untold += (uint64_t)(oldest - receive->next);
		receive->next = oldest;
	}

	if (receive->due_us == INT64_MAX) {
		const int64_t at_us = receive->written_us + receive->interval_us;
		receive->due_us = receive->written_us >= 0 && at_us > now_us ? at_us : now_us;
	}
	if (receive->seq.highest - receive->next + 1 >= PENDING_MAX && receive->due_us > now_us)
		receive->due_us = now_us;
}

int64_t
twcc_receive_deadline(const struct twcc_receive *receive)
{
	return receive->due_us;
}

/* As often as keeps messages within their share of what came since the last one. */
static void
set_interval(struct twcc_receive *receive, int64_t now_us)
{
	const int64_t elapsed_us = receive->written_us >= 0 ? now_us - receive->written_us : 0;
	const int64_t message_bytes = (int64_t)receive->message_bytes + OVERHEAD_BYTES;
	int64_t us = TWCC_RECEIVE_US_MIN;
	if (receive->received_bytes != 0 && elapsed_us < FORGET_US)
		us = message_bytes * SHARE * elapsed_us / receive->received_bytes;
	us = us > TWCC_RECEIVE_US_MIN ? us : TWCC_RECEIVE_US_MIN;
	receive->interval_us = us < TWCC_RECEIVE_US_MAX ? us : TWCC_RECEIVE_US_MAX;
	receive->received_bytes = 0;
	receive->message_bytes = 0;
	receive->written_us = now_us;
}

bool
twcc_receive_write(struct twcc_receive *receive, struct writer *w, int64_t now_us)
{
	CHECK(now_us >= receive->input_us);
	if (now_us < receive->due_us)
		return false;
	int64_t at_us[TWCC_RECEIVE_WINDOW];
	const int64_t pending = receive->seq.highest - receive->next + 1;
	CHECK(pending >= 1 && pending <= TWCC_RECEIVE_WINDOW);
	for (int64_t i = 0; i < pending; i++)
		at_us[i] = *slot(receive, receive->next + i);
	const struct rtcp_twcc_report report = {
		.sender_ssrc = receive->sender_ssrc,
		.media_ssrc = receive->media_ssrc,
		.base_seq = (uint16_t)receive->next,
		.feedback_seq = receive->feedback_seq,
		.at_us = at_us,
		.count = (unsigned)pending,
	};
	const size_t room = w->cap - w->at;
	struct writer limited = *w;
	if (room > TWCC_RECEIVE_MESSAGE_BYTES_MAX)
		limited.cap = w->at + TWCC_RECEIVE_MESSAGE_BYTES_MAX;
	const unsigned told = rtcp_fb_write_twcc(&limited, &report);
	if (told == 0)
		return false;
	receive->message_bytes += (uint32_t)(limited.at - w->at);
	w->at = limited.at;
	receive->next += told;
	receive->feedback_seq++;
	receive->messages++;
	if (receive->next > receive->seq.highest) {
		receive->due_us = INT64_MAX;
		set_interval(receive, now_us);
	}
	return true;
}

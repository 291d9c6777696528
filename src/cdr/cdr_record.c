/* SPDX-License-Identifier: Apache-2.0 */
#include "cdr/cdr_record.h"

#include "base/check.h"

static const char *const type_names[CDR_TYPES] = {
	[CDR_CALL_START] = "callStart",       [CDR_CALL_END] = "callEnd",
	[CDR_LEG_START] = "callLegStart",     [CDR_LEG_UPDATE] = "callLegUpdate",
	[CDR_LEG_END] = "callLegEnd",
};

const char *
cdr_type_name(enum cdr_type type)
{
	CHECK((unsigned)type < CDR_TYPES);
	return type_names[type];
}

/* ------------------------------------------------------------------ what a leg did */

static void
stop_activated(struct cdr_leg *leg, int64_t now_us)
{
	if (leg->activated_us == 0)
		return;
	leg->activated_sum_us += now_us - leg->activated_us;
	leg->activated_us = 0;
}

void
cdr_leg_follow(struct cdr_leg *leg, const struct meeting_leg *now, int64_t now_us)
{
	if (!leg->connected && now->connected_us != 0) {
		leg->connected = true;
		leg->connected_us = now->connected_us;
		leg->sampled_us = now_us;
	}
	leg->lobby = now->lobby;
	const bool activated = leg->connected && !now->lobby && now->state != LEG_ENDING;
	if (!activated)
		stop_activated(leg, now_us);
	else if (leg->activated_us == 0)
		leg->activated_us = now_us != 0 ? now_us : 1;
}

/* Runs of samples with more or less than a burst's losses. */
static void
count_losses(struct cdr_flow *flow, uint32_t loss_tenths, int64_t took_us)
{
	const bool burst = loss_tenths >= CDR_BURST_TENTHS;
	const bool first = flow->bursts == 0 && flow->gaps == 0;
	const uint64_t lost = (uint64_t)loss_tenths * (uint64_t)(took_us / 1000);
	if (burst) {
		flow->bursts += first || !flow->in_burst;
		flow->burst_us += took_us;
		flow->burst_loss += lost;
	} else {
		flow->gaps += first || flow->in_burst;
		flow->gap_us += took_us;
		flow->gap_loss += lost;
	}
	flow->in_burst = burst;
}

struct sample {
	const char *codec;
	uint32_t loss_tenths;
	uint32_t jitter_ms;
	uint32_t rtt_ms;
	uint32_t width;
	uint32_t height;
};

static void
sample_flow(struct cdr_flow *flow, const struct sample *sample, int64_t took_us)
{
	if (sample->codec[0] == '\0')
		return;
	str_copy(flow->codec, sizeof flow->codec, str_of(sample->codec));
	flow->width_max = sample->width > flow->width_max ? sample->width : flow->width_max;
	flow->height_max = sample->height > flow->height_max ? sample->height : flow->height_max;
	flow->flowed_us += took_us;
	count_losses(flow, sample->loss_tenths, took_us);
}

static struct sample
of_stream(const struct leg_stream *stream)
{
	return (struct sample){ .codec = stream->codec, .loss_tenths = stream->loss_tenths,
		                .jitter_ms = stream->jitter_ms, .rtt_ms = stream->rtt_ms };
}

static struct sample
of_pictures(const struct leg_pictures *pictures)
{
	return (struct sample){ .codec = pictures->codec, .loss_tenths = pictures->loss_tenths,
		                .jitter_ms = pictures->jitter_ms, .rtt_ms = pictures->rtt_ms,
		                .width = pictures->width, .height = pictures->height };
}

void
cdr_leg_sample(struct cdr_leg *leg, const struct leg_media *media, int64_t now_us)
{
	const struct sample samples[CDR_FLOWS] = {
		[CDR_RX_AUDIO] = of_stream(&media->rx_audio),
		[CDR_TX_AUDIO] = of_stream(&media->tx_audio),
		[CDR_RX_VIDEO] = of_pictures(&media->rx_video[LEG_TRACK_MAIN]),
		[CDR_TX_VIDEO] = of_pictures(&media->tx_video[LEG_TRACK_MAIN]),
		[CDR_RX_CONTENT] = of_pictures(&media->rx_video[LEG_TRACK_CONTENT]),
		[CDR_TX_CONTENT] = of_pictures(&media->tx_video[LEG_TRACK_CONTENT]),
	};
	if (!leg->connected)
		return;
	int64_t took_us = now_us - leg->sampled_us;
	took_us = took_us < CDR_SAMPLE_US_MAX ? took_us : CDR_SAMPLE_US_MAX;
	leg->sampled_us = now_us;
	bool alarms[CDR_ALARMS] = { false };
	bool flows = false;
	for (unsigned i = 0; i < CDR_FLOWS; i++) {
		sample_flow(&leg->flows[i], &samples[i], took_us);
		if (samples[i].codec[0] == '\0')
			continue;
		flows = true;
		alarms[CDR_ALARM_LOSS] |= samples[i].loss_tenths >= CDR_LOSS_TENTHS;
		alarms[CDR_ALARM_JITTER] |= samples[i].jitter_ms >= CDR_JITTER_MS;
		alarms[CDR_ALARM_RTT] |= samples[i].rtt_ms >= CDR_RTT_MS;
	}
	for (unsigned a = 0; a < CDR_ALARMS; a++)
		leg->alarm_us[a] += alarms[a] ? took_us : 0;
	leg->encrypted |= flows && media->encrypted;
	leg->unencrypted |= flows && !media->encrypted;
}

/* ------------------------------------------------------------------ XML */

void
cdr_escape(struct writer *w, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.at[i];
		if (c == '<')
			writer_text(w, "&lt;");
		else if (c == '>')
			writer_text(w, "&gt;");
		else if (c == '&')
			writer_text(w, "&amp;");
		else if (c == '"')
			writer_text(w, "&quot;");
		else if (c == '\'')
			writer_text(w, "&apos;");
		else
			writer_u8(w, (uint8_t)((unsigned char)c < 0x20 || c == 0x7f ? '?' : c));
	}
}

/* An empty text is left out. */
static void
element(struct writer *w, const char *name, struct str text)
{
	if (text.len == 0)
		return;
	writer_format(w, "<%s>", name);
	cdr_escape(w, text);
	writer_format(w, "</%s>", name);
}

static void
element_text(struct writer *w, const char *name, const char *text)
{
	element(w, name, str_of(text));
}

static void
element_number(struct writer *w, const char *name, uint64_t number)
{
	writer_format(w, "<%s>%llu</%s>", name, (unsigned long long)number, name);
}

static void
element_bool(struct writer *w, const char *name, bool is)
{
	writer_format(w, "<%s>%s</%s>", name, is ? "true" : "false", name);
}

static void
element_guid(struct writer *w, const char *name, const struct guid *id)
{
	char text[GUID_TEXT_LEN + 1];
	if (guid_is_zero(id))
		return;
	guid_write(text, id);
	element_text(w, name, text);
}

/* A value of the model under the name it has in the API. */
static void
element_value(struct writer *w, const struct meeting *meeting, enum object_type type,
              uint32_t handle, unsigned field)
{
	char text[MEETING_PARTY_MAX + OBJECT_TEXT_MAX];
	struct writer plain = writer_of(text, sizeof text);
	const struct field *desc = object_field(type, field);
	const struct value value = meeting_value(meeting, type, handle, field, 0);
	if (!value.set)
		return;
	value_write(&plain, desc, &value);
	element(w, desc->name, writer_view(&plain));
}

static void
open_id(struct writer *w, const char *name, const struct guid *id)
{
	char text[GUID_TEXT_LEN + 1];
	guid_write(text, id);
	writer_format(w, "<%s id=\"%s\">", name, text);
}

/* ------------------------------------------------------------------ calls */

void
cdr_write_call_start(struct writer *w, const struct meeting *meeting, uint32_t handle)
{
	const struct meeting_call *call = meeting_call(meeting, handle);
	open_id(w, "call", &call->id);
	element_text(w, "name", call->name);
	element_value(w, meeting, OBJECT_CALL, handle, CALL_OWNER_NAME);
	element_value(w, meeting, OBJECT_CALL, handle, CALL_TYPE);
	element_value(w, meeting, OBJECT_CALL, handle, CALL_SPACE);
	element_guid(w, "callCorrelator", &call->correlator);
	element_value(w, meeting, OBJECT_CALL, handle, CALL_TENANT);
	if (call->space != 0)
		element_value(w, meeting, OBJECT_SPACE, call->space, SPACE_CDR_TAG);
	writer_text(w, "</call>");
}

void
cdr_write_call_end(struct writer *w, const struct meeting *meeting, uint32_t handle,
                   uint32_t legs_completed, int64_t now_us)
{
	const struct meeting_call *call = meeting_call(meeting, handle);
	open_id(w, "call", &call->id);
	element_number(w, "callLegsCompleted", legs_completed);
	element_number(w, "callLegsMaxActive", call->legs_max);
	element_number(w, "durationSeconds", (uint64_t)(now_us - call->started_us) / 1000000);
	element_bool(w, "endpointRecorded", false);
	writer_text(w, "</call>");
}

/* ------------------------------------------------------------------ legs */

/* What callLegStart and callLegUpdate both say of where it belongs. */
static void
write_place(struct writer *w, const struct meeting *meeting, const struct meeting_leg *leg)
{
	const struct meeting_participant *who = meeting_participant(meeting, leg->participant);
	const struct meeting_call *call = meeting_call(meeting, leg->call);
	if (!call->door)
		element_guid(w, "call", &call->id);
	else if (!guid_is_zero(&leg->ivr))
		element_guid(w, "ivr", &leg->ivr);
	element_text(w, "ownerId", who->owner_id);
	element_text(w, "sipCallId", leg->sip_call_id);
	element_guid(w, "groupId", &who->id);
	element_text(w, "displayName", leg->name);
	element_bool(w, "canMove", false);
}

void
cdr_write_leg_start(struct writer *w, const struct meeting *meeting, uint32_t handle)
{
	const struct meeting_leg *leg = meeting_leg(meeting, handle);
	open_id(w, "callLeg", &leg->id);
	element_text(w, "remoteParty", leg->remote_party);
	element_text(w, "localAddress", leg->local_address);
	element_text(w, "remoteAddress", leg->remote_address);
	element_text(w, "type", leg->kind == LEG_WEB ? "acano" : "sip");
	if (leg->kind == LEG_WEB)
		element_text(w, "subType", "webApp");
	element_text(w, "direction", leg->outgoing ? "outgoing" : "incoming");
	write_place(w, meeting, leg);
	element_bool(w, "guestConnection",
	             leg->kind == LEG_WEB && str_starts(str_of(leg->user), STR("guest")));
	element_bool(w, "recording", false);
	element_bool(w, "streaming", false);
	writer_text(w, "</callLeg>");
}

void
cdr_write_leg_update(struct writer *w, const struct meeting *meeting, uint32_t handle)
{
	const struct meeting_leg *leg = meeting_leg(meeting, handle);
	open_id(w, "callLeg", &leg->id);
	if (leg->connected_us != 0)
		element_text(w, "state", "connected");
	element_bool(w, "deactivated", leg->lobby);
	element_text(w, "remoteAddress", leg->remote_address);
	write_place(w, meeting, leg);
	writer_text(w, "</callLeg>");
}

/* "12.3": of the time the leg was connected. */
static void
write_percentage(struct writer *w, int64_t part_us, int64_t all_us)
{
	uint64_t tenths = all_us > 0 ? (uint64_t)part_us * 1000 / (uint64_t)all_us : 0;
	tenths = tenths < 1000 ? tenths : 1000;
	writer_format(w, "%llu.%llu", (unsigned long long)tenths / 10,
	              (unsigned long long)tenths % 10);
}

static void
write_usage(struct writer *w, const struct cdr_leg *leg, int64_t all_us)
{
	static const struct {
		const char *name;
		enum cdr_flow_kind flow;
	} rows[] = {
		{ "mainVideoViewer", CDR_TX_VIDEO },
		{ "mainVideoContributor", CDR_RX_VIDEO },
		{ "presentationViewer", CDR_TX_CONTENT },
		{ "presentationContributor", CDR_RX_CONTENT },
	};
	writer_text(w, "<mediaUsagePercentages>");
	for (unsigned i = 0; i < COUNT_OF(rows); i++) {
		const int64_t flowed_us = leg->flows[rows[i].flow].flowed_us;
		if (flowed_us == 0)
			continue;
		writer_format(w, "<%s>", rows[i].name);
		write_percentage(w, flowed_us, all_us);
		writer_format(w, "</%s>", rows[i].name);
	}
	writer_text(w, "</mediaUsagePercentages>");
}

static void
write_alarms(struct writer *w, const struct cdr_leg *leg, int64_t all_us)
{
	static const char *const names[CDR_ALARMS] = {
		[CDR_ALARM_LOSS] = "packetLoss",
		[CDR_ALARM_JITTER] = "excessiveJitter",
		[CDR_ALARM_RTT] = "highRoundTripTime",
	};
	for (unsigned a = 0; a < CDR_ALARMS; a++) {
		if (leg->alarm_us[a] == 0)
			continue;
		writer_format(w, "<alarm type=\"%s\" durationPercentage=\"", names[a]);
		write_percentage(w, leg->alarm_us[a], all_us);
		writer_text(w, "\"/>");
	}
}

/* Mean length of such a run in seconds, and the share of packets lost in it. */
static void
write_run(struct writer *w, const char *name, uint32_t runs, int64_t sum_us, uint64_t loss)
{
	const uint64_t sum_ms = (uint64_t)sum_us / 1000;
	const uint64_t hundredths_s = runs != 0 ? sum_ms / 10 / runs : 0;
	const uint64_t share = sum_ms != 0 ? loss / sum_ms : 0; /* tenths of a percent */
	writer_format(w,
	              "<%s><duration>%llu.%02llu</duration><density>0.%03llu</density></%s>", name,
	              (unsigned long long)hundredths_s / 100,
	              (unsigned long long)hundredths_s % 100,
	              (unsigned long long)(share < 999 ? share : 999), name);
}

static void
write_flow(struct writer *w, const char *name, const struct cdr_flow *flow)
{
	if (flow->codec[0] == '\0')
		return;
	writer_format(w, "<%s>", name);
	element_text(w, "codec", flow->codec);
	if (flow->width_max != 0) {
		element_number(w, "maxSizeWidth", flow->width_max);
		element_number(w, "maxSizeHeight", flow->height_max);
	}
	writer_text(w, "<packetStatistics>");
	write_run(w, "packetLossBursts", flow->bursts, flow->burst_us, flow->burst_loss);
	write_run(w, "packetGap", flow->gaps, flow->gap_us, flow->gap_loss);
	writer_format(w, "</packetStatistics></%s>", name);
}

/* A screen that was shared is a second rxVideo or txVideo. */
static void
write_flows(struct writer *w, const struct cdr_leg *leg)
{
	static const char *const names[CDR_FLOWS] = {
		[CDR_RX_AUDIO] = "rxAudio",   [CDR_TX_AUDIO] = "txAudio",
		[CDR_RX_VIDEO] = "rxVideo",   [CDR_TX_VIDEO] = "txVideo",
		[CDR_RX_CONTENT] = "rxVideo", [CDR_TX_CONTENT] = "txVideo",
	};
	for (unsigned i = 0; i < CDR_FLOWS; i++)
		write_flow(w, names[i], &leg->flows[i]);
}

void
cdr_write_leg_end(struct writer *w, const struct meeting *meeting, const struct cdr_leg *leg,
                  enum leg_end reason, bool remote, int64_t now_us)
{
	const struct meeting_leg *pub = meeting_leg(meeting, leg->handle);
	const int64_t all_us = leg->connected ? now_us - leg->connected_us : 0;
	int64_t activated_us = leg->activated_sum_us;
	activated_us += leg->activated_us != 0 ? now_us - leg->activated_us : 0;
	open_id(w, "callLeg", &pub->id);
	element_text(w, "reason", leg_end_name(reason));
	element_bool(w, "remoteTeardown", remote);
	if (leg->encrypted)
		element_bool(w, "encryptedMedia", true);
	if (leg->unencrypted)
		element_bool(w, "unencryptedMedia", true);
	element_number(w, "durationSeconds", (uint64_t)all_us / 1000000);
	element_number(w, "activatedDuration", (uint64_t)activated_us / 1000000);
	write_usage(w, leg, all_us);
	write_alarms(w, leg, all_us);
	write_flows(w, leg);
	element_text(w, "sipCallId", pub->sip_call_id);
	element_text(w, "ownerId", meeting_participant(meeting, pub->participant)->owner_id);
	writer_text(w, "</callLeg>");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Every field of every object, read in one way: kept objects from their table, live ones from the
 * model.  And the model as text. */
#include "meeting/meeting_internal.h"

static struct value
guid_value(const struct guid *guid)
{
	return (struct value){ .set = !guid_is_zero(guid), .guid = *guid };
}

static uint64_t
seconds_since(int64_t from_us, int64_t now_us)
{
	return now_us > from_us ? (uint64_t)(now_us - from_us) / 1000000 : 0;
}

static struct value
message_remaining(const struct meeting_call *call, int64_t now_us)
{
	if (call->message[0] == '\0')
		return (struct value){ 0 };
	if (call->message_seconds == DURATION_PERMANENT)
		return (struct value){ .set = true, .number = DURATION_PERMANENT };
	const int64_t left_us = call->message_until_us - now_us;
	return value_number(left_us > 0 ? (uint64_t)(left_us + 999999) / 1000000 : 0);
}

static struct value
presenter_value(const struct meeting *meeting, const struct meeting_call *call)
{
	const struct leg *leg = leg_get(meeting, call->presenter);
	return leg != NULL ? guid_value(&leg->pub.id) : (struct value){ 0 };
}

static struct value
call_value(const struct meeting *meeting, const struct call *call, enum call_field field,
           int64_t now_us)
{
	const struct meeting_call *pub = &call->pub;
	switch (field) {
	case CALL_NAME:
		return value_text(pub->name);
	case CALL_TYPE:
		return value_number(pub->forwarding                 ? 1
		                    : guid_is_zero(&call->space_id) ? 2
		                                                    : 0);
	case CALL_SPACE:
		return guid_value(&call->space_id);
	case CALL_OWNER_NAME:
		return objects_value(meeting->objects, OBJECT_SPACE, pub->space, SPACE_SCHEDULER);
	case CALL_CORRELATOR:
		return guid_value(&pub->correlator);
	case CALL_DURATION:
		return value_number(seconds_since(pub->started_us, now_us));
	case CALL_LEG_COUNT:
	case CALL_PARTICIPANTS_LOCAL:
		return value_number(pub->legs);
	case CALL_LEG_COUNT_MAX:
		return value_number(pub->legs_max);
	case CALL_LOCKED:
		return value_number(pub->locked);
	case CALL_ALLOW_ALL_MUTE_SELF:
		return value_number(pub->allow_all_mute_self);
	case CALL_JOIN_MUTE_OVERRIDE:
		return (struct value){ .set = pub->join_mute_set, .number = pub->join_mute };
	case CALL_ALLOW_ALL_PRESENTATION:
		return value_number(pub->allow_all_presentation);
	case CALL_MESSAGE_TEXT:
		return value_text(pub->message);
	case CALL_MESSAGE_POSITION:
		return (struct value){ .set = pub->message[0] != '\0',
			               .number = pub->message_position };
	case CALL_MESSAGE_DURATION:
		return (struct value){ .set = pub->message[0] != '\0',
			               .number = pub->message_seconds };
	case CALL_MESSAGE_REMAINING:
		return message_remaining(pub, now_us);
	case CALL_PLACEMENT:
		return call->placement;
	case CALL_SELF_PANE_MODE:
		return call->self_pane_mode;
	case CALL_PRESENTER:
		return presenter_value(meeting, pub);
	case CALL_CHAT_ALLOWED:
		return call->chat_allowed;
	case CALL_RAISE_HAND:
		return call->raise_hand;
	case CALL_TENANT:
		return objects_value(meeting->objects, OBJECT_SPACE, pub->space, SPACE_TENANT);
	case CALL_LOCK_MODE:
		return call->lock_mode;
	case CALL_BANNER:
		return value_text(call->own_banner);
	case CALL_ACTIVE_WHEN_EMPTY:
		return call->active_when_empty;
	case CALL_PARTICIPANTS_REMOTE:
	case CALL_DISTRIBUTED:
	case CALL_RECORDING:
	case CALL_RECORDING_STATUS:
	case CALL_STREAMING:
	case CALL_STREAMING_STATUS:
	case CALL_NOTES:
	case CALL_CAPTIONER:
	case CALL_FILE_RECEIVE:
	case CALL_ENDPOINT_RECORDING:
	case CALL_FIELDS:
		break; /* their defaults are the truth: nothing of the kind goes on */
	}
	return (struct value){ 0 };
}

static struct value
chosen_layout(const struct leg *leg)
{
	return (struct value){ .set = leg->chosen_layout < LAYOUT_COUNT,
		               .number = leg->chosen_layout };
}

static struct value
leg_tenant(const struct meeting *meeting, const struct leg *leg)
{
	const uint32_t ivr = objects_find(meeting->objects, OBJECT_IVR, &leg->pub.ivr);
	if (ivr != 0)
		return objects_value(meeting->objects, OBJECT_IVR, ivr, IVR_TENANT);
	return objects_value(meeting->objects, OBJECT_SPACE,
	                     call_get(meeting, leg->pub.call)->pub.space, SPACE_TENANT);
}

/* At the door there is none. */
static struct value
call_id(const struct meeting *meeting, uint32_t handle)
{
	const struct meeting_call *call = &call_get(meeting, handle)->pub;
	return call->door ? (struct value){ 0 } : guid_value(&call->id);
}

static struct value
participant_value(const struct meeting *meeting, const struct meeting_participant *who,
                  enum participant_field field)
{
	const struct leg *leg = leg_get(meeting, who->leg);
	switch (field) {
	case PARTICIPANT_NAME:
		return value_text(who->name_label[0] != '\0' ? who->name_label : leg->pub.name);
	case PARTICIPANT_CALL:
		return call_id(meeting, who->call);
	case PARTICIPANT_URI:
	case PARTICIPANT_ORIGINAL_URI:
		return value_text(who->uri);
	case PARTICIPANT_LEG_COUNT:
		return value_number(1);
	case PARTICIPANT_IS_ACTIVATOR:
		return value_number(leg->settings[LEG_PROFILE_NEEDS_ACTIVATION] == 0);
	case PARTICIPANT_STATE:
		return value_number(leg->pub.state);
	case PARTICIPANT_IMPORTANCE:
		return (struct value){ .set = who->importance != 0, .number = who->importance };
	case PARTICIPANT_NAME_LABEL:
		return value_text(who->name_label);
	case PARTICIPANT_OWNER_ID:
		return value_text(who->owner_id);
	case PARTICIPANT_LEG_PROFILE:
		return guid_value(&who->leg_profile);
	case PARTICIPANT_DEACTIVATED:
		return value_number(leg->pub.lobby);
	case PARTICIPANT_CAMERA_AVAILABLE:
		return value_number(leg->pub.camera);
	case PARTICIPANT_CHOSEN_LAYOUT:
		return chosen_layout(leg);
	case PARTICIPANT_HAND:
		return value_number(leg->pub.hand);
	case PARTICIPANT_TENANT:
		return leg_tenant(meeting, leg);
	case PARTICIPANT_USER_JID:
		return value_text(who->user_jid);
	case PARTICIPANT_LAYOUT:
	case PARTICIPANT_CALL_BRIDGE: {
		const struct guid here = objects_id(meeting->objects, OBJECT_CALL_BRIDGE,
		                                    meeting_call_bridge(meeting));
		return guid_value(&here);
	}
	case PARTICIPANT_CALL_BRIDGE_GROUP:
	case PARTICIPANT_MOVED:
	case PARTICIPANT_MOVED_CALL_BRIDGE:
	case PARTICIPANT_BANDWIDTH:
	case PARTICIPANT_CONFIRMATION:
	case PARTICIPANT_CAN_MOVE:
	case PARTICIPANT_REMOTE_PARTY:
	case PARTICIPANT_DTMF:
	case PARTICIPANT_FIELDS:
		break;
	}
	return (struct value){ 0 };
}

/* Measured values: absent while nothing flows. */
static struct value
stream_value(const struct leg_stream *stream, uint64_t number)
{
	struct value value = value_number(number);
	value.set = stream->codec[0] != '\0';
	return value;
}

static struct value
leg_media_value(const struct leg_media *media, enum leg_field field)
{
	const struct leg_stream *rx = &media->rx_audio;
	const struct leg_stream *tx = &media->tx_audio;
	const bool flows = rx->codec[0] != '\0' || tx->codec[0] != '\0';
	if (field == LEG_ENCRYPTED)
		return (struct value){ .set = flows, .number = media->encrypted };
	if (field == LEG_UNENCRYPTED)
		return (struct value){ .set = flows, .number = !media->encrypted };
	if (field == LEG_CIPHER)
		return value_text(media->cipher);
	if (field == LEG_RX_CODEC)
		return value_text(rx->codec);
	if (field == LEG_RX_LOSS)
		return stream_value(rx, rx->loss_tenths);
	if (field == LEG_RX_JITTER)
		return stream_value(rx, rx->jitter_ms);
	if (field == LEG_RX_BIT_RATE)
		return stream_value(rx, rx->bit_rate_bps);
	if (field == LEG_RX_GAIN)
		return (struct value){ .set = rx->codec[0] != '\0',
			               .number = (uint32_t)rx->gain_tenths_db };
	if (field == LEG_TX_CODEC)
		return value_text(tx->codec);
	if (field == LEG_TX_LOSS)
		return stream_value(tx, tx->loss_tenths);
	if (field == LEG_TX_JITTER)
		return stream_value(tx, tx->jitter_ms);
	if (field == LEG_TX_BIT_RATE)
		return stream_value(tx, tx->bit_rate_bps);
	CHECK(field == LEG_TX_RTT);
	return stream_value(tx, tx->rtt_ms);
}

static struct value
leg_pictures_value(const struct leg_media *media, unsigned field)
{
	const bool tx = field >= LEG_TX_VIDEO;
	const unsigned first = tx ? LEG_TX_VIDEO : LEG_RX_VIDEO;
	const unsigned each = tx ? LEG_TX_CONTENT - LEG_TX_VIDEO : LEG_RX_CONTENT - LEG_RX_VIDEO;
	const unsigned track = (field - first) / each;
	const struct leg_pictures *flow = tx ? &media->tx_video[track] : &media->rx_video[track];
	const uint32_t numbers[] = {
		[LEG_TX_VIDEO - LEG_TX_VIDEO] = 0,
		[LEG_TX_VIDEO_WIDTH - LEG_TX_VIDEO] = flow->width,
		[LEG_TX_VIDEO_HEIGHT - LEG_TX_VIDEO] = flow->height,
		[LEG_TX_VIDEO_RATE - LEG_TX_VIDEO] = flow->rate_tenths,
		[LEG_TX_VIDEO_BIT_RATE - LEG_TX_VIDEO] = flow->bit_rate_bps,
		[LEG_TX_VIDEO_LOSS - LEG_TX_VIDEO] = flow->loss_tenths,
		[LEG_TX_VIDEO_JITTER - LEG_TX_VIDEO] = flow->jitter_ms,
		[LEG_TX_VIDEO_RTT - LEG_TX_VIDEO] = flow->rtt_ms,
	};
	const unsigned what = (field - first) % each;
	if (what == 0)
		return value_text(flow->codec);
	return (struct value){ .set = flow->codec[0] != '\0', .number = numbers[what] };
}

/* From here on people hear or see it. */
enum { ALARM_LOSS_TENTHS = 50, ALARM_JITTER_MS = 100, ALARM_ROUND_TRIP_MS = 400 };

static struct value
leg_alarms(const struct leg_media *media)
{
	static const char *const words[] = {
		"", "packetLoss", "excessiveJitter", "packetLoss|excessiveJitter",
		"highRoundTripTime", "packetLoss|highRoundTripTime",
		"excessiveJitter|highRoundTripTime",
		"packetLoss|excessiveJitter|highRoundTripTime",
	};
	uint32_t loss = media->rx_audio.loss_tenths;
	uint32_t jitter = media->rx_audio.jitter_ms;
	uint32_t round_trip = media->tx_audio.rtt_ms;
	for (unsigned t = 0; t < LEG_TRACKS; t++) {
		const struct leg_pictures *rx = &media->rx_video[t];
		loss = rx->loss_tenths > loss ? rx->loss_tenths : loss;
		jitter = rx->jitter_ms > jitter ? rx->jitter_ms : jitter;
		if (media->tx_video[t].rtt_ms > round_trip)
			round_trip = media->tx_video[t].rtt_ms;
	}
	return value_text(words[(loss >= ALARM_LOSS_TENTHS) | (jitter >= ALARM_JITTER_MS) << 1 |
	                        (round_trip >= ALARM_ROUND_TRIP_MS) << 2]);
}

static struct value
leg_value(const struct meeting *meeting, const struct leg *leg, unsigned field, int64_t now_us)
{
	const struct meeting_leg *pub = &leg->pub;
	const struct meeting_participant *who = participant_get(meeting, pub->participant);
	if (field >= LEG_FIELDS) {
		const unsigned setting = field - LEG_FIELDS + 1;
		if (setting == LEG_PROFILE_LAYOUT_TEMPLATE) {
			const struct guid id = objects_id(meeting->objects, OBJECT_LAYOUT_TEMPLATE,
			                                  leg->overrides[setting]);
			return guid_value(&id);
		}
		return (struct value){ .set = (leg->override_set >> setting & 1) != 0,
			               .number = leg->overrides[setting] };
	}
	if (field >= LEG_ENCRYPTED && field <= LEG_TX_RTT)
		return leg_media_value(&pub->media, (enum leg_field)field);
	if (field >= LEG_RX_VIDEO && field < LEG_LAYOUT)
		return leg_pictures_value(&pub->media, field);
	if (field == LEG_LAYOUT)
		return value_number(leg_layout_name(leg));
	if (field == LEG_ACTIVE_LAYOUT) {
		const struct call *call = call_get(meeting, pub->call);
		const unsigned people =
			stage_count(&call->stage, &leg->person, call_self_mode(call));
		return value_number(layout_resolve(leg_layout_name(leg), people));
	}
	if (field == LEG_VIDEO_STREAMS)
		return value_number(leg_streams(meeting, leg));
	if (field == LEG_CAMERA_AVAILABLE)
		return value_number(pub->camera);
	if (field == LEG_HAND)
		return value_number(pub->hand);
	if (field == LEG_CHOSEN_LAYOUT)
		return chosen_layout(leg);
	if (field == LEG_NAME_LABEL)
		return value_text(who->name_label);
	if (field == LEG_NAME)
		return value_text(pub->name);
	if (field == LEG_REMOTE_PARTY)
		return value_text(pub->remote_party);
	if (field == LEG_ORIGINAL_REMOTE_PARTY)
		return value_text(who->uri);
	if (field == LEG_LOCAL_ADDRESS)
		return value_text(pub->local_address);
	if (field == LEG_REMOTE_ADDRESS)
		return value_text(pub->remote_address);
	if (field == LEG_CALL)
		return call_id(meeting, pub->call);
	if (field == LEG_TENANT)
		return leg_tenant(meeting, leg);
	if (field == LEG_ALARMS)
		return leg_alarms(&pub->media);
	if (field == LEG_TYPE)
		return value_number(pub->kind);
	if (field == LEG_DIRECTION || field == LEG_STATUS_DIRECTION)
		return value_number(pub->outgoing);
	if (field == LEG_STATE)
		return value_number(pub->state);
	if (field == LEG_DURATION)
		return value_number(pub->connected_us != 0
		                            ? seconds_since(pub->connected_us, now_us)
		                            : 0);
	if (field == LEG_SIP_CALL_ID)
		return value_text(pub->sip_call_id);
	if (field == LEG_OWNER_ID)
		return value_text(who->owner_id);
	if (field == LEG_DEACTIVATED)
		return value_number(pub->lobby);
	if (field == LEG_IMPORTANCE)
		return (struct value){ .set = pub->importance != 0, .number = pub->importance };
	if (field == LEG_PROFILE)
		return guid_value(&who->leg_profile);
	if (field == LEG_PARTICIPANT)
		return guid_value(&who->id);
	return (struct value){ 0 };
}

static struct value
status_value(const struct meeting_totals *totals, enum status_field field)
{
	switch (field) {
	case STATUS_LEGS_ACTIVE:
		return value_number(totals->legs_active);
	case STATUS_LEGS_MAX:
		return value_number(totals->legs_active_max);
	case STATUS_LEGS_COMPLETED:
		return value_number(totals->legs_completed);
	case STATUS_AUDIO_OUT:
		return value_number(totals->audio_out_bps);
	case STATUS_AUDIO_IN:
		return value_number(totals->audio_in_bps);
	case STATUS_VIDEO_OUT:
		return value_number(totals->video_out_bps);
	case STATUS_VIDEO_IN:
		return value_number(totals->video_in_bps);
	case STATUS_CDR_INDEX:
		return value_number(totals->cdr_index);
	case STATUS_HOST_ID:
	case STATUS_VERSION:
	case STATUS_UPTIME:
	case STATUS_TIME:
	case STATUS_ACTIVATED:
	case STATUS_CLUSTERED:
	case STATUS_FIELDS:
		break;
	}
	return (struct value){ 0 };
}

/* Nobody of ours is registered at it, so nothing of it is known to be reachable. */
static struct value
turn_status_value(const struct meeting *meeting, uint32_t turn, enum turn_status_field field)
{
	static const uint32_t ports[] = { [TURN_ACANO] = 3478, [TURN_CMS] = 3478,
		                          [TURN_EXPRESSWAY] = 3478, [TURN_LYNC_EDGE] = 443,
		                          [TURN_STANDARD] = 443 };
	const struct objects *objects = meeting->objects;
	if (field == TURN_STATUS_ADDRESS)
		return objects_value(objects, OBJECT_TURN_SERVER, turn, TURN_SERVER_ADDRESS);
	if (field == TURN_STATUS_PORT)
		return value_number(
			ports[objects_number(objects, OBJECT_TURN_SERVER, turn, TURN_TYPE)]);
	return (struct value){ 0 };
}

struct value
meeting_value(const struct meeting *meeting, enum object_type type, uint32_t handle,
              unsigned field, int64_t now_us)
{
	const struct value none = { 0 };
	if (type < OBJECT_KEPT_END)
		return objects_value(meeting->objects, type, handle, field);
	if (type == OBJECT_CALL) {
		const struct call *call = call_get(meeting, handle);
		return call != NULL ? call_value(meeting, call, (enum call_field)field, now_us)
		                    : none;
	}
	if (type == OBJECT_PARTICIPANT) {
		const struct meeting_participant *who = participant_get(meeting, handle);
		if (who == NULL)
			return none;
		/* A profile's parameters, as its leg has them. */
		if (field >= PARTICIPANT_FIELDS)
			return leg_value(meeting, leg_get(meeting, who->leg),
			                 field - PARTICIPANT_FIELDS + LEG_FIELDS, now_us);
		return participant_value(meeting, who, (enum participant_field)field);
	}
	if (type == OBJECT_LEG) {
		const struct leg *leg = leg_get(meeting, handle);
		return leg != NULL ? leg_value(meeting, leg, field, now_us) : none;
	}
	if (type == OBJECT_LICENSING)
		return licensing_value(meeting, (enum licensing_field)field);
	if (type == OBJECT_CLUSTER_LICENSING)
		return cluster_licensing_value(meeting, (enum cluster_licensing_field)field);
	if (type == OBJECT_STATUS && field == STATUS_ACTIVATED)
		return value_number(meeting_licensed(meeting, LICENCE_CALLBRIDGE) ||
		                    meeting_licensed(meeting, LICENCE_NO_ENCRYPTION));
	if (type == OBJECT_STATUS)
		return status_value(&meeting->totals, (enum status_field)field);
	if (type == OBJECT_LOAD)
		return value_number(meeting->totals.load_units);
	if (type == OBJECT_ALARM)
		return alarm_value(meeting, handle, (enum alarm_field)field, now_us);
	if (type == OBJECT_TURN_STATUS)
		return turn_status_value(meeting, handle, (enum turn_status_field)field);
	if (type == OBJECT_WEB_BRIDGE_STATUS)
		return value_number(meeting_web_bridge_state(meeting, handle));
	return none;
}

static void
dump_leg(const struct meeting *meeting, const struct leg *leg, struct writer *w)
{
	static const char *const states[] = { "initial", "ringing", "connected", "onHold",
		                              "ending" };
	const struct meeting_leg *pub = &leg->pub;
	const struct call *call = call_get(meeting, pub->call);
	writer_format(w, "  leg %u %s %s%s%s%s%s%s%s%s%s \"%s\" <%s>\n", pub->number,
	              guid_text(&pub->id).text, states[pub->state], leg->inside ? " inside" : "",
	              pub->heard ? " heard" : "", pub->hears ? " hears" : "",
	              leg->person.picture ? " seen" : "", pub->sees ? " sees" : "",
	              call->pub.lead == pub->handle ? " leads" : "",
	              call->pub.presenter == pub->handle ? " presents" : "",
	              pub->lobby ? " lobby" : "", pub->name, pub->remote_party);
}

void
meeting_dump(const struct meeting *meeting, struct writer *w)
{
	const struct meeting_totals *totals = &meeting->totals;
	writer_format(w, "spaces %u legs %u (most %u, done %llu) lines lost %u\n",
	              objects_count(meeting->objects, OBJECT_SPACE), totals->legs_active,
	              totals->legs_active_max, (unsigned long long)totals->legs_completed,
	              meeting->lines_lost);
	uint32_t at = 0;
	for (uint32_t handle; (handle = slab_next(&meeting->calls, &at)) != 0;) {
		const struct call *call = call_get(meeting, handle);
		writer_format(w, "call %s \"%s\"%s%s legs %u connected %u activators %u\n",
		              guid_text(&call->pub.id).text, call->pub.name,
		              call->pub.locked ? " locked" : "",
		              call->pub.ending ? " ending" : "", call->pub.legs,
		              call->pub.connected, call->activators);
		for (uint32_t l = call->first; l != 0; l = leg_get(meeting, l)->next)
			dump_leg(meeting, leg_get(meeting, l), w);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What clients send. */
#include <jansson.h>

#include "events/events_internal.h"

const char *const events_type_names[EVENTS_TYPES] = {
	[EVENTS_CALLS] = "calls",
	[EVENTS_CALL_INFO] = "callInfo",
	[EVENTS_CALL_ROSTER] = "callRoster",
};

const char *const events_call_elements[CALL_ELEMENTS] = {
	[CALL_ELEMENT_NAME] = "name",
	[CALL_ELEMENT_PARTICIPANTS] = "participants",
	[CALL_ELEMENT_DISTRIBUTED] = "distributedInstances",
	[CALL_ELEMENT_RECORDING] = "recording",
	[CALL_ELEMENT_ENDPOINT_RECORDING] = "endpointRecording",
	[CALL_ELEMENT_STREAMING] = "streaming",
	[CALL_ELEMENT_LOCK_STATE] = "lockState",
	[CALL_ELEMENT_TYPE] = "callType",
	[CALL_ELEMENT_CORRELATOR] = "callCorrelator",
	[CALL_ELEMENT_JOIN_MUTE] = "joinAudioMuteOverride",
};

const char *const events_leg_elements[LEG_ELEMENTS] = {
	[LEG_ELEMENT_NAME] = "name",
	[LEG_ELEMENT_URI] = "uri",
	[LEG_ELEMENT_STATE] = "state",
	[LEG_ELEMENT_DIRECTION] = "direction",
	[LEG_ELEMENT_AUDIO_MUTED] = "audioMuted",
	[LEG_ELEMENT_VIDEO_MUTED] = "videoMuted",
	[LEG_ELEMENT_IMPORTANCE] = "importance",
	[LEG_ELEMENT_LAYOUT] = "layout",
	[LEG_ELEMENT_ACTIVE_SPEAKER] = "activeSpeaker",
	[LEG_ELEMENT_PRESENTER] = "presenter",
	[LEG_ELEMENT_ENDPOINT_RECORDING] = "endpointRecording",
	[LEG_ELEMENT_CAN_MOVE] = "canMove",
	[LEG_ELEMENT_MOVED] = "movedParticipant",
	[LEG_ELEMENT_MOVED_BRIDGE] = "movedParticipantCallBridge",
	[LEG_ELEMENT_HAND] = "handStatus",
	[LEG_ELEMENT_CAMERA] = "cameraControlAvailable",
};

static struct str
text_of(const json_t *value)
{
	return json_is_string(value)
	               ? (struct str){ json_string_value(value), json_string_length(value) }
	               : STR("");
}

/* What a later release would know is left out: a client for both still gets the rest. */
static uint32_t
element_bits(const json_t *elements, const char *const *names, unsigned count)
{
	uint32_t bits = 0;
	for (size_t i = 0; i < json_array_size(elements); i++) {
		const struct str name = text_of(json_array_get(elements, i));
		for (unsigned n = 0; n < count; n++) {
			if (str_eq(name, str_of(names[n])))
				bits |= UINT32_C(1) << n;
		}
	}
	return bits;
}

static bool
read_subscription(struct events_request_subscription *out, const json_t *from)
{
	const json_t *index = json_object_get(from, "index");
	const struct str type = text_of(json_object_get(from, "type"));
	const json_t *elements = json_object_get(from, "elements");
	unsigned t = 0;
	while (t < EVENTS_TYPES && !str_eq(type, str_of(events_type_names[t])))
		t++;
	if (!json_is_integer(index) || t == EVENTS_TYPES)
		return false;
	*out = (struct events_request_subscription){ .index = json_integer_value(index),
		                                     .type = (enum events_type)t };
	out->elements = t == EVENTS_CALL_ROSTER
	                        ? element_bits(elements, events_leg_elements, LEG_ELEMENTS)
	                        : element_bits(elements, events_call_elements, CALL_ELEMENTS);
	return t == EVENTS_CALLS ||
	       guid_parse(&out->call, text_of(json_object_get(from, "call")));
}

static void
read_subscriptions(struct events_request *out, const json_t *list)
{
	if (!json_is_array(list))
		return;
	if (json_array_size(list) > EVENTS_SUBSCRIPTIONS_MAX) {
		out->kind = REQUEST_TOO_MANY;
		return;
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (!read_subscription(&out->at[i], json_array_get(list, i)))
			return;
	}
	out->count = (unsigned)json_array_size(list);
	out->kind = REQUEST_SUBSCRIBE;
}

static bool
read_message_id(struct events_request *out, const json_t *message)
{
	const json_t *id = json_object_get(message, "messageId");
	if (!json_is_integer(id) || json_integer_value(id) < 0)
		return false;
	out->message_id = (uint64_t)json_integer_value(id);
	return true;
}

void
events_parse(struct events_request *out, struct str text)
{
	out->kind = REQUEST_BAD;
	out->message_id = 0;
	out->count = 0;
	json_t *root = json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *message = json_object_get(root, "message");
	const json_t *ack = json_object_get(root, "messageAck");
	const struct str type = text_of(json_object_get(root, "type"));
	if (str_eq(type, STR("messageAck")) && read_message_id(out, ack)) {
		out->kind = REQUEST_ACK;
	} else if (str_eq(type, STR("message")) && read_message_id(out, message)) {
		out->kind = REQUEST_WRONG;
		if (str_eq(text_of(json_object_get(message, "type")), STR("subscribeRequest")))
			read_subscriptions(out, json_object_get(message, "subscriptions"));
	}
	json_decref(root);
}

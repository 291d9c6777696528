/* SPDX-License-Identifier: Apache-2.0 */
#include "video/forward.h"

#include <string.h>

#include "base/check.h"

static_assert(FORWARD_LATE_MAX % 64 == 0 && FORWARD_PICTURES_MAX % 64 == 0, "whole words");

#define NONE_SEEN INT64_MIN

enum {
	LATE_WORDS = FORWARD_LATE_MAX / 64,
	PICTURE_WORDS = FORWARD_PICTURES_MAX / 64,
	STRAY_RTP = VIDEO_CLOCK_HZ / 1000, /* so far from its clock a time may be */
	STEP_SHIFT = 3, /* at most an eighth of a frame's time is put in or taken out at it */
};

/* ---- Sets of numbers behind a newest one: bit n is newest - n ---- */

static void
set_shift(uint64_t *words, unsigned word_count, int64_t by)
{
	const unsigned bits = (unsigned)(by < word_count * 64 ? by : word_count * 64);
	const unsigned whole = bits / 64;
	const unsigned part = bits % 64;
	for (unsigned i = word_count; i-- != 0;) {
		uint64_t moved = 0;
		if (i >= whole) {
			moved = words[i - whole] << part;
			if (part != 0 && i > whole)
				moved |= words[i - whole - 1] >> (64 - part);
		}
		words[i] = moved;
	}
}

static void
set_add(uint64_t *words, int64_t back)
{
	words[back / 64] |= (uint64_t)1 << (back % 64);
}

static bool
set_has(const uint64_t *words, int64_t back)
{
	return (words[back / 64] >> (back % 64) & 1) != 0;
}

/* How many are in it of those above newest - back. */
static unsigned
set_count_above(const uint64_t *words, int64_t back)
{
	unsigned count = 0;
	for (unsigned i = 0; i < (unsigned)(back / 64); i++)
		count += (unsigned)__builtin_popcountll(words[i]);
	if (back % 64 != 0)
		count += (unsigned)__builtin_popcountll(words[back / 64] << (64 - back % 64));
	return count;
}

/* ---- Beginning, and what is wanted ---- */

void
forward_init(struct forward *forward, const struct forward_settings *settings)
{
	*forward = (struct forward){ .settings = *settings, .wanted_newest = NONE_SEEN };
	/* So that the first packet gets the numbers of the settings. */
	forward->seq = (uint16_t)((settings->seq & 0x7fff) - 1);
	forward->picture_id = (uint16_t)(settings->picture_id - 1);
}

void
forward_set_payload_types(struct forward *forward, const uint8_t payload_types[VIDEO_FORMATS])
{
	memcpy(forward->settings.payload_types, payload_types, VIDEO_FORMATS);
}

/* The present source is sent no more, but for what comes late. */
static void
stop(struct forward *forward)
{
	if (forward->now.source == 0)
		return;
	forward->before = forward->now;
	forward->now = (struct forward_map){ 0 };
}

void
forward_want(struct forward *forward, uint64_t source, uint8_t temporal_max, bool old_goes_on)
{
	forward->temporal_wanted = temporal_max;
	if (forward->wanted != source)
		forward->wanted_newest = NONE_SEEN;
	forward->wanted = source;
	if (source == 0 || (source != forward->now.source && !old_goes_on))
		stop(forward);
}

uint64_t
forward_key_wanted(const struct forward *forward)
{
	return forward->wanted != forward->now.source ? forward->wanted : 0;
}

uint64_t
forward_source(const struct forward *forward)
{
	return forward->now.source;
}

static uint32_t
rtp_of_us(int64_t us)
{
	return (uint32_t)((uint64_t)us * (VIDEO_CLOCK_HZ / 1000) / 1000);
}

uint32_t
forward_timestamp_at(const struct forward *forward, int64_t now_us)
{
	return rtp_of_us(now_us + forward->settings.epoch_us);
}

/* ---- Times ---- */

static void
time_keep(struct forward_map *map, uint32_t wrote_rtp)
{
	map->time_at = (uint8_t)((map->time_at + 1) % FORWARD_TIMES);
	map->times[map->time_at] =
	        (struct forward_time){ wrote_rtp, wrote_rtp + map->timestamp_offset };
	if (map->time_count < FORWARD_TIMES)
		map->time_count++;
}

/* All packets of a frame have one time, though the offset has changed between them. */
static uint32_t
time_of(struct forward_map *map, uint32_t wrote_rtp)
{
	for (unsigned back = 0; back < map->time_count; back++) {
		const struct forward_time *time =
		        &map->times[(map->time_at + FORWARD_TIMES - back) % FORWARD_TIMES];
		if (time->wrote_rtp == wrote_rtp)
			return time->sent_rtp;
	}
	time_keep(map, wrote_rtp);
	return wrote_rtp + map->timestamp_offset;
}

/* A frame begins: it comes nearer to where it belongs on our clock. */
static void
approach(struct forward *forward, const struct packet *packet)
{
	struct forward_map *map = &forward->now;
	const int32_t span = (int32_t)(packet->timestamp_rtp - map->timestamp_rtp);
	if (span <= 0 || packet->len == 0)
		return;
	const uint32_t wanted = forward_timestamp_at(forward, packet->heard_us);
	const int32_t error =
	        (int32_t)(wanted - (packet->timestamp_rtp + map->timestamp_offset));
	const int32_t most = span >> STEP_SHIFT;
	if (error > STRAY_RTP || error < -STRAY_RTP)
		map->timestamp_offset +=
		        (uint32_t)(error > most ? most : error < -most ? -most : error);
	time_keep(map, packet->timestamp_rtp);
}

/* ---- Numbers ---- */

/* The picture id of a packet continued without wrapping, near the newest of its source. */
static int64_t
picture_of(const struct forward_map *map, const struct video_facts *facts)
{
	const unsigned spare = facts->picture_id_bits == 15 ? 17 : 25;
	const uint32_t ahead = (uint32_t)facts->picture_id - (uint32_t)map->newest_picture;
	/* Sign-extended from 15 or 7 bits: the nearest candidate. */
	return map->newest_picture + ((int32_t)(ahead << spare) >> spare);
}

/* How far its picture is behind the newest, as far as that is remembered. */
static int64_t
picture_back(const struct forward_map *map, const struct video_facts *facts)
{
	const int64_t back = map->newest_picture - picture_of(map, facts);
	return back < 0 ? 0 : back >= FORWARD_PICTURES_MAX ? FORWARD_PICTURES_MAX - 1 : back;
}

static uint16_t
picture_id_of(const struct forward_map *map, const struct video_facts *facts)
{
	if (facts->picture_id_bits == 0)
		return 0;
	const unsigned left_out =
	        set_count_above(map->pictures_left_out, picture_back(map, facts));
	return (uint16_t)((uint16_t)picture_of(map, facts) + map->picture_offset + left_out) &
	       0x7fff;
}

/* Other packets of its picture were left out. */
static bool
picture_is_left_out(const struct forward_map *map, const struct video_facts *facts)
{
	return facts->picture_id_bits != 0 &&
	       set_has(map->pictures_left_out, picture_back(map, facts));
}

/* Adds the packet to what is sent now, under the numbers that `map` has for it. */
static uint8_t
payload_type_of(const struct forward *forward, const struct packet *packet)
{
	CHECK(packet->codec < VIDEO_CODEC_COUNT && packet->demand < VIDEO_DEMANDS);
	return forward->settings.payload_types[video_format((enum video_codec)packet->codec,
	                                                    (enum video_demand)packet->demand)];
}

static void
give(const struct forward *forward, struct forward_map *map, struct forward_out *out,
     const struct packet *packet, bool empty)
{
	const int64_t back = map->newest - packet->seq;
	CHECK(back >= 0 && back < FORWARD_LATE_MAX);
	out->packets[out->count] = packet;
	out->headers[out->count] = (struct forward_header){
		.timestamp_rtp = time_of(map, packet->timestamp_rtp),
		.seq = (uint16_t)((uint16_t)packet->seq + map->seq_offset +
		                  set_count_above(map->left_out, back)),
		.picture_id = picture_id_of(map, &packet->facts),
		.tl0_index = (uint8_t)(packet->facts.tl0_index + map->tl0_offset),
		.payload_type = payload_type_of(forward, packet),
		.marker = packet->marker && !empty,
		.empty = empty,
	};
	out->count++;
}

static bool
is_taken(const struct forward *forward, const struct packet *packet)
{
	return payload_type_of(forward, packet) != FORWARD_NO_PAYLOAD_TYPE;
}

/* What our stream stands at after the newest packet of the present source, sent or not: numbers and
 * times are kept for what may still come. */
static void
stand_at(struct forward *forward, const struct packet *packet)
{
	struct forward_map *map = &forward->now;
	const uint32_t timestamp_rtp = time_of(map, packet->timestamp_rtp);
	forward->seq = (uint16_t)((uint16_t)map->newest + map->seq_offset);
	if (map->pictures)
		forward->picture_id =
		        (uint16_t)((uint16_t)map->newest_picture + map->picture_offset);
	if (packet->facts.tl0_index_at != 0)
		forward->tl0_index = (uint8_t)(packet->facts.tl0_index + map->tl0_offset);
	if (!forward->sent || (int32_t)(timestamp_rtp - forward->timestamp_rtp) > 0)
		forward->timestamp_rtp = timestamp_rtp;
	forward->sent = true;
}

/* ---- Packets ---- */

/* The key frame that was waited for begins with `packet`. */
static enum forward_verdict
begin(struct forward *forward, struct forward_out *out, const struct packet *packet,
      const struct packet *parameter_sets)
{
	const struct video_facts *facts = &packet->facts;
	const bool with_sets = parameter_sets != NULL && !facts->parameter_sets &&
	                       packet->codec == VIDEO_CODEC_H264;
	const uint16_t seq = (uint16_t)(forward->seq + (with_sets ? 2 : 1));
	uint32_t timestamp_rtp = forward_timestamp_at(forward, packet->heard_us);
	if (forward->sent && (int32_t)(timestamp_rtp - forward->timestamp_rtp) <= 0)
		timestamp_rtp = forward->timestamp_rtp + 1;
	stop(forward);
	forward->now = (struct forward_map){
		.source = packet->source,
		.first = packet->seq,
		.newest = packet->seq,
		.newest_picture = facts->picture_id,
		.timestamp_rtp = packet->timestamp_rtp,
		.timestamp_offset = timestamp_rtp - packet->timestamp_rtp,
		.seq_offset = (uint16_t)(seq - (uint16_t)packet->seq),
		.picture_offset = (uint16_t)(forward->picture_id + 1 - facts->picture_id),
		.tl0_offset = (uint8_t)(forward->tl0_index + 1 - facts->tl0_index),
		.temporal_max = forward->temporal_wanted,
		.pictures = facts->picture_id_bits != 0,
	};
	time_keep(&forward->now, packet->timestamp_rtp);
	set_add(forward->now.handled, 0);
	if (with_sets) {
		give(forward, &forward->now, out, packet, false);
		out->packets[0] = parameter_sets;
		out->headers[0].seq--;
		out->headers[0].marker = false;
	}
	give(forward, &forward->now, out, packet, false);
	stand_at(forward, packet);
	forward->wanted_newest = NONE_SEEN;
	forward->stats.switches++;
	return FORWARD_SEND;
}

/* Which temporal layers are sent changes between frames, and upwards only where a layer begins. */
static void
choose_layers(struct forward *forward, const struct packet *packet)
{
	struct forward_map *map = &forward->now;
	const struct video_facts *facts = &packet->facts;
	if (packet->timestamp_rtp == map->timestamp_rtp || packet->len == 0)
		return;
	if (forward->temporal_wanted < map->temporal_max || facts->key_start)
		map->temporal_max = forward->temporal_wanted;
	else if (facts->temporal == map->temporal_max + 1 && facts->layer_sync &&
	         facts->temporal <= forward->temporal_wanted)
		map->temporal_max = facts->temporal;
}

static enum forward_verdict
verdict_of(const struct forward *forward, const struct forward_map *map,
           const struct packet *packet)
{
	if (!is_taken(forward, packet))
		return FORWARD_NO_CODEC;
	/* Padding is the source's affair and stands in nobody's way. */
	return packet->len == 0 || packet->facts.temporal > map->temporal_max ? FORWARD_LAYER
	                                                                      : FORWARD_SEND;
}

/* A packet that is the newest of the present source. */
static enum forward_verdict
advance(struct forward *forward, struct forward_out *out, const struct packet *packet)
{
	struct forward_map *map = &forward->now;
	const struct video_facts *facts = &packet->facts;
	choose_layers(forward, packet);
	approach(forward, packet);
	const enum forward_verdict verdict = verdict_of(forward, map, packet);
	const bool sent = verdict == FORWARD_SEND;

	set_shift(map->handled, LATE_WORDS, packet->seq - map->newest);
	set_shift(map->left_out, LATE_WORDS, packet->seq - map->newest);
	set_add(map->handled, 0);
	map->newest = packet->seq;
	map->timestamp_rtp = packet->timestamp_rtp;
	if (!sent) {
		set_add(map->left_out, 0);
		map->seq_offset--;
	}
	if (facts->picture_id_bits != 0 && map->pictures) {
		const int64_t picture = picture_of(map, facts);
		if (picture > map->newest_picture) {
			set_shift(map->pictures_left_out, PICTURE_WORDS,
			          picture - map->newest_picture);
			map->newest_picture = picture;
			if (!sent) {
				set_add(map->pictures_left_out, 0);
				map->picture_offset--;
			}
		}
	}
	if (sent)
		give(forward, map, out, packet, false);
	stand_at(forward, packet);
	return verdict;
}

/* A packet behind the newest: of the present source, or of the one before. */
static enum forward_verdict
catch_up(struct forward *forward, struct forward_map *map, struct forward_out *out,
         const struct packet *packet)
{
	const int64_t back = map->newest - packet->seq;
	if (packet->seq < map->first || back >= FORWARD_LATE_MAX)
		return FORWARD_LATE;
	if (set_has(map->handled, back))
		return FORWARD_DUPLICATE;
	set_add(map->handled, back);
	/* A number was kept for it, and the receiver waits for that: if not for this, for nothing.
	 * */
	const bool empty = verdict_of(forward, map, packet) != FORWARD_SEND ||
	                   picture_is_left_out(map, &packet->facts);
	if (empty && !is_taken(forward, packet))
		return FORWARD_NO_CODEC;
	give(forward, map, out, packet, empty);
	forward->stats.empties += empty;
	return FORWARD_SEND;
}

static enum forward_verdict
await_key(struct forward *forward, struct forward_out *out, const struct packet *packet,
          const struct packet *parameter_sets)
{
	if (!is_taken(forward, packet))
		return FORWARD_NO_CODEC;
	/* A key frame of which later packets were passed by is of no use any more. */
	if (packet->facts.key_start && packet->seq > forward->wanted_newest)
		return begin(forward, out, packet, parameter_sets);
	if (packet->seq > forward->wanted_newest ||
	    packet->seq < forward->wanted_newest - FORWARD_JUMP_MAX)
		forward->wanted_newest = packet->seq;
	return FORWARD_NO_KEY;
}

static enum forward_verdict
input(struct forward *forward, struct forward_out *out, const struct packet *packet,
      const struct packet *parameter_sets)
{
	struct forward_map *now = &forward->now;
	struct forward_map *before = &forward->before;
	/* After a pause both are of one source. */
	if (packet->source == before->source && packet->seq <= before->newest &&
	    packet->seq > before->newest - FORWARD_LATE_MAX)
		return catch_up(forward, before, out, packet);
	if (packet->source == now->source) {
		const int64_t ahead = packet->seq - now->newest;
		if (ahead > -FORWARD_JUMP_MAX && ahead <= FORWARD_JUMP_MAX)
			return ahead > 0 ? advance(forward, out, packet)
			                 : catch_up(forward, now, out, packet);
		/* Other numbers altogether: goes on from its next key frame. */
		stop(forward);
		*before = (struct forward_map){ 0 };
		forward->wanted_newest = NONE_SEEN;
	}
	if (packet->source == forward->wanted)
		return await_key(forward, out, packet, parameter_sets);
	return FORWARD_NOT_WANTED;
}

enum forward_verdict
forward_input(struct forward *forward, struct forward_out *out, const struct packet *packet,
              const struct packet *parameter_sets)
{
	CHECK(packet->source != 0);
	out->count = 0;
	const enum forward_verdict verdict = input(forward, out, packet, parameter_sets);
	CHECK((out->count != 0) == (verdict == FORWARD_SEND));
	forward->stats.verdicts[verdict]++;
	return verdict;
}

void
forward_write(struct writer *w, const struct packet *packet, const struct forward_header *header)
{
	if (header->empty)
		return;
	uint8_t *payload = writer_take(w, packet->len);
	if (payload == NULL)
		return;
	memcpy(payload, packet->payload, packet->len);
	video_facts_rewrite(payload, &packet->facts, header->picture_id, header->tl0_index);
}

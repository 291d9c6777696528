/* SPDX-License-Identifier: Apache-2.0 */
#include "video/history.h"

#include <string.h>

#include "base/check.h"

static struct history_entry *
entry_of(const struct history *history, uint16_t seq)
{
	return &history->settings.entries[seq & (history->settings.entry_count - 1)];
}

static void
release(struct history_entry *entry)
{
	packet_put(entry->packet);
	entry->packet = NULL;
}

void
history_init(struct history *history, const struct history_settings *settings)
{
	CHECK(settings->entry_count != 0 && settings->entry_count <= 32768);
	CHECK((settings->entry_count & (settings->entry_count - 1)) == 0);
	*history = (struct history){ .settings = *settings };
	if (history->settings.age_us_max == 0)
		history->settings.age_us_max = HISTORY_AGE_US_DEFAULT;
	memset(settings->entries, 0, settings->entry_count * sizeof *settings->entries);
}

void
history_clear(struct history *history)
{
	for (; history->used != 0; history->used--, history->oldest++)
		release(entry_of(history, history->oldest));
}

/* Makes `seq` one of the numbers from oldest to next; false when it is too old for the table. */
static bool
make_room(struct history *history, uint16_t seq)
{
	const uint32_t count = history->settings.entry_count;
	if (history->used == 0) {
		history->oldest = seq;
		history->next = seq;
	}
	if ((int16_t)(seq - history->next) >= 0) {
		if ((uint16_t)(seq - history->next) >= count) {
			history_clear(history);
			history->oldest = history->next = seq;
		}
		while (history->next != (uint16_t)(seq + 1)) {
			if (history->used == count) {
				release(entry_of(history, history->oldest++));
				history->used--;
			}
			history->next++;
			history->used++;
		}
		return true;
	}
	const uint16_t back = (uint16_t)(history->next - seq);
	if (back > count)
		return false;
	if (back > history->used) {
		history->used = back;
		history->oldest = seq;
	}
	return true;
}

struct history_entry *
history_put(struct history *history, struct packet *packet, const struct forward_header *header,
            int64_t now_us)
{
	history_expire(history, now_us);
	if (!make_room(history, header->seq))
		return NULL;
	struct history_entry *entry = entry_of(history, header->seq);
	release(entry);
	*entry = (struct history_entry){ .packet = packet_hold(packet),
		                         .header = *header,
		                         .sent_us = now_us,
		                         .again_us = now_us };
	return entry;
}

void
history_expire(struct history *history, int64_t now_us)
{
	while (history->used != 0) {
		struct history_entry *entry = entry_of(history, history->oldest);
		if (entry->packet != NULL && now_us - entry->sent_us < history->settings.age_us_max)
			return;
		release(entry);
		history->oldest++;
		history->used--;
	}
}

const struct history_entry *
history_answer(struct history *history, uint16_t seq, int64_t rtt_us, int64_t now_us)
{
	struct history_entry *entry = entry_of(history, seq);
	if ((uint16_t)(seq - history->oldest) >= history->used || entry->packet == NULL ||
	    now_us - entry->sent_us >= history->settings.age_us_max) {
		history->missed++;
		return NULL;
	}
	CHECK(entry->header.seq == seq);
	if (entry->tries == HISTORY_TRIES || now_us < entry->again_us) {
		history->too_often++;
		return NULL;
	}
	entry->tries++;
	entry->again_us = now_us + (rtt_us > HISTORY_AGAIN_US_MIN ? rtt_us : HISTORY_AGAIN_US_MIN);
	history->answered++;
	return entry;
}

void
rtx_write(struct writer *w, const struct history_entry *entry)
{
	writer_u16(w, entry->header.seq); /* RFC 4588 s4: OSN */
	forward_write(w, entry->packet, &entry->header);
}

bool
rtx_read(const uint8_t *payload, size_t len, uint16_t *seq)
{
	struct reader r = reader_of(payload, len);
	const uint16_t original = reader_u16(&r);
	if (r.failed)
		return false;
	*seq = original;
	return true;
}

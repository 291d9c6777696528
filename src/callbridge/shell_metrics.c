/* SPDX-License-Identifier: Apache-2.0 */
/* What is counted, in Prometheus' text form. */
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "callbridge/shell.h"
#include "callbridge/shell_ldap.h"
#include "net/wall.h"

enum { METRICS_MAX = 32 * 1024 };

static void
head(struct writer *w, const char *name, const char *type, const char *help)
{
	writer_format(w, "# HELP convoke_%s %s\n# TYPE convoke_%s %s\n", name, help, name, type);
}

static void
metric(struct writer *w, const char *name, const char *type, const char *help, uint64_t value)
{
	head(w, name, type, help);
	writer_format(w, "convoke_%s %llu\n", name, (unsigned long long)value);
}

static void
gauge(struct writer *w, const char *name, const char *help, uint64_t value)
{
	metric(w, name, "gauge", help, value);
}

static void
counter(struct writer *w, const char *name, const char *help, uint64_t value)
{
	metric(w, name, "counter", help, value);
}

/* ---- Calls --------------------------------------------------------------------------------- */

struct media_counters
metrics_of_workers(const struct shell *shell)
{
	struct media_counters sum = { 0 };
	for (unsigned i = 0; i < shell->worker_count; i++) {
		const struct media_counters one = worker_counters(shell->workers[i]);
		sum.packets_in += one.packets_in;
		sum.packets_out += one.packets_out;
		sum.rejected += one.rejected;
		sum.frames_decoded += one.frames_decoded;
		sum.frames_encoded += one.frames_encoded;
		sum.frames_concealed += one.frames_concealed;
		sum.late_ticks += one.late_ticks;
		sum.legs += one.legs;
		sum.rooms += one.rooms;
		sum.encodes += one.encodes;
		sum.decodes += one.decodes;
		sum.codec_load_pct += one.codec_load_pct;
		sum.load_pct += one.load_pct;
	}
	return sum;
}

/* By what they are and how they fare: an average hides the one who cannot be understood. */
struct leg_figures {
	uint32_t sip;
	uint32_t web;
	uint32_t lobby;
	uint32_t lossy;
};

static struct leg_figures
count_legs(const struct meeting *meeting)
{
	enum { LOSSY_TENTHS = 30 };
	struct leg_figures figures = { 0 };
	uint32_t at = 0;
	for (uint32_t handle; (handle = meeting_leg_next(meeting, &at)) != 0;) {
		const struct meeting_leg *leg = meeting_leg(meeting, handle);
		if (leg->state == LEG_ENDING)
			continue;
		figures.sip += leg->kind == LEG_SIP;
		figures.web += leg->kind == LEG_WEB;
		figures.lobby += leg->lobby;
		figures.lossy += leg->media.rx_audio.loss_tenths >= LOSSY_TENTHS ||
		                 leg->media.tx_audio.loss_tenths >= LOSSY_TENTHS;
	}
	return figures;
}

static void
write_calls(const struct shell *shell, struct writer *w)
{
	const struct bridge_counts bridge = bridge_count(shell->bridge);
	const struct meeting_totals totals = meeting_totals(shell->meeting);
	const struct leg_figures legs = count_legs(shell->meeting);
	gauge(w, "calls", "Running calls.", totals.calls_active);
	gauge(w, "call_legs", "Call legs now.", bridge.legs);
	head(w, "participants", "gauge", "Participants by how they joined.");
	writer_format(w, "convoke_participants{type=\"sip\"} %u\n", legs.sip);
	writer_format(w, "convoke_participants{type=\"acano\"} %u\n", legs.web);
	gauge(w, "participants_waiting", "Participants in lobbies.", legs.lobby);
	gauge(w, "participants_lossy", "Participants who lose 3 % of sound or more, either way.",
	      legs.lossy);
	gauge(w, "browsers_away", "Browsers without WebSocket that are waited for.",
	      bridge.waiting_browsers);
	gauge(w, "call_legs_max", "Most call legs at once since the start.",
	      totals.legs_active_max);
	counter(w, "call_legs_completed_total", "Call legs that ended.", totals.legs_completed);
	gauge(w, "audio_in_bits_per_second", "Sound received.", totals.audio_in_bps);
	gauge(w, "audio_out_bits_per_second", "Sound sent.", totals.audio_out_bps);
	gauge(w, "video_in_bits_per_second", "Pictures received.", totals.video_in_bps);
	gauge(w, "video_out_bits_per_second", "Pictures sent.", totals.video_out_bps);
}

/* ---- Media --------------------------------------------------------------------------------- */

static void
write_media(const struct shell *shell, struct writer *w)
{
	const struct media_counters media = metrics_of_workers(shell);
	const struct bridge_counts bridge = bridge_count(shell->bridge);
	uint32_t restarts = 0;
	for (unsigned i = 0; i < shell->worker_count; i++)
		restarts += shell->codecs[i] != NULL ? codec_child_restarts(shell->codecs[i]) : 0;
	gauge(w, "media_legs", "Legs the media workers hold.", bridge.media_legs);
	gauge(w, "rooms", "Rooms the media workers hold.", bridge.rooms);
	gauge(w, "media_workers", "Media workers.", shell->worker_count);
	counter(w, "media_packets_in_total", "Datagrams received.", media.packets_in);
	counter(w, "media_packets_out_total", "Datagrams sent.", media.packets_out);
	counter(w, "media_rejected_total", "Datagrams of no use to any leg.", media.rejected);
	counter(w, "frames_decoded_total", "Frames of sound decoded.", media.frames_decoded);
	counter(w, "frames_encoded_total", "Frames of sound encoded.", media.frames_encoded);
	counter(w, "frames_concealed_total", "Frames made up for lost packets.",
	        media.frames_concealed);
	counter(w, "media_late_ticks_total", "Frames that came more than 40 ms late.",
	        media.late_ticks);
	gauge(w, "media_load_percent", "CPU of the media workers, 100 is one core.",
	      media.load_pct);
	gauge(w, "video_encodes", "Pictures that are encoded, whoever sees them.", media.encodes);
	gauge(w, "video_decodes", "Tracks of pictures that are decoded.", media.decodes);
	gauge(w, "codec_load_percent", "CPU of the codec processes, 100 is one core.",
	      media.codec_load_pct);
	counter(w, "codec_restarts_total", "Codec processes that were replaced.", restarts);
}

/* ---- Database ------------------------------------------------------------------------------ */

static void
write_database(const struct shell *shell, struct writer *w)
{
	gauge(w, "database_ready", "1 while the database takes changes.",
	      store_status(shell->store)->state == STORE_READY);
}

/* ---- Directories --------------------------------------------------------------------------- */

static void
write_directories(const struct shell *shell, struct writer *w)
{
	static const struct {
		enum directory_result result;
		const char *name;
	} results[] = { { DIRECTORY_OK, "right" },
		        { DIRECTORY_WRONG_PASSWORD, "wrong" },
		        { DIRECTORY_EXPIRED, "expired" } };
	const struct ldap_figures figures = ldap_figures(shell);
	uint64_t unknown = 0;
	for (unsigned i = 0; i < DIRECTORY_RESULTS; i++)
		unknown += figures.checks[i];
	head(w, "ldap_syncs_total", "counter", "Synchronisations with directories that are over.");
	writer_format(w, "convoke_ldap_syncs_total{result=\"complete\"} %llu\n",
	              (unsigned long long)figures.syncs_complete);
	writer_format(w, "convoke_ldap_syncs_total{result=\"failed\"} %llu\n",
	              (unsigned long long)figures.syncs_failed);
	gauge(w, "ldap_sync_milliseconds", "How long the last synchronisation took.",
	      (uint64_t)(figures.last_us / 1000));
	gauge(w, "ldap_sync_users", "Users that the last synchronisation imported.",
	      figures.last_users);
	head(w, "ldap_passwords_total", "counter", "Passwords tried at directories.");
	for (unsigned i = 0; i < COUNT_OF(results); i++) {
		const uint64_t count = figures.checks[results[i].result];
		unknown -= count;
		writer_format(w, "convoke_ldap_passwords_total{result=\"%s\"} %llu\n",
		              results[i].name, (unsigned long long)count);
	}
	writer_format(w, "convoke_ldap_passwords_total{result=\"unknown\"} %llu\n",
	              (unsigned long long)unknown);
}

/* ---- Licences ------------------------------------------------------------------------------ */

static void
write_licences(const struct shell *shell, struct writer *w)
{
	const struct licence_rights *rights = meeting_rights(shell->meeting);
	const struct meeting_usage usage = meeting_usage(shell->meeting);
	head(w, "licence_state", "gauge",
	     "0: not licensed, 1: activated, 2: in its grace, 3: expired.");
	for (unsigned f = 0; f < LICENCE_FEATURES; f++)
		writer_format(w, "convoke_licence_state{feature=\"%s\"} %u\n",
		              licence_feature_name((enum licence_feature)f),
		              (unsigned)rights->of[f].state);
	head(w, "licences_used", "gauge", "What is used of licences that are counted.");
	for (unsigned f = 0; f < LICENCE_FEATURES; f++)
		if (licence_feature_counts((enum licence_feature)f))
			writer_format(w, "convoke_licences_used{feature=\"%s\"} %u\n",
			              licence_feature_name((enum licence_feature)f),
			              meeting_usage_of(&usage, (enum licence_feature)f));
	head(w, "licences_entitled", "gauge", "How many may be used, where that is limited.");
	for (unsigned f = 0; f < LICENCE_FEATURES; f++)
		if (rights->of[f].limited)
			writer_format(w, "convoke_licences_entitled{feature=\"%s\"} %u\n",
			              licence_feature_name((enum licence_feature)f),
			              rights->of[f].limit);
}

/* ---- Signalling ---------------------------------------------------------------------------- */

static void
write_sip(const struct shell *shell, struct writer *w)
{
	const struct sip_ua_counts sip = sip_ua_count(shell->ua);
	gauge(w, "sip_sessions", "SIP sessions.", sip.sessions);
	gauge(w, "sip_dialogs", "SIP dialogs.", sip.dialogs);
	gauge(w, "sip_transactions", "SIP transactions.", sip.transactions);
	gauge(w, "sip_connections", "SIP connections.", sip.flows);
	gauge(w, "sip_half_open", "INVITEs received and not yet confirmed.", sip.half_open);
	gauge(w, "sip_unanswered", "Requests of ours that wait for a final response.",
	      sip.unanswered);
	counter(w, "sip_messages_in_total", "SIP messages received.",
	        sip.counters[SIP_UA_MESSAGES_IN]);
	counter(w, "sip_messages_out_total", "SIP messages sent.",
	        sip.counters[SIP_UA_MESSAGES_OUT]);
	counter(w, "sip_retransmits_in_total", "SIP messages that came again.",
	        sip.counters[SIP_UA_RETRANSMITS_IN]);
	counter(w, "sip_retransmits_out_total", "SIP messages that were sent again.",
	        sip.counters[SIP_UA_RETRANSMITS_OUT]);
	counter(w, "sip_malformed_total", "SIP messages that break a rule.",
	        sip.counters[SIP_UA_MALFORMED]);
	counter(w, "sip_stray_total", "Responses and ACKs that match nothing.",
	        sip.counters[SIP_UA_STRAY]);
	counter(w, "sip_refused_full_total", "Requests refused: a table was full.",
	        sip.counters[SIP_UA_REFUSED_FULL]);
	counter(w, "sip_refused_source_total", "Requests refused: one source's share.",
	        sip.counters[SIP_UA_REFUSED_SOURCE]);
	counter(w, "sip_crowded_out_total", "Half-open calls given up for newer ones.",
	        sip.counters[SIP_UA_CROWDED_OUT]);
	counter(w, "sip_challenged_total", "Challenges that were answered.",
	        sip.counters[SIP_UA_CHALLENGED]);
	counter(w, "sip_lost_total", "Datagrams not sent for lack of space.",
	        sip.counters[SIP_UA_OUT_LOST]);
}

static void
write_floors(const struct shell *shell, struct writer *w)
{
	const struct bfcp_hub_counters floors = bfcp_hub_counters(shell->hub);
	counter(w, "bfcp_messages_in_total", "Messages of floor control received.",
	        floors.messages_in);
	counter(w, "bfcp_messages_out_total", "Messages of floor control sent.",
	        floors.messages_out);
	counter(w, "bfcp_strangers_total", "Messages of floor control that belong to no leg.",
	        floors.strangers);
	counter(w, "bfcp_rejects_total", "Faults of devices in floor control.", floors.rejects);
}

/* ---- What administrators use --------------------------------------------------------------- */

static void
write_records(const struct shell *shell, struct writer *w)
{
	const struct cdr_counts cdr = cdr_count(shell->records.cdr);
	const struct events_counts events = events_count(shell->events.core);
	gauge(w, "cdr_receivers", "Receivers of call detail records.", cdr.receivers);
	gauge(w, "cdr_receivers_failing", "Receivers that do not take records now.", cdr.failing);
	gauge(w, "cdr_waiting", "Records the slowest receiver has not taken yet.", cdr.waiting);
	counter(w, "cdr_records_total", "Records made.", cdr.records);
	counter(w, "cdr_taken_total", "Records taken, summed over receivers.", cdr.taken);
	counter(w, "cdr_missing_total", "Records a receiver will never get.", cdr.missing);
	counter(w, "cdr_posts_total", "POSTs to receivers.", cdr.posts);
	counter(w, "cdr_posts_failed_total", "POSTs that were not taken.", cdr.posts_failed);
	gauge(w, "events_clients", "Clients of the Events WebSocket.", events.clients);
	gauge(w, "events_subscriptions", "Their subscriptions.", events.subscriptions);
	counter(w, "events_messages_out_total", "Messages to them.", events.messages_out);
	counter(w, "events_messages_in_total", "Messages of theirs.", events.messages_in);
	counter(w, "events_rejected_total", "Messages that were not understood.", events.rejected);
	counter(w, "events_dropped_total", "Clients that were let go.", events.dropped);
}

static uint32_t
alarm_count(const struct meeting *meeting)
{
	uint32_t at = 0;
	uint32_t count = 0;
	struct guid id;
	while (meeting_alarm_next(meeting, &at, &id) != 0)
		count++;
	return count;
}

static void
write_webadmin(const struct shell *shell, struct writer *w)
{
	gauge(w, "alarms", "Alarms that stand.", alarm_count(shell->meeting));
	if (shell->webadmin.count == 0)
		return;
	const struct http_listener_counters http = component_port_counters(&shell->webadmin);
	counter(w, "webadmin_requests_total", "Requests on the Web Admin port.", http.requests);
	counter(w, "webadmin_bad_requests_total", "Requests that were no proper HTTP.",
	        http.bad_requests + http.slow_requests);
	counter(w, "webadmin_refused_total", "Connections beyond a limit.", http.refused);
	gauge(w, "webadmin_connections", "Connections, WebSockets among them.", http.connections);
}

/* ---- The process --------------------------------------------------------------------------- */

static uint64_t
resident_bytes(void)
{
	unsigned long long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%*s %llu", &pages) != 1)
		pages = 0;
	fclose(file);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t
open_files(void)
{
	uint64_t count = 0;
	DIR *dir = opendir("/proc/self/fd");
	while (dir != NULL && readdir(dir) != NULL)
		count++;
	if (dir != NULL)
		closedir(dir);
	return count > 3 ? count - 3 : 0; /* ".", ".." and the folder itself */
}

static void
write_process(const struct shell *shell, struct writer *w)
{
	static const char *const names[LOG_LEVELS] = { "error", "warning", "info", "debug" };
	head(w, "log_lines_total", "counter", "Lines of the event log.");
	for (unsigned i = 0; i < LOG_LEVELS; i++)
		writer_format(w, "convoke_log_lines_total{level=\"%s\"} %llu\n", names[i],
		              (unsigned long long)log_lines((enum log_level)i));
	gauge(w, "memory_bytes", "Memory of the Call Bridge's process.", resident_bytes());
	gauge(w, "open_files", "Descriptors of the Call Bridge's process.", open_files());
	gauge(w, "start_time_seconds", "When it started, since 1970.",
	      (uint64_t)(shell->started_wall_us / 1000000));
}

void
metrics_write(const struct shell *shell, struct writer *w)
{
	write_calls(shell, w);
	write_media(shell, w);
	write_database(shell, w);
	write_directories(shell, w);
	write_licences(shell, w);
	write_sip(shell, w);
	write_floors(shell, w);
	write_records(shell, w);
	write_webadmin(shell, w);
	write_process(shell, w);
}

/* Figures tell much about a company's day: others than this machine use the API's path, which asks
 * for a login. */
void
metrics_respond(struct shell *shell, const struct http_request *request)
{
	static char text[METRICS_MAX];
	if (!addr_is_loopback(request->peer)) {
		http_respond_text(shell->http, request->id, 403, "text/plain",
		                  STR("This path is for this machine only. With a login: "
		                      "/api/v1/system/metrics\n"));
		return;
	}
	struct writer w = writer_of(text, sizeof text);
	metrics_write(shell, &w);
	http_respond_text(shell->http, request->id, 200, "text/plain; version=0.0.4",
	                  writer_view(&w));
}

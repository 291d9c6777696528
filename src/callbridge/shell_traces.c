/* SPDX-License-Identifier: Apache-2.0 */
/* What system/timedLogging turns on: each message of a part, in lines of the event log.  What would
 * open a door is left out: keys of SRTP and ICE, answers to challenges, digits that were typed. */
#include "base/check.h"
#include "base/log.h"
#include "callbridge/shell.h"

enum { TRACE_LINE_MAX = 800 }; /* of one message's line; longer ones are cut */

static bool
is_on(const struct shell *shell, enum timed_logging_field what)
{
	return api_logs(shell->api, what, loop_now_us());
}

/* ---- SIP ----------------------------------------------------------------------------------- */

/* How much of the line may be told. */
static size_t
open_len(struct str line)
{
	static const struct str secret[] = {
		STR_INIT("Authorization:"), STR_INIT("Proxy-Authorization:"),
		STR_INIT("a=crypto:"), STR_INIT("a=ice-pwd:"), STR_INIT("Signal="),
	};
	/* A body of application/dtmf is a digit. */
	if (line.len <= 2)
		return 0;
	for (unsigned i = 0; i < COUNT_OF(secret); i++) {
		if (line.len >= secret[i].len &&
		    str_eq_nocase(str_sub(line, 0, secret[i].len), secret[i]))
			return secret[i].len;
	}
	return line.len;
}

static void
tell_line(struct str line)
{
	char text[TRACE_LINE_MAX];
	const size_t open = open_len(line);
	text_copy_clean(text, sizeof text, str_sub(line, 0, open));
	log_info("SIP trace: %s%s", text, open < line.len ? " ..." : "");
}

/* A connection's bytes come in any pieces: what goes on with a line of the piece before it is not
 * told, for nobody knows here what it belongs to. */
static void
tell_lines(struct str text, bool *mid_line)
{
	if (*mid_line) {
		const size_t rest = str_find(text, '\n');
		if (rest == text.len)
			return;
		text = str_sub(text, rest + 1, text.len - rest - 1);
	}
	*mid_line = text.len != 0 && text.at[text.len - 1] != '\n';
	while (text.len != 0) {
		const struct str line = str_trim(str_cut(&text, '\n'));
		if (line.len != 0)
			tell_line(line);
	}
}

void
trace_sip(const struct shell *shell, const struct sip_trace *trace)
{
	char peer[ADDR_TEXT_MAX];
	bool mid_line = trace->mid_line != NULL && *trace->mid_line;
	if (!is_on(shell, TIMED_LOGGING_SIP)) {
		/* Turned on later, it begins with what is whole. */
		if (trace->mid_line != NULL && trace->text.len != 0)
			*trace->mid_line = trace->text.at[trace->text.len - 1] != '\n';
		return;
	}
	struct writer w = writer_of(peer, sizeof peer - 1);
	addr_write(&w, trace->peer);
	peer[w.at] = '\0';
	if (trace->flow != 0)
		log_info("SIP trace: connection %u: %s data %s %s, size %zu:", trace->flow,
		         trace->sent ? "outgoing" : "incoming", trace->sent ? "to" : "from", peer,
		         trace->text.len);
	else
		log_info("SIP trace: %s UDP data %s %s, size %zu:",
		         trace->sent ? "outgoing" : "incoming", trace->sent ? "to" : "from", peer,
		         trace->text.len);
	tell_lines(trace->text, &mid_line);
	if (trace->mid_line != NULL)
		*trace->mid_line = mid_line;
}

/* ---- DNS ----------------------------------------------------------------------------------- */

static const char *
type_name(enum dns_type type)
{
	switch (type) {
	case DNS_A:
		return "A";
	case DNS_AAAA:
		return "AAAA";
	case DNS_SRV:
		return "SRV";
	case DNS_NAPTR:
		return "NAPTR";
	}
	return "?";
}

static void
write_record(struct writer *w, const struct dns_record *record)
{
	writer_format(w, "%s ", type_name(record->type));
	switch (record->type) {
	case DNS_A:
	case DNS_AAAA:
		addr_write_ip(w, &record->addr);
		break;
	case DNS_SRV:
		writer_format(w, "%u %u %u %s", record->srv.priority, record->srv.weight,
		              record->srv.port, record->srv.target);
		break;
	case DNS_NAPTR:
		writer_format(w, "%u %u \"%s\" \"%s\" %s", record->naptr.order,
		              record->naptr.preference, record->naptr.flags,
		              record->naptr.service, record->naptr.replacement);
		break;
	}
}

void
trace_dns_question(const struct shell *shell, uint64_t number, enum dns_type type, const char *name)
{
	if (is_on(shell, TIMED_LOGGING_DNS))
		log_info("DNS trace %llu: asking for %s %s", (unsigned long long)number,
		         type_name(type), name);
}

void
trace_dns_answer(const struct shell *shell, uint64_t number, const struct dns_answer *answer,
                 const char *failure)
{
	if (!is_on(shell, TIMED_LOGGING_DNS))
		return;
	if (answer->status != DNS_OK)
		log_info("DNS trace %llu: %s", (unsigned long long)number,
		         answer->status == DNS_NONE ? "there is none" : failure);
	for (size_t i = 0; answer->status == DNS_OK && i < answer->count; i++) {
		char raw[TRACE_LINE_MAX];
		char text[TRACE_LINE_MAX];
		struct writer w = writer_of(raw, sizeof raw);
		write_record(&w, &answer->records[i]);
		text_copy_clean(text, sizeof text, writer_view(&w));
		log_info("DNS trace %llu: %s", (unsigned long long)number, text);
	}
}

/* ---- Web Bridges and subscribers ----------------------------------------------------------- */

void
trace_c2w(const struct shell *shell, const struct c2w_link *link, bool sent,
          const struct c2w_message *message, size_t len)
{
	if (!is_on(shell, TIMED_LOGGING_WEB_BRIDGE))
		return;
	log_info("web bridge trace: %s %s:%u: %s, request %u, session %u, size %zu",
	         sent ? "to" : "from", link->host, link->port, c2w_kind_name(message->kind),
	         message->request, message->session, len);
}

void
trace_events(const struct shell *shell, uint64_t client, bool sent, struct str text)
{
	char line[TRACE_LINE_MAX];
	if (!is_on(shell, TIMED_LOGGING_EVENTS))
		return;
	text_copy_clean(line, sizeof line, text);
	log_info("events trace: client %llu: %s, size %zu: %s", (unsigned long long)client,
	         sent ? "outgoing" : "incoming", text.len, line);
}

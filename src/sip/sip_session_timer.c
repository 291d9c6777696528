/* SPDX-License-Identifier: Apache-2.0 */
/* Session timers (RFC 4028): who refreshes, when, and what happens when nobody does. */
#include "sip/sip_ua_internal.h"

static uint32_t
larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static uint32_t
smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t
min_se_of(const struct sip_msg *msg)
{
	struct sip_session_expires min = { 0 };
	if (!sip_session_expires_parse(&min, sip_msg_value(msg, SIP_HEADER_MIN_SE)))
		return 0;
	return min.interval_s;
}

bool
sip_session_timer_request(struct sip_ua *ua, struct sip_session *session, const struct sip_msg *msg)
{
	struct sip_session_expires asked = { 0 };
	const bool has = sip_msg_has(msg, SIP_HEADER_SESSION_EXPIRES) &&
	                 sip_session_expires_parse(
		                 &asked, sip_msg_value(msg, SIP_HEADER_SESSION_EXPIRES));
	const bool supports = (session->capabilities & SIP_PEER_TIMER) != 0;
	const uint32_t wish = ua->settings.session_expires_s;
	const uint32_t least = larger(ua->settings.session_min_se_s, min_se_of(msg));
	/* s9: 422 only to those who know what it means, and for what we stand ourselves: what the
	 * peer once asked for in a Min-SE is remembered for our own requests only (s7.4). */
	if (has && asked.interval_s < ua->settings.session_min_se_s && supports)
		return false;
	session->min_se_s = larger(session->min_se_s, least);
	if (has)
		session->expires_s = larger(wish != 0 ? smaller(asked.interval_s, wish)
		                                      : asked.interval_s,
		                            least);
	else
		session->expires_s = wish != 0 ? larger(wish, session->min_se_s) : 0;
	/* We are the UAS of this request (s9, table 2): a peer that knows timers refreshes unless
	 * it asked us to. */
	session->refresher = !supports || asked.refresher == SIP_REFRESHER_UAS;
	return true;
}

void
sip_session_timer_refuse(struct sip_ua *ua, const struct sip_msg *msg, const struct sip_hop *hop)
{
	struct writer w = sip_lines_writer(ua);
	sip_write_header_u32(&w, SIP_HEADER_MIN_SE, ua->settings.session_min_se_s);
	sip_ua_respond_once(ua, msg, hop, 422, writer_view(&w));
}

void
sip_session_timer_write(const struct sip_session *session, struct writer *w)
{
	if (session->expires_s == 0)
		return;
	const bool first = session->state == SIP_SESSION_CALLING;
	sip_write_session_expires(w, session->expires_s,
	                          first                ? SIP_REFRESHER_NONE
	                          : session->refresher ? SIP_REFRESHER_UAC
	                                               : SIP_REFRESHER_UAS);
	if (session->min_se_s > 90)
		sip_write_header_u32(w, SIP_HEADER_MIN_SE, session->min_se_s);
}

void
sip_session_timer_write_2xx(const struct sip_session *session, struct writer *w)
{
	if (session->expires_s == 0)
		return;
	sip_write_session_expires(w, session->expires_s,
	                          session->refresher ? SIP_REFRESHER_UAS : SIP_REFRESHER_UAC);
	if (!session->refresher)
		sip_write_header_str(w, SIP_HEADER_REQUIRE, STR("timer"));
}

void
sip_session_timer_response(struct sip_ua *ua, struct sip_session *session,
                           const struct sip_msg *msg)
{
	struct sip_session_expires given;
	if (sip_session_expires_parse(&given, sip_msg_value(msg, SIP_HEADER_SESSION_EXPIRES))) {
		/* Less than we stand is taken as what we stand. */
		session->expires_s = larger(given.interval_s, 90);
		session->refresher = given.refresher != SIP_REFRESHER_UAS;
	} else if (session->expires_s != 0) {
		/* s7.2: a peer without timers is refreshed by us, and so found out when it is
		 * gone. */
		session->expires_s = ua->settings.session_expires_s;
		session->refresher = true;
	}
	sip_session_timer_arm(ua, session);
}

void
sip_session_timer_arm(struct sip_ua *ua, struct sip_session *session)
{
	const int64_t second = 1000000;
	const int64_t expires_us = session->expires_s * second;
	sip_timer_stop(ua, &session->refresh);
	sip_timer_stop(ua, &session->expiry);
	if (session->expires_s == 0)
		return;
	if (session->refresher) {
		sip_timer_start(ua, &session->refresh, expires_us / 2);
		sip_timer_start(ua, &session->expiry, expires_us);
		return;
	}
	/* s10: the other side gives up a little early, so that its BYE still counts. */
	const int64_t early_us = smaller(32, session->expires_s / 3) * second;
	sip_timer_start(ua, &session->expiry, expires_us - early_us);
}

void
sip_session_refresh_timer(struct sip_ua *ua, uint32_t id)
{
	struct sip_session *session = sip_session_get(ua, id);
	if (session == NULL || !session->visible)
		return;
	/* Something else is being negotiated or waits to be: that will refresh as well, or we try
	 * again. */
	if (session->state != SIP_SESSION_CONFIRMED || session->offer_waits ||
	    sip_offer_send(ua, session, true) != 0)
		sip_timer_start(ua, &session->refresh, 2 * 1000000);
}

void
sip_session_expiry_timer(struct sip_ua *ua, uint32_t id)
{
	struct sip_session *session = sip_session_get(ua, id);
	if (session != NULL)
		sip_session_close(ua, session, SIP_END_TIMEOUT, 0, STR("session timer expired"));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Life of the Call Bridge component: start, time, orderly end. */
#include "callbridge/shell.h"
#include "callbridge/shell_accounts.h"
#include "callbridge/shell_ldap.h"
#include "callbridge/shell_licence.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audio/prompts.h"
#include "base/check.h"
#include "base/log.h"
#include "callbridge/callbridge.h"
#include "net/files.h"
#include "net/iface.h"
#include "net/port_owner.h"
#include "net/random.h"
#include "net/wall.h"

enum {
	STOP_US = 5 * 1000 * 1000,
	TRIM_US = 5 * 1000 * 1000,
	CERT_YEARS = 1,
	SECONDS_A_YEAR = 365 * 24 * 3600,
	HTTP_CONNECTIONS_MAX = 2048,
	SILENCE_US_MAX = 90 * 1000 * 1000,
	CONSENT_US_MAX = 30 * 1000 * 1000,
	MEDIA_DSCP = 46, /* EF (RFC 4594 s4.1) */
	SIP_SPARE = 512,
	SIP_TRANSACTIONS_A_CALL = 8, /* finished ones linger for half a minute */
	SIP_BLOCKS_A_CALL = 16,
};

#ifndef CONVOKE_VERSION
#define CONVOKE_VERSION "0.1.0"
#endif

/* ---- Small things -------------------------------------------------------------------------- */

void
shell_random(void *context, void *out, size_t len)
{
	(void)context;
	random_bytes(out, len);
}

static int64_t
sink_wall_s(void *context)
{
	(void)context;
	return wall_now().us / 1000000;
}

static void
sink_log(void *context, enum bridge_log level, struct str text)
{
	(void)context;
	if (level == BRIDGE_LOG_WARNING)
		log_warning("%.*s", STR_ARGS(text));
	else
		log_info("%.*s", STR_ARGS(text));
}

static void
sink_order(void *context, unsigned worker, const struct media_order *order)
{
	struct shell *shell = context;
	worker_post(shell->workers[worker], order);
}

static void
on_media_event(void *context, unsigned worker, const struct media_event *event)
{
	struct shell *shell = context;
	bridge_media(shell->bridge, worker, event, loop_now_us());
	shell_settle(shell);
}

/* ---- Time ---------------------------------------------------------------------------------- */

static int64_t
nearest(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Every far end was told, and has said so: a BYE that was lost is sent again, one that waits for
 * its connection goes out. */
static bool
all_ended(struct shell *shell, int64_t now_us)
{
	if (!bridge_shutdown(shell->bridge, now_us))
		return false;
	const struct sip_ua_counts sip = sip_ua_count(shell->ua);
	return sip.sessions == 0 && sip.unanswered == 0;
}

/* When the last of many calls has ended, what they used goes back to the system: glibc keeps it
 * otherwise, and an administrator reads that as a leak. */
static int64_t
give_back(struct shell *shell, int64_t now_us)
{
	if (meeting_totals(shell->meeting).legs_active != 0) {
		shell->trim_us = INT64_MAX;
		shell->had_calls = true;
	} else if (shell->had_calls) {
		shell->had_calls = false;
		shell->trim_us = now_us + TRIM_US;
	} else if (now_us >= shell->trim_us) {
		shell->trim_us = INT64_MAX;
		malloc_trim(0);
	}
	return shell->trim_us;
}

void
shell_settle(struct shell *shell)
{
	if (!shell->running)
		return;
	/* Before all else: what ending the calls causes is drained and timed like any input's. */
	const bool over = shell->stop_us != 0 && (all_ended(shell, loop_now_us()) ||
	                                          loop_now_us() >= shell->stop_us);
	if (over)
		loop_stop(shell->component.loop);
	int64_t now_us;
	do {
		/* Anew in each round: what failed at once is told with a time of its own. */
		now_us = loop_now_us();
		while (webadmin_drain(shell, now_us))
			;
		bridge_drain(shell->bridge, now_us);
	} while (sip_sockets_later(shell) || webadmin_drain(shell, now_us));
	(void)portal_drain(shell, now_us);
	c2w_tick(shell, now_us);
	records_tick(shell, now_us);
	ldap_look(shell);
	branding_tick(shell, now_us);
	events_tick(shell->events.core, now_us);

	int64_t deadline_us = nearest(sip_ua_deadline(shell->ua), bridge_deadline(shell->bridge));
	deadline_us = nearest(deadline_us, meeting_deadline(shell->meeting));
	deadline_us = nearest(deadline_us, c2w_deadline(shell));
	deadline_us = nearest(deadline_us, portal_deadline(shell->portal));
	deadline_us = nearest(deadline_us, shell_oidc_deadline(shell->oidc));
	deadline_us = nearest(deadline_us, records_deadline(shell));
	deadline_us = nearest(deadline_us, events_deadline(shell->events.core));
	deadline_us = nearest(deadline_us, api_deadline(shell->api));
	deadline_us = nearest(deadline_us, branding_deadline(shell));
	deadline_us = nearest(deadline_us, give_back(shell, now_us));
	/* Once that is past, a timer for it would be due for ever and the loop never come to its end. */
	if (shell->stop_us != 0 && !over)
		deadline_us = nearest(deadline_us, shell->stop_us);
	loop_timer_arm(shell->timer, deadline_us);
}

static void
on_timer(void *context, int64_t now_us)
{
	struct shell *shell = context;
	sip_ua_tick(shell->ua, now_us);
	bridge_drain(shell->bridge, now_us);
	meeting_tick(shell->meeting, now_us);
	bridge_tick(shell->bridge, now_us);
	shell_settle(shell);
}

static void
on_stop(void *context)
{
	struct shell *shell = context;
	if (!shell->running) {
		/* It could not start, and is only saying so. */
		loop_stop(shell->component.loop);
		return;
	}
	if (shell->stop_us != 0)
		return;
	log_info("the call bridge ends; its calls are told");
	shell->stop_us = loop_now_us() + STOP_US;
	shell_settle(shell);
}

/* ---- Start --------------------------------------------------------------------------------- */

static bool
find_addresses(struct shell *shell)
{
	const struct config *config = shell->config;
	for (uint32_t i = 0; i < config->callbridge.iface_count; i++) {
		const int count = iface_addresses(config->callbridge.ifaces[i],
		                                  shell->addresses + shell->address_count,
		                                  SHELL_ADDRESSES_MAX - shell->address_count);
		if (count < 0 && shell->address_count < SHELL_ADDRESSES_MAX)
			return component_fail(
			        &shell->component,
			        "there is no interface \"%s\" with an address (change it "
			        "with \"callbridge listen\")",
			        config->callbridge.ifaces[i]);
		shell->address_count += count > 0 ? (unsigned)count : 0;
	}
	return shell->address_count != 0 ||
	       component_fail(&shell->component,
	                      "no interface to listen on (use \"callbridge listen any\")");
}

/* This bridge's own GUID and the key of its guests' tokens: made once, kept in DATA, so that people
 * come back after a restart. */
static bool
keep(struct shell *shell, const char *name, void *bytes, size_t len)
{
	char path[COMPONENT_PATH_MAX];
	char *kept = NULL;
	size_t kept_len = 0;
	component_path(&shell->component, path, name);
	int rc = file_read(path, len, &kept, &kept_len);
	if (rc == 0 && kept_len == len) {
		memcpy(bytes, kept, len);
		explicit_bzero(kept, kept_len);
		free(kept);
		return true;
	}
	free(kept);
	if (rc != -ENOENT)
		return component_fail(&shell->component, "%s: %s", path,
		                      rc != 0 ? strerror(-rc) : "not as this program wrote it");
	random_bytes(bytes, len);
	rc = file_replace(path, bytes, len, 0600);
	return rc == 0 || component_fail(&shell->component, "%s: %s", path, strerror(-rc));
}

static void
on_bad_prompt(void *context, const char *path, const char *why)
{
	(void)context;
	log_warning("prompt %s cannot be used: %s", path, why);
}

/* Beside the program when it runs from its build folder, else where it was installed. */
static void
load_prompts(struct shell *shell)
{
	static const char *const places[] = { "share/prompts", "../share/prompts",
		                              "../share/convoke/prompts" };
	char dir[COMPONENT_PATH_MAX];
	for (size_t i = 0; i < COUNT_OF(places) && shell->prompts == NULL; i++)
		if (component_place(dir, places, i) != 0 ||
		    prompts_create(&shell->prompts, dir, on_bad_prompt, NULL) != 0)
			shell->prompts = NULL;
	if (shell->prompts == NULL)
		log_warning("no voice prompts were found; callers hear silence where one would be");
	else
		prompts_overlay(shell->prompts, component_path(&shell->component, dir, "prompts"));
}

static bool
make_dtls(struct shell *shell)
{
	const int64_t now_s = wall_now().us / 1000000;
	const struct dtls_context_settings settings = {
		.common_name = "convoke",
		.serial = random_u64() >> 1,
		.not_before_s = now_s - 24 * 3600,
		.not_after_s = now_s + (int64_t)CERT_YEARS * SECONDS_A_YEAR,
	};
	return dtls_context_create(&shell->dtls, &settings) == 0 ||
	       component_fail(&shell->component, "no DTLS certificate could be made");
}

/* Without prompts nothing is said, in any language. */
static uint8_t
prompts_index(const struct shell *shell)
{
	const struct str language = str_of(shell->config->callbridge.language);
	return shell->prompts != NULL ? (uint8_t)prompts_language(shell->prompts, language) : 0;
}

static uint32_t
calls_max(const struct shell *shell)
{
	return shell->config->callbridge.calls_max; /* 1 at least: the command line's bound */
}

static bool
start_meeting(struct shell *shell)
{
	struct meeting_settings settings = {
		.limits = { .calls_max = calls_max(shell), .legs_max = calls_max(shell) },
		.language = shell->config->callbridge.language,
		.random = shell_random,
	};
	random_bytes(&settings.hash_key, sizeof settings.hash_key);
	return meeting_create(&shell->meeting, &settings, loop_now_us()) == 0 ||
	       component_fail(&shell->component,
	                      "not enough memory for %u calls (use \"callbridge limit\")",
	                      calls_max(shell));
}

static unsigned
worker_count(const struct shell *shell)
{
	const long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned count = shell->config->callbridge.workers;
	if (count == 0)
		count = cores > 0 ? (unsigned)cores : 1;
	return count < BRIDGE_WORKERS_MAX ? count : BRIDGE_WORKERS_MAX;
}

/* The shared ports come first, one a worker; the pairs of the SIP legs share the rest evenly. */
static bool
start_worker(struct shell *shell, unsigned index)
{
	const struct config *config = shell->config;
	const uint32_t first =
		(config->callbridge.media_first + shell->worker_count + 1) & ~(uint32_t)1;
	const uint32_t share =
		((uint32_t)config->callbridge.media_last + 1 - first) / shell->worker_count & ~1u;
	struct worker_settings settings = {
		.media = {
			.legs_max = BRIDGE_MEDIA_LEGS_MAX * calls_max(shell),
			.rooms_max = calls_max(shell),
			.seed = random_u64(),
			.wall_offset_us = wall_now().us - loop_now_us(),
			.shared_addr = shell->addresses[0],
			.dtls = shell->dtls,
			.prompts = shell->prompts,
			.consent_us_max = CONSENT_US_MAX,
			.silence_us_max = SILENCE_US_MAX,
		},
		.index = index,
		.address_count = shell->address_count,
		.shared_port = (uint16_t)(config->callbridge.media_first + index),
		.first_port = (uint16_t)(first + index * share),
		.last_port = (uint16_t)(first + (index + 1) * share - 1),
		.dscp = MEDIA_DSCP,
		.event = on_media_event,
		.context = shell,
	};
	settings.media.shared_addr.port = settings.shared_port;
	for (unsigned i = 0; i < shell->address_count; i++)
		settings.addresses[i] = shell->addresses[i];
	if (share < 2)
		return component_fail(&shell->component,
		                      "the media ports %u to %u are too few for %u workers (use "
		                      "\"callbridge media <first> <last>\")",
		                      config->callbridge.media_first, config->callbridge.media_last,
		                      shell->worker_count);
	const int rc = worker_create(&shell->workers[index], shell->component.loop, &settings);
	if (rc == 0)
		return true;
	char owner[PORT_OWNER_TEXT_MAX];
	struct net_addr bind = shell->addresses[0];
	bind.port = settings.shared_port;
	return component_fail(&shell->component, "media: %s (change it with \"callbridge media\")",
	                      rc == -EADDRINUSE ? port_owner_text(owner, PORT_UDP, &bind)
	                                        : strerror(-rc));
}

static bool
start_workers(struct shell *shell)
{
	shell->worker_count = worker_count(shell);
	for (unsigned i = 0; i < shell->worker_count; i++)
		if (!start_worker(shell, i))
			return false;
	return true;
}

static bool
start_sip(struct shell *shell)
{
	if (!sip_sockets_open(shell))
		return false;
	struct sip_ua_settings settings = sip_ua_settings_default();
	settings.listeners = shell->sip_listeners;
	settings.listener_count = shell->sip_port_count;
	settings.seed = random_u64();
	settings.user_agent = "Convoke/" CONVOKE_VERSION;
	/* As many calls as are allowed, and some that are being refused or end at the same time. */
	settings.sessions_max = calls_max(shell) + calls_max(shell) / 4 + SIP_SPARE;
	settings.transactions_max = settings.sessions_max * SIP_TRANSACTIONS_A_CALL;
	settings.blocks_max = settings.sessions_max * SIP_BLOCKS_A_CALL;
	/* Callers that do not acknowledge leave half of the calls to those that do. */
	settings.half_open_max = calls_max(shell) / 2 + 1;
	settings.half_open_per_source_max = settings.half_open_max / 4 + 1;
	/* At the end every call may want a connection, and none may be had. */
	shell->later_max = settings.flows_max + settings.transactions_max;
	shell->later = calloc(shell->later_max, sizeof *shell->later);
	return (shell->later != NULL && sip_ua_create(&shell->ua, &settings, loop_now_us()) == 0) ||
	       component_fail(&shell->component, "not enough memory for SIP");
}

/* The domain of our addresses: as configured, else the machine's first address. */
static void
sip_domain(const struct shell *shell, char out[CONFIG_HOST_MAX])
{
	struct writer w = writer_of(out, CONFIG_HOST_MAX - 1);
	if (shell->config->callbridge.domain[0] != '\0')
		writer_text(&w, shell->config->callbridge.domain);
	else
		addr_write_host(&w, &shell->addresses[0]);
	out[w.at] = '\0';
}

enum { WEB_ADDRESS_MAX = CONFIG_HOST_MAX + 32 };

/* Where browsers come to; "" when no Web Bridge is set up beside us. */
static struct str
web_address(const struct shell *shell, const char *domain, char out[WEB_ADDRESS_MAX])
{
	out[0] = '\0';
	if (shell->config->webbridge.https_count != 0)
		snprintf(out, WEB_ADDRESS_MAX, "https://%s:%u", domain,
		         shell->config->webbridge.https[0].port);
	return str_of(out);
}

static bool
start_api(struct shell *shell, const struct guid *id, struct str domain, struct str web)
{
	struct api_settings settings = { .meeting = shell->meeting,
		                         .accounts = shell->accounts,
		                         .host_id = *id,
		                         .version = STR(CONVOKE_VERSION),
		                         .sip_domain = domain,
		                         .web_address = web,
		                         .trace = shell->config->log_debug,
		                         .look = { .context = shell,
		                                   .diagnose = diagnostics_write,
		                                   .metrics = diagnostics_metrics,
		                                   .log = shell->log,
		                                   .certificates = certificates_tell,
		                                   .cdr_state = records_state,
		                                   .cdr_test = records_test } };
	random_bytes(&settings.hash_key, sizeof settings.hash_key);
	return api_create(&shell->api, &settings, loop_now_us()) == 0 ||
	       component_fail(&shell->component, "not enough memory for the API");
}

static bool
start_bridge(struct shell *shell)
{
	struct guid id;
	char id_text[GUID_TEXT_LEN + 1];
	char domain[CONFIG_HOST_MAX];
	char url[WEB_ADDRESS_MAX];
	struct net_addr web[BRIDGE_ADDRESSES_MAX];
	const struct dtls_fingerprint *fingerprint = dtls_context_fingerprint(shell->dtls);
	struct bridge_settings settings = {
		.meeting = shell->meeting,
		.ua = shell->ua,
		.workers = shell->worker_count,
		.legs_max = calls_max(shell),
		.media_legs_max = BRIDGE_MEDIA_LEGS_MAX * calls_max(shell),
		.rooms_max = calls_max(shell),
		.fingerprint = { .hash = SDP_HASH_SHA256, .len = 32 },
		.listeners = shell->sip_listeners,
		.web_addresses = web,
		.sip_domain = domain,
		.id = id_text,
		.jwt_hours = shell->config->callbridge.jwt_hours,
		.language = shell->config->callbridge.language,
		.prompts_language = prompts_index(shell),
		.seed = random_u64(),
		.floors = floors_told(shell),
		.sink = { .context = shell,
		          .order = sink_order,
		          .sip = sip_sockets_out,
		          .web = c2w_send,
		          .floor = floors_order,
		          .log = sink_log,
		          .random = shell_random,
		          .brand = branding_of,
		          .wall_s = sink_wall_s },
	};
	memcpy(settings.fingerprint.bytes, fingerprint->digest, settings.fingerprint.len);
	for (unsigned i = 0; i < shell->address_count; i++)
		web[settings.web_address_count++] = shell->addresses[i];
	if (!keep(shell, "bridge.id", id.bytes, sizeof id.bytes) ||
	    !keep(shell, "jwt.key", settings.jwt_key, sizeof settings.jwt_key))
		return false;
	id = guid_of_random(id.bytes);
	guid_write(id_text, &id);
	sip_domain(shell, domain);
	struct portal_settings portal = { .id = id_text,
		                          .jwt_hours = settings.jwt_hours,
		                          .web_address = web_address(shell, domain, url),
		                          .sip_domain = str_of(domain) };
	memcpy(portal.jwt_key, settings.jwt_key, sizeof portal.jwt_key);
	const int rc = bridge_create(&shell->bridge, &settings, loop_now_us());
	const bool has_portal = portal_open(shell, &portal);
	explicit_bzero(settings.jwt_key, sizeof settings.jwt_key);
	explicit_bzero(portal.jwt_key, sizeof portal.jwt_key);
	if (rc != 0)
		return component_fail(&shell->component, "not enough memory for %u calls",
		                      calls_max(shell));
	if (!has_portal)
		return false;
	if (!start_api(shell, &id, str_of(domain), portal.web_address))
		return false;
	return events_start(shell, calls_max(shell)) && records_open(shell, &id, calls_max(shell));
}

static bool
start(struct shell *shell)
{
	if (loop_timer_create(&shell->timer, shell->component.loop, on_timer, shell) != 0 ||
	    http_create(&shell->http, shell->component.loop, HTTP_CONNECTIONS_MAX) != 0)
		return component_fail(&shell->component, "not enough memory");
	load_prompts(shell);
	shell->floor_count = calls_max(shell);
	return diagnostics_open(shell) && find_addresses(shell) && accounts_open(shell) &&
	       make_dtls(shell) && start_meeting(shell) && store_shell_open(shell) &&
	       start_sip(shell) && start_workers(shell) && codecs_open(shell) &&
	       floors_open(shell) && branding_open(shell) && start_bridge(shell) &&
	       store_shell_watch(shell) &&
	       licence_open(shell) && ldap_open(shell) && c2w_open(shell) &&
	       webadmin_open(shell);
}

static void
finish(struct shell *shell)
{
	webadmin_close(shell);
	ldap_close(shell);
	licence_close(shell);
	branding_close(shell);
	records_close(shell);
	c2w_close(shell);
	http_destroy(shell->http);
	pages_destroy(shell->admin_pages); /* after what was still being sent */
	events_stop(shell);
	floors_close(shell);
	codecs_close(shell);
	for (unsigned i = 0; i < shell->worker_count; i++)
		worker_destroy(shell->workers[i]);
	sip_sockets_close(shell);
	bridge_destroy(shell->bridge);
	shell_oidc_destroy(shell->oidc);
	portal_destroy(shell->portal);
	api_destroy(shell->api);
	sip_ua_destroy(shell->ua);
	free(shell->later);
	store_shell_close(shell);
	accounts_close(shell);
	meeting_destroy(shell->meeting);
	prompts_destroy(shell->prompts);
	dtls_context_destroy(shell->dtls);
	loop_timer_destroy(shell->timer);
	component_close(&shell->component);
	diagnostics_close(shell);
}

int
callbridge_main(const char *data_dir, const struct config *config)
{
	struct shell *shell = calloc(1, sizeof *shell);
	if (shell == NULL) {
		log_error("the call bridge cannot start: not enough memory");
		return 1;
	}
	shell->component = (struct component){
		.name = "call bridge",
		.data_dir = data_dir,
		.stop = on_stop,
		.context = shell,
	};
	shell->trim_us = INT64_MAX;
	shell->started_wall_us = wall_now().us;
	shell->config = config;
	log_set_level(config->log_debug ? LOG_DEBUG : LOG_INFO);
	if (component_open(&shell->component) != 0) {
		free(shell);
		return 1;
	}
	shell->running = start(shell);
	if (shell->running) {
		log_info("the call bridge is ready: %u media workers, up to %u call legs",
		         shell->worker_count, calls_max(shell));
		shell_settle(shell);
	}
	const int status = component_run(&shell->component, shell->running);
	shell->running = false;
	finish(shell);
	free(shell);
	return status;
}

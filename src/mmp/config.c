/* SPDX-License-Identifier: Apache-2.0 */
#include "mmp/config.h"

#include <string.h>

#include "base/check.h"
#include "mmp/mmp_internal.h"

enum {
	PRIVILEGED_PORTS = 1024, /* below: for root, or with CAP_NET_BIND_SERVICE */
	/* Every port that a TCP listener of ours may have. */
	TCP_USES_MAX = CONFIG_INTERFACES_MAX * 4 + 2 + CONFIG_LISTENS_MAX * 2,
};

const char *
config_component_name(enum config_component component)
{
	static const char *const names[CONFIG_COMPONENTS] = {
		[CONFIG_CALLBRIDGE] = "callbridge",
		[CONFIG_WEBBRIDGE] = "webbridge",
		[CONFIG_SSH] = "ssh",
	};
	CHECK(component >= 0 && component < CONFIG_COMPONENTS);
	return names[component];
}

const char *
config_component_command(enum config_component component)
{
	return component == CONFIG_WEBBRIDGE ? "webbridge3" : config_component_name(component);
}

bool
config_component_enabled(const struct config *config, enum config_component component)
{
	const bool enabled[CONFIG_COMPONENTS] = {
		[CONFIG_CALLBRIDGE] = config->callbridge.enabled,
		[CONFIG_WEBBRIDGE] = config->webbridge.enabled,
		[CONFIG_SSH] = config->ssh.enabled,
	};
	CHECK(component >= 0 && component < CONFIG_COMPONENTS);
	return enabled[component];
}

void
config_defaults(struct config *config)
{
	*config = (struct config){
		.callbridge = {
			.enabled = true,
			.ifaces = { "any" },
			.iface_count = 1,
			.sip_port = 5060,
			.sip_tls_port = 5061,
			.bfcp_port = 8855,
			.bfcp_tls_port = 8856,
			.media_first = 50000,
			.media_last = 59999,
			.calls_max = 2000,
			.jwt_hours = 24,
			.language = "en",
		},
		.webadmin = { .enabled = true, .listen = { "any", 8445 } },
		.webbridge = {
			.enabled = true,
			.https = { { "any", 8443 } },
			.https_count = 1,
			.c2w = { { "lo", 9999 } },
			.c2w_count = 1,
		},
		.ldap = { .verify = true },
		.tls = {
			.sip = { .version_min = "1.2" },
			.ldap = { .version_min = "1.2" },
			.webadmin = { .version_min = "1.2" },
			.webbridge = { .version_min = "1.2" },
			.syslog = { .version_min = "1.2" },
			.dtls_version_min = "1.2",
		},
		.ssh = { .enabled = true, .listen = { "any", 2222 } },
		.database = { .user = "convoke", .name = "convoke", .sslmode = "verify-full" },
		.syslog = { .enabled = true },
	};
	mmp_parts_defaults(config);
}

/* -- reading ----------------------------------------------------------------------------------- */

static bool
parse_line(struct config *config, struct str line, struct config_error *error)
{
	struct mmp_words words;
	size_t used;
	if (!mmp_split(&words, line, error))
		return false;
	if (words.count == 0)
		return true;
	const struct mmp_command *command = mmp_find(&words, &used, error);
	if (command == NULL)
		return false;
	if (!mmp_is_setting(command)) {
		struct writer w = mmp_sentence(error);
		writer_format(&w, "\"%s\" is an order, not a setting; expected it on the command "
		                  "line: convoke mmp %s", command->words, command->words);
		mmp_sentence_end(error, &w);
		return false;
	}
	return mmp_apply(config, command, &words, used, error);
}

static bool
refuse(struct config_error *error, const char *text)
{
	str_copy(error->text, sizeof error->text, str_of(text));
	return false;
}

bool
config_parse(struct config *out, struct str text, struct config_error *error)
{
	struct config config;
	*error = (struct config_error){ 0 };
	if (text.len > CONFIG_BYTES_MAX)
		return refuse(error, "the file is longer than 1 MiB");
	config_defaults(&config);
	while (text.len != 0) {
		const struct str line = str_cut(&text, '\n');
		error->line++;
		if (line.len > CONFIG_LINE_MAX)
			return refuse(error, "the line is " CONFIG_LINE_TOO_LONG);
		if (!parse_line(&config, line, error))
			return false;
	}
	*out = config;
	*error = (struct config_error){ 0 };
	return true;
}

/* -- writing ----------------------------------------------------------------------------------- */

/* Is this the command that says what the setting is?  Of "enable" and "disable" one is, what is
 * empty needs none. */
static bool
is_said(const struct mmp_command *command, const struct config *config)
{
	const struct mmp_argument *first = &command->arguments[0];
	const void *value = (const char *)config + first->at;
	if (!mmp_is_setting(command))
		return false;
	switch ((unsigned)first->kind) {
	case MMP_ON:
		return *(const bool *)value;
	case MMP_OFF:
		return !*(const bool *)value;
	case MMP_CLEAR_CERTS:
	case MMP_CLEAR_HOST:
	case MMP_CLEAR_LIST:
	case MMP_SYSLOG_DEL:
		return false;
	case MMP_FILE:
	case MMP_FILE_OR_NONE:
	case MMP_HOST_OR_NONE:
	case MMP_SERVER:
	case MMP_IP:
	case MMP_IFACE:
	case MMP_PLAIN:
	case MMP_NFS:
	case MMP_SIP_LISTEN:
	case MMP_SECRET:
	case MMP_CIPHERS:
		return *(const char *)value != '\0';
	case MMP_NODES:
		return *(const uint32_t *)(const void *)((const char *)config + first->count_at) != 0;
	default:
		return true;
	}
}

static void
write_command(struct writer *w, const struct config *config, const struct mmp_command *command)
{
	writer_text(w, command->words);
	for (const struct mmp_argument *a = command->arguments; a->kind != MMP_END; a++) {
		const char *value = (const char *)config + a->at;
		if (a->kind == MMP_ON || a->kind == MMP_OFF ||
		    (a->kind == MMP_FILE_OPTIONAL && *value == '\0'))
			continue;
		writer_text(w, " ");
		mmp_write_value(w, config, a, false);
	}
	writer_text(w, "\n");
}

/* One line for each. */
static void
write_servers(struct writer *w, const struct config *config, const struct mmp_command *command)
{
	const struct config_syslog *syslog =
		(const void *)((const char *)config + command->arguments[0].at);
	for (uint32_t i = 0; i < syslog->count; i++) {
		writer_format(w, "%s ", command->words);
		mmp_write_syslog(w, &syslog->servers[i]);
		writer_text(w, "\n");
	}
}

/* Of what nobody has set, nothing is written. */
static void
write_part(struct writer *w, const struct config *config, const struct config *defaults,
           const struct mmp_command *command)
{
	char usual[CONFIG_LINE_MAX] = "";
	struct writer u = writer_of(usual, sizeof usual);
	const size_t from = w->at;
	write_command(w, config, command);
	if (is_said(command, defaults))
		write_command(&u, defaults, command);
	if (str_eq(str_sub(writer_view(w), from, w->at - from), writer_view(&u)))
		w->at = from;
}

static void
write_commands(struct writer *w, const struct config *config, unsigned components)
{
	struct config defaults;
	config_defaults(&defaults);
	for (size_t i = 0; i < mmp_command_count; i++) {
		const struct mmp_command *command = &mmp_commands[i];
		if ((command->components & components) == 0 || !is_said(command, config))
			continue;
		if (command->arguments[0].kind == MMP_SYSLOG_ADD)
			write_servers(w, config, command);
		else if (command->components == MMP_FOR_PARTS)
			write_part(w, config, &defaults, command);
		else
			write_command(w, config, command);
	}
}

void
config_write(struct writer *w, const struct config *config)
{
	write_commands(w, config, MMP_FOR_ALL | MMP_FOR_SUPERVISOR | MMP_FOR_PARTS);
}

void
config_write_part(struct writer *w, const struct config *config, enum config_component component)
{
	write_commands(w, config, 1u << component);
}

/* -- completeness ------------------------------------------------------------------------------ */

struct tcp_use {
	const char *iface;
	uint16_t port;
	const char *what;
	enum config_component component;
};

static size_t
tcp_uses(struct tcp_use *out, const struct config *config)
{
	size_t count = 0;
	for (uint32_t i = 0; config->callbridge.enabled && i < config->callbridge.iface_count;
	     i++) {
		const char *iface = config->callbridge.ifaces[i];
		out[count++] = (struct tcp_use){ iface, config->callbridge.sip_port, "SIP",
			                         CONFIG_CALLBRIDGE };
		out[count++] = (struct tcp_use){ iface, config->callbridge.sip_tls_port,
			                         "SIP over TLS", CONFIG_CALLBRIDGE };
		out[count++] = (struct tcp_use){ iface, config->callbridge.bfcp_port, "BFCP",
			                         CONFIG_CALLBRIDGE };
		out[count++] = (struct tcp_use){ iface, config->callbridge.bfcp_tls_port,
			                         "BFCP over TLS", CONFIG_CALLBRIDGE };
	}
	if (config->callbridge.enabled && config->webadmin.enabled)
		out[count++] = (struct tcp_use){ config->webadmin.listen.iface,
			                         config->webadmin.listen.port, "Web Admin",
			                         CONFIG_CALLBRIDGE };
	for (uint32_t i = 0; config->webbridge.enabled && i < config->webbridge.https_count; i++)
		out[count++] = (struct tcp_use){ config->webbridge.https[i].iface,
			                         config->webbridge.https[i].port, "the web app",
			                         CONFIG_WEBBRIDGE };
	for (uint32_t i = 0; config->webbridge.enabled && i < config->webbridge.c2w_count; i++)
		out[count++] = (struct tcp_use){ config->webbridge.c2w[i].iface,
			                         config->webbridge.c2w[i].port, "C2W",
			                         CONFIG_WEBBRIDGE };
	if (config->ssh.enabled)
		out[count++] = (struct tcp_use){ config->ssh.listen.iface, config->ssh.listen.port,
			                         "SSH", CONFIG_SSH };
	CHECK(count <= TCP_USES_MAX);
	return count;
}

static bool
interfaces_meet(const char *a, const char *b)
{
	return strcmp(a, b) == 0 || strcmp(a, "any") == 0 || strcmp(b, "any") == 0;
}

/* A clash of others is theirs. */
static bool
ports_distinct(const struct config *config, enum config_component component,
               struct config_error *error)
{
	struct tcp_use uses[TCP_USES_MAX];
	const size_t count = tcp_uses(uses, config);
	struct writer w = mmp_sentence(error);
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (uses[i].port == 0 || uses[i].port != uses[j].port ||
			    !interfaces_meet(uses[i].iface, uses[j].iface) ||
			    (uses[i].component != component && uses[j].component != component))
				continue;
			writer_format(&w, "TCP port %u is wanted by %s and by %s; expected a port "
			                  "of its own for each", (unsigned)uses[i].port,
			              uses[j].what, uses[i].what);
			mmp_sentence_end(error, &w);
			return false;
		}
	}
	const struct {
		uint16_t port;
		const char *what;
	} datagrams[] = { { config->callbridge.sip_port, "SIP" },
		          { config->callbridge.bfcp_port, "BFCP" } };
	const bool media = component == CONFIG_CALLBRIDGE && config->callbridge.enabled;
	for (size_t i = 0; media && i < COUNT_OF(datagrams); i++) {
		if (datagrams[i].port < config->callbridge.media_first ||
		    datagrams[i].port > config->callbridge.media_last)
			continue;
		writer_format(&w, "UDP port %u is wanted by %s and is a media port; expected it "
		                  "outside of %u to %u", (unsigned)datagrams[i].port,
		              datagrams[i].what, (unsigned)config->callbridge.media_first,
		              (unsigned)config->callbridge.media_last);
		mmp_sentence_end(error, &w);
		return false;
	}
	return true;
}

bool
config_complete(const struct config *config, enum config_component component,
                struct config_error *error)
{
	*error = (struct config_error){ 0 };
	if (component == CONFIG_CALLBRIDGE) {
		if (config->callbridge.sip_tls_port != 0 && config->callbridge.certs.key[0] == '\0')
			return refuse(error,
			              "TLS port set but no certificates configured; expected "
			              "callbridge certs <key> <crt>");
		if (config->webadmin.enabled && config->webadmin.certs.key[0] == '\0')
			return refuse(error, "Web Admin has no certificates configured; expected "
			                     "webadmin certs <key> <crt>");
	} else if (component == CONFIG_WEBBRIDGE) {
		if (config->webbridge.https_certs.key[0] == '\0')
			return refuse(error, "no HTTPS certificates configured; expected "
			                     "webbridge3 https certs <key> <fullchain>");
		if (config->webbridge.c2w_certs.key[0] == '\0')
			return refuse(error, "no C2W certificates configured; expected "
			                     "webbridge3 c2w certs <key> <fullchain>");
		if (config->webbridge.c2w_trust[0] == '\0')
			return refuse(error, "no Call Bridge is trusted; expected "
			                     "webbridge3 c2w trust <bundle>");
	}
	return ports_distinct(config, component, error);
}

/* -- for messages ------------------------------------------------------------------------------ */

static bool
has_port(const struct config *config, const struct mmp_argument *argument, uint16_t first,
         uint16_t last)
{
	const char *base = (const char *)config;
	if (argument->kind == MMP_PORT || argument->kind == MMP_PORT_OR_NONE) {
		const uint16_t port = *(const uint16_t *)(const void *)(base + argument->at);
		return port >= first && port <= last;
	}
	if (argument->kind != MMP_LISTENS)
		return false;
	const struct config_listen *listens = (const void *)(base + argument->at);
	const uint32_t count = *(const uint32_t *)(const void *)(base + argument->count_at);
	for (uint32_t i = 0; i < count; i++)
		if (listens[i].port >= first && listens[i].port <= last)
			return true;
	return false;
}

/* The first command that sets a port of this range. */
static const struct mmp_command *
command_of_port(const struct config *config, uint16_t first, uint16_t last)
{
	for (size_t i = 0; i < mmp_command_count; i++) {
		if (mmp_commands[i].components == MMP_FOR_PARTS)
			continue; /* nobody opens these */
		for (const struct mmp_argument *a = mmp_commands[i].arguments; a->kind != MMP_END;
		     a++)
			if (has_port(config, a, first, last))
				return &mmp_commands[i];
	}
	return NULL;
}

bool
config_port_command(struct writer *w, const struct config *config, uint16_t port)
{
	const struct mmp_command *command = command_of_port(config, port, port);
	if (command != NULL)
		mmp_write_usage(w, command);
	else if (port >= config->callbridge.media_first && port <= config->callbridge.media_last)
		writer_text(w, "callbridge media <first> <last>");
	else
		return false;
	return true;
}

bool
config_low_ports(const struct config *config)
{
	return command_of_port(config, 1, PRIVILEGED_PORTS - 1) != NULL;
}

bool
config_path(char *out, size_t cap, const char *data_dir, const char *file)
{
	struct writer w = writer_of(out, cap - 1);
	CHECK(cap != 0);
	if (file[0] != '/')
		writer_format(&w, "%s/", data_dir);
	writer_text(&w, file);
	out[w.failed ? 0 : w.at] = '\0';
	return !w.failed;
}

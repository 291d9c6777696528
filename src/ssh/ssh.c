/* SPDX-License-Identifier: Apache-2.0 */
/* The component: the port, who may come, and the sessions' processes. */
#include "ssh/ssh.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/guesses.h"
#include "api/refusals.h"
#include "base/check.h"
#include "base/log.h"
#include "component/component.h"
#include "mmp/accounts.h"
#include "net/accept.h"
#include "net/audit.h"
#include "net/file_watch.h"
#include "net/files.h"
#include "net/iface.h"
#include "net/line.h"
#include "net/port_owner.h"
#include "net/random.h"
#include "ssh/front.h"

enum {
	LISTENERS_MAX = 2, /* IPv4 and IPv6 */
	CALLERS_MAX = 4,
	UPLOAD_NAME_BYTES = 7,
};

struct server;

struct session {
	struct server *server;
	struct loop_child *process; /* NULL: free */
	struct line *line;
	struct net_addr from;
	int64_t since_us;
	bool logged_in;
	bool counted; /* as a guess of its address */
	bool ending;
	char name[ACCOUNT_NAME_MAX];
};

/* Somebody on the control socket. */
struct caller {
	struct server *server;
	struct line *line;
};

struct server {
	struct component component;
	const struct config *config;
	struct accounts *accounts;
	struct file_watch *watch;
	struct accept_port *ports[LISTENERS_MAX];
	struct line_listener *control;
	struct caller callers[CALLERS_MAX];
	struct guesses guesses;
	struct refusals refusals;
	struct loop_timer *timer; /* of refusals that are told together */
	struct session sessions[SSH_SESSIONS_MAX];
};

/* -- sessions ---------------------------------------------------------------------------------- */

static void
end_session(struct session *session)
{
	if (session->process == NULL || session->ending)
		return;
	session->ending = true;
	(void)loop_child_kill(session->process, SIGTERM);
}

/* -- guesses ----------------------------------------------------------------------------------- */

static void
count_guess(struct session *session)
{
	guesses_failed(&session->server->guesses, &session->from, loop_now_us());
	session->counted = true;
}

static void
tell_refusal(const struct server *server, const char *name, const struct net_addr *addr,
             const char *text)
{
	char path[COMPONENT_PATH_MAX], from[ADDR_TEXT_MAX];
	struct writer w = writer_of(from, sizeof from - 1);
	addr_write_ip(&w, addr);
	from[w.at] = '\0';
	audit_write(component_path(&server->component, path, "log/audit"), name, from,
	            str_of(text));
	log_warning("SSH: user \"%s\" from %s: %s", name, from, text);
}

/* Those of a minute that were not told one by one. */
static void
tell_refusals(struct server *server, int64_t now_us)
{
	struct refusal refusal;
	char text[96];
	while (refusals_take(&server->refusals, &refusal, now_us)) {
		snprintf(text, sizeof text, "login by SSH refused %u more time%s within a minute",
		         (unsigned)refusal.more, refusal.more == 1 ? "" : "s");
		tell_refusal(server, refusal.name[0] != '\0' ? refusal.name : "many", &refusal.from,
		             text);
	}
	loop_timer_arm(server->timer, refusals_deadline(&server->refusals));
}

static void
on_minute(void *context, int64_t now_us)
{
	tell_refusals(context, now_us);
}

/* "NAME WHY" */
static void
on_refused(struct session *session, struct str text, bool always)
{
	struct server *server = session->server;
	char name[ACCOUNT_NAME_MAX], why[160];
	const struct str who = str_cut(&text, ' ');
	if (!account_name_fits(who) || !str_copy(name, sizeof name, who))
		return;
	const bool told = refusals_note(&server->refusals, who, &session->from, loop_now_us());
	snprintf(why, sizeof why, "login by SSH refused: %.*s", (int)(text.len < 100 ? text.len : 100),
	         text.at);
	if (told || always)
		tell_refusal(server, name, &session->from, why);
	tell_refusals(server, loop_now_us());
}

/* -- sessions' ends ---------------------------------------------------------------------------- */

static void
on_ended(void *context, struct loop_child *process, int status, int signal_number)
{
	struct session *session = context;
	(void)status;
	/* Whoever comes and goes without a login costs two processes each time. */
	if (!session->logged_in && !session->counted)
		count_guess(session);
	if (signal_number != 0 && !session->ending)
		log_error("SSH: a session ended by signal %d", signal_number);
	line_close(session->line);
	loop_child_destroy(process);
	*session = (struct session){ .server = session->server };
}

static uint32_t
sessions_of(const struct server *server, struct str name)
{
	uint32_t count = 0;
	for (size_t i = 0; i < SSH_SESSIONS_MAX; i++) {
		const struct session *session = &server->sessions[i];
		count += session->process != NULL && session->logged_in && !session->ending &&
		         str_eq(str_of(session->name), name);
	}
	return count;
}

static void
log_in(struct session *session, struct str name, struct str most)
{
	uint32_t sessions_max = 0;
	const bool fits = str_u32(most, &sessions_max) &&
	                  str_copy(session->name, sizeof session->name, name) &&
	                  (sessions_max == 0 || sessions_of(session->server, name) < sessions_max);
	session->logged_in = fits;
	(void)line_send(session->line, fits ? STR("ok") : STR("full"));
}

static void
on_said(void *context, struct line *line, struct str text)
{
	struct session *session = context;
	struct str rest = text;
	const struct str verb = str_cut(&rest, ' ');
	(void)line;
	if (str_eq(verb, STR("failed"))) {
		count_guess(session);
	} else if (str_eq(verb, STR("refused")) || str_eq(verb, STR("locked"))) {
		count_guess(session);
		on_refused(session, rest, str_eq(verb, STR("locked")));
	} else if (str_eq(verb, STR("login"))) {
		const struct str name = str_cut(&rest, ' ');
		log_in(session, name, rest);
	}
}

static void
on_line_closed(void *context, struct line *line)
{
	struct session *session = context;
	CHECK(line == session->line);
	line_close(line);
	session->line = NULL;
}

static int
start_process(struct session *session, int fd)
{
	static const struct line_handler handler = { .received = on_said,
		                                     .closed = on_line_closed };
	struct server *server = session->server;
	char from[ADDR_TEXT_MAX];
	int fds[2];
	int rc = line_pair(fds);
	if (rc != 0)
		return rc;
	const char *const arguments[] = { "convoke", "ssh-session", server->component.data_dir,
		                          addr_text(from, &session->from), NULL };
	const struct loop_child_settings settings = {
		.file = "/proc/self/exe",
		.arguments = arguments,
		.new_session = true,
		.fds = { fds[1], fd },
		.fd_count = 2,
		.ended = on_ended,
		.context = session,
	};
	rc = loop_child_create(&session->process, server->component.loop, &settings);
	close(fds[1]);
	if (rc != 0) {
		session->process = NULL;
		close(fds[0]);
		return rc;
	}
	if (line_open(&session->line, server->component.loop, fds[0], &handler, session) != 0)
		session->line = NULL; /* then nobody can log in there */
	return 0;
}

/* -- strangers --------------------------------------------------------------------------------- */

static struct session *
free_session(struct server *server)
{
	for (size_t i = 0; i < SSH_SESSIONS_MAX; i++)
		if (server->sessions[i].process == NULL)
			return &server->sessions[i];
	return NULL;
}

/* May one more come from there?  When all places are taken, the longest silent one goes. */
static bool
may_come(struct server *server, const struct net_addr *peer)
{
	const int64_t now_us = loop_now_us();
	struct session *oldest = NULL;
	uint32_t strangers = 0, same = 0;
	for (size_t i = 0; i < SSH_SESSIONS_MAX; i++) {
		struct session *session = &server->sessions[i];
		if (session->process == NULL || session->logged_in || session->ending)
			continue;
		strangers++;
		same += guesses_same_source(&session->from, peer);
		if (oldest == NULL || session->since_us < oldest->since_us)
			oldest = session;
	}
	if (!guesses_allow(&server->guesses, peer, now_us) || same >= SSH_STRANGERS_SOURCE_MAX)
		return false;
	if (strangers < SSH_STRANGERS_MAX)
		return true;
	if (now_us - oldest->since_us < SSH_STRANGER_US_MIN)
		return false;
	end_session(oldest);
	return true;
}

static void
on_connection(void *context, int fd, const struct net_addr *peer)
{
	struct server *server = context;
	struct session *session = free_session(server);
	if (session != NULL && may_come(server, peer)) {
		*session = (struct session){ .server = server, .from = *peer,
			                     .since_us = loop_now_us() };
		const int rc = start_process(session, fd);
		if (rc != 0)
			log_error("SSH: a session cannot be started: %s", strerror(-rc));
	} else {
		log_warning("SSH: a connection is refused: too many, or too many wrong passwords");
	}
	close(fd);
}

/* -- the control socket ------------------------------------------------------------------------ */

static void
on_caller_gone(void *context, struct line *line)
{
	struct caller *caller = context;
	line_close(line);
	caller->line = NULL;
}

static void
on_request(void *context, struct line *line, struct str text)
{
	struct caller *caller = context;
	struct server *server = caller->server;
	struct str name = text;
	char answer[16];
	uint32_t ended = 0;
	if (!str_eq(str_cut(&name, ' '), STR("evict"))) {
		on_caller_gone(caller, line);
		return;
	}
	for (size_t i = 0; i < SSH_SESSIONS_MAX; i++) {
		struct session *session = &server->sessions[i];
		if (!session->logged_in || session->ending || !str_eq(str_of(session->name), name))
			continue;
		end_session(session);
		ended++;
	}
	snprintf(answer, sizeof answer, "%u", (unsigned)ended);
	(void)line_send(line, str_of(answer));
	on_caller_gone(caller, line);
}

static void
on_caller(void *context, int fd)
{
	static const struct line_handler handler = { .received = on_request,
		                                     .closed = on_caller_gone };
	struct server *server = context;
	for (size_t i = 0; i < CALLERS_MAX; i++) {
		struct caller *caller = &server->callers[i];
		if (caller->line != NULL)
			continue;
		caller->server = server;
		if (line_open(&caller->line, server->component.loop, fd, &handler, caller) != 0)
			caller->line = NULL;
		return;
	}
	close(fd);
}

/* -- the port ---------------------------------------------------------------------------------- */

static bool
is_served(const struct server *server)
{
	for (uint32_t i = 0; i < server->accounts->count; i++)
		if (server->accounts->list[i].role != MMP_API)
			return true;
	return false;
}

static void
close_ports(struct server *server)
{
	for (size_t i = 0; i < LISTENERS_MAX; i++) {
		accept_destroy(server->ports[i]);
		server->ports[i] = NULL;
	}
}

static bool
open_port(struct server *server, size_t index, struct net_addr bind)
{
	char owner[PORT_OWNER_TEXT_MAX];
	bind.port = server->config->ssh.listen.port;
	const int rc = accept_create(&server->ports[index], server->component.loop, &bind,
	                             on_connection, server);
	if (rc == 0)
		return true;
	server->ports[index] = NULL;
	return component_fail(&server->component, "SSH: %s (change it with \"ssh listen\")",
	                      rc == -EADDRINUSE ? port_owner_text(owner, PORT_TCP, &bind)
	                                        : strerror(-rc));
}

static bool
open_ports(struct server *server)
{
	const char *iface = server->config->ssh.listen.iface;
	struct net_addr bind = addr_ip4(0, 0, 0, 0, 0);
	const bool any = strcmp(iface, "any") == 0;
	if (server->ports[0] != NULL)
		return true;
	if (!any && iface_addresses(iface, &bind, 1) < 1)
		return component_fail(&server->component,
		                      "SSH: there is no interface \"%s\" with an address", iface);
	if (!open_port(server, 0, bind))
		return false;
	if (any) {
		/* IPv6 too, on a machine that has it. */
		bind = (struct net_addr){ .family = ADDR_IP6,
			                  .port = server->config->ssh.listen.port };
		if (accept_create(&server->ports[1], server->component.loop, &bind, on_connection,
		                  server) != 0)
			server->ports[1] = NULL;
	}
	log_info("SSH is served on port %u", server->config->ssh.listen.port);
	return true;
}

/* Reads who may log in; without anybody there is no port. */
static bool
follow_accounts(struct server *server)
{
	char path[COMPONENT_PATH_MAX], *bytes;
	uint32_t line;
	size_t len;
	const int rc = file_read(component_path(&server->component, path, "accounts"),
	                         ACCOUNTS_BYTES_MAX, &bytes, &len);
	accounts_init(server->accounts);
	if (rc == 0) {
		if (!accounts_parse(server->accounts, (struct str){ bytes, len }, &line))
			log_error("%s, line %u is damaged: nobody can log in by SSH", path, line);
		explicit_bzero(bytes, len);
		free(bytes);
	}
	const bool served = is_served(server);
	explicit_bzero(server->accounts, sizeof *server->accounts);
	if (served)
		return open_ports(server);
	close_ports(server);
	log_info("SSH waits for an account that may log in: convoke mmp user add NAME ROLE");
	return true;
}

static void
on_accounts(void *context)
{
	(void)follow_accounts(context);
}

/* -- life -------------------------------------------------------------------------------------- */

static void
on_stop(void *context)
{
	struct server *server = context;
	for (size_t i = 0; i < SSH_SESSIONS_MAX; i++)
		end_session(&server->sessions[i]);
	loop_stop(server->component.loop);
}

/* What earlier sessions that were killed did not finish. */
static void
remove_uploads(const struct server *server)
{
	char path[COMPONENT_PATH_MAX];
	DIR *folder = opendir(component_path(&server->component, path, "run"));
	const struct dirent *entry;
	if (folder == NULL)
		return;
	while ((entry = readdir(folder)) != NULL)
		if (strncmp(entry->d_name, "upload-", UPLOAD_NAME_BYTES) == 0)
			(void)unlinkat(dirfd(folder), entry->d_name, 0);
	closedir(folder);
}

static bool
start(struct server *server)
{
	char path[COMPONENT_PATH_MAX];
	struct hash_key key;
	remove_uploads(server);
	random_bytes(&key, sizeof key);
	guesses_init(&server->guesses, &key);
	server->accounts = calloc(1, sizeof *server->accounts);
	if (server->accounts == NULL)
		return component_fail(&server->component, "not enough memory");
	int rc = front_make_host_key(component_path(&server->component, path, "ssh_host_ed25519"));
	if (rc != 0)
		return component_fail(&server->component, "%s: %s", path, strerror(-rc));
	rc = line_listen(&server->control, server->component.loop,
	                 component_path(&server->component, path, "run/ssh.sock"), on_caller,
	                 server);
	if (rc != 0)
		return component_fail(&server->component, "%s: %s", path, strerror(-rc));
	rc = loop_timer_create(&server->timer, server->component.loop, on_minute, server);
	if (rc != 0)
		return component_fail(&server->component, "not enough memory");
	rc = file_watch_create(&server->watch, server->component.loop, server->component.data_dir,
	                       "accounts", on_accounts, server);
	if (rc != 0)
		return component_fail(&server->component, "the accounts cannot be watched: %s",
		                      strerror(-rc));
	return follow_accounts(server);
}

static void
finish(struct server *server)
{
	close_ports(server);
	if (server->timer != NULL)
		tell_refusals(server, INT64_MAX);
	loop_timer_destroy(server->timer);
	file_watch_destroy(server->watch);
	if (server->control != NULL)
		line_unlisten(server->control);
	for (size_t i = 0; i < CALLERS_MAX; i++)
		line_close(server->callers[i].line);
	for (size_t i = 0; i < SSH_SESSIONS_MAX; i++) {
		end_session(&server->sessions[i]);
		line_close(server->sessions[i].line);
		if (server->sessions[i].process != NULL)
			loop_child_destroy(server->sessions[i].process);
	}
	free(server->accounts);
	component_close(&server->component);
}

int
ssh_main(const char *data_dir, const struct config *config)
{
	static struct server server;
	server.component = (struct component){ .name = "SSH server",
		                               .data_dir = data_dir,
		                               .stop = on_stop,
		                               .context = &server };
	server.config = config;
	log_set_level(config->log_debug ? LOG_DEBUG : LOG_INFO);
	if (component_open(&server.component) != 0)
		return 1;
	const int status = component_run(&server.component, start(&server));
	finish(&server);
	return status;
}

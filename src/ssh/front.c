/* SPDX-License-Identifier: Apache-2.0 */
#include "ssh/front.h"

#include <errno.h>
#include <fcntl.h>
#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "mmp/editor.h"
#include "mmp/mmp.h"
#include "ssh/front_files.h"
#include "ssh/link.h"
#include "ssh/sandbox.h"
#include "ssh/ssh.h"

/* What every client of the last ten years speaks, and nothing older. */
static const char key_exchanges[] =
	"curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,"
	"ecdh-sha2-nistp521,diffie-hellman-group16-sha512";
static const char ciphers[] = "chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,"
			      "aes128-gcm@openssh.com,aes256-ctr,aes128-ctr";
static const char macs[] = "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,"
			   "hmac-sha2-256,hmac-sha2-512";

/* No SHA-1 in RSA's signatures. */
static const char user_keys[] = "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,"
				"ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256";

enum {
	LOOK_MS = 1000,
	PROMPT_MAX = 96,
	USUAL_WIDTH = 80,
};

enum service {
	SERVICE_NONE,
	SERVICE_SHELL,
	SERVICE_EXEC,
	SERVICE_SFTP,
};

struct front {
	struct front_settings settings;
	ssh_session session;
	ssh_event event;
	ssh_channel channel;
	struct ssh_channel_callbacks_struct channel_callbacks;
	unsigned tries;
	unsigned key_tries;
	bool logged_in;
	enum mmp_role role;
	int64_t active_s; /* the last key, or the last word of a command */
	char prompt[PROMPT_MAX];

	enum service service;
	bool terminal;
	bool begun;   /* the service has */
	bool running; /* a command */
	bool asking;  /* it asks */
	bool ended;   /* no more input */
	bool finish;  /* the channel is to be closed */
	uint32_t width;
	int status;
	char command[CONFIG_LINE_MAX + 2]; /* exec */
	struct editor editor;
	struct sftp sftp;
	struct front_files files;
	size_t typed_len;
	char typed[FRONT_TYPED_MAX];
	char buffer[LINK_BYTES_MAX];
};

static int64_t
now_s(void)
{
	struct timespec now;
	CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
	return now.tv_sec;
}

_Noreturn static void
end(void)
{
	_exit(0);
}

/* -- the back ---------------------------------------------------------------------------------- */

static void
tell(struct front *front, enum link_kind kind, struct str text, struct str more)
{
	const struct link_message message = { .kind = kind, .text = text, .more = more };
	if (link_send(front->settings.link, &message, -1) != 0)
		end();
}

static void
hear(struct front *front, struct link_message *message)
{
	int fd;
	if (link_receive(front->settings.link, front->buffer, message, &fd) != 0)
		end();
	if (fd >= 0)
		close(fd);
}

/* -- the channel ------------------------------------------------------------------------------- */

static void
send_bytes(struct front *front, struct str bytes)
{
	while (bytes.len != 0 && front->channel != NULL) {
		const uint32_t some = bytes.len < LINK_TEXT_MAX ? (uint32_t)bytes.len
		                                                : (uint32_t)LINK_TEXT_MAX;
		const int sent = ssh_channel_write(front->channel, bytes.at, some);
		if (sent <= 0) {
			front->finish = true;
			return;
		}
		bytes = str_sub(bytes, (size_t)sent, bytes.len - (size_t)sent);
	}
}

/* A terminal goes back to the left only by CR. */
static void
send_text(struct front *front, struct str text)
{
	while (front->terminal && text.len != 0) {
		const size_t line = str_find(text, '\n');
		send_bytes(front, str_sub(text, 0, line));
		if (line == text.len)
			return;
		send_bytes(front, STR("\r\n"));
		text = str_sub(text, line + 1, text.len - line - 1);
	}
	send_bytes(front, text);
}

static void
flush_editor(struct front *front)
{
	send_bytes(front, editor_output(&front->editor));
}

/* -- the command line -------------------------------------------------------------------------- */

static void
ask_for_command(struct front *front)
{
	editor_ask(&front->editor, front->terminal ? front->prompt : "", false);
	flush_editor(front);
}

static void
run(struct front *front, struct str line)
{
	const struct str command = str_trim(line);
	if (command.len == 0) {
		ask_for_command(front);
	} else if (str_eq(command, STR("exit")) || str_eq(command, STR("quit")) ||
	           str_eq(command, STR("logout"))) {
		front->finish = true;
	} else {
		front->running = true;
		tell(front, LINK_RUN, command, (struct str){ 0 });
	}
}

static void
on_too_long(struct front *front)
{
	send_text(front, STR("FAILURE: the command is " CONFIG_LINE_TOO_LONG "\n"));
	front->status = 1;
	ask_for_command(front);
}

static void
on_line_event(struct front *front, enum editor_event event)
{
	const bool asking = front->asking;
	front->asking = false;
	if (asking && event == EDITOR_LINE) {
		tell(front, LINK_ANSWER, editor_line(&front->editor), (struct str){ 0 });
		editor_ask(&front->editor, "", true); /* wiped; nothing is shown until it is asked */
	} else if (asking) {
		tell(front, LINK_STOP, (struct str){ 0 }, (struct str){ 0 });
	} else if (event == EDITOR_LINE) {
		run(front, editor_line(&front->editor));
	} else if (event == EDITOR_INTERRUPT) {
		ask_for_command(front);
	} else if (event == EDITOR_TOO_LONG) {
		on_too_long(front);
	} else {
		send_text(front, STR("\n"));
		front->finish = true;
	}
}

static void
drop_typed(struct front *front, size_t len)
{
	memmove(front->typed, front->typed + len, front->typed_len - len);
	front->typed_len -= len;
	explicit_bzero(front->typed + front->typed_len, len);
}

/* While a command runs, Ctrl-C is the one key that counts; what is typed behind it waits. */
static void
look_for_interrupt(struct front *front)
{
	const char *key = front->terminal ? memchr(front->typed, '\x03', front->typed_len) : NULL;
	if (key == NULL)
		return;
	drop_typed(front, (size_t)(key - front->typed) + 1);
	send_text(front, STR("^C\n"));
	tell(front, LINK_STOP, (struct str){ 0 }, (struct str){ 0 });
}

static void
type_keys(struct front *front)
{
	const char *at = front->typed;
	size_t len = front->typed_len;
	while (len != 0 && (!front->running || front->asking) && !front->finish) {
		const enum editor_event event = editor_input(&front->editor, &at, &len);
		flush_editor(front);
		if (event != EDITOR_NONE)
			on_line_event(front, event);
	}
	drop_typed(front, front->typed_len - len);
	if (front->running && !front->asking)
		look_for_interrupt(front);
}

/* The last line of a script may lack its LF. */
static void
on_input_ended(struct front *front)
{
	if (front->typed_len != 0 || (front->running && !front->asking))
		return;
	if (front->asking) {
		on_line_event(front, editor_line(&front->editor).len != 0 ? EDITOR_LINE : EDITOR_END);
	} else if (front->service == SERVICE_SHELL && !front->terminal &&
	           editor_line(&front->editor).len != 0) {
		const char *lf = "\n";
		size_t one = 1;
		on_line_event(front, editor_input(&front->editor, &lf, &one));
		front->finish = !front->running;
	} else {
		front->finish = true;
	}
}

static void
on_done(struct front *front, int64_t status)
{
	front->running = front->asking = false;
	front->status = status != 0 || (front->service == SERVICE_SHELL && !front->terminal &&
	                                front->status != 0);
	if (front->service == SERVICE_EXEC)
		front->finish = true;
	else
		ask_for_command(front);
}

/* The back speaks while a command runs. */
static void
on_back(struct front *front)
{
	struct link_message message;
	hear(front, &message);
	front->active_s = now_s();
	switch ((unsigned)message.kind) {
	case LINK_SAY:
		send_text(front, message.text);
		break;
	case LINK_ASK: {
		char question[MMP_QUESTION_MAX + 2];
		snprintf(question, sizeof question, "%.*s ", STR_ARGS(message.text));
		front->asking = true;
		editor_ask(&front->editor, question, message.number != 0);
		flush_editor(front);
		break;
	}
	case LINK_DONE:
		on_done(front, message.number);
		break;
	default:
		end();
	}
}

/* -- what the channel is asked for ------------------------------------------------------------- */

static void
candidates(void *context, struct str line, struct writer *w)
{
	const struct front *front = context;
	mmp_write_candidates(w, line, front->role);
}

static int
on_pty(ssh_session session, ssh_channel channel, const char *terminal, int width, int height,
       int width_px, int height_px, void *context)
{
	struct front *front = context;
	(void)session, (void)channel, (void)terminal, (void)height, (void)width_px, (void)height_px;
	front->terminal = front->service == SERVICE_NONE || front->terminal;
	front->width = width > 0 ? (uint32_t)width : USUAL_WIDTH;
	return SSH_OK;
}

static int
on_resize(ssh_session session, ssh_channel channel, int width, int height, int width_px,
          int height_px, void *context)
{
	struct front *front = context;
	(void)session, (void)channel, (void)height, (void)width_px, (void)height_px;
	if (width > 0)
		editor_resize(&front->editor, (uint32_t)width);
	return SSH_OK;
}

/* One service a channel. */
static int
serve(struct front *front, enum service service)
{
	if (front->service != SERVICE_NONE)
		return SSH_ERROR;
	front->service = service;
	editor_init(&front->editor, !front->terminal, front->width, candidates, front);
	return SSH_OK;
}

static int
on_shell(ssh_session session, ssh_channel channel, void *context)
{
	(void)session, (void)channel;
	return serve(context, SERVICE_SHELL);
}

static int
on_exec(ssh_session session, ssh_channel channel, const char *command, void *context)
{
	struct front *front = context;
	const struct str text = str_of(command);
	const size_t most = sizeof front->command - 1; /* one more than may be: the back refuses it */
	(void)session, (void)channel;
	if (serve(front, SERVICE_EXEC) != SSH_OK)
		return SSH_ERROR;
	str_copy(front->command, sizeof front->command,
	         str_sub(text, 0, text.len < most ? text.len : most));
	return SSH_OK;
}

static int
on_subsystem(ssh_session session, ssh_channel channel, const char *name, void *context)
{
	(void)session, (void)channel;
	return strcmp(name, "sftp") == 0 ? serve(context, SERVICE_SFTP) : SSH_ERROR;
}

/* ssh(1) sends it for keys of its own; Ctrl-C of a terminal comes as a byte. */
static void
on_signal(ssh_session session, ssh_channel channel, const char *name, void *context)
{
	struct front *front = context;
	(void)session, (void)channel;
	if (front->running && (strcmp(name, "INT") == 0 || strcmp(name, "TERM") == 0))
		tell(front, LINK_STOP, (struct str){ 0 }, (struct str){ 0 });
}

static void
on_close(ssh_session session, ssh_channel channel, void *context)
{
	struct front *front = context;
	(void)session, (void)channel;
	if (front->running)
		end(); /* with whatever it was doing: the back hears that nobody listens */
	front->finish = true;
}

static ssh_channel
on_channel(ssh_session session, void *context)
{
	struct front *front = context;
	if (!front->logged_in || front->channel != NULL)
		return NULL;
	front->channel = ssh_channel_new(session);
	front->service = SERVICE_NONE;
	front->terminal = front->begun = front->running = front->asking = false;
	front->ended = front->finish = false;
	front->width = USUAL_WIDTH;
	front->status = 0;
	front->typed_len = 0;
	front->channel_callbacks = (struct ssh_channel_callbacks_struct){
		.userdata = front,
		.channel_pty_request_function = on_pty,
		.channel_pty_window_change_function = on_resize,
		.channel_shell_request_function = on_shell,
		.channel_exec_request_function = on_exec,
		.channel_subsystem_request_function = on_subsystem,
		.channel_signal_function = on_signal,
		.channel_close_function = on_close,
	};
	ssh_callbacks_init(&front->channel_callbacks);
	if (front->channel != NULL)
		ssh_set_channel_callbacks(front->channel, &front->channel_callbacks);
	return front->channel;
}

/* The back's word, for the password or the key just told. */
static bool
is_let_in(struct front *front)
{
	struct link_message verdict;
	hear(front, &verdict);
	if (verdict.kind != LINK_VERDICT || verdict.number != 1)
		return false;
	CHECK(verdict.size >= 0 && verdict.size < MMP_ROLES);
	front->role = (enum mmp_role)verdict.size;
	return true;
}

static int
enter(struct front *front)
{
	front->logged_in = true;
	front->active_s = now_s();
	return SSH_AUTH_SUCCESS;
}

/* First it is offered, then its owner proves to have it: libssh has checked the signature. */
static int
on_key(ssh_session session, const char *user, struct ssh_key_struct *key, char state, void *context)
{
	struct front *front = context;
	char *base64 = NULL;
	const struct str name = str_of(user);
	const bool proven = state == SSH_PUBLICKEY_STATE_VALID;
	(void)session;
	if (front->logged_in || (!proven && state != SSH_PUBLICKEY_STATE_NONE) ||
	    ssh_pki_export_pubkey_base64(key, &base64) != SSH_OK)
		return SSH_AUTH_DENIED;
	if (front->key_tries++ == SSH_KEY_TRIES || name.len > LINK_TEXT_MAX ||
	    strlen(base64) > LINK_TEXT_MAX)
		end();
	const struct link_message message = { .kind = LINK_KEY, .number = proven, .text = name,
		                              .more = str_of(base64) };
	if (link_send(front->settings.link, &message, -1) != 0)
		end();
	ssh_string_free_char(base64);
	if (!is_let_in(front))
		return SSH_AUTH_DENIED;
	return proven ? enter(front) : SSH_AUTH_SUCCESS;
}

static int
on_password(ssh_session session, const char *user, const char *password, void *context)
{
	struct front *front = context;
	const struct str name = str_of(user), text = str_of(password);
	(void)session;
	if (front->logged_in)
		return SSH_AUTH_DENIED;
	if (front->tries++ == SSH_LOGIN_TRIES || name.len > LINK_TEXT_MAX ||
	    text.len > LINK_TEXT_MAX)
		end();
	tell(front, LINK_LOGIN, name, text);
	return is_let_in(front) ? enter(front) : SSH_AUTH_DENIED;
}

/* -- the loop ---------------------------------------------------------------------------------- */

static void
begin(struct front *front)
{
	front->begun = true;
	if (front->service == SERVICE_SHELL)
		ask_for_command(front);
	else if (front->service == SERVICE_EXEC)
		run(front, str_of(front->command));
	else
		front_files_init(&front->files, &front->sftp, front->settings.link);
	/* An empty command is a shell's idea of nothing to do. */
	if (front->service == SERVICE_EXEC && !front->running)
		front->finish = true;
}

static void
transfer(struct front *front)
{
	const uint8_t *at = (const uint8_t *)front->typed;
	size_t len = front->typed_len;
	while (len != 0 && !front->finish) {
		front->finish = !sftp_input(&front->sftp, &at, &len);
		send_bytes(front, sftp_output(&front->sftp));
	}
	drop_typed(front, front->typed_len - len);
	if (front->ended && front->typed_len == 0)
		front->finish = true;
}

/* Takes what came, as far as there is room; the peer's window closes behind that. */
static void
take(struct front *front)
{
	while (!front->ended && front->typed_len < FRONT_TYPED_MAX) {
		const int got = ssh_channel_read_nonblocking(
			front->channel, front->typed + front->typed_len,
			(uint32_t)(FRONT_TYPED_MAX - front->typed_len), 0);
		if (got == SSH_EOF || got == SSH_ERROR || ssh_channel_is_eof(front->channel))
			front->ended = got <= 0;
		if (got <= 0)
			return;
		front->typed_len += (size_t)got;
		front->active_s = now_s();
	}
}

static void
close_channel(struct front *front)
{
	if (front->running)
		end();
	if (front->service == SERVICE_SFTP && front->begun)
		front_files_fini(&front->files, &front->sftp);
	(void)ssh_channel_request_send_exit_status(front->channel, front->status);
	(void)ssh_channel_send_eof(front->channel);
	(void)ssh_channel_close(front->channel);
	ssh_channel_free(front->channel);
	editor_fini(&front->editor);
	front->channel = NULL;
	front->active_s = now_s();
}

static void
pump(struct front *front)
{
	if (front->channel == NULL || front->service == SERVICE_NONE) {
		if (front->channel != NULL && front->finish)
			close_channel(front);
		return;
	}
	if (!front->begun)
		begin(front);
	take(front);
	if (front->service == SERVICE_SFTP)
		transfer(front);
	else
		type_keys(front);
	if (front->ended && front->service != SERVICE_SFTP)
		on_input_ended(front);
	if (front->finish)
		close_channel(front);
}

static int
on_link(socket_t fd, int events, void *context)
{
	struct front *front = context;
	(void)fd;
	if ((events & POLLIN) != 0)
		on_back(front);
	else if ((events & (POLLHUP | POLLERR)) != 0)
		end();
	return SSH_OK;
}

/* Everything has its time: the login, a person who went away, a peer that does not read. */
static void
look_at_clock(struct front *front, int64_t begun_s)
{
	const int64_t now = now_s();
	if (!front->logged_in && now - begun_s > SSH_LOGIN_S)
		end();
	if (front->logged_in && !front->running && now - front->active_s > SSH_IDLE_S)
		end();
	alarm(front->logged_in ? SSH_STUCK_S : SSH_LOGIN_S); /* whatever a library waits for */
}

static bool
open_session(struct front *front)
{
	const ssh_bind bind = ssh_bind_new();
	const bool process_config = false;
	front->session = ssh_new();
	front->event = ssh_event_new();
	if (bind == NULL || front->session == NULL || front->event == NULL ||
	    ssh_bind_options_set(bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &process_config) != 0 ||
	    ssh_bind_options_set(bind, SSH_BIND_OPTIONS_HOSTKEY, front->settings.host_key) != 0 ||
	    ssh_bind_options_set(bind, SSH_BIND_OPTIONS_KEY_EXCHANGE, key_exchanges) != 0 ||
	    ssh_bind_options_set(bind, SSH_BIND_OPTIONS_CIPHERS_C_S, ciphers) != 0 ||
	    ssh_bind_options_set(bind, SSH_BIND_OPTIONS_CIPHERS_S_C, ciphers) != 0 ||
	    ssh_bind_options_set(bind, SSH_BIND_OPTIONS_HMAC_C_S, macs) != 0 ||
	    ssh_bind_options_set(bind, SSH_BIND_OPTIONS_HMAC_S_C, macs) != 0 ||
	    ssh_bind_options_set(bind, SSH_BIND_OPTIONS_HOSTKEY_ALGORITHMS, "ssh-ed25519") != 0 ||
	    ssh_bind_options_set(bind, SSH_BIND_OPTIONS_PUBKEY_ACCEPTED_KEY_TYPES, user_keys) != 0 ||
	    ssh_bind_accept_fd(bind, front->session, front->settings.connection) != SSH_OK) {
		fprintf(stderr, "convoke ssh: %s\n", bind != NULL ? ssh_get_error(bind) : "no memory");
		return false;
	}
	return true; /* the bind has the key and stays */
}

void
front_run(const struct front_settings *settings)
{
	static struct front front;
	static struct ssh_server_callbacks_struct callbacks = {
		.userdata = &front,
		.auth_password_function = on_password,
		.auth_pubkey_function = on_key,
		.channel_open_request_session_function = on_channel,
	};
	front.settings = *settings;
	snprintf(front.prompt, sizeof front.prompt, "%.64s> ", settings->host_name);
	tzset();
	if (ssh_init() != SSH_OK || !open_session(&front))
		_exit(1);
	if (front_sandbox_enter() != 0) {
		fprintf(stderr, "convoke ssh: this kernel cannot lock the session in (seccomp)\n");
		_exit(1);
	}
	alarm(SSH_LOGIN_S);
	const int64_t begun_s = now_s();
	ssh_callbacks_init(&callbacks);
	ssh_set_server_callbacks(front.session, &callbacks);
	ssh_set_auth_methods(front.session, SSH_AUTH_METHOD_PASSWORD | SSH_AUTH_METHOD_PUBLICKEY);
	if (ssh_handle_key_exchange(front.session) != SSH_OK ||
	    ssh_event_add_session(front.event, front.session) != SSH_OK ||
	    ssh_event_add_fd(front.event, settings->link, POLLIN, on_link, &front) != SSH_OK)
		end();
	for (;;) {
		look_at_clock(&front, begun_s);
		if (ssh_event_dopoll(front.event, LOOK_MS) == SSH_ERROR ||
		    (ssh_get_status(front.session) & (SSH_CLOSED | SSH_CLOSED_ERROR)) != 0)
			end();
		pump(&front);
	}
}

/* -- the host key ------------------------------------------------------------------------------ */

int
front_make_host_key(const char *path)
{
	ssh_key key = NULL;
	char temporary[1200];
	if (access(path, R_OK) == 0)
		return 0;
	snprintf(temporary, sizeof temporary, "%s.new", path);
	const mode_t before = umask(077);
	int rc = -EIO;
	if (ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &key) == SSH_OK &&
	    ssh_pki_export_privkey_file(key, NULL, NULL, NULL, temporary) == SSH_OK)
		rc = rename(temporary, path) == 0 ? 0 : -errno;
	umask(before);
	ssh_key_free(key);
	return rc;
}

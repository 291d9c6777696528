/* SPDX-License-Identifier: Apache-2.0 */
#include "mmp/mmp.h"

#include <string.h>

#include "base/check.h"
#include "mmp/mmp_internal.h"

enum {
	HELP_COLUMN = 60,
	SHOWN_MAX = 60, /* of a name that is refused */
};

static struct mmp_answer
answer(enum mmp_result result)
{
	return (struct mmp_answer){ .result = result };
}

static struct mmp_answer
fail(struct writer *out, const char *text)
{
	writer_format(out, "FAILURE: %s\n", text);
	return answer(MMP_FAILED);
}

/* The very words that programs of administrators look for. */
static struct mmp_answer
unknown(struct writer *out, struct str word)
{
	writer_format(out, "Unknown command: %.*s\n", STR_ARGS(word));
	return answer(MMP_UNKNOWN);
}

/* -- status blocks ----------------------------------------------------------------------------- */

static struct str
first_word(const struct mmp_command *command)
{
	struct str rest = str_of(command->words);
	return str_cut(&rest, ' ');
}

/* Whoever may run some command of a component sees what is set. */
static bool
may_see(struct str component, enum mmp_role role)
{
	for (size_t i = 0; i < mmp_command_count; i++)
		if (mmp_may_run(&mmp_commands[i], role) &&
		    str_eq(first_word(&mmp_commands[i]), component))
			return true;
	return false;
}

static bool
show_status(struct writer *out, const struct config *config, const struct mmp_host *host,
            struct str component)
{
	size_t width = 0;
	if (!may_see(component, host->user->role))
		return false;
	for (size_t i = 0; i < mmp_status_line_count; i++)
		if (str_eq(component, str_of(mmp_status_lines[i].component)) &&
		    strlen(mmp_status_lines[i].key) > width)
			width = strlen(mmp_status_lines[i].key);
	if (width == 0)
		return false;
	for (size_t i = 0; i < mmp_status_line_count; i++) {
		const struct mmp_status_line *line = &mmp_status_lines[i];
		if (!str_eq(component, str_of(line->component)))
			continue;
		writer_format(out, "%-*s : ", (int)width, line->key);
		mmp_write_value(out, config, &line->value, true);
		writer_text(out, "\n");
	}
	/* CMS' own form, which scripts look for. */
	if (str_eq(component, STR("webadmin")))
		writer_format(out, "STATUS : webadmin %s\n",
		              config->webadmin.enabled &&
		                              host->component_runs(host->context, CONFIG_CALLBRIDGE)
		                      ? "running"
		                      : "not running");
	if (mmp_part_enabled(config, component))
		writer_format(out, "STATUS : %.*s not running (not in this version)\n",
		              STR_ARGS(component));
	return true;
}

/* -- help -------------------------------------------------------------------------------------- */

static struct mmp_answer
show_help(struct writer *out, struct str component, enum mmp_role role)
{
	bool any = false;
	for (size_t i = 0; i < mmp_command_count; i++) {
		if (!mmp_may_run(&mmp_commands[i], role) ||
		    (component.len != 0 && !str_eq(first_word(&mmp_commands[i]), component)))
			continue;
		any = true;
		const size_t from = out->at;
		mmp_write_usage(out, &mmp_commands[i]);
		const size_t len = out->at - from;
		writer_format(out, "%*s  %s\n", (int)(len < HELP_COLUMN ? HELP_COLUMN - len : 0),
		              "", mmp_commands[i].help);
	}
	if (component.len == 0 && role == MMP_ADMIN)
		writer_text(out,
		            "callbridge, webadmin, webbridge3, tls, dns, ssh, database, recorder, "
		            "streamer, uploader, scheduler, turn, meetingapps, syslog alone show what is "
		            "set.\n");
	if (any)
		return answer(MMP_SHOWN);
	return unknown(out, component);
}

/* -- settings ---------------------------------------------------------------------------------- */

static bool
fits(struct writer *out, const struct mmp_host *host, const struct mmp_check *check)
{
	char why[CONFIG_ERROR_MAX];
	struct writer w = writer_of(why, sizeof why);
	if (host->fits(host->context, check, &w)) {
		if (check->key != NULL)
			writer_text(out, "SUCCESS: Key and certificate pair match\n");
		if (check->kind == MMP_CHECK_SERVER && check->bundle[0] != '\0')
			writer_text(out, "SUCCESS: certificate verified against CA bundle\n");
		return true;
	}
	writer_format(out, "FAILURE: %.*s\n", STR_ARGS(writer_view(&w)));
	return false;
}

static bool
pair_matches(struct writer *out, const struct mmp_host *host, const struct config_certs *certs)
{
	const struct mmp_check check = { .kind = MMP_CHECK_PAIR,
		                         .key = certs->key,
		                         .certificate = certs->certificate };
	return certs->key[0] == '\0' || fits(out, host, &check);
}

/* Of a setting just made. */
static bool
setting_fits(struct writer *out, const struct mmp_host *host, const struct config *config,
             const struct mmp_command *command)
{
	const char *at = (const char *)config + command->arguments[0].at;
	struct mmp_check check = { .kind = command->order == MMP_ORDER_CLIENT ? MMP_CHECK_CLIENT
		                                                              : MMP_CHECK_SERVER };
	switch ((unsigned)command->order) {
	case MMP_ORDER_CERTS:
	case MMP_ORDER_CLIENT: {
		const struct config_certs *certs =
			(const void *)(at - offsetof(struct config_certs, key));
		check.key = certs->key;
		check.certificate = certs->certificate;
		check.bundle = certs->bundle;
		return fits(out, host, &check);
	}
	case MMP_ORDER_TRUST:
		check.kind = MMP_CHECK_TRUST;
		check.bundle = at;
		break;
	case MMP_ORDER_CIPHERS:
		check.kind = MMP_CHECK_CIPHERS;
		check.ciphers = at;
		break;
	default:
		return true;
	}
	return *at == '\0' || fits(out, host, &check);
}

/* `config` with the component enabled: are its files and settings in order? */
static bool
may_enable(struct writer *out, const struct config *config, const struct mmp_host *host,
           enum config_component component, struct str name)
{
	struct config_error error;
	const struct config_certs *all[] = {
		component == CONFIG_WEBBRIDGE   ? &config->webbridge.https_certs
		: component == CONFIG_SSH       ? NULL
		: str_eq(name, STR("webadmin")) ? &config->webadmin.certs
		                                : &config->callbridge.certs,
		component == CONFIG_WEBBRIDGE ? &config->webbridge.c2w_certs : NULL,
	};
	if (!config_complete(config, component, &error)) {
		writer_format(out, "FAILURE: %s\n", error.text);
		writer_format(out, "FAILURE: %.*s configuration not complete\n", STR_ARGS(name));
		return false;
	}
	for (size_t i = 0; i < COUNT_OF(all); i++)
		if (all[i] != NULL && !pair_matches(out, host, all[i]))
			return false;
	return true;
}

static enum config_component
component_of(const struct mmp_command *command)
{
	return (command->components & MMP_FOR_WEBBRIDGE) != 0 ? CONFIG_WEBBRIDGE
	       : (command->components & MMP_FOR_SSH) != 0     ? CONFIG_SSH
	                                                      : CONFIG_CALLBRIDGE;
}

/* The words as they were typed, but for secrets. */
static void
write_typed(struct writer *out, const struct mmp_command *command, const struct mmp_words *words,
            size_t used)
{
	const struct mmp_argument *argument = command->arguments;
	bool secret = false;
	for (size_t i = 0; i < words->count; i++) {
		secret = secret || (i >= used && argument->kind == MMP_SECRET);
		writer_format(out, "%s%.*s", i != 0 ? " " : "",
		              STR_ARGS(secret ? STR("***") : words->word[i]));
		if (i >= used && argument->kind != MMP_END && argument->kind != MMP_IFACES &&
		    argument->kind != MMP_LISTENS && argument->kind != MMP_SIP_LISTEN &&
		    argument->kind != MMP_TEXTS)
			argument++;
	}
}

/* As may_enable(), of a part; whoever asks hears that there is nothing to start. */
static bool
may_enable_part(struct writer *out, const struct config *config, const struct mmp_host *host,
                struct str name)
{
	struct config_error error;
	const struct config_certs *certs;
	const char *title = mmp_part_title(name);
	if (!mmp_part_complete(config, name, &error)) {
		writer_format(out, "FAILURE: %s\n", error.text);
		writer_format(out, "FAILURE: %s configuration not complete\n", title);
		return false;
	}
	for (size_t i = 0; (certs = mmp_part_certs(config, name, i)) != NULL; i++)
		if (!pair_matches(out, host, certs))
			return false;
	return true;
}

static void
say_done(struct writer *out, const struct mmp_command *command, const struct mmp_words *words,
         size_t used)
{
	const struct mmp_argument *first = &command->arguments[0];
	const char *title = mmp_part_title(words->word[0]);
	const struct str name = title != NULL ? str_of(title) : words->word[0];
	if (used != 2 || (first->kind != MMP_ON && first->kind != MMP_OFF)) {
		writer_text(out, "SUCCESS: ");
		write_typed(out, command, words, used);
		writer_text(out, "\n");
		return;
	}
	writer_format(out, "SUCCESS: %.*s %s\n", STR_ARGS(name),
	              first->kind == MMP_ON ? "enabled" : "disabled");
	if (title != NULL && first->kind == MMP_ON)
		writer_text(out, "This version of Convoke does not run it: the settings are kept, and "
		                 "nothing is started\n");
}

/* Every file that the command names: may this user name it? */
static bool
may_name(const struct mmp_user *user, const struct mmp_command *command,
         const struct mmp_words *words, size_t used, struct config_error *error)
{
	size_t at = used;
	for (const struct mmp_argument *a = command->arguments;
	     user->may_name != NULL && a->kind != MMP_END && at < words->count; a++) {
		const bool file = a->kind == MMP_FILE || a->kind == MMP_FILE_OPTIONAL ||
		                  (a->kind == MMP_FILE_OR_NONE &&
		                   !str_eq(words->word[at], STR("none")));
		if (a->kind == MMP_ON || a->kind == MMP_OFF)
			continue;
		if (file && !user->may_name(words->word[at])) {
			struct writer w = mmp_sentence(error);
			const size_t len = words->word[at].len;
			writer_format(&w, "\"%.*s\" is no key or certificate that SFTP shows",
			              (int)(len < SHOWN_MAX ? len : SHOWN_MAX), words->word[at].at);
			mmp_sentence_end(error, &w);
			return false;
		}
		at++;
	}
	return true;
}

static struct mmp_answer
run_setting(struct config *config, const struct mmp_host *host, const struct mmp_command *command,
            const struct mmp_words *words, size_t used, struct writer *out)
{
	struct config changed = *config;
	struct config_error error;
	if (!mmp_apply(&changed, command, words, used, &error) ||
	    !may_name(host->user, command, words, used, &error))
		return fail(out, error.text);

	if (!setting_fits(out, host, &changed, command))
		return answer(MMP_FAILED);
	if (command->order == MMP_ORDER_ENABLE &&
	    !(command->components == MMP_FOR_PARTS
	              ? may_enable_part(out, &changed, host, words->word[0])
	              : may_enable(out, &changed, host, component_of(command), words->word[0])))
		return answer(MMP_FAILED);

	*config = changed;
	say_done(out, command, words, used);
	return answer(MMP_CHANGED);
}

/* -- one command ------------------------------------------------------------------------------- */

static struct mmp_answer
run_call(const struct mmp_host *host, const struct mmp_command *command,
         const struct mmp_words *words, size_t used, struct writer *out)
{
	char text[MMP_ANSWER_MAX - CONFIG_LINE_MAX];
	struct writer w = writer_of(text, sizeof text);
	const struct mmp_line line = { .call = command->call,
		                       .words = command->words,
		                       .arguments = &words->word[used],
		                       .count = words->count - used };
	const bool done = host->call(host->context, &line, &w);
	const struct str said = writer_view(&w);
	if (!done)
		writer_text(out, "FAILURE: ");
	writer_str(out, said);
	if (said.len != 0 ? said.at[said.len - 1] != '\n' : !done)
		writer_text(out, "\n");
	return answer(done ? MMP_SHOWN : MMP_FAILED);
}

static struct mmp_answer
refuse_role(struct writer *out, const struct mmp_command *command, enum mmp_role role)
{
	writer_format(out, "FAILURE: %s is not for users of role %s\n", command->words,
	              mmp_role_name(role));
	return answer(MMP_FAILED);
}

static struct mmp_answer
run_command(struct config *config, const struct mmp_host *host, const struct mmp_command *command,
            const struct mmp_words *words, size_t used, struct writer *out)
{
	struct config_error error;
	if (!mmp_may_run(command, host->user->role))
		return refuse_role(out, command, host->user->role);
	if (mmp_is_setting(command))
		return run_setting(config, host, command, words, used, out);
	/* Orders change nothing: this only counts their words. */
	struct config unchanged = *config;
	if (!mmp_apply(&unchanged, command, words, used, &error))
		return fail(out, error.text);
	switch (command->order) {
	case MMP_ORDER_RESTART:
		if (command->components == MMP_FOR_PARTS)
			return fail(out, "there is nothing to restart: this version of Convoke has no "
			                 "such component");
		return (struct mmp_answer){ MMP_RESTART, component_of(command), false };
	case MMP_ORDER_CALL:
		return run_call(host, command, words, used, out);
	case MMP_ORDER_VERSION:
		writer_format(out, "%s\n", host->version);
		return answer(MMP_SHOWN);
	case MMP_ORDER_HELP:
		return show_help(out, words->count > used ? words->word[used] : (struct str){ 0 },
		                 host->user->role);
	case MMP_ORDER_SET:
	case MMP_ORDER_CERTS:
	case MMP_ORDER_CLIENT:
	case MMP_ORDER_TRUST:
	case MMP_ORDER_CIPHERS:
	case MMP_ORDER_ENABLE:
		break;
	}
	check_fail(__FILE__, __LINE__, "settings were handled above");
}

static bool
is_audited(const struct mmp_command *command)
{
	return mmp_is_setting(command) || command->order == MMP_ORDER_RESTART || command->changes;
}

struct mmp_answer
mmp_run(struct config *config, const struct mmp_host *host, struct str command_line,
        struct writer *out)
{
	struct config_error error = { 0 };
	struct mmp_words words;
	size_t used;
	if (command_line.len > CONFIG_LINE_MAX)
		return fail(out, "the command is " CONFIG_LINE_TOO_LONG);
	if (!mmp_split(&words, command_line, &error))
		return fail(out, error.text);
	if (words.count == 0)
		return show_help(out, (struct str){ 0 }, host->user->role);
	if (words.count == 1 && show_status(out, config, host, words.word[0]))
		return answer(MMP_SHOWN);

	const struct mmp_command *command = mmp_find(&words, &used, &error);
	if (command != NULL) {
		struct mmp_answer said = run_command(config, host, command, &words, used, out);
		said.audited = is_audited(command);
		return said;
	}
	if (used != 0)
		return fail(out, error.text);
	return unknown(out, words.word[0]);
}

/* -- around a command -------------------------------------------------------------------------- */

bool
mmp_is_change(struct str line)
{
	struct config_error error;
	struct mmp_words words;
	size_t used;
	if (line.len > CONFIG_LINE_MAX || !mmp_split(&words, line, &error))
		return false;
	const struct mmp_command *command = mmp_find(&words, &used, &error);
	return command != NULL && mmp_is_setting(command);
}

/* The secret that the line leaves out; NULL: none. */
static const struct mmp_argument *
missing_secret(const struct mmp_command *command, size_t given)
{
	for (size_t i = 0; command->arguments[i].kind != MMP_END; i++)
		if (command->arguments[i].kind == MMP_SECRET && i >= given)
			return &command->arguments[i];
	return NULL;
}

bool
mmp_fill_in(char out[CONFIG_LINE_MAX + 1], struct str line, const struct mmp_terminal *terminal)
{
	struct config_error error;
	struct mmp_words words;
	char secret[MMP_SECRET_MAX] = "";
	size_t used;
	if (line.len > CONFIG_LINE_MAX) /* mmp_run() says so */
		line.len = CONFIG_LINE_MAX;
	memcpy(out, line.at, line.len);
	out[line.len] = '\0';
	if (!mmp_split(&words, line, &error))
		return true;
	const struct mmp_command *command = mmp_find(&words, &used, &error);
	if (command == NULL || missing_secret(command, words.count - used) == NULL)
		return true;
	const bool asked = terminal->ask(terminal->context, "Please enter password:", true, secret,
	                                 sizeof secret);
	bool fits = asked && secret[0] != '\0' && line.len + 1 + strlen(secret) <= CONFIG_LINE_MAX;
	for (const char *c = secret; *c != '\0'; c++)
		fits = fits && *c > ' ' && *c < 0x7f && *c != '"';
	if (fits) {
		struct writer w = writer_of(out, CONFIG_LINE_MAX + 1);
		writer_str(&w, str_trim(line));
		writer_format(&w, " %s", secret);
		writer_u8(&w, '\0');
		fits = !w.failed;
	}
	explicit_bzero(secret, sizeof secret);
	return fits;
}

void
mmp_write_masked(struct writer *w, struct str line)
{
	struct config_error error;
	struct mmp_words words;
	size_t used;
	if (line.len <= CONFIG_LINE_MAX && mmp_split(&words, line, &error)) {
		const struct mmp_command *command = mmp_find(&words, &used, &error);
		if (command != NULL) {
			write_typed(w, command, &words, used);
			return;
		}
	}
	for (size_t i = 0; i < line.len && i < CONFIG_LINE_MAX; i++)
		writer_u8(w, line.at[i] >= ' ' && line.at[i] < 0x7f ? (uint8_t)line.at[i] : '?');
}

/* Does it begin with these words, all whole but the last? */
static bool
continues(const struct mmp_command *command, const struct mmp_words *words, struct str last)
{
	for (size_t i = 0; i < words->count; i++)
		if (!str_eq(mmp_command_word(command, i), words->word[i]))
			return false;
	const struct str next = mmp_command_word(command, words->count);
	return next.len != 0 && str_starts(next, last);
}

void
mmp_write_candidates(struct writer *w, struct str line, enum mmp_role role)
{
	struct config_error error;
	struct mmp_words words;
	struct str last = { 0 }, written = { 0 };
	if (line.len > CONFIG_LINE_MAX || !mmp_split(&words, line, &error))
		return;
	if (words.count != 0 && line.at[line.len - 1] != ' ' && line.at[line.len - 1] != '\t')
		last = words.word[--words.count];
	/* The table keeps what begins alike together. */
	for (size_t i = 0; i < mmp_command_count; i++) {
		const struct mmp_command *command = &mmp_commands[i];
		if (!mmp_may_run(command, role) || !continues(command, &words, last))
			continue;
		const struct str next = mmp_command_word(command, words.count);
		if (str_eq(next, written))
			continue;
		writer_format(w, "%.*s\n", STR_ARGS(next));
		written = next;
	}
}

static const char *const role_names[MMP_ROLES] = {
	[MMP_ADMIN] = "admin", [MMP_CRYPTO] = "crypto", [MMP_AUDIT] = "audit",
	[MMP_APPADMIN] = "appadmin", [MMP_API] = "api",
};

const char *
mmp_role_name(enum mmp_role role)
{
	CHECK(role >= 0 && role < MMP_ROLES);
	return role_names[role];
}

bool
mmp_role_find(enum mmp_role *out, struct str name)
{
	for (int i = 0; i < MMP_ROLES; i++) {
		if (!str_eq(name, str_of(role_names[i])))
			continue;
		*out = (enum mmp_role)i;
		return true;
	}
	return false;
}

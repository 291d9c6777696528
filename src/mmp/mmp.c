/* SPDX-License-Identifier: Apache-2.0 */
#include "mmp/mmp.h"

#include <string.h>

#include "base/check.h"
#include "mmp/mmp_internal.h"

enum {
	HELP_COLUMN = 60,
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

static bool
show_status(struct writer *out, const struct config *config, const struct mmp_host *host,
            struct str component)
{
	size_t width = 0;
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
	return true;
}

/* -- help -------------------------------------------------------------------------------------- */

static struct mmp_answer
show_help(struct writer *out, struct str component)
{
	bool any = false;
	for (size_t i = 0; i < mmp_command_count; i++) {
		struct str rest = str_of(mmp_commands[i].words);
		const struct str first = str_cut(&rest, ' ');
		if (component.len != 0 && !str_eq(first, component))
			continue;
		any = true;
		const size_t from = out->at;
		mmp_write_usage(out, &mmp_commands[i]);
		const size_t len = out->at - from;
		writer_format(out, "%*s  %s\n", (int)(len < HELP_COLUMN ? HELP_COLUMN - len : 0),
		              "", mmp_commands[i].help);
	}
	if (component.len == 0)
		writer_text(out,
		            "callbridge, webadmin, webbridge3, tls, dns, syslog alone show what "
		            "is set.\n");
	if (any)
		return answer(MMP_SHOWN);
	return unknown(out, component);
}

/* -- settings ---------------------------------------------------------------------------------- */

static bool
pair_matches(struct writer *out, const struct mmp_host *host, const char *key,
             const char *certificate)
{
	char why[CONFIG_ERROR_MAX];
	struct writer w = writer_of(why, sizeof why);
	if (key[0] == '\0')
		return true;
	if (host->pair_matches(host->context, key, certificate, &w)) {
		writer_text(out, "SUCCESS: Key and certificate pair match\n");
		return true;
	}
	writer_format(out, "FAILURE: Key and certificate pair do not match: %.*s\n",
	              STR_ARGS(writer_view(&w)));
	return false;
}

/* `config` with the component enabled: are its files and settings in order? */
static bool
may_enable(struct writer *out, const struct config *config, const struct mmp_host *host,
           enum config_component component, struct str name)
{
	struct config_error error;
	const struct config_certs *all[] = {
		component == CONFIG_WEBBRIDGE                ? &config->webbridge.https_certs
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
		if (all[i] != NULL && !pair_matches(out, host, all[i]->key, all[i]->certificate))
			return false;
	return true;
}

static enum config_component
component_of(const struct mmp_command *command)
{
	return (command->components & MMP_FOR_WEBBRIDGE) != 0 ? CONFIG_WEBBRIDGE
	                                                      : CONFIG_CALLBRIDGE;
}

static void
write_typed(struct writer *out, const char *lead, const struct mmp_words *words)
{
	writer_text(out, lead);
	for (size_t i = 0; i < words->count; i++)
		writer_format(out, " %.*s", STR_ARGS(words->word[i]));
	writer_text(out, "\n");
}

static struct mmp_answer
run_setting(struct config *config, const struct mmp_host *host, const struct mmp_command *command,
            const struct mmp_words *words, size_t used, struct writer *out)
{
	struct config changed = *config;
	struct config_error error;
	if (!mmp_apply(&changed, command, words, used, &error))
		return fail(out, error.text);

	const struct mmp_argument *first = &command->arguments[0];
	if (command->order == MMP_ORDER_CERTS) {
		const struct config_certs *certs =
			(const void *)((const char *)&changed + first->at -
		                       offsetof(struct config_certs, key));
		if (!pair_matches(out, host, certs->key, certs->certificate))
			return answer(MMP_FAILED);
	}
	if (command->order == MMP_ORDER_ENABLE &&
	    !may_enable(out, &changed, host, component_of(command), words->word[0]))
		return answer(MMP_FAILED);

	*config = changed;
	if (used == 2 && (first->kind == MMP_ON || first->kind == MMP_OFF))
		writer_format(out, "SUCCESS: %.*s %s\n", STR_ARGS(words->word[0]),
		              first->kind == MMP_ON ? "enabled" : "disabled");
	else
		write_typed(out, "SUCCESS:", words);
	return answer(MMP_CHANGED);
}

/* -- one command ------------------------------------------------------------------------------- */

static struct mmp_answer
run_pki(const struct mmp_host *host, const struct mmp_command *command, const struct str *arguments,
        struct writer *out)
{
	char text[CONFIG_LINE_MAX];
	struct writer w = writer_of(text, sizeof text);
	const bool done = host->pki(host->context, command->pki, arguments, &w);
	const struct str said = writer_view(&w);
	if (!done)
		writer_text(out, "FAILURE: ");
	writer_str(out, said);
	if (said.len == 0 || said.at[said.len - 1] != '\n')
		writer_text(out, "\n");
	return answer(done ? MMP_SHOWN : MMP_FAILED);
}

static struct mmp_answer
run_command(struct config *config, const struct mmp_host *host, const struct mmp_command *command,
            const struct mmp_words *words, size_t used, struct writer *out)
{
	struct config_error error;
	if (mmp_is_setting(command))
		return run_setting(config, host, command, words, used, out);
	/* Orders change nothing: this only counts their words. */
	struct config unchanged = *config;
	if (!mmp_apply(&unchanged, command, words, used, &error))
		return fail(out, error.text);
	switch (command->order) {
	case MMP_ORDER_RESTART:
		return (struct mmp_answer){ MMP_RESTART, component_of(command) };
	case MMP_ORDER_PKI:
		return run_pki(host, command, &words->word[used], out);
	case MMP_ORDER_VERSION:
		writer_format(out, "%s\n", host->version);
		return answer(MMP_SHOWN);
	case MMP_ORDER_HELP:
		return show_help(out, words->count > used ? words->word[used] : (struct str){ 0 });
	case MMP_ORDER_SET:
	case MMP_ORDER_CERTS:
	case MMP_ORDER_ENABLE:
		break;
	}
	check_fail(__FILE__, __LINE__, "settings were handled above");
}

struct mmp_answer
mmp_run(struct config *config, const struct mmp_host *host, struct str command_line,
        struct writer *out)
{
	struct config_error error = { 0 };
	struct mmp_words words;
	size_t used;
	if (command_line.len > CONFIG_LINE_MAX)
		return fail(out, "the command is longer than 4096 bytes");
	if (!mmp_split(&words, command_line, &error))
		return fail(out, error.text);
	if (words.count == 0)
		return show_help(out, (struct str){ 0 });
	if (words.count == 1 && show_status(out, config, host, words.word[0]))
		return answer(MMP_SHOWN);

	const struct mmp_command *command = mmp_find(&words, &used, &error);
	if (command != NULL)
		return run_command(config, host, command, &words, used, out);
	if (used != 0)
		return fail(out, error.text);
	return unknown(out, words.word[0]);
}

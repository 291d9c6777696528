/* SPDX-License-Identifier: Apache-2.0 */
#include "callbridge/shell_accounts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "callbridge/shell.h"
#include "net/audit.h"
#include "net/file_watch.h"
#include "net/files.h"

/* What the API learned of wrong passwords is not in the file; an administrator's unlock is. */
static void
keep_locks(struct accounts *read, struct accounts *known)
{
	for (uint32_t i = 0; i < read->count; i++) {
		struct account *account = &read->list[i];
		struct account *before = accounts_find(known, str_of(account->name));
		if (before == NULL || account->unlocked_s > before->unlocked_s)
			continue;
		if (account->used_s > before->used_s) /* by SSH */
			account_succeeded(before, &account->used_from, account->used_s);
		account_learn_failures(account, before);
	}
}

static void
read_file(void *context)
{
	struct shell *shell = context;
	char path[COMPONENT_PATH_MAX], *bytes;
	uint32_t line;
	size_t len;
	const int rc = file_read(component_path(&shell->component, path, "accounts"),
	                         ACCOUNTS_BYTES_MAX, &bytes, &len);
	if (rc != 0) {
		log_warning("%s: %s; nobody new can log in to the API", path, strerror(-rc));
		return;
	}
	if (accounts_parse(shell->accounts_read, (struct str){ bytes, len }, &line)) {
		keep_locks(shell->accounts_read, shell->accounts);
		*shell->accounts = *shell->accounts_read;
		if (shell->api != NULL)
			events_accounts_changed(shell);
	} else {
		log_error("%s, line %u is damaged; the accounts known before stay", path, line);
	}
	explicit_bzero(shell->accounts_read, sizeof *shell->accounts_read);
	explicit_bzero(bytes, len);
	free(bytes);
}

bool
accounts_open(struct shell *shell)
{
	shell->accounts = calloc(1, sizeof *shell->accounts);
	shell->accounts_read = calloc(1, sizeof *shell->accounts_read);
	if (shell->accounts == NULL || shell->accounts_read == NULL)
		return component_fail(&shell->component, "not enough memory");
	accounts_init(shell->accounts);
	const int rc = file_watch_create(&shell->accounts_watch, shell->component.loop,
	                                 shell->component.data_dir, "accounts", read_file, shell);
	if (rc != 0)
		return component_fail(&shell->component, "the accounts cannot be watched: %s",
		                      strerror(-rc));
	read_file(shell);
	return true;
}

void
accounts_close(struct shell *shell)
{
	file_watch_destroy(shell->accounts_watch);
	if (shell->accounts != NULL)
		explicit_bzero(shell->accounts, sizeof *shell->accounts);
	free(shell->accounts);
	free(shell->accounts_read);
}

void
accounts_audit(struct shell *shell, const struct api_out *out)
{
	char path[COMPONENT_PATH_MAX], user[API_NAME_MAX], from[ADDR_TEXT_MAX];
	struct writer w = writer_of(from, sizeof from - 1);
	struct str what = out->text;
	str_copy(user, sizeof user, out->user);
	addr_write_ip(&w, &out->from);
	from[w.at] = '\0';
	/* The event log's line begins with the address, as in CMS; here it stands before. */
	if (str_starts(what, str_of(from)) && what.len > w.at + 2)
		what = str_sub(what, w.at + 2, what.len - w.at - 2);
	audit_write(component_path(&shell->component, path, "log/audit"), user, from, what);
}

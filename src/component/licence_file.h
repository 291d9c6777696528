/* SPDX-License-Identifier: Apache-2.0 */
/* licence_file -- what the data folder says about licences, for whoever has to know: the Call Bridge,
 * the command line, and what takes files by SFTP.
 *
 *	cms.lic           the licence (licence/licence.h)
 *	licence-issuers   whose licences are believed here; none, and nothing is limited
 *	licence-seen      the latest time this licence was looked at: clocks can be put back
 *	bridge.id         which host this is; made by the Call Bridge's first start
 *
 * A program built with -Dlicence_issuer="NAME KEY" believes that issuer, whatever the folder says.
 *
 * Ownership  Values.
 * Threads    Any; small local files are read, blocking.
 * Units      Seconds since 1970.
 * Errors     What is wrong with a file is an `enum licence_reject` and a sentence.
 */
#ifndef COMPONENT_LICENCE_FILE_H
#define COMPONENT_LICENCE_FILE_H

#include "licence/licence.h"

#define LICENCE_FILE "cms.lic"
#define LICENCE_ISSUERS_FILE "licence-issuers"

struct licence_folder {
	struct licence_issuers issuers;
	uint32_t built_in;       /* the first so many cannot be removed */
	bool damaged;            /* licence-issuers cannot be read: nothing counts until it can */
	bool host_known;
	struct guid host;
	bool there;              /* cms.lic is */
	enum licence_reject why; /* there, and of no use */
	char error[LICENCE_ERROR_MAX];
	struct licence licence;  /* there, and of use */
	char seen_id[LICENCE_TEXT_MAX];
	int64_t seen_s;
	char text[LICENCE_FILE_BYTES_MAX + 1]; /* of cms.lic */
};

/* Reads all of it; `name` is LICENCE_FILE, or another file to be judged in its place. */
void licence_folder_read(struct licence_folder *out, const char *data_dir, const char *name);
/* Judges a file that is not in the folder yet, as licence_folder_read() would. */
void licence_folder_judge(struct licence_folder *folder, struct str file);

/* Does nobody's licence count here? */
[[nodiscard]] bool licence_folder_free(const struct licence_folder *folder);
/* What is granted by the clock; `*now_s` is the time it is judged by. */
struct licence_rights licence_folder_rights(const struct licence_folder *folder, int64_t clock_s,
                                            int64_t *now_s);
/* Notes that the licence in force was looked at then.  It costs no wait for the disk: what a crash
 * loses are minutes. */
[[nodiscard]] int licence_folder_note(struct licence_folder *folder, const char *data_dir,
                                      int64_t now_s);

#endif

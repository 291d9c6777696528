/* SPDX-License-Identifier: Apache-2.0 */
#include "ssh/sftp.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/check.h"

/* Section 3. */
enum {
	FXP_INIT = 1,
	FXP_VERSION = 2,
	FXP_OPEN = 3,
	FXP_CLOSE = 4,
	FXP_READ = 5,
	FXP_WRITE = 6,
	FXP_LSTAT = 7,
	FXP_FSTAT = 8,
	FXP_SETSTAT = 9,
	FXP_FSETSTAT = 10,
	FXP_OPENDIR = 11,
	FXP_READDIR = 12,
	FXP_REMOVE = 13,
	FXP_REALPATH = 16,
	FXP_STAT = 17,
	FXP_RENAME = 18,
	FXP_STATUS = 101,
	FXP_HANDLE = 102,
	FXP_DATA = 103,
	FXP_NAME = 104,
	FXP_ATTRS = 105,
	FXP_EXTENDED = 200,
};

/* Section 7. */
enum {
	FX_OK = 0,
	FX_EOF = 1,
	FX_NO_SUCH_FILE = 2,
	FX_PERMISSION_DENIED = 3,
	FX_FAILURE = 4,
	FX_BAD_MESSAGE = 5,
	FX_OP_UNSUPPORTED = 8,
};

enum {
	VERSION = 3,
	LENGTH_BYTES = 4,
	HANDLE_BYTES = 8,
	HEAD_MAX = 64,        /* of a reply, before its data */
	ENTRY_BYTES_MAX = 3 * SFTP_NAME_MAX,
	LONG_NAME_MAX = SFTP_NAME_MAX + 64,
	NAMES_MAX = 32,       /* in a reply to READDIR */
	FLAG_READ = 1,
	FLAG_WRITE = 2,
	FLAG_APPEND = 4,
	FLAG_EXCLUSIVE = 0x20,
	ATTR_SIZE = 1,
	ATTR_OWNER = 2,
	ATTR_MODE = 4,
	ATTR_TIMES = 8,
	MODE_FILE = 0100600,
	MODE_FOLDER = 040700,
};
static_assert(HEAD_MAX + SFTP_READ_MAX <= SFTP_OUT_MAX, "a reply fits");

void
sftp_init(struct sftp *sftp, const struct sftp_files *files)
{
	memset(sftp, 0, sizeof *sftp);
	sftp->files = files;
}

static int
drop(struct sftp *sftp, struct sftp_handle *handle, bool keep)
{
	const bool folder = handle->folder;
	const int file = handle->file;
	*handle = (struct sftp_handle){ 0 };
	return folder ? 0 : sftp->files->close(sftp->files->context, file, keep);
}

void
sftp_fini(struct sftp *sftp)
{
	for (size_t i = 0; i < SFTP_HANDLES_MAX; i++)
		if (sftp->handles[i].used)
			(void)drop(sftp, &sftp->handles[i], false);
	explicit_bzero(sftp, sizeof *sftp); /* keys passed through it */
}

/* -- replies ----------------------------------------------------------------------------------- */

struct request {
	struct sftp *sftp;
	struct reader r; /* behind type and id */
	uint32_t id;
	struct writer w; /* the reply, behind its length */
};

static void
put_text(struct writer *w, struct str text)
{
	writer_u32(w, (uint32_t)text.len);
	writer_str(w, text);
}

static void
begin(struct request *request, uint8_t type)
{
	request->w.at = LENGTH_BYTES;
	writer_u8(&request->w, type);
	writer_u32(&request->w, request->id);
}

static void
status(struct request *request, uint32_t code, const char *text)
{
	begin(request, FXP_STATUS);
	writer_u32(&request->w, code);
	put_text(&request->w, str_of(text));
	put_text(&request->w, STR("en"));
}

static void
status_of(struct request *request, int rc)
{
	switch (rc < 0 ? -rc : 0) {
	case 0:
		status(request, FX_OK, "done");
		break;
	case ENOENT:
		status(request, FX_NO_SUCH_FILE, "there is no such file");
		break;
	case EACCES:
	case EPERM:
		status(request, FX_PERMISSION_DENIED, "not for users of this role");
		break;
	case EFBIG:
		status(request, FX_FAILURE, "the file is larger than its kind may be");
		break;
	case ENOSPC:
	case EDQUOT:
		status(request, FX_FAILURE, "the disk is full");
		break;
	case EEXIST:
		status(request, FX_FAILURE, "there is a file of that name");
		break;
	case EMFILE:
		status(request, FX_FAILURE, "too many files are open");
		break;
	case ENOTSUP:
		status(request, FX_OP_UNSUPPORTED, "not supported");
		break;
	case EKEYREJECTED: {
		const struct sftp_files *files = request->sftp->files;
		status(request, FX_FAILURE,
		       files->reason != NULL ? files->reason(files->context) : "it was refused");
		break;
	}
	case EBADMSG:
		status(request, FX_BAD_MESSAGE, "the request is damaged");
		break;
	default:
		status(request, FX_FAILURE, "it failed");
	}
}

static void
put_attributes(struct writer *w, const struct sftp_entry *entry)
{
	const uint32_t time_s = entry != NULL && entry->time_s > 0 ? (uint32_t)entry->time_s : 0;
	writer_u32(w, ATTR_SIZE | ATTR_OWNER | ATTR_MODE | ATTR_TIMES);
	writer_u64(w, entry != NULL ? (uint64_t)entry->size : 0);
	writer_u32(w, 0);
	writer_u32(w, 0);
	writer_u32(w, entry != NULL ? (uint32_t)MODE_FILE : (uint32_t)MODE_FOLDER);
	writer_u32(w, time_s);
	writer_u32(w, time_s);
}

/* As `ls -l` would say it; clients show it as it is. */
static void
put_long_name(struct writer *w, const struct sftp_entry *entry)
{
	char text[LONG_NAME_MAX], when[32] = "";
	const time_t at = (time_t)entry->time_s;
	struct writer line = writer_of(text, sizeof text);
	struct tm utc;
	if (gmtime_r(&at, &utc) != NULL)
		(void)strftime(when, sizeof when, "%b %d %H:%M", &utc);
	writer_format(&line, "-rw-------    1 convoke  convoke  %10lld %s %s",
	              (long long)entry->size, when, entry->name);
	put_text(w, writer_view(&line));
}

/* -- requests ---------------------------------------------------------------------------------- */

static struct str
get_text(struct request *request)
{
	const size_t len = reader_u32(&request->r);
	const uint8_t *at = reader_take(&request->r, len);
	return at != NULL ? (struct str){ (const char *)at, len } : (struct str){ 0 };
}

/* The flat name that a path means; empty: the root.  False: it leads elsewhere. */
static bool
flat_name(struct str *name, struct str path)
{
	while (path.len != 0) {
		const struct str part = str_cut(&path, '/');
		if (part.len == 0 || str_eq(part, STR(".")))
			continue;
		if (name->len != 0 || str_eq(part, STR("..")) || part.len >= SFTP_NAME_MAX ||
		    memchr(part.at, '\0', part.len) != NULL)
			return false;
		*name = part;
	}
	return true;
}

/* 0; -errno: as to be answered. */
static int
get_name(struct request *request, struct str *name)
{
	const struct str path = get_text(request);
	*name = (struct str){ 0 };
	if (request->r.failed)
		return -EBADMSG;
	return flat_name(name, path) ? 0 : -EACCES;
}

static int
get_file_name(struct request *request, struct str *name)
{
	const int rc = get_name(request, name);
	return rc == 0 && name->len == 0 ? -EACCES : rc;
}

static struct sftp_handle *
get_handle(struct request *request)
{
	const struct str text = get_text(request);
	struct reader r = reader_of(text.at, text.len);
	const uint32_t index = reader_u32(&r), turn = reader_u32(&r);
	if (text.len != HANDLE_BYTES || index >= SFTP_HANDLES_MAX)
		return NULL;
	struct sftp_handle *handle = &request->sftp->handles[index];
	return handle->used && handle->turn == turn ? handle : NULL;
}

static void
answer_handle(struct request *request, const struct sftp_handle *handle)
{
	begin(request, FXP_HANDLE);
	writer_u32(&request->w, HANDLE_BYTES);
	writer_u32(&request->w, (uint32_t)(handle - request->sftp->handles));
	writer_u32(&request->w, handle->turn);
}

static struct sftp_handle *
new_handle(struct sftp *sftp)
{
	for (size_t i = 0; i < SFTP_HANDLES_MAX; i++) {
		if (sftp->handles[i].used)
			continue;
		sftp->handles[i] = (struct sftp_handle){ .used = true, .turn = ++sftp->turn_last };
		return &sftp->handles[i];
	}
	return NULL;
}

static void
open_file(struct request *request)
{
	const struct sftp_files *files = request->sftp->files;
	struct str name;
	int rc = get_file_name(request, &name);
	const uint32_t flags = reader_u32(&request->r);
	const bool write = (flags & FLAG_WRITE) != 0;
	if (rc == 0 && request->r.failed)
		rc = -EBADMSG;
	/* A file is replaced whole, whether it is said to be truncated (as scp of OpenSSH does not). */
	if (rc == 0 && ((flags & (FLAG_READ | FLAG_WRITE)) == 0 || (flags & FLAG_APPEND) != 0))
		rc = -ENOTSUP;
	struct sftp_handle *handle = rc == 0 ? new_handle(request->sftp) : NULL;
	if (rc == 0 && handle == NULL)
		rc = -EMFILE;
	if (rc == 0)
		rc = files->open(files->context, name, write, (flags & FLAG_EXCLUSIVE) != 0);
	if (rc < 0) {
		if (handle != NULL)
			*handle = (struct sftp_handle){ 0 };
		status_of(request, rc);
		return;
	}
	handle->file = rc;
	handle->write = write;
	answer_handle(request, handle);
}

static void
open_folder(struct request *request)
{
	struct str name;
	int rc = get_name(request, &name);
	if (rc == 0 && name.len != 0)
		rc = -ENOENT;
	struct sftp_handle *handle = rc == 0 ? new_handle(request->sftp) : NULL;
	if (handle == NULL) {
		status_of(request, rc != 0 ? rc : -EMFILE);
		return;
	}
	handle->folder = true;
	answer_handle(request, handle);
}

static void
close_handle(struct request *request)
{
	struct sftp_handle *handle = get_handle(request);
	if (handle == NULL) {
		status_of(request, -EBADF);
		return;
	}
	const bool failed = handle->failed || (handle->begun && !handle->whole);
	const int rc = drop(request->sftp, handle, !failed);
	status_of(request, failed ? -EIO : rc);
}

static void
read_file(struct request *request)
{
	const struct sftp_files *files = request->sftp->files;
	const struct sftp_handle *handle = get_handle(request);
	const uint64_t offset = reader_u64(&request->r);
	const size_t wanted = reader_u32(&request->r);
	int rc = handle == NULL || handle->folder || handle->write ? -EBADF : 0;
	if (request->r.failed)
		rc = -EBADMSG;
	if (rc != 0) {
		status_of(request, rc);
		return;
	}
	begin(request, FXP_DATA);
	const size_t length_at = request->w.at;
	writer_u32(&request->w, 0);
	uint8_t *to = request->w.bytes + request->w.at;
	rc = files->read(files->context, handle->file, offset, to,
	                 wanted < SFTP_READ_MAX ? wanted : SFTP_READ_MAX);
	if (rc < 0) {
		status_of(request, rc);
	} else if (rc == 0) {
		status(request, FX_EOF, "the end of the file");
	} else {
		struct writer length = writer_of(request->w.bytes + length_at, LENGTH_BYTES);
		writer_u32(&length, (uint32_t)rc);
		(void)writer_take(&request->w, (size_t)rc);
	}
}

static void
write_file(struct request *request)
{
	const struct sftp_files *files = request->sftp->files;
	struct sftp_handle *handle = get_handle(request);
	const uint64_t offset = reader_u64(&request->r);
	const struct str bytes = get_text(request);
	int rc = handle == NULL || handle->folder || !handle->write ? -EBADF : 0;
	if (request->r.failed)
		rc = -EBADMSG;
	if (rc == 0)
		rc = files->write(files->context, handle->file, offset, bytes.at, bytes.len);
	if (rc < 0 && handle != NULL) {
		handle->failed = true;
	} else if (handle != NULL) {
		handle->begun = true;
		handle->whole = handle->whole || offset == 0;
	}
	status_of(request, rc < 0 ? rc : 0);
}

static void
answer_attributes(struct request *request, int rc, const struct sftp_entry *entry)
{
	if (rc < 0) {
		status_of(request, rc);
		return;
	}
	begin(request, FXP_ATTRS);
	put_attributes(&request->w, entry);
}

static void
stat_name(struct request *request)
{
	const struct sftp_files *files = request->sftp->files;
	struct sftp_entry entry = { 0 };
	struct str name;
	int rc = get_name(request, &name);
	const bool folder = rc == 0 && name.len == 0;
	if (rc == 0 && !folder)
		rc = files->stat(files->context, name, &entry);
	answer_attributes(request, rc, folder ? NULL : &entry);
}

static void
stat_handle(struct request *request)
{
	const struct sftp_files *files = request->sftp->files;
	const struct sftp_handle *handle = get_handle(request);
	struct sftp_entry entry = { 0 };
	int rc = handle == NULL ? -EBADF : 0;
	if (rc == 0 && !handle->folder)
		rc = files->file_stat(files->context, handle->file, &entry);
	answer_attributes(request, rc, handle != NULL && handle->folder ? NULL : &entry);
}

static void
read_folder(struct request *request)
{
	const struct sftp_files *files = request->sftp->files;
	struct sftp_handle *handle = get_handle(request);
	struct writer *w = &request->w;
	uint32_t count = 0;
	int rc = handle == NULL || !handle->folder ? -EBADF : 1;
	begin(request, FXP_NAME);
	const size_t count_at = w->at;
	writer_u32(w, 0);
	while (rc > 0 && count < NAMES_MAX && w->cap - w->at > ENTRY_BYTES_MAX) {
		struct sftp_entry entry = { 0 };
		rc = files->list(files->context, handle->index, &entry);
		if (rc <= 0)
			break;
		handle->index++;
		count++;
		put_text(w, str_of(entry.name));
		put_long_name(w, &entry);
		put_attributes(w, &entry);
	}
	if (rc < 0) {
		status_of(request, rc);
	} else if (count == 0) {
		status(request, FX_EOF, "no more files");
	} else {
		struct writer number = writer_of(w->bytes + count_at, LENGTH_BYTES);
		writer_u32(&number, count);
	}
}

static void
real_path(struct request *request)
{
	char path[SFTP_NAME_MAX + 1];
	struct writer text = writer_of(path, sizeof path);
	struct str name;
	const int rc = get_name(request, &name);
	if (rc != 0) {
		status_of(request, rc);
		return;
	}
	writer_u8(&text, '/');
	writer_str(&text, name);
	begin(request, FXP_NAME);
	writer_u32(&request->w, 1);
	put_text(&request->w, writer_view(&text));
	put_text(&request->w, writer_view(&text));
	writer_u32(&request->w, 0); /* no attributes */
}

static void
remove_file(struct request *request)
{
	const struct sftp_files *files = request->sftp->files;
	struct str name;
	int rc = get_file_name(request, &name);
	if (rc == 0)
		rc = files->remove(files->context, name);
	status_of(request, rc);
}

static void
rename_file(struct request *request, bool replace)
{
	const struct sftp_files *files = request->sftp->files;
	struct str from, to = { 0 };
	int rc = get_file_name(request, &from);
	if (rc == 0)
		rc = get_file_name(request, &to);
	if (rc == 0)
		rc = files->rename(files->context, from, to, replace);
	status_of(request, rc);
}

static void
extended(struct request *request)
{
	const struct str name = get_text(request);
	if (str_eq(name, STR("posix-rename@openssh.com")))
		rename_file(request, true);
	else if (str_eq(name, STR("fsync@openssh.com")))
		status_of(request, get_handle(request) != NULL ? 0 : -EBADF); /* done at close */
	else
		status_of(request, -ENOTSUP);
}

static void
handle_request(struct request *request, uint8_t type)
{
	switch (type) {
	case FXP_OPEN:
		open_file(request);
		break;
	case FXP_CLOSE:
		close_handle(request);
		break;
	case FXP_READ:
		read_file(request);
		break;
	case FXP_WRITE:
		write_file(request);
		break;
	case FXP_STAT:
	case FXP_LSTAT:
		stat_name(request);
		break;
	case FXP_FSTAT:
		stat_handle(request);
		break;
	case FXP_SETSTAT:  /* clients keep modes and times of what they bring; ours are ours */
	case FXP_FSETSTAT:
		status_of(request, 0);
		break;
	case FXP_OPENDIR:
		open_folder(request);
		break;
	case FXP_READDIR:
		read_folder(request);
		break;
	case FXP_REMOVE:
		remove_file(request);
		break;
	case FXP_REALPATH:
		real_path(request);
		break;
	case FXP_RENAME:
		rename_file(request, false);
		break;
	case FXP_EXTENDED:
		extended(request);
		break;
	default:
		status_of(request, -ENOTSUP);
	}
}

/* -- packets ----------------------------------------------------------------------------------- */

static void
greet(struct request *request)
{
	request->w.at = LENGTH_BYTES;
	writer_u8(&request->w, FXP_VERSION);
	writer_u32(&request->w, VERSION);
	put_text(&request->w, STR("posix-rename@openssh.com"));
	put_text(&request->w, STR("1"));
	put_text(&request->w, STR("fsync@openssh.com"));
	put_text(&request->w, STR("1"));
}

static bool
handle_packet(struct sftp *sftp, const uint8_t *bytes, size_t len)
{
	struct request request = { .sftp = sftp,
		                   .r = reader_of(bytes, len),
		                   .w = writer_of(sftp->out, sizeof sftp->out) };
	const uint8_t type = reader_u8(&request.r);
	request.id = reader_u32(&request.r); /* INIT: the version */
	if (request.r.failed || (type == FXP_INIT) == sftp->greeted)
		return false;
	if (type == FXP_INIT)
		greet(&request);
	else
		handle_request(&request, type);
	sftp->greeted = true;
	CHECK(!request.w.failed);
	struct writer length = writer_of(sftp->out, LENGTH_BYTES);
	writer_u32(&length, (uint32_t)(request.w.at - LENGTH_BYTES));
	sftp->out_len = request.w.at;
	return true;
}

/* Adds to the packet under way until there are `want` bytes of it. */
static bool
gather(struct sftp *sftp, size_t want, const uint8_t **bytes, size_t *len)
{
	if (sftp->in_len >= want)
		return true;
	const size_t missing = want - sftp->in_len, taken = missing < *len ? missing : *len;
	if (taken != 0)
		memcpy(sftp->in + sftp->in_len, *bytes, taken);
	sftp->in_len += taken;
	*bytes += taken;
	*len -= taken;
	return taken == missing;
}

bool
sftp_input(struct sftp *sftp, const uint8_t **bytes, size_t *len)
{
	CHECK(sftp->out_len == 0);
	if (!gather(sftp, LENGTH_BYTES, bytes, len))
		return true;
	struct reader r = reader_of(sftp->in, LENGTH_BYTES);
	const size_t packet = reader_u32(&r);
	if (packet == 0 || packet > SFTP_PACKET_MAX - LENGTH_BYTES)
		return false;
	if (!gather(sftp, LENGTH_BYTES + packet, bytes, len))
		return true;
	sftp->in_len = 0;
	return handle_packet(sftp, sftp->in + LENGTH_BYTES, packet);
}

struct str
sftp_output(struct sftp *sftp)
{
	const struct str out = { (const char *)sftp->out, sftp->out_len };
	sftp->out_len = 0;
	return out;
}

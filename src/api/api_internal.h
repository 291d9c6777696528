/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the API; shared by its own files only. */
#ifndef API_API_INTERNAL_H
#define API_API_INTERNAL_H

#include "api/api.h"
#include "api/document.h"
#include "api/form.h"
#include "api/guesses.h"
#include "api/refusals.h"
#include "api/path.h"
#include "base/slab.h"

enum {
	LINES_MAX = 128,
	LINE_MAX = 512,
	REFUSED_MAX = 16,
	LOCATION_TEXT_MAX = API_LOCATION_MAX,
	CONTENT_TYPE_MAX = 96,
	HOST_TEXT_MAX = 256,
	USAGE_MARKS = SLAB_SLOTS_MAX / 64,
	BULK_RANGE_MAX = 10000, /* spaces of one parameter set */
	BULK_BATCH = 50,        /* of one transaction */
	USAGE_HOURS_MAX = 93 * 24, /* of MPLicenseUsage, all Call Bridges' together */
	USAGE_WAITING_MAX = 288,   /* samples the database has not taken: of a day */
	USAGE_HOSTS_MAX = 64,
	USAGE_COUNTS = LICENSE_USAGE_FIELDS - LICENSE_USAGE_PERSONAL,
};

enum slot_state {
	SLOT_FREE,
	SLOT_VERIFY,     /* API_VERIFY is to be given */
	SLOT_VERIFYING,
	SLOT_SAME,       /* waits for another slot that verifies the same login */
	SLOT_DENIED,     /* 401 is to be given */
	SLOT_READY,      /* may run */
	SLOT_COMMITTING,
	SLOT_KEPT,       /* the change is on the disk */
	SLOT_LOST,       /* it is undone */
};

enum {
	TOKEN_BYTES = 16,
	TOKEN_TEXT_LEN = 22,
};

struct token {
	int64_t until_us;
	struct api_login login;
	char text[TOKEN_TEXT_LEN + 1];
};

/* Of authTokens (tokens.c). */
struct tokens {
	struct hash_key keys[2];
	uint64_t last;
	struct token at[API_TOKENS_MAX];
};

struct diagnosis {
	uint32_t handle; /* 0: none */
	struct guid id;
	struct guid space;
	struct guid correlator;
	int64_t wall_us;
	size_t len;
	uint8_t *bytes;
	char label[MEETING_NAME_MAX];
};

/* Of system/diagnostics (diagnostics.c). */
struct diagnostics {
	uint32_t last;
	uint8_t *bytes;
	struct diagnosis at[API_DIAGNOSTICS_MAX];
};

struct login_tag {
	uint64_t half[2];
};

struct slot {
	enum slot_state state;
	bool forgotten;
	bool verified; /* an account stands behind the login */
	bool json;
	bool plain; /* the answer is text/plain */
	enum api_method method;
	uint64_t sequence;
	uint64_t owner;
	uint64_t ticket;
	uint64_t trace;
	int64_t wall_us;
	struct net_addr peer;
	struct login_tag tag;
	unsigned status; /* of the answer after the commit */
	size_t path_len;
	size_t query_len;
	size_t body_len;
	char user[API_NAME_MAX];
	char password[API_NAME_MAX];
	char hash[API_HASH_MAX];
	char location[LOCATION_TEXT_MAX];
	char token[TOKEN_TEXT_LEN + 1]; /* a header of the answer, or empty */
	char log[LINE_MAX]; /* told when the change is kept */
	char content_type[CONTENT_TYPE_MAX];
	char path[API_PATH_MAX];
	char query[API_QUERY_MAX];
	char body[API_BODY_MAX];
};

struct remembered_login {
	struct login_tag tag;
	int64_t until_us;
};

/* A line for the log; of `user`, if it belongs into the audit log too. */
struct log_line {
	char text[LINE_MAX];
	char user[API_NAME_MAX];
	struct net_addr from;
};

struct refused {
	uint64_t owner;
	unsigned status;
};

/* The run of a cospaceBulkSync that goes on. */
struct bulk {
	uint32_t sync;      /* 0: none has begun */
	uint32_t set;
	uint32_t first;
	uint32_t last;
	uint32_t next;
	uint64_t ticket;    /* of the batch that is not on the disk yet */
	uint64_t version;   /* of the parameter sets: when one changes, the run begins anew */
	uint64_t stopped_at; /* the store failed at this version of the runs */
	bool stopped;
	uint32_t spaces[BULK_RANGE_MAX];
};

/* In the order of enum license_usage_field, from LICENSE_USAGE_PERSONAL on. */
struct usage_sample {
	int64_t time_s;
	uint32_t counts[USAGE_COUNTS];
};

/* Samples that the database does not have yet (licence_usage.c). */
struct licence_usage {
	uint32_t waiting_count;
	uint32_t under_way; /* the first so many */
	uint64_t ticket;
	bool stopped;       /* the database refused: the next sample tries again */
	struct usage_sample waiting[USAGE_WAITING_MAX];
};

struct api {
	struct api_settings settings;
	char version[64];
	char web_address[HOST_TEXT_MAX];
	char sip_domain[HOST_TEXT_MAX];
	int64_t started_us;
	uint64_t sequence_last;
	uint64_t trace_last;
	int64_t logging_until_us[TIMED_LOGGING_FIELDS];
	struct hash_key tag_keys[2];
	struct remembered_login logins[API_LOGINS_MAX];
	struct guesses guesses;
	struct store_status database;
	struct refused refused[REFUSED_MAX];
	uint32_t refused_count;
	struct slot *slots;
	uint32_t line_first;
	uint32_t line_count;
	struct log_line lines[LINES_MAX];
	struct log_line line_out;
	bool out_waits;     /* `out` is to be given when the lines are out */
	struct api_out out;
	char location[LOCATION_TEXT_MAX];
	char token[TOKEN_TEXT_LEN + 1];
	struct tokens tokens;
	struct refusals refusals;
	struct diagnostics diagnostics;
	char *answer;       /* API_ANSWER_MAX bytes */
	uint64_t usage[USAGE_MARKS]; /* scratch of usageFilter */
	struct bulk bulk;
	struct licence_usage licence_usage;
	char licence_file[LICENCE_FILE_BYTES_MAX + 1];
};

/* One request being carried out. */
struct work {
	struct api *api;
	struct slot *slot;
	struct meeting *meeting;
	struct objects *objects;
	struct path path;
	struct form form;
	struct form query;
	struct document doc;
	bool has_body;
	bool plain;    /* the body is text/plain */
	bool as_it_is; /* the body is JSON that was kept, whatever was asked for */
	unsigned status;
	struct object_tx tx;
	int64_t now_us;
};

__attribute__((format(printf, 2, 3))) void api_line(struct api *api, const char *format, ...);
/* What the slot's user did. */
void api_audit(struct api *api, const struct slot *slot, const char *text);

/* actions.c: carries the request out; afterwards `work` holds the answer, or a transaction. */
void work_run(struct work *work);

/* listing.c: GET. */
void work_get(struct work *work);
/* database.c */
[[nodiscard]] bool database_is_ready(const struct work *work);
void database_show(struct work *work);

/* house.c: certificates, receivers of records. */
void certificates_read(struct work *work);
struct value cdr_status_value(const struct work *work, uint32_t receiver, unsigned field);
void receiver_test(struct work *work, uint32_t receiver);

/* dial_query.c: what the dial plan makes of an address. */
void answer_dial_query(struct work *work, const struct object_edit *asked);

/* pictures.c: templates of layouts, cameras and key frames. */
void template_read(struct work *work, uint32_t template);
void template_write(struct work *work, uint32_t template);
void camera_control(struct work *work, uint32_t leg);
void keyframe_generate(struct work *work, uint32_t leg);

/* usage.c: who uses a profile. */
void usage_get(struct work *work);
/* Can objects of this type be used at all, as profiles are? */
[[nodiscard]] bool usage_possible(enum object_type profile);
/* One bit per slot of that type: set when something refers to it. */
void usage_mark(const struct work *work, enum object_type profile, uint64_t *marks);

/* diagnostics.c: what an engineer asks for. */
[[nodiscard]] bool diagnostics_create(struct diagnostics *all);
void diagnostics_destroy(struct diagnostics *all);
uint32_t diagnostics_find(const struct api *api, const struct guid *id);
struct guid diagnostics_id(const struct api *api, uint32_t handle);
uint32_t diagnostics_next(const struct api *api, uint32_t *at);
struct value diagnostics_value(const struct api *api, uint32_t handle, unsigned field);
void diagnostics_make(struct work *work, uint32_t container);
void diagnostics_contents(struct work *work, uint32_t handle);
void metrics_read(struct work *work);
void event_log_read(struct work *work);

/* timed_logging.c */
struct value timed_logging_value(const struct work *work, enum timed_logging_field what);
void timed_logging_edit(struct work *work, const struct object_edit *asked);

/* tokens.c: POST authTokens. */
void token_make(struct work *work);

/* readings.c */
void effective_get(struct work *work, uint32_t container);
void trace_get(struct work *work, uint32_t leg);
void entry_detail_get(struct work *work, uint32_t space);
void invitation_get(struct work *work, uint32_t space);
void metadata_get(struct work *work, uint32_t space);
void metadata_put(struct work *work, uint32_t space, const struct object_edit *asked);

/* licences.c */
struct value multiparty_value(const struct work *work, enum multiparty_field field);
uint32_t personal_license_next(const struct work *work, uint32_t *at);
struct value licence_file_value(const struct work *work);

/* licence_usage.c: samples for the database, when there are some; and what it has. */
[[nodiscard]] bool licence_usage_step(struct api *api, struct object_tx *tx);
void licence_usage_settled(struct api *api, uint64_t ticket, bool ok);
void licence_usage_get(struct work *work);
void licence_usage_hosts_get(struct work *work);

/* bulk.c: the next batch, when there is one to be kept. */
[[nodiscard]] bool bulk_step(struct api *api, struct object_tx *tx);
void bulk_settled(struct api *api, uint64_t ticket, bool ok);

/* Shared by both. */
void work_fail(struct work *work, unsigned status, const char *code);
void work_fail_parameter(struct work *work, struct str parameter, const char *error);
/* Ends the transaction that is open: kept, or refused as `reject` says. */
void work_finish(struct work *work, enum object_reject reject, enum object_type type, int culprit);
/* Notes in the event log who changed what; `id` and `call` can be NULL. */
void work_log(struct work *work, const char *verb, enum object_type type, const struct guid *id,
              const struct guid *call);
/* The Location of what was made; "#" stands for the ids in their order. */
void work_location(struct work *work, const char *format, const struct guid *first,
                   const struct guid *second);
/* What stands behind the @ of a tenant's addresses. */
struct str work_domain(const struct work *work, const struct guid *tenant);
/* The object the path speaks of, checked to exist and to lie where the path says; false: the
 * failure is written. */
[[nodiscard]] bool work_target(struct work *work, uint32_t *container, uint32_t *handle);
uint32_t live_find(const struct work *work, enum object_type type, const struct guid *id);
struct guid live_id(const struct work *work, enum object_type type, uint32_t handle);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* path -- the table of what can be asked for, and finding a path in it.
 *
 * Ownership  Constant tables; nothing is kept.
 * Threads    Pure.
 */
#ifndef API_PATH_H
#define API_PATH_H

#include <stdbool.h>

#include "api/api.h"

enum {
	PATH_SEGMENTS_MAX = 6,
	PATH_IDS_MAX = 2,
};

/* What a path stands for. */
enum path_kind {
	PATH_COLLECTION, /* all of a type, or those inside ids[0] */
	PATH_OBJECT,     /* one: the last id */
	PATH_SINGLE,     /* the one of its type */
	PATH_FIRST,      /* the first of its type, as if it were the only one: of older releases */
	PATH_READING,    /* about the object ids[0] */
	PATH_USAGE,      /* who refers to the profile ids[0] */
	PATH_ALL_OF,     /* every participant of the call ids[0] */
	PATH_DIAGNOSE,   /* POST: tells all about the container ids[0] */
	PATH_CONTENTS,   /* what was told, as text */
	PATH_METRICS,    /* as text */
	PATH_LOG,        /* lines of the event log */
	PATH_TOKEN,      /* what opens an Events WebSocket, in a header */
	PATH_QUERY,      /* a question by POST, answered with a body */
	PATH_TEMPLATE,   /* the JSON of the layout template ids[0] */
	PATH_EFFECTIVE,  /* the webBridgeProfile in force: for ids[0], or for all */
	PATH_TRACE,      /* where the settings of the leg ids[0] come from */
	PATH_INVITATION, /* into the space ids[0], by its access method ids[1] if there is one */
	PATH_METADATA,   /* what scripts keep with the space ids[0] */
	PATH_UPDATE,     /* tells the web bridge ids[0] about customisations */
	PATH_DESCRIPTION, /* all of this, as OpenAPI */
	PATH_CAMERA,     /* moves the camera of the leg ids[0] */
	PATH_CERTIFICATES, /* what services of this machine use */
	PATH_CDR_TEST,   /* sends the receiver ids[0] something now */
	PATH_KEYFRAME,   /* begins the pictures of the leg ids[0] afresh */
};

struct path_row {
	const char *path;    /* "#" stands for an id */
	enum path_kind kind;
	enum object_type type;
	enum object_type inside; /* the type of ids[0] when it is the container */
	unsigned methods;        /* bits: 1 << enum api_method */
};

struct path {
	const struct path_row *row;
	struct guid ids[PATH_IDS_MAX];
	unsigned id_count;
	bool bad_id;         /* a segment that must be an id is none: does not exist */
};

/* False: unrecognizedObject.  With a trailing slash or without, in any case. */
[[nodiscard]] bool path_find(struct path *out, struct str path);

/* For documentation and tests: row `n`, or NULL behind the last. */
const struct path_row *path_row(unsigned n);

#endif

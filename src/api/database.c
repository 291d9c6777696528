/* SPDX-License-Identifier: Apache-2.0 */
/* system/database: what the store says of itself, in CMS' words. */
#include "api/api_internal.h"

enum { PROBLEM, TOTAL, IN_USE, READINGS };
enum { HOSTNAME, UP, BEHIND, MASTER, NODE_READINGS };

static const struct field readings[READINGS] = {
	[PROBLEM] = { "error", .kind = FIELD_TEXT },
	[TOTAL] = { "totalNodes", .kind = FIELD_UINT },
	[IN_USE] = { "nodeInUse", .kind = FIELD_TEXT },
};

static const struct field node_readings[NODE_READINGS] = {
	[HOSTNAME] = { "hostname", .kind = FIELD_TEXT, .flags = FIELD_ATTRIBUTE },
	[UP] = { "up", .kind = FIELD_BOOL, .flags = FIELD_ATTRIBUTE },
	[BEHIND] = { "syncBehind", .kind = FIELD_UINT, .flags = FIELD_ATTRIBUTE },
	[MASTER] = { "master", .kind = FIELD_BOOL, .flags = FIELD_ATTRIBUTE },
};

void
api_database(struct api *api, const struct store_status *status)
{
	/* What the database did not keep may be tried again now that it is back. */
	if (api->database.state != STORE_READY && status->state == STORE_READY)
		api->bulk.stopped = false;
	api->database = *status;
}

bool
database_is_ready(const struct work *work)
{
	return work->api->database.state == STORE_READY;
}

static void
write_text(struct work *work, const struct field *field, const char *text)
{
	const struct value value = { .set = true, .text = str_of(text) };
	document_value(&work->doc, field, &value);
}

static void
write_number(struct work *work, const struct field *field, uint64_t number)
{
	const struct value value = { .set = true,
		                     .number = number < UINT32_MAX ? (uint32_t)number : UINT32_MAX };
	document_value(&work->doc, field, &value);
}

static void
write_node(struct work *work, const struct store_node_status *node)
{
	document_item_open(&work->doc, STR("node"));
	write_text(work, &node_readings[HOSTNAME], node->name);
	write_number(work, &node_readings[UP], node->up);
	write_number(work, &node_readings[BEHIND], node->behind_bytes);
	write_number(work, &node_readings[MASTER], node->primary);
	document_item_close(&work->doc);
}

static void
write_cluster(struct work *work, const struct store_status *status)
{
	document_open(&work->doc, STR("cluster"));
	if (status->state != STORE_READY)
		write_text(work, &readings[PROBLEM], status->error);
	write_number(work, &readings[TOTAL], status->node_count);
	if (status->node_in_use >= 0)
		write_text(work, &readings[IN_USE], status->nodes[status->node_in_use].name);
	document_array_open(&work->doc, STR("node"));
	for (uint32_t i = 0; i < status->node_count; i++)
		write_node(work, &status->nodes[i]);
	document_array_close(&work->doc);
	document_close(&work->doc);
}

void
database_show(struct work *work)
{
	const struct store_status *status = &work->api->database;
	const bool clustered = status->node_count != 0;
	work->has_body = true;
	document_open(&work->doc, STR("database"));
	write_number(work, object_field(OBJECT_DATABASE, DATABASE_CLUSTERED), clustered);
	if (clustered)
		write_cluster(work, status);
	document_close(&work->doc);
}

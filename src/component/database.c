/* SPDX-License-Identifier: Apache-2.0 */
#include "component/database.h"

#include <stdio.h>

#include "base/addr.h"
#include "base/check.h"

static_assert((int)CONFIG_NODES_MAX == (int)STORE_NODES_MAX, "every node has a place");
static_assert((int)CONFIG_HOST_MAX <= (int)STORE_NODE_MAX, "every name fits");

static const char *
file(char out[DATABASE_PATH_MAX], const char *data_dir, const char *name)
{
	if (name[0] == '\0')
		return NULL;
	/* A name that does not fit names no file, and is refused as that. */
	return config_path(out, DATABASE_PATH_MAX, data_dir, name) ? out : name;
}

/* "host", "host:port", "[2001:db8::1]:5432", or the folder of a Unix socket with ":port" or not. */
static void
split_node(struct store_node *node, char host[STORE_NODE_MAX], const char *text)
{
	struct net_addr addr;
	uint32_t port = STORE_POSTGRES_PORT;
	struct str name = str_of(text);
	const char *colon = strrchr(text, ':');
	if (!addr_parse_ip(&addr, name) && colon != NULL &&
	    str_u32(str_of(colon + 1), &port)) {
		name.len = (size_t)(colon - text);
		if (name.len > 2 && name.at[0] == '[')
			name = str_sub(name, 1, name.len - 2);
	}
	const bool fits = str_copy(host, STORE_NODE_MAX, name);
	CHECK(fits);
	*node = (struct store_node){ host, (uint16_t)port };
}

static enum store_sslmode
sslmode(const char *word)
{
	static const char *const words[STORE_SSLMODES] = {
		[STORE_VERIFY_FULL] = "verify-full",
		[STORE_VERIFY_CA] = "verify-ca",
		[STORE_REQUIRE] = "require",
		[STORE_DISABLE] = "disable",
	};
	for (unsigned i = 0; i < STORE_SSLMODES; i++) {
		if (str_eq(str_of(word), str_of(words[i])))
			return (enum store_sslmode)i;
	}
	return STORE_VERIFY_FULL;
}

void
database_settings(struct database_settings *out, const char *data_dir, const struct config *config)
{
	*out = (struct database_settings){ 0 };
	struct store_settings *store = &out->store;
	store->path = file(out->path, data_dir, "convoke.db");
	if (config->database.node_count == 0)
		return;
	store->engine = STORE_POSTGRES;
	store->postgres = (struct store_postgres){
		.node_count = config->database.node_count,
		.user = config->database.user,
		.database = config->database.name,
		.password = config->database.password[0] != '\0' ? config->database.password : NULL,
		.key = file(out->key, data_dir, config->database.certs.key),
		.certificate = file(out->certificate, data_dir, config->database.certs.certificate),
		.authorities = file(out->authorities, data_dir, config->database.certs.bundle),
		.sslmode = sslmode(config->database.sslmode),
	};
	for (uint32_t i = 0; i < config->database.node_count; i++)
		split_node(&store->postgres.nodes[i], out->hosts[i], config->database.nodes[i]);
}

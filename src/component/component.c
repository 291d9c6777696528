/* SPDX-License-Identifier: Apache-2.0 */
#include "component/component.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "net/files.h"
#include "net/parent.h"

enum {
	GOODBYE_US = 50 * 1000, /* for the words about a failed start to go out */
};

static void
on_signal(void *context, int signal_number)
{
	struct component *component = context;
	(void)signal_number;
	component->stop(component->context);
}

static void
on_parent_gone(void *context)
{
	struct component *component = context;
	component->stop(component->context);
}

int
component_open(struct component *component)
{
	int rc = loop_create(&component->loop);
	if (rc != 0) {
		component->loop = NULL;
		log_error("the %s cannot start: not enough memory", component->name);
		return rc;
	}
	if (parent_create(&component->parent, component->loop, on_parent_gone, component) != 0)
		component->parent = NULL;
	rc = loop_signal_create(&component->sigterm, component->loop, SIGTERM, on_signal, component);
	if (rc == 0)
		rc = loop_signal_create(&component->sigint, component->loop, SIGINT, on_signal,
		                        component);
	if (rc == 0)
		return 0;
	component_fail(component, "not enough memory");
	component_close(component);
	return rc;
}

void
component_close(struct component *component)
{
	loop_signal_destroy(component->sigterm);
	loop_signal_destroy(component->sigint);
	parent_destroy(component->parent);
	if (component->loop != NULL)
		loop_destroy(component->loop);
	component->loop = NULL;
}

bool
component_fail(struct component *component, const char *format, ...)
{
	char text[COMPONENT_TEXT_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	log_error("the %s cannot start: %s", component->name, text);
	if (component->parent != NULL)
		parent_failed(component->parent, text);
	return false;
}

int
component_run(struct component *component, bool started)
{
	if (!started) {
		loop_run_until(component->loop, loop_now_us() + GOODBYE_US);
		return 1;
	}
	if (component->parent != NULL)
		parent_ready(component->parent);
	loop_run(component->loop);
	return 0;
}

const char *
component_path(const struct component *component, char out[COMPONENT_PATH_MAX], const char *name)
{
	if (name[0] == '\0')
		return NULL;
	if (name[0] == '/')
		snprintf(out, COMPONENT_PATH_MAX, "%s", name);
	else
		snprintf(out, COMPONENT_PATH_MAX, "%s/%s", component->data_dir, name);
	return out;
}

int
component_place(char out[COMPONENT_PATH_MAX], const char *const *places, size_t index)
{
	char program[COMPONENT_PATH_MAX];
	const int rc = dir_of_program(program, sizeof program);
	if (rc != 0)
		return rc;
	const int len = snprintf(out, COMPONENT_PATH_MAX, "%s/%s", program, places[index]);
	return len < COMPONENT_PATH_MAX ? 0 : -ENAMETOOLONG;
}

void
component_certs(const struct component *component, struct component_tls *out,
                const struct config_certs *certs, const char *trust)
{
	out->tls = (struct tls_settings){
		.key_file = component_path(component, out->key, certs->key),
		.cert_file = component_path(component, out->certificate, certs->certificate),
		.chain_file = component_path(component, out->bundle, certs->bundle),
		.trust_file = component_path(component, out->trust, trust),
	};
}

void
component_demands(struct tls_settings *tls, const struct config_tls *demands)
{
	tls->version_min = tls_version(demands->version_min);
	tls->ciphers = demands->ciphers[0] != '\0' ? demands->ciphers : NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor/port_notes.h"

#include <unistd.h>

#include "base/addr.h"

static void
note(struct port_notes *notes, enum port_protocol protocol, uint16_t port)
{
	const struct net_addr addr = addr_ip4(0, 0, 0, 0, port);
	if (port == 0 || notes->count == PORT_NOTES_MAX)
		return;
	const struct port_owner owner = port_owner_find(protocol, &addr);
	if (!owner.bound || owner.pid == 0)
		return;
	struct port_note *next = &notes->notes[notes->count++];
	next->port = port;
	port_owner_text(next->text, protocol, &addr);
}

/* Those that browsers share, one a media worker; pairs of single calls are not worth a look. */
static void
note_media(struct port_notes *notes, const struct config *config)
{
	const long cores = sysconf(_SC_NPROCESSORS_ONLN);
	uint32_t workers = config->callbridge.workers;
	if (workers == 0)
		workers = cores > 0 ? (uint32_t)cores : 1;
	for (uint32_t i = 0; i < workers && config->callbridge.media_first + i <= UINT16_MAX; i++)
		note(notes, PORT_UDP, (uint16_t)(config->callbridge.media_first + i));
}

void
port_notes_take(struct port_notes *notes, const struct config *config)
{
	notes->count = 0;
	note(notes, PORT_UDP, config->callbridge.sip_port);
	note(notes, PORT_TCP, config->callbridge.sip_port);
	note(notes, PORT_TCP, config->callbridge.sip_tls_port);
	note(notes, PORT_UDP, config->callbridge.bfcp_port);
	note(notes, PORT_TCP, config->callbridge.bfcp_port);
	note(notes, PORT_TCP, config->callbridge.bfcp_tls_port);
	note(notes, PORT_TCP, config->webadmin.listen.port);
	for (uint32_t i = 0; i < config->webbridge.https_count; i++)
		note(notes, PORT_TCP, config->webbridge.https[i].port);
	for (uint32_t i = 0; i < config->webbridge.c2w_count; i++)
		note(notes, PORT_TCP, config->webbridge.c2w[i].port);
	note_media(notes, config);
}

const char *
port_notes_find(const struct port_notes *notes, uint16_t port)
{
	for (size_t i = 0; i < notes->count; i++)
		if (notes->notes[i].port == port)
			return notes->notes[i].text;
	return NULL;
}

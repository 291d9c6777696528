/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: a user agent is made whole or not at all.  Method: each allocation fails once. */
#include "base/fail_at.h"
#include "base/test.h"
#include "sip/sip_ua.h"

static bool
make(void *context)
{
	(void)context;
	const struct sip_ua_listener listener = { SIP_TRANSPORT_UDP, addr_ip4(192, 0, 2, 1, 5060),
		                                  NULL };
	struct sip_ua_settings settings = sip_ua_settings_default();
	settings.listeners = &listener;
	settings.listener_count = 1;
	settings.sessions_max = 8;
	settings.transactions_max = 32;
	settings.flows_max = 4;
	settings.blocks_max = 64;
	struct sip_ua *ua;
	const int rc = sip_ua_create(&ua, &settings, 0);
	EXPECT_EQ(rc == 0, ua != NULL);
	sip_ua_destroy(ua);
	return rc == 0;
}

TEST(a_user_agent_is_made_whole_or_not_at_all)
{
	EXPECT(fail_at_each(make, NULL) > 20);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: what only Convoke tells is told as the shell sees it, and a question about the dial plan is
 * answered as a call would be.  Method: a bridge without network and a shell that is a few structs. */
#include "api/api_world.h"

/* The requests of the test bridge come at 2019-05-16T18:42:02Z. */
static const int64_t now_us = INT64_C(1558032122000000);
static const int64_t day_us = INT64_C(86400) * 1000000;

static struct guid tested;

static void
some_certificates(void *context, void (*tell)(void *to, const struct api_certificate *one), void *to)
{
	static const char *const subjects[] = { "CN = now", "CN = soon", "CN = over",
		                                "CN = later" };
	const int64_t from_us[] = { -day_us, -day_us, -2 * day_us, day_us };
	const int64_t until_us[] = { 31 * day_us, 29 * day_us + 1000000, -1, 9 * day_us };
	struct api_certificate one = { .service = "webadmin", .file = "a.crt", .issuer = "CN = <x>",
		                       .names = "a.example.org, 192.0.2.1",
		                       .fingerprint = "AB:CD" };
	(void)context;
	for (unsigned i = 0; i < COUNT_OF(subjects); i++) {
		one.subject = subjects[i];
		one.not_before_us = now_us + from_us[i];
		one.not_after_us = now_us + until_us[i];
		tell(to, &one);
	}
	one = (struct api_certificate){ .service = "tls sip", .use = CERTIFICATE_TRUST,
		                        .file = "b.crt", .problem = "cannot read b.crt" };
	tell(to, &one);
}

static void
cdr_state(void *context, const struct guid *receiver, struct api_cdr_state *out)
{
	(void)context;
	(void)receiver;
	*out = (struct api_cdr_state){ .status = CDR_RECEIVER_REMOTE_FAILURE,
		                       .error = "it answered with status 500",
		                       .error_wall_us = now_us, .waiting = 7, .next_attempt_s = 4,
		                       .deliveries = 3, .answer_ms = 12 };
}

static void
note_test(void *context, const struct guid *receiver)
{
	(void)context;
	tested = *receiver;
}

static const struct api_look look = { .certificates = some_certificates, .cdr_state = cdr_state,
	                              .cdr_test = note_test };

TEST(certificates_are_told_before_they_end)
{
	struct bridge *b = bridge_make();
	expect(b, API_GET, "/system/certificates", "", 200, "<certificates total=\"0\"/>");
	api_look(b->api, &look);
	send(b, API_GET, "/system/certificates", "");
	EXPECT(strstr(b->body,
	              "<certificates total=\"5\"><certificate><service>webadmin</service>"
	              "<use>own</use><file>a.crt</file><status>valid</status>"
	              "<subject>CN = now</subject><names>a.example.org, 192.0.2.1</names>"
	              "<issuer>CN = &lt;x&gt;</issuer><validFrom>2019-05-15T18:42:02Z</validFrom>"
	              "<validUntil>2019-06-16T18:42:02Z</validUntil>"
	              "<daysRemaining>31</daysRemaining><fingerprint>AB:CD</fingerprint>"
	              "</certificate>") != NULL);
	EXPECT(strstr(b->body, "<status>expiresSoon</status><subject>CN = soon</subject>") != NULL);
	EXPECT(strstr(b->body, "<daysRemaining>29</daysRemaining>") != NULL);
	EXPECT(strstr(b->body, "<status>expired</status><subject>CN = over</subject>") != NULL);
	EXPECT(strstr(b->body, "<daysRemaining>0</daysRemaining>") != NULL);
	EXPECT(strstr(b->body, "<status>notYetValid</status><subject>CN = later</subject>") != NULL);
	EXPECT(strstr(b->body,
	              "<certificate><service>tls sip</service><use>trust</use><file>b.crt</file>"
	              "<status>unreadable</status><failureReason>cannot read b.crt</failureReason>"
	              "</certificate>") != NULL);
	send_as(b, API_GET, "/system/certificates", "", login, "application/json");
	EXPECT(strstr(b->body, "{\"certificates\":{\"total\":5,\"certificate\":[{\"service\":") ==
	       b->body);
	bridge_end(b);
}

TEST(a_receiver_of_records_has_a_state_and_can_be_tested)
{
	struct bridge *b = bridge_make();
	expect(b, API_POST, "/system/cdrReceivers", "uri=http://a.example.org/", 200, "");
	expect(b, API_GET, "/system/cdrReceivers/G1/status", "", 200,
	       "<cdrReceiver id=\"G1\"><status>unused</status><recordsWaiting>0</recordsWaiting>"
	       "<deliveries>0</deliveries></cdrReceiver>");
	api_look(b->api, &look);
	expect(b, API_GET, "/system/cdrReceivers/G1/status", "", 200,
	       "<cdrReceiver id=\"G1\"><status>remoteFailure</status>"
	       "<lastError>it answered with status 500</lastError>"
	       "<lastErrorTime>2019-05-16T18:42:02Z</lastErrorTime>"
	       "<recordsWaiting>7</recordsWaiting><nextAttemptSeconds>4</nextAttemptSeconds>"
	       "<deliveries>3</deliveries><answerMilliseconds>12</answerMilliseconds>"
	       "</cdrReceiver>");
	expect(b, API_POST, "/system/cdrReceivers/G1/sendTest", "", 200, "");
	EXPECT(guid_eq(&tested, &b->guids[0]));
	EXPECT(strstr(b->log, "API user \"admin\" tested CDR receiver G1\n") != NULL);
	expect(b, API_DELETE, "/system/cdrReceivers/G1", "", 200, "");
	EXPECT_FAILURE(b, API_POST, "/system/cdrReceivers/G1/sendTest", "", 404,
	               "cdrReceiverDoesNotExist");
	EXPECT_FAILURE(b, API_GET, "/system/cdrReceivers/G1/status", "", 404,
	               "cdrReceiverDoesNotExist");
	bridge_end(b);
}

static void
ask(struct bridge *b, const char *question, const char *answer)
{
	char body[1024];
	send(b, API_POST, "/dialPlanQuery", question);
	EXPECT_EQ(b->status, 200);
	struct str got = str_of(b->body);
	(void)str_cut(&got, '>');
	(void)str_cut(&got, '>');
	(void)str_copy(body, sizeof body, got);
	EXPECT_STR(str_of(body), answer);
}

TEST(a_caller_from_outside_is_led_as_the_rules_say)
{
	struct bridge *b = bridge_make();
	expect(b, API_POST, "/coSpaces", "name=S&uri=s", 200, "");
	/* Without rules every domain is ours. */
	ask(b, "address=s@anywhere.org",
	    "<address>s@anywhere.org</address><direction>incoming</direction>"
	    "<outcome>coSpace</outcome><coSpace>G1</coSpace></dialPlanQuery>");
	expect(b, API_POST, "/inboundDialPlanRules", "domain=ours.org&priority=5", 200, "");
	ask(b, "address=sip:S@OURS.org",
	    "<address>sip:S@OURS.org</address><direction>incoming</direction>"
	    "<inboundDialPlanRule>G2</inboundDialPlanRule><outcome>coSpace</outcome>"
	    "<coSpace>G1</coSpace></dialPlanQuery>");
	expect(b, API_POST, "/ivrs", "uri=hall", 200, "");
	ask(b, "address=hall@ours.org",
	    "<address>hall@ours.org</address><direction>incoming</direction>"
	    "<inboundDialPlanRule>G2</inboundDialPlanRule><outcome>ivr</outcome><ivr>G3</ivr>"
	    "</dialPlanQuery>");
	expect(b, API_DELETE, "/ivrs/G3", "", 200, "");
	ask(b, "address=x@ours.org",
	    "<address>x@ours.org</address><direction>incoming</direction>"
	    "<inboundDialPlanRule>G2</inboundDialPlanRule><outcome>refused</outcome>"
	    "<reason>no space has this address</reason></dialPlanQuery>");
	ask(b, "address=x@far.org",
	    "<address>x@far.org</address><direction>incoming</direction><outcome>refused</outcome>"
	    "<reason>no space has it, and no forwarding dial plan rule is for its domain</reason>"
	    "</dialPlanQuery>");
	expect(b, API_POST, "/forwardingDialPlanRules",
	       "matchPattern=far.org&destinationDomain=pbx.org&action=forward", 200, "");
	expect(b, API_POST, "/outboundDialPlanRules",
	       "domain=pbx.org&priority=7&sipProxy=p.org:5061&sipControlEncryption=encrypted&"
	       "failureAction=continue",
	       200, "");
	expect(b, API_POST, "/outboundDialPlanRules", "domain=*&failureAction=stop", 200, "");
	expect(b, API_POST, "/outboundDialPlanRules", "domain=*&failureAction=stop", 200, "");
	ask(b, "address=x@far.org",
	    "<address>x@far.org</address><direction>incoming</direction>"
	    "<forwardingDialPlanRule>G4</forwardingDialPlanRule><outcome>forwarded</outcome>"
	    "<dialled>x@pbx.org</dialled>"
	    "<outboundDialPlanRule id=\"G5\"><domain>pbx.org</domain><priority>7</priority>"
	    "<sipProxy>p.org:5061</sipProxy><sipControlEncryption>encrypted</sipControlEncryption>"
	    "<failureAction>continue</failureAction></outboundDialPlanRule>"
	    "<outboundDialPlanRule id=\"G6\"><domain>*</domain><priority>0</priority>"
	    "<sipProxy></sipProxy><sipControlEncryption>auto</sipControlEncryption>"
	    "<failureAction>stop</failureAction></outboundDialPlanRule></dialPlanQuery>");
	expect(b, API_PUT, "/forwardingDialPlanRules/G4", "action=reject", 200, "");
	send(b, API_POST, "/dialPlanQuery", "address=x@far.org");
	EXPECT(strstr(b->body, "<reason>the forwarding dial plan rule rejects it</reason>") != NULL);
	bridge_end(b);
}

TEST(what_is_called_from_here_is_transformed_first)
{
	struct bridge *b = bridge_make();
	ask(b, "address=ann@far.org&direction=outgoing",
	    "<address>ann@far.org</address><direction>outgoing</direction>"
	    "<outcome>called</outcome><dialled>ann@far.org</dialled></dialPlanQuery>");
	expect(b, API_POST, "/dialTransforms",
	       "type=strip&match=($1/^\\d{4}$/)&transform=$1@pbx.org&priority=2", 200, "");
	expect(b, API_POST, "/dialTransforms", "type=strip&match=($1/^0900/)&action=deny", 200, "");
	expect(b, API_POST, "/outboundDialPlanRules", "domain=pbx.org", 200, "");
	send(b, API_POST, "/dialPlanQuery", "address=4711&direction=outgoing");
	EXPECT(strstr(b->body, "<dialTransform>G1</dialTransform><outcome>called</outcome>"
	                       "<dialled>4711@pbx.org</dialled><outboundDialPlanRule id=\"G3\">") !=
	       NULL);
	send(b, API_POST, "/dialPlanQuery", "address=0900123&direction=outgoing");
	EXPECT(strstr(b->body, "<dialTransform>G2</dialTransform><outcome>refused</outcome>") !=
	       NULL);
	send(b, API_POST, "/dialPlanQuery", "address=ann@far.org&direction=outgoing");
	EXPECT(strstr(b->body, "<outcome>refused</outcome>"
	                       "<reason>no outbound dial plan rule is for it</reason>") != NULL);
	send(b, API_POST, "/dialPlanQuery", "direction=outgoing");
	EXPECT(strstr(b->body, "parameter=\"address\" error=\"missing\"") != NULL);
	bridge_end(b);
}

# SPDX-License-Identifier: Apache-2.0
"""The dial plan beside a real telephone system: phones are registered at Kamailio, which is a trunk
peer of Convoke.  Calls go in and out by rules; a certificate of nobody we trust ends a call where the
rule wants encryption; without it a call goes on in the clear only where the rule says so."""
import sound
from baresip import Baresip
from harness import case, expect, expect_equal, main, wait_for
from kamailio import PHONES, Kamailio
from server import Server

TABLES = ("inboundDialPlanRules", "forwardingDialPlanRules", "outboundDialPlanRules",
          "dialTransforms")


def rules(world, **tables):
    """The dial plan is this and nothing else: table -> list of parameters."""
    api = world.server.api
    for table in TABLES:
        for item in api.list(table):
            api.delete(f"{table}/{item.get('id')}")
        for parameters in tables.get(table, ()):
            api.post(table, **parameters)


def phone(world, number, tone):
    return Baresip(world, number, "udp", "PCMU", tone=tone, registrar=world.kamailio.address,
                   domain=PHONES)


def says(world, *texts, seconds=10):
    """The event log has a line with all of these."""
    def line():
        return next((one for one in world.server.log().splitlines()
                     if all(text in one for text in texts)), None)
    return wait_for(lambda: f"a line of the log with {texts}", line, seconds, 0.2)


def dial_out(world, party, space="demo"):
    """Calls somebody into the space; the id of the call and what has become of the leg."""
    api = world.server.api
    call = api.post("calls", coSpace=api.find("coSpaces", uri=space).get("id"))
    return call, api.post(f"calls/{call}/callLegs", remoteParty=party)


def is_connected(world, leg):
    answer = world.server.api.request("GET", f"/api/v1/callLegs/{leg}")
    return answer.status == 200 and answer.tree.findtext("status/state") == "connected"


def is_gone(world, leg):
    return world.server.api.request("GET", f"/api/v1/callLegs/{leg}").status == 404


def hears(listener, speaker, seconds=12):
    def heard():
        samples, rate = listener.hears(1.5)
        return speaker.tone in sound.heard(samples, rate, [speaker.tone])
    wait_for(lambda: f"{listener.name} hears {speaker.name}", heard, seconds, 0.4)


@case
def calls_come_in_where_inbound_rules_let_them_and_the_log_says_which_rule_does_not(world):
    rules(world, inboundDialPlanRules=[
        {"domain": "meet.example", "resolveTocoSpaces": "true"},
        {"domain": "*.closed.example", "priority": "5", "resolveTocoSpaces": "false"},
    ], forwardingDialPlanRules=[
        {"matchPattern": "*.spam.example", "action": "reject", "priority": "7"},
    ])
    one = phone(world, 1, sound.TONES[0])
    one.dial_address("demo@meet.example").wait_event("CALL_ESTABLISHED", 15)
    wait_for("phone1 is in the space", lambda: one.name in world.server.people(), 10)
    expect_equal(world.kamailio.invites()[-1][2], "udp", "transport from the phone")
    one.hang_up()
    for address, status, *words in (
            ("nobody@meet.example", "404", "inbound dial plan rule", '"meet.example"'),
            ("demo@a.closed.example", "404", "inbound dial plan rule", '"*.closed.example"'),
            ("demo@b.spam.example", "403", "forwarding dial plan rule", "rejects it"),
            ("demo@other.example", "404", "no forwarding dial plan rule")):
        one.dial_address(address)
        expect(status in one.closed_reason(), address, "was refused with", one.closed_reason())
        says(world, f'to "{address}" refused with {status}', *words)


@case
def calls_go_out_over_tls_to_a_phone_whose_number_a_transform_made(world):
    rules(world, outboundDialPlanRules=[
        {"domain": PHONES, "sipProxy": f"{world.kamailio.address}:5061",
         "sipControlEncryption": "encrypted", "localFromDomain": "meet.example"},
    ], dialTransforms=[
        {"type": "phone", "match": "($1/^44$/)($2/^20/)", "transform": f"phone2@{PHONES}"},
        {"type": "raw", "match": "($1/^0900/)", "action": "deny", "priority": "1"},
    ])
    two = phone(world, 2, sound.TONES[2])
    call, leg = dial_out(world, "+442079460123")
    wait_for("phone2 is connected", lambda: is_connected(world, leg), 15)
    expect_equal(world.kamailio.invites()[-1],
                 (f"sip:phone2@{PHONES}", "sip:demo@meet.example", "tls"), "what Kamailio saw")
    tree = world.server.api.get(f"callLegs/{leg}")
    expect_equal(tree.findtext("originalRemoteParty"), "+442079460123")
    expect_equal(tree.findtext("remoteParty"), f"phone2@{PHONES}")
    two.hang_up()
    wait_for("the leg is gone", lambda: is_gone(world, leg), 15)
    before = len(world.kamailio.invites())
    for party, words in (("0900123", 'dial transform "($1/^0900/)"'),
                         ("a@elsewhere.example", "no outbound dial plan rule")):
        leg = dial_out(world, party)[1]
        wait_for(f"{party} is not called", lambda: is_gone(world, leg), 15)
        says(world, f'"{party}"', words)
    expect_equal(len(world.kamailio.invites()), before, "INVITEs at Kamailio")


@case
def a_certificate_of_nobody_we_trust_and_a_trunk_without_tls_end_an_encrypted_call(world):
    address = world.kamailio.address
    phone(world, 3, sound.TONES[2])
    before = len(world.kamailio.invites())
    for port in (world.kamailio.FOREIGN_PORT, 5060):
        rules(world, outboundDialPlanRules=[
            {"domain": PHONES, "sipProxy": f"{address}:{port}",
             "sipControlEncryption": "encrypted"}])
        leg = dial_out(world, f"phone3@{PHONES}")[1]
        wait_for(f"the call to port {port} has ended", lambda: is_gone(world, leg), 20)
    says(world, "TLS negotiation failed", "certificate")
    expect_equal(len(world.kamailio.invites()), before, "INVITEs at Kamailio")
    expect("falling back" not in world.server.log(), "a call fell back to no encryption")


@case
def a_call_goes_on_in_the_clear_only_where_its_rule_says_so(world):
    rules(world, outboundDialPlanRules=[
        {"domain": PHONES, "sipProxy": f"{world.kamailio.address}:5060",
         "sipControlEncryption": "auto"}])
    two = phone(world, 4, sound.TONES[3])
    leg = dial_out(world, f"phone4@{PHONES}")[1]
    wait_for("phone4 is connected", lambda: is_connected(world, leg), 30)
    says(world, "falling back to unencrypted control connection...")
    expect_equal(world.kamailio.invites()[-1][2], "tcp", "transport to Kamailio")
    two.hang_up()
    wait_for("the leg is gone", lambda: is_gone(world, leg), 15)
    rules(world, outboundDialPlanRules=[
        {"domain": PHONES, "sipProxy": f"{world.kamailio.address}:5060",
         "sipControlEncryption": "unencrypted"}])
    before = world.server.log().count("falling back")
    leg = dial_out(world, f"phone4@{PHONES}")[1]
    wait_for("phone4 is connected again", lambda: is_connected(world, leg), 15)
    expect_equal(world.server.log().count("falling back"), before, "calls that fell back")


@case
def the_second_trunk_is_tried_when_the_first_is_down_and_its_rule_continues(world):
    address = world.kamailio.address
    first = {"domain": PHONES, "priority": "20", "sipProxy": f"{address}:9",
             "sipControlEncryption": "encrypted", "failureAction": "continue"}
    second = {"domain": "*.example", "priority": "10", "sipProxy": f"{address}:5061",
              "sipControlEncryption": "encrypted"}
    rules(world, outboundDialPlanRules=[second, first])
    two = phone(world, 5, sound.TONES[3])
    leg = dial_out(world, f"phone5@{PHONES}")[1]
    wait_for("phone5 is connected", lambda: is_connected(world, leg), 20)
    says(world, "(priority 20)", "trying outbound dial plan rule", "(priority 10)")
    two.hang_up()
    wait_for("the leg is gone", lambda: is_gone(world, leg), 15)
    before = len(world.kamailio.invites())
    # Who is busy is not called by another trunk, and a rule that stops stops.
    rules(world, outboundDialPlanRules=[second | {"priority": "30", "failureAction": "continue"},
                                        second])
    leg = dial_out(world, f"busy@{PHONES}")[1]
    wait_for("the busy one is given up", lambda: is_gone(world, leg), 15)
    expect_equal(len(world.kamailio.invites()), before + 1, "INVITEs at Kamailio")
    rules(world, outboundDialPlanRules=[first | {"failureAction": "stop"}, second])
    leg = dial_out(world, f"phone5@{PHONES}")[1]
    wait_for("the call is given up", lambda: is_gone(world, leg), 20)
    expect_equal(len(world.kamailio.invites()), before + 1, "INVITEs at Kamailio")


@case
def a_forwarding_rule_connects_two_phones_and_passes_on_who_calls(world):
    rules(world, inboundDialPlanRules=[{"domain": "meet.example"}], forwardingDialPlanRules=[
        {"matchPattern": "office.example", "destinationDomain": PHONES,
         "callerIdMode": "preserve"}], outboundDialPlanRules=[
        {"domain": PHONES, "sipProxy": f"{world.kamailio.address}:5061",
         "sipControlEncryption": "encrypted"}])
    one = phone(world, 6, sound.TONES[0])
    two = phone(world, 7, sound.TONES[4])
    one.dial_address("phone7@office.example").wait_event("CALL_ESTABLISHED", 15)
    hears(one, two)
    hears(two, one)
    expect_equal(world.kamailio.invites()[-1][:2],
                 (f"sip:phone7@{PHONES}", f"sip:phone6@{PHONES}"), "what Kamailio saw")
    calls = world.server.api.list("calls")
    expect_equal(len(calls), 1, "calls")
    tree = world.server.api.get(f"calls/{calls[0].get('id')}")
    expect_equal(tree.findtext("callType"), "forwarding", "callType")
    expect_equal(tree.findtext("numCallLegs"), "2", "numCallLegs")
    two.hang_up()
    one.wait_event("CALL_CLOSED", 10)
    wait_for("the call is over", lambda: not world.server.api.list("calls"), 10)
    one.dial_address("busy@office.example")
    expect("486" in one.closed_reason(), "who forwards to somebody busy hears", one.closed_reason())
    wait_for("no call is left over", lambda: not world.server.api.list("calls"), 10)


def set_up(world):
    world.kamailio = Kamailio(world, 50)
    world.server = Server(world)
    for words in (["tls", "sip", "trust", str(world.kamailio.trust)],
                  ["tls", "sip", "verify", "enable"], ["callbridge", "restart"]):
        status, said = world.server.command("mmp", *words)
        expect_equal(status, 0, f"exit status of {words}, which said {said!r},")
    world.server.wait_ready()


main(set_up)

# SPDX-License-Identifier: Apache-2.0
"""Call detail records reach receivers that are quick, slow, away or answer 500: each record once, in
order, also when the bridge is killed in between."""
import os
import signal
import time

import network
from baresip import Baresip
from harness import case, expect, expect_equal, main, wait_for
from receiver import Receiver
from server import Server

CALL = ["callStart", "callLegStart", "callLegUpdate"]


def alarms(api):
    return [(a.findtext("type"), a.findtext("failureReason"), a.findtext("cdrReceiver"))
            for a in api.list("system/alarms")]


def begin(world, *receivers):
    """Their ids; afterwards nobody else is a receiver."""
    api = world.server.api
    for old in api.list("system/cdrReceivers"):
        api.delete(f"system/cdrReceivers/{old.get('id')}")
    return [api.post("system/cdrReceivers", uri=r.uri) for r in receivers]


def wait_whole(server, receivers, seconds=30):
    """Until each has all there is."""
    def behind():
        return [(r.port, len(r.records)) for r in receivers
                if not r.records or r.records[-1].correlator + 1 != next_index(server)]
    wait_for(lambda: f"all records at all receivers but {behind()} of {next_index(server)}",
             lambda: not behind(), seconds, 0.1)
    for receiver in receivers:
        receiver.check()


def next_index(server):
    return int(server.api.get("system/status").findtext("cdrCorrelatorIndex"))


def two_phones(world):
    """A short call; the second phone leaves first."""
    one = Baresip(world, 1).join()
    two = Baresip(world, 2, tone=1040, codec="PCMU").join()
    # Figures of legs are measured every 5 s.
    wait_for("figures of both legs", lambda: all(
        world.server.api.get(f"callLegs/{leg.get('id')}").findtext("status/rxAudio/codec")
        for leg in world.server.api.list("callLegs")), 15, 0.3)
    time.sleep(5)
    two.hang_up()
    two.wait_event("CALL_CLOSED")
    one.hang_up()
    one.wait_event("CALL_CLOSED")


@case
def quick_slow_failing_and_absent_receivers_get_the_same_records(world):
    server = world.server
    quick = Receiver(world, 8101)
    slow = Receiver(world, 8102, status=204, delay=0.7)
    failing = Receiver(world, 8103, status=500)
    absent = Receiver(world, 8104, listen=False)
    ids = begin(world, quick, slow, failing, absent)
    two_phones(world)
    wait_for(lambda: f"the call's end, of {quick.types()}",
             lambda: "callEnd" in quick.types(), 15)
    expect(failing.refused > 0 and not failing.records, "the failing one took something")
    raised = alarms(server.api)
    expect(("cdrConnectionFailure", "internalServerError", ids[2]) in raised, raised)
    expect(("cdrConnectionFailure", "connectFailure", ids[3]) in raised, raised)
    expect_equal(len(raised), 2, "number of alarms")
    log = server.log()
    for line in ("successfully connected to CDR receiver 1",
                 "successfully connected to CDR receiver 2",
                 "unable to connect to CDR receiver 3 (127.0.0.1:8103)",
                 "unable to connect to CDR receiver 4 (127.0.0.1:8104)"):
        expect(line in log, "no line:", line)
    failing.status = 200
    absent.listen()
    wait_whole(server, [quick, slow, failing, absent], 40)
    wait_for(lambda: f"no alarm: {alarms(server.api)}", lambda: not alarms(server.api), 5)
    for other in (slow, failing, absent):
        expect_equal([r.correlator for r in other.records],
                     [r.correlator for r in quick.records], "records")


@case
def a_call_is_told_as_it_was(world):
    receiver = Receiver(world, 8111)
    begin(world, receiver)
    two_phones(world)
    wait_whole(world.server, [receiver])
    types = receiver.types()
    expect_equal(types[:3], CALL, "first records")
    expect_equal(types[-1], "callEnd", "last record")
    start, = receiver.of("callStart")
    expect_equal(start.text("name"), "Demo", "name")
    expect_equal(start.text("callType"), "coSpace", "callType")
    expect(start.text("coSpace") and start.text("callCorrelator"), "no coSpace or callCorrelator")
    legs = receiver.of("callLegStart", type="sip", direction="incoming")
    expect_equal(len(legs), 2, "legs")
    for leg in legs:
        expect_equal(leg.text("call"), start.body.get("id"), "the leg's call")
        expect(leg.text("sipCallId"), "no sipCallId")
    expect(any("phone1" in leg.text("remoteParty") for leg in legs), "no phone1")
    updates = receiver.of("callLegUpdate", state="connected")
    expect({u.body.get("id") for u in updates} == {leg.body.get("id") for leg in legs},
           "not each leg is connected")
    ends = receiver.of("callLegEnd", reason="remoteTeardown", remoteTeardown="true")
    expect_equal(len(ends), 2, "ends")
    expect_equal({e.text("rxAudio/codec") for e in ends}, {"opus", "g711u"}, "codecs")
    for end in ends:
        expect(5 <= int(end.text("durationSeconds")) < 60, end.text("durationSeconds"))
        expect_equal(end.text("durationSeconds"), end.text("activatedDuration"), "activated")
        expect_equal(end.text("unencryptedMedia"), "true", "unencryptedMedia")
        expect(end.text("rxAudio/packetStatistics/packetGap/duration"), "no packetStatistics")
    over, = receiver.of("callEnd", callLegsCompleted="2", callLegsMaxActive="2")
    expect(int(over.text("durationSeconds")) >= 5, "durationSeconds")


@case
def hundreds_of_records_reach_a_slow_receiver_in_order(world):
    api = world.server.api
    space = api.post("coSpaces", name="Many")
    slow = Receiver(world, 8121, delay=0.2)
    begin(world, slow)
    for _ in range(150):
        api.delete(f"calls/{api.post('calls', coSpace=space)}")
    wait_whole(world.server, [slow])
    expect_equal(len(slow.records), 300, "records")
    expect_equal(slow.types(), ["callStart", "callEnd"] * 150, "types")
    expect(max(slow.posts) > 1, "no POST had several records")
    api.delete(f"coSpaces/{space}")


@case
def nothing_is_lost_when_the_bridge_is_killed(world):
    server = world.server
    api = server.api
    space = api.post("coSpaces", name="Killed")
    away = Receiver(world, 8131, listen=False)
    near = Receiver(world, 8132)
    begin(world, away, near)
    for _ in range(20):
        api.delete(f"calls/{api.post('calls', coSpace=space)}")
    api.post("calls", coSpace=space)
    before = next_index(server)
    wait_for("the near one has them", lambda: len(near.records) == 41, 10)
    pid = server.pid_of("callbridge")
    os.kill(pid, signal.SIGKILL)
    wait_for("another callbridge", lambda: server.pid_of("callbridge") not in (None, pid), 10)
    server.wait_ready()
    api.delete(f"calls/{api.post('calls', coSpace=space)}")
    away.listen()
    wait_whole(server, [away, near], 40)
    for receiver in (away, near):
        sessions = receiver.sessions()
        expect_equal(len(sessions), 2, "sessions")
        expect_equal(len(receiver.types(sessions[0])), 41, "records before the end")
        expect_equal(receiver.types(sessions[1]), ["callStart", "callEnd"], "records after it")
    expect(before >= 41, "cdrCorrelatorIndex was", before)
    api.delete(f"coSpaces/{space}")


@case
def a_receiver_that_cannot_prove_itself_gets_nothing(world):
    key = world.path("receiver.pem")
    network.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                "-keyout", str(key), "-out", str(key) + ".crt")
    with open(key, "a") as both:
        both.write(open(str(key) + ".crt").read())
    receiver = Receiver(world, 8141, key=key)
    one, = begin(world, receiver)
    api = world.server.api
    space = api.post("coSpaces", name="Proof")
    api.delete(f"calls/{api.post('calls', coSpace=space)}")
    wait_for(lambda: f"an alarm, of {alarms(api)}", lambda: alarms(api) == [
        ("cdrConnectionFailure", "authenticationFailure", one)], 10)
    expect(not receiver.records and not receiver.refused, "it was sent something")
    begin(world)
    expect_equal(alarms(api), [], "alarms")
    api.delete(f"coSpaces/{space}")


if __name__ == "__main__":
    main(lambda world: setattr(world, "server", Server(world)))

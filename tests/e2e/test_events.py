# SPDX-License-Identifier: Apache-2.0
"""The Events WebSocket, as a management tool uses it: calls, a call's facts and its roster, by real
phones; how late it is; and what becomes of clients that do not listen."""
import statistics
import time

from baresip import Baresip
from harness import case, expect, expect_equal, main, wait_for
from server import Server
from subscriber import Subscriber

CALLS = ["name", "participants", "distributedInstances", "recording", "endpointRecording",
         "streaming", "lockState", "callType", "callCorrelator"]
INFO = CALLS + ["joinAudioMuteOverride"]
ROSTER = ["name", "uri", "state", "direction", "audioMuted", "videoMuted", "importance", "layout",
          "activeSpeaker", "presenter", "endpointRecording", "canMove", "movedParticipant",
          "movedParticipantCallBridge", "handStatus"]
LATE_S = 0.020


def until(what, condition, seconds=10):
    wait_for(what, condition, seconds, 0.02)


@case
def a_management_tool_sees_calls_and_people_come_change_and_go(world):
    api = world.server.api
    tool = Subscriber(world, api)
    expect_equal(tool.status, 101, "status of the opening")
    tool.subscribe((3, "calls", None, CALLS))
    until(lambda: f"state: {tool.states}", lambda: tool.states.get(3) == "active")
    one = Baresip(world, 1).join()
    until(lambda: f"a call: {tool.calls}", lambda: len(tool.calls) == 1)
    (call, facts), = tool.calls.items()
    expect_equal(call, world.server.call(), "the call")
    expect_equal((facts["name"], facts["callType"], facts["lockState"], facts["participants"]),
                 ("Demo", "coSpace", "unlocked", 1), "facts")
    tool.subscribe((3, "calls", None, CALLS), (1, "callRoster", call, ROSTER),
                   (2, "callInfo", call, INFO))
    until(lambda: f"a roster: {tool.rosters}", lambda: "phone1" in tool.roster(1))
    first = tool.roster(1)["phone1"]
    expect_equal((first["state"], first["direction"], first["audioMuted"], first["importance"]),
                 ("connected", "incoming", False, 0), "roster")
    expect(set(ROSTER) - set(first) <= {"movedParticipant", "movedParticipantCallBridge"},
           "elements are missing:", set(ROSTER) - set(first))
    two = Baresip(world, 2, tone=1040).join()
    until(lambda: f"two: {tool.roster(1)}", lambda: len(tool.roster(1)) == 2)
    until(lambda: f"two in {tool.infos}", lambda: tool.infos[2]["participants"] == 2)
    until("somebody speaks", lambda: any(p["activeSpeaker"] for p in tool.roster(1).values()))
    participant = first["participant"]
    api.put(f"participants/{participant}", rxAudioMute="true", importance="5")
    until(lambda: f"muted: {tool.roster(1)}", lambda: tool.roster(1)["phone1"]["audioMuted"] is True
          and tool.roster(1)["phone1"]["importance"] == 5)
    api.put(f"calls/{call}", locked="true")
    until("locked", lambda: tool.infos[2]["lockState"] == "locked"
          and tool.calls[call]["lockState"] == "locked")
    two.hang_up()
    until(lambda: f"one: {tool.roster(1)}", lambda: set(tool.roster(1)) == {"phone1"})
    one.hang_up()
    until(lambda: f"no call: {tool.calls}", lambda: not tool.calls)
    until(lambda: f"over: {tool.states}",
          lambda: tool.states[1] == tool.states[2] == "deactivated")
    expect(tool.closed is None, "it was closed with", tool.closed)


@case
def what_changes_is_told_within_20_ms(world):
    api = world.server.api
    space = api.post("coSpaces", name="Late")
    tool = Subscriber(world, api)
    tool.subscribe((1, "calls", None, ["name", "lockState"]))
    call = api.post("calls", coSpace=space)
    until("the call", lambda: call in tool.calls)
    late = []
    for n in range(40):
        wanted = "locked" if n % 2 == 0 else "unlocked"
        api.put(f"calls/{call}", locked="true" if n % 2 == 0 else "false")
        answered = time.monotonic()
        until(wanted, lambda: tool.calls[call]["lockState"] == wanted, 5)
        late.append(tool.heard[-1][0] - answered)
    # The answer and the event leave in one moment: the event may even be first.
    median = statistics.median(late)
    expect(median <= LATE_S, f"events are {median * 1000:.1f} ms late")
    api.delete(f"calls/{call}")
    api.delete(f"coSpaces/{space}")


@case
def who_does_not_listen_goes_and_disturbs_nobody(world):
    api = world.server.api
    space = api.post("coSpaces", name="Deaf")
    deaf = Subscriber(world, api, acknowledges=False)
    good = Subscriber(world, api)
    for tool in (deaf, good):
        tool.subscribe((1, "calls", None, CALLS))
    for _ in range(60):
        api.delete(f"calls/{api.post('calls', coSpace=space)}")
    call = api.post("calls", coSpace=space)
    until("the last call", lambda: call in good.calls)
    expect(len(deaf.heard) <= 16, "a client that does not acknowledge was told",
           len(deaf.heard), "messages")
    wait_for(lambda: f"it is closed: {deaf.closed}", lambda: deaf.closed == 1008, 20)
    expect(good.closed is None, "the other one was closed, too")
    figures = world.server.metrics()
    expect_equal(figures.get("events_clients"), 1, "clients")
    api.delete(f"calls/{call}")
    until("no call", lambda: not good.calls)
    api.delete(f"coSpaces/{space}")


@case
def nobody_gets_in_without_a_token(world):
    api = world.server.api
    expect_equal(Subscriber(world, api, token="AAAAAAAAAAAAAAAAAAAAAA").status, 401, "status")
    good = Subscriber(world, api)
    good.say(["not", "ours"])
    wait_for(lambda: f"closed: {good.closed}", lambda: good.closed == 1007, 5)
    wrong = Subscriber(world, api)
    wrong.say({"type": "message", "message": {"messageId": 1, "type": "noSuchRequest"}})
    wait_for(lambda: f"an answer: {wrong.acked}", lambda: wrong.acked == ["failure"], 5)
    expect(wrong.closed is None, "it was closed")


if __name__ == "__main__":
    main(lambda world: setattr(world, "server", Server(world)))

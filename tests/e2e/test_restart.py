# SPDX-License-Identifier: Apache-2.0
"""kill -9 of each component in a meeting: the supervisor starts it again, and people in browsers
are back in the space by themselves, heard and hearing."""
import os
import signal
import time

import sound
from browser import Browser
from harness import alive, case, expect, expect_equal, main, wait_for
from probe import Probe
from server import Server

BACK_S = 5.0
TONES = {"Anna": 445, "Benno": 1040}


def both_hear_each_other(people):
    def wrong():
        return [f"{p.name} hears {sound.describe(*p.hears(0.7), list(TONES.values()))}"
                for p in people
                if sound.heard(*p.hears(0.7), list(TONES.values())) != set(TONES.values()) - {p.tone}]
    return wrong


def meet(world):
    world.server.wait_empty(30, transactions=False)
    people = [Browser(world, 20 + n, name, tone=hz) for n, (name, hz) in enumerate(TONES.items())]
    for person in people:
        person.join()
    time.sleep(3)  # the browsers' own gain settles, the tones of joining are over
    wrong = both_hear_each_other(people)
    wait_for(lambda: "; ".join(wrong()), lambda: not wrong(), 15, 0.3)
    return people


def kill(server, component):
    """SIGKILL; when, and the process that was."""
    pid = server.pid_of(component)
    expect(pid, component, "does not run")
    os.kill(pid, signal.SIGKILL)
    return time.monotonic(), pid


def started_again(server, component, pid):
    wait_for(f"another {component}", lambda: server.pid_of(component) not in (None, pid), BACK_S)
    server.wait_ready()


def back_in_the_space(world, people, since):
    """The participants of the API, and the sound at each, within BACK_S of the kill."""
    server = world.server

    def roster():
        try:
            return sorted(server.people(server.call()))
        except Exception as problem:
            return repr(problem)
    left = BACK_S - (time.monotonic() - since)
    wait_for(lambda: f"everyone is back in the space: {roster()}",
             lambda: roster() == sorted(p.name for p in people), left)
    back = time.monotonic() - since
    # What is heard now may be of before, so sound that begins after the kill is looked for.
    time.sleep(max(0, 1.0 - (time.monotonic() - since)))
    wrong = both_hear_each_other(people)
    wait_for(lambda: "; ".join(wrong()), lambda: not wrong(),
             max(1.0, BACK_S + 0.7 - (time.monotonic() - since)), 0.1)
    return back


@case
def browsers_come_back_after_kill_9_of_the_call_bridge(world):
    server = world.server
    people = meet(world)
    since, pid = kill(server, "callbridge")
    back_in_the_space(world, people, since)
    started_again(server, "callbridge", pid)
    log = server.log()
    expect(f"process {pid}" in log or "killed" in log or "signal 9" in log,
           "the log tells nothing of the end")
    expect(log.count("the call bridge is ready") >= 2, "the log tells nothing of the new start")


@case
def browsers_come_back_after_kill_9_of_the_web_bridge(world):
    """Their sound goes past the Web Bridge and never stops; their sessions are taken up again."""
    server = world.server
    people = meet(world)
    legs = server.metrics()["call_legs"]
    since, pid = kill(server, "webbridge")
    for _ in range(4):
        time.sleep(0.5)
        for person in people:
            samples, rate = person.hears(0.5)
            expect(sound.heard(samples, rate, list(TONES.values())), person.name,
                   "hears nothing while the Web Bridge is away:",
                   sound.describe(samples, rate, list(TONES.values())), person.ask("counters"))
    started_again(server, "webbridge", pid)
    back_in_the_space(world, people, since)
    expect_equal(server.metrics()["call_legs"], legs, "legs")
    for person in people:
        person.ask("press", name="^\\s*mute")
    wait_for("the page's mute arrives after the restart",
             lambda: not sound.heard(*people[0].hears(0.4), [people[1].tone]), 3)


@case
def a_phone_can_call_again_right_after_kill_9_of_the_call_bridge(world):
    server = world.server
    Probe(world, 1).join()
    since, pid = kill(server, "callbridge")
    started_again(server, "callbridge", pid)
    expect_equal(Probe(world, 2).dial(), 200, "the answer after the restart")
    expect(time.monotonic() - since < BACK_S, "that took", time.monotonic() - since, "s")


@case
def a_component_that_keeps_dying_is_started_ever_less_often(world):
    server = world.server
    starts = []
    for _ in range(4):
        since, pid = kill(server, "webbridge")
        wait_for("another webbridge", lambda: server.pid_of("webbridge") not in (None, pid), 12,
                 0.02)
        starts.append(time.monotonic() - since)
        server.wait_ready()
    expect(starts[-1] >= starts[0], "pauses before a start:", starts)
    expect(alive(server.process.pid), "the supervisor gave up")


@case
def a_component_that_hangs_is_replaced(world):
    """SIGSTOP: it does not answer its supervisor, which ends it and starts another."""
    server = world.server
    pid = server.pid_of("webbridge")
    os.kill(pid, signal.SIGSTOP)
    wait_for("another webbridge", lambda: server.pid_of("webbridge") not in (None, pid), 40, 0.2)
    expect(not alive(pid), "the one that hangs is still there")
    server.wait_ready()


def set_up(world):
    world.server = Server(world)


main(set_up)

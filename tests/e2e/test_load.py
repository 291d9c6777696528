# SPDX-License-Identifier: Apache-2.0
"""1,000 calls at 100 a second by sipp: none fails, and nothing is left of them."""
import csv
import time

import network
from harness import case, end, expect, expect_equal, expect_unbroken, main, wait_for
from probe import Probe
from server import Server

CALLS = 1000
RATE = 100
CALL_MS = 2000
GROWTH_KB_MAX = 12 * 1024


def burst(world, machine, calls=CALLS, user="demo", log="sipp.log"):
    """sipp's own caller with SDP; its figures as a dictionary."""
    figures = world.path("sipp.csv")
    argv = ["sipp", "-sn", "uac", f"{network.SERVER}:5060", "-s", user, "-i", machine.address,
            "-p", "15060", "-mi", machine.address, "-r", RATE, "-m", calls, "-l", 2 * calls,
            "-d", CALL_MS, "-nostdin", "-trace_stat", "-stf", figures, "-fd", 1, "-trace_err",
            "-error_file", world.folder / "sipp.errors"]
    process = world.start(machine.command([str(a) for a in argv]), log)
    try:
        process.wait(calls / RATE + CALL_MS / 1000 + 30)
    finally:
        end(process)
    with open(figures, newline="") as file:
        last = list(csv.DictReader(file, delimiter=";"))[-1]
    return {"status": process.returncode, "ok": int(last["SuccessfulCall(C)"]),
            "failed": int(last["FailedCall(C)"]), "again": int(last["Retransmissions(C)"])}


@case
def a_thousand_calls_at_a_hundred_a_second_leave_nothing_behind(world):
    server, machine = world.server, network.Machine(1)
    burst(world, machine, 200)  # tables and caches reach their size
    server.wait_empty(transactions=False)
    before = server.memory_kb(), server.metrics()
    seen = burst(world, machine)
    expect_equal((seen["ok"], seen["failed"]), (CALLS, 0), f"calls that went well, and not ({seen})")
    after = server.wait_empty()
    expect_equal(after["call_legs_completed_total"] - before[1]["call_legs_completed_total"],
                 CALLS, "legs that ended")
    expect_equal(after["sip_malformed_total"], 0, "malformed messages")
    grown = server.memory_kb() - before[0]
    expect(grown < GROWTH_KB_MAX, "memory grew by", grown, "kB from", before[0])


@case
def a_running_call_does_not_hear_the_thousand(world):
    """In another space, on the same machine and workers."""
    server = world.server
    server.api.post("coSpaces", name="Beside", uri="beside")
    speaker = Probe(world, 2, tone=445).join("beside")
    listener = Probe(world, 3, tone=1040).join("beside")
    time.sleep(1)
    began = time.monotonic()
    seen = burst(world, network.Machine(1), 500)
    expect_equal(seen["failed"], 0, "failed calls")
    expect_unbroken(listener, speaker.tone, began)


@case
def callers_beyond_the_limit_are_refused_and_the_rest_go_on(world):
    """With `callbridge limit 3` the fourth gets 503, and gets in when one has left."""
    server = world.server
    before = server.pid_of("callbridge")
    for words in (["callbridge", "limit", "3"], ["callbridge", "restart"]):
        status, said = server.command("mmp", *words)
        expect_equal(status, 0, f"exit status of mmp, which said {said!r},")
    wait_for("another process", lambda: server.pid_of("callbridge") not in (None, before), 10)
    server.wait_ready()
    probes = [Probe(world, n) for n in range(1, 5)]
    expect_equal([probe.dial() for probe in probes], [200, 200, 200, 503], "answers")
    probes[0].hang_up()
    wait_for("two legs", lambda: server.metrics()["call_legs"] == 2)
    expect_equal(probes[3].dial(), 200, "the answer when there is room again")


def set_up(world):
    world.server = Server(world)


main(set_up)

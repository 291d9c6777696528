# SPDX-License-Identifier: Apache-2.0
"""People with pictures who come and go, and what they leave behind."""
import random
import re
import time
from pathlib import Path

from camera import Camera, encode
from harness import case, expect, main, processes, wait_for
from server import Server

GROWTH_KB_MAX = 8 * 1024


def footprint(world):
    """[(memory in kB, descriptors)] of the Call Bridge and of the codec processes, added up."""
    found = {}
    for name in ("callbridge", "codec"):
        pids = [pid for pid, words in processes().items()
                if words.split()[:1] and Path(words.split()[0]).name == "convoke"
                and words.split()[1:2] == [name]]
        memory = sum(int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])
                     for pid in pids)
        found[name] = memory, sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids)
    return found


@case
def people_who_come_and_go_leave_nothing_behind(world):
    film = encode(320, 180, 60)
    witness = Camera(world, 11, film).join()
    other = random.Random(1)

    def come_and_go(seconds):
        until, calls, inside = time.monotonic() + seconds, 0, []
        while time.monotonic() < until:
            inside.append(Camera(world, 3 + calls % 6, film).join())
            calls += 1
            time.sleep(other.uniform(0.1, 0.4))
            if len(inside) == 5:
                inside.pop(0).close()
        for one in inside:
            one.close()
        wait_for("all have gone", lambda: world.server.metrics()["call_legs"] == 1, 20, 0.2)
        time.sleep(1)
        return calls
    come_and_go(12)
    before = footprint(world)
    calls = come_and_go(25)
    after = footprint(world)
    print("  ", calls, "calls;", before, "before,", after, "after", flush=True)
    expect(calls >= 15, "only", calls, "calls")
    for name, (memory, descriptors) in after.items():
        expect(memory - before[name][0] < GROWTH_KB_MAX, name, "grew by", memory - before[name][0], "kB in",
               calls, "calls")
        expect(descriptors <= before[name][1], name, "has", descriptors, "descriptors, had",
               before[name][1])
    witness.hang_up()


def set_up(world):
    world.server = Server(world)


main(set_up)

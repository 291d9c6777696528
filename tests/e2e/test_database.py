# SPDX-License-Identifier: Apache-2.0
"""The database: moved from SQLite to PostgreSQL and back while people talk; PostgreSQL killed under
load and back; the Call Bridge killed again and again while changes are written.  What was
acknowledged is there, whole, and what was refused is not."""
import os
import shutil
import signal
import threading
import time

import sound
from baresip import Baresip
from harness import case, expect, expect_equal, expect_unbroken, main, wait_for
from postgres import PORT, Postgres
from probe import Probe
from server import Server

NODE = f"localhost:{PORT}"


class Writers:
    """Scripts that make spaces without a pause, and remember what they were told."""

    def __init__(self, server, name, count=3):
        self.server = server
        self.api = server.api
        self.kept = {}
        self.refused = set()
        self.doubtful = set()  # no answer: either is right
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(f"{name}{n}",), daemon=True)
                         for n in range(count)]
        for thread in self._threads:
            thread.start()

    def _run(self, name):
        number = 0
        while not self._stop.is_set():
            uri = f"{name}.{number}"
            number += 1
            try:
                # Two parameters: half a change would show.
                answer = self.api.request(
                    "POST", "/api/v1/coSpaces", f"uri={uri}&name=room-{uri}",
                    {"Content-Type": "application/x-www-form-urlencoded"}, timeout=30)
            except Exception:
                self.doubtful.add(uri)
                time.sleep(0.05)
                continue
            if answer.status == 200:
                self.kept[uri] = answer.id
            else:
                expect(answer.status == 503 and "databaseNotReady" in answer.body,
                       "POST gave", answer.status, answer.body)
                self.refused.add(uri)
                time.sleep(0.05)

    def wait_kept(self, more, seconds=20):
        wanted = len(self.kept) + more
        wait_for(lambda: f"{wanted} changes kept, not {len(self.kept)}",
                 lambda: len(self.kept) >= wanted, seconds)

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(40)
        expect(not any(t.is_alive() for t in self._threads), "a request got no answer")


class Changers:
    """Scripts that change two parameters of a space at once, again and again, and then remove it with
    all that is in it: what is there must be one of the versions, whole."""

    METHODS = 3

    def __init__(self, server, count=2):
        self.api = server.api
        self.spaces = {}  # id -> versions that were acknowledged, and that were asked for; removal too
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _ask(self, method, path, body=None):
        """Was it acknowledged?  And what came."""
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            answer = self.api.request(method, f"/api/v1/{path}", body, form, timeout=30)
        except Exception:
            return False, None
        return answer.status == 200, answer

    def _run(self):
        while not self._stop.is_set():
            made, answer = self._ask("POST", "coSpaces", "name=v0&cdrTag=v0")
            if not made:
                time.sleep(0.05)
                continue
            path = f"coSpaces/{answer.id}"
            if not all(self._ask("POST", f"{path}/accessMethods", "name=m")[0]
                       for _ in range(self.METHODS)):
                continue
            state = self.spaces[answer.id] = {"kept": 0, "asked": 0, "removed": None}
            while not self._stop.is_set() and state["asked"] < 10:
                state["asked"] += 1
                version = state["asked"]
                if self._ask("PUT", path, f"name=v{version}&cdrTag=v{version}")[0]:
                    state["kept"] = version
            state["removed"] = False
            state["removed"] = self._ask("DELETE", path)[0]

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(40)

    def check(self):
        expect(self.spaces, "nothing was changed")
        for guid, state in self.spaces.items():
            answer = self.api.request("GET", f"/api/v1/coSpaces/{guid}")
            expect(answer.status == 200 or state["removed"] is not None, guid, "is gone:", state)
            if answer.status != 200:
                continue
            expect(not state["removed"], guid, "was removed and is there")
            space = answer.tree
            expect_equal(space.findtext("cdrTag"), space.findtext("name"), "the halves of a change")
            version = int(space.findtext("name")[1:])
            expect(state["kept"] <= version <= state["asked"], guid, "has version", version, state)
            expect_equal(space.findtext("numAccessMethods"), str(self.METHODS), "access methods")


def spaces(api):
    """uri -> (id, name) of all that have one."""
    return {item.findtext("uri"): (item.get("id"), item.findtext("name"))
            for item in api.list("coSpaces?limit=100") if item.find("uri") is not None}


def check(server, writers, undecided=()):
    """`undecided`: refused while their commit was under way, so they may be there."""
    there = spaces(server.api)
    for uri, guid in writers.kept.items():
        expect(uri in there, "acknowledged and not there:", uri)
        expect_equal(there[uri], (guid, f"room-{uri}"), f"space {uri}")
    for uri in writers.refused - set(undecided):
        expect(uri not in there, "refused and there:", uri)
    for uri in writers.doubtful & set(there):
        expect_equal(there[uri][1], f"room-{uri}", f"space {uri}")


def alarm_types(api):
    return [a.findtext("type") for a in api.list("system/alarms")]


def use_certificates(world):
    """Our certificate and PostgreSQL's authority, as an administrator puts them into DATA."""
    server, postgres = world.server, world.postgres
    owner = server.data.stat()
    for name, source in (("pg.key", "client.key"), ("pg.crt", "client.crt"), ("pg-ca.crt", "ca.crt")):
        shutil.copy(postgres.file(source), server.data / name)
        os.chown(server.data / name, owner.st_uid, owner.st_gid)
        os.chmod(server.data / name, 0o600)
    mmp(server, "database cluster certs pg.key pg.crt pg-ca.crt")


def mmp(server, command, status=0):
    got, said = server.command("mmp", *command.split(), timeout=60)
    expect_equal(got, status, f"{command}: {said}")
    return said


TONES = [440, 1040]


def wait_heard(phones):
    """Each hears the other, and not itself."""
    def wrong():
        return [f"{hz} Hz hears {sound.describe(*phone.hears(1.0), TONES)}"
                for phone, hz in zip(phones, TONES)
                if sound.heard(*phone.hears(1.0), TONES) != set(TONES) - {hz}]
    wait_for(lambda: "; ".join(wrong()), lambda: not wrong(), 15, 0.3)


@case
def the_database_moves_and_dies_under_load_and_nobody_in_the_meeting_notices(world):
    server, postgres = world.server, world.postgres
    use_certificates(world)
    phones = [Baresip(world, n + 1, tone=hz).join() for n, hz in enumerate(TONES)]
    wait_heard(phones)
    server.api.post("coSpaces", name="Beside", uri="beside")
    speaker = Probe(world, 3, tone=445).join("beside")
    listener = Probe(world, 4, tone=1040).join("beside")
    time.sleep(1)
    began = time.monotonic()
    pid = server.pid_of("callbridge")
    writers, changers = Writers(server, "w"), Changers(server)
    writers.wait_kept(20)

    # There.
    said = mmp(server, f"database move postgres {NODE}")
    expect("SUCCESS:" in said, said)
    wait_for("system/database says where it is",
             lambda: server.api.get("system/database").get("clustered") == "enabled", 10)
    writers.wait_kept(20)
    reading = server.api.get("system/database")
    expect_equal(reading.findtext("cluster/nodeInUse"), NODE, "nodeInUse")
    expect_equal(reading.find("cluster/node").attrib,
                 {"hostname": NODE, "up": "true", "syncBehind": "0", "master": "true"}, "node")
    status = mmp(server, "database cluster status")
    expect("Connected Primary" in status and "Enabled" in status, status)
    expect(int(postgres.sql("SELECT count(*) FROM spaces")) > 20, "PostgreSQL has the spaces")

    # Dead and back.
    for away_s in (0, 8):
        postgres.kill()
        if away_s:
            wait_for("an alarm", lambda: "databaseConnectionError" in alarm_types(server.api), 5)
            expect(server.api.get("system/database").findtext("cluster/error"), "no error told")
            time.sleep(away_s)
            expect(len(spaces(server.api)) > 20, "reads go on")
        postgres.start()
        writers.wait_kept(20, 30)
        wait_for("no alarm", lambda: "databaseConnectionError" not in alarm_types(server.api), 10)
    expect(writers.refused, "nothing was refused while there was no database")

    # And home again.
    mmp(server, "database move sqlite")
    wait_for("system/database says where it is",
             lambda: server.api.get("system/database").get("clustered") == "disabled", 10)
    writers.wait_kept(20)
    writers.stop()
    changers.stop()
    expect_unbroken(listener, speaker.tone, began, gap_s=0.5)  # others use this machine, too
    wait_heard(phones)
    expect_equal(server.pid_of("callbridge"), pid, "process of the Call Bridge")
    expect_equal(writers.doubtful, set(), "requests without an answer")
    # What was told no while its commit was under way may have been kept: one at most each time.
    there = spaces(server.api)
    undecided = writers.refused & set(there)
    expect(len(undecided) <= 2, "refused and there:", undecided)
    check(server, writers, undecided)
    changers.check()

    # The same after a start, which reads everything.
    before = spaces(server.api)
    server.command("mmp", "callbridge", "restart", timeout=60)
    server.wait_ready()
    expect_equal(spaces(server.api), before, "spaces after a restart")


@case
def what_cannot_be_is_refused_with_a_reason(world):
    server = world.server
    said = mmp(server, "database cluster initialize", 1)
    expect("FAILURE:" in said and "database move postgres" in said, said)
    said = mmp(server, "database move sqlite", 1)
    expect("in use already" in said, said)
    # Nobody is there; then somebody whom we do not believe.
    said = mmp(server, "database move postgres 127.0.0.1:1", 1)
    expect("refused" in said, said)
    mmp(server, "database cluster certs none")
    said = mmp(server, f"database move postgres {NODE}", 1)
    expect("certificate verify failed" in said, said)
    expect_equal(server.api.get("system/database").get("clustered"), "disabled", "clustered")


def kill_again_and_again(world, name, rounds):
    server = world.server
    for number in range(rounds):
        writers, changers = Writers(server, f"{name}{number}."), Changers(server)
        writers.wait_kept(5)
        time.sleep(0.037 * number)
        pid = server.pid_of("callbridge")
        os.kill(pid, signal.SIGKILL)
        wait_for("another Call Bridge", lambda: server.pid_of("callbridge") not in (None, pid),
                 20)  # the supervisor waits longer each time
        server.wait_ready()
        writers.wait_kept(1)
        writers.stop()
        changers.stop()
        changers.check()
        expect(not writers.refused, "refused:", writers.refused)
        check(server, writers)


@case
def kill_9_of_the_call_bridge_costs_no_acknowledged_change_on_sqlite(world):
    kill_again_and_again(world, "s", 5)


@case
def kill_9_of_the_call_bridge_costs_no_acknowledged_change_on_postgres(world):
    server = world.server
    use_certificates(world)
    mmp(server, f"database move postgres {NODE}")
    wait_for("system/database says where it is",
             lambda: server.api.get("system/database").get("clustered") == "enabled", 10)
    kill_again_and_again(world, "p", 4)
    count = int(world.postgres.sql("SELECT count(*) FROM spaces"))
    expect_equal(count, int(server.api.get("coSpaces").get("total")), "rows of PostgreSQL")


def set_up(world):
    world.postgres = Postgres(world)
    world.server = Server(world)


if __name__ == "__main__":
    main(set_up)

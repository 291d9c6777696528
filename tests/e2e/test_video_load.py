# SPDX-License-Identifier: Apache-2.0
"""Whole meetings with pictures by the project's own load tool (bench/meeting_load.c): fake browsers with
ICE, DTLS, SRTP and simulcast, fake rooms with SIP and H.264.  Everybody sees and hears, and the bridge
encodes once for each different picture and size, not for each person."""
import json
import os
import signal
import subprocess
import time

import network
from harness import case, end, expect, expect_equal, main, processes, wait_for
from server import Server

ROOM_FPS_MIN = 20       # of 30
TILE_GAP_MS_MAX = 2000
SOUND_PER_S_MIN = 48    # of 50 packets
SOUND_GAP_MS_MAX = 250  # one that a jitter buffer stretches; the machine may have others' work to do
SHOWN_IN_ONE_PLUS_FIVE = 6
CODEC_GONE_MS_MAX = 1000
FORWARDED_GAP_MS_MAX = 300
LOSS_GAP_MS_MAX = 1000


class Load:
    """One run: what everybody saw, and the server's figures at the end of it."""

    def __init__(self, world, meeting, *arguments, at_begin=None):
        machine = network.Machine(1)
        program = world.build / "bench" / "meeting_load"
        argv = machine.command([str(program), "--json", "--meeting", meeting,
                                "--web", f"{network.SERVER}:8443",
                                "--sip", f"{network.SERVER}:5060", "--bind", machine.address,
                                *map(str, arguments)])
        self.rows, self.metrics, self._at_begin = [], {}, at_begin
        with open(world.path("meeting_load.log"), "w+") as complaints:
            process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=complaints,
                                       stdin=subprocess.DEVNULL, text=True)
            world.at_end(lambda: end(process))
            for line in process.stdout:
                self._take(world.server, json.loads(line))
            status = process.wait(20)
            complaints.seek(0)
            said = complaints.read()
        expect(status == 0 and self.rows, "meeting_load ended with", status, "and said", said)
        # Beside a failing expectation these say where to look.
        (world.folder / f"{meeting}.rows").write_text("\n".join(map(str, self.rows)))

    def _take(self, server, line):
        event = line.get("event")
        if event == "began" and self._at_begin is not None:
            self._at_begin()
        elif event == "ended":
            self.metrics = server.metrics()
        elif event is None:
            self.rows.append(line)

    def of(self, what):
        return [row for row in self.rows if row["what"] == what]

    def persons_in_tiles(self):
        return {row["person"] for row in self.of("tile")}


def expect_seen(load, browsers, rooms, tiles):
    """Every tile moves, every room has a fluent picture, and nobody's sound has a hole."""
    seen = load.of("tile")
    expect_equal(len(seen), browsers * tiles, "tiles that show somebody")
    for row in seen:
        expect(row["gap_ms"] <= TILE_GAP_MS_MAX, "a tile stood still:", row)
        expect(row["fps"] > 1, "a tile does not move:", row)
    pictures = load.of("picture")
    expect_equal(len(pictures), rooms, "rooms with a picture")
    for row in pictures:
        expect(row["fps"] >= ROOM_FPS_MIN, "a room has few frames:", row)
        expect(row["gap_ms"] <= TILE_GAP_MS_MAX, "a room's picture stood still:", row)
    sounds = load.of("sound")
    expect_equal(len(sounds), browsers + rooms, "listeners")
    for row in sounds:
        expect(row["per_s"] >= SOUND_PER_S_MIN, "sound is missing:", row)
        expect(row["gap_ms"] <= SOUND_GAP_MS_MAX, "a hole in the sound:", row)
        expect_equal(row["lost"], 0, f"lost packets of sound of {row['who']}")


def sizes(rows):
    return {row["height"] for row in rows}


def empty(world):
    """What a case leaves is not the next one's."""
    def gone():
        metrics = world.server.metrics()
        return metrics["video_encodes"] == 0 and metrics["call_legs"] == 0
    wait_for("no encode and no leg is left", gone, 20, 0.2)


@case
def four_browsers_and_two_rooms_all_see_all(world):
    """Five others each: rooms in one composed picture, browsers in as many tiles."""
    load = Load(world, "small", "--browsers", 4, "--rooms", 2, "--tiles", 5, "--heights", "360,180",
                "--talkers", 2, "--settle", 6, "--seconds", 8)
    expect_seen(load, 4, 2, 5)
    expect_equal(len(load.persons_in_tiles()), 6, "different persons in tiles")
    # Each room sees everybody but itself: two pictures.  Browsers get the rooms' H.264 as it is.
    expect_equal(load.metrics["video_encodes"], 2 * len(sizes(load.of("picture"))), "encodes")
    empty(world)


@case
def rooms_are_shown_once_to_all_who_cannot_take_their_codec(world):
    """Browsers without H.264 get one transcode of each room, however many they are."""
    load = Load(world, "small", "--browsers", 4, "--rooms", 2, "--tiles", 5, "--heights", "360,180",
                "--talkers", 2, "--settle", 6, "--seconds", 8, "--vp8-only")
    expect_seen(load, 4, 2, 5)
    expect_equal({row["codec"] for row in load.of("tile")}, {"VP8"}, "codecs in tiles")
    expect_equal(load.metrics["video_encodes"], 2 * len(sizes(load.of("picture"))) + 2, "encodes")
    empty(world)


@case
def five_rooms_that_see_the_same_share_one_encode(world):
    """20 browsers, six of which talk; the five rooms only listen, so none of them is in the picture,
    and all have the same one: one encode for each size that some room takes."""
    load = Load(world, "large", "--browsers", 20, "--rooms", 5, "--tiles", 6, "--heights", "360,180",
                "--talkers", SHOWN_IN_ONE_PLUS_FIVE, "--settle", 8, "--seconds", 20)
    expect_seen(load, 20, 5, 6)
    expect_equal(load.metrics["video_encodes"], len(sizes(load.of("picture"))), "encodes")
    expect_equal(load.metrics["video_decodes"], SHOWN_IN_ONE_PLUS_FIVE, "decodes")
    empty(world)


@case
def a_room_that_is_shown_has_a_picture_without_itself(world):
    """Five browsers and one room talk: that room sees another picture than the four others."""
    load = Load(world, "large", "--browsers", 8, "--rooms", 5, "--tiles", 6, "--heights", "360,180",
                "--talkers", SHOWN_IN_ONE_PLUS_FIVE - 1, "--room-talkers", 1, "--settle", 8,
                "--seconds", 8)
    expect_seen(load, 8, 5, 6)
    own, others = load.of("picture")[:1], load.of("picture")[1:]
    expect_equal(load.metrics["video_encodes"], len(sizes(own)) + len(sizes(others)), "encodes")
    empty(world)


@case
def what_is_lost_is_made_good(world):
    """5 % of what everybody receives: it is asked for and sent again, and nothing stands still for a
    second.  Rooms without SRTP: in SRTP a packet is only sent again where RTX was agreed."""
    load = Load(world, "small", "--browsers", 4, "--rooms", 2, "--tiles", 5, "--heights", "360,180",
                "--talkers", 2, "--drop", 50, "--clear", "--settle", 6, "--seconds", 10)
    expect_equal(len(load.of("tile")), 4 * 5, "tiles that show somebody")
    for row in load.of("tile") + load.of("picture"):
        expect(row["gap_ms"] <= LOSS_GAP_MS_MAX, "stood still:", row)
        expect(row["asked"] > 0, "nothing was asked for again:", row)
    empty(world)


def take_precedence():
    """For server and load, over what else the machine does: here it is not the neighbours' turn."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        pass  # not as root: then the machine has to be quiet


@case
def pictures_are_back_within_a_second_when_a_codec_process_is_killed(world):
    """Sound never stops, and who is forwarded notices nothing."""
    def codecs():
        return {pid for pid, line in processes().items() if line.split()[1:2] == ["codec"]}

    def kill():
        time.sleep(2)
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
    killed = codecs()
    expect(killed, "no codec process runs")
    load = Load(world, "small", "--browsers", 4, "--rooms", 2, "--tiles", 5, "--heights", "360,180",
                "--talkers", 2, "--settle", 6, "--seconds", 8, at_begin=kill)
    expect_seen(load, 4, 2, 5)
    for row in load.of("tile"):
        expect(row["gap_ms"] <= FORWARDED_GAP_MS_MAX, "a forwarded picture stood still:", row)
    for row in load.of("picture"):
        expect(row["gap_ms"] <= CODEC_GONE_MS_MAX, "a room waited long:", row)
        expect(row["keys"] > 0, "no new process made this picture:", row)
    expect(not codecs() & killed, "a codec process was not killed")
    empty(world)


def set_up(world):
    take_precedence()
    world.server = server = Server(world)
    profile = server.api.post("callLegProfiles", name="load", defaultLayout="onePlusFive")
    server.api.post("coSpaces", name="Large", uri="large", callLegProfile=profile)
    server.api.post("coSpaces", name="Small", uri="small")


main(set_up)

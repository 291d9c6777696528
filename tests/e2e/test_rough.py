# SPDX-License-Identifier: Apache-2.0
"""Rough networks: a line that becomes narrow and wide again, packets that get lost, sources that
vanish.  No room is shown what nobody filmed, and nobody notices what happens on the line of somebody
else."""
import time

import network
import pictures
import sound
from baresip import Baresip
from camera import Camera, encode
from harness import case, expect, expect_equal, main, wait_for
from server import Server

NARROW_KBIT = 400
LOSS_PCT = 5
SEE_S = 45


def room(world, number, colour, codec="h264", **settings):
    settings = {"size": "640x360", "bitrate": 600000} | settings
    return Baresip(world, number, colour=colour, video=codec,
                   tone=sound.TONES[number % len(sound.TONES)], **settings).join()


def until_room_sees(viewer, colour, seconds=SEE_S):
    wait_for(f"{viewer.name} sees {colour}", lambda: pictures.colour(viewer.sees()) == colour, seconds,
             0.3)


def note(*words):
    """A figure for who runs the tests."""
    print("  ", *words, flush=True)


def leg_of(world, person):
    leg = world.server.api.find("callLegs", name=person.name)
    return world.server.api.get(f"callLegs/{leg.get('id')}") if leg is not None else None


def status(world, person, what):
    detail = leg_of(world, person)
    return float(detail.findtext(f"status/{what}") or 0) if detail is not None else 0.0


def of_leg(world, person, what, seconds, every_s=0.5):
    """[(time, value)] of a figure in a leg's status."""
    until, found = time.monotonic() + seconds, []
    while time.monotonic() < until:
        found.append((time.time(), status(world, person, what)))
        time.sleep(every_s)
    return found


def changes(series, since):
    """Where the values of [(time, value)] become others."""
    return [(round(at - since, 1), value) for (at, value), (_, last) in zip(series[1:], series)
            if value != last]


@case
def a_rooms_line_becomes_narrow_and_wide_again(world):
    """It reports every 5 s: its picture is smaller after three reports and large again after some
    more; another room notices nothing."""
    red, green = room(world, 1, "red", busy=True), room(world, 2, "green", busy=True)
    until_room_sees(red, "green")
    until_room_sees(green, "red")
    for phone in (red, green):
        wait_for("a large picture",
                 lambda phone=phone: status(world, phone, "txVideo/height") >= 720, 20, 0.5)
    others = status(world, green, "txVideo/height")
    cut = time.time()
    network.narrow(red.machine, NARROW_KBIT)
    try:
        heights = of_leg(world, red, "txVideo/height", 20)
        note("heights (s after the cut)", changes(heights, cut))
        smaller = [at - cut for at, height in heights if 0 < height < 720]
        expect(smaller and smaller[0] <= 16, "not smaller:", changes(heights, cut))
        # What its decoder makes of holes hides the number; the marker shows that time goes on.
        first = wait_for("the marker", lambda: pictures.marker(red.sees()), 6, 0.1)
        wait_for("the picture goes on",
                 lambda: abs((pictures.marker(red.sees()) or first) - first) > 0.02, 2, 0.1)
    finally:
        network.narrow(red.machine, 0)
    expect_equal(status(world, green, "txVideo/height"), others, "height for the other")
    given_back = time.time()
    wait_for("a large picture again", lambda: status(world, red, "txVideo/height") >= 720, 40, 0.5)
    note("large again after", round(time.time() - given_back, 1), "s")


@case
def a_twentieth_of_all_packets_is_lost(world):
    """Both ways at a room: its picture is not spoilt.
    (That nothing stands still for a second is measured by video_load, packet by packet.)"""
    red, green = room(world, 1, "red"), room(world, 2, "green", "vp8")
    until_room_sees(red, "green")
    until_room_sees(green, "red")
    moved, wrong, looked, still = {}, [], 0, {}
    network.lose(LOSS_PCT, red.machine)
    try:
        until = time.monotonic() + 12
        while time.monotonic() < until:
            for viewer, wanted in ((red, "green"), (green, "red")):
                image = viewer.sees()
                looked += 1
                share, number = pictures.spoilt(image, wanted), pictures.number(image)
                if share and viewer is green:  # what red's own decoder makes of holes is not ours
                    wrong.append((viewer.name, f"{share:.0%} of it is not {wanted}"))
                now = time.monotonic()
                last, since = moved.get(viewer.name, (None, now))
                if number is not None and number != last:
                    moved[viewer.name] = number, now
                still[viewer.name] = max(still.get(viewer.name, 0), now - since)
        rates = [status(world, person, "txVideo/frameRate") for person in (red, green)]
    finally:
        network.lose(0, red.machine)
    note(looked, "pictures looked at,", len(wrong), "spoilt; the same for",
         {name: round(value, 2) for name, value in still.items()}, "s at most;", rates, "a second")
    expect(not wrong, wrong[:3])
    expect(len(moved) == 2, "numbers were read of", moved)


@case
def sources_vanish_in_the_middle_of_a_frame(world):
    """kill -9 of a room, and another that falls silent between two packets of a frame: nothing of a
    broken picture is seen, and then a name."""
    green = room(world, 2, "green")
    red = room(world, 1, "red", busy=True)
    blue = Camera(world, 3, encode(640, 360, 60, source="color=c=0x2038d8")).join()
    halves = [(0, 0.25, 0.5, 0.5), (0.5, 0.25, 0.5, 0.5)]

    def panes():
        image = green.sees()
        return [pictures.part(image, *half) for half in halves]
    wait_for("both at the third", lambda: {pictures.colour(pane) for pane in panes()} == {"red", "blue"},
             SEE_S, 0.3)
    killed = time.monotonic()
    red.machine.crash()
    blue.fall_silent()
    broken, gone = [], None
    while time.monotonic() < killed + 20 and gone is None:
        seen = panes()
        for pane in seen:
            name = pictures.colour(pane)
            if name in ("red", "blue") and pictures.spoilt(pane, name):
                broken.append((name, pictures.spoilt(pane, name)))
        if not {pictures.colour(pane) for pane in seen} & {"red", "blue"}:
            gone = time.monotonic() - killed
    note("names stand in their place after", gone and round(gone, 1), "s")
    expect(not broken, "spoilt:", broken[:3])
    expect(gone is not None and gone < 15, "pictures are still there")


def set_up(world):
    world.server = Server(world)


main(set_up)

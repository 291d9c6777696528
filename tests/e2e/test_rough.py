# SPDX-License-Identifier: Apache-2.0
"""Rough networks: a line that becomes narrow and wide again, packets that get lost, sources that
vanish.  Nobody's picture stands still for a second or shows what nobody filmed, and nobody notices
what happens on the line of somebody else."""
import os
import time

import network
import pictures
import sound
import watching
from baresip import Baresip
from browser import Browser
from camera import Camera, encode
from harness import case, expect, main, wait_for
from server import Server

NARROW_KBIT = 400
LOSS_PCT = 5
DOWN_S, UP_S, STILL_S = 3.0, 10.0, 1.0
BUSY_LOAD = 4  # processes that want each core: with more, times are not ours alone
LOOKED = 12     # pictures at least
SEE_S = 60


def slack():
    """How many times as long things may take, since others use the machine, too."""
    return max(1, os.getloadavg()[0] / (BUSY_LOAD * os.cpu_count()))


def room(world, number, colour, codec="h264", **settings):
    settings = {"size": "640x360", "bitrate": 600000} | settings
    return Baresip(world, number, colour=colour, video=codec,
                   tone=sound.TONES[number % len(sound.TONES)], **settings).join()


def until_room_sees(viewer, colour):
    wait_for(f"{viewer.name} sees {colour}", lambda: pictures.colour(viewer.sees()) == colour, SEE_S,
             0.3)


def until_tiles(viewer, wanted):
    """Waits until a browser's tiles show these: {name: colour}."""
    seen = {}

    def right():
        seen.update(now={name: pictures.colour(image) for name, image in viewer.frames().items()})
        return all(seen["now"].get(name) == colour for name, colour in wanted.items())
    wait_for(lambda: f"{viewer.name} sees {seen['now']}, not {wanted}", right, SEE_S, 0.3)


def note(*words):
    """A figure for who runs the tests."""
    print("  ", *words, flush=True)


def moving(samples, names, who, still_s=STILL_S):
    for name in names:
        still = watching.longest_still_s(samples, name)
        expect(still < still_s * slack(), f"{who} sees {name} stand still for {still:.1f} s")


def steady_bps(line):
    """What goes over it when it no longer becomes more."""
    time.sleep(5)
    since = time.time()
    line.watch(3)
    return line.mean_bps(since)


def fits_s(line, cut):
    """How long after the cut no more is sent than it takes."""
    return next((round(at - cut, 1) for at, share in line.dropped(cut) if share < 0.05), None)


def height(world, person):
    """Of what somebody is sent; told every five seconds."""
    leg = world.server.api.find("callLegs", name=person.name)
    detail = world.server.api.get(f"callLegs/{leg.get('id')}")
    return float(detail.findtext("status/txVideo/height") or 0)


def until_up(lines, line, bps, since):
    """Watches until that much goes over the line again; how long that took, or None."""
    until = time.time() + (UP_S + 2) * slack()
    while time.time() < until:
        watching.watch(lines, 0.5)
        for at, rate in line.rates_bps():
            if at > since + 1 and rate > bps:
                return round(at - since, 1)
    return None


@case
def a_browsers_line_becomes_narrow_and_wide_again(world):
    """Down within 3 s, and from then on never still; up within 10 s; nobody else is sent less."""
    red = room(world, 1, "red", busy=True)
    ann = Browser(world, 21, "Ann", colour="blue", busy=True).join()
    vic = Browser(world, 22, "Vic", colour="yellow").join()
    until_tiles(vic, {red.name: "red", "Ann": "blue"})
    until_tiles(ann, {red.name: "red", "Vic": "yellow"})
    vics = watching.Line(vic.machine)
    usual = steady_bps(vics)
    others = height(world, red)
    vic.watch()
    ann.watch()
    cut = time.time()
    network.narrow(vic.machine, NARROW_KBIT)
    vics.watch(10)
    same = height(world, red)
    given_back = time.time()
    network.narrow(vic.machine, 0)
    up = until_up((vics,), vics, usual * 0.75, given_back)
    seen, anns = vic.watched(), ann.watched()
    down = fits_s(vics, cut)
    later = vics.dropped_share(cut + DOWN_S, given_back)
    note(f"{usual / 1000:.0f} kbit/s; fits after {down} s; then {later:.0%} of the packets are dropped; "
         f"up again after {up} s; load {os.getloadavg()[0]:.0f}")
    expect(usual > NARROW_KBIT * 1000 * 1.2, "too little to begin with:", usual)
    expect(down is not None and down <= DOWN_S * slack(), "too much for", down, "s")
    # Trying for more makes a line drop some now and then: what counts is that pictures go on.
    expect(later < 0.1 * slack(), f"{later:.0%} of the packets are dropped")
    expect(up is not None and up <= UP_S * slack(), "up after", up)
    # What was on its way when the line was cut waits in its queue, and smaller pictures begin with
    # a key frame behind that: so long, and no longer than it takes to fit.
    stepping = [sample for sample in seen if sample["at"] < cut + DOWN_S * slack()]
    fitting = [sample for sample in seen if sample["at"] >= cut + DOWN_S * slack()]
    note("still while it steps down:", {name: round(watching.longest_still_s(stepping, name), 1)
                                        for name in (red.name, "Ann")})
    moving(stepping, (red.name, "Ann"), "Vic", DOWN_S)
    moving(fitting, (red.name, "Ann"), "Vic")
    moving(anns, (red.name,), "Ann")
    expect(same == others, "another is sent", same, "lines, not", others)


@case
def a_rooms_line_becomes_narrow_and_wide_again(world):
    """It reports every 5 s only, but asks for key frames: its picture fits within 3 s.  What is tried
    on the narrow line costs little; another room notices nothing."""
    red, green = room(world, 1, "red", busy=True), room(world, 2, "green", busy=True)
    until_room_sees(red, "green")
    until_room_sees(green, "red")
    reds = watching.Line(red.machine)
    wait_for("a large picture", lambda: reds.now_bps() > 800_000, SEE_S, 0.3)
    usual = steady_bps(reds)
    wait_for("it is told", lambda: height(world, red) == height(world, green) == 720, 15, 0.5)
    cut = time.time()
    network.narrow(red.machine, NARROW_KBIT)
    try:
        reds.watch(15)
        # What its decoder makes of holes hides the number; the marker shows that time goes on.
        first = wait_for("the marker", lambda: pictures.marker(red.sees()), 6, 0.1)
        wait_for("the picture goes on",
                 lambda: abs((pictures.marker(red.sees()) or first) - first) > 0.02, 2 * slack(), 0.1)
    finally:
        network.narrow(red.machine, 0)
    given_back = time.time()
    same = height(world, green)
    up = until_up((reds,), reds, usual * 0.7, given_back)
    down = fits_s(reds, cut)
    later = reds.dropped_share(cut + DOWN_S, given_back)
    used = reds.mean_bps(cut + 5, given_back)
    note(f"{usual / 1000:.0f} kbit/s; fits after {down} s; then {later:.0%} of the packets are dropped, "
         f"and {used / 1000:.0f} kbit/s are used; up again after {up} s; load {os.getloadavg()[0]:.0f}")
    expect(down is not None and down <= DOWN_S * slack(), "too much for", down, "s")
    expect(later < 0.15 * slack(), f"{later:.0%} of the packets are dropped")
    expect(used > NARROW_KBIT * 1000 * 0.45, "it sinks to", used)
    expect(up is not None and up <= (UP_S + 1) * slack(), "up after", up)
    expect(same == 720, "the other is sent", same, "lines")


@case
def a_twentieth_of_all_packets_is_lost(world):
    """Both ways, at a browser and at a room: no picture stands still for a second or is spoilt.  (What
    the room's own pictures lose on their way cannot come again: baresip knows no NACK.)"""
    red, green = room(world, 1, "red"), room(world, 2, "green", "vp8")
    vic = Browser(world, 22, "Vic", colour="yellow").join()
    wanted = {red.name: "red", green.name: "green"}
    until_tiles(vic, wanted)
    wrong, looked, unread, different = [], 0, 0, set()
    vic.watch()
    network.lose(LOSS_PCT, vic.machine, green.machine)
    try:
        began = time.monotonic()
        while time.monotonic() < began + 12 or (looked < LOOKED and time.monotonic() < began + 40):
            images = vic.frames()
            for name, image in images.items():
                if name in wanted:
                    looked += 1
                    unread += pictures.number(image) is None
                    share = pictures.spoilt(image, wanted[name])
                    wrong += [(name, f"{share:.0%} of it is not {wanted[name]}")] if share else []
            different.add(green.sees().tobytes())
    finally:
        network.lose(0, vic.machine, green.machine)
    seen = vic.watched()
    for name in wanted:
        note(f"Vic sees {name}: still {watching.longest_still_s(seen, name):.2f} s, "
             f"{watching.frames_a_second(seen, name):.0f} a second, "
             f"{watching.grown(seen, name, 'nackCount')} NACKs, "
             f"{watching.grown(seen, name, 'pliCount')} key requests")
    note(looked, "pictures looked at,", len(wrong), "spoilt,", unread, "without a number")
    expect(looked >= LOOKED, "only", looked, "pictures")
    expect(not wrong, wrong[:3])
    expect(unread <= looked / 10, unread, "of", looked, "without a number")
    expect(len(different) > 3, "the room saw", len(different), "different pictures")
    moving(seen, (red.name,), "Vic")
    still = watching.longest_still_s(seen, green.name)
    expect(still < 3 * STILL_S * slack(), f"what {green.name} sends stands still for {still:.1f} s")


@case
def sources_vanish_in_the_middle_of_a_frame(world):
    """kill -9 of a room, and another that falls silent between two packets of a frame: nothing of a
    broken picture is seen by browser or room, and then a name."""
    red, green = room(world, 1, "red", busy=True), room(world, 2, "green")
    blue = Camera(world, 3, encode(640, 360, 60, source="color=c=0x2038d8")).join()
    vic = Browser(world, 22, "Vic", colour="yellow").join()
    wanted = {red.name: "red", green.name: "green", blue.name: "blue"}
    until_tiles(vic, wanted)

    def rooms_sources():
        image = green.sees()
        points = [(x / 16, y / 16) for x in range(1, 16) for y in range(1, 16)]
        return {pictures.colour_at(image, *point) for point in points} & {"red", "blue"}
    wait_for("the room sees both", lambda: len(rooms_sources()) == 2, SEE_S, 0.3)
    killed = time.monotonic()
    red.machine.crash()
    blue.fall_silent()
    broken, gone = [], {}
    while time.monotonic() < killed + 15 and len(gone) < 2:
        images = vic.frames()
        for name, image in images.items():
            share = pictures.spoilt(image, wanted[name])
            broken += [(name, share)] if share else []
        for name in (red.name, blue.name):
            if name not in images:
                gone.setdefault(name, round(time.monotonic() - killed, 1))
    note("names stand in their place after", gone, "s")
    expect(not broken, "spoilt:", broken[:3])
    expect(len(gone) == 2, "pictures are still there, gone are", gone)
    wait_for("the room no longer sees them", lambda: not rooms_sources(), 15, 0.3)


def set_up(world):
    world.server = Server(world)


main(set_up)

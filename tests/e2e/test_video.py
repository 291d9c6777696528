# SPDX-License-Identifier: Apache-2.0
"""Rooms and browsers that see each other: every picture has a colour of its own and a running number.

What is looked at is what arrives: the picture a phone decodes, the pixels of a browser's screen."""
import os
import signal
import time

import pictures
import sound
from baresip import Baresip
from browser import Browser
from harness import case, expect, expect_equal, main, processes, wait_for
from server import Server

SEE_S = 15   # until everybody's picture must be there

# Where panes are on a grid of 1920 x 1080, for five people of whom one is the viewer.
GRID = (1920, 1080)
LAYOUTS = {
    "allEqual": [(0, 0, 960, 540), (960, 0, 960, 540), (0, 540, 960, 540), (960, 540, 960, 540)],
    "allEqualQuarters": [(0, 0, 960, 540), (960, 0, 960, 540), (0, 540, 960, 540),
                         (960, 540, 960, 540)],
    "allEqualNinths": [(0, 0, 640, 360), (640, 0, 640, 360), (1280, 0, 640, 360), (0, 360, 640, 360)],
    "allEqualSixteenths": [(0, 0, 480, 270), (480, 0, 480, 270), (960, 0, 480, 270),
                           (1440, 0, 480, 270)],
    "allEqualTwentyFifths": [(0, 0, 384, 216), (384, 0, 384, 216), (768, 0, 384, 216),
                             (1152, 0, 384, 216)],
    "speakerOnly": [(0, 0, 1920, 1080)],
    "telepresence": [(0, 0, 1920, 880), (512, 894, 288, 162), (816, 894, 288, 162),
                     (1120, 894, 288, 162)],
    "stacked": [(192, 0, 1536, 864), (384, 864, 384, 216), (768, 864, 384, 216),
                (1152, 864, 384, 216)],
    "onePlusFive": [(0, 0, 1280, 720), (1280, 0, 640, 360), (1280, 360, 640, 360), (0, 720, 640, 360)],
    "onePlusSeven": [(0, 0, 1440, 810), (1440, 0, 480, 270), (1440, 270, 480, 270),
                     (1440, 540, 480, 270)],
    "onePlusNine": [(0, 0, 1536, 864), (1536, 0, 384, 216), (1536, 216, 384, 216),
                    (1536, 432, 384, 216)],
    "onePlusN": [(0, 0, 1280, 720), (1280, 0, 640, 360), (1280, 360, 640, 360), (0, 720, 640, 360)],
    "automatic": [(0, 0, 960, 540), (960, 0, 960, 540), (0, 540, 960, 540), (960, 540, 960, 540)],
}
WHOLE = [(0, 0, 1920, 1080)]
SIDE_BY_SIDE = [(0, 270, 960, 540), (960, 270, 960, 540)]


def room(world, number, colour, codec="h264", **settings):
    settings = {"size": "640x360", "bitrate": 600000} | settings
    return Baresip(world, number, colour=colour, video=codec,
                   tone=sound.TONES[number % len(sound.TONES)], **settings)


def leg_of(world, person):
    return wait_for(f"a call leg of {person.name}",
                    lambda: world.server.api.find("callLegs", name=person.name), 5, 0.2).get("id")


def status(world, person, what):
    return world.server.api.get(f"callLegs/{leg_of(world, person)}").findtext(f"status/{what}")


def panes(image, rectangles):
    """The colours of the panes."""
    return [pictures.colour(pictures.part(image, x / GRID[0], y / GRID[1], w / GRID[0], h / GRID[1]))
            for x, y, w, h in rectangles]


def until_seen(viewer, rectangles, wanted, seconds=SEE_S):
    """Waits until the panes have these colours: a list in that order, a set in any."""
    seen = [None]

    def right():
        seen[0] = panes(viewer.sees(), rectangles)
        return (set(seen[0]) == wanted and len(seen[0]) == len(wanted) if isinstance(wanted, set)
                else seen[0] == wanted)
    wait_for(lambda: f"{viewer.name} sees {seen[0]}, not {wanted}", right, seconds, 0.3)


def until_tiles(viewer, wanted, seconds=SEE_S):
    """Waits until a browser's tiles are these: {name: colour}."""
    seen = [None]

    def right():
        seen[0] = {name: pictures.colour(image) for name, image in viewer.sees().items()}
        return seen[0] == wanted
    wait_for(lambda: f"{viewer.name} sees {seen[0]}, not {wanted}", right, seconds, 0.3)


@case
def two_rooms_see_each_other_and_nobody_himself(world):
    """H.264 and VP8, at full speed."""
    red, green = room(world, 1, "red").join(), room(world, 2, "green", "vp8").join()
    until_seen(red, WHOLE, ["green"])
    until_seen(green, WHOLE, ["red"])
    for phone, codec in ((red, "h264"), (green, "vp8")):
        wait_for(f"25 frames a second towards {phone.name}",
                 lambda phone=phone: float(status(world, phone, "txVideo/frameRate") or 0) >= 25,
                 12, 0.5)
        expect_equal(status(world, phone, "txVideo/codec"), codec, "codec")


@case
def the_picture_a_room_gets_moves_with_time(world):
    """Frame numbers advance as the clock does."""
    red = room(world, 1, "red").join()
    room(world, 2, "green").join()
    until_seen(red, WHOLE, ["green"])

    def number():
        return wait_for("a frame number", lambda: pictures.number(red.sees()), 5, 0.05)
    began, first = time.monotonic(), number()
    time.sleep(3)
    passed, second = time.monotonic() - began, number()
    advanced = pictures.frames_between(first, second)
    expect(abs(advanced / pictures.FPS - passed) < 0.8, advanced, "frames in", passed, "s")


@case
def every_layout_has_everybody_in_his_pane(world):
    """Five rooms; the first looks at the other four in every layout, its own picture left out."""
    colours = ["red", "green", "blue", "yellow", "magenta"]
    rooms = [room(world, number + 1, colour).join() for number, colour in enumerate(colours)]
    viewer, others = rooms[0], set(colours[1:])
    leg = leg_of(world, viewer)
    for layout, rectangles in LAYOUTS.items():
        world.server.api.put(f"callLegs/{leg}", chosenLayout=layout)
        if len(rectangles) == 1:
            seen = [None]

            def one():
                seen[0] = panes(viewer.sees(), rectangles)  # noqa: B023
                return seen[0][0] in others  # noqa: B023
            wait_for(lambda: f"{layout}: {seen[0]}", one, SEE_S, 0.3)  # noqa: B023
        else:
            until_seen(viewer, rectangles, others)
        expect_equal(status(world, viewer, "layout"), layout, "layout")


@case
def browsers_and_rooms_all_see_all(world):
    """baresip with H.264 and VP8, three Chromium, Firefox: the picture of each at each."""
    rooms = [room(world, 1, "red").join(), room(world, 2, "green", "vp8").join()]
    browsers = [Browser(world, 21 + at, name, colour=colour).join() for at, (name, colour)
                in enumerate((("Ann", "blue"), ("Bob", "yellow"), ("Cleo", "magenta")))]
    colours = {person.name: person.colour for person in rooms + browsers}
    for viewer in browsers:
        wanted = {name: colour for name, colour in colours.items() if name != viewer.name}
        until_tiles(viewer, wanted, 30)
    firefox = Browser(world, 24, "Fee", kind="firefox").join()
    until_tiles(firefox, colours, 30)
    for viewer in rooms:
        wanted = set(colours.values()) - {viewer.colour}

        def right(viewer=viewer, wanted=wanted):
            image = viewer.sees()
            points = [(x / 24, y / 24) for x in range(1, 24) for y in range(1, 24)]
            seen = {pictures.colour_at(image, *point) for point in points} - {None}
            return wanted <= seen and viewer.colour not in seen
        wait_for(f"{viewer.name} sees {wanted}", right, SEE_S, 0.3)


@case
def a_killed_codec_process_costs_a_second(world):
    """Pictures are back, sound never stops."""
    red, green = room(world, 1, "red").join(), room(world, 2, "green").join()
    until_seen(red, WHOLE, ["green"])
    killed = [pid for pid, words in processes().items() if "codec" in words.split()[:2][-1:]]
    expect(killed, "no codec process among", list(processes().values()))
    mark = green.heard_all()[0].size
    began = time.monotonic()
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    before = pictures.number(red.sees())

    def back():
        number = pictures.number(red.sees())
        return number is not None and number != before
    wait_for("pictures", back, 5, 0.05)
    expect(time.monotonic() - began < 3, "pictures were back after", time.monotonic() - began)
    time.sleep(1)
    samples, rate = green.heard_all()
    heard = sound.heard(samples[mark:], rate, [red.tone])
    expect_equal(heard, {red.tone}, "sound while the codec process was away")


@case
def a_screen_is_shared_to_rooms_and_browsers(world):
    """The shared page is large, in colour, at a room and at another browser."""
    red = room(world, 1, "red", size="640x360").join()
    ann = Browser(world, 21, "Ann", colour="blue").join()
    bob = Browser(world, 22, "Bob", colour="yellow").join()
    until_tiles(bob, {red.name: "red", "Ann": "blue"}, 30)
    ann.ask("share", 40)

    def content_at_room():
        image = red.sees()
        return world.is_shared(image)
    wait_for("shared content at the room", content_at_room, 20, 0.3)
    wait_for("shared content at Bob",
             lambda: any(world.is_shared(image) for image in bob.sees().values()), 20, 0.3)


def set_up(world):
    world.server = Server(world)


main(set_up)

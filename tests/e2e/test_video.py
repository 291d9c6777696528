# SPDX-License-Identifier: Apache-2.0
"""Rooms and browsers that see each other: every picture has a colour of its own and a running number.

What is looked at is what arrives: the picture a phone decodes, the pixels of a browser's screen."""
import os
import signal
import subprocess
import time

import numpy as np

import pictures
import sound
from baresip import SOUND_S, Baresip
from browser import Browser
from harness import case, expect, expect_equal, main, processes, wait_for
from server import Server

SEE_S = 30   # until everybody's picture must be there
CROWD_SEE_S = 80  # four browsers on two cores
FPS_MIN = 25
FLICKERS = 6
CODEC_AWAY_S_MAX = 1.0
TOLD_S = 1.2   # a worker tells its figures each second
COLOURS = ["red", "green", "blue", "yellow", "magenta"]
FAMILY = (("Ann", "blue"), ("Bob", "yellow"), ("Cleo", "magenta"))

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
SPEAKER_FIRST = ["telepresence", "stacked", "onePlusFive", "onePlusN"]
TEMPLATE = [(0, 0, 960, 1080), (960, 540, 960, 540)]


def room(world, number, colour, codec="h264", talks=True, **settings):
    """A room with a camera; one that does not talk has a microphone that hears nothing."""
    tone = sound.TONES[number % len(sound.TONES)]
    samples = sound.speech_like(tone, SOUND_S) * (1 if talks else 0)
    settings = {"size": "640x360", "bitrate": 600000} | settings
    return Baresip(world, number, colour=colour, video=codec, tone=tone, samples=samples, **settings)


def five_rooms(world):
    """All of them silent, the first of them the one whose picture is looked at."""
    rooms = [room(world, 1 + at, colour, talks=False) for at, colour in enumerate(COLOURS)]
    return [phone.join() for phone in rooms]


def leg_of(world, person):
    return wait_for(f"a call leg of {person.name}",
                    lambda: world.server.api.find("callLegs", name=person.name), 5, 0.2).get("id")


def participant_of(world, person):
    return wait_for(f"a participant {person.name}",
                    lambda: world.server.api.find("participants", name=person.name), 5, 0.2).get("id")


def status(world, person, what):
    return world.server.api.get(f"callLegs/{leg_of(world, person)}").findtext(f"status/{what}")


def pane(image, rectangle):
    x, y, width, height = rectangle
    return pictures.part(image, x / GRID[0], y / GRID[1], width / GRID[0], height / GRID[1])


def panes(image, rectangles):
    """The colours of the panes."""
    return [pictures.colour(pane(image, rectangle)) for rectangle in rectangles]


def until_seen(viewer, rectangles, wanted, seconds=SEE_S):
    """Waits until the panes have these colours: a list in that order, a set in any, as far as there
    are panes."""
    seen = [None]

    def right():
        seen[0] = panes(viewer.sees(), rectangles)
        if isinstance(wanted, set):
            return set(seen[0]) <= wanted and len(set(seen[0])) == len(rectangles)
        return seen[0] == wanted
    wait_for(lambda: f"{viewer.name} sees {seen[0]}, not {wanted}", right, seconds, 0.1)


def until_tiles(viewer, wanted, seconds=SEE_S):
    """Waits until a browser's tiles are these: {name: colour}; None is any picture."""
    seen = [None]

    def right():
        tiles = viewer.sees()
        seen[0] = {name: pictures.colour(image) for name, image in tiles.items()}
        return seen[0].keys() == wanted.keys() and all(
            colour in (None, seen[0][name]) for name, colour in wanted.items())
    wait_for(lambda: f"{viewer.name} sees {seen[0]}, not {wanted}", right, seconds, 0.2)


def colours_in(image):
    """All colours that stand anywhere in a picture, edges and letters apart."""
    rows, columns = image.shape[:2]
    found = set()
    for row in np.linspace(0, rows - 9, 31).astype(int):
        for column in np.linspace(0, columns - 9, 31).astype(int):
            if np.ptp(image[row:row + 9, column:column + 9].astype(int), axis=(0, 1)).max() < 24:
                found.add(pictures.colour_at(image, (column + 4) / columns, (row + 4) / rows))
    return found - {None}


def number_at(phone):
    """The frame number in the newest picture, and when it was asked for."""
    def read():
        asked = time.monotonic()
        number = pictures.number(phone.sees())
        return None if number is None else (number, asked)
    return wait_for("a frame number", read, 5, 0.02)


def words_in(image):
    """What a reader of light letters reads in a picture, as one string."""
    ink = np.where(image.astype(int).min(axis=2) > 150, 0, 255).astype(np.uint8)
    page = np.pad(np.kron(ink, np.ones((3, 3), np.uint8)), 30, constant_values=255)
    graymap = b"P5 %d %d 255\n" % (page.shape[1], page.shape[0]) + page.tobytes()
    read = subprocess.run(["tesseract", "-", "-", "--psm", "7"], input=graymap, capture_output=True,
                          check=True)
    return " ".join(read.stdout.decode().split())


@case
def two_rooms_see_each_other_and_nobody_himself(world):
    """H.264 and VP8, at full speed; frame numbers advance as the clock does."""
    red, green = room(world, 1, "red").join(), room(world, 2, "green", "vp8").join()
    until_seen(red, WHOLE, ["green"])
    until_seen(green, WHOLE, ["red"])
    first, began = number_at(red)
    for phone, codec in ((red, "h264"), (green, "vp8")):
        wait_for(lambda phone=phone: f"{phone.frame_rate()} frames a second arrive at {phone.name}",
                 lambda phone=phone: phone.frame_rate() >= FPS_MIN, 12, 0.3)
        wait_for(f"{codec} in the status of {phone.name}",
                 lambda phone=phone, codec=codec: status(world, phone, "txVideo/codec") == codec, 12, 0.3)
    second, ended = number_at(red)
    advanced = pictures.frames_between(first, second) / pictures.FPS
    passed = (ended - began) % (pictures.FRAMES / pictures.FPS)
    expect(abs(advanced - passed) < 0.5, f"{advanced:.2f} s of film in {passed:.2f} s")


@case
def every_layout_has_everybody_in_his_pane(world):
    """Five rooms; the first looks at the other four in every layout, its own picture left out."""
    viewer, others = five_rooms(world)[0], set(COLOURS[1:])
    leg = leg_of(world, viewer)
    for layout, rectangles in LAYOUTS.items():
        world.server.api.put(f"callLegs/{leg}", chosenLayout=layout)
        until_seen(viewer, rectangles, others)
        expect(colours_in(viewer.sees()) <= others, layout, "shows the viewer")
        expect_equal(status(world, viewer, "layout"), layout, "layout")


@case
def who_talks_takes_the_large_pane_and_keeps_it(world):
    """The one who talks is shown large in every layout that has a large pane, without flicker."""
    viewer, talker, other = (room(world, 1 + at, colour, talks=at == 1).join()
                             for at, colour in enumerate(COLOURS[:3]))
    talker.tell("mute")
    leg = leg_of(world, viewer)
    api = world.server.api
    api.put(f"callLegs/{leg}", chosenLayout=SPEAKER_FIRST[0])
    other_first = participant_of(world, other)
    api.put(f"participants/{other_first}", importance=1)
    until_seen(viewer, LAYOUTS[SPEAKER_FIRST[0]][:1], [other.colour])
    api.put(f"participants/{other_first}", importance="")
    talker.tell("mute")
    for layout in SPEAKER_FIRST:
        api.put(f"callLegs/{leg}", chosenLayout=layout)
        until_seen(viewer, LAYOUTS[layout][:1], [talker.colour])
        seen = [panes(viewer.sees(), LAYOUTS[layout][:1])[0] for _ in range(FLICKERS)]
        expect_equal(set(seen), {talker.colour}, f"in the large pane of {layout}")


@case
def layouts_of_ones_own_and_panes_by_importance(world):
    """A template's panes; the most important have the first pane, whoever talks."""
    api = world.server.api
    template = api.post("layoutTemplates", name="mine")
    places = ",".join(f'{{"x":{x / 19.2},"y":{y / 10.8},"width":{w / 19.2},"height":{h / 10.8}}}'
                      for x, y, w, h in TEMPLATE)
    answer = api.request("PUT", f"/api/v1/layoutTemplates/{template}/template",
                         f'{{"templates":[{{"panes":[{places}]}}]}}', {"Content-Type": "application/json"})
    expect_equal(answer.status, 200, "status")
    rooms = [room(world, 1 + at, colour, talks=False).join() for at, colour in enumerate(COLOURS[:4])]
    viewer, leg = rooms[0], leg_of(world, rooms[0])
    api.put(f"callLegs/{leg}", layoutTemplate=template)
    seen = []

    def in_panes():
        image = viewer.sees()
        seen[:] = [colours_in(pane(image, rectangle)) for rectangle in TEMPLATE]
        return [len(colours) for colours in seen] == [1, 1] and seen[0] != seen[1]
    wait_for(lambda: f"one in each pane of the template, not {seen}", in_panes, SEE_S, 0.2)
    expect_equal(pictures.colour_at(viewer.sees(), 0.75, 0.25), None, "where the template has no pane")
    api.put(f"callLegs/{leg}", chosenLayout="allEqualQuarters")
    api.put(f"calls/{world.server.call()}", panePlacementHighestImportance=2,
            panePlacementSelfPaneMode="skip")
    for important, other in ((2, 3), (3, 2)):
        api.put(f"participants/{participant_of(world, rooms[important])}", importance=2)
        api.put(f"participants/{participant_of(world, rooms[other])}", importance=1)
        until_seen(viewer, LAYOUTS["allEqualQuarters"][:2],
                   [rooms[important].colour, rooms[other].colour])


@case
def names_stand_in_the_panes_in_any_script(world):
    """Letters with accents are read; each syllable of Hangul is a picture of its own."""
    viewer, named = (room(world, 1 + at, colour, talks=False, size="1280x720").join()
                     for at, colour in enumerate(COLOURS[:2]))
    until_seen(viewer, WHOLE, [named.colour])
    api, leg = world.server.api, leg_of(world, viewer)
    participant = participant_of(world, named)
    before, corner = viewer.sees(), (0, 0.93, 0.2, 0.07)
    api.put(f"callLegs/{leg}", participantLabels="true")

    def differs(one, other):
        return int((np.abs(one - other).max(axis=2) > 60).sum())

    def label(name, unlike, points):
        """The label, once it is another one and stands still."""
        api.put(f"participants/{participant}", nameLabelOverride=name)
        last = [unlike]

        def stands():
            before, last[0] = last[0], pictures.part(viewer.sees(), *corner).astype(int)
            return differs(last[0], unlike) > points and differs(last[0], before) == 0
        wait_for(f"the label {name}, unlike the one before", stands, SEE_S, 0.3)
        return last[0]
    nothing = pictures.part(before, *corner).astype(int)
    accents = label("Zoé Häagen", nothing, 20)
    read = words_in(accents.astype(np.uint8))
    expect("Zo" in read and "agen" in read, "the label reads", repr(read))
    plain = label("Zoe Haagen", accents, 4)
    label("힣", label("가", plain, 20), 20)


@case
def a_source_that_is_lost_becomes_its_name(world):
    """A room that crashes leaves no frozen picture."""
    viewer, lost = (room(world, 1 + at, colour, talks=False).join() for at, colour in enumerate(COLOURS[:2]))
    until_seen(viewer, WHOLE, [lost.colour])
    lost.machine.crash()
    seen = [""]

    def named():
        image = viewer.sees()
        seen[0] = f"{colours_in(image)} {words_in(pictures.part(image, 0.25, 0.4, 0.5, 0.2))}"
        return seen[0] == f"{set()} {lost.name}"
    wait_for(lambda: f"the name alone, not {seen[0]}", named, SEE_S, 0.3)


@case
def browsers_and_rooms_all_see_all(world):
    """baresip with H.264 and VP8, three Chromium, Firefox: the picture of each at each.  Four browsers
    without a graphics card keep two cores busy several times over, so all has long to come."""
    rooms = [room(world, 1, "red", talks=False), room(world, 2, "green", "vp8", talks=False)]
    browsers = [Browser(world, 21 + at, name, colour=colour) for at, (name, colour)
                in enumerate(FAMILY)]
    firefox = Browser(world, 24, "Fee", kind="firefox")
    everybody = rooms + browsers + [firefox]
    for person in everybody:
        person.join()
    colours = {person.name: person.colour for person in everybody}
    for viewer in browsers + [firefox]:
        until_tiles(viewer, {name: colour for name, colour in colours.items() if name != viewer.name},
                    CROWD_SEE_S)
    for viewer in rooms:
        wanted = set(colours.values()) - {viewer.colour, None}
        wait_for(lambda viewer=viewer, wanted=wanted: f"{viewer.name} sees {wanted} and not himself",
                 lambda viewer=viewer, wanted=wanted: colours_in(viewer.sees()) >= wanted
                 and viewer.colour not in panes(viewer.sees(), WHOLE), CROWD_SEE_S, 0.2)


@case
def a_rooms_h264_goes_to_chromium_untouched_and_to_firefox_by_one_transcode(world):
    """The first browser that needs VP8 costs an encode, the second none."""
    red = room(world, 1, "red", talks=False).join()
    ann = Browser(world, 21, "Ann", colour="blue").join()
    until_tiles(ann, {red.name: "red"})
    until_seen(red, WHOLE, ["blue"])
    expect_equal(ann.ask("run", code=_CODECS_RECEIVED), ["video/H264"], "received by Chromium")
    def encodes():
        time.sleep(TOLD_S)
        return world.server.metrics()["video_encodes"]
    alone = encodes()
    for at, name in enumerate(("Fee", "Gia")):
        firefox = Browser(world, 24 + at, name, kind="firefox").join()
        wait_for(lambda firefox=firefox: f"{firefox.name} sees the room",
                 lambda firefox=firefox: pictures.colour(firefox.sees().get(red.name, _BLACK)) == "red",
                 SEE_S, 0.3)
        # Who comes is served in steps until the bridge knows his line.
        wait_for(f"{alone + 1} encodes with {name}", lambda: encodes() == alone + 1, SEE_S, 0)


_BLACK = np.zeros((90, 160, 3), np.uint8)
_CODECS_RECEIVED = """(async () => {
    const found = new Set();
    for (const connection of window.__heard.connections) {
        const stats = await connection.getStats();
        for (const report of stats.values())
            if (report.type === 'inbound-rtp' && report.kind === 'video' && report.framesDecoded > 0)
                found.add(stats.get(report.codecId).mimeType);
    }
    return [...found].sort();
})()"""


@case
def a_killed_codec_process_costs_a_second(world):
    """Pictures are back, sound never stops."""
    red, green = room(world, 1, "red").join(), room(world, 2, "green").join()
    until_seen(red, WHOLE, ["green"])
    killed = [pid for pid, words in processes().items() if "codec" in words.split()[:2][-1:]]
    expect(killed, "no codec process among", list(processes().values()))
    mark = green.heard_all()[0].size
    before, asked = number_at(red)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    killed_at = (time.monotonic() - asked) * pictures.FPS

    def back():
        made = pictures.frames_between(before, number_at(red)[0]) - killed_at
        return made / pictures.FPS if made > 2 else None
    away = wait_for("pictures", back, 5, 0.01)
    expect(away < CODEC_AWAY_S_MAX, f"pictures were back after {away:.2f} s")
    time.sleep(1)
    samples, rate = green.heard_all()
    gap = sound.longest_gap_s(samples[mark:], rate, red.tone)
    expect(gap < 0.15, f"{gap:.2f} s of sound are missing")


def set_up(world):
    for colour in COLOURS:
        pictures.mp4(colour, "640x360")
    for _, colour in FAMILY:
        pictures.mjpeg(colour)
    world.server = Server(world)


main(set_up)

# SPDX-License-Identifier: Apache-2.0
"""Shared screens, floors, and what a room's picture says besides showing people.

What is shared is a page with words; they are read from what arrives."""
import time

import pictures
import sound
from baresip import Baresip
from browser import Browser
from harness import case, expect, expect_equal, main, wait_for
from server import Server

SEE_S = 20   # until what was done must be seen


def room(world, number, colour, **settings):
    settings = {"size": "640x360", "bitrate": 600000, "video": "h264"} | settings
    tone = sound.TONES[number % len(sound.TONES)]
    # A phone hangs up when its sound is over.
    return Baresip(world, number, colour=colour, tone=tone, samples=sound.tone(tone, 150),
                   **settings)


def space(world, name, **settings):
    """A space of one's own: dialled by its name in small letters, joined by the number."""
    world.spaces = getattr(world, "spaces", 3000) + 1
    return world.server.api.post("coSpaces", name=name, uri=name.lower(), callId=world.spaces,
                                 **settings), f"/meeting/{world.spaces}"


def leg_of(world, person):
    return wait_for(f"a call leg of {person.name}",
                    lambda: world.server.api.find("callLegs", name=person.name), 5, 0.2).get("id")


def status(world, person, what):
    return world.server.api.get(f"callLegs/{leg_of(world, person)}").findtext(f"status/{what}")


def says(image, words):
    """Whether an image says these words; blanks are not what is looked for."""
    return words.replace(" ", "") in pictures.words(image).replace(" ", "")


def until_read(viewer, words, seconds=SEE_S, gone=False):
    """Waits until a room's picture says these words, or says them no more."""
    read = [None]

    def right():
        read[0] = viewer.sees()
        return says(read[0], words) != gone
    wait_for(lambda: f"{viewer.name} reads {pictures.words(read[0])!r}, {'still' if gone else 'not'} "
             f"{words!r}", right, seconds, 0.5)


def until_tile(viewer, name, words, seconds=SEE_S):
    """Waits until the tile of that name at a browser says these words; its picture."""
    tiles = {}

    def right():
        tiles.clear()
        tiles.update(viewer.sees())
        return name in tiles and [tiles[name]] * says(tiles[name], words)
    return wait_for(lambda: f"{viewer.name} sees {list(tiles)}, not {name!r} with {words!r}", right,
                    seconds, 0.5)[0]


def until_gone(viewer, name, seconds=SEE_S):
    seen = [None]

    def right():
        seen[0] = list(viewer.sees())
        return name not in seen[0]
    wait_for(lambda: f"{viewer.name} sees {seen[0]}", right, seconds, 0.3)


@case
def a_shared_screen_is_read_in_rooms_and_browsers(world):
    """Large in the main picture of a room without a second stream; in Chromium and Firefox."""
    red = room(world, 1, "red").join()
    ann = Browser(world, 21, "Ann", colour="blue").join()
    bob = Browser(world, 22, "Bob").join()
    fee = Browser(world, 23, "Fee", kind="firefox").join()
    ann.ask("share", text="QUARTER 7351")
    until_read(red, "QUARTER 7351")
    for viewer in (bob, fee):
        image = until_tile(viewer, "Ann is sharing", "QUARTER 7351")
        expect(image.shape[1] > 600, viewer.name, "shows content", image.shape[1], "points wide")
    bob.ask("share", text="BUDGET 9924")
    for viewer in (ann, fee):
        until_tile(viewer, "Bob is sharing", "BUDGET 9924")
    until_read(red, "BUDGET 9924")
    expect("Somebody else shares now" in ann.ask("text"), "Ann is not told that Bob took over")
    bob.ask("press", name="^stop sharing")
    until_gone(fee, "Bob is sharing")
    until_read(red, "BUDGET", gone=True)


@case
def a_presenter_that_leaves_takes_the_screen_away(world):
    red = room(world, 1, "red").join()
    ann = Browser(world, 21, "Ann", colour="blue").join()
    ann.ask("share", text="GOODBYE 4410")
    until_read(red, "GOODBYE 4410")
    ann.close()
    until_read(red, "GOODBYE", gone=True)


@case
def who_may_not_present_has_no_button_and_no_floor(world):
    """presentationContributionAllowed=false of a space's profile."""
    api = world.server.api
    profile = api.post("callLegProfiles", name="Quiet", presentationContributionAllowed="false")
    _, path = space(world, "Quiet", callLegProfile=profile)
    ann = Browser(world, 21, "Ann").join(path)
    expect(not any("Share" in button for button in ann.ask("buttons")), "there is a button to share")


def set_up(world):
    world.server = Server(world)


main(set_up)

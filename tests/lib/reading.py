# SPDX-License-Identifier: Apache-2.0
"""Meetings whose pictures are read: rooms and spaces for them, and waiting until somebody sees words."""
import pictures
import sound
from baresip import Baresip
from harness import wait_for

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


def profile(world, name, **settings):
    return world.server.api.post("callLegProfiles", name=name, **settings)


def leg_of(world, person):
    return wait_for(f"a call leg of {person.name}",
                    lambda: world.server.api.find("callLegs", name=person.name), 5, 0.2).get("id")


def status(world, person, what):
    return world.server.api.get(f"callLegs/{leg_of(world, person)}").findtext(f"status/{what}")


def until_read(viewer, words, seconds=SEE_S, gone=False):
    """Waits until a room's picture says these words, or says them no more."""
    read = [None]

    def right():
        read[0] = viewer.sees()
        return pictures.says(read[0], words) != gone
    wait_for(lambda: f"{viewer.name} reads {pictures.words(read[0])!r}, {'still' if gone else 'not'} "
             f"{words!r}", right, seconds, 0.5)


def until_tile(viewer, name, words, seconds=SEE_S):
    """Waits until the tile of that name at a browser says these words; its picture."""
    tiles = {}

    def right():
        tiles.clear()
        tiles.update(viewer.sees())
        return name in tiles and [tiles[name]] * pictures.says(tiles[name], words)
    return wait_for(lambda: f"{viewer.name} sees {list(tiles)}, not {name!r} with {words!r}", right,
                    seconds, 0.5)[0]


def until_slides(viewer, words, seconds=SEE_S):
    """Waits until a room's second stream says these words; its picture."""
    image = [None]

    def right():
        image[0] = viewer.slides.sees()
        return image[0] is not None and pictures.says(image[0], words)
    wait_for(lambda: f"{viewer.name} reads on its second stream "
             f"{'nothing' if image[0] is None else pictures.words(image[0])!r}", right, seconds, 0.5)
    return image[0]


def until_colour(viewer, colour, seconds=SEE_S):
    """Waits until a room's picture is all of that colour; None: of nobody's."""
    seen = [None]

    def right():
        seen[0] = pictures.colour(viewer.sees())
        return seen[0] == colour
    wait_for(lambda: f"{viewer.name} sees {seen[0]}, not {colour}", right, seconds, 0.3)


def until_gone(viewer, name, seconds=SEE_S):
    seen = [None]

    def right():
        seen[0] = list(viewer.sees())
        return name not in seen[0]
    wait_for(lambda: f"{viewer.name} sees {seen[0]}", right, seconds, 0.3)

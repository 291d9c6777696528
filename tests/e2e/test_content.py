# SPDX-License-Identifier: Apache-2.0
"""Shared screens, floors, and what a room's picture says besides showing people.

What is shared is a page with words; they are read from what arrives."""
import time

import pictures
import sound
from baresip import Baresip
from browser import Browser
from harness import case, expect, expect_equal, main, wait_for
from room import Room, film
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


def profile(world, name, **settings):
    return world.server.api.post("callLegProfiles", name=name, **settings)


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


def until_slides(viewer, words, seconds=SEE_S):
    """Waits until a room's second stream says these words; its picture."""
    image = [None]

    def right():
        image[0] = viewer.slides.sees()
        return image[0] is not None and says(image[0], words)
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


@case
def a_room_presents_with_floor_control(world):
    """Another room gets it as a second stream.  Who takes over revokes the floor."""
    green, red = Room(world, 1).join(), Room(world, 2).join()
    green.present(film(world.folder, text="SLIDE 5521"))
    until_slides(red, "SLIDE 5521")
    red.present(film(world.folder, text="CHART 8034"))
    green.until_floor("Revoked")
    green.slides.stop()
    until_slides(green, "CHART 8034")
    red.say_floor("release")
    wait_for("nobody presents", lambda: presenter(world) is None, 5, 0.2)


def presenter(world):
    return world.server.api.get(f"calls/{world.server.call()}").findtext("presenterCallLeg")


@case
def a_room_and_a_browser_present_to_each_other(world):
    green = Room(world, 1).join()
    ann = Browser(world, 21, "Ann").join()
    green.present(film(world.folder, text="SLIDE 5521"))
    until_tile(ann, "Lima is sharing", "SLIDE 5521")
    ann.ask("share", text="QUARTER 7351")
    green.until_floor("Revoked")
    green.slides.stop()
    until_slides(green, "QUARTER 7351")


@case
def a_room_without_floor_control_presents_by_sending(world):
    green, red = Room(world, 1, floor=False).join(), Room(world, 2).join()
    green.slides.play(film(world.folder, text="SLIDE 5521"))
    until_slides(red, "SLIDE 5521")
    green.slides.stop()
    wait_for("nobody presents", lambda: presenter(world) is None, 20, 0.2)  # a still screen may say nothing for 10 s


@case
def profiles_decide_where_content_goes(world):
    """Into the main picture, nowhere, or in a smaller picture."""
    green = Room(world, 1).join()
    red = Room(world, 2).join()
    leg = leg_of(world, red)
    green.present(film(world.folder, text="SLIDE 5521", size="1920x1080"))
    image = until_slides(red, "SLIDE 5521")
    expect_equal(image.shape[0], 1080, "height")
    expect(not says(red.sees(), "SLIDE"), "content is in the main picture too")
    world.server.api.put(f"callLegs/{leg}", presentationDisplayMode="singleStream")
    until_read(red, "SLIDE 5521")
    world.server.api.put(f"callLegs/{leg}", presentationDisplayMode="dualStream")
    until_read(red, "SLIDE 5521", gone=True)
    world.server.api.put(f"callLegs/{leg}", presentationViewingAllowed="false")
    count = [0]

    def silent():
        before, count[0] = count[0], len(red.slides.packets)
        return before == count[0]
    wait_for("the second stream ends", silent, 8, 1)
    expect(not says(red.sees(), "SLIDE"), "who may see no content sees it in the main picture")


@case
def content_is_as_large_as_the_profile_says(world):
    _, _ = space(world, "Small", callLegProfile=profile(world, "Small",
                                                        qualityPresentation="max720p5"))
    green, red = Room(world, 1).join("small"), Room(world, 2).join("small")
    green.present(film(world.folder, text="SLIDE 5521", size="1920x1080"))
    expect_equal(until_slides(red, "SLIDE 5521").shape[0], 720, "height")


@case
def without_a_presentation_channel_content_is_in_the_main_picture(world):
    space(world, "Single", callLegProfile=profile(world, "Single",
                                                  sipPresentationChannelEnabled="false"))
    ann = Browser(world, 21, "Ann").join(f"/meeting/{world.spaces}")
    red = Room(world, 2).join("single")
    expect(red.slides.far is None, "there is a second stream")
    expect(red.floor["at"].endswith(":0"), "there is floor control at", red.floor["at"])
    ann.ask("share", text="QUARTER 7351")
    until_read(red, "QUARTER 7351")


@case
def a_telephone_types_layouts_and_mutes(world):
    api = world.server.api
    api.put("system/profiles", dtmfProfile=api.post(
        "dtmfProfiles", nextLayout="*1", previousLayout="*2", toggleMuteSelfAudio="*6",
        getTotalParticipantCount="*0"))
    red = room(world, 1, "red").join()
    green = Room(world, 2).join()
    green.main.play(film(world.folder, colour="green"))
    until_colour(red, "green")
    names = ["allEqual", "speakerOnly", "telepresence", "stacked"]
    expect_equal(status(world, red, "layout"), "automatic", "layout")
    red.press("*1")
    first = wait_for("another layout", lambda: (now := status(world, red, "layout")) != "automatic"
                     and now, 5, 0.2)
    red.press("*2")
    wait_for(f"automatic after {first}", lambda: status(world, red, "layout") == "automatic", 5, 0.2)
    leg = leg_of(world, red)

    def muted():
        return api.get(f"callLegs/{leg}").findtext("configuration/rxAudioMute")
    red.press("*6")
    wait_for("muted", lambda: muted() == "true", 5, 0.2)
    red.press("*6")
    wait_for("no longer muted", lambda: muted() != "true", 5, 0.2)
    red.press("*0")
    until_read(red, "Participants: 2")


@case
def a_room_reads_messages_names_and_numbers(world):
    api = world.server.api
    space(world, "Texts", callLegProfile=profile(world, "Texts", participantLabels="false",
                                                 participantCounter="always"))
    red = Room(world, 2).join("texts")
    until_read(red, "You are the only participant")
    green = Room(world, 1).join("texts")
    green.main.play(film(world.folder, colour="green"))
    until_colour(red, "green")
    expect(not says(red.sees(), "Lima"), "there is a name")
    ann = Browser(world, 21, "Ann").join(f"/meeting/{world.spaces}")
    call = world.server.call("Texts")
    api.put(f"calls/{call}", messageText="Lunch at 1230", messagePosition="top",
            messageDuration="permanent")
    until_read(red, "Lunch at 1230")
    wait_for("the message in the page", lambda: "Lunch at 1230" in ann.ask("text"), 5, 0.2)
    api.put(f"calls/{call}", messageText="")
    until_read(red, "Lunch", gone=True)
    wait_for("no message in the page", lambda: "Lunch" not in ann.ask("text"), 5, 0.2)
    corner = pictures.part(red.sees(), 0.85, 0.88, 0.15, 0.12)
    expect("3" in pictures.words(corner), "the counter says", pictures.words(corner))
    api.put(f"callLegs/{leg_of(world, red)}", participantLabels="true")
    until_read(red, "Lima")


@case
def a_room_waits_for_the_host(world):
    space(world, "Hosted", callLegProfile=profile(world, "Hosted", needsActivation="true"))
    until_read(Room(world, 2).join("hosted"), "Waiting for the host")


@case
def a_camera_is_muted_by_the_api_and_comes_back(world):
    """A room's, for a room: it becomes the name.  txVideoMute: it sees nobody."""
    api = world.server.api
    green, red = Room(world, 1).join(), Room(world, 2).join()
    green.main.play(film(world.folder, colour="green"))
    until_colour(red, "green")
    api.put(f"callLegs/{leg_of(world, green)}", rxVideoMute="true")
    until_read(red, "Lima")
    expect_equal(pictures.colour(red.sees()), None, "colour")
    api.put(f"callLegs/{leg_of(world, green)}", rxVideoMute="false")
    until_colour(red, "green")
    api.put(f"callLegs/{leg_of(world, red)}", txVideoMute="true")
    count = [0]

    def silent():
        before, count[0] = count[0], len(red.main.packets)
        return before == count[0]
    wait_for("nothing is sent", silent, 8, 1)
    api.put(f"callLegs/{leg_of(world, red)}", txVideoMute="false")
    wait_for("pictures again", lambda: len(red.main.packets) != count[0], 8, 0.2)
    until_colour(red, "green")


@case
def a_phone_holds_and_comes_back_with_its_picture(world):
    red = room(world, 1, "red").join()
    green = Room(world, 2).join()
    green.main.play(film(world.folder, colour="green"))
    until_colour(red, "green")
    until_colour(green, "red")
    red.tell("hold")
    until_read(green, "phone")
    red.tell("resume")
    until_colour(green, "red")
    until_colour(red, "green")


@case
def a_rooms_camera_is_moved(world):
    """By the API and by a browser's buttons: H.281 START, CONTINUE, STOP."""
    api = world.server.api
    green = Room(world, 1, camera=True).join()
    green.offer_camera()
    leg = leg_of(world, green)
    wait_for("a camera that can be moved", lambda: status(
        world, green, "cameraControlAvailable") == "true", 5, 0.2)

    def messages():
        """(kind, action) of camera control: START 1, CONTINUE 2, STOP 3."""
        return [(payload[9], payload[10]) for payload in green.camera.all
                if payload[7] == 1 and len(payload) > 10]
    api.put(f"callLegs/{leg}/cameraControl", pan="left", zoom="in")
    wait_for(lambda: f"left and in, then stop, not {messages()}",
             lambda: messages()[:1] == [(1, 0x8C)] and messages()[-1] == (3, 0x8C), 5, 0.2)
    expect((2, 0x8C) in messages(), "it was not told to go on:", messages())
    ann = Browser(world, 21, "Ann").join()
    green.camera.all.clear()
    ann.ask("press", name="^people")
    ann.ask("press", name="^move the camera of Lima")
    ann.ask("hold", name="^up$", ms=900)
    wait_for(lambda: f"up, then stop, not {messages()}",
             lambda: messages() and messages()[0] == (1, 0x30) and messages()[-1] == (3, 0x30), 5, 0.2)


@case
def two_browsers_and_a_room_use_what_a_meeting_has(world):
    """Chat, hands, muting, cameras and layouts, by the pages' buttons."""
    host = profile(world, "Host", muteOthersAllowed="true", videoMuteOthersAllowed="true")
    space(world, "Hosts", callLegProfile=host)
    path = f"/meeting/{world.spaces}"
    green = Room(world, 1).join("hosts")
    green.main.play(film(world.folder, colour="green"))
    ann = Browser(world, 21, "Ann").join(path)
    bob = Browser(world, 22, "Bob", colour="yellow").join(path)
    until_colour_somewhere(green, "yellow")
    for browser in (ann, bob):
        browser.ask("press", name="^chat")
    ann.ask("say", text="Good morning")
    wait_for("the line of chat", lambda: "Good morning" in bob.ask("text"), 5, 0.2)
    bob.ask("press", name="^raise hand")
    ann.ask("press", name="^people")
    ann.ask("press", name="^lower the hand of Bob")
    wait_for("Bob's hand is down", lambda: any(
        button.startswith("Raise hand") for button in bob.ask("buttons")), 5, 0.2)
    ann.ask("press", name="^mute Bob")
    wait_for("Bob is muted", lambda: "Somebody has muted you" in bob.ask("text"), 5, 0.2)
    ann.ask("press", name="^switch the camera of Bob off")
    wait_for("Bob is told", lambda: "switched your camera off" in bob.ask("text"), 5, 0.2)
    wait_for("the room sees Bob no more", lambda: "yellow" not in colours(green.sees()), SEE_S, 0.3)
    ann.ask("choose", label="^layout for Lima", value="stacked")
    wait_for("the room's layout", lambda: status(world, green, "layout") == "stacked", 5, 0.2)


def colours(image):
    return {pictures.colour_at(image, x / 12, y / 12) for x in range(1, 12) for y in range(1, 12)}


def until_colour_somewhere(viewer, colour, seconds=SEE_S):
    wait_for(f"{viewer.name} sees {colour}", lambda: colour in colours(viewer.sees()), seconds, 0.3)


def set_up(world):
    world.server = Server(world)


main(set_up)

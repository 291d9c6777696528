# SPDX-License-Identifier: Apache-2.0
"""What meetings have besides people's pictures: texts in a room's picture, codes typed on a telephone,
cameras that are muted or moved, chat, hands, and what a host may do."""
import pictures
from browser import Browser
from harness import case, expect, expect_equal, main, wait_for
from reading import SEE_S, leg_of, profile, room, space, status, until_colour, until_read
from room import Room, film
from server import Server


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

    def told():  # for five seconds
        red.press("*0")
        return pictures.says(red.sees(), "Participants: 2")
    wait_for("how many there are", told, SEE_S)


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
    expect(not pictures.says(red.sees(), "Lima"), "there is a name")
    ann = Browser(world, 21, "Ann").join(f"/meeting/{world.spaces}")
    call = world.server.call("Texts")
    api.put(f"calls/{call}", messageText="Lunch at 1230", messagePosition="top",
            messageDuration="permanent")
    until_read(red, "Lunch at 1230")
    wait_for("the message in the page", lambda: "Lunch at 1230" in ann.ask("text"), 5, 0.2)
    api.put(f"calls/{call}", messageText="")
    until_read(red, "Lunch", gone=True)
    wait_for("no message in the page", lambda: "Lunch" not in ann.ask("text"), 5, 0.2)
    counter = [""]

    def three():
        counter[0] = pictures.words(pictures.part(red.sees(), 0.85, 0.88, 0.15, 0.12))
        return "3" in counter[0]
    wait_for(lambda: f"the counter says {counter[0]}, not 3", three, SEE_S, 0.5)
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
    space(world, "Steered", callLegProfile=profile(world, "Steered",
                                                   controlRemoteCameraAllowed="true"))
    green = Room(world, 1, camera=True).join("steered")
    leg = leg_of(world, green)
    wait_for("a camera that can be moved", lambda: green.offer_camera() or status(
        world, green, "cameraControlAvailable") == "true", 5, 0.5)

    def messages():
        """(kind, action) of camera control: START 1, CONTINUE 2, STOP 3."""
        return [(payload[9], payload[10]) for payload in green.camera.all
                if payload[7] == 1 and len(payload) > 10]
    api.put(f"callLegs/{leg}/cameraControl", pan="left", zoom="in")
    wait_for(lambda: f"left and in, then stop, not {messages()}",
             lambda: messages()[:1] == [(1, 0x8C)] and messages()[-1] == (3, 0x8C), 5, 0.2)
    expect((2, 0x8C) in messages(), "it was not told to go on:", messages())
    ann = Browser(world, 21, "Ann").join(f"/meeting/{world.spaces}")
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

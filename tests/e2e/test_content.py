# SPDX-License-Identifier: Apache-2.0
"""Shared screens and floors: what is shared says something, and that is read where it arrives."""
import pictures
from browser import Browser
from harness import case, expect, expect_equal, main, wait_for
from reading import leg_of, profile, room, space, until_gone, until_read, until_slides, until_tile
from room import Room, film
from server import Server


@case
def a_shared_screen_is_read_in_rooms_and_browsers(world):
    """Large in the main picture of a room without a second stream, and in a browser; another takes
    over, and stops."""
    red = room(world, 1, "red").join()
    ann = Browser(world, 21, "Ann").join()
    bob = Browser(world, 22, "Bob").join()
    ann.ask("share", text="QUARTER 7351")
    image = until_tile(bob, "Ann is sharing", "QUARTER 7351")
    expect(image.shape[1] > 600, "Bob shows content", image.shape[1], "points wide")
    until_read(red, "QUARTER 7351")
    bob.ask("share", text="BUDGET 9924")
    wait_for("Ann is told that Bob took over",
             lambda: "Somebody else shares now" in ann.ask("text"), 10, 0.2)
    until_tile(ann, "Bob is sharing", "BUDGET 9924")
    until_read(red, "BUDGET 9924")
    bob.ask("press", name="^stop sharing")
    until_gone(ann, "Bob is sharing")
    until_read(red, "BUDGET", gone=True)


@case
def a_shared_screen_is_read_in_firefox(world):
    fee = Browser(world, 23, "Fee", kind="firefox").join()
    Browser(world, 21, "Ann").join().ask("share", text="QUARTER 7351")
    until_tile(fee, "Ann is sharing", "QUARTER 7351")


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
    wait_for("nobody presents", lambda: presenter(world) is None, 20, 0.2)


def until_slides_high(viewer, height):
    """Its line may be tried with less at first."""
    seen = [None]

    def right():
        image = viewer.slides.sees()
        seen[0] = None if image is None else image.shape[0]
        return seen[0] == height
    wait_for(lambda: f"{viewer.name}'s slides are {seen[0]} high, not {height}", right, 20, 0.5)


@case
def profiles_decide_where_content_goes(world):
    """Into the main picture, nowhere, or in a smaller picture."""
    green = Room(world, 1).join()
    red = Room(world, 2).join()
    leg = leg_of(world, red)
    green.present(film(world.folder, text="SLIDE 5521", size="1920x1080"))
    until_slides(red, "SLIDE 5521")
    until_slides_high(red, 1080)
    expect(not pictures.says(red.sees(), "SLIDE"), "content is in the main picture too")
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
    expect(not pictures.says(red.sees(), "SLIDE"), "who may see no content sees it in the main picture")


@case
def content_is_as_large_as_the_profile_says(world):
    _, _ = space(world, "Small", callLegProfile=profile(world, "Small",
                                                        qualityPresentation="max720p5"))
    green, red = Room(world, 1).join("small"), Room(world, 2).join("small")
    green.present(film(world.folder, text="SLIDE 5521", size="1920x1080"))
    until_slides(red, "SLIDE 5521")
    until_slides_high(red, 720)


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


def set_up(world):
    world.server = Server(world)


main(set_up)

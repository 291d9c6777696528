# SPDX-License-Identifier: Apache-2.0
"""The way in: a passcode typed on a phone's keys after a spoken prompt, or into the page; roles by
passcode; spaces for members only; SIP's small services (OPTIONS, 404, 405, 481...)."""
import subprocess
import time

import network
import sound
from baresip import Baresip
from browser import WEB, Browser
from harness import case, expect, expect_equal, main, wait_for
from probe import Probe
from server import Server

PASSCODE = "2468"


def voiced_share(samples, rate):
    """How much of the time something is said: frames of 20 ms above -40 dB of full scale."""
    frames = samples[:len(samples) // (rate // 50) * (rate // 50)].reshape(-1, rate // 50)
    return float((frames.std(axis=1) > 0.01).mean()) if len(frames) else 0.0


def is_in(world, name, space="Locked"):
    call = world.server.call(space)
    return call is not None and name in world.server.people(call)


def hears_a_prompt(phone, seconds=6):
    wait_for(lambda: f"{phone.name} hears a voice: {voiced_share(*phone.hears(3)):.0%} of 3 s",
             lambda: voiced_share(*phone.hears(3)) > 0.2, seconds, 0.3)


@case
def a_passcode_is_asked_for_by_voice_and_typed_on_keys(world):
    phone = Baresip(world, 1, codec="opus").join("locked")
    hears_a_prompt(phone)
    expect(not is_in(world, phone.name), "in the space before the passcode")
    phone.press("1111#")
    time.sleep(1)
    expect(not is_in(world, phone.name), "in the space after a wrong passcode")
    hears_a_prompt(phone)
    phone.press(PASSCODE + "#")
    wait_for("the phone is in the space", lambda: is_in(world, phone.name), 5)


@case
def keys_work_on_every_codec_and_with_srtp(world):
    for number, (codec, media, transport) in enumerate(
            (("PCMU", "srtp-mand", "tcp"), ("G722", "dtls_srtp", "tls"), ("PCMA", "", "udp")), 2):
        phone = Baresip(world, number, transport, codec, media=media).join("locked")
        time.sleep(1)
        phone.press(PASSCODE + "#")
        wait_for(lambda: f"{phone.name} with {codec} is in the space",
                 lambda: is_in(world, phone.name), 5)


@case
def three_wrong_passcodes_end_the_call(world):
    phone = Baresip(world, 5, codec="PCMU").join("locked")
    for _ in range(3):
        time.sleep(1.5)
        phone.press("9999#", 0.2)
    phone.wait_event("CALL_CLOSED", 15)
    expect(not is_in(world, phone.name), "in the space")


@case
def who_waits_for_a_passcode_hears_nobody_and_is_not_heard(world):
    inside = Baresip(world, 6, tone=445).join("locked")
    inside.press(PASSCODE + "#")
    wait_for("inside", lambda: is_in(world, inside.name), 6)
    outside = Probe(world, 7, tone=1040).join("locked")
    time.sleep(3)
    expect(445 not in sound.heard(*outside.hears(1), [445]), "hears the meeting from outside:",
           sound.describe(*outside.hears(1), [445]))
    expect(1040 not in sound.heard(*inside.hears(1), [1040]), "is heard from outside:",
           sound.describe(*inside.hears(1), [1040]))


@case
def the_page_asks_for_the_passcode(world):
    person = Browser(world, 21, "Carla", tone=1040)
    person.join("/meeting/2002", passcode=PASSCODE)
    wait_for("Carla is in the space", lambda: is_in(world, "Carla"), 5)


@case
def mute_and_leave_in_the_page(world):
    listener = Probe(world, 8, tone=2150).join()
    person = Browser(world, 21, "Dora", tone=1040).join()
    wait_for("Dora is heard", lambda: sound.heard(*listener.hears(0.7), [1040]), 8, 0.3)
    person.ask("press", name="^\\s*mute")
    wait_for("Dora is not heard when muted",
             lambda: not sound.heard(*listener.hears(0.5), [1040]), 3, 0.1)
    participant = world.server.api.find("callLegs", name="Dora")
    # The page is silent at once; the API knows of it when its word has come.
    wait_for("rxAudioMute by the API", lambda: world.server.api.get(
        f"callLegs/{participant.get('id')}").findtext("configuration/rxAudioMute") == "true", 3)
    person.ask("press", name="^\\s*unmute")
    wait_for("Dora is heard again", lambda: sound.heard(*listener.hears(0.5), [1040]), 4, 0.1)
    world.server.api.put(f"callLegs/{participant.get('id')}", rxAudioMute="true")
    wait_for("the page shows that another muted her",
             lambda: "muted you" in person.ask("text").lower()
             or "unmute" in person.ask("text").lower(), 3)
    world.server.api.put(f"callLegs/{participant.get('id')}", rxAudioMute="false")
    person.ask("press", name="^\\s*leave")
    wait_for("Dora has left",
             lambda: "Dora" not in world.server.people(world.server.call()), 3)


@case
def unknown_meetings_are_refused_in_the_page(world):
    person = Browser(world, 22, "Emil")
    person.ask("open", url=f"{WEB}/meeting/999999")
    wait_for(lambda: f"the page says so: {person.ask('text')}",
             lambda: "no meeting" in person.ask("text").lower(), 5)


@case
def a_space_for_members_only_refuses_strangers(world):
    expect_equal(Probe(world, 9).dial("members"), 403, "answer of a space with nonMemberAccess=false")


@case
def options_answered_over_udp_and_tcp(world):
    for transport in ("udp", "tcp"):
        done = subprocess.run(network.Machine(1).command(
            ["sipsak", "-E", transport, "-s", f"sip:demo@{network.SERVER}:5060", "-v"]),
            capture_output=True, text=True, timeout=20)
        expect_equal(done.returncode, 0, f"exit status of sipsak over {transport}: {done.stdout}")


@case
def full_spaces_and_locked_calls_refuse(world):
    api = world.server.api
    profile = api.post("callProfiles", participantLimit="2")
    api.post("coSpaces", name="Small", uri="small", callProfile=profile)
    expect_equal([Probe(world, n).dial("small") for n in (1, 2, 3)], [200, 200, 486], "answers")


def set_up(world):
    world.server = Server(world)
    api = world.server.api
    api.post("coSpaces", name="Locked", uri="locked", callId="2002", passcode=PASSCODE)
    api.post("coSpaces", name="Members", uri="members", nonMemberAccess="false")


main(set_up)

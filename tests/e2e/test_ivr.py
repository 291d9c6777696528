# SPDX-License-Identifier: Apache-2.0
"""Meetings by telephone: an IVR asks for the ID and the passcode; host and guest with lobby,
deactivation, locks, limits and tones.  What is heard is looked for in what the telephones record."""
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import network
import prompts
import sound
from baresip import Baresip
from harness import case, expect, expect_equal, main, wait_for
from receiver import Receiver
from server import Server

HOST, GUEST = "2468", "1357"
HOST_HZ, GUEST_HZ = 445, 1040
JOIN_HZ = 659  # src/audio/tones.c
OWN_HZ = 1830  # of recordings that stand in for prompts


class Listener:
    """A telephone, and where its recording was when something new was about to be said."""

    def __init__(self, phone):
        self.phone = phone
        self.at = 0

    def from_now(self):
        self.at = len(self.phone.heard_all()[0])
        return self

    def since(self):
        samples, rate = self.phone.heard_all()
        return samples[self.at:], rate

    def hears(self, name, seconds=12):
        """That prompt, as it is; from here on another is listened for."""
        wait_for(lambda: f"{self.phone.name} hears {name}: "
                         f"{prompts.likeness(*self.since(), name):.2f} of it",
                 lambda: prompts.likeness(*self.since(), name) > prompts.ALIKE, seconds, 0.4)
        return self.from_now()

    def press(self, digits):
        self.from_now()
        self.phone.press(digits)
        return self


def call(world, phone, digits="", user="ivr", **options):
    """A call of a telephone, or of a new one with that number."""
    options = {"codec": "PCMU"} | options
    phone = phone if isinstance(phone, Baresip) else Baresip(world, phone, **options)
    phone.join(user)
    if digits:
        time.sleep(0.5)
        phone.press(digits)
    return phone


def leg_of(world, phone):
    for leg in world.server.api.list("callLegs"):
        if leg.findtext("name") == phone.name or phone.name in (leg.findtext("remoteParty") or ""):
            return world.server.api.get(f"callLegs/{leg.get('id')}")
    return None


def is_deactivated(world, phone):
    leg = leg_of(world, phone)
    return None if leg is None or leg.findtext("call") is None else \
        leg.findtext("status/deactivated") == "true"


def wait_inside(world, phone, seconds=8):
    wait_for(f"{phone.name} is in the meeting", lambda: is_deactivated(world, phone) is False, seconds)


def wait_lobby(world, phone, seconds=8):
    wait_for(f"{phone.name} is in the lobby", lambda: is_deactivated(world, phone) is True, seconds)


def wait_hears(phone, hz, seconds=6):
    wait_for(lambda: f"{phone.name} hears {hz} Hz: {sound.describe(*phone.hears(1), [hz])}",
             lambda: hz in sound.heard(*phone.hears(1), [hz]), seconds, 0.3)


def expect_not_hears(phone, hz):
    """Nor again, once what was on its way has been heard."""
    wait_for(f"{phone.name} no more hears {hz} Hz",
             lambda: hz not in sound.heard(*phone.hears(1), [hz]), 6, 0.3)
    time.sleep(1.5)
    expect(hz not in sound.heard(*phone.hears(1), [hz]), f"{phone.name} hears {hz} Hz")


def loudest_db(heard, hz, piece_s=0.06):
    """A short tone, wherever it is in the recording."""
    samples, rate = heard.since()
    size = int(piece_s * rate)
    pieces = (samples[at:at + size] for at in range(0, len(samples) - size, size // 2))
    return max((sound.level_db(piece, rate, hz) for piece in pieces), default=-120)


def end(*phones):
    for phone in phones:
        phone.hang_up()
        phone.wait_event("CALL_CLOSED")


def record(world, type_, **wanted):
    """The last record of that kind with these texts, when it has come."""
    def found():
        return [r for r in world.receiver.records if r.type == type_
                and all(r.text(path.replace("__", "/")) == text for path, text in wanted.items())]
    return wait_for(f"a {type_} with {wanted}", found, 10, 0.2)[-1]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@case
def an_ivr_asks_for_the_meeting_and_then_for_its_passcode(world):
    guest = call(world, 1, tone=GUEST_HZ)
    heard = Listener(guest).hears("ivr_welcome").hears("ivr_id_entry")
    leg = leg_of(world, guest)
    expect(leg is not None and leg.findtext("call") is None, "a leg in no call at the IVR")
    expect(world.server.call("Hall") is None, "a call before anybody is in it")
    start = record(world, "callLegStart", ivr=world.ivr)
    expect_equal(start.text("call"), None, "call of callLegStart at the IVR")
    heard.press("9999#").hears("ivr_id_incorrect_try_again")
    heard.press("77*4001#").hears("passcode_entry")
    heard.press("1111#").hears("passcode_incorrect_try_again")
    heard.press(GUEST + "#").hears("waiting_for_host")
    wait_lobby(world, guest)
    update = record(world, "callLegUpdate", ivr=None, deactivated="true")
    expect_equal(update.body.get("id"), start.body.get("id"), "leg that moved into the call")
    expect(update.text("call"), "no call in callLegUpdate")
    world.server.wait_log("unknown meeting ID 9999")
    world.server.wait_log("incorrect passcode from")
    log = world.server.log()
    expect("1111" not in log.split("incorrect passcode from")[1][:200], "the passcode in the log")
    host = call(world, 2, "4001#" + HOST + "#", tone=HOST_HZ, codec="G722")
    wait_inside(world, host)
    wait_inside(world, guest)
    wait_hears(guest, HOST_HZ)
    wait_hears(host, GUEST_HZ)
    end(host, guest)


@case
def deactivation_as_the_guests_profile_says(world):
    api = world.server.api
    guest = Baresip(world, 1, tone=GUEST_HZ, codec="PCMU")
    host = Baresip(world, 2, tone=HOST_HZ, codec="PCMU")
    for mode in ("deactivate", "disconnect", "remainActivated"):
        api.put(f"callLegProfiles/{world.guests}", deactivationMode=mode, deactivationModeTime="2")
        call(world, guest, GUEST + "#", "hall")
        wait_lobby(world, guest)
        call(world, host, HOST + "#", "hall")
        wait_inside(world, guest)
        wait_hears(guest, HOST_HZ)
        heard = Listener(guest).from_now()
        gone = time.monotonic()
        end(host)
        if mode == "disconnect":
            guest.wait_event("CALL_CLOSED", 8)
            record(world, "callLegEnd", reason="callDeactivated")
        elif mode == "deactivate":
            wait_lobby(world, guest)
            heard.hears("waiting_for_host")
        else:
            time.sleep(3.5)
            expect_equal(is_deactivated(world, guest), False, "deactivated while it remains")
        expect(mode == "remainActivated" or time.monotonic() - gone > 1.5, "at once, not after 2 s")
        if mode != "disconnect":
            end(guest)
        wait_for("the call is over", lambda: world.server.call("Hall") is None, 5)
    api.put(f"callLegProfiles/{world.guests}", deactivationMode="deactivate")


@case
def a_lock_keeps_out_whom_its_mode_says_and_the_api_lets_in(world):
    api = world.server.api
    host = call(world, 2, HOST + "#", "hall", tone=HOST_HZ)
    wait_inside(world, host)
    running = world.server.call("Hall")
    api.put(f"calls/{running}", locked="true", lockMode="needsActivation")
    guest = call(world, 1, "4001#" + GUEST + "#", tone=GUEST_HZ)
    Listener(guest).hears("meeting_locked", 15)
    second = call(world, 3, HOST + "#", "hall", tone=1120)
    wait_inside(world, second)
    expect_equal(is_deactivated(world, guest), True, "lock of guests")
    expect_not_hears(guest, HOST_HZ)
    guest_leg = leg_of(world, guest).get("id")
    api.put(f"callLegs/{guest_leg}", deactivated="false")
    wait_inside(world, guest)
    wait_hears(guest, HOST_HZ)
    heard = Listener(guest).from_now()
    api.put(f"callLegs/{guest_leg}", deactivated="true")
    wait_lobby(world, guest)
    heard.hears("waiting_for_host")
    expect_not_hears(guest, HOST_HZ)
    api.put(f"calls/{running}", lockMode="all")
    end(second)
    late = call(world, 4, HOST + "#", "hall", tone=1120)
    wait_lobby(world, late)
    api.put(f"calls/{running}", locked="false")
    wait_inside(world, late)
    end(late, guest, host)


@case
def limits_of_people_and_of_time_are_told_and_kept(world):
    api = world.server.api
    profile = api.post("callProfiles", participantLimit="2")
    api.put(f"coSpaces/{world.hall}", callProfile=profile)
    host = call(world, 2, HOST + "#", "hall", tone=HOST_HZ)
    guest = call(world, 1, GUEST + "#", "hall", tone=GUEST_HZ)
    wait_inside(world, guest)
    third = call(world, 3, "4001#" + GUEST + "#")
    Listener(third).hears("meeting_full", 15)
    third.wait_event("CALL_CLOSED", 10)
    record(world, "callLegEnd", reason="participantLimitReached")
    end(guest)
    api.put(f"callLegProfiles/{world.guests}", maxCallDurationTime="3")
    call(world, guest, GUEST + "#", "hall")
    guest.wait_event("CALL_CLOSED", 20)
    end(host)
    api.put(f"callLegProfiles/{world.guests}", maxCallDurationTime="")
    api.put(f"coSpaces/{world.hall}", callProfile="")


@case
def tones_and_the_right_to_mute_oneself_are_the_profiles(world):
    api = world.server.api
    keys = api.post("dtmfProfiles", muteSelfAudio="*1", unmuteSelfAudio="*2")
    api.put("system/profiles", dtmfProfile=keys)
    api.put(f"callLegProfiles/{world.hosts}", joinToneParticipantThreshold="5",
            leaveToneParticipantThreshold="5")
    api.put(f"callLegProfiles/{world.guests}", muteSelfAllowed="false")
    host = call(world, 2, HOST + "#", "hall", samples=sound.tone(HOST_HZ, 150) * 0)
    heard = Listener(host).hears("only_participant")
    guest = call(world, 1, GUEST + "#", "hall", tone=GUEST_HZ)
    wait_inside(world, guest)
    wait_for(lambda: f"a tone for who joins: {loudest_db(heard, JOIN_HZ):.0f} dB",
             lambda: loudest_db(heard, JOIN_HZ) > -25, 6, 0.3)
    wait_hears(host, GUEST_HZ)
    guest.press("*1")
    time.sleep(2.5)
    expect(GUEST_HZ in sound.heard(*host.hears(1), [GUEST_HZ]), "muted without the right to")
    api.put(f"callLegProfiles/{world.guests}", muteSelfAllowed="true")
    Listener(guest).press("*1").hears("muted")
    expect_not_hears(host, GUEST_HZ)
    Listener(guest).press("*2").hears("unmuted")
    wait_hears(host, GUEST_HZ)
    heard.from_now()
    end(guest)
    heard.hears("only_participant")
    end(host)


@case
def who_guesses_is_told_and_let_go(world):
    guesser = call(world, 1)
    heard = Listener(guesser).hears("ivr_id_entry")
    heard.press("1#").hears("ivr_id_incorrect_try_again")
    heard.press("2#").hears("ivr_id_incorrect_final_attempt")
    heard.press("3#").hears("ivr_id_incorrect_goodbye")
    guesser.wait_event("CALL_CLOSED", 6)
    record(world, "callLegEnd", reason="ivrUnknownCall")
    guesser = call(world, 2, user="hall")
    heard = Listener(guesser).hears("passcode_entry")
    heard.press("1#").hears("passcode_incorrect_try_again")
    heard.press("2#").hears("passcode_incorrect_final_attempt")
    heard.press("3#").hears("passcode_incorrect_goodbye")
    guesser.wait_event("CALL_CLOSED", 6)
    record(world, "callLegEnd", reason="incorrectPasscode")


@case
def an_ivr_leads_into_running_meetings_with_any_encryption(world):
    """Meetings are spread over the media workers: callers get new ports by a re-INVITE, but those
    with DTLS or ICE, which baresip does not begin anew."""
    host = call(world, 2, user="town", tone=HOST_HZ, codec="opus")
    wait_inside(world, host)
    for number, options in ((1, {"media": "srtp-mand", "transport": "tls", "codec": "G722"}),
                            (3, {"media": "dtls_srtp"}), (4, {"ice": True, "codec": "opus"})):
        phone = call(world, number, "3001#", tone=GUEST_HZ, **options)
        wait_inside(world, phone)
        wait_hears(phone, HOST_HZ, 10)
        wait_hears(host, GUEST_HZ, 10)
        end(phone)
    end(host)


@case
def recordings_of_ones_own_are_played_in_place_of_ours(world):
    api = world.server.api
    # From the data folder, for everybody; who then says nothing is a guest without passcode.
    phone = call(world, 1, user="open")
    wait_hears(phone, OWN_HZ, 10)
    wait_lobby(world, phone, 12)
    end(phone)
    # From a web server, for the callers of one IVR.
    folder = world.path("brand")
    folder.mkdir()
    sound.write_wav(folder / "ivr_welcome.wav", sound.tone(2150, 2, 16000), 16000)
    (folder / "ivr_timeout.wav").write_text("no sound")
    handler = partial(Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 8099), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    brand = api.post("ivrBrandingProfiles", resourceLocation="http://127.0.0.1:8099/nowhere")
    api.put(f"ivrs/{world.ivr}", ivrBrandingProfile=brand)
    alarms = lambda: [a.findtext("type") for a in api.list("system/alarms")]  # noqa: E731
    wait_for("an alarm for a folder that is not there",
             lambda: "ivrBrandingResourceInvalid" in alarms(), 10, 0.2)
    call(world, phone)
    Listener(phone).hears("ivr_welcome")
    end(phone)
    api.put(f"ivrBrandingProfiles/{brand}", resourceLocation="http://127.0.0.1:8099/")
    world.server.wait_log("1 recordings from")
    world.server.wait_log("ivr_timeout.wav cannot be used")
    call(world, phone)
    wait_hears(phone, 2150, 6)
    Listener(phone).hears("ivr_id_entry")
    end(phone)
    api.put(f"ivrs/{world.ivr}", ivrBrandingProfile="")
    api.delete(f"ivrBrandingProfiles/{brand}")
    wait_for("no alarm about what is gone", lambda: not alarms(), 5, 0.2)
    server.shutdown()


@case
def a_room_is_shown_what_it_is_asked(world):
    room = call(world, 1, codec="opus", video="h264", colour="red")

    def text_on_it():
        picture = room.sees()
        light = picture.mean(axis=2)
        return (light > 150).sum() if light.size else 0
    wait_for(lambda: f"a text on the screen: {text_on_it()} light points",
             lambda: text_on_it() > 500, 15, 1)
    end(room)


def set_up(world):
    data = world.path("data")
    own = data / "prompts" / "en"
    own.mkdir(parents=True)
    world.server = Server(world, data=data, start=False)
    sound.write_wav(own / "passcode_entry_optional.wav", sound.tone(OWN_HZ, 2, 8000), 8000)
    world.server.start()
    world.server.wait_ready()
    api = world.server.api
    world.receiver = Receiver(world, 8098)
    api.post("system/cdrReceivers", uri=world.receiver.uri)
    world.hosts = api.post("callLegProfiles", needsActivation="false")
    world.guests = api.post("callLegProfiles", needsActivation="true",
                            deactivationMode="deactivate", deactivationModeTime="2")
    world.hall = api.post("coSpaces", name="Hall", uri="hall", callId="4001", passcode=HOST,
                          callLegProfile=world.hosts)
    api.post(f"coSpaces/{world.hall}/accessMethods", uri="hall", callId="4001", passcode=GUEST,
             callLegProfile=world.guests)
    api.post("coSpaces", name="Town", uri="town", callId="3001")
    silence = api.post("callProfiles", passcodeMode="timeout", passcodeTimeout="3")
    space = api.post("coSpaces", name="Open", uri="open", passcode=HOST, callProfile=silence)
    api.post(f"coSpaces/{space}/accessMethods", uri="open", callLegProfile=world.guests)
    world.ivr = api.post("ivrs", uri="ivr")


main(set_up)

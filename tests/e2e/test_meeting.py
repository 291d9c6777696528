# SPDX-License-Identifier: Apache-2.0
"""Phones and browsers in one space: everyone hears everyone else and nobody himself.

Each sends a tone of its own.  What arrives at each must hold every other tone, at least 15 dB over
the noise, and must not hold its own."""
import time

import sound
from baresip import Baresip
from browser import Browser
from harness import case, expect, expect_equal, main, wait_for
from server import Server

CIPHERS = ("AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AEAD_AES_128_GCM",
           "AEAD_AES_256_GCM")


def everyone_hears_everyone_else(people, seconds=12):
    """Looks again until it is so: Opus and jitter buffers take a moment to settle."""
    tones = [person.tone for person in people]

    def wrong():
        found = []
        for person in people:
            samples, rate = person.hears(1.5)
            heard = sound.heard(samples, rate, tones)
            wanted = set(tones) - {person.tone}
            if heard != wanted:
                found.append(f"{person.name} hears {sorted(heard)}, not {sorted(wanted)} "
                             f"({sound.describe(samples, rate, tones)})")
        return found
    time.sleep(2)
    wait_for(lambda: "; ".join(wrong()), lambda: not wrong(), seconds, 0.5)


def meet(world, phones, wanted_legs):
    """Those phones in space "demo"; checks the tones and what the API says of each leg."""
    for phone in phones:
        phone.join()
    everyone_hears_everyone_else(phones)
    for phone, (codec, encrypted) in zip(phones, wanted_legs):
        leg = world.server.api.find("callLegs", name=phone.name)
        expect(leg is not None, "no call leg named", phone.name)

        def status():
            return world.server.api.get(f"callLegs/{leg.get('id')}").find("status")
        wait_for(f"codecs of {phone.name}", lambda: status().findtext("rxAudio/codec"), 8, 0.5)
        expect_equal(status().findtext("rxAudio/codec"), codec, f"{phone.name} rxAudio codec")
        expect_equal(status().findtext("txAudio/codec"), codec, f"{phone.name} txAudio codec")
        expect_equal(status().findtext("encryptedMedia"), "true" if encrypted else "false",
                     f"{phone.name} encryptedMedia")
        cipher = status().findtext("cipherSuite")
        expect(cipher in (CIPHERS if encrypted else (None, "")), phone.name, "cipherSuite", cipher)


@case
def phones_over_udp_tcp_and_tls_hear_each_other(world):
    """Opus in the clear, G.722 with SDES, PCMU with DTLS-SRTP."""
    meet(world, [
        Baresip(world, 1, "udp", "opus", tone=sound.TONES[0]),
        Baresip(world, 2, "tcp", "G722", media="srtp-mand", tone=sound.TONES[2]),
        Baresip(world, 3, "tls", "PCMU", media="dtls_srtp", tone=sound.TONES[4]),
    ], [("opus", False), ("g722", True), ("g711u", True)])


@case
def phones_with_other_pairings_hear_each_other(world):
    """Opus with DTLS-SRTP and ICE over TLS, PCMA with SDES over UDP, G.722 in the clear over TCP."""
    meet(world, [
        Baresip(world, 4, "tls", "opus", media="dtls_srtp", ice=True, tone=sound.TONES[0]),
        Baresip(world, 5, "udp", "PCMA", media="srtp-mand", tone=sound.TONES[2]),
        Baresip(world, 6, "tcp", "G722", tone=sound.TONES[4]),
    ], [("opus", True), ("g711a", True), ("g722", False)])


@case
def three_phones_and_two_chromiums_hear_each_other(world):
    people = [
        Baresip(world, 1, "udp", "PCMU", tone=sound.TONES[0]),
        Baresip(world, 2, "tcp", "opus", media="srtp-mand", tone=sound.TONES[2]),
        Baresip(world, 3, "tls", "G722", media="dtls_srtp", tone=sound.TONES[4]),
        Browser(world, 21, "Anna", tone=sound.TONES[6]),
        Browser(world, 22, "Benno", tone=sound.TONES[7]),
    ]
    for person in people:
        person.join()
    everyone_hears_everyone_else(people, 20)
    call = world.server.call()
    expect_equal(sorted(world.server.people(call)), sorted(p.name for p in people), "the roster")
    for name in ("Anna", "Benno"):
        leg = world.server.api.find("callLegs", name=name)
        expect(leg is not None, "no call leg of", name)

        def codec():
            return world.server.api.get(f"callLegs/{leg.get('id')}").findtext("status/rxAudio/codec")
        expect_equal(wait_for("a browser's codec", codec, 8, 0.5), "opus", "a browser's codec")
        tree = world.server.api.get(f"callLegs/{leg.get('id')}")
        expect_equal(tree.findtext("type"), "acano", "type of a browser's leg")
        expect(tree.findtext("status/cipherSuite"), "no cipher suite on a browser's leg")
    said = people[3].ask("text")
    for person in people:
        expect(person.name in said, person.name, "is not on the page:", said)


@case
def firefox_and_a_phone_hear_each_other(world):
    """Firefox's own fake microphone makes the tone there; what it hears is told by its counters."""
    phone = Baresip(world, 1, "udp", "opus", tone=sound.TONES[2]).join()
    firefox = Browser(world, 23, "Fee", kind="firefox").join()
    before, after = firefox.ask("counters"), {}

    def flows():
        after.update(firefox.ask("counters"))
        return (after["received"] - before["received"] > 60 and after["sent"] - before["sent"] > 60
                and after["energy"] - before["energy"] > 1e-4)
    wait_for(lambda: f"sound to and from Firefox: {before}, {after}", flows, 20, 0.5)
    candidates = [220, 261, 330, 440, 523, 880, 1000]
    wait_for(lambda: "Firefox at the phone: " + sound.describe(*phone.hears(2), candidates),
             lambda: sound.heard(*phone.hears(2), candidates), 15, 0.5)
    samples, rate = phone.hears(2)
    expect(phone.tone not in sound.heard(samples, rate, [phone.tone]), "the phone hears itself")


def set_up(world):
    world.server = Server(world)


main(set_up)

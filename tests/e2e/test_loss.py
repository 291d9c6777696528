# SPDX-License-Identifier: Apache-2.0
"""One datagram in five is lost, at random, both ways: speech stays, and nothing ends."""
import time

import network
import sound
from baresip import Baresip
from harness import case, expect, main
from probe import Probe
from server import Server

LOSS_PCT = 20
SECONDS = 12


def voice(hz):
    return sound.speech_like(hz, 30)


def under_loss(world, codec, media, at_least):
    """A talker and a listener of one codec, both behind the loss; a witness without."""
    server = world.server
    talker = Baresip(world, 1, codec=codec, media=media, tone=445, samples=voice(445)).join()
    listener = Baresip(world, 2, codec=codec, media=media, tone=1830).join()
    witness = Probe(world, 3, tone=2890).join()
    time.sleep(2)
    before = server.metrics()
    network.lose(LOSS_PCT, talker.machine, listener.machine)
    began = time.monotonic()
    try:
        time.sleep(SECONDS)
        through = witness.heard(began + 1), 8000
        both = listener.hears(SECONDS - 1)
        after = server.metrics()
    finally:
        network.lose(0, talker.machine, listener.machine)
    concealed = after["frames_concealed_total"] - before["frames_concealed_total"]
    # Two legs of 50 packets a second; a fifth of them is lost; Opus' FEC brings some back.
    lost = 2 * 50 * SECONDS * LOSS_PCT / 100
    expect(concealed > lost * 0.3, "only", concealed, "frames concealed, of about", lost, "lost")
    expect(after["call_legs"] == 3, "legs left:", after["call_legs"])
    share = sound.share_present(*through, 445)
    expect(share >= at_least, f"the talker is there {share:.0%} of the time, not {at_least:.0%}")
    gap = sound.longest_gap_s(*through, 445)
    expect(gap < 0.25, f"a gap of {gap:.2f} s")
    expect(sound.heard(*both, [445]), "the listener behind the loss hears nothing:",
           sound.describe(*both, [445, 1830]))
    time.sleep(2)
    expect(sound.heard(*listener.hears(1), [445]), "nothing heard after the loss")
    leg = server.api.find("callLegs", name=talker.name)
    detail = server.api.get(f"callLegs/{leg.get('id')}")
    expect(float(detail.findtext("status/rxAudio/packetLossPercentage") or 0) >= 0, "no figure")


@case
def speech_stays_on_a_g711_leg(world):
    under_loss(world, "PCMU", "", 0.90)


@case
def speech_stays_on_an_opus_leg(world):
    under_loss(world, "opus", "", 0.85)


@case
def speech_stays_on_an_encrypted_g722_leg(world):
    under_loss(world, "G722", "srtp-mand", 0.90)


def set_up(world):
    world.server = Server(world)


main(set_up)

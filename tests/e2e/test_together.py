# SPDX-License-Identifier: Apache-2.0
"""Sound and picture: what flashed and beeped at one moment is seen and heard within 60 ms, from the first
seconds after joining on, while jitter buffers are still large from the browsers' start.

A browser is looked at where it shows and plays, a room where packets arrive: it shows and plays
what comes when it comes."""
import time

import numpy as np

import sound
from browser import Browser
from harness import case, expect, main, wait_for
from probe import RATE
from room import Room, film
from server import Server

SEE_S = 30   # until a picture must be there
LOOK_S = 9
FLASH_S = 0.2
TOGETHER_MS = 60
FLASHES_MIN = 5
LOOKS = 3
WHITE = 140  # of 255; between the flash and the dark
LOUD = 0.05

# A camera that turns white, and a microphone that beeps, at the same moment, once a second.
_FLASHES = """(() => {
    const devices = navigator.mediaDevices;
    let made;
    const make = () => {
        const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 });
        const paint = canvas.getContext('2d');
        const context = new AudioContext();
        const beep = context.createOscillator();
        const gain = new GainNode(context, { gain: 0 });
        const out = context.createMediaStreamDestination();
        beep.frequency.value = 220;
        beep.type = 'sawtooth';
        beep.connect(gain).connect(out);
        beep.start();
        setInterval(() => {
            const on = performance.now() % 1000 < 200;
            gain.gain.value = on ? 0.4 : 0;
            paint.fillStyle = on ? '#fff' : '#222';
            paint.fillRect(0, 0, 640, 360);
        }, 15);
        return [...canvas.captureStream(30).getTracks(), ...out.stream.getTracks()];
    };
    devices.getUserMedia = async (wish) => {
        made ??= make();
        return new MediaStream(made.filter(({ kind }) => wish[kind]).map((track) => track.clone()));
    };
})()"""

# When it turned white, and when it began to beep, in ms.
_FLASHES_SEEN = """(async () => {
    const video = document.querySelector('video[data-mid]');
    const paint = Object.assign(document.createElement('canvas'), { width: 1, height: 1 })
        .getContext('2d', { willReadFrequently: true });
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 256 });
    const [connection] = window.__heard.connections.filter((c) => c.connectionState === 'connected');
    const { track } = connection.getReceivers().find((receiver) => receiver.track.kind === 'audio');
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser)
        .connect(new GainNode(context, { gain: 0 })).connect(context.destination);
    const seen = { flashes: [], beeps: [] };
    const note = (list, was, is) => {
        if (is && !was) list.push(performance.now());
        return is;
    };
    let [white, loud, over] = [true, true, false];
    const look = () => {
        paint.drawImage(video, 0, 0, 1, 1);
        white = note(seen.flashes, white, paint.getImageData(0, 0, 1, 1).data[1] > 140);
        if (!over) video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
    const samples = new Float32Array(256);
    const timer = setInterval(() => {
        analyser.getFloatTimeDomainData(samples);
        loud = note(seen.beeps, loud, samples.some((value) => Math.abs(value) > 0.05));
    }, 4);
    await new Promise((resolve) => setTimeout(resolve, 9000));
    over = true;
    clearInterval(timer);
    return seen;
})()"""


def until_together(what, look):
    """`look` gives the times in ms of flashes and of beeps.  On a machine that is busy with others' work
    it may take more than one look."""
    for _ in range(LOOKS):
        flashes, beeped = look()
        expect(len(flashes) >= FLASHES_MIN and len(beeped) >= FLASHES_MIN, "only", flashes, beeped)
        apart = [min((flash - beep for beep in beeped), key=abs) for flash in flashes]
        median = float(np.median(apart))
        if abs(median) <= TOGETHER_MS:
            return
        print(f"# {what}: pictures come {median:.0f} ms after their sound", flush=True)
    expect(False, f"{what}: pictures come {median:.0f} ms after their sound:",
           [round(each) for each in apart])


def until_together_in(viewer):
    wait_for("a tile", viewer.sees, SEE_S, 0.2)

    def look():
        seen = viewer.ask("run", 40, code=_FLASHES_SEEN)
        return seen["flashes"], seen["beeps"]
    until_together(viewer.name, look)


def began(samples):
    """Times at which what is told by (time, whether it is on) goes on; what it began with is not told."""
    return [when for (_, before), (when, now) in zip(samples, samples[1:]) if now and not before]


def heard(room, since):
    """(ms, whether it is loud) of each 5 ms of sound as they came to a room."""
    step = 40  # samples
    for when, _, _, kind, payload in list(room.packets):
        if when < since or kind != room.codec:
            continue
        parts = sound.ulaw_decode(payload).reshape(-1, step)
        yield from ((1000 * when + 5 * at, np.abs(part).max() > LOUD) for at, part in enumerate(parts))


def beeps():
    """The same as sound, one second of it: a sawtooth of 220 Hz in its first part."""
    at = np.arange(RATE) / RATE
    return 0.4 * (2 * (220 * at % 1) - 1) * (at < FLASH_S)


@case
def between_browsers(world):
    """Forwarded pictures, mixed sound."""
    source = Browser(world, 21, "Ann", script=_FLASHES)
    viewer = Browser(world, 22, "Bob", colour="yellow")
    source.join()
    until_together_in(viewer.join())


@case
def from_a_room_to_a_browser(world):
    """A room's H.264, untouched.  The room is the test's own, which sends no reports: baresip breaks down when
    sound and picture are of one file."""
    room = Room(world, 1, slides=False, floor=False, samples=beeps())
    viewer = Browser(world, 22, "Bob", colour="yellow")
    room.join()
    passed = time.monotonic() - room.speaks_since
    room.main.play(film(world.folder, text="flash", size="640x360", flash_s=FLASH_S),
                   room.speaks_since + np.ceil(passed + 0.2))
    until_together_in(viewer.join())


@case
def from_a_browser_to_a_room(world):
    """A composed picture."""
    room = Room(world, 1, slides=False, floor=False)
    source = Browser(world, 21, "Ann", script=_FLASHES)
    room.join()
    room.main.play(film(world.folder, colour="red"))
    source.join()
    wait_for("a flash", lambda: any(light > WHITE for _, light in room.main.brightness()), SEE_S, 0.5)

    def look():
        since = time.monotonic()
        time.sleep(LOOK_S)
        seen = [(1000 * when, light > WHITE) for when, light in room.main.brightness() if when > since]
        return began(seen), began(list(heard(room, since)))
    until_together(room.name, look)


def set_up(world):
    world.server = Server(world)


main(set_up)

# SPDX-License-Identifier: Apache-2.0
"""A conference room: sound, a main picture, slides, floor control and a camera that can be steered.

Signalling and sound are the Phone's (probe.py).  Pictures are H.264 made and looked at by ffmpeg,
carried here (RFC 6184); the floor is asked for by bfcp_peer, on libre's stack.  It is a caller: it
offers, and repeats its description when asked."""
import re
import struct
import subprocess
import threading
import time
from pathlib import Path

import network
import pictures
import sound
from harness import end, expect, wait_for
from probe import Phone

AUDIO, MAIN, SLIDES, CAMERA, FLOOR = 40000, 40010, 40020, 40030, 40040
H264, H224 = 97, 107
MTU = 1200
_NAMES = ["", "Lima", "Oslo", "Cairo"]
_IDR, _SPS, _STAP_A, _FU_A = 5, 7, 24, 28
# RFC 4573: the source 1 can pan, tilt, zoom and focus.
_CAMERA_CAN = bytes.fromhex("00 71 03 0000 0000 00 c0 02 00 81 00 14 f0")


def _access_units(stream):
    """The frames of an Annex B stream: lists of NAL units."""
    frame = []
    for unit in re.split(rb"\x00\x00\x00?\x01", stream):
        unit = unit.rstrip(b"\x00")
        if not unit:
            continue
        frame.append(unit)
        if unit[0] & 31 in (1, _IDR):  # one slice a frame
            yield frame
            frame = []


def _payloads(unit):
    """A NAL unit as payloads, whole or in fragments (s5.6, s5.8)."""
    if len(unit) <= MTU:
        return [unit]
    head, kind = unit[0] & 0xE0 | _FU_A, unit[0] & 31
    parts = [unit[at:at + MTU] for at in range(1, len(unit), MTU)]
    return [bytes([head, kind | (i == 0) << 7 | (i == len(parts) - 1) << 6]) + part
            for i, part in enumerate(parts)]


def _units(payload):
    """What stands in a payload, with start codes."""
    kind = payload[0] & 31
    if kind == _STAP_A:
        at, found = 1, b""
        while at + 2 < len(payload):
            size = int.from_bytes(payload[at:at + 2], "big")
            found += b"\0\0\0\1" + payload[at + 2:at + 2 + size]
            at += 2 + size
        return found
    if kind == _FU_A:
        start = b"\0\0\0\1" + bytes([payload[0] & 0xE0 | payload[1] & 31])
        return (start if payload[1] & 0x80 else b"") + payload[2:]
    return b"\0\0\0\1" + payload


class Line:
    """One line of pictures, or of camera control: a port, and what goes to and fro."""

    def __init__(self, machine, port, kind):
        self.port = port
        self.kind = kind
        self.far = None        # where the bridge receives; None: refused
        self.packets = []      # (payload of a frame since the newest key frame, marker, time)
        self.all = []          # every payload, of camera control
        self._socket = machine.socket(port=port)
        self._socket.settimeout(0.1)
        self._running = True
        self._film = None
        self._sequence = 1
        threading.Thread(target=self._receive, daemon=True).start()

    def send(self, payload, rtp_time, marker=True):
        head = struct.pack("!BBHII", 0x80, self.kind | marker << 7, self._sequence & 0xFFFF,
                           rtp_time & 0xFFFFFFFF, self.port)
        self._sequence += 1
        if self.far:
            self._socket.sendto(head + payload, self.far)

    def _receive(self):
        while self._running:
            try:
                packet = self._socket.recv(2048)
            except TimeoutError:
                continue
            except OSError:
                return
            if len(packet) <= 12 or packet[0] >> 6 != 2 or packet[1] & 127 != self.kind:
                continue
            payload = packet[12 + 4 * (packet[0] & 15):]
            if self.kind == H224:
                self.all.append(payload)
                continue
            units = _units(payload)
            if units[:4] == b"\0\0\0\1" and units[4] & 31 == _SPS:
                self.packets = []
            self.packets.append((units, packet[1] >> 7, time.monotonic()))

    def play(self, frames, since=None):
        """Sends the frames over and over, 30 a second, in place of what it sent; the first at a time."""
        self.stop()
        self._film = threading.Event()
        threading.Thread(target=self._send, args=(frames, self._film, since), daemon=True).start()

    def _send(self, frames, stopped, since):
        due, at = since or time.monotonic(), 0
        time.sleep(max(0, due - time.monotonic()))
        while not stopped.is_set() and self._running:
            for index, unit in enumerate(frames[at % len(frames)]):
                last = index == len(frames[at % len(frames)]) - 1
                payloads = _payloads(unit)
                for number, payload in enumerate(payloads):
                    self.send(payload, at * 3000, last and number == len(payloads) - 1)
            at += 1
            due += 1 / pictures.FPS
            time.sleep(max(0, due - time.monotonic()))

    def stop(self):
        if self._film:
            self._film.set()
        self._film = None

    def sees(self):
        """The newest picture that came: rows of RGB, or None."""
        packets = list(self.packets)
        frames = sum(marker for _, marker, _ in packets)
        if frames == 0:
            return None
        shown = self._decode(packets, f"select=gte(n\\,{max(0, frames - 3)})", "image2pipe", "png")
        start = shown.rfind(b"\x89PNG")
        return pictures.read_image(shown[start:]) if start >= 0 else None

    @staticmethod
    def _decode(packets, look, form, codec):
        return subprocess.run(
            ["ffmpeg", "-nostdin", "-loglevel", "error", "-f", "h264", "-i", "-", "-vf", look,
             "-fps_mode", "passthrough", "-f", form, "-c:v", codec, "-"],
            input=b"".join(units for units, _, _ in packets), capture_output=True).stdout

    def brightness(self):
        """[(when its last packet came, mean brightness)] of the pictures since the newest key frame."""
        packets = list(self.packets)
        came = [when for _, marker, when in packets if marker]
        return list(zip(came, self._decode(packets, "scale=1:1:flags=area,format=gray", "rawvideo",
                                           "rawvideo")))

    def close(self):
        self.stop()
        self._running = False
        self._socket.close()


class Room(Phone):
    def __init__(self, world, number, slides=True, floor=True, camera=False, samples=None):
        self.machine = network.Machine(number)
        self.world = world
        self.main = Line(self.machine, MAIN, H264)
        self.slides = Line(self.machine, SLIDES, H264) if slides else None
        self.camera = Line(self.machine, CAMERA, H224) if camera else None
        self.has_floor = floor
        self.floor = {}          # what the answer says of it
        self._asker = None
        super().__init__(number, sound.TONES[number % len(sound.TONES)], samples)
        self.name = _NAMES[number]  # that can be read from a picture
        world.at_end(self.close)

    # ---- Signalling

    def _lines(self):
        return [line for line in (self.main, self.slides, self.camera) if line]

    def _description(self):
        text = super()._description()

        def video(line, content, label):
            return (f"m=video {line.port} RTP/AVP {H264}\r\na=rtpmap:{H264} H264/90000\r\n"
                    f"a=fmtp:{H264} profile-level-id=42802a;packetization-mode=1\r\n"
                    f"a=rtcp-fb:* nack pli\r\na=content:{content}\r\n"
                    f"a=label:{label}\r\na=sendrecv\r\n")
        text += video(self.main, "main", 11)
        if self.slides:
            text += video(self.slides, "slides", 12)
        if self.has_floor:
            text += (f"m=application {FLOOR} UDP/BFCP *\r\na=floorctrl:c-only\r\n"
                     "a=setup:actpass\r\na=connection:new\r\n")
        if self.camera:
            text += (f"m=application {CAMERA} RTP/AVP {H224}\r\na=rtpmap:{H224} H224/4800\r\n"
                     "a=sendrecv\r\n")
        return text

    def _take_description(self, body):
        super()._take_description(body)
        host = re.search(r"^c=IN IP4 (\S+)", body, re.M).group(1)
        media = re.split(r"^m=", body, flags=re.M)[2:]
        expect(len(media) == len(self._lines()) + self.has_floor, "the answer's lines:", body)
        lines = self._lines()
        for text in media:
            kind, port = text.split()[:2]
            if "BFCP" in text.splitlines()[0]:
                self.floor = {name: re.search(rf"^a={name}:(\d+)", text, re.M)
                              for name in ("confid", "userid", "floorid")}
                self.floor = {name: found.group(1) for name, found in self.floor.items() if found}
                self.floor["at"] = f"{host}:{port}"
                continue
            line = lines.pop(0)
            line.far = (host, int(port)) if port != "0" else None

    def join(self, user="demo"):
        status = self.dial(user)
        expect(status == 200, self.name, "dialled", user, "and got", status)
        return self

    # ---- Floor

    def use_floor(self, *steps):
        """bfcp_peer does these steps and waits for more."""
        program = self.world.build / "tests" / "peers" / "bfcp_peer"
        self.heard_floor = self.world.path(f"{self.name}-floor")
        with open(self.heard_floor, "wb") as out:
            self._asker = subprocess.Popen(
                self.machine.command([program, "udp", self.floor["at"], self.floor["confid"],
                                      self.floor["userid"], self.floor["floorid"], *steps, "-"]),
                stdin=subprocess.PIPE, stdout=out, stderr=out, text=True)

    def say_floor(self, step):
        self._asker.stdin.write(step + "\n")
        self._asker.stdin.flush()

    def present(self, frames):
        """Asks for the floor, gets it, sends."""
        if not self._asker:
            self.use_floor("hello")
        self.say_floor("request")
        self.until_floor("Granted")
        self.slides.play(frames)

    def until_floor(self, words, seconds=8):
        def heard():
            return words in Path(self.heard_floor).read_text()
        wait_for(lambda: f"{self.name} hears {Path(self.heard_floor).read_text()!r}, not {words!r}",
                 heard, seconds, 0.1)

    # ---- Camera

    def offer_camera(self):
        """Tells what its camera can do."""
        self.camera.send(_CAMERA_CAN, 0)

    # ---- What it sees

    def sees(self):
        return wait_for(f"a picture at {self.name}", lambda: [p] if (p := self.main.sees()) is not None
                        else None, 8, 0.2)[0]

    def close(self):
        if self._asker:
            end(self._asker)
            self._asker = None
        super().close()
        for line in self._lines():
            line.close()


def film(folder, colour=None, text=None, size="1280x720", flash_s=None):
    """A film as frames: one second of a person's colour, or of white with words, or of a white flash."""
    file = folder / f"{colour or text}.h264".replace(" ", "-")
    width, height = (int(side) for side in size.split("x"))
    filters = [] if text is None else [
        "-vf", f"drawtext=text='{text}':fontsize={height // 6}:fontcolor=black:x=(w-tw)/2:y=(h-th)/2"]
    if flash_s is not None:
        filters = ["-vf", f"drawbox=t=fill:color=black:enable='gte(t,{flash_s})'"]
    source = f"color=c={'0x%02x%02x%02x' % pictures.COLOURS[colour] if colour else 'white'}"
    subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-f", "lavfi", "-i",
                    f"{source}:s={size}:r={pictures.FPS}:d=1", *filters, "-c:v", "libx264", "-profile:v",
                    "baseline", "-preset", "veryfast", "-tune", "zerolatency", "-threads", "1",
                    "-x264-params", "repeat-headers=1:slices=1:sliced-threads=0", "-g", "30", "-pix_fmt",
                    "yuv420p", "-f", "h264", str(file)], check=True)
    return list(_access_units(file.read_bytes()))

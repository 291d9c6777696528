# SPDX-License-Identifier: Apache-2.0
"""A room that sends exactly the packets it is told to, over plain RTP, and counts what it gets:
SIP as in probe.py, one line for sound and one for pictures.

    camera = Camera(world, 3).join()
    camera.play(film)                    # in the background, until stop()
    camera.send(payload, marker=True)    # one RTP packet
    camera.report(rtcp)                  # one RTCP packet"""
import random
import struct
import subprocess
import threading
import time

from harness import expect
from probe import Phone

VIDEO_PORT = 40002
H264, RTX, VP8 = 96, 97, 98
PAYLOAD_MAX = 1150
CLOCK_HZ = 90000


def annex_b(data):
    """The NAL units of a byte stream."""
    parts = data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")
    return [part for part in parts if part]


def encode(width, height, frames, fps=30, gop=30, source="testsrc2", words=()):
    """A film: for each frame its NAL units, parameter sets with each key frame."""
    done = subprocess.run(
        ["ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i",
         f"{source}{':' if '=' in source else '='}size={max(width, 16)}x{max(height, 16)}:rate={fps}", "-vf", f"scale={width}:{height}",
         "-frames:v", str(frames), "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency",
         "-profile:v", "baseline", "-g", str(gop), "-pix_fmt", "yuv420p", "-x264-params",
         "aud=1:repeat-headers=1:scenecut=0", *words, "-f", "h264", "-"], capture_output=True)
    expect(done.returncode == 0, "ffmpeg:", done.stderr.decode()[-300:])
    film = []
    for nal in annex_b(done.stdout):
        if nal[0] & 31 == 9:
            film.append([])
        else:
            film[-1].append(nal)
    return film


def cut(nal, size=PAYLOAD_MAX):
    """RFC 6184: a single NAL unit, or its fragments."""
    if len(nal) <= size:
        return [nal]
    indicator, kind, body = nal[0] & 0xE0 | 28, nal[0] & 31, nal[1:]
    pieces = [body[at:at + size] for at in range(0, len(body), size)]
    return [bytes([indicator, kind | 0x80 * (at == 0) | 0x40 * (at == len(pieces) - 1)]) + piece
            for at, piece in enumerate(pieces)]


class Camera(Phone):
    def __init__(self, world, number, film=None, extra=""):
        self._extra = extra
        self._video_to = None
        self._sockets = []
        self.ssrc = random.getrandbits(32)
        self.sequence, self.timestamp = random.getrandbits(15), random.getrandbits(31)
        self.asked = []          # when a key frame was asked for
        self.nacks = 0
        self.received = self.received_bytes = self.again = 0
        self.frames = []         # when a picture's last packet came
        self.keys = set()        # RTP times of key frames that came
        self.peer_ssrc = 0
        self._film = film
        self._playing = threading.Event()
        super().__init__(number, 700, None)
        self._video = self._open(VIDEO_PORT)
        threading.Thread(target=self._receive_video, daemon=True).start()
        threading.Thread(target=self._play, daemon=True).start()
        world.at_end(self.close)

    def join(self, user="demo"):
        status = self.dial(user)
        expect(status == 200, self.name, "dialled and got", status)
        expect(self._video_to, self.name, "was given no line for pictures")
        if self._film:
            self._playing.set()
        return self

    def _description(self):
        return super()._description() + (
            f"m=video {VIDEO_PORT} RTP/AVPF {H264} {RTX}\r\na=rtpmap:{H264} H264/90000\r\n"
            f"a=fmtp:{H264} profile-level-id=42e01e;packetization-mode=1\r\n"
            f"a=rtpmap:{RTX} rtx/90000\r\na=fmtp:{RTX} apt={H264}\r\n"
            f"a=rtcp-fb:{H264} nack\r\na=rtcp-fb:{H264} nack pli\r\na=rtcp-fb:{H264} ccm fir\r\n"
            f"a=rtcp-fb:{H264} ccm tmmbr\r\na=rtcp-fb:{H264} goog-remb\r\n"
            f"a=rtcp-mux\r\na=sendrecv\r\n{self._extra}")

    def _take_description(self, body):
        super()._take_description(body)
        if "m=video" in body:
            port = int(body.split("m=video ")[1].split()[0])
            self._video_to = (self._media[0], port) if port else None

    # ---- Sending

    def send(self, payload, marker=False, kind=H264, ssrc=None, extension=b""):
        head = struct.pack("!BBHII", 0x90 if extension else 0x80, kind | 0x80 * marker,
                           self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF,
                           self.ssrc if ssrc is None else ssrc & 0xFFFFFFFF)
        self.sequence += 1
        self.raw(head + extension + payload)

    def raw(self, datagram):
        try:
            self._video.sendto(datagram, self._video_to)
        except OSError:
            pass

    def send_frame(self, nals):
        pieces = [piece for nal in nals for piece in cut(nal)]
        for at, piece in enumerate(pieces):
            self.send(piece, at == len(pieces) - 1)
        self.timestamp += CLOCK_HZ // 30

    def report(self, *packets):
        """A receiver report with these behind it."""
        self.raw(struct.pack("!BBHI", 0x80, 201, 1, self.ssrc) + b"".join(packets))

    def pli(self):
        self.report(struct.pack("!BBHII", 0x81, 206, 2, self.ssrc, self.peer_ssrc))

    def _play(self):
        at, due = 0, time.monotonic()
        while self._running:
            if not self._playing.wait(0.2):
                due = time.monotonic()
                continue
            due = max(due + 1 / 30, time.monotonic() - 0.2)
            time.sleep(max(0, due - time.monotonic()))
            if self._video_to:
                self.send_frame(self._film[at % len(self._film)])
            at += 1

    def fall_silent(self):
        """In the middle of a frame, and for good: no word of farewell, neither sound nor pictures."""
        self._playing.clear()
        pieces = [piece for nal in self._film[0] for piece in cut(nal)]
        for piece in pieces[:max(1, len(pieces) // 2)]:
            self.send(piece)
        self._media = self._video_to = None

    # ---- Receiving

    def _receive_video(self):
        while self._running:
            try:
                data = self._video.recv(2048)
            except TimeoutError:
                continue
            except OSError:
                return
            if len(data) < 12 or data[0] >> 6 != 2:
                continue
            if 192 <= data[1] <= 223:
                self._take_rtcp(data)
                continue
            self.received += 1
            self.received_bytes += len(data)
            if data[1] & 127 == RTX:
                self.again += 1
                continue
            self.peer_ssrc = struct.unpack("!I", data[8:12])[0]
            if data[1] & 0x80:
                self.frames.append(time.monotonic())
            self._look_for_key(data)

    def _look_for_key(self, data):
        at = 12 + 4 * (data[0] & 15)
        if data[0] & 0x10 and len(data) >= at + 4:
            at += 4 + 4 * struct.unpack("!H", data[at + 2:at + 4])[0]
        unit = data[at:at + 4]
        kind = unit[0] & 31 if len(unit) == 4 else 0
        if kind in (5, 7) or (kind == 24 and unit[3] & 31 in (5, 7)) or (
                kind == 28 and unit[1] & 0x9F == 0x85):
            self.keys.add(data[4:8])

    def _take_rtcp(self, data):
        at = 0
        while at + 4 <= len(data):
            first, kind, words = struct.unpack("!BBH", data[at:at + 4])
            if (kind, first & 31) in ((206, 1), (206, 4)):
                self.asked.append(time.monotonic())
            self.nacks += (kind, first & 31) == (205, 1)
            at += 4 * (words + 1)

    def rate(self, since):
        """Pictures a second since then."""
        count = sum(when >= since for when in list(self.frames))
        return count / (time.monotonic() - since)

    def close(self):
        super().close()
        self._video.close()


def storm(camera, packets, a_second, seconds):
    """Calls camera.<something> through `packets`, functions in turn, so often."""
    due, at, until = time.monotonic(), 0, time.monotonic() + seconds
    while time.monotonic() < until:
        packets[at % len(packets)]()
        at += 1
        due += 1 / a_second
        wait = due - time.monotonic()
        if wait > 0.002:
            time.sleep(wait)
        elif wait < -0.5:
            due = time.monotonic()
    return at



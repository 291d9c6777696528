# SPDX-License-Identifier: Apache-2.0
"""A phone for measuring: SIP over UDP, G.711, plain RTP, and the time of every packet.

It does what a caller needs and no more (RFC 3261 without proxies, forks or authentication).  Each
is a process of its own, so that a test which floods the server does not measure itself.  Times are
time.monotonic(), the same in all processes.
"""
import multiprocessing
import os
import random
import re
import struct
import threading
import time

import numpy as np

import network
import sound
from harness import Failure, expect, wait_for

FRAME = 160  # samples at 8 kHz: 20 ms
RATE = 8000


def _headers(text):
    head, _, body = text.partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    fields = [(name.strip().lower(), value.strip())
              for name, _, value in (line.partition(":") for line in lines)]
    return first, fields, body


def _field(fields, *names):
    return next((value for name, value in fields if name in names), "")


class Probe:
    """What a test holds: everything of `Phone` below, asked of its process."""

    def __init__(self, world, number, tone=445, samples=None):
        self.tone = tone
        self.name = f"probe{number}"
        self.machine = network.Machine(number)
        self._mine, theirs = multiprocessing.get_context("fork").Pipe()
        self._process = multiprocessing.get_context("fork").Process(
            target=_serve, args=(theirs, self._mine, number, tone, samples), daemon=True)
        self._process.start()
        theirs.close()
        world.at_end(self.close)

    def _ask(self, name, *arguments):
        try:
            self._mine.send((name, arguments))
            value = self._mine.recv()
        except (EOFError, OSError):
            raise Failure(f"{self.name} is gone") from None
        if isinstance(value, Exception):
            raise value
        return value

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        if not callable(getattr(Phone, name, None)):
            return self._ask(name)
        return lambda *arguments, **named: self._ask(name, *arguments, *named.values())

    def join(self, user="demo"):
        status = self.dial(user)
        expect(status == 200, self.name, "dialled", user, "and got", status)
        return self

    def close(self):
        if self._process.is_alive():
            try:
                self._ask("close")
            except Failure:
                pass
            self._mine.close()
            self._process.join(3)
            self._process.kill()


def _serve(pipe, others, number, tone, samples):
    others.close()
    try:
        os.nice(-10)
    except OSError:
        pass
    phone = Phone(number, tone, samples)
    while True:
        try:
            name, arguments = pipe.recv()
        except EOFError:
            return
        try:
            value = getattr(phone, name)
            pipe.send(value(*arguments) if callable(value) else value)
        except Exception as problem:
            pipe.send(problem)


class Phone:
    def __init__(self, number, tone, samples, codec=0):
        self.machine = network.Machine(number)
        self.address = self.machine.address
        self.name = f"probe{number}"
        self.tone = tone
        self.codec = codec
        self.ended = None      # why and when the far end hung up
        self.answers = []      # (status, time) of our INVITE
        self.packets = []      # (time, sequence, RTP time, payload type, payload)
        self.speaks_since = 0  # time.monotonic() of the first sample of what it sends
        self._send_sound = sound.tone(tone, 10, RATE) if samples is None else samples
        self._encoded = sound.ulaw_encode(self._send_sound)
        self._media = None
        self._running = True
        self._responses = []
        self._sip = self._open(15060)
        self._rtp = self._open(40000)
        self._call_id = f"{random.getrandbits(64):x}@{self.address}"
        self._tag = f"{random.getrandbits(32):x}"
        self._to = self._target = None
        self._cseq = 0
        for loop in (self._signalling, self._receive, self._send):
            threading.Thread(target=loop, daemon=True).start()

    def _open(self, port):
        opened = self.machine.socket(port=port)
        opened.settimeout(0.1)
        return opened

    # ---- Signalling

    def _description(self):
        return ("v=0\r\n"
                f"o=- 1 1 IN IP4 {self.address}\r\ns=-\r\nc=IN IP4 {self.address}\r\nt=0 0\r\n"
                f"m=audio 40000 RTP/AVP {self.codec} 101\r\na=rtpmap:0 PCMU/8000\r\n"
                "a=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na=sendrecv\r\n")

    def _request(self, method, cseq, body="", branch=None):
        branch = branch or f"z9hG4bK{random.getrandbits(64):x}"
        content = "Content-Type: application/sdp\r\n" if body else ""
        return (f"{method} {self._target} SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP {self.address}:15060;branch={branch};rport\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:{self.name}@{self.address}>;tag={self._tag}\r\n"
                f"To: {self._to}\r\nCall-ID: {self._call_id}\r\nCSeq: {cseq} {method}\r\n"
                f"Contact: <sip:{self.name}@{self.address}:15060>\r\n{content}"
                f"Content-Length: {len(body)}\r\n\r\n{body}")

    def _tell(self, text):
        self._sip.sendto(text.encode(), (network.SERVER, 5060))

    def dial(self, user="demo", seconds=10):
        """Calls; the final status.  After a 2xx sound flows."""
        self._to = f"<sip:{user}@{network.SERVER}>"
        self._target = f"sip:{user}@{network.SERVER}"
        self._cseq += 1
        text = self._request("INVITE", self._cseq, self._description())
        until, wait, at = time.monotonic() + seconds, 0.5, 0.0
        self._responses.clear()
        while time.monotonic() < until:
            if not self._responses and time.monotonic() >= at:
                self._tell(text)
                at, wait = time.monotonic() + wait, wait * 2
            for status, fields, body in list(self._responses):
                if status >= 200:
                    self._finish(status, fields, body, text)
                    return status
            time.sleep(0.01)
        raise Failure(f"{self.name}: no final answer, only {self.answers}")

    def _finish(self, status, fields, body, invite):
        self._to = _field(fields, "to", "t")
        if status < 300:
            contact = re.search(r"<([^>]+)>", _field(fields, "contact", "m"))
            self._target = contact.group(1)
            self._tell(self._request("ACK", self._cseq))
            self._take_description(body)
        else:
            branch = re.search(r"branch=([^;\r]+)", invite).group(1)
            self._tell(self._request("ACK", self._cseq, branch=branch))

    def _take_description(self, body):
        port = int(re.search(r"^m=audio (\d+)", body, re.M).group(1))
        host = re.search(r"^c=IN IP4 (\S+)", body, re.M).group(1)
        self._media = host, port

    @property
    def media_port(self):
        """Where the server receives our sound."""
        return self._media[1]

    def hang_up(self):
        self._cseq += 1
        self._media = None
        self._tell(self._request("BYE", self._cseq))
        wait_for("an answer to BYE", lambda: any(s for s, f, _ in self._responses
                 if "BYE" in _field(f, "cseq")), 5)

    def _signalling(self):
        while self._running:
            try:
                text, source = self._sip.recvfrom(65536)
            except TimeoutError:
                continue
            except OSError:
                return
            first, fields, body = _headers(text.decode(errors="replace"))
            if first.startswith("SIP/2.0 "):
                status = int(first.split()[1])
                self._responses.append((status, fields, body))
                if "INVITE" in _field(fields, "cseq"):
                    self.answers.append((status, time.monotonic()))
            elif first.split():
                self._serve(first.split()[0], fields, body, source)

    def _serve(self, method, fields, body, source):
        if method == "ACK":
            return
        answer = ""
        if method == "BYE":
            self.ended = (_field(fields, "reason"), time.monotonic())
            self._media = None
        elif method == "INVITE":
            answer = self._description()
            self._take_description(body) if "m=audio" in body else None
        copied = "".join(f"{name}: {value}\r\n" for name, value in fields
                         if name in ("via", "from", "call-id", "cseq", "record-route"))
        to = _field(fields, "to", "t")
        to += "" if ";tag=" in to else f";tag={self._tag}"
        content = "Content-Type: application/sdp\r\n" if answer else ""
        self._sip.sendto(
            (f"SIP/2.0 200 OK\r\n{copied}To: {to}\r\n"
             f"Contact: <sip:{self.name}@{self.address}:15060>\r\n{content}"
             f"Content-Length: {len(answer)}\r\n\r\n{answer}").encode(), source)

    # ---- Sound

    def _send(self):
        sequence, at, ssrc = random.getrandbits(15), 0, random.getrandbits(32)
        due = self.speaks_since = time.monotonic()
        while self._running:
            due += 0.02
            time.sleep(max(0, due - time.monotonic()))
            start = at % len(self._encoded)
            if self._media:
                head = struct.pack("!BBHII", 0x80, self.codec, sequence & 0xFFFF, at & 0xFFFFFFFF,
                                   ssrc)
                try:
                    self._rtp.sendto(head + self._encoded[start:start + FRAME], self._media)
                except OSError:
                    pass
            sequence += 1
            at += FRAME

    def _receive(self):
        while self._running:
            try:
                packet = self._rtp.recv(2048)
            except TimeoutError:
                continue
            except OSError:
                return
            if len(packet) > 12 and packet[0] >> 6 == 2:
                kind, sequence, at = struct.unpack("!xBHI", packet[:8])
                self.packets.append((time.monotonic(), sequence, at, kind & 127, packet[12:]))

    def heard(self, since=None, until=None):
        """What arrived between two times: samples at 8 kHz, holes in RTP time filled with silence."""
        chosen = [p for p in list(self.packets) if p[3] == self.codec
                  and (since is None or p[0] >= since) and (until is None or p[0] < until)]
        if not chosen:
            return np.zeros(0)
        first = min(p[2] for p in chosen)
        length = max(p[2] - first + len(p[4]) for p in chosen)
        expect(length < RATE * 600, "RTP time of what", self.name, "hears jumps")
        out = np.zeros(length)
        for _, _, at, _, payload in chosen:
            out[at - first:at - first + len(payload)] = sound.ulaw_decode(payload)
        return out

    def hears(self, last_s=2.0):
        return self.heard(time.monotonic() - last_s), RATE

    def gaps_s(self, hz, since):
        """Of the tone since then: (the longest that is missing in the sound, the longest wait for
        a packet that holds it).  What only comes late is no loss to a jitter buffer."""
        last, longest = since, 0.0
        for when, loudness in self._loudness(hz, since):
            if loudness > 0.02:
                longest = max(longest, when - last)
                last = when
        wait = max(longest, time.monotonic() - last)
        return sound.longest_gap_s(self.heard(since), RATE, hz), wait

    def _loudness(self, hz, since):
        """(time, amplitude of the tone) of each packet of sound since then."""
        for when, _, _, kind, payload in list(self.packets):
            if when >= since and kind == self.codec and len(payload) >= 80:
                samples = sound.ulaw_decode(payload)
                turn = np.exp(-2j * np.pi * hz * np.arange(len(samples)) / RATE)
                yield when, 2 * abs((samples * turn).mean())

    def tone_edge(self, hz, since, falling):
        """When the tone stopped (or began) in what arrives after `since`: the time at which the
        first packet without it (or with it) came, or None."""
        for when, loudness in self._loudness(hz, since):
            if (loudness > 0.02) != falling:
                return when
        return None

    def close(self):
        if self._media and not self.ended:
            try:
                self.hang_up()
            except (Failure, OSError):
                pass
        self._running = False
        self._sip.close()
        self._rtp.close()

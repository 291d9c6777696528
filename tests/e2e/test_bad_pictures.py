# SPDX-License-Identifier: Apache-2.0
"""Pictures, feedback and floor requests that nobody sends who means well, while two rooms see each
other: they go on being sent pictures, memory stays bounded, no process ends, and the log tells no
story for each packet."""
import os
import random
import re
import socket
import struct
import threading
import time
from pathlib import Path

import network
from camera import CLOCK_HZ, RTX, Camera, cut, encode, storm
from harness import case, cpu_s, expect, expect_equal, main, processes, wait_for
from server import Server

SECONDS = 5
RATE_MIN = 20            # pictures a second that others still get
GROWTH_KB_MAX = 96 * 1024
QUARANTINE_KB = 256 * 1024  # what the address sanitizer keeps of freed memory, each process
LOG_BYTES_MAX = 20_000


def codec_pids():
    return {pid for pid, words in processes().items()
            if len(words.split()) > 1 and Path(words.split()[0]).name == "convoke"
            and words.split()[1] == "codec"}


def memory_kb(pids):
    return sum(int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])
               for pid in pids)


def cpu_of(pids):
    return sum(cpu_s(pid) for pid in pids)


class Highest(threading.Thread):
    """Of a metric, while something is done: a source that has stopped is soon not decoded any more."""

    def __init__(self, server, name):
        super().__init__(daemon=True)
        self._server, self._name = server, name
        self._over = threading.Event()
        self.value = 0
        self.start()

    def run(self):
        while not self._over.wait(0.5):
            try:
                self.value = max(self.value, self._server.metrics()[self._name])
            except OSError:
                pass  # asked again

    def end(self):
        self._over.set()
        self.join()
        return self.value


def unharmed(world, what, doing, decodes=2):
    """Runs doing() and looks at everything that must be as before; so many were decoded meanwhile."""
    server, witness = world.server, world.witness
    pids = codec_pids() | {server.pid_of("callbridge")}
    before_kb, before_cpu, log = memory_kb(pids), cpu_of(pids), len(server.log())
    usual = witness.rate(time.monotonic() - 2)
    decoded = Highest(server, "video_decodes")
    began = time.monotonic()
    try:
        doing()
        seconds, rate = time.monotonic() - began, witness.rate(began)
    finally:
        decoded = decoded.end()
    expect_equal(codec_pids() | {server.pid_of("callbridge")}, pids, "processes")
    expect(decoded >= decodes, "decoded were", decoded)
    grown, spent = memory_kb(pids) - before_kb, cpu_of(pids) - before_cpu
    said = len(server.log()) - log
    print(f"   {what}: {rate:.1f} pictures a second for others, {grown / 1024:+.1f} MB, "
          f"{spent / seconds:.0%} of a core, {said} bytes of log", flush=True)
    expect(rate >= min(RATE_MIN, 0.7 * usual), "others get", rate, "pictures a second, not", usual)
    kept = QUARANTINE_KB * len(pids) if server.sanitized else 0
    expect(grown < GROWTH_KB_MAX + kept, "memory grew by", grown, "kB")
    expect(said < LOG_BYTES_MAX, "the log grew by", said, "bytes")


def attacker(world, **settings):
    return Camera(world, 8, **settings).join()


@case
def the_codec_process_is_locked_in(world):
    pids = codec_pids()
    expect(pids, "no codec process")
    server_pid = world.server.pid_of("callbridge")
    owner = re.search(r"^Uid:\s+(\d+)", Path(f"/proc/{server_pid}/status").read_text(), re.M)[1]
    for pid in pids:
        text = Path(f"/proc/{pid}/status").read_text()
        said = dict(re.findall(r"^(\w+):\s+(.*)$", text, re.M))
        expect_equal(said["Seccomp"], "2", "Seccomp")
        expect_equal(said["NoNewPrivs"], "1", "NoNewPrivs")
        expect_equal(int(said["CapEff"], 16), 0, "capabilities")
        expect_equal(said["Uid"].split()[0], owner, "user")
        kept = {int(fd.name): os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir()}
        for fd, name in kept.items():
            expect(fd <= 2 or name.startswith(("/memfd:", "anon_inode:[eventfd]", "pipe:")),
                   "descriptor", fd, "is", name, "among", kept)


@case
def broken_bits(world):
    film = encode(640, 360, 60)
    other = random.Random(1)

    def damaged(nal):
        body = bytearray(nal)
        for at in range(len(body)):
            if other.random() < 1e-3:
                body[at] ^= 1 << other.randrange(8)
        return bytes(body)
    bad = attacker(world)

    def doing():
        frames = [[damaged(nal) for nal in frame] for _ in range(3) for frame in film]
        storm(bad, [lambda frame=frame: bad.send_frame(frame) for frame in frames], 30, SECONDS)
    unharmed(world, "broken bits", doing, 3)
    bad.hang_up()


@case
def another_size_with_every_frame(world):
    sizes = [(16, 16), (1280, 720), (64, 1000), (1000, 64), (320, 180), (1920, 1080), (18, 34),
             (720, 1280), (640, 480), (32, 16)]
    frames = [encode(width, height, 1)[0] for width, height in sizes]
    bad = attacker(world)
    unharmed(world, "sizes", lambda: storm(
        bad, [lambda frame=frame: bad.send_frame(frame) for frame in frames], 30, SECONDS), 3)
    bad.hang_up()


@case
def frames_of_8k_and_of_two_points(world):
    frames = [encode(*size, 1, source="color")[0] for size in
              ((7680, 4320), (2, 2), (8192, 16), (4096, 2160), (16, 8192), (7680, 4320))]
    bad = attacker(world)
    unharmed(world, "8k and 2 points", lambda: storm(
        bad, [lambda frame=frame: bad.send_frame(frame) for frame in frames], 10, SECONDS))
    bad.hang_up()


@case
def endless_parameter_sets_and_fragments(world):
    first = encode(320, 180, 1)[0]
    sets = [nal for nal in first if nal[0] & 31 in (7, 8)]
    picture = next(nal for nal in first if nal[0] & 31 == 5)
    other = random.Random(2)
    bad = attacker(world)

    def junk_sets():
        nal = bytearray(other.choice(sets))
        nal[other.randrange(1, len(nal))] = other.randrange(256)
        bad.send(bytes(nal), other.random() < 0.3)
        bad.timestamp += 3000 * (other.random() < 0.5)

    def no_end():
        """FU-A: begun once, never ended."""
        bad.send(bytes([0x7C, 0x05]) + picture[1:1000])

    def begun_again():
        bad.send(bytes([0x7C, 0x85]) + picture[1:1000])

    def both_ends():
        bad.send(bytes([0x7C, 0xC5]) + picture[1:500], True)

    def doing():
        storm(bad, [junk_sets], 2000, SECONDS / 2)
        bad.send_frame(first)
        storm(bad, [begun_again] + [no_end] * 400, 2000, SECONDS / 2)
        storm(bad, [both_ends], 1000, 1)
    unharmed(world, "parameter sets and fragments", doing)
    bad.hang_up()


@case
def a_million_tiny_units(world):
    """STAP-A of units of one byte, in frames without end."""
    first = encode(320, 180, 1)[0]
    bad = attacker(world)
    tiny = b"\x78" + b"\x00\x01\x06" * 380
    empty = b"\x78" + b"\x00\x00" * 500

    def doing():
        for _ in range(3):
            bad.send_frame(first)
            sent = storm(bad, [lambda: bad.send(tiny)], 2500, SECONDS / 6)
            bad.send(tiny, True)
            bad.timestamp += CLOCK_HZ // 30
            storm(bad, [lambda: bad.send(empty, True)], 1000, SECONDS / 6)
        expect(sent * 380 > 100_000, "only", sent, "packets in a frame")
    unharmed(world, "tiny units", doing)
    bad.hang_up()


@case
def key_frames_asked_for_a_thousand_times_a_second(world):
    """It gets five a second at most, and nobody else is worse off or asked for more."""
    bad = attacker(world)
    wait_for("pictures for the attacker", lambda: bad.peer_ssrc, 10)
    before = len(bad.keys)

    def fir(count=iter(range(1 << 30))):
        bad.report(struct.pack("!BBHIIIBxxx", 0x84, 206, 4, bad.ssrc, 0, bad.peer_ssrc,
                               next(count) & 255))
    unharmed(world, "key requests", lambda: storm(bad, [bad.pli, fir], 1000, SECONDS))
    keys = (len(bad.keys) - before) / SECONDS
    asked = [len(sender.asked) for sender in (world.witness, world.other)]
    print(f"   {keys:.1f} key frames a second came", flush=True)
    expect(0.3 < keys <= 5.6, keys, "key frames a second")
    expect(max(asked) < 60, "senders were asked", asked, "times")
    bad.hang_up()


@case
def feedback_that_lies(world):
    """Bit rates of nothing and of everything, transport-wide numbers of packets never sent, blocks
    that claim everything lost, NACKs of all there is."""
    other = random.Random(3)
    bad = attacker(world)
    wait_for("pictures for the attacker", lambda: bad.peer_ssrc, 10)

    def remb(exponent, mantissa):
        bad.report(struct.pack("!BBHII4sBBHI", 0x8F, 206, 5, bad.ssrc, 0, b"REMB", 1,
                               exponent << 2 | mantissa >> 16, mantissa & 0xFFFF, bad.peer_ssrc))

    def tmmbr(exponent, mantissa):
        bad.report(struct.pack("!BBHIIII", 0x83, 205, 4, bad.ssrc, 0, bad.peer_ssrc,
                               exponent << 26 | mantissa << 9 | 40))

    def twcc():
        count = other.choice([0, 1, 100, 0xFFFF])
        bad.report(struct.pack("!BBHIIHH", 0x8F, 205, 6, bad.ssrc, bad.peer_ssrc,
                               other.randrange(65536), count) + os.urandom(12))

    def nack():
        items = b"".join(struct.pack("!HH", other.randrange(65536), 0xFFFF) for _ in range(60))
        bad.report(struct.pack("!BBHII", 0x81, 205, 2 + 60, bad.ssrc, bad.peer_ssrc) + items)

    def lost():
        bad.raw(struct.pack("!BBHIIIIIII", 0x81, 201, 7, bad.ssrc, bad.peer_ssrc, 0xFF7FFFFF,
                            other.getrandbits(32), other.getrandbits(32), other.getrandbits(32),
                            other.getrandbits(32)))

    def noise():
        bad.raw(bytes([0x80 | other.randrange(32), 200 + other.randrange(8)]) + os.urandom(
            other.randrange(2, 60)))
    storms = [lambda: remb(0, 0), lambda: remb(63, 0x3FFFF), lambda: remb(46, 1 << 17), twcc, nack,
              lost, noise, lambda: tmmbr(0, 0), lambda: tmmbr(63, 0x1FFFF)]
    unharmed(world, "lies", lambda: storm(bad, storms, 900, SECONDS))
    bad.hang_up()


@case
def everything_asked_for_again_and_again(world):
    """What is sent again is bounded by what is sent."""
    bad = attacker(world)
    wait_for("pictures for the attacker", lambda: bad.peer_ssrc, 10)
    newest = [0]

    def nack():
        first = newest[0] - 1020
        items = b"".join(struct.pack("!HH", (first + 17 * n) & 0xFFFF, 0xFFFF) for n in range(60))
        bad.report(struct.pack("!BBHII", 0x81, 205, 2 + 60, bad.ssrc, bad.peer_ssrc) + items)
        newest[0] = (newest[0] + 1020) & 0xFFFF

    def doing():
        before, again = bad.received, bad.again
        storm(bad, [nack], 500, SECONDS)
        got, repeated = bad.received - before, bad.again - again
        print(f"   {got} packets came, {repeated} of them again", flush=True)
        expect(repeated <= 4 * (got - repeated), repeated, "packets sent again, of", got)
    unharmed(world, "RTX", doing)
    bad.hang_up()


@case
def streams_that_were_not_agreed(world):
    """A thousand SSRCs, names of layers and lines that do not exist, RTX without an original."""
    film = encode(320, 180, 30)
    other = random.Random(4)
    bad = attacker(world)

    def many():
        bad.send(cut(other.choice(film)[0])[0], True, ssrc=other.randrange(1000))

    def named():
        text = bytes(other.randrange(97, 123) for _ in range(other.randrange(1, 16)))
        words = b"".join(bytes([id << 4 | len(text) - 1]) + text for id in range(1, 8))
        words += bytes(-len(words) % 4)
        bad.send(cut(film[0][-1])[0], True, ssrc=other.randrange(20),
                 extension=struct.pack("!HH", 0xBEDE, len(words) // 4) + words)

    def repeated():
        bad.send(struct.pack("!H", other.randrange(65536)) + film[0][0], True, kind=RTX,
                 ssrc=other.randrange(1000))

    def cut_short():
        bad.raw(os.urandom(other.randrange(1, 40)))
    unharmed(world, "streams", lambda: storm(bad, [many, named, repeated, cut_short], 2000, SECONDS))
    bad.hang_up()


@case
def junk_on_the_ports_of_bfcp(world):
    other = random.Random(5)
    udp = network.Machine(8).socket()

    def message(kind, length, body):
        return struct.pack("!BBHIHH", 0x20, kind, length, other.randrange(1 << 32),
                           other.randrange(65536), other.randrange(65536)) + body

    def datagram():
        body = os.urandom(4 * other.randrange(0, 40))
        words = other.choice([len(body) // 4, 0, 0xFFFF])
        for port in (8855, 8856):
            udp.sendto(message(other.randrange(20), words, body), (network.SERVER, port))

    def stream():
        for port in (8855, 8856):
            made = network.Machine(8).socket(socket.SOCK_STREAM)
            made.settimeout(2)
            try:
                made.connect((network.SERVER, port))
                made.sendall(message(other.randrange(20), 0xFFFF, os.urandom(2000)))
                if other.random() < 0.3:
                    made.recv(100)
            except OSError:
                pass
            made.close()

    def doing():
        storm(None, [datagram] * 20 + [stream], 1000, SECONDS)
    unharmed(world, "BFCP", doing)


@case
def descriptions_like_bombs(world):
    bombs = {
        "32 lines": "".join(f"m=video {50000 + 2 * n} RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
                            for n in range(31)),
        "long fmtp": ("m=video 50000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 "
                      + "profile-level-id=42e01f;" * 300 + "\r\n"),
        "long sets": ("m=video 50000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
                      "a=fmtp:96 sprop-parameter-sets=" + "Z0LgHw==," * 800 + "\r\n"),
        "many types": "m=video 50000 RTP/AVP " + " ".join(map(str, range(128))) + "\r\n" + "".join(
            f"a=rtpmap:{n} H264/90000\r\na=rtcp-fb:{n} nack pli\r\n" for n in range(128)),
        "simulcast": "m=video 50000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n" + "".join(
            f"a=rid:{n} send\r\n" for n in range(200)) + "a=simulcast:send " + ";".join(
            map(str, range(200))) + "\r\n",
        "sizes": ("m=video 50000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
                  "a=fmtp:96 max-fs=4294967295;max-mbps=4294967295;max-br=4294967295\r\n"
                  "a=imageattr:96 send * recv [x=999999999,y=0]\r\nb=TIAS:18446744073709551615\r\n"
                  "a=framerate:-1e99\r\n"),
    }
    answers = {}

    def doing():
        for name, text in bombs.items():
            time.sleep(0.5)
            bad = Camera(world, 8)
            whole = type(bad).__mro__[1]._description(bad)
            bad._description = lambda whole=whole, text=text: whole + text
            try:
                answers[name] = bad.dial(seconds=4)
            except Exception as problem:
                answers[name] = str(problem)[:40]
            bad.close()
        time.sleep(1)
    unharmed(world, "descriptions", doing)
    print("  ", answers, flush=True)
    expect(all(answer in (200, 400, 413, 488, 500, 513) or "no final" in str(answer)
               for answer in answers.values()), answers)
    wait_for("no leg is left of them", lambda: world.server.metrics()["call_legs"] == 2, 40, 0.5)


def set_up(world):
    world.server = Server(world)
    film = encode(320, 180, 300)
    world.witness = Camera(world, 11, film).join()
    world.other = Camera(world, 12, film).join()
    wait_for("pictures for the witness", lambda: len(world.witness.frames) > 30, 15)
    time.sleep(3)


main(set_up)

# SPDX-License-Identifier: Apache-2.0
"""Bad input from strangers, while a call runs that must not notice: its tone has no gap, memory
stays bounded, and the API and `convoke status` answer all the while."""
import base64
import hmac
import json
import os
import random
import select
import socket
import ssl
import struct
import threading
import time

import network
import sound
from harness import case, expect, expect_equal, expect_unbroken, main, wait_for
from probe import Probe
from server import API_PORT, SIP_PORT, SIP_TLS_PORT, WEB_PORT, Server

GROWTH_KB_MAX = 64 * 1024
ANSWER_S_MAX = 2.0
SERVER = network.SERVER

_tls = ssl._create_unverified_context()


def unharmed(server, doing):
    """Runs doing() and checks the call, the memory and the answers meanwhile and after."""
    before_kb = server.memory_kb()
    pids = {name: server.pid_of(name) for name in ("callbridge", "webbridge")}
    slowest, worst, stop = [0.0], [], threading.Event()

    def watch():
        while not stop.is_set():
            at = time.monotonic()
            try:
                answer = server.api.request("GET", "/api/v1/system/status", timeout=8)
                if answer.status != 200:
                    worst.append(f"API status {answer.status}")
                if server.command("status")[0] != 0:
                    worst.append("`convoke status` is not content")
            except Exception as problem:
                worst.append(repr(problem))
            slowest[0] = max(slowest[0], time.monotonic() - at)
            stop.wait(0.3)
    watcher = threading.Thread(target=watch)
    began = time.monotonic()
    watcher.start()
    try:
        doing()
    finally:
        time.sleep(0.5)
        stop.set()
        watcher.join()
    expect_equal({name: server.pid_of(name) for name in pids}, pids, "processes")
    expect(not server.listener.ended and not server.speaker.ended, "the call ended")
    expect_unbroken(server.listener, server.speaker.tone, began)
    expect(not worst, "meanwhile:", *worst[:3])
    expect(slowest[0] <= ANSWER_S_MAX, f"an answer took {slowest[0]:.1f} s")
    grown = server.memory_kb() - before_kb
    expect(grown < GROWTH_KB_MAX, "memory grew by", grown, "kB")


def connect(port, number=1, tls=False):
    made = network.Machine(number).socket(socket.SOCK_STREAM)
    made.settimeout(5)
    made.connect((SERVER, port))
    return _tls.wrap_socket(made) if tls else made


def answer_to(connection, seconds=5):
    """What comes until it is quiet, or the far end closes."""
    connection.settimeout(seconds)
    data = b""
    try:
        while more := connection.recv(65536):
            data += more
            connection.settimeout(0.3)
    except (TimeoutError, OSError):
        pass
    return data


def closed_within(connection, seconds):
    connection.settimeout(seconds)
    try:
        while connection.recv(65536):
            pass
        return True
    except TimeoutError:
        return False
    except OSError:
        return True


def options(branch, extra="", length=0):
    return (f"OPTIONS sip:demo@{SERVER} SIP/2.0\r\n"
            f"Via: SIP/2.0/TCP 10.77.0.99;branch=z9hG4bK{branch};rport\r\n"
            "From: <sip:a@example.com>;tag=1\r\nTo: <sip:demo@example.com>\r\n"
            f"Call-ID: {branch}@x\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n{extra}"
            f"Content-Length: {length}\r\n\r\n").encode()


@case
def rfc_4475_messages_over_udp_and_tcp(world):
    folder = world.root / "src/sip/testdata/torture"
    messages = [file.read_bytes() for file in sorted(folder.iterdir())]
    expect(len(messages) > 40, "torture messages:", len(messages))

    def doing():
        udp = network.Machine(1).socket()
        for message in messages * 5:
            udp.sendto(message, (SERVER, SIP_PORT))
            time.sleep(0.002)
        for message in messages:
            with connect(SIP_PORT) as tcp:
                tcp.sendall(message)
                answer_to(tcp, 0.05)
        # One behind the other on one connection, as far as it is kept.
        with connect(SIP_PORT) as tcp:
            for message in messages:
                try:
                    tcp.sendall(message)
                except OSError:
                    break
    unharmed(world.server, doing)
    expect(world.server.metrics()["sip_malformed_total"] > 20, "malformed messages counted:",
           world.server.metrics()["sip_malformed_total"])


@case
def noise_over_udp_tcp_and_tls(world):
    dice = random.Random(4711)

    def doing():
        udp = network.Machine(1).socket()
        for _ in range(5000):
            udp.sendto(dice.randbytes(dice.randrange(1, 1400)), (SERVER, SIP_PORT))
        for port in (SIP_PORT, SIP_TLS_PORT, API_PORT, WEB_PORT):
            for _ in range(40):
                with connect(port) as tcp:
                    try:
                        tcp.sendall(dice.randbytes(3000))
                    except OSError:
                        pass
    unharmed(world.server, doing)


@case
def half_sent_tcp_and_lies_about_content_length(world):
    def doing():
        open_ones = []
        for part in (b"I", b"INVITE sip:demo@x SIP/2.0\r\nVia: ", options("half")[:-2]):
            for _ in range(60):
                one = connect(SIP_PORT)
                one.sendall(part)
                open_ones.append(one)
        # More promised than comes: the body is waited for, and others are served meanwhile.
        waiting = connect(SIP_PORT)
        waiting.sendall(options("more", "Content-Type: text/plain\r\n", 5000) + b"short")
        with connect(SIP_PORT) as honest:
            honest.sendall(options("honest"))
            expect(b"SIP/2.0 200" in answer_to(honest, 3), "OPTIONS beside half messages unanswered")
        for lie in ("99999999999999999999", "-1", "4294967296", "1000000000", "x"):
            with connect(SIP_PORT) as liar:
                liar.sendall(options("lie" + lie.strip("-"), length=lie))
                said = answer_to(liar, 2)
                expect(not said or b"SIP/2.0 4" in said or b"SIP/2.0 5" in said,
                       "Content-Length", lie, "gave", said[:60])
        # Less promised than comes: what follows is the next message, and is none.
        with connect(SIP_PORT) as liar:
            liar.sendall(options("less", length=2) + b"xxINVITE nonsense\r\n\r\n")
            answer_to(liar, 1)
        for one in [waiting, *open_ones]:
            one.close()
    unharmed(world.server, doing)


@case
def headers_of_100_kb(world):
    def doing():
        for extra in ("Subject: " + "a" * 100_000 + "\r\n", "X: y\r\n" * 16_000,
                      "Via: SIP/2.0/TCP h;branch=z9hG4bKa\r\n" * 3000,
                      "Route: " + ",".join(["<sip:a;lr>"] * 9000) + "\r\n"):
            with connect(SIP_PORT) as tcp:
                try:
                    tcp.sendall(options("big", extra))
                except OSError:
                    continue
                said = answer_to(tcp, 3)
                expect(not said or b"SIP/2.0 4" in said[:12] or b"SIP/2.0 5" in said[:12],
                       "a header of 100 kB gave", said[:40])
        udp = network.Machine(1).socket()
        udp.sendto(options("u", "Subject: " + "a" * 60_000 + "\r\n"), (SERVER, SIP_PORT))
    unharmed(world.server, doing)


@case
def ten_thousand_half_open_invites(world):
    """Never acknowledged, from one address; meanwhile another phone gets in at once."""
    def doing():
        machine = network.Machine(1)
        udp = machine.socket()
        body = (f"v=0\r\no=- 1 1 IN IP4 {machine.address}\r\ns=-\r\nc=IN IP4 {machine.address}\r\n"
                "t=0 0\r\nm=audio 4000 RTP/AVP 0\r\n")
        for n in range(10_000):
            udp.sendto((f"INVITE sip:demo@{SERVER} SIP/2.0\r\n"
                        f"Via: SIP/2.0/UDP {machine.address};branch=z9hG4bKho{n};rport\r\n"
                        f"From: <sip:a@x>;tag={n}\r\nTo: <sip:demo@x>\r\nCall-ID: half{n}\r\n"
                        "CSeq: 1 INVITE\r\nMax-Forwards: 70\r\n"
                        f"Contact: <sip:a@{machine.address}>\r\nContent-Type: application/sdp\r\n"
                        f"Content-Length: {len(body)}\r\n\r\n{body}").encode(), (SERVER, SIP_PORT))
            if n % 50 == 0:
                time.sleep(0.01)
            if n == 5000:
                began = time.monotonic()
                honest = Probe(world, 7, tone=2890)
                expect_equal(honest.dial(), 200, "what another phone got")
                expect(time.monotonic() - began < 2, "another phone waited long")
                honest.close()
    unharmed(world.server, doing)
    wait_for(lambda: f"half-open calls are gone: {world.server.metrics()}",
             lambda: world.server.metrics()["call_legs"] == 2, 45, 1)


def media_ports(world):
    """UDP ports at the server's media, in use or not: the worker's shared ones and the call's."""
    shared = [50000, 50001]
    return shared + [world.server.speaker.media_port, world.server.listener.media_port]


@case
def stun_dtls_and_rtp_junk_at_the_media_ports(world):
    """From an address no SDP named and no ICE check verified."""
    dice = random.Random(4712)
    tid = bytes(range(12))
    binding = struct.pack("!HHI", 1, 0, 0x2112A442) + tid
    user = b"nobody:nobody"
    named = struct.pack("!HH", 6, len(user)) + user + bytes(-len(user) % 4)
    checks = [binding, struct.pack("!HHI", 1, len(named), 0x2112A442) + tid + named,
              struct.pack("!HHI", 1, 0xFFFC, 0x2112A442) + tid,
              struct.pack("!HHI", 0x101, 8, 0x2112A442) + tid + bytes(8)]
    hello = bytes([22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 1]) + struct.pack("!H", 120) + bytes(120)
    dtls = [hello, hello[:13], bytes([22]) * 1200, bytes([21, 254, 253]) + bytes(8) + b"\0\2\2\0",
            bytes([23, 254, 253]) + bytes(8) + b"\xff\xff" + bytes(40)]

    def rtp(n):
        shrill = sound.ulaw_encode(sound.tone(2150, 0.02, 8000, 0.9))
        return struct.pack("!BBHII", 0x80, 0, n & 0xFFFF, n * 160, 0xBADBAD) + shrill

    began = time.monotonic()

    def doing():
        strangers = [network.Machine(n).socket() for n in (1, 2)]
        for n in range(1500):
            for port in media_ports(world):
                for stranger in strangers:
                    stranger.sendto(rtp(n), (SERVER, port))
                    stranger.sendto(dice.choice(checks), (SERVER, port))
                    stranger.sendto(dice.choice(dtls), (SERVER, port))
                    stranger.sendto(dice.randbytes(dice.randrange(1, 400)), (SERVER, port))
            time.sleep(0.001)
    unharmed(world.server, doing)
    heard = world.server.listener.heard(began)
    expect(not sound.heard(heard, 8000, [2150]), "the stranger's tone is heard:",
           sound.describe(heard, 8000, [445, 2150]))
    expect(world.server.metrics()["media_rejected_total"] > 1000, "rejected datagrams:",
           world.server.metrics()["media_rejected_total"])


@case
def api_bodies_of_100_mb_and_wrong_requests(world):
    api = world.server.api

    def post(body_bytes, headers):
        """A body that is sent until somebody answers; the answer's first line, and how much it took."""
        with connect(API_PORT, tls=True) as tls:
            secret = base64.b64encode(f"admin:{world.server.password()}".encode()).decode()
            tls.sendall((f"POST /api/v1/coSpaces HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {secret}"
                         f"\r\n{headers}\r\n").encode())
            block, sent = b"name=" + b"x" * 65531, 0
            try:
                while sent < body_bytes and not select.select([tls], [], [], 0)[0]:
                    tls.sendall(block)
                    sent += len(block)
            except OSError:
                pass
            return answer_to(tls, 3).split(b"\r\n")[0], sent

    def doing():
        size = 100 << 20
        first, sent = post(size, f"Content-Length: {size}\r\n"
                                 "Content-Type: application/x-www-form-urlencoded\r\n")
        expect(b" 413 " in first or not first, "a body of 100 MB gave", first)
        expect(sent < size / 2, "the answer came after", sent, "bytes")
        first, sent = post(10 << 20, "Transfer-Encoding: chunked\r\n")
        expect(b" 4" in first[:12] or not first, "chunks that are none gave", first)
        for bad in (b"GET / HTTP/9.9\r\n\r\n", b"GET\r\n\r\n", b"\0" * 4000,
                    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
                    b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 20_000 + b"\r\n",
                    b"POST /api/v1/coSpaces HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                    b"Content-Length: 6\r\n\r\nhello"):
            for port in (API_PORT, WEB_PORT):
                with connect(port, tls=True) as tls:
                    try:
                        tls.sendall(bad)
                    except OSError:
                        continue
                    first = answer_to(tls, 3).split(b"\r\n")[0]
                    expect(not first or b" 4" in first[:12] or b" 5" in first[:12],
                           bad[:30], "gave", first)
        expect_equal(api.request("GET", "/api/v1/coSpaces", headers={"Authorization": "Basic x"})
                     .status, 401, "status without a login")
        expect_equal(api.request("GET", "/api/v1/nonsense").status, 404, "status of an unknown path")
    unharmed(world.server, doing)


@case
def websocket_frames_with_lying_lengths(world):
    upgrade = ("GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
               "{more}\r\n")
    places = [(WEB_PORT, "/api/session?token=x", ""), (API_PORT, "/", "Sec-WebSocket-Protocol: sip\r\n"),
              (API_PORT, "/ws", "Sec-WebSocket-Protocol: sip\r\n")]
    frames = [b"\x81\xff" + b"\x7f\xff\xff\xff\xff\xff\xff\xff" + b"mask" + b"x" * 1000,
              b"\x81\xff" + b"\xff" * 8 + b"mask", b"\x81\xfe\xff\xff" + b"mask" + b"short",
              b"\x81\x05hello", b"\x89\xff" + struct.pack("!Q", 1 << 40) + b"mask",
              b"\xf1\x80mask", b"\x83\x80mask", b"\x00\x81maskx", b"\x88\x81mask\x00",
              b"\x81\xfe\x00\x01maskx", os.urandom(5000)]

    def doing():
        opened = 0
        for port, path, more in places:
            for frame in frames:
                with connect(port, tls=True) as tls:
                    tls.sendall(upgrade.format(path=path, more=more).encode())
                    opened += answer_to(tls, 3).startswith(b"HTTP/1.1 101")
                    try:
                        tls.sendall(frame)
                    except OSError:
                        pass
                    answer_to(tls, 0.2)
        expect(opened >= len(frames), "WebSockets that opened:", opened)
    unharmed(world.server, doing)


@case
def slow_requests_do_not_keep_others_out(world):
    """300 half requests to each port that speaks HTTP, a byte now and then."""
    def doing():
        slow, refused = [], 0
        for port in (API_PORT, WEB_PORT):
            for n in range(300):
                try:
                    one = connect(port, 1 + n % 3, tls=True)
                    one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX")
                    slow.append(one)
                except OSError:
                    refused += 1  # one source has only so many
        expect(len(slow) > 100, "half requests taken:", len(slow), "refused:", refused)
        for _ in range(4):
            for one in slow:
                try:
                    one.sendall(b"y")
                except OSError:
                    pass
            time.sleep(0.5)
        with connect(WEB_PORT, 4, tls=True) as page:
            page.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            expect(answer_to(page).startswith(b"HTTP/1.1 200"), "the page is not served meanwhile")
        for one in slow:
            one.close()
    unharmed(world.server, doing)


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def session_with(token):
    """What a WebSocket with this token is told first."""
    with connect(WEB_PORT, tls=True) as tls:
        tls.sendall(f"GET /api/session?token={token} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode())
        return answer_to(tls, 3).decode(errors="replace")


@case
def tokens_that_are_over_or_forged_open_no_session(world):
    body = json.dumps({"address": "demo", "name": "Eve"}).encode()
    with connect(WEB_PORT, tls=True) as tls:
        tls.sendall(b"POST /api/join HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                    b"Content-Length: %d\r\n\r\n" % len(body) + body)
        said = answer_to(tls).split(b"\r\n\r\n", 1)[1]
    token = json.loads(said)["token"]
    head, claims, _ = token.split(".")
    key = (world.server.data / "jwt.key").read_bytes()

    def signed(changed, header=head, by=key):
        text = json.loads(base64.urlsafe_b64decode(claims + "==")) | changed
        text = f"{header}.{base64url(json.dumps(text, separators=(',', ':')).encode()).decode()}"
        return f"{text}.{base64url(hmac.digest(by, text.encode(), 'sha256')).decode()}"
    expect("opened" in session_with(signed({})), "a token of ours opens nothing")
    none = base64url(b'{"alg":"none","typ":"JWT"}').decode()
    for what, bad in {"one that is over": signed({"exp": int(time.time()) - 1}),
                      "one by another key": signed({}, by=bytes(32)),
                      "one of no algorithm": signed({}, none),
                      "one without a signature": f"{none}.{claims}.",
                      "one cut short": token[:-5]}.items():
        told = session_with(bad)
        expect("refused" in told and "opened" not in told, what, "is told", told[-200:])
    wait_for("the guest is gone", lambda: world.server.metrics()["call_legs"] == 2, 45, 1)


def set_up(world):
    world.server = Server(world)
    world.server.speaker = Probe(world, 11, tone=445).join()
    world.server.listener = Probe(world, 12, tone=1040).join()
    time.sleep(1)
    expect(sound.heard(*world.server.listener.hears(0.8), [445]), "the call has no sound")


main(set_up)

# SPDX-License-Identifier: Apache-2.0
"""Callers who lie about where they are, while a call runs: they are sent no sound, they do not keep
others out, and they do not end the server."""
import random
import socket
import time

import network
from harness import case, expect, expect_equal, main, wait_for
from probe import Phone, Probe
from server import SIP_PORT, Server

SERVER = network.SERVER
LIAR, VICTIM = 8, 9


def invite(victim, port, source="192.0.2.7"):
    """An INVITE that asks for sound to be sent to `victim`, and that nobody will acknowledge."""
    sdp = (f"v=0\r\no=- 1 1 IN IP4 {victim}\r\ns=-\r\nc=IN IP4 {victim}\r\nt=0 0\r\n"
           f"m=audio {port} RTP/AVP 0\r\n")
    number = random.getrandbits(60)
    return (f"INVITE sip:demo@{SERVER} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {source};branch=z9hG4bK{number};rport\r\nMax-Forwards: 70\r\n"
            f"From: <sip:a@example.com>;tag={number}\r\nTo: <sip:demo@{SERVER}>\r\n"
            f"Call-ID: {number}@x\r\nCSeq: 1 INVITE\r\nContact: <sip:a@{source}>\r\n"
            f"Content-Type: application/sdp\r\nContent-Length: {len(sdp)}\r\n\r\n{sdp}").encode()


def packets(aimed_at, seconds):
    aimed_at.settimeout(seconds)
    got, until = 0, time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            aimed_at.recv(2048)
            got += 1
    except TimeoutError:
        pass
    return got


@case
def an_invite_alone_aims_no_sound_at_anybody(world):
    victim, liar = network.Machine(VICTIM), network.Machine(LIAR)
    aimed_at = victim.socket(port=42000)
    caller = liar.socket()
    for _ in range(20):
        caller.sendto(invite(victim.address, 42000), (SERVER, SIP_PORT))
    wait_for("the calls are answered", lambda: world.server.metrics()["sip_half_open"] >= 20, 5)
    expect_equal(packets(aimed_at, 2), 0, "packets at somebody who did not call")


@case
def a_caller_aims_no_sound_at_the_inside_of_the_server(world):
    inside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    inside.bind(("127.0.0.1", 42000))
    caller = Phone(5, 700, None)
    description = caller._description()
    caller._description = lambda: description.replace(
        f"c=IN IP4 {caller.address}", "c=IN IP4 127.0.0.1").replace("m=audio 40000",
                                                                   "m=audio 42000")
    try:
        expect_equal(caller.dial(), 200, "status")
        expect_equal(packets(inside, 2), 0, "packets at a service of the server's own machine")
    finally:
        caller.hang_up()
        caller.close()


@case
def datagrams_that_come_in_one_batch_are_taken_one_after_the_other(world):
    pid = world.server.pid_of("callbridge")
    caller = network.Machine(LIAR).socket()
    for _ in range(30):
        for _ in range(40):
            caller.sendto(invite("192.0.2.7", 42000), (SERVER, SIP_PORT))
        time.sleep(0.02)
    time.sleep(0.5)
    expect_equal(world.server.pid_of("callbridge"), pid, "process")


@case
def calls_that_nobody_acknowledges_keep_nobody_out(world):
    caller = [network.Machine(LIAR + n).socket() for n in range(8)]
    for n in range(4000):
        caller[n % len(caller)].sendto(invite("192.0.2.7", 42000), (SERVER, SIP_PORT))
        if n % 20 == 0:
            time.sleep(0.01)
    wait_for(lambda: f"900 half-open calls, not {world.server.metrics()['sip_half_open']}",
             lambda: world.server.metrics()["sip_half_open"] >= 900, 5)
    time.sleep(1)
    late = Probe(world, 7, 900).join()
    late.hang_up()


@case
def the_call_has_gone_on_all_the_while(world):
    expect(not world.server.speaker.ended, "the call ended:", world.server.speaker.ended)
    expect_equal(world.server.metrics()["sip_refused_source_total"] > 0, True, "somebody refused")


@case
def a_phone_that_is_gone_does_not_keep_the_server_from_ending(world):
    gone = Probe(world, 6, 1200).join()
    gone._process.kill()
    world.server.down()
    expect("was killed" not in world.server.log(), "the Call Bridge had to be killed")


def set_up(world):
    world.server = Server(world)
    world.server.speaker = Probe(world, 1, tone=445).join()


main(set_up)

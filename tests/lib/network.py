# SPDX-License-Identifier: Apache-2.0
"""A network, a process tree and a /proc of one's own for each test.

A test runs below unshare(1): nothing it opens is seen outside, its ports clash with nobody's, and
when it ends, however it ends, the kernel ends every process it started.  Inside there is a bridge;
the server and the test itself sit on it, and each phone and browser is a machine of its own:

    SERVER          10.77.0.1
    Machine(n)      10.77.0.10 + n, a network namespace with one cable
"""
import ctypes
import json
import os
import signal
import socket
import subprocess

SERVER = "10.77.0.1"
MEDIA_PORTS = "20000-65535"  # of both sides; signalling has lower ones
_BRIDGE = "br0"
# A bridge without an address of its own takes the lowest of its ports': a new machine would change
# it, and the machines before it would send to the old one until they ask again.
_BRIDGE_MAC = "02:00:0a:4d:00:01"
_NEWNET = 0x40000000  # of sched.h
_libc = ctypes.CDLL(None, use_errno=True)
_machines = {}


def command(argv):
    """`argv`, to be run in namespaces of its own."""
    apart = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        apart += ["--map-root-user"]
    return apart + argv


def run(*argv, stdin=None):
    done = subprocess.run(argv, input=stdin, text=True, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: {done.stderr.strip()}")
    return done.stdout


def set_up():
    """Called once inside the namespaces."""
    if os.getpid() != 1:
        raise RuntimeError("a test is started by tests/run, in namespaces of its own")
    run("mount", "-t", "tmpfs", "none", "/run")
    run("ip", "-batch", "-", stdin="link set lo up\n"
        f"link add name {_BRIDGE} address {_BRIDGE_MAC} type bridge\n"
        f"addr add {SERVER}/24 dev {_BRIDGE}\nlink set {_BRIDGE} up\n")


class Machine:
    """The same number is the same machine; it stays until the test file ends."""

    def __new__(cls, number):
        if number not in _machines:
            machine = _machines[number] = super().__new__(cls)
            machine._make(number)
        return _machines[number]

    def _make(self, number):
        self.name = f"m{number}"
        self.address = f"10.77.0.{10 + number}"
        run("ip", "netns", "add", self.name)
        run("ip", "link", "add", f"to-{self.name}", "type", "veth", "peer", "name", "cable",
            "netns", self.name)
        run("ip", "link", "set", f"to-{self.name}", "master", _BRIDGE, "up")
        # An address of IPv6 that settled a second later would be a change of network: browsers drop
        # what they are loading then.
        for words in ("link set cable addrgenmode none",
                      f"addr add {self.address}/24 dev cable", "link set cable up",
                      "link set lo up", f"route add default via {SERVER}"):
            run("ip", "-n", self.name, *words.split())

    def command(self, argv):
        """`argv`, to be run on that machine."""
        return ["ip", "netns", "exec", self.name, *argv]

    def crash(self):
        """kill -9 of all that runs on it."""
        for pid in run("ip", "netns", "pids", self.name).split():
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass

    def socket(self, kind=socket.SOCK_DGRAM, port=0):
        """A socket of this process that is on that machine, bound to its address."""
        with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{self.name}") as there:
            _enter(there)
            try:
                made = socket.socket(socket.AF_INET, kind)
            finally:
                _enter(home)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((self.address, port))
        return made


def _enter(namespace):
    if _libc.setns(namespace.fileno(), _NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _lossy(percent, match):
    return ("table ip loss {\n chain arriving {\n  type filter hook input priority 0;\n"
            f"  {match} udp dport {MEDIA_PORTS} numgen random mod 100 < {percent} drop\n }}\n}}\n")


def lose(percent, *machines):
    """Drops that share of the media datagrams to and from these machines, at random, where they
    arrive; 0: no more.  Their signalling stays whole."""
    for prefix, match in [([], f"ip saddr {{ {', '.join(m.address for m in machines)} }}"),
                          *[(m.command([]), "") for m in machines]]:
        subprocess.run([*prefix, "nft", "delete", "table", "ip", "loss"], capture_output=True)
        if percent:
            run(*prefix, "nft", "-f", "-", stdin=_lossy(percent, match))


def narrow(machine, kbit):
    """What goes to this machine has a queue of 100 ms and so many kbit/s; 0: all it likes again."""
    subprocess.run(["tc", "qdisc", "del", "dev", f"to-{machine.name}", "root"], capture_output=True)
    if kbit:
        run("tc", "qdisc", "add", "dev", f"to-{machine.name}", "root", "tbf", "rate", f"{kbit}kbit",
            "burst", "4kb", "latency", "100ms")


def sent_to(machine):
    """Bytes and packets that went to this machine, and packets for which its line had no room."""
    wire = f"to-{machine.name}"
    link = json.loads(run("ip", "-s", "-j", "link", "show", "dev", wire))[0]
    queues = json.loads(run("tc", "-s", "-j", "qdisc", "show", "dev", wire))
    return (link["stats64"]["tx"]["bytes"], link["stats64"]["tx"]["packets"],
            sum(queue.get("drops", 0) for queue in queues if queue.get("root")))

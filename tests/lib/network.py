# SPDX-License-Identifier: Apache-2.0
"""A network, a process tree and a /proc of one's own for each test.

A test runs below unshare(1): nothing it opens is seen outside, its ports clash with nobody's, and
when it ends, however it ends, the kernel ends every process it started.  Inside there is a bridge;
the server and the test itself sit on it, and each phone and browser is a machine of its own:

    SERVER          10.77.0.1
    machines        10.77.0.11 and on: Machine(n), a network namespace with one cable
    probes          10.77.0.101 and on: probe_address(n), beside the server
    strangers       10.77.0.201 and on: stranger(n), likewise
"""
import os
import subprocess

SERVER = "10.77.0.1"
MEDIA_PORTS = "20000-65535"  # of both sides; signalling has lower ones
_BRIDGE = "br0"
_PROBES = range(101, 140)
_STRANGERS = range(201, 240)
_machines = {}


def probe_address(number):
    return f"10.77.0.{100 + number}"


def stranger(number):
    return f"10.77.0.{200 + number}"


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
    batch = ["link set lo up", f"link add name {_BRIDGE} type bridge"]
    batch += [f"addr add 10.77.0.{n}/24 dev {_BRIDGE}" for n in (1, *_PROBES, *_STRANGERS)]
    batch += [f"link set {_BRIDGE} up"]
    run("ip", "-batch", "-", stdin="\n".join(batch) + "\n")


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
        for words in (f"addr add {self.address}/24 dev cable", "link set cable up",
                      "link set lo up", f"route add default via {SERVER}"):
            run("ip", "-n", self.name, *words.split())

    def command(self, argv):
        """`argv`, to be run on that machine."""
        return ["ip", "netns", "exec", self.name, *argv]


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

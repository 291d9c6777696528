# SPDX-License-Identifier: Apache-2.0
"""A network, a process tree and a /proc of one's own for each test.

A test runs below unshare(1): nothing it opens is seen outside, its ports clash with nobody's, and
when it ends, however it ends, the kernel ends every process it started.  All addresses are on one
virtual cable, so that programs which refuse loopback (Firefox's ICE) have something to offer:

    SERVER          10.77.0.1
    phones          10.77.0.11 and on, one each: address(n)
    strangers       10.77.0.201 and on: stranger(n)
"""
import os
import subprocess

SERVER = "10.77.0.1"
DEVICE = "cv0"


def address(number):
    return f"10.77.0.{10 + number}"


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
    batch = ["link set lo up", f"link add {DEVICE} type veth peer name {DEVICE}x"]
    last = [1, *range(11, 40), *range(201, 240)]
    batch += [f"addr add 10.77.0.{n}/24 dev {DEVICE}" for n in last]
    batch += [f"link set {DEVICE} up", f"link set {DEVICE}x up"]
    run("ip", "-batch", "-", stdin="\n".join(batch) + "\n")


def lose(percent, *addresses):
    """Drops that share of the UDP datagrams from and to each address, at random.  0: none again."""
    rules = "".join(
        f"udp dport 1024-65535 ip {way} {where} meta l4proto udp numgen random mod 100 < {percent} drop\n"
        for where in addresses for way in ("saddr", "daddr"))
    subprocess.run(["nft", "delete", "table", "ip", "loss"], capture_output=True)
    if percent:
        run("nft", "-f", "-", stdin="table ip loss {\n chain in0 {\n"
            f"  type filter hook input priority 0;\n{rules} }}\n}}\n")

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`convoke up|down|status|mmp` with the real components: starts, deaths, changes and refusals.

    test_supervisor.py BUILD_DIR [CASE...]

Needs root (for a network of its own and for becoming another user), Python and the pages of web/.
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

START_S = 30
BACK_S = 5  # how long people may be out of their meeting
COMPONENTS = ("callbridge", "webbridge")

convoke = str(Path(sys.argv[1]).resolve() / "convoke")


class Wrong(Exception):
    pass


def expect(fact, *words):
    if not fact:
        raise Wrong(" ".join(str(word).strip() for word in words))


def wait_for(what, probe, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if probe():
            return
        time.sleep(0.05)
    raise Wrong(f"{what}: not within {seconds} s")


class Data:
    """A data folder that does not exist yet, and the commands on it."""

    def __init__(self):
        self.path = Path(tempfile.mkdtemp(prefix="convoke-supervisor.")) / "data"

    def run(self, verb, *words, timeout=60):
        return subprocess.run([convoke, verb, "--data", str(self.path), *words],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=timeout, check=False)

    def up(self):
        done = self.run("up", "--detach", timeout=START_S)
        expect(done.returncode == 0, "up:", done.stdout, done.stderr)
        return done.stdout

    def mmp(self, command):
        return self.run("mmp", *command.split())

    def set(self, command):
        done = self.mmp(command)
        expect(done.returncode == 0 and "SUCCESS" in done.stdout, command, done.stdout, done.stderr)
        return done.stdout

    def ready(self):
        return self.run("status").returncode == 0

    def log(self):
        return (self.path / "log/convoke.log").read_text()

    def pid(self, name):
        """The process that holds the lock NAME; 0 while one writes its number there."""
        return int((self.path / f"run/{name}.lock").read_text() or 0)

    def end(self):
        if (self.path / "convoke.conf").exists():
            self.run("down")
        shutil.rmtree(self.path.parent, ignore_errors=True)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def mode(path):
    return oct(path.stat().st_mode & 0o7777)


# -- cases --------------------------------------------------------------------------------------------

def first_start_fills_the_folder_and_says_where_to_go(data):
    said = data.up()
    for name, want in (("", "0o700"), ("convoke.conf", "0o600"), ("admin-password", "0o600"),
                       ("callbridge.key", "0o600"), ("run/supervisor.sock", "0o600")):
        expect(mode(data.path / name) == want, name, mode(data.path / name))
    for want in ("https://localhost:8443/", "https://localhost:8445/api/v1", "sip:demo@",
                 "/meeting/1001", str(data.path / "admin-password")):
        expect(want in said, want, "is not in", said)
    password = (data.path / "admin-password").read_text().strip()
    expect(password and password not in said, "the password was printed")
    expect(data.ready(), "status says it is not ready")
    again = data.run("up", "--detach")
    expect(again.returncode == 1 and "already runs" in again.stderr, again.stderr)


def every_address_it_names_answers(data):
    """IPv6 among them, where the machine has it."""
    subprocess.run(["ip", "-6", "addr", "replace", "fd00::77/64", "dev", "lo", "nodad"], check=True)
    places = set(re.findall(r"https://(\[[0-9a-f:]+\]|[\w.]+):(\d+)/", data.up()))
    expect({("[fd00::77]", "8443"), ("[fd00::77]", "8445")} <= places, places)
    for host, port in places:
        socket.create_connection((host.strip("[]"), int(port)), 5).close()


def components_show_themselves_in_ps(data):
    data.up()
    for name in COMPONENTS:
        words = Path(f"/proc/{data.pid(name)}/cmdline").read_text().split("\0")
        expect(words[:2] == ["convoke", name], words)
        expect(os.getsid(data.pid(name)) == data.pid(name), name, "is in the terminal's session")


def a_killed_component_is_back_within_five_seconds(data):
    data.up()
    for name in COMPONENTS:
        old = data.pid(name)
        os.kill(old, signal.SIGKILL)
        wait_for(f"another {name}", lambda: data.pid(name) not in (0, old) and data.ready(), BACK_S)
        expect(f"{name} ended by signal 9 (Killed), starting it again in 0.2 s" in data.log(),
               data.log())


def a_component_that_hangs_is_killed_and_started_again(data):
    data.up()
    old = data.pid("webbridge")
    os.kill(old, signal.SIGSTOP)
    wait_for("status tells it", lambda: "silent" in data.run("status").stdout, 6)
    wait_for("another webbridge", lambda: data.pid("webbridge") not in (0, old) and data.ready(), 30)
    expect("webbridge did not answer for 10 s and was killed" in data.log(), data.log())


def down_ends_everything_and_says_so(data):
    data.up()
    pids = [data.pid(name) for name in (*COMPONENTS, "supervisor")]
    done = data.run("down")
    expect(done.returncode == 0 and "has ended" in done.stdout, done.stdout, done.stderr)
    wait_for("their end", lambda: not any(alive(pid) for pid in pids), 5)
    expect(data.run("status").returncode == 1, "status is content with nothing")
    log = data.log()
    expect(log.index("callbridge has ended") < log.index("webbridge has ended"), "order of ends")


def ctrl_c_ends_it_in_the_foreground(data):
    with subprocess.Popen([convoke, "up", "--data", str(data.path)], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True) as child:
        said = ""
        while "Ctrl-C" not in said:
            line = child.stdout.readline()
            expect(line, "ended before it was ready:", said)
            said += line
        pids = [data.pid(name) for name in COMPONENTS]
        child.send_signal(signal.SIGINT)
        expect(child.wait(25) == 0, "status", child.returncode)
        expect(not any(alive(pid) for pid in pids), "components are still there")


def components_end_with_a_supervisor_that_is_killed(data):
    data.up()
    pids = [data.pid(name) for name in COMPONENTS]
    os.kill(data.pid("supervisor"), signal.SIGKILL)
    wait_for("their end", lambda: not any(alive(pid) for pid in pids), 12)
    data.up()  # what is left of the earlier one is in nobody's way
    expect(data.ready(), "not ready")


def settings_are_changed_and_taken_up_by_a_restart(data):
    data.up()
    said = data.set("webadmin listen lo 8446")
    expect("callbridge runs with earlier settings until: convoke mmp callbridge restart" in said, said)
    expect("webadmin listen lo 8446\n" in (data.path / "convoke.conf").read_text(), "not written")
    web = data.pid("webbridge")
    data.set("webadmin restart")
    socket.create_connection(("127.0.0.1", 8446), 3).close()
    expect(data.pid("webbridge") == web, "the Web Bridge was restarted as well")
    expect("earlier settings" not in data.run("status").stdout, "still outdated")


def a_component_is_disabled_and_enabled_live(data):
    data.up()
    old = data.pid("webbridge")
    data.set("webbridge3 disable")
    wait_for("its end", lambda: not alive(old), 12)
    status = data.run("status")
    expect(re.search(r"webbridge +- +disabled", status.stdout), status.stdout)
    expect(status.returncode == 0, "what is disabled counts as missing")
    data.set("webbridge3 enable")
    wait_for("its start", lambda: data.pid("webbridge") not in (0, old) and data.ready(), BACK_S)


def a_clash_is_told_once_and_blocks_nobody_else(data):
    data.up()
    said = data.mmp("callbridge sip listen 5060 8445").stdout
    expect("SUCCESS" in said and "FAILURE: TCP port 8445 is wanted by SIP over TLS and by Web Admin"
           in said, said)
    bridge, web = data.pid("callbridge"), data.pid("webbridge")
    said = data.mmp("callbridge restart").stdout
    expect("FAILURE: TCP port 8445" in said and data.pid("callbridge") == bridge, said)
    data.set("webbridge3 restart")
    wait_for("another webbridge", lambda: data.pid("webbridge") not in (0, web), BACK_S)
    said = data.set("webbridge3 disable")
    expect("FAILURE" not in said, said)
    said = data.set("webbridge3 enable")
    expect("FAILURE" not in said, said)
    wait_for("its start", data.ready, BACK_S)
    data.set("callbridge sip listen 5060 5061")
    data.set("callbridge restart")
    wait_for("another callbridge", lambda: data.pid("callbridge") not in (0, bridge), BACK_S)


def certificates(folder):
    """A server's certificate, and the intermediate that vouches for it, which peers do not know."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    (folder / "ca.ext").write_text("basicConstraints=critical,CA:true\n")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
            "/CN=Root", "-days", "2", "-keyout", "root.key", "-out", "root.crt")
    for name, issuer, extra in (("between", "root", ["-extfile", "ca.ext"]), ("meet", "between", [])):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                f"/CN={name}.example.com", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{issuer}.crt", "-CAkey", f"{issuer}.key",
                "-CAcreateserial", "-days", "2", "-out", f"{name}.crt", *extra)
    for path in folder.iterdir():
        shutil.chown(path, folder.stat().st_uid, folder.stat().st_gid)


def bundles_of_intermediates_are_sent(data):
    """Who knows the root alone can verify Web Admin and SIP over TLS."""
    data.up()
    certificates(data.path)
    for part in ("webadmin", "callbridge"):
        data.set(f"{part} certs meet.key meet.crt between.crt")
    data.set("callbridge restart")
    wait_for("ready again", data.ready, BACK_S)
    for port in (8445, 5061):
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile",
                               str(data.path / "root.crt"), "-verify_return_error"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10,
                              check=False)
        expect("Verify return code: 0 (ok)" in done.stdout, port, done.stdout, done.stderr)


def mistakes_are_answered_as_cms_does(data):
    data.up()
    for command, want in (("xmpp enable", "Unknown command"),
                          ("callbridge lisen a", 'FAILURE: unknown word "lisen"; expected listen'),
                          ("webadmin certs webadmin.key callbridge.crt", "FAILURE: Key and cert")):
        done = data.mmp(command)
        expect(done.returncode != 0 and want in done.stdout, command, done.stdout, done.stderr)
    expect("Enabled" in data.mmp("webadmin").stdout, "no status block")
    expect("STATUS : webadmin running" in data.mmp("webadmin").stdout, "not running")


def a_wrong_line_is_named_and_nothing_starts(data):
    data.up()
    data.run("down")
    with open(data.path / "convoke.conf", "a", encoding="utf-8") as file:
        file.write("# one line too many\nwebbridge3 https listen 8443\n")
    line = len((data.path / "convoke.conf").read_text().splitlines())
    done = data.run("up", "--detach")
    expect(done.returncode == 1, "it started")
    expect(f"convoke.conf, line {line}: " in done.stderr and "expected" in done.stderr, done.stderr)
    (data.path / "convoke.conf").write_text("callbridge disable\nwebbridge3 disable\nssh disable\n")
    done = data.run("up", "--detach")
    expect(done.returncode == 1 and "nothing is enabled" in done.stderr, done.stderr)


def a_taken_port_is_named_with_its_holder_and_the_remedy(data):
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("0.0.0.0", 8445))
        taken.listen()
        done = data.run("up", "--detach")
    expect(done.returncode == 1, "it started")
    for want in ("8445", f"(process {os.getpid()})", "convoke mmp webadmin listen <iface> <port>"):
        expect(want in done.stderr, want, "is not in", done.stderr)
    expect(data.run("status").returncode == 1, "something was left running")
    data.up()


def without_root_it_owns_nothing_but_its_folder(data):
    """The folder's owner is who it runs as, with one capability if a port needs it."""
    data.up()
    data.run("down")
    user = 65534
    os.chmod(data.path.parent, 0o755)
    for path in (data.path, *data.path.rglob("*")):
        os.chown(path, user, user, follow_symlinks=False)
    data.set("webadmin listen lo 445")
    data.up()
    expect(data.ready(), "not ready")
    for name in (*COMPONENTS, "supervisor"):
        status = Path(f"/proc/{data.pid(name)}/status").read_text()
        expect(re.search(rf"^Uid:\t{user}\t{user}\t{user}\t{user}$", status, re.M), name, status)
        expect("NoNewPrivs:\t1" in status, name, "may gain privileges")
        expect(int(re.search(r"CapPrm:\t(\w+)", status)[1], 16) in (0, 1 << 10), name, status)
    socket.create_connection(("127.0.0.1", 445), 3).close()


CASES = [value for value in list(globals().values())
         if callable(value) and getattr(value, "__code__", None)
         and value.__code__.co_varnames[:value.__code__.co_argcount] == ("data",)]


def run_case(case):
    data = Data()
    try:
        case(data)
        print("ok supervisor." + case.__name__, flush=True)
        return True
    except (Wrong, OSError, ValueError, subprocess.TimeoutExpired) as why:
        print(f"FAIL supervisor.{case.__name__}: {' '.join(str(why).split())}", flush=True)
        return False
    finally:
        data.end()


def main():
    if "CONVOKE_OWN_NETWORK" not in os.environ:
        os.environ["CONVOKE_OWN_NETWORK"] = "1"
        os.execvp("unshare", ["unshare", "--net", sys.executable, *sys.argv])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    wanted = sys.argv[2:]
    results = [run_case(case) for case in CASES if not wanted or case.__name__ in wanted]
    sys.exit(0 if results and all(results) else 1)


main()

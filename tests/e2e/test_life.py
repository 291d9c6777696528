# SPDX-License-Identifier: Apache-2.0
"""Life of the server: first start, settings that are wrong, ports that are taken, `status`, `down`,
`ps`, and what is kept from one start to the next."""
import os
import re
import signal
import stat
import time

from baresip import Baresip
from harness import alive, case, end, expect, expect_equal, main, processes, wait_for
from probe import Probe
from server import Server


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def refused(server, seconds=15):
    """What a start that must not succeed says; its exit status is not 0."""
    wait_for("the start is given up", lambda: server.process.poll() is not None, seconds)
    expect(server.process.returncode not in (0, None), "exit status", server.process.returncode)
    expect(server.process.returncode > 0, "a signal ended it:", server.process.returncode)
    return (server.world.folder / server.log_name).read_text(errors="replace")


@case
def a_first_start_furnishes_the_data_folder(world):
    server = Server(world)
    data = server.data
    expect_equal(mode(data), 0o700, "mode of the folder")
    for name in ("convoke.conf", "admin-password"):
        expect((data / name).is_file(), name, "is not there:", os.listdir(data))
    expect_equal(oct(mode(data / "admin-password")), oct(0o600), "mode of admin-password")
    expect(len(server.password()) >= 16, "the password is short")
    expect(list(data.glob("*.db*")) or list(data.glob("*.sqlite*")), "no database")
    keys = list(data.glob("*.key"))
    expect(keys and list(data.glob("*.crt")), "no certificate")
    for secret in [*keys, *data.glob("*.db*")]:
        expect(not mode(secret) & 0o077, secret.name, "may be read by others:", oct(mode(secret)))
    demo = server.api.find("coSpaces", name="Demo")
    expect(demo is not None, "no space Demo")
    detail = server.api.get(f"coSpaces/{demo.get('id')}")
    expect_equal((detail.findtext("uri"), detail.findtext("callId")), ("demo", "1001"), "Demo")
    said = (world.folder / server.log_name).read_text()
    for word in ("https://", ":8443", "8445", "sip:", "admin-password"):
        expect(word in said, "the start says nothing of", word)
    expect(server.password() not in said, "the start prints the password")
    expect_equal(server.api.request("GET", "/api/v1/system/status").status, 200, "with password")
    other = server.api.request("GET", "/api/v1/system/status",
                               headers={"Authorization": "Basic YWRtaW46YWRtaW4="})
    expect_equal(other.status, 401, "status with a wrong password")


@case
def what_was_acknowledged_is_there_after_kill_9_and_a_new_start(world):
    server = Server(world)
    space = server.api.post("coSpaces", name="Kept", uri="kept")
    for pid, line in processes().items():
        if "convoke" in line.split()[0]:
            os.kill(pid, signal.SIGKILL)
    wait_for("all are gone", lambda: server.pid_of("callbridge") is None
             and server.process.poll() is not None, 5)
    again = Server(world, data=server.data)
    expect_equal(again.password(), server.password(), "the password")
    expect_equal(again.api.get(f"coSpaces/{space}").findtext("name"), "Kept", "the space")
    expect_equal(Probe(world, 1).dial("kept"), 200, "the answer of the kept space")
    again.down()


@case
def a_wrong_line_of_convoke_conf_is_named_with_what_was_expected(world):
    server = Server(world)
    server.down()
    settings = (server.data / "convoke.conf").read_text()
    lines = settings.splitlines()
    for wrong, expected in (("webadmin lisen any 8445", "listen"),
                            ("callbridge media 50000 banana", "port"),
                            ("frobnicate enable", "callbridge")):
        (server.data / "convoke.conf").write_text("\n".join([*lines, wrong]) + "\n")
        again = Server(world, data=server.data, wait=False)
        again.process.wait(10)
        said = refused(again)
        expect(re.search(rf"\b{len(lines) + 1}\b", said), "the line's number is not named:", said)
        expect(expected in said, f"{expected!r} is not among what was expected:", said)
        expect(any(f'"{word}"' in said for word in wrong.split()), "the word is not named:", said)
        expect_equal((server.data / "convoke.conf").read_text().splitlines()[-1], wrong,
                     "the file's last line")
        expect(server.pid_of("callbridge") is None, "a component runs")
    (server.data / "convoke.conf").write_text(settings)
    Server(world, data=server.data).down()


@case
def a_port_that_is_taken_is_named_with_its_owner(world):
    for port, kind in ((5060, "TCP"), (5060, "UDP"), (8443, "TCP"), (8445, "TCP"), (50000, "UDP")):
        kinds = {"TCP": "SOCK_STREAM", "UDP": "SOCK_DGRAM"}
        code = (f"import socket, time; s = socket.socket(type=socket.{kinds[kind]});"
                f"s.bind(('0.0.0.0', {port}));{'s.listen();' if kind == 'TCP' else ''}"
                "print('bound', flush=True); time.sleep(60)")
        log = f"taker-{kind}{port}.log"
        taker = world.start(["/usr/bin/python3", "-c", code], log)
        wait_for("the port is taken", lambda: "bound" in (world.folder / log).read_text(), 5)
        said = refused(Server(world, wait=False))
        expect(str(port) in said, "the port", port, "is not named:", said)
        expect("python3" in said, f"its owner is not named for {kind} {port}:", said)
        expect(str(taker.pid) in said, f"its owner's number is not named for {kind} {port}:", said)
        end(taker)


@case
def status_and_ps_tell_what_runs(world):
    server = Server(world)
    expect_equal(server.command("status")[0], 0, "exit status of status")
    lines = [line for line in processes().values() if "convoke" in line]
    for component in ("callbridge", "webbridge"):
        expect(any(line.startswith(f"convoke {component}") for line in lines),
               f"ps shows no `convoke {component} ...`:", lines)
    pid = server.pid_of("webbridge")
    os.kill(pid, signal.SIGSTOP)
    wait_for("status notices a component that does not answer",
             lambda: server.command("status")[0] != 0, 30, 0.5)
    os.kill(pid, signal.SIGCONT)
    server.wait_ready(30)
    server.down()
    status, said = server.command("status")
    expect(status != 0, "exit status of status after down is 0:", said)
    expect(len(said.strip().splitlines()) >= 1, "status says nothing after down")
    status, _ = server.command("down")
    expect(status != 0 or "not" in _, "a second down says nothing of it:", _)


@case
def a_second_up_on_the_same_folder_is_refused(world):
    server = Server(world)
    second = Server(world, data=server.data, wait=False)
    said = refused(second)
    expect("run" in said, "it says", said)
    expect(str(server.process.pid) in said, "the one that runs is not named:", said)
    expect_equal(server.command("status")[0], 0, "exit status of status for the first")
    server.down()


@case
def down_and_ctrl_c_end_calls_with_bye_and_leave_no_process(world):
    for way in ("down", "SIGINT", "SIGTERM"):
        server = Server(world)
        phone = Baresip(world, 2, transport="tcp").join()
        probe = Probe(world, 1).join()
        began = time.monotonic()
        if way == "down":
            server.down()
        else:
            server.process.send_signal(getattr(signal, way))
            wait_for("the supervisor ends", lambda: server.process.poll() is not None, 10)
            expect_equal(server.process.returncode, 0, f"exit status after {way}")
        expect(time.monotonic() - began < 8, way, "took", time.monotonic() - began, "s")
        wait_for(f"BYE at the probe after {way}", lambda: probe.ended, 3)
        phone.wait_event("CALL_CLOSED", 3)
        expect(server.pid_of("callbridge") is None, "a component is left")
        expect(server.pid_of("webbridge") is None, "a component is left")
        end(phone.process)
        probe.close()


@case
def components_end_when_their_supervisor_is_killed(world):
    server = Server(world)
    probe = Probe(world, 1).join()
    os.kill(server.process.pid, signal.SIGKILL)
    wait_for("the components end", lambda: server.pid_of("callbridge") is None
             and server.pid_of("webbridge") is None, 10)
    wait_for("BYE at the phone", lambda: probe.ended, 3)


@case
def detach_returns_when_everything_answers(world):
    server = Server(world, start=False)
    world.at_end(lambda: server.command("down"))
    began = time.monotonic()
    status, said = server.command("up", "--detach")
    expect_equal(status, 0, f"exit status of up --detach, which said {said!r},")
    expect(time.monotonic() - began < 30, "it took long")
    expect_equal(server.command("status")[0], 0, "exit status of status at that moment")
    expect("8443" in said, "the links are not printed:", said)
    expect_equal(Probe(world, 1).dial(), 200, "the answer to a call")
    expect_equal(server.command("down")[0], 0, "exit status of down")
    expect(server.pid_of("callbridge") is None, "the Call Bridge is still there")


@case
def another_machine_cannot_read_the_metrics(world):
    server = Server(world)
    expect("call_legs" in server.metrics(), "no metrics on this machine")
    answer = server.api.request("GET", "/metrics")
    expect_equal(answer.status, 403, "status of /metrics by the network's address")
    server.down()


main()

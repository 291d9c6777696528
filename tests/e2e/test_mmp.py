# SPDX-License-Identifier: Apache-2.0
"""The command line by SSH and its files by SFTP, as administrators and their scripts use them: OpenSSH's
own clients, a dialogue driven by expect, every role's refusals, and strangers at the door."""
import os
import re
import socket
from pathlib import Path

import network
from harness import case, expect, expect_equal, main, processes, wait_for
from login import PASSWORD, PORT, Login, add, audit, mmp
from server import Api, Server


# -- commands -----------------------------------------------------------------------------------------

@case
def a_command_is_answered_and_its_status_says_how(world):
    status, said = world.anna.ssh("webadmin")
    expect_equal(status, 0, "status")
    expect(re.search(r"^Enabled\s*: true$", said, re.M), said)
    expect("\nSTATUS : webadmin running\n" in said and "\r" not in said, repr(said))
    for command, want, words in (("version", 0, "0."), ("callbridge limit 900", 0, "SUCCESS:"),
                                 ("callbridge limit none", 1, "FAILURE:"),
                                 ("pki match no.key no.crt", 1, "FAILURE:"),
                                 ("nonsense", 1, "Unknown command: nonsense\n")):
        status, said = world.anna.ssh(command)
        expect_equal((status, words in said), (want, True), f"{command}: {said!r}")
    lines = [line for line in audit(world).splitlines() if "callbridge limit" in line]
    expect(lines[0].endswith('user "anna" from 127.0.0.1: callbridge limit 900'), lines)
    expect(lines[1].endswith("callbridge limit none (FAILURE)"), lines)


@case
def a_script_types_its_lines_and_its_passwords(world):
    secret = "s3cret s3cret"
    status, said = world.anna.ssh(stdin=f"version\nuser add carl api\n{secret}\n{secret}\nuser list")
    expect_equal(status, 0, said)
    expect("SUCCESS: user carl added\n" in said, said)
    expect(re.search(r"^carl\s+api\s+none\s+active$", said, re.M), said)
    expect(secret not in audit(world) + world.server.log(), "a password was logged")
    wait_for("the API knows carl", lambda: Api("carl", secret).get("calls") is not None)
    status, said = world.anna.ssh("user", "add", "dora", "api", stdin=f"{secret}\nother\n")
    expect(status == 1 and "FAILURE: the passwords are not the same" in said, status, said)
    status, said = world.anna.ssh("user", "del", "carl")
    expect(status == 0, said)


DIALOGUE = r"""
set timeout 20
proc want {text} {
    expect {
        -ex $text {}
        timeout { puts "MISSING <$text>"; exit 3 }
        eof { puts "ENDED <$text>"; exit 4 }
    }
}
spawn {*}$argv
want "> "
send "vers\t\r"; want "version "; want "0."; want "> "
send "pki \t"; want "inspect"; want "match"; send "\025"
send "sstatus\001\033\[3~\005\r"; want "Unknown command: status"; want "> "
send "\033\[A\033\[A\r"; want "0."; want "> "
send "half a line\003"; want "^C"; want "> "
send "user add emil audit\r"; want "new password:"; send "One2three!\r"; want "again:"; send "One2three!\r"
want "SUCCESS: user emil added"; want "> "
send "passwd emil\r"; want "new password:"; send "\003"; want "FAILURE: no password was given"; want "> "
send "version\r"; want "0."; want "> "
send "\004"
expect eof
catch wait result
exit [lindex $result 3]
"""


@case
def a_person_has_a_prompt_and_an_editor(world):
    said = world.anna.by_hand(world.path("dialogue.exp"), DIALOGUE)
    expect("One2three" not in said, "the password was shown")
    expect("emil" in world.anna.ssh("user", "list")[1], "emil is not there")


FOLLOWING = DIALOGUE.partition("spawn")[0] + r"""
spawn {*}$argv
want "> "
send "syslog follow\r"; want "logged in from"
send "\003"; want "^C"; want "> "; send "version\r"; want "0."; want "> "; send "\004"
expect eof
catch wait result
exit [lindex $result 3]
"""


@case
def what_goes_on_ends_with_ctrl_c_or_with_the_person(world):
    world.anna.by_hand(world.path("following.exp"), FOLLOWING)
    follower = world.anna.start("syslog follow")
    expect(follower.stdout.readline(), "nothing is followed")
    add(world, "ingo", "audit").may_log_in()
    while b"ingo" not in (line := follower.stdout.readline()):
        expect(line, "it ended by itself")
    follower.kill()
    follower.wait()
    wait_for("its session is gone", lambda: not any(" ssh-session " in line for line in processes().values()), 20)


@case
def a_line_of_a_megabyte_is_refused(world):
    status, said = world.anna.ssh(stdin="a" * 1000000 + "\nversion\n")
    expect_equal((status, said.splitlines()[0]),
                 (1, "FAILURE: the command is longer than 4096 bytes"), said[:200])
    expect(said.splitlines()[1].startswith("0."), said[:200])
    status, said = world.anna.ssh("a" * 100000)
    expect_equal((status, said), (1, "FAILURE: the command is longer than 4096 bytes\n"), "exec")


# -- files --------------------------------------------------------------------------------------------

@case
def files_are_brought_and_fetched(world):
    data, mine = world.server.data, world.path("files")
    mine.mkdir()
    network.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", "2", "-subj", "/CN=meet", "-keyout", f"{mine}/meet.key", "-out", f"{mine}/meet.crt")
    said = world.anna.sftp(f"put {mine}/meet.key", f"put {mine}/meet.crt", "ls -l",
                           f"get meet.crt {mine}/again.crt", f"get audit {mine}/audit")
    expect_equal((mine / "again.crt").read_bytes(), (mine / "meet.crt").read_bytes(), said)
    expect_equal(oct((data / "meet.key").stat().st_mode & 0o777), "0o600", "mode")
    expect("sftp put meet.key" in (mine / "audit").read_text(), "the audit log says nothing")
    status, said = world.anna.ssh("pki match meet.key meet.crt")
    expect(status == 0 and "match" in said, said)
    # What is brought replaces the old one whole, or not at all.
    (mine / "big.crt").write_bytes(b"x" * (3 << 20))
    said = world.anna.sftp(f"put {mine}/big.crt meet.crt", "rename meet.crt other.crt", "rm meet.key",
                           f"get other.crt {mine}/other.crt")
    expect_equal((mine / "other.crt").read_bytes(), (mine / "again.crt").read_bytes(), said)
    expect(not (data / "meet.key").exists(), "it was not removed")
    expect(not list((data / "run").glob("upload-*")), "half a file was left")
    done = world.anna._run(world.anna.command("scp", mine / "meet.crt", f"{world.anna.target}:scp.crt"), "")
    expect(done.returncode == 0 and (data / "scp.crt").exists(), done.stderr)


@case
def no_path_leads_out_of_the_folder(world):
    data, mine = world.server.data, world.path("escape")
    mine.mkdir()
    (mine / "x.crt").write_text("x")
    (data / "link.crt").symlink_to("/etc/passwd")
    before = sorted(str(file.relative_to(data)) for file in data.rglob("*"))
    names = ["../../etc/passwd", "/etc/passwd", "convoke.conf", "accounts", "jwt.key", "convoke.db",
             "admin-password", "ssh_host_ed25519", "run/ssh.sock", "log/audit", "link.crt", ".", "..",
             "./../data/convoke.conf", "meet.crt/../convoke.conf"]
    commands = []
    for at, name in enumerate(names):
        commands.append(f"get {name} {mine}/got{at}")
        if name not in (".", "link.crt"):  # into the folder, and a name that may be replaced
            commands += [f"put {mine}/x.crt {name}", f"rm {name}"]
    world.anna.sftp(*commands, "mkdir sub", "ln -s /etc/passwd y.crt", f"put {mine}/x.crt log",
                    f"put {mine}/x.crt ../../tmp/x.crt", "rename x.crt ../x.crt", "cd run", "cd ..", "chmod 777 log")
    expect_equal(sorted(file.name for file in mine.iterdir()), ["x.crt"], "what was got")
    after = sorted(str(file.relative_to(data)) for file in data.rglob("*"))
    expect_equal([name for name in after if name not in before], [], "what is new")
    expect_equal([name for name in before if name not in after], [], "what is gone")
    (data / "link.crt").unlink()


# -- roles --------------------------------------------------------------------------------------------

@case
def each_role_has_its_own_commands_and_files(world):
    mine = world.path("roles")
    mine.mkdir()
    (mine / "r.key").write_text("a key")
    (world.server.data / "r.crt").write_text("a certificate")
    table = {
        "crypto": (["pki list", "tls sip verify enable", "version"],
                   ["user list", "callbridge restart", "syslog level debug", "ssh listen any 22"],
                   {"r.key": True, "webadmin.key": True, "r.crt": True, "audit": False, "log": False}),
        "audit": (["syslog level info", "syslog search ready", "version"], ["user list", "pki list", "callbridge limit 5", "tls"],
                  {"r.key": False, "webadmin.key": False, "r.crt": False, "audit": True, "log": True}),
        "appadmin": (["callbridge limit 950", "webadmin"], ["user list", "pki list", "ssh disable"],
                     {"r.key": False, "webadmin.key": False, "r.crt": True, "audit": False, "log": True}),
    }
    for role, (good, bad, files) in table.items():
        login = add(world, f"r{role}", role)
        status, said = login.ssh(stdin="".join(f"{command}\n" for command in good))
        expect_equal((status, "FAILURE" in said), (0, False), f"{role}: {said}")
        status, said = login.ssh(stdin="".join(f"{command}\n" for command in bad))
        refused = said.count("FAILURE") + said.count("Unknown command")
        expect_equal((status, refused), (1, len(bad)), f"{role}: {said}")
        status, said = login.ssh("passwd", "anna", stdin="x\nx\n")
        expect("FAILURE: only users of role admin" in said, said)
        said = login.sftp(f"put {mine}/r.key", *[f"get {name} {mine}/{role}-{name}" for name in files])
        got = {name: (mine / f"{role}-{name}").exists() for name in files}
        expect_equal(got, files, f"{role}: {said}")
    robot = add(world, "robot", "api")
    expect(not robot.may_log_in(), "role api has a command line")
    expect(Api("robot", PASSWORD).get("calls") is not None, "and no API")


# -- passwords ----------------------------------------------------------------------------------------

@case
def wrong_passwords_lock_and_are_told(world):
    other = network.Machine(2)
    right = add(world, "frida", "admin", other)
    wrong = Login(world, "frida-wrong", "not it", other)
    wrong.target = right.target
    mmp(world, "user", "rule", "max_failed_logins", "3")
    expect(right.may_log_in(), "frida cannot log in")
    expect(not any(wrong.may_log_in() for _ in range(3)), "a wrong password is right")
    expect(not right.may_log_in(), "it is not locked")
    expect(re.search(r"^frida\s+admin\s+none\s+locked$", mmp(world, "user", "list"), re.M), "user list")
    refused = [line for line in audit(world).splitlines() if f'"frida" from {other.address}: login by SSH refused' in line]
    expect_equal([line.partition("refused: ")[2] for line in refused],
                 ["wrong password", "wrong password; locked for 15 minutes after too many of them"], refused)
    mmp(world, "user", "unlock", "frida")
    expect(right.may_log_in(), "unlocked, and cannot log in")
    mmp(world, "user", "rule", "max_failed_logins", "20")


@case
def an_ended_password_is_good_for_a_new_one_alone(world):
    login = add(world, "gerd", "admin")
    mmp(world, "user", "expire", "gerd")
    status, said = login.ssh("version")
    expect(status == 1 and "change it by passwd" in said, said)
    expect("denied" in login.sftp("get log /dev/null").lower() or
           "not found" in login.sftp("get log /dev/null").lower(), "SFTP serves it")
    status, said = login.ssh("passwd", stdin=f"{PASSWORD}\nshort\nshort\n")
    expect(status == 1 and "at least 8 characters" in said, said)
    status, said = login.ssh("passwd", stdin=f"{PASSWORD}\nAnother 0ne\nAnother 0ne\n")
    expect(status == 0 and "SUCCESS: password of gerd changed" in said, said)
    expect(not login.may_log_in(), "the old password is still good")
    (login.folder / "ask").write_text("#!/bin/sh\necho 'Another 0ne'\n")
    expect(login.may_log_in(), "the new password is not good")


@case
def sessions_are_counted_and_ended(world):
    login = add(world, "hans", "appadmin")
    mmp(world, "user", "rule", "max_sessions", "1")
    first = login.start()
    first.stdin.write(b"version\n")
    first.stdin.flush()
    expect(first.stdout.readline().startswith(b"0."), "no session")
    expect(not login.may_log_in(), "there are two sessions")
    expect("SUCCESS: 1 session ended" in mmp(world, "user", "evict", "hans"), "evict")
    expect_equal(first.wait(20), 255, "the session's end")
    wait_for("hans may come again", login.may_log_in, 20)
    mmp(world, "user", "rule", "max_sessions", "none")
    second = login.start()
    second.stdin.write(b"version\n")
    second.stdin.flush()
    second.stdout.readline()
    expect("SUCCESS" in mmp(world, "user", "del", "hans"), "del")
    expect_equal(second.wait(20), 255, "the end of a user who is gone")


# -- strangers ----------------------------------------------------------------------------------------

@case
def strangers_are_kept_few_and_apart(world):
    other = network.Machine(3)
    crowd = [other.socket(socket.SOCK_STREAM) for _ in range(8)]
    for one in crowd:
        one.settimeout(20)
        one.connect((network.SERVER, PORT))
    greeted = 0
    for one in crowd:
        try:
            greeted += one.recv(64).startswith(b"SSH-2.0-")
        except OSError:
            pass
    expect_equal(greeted, 4, "strangers of one address that are heard")
    fronts = [pid for pid in Path("/proc").iterdir() if pid.name.isdigit()
              and (pid / "comm").read_text(errors="replace") == "convoke ssh\n"]
    locked = [re.search(r"^Seccomp:\s+(\d)", (pid / "status").read_text(), re.M).group(1) for pid in fronts]
    expect(len(locked) >= 4 and set(locked) == {"2"}, "not locked in:", locked)
    expect(world.anna.may_log_in(), "others cannot come")
    crowd[0].sendall(b"GET / HTTP/1.1\r\n\r\n" + os.urandom(5000))
    for one in crowd:
        one.close()
    old = world.anna._run([word.replace("LogLevel=ERROR", "LogLevel=INFO") for word in world.anna.command(
        "ssh", "-o", "KexAlgorithms=diffie-hellman-group14-sha1", world.anna.target, "version")], "")
    expect(old.returncode == 255 and b"no matching key exchange" in old.stderr, old.stderr)
    expect(world.anna.may_log_in(), "after garbage nobody can come")


@case
def without_accounts_there_is_no_port(world):
    accounts = world.server.data / "accounts"
    kept = accounts.read_text()

    def replace(text):
        new = accounts.with_name("accounts.test")
        new.write_text(text)
        new.rename(accounts)

    def answers():
        try:
            socket.create_connection(("127.0.0.1", PORT), 5).close()
            return True
        except OSError:
            return False
    replace("".join(line for line in kept.splitlines(True) if not line.startswith("account")))
    wait_for("the port is closed", lambda: not answers(), 10)
    replace(kept)
    wait_for("the port is open again", answers, 10)
    expect(world.anna.may_log_in(), "anna cannot log in")


def set_up(world):
    world.server = Server(world)
    world.anna = add(world, "anna", "admin")


if __name__ == "__main__":
    main(set_up)

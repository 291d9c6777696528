# SPDX-License-Identifier: Apache-2.0
"""The house itself, by SSH and SFTP: backups that bring everything back, here and on a fresh server; the
words of the founding documents' streamer and uploader; logs, bundles, captures, and what the machine
says of itself."""
import gzip
import io
import re
import socket
import sqlite3
import struct
import tarfile

import network
from harness import case, expect, expect_equal, main, processes, wait_for
from login import add, audit
from server import Api, Server

PASSWORD = "Another 0ne!"


def words_of(text):
    """Lines without the padding that no document tells."""
    return [re.sub(r"\s+", " ", line).strip() for line in text.strip().splitlines()]


def type_all(login, commands):
    status, said = login.ssh(stdin="".join(f"{command}\n" for command in commands))
    return status, words_of(said)


# -- what administrators know by heart ------------------------------------------------------------------

def certificates(data):
    for name in ("tac", "ROOTCA", "vbrick"):
        network.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "3", "-subj", f"/CN={name}.tptac9.com", "-keyout", str(data / f"{name}.key"),
                    "-out", str(data / f"{name}.cer"))
    for file in data.glob("*.key"):
        file.chmod(0o600)


@case
def the_streamer_answers_as_its_founding_document_says(world):
    certificates(world.server.data)
    status, said = type_all(world.anna, ["streamer sip listen a 7000 7001", "streamer enable"])
    expect_equal((status, said[-2:]), (1, ["FAILURE: TLS port set but no certificates configured",
                                           "FAILURE: Streamer configuration not complete"]), "enable too early")
    status, said = type_all(world.anna, ["streamer sip listen none 7001", "streamer sip listen a 7000 7001",
                                         "streamer sip certs tac.key tac.cer", "streamer sip resolution 720p",
                                         "tls sip trust ROOTCA.cer", "tls sip verify enable"])
    expect(status == 0 and not any("FAILURE" in line for line in said), said)
    status, said = world.anna.ssh("streamer")
    expect_equal(words_of(said), [
        "Enabled : false", "SIP interfaces : tcp a:7000, tls a:7001", "SIP key file : tac.key",
        "SIP certificate file : tac.cer", "SIP CA Bundle file : none", "SIP Resolution : 720p",
        "SIP traffic trace : Disabled", "Call Limit : none"], "streamer")
    status, said = world.anna.ssh("streamer enable")
    expect_equal((status, words_of(said)[:2]), (0, ["SUCCESS: Key and certificate pair match",
                                                    "SUCCESS: Streamer enabled"]), "enable")
    expect("does not run it" in said, said)
    expect("STATUS : streamer not running" in world.anna.ssh("streamer")[1], "it seems to run")
    type_all(world.anna, ["streamer disable", "tls sip trust none", "tls sip verify disable"])


@case
def the_uploader_answers_as_its_founding_document_says(world):
    status, said = type_all(world.anna, [
        "uploader nfs 192.168.15.38:Recording", "uploader cms host join.mextp.local", "uploader cms port 445",
        "uploader cms user apiadmin", "uploader cms password", PASSWORD.replace(" ", ""),
        "uploader cms trust ROOTCA.cer", "uploader rev host ciscotac.rev-na.demo.vbrick.com",
        "uploader rev port 443", "uploader rev user tacuser", "uploader rev password", PASSWORD.replace(" ", ""),
        "uploader rev trust vbrick.cer"])
    expect(status == 0 and not any("FAILURE" in line for line in said), said)
    status, said = world.anna.ssh("uploader")
    expect_equal(words_of(said), [
        "Enabled : false", "NFS hostname : 192.168.15.38", "NFS directory : Recording",
        "CMS host : join.mextp.local", "CMS port : 445", "CMS user : apiadmin", "CMS trust bundle : ROOTCA.cer",
        "Vbrick Rev hostname : ciscotac.rev-na.demo.vbrick.com", "Vbrick Rev port : 443",
        "Vbrick Rev username : tacuser", "Vbrick Rev trust bundle : vbrick.cer", "View access : Public",
        "cospace_member_access : edit", "recording_owned_by_cospace_owner : false", "fallback_owner : admin",
        "comments_enabled : true", "ratings_enabled : true", "downloads_enabled : true",
        "active_upon_upload : true", "delete_after_upload : false"], "uploader")
    status, said = world.anna.ssh("uploader enable")
    expect_equal((status, words_of(said)[0]), (0, "SUCCESS: uploader enabled"), said)
    expect(PASSWORD.replace(" ", "") not in audit(world), "a password stands in the audit log")


# -- backups ----------------------------------------------------------------------------------------------

@case
def a_rollback_brings_the_old_world_back(world):
    api, data, mine = world.server.api, world.server.data, world.path("backups")
    mine.mkdir()
    api.post("coSpaces", name="Before", uri="before")
    type_all(world.anna, ["user add olga api", PASSWORD, PASSWORD, "callbridge limit 321"])
    status, said = world.anna.ssh("backup snapshot monday")
    expect(status == 0 and "monday.bak ready for download" in said, said)
    expect_equal(oct((data / "monday.bak").stat().st_mode & 0o777), "0o600", "mode")
    expect("monday.bak" in world.anna.ssh("backup list")[1], "list")
    expect("denied" in add(world, "carl", "appadmin").sftp(f"get monday.bak {mine}/stolen").lower()
           or not (mine / "stolen").exists(), "others may have it")
    said = world.anna.sftp(f"get monday.bak {mine}/monday.bak")
    expect((mine / "monday.bak").exists(), said)

    space = api.find("coSpaces", name="Before").get("id")
    api.delete(f"coSpaces/{space}")
    api.post("coSpaces", name="After", uri="after")
    type_all(world.anna, ["user del olga", "callbridge limit 322"])
    key = (data / "webadmin.key").read_bytes()
    (data / "webadmin.key").write_bytes(b"somebody broke it")
    # Half of it, and one with a byte changed: nothing happens.
    whole = (mine / "monday.bak").read_bytes()
    for broken in (whole[:len(whole) // 2], whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:]):
        (mine / "broken.bak").write_bytes(broken)
        world.anna.sftp(f"put {mine}/broken.bak")
        status, said = world.anna.ssh("backup rollback broken")
        expect(status == 1 and "FAILURE" in said and "damaged" in said, said)
    expect(api.find("coSpaces", name="After") is not None, "a broken backup changed something")

    status, said = world.anna.ssh("backup rollback monday")
    expect(status == 0 and "SUCCESS: callbridge restarted" in said, said)
    expect_equal((data / "webadmin.key").read_bytes(), key, "the key")
    wait_for("the Call Bridge answers", lambda: world.server.command("status")[0] == 0, 40)
    expect(api.find("coSpaces", name="Before") is not None, "the space is not back")
    expect(api.find("coSpaces", name="After") is None, "what came later is still there")
    expect("321" in world.anna.ssh("callbridge")[1], "the setting is not back")
    wait_for("olga is back", lambda: Api("olga", PASSWORD).get("calls") is not None, 20)
    # It takes changes again, and the audit log knows.
    api.post("coSpaces", name="Afterwards", uri="afterwards")
    expect('user "anna" from 127.0.0.1: backup rollback monday' in audit(world), "audit")
    world.kept = mine / "monday.bak"


@case
def a_move_of_the_database_that_was_cut_short_ends_by_itself(world):
    """What it leaves when it ends between telling the Call Bridge and writing the settings."""
    with sqlite3.connect(world.server.data / "convoke.db", timeout=10) as database:
        database.execute("UPDATE writer SET former = holder, holder = 'move of a test'")
    database.close()
    api = world.server.api

    def make(name):
        answer = api.request("POST", "/api/v1/coSpaces", f"name={name}&uri={name}",
                             {"Content-Type": "application/x-www-form-urlencoded"}, timeout=20)
        return answer.status
    expect_equal(make("cut0"), 503, "the first change")
    numbers = iter(range(1, 1000))
    wait_for("changes are taken again", lambda: make(f"cut{next(numbers)}") == 200, 20, 0.3)
    expect(api.find("coSpaces", name="cut0") is None, "what was refused is there")
    world.server.wait_log("it stays where it was")


# -- logs -------------------------------------------------------------------------------------------------

@case
def the_audit_log_goes_to_its_own_server(world):
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    server.settimeout(15)
    port = server.getsockname()[1]
    world.anna.ssh(f"syslog audit add 127.0.0.1 {port}")
    world.anna.ssh("callbridge limit 444")
    while b"callbridge limit 444" not in (line := server.recv(2048)):
        expect(b"ready" not in line, "the event log comes, too", line)
    # Facility 10 (security), severity 6: RFC 5424.
    expect(line.startswith(b"<86>1 ") and b'user "anna" from 127.0.0.1' in line, line)
    world.anna.ssh("syslog audit del 127.0.0.1")
    server.close()


@case
def the_log_is_turned_over_and_bundled(world):
    mine = world.path("bundle")
    mine.mkdir()
    status, said = world.anna.ssh("syslog rotate monday")
    expect(status == 0 and "monday.log ready for download" in said, said)
    said = world.anna.sftp(f"get monday.log {mine}/monday.log", "rm monday.log")
    expect("is ready (process" in (mine / "monday.log").read_text(), said)
    expect("a new log is begun" not in (world.server.data / "log/convoke.log").read_text(), "not a new one")
    world.anna.ssh("database cluster password g3heimes")
    said = world.anna.sftp("ls -l", f"get logbundle.tar.gz {mine}/logs.tar.gz")
    bundle = (mine / "logs.tar.gz").read_bytes()
    world.anna.ssh("database cluster password none")
    with tarfile.open(fileobj=io.BytesIO(bundle)) as archive:
        names = archive.getnames()
        about = archive.extractfile("about.txt").read().decode()
    for name in ("convoke.conf", "log/convoke.log", "log/convoke.log.1", "log/audit", "files.txt"):
        expect(name in names, name, "is not in", names)
    expect("callbridge" in about and "OpenSSL" in about and "Filesystem" in about, about)
    text = gzip.decompress(bundle)
    expect(b"database cluster password ***" in text, "the settings are not in it")
    expect(b"g3heimes" not in text and b"argon2" not in text and b"PRIVATE KEY" not in text, "a secret is in it")


# -- the machine ------------------------------------------------------------------------------------------

@case
def the_machine_says_how_it_is(world):
    for command, pattern in (("version", r"^0\.\d+\.\d+\nSystem +: .*\nTLS +: OpenSSL"),
                             ("df", r"Filesystem +Size.*\n(.*\n)+\nFilesystem +Inodes"),
                             ("health", r"Processors .*(.*\n)+.*callbridge +\d+ +ready"),
                             ("uptime", r"^up \d+ days, "), ("date", r"System time : \d{4}-\d\d-\d\d"),
                             ("ntp status", r"^Synchronised : (true|false)"), ("timezone", r"UTC[+-]\d{4}"),
                             ("ipv4 lo", r"Addresses:\n    127\.0\.0\.1/8"), ("iface lo", r"MTU +: \d+"),
                             ("dns lookup a localhost", r"localhost has address 127\.0\.0\.1")):
        status, said = world.anna.ssh(command)
        expect(status == 0 and re.search(pattern, said), f"{command}: {said}")
    for command, use in (("hostname cms2", "hostnamectl"), ("ntp server add 192.0.2.1", "timesyncd"),
                         ("ipv4 a add 192.0.2.9/24 192.0.2.1", "ip address"), ("reboot", "systemctl reboot"),
                         ("shutdown", "systemctl poweroff"), ("timezone Europe/Berlin", "timedatectl"),
                         ("dns add rr x", "unbound"), ("dns lookup mx x", "(a|aaaa|srv|naptr)")):
        status, said = world.anna.ssh(command)
        expect(status == 1 and said.startswith("FAILURE: ") and use in said, f"{command}: {said}")


DIALOGUE = r"""
set timeout 30
proc want {text} {
    expect {
        -ex $text {}
        timeout { puts "MISSING <$text>"; exit 3 }
        eof { puts "ENDED <$text>"; exit 4 }
    }
}
spawn {*}$argv
want "> "
send "backup s\t\r"; want "backup snapshot"; want "something is missing"; want "> "
send "backup snapshot by-hand\r"; want "Copying the database"; want "by-hand.bak ready for download"; want "> "
send "uploader rev password\r"; want "password:"; send "zwei2drei\r"; want "SUCCESS: uploader rev password \*\*\*"; want "> "
send "\004"
expect eof
catch wait result
exit [lindex $result 3]
"""


@case
def a_person_does_it_by_hand(world):
    said = world.anna.by_hand(world.path("house.exp"), DIALOGUE)
    expect("zwei2drei" not in said, "the password was shown")


CAPTURE = DIALOGUE.partition("send")[0] + r"""
send "pcap lo\r"; want "Ctrl-C ends it"
exec {*}$talk
send "\003"; want "packets captured, 0 lost"; want "lo.pcap ready for download"; want "> "
send "\004"
expect eof
catch wait result
exit [lindex $result 3]
"""


@case
def packets_are_captured_for_wireshark(world):
    mine = world.path("packets")
    mine.mkdir()
    talk = ("import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('127.0.0.1', 0)); "
            "s.sendto(b'here I am', s.getsockname()); s.recv(99)")
    (mine / "talk.py").write_text(talk)
    world.anna.by_hand(world.path("capture.exp"), f"set talk [list python3 {mine}/talk.py]\n" + CAPTURE)
    said = world.anna.sftp(f"get lo.pcap {mine}/lo.pcap", "rm lo.pcap")
    packets = (mine / "lo.pcap").read_bytes()
    magic, _, _, _, _, _, link = struct.unpack_from("<IHHiIII", packets)
    expect_equal((magic, link), (0xa1b2c3d4, 1), said)
    at, found = 24, 0
    while at < len(packets):
        _, _, kept, length = struct.unpack_from("<IIII", packets, at)
        found += packets[at + 16:at + 16 + kept].endswith(b"here I am") and kept == length
        at += 16 + kept
    expect_equal((at, found), (len(packets), 1), "whole packets, and ours among them once")
    # Nobody but the one process has the privilege.
    for pid, line in processes().items():
        if "/convoke " in line or line.startswith("convoke "):
            have = re.search(r"^CapPrm:\s+(\w+)", open(f"/proc/{pid}/status").read(), re.M).group(1)
            expect_equal(bool(int(have, 16) & 1 << 13), line.endswith(" tap"), line)
    status, said = world.anna.ssh("pcap nothing0")
    expect(status == 1 and "there is no interface" in said, said)


@case
def a_fresh_server_takes_the_backup(world):
    world.server.down(40)
    fresh = Server(world, data=world.path("fresh"))
    try:
        fresh.command("mmp", "backup", "list")
        (fresh.data / "monday.bak").write_bytes(world.kept.read_bytes())
        status, said = fresh.command("mmp", "backup", "rollback", "monday", timeout=90)
        expect(status == 0 and "SUCCESS: webbridge restarted" in said, said)
        wait_for("it answers", lambda: fresh.command("status")[0] == 0, 40)
        api = Api("olga", PASSWORD)
        expect(api.find("coSpaces", name="Before") is not None, "the space is not there")
        expect_equal((fresh.data / "webadmin.key").read_bytes(), (world.server.data / "webadmin.key").read_bytes(),
                     "the key")
        # As the same machine to those who know it: with the host key that they have seen.
        fresh.command("mmp", "ssh", "restart", timeout=40)
        expect(world.anna.may_log_in(), "anna has no account there, or the host key is another")
    finally:
        fresh.down(40)


def set_up(world):
    world.server = Server(world)
    world.anna = add(world, "anna", "admin")


if __name__ == "__main__":
    main(set_up)

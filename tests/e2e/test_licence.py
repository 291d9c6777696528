# SPDX-License-Identifier: Apache-2.0
"""Licences as a reseller gives them and an administrator brings them: a key and files made by
`convoke license`, brought by SFTP, shown over SSH and by the API, refused with the reason, and
running out beneath a call that goes on."""
import base64
import datetime
import json
import re
import subprocess

from baresip import Baresip
from harness import case, expect, expect_equal, main, wait_for
from login import add
from server import Server

FEATURES = ("callbridge", "turn", "webbridge", "ldap", "branding", "customizations", "recording",
            "streaming", "personal", "shared", "capacity_units")


def tool(world, *words):
    """`convoke license WORDS`, which asks no data folder."""
    done = subprocess.run([str(world.server.program), "license", *[str(word) for word in words]],
                          capture_output=True, text=True, timeout=20, check=False)
    expect(done.returncode == 0, words, done.stderr)
    return done.stdout


def sign(world, key="acme", **claims):
    """A file of these claims, all features granted unless they are named."""
    claims = {"version": 1, "id": "2026-42", "holder": "Example Ltd", "issued": "2026-03-01",
              "features": {name: {} for name in FEATURES}} | claims
    text, file = world.path("claims.json"), world.path("cms.lic")
    text.write_text(json.dumps(claims))
    tool(world, "sign", world.keys / f"{key}.key", text, file)
    return file


def in_seconds(seconds):
    return (datetime.datetime.now(datetime.timezone.utc)
            + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def status(world, feature):
    """What system/licensing says of it."""
    return world.server.api.get("system/licensing").findtext(f"features/{feature}/status")


def wait_status(world, feature, wanted):
    wait_for(lambda: f"{feature} is {wanted}, but it is {status(world, feature)}",
             lambda: status(world, feature) == wanted, 20, 0.2)


def says(world, text):
    world.server.wait_log(text, 15)


def refused_call(world):
    space = world.server.api.find("coSpaces", uri="demo").get("id")
    return world.server.api.request("POST", "/api/v1/calls", f"coSpace={space}")


def bring(world, file):
    said = world.anna.sftp(f"put {file} cms.lic")
    expect("Failure" not in said, "the licence was refused:", said)


def trust(world, name="acme"):
    key = (world.keys / f"{name}.pub").read_text().split()[1]
    code, said = world.anna.ssh("license", "issuer", "add", name, key)
    expect(code == 0 and f"SUCCESS: licences of {name} count here" in said, said)


def distrust(world, name="acme"):
    code, said = world.anna.ssh("license", "issuer", "del", name)
    expect(code == 0 and "everything is activated" in said, said)
    world.anna.sftp("rm cms.lic")
    wait_status(world, "callBridge", "activated")


@case
def who_trusts_nobody_is_not_bothered(world):
    code, said = world.anna.ssh("license")
    expect_equal(code, 0, said)
    for feature in (*FEATURES, "local_license_mode"):
        expect(f"Feature: {feature} status: Activated\n" in said, feature, said)
    expect("License file" not in said, said)
    tree = world.server.api.get("system/licensing")
    expect_equal({item.text for item in tree.iter("status")}, {"activated"}, "statuses")
    expect(tree.find("license") is None and tree.find("features/personal/limit") is None, "bounds")
    expect_equal(world.anna.ssh("license", "check")[0], 1, "there is a file")
    (world.keys / "junk.lic").write_text("a licence of somebody else's product")
    bring(world, world.keys / "junk.lic")
    expect("SUCCESS: nobody's licences count here" in world.anna.ssh("license", "check")[1], "check")
    expect_equal(status(world, "callBridge"), "activated", "with a file of no meaning")
    world.anna.sftp("rm cms.lic")


@case
def a_licence_is_brought_and_shown(world):
    trust(world)
    wait_status(world, "callBridge", "noLicense")
    answer = refused_call(world)
    expect(answer.status == 503 and "participantLimitReached" in answer.body, answer.body)
    says(world, 'unable to start a call (space "Demo") -- no license')
    code, said = world.anna.ssh("license")
    expect("Feature: callbridge status: No license\n" in said and "License file: none" in said, said)
    code, host = world.anna.ssh("license", "host")
    expect(code == 0 and re.fullmatch(r"[0-9a-f-]{36}\n", host), host)
    end = (datetime.date.today() + datetime.timedelta(days=100))
    features = {"callbridge": {"expires": end.isoformat(), "limit": 50}, "webbridge": {},
                "personal": {"limit": 7}}
    file = sign(world, host=host.strip(), features=features)
    bring(world, file)
    wait_status(world, "callBridge", "activated")
    says(world, "license: cms.lic is licence 2026-42 of Example Ltd, signed by acme")
    code, said = world.anna.ssh("license")
    expect(re.search(rf"^Feature: callbridge status: Activated limit: 50 expiry: {end:%Y-%b-%d} "
                     r"\((100|99) days remain\)$", said, re.M), said)
    expect("Feature: webbridge status: Activated expiry: never\n" in said, said)
    expect("Feature: recording status: No license\n" in said, said)
    expect("License file: 2026-42 of Example Ltd, signed by acme\n" in said, said)
    tree = world.server.api.get("system/licensing")
    expect_equal(tree.findtext("features/callBridge/expiry"), f"{end:%Y-%b-%d}", "expiry")
    expect_equal(tree.findtext("features/personal/limit"), "7", "limit")
    expect_equal(tree.findtext("license/holder"), "Example Ltd", "holder")
    expect_equal(world.server.api.get("system/multipartyLicensing").findtext("personalLicenseLimit"),
                 "7", "limit of personal licences")
    cluster = world.server.api.get("clusterLicensing")
    expect(cluster.findtext("features/callBridge/expiry") not in (None, f"{end:%Y-%b-%d}"),
           "its end is told further ahead than 90 days")
    expect_equal(world.server.api.get("clusterLicensing/raw").findtext("license"),
                 file.read_text().strip(), "the file")
    space = world.server.api.find("coSpaces", uri="demo").get("id")
    answer = world.server.api.request("POST", "/api/v1/calls", f"coSpace={space}&recording=true")
    expect("recordingNotAllowedByLicensing" in answer.body, answer.body)
    says(world, 'unable to start recording (space "Demo") -- no license')
    sync = world.server.api.post("ldapSyncs")
    says(world, "unable to synchronise users -- no license")
    wait_for("the synchronisation failed",
             lambda: world.server.api.get(f"ldapSyncs/{sync}").findtext("state") == "failed", 10, 0.2)
    distrust(world)


@case
def what_does_not_count_is_refused_with_the_reason(world):
    trust(world)
    good = sign(world)
    whole = good.read_text()
    bring(world, good)
    wait_status(world, "callBridge", "activated")
    header, payload, signature = whole.strip().split(".")
    forged = json.dumps({"version": 1, "id": "x", "holder": "x", "issued": "2026-03-01",
                         "features": {"callbridge": {}}})
    forged = base64.urlsafe_b64encode(forged.encode()).decode().rstrip("=")
    bad = {"cut": (whole[:len(whole) // 2], "cut short"),
           "forged": (f"{header}.{forged}.{signature}", 'the signature is not that of "acme"'),
           "foreign": (sign(world, "other").read_text(), 'signed by "other", who is not trusted here'),
           "elsewhere": (sign(world, host="00112233-4455-4677-8899-aabbccddeeff").read_text(),
                         "it is for the host 00112233-4455-4677-8899-aabbccddeeff"),
           "large": ("A" * 20000, "larger than 16384 bytes")}
    for name, (text, why) in bad.items():
        (world.keys / f"{name}.lic").write_text(text)
        world.anna.sftp(f"put {world.keys}/{name}.lic", f"put {world.keys}/{name}.lic cms.lic",
                        f"rename {name}.lic cms.lic")
        code, said = world.anna.ssh("license", "check", f"{name}.lic")
        expect(code == 1 and said.startswith(f"FAILURE: {name}.lic: ") and why in said, name, said)
        says(world, why)
        expect_equal((world.server.data / "cms.lic").read_text(), whole, f"after {name}")
    expect_equal(status(world, "callBridge"), "activated", "after all of them")
    # By hand, past SFTP: it does not count, and stands as an alarm.
    (world.server.data / "cms.lic").write_text(bad["forged"][0])
    wait_status(world, "callBridge", "noLicense")
    alarm = world.server.api.find("system/alarms", type="licenseInvalid")
    expect(alarm is not None and alarm.findtext("failureReason") == "badSignature", "no alarm")
    distrust(world)
    wait_for("the alarm is over", lambda: world.server.api.find("system/alarms", type="licenseInvalid")
             is None, 20)


@case
def a_licence_runs_out_beneath_a_call(world):
    trust(world)
    bring(world, sign(world))
    wait_status(world, "callBridge", "activated")
    phone = Baresip(world, 1).join()
    features = {name: {} for name in FEATURES} | {"callbridge": {"expires": in_seconds(5)}}
    bring(world, sign(world, id="short", features=features))
    wait_status(world, "callBridge", "expired")
    says(world, "license: feature callbridge is expired")
    other = world.server.api.post("coSpaces", name="Other", uri="other")
    answer = world.server.api.request("POST", "/api/v1/calls", f"coSpace={other}")
    expect_equal(answer.status, 503, "a call that begins")
    second = Baresip(world, 2).join()  # into the one that runs
    call = world.server.api.get(f"calls/{world.server.call()}")
    expect_equal(call.findtext("numCallLegs"), "2", "those in the call that runs")
    said = world.anna.ssh("license")[1]
    expect(re.search(r"^Feature: callbridge status: Expired expiry: \S+ \(0 days ago\)$", said, re.M), said)
    alarm = world.server.api.find("system/alarms", type="licenseExpired")
    expect_equal(alarm.findtext("failureReason"), "callbridge", "the alarm's reason")
    seen = (world.server.data / "licence-seen").read_text().split()
    expect(seen[1] == "short" and int(seen[0]) > 1700000000, seen)
    second.hang_up()
    phone.hang_up()
    distrust(world)


@case
def a_clock_put_back_brings_nothing_back(world):
    trust(world)
    features = {name: {} for name in FEATURES} | {"callbridge": {"expires": in_seconds(86400)}}
    file = sign(world, id="clock", features=features)
    bring(world, file)
    wait_status(world, "callBridge", "activated")
    # As it would be had the clock been two days ahead meanwhile.
    later = int(datetime.datetime.now().timestamp()) + 2 * 86400
    (world.server.data / "licence-seen").write_text(f"{later} clock\n")
    bring(world, file)
    wait_status(world, "callBridge", "expired")
    expect(world.server.api.find("system/alarms", type="licenseClockPutBack") is not None, "no alarm")
    expect("(0 days ago)" in world.anna.ssh("license")[1] or "(1 days ago)" in world.anna.ssh("license")[1],
           "the command line judges by another time")
    bring(world, sign(world, id="new", features=features))
    wait_status(world, "callBridge", "activated")
    expect(world.server.api.find("system/alarms", type="licenseClockPutBack") is None, "the alarm stands")
    distrust(world)


@case
def usage_is_kept_over_a_restart(world):
    def entries():
        return world.server.api.list("system/MPLicenseUsage")
    wait_for("something was counted", lambda: len(entries()) > 0, 20, 0.5)
    first = entries()[0]
    expect(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d[05]:00Z", first.get("time")), first.attrib)
    expect_equal([item.tag for item in first],
                 ["pmp", "pmpAssigned", "smpAud", "smpPtP", "smpFull", "rec", "str"], "what is counted")
    host = world.server.api.get("system/MPLicenseUsage/knownHosts")[0].get("id")
    expect_equal(world.server.api.get("system/status").findtext("hostId"), host, "host")
    code, said = world.server.command("mmp", "callbridge", "restart", timeout=40)
    expect(code == 0, said)
    world.server.wait_ready()
    expect_equal(entries()[0].get("time"), first.get("time"), "the first after a restart")
    none = world.server.api.get("system/MPLicenseUsage?endTime=2020-01-01T00:00:00Z")
    expect_equal(none.get("total"), "0", "before there was anything")


def set_up(world):
    world.server = Server(world)
    world.anna = add(world, "anna", "admin")
    world.keys = world.path("keys")
    world.keys.mkdir()
    for name in ("acme", "other"):
        expect(f"license issuer add {name} " in tool(world, "make", world.keys / name), "make")


if __name__ == "__main__":
    main(set_up)

# SPDX-License-Identifier: Apache-2.0
"""Users from an OpenLDAP: 10,000 of them synced, changed, synced again, over plain LDAP, StartTLS and
LDAPS; whatever is wrong is named; a server that dies in the middle leaves nothing half done; and the
API is quick all the while."""
import os
import re
import shutil
import sqlite3
import threading
import time

import ldap
from browser import Browser
from harness import case, cpu_s, expect, expect_equal, main, wait_for
from ldap import Slapd
from network import SERVER
from server import API_PORT, Server

PEOPLE = 10000
PAGES = "sizelimit size.soft=500 size.hard=1000 size.prtotal=unlimited"


def total(api, path):
    return int(api.get(f"{path}{'&' if '?' in path else '?'}limit=1").get("total"))


def sync(api, wanted="complete", seconds=60, **parameters):
    """Orders one, waits for its end and gives back what is said of it."""
    guid = api.post("ldapSyncs", removeWhenFinished="false", **parameters)
    reading = lambda: api.get(f"ldapSyncs/{guid}")
    wait_for(lambda: f"a sync is {reading().findtext('state')}",
             lambda: reading().findtext("state") in ("complete", "failed"), seconds, 0.1)
    last = reading()
    expect_equal(last.findtext("state"), wanted, f"state ({last.findtext('failureReason')})")
    return last


def log(world):
    """The event log as it grows; Server.log() has more behind it."""
    return (world.folder / world.server.log_name).read_text(errors="replace")


def says(world, words, since):
    """Lines come by way of the supervisor, later than the API tells of what caused them."""
    wait_for(lambda: f"the log says {words!r}: {log(world)[since:][-600:]}",
             lambda: words in log(world)[since:], 10, 0.1)


def users_there(world):
    """How many there are, synchronised if nobody has done that yet."""
    if total(world.server.api, "users") == 0:
        sync(world.server.api)
    return total(world.server.api, "users")


def sync_fails(world, words, reason="ldapError", **parameters):
    """...and the log says why."""
    before = len(log(world))
    failed = sync(world.server.api, "failed", **parameters)
    expect_equal(failed.findtext("failureReason"), reason, "failureReason")
    says(world, words, before)


class Latencies:
    """How long the control thread is at work until it has answered a GET, again and again, while something
    else goes on.  Not by the clock: that counts what others on the machine do, too."""

    def __init__(self, server):
        self.took_s = []
        self._api = server.api
        self._bridge = server.pid_of("callbridge")
        self._began = cpu_s(self._bridge, self._bridge)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stop.is_set():
            began = cpu_s(self._bridge, self._bridge)
            self._api.get("system/status")
            self.took_s.append(cpu_s(self._bridge, self._bridge) - began)
            time.sleep(0.01)

    def end(self):
        """Of each, the least first; and of everything since the beginning."""
        self._stop.set()
        self._thread.join(10)
        return sorted(self.took_s), cpu_s(self._bridge, self._bridge) - self._began


def trust(world, file):
    """An administrator's bundle in DATA, and a command."""
    server = world.server
    owner = server.data.stat()
    shutil.copy(file, server.data / "ldap-ca.crt")
    os.chown(server.data / "ldap-ca.crt", owner.st_uid, owner.st_gid)
    mmp(world, "tls ldap trust ldap-ca.crt")


def mmp(world, command):
    status, said = world.server.command("mmp", *command.split(), timeout=60)
    expect_equal(status, 0, f"{command}: {said}")
    world.server.command("mmp", "callbridge", "restart", timeout=60)
    world.server.wait_ready()


def user_of(api, number):
    """What the API says of one."""
    found = api.get(f"users?filter=user{number}@").findall("user")
    expect_equal(len(found), 1, f"users called user{number}")
    return api.get(f"users/{found[0].get('id')}")


@case
def ten_thousand_come_change_and_go(world):
    api, slapd = world.server.api, world.slapd
    # The server tells no more than 500 at once without pages.
    api.put(f"ldapServers/{world.ldap_server}", usePagedResults="false")
    sync_fails(world, "usePagedResults=true")
    expect_equal(total(api, "users"), 0, "users of a part of the answer")
    api.put(f"ldapServers/{world.ldap_server}", usePagedResults="true")

    template = api.post("coSpaceTemplates", name="blue rooms")
    api.post("ldapUserCoSpaceTemplateSources", coSpaceTemplate=template,
             ldapSource=world.source, filter="(ou=blue)")
    latencies = Latencies(world.server)
    done = sync(api)
    took_s, whole_s = latencies.end()
    expect_equal(done.findtext("numUsersImported"), str(PEOPLE), "numUsersImported")
    expect_equal(done.findtext("numLdapSourcesComplete"), "1", "numLdapSourcesComplete")
    expect_equal(total(api, "users"), PEOPLE, "users")
    expect_equal(total(api, "coSpaces?filter=.space"), PEOPLE, "spaces")
    print(f"   work between two GETs: p50 {took_s[len(took_s) // 2] * 1000:.0f} ms, most "
          f"{took_s[-1] * 1000:.0f} ms, of {whole_s * 1000:.0f} ms in {len(took_s)}", flush=True)
    # In pieces, that is: nobody waits for the half of it.
    expect(took_s[-1] < max(0.1, whole_s / 2), f"a GET waited for {took_s[-1]:.2f} s of the sync")

    one = user_of(api, 4711)
    expect_equal([one.findtext(name) for name in ("userJid", "name", "email", "cdrTag")],
                 ["user4711@meet.example.com", "User 4711", "user4711@example.com", "red"],
                 "a user")
    space = api.find(f"users/{one.get('id')}/userCoSpaces").findtext("coSpaceId") or \
        api.list(f"users/{one.get('id')}/userCoSpaces")[0].get("id")
    room = api.get(f"coSpaces/{space}")
    expect_equal([room.findtext(name) for name in
                  ("name", "uri", "callId", "autoGenerated", "ownerJid")],
                 ["User 4711's room", "user4711.space", "804711", "true",
                  "user4711@meet.example.com"], "a space")
    member = api.list(f"coSpaces/{space}/coSpaceUsers")[0]
    expect_equal(member.findtext("autoGenerated"), "true", "autoGenerated of a member")
    expect_equal(len(api.list(f"users/{one.get('id')}/userCoSpaceTemplates")), 0, "templates of red")
    blue = user_of(api, 4710).get("id")
    expect_equal(len(api.list(f"users/{blue}/userCoSpaceTemplates")), 1, "templates of blue")
    refused = api.request("DELETE", f"/api/v1/users/{blue}")
    expect(refused.status == 400 and "invalidOperation" in refused.body,
           "DELETE of a user gave", refused.status, refused.body)

    # What an administrator set stays; what the directory says follows it.
    api.put(f"coSpaces/{space}", passcode="1234")
    slapd.set(4711, "cn", "Ada Sommer")
    slapd.remove(*range(9000, 9100))
    slapd.add(*(ldap.person(number) for number in range(20000, 20050)))
    mark = len(log(world))
    done = sync(api)
    says(world, "50 created, 1 changed, 100 removed", mark)
    expect_equal(total(api, "users"), PEOPLE - 50, "users")
    expect_equal(total(api, "coSpaces?filter=.space"), PEOPLE - 50, "spaces")
    room = api.get(f"coSpaces/{space}")
    expect_equal([room.findtext("name"), room.findtext("passcode")],
                 ["Ada Sommer's room", "1234"], "a space that was changed")
    expect_equal(total(api, "users?filter=user9050@"), 0, "users called user9050")

    # And nothing to do is done quickly.
    mark = len(log(world))
    sync(api)
    says(world, "0 created, 0 changed, 0 removed", mark)


@case
def a_server_that_dies_leaves_nothing_half(world):
    api, slapd = world.server.api, world.slapd
    before = users_there(world)
    slapd.remove(*range(8000, 8010))
    slapd.freeze()
    guid = api.post("ldapSyncs", removeWhenFinished="false")
    wait_for("a sync is under way",
             lambda: api.get(f"ldapSyncs/{guid}").findtext("state") == "inProgress", 10)
    refused = api.request("DELETE", f"/api/v1/ldapSyncs/{guid}")
    expect("ldapSyncCannotBeCancelled" in refused.body, refused.body)
    waits = api.post("ldapSyncs")
    expect_equal(api.get(f"ldapSyncs/{waits}").findtext("state"), "pending", "state of the next")
    api.delete(f"ldapSyncs/{waits}")
    slapd.kill()
    wait_for("it failed", lambda: api.get(f"ldapSyncs/{guid}").findtext("state") == "failed", 30)
    expect_equal(total(api, "users"), before, "users after a failed sync")
    sync_fails(world, "not reached")
    slapd.start()
    sync(api)
    expect_equal(total(api, "users"), before - 10, "users")


@case
def a_restart_in_the_middle_begins_it_anew(world):
    api, slapd = world.server.api, world.slapd
    before = users_there(world)
    slapd.add(*(ldap.person(number) for number in range(30000, 30300)))
    slapd.freeze()
    guid = api.post("ldapSyncs", removeWhenFinished="false")
    wait_for("a sync is under way",
             lambda: api.get(f"ldapSyncs/{guid}").findtext("state") == "inProgress", 10)
    world.server.command("mmp", "callbridge", "restart", timeout=60)
    world.server.wait_ready()
    slapd.thaw()
    wait_for("it is done", lambda: world.server.api.get(f"ldapSyncs/{guid}").findtext("state")
             == "complete", 60)
    expect_equal(total(world.server.api, "users"), before + 300, "users")


@case
def a_database_that_takes_nothing_has_it_tried_again(world):
    api, slapd = world.server.api, world.slapd
    before = users_there(world)
    slapd.add(*(ldap.person(number) for number in range(50000, 50100)))
    slapd.freeze()
    guid = api.post("ldapSyncs", removeWhenFinished="false")
    state = lambda: api.get(f"ldapSyncs/{guid}").findtext("state")
    wait_for("a sync is under way", lambda: state() == "inProgress", 10)
    mark = len(log(world))
    # Another program holds the database for longer than a transaction waits.
    other = sqlite3.connect(world.server.data / "convoke.db", timeout=10)
    other.execute("BEGIN IMMEDIATE")
    slapd.thaw()
    wait_for("it is told", lambda: "it is tried again" in log(world)[mark:], 20)
    expect_equal(total(api, "users"), before, "users that are not on the disk")
    other.rollback()
    other.close()
    wait_for("it is done", lambda: state() == "complete", 30)
    expect_equal(total(api, "users"), before + 100, "users")
    slapd.remove(*range(50000, 50100))
    sync(api)
    expect_equal(world.server.metrics()["ldap_sync_users"], before, "metric of the last sync")


@case
def what_is_wrong_is_named(world):
    api = world.server.api
    users = users_there(world)
    where = f"ldapServers/{world.ldap_server}"
    api.put(where, password="wrong")
    sync_fails(world, "wrong name or password")
    api.put(where, password=ldap.READER_PASSWORD)
    source = f"ldapSources/{world.source}"
    api.put(source, baseDn="dc=nowhere")
    sync_fails(world, "no such base DN")
    api.put(source, baseDn=ldap.BASE, filter="(uid=")
    sync_fails(world, "bad filter")
    api.put(source, filter="(objectClass=inetOrgPerson)")
    mapping = f"ldapMappings/{world.mapping}"
    api.put(mapping, nameMapping="$cn")
    sync_fails(world, "nameMapping")
    api.put(mapping, nameMapping="$cn$")
    # Two spaces of one address: the first has it, and everybody else is done.
    slapd = world.slapd
    api.post("coSpaces", uri="user40001.space")
    slapd.add(ldap.person(40001), ldap.person(40002))
    sync_fails(world, "user40001.space", "clashOccurred")
    expect_equal(total(api, "users"), users + 2, "users after a clash")
    slapd.remove(40001, 40002)
    sync(api)
    expect_equal(total(api, "users"), users, "users")


@case
def tls_is_used_and_verified(world):
    api = world.server.api
    where = f"ldapServers/{world.ldap_server}"
    for port in (ldap.PLAIN, ldap.SECURE):
        api.put(where, secure="true", portNumber=str(port))
        sync_fails(world, "slapd authority")  # nobody has said that it is to be trusted
    trust(world, world.slapd.authority)
    api = world.server.api
    for port in (ldap.PLAIN, ldap.SECURE):
        api.put(where, secure="true", portNumber=str(port))
        sync(api)
    # The right authority, and another name than we asked for; unless nobody cares.
    api.put(where, address="localhost")
    sync_fails(world, 'not for "localhost"')
    mmp(world, "tls ldap verify disable")
    api = world.server.api
    sync(api)
    mmp(world, "tls ldap verify enable")
    api = world.server.api
    # Not TLS at all.
    api.put(where, address="127.0.0.1", secure="false")
    sync_fails(world, "LDAP sync operation")
    api.put(where, secure="false", portNumber=str(ldap.PLAIN))


@case
def sync_now_in_the_web_admin(world):
    server = world.server
    page = Browser(world, 1, "admin")

    def shows(pattern, seconds=30):
        wait_for(lambda: f"the page shows {pattern!r}: {page.ask('text')[-900:]}",
                 lambda: re.search(pattern, page.ask("text")), seconds, 0.2)

    page.ask("open", 30, url=f"https://{SERVER}:{API_PORT}/")
    shows("Sign in")
    for name, text in (("^Name", "admin"), ("^Password", server.password())):
        page.ask("reach", 60, name=name)
        page.ask("type", text=text)
    page.ask("key", key="Enter")
    page.ask("reach", 60, name="^Directories")
    page.ask("key", key="Enter")
    shows("Synchronisations")
    page.ask("reach", 60, name="^Sync all now")
    page.ask("key", key="Enter")
    shows(r"(?i)complete")
    shows(rf"(?m)\b{total(server.api, 'users')}\b")


def set_up(world):
    world.slapd = Slapd(world, PEOPLE, PAGES)
    world.server = Server(world)
    api = world.server.api
    world.ldap_server = api.post("ldapServers", address="127.0.0.1", portNumber=str(ldap.PLAIN),
                                 secure="false", username=ldap.READER,
                                 password=ldap.READER_PASSWORD)
    world.mapping = api.post("ldapMappings", jidMapping="$uid$@meet.example.com",
                             nameMapping="$cn$", cdrTagMapping="$ou$",
                             coSpaceUriMapping="$mail|'/@.*//'$.space",
                             coSpaceNameMapping="$cn$'s room",
                             coSpaceCallIdMapping="8$uid|/user/0/$")
    world.source = api.post("ldapSources", server=world.ldap_server, mapping=world.mapping,
                            baseDn=ldap.BASE, filter="(objectClass=inetOrgPerson)")


main(set_up)

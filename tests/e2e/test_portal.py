# SPDX-License-Identifier: Apache-2.0
"""Users in the web app: people of an OpenLDAP sign in in Chromium, make a space from a template, enter it as
host, invite, add a member; everybody else sees none of it."""
import json
import ssl
import urllib.error
import urllib.request

import ldap
from browser import WEB, Browser
from harness import case, expect, expect_equal, main, wait_for
from ldap import Slapd
from server import Server

SEEN_S = 20
OWNER, MEMBER, STRANGER = 0, 1, 2  # people of the directory; the last is another tenant's

_UNVERIFIED = ssl._create_unverified_context()


def jid(number):
    return f"user{number}@meet.example.com"


class Person:
    """The same requests as the page's, without a page."""

    def __init__(self, number, password=None):
        self.token = None
        status, told = self.ask("POST", "auth", {"username": jid(number),
                                                 "password": password or f"word{number}"})
        expect_equal(status, 200, f"sign-in of user{number}: {told}")
        self.token = told["token"]

    def ask(self, method, path, body=None):
        return ask(method, path, body, self.token)

    def spaces(self):
        status, told = self.ask("GET", "cospaces")
        expect_equal(status, 200, "status")
        return {space["name"]: space["id"] for space in told["cospaces"]}


def ask(method, path, body=None, token=None):
    request = urllib.request.Request(f"{WEB}/api/{path}", method=method,
                                     data=None if body is None else json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=20, context=_UNVERIFIED) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def sign_in(username, password):
    return ask("POST", "auth", {"username": username, "password": password})


def shows(page, words, seconds=SEEN_S):
    wait_for(lambda: f"the page shows {words!r}: {page.ask('text')[:800]}",
             lambda: words in page.ask("text"), seconds, 0.3)


@case
def who_signs_in_sees_their_own_home(world):
    page = world.owner
    page.ask("open", 40, url=f"{WEB}/")
    page.ask("press", name="^sign in")
    page.ask("fill", label="^user name", text=jid(OWNER))
    page.ask("fill", label="^password", text="guess")
    page.ask("press", name="^sign in")
    shows(page, "do not fit together")
    page.ask("fill", label="^password", text=f"word{OWNER}")
    page.ask("press", name="^sign in")
    shows(page, "You have no space yet.")
    expect("User 0" in page.ask("text"), "the name of who signed in is not shown")
    kept = page.ask("run", code="JSON.stringify({...localStorage, ...sessionStorage}) + document.cookie")
    expect(f"word{OWNER}" not in kept, "the password is kept")
    # What is right and what is not, in the same words: no name is given away.
    for name in (jid(OWNER), "nobody@meet.example.com", "user0", "*"):
        expect_equal(sign_in(name, "guess"), (401, {"error": "wrongLogin"}), name)


@case
def a_space_is_made_from_a_template_and_entered_as_host(world):
    page, api = world.owner, world.server.api
    page.ask("press", name="^new space")
    page.ask("fill", label="^name", text="Reading circle")
    page.ask("press", name="^create")
    shows(page, "More ways in")
    space = api.find("coSpaces?filter=Reading", name="Reading circle")
    expect(space is not None, "the API has no such space")
    guests = api.find(f"coSpaces/{space.get('id')}/accessMethods", name="Guests").findtext("callId")
    expect(guests in page.ask("text"), "the page does not show the guests' number", guests)
    world.server.wait_log(f'user "{jid(OWNER)}" created space {space.get("id")}')

    # A guest waits until the host is there.
    guest = Browser(world, 2, "Greta")
    guest.join(f"/meeting/{guests}")
    shows(guest, "Please wait")
    page.ask("press", name="^join$")
    shows(page, "You join as User 0.")
    page.ask("press", name="^join$")
    wait_for("the host is in", lambda: any("leave" in name.lower() for name in page.ask("buttons")),
             SEEN_S, 0.3)
    wait_for(lambda: f"the guest is let in: {guest.ask('text')[:300]}",
             lambda: "Please wait" not in guest.ask("text"), SEEN_S, 0.3)
    host = api.find("participants", name="User 0")
    expect(host is not None, "no participant is called as the directory calls the host")
    told = api.get(f"participants/{host.get('id')}")
    expect_equal(told.findtext("userJid"), jid(OWNER), "userJid")
    expect_equal(told.findtext("isActivator"), "true", "isActivator")
    greta = api.get(f"participants/{api.find('participants', name='Greta').get('id')}")
    expect_equal(greta.findtext("userJid") or "", "", "userJid of a guest")
    page.ask("press", name="^leave")
    shows(page, "You have left")
    page.ask("press", name="^to my spaces")
    shows(page, "Reading circle")


@case
def the_invitation_leads_there(world):
    page, api = world.owner, world.server.api
    space = api.find("coSpaces?filter=Reading", name="Reading circle").get("id")
    method = api.find(f"coSpaces/{space}/accessMethods", name="Guests")
    page.ask("open", 40, url=f"{WEB}/spaces/{space}")
    page.ask("press", name="^invite: guests")
    shown = []
    wait_for("an invitation", lambda: shown.append(
        page.ask("run", code="document.querySelector('.invitation')?.value ?? ''")) or shown[-1],
        SEEN_S, 0.3)
    said = api.get(f"coSpaces/{space}/accessMethods/{method.get('id')}/emailInvitation").findtext("text")
    expect_equal(shown[-1].strip(), said.strip(), "the invitation")
    expect(f"/meeting/{method.findtext('callId')}?secret=" in said, "no link in", said)
    page.ask("key", key="Escape")


@case
def a_member_sees_it_and_another_tenants_user_does_not(world):
    page, api = world.owner, world.server.api
    member, stranger = Person(MEMBER), Person(STRANGER)
    space = api.find("coSpaces?filter=Reading", name="Reading circle").get("id")
    expect_equal(member.spaces(), {}, "spaces before")
    page.ask("press", name="^add a member")
    page.ask("fill", label="^user name", text="User 1")
    page.ask("press", name=f"{jid(MEMBER)}")
    page.ask("press", name="^save")
    shows(page, "Members (2)")
    expect_equal(member.spaces(), {"Reading circle": space}, "spaces of the member")
    expect_equal(member.ask("PUT", f"cospaces/{space}", {"name": "Mine"}),
                 (403, {"error": "notAllowed", "right": "canChangeName"}), "a change without a right")
    # Who is not of this tenant is not found, and finds nothing.
    _, found = Person(OWNER).ask("GET", "userLookup?query=user")
    expect_equal(sorted(user["userJid"] for user in found["users"]), [jid(OWNER), jid(MEMBER)],
                 "people found")
    expect_equal(stranger.spaces(), {}, "spaces of a stranger")
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/members"),
                         ("POST", "/members"), ("POST", "/emailInvitation")):
        expect_equal(stranger.ask(method, f"cospaces/{space}{path}", None if method == "GET" else {}),
                     (404, {"error": "notFound"}), f"{method} {path} of a stranger")
    status, told = stranger.ask("POST", "join", {"space": space, "name": "x"})
    expect_equal((status, told), (404, {"error": "unknownMeeting"}), "a stranger joins")
    status, told = member.ask("POST", "join", {"space": space, "name": "x"})
    expect_equal(status, 200, f"a member joins: {told}")
    # Nobody's token, a participant's token, and one that was changed.
    for token in (told["token"], member.token[:-2] + "xx", "a.b.c", None):
        expect_equal(ask("GET", "cospaces", None, token), (401, {"error": "expired"}), "a wrong token")


@case
def what_is_changed_is_there_after_a_restart(world):
    owner = Person(OWNER)
    space = owner.spaces()["Reading circle"]
    expect_equal(owner.ask("PUT", f"cospaces/{space}", {"name": "Reading on", "passcode": "2468"})[0],
                 200, "a change")
    before = world.server.pid_of("callbridge")
    world.server.command("mmp", "callbridge", "restart", timeout=60)
    wait_for("another call bridge", lambda: world.server.pid_of("callbridge") not in (None, before),
             SEEN_S, 0.2)
    world.server.wait_ready()
    wait_for("the token is good again", lambda: owner.ask("GET", "cospaces")[0] == 200, SEEN_S, 0.5)
    expect_equal(owner.ask("GET", f"cospaces/{space}")[1]["passcode"], "2468", "passcode")
    expect_equal(owner.spaces(), {"Reading on": space}, "spaces")
    expect_equal(owner.ask("DELETE", f"cospaces/{space}")[0], 200, "deleting it")
    expect_equal(owner.spaces(), {}, "spaces")


@case
def a_directory_that_is_away_is_told_and_guessing_is_slowed_down(world):
    world.slapd.kill()
    for name in (jid(OWNER), "nobody@meet.example.com"):
        expect_equal(sign_in(name, f"word{OWNER}"), (503, {"error": "noDirectory"}), name)
    world.slapd.start()
    Person(OWNER)
    heard = {}
    for _ in range(15):
        status, told = sign_in(jid(MEMBER), "guess")
        heard[status] = told
        if status == 429:
            break
    expect_equal(heard, {401: {"error": "wrongLogin"}, 429: {"error": "lockedOut"}}, "what a guesser hears")
    expect_equal(sign_in(jid(MEMBER), f"word{MEMBER}")[0], 429, "the right password meanwhile")
    # The web bridge may be told not to let users in at all.
    api = world.server.api
    profile = api.post("webBridgeProfiles", name="no portal", userPortalEnabled="false")
    api.put("system/profiles", webBridgeProfile=profile)
    expect_equal(ask("GET", "options")[1]["signIn"], False, "signIn")
    expect_equal(sign_in(jid(OWNER), f"word{OWNER}"), (403, {"error": "noSignIn"}), "a sign-in")


def set_up(world):
    world.slapd = Slapd(world, 3)
    world.server = Server(world)
    api = world.server.api
    server = api.post("ldapServers", address="127.0.0.1", portNumber=str(ldap.PLAIN), secure="false",
                      username=ldap.READER, password=ldap.READER_PASSWORD)
    mapping = api.post("ldapMappings", jidMapping="$uid$@meet.example.com", nameMapping="$cn$")
    tenant = api.post("tenants", name="others")
    for people, more in ((f"(|(uid=user{OWNER})(uid=user{MEMBER}))", {}),
                         (f"(uid=user{STRANGER})", {"tenant": tenant})):
        api.post("ldapSources", server=server, mapping=mapping, baseDn=ldap.BASE, filter=people, **more)
    api.post("ldapSyncs")
    wait_for("three users", lambda: len(api.list("users")) == 3, 30, 0.3)
    host = api.post("callLegProfiles", needsActivation="false")
    guest = api.post("callLegProfiles", needsActivation="true")
    template = api.post("coSpaceTemplates", name="Team", callLegProfile=host)
    api.post(f"coSpaceTemplates/{template}/accessMethodTemplates", name="Guests", callLegProfile=guest,
             uriGenerator="team.$", generateUniqueCallId="true")
    owner = api.find(f"users?filter=user{OWNER}@", userJid=jid(OWNER)).get("id")
    api.post(f"users/{owner}/userCoSpaceTemplates", coSpaceTemplate=template)
    world.owner = Browser(world, 1, "owner")


main(set_up)

# SPDX-License-Identifier: Apache-2.0
"""The Web Admin in Chromium, used by the keyboard alone: what it makes is in the API, and what happens
on the bridge is seen in it."""
import re

from baresip import Baresip
from browser import Browser
from harness import case, expect, expect_equal, main, wait_for
from network import SERVER
from server import API_PORT, Server

SEEN_S = 15  # a page that reads every 2 s, on a busy machine

# What a screen reader says of the field that has the focus.
_FIELD = """(() => {
    const field = document.activeElement;
    const told = document.getElementById(field.getAttribute('aria-describedby'));
    return { name: field.name, invalid: field.getAttribute('aria-invalid'), told: told?.textContent };
})()"""

# More wrong passwords than an address has.
_GUESSES = """Promise.all(Array.from({ length: 30 }, () => fetch('/api/v1/system/status', {
    headers: { Authorization: 'Basic ' + btoa('admin:guess') }, credentials: 'omit' }))).then(() => 0)"""

_FOCUS = "document.activeElement.ariaLabel"


def shows(page, pattern, seconds=SEEN_S):
    wait_for(lambda: f"the page shows {pattern!r}: {page.ask('text')[:1500]}",
             lambda: re.search(pattern, page.ask("text")), seconds, 0.2)


def choose(page, name):
    page.ask("reach", 60, name=name)
    page.ask("key", key="Enter")


def fill(page, name, text):
    page.ask("reach", 60, name=name)
    page.ask("key", key="Control+A")
    page.ask("type", text=text)


@case
def a_wrong_password_is_told_and_the_right_one_opens(world):
    page = world.page
    shows(page, "Sign in")
    fill(page, "^Name", "admin")
    fill(page, "^Password", "wrong")
    page.ask("key", key="Enter")
    shows(page, "Name or password is not right")
    page.ask("type", text=(world.server.data / "admin-password").read_text().strip())
    page.ask("key", key="Enter")
    shows(page, "Nothing is wrong")
    kept = page.ask("run", code="[document.cookie, JSON.stringify({...localStorage, ...sessionStorage})]")
    expect_equal(kept, ["", "{}"], "what the browser keeps")


@case
def a_space_is_made(world):
    page = world.page
    choose(page, "^Spaces$")
    shows(page, "Demo")
    choose(page, "^New$")
    shows(page, "New: coSpace")
    fill(page, "^name", "Weekly")
    fill(page, "^uri", "weekly")
    choose(page, "^Create$")
    shows(page, "coSpace: Weekly")
    expect(world.server.api.find("coSpaces", name="Weekly", uri="weekly") is not None, "no space was made")


@case
def a_bad_value_is_told_at_its_field(world):
    page = world.page
    choose(page, "^Edit$")
    shows(page, "Edit: coSpace")
    fill(page, "^callId", "abc")
    page.ask("key", key="Enter")
    shows(page, "This value is not one that it takes")
    field = page.ask("run", code=_FIELD)
    expect_equal((field["name"], field["invalid"]), ("callId", "true"), "the field with the focus")
    expect("not one that it takes" in field["told"], "it is not said of the field:", field)
    page.ask("key", key="Control+A")
    page.ask("type", text="3001")
    page.ask("key", key="Enter")
    shows(page, r"callId\s+3001")
    expect(world.server.api.find("coSpaces", name="Weekly", callId="3001") is not None, "it was not changed")


@case
def somebody_in_a_call_is_seen_muted_and_dropped(world):
    page, api = world.page, world.server.api
    phone = Baresip(world, 2).join()
    choose(page, "^Active calls$")
    shows(page, rf"(?s)Demo.*{phone.name}.*SIP, incoming, unencrypted.*opus, \d+\.\d kb/s")
    leg = api.list("callLegs")[0].get("id")
    choose(page, f"^Mute: {phone.name}")
    wait_for("it is muted", lambda: api.get(f"callLegs/{leg}").findtext("configuration/rxAudioMute") == "true")
    shows(page, "Unmute")
    choose(page, f"^Drop: {phone.name}")
    shows(page, rf"Drop {phone.name}\?")
    page.ask("key", key="Escape")
    wait_for("the focus is where it was", lambda: page.ask("run", code=_FOCUS) == f"Drop: {phone.name}")
    page.ask("key", key="Enter")
    shows(page, rf"Drop {phone.name}\?")
    page.ask("key", key="Enter")
    phone.wait_event("CALL_CLOSED")
    shows(page, "Nobody is in a call")


@case
def the_log_is_narrowed_down(world):
    page = world.page
    choose(page, "^Event log$")
    shows(page, "the call bridge is ready")
    page.ask("key", key="/")
    page.ask("type", text="deleted call leg")
    shows(page, r"(?s)1 line\s.*API user .admin. deleted call leg")
    expect("the call bridge is ready" not in page.ask("text"), "other lines are shown too")


@case
def who_signs_out_is_out(world):
    page = world.page
    choose(page, "^Sign out$")
    shows(page, "Password")
    expect("deleted call leg" not in page.ask("text"), "the log is still shown")


@case
def who_guesses_too_often_is_told_to_wait(world):
    page = world.page
    fill(page, "^Name", "admin")
    page.ask("reach", name="^Password")
    page.ask("run", 60, code=_GUESSES)

    def refused():  # one guess may have been forgiven meanwhile
        page.ask("type", text="wrong")
        page.ask("key", key="Enter")
        return "Too many wrong passwords" in page.ask("text")
    wait_for("the page says so", refused, SEEN_S, 0.5)


def set_up(world):
    """One page, which all cases go on using."""
    world.server = Server(world)
    world.page = Browser(world, 1, "admin")
    world.page.ask("open", 30, url=f"https://{SERVER}:{API_PORT}/")


main(set_up)

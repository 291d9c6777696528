# SPDX-License-Identifier: Apache-2.0
"""The Web Admin in Chromium, used by the keyboard alone: what it makes is in the API, and what happens
on the bridge is seen in it."""
import re

from baresip import Baresip
from browser import Browser
from harness import case, expect, expect_equal, main, wait_for
from network import SERVER
from receiver import Receiver
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


def configured(api, leg, name):
    return api.get(f"callLegs/{leg}").findtext(f"configuration/{name}")


def layout(api, leg):
    return api.get(f"callLegs/{leg}").findtext("status/layout")


@case
def a_call_is_worked_with_as_a_whole_and_one_by_one(world):
    page, api = world.page, world.server.api
    phones = [Baresip(world, 2).join(), Baresip(world, 3).join()]
    legs = [leg.get("id") for leg in api.list("callLegs")]
    for phone in phones:
        shows(page, rf"{phone.name}.*\[more\]")
    for press, state in (("Mute all", "true"), ("Unmute all", "false")):
        choose(page, f"^{press}: Demo")
        wait_for(f"{press} does it", lambda: {configured(api, leg, "rxAudioMute") for leg in legs} == {state})
    # Everything known of one of them.
    choose(page, f"^more: {phones[0].name}")
    shows(page, r"(?s)SIP call ID\s+\S+.*We receive: sound\s+opus\s+\d+(\.\d)? kb/s\s+\d+(\.\d)? %\s+\d+ ms")
    choose(page, f"^less: {phones[0].name}")
    # One has a layout of his own, then all have one, then the space's holds again.
    page.ask("reach", 60, name=f"^Layout: {phones[0].name}")
    page.ask("type", text="stacked")
    wait_for("it is laid out so", lambda: sorted(layout(api, leg) for leg in legs) == ["automatic", "stacked"])
    choose(page, "^Layout: Demo")
    page.ask("reach", name="^Layout for all")
    page.ask("type", text="speakerOnly")
    choose(page, "^Set$")
    wait_for("all are laid out so", lambda: {layout(api, leg) for leg in legs} == {"speakerOnly"})
    space = api.find("coSpaces", name="Demo").get("id")
    api.put(f"coSpaces/{space}", defaultLayout="allEqualNinths")
    page.ask("reach", name="^Layout for all")
    page.ask("type", text="by default")
    choose(page, "^Set$")
    wait_for("the space's layout holds", lambda: {layout(api, leg) for leg in legs} == {"allEqualNinths"})
    api.put(f"coSpaces/{space}", defaultLayout="")
    choose(page, "^Message: Demo")
    page.ask("reach", name="^Text on")
    page.ask("type", text="Five minutes left")
    page.ask("key", key="Enter")
    wait_for("it is on the screens", lambda: api.get(f"calls/{world.server.call()}").findtext("messageText") == "Five minutes left")
    shows(page, r"Shown now: .Five minutes left. \(0:\d\d\)")


@case
def who_comes_to_a_locked_call_is_admitted(world):
    page, api = world.page, world.server.api
    shows(page, "Nobody is in a call")
    first = Baresip(world, 2).join()
    shows(page, first.name)
    choose(page, "^Lock: Demo")
    wait_for("it is locked", lambda: api.get(f"calls/{world.server.call()}").findtext("locked") == "true")
    late = Baresip(world, 4).join()
    shows(page, rf"(?s)1 in the lobby.*{late.name}.*waits in the lobby")
    choose(page, f"^Admit: {late.name}")
    wait_for("nobody waits", lambda: not [leg for leg in api.list("callLegs")
                                          if api.get(f"callLegs/{leg.get('id')}").findtext("status/deactivated")])
    choose(page, "^Unlock: Demo")
    wait_for("it is open", lambda: api.get(f"calls/{world.server.call()}").findtext("locked") == "false")


@case
def what_happens_is_told_by_events(world):
    page = world.page
    choose(page, "^Events$")
    shows(page, r"(?s)subscribed.*None")
    first = Baresip(world, 2).join()
    shows(page, r"(?s)Demo\s+1\s+unlocked")
    choose(page, "^Demo$")
    shows(page, rf"(?s)callRoster: Demo.*{first.name}.*connected")
    second = Baresip(world, 3).join()
    shows(page, rf"(?s)Demo\s+2\s+unlocked.*callRoster: Demo.*{first.name}.*{second.name}.*connected")
    choose(page, "^Active calls$")
    shows(page, second.name)
    choose(page, "^End call: Demo")
    shows(page, "End the call Demo for everybody")
    page.ask("key", key="Enter")
    shows(page, "Nobody is in a call")


@case
def a_receiver_of_records_is_tested(world):
    page, api = world.page, world.server.api
    receiver = Receiver(world, 8121, status=500)
    api.post("system/cdrReceivers", uri=receiver.uri)
    choose(page, "^CDR receivers$")
    shows(page, "nothing sent yet")
    choose(page, f"^Test: {receiver.uri}")
    shows(page, "Not taken: it answered with status 500")
    expect_equal([alarm.findtext("type") for alarm in api.list("system/alarms")], [], "alarms")
    receiver.status = 200
    choose(page, f"^Test: {receiver.uri}")
    shows(page, r"Taken, in \d+ ms")
    expect_equal((receiver.posts, receiver.records, receiver.problems), ([0], [], []), "what it was sent")


@case
def certificates_and_licences_are_shown(world):
    page = world.page
    choose(page, "^Certificates$")
    shows(page, r"(?s)webadmin\s+its certificate.*valid.*\d{4}-\d\d-\d\d\s+\d+ days left.*itself.*webadmin\.crt")
    choose(page, "^Licences$")
    shows(page, r"(?s)Personal licences\s*0, not limited.*callBridge\s+activated")


@case
def the_dial_plan_is_asked_and_put_in_order(world):
    page, api = world.page, world.server.api
    for domain, priority in (("a.example", 20), ("b.example", 10), ("c.example", 10)):
        api.post("outboundDialPlanRules", domain=domain, priority=priority)
    choose(page, "^Outbound rules$")
    shows(page, r"(?s)1\s+a\.example.*2\s+b\.example.*3\s+c\.example")
    page.ask("reach", 60, name="^c.example$")
    for _ in range(2):
        page.ask("key", key="Alt+ArrowUp")
        wait_for("the focus stays on it", lambda: page.ask("run", code="document.activeElement.textContent") == "c.example")
    shows(page, r"(?s)1\s+c\.example.*2\s+a\.example.*3\s+b\.example")
    rules = sorted(api.list("outboundDialPlanRules"), key=lambda rule: -int(rule.findtext("priority")))
    expect_equal([rule.findtext("domain") for rule in rules], ["c.example", "a.example", "b.example"], "order")
    choose(page, "^Dial plan: test$")
    fill(page, "^Address", "anna@b.example")
    page.ask("key", key="Tab")
    page.ask("type", text="from a call")
    choose(page, "^Test$")
    shows(page, r"(?s)is called.*Dialled: anna@b\.example.*outboundDialPlanRule domain b\.example")


@case
def panes_are_moved_by_the_keyboard(world):
    page, api = world.page, world.server.api
    template = api.post("layoutTemplates", name="Own")
    page.ask("run", code=f"location.hash = '#/api/layoutTemplates/{template}'")
    choose(page, "^Add an arrangement$")
    page.ask("reach", 60, name="^Pane 4")
    page.ask("key", key="Shift+ArrowLeft")
    choose(page, "^Save$")
    wait_for("the panes are kept", lambda: int(api.get(f"layoutTemplates/{template}").findtext("templateSize") or 0) > 0)
    kept = api.request("GET", f"/api/v1/layoutTemplates/{template}/template").body
    expect('"x":50,"y":50,"width":49' in kept, "kept as", kept)
    # One that lies over another is refused by the API, and the page says so.
    page.ask("reach", 60, name="^Pane 4")
    page.ask("key", key="ArrowUp")
    choose(page, "^Save$")
    shows(page, "The server refused: .*overlaps")


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

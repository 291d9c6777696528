# SPDX-License-Identifier: Apache-2.0
"""Users sign in to the web app at an identity provider (OpenID Connect), whoever they are there, and
nobody else does; what is wrong is told to the person in a sentence and to the administrator in the log."""
import os
import shutil

import ldap
from browser import WEB, Browser
from harness import case, expect, expect_equal, main, wait_for
from identity import CLIENT, SECRET, Identity
from server import Server


def log(world):
    return (world.folder / world.server.log_name).read_text(errors="replace")


def trust(world, file):
    server = world.server
    owner = server.data.stat()
    shutil.copy(file, server.data / "identity-ca.crt")
    os.chown(server.data / "identity-ca.crt", owner.st_uid, owner.st_gid)
    status, said = server.command("mmp", "tls", "oidc", "trust", "identity-ca.crt", timeout=60)
    expect_equal(status, 0, said)
    server.command("mmp", "callbridge", "restart", timeout=60)
    server.wait_ready()


def page_says(browser, words, seconds=20):
    browser.ask("shows", seconds + 10, words=words, seconds=seconds)


def go_elsewhere(browser):
    browser.ask("open", 40, url=f"{WEB}/signin")
    browser.ask("press", 30, name="^Sign in with Example$")


def sign_in_there(browser, name):
    """On the provider's own page."""
    browser.ask("fill", 30, label="^Account", text=name)
    browser.ask("press", 20, name="^Go on$")


@case
def without_trust_the_person_is_told_and_the_log_says_why(world):
    browser = Browser(world, 1, "Ann")
    browser.ask("open", 40, url=f"{WEB}/")
    browser.ask("press", 30, name="^Sign in$")
    browser.ask("press", 30, name="^Sign in with Example$")
    page_says(browser, "directory")
    world.server.wait_log('sign-in at "Example" failed: it does not answer')
    trust(world, world.identity.authority)


@case
def who_proves_there_who_he_is_has_his_spaces(world):
    browser = Browser(world, 2, "Ann")
    go_elsewhere(browser)
    sign_in_there(browser, "USER7@meet.example.com")
    page_says(browser, "My spaces")
    page_says(browser, "User 7's room")
    expect_equal(browser.ask("run", code="location.pathname + location.search"), "/spaces", "address")
    world.server.wait_log('user "user7@meet.example.com" has signed in to the web app')
    browser.ask("press", 20, name="^Sign out$")


@case
def who_is_known_there_but_not_here_is_nobody(world):
    stranger = Browser(world, 3, "Eve")
    go_elsewhere(stranger)
    sign_in_there(stranger, "eve@example.com")
    page_says(stranger, "not known here")
    world.server.wait_log("eve@example.com")


@case
def a_link_with_somebody_elses_sign_in_opens_nothing(world):
    browser = Browser(world, 4, "Cem")
    browser.ask("open", 40, url=f"{WEB}/signin?state=guessed&code=stolen")
    page_says(browser, "Please sign in again")
    expect_equal(browser.ask("run", code="location.search"), "", "what is left in the address")


@case
def a_wrong_client_secret_is_named_in_the_log(world):
    api = world.server.api
    api.put(f"oidcProviders/{world.provider}", clientSecret="wrong")
    expect("wrong" not in api.request("GET", f"/api/v1/oidcProviders/{world.provider}").body,
           "the secret is shown")
    browser = Browser(world, 5, "Ben")
    go_elsewhere(browser)
    sign_in_there(browser, "user8@meet.example.com")
    page_says(browser, "not known here")
    wait_for("the log says what to look at",
             lambda: "clientSecret" in log(world) and "invalid_client" in log(world), 10)


def set_up(world):
    world.server = Server(world)
    world.identity = Identity(world)
    ldap.Slapd(world, 20)
    api = world.server.api
    mapping = api.post("ldapMappings", jidMapping="$uid$@meet.example.com", nameMapping="$cn$",
                       coSpaceNameMapping="$cn$'s room", coSpaceUriMapping="$uid$.space")
    server = api.post("ldapServers", address="127.0.0.1", portNumber=str(ldap.PLAIN), secure="false",
                      username=ldap.READER, password=ldap.READER_PASSWORD)
    api.post("ldapSources", server=server, mapping=mapping, baseDn=ldap.PEOPLE,
             filter="(objectClass=inetOrgPerson)")
    guid = api.post("ldapSyncs", removeWhenFinished="false")
    wait_for("users are there",
             lambda: api.get(f"ldapSyncs/{guid}").findtext("state") == "complete", 30)
    world.provider = api.post("oidcProviders", name="Example", issuer=world.identity.issuer,
                              clientId=CLIENT, clientSecret=SECRET)


main(set_up)

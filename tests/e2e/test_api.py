# SPDX-License-Identifier: Apache-2.0
"""The whole REST API through its own port, by the description it serves: every object made, read,
changed, filtered, paged and deleted, every parameter with good, boundary and bad values; the
exchanges that clients in the field rely on; bad input; and all of it there after a restart; on
SQLite and on PostgreSQL."""
import base64
import http.client
import json
import os
import shutil
import sqlite3
import ssl
import time
import urllib.parse
import uuid
import xml.etree.ElementTree as xml

import network
from harness import case, cpu_s, expect, expect_equal, main, wait_for
from postgres import PORT, Postgres
from server import API_PORT, Server

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NOWHERE = str(uuid.UUID(int=1))
JIDS = [f"user{number}@example.org" for number in range(1, 30)]


class Client:
    """One connection that is kept: a thousand requests in a few seconds."""

    def __init__(self, server):
        secret = base64.b64encode(f"admin:{server.password()}".encode()).decode()
        self.headers = {"Authorization": f"Basic {secret}"}
        self.connection = http.client.HTTPSConnection(
            network.SERVER, API_PORT, timeout=20, context=ssl._create_unverified_context())

    def ask(self, method, path, body=None, headers=None):
        """Status, headers, text."""
        if isinstance(body, dict):
            body = urllib.parse.urlencode(body)
        extra = (FORM if body is not None else {}) | (headers or {})
        self.connection.request(method, f"/api/v1/{path}", body, self.headers | extra)
        reply = self.connection.getresponse()
        return reply.status, reply.headers, reply.read().decode()

    def must(self, method, path, body=None, status=200):
        got, headers, text = self.ask(method, path, body)
        expect(got == status, method, path, body, "gave", got, text[:300])
        return headers, text

    def make(self, path, body=None):
        """The path of what was made."""
        headers, _ = self.must("POST", path, body)
        location = headers["Location"]
        expect(location.startswith("/api/v1/"), "Location is", location)
        return location.removeprefix("/api/v1/")

    def tree(self, path):
        return xml.fromstring(self.must("GET", path)[1])


class Description:
    """What the server says of itself, and how to make what it speaks of."""

    def __init__(self, client):
        status, headers, text = client.ask("GET", "openapi")
        expect_equal(status, 200, "status of the description")
        expect_equal(headers["Content-Type"], "application/json", "its type")
        self.root = json.loads(text)
        self.schemas = self.root["components"]["schemas"]
        self.client = client
        self.jids = iter(JIDS)

    def paths(self, kind, method="get"):
        return {path.lstrip("/"): item for path, item in self.root["paths"].items()
                if item["x-kind"] == kind and method in item}

    def collections(self):
        """(path, schema) of what can be made and deleted; not calls, which are live, nor
        synchronisations, which go on by themselves (test_ldap.py)."""
        for path, item in self.paths("collection", "post").items():
            one = self.root["paths"].get(f"/{path}/{{id}}") or \
                self.root["paths"].get(f"/{path}/{{id2}}")
            if one and "delete" in one and path != "ldapSyncs" and \
                    not path.startswith("calls"):
                yield path, item["x-object"]

    def where(self, schema):
        return next(path for path, name in self.collections() if name == schema)

    def place(self, path):
        """The collection's path, inside a container that is made for it."""
        if "{id}" not in path:
            return path
        outer = path.split("/{id}")[0]
        if outer == "users":
            return path.replace("{id}", self.user_id())
        return self.make(next(s for p, s in self.collections() if p == outer)) \
            + path.split("{id}")[1]

    def user_id(self):
        jid = next(self.jids)
        return self.client.tree(f"users?filter={jid}")[0].get("id")

    def make(self, schema):
        path = self.place(self.where(schema))
        return self.client.make(path, self.required(schema))

    def required(self, schema):
        fields = self.schemas[schema]
        return {name: self.good(name, fields["properties"][name])
                for name in fields.get("required", []) if name != "userJid"} | (
            {"userJid": next(self.jids)} if "userJid" in fields.get("required", []) else {})

    def good(self, name, field):
        """A value the parameter takes."""
        kind = field["x-kind"]
        unique = uuid.uuid4().hex[:8]
        if field.get("x-lacking"):
            default = field.get("default")
            return str(default).lower() if kind == "boolean" else default
        if kind == "id":
            if field["x-ref"] == "user":
                return self.user_id()
            return self.make(field["x-ref"]).rsplit("/", 1)[1]
        values = {"boolean": "true", "digits": str(int(unique, 16)), "passcode": "4711",
                  "uriUser": f"u.{unique}", "party": f"{unique}@example.org",
                  "jid": "", "generator": f"r$.{unique[:4]}", "dtmf": "12,3",
                  "code": f"*{int(unique[:4], 16)}", "seconds": "permanent",
                  "domainPattern": f"*.{unique}.example", "domain": f"{unique}.example",
                  "hostPort": "192.0.2.1:5070", "dialMatch": "($1/^0/)($2/7/)",
                  "dialTransform": "9$1{/a/b/}@x", "text": f"text {unique}"}
        if kind == "jid":
            return next(self.jids)
        if kind == "number":
            return str(field["maximum"])
        if kind == "word":
            return field["enum"][-1]
        if kind == "url":
            return f"{field['x-schemes'][0]}://h{unique}.example.org/x"
        return values[kind][:field.get("maxLength", 1000)]

    @staticmethod
    def boundaries(field):
        """Good values at the edges."""
        kind = field["x-kind"]
        if kind == "number":
            return [str(field["minimum"]), str(field["maximum"])]
        if kind == "boolean" and not field.get("x-lacking"):
            return ["False", "true"]
        if kind == "word" and not field.get("x-lacking"):
            return field["enum"]
        if kind == "text":
            return ["x" * max(field.get("minLength", 1), 1), "y" * field["maxLength"]]
        if kind in ("digits", "passcode"):
            return ["7" * field["maxLength"]]
        return []

    @staticmethod
    def bad(field):
        kind = field["x-kind"]
        values = {"boolean": ["1", "yes"], "word": ["nonsense"], "id": ["1", "../x"],
                  "digits": ["12a"], "passcode": ["12 3"], "uriUser": ["a@b", "a b"],
                  "party": ["@", "a b"], "jid": ["nodomain", "a@b@c"], "url": ["gopher://x", "x"],
                  "generator": ["x", "$$", "a b$"], "dtmf": ["12z"], "code": ["12a"],
                  "seconds": ["0", "forever"], "hostPort": ["h:99999"],
                  "domainPattern": ["a b"], "domain": ["a b"], "dialMatch": ["($1/(/)"]}
        found = values.get(kind, [])
        if kind == "number":
            found = [str(field["maximum"] + 1), "-1", "1x"]
        if kind not in ("number", "boolean", "word", "id", "seconds"):
            found = found + ["z" * (field["maxLength"] + 1), "a\nb", "a\x01b"]
        return found


def writable(schema):
    return {name: field for name, field in schema["properties"].items() if field.get("x-put")}


@case
def every_collection_and_reading_answers(world):
    described = Description(world.client)
    for kind in ("collection", "single"):
        for path, item in described.paths(kind).items():
            if "{" in path:
                continue
            tree = world.client.tree(path)
            if kind == "collection":
                expect(tree.get("total") is not None, path, "has no total")
            as_json = json.loads(world.client.ask("GET", path, headers={
                "Accept": "application/json"})[2])
            expect_equal(list(as_json), [tree.tag], f"JSON of {path}")
    expect(len(described.root["paths"]) > 100, "paths:", len(described.root["paths"]))


@case
def every_object_is_made_read_changed_filtered_paged_and_deleted(world):
    client = world.client
    described = Description(client)
    for path, schema in list(described.collections()):
        place = described.place(path)
        made = [client.make(place, described.required(schema)) for _ in range(2)]
        ids = {one.rsplit("/", 1)[1] for one in made}
        total = int(client.tree(place).get("total"))
        expect(total >= 2, place, "has", total)
        seen, offset = set(), 0
        while offset < total:
            page = client.tree(f"{place}?offset={offset}&limit=1")
            expect_equal((len(page), int(page.get("total"))), (1, total), f"page of {place}")
            seen.add(page[0].get("id"))
            offset += 1
        expect(ids <= seen, "pages of", place, "lack", ids - seen)
        expect_equal(len(client.tree(f"{place}?limit=0")), 0, "items of limit=0")
        tree = client.tree(made[0])
        expect_equal(tree.get("id"), made[0].rsplit("/", 1)[1], "id")
        for name, field in described.schemas[schema]["properties"].items():
            if field.get("x-filter") and field.get("x-list") and tree.findtext(name):
                part = urllib.parse.quote(tree.findtext(name).upper())
                found = client.tree(f"{place}?filter={part}")
                expect(made[0].rsplit("/", 1)[1] in {item.get("id") for item in found},
                       place, "is not found by", name)
        for one in made:
            client.must("DELETE", one)
            status, _, text = client.ask("GET", one)
            expect_equal(status, 404, f"status of {one} when deleted")
            missing = described.schemas[schema]["x-missing"]
            expect(f"<failureDetails><{missing} /></failureDetails>" in text, one, "says", text)


@case
def every_parameter_takes_good_values_and_boundaries_and_refuses_bad_ones(world):
    client = world.client
    described = Description(client)
    tried = 0
    for path, schema in list(described.collections()):
        one = described.make(schema)
        required = described.schemas[schema].get("required", [])
        for name, field in writable(described.schemas[schema]).items():
            if field.get("x-ref") == "accessMethod":
                continue  # must be one of its own: tests below
            good = [described.good(name, field)] if field["x-kind"] not in ("text", "number") \
                else []
            for value in good + described.boundaries(field):
                client.must("PUT", one, {name: value})
                tried += 1
            if good and field.get("x-get") and field["x-kind"] != "seconds":
                client.must("PUT", one, {name.upper(): good[0]})
                expect_equal(client.tree(one).findtext(f".//{name}"), good[0], f"{one} {name}")
            for value in described.bad(field):
                status, _, text = client.ask("PUT", one, {name: value})
                expect(status == 400 and f'parameterError parameter="{name}"' in text,
                       "PUT", one, name, repr(value[:40]), "gave", status, text[:200])
                tried += 1
            if field.get("x-lacking") and field["x-kind"] == "boolean":
                other = "false" if field["default"] else "true"
                expect('error="unsupported"' in client.ask("PUT", one, {name: other})[2],
                       name, "can be had")
            if field["x-kind"] == "id":
                status, _, text = client.ask("PUT", one, {name: NOWHERE})
                expect(status == 400 and "DoesNotExist />" in text, one, name, "gave", text)
            if name not in required:
                client.must("PUT", one, {name: ""})
        client.must("DELETE", one)
    for path in ("system/profiles", "system/configuration/cluster"):
        schema = described.root["paths"][f"/{path}"]["x-object"]
        for name, field in writable(described.schemas[schema]).items():
            client.must("PUT", path, {name: described.good(name, field)})
            expect(client.tree(path).find(name) is not None, path, name, "is not there")
            client.must("POST", path, {name: ""})
    expect(tried > 800, "values tried:", tried)


@case
def exchanges_of_real_clients_are_answered_word_by_word(world):
    client = world.client
    space = client.make("coSpaces/", "name=N&uri=gold&callId=4321&\r\n")
    prolog = '<?xml version="1.0"?>'
    id_ = space.rsplit("/", 1)[1]
    expect_equal(space, f"coSpaces/{id_}", "Location")
    secret = client.tree(space).findtext("secret")
    expect_equal(len(secret), 22, "letters of the secret")
    expect_equal(client.must("GET", f"COSPACES/{id_.upper()}?")[1],
                 f'{prolog}<coSpace id="{id_}"><name>N</name><autoGenerated>false</autoGenerated>'
                 f"<uri>gold</uri><callId>4321</callId><nonMemberAccess>true</nonMemberAccess>"
                 f"<secret>{secret}</secret></coSpace>", "a space")
    expect_equal(client.must("POST", "coSpaces", "uri=GOLD", 400)[1],
                 f"{prolog}<failureDetails><duplicateCoSpaceUri /></failureDetails>", "a clash")
    expect_equal(client.must("POST", "calllegprofiles", "defaultlayout=speakerOnly")[1], "", "body")
    expect_equal(client.must("GET", "system/database")[1],
                 f'{prolog}<database clustered="disabled"/>', "the database")
    call = client.make("calls", f"coSpace={id_}")
    tree = client.tree("calls")
    expect_equal(tree.find(f"call[@id='{call.rsplit('/', 1)[1]}']/coSpace").text, id_, "its space")
    client.must("PUT", f"{call}/participants/", "rxAudioMute=True")
    client.must("PUT", f"{call}/participants/*", "rxAudioMute=False")
    client.must("DELETE", call)
    expect_equal(client.must("GET", "coSpaces/" + NOWHERE, status=404)[1],
                 f"{prolog}<failureDetails><coSpaceDoesNotExist /></failureDetails>", "no space")
    expect_equal(client.must("GET", "recorders", status=404)[1],
                 f"{prolog}<failureDetails><unrecognizedObject /></failureDetails>", "no path")
    status, headers, _ = client.ask("DELETE", "coSpaces")
    expect_equal((status, headers["Allow"]), (405, "GET, POST"), "what is allowed")
    client.must("DELETE", space)


@case
def bad_input_is_a_value_or_refused(world):
    client = world.client
    evil = ["Robert'); DROP TABLE spaces;--", '"><script>alert(1)</script>', "]]><!ENTITY x>",
            "%s%n%x", "${jndi:ldap://x}", "a&b=c", "\u202e\u00e9\u4e2d"]
    for text in evil:
        space = client.make("coSpaces", {"name": text})
        expect_equal(client.tree(space).findtext("name"), text, "the name")
        as_json = client.ask("GET", space, headers={"Accept": "application/json"})[2]
        expect_equal(json.loads(as_json)["coSpace"]["name"], text, "the name in JSON")
        found = client.tree("coSpaces?filter=" + urllib.parse.quote(text))
        expect_equal(found.get("total"), "1", f"found by {text}")
        client.must("DELETE", space)
    status, headers, text = client.ask("POST", "coSpaces", {"name": "x\r\nX-Evil: 1"})
    expect(status == 400 and "X-Evil" not in headers, "a header got in:", status, text)
    for path in ("coSpaces/../system/status", "coSpaces//", "coSpaces/%2e%2e", "coSpaces/1;drop",
                 "x" * 400, "coSpaces/" + "a/" * 100, "coSpaces%00", "openapi/x"):
        status, _, _ = client.ask("GET", path)
        expect(status in (400, 404, 414), path[:40], "gave", status)
    for size in (65 * 1024, 10 * 1024 * 1024):
        other = Client(world.server)
        try:
            status, _, _ = other.ask("POST", "coSpaces", "name=" + "x" * size)
            expect_equal(status, 413, f"status of {size} bytes")
        except (BrokenPipeError, ConnectionError, ssl.SSLError, http.client.HTTPException):
            pass  # refused before it was all sent
    for body in ("%", "name=%zz", "&".join(f"a{n}=1" for n in range(200)), b"name=\xff"):
        status, _, _ = client.ask("POST", "coSpaces", body)
        expect_equal(status, 400, f"status of {body[:20]!r}")
    for query in ("limit=-1", "limit=x", "offset=99999999999", "tenantFilter=1", "nonsense=1"):
        status, _, text = client.ask("GET", "coSpaces?" + query)
        expect(status == 400 and "parameterError" in text, query, "gave", status, text)


@case
def tenants_are_worlds_of_their_own(world):
    client = world.client
    a, b = (client.make("tenants", {"name": name}).rsplit("/", 1)[1] for name in "ab")
    spaces = [client.make("coSpaces", {"uri": "same", "tenant": tenant}) for tenant in (a, b)]
    client.must("POST", "coSpaces", {"uri": "same", "tenant": a}, 400)
    found = client.tree(f"coSpaces?tenantFilter={a}")
    expect_equal([item.get("id") for item in found], [spaces[0].rsplit("/", 1)[1]], "a's spaces")
    _, text = client.must("POST", f"{spaces[0]}/coSpaceUsers", {"userJid": JIDS[-1]}, 400)
    expect("<userDoesNotExist />" in text, "another tenant's user:", text)
    _, text = client.must("POST", "uriUsageQuery", {"uri": "same", "tenant": b})
    expect(spaces[1].rsplit("/", 1)[1] in text, "b's space:", text)
    client.must("POST", "accessQuery", {"uri": "same", "tenant": NOWHERE}, 400)
    for path in spaces + [f"tenants/{a}", f"tenants/{b}"]:
        client.must("DELETE", path)


@case
def what_was_acknowledged_is_there_after_a_restart(world):
    client = world.client
    described = Description(client)
    kept = {}
    for path, schema in list(described.collections()):
        if schema != "layoutTemplate":
            one = described.make(schema)
            kept[one] = client.must("GET", one)[1]
    world.server.down()
    world.server.start()
    world.server.wait_ready()
    world.client = Client(world.server)
    for one, text in kept.items():
        expect_equal(world.client.must("GET", one)[1], text, one)


@case
def the_same_holds_on_postgresql(world):
    server, postgres = world.server, Postgres(world)
    if server.process.poll() is not None:  # what a case starts ends with it
        server.start()
        server.wait_ready()
    owner = server.data.stat()
    for name, source in (("pg.key", "client.key"), ("pg.crt", "client.crt"), ("ca.crt", "ca.crt")):
        shutil.copy(postgres.file(source), server.data / name)
        os.chown(server.data / name, owner.st_uid, owner.st_gid)
    for command in ("database cluster certs pg.key pg.crt ca.crt",
                    f"database move postgres localhost:{PORT}"):
        status, said = server.command("mmp", *command.split(), timeout=60)
        expect_equal(status, 0, f"{command}: {said}")
    world.client = Client(server)
    wait_for("system/database says where it is",
             lambda: world.client.tree("system/database").get("clustered") == "enabled", 20)
    every_object_is_made_read_changed_filtered_paged_and_deleted(world)
    what_was_acknowledged_is_there_after_a_restart(world)


@case
def a_page_of_a_hundred_thousand_spaces_comes_at_once(world):
    """In 50 ms of the control thread, 99 of 100; by the clock, where others on the machine count, half of
    them do.  What any answer costs on this machine as it is comes on top."""
    if world.server.process.poll() is None:
        world.server.down()
    server = Server(world)  # with nothing else in it
    client = Client(server)
    runs = 1 if server.sanitized else 9
    for run in range(runs):
        first = 100_000 + run * 10_000
        made = client.make("cospaceBulkParameterSets", {
            "startIndex": first, "endIndex": first + 9_999, "coSpaceUriMapping": "room$index$",
            "coSpaceNameMapping": "Meeting Room $index$"})
        sync = client.make("cospaceBulkSyncs",
                           {"coSpaceBulkParameterSet": made.rsplit("/", 1)[1]})
        wait_for(lambda: f"run {run}: {client.must('GET', sync)[1]}",
                 lambda: client.tree(sync).findtext("status") == "complete", 90, 0.3)
    wanted = runs * 10_000
    expect(int(client.tree("coSpaces").get("total")) >= wanted, "spaces are missing")
    bridge = server.pid_of("callbridge")

    def took(path):
        before, began = cpu_s(bridge, bridge), time.monotonic()
        client.must("GET", path)
        return cpu_s(bridge, bridge) - before, time.monotonic() - began
    questions = {"status": lambda n: "system/status",
                 "anywhere": lambda n: f"coSpaces?offset={n * 7919 % wanted}",
                 "few match": lambda n: f"coSpaces?filter=room{100_000 + n * 7919 % wanted}",
                 "all match": lambda n: f"coSpaces?filter=MEETING&offset={n * 7919 % wanted}"}
    times = {what: [] for what in questions}
    for n in range(200):  # in turn: what disturbs one, disturbs all
        for what, path in questions.items():
            times[what].append(took(path(n)))
    of_thread = {what: sorted(cpu for cpu, _ in all_of)[197] for what, all_of in times.items()}
    by_clock = {what: sorted(clock for _, clock in all_of)[100] for what, all_of in times.items()}
    for seconds in (of_thread, by_clock):
        for what in questions:
            expect(seconds[what] < 0.05 + seconds["status"], what, of_thread, by_clock)
    expect_equal(client.tree(f"coSpaces?filter=oom{100_000 + wanted - 1}").get("total"), "1",
                 "found by a part of its address and name")


def prepare(world):
    """Users are made by synchronisations; here they are put into the database by hand."""
    world.server = Server(world)
    world.server.down()
    database = sqlite3.connect(world.server.data / "convoke.db")
    with database:
        for jid in JIDS:
            database.execute("INSERT INTO users(id, userJid, name) VALUES(?, ?, ?)",
                             (str(uuid.uuid4()), jid, jid.split("@")[0]))
    database.close()
    world.server.start()
    world.server.wait_ready()
    world.client = Client(world.server)


main(prepare)

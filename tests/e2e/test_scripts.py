# SPDX-License-Identifier: Apache-2.0
"""Scripts as administrators write them, against a fresh server: a shell script with curl, and a program
with Python's requests.  The command line's are in test_mmp and test_house."""
import subprocess

from harness import case, expect_equal, main
from server import Server

CURL = r"""
set -eu
call() { curl -sS --fail --cacert "$CERTIFICATE" --user "admin:$PASSWORD" "$@"; }

# A space, and its id out of the Location header, as scripts have always done it.
space=$(call --include --data "name=Weekly&uri=weekly&callId=2001" "$API/coSpaces" |
	tr -d '\r' | sed -n 's#^Location: /api/v1/coSpaces/##p')
call --request PUT --data passcode=4711 "$API/coSpaces/$space"
method=$(call --include --data "name=Hosts" --data "callId=2002" --data "passcode=99" \
	"$API/coSpaces/$space/accessMethods" | tr -d '\r' | sed -n 's#^Location: .*/##p')
call "$API/coSpaces/$space" | sed 's#.*<passcode>\(.*\)</passcode>.*#passcode \1#'
echo
call "$API/coSpaces/$space/accessMethods/$method" | sed 's#.*<callId>\(.*\)</callId>.*#host ID \1#'
echo
call --get --data-urlencode "filter=week" "$API/coSpaces" | grep -o 'total="[0-9]*"'

# What is refused is read from the answer.
curl -sS --cacert "$CERTIFICATE" --user "admin:$PASSWORD" --data "uri=weekly" "$API/coSpaces" |
	sed 's#.*<failureDetails><\([A-Za-z]*\).*#\1#'
echo
call --request DELETE "$API/coSpaces/$space"
curl -sS --output /dev/null --write-out '%{http_code}\n' --cacert "$CERTIFICATE" \
	--user "admin:$PASSWORD" "$API/coSpaces/$space"
curl -sS --output /dev/null --write-out '%{http_code}\n' --cacert "$CERTIFICATE" --user admin:wrong \
	"$API/coSpaces"
"""

REQUESTS = r"""
import os
import xml.etree.ElementTree as xml

import requests

api = os.environ["API"]
session = requests.Session()
session.auth = ("admin", os.environ["PASSWORD"])
session.verify = os.environ["CERTIFICATE"]


def post(path, **parameters):
    answer = session.post(f"{api}/{path}", data=parameters)
    answer.raise_for_status()
    return answer.headers["Location"].rsplit("/", 1)[1]


profile = post("callLegProfiles", name="guests", needsActivation="true")
rooms = [post("coSpaces", name=f"Room {n:02}", uri=f"room.{n:02}", callLegProfile=profile)
         for n in range(45)]

found = []
while True:
    page = xml.fromstring(session.get(f"{api}/coSpaces", params={"offset": len(found),
                                                                 "filter": "Room "}).content)
    found += [space.get("id") for space in page]
    if len(found) >= int(page.get("total")) or not len(page):
        break
print("found", len(found), sorted(found) == sorted(rooms))

one = session.get(f"{api}/coSpaces/{rooms[7]}", headers={"Accept": "application/json"}).json()
print(one["coSpace"]["name"], one["coSpace"]["uri"])
print(session.put(f"{api}/coSpaces/{rooms[7]}", data={"name": "Küche & Bar"}).status_code)
print(xml.fromstring(session.get(f"{api}/coSpaces/{rooms[7]}").content).findtext("name"))

refused = session.post(f"{api}/coSpaces", data={"uri": "room.07"})
print(refused.status_code, xml.fromstring(refused.content)[0].tag)
print(session.post(f"{api}/coSpaces", data={"uri": "x", "colour": "red"}).status_code)
print({session.delete(f"{api}/coSpaces/{room}").status_code for room in rooms})
"""


def run(world, *argv, script):
    server = world.server
    done = subprocess.run(
        [*argv], input=script, capture_output=True, text=True, timeout=60,
        env={"PATH": "/usr/bin:/bin", "API": "https://localhost:8445/api/v1", "LANG": "C.UTF-8",
             "CERTIFICATE": str(server.data / "webadmin.crt"),
             "PASSWORD": (server.data / "admin-password").read_text().strip()})
    expect_equal(done.returncode, 0, f"{done.stdout}{done.stderr}")
    return done.stdout.split("\n")[:-1]


@case
def a_shell_script_with_curl(world):
    expect_equal(run(world, "sh", script=CURL),
                 ["passcode 4711", "host ID 2002", 'total="1"', "duplicateCoSpaceUri", "404", "401"],
                 "what the script printed")


@case
def a_program_with_requests(world):
    expect_equal(run(world, "/usr/bin/python3", "-", script=REQUESTS),
                 ["found 45 True", "Room 07 room.07", "200", "Küche & Bar",
                  "400 duplicateCoSpaceUri", "400", "{200}"], "what the program printed")


def set_up(world):
    world.server = Server(world)


main(set_up)

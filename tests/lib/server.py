# SPDX-License-Identifier: Apache-2.0
"""Convoke itself: started in a data folder of its own, asked by its API, read by its log."""
import base64
import http.client
import re
import ssl
import subprocess
import tempfile
import urllib.parse
import xml.etree.ElementTree as xml
from pathlib import Path

import network
from harness import Failure, alive, expect, processes, wait_for

API_PORT = 8445
WEB_PORT = 8443
SIP_PORT = 5060
SIP_TLS_PORT = 5061

# Certificates are self-signed on a first start; what is tested here is not the chain.
_UNCHECKED = ssl._create_unverified_context()


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def tree(self):
        return xml.fromstring(self.body)

    @property
    def id(self):
        """Of what was created: the last word of Location."""
        location = self.headers.get("Location")
        expect(location, "no Location in", self.status, self.body[:200])
        return location.rsplit("/", 1)[1]


class Api:
    """REST of CMS: paths below /api/v1, parameters as keywords."""

    def __init__(self, user, password, host=network.SERVER, port=API_PORT):
        secret = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {secret}"}
        self._where = host, port

    def request(self, method, path, body=None, headers=None, timeout=5):
        connection = http.client.HTTPSConnection(*self._where, timeout=timeout, context=_UNCHECKED)
        try:
            all_headers = self._headers | (headers or {})
            connection.request(method, path, body=body, headers=all_headers)
            reply = connection.getresponse()
            return Answer(reply.status, reply.headers, reply.read().decode())
        finally:
            connection.close()

    def _ask(self, method, path, parameters):
        body = urllib.parse.urlencode(parameters) if parameters else None
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if parameters else {}
        answer = self.request(method, f"/api/v1/{path}", body, headers)
        expect(answer.status == 200, method, path, parameters, "gave", answer.status, answer.body)
        return answer

    def get(self, path):
        return self._ask("GET", path, None).tree

    def post(self, path, **parameters):
        return self._ask("POST", path, parameters).id

    def put(self, path, **parameters):
        self._ask("PUT", path, parameters)

    def delete(self, path):
        self._ask("DELETE", path, None)

    def list(self, path):
        """[element] of a collection, all pages."""
        found, separator = [], "&" if "?" in path else "?"
        while True:
            tree = self.get(f"{path}{separator}offset={len(found)}")
            found += list(tree)
            if not len(tree) or len(found) >= int(tree.get("total")):
                return found

    def find(self, path, **wanted):
        """The first of a collection whose children have these texts, or None."""
        for item in self.list(path):
            if all(item.findtext(key) == value for key, value in wanted.items()):
                return item
        return None


class Server:
    """`convoke up` in the foreground of this test."""

    def __init__(self, world, data=None, start=True, wait=True):
        self.world = world
        self.program = world.build / "convoke"
        self.data = data or world.path("data")
        self.process = None
        self.log_name = world.path("server.log").name
        if start:
            self.start()
            if wait:
                self.wait_ready()

    @property
    def sanitized(self):
        """Whether it was built with the address sanitizer."""
        return b"__asan_init" in self.program.read_bytes()

    def start(self):
        self.process = self.world.start([self.program, "up", "--data", self.data], self.log_name)

    def command(self, *words, timeout=20):
        """`convoke VERB --data DIR WORDS`: exit status and everything it said."""
        # Into a file: what --detach leaves running may keep its end of a pipe.
        with tempfile.TemporaryFile("w+") as said:
            done = subprocess.run(
                [str(self.program), words[0], "--data", str(self.data), *words[1:]],
                stdin=subprocess.DEVNULL, stdout=said, stderr=said, timeout=timeout)
            said.seek(0)
            return done.returncode, said.read()

    def wait_ready(self, seconds=20):
        def ready():
            if self.process.poll() is not None:
                raise Failure(f"the server ended with {self.process.returncode}: "
                              + " | ".join(self.log().splitlines()[-5:]))
            return self.command("status")[0] == 0
        wait_for(lambda: f"`convoke status` says {self.command('status')}", ready, seconds, 0.1)
        return self

    def log(self):
        text = (self.world.folder / self.log_name).read_text(errors="replace")
        for file in sorted(self.data.glob("*log*")):
            if file.is_file():
                text += file.read_text(errors="replace")
        return text

    def wait_log(self, words, seconds=10):
        """Until the log says so: lines come by way of the supervisor, later than the answer to what caused
        them."""
        wait_for(lambda: f"the log says {words!r}: {self.log()[-600:]}", lambda: words in self.log(),
                 seconds, 0.1)

    def password(self):
        return (self.data / "admin-password").read_text().strip()

    @property
    def api(self):
        return Api("admin", self.password())

    def metrics(self):
        """Name without the prefix -> value."""
        connection = http.client.HTTPSConnection("127.0.0.1", API_PORT, timeout=5,
                                                 context=_UNCHECKED)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        return {name: float(value)
                for name, value in re.findall(r"^convoke_(\w+)(?:\{[^}]*\})? (\S+)$", text, re.M)}

    def pid_of(self, component):
        """Of the process that `ps` shows as `convoke COMPONENT ...`, or None."""
        for pid, line in processes().items():
            words = line.split()
            if len(words) > 1 and Path(words[0]).name == "convoke" and words[1] == component:
                return pid
        return None

    def memory_kb(self, component="callbridge"):
        pid = self.pid_of(component)
        expect(pid, component, "does not run")
        text = Path(f"/proc/{pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+)", text, re.M).group(1))

    def wait_empty(self, seconds=45, transactions=True):
        """Until nothing of any call is left; returns the figures.  SIP's transactions over UDP
        stay for half a minute, to answer what comes again (RFC 3261 timers H and J)."""
        names = ["call_legs", "calls", "media_legs", "rooms", "sip_sessions", "sip_dialogs",
                 "sip_half_open"] + ["sip_transactions"] * transactions
        seen = {}

        def empty():
            seen.update(self.metrics())
            return all(seen.get(name) == 0 for name in names)
        wait_for(lambda: "nothing left of any call, but "
                 + str({name: seen.get(name) for name in names}), empty, seconds, 0.5)
        return seen

    def down(self, seconds=15):
        status, said = self.command("down", timeout=seconds)
        expect(status == 0, "`convoke down` gave", status, said)
        wait_for("the supervisor is gone", lambda: self.process.poll() is not None, seconds)
        return said

    def call(self, name="Demo"):
        """The id of the running call of that space, or None."""
        item = self.api.find("calls", name=name)
        return item.get("id") if item is not None else None

    def people(self, call=None):
        """Names of the participants that are in a call."""
        path = f"calls/{call}/participants" if call else "participants"
        return [item.findtext("name") or item.findtext("uri") for item in self.api.list(path)]

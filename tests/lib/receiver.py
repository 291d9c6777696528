# SPDX-License-Identifier: Apache-2.0
"""A receiver of call detail records: it takes them, or is slow, or answers 500, or is not there."""
import ssl
import threading
import time
import xml.etree.ElementTree as xml
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import expect


class Record:
    """One record as it came."""

    def __init__(self, session, element):
        self.session = session
        self.type = element.get("type")
        self.index = int(element.get("recordIndex"))
        self.correlator = int(element.get("correlatorIndex"))
        self.missing = int(element.get("numPreceedingRecordsMissing", "0"))
        self.time = element.get("time")
        self.body = element[0]

    def text(self, path):
        return self.body.findtext(path)


class Receiver:
    def __init__(self, world, port, status=200, delay=0.0, key=None, listen=True):
        self.world = world
        self.port = port
        self.status = status
        self.delay = delay
        self.key = key        # PEM of key and certificate: then it speaks https
        self.refused = 0
        self.posts = []       # how many records each had
        self.records = []
        self.problems = []
        self.server = None
        if listen:
            self.listen()

    @property
    def uri(self):
        return f"{'https' if self.key else 'http'}://127.0.0.1:{self.port}/cdr"

    def listen(self):
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(receiver.delay)
                status = receiver.status
                if status // 100 == 2:
                    receiver._take(self.headers.get("Content-Type"), body)
                else:
                    receiver.refused += 1
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *words):
                pass

        ThreadingHTTPServer.allow_reuse_address = True
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        if self.key:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.key)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.world.at_end(self.close)

    def close(self):
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def _take(self, content_type, body):
        try:
            expect(content_type == "text/xml", "Content-Type is", content_type)
            expect(body.startswith(b'<?xml version="1.0"?><records session="'), body[:60])
            tree = xml.fromstring(body)
            self.posts.append(len(tree))
            self.records += [Record(tree.get("session"), one) for one in tree]
        except Exception as problem:
            self.problems.append(f"{problem!r}: {body[:200]!r}")

    def types(self, session=None):
        return [r.type for r in self.records if session in (None, r.session)]

    def sessions(self):
        """In the order in which they came."""
        return list(dict.fromkeys(r.session for r in self.records))

    def of(self, kind, **wanted):
        """Records of a type whose elements have these texts."""
        return [r for r in self.records if r.type == kind
                and all(r.text(path) == text for path, text in wanted.items())]

    def check(self):
        """Each record once, in order, without a gap, and all of a session before the next."""
        expect(not self.problems, self.problems[:1])
        for session in self.sessions():
            mine = [r.index for r in self.records if r.session == session]
            expect(mine == list(range(1, len(mine) + 1)), "recordIndex of", session, "is", mine)
            far = [r.correlator for r in self.records if r.session == session]
            expect(far == list(range(far[0], far[0] + len(far))), "correlatorIndex is", far)
        order = [r.session for r in self.records]
        expect(order == sorted(order, key=self.sessions().index), "sessions are mixed")
        expect(all(r.missing == 0 for r in self.records), "records are missing")

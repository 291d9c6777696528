# SPDX-License-Identifier: Apache-2.0
"""A client of the Events WebSocket, as a management tool is one: it logs in for a token, subscribes,
acknowledges every message and knows what it was told."""
import base64
import json
import os
import socket
import ssl
import struct
import threading
import time

import network
from harness import expect, wait_for
from server import API_PORT


class Subscriber:
    def __init__(self, world, api, acknowledges=True, token=None):
        self.calls, self.rosters, self.infos, self.states = {}, {}, {}, {}
        self.heard = []       # (when, message)
        self.acked = []       # statuses of what we sent
        self.closed = None    # close code
        self.acknowledges = acknowledges
        self._send_lock = threading.Lock()
        self._last_id = 0
        answer = api.request("POST", "/api/v1/authTokens") if token is None else None
        self.token = token or answer.headers.get("X-Cisco-CMS-Auth-Token")
        expect(self.token, "no token in", answer and answer.status)
        plain = socket.create_connection((network.SERVER, API_PORT), timeout=5)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.socket = context.wrap_socket(plain)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((
            f"GET /events/v1?authToken={self.token} HTTP/1.1\r\nHost: {network.SERVER}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n").encode())
        self._in = self.socket.makefile("rb")
        self.status = int(self._in.readline().split()[1])
        while self._in.readline().strip():
            pass
        self.socket.settimeout(None)
        world.at_end(self.close)
        if self.status == 101:
            threading.Thread(target=self._listen, daemon=True).start()

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def _frame(self, opcode, payload):
        mask = os.urandom(4)
        head = bytes([0x80 | opcode])
        if len(payload) < 126:
            head += bytes([0x80 | len(payload)])
        else:
            head += bytes([0x80 | 126]) + struct.pack(">H", len(payload))
        body = bytes(b ^ mask[i % 4] for i, b in enumerate(payload))
        with self._send_lock:
            self.socket.sendall(head + mask + body)

    def say(self, message):
        self._frame(1, json.dumps(message).encode())

    def subscribe(self, *subscriptions):
        """(index, type, call or None, elements)"""
        self._last_id += 1
        self.say({"type": "message", "message": {
            "messageId": self._last_id, "type": "subscribeRequest", "subscriptions": [
                {"index": index, "type": kind, "elements": elements} | ({"call": call} if call else {})
                for index, kind, call, elements in subscriptions]}})
        wait_for("an acknowledgement", lambda: len(self.acked) >= self._last_id, 5, 0.01)

    def _listen(self):
        try:
            while True:
                first, length = self._in.read(2)
                length &= 0x7f
                if length == 126:
                    length, = struct.unpack(">H", self._in.read(2))
                elif length == 127:
                    length, = struct.unpack(">Q", self._in.read(8))
                payload = self._in.read(length)
                opcode = first & 15
                if opcode == 9:
                    self._frame(10, payload)
                elif opcode == 8:
                    self.closed = struct.unpack(">H", payload[:2])[0]
                    self._frame(8, payload[:2])
                elif opcode == 1:
                    self._take(json.loads(payload))
        except (OSError, ValueError, TypeError):
            self.closed = self.closed or 1006

    def _take(self, frame):
        now = time.monotonic()
        if frame["type"] == "messageAck":
            self.acked.append(frame["messageAck"]["status"])
            return
        message = frame["message"]
        if self.acknowledges:
            self.say({"type": "messageAck",
                      "messageAck": {"messageId": message["messageId"], "status": "success"}})
        kind = message["type"]
        if kind == "subscriptionUpdate":
            self.states |= {s["index"]: s["state"] for s in message["subscriptions"]}
        elif kind == "callInfoUpdate":
            self.infos.setdefault(message["subscriptionIndex"], {}).update(message["callInfo"])
        elif kind == "callListUpdate":
            self._follow(self.calls, "call", message["updates"])
        elif kind == "rosterUpdate":
            self._follow(self.rosters.setdefault(message["subscriptionIndex"], {}), "participant",
                         message["updates"])
        self.heard.append((now, message))

    @staticmethod
    def _follow(known, key, updates):
        for update in updates:
            if update["updateType"] == "remove":
                known.pop(update[key], None)
            else:
                known.setdefault(update[key], {}).update(update)

    def roster(self, index):
        return {p.get("name"): p for p in self.rosters.get(index, {}).values()}

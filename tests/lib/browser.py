# SPDX-License-Identifier: Apache-2.0
"""Chromium and Firefox, driven by browser.mjs through lines of JSON."""
import base64
import json
import queue
import subprocess
import threading
from pathlib import Path

import network
import pictures
import sound
from harness import Failure, expect

WEB = f"https://{network.SERVER}:8443"


class Browser:
    def __init__(self, world, number, name, kind="chromium", tone=1040, colour=None, busy=False,
                 script=None):
        """With a colour, Chromium's camera shows pictures of it; Firefox has a fake camera of its own.
        A script runs in Chromium's page before the page's own."""
        self.name = name
        self.machine = network.Machine(number)
        self.tone = tone
        self.folder = world.path(name)
        self.folder.mkdir()
        self.colour = colour
        sound.write_wav(self.folder / "tone.wav", sound.tone(tone, 20))
        if colour and kind == "chromium":
            (self.folder / "camera.mjpeg").symlink_to(pictures.mjpeg(colour, busy=busy))
        if script:
            (self.folder / "page.js").write_text(script)
        driver = Path(__file__).with_name("browser.mjs")
        with open(world.folder / f"{self.folder.name}.log", "wb") as log:
            self._process = subprocess.Popen(
                self.machine.command(["node", str(driver), kind, str(self.folder)]), stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=log, text=True)
        world.at_end(self.close)
        self._answers = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self._expect_answer(90)

    def _read(self):
        for line in self._process.stdout:
            self._answers.put(json.loads(line))
        self._answers.put({"error": "the driver ended"})

    def _expect_answer(self, seconds):
        try:
            answer = self._answers.get(timeout=seconds)
        except queue.Empty:
            raise Failure(f"{self.name} says nothing for {seconds} s") from None
        expect("error" not in answer, self.name, answer.get("error"))
        return answer.get("value")

    def ask(self, what, timeout=20, **parameters):
        self._process.stdin.write(json.dumps({"do": what, **parameters}) + "\n")
        self._process.stdin.flush()
        return self._expect_answer(timeout)

    def join(self, path="/meeting/1001", passcode=None):
        """Through the page, as a person does."""
        self.ask("join", 40, url=WEB + path, name=self.name, passcode=passcode)
        return self

    def hears(self, last_s=2.0):
        """The newest sound that arrived: (samples, rate).  Not in Firefox."""
        got = self.ask("heard", seconds=last_s)
        return sound.from_base64(got["samples"]), got["rate"]

    def sees(self):
        """What stands in its tiles: {name shown: rows of RGB as they are on the screen}."""
        shown = {}
        for tile in self.ask("tiles", 30):
            shown[tile["name"]] = pictures.read_image(base64.b64decode(tile["png"]))
        return shown

    def frames(self):
        """The newest frames of its tiles, small: {name shown: rows of RGB}."""
        return {tile["name"]: pictures.read_image(base64.b64decode(tile["png"]))
                for tile in self.ask("frames", 30)}

    def watch(self, every_s=0.1):
        """From now on its counters of pictures are kept."""
        self.ask("watch", ms=round(every_s * 1000))

    def watched(self):
        """What was kept since the last call: [{at, received: [...], sent: [...]}]."""
        return self.ask("watched", 30)

    def close(self):
        if self._process.poll() is None:
            try:
                self._process.stdin.close()
                self._process.wait(5)
            except (OSError, subprocess.TimeoutExpired):
                self._process.kill()
                self._process.wait()

# SPDX-License-Identifier: Apache-2.0
"""An identity provider of the test's own (identity.mjs): any name signs in and is that name."""
from pathlib import Path

import network
from browser import WEB
from harness import wait_for
from kamailio import make_certificate

PORT = 9443
CLIENT, SECRET = "convoke", "a secret: +&"


class Identity:
    def __init__(self, world, back=f"{WEB}/signin"):
        self.folder = world.path("identity")
        self.folder.mkdir()
        make_certificate(self.folder, "identity", network.SERVER)
        self.issuer = f"https://{network.SERVER}:{PORT}"
        driver = Path(__file__).with_name("identity.mjs")
        self.process = world.start(
            ["node", str(driver), network.SERVER, str(PORT), str(self.folder / "identity.crt"),
             str(self.folder / "identity.key"), CLIENT, SECRET, back], "identity.log")
        log = world.folder / "identity.log"
        wait_for("the identity provider answers", lambda: "ready" in log.read_text(), 30)

    @property
    def authority(self):
        return self.folder / "identity-ca.crt"

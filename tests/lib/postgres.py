# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL of the test's own: lib/postgres-server, from Python."""
import os
import subprocess
import tempfile
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent / "postgres-server"
PORT = 25433


class Postgres:
    def __init__(self, world):
        # The server is somebody else than we are: a folder it can get at.
        self.folder = Path(tempfile.mkdtemp(prefix="convoke-pg-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.where = self.folder / "s"
        world.at_end(self.remove)
        # The disk has to have what is acknowledged, as anywhere.
        self._do("make", PORT, env=os.environ | {"FSYNC": "on"})
        self.start()

    def _do(self, verb, *more, check=True, **settings):
        return subprocess.run([str(SCRIPT), verb, str(self.where), *map(str, more)], check=check,
                              stdout=subprocess.PIPE, text=True, **settings).stdout

    def start(self):
        self._do("start")

    def kill(self):
        """SIGKILL to every process of it."""
        self._do("kill")

    def sql(self, statements):
        return self._do("sql", "convoke", statements).strip()

    def file(self, name):
        return self.where / name

    def remove(self):
        self._do("stop", check=False, stderr=subprocess.DEVNULL)
        subprocess.run(["rm", "-rf", str(self.folder)], check=False)

# SPDX-License-Identifier: Apache-2.0
"""Administrators at the command line: `convoke mmp` on the machine, ssh and sftp from anywhere."""
import os
import subprocess

import network
from harness import expect, expect_equal

PORT = 2222
PASSWORD = "Corr3ct horse"
SECONDS = 40


class Login:
    """An account as a client uses it, from the machine itself or from another one."""

    def __init__(self, world, name, password=PASSWORD, machine=None):
        self.machine = machine
        self.target = f"{name}@{network.SERVER if machine else '127.0.0.1'}"
        folder = world.path(f"login-{name}")
        folder.mkdir()
        self.folder = folder
        (folder / "ask").write_text(f"#!/bin/sh\necho '{password}'\n")
        (folder / "ask").chmod(0o700)
        self.environment = os.environ | {"SSH_ASKPASS": str(folder / "ask"),
                                         "SSH_ASKPASS_REQUIRE": "force", "TERM": "xterm"}
        self.options = ["-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR",
                        "-o", f"UserKnownHostsFile={folder}/known", "-o", "BatchMode=no",
                        "-o", "NumberOfPasswordPrompts=1"]

    def command(self, program, *words):
        port = ["-p" if program == "ssh" else "-P", str(PORT)]
        argv = [program, *port, *self.options, *words]
        return self.machine.command(argv) if self.machine else argv

    def _run(self, argv, text):
        return subprocess.run([str(word) for word in argv], env=self.environment, timeout=SECONDS,
                              capture_output=True, check=False,
                              input=text if isinstance(text, bytes) else text.encode())

    def ssh(self, *words, stdin=""):
        """Exit status and standard output of `ssh HOST WORDS`."""
        done = self._run(self.command("ssh", "-T", self.target, *words), stdin)
        return done.returncode, done.stdout.decode()

    def may_log_in(self):
        status, _ = self.ssh("version")
        return status == 0

    def sftp(self, *commands):
        """Everything that `sftp` said; a command that fails does not end it."""
        batch = "".join(f"-{command}\n" for command in commands)
        done = self._run(self.command("sftp", "-b", "-", self.target), batch)
        return done.stdout.decode() + done.stderr.decode()

    def by_hand(self, script, text):
        """What a person sees who types at a terminal, as `text` tells expect(1) to; in the file `script`."""
        script.write_text(text)
        done = subprocess.run(["expect", str(script), *self.command("ssh", "-tt", self.target)],
                              env=self.environment, capture_output=True, text=True, timeout=90, check=False)
        expect_equal(done.returncode, 0, done.stdout)
        return done.stdout

    def start(self, *words):
        return subprocess.Popen(self.command("ssh", "-T", self.target, *words), env=self.environment,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def mmp(world, *words, stdin=""):
    """`convoke mmp` on the machine itself."""
    server = world.server
    return subprocess.run([str(server.program), "mmp", "--data", str(server.data), *words], text=True,
                          input=stdin, capture_output=True, timeout=SECONDS, check=False).stdout


def add(world, name, role, machine=None):
    said = mmp(world, "user", "add", name, role, stdin=f"{PASSWORD}\n{PASSWORD}\n")
    expect("SUCCESS" in said, said)
    return Login(world, name, machine=machine)


def audit(world):
    return (world.server.data / "log/audit").read_text()

# SPDX-License-Identifier: Apache-2.0
"""A server of one's own for the benchmarks: in a network namespace (root), so that it takes no port of
this machine, on a new data folder that is removed; and what its processes cost."""
import base64
import http.client
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile


def in_own_network():
    if os.environ.get("BENCH_NETWORK") != "own":
        os.environ["BENCH_NETWORK"] = "own"
        os.execvp("unshare", ["unshare", "--net", sys.executable, *sys.argv])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


class Server:
    """A server on an empty data folder."""

    def __init__(self, build):
        self.program = os.path.join(build, "convoke")
        self.data = tempfile.mkdtemp(prefix="convoke-bench-")
        self.connection = None
        self.authorization = ""

    def run(self, *arguments):
        subprocess.run([self.program, *arguments, "--data", self.data], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def up(self):
        self.run("up", "--detach")
        with open(os.path.join(self.data, "admin-password"), encoding="utf-8") as file:
            login = "admin:" + file.read().strip()
        self.authorization = "Basic " + base64.b64encode(login.encode()).decode()
        context = ssl._create_unverified_context()
        self.connection = http.client.HTTPSConnection("127.0.0.1", 8445, context=context)

    def down(self):
        if self.connection is not None:
            self.connection.close()
        self.run("down")

    def remove(self):
        shutil.rmtree(self.data)

    def post(self, path, body):
        """The id of what was created."""
        self.connection.request("POST", "/api/v1/" + path, body, {
            "Authorization": self.authorization,
            "Content-Type": "application/x-www-form-urlencoded"})
        answer = self.connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError("%s: %d" % (path, answer.status))
        return answer.headers["Location"].rsplit("/", 1)[1]

    def metrics(self):
        """Name without the prefix -> value."""
        # The server closes connections on which nothing was asked for as long as a row takes.
        self.connection.close()
        self.connection.request("GET", "/metrics")
        text = self.connection.getresponse().read().decode()
        return {name: float(value)
                for name, value in re.findall(r"^convoke_(\w+)(?:\{[^}]*\})? (\S+)$", text, re.M)}

    def processes(self):
        """Process ids by component, found by the data folder in their arguments."""
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % pid, "rb") as file:
                    arguments = file.read().decode(errors="replace").replace("\0", " ")
            except OSError:
                continue
            if self.data in arguments and "convoke" in arguments.split(" ")[0]:
                for name in ("callbridge", "webbridge"):
                    if " " + name in arguments:
                        found[name] = int(pid)
                if " up" in arguments:
                    found["supervisor"] = int(pid)
        return found

    def codecs(self):
        """Process ids of the Call Bridge's codec processes."""
        with open("/proc/%d/task/%d/children" % (2 * (self.processes()["callbridge"],)),
                  encoding="utf-8") as file:
            return [int(pid) for pid in file.read().split()]


def cpu_s(pid, main_only=False):
    total = 0
    for task in os.listdir("/proc/%d/task" % pid):
        if main_only and task != str(pid):
            continue
        with open("/proc/%d/task/%s/schedstat" % (pid, task), encoding="utf-8") as file:
            total += int(file.read().split()[0]) / 1e9
    return total


def cpu_by_thread(pid):
    """Seconds of CPU by thread name, threads of one name added up."""
    found = {}
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/comm" % (pid, task), encoding="utf-8") as file:
            name = file.read().strip()
        with open("/proc/%d/task/%s/schedstat" % (pid, task), encoding="utf-8") as file:
            found[name] = found.get(name, 0) + int(file.read().split()[0]) / 1e9
    return found

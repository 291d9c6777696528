# SPDX-License-Identifier: Apache-2.0
"""Cases of one test file, run one after the other in the world they share.

    @case
    def nobody_hears_themselves(world): ...

    main()

prints `ok FILE.CASE` or `FAIL FILE.CASE: why` for each.  A case that fails does not keep the next
from running: what it started is ended for it.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

import network

_cases = []


class Failure(Exception):
    """What was seen is not what must be seen."""


def case(function):
    _cases.append(function)
    return function


def expect(truth, *why):
    if not truth:
        raise Failure(" ".join(str(part) for part in why) or "not so")


def expect_equal(is_, wanted, what="value"):
    if is_ != wanted:
        raise Failure(f"{what} is {is_!r}, not {wanted!r}")


def expect_unbroken(listener, hz, since, gap_s=0.08, wait_s=0.5):
    """A call that must not notice what happens around it: no hole in its sound."""
    gap, wait = listener.gaps_s(hz, since)
    expect(gap <= gap_s, f"{gap * 1000:.0f} ms of the tone are missing")
    expect(wait <= wait_s, f"nothing of the tone came for {wait * 1000:.0f} ms")


def wait_for(what, condition, seconds=5.0, step=0.05):
    """The first truth that condition() gives; a Failure when it gives none in time."""
    until = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise Failure(f"not within {seconds:g} s: {what() if callable(what) else what}")
        time.sleep(step)


def alive(pid):
    """Whether a process runs; one that nobody has waited for does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def cpu_s(pid, thread=None):
    """Processor time of a process, or of one thread of it (the first has the process' id): others on the
    machine do not add to it.  In steps of 10 ms."""
    path = f"/proc/{pid}/task/{thread}/stat" if thread else f"/proc/{pid}/stat"
    words = Path(path).read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def processes():
    """pid -> command line of everything that runs in this test."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and alive(int(entry.name)):
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            found[int(entry.name)] = b" ".join(words).decode(errors="replace").strip()
    return found


class World:
    """A folder, and what was started in it."""

    def __init__(self, name, build):
        self.name = name
        self.build = Path(build).resolve()
        self.root = Path(__file__).resolve().parents[2]
        self.folder = Path(tempfile.mkdtemp(prefix=f"convoke-{name}-"))
        self._endings = []
        self._count = 0

    def path(self, name):
        """A path in the folder that was not given out before."""
        self._count += 1
        return self.folder / f"{self._count:02}-{name}"

    def start(self, argv, log, **settings):
        """A program in the background; its output goes to `log` in the folder."""
        with open(self.folder / log, "ab") as out:
            process = subprocess.Popen([str(a) for a in argv], stdout=out, stderr=out,
                                       stdin=settings.pop("stdin", subprocess.DEVNULL), **settings)
        self.at_end(lambda: end(process))
        return process

    def at_end(self, ending):
        self._endings.append(ending)

    def call_off(self, keep=0):
        """Ends what was started after the first `keep` things, last first."""
        while len(self._endings) > keep:
            try:
                self._endings.pop()()
            except Exception:
                traceback.print_exc()

    def mark(self):
        return len(self._endings)


def end(process, seconds=3):
    """SIGTERM, then SIGKILL."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _why(problem):
    frames = traceback.extract_tb(problem.__traceback__)
    place = next((f for f in reversed(frames) if "/e2e/" in f.filename), frames[-1])
    name = "" if isinstance(problem, Failure) else type(problem).__name__ + ": "
    text = " ".join(str(problem).split())
    return f"{name}{text} ({Path(place.filename).name}:{place.lineno})"


def _run(world, function):
    """Whether a case passed; says so, and ends what it started."""
    began = time.monotonic()
    mark = world.mark()
    title = f"{world.name}.{function.__name__}"
    try:
        function(world)
        print(f"ok {title} ({time.monotonic() - began:.1f} s)", flush=True)
        return True
    except Exception as problem:
        print(f"FAIL {title}: {_why(problem)}", flush=True)
        (world.folder / f"{function.__name__}.trace").write_text(traceback.format_exc())
        return False
    finally:
        world.call_off(keep=mark)


def main(set_up=None):
    """Runs set_up(world), whose doings all cases share, and the cases; argv: BUILD_DIR [CASE...].
    The exit status says whether every case passed."""
    name = Path(sys.argv[0]).stem.removeprefix("test_")
    network.set_up()
    os.environ["HOME"] = "/tmp"
    world = World(name, sys.argv[1])
    cases = [c for c in _cases if not sys.argv[2:] or c.__name__ in sys.argv[2:]]
    if set_up is not None and not _run_quietly(world, set_up):
        results = [False]
    else:
        results = [_run(world, function) for function in cases]
    world.call_off()
    passed = bool(results) and all(results)
    if passed:
        shutil.rmtree(world.folder, ignore_errors=True)
    else:
        print(f"logs of {name}: {world.folder}", flush=True)
    sys.exit(0 if passed else 1)


def _run_quietly(world, set_up):
    try:
        set_up(world)
        return True
    except Exception as problem:
        print(f"FAIL {world.name}.set_up: {_why(problem)}", flush=True)
        (world.folder / "set_up.trace").write_text(traceback.format_exc())
        return False

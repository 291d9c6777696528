# SPDX-License-Identifier: Apache-2.0
"""Pictures that say whose they are and when they were made, and the reading of them.

A person's picture is a colour of its own with a marker that moves and, in a strip across the middle,
the number of the frame: SYNC cells that say where the strip is, BITS cells of the number and one for
its parity.  All of it survives scaling, compression and the cropping of sides."""
import functools
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np

COLOURS = {"red": (208, 32, 32), "green": (24, 160, 48), "blue": (32, 56, 216),
           "yellow": (216, 200, 24), "magenta": (200, 32, 200), "cyan": (24, 184, 200)}
FPS = 30
BITS = 10
FRAMES = 300
ROUNDS = 15
_CELLS = BITS + 3  # white, black, number, parity
_DRAWN = (320, 180)
_STRIP = (0.14, 0.44, 0.86, 0.56)  # left, top, right, bottom of the picture


def _cells(number):
    bits = [number >> bit & 1 for bit in reversed(range(BITS))]
    return [1, 0, *bits, sum(bits) & 1]


def frame(colour, number, width, height, busy=False):
    """Rows of RGB.  A busy one has grain that is another in each frame, and costs what a camera's does."""
    rows = np.empty((height, width, 3), np.uint8)
    rows[:] = COLOURS[colour]
    if busy:
        grain = np.random.default_rng(number).integers(-14, 15, (height // 4, width // 4, 1))
        rows[:] = np.clip(rows + grain.repeat(4, 0).repeat(4, 1), 0, 255)
    left, top, right, bottom = (round(share * side) for share, side in
                                zip(_STRIP, (width, height, width, height)))
    edges = np.linspace(left, right, _CELLS + 1).round().astype(int)
    for cell, (start, end) in zip(_cells(number), zip(edges, edges[1:])):
        rows[top:bottom, start:end] = 235 if cell else 16
    side = height // 10
    at = round((width - side) * (number % 60) / 60)
    rows[height // 5:height // 5 + side, at:at + side] = 235
    return rows


def _encode(path, colour, size, words, busy=False):
    """Drawn small, since that is quick, and made larger without smoothing."""
    with subprocess.Popen(["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-f", "rawvideo",
                           "-pix_fmt", "rgb24", "-s", f"{_DRAWN[0]}x{_DRAWN[1]}", "-r", str(FPS),
                           "-i", "-", "-vf", f"scale={size.replace('x', ':')}:flags=neighbor",
                           *words, str(path)], stdin=subprocess.PIPE) as child:
        for number in range(FRAMES):
            child.stdin.write(frame(colour, number, *_DRAWN, busy).tobytes())
        child.stdin.close()
        if child.wait() != 0:
            raise RuntimeError(f"ffmpeg could not make {path}")


@functools.cache
def _films():
    return tempfile.TemporaryDirectory(prefix="convoke-films-")


@functools.cache
def mp4(colour, size="1280x720", busy=False):
    """The path of a film for baresip's avformat, which ends where a film ends: two and a half minutes."""
    path = Path(_films().name) / f"{colour}-{size}-{busy}.mp4"
    once = path.with_suffix(".once.mp4")
    _encode(once, colour, size, ["-c:v", "libx264", "-preset", "ultrafast", "-g", "30",
                                 "-bf", "0", "-pix_fmt", "yuv420p"], busy)
    subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-stream_loop", str(ROUNDS - 1),
                    "-i", str(once), "-c", "copy", str(path)], check=True)
    return path


@functools.cache
def mjpeg(colour, size="1280x720", busy=False):
    """The path of a film for Chromium's fake camera, which begins it anew."""
    path = Path(_films().name) / f"{colour}-{size}-{busy}.mjpeg"
    _encode(path, colour, size, ["-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p", "-f", "mjpeg"], busy)
    return path


def read_image(source):
    """Rows of RGB from a PNG file or from its bytes."""
    data = source if isinstance(source, bytes) else source.read_bytes()
    probe = subprocess.run(["ffprobe", "-loglevel", "error", "-select_streams", "v", "-show_entries",
                            "stream=width,height", "-of", "csv=p=0", "-"], input=data,
                           capture_output=True, check=True)
    width, height = (int(word) for word in probe.stdout.split(b",")[:2])
    raw = subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", "-i", "-", "-f", "rawvideo",
                          "-pix_fmt", "rgb24", "-"], input=data, capture_output=True, check=True)
    return np.frombuffer(raw.stdout, np.uint8).reshape(height, width, 3)


def words(image):
    """What can be read in it, in one line."""
    return " ".join(_readings(image))


def says(image, wanted):
    """Whether these words can be read in it; blanks are not what is looked for."""
    return any(wanted.replace(" ", "") in read.replace(" ", "") for read in _readings(image))


def _readings(image):
    """Letters as they are, then white ones by themselves."""
    yield _read(image)
    white = np.where(image.min(axis=2, keepdims=True) > 170, 0, 255).repeat(3, axis=2)
    yield _read(white.astype(np.uint8))


def _read(image):
    rows, columns = image.shape[:2]
    larger = max(1, round(1600 / columns))
    head = f"P6 {columns * larger} {rows * larger} 255\n".encode()
    pixels = np.repeat(np.repeat(image, larger, axis=0), larger, axis=1).tobytes()
    done = subprocess.run(["tesseract", "-", "-", "--psm", "11"], input=head + pixels,
                          capture_output=True, check=True,
                          env=os.environ | {"OMP_THREAD_LIMIT": "1"})
    return " ".join(done.stdout.decode().split())


def part(image, left, top, width, height):
    """A rectangle given in shares of the image."""
    rows, columns = image.shape[:2]
    return image[round(top * rows):round((top + height) * rows),
                 round(left * columns):round((left + width) * columns)]


def colour_at(image, x, y):
    """The colour of COLOURS around a point given in shares, or None."""
    rows, columns = image.shape[:2]
    reach = max(1, min(rows, columns) // 60)
    row, column = round(y * (rows - 1)), round(x * (columns - 1))
    around = image[max(0, row - reach):row + reach + 1, max(0, column - reach):column + reach + 1]
    mean = around.reshape(-1, 3).mean(axis=0)
    name, distance = min(((name, np.abs(mean - wanted).max()) for name, wanted in COLOURS.items()),
                         key=lambda pair: pair[1])
    return name if distance < 70 else None


def colour(image):
    """Whose picture fills the image: what most of some points say that no label or marker covers."""
    points = [(0.08, 0.35), (0.92, 0.35), (0.08, 0.64), (0.92, 0.64), (0.3, 0.36), (0.7, 0.36),
              (0.3, 0.64), (0.7, 0.64)]
    seen = [colour_at(image, x, y) for x, y in points]
    best = max(set(seen), key=seen.count)
    return best if seen.count(best) > len(points) // 2 else None


def spoilt(image, name):
    """The share of the points, where nothing but the colour can be, that are not of it."""
    points = [(x / 20, y) for x in range(2, 19) for y in (0.36, 0.4, 0.6, 0.64)]
    return sum(colour_at(image, *point) != name for point in points) / len(points)


def number(image):
    """The frame number in a whole, uncropped picture, or None."""
    left, top, right, bottom = _STRIP
    strip = part(image, left, (top + bottom) / 2 - 0.02, right - left, 0.04)
    line = strip.mean(axis=(0, 2))
    edges = np.linspace(0, len(line), _CELLS + 1)
    cells = []
    for start, end in zip(edges, edges[1:]):
        quarter = (end - start) / 4
        cells.append(line[int(start + quarter):max(int(end - quarter), int(start + quarter) + 1)].mean())
    if cells[0] < 150 or cells[1] > 100:
        return None
    bits = [int(cell > 125) for cell in cells[2:]]
    if sum(bits[:-1]) & 1 != bits[-1]:
        return None
    return int("".join(map(str, bits[:-1])), 2)


def marker(image):
    """Where the moving marker is, as a share of the width, or None; also in a picture with holes."""
    band = part(image, 0, 0.21, 1, 0.08).astype(int)
    bright = np.flatnonzero(band.min(axis=2).mean(axis=0) > 150)
    return bright.mean() / image.shape[1] if bright.size else None


def frames_between(first, second):
    """How many frames lie between two numbers of a film that begins anew after FRAMES."""
    return (second - first) % FRAMES

# SPDX-License-Identifier: Apache-2.0
"""Which of the bridge's sentences is heard in a recording: pieces of its file are looked for there."""
from pathlib import Path

import numpy as np

import sound

FOLDER = Path(__file__).resolve().parent.parent.parent / "share" / "prompts"
RATE = 8000
PIECE = RATE // 2  # a piece of half a second stays whole where the jitter buffer stretches time
ALIKE = 0.6


def read(name, language="en"):
    """The samples of a prompt's file, which tools/make-prompts makes as mu-law."""
    raw = (FOLDER / language / f"{name}.wav").read_bytes()
    at = raw.index(b"data")
    size = int.from_bytes(raw[at + 4:at + 8], "little")
    return sound.ulaw_decode(raw[at + 8:at + 8 + size])


def _likeness(where, piece):
    """The best normalised correlation of a piece with anything there, and where that is."""
    size = 1 << (len(where) + len(piece) - 1).bit_length()
    product = np.fft.irfft(np.fft.rfft(where, size) * np.conj(np.fft.rfft(piece, size)), size)
    product = product[:len(where) - len(piece) + 1]
    energy = np.concatenate(([0], np.cumsum(where ** 2)))
    energy = np.sqrt(np.maximum(energy[len(piece):] - energy[:-len(piece)], 1e-9))
    alike = product / (energy * np.sqrt((piece ** 2).sum()) + 1e-3)
    best = int(alike.argmax())
    return float(alike[best]), best


def likeness(samples, rate, name, language="en"):
    """From 0 to 1: how much of the prompt is in the recording, as it is."""
    if len(samples) < rate // 2:
        return 0.0
    times = np.arange(int(len(samples) * RATE / rate)) / RATE
    step = max(1, rate // RATE)
    smooth = np.convolve(samples, np.ones(step) / step, "same")
    where = np.interp(times, np.arange(len(samples)) / rate, smooth)
    prompt = read(name, language)
    pieces = [prompt[at:at + PIECE] for at in range(0, len(prompt) - PIECE + 1, PIECE)]
    pieces = [piece for piece in pieces if piece.std() > 0.02]
    if len(where) < len(prompt) // 2 or not pieces:
        return 0.0
    return float(np.mean([_likeness(where, piece)[0] for piece in pieces]))

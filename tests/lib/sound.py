# SPDX-License-Identifier: Apache-2.0
"""Sound as numpy arrays of float, 1.0 full scale: tones to send, and what is heard in a recording."""
import base64
import wave

import numpy as np

# Far from each other's harmonics, from DTMF pairs and from the tones a bridge plays itself; all
# below 3.4 kHz, so that G.711 carries them.
TONES = [445, 560, 1040, 1120, 1830, 2150, 2470, 2890]


# -17 dBov: a bridge may take a steady sound of less than about -21 dBov for a fan and leave it out.
def tone(hz, seconds, rate=48000, level=0.2):
    at = np.arange(int(seconds * rate)) / rate
    return level * np.sin(2 * np.pi * hz * at)


def speech_like(hz, seconds, rate=48000, level=0.2):
    """A voice's outline: a tone with overtones that swells four times a second and never stops."""
    at = np.arange(int(seconds * rate)) / rate
    voice = sum(np.sin(2 * np.pi * hz * k * at) / k for k in (1, 2, 3))
    return level * voice * (0.65 + 0.35 * np.sin(2 * np.pi * 4 * at)) / 1.5


def write_wav(path, samples, rate=48000):
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def read_wav(path):
    """(samples, rate); a header that was never finished is read to the end of the file."""
    with open(path, "rb") as file:
        raw = file.read()
    if raw[:4] != b"RIFF":
        return np.zeros(0), 48000
    at, channels, rate, data = 12, 1, 48000, b""
    while at + 8 <= len(raw):
        kind, size = raw[at:at + 4], int.from_bytes(raw[at + 4:at + 8], "little")
        body = raw[at + 8:at + 8 + size]
        if kind == b"fmt ":
            channels = int.from_bytes(body[2:4], "little")
            rate = int.from_bytes(body[4:8], "little")
        elif kind == b"data":
            data = body if 0 < size < 0xFFFFFF00 else raw[at + 8:]
            break
        at += 8 + size + size % 2
    data = data[:len(data) // (2 * channels) * (2 * channels)]
    samples = np.frombuffer(data, "<i2").astype(float) / 32768
    return samples.reshape(-1, channels).mean(axis=1), rate


def from_base64(text):
    return np.frombuffer(base64.b64decode(text), "<i2").astype(float) / 32768


def level_db(samples, rate, hz):
    """How loud a tone is, in dB of full scale, whatever else is there."""
    if len(samples) < 64:
        return -120.0
    window = np.hanning(len(samples))
    spectrum = np.abs(np.fft.rfft(samples * window)) * 2 / window.sum()
    bins = np.fft.rfftfreq(len(samples), 1 / rate)
    width = max(12.0, 3 * rate / len(samples))
    near = spectrum[np.abs(bins - hz) <= width]
    return 20 * np.log10(max(near.max(initial=0), 1e-6))


def floor_db(samples, rate, tones):
    """The level below which nearly everything is that is none of the tones: the noise."""
    window = np.hanning(len(samples))
    spectrum = np.abs(np.fft.rfft(samples * window)) * 2 / window.sum()
    bins = np.fft.rfftfreq(len(samples), 1 / rate)
    keep = (bins > 300) & (bins < 3400)
    for hz in tones:
        keep &= np.abs(bins - hz) > 40
    return 20 * np.log10(max(np.quantile(spectrum[keep], 0.99), 1e-6))


def heard(samples, rate, tones, margin_db=15, quietest_db=-55):
    """Which of the tones stand out of the noise."""
    if len(samples) < rate // 4:
        return set()
    floor = max(floor_db(samples, rate, tones), quietest_db - margin_db)
    return {hz for hz in tones if level_db(samples, rate, hz) > floor + margin_db}


def describe(samples, rate, tones):
    if len(samples) < rate // 4:
        return f"{len(samples) / rate:.2f} s of sound"
    levels = " ".join(f"{hz}:{level_db(samples, rate, hz):.0f}" for hz in tones)
    return (f"{len(samples) / rate:.1f} s, dB {levels}, "
            f"noise {floor_db(samples, rate, tones):.0f}")


def envelope(samples, rate, hz, step_s=0.01, window_s=0.02):
    """The tone's amplitude over time: one value a step."""
    step, size = int(step_s * rate), int(window_s * rate)
    carrier = np.exp(-2j * np.pi * hz * np.arange(len(samples)) / rate)
    turned = np.concatenate([[0], np.cumsum(samples * carrier)])
    starts = np.arange(0, max(len(samples) - size, 0), step)
    return 2 * np.abs(turned[starts + size] - turned[starts]) / size


def longest_gap_s(samples, rate, hz, step_s=0.01):
    """The longest stretch in which the tone is 12 dB or more below its usual level."""
    loudness = envelope(samples, rate, hz, step_s)
    if not len(loudness):
        return float("inf")
    usual = np.median(loudness)
    if usual < 1e-3:
        return float("inf")
    longest = here = 0
    for value in loudness:
        here = here + 1 if value < usual / 4 else 0
        longest = max(longest, here)
    return longest * step_s


def share_present(samples, rate, hz):
    """The share of the time in which the tone is within 12 dB of its usual level."""
    loudness = envelope(samples, rate, hz)
    usual = np.median(loudness) if len(loudness) else 0
    return float(np.mean(loudness > usual / 4)) if usual > 1e-3 else 0.0


def _ulaw_tables():
    code = np.arange(256) ^ 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84 << ((code & 0x70) >> 4)) - 0x84
    decoded = np.where(code & 0x80, -magnitude, magnitude).astype(float)
    order = np.argsort(decoded)
    return decoded, order


_ULAW, _ORDER = _ulaw_tables()


def ulaw_decode(payload):
    return _ULAW[np.frombuffer(payload, np.uint8)] / 32768


def ulaw_encode(samples):
    """The nearest of the 256 values, by search: slow, short and obviously right."""
    sorted_values = _ULAW[_ORDER]
    wanted = np.clip(samples, -1, 1) * 32768
    right = np.clip(np.searchsorted(sorted_values, wanted), 1, 255)
    left_is_nearer = wanted - sorted_values[right - 1] < sorted_values[right] - wanted
    return _ORDER[np.where(left_is_nearer, right - 1, right)].astype(np.uint8).tobytes()

# SPDX-License-Identifier: Apache-2.0
"""What a browser counted of its pictures while it was watched (Browser.watched()), and what a line
carried, as the network counts it."""
import time

import network


def _values(samples, name, key):
    """[(time, value)] of the tile with that name."""
    return [(sample["at"], tile[key]) for sample in samples for tile in sample["received"]
            if tile["name"] == name and key in tile]


def longest_still_s(samples, name):
    """The longest time without a new frame in that tile; of no use when it has another line since."""
    values = _values(samples, name, "framesDecoded")
    if not values:
        return float("inf")
    longest, (moved_at, last) = 0.0, values[0]
    for at, frames in values:
        if frames != last:
            moved_at, last = at, frames
        longest = max(longest, at - moved_at)
    return max(longest, samples[-1]["at"] - values[-1][0])


def frames_a_second(samples, name):
    values = _values(samples, name, "framesDecoded")
    if len(values) < 2:
        return 0.0
    return (values[-1][1] - values[0][1]) / (values[-1][0] - values[0][0])


def grown(samples, name, key):
    values = _values(samples, name, key)
    return values[-1][1] - values[0][1] if values else 0


class Line:
    """What goes to a machine, watched from outside."""

    def __init__(self, machine, span_s=1.0):
        self._machine = machine
        self._span_s = span_s
        self._samples = []  # (time, bytes, packets, drops)
        self.look()

    def look(self):
        self._samples.append((time.time(), *network.sent_to(self._machine)))

    def watch(self, seconds):
        watch((self,), seconds)

    def now_bps(self):
        """Over a second from now."""
        self.look()
        time.sleep(1)
        self.look()
        return self.rates_bps()[-1][1]

    def _spans(self):
        """Pairs of samples that lie about a span apart."""
        first = 0
        for sample in self._samples:
            while self._samples[first + 1][0] <= sample[0] - self._span_s:
                first += 1
            if sample[0] - self._samples[first][0] >= self._span_s * 0.9:
                yield self._samples[first], sample

    def rates_bps(self):
        """[(time, bits a second in the span before it)]"""
        return [(last[0], (last[1] - first[1]) * 8 / (last[0] - first[0]))
                for first, last in self._spans()]

    def mean_bps(self, since, until=float("inf")):
        within = [sample for sample in self._samples if since <= sample[0] <= until]
        return (within[-1][1] - within[0][1]) * 8 / (within[-1][0] - within[0][0])

    def dropped(self, since):
        """[(time, share of packets dropped in the span that begins then)]"""
        return [(first[0], _share(first, last)) for first, last in self._spans() if first[0] >= since]

    def dropped_share(self, since, until):
        within = [sample for sample in self._samples if since <= sample[0] <= until]
        return _share(within[0], within[-1])


def _share(first, last):
    drops = max(0, last[3] - first[3])
    return drops / max(1, drops + last[2] - first[2])


def watch(lines, seconds, every_s=0.2):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for line in lines:
            line.look()
        time.sleep(every_s)

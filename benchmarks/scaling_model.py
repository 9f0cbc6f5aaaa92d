"""A model of the time of one training step: what is computed, and what of the exchange that does not hide.

Within a node ranks add up their gradients in shared memory; that is part of the time that was measured on one machine.
Between n nodes, message bytes M go in k buckets, the last layers' first, each summed by ``MPI_Iallreduce`` as soon as
the backward pass has made it. A sum of b bytes is a reduce-scatter and an allgather: each node sends and receives
2 (n - 1) / n b bytes, in 2 log2(n) messages one after the other (Thakur, Rabenseifner, Gropp: Optimization of
Collective Communication Operations in MPICH, 2005, section 4.4).

    step = max(last, C' + l 2 log2(n) alpha)
    last = max over buckets i of (when it is made: C' / 3 + 2 C' / 3 (i + 1) / k, or when the one before has gone)
           + w / (k e beta)
    C' = C + s c w
    w = 2 (n - 1) / n M

C is the step's time on one machine, of which a third is spent forward, alpha the link's latency, beta its bandwidth, s
the number of nodes that share the cores: one, but all of them where they are pretended. Buckets are under way at the
same time, so that latencies pass while other buckets' bits go. Three numbers are fitted: e, the share of the bandwidth
that is used; l, how often the last bucket waits for the latency in each message; c, what a byte costs the processor.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

BUCKET_BYTES = 1 << 20
"""``distnet.parallel.buckets.BUCKET_BYTES``."""
FORWARD = 1 / 3
"""Share of a step; one of three products of a dense layer."""
_UNLIMITED = 12e9
"""Bits a second of a link that is not limited, more than pretended ones carry."""


@dataclass(frozen=True)
class Setting:
    """A configuration.

    Args:
        nodes: machines.
        ranks: of each machine.
        message_bytes: gradient and sums.
        alpha_s: latency of the link.
        bits_per_s: its bandwidth; 0 if it is not limited.
        compute_s: time of a step on one machine.
        sharing: how many nodes share the cores.
    """

    nodes: int
    ranks: int
    message_bytes: float
    alpha_s: float
    bits_per_s: float
    compute_s: float
    sharing: int = 1


@dataclass(frozen=True)
class StepModel:
    """Fitted numbers.

    Args:
        efficiency: e.
        latencies: l.
        processor_s_per_byte: c.
    """

    efficiency: float
    latencies: float
    processor_s_per_byte: float

    def seconds(self, setting: Setting) -> float:
        """The predicted time of a step."""
        if setting.nodes == 1:
            return setting.compute_s
        crossing = 2 * (setting.nodes - 1) / setting.nodes * setting.message_bytes
        count = max(1, math.ceil(setting.message_bytes / BUCKET_BYTES))
        bytes_per_s = self.efficiency * (setting.bits_per_s or _UNLIMITED) / 8
        compute_s = setting.compute_s + setting.sharing * self.processor_s_per_byte * crossing
        last = 0.0
        for i in range(count):
            made = compute_s * (FORWARD + (1 - FORWARD) * (i + 1) / count)
            last = max(last, made) + crossing / count / bytes_per_s
        return max(last, compute_s + self.latencies * 2 * math.log2(setting.nodes) * setting.alpha_s)


def fitted(settings: Sequence[Setting], seconds: Sequence[float]) -> StepModel:
    """The numbers with the least sum of sizes of logarithms of predicted / measured, by a search that narrows down."""
    ranges = [(0.5, 1.0), (0.0, 16.0), (0.0, 2e-8)]
    best: tuple[float, ...] = ()
    for _ in range(8):
        tried = itertools.product(*map(_steps, ranges))
        best = min(tried, key=lambda numbers: _misfit(StepModel(*numbers), settings, seconds))
        ranges = [_narrowed(*each) for each in zip(ranges, best, strict=True)]
    return StepModel(*best)


def _misfit(model: StepModel, settings: Sequence[Setting], seconds: Sequence[float]) -> float:
    return sum(abs(math.log(model.seconds(s) / t)) for s, t in zip(settings, seconds, strict=True))


def _steps(bounds: tuple[float, float], count: int = 17) -> Iterator[float]:
    low, high = bounds
    return (low + (high - low) * i / (count - 1) for i in range(count))


def _narrowed(bounds: tuple[float, float], centre: float) -> tuple[float, float]:
    half = (bounds[1] - bounds[0]) / 4
    return max(bounds[0], centre - half), min(bounds[1], centre + half)

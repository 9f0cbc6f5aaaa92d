"""Quantiles of data that come in batches: a summary holds some of the values, and how many each stands for.

Source: ``keras.src.layers.preprocessing.discretization``, in whose precision and order all is computed.
"""

from __future__ import annotations

import numpy as np

from distnet.types import Array

NOTHING = np.zeros((2, 0), np.float32)
"""The summary of no data: a row of values, and one of what each stands for."""


def summary_of(values: Array, precision: float) -> Array:
    """The summary of some values: every ``precision``-th part of them in order."""
    ordered = np.sort(values.astype(np.float32).reshape(-1))
    step = max(ordered.size / (1.0 / precision), 1)
    chosen = ordered[int(step - 1) :: int(step)]
    return np.stack([chosen, np.ones_like(chosen) * step])


def joined(first: Array, second: Array, precision: float) -> Array:
    """The summary of what two summaries stand for."""
    both = np.concatenate((first, second), axis=1)
    return _thinned(both[:, np.argsort(both[0])], precision)


def boundaries(summary: Array, bins: int) -> Array:
    """What divides the data into so many bins of about equal size."""
    return _thinned(summary, 1.0 / bins)[0, :-1]


def _thinned(summary: Array, precision: float) -> Array:
    """A summary of fewer values, between which it interpolates."""
    if summary.shape[1] * precision < 1:
        return summary
    shares = precision + np.arange(0.0, 1.0, precision)
    sums = summary[1].cumsum()
    values = np.interp(shares, sums / sums[-1], summary[0])
    kept = np.interp(shares, sums / sums[-1], sums)
    return np.stack((values, kept - np.concatenate(([0], kept[:-1])))).astype(np.float32)

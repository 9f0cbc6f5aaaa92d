"""The probability of labels over all their alignments, by functions of tensors: for gradients of its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from distnet.ops.indexing import take_along_axis, where
from distnet.ops.joining import stack
from distnet.ops.nn.simplex import log_softmax
from distnet.ops.operators import PRIMITIVES
from distnet.types import Array

_NEVER = -1e30
"""The log probability of what the other end of a row of states would be moved from."""


def log_probability(output: Any, states: Array, skip: Array, last: Array, steps: Array) -> Any:
    """What ``Alignments.total`` gives, of logits that are a tensor.

    Shapes:
        output (N, T, C), states and skip (N, S), last and steps (N,) -> (N,).

    Args:
        states: the class that each state emits.
        skip: the log probability of coming by two states.
        last: the number of the last label's blank.
        steps: how many time steps count.
    """
    shares = log_softmax(output, axis=-1)
    emitted = take_along_axis(shares, np.broadcast_to(states[:, None, :], (*output.shape[:2], states.shape[1])), axis=2)
    ahead: Any = np.where(np.arange(states.shape[1]) == 0, 0.0, np.full(states.shape, -1e5)).astype(output.dtype)
    for t in range(output.shape[1]):
        by_one, by_two = _moved(ahead, 1), _moved(ahead, 2) + skip
        made = emitted[:, t] + PRIMITIVES["Logaddexp"](PRIMITIVES["Logaddexp"](ahead, by_one), by_two)
        ahead = where((t >= steps)[:, None], ahead, made)
    ends = take_along_axis(ahead, stack([last, np.maximum(last - 1, 0)], axis=1), axis=1)
    both = PRIMITIVES["Logaddexp"](ends[:, 0], ends[:, 1])
    return where(last > 0, both, ends[:, 0])


def _moved(x: Any, by: int) -> Any:
    return PRIMITIVES["Pad"](x[:, :-by], ((0, 0), (by, 0)), constant_values=_NEVER)

"""Functions that pass positive numbers on and bend the others."""

from __future__ import annotations

from typing import Any

import numpy as np

from distnet.ops.nn.entry_function import entry_function
from distnet.ops.nn.pieces import clip_slope, leak, leak_slope, step, within
from distnet.types import Array

_INF = np.inf
"""The open end of a clip: unlike ``maximum`` with a scalar, ``clip`` is vectorised."""

RELU6_MAX = 6.0
"""Keras computes this limit by a function of its own, with slope 0 at 6; at other limits the slope is one half."""


@entry_function(lambda y: step(y, 0), keeps_integers=True, kernel="relu")
def relu(x: Array, out: Array) -> None:
    """Rectified linear unit ``max(x, 0)``, with slope 0 at 0.

    Source: ``keras.ops.relu``.
    """
    np.clip(x, 0, _INF if x.dtype.kind == "f" else None, out=out)


@entry_function(lambda x: within(x, 0, RELU6_MAX), saves_input=True)
def relu6(x: Array, out: Array) -> None:
    """``min(max(x, 0), 6)``, with slope 0 at 0 and at 6.

    Source: ``keras.ops.relu6``.
    """
    np.clip(x, 0, RELU6_MAX, out=out)


@entry_function(lambda x, negative_slope: leak_slope(x, negative_slope), saves_input=True)
def leaky_relu(x: Array, out: Array, negative_slope: float = 0.2) -> None:
    """``x`` from 0 on, ``negative_slope x`` below.

    Args:
        negative_slope: at least 0; where it is 0, the slope at 0 is 1.

    Source: ``keras.ops.leaky_relu``.
    """
    leak(x, negative_slope, out)


def _bounded_slope(x: Any, negative_slope: float, max_value: float | None, threshold: float) -> Any:
    if negative_slope and max_value is None and threshold == 0:
        return leak_slope(x, negative_slope)
    slope = step(x, threshold)
    if max_value == RELU6_MAX and threshold == 0:
        slope = within(x, 0, RELU6_MAX)
    elif max_value is not None:
        slope = slope * clip_slope(x, 0, max_value)
    return slope + negative_slope * (x < threshold)


@entry_function(_bounded_slope, saves_input=True, kind="ReLU", module="activations")
def bounded_relu(
    x: Array, out: Array, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> None:
    """``min(x, max_value)`` above the threshold, ``negative_slope (x - threshold)`` below.

    Source: ``keras.activations.relu`` on JAX, whose slope is 0 at 0 and one half at ``max_value``, but 0 at 6.
    """
    limit = _INF if max_value is None else max_value
    below = np.clip(x - threshold, -_INF, 0)
    below *= negative_slope
    np.multiply(x, x > threshold, out=out)
    if max_value is not None or threshold == 0:
        np.clip(out, 0, limit, out=out)
    out += below

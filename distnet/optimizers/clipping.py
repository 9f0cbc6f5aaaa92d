"""Limits on the size of a gradient, in place."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from distnet.types import Array
from distnet.variables import Span


def clip_norms(g: Array, spans: Iterable[Span], limit: float) -> None:
    """``g *= limit / max(norm(g), limit)`` for the gradient of each variable separately.

    Source: Keras's ``clipnorm``.
    """
    for span in spans:
        _shrink(g[span.start : span.stop], limit)


def clip_global_norm(g: Array, limit: float) -> None:
    """``g *= limit / max(norm, limit)``, where ``norm`` is that of all gradients together.

    Source: Pascanu et al., "On the difficulty of training recurrent neural networks", ICML 2013, algorithm 1;
    as Keras's ``global_clipnorm`` it makes every gradient nan when the norm is infinite.
    """
    if not _shrink(g, limit) < math.inf:
        g.fill(math.nan)


def clip_values(g: Array, limit: float) -> None:
    """Clip each entry to [-limit, limit].

    Source: Keras's ``clipvalue``.
    """
    np.clip(g, -limit, limit, out=g)


def _shrink(g: Array, limit: float) -> float:
    norm = euclidean_norm(g)
    if not norm <= limit:  # true for NaN, too
        with np.errstate(invalid="ignore"):
            g *= g.dtype.type(limit / norm)
    return norm


def euclidean_norm(a: Array) -> float:
    """The square root of the sum of squares of a flat array."""
    return math.sqrt(np.dot(a, a))

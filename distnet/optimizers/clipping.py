"""Limits on the size of a gradient, in place."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import numpy as np

from distnet.types import Array
from distnet.variables import Span

AddOverParts: TypeAlias = Callable[[Array], None]


def clip_norms(g: Array, places: Sequence[slice], limit: float, add_over_parts: AddOverParts | None = None) -> None:
    """``g *= limit / max(norm(g), limit)`` for the gradient of each variable separately.

    Args:
        g: gradients, flat.
        places: where in it those of each variable lie; of a part of all gradients, as much as is in it.
        limit: largest norm.
        add_over_parts: where ``g`` is a part, adds up an array over all parts, in place.

    Source: Keras's ``clipnorm``.
    """
    for place, norm in zip(places, _norms(g, places, add_over_parts), strict=True):
        _shrink(g[place], norm, limit)


def clip_global_norm(g: Array, limit: float, add_over_parts: AddOverParts | None = None) -> None:
    """``g *= limit / max(norm, limit)``, where ``norm`` is that of all gradients together.

    Args:
        g, limit, add_over_parts: as for ``clip_norms``.

    Source: Pascanu et al., "On the difficulty of training recurrent neural networks", ICML 2013, algorithm 1;
    as Keras's ``global_clipnorm`` it makes every gradient nan when the norm is infinite.
    """
    (norm,) = _norms(g, [slice(0, g.size)], add_over_parts)
    _shrink(g, norm, limit)
    if not norm < math.inf:
        g.fill(math.nan)


def places_within(spans: Iterable[Span], part: slice) -> list[slice]:
    """Where in a part of the flat arrays each variable lies, as far as it does."""
    ends = [[min(max(end, part.start), part.stop) - part.start for end in (span.start, span.stop)] for span in spans]
    return [slice(*pair) for pair in ends]


def clip_values(g: Array, limit: float) -> None:
    """Clip each entry to [-limit, limit].

    Source: Keras's ``clipvalue``.
    """
    np.clip(g, -limit, limit, out=g)


def _norms(g: Array, places: Sequence[slice], add_over_parts: AddOverParts | None) -> list[float]:
    if add_over_parts is None:
        return [euclidean_norm(g[place]) for place in places]
    squares = np.array([np.dot(g[place], g[place]) for place in places], np.float64)
    add_over_parts(squares)
    return list(np.sqrt(squares).tolist())


def _shrink(g: Array, norm: float, limit: float) -> None:
    if not norm <= limit:  # true for NaN, too
        with np.errstate(invalid="ignore"):
            g *= g.dtype.type(limit / norm)


def euclidean_norm(a: Array) -> float:
    """The square root of the sum of squares of a flat array."""
    return math.sqrt(np.dot(a, a))

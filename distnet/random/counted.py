"""Random whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from distnet.errors import ArgumentError
from distnet.random.entries import Entries


def randint(shape: Any, minval: Any, maxval: Any, dtype: str = "int32", seed: Any = None) -> Any:
    """Whole numbers from ``minval`` to ``maxval - 1``, each as likely as any other.

    Raises:
        ArgumentError: a dtype of no whole numbers, or a range without any.

    Source: ``keras.random.randint``.
    """
    if np.dtype(dtype).kind not in "iu":
        raise ArgumentError(f"random.randint: expected a dtype of whole numbers, received {dtype!r}.")
    drawn = Entries.of("randint", shape, seed)
    low, high = drawn.bits(2).astype(np.uint64)
    span = np.asarray(maxval, np.int64) - np.asarray(minval, np.int64)
    if (span <= 0).any():
        raise ArgumentError(f"random.randint: expected minval below maxval, received {minval!r} and {maxval!r}.")
    return drawn.result(((high << np.uint64(32)) | low) % span.astype(np.uint64) + np.asarray(minval), dtype)


def binomial(shape: Any, counts: Any, probabilities: Any, dtype: str | None = None, seed: Any = None) -> Any:
    """How many of ``counts`` trials succeed, of which each does with this probability.

    Source: ``keras.random.binomial``.
    """
    drawn = Entries.of("binomial", shape, seed)

    def draw(rng: np.random.Generator, n: Any, p: Any) -> Any:
        return rng.binomial(np.asarray(n, np.int64), p)

    return drawn.result(drawn.by_row(draw, counts, probabilities), dtype)

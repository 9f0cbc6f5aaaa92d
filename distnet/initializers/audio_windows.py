"""Weights of the entries of a sequence, by SciPy's names."""

from __future__ import annotations

import numpy as np

from distnet.errors import ArgumentError
from distnet.types import Array

_COSINES = {
    "boxcar": (1.0,),
    "hann": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    "blackman": (0.42, 0.5, 0.08),
    "nuttall": (0.3635819, 0.4891775, 0.1365995, 0.0106411),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
    "flattop": (0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
}
"""Sums of cosines, of alternating signs."""
NAMES = (*_COSINES, "bartlett", "cosine")


def window(name: str, length: int, is_periodic: bool) -> Array:
    """(length,) weights.

    Args:
        is_periodic: whether the entry behind the last one is the first one again; else the last is like the first.

    Raises:
        ArgumentError: the name is not known.

    Source: ``scipy.signal.get_window``.
    """
    if name not in NAMES:
        raise ArgumentError(f"expected a window of {NAMES}, or its weights as an array, received {name!r}.")
    if length == 1:
        return np.ones(1)
    count = length + 1 if is_periodic else length
    at = np.arange(count)
    if name == "bartlett":
        weights = 1 - np.abs(2 * at / (count - 1) - 1)
    elif name == "cosine":
        weights = np.sin(np.pi / count * (at + 0.5))
    else:
        angle = 2 * np.pi * at / (count - 1)
        weights = sum((-1) ** k * share * np.cos(k * angle) for k, share in enumerate(_COSINES[name]))
    return np.asarray(weights[:length], np.float64)

"""Random numbers from continuous distributions."""

from __future__ import annotations

from typing import Any

import numpy as np

from distnet import config
from distnet.random.entries import Entries, scaled


def normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: str | None = None, seed: Any = None) -> Any:
    """Normal numbers; gradients of ``mean`` and ``stddev`` flow.

    Source: ``keras.random.normal``.
    """
    drawn = Entries.of("normal", shape, seed)
    return scaled(drawn.numbers(drawn.normals(), dtype), stddev, mean)


def truncated_normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: str | None = None, seed: Any = None) -> Any:
    """Normal numbers within two standard deviations of the mean.

    Source: ``keras.random.truncated_normal``.
    """
    drawn = Entries.of("truncated_normal", shape, seed)
    return scaled(drawn.numbers(drawn.normals(is_truncated=True), dtype), stddev, mean)


def uniform(shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: str | None = None, seed: Any = None) -> Any:
    """Numbers in [minval, maxval), each as likely as any other.

    Source: ``keras.random.uniform``.
    """
    drawn = Entries.of("uniform", shape, seed)
    numbers = drawn.uniforms()
    if np.dtype(dtype or config.floatx()).itemsize < 8:
        numbers = np.minimum(numbers, 1 - 2.0**-24)  # which float32 does not round to 1
    return scaled(drawn.numbers(numbers, dtype), maxval - minval, minval)


def gamma(shape: Any, alpha: Any, dtype: str | None = None, seed: Any = None) -> Any:
    """Numbers of the gamma distribution of shape ``alpha`` and scale 1.

    Source: ``keras.random.gamma``.
    """
    drawn = Entries.of("gamma", shape, seed)
    return drawn.numbers(drawn.by_row(lambda rng, a: rng.standard_gamma(a), alpha), dtype)


def beta(shape: Any, alpha: Any, beta: Any, dtype: str | None = None, seed: Any = None) -> Any:
    """Numbers of the beta distribution.

    Source: ``keras.random.beta``.
    """
    drawn = Entries.of("beta", shape, seed)
    return drawn.numbers(drawn.by_row(lambda rng, a, b: rng.beta(a, b), alpha, beta), dtype)

"""Keras 2's random tensors: see ``distnet.random`` for how they do not depend on the number of ranks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from distnet import config, naming, random
from distnet.types import Array
from distnet.variables import Variable


def random_normal(
    shape: Sequence[int], mean: Any = 0.0, stddev: Any = 1.0, dtype: str | None = None, seed: Any = None
) -> Any:
    """Normal numbers."""
    return random.normal(shape, mean, stddev, dtype, seed)


def random_uniform(
    shape: Sequence[int], minval: Any = 0.0, maxval: Any = 1.0, dtype: str | None = None, seed: Any = None
) -> Any:
    """Numbers in [minval, maxval), each as likely as any other; whole ones for a dtype of integers."""
    if dtype is not None and np.dtype(dtype).kind in "iu":
        return random.randint(shape, minval, maxval, dtype, seed)
    return random.uniform(shape, minval, maxval, dtype, seed)


def random_binomial(shape: Sequence[int], p: float = 0.0, dtype: str | None = None, seed: Any = None) -> Any:
    """1 with probability ``p``, else 0."""
    return random.binomial(shape, 1, p, dtype, seed)


random_bernoulli = random_binomial


def truncated_normal(
    shape: Sequence[int], mean: Any = 0.0, stddev: Any = 1.0, dtype: str | None = None, seed: Any = None
) -> Any:
    """Normal numbers within two standard deviations of the mean."""
    return random.truncated_normal(shape, mean, stddev, dtype, seed)


def dropout(x: Any, level: float, noise_shape: Sequence[int] | None = None, seed: Any = None) -> Any:
    """Entries set to 0 with probability ``level``; the others are divided by ``1 - level``."""
    return random.dropout(x, level, noise_shape, seed)


def random_normal_variable(
    shape: Sequence[int], mean: float, scale: float, dtype: str | None = None, name: str | None = None,
    seed: Any = None,
) -> Variable:  # fmt: skip
    """A variable of normal numbers."""
    return _variable(random.normal(shape, mean, scale, dtype or config.floatx(), seed), name)


def random_uniform_variable(
    shape: Sequence[int], low: float, high: float, dtype: str | None = None, name: str | None = None, seed: Any = None
) -> Variable:
    """A variable of numbers in [low, high)."""
    return _variable(random.uniform(shape, low, high, dtype or config.floatx(), seed), name)


def _variable(value: Any, name: str | None) -> Variable:
    name = name or naming.unique_name("variable")
    array: Array = np.array(value.value if hasattr(value, "value") else value)
    return Variable(name, name, array)

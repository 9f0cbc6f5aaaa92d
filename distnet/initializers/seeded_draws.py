"""What initializers that draw numbers have in common: the check of their seed, and truncated normal numbers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from distnet.arguments import check_fields
from distnet.initializers.base import Initializer
from distnet.types import Array

_TRUNCATION = 2.0
"""A number further from the mean, in standard deviations, is drawn again."""


def check_seeded(initializer: Initializer) -> None:
    """Fail if a field is wrong; a SeedGenerator of Keras, in a file, is replaced by its seed."""
    seed: object = initializer.seed
    if isinstance(seed, Mapping):
        initializer.seed = seed.get("config", {}).get("seed")
    check_fields(initializer)


def truncated_draws(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Standard normal numbers, each drawn again until it is within 2 of 0."""
    numbers = rng.standard_normal(shape)
    flat = numbers.reshape(-1)
    outside = np.flatnonzero(np.abs(flat) > _TRUNCATION)
    while outside.size:
        flat[outside] = rng.standard_normal(outside.size)
        outside = outside[np.abs(flat[outside]) > _TRUNCATION]
    return numbers

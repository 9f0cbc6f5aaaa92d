"""Keras 1's path for initializers: functions of a shape, which return the values."""

from __future__ import annotations

from collections.abc import Sequence

from distnet import config, initializers
from distnet.absent import names_elsewhere
from distnet.initializers import Initializer
from distnet.initializers import get as get
from distnet.types import Array


def _drawn(initializer: Initializer, shape: Sequence[int]) -> Array:
    return initializer(tuple(shape), config.floatx())


def uniform(shape: Sequence[int], scale: float = 0.05, name: str | None = None) -> Array:
    """Numbers uniform in [-scale, scale].

    Args:
        name: ignored.

    Source: ``keras.initializations.uniform`` of Keras 1; likewise the others.
    """
    return _drawn(initializers.RandomUniform(-scale, scale), shape)


def normal(shape: Sequence[int], scale: float = 0.05, name: str | None = None) -> Array:
    """Normal numbers of standard deviation ``scale``."""
    return _drawn(initializers.RandomNormal(0.0, scale), shape)


def orthogonal(shape: Sequence[int], scale: float = 1.1, name: str | None = None) -> Array:
    """Orthogonal rows or columns, times ``scale``."""
    return _drawn(initializers.Orthogonal(scale), shape)


def identity(shape: Sequence[int], scale: float = 1, name: str | None = None) -> Array:
    """The square matrix with ``scale`` on its diagonal."""
    return _drawn(initializers.Identity(scale), shape)


def zero(shape: Sequence[int], name: str | None = None) -> Array:
    """Zeros."""
    return _drawn(initializers.Zeros(), shape)


def one(shape: Sequence[int], name: str | None = None) -> Array:
    """Ones."""
    return _drawn(initializers.Ones(), shape)


__getattr__ = names_elsewhere(__name__, ["initializers"])

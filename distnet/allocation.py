"""The memory of new variables: whether there is enough of it, and whether a file will fill it."""

from __future__ import annotations

import math
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import numpy as np

from distnet.errors import ArgumentError, CheckpointError
from distnet.types import Array, DType


@dataclass
class _Awaited:
    entries: int


_awaited: ContextVar[_Awaited | None] = ContextVar("awaited", default=None)


@contextmanager
def awaiting(entries: int) -> Iterator[None]:
    """Within the block new variables are not drawn: a file of so many numbers will fill them.

    A file cannot ask for more memory than it fills: variables of more entries are refused.
    """
    token = _awaited.set(_Awaited(entries))
    try:
        yield
    finally:
        _awaited.reset(token)


def awaited(path: str, shape: tuple[int, ...], dtype: DType) -> Array | None:
    """The value of a new variable that a file will fill; None where none will.

    Raises:
        CheckpointError: the file holds less numbers than its variables have.
    """
    file = _awaited.get()
    if file is None:
        return None
    if math.prod(shape) > file.entries:
        raise CheckpointError(
            f"{path}: should have shape {shape}, but the file holds only {file.entries} further numbers."
        )
    file.entries -= math.prod(shape)
    return np.zeros(shape, dtype)


def check_memory(path: str, shape: tuple[int, ...], dtype: DType) -> None:
    """Fail unless this process can have a new variable's memory: the value, the gradient, and both in a store.

    Raises:
        ArgumentError: it needs more than the machine has, or than the process may take.
    """
    wanted = min(4 * math.prod(shape) * dtype.itemsize, sys.maxsize)  # more than that no machine has
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    there = there if limit == resource.RLIM_INFINITY else min(there, limit)
    if wanted > there:
        raise ArgumentError(
            f"{path}: weights of shape {shape} and their gradients need {wanted / 1e9:.1f} GB of memory; this process "
            f"can have {there / 1e9:.1f} GB. Make the layer smaller."
        )

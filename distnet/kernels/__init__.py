"""What NumPy cannot do in one call, behind one narrow protocol."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import cache

from distnet.errors import ArgumentError
from distnet.kernels.base import FUSED_ACTIVATIONS, Draw, Formula, Kernels
from distnet.kernels.late_sum import LateSum
from distnet.kernels.numpy_kernels import NumpyKernels
from distnet.late_rooms import without_looking_for_garbage
from distnet.types import Array

__all__ = ["FUSED_ACTIVATIONS", "Draw", "Formula", "Kernels", "LateSum", "arrival", "current", "load"]

_VARIABLE = "DISTNET_KERNELS"
_log = logging.getLogger(__name__)


def current() -> Kernels:
    """The kernels in use: numba's where numba is installed, else NumPy's.

    The environment variable ``DISTNET_KERNELS`` chooses ``numpy`` or ``numba``.

    Raises:
        ArgumentError: it names other kernels, or numba, which cannot be imported.
    """
    return load(os.environ.get(_VARIABLE) or None)


@cache
def arrival() -> tuple[Callable[[Array, int, int, int], bool], int] | None:
    """What ranks meet by in shared memory, and how many entries each rank needs; None if nothing is compiled."""
    if current().name == "numpy":
        return None
    from distnet.kernels import spinning

    return spinning.arrive, spinning.COUNTER


@cache
def load(name: str | None = None) -> Kernels:
    """The kernel set called ``name``; by default the fastest available.

    Raises:
        ArgumentError: there is no such set, or it needs numba, which cannot be imported.
    """
    if name == "numpy":
        return NumpyKernels()
    if name not in (None, "numba"):
        raise ArgumentError(f"{_VARIABLE}: expected 'numpy' or 'numba', received {name!r}.")
    try:
        with without_looking_for_garbage():
            from distnet.kernels.llvm import unmap_llvm

            unmap_llvm()  # the earlier, the less the peak: numba takes 20 MB
            from distnet.kernels.compiling import get_llvm_ready
            from distnet.kernels.numba_kernels import NumbaKernels
    except ImportError as error:
        if name == "numba":
            raise ArgumentError(
                f"{_VARIABLE}: 'numba' was asked for but cannot be imported ({error}). Try: pip install 'distnet[fast]'"
            ) from error
        if not isinstance(error, ModuleNotFoundError):
            _log.warning("numba is installed but cannot be imported (%s): the slower NumPy kernels are used.", error)
        return NumpyKernels()
    get_llvm_ready()
    unmap_llvm()
    return NumbaKernels()

"""Numbers below the smallest normal one (1.2e-38 in float32) count as zero while a model computes.

A core takes a hundred times longer for an operation with such a subnormal number, and a model that knows its rows
makes many: probabilities and gradients near zero, and their squares in the optimizer. A 784-512-256-10 network that
had learnt its rows took 1.8 times as long for a step. XLA and TensorFlow count them as zero, too.

The setting is each thread's own. It is known here for x86-64 under Linux; elsewhere numbers stay as they are.
"""

from __future__ import annotations

import ctypes
import platform
import sys
import threading
from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

import numpy as np

P = ParamSpec("P")
T = TypeVar("T")

_FLUSHES = 0x8040
"""Bits of the register MXCSR: read subnormal numbers as zero (6), write zero instead of them (15)."""


class _Environment(ctypes.Structure):
    """``fenv_t`` of the C libraries of Linux on x86-64."""

    _fields_ = (("x87", ctypes.c_uint32 * 7), ("mxcsr", ctypes.c_uint32))


_IS_KNOWN = sys.platform == "linux" and platform.machine() == "x86_64"
if _IS_KNOWN:
    _library = ctypes.PyDLL(None)
    _get, _set = _library.fegetenv, _library.fesetenv
    _get.argtypes = _set.argtypes = [ctypes.c_void_p]
    for _dtype in (np.float16, np.float32, np.float64):
        np.finfo(_dtype)  # NumPy before 2.4 works these out when they are first asked for, and warns of zeros then


class _OfThread(threading.local):
    """Memory of each thread's own for its environment, and where that is."""

    def __init__(self) -> None:
        self.environment = _Environment()
        self.address = ctypes.addressof(self.environment)


_of_thread = _OfThread()


class Flushed:
    """Within the block this thread counts subnormal numbers as zero."""

    def __enter__(self) -> Self:
        if _IS_KNOWN:
            environment, address = _of_thread.environment, _of_thread.address
            _get(address)
            self._before = before = environment.mxcsr
            environment.mxcsr = before | _FLUSHES
            _set(address)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if _IS_KNOWN:
            _of_thread.environment.mxcsr = self._before
            _set(_of_thread.address)


def flushed(function: Callable[P, T]) -> Callable[P, T]:
    """The function, during which its thread counts subnormal numbers as zero."""

    @wraps(function)
    def within(*args: P.args, **options: P.kwargs) -> T:
        with Flushed():
            return function(*args, **options)

    return within


class Setting:
    """How the thread that makes this counts subnormal numbers, for another thread that works for it."""

    def __init__(self) -> None:
        self._environment = _Environment()
        if _IS_KNOWN:
            _get(ctypes.addressof(self._environment))

    def take_on(self) -> None:
        """Let this thread count them so, too."""
        if _IS_KNOWN:
            _set(ctypes.addressof(self._environment))

"""How loops become compiled code: cached on disk, once per machine."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, cast

import numba
from numba.core.caching import FunctionCache, IndexDataCacheFile

Loop = Callable[..., Any]

# Without the numpy error model a division must be able to raise, which keeps the loop scalar (3-4 times slower).
OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True}


def compiled(function: Loop) -> Loop:
    """``function`` compiled, and cached on disk if its source is in a file."""
    loop: Any = numba.njit(**OPTIONS)(function)
    with contextlib.suppress(RuntimeError):  # no cache: source typed at a prompt, or no writable folder
        loop._cache = _CheckedCache(function)
    return cast(Loop, loop)


class _CheckedFile(IndexDataCacheFile):
    """numba's cache of one function, with entries that say what they are.

    numba reads the index, adds a number to it, writes it, then writes the code under that number. If two processes
    compile a function for two dtypes at once, one may write the code and the other the index: later runs would run
    the code for the other dtype. Right after the source changes, a number can still lead to the old code.
    """

    def save(self, key: Any, data: Any) -> None:
        super().save(key, (self._source_stamp, key, data))  # type: ignore[no-untyped-call]

    def load(self, key: Any) -> Any:
        """The code for this signature and source; None if the entry is something else, so that it is compiled again."""
        entry = super().load(key)  # type: ignore[no-untyped-call]
        return entry[2] if isinstance(entry, tuple) and entry[:2] == (self._source_stamp, key) else None


class _CheckedCache(FunctionCache):
    def __init__(self, function: Loop) -> None:
        super().__init__(function)  # type: ignore[no-untyped-call]
        self._cache_file.__class__ = _CheckedFile

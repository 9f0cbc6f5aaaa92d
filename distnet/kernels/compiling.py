"""How loops are compiled: once for each machine, by one process at a time, and kept on disk."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import IO, Any, cast

import numba
import numpy as np
from numba.core import types
from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.core.ccallback import CFunc
from numba.core.registry import cpu_target
from numba.core.runtime import nrt
from numba.core.sigutils import normalize_signature
from numba.extending import overload

from distnet.kernels import compiling_notice
from distnet.kernels.late_bitcode import load_late, with_names
from distnet.kernels.llvm import binding
from distnet.kernels.vector_code import REGISTERS
from distnet.types import Array

Loop = Callable[..., Any]


def _leave_scipy_out() -> None:
    """Import what numba knows of arrays without SciPy's linear algebra: a third of a second, for nothing used here.

    numba looks whether it is there once, and before each use of it, which stays as it is.
    """
    with contextlib.suppress(ImportError, KeyError):  # numba's own parts may be others in another version
        from numba.np import linalg

        look: Any = vars(linalg)["ensure_blas"]
        vars(linalg)["ensure_blas"] = _find_scipy
        try:
            from numba.np import arraymath

            vars(arraymath)["ensure_blas"] = look
        finally:
            vars(linalg)["ensure_blas"] = look


def _find_scipy() -> None:
    if importlib.util.find_spec("scipy") is None:
        raise ImportError("there is no SciPy")


def get_llvm_ready() -> None:
    """Let LLVM do what it else does when it loads the first function."""
    cpu_target.target_context.codegen()._engine.finalize_object()


@cache
def _name_the_runtime() -> None:
    """Tell LLVM where numba's functions for memory are, which compiled code calls."""
    functions: dict[str, int] = vars(nrt)["_nrt"].c_helpers
    for name, address in functions.items():
        binding.add_symbol(name if name.startswith("_") else f"NRT_{name}", address)


_leave_scipy_out()
load_late()

# Without the numpy error model a division must be able to raise, which keeps the loop scalar (3-4 times slower).
OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True}


def compiled(function: Loop, *sources: str, fastmath: Iterable[str] = ()) -> Loop:
    """``function`` compiled, and cached on disk if its source is in a file.

    Args:
        sources: other files whose code is compiled into it; it is compiled anew when they change, too.
        fastmath: LLVM's names of liberties: "contract", a product and a sum may be computed as one, without rounding
            between them; "reassoc", sums may be taken in another order.
    """
    options = OPTIONS | {"fastmath": set(fastmath) or False}
    loop: Any = numba.njit(**options)(function)
    loop._compilation_chain_init_hook = _need_no_extensions
    with contextlib.suppress(RuntimeError):  # no cache: source typed at a prompt, or no writable folder
        loop._cache = _CheckedCache(function, sources)
    return cast(Loop, loop)


def _need_no_extensions() -> None:
    """In the place of numba's search through every installed package for such as extend it: loops here need none.

    It opens two files of each. A user's own compiled function has them found.
    """


def compiled_to_c(function: Loop, signature: Any, *sources: str) -> CFunc[Any]:
    """``function`` compiled at once for one signature, as C calls it, and cached; it has an ``address``.

    Args:
        signature: numba's, with the type of what is returned.
        sources: as for ``compiled``.
    """
    made: Any = CFunc(function, normalize_signature(signature), {}, OPTIONS)  # type: ignore[no-untyped-call]
    with contextlib.suppress(RuntimeError):
        made._cache = _CheckedCache(function, sources)
    made.compile()
    return cast("CFunc[Any]", made)


def apart(out: Array, x: Array) -> Array | None:
    """``out``, or None if it is x: then a loop's results overwrite what they come from (see ``if_apart``).

    Where two arrays lie apart, LLVM makes vectors of a loop; where they are one, it must be told, or each number is
    computed by itself (measured: 3 to 11 times slower).
    """
    return None if np.may_share_memory(out, x) else out


def if_apart(out: Array | None, there: Any, here: Any) -> Any:
    """``there``, or ``here`` if ``out`` is None; for compiled code only.

    A loop that overwrites a part of an array must know it by the same name, or LLVM sees two arrays.
    """
    raise NotImplementedError


@overload(if_apart)
def _compiled_if_apart(out: Any, there: Any, here: Any) -> Callable[[Any, Any, Any], Any]:
    def overwritten(out: Any, there: Any, here: Any) -> Any:
        return here

    def apart(out: Any, there: Any, here: Any) -> Any:
        return there

    return overwritten if isinstance(out, types.NoneType) else apart


class _CheckedFile(IndexDataCacheFile):
    """numba's cache of one function, with entries that say what they are.

    numba reads the index, adds a number to it, writes it, then writes the code under that number. If two processes
    compile a function for two dtypes at once, one may write the code and the other the index: later runs would run
    the code for the other dtype. Right after the source changes, a number can still lead to the old code.
    """

    def save(self, key: Any, data: Any) -> None:
        code = (with_names(data[0]), *data[1:])
        super().save(key, (self._source_stamp, key, code))  # type: ignore[no-untyped-call]

    def load(self, key: Any) -> Any:
        """The code for this signature and source; None if the entry is something else, so that it is compiled again."""
        entry = super().load(key)  # type: ignore[no-untyped-call]
        return entry[2] if isinstance(entry, tuple) and entry[:2] == (self._source_stamp, key) else None


class _CheckedCache(FunctionCache):
    """A cache that one process at a time fills: ranks that start together wait for the first, and load its code."""

    def __init__(self, function: Loop, sources: tuple[str, ...]) -> None:
        super().__init__(function)  # type: ignore[no-untyped-call]
        file = self._cache_file
        file.__class__ = _CheckedFile
        if sources:
            file._source_stamp = (file._source_stamp, *(_stamp(source) for source in sources))
        self._lock: IO[bytes] | None = None

    def _index_key(self, sig: Any, codegen: Any) -> Any:
        # With NUMBA_CPU_NAME, code for the same name and features may be for other registers: it would write too much.
        return *super()._index_key(sig, codegen), REGISTERS  # type: ignore[no-untyped-call]

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The code for a signature; if there is none, others wait until ``save_overload``, or this process' end."""
        self._let_others()
        code = self._loaded(sig, target_context)
        if code is None and self._enabled:
            compiling_notice.tell()
            self._hold_others()
            code = self._loaded(sig, target_context)
            if code is not None:
                self._let_others()
        return code

    def _loaded(self, sig: Any, target_context: Any) -> Any:
        """The code on the disk, or None.

        numba's ``load_overload`` would first get ready to compile, which what compiles does again: it imports all that
        numba knows of Python and NumPy, and compiles its runtime. That takes a process 29 MB, and a third of a second.
        """
        _name_the_runtime()
        return self._load_overload(sig, target_context)  # type: ignore[no-untyped-call]

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]
        finally:
            self._let_others()

    def _hold_others(self) -> None:
        # A folder on a network may know no locks: then each process compiles.
        with contextlib.suppress(OSError):
            self._impl.locator.ensure_cache_path()
            self._lock = Path(self._cache_file._index_path).with_suffix(".lock").open("wb")
            fcntl.flock(self._lock, fcntl.LOCK_EX)

    def _let_others(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def _stamp(source: str) -> tuple[float, int]:
    """When a file was written, and its size."""
    status = os.stat(source)
    return status.st_mtime, status.st_size

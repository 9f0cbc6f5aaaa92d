"""Threads of a process: each rank gets its share of the node's cores, a process alone all that it may run on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, wraps
from threading import Lock
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from threadpoolctl import ThreadpoolController, threadpool_info, threadpool_limits

from distnet import launcher

P = ParamSpec("P")
T = TypeVar("T")

_SET_BY_USER = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")


def available_cores() -> frozenset[int]:
    """The cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return frozenset(os.sched_getaffinity(0))
    return frozenset(range(os.cpu_count() or 1))


def threads_per_rank(cores_of_ranks: Sequence[frozenset[int]]) -> int:
    """Threads of each rank of a node: the node's cores shared out, at least one, and no more than any rank may use.

    Args:
        cores_of_ranks: the cores each rank of the node may run on; a launcher may have bound them.
    """
    cores = frozenset().union(*cores_of_ranks)
    return max(1, min(len(cores) // len(cores_of_ranks), *map(len, cores_of_ranks)))


def limit_blas_threads(threads: int, environ: Mapping[str, str]) -> int:
    """Limit BLAS to ``threads`` unless the environment already sets a number; return the number in force."""
    if not any(environ.get(name) for name in _SET_BY_USER):
        threadpool_limits(limits=threads, user_api="blas")
    pools = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    return int(max(pools, default=threads))


def set_by_user(environ: Mapping[str, str]) -> int | None:
    """How many threads the environment asks for; None if it does not say, or no number."""
    value = next(filter(None, map(environ.get, _SET_BY_USER)), "")
    first = value.partition(",")[0].strip()
    return int(first) if first.isdigit() and int(first) > 0 else None


class Threads:
    """How many threads of this process may compute at the same time.

    Args:
        share: this rank's share of the cores, once it has joined its job.
    """

    def __init__(self, share: int | None = None) -> None:
        self.share = share
        self._held: int | None = None

    def count(self) -> int:
        """As many as the user says, else this rank's share, or all cores of a process that runs alone."""
        return self._asked() if self._held is None else self._held

    def hold(self) -> int | None:
        """From here on, where much is computed, the number is looked up no more; what to ``release`` then."""
        before, self._held = self._held, self.count()
        return before

    def release(self, before: int | None) -> None:
        """Be as before the ``hold`` that returned this."""
        self._held = before

    @contextmanager
    def one(self) -> Iterator[None]:
        """Within the block this process computes with one thread, whatever its share."""
        before, self._held = self._held, 1
        _one_blas_thread.begin()
        try:
            yield
        finally:
            _one_blas_thread.end()
            self._held = before

    def _asked(self) -> int:
        cores = len(available_cores())
        wanted = set_by_user(os.environ) or self.share
        if wanted is None:
            started = launcher.detect(os.environ)
            wanted = cores if started is None or started.size == 1 else 1
        return min(wanted, cores)


OF_THIS_PROCESS = Threads()


class _OneBlasThread:
    """Holds BLAS at one thread while anyone wants it, and then lets it have as many as before."""

    def __init__(self) -> None:
        self._lock, self._users, self._before = Lock(), 0, dict[int, int]()

    def begin(self) -> None:
        with self._lock:
            self._users += 1
            if self._users == 1:
                for i, pool in enumerate(_blas()):
                    self._before[i] = pool.num_threads
                    pool.set_num_threads(1)

    def end(self) -> None:
        with self._lock:
            self._users -= 1
            if not self._users:
                for i, pool in enumerate(_blas()):
                    pool.set_num_threads(self._before[i])


_one_blas_thread = _OneBlasThread()


class one_blas_thread:  # noqa: N801 - as contextmanager's functions are named; those take longer
    """Within the block, or the function, of a process with several threads, a product takes one of BLAS's.

    Products are large enough for several in ``distnet.kernels.matrix_products``. BLAS's own would spin after each, and
    keep the cores from other work.
    """

    __slots__ = ("_before", "_is_held")

    def __enter__(self) -> None:
        self._before = OF_THIS_PROCESS.hold()
        self._is_held = OF_THIS_PROCESS.count() > 1
        if self._is_held:
            _one_blas_thread.begin()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_held:
            _one_blas_thread.end()
        OF_THIS_PROCESS.release(self._before)

    def __call__(self, function: Callable[P, T]) -> Callable[P, T]:
        """The function, in such a block."""

        @wraps(function)
        def within(*args: P.args, **options: P.kwargs) -> T:
            with one_blas_thread():
                return function(*args, **options)

        return within


@cache
def _blas() -> list[Any]:
    """BLAS as NumPy has loaded it."""
    return list(ThreadpoolController().select(user_api="blas").lib_controllers)

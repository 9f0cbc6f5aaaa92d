"""What tests share: real jobs on ranks, Keras in a process of its own, and what is no test."""

from __future__ import annotations

import gc
import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jobs import Ranks, mpiexec
from marks import Marks

collect_ignore = ["golden", "tools"]
collect_ignore_glob = ["*/programs/*.py"]
"""What tests start or import: collected, programs would run, and take pytest's arguments for theirs."""


QUICKLY_COMPILED = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
"""For XLA: what tests ask Keras runs a few times on small arrays, so compiling it takes longer than all the rest."""


def pytest_configure(config: pytest.Config) -> None:
    """Let the hundreds of processes that tests start keep what they compile, and compile little."""
    config.pluginmanager.register(Marks(), "marks")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # with it each compiles every module for half a second
    os.environ.setdefault("XLA_FLAGS", QUICKLY_COMPILED)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # two processes run the tests, on all cores already


def pytest_collection_finish() -> None:
    """Keep the garbage collector off the tests themselves: looking through thousands of them takes half a second."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def mpirun() -> tuple[str, ...]:
    """The command that starts ranks; a test that uses it is marked ``mpi``."""
    return mpiexec()


@pytest.fixture(scope="session")
def ranks(mpirun: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Ranks]:
    """``ranks(n)`` starts programs on n ranks under mpiexec."""
    folder = tmp_path_factory.mktemp("jobs")
    return lambda n: Ranks((*mpirun, "-n", str(n)), folder)


@pytest.fixture(scope="session")
def keras_3() -> str:
    """A Python that has Keras 3, for a process of its own; a test that uses it is marked ``keras``."""
    if not all(importlib.util.find_spec(package) for package in ("keras", "jax")):
        pytest.skip("Keras 3 or JAX is not installed")
    return sys.executable


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Ranks:
    """Starts programs without any launcher."""
    return Ranks((), tmp_path_factory.mktemp("alone"))


@pytest.fixture(scope="session")
def beside() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts processes that work beside other tests, and give way to them; they end with the tests."""
    started: list[subprocess.Popen[bytes]] = []

    def start(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(["nice", "-n", "5", *command], **options))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C interrupts, also where the processes that run tests ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)

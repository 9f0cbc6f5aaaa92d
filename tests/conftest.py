"""What tests share: real jobs on ranks, the marks that say which tests are slow, and what is no test."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jobs import Ranks, mpiexec

collect_ignore = ["golden", "tools"]
collect_ignore_glob = ["*/programs/*.py"]
"""What tests start or import: collected, programs would run, and take pytest's arguments for theirs."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "starts_first: starts processes whose answers later tests want.")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What starts first comes first: most tests leave a core to processes beside them."""
    items.sort(key=lambda item: item.get_closest_marker("starts_first") is None)


@pytest.fixture(scope="session")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Ranks]:
    """``ranks(n)`` starts programs on n ranks under mpiexec."""
    folder = tmp_path_factory.mktemp("jobs")
    return lambda n: Ranks((*mpiexec(), "-n", str(n)), folder)


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

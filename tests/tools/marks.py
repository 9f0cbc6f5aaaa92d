"""The marks by which tests are chosen: given by the fixtures that tests use, and checked by what tests really start.

A test is marked ``mpi`` or ``keras`` for a fixture that it uses, itself or through another, and never by hand. One
without the mark fails when it starts ranks or imports Keras. ``slow`` is written at the test; which tests should have
it, and have not, is said when all have run.
"""

from __future__ import annotations

import collections
import functools
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MARKS_OF = {"mpirun": ("mpi",), "keras_3": ("keras", "slow"), "beside": ("slow",), "alone": ("slow",)}
"""Fixture -> the marks of every test that uses it."""
LAUNCHERS = ("mpirun", "mpiexec", "run.sh")
SLOW_S = 2.0
"""Seconds of processor time, of the test and of what it started, from which a test should be marked slow."""


@functools.cache
def _names_a_launcher(path: str) -> bool:
    """Whether a program of this repository starts processes and speaks of MPI's launchers, and so may start them."""
    program = Path(path)
    if not os.path.isfile(path) or not program.resolve().is_relative_to(ROOT):  # False of a text of a program
        return False
    text = program.read_text(encoding="utf-8", errors="ignore")
    if "from contestants import" in text:  # what competes in a benchmark: ranks of distnet
        return True
    starts = program.suffix != ".py" or "subprocess" in text or "from jobs import" in text
    return starts and any(name in text for name in LAUNCHERS)


def starts_ranks(command: list[str], environment: dict[str, str] | None) -> bool:
    """Whether a command starts ranks: MPI's launcher, or a program that calls it.

    With another launcher in MPIRUN none start, nor where a program is told to do without: ``--ranks 1``.
    """
    if (environment and "MPIRUN" in environment) or re.search(r" --ranks 1(?! \d)", " ".join(command)):
        return False
    return any(Path(word).name in LAUNCHERS or _names_a_launcher(word) for word in command)


class Marks:
    """A plugin of pytest.

    Keras tells that it was imported: it writes its settings to the folder that ``KERAS_HOME`` names.
    """

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="keras-home-")
        self.expected, self.unexpected = Path(self.folder.name, "expected"), Path(self.folder.name, "unexpected")
        self.started: list[str] = []
        self.slow: list[tuple[float, str]] = []
        sys.addaudithook(self._notice)

    def _notice(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == "subprocess.Popen":
            _, command, _, environment = arguments
            words = [command] if isinstance(command, str | bytes | os.PathLike) else list(command)  # type: ignore[call-overload]
            if starts_ranks([os.fsdecode(word) for word in words], environment):  # type: ignore[arg-type]
                self.started.append(" ".join(map(str, words)))

    @pytest.hookimpl(tryfirst=True)  # before -m chooses
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Mark tests by their fixtures, and order files: first those that start processes, then by their tests' number.

        Most tests leave a core to processes beside; files of few tests, at the end, fill both workers alike.
        """
        for item in items:
            for fixture in MARKS_OF.keys() & set(getattr(item, "fixturenames", ())):
                for mark in MARKS_OF[fixture]:
                    item.add_marker(mark)
        starting = {item.path for item in items if item.get_closest_marker("starts_first")}
        tests = collections.Counter(item.path for item in items)
        items.sort(key=lambda item: (item.path not in starting, -tests[item.path]))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Measure a test, with what it starts and waits for."""
        os.environ["KERAS_HOME"] = str(self.expected if item.get_closest_marker("keras") else self.unexpected)
        self.started.clear()
        start = time.process_time() + _of_children()
        done = yield
        seconds = time.process_time() + _of_children() - start
        if seconds > SLOW_S and not any(item.get_closest_marker(mark) for mark in ("slow", "mpi")):
            self.slow.append((seconds, item.nodeid))
        return done

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Fail a test that starts ranks or imports Keras and is not marked so."""
        done = yield
        if self.started and not item.get_closest_marker("mpi"):
            pytest.fail(f"it starts ranks, so it must use the fixture 'ranks' or 'mpirun': {self.started[0]}")
        if self.unexpected.exists():
            shutil.rmtree(self.unexpected)
            pytest.fail("it imports Keras, so it must use the fixture 'keras_3'")
        return done

    def pytest_unconfigure(self) -> None:
        """Leave nothing behind."""
        self.folder.cleanup()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say which tests want the mark ``slow``."""
        for seconds, name in sorted(self.slow, reverse=True):
            terminalreporter.write_line(f"not marked slow, but it took {seconds:.1f} s of processor time: {name}")


def _of_children() -> float:
    times = os.times()
    return times.children_user + times.children_system

"""The marks of tests are given by fixtures, and what has no mark is caught: planted tests, in a pytest of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import marks

pytestmark = pytest.mark.slow

CONFTEST = """
import marks, pytest
marks.SLOW_S = 0.2
def pytest_configure(config):
    config.addinivalue_line("markers", "mpi: starts ranks")
    config.addinivalue_line("markers", "keras: imports Keras")
    config.addinivalue_line("markers", "slow: takes long")
    config.pluginmanager.register(marks.Marks(), "marks")
@pytest.fixture
def mpirun(): ...
@pytest.fixture
def keras_3(): ...
@pytest.fixture
def ranks(mpirun): ...
"""
PLANTED = """
import os, pathlib, pytest, subprocess, sys, time
LAUNCHER = str(pathlib.Path(__file__).with_name("mpiexec"))
IMPORTED = "import os, pathlib; (pathlib.Path(os.environ['KERAS_HOME']) / 'keras.json').parent.mkdir(exist_ok=True)"
def test_starts_ranks():
    subprocess.run([LAUNCHER, "-n", "2"])
def test_starts_ranks_and_is_marked(ranks):
    subprocess.run([LAUNCHER, "-n", "2"])
def test_imports_keras():
    subprocess.run([sys.executable, "-c", IMPORTED], check=True)
def test_imports_keras_and_is_marked(keras_3):
    subprocess.run([sys.executable, "-c", IMPORTED], check=True)
def test_takes_long():
    end = time.process_time() + 0.5
    while time.process_time() < end: ...
"""


def test_a_test_without_its_mark_is_caught(tmp_path):
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_planted.py").write_text(PLANTED)
    (tmp_path / "mpiexec").write_text("#!/bin/sh\n")
    (tmp_path / "mpiexec").chmod(0o755)
    environment = {**os.environ, "PYTHONPATH": str(Path(marks.__file__).parent)}
    command = [sys.executable, "-m", "pytest", "-q", "-rfp", "-p", "no:cacheprovider", str(tmp_path)]
    said = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False).stdout
    failed = {line.split("::")[1].split(" ")[0] for line in said.splitlines() if line.startswith("FAILED")}
    assert failed == {"test_starts_ranks", "test_imports_keras"}, said
    assert "3 passed" in said
    assert "not marked slow, but it took" in said
    assert said.count("not marked slow") == 1
    chosen = subprocess.run(
        [*command, "-m", "mpi or keras"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    ).stdout
    assert "2 passed, 3 deselected" in chosen


@pytest.mark.parametrize(
    ("command", "starts"),
    [
        (["/usr/bin/mpirun", "-n", "2", "x.py"], True),
        ([sys.executable, str(Path(marks.__file__).with_name("soak_kills.py"))], True),
        ([sys.executable, str(Path(marks.__file__).with_name("fuzz.py")), "--ranks", "1"], False),
        ([sys.executable, str(marks.ROOT / "benchmarks/step_time.py"), "--ranks", "1", "2"], True),
        ([str(marks.ROOT / "launch/run.sh"), "-n", "2", "x.py"], True),
        ([sys.executable, str(marks.ROOT / "examples/mnist.py")], False),  # it says mpirun, and starts nothing
        ([sys.executable, "-c", "print('mpirun')"], False),
    ],
)
def test_commands_that_start_ranks_are_known(command, starts):
    assert marks.starts_ranks(command, None) == starts
    assert not marks.starts_ranks(command, {"MPIRUN": "another"})

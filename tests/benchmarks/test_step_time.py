from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("mpirun")

STEP_TIME = Path(__file__).parents[2] / "benchmarks" / "step_time.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(STEP_TIME), *arguments]
    environment = {**os.environ, "DISTNET_KERNELS": "numpy"}  # importing numba takes each rank a second
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, env=environment)


@pytest.mark.parametrize("model", ["mlp", "table"])
def test_it_prints_a_line_for_each_contestant(model):
    done = run("--model", model, "--ranks", "1", "2", "--steps", "3", "--rounds", "1", "--batch", "16")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"{model}, batch 16, ")
    assert [line.rpartition("rank")[0] for line in lines[3:]] == ["distnet, 1 ", "distnet, 2 "]


def test_a_peer_that_is_not_installed_is_named_with_its_packages(tmp_path):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    done = run("--peer", "keras-jax", "--peer-python", str(python))
    assert done.returncode == 1
    assert f"needs the package 'keras' in {python}: pip install keras jax" in done.stderr

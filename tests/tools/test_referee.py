"""The referee: it knows every layer, and its generated models run in both packages and on three ranks."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from distnet.layers import LAYERS

HERE = Path(__file__).parent
KERNELS = {"DISTNET_KERNELS": "numpy"}
"""Importing numba takes each process a second or two."""


def test_every_registered_layer_is_generated_or_said_why_not(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))
    choices = importlib.import_module("layer_choices")
    known = choices.LAYERS.keys() | choices.NOT_GENERATED.keys()
    assert not LAYERS.classes().keys() - known, "add these to tests/tools/layer_choices.py"
    assert not known - LAYERS.classes().keys() - {"+", "-", "*", "Functional", "Lambda", "Sequential"}


def referee(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(HERE / "referee.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **KERNELS})


needs_keras = pytest.mark.skipif(
    not all(importlib.util.find_spec(package) for package in ("keras", "jax")), reason="needs Keras and JAX"
)


@needs_keras
def test_numpy_computes_what_xla_computes():
    command = [sys.executable, str(HERE / "numpy_and_xla.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "NumPy computes what XLA computes\n", done.stderr


@needs_keras
@pytest.mark.timeout(900)
def test_generated_models_are_those_of_keras():
    done = referee("--count", 24, "--seed", 0, "--jobs", 2, "--shrink-s", 20)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert "24/24 models" in done.stdout


@pytest.mark.timeout(600)
def test_generated_models_are_on_three_ranks_what_they_are_on_one():
    done = referee("--count", 12, "--seed", 1, "--ranks", 3)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert "12 models on 3 ranks and on 1" in done.stdout

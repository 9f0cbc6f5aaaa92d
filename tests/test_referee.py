"""The referee: it knows every layer, and its generated models run in both packages and on three ranks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import layer_choices
from distnet.layers import LAYERS
from distnet.utils import FeatureSpace

TOOLS = Path(__file__).parent / "tools"
MODELS, MODELS_ON_RANKS = 60, 24
KERNELS = {"DISTNET_KERNELS": "numpy"}
"""Importing numba takes each process a second or two."""


def test_every_registered_layer_is_generated_or_said_why_not():
    known = layer_choices.LAYERS.keys() | layer_choices.NOT_GENERATED.keys()
    of_keras = {name for name, kind in LAYERS.classes().items() if "keras.layers." in str(kind.__doc__)}
    assert not of_keras - known, "add these to tests/tools/layer_choices.py"
    assert LAYERS.classes()["FeatureSpace"] is FeatureSpace  # registered where utils is imported
    assert not known - LAYERS.classes().keys() - {"+", "-", "*", "Functional", "Lambda", "Sequential"}


def command(*arguments: object) -> list[str]:
    return [sys.executable, str(TOOLS / "referee.py"), *map(str, arguments)]


@pytest.fixture(scope="session")
def in_keras(beside, keras_3, tmp_path_factory):
    """The referee at work beside other tests, and the file with what it says."""
    out = tmp_path_factory.mktemp("referee") / "out"
    options = ("--count", MODELS, "--seed", 0, "--jobs", 1, "--shrink-s", 20)
    with out.open("wb") as stream:
        return beside(command(*options), stdout=stream, stderr=stream, env={**os.environ, **KERNELS}), out


@pytest.mark.starts_first
def test_numpy_computes_what_xla_computes(in_keras):
    command = [sys.executable, str(TOOLS / "numpy_and_xla.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "NumPy computes what XLA computes\n", done.stderr


@pytest.mark.timeout(900)
def test_generated_models_are_those_of_keras(in_keras):
    process, out = in_keras
    returncode = process.wait()
    said = out.read_text()
    assert returncode == 0, said[-20000:]
    assert f"{MODELS}/{MODELS} models" in said


@pytest.mark.usefixtures("mpirun")
@pytest.mark.timeout(600)
def test_generated_models_are_on_three_ranks_what_they_are_on_one():
    options = ("--count", MODELS_ON_RANKS, "--seed", 1, "--ranks", 3)
    done = subprocess.run(command(*options), capture_output=True, text=True, check=False, env={**os.environ, **KERNELS})
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert f"{MODELS_ON_RANKS} models on 3 ranks and on 1" in done.stdout

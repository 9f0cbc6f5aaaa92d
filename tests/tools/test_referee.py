"""The referee: it knows every layer, and its generated models run in both packages and on three ranks."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from distnet.layers import LAYERS

HERE = Path(__file__).parent


def test_every_registered_layer_is_generated_or_said_why_not(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))
    choices = importlib.import_module("layer_choices")
    known = choices.LAYERS.keys() | choices.NOT_GENERATED.keys()
    assert not LAYERS.classes().keys() - known, "add these to tests/tools/layer_choices.py"
    assert not known - LAYERS.classes().keys() - {"+", "-", "*", "Functional", "Lambda", "Sequential"}


@pytest.mark.timeout(400)
def test_generated_models_run_in_both_packages():
    if not all(importlib.util.find_spec(package) for package in ("keras", "jax")):
        pytest.skip("needs Keras and JAX")
    command = [sys.executable, str(HERE / "referee.py"), "--count", "10", "--jobs", "1", "--shrink-s", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "same" in done.stdout, done.stdout + done.stderr
    assert "died" not in done.stdout, done.stdout + done.stderr

"""Every example, run for a moment, alone and on three ranks: the same history. test_mnist.py has the first one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples"
BRIEFLY = Path(__file__).parents[1] / "tools" / "briefly.py"
OVERRIDES = {
    "custom_layer.py": {"epochs": 2},
    "functional_two_inputs.py": {"epochs": 2},
    "loan.py": {"epochs": 2},
    "mnist_cnn.py": {"epochs": 1, "steps_per_epoch": 3, "verbose": 0},
    "pima.py": {"epochs": 3},
    "random_mlp.py": {"epochs": 2},
    "text_lstm.py": {"epochs": 1},
    "transfer_learning.py": {"epochs": 1, "steps_per_epoch": 2},
}
SAYS = {
    "custom_layer.py": "Loaded: nearness_1 has seen",
    "functional_two_inputs.py": "Connected to",
    "loan.py": "Test loss",
    "mnist_cnn.py": "Test accuracy:",
    "pima.py": "accuracy:",
    "random_mlp.py": "Test loss and accuracy:",
    "text_lstm.py": "is praise with probability",
    "transfer_learning.py": "Weights: random, for no --weights are given",
}


def history(output: str) -> dict[str, list[float]]:
    """What the program printed once."""
    (line,) = (line for line in output.splitlines() if line.startswith("HISTORY"))
    found: dict[str, list[float]] = json.loads(line.removeprefix("HISTORY "))
    return found


@pytest.mark.usefixtures("lonely")
@pytest.mark.parametrize("name", sorted({path.name for path in FOLDER.glob("*.py")} - {"mnist.py"}))
def test_it_runs_alone_and_on_three_ranks(name, alone, ranks):
    runs = [
        starter.run(BRIEFLY, FOLDER / name, json.dumps(OVERRIDES[name])).succeeded() for starter in (alone, ranks(3))
    ]
    one, three = (history(run.stdout) for run in runs)
    assert one.keys() == three.keys()
    for key, values in one.items():
        assert three[key] == pytest.approx(values, rel=0, abs=1e-6), key
    assert all(run.stdout.count(SAYS[name]) == 1 for run in runs)

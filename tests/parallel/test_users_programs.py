"""Programs with functions of their authors', as Keras's guides write them: one result, and that of Keras."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PROGRAM = Path(__file__).parent / "programs" / "users_programs.py"
WITHOUT_XLA = Path(__file__).parents[1] / "tools" / "without_xla.py"
WITHOUT_TAPE = (
    "custom_dense", "state_and_added_loss", "list_of_sublayers", "siamese_network", "transformer", "cell_of_ones_own",
    "mixture_of_experts", "vector_quantizer", "distillation", "distillation_of_features",
    "optimizer_of_ones_own", "masked_decoder",
)  # fmt: skip
"""Those that need no tape, which Keras has on no backend of its own."""
PATH = {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1] / "tools"), os.environ.get("PYTHONPATH", "")])}
"""Where the programs find the optimizers that they share with other tests."""


def arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as kept:
        return dict(kept)


@pytest.mark.slow
def test_three_ranks_train_what_one_trains(alone, ranks, tmp_path):
    alone.run(PROGRAM, tmp_path / "1.npz", env=PATH).succeeded()
    ranks(3).run(PROGRAM, tmp_path / "3.npz", env=PATH).succeeded()
    expected, made = arrays(tmp_path / "1.npz"), arrays(tmp_path / "3.npz")
    assert len(expected) == 40
    assert all(np.isfinite(value).all() for value in expected.values())
    apart = {key: float(np.abs(made[key] - value).max()) for key, value in expected.items()}
    assert not {key: by for key, by in apart.items() if not by <= 1e-10}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_keras_trains_the_same_for_twenty_steps(keras_3, tmp_path):
    settings = {"FLOATX": "float32", "RATE": "0", "WEIGHTS": str(tmp_path), "EPOCHS": "5", "KERAS_BACKEND": "jax"}
    made = {}
    for which, python in (("keras", [keras_3, WITHOUT_XLA]), ("distnet", [sys.executable])):
        path = tmp_path / f"results-{which}.npz"
        subprocess.run(
            [*python, PROGRAM, path, *WITHOUT_TAPE], check=True,
            env={**os.environ, **PATH, **settings, "WHICH_KERAS": which},
        )  # fmt: skip
        made[which] = arrays(path)
    assert list(made["keras"]) == list(made["distnet"])
    for key, expected in made["keras"].items():
        np.testing.assert_allclose(made["distnet"][key], expected, rtol=1e-5, atol=1e-5, err_msg=key)

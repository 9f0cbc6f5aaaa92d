"""What one rank trains, any number of ranks trains: to 1e-10 in float64."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.timeout(300)
PROGRAMS = Path(__file__).parent / "programs"


SETTINGS = {
    "numpy": {},
    "numba": {"DISTNET_KERNELS": "numba"},
    "two nodes": {"MPIR_CVAR_NUM_CLIQUES": "2"},  # as MPICH can pretend; another MPI sees one node
}
RANKS_OF = {
    "numpy": {
        "optimizers": [1, 3, 7],
        "variants": [1, 2, 4],
        "structures": [1, 3],
        "slices": [1, 3, 4],
        "mnist_losses": [1, 2, 4],
        "callbacks": [1, 3],
        "compressed": [1],
    },
    "numba": {"optimizers": [1, 3]},
    "two nodes": {"slices": [3, 4], "compressed": [3, 4]},
}
"""By setting and program: the numbers of ranks on which it runs. Programs of one number share a job."""


@pytest.fixture(scope="module")
def results(ranks, tmp_path_factory):
    """Arrays by name that a program wrote on a number of ranks; each job runs once."""
    folders = {}

    def of(program, n, setting="numpy"):
        if (n, setting) not in folders:
            folder = folders[n, setting] = tmp_path_factory.mktemp("results")
            programs = [name for name, numbers in RANKS_OF[setting].items() if n in numbers]
            ranks(n).run(
                PROGRAMS / "each_program.py", folder, *programs, env=SETTINGS[setting], timeout=280
            ).succeeded()
        with np.load(folders[n, setting] / f"{program}.npz") as arrays:
            return dict(arrays)

    return of


def assert_same(found, expected, tolerance):
    assert list(found) == list(expected)
    assert all(np.isfinite(value).all() for value in expected.values())
    apart = {key: float(np.max(np.abs(found[key] - expected[key]), initial=0)) for key in expected}
    assert not {key: by for key, by in apart.items() if not by <= tolerance}


@pytest.mark.parametrize("n", [3, 7])
def test_every_optimizer_trains_what_one_rank_trains(results, n):
    assert_same(results("optimizers", n), results("optimizers", 1), 1e-10)


@pytest.mark.parametrize("n", [2, 4])
def test_every_way_of_training_and_asking_gives_what_one_rank_gives(results, n):
    assert_same(results("variants", n), results("variants", 1), 1e-10)


def test_nested_data_and_batches_of_other_lengths_give_what_one_rank_gives(results):
    assert_same(results("structures", 3), results("structures", 1), 1e-10)


@pytest.mark.parametrize("n", [3, 4])
def test_slices_of_weights_train_what_one_rank_trains(results, n):
    assert_same(results("slices", n), results("slices", 1), 1e-10)


@pytest.mark.parametrize("n", [3, 4])
def test_two_nodes_train_what_one_rank_trains(results, n):
    """Of two ranks each, or of unequal numbers."""
    assert_same(results("slices", n, "two nodes"), results("slices", 1), 1e-10)


@pytest.mark.parametrize("n", [3, 4])
def test_two_nodes_that_send_16_bits_train_nearly_what_one_rank_trains(results, n):
    """The program itself checks that all ranks end with the same bits."""
    shortened, expected = results("compressed", n, "two nodes"), results("compressed", 1)
    most = {"None": 1e-6, "float16": 2e-4, "bfloat16": 5e-3}
    for optimizer in ("adam", "lamb"):
        for kind, by in most.items():
            weights, losses = (shortened[f"{optimizer}/{kind}/{name}"] for name in ("weights", "loss"))
            assert (np.diff(losses) < 0).all()
            np.testing.assert_allclose(losses, expected[f"{optimizer}/{kind}/loss"], rtol=0, atol=by)
            np.testing.assert_allclose(weights, expected[f"{optimizer}/{kind}/weights"], rtol=0, atol=by)


def test_compiled_kernels_train_what_one_rank_trains(results):
    pytest.importorskip("numba", reason="numba is optional: pip install 'distnet[fast]'")
    assert_same(results("optimizers", 3, "numba"), results("optimizers", 1, "numba"), 1e-10)


@pytest.mark.parametrize("n", [2, 4])
def test_the_first_losses_of_an_mnist_model_in_float32_are_those_of_one_rank(results, n):
    found, expected = (results("mnist_losses", ranks)["losses"] for ranks in (n, 1))
    assert len(expected) == 20
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_callbacks_act_as_on_one_rank(results):
    assert_same(results("callbacks", 3), results("callbacks", 1), 1e-10)

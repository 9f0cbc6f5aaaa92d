"""What one rank trains, any number of ranks trains: to 1e-10 in float64."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(scope="module")
def results(ranks, tmp_path_factory):
    """Arrays by name that a program wrote on a number of ranks; each job runs once."""
    folder, known = tmp_path_factory.mktemp("results"), {}

    def of(program, n, **env):
        key = (program, n, *env.values())
        if key not in known:
            path = folder / f"{len(known)}.npz"
            ranks(n).run(PROGRAMS / program, path, env=env).succeeded()
            with np.load(path) as found:
                known[key] = dict(found)
        return known[key]

    return of


def assert_same(found, expected, tolerance):
    assert list(found) == list(expected)
    assert all(np.isfinite(value).all() for value in expected.values())
    apart = {key: float(np.max(np.abs(found[key] - expected[key]), initial=0)) for key in expected}
    assert not {key: by for key, by in apart.items() if not by <= tolerance}


@pytest.mark.parametrize("n", [2, 3, 4, 7])
def test_every_optimizer_trains_what_one_rank_trains(results, n):
    assert_same(results("optimizers.py", n), results("optimizers.py", 1), 1e-10)


@pytest.mark.parametrize("n", [2, 3, 4, 7])
def test_every_way_of_training_and_asking_gives_what_one_rank_gives(results, n):
    assert_same(results("variants.py", n), results("variants.py", 1), 1e-10)


def test_nested_data_and_batches_of_other_lengths_give_what_one_rank_gives(results):
    assert_same(results("structures.py", 3), results("structures.py", 1), 1e-10)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_slices_of_weights_train_what_one_rank_trains(results, n):
    assert_same(results("slices.py", n), results("slices.py", 1), 1e-10)


@pytest.mark.parametrize("n", [3, 4])
def test_two_nodes_train_what_one_rank_trains(results, n):
    """As MPICH can pretend: two nodes of two ranks, or of unequal numbers; another MPI sees one node."""
    assert_same(results("slices.py", n, MPIR_CVAR_NUM_CLIQUES="2"), results("slices.py", 1), 1e-10)


def test_compiled_kernels_train_what_one_rank_trains(results):
    pytest.importorskip("numba")
    env = {"DISTNET_KERNELS": "numba"}
    assert_same(results("optimizers.py", 3, **env), results("optimizers.py", 1, **env), 1e-10)


@pytest.mark.parametrize("n", [2, 4])
def test_the_first_losses_of_an_mnist_model_in_float32_are_those_of_one_rank(results, n):
    found, expected = (results("mnist_losses.py", ranks)["losses"] for ranks in (n, 1))
    assert len(expected) == 20
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("n", [2, 3])
def test_callbacks_act_as_on_one_rank(results, n):
    assert_same(results("callbacks.py", n), results("callbacks.py", 1), 1e-10)

"""A job killed in its third epoch goes on from its checkpoint, on another number of ranks, as if it had not been."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest

PROGRAM = Path(__file__).parent / "programs" / "interrupted.py"
SOURCES = Path(__file__).parent / "programs" / "sources.py"
SUBCLASSED = Path(__file__).parent / "programs" / "killed_subclassed.py"


@pytest.fixture(scope="module")
def uninterrupted(ranks, tmp_path_factory):
    """Weights and history of training that nothing stopped, by kind."""
    folder = tmp_path_factory.mktemp("whole")

    @functools.cache
    def of(kind):
        ranks(1).run(PROGRAM, "whole", kind, folder).succeeded()
        return load(folder / "whole.npz")

    return of


def load(path):
    with np.load(path) as found:
        return dict(found)


def assert_same(found, expected):
    assert list(found) == list(expected)
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, rtol=0, atol=1e-10, err_msg=key)


@pytest.mark.parametrize(("kind", "first", "then"), [("nadam", 3, 2), ("averaged", 1, 3), ("averaged", 2, 1)])
def test_a_killed_job_goes_on_on_another_number_of_ranks(ranks, uninterrupted, tmp_path, kind, first, then):
    job = ranks(first).start(PROGRAM, "interrupted", kind, tmp_path)
    job.wait_for(tmp_path / "ready")
    job.kill()
    expected = uninterrupted(kind)
    ranks(then).run(PROGRAM, "resume,load", kind, tmp_path).succeeded()
    assert_same(load(tmp_path / "resume.npz"), expected)
    loaded = load(tmp_path / "load.npz")
    since = len(loaded["epochs"])  # a history begins with initial_epoch
    assert_same(loaded, {key: w if key.startswith("weight") else w[-since:] for key, w in expected.items()})
    assert loaded["epochs"].tolist() == [2, 3, 4, 5]


@pytest.mark.parametrize("killed", [0, 2])
def test_a_killed_rank_ends_the_job_which_then_goes_on_on_fewer(ranks, uninterrupted, tmp_path, killed):
    job = ranks(3).run(PROGRAM, "interrupted", "nadam", tmp_path, killed).failed(within=15)
    assert not (tmp_path / "interrupted.npz").exists(), job
    ranks(2).run(PROGRAM, "resume", "nadam", tmp_path).succeeded()
    assert_same(load(tmp_path / "resume.npz"), uninterrupted("nadam"))


def test_every_kind_of_data_goes_on_within_an_epoch_on_another_number_of_ranks(ranks, tmp_path):
    ranks(2).run(SOURCES, "save", tmp_path).succeeded()
    ranks(3).run(SOURCES, "resume", tmp_path).succeeded()
    assert_same(load(tmp_path / "resume.npz"), load(tmp_path / "save.npz"))


def test_models_of_users_classes_go_on_from_where_three_ranks_were_killed(ranks, alone, tmp_path):
    ranks(3).run(SUBCLASSED, "kill", tmp_path).failed(within=60)
    expected = load(tmp_path / "kill.npz")
    for on, name in ((ranks(3), "three"), (ranks(2), "two"), (alone, "one")):
        on.run(SUBCLASSED, name, tmp_path).succeeded()
        made = load(tmp_path / f"{name}.npz")
        assert_same(made, expected)
        if name == "three":
            assert all((made[key] == values).all() for key, values in expected.items())

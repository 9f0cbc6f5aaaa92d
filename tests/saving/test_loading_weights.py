"""load_weights by position and by name, where everything fits and where it does not: as Keras."""

import numpy as np
import pytest

from distnet import errors, layers, models

X = np.sin(np.arange(20, dtype="float32")).reshape(5, 4)


def make(units=3, names=("a", "b"), last=1):
    stack = [layers.Input((4,)), layers.Dense(units, name=names[0]), layers.Dense(last, name=names[1])]
    return models.Sequential(stack)


@pytest.fixture
def path(tmp_path):
    make().save_weights(tmp_path / "w.h5")
    return tmp_path / "w.h5"


@pytest.fixture
def saved(path):
    model = make()
    model.load_weights(path)
    return model


def equal(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))


def test_by_name_takes_the_layers_that_the_file_knows(path, saved):
    model = make(names=("a", "other"))
    before = model.get_layer("other").get_weights()
    model.load_weights(path, by_name=True)
    assert equal(model.get_layer("a"), saved.get_layer("a"))
    assert all(np.array_equal(a, b) for a, b in zip(model.get_layer("other").get_weights(), before, strict=True))


def test_by_name_order_does_not_matter(path, saved):
    stack = [layers.Input((3,)), layers.Dense(1, name="b"), layers.Dense(4), layers.Dense(3, name="a")]
    model = models.Sequential(stack)
    model.load_weights(path, by_name=True)
    assert equal(model.get_layer("a"), saved.get_layer("a"))
    assert equal(model.get_layer("b"), saved.get_layer("b"))


@pytest.mark.parametrize("by_name", [False, True])
def test_other_shapes_are_refused_and_nothing_is_changed(path, by_name):
    model = make(last=2)
    before = model.get_weights()
    with pytest.raises(errors.CheckpointError, match=r"layer b: expected weights of shapes \[\(3, 2\), \(2,\)\]"):
        model.load_weights(path, by_name=by_name)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))


@pytest.mark.parametrize("by_name", [False, True])
def test_skip_mismatch_passes_over_other_shapes_and_says_so(path, saved, by_name):
    model = make(last=2)
    with pytest.warns(UserWarning, match=r"layer b: b/.* is passed over: it has the shape \(.*2,?\)") as said:
        model.load_weights(path, skip_mismatch=True, by_name=by_name)
    assert len(said) == 2
    assert equal(model.get_layer("a"), saved.get_layer("a"))


def test_skip_mismatch_by_name_passes_over_layers_with_more_weights(path, saved):
    stack = [layers.Input((4,)), layers.Dense(3, name="a"), layers.Dense(1, use_bias=False, name="b")]
    model = models.Sequential(stack)
    with pytest.raises(errors.CheckpointError, match="layer b"):
        model.load_weights(path, by_name=True)
    with pytest.warns(UserWarning, match="layer b is passed over: it has 1 weights in the model and 2 in the file"):
        model.load_weights(path, by_name=True, skip_mismatch=True)
    assert equal(model.get_layer("a"), saved.get_layer("a"))
    with pytest.raises(errors.CheckpointError, match="layer b"):
        model.load_weights(path, skip_mismatch=True)

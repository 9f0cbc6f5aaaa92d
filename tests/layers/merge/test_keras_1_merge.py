"""Keras 1's ways to merge give what today's layers give."""

from __future__ import annotations

import numpy as np
import pytest

import distnet as keras
from distnet.errors import ArgumentError
from distnet.layers import Dense, Merge, merge

A, B = np.random.default_rng(0).normal(size=(2, 6, 3))
Y = np.arange(6.0)
TODAY = {
    "sum": keras.layers.add,
    "mul": keras.layers.multiply,
    "ave": keras.layers.average,
    "max": keras.layers.maximum,
    "concat": keras.layers.concatenate,
    "dot": lambda tensors: keras.layers.dot(tensors, axes=-1),
}


@pytest.mark.parametrize("mode", TODAY)
def test_the_function_and_the_layer_merge_as_todays(mode):
    a, b = keras.Input((3,)), keras.Input((3,))
    made = [merge([a, b], mode=mode), Merge(mode=mode)([a, b]), TODAY[mode]([a, b])]
    by_function, by_layer, expected = (keras.Model([a, b], y).predict([A, B], verbose=0) for y in made)
    np.testing.assert_array_equal(by_function, expected)
    np.testing.assert_array_equal(by_layer, expected)


def branches():
    keras.utils.set_random_seed(2)
    left = keras.Sequential([Dense(4, input_dim=3, activation="tanh")])
    right = keras.Sequential([Dense(4, input_dim=3), keras.layers.Dropout(0.2)])
    return left, right


def merged():
    left, right = branches()
    model = keras.Sequential()
    model.add(Merge([left, right], mode="concat", concat_axis=1))
    model.add(Dense(1))
    return model


def test_a_sequential_that_begins_with_branches_trains_as_the_functional_model_does():
    model = merged()
    left, right = branches()
    joined = keras.layers.concatenate([left.output, right.output])
    same = keras.Model([*left.inputs, *right.inputs], Dense(1)(joined))
    same.set_weights(model.get_weights())
    for each in (model, same):
        each.compile("sgd", "mse")
    assert [tuple(x.shape) for x in model.inputs] == [(None, 3), (None, 3)]
    np.testing.assert_array_equal(model.predict([A, B], verbose=0), same.predict([A, B], verbose=0))
    model.fit([A, B], Y, epochs=3, verbose=0)
    assert model.evaluate([A, B], Y, verbose=0) < same.evaluate([A, B], Y, verbose=0)


def test_it_is_saved_and_summarized(tmp_path, capsys):
    model = merged()
    model.compile("sgd", "mse")
    model.save(tmp_path / "model.h5")
    again = keras.models.load_model(tmp_path / "model.h5")
    np.testing.assert_array_equal(again.predict([A, B], verbose=0), model.predict([A, B], verbose=0))
    model.summary()
    assert "Functional" in capsys.readouterr().out


@pytest.mark.parametrize(
    "wrong",
    [lambda: Merge(mode="cos"), lambda: Merge(mode=sum), lambda: Merge([branches()[0]]), lambda: Merge([Dense(1)] * 2)],
)
def test_what_cannot_be_merged_is_refused(wrong):
    with pytest.raises(ArgumentError, match="Merge: expected"):
        wrong()


def test_merge_is_still_a_path():
    from distnet.layers.merge import concatenate

    assert keras.layers.merge.concatenate is concatenate is keras.layers.concatenate

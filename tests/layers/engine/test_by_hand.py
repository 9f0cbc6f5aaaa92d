"""What users do to a layer themselves: build it, give it weights to start from, ask for its losses."""

import inspect

import numpy as np
import pytest

from distnet import Sequential, layers
from distnet.errors import ArgumentError, ShapeError
from distnet.layers import LAYERS, Layer

SHAPES = {
    "Dense": [((None, 3), [(3, 2), (2,)])],
    "LSTM": [((None, 5, 3), [(3, 8), (2, 8), (8,)])],
    "Embedding": [((None, 5), [(4, 2)])],
    "Conv2D": [((None, 5, 5, 3), [(2, 2, 3, 2), (2,)])],
    "BatchNormalization": [([None, 3], [(3,), (3,), (3,), (3,)])],
}
MADE = {
    "Dense": lambda **k: layers.Dense(2, **k),
    "LSTM": lambda **k: layers.LSTM(2, **k),
    "Embedding": lambda **k: layers.Embedding(4, 2, **k),
    "Conv2D": lambda **k: layers.Conv2D(2, 2, **k),
    "BatchNormalization": lambda **k: layers.BatchNormalization(**k),
}


@pytest.mark.parametrize("kind", MADE)
def test_a_layer_is_built_by_hand_and_holds_weights_at_once(kind):
    for shape, weights in SHAPES[kind]:
        layer = MADE[kind]()
        assert layer.build(shape) is None
        assert layer.built
        assert [w.shape for w in layer.get_weights()] == weights
        layer.set_weights([np.full(w.shape, 0.5) for w in layer.get_weights()])
        layer.build(input_shape=tuple(shape))  # again: nothing happens
        assert all((w == 0.5).all() for w in layer.get_weights())


@pytest.mark.parametrize("kind", MADE)
def test_weights_of_the_constructor_are_what_a_layer_starts_from(kind):
    shape, shapes = SHAPES[kind][0]
    given = [np.full(s, 0.25 + i) for i, s in enumerate(shapes)]
    layer = MADE[kind](weights=given)
    assert layer.weights == []
    layer.build(shape)
    for weight, expected in zip(layer.get_weights(), given, strict=True):
        np.testing.assert_array_equal(weight, expected)
    assert len(layer.weights) == len(given)
    assert "weights" not in layer.get_config()
    with pytest.raises(ShapeError):
        MADE[kind](weights=[*given, np.ones(3)]).build(shape)


def test_every_layer_takes_shapes_alone():
    for layer in LAYERS.classes().values():
        parameters = inspect.signature(layer.build).parameters
        assert "ctx" not in parameters or hasattr(layer.build, "__wrapped__") or parameters["ctx"].default is None


def test_several_inputs_have_several_shapes():
    attention = layers.MultiHeadAttention(2, 3)
    attention.build((None, 5, 4), (None, 6, 4))
    assert [w.shape for w in attention.get_weights()][0] == (4, 2, 3)
    layers.Add().build([(None, 3), (None, 3)])
    layers.Dropout(0.5).build((None, 3))
    both = layers.Bidirectional(layers.LSTM(2))
    both.build((None, 5, 3))
    assert len(both.get_weights()) == 6


def test_what_is_no_shape_is_refused():
    with pytest.raises(ArgumentError, match="dense: build: expected a shape"):
        layers.Dense(2, name="dense").build("a")
    with pytest.raises(ArgumentError, match="received none"):
        layers.Dense(2).build()
    layer = layers.Dense(2)
    layer.build((None, 3))
    with pytest.raises(ShapeError, match=r"has weights for inputs of shape \(None, 3\)"):
        layer.build((None, 4))


def test_a_layer_of_the_user_s_is_built_by_hand_too():
    class Scale(Layer):
        def build(self, shape, ctx):
            super().build(shape, ctx)
            self.factor = ctx.variable("factor", (shape[-1],), "ones")

        def forward(self, x, ctx):
            return x * self.factor.value, x

        def backward(self, dy, x, ctx):
            ctx.add_sum(self.factor, dy * x, axis=0)
            return dy * self.factor.value

    scale = Scale(weights=np.array([2.0, 3.0]))
    scale.build((None, 2))
    np.testing.assert_array_equal(scale(np.ones((1, 2))), [[2, 3]])


def test_losses_are_the_penalties_of_trained_weights():
    layer = layers.Dense(2, kernel_regularizer="l2", bias_regularizer="l1", activity_regularizer="l1")
    model = Sequential([layer, layers.Dense(1)])
    assert layer.losses == []
    model.build((None, 3))
    layer.set_weights([np.ones((3, 2)), np.ones(2)])
    for losses in (layer.losses, model.losses):  # Keras 3.15's numbers
        np.testing.assert_allclose([loss.numpy() for loss in losses], [0.06, 0.02], rtol=1e-6)
    layer.trainable = False
    assert model.losses == []


def test_weights_have_keras_place_among_the_arguments():
    table = np.arange(6.0).reshape(3, 2)
    embedding = layers.Embedding(3, 2, "uniform", None, None, False, [table])
    np.testing.assert_array_equal(embedding(np.array([[2]]))[0, 0], table[2])
    backward = layers.GRU(2, go_backwards=True)
    assert layers.Bidirectional(layers.GRU(2), "concat", None, backward).backward_layer.go_backwards

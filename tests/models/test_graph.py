"""The graph behind every model: tapes, sums of gradients, and what need not be computed."""

from dataclasses import dataclass

import numpy as np
import pytest

import distnet as keras
from distnet import layers
from distnet.layers.engine.context import BackwardContext, ForwardContext, Workspaces
from distnet.models import Sequential
from distnet.models.graph import Graph
from distnet.models.node import Node
from distnet.variables import VariableStore

rng = np.random.default_rng(0)


@dataclass(eq=False)
class Product(layers.Layer):
    """a * b: a layer of two inputs."""

    def forward(self, x, ctx):
        return x[0] * x[1], tuple(x)

    def backward(self, dy, saved, ctx):
        a, b = saved
        return [dy * b, dy * a]


@dataclass(eq=False)
class Spy(layers.Layer):
    """Passes everything on, and counts how often it is asked for a gradient."""

    def __post_init__(self):
        super().__post_init__()
        self.asked = []

    def forward(self, x, ctx):
        return x, None

    def backward(self, dy, saved, ctx):
        self.asked.append(ctx.needs_input_gradient)
        return dy


def built(layer, width):
    layer.build_once((None, width))
    return layer


def run(graph, inputs, training=True):
    workspaces = Workspaces()
    outputs, tape = graph.forward(inputs, ForwardContext(training, 0, 0, 0, len(inputs[0]), workspaces))
    return outputs, tape, BackwardContext(workspaces)


def test_gradients_of_all_paths_add_up():
    """y = tanh(xW) * tanh(xW) * x: one tensor used three times, one layer called twice."""
    dense = built(layers.Dense(3, "tanh", use_bias=False, dtype="float64"), 3)
    product = Product(dtype="float64")
    nodes = [
        Node(dense, (0,), (1,)),
        Node(dense, (0,), (2,)),
        Node(product, (1, 2), (3,)),
        Node(product, (3, 0), (4,)),
    ]
    graph = Graph(nodes, (0,), (4,))
    VariableStore(dense.variables, np.dtype("float64"))
    x, dy = rng.standard_normal((5, 3)), rng.standard_normal((5, 3))
    (y,), tape, ctx = run(graph, [x])
    hidden = np.tanh(x @ dense.kernel.value)
    np.testing.assert_allclose(y, hidden**2 * x, rtol=1e-14)
    dx = graph.backward(tape, [dy], ctx)[0]
    dz = 2 * dy * x * hidden * (1 - hidden**2)
    np.testing.assert_allclose(dense.kernel.grad, x.T @ dz, rtol=1e-12)
    np.testing.assert_allclose(dx, dz @ dense.kernel.value.T + dy * hidden**2, rtol=1e-12)
    assert graph.layers == (dense, product)


def test_an_output_that_is_used_again_keeps_both_gradients():
    first, second = (built(layers.Dense(2, use_bias=False, dtype="float64"), 2) for _ in range(2))
    graph = Graph([Node(first, (0,), (1,)), Node(second, (1,), (2,))], (0,), (1, 2))
    VariableStore([*first.variables, *second.variables], np.dtype("float64"))
    x, a, b = (rng.standard_normal((4, 2)) for _ in range(3))
    _, tape, ctx = run(graph, [x])
    graph.backward(tape, [a, b], ctx)
    np.testing.assert_allclose(first.kernel.grad, x.T @ (a + b @ second.kernel.value.T), rtol=1e-12)


def test_nothing_is_asked_of_layers_before_the_first_trained_one():
    before, between = Spy(), Spy()
    stack = [before, layers.Dense(3, trainable=False), between, layers.Dense(2)]
    model = Sequential([layers.Input(shape=(4,)), *stack])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 4)), np.ones((4, 2)), verbose=0)
    assert before.asked == between.asked == []
    model.layers[1].trainable = True
    model.fit(np.ones((4, 4)), np.ones((4, 2)), verbose=0)
    assert before.asked == []
    assert between.asked == [True]


def test_a_frozen_layer_between_trained_ones_passes_the_gradient_on():
    stack = [layers.Dense(3), layers.Dense(3, trainable=False), layers.Dense(2)]
    model = Sequential([layers.Input(shape=(4,)), *stack])
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(np.ones((4, 4)), np.ones((4, 2)), verbose=0)
    changed = [not np.array_equal(w, v) for w, v in zip(model.get_weights(), before, strict=True)]
    assert changed == [True, True, False, False, True, True]


@pytest.mark.parametrize("training", [True, False])
def test_a_tape_is_kept_apart_from_later_ones(training):
    """Two forward runs, then two backward runs: what the second wrote must not reach the first's gradients."""
    layer = built(layers.Dense(3, use_bias=False, dtype="float64"), 3)
    VariableStore(layer.variables, np.dtype("float64"))
    graph = Graph([Node(layer, (0,), (1,))], (0,), (1,))
    x, other, dy = (rng.standard_normal((4, 3)) for _ in range(3))
    _, tape, ctx = run(graph, [x], training)
    run(graph, [other], training)
    graph.backward(tape, [dy], ctx)
    np.testing.assert_allclose(layer.kernel.grad, x.T @ dy, rtol=1e-12)


def test_activity_penalties_count_outside_of_training_too():
    layer = built(layers.Dense(3, activity_regularizer="l2", dtype="float64"), 3)
    graph = Graph([Node(layer, (0,), (1,))], (0,), (1,))
    x = rng.standard_normal((4, 3))
    assert run(graph, [x], False)[1].penalty == run(graph, [x], True)[1].penalty > 0


def test_a_layer_that_is_called_several_times_moves_its_averages_in_keras_order():
    first, second = keras.Input((2,)), keras.Input((2,))
    shared = keras.layers.BatchNormalization(momentum=0.5)
    deep, shallow = shared(second), shared(first)
    again = shared(keras.layers.Rescaling(0.5)(keras.layers.Rescaling(3.0)(deep)))
    model = keras.Model([first, second], [keras.layers.Rescaling(2.0)(shallow), again])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    x = [np.array([[1.0, 2.0], [3.0, 8.0]]), np.array([[10.0, -4.0], [30.0, 0.0]])]
    y = np.zeros((2, 2))
    model.fit(x, [y, y], batch_size=2, epochs=1, verbose=0)
    mean, variance = model.get_weights()[2:]
    np.testing.assert_allclose(mean, [3.0, 1.0], rtol=1e-6)  # of Keras 3.15.1 on JAX
    np.testing.assert_allclose(variance, [13.99998856, 3.99971867], rtol=1e-6)

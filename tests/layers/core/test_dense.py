import numpy as np
import pytest

from distnet import activations, errors, layers, regularizers
from distnet.layers.engine.context import BackwardContext, ForwardContext, Workspaces
from distnet.models import Model, Sequential
from layer_run import LayerRun, assert_gradients_are_right, numbers, numerical_gradient, relative_error

SAME_SHAPE = sorted({*activations.ACTIVATIONS.classes(), "relu6"} - {"glu"})


def dense(units=3, **options):
    return layers.Dense(units, dtype="float64", **options)


@pytest.mark.parametrize("name", SAME_SHAPE)
def test_every_activation_has_the_right_gradient_in_a_layer(name):
    run = LayerRun(dense(4, activation=name, bias_initializer="random_normal"), (3,))
    assert_gradients_are_right(run, (3,))


@pytest.mark.parametrize("name", SAME_SHAPE)
def test_an_activation_within_dense_equals_one_behind_it(name):
    together = LayerRun(dense(4, activation=name), (3,))
    apart = LayerRun(dense(4), (3,))
    behind = LayerRun(layers.Activation(name, dtype="float64"), (4,))
    x = numbers(5, 3)
    (y,) = together.outputs(x)
    np.testing.assert_allclose(y, behind.outputs(*apart.outputs(x))[0], rtol=1e-14, atol=1e-15)


def test_it_is_an_affine_map_of_the_last_axis():
    run, x = LayerRun(dense(bias_initializer="ones"), (2, 5)), numbers(4, 2, 5)
    kernel, bias = run.layer.get_weights()
    np.testing.assert_allclose(run.outputs(x)[0], x @ kernel + bias, rtol=1e-14)
    assert bias.tolist() == [1, 1, 1]


def test_equal_layers_of_a_model_start_from_different_weights():
    model = Sequential([layers.Input(shape=(3,)), layers.Dense(3), layers.Dense(3)])
    first, second = (layer.get_weights()[0] for layer in model.layers)
    assert not np.array_equal(first, second)


def test_no_activation_is_linear():
    assert layers.Dense(3, activation=None).get_config()["activation"] == "linear"


@pytest.mark.parametrize("units", [0, -1, 2.5, "3", True, None])
def test_units_must_be_a_positive_integer(units):
    with pytest.raises(errors.ArgumentError, match="units: expected a positive integer"):
        layers.Dense(units)


@pytest.mark.parametrize("shape", [(None,), (None, None)])
def test_an_input_without_a_known_last_axis_is_refused(shape):
    with pytest.raises(errors.ShapeError, match="put a Flatten before"):
        layers.Dense(3).build_once(shape)


def test_glu_cannot_be_its_activation():
    with pytest.raises(errors.ShapeError, match="glu"):
        LayerRun(dense(4, activation="glu"), (3,)).outputs(numbers(2, 3))


def test_a_layer_with_weights_takes_no_other_shape():
    layer = dense()
    LayerRun(layer, (4,))
    with pytest.raises(errors.ShapeError, match="has weights for inputs of shape"):
        LayerRun(layer, (5,))


def test_a_wrong_number_or_shape_of_weights_changes_nothing():
    layer = LayerRun(dense(), (4,)).layer
    before = layer.get_weights()
    with pytest.raises(errors.ShapeError, match="expected 2 arrays, received 1"):
        layer.set_weights(before[:1])
    with pytest.raises(errors.ShapeError, match=r"bias: expected a value of shape \(3,\), received \(4,\)"):
        layer.set_weights([before[0] + 1, np.zeros(4)])
    np.testing.assert_array_equal(layer.get_weights()[0], before[0])


@pytest.mark.parametrize("regularizer", [regularizers.L1(0.3), regularizers.L2(0.3), regularizers.L1L2(0.1, 0.2)])
def test_activity_regularizers_add_to_the_gradients(regularizer):
    hidden = dense(4, activation="tanh", activity_regularizer=regularizer)
    model = Sequential([layers.Input(shape=(3,), dtype="float64"), dense(5), hidden, dense(2)])
    x, dy, workspaces = numbers(6, 3), numbers(6, 2, seed=1), Workspaces()

    def loss():
        (y,), tape = model.forward_batch([x], ForwardContext(True, 0, 0, 0, 6, workspaces))
        return np.vdot(dy, y) + tape.penalty

    _, tape = model.forward_batch([x], ForwardContext(True, 0, 0, 0, 6, workspaces))
    activity = np.tanh((x @ model.weights[0].value) @ model.weights[2].value)
    assert tape.penalty == pytest.approx(regularizer(activity) / 6)
    model.backward_batch(tape, [dy], BackwardContext(workspaces))
    for variable in model.trainable_weights:
        assert relative_error(variable.grad, numerical_gradient(loss, variable.value)) < 1e-6


def test_an_activity_penalty_of_no_rows_is_none():
    hidden = dense(4, activity_regularizer="l2")
    model = Sequential([layers.Input(shape=(3,), dtype="float64"), hidden])
    _, tape = model.forward_batch([numbers(0, 3)], ForwardContext(True, 0, 0, 0, 0, Workspaces()))
    assert tape.penalty == 0


def test_a_kernel_penalty_is_part_of_the_loss():
    model = Sequential([layers.Input(shape=(3,)), layers.Dense(2, kernel_regularizer=regularizers.L2(0.5))])
    model.compile("sgd", "mse")
    x, y = np.zeros((4, 3)), np.zeros((4, 2))
    expected = 0.5 * np.sum(model.get_weights()[0] ** 2)
    assert model.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=1e-6)


def test_padding_behind_it_does_not_count():
    x, y = numbers(6, 4, 3), numbers(6, 4, 2, seed=1)
    x[0, 2:], x[3] = 0, 0
    kept = np.any(x != 0, axis=-1)
    model = Sequential([layers.Input(shape=(4, 3)), layers.Masking(), layers.Dense(2)])
    model.compile("sgd", "mse", metrics=["mae"])
    errors_of_steps = model.predict(x, verbose=0) - y
    expected = [(errors_of_steps**2)[kept].mean(), np.abs(errors_of_steps)[kept].mean()]
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0), expected, rtol=1e-5)


def test_the_same_weights_take_inputs_of_other_ranks_and_lengths():
    layer = layers.Dense(2, kernel_initializer="ones")
    shapes = [(3, 4), (3, 5, 4), (3, 7, 4), (3, 2, 2, 4)]
    assert all(np.array_equal(layer(np.ones(shape)), np.full((*shape[:-1], 2), 4)) for shape in shapes)
    with pytest.raises(errors.ShapeError, match="cannot take"):
        layer(np.ones((3, 5)))


def test_a_shared_layer_learns_from_inputs_of_two_ranks():
    layer = dense(2, kernel_initializer="ones")
    inputs = [layers.Input((4,), dtype="float64"), layers.Input((5, 4), dtype="float64")]
    model = Model(inputs, [layer(x) for x in inputs])
    model.compile("sgd", "mse")
    model.fit([np.ones((3, 4)), np.ones((3, 5, 4))], [np.zeros((3, 2)), np.zeros((3, 5, 2))], verbose=0)
    np.testing.assert_allclose(layer.get_weights()[0], 1 - 0.01 * 2 * 4, rtol=1e-12)  # each loss: mean over 2 units

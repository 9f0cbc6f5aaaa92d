import json
from dataclasses import dataclass

import numpy as np
import pytest

from distnet import activations, config
from distnet.activations import ACTIVATIONS, Activation
from distnet.errors import ArgumentError, ShapeError, UnknownNameError
from distnet.registry import custom_object_scope

KERAS_NAMES = (
    "celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu linear "
    "log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus "
    "sparse_sigmoid sparsemax squareplus swish tanh tanh_shrink threshold"
)
NAMES = KERAS_NAMES.split(" ")
SHAPE_KEEPING = [name for name in NAMES if name != "glu"]
OPTIONED = [
    activations.ReLU(0.1, 3.0, 1.0),
    activations.ReLU(0.5, None, -1.0),
    activations.LeakyReLU(0.05),
    activations.LeakyReLU(1.5),
    activations.ELU(0.3),
    activations.CELU(2.5),
    activations.GELU(approximate=True),
    activations.GLU(axis=0),
    activations.HardSigmoid(0.2),
    activations.HardShrink(0.2),
    activations.SoftShrink(0.2),
    activations.Softmax(axis=0),
    activations.LogSoftmax(axis=0),
    activations.Sparsemax(axis=0),
    activations.Squareplus(1.0),
    activations.Threshold(0.3, 2.0),
]
ALL = [*map(ACTIVATIONS.get, NAMES), *OPTIONED]


def backward(activation, dy, z, y):
    dz = np.empty_like(z)
    activation.backward(dy, z if activation.saves_input else y, dz)
    return dz


@pytest.mark.parametrize("activation", ALL, ids=str)
def test_gradient_is_that_of_central_differences(activation):
    rng = np.random.default_rng(3)
    z = rng.normal(scale=2, size=(4, 6))
    y = activation(z)
    dy = rng.normal(size=y.shape)
    step = 1e-6
    expected = np.empty_like(z)
    for at in np.ndindex(*z.shape):
        moved = np.zeros_like(z)
        moved[at] = step
        expected[at] = np.sum(dy * (activation(z + moved) - activation(z - moved))) / (2 * step)
    np.testing.assert_allclose(backward(activation, dy, z, y), expected, atol=1e-7)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ALL, ids=str)
def test_large_inputs_neither_warn_nor_change_the_dtype(activation, dtype):
    z = np.array([[-1e4, 1e4, 0, -100, 100, 1], [90, -90, 1e-30, -1e-30, 5e3, -5e3]], dtype)
    y = activation(z)
    dz = backward(activation, np.ones_like(y), z, y)
    assert y.dtype == dz.dtype == dtype
    assert not np.isnan(y).any()
    assert not np.isnan(dz).any()


@pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 3, 4), (0, 4)])
@pytest.mark.parametrize("name", SHAPE_KEEPING)
def test_forward_and_backward_work_in_place(name, shape):
    activation = activations.get(name)
    rng = np.random.default_rng(5)
    z, dy = rng.normal(size=shape), rng.normal(size=shape)
    y = activation(z)
    expected = backward(activation, dy, z, y)
    saved = z
    if not activation.saves_input:
        saved = z.copy()
        activation.forward(saved, saved)
        np.testing.assert_array_equal(saved, y)
    activation.backward(dy, saved, dy)
    np.testing.assert_array_equal(dy, expected)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_of_keras_is_a_ready_object_and_a_registered_name(name):
    ready = getattr(activations, name)
    assert activations.get(name) == ready
    written = activations.serialize(ready)
    assert written in NAMES
    assert activations.deserialize(json.loads(json.dumps(written))) == ready


@pytest.mark.parametrize("activation", OPTIONED, ids=str)
def test_options_survive_json(activation):
    written = json.loads(json.dumps(activations.serialize(activation)))
    assert written["class_name"] == type(activation).__name__
    assert activations.deserialize(written) == activation


def test_none_is_linear():
    assert activations.get(None) == activations.linear


def test_relu6_has_a_name_of_its_own():
    assert activations.serialize(activations.ReLU(max_value=6)) == "relu6"


def test_options_may_be_given_by_position_or_by_name():
    x = np.array([-2.0, 0.5, 3.0])
    np.testing.assert_array_equal(activations.threshold(x, 1.0, 7.0), [7, 7, 3])
    np.testing.assert_array_equal(activations.relu(x, negative_slope=0.5, max_value=2.0), [-1, 0.5, 2])
    np.testing.assert_allclose(activations.softmax(np.ones((2, 3)), axis=0), np.full((2, 3), 0.5))


@pytest.mark.parametrize(
    ("values", "options"), [((1, 2, 3, 4), {}), ((), {"slope": 1}), ((0.1,), {"negative_slope": 1})]
)
def test_unknown_or_repeated_options_are_refused(values, options):
    with pytest.raises(ArgumentError, match="negative_slope"):
        activations.relu([1.0], *values, **options)


def test_integers_and_lists_become_floatx():
    assert activations.relu(np.array([1, -1])).dtype == "float32"
    assert activations.relu([1.0, -1.0]).dtype == "float32"
    config.set_floatx("float64")
    try:
        assert activations.relu([1, -1]).dtype == "float64"
    finally:
        config.set_floatx("float32")


def test_call_leaves_its_input_alone():
    x = np.array([-1.0, 2.0])
    activations.relu(x)
    np.testing.assert_array_equal(x, [-1, 2])


@dataclass(frozen=True)
class Square(Activation):
    saves_input = True

    def forward(self, z, out):
        np.multiply(z, z, out=out)

    def backward(self, dy, saved, out):
        np.multiply(dy, 2 * saved, out=out)


def test_a_users_class_is_an_activation():
    assert isinstance(activations.get(Square), Square)
    np.testing.assert_array_equal(Square()([3.0]), [9])
    with custom_object_scope({"Square": Square}):
        assert activations.deserialize(activations.serialize(Square())) == Square()


def test_a_misspelt_name_is_answered_with_a_near_one():
    with pytest.raises(UnknownNameError, match="relu"):
        activations.get("rellu")


@pytest.mark.parametrize(
    "make",
    [
        lambda: activations.ReLU(negative_slope=-1),
        lambda: activations.ReLU(max_value=-1),
        lambda: activations.LeakyReLU(-0.1),
        lambda: activations.ELU(0),
        lambda: activations.CELU(-1),
        lambda: activations.HardSigmoid(0),
        lambda: activations.HardShrink(-1),
        lambda: activations.SoftShrink(-1),
        lambda: activations.Squareplus(0),
    ],
)
def test_options_out_of_range_are_refused(make):
    with pytest.raises(ArgumentError, match="received"):
        make()


def test_glu_cannot_keep_the_shape_of_a_layer():
    z = np.ones((2, 4))
    with pytest.raises(ShapeError, match="cannot be a layer's activation"):
        activations.glu.forward(z, np.empty_like(z))
    with pytest.raises(ShapeError, match="even length"):
        activations.glu(np.ones((2, 3)))
    assert activations.glu.output_shape((None, 4)) == (None, 2)


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_sparsemax_is_the_nearest_distribution(axis):
    z = np.random.default_rng(1).normal(scale=2, size=(5, 6, 4))
    y = activations.Sparsemax(axis)(z)
    np.testing.assert_allclose(y.sum(axis=axis), 1)
    assert (y >= 0).all()
    # The conditions of Karush, Kuhn and Tucker: z - y is the same where y > 0, and smaller elsewhere.
    tau = np.max(z - y, axis=axis, keepdims=True)
    np.testing.assert_allclose((z - y)[y > 0], np.broadcast_to(tau, z.shape)[y > 0])


def test_hard_sigmoid_knows_the_slope_of_keras_2():
    x = np.array([-3.0, -1.0, 0.0, 2.0, 2.6])
    np.testing.assert_allclose(activations.HardSigmoid(slope=0.2)(x), np.clip(0.2 * x + 0.5, 0, 1))


def test_gelu_is_exact_in_the_tails():
    x = np.array([-12.0, -10.0, -6.0, -5.0])
    expected = [-2.131778534493215e-32, -7.619853024160525e-23, -5.9195258702261885e-09, -1.4332578593959695e-06]
    np.testing.assert_allclose(activations.gelu(x), expected, rtol=1e-9)

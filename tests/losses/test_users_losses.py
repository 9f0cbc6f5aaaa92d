"""Losses that users write over ``ops``: values alone, of which the tape gives the gradient."""

import numpy as np
import pytest

import distnet as keras
from distnet import losses, ops
from distnet.errors import ArgumentError


def squares(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


def one_number(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred))


def similarities(y_true, y_pred):
    return ops.mean(ops.square(ops.matmul(y_pred, ops.transpose(y_pred))), axis=1)


class Scaled(losses.Loss):
    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, y_true, y_pred):
        return self.factor * squares(y_true, y_pred)


def of_pair(function):
    y_true, y_pred = np.random.default_rng(0).normal(size=(2, 5, 3))
    return losses.LOSSES.get(function).mean_and_gradient(y_true, y_pred, None, 5), y_true, y_pred


@pytest.mark.parametrize("function", [squares, one_number, Scaled(0.5), lambda t, p: ops.square(t - p)])
def test_the_gradient_is_derived(function):
    (value, gradient), y_true, y_pred = of_pair(function)
    factor = getattr(function, "factor", 1.0)
    assert value == pytest.approx(factor * np.mean((y_true - y_pred) ** 2))
    np.testing.assert_allclose(gradient, factor * 2 * (y_pred - y_true) / 15, rtol=1e-12)


def test_rows_may_be_coupled():
    (value, gradient), _, y_pred = of_pair(similarities)
    products = y_pred @ y_pred.T
    assert value == pytest.approx(np.mean(products**2))
    np.testing.assert_allclose(gradient, 4 * products @ y_pred / 25, rtol=1e-12)


def test_a_call_gives_the_reduced_loss():
    y_true, y_pred = np.zeros((2, 1), "float32"), np.array([[1.0], [3.0]], "float32")
    assert losses.LOSSES.get(squares)(y_true, y_pred) == 5.0
    assert Scaled(reduction="sum")(y_true, y_pred, sample_weight=[1.0, 0.0]) == 2.0
    np.testing.assert_array_equal(Scaled(reduction=None)(y_true, y_pred), [2.0, 18.0])


def test_a_column_fits_a_vector_of_targets():
    assert losses.LOSSES.get(squares)(np.array([1.0, 2.0]), np.array([[1.0], [2.0]])) == 0.0


def test_a_loss_without_a_gradient_trains_nothing():
    assert not of_pair(lambda y_true, y_pred: ops.mean(y_true))[0][1].any()
    assert not of_pair(lambda y_true, y_pred: 1.0)[0][1].any()


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda t, p: np.mean((t - p) ** 2), r"loss <?lambda>?: numpy.mean was called on a tensor.*ops.mean"),
        (lambda t, p: np.exp(p), "loss <?lambda>?: numpy.exp .*Use ops.exp"),
        (lambda t, p: None, "loss <?lambda>?: expected one value for each row, or one number, received None"),
        (lambda t, p: "low", "received 'low'"),
        (losses.Loss(name="bare"), r"bare: expected a method call\(y_true, y_pred\)"),
    ],
)
def test_what_is_wrong_is_said_by_name(function, words):
    with pytest.raises(ArgumentError, match=words):
        of_pair(function)


def test_a_model_trains_with_it():
    x = np.random.default_rng(1).random((20, 2))

    def losses_of(loss, **options):
        keras.utils.set_random_seed(3)
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, activation="tanh")])
        model.compile("sgd", loss)
        return model.fit(x, x @ np.ones((2, 3)), epochs=3, verbose=0, batch_size=8, **options).history["loss"]

    weight = np.linspace(0, 1, 20)
    np.testing.assert_allclose(losses_of(squares), losses_of("mse"), rtol=1e-6)
    np.testing.assert_allclose(losses_of(one_number), losses_of("mse"), rtol=1e-6)
    np.testing.assert_allclose(
        losses_of(squares, sample_weight=weight), losses_of("mse", sample_weight=weight), rtol=1e-6
    )

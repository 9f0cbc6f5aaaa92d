"""Losses and metrics of placeholders: models that compute them give what the functions give for arrays."""

from __future__ import annotations

import numpy as np
import pytest

import distnet as keras
from distnet import losses, metrics
from distnet.errors import ArgumentError, ShapeError
from distnet.losses.made_function import MadeFunction

RNG = np.random.default_rng(0)
P = RNG.random((6, 4)) + 0.1
P /= P.sum(axis=1, keepdims=True)
Z = RNG.normal(size=(6, 4))
T = np.eye(4)[RNG.integers(0, 4, 6)]
SIGNS = 2.0 * T - 1.0
LABELS = T.argmax(axis=1)
OF_LABELS = {
    "sparse_categorical_crossentropy": [{}, {"from_logits": True}, {"ignore_class": 1}, {"axis": 1}],
    "categorical_generalized_cross_entropy": [{"q": 0.7}],
    "sparse_categorical_accuracy": [{}],
    "sparse_top_k_categorical_accuracy": [{"k": 2}],
}
OPTIONS = {
    "binary_crossentropy": [{"from_logits": True}, {"label_smoothing": 0.2}],
    "categorical_crossentropy": [{"from_logits": True}, {"label_smoothing": 0.2}],
    "binary_focal_crossentropy": [{"from_logits": True, "apply_class_balancing": True}],
    "categorical_focal_crossentropy": [{"from_logits": True}, {"alpha": [0.1, 0.2, 0.3, 0.4]}],
    "huber": [{"delta": 0.3}],
    "cosine_similarity": [{"axis": 1}],
    "binary_accuracy": [{"threshold": 0.3}],
    "top_k_categorical_accuracy": [{"k": 2}],
    "dice": [{"axis": 1}],
    "tversky": [{"axis": 1, "alpha": 0.3, "beta": 0.7}],
}
REFUSED = {"circle", "ctc"}
OF_THE_BATCH = {"dice", "tversky"}


def functions():
    """Every function of losses and metrics by its own name."""
    named = {**vars(metrics), **vars(losses)}
    return {f.__name__: f for f in named.values() if isinstance(f, MadeFunction)}


def cases():
    for name, function in sorted(functions().items()):
        if name in OF_LABELS:
            for options in OF_LABELS[name]:
                yield name, function, LABELS, options
                yield name, function, LABELS[:, None].astype("float64"), options
        elif name not in REFUSED:
            targets = [T, SIGNS] if "hinge" in name else [T]
            usual = [] if name in OF_THE_BATCH else [{}]
            for options in [*usual, *OPTIONS.get(name, [])]:
                for t in targets:
                    yield name, function, t, options


@pytest.fixture(autouse=True)
def in_double_precision():
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx("float32")


@pytest.mark.parametrize(("name", "function", "targets", "options"), list(cases()))
def test_a_model_of_a_function_gives_what_it_gives_for_arrays(name, function, targets, options):
    y_pred = Z if options.get("from_logits") or "hinge" in name else P
    t, p = keras.Input(targets.shape[1:], dtype=str(targets.dtype)), keras.Input(y_pred.shape[1:])
    values = function(t, p, **options)
    expected = function(targets, y_pred, **options)
    assert values.shape == (None, *expected.shape[1:])
    model = keras.models.model_from_json(keras.Model([t, p], values).to_json())
    np.testing.assert_allclose(model.predict([targets, y_pred], verbose=0), expected, rtol=1e-12, atol=1e-14)


def test_there_is_a_case_of_every_function():
    assert {name for name, *_ in cases()} | REFUSED == set(functions())


def test_an_array_beside_a_placeholder_is_a_constant():
    p = keras.Input((4,), batch_size=6)
    model = keras.Model(p, losses.mean_squared_error(T.tolist(), p))
    np.testing.assert_allclose(model.predict(P, batch_size=6, verbose=0), losses.mean_squared_error(T, P), rtol=1e-14)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_keras_has_no_operations_for_is_refused(name):
    with pytest.raises(ArgumentError, match=f"{name}: expected arrays, .* received a placeholder"):
        functions()[name](keras.Input((1,)), keras.Input((4,)))


def test_shapes_that_do_not_fit_are_refused_where_the_function_is_called():
    with pytest.raises(ShapeError, match="mean_squared_error: expected y_true of the shape"):
        losses.mean_squared_error(keras.Input((1,)), keras.Input((4,)))
    with pytest.raises(ShapeError, match="sparse_categorical_crossentropy: expected y_true of shape"):
        losses.sparse_categorical_crossentropy(keras.Input((4,)), keras.Input((4,)))


class Cubed(losses.Loss):
    def call(self, y_true, y_pred):
        return keras.ops.mean(keras.ops.power(y_pred - y_true, 3), axis=-1)


@pytest.mark.parametrize("cls", [losses.MeanAbsoluteError, Cubed])
def test_a_loss_object_reduces_over_all_rows_as_in_keras_2(cls):
    """A model whose output the loss enters gives the loss of the global batch."""
    t, p = keras.Input((4,)), keras.Input((4,))
    outputs = [p[:, 0] * 0 + cls(reduction=reduction)(t, p) for reduction in ("sum", "mean", "none")]
    summed, mean, each = keras.Model([t, p], outputs).predict([T, P], batch_size=6, verbose=0)
    np.testing.assert_allclose(summed, [cls(reduction="sum")(T, P)] * 6, rtol=1e-13)
    np.testing.assert_allclose(mean, [cls()(T, P)] * 6, rtol=1e-13)
    np.testing.assert_allclose(each, cls(reduction="none")(T, P), rtol=1e-13)


def test_a_loss_object_of_which_not_all_values_count_alike_is_refused():
    t, p = keras.Input(()), keras.Input((4,))
    with pytest.raises(ArgumentError, match="without weights and masks, of which every value counts"):
        losses.SparseCategoricalCrossentropy(ignore_class=0)(t, p)
    with pytest.raises(ArgumentError, match="without weights and masks"):
        losses.MeanSquaredError()(p, p, sample_weight=T[:, 0])

"""CTC, and Circle whose values depend on several rows."""

import itertools

import numpy as np
import pytest

from distnet import Input, Sequential, layers, losses
from distnet.errors import ArgumentError, DataError, ShapeError
from distnet.utils.gradients import numerical_gradient

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(4, 5, 3))
LABELS = np.array([[1, 2, 0], [1, 1, 0], [2, 1, 2], [0, 0, 0]])
UNIT = RNG.normal(size=(7, 3))
UNIT /= np.linalg.norm(UNIT, axis=1, keepdims=True)
OF_UNIT = np.array([0, 0, 1, 1, 1, 2, 0])


def probability(labels, logits):
    """Sum over every way to say a label or a blank at each step."""
    share = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    total = 0.0
    for said in itertools.product(range(logits.shape[1]), repeat=len(logits)):
        merged = [c for i, c in enumerate(said) if c != 0 and (i == 0 or said[i - 1] != c)]
        if merged == [c for c in labels if c]:
            total += np.prod([share[t, c] for t, c in enumerate(said)])
    return total


def test_ctc_is_the_sum_over_all_ways_to_say_the_labels():
    expected = [-np.log(probability(labels, logits)) for labels, logits in zip(LABELS, LOGITS, strict=True)]
    np.testing.assert_allclose(losses.ctc(LABELS, LOGITS), expected, rtol=1e-12)
    assert losses.CTC()(LABELS, LOGITS) == pytest.approx(np.mean(expected), rel=1e-12)


def test_ctc_s_gradient_is_that_of_central_differences():
    logits = LOGITS.copy()
    gradient = losses.ctc.values_and_gradient(LABELS, logits)[1]
    expected = numerical_gradient(lambda: float(losses.ctc(LABELS, logits).sum()), logits)
    np.testing.assert_allclose(gradient, expected, atol=1e-8)


def test_ctc_of_too_few_steps_is_large_and_finite():
    value, gradient = losses.ctc.values_and_gradient([[1, 1, 1]], LOGITS[:1, :3].astype("float32"))
    assert 9e4 < value[0] < 3e5  # Keras 3.15 gives 1e5 for each step that is missing
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("labels", [[[3]], [[-1]], [[0.5]]])
def test_a_label_that_is_no_class_is_named(labels):
    with pytest.raises(DataError, match="class numbers from 1 to 2"):
        losses.ctc(labels, LOGITS[:1])


def test_shapes_that_are_no_sequences_are_refused():
    for y_true, y_pred in (([1, 2], LOGITS[:2]), (LABELS, LOGITS[:, 0]), (LABELS[:2], LOGITS)):
        with pytest.raises(ShapeError, match=r"labels \(N, L\) and logits \(N, T, C\)"):
            losses.ctc(y_true, y_pred)


@pytest.mark.parametrize("loss", [losses.CTC(), losses.Circle(gamma=5.0), losses.Circle(remove_diagonal=False)])
def test_they_are_saved_and_train(loss):
    again = losses.deserialize(losses.serialize(loss))
    assert again.get_config() == loss.get_config()
    is_ctc = isinstance(loss, losses.CTC)
    head = layers.Dense(3) if is_ctc else layers.UnitNormalization()
    model = Sequential([Input((5, 3) if is_ctc else (3,)), layers.Dense(3), head])
    model.compile("adam", loss)
    x, y = (LOGITS, LABELS) if is_ctc else (UNIT, OF_UNIT)
    history = model.fit(x, y, epochs=8, verbose=0, shuffle=False).history["loss"]
    assert history[-1] < history[0]


def test_circle_has_keras_s_values():
    # Keras 3.15 on JAX in float64.
    expected = [6.5249829348, 5.347206885, 6.3151918301, 6.7991246989, 4.2398787603, 0.0, 5.4665620296]
    np.testing.assert_allclose(losses.circle(OF_UNIT, UNIT, gamma=2.0, margin=0.4), expected, rtol=1e-8)
    # Rows without neighbours of one kind do not count in the mean.
    assert losses.Circle(gamma=2.0)(OF_UNIT, UNIT) == pytest.approx(np.sum(expected) / 6, rel=1e-8)


@pytest.mark.parametrize("options", [{}, {"gamma": 5.0, "margin": 0.25}, {"remove_diagonal": False}])
def test_circle_s_gradient_is_that_of_central_differences(options):
    embeddings = UNIT.copy()
    gradient = losses.circle.values_and_gradient(OF_UNIT, embeddings, **options)[1]
    expected = numerical_gradient(lambda: float(losses.circle(OF_UNIT, embeddings, **options).sum()), embeddings)
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-5)


def test_sample_weights_in_training_with_circle_are_refused():
    with pytest.raises(ArgumentError, match="depend on several rows"):
        losses.Circle().sum_and_gradient(OF_UNIT, UNIT, np.ones(7))

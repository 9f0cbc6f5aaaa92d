"""Jacobians, and what else a ``GradientTape`` of TensorFlow offers: values, ranks, refusals."""

import numpy as np
import pytest

import distnet
from distnet import ops
from distnet.errors import ArgumentError
from distnet.ops.tensor import Rows, Tensor
from distnet.variables import Variable
from ranks_of_threads import as_ranks

RNG = np.random.default_rng(0)
X, W, B = RNG.normal(size=(5, 3)), RNG.normal(size=(3, 2)), RNG.normal(size=2)
CUTS = (0, 3, 3, 5)
Y = np.tanh(X @ W + B)
BY_ROW = (1 - Y**2)[:, :, None] * W.T
"""(N, Y, X): how each row of ``tanh(x w + b)`` changes with the same row of x."""


def weights():
    return Variable("w", "layer/w", W.copy()), Variable("b", "layer/b", B.copy())


def jacobians(x):
    """Those of ``tanh(x w + b)`` by w, b and x, row by row, and that of the sum of its squares."""
    w, b = weights()
    with distnet.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = ops.tanh(ops.matmul(x, w) + b)
        s = ops.sum(ops.square(y))
    by_w, by_b, by_x = tape.jacobian(y, [w, b, x])
    made = by_w, by_b, by_x, tape.batch_jacobian(y, x), tape.jacobian(s, {"x": x})["x"]
    return [np.array(j.numpy()) for j in made]


def expected():
    by_w = np.einsum("ny,ni,yk->nyik", 1 - Y**2, X, np.eye(2))
    by_b = np.einsum("ny,yk->nyk", 1 - Y**2, np.eye(2))
    by_x = np.einsum("nyi,nm->nymi", BY_ROW, np.eye(5))
    return by_w, by_b, by_x, BY_ROW, np.einsum("nyi,ny->ni", BY_ROW, 2 * Y)


def test_each_entry_has_its_gradient():
    for made, value in zip(jacobians(ops.convert_to_tensor(X)), expected(), strict=True):
        np.testing.assert_allclose(made, value, rtol=1e-12, atol=1e-12)


def test_ranks_have_those_of_the_whole(monkeypatch):
    def program(ranks):
        first, end = CUTS[ranks.rank : ranks.rank + 2]
        return jacobians(Tensor(X[first:end].copy(), rows=Rows(5, first, end - first)))

    for own in as_ranks(3, program, monkeypatch):
        for made, value in zip(own, expected(), strict=True):
            np.testing.assert_allclose(made, value, rtol=1e-12, atol=1e-12)


def test_they_are_followed_by_another_tape():
    w, _ = weights()
    x = ops.convert_to_tensor(X)
    with distnet.GradientTape() as outer:
        outer.watch(x)
        with distnet.GradientTape() as inner:
            inner.watch(x)
            y = ops.exp(x) * x
        penalty = ops.sum(ops.square(inner.batch_jacobian(y, x)))
    np.testing.assert_allclose(outer.gradient(penalty, x), 2 * np.exp(2 * X) * (1 + X) * (2 + X), rtol=1e-10)
    with distnet.GradientTape() as outer:
        with distnet.GradientTape() as inner:
            cubes = ops.sum(w**3)
        slope = inner.gradient(cubes, w)
    np.testing.assert_allclose(outer.jacobian(slope, w).reshape(6, 6), np.diag(6 * W.ravel()), atol=1e-12)


def test_what_a_target_does_not_depend_on_has_none_or_zeros():
    w, b = weights()
    with distnet.GradientTape(persistent=True) as tape:
        y = ops.square(b)
    assert tape.jacobian(y, w) is None
    assert tape.jacobian(y, [w, b], unconnected_gradients="zero")[0].shape == (2, 3, 2)
    assert tape.jacobian(y[:0], w) is None
    with pytest.raises(ArgumentError, match="expected unconnected_gradients of"):
        tape.gradient(y, w, unconnected_gradients="ones")
    with pytest.raises(ArgumentError, match=r"equally many rows, received shapes \(2,\) and \(3, 2\)"):
        tape.batch_jacobian(y, w)


def test_only_one_question_is_answered_without_persistent():
    w, _ = weights()
    with distnet.GradientTape() as tape:
        y = ops.square(w)
    tape.jacobian(y, w)
    with pytest.raises(ArgumentError, match=r"tape\.batch_jacobian: was called before"):
        tape.batch_jacobian(y, w)


def test_a_reset_tape_takes_what_came_before_as_constant():
    w, b = weights()
    with distnet.GradientTape(persistent=True) as tape:
        before = ops.sum(w * w)
        tape.reset()
        after = before + ops.sum(b * 3.0)
    np.testing.assert_array_equal(tape.gradient(after, b), [3.0, 3.0])
    assert tape.gradient(after, [w, before]) == [None, None]
    assert tape.gradient(before, w) is None
    assert list(map(id, tape.watched_variables())) == [id(b)]


def test_a_tape_may_watch_only_what_it_is_told_to():
    w, b = weights()
    x = ops.convert_to_tensor(X)
    with distnet.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(w)
        y = ops.sum(ops.matmul(x, w) + b)
    by_w, by_b = tape.gradient(y, [w, b])
    np.testing.assert_allclose(by_w, np.repeat(X.sum(0)[:, None], 2, 1), rtol=1e-12)
    assert by_b is None
    assert list(map(id, tape.watched_variables())) == [id(w)]

"""Branches, loops, and functions with gradients of one's own: as Python's, with gradients through them."""

import numpy as np
import pytest

import distnet
from distnet import ops
from distnet.errors import ArgumentError, ShapeError
from distnet.ops.tensor import Rows, Tensor
from ranks_of_threads import as_ranks

X = np.array([[0.5, -1.0], [2.0, 0.25], [-0.75, 1.5]])
LOOPS = {
    "cond": (lambda x: ops.cond(ops.sum(x) > 0, lambda: x * x, lambda: x), lambda x: x * x),
    "switch": (lambda x: ops.switch(9, [lambda a: a, lambda a: 3.0 * a], x), lambda x: 3.0 * x),
    "fori_loop": (lambda x: ops.fori_loop(0, 3, lambda i, v: v * x + i, x), lambda x: ((x * x) * x + 1) * x + 2),
    "while_loop": (
        lambda x: ops.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, v * x), (0, x))[1],
        lambda x: x**4,
    ),
    "while_loop at most": (
        lambda x: ops.while_loop(lambda v: True, lambda v: v * x, x, maximum_iterations=2),
        lambda x: x**3,
    ),
    "scan": (lambda x: ops.scan(lambda c, a: (c * a, c + a), x[0], x)[1][2], lambda x: x[0] * x[0] * x[1] + x[2]),
    "scan from the end": (
        lambda x: ops.scan(lambda c, a: (c * a["x"], c), x[0], {"x": x}, reverse=True)[1][0],
        lambda x: x[0] * x[2] * x[1],
    ),
    "scan of a length": (lambda x: ops.scan(lambda c, _: (c * x, None), x, length=2)[0], lambda x: x**3),
    "associative_scan": (lambda x: ops.associative_scan(lambda a, b: a * b, x)[2], lambda x: x[0] * x[1] * x[2]),
    "associative_scan from the end": (
        lambda x: ops.associative_scan(lambda a, b: (a[0] * b[0],), (x,), reverse=True, axis=1)[0][:, 0],
        lambda x: x[:, 0] * x[:, 1],
    ),
    "map": (lambda x: ops.map(lambda row: row * row, x), lambda x: x * x),
    "vectorized_map": (
        lambda x: ops.vectorized_map(lambda pair: pair[0] * pair[1], (x, x[:, 0])),
        lambda x: x * x[:, :1],
    ),
    "vectorize": (lambda x: ops.vectorize(lambda a, b: a * b)(x, x[0]), lambda x: x * x[0]),
}  # fmt: skip


def gradient(function):
    """The value, and the gradient of the sum of its squares."""
    x = ops.convert_to_tensor(X)
    with ops.GradientTape() as tape:
        tape.watch(x)
        y = function(x.followed)
        total = ops.sum(y * y)
    return np.asarray(ops.convert_to_numpy(y)), tape.gradient(total, x)


@pytest.mark.parametrize("name", LOOPS)
def test_loops_are_those_of_python_with_their_gradients(name):
    (y, dx), (expected, slope) = (gradient(function) for function in LOOPS[name])
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    np.testing.assert_allclose(dx, slope, rtol=1e-12)


@pytest.mark.parametrize("name", [*LOOPS, "custom_gradient"])
def test_loops_over_rows_that_are_spread_are_those_of_the_whole(name, monkeypatch):
    stated = ops.custom_gradient(lambda x: (x * ops.mean(x, axis=0), lambda upstream: upstream * ops.mean(x, axis=0)))
    function = LOOPS[name][0] if name in LOOPS else stated
    y, dx = gradient(function)

    def program(ranks):
        first, end = (0, 2, 2, 3)[ranks.rank : ranks.rank + 2]
        x = Tensor(X[first:end].copy(), rows=Rows(3, first, end - first))
        with ops.GradientTape() as tape:
            tape.watch(x)
            own = function(x)
            total = ops.sum(own * own)
        return ops.convert_to_numpy(own), ops.convert_to_numpy(tape.gradient(total, x))

    for own, slope in as_ranks(3, program, monkeypatch):
        np.testing.assert_allclose(own, y, rtol=1e-12)
        np.testing.assert_allclose(slope, dx, rtol=1e-12)


def test_a_stated_gradient_is_used_and_can_be_differentiated():
    @ops.custom_gradient
    def stated(x, y):
        e = ops.exp(x)
        return e * y, lambda upstream: (upstream * e, None)

    x, y = ops.convert_to_tensor(X), ops.convert_to_tensor(X)
    with ops.GradientTape() as outer:
        outer.watch([x, y])
        with ops.GradientTape() as inner:
            inner.watch([x, y])
            z = stated(x, y)
        dx, dy = inner.gradient(z, [x, y])
    assert dy is None
    np.testing.assert_allclose(np.asarray(ops.convert_to_numpy(dx)), np.exp(X))
    np.testing.assert_allclose(outer.gradient(dx, x), np.exp(X))


def test_a_stated_gradient_names_a_wrong_number():
    stated = ops.custom_gradient(lambda x, y: (x * y, lambda upstream: upstream))
    x = ops.convert_to_tensor(X)
    with ops.GradientTape() as tape:
        tape.watch(x)
        z = stated(x, x)
    with pytest.raises(ArgumentError, match=r"custom_gradient: expected the gradients of 2 arguments, received 1"):
        tape.gradient(z, x)


def test_jvp_is_the_change_along_a_direction():
    direction = np.linspace(-1.0, 1.0, X.size).reshape(X.shape)
    value, change, extra = ops.jvp(lambda x: (ops.exp(x) * ops.sum(x), "extra"), (X,), (direction,), has_aux=True)
    np.testing.assert_allclose(ops.convert_to_numpy(value), np.exp(X) * X.sum())
    np.testing.assert_allclose(
        ops.convert_to_numpy(change), np.exp(X) * direction * X.sum() + np.exp(X) * direction.sum()
    )
    assert extra == "extra"


def test_what_no_loop_can_be_is_refused_by_name():
    x = distnet.Input((3,))
    with pytest.raises(ShapeError, match=r"Cond of \[\(\)\] cannot be computed: a function uses placeholders"):
        ops.cond(ops.sum(x) > 0, lambda: x, lambda: x)
    with pytest.raises(ArgumentError, match=r"ops.scan: expected one step at least"):
        ops.scan(lambda c, x: (c, x), 0.0, length=0)

"""``GradientTape``: what it watches, and what it refuses."""

import gc
import operator
import threading
import weakref

import numpy as np
import pytest

import distnet
from distnet import ops
from distnet.errors import ArgumentError
from distnet.ops.tensor import Tensor
from distnet.variables import Variable


def variable(*values, trainable=True):
    return Variable("w", "layer/w", np.array(values, np.float64), trainable=trainable)


def gradient(function, *sources):
    with distnet.GradientTape() as tape:
        y = function(*sources)
    return tape.gradient(y, list(sources))


def test_weights_are_watched_without_being_told_to():
    w, b = variable(1.0, 2.0), variable(3.0, 4.0)
    dw, db = gradient(lambda w, b: ops.sum(w * w * b), w, b)
    np.testing.assert_array_equal(dw, [6.0, 16.0])
    np.testing.assert_array_equal(db, [1.0, 4.0])


def test_what_the_target_does_not_depend_on_has_no_gradient():
    w, other = variable(1.0), variable(1.0)
    assert gradient(lambda w, other: ops.sum(w), w, other)[1] is None
    with distnet.GradientTape() as tape:
        y = ops.sum(w)
    np.testing.assert_array_equal(tape.gradient(y, other, unconnected_gradients="zero"), [0.0])


def test_steps_stop_gradients():
    w = variable(1.5)
    assert gradient(lambda w: ops.sum(ops.floor(w)), w) == [None]
    assert gradient(lambda w: ops.sum(ops.stop_gradient(w)), w) == [None]


def test_gradients_by_tensors_in_the_middle():
    w = variable(3.0)
    with distnet.GradientTape() as tape:
        middle = w * 2.0
        y = ops.sum(middle * middle)
    assert tape.gradient(y, middle).tolist() == [12.0]


def test_results_of_functions_are_watched():
    x = ops.convert_to_tensor(np.array([1.0, 2.0]))
    with distnet.GradientTape() as tape:
        tape.watch(x)
        y = ops.sum(x**3)
    assert tape.gradient(y, x).tolist() == [3.0, 12.0]
    with pytest.raises(ArgumentError, match="convert_to_tensor"):
        tape.watch(np.ones(2))


def test_several_targets_are_summed_and_structures_kept():
    w, b = variable(2.0), variable(5.0)
    with distnet.GradientTape() as tape:
        targets = [ops.sum(w * b), {"second": ops.sum(w)}]
    made = tape.gradient(targets, {"w": w, "nest": (b,)})
    assert made["w"].tolist() == [6.0]
    assert made["nest"][0].tolist() == [2.0]


def test_output_gradients_weight_the_target():
    w = variable(1.0, 2.0)
    with distnet.GradientTape() as tape:
        y = w * w
    assert tape.gradient(y, w, output_gradients=np.array([1.0, 10.0])).tolist() == [2.0, 40.0]


def test_only_a_persistent_tape_is_asked_twice():
    w = variable(2.0)
    with distnet.GradientTape(persistent=True) as tape:
        square = ops.sum(w * w)
        cube = ops.sum(w * w * w)
    assert tape.gradient(square, w).tolist() == [4.0]
    assert tape.gradient(cube, w).tolist() == [12.0]
    with distnet.GradientTape() as once:
        y = ops.sum(w)
    once.gradient(y, w)
    with pytest.raises(ArgumentError, match="persistent"):
        once.gradient(y, w)


def test_nothing_is_recorded_while_recording_is_stopped():
    w = variable(2.0)
    with distnet.GradientTape() as tape:
        with tape.stop_recording():
            factor = w * 3.0
        y = ops.sum(w * factor)
    assert tape.gradient(y, w).tolist() == [6.0]


def test_gradients_of_gradients_of_gradients():
    w = variable(2.0)
    with distnet.GradientTape() as third, distnet.GradientTape() as second:
        with distnet.GradientTape() as first:
            y = ops.sum(w**4)
        dy = first.gradient(y, w)
        ddy = second.gradient(dy, w)
    assert dy.numpy().tolist() == [32.0]
    assert ddy.numpy().tolist() == [48.0]
    assert third.gradient(ddy, w).tolist() == [48.0]


def test_a_weight_changed_in_between_is_refused_by_name():
    w = variable(2.0)
    with distnet.GradientTape() as tape:
        y = ops.sum(w * w)
    w.assign([3.0])
    with pytest.raises(ArgumentError, match="'layer/w' was changed"):
        tape.gradient(y, w)


@pytest.mark.parametrize("view", [ops.transpose, lambda w: ops.reshape(w, (1, 2)), lambda w: w[:, None]])
def test_a_weight_changed_in_between_is_refused_also_where_a_view_of_it_was_used(view):
    w, x = variable(2.0, 3.0), ops.convert_to_tensor([[5.0, 7.0]])
    with distnet.GradientTape() as tape:
        tape.watch(x)
        y = ops.sum(x * view(w))
    w.assign([4.0, 4.0])
    with pytest.raises(ArgumentError, match="'layer/w' was changed"):
        tape.gradient(y, x)


@pytest.mark.parametrize("is_in_a_model", [True, False])
def test_a_weight_updated_in_between_is_refused_by_name(is_in_a_model):
    if is_in_a_model:
        w = distnet.Sequential([distnet.Input((2,)), distnet.layers.Dense(1, use_bias=False)]).weights[0]
    else:
        w = variable([2.0])
    with distnet.GradientTape(persistent=True) as tape:
        y = ops.sum(w * w)
    distnet.optimizers.SGD().apply_gradients([(tape.gradient(y, w), w)])
    with pytest.raises(ArgumentError, match="was changed"):
        tape.gradient(y, w)


def test_state_may_change_in_between():
    w, state = variable(2.0), variable(5.0, trainable=False)
    with distnet.GradientTape() as tape:
        y = ops.sum(w * state)
        state.assign([7.0])
    assert tape.gradient(y, w).tolist() == [5.0]


def test_threads_record_by_themselves():
    w, kinds = variable(2.0), []
    with distnet.GradientTape():
        thread = threading.Thread(target=lambda: kinds.append(type(w * 2.0)))
        thread.start()
        thread.join()
        kinds.append(type(w * 2.0))
    assert kinds == [np.ndarray, Tensor]


def test_what_was_recorded_is_freed_without_the_garbage_collector():
    w = variable(1.0, 2.0)
    gc.disable()
    try:
        with distnet.GradientTape() as tape:
            middle = ops.tanh(w * 2.0)
            y = ops.sum(middle)
        alive = weakref.ref(middle)
        tape.gradient(y, w)
        del middle, y, tape
        assert alive() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("by_numpy", "by_ops"),
    [
        (np.exp, ops.exp),
        (lambda x: np.mean(x, axis=0, keepdims=True), lambda x: ops.mean(x, axis=0, keepdims=True)),
        (lambda x: np.clip(x, -0.5, 0.5), lambda x: ops.clip(x, -0.5, 0.5)),
        (lambda x: np.squeeze(x[None]), lambda x: x),
        (lambda x: np.concatenate([x, 2.0 * x], axis=1), lambda x: ops.concatenate([x, 2.0 * x], axis=1)),
        (lambda x: np.where(x > 0, x, 0.1 * x), lambda x: ops.where(x > 0, x, 0.1 * x)),
        (lambda x: np.linalg.norm(x, axis=1), lambda x: ops.norm(x, axis=1)),
    ],
)
def test_functions_of_numpy_on_what_a_tape_follows_are_those_of_ops(by_numpy, by_ops):
    w = variable(*np.linspace(-1.0, 1.5, 6))
    made = []
    for function in (by_numpy, by_ops):
        with distnet.GradientTape() as tape:
            y = ops.sum(ops.square(function(ops.reshape(w, (2, 3)))))
        made.append((float(y), np.asarray(tape.gradient(y, w))))
    assert made[0][0] == made[1][0]
    np.testing.assert_array_equal(made[0][1], made[1][1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: np.interp(1.5, x, x), r"numpy\.interp was called"),
        (lambda x: np.exp(x, out=np.zeros(3)), r"Use ops\.exp"),
        (lambda x: np.sum(x, 0, np.float32), r"Use ops\.sum"),
        (lambda x: np.add.reduce(x), r"numpy\.add was called"),
    ],
)
def test_functions_of_numpy_that_ops_lack_are_refused(call, message):
    w = variable(1.0, 2.0, 3.0)
    with distnet.GradientTape(), pytest.raises(ArgumentError, match=message):
        call(w * 1.0)


def test_an_array_of_what_a_tape_follows_is_its_values():
    w = variable(0.25, 0.75)
    with distnet.GradientTape() as tape:
        shares = ops.softmax(w * 1.0)
        picked = np.random.default_rng(0).choice(2, p=np.array(shares) / np.sum(np.asarray(shares)))
        y = ops.log(shares[picked])
    np.testing.assert_allclose(tape.gradient(y, w), np.eye(2)[picked] - np.asarray(shares), atol=1e-12)


@pytest.mark.parametrize("function", [np.exp, np.asarray, np.squeeze])
def test_numpy_in_a_layer_within_a_tape_is_refused(function):
    class Own(distnet.layers.Layer):
        def call(self, x):
            return x * function(x)

    with distnet.GradientTape(), pytest.raises(ArgumentError, match="own[_0-9]*: in call: .* was called on a tensor"):
        Own()(np.ones((2, 3)))


@pytest.mark.parametrize("operate", [operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ipow])
def test_a_result_is_updated_by_a_tensor(operate):
    w = variable(0.5, 2.0)
    before = ops.ones(2, "float64") * 3.0
    with distnet.GradientTape() as tape:
        y = operate(before, w * 1.0)
    slope = tape.gradient(y, w)
    with distnet.GradientTape() as tape:
        expected = getattr(operator, operate.__name__.removeprefix("i"))(np.full(2, 3.0), w * 1.0)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(slope, tape.gradient(expected, w))
    before += 1.0
    np.testing.assert_array_equal(before, [4.0, 4.0])

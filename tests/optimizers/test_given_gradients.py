"""Steps with gradients that are handed over: ``apply_gradients``, ``apply`` and ``minimize``."""

from __future__ import annotations

import numpy as np
import pytest

from distnet import GradientTape, ops
from distnet.constraints import NonNeg
from distnet.errors import ArgumentError, ShapeError
from distnet.optimizers import SGD, Adam, MultiOptimizer, Optimizer, OptimizerMap
from distnet.variables import Variable, VariableStore

SHAPES = [(3, 4), (4,), (4, 2), (2,)]


def made_variables() -> list[Variable]:
    rng = np.random.default_rng(0)
    return [Variable(f"v{i}", f"v{i}", rng.normal(size=shape)) for i, shape in enumerate(SHAPES)]


def made_gradients(seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in SHAPES]


@pytest.mark.parametrize("lies_in_one_piece", [True, False])
@pytest.mark.parametrize("optimizer", [Adam(0.1), SGD(0.1, momentum=0.9), Adam(0.1, clipnorm=0.5)], ids=repr)
def test_steps_are_those_of_a_store(optimizer: Optimizer, lies_in_one_piece: bool) -> None:
    expected, given = made_variables(), made_variables()
    store, twin = VariableStore(expected, "float64"), type(optimizer).from_config(optimizer.get_config())
    optimizer = type(optimizer).from_config(optimizer.get_config())
    if lies_in_one_piece:
        VariableStore(given, "float64")
    for step in range(3):
        gradients = made_gradients(step)
        for span, gradient in zip(store.spans, gradients, strict=True):
            span.variable.grad[...] = gradient
        twin.apply(store)
        optimizer.apply_gradients(zip(gradients, given, strict=True))
    for a, b in zip(expected, given, strict=True):
        np.testing.assert_allclose(b.value, a.value, rtol=1e-14)
    assert optimizer.iterations == 3


def test_each_variable_keeps_its_slots_whichever_are_stepped() -> None:
    variables, optimizer = made_variables(), SGD(0.1, momentum=0.9)
    values, velocities = [v.numpy() for v in variables], [np.zeros(shape) for shape in SHAPES]
    for step, chosen in enumerate([(0, 1), (2, 3), (3, 0), (0, 1, 2, 3), (1,)]):
        gradients = made_gradients(step)
        optimizer.apply([gradients[i] for i in chosen], [variables[i] for i in chosen])
        for i in chosen:
            velocities[i] = 0.9 * velocities[i] - 0.1 * gradients[i]
            values[i] = values[i] + velocities[i]
    for value, variable in zip(values, variables, strict=True):
        np.testing.assert_allclose(variable.value, value, rtol=1e-13)
    assert optimizer.iterations == 5


def test_an_optimizer_built_for_variables_takes_gradients_alone() -> None:
    variables, optimizer = made_variables(), SGD(1.0)
    optimizer.build(variables)
    before = variables[1].numpy()
    optimizer.apply([np.ones(shape) for shape in SHAPES])
    np.testing.assert_allclose(variables[1].value, before - 1)


def test_constraints_hold_after_a_step() -> None:
    variable = Variable("w", "w", np.array([0.5, 2.0]), constraint=NonNeg())
    SGD(1.0).apply([np.ones(2)], [variable])
    np.testing.assert_array_equal(variable.value, [0, 1])


def test_a_variable_without_a_gradient_stays_with_a_warning() -> None:
    variables = made_variables()[:2]
    before = variables[0].numpy()
    with pytest.warns(UserWarning, match="no gradients for"):
        SGD(1.0).apply_gradients([(None, variables[0]), (np.ones(4), variables[1])])
    np.testing.assert_array_equal(variables[0].value, before)
    with pytest.raises(ArgumentError, match="none for any"):
        SGD(1.0).apply_gradients([(None, variables[0])])


def test_what_does_not_fit_is_refused() -> None:
    variables = made_variables()[:2]
    with pytest.raises(ShapeError, match=r"v0: expected a gradient of shape \(3, 4\)"):
        SGD().apply_gradients([(np.ones(3), variables[0])])
    with pytest.raises(ArgumentError, match="each variable once"):
        SGD().apply_gradients([(np.ones(4), variables[1])] * 2)
    with pytest.raises(ArgumentError, match="a gradient for each of 2"):
        SGD().apply([np.ones(4)], variables)


def test_several_optimizers_for_parts_step_on_all_of_them() -> None:
    variables = made_variables()
    before = [v.numpy() for v in variables]
    many = MultiOptimizer(OptimizerMap(SGD(1.0), {"v1": SGD(2.0)}))
    many.apply_gradients(zip([np.ones(shape) for shape in SHAPES], variables, strict=True))
    np.testing.assert_allclose(variables[0].value, before[0] - 1)
    np.testing.assert_allclose(variables[1].value, before[1] - 2)


def test_minimize_takes_a_function_or_a_tape() -> None:
    variable = Variable("w", "w", np.array([3.0]))
    SGD(0.1).minimize(lambda: ops.sum(ops.square(variable)), [variable])
    np.testing.assert_allclose(variable.value, 2.4)
    with GradientTape() as tape:
        loss = ops.sum(ops.square(variable))
    SGD(0.1).minimize(loss, [variable], tape=tape)
    np.testing.assert_allclose(variable.value, 1.92)
    with pytest.raises(ArgumentError, match="expected a tape"):
        SGD(0.1).minimize(loss, [variable])

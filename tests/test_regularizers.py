"""Regularizers against the numbers of Keras on JAX, ``tests/golden/regularizers.npz``, and on their own."""

import json
from pathlib import Path

import numpy as np
import pytest

import distnet
import packed
from distnet import GradientTape, ops, regularizers
from distnet.errors import ArgumentError, ShapeError
from distnet.registry import custom_object_scope

GOLDEN = Path(__file__).parent / "golden"

ARRAYS, CASES = packed.load(GOLDEN / "regularizers.npz")


def label(case):
    return f"{case['serialized']['class_name']}({case['serialized']['config']})-{case['weights']}"


@pytest.fixture(params=range(len(CASES)), ids=[label(case) for case in CASES])
def index(request):
    return request.param


def test_value_is_that_of_keras(index):
    regularizer = regularizers.deserialize(CASES[index]["serialized"])
    w = ARRAYS[CASES[index]["weights"]]
    np.testing.assert_allclose(regularizer(w), ARRAYS[f"value {index}"], rtol=1e-12, atol=1e-15)


def test_gradient_is_that_of_keras(index):
    regularizer = regularizers.deserialize(CASES[index]["serialized"])
    w = ARRAYS[CASES[index]["weights"]]
    expected = ARRAYS[f"gradient {index}"]
    np.testing.assert_allclose(regularizer.gradient(w), expected, rtol=1e-12, atol=1e-14)


def test_configuration_is_that_of_keras(index):
    serialized = CASES[index]["serialized"]
    written = json.loads(json.dumps(regularizers.serialize(regularizers.deserialize(serialized))))
    assert written == {"class_name": serialized["class_name"], "config": serialized["config"]}


@pytest.mark.parametrize(
    "regularizer",
    [
        regularizers.L1(0.3),
        regularizers.L2(0.2),
        regularizers.L1L2(0.3, 0.2),
        regularizers.OrthogonalRegularizer(0.7),
        regularizers.OrthogonalRegularizer(0.7, "columns"),
    ],
    ids=str,
)
def test_gradient_is_that_of_central_differences(regularizer):
    w = np.random.default_rng(2).normal(size=(4, 3))
    expected = np.empty_like(w)
    for at in np.ndindex(*w.shape):
        moved = np.zeros_like(w)
        moved[at] = 1e-6
        expected[at] = (regularizer(w + moved) - regularizer(w - moved)) / 2e-6
    np.testing.assert_allclose(regularizer.gradient(w), expected, atol=1e-8)


@pytest.mark.parametrize("spec", ["l1", "l2", "l1_l2", "L1L2", "orthogonal_regularizer"])
def test_single_precision_stays_single(spec):
    w = np.ones((2, 3), "float32")
    assert regularizers.get(spec).gradient(w).dtype == "float32"


def test_strings_mean_one_hundredth():
    w = np.array([1.0, -2.0])
    assert regularizers.get("l1")(w) == pytest.approx(0.03)
    assert regularizers.get("l2")(w) == pytest.approx(0.05)
    assert regularizers.get("l1_l2")(w) == pytest.approx(0.08)
    assert regularizers.get(None) is None


def test_functions_of_keras_are_the_classes():
    assert regularizers.l1(0.5).l1 == 0.5
    assert regularizers.l2(l2=0.5).l2 == 0.5
    assert regularizers.l1_l2(l2=0.5).get_config() == {"l1": 0.0, "l2": 0.5}


def test_vectors_of_zeros_have_no_angles():
    w = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    regularizer = regularizers.OrthogonalRegularizer(1.0)
    assert regularizer(w) == pytest.approx(np.sqrt(0.5) / 3)
    assert np.isfinite(regularizer.gradient(w)).all()


def test_one_row_has_no_angles():
    w = np.ones((1, 4))
    regularizer = regularizers.OrthogonalRegularizer()
    assert regularizer(w) == 0
    np.testing.assert_array_equal(regularizer.gradient(w), np.zeros((1, 4)))


def test_orthogonal_regularizer_wants_a_matrix():
    with pytest.raises(ShapeError, match="expected a matrix"):
        regularizers.OrthogonalRegularizer()(np.ones(3))


@pytest.mark.parametrize("factor", [-0.1, float("inf"), float("nan")])
@pytest.mark.parametrize(
    "make", [regularizers.L1, regularizers.L2, regularizers.L1L2, regularizers.OrthogonalRegularizer]
)
def test_factors_out_of_range_are_refused(make, factor):
    with pytest.raises(ArgumentError, match="expected a number in .0, inf., received"):
        make(factor)


def test_unknown_mode_is_refused():
    with pytest.raises(ArgumentError, match="'rows' or 'columns'"):
        regularizers.OrthogonalRegularizer(mode="diagonals")


def cubic(w):
    return float(np.sum(np.abs(w) ** 3)), 3 * w * np.abs(w)


def test_a_users_function_gives_value_and_gradient():
    regularizer = regularizers.get(cubic)
    w = np.array([1.0, -2.0])
    assert regularizer(w) == 9
    np.testing.assert_array_equal(regularizer.gradient(w), [3, -12])
    with custom_object_scope({"cubic": cubic}):
        assert regularizers.deserialize(regularizers.serialize(regularizer)).function is cubic


def test_a_users_function_without_gradient_is_refused():
    regularizer = regularizers.get(lambda w: float(np.sum(w**2)))
    with pytest.raises(ArgumentError, match=r"regularizer <?lambda>?: numpy.sum was called.*Use ops.sum"):
        regularizer.gradient(np.ones(2))


def test_a_gradient_of_another_shape_is_refused():
    regularizer = regularizers.get(lambda w: (0.0, np.ones(3)))
    with pytest.raises(ShapeError, match=r"\(2,\)"):
        regularizer.gradient(np.ones(2))


def quartic(w):
    return 0.5 * ops.sum(ops.square(w * w))


class Quartic(regularizers.Regularizer):
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, w):
        return self.factor * ops.sum(ops.square(w * w))

    def get_config(self):
        return {"factor": self.factor}


@pytest.mark.parametrize("spec", [quartic, Quartic(0.5)])
def test_what_only_states_the_penalty_is_differentiated(spec):
    regularizer, w = regularizers.get(spec), np.array([[1.0, -2.0]])
    assert regularizer(w) == regularizer.value(w) == 8.5
    np.testing.assert_array_equal(regularizer.gradient(w), [[2.0, -16.0]])
    config = regularizers.serialize(regularizer)
    assert config == ("quartic" if spec is quartic else {"class_name": "Quartic", "config": {"factor": 0.5}})


@pytest.mark.parametrize(
    "regularizer",
    [
        regularizers.L1(0.3),
        regularizers.L2(0.3),
        regularizers.L1L2(0.3, 0.2),
        *(regularizers.OrthogonalRegularizer(0.3, mode) for mode in ("rows", "columns")),
    ],
)
def test_penalties_of_tensors_have_the_gradient_that_is_stated(regularizer):
    w = np.random.default_rng(0).normal(size=(3, 4))
    tensor = ops.convert_to_tensor(w)
    with GradientTape() as tape:
        tape.watch(tensor)
        value = regularizer(tensor)
    assert float(value) == pytest.approx(regularizer.value(w))
    np.testing.assert_allclose(tape.gradient(value, tensor), regularizer.gradient(w), rtol=1e-9)


def test_a_model_is_regularized_by_what_its_user_writes():
    def history_of(weights, activities):
        distnet.utils.set_random_seed(1)
        dense = distnet.layers.Dense(3, kernel_regularizer=weights, activity_regularizer=activities)
        model = distnet.Sequential([distnet.Input((2,)), dense])
        model.compile("sgd", "mse")
        x = np.random.default_rng(0).random((12, 2))
        return model.fit(x, x @ np.ones((2, 3)), batch_size=5, epochs=3, verbose=0).history["loss"]

    def squares(w):
        return 0.01 * ops.sum(ops.square(w))

    np.testing.assert_allclose(history_of(squares, squares), history_of("l2", "l2"), rtol=1e-6)


def test_a_penalty_is_one_number():
    with pytest.raises(
        ArgumentError, match=r"regularizer square: expected one number, received an array of shape \(2,\)"
    ):
        regularizers.get(ops.square).value(np.ones(2))
    with pytest.raises(ArgumentError, match="without it"):
        regularizers.Regularizer().value(np.ones(2))

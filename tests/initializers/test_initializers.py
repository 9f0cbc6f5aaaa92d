import json

import numpy as np
import pytest

from distnet import config, initializers, random
from distnet.errors import ArgumentError, ShapeError
from distnet.initializers import INITIALIZERS, Initializer, compute_fans
from distnet.registry import custom_object_scope

RANDOM = [name for name, cls in INITIALIZERS.classes().items() if "seed" in cls.__init__.__annotations__]
SPELLINGS = {
    "zero": "Zeros",
    "zeros": "Zeros",
    "one": "Ones",
    "ones": "Ones",
    "constant": "Constant",
    "identity": "Identity",
    "IdentityInitializer": "Identity",
    "normal": "RandomNormal",
    "random_normal": "RandomNormal",
    "uniform": "RandomUniform",
    "random_uniform": "RandomUniform",
    "truncated_normal": "TruncatedNormal",
    "variance_scaling": "VarianceScaling",
    "glorot_uniform": "GlorotUniform",
    "glorot_normal": "GlorotNormal",
    "he_uniform": "HeUniform",
    "he_normal": "HeNormal",
    "lecun_uniform": "LecunUniform",
    "lecun_normal": "LecunNormal",
    "orthogonal": "Orthogonal",
    "OrthogonalInitializer": "Orthogonal",
}


@pytest.mark.parametrize(("spelling", "class_name"), SPELLINGS.items())
def test_every_spelling_of_keras_is_known(spelling, class_name):
    assert type(initializers.get(spelling)).__name__ == class_name
    if spelling[0].islower() and hasattr(initializers, spelling):
        assert getattr(initializers, spelling) is getattr(initializers, class_name)


@pytest.mark.parametrize("name", INITIALIZERS.classes())
def test_configuration_survives_json(name):
    written = json.loads(json.dumps(initializers.serialize(initializers.get(name))))
    read = initializers.deserialize(written)
    assert initializers.serialize(read) == written
    assert type(read).__name__ == name


@pytest.mark.parametrize("name", RANDOM)
def test_configuration_has_no_key_that_older_keras_refuses(name):
    assert not any("axes" in key for key in initializers.get(name).get_config())


@pytest.mark.parametrize("name", INITIALIZERS.classes())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_arrays_have_the_dtype_and_shape_asked_for(name, dtype):
    shape = (4, 1, 3) if name == "STFT" else (3, 4)
    value = initializers.get(name)(shape, dtype)
    assert value.dtype == dtype
    assert value.shape == shape
    assert value.flags.writeable
    assert value.flags.c_contiguous


def test_dtype_is_floatx_unless_given():
    config.set_floatx("float64")
    try:
        assert initializers.Zeros()((2,)).dtype == "float64"
    finally:
        config.set_floatx("float32")
    assert initializers.Zeros()((2,)).dtype == "float32"


@pytest.mark.parametrize("name", RANDOM)
def test_a_seed_fixes_the_numbers(name):
    make = INITIALIZERS.classes()[name]
    np.testing.assert_array_equal(make(seed=5)((4, 3)), make(seed=5)((4, 3)))
    assert (make(seed=5)((4, 3)) != make(seed=6)((4, 3))).any()


@pytest.mark.parametrize("name", RANDOM)
def test_without_a_seed_each_call_differs_and_the_global_seed_repeats_them(name):
    initializer = initializers.get(name)
    random.set_random_seed(9)
    first, second = initializer((4, 3)), initializer((4, 3))
    random.set_random_seed(9)
    np.testing.assert_array_equal(initializer((4, 3)), first)
    assert (first != second).any()


@pytest.mark.parametrize("name", RANDOM)
def test_draw_depends_on_the_generator_alone(name):
    initializer = initializers.get(name)
    draws = [initializer.draw((4, 3), np.dtype("float64"), random.generator(1, "place", place)) for place in (0, 0, 1)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert (draws[0] != draws[2]).any()


@pytest.mark.parametrize("name", RANDOM)
def test_single_precision_is_double_precision_rounded(name):
    make = INITIALIZERS.classes()[name]
    single, double = make(seed=1)((5, 4), "float32"), make(seed=1)((5, 4), "float64")
    np.testing.assert_array_equal(single, double.astype("float32"))


@pytest.mark.parametrize("seed", [1.5, "1", True])
@pytest.mark.parametrize("name", RANDOM)
def test_a_seed_that_is_no_integer_is_refused(name, seed):
    with pytest.raises(ArgumentError, match="seed: expected an integer"):
        INITIALIZERS.classes()[name](seed=seed)


@pytest.mark.parametrize("shape", [(5, 5), (7, 3), (3, 7), (3, 2, 4), (2, 2, 2, 9)])
def test_orthogonal_has_orthonormal_rows_or_columns_times_the_gain(shape):
    matrix = initializers.Orthogonal(gain=2.0, seed=1)(shape, "float64").reshape(-1, shape[-1])
    short = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    np.testing.assert_allclose(short @ short.T, 4 * np.eye(len(short)), atol=1e-12)


def test_orthogonal_matrices_are_uniform_over_rotations():
    # With a positive diagonal of R the first entry of Q has mean 0; LAPACK's own sign would make it negative.
    corners = [initializers.Orthogonal(seed=seed)((2, 2), "float64")[0, 0] for seed in range(400)]
    assert abs(np.mean(corners)) < 0.15


def test_truncated_normal_stays_within_two_deviations():
    sample = initializers.TruncatedNormal(1.0, 0.5, seed=2)((1000, 50), "float64")
    assert 0 <= sample.min() < 0.01
    assert 1.99 < sample.max() <= 2


@pytest.mark.parametrize(("initializer", "shape"), [("orthogonal", (3,)), ("identity", (3,)), ("identity", (2, 2, 2))])
def test_shapes_that_make_no_sense_are_refused(initializer, shape):
    with pytest.raises(ShapeError, match="received"):
        initializers.get(initializer)(shape)


@pytest.mark.parametrize("options", [{"scale": 0.0}, {"mode": "fan"}, {"distribution": "cauchy"}])
def test_variance_scaling_refuses_unknown_options(options):
    with pytest.raises(ArgumentError, match=r"VarianceScaling(: |.scale: )expected"):
        initializers.VarianceScaling(**options)


def test_variance_scaling_reads_the_spellings_of_old_files():
    initializer = initializers.VarianceScaling(mode="FAN_AVG", distribution="normal")
    assert (initializer.mode, initializer.distribution) == ("fan_avg", "truncated_normal")
    read = initializers.deserialize({"class_name": "Zeros", "config": {"dtype": "float32"}})
    assert isinstance(read, initializers.Zeros)


def test_fans_of_named_axes():
    assert compute_fans((2, 3, 4), input_axes=[0], output_axes=[1, 2]) == (2, 12)


def test_identity_has_its_gain_on_the_diagonal():
    np.testing.assert_array_equal(initializers.Identity(0.5)((2, 3)), [[0.5, 0, 0], [0, 0.5, 0]])


def test_constant_takes_an_array_that_fits():
    np.testing.assert_array_equal(initializers.Constant([1.0, 2.0])((3, 2)), [[1, 2]] * 3)
    with pytest.raises(ShapeError, match=r"shape \(3, 3\)"):
        initializers.Constant([1.0, 2.0])((3, 3))


def ramp(shape, dtype=None):
    return np.arange(np.prod(shape), dtype=dtype).reshape(shape)


def test_a_users_function_is_an_initializer():
    initializer = initializers.get(ramp)
    np.testing.assert_array_equal(initializer((2, 2)), [[0, 1], [2, 3]])
    with custom_object_scope({"ramp": ramp}):
        assert initializers.deserialize(initializers.serialize(initializer)).function is ramp
    with pytest.raises(ShapeError, match="expected an array of shape"):
        initializers.get(lambda shape, dtype: np.zeros(3))((2, 2))


class KerasStyle(Initializer):
    def __init__(self, top=1.0, seed=None):
        self.top = top
        self.seed = seed

    def __call__(self, shape, dtype=None):
        return np.full(shape, self.top, dtype)

    def get_config(self):
        return {"top": self.top, "seed": self.seed}


def test_a_users_class_in_keras_style_is_an_initializer():
    initializer = initializers.get(KerasStyle)
    drawn = initializer.draw((2,), np.dtype("float64"), random.generator(0))
    np.testing.assert_array_equal(drawn, [1, 1])
    with custom_object_scope({"KerasStyle": KerasStyle}):
        read = initializers.deserialize(initializers.serialize(KerasStyle(top=3.0)))
    assert read.top == 3


def test_the_base_class_draws_nothing():
    with pytest.raises(ArgumentError, match="draw"):
        Initializer()((2,))


def test_none_is_no_initializer():
    assert initializers.get(None) is None

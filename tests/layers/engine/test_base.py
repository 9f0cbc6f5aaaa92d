"""What a user's own layer is, and what every layer says when it is misused."""

from dataclasses import dataclass

import numpy as np
import pytest

import distnet
from distnet import errors, layers, naming
from distnet.models import Sequential


@dataclass(eq=False)
class Scale(layers.Layer):
    """y = factor * w * x: a layer as a user writes it."""

    factor: float = 2.0

    def build(self, shape, ctx):
        self.w = ctx.variable("w", (shape[-1],), distnet.initializers.get("ones"))

    def forward(self, x, ctx):
        return self.factor * self.w.value * x, x

    def backward(self, dy, saved, ctx):
        ctx.add_sum(self.w, self.factor * dy * saved, axis=0)
        return self.factor * self.w.value * dy


def test_a_layer_of_the_users_own_learns_and_is_saved(tmp_path):
    x = np.random.default_rng(0).standard_normal((64, 3)).astype("float32")
    model = Sequential([layers.Input(shape=(3,)), Scale(0.5)])
    model.compile(distnet.optimizers.SGD(0.5), "mse")
    model.fit(x, x * [1, 2, 3], epochs=100, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], [2, 4, 6], rtol=1e-3)
    model.save(tmp_path / "m.h5")
    again = distnet.models.load_model(tmp_path / "m.h5", custom_objects={"Scale": Scale})
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    with pytest.raises(errors.UnknownNameError, match="'Scale'.*custom_objects"):
        distnet.models.load_model(tmp_path / "m.h5")


def test_names_are_numbered_by_class():
    naming.reset()
    names = [layers.Dense(1).name, layers.Dense(1).name, layers.Dropout(0.1).name, layers.Dense(1).name]
    assert names == ["dense", "dense_1", "dropout", "dense_2"]


@pytest.mark.parametrize("name", ["", "a/b", 3])
def test_a_name_is_a_string_that_a_file_can_hold(name):
    with pytest.raises(errors.ArgumentError, match="name must be a non-empty string without '/'"):
        layers.Dense(1, name=name)


@pytest.mark.parametrize("dtype", ["float16", "int32", "bfloat16"])
def test_a_dtype_that_cannot_train_is_refused(dtype):
    with pytest.raises(errors.ArgumentError, match=r"expected a dtype of \('float32', 'float64'\), received"):
        layers.Dense(1, dtype=dtype)


def test_keras_dtype_policies_are_read():
    policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float64"}, "registered_name": None}
    assert layers.Dense(1, dtype=policy).dtype == "float64"


@pytest.mark.parametrize(
    "shape", [{"input_shape": (4,)}, {"input_dim": 4}, {"batch_input_shape": (None, 4)}, {"input_shape": [4]}]
)
def test_the_first_layer_may_say_the_shape_of_its_input(shape):
    assert Sequential([layers.Dense(2, **shape)]).count_params() == 10


@pytest.mark.parametrize("shape", [(-1,), ("a",), (2.5,)])
def test_a_shape_holds_whole_numbers(shape):
    with pytest.raises(errors.ArgumentError, match="a shape holds non-negative integers"):
        layers.Dense(1, input_shape=shape)


def test_unknown_arguments_are_refused_in_a_config():
    with pytest.raises(errors.ArgumentError, match=r"Dense: unknown configuration keys \['unitz'\]"):
        layers.Dense.from_config({"units": 1, "unitz": 2})


def test_counting_needs_an_input_shape():
    with pytest.raises(errors.NotBuiltError, match="count_params needs the input shape"):
        layers.Dense(1).count_params()


@pytest.mark.parametrize("options", [{"sparse": True}, {"ragged": True}])
def test_sparse_and_ragged_inputs_are_refused(options):
    with pytest.raises(errors.ArgumentError, match="pass dense arrays"):
        layers.InputLayer(shape=(3,), **options)


def test_an_input_needs_a_shape():
    with pytest.raises(errors.ArgumentError, match="expected shape="):
        layers.Input()

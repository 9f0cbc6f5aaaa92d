"""Files of models that define ``call``: read here and in Keras, whoever wrote them."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import distnet as keras
from distnet.errors import CheckpointError
from distnet.saving.inspection import inspected

PROGRAM = Path(__file__).parent / "programs" / "subclassed_files.py"
WITHOUT_XLA = Path(__file__).parents[1] / "tools" / "without_xla.py"
X = np.random.default_rng(0).normal(size=(12, 5)).astype("float32")


class Net(keras.Model):
    """A list of layers, and a weight of its own."""

    def __init__(self, units=(4, 3), **options):
        super().__init__(**options)
        self.units = list(units)
        self.blocks = [keras.layers.Dense(width, activation="tanh") for width in units]
        self.inner = keras.Sequential([keras.layers.Dense(3)])
        self.scale = self.add_weight(shape=(3,), initializer="ones", name="scale")

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return self.inner(x) * self.scale

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def trained() -> Net:
    model = Net()
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(X, X[:, :3], epochs=2, verbose=0)
    return model


@pytest.mark.parametrize("name", ["net.keras", "net.h5"])
def test_a_whole_model_comes_back_and_trains_on(tmp_path, name):
    model = trained()
    model.save(tmp_path / name)
    again = keras.models.load_model(tmp_path / name, custom_objects={"Net": Net})
    assert again.units == [4, 3]
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    assert again.optimizer.iterations == model.optimizer.iterations
    histories = [m.fit(X, X[:, :3], shuffle=False, verbose=0).history for m in (model, again)]
    assert histories[0] == histories[1]


@pytest.mark.parametrize("name", ["net.weights.h5", "net.h5"])
def test_weights_come_back(tmp_path, name):
    model, again = trained(), Net()
    model.save_weights(tmp_path / name)
    again.build((None, 5))
    again.load_weights(tmp_path / name)
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    other = Net(units=(4, 4))
    other.build((None, 5))
    with pytest.raises(CheckpointError):
        other.load_weights(tmp_path / name)


def test_a_training_goes_on_within_an_epoch(tmp_path):
    class Stopped(Exception):  # noqa: N818 - no error
        pass

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.optimizer.iterations == 4:
                self.model.save(tmp_path / "within.h5")
                raise Stopped

    def fit(model, **options):
        return model.fit(X, X[:, :3], batch_size=4, epochs=3, verbose=0, **options).history

    def made():
        keras.utils.set_random_seed(2)
        model = Net()
        model.compile("adam", "mse", metrics=["mae"])
        return model

    expected = fit(made())
    with pytest.raises(Stopped):
        fit(made(), callbacks=[Stop()])
    again = made()
    again.build((None, 5))
    assert fit(again, resume=tmp_path / "within.h5") == expected


def test_the_optimizer_of_a_loop_is_saved_whichever_weights_it_began_with(tmp_path):
    model = Net()
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")

    def step(weights):
        with keras.GradientTape() as tape:
            loss = keras.ops.mean(keras.ops.square(model(X) - X[:, :3]))
        model.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))

    model(X)
    step(model.trainable_weights[2:])
    step(model.trainable_weights)
    model.save(tmp_path / "net.keras")
    again = keras.models.load_model(tmp_path / "net.keras", custom_objects={"Net": Net})
    assert again.optimizer.iterations == 2
    histories = [m.fit(X, X[:, :3], epochs=2, shuffle=False, verbose=0).history for m in (model, again)]
    assert histories[0] == histories[1]


@pytest.mark.parametrize("name", ["table.keras", "table.h5"])
def test_a_layer_is_built_as_its_class_says(tmp_path, name):
    class Table(keras.layers.Layer):
        rows = None

        def build(self, input_shape):
            self.table = self.add_weight(shape=(self.rows, input_shape[-1]), name="table")

        def call(self, x):
            return x * keras.ops.sum(self.table, axis=0)

        def get_build_config(self):
            return {**super().get_build_config(), "rows": self.rows}

        def build_from_config(self, config):
            self.rows = config["rows"]
            super().build_from_config(config)

    table = Table()
    table.rows = 7
    entry = keras.Input((5,))
    model = keras.Model(entry, table(entry))
    model.save(tmp_path / name)
    again = keras.models.load_model(tmp_path / name, custom_objects={"Table": Table})
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_a_layer_is_built_as_another_was():
    class Between(keras.layers.Layer):
        def build(self, x_shape, y_shape):
            self.w = self.add_weight(shape=(x_shape[-1], y_shape[-1]))

        def call(self, x, y):
            return keras.ops.matmul(x, self.w) + y

    layer, again = Between(), Between()
    assert layer.get_build_config() is None
    layer(X, X[:, :2])
    again.build_from_config(layer.get_build_config())
    assert again.w.shape == (5, 2)
    assert layer.get_build_config() == {"shapes_dict": {"x_shape": (12, 5), "y_shape": (12, 2)}}
    dense, other = keras.layers.Dense(3), keras.layers.Dense(3)
    dense.build((None, 5))
    other.build_from_config(dense.get_build_config())
    assert (other.kernel.shape, dense.get_build_config()) == ((5, 3), {"input_shape": (None, 5)})


@pytest.mark.slow
@pytest.mark.parametrize(("writer", "reader"), [("keras", "distnet"), ("distnet", "keras")])
def test_keras_and_distnet_read_each_other_s_files(keras_3, tmp_path, writer, reader):
    for which, what in ((writer, "write"), (reader, "read")):
        python = [keras_3, WITHOUT_XLA] if which == "keras" else [sys.executable]
        settings = {"KERAS_BACKEND": "jax", "WHICH_KERAS": which}
        subprocess.run([*python, PROGRAM, what, tmp_path], env={**os.environ, **settings}, check=True, timeout=300)


class Two(keras.Model):
    """A second optimizer, and a layer with a generator of seeds."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)
        self.noise = keras.layers.Dropout(0.5)
        self.noise.seeds = keras.random.SeedGenerator(3)
        self.second = keras.optimizers.Adam(0.01)

    def call(self, x):
        return self.dense(x)


def two() -> Two:
    model = Two()
    model(X)
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("name", ["two.keras", "two.h5"])
def test_optimizers_and_generators_that_are_attributes_come_back(tmp_path, name):
    model = two()
    variables = model.trainable_weights[::-1]
    model.second.apply([np.full(v.shape, 2.0) for v in variables], variables)
    model.second.learning_rate = 0.25
    model.noise.seeds.next()
    model.save(tmp_path / name)
    assert "distnet's, of second" in [state["layout"] for state in inspected(tmp_path / name)["optimizer_state"]]
    again = keras.models.load_model(tmp_path / name, custom_objects={"Two": Two})
    assert again.noise.seeds.next().tolist() == [3, 1]
    expected, made = ([v.numpy() for v in m.second.variables] for m in (model, again))
    assert [a.tolist() for a in made] == [a.tolist() for a in expected]
    other = Two()
    other.name = "other"
    del other.second
    other(X)
    other.compile("sgd", "mse")
    with pytest.warns(UserWarning, match=r"optimizers \['second'\], which are no attributes of other"):
        other.load_weights(tmp_path / name) if name == "two.keras" else other.fit(X, X[:, :1], resume=tmp_path / name)
    wrong = two()
    wrong.second = keras.optimizers.SGD()
    with pytest.raises(CheckpointError, match=r"holds the state of Adam, but the model has as second SGD"):
        wrong.fit(X, X[:, :1], resume=tmp_path / name)


def test_saving_names_the_optimizers_whose_state_the_file_lacks(tmp_path):
    model, other = two(), two()
    model.save_weights(tmp_path / "two.weights.h5")
    model.second.apply([np.ones((5, 1)), np.ones(1)], other.trainable_weights)
    with pytest.warns(UserWarning, match=r"no state of its optimizers \['second'\]"):
        model.save(tmp_path / "two.h5")


def test_a_loop_comes_before_fit_with_one_optimizer():
    def trained(loops):
        keras.utils.set_random_seed(1)
        model = Net()
        model(X)
        model.compile("adam", "mse")
        if loops:
            with keras.GradientTape() as tape:
                loss = keras.ops.mean(keras.ops.square(model(X) - X[:, :3]))
            model.optimizer.apply(tape.gradient(loss, model.trainable_weights), model.trainable_weights)
        return model.fit(X, X[:, :3], batch_size=12, epochs=4 - loops, verbose=0).history["loss"]

    np.testing.assert_allclose(trained(1), trained(0)[1:], rtol=1e-6)


@pytest.mark.parametrize("way", ["resume", "weights", "keras"])
def test_a_model_built_by_a_call_goes_on_with_the_optimizers_state(tmp_path, way):
    class Small(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner, self.outer = keras.layers.Dense(3), keras.layers.Dense(1)

        def call(self, x):
            return self.outer(self.inner(x))

    def made():
        keras.utils.set_random_seed(1)
        model = Small()
        model(np.zeros((2, 4), "float32"))
        model.compile(keras.optimizers.SGD(0.02, momentum=0.9), "mse")
        return model

    x = np.random.default_rng(0).normal(size=(20, 4)).astype("float32")
    options = {"batch_size": 8, "shuffle": False, "verbose": 0}
    expected = made().fit(x, x[:, :1] ** 2, epochs=3, **options).history["loss"]
    first, second = made(), made()
    first.fit(x, x[:, :1] ** 2, epochs=1, **options)
    if way == "resume":
        first.save(tmp_path / "small.h5")
        losses = second.fit(x, x[:, :1] ** 2, epochs=3, resume=tmp_path / "small.h5", **options).history["loss"][1:]
    else:
        file = tmp_path / ("small.weights.h5" if way == "weights" else "small.keras")
        (first.save_weights if way == "weights" else first.save)(file)
        second.load_weights(file)
        losses = second.fit(x, x[:, :1] ** 2, epochs=2, **options).history["loss"]
    np.testing.assert_allclose(losses, expected[1:], rtol=1e-6)


class Block(keras.layers.Layer):
    """Two layers of equal weights within."""

    def __init__(self, **options):
        super().__init__(**options)
        self.first, self.second = keras.layers.Dense(5), keras.layers.Dense(5)

    def build(self, input_shape):
        self.first.build(input_shape)
        self.second.build(input_shape)

    def call(self, x):
        return self.second(keras.ops.tanh(self.first(x)))


def of_block(is_frozen: bool) -> keras.Sequential:
    model = keras.Sequential([keras.Input((5,)), Block(), keras.layers.Dense(3)])
    model.layers[0].first.trainable = not is_frozen
    model.compile("adam", "mse")
    model.fit(X, X[:, :3], epochs=2, verbose=0)
    return model


@pytest.mark.parametrize("name", ["block.h5", "block.weights.h5", "block.keras"])
@pytest.mark.parametrize("was_frozen", [False, True])
@pytest.mark.parametrize("is_frozen", [False, True])
def test_weights_go_where_they_were_whatever_is_frozen_within_a_layer(tmp_path, name, was_frozen, is_frozen):
    model, other = of_block(was_frozen), of_block(is_frozen)
    getattr(model, "save_weights" if "weights" in name else "save")(tmp_path / name)
    with warnings.catch_warnings(action="ignore" if was_frozen != is_frozen else "error"):
        other.load_weights(tmp_path / name)
    np.testing.assert_array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))


@pytest.mark.parametrize("name", ["block.h5", "block.keras"])
def test_a_model_with_a_layer_frozen_within_is_loaded_with_nothing_frozen_as_in_keras(tmp_path, name):
    model = of_block(is_frozen=True)
    model.save(tmp_path / name)
    with pytest.warns(UserWarning, match="does not say which layers within sequential.* were frozen"):
        again = keras.models.load_model(tmp_path / name, custom_objects={"Block": Block})
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    assert (again.optimizer.iterations, len(again.trainable_weights)) == (0, 6)
    again.fit(X, X[:, :3], verbose=0)


def test_training_goes_on_exactly_where_the_same_layers_are_frozen_again(tmp_path):
    model = of_block(is_frozen=True)
    model.save_weights(tmp_path / "block.weights.h5")
    again = of_block(is_frozen=False)
    again.layers[0].first.trainable = False
    again.compile("adam", "mse")
    again.load_weights(tmp_path / "block.weights.h5")
    assert again.optimizer.iterations == model.optimizer.iterations == 2
    histories = [m.fit(X, X[:, :3], shuffle=False, verbose=0).history for m in (model, again)]
    assert histories[0] == histories[1]

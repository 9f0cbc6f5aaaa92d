"""Models that define ``call``: built, trained, evaluated, nested and saved as others are."""

from __future__ import annotations

import numpy as np
import pytest

import distnet as keras
from distnet import ops
from distnet.errors import ArgumentError, NotBuiltError, ShapeError

X = np.random.default_rng(0).normal(size=(20, 5)).astype("float32")
Y = X[:, :2] * 2


class MLP(keras.Model):
    """Layers in a list, and one of its own."""

    def __init__(self, units=(8, 4), penalty=0.0, **options):
        super().__init__(**options)
        self.penalty = penalty
        self.units = list(units)
        self.blocks = [keras.layers.Dense(width, activation="tanh") for width in units]
        self.head = keras.layers.Dense(2)

    def call(self, x, training=False):
        for block in self.blocks:
            x = block(x)
        if self.penalty:
            self.add_loss(self.penalty * ops.mean(ops.square(x)))
        return self.head(x)

    def get_config(self):
        return {"units": self.units, "penalty": self.penalty, "name": self.name}


class TwoEnds(keras.Model):
    """A dict of inputs, and a dict of outputs."""

    def __init__(self):
        super().__init__()
        self.left, self.right = keras.layers.Dense(3), keras.layers.Dense(3)
        self.sum, self.difference = keras.layers.Dense(1), keras.layers.Dense(2)

    def call(self, inputs):
        a, b = self.left(inputs["a"]), self.right(inputs["b"])
        return {"sum": self.sum(a + b), "difference": self.difference(a - b)}


def functional() -> keras.Model:
    entry = keras.Input((5,))
    x = entry
    for width in (8, 4):
        x = keras.layers.Dense(width, activation="tanh")(x)
    return keras.Model(entry, keras.layers.Dense(2)(x))


def test_it_trains_as_a_functional_model_of_the_same_layers_does():
    expected, model = functional(), MLP()
    model.build((None, 5))
    model.set_weights(expected.get_weights())
    histories = []
    for each in (expected, model):
        each.compile("adam", "mse", metrics=["mae"])
        fitted = each.fit(X, Y, epochs=3, batch_size=7, shuffle=False, validation_data=(X, Y), verbose=0)
        histories.append(fitted.history)
    for key, values in histories[0].items():
        np.testing.assert_allclose(histories[1][key], values, rtol=1e-5)
    np.testing.assert_allclose(model.predict(X, verbose=0), expected.predict(X, verbose=0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model(X), expected(X), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0), expected.evaluate(X, Y, verbose=0), rtol=1e-5)


def test_layers_and_weights_are_those_of_the_attributes_in_order():
    model = MLP(name="mlp")
    with pytest.raises(NotBuiltError, match="mlp: its inputs are not known yet"):
        _ = model.inputs
    assert not model.built
    model(X)
    assert model.built
    assert model.layers == [*model.blocks, model.head]
    assert [tuple(v.shape) for v in model.weights] == [(5, 8), (8,), (8, 4), (4,), (4, 2), (2,)]
    assert model.get_layer(model.head.name) is model.head
    assert model.count_params() == 94
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    assert any("(None, 8)" in line and "48" in line for line in lines)
    model.trainable = False
    assert model.trainable_weights == []
    assert len(model.non_trainable_weights) == 6


def test_what_is_added_to_the_loss_counts():
    model = MLP(penalty=0.5)
    model.compile("sgd", "mse")
    values = model(X)
    (added,) = model.losses
    mse = np.mean((np.asarray(values) - Y) ** 2)
    assert model.evaluate(X, Y, batch_size=20, verbose=0) == pytest.approx(float(mse + added), rel=1e-5)
    before = model.evaluate(X, Y, verbose=0)
    model.fit(X, Y, epochs=5, verbose=0)
    assert model.evaluate(X, Y, verbose=0) < before


def test_dicts_of_inputs_and_outputs():
    model = TwoEnds()
    model.compile("sgd", {"sum": "mse", "difference": "mae"}, metrics={"sum": ["mae"]})
    data = {"a": X[:, :2], "b": X[:, 2:]}
    targets = {"sum": Y[:, :1], "difference": Y}
    history = model.fit(data, targets, epochs=2, verbose=0).history
    assert {"loss", "sum_loss", "difference_loss", "sum_mae"} <= history.keys()
    made = model.predict(data, verbose=0)
    assert {key: value.shape for key, value in made.items()} == {"sum": (20, 1), "difference": (20, 2)}
    assert len(model.evaluate(data, targets, verbose=0)) == 4


def test_models_stand_within_models():
    class Outer(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner, self.graph_of_layers = MLP(), functional()

        def call(self, x):
            return self.inner(x) + self.graph_of_layers(x)

    outer = Outer()
    outer.compile("adam", "mse")
    history = outer.fit(X, Y, epochs=8, verbose=0).history["loss"]
    assert history[-1] < history[0]
    assert len(outer.weights) == 12
    entry = keras.Input((5,))
    around = keras.Model(entry, keras.layers.Dense(1)(MLP()(entry)))
    around.compile("sgd", "mse")
    around.fit(X, Y[:, :1], verbose=0)
    assert len(around.trainable_weights) == 8


class Masked(keras.Model):
    """Embeds its input, and so makes a mask."""

    def __init__(self):
        super().__init__()
        self.embedding = keras.layers.Embedding(5, 3, mask_zero=True)

    def call(self, x):
        return self.embedding(x)


@pytest.mark.parametrize("kind", [Masked, MLP])
def test_they_stand_in_a_chain_that_is_called_on_a_placeholder(kind):
    inner, x = kind(), np.array([[1, 2, 0], [3, 0, 0]]) if kind is Masked else X[:, None]
    chain = keras.Sequential([keras.layers.Lambda(lambda x: x), inner, keras.layers.GlobalAveragePooling1D()])
    entry = keras.Input(x.shape[1:], dtype=x.dtype.name)
    model = keras.Model(entry, chain(entry))
    expected = chain.layers[-1](inner(x), mask=x != 0 if kind is Masked else None)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-6)


def test_a_layer_that_call_leaves_out_is_not_trained():
    class Spare(MLP):
        def __init__(self):
            super().__init__()
            self.spare = keras.layers.Dense(3)

    model = Spare()
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    assert len(model.weights) == 6


def test_a_model_without_call_says_so():
    class Methods(keras.Model):
        pass

    with pytest.raises(ArgumentError, match="methods: expected a method call"):
        Methods()(X)


def test_a_tensor_of_a_functional_model_is_added_to_its_loss():
    entry = keras.Input((5,))
    hidden = keras.layers.Dense(3)(entry)
    model = keras.Model(entry, keras.layers.Dense(5)(hidden))
    model.add_loss(0.5 * ops.mean(ops.square(hidden)) + ops.mean(ops.square(entry - model.output)))
    model.compile("sgd")
    first = model.evaluate(X, verbose=0, batch_size=20)
    code = X @ model.layers[1].kernel.numpy() + model.layers[1].bias.numpy()
    by_hand = 0.5 * np.mean(code**2) + np.mean((X - model.predict(X, verbose=0)) ** 2)
    assert first == pytest.approx(float(by_hand), rel=1e-5)
    model.fit(X, epochs=5, verbose=0)
    assert model.evaluate(X, verbose=0, batch_size=20) < first
    with pytest.raises(ArgumentError, match="expected a tensor of the model"):
        model.add_loss(3.0)
    with pytest.raises(ArgumentError, match="depends also on"):
        model.add_loss(ops.mean(keras.layers.Dense(1, name="apart")(hidden)))


def with_added_ends():
    entry = keras.Input((4,))
    hidden = keras.layers.Dense(3, activation="tanh")(entry)
    model = keras.Model(entry, keras.layers.Dense(2)(hidden))
    model.add_loss(0.5 * ops.mean(ops.square(hidden)) + ops.mean(ops.square(entry[:, :2] - model.output)))
    model.add_metric(ops.mean(ops.abs(hidden)), name="size")
    model.compile("sgd", "mse")
    return model


def in_keras_2(config):
    """The same configuration, with what is added among the layers, as Keras 2 has it."""
    inner = {key: value for key, value in config["config"].items() if key != "added_ends"}
    kinds = [("AddLoss", {"unconditional": False}), ("AddMetric", {"aggregation": "mean", "metric_name": "size"})]
    inner["layers"] = inner["layers"] + [
        {"class_name": kind, "config": {"name": kind, **own}, "name": kind, "inbound_nodes": [[[*reference, {}]]]}
        for (kind, own), (_, reference) in zip(kinds, config["config"]["added_ends"], strict=True)
    ]
    return {**config, "config": inner}


@pytest.mark.parametrize("way", ["ends.keras", "ends.h5", "clone", "keras 2"])
def test_what_is_added_to_loss_and_metrics_comes_back(tmp_path, way):
    model, x = with_added_ends(), np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
    if way == "clone":
        again = keras.models.clone_model(model)
    elif way == "keras 2":
        again = keras.models.model_from_config(in_keras_2({"class_name": "Functional", "config": model.get_config()}))
    else:
        model.save(tmp_path / way)
        again = keras.models.load_model(tmp_path / way)
    again.compile("sgd", "mse")
    again.set_weights(model.get_weights())
    expected, made = (m.evaluate(x, x[:, :2], return_dict=True, verbose=0) for m in (model, again))
    assert made == expected
    assert made.keys() == {"loss", "size"}
    assert again.fit(x, x[:, :2], verbose=0).history == model.fit(x, x[:, :2], verbose=0).history


class AddLoss(keras.layers.Layer):
    """A user's layer, with the name of Keras 2's entry for what is added to the loss."""

    def call(self, x):
        self.add_loss(ops.mean(x))
        return x


@pytest.mark.parametrize("path", ["own.keras", "own.h5"])
def test_a_layer_of_the_users_own_may_have_the_name_of_such_an_entry(tmp_path, path):
    entry = keras.Input((4,))
    model = keras.Model(entry, keras.layers.Dense(2)(AddLoss()(entry)))
    model.save(tmp_path / path)
    again = keras.models.load_model(tmp_path / path, custom_objects={"AddLoss": AddLoss})
    assert [type(layer) for layer in again.layers] == [type(layer) for layer in model.layers]


@pytest.mark.parametrize("ends", [3, [[None]], [[3, ["dense", 0, 0]]], [[None, {"a": 1}]], [[None, ["none", 0, 0]]]])
def test_what_is_added_must_be_a_tensor_of_the_model(ends):
    config = {**with_added_ends().get_config(), "added_ends": ends}
    with pytest.raises(ArgumentError):
        keras.models.model_from_config({"class_name": "Functional", "config": config})


def test_what_is_measured_within_call_is_in_the_logs():
    class Measuring(MLP):
        def call(self, x):
            y = super().call(x)
            self.add_metric(ops.mean(y), name="middle")
            return y

    model = Measuring()
    model.compile("sgd", "mse")
    history = model.fit(X, Y, epochs=2, batch_size=20, verbose=0).history
    assert list(history) == ["loss", "middle"]
    assert model.metrics_names == ["loss", "middle"]
    with pytest.raises(ArgumentError, match="expected a name"):
        model.add_metric(1.0)
    with pytest.raises(ArgumentError, match="expected the aggregation \"mean\", received 'sum'"):
        model.add_metric(1.0, name="middle", aggregation="sum")
    entry = keras.Input((5,))
    functional = keras.Model(entry, keras.layers.Dense(5)(entry))
    with pytest.raises(ArgumentError, match="add_metric: expected a tensor of the model"):
        functional.add_metric(1.0, name="one")
    with pytest.raises(ArgumentError, match="expected a new name, received None"):
        functional.add_metric(entry)


def test_a_clone_has_the_same_shapes_and_other_weights():
    model = MLP(units=(3,))
    model.compile("adam", "mse")
    model(X)
    with keras.utils.custom_object_scope({"MLP": MLP}):
        clone = keras.models.clone_model(model)
    assert [v.shape for v in clone.weights] == [v.shape for v in model.weights]
    assert clone.compiled
    assert not np.array_equal(clone.weights[0], model.weights[0])


def test_what_is_thawed_after_a_training_has_gradients_in_a_loop():
    model = MLP()
    model.build((None, 5))
    model.head.trainable = False
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    model.head.trainable = True
    with keras.GradientTape() as tape:
        loss = ops.mean(ops.square(model(X) - Y))
    assert all(gradient is not None for gradient in tape.gradient(loss, model.trainable_weights))


@pytest.mark.parametrize("is_called", [True, False])
def test_the_data_of_a_train_step_need_not_be_what_the_model_is_called_on(is_called):
    class Pair(keras.Model):
        def __init__(self):
            super().__init__()
            self.generator, self.critic = keras.layers.Dense(6), keras.layers.Dense(1)

        def call(self, noise):
            return self.critic(self.generator(noise))

        def train_step(self, real):
            with keras.GradientTape() as tape:
                made = self.generator(ops.ones((4, 3)))
                loss = ops.mean(self.critic(made)) - ops.mean(self.critic(real))
            weights = self.critic.trainable_weights
            self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
            return {"loss": loss}

    model = Pair()
    model(np.ones((2, 3))) if is_called else model.build((None, 3))
    model.compile("sgd")
    assert len(model.fit(np.ones((8, 6)), batch_size=4, epochs=2, verbose=0).history["loss"]) == 2
    assert model.predict(np.ones((5, 3)), verbose=0).shape == (5, 1)
    with pytest.raises(ShapeError, match="dense"):
        model.predict(np.ones((5, 7)), verbose=0)


class Scaled(keras.layers.Layer):
    def call(self, x):
        return x * 2.0


class Sized(keras.Model):
    def __init__(self, units=3, inner=None, **options):
        super().__init__(**options)
        self.units, self.inner, self.dense = units, inner, keras.layers.Dense(units)

    def call(self, x):
        return self.dense(x) if self.inner is None else self.inner(self.dense(x))

    def get_config(self):
        inner = None if self.inner is None else keras.saving.serialize_keras_object(self.inner)
        return {**super().get_config(), "units": self.units, "inner": inner}


def test_from_config_takes_custom_objects_as_in_keras():
    config = Sized(4, name="sized").get_config()
    for made in (Sized.from_config(config), Sized.from_config(config, {"Scaled": Scaled}),
                 Sized.from_config(config, custom_objects={"Scaled": Scaled})):  # fmt: skip
        assert (made.units, made.name) == (4, "sized")
    x = keras.Input((3,))
    of_graph = keras.Model(x, Scaled()(x)).get_config()

    class Own(keras.Model):
        pass

    made = Own.from_config(of_graph, custom_objects={"Scaled": Scaled})
    assert isinstance(made, Own)
    assert isinstance(made.layers[-1], Scaled)


def test_a_model_with_call_is_cloned_though_nobody_has_registered_its_class():
    model = Sized(4)
    before = model(np.ones((2, 3)))
    made = keras.models.clone_model(model)
    made.set_weights(model.get_weights())
    np.testing.assert_array_equal(made(np.ones((2, 3))), before)

"""Classes of the user's: models made in a constructor of their own, and what is refused of Keras's methods."""

import numpy as np
import pytest

import distnet as keras
from distnet.errors import ArgumentError

X, Y = np.random.default_rng(0).normal(size=(2, 6, 3)).astype("float32")


class Encoder(keras.Model):
    """A functional model with a method, as in Keras."""

    def __init__(self, units=2, **options):
        entry = keras.Input((3,), name="entry")
        super().__init__(inputs=entry, outputs=keras.layers.Dense(units, name="code")(entry), **options)
        self.units = units

    def doubled(self, x):
        return 2 * self.predict(x, verbose=0)


class Plain(keras.Model):
    """Made as ``Model`` is."""


class Stack(keras.Sequential):
    """Adds its layers itself."""

    def __init__(self, units, name=None):
        super().__init__(name=name)
        self.add(keras.layers.Dense(units))
        self.add(keras.layers.Dense(1))


@pytest.mark.parametrize("path", ["model.keras", "model.h5"])
def test_a_functional_class_is_trained_saved_and_loaded(tmp_path, path):
    model = Encoder(4, name="encoder")
    assert isinstance(model, keras.Model)
    assert model.get_config() == {"name": "encoder", "trainable": True, "units": 4}
    model.compile("sgd", "mse")
    model.fit(X, np.ones((6, 4)), verbose=0)
    model.save(tmp_path / path)
    again = keras.models.load_model(tmp_path / path, custom_objects={"Encoder": Encoder})
    assert isinstance(again, Encoder)
    np.testing.assert_array_equal(again.doubled(X), model.doubled(X))
    with pytest.raises(ArgumentError, match="Encoder"):
        keras.models.load_model(tmp_path / path)


def test_a_class_made_as_model_is_keeps_its_graph():
    entry = keras.Input((3,))
    model = Plain(entry, keras.layers.Dense(2)(entry), name="plain")
    assert "input_layers" in model.get_config()
    with keras.utils.custom_object_scope({"Plain": Plain}):
        again = keras.models.model_from_json(model.to_json())
    assert isinstance(again, Plain)
    assert isinstance(keras.models.clone_model(model), Plain)


@pytest.mark.parametrize("path", ["model.keras", "model.h5"])
def test_a_sequential_class_with_a_constructor_of_its_own_is_saved_and_loaded(tmp_path, path):
    model = Stack(5, name="stack")
    model.compile("sgd", "mse")
    model.fit(X, Y[:, :1], verbose=0)
    model.save(tmp_path / path)
    again = keras.models.load_model(tmp_path / path, custom_objects={"Stack": Stack})
    assert isinstance(again, Stack)
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_a_layer_without_forward_says_what_is_missing():
    class Nothing(keras.layers.Layer):
        pass

    with pytest.raises(ArgumentError, match=r"Nothing: expected the methods \['backward', 'forward'\]"):
        Nothing()


@pytest.mark.parametrize(
    ("method", "call"),
    [("make_train_function", "fit"), ("make_test_function", "evaluate"), ("make_predict_function", "predict")],
)
def test_a_compiled_step_of_the_user_s_is_refused_where_it_would_be_passed_over(method, call):
    own = type("Own", (keras.Sequential,), {method: lambda self, *args: None})
    model = own([keras.Input((3,)), keras.layers.Dense(3)])
    model.compile("sgd", "mse")
    with pytest.raises(ArgumentError, match=rf"has a {method}\(\) of its own.*train_step"):
        getattr(model, call)(*((X,) if call == "predict" else (X, Y)))


def test_a_class_of_functional_models_says_what_it_wants():
    class Plain(keras.Model):
        pass

    entry = keras.Input((3,))
    Plain(entry, keras.layers.Dense(2)(entry))
    with pytest.raises(ArgumentError, match=r"plain.*: expected as inputs placeholders"):
        Plain()


def test_a_call_beside_inputs_and_outputs_is_refused():
    class Both(keras.Model):
        def __init__(self):
            entry = keras.Input((3,))
            super().__init__(entry, keras.layers.Dense(2)(entry))

        def call(self, x):
            return x

    with pytest.raises(ArgumentError, match=r"Both: has a call\(\) of its own, and hands inputs"):
        Both()

"""The ways in which Keras's users build a model."""

import numpy as np
import pytest

import distnet as keras
from distnet import errors, layers, naming
from distnet.models import Sequential


@pytest.fixture(autouse=True)
def names_from_the_beginning():
    naming.reset()


def as_a_list():
    return Sequential([layers.Input(shape=(4,)), layers.Dense(3, "relu"), layers.Dropout(0.5), layers.Dense(2)])


def by_add():
    model = Sequential()
    model.add(layers.Input(shape=(4,)))
    model.add(layers.Dense(3, activation="relu"))
    model.add(layers.Dropout(0.5))
    model.add(layers.Dense(2))
    return model


def by_input_shape():
    return Sequential([layers.Dense(3, "relu", input_shape=(4,)), layers.Dropout(0.5), layers.Dense(2)])


def by_input_dim():
    return Sequential([layers.Dense(3, "relu", input_dim=4), layers.Dropout(0.5), layers.Dense(2)])


def by_batch_input_shape():
    return Sequential([layers.Dense(3, "relu", batch_input_shape=(None, 4)), layers.Dropout(0.5), layers.Dense(2)])


def by_input_layer():
    entry = layers.InputLayer(batch_input_shape=(None, 4))
    return keras.models.Sequential([entry, layers.Dense(3, "relu"), layers.Dropout(0.5), layers.Dense(2)])


def by_build():
    model = Sequential([layers.Dense(3, "relu"), layers.Dropout(0.5), layers.Dense(2)])
    assert not model.built
    model.build((None, 4))
    return model


def by_build_by_name():
    model = Sequential([layers.Dense(3, "relu"), layers.Dropout(0.5), layers.Dense(2)])
    model.build(input_shape=(None, 4))
    return model


def by_data():
    model = Sequential([layers.Dense(3, "relu"), layers.Dropout(0.5), layers.Dense(2)])
    model.predict(np.zeros((2, 4)), verbose=0)
    return model


STYLES = [
    *(as_a_list, by_add, by_input_shape, by_input_dim, by_batch_input_shape, by_input_layer),
    *(by_build, by_build_by_name, by_data),
]


@pytest.mark.parametrize("make", STYLES, ids=lambda make: make.__name__)
def test_every_style_builds_the_same_model(make):
    model = make()
    assert model.built
    assert [layer.name for layer in model.layers] == ["dense", "dropout", "dense_1"]
    assert [w.shape for w in model.get_weights()] == [(4, 3), (3,), (3, 2), (2,)]
    assert model.count_params() == 23
    assert (model.input_shape, model.output_shape) == ((None, 4), (None, 2))
    assert model.name == "sequential"


@pytest.mark.parametrize("make", STYLES, ids=lambda make: make.__name__)
def test_equal_seeds_give_equal_weights_in_every_style(make):
    keras.utils.set_random_seed(5)
    expected = as_a_list().get_weights()
    keras.utils.set_random_seed(5)
    for found, weights in zip(make().get_weights(), expected, strict=True):
        np.testing.assert_array_equal(found, weights)


def test_a_model_waits_for_its_input_shape():
    model = Sequential([layers.Dense(2)])
    assert model.get_weights() == []
    with pytest.raises(errors.NotBuiltError, match="input shape"):
        model.count_params()
    model.compile("sgd", "mse")
    model.fit(np.zeros((6, 3)), np.zeros((6, 2)), verbose=0)
    assert model.count_params() == 8


def test_each_add_builds_what_is_known():
    model = Sequential()
    model.add(layers.Dense(3, input_dim=4))
    assert model.output_shape == (None, 3)
    kernel = model.layers[0].get_weights()[0]
    model.add(layers.Dense(2))
    assert model.output_shape == (None, 2)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], kernel)


def test_pop_removes_the_last_layer():
    model = as_a_list()
    assert model.pop().name == "dense_1"
    assert model.output_shape == (None, 3)
    assert model.count_params() == 15
    model.add(layers.Dense(7))
    assert model.predict(np.zeros((2, 4)), verbose=0).shape == (2, 7)


def test_an_empty_model_has_nothing_to_remove():
    with pytest.raises(errors.ArgumentError, match="no layer to remove"):
        Sequential().pop()


def test_layers_are_found_by_name_and_by_place():
    model = as_a_list()
    assert model.get_layer("dropout") is model.get_layer(index=1) is model.layers[1]
    with pytest.raises(errors.ArgumentError, match="no layer is missing.*'dense', 'dropout', 'dense_1'"):
        model.get_layer("missing")
    with pytest.raises(errors.ArgumentError, match="no layer is number 9"):
        model.get_layer(index=9)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sequential([layers.Dense]), "expected a layer, received .*Pass an object"),
        (lambda: Sequential(["dense"]), "expected a layer"),
        (lambda: Sequential(layers.Dense(1)), "expected a list of layers"),
        (lambda: Sequential([layers.Dense(1, name="a"), layers.Dense(1, name="a")]), "the name 'a' is taken"),
        (lambda: Sequential([layers.Dense(1), layers.Input(shape=(3,))]), "Input must come first"),
        (lambda: Sequential([layers.Input(shape=(3,)), layers.Input(shape=(3,))]), "only once"),
        (lambda: Sequential([layers.Dense(1, dtype="float64", input_dim=1), layers.Dense(1)]), "computes in one dtype"),
    ],
)
def test_what_is_no_sequence_of_layers_is_refused(make, message):
    with pytest.raises(errors.ArgumentError, match=message):
        make()


def test_the_floatx_of_the_time_is_the_models_dtype():
    keras.config.set_floatx("float64")
    try:
        model = as_a_list()
    finally:
        keras.config.set_floatx("float32")
    assert {w.dtype.name for w in model.get_weights()} == {"float64"}
    assert model.predict(np.zeros((2, 4)), verbose=0).dtype == np.float64
    assert as_a_list().predict(np.zeros((2, 4)), verbose=0).dtype == np.float32


def test_a_model_is_frozen_as_a_whole():
    model = as_a_list()
    model.trainable = False
    assert model.trainable_weights == []
    assert len(model.non_trainable_weights) == 4
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(np.ones((4, 4)), np.ones((4, 2)), verbose=0)
    for w, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(w, old)
    model.trainable = True
    model.fit(np.ones((4, 4)), np.ones((4, 2)), verbose=0)
    assert not np.array_equal(model.get_weights()[3], before[3])


@pytest.mark.parametrize("freeze_outside", [True, False])
def test_a_model_within_a_model_is_trained_unless_frozen(freeze_outside):
    inner = Sequential([layers.Dense(3, "tanh"), layers.Dropout(0.2), layers.Dense(3)])
    model = Sequential([layers.Input(shape=(4,)), inner, layers.Dense(2)])
    assert model.count_params() == 15 + 12 + 8
    (inner if freeze_outside else inner.layers[0]).trainable = False
    model.compile(keras.optimizers.SGD(0.1), "mse")
    before = model.get_weights()
    model.fit(np.ones((8, 4)), np.ones((8, 2)), verbose=0)
    changed = [not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)]
    assert changed == [False, False, not freeze_outside, not freeze_outside, True, True]


def test_a_shared_layer_keeps_one_set_of_weights():
    shared = layers.Dense(4, name="shared")
    one = Sequential([layers.Input(shape=(4,)), shared])
    other = Sequential([layers.Input(shape=(4,)), shared, layers.Dense(2)])
    one.set_weights([np.eye(4), np.ones(4)])
    np.testing.assert_array_equal(other.get_weights()[0], np.eye(4))
    for model, width in ((one, 4), (other, 2), (one, 4)):
        model.compile("sgd", "mse")
        model.fit(np.ones((3, 4)), np.zeros((3, width)), verbose=0)
        np.testing.assert_array_equal(one.get_weights()[0], other.get_weights()[0])
    assert not np.array_equal(one.get_weights()[0], np.eye(4))


def of_any_length():
    model = Sequential([layers.LSTM(4, return_sequences=True), layers.GlobalAveragePooling1D(), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def test_a_model_without_input_takes_batches_of_other_lengths():
    x = np.random.default_rng(0).normal(size=(6, 9, 3))
    model = of_any_length()
    model.fit(x[:, :5], np.ones(6), verbose=0)
    assert model.input_shape == (None, 5, 3)
    whole = model.predict(x, verbose=0)
    assert model.input_shape == (None, None, 3)
    declared = Sequential([layers.Input((None, 3)), *of_any_length().layers])
    declared.set_weights(model.get_weights())
    np.testing.assert_array_equal(declared.predict(x, verbose=0), whole)
    np.testing.assert_allclose(model(x), whole, rtol=1e-6)
    model.fit(((x[:, :n], np.ones(6)) for n in (3, 7, 4)), verbose=0)
    model.fit(x, np.ones(6), validation_data=(x[:, :4], np.ones(6)), verbose=0)
    assert layers.Dense(2)(model.layers[0].output).shape == (None, None, 2)


def test_what_its_layers_cannot_take_is_refused_and_changes_nothing():
    model = Sequential([layers.Flatten(), layers.Dense(1)])
    x = np.ones((2, 5, 3))
    before = model.predict(x, verbose=0)
    with pytest.raises(errors.ShapeError, match=r"expected rows of shape \(5, 3\), received \(4, 3\)"):
        model.predict(x[:, :4], verbose=0)
    np.testing.assert_array_equal(model.predict(x, verbose=0), before)


def test_outputs_of_different_lengths_are_no_one_prediction():
    model = Sequential([layers.Input((None, 3)), layers.Dense(1)])
    with pytest.raises(errors.ShapeError, match=r"outputs of different shapes, \[\(4, 1\), \(5, 1\)\]"):
        model.predict((np.ones((2, n, 3)) for n in (4, 5)), verbose=0)


@pytest.mark.parametrize(
    ("make", "shapes", "expected"),
    [
        (lambda: [layers.Dense(3), layers.Dense(2)], [(5, 4), (2, 4)], [(5, 2), (2, 2)]),
        (lambda: [layers.LSTM(3)], [(2, 5, 4), (2, 7, 4)], [(2, 3), (2, 3)]),
        (lambda: [layers.RandomFlip(), layers.Rescaling(2.0)], [(2, 4, 4, 3)], [(2, 4, 4, 3)]),
    ],
    ids=["dense", "steps", "images"],
)
def test_called_on_arrays_before_its_shape_is_known_it_takes_theirs(make, shapes, expected):
    model = Sequential(make())
    assert [model(np.ones(shape)).shape for shape in shapes] == expected


def test_a_model_in_front_that_knows_its_input_builds_what_stands_behind_it():
    """As Keras does where other layers follow: a head's weights are there before the first data."""
    given = keras.Input((4,))
    base = keras.Model(given, layers.Dense(3)(given))
    headed = keras.Sequential([base, layers.Dense(2)])
    assert headed.built
    assert (len(headed.weights), headed.count_params(), headed.input_shape) == (4, 23, (None, 4))
    alone = keras.Sequential([keras.Sequential([keras.Input((4,)), layers.Dense(3)])])
    assert not alone.built
    alone.add(layers.Dense(2))
    assert alone.built

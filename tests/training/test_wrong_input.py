"""What cannot be trained on or with is refused at once, by one error that says what and what to do."""

import numpy as np
import pytest

import distnet as keras
from distnet import errors, layers

X, Y = np.linspace(-1, 1, 32, dtype="float32").reshape(8, 4), np.eye(3, dtype="float32")[np.arange(8) % 3]
LABELS = np.arange(8) % 3


def make(loss="categorical_crossentropy", units=3, last="softmax"):
    model = keras.Sequential([layers.Input(shape=(4,)), layers.Dense(units, last)])
    model.compile("sgd", loss, ["accuracy"])
    return model


@pytest.mark.parametrize(
    ("x", "y", "error", "message"),
    [
        (X[:, :3], Y, errors.ShapeError, r"expected rows of shape \(4,\), received \(3,\) \(x has shape \(8, 3\)\)"),
        (X[:7], Y, errors.ShapeError, "x has 7, y has 8"),
        (X, Y[:, :2], (errors.ShapeError, errors.DataError), r"\(8, 2\)"),
        (X, Y[:, :1], (errors.ShapeError, errors.DataError), r"\(8, 1\)"),
        (X[:0], Y[:0], errors.DataError, "at least one row"),
        (X, None, errors.DataError, "expected targets y beside x"),
        (None, Y, errors.DataError, "x: expected an array, received None"),
        (X.astype(str), Y, errors.DataError, "received strings. Encode them as numbers"),
        ([X, X], Y, errors.ShapeError, "expected 1 input array, received 2"),
        (np.full_like(X, np.nan), Y, errors.DataError, "x: row 0 holds nan"),
        (X, np.full_like(Y, np.inf), errors.DataError, "y: row 0 holds inf"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch"])
def test_wrong_data_is_refused(x, y, error, message, method):
    with pytest.raises(error, match=message):
        getattr(make(), method)(x, y)


@pytest.mark.parametrize("labels", [LABELS + 1, LABELS - 1, LABELS + 0.5])
def test_labels_out_of_range_are_refused(labels):
    with pytest.raises(errors.DataError, match="label|class"):
        make("sparse_categorical_crossentropy").fit(X, labels, verbose=0)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"batch_size": 0}, errors.ArgumentError, "batch_size: expected a positive integer, received 0"),
        ({"batch_size": -4}, errors.ArgumentError, "batch_size"),
        ({"batch_size": 2.5}, errors.ArgumentError, "batch_size"),
        ({"batch_size": "8"}, errors.ArgumentError, "batch_size"),
        ({"batch_size": True}, errors.ArgumentError, "batch_size"),
        ({"epochs": -1}, errors.ArgumentError, "epochs"),
        ({"epochs": 1.5}, errors.ArgumentError, "epochs"),
        ({"initial_epoch": -1}, errors.ArgumentError, "initial_epoch: expected an integer of at least 0"),
        ({"steps_per_epoch": 0}, errors.ArgumentError, "steps_per_epoch"),
        ({"validation_split": 1.0}, errors.ArgumentError, "validation_split"),
        ({"validation_split": -0.5}, errors.ArgumentError, "validation_split"),
        ({"validation_split": 0.99}, errors.DataError, "of 8 rows leaves 0 rows to train on and 8"),
        ({"validation_data": X}, errors.ArgumentError, r"validation_data: expected \(x, y\)"),
        ({"validation_data": (X[:, :2], Y)}, errors.ShapeError, r"validation_data: .*received \(2,\)"),
        ({"validation_data": (X[:0], Y[:0])}, errors.DataError, "validation_data: .*at least one row"),
        ({"validation_data": (X, Y), "validation_steps": 0}, errors.ArgumentError, "validation_steps"),
        ({"validation_data": (X, Y), "validation_batch_size": 0}, errors.ArgumentError, "validation_batch_size"),
        ({"validation_data": (X, Y), "validation_freq": 0}, errors.ArgumentError, "validation_freq"),
        ({"validation_data": (X, Y), "validation_freq": 1.5}, errors.ArgumentError, "validation_freq"),
        ({"validation_data": (X, Y), "validation_freq": "a"}, errors.ArgumentError, "validation_freq"),
        ({"validation_data": (X, Y), "validation_freq": 0, "epochs": 3}, errors.ArgumentError, "validation_freq"),
        ({"validation_data": (X, Y[:, :2])}, errors.ShapeError, r"validation_data: .*\(8, 2\)"),
        ({"validation_data": (X, Y[:5])}, errors.ShapeError, "validation_data: .*y has 5"),
        ({"validation_data": (X, None)}, errors.DataError, "validation_data: .*expected targets"),
        ({"validation_split": "0.2"}, errors.ArgumentError, "validation_split"),
        ({"sample_weight": ["a"] * 8}, errors.ArgumentError, "sample_weight: expected numbers"),
        ({"sample_weight": {0: 1}}, errors.DataError, "sample_weight: expected a dict with the keys .*received .0"),
        ({"shuffle": "rows"}, errors.ArgumentError, "shuffle"),
        ({"verbose": 3}, errors.ArgumentError, "verbose: expected 0, 1, 2 or 'auto', received 3"),
        ({"class_weight": [1, 2]}, errors.ArgumentError, "class_weight"),
        ({"class_weight": {0: 1}, "sample_weight": np.ones(8)}, errors.ArgumentError, "received both"),
        ({"sample_weight": np.ones(7)}, errors.ShapeError, "sample_weight"),
        ({"sample_weight": np.full(8, np.nan)}, errors.DataError, "sample_weight: row 0 holds nan"),
        ({"callbacks": 3}, errors.ArgumentError, "callback"),
        ({"callbacks": [keras.callbacks.History]}, errors.ArgumentError, "callback"),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_wrong_arguments_of_fit_are_refused_before_anything_is_trained(options, error, message):
    model = make()
    before = model.get_weights()
    with pytest.raises(error, match=message):
        model.fit(X, Y, verbose=options.pop("verbose", 0), **options)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def test_validation_labels_out_of_range_are_refused_before_anything_is_trained():
    model = make("sparse_categorical_crossentropy")
    before = model.get_weights()
    with pytest.raises(errors.DataError, match="validation_data: .*class numbers"):
        model.fit(X, LABELS, verbose=0, validation_data=(X, LABELS + 1))
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def test_labels_out_of_range_in_the_split_part_are_refused_before_anything_is_trained():
    model = make("sparse_categorical_crossentropy")
    before = model.get_weights()
    with pytest.raises(errors.DataError, match="validation_split: .*class numbers"):
        model.fit(X, np.where(np.arange(8) == 7, 3, LABELS), verbose=0, validation_split=0.25)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def test_validation_freq_may_be_numpys():
    history = make().fit(X, Y, epochs=4, verbose=0, validation_data=(X, Y), validation_freq=np.int64(2))
    assert len(history.history["val_loss"]) == 2


@pytest.mark.parametrize("method", ["evaluate", "predict"])
@pytest.mark.parametrize("options", [{"batch_size": 0}, {"batch_size": -1}, {"steps": 0}, {"verbose": 5}])
def test_wrong_arguments_of_evaluate_and_predict_are_refused(method, options):
    data = (X,) if method == "predict" else (X, Y)
    with pytest.raises(errors.ArgumentError, match=next(iter(options))):
        getattr(make(), method)(*data, **options)

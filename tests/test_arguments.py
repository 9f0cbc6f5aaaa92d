"""Fields say what they take; whatever they belong to, another value is refused when the object is made."""

import numpy as np
import pytest

from distnet import (
    arguments,
    callbacks,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    registry,
    regularizers,
)
from distnet.errors import ArgumentError, UnknownNameError
from distnet.preprocessing.image import ImageDataGenerator

WRONG = [
    (lambda: layers.Dense(4, use_bias="no"), "use_bias: expected True or False, received 'no'"),
    (lambda: layers.Dense(4, trainable="yes"), "trainable: expected True or False"),
    (lambda: layers.LSTM(4, return_sequences=2), "return_sequences: expected True or False, received 2"),
    (lambda: layers.Dropout(0.5, seed="a"), "seed: expected an integer of at least 0, received 'a'"),
    (lambda: layers.Dropout(0.5, seed=1.5), "seed: expected an integer of at least 0, received 1.5"),
    (lambda: layers.ActivityRegularization(l1="a"), r"l1: expected a number in \[0, inf\), received 'a'"),
    (lambda: losses.Huber(delta="a"), r"Huber.delta: expected a number in \(0, inf\)"),
    (lambda: losses.CategoricalCrossentropy(label_smoothing=2), r"label_smoothing: expected a number in \[0, 1\]"),
    (lambda: losses.BinaryCrossentropy(from_logits="a"), "from_logits: expected True or False"),
    (lambda: metrics.TopKCategoricalAccuracy(k=0), "k: expected a positive integer, received 0"),
    (lambda: metrics.AUC(num_thresholds=2.5), "num_thresholds: expected an integer"),
    (lambda: regularizers.L1(True), "L1.l1: expected a number"),
    (lambda: initializers.RandomNormal(stddev=-1), r"stddev: expected a number in \[0, inf\), received -1"),
    (lambda: initializers.RandomUniform(1, -1), "expected minval up to maxval, received 1 and -1"),
    (lambda: initializers.Constant("a"), "expected a number or an array of numbers, received 'a'"),
    (lambda: constraints.MaxNorm("a"), "MaxNorm.max_value: expected a number"),
    (lambda: constraints.MinMaxNorm(2, 1), "expected min_value up to max_value, received 2 and 1"),
    (lambda: optimizers.SGD(nesterov="a"), "SGD.nesterov: expected True or False"),
    (lambda: optimizers.Adam(gradient_accumulation_steps=1), "expected an integer of at least 2, received 1"),
    (lambda: ImageDataGenerator(rotation_range="a"), "rotation_range: expected a number, received 'a'"),
    (lambda: ImageDataGenerator(horizontal_flip="a"), "horizontal_flip: expected True or False"),
    (lambda: ImageDataGenerator(width_shift_range="a"), "width_shift_range: expected numbers, received 'a'"),
    (lambda: ImageDataGenerator(preprocessing_function=3), "preprocessing_function: expected a function, received 3"),
]


@pytest.mark.parametrize(("make", "message"), WRONG, ids=[message for _, message in WRONG])
def test_a_field_takes_what_its_annotation_and_its_range_say(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


@pytest.mark.parametrize("one", [1, np.int32(1), np.int64(1)])
def test_integers_and_truth_values_may_be_numpys(one):
    assert layers.Dense(one, use_bias=np.bool_(True)).units == 1
    assert layers.Dropout(np.float32(0.5), seed=one).seed == 1


def test_options_are_compared_without_asking_arrays_for_their_truth():
    with pytest.raises(ArgumentError, match=r"shuffle: expected one of \[True, False\], received array"):
        arguments.check_option("shuffle", np.array([1, 2]), (True, False))


@pytest.mark.parametrize(
    ("family", "name", "meant"),
    [
        (optimizers.OPTIMIZERS, "adm", "'Adam'"),
        (losses.LOSSES, "mes", "'mse'"),
        (losses.LOSSES, "categorical_crossentrpy", "'CategoricalCrossentropy'"),
        (initializers.INITIALIZERS, "he_norml", "'HeNormal'"),
    ],
)
def test_a_name_with_a_slip_is_told_what_it_may_have_meant(family, name, meant):
    with pytest.raises(UnknownNameError, match=f"unknown .* {name!r}. Did you mean .*{meant}"):
        family.get(name)


def test_what_an_object_cannot_be_made_without_is_named():
    with pytest.raises(ArgumentError, match=r"the layer LSTM needs units. Pass an object, such as LSTM\(units=...\)"):
        layers.Bidirectional("lstm")
    with pytest.raises(ArgumentError, match=r"Dense: the configuration lacks \['units'\]"):
        layers.Dense.from_config({"name": "d"})


def test_the_kind_of_thing_is_named_with_its_article():
    family = registry.Registry("activation", int)
    with pytest.raises(ArgumentError, match="expected an activation"):
        family.get(3.5)


def test_a_frequency_is_a_word_or_a_number_of_batches():
    assert arguments.check_frequency("a", "epoch", ["epoch"]) == "epoch"
    number = arguments.check_frequency("a", np.int64(5), ["epoch"])
    assert (type(number), number) == (int, 5)
    for wrong in (True, 0, -1, 1.5, None, "batch"):
        with pytest.raises(ArgumentError, match=f"^a: expected 'epoch' or a number of batches, received {wrong!r}"):
            arguments.check_frequency("a", wrong, ["epoch"])


@pytest.mark.parametrize(
    ("make", "name"), [(callbacks.TensorBoard, "update_freq"), (callbacks.ModelCheckpoint, "save_freq")]
)
def test_callbacks_take_numbers_of_batches_of_numpy(make, name, tmp_path):
    assert type(getattr(make(str(tmp_path / "x.h5"), **{name: np.int64(5)}), name)) is int

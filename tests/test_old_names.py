"""Keras 1's names of arguments and layers make what today's names make."""

from __future__ import annotations

import inspect

import pytest

from distnet import layers
from distnet.errors import ArgumentError
from distnet.layers import LAYERS
from distnet.old_names import ARGUMENTS, CLASSES, present_arguments

OLD_AND_NEW = {
    "Dense": (
        lambda: layers.Dense(output_dim=3, init="uniform", W_regularizer="l2", bias=False),
        lambda: layers.Dense(3, kernel_initializer="uniform", kernel_regularizer="l2", use_bias=False),
    ),
    "Conv2D": (
        lambda: layers.Conv2D(8, 3, 5, border_mode="same", subsample=(2, 1), dim_ordering="tf"),
        lambda: layers.Conv2D(8, (3, 5), padding="same", strides=(2, 1), data_format="channels_last"),
    ),
    "extents by name": (
        lambda: layers.Conv2D(nb_filter=8, nb_row=3, nb_col=5),
        lambda: layers.Conv2D(8, (3, 5)),
    ),
    "one extent by name": (
        lambda: layers.Conv2D(8, 3, nb_col=5),
        lambda: layers.Conv2D(8, (3, 5)),
    ),
    "Convolution2D": (
        lambda: layers.Convolution2D(8, 3, 5, activation="relu"),
        lambda: layers.Conv2D(8, (3, 5), activation="relu"),
    ),
    "Convolution1D": (
        lambda: layers.Convolution1D(nb_filter=4, filter_length=3, subsample_length=2, input_dim=5, input_length=9),
        lambda: layers.Conv1D(4, 3, strides=2, input_shape=(9, 5)),
    ),
    "AtrousConvolution2D": (
        lambda: layers.AtrousConvolution2D(4, 3, 3, atrous_rate=(2, 2)),
        lambda: layers.Conv2D(4, (3, 3), dilation_rate=(2, 2)),
    ),
    "Deconvolution2D": (
        lambda: layers.Deconvolution2D(4, 3, 3, (None, 14, 14, 4), subsample=(2, 2)),
        lambda: layers.Conv2DTranspose(4, (3, 3), strides=(2, 2)),
    ),
    "SeparableConvolution2D": (
        lambda: layers.SeparableConvolution2D(4, 3, 3, border_mode="same"),
        lambda: layers.SeparableConv2D(4, (3, 3), padding="same"),
    ),
    "MaxPooling1D": (
        lambda: layers.MaxPooling1D(pool_length=3, stride=2, border_mode="same"),
        lambda: layers.MaxPooling1D(3, strides=2, padding="same"),
    ),
    "MaxPooling2D": (
        lambda: layers.MaxPooling2D((2, 2), border_mode="same", dim_ordering="tf"),
        lambda: layers.MaxPooling2D((2, 2), padding="same", data_format="channels_last"),
    ),
    "UpSampling1D": (
        lambda: layers.UpSampling1D(length=3),
        lambda: layers.UpSampling1D(3),
    ),
    "Dropout": (
        lambda: layers.Dropout(p=0.3),
        lambda: layers.Dropout(0.3),
    ),
    "GaussianNoise": (
        lambda: layers.GaussianNoise(sigma=0.3),
        lambda: layers.GaussianNoise(0.3),
    ),
    "BatchNormalization": (
        lambda: layers.BatchNormalization(mode=0, beta_init="one"),
        lambda: layers.BatchNormalization(beta_initializer="ones"),
    ),
    "LSTM": (
        lambda: layers.LSTM(
            output_dim=4,
            inner_init="orthogonal",
            inner_activation="hard_sigmoid",
            dropout_W=0.1,
            dropout_U=0.2,
            forget_bias_init="zero",
            consume_less="gpu",
            input_dim=3,
            input_length=7,
        ),
        lambda: layers.LSTM(
            4,
            recurrent_initializer="orthogonal",
            recurrent_activation="hard_sigmoid",
            dropout=0.1,
            recurrent_dropout=0.2,
            unit_forget_bias=False,
            implementation=2,
            input_shape=(7, 3),
        ),
    ),
    "Embedding": (
        lambda: layers.Embedding(9, 4, init="uniform", W_constraint="nonneg"),
        lambda: layers.Embedding(9, 4, embeddings_initializer="uniform", embeddings_constraint="nonneg"),
    ),
    "TimeDistributedDense": (
        lambda: layers.TimeDistributedDense(4, input_dim=3, input_length=7),
        lambda: layers.Dense(4, input_shape=(7, 3)),
    ),
}


@pytest.mark.parametrize(("old", "new"), OLD_AND_NEW.values(), ids=OLD_AND_NEW.keys())
def test_old_arguments_make_the_layer_of_the_new_ones_and_say_so(old, new):
    with pytest.warns(UserWarning, match="Keras 1"):
        layer = old()
    expected = new()
    assert type(layer) is type(expected)
    assert {**layer.get_config(), "name": ""} == {**expected.get_config(), "name": ""}
    assert layer.batch_input_shape == expected.batch_input_shape


def test_paddings_by_side_are_those_of_keras_1():
    present = present_arguments("ZeroPadding2D", {"padding": {"top_pad": 1, "right_pad": 2}, "dim_ordering": "tf"})
    assert present == {"padding": ((1, 0), (0, 2)), "data_format": "channels_last"}


def test_a_third_number_is_the_strides_of_conv2d_as_in_keras_3():
    layer = layers.Conv2D(8, 3, 2)
    assert (layer.kernel_size, layer.strides) == ((3, 3), (2, 2))


def test_an_old_name_of_a_class_stands_for_todays():
    layer = layers.Conv2D(2, 3)
    assert isinstance(layer, layers.Convolution2D)
    assert not isinstance(layers.Dense(2), layers.Convolution2D)
    assert issubclass(layers.Conv2D, layers.Convolution2D)
    assert type(layers.Convolution2D(2, (3, 3))) is layers.Conv2D


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Dense(3, output_dim=4), "received units and also output_dim"),
        (lambda: layers.Conv2D(3, (3, 3), padding="same", border_mode="same"), "received padding and also border_mode"),
        (lambda: layers.BatchNormalization(mode=2), "modes 1 and 2"),
        (lambda: layers.LSTM(3, forget_bias_init="uniform"), "'one' or 'zero'"),
    ],
)
def test_what_has_no_meaning_today_is_refused(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


def test_an_unknown_argument_is_still_an_error():
    with pytest.raises(TypeError, match="unexpected keyword argument 'nb_units'"):
        layers.Dense(3, nb_units=3)


def test_a_configuration_of_keras_1_is_put_into_todays_words():
    config = {
        **{
            "name": "convolution2d_1",
            "trainable": True,
            "batch_input_shape": [None, 28, 28, 1],
            "input_dtype": "float32",
        },
        **{
            "nb_filter": 32,
            "nb_row": 3,
            "nb_col": 4,
            "border_mode": "valid",
            "subsample": [1, 1],
            "dim_ordering": "th",
        },
        **{"init": "glorot_uniform", "activation": "linear", "W_regularizer": None, "b_constraint": None, "bias": True},
    }
    assert present_arguments("Convolution2D", config) == {
        **{"name": "convolution2d_1", "trainable": True, "batch_input_shape": [None, 28, 28, 1]},
        **{
            "filters": 32,
            "kernel_size": (3, 4),
            "padding": "valid",
            "strides": [1, 1],
            "data_format": "channels_first",
        },
        **{"kernel_initializer": "glorot_uniform", "activation": "linear", "kernel_regularizer": None},
        **{"bias_constraint": None, "use_bias": True},
    }


def test_every_new_name_in_the_table_is_an_argument_of_its_class():
    importable = LAYERS.classes()
    for kind, names in ARGUMENTS.items():
        if kind in importable and kind != "Model":
            parameters = inspect.signature(importable[kind]).parameters
            optional = {"atrous_rate", "dim_ordering"}
            missing = {new for old, new in names.items() if new not in parameters and old not in optional}
            assert not missing, kind
    assert {kind for kind in CLASSES.values() if kind in importable} >= {"Conv1D", "Conv2D", "Dense"}

"""Methods of a model with Keras 1's arguments do what today's do."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import distnet as keras

X, Y = np.random.default_rng(0).normal(size=(10, 3)), np.arange(10) % 2


class Batches(keras.utils.Sequence):
    def __len__(self):
        return 5

    def __getitem__(self, index):
        return X[2 * index : 2 * index + 2], Y[2 * index : 2 * index + 2]


def generator():
    while True:
        for i in range(5):
            yield X[2 * i : 2 * i + 2], Y[2 * i : 2 * i + 2]


def new_model():
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.layers.Dense(1, activation="sigmoid", input_dim=3)])
    model.compile("sgd", "binary_crossentropy")
    return model


def losses_of(train):
    return train(new_model()).history["loss"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (lambda m: m.fit(X, Y, nb_epoch=3, verbose=0), lambda m: m.fit(X, Y, epochs=3, verbose=0)),
        (lambda m: m.fit(X, Y, show_accuracy=True, verbose=0), lambda m: m.fit(X, Y, verbose=0)),
        (
            lambda m: m.fit_generator(generator(), samples_per_epoch=10, nb_epoch=2, verbose=0),
            lambda m: m.fit_generator(generator(), steps_per_epoch=5, epochs=2, verbose=0),
        ),
        (
            lambda m: m.fit_generator(
                Batches(), samples_per_epoch=8, nb_epoch=2, shuffle=False, verbose=0, nb_worker=2
            ),
            lambda m: m.fit_generator(Batches(), steps_per_epoch=4, epochs=2, shuffle=False, verbose=0, workers=2),
        ),
    ],
)
def test_training_takes_keras_1s_arguments(old, new):
    with pytest.warns(UserWarning, match="Keras 1"):
        losses = losses_of(old)
    with warnings.catch_warnings(action="error"):
        assert losses == losses_of(new)


def test_generators_of_validation_count_rows_too():
    def train(model):
        return model.fit_generator(generator(), 5, epochs=1, validation_data=generator(), nb_val_samples=4, verbose=0)

    with pytest.warns(UserWarning, match="validation_steps=2"):
        history = train(new_model()).history
    assert history["val_loss"]


def test_evaluation_and_prediction_count_rows():
    model = new_model()
    with pytest.warns(UserWarning, match="steps=3"):
        assert model.predict_generator(generator(), val_samples=6).shape == (6, 1)
    with pytest.warns(UserWarning, match="show_accuracy"):
        assert model.evaluate(X, Y, show_accuracy=True, verbose=0) > 0


def test_models_and_compilation_take_keras_1s_arguments():
    a = keras.Input(shape=(3,))
    with pytest.warns(UserWarning, match="Write inputs, outputs"):
        model = keras.Model(input=a, output=keras.layers.Dense(1)(a))
    with pytest.warns(UserWarning, match="class_mode"):
        model.compile(loss="mse", optimizer="sgd", class_mode="binary")
    assert model.predict(X, verbose=0).shape == (10, 1)

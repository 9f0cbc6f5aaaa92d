"""Writes saved_standalone_VERSION.zip beside this file: models that Keras before TensorFlow's saved, on Theano.

And saved_standalone_VERSION_tensorflow.zip where KERAS_BACKEND says so, with what Theano lacks.

    KERAS_BACKEND=theano THEANO_FLAGS=cxx=,floatX=float32 PYTHONPATH=FOLDER_OF_KERAS python3.6 make_standalone.py FOLDER

The Keras of PYTHONPATH (1.2.2, 2.0.8, 2.1.2, 2.2.4 and 2.3.1 were used) and Theano 1.0.5 or TensorFlow 1.14 do it, on
Python 3.6. Each model is
trained and saved; what it then predicts, the losses of further epochs and what it predicts after them are noted beside
it, in the form of ``make_saved.py``.
"""

# ruff: noqa: F405, N812
import os
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
from keras import backend as K
from keras.layers import *  # noqa: F403
from keras.models import Model, Sequential
from keras.optimizers import SGD, Adadelta, Adagrad, Adam, Adamax, Nadam, RMSprop

if K.backend() == "theano":
    import theano.ifelse  # noqa: F401  (Keras 1 uses it without importing it)

VERSION = keras.__version__
IS_1 = VERSION.startswith("1.")
ROWS, CASES = 20, {}
EPOCHS = "nb_epoch" if IS_1 else "epochs"


def case(function):
    CASES[function.__name__] = function
    return function


def wave(*shape, phase=0.0):
    numbers = np.arange(ROWS * int(np.prod(shape)), dtype="float64")
    return np.sin(numbers * 0.7 + 0.13 * numbers**1.1 + phase).astype("float32").reshape((ROWS,) + shape)


def classes(n):
    return np.eye(n, dtype="float32")[(np.arange(ROWS) * 7 // 3) % n]


def words(length, size):
    found = (np.abs(wave(length)) * (size - 1)).astype("int32") + 1
    return np.where(np.arange(length) < 2 + np.arange(ROWS)[:, None] % (length - 1), found, 0).astype("int32")


def chain(shape, *layers, **settings):
    """A regression on the last layer's output; rare gradients make epsilon matter."""
    model = Sequential()
    for layer in layers:
        model.add(layer)
    model.compile(settings.get("optimizer", "adam"), settings.get("loss", "mse"), metrics=settings.get("metrics", []))
    x = settings.get("x", wave(*shape))
    return model, [x], [settings.get("y", wave(*model.output_shape[1:], phase=2.0))]


def mlp(optimizer):
    x = wave(4)
    x[:, 3] *= 1e-4  # whose gradients are as small as epsilon
    return chain((4,), Dense(5, activation="tanh", input_shape=(4,)), Dense(2), optimizer=optimizer, x=x)


OPTIMIZERS = {
    "sgd_clipnorm": lambda: SGD(lr=0.05, momentum=0.9, nesterov=True, decay=0.01, clipnorm=0.1),
    "rmsprop": lambda: RMSprop(lr=0.01),
    "adagrad": lambda: Adagrad(lr=0.05),
    "adadelta": lambda: Adadelta(lr=0.5),
    "adam": lambda: Adam(lr=0.01, decay=0.05),
    "adamax": lambda: Adamax(lr=0.01),
    "nadam": lambda: Nadam(lr=0.01),
    "both_clips": lambda: SGD(lr=0.5, clipnorm=0.1, clipvalue=0.05),
}
for _name, _make in OPTIMIZERS.items():
    CASES[_name] = lambda make=_make: mlp(make())


def with_loss(loss, activation, y, metrics=()):
    return chain(
        (4,), Dense(y.shape[-1], activation=activation, input_shape=(4,)), loss=loss, y=y, metrics=list(metrics),
        optimizer=SGD(lr=0.2),
    )  # fmt: skip


BITS = (wave(3, phase=1.0) > 0).astype("float32")
LOSSES = {
    "hinge": lambda: with_loss("hinge", "tanh", BITS, ["squared_hinge"]),
    "squared_hinge": lambda: with_loss("squared_hinge", "tanh", BITS, ["hinge", "cosine_proximity"]),
    "cosine": lambda: with_loss("cosine_proximity", "linear", wave(3, phase=2.0), ["cosine_proximity"]),
    "many_bits": lambda: with_loss("binary_crossentropy", "sigmoid", BITS, ["accuracy", "binary_accuracy"]),
    "rounded": lambda: with_loss("mse", "linear", np.round(2 * wave(1, phase=2.0)), ["accuracy"]),
}
CASES.update(LOSSES)


@case
def masked_steps():
    x = wave(6, 3)
    x[::3, 3:] = 0
    y = np.eye(2, dtype="float32")[np.arange(ROWS * 6).reshape((ROWS, 6)) % 2]
    last = TimeDistributed(Dense(2, activation="softmax"))
    return chain((6, 3), Masking(0.0, input_shape=(6, 3)), last, loss="categorical_crossentropy", x=x, y=y)


def of_keras_1():
    from keras.constraints import maxnorm, nonneg
    from keras.regularizers import WeightRegularizer, l2

    K.set_image_dim_ordering("tf")

    @case
    def dense_1():
        return chain(
            (6,), Dense(5, input_dim=6, init="uniform", W_regularizer=l2(0.01), b_constraint=nonneg()),
            Activation("relu"), Dropout(0.0), BatchNormalization(epsilon=2e-5),
            Dense(4, bias=False, W_constraint=maxnorm(1.5)), PReLU(), LeakyReLU(0.2), RepeatVector(3),
            Permute((2, 1)), Reshape((6, 2)), Flatten(),
            Dense(3, activation="softmax", W_regularizer=WeightRegularizer(l1=0.01, l2=0.02)),
            loss="categorical_crossentropy", metrics=["accuracy"], y=classes(3), optimizer=SGD(lr=0.1, momentum=0.5),
        )  # fmt: skip

    @case
    def sequences_1():
        return chain(
            (7, 3), LSTM(3, return_sequences=True, input_dim=3, input_length=7),
            GRU(3, return_sequences=True, inner_activation="sigmoid"),
            Bidirectional(LSTM(2, return_sequences=True)), TimeDistributed(Dense(3)),
            SimpleRNN(3, consume_less="mem", return_sequences=True), GRU(3, go_backwards=True), Dense(2),
        )  # fmt: skip

    @case
    def words_1():
        return chain((6,), Embedding(12, 4, input_length=6, mask_zero=True), LSTM(3), Dense(2), x=words(6, 12))

    @case
    def merged_1():
        left, right = Input((4,)), Input((4,))
        shared = Dense(5, activation="tanh")
        one, other = shared(left), shared(right)
        parts = [merge([one, other], mode=mode) for mode in ("sum", "mul", "ave", "max")]
        parts += [merge([one, other], mode="concat"), merge([one, other], mode="dot", dot_axes=1)]
        model = Model(input=[left, right], output=[Dense(2, name="p")(merge(parts, mode="concat", concat_axis=1)), one])
        model.compile("rmsprop", {"p": "mse", model.output_names[1]: "mae"}, loss_weights=[1.0, 0.5])
        return model, [wave(4), wave(4, phase=3.0)], [wave(2, phase=1.0), wave(5)]

    @case
    def penalties_1():
        from keras.regularizers import l1

        penalties = {"W_regularizer": l1(0.1), "U_regularizer": l2(0.02), "b_regularizer": l2(0.3)}
        return chain(
            (5, 3), LSTM(3, return_sequences=True, input_shape=(5, 3), **penalties),
            GRU(2, return_sequences=True, consume_less="gpu", **penalties), SimpleRNN(2, **penalties),
        )  # fmt: skip

    @case
    def masked_metrics_1():
        model, x, y = masked_steps()
        model.compile("sgd", "categorical_crossentropy", metrics=["accuracy", "mae"])
        return model, x, y

    @case
    def separable_1():
        layer = SeparableConvolution2D(3, 2, 3, input_shape=(2, 6, 6), dim_ordering="th", depth_multiplier=2)
        return chain((2, 6, 6), layer, Flatten(), optimizer=SGD(lr=0.5))

    @case
    def branches_1():
        left, right = Sequential(), Sequential()
        left.add(Dense(3, input_dim=4))
        right.add(Dense(3, input_dim=2, activation="relu"))
        model = Sequential()
        model.add(Merge([left, right], mode="concat"))
        model.add(Dense(2))
        model.compile("adam", "mse")
        return model, [wave(4), wave(2, phase=3.0)], [wave(2, phase=1.0)]

    @case
    def nested_1():
        inner = Sequential()
        inner.add(Dense(4, input_dim=3, activation="tanh"))
        inner.add(BatchNormalization(epsilon=2e-5))  # which Theano's moving variance contains
        entry = Input((3,))
        model = Model(entry, Dense(2)(inner(entry)))
        model.compile("adam", "mse")
        return model, [wave(3)], [wave(2, phase=1.0)]

    if K.backend() == "tensorflow":
        return ["separable_1"]
    shown = ["rmsprop", "adagrad", "adam", "nadam", "both_clips"]
    shown += [name for name in LOSSES if name != "squared_hinge"]  # the cosine of labels 0 is nan on Theano
    return shown + [name for name in CASES if name.endswith("_1") and name != "separable_1"]


def of_keras_2():
    @case
    def sequences():
        return chain(
            (7, 3), Conv1D(4, 3, input_shape=(7, 3)), LSTM(3, return_sequences=True), GRU(3), Dense(2),
            optimizer="rmsprop",
        )  # fmt: skip

    optimizers, losses = list(OPTIMIZERS), list(LOSSES) + ["masked_steps"]
    return {
        "2.0.8": losses,
        "2.1.2": optimizers,
        "2.2.4": ["rmsprop", "adagrad", "nadam", "sgd_clipnorm", "adam", "sequences"] + losses,
        # on Theano every comparison of its binary accuracy holds
        "2.3.1": ["rmsprop", "adagrad", "adadelta", "nadam"] + [name for name in losses if name != "rounded"],
    }[VERSION]


def given(arrays):
    return arrays[0] if len(arrays) == 1 else arrays


def as_list(values):
    return values if isinstance(values, list) else [values]


def make(name, folder):
    np.random.seed(1)
    model, x, y = CASES[name]()

    def fit(epochs):
        options = {EPOCHS: epochs, "batch_size": 8, "shuffle": False, "verbose": 0}
        return model.fit(given(x), given(y), **options).history["loss"]

    def numbers(predicted, evaluated):
        found = {f"{predicted}{i}": a for i, a in enumerate(as_list(model.predict(given(x), verbose=0)))}
        found[evaluated] = np.atleast_1d(model.evaluate(given(x), given(y), batch_size=8, verbose=0))
        return found

    fit(3)
    found = numbers("pred", "evaluate")
    model.save(str(folder / (name + ".h5")))
    found["next_losses"] = np.array(fit(7))
    found.update(numbers("after", "evaluate_after"))
    for what, arrays in (("x", x), ("y", y)):
        found.update({f"{what}{i}": array for i, array in enumerate(arrays)})
    np.savez(str(folder / (name + ".npz")), **found)


def main():
    folder = Path(sys.argv[1])
    os.makedirs(str(folder), exist_ok=True)
    shown = of_keras_1() if IS_1 else of_keras_2()
    for name in shown:
        if not (folder / (name + ".npz")).exists():
            print(name, flush=True)
            make(name, folder)
    backend = "" if K.backend() == "theano" else f"_{K.backend()}"
    path = Path(__file__).with_name(f"saved_standalone_{VERSION.replace('.', '_')}{backend}.zip")
    with zipfile.ZipFile(str(path), "w", zipfile.ZIP_LZMA) as archive:
        for name in shown:
            for ending in (".h5", ".npz"):
                data = (folder / (name + ending)).read_bytes()
                archive.writestr(zipfile.ZipInfo(name + ending), data, zipfile.ZIP_LZMA)


if __name__ == "__main__":
    main()

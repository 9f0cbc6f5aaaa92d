"""Writes saved_cudnn.zip beside this file: models of CuDNN's layers, and what Keras computes with their weights.

    KERAS_BACKEND=tensorflow PYTHONPATH=FOLDER_OF_KERAS_2_2_4 python3.6 make_cudnn.py FOLDER

Keras 2.2.4 on TensorFlow 1.14 makes and saves them, which needs no GPU, and loads them into the same models of LSTM and
GRU, which it computes with, in the form of ``make_saved.py``.
"""

import os
import sys
import zipfile
from pathlib import Path

import numpy as np
from keras import backend, layers, models

ROWS = 20


def without_gpu(layer, inputs, initial_state):
    """What such a layer makes where it need not compute: zeros of its shape."""
    state = backend.expand_dims(initial_state[0], 1)
    sequences = backend.zeros_like(inputs[:, :, :1]) + state
    return sequences if layer.return_sequences else initial_state[0], initial_state


layers.CuDNNLSTM._process_batch = layers.CuDNNGRU._process_batch = without_gpu


def wave(*shape, phase=0.0):
    numbers = np.arange(ROWS * int(np.prod(shape)), dtype="float64")
    return np.sin(numbers * 0.7 + 0.13 * numbers**1.1 + phase).astype("float32").reshape((ROWS,) + shape)


def stacked(lstm, gru):
    inner = models.Sequential([lstm(2, return_sequences=True, input_shape=(1, 3))])
    return models.Sequential(
        [
            lstm(3, return_sequences=True, input_shape=(6, 3)),
            layers.Bidirectional(gru(2, return_sequences=True)),
            layers.Bidirectional(lstm(2, return_sequences=True), merge_mode="sum"),
            layers.Dense(3),
            layers.Reshape((6, 1, 3)),
            layers.TimeDistributed(inner),
            layers.TimeDistributed(gru(2)),
            gru(3, go_backwards=True),
            layers.Dense(2),
        ]
    )


def with_biases(model):
    """Biases that are not 0, all of them different."""
    rng = np.random.RandomState(1)
    model.set_weights([w if w.ndim > 1 else w + rng.uniform(-0.3, 0.3, w.shape) for w in model.get_weights()])
    return model


def main():
    folder = Path(sys.argv[1])
    os.makedirs(str(folder), exist_ok=True)
    np.random.seed(1)
    model = with_biases(stacked(layers.CuDNNLSTM, layers.CuDNNGRU))
    model.compile("sgd", "mse")
    path = str(folder / "cudnn.h5")
    model.save(path)
    backend.clear_session()

    def gru(*args, **kwargs):
        return layers.GRU(*args, reset_after=True, recurrent_activation="sigmoid", **kwargs)

    def lstm(*args, **kwargs):
        return layers.LSTM(*args, recurrent_activation="sigmoid", **kwargs)

    known = stacked(lstm, gru)
    known.load_weights(path)
    known.compile("sgd", "mse")
    x, y = wave(6, 3), wave(2, phase=1.0)
    found = {"x0": x, "y0": y, "pred0": known.predict(x)}
    found["evaluate"] = np.atleast_1d(known.evaluate(x, y, batch_size=8, verbose=0))
    found["next_losses"] = np.array(known.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0).history["loss"])
    found["after0"] = known.predict(x)
    found["evaluate_after"] = np.atleast_1d(known.evaluate(x, y, batch_size=8, verbose=0))
    np.savez(str(folder / "cudnn.npz"), **found)
    with zipfile.ZipFile(str(Path(__file__).with_name("saved_cudnn.zip")), "w", zipfile.ZIP_LZMA) as archive:
        for name in ("cudnn.h5", "cudnn.npz"):
            archive.writestr(zipfile.ZipInfo(name), (folder / name).read_bytes(), zipfile.ZIP_LZMA)


if __name__ == "__main__":
    main()

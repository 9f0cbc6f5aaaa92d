"""The losses of the MNIST example's first 20 batches, on random images: mnist_losses.py OUT.npz."""

import sys

import numpy as np

import distnet as keras
from distnet import layers

if __name__ == "__main__":
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(0)
    x, y = rng.random((20 * 128, 784), dtype=np.float32), rng.integers(0, 10, 20 * 128)
    model = keras.Sequential(
        [
            layers.Dense(512, activation="relu", input_shape=(784,)),
            layers.Dropout(0.5),
            layers.Dense(256, activation="relu"),
            layers.Dropout(0.25),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("rmsprop", "sparse_categorical_crossentropy", ["accuracy"])
    so_far = []
    record = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: so_far.append(logs["loss"]))
    model.fit(x, y, batch_size=128, verbose=0, callbacks=[record])
    if keras.distribution.is_chief():
        sums = np.array(so_far) * np.arange(1, 21)
        np.savez(sys.argv[1], losses=np.diff(sums, prepend=0))

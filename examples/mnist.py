"""Recognise handwritten digits with a network of three dense layers.

Alone:              python examples/mnist.py
On four ranks:      mpirun -n 4 python examples/mnist.py
With a checkpoint:  mpirun -n 4 python examples/mnist.py --checkpoint mnist.h5
Resume from it:     mpirun -n 2 python examples/mnist.py --checkpoint mnist.h5 --resume
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np

import distnet as keras
from distnet.types import Array

Data = tuple[tuple[Array, Array], tuple[Array, Array]]


def main() -> None:
    """Train, then print the loss and the accuracy on images never trained on."""
    options = parse_options()
    if options.data:
        os.environ["DISTNET_DATA"] = str(options.data)
    keras.utils.set_random_seed(options.seed)

    (x_train, y_train), (x_test, y_test) = load_digits()
    x_train, x_test = prepare(x_train), prepare(x_test)
    y_train, y_test = keras.utils.to_categorical(y_train, 10), keras.utils.to_categorical(y_test, 10)

    model = build_model()
    model.summary()
    model.fit(
        x_train,
        y_train,
        batch_size=options.batch_size,
        epochs=options.epochs,
        verbose=options.verbose,
        validation_data=(x_test, y_test),
        callbacks=[keras.callbacks.ModelCheckpoint(options.checkpoint)] if options.checkpoint else [],
        resume=checkpoint_to_resume(options),
    )
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    say(f"Test loss: {loss:.4f}")
    say(f"Test accuracy: {accuracy:.4f}")


def build_model() -> keras.Sequential:
    """The network: 535,818 parameters."""
    model = keras.Sequential(
        [
            keras.Input(shape=(784,)),
            keras.layers.Dense(512, activation="relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(256, activation="relu"),
            keras.layers.Dropout(0.25),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
    return model


def load_digits() -> Data:
    """MNIST's images, or scikit-learn's few small ones if MNIST can be neither found nor downloaded."""
    try:
        return keras.datasets.mnist.load_data()
    except keras.errors.DatasetError as error:
        say(f"{error}\n\nTraining on scikit-learn's 1,797 small digits instead.\n")
    try:
        from sklearn.datasets import load_digits as load_small_digits
    except ImportError:
        say("These come with scikit-learn, which is not installed: pip install scikit-learn")
        raise SystemExit(1) from None
    small = load_small_digits()
    # 8 x 8 pixels of 0 to 16, each made 3 x 3 pixels of 0 to 255, in a frame of 28 x 28.
    images = np.kron(small.images, np.full((3, 3), 255 / 16)).astype(np.uint8)
    images = np.pad(images, ((0, 0), (2, 2), (2, 2)))
    return (images[:1500], small.target[:1500]), (images[1500:], small.target[1500:])


def prepare(images: Array) -> Array:
    """Images as rows of numbers between 0 and 1."""
    return np.divide(images.reshape(len(images), 784), 255, dtype="float32")


def checkpoint_to_resume(options: argparse.Namespace) -> Path | None:
    """The checkpoint to resume from; None to start afresh."""
    if not options.resume:
        return None
    if not options.checkpoint.exists():
        say(f"{options.checkpoint} does not exist yet: training starts afresh.")
        return None
    return Path(options.checkpoint)


def say(text: str) -> None:
    """Print once, however many ranks there are."""
    if keras.distribution.is_chief():
        print(text, flush=True)


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train a dense network on MNIST, on any number of ranks.")
    parser.add_argument("--epochs", type=int, default=10, help="passes over the data (default: 10)")
    parser.add_argument("--batch-size", type=int, default=128, help="images in one step, over all ranks (default: 128)")
    parser.add_argument("--checkpoint", type=Path, metavar="PATH", help="save here after each epoch")
    parser.add_argument("--resume", action="store_true", help="resume from the checkpoint, if it exists")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder with mnist/ in it (sets DISTNET_DATA)")
    parser.add_argument("--seed", type=int, default=1, help="seed of weights, shuffling and dropout (default: 1)")
    parser.add_argument("--verbose", type=int, choices=(0, 1, 2), default=1, help="0 silent, 1 bar, 2 line an epoch")
    options = parser.parse_args()
    if options.resume and not options.checkpoint:
        parser.error("--resume continues from --checkpoint PATH: give both.")
    return options


if __name__ == "__main__":
    main()

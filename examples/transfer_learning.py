"""Tell drawn shapes apart with MobileNetV2: its weights stay as they are, and a new head is trained on what it sees.

Alone:          python examples/transfer_learning.py
On four ranks:  mpirun -n 4 python examples/transfer_learning.py

``--weights`` is a file of MobileNetV2's weights without its classifier, of width ``--alpha``, such as Keras publishes,
or ``imagenet``, which downloads it. Without it the weights are random; the head learns from random features.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

import distnet as keras
from distnet.applications.mobilenet_v2 import MobileNetV2, preprocess_input
from distnet.layers import Dense, Dropout, Normalization
from distnet.preprocessing.image import ImageDataGenerator, save_img

SIZE = 96
SHAPES = ("circle", "square", "stripes")

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--weights", help="a file, or 'imagenet'; random weights without it")
parser.add_argument("--alpha", type=float, default=0.35)
parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "distnet_shapes")
parser.add_argument("--epochs", type=int, default=5)
parser.add_argument("--batch-size", type=int, default=16)
parser.add_argument("--verbose", type=int, default=1)
options = parser.parse_args()


def drawn(shape, rng):
    """A picture (H, W, 3) of a shape in some colour, at some place, in noise."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    top, left = rng.uniform(0.35 * SIZE, 0.65 * SIZE, 2)
    radius = rng.uniform(0.15 * SIZE, 0.3 * SIZE)
    inside = {
        "circle": np.hypot(rows - top, columns - left) < radius,
        "square": np.maximum(abs(rows - top), abs(columns - left)) < radius,
        "stripes": (rows + columns) // int(radius / 2) % 2 == 0,
    }[shape]
    picture = rng.uniform(0, 60, (SIZE, SIZE, 3))
    picture[inside] += rng.uniform(80, 190, 3)
    return picture


def draw(folder, count):
    """Files ``folder/part/shape/number.png``."""
    rng = np.random.default_rng(0)
    for part, of_part in (("train", count), ("test", count // 3)):
        for shape in SHAPES:
            (folder / part / shape).mkdir(parents=True, exist_ok=True)
            for i in range(of_part):
                save_img(folder / part / shape / f"{i}.png", drawn(shape, rng), scale=False)


keras.utils.set_random_seed(1)
if keras.distribution.is_chief():
    draw(options.folder, 48)
    print("Weights:", options.weights or "random, for no --weights are given")
keras.distribution.barrier()

base = MobileNetV2(
    input_shape=(SIZE, SIZE, 3), alpha=options.alpha, include_top=False, weights=options.weights, pooling="avg"
)
base.trainable = False
images = ImageDataGenerator(preprocessing_function=preprocess_input)
given = {"target_size": (SIZE, SIZE), "batch_size": options.batch_size}
train = images.flow_from_directory(options.folder / "train", **given)
test = images.flow_from_directory(options.folder / "test", shuffle=False, **given)

scaled = Normalization()
scaled.adapt(base.predict(train, verbose=0))  # every rank has all rows of what predict returns
model = keras.Sequential([base, scaled, Dropout(0.2), Dense(len(SHAPES), activation="softmax")])
model.compile(optimizer=keras.optimizers.Adam(1e-2), loss="categorical_crossentropy", metrics=["accuracy"])
model.summary()
model.fit(train, epochs=options.epochs, verbose=options.verbose)
loss, accuracy = model.evaluate(test, verbose=0)
if keras.distribution.is_chief():
    print("Test accuracy:", round(accuracy, 4))

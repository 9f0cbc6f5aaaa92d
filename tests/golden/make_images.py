"""Writes images.npz beside this file: what Keras's legacy ImageDataGenerator does with given parameters.

python tests/golden/make_images.py   (Keras 3 with its legacy image generator, SciPy and Pillow)
"""

import os
import sys
import warnings
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from keras.src.legacy.preprocessing.image import ImageDataGenerator

import packed

warnings.simplefilter("ignore")

IMAGE_SHAPES = {"grey": (9, 8, 1), "colour": (7, 7, 3), "alpha": (5, 6, 4)}
CHANGES = [
    {"theta": 33.0},
    {"tx": 2.3, "ty": -1.6},
    {"shear": -20.0},
    {"zx": 0.7, "zy": 1.4},
    {"theta": -75.0, "tx": 1.2, "ty": 3.1, "shear": 12.0, "zx": 1.2, "zy": 0.9},
    {"theta": 5.0, "flip_horizontal": True, "channel_shift_intensity": 31.5},
    {"flip_vertical": True, "channel_shift_intensity": -60.25},
    {"brightness": 0.37},
    {"flip_horizontal": True, "flip_vertical": True, "brightness": 1.83, "zx": 1.1},
]
FILLINGS = [("nearest", 1), ("constant", 1), ("reflect", 1), ("wrap", 1), ("nearest", 0), ("constant", 0), ("wrap", 0)]
NORMALIZATIONS = [
    {"rescale": 1 / 255},
    {"samplewise_center": True, "samplewise_std_normalization": True},
    {"featurewise_center": True},
    {"featurewise_center": True, "featurewise_std_normalization": True, "rescale": 0.5},
    {"zca_whitening": True, "zca_epsilon": 1e-2, "rescale": 1 / 255},
]


def main():
    rng = np.random.default_rng(5)
    arrays, cases = {}, []

    def record(kind, y, **case):
        name = f"y{len(cases)}"
        arrays[name] = y
        cases.append({"kind": kind, "y": name, **case})

    for name, shape in IMAGE_SHAPES.items():
        arrays[name] = np.round(rng.uniform(0, 255, shape)).astype("float32")
    arrays["signed"] = rng.normal(0, 2, (6, 6, 3)).astype("float32")
    for i, change in enumerate(CHANGES):
        for j, (fill_mode, order) in enumerate(FILLINGS):
            name = list(IMAGE_SHAPES)[(i + j) % 3]
            if "brightness" in change and "zx" in change and order == 1:
                continue  # 8 bits cut fractions off: rounding of the interpolation decides
            options = {"fill_mode": fill_mode, "interpolation_order": order, "cval": 17.0}
            y = ImageDataGenerator(**options).apply_transform(arrays[name], change)
            record("change", y, x=name, options=options, change=change)
    for change in ({"brightness": 0.5}, {"brightness": 1.7}, {"channel_shift_intensity": 0.5}):
        y = ImageDataGenerator().apply_transform(arrays["signed"], change)
        record("change", y, x="signed", options={}, change=change)
    arrays["first"] = np.moveaxis(arrays["colour"], -1, 0)
    options = {"data_format": "channels_first"}
    y = ImageDataGenerator(**options).apply_transform(arrays["first"], CHANGES[4])
    record("change", y, x="first", options=options, change=CHANGES[4])

    arrays["batch"] = rng.uniform(0, 255, (12, 4, 3, 3)).astype("float32")
    for options in NORMALIZATIONS:
        generator = ImageDataGenerator(**options)
        generator.fit(arrays["batch"])
        y = np.stack([generator.standardize(x.copy()) for x in arrays["batch"]])
        statistics = {}
        for name in ("mean", "std", "zca_whitening_matrix"):
            if getattr(generator, name) is not None:
                statistics[name] = f"{name}{len(cases)}"
                arrays[statistics[name]] = getattr(generator, name)
        record("normalization", y, options=options, statistics=statistics)
    packed.save(Path(__file__).with_name("images.npz"), arrays, cases)


if __name__ == "__main__":
    main()

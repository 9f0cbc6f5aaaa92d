"""Writes image_layers.npz beside this file: what Keras's layers of images do with given random numbers, on JAX.

python tests/golden/make_image_layers.py
"""

import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"
sys.path.insert(0, str(Path(__file__).parent))

import keras
import numpy as np

import packed

keras.config.set_floatx("float64")
layers = keras.layers
U = np.array([[0.13, 0.92, 0.41], [0.77, 0.05, 0.58]])
SHAPES = {"even": (3, 6, 8, 2), "odd": (3, 7, 5, 1)}
FILLINGS = [
    {},
    {"fill_mode": "constant", "fill_value": 7.0},
    {"fill_mode": "nearest"},
    {"fill_mode": "wrap"},
    {"fill_mode": "wrap", "interpolation": "nearest"},
    {"fill_mode": "constant", "interpolation": "nearest"},
]
RESIZINGS = [
    {"height": 5, "width": 9},
    {"height": 11, "width": 4, "interpolation": "nearest"},
    {"height": 4, "width": 13, "interpolation": "bicubic"},
    {"height": 9, "width": 3, "interpolation": "lanczos3"},
    {"height": 3, "width": 12, "interpolation": "lanczos5", "antialias": True},
    {"height": 3, "width": 4, "antialias": True},
    {"height": 4, "width": 3, "antialias": True, "interpolation": "bicubic"},
    {"height": 4, "width": 4, "crop_to_aspect_ratio": True},
    {"height": 5, "width": 5, "pad_to_aspect_ratio": True, "fill_value": 3.0},
    {"height": 4, "width": 9, "pad_to_aspect_ratio": True},
]


def between(u, low, high):
    return low + u * (high - low)


def rotated(options, x):
    layer = layers.RandomRotation(**options)
    zeros, ones = np.zeros(3), np.ones(3)
    angle = keras.ops.convert_to_tensor(between(U[0], *layer.factor) * 360)
    matrix = layer._compute_affine_matrix(0.5, 0.5, angle, zeros, zeros, ones, zeros, zeros, x.shape[1], x.shape[2])
    return layer.transform_images(x, {"rotation_matrix": matrix})


def zoomed(options, x):
    layer = layers.RandomZoom(**options)
    tall = 1 + between(U[0], layer.height_lower, layer.height_upper)
    wide = tall if layer.width_factor is None else 1 + between(U[1], layer.width_lower, layer.width_upper)
    return layer.transform_images(x, {"height_zoom": tall[:, None], "width_zoom": wide[:, None]})


def moved(options, x):
    layer = layers.RandomTranslation(**options)
    down = between(U[0], layer.height_lower, layer.height_upper) * x.shape[1]
    right = between(U[1], layer.width_lower, layer.width_upper) * x.shape[2]
    return layer.transform_images(x, {"translations": np.stack([right, down], 1)})


def contrasted(options, x):
    layer = layers.RandomContrast(**options)
    factor = between(U[0], 1 - layer.factor[0], 1 + layer.factor[1])
    return layer.transform_images(x, {"contrast_factor": factor.reshape(-1, 1, 1, 1)})


def brightened(options, x):
    layer = layers.RandomBrightness(**options)
    delta = between(U[0], *layer.factor) * (layer.value_range[1] - layer.value_range[0])
    return layer.transform_images(keras.ops.convert_to_tensor(x), {"rgb_delta": delta.reshape(-1, 1, 1, 1)})


def flipped(options, x):
    return layers.RandomFlip(**options).transform_images(x, {"flips": U[0].reshape(-1, 1, 1, 1) <= 0.5})


def plain(name):
    return lambda options, x: getattr(layers, name)(**options)(x)


def cases():
    for name, function, factors in (
        ("RandomRotation", rotated, {"factor": 0.3}),
        ("RandomZoom", zoomed, {"height_factor": 0.4, "width_factor": (-0.5, 0.1)}),
        ("RandomTranslation", moved, {"height_factor": 0.6, "width_factor": (-0.3, 0.4)}),
    ):
        for options in FILLINGS:
            yield name, function, {**factors, **options}
    yield "RandomZoom", zoomed, {"height_factor": (-0.3, 0.6)}
    yield "RandomRotation", rotated, {"factor": (-0.1, 0.5)}
    yield "RandomContrast", contrasted, {"factor": 0.8}
    yield "RandomContrast", contrasted, {"factor": (0.9, 0.4), "value_range": (20, 200)}
    yield "RandomBrightness", brightened, {"factor": 0.5}
    yield "RandomBrightness", brightened, {"factor": (-0.2, 0.9), "value_range": (10, 300)}
    for mode in ("horizontal", "vertical", "horizontal_and_vertical"):
        yield "RandomFlip", flipped, {"mode": mode}
    for options in RESIZINGS:
        yield "Resizing", plain("Resizing"), options
    for height, width in ((4, 4), (5, 2), (9, 4), (3, 10)):
        yield "CenterCrop", plain("CenterCrop"), {"height": height, "width": width}


def main():
    rng = np.random.default_rng(3)
    arrays = {name: np.round(rng.uniform(0, 255, shape)) for name, shape in SHAPES.items()} | {"u": U}
    recorded = []
    for name, function, options in cases():
        for x in SHAPES:
            y = f"y{len(recorded)}"
            arrays[y] = np.asarray(function(options, arrays[x]))
            recorded.append({"layer": name, "options": options, "x": x, "y": y})
    packed.save(Path(__file__).with_name("image_layers.npz"), arrays, recorded)


if __name__ == "__main__":
    main()

"""Writes image_changes.npz and image_draws.npz beside this file: what Keras's layers draw for images, and do with it.

python tests/golden/make_image_changes.py

The second file has, of each number drawn at random, values below which certain shares of many draws lie.
"""

import inspect
import os
import sys
from functools import wraps
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
sys.path.insert(0, str(Path(__file__).parent))

import jax
import keras
import numpy as np
from keras.src.random.seed_generator import draw_seed

import packed
from image_change_cases import CASES, FIRST, HEIGHT, NOT_FIRST, NOT_OF_INTEGERS, SHARES, WIDTH, drawn_often

SEED = 5


def images(options, kind):
    """Images of the case's range of values, with one channel that is all alike."""
    low, high = options.get("value_range", (0, 255))
    x = np.random.default_rng(0).uniform(low, high, (4, HEIGHT, WIDTH, 3))
    x[..., 1] = low + 0.4 * (high - low)
    x = x.astype(kind)
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2)) if options.get("data_format") == FIRST else x


def masks(options):
    m = np.random.default_rng(1).integers(0, 5, (4, HEIGHT, WIDTH, 1)).astype("float32")
    return np.ascontiguousarray(m.transpose(0, 3, 1, 2)) if options.get("data_format") == FIRST else m


def described(value, arrays):
    """A structure with the names of arrays, which are kept, in their places."""
    if isinstance(value, dict):
        return {key: described(part, arrays) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [described(part, arrays) for part in value]
    if hasattr(value, "shape"):
        name = f"a{len(arrays)}"
        arrays[name] = np.asarray(value)
        return {"array": name, "dtype": str(np.asarray(value).dtype)}
    return value


def draw(layer, x):
    """What is random about a change of images."""
    if isinstance(layer, keras.layers.RandomColorJitter):
        return changes_of_jitter(layer, x)
    if not isinstance(layer, keras.layers.RandomElasticTransform):
        return layer.get_random_transformation(x, training=True)
    drawn = layer.get_random_transformation(x, training=True)
    drawn.pop("seed")  # Keras draws the noise when it changes images: see with_noise
    return drawn


def with_noise(drawn):
    """What a change by Keras draws of SEED, too: one noise for both coordinates."""
    noise = np.asarray(jax.random.normal(draw_seed(SEED), shape=(4, HEIGHT, WIDTH), dtype="float32"))
    return {**drawn, "noise": np.stack([noise, noise], axis=1)}


def changes_of_jitter(layer, x):
    """What its layers draw while it changes images, in order, with their names."""
    drawn = []

    def noting(name, part):
        method = part.get_random_transformation

        @wraps(method)
        def noted(*args, **kwargs):
            drawn.append([name, method(*args, **kwargs)])
            return drawn[-1][1]

        return method, noted

    parts = {name: getattr(layer, f"random_{name}") for name in ("brightness", "contrast", "saturation", "hue")}
    kept = {}
    for name, part in parts.items():
        kept[name], part.get_random_transformation = noting(name, part)
    layer.transform_images(keras.ops.convert_to_tensor(x), None, training=True)
    for name, part in parts.items():
        part.get_random_transformation = kept[name]
    return drawn


def changed(layer, part, array, drawn):
    """What Keras makes of a part of the data."""
    given = {**drawn, "seed": SEED} if isinstance(layer, keras.layers.RandomElasticTransform) else drawn
    if isinstance(layer, keras.layers.RandomColorJitter):
        for name, of_part in drawn:
            getattr(layer, f"random_{name}").get_random_transformation = lambda *_, d=of_part, **__: d
    return getattr(layer, f"transform_{part}")(keras.ops.convert_to_tensor(array), given, training=True)


def recorded(name, options, kind, parts, arrays):
    layer = getattr(keras.layers, name)(**options)
    data = {"images": images(options, kind), "segmentation_masks": masks(options)}
    data["labels"] = np.eye(4, dtype="float32")
    keras.utils.set_random_seed(1)
    drawn = draw(layer, data["images"])
    made = {part: changed(layer, part, data[part], drawn) for part in parts}
    drawn = with_noise(drawn) if name == "RandomElasticTransform" else drawn
    data = {part: data[part] for part in parts}
    return {
        "layer": name,
        "options": options,
        "data": described(data, arrays),
        "drawn": described(drawn, arrays),
        "made": described(made, arrays),
    }


def counted(name, options, arrays):
    """Of each number that a layer draws how many there were, and between which values they lie."""
    keras.utils.set_random_seed(1)
    numbers = drawn_often(getattr(keras.layers, name)(**options), name, draw)
    limits = {key: np.quantile(values, SHARES, method="inverted_cdf") for key, values in numbers.items()}
    return {"layer": name, "options": options, "limits": described(limits, arrays)}


def variants():
    """Each case with channels first, with another range of values, and of integers, where Keras has such."""
    for name, options, parts in CASES:
        takes = inspect.signature(getattr(keras.layers, name).__init__).parameters
        for given in ({}, {"data_format": FIRST}, {"value_range": (-1, 1)}, {"kind": "uint8"}):
            kind = given.get("kind", "float32")
            more = {key: value for key, value in given.items() if key != "kind"}
            if (kind == "uint8" and name in NOT_OF_INTEGERS) or ("data_format" in given and name in NOT_FIRST):
                continue
            if all(key in takes or key == "data_format" for key in more):
                yield name, {**options, **more}, kind, parts


def main():
    here = Path(__file__)
    arrays: dict[str, np.ndarray] = {}
    cases = [recorded(*variant, arrays) for variant in variants()]
    packed.save(here.with_name("image_changes.npz"), arrays, cases)
    limits: dict[str, np.ndarray] = {}
    packed.save(here.with_name("image_draws.npz"), limits, [counted(name, o, limits) for name, o, _ in CASES])


if __name__ == "__main__":
    main()
